"""What demography means: spin-offs inherit, good margins and identity draw founders, the insolvent close."""

from typing import Any

import numpy as np
import pytest
from naive import cases
from naive.common import links, partners

from district_sim.model.processes.relations import tie
from district_sim.model.state import ENTRIES, EXITS, FIRMS, OVERFLOW, PHASES, TIE_BIRTHS, UNEMPLOYED, State, copied


def entered(state: State, **changes: Any) -> State:
    state.tally[:] = 0.0
    return cases.run("enter_firms", state, cases.parameters("calm", **changes))


def left(state: State, **changes: Any) -> State:
    state.tally[:] = 0.0
    return cases.run("exit_firms", state, cases.parameters("calm", **changes))


NO_EXIT = {"exit": 0.0, "exit_young": 0.0}


class TestEntry:
    def test_spin_offs_carry_part_of_their_parents_knowledge_and_stay_near(self) -> None:
        state = cases.strangers()
        after = entered(state, demography={"entry": 0.3, "newborn_knowledge": 0.7, "newborn_distance": 0.5})
        born = np.flatnonzero(after.firms.alive & ~state.firms.alive)
        parent = after.firms.parent[born]
        assert born.size == after.tally[ENTRIES] > 3
        np.testing.assert_allclose(after.firms.tacit[born], 0.7 * state.firms.tacit[parent], rtol=1e-6)
        np.testing.assert_allclose(after.firms.codified[born], 0.7 * state.firms.codified[parent], rtol=1e-6)
        apart = np.hypot(*(after.firms[c][born] - after.firms[c][parent] for c in "xy"))
        assert apart.mean() < 1.5
        assert all(int(j) in partners(after, int(i)) for i, j in zip(born, parent, strict=True))

    def test_most_stay_in_their_parents_phase(self) -> None:
        for stay, low, high in ((1.0, 1.0, 1.0), (0.0, 0.0, 0.6)):
            after = entered(cases.strangers(), demography={"entry": 0.5, "newborn_phase": stay})
            born = np.arange(40, after.clock.rows[0])
            same = np.mean(after.firms.phase[born] == after.firms.phase[after.firms.parent[born]])
            assert low <= same <= high

    def test_newborns_are_introduced_to_those_their_parent_trades_with(self) -> None:
        """The most trusted that have room; a supplier meets final firms and a final firm meets suppliers."""
        state = cases.district()
        trusting = {"entry": 0.3, "newborn_phase": 1.0}
        for wanted in (0, 3):
            after = entered(copied(state), demography=trusting | {"newborn_clients": wanted})
            for j in range(int(state.clock.rows[0]), int(after.clock.rows[0])):
                parent = int(after.firms.parent[j])
                met = [k for k in partners(after, j) if k != parent and after.firms.parent[k] != j]
                assert len(met) <= wanted
                final = after.firms.phase[j] == 5
                assert all((after.firms.phase[k] == 5) != final and k in partners(state, parent) for k in met)
            if wanted == 0:
                lonely = after
        assert after.tally[TIE_BIRTHS] > lonely.tally[TIE_BIRTHS] + 3

    def test_the_most_trusted_partners_are_met_first(self) -> None:
        state = cases.strangers()
        parent = int(np.flatnonzero(state.firms.alive & (state.firms.phase == 2))[0])
        clients = [int(k) for k in np.flatnonzero(state.firms.alive & (state.firms.phase == 5))[:4]]
        for k, trust in zip(clients, (0.3, 0.9, 0.5, 0.8), strict=True):
            assert tie(parent, k, trust, state.ties)
        alone = state.firms.employees.copy()
        alone[np.arange(alone.size) != parent] = 0.0
        state.firms.employees[:] = alone
        after = entered(state, demography={"entry": 1.0, "entry_size": 1.0, "newborn_phase": 1.0, "newborn_clients": 2})
        assert after.tally[ENTRIES] == 1
        assert set(partners(after, 40)) == {parent, clients[1], clients[3]}
        assert len({float(trust) for _, _, trust in links(after, 40)}) == 1

    @pytest.mark.parametrize("customers", [0.5, 1.0, 2.0])
    def test_newborns_have_customers_for_their_people(self, customers: float) -> None:
        after = entered(cases.strangers(), demography={"entry": 0.3, "newborn_customers": customers})
        born, p = range(40, int(after.clock.rows[0])), cases.parameters("calm")
        assert len(born) > 3
        for j in born:
            share = p.market[0].final_value if after.firms.phase[j] == 5 else 1.0
            need = after.firms.employees[j] * p.market[0].productivity / (share * after.world[0].market)
            assert after.firms.reach[j] == pytest.approx(customers * need)

    @pytest.mark.parametrize("kept", [0.0, 0.6, 1.0])
    def test_customers_of_newborns_were_others(self, kept: float) -> None:
        """What a newborn does not get from outside, its parent and the other firms of its phase lose."""
        state = cases.strangers()
        after = entered(state, demography={"entry": 0.1, "newborn_phase": 1.0, "customers_kept": kept})
        final = after.firms.phase == 5
        old, new = final & state.firms.alive, final & after.firms.alive & ~state.firms.alive
        assert new.any()
        taken = dict.fromkeys(map(int, np.flatnonzero(old)), 0.0)
        for j in np.flatnonzero(new):
            parent = int(after.firms.parent[j])
            own = state.firms.reach[parent] - taken[parent]
            taken[parent] += min(after.firms.reach[j], 0.3 * own)
        gained = after.firms.reach[new].sum() - sum(taken.values())
        lost = state.firms.reach[old].sum() - after.firms.reach[old].sum() - sum(taken.values())
        assert lost == pytest.approx(kept * gained)

    def test_introductions_bring_orders(self) -> None:
        """A young supplier with clients sells more than one that must live on spot orders."""

        def sales(clients: int) -> float:
            rates = {"entry": 0.3, "newborn_phase": 1.0, "newborn_clients": clients}
            born = entered(cases.district("calm", 1, 8), demography=rates)
            young = born.firms.alive & (born.firms.founded == born.clock.step[0]) & (born.firms.phase < 5)
            after = cases.run("run_market", born, cases.parameters("calm", demography=rates))
            return float(after.firms.sales[young].sum())

        assert sales(6) > 1.3 * sales(0) > 0.0

    def test_founders_are_people(self) -> None:
        def entries(employees: float, elasticity: float) -> float:
            state = cases.strangers()
            state.firms.employees[state.firms.alive] = employees
            return float(entered(state, demography={"entry": 0.05, "entry_size": elasticity}).tally[ENTRIES])

        assert entries(80.0, 0.8) > entries(8.0, 0.8) > entries(0.1, 0.8)
        assert entries(80.0, 0.0) == entries(0.1, 0.0)

    def test_people_come_from_the_unemployed_then_from_outside(self) -> None:
        state = cases.strangers()
        state.accounts.people[UNEMPLOYED] = 3.0
        after = entered(state, demography={"entry": 0.5})
        moved = after.accounts.people - state.accounts.people
        assert moved[0] == pytest.approx(after.firms.employees[40:].sum())
        assert moved[UNEMPLOYED] == pytest.approx(-3.0)
        assert moved.sum() == pytest.approx(0.0, abs=1e-9)

    def test_profits_draw_founders(self) -> None:
        def entries(profit: float) -> float:
            state = cases.strangers()
            state.firms.profit = profit * state.firms.value_added
            return float(entered(state, demography={"entry": 0.1, "entry_profit": 5.0}).tally[ENTRIES])

        assert entries(0.5) > entries(0.08) > entries(-0.5)

    def test_values_that_are_not_reproduced_lower_entry(self) -> None:
        def entries(identity: float, **changes: Any) -> float:
            state = cases.strangers()
            state.firms.identity = identity
            rates = {"demography": {"entry": 0.2, "reproduction": 5.0}}
            return float(entered(state, **cases.merged(rates, changes)).tally[ENTRIES])

        assert entries(0.9) > entries(0.5) > entries(0.0) == 0.0
        off = {"mechanisms": {"productive_reproduction": False}}
        assert entries(0.9, **off) == entries(0.0, **off) > 0.0

    def test_values_and_skills_count_alike(self) -> None:
        """An education that is lost draws as few founders as values that are lost; one makes up for the other."""

        def entries(identity: float, education: float) -> float:
            state, normal = cases.strangers(), cases.parameters("calm").firms[0]
            state.firms.identity, state.firms.education = normal.identity + identity, normal.education + education
            return float(entered(state, demography={"entry": 0.3, "reproduction": 3.0}).tally[ENTRIES])

        assert entries(0.2, 0.0) == entries(0.0, 0.2) > entries(0.0, 0.0) == entries(0.2, -0.2)
        assert entries(0.0, 0.0) > entries(-0.2, 0.0) == entries(0.0, -0.2)

    def test_phase_support_draws_founders_to_a_thin_phase(self) -> None:
        def born(effect: float, thin: bool) -> np.ndarray:
            state = cases.strangers()
            state.firms.reach[state.firms.phase < 5] *= 10.0
            if thin:
                state.firms.reach[state.firms.phase == 2] *= 0.005
            state.agency.effect[0, PHASES] = effect
            after = entered(state, demography={"entry": 0.05}, agency={"phase_entry": 15.0})
            counts: np.ndarray = np.bincount(after.firms.phase[40 : after.clock.rows[0]], minlength=6)
            return counts

        assert born(0.9, thin=True)[2] > born(0.0, thin=True)[2] + 3
        np.testing.assert_array_equal(born(0.9, thin=False), born(0.0, thin=False))

    def test_supported_founders_enter_the_thinnest_phase(self) -> None:
        state = cases.strangers()
        state.firms.reach[state.firms.phase == 3] *= 0.05
        plain = entered(copied(state)).tally[ENTRIES]
        state.policy.founders = 4.0
        after = entered(state)
        assert after.tally[ENTRIES] == plain + 4
        assert (after.firms.phase[after.clock.rows[0] - 4 : after.clock.rows[0]] == 3).all()

    @pytest.mark.parametrize(
        ("kind", "cost"),
        [
            ("phase_support", "founding_cost"),
            ("entrant_attraction", "entrant_cost"),
            ("entrant_attraction_networked", "entrant_cost"),
        ],
    )
    def test_paid_founders_come_where_nobody_else_founds(self, kind: str, cost: str) -> None:
        """What public money pays for is delivered without any entry of its own in the district."""
        item = {"name": kind, "kind": kind, "start": 0, "budget": 3 * 50.0}
        changes = {"demography": {"entry": 0.0}, "policy_effects": {cost: 50.0}}
        state, row = cases.quarter(cases.strangers(), cases.parameters("calm", policies=[item], **changes))
        assert row["entries"] == 3.0
        assert state.instruments.spent[0] == 150.0
        _, without = cases.quarter(cases.strangers(), cases.parameters("calm", **changes))
        assert without["entries"] == 0.0

    def test_everybody_born_in_a_quarter_draws_alone(self) -> None:
        """Founders and entrants of the same parent have keys of their own, hence luck of their own."""
        state = cases.strangers()
        state.firms.alive[2:] = False
        state.policy.founders, state.policy.entrants = 40.0, 40.0
        after = entered(state, demography={"entry": 0.5})
        rows = int(after.clock.rows[0])
        assert rows >= 40 + 120
        assert len(np.unique(after.firms.key[:rows])) == rows

    @pytest.mark.parametrize(("networked", "ties"), [(0, 0), (1, 3)])
    def test_attracted_entrants_know_other_things_and_need_introductions(self, networked: int, ties: int) -> None:
        state = cases.strangers()
        state.policy.entrants[0, networked] = 2.0
        after = entered(state, demography={"entry": 1e-9})
        born = range(40, int(after.clock.rows[0]))
        assert len(born) == 2
        for i in born:
            use = cases.parameters("calm").derived.use[1, after.firms.phase[i]]
            assert (after.firms.tacit[i] >= 0.6 * after.world.frontier[0] * use - 1e-6).all()
            assert len(partners(after, i)) >= ties
            assert ties or not partners(after, i)

    def test_no_room_is_reported_not_hidden(self) -> None:
        state = cases.strangers()
        parts = {name: getattr(state, name)[:41].copy() for name in ("firms", "ties", "pipelines")}
        state = state._replace(**parts)
        after = cases.run("enter_firms", state, cases.parameters("calm", demography={"entry": 1.0}))
        assert after.clock.rows[0] == 41
        assert after.tally[OVERFLOW] > 0.0


