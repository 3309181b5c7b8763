"""What conduct means: firms decide by what they see and what pays. Imposed conduct is the special case.

Time budget: 20 s.
"""

from typing import Any

import numpy as np
import pytest
from balance import check_all, check_money
from naive import cases
from naive.common import living, make_tie
from test_random import with_hermit

from district_sim.model.processes import conduct
from district_sim.model.processes.agency import expected_gain, participation_odds
from district_sim.model.processes.innovation import exploring_share
from district_sim.model.processes.ownership import binding_pays, takeover_hazard, willingness_to_sell
from district_sim.model.state import (
    ACQUISITIONS,
    COOPERATING,
    EXPLORING,
    FIRMS,
    HOLDING,
    LINKING,
    OFFSHORING,
    PUBLIC,
    RESEARCHING,
    SKILLING,
    TAKEOVERS,
    TRAITS,
    WORLD,
    State,
)
from district_sim.run.run import simulate
from district_sim.scenario.files import load_scenario
from district_sim.scenario.sections import Strategy

A, B, C = 0, 1, 2
AT_ONCE = {"conduct": {"revision": 1.0, "step": 1.0, "variation": 0.0}}  # all review, and go all the way
DECIDE = {"conduct": {"revision": 0.1}}


def parameters(*changes: dict[str, Any]) -> Any:
    base: dict[str, Any] = AT_ONCE
    for change in changes:
        base = cases.merged(base, change)
    return cases.parameters("calm", **base)


def test_traits_stay_within_the_ranges_of_a_strategy() -> None:
    for trait, least, most in zip(TRAITS, conduct._LEAST, conduct._MOST, strict=True):
        limits = Strategy.model_fields[trait].metadata
        assert least in [limit.ge for limit in limits if hasattr(limit, "ge")]
        assert most in [limit.le for limit in limits if hasattr(limit, "le")]


def content(state: State) -> State:
    """Nobody earns anything, and everybody is content with that; no reasons to explore or to buy abroad either."""
    state.firms.increments, state.firms.access, state.firms.offshored = 0, 0.0, 0.0
    state.firms.profit, state.firms.performance, state.firms.aspiration = 0.0, 0.0, -1.0
    state.firms.value_added[state.firms.alive] = 10.0
    return state


def pair(trust: float = 0.8) -> State:
    """Two partners among strangers."""
    state = content(cases.strangers())
    make_tie(state, A, B, trust)
    return state


def reviewed(state: State, *changes: dict[str, Any]) -> np.ndarray:
    """A's conduct after a review."""
    found: np.ndarray = cases.run("review_conduct", state, parameters(*changes)).firms.conduct[A]
    return found


def chosen(trait: int, *changes: dict[str, Any], newest: int = 0, **of_a: float) -> float:
    """A's choice when it has these properties."""
    state = pair()
    state.world.newest = newest
    for name, value in of_a.items():
        state.firms[name][A] = value
    return float(reviewed(state, *changes)[trait])


