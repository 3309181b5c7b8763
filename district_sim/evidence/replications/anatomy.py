"""Anatomy of the networks: dense business, sparse knowledge, rare outside ties; a stable core; who passes on what."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from district_sim.evidence.replications.baseline import (
    CALM,
    RUNS,
    Found,
    Look,
    look,
    over_runs,
    points_of,
    points_sheet,
    seeds_of,
)
from district_sim.evidence.replications.claims import Claim, Evidence, Source, around, inside, one_sided
from district_sim.evidence.replications.statistics import core_fit, coreness, rank_correlation, tie_overlap
from district_sim.model.parameters import Parameters
from district_sim.model.state import State, copied
from district_sim.run.run import learn, quarters_of
from district_sim.run.snapshot import Snapshot
from district_sim.run.workers import Progress

COLCHAGUA_2005 = Source("Giuliani & Bell", 2005, "10.1016/j.respol.2004.10.008")
SELECTIVE_2007 = Source("Giuliani", 2007, "10.1093/jeg/lbl014")
DYNAMICS_2013 = Source("Giuliani", 2013, "10.1016/j.respol.2013.04.002")
GATEKEEPERS_2008 = Source("Morrison", 2008, "10.1080/00343400701654178")
BUSINESS, KNOWLEDGE, OUTSIDE = 0.34, 0.12, 0.036  # densities in Colchagua
COLCHAGUA = 36
"""Firms there; density is compared at this size, as a firm's ties do not grow with the number of firms."""
EARLIER = CALM - 16
"""The quarter with which the last is compared: four years, as between Giuliani's surveys of 2002 and 2006."""
_WHY = (
    "outside ties are pipelines to the eight outside nodes of the world. About a tenth of the firms keep any, one or "
    "two each; with twice as many firms there would be more than the 15 % that `verify` allows."
)
_SECOND = 0.2  # how far a band reaches around a figure from a secondary source


def adjacency(firms: pd.DataFrame, ties: pd.DataFrame) -> np.ndarray:
    """(firms, firms) symmetric, of zeros and ones, in the order of `firms`; ties to others are left out."""
    place = pd.Series(np.arange(len(firms)), firms.index)
    a, b = place.reindex(ties["a"]).to_numpy(), place.reindex(ties["b"]).to_numpy()
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known].astype(int), b[known].astype(int)
    out = np.zeros((len(firms), len(firms)))
    out[a, b] = out[b, a] = 1.0
    return out


def knowledge_ties(snapshot: Snapshot, p: Parameters) -> pd.DataFrame:
    """Business ties that are trusted enough to carry tacit knowledge."""
    return snapshot.ties[snapshot.ties["trust"] > p.knowledge.trust_threshold[0]]


def densities(snapshot: Snapshot, p: Parameters) -> dict[str, float]:
    """Ties in all that are possible: business and knowledge between firms, outside between firms and outside nodes."""
    many, nodes = len(snapshot.firms), p.derived.node_kind.size
    pairs = many * (many - 1) / 2
    business, knowledge = len(snapshot.ties) / pairs, len(knowledge_ties(snapshot, p)) / pairs
    outside = snapshot.firms["pipelines"].sum() / (many * nodes)
    return {"business": business, "knowledge": knowledge, "outside": outside, "ratio": knowledge / business}


def passed_on(state: State, p: Parameters) -> tuple[float, float]:
    """Tacit and codified knowledge that other firms take in from gatekeepers in the next quarter.

    What they learn less what they would learn if gatekeepers knew nothing; over firms and domains.
    """
    gates = (state.pipelines.node >= 0).any(axis=1) & state.firms.alive
    others, learned = state.firms.alive & ~gates, []
    for silent in (False, True):
        s = copied(state)
        if silent:
            s.firms.tacit[gates] = s.firms.codified[gates] = 0.0
        learn(s, p)
        learned.append([s.firms[name][others].sum(dtype=float) for name in ("tacit", "codified")])
    (tacit, codified), (tacit_without, codified_without) = learned
    return float(tacit - tacit_without), float(codified - codified_without)


