"""What collective agency means: conditional cooperation, a threshold, a match, capability that must be fed."""

from typing import Any

import numpy as np
import pytest
from naive import cases
from naive.common import make_tie, scheduled

from district_sim.model.processes.agency import expected_gain, participation_odds
from district_sim.model.state import AGENCY, FIRMS, PUBLIC, WORLD, State, copied

EAGER = {"response_action": 50.0, "leaders": 1.0, "affiliates": 1.0}  # readiness decides alone: all at 1, none at 0
PROJECTS = ("technology", "training", "pipelines", "brand", "phases", "values", "defence")

FIRST = slice(0, 1)


def mix(project: str | None = None) -> dict[str, float]:
    """A project mix: all for one project, or evenly spread."""
    return {f"project_{name}": 1.0 / 7.0 if project is None else float(name == project) for name in PROJECTS}


def ran(state: State, readiness: float = 1.0, project: str | None = None, **changes: Any) -> State:
    base = {"agency": EAGER, "strategy": {"collective_action": readiness, **mix(project)}}
    return cases.run("run_agency", state, cases.parameters("calm", **cases.merged(base, changes)))


def odds(state: State, **changes: Any) -> float:
    p = cases.parameters("calm", **changes)
    state, terms = cases.run("adopt_strategy", state, p), p.agency[0]
    net = expected_gain(state.agency, state.policy, 1e3, terms, p.market[0])
    return float(participation_odds(0, state.firms, state.ties, state.agency, net, terms))


class TestContributions:
    def test_are_a_share_of_value_added_and_reach_the_agency(self) -> None:
        state = cases.district()
        after = ran(state, agency={"contribution": 0.02})
        value = np.maximum(0.0, state.firms.value_added)
        np.testing.assert_allclose(state.firms.cash - after.firms.cash, 0.02 * value, atol=1e-9)
        assert after.agency.contributed[0] == pytest.approx(0.02 * value.sum())
        moved = after.accounts.money - state.accounts.money
        assert moved[FIRMS] == pytest.approx(-after.agency.contributed[0])
        assert moved[WORLD] + moved[AGENCY] == pytest.approx(-moved[FIRMS])
        assert after.agency.participation[0] == 1.0

    def test_below_the_threshold_everything_is_refunded(self) -> None:
        """A threshold public good: too little pledged, nothing taken, nothing done (Cadsby & Maynes 1999)."""
        state = cases.district()
        state.agency.capability = 0.5
        after = ran(state, agency={"contribution": 0.01, "threshold": 0.0101})
        np.testing.assert_array_equal(after.firms.cash, state.firms.cash)
        np.testing.assert_array_equal(after.accounts.money, state.accounts.money)
        assert after.agency.contributed[0] == after.agency.matched[0] == 0.0
        assert not after.agency.effect.any()
        assert after.agency.capability[0] < 0.5
        above = ran(state, agency={"contribution": 0.01, "threshold": 0.0099})
        assert above.agency.contributed[0] > 0.0
        assert above.agency.effect.all()

    def test_refunded_pledges_are_no_participation(self) -> None:
        """Whoever got the money back is not rewarded as a member: no trust, no identity, no training, no brand."""
        idle, refunded = cases.district(), cases.district()
        for state in (idle, refunded):
            state.agency.capability, state.agency.brand, state.agency.pipelines = 0.5, 0.5, 0.5
            state.firms.participates = state.firms.alive  # what was last quarter's counts no more
        idle = ran(idle, agency={"contribution": 0.0})
        refunded = ran(refunded, agency={"contribution": 0.01, "threshold": 0.0101})
        assert refunded.firms.pledges[refunded.firms.alive].all()
        assert not refunded.firms.participates.any()
        assert refunded.agency.participation[0] == refunded.agency.incumbents[0] == 0.0
        p = cases.parameters("calm")
        returned = float(cases.run("update_trust", refunded, p).ties.trust.sum())
        for process in scheduled()[scheduled().index("run_agency") + 1 :]:
            idle, refunded = cases.run(process, idle, p), cases.run(process, refunded, p)
        refunded.firms.pledges = idle.firms.pledges
        cases.assert_same_state(refunded, idle, exact=True)
        members = ran(cases.district(), agency={"contribution": 0.01, "threshold": 0.0099})
        assert cases.run("update_trust", members, p).ties.trust.sum() > returned

    def test_a_match_can_lift_pledges_over_the_threshold(self) -> None:
        state = cases.district()
        state.policy.match, state.policy.match_budget = 1.0, 1e6
        after = ran(state, agency={"contribution": 0.01, "threshold": 0.015})
        assert after.agency.matched[0] == pytest.approx(after.agency.contributed[0])
        assert after.accounts.money[PUBLIC] - state.accounts.money[PUBLIC] == pytest.approx(-after.agency.matched[0])

    def test_the_match_is_bounded_by_its_budget(self) -> None:
        state = cases.district()
        state.policy.match, state.policy.match_budget = 2.0, 0.5
        assert ran(state).agency.matched[0] == 0.5

    def test_without_readiness_there_is_no_match_either(self) -> None:
        state = cases.district()
        state.policy.match, state.policy.match_budget = 1.0, 1e6
        after = ran(state, readiness=0.0)
        assert after.agency.participation[0] < 0.1
        assert after.agency.matched[0] < 0.1 * ran(state).agency.matched[0]

    def test_switched_off_nobody_contributes(self) -> None:
        after = ran(cases.district("collective"), mechanisms={"collective_agency": False})
        assert after.agency.participation[0] == after.agency.contributed[0] == 0.0
        assert not after.firms.participates.any()

    def test_incumbents_share_is_that_of_contributors_behind_the_newest_trajectory(self) -> None:
        state = cases.district()
        assert ran(state).agency.incumbents[0] == 0.0
        state.world.newest = 1
        assert ran(state).agency.incumbents[0] == pytest.approx(1.0)
        state.firms.technology = 1
        assert ran(state).agency.incumbents[0] == 0.0