class TestSelling:
    @staticmethod
    def willing(offer: float, embedded: float = 0.0, successor: bool = True) -> float:
        state, p = cases.strangers(), parameters()
        state.firms.successor[A] = successor
        return float(willingness_to_sell(state.firms[A], offer, embedded, p.conduct[0]))

    def test_an_offer_of_nothing_is_refused_by_all(self) -> None:
        assert self.willing(0.0) == self.willing(0.0, successor=False) == 0.0
        p = parameters({"ownership": {"takeover": 1.0, "takeover_price": 0.0}})
        state = cases.district("open", 1, 6)
        state.world.pressure, state.tally[:] = 2.0, 0.0
        for i in living(state):
            hazard = takeover_hazard(
                i, state.firms, state.ties, state.agency, state.policy, state.world, 3.0, p, p.strategy[0]
            )
            assert hazard == 0.0
        assert cases.run("take_over", state, p).tally[TAKEOVERS] == 0.0

    def test_acceptance_rises_in_the_price(self) -> None:
        answers = [self.willing(offer) for offer in (0.0, 6.0, 12.0, 24.0, 48.0, 1e3)]
        assert answers == sorted(set(answers))
        assert answers[3] == pytest.approx(0.5), "the reservation price leaves the owner undecided"
        assert answers[-1] > 0.99
        assert self.willing(1e300) == 1.0

    def test_owners_compare_a_bid_with_what_they_usually_earn(self) -> None:
        state, p = cases.district("deciding"), cases.parameters("deciding")
        i = int(living(state)[0])
        state.firms.owner[i], state.firms.value_added[i], state.firms.performance[i] = -1, 10.0, 0.1
        args = i, state.firms, state.ties, state.agency, state.policy, state.world, 0.0, p, p.strategy[0]
        hazards = []
        for profit in (0.5, 1.0, 2.0):  # below, at and above the usual profit
            state.firms.profit[i] = profit
            hazards.append(float(takeover_hazard(*args)))
        assert hazards[0] < hazards[1] < hazards[2]

    def test_more_are_sold_at_a_higher_price(self) -> None:
        sold = []
        for price in (0.0, 12.0, 24.0, 48.0):
            state = cases.district("calm")
            state.world.pressure, state.tally[:] = 2.0, 0.0
            p = parameters({"ownership": {"takeover": 1.0, "takeover_price": price}})
            sold.append(float(cases.run("take_over", state, p).tally[TAKEOVERS]))
        assert sold == sorted(set(sold))
        assert sold[0] == 0.0

    def test_no_successor_lowers_the_price_trust_times_identity_raise_it(self) -> None:
        assert self.willing(24.0, successor=False) > self.willing(24.0) > self.willing(24.0, embedded=0.5)
        for trust, identity, protects in ((0.9, 0.0, False), (0.0, 0.9, False), (0.9, 0.9, True)):
            state, p = pair(trust), parameters()
            state.world.pressure, state.firms.identity[A] = 1.0, identity
            args = (state.firms, state.ties, state.agency, state.policy, state.world, 0.0, p, p.strategy[0])
            embedded = float(takeover_hazard(A, *args))
            state.firms.identity[A] = 0.0
            assert (embedded < 0.9 * float(takeover_hazard(A, *args))) == protects


class TestBuying:
    @staticmethod
    def bought(*changes: dict[str, Any], profit: float = 3.0) -> int:
        """Acquisitions when forty leading firms with money would each buy a partner."""
        state, p = (
            cases.district("calm"),
            parameters(
                {"ownership": {"acquisition": 1.0, "leader_size": 1.0, "acquisition_price": 24.0}},
                {"strategy": {"acquisition": 10.0}},
                *changes,
            ),
        )
        alive = state.firms.alive
        state.firms.cash[alive], state.firms.profit, state.firms.successor = 1e5, profit, True
        state.firms.value_added[alive], state.firms.performance, state.tally[:] = 10.0, profit / 10.0, 0.0
        return int(cases.run("acquire", state, p).tally[ACQUISITIONS])

    def test_a_partner_must_be_worth_its_price_to_the_buyer(self) -> None:
        assert self.bought() > 3
        assert self.bought({"conduct": {"acquisition_horizon": 23.0}}) == 0
        assert self.bought(profit=-1.0) == 0

    def test_the_price_must_be_enough_for_the_owner(self) -> None:
        horizon = {"conduct": {"acquisition_horizon": 400.0}}
        low, middle, high = (self.bought(horizon, {"ownership": {"acquisition_price": x}}) for x in (0.0, 24.0, 90.0))
        assert 0 == low < middle < high

    def test_binding_a_supplier_must_pay_and_trust_forbids_small_gains(self) -> None:
        def pays(sales: float, trust: float = 0.0, identity: float = 1.0) -> float:
            state, p = pair(), parameters({"market": {"captive_discount": 0.1}})
            state.firms.identity[A], state.firms.client_share[B], state.firms.sales[B] = identity, 1.0, sales
            return float(binding_pays(state.firms[A], state.firms[B], trust, p.market[0], p.conduct[0]))

        assert pays(0.0) < pays(1.0) < pays(5.0)
        assert pays(2.0, trust=0.9) < 0.5 * pays(2.0)
        assert pays(2.0, trust=0.9, identity=0.0) == pays(2.0)
        assert pays(20.0, trust=0.9) > 0.99, "a large gain is taken"


def serve(state: State, extent: float) -> None:
    """Let the agency's services be of this extent."""
    state.agency.capability, state.agency.brand = extent, extent
    state.agency.effect, state.agency.pipelines = extent, extent


