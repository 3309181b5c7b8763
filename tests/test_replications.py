"""Replications: kernels equal their twins, rules mean what the papers say, claims can fail, commands answer."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from naive import barter as naive
from scipy import sparse
from typer.testing import CliRunner

from benchmarks.startup import HEAVY, modules_of
from district_sim import figures
from district_sim.cli import app
from district_sim.evidence.replications import REPLICATIONS
from district_sim.evidence.replications import barter as kernels
from district_sim.evidence.replications import cowan_jonard as cj
from district_sim.evidence.replications.claims import Claim, Source, interval_of, shown, where_most
from district_sim.evidence.replications.exchange import Agents, Graph, SettingError, barter, curve
from district_sim.evidence.replications.networks import Network, make_network, sparse_rows
from district_sim.kernels.draws import replicate_seed
from district_sim.reports.replications import as_markdown

SEED = 2**63 + 12345  # uses both halves of the key
RULES = ["barter", "give"]


def lists(rows: tuple[np.ndarray, np.ndarray]) -> list[list[int]]:
    start, partner = rows
    return [partner[a:b].tolist() for a, b in pairwise(start)]


def complete(agents: int) -> sparse.csr_array:
    return sparse.csr_array(np.ones((agents, agents)) - np.eye(agents))


def star(agents: int) -> sparse.csr_array:
    ties = np.zeros((agents, agents))
    ties[0, 1:] = ties[1:, 0] = 1.0
    return sparse.csr_array(ties)


# Kernels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("kind", "agents", "categories", "alpha"),
    [("ws", 30, 5, 0.1), ("er", 25, 1, 0.5), ("ba", 40, 13, 0.3), ("er", 200, 2, 1.0)],
)
def test_kernels_equal_their_twins_to_the_bit(rule: str, kind: str, agents: int, categories: int, alpha: float) -> None:
    rows = sparse_rows(make_network(Network(kind), agents, 4, 0.2, SEED))
    knowledge = kernels.initial_knowledge(np.uint64(SEED), agents, categories, 3, 30.0)
    twin = naive.initial_knowledge(SEED, agents, categories, 3, 30.0)
    assert knowledge.tolist() == twin
    before = knowledge.copy()
    for first, last in ((0, 1500), (2**32 - 300, 2**32 + 300)):  # numbers of meetings beyond one word
        getattr(kernels, rule)(knowledge, *rows, alpha, np.uint64(SEED), first, last)
        getattr(naive, rule)(twin, lists(rows), alpha, SEED, first, last)
    assert knowledge.tolist() == twin
    assert (knowledge != before).any() == (rule == "give" or categories > 1)


@pytest.mark.parametrize("rule", RULES)
def test_meetings_can_be_made_in_parts(rule: str) -> None:
    rows = sparse_rows(make_network(Network.WS, 50, 4, 0.1, 1))
    whole = kernels.initial_knowledge(np.uint64(1), 50, 5, 5, 30.0)
    parts = whole.copy()
    meet = getattr(kernels, rule)
    meet(whole, *rows, 0.1, np.uint64(1), 0, 1000)
    for first, last in ((0, 1), (1, 500), (500, 500), (500, 1000)):
        meet(parts, *rows, 0.1, np.uint64(1), first, last)
    assert (whole == parts).all()


def test_every_barter_raises_both_and_takes_from_nobody() -> None:
    rows = sparse_rows(complete(12))
    knowledge = kernels.initial_knowledge(np.uint64(3), 12, 6, 4, 30.0)
    trades = 0
    for meeting in range(2000):
        before = knowledge.copy()
        kernels.barter(knowledge, *rows, 0.2, np.uint64(3), meeting, meeting + 1)
        learned = knowledge - before
        assert (learned >= 0).all()
        gains = (learned > 0).sum(axis=1)
        assert sorted(gains)[:-2] == [0] * 10
        assert np.ptp(sorted(gains)[-2:]) == 0, "as many categories one way as the other"
        trades += gains.any()
    assert trades > 100
    assert (knowledge.max(axis=0) <= 30.0).all()


def test_picks_are_fair() -> None:
    """One leads in three categories and the other in one: each of the three is given away about equally often."""
    rows, times = sparse_rows(complete(2)), np.zeros(4)
    for meeting in range(3000):
        knowledge = np.array([[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
        kernels.barter(knowledge, *rows, 0.5, np.uint64(9), meeting, meeting + 1)
        times += knowledge[1] - [0.0, 0.0, 0.0, 1.0] + [0.0, 0.0, 0.0, knowledge[0, 3]]
    assert times[3] == 1500.0
    assert np.abs(times[:3] / 0.5 - 1000).max() < 4 * np.sqrt(3000 * 2 / 9)


# Networks that are easy to think through ----------------------------------------------------------


def test_without_double_coincidence_there_is_no_barter_but_there_is_giving() -> None:
    rows = sparse_rows(complete(2))
    for rule, wanted in (("barter", [[2.0, 3.0], [1.0, 1.0]]), ("give", [[2.0, 3.0], [1.5, 2.0]])):
        knowledge = np.array([[2.0, 3.0], [1.0, 1.0]])
        getattr(kernels, rule)(knowledge, *rows, 0.5, np.uint64(0), 0, 1)
        assert knowledge.tolist() == wanted


def test_those_who_are_not_tied_learn_nothing_from_each_other() -> None:
    """Two islands and a hermit."""
    ties = np.zeros((9, 9))
    ties[:4, :4], ties[4:8, 4:8] = complete(4).toarray(), complete(4).toarray()
    rows = sparse_rows(sparse.csr_array(ties))
    knowledge = np.zeros((9, 2))
    knowledge[0, 0] = knowledge[1, 1] = 30.0
    kernels.give(knowledge, *rows, 0.5, np.uint64(0), 0, 5000)
    assert np.allclose(knowledge[:4], 30.0)
    assert (knowledge[4:] == 0.0).all()


def test_on_a_complete_graph_giving_makes_all_alike() -> None:
    found = barter(complete(20), rule="giving", experts=2, meetings=20_000, runs=3, seed=5)
    start = barter(complete(20), rule="giving", experts=2, meetings=0, runs=3, seed=5)
    assert (found.variance < 1e-12).all()
    assert (found.mean > start.mean + 2).all()


def test_on_a_star_all_knowledge_passes_through_the_hub() -> None:
    knowledge = np.eye(6) * 5.0
    rows = sparse_rows(star(6))
    kernels.barter(knowledge, *rows, 0.5, np.uint64(1), 0, 1)
    assert (knowledge[0] > 0).sum() == 2, "the first meeting is between the hub and a leaf"
    kernels.barter(knowledge, *rows, 0.5, np.uint64(1), 1, 3000)
    assert (knowledge[1:] <= knowledge[0].max()).all()
    assert ((knowledge > 0).sum(axis=1) > 1).sum() >= 3


def test_only_who_may_begin_a_meeting_does() -> None:
    """A directed tie: the first agent meets the second, and nobody meets the third."""
    nobody, tie = sparse.csr_array((3, 3)), sparse.csr_matrix(([2.5], ([0], [1])), shape=(3, 3))
    start, found = (barter(net, rule="giving", experts=0, meetings=500, runs=2) for net in (nobody, tie))
    assert (start.mean == barter(nobody, experts=0, meetings=0, runs=2).mean).all()
    assert (found.mean > start.mean).all()
    backwards = barter(tie.T, rule="giving", experts=0, meetings=500, runs=2)
    assert np.allclose(backwards.mean, found.mean), "it matters who begins, not what is learned in the end"


# Networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("kind", Network)
def test_networks_are_simple_and_keep_their_ties(kind: Network, share: float) -> None:
    made = make_network(kind, 120, 6, share, 7)
    dense = made.toarray()
    assert (dense == dense.T).all()
    assert set(np.unique(dense)) == {0, 1}
    assert (dense.diagonal() == 0).all()
    assert dense.sum() / 2 == (120 * 3 if kind is not Network.BA else (120 - 3) * 3)
    assert (dense != make_network(kind, 120, 6, share, 8).toarray()).any() == (kind is not Network.WS or share > 0)


def test_the_ring_is_rewired_as_much_as_said() -> None:
    ring = make_network(Network.WS, 500, 10, 0.0, 0).toarray()
    step = np.abs(np.subtract.outer(np.arange(500), np.arange(500)))
    assert (ring == ((np.minimum(step, 500 - step) <= 5) & (step > 0))).all()
    some, more = (make_network(Network.WS, 500, 10, share, 0).toarray() for share in (0.1, 0.3))
    assert abs((ring & ~some.astype(bool)).sum() / 5000 - 0.1) < 0.02
    gone, gone_with_more = (ring & ~some.astype(bool)).astype(bool), (ring & ~more.astype(bool)).astype(bool)
    assert (gone & gone_with_more).sum() > 0.98 * gone.sum(), "the same luck at a larger share"


def test_everybody_tied_to_all_cannot_be_rewired() -> None:
    assert (make_network(Network.WS, 5, 4, 1.0, 0).toarray() == complete(5).toarray()).all()


def test_kinds_of_networks_differ_as_they_should() -> None:
    degrees = {kind: make_network(kind, 1000, 10, 0.0, 3).sum(axis=1) for kind in Network}
    assert degrees[Network.WS].std() == 0
    assert 2.5 < degrees[Network.ER].std() < 4
    assert degrees[Network.BA].max() > 60


# Runs ---------------------------------------------------------------------------------------------


def test_a_run_depends_on_seed_and_number_only() -> None:
    made = make_network(Network.WS, 40, 4, 0.1, 1)
    few = barter(made, meetings=2000, runs=2, seed=4, experts=3)
    many = barter(made, meetings=2000, runs=3, seed=4, experts=3, moments=(500, 2000))
    assert (few.mean[:, 0] == many.mean[:2, 1]).all()
    assert (few.mean != barter(made, meetings=2000, runs=2, seed=5, experts=3).mean).all()
    graph, setting = Graph(agents=40, neighbours=4), Agents(meetings=2000, experts=3)
    one = curve((0.0, 0.1), graph, setting, runs=2)
    other = curve((0.1, 0.5), graph, setting, runs=2)
    assert (one[1].mean == other[0].mean).all()


def test_processes_change_nothing() -> None:
    graph, setting = Graph(agents=30, neighbours=4), Agents(meetings=500, experts=3)
    done: list[tuple[int, int]] = []
    alone = curve((0.0, 0.5), graph, setting, runs=3, workers=1)
    together = curve((0.0, 0.5), graph, setting, runs=3, workers=2, progress=lambda *at: done.append(at))
    assert done == [(k, 6) for k in range(1, 7)]
    for one, other in zip(alone, together, strict=True):
        assert (one.mean == other.mean).all()
        assert (one.variance == other.variance).all()


def test_moments_are_those_of_agents_mean_knowledge() -> None:
    found = barter(complete(10), meetings=0, experts=2, categories=3, runs=2, seed=11)
    knowledge = np.array(naive.initial_knowledge(replicate_seed(11, 0), 10, 3, 2, 30.0)).mean(axis=1)
    assert found.mean[0, 0] == pytest.approx(knowledge.mean())
    assert found.variance[0, 0] == pytest.approx(((knowledge - knowledge.mean()) ** 2).mean())
    assert found.cv[0, 0] == pytest.approx(np.sqrt(found.variance[0, 0]) / found.mean[0, 0])
    summary = found.summary()
    assert summary["mean_se"] == pytest.approx(abs(found.mean[0, 0] - found.mean[1, 0]) / 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": 1.5}, "alpha must be a number from 0 to 1, not 1.5"),
        ({"alpha": float("nan")}, "alpha must be a number from 0 to 1, not nan"),
        ({"categories": 0}, "categories must be a whole number from 1 to 1,000, not 0"),
        ({"experts": 41}, "experts must be at most the number of agents, 40, not 41"),
        ({"expert_level": -1.0}, "expert_level must be a number from 0"),
        ({"meetings": 2.5}, "meetings must be a whole number"),
        ({"runs": 0}, "runs must be a whole number from 1"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"moments": (5, 5)}, "moments must increase"),
        ({"moments": (6_000_000,)}, "moments must increase, from at least 0 to at most 5,000,000 meetings"),
        ({"rule": "theft"}, "theft"),
    ],
)
def test_what_is_not_allowed_is_said(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        barter(complete(40), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("adjacency", "message"),
    [
        (np.ones((3, 4)), r"square.*\(3, 4\)"),
        (np.zeros((1, 1)), "at least 2 agents"),
        (np.eye(3), "ties agent 0 to itself"),
        (np.array([[0.0, np.nan], [1.0, 0.0]]), "finite"),
    ],
)
def test_what_is_no_network_is_said(adjacency: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        barter(adjacency, runs=1, experts=0, meetings=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Graph(agents=2), "agents must be"),
        (lambda: Graph(agents=10, neighbours=10), "neighbours must be a whole number from 2 to 9"),
        (lambda: Graph(neighbours=5), "neighbours must be even, not 5"),
        (lambda: curve((0.1, 0.1)), "rewiring must be one or more shares, each once"),
        (lambda: curve(()), "rewiring must be one or more shares, each once"),
        (lambda: curve((1.1,)), "rewiring must be a number from 0 to 1, not 1.1"),
    ],
)
def test_what_is_no_curve_is_said(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()


# Claims -------------------------------------------------------------------------------------------


def test_a_peak_is_found_with_its_uncertainty() -> None:
    rng = np.random.default_rng(1)
    hill = np.array([0.0, 1.0, 3.0, 1.0]) + rng.normal(0, 0.5, (50, 4))
    assert where_most(hill, (0.0, 0.1, 0.2, 0.3)) == (0.2, pytest.approx(0.0), (0.2, 0.2))
    flat = rng.normal(0, 0.5, (50, 4))
    assert where_most(flat, (0.0, 0.1, 0.2, 0.3))[2][1] > where_most(flat, (0.0, 0.1, 0.2, 0.3))[2][0]


def made_up(level: Callable[[float], tuple[float, float]]) -> tuple[Claim, ...]:
    """The claims about runs with given mean and variance at each share."""
    noise = np.random.default_rng(2).normal(0, 0.05, (20, 1))
    found = []
    for share in cj.REWIRING:
        mean, variance = level(share)
        found.append(cj.Moments(mean + noise + 0.01 * noise[::-1] * share, variance + noise * (1 + share)))
    return cj._barter_claims(cj.REWIRING, found)


def test_claims_can_hold_and_fail() -> None:
    def as_published(p: float) -> tuple[float, float]:
        low, high = 17.9 * (p < 0.05), 17.1 * (p > 0.2)
        return (low or high or 19.15), (86.0 if p < 0.01 else 90.0 if p <= 0.1 else 78.0)

    assert [claim.passed for claim in made_up(as_published)] == [True] * 9
    flat = made_up(lambda p: (18.0 + p, 80.0 - p))
    assert [claim.passed for claim in flat] == [False] * 3 + [False, False, True] + [False, True, False]


def test_the_published_shape_shows_on_a_small_scale() -> None:
    """Mean knowledge after barter: a small world is ahead of the ring and of chance."""
    setting = Agents(meetings=400_000, experts=12)
    found = curve((0.0, 0.1, 1.0), Graph(agents=250), setting, runs=12, workers=1)
    ring, small, chance = (part.mean[:, 0] for part in found)
    for other in (ring, chance):
        difference = small - other
        assert interval_of(difference.mean(), difference.std(ddof=1) / np.sqrt(12))[0] > 0


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (19.123, 0.0456, "19.123 ± 0.046"),
        (19.123, 0.456, "19.12 ± 0.46"),
        (190.0, 13.0, "190 ± 13"),
        (1.0, 1e-16, "1 ± 0"),
        (2.34e-15, 1.2e-16, "2.3e-15 ± 1.2e-16"),
        (0.2, float("nan"), "0.2"),
    ],
)
def test_numbers_are_shown_to_two_digits_of_their_error(value: float, error: float, text: str) -> None:
    assert shown(value, error) == text


# Commands -----------------------------------------------------------------------------------------

TINY = ["--agents", "30", "--neighbours", "4", "--meetings", "300", "--experts", "3", "--runs", "2"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["replicate", *arguments], env={"COLUMNS": "160"})


def test_list_names_what_there_is() -> None:
    assert all(name in call("list").output for name in REPLICATIONS)
    assert [row["name"] for row in json.loads(call("list", "--json").output)] == list(REPLICATIONS)


def test_help_has_a_command_for_each() -> None:
    assert all(name in call("--help").output for name in ("list", "all", *REPLICATIONS))


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--json"], ["cowan-jonard", "--help"]], ids=" ".join)
def test_looking_imports_nothing_heavy(arguments: list[str]) -> None:
    assert not modules_of(["replicate", *arguments], {}) & set(HEAVY)


@pytest.mark.parametrize("network", ["ws", "er", "ba"])
def test_every_value_can_be_set(network: str) -> None:
    more = ["--network", network, "--rewiring", "0,0.1", "--categories", "3", "--alpha", "0.2", "--expert-level", "20"]
    result = call("cowan-jonard", *TINY, *more, "--seed", "7", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["claims"] == []
    assert [point["rewiring"] for point in told["points"]] == [0.0, 0.1]
    found = curve(
        (0.0, 0.1),
        Graph(Network(network), 30, 4),
        Agents(categories=3, experts=3, expert_level=20.0, alpha=0.2, meetings=300),
        runs=2,
        seed=7,
    )
    for point, part in zip(told["points"], found, strict=True):
        assert point == {"rewiring": point["rewiring"], **part.summary(), "runs": 2}
    assert told["setting"]["network"] == network
    assert told["setting"]["alpha"] == 0.2


def test_one_run_has_no_standard_error() -> None:
    told = json.loads(call("cowan-jonard", *TINY[:-1], "1", "--rewiring", "0.1", "--json").output)
    assert told["points"][0]["mean_se"] is None


def test_a_table_is_shown_and_files_are_written(tmp_path: Path) -> None:
    out = tmp_path / "barter"
    result = call("cowan-jonard", *TINY, "--rewiring", "0,0.01,1", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "Knowledge after barter" in result.output
    names = {"cowan-jonard.csv", "cowan-jonard.png", "cowan-jonard.svg", "replications.json", "replications.md"}
    assert {path.name for path in out.iterdir()} == names
    with (out / "cowan-jonard.csv").open() as file:
        assert [row["rewiring"] for row in csv.DictReader(file)] == ["0.0", "0.01", "1.0"]
    assert "not empty" in call("cowan-jonard", *TINY, "--out", str(out)).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha", "2"], "--alpha must be a number from 0 to 1"),
        (["--expert-level", "-1"], "--expert-level must be a number from 0"),
        (["--neighbours", "3"], "--neighbours must be even, not 3"),
        (["--network", "torus"], "--network must be one of ws, er, ba, not torus"),
        (["--rewiring", "0.1,x"], "--rewiring 0.1,x: write shares"),
        (["--rewiring", "0,2"], "--rewiring must be a number from 0 to 1, not 2.0"),
        (["--agents", "10", "--experts", "20"], "--experts must be at most the number of agents"),
        (["--seed", "-1"], "--seed must be between"),
    ],
)
def test_bad_input_names_the_option(arguments: list[str], message: str) -> None:
    result = call("cowan-jonard", *TINY, *arguments)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")


@pytest.fixture
def small_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replications that take no time: fewer meetings, and for barter the same claims of a far smaller setting."""
    for name in [*REPLICATIONS]:
        if name not in ("cowan-jonard", "giving"):  # see test_replications_rules and test_replications_facts
            monkeypatch.delitem(REPLICATIONS, name)
    monkeypatch.setattr(cj, "EARLY", 4000)
    monkeypatch.setattr(cj, "LATE", 60_000)
    monkeypatch.setattr(cj.Agents.__init__, "__defaults__", (5, 25, 30.0, 0.1, 3000, cj.Rule.BARTER))


