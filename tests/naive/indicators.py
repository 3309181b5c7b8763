"""Twin of indicators.py: the indicators from their descriptions, with networkx for the network's shape."""

import math
from collections import defaultdict
from typing import Any

import networkx as nx
import numpy as np

from district_sim.kernels.draws import Stream
from district_sim.model.state import TALLY, TRAITS, UNEMPLOYED, State
from naive.common import is_foreign, links, living, meet, partners, pipelines_of, unit_of


def ratio(a: float, b: float) -> float:
    """Undefined, not zero, if there is nothing to divide by."""
    return float(a / b) if b > 0 else math.nan


def observe(state: State, p: Any) -> dict[str, float]:
    """Name -> value, in the order of `indicators.NAMES`."""
    rows = living(state)
    tally = dict(zip(TALLY, state.tally, strict=True))
    return {
        **_economy(state, p, rows, tally),
        **_control(state, p, rows, tally),
        **_network(state, p, rows, tally),
        **_learning(state, rows, tally),
        **_institutions(state, rows),
        **_conduct(state, rows),
    }


def _sum(state: State, rows: list[int], name: str) -> float:
    return float(sum(state.firms[i][name] for i in rows))


def _mean(state: State, rows: list[int], name: str) -> float:
    return ratio(_sum(state, rows, name), len(rows))


def _final(state: State, p: Any, rows: list[int]) -> list[int]:
    return [i for i in rows if state.firms[i].phase == p.technology[0].phases - 1]


def gini(values: list[float]) -> float:
    """Mean absolute difference relative to twice the mean."""
    x = np.array(values)
    if x.size < 2 or x.sum() == 0:
        return math.nan
    return float(np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean()))


def _economy(state: State, p: Any, rows: list[int], tally: dict[str, float]) -> dict[str, float]:
    people, value = _sum(state, rows, "employees"), _sum(state, rows, "value_added")
    idle = state.accounts.people[UNEMPLOYED]
    old = [i for i in rows if state.firms[i].founded < 0]
    return {
        "firms": len(rows),
        "employment": people,
        "unemployment": ratio(idle, idle + state.accounts.people[0]),
        "turnover": _sum(state, _final(state, p, rows), "sales"),
        "value_added": value,
        "value_added_local": value - tally["repatriated"],
        "productivity": ratio(value, people),
        "wage": ratio(tally["wages"], people),
        "profit_share": ratio(_sum(state, rows, "profit"), value),
        "survival": ratio(len(old), p.firms[0].count),
        "entries": tally["entries"],
        "exits": tally["exits"],
        "gini": gini([max(0.0, float(state.firms[i].value_added)) for i in rows]),
    }


def _control(state: State, p: Any, rows: list[int], tally: dict[str, float]) -> dict[str, float]:
    foreign = [i for i in rows if is_foreign(state, i)]
    suppliers = [i for i in rows if i not in _final(state, p, rows)]
    members = [i for i in rows if not is_foreign(state, i) and unit_of(state, i) != i]
    group = set(members) | {unit_of(state, i) for i in members}
    sales: dict[int, float] = defaultdict(float)
    for i in rows:
        sales[unit_of(state, i)] += float(state.firms[i].sales)
    total = _sum(state, rows, "sales")
    settled = {i: [m for m, _, _ in links(state, i) if state.ties[i].age[m] > 0] for i in rows}
    orders = {i: sum(float(state.orders[i].paid[m]) for m in settled[i]) for i in rows}
    share = ratio(max(orders.values(), default=0.0), sum(orders.values()))
    bound = [i for i in suppliers if state.firms[i].captor >= 0 or state.firms[i].owner >= 0]
    return {
        "mne_turnover_share": ratio(_sum(state, foreign, "sales"), total),
        "mne_employment_share": ratio(_sum(state, foreign, "employees"), _sum(state, rows, "employees")),
        "group_firm_share": ratio(len(group), len(rows)),
        "group_employment_share": ratio(_sum(state, sorted(group), "employees"), _sum(state, rows, "employees")),
        "hhi_control": sum((s / total) ** 2 for s in sales.values()) if total > 0 else math.nan,
        "dependent_share": ratio(sum(state.firms[i].client_share > 0.5 for i in suppliers), len(suppliers)),
        "captive_share": ratio(len(bound), len(suppliers)),
        "order_centralisation": ratio(len(rows) * share - 1, len(rows) - 1) if sum(orders.values()) > 0 else math.nan,
        "takeovers": tally["takeovers"],
        "acquisitions": tally["acquisitions"],
    }


def _graph(state: State, rows: list[int]) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(rows)
    graph.add_edges_from((i, j) for i in rows for j in partners(state, i))
    return graph


