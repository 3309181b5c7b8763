"""What ownership means: multinationals pick the successful and shun the embedded; leaders buy; captives are bound."""

from typing import Any, ClassVar

import numpy as np
import pytest
from naive import cases
from naive.common import living, make_tie, unit_of

from district_sim.model.processes.ownership import takeover_hazard
from district_sim.model.state import (
    ACQUISITIONS,
    DEFENCE,
    DIVESTMENTS,
    EXITS,
    FIRMS,
    HOUSEHOLDS,
    TAKEOVERS,
    WORLD,
    State,
)

A, B, C = 0, 1, 2


def hazard(state: State, success: float = 1.0, **changes: Any) -> float:
    p = cases.parameters("calm", strategy={"sale": 0.5}, **changes)
    return float(
        takeover_hazard(A, state.firms, state.ties, state.agency, state.policy, state.world, success, p, p.strategy[0])
    )


def open_world() -> State:
    state = cases.strangers()
    state.world.pressure = 1.0
    state.tally[:] = 0.0
    return state


class TestTakeover:
    def test_hazard_rises_with_success(self) -> None:
        hazards = [hazard(open_world(), success) for success in (-2.0, -1.0, 0.0, 1.0, 2.0)]
        assert hazards == sorted(hazards)
        assert 0.0 < hazards[0] < 0.1 * hazards[-1]

    def test_hazard_rises_with_globalisation(self) -> None:
        state = open_world()
        strong = hazard(state)
        state.world.pressure = 0.1
        assert hazard(state) == pytest.approx(0.1 * strong)

    def test_hazard_falls_with_embeddedness(self) -> None:
        """Trust and identity together protect; neither alone does."""
        state = open_world()
        state.firms.identity[A] = 1.0
        plain = hazard(state)
        make_tie(state, A, B, 1.0)
        embedded = hazard(state, ownership={"takeover_embeddedness": 0.6})
        assert embedded == pytest.approx(0.4 * plain)
        state.firms.identity[A] = 0.0
        assert hazard(state) == plain

    def test_hazard_falls_with_collective_defence_for_members(self) -> None:
        state = open_world()
        plain = hazard(state)
        state.agency.effect[0, DEFENCE] = 0.9
        assert hazard(state) == plain
        state.firms.participates[A] = state.firms.served[A] = 1.0
        assert hazard(state) < 0.6 * plain

    def test_hazard_falls_with_public_screening(self) -> None:
        state = open_world()
        plain = hazard(state)
        state.policy.screening = 0.75
        assert hazard(state) == pytest.approx(0.25 * plain)
        state.policy.screening = 1.0
        assert hazard(state) == 0.0

    def test_the_successful_are_taken_first(self) -> None:
        p = cases.parameters("calm", ownership={"takeover": 1.0, "takeover_success": 3.0}, strategy={"sale": 0.6})
        taken, left = [], []
        for seed in range(1, 6):
            state = cases.strangers(seed)
            state.world.pressure = 1.0
            after = cases.run("take_over", state, p)
            for i in living(after):
                (taken if after.firms.owner[i] < -1 else left).append(np.log(after.firms.employees[i]))
        assert len(taken) > 20
        assert np.mean(taken) > np.mean(left) + 0.3

    def test_brings_money_capital_and_a_pipeline(self) -> None:
        p = cases.parameters("calm", ownership={"takeover": 1.0}, strategy={"sale": 1.0})
        state = open_world()
        after = cases.run("take_over", state, p)
        taken = after.firms.owner < -1
        assert taken.sum() == after.tally[TAKEOVERS] > 5
        capital = (after.firms.cash - state.firms.cash)[taken]
        np.testing.assert_allclose(
            capital, p.ownership[0].takeover_capital * (state.firms.wage * state.firms.employees)[taken]
        )
        moved = after.accounts.money - state.accounts.money
        assert moved[FIRMS] == pytest.approx(capital.sum())
        assert moved[HOUSEHOLDS] > 0.0
        assert moved[WORLD] == pytest.approx(-moved[FIRMS] - moved[HOUSEHOLDS])
        assert (p.derived.node_kind[after.pipelines.node[taken, 0]] == 1).all()
        assert (after.pipelines.strength[taken, 0] == 1.0).all()

    @pytest.mark.parametrize("changes", [{"mechanisms": {"takeover": False}}, {"strategy": {"sale": 0.0}}])
    def test_without_it_nobody_is_taken_over(self, changes: dict[str, Any]) -> None:
        p = cases.parameters("calm", **cases.merged({"ownership": {"takeover": 1.0}}, changes))
        assert cases.run("take_over", open_world(), p).tally[TAKEOVERS] == 0.0

    def test_a_group_follows_its_leader(self) -> None:
        state = open_world()
        state.firms.owner[B] = A
        state.firms.owner[A] = -3
        assert unit_of(state, B) == -3


