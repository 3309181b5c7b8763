"""Replications with the model itself: socialisation on any network, and cognitive distance in simulated alliances."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from naive import cases
from naive import knowledge as naive
from naive.common import make_tie
from scipy import sparse

from district_sim import figures
from district_sim.evidence.replications import inverted_u as iu
from district_sim.evidence.replications import rules
from district_sim.evidence.replications.barter import initial_knowledge
from district_sim.evidence.replications.claims import Claim, claims_sheet
from district_sim.evidence.replications.exchange import Agents, Graph, Moments, Rule, SettingError, barter, curve
from district_sim.evidence.replications.networks import Network, make_network, sparse_rows
from district_sim.evidence.replications.regression import Fit, poisson
from district_sim.evidence.replications.socialisation import district, socialise
from district_sim.model.state import State, copied

ALPHA = 0.3


def agents(count: int, categories: int = 5, seed: int = 3) -> np.ndarray:
    return initial_knowledge(np.uint64(seed), count, categories, 3, 30.0)


def network(kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    return sparse_rows(make_network(Network(kind), count, 4, 0.2, 7))


def quarters(knowledge: np.ndarray, rows: tuple[np.ndarray, np.ndarray], first: int, last: int) -> np.ndarray:
    out = knowledge.copy()
    socialise(out, *rows, ALPHA, np.uint64(0), first, last)
    return out


# Socialisation ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "categories"), [("ws", 5), ("er", 8), ("ba", 1)])
def test_socialisation_is_the_model_s_and_equals_its_twin(kind: str, categories: int) -> None:
    before, rows = agents(25, categories), network(kind, 25)
    p, by_hand = district(before, *rows, ALPHA)
    for _ in range(4):
        naive.update_knowledge(by_hand, p)
    found = quarters(before, rows, 0, 4)
    np.testing.assert_allclose(found, by_hand.firms.tacit[:, :categories], rtol=2e-6)
    assert (by_hand.firms.codified == 0.0).all()
    assert (by_hand.firms.tacit[:, categories:] == 0.0).all()
    assert (found > before * (1 + 1e-3)).any()


def test_in_socialisation_nobody_forgets_invents_or_outruns_those_it_learns_from() -> None:
    before, rows = agents(30), network("er", 30)
    found = quarters(before, rows, 0, 1)
    start, partner = rows
    for i in range(30):
        best = np.vstack([before[[i]], before[partner[start[i] : start[i + 1]]]]).max(axis=0)
        assert (found[i] >= before[i] * (1 - 1e-6)).all()
        assert (found[i] <= best * (1 + 1e-6)).all()


def test_quarters_can_be_made_in_parts_and_leave_nothing_to_chance() -> None:
    before, rows = agents(30), network("ws", 30)
    whole = quarters(before, rows, 0, 20)
    assert (quarters(quarters(before, rows, 0, 7), rows, 7, 20) == whole).all()
    again = before.copy()
    socialise(again, *rows, ALPHA, np.uint64(99), 0, 20)
    assert (again == whole).all()


def test_a_directed_tie_is_a_mutual_meeting_and_hermits_learn_nothing() -> None:
    ties = np.zeros((4, 4))
    ties[0, 1] = ties[1, 2] = 1.0
    before = agents(4)
    one_way, both = (quarters(before, sparse_rows(sparse.csr_array(net)), 0, 5) for net in (ties, ties + ties.T))
    assert (one_way == both).all()
    assert (one_way[:3] > before[:3] * (1 + 1e-4)).any(axis=1).all()
    np.testing.assert_allclose(one_way[3], before[3], rtol=1e-6)


def test_the_less_distant_expert_teaches_more() -> None:
    """Of two partners with the same lead in one category, the stranger is understood less: not so in giving."""
    pair = sparse_rows(sparse.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]])))
    learner = [1.0, 5.0, 0.0]
    near, far = (
        quarters(np.array([learner, expert]), pair, 0, 1)[0, 0] for expert in ([3.0, 5.0, 0.0], [3.0, 0.0, 5.0])
    )
    assert near > far > 1.0


def test_a_hub_may_have_more_partners_than_a_firm() -> None:
    star = np.zeros((101, 101))
    star[0, 1:] = 1.0
    _, state = district(agents(101), *sparse_rows(sparse.csr_array(star)), ALPHA)
    assert sorted(state.ties.partner[0][state.ties.partner[0] >= 0].tolist()) == list(range(1, 101))
    assert (state.ties.partner[1:].max(axis=1) == 0).all()


def test_socialisation_is_one_of_the_rules() -> None:
    setting = Agents(experts=3, meetings=30, rule=Rule.SOCIALISATION)
    graph = Graph(agents=30, neighbours=4)
    ring, some = curve((0.0, 0.2), graph, setting, runs=2, moments=(0, 30))
    assert (some.mean[:, 1] > some.mean[:, 0] + 0.1).all()
    assert (ring.mean[:, 0] == some.mean[:, 0]).all()
    alone = barter(make_network(Network.WS, 30, 4, 0.0, 0), setting, runs=2)
    assert (alone.mean[:, 0] == ring.mean[:, 1]).all()
    with pytest.raises(SettingError, match="categories must be a whole number from 1 to 64, not 65"):
        Agents(categories=65, rule=Rule.SOCIALISATION)


# Claims about rules -------------------------------------------------------------------------------


def made_up(level: Callable[[Rule, float], float]) -> tuple[Claim, ...]:
    """The claims about runs whose mean is given at each share; spread goes the other way."""
    noise = np.random.default_rng(1).normal(0, 0.001, (10, 2))
    found = {}
    for rule in Rule:
        means = [np.array([[level(rule, share), 30.0]]) * np.exp(noise) for share in rules.REWIRING]
        if rule is Rule.BARTER:
            means = [mean[:, ::-1] for mean in means]
        found[rule] = [Moments(mean, 1 + 0.01 * (30 - mean) ** 2 * mean**2) for mean in means]
    return rules._claims(found)


def test_claims_about_rules_can_hold_and_fail() -> None:
    def as_said(rule: Rule, share: float) -> float:
        return 20 - 4 * abs(share - 0.1) if rule is Rule.BARTER else 10 + 4 * share

    assert [claim.passed for claim in made_up(as_said)] == [True] * 9
    assert [claim.passed for claim in made_up(lambda rule, share: 15.0)] == [False] * 7 + [True] * 2
    assert "Cassi & Zirulia 2008" in made_up(as_said)[1].source.short


def test_rules_are_measured_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOMENTS", dict.fromkeys(Rule, (1, 3)))
    monkeypatch.setattr(rules, "REWIRING", (0.0, 0.1, 1.0))
    done: list[tuple[int, int]] = []
    evidence = rules.rules(seed=2, runs=2, progress=lambda *at: done.append(at), workers=1)
    assert done == [(k, 18) for k in range(1, 19)]
    assert len(evidence.points) == 3 * 2 * 3
    assert len(json.loads(json.dumps(evidence.as_dict()))["claims"]) == 9
    assert "socialisation, on the way" in evidence.sheet.markdown()
    assert len(evidence.draw().axes) == 6


# Regression ---------------------------------------------------------------------------------------


def simulated(slope: float, bend: float, seed: int = 0, runs: int = 40) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Counts in runs; distances between 0 and 0.4, one control."""
    rng, y, x = np.random.default_rng(seed), [], []
    for _ in range(runs):
        at, control = rng.uniform(0, 0.4, 500), rng.normal(0, 1, 500)
        x.append(np.column_stack([np.ones(500), at, at**2, control]))
        luck = rng.normal(0, 0.1)
        y.append(rng.poisson(np.exp(-2 + slope * at + bend * at**2 + 0.3 * control + luck)).astype(float))
    return y, x