class TestExit:
    def test_the_insolvent_close_and_leave_their_debts_outside(self) -> None:
        state = cases.strangers()
        state.accounts.money[FIRMS] -= state.firms.cash[3] + 1e4
        state.accounts.money[4] += state.firms.cash[3] + 1e4
        state.firms.cash[3] = -1e4
        after = left(state, demography=NO_EXIT)
        assert not after.firms.alive[3]
        assert after.tally[EXITS] >= 1.0
        assert after.accounts.money[FIRMS] == pytest.approx(after.firms.cash[after.firms.alive].sum())
        assert after.accounts.money[4] - state.accounts.money[4] == pytest.approx(-1e4)

    def test_young_and_small_firms_close_more_often(self) -> None:
        def exits(age: int, employees: float) -> float:
            state = cases.strangers()
            state.firms.founded, state.firms.employees, state.firms.cash = state.clock.step[0] - age, employees, 1e9
            rates = {"exit": 0.3, "exit_young": 0.5, "exit_young_scale": 6.0, "exit_size": 0.6}
            return float(left(state, demography=rates).tally[EXITS])

        assert exits(0, 1.0) > exits(100, 1.0) > exits(100, 50.0)

    def test_most_customers_stay_in_the_district(self) -> None:
        state = cases.district()
        after = left(state, demography={"exit": 0.3, "customers_kept": 0.5})
        dead = state.firms.alive & ~after.firms.alive
        assert 2 < dead.sum() < 35
        for phase in range(6):
            here = state.firms.phase == phase
            lost, before = state.firms.reach[here & dead].sum(), state.firms.reach[here & state.firms.alive].sum()
            if after.firms.alive[here].any():
                assert after.firms.reach[here & after.firms.alive].sum() == pytest.approx(before - 0.5 * lost)

    def test_the_dead_leave_no_ties_owners_or_captors(self) -> None:
        state = cases.district("hierarchical", 2, 6)
        after = left(state, demography={"exit": 0.4})
        rows = int(after.clock.rows[0])
        dead, partner = set(np.flatnonzero(~after.firms.alive[:rows])), after.ties.partner[:rows]
        assert dead
        assert not dead & set(partner[partner >= 0].tolist())
        assert not dead & set(after.firms.owner[after.firms.alive].tolist())
        assert not dead & set(after.firms.captor[after.firms.alive].tolist())


def test_switched_off_firms_neither_come_nor_go() -> None:
    p = cases.parameters("restless", mechanisms={"demography": False})
    state = cases.district("restless", 1, 1)
    after, row = cases.quarter(state, p, 6)
    np.testing.assert_array_equal(after.firms.alive, state.firms.alive)
    assert row["entries"] == row["exits"] == 0.0
