"""Mechanisms from outside: the guarantee fund in tests/guarantee_fund, as an installed package would offer it."""

import inspect
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sweeps import run_here
from typer.testing import CliRunner, Result

from district_sim import cli
from district_sim.experiments import Experiment, Results, run_experiment
from district_sim.experiments.ranges import choose
from district_sim.experiments.store import FolderError
from district_sim.kernels.compile import kernel
from district_sim.mesa_model.district import District
from district_sim.model import schedule
from district_sim.run.run import Run, simulate
from district_sim.scenario import extensions
from district_sim.scenario.extensions import Mechanism, MechanismError, MechanismIndicator, MechanismSection, mechanism
from district_sim.scenario.fields import number
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.paths import scenario_schema

PACKAGE = Path(__file__).parent / "guarantee_fund"
SMALL = {"firms.count": 40, "firms.settling": 4, "run.quarters": 24, "strategy_start": 4}
FUND = "extensions.guarantee_fund"
COLUMNS = ["guarantee_fund_money", "guarantee_fund_helped"]


def forget() -> None:
    for remembered in (extensions._installed, extensions.mechanism, extensions.all_indicators, scenario_schema):
        remembered.cache_clear()


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is found here and in the processes that start from here."""
    monkeypatch.syspath_prepend(PACKAGE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    forget()
    yield
    forget()


@pytest.fixture
def plain() -> Run:
    return simulate(load_scenario("baseline", SMALL), 3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A scenario with the fund."""
    path = tmp_path / "fund.yaml"
    path.write_text(
        "extends: baseline\nfirms: {count: 40, settling: 4}\nrun: {quarters: 24}\nstrategy_start: 4\n"
        "extensions:\n  guarantee_fund: {fee: 0.01}\n"
    )
    return path


