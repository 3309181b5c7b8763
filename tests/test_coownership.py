"""What local co-ownership means: managers buy with a fund what multinationals would take over, or leave to close."""

from typing import Any, ClassVar

import numpy as np
import pytest
from naive import cases
from naive.common import living

from district_sim.model.state import DIVESTMENTS, EXITS, FIRMS, HOUSEHOLDS, PUBLIC, TAKEOVERS, TAXES, WORLD, State

FUND: dict[str, Any] = {"name": "fund", "kind": "local_coownership", "start": 0, "budget": 1e6}


def bid_for(**fund: Any) -> tuple[State, State]:
    """A quarter in which multinationals want every firm: what became of it, with the fund and without."""
    out = []
    for policies in ([{**FUND, **fund}], []):
        p = parameters(policies)
        state = cases.run("apply_policies", open_world(), p)
        out.append(cases.run("take_over", state, p))
    return out[0], out[1]


def open_world() -> State:
    state = cases.strangers()
    state.world.pressure = 1.0
    state.tally[:] = 0.0
    return state


def parameters(policies: list[dict[str, Any]], **changes: Any) -> Any:
    eager = {"ownership": {"takeover": 1.0, "takeover_success": 0.0}, "strategy": {"sale": 1.0}}
    return cases.parameters("calm", policies=policies, **cases.merged(eager, changes))


class TestTakeovers:
    def test_managers_buy_instead_at_the_same_price(self) -> None:
        """Half of price and capital is the fund's; no pipeline comes; former owners are paid by fund and managers."""
        kept, taken = bid_for()
        before = open_world()
        sold = taken.firms.owner < -1
        assert sold.sum() > 5
        assert (kept.firms.owner[kept.firms.alive] == -1).all()
        assert kept.tally[TAKEOVERS] == 0.0
        np.testing.assert_array_equal(kept.pipelines.node, before.pipelines.node)
        np.testing.assert_allclose((kept.firms.cash - before.firms.cash), 0.5 * (taken.firms.cash - before.firms.cash))
        with_it, without = (x.accounts.money - before.accounts.money for x in (kept, taken))
        assert with_it[HOUSEHOLDS] == pytest.approx(0.5 * without[HOUSEHOLDS])
        assert with_it[FIRMS] == pytest.approx(0.5 * without[FIRMS])
        assert with_it[WORLD] == 0.0
        assert with_it[PUBLIC] == pytest.approx(0.5 * without[WORLD]) == -kept.instruments.spent[0]
        assert kept.instruments.served[0] == sold.sum() == kept.instruments.served_owner[0, 0]

    def test_it_buys_as_long_as_the_money_lasts(self) -> None:
        everything = bid_for()[0].instruments.spent[0]
        budget = 0.3 * everything
        kept, taken = bid_for(budget=budget)
        spent, left = kept.instruments.spent[0], kept.instruments.unspent[0]
        assert 0.5 * budget < spent <= budget == pytest.approx(spent + left)
        assert 0 < kept.tally[TAKEOVERS] < taken.tally[TAKEOVERS] == kept.tally[TAKEOVERS] + kept.instruments.served[0]
        assert kept.accounts.money.sum() == pytest.approx(0.0, abs=1e-6)

    def test_intensity_is_how_often_it_is_ready(self) -> None:
        full, half, none = (bid_for(intensity=intensity)[0].instruments.served[0] for intensity in (1.0, 0.5, 0.0))
        assert full > 1.4 * half > 0.0 == none

    def test_a_larger_stake_costs_more(self) -> None:
        spent = []
        for stake in (0.2, 0.4):
            p = parameters([FUND], policy_effects={"coownership_stake": stake})
            spent.append(cases.run("take_over", cases.run("apply_policies", open_world(), p), p).instruments.spent[0])
        assert spent[1] == pytest.approx(2.0 * spent[0])

    def test_the_fund_listed_first_buys_first(self) -> None:
        p = parameters([{**FUND, "budget": 1.0}, FUND, {**FUND, "name": "other"}])
        state = cases.run("take_over", cases.run("apply_policies", open_world(), p), p)
        assert state.instruments.spent[1] > 0.0 == state.instruments.spent[0] == state.instruments.spent[2]


class TestDivestment:
    LEAVING: ClassVar[dict[str, Any]] = {"ownership": {"divestment": 1.0, "buyout": 0.4}}

    def left(self, policies: list[dict[str, Any]], seed: int = 1) -> State:
        state = cases.strangers(seed)
        state.tally[:] = 0.0
        state.firms.owner[living(state)] = -2
        state.firms.profit[living(state)] = 10.0
        p = cases.parameters("calm", policies=policies, **self.LEAVING)
        return cases.run("divest", cases.run("apply_policies", state, p), p)

    def test_affiliates_that_would_close_are_bought(self) -> None:
        kept, closed = self.left([FUND]), self.left([])
        assert kept.tally[DIVESTMENTS] == closed.tally[DIVESTMENTS] > closed.tally[EXITS] > 0.0 == kept.tally[EXITS]
        assert (kept.firms.owner[kept.firms.alive] == -1).all()
        assert kept.instruments.served[0] == closed.tally[EXITS] == kept.instruments.served_owner[0, 2]
        assert kept.accounts.money.sum() == pytest.approx(0.0, abs=1e-6)

    def test_the_multinational_is_paid(self) -> None:
        """Half of twelve quarters' profit of each affiliate that leaves alive, by the managers or with the fund."""
        kept = self.left([FUND])
        state = cases.strangers()
        sellers = kept.tally[DIVESTMENTS]
        assert kept.accounts.money[WORLD] - state.accounts.money[WORLD] == pytest.approx(60.0 * sellers)


def test_taxes_for_it_are_levied_a_quarter_later() -> None:
    """Firms are sold after the levy of the quarter."""
    p = parameters([{**FUND, "budget": 500.0, "end": 1, "funded_by": "taxes"}])
    state = open_world()
    state.clock.step[0] = 0
    public, spent = float(state.accounts.money[PUBLIC]), 0.0
    for quarter in range(2):
        for process in ("apply_policies", "levy_taxes", "take_over"):
            state = cases.run(process, state, p)
        spent += float(state.instruments.spent[0])
        assert (state.tally[TAXES] > 0.0) == (quarter == 1)
        state.clock.step[0] += 1
    assert 0.0 < spent == pytest.approx(state.tally[TAXES])
    assert state.accounts.money[PUBLIC] == pytest.approx(public)
    assert cases.run("levy_taxes", state, p).tally[TAXES] == state.tally[TAXES]
