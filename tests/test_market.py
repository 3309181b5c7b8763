"""What the market means: make, buy local or abroad; power over captives; money that only moves; skills that move."""

from typing import Any

import numpy as np
import pytest
from balance import check_money
from naive import cases
from naive.common import links, living, make_tie, meet
from naive.market import productivity

from district_sim.kernels.draws import Stream
from district_sim.model.state import FIRMS, HOUSEHOLDS, PUBLIC, PURCHASES_LOCAL, REPATRIATED, WORLD, State

LAST = 5


def final(state: State) -> np.ndarray:
    return state.firms.alive & (state.firms.phase == LAST)


def suppliers(state: State) -> np.ndarray:
    return state.firms.alive & (state.firms.phase < LAST)


def traded(state: State, p: Any = None, **changes: Any) -> State:
    """One quarter of the market."""
    state.tally[:] = 0.0
    return cases.run("run_market", state, p or cases.parameters("calm", **changes))


def globalised(pressure: float = 1.0) -> State:
    """The calm district in a world where buying abroad has become cheap."""
    state = cases.district()
    state.world.pressure, state.world.price = pressure, 1.2 - 0.4 * pressure
    return state


class TestSourcing:
    def test_shares_are_shares(self) -> None:
        state = traded(cases.district("open"), cases.parameters("open"))
        f = state.firms[final(state)]
        for part in (f.made, f.spot, f.abroad, f.offshored):
            assert ((part >= 0.0) & (part <= 1.0)).all()
        total = (f.made + f.spot + f.abroad)[:, :LAST]
        assert (total <= 1.0 + 1e-12).all()

    def test_cheap_sourcing_abroad_moves_orders_abroad(self) -> None:
        calm, cheap = traded(globalised(0.0)), traded(globalised(1.0))
        assert cheap.firms.offshored[final(cheap)].mean() > calm.firms.offshored[final(calm)].mean()

    def test_readiness_to_offshore_acts_only_under_globalisation(self) -> None:
        def abroad(pressure: float, readiness: float) -> float:
            state = traded(globalised(pressure), strategy={"offshoring": readiness})
            return float(state.firms.offshored[final(state)].mean())

        assert abroad(0.0, 2.0) == abroad(0.0, 0.0)
        assert abroad(1.0, 2.0) > abroad(1.0, 0.0)

    def test_integration_brings_phases_into_the_house(self) -> None:
        def made(readiness: float) -> float:
            state = traded(globalised(), strategy={"integration": readiness})
            return float(state.firms.made[final(state)].mean())

        assert made(1.0) > made(0.0) > made(-1.0) > 0.0

    def test_trust_draws_orders_to_partners(self) -> None:
        def orders(trust: float) -> float:
            state = cases.district()
            state.ties.trust[state.ties.partner >= 0] = trust
            return float(traded(state).orders.paid.sum())

        assert orders(0.9) > orders(0.5) > orders(0.1) > 0.0

    def test_own_pipelines_and_foreign_owners_draw_orders_abroad(self) -> None:
        state = cases.strangers()
        i = int(np.flatnonzero(final(state))[0])
        plain = traded(state).firms.offshored[i]
        state.pipelines.node[i, 0], state.pipelines.strength[i, 0] = 0, 1.0
        piped = traded(state).firms.offshored[i]
        state.firms.owner[i] = -2
        assert traded(state).firms.offshored[i] > piped > plain

    def test_groups_buy_inside(self) -> None:
        state = cases.strangers()
        i, j = int(np.flatnonzero(final(state))[0]), int(np.flatnonzero(suppliers(state))[0])
        make_tie(state, i, j, 0.5)
        apart = traded(state).orders.paid[i].sum()
        state.firms.owner[j] = i
        assert traded(state).orders.paid[i].sum() > apart

    @pytest.mark.parametrize(("switch", "share"), [("global_sourcing", "abroad"), ("make_or_buy", "made")])
    def test_switched_off_a_source_is_not_used(self, switch: str, share: str) -> None:
        on, off = traded(globalised()), traded(globalised(), mechanisms={switch: False})
        assert on.firms[share][final(on), :LAST].min() > 0.0
        assert not off.firms[share][final(off)].any()