class TestMembership:
    def test_members_judge_services_not_money(self) -> None:
        state = cases.strangers()
        p = parameters({})
        state.agency.capability, state.agency.participation = 0.9, 0.5
        assert expected_gain(state.agency, state.policy, 1e3, p.agency[0], p.market[0]) == -p.agency[0].contribution
        serve(state, 0.9)
        assert expected_gain(state.agency, state.policy, 1e3, p.agency[0], p.market[0]) > 0.0
        for idle in ("market.demand_brand", "agency.education_gain"):
            section, field = idle.split(".")
            without = parameters({section: {field: 0.0}})
            less = expected_gain(state.agency, state.policy, 1e3, without.agency[0], without.market[0])
            assert less < expected_gain(state.agency, state.policy, 1e3, p.agency[0], p.market[0]), idle

    @staticmethod
    def gain(contribution: float = 0.01, spillover: float = 0.0, match: float = 0.0, ran: bool = True) -> float:
        state = cases.strangers()
        p = parameters({"agency": {"contribution": contribution, "spillover": spillover}})
        serve(state, 0.6 * ran)
        state.agency.participation, state.agency.credibility = 0.5 * ran, 0.8
        state.policy.match, state.policy.match_budget = match, 100.0 * match
        return float(expected_gain(state.agency, state.policy, 1e3, p.agency[0], p.market[0]))

    @staticmethod
    def members(state: State, *changes: dict[str, Any]) -> np.ndarray:
        terms = {"agency": {"response_net": 80.0}, "strategy": {"collective_action": 0.5}}
        after = cases.run("run_agency", state, parameters(terms, *changes)).firms
        return np.asarray(after.pledges[after.alive], np.float64)

    def test_a_contribution_of_thirty_percent_does_not_pay_and_few_join(self) -> None:
        assert self.gain(0.01) > 0.0 > self.gain(0.3)
        state = cases.district("calm")
        serve(state, 0.6)
        state.agency.participation = 0.5
        low, high = (self.members(state, {"agency": {"contribution": rate}}).mean() for rate in (0.01, 0.3))
        assert low > 0.5
        assert high < 0.05

    def test_spillovers_reduce_the_net_gain(self) -> None:
        gains = [self.gain(spillover=share) for share in (0.0, 0.25, 0.5, 1.0)]
        assert gains == sorted(gains, reverse=True)
        assert gains[-1] == pytest.approx(-0.01), "if all spills over, only the contribution is left"

    def test_without_a_project_or_a_match_nothing_is_expected(self) -> None:
        assert self.gain(ran=False) == 0.0
        assert self.gain(ran=False, match=2.0) > 0.0

    def test_members_stay_members_without_a_review(self) -> None:
        state = cases.district("calm")
        half = np.arange(state.firms.alive.sum()) % 2
        state.firms.pledges[state.firms.alive] = half
        for readiness in (0.0, 1.0):
            rare = {"agency": {"review": 0.001}, "strategy": {"collective_action": readiness}}
            np.testing.assert_array_equal(self.members(state, rare), half)
        eager = {"agency": {"response_action": 50.0, "leaders": 1.0}, "strategy": {"collective_action": 1.0}}
        assert self.members(state, eager).all()

    def test_members_stay_more_easily_than_others_join(self) -> None:
        state, p = pair(), parameters({"agency": {"loyalty": 2.0}})
        outside = float(participation_odds(A, state.firms, state.ties, state.agency, 0.0, p.agency[0]))
        state.firms.pledges[A] = 1.0
        inside = float(participation_odds(A, state.firms, state.ties, state.agency, 0.0, p.agency[0]))
        assert inside - outside == pytest.approx(2.0)

    def test_a_public_match_starts_cooperation_from_nothing(self) -> None:
        taking_part = []
        for policies in ([{"name": "match", "kind": "ppp_match", "start": 0, "budget": 60.0, "intensity": 4.0}], []):
            p = cases.parameters(
                "calm",
                agency={"response_net": 80.0, "review": 0.3, "loyalty": 2.0, "contribution": 0.01, "gain": 0.15},
                policy_effects={"credibility_speed": 0.3},
                policies=policies,
            )
            _, row = cases.quarter(cases.district("calm", 1, 0), p, 24)
            taking_part.append(row["participation"])
        assert taking_part[0] > 0.4 > 0.05 > taking_part[1]

    def test_contributions_lower_profit_and_are_paid_once(self) -> None:
        """Two districts that differ only in what has just been paid to the agency."""
        paying, free = cases.district("calm"), cases.district("calm")
        for state in (paying, free):
            state.firms.participates = state.firms.served = 0.0
            state.firms.contribution = 0.0
        paying.firms.contribution[A] = 1.0
        p = parameters({"market": {"tax": 0.0, "payout": 0.0}})
        with_it, without = (cases.run("run_market", state, p).firms[A] for state in (paying, free))
        assert with_it.profit == pytest.approx(without.profit - 1.0)
        assert with_it.cash == pytest.approx(without.cash), "the agency had it from the cash"