class TestConditionalCooperation:
    @pytest.mark.parametrize("cause", ["identity", "partners", "capability", "credibility", "readiness"])
    def test_participation_rises_with(self, cause: str) -> None:
        state = cases.strangers()
        make_tie(state, 0, 1, 0.8)
        plain = odds(state)
        changes: dict[str, Any] = {}
        if cause == "identity":
            state.firms.identity[0] += 0.2
        elif cause == "partners":
            state.firms.pledges[1] = 1.0
        elif cause == "readiness":
            changes = {"strategy": {"collective_action": 0.9}}
        else:
            state.agency[cause] = 0.8
        assert odds(state, **changes) > plain

    def test_trusted_partners_count_more(self) -> None:
        def with_contributor(trust: float) -> float:
            state = cases.strangers()
            make_tie(state, 0, 1, trust)
            make_tie(state, 0, 2, 0.5)
            state.firms.pledges[1] = 1.0
            return odds(state)

        assert with_contributor(0.9) > with_contributor(0.1)

    def test_pledges_are_seen_even_when_they_were_returned(self) -> None:
        """Willing partners keep one another willing until the threshold is reached."""
        state = cases.district()
        returned = ran(state, agency={"contribution": 0.01, "threshold": 0.5})
        assert not returned.firms.participates.any()
        silent = copied(returned)
        silent.firms.pledges = 0.0
        assert odds(returned) > odds(silent)

    def test_cut_co_production_ignores_proven_capability(self) -> None:
        state = cases.strangers()
        plain = odds(state, mechanisms={"co_production": False})
        state.agency.capability = 1.0
        assert odds(state, mechanisms={"co_production": False}) == plain

    def test_affiliates_leaders_and_captives_contribute_less(self) -> None:
        def share(who: slice, owner: int = -1, captor: int = -1, owner_of_first: int = -1) -> float:
            """How often the firms `who` pledge when all but the first have this owner and captor."""
            state, joined = cases.district(), []
            state.firms.owner[1:40], state.firms.captor[1:40] = owner, captor
            state.firms.owner[0], state.firms.captor[0] = owner_of_first, -1
            for step in range(4, 104 if who == FIRST else 24):
                state.clock.step[0] = step
                after = ran(state, agency={"affiliates": 0.2, "leaders": 0.6})
                joined.append(after.firms.pledges[who][after.firms.alive[who]].mean())
            return float(np.mean(joined))

        rest = slice(1, 40)
        assert share(rest, owner=-2) == pytest.approx(0.2, abs=0.05)
        assert share(rest, owner=0) == pytest.approx(0.6, abs=0.05)
        assert share(rest, captor=0) == pytest.approx(0.6, abs=0.05)
        assert share(rest) == share(FIRST) == 1.0
        assert share(FIRST, owner=0) == pytest.approx(0.6, abs=0.15)  # the group's leader itself
        assert share(FIRST, captor=0) == 1.0
        assert share(rest, owner=0, owner_of_first=-2) == pytest.approx(0.2, abs=0.05)  # a multinational's group

    def test_a_leader_without_living_members_is_like_any_other(self) -> None:
        state = cases.district()
        state.firms.owner, state.firms.captor = -1, -1
        state.firms.owner[1], state.firms.alive[1] = 0, False
        assert ran(state, agency={"leaders": 0.0}).firms.pledges[0] == 1.0
        state.firms.alive[1] = True
        assert ran(state, agency={"leaders": 0.0}).firms.pledges[0] == 0.0


