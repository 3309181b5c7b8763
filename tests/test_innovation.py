"""What innovation means: fading increments, a fresh start on the next trajectory, lock-ins, access to networks."""

from typing import Any

import numpy as np
import pytest
from naive import cases
from naive.common import living, make_tie

from district_sim.model.processes.innovation import access_to_networks, increments_expected, offered_by, switching_cost
from district_sim.model.state import ADOPTIONS, INCREMENTS, RADICAL, TECHNOLOGY, State

A, B = 0, 1
RIPE = {"first_ripening": 0, "ripening_interval": 1000, "quality_jump": 0.25}
STILL = {
    "exploitation": 0.0,
    "exploration": 0.0,
    "increment_rate": 0.0,
    "increment_interaction": 0.0,
    "decision_rate": 0.0,
}


def innovation(situation: str = "calm", **rates: Any) -> Any:
    return cases.parameters(situation, technology=RIPE, innovation={**STILL, **rates})


def ripe(state: State) -> State:
    """The second trajectory has become feasible, everybody knows enough for it."""
    state.world.newest, state.world.frontier = 1, 5.0
    state.firms.tacit, state.firms.codified, state.firms.increments = 2.0, 2.0, 0
    return state


def test_gain_per_increment_falls_along_a_trajectory() -> None:
    """Gordon 2012: each increment adds less than the one before."""
    state, quality = cases.strangers(), []
    for increments in range(12):
        state.firms.increments = increments
        quality.append(cases.run("innovate", state, innovation()).firms.quality[A])
    gains = np.diff(quality)
    assert (gains > 0.0).all()
    assert (np.diff(gains) < 0.0).all()
    fading = innovation().innovation[0].increment_fading
    np.testing.assert_allclose(gains[1:] / gains[:-1], fading)


def test_a_switch_resets_tenure_and_diminishing_returns() -> None:
    state = ripe(cases.strangers())
    state.firms.increments, state.firms.tenure = 10, 5
    p = innovation(decision_rate=1.0, switching_base=0.0, lockin_functional=0.0)
    after = cases.run("innovate", state, p)
    switched = after.firms.technology == 1
    assert switched.any()
    assert (after.firms.increments[switched] == 0).all()
    assert (after.firms.tenure[switched] == 0).all()

    def gain_of_next(firms: State) -> float:
        firms.firms.increments += 1
        more = cases.run("innovate", firms, innovation())
        return float(more.firms.quality[A] / firms.firms.quality[A] - 1.0)

    before = cases.run("innovate", state, innovation())
    assert gain_of_next(after) > 3.0 * gain_of_next(before)


def test_increments_come_from_exploiting_research() -> None:
    state = cases.strangers()
    state.firms.research = 1.0
    alone = {"increment_rate": 1.0, "increment_interaction": 0.0}
    busy = cases.run("innovate", state, innovation(**alone))
    assert busy.tally[INCREMENTS] > state.tally[INCREMENTS] + 5
    state.firms.research = 0.0
    idle = cases.run("innovate", state, innovation(**alone))
    assert idle.tally[INCREMENTS] == state.tally[INCREMENTS]


def test_increments_come_from_what_partners_taught() -> None:
    state = cases.strangers()
    state.firms.research, state.firms.inflow_local = 0.0, 0.5
    assert increments_expected(state.firms[A], 0.1, innovation(increment_interaction=3.0).innovation[0]) == 1.5
    taught = cases.run("innovate", state, innovation(increment_interaction=10.0))
    assert taught.tally[INCREMENTS] > state.tally[INCREMENTS] + 5
    state.firms.inflow_local = 0.0
    untaught = cases.run("innovate", state, innovation(increment_interaction=10.0))
    assert untaught.tally[INCREMENTS] == state.tally[INCREMENTS]


class TestLockIn:
    """The lead that the next trajectory must promise (Grabher 1993)."""

    @staticmethod
    def cost(state: State, **rates: Any) -> float:
        p = cases.parameters("calm", innovation=rates)
        return float(switching_cost(A, state.firms, state.ties, state.agency, p.innovation[0], p.knowledge[0]))

    def test_functional_grows_with_tenure(self) -> None:
        costs = []
        for tenure in (0, 10, 40, 400):
            state = cases.strangers()
            state.firms.tenure[A] = tenure
            costs.append(self.cost(state, lockin_functional=0.4, switching_base=0.1))
        assert costs[0] == pytest.approx(0.1)
        assert costs == sorted(costs)
        assert costs[-1] == pytest.approx(0.5, abs=1e-3)

    def test_cognitive_grows_with_trusted_partners_who_stay(self) -> None:
        state = cases.strangers()
        alone = self.cost(state)
        make_tie(state, A, B, 0.9)
        one = self.cost(state)
        make_tie(state, A, 2, 0.9)
        assert self.cost(state) > one > alone
        state.firms.technology[[B, 2]] = 1
        assert self.cost(state) == pytest.approx(alone)

    def test_distrusted_partners_do_not_bind(self) -> None:
        state = cases.strangers()
        alone = self.cost(state)
        make_tie(state, A, B, 0.3)
        assert self.cost(state) == alone

    def test_political_grows_with_incumbents_grip_on_a_strong_agency(self) -> None:
        state = cases.strangers()
        alone = self.cost(state)
        state.agency.incumbents, state.agency.participation, state.agency.capability = 1.0, 0.9, 0.8
        assert self.cost(state) > alone
        state.agency.incumbents = 0.0
        assert self.cost(state) == alone

    def test_switched_off_only_the_base_is_left(self) -> None:
        state = cases.strangers()
        state.firms.tenure[A] = 400
        make_tie(state, A, B, 1.0)
        state.agency.incumbents, state.agency.participation, state.agency.capability = 1.0, 1.0, 1.0
        p = cases.parameters("calm", mechanisms={"path_dependency": False})
        assert (
            switching_cost(A, state.firms, state.ties, state.agency, p.innovation[0], p.knowledge[0])
            == p.innovation[0].switching_base
        )

    def test_keeps_firms_on_the_old_trajectory(self) -> None:
        def switches(tenure: int, trust: float) -> int:
            state = ripe(cases.strangers())
            state.firms.tenure = tenure
            for i in living(state)[::2]:
                make_tie(state, i, i + 1, trust)
            p = innovation(decision_rate=1.0, lockin_functional=0.4, lockin_cognitive=1.0, switching_base=0.0)
            return int(cases.run("innovate", state, p).firms.technology.sum())

        assert switches(0, 0.0) == 40
        assert switches(400, 0.0) == 0
        assert switches(0, 1.0) == 0