class TestExploring:
    def test_rises_with_exhaustion_access_and_grants(self) -> None:
        plain = chosen(EXPLORING, newest=1)
        assert plain == pytest.approx(0.1), "without reasons it is the strategy's"
        for reason in ({"increments": 20}, {"access": 0.5}, {"explores_for_public": 0.5}):
            assert chosen(EXPLORING, newest=1, **reason) > plain + 0.02
        many = chosen(EXPLORING, newest=1, increments=200, access=1.0, explores_for_public=1.0)
        assert plain < many < 0.8, "at most exploration_most"

    def test_only_if_the_next_technology_is_ripe(self) -> None:
        assert chosen(EXPLORING, newest=0, increments=20, access=0.5) == chosen(EXPLORING, newest=0)

    def test_partners_ahead_are_followed_as_far_as_one_learns_from_them(self) -> None:
        found = []
        for technology, lessons in ((0, 1.0), (1, 0.0), (1, 0.003), (1, 1.0)):
            state = pair()
            state.world.newest, state.firms.technology[B], state.firms.lessons[A] = 1, technology, lessons
            found.append(reviewed(state)[EXPLORING])
        assert found[0] == found[1] < found[2] < found[3]

    def test_a_strategy_without_exploring_has_none(self) -> None:
        none = {"strategy": {"exploration": 0.0}}
        assert chosen(EXPLORING, none, newest=1, increments=50, access=1.0) == 0.0


class TestResearchAndTraining:
    def test_research_answers_reserves_opportunity_and_grants(self) -> None:
        plain = chosen(RESEARCHING, newest=1, cash=0.0)
        for reason in ({"cash": 1e4}, {"cash": 0.0, "access": 0.5}, {"cash": 0.0, "grant": 0.1}):
            assert chosen(RESEARCHING, newest=1, **reason) > plain + 0.01
        assert chosen(RESEARCHING, newest=0, cash=0.0, access=0.5) == plain, "nothing to research for yet"

    def test_research_answers_a_shortfall(self) -> None:
        """Search copies nothing and tries nothing here: a firm below its aspiration does more research."""
        found = []
        for aspiration in (0.0, 0.05, 1.0, 3.0):
            state = pair()
            state.firms.aspiration[A] = aspiration
            still = {"conduct": {"aspiration": 0.0, "imitation": 0.0}}
            found.append(reviewed(state, still)[RESEARCHING])
        assert found[0] < found[1] < found[2] == found[3], "a shortfall is full at some size"

    def test_training_answers_research_and_vouchers(self) -> None:
        busy = pair()
        busy.firms.conduct[A, RESEARCHING] *= 2.0
        assert reviewed(busy)[SKILLING] == pytest.approx(2.0 * reviewed(pair())[SKILLING])
        assert chosen(SKILLING, tuition=0.02) == pytest.approx(chosen(SKILLING) + 0.02)

    def test_readiness_grows_with_membership_in_a_capable_agency(self) -> None:
        state = pair()
        plain = reviewed(state)[COOPERATING]
        state.agency.capability = 0.5
        assert reviewed(state)[COOPERATING] == plain
        state.firms.participates[A] = 1.0
        assert reviewed(state)[COOPERATING] > plain


class TestLeavingTheDistrict:
    def test_leaning_abroad_answers_own_sourcing_colleagues_and_identity(self) -> None:
        plain = chosen(OFFSHORING)
        assert chosen(OFFSHORING, offshored=0.5) > plain
        assert chosen(OFFSHORING, identity=0.9) < plain < chosen(OFFSHORING, identity=0.1)
        found = []
        for phase, abroad in ((0, 0.0), (0, 0.9), (1, 0.9)):
            state = pair()
            state.firms.phase[A], state.firms.phase[B], state.firms.offshored[B] = 0, phase, abroad
            found.append(reviewed(state)[OFFSHORING])
        assert found[1] > found[0] == found[2], "colleagues are of the same phase"

    def test_links_answer_sourcing_beyond_the_norm(self) -> None:
        norm = float(parameters().ties[0].offshoring_norm)
        plain = chosen(LINKING)
        assert chosen(LINKING, offshored=0.9 * norm) == plain
        assert chosen(LINKING, offshored=norm + 0.2) > chosen(LINKING, offshored=norm + 0.1) > plain


