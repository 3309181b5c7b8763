"""What policy means: every instrument moves what it names, inside its window, within its budget, for its targets."""

from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import cases
from naive.common import is_foreign, living

from district_sim.instruments import KINDS, TARGETED, TARGETS, InstrumentKind, Targeting
from district_sim.run import simulate
from district_sim.scenario_files import load_scenario
from district_sim.state import AGENCY, FIRMS, PUBLIC, WORLD, State, copied

TO_FIRMS = {"training_vouchers": "education", "rd_subsidy": "grant", "export_vouchers": "voucher", "it_subsidy": "it"}


def offered(state: State, *items: dict[str, Any], **changes: Any) -> State:
    """Policy of one quarter."""
    base = {"budget": 30.0, "start": 0}
    policies = [{"name": item["kind"], **base, **item} for item in items]
    return cases.run("apply_policies", state, cases.parameters("calm", policies=policies, **changes))


class TestInstrumentsReachWhatTheyName:
    @pytest.mark.parametrize(("kind", "column"), TO_FIRMS.items())
    def test_firms(self, kind: str, column: str) -> None:
        state = cases.district()
        after = offered(state, {"kind": kind})
        alive = state.firms.alive
        assert (after.firms[column][alive] > state.firms[column][alive]).all()
        for other in set(TO_FIRMS.values()) - {column}:
            np.testing.assert_array_equal(after.firms[other], state.firms[other])
        assert after.instruments.served[0] == alive.sum()

    @pytest.mark.parametrize(
        ("kind", "column"),
        [
            ("technology_centre", "technology"),
            ("export_platform", "platform"),
            ("takeover_screening", "screening"),
            ("phase_support", "founders"),
            ("entrant_attraction", "entrants"),
            ("entrant_attraction_networked", "entrants"),
            ("ppp_match", "match_budget"),
            ("it_brokers", "brokers"),
        ],
    )
    def test_the_district(self, kind: str, column: str) -> None:
        none = offered(cases.district())
        after = offered(cases.district(), {"kind": kind})
        assert after.policy[column].sum() > none.policy[column].sum()
        touched = {"ppp_match": {"match", "match_budget"}}.get(kind, {column})
        for other in set(after.policy.dtype.names) - touched:
            np.testing.assert_array_equal(after.policy[other], none.policy[other])

    @pytest.mark.parametrize(
        ("item", "indicator", "sign"),
        [
            ({"kind": "training_vouchers", "budget": 100.0}, "education", 1),
            ({"kind": "rd_subsidy", "budget": 100.0}, "tacit_mean", 1),
            ({"kind": "technology_centre", "budget": 100.0}, "codified_mean", 1),
            ({"kind": "export_vouchers", "budget": 200.0}, "pipelines_per_firm", 1),
            ({"kind": "export_platform", "budget": 100.0}, "collective_inflow_share", 1),
            ({"kind": "ppp_match", "budget": 100.0}, "agency_fund_share", 1),
            ({"kind": "phase_support", "budget": 100.0}, "firms", 1),
            ({"kind": "entrant_attraction", "budget": 300.0}, "firms", 1),
            ({"kind": "entrant_attraction_networked", "budget": 300.0}, "firms", 1),
            ({"kind": "it_subsidy", "budget": 100.0}, "codified_mean", 1),
            ({"kind": "it_brokers", "budget": 100.0}, "codified_mean", 1),
            ({"kind": "takeover_screening", "budget": 100.0}, "mne_employment_share", -1),
        ],
    )
    def test_outcomes_after_some_quarters(self, item: dict[str, Any], indicator: str, sign: int) -> None:
        situation = "hierarchical" if item["kind"] == "takeover_screening" else "collective"
        item = {"name": "it", "start": 0, **item}
        p, without = (cases.parameters(situation, policies=policies) for policies in ([item], []))
        change = 0.0
        for seed in (1, 2, 3):
            state = cases.district(situation, seed, 0)
            change += cases.quarter(state, p, 8)[1][indicator] - cases.quarter(state, without, 8)[1][indicator]
        assert sign * change > 0.0

    def test_brokers_let_firms_meet_a_subsidy_alone_does_not(self) -> None:
        alone, brokered = (offered(cases.district(), {"kind": kind}) for kind in ("it_subsidy", "it_brokers"))
        assert alone.policy.brokers[0] == 1.0 < brokered.policy.brokers[0]
        np.testing.assert_allclose(alone.firms.it, brokered.firms.it)


