"""What ties mean: trust follows deeds, identity is contagious, weak ties end, links close triangles, pipelines cost."""

from typing import Any

import numpy as np
import pytest
from naive import cases
from naive.common import links, living, make_tie

from district_sim.model.processes.relations import controller
from district_sim.model.processes.ties import trust_target
from district_sim.model.state import TIE_BIRTHS, TIE_DEATHS, State

A, B, C = 0, 1, 2


USUAL = 0.5  # absorptive capacity


def pair(trust: float = 0.5) -> State:
    state = cases.strangers()
    make_tie(state, A, B, trust)
    state.firms.offshored = 0.0
    state.orders.paid = 0.0  # of ties that strangers had before
    return state


def heading(state: State, **changes: Any) -> float:
    """Trust towards which A's tie with B moves."""
    p = cases.parameters("calm", firms={"trust_spread": 0.0}, **changes)
    orders = state.orders.paid[A, 0] + state.orders.paid[B, 0]
    there, back = (
        float(
            trust_target(
                state.firms[i], state.firms[j], orders, controller(i, state.firms), controller(j, state.firms), USUAL,
                0.0, p.ties[0], p.firms[0],
            )
        )
        for i, j in ((A, B), (B, A))
    )  # fmt: skip
    assert there == back
    return there


class TestTrust:
    def test_grows_with_kept_orders(self) -> None:
        state = pair()
        plain = heading(state)
        state.orders.paid[A, 0] = 0.5 * min(state.firms.sales[A], state.firms.sales[B])
        assert heading(state) > plain

    def test_grows_with_joint_contributions_not_with_lonely_ones(self) -> None:
        state = pair()
        plain = heading(state)
        state.firms.participates[A] = 1.0
        assert heading(state) == plain
        state.firms.participates[B] = 1.0
        assert heading(state) > plain

    def test_grows_with_shared_identity(self) -> None:
        state = pair()
        state.firms.identity[[A, B]] = 0.2
        low = heading(state)
        state.firms.identity[[A, B]] = 0.9
        assert heading(state) > low

    def test_grows_with_competence_above_the_usual_only(self) -> None:
        state = pair()
        state.firms.absorptive[[A, B]] = USUAL
        plain = heading(state)
        assert heading(state, ties={"trust_competence": 0.0}) == plain
        state.firms.absorptive[[A, B]] = USUAL + 0.02, USUAL + 0.04
        assert heading(state, ties={"trust_competence": 2.0}) == pytest.approx(plain + 0.06)
        state.firms.absorptive[[A, B]] = USUAL - 0.03
        assert heading(state, ties={"trust_competence": 2.0}) == plain

    @pytest.mark.parametrize(("field", "value"), [("offshored", 0.9), ("owner", -2), ("captor", C)])
    @pytest.mark.parametrize("who", [A, B])
    def test_falls_with_offshoring_takeover_and_captivity(self, field: str, value: float, who: int) -> None:
        state = pair()
        plain = heading(state)
        state.firms[field][who] = value
        assert heading(state) < plain

    def test_offshoring_within_the_norm_is_forgiven(self) -> None:
        state = pair()
        plain = heading(state)
        state.firms.offshored[A] = 0.3
        assert heading(state, ties={"offshoring_norm": 0.35}) == plain

    def test_moves_gradually_and_alike_on_both_sides(self) -> None:
        state = pair(0.9)
        p = cases.parameters("calm", firms={"trust_spread": 0.0})
        after = cases.run("update_trust", state, p)
        target = heading(state)
        assert after.ties.trust[A, 0] == after.ties.trust[B, 0]
        assert after.ties.trust[A, 0] == pytest.approx(0.9 + p.ties[0].trust_speed * (target - 0.9))
        assert after.ties.age[A, 0] == after.ties.age[B, 0] == 1

    def test_raises_collaboration_inside_the_firm(self) -> None:
        state, p = pair(0.95), cases.parameters("calm")
        state.firms.collaboration = 0.4
        after = cases.run("update_trust", state, p).firms.collaboration
        assert after[A] > 0.4 > after[C]
        off = cases.run("update_trust", state, cases.parameters("calm", mechanisms={"intra_firm_collaboration": False}))
        np.testing.assert_array_equal(off.firms.collaboration, state.firms.collaboration)


