"""Undefined is not zero: what nobody can say is missing, and stays so in scores, labels, means and files."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pandas as pd
import pytest
import yaml
from balance import check_indicators
from naive import cases

from district_sim.experiments.compare import compare, paired, trajectory_shares, transitions
from district_sim.experiments.design import Experiment
from district_sim.experiments.results import Results
from district_sim.experiments.runner import run_experiment
from district_sim.model.state import EMPLOYED, State
from district_sim.run.run import Run, simulate
from district_sim.run.trajectories import Trajectory, recovery_time, score
from district_sim.scenario.files import load_scenario
from district_sim.scenario.indicators import INDICATORS, NAMES
from district_sim.scenario.sections import Scenario
from district_sim.text.names import change, label_name, record_of
from district_sim.text.numbers import number, percent, points, significant

TINY = {"extends": "decline", "firms": {"count": 10}}
"""Ten firms in decline: some runs end without a firm."""
NOTHING_KNOWN = {
    "extends": "classroom",
    "knowledge": {
        **dict.fromkeys(("learning_by_doing", "absorptive_education", "absorptive_experience"), 0.0),
        "tacit_decay": 1.0,
        "codified_decay": 1.0,
        "absorptive_research": 0.0,
    },
}
"""Valid values; together nobody knows anything."""
MUCH_TRAINING = {
    "extends": "classroom",
    "knowledge": {"training_gain": 10.0},
    "history": {"training": 0.2},
    "strategy": {"training": 0.2},
}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def write(values: dict[str, Any]) -> Path:
        path = tmp_path / "given.yaml"
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return path

    return write


def without_firms() -> State:
    """A small district all of whose firms closed in the quarter before the last."""
    p = cases.parameters(demography={"exit": 1.0, "exit_size": 0.0})
    state, _ = cases.quarter(cases.district(), p, 2)
    assert not state.firms.alive.any()
    return state


class TestIndicators:
    def test_of_nobody_each_is_a_number_or_missing_as_its_rule_says(self) -> None:
        for name, value in cases.observed(without_firms(), cases.parameters()).items():
            idle = name == "unemployment"  # those who worked there are still looking for work
            assert math.isnan(value) == (bool(record_of(name).undefined) and not idle), name

    def test_nobody_works_where_no_firm_is_left(self) -> None:
        state = without_firms()
        assert state.accounts.people[EMPLOYED] == 0.0
        assert cases.observed(state, cases.parameters())["unemployment"] == 1.0

    def test_firms_without_ties_have_no_trust(self) -> None:
        state = cases.strangers()
        row = cases.observed(state, cases.parameters())
        missing = {name for name, value in row.items() if math.isnan(value)}
        assert missing >= {"trust", "tie_turnover", "knowledge_tie_share", "path_length", "clustering", "leverage"}
        assert row["degree"] == 0.0
        assert not missing & {"identity", "wage", "gini", "education"}

    @pytest.mark.parametrize("state", [without_firms, cases.strangers])
    def test_the_twin_misses_the_same(self, state: Callable[[], State]) -> None:
        p, here = cases.parameters(), state()
        seen = list(cases.observed(here, p).values())
        np.testing.assert_allclose(seen, list(naive.observe(here, p).values()), rtol=1e-6, atol=1e-9)

    def test_every_rule_is_told(self) -> None:
        odd = (Path(__file__).parents[1] / "docs/odd.md").read_text(encoding="utf-8")
        for indicator in INDICATORS:
            if indicator.undefined:
                assert indicator.meaning.endswith(f"missing with {indicator.undefined}")
                assert f"| with {indicator.undefined} |" in odd


def table(quarters: int = 40, **columns: float | list[float]) -> dict[str, Any]:
    """A calm table of indicators, with other columns; a list holds the last quarters."""
    calm = dict.fromkeys(NAMES, 0.0)
    calm |= {"firms": 10.0, "employment": 50.0, "value_added_local": 80.0, "turnover": 200.0, "degree": 4.0}
    calm |= {"trust": 0.5, "hhi_control": 0.1, "local_purchases": 0.8, "absorptive_capacity": 0.4}
    out = {name: np.full(quarters, value) for name, value in calm.items()}
    for name, values in columns.items():
        late = np.atleast_1d(values)
        out[name][-len(late) if isinstance(values, list) else 0 :] = late
    return out


class TestLabels:
    def test_calm_years_are_persistence(self) -> None:
        assert score(table()).label is Trajectory.MARSHALLIAN_PERSISTENCE

    def test_a_district_that_died_is_decline_whatever_its_scores(self) -> None:
        taken = table(mne_turnover_share=0.9, trust=[0.1] * 10, employment=[60.0] * 9 + [0.0], firms=[5.0] * 9 + [0.0])
        assert score(taken).fragmentation == 1.0
        assert score(taken).label is Trajectory.DECLINE
        taken["firms"][-1] = 1.0
        assert score(taken).label is Trajectory.FRAGMENTATION

    def test_a_score_that_needs_what_nobody_knows_is_missing(self) -> None:
        found = score(table(trust=math.nan, degree=0.0, mne_turnover_share=0.3))
        assert math.isnan(found.route_takeover)
        assert found.route_hierarchy == 0.0  # no supplier is captive: that decides
        assert found.fragmentation == 0.0
        found = score(table(local_purchases=math.nan, pipeline_firms=[0.3] * 10))
        assert math.isnan(found.post_marshallian_node)
        assert found.label is None
        assert label_name(found.label) == "Undefined"

    def test_what_can_be_said_is_said(self) -> None:
        """A future that is reached, or a decline, needs no other score."""
        unknown = {"local_purchases": math.nan, "pipeline_firms": [0.3] * 10}
        taken = score(table(**unknown, mne_turnover_share=0.9, trust=[0.1] * 10))
        assert taken.label is Trajectory.FRAGMENTATION
        assert score(table(**unknown, employment=[10.0] * 10)).label is Trajectory.DECLINE

    def test_ties_that_are_all_gone_have_dissolved(self) -> None:
        gone = table(mne_turnover_share=0.9, trust=[math.nan] * 10, degree=[0.0] * 10)
        assert score(gone).route_takeover == 1.0

    def test_who_learns_nothing_outside_is_not_global_as_a_system(self) -> None:
        strong = {"participation": 0.9, "agency_capability": 0.9, "phase_coverage": 1.0}
        assert score(table(**strong, collective_inflow_share=math.nan)).collective_entrepreneurship == 0.0
        assert score(table(**strong, collective_inflow_share=0.9)).label is Trajectory.COLLECTIVE_ENTREPRENEURSHIP

    def test_ratios_to_nothing(self) -> None:
        assert math.isnan(score(table(employment=0.0, value_added_local=0.0)).retained)
        assert score(table(employment=0.0, value_added_local=[60.0] * 10)).retained == 0.75
        assert (
            score(table(absorptive_capacity=0.0, technology_mean=[2.0] * 10, newest_share=0.0)).learning_region == 0.0
        )

    def test_recovery(self) -> None:
        assert math.isnan(recovery_time(table(value_added_local=0.0)))
        assert recovery_time(table(wage=[math.nan] * 10), "wage") != 0.0


class TestStatistics:
    def test_pairs_with_both(self) -> None:
        a, b = pd.Series([1.0, 2.0, math.nan, 4.0]), pd.Series([2.0, math.nan, 3.0, 6.0])
        found = paired(a, b)
        assert (found["n"], found["counterfactual"], found["mean"]) == (2, 2.5, 4.0)

    def test_shares_of_labels_are_of_the_runs_that_have_one(self) -> None:
        labels = pd.Series(["decline", None, "decline", "fragmentation"], dtype=object)
        found = trajectory_shares({"a": labels, "b": pd.Series([None, None], dtype=object)}).set_index(
            ["cell", "trajectory"]
        )
        assert tuple(found.loc[("a", "decline"), ["count", "n", "share"]]) == (2, 3, 2 / 3)
        assert found.loc[("b", "decline"), "n"] == 0
        assert math.isnan(found.loc[("b", "decline"), "share"])
        assert transitions(labels, labels).to_numpy().sum() == 3

    def test_words(self) -> None:
        assert [write(math.nan, 1) for write in (number, percent, points, significant)] == ["–"] * 4
        assert change(record_of("wage"), 1.0, math.nan) == "–"


class TestTheInputs:
    def test_a_district_that_dies(self, file: Callable[[dict[str, Any]], Path], tmp_path: Path) -> None:
        """`tiny_declining.yaml`: dead districts do not count as wages, Ginis and trust of zero."""
        two = (str(file(TINY)), "classroom")
        experiment = Experiment(name="tiny", scenarios=two, replications=12)
        run_experiment(experiment, tmp_path / "out", workers=1)
        results = Results(tmp_path / "out")
        runs = results.runs[results.runs["point"] == 0]
        dead = runs["firms"] == 0.0
        assert 0 < dead.sum() < 12
        assert (runs.loc[dead, "trajectory"] == "decline").all()
        assert runs.loc[dead, ["wage", "gini", "trust", "productivity"]].isna().all().all()
        assert runs["wage"].mean() == pytest.approx(runs.loc[~dead, "wage"].mean(), rel=1e-12)
        assert runs["wage"].mean() > 6.5
        found = compare(results.runs, ["gini", "employment"]).differences.set_index("outcome")
        assert found.loc["gini", "n"] <= (~dead).sum() < found.loc["employment", "n"] == 12
        results.export("dta", tmp_path / "runs.dta")
        assert pd.read_stata(tmp_path / "runs.dta")["wage"].isna().sum() == dead.sum()
        results.export("csv", tmp_path / "runs.csv")
        notes = pd.read_csv(tmp_path / "runs.columns.csv").set_index("column")["description"]
        assert notes["wage"] == "Wages paid per employee and quarter; missing with no employees"
        assert results.summary().loc[0, "runs"] == 12

    def test_a_district_that_knows_nothing(self, file: Callable[[dict[str, Any]], Path]) -> None:
        """`nothing_known.yaml`: numbers where zero is meant, valid JSON, and a label that has its reasons."""
        run = simulate(load_scenario(file(NOTHING_KNOWN)), 3)
        for row in run.table:
            check_indicators(row)
        last = run.indicators.iloc[-1]
        assert (last["quality"], last["absorptive_capacity"], last["tacit_mean"]) == (0.0, 0.0, 0.0)
        assert last["employment"] > 0.0
        told = json.loads(json.dumps(run.summary(), allow_nan=False))
        assert told["indicators"]["global_inflow_share"] is None
        assert run.trajectory is None or all(math.isfinite(run.scores.of(future)) for future in list(Trajectory)[:4])

    def test_much_training(self, file: Callable[[dict[str, Any]], Path]) -> None:
        """`much_training.yaml`: shares stay shares."""
        run = simulate(load_scenario(file(MUCH_TRAINING)), 3)
        assert 0.9 < run.indicators["education"].max() <= 1.0
        assert run.end.firms["education"].between(0.0, 1.0).all()
        for row in run.table:
            check_indicators(row)


GROWING: dict[str, dict[str, float]] = {
    "firms": {"count": 30},
    "market": {"wage": 0.5, "overhead": 0.0},
    "demography": {"entry": 1.0, "normal_margin": -1.0, "exit": 0.0, "exit_young": 0.0, "credit": 40.0},
}


class TestWithoutBound:
    """A district that would grow for ever ends, says so, and keeps what was done."""

    def test_a_run(self) -> None:
        scenario = Scenario.model_validate({**GROWING, "run": {"quarters": 60}})
        run = simulate(scenario, 1)
        assert 2 < len(run.table) < 60
        assert "outgrown" in run.ended
        assert run.indicators["firms"].iloc[-2] <= 20_000 < run.indicators["firms"].iloc[-1] == len(run.end.firms)
        assert run.summary()["complete"] is False
        shorter = simulate(scenario, 1, len(run.table))
        assert shorter.ended == ""
        np.testing.assert_array_equal(shorter.table, run.table)

    def test_a_sweep(self, tmp_path: Path) -> None:
        fixed = {f"{of}.{name}": [value] for of, given in GROWING.items() for name, value in given.items()}
        vary = {**fixed, "demography.entry": [0.0, 1.0]}
        experiment = Experiment.model_validate({"scenarios": ["classroom"], "vary": vary, "replications": 1})
        run_experiment(experiment, tmp_path / "out", workers=1)
        runs = Results(tmp_path / "out").runs
        assert list(runs["status"]) == ["done", "stopped"]
        assert runs.loc[1, "firms"] > 20_000
        assert runs.loc[1, "quarters"] < runs.loc[0, "quarters"]

    def test_a_mesa_model(self) -> None:
        from district_sim import District

        district = District(Scenario.model_validate({**GROWING, "run": {"quarters": 60}}), seed=1)
        while district.running:
            district.step()
        done = district.quarter
        assert "outgrown" in district.ended
        with pytest.raises(RuntimeError, match="outgrown"):
            district.step()
        assert district.quarter == done < 60

    def test_the_command(
        self, file: Callable[[dict[str, Any]], Path], call: Callable[..., Any], tmp_path: Path
    ) -> None:
        given = str(file({**GROWING, "run": {"quarters": 60}}))
        done = call("run", given, "--seed", "1", "--out", "out")
        assert done.exit_code == 0
        assert "outgrown all bounds" in done.stderr
        assert "dashboard.png" in done.output
        told = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
        assert not told["complete"]
        assert told["ended"] in done.stderr
        assert Run.load(tmp_path / "out").ended == told["ended"]

    def test_the_page(self) -> None:
        pytest.importorskip("solara")
        from district_sim.app.course import Course, Source
        from district_sim.app.desk import Desk

        desk = Desk("")
        desk.simulation.load(Course(Source("mine.yaml", yaml.safe_dump({**GROWING, "run": {"quarters": 60}})), seed=1))
        assert not desk.simulation.done
        assert desk.step(60)
        assert desk.simulation.done
        assert "outgrown all bounds" in desk.says.value[1]
        done = desk.simulation.quarter
        assert 2 < done < 60
        assert desk.step(1)
        assert desk.simulation.quarter == done