class TestCaptives:
    @staticmethod
    def relation(captor: bool) -> tuple[State, State, int, int]:
        """A supplier and its only client, and the same after a quarter; quantities do not react to prices here."""
        state = cases.strangers()
        i, j = int(np.flatnonzero(final(state))[0]), int(np.flatnonzero(suppliers(state))[0])
        make_tie(state, i, j, 0.5)
        state.firms.captor[j] = i if captor else -1
        rigid = {"sensitivity_price": 0.0, "demand_price": 0.0, "captive_discount": 0.2}
        return state, traded(state, market=rigid), i, j

    def test_a_captive_is_paid_less_for_the_same_work(self) -> None:
        _, free, i, j = self.relation(captor=False)
        _, bound, _, _ = self.relation(captor=True)
        assert bound.orders.paid[i].sum() == pytest.approx(0.8 * free.orders.paid[i].sum())
        assert bound.firms.employees[j] == pytest.approx(free.firms.employees[j])
        assert bound.firms.profit[j] < free.firms.profit[j]
        assert bound.firms.profit[i] > free.firms.profit[i]

    def test_only_the_captor_pays_less(self) -> None:
        state, free, i, j = self.relation(captor=False)
        state.firms.captor[j] = 39 if i != 39 else 38
        rigid = {"sensitivity_price": 0.0, "demand_price": 0.0, "captive_discount": 0.2}
        assert traded(state, market=rigid).orders.paid[i].sum() == pytest.approx(free.orders.paid[i].sum())

    def test_main_client_is_the_largest(self) -> None:
        state = traded(cases.district())
        for j in np.flatnonzero(suppliers(state)):
            orders = {i: state.orders.paid[i, state.ties.mirror[j, m]] for m, i, _ in links(state, int(j))}
            if max(orders.values(), default=0.0) > 0.0:
                assert orders[state.firms.main_client[j]] == max(orders.values())
                assert state.firms.client_share[j] == pytest.approx(max(orders.values()) / state.firms.sales[j])


class TestDemand:
    def test_the_brand_helps_members_only(self) -> None:
        state = cases.district()
        member, other = (int(i) for i in np.flatnonzero(final(state))[:2])
        state.firms.participates = state.firms.served = 0.0
        state.firms.participates[member] = state.firms.served[member] = 1.0
        state.agency.pipelines = 0.0
        plain = traded(state).firms.sales
        state.agency.brand = 0.9
        branded = traded(state).firms.sales
        assert branded[member] > plain[member]
        assert branded[other] < plain[other]
        unbranded = traded(state, mechanisms={"collective_brand": False}).firms.sales
        np.testing.assert_array_equal(unbranded, plain)

    def test_collective_pipelines_open_markets_to_members(self) -> None:
        state = cases.strangers()
        member, other = (int(i) for i in np.flatnonzero(final(state))[:2])
        state.firms.participates[member] = state.firms.served[member] = 1.0
        plain = traded(state).firms.sales
        state.agency.pipelines = 1.0
        connected = traded(state).firms.sales
        assert connected[member] > plain[member]
        assert connected[other] < plain[other]

    def test_quality_sells_and_rivals_take_away(self) -> None:
        state = cases.district()
        i = int(np.flatnonzero(final(state))[0])
        plain = traded(state).firms.sales[i]
        state.world.rivals *= 1.3
        assert traded(state).firms.sales[i] < plain
        state = cases.district()
        state.firms.quality[i] *= 1.3
        assert traded(state).firms.sales[i] > plain

    def test_affiliates_sell_through_their_groups_network(self) -> None:
        state = cases.strangers()
        i = int(np.flatnonzero(final(state))[0])
        plain = traded(state).firms.sales[i]
        state.firms.owner[i] = -2
        assert traded(state, ownership={"affiliate_abroad": 0.0}).firms.sales[i] > plain