class TestRadicalInnovation:
    def test_first_switches_are_radical_later_ones_adopt(self) -> None:
        p = innovation(decision_rate=1.0, switching_base=0.0, lockin_functional=0.0, pioneers=0.3)
        for ahead, kind in ((5, RADICAL), (20, ADOPTIONS)):
            state = ripe(cases.strangers())
            state.tally[:] = 0.0
            state.firms.technology[:ahead] = 1
            tally = cases.run("innovate", state, p).tally
            assert tally[kind] == 40 - ahead
            assert tally[[RADICAL, ADOPTIONS]].sum() == 40 - ahead

    def test_unripe_trajectories_are_out_of_reach(self) -> None:
        state = ripe(cases.strangers())
        state.world.newest = 0
        assert not cases.run(
            "innovate", state, innovation(decision_rate=1.0, switching_base=0.0)
        ).firms.technology.any()

    def test_switched_off_nobody_explores_or_switches(self) -> None:
        p = cases.parameters("open", mechanisms={"radical_innovation": False})
        state = cases.district("open", 1, 0)
        after, row = cases.quarter(state, p, 12)
        assert not after.firms.technology.any()
        assert row["radical_rate"] == row["adoption_rate"] == 0.0
        on, _ = cases.quarter(state, cases.parameters("open"), 12)
        assert on.firms.technology.any()

    def test_needs_distant_knowledge_through_networks(self) -> None:
        """The same exploration yields more with a pipeline, a partner's, the agency's or public transfer."""
        p = cases.parameters("calm", innovation={**STILL, "exploration": 0.3}, strategy={"exploration": 1.0})

        def explored(state: State) -> float:
            after = cases.run("innovate", state, p)
            strongest, offered = state.pipelines.strength.max(axis=1), offered_by(state.agency)
            access = access_to_networks(
                A, state.firms, state.ties, state.pipelines, strongest, offered, state.policy, p.innovation[0]
            )
            assert 0.0 <= access <= 1.0
            return float(after.firms.tacit[A].sum() - state.firms.tacit[A].sum())

        def changed(**parts: Any) -> State:
            state = cases.strangers()
            state.firms.research = 1.0
            for name, value in parts.items():
                if name == "pipeline":
                    state.pipelines.node[value, 0], state.pipelines.strength[value, 0] = 0, 1.0
                elif name == "tie":
                    make_tie(state, A, B, 1.0)
                elif name == "member":
                    state.firms.participates[A] = state.firms.served[A] = value
                elif name == "agency":
                    state.agency.pipelines, state.agency.effect[0, TECHNOLOGY] = value, value
                else:
                    state.policy.technology = value
            return state

        cut_off = explored(changed())
        assert (
            0.0 < cut_off == explored(changed(agency=0.5)) == explored(changed(pipeline=B)) == explored(changed(tie=1))
        )
        better = [changed(pipeline=A), changed(pipeline=B, tie=1), changed(agency=0.5, member=1.0), changed(centre=0.5)]
        assert all(explored(state) > cut_off for state in better)

    def test_research_is_bound_by_the_frontier(self) -> None:
        state = cases.strangers()
        state.firms.tacit[:] = state.world.frontier[0]
        state.firms.research = 5.0
        p = cases.parameters(
            "calm", innovation={"exploration": 1.0, "exploitation": 1.0}, strategy={"exploration": 0.5}
        )
        np.testing.assert_array_equal(cases.run("innovate", state, p).firms.tacit, state.firms.tacit)


def test_quality_ceiling_rises_from_trajectory_to_trajectory() -> None:
    state = ripe(cases.strangers())
    old = cases.run("innovate", state, innovation()).firms.quality[A]
    state.firms.technology = 1
    assert cases.run("innovate", state, innovation()).firms.quality[A] > 1.1 * old