@pytest.mark.usefixtures("small_evidence")
def test_a_failed_claim_is_exit_code_1_and_named(tmp_path: Path) -> None:
    result = call("all", "--runs", "3", "--seed", "1", "--json", "--out", str(tmp_path))
    told = json.loads(result.output)
    assert [one["replication"] for one in told] == list(REPLICATIONS)
    failed = [claim["claim"] for one in told for claim in one["claims"] if not claim["passed"]]
    assert failed, "after six meetings an agent no network is ahead by 7 %"
    assert result.exit_code == 1
    page = (tmp_path / "replications.md").read_text(encoding="utf-8")
    assert all(f"missed: {claim}" in page for claim in failed)
    assert all((tmp_path / f"{name}.png").is_file() for name in REPLICATIONS)
    source = told[0]["claims"][0]["source"]
    assert (source["author"], source["year"], source["doi"]) == ("Cowan & Jonard", 2004, "10.1016/j.jedc.2003.04.002")


@pytest.mark.usefixtures("small_evidence")
def test_giving_shows_its_table() -> None:
    result = call("giving", "--runs", "4")
    assert "Small world ahead of the ring" in result.output
    assert "10.1016/S0167-2681(03)00091-X" in result.output.replace("\n", "")


def test_a_page_without_claims_says_why() -> None:
    evidence = cj.cowan_jonard(
        runs=2, graph=Graph(agents=20, neighbours=4), setting=Agents(meetings=10, experts=1), rewiring=(0.5,)
    )
    assert evidence.passed
    assert "published setting only" in as_markdown([evidence])