class TestAccounts:
    @pytest.mark.parametrize("situation", ["calm", "open", "hierarchical", "supported"])
    def test_revenue_flows_down_to_suppliers(self, situation: str) -> None:
        state = traded(cases.district(situation), cases.parameters(situation))
        f, make, buy = state.firms, final(state), suppliers(state)
        assert f.sales[buy].sum() == pytest.approx(state.tally[PURCHASES_LOCAL])
        price, value = state.world.price[0, :LAST], cases.parameters(situation).derived.phase_value[:LAST]
        imports = (f.sales[make, None] * f.abroad[make, :LAST] * price * value).sum()
        assert f.value_added[f.alive].sum() == pytest.approx(f.sales[make].sum() - imports)

    def test_profits_of_affiliates_go_abroad(self) -> None:
        state = cases.strangers()
        state.firms.cash = state.firms.alive * 1e4
        state.accounts.money[FIRMS] = state.firms.cash.sum()
        local = traded(state)
        state.firms.owner[state.firms.alive] = -2
        foreign = traded(state)
        assert local.tally[REPATRIATED] == 0.0
        assert foreign.tally[REPATRIATED] > 0.0
        gained = foreign.accounts.money - local.accounts.money
        assert gained[WORLD] > 0.0 > gained[HOUSEHOLDS]

    def test_affiliates_pay_more(self) -> None:
        state = cases.strangers()
        state.firms.owner[3] = -2
        wage = traded(state, ownership={"affiliate_wage": 0.25}).firms.wage
        assert wage[3] == pytest.approx(1.25 * wage[4])

    def test_profits_of_group_members_go_to_their_leader(self) -> None:
        state = cases.strangers()
        state.firms.cash[3] = 1e4
        alone = traded(state).firms.cash
        state.firms.owner[3] = 4
        assert traded(state).firms.cash[4] > alone[4] + 1000.0

    def test_profits_are_taxed_losses_are_not(self) -> None:
        def taxes(rate: float) -> float:
            state = cases.district()
            return float(traded(state, market={"tax": rate}).accounts.money[PUBLIC] - state.accounts.money[PUBLIC])

        assert taxes(0.0) == pytest.approx(0.0)
        profit = traded(cases.district()).firms.profit
        assert taxes(0.5) == pytest.approx(0.5 * profit[profit > 0.0].sum())

    def test_a_research_grant_raises_research_and_crowds_out_a_part(self) -> None:
        def research(grant: float, crowding: float) -> float:
            state = cases.district("calm", 1, 0)
            state.firms.grant[0] = grant
            return float(traded(state, policy_effects={"crowding_out": crowding}).firms.research[0])

        assert research(0.5, 0.0) > research(0.5, 0.4) > research(0.0, 0.4) == research(0.0, 0.0)

    def test_training_educates_and_neglect_forgets(self) -> None:
        def education(share: float) -> float:
            return float(traded(cases.strangers(), strategy={"training": share}).firms.education[0])

        assert education(0.05) > cases.strangers().firms.education[0] > education(0.0)


class TestWork:
    def test_training_leaves_with_those_who_change_jobs(self) -> None:
        """A firm that trains loses part of it to its neighbours; the district's people forget nothing by moving."""
        state = cases.district()
        state.firms.education[:20] = 0.9
        stay, move = (traded(state, knowledge={"job_mobility": rate}).firms for rate in (0.0, 0.1))
        alive = state.firms.alive
        mean = np.average(stay.education[alive], weights=stay.employees[alive])
        np.testing.assert_allclose(move.education[alive], (0.9 * stay.education + 0.1 * mean)[alive])
        assert np.average(move.education[alive], weights=move.employees[alive]) == pytest.approx(mean)

    def test_collaboration_and_trust_raise_productivity(self) -> None:
        """Collaboration inside pays beside the direct effect of trust outside (Sanders 2007)."""
        state, p = cases.strangers(), cases.parameters("calm")
        make_tie(state, 0, 1, 0.5)
        state.firms.collaboration[0] = 0.2
        plain = productivity(state, p, 0)
        state.firms.collaboration[0] = 0.9
        inside = productivity(state, p, 0)
        state.ties.trust[0, 0] = 0.9
        assert productivity(state, p, 0) > inside > plain

    def test_productive_firms_need_fewer_people(self) -> None:
        state = cases.strangers()
        plain = traded(state).firms.employees
        state.firms.collaboration = 1.0
        assert traded(state).firms.employees[state.firms.alive].sum() < plain[state.firms.alive].sum()

    def test_hired_people_bring_tacit_knowledge(self) -> None:
        def tacit(share: float) -> np.ndarray:
            state = cases.strangers()
            state.firms.tacit *= np.linspace(0.5, 1.5, len(state.firms))[:, None]
            state.firms.employees *= 0.5  # everybody is short of people
            state.accounts.people[:2] += np.array([-1, 1]) * state.firms.employees.sum()
            moved = traded(state, knowledge={"hired_knowledge": share}).firms.tacit - state.firms.tacit
            assert (moved >= 0.0).all()
            return moved

        assert not tacit(0.0).any()
        assert tacit(1.0).sum() > tacit(0.3).sum() > 0.0
        np.testing.assert_array_equal(
            traded(cases.strangers(), mechanisms={"mobility": False}).firms.tacit, cases.strangers().firms.tacit
        )

    def test_hired_people_bring_what_was_known_before_anybody_moved(self) -> None:
        """Nobody's knowledge travels through two firms in one quarter, whatever the order in which firms hire."""
        state, rng = cases.strangers(), np.random.default_rng(1)
        state.firms.tacit *= rng.uniform(0.2, 2.0, state.firms.tacit.shape)
        state.firms.employees *= 0.5
        state.accounts.people[:2] += np.array([-1, 1]) * state.firms.employees.sum()
        after = traded(state, knowledge={"hired_knowledge": 1.0})
        learnt = after.firms.tacit - state.firms.tacit
        relayed = 0
        for i in living(state):
            j = meet(state, i, 0, int(Stream.HIRING))
            lead = state.firms.tacit[j] - state.firms.tacit[i]
            better = lead > 0.0
            assert not learnt[i, ~better].any()
            rate = (learnt[i, better] / lead[better]).max(initial=0.0)
            np.testing.assert_allclose(learnt[i, better], rate * lead[better], rtol=1e-3, atol=1e-6)
            relayed += j < i and rate > 0.0 and learnt[j].any()
        assert relayed > 5  # an order by rows would have been seen

    def test_nobody_is_hired_without_unemployed(self) -> None:
        state = cases.strangers()
        state.accounts.people[1] = 0.0
        state.firms.reach *= 10.0
        after = traded(state)
        assert (after.firms.employees <= state.firms.employees + 1e-9).all()

    def test_wages_share_in_productivity(self) -> None:
        state = cases.district()
        state.world.value_start *= 0.5
        assert traded(state).world.wage[0] > traded(cases.district()).world.wage[0]


