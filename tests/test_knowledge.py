"""What learning means: tacit knowledge needs trust and meetings, codified travels, nobody outruns a sender."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import cases
from naive.common import make_tie

from district_sim.kernels.compile import kernel
from district_sim.kernels.vectors import exp_of_negative, load, square_eight, total
from district_sim.model.scratch import aligned_rows
from district_sim.model.state import TECHNOLOGY, State

ASLEEP = {
    "socialisation": 0.0,
    "externalisation": 0.0,
    "combination": 0.0,
    "internalisation": 0.0,
    "learning_by_doing": 0.0,
    "tacit_decay": 0.0,
    "codified_decay": 0.0,
}
A, B = 0, 1


@kernel
def _exponentials(x: Any, out: Any) -> None:
    for i in range(x.size):
        out[i] = exp_of_negative(x[i])


@pytest.mark.parametrize(("lowest", "error"), [(-1.0, 2e-7), (-87.0, 4e-6)])
def test_the_exponential_is_as_exact_as_it_says(lowest: float, error: float) -> None:
    x = np.linspace(lowest, 0.0, 100_001).astype(np.float32)
    out = np.empty_like(x)
    _exponentials(x, out)
    np.testing.assert_allclose(out.astype(np.float64), np.exp(x.astype(np.float64)), rtol=error)
    assert out[-1] == 1.0


@kernel
def _squares(rows: Any, first: Any, together: Any, apart: Any) -> None:
    square_eight(rows, np.uint64(first), together)
    for k in range(8):
        apart[first + k] = total(load(rows[first + k].gap) * load(rows[first + k].gap))


@pytest.mark.parametrize("domains", [1, 2, 3, 7, 8, 11, 16])
def test_eight_sums_of_squares_are_those_of_one_at_a_time(domains: int) -> None:
    rows = aligned_rows(30, np.dtype([("gap", np.float32, (domains,))]))
    rows.gap = np.random.default_rng(domains).normal(size=rows.gap.shape)
    together, apart = np.full(30, -1.0, np.float32), np.full(30, -1.0, np.float32)
    _squares(rows, 11, together, apart)
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_allclose(together[11:19], (rows.gap[11:19].astype(np.float64) ** 2).sum(axis=1), rtol=1e-6)
    assert (together[:11] == -1.0).all()
    assert (together[19:] == -1.0).all()


def knowledge(**rates: Any) -> Any:
    """Parameters with every conversion asleep but those given."""
    return cases.parameters("calm", knowledge={**ASLEEP, **rates})


def two_firms(trust: float = 0.9, km: float = 0.0) -> State:
    """Two firms among strangers: A knows little, B much; tied with the given trust, so many km apart."""
    state = cases.strangers()
    f = state.firms
    f.tacit[A], f.tacit[B] = 0.4, np.linspace(0.4, 0.9, 8)
    f.codified[A], f.codified[B] = 0.2, 0.6
    f.absorptive, f.it = 0.5, 0.0
    f.x[B], f.y[B] = f.x[A] + km, f.y[A]
    make_tie(state, A, B, trust)
    return state


def learned(state: State, p: Any, i: int = A) -> tuple[float, float]:
    """Tacit and codified knowledge that firm i gained in one quarter."""
    after = cases.run("update_knowledge", state, p).firms[i]
    before = state.firms[i]
    return float((after.tacit - before.tacit).sum()), float((after.codified - before.codified).sum())


class TestTacitKnowledge:
    P = staticmethod(lambda **k: knowledge(socialisation=0.5, **k))

    def test_moves_face_to_face_between_trusted_partners(self) -> None:
        tacit, codified = learned(two_firms(), self.P())
        assert tacit > 0.01
        assert codified == 0.0

    @pytest.mark.parametrize("trust", [0.0, 0.3, 0.5])
    def test_does_not_move_without_trust(self, trust: float) -> None:
        assert learned(two_firms(trust), self.P())[0] == 0.0

    def test_does_not_move_without_meeting(self) -> None:
        assert learned(two_firms(1.0), self.P(interaction=0.0))[0] == 0.0

    def test_does_not_move_without_a_tie(self) -> None:
        state = cases.strangers()
        after = cases.run("update_knowledge", state, self.P())
        np.testing.assert_array_equal(after.firms.tacit, state.firms.tacit)

    def test_moves_less_the_farther_and_the_less_trusted(self) -> None:
        gains = [learned(two_firms(trust, km), self.P())[0] for trust, km in ((1, 0), (0.7, 0), (0.7, 5), (0.7, 50))]
        assert gains == sorted(gains, reverse=True)
        assert gains[-1] < 0.01 * gains[0]

    def test_more_ties_do_not_mean_free_learning(self) -> None:
        """Attention is shared: ten partners who all know the same teach less than ten times what one does."""
        one = learned(two_firms(), self.P())[0]
        state = two_firms()
        for j in range(2, 11):
            for name in ("tacit", "x", "y"):
                state.firms[name][j] = state.firms[name][B]
            make_tie(state, A, j, 0.9)
        assert one < learned(state, self.P())[0] < 2.5 * one

    def test_nobody_learns_what_a_partner_does_not_know_better(self) -> None:
        assert learned(two_firms(), self.P(), B)[0] == 0.0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), trust=st.floats(0, 1), rate=st.floats(0, 1), it=st.floats(0, 1))
def test_learning_never_pushes_a_receiver_beyond_its_best_sender(
    seed: int, trust: float, rate: float, it: float
) -> None:
    rng = np.random.default_rng(seed)
    state = two_firms(trust)
    for j in range(2, 6):
        make_tie(state, A, j, trust)
    state.firms.tacit, state.firms.codified = (rng.random(state.firms.tacit.shape) ** 2 for _ in range(2))
    state.firms.it, state.firms.absorptive = it, 1.0
    after = cases.run("update_knowledge", state, knowledge(socialisation=rate, combination=rate, it_codified=10.0))
    for name in ("tacit", "codified"):
        best = state.firms[name][A:6].max(axis=0)
        assert (after.firms[name][A] <= best * (1 + 1e-6)).all()
        assert (after.firms[name][A] >= state.firms[name][A]).all()


def test_learning_peaks_at_an_intermediate_cognitive_distance() -> None:
    """Inverted U: a twin has nothing to teach, a stranger cannot be understood (Nooteboom et al. 2007)."""
    angles = np.linspace(0.0, np.pi / 2, 19)
    p, gains = knowledge(socialisation=0.5), []
    for angle in angles:
        state = two_firms()
        state.firms.tacit[A], state.firms.tacit[B] = 0.0, 0.0
        state.firms.tacit[A, 0] = 1.0
        state.firms.tacit[B, :2] = np.cos(angle), np.sin(angle)
        gains.append(learned(state, p)[0])
    peak = int(np.argmax(gains))
    assert gains[0] == 0.0
    assert 2 < peak < 16
    assert gains[-1] < 0.6 * gains[peak]
    assert np.all(np.diff(gains[: peak + 1]) > 0)
    assert np.all(np.diff(gains[peak:]) < 0)


class TestConversions:
    """The four conversions of Nonaka & Takeuchi have a rate each, and each moves only what it names."""

    @pytest.mark.parametrize(
        ("rate", "moves"),
        [("socialisation", "tacit"), ("externalisation", "codified"), ("combination", "codified")],
    )
    def test_each_moves_one_kind(self, rate: str, moves: str) -> None:
        gain = dict(zip(("tacit", "codified"), learned(two_firms(), knowledge(**{rate: 0.3})), strict=True))
        assert gain.pop(moves) > 1e-3
        assert list(gain.values()) == [0.0]

    def test_internalisation_turns_codified_into_tacit_by_experience(self) -> None:
        state = two_firms()
        state.firms.codified[A] = 1.0
        state.firms.experience[A] = 0.2
        novice, _ = learned(state, knowledge(internalisation=0.3))
        state.firms.experience[A] = 1.0
        master, codified = learned(state, knowledge(internalisation=0.3))
        assert master > novice > 0.0
        assert codified == 0.0

    def test_collaboration_and_technology_projects_help_to_write_down(self) -> None:
        state, p = two_firms(), knowledge(externalisation=0.1)
        state.firms.collaboration[A] = 0.0
        plain = learned(state, p)[1]
        state.firms.collaboration[A] = 1.0
        collaborating = learned(state, p)[1]
        state.agency.effect[0, TECHNOLOGY] = 0.5
        assert learned(state, p)[1] == collaborating
        state.firms.participates[A] = state.firms.served[A] = 1.0
        assert learned(state, p)[1] > collaborating > plain > 0.0

    def test_everything_asleep_changes_nothing(self) -> None:
        assert learned(two_firms(), knowledge()) == (0.0, 0.0)

    def test_knowledge_decays_unless_used(self) -> None:
        tacit, codified = learned(cases.strangers(), knowledge(tacit_decay=0.1, codified_decay=0.2))
        before = cases.strangers().firms[A]
        assert tacit == pytest.approx(-0.1 * before.tacit.sum())
        assert codified == pytest.approx(-0.2 * before.codified.sum())

    def test_learning_by_doing_stops_at_the_frontier(self) -> None:
        state, p = cases.strangers(), knowledge(learning_by_doing=1.0)
        assert learned(state, p)[0] > 0.0
        state.firms.tacit[A] = state.world.frontier[0]
        assert learned(state, p)[0] == 0.0


class TestCodifiedKnowledge:
    P = staticmethod(lambda **k: knowledge(combination=0.5, **k))

    def test_travels_any_distance(self) -> None:
        assert learned(two_firms(km=0.0), self.P())[1] == learned(two_firms(km=500.0), self.P())[1] > 0.0

    def test_comes_through_own_pipelines_without_any_local_trust(self) -> None:
        state = cases.strangers()
        assert learned(state, self.P())[1] == 0.0
        state.pipelines.node[A, 0], state.pipelines.strength[A, 0] = 7, 1.0
        tacit, codified = learned(state, self.P())
        assert codified > 0.01
        assert tacit == 0.0

    def test_collective_pipelines_serve_members_only(self) -> None:
        state = cases.strangers()
        state.agency.pipelines = 1.0
        assert learned(state, self.P())[1] == 0.0
        state.firms.participates[A] = state.firms.served[A] = 1.0
        after = cases.run("update_knowledge", state, self.P())
        assert after.firms.inflow_collective[A] > 0.0
        assert after.firms.inflow_collective[B] == 0.0
        assert after.firms.inflow[A] == 0.0

    @pytest.mark.parametrize(("passed_on", "expected"), [(1.0, 1.0), (0.4, 0.4), (0.0, 0.0)])
    def test_gatekeepers_pass_on_a_share(self, passed_on: float, expected: float) -> None:
        plain = learned(two_firms(), self.P())[1]
        state = two_firms()
        state.pipelines.node[B, 0], state.pipelines.strength[B, 0] = 0, 1.0
        assert learned(state, self.P(gatekeeping=passed_on))[1] == pytest.approx(expected * plain)

    def test_partners_without_pipelines_pass_on_whatever_gatekeepers_do(self) -> None:
        assert learned(two_firms(), self.P(gatekeeping=0.0))[1] > 0.0


class TestInformationTechnology:
    """IT multiplies human interaction (Sanders 2007)."""

    @staticmethod
    def gains(it: float, **k: Any) -> tuple[float, float]:
        state = two_firms()
        state.firms.it = it
        state.pipelines.node[A, 0], state.pipelines.strength[A, 0] = 7, 0.5
        return learned(state, knowledge(socialisation=0.2, combination=0.2, **k))

    def test_changes_nothing_where_nobody_meets(self) -> None:
        assert self.gains(1.0, interaction=0.0) == self.gains(0.0, interaction=0.0) == (0.0, 0.0)

    def test_amplifies_codified_more_than_tacit(self) -> None:
        without, with_it = self.gains(0.0, interaction=0.4), self.gains(1.0, interaction=0.4)
        tacit, codified = (b / a for a, b in zip(without, with_it, strict=True))
        assert 1.0 < tacit < codified

    def test_needs_both_sides(self) -> None:
        state, p = two_firms(), knowledge(combination=0.2, interaction=0.4)
        plain = learned(state, p)
        state.firms.it[A] = 1.0
        assert learned(state, p) == plain

    def test_brokers_act_through_meetings(self) -> None:
        state, p = two_firms(0.8), knowledge(socialisation=0.2)
        plain = learned(state, p)[0]
        state.policy.brokers = 1.5
        assert learned(state, p)[0] > plain
        assert learned(state, knowledge(socialisation=0.2, interaction=0.0))[0] == 0.0


class TestAbsorptiveCapacity:
    @pytest.mark.parametrize("cause", ["education", "research", "experience", "tacit"])
    def test_rises_with_each_cause(self, cause: str) -> None:
        p, state = knowledge(), cases.strangers()
        state.firms[cause][A] = 0.1
        low = cases.run("update_knowledge", state, p).firms.absorptive[A]
        state.firms[cause][A] = 0.9
        high = cases.run("update_knowledge", state, p).firms.absorptive[A]
        assert 0.0 <= low < high <= 1.0

    def test_switched_off_everybody_has_a_half(self) -> None:
        p = cases.parameters("calm", mechanisms={"absorptive_capacity": False})
        after = cases.run("update_knowledge", cases.district(), p)
        assert (after.firms.absorptive[after.firms.alive] == 0.5).all()

    def test_able_firms_learn_more_and_from_farther(self) -> None:
        def gain(absorptive: float, apart: float) -> float:
            state = two_firms()
            state.firms.absorptive[A] = absorptive
            state.firms.tacit[A] = 0.0
            state.firms.tacit[A, 0] = state.firms.tacit[B, 0] = 0.5
            state.firms.tacit[B, 1:] = apart
            return learned(state, knowledge(socialisation=0.3))[0]

        assert gain(0.9, 0.3) > gain(0.3, 0.3) > 0.0
        assert gain(0.9, 0.6) / gain(0.3, 0.6) > gain(0.9, 0.1) / gain(0.3, 0.1)


def test_order_of_firms_does_not_matter() -> None:
    """Synchronous: what A learns from B does not depend on what B learns in the same quarter."""
    state, p = two_firms(), knowledge(socialisation=0.5, combination=0.5)
    alone = cases.run("update_knowledge", state, p).firms[A].tacit.copy()
    state.firms.tacit[2] = 3.0
    make_tie(state, B, 2, 1.0)
    after = cases.run("update_knowledge", state, p).firms
    np.testing.assert_array_equal(after[A].tacit, alone)
    assert after[B].tacit.sum() > state.firms[B].tacit.sum()