def _network(state: State, p: Any, rows: list[int], tally: dict[str, float]) -> dict[str, float]:
    graph, stream = _graph(state, rows), int(Stream.OBSERVATION)
    drawn = [i for i in (meet(state, -100, k, stream) for k in range(6)) if i >= 0]
    steps = [length for i in drawn for j, length in nx.shortest_path_length(graph, i).items() if j != i]
    drawn = [i for i in (meet(state, -101, k, stream) for k in range(100)) if i >= 0 and graph.degree(i) > 1]
    trust = [t for i in rows for _, j, t in links(state, i) if i < j]
    coverage, made = _coverage(state, p, rows)
    identity, education = _mean(state, rows, "identity"), _mean(state, rows, "education")
    capability = float(state.agency[0].capability)
    return {
        "degree": ratio(2 * len(trust), len(rows)),
        "knowledge_tie_share": ratio(sum(t > p.knowledge[0].trust_threshold for t in trust), len(trust)),
        "tie_turnover": ratio((tally["tie_births"] + tally["tie_deaths"]) / 2, len(trust)),
        "largest_component": ratio(max(map(len, nx.connected_components(graph)), default=0), len(rows)),
        "clustering": ratio(sum(nx.clustering(graph, i) for i in drawn), len(drawn)),
        "path_length": ratio(sum(steps), len(steps)),
        "trust": ratio(sum(trust), len(trust)),
        "identity": identity,
        "phase_coverage": coverage,
        "reproduction": (coverage + education + identity + capability) / 4,
        "local_purchases": ratio(tally["purchases_local"], tally["purchases"]),
        "make_share": made,
    }


def _coverage(state: State, p: Any, rows: list[int]) -> tuple[float, float]:
    """Phases covered (half made in the district is full cover), and the share made in the house."""
    final, last = _final(state, p, rows), p.technology[0].phases - 1
    sales = np.array([state.firms[i].sales for i in final])
    if not sales.sum():
        return math.nan, math.nan
    abroad = sales @ np.array([state.firms[i].abroad[:last] for i in final]) / sales.sum()
    made = sales @ np.array([state.firms[i].made[:last] for i in final]) / sales.sum()
    return float((1 + np.minimum(1, 2 * (1 - abroad)).sum()) / (last + 1)), float(made.mean())


def _learning(state: State, rows: list[int], tally: dict[str, float]) -> dict[str, float]:
    n, newest = len(rows), state.world[0].newest
    pipes = [len(pipelines_of(state, i)) for i in rows]
    own, shared, local = (_sum(state, rows, name) for name in ("inflow", "inflow_collective", "inflow_local"))
    inflow = sorted((float(state.firms[i].inflow) for i in rows if state.firms[i].inflow > 0), reverse=True)
    brokers = inflow[: max(1, round(0.05 * len(inflow)))]
    tacit = np.array([state.firms[i].tacit.mean() for i in rows])
    quality = sum(float(state.firms[i].quality * state.firms[i].employees) for i in rows)
    return {
        "pipelines_per_firm": ratio(sum(pipes), n),
        "pipeline_firms": ratio(sum(k > 0 for k in pipes), n),
        "global_inflow_share": ratio(own + shared, own + shared + local),
        "collective_inflow_share": ratio(shared, own + shared),
        "gatekeeper_dependence": ratio(sum(brokers), sum(inflow)),
        "tacit_mean": float(tacit.mean()) if n else math.nan,
        "tacit_variance": float(tacit.var()) if n else math.nan,
        "codified_mean": ratio(sum(float(state.firms[i].codified.mean()) for i in rows), n),
        "absorptive_capacity": _mean(state, rows, "absorptive"),
        "education": _mean(state, rows, "education"),
        "quality": ratio(quality, _sum(state, rows, "employees") * state.world[0].quality_start),
        "radical_rate": ratio(tally["radical"], n),
        "adoption_rate": ratio(tally["adoptions"], n),
        "increment_rate": ratio(tally["increments"], n),
        "technology_mean": _mean(state, rows, "technology"),
        "newest_share": ratio(sum(state.firms[i].technology >= newest for i in rows), n),
    }


def _institutions(state: State, rows: list[int]) -> dict[str, float]:
    agency = state.agency[0]
    return {
        "participation": float(agency.participation) if rows else math.nan,
        "agency_capability": float(agency.capability),
        "agency_fund_share": ratio(agency.contributed + agency.matched, _sum(state, rows, "value_added")),
        "brand": float(agency.brand),
        "leverage": ratio(agency.matched, agency.contributed),
        "policy_spending": float(state.instruments.spent.sum()),
        "globalisation": float(state.world[0].pressure),
    }


def _conduct(state: State, rows: list[int]) -> dict[str, float]:
    done = {name: np.array([state.firms[i].conduct[n] for i in rows]) for n, name in enumerate(TRAITS)}
    return {
        "access": _mean(state, rows, "access"),
        **{f"conduct_{name}": float(column.mean()) if rows else math.nan for name, column in done.items()},
        **{f"conduct_{name}_spread": float(column.std()) if rows else math.nan for name, column in done.items()},
    }