class TestOutsideClients:
    SHARES = (0.9, 0.5, 0.0, 0.3, 0.7)

    @staticmethod
    def district(quarters: int = 0) -> State:
        return cases.district("subcontracting", 1, quarters)

    @staticmethod
    def sold(state: State) -> np.ndarray:
        """Sales of the firms of each phase before the last."""
        return np.bincount(state.firms.phase[suppliers(state)], state.firms.sales[suppliers(state)], LAST)

    def test_first_orders_are_the_share_of_sales_that_the_scenario_says(self) -> None:
        state = self.district()
        after = traded(state, cases.parameters("subcontracting"))
        reach = np.bincount(state.firms.phase[suppliers(state)], state.firms.reach[suppliers(state)], LAST)
        np.testing.assert_allclose(after.world.outside_orders[0, :LAST], np.multiply(self.SHARES, reach))

    @pytest.mark.parametrize("quarters", [0, 3])
    def test_suppliers_sell_what_final_firms_and_clients_outside_order(self, quarters: int) -> None:
        p = cases.parameters("subcontracting")
        after = traded(self.district(quarters), p)
        f, market = after.firms, after.world.market[0] * (1.0 - after.world.slump[0])
        ordered = after.world.outside_orders[0, :LAST] * market
        for i in np.flatnonzero(final(after)):
            ordered = ordered + (p.derived.phase_value * f.sales[i] * f.spot[i])[:LAST]
            for m, j, _ in links(after, i):
                ordered[f.phase[j] % LAST] += after.orders.paid[i, m]
        np.testing.assert_allclose(self.sold(after), ordered)
        check_money(after)

    def test_nobody_outside_orders_unless_a_scenario_says_so(self) -> None:
        after = traded(cases.district())
        assert not after.world.outside_orders.any()
        assert not after.world.outside_market.any()

    def test_clients_outside_go_where_it_is_cheap_and_come_for_quality(self) -> None:
        p = cases.parameters("subcontracting")

        def orders(price: float = 1.0, quality: float = 1.0) -> float:
            state = self.district(3)
            state.world.price[:] = price
            state.firms.quality[suppliers(state)] *= quality
            return float(traded(state, p).world.outside_orders.sum())

        assert orders(0.8) < orders(1.0) < orders(1.2)
        assert orders(quality=1.2) > orders()

    def test_a_slump_takes_their_orders_too(self) -> None:
        p = cases.parameters("subcontracting")
        calm, slump = self.district(1), self.district(1)
        calm.world.slump, slump.world.slump = 0.0, 0.5
        np.testing.assert_allclose(self.sold(traded(slump, p)), 0.5 * self.sold(traded(calm, p)))


def test_shocks_shuffle_customers_inside_a_phase_only() -> None:
    state = cases.district()
    quiet = traded(state, market={"growth_noise": 0.0, "size_reversion": 0.0}).firms
    noisy = traded(state, market={"growth_noise": 0.3}).firms
    alive = state.firms.alive
    assert not np.allclose(quiet.reach[alive], noisy.reach[alive])
    for phase in range(LAST + 1):
        here = alive & (state.firms.phase == phase)
        assert noisy.reach[here].sum() == pytest.approx(quiet.reach[here].sum())