def test_a_miss_says_why() -> None:
    evidence = cj.cowan_jonard(
        runs=2, graph=Graph(agents=20, neighbours=4), setting=Agents(meetings=10, experts=1), rewiring=(0.5,)
    )
    claim = made_up(lambda p: (18.0 + p, 80.0 - p))[0]
    missed = replace(evidence, claims=(claim,), why="the reason")
    assert f"- missed: {claim.claim}" in as_markdown([missed])
    assert as_markdown([missed]).count("the reason") == 2, "where misses are listed, and below the table"
    assert missed.as_dict()["why"] == "the reason"
    held = replace(missed, claims=(replace(claim, passed=True),))
    assert "the reason" not in as_markdown([held])


def test_the_figure_has_a_place_for_no_rewiring() -> None:
    points = [
        {"rewiring": p, "mean": 1.0 + p, "mean_se": 0.1, "variance": 1.0, "variance_se": 0.1, "cv": 1.0, "cv_se": 0.1}
        for p in (0.0, 0.01, 1.0)
    ]
    for ax in figures.knowledge_curves(points, {"mean": (0.05, 0.2)}).axes:
        assert ax.get_xticklabels()[0].get_text() == "0"
        assert len(ax.containers) == 1
    assert figures.knowledge_curves([points[0]], {}).axes


def test_a_source_is_cited_with_year_and_doi() -> None:
    assert Source("A & B", 2001, "10.1/x").short == "A & B 2001, doi 10.1/x"
