"""What must balance after every quarter, in every situation: money, people, firms, ties, and the range of shares."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import cases

from district_sim.model.indicators import NAMES
from district_sim.model.initial import initial_state
from district_sim.model.state import AGENCY, EMPLOYED, FIRMS, PUBLIC, TALLY, TAXES, State, grown
from district_sim.run.run import advance

SHARES = ("education", "experience", "it", "identity", "collaboration", "absorptive", "client_share", "offshored")
NOT_NEGATIVE = ("tacit", "codified", "employees", "sales", "reach", "quality", "research", "wage", "grant", "voucher")


def check_money(state: State) -> None:
    money, alive = state.accounts.money, state.firms.alive
    scale = max(1.0, np.abs(money).max())
    assert abs(money.sum()) < 1e-10 * scale
    assert abs(money[FIRMS] - state.firms.cash[alive].sum()) < 1e-9 * scale
    assert abs(money[AGENCY] - state.agency.fund[0]) < 1e-9 * scale
    assert not state.firms.cash[~alive].any()


def check_people(state: State, total: float) -> None:
    people = state.accounts.people
    assert people.sum() == pytest.approx(total, rel=1e-10)
    assert people[EMPLOYED] == pytest.approx(state.firms.employees[state.firms.alive].sum(), rel=1e-10)
    assert people[1] >= -1e-9
    assert not state.firms.employees[~state.firms.alive].any()


def check_ties(state: State) -> None:
    """Every tie stands on both sides, alike, between two different living firms, once."""
    rows = int(state.clock.rows[0])
    partner, alive = state.ties.partner[:rows], state.firms.alive[:rows]
    i, m = np.nonzero(partner >= 0)
    j, b = partner[i, m], state.ties.mirror[i, m]
    assert (i != j).all()
    assert alive[i].all()
    assert alive[j].all()
    np.testing.assert_array_equal(partner[j, b], i)
    np.testing.assert_array_equal(state.ties.mirror[j, b], m)
    for column in ("trust", "age"):
        np.testing.assert_array_equal(state.ties[column][i, m], state.ties[column][j, b])
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == i.size
    trust = state.ties.trust[:rows]
    assert ((trust >= 0.0) & (trust <= 1.0)).all()
    assert not trust[partner < 0].any()
    assert (state.orders.paid >= 0.0).all()


def check_firms(state: State, before: np.ndarray) -> None:
    alive = state.firms.alive
    entries, exits = state.tally[0], state.tally[1]
    assert alive.sum() == before.sum() + entries - exits
    rows = int(state.clock.rows[0])
    assert not alive[rows:].any()
    assert not (alive[: before.size] & ~before)[: rows - int(entries)].any()  # nobody rises from the dead
    owners = state.firms.owner[alive]
    assert alive[owners[owners >= 0]].all()
    captors = state.firms.captor[alive]
    assert alive[captors[captors >= 0]].all()
    assert (state.firms.owner[np.flatnonzero(alive)] != np.flatnonzero(alive)).all()


def check_ranges(state: State) -> None:
    alive = state.firms.alive
    for name in state.firms.dtype.names:
        if state.firms[name].dtype.kind == "f":
            assert np.isfinite(state.firms[name]).all(), name
    for name in SHARES:
        column = state.firms[name][alive]
        assert ((column >= 0.0) & (column <= 1.0 + 1e-12)).all(), name
    for name in NOT_NEGATIVE:
        assert (state.firms[name][alive] >= 0.0).all(), name
    for name in ("capability", "brand", "effect", "pipelines", "participation", "incumbents", "credibility"):
        assert ((state.agency[name] >= 0.0) & (state.agency[name] <= 1.0 + 1e-12)).all(), name
    rows = int(state.clock.rows[0])
    strength, node = state.pipelines.strength[:rows], state.pipelines.node[:rows]
    assert ((strength >= 0.0) & (strength <= 1.0)).all()
    np.testing.assert_array_equal(strength > 0.0, node >= 0)
    assert not (node[~alive[:rows]] >= 0).any()
    assert np.isfinite(state.world.wage[0])
    assert state.world.wage[0] > 0.0


def check_all(state: State, people: float, before: np.ndarray, row: Iterable[float]) -> None:
    """After a quarter: `people` in all, `before` who was alive, `row` the quarter's indicators."""
    check_money(state)
    check_people(state, people)
    check_ties(state)
    check_firms(state, before)
    check_ranges(state)
    assert np.isfinite(list(row)).all()


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