class TestDivestment:
    @staticmethod
    def affiliates() -> State:
        state = open_world()
        state.firms.owner[state.firms.alive] = -2
        return state

    def test_managers_buy_out_or_the_firm_closes(self) -> None:
        state = self.affiliates()
        bought = cases.run("divest", state, cases.parameters("calm", ownership={"divestment": 1.0, "buyout": 1.0}))
        assert (bought.firms.owner[state.firms.alive] == -1).all()
        assert bought.tally[EXITS] == 0.0
        closed = cases.run("divest", state, cases.parameters("calm", ownership={"divestment": 1.0, "buyout": 0.0}))
        assert not closed.firms.alive.any()
        assert closed.accounts.people[1] == pytest.approx(state.accounts.people[:2].sum())
        assert closed.accounts.money[FIRMS] == pytest.approx(0.0, abs=1e-8)

    def test_loss_makers_are_left_first(self) -> None:
        p = cases.parameters("calm", ownership={"divestment": 0.3, "buyout": 1.0})
        left = []
        for profit in (-1.0, 1.0):
            state = self.affiliates()
            state.firms.profit = profit
            left.append(cases.run("divest", state, p).tally[DIVESTMENTS])
        assert left[0] > 1.8 * left[1] > 0.0

    def test_local_firms_are_not_divested(self) -> None:
        p = cases.parameters("calm", ownership={"divestment": 1.0})
        assert cases.run("divest", open_world(), p).tally[DIVESTMENTS] == 0.0


class TestHierarchy:
    EAGER: ClassVar = {"acquisition": 1.0, "leader_size": 5.0}

    def leader(self) -> State:
        """A large firm with cash, tied to one small one."""
        state = open_world()
        state.firms.employees[A], state.firms.employees[B] = 50.0, 5.0
        state.firms.dynamism[A], state.firms.dynamism[1:40] = 5.0, 0.0
        state.firms.cash[A] = 1e5
        make_tie(state, A, B, 0.2)
        return state

    def bought(self, state: State, **changes: Any) -> State:
        base = {"ownership": self.EAGER, "strategy": {"acquisition": 10.0}}
        return cases.run("acquire", state, cases.parameters("calm", **cases.merged(base, changes)))

    def test_dynamic_leaders_buy_smaller_partners_out_of_their_cash(self) -> None:
        state = self.leader()
        after = self.bought(state)
        assert after.firms.owner[B] == A
        price = state.firms.cash[A] - after.firms.cash[A]
        assert price >= 0.0
        assert after.accounts.money[HOUSEHOLDS] - state.accounts.money[HOUSEHOLDS] == pytest.approx(price)

    @pytest.mark.parametrize(
        ("field", "who", "value"),
        [("cash", A, -1.0), ("employees", A, 4.0), ("employees", B, 60.0), ("dynamism", A, 0.0)],
    )
    def test_not_without_money_size_or_dynamism(self, field: str, who: int, value: float) -> None:
        state = self.leader()
        state.firms.profit[B] = state.firms.value_added[B] = 10.0
        state.firms[field][who] = value
        assert self.bought(state).tally[ACQUISITIONS] == 0.0

    def test_not_without_a_tie(self) -> None:
        state = open_world()
        state.firms.cash, state.firms.dynamism = 1e5, 5.0
        assert self.bought(state).tally[ACQUISITIONS] == 0.0

    def dependent(self, share: float = 0.9) -> State:
        state = open_world()
        state.firms.main_client[B], state.firms.client_share[B] = A, share
        state.firms.dynamism[A] = 1.0
        return state

    def bound(self, state: State, **changes: Any) -> int:
        base = {"ownership": {"captivity": 1.0, "captive_release": 1.0}, "strategy": {"captivity": 10.0}}
        after = cases.run("bind_captives", state, cases.parameters("calm", **cases.merged(base, changes)))
        return int(after.firms.captor[B])

    def test_a_dependent_supplier_is_made_captive(self) -> None:
        assert self.bound(self.dependent(0.9)) == A

    def test_an_independent_supplier_is_not(self) -> None:
        assert self.bound(self.dependent(0.3)) == -1

    def test_captives_free_themselves_when_they_find_other_clients(self) -> None:
        state = self.dependent(0.3)
        state.firms.captor[B] = A
        assert self.bound(state) == -1
        assert self.bound(state, ownership={"captive_release": 0.0}) == A
        state.firms.main_client[B] = C
        assert self.bound(state, ownership={"captive_release": 0.0}) == -1

    def test_switched_off_there_is_neither(self) -> None:
        off = {"mechanisms": {"hierarchy": False}}
        assert self.bought(self.leader(), **off).tally[ACQUISITIONS] == 0.0
        assert self.bound(self.dependent(), **off) == -1