class TestContest:
    CONTEST: ClassVar[dict[str, Any]] = {"kind": "cluster_contest", "budget": 50.0}

    @staticmethod
    def wins(participation: float) -> int:
        won = 0
        for seed in range(1, 31):
            state = cases.strangers()
            state.clock.seed[0] = seed
            state.agency.participation = state.agency.capability = participation
            won += bool(offered(state, TestContest.CONTEST).agency.fund[0] > 0.0)
        return won

    def test_organised_districts_win(self) -> None:
        assert self.wins(0.9) > 25 > 5 > self.wins(0.2)

    def test_the_award_pays_the_agency_for_its_term_and_then_ends(self) -> None:
        state = cases.strangers()
        state.agency.participation = state.agency.capability = 1.0
        paid = []
        for _ in range(6):
            state = offered(state, self.CONTEST, policy_effects={"contest_interval": 4})
            paid.append(float(state.instruments.spent[0]))
            state.clock.step[0] += 1
            if len(paid) == 2:
                state.agency.participation = state.agency.capability = 0.0
        assert paid == [50.0] * 4 + [0.0] * 2
        assert state.agency.fund[0] == 200.0 == state.accounts.money[AGENCY]

    @staticmethod
    def bids(participation: float, *starts: int, quarters: int = 1, seed: int = 1, interval: int = 8) -> np.ndarray:
        """Which contests paid in which quarter: (quarters, contests); the district's quality never changes."""
        state, paid = cases.strangers(), []
        state.clock.seed[0] = seed
        state.clock.step[0] = 0
        state.agency.participation = state.agency.capability = participation
        contests = [{**TestContest.CONTEST, "start": start} for start in starts]
        for _ in range(quarters):
            state = offered(state, *contests, policy_effects={"contest_interval": interval})
            paid.append(state.instruments.spent > 0.0)
            state.clock.step[0] += 1
        return np.array(paid)

    def test_two_contests_bid_separately(self) -> None:
        """Winning or losing one contest neither wins, nor loses, nor blocks another."""
        assert self.bids(1.0, 0, 0).all()
        outcomes = {tuple(self.bids(0.72, 0, 0, seed=seed)[0].tolist()) for seed in range(1, 41)}
        assert outcomes == {(False, False), (False, True), (True, False), (True, True)}

    def test_a_second_contest_leaves_the_first_as_it_is(self) -> None:
        for seed in range(1, 11):
            alone = self.bids(0.72, 0, quarters=12, seed=seed)
            np.testing.assert_array_equal(self.bids(0.72, 0, 3, quarters=12, seed=seed)[:, :1], alone)

    def test_every_contest_pays_from_its_own_award(self) -> None:
        paid = self.bids(1.0, 0, 2, quarters=6)
        np.testing.assert_array_equal(paid[:, 0], True)
        np.testing.assert_array_equal(paid[:, 1], np.arange(6) >= 2)

    def test_who_lost_bids_again_after_a_quarter_of_a_term(self) -> None:
        first_wins = []
        for seed in range(1, 61):
            paid = self.bids(0.72, 0, quarters=8, seed=seed)[:, 0]
            if not paid[0] and paid.any():
                first_wins.append(int(paid.argmax()))
        assert first_wins
        assert set(first_wins) <= {2, 4, 6}


