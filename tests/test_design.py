"""What an experiment may say, and the points that come of it."""

import ast
import math
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from district_sim.cli import app
from district_sim.experiments import Experiment, load_experiments
from district_sim.experiments.checks import resolved_scenarios
from district_sim.experiments.design_files import load_experiment
from district_sim.experiments.plan import differences, make_plan
from district_sim.experiments.points import points, scenario_of, unit_sample
from district_sim.scenario.files import EXPERIMENTS, ScenarioError, bundled_files, scenario_names

SUBSIDY = {"name": "research", "kind": "rd_subsidy", "budget": 100.0}


def settings(**fields: Any) -> list[dict[str, Any]]:
    return [point.settings for point in points(Experiment(scenarios=("baseline",), **fields))]


def refusal(**fields: Any) -> str:
    with pytest.raises((ScenarioError, ValidationError)) as caught:
        make_plan(Experiment(**({"scenarios": ("baseline",)} | fields)))
    return str(caught.value)


# Points -------------------------------------------------------------------------------------------


def test_factorial_counts_with_its_last_parameter_fastest() -> None:
    made = settings(vary={"strategy.sale": (0.1, 0.2), "firms.count": {"start": 100, "stop": 300, "count": 3}})
    assert [tuple(row.values()) for row in made] == [
        (0.1, 100), (0.1, 200), (0.1, 300), (0.2, 100), (0.2, 200), (0.2, 300)
    ]  # fmt: skip
    assert all(isinstance(row["firms.count"], int) for row in made)


def test_span_is_written_as_a_reader_would() -> None:
    even = settings(vary={"strategy.sale": {"start": 0, "stop": 0.9, "count": 4}})
    assert [row["strategy.sale"] for row in even] == [0.0, 0.3, 0.6, 0.9]
    spread = settings(vary={"market.wage": {"start": 1, "stop": 16, "count": 5, "log": True}})
    assert [row["market.wage"] for row in spread] == [1, 2, 4, 8, 16]


def test_scenarios_and_policies_come_before_the_design() -> None:
    e = Experiment(
        scenarios=("baseline", "learning_region"),
        policies={"none": (), "research": (SUBSIDY,)},
        vary={"strategy.sale": (0.1, 0.2)},
    )
    made = points(e)
    assert [point.index for point in made] == list(range(8))
    assert [(p.scenario, p.policies) for p in made[::2]] == [
        ("baseline", "none"), ("baseline", "research"), ("learning_region", "none"), ("learning_region", "research")
    ]  # fmt: skip
    bases = resolved_scenarios(e)
    with_subsidy = scenario_of(made[7], bases)
    assert [instrument.name for instrument in with_subsidy.policies] == ["research"]
    assert with_subsidy.strategy.sale == 0.2
    assert scenario_of(made[4], bases).policies == ()  # learning_region's own policies are replaced


def test_own_policies_without_a_mix() -> None:
    e = Experiment(scenarios=("learning_region",))
    (point,) = points(e)
    assert point.policies == "own"
    assert len(scenario_of(point, resolved_scenarios(e)).policies) == 3


def test_list_takes_its_columns_row_by_row() -> None:
    made = settings(design="list", vary={"strategy.sale": (0.1, 0.1, 0.3), "firms.count": (30, 20, 10)})
    assert [tuple(row.values()) for row in made] == [(0.1, 30), (0.1, 20), (0.3, 10)]
    assert "equal length" in refusal(design="list", vary={"strategy.sale": (0.1, 0.2), "firms.count": (30,)})


def test_latin_hypercube_has_one_point_in_every_slice() -> None:
    e = Experiment(
        scenarios=("baseline",),
        design="latin_hypercube",
        samples=20,
        vary={"strategy.sale": {}, "market.wage": {"low": 2, "high": 4}},
    )
    made = [point.settings for point in points(e)]
    for path, low, high in (("strategy.sale", 0.0, 1.0), ("market.wage", 2.0, 4.0)):
        slices = sorted(int((float(row[path]) - low) / (high - low) * 20) for row in made)
        assert slices == list(range(20))


def test_samples_follow_the_seed_of_the_experiment() -> None:
    fields: dict[str, Any] = {"scenarios": ("baseline",), "vary": {"strategy.sale": {}, "firms.trust": {}}}
    for design in ("latin_hypercube", "sobol", "morris"):
        a, again, other = (
            unit_sample(Experiment(design=design, samples=8, seed=seed, **fields)) for seed in (1, 1, 2**64 - 1)
        )
        assert np.array_equal(a, again)
        assert not np.array_equal(a, other)
        assert ((a >= 0) & (a <= 1)).all()