def offer(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Mechanism:
    """The fund with other properties in place of the installed one."""
    changed = mechanism("guarantee_fund")._replace(**changes)
    forget()
    monkeypatch.setattr(sys.modules["guarantee_fund"], "mechanism", changed)
    return changed


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(cli.app, [str(one) for one in arguments], env={"COLUMNS": "200"})


class TestOff:
    @pytest.mark.parametrize("how", [{}, {f"{FUND}.on": False}, {f"{FUND}.fee": 0.0}])
    def test_not_a_bit_changes(self, plain: Run, how: dict[str, Any]) -> None:
        """Installed; named but off; and on without a fee, so that its quarters are run in Python."""
        run = simulate(load_scenario("baseline", SMALL | how), 3)
        np.testing.assert_array_equal(run.table[:, : len(NAMES)], plain.table)
        pd.testing.assert_frame_equal(run.end.firms, plain.end.firms)

    def test_off_its_indicators_are_undefined_not_zero(self) -> None:
        run = simulate(load_scenario("baseline", SMALL | {f"{FUND}.on": False}), 3)
        assert run.indicators[COLUMNS].isna().all(axis=None)


class TestOn:
    def test_it_acts_and_money_balances(self, plain: Run) -> None:
        district = District(load_scenario("baseline", SMALL | {f"{FUND}.fee": 0.01}), seed=3)
        district.run_for(24)
        money = district.state.accounts.money
        assert abs(money.sum()) < 1e-9 * abs(money).max()
        held = district.indicators["guarantee_fund_money"]
        assert (held >= 0.0).all()
        assert held.iloc[-1] > 0.0
        assert not np.array_equal(district.indicators["survival"], plain.indicators["survival"])

    def test_a_district_stepped_is_the_run(self) -> None:
        scenario = load_scenario("baseline", SMALL | {f"{FUND}.fee": 0.01})
        district = District(scenario, seed=3)
        district.run_for(24)
        pd.testing.assert_frame_equal(district.indicators, simulate(scenario, 3).indicators)

    def test_it_remembers_when_the_district_outgrows_its_arrays(self) -> None:
        scenario = load_scenario("baseline", SMALL | {f"{FUND}.fee": 0.0, "demography.entry": 0.3})
        district = District(scenario, seed=3)
        rows = district.state.firms.size
        district.state.memory[1] = 5000.0  # k€, after the fee
        district.run_for(24)
        assert district.state.firms.size > rows
        money, helped = (district.indicators[column] for column in COLUMNS)
        assert money.is_monotonic_decreasing
        assert helped.sum() > 0.0 < money.iloc[-1] < 5000.0

    def test_it_is_changed_but_does_not_come_or_go_within_a_run(self) -> None:
        district = District(load_scenario("baseline", SMALL | {f"{FUND}.fee": 0.01, f"{FUND}.on": False}), seed=3)
        district.run_for(2)
        district.intervene(**{f"{FUND}.on": True})
        district.step()
        assert district.indicators["guarantee_fund_money"].notna().tolist() == [False, False, True]
        with pytest.raises(ScenarioError, match="cannot come or go"):
            district.intervene(extensions={})

    def test_a_run_is_kept_with_its_version_and_read_again(self, file: Path, tmp_path: Path) -> None:
        assert call("run", file, "--out", tmp_path / "out").exit_code == 0
        kept = json.loads((tmp_path / "out" / "run.json").read_text())
        assert kept["versions"][FUND] == "1.0"
        assert kept["scenario"]["extensions"] == {"guarantee_fund": {"on": True, "fee": 0.01}}
        assert kept["indicators"].keys() >= set(COLUMNS)
        assert set(COLUMNS) <= set(Run.load(tmp_path / "out").indicators)

    def test_compiled_it_has_the_same_arguments(self, monkeypatch: pytest.MonkeyPatch) -> None:
        @kernel
        def act(state: Any, living: Any, p: Any, s: Any, own: Any) -> None:
            for i in living:
                state.firms[i].education = min(1.0, state.firms[i].education + own.fee * s.training)
            own.helped += living.size

        offer(monkeypatch, act=act, place="demography")
        run = simulate(load_scenario("baseline", SMALL | {f"{FUND}.fee": 0.05}), 3, quarters=3)
        assert run.indicators["guarantee_fund_helped"].tolist() == run.indicators["firms"].cumsum().tolist()


class TestExperiments:
    def test_sweep_with_two_workers(self, tmp_path: Path) -> None:
        (tmp_path / "small.yaml").write_text("extends: baseline\nfirms: {count: 20, settling: 2}\nrun: {quarters: 4}\n")
        out = tmp_path / "out"
        made = call(
            "sweep", tmp_path / "small.yaml", "--vary", f"{FUND}.fee=0,0.02", "--replications", 2, "--every", 2,
            "--workers", 2, "--out", out, "--quiet",
        )  # fmt: skip
        assert made.exit_code == 0, made.output
        results = Results(out)
        assert results.counts.done == 4
        assert set(results.runs[f"{FUND}.fee"]) == {0.0, 0.02}
        assert (results.runs.groupby(f"{FUND}.fee")["guarantee_fund_money"].sum() > 0.0).tolist() == [False, True]
        assert set(COLUMNS) <= set(results.series)
        assert results.versions[FUND] == "1.0"
        assert results.notes("guarantee_fund_money_late") == ("k€", "Money in the fund; late mean")
        assert results.notes(f"{FUND}.fee") == ("share of sales", "What a firm with cash pays in each quarter")
        schema = pq.read_schema(next((out / "runs").glob("*.parquet")))
        assert schema.field("guarantee_fund_money").metadata[b"unit"] == "k€".encode()

    def test_on_and_off_in_one_sweep(self, tmp_path: Path, file: Path) -> None:
        run_here(
            Experiment(scenarios=(str(file),), vary={f"{FUND}.on": (False, True)}, replications=2, quarters=4),
            tmp_path / "out",
        )
        runs = Results(tmp_path / "out").runs
        assert runs.groupby(f"{FUND}.on")["guarantee_fund_money"].count().tolist() == [0, 2]

    def test_its_version_is_part_of_the_identity(
        self, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = Experiment(scenarios=(str(file),), replications=1, quarters=2)
        run_here(experiment, tmp_path / "out")
        offer(monkeypatch, version="1.1")
        from district_sim.experiments.plan import model_version

        model_version.cache_clear()
        with pytest.raises(FolderError, match=f'{FUND}: "1.0" in the folder, "1.1" now'):
            run_here(experiment, tmp_path / "out")
        model_version.cache_clear()

    def test_compare_tells_its_outcomes_by_their_labels(self, tmp_path: Path, file: Path) -> None:
        cheap = tmp_path / "cheap.yaml"
        cheap.write_text(f"extends: {file}\nextensions: {{guarantee_fund: {{fee: 0.001}}}}\n")
        outcomes = ",".join(["employment", *COLUMNS])
        told = call("compare", cheap, file, "--outcomes", outcomes, "--replications", 3, "--workers", 1)
        assert told.exit_code == 0, told.output
        assert "Guarantee fund, k€" in told.output

    def test_an_outcome_of_a_mechanism_that_is_in_no_scenario(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError, match="mechanism that is in none"):
            run_experiment(
                Experiment(scenarios=("baseline",), until={"guarantee_fund_money": "1%"}, replications=5),
                tmp_path / "out",
            )

    def test_sensitivity_knows_its_range(self, file: Path) -> None:
        ranges, _ = choose(load_scenario(file), ["all"])
        assert f"{FUND}.fee" in {one.path for one in ranges}
        (one,), _ = choose(load_scenario(file), [f"{FUND}.fee"])
        assert (one.low, one.high) == (0.005, 0.015)
        without, _ = choose(load_scenario("baseline"), ["all"])
        assert not any(one.path.startswith("extensions.") for one in without)


class TestRefused:
    @pytest.mark.parametrize(
        ("override", "told"),
        [
            (f"{FUND}.fee=3", "must be a number between 0 and 0.05"),
            (f"{FUND}.fees=0.1", f"no parameter '{FUND}.fees'; did you mean '{FUND}.fee'?"),
            ("extensions.guarantee_fun.fee=0.1", "did you mean 'guarantee_fund'? (installed: guarantee_fund)"),
            ("extensions.os.path=1", "no installed mechanism 'os' (installed: guarantee_fund)"),
        ],
    )
    def test_overrides(self, override: str, told: str) -> None:
        with pytest.raises(ScenarioError) as refused:
            load_scenario("baseline", [override])
        assert told in str(refused.value)

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            ("  guarantee_fund: {fee: 3}", f"fund.yaml:3: {FUND}.fee = 3: must be a number between 0 and 0.05"),
            ("  guarantee_fund: {fees: 0}", f"fund.yaml:3: {FUND}.fees: unknown key; did you mean 'fee'?"),
            ("  guarantee_fund: 0.1", f"fund.yaml:3: {FUND}"),
            ("  nobody.wrote.this: {}", "no installed mechanism 'nobody.wrote.this' (installed: guarantee_fund)"),
            ("  os:path: {}", "no installed mechanism 'os:path'"),
            ("  ../evil.py: {}", "no installed mechanism '../evil.py'"),
        ],
    )
    def test_files(self, tmp_path: Path, lines: str, told: str) -> None:
        path = tmp_path / "fund.yaml"
        path.write_text(f"extends: baseline\nextensions:\n{lines}\n")
        before = set(sys.modules)
        with pytest.raises(ScenarioError) as refused:
            load_scenario(path)
        assert told in str(refused.value)
        assert not {name for name in set(sys.modules) - before if name.split(".")[0] in ("nobody", "evil")}

    def test_varied(self, tmp_path: Path) -> None:
        told = call("sweep", "baseline", "--vary", "extensions.nobody.fee=0,1", "--out", tmp_path / "out")
        assert told.exit_code == 2
        assert "no installed mechanism 'nobody'" in told.output

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"name": "other"}, "it is called 'other'"),
            ({"place": "nowhere"}, "place is 'nowhere'"),
            ({"version": ""}, "no version"),
            ({"memory": ("fee",)}, "must differ"),
        ],
    )
    def test_a_package_that_is_wrong(self, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], told: str) -> None:
        offer(monkeypatch, **changes)
        with pytest.raises(MechanismError, match=told):
            mechanism("guarantee_fund")
        assert "guarantee_fund" not in scenario_schema()["properties"]["extensions"]["properties"]
        load_scenario("baseline")

    def test_parameters_are_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Words(MechanismSection):
            """A section with a text."""

            fee: float = number(0.0, 0.0, 1.0, "1", "A fee")
            mood: str = "good"

        offer(monkeypatch, section=Words)
        with pytest.raises(MechanismError, match="mood: parameters are whole or real numbers"):
            mechanism("guarantee_fund")

    def test_a_package_that_cannot_be_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mechanism("guarantee_fund")
        forget()
        monkeypatch.delattr(sys.modules["guarantee_fund"], "mechanism")
        with pytest.raises(ScenarioError, match="cannot be loaded from guarantee_fund:mechanism: AttributeError"):
            load_scenario("baseline", [f"{FUND}.fee=0.01"])

    def test_two_packages_of_one_name(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        info = tmp_path / "another-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[district_sim.mechanisms]\nguarantee_fund = another:mechanism\n")
        monkeypatch.syspath_prepend(tmp_path)
        forget()
        with pytest.raises(MechanismError, match="two installed packages offer"):
            mechanism("guarantee_fund")