class TestBudgets:
    @settings(max_examples=40, deadline=None)
    @given(
        served=st.sampled_from([(k, t) for k in KINDS for t in (TARGETS if k in TARGETED else (Targeting.ALL,))]),
        budget=st.floats(0.0, 1e5),
        share=st.floats(0.0, 0.5),
        situation=st.sampled_from(["calm", "supported"]),
    )
    def test_no_instrument_overspends(
        self, served: tuple[InstrumentKind, Targeting], budget: float, share: float, situation: str
    ) -> None:
        state = cases.district(situation)
        last = state.firms.alive & (state.firms.phase == 5)
        kind, target = served
        item = {"kind": kind, "target": target, "budget": budget, "budget_share": share, "intensity": 10.0}
        after = offered(state, item)
        total = budget + share * state.firms.sales[last].sum()
        report = after.instruments[0]
        assert -1e-9 <= report.spent <= total * (1 + 1e-12)
        assert report.spent + report.unspent == pytest.approx(total)
        paid = state.accounts.money[PUBLIC] - after.accounts.money[PUBLIC]
        assert paid == pytest.approx(report.spent, abs=1e-6)
        assert after.accounts.money.sum() == pytest.approx(0.0, abs=1e-6)

    def test_the_match_reports_what_the_agency_drew(self) -> None:
        twice = [{"name": str(n), "kind": "ppp_match", "start": 0, "budget": b} for n, b in enumerate((4.0, 12.0))]
        p = cases.parameters("collective", policies=twice)
        state, row = cases.quarter(cases.district("collective"), p)
        drawn = float(state.agency.matched[0])
        assert drawn > 0.0
        assert row["policy_spending"] == pytest.approx(drawn)
        np.testing.assert_allclose(state.instruments.spent, [drawn / 4, 3 * drawn / 4])
        np.testing.assert_allclose(state.instruments.spent + state.instruments.unspent, [4.0, 12.0])

    def test_grants_go_to_firms_services_to_the_world(self) -> None:
        for kind, account in (("rd_subsidy", FIRMS), ("training_vouchers", WORLD)):
            state = cases.district()
            after = offered(state, {"kind": kind})
            spent = after.instruments.spent[0]
            assert after.accounts.money[account] - state.accounts.money[account] == pytest.approx(spent)
            assert (after.firms.cash.sum() - state.firms.cash.sum() > 1.0) == (account == FIRMS)

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_zero_budget_is_no_policy_to_the_bit(self, kind: InstrumentKind) -> None:
        state = cases.district("collective")
        item = {"name": "nothing", "kind": kind, "start": 0, "budget": 0.0, "intensity": 10.0}
        with_it, _ = cases.quarter(state, cases.parameters("collective", policies=[item]), 2)
        without, _ = cases.quarter(state, cases.parameters("collective", policies=[]), 2)
        cases.assert_same_state(with_it._replace(instruments=without.instruments), without, exact=True)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("window", [(0, 4), (8, 20)])
    def test_nothing_happens_outside_the_window(self, kind: InstrumentKind, window: tuple[int, int]) -> None:
        state = cases.district("collective", 1, 4)
        item = {"name": "later", "kind": kind, "start": window[0], "end": window[1], "budget": 500.0}
        with_it, _ = cases.quarter(state, cases.parameters("collective", policies=[item]), 2)
        without, _ = cases.quarter(state, cases.parameters("collective", policies=[]), 2)
        cases.assert_same_state(with_it._replace(instruments=without.instruments), without, exact=True)

    @pytest.mark.parametrize(
        ("switch", "kinds"),
        [
            ("policy", KINDS),
            ("public_private_partnership", ("ppp_match",)),
            ("collective_pipelines", ("export_platform",)),
            ("demography", ("phase_support", "entrant_attraction", "entrant_attraction_networked")),
        ],
    )
    def test_switched_off_there_is_none(self, switch: str, kinds: tuple[str, ...]) -> None:
        items = [{"name": kind, "kind": kind, "start": 0, "budget": 50.0} for kind in kinds]
        state = cases.district("collective")
        off, row = cases.quarter(state, cases.parameters("collective", policies=items, mechanisms={switch: False}), 2)
        without, _ = cases.quarter(state, cases.parameters("collective", policies=[], mechanisms={switch: False}), 2)
        cases.assert_same_state(off._replace(instruments=without.instruments), without, exact=True)
        assert row["policy_spending"] == 0.0


