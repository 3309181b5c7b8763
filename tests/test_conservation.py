"""What must balance after every quarter, in every situation: money, people, firms, ties, and the range of shares."""

from typing import Any

import numpy as np
import pytest
from balance import check_all, check_money, check_people, check_ties
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import cases

from district_sim.model.initial import initial_state
from district_sim.model.state import PUBLIC, TALLY, TAXES, grown
from district_sim.run.run import advance
from district_sim.scenario.indicators import NAMES


@pytest.mark.parametrize("situation", cases.SITUATIONS)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**64 - 1))
def test_everything_balances_after_every_quarter(situation: str, seed: int) -> None:
    p = cases.parameters(situation)
    state = grown(initial_state(p, seed, 20), 2000)
    people = float(state.accounts.people.sum())
    check_money(state)
    check_people(state, people)
    check_ties(state)
    for _ in range(16):
        before = state.firms.alive.copy()
        state, row = cases.quarter(state, p)
        if not state.firms.alive.any():
            break
        check_all(state, people, before, row.values())
        assert row["firms"] == state.firms.alive.sum()
        pipelines = state.pipelines[: state.clock.rows[0]]
        np.testing.assert_array_equal(pipelines.strength > 0.0, pipelines.node >= 0)


ALL = cases.instruments()
CONTEST = next(item for item in ALL if item["kind"] == "cluster_contest")
SWITCHES: tuple[list[dict[str, Any]], ...] = ([], ALL, ALL[:5], ALL[5:], [{**CONTEST, "budget": 500.0}], ALL[::-1], [])


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**64 - 1), order=st.permutations(SWITCHES))
def test_everything_balances_when_policies_follow_one_another(seed: int, order: list[list[dict[str, Any]]]) -> None:
    """Programmes begin, end and replace one another in the middle of a run; nothing is lost with the old ones."""
    situation = ("collective", "hierarchical", "restless")[seed % 3]
    state = initial_state(cases.parameters(situation), seed, 20)
    people, start = float(state.accounts.people.sum()), int(state.clock.step[0])
    row = np.zeros((1, len(NAMES)))
    for policies in order:
        p = cases.parameters(situation, policies=policies)
        for _ in range(3):
            before, public = state.firms.alive.copy(), float(state.accounts.money[PUBLIC])
            state = advance(state, p, row, 0, 1)
            if not state.firms.alive.any():
                return
            before = np.concatenate([before, np.zeros(state.firms.size - before.size, bool)])
            check_all(state, people, before, row[0])
            # The public account changes by taxes and by what the programmes of this very quarter report.
            assert state.instruments.size == len(policies)
            paid = state.tally[TAXES] - state.instruments.spent.sum()
            assert state.accounts.money[PUBLIC] - public == pytest.approx(paid, abs=1e-6)
            assert (state.instruments.spent >= 0.0).all()
            assert (state.instruments.unspent >= -1e-6).all()
    assert state.clock.step[0] == start + 3 * len(order)


def test_the_situations_are_eventful() -> None:
    """The checks above and the comparison with the twins mean little if nothing happens in these districts."""
    seen = np.zeros(len(TALLY))
    for situation in cases.SITUATIONS:
        p, state = cases.parameters(situation), cases.district(situation, 1, 0)
        state = grown(state, 2000)
        captives = 0
        for _ in range(16):
            state, _ = cases.quarter(state, p)
            seen += state.tally
            captives += int((state.firms.captor >= 0).sum())
        if situation == "hierarchical":
            assert captives > 0
        if situation == "supported":
            assert state.instruments.spent.astype(bool).sum() >= 10
    events = dict(zip(TALLY, seen, strict=True))
    del events["overflow"]
    assert all(count > 0 for count in events.values()), events