def test_the_schema_for_editors_has_its_parameters() -> None:
    schema = json.loads(call("scenarios", "schema").output)
    fee = schema["properties"]["extensions"]["properties"]["guarantee_fund"]["properties"]["fee"]
    assert (fee["maximum"], fee["unit"]) == (0.05, "share of sales")


def test_the_page_has_its_lever_and_its_indicators(file: Path) -> None:
    from district_sim.app.levers import lever, levers, levers_of

    own = levers_of(load_scenario("baseline"))
    assert set(own) < set(levers()), "those that act where firms decide"
    (one,) = levers_of(load_scenario(file))[len(own) :]
    assert one == lever(f"{FUND}.fee")
    assert (one.name, one.low, one.high) == ("Guarantee fund: fee", 0.0, 0.05)


def test_the_schedule_has_every_place_in_order() -> None:
    calls = re.findall(r'\bat\("(\w+)", state, living, p, s\)', inspect.getsource(schedule))
    assert tuple(calls) == extensions.PLACES


def test_indicators_are_called_by_their_mechanism() -> None:
    indicator = MechanismIndicator("money", "Money", "k€", 0, "Money", lambda state, p, own: 0.0)
    assert list(mechanism("guarantee_fund")._replace(indicators=(indicator,)).columns) == ["guarantee_fund_money"]
