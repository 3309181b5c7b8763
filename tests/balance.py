"""What must hold after every quarter: balance of money, people, firms and ties, and the range of everything."""

from collections.abc import Iterable

import numpy as np
import pytest

from district_sim.model.state import AGENCY, EMPLOYED, FIRMS, State
from district_sim.scenario.indicators import INDICATORS

SHARES = ("education", "experience", "it", "identity", "collaboration", "absorptive", "client_share", "offshored")
NOT_NEGATIVE = ("tacit", "codified", "employees", "sales", "reach", "quality", "research", "wage", "grant", "voucher")

SIGNED = ("value_added", "value_added_local", "productivity", "profit_share", "conduct_offshoring")
"""Indicators that may be negative: losses; leaning to the district."""
UNBOUNDED = ("profit_share", "agency_fund_share")
"""Shares of value added that may exceed it: contributions follow the quarter before."""
INDICES = (
    *("gini", "hhi_control", "order_centralisation", "clustering", "trust", "identity", "reproduction"),
    *("absorptive_capacity", "education", "agency_capability", "brand"),
)
"""Without unit, and within [0, 1] as shares are."""


def check_money(state: State) -> None:
    """What leaves one account enters another, and the accounts are those of firms and agency.

    The tolerances are shares of the largest account: what is added up there in a run is rounded each time, by about
    1e-16 of it. Of the draws of `tests.extremes` the largest such errors are about 1e-13. A payment that is booked on
    one side only is larger than the tolerances by many powers of ten.
    """
    money, alive = state.accounts.money, state.firms.alive
    scale = max(1.0, np.abs(money).max())
    assert abs(money.sum()) < max(1e-9, 1e-10 * scale)  # a millionth of a euro: where all closed, little is left
    assert abs(money[FIRMS] - state.firms.cash[alive].sum()) < 1e-9 * scale
    assert abs(money[AGENCY] - state.agency.fund[0]) < 1e-9 * scale
    assert not state.firms.cash[~alive].any()


def check_people(state: State, total: float) -> None:
    people = state.accounts.people
    scale = max(total, np.abs(people).max())
    assert abs(people.sum() - total) < 1e-10 * scale
    # The account keeps the rounding of all that passed through it: four may be left of hundreds of thousands.
    employed = state.firms.employees[state.firms.alive].sum()
    assert people[EMPLOYED] == pytest.approx(employed, rel=1e-10, abs=1e-13 * scale)
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
    assert not strength[node < 0].any()
    assert not (node[~alive[:rows]] >= 0).any()
    assert np.isfinite(state.world.wage[0])
    assert state.world.wage[0] > 0.0


def check_indicators(row: Iterable[float]) -> None:
    """A quarter's indicators: finite, or NaN where the indicator may be undefined; shares are shares."""
    for indicator, value in zip(INDICATORS, row, strict=True):
        if np.isnan(value):
            assert indicator.undefined, indicator.name
            continue
        assert np.isfinite(value), indicator.name
        if indicator.name not in SIGNED:
            assert value >= 0.0, indicator.name
        if (indicator.unit == "share" and indicator.name not in UNBOUNDED) or indicator.name in INDICES:
            assert value <= 1.0 + 1e-9, indicator.name


def check_all(state: State, people: float, before: np.ndarray, row: Iterable[float]) -> None:
    """After a quarter: `people` in all, `before` who was alive, `row` the quarter's indicators."""
    check_money(state)
    check_people(state, people)
    check_ties(state)
    check_firms(state, before)
    check_ranges(state)
    check_indicators(row)