class TestSearch:
    COPY: dict[str, Any] = {"conduct": {"imitation": 1.0}}  # noqa: RUF012

    @staticmethod
    def three(trust: tuple[float, float], performance: tuple[float, float]) -> State:
        """A, discontent, with partners B and C of this trust and performance; a stranger does best of all."""
        state = content(cases.strangers())
        for j, tied, done, trait in zip((B, C), trust, performance, (2.0, 4.0), strict=True):
            make_tie(state, A, j, tied)
            state.firms.performance[j], state.firms.profit[j] = done, 10.0 * done
            state.firms.conduct[j, LINKING] = trait
        state.firms.aspiration[A] = 1.0
        state.firms.performance[3], state.firms.conduct[3, LINKING] = 1.0, 9.0
        return state

    @pytest.mark.parametrize(
        ("trust", "performance", "best"),
        [((0.9, 0.3), (0.1, 0.2), B), ((0.3, 0.9), (0.2, 0.1), C), ((0.5, 0.5), (0.1, 0.2), C)],
    )
    def test_the_discontent_copy_the_best_partner_they_trust(self, trust: Any, performance: Any, best: int) -> None:
        state = self.three(trust, performance)
        reason = reviewed(content(self.three(trust, (0.0, 0.0))))[LINKING]
        found = reviewed(state, self.COPY)[LINKING]
        assert found == pytest.approx(0.5 * (reason + state.firms.conduct[best, LINKING]))

    def test_the_content_copy_nobody(self) -> None:
        state = self.three((0.9, 0.3), (0.1, 0.2))
        state.firms.aspiration[A] = -1.0
        assert reviewed(state, self.COPY)[LINKING] == reviewed(pair())[LINKING]

    def test_nobody_copies_who_does_worse(self) -> None:
        state = self.three((0.9, 0.3), (-0.1, -0.2))
        own = state.firms.conduct[A].copy()
        own[LINKING] = state.firms.conduct[A, LINKING] = 1.0
        reason = reviewed(pair())[LINKING]
        assert reviewed(state, self.COPY)[LINKING] == pytest.approx(0.5 * (reason + 1.0)), "it stays with its own"

    def test_aspiration_follows_own_and_partners_performance(self) -> None:
        state = self.three((0.5, 0.5), (0.2, 0.2))
        state.firms.aspiration[A] = 0.0
        p = parameters({"conduct": {"memory": 0.001, "aspiration": 0.5}})
        after = cases.run("review_conduct", state, p).firms
        assert after.aspiration[A] == pytest.approx(0.5 * 0.5 * 0.2, abs=1e-3)


class TestFollowers:
    def test_affiliates_keep_their_conduct_and_members_follow_their_leader(self) -> None:
        state = pair()
        state.firms.conduct[[A, B, C], LINKING] = (3.0, 4.0, 5.0)
        state.firms.owner[B], state.firms.owner[C] = -2, A
        after = cases.run("review_conduct", state, parameters()).firms
        np.testing.assert_array_equal(after.conduct[B], state.firms.conduct[B])
        assert after.conduct[A, LINKING] != 3.0
        np.testing.assert_allclose(after.conduct[C], after.conduct[A])

    def test_newborns_inherit_with_a_small_change(self) -> None:
        state = cases.district("deciding")
        rows = int(state.clock.rows[0])
        for revision, variation, changed in ((0.1, 0.05, True), (0.1, 0.0, False), (0.0, 0.05, False)):
            p = cases.parameters(
                "deciding", conduct={"revision": revision, "variation": variation}, demography={"entry": 1.0}
            )
            after = cases.run("enter_firms", state, p)
            born = np.arange(rows, int(after.clock.rows[0]))
            born = born[after.firms.parent[born] >= 0]
            assert born.size > 10
            parents = after.firms.parent[born]
            ratio = after.firms.conduct[born, HOLDING] / after.firms.conduct[parents, HOLDING]
            assert after.firms.successor[born].all()
            np.testing.assert_array_equal(after.firms.lessons[born], after.firms.lessons[parents])
            np.testing.assert_array_equal(after.firms.family[born], after.firms.family[parents])
            if changed:
                assert 0.02 < np.log(ratio).std() < 0.1
                assert abs(np.log(ratio).mean()) < 0.05
            else:
                np.testing.assert_array_equal(after.firms.conduct[born], after.firms.conduct[parents])


