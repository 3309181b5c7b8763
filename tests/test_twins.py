"""The compiled processes agree with their naive twins, process by process and over whole quarters."""

from typing import Any

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import cases

from district_sim.model import schedule
from district_sim.model.parameters import _SWITCHES
from district_sim.model.scratch import TECHNOLOGIES
from district_sim.model.state import State, copied, fitted, owner_code
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.sections import Ownership, Technology

PROCESSES = "district_sim.model.processes."
TWINS = {process.__name__: process for process in naive.PROCESSES}


def agree(process: str, state: State, p: Any) -> State:
    """Run kernel and twin on copies, compare, and return the kernel's result."""
    by_kernel, by_hand = cases.run(process, state, p, adopt=False), copied(state)
    TWINS[process](by_hand, p)
    cases.assert_same_state(by_kernel, by_hand)
    return by_kernel


def test_every_process_has_a_twin_and_is_called_like_all() -> None:
    imported = [getattr(value, "py_func", None) for value in vars(schedule).values()]
    own = [function.__name__ for function in imported if function and function.__module__.startswith(PROCESSES)]
    assert sorted(own) == sorted(TWINS)


def test_every_rate_that_a_switch_sets_to_zero_acts_in_some_situation() -> None:
    """Where a rate is 0 in all of them, kernel and twin agree whatever they do."""
    known = [cases.parameters(situation) for situation in cases.SITUATIONS]
    rates = {(section, field) for fields in _SWITCHES.values() for section, field in fields}
    idle = [f"{section}.{field}" for section, field in rates if not any(getattr(p, section)[field][0] for p in known)]
    assert idle == [], "give it a value in a situation of tests/naive/cases.py"


@pytest.mark.parametrize("situation", cases.SITUATIONS)
@pytest.mark.parametrize(("seed", "quarters"), [(1, 0), (2, 3), (3, 9)])
def test_each_process_agrees_in_its_place(situation: str, seed: int, quarters: int) -> None:
    """Each process from the very state in which it runs within a quarter."""
    p, state = cases.parameters(situation), cases.district(situation, seed, quarters)
    state.tally[:] = 0.0
    for process in TWINS:
        state = agree(process, state, p)
    seen = naive.observe(state, p)
    assert tuple(seen) == NAMES
    np.testing.assert_allclose(list(cases.observed(state, p).values()), list(seen.values()), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("situation", cases.SITUATIONS)
def test_whole_quarters_agree(situation: str) -> None:
    p, compiled = cases.parameters(situation), cases.district(situation, 7, 1)
    by_hand = copied(compiled)
    for _ in range(3):
        compiled, row = cases.quarter(compiled, p)
        by_hand_row = naive.one_quarter(by_hand, p)
        cases.assert_same_state(compiled, by_hand, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(list(row.values()), by_hand_row, rtol=1e-5, atol=1e-6)


def test_whole_quarters_agree_before_the_strategy() -> None:
    p = cases.parameters("supported", strategy_start=4, history={"exploration": 0.9, "sale": 0.9})
    state = cases.district("supported", 5, 3)
    by_hand = copied(state)
    compiled, _ = cases.quarter(state, p, 2)
    for _ in range(2):
        naive.one_quarter(by_hand, p)
    cases.assert_same_state(compiled, by_hand, rtol=1e-5, atol=1e-5)


def test_indicators_agree_with_as_many_multinationals_as_there_may_be() -> None:
    """Sums by company have room of their own: the last one's affiliates count, and no other sum changes."""
    field = Ownership.model_fields["multinationals"]
    most = next(limit.le for limit in field.metadata if hasattr(limit, "le"))
    p = cases.parameters("open", ownership={"multinationals": most})
    state = fitted(cases.district("open", 3, 3), p)
    living = np.flatnonzero(state.firms.alive)
    state.firms.owner[living] = [owner_code(most - 1 - n) for n in range(living.size)]
    row = cases.observed(state, p)
    np.testing.assert_allclose(list(row.values()), list(naive.observe(state, p).values()), rtol=1e-6, atol=1e-9)
    assert np.count_nonzero(state.scratch.companies) == np.count_nonzero(state.firms.sales[living])
    assert row["mne_employment_share"] == 1.0


def test_there_is_room_for_as_many_technologies_as_there_may_be() -> None:
    field = Technology.model_fields["count"]
    assert next(limit.le for limit in field.metadata if hasattr(limit, "le")) == TECHNOLOGIES


SHAKEN = ("trust", "identity", "education", "it", "experience", "collaboration", "absorptive")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), situation=st.sampled_from(sorted(cases.SITUATIONS)), data=st.data())
def test_processes_agree_on_shaken_states(seed: int, situation: str, data: st.DataObject) -> None:
    """States that no run would reach soon: anything may be worth nothing or everything."""
    process = data.draw(st.sampled_from(sorted(TWINS)))
    agree(process, shaken(cases.district(situation, 2, 3), seed), cases.parameters(situation))


def shaken(state: State, seed: int) -> State:
    """A state with its continuous quantities redrawn, extremes included."""
    rng, rows = np.random.default_rng(seed), int(state.clock.rows[0])
    firms = state.firms[:rows]
    for name in SHAKEN[1:]:
        firms[name] = rng.choice([0.0, 1.0, 0.5, rng.random()], rows)
    for name in ("tacit", "codified"):
        firms[name] *= rng.choice([0.0, 0.3, 1.0, 3.0], firms[name].shape)
    firms.profit *= rng.choice([-3.0, 0.0, 1.0, 5.0], rows)
    firms.pledges = firms.alive * rng.integers(0, 2, rows)
    firms.participates = firms.pledges * rng.integers(0, 2, rows)
    firms.offshored = firms.alive * rng.random(rows)
    firms.research = rng.choice([0.0, 1.0, 5.0], rows)
    firms.grant, firms.voucher = rng.random(rows) * firms.alive, rng.choice([0.0, 1.0, 30.0], rows)
    suppliers = firms.alive & (firms.main_client >= 0)
    firms.client_share[suppliers] = rng.random(suppliers.sum())
    for i in range(rows):
        for m, j in enumerate(state.ties[i].partner):
            if j > i:
                trust = rng.choice([0.0, 0.5, 1.0, rng.random()])
                state.ties[i].trust[m] = state.ties[j].trust[state.ties[i].mirror[m]] = trust
    state.agency.capability, state.agency.effect = rng.random(), rng.random(7)
    state.agency.pipelines = rng.random(state.agency.pipelines.shape)
    state.instruments.award = rng.choice([-2, -1, 0, 1, 3], state.instruments.size)
    state.instruments.streak = rng.integers(0, 4, state.instruments.streak.shape)
    state.instruments.switched = rng.integers(-1, 2, state.instruments.size)
    state.instruments.revised = rng.integers(0, 4, state.instruments.size)
    state.policy.technology, state.policy.screening = rng.random(), rng.random()
    state.policy.founders, state.policy.entrants = rng.choice([0.0, 2.5]), rng.random((1, 2)) * 3
    firms.support, firms.excluded = rng.random(rows), rng.random(rows) < 0.3
    return state