class TestTargeting:
    @pytest.mark.parametrize("target", TARGETS)
    def test_only_those_admitted_are_served(self, target: str) -> None:
        state = cases.district("hierarchical", 1, 6)
        served = offered(state, {"kind": "rd_subsidy", "target": target}).firms.grant > 0.0
        f, t = state.firms, state.clock.step[0]
        admitted = {
            "all": f.alive,
            "small": f.employees < 10.0,
            "large": f.employees >= 10.0,
            "young": t - f.founded < 20,
            "local_owners": [i for i in living(state) if not is_foreign(state, i)],
            "final": f.phase == 5,
            "suppliers": f.phase < 5,
            "performing": f.profit > 0.1 * f.value_added,
            "random": f.alive,
        }[target]
        if target == "random":
            assert 0 < served.sum() < 0.5 * f.alive.sum()
            assert (f.alive | ~served).all()
        else:
            wanted = np.isin(np.arange(f.size), admitted) if isinstance(admitted, list) else f.alive & admitted
            np.testing.assert_array_equal(served, wanted)

    def test_groups_of_a_multinational_are_not_locally_owned(self) -> None:
        state = cases.strangers()
        state.firms.owner[3], state.firms.owner[4], state.firms.owner[6] = -2, 3, 5
        grant = offered(state, {"kind": "rd_subsidy", "target": "local_owners"}).firms.grant
        assert grant[3] == grant[4] == 0.0
        assert (grant[[0, 5, 6]] > 0.0).all()

    def test_the_random_fifth_stays_for_a_year(self) -> None:
        state = cases.district()
        item = {"kind": "rd_subsidy", "target": "random"}
        drawn = []
        for quarter in (8, 11, 12):
            state.clock.step[0] = quarter
            drawn.append(offered(state, item).firms.grant > 0.0)
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert (drawn[0] != drawn[2]).any()

    def test_screening_strength(self) -> None:
        """Full spending prevents the stated share; strength and spending both count."""
        weak, strong, rich = (
            offered(
                cases.district(), {"kind": "takeover_screening", "budget": budget, "intensity": intensity}
            ).policy.screening[0]
            for budget, intensity in ((0.05, 0.3), (0.05, 0.6), (1e6, 0.6))
        )
        assert strong == pytest.approx(2.0 * weak)
        assert strong < rich == pytest.approx(0.6, abs=0.01)


def test_credibility_is_lost_faster_than_won() -> None:
    """A match that is withdrawn destroys in a year what took years to build."""
    match = {"kind": "ppp_match"}
    state = cases.district()
    state.agency.credibility = 0.5
    won = offered(state, match).agency.credibility[0] - 0.5
    lost = 0.5 - offered(state).agency.credibility[0]
    assert lost == pytest.approx(4.0 * won)
    assert won > 0.0
    history = []
    for quarter in range(30):
        state = offered(copied(state), *([match] if quarter < 20 else []))
        history.append(float(state.agency.credibility[0]))
    assert history[19] == max(history)
    assert history[-1] < 0.2 * history[19]
    assert all(0.0 <= level <= 1.0 for level in history)


def test_a_lavish_share_of_turnover_finds_room_for_its_founders() -> None:
    """Budgets given as a share of turnover found firms too: the run keeps rows free for as many as can be paid for."""
    lavish = {"name": "founders", "kind": "phase_support", "start": 2, "budget_share": 0.3}
    run = simulate(load_scenario("baseline", {"firms.count": 300, "policies": [lavish]}), seed=0, quarters=4)
    assert run.indicators["entries"].max() > 300