class TestHabits:
    def test_what_a_firm_does_without_reasons_is_what_it_did_on_the_first_day(self) -> None:
        p, state, usual = cases.parameters("deciding"), cases.district("deciding"), np.zeros(len(TRAITS))
        for i in living(state):
            conduct.habits(state.firms[i], state.clock, p, p.history[0], usual)
            state.firms.key[i] = state.firms.family[i]
            conduct.first_conduct(i, state.firms, state.clock, p)
            np.testing.assert_array_equal(usual, state.firms.conduct[i])

    def test_differences_between_firms_last(self) -> None:
        table = simulate(load_scenario("baseline", {"run.quarters": 60, "world.globalisation": 0.0}), 0).indicators
        for trait in ("research", "exploration", "collective_action", "offshoring"):
            spread = table[f"conduct_{trait}_spread"]
            assert spread.iloc[-1] > 0.6 * spread.iloc[0], trait


class TestImposed:
    @pytest.mark.parametrize("situation", ["collective", "hierarchical", "restless", "supported"])
    def test_without_spread_and_revision_conduct_is_the_strategy_to_the_bit(self, situation: str) -> None:
        p = cases.parameters(situation, strategy_start=3, history={"pipelines": 0.7, "exploration": 0.3})
        state = cases.with_room(cases.initial_state(p, 1, 40))
        for quarter in range(8):
            state, _ = cases.quarter(state, p)
            s = p.history[0] if quarter < 3 else p.strategy[0]
            told = np.array([s[trait] for trait in TRAITS])
            np.testing.assert_array_equal(state.firms.conduct[living(state)], np.tile(told, (len(living(state)), 1)))

    def test_a_change_of_strategy_moves_conduct_by_the_difference(self) -> None:
        state = cases.district("deciding")
        was, alive = state.firms.conduct.copy(), state.firms.alive
        old = cases.parameters("deciding").strategy[0]
        p = cases.parameters("deciding", strategy={"offshoring": float(old["offshoring"]) + 0.25, "pipelines": 10.0})
        after = cases.run("adopt_strategy", state, p).firms.conduct
        np.testing.assert_allclose(after[alive, OFFSHORING], was[alive, OFFSHORING] + 0.25)
        pushed = np.minimum(10.0, was[alive, LINKING] + 10.0 - old["pipelines"])
        np.testing.assert_allclose(after[alive, LINKING], pushed)
        others = [trait for trait in range(len(TRAITS)) if trait not in (OFFSHORING, LINKING)]
        np.testing.assert_array_equal(after[:, others], was[:, others])

    def test_nothing_is_reviewed_before_the_first_quarter(self) -> None:
        p = cases.parameters("deciding", strategy_start=0)
        first = cases.initial_state(p, 3, 8)
        spread = p.conduct[0].spread
        around = np.log(first.firms.conduct[living(first), HOLDING] / p.history[0].reservation)
        assert 0.5 * spread < around.std() < 1.5 * spread
        later = cases.initial_state(cases.parameters("deciding", firms={"settling": 0}), 3, 8)
        np.testing.assert_array_equal(first.firms.conduct[:40], later.firms.conduct[:40])


class TestRealisedAccess:
    @staticmethod
    def access(lessons: float, alone: float = 0.1) -> float:
        state = cases.strangers()
        state.firms.lessons[A] = lessons
        p = parameters({"innovation": {"access_alone": alone, "lessons_half": 0.003}})
        return float(cases.run("innovate", state, p).firms.access[A])

    def test_alone_a_firm_realises_little_of_it(self) -> None:
        full = self.access(0.0, alone=1.0)
        assert full == self.access(1.0, alone=1.0) > 0.0
        assert self.access(0.0) == pytest.approx(0.1 * full)
        assert self.access(0.003) == pytest.approx(0.55 * full)
        assert self.access(1.0) == pytest.approx(full, rel=0.01)

    def test_lessons_follow_what_partners_teach(self) -> None:
        state, p = cases.strangers(), parameters({"innovation": {"lessons_memory": 0.1}})
        make_tie(state, A, B, 1.0)
        state.firms.tacit[A], state.firms.tacit[B], state.firms.lessons = 0.3, 0.6, 0.0
        after = cases.run("update_knowledge", state, p).firms
        assert after.lessons[A] > 0.0 == after.lessons[C]
        state.firms.lessons = 1.0
        assert cases.run("update_knowledge", state, p).firms.lessons[C] == pytest.approx(0.9)