class TestIdentity:
    @staticmethod
    def after(state: State, **changes: Any) -> np.ndarray:
        identity: np.ndarray = cases.run("update_identity", state, cases.parameters("calm", **changes)).firms.identity
        return identity

    def test_is_contagious_along_trusted_ties(self) -> None:
        state = pair(0.8)
        state.firms.identity = 0.5
        plain = self.after(state)[A]
        state.firms.identity[B] = 1.0
        assert self.after(state)[A] > plain
        assert self.after(state, ties={"identity_contagion": 0.0})[A] == pytest.approx(plain)
        assert self.after(state)[C] == pytest.approx(plain)

    @pytest.mark.parametrize(("field", "value"), [("offshored", 1.0), ("owner", -3), ("captor", C)])
    def test_falls_with_offshoring_takeover_and_captivity(self, field: str, value: float) -> None:
        state = pair()
        plain = self.after(state)[A]
        state.firms[field][A] = value
        assert self.after(state)[A] < plain

    def test_is_co_produced_with_a_capable_agency(self) -> None:
        state = pair()
        plain = self.after(state)[A]
        state.agency.capability, state.agency.participation = 0.8, 0.9
        capable = self.after(state)[A]
        state.firms.participates[A] = 1.0
        assert self.after(state)[A] > capable > plain
        assert self.after(state, mechanisms={"co_production": False})[A] == pytest.approx(plain)

    def test_follows_what_the_district_reproduces(self) -> None:
        assert self.after(pair(), strategy={"identity": 0.9})[A] > self.after(pair(), strategy={"identity": 0.1})[A]


class TestLocalNetwork:
    def test_weak_ties_end_trusted_ones_last(self) -> None:
        ended = {0.0: 0.0, 1.0: 0.0}
        for trust in ended:
            for seed in (1, 2, 3):
                state = cases.district("calm", seed, 4)
                state.tally[:] = 0.0
                state.ties.trust[state.ties.partner >= 0] = trust
                ended[trust] += cases.run("end_ties", state, cases.parameters("calm", ties={"ending": 0.5})).tally[
                    TIE_DEATHS
                ]
        assert ended[0.0] > 5 * ended[1.0]

    def test_triadic_closure(self) -> None:
        """With all search among partners' partners, every new tie closes a triangle."""
        state = cases.district()
        before = {(i, j) for i in living(state) for _, j, _ in links(state, i)}
        changes = {"closure": 1.0, "searching": 1.0, "wanted": 14.0, "reach": 1000.0, "complementarity": 0.0}
        after = cases.run("form_ties", state, cases.parameters("calm", ties=changes))
        now = {(i, j) for i in living(after) for _, j, _ in links(after, i)}
        assert len(now) > len(before)
        partners = {i: {j for k, j in now if k == i} for i in living(after)}
        assert all(partners[i] & partners[j] for i, j in now - before)

    def test_number_of_ties_is_bounded(self) -> None:
        p = cases.parameters("calm", ties={"searching": 1.0, "wanted": 64.0, "ending": 0.0, "complementarity": 0.0})
        state, row = cases.quarter(cases.district(), p, 12)
        assert (state.ties.partner >= 0).sum(axis=1).max() == p.ties[0].maximum
        assert row["degree"] > cases.quarter(cases.district(), cases.parameters("calm"), 12)[1]["degree"]

    def test_firms_with_all_the_ties_they_want_do_not_search(self) -> None:
        state = cases.district()
        state.tally[:] = 0.0
        assert cases.run("form_ties", state, cases.parameters("calm", ties={"wanted": 0.0})).tally[TIE_BIRTHS] == 0.0

    @pytest.mark.parametrize(
        ("changes", "closer"),
        [
            ({"reach": 3.0, "complementarity": 0.0, "cognitive_proximity": 0.0}, "distance"),
            ({"reach": 1000.0, "complementarity": 1.0, "cognitive_proximity": 0.0}, "phases"),
            ({"reach": 1000.0, "complementarity": 0.0, "cognitive_proximity": 20.0}, "knowledge"),
        ],
    )
    def test_near_complementary_and_like_minded_firms_tie(self, changes: dict[str, float], closer: str) -> None:
        p = cases.parameters("calm", ties={**changes, "searching": 1.0, "closure": 0.0})
        ties, others = [], []
        for seed in (1, 2, 3):
            after = cases.run("form_ties", cases.strangers(seed), p)
            f, pairs = after.firms, {(i, j) for i in living(after) for _, j, _ in links(after, i) if i < j}
            for i in living(after):
                for j in range(i + 1, 40):
                    apart = {
                        "distance": np.hypot(f.x[i] - f.x[j], f.y[i] - f.y[j]),
                        "phases": float((f.phase[i] == 5) == (f.phase[j] == 5)),
                        "knowledge": np.linalg.norm(f.tacit[i] - f.tacit[j]),
                    }[closer]
                    (ties if (i, j) in pairs else others).append(apart)
        assert len(ties) > 20
        assert np.mean(ties) < 0.8 * np.mean(others)

    def test_switched_off_the_network_stands_still(self) -> None:
        p = cases.parameters("calm", mechanisms={"local_network": False, "demography": False})
        state = cases.district()
        after, _ = cases.quarter(state, p, 4)
        np.testing.assert_array_equal(after.ties.partner, state.ties.partner)