def test_sobol_fills_the_square_evenly() -> None:
    e = Experiment(scenarios=("baseline",), design="sobol", samples=64, vary={"strategy.sale": {}, "firms.trust": {}})
    counts, *_ = np.histogram2d(*unit_sample(e).T, bins=8, range=[[0, 1], [0, 1]])
    assert (counts == 1).all()


def test_morris_moves_one_parameter_at_a_time() -> None:
    vary: dict[str, Any] = {"strategy.sale": {}, "firms.trust": {}, "mechanisms.trust": {}}
    e = Experiment(scenarios=("baseline",), design="morris", samples=4, vary=vary)
    sample = unit_sample(e)
    assert sample.shape == (4 * 4, 3)
    steps = np.diff(sample.reshape(4, 4, 3), axis=1) != 0
    assert (steps.sum(axis=2) == 1).all()
    assert (steps.sum(axis=1) == 1).all()


def test_draws_of_whole_numbers_and_switches_cover_their_range() -> None:
    made = settings(
        design="sobol",
        samples=64,
        vary={
            "ownership.multinationals": {"low": 2, "high": 5},
            "mechanisms.trust": {},
            "firms.count": (50, 100),
            "market.wage": {"low": 1, "high": 100, "log": True},
        },
    )
    for path, wanted in (("ownership.multinationals", 4), ("mechanisms.trust", 2), ("firms.count", 2)):
        counts = [[row[path] for row in made].count(value) for value in {row[path] for row in made}]
        assert len(counts) == wanted
        assert max(counts) - min(counts) <= 1
    assert {type(row["mechanisms.trust"]) for row in made} == {bool}
    below = sum(float(row["market.wage"]) < 10 for row in made)
    assert abs(below - 32) <= 1  # half of a logarithmic range lies below its geometric middle


