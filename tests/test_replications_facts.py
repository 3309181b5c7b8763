"""Stylised facts: estimators find what was put in; facts are read off districts as they should be; claims can fail."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from district_sim import figures
from district_sim.cli import app
from district_sim.evidence.replications import REPLICATIONS, anatomy, baseline, firms, groups
from district_sim.evidence.replications.claims import Source, around, inside, one_sided
from district_sim.evidence.replications.statistics import (
    core_fit,
    coreness,
    laplace_over_gaussian,
    rank_correlation,
    slope,
    subbotin_shape,
    tail_exponent,
    tie_overlap,
)
from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.reports.replications import write_evidence
from district_sim.run.run import simulate
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.files import load_scenario

FACTS = ("network-anatomy", "firms", "groups")


@pytest.fixture(scope="module")
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


# Estimators ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [0.8, 1.2, 2.0])
def test_the_exponent_of_a_pareto_tail_is_found(exponent: float, rng: np.random.Generator) -> None:
    sizes = rng.random(3000) ** (-1.0 / exponent)
    found, start, many = tail_exponent(sizes)
    assert found == pytest.approx(exponent, abs=3.0 * exponent / np.sqrt(many))
    assert start < 2.0
    assert many > 500


def test_a_tail_begins_where_it_begins(rng: np.random.Generator) -> None:
    """A flat body up to 10, a Pareto tail beyond."""
    sizes = np.concatenate([rng.uniform(1.0, 10.0, 2000), 10.0 * rng.random(1000) ** (-1.0 / 1.5)])
    found, start, many = tail_exponent(sizes)
    assert found == pytest.approx(1.5, abs=0.2)
    assert start > 8.0, "not in the body"
    assert many == (sizes >= start).sum()


def test_no_tail_without_sizes_that_differ() -> None:
    with pytest.raises(ValueError, match="at least 10 sizes"):
        tail_exponent(np.ones(50))


def test_laplace_and_gaussian_are_told_apart(rng: np.random.Generator) -> None:
    peaked, round_top = rng.laplace(0.1, 0.2, 4000), rng.normal(0.1, 0.2, 4000)
    assert laplace_over_gaussian(peaked)[1] > 2.0
    assert laplace_over_gaussian(round_top)[1] < -2.0
    # the expected gain of the true over the other distribution, in closed form
    assert laplace_over_gaussian(peaked)[0] == pytest.approx(0.5 * np.log(np.pi / np.e), abs=0.03)
    assert laplace_over_gaussian(round_top)[0] == pytest.approx(np.log(np.pi / 2.0) - 0.5, abs=0.03)
    assert subbotin_shape(peaked) == pytest.approx(1.0, abs=0.1)
    assert subbotin_shape(round_top) == pytest.approx(2.0, abs=0.2)


def test_a_slope_is_measured_within_groups() -> None:
    x = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    assert slope(x, np.array([0.0, 2.0, 4.0, -5.0, -3.0, -1.0]), np.array([3, 3, 3, 8, 8, 8])) == pytest.approx(2.0)


def planted(rng: np.random.Generator, core: int, firms: int, dense: float, between: float) -> np.ndarray:
    """A core whose firms are tied with probability `dense`, to others with `between`; the others not at all."""
    chance = np.zeros((firms, firms))
    chance[:core, :] = chance[:, :core] = between
    chance[:core, :core] = dense
    out = np.triu(rng.random((firms, firms)) < chance, 1).astype(float)
    return out + out.T


def test_a_planted_core_is_found(rng: np.random.Generator) -> None:
    network = planted(rng, 12, 100, 0.9, 0.25)
    core = coreness(network)
    assert set(np.argsort(-core)[:12]) == set(range(12))
    even = np.triu(rng.random((100, 100)) < network.mean(), 1).astype(float)
    assert core_fit(network) > core_fit(even + even.T) + 0.2
    assert np.linalg.norm(core) == pytest.approx(1.0)


def test_a_core_may_last_while_its_ties_do_not(rng: np.random.Generator) -> None:
    before, after = (planted(rng, 15, 90, 0.5, 0.2) for _ in range(2))
    jaccard, correlation = tie_overlap(before, after)
    assert jaccard < 0.35
    assert rank_correlation(coreness(before), coreness(after)) > correlation + 0.05
    assert tie_overlap(before, before) == (1.0, pytest.approx(1.0))


def test_firms_without_a_way_to_the_core_are_equal() -> None:
    network = np.zeros((6, 6))
    for a, b in ((0, 1), (1, 2), (0, 2), (3, 4)):
        network[a, b] = network[b, a] = 1.0
    assert coreness(network)[3:].tolist() == [0.0, 0.0, 0.0]


# Claims -------------------------------------------------------------------------------------------


def test_claims_can_hold_and_fail(rng: np.random.Generator) -> None:
    source, values = Source("A", 2001, published="Journal 1"), 1.0 + 0.1 * rng.standard_normal(50)
    assert source.short == "A 2001, Journal 1"
    assert inside("", source, values, 0.9, 1.1).passed
    assert not inside("", source, values, 0.999, 1.1).passed, "the whole interval must lie inside"
    assert around("", source, values, 1.0, 0.1).target == "1 ± 10%: 0.9 to 1.1"
    assert not around("", source, values, 1.2, 0.1).passed
    assert one_sided("", source, values, limit=0.9).passed
    assert not one_sided("", source, values, -1).passed


# Facts --------------------------------------------------------------------------------------------

SMALL = {"firms.count": 60, "firms.settling": 8}


@pytest.fixture(scope="module")
def small_panel() -> firms.Panel:
    return firms.panel(parameters_of(load_scenario("baseline", SMALL)), 3, 12)


def test_every_firm_is_followed_as_the_indicators_count_it(small_panel: firms.Panel) -> None:
    table = simulate(load_scenario("baseline", SMALL), 3, 12).indicators
    alive = small_panel.alive
    assert alive[1:].sum(axis=1).tolist() == table["firms"].tolist()
    assert np.nansum(small_panel.employees[1:], axis=1) == pytest.approx(table["employment"])
    facts = firms.demography(small_panel)
    entries, exits = (table[name].to_numpy().reshape(3, 4).sum(axis=1) for name in ("entries", "exits"))
    stock = alive[[0, 4, 8]].sum(axis=1)
    assert facts["births"] == pytest.approx(np.mean(entries / stock))
    assert facts["deaths"] == pytest.approx(np.mean(exits / stock))


def made_up() -> firms.Panel:
    """Two firms for three years: one doubles its sales every year, the other is founded in quarter 2 and closes."""
    sales = np.full((13, 2), np.nan)
    sales[1:, 0] = np.repeat([1.0, 2.0, 4.0], 4)
    sales[0, 0], sales[3:9, 1] = 1.0, 5.0
    return firms.Panel(10.0 * sales, sales, np.array([-50.0, 2.0]))


def test_growth_and_survival_by_hand() -> None:
    panel = made_up()
    assert firms.growth_of_sales(panel).tolist() == [0.0, 0.0], "the mean of the year is taken out"
    growth, size, year = firms.growth_by_size(panel)
    assert year.tolist() == [0.0, 4.0, 4.0, 8.0]
    assert growth == pytest.approx([0.0, np.log(2.0), 0.0, np.log(2.0)])
    assert size == pytest.approx(np.log([10.0, 10.0, 50.0, 20.0]))
    assert firms.growth_by_size(panel, firms.OLD).shape == (3, 3)
    facts = firms.demography(panel)
    assert facts == {"births": pytest.approx(1.0 / 3.0), "deaths": pytest.approx(0.5 / 3.0), "survival": 1.0}


def test_groups_are_counted_with_their_leaders() -> None:
    table = pd.DataFrame(
        {"control": ["leader", "group", "independent", "captive"], "employees": [50.0, 30.0, 15.0, 5.0]}
    )
    found = groups.in_groups(Snapshot(lambda: table, lambda: table, lambda: table, dict))
    assert found == {"firms": 0.5, "employees": 0.8, "size": 2.0}


def test_ties_to_firms_that_are_gone_are_left_out() -> None:
    table = pd.DataFrame(index=pd.Index([2, 5, 9], name="firm"))
    ties = pd.DataFrame({"a": [2, 2, 5], "b": [9, 4, 9]})
    assert anatomy.adjacency(table, ties).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_densities_by_the_indicators() -> None:
    scenario = load_scenario("baseline", SMALL)
    run = simulate(scenario, 3, 4)
    found, last = anatomy.densities(run.end, parameters_of(scenario)), run.indicators.iloc[-1]
    assert found["business"] == pytest.approx(last["degree"] / (last["firms"] - 1))
    assert found["ratio"] == pytest.approx(last["knowledge_tie_share"])
    assert found["outside"] == pytest.approx(last["pipelines_per_firm"] / 8)


def test_what_gatekeepers_pass_on_follows_their_behaviour() -> None:
    def passed(share: float) -> tuple[float, float]:
        p = parameters_of(load_scenario("baseline", SMALL | {"knowledge.gatekeeping": share, "firms.pipelines": 0.3}))
        state = initial_state(parameters_of(load_scenario("baseline", SMALL | {"firms.pipelines": 0.3})), 1, 1)
        before = state.firms.tacit.copy()
        found = anatomy.passed_on(state, p)
        assert (state.firms.tacit == before).all(), "looking changes nothing"
        return found

    nothing, half, all_of_it = passed(0.0), passed(0.5), passed(1.0)
    assert nothing[1] == 0.0
    assert half[1] == pytest.approx(0.5 * all_of_it[1], rel=1e-3)
    assert nothing[0] == half[0] == all_of_it[0] > 0.0


# Commands -----------------------------------------------------------------------------------------


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["replicate", *arguments], env={"COLUMNS": "160"})


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_measured_and_written(name: str, tmp_path: Path) -> None:
    result = call(name, "--runs", "2", "--seed", "5", "--json", "--out", str(tmp_path))
    told = json.loads(result.output)
    assert result.exit_code == (0 if all(claim["passed"] for claim in told["claims"]) else 1)
    assert told["replication"] == name
    assert told["setting"] == {"scenario": "baseline", "quarters": 40, "runs": 2, "seed": 5}
    assert all(claim["source"]["year"] and claim["source"]["author"] for claim in told["claims"])
    assert all(np.isfinite(claim["measured"]) for claim in told["claims"])
    assert {f"{name}.csv", f"{name}.png", "replications.md"} <= {path.name for path in tmp_path.iterdir()}


def test_numbers_do_not_depend_on_workers() -> None:
    one, two = (REPLICATIONS["groups"](1, 2, None, workers).points for workers in (1, 2))
    assert one == two


def test_one_run_makes_no_claims(tmp_path: Path) -> None:
    evidence = REPLICATIONS["groups"](0, 1)
    assert evidence.claims == ()
    assert np.isnan(evidence.points[0]["mean_se"])
    assert write_evidence([evidence], tmp_path)


def test_runs_share_no_seed() -> None:
    assert len({*baseline.seeds_of(0, 100), *baseline.seeds_of(1, 100)}) == 200


def test_a_figure_shows_the_published_band() -> None:
    panels = {"share": [np.array([0.1, 0.2, 0.3]), np.array([0.2, np.nan])]}
    (ax,) = figures.beside_published(panels, ("start", "end"), [0.2], 0.1).axes
    assert ax.patches
    assert [label.get_text() for label in ax.get_xticklabels()] == ["start", "end"]