class TestInstruments:
    @pytest.mark.parametrize("kind", ["exploration_grant", "rd_subsidy"])
    def test_exploration_grants_are_all_spent_on_exploring(self, kind: str) -> None:
        state = cases.district("calm")
        p = cases.parameters("calm", policies=[{"name": "it", "kind": kind, "start": 0, "budget": 20.0}])
        after = cases.run("run_market", cases.run("apply_policies", state, p), p)
        check_money(after)
        paid = after.accounts.money[PUBLIC] - cases.run("run_market", state, p).accounts.money[PUBLIC]
        assert after.firms.grant.sum() == pytest.approx(20.0)
        assert paid < 0.0
        served = 0
        for i in living(after):
            firm = after.firms[i]
            normal = p.innovation[0].research_cost * max(0.0, firm.value_added)
            if normal <= 0.0 or firm.research >= 5.0 or firm.research * normal < firm.grant:
                continue
            served += 1
            explored = exploring_share(firm) * firm.research * normal
            own = (firm.research * normal - firm.grant) * firm.conduct[EXPLORING]
            public = firm.grant * (1.0 if kind == "exploration_grant" else firm.conduct[EXPLORING])
            assert explored == pytest.approx(own + public)
        assert served > 20

    def test_grants_of_one_quarter_are_gone_in_the_next(self) -> None:
        item = {"name": "it", "kind": "exploration_grant", "start": 0, "end": 5, "budget": 20.0}
        p = cases.parameters("calm", policies=[item])
        first, _ = cases.quarter(cases.district("calm"), p)
        assert first.firms.explores_for_public.max() > 0.0
        second, _ = cases.quarter(first, p)
        assert not second.firms.explores_for_public.any()
        assert not second.firms.grant_exploring.any()

    @pytest.mark.parametrize("intensity", [0.0, 1.0, 10.0])
    def test_succession_support_finds_successors_and_loses_none(self, intensity: float) -> None:
        state = cases.district("calm")
        state.firms.successor[:40] = np.arange(40) % 2
        item = {"name": "it", "kind": "succession_support", "start": 0, "budget": 1e4, "intensity": intensity}
        after = cases.run("apply_policies", state, cases.parameters("calm", policies=[item]))
        found = after.firms.successor[:40]
        assert found[1::2].all()
        assert found[::2].mean() == pytest.approx(0.1 * intensity, abs=0.2 if intensity == 1.0 else 0.0)
        moved = after.accounts.money - state.accounts.money
        assert moved[WORLD] == pytest.approx(-moved[PUBLIC]) == pytest.approx(after.instruments.spent[0])
        assert moved[FIRMS] == 0.0


def test_one_more_firm_changes_no_other_firms_decisions() -> None:
    """To the bit, in every quarter, given the same state of everybody else."""
    p = cases.parameters("deciding")
    state, did_something = cases.district("deciding", 5, 1), set()
    for _ in range(12):
        rows = int(state.clock.rows[0])
        for process in ("run_agency", "review_conduct", "acquire", "bind_captives"):
            without = cases.run(process, state, p).firms[:rows]
            with_one_more = cases.run(process, with_hermit(state), p).firms[:rows]
            for name in without.dtype.names:
                np.testing.assert_array_equal(without[name], with_one_more[name], err_msg=f"{process}, {name}")
            if any((without[name] != state.firms[name][:rows]).any() for name in without.dtype.names):
                did_something.add(process)
        state, _ = cases.quarter(state, p)
    assert did_something == {"run_agency", "review_conduct", "acquire", "bind_captives"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_money_people_and_firms_balance_where_firms_decide(seed: int) -> None:
    p = cases.parameters("deciding")
    state = cases.district("deciding", seed, 0)
    people = float(state.accounts.people.sum())
    for _ in range(20):
        before = state.firms.alive.copy()
        state, row = cases.quarter(state, p)
        check_all(state, people, before, row.values())