# Checks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"vary": {"strategy.sle": (1,)}}, "no parameter 'strategy.sle'; did you mean 'strategy.sale'"),
        ({"vary": {"strategy": (1,)}}, "this is a section"),
        ({"vary": {"strategy.sale": (0.5, 1.5)}}, "vary.strategy.sale: 1.5: must be a number between 0 and 1"),
        ({"vary": {"firms.count": (100, 100.5)}}, "100.5: must be a whole number between 10 and 1,000,000"),
        ({"vary": {"mechanisms.trust": (1,)}}, "1: must be true or false"),
        ({"vary": {"policies.0.budget": (1,)}}, "no parameter 'policies.0.budget'"),
        ({"vary": {"firms.count": {"start": 10, "stop": 13, "count": 9}}}, "fewer than 9 whole numbers"),
        ({"vary": {"strategy.sale": {}}}, "needs values"),
        ({"vary": {"strategy.sale": ()}}, "needs at least one value"),
        ({"vary": {"strategy.sale": (0.5, 0.1, 0.5)}}, "vary.strategy.sale: 0.5 is named twice"),
        ({"vary": {"strategy.sale": {"start": 0.5, "stop": 0.5, "count": 3}}}, "start and stop are both 0.5"),
        ({"vary": {"strategy.sale": {"start": 0, "stop": 0.5, "count": 1}}}, "greater than or equal to 2"),
        ({"vary": {"strategy.sale": (0.5, float("nan"))}}, "a finite number"),
        ({"vary": {"run.quarters": (1, 8)}}, "point 0 (baseline, run.quarters=1): run.quarters: at least 2 quarters"),
        ({"vary": {path: {"start": 0, "stop": 0.5, "count": 9999} for path in ("strategy.sale", "strategy.it")}},
         "makes 99,980,001 points, more than 10,000,000"),
        ({"vary": {"market.wage": {"start": 0, "stop": 3, "count": 9, "log": True}}}, "above 0"),
        ({"vary": {"strategy.project_values": (0.9,)}}, "point 0 (baseline, strategy.project_values=0.9): strat"),
        ({"design": "morris", "vary": {"strategy.sale": {}}}, "needs the number of paths"),
        ({"design": "sobol", "samples": 6, "vary": {"strategy.sale": {}}}, "4 or 8"),
        ({"design": "sobol", "samples": 8}, "needs something to vary"),
        ({"design": "sobol", "samples": 8, "vary": {"firms.count": {"low": 5}}}, "5.0: must be a whole number between"),
        ({"design": "sobol", "samples": 8, "vary": {"firms.trust": {"low": 0.5, "high": 0.1}}}, "must be below high"),
        ({"samples": 8}, "samples: is for samplings"),
        ({"scenarios": ("baseline", "baseline")}, "name each scenario only once"),
        ({"scenarios": ("basline",)}, "did you mean 'baseline'"),
        ({"until": {"employmnt": "1%"}}, "no outcome 'employmnt'; did you mean 'employment'"),
        ({"until": {"employment": "little"}}, "must be a number above 0"),
        ({"until": {"employment": "1.2.3%"}}, "until.employment: '1.2.3%': must be a number above 0"),
        ({"until": {"employment": "1%"}, "maximum": 5}, "at least replications (10)"),
        ({"until": {"employment": "1%"}, "replications": 4}, "must be at least 5 with until"),
        ({"until": {"employment_late": "1%"}, "keep": {"late": False}}, "no outcome 'employment_late'"),
        ({"stop": {"firms": "ten"}}, "must be a comparison"),
        ({"stop": {"frms": "< 10"}}, "no outcome 'frms'; did you mean 'firms'"),
        ({"quarters": 1}, "greater than or equal to 2"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_run_is_refused(fields: dict[str, Any], said: str) -> None:
    message = refusal(**fields)
    assert said in message, message


def test_a_value_must_fit_every_scenario(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("extends: baseline\npolicies: [{name: a, kind: rd_subsidy}]\n")
    both = (str(tmp_path / "two.yaml"), "baseline")
    assert "baseline has no parameter 'policies.0.budget'" in refusal(
        scenarios=both, vary={"policies.0.budget": (1.0,)}
    )


# Files --------------------------------------------------------------------------------------------

FILE = """\
sizes:
  scenarios: [baseline]
  vary:
    firms.count: [20, 30]
  until: {employment: 1%}
policies:
  scenarios: [small.yaml]
  policies:
    none: []
    research: [{name: research, kind: rd_subsidy, budget: 100}]
  keep: {every: 4}
"""


def test_file_of_named_experiments(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("firms: {count: 30}\n")
    (tmp_path / "mine.yaml").write_text(FILE)
    found = load_experiments(tmp_path / "mine.yaml")
    assert list(found) == ["sizes", "policies"]
    assert found["sizes"].tolerances() == {"employment": (0.01, True)}
    assert found["policies"].keep.every == 4
    assert make_plan(found["policies"]).points[1].policies == "research"
    assert load_experiment(f"{tmp_path}/mine.yaml:sizes") == found["sizes"]
    for text, said in ((f"{tmp_path}/mine.yaml", "name one of them"), (f"{tmp_path}/mine.yaml:size", "'sizes'")):
        with pytest.raises(ScenarioError, match=said):
            load_experiment(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  vari: {}", r"bad.yaml:3: vari: unknown key; did you mean 'vary'\?"),
        (
            "  vary:\n    firms.cuont: [1]",
            r"bad.yaml:4: vary.firms.cuont: baseline has no parameter 'firms.cuont'; did",
        ),
        ("  vary:\n    firms.count: many", r"bad.yaml:4: vary.firms.count: must be a list of values, \{start, stop"),
        ("  replications: 0", r"bad.yaml:3: replications: 0: must be greater than or equal to 1"),
        ("  keep: {evry: 4}", r"bad.yaml:3: keep.evry: unknown key; did you mean 'every'\?"),
        ("  policies:\n    a: [{name: a, kind: subsidy}]", r"bad.yaml:4: policies.a.0.kind: 'subsidy': must be"),
        ("  design: list\n  table: none.csv", r"none.csv: cannot be read: No such file"),
        ("  table: none.csv", r"bad.yaml:3: table: is the name of a CSV file, for `design: list`"),
        ("  stop: {firms: few}", r"bad.yaml:3: stop.firms: 'few': must be a comparison"),
        ("  stop: {firms: 10}", r"bad.yaml:3: stop.firms: 10: must be a comparison"),
        (
            "  vary:\n    firms.count:\n      - 20\n      - 3",
            r"bad.yaml:6: vary.firms.count: 3: must be a whole number",
        ),
        (
            "  vary:\n    firms.count: {start: 20, stop: 30, cuont: 3}",
            r"bad.yaml:4: vary.firms.count.cuont: unknown key; did you mean 'count'\?",
        ),
    ],
)
def test_errors_in_files_name_the_line(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(f"wrong:\n  scenarios: [baseline]\n{line}\n")
    with pytest.raises(ScenarioError, match=said):
        load_experiments(tmp_path / "bad.yaml")


def test_points_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("firms.count,strategy.sale,mechanisms.trust\n20,0.5,true\n30,1e-1,false\n")
    (tmp_path / "mine.yaml").write_text("mine:\n  scenarios: [baseline]\n  design: list\n  table: points.csv\n")
    made = points(load_experiments(tmp_path / "mine.yaml")["mine"])
    assert [tuple(point.settings.values()) for point in made] == [(20, 0.5, True), (30, 0.1, False)]
    (tmp_path / "points.csv").write_text("firms.count\n20\n30,1\n")
    with pytest.raises(ScenarioError, match=r"points.csv:3: has 2 entries, the heading has 1"):
        load_experiments(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("firms.cuont\n20\n", r"points.csv:1: firms.cuont: baseline has no parameter"),
        ("firms.count\n20\n\n3\n", r"points.csv:4: firms.count: 3: must be a whole number"),
        ("firms.count,strategy.sale\n20,0.5\n30,\n", r"points.csv:3: strategy.sale: is empty"),
        ("firms.count,\n20,1\n", r"points.csv:1: each column needs a different name"),
        ("firms.count\nnan\n", r"points.csv:2: firms.count: nan: must be a finite number"),
    ],
)
def test_errors_in_tables_name_the_line(table: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(table)
    (tmp_path / "mine.yaml").write_text("mine:\n  scenarios: [baseline]\n  design: list\n  table: points.csv\n")
    with pytest.raises(ScenarioError, match=said):
        load_experiments(tmp_path / "mine.yaml")


def test_tables_as_other_programs_write_them(tmp_path: Path) -> None:
    """R writes TRUE, pandas True, and both 30.0 where a column had gaps; a list may name a value twice."""
    (tmp_path / "points.csv").write_text("firms.count,mechanisms.trust\n20.0,TRUE\n30.0,False\n30.0,True\n")
    (tmp_path / "mine.yaml").write_text("mine:\n  scenarios: [baseline]\n  design: list\n  table: points.csv\n")
    made = points(load_experiments(tmp_path / "mine.yaml")["mine"])
    assert [tuple(map(repr, point.settings.values())) for point in made] == [
        ("20", "True"),
        ("30", "False"),
        ("30", "True"),
    ]


def test_a_scenario_that_is_missing_is_told_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine:\n  scenarios:\n    - baseline\n    - basline\n")
    with pytest.raises(ScenarioError, match=r"mine.yaml:4: scenarios: there is no scenario or file 'basline'"):
        load_experiments(tmp_path / "mine.yaml")


def test_bundled_experiments_can_be_run() -> None:
    names = bundled_files(EXPERIMENTS)
    assert len(names) >= 2
    for name in names:
        e = load_experiment(name)
        assert e.name == name
        assert e.description
        assert len(make_plan(e).points) >= 2
    assert not any(name.startswith("experiments/") for name in scenario_names())


PAGES = [Path(__file__).parents[1] / "docs" / name for name in ("experiments.md", "clusters.md")]


def test_documented_experiments_are_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "mine.yaml").write_text(text)
    (tmp_path / "my_district.yaml").write_text("extends: baseline\n")
    found = load_experiments(tmp_path / "mine.yaml")
    assert len(make_plan(found["offshoring"]).points) == 2 * 2 * 7 * 3
    assert len(points(found["screening"])) == 20 * 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_commands_exist(page: Path) -> None:
    lines = re.findall(r"(?:district-sim|-m district_sim) ((?:sweep|results) .*)", page.read_text(encoding="utf-8"))
    lines = [re.split(r"[`|#]", line)[0].split() for line in lines]
    assert len(lines) >= 3
    for command, *arguments in lines:
        told = (
            CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}).output
        )
        for option in (word for word in arguments if word.startswith("--")):
            assert option in told, (command, option)
        if "--experiment" in arguments:
            name = arguments[arguments.index("--experiment") + 1]
            assert ":" in name or name in bundled_files(EXPERIMENTS)


def test_documented_python_is_python() -> None:
    for page in PAGES:
        blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        assert blocks
        for text in blocks:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("district_sim"):
                    assert all(hasattr(import_module(str(node.module)), alias.name) for alias in node.names)


# Telling plans apart ------------------------------------------------------------------------------


def test_differences_name_what_changed() -> None:
    before: dict[str, Any] = {"a": {"b": 1, "c": [1, 2]}, "d": 1.5}
    assert differences(before, before) == []
    now = {"a": {"b": 2, "c": [1, 2]}, "d": 1.5, "e": "x"}
    assert differences(before, now) == ["a.b: 1 in the folder, 2 now", 'e: nothing in the folder, "x" now']


def test_settings_are_finite() -> None:
    with pytest.raises(ValidationError):
        Experiment(scenarios=("baseline",), vary={"strategy.sale": {"start": 0, "stop": math.inf, "count": 3}})
