"""Policies that wait: what a signpost means, what it never does, and that nothing else changes by it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from naive import cases
from sweeps import run_here, tiny
from typer.testing import Result

from district_sim import District
from district_sim.experiments import Results
from district_sim.experiments.compare import moved
from district_sim.experiments.costs import budget_value, equalised, windows_of
from district_sim.model.parameters import parameters_of
from district_sim.model.signposts import watch
from district_sim.model.state import copied
from district_sim.run.run import MOVED, Run, advance, moves, policy_totals, simulate
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.indicators import INDICATORS, NAMES
from district_sim.scenario.interventions import Signpost

ALWAYS = {"indicator": "firms", "above": 0}
NEVER = {"indicator": "firms", "above": 1e6}


def scenario(*when: dict[str, Any], quarters: int = 12, **fields: Any) -> Any:
    item = {"name": "it", "kind": "rd_subsidy", "budget": 10.0, "start": 0, **fields, "when": list(when)}
    levers = {"firms.count": 30, "firms.settling": 4, "policies": [item], "strategy_start": 0, "run.quarters": quarters}
    return load_scenario("baseline", levers)


def run(*when: dict[str, Any], **fields: Any) -> Run:
    return simulate(scenario(*when, **fields), 5)


def offered(result: Run) -> list[float]:
    return (result.policies["spent"] + result.policies["left_over"]).round(9).tolist()


class TestMeaning:
    def test_it_starts_in_the_quarter_after_as_many_as_it_waits_for(self) -> None:
        told = run({**ALWAYS, "quarters": 3, "then": "start"})
        assert offered(told) == [0.0] * 3 + [10.0] * 9
        assert told.policies["started"].tolist() == [0.0] * 3 + [1.0] + [0.0] * 8

    def test_it_is_what_it_would_be_with_that_start(self) -> None:
        """Waiting itself changes nothing: not a bit differs from the same instrument with that window."""
        waited = run({**ALWAYS, "quarters": 3, "then": "start"}, {**ALWAYS, "quarters": 7, "then": "stop"})
        timed = run(start=3, end=7)
        np.testing.assert_array_equal(waited.table, timed.table)

    def test_one_that_never_comes_leaves_the_run_as_it_is(self) -> None:
        others = [{**NEVER, "then": "stop"}, {**NEVER, "then": "budget", "budget": 1.0}]
        np.testing.assert_array_equal(run(*others).table, run().table)
        np.testing.assert_array_equal(run({**NEVER, "then": "start"}).table, run(budget=0.0).table)

    def test_to_stop_is_stronger_and_to_start_works_again(self) -> None:
        """Stopped while both hold; once the stop no longer holds, what starts it does."""
        first = run()  # without signposts: where to lay lines
        births = first.indicators["entries"].to_numpy()
        told = run({**ALWAYS, "then": "start"}, {"indicator": "entries", "above": 0, "then": "stop"})
        acts = np.array(offered(told)) > 0.0
        seen = told.indicators["entries"].to_numpy()
        assert 0 < (births > 0.0).sum() < 12
        assert acts.tolist() == [False, *(seen[:-1] == 0.0).tolist()]
        assert told.policies["started"].sum() == (np.diff(acts.astype(int)) == 1).sum() > 1
        assert told.policies["stopped"].sum() == (np.diff(acts.astype(int)) == -1).sum() > 0

    def test_a_budget_stays_and_the_last_that_holds_decides(self) -> None:
        told = run(
            {**ALWAYS, "quarters": 2, "then": "budget", "budget": 4.0},
            {**ALWAYS, "quarters": 5, "then": "budget", "budget": 7.0},
        )
        assert offered(told) == [10.0] * 2 + [4.0] * 3 + [7.0] * 7
        assert told.policies["changed"].sum() == 2.0

    def test_a_share_of_turnover_can_be_given_and_the_rest_is_its_own(self) -> None:
        told = run({**ALWAYS, "quarters": 1, "then": "budget", "budget_share": 0.01})
        before = told.indicators["turnover"].to_numpy()[:-1]
        np.testing.assert_allclose(offered(told)[1:], 10.0 + 0.01 * before, rtol=1e-6)

    def test_it_acts_within_its_window_only_and_counts_before_it(self) -> None:
        told = run({**ALWAYS, "quarters": 2, "then": "start"}, start=6, end=9)
        assert offered(told) == [0.0] * 6 + [10.0] * 3 + [0.0] * 3
        assert told.policies["started"].tolist().index(1.0) == 6

    def test_what_is_undefined_is_beyond_no_line(self) -> None:
        state, p = cases.district("waiting"), cases.parameters("waiting")
        streak = state.instruments.streak.copy()
        watch(state.instruments, p.policies, np.full(len(NAMES), np.nan))
        assert streak.any()
        assert not state.instruments.streak.any()
        silent = load_scenario("baseline", {"mechanisms.collective_agency": False}).mechanisms
        assert not silent.collective_agency
        for side in ("above", "below"):
            line = {"indicator": "leverage", side: 0.0 if side == "above" else 1.0, "then": "start"}
            levers = {"policies": [{"name": "it", "kind": "rd_subsidy", "budget": 10.0, "start": 0, "when": [line]}]}
            levers |= {"firms.count": 30, "firms.settling": 4, "mechanisms.collective_agency": False}
            told = simulate(load_scenario("baseline", levers), 5, quarters=6)
            assert told.indicators["leverage"].isna().all()
            assert not any(offered(told))

    @pytest.mark.parametrize("indicator", INDICATORS, ids=lambda record: record.name)
    def test_every_indicator_is_read_from_its_own_column(self, indicator: Any) -> None:
        low, high = indicator.bounds
        line = max(low, 0.0) if high > 1.0 else 0.5
        post = {"indicator": indicator.name, "above": line, "then": "stop"}
        p = cases.parameters("calm", policies=[{"name": "it", "kind": "rd_subsidy", "budget": 1.0, "when": [post]}])
        state, row = copied(cases.district("calm")), np.full(len(NAMES), np.nan)
        state = state._replace(instruments=cases.fitted(state, p).instruments)
        row[NAMES.index(indicator.name)] = line + 0.1
        watch(state.instruments, p.policies, row)
        assert state.instruments.streak[0, 0] == 1


class TestSameBits:
    WHEN = ({**ALWAYS, "quarters": 3, "then": "start"}, {"indicator": "entries", "above": 0, "then": "stop"})

    def test_in_pieces_and_without_a_table(self) -> None:
        p = parameters_of(scenario(*self.WHEN))
        whole = District(scenario(*self.WHEN), rng=5)
        pieces, blind = copied(whole.state), copied(whole.state)
        for _ in range(12):
            whole.step()
        table = np.full((12, len(NAMES)), np.nan)
        for start, stop in ((0, 1), (1, 5), (5, 12)):
            pieces = advance(pieces, p, table, start, stop)
        np.testing.assert_array_equal(table, whole.indicators.to_numpy())
        blind = advance(blind, p, np.empty((1, 0)), 0, 12)
        for state in (pieces, blind):
            cases.assert_same_state(state, whole.state, exact=True)

    def test_copied_and_looked_at(self) -> None:
        one = District(scenario(*self.WHEN), rng=5)
        for _ in range(5):
            one.step()
        other = copy.deepcopy(one)
        for _ in range(7):
            one.step()
            other.step()
            assert [agent.unique_id for agent in other.agents]
        np.testing.assert_array_equal(one.indicators, other.indicators)
        np.testing.assert_array_equal(one.indicators, run(*self.WHEN).table)

    def test_an_intervention_keeps_what_has_been_counted(self) -> None:
        """The same policies laid on again in the middle: nothing begins anew."""
        one = District(scenario(*self.WHEN), rng=5)
        for _ in range(6):
            one.step()
        one.intervene(one.scenario_in_force)
        for _ in range(6):
            one.step()
        np.testing.assert_array_equal(one.indicators, run(*self.WHEN).table)


REFUSED = {
    "unemploymnt": ({"indicator": "unemploymnt", "above": 0.1, "then": "start"}, "did you mean 'unemployment'"),
    "beyond its range": ({"indicator": "unemployment", "above": 12, "then": "start"}, "between 0 and 1, so this never"),
    "at its end": ({"indicator": "trust", "above": 1, "then": "start"}, "between 0 and 1, so this never comes"),
    "below nothing": ({"indicator": "firms", "below": 0, "then": "start"}, "at least 0, so this never comes"),
    "no quarters": ({**ALWAYS, "quarters": 0, "then": "start"}, "quarters"),
    "no line": ({"indicator": "firms", "then": "start"}, "needs one line"),
    "two lines": ({"indicator": "firms", "above": 1, "below": 9, "then": "start"}, "needs one line"),
    "no number": ({"indicator": "firms", "above": float("nan"), "then": "start"}, "finite"),
    "no budget": ({**ALWAYS, "then": "budget"}, "needs the budget"),
    "a budget too many": ({**ALWAYS, "then": "stop", "budget": 3}, "budget and budget_share are for then: budget"),
    "no such action": ({**ALWAYS, "then": "begin"}, "start"),
}


@pytest.mark.parametrize(("given", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario(given)


def test_a_file_is_refused_with_its_line(small_folder: Path, call: Callable[..., Result]) -> None:
    lines = ["policies:", "  - name: it", "    kind: rd_subsidy", "    when:"]
    lines.append("      - {indicator: unemployment, above: 12, then: start}")
    Path("mine.yaml").write_text("\n".join(lines))
    told = call("run", "small.yaml", "--policy", "mine.yaml")
    assert told.exit_code == 2
    assert "mine.yaml:5: policies.0.when.0: above = 12" in told.stderr.replace("\n", " ")


class TestTold:
    def test_run_tells_when_and_how_often(self, small_folder: Path, call: Callable[..., Result]) -> None:
        post = "{indicator: firms, above: 0, quarters: 3, then: start}"
        text = f"title: Later\npolicies:\n  - {{name: later, kind: rd_subsidy, budget: 9, start: 0, when: [{post}]}}\n"
        Path("later.yaml").write_text(text)
        told = call("run", "small.yaml", "--set", "run.start=2002", "--policy", "later.yaml", "--out", "out")
        assert told.exit_code == 0, told.stderr
        assert "later" in told.stdout
        assert "2002Q4" in told.stdout
        summary = json.loads(Path("out/run.json").read_text())
        moved = {"quarter": 4, "date": "2002Q4", "instrument": "later", "move": "started"}
        assert summary["signposts"] == [moved]
        assert summary["policies"][0]["started"] == 1
        assert (summary["policies"][0]["first_started"], summary["policies"][0]["first_stopped"]) == (4, None)
        table = pd.read_csv("out/policies.csv")
        assert table.loc[table["started"] == 1, "date"].tolist() == ["2002Q4"]
        assert policy_totals(Run.load("out").policies)["first_started"].tolist() == [4.0]

    def test_moves_come_in_the_order_of_time(self) -> None:
        told = run({**ALWAYS, "quarters": 3, "then": "start"}, {**ALWAYS, "quarters": 7, "then": "stop"})
        found = moves(told.policies, Calendar.of("2002Q3"))
        assert found.to_dict("list") == {
            "quarter": [4, 8], "date": ["2003Q2", "2004Q2"], "instrument": ["it", "it"], "move": ["started", "stopped"],
        }  # fmt: skip

    def test_a_sweep_varies_the_line_and_tells_how_often(self, tmp_path: Path) -> None:
        post = {**ALWAYS, "quarters": 2, "then": "start"}
        mix = [{"name": "later", "kind": "rd_subsidy", "start": 0, "budget": 5.0, "when": [post]}]
        lines = {"policies.0.when.0.above": [0.0, 1e6]}
        e = tiny(tmp_path, policies={"later": mix}, vary=lines, replications=2, keep={"spending": True})
        run_here(e, tmp_path / "out")
        told = Results(tmp_path / "out").spending
        assert told["started"].tolist() == [1.0, 1.0, 0.0, 0.0]
        assert told["first_started"].dropna().tolist() == [3.0, 3.0]
        assert told["spent"].gt(0.0).tolist() == [True, True, False, False]
        found = moved(told, {0: "later"}, {"later": scenario(post).policies})
        assert found.to_dict("records") == [
            {"cell": "later", "instrument": "it", "signpost": "starts when firms is above 0 for 2 quarters"}
            | {"move": "started", "share": 1.0, "times": 1.0}
            | dict.fromkeys(("low", "median", "high"), 3.0)
        ]

    def test_budgets_that_wait_are_not_known_beforehand(self) -> None:
        items = scenario({**ALWAYS, "quarters": 2, "then": "start"}).policies
        assert np.isnan(budget_value(items, 12))
        assert "starts when firms is above 0 for 2 quarters" in windows_of(items, 12, None)
        with pytest.raises(ScenarioError, match="wait for nothing"):
            equalised({"it": items}, 100.0, 12)

    def test_words(self) -> None:
        post = Signpost(indicator="trust", below=0.25, quarters=4, then="budget", budget=1200.0, budget_share=0.01)  # type: ignore[arg-type]
        assert post.words() == "has 1,200 k€ and 1 % of turnover a quarter when trust is below 0.25 for 4 quarters"
        assert MOVED == ("started", "stopped", "changed")
