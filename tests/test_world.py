"""What the world outside means: a ramp, a frontier, rivals who learn, sourcing that gets cheaper."""

from typing import Any

import numpy as np
import pytest
from naive import cases

from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.model.state import State
from district_sim.run.run import simulate
from district_sim.scenario.files import load_scenario


def at(quarter: int, state: State | None = None, **changes: Any) -> State:
    """The world in a quarter."""
    state = state or cases.strangers()
    state.clock.step[0] = quarter
    return cases.run("advance_world", state, cases.parameters("calm", **changes))


def test_globalisation_ramps_from_onset_and_stays() -> None:
    world = {"onset": 10, "ramp": 20, "globalisation": 1.4}
    pressure = [float(at(t, world=world).world.pressure[0]) for t in (0, 10, 20, 30, 500)]
    assert pressure == pytest.approx([0.0, 0.0, 0.7, 1.4, 1.4])


def test_the_product_market_grows_from_the_first_quarter_on() -> None:
    size = [float(at(t, world={"market_growth": 0.01}).world.market[0]) for t in (-1, 0, 1, 50)]
    assert size == pytest.approx([1.0, 1.0, 1.01, 1.01**50])


def test_sourcing_abroad_gets_cheaper_most_for_standard_phases() -> None:
    before, after = at(0).world.price[0], at(1000).world.price[0]
    assert (after[:-1] < before[:-1]).all()
    assert after[-1] == before[-1]
    p = cases.parameters("calm")
    order = np.argsort(p.derived.offshorability[:-1], kind="stable")
    assert (np.diff((before - after)[:-1][order]) >= -1e-12).all()


def test_trajectories_ripen_in_time_and_open_the_frontier() -> None:
    technology = {"first_ripening": 12, "ripening_interval": 10, "count": 3}
    assert [int(at(t, technology=technology).world.newest[0]) for t in (0, 11, 12, 21, 22, 99)] == [0, 0, 1, 1, 2, 2]
    young, old = at(0, technology=technology), at(99, technology=technology)
    assert (old.world.frontier[0] >= young.world.frontier[0]).all()
    assert (old.world.frontier[0] > 1.01 * young.world.frontier[0]).any()


def test_outside_nodes_know_a_share_of_the_frontier() -> None:
    state = at(50)
    share = state.world.node_codified[0] / state.world.frontier[0]
    np.testing.assert_allclose(share, cases.parameters("calm").derived.node_profile)
    assert (share < 1.0 + 1e-12).all()


def test_rivals_adopt_ripe_trajectories_with_a_lag() -> None:
    technology = {"first_ripening": 10, "ripening_interval": 1000, "quality_jump": 0.2}
    world = {"rivals_lag": 8.0, "rivals_reach": 0.5}
    rivals = [float(at(t, technology=technology, world=world).world.rivals[0]) for t in (0, 10, 18, 40, 400)]
    assert rivals[0] == 1.0
    assert rivals == sorted(rivals)
    assert rivals[2] == pytest.approx(1.05)
    assert rivals[-1] == pytest.approx(1.1)


def test_outside_competition_takes_demand() -> None:
    def turnover(pressure: float) -> float:
        state = cases.district()
        state.world.pressure = pressure
        state.world.price = 10.0
        after = cases.run("run_market", state, cases.parameters("calm", world={"competition": 0.5}))
        return float(after.firms.sales[after.firms.phase == 5].sum())

    assert turnover(1.0) < 0.8 * turnover(0.0)


def test_switched_off_the_world_stands_still() -> None:
    state = at(1000, mechanisms={"globalisation": False})
    assert state.world.pressure[0] == 0.0
    assert state.world.rivals[0] == 1.0
    np.testing.assert_array_equal(state.world.price, at(0).world.price)


def test_a_world_that_began_to_change_before_the_run_is_where_it_would_be() -> None:
    base = {"firms.count": 12, "run.quarters": 2, "world.ramp": 60, "world.frontier_growth": 0.004}
    frontier = {}
    for onset, settling in ((-36, 4), (-36, 50), (-36, 0), (40, 4)):
        p = parameters_of(load_scenario("classroom", {**base, "world.onset": onset, "firms.settling": settling}))
        state = initial_state(p, 1, 2)
        frontier[onset, settling] = state.world.frontier[0].copy()
    strength = p.world[0].globalisation
    grown = np.prod([1.0 + 0.004 * strength * (t + 36) / 60 for t in range(-36, 0)])
    for settling in (0, 4, 50):  # whether it settled in those quarters or not
        np.testing.assert_allclose(frontier[-36, settling], grown * frontier[40, 4], rtol=1e-5)
    run = simulate(load_scenario("classroom", {**base, "world.onset": -36, "firms.settling": 4}), seed=1)
    np.testing.assert_allclose(run.indicators["globalisation"], [strength * t / 60 for t in (36, 37)])
