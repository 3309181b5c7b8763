"""What is known of a firm in a quarter, and over some quarters, as an evaluator would know it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from district_sim.model.parameters import Parameters
from district_sim.model.state import SKILLING, State

type Over = Literal["mean", "any", "last"]
"""Of several quarters: their mean, whether it happened in any, or the last of them."""


class Measure(NamedTuple):
    """A number of a firm."""

    label: str
    unit: str
    """As in other tables; a share is shown in points."""
    over: Over = "mean"


MEASURES: dict[str, Measure] = {
    "research": Measure("R&D, the grant included", "k€/quarter"),
    "own_research": Measure("R&D paid by the firm itself", "k€/quarter"),
    "intensity": Measure("R&D relative to normal", "1"),
    "employees": Measure("employees", "employees"),
    "sales": Measure("sales", "k€/quarter"),
    "value_added": Measure("value added", "k€/quarter"),
    "productivity": Measure("value added per employee", "k€/quarter"),
    "innovations": Measure("innovations", "innovations/quarter"),
    "innovator": Measure("firms that innovated", "share", "any"),
    "education": Measure("education of the workforce", "share"),
    "training": Measure("firm's own training, share of wages", "share"),
    "alliances": Measure("alliances in the district", "ties"),
    "learned": Measure("knowledge learned from partners", "knowledge/quarter"),
    "knowhow": Measure("knowledge learned from outside the district", "knowledge/quarter"),
    "access": Measure("realised access to distant knowledge", "share"),
    "pipelines": Measure("links to places outside", "pipelines"),
    "linked": Measure("firms with a link to a place outside", "share", "last"),
    "quality": Measure("quality of the work", "1"),
    "survives": Measure("firms alive", "share", "last"),
}
"""By the name in a file. A dead firm has none of them but `survives`."""
AGE = "age"
"""Quarters since foundation: known at the start only."""


def observed(state: State, before: Any, p: Parameters) -> dict[str, np.ndarray]:
    """All of `MEASURES` for the firms of `before`, as the quarter just run left them: each (rows,), NaN where dead.

    Args:
        state: after the quarter. before: their records before it, a copy.
    """
    rows = len(before)
    firms, ties, links = state.firms[:rows], state.ties[:rows], state.pipelines[:rows]
    earned = np.maximum(0.0, firms.value_added)
    research = float(p.innovation.research_cost[0]) * earned * firms.research
    switched = firms.technology > before.technology
    innovations = switched + np.where(switched, 0, np.maximum(0, firms.increments - before.increments))
    trusted = (ties.partner >= 0) & (ties.trust > float(p.knowledge.trust_threshold[0]))
    pipelines = (links.node >= 0).sum(axis=1)
    found = {
        "research": research,
        "own_research": research - firms.grant,
        "intensity": firms.research,
        "employees": firms.employees,
        "sales": firms.sales,
        "value_added": firms.value_added,
        "productivity": firms.value_added,  # divided by employees over all quarters: see `summarised`
        "innovations": innovations,
        "innovator": innovations > 0,
        "education": firms.education,
        "training": firms.conduct[:, SKILLING],
        "alliances": trusted.sum(axis=1),
        "learned": firms.inflow_local,
        "knowhow": firms.inflow + firms.inflow_collective,
        "access": firms.access,
        "pipelines": pipelines,
        "linked": pipelines > 0,
        "quality": firms.quality,
        "survives": np.ones(rows),
    }
    alive = firms.alive.copy()
    told = {name: np.where(alive, values, np.nan) for name, values in found.items()}
    return told | {"survives": alive.astype(float)}


def summarised(quarters: Sequence[Mapping[str, np.ndarray]], name: str) -> np.ndarray:
    """A measure over some quarters, (rows,): NaN for a firm that died in one of them, but for `survives`.

    Args:
        quarters: >= 1 results of `observed`.
    """
    values = np.array([quarter[name] for quarter in quarters])
    over = MEASURES[name].over
    if name == "productivity":
        people = np.array([quarter["employees"] for quarter in quarters]).sum(axis=0)
        return values.sum(axis=0) / people
    if over == "last":
        return values[-1]
    return values.max(axis=0) if over == "any" else values.mean(axis=0)