def _at_random(network: np.ndarray, seed: int) -> np.ndarray:
    """As many ties between as many firms, anywhere."""
    import networkx as nx

    graph = nx.gnm_random_graph(len(network), int(network.sum()) // 2, seed=seed % 2**32)
    return nx.to_numpy_array(graph)


def measure(p: Parameters, seed: int) -> Found:
    """All that is measured in a district of the baseline's own size."""
    kept = {}
    for quarter, state, *_ in quarters_of(p, seed, CALM, [EARLIER]):
        if quarter in (EARLIER, CALM):
            kept[quarter] = Snapshot.of(state)
    earlier, last = kept[EARLIER], kept[CALM]
    tacit, codified = passed_on(state, p)
    network = adjacency(last.firms, knowledge_ties(last, p))
    return (
        densities(last, p)
        | _change(earlier, last, p)
        | _core(last.firms, network)
        | {
            "core_random": core_fit(_at_random(network, seed)),
            "codified_share": codified / (codified + tacit),
            "gatekeepers": float((last.firms["pipelines"] > 0).mean()),
        }
    )


def _change(earlier: Snapshot, last: Snapshot, p: Parameters) -> dict[str, float]:
    """What four years leave of ties and of the structure, among the firms that lived through them."""
    stayed = earlier.firms.loc[earlier.firms.index.intersection(last.firms.index)]
    before, after = (adjacency(stayed, knowledge_ties(snapshot, p)) for snapshot in (earlier, last))
    jaccard, correlation = tie_overlap(before, after)
    return {
        "turnover": 1.0 - jaccard,
        "tie_stability": correlation,
        "core_stability": rank_correlation(coreness(before), coreness(after)),
        "fit_change": core_fit(after) / core_fit(before),
    }


def _core(firms: pd.DataFrame, network: np.ndarray) -> dict[str, Any]:
    base, core = firms["tacit"].to_numpy(), coreness(network)
    weak, tied = base <= np.quantile(base, 0.25), network.any(axis=1)
    return {
        "core_fit": core_fit(network),
        "core_knowledge": rank_correlation(core, base),
        "excluded": float((~tied)[weak].mean() - (~tied)[~weak].mean()),
        "base": base.astype(np.float32),
        "core": core.astype(np.float32),
    }


def measure_small(p: Parameters, seed: int) -> Found:
    """Densities in a district of Colchagua's size."""
    *_, end = quarters_of(p, seed, CALM)
    return {f"{name}_small": value for name, value in densities(Snapshot.of(end.state), p).items()}


_WORDS = {
    "business_small": f"Density of business ties, {COLCHAGUA} firms",
    "knowledge_small": f"Density of knowledge ties, {COLCHAGUA} firms",
    "outside_small": f"Density of outside ties, {COLCHAGUA} firms",
    "ratio_small": f"Knowledge ties in business ties, {COLCHAGUA} firms",
    "business": "Density of business ties, 300 firms",
    "knowledge": "Density of knowledge ties, 300 firms",
    "outside": "Density of outside ties, 300 firms",
    "ratio": "Knowledge ties in business ties, 300 firms",
    "turnover": "Knowledge ties new or gone after four years",
    "tie_stability": "Correlation of knowledge ties over four years",
    "core_stability": "Rank correlation of coreness over four years",
    "fit_change": "Fit of core and periphery after four years, of that before",
    "core_fit": "Fit of core and periphery",
    "core_random": "The same with as many ties at random",
    "core_knowledge": "Rank correlation of coreness and knowledge base",
    "excluded": "Firms without knowledge ties, weakest quarter of knowledge bases less the others",
    "gatekeepers": "Firms with their own pipeline",
    "codified_share": "Codified in all knowledge that gatekeepers pass on",
}


def network_anatomy(
    seed: int = 0, runs: int | None = None, progress: Progress | None = None, workers: int | None = None
) -> Evidence:
    """Density and turnover of ties, core and periphery, gatekeepers, at the end of the baseline's calm window."""
    runs = RUNS if runs is None else runs
    seeds, small = seeds_of(seed, runs), (("firms.count", COLCHAGUA),)
    jobs = [Look(measure, own) for own in seeds] + [Look(measure_small, own, small) for own in seeds]
    parts = look(jobs, progress, workers)
    found = [one | other for one, other in zip(parts[:runs], parts[runs:], strict=True)]
    setting = {"scenario": "baseline", "quarters": CALM, "runs": runs, "seed": seed}
    points = points_of(found, _WORDS)
    return Evidence(
        name="network-anatomy",
        title="Anatomy of the networks (Giuliani & Bell 2005; Giuliani 2007, 2013; Morrison 2008)",
        setting=setting,
        points=points,
        claims=_claims(found) if runs > 1 else (),
        sheet=points_sheet(f"Networks after {CALM} calm quarters", points, setting),
        draw=partial(_draw, found),
        why=_WHY,
    )


def _claims(found: list[Found]) -> tuple[Claim, ...]:
    at = {name: over_runs(found, name) for name in _WORDS}
    ratio = round(KNOWLEDGE / BUSINESS, 3)
    near = partial(around, source=COLCHAGUA_2005, width=_SECOND)
    return (
        near(_WORDS["business_small"], values=at["business_small"], published=BUSINESS),
        near(_WORDS["knowledge_small"], values=at["knowledge_small"], published=KNOWLEDGE),
        near(_WORDS["outside_small"], values=at["outside_small"], published=OUTSIDE),
        near(_WORDS["ratio_small"], values=at["ratio_small"], published=ratio),
        near(_WORDS["ratio"], values=at["ratio"], published=ratio),
        one_sided("Ties change much: knowledge ties new or gone after four years", DYNAMICS_2013, at["turnover"],
                  basis="derived", limit=0.5),
        one_sided("The structure is more stable than ties: correlation over four years of coreness less that of ties",
                  DYNAMICS_2013, at["core_stability"] - at["tie_stability"]),
        inside("Core and periphery stay: their fit after four years, of that before", DYNAMICS_2013,
               at["fit_change"], 0.9, 1.1, "derived"),
        one_sided("There is a core: fit of core and periphery less that of as many ties at random", SELECTIVE_2007,
                  at["core_fit"] - at["core_random"]),
        one_sided("Core firms know more: rank correlation of coreness and knowledge base", COLCHAGUA_2005,
                  at["core_knowledge"]),
        one_sided("Weak firms are left out: firms without knowledge ties, weakest quarter less the others",
                  SELECTIVE_2007, at["excluded"]),
        one_sided("Gatekeepers pass on codified more than tacit knowledge: codified in all that they pass on",
                  GATEKEEPERS_2008, at["codified_share"], limit=0.5),
    )  # fmt: skip


def _draw(found: list[Found]) -> Any:
    from district_sim import figures

    measured = {
        "business": over_runs(found, "business_small"),
        "knowledge": over_runs(found, "knowledge_small"),
        "outside": over_runs(found, "outside_small"),
    }
    published = dict(zip(measured, (BUSINESS, KNOWLEDGE, OUTSIDE), strict=True))
    stability = {"ties": over_runs(found, "tie_stability"), "coreness": over_runs(found, "core_stability")}
    return figures.anatomy(measured, published, stability, found[0]["base"], found[0]["core"])