class TestPipelines:
    @staticmethod
    def opened(state: State, **changes: Any) -> int:
        p = cases.parameters("calm", ties={"pipeline_opening": 1.0, "pipeline_lapse": 0.0}, **changes)
        after = cases.run("update_pipelines", state, p)
        return int((after.pipelines.node >= 0).sum() - (state.pipelines.node >= 0).sum())

    def test_opening_takes_drive_ability_and_money(self) -> None:
        eager = {"strategy": {"pipelines": 10.0}}
        rich = cases.strangers()
        rich.firms.cash, rich.firms.absorptive, rich.firms.employees = 1e3, 0.8, 20.0
        assert self.opened(rich, **eager) > 30
        assert self.opened(rich, strategy={"pipelines": 0.0}) == 0
        for name, value in (("absorptive", 0.0), ("employees", 1e-9)):
            state = cases.strangers()
            state.firms.cash, state.firms.absorptive, state.firms.employees = 1e3, 0.8, 20.0
            state.firms[name] = value
            assert self.opened(state, **eager) == 0
        rich.firms.cash, rich.firms.profit = 0.0, 0.0
        assert self.opened(rich, **eager) == 0

    def test_vouchers_pay_where_firms_cannot(self) -> None:
        poor = cases.strangers()
        poor.firms.cash, poor.firms.profit, poor.firms.absorptive, poor.firms.employees = 0.0, 0.0, 0.8, 20.0
        poor.firms.voucher[:20] = 30.0
        assert self.opened(poor) == 20

    def test_lapse_and_strengthen(self) -> None:
        state = cases.strangers()
        state.pipelines.node[:40, 0], state.pipelines.strength[:40, 0] = 2, 0.5
        none = {"pipeline_opening": 0.0}
        kept = cases.run("update_pipelines", state, cases.parameters("calm", ties={**none, "pipeline_lapse": 0.0}))
        assert (kept.pipelines.strength[:40, 0] > 0.5).all()
        gone = cases.run("update_pipelines", state, cases.parameters("calm", ties={**none, "pipeline_lapse": 1.0}))
        assert (gone.pipelines.node < 0).all()
        assert not gone.pipelines.strength.any()

    def test_switched_off_none_opens(self) -> None:
        rich = cases.strangers()
        rich.firms.cash, rich.firms.absorptive, rich.firms.employees = 1e3, 0.8, 20.0
        p = cases.parameters("calm", strategy={"pipelines": 10.0}, mechanisms={"pipelines": False})
        assert (cases.run("update_pipelines", rich, p).pipelines.node < 0).all()

    def test_cost_their_owner(self) -> None:
        state, p = cases.strangers(), cases.parameters("calm", market={"abroad_pipeline": 0.0, "demand_pipeline": 0.0})
        plain = cases.run("run_market", state, p).firms.profit
        state.pipelines.node[A, 0], state.pipelines.strength[A, 0] = 0, 1.0
        costly = cases.run("run_market", state, p).firms.profit
        assert costly[A] == pytest.approx(plain[A] - p.ties[0].pipeline_cost)
        np.testing.assert_allclose(costly[1:], plain[1:])