class TestCapability:
    @staticmethod
    def after(quarters: int, contribution: float, start: float = 0.0) -> float:
        state = cases.district()
        state.agency.capability = start
        for _ in range(quarters):
            state = ran(state, agency={"contribution": contribution})
        return float(state.agency.capability[0])

    def test_rises_concavely_with_the_fund(self) -> None:
        levels = [self.after(300, c) for c in (0.005, 0.01, 0.02, 0.04)]
        gains = np.diff(levels) / np.diff([0.005, 0.01, 0.02, 0.04])
        assert (gains > 0.0).all()
        assert (np.diff(gains) < 0.0).all()
        assert levels[-1] < 1.0

    def test_is_lost_when_it_is_not_fed(self) -> None:
        assert self.after(10, 0.0, start=0.8) < 0.6


class TestProjects:
    @pytest.mark.parametrize("project", PROJECTS)
    def test_money_goes_where_the_mix_says(self, project: str) -> None:
        state = cases.district()
        state.agency.capability = 0.8
        effect = ran(state, project=project).agency.effect[0]
        chosen = PROJECTS.index(project)
        assert 0.3 < effect[chosen] < 1.0
        assert not np.delete(effect, chosen).any()

    def test_an_incapable_agency_wastes_its_money(self) -> None:
        able, unable = cases.district(), cases.district()
        able.agency.capability, unable.agency.capability = 0.9, 0.1
        assert (ran(able).agency.effect > 2.0 * ran(unable).agency.effect).all()

    def test_training_reaches_members_only(self) -> None:
        state = cases.district()
        state.agency.capability = 0.9
        after = ran(state, readiness=0.5, project="training", agency={"response_action": 1.0, "education_gain": 0.5})
        member = after.firms.participates > 0.0
        assert 0 < member.sum() < 40
        assert (after.firms.education[member] > state.firms.education[member]).all()
        np.testing.assert_array_equal(after.firms.education[~member], state.firms.education[~member])

    def test_brand_and_collective_pipelines_grow_slowly(self) -> None:
        state, brand, strength = cases.district(), [0.0], [0.0]
        state.agency.capability, state.agency.pipelines = 0.9, 0.0
        for _ in range(6):
            state = ran(state)
            brand.append(float(state.agency.brand[0]))
            strength.append(float(state.agency.pipelines.mean()))
        assert (np.diff(brand) > 0.0).all()
        assert (np.diff(strength) > 0.0).all()
        assert max(brand[-1], strength[-1]) < 1.0

    def test_switched_off_collective_pipelines_stay_closed(self) -> None:
        state = cases.district()
        state.agency.capability = 0.9
        assert ran(state).agency.pipelines.any()
        assert not ran(state, mechanisms={"collective_pipelines": False}).agency.pipelines.any()
