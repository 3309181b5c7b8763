"""Policy files: what is bundled, what is refused and how, how they are laid over scenarios on the command line.

Time budget: 20 s.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from district_sim.experiments.design_files import load_experiment
from district_sim.scenario.files import ScenarioError, load_scenario, scenario_names
from district_sim.scenario.instruments import InstrumentKind
from district_sim.scenario.policy_files import laid_over, load_policy, policy_mix, policy_names, policy_text

MIXES = {"bioregio", "innoregio", "service_centres"}
WAITING = {"ready_buyouts"}
GOOD = "policies:\n  - {name: it, kind: rd_subsidy, budget: 10, start: 0}\n"
ONE = "policies:\n  - {name: a, kind: rd_subsidy, "


class TestBundled:
    def test_there_is_one_for_every_instrument_three_mixes_and_one_that_waits(self) -> None:
        assert set(policy_names()) == {kind.value for kind in InstrumentKind} | MIXES | WAITING
        for kind in InstrumentKind:
            assert {item.kind for item in load_policy(kind.value).instruments} == {kind}
        for name in MIXES:
            assert len(load_policy(name).instruments) > 1
        for name in WAITING:
            assert all(item.when for item in load_policy(name).instruments)

    @pytest.mark.parametrize("name", policy_names())
    def test_each_says_what_it_is_and_costs_something(self, name: str) -> None:
        policy = load_policy(name)
        assert policy.title
        assert policy.description.endswith(".")
        assert policy.source
        assert all(item.budget > 0.0 for item in policy.instruments)
        assert policy_text(name).startswith("# ")

    def test_they_are_no_scenarios(self) -> None:
        assert not any("policies" in name for name in scenario_names())

    def test_two_million_a_year_into_an_export_platform_from_year_5_are_six_lines(self) -> None:
        text = [line for line in policy_text("export_platform").splitlines() if line and not line.startswith("#")]
        assert len(text) <= 6
        (platform,) = load_policy("export_platform").instruments
        assert (4 * platform.budget, platform.start / 4) == (2000.0, 5.0)


class TestBadFiles:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (ONE + "budget: -3}\n", ":2: policies.0.budget = -3: must be a number betw"),
            ("policies:\n  - name: a\n    kind: rd\n", ":3: policies.0.kind = 'rd': must be one of"),
            (ONE + "bugdet: 3}\n", "bugdet: unknown key; did you mean 'budget'?"),
            ("policy: []\n", ":1: policy: unknown key in a policy file; did you mean 'policies'?"),
            ("title: A\n", "policies: this key is required"),
            ("policies: []\n", "policies: this key is required"),
            ("source: 3\n" + GOOD, ":1: source = 3: must be text"),
            (ONE + "start: 9, end: 9}\n", ":2: policies.0: end (9) must come after"),
            (ONE + "target: smal}\n", ":2: policies.0.target = 'smal': must be one of"),
            (ONE + "funded_by: us}\n", ":2: policies.0.funded_by = 'us': must be one"),
            (ONE + "phase: 12}\n", ":2: policies.0.phase = 12: must be a whole number"),
        ],
    )  # fmt: skip
    def test_file_line_field_and_range_are_named(self, tmp_path: Path, text: str, told: str) -> None:
        path = tmp_path / "bad.yaml"
        path.write_text(text)
        with pytest.raises(ScenarioError) as refused:
            load_policy(path)
        assert str(path) in str(refused.value)
        assert told in str(refused.value)

    def test_a_phase_that_the_scenario_does_not_have(self, tmp_path: Path) -> None:
        path = tmp_path / "eighth.yaml"
        path.write_text(GOOD.replace("budget: 10", "budget: 10, phase: 7"))
        instruments = load_policy(path).instruments
        with pytest.raises(ScenarioError, match="phase must be between 0 and 5, not 7"):
            laid_over(load_scenario("baseline"), instruments)
        assert laid_over(load_scenario("baseline", {"technology.phases": 8}), instruments).policies == instruments


class TestMixes:
    def test_names_are_joined(self) -> None:
        own = load_scenario("collective_entrepreneurship").policies
        both = policy_mix("own+export_platform", own)
        assert both == (*own, *load_policy("export_platform").instruments)
        assert policy_mix("none") == ()
        assert policy_mix("learning_region") == load_scenario("learning_region").policies

    @pytest.mark.parametrize(
        ("name", "told"),
        [("export_platfrom", "did you mean 'export_platform'"), ("own", "name the scenario whose policies to use")],
    )
    def test_unknown_ones_are_refused(self, name: str, told: str) -> None:
        with pytest.raises(ScenarioError, match=told):
            policy_mix(name)

    def test_experiments_name_them(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text(GOOD)
        base = "a:\n  scenarios: [baseline]\n  policies: "
        file = tmp_path / "experiment.yaml"
        file.write_text(base + "[none, export_platform, rd_subsidy+bioregio]\n")
        found = load_experiment(str(file)).policies
        assert list(found) == ["none", "export_platform", "rd_subsidy+bioregio"]
        assert found["export_platform"] == load_policy("export_platform").instruments
        file.write_text(base + "{mine: mine.yaml, platform: export_platform, other: [{name: a, kind: it_subsidy}]}\n")
        assert [len(mix) for mix in load_experiment(str(file)).policies.values()] == [1, 1, 1]
        file.write_text(base + "[{name: a, kind: it_subsidy}]\n")
        with pytest.raises(ScenarioError, match=r"experiment\.yaml:3: policies: a list names mixes"):
            load_experiment(str(file))
        file.write_text(base + "[export_platfrom]\n")
        with pytest.raises(ScenarioError, match=r"experiment\.yaml:3: .*did you mean 'export_platform'"):
            load_experiment(str(file))


class TestCommandLine:
    def test_run_lays_policies_over_the_scenario(self, call: Callable[..., Result]) -> None:
        Path("mine.yaml").write_text(GOOD)
        result = call("run", "small.yaml", "--policy", "mine.yaml", "--policy", "export_platform", "--json")
        told = json.loads(result.stdout)["policies"]
        assert [item["instrument"] for item in told] == ["it", "platform"]
        assert told[0]["spent"] == pytest.approx(80.0)
        assert told[1]["spent"] == 0.0

    def test_run_shows_what_was_spent_and_says_what_it_leaves_out(self, call: Callable[..., Result]) -> None:
        Path("mine.yaml").write_text(GOOD)
        Path("with.yaml").write_text("extends: small\n" + GOOD.replace("name: it", "name: old"))
        result = call("run", "with.yaml", "--policy", "mine.yaml")
        assert "own policies are replaced (old)" in result.stderr
        assert "What the policies spent" in result.stdout
        kept = call("run", "with.yaml", "--policy", "own", "--policy", "mine.yaml", "--json")
        assert [item["instrument"] for item in json.loads(kept.stdout)["policies"]] == ["old", "it"]

    def test_compare_at_equal_cost(self, call: Callable[..., Result]) -> None:
        Path("a.yaml").write_text(GOOD)
        Path("b.yaml").write_text(GOOD.replace("rd_subsidy", "technology_centre").replace("start: 0", "start: 4"))
        result = call(
            "compare", "small.yaml", "--policies", "a.yaml,b.yaml", "--equal-cost", "200", "--discount", "0.05",
            "--replications", "2", "--json", "--outcomes", "employment",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert told["cells"] == ["Small district + none", "Small district + a", "Small district + b"]
        assert [row["budgets"] for row in told["costs"]] == pytest.approx([0.0, 200.0, 200.0], rel=1e-12)
        assert [row["spent"] for row in told["costs"]] == pytest.approx([0.0, 200.0, 200.0])

    def test_the_counterfactual_of_a_cost_is_the_same_scenario(self, call: Callable[..., Result]) -> None:
        """What two scenarios differ in is no merit of a policy."""
        Path("a.yaml").write_text(GOOD)
        Path("large.yaml").write_text("extends: small\nfirms: {count: 60}\n")
        found = []
        for scenarios in (["large.yaml"], ["small.yaml", "large.yaml"]):
            options = ("--policies", "a.yaml", "--equal-cost", "200", "--replications", "2", "--json")
            found.append(json.loads(call("compare", *scenarios, *options).stdout)["costs"][-1])
        assert [row.pop("cell") for row in found] == ["Small district + a", "Small district (large) + a"]
        assert found[0] == found[1]

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--equal-cost", "-3"), "--equal-cost must be above 0"),
            (("--discount", "7"), "--discount must be between 0 and 1"),
            (("--equal-cost", "3"), "no budget within the 8 quarters"),
        ],
    )
    def test_bad_costs_are_refused(self, call: Callable[..., Result], arguments: tuple[str, ...], told: str) -> None:
        result = call("compare", "small.yaml", "--policies", "none,rd_subsidy", *arguments)
        assert result.exit_code == 2
        assert told in result.stderr

    def test_costs_need_policies(self, call: Callable[..., Result]) -> None:
        result = call("compare", "small.yaml", "baseline", "--quarters", "8", "--equal-cost", "5")
        assert "need --policies" in result.stderr

    def test_lists(self, call: Callable[..., Result]) -> None:
        listed = call("policies", "list").stdout
        assert all(name in listed for name in policy_names())
        assert all(kind.value in call("policies", "instruments").stdout for kind in InstrumentKind)
        assert "anchor_loss" in call("policies", "shocks").stdout
        assert call("policies", "show", "bioregio").stdout == policy_text("bioregio")

    def test_the_schema_tells_what_instruments_do(self, call: Callable[..., Result]) -> None:
        described = json.loads(call("policies", "schema").stdout)
        kind = described["$defs"]["Instrument"]["properties"]["kind"]
        assert len(kind["enumDescriptions"]) == len(InstrumentKind) == len(described["$defs"]["InstrumentKind"]["enum"])
        assert set(described["properties"]) == {"title", "description", "source", "policies"}
        references = set(re.findall(r"#/\$defs/(\w+)", json.dumps(described)))
        assert references == described["$defs"].keys()

    def test_validate(self, call: Callable[..., Result]) -> None:
        Path("good.yaml").write_text(GOOD)
        Path("bad.yaml").write_text(GOOD.replace("budget: 10", "budget: x"))
        result = call("policies", "validate", "good.yaml", "bad.yaml")
        assert result.exit_code == 2
        assert "good.yaml: ok" in result.stdout
        assert "bad.yaml:2: policies.0.budget = 'x'" in result.stderr