def test_the_regression_is_that_of_statsmodels() -> None:
    statsmodels = pytest.importorskip("statsmodels.api")
    y, x = simulated(8.0, -20.0)
    fit = poisson(y, x)
    groups = np.repeat(np.arange(len(y)), [len(one) for one in y])
    known = statsmodels.GLM(np.concatenate(y), np.concatenate(x), family=statsmodels.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    np.testing.assert_allclose(fit.coefficients, known.params, rtol=1e-6)
    np.testing.assert_allclose(fit.errors, known.bse * np.sqrt(len(y) / (len(y) - 1)), rtol=1e-6)


def test_a_hill_is_found_where_it_is() -> None:
    fit = poisson(*simulated(8.0, -20.0))
    assert fit.is_inverted_u(0.0, 0.4)
    low, high = fit.optimum_interval()
    assert low < 0.2 < high
    assert low > 0.0
    assert high < 0.4
    assert abs(fit.optimum - 0.2) < 4 * fit.optimum_error < 0.1
    assert abs(fit.coefficients[3] - 0.3) < 4 * fit.errors[3]


@pytest.mark.parametrize(("slope", "bend"), [(4.0, 0.0), (0.0, 0.0), (-8.0, 20.0), (8.0, -9.0)])
def test_what_only_rises_falls_or_sags_is_no_hill(slope: float, bend: float) -> None:
    assert not poisson(*simulated(slope, bend)).is_inverted_u(0.0, 0.4)


def test_the_interval_covers_the_optimum_about_as_often_as_it_says() -> None:
    covered = [poisson(*simulated(8.0, -20.0, seed, 30)).optimum_interval() for seed in range(60)]
    assert sum(low < 0.2 < high for low, high in covered) >= 51


def test_an_optimum_without_bend_can_be_anywhere() -> None:
    fit = Fit(np.array([0.0, 1.0, -1.0]), np.diag([0.1, 0.1, 2.0]))
    assert fit.optimum_interval() == (-np.inf, np.inf)
    assert fit.slope(0.5) == (0.0, pytest.approx(np.hypot(0.1, 2.0)))


def test_what_cannot_be_explained_is_said() -> None:
    y, x = simulated(1.0, 0.0, runs=2)
    with pytest.raises(ValueError, match="zero everywhere"):
        poisson([one * 0 for one in y], x)
    with pytest.raises(ValueError, match="no solution"):
        poisson(y, [np.column_stack([one, one[:, 1]]) for one in x])


# Simulated alliances ------------------------------------------------------------------------------


def two_pairs() -> State:
    """Four old firms in two pairs, one trusted and one not, on technological trajectory 0."""
    state = cases.strangers()
    state.clock.step[0] = 30
    state.firms.founded = 0
    make_tie(state, 0, 1, 0.9)
    make_tie(state, 2, 3, 0.4)
    return state


def test_alliances_are_trusted_ties_of_firms_that_are_old_enough() -> None:
    state = two_pairs()
    year = iu._allied(state, 0.5, 7)
    assert year["row"].tolist() == [0, 1]
    assert year["distance"] == pytest.approx(naive.cognitive_distance(*state.firms.tacit[:2].astype(float)))
    assert year["ln alliances"].tolist() == [0.0, 0.0]
    assert year["year"].tolist() == [7, 7]
    state.firms.founded[1] = 30 - iu.OLD_ENOUGH + 1
    assert iu._allied(state, 0.5, 7)["row"].tolist() == [0]
    make_tie(state, 0, 2, 0.9)
    year = iu._allied(state, 0.5, 7)
    apart = [naive.cognitive_distance(*state.firms.tacit[[0, j]].astype(float)) for j in (1, 2)]
    assert year["distance"][0] == pytest.approx(np.mean(apart))


def test_only_pioneers_innovate_radically() -> None:
    state = two_pairs()
    alive = int(state.firms.alive.sum())
    for ahead, radical in ((0, 1.0), (alive // 2, 0.0)):
        before, year = copied(state).firms, iu._allied(state, 0.5, 0)
        before.technology[2 : 2 + ahead] = 1
        after = before.copy()
        after.technology[0], after.increments[0] = 1, 0
        after.increments[1] += 2
        after.inflow_local = 0.25
        iu._count(year, before, after, 0.16)
        iu._count(year, after, after, 0.16)
        assert year["radical"].tolist() == [radical, 0.0]
        assert year["incremental"].tolist() == [0.0, 2.0]
        assert year["learned"].tolist() == [0.5, 0.5]


def test_a_panel_has_every_innovation_of_its_firms_once() -> None:
    small = {"firms.count": 60, "run.quarters": 24, "technology.first_ripening": 8, "innovation.decision_rate": 1.0}
    small |= {"technology.drift": 0.0, "ties.trust_speed": 0.0, "innovation.increment_rate": 0.4}
    small |= dict.fromkeys(("innovation.lockin_functional", "innovation.lockin_cognitive"), 0.0)
    found = iu.panel(4, small)
    assert sorted(set(found["year"].tolist())) == [0, 1, 2, 3]
    assert all(values.shape == found["distance"].shape for values in found.values())
    assert ((found["distance"] > 0.0) & (found["distance"] < 1.0)).all()
    assert found["incremental"].sum() > 20
    assert (found["radical"] == (found["year"] == 0)).all(), "all switch at once when the trajectory ripens"
    assert (found["learned"] >= 0.0).all()


def hill(panels: int, height: float) -> list[iu.Panel]:
    """Panels in which radical innovation and learning are a hill over distance, and increments no effect."""
    rng, out = np.random.default_rng(3), []
    for _ in range(panels):
        at, size = rng.uniform(0.0, 0.4, 800), rng.normal(2, 1, 800)
        shape = np.exp(height * (20 * at - 50 * at**2))
        one = {"distance": at, "year": rng.integers(0, 3, 800)}
        one |= {name: size if name == "ln employees" else rng.normal(0, 1, 800) for name in iu.CONTROLS}
        one |= {"radical": rng.poisson(0.05 * shape), "incremental": rng.poisson(0.3, 800), "learned": 0.1 * shape}
        out.append({name: values.astype(float) for name, values in one.items()})
    return out


def test_claims_about_distance_can_hold_and_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    for height, wanted in ((1.0, [True, False, True, True, True, False]), (0.0, [False] * 6)):
        monkeypatch.setattr(iu, "_panels", lambda *_, height=height: hill(30, height))
        evidence = iu.inverted_u(runs=30)
        held = [claim.passed for claim in evidence.claims]
        assert held == wanted
    assert "Nooteboom et al. 2007" in claims_sheet(evidence).markdown()
    assert json.loads(json.dumps(evidence.as_dict()))["claims"][0]["passed"] is False
    assert "firm-years 24000" in evidence.sheet.markdown()
    assert {point["outcome"] for point in evidence.points} == set(iu.OUTCOMES)
    assert sum(point["firm_years"] for point in evidence.points) == 3 * 24000
    assert len(evidence.draw().axes) == 3


def test_too_few_runs_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    none = [one | {"radical": one["radical"] * 0} for one in hill(2, 1.0)]
    monkeypatch.setattr(iu, "_panels", lambda *_: none)
    with pytest.raises(SettingError, match="runs must be more than 2: there is nothing to explain"):
        iu.inverted_u(runs=2)


def test_where_all_know_the_same_there_is_no_spread_to_draw() -> None:
    spread = {"mean": 1.0, "mean_se": 0.1, "variance": 1.0, "variance_se": 0.1, "cv": 1.0, "cv_se": 0.1}
    alike = spread | {"cv": 1e-9}
    points = [
        {"rule": rule, "stage": "now", "rewiring": share, **(alike if rule == "giving" else spread)}
        for rule in ("barter", "giving", "socialisation")
        for share in (0.0, 1.0)
    ]
    assert [len(ax.containers) for ax in figures.rules_beside(points).axes] == [3, 2, 2]
