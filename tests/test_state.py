"""The state's arrays: growth, copies, rows for life."""

from typing import Any

import numpy as np
import pytest
from balance import check_indicators

from district_sim import Scenario, load_scenario
from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.model.state import AGENCY, FIRMS, SELF_OWNED, State, copied, empty_row, fitted, grown
from district_sim.run.run import advance
from district_sim.scenario.indicators import NAMES

SMALL = ["firms.count=40", "firms.settling=4", "demography.entry=0.05", "demography.exit=0.05"]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("baseline", SMALL)


@pytest.fixture
def state(scenario: Scenario) -> State:
    return initial_state(parameters_of(scenario), 1, 20)


def arrays(state: State) -> list[np.ndarray]:
    """All arrays of a state, those of its parts in turn; working space left out."""
    parts = [part if isinstance(part, tuple) else (part,) for part in state[:-1]]
    return [np.asarray(array) for part in parts for array in part]


def flat(part: Any) -> list[np.ndarray]:
    """All arrays of a part and of its parts."""
    return [array for item in part for array in flat(item)] if isinstance(part, tuple) else [part]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    names = a.dtype.names
    return all(np.array_equal(a[name], b[name]) for name in names) if names else np.array_equal(a, b)


def test_growth_keeps_every_row_in_place(state: State) -> None:
    size = state.firms.size
    more = grown(state, 3 * size)
    assert more.firms.size == more.ties.size == more.pipelines.size == 3 * size
    assert len(more.scratch.shown) == len(more.scratch.value) == 3 * size
    rows = int(state.clock.rows[0])
    for old, new in zip(arrays(state), arrays(more), strict=True):
        used = slice(rows) if len(old) == size else slice(None)
        assert same(old[used], new[used])


def test_new_rows_are_empty(state: State) -> None:
    size, row = state.firms.size, state.firms.size + 3
    new = grown(state, 2 * size)
    assert not new.firms.alive[size:].any()
    assert not new.firms.cash[size:].any()
    empty_row(row, new.firms, new.ties, new.pipelines)
    assert new.firms[row].owner == SELF_OWNED
    assert new.firms[row].captor == new.firms[row].main_client == new.firms[row].parent == -1
    assert (new.ties[row].partner == -1).all()
    assert (new.pipelines[row].node == -1).all()


def test_records_begin_and_stay_within_cache_lines(state: State) -> None:
    """Partners look up one line of what a firm shows, and find what its neighbours need in the first of its record."""
    for part in (state.firms, state.scratch.shown):
        assert part.ctypes.data % 64 == 0
    assert state.scratch.shown.itemsize == 64
    assert state.firms.dtype.fields["offshored"][1] + 8 <= 64


def test_a_copy_shares_nothing(state: State) -> None:
    copy = copied(state)
    for old, new in zip(arrays(state), arrays(copy), strict=True):
        assert same(old, new)
        assert not np.shares_memory(old, new)
    for old, new in zip(flat(state.scratch), flat(copy.scratch), strict=True):
        assert not np.shares_memory(old, new)


@pytest.mark.parametrize("spare", [0, 1000])
def test_room_does_not_change_results(scenario: Scenario, spare: int) -> None:
    """Whether and when the arrays grow must not be seen in any number."""
    p = parameters_of(scenario)
    plain, tight = initial_state(p, 3, 20), initial_state(p, 3, 20)
    tight = tight._replace(firms=tight.firms[:64], ties=tight.ties[:64], pipelines=tight.pipelines[:64])
    tight = grown(tight, 64 + spare)
    tables = [np.zeros((20, len(NAMES))) for _ in range(2)]
    plain = advance(plain, p, tables[0], 0, 20)
    tight = advance(tight, p, tables[1], 0, 20)
    np.testing.assert_array_equal(tables[0], tables[1])
    n = int(plain.clock.rows[0])
    assert same(np.asarray(plain.firms[:n]), np.asarray(tight.firms[:n]))
    assert n > 40  # firms were born, so rows were needed


def contests(*names: str) -> list[str]:
    """Changes of a scenario: cluster contests of these names."""
    items = ", ".join(f"{{name: {name}, kind: cluster_contest, start: 0, budget: 5.0}}" for name in names)
    return [*SMALL, f"policies=[{items}]"]


def test_other_policies_may_follow_in_one_run(state: State) -> None:
    """Advancing goes on under any number of policies, and the district stays what it was."""
    table = np.zeros((12, len(NAMES)))
    for k, names in enumerate(((), ("one", "two", "three"), ("one",), ())):
        p = parameters_of(load_scenario("baseline", contests(*names)))
        alive, cash = state.firms.alive.copy(), state.accounts.money[FIRMS]
        ready = fitted(state, p)
        assert ready.instruments.size == len(names)
        np.testing.assert_array_equal(ready.firms.alive, alive)
        assert ready.accounts.money[FIRMS] == cash
        state = advance(state, p, table, 3 * k, 3 * k + 3)
        assert state.instruments.size == len(names)
        assert state.clock.step[0] == 3 * k + 3
        assert state.accounts.money[AGENCY] == pytest.approx(state.agency.fund[0], abs=1e-6)
    for row in table:
        check_indicators(row)
    assert table[:, NAMES.index("firms")].min() > 0.0


def test_advancing_under_the_same_policies_keeps_their_awards(state: State) -> None:
    p = parameters_of(load_scenario("baseline", contests("one")))
    state = fitted(state, p)
    state.instruments.award = 7.0
    assert fitted(state, p).instruments.award[0] == 7.0


@pytest.mark.parametrize("change", ["technology.domains=12", "technology.phases=4", "ties.maximum=8"])
def test_other_dimensions_are_refused(state: State, change: str) -> None:
    """Memory is laid out for the first scenario's dimensions; anything else would be read wrongly."""
    other = parameters_of(load_scenario("baseline", [*SMALL, change]))
    before = copied(state)
    with pytest.raises(ValueError, match="than the state"):
        advance(state, other, np.zeros((1, len(NAMES))), 0, 1)
    assert all(same(a, b) for a, b in zip(arrays(state), arrays(before), strict=True))


def test_a_world_without_the_firms_technology_is_refused(state: State) -> None:
    """Firms cannot work on a technology that the parameters do not know."""
    fewer = parameters_of(load_scenario("baseline", [*SMALL, "technology.count=2"]))
    state.firms.technology[3] = 2
    with pytest.raises(ValueError, match="technologies"):
        advance(state, fewer, np.zeros((1, len(NAMES))), 0, 1)


def test_rows_are_for_life(scenario: Scenario) -> None:
    """A row keeps its firm's identity and date of foundation, a closed firm's row is never used again."""
    p = parameters_of(scenario)
    state = initial_state(p, 3, 20)
    table = np.zeros((20, len(NAMES)))
    for t in range(20):
        before = copied(state)
        state = advance(state, p, table, t, t + 1)
        n = int(before.clock.rows[0])
        for name in ("key", "founded", "parent"):
            np.testing.assert_array_equal(state.firms[name][:n], before.firms[name][:n])
        assert not (state.firms.alive[:n] & ~before.firms.alive[:n]).any()
    n = int(state.clock.rows[0])
    assert len(np.unique(state.firms.key[:n])) == n
    assert 0 < (~state.firms.alive[:n]).sum() < n
