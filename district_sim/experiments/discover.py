"""Scenario discovery: under which conditions a trajectory comes about, as boxes that can be read aloud.

The patient rule induction method (PRIM; Friedman & Fisher 1999, doi 10.1023/A:1008894516817) as scenario discovery uses
it (Bryant & Lempert 2010, doi 10.1016/j.techfore.2009.08.002), in the implementation of the EMA workbench (Kwakkel
2017, doi 10.1016/j.envsoft.2017.06.054), which is an extra: `pip install 'district-sim[discover]'`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.ranges import Parameter

MISSING = "discover needs an extra that is not installed: pip install 'district-sim[discover]'"
SIGNIFICANT = 0.05
_PEELS = (0.05, 0.1)  # share of a box cut off at a step: fine, and coarse enough not to get stuck on a few points
_SMALLEST = 0.05  # box, as a share of all points


@dataclass(frozen=True, slots=True)
class Restriction:
    """One side of a box."""

    parameter: Parameter
    above: bool
    """Whether the parameter must lie above the limit, else below."""
    limit: float
    quasi_p: float
    """Probability that chance alone makes the box as dense without this restriction (Bryant & Lempert 2010)."""

    def words(self) -> str:
        """The restriction for a reader."""
        path = self.parameter.path
        if self.parameter.kind == "boolean":
            return f"{path} = {'true' if self.above else 'false'}"
        if self.parameter.kind == "integer":
            return f"{path} {'≥' if self.above else '≤'} {self.limit:g}"
        return f"{path} {'>' if self.above else '<'} {self.limit:.3g}"


@dataclass(frozen=True, slots=True)
class Box:
    """A region of the design in which the trajectory is common."""

    restrictions: tuple[Restriction, ...]
    coverage: float
    """Share of all points with the trajectory that lie in the box."""
    density: float
    """Share of the box's points that have the trajectory."""
    points: int
    cases: int
    """Points in the box that have the trajectory."""
    dense_enough: bool
    """Whether the density that was asked for is reached."""
    tradeoff: tuple[tuple[float, float, int], ...]
    """Every step of the peeling: coverage, density, number of parameters restricted."""

    @property
    def balance(self) -> float:
        """Harmonic mean of coverage and density."""
        return 2.0 * self.coverage * self.density / max(1e-12, self.coverage + self.density)

    def holds(self, x: pd.DataFrame) -> np.ndarray:
        """Which rows of a table of settings lie inside, shape (rows,)."""
        inside = np.ones(len(x), dtype=bool)
        for r in self.restrictions:
            values = x[r.parameter.path].to_numpy(dtype=float)
            inside &= values >= r.limit if r.above else values <= r.limit
        return inside

    def words(self) -> str:
        """All restrictions, for a reader."""
        return " and ".join(restriction.words() for restriction in self.restrictions)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "box": self.words(),
            "coverage": self.coverage,
            "density": self.density,
            "points": self.points,
            "cases": self.cases,
            "dense_enough": self.dense_enough,
            "restrictions": [
                {
                    "parameter": r.parameter.path,
                    "side": "above" if r.above else "below",
                    "limit": r.limit,
                    "quasi_p": r.quasi_p,
                }
                for r in self.restrictions
            ],
        }


def cases_of(runs: pd.DataFrame, trajectory: str, paths: Sequence[str]) -> pd.DataFrame:
    """The settings of each point and whether it is a case: at least half of its finished runs have the trajectory.

    Points, not runs, are counted, because the replicates of a point are no independent evidence about its settings.

    Args:
        runs: as `Results.runs`: point, status, trajectory and the varied paths.
        paths: the varied parameters.

    Returns:
        Columns of the paths, `share` of runs with the trajectory, and `case`; indexed by point.
    """
    finished = runs[runs["status"] == "done"]
    by_point = finished.groupby("point")
    table = by_point[list(paths)].first()
    table["share"] = (finished["trajectory"] == trajectory).groupby(finished["point"]).mean()
    table["case"] = table["share"] >= 0.5
    return table


def find_boxes(
    cases: pd.DataFrame, parameters: Sequence[Parameter], *, density: float = 0.8, boxes: int = 3
) -> list[Box]:
    """Up to `boxes` boxes, each found in what the ones before have left, by the better of two peelings.

    Of the steps of a peeling that are dense enough the one with the greatest coverage is taken, the densest of them if
    several have it; if none is dense enough, the one with the greatest harmonic mean of coverage and density.
    Restrictions that chance could have made (quasi-p above 0.05) are then dropped one by one.

    Args:
        cases: as `cases_of` gives it.
        parameters: the varied parameters.
        density: share of cases wanted in a box; where cases are so common anyway that this says little, the share
            halfway between theirs and 1 is wanted.

    Returns:
        No box at all if no restriction makes the trajectory more common.

    Raises:
        ImportError: the extra is not installed.
        ValueError: all points are cases, or none is.
    """
    prim = library()
    wanted = cases["case"].to_numpy(dtype=bool)
    total, count = int(wanted.sum()), len(wanted)
    if total in (0, count):
        raise ValueError(f"{'all' if total else 'none'} of the {count} points lead to it")
    density = max(density, (1.0 + total / count) / 2.0)
    # whole numbers and switches too: limits fall between two values, and are moved to the inner one afterwards
    x = cases[[parameter.path for parameter in parameters]].reset_index(drop=True).astype(float)
    found: list[Box] = []
    while len(found) < boxes and wanted.any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, to the library
            searches = [
                prim.Prim(x, wanted.astype(int), peel_alpha=peel, mass_min=_SMALLEST * count / len(x))
                for peel in _PEELS
            ]
            candidates = [_chosen(search.find_box(), parameters, density, total) for search in searches]
        best = max(candidates, key=lambda box: (bool(box.restrictions), box.dense_enough, box.balance))
        if not best.restrictions:
            break
        found.append(best)
        outside = ~best.holds(x)
        x, wanted = x[outside].reset_index(drop=True), wanted[outside]
    return found


def library() -> Any:
    """PRIM, imported when it is needed, as that takes seconds.

    Raises:
        ImportError: the extra is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it misses parts of its own that are not needed here
            from ema_workbench.analysis import prim  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise ImportError(MISSING) from None
    return prim


def _chosen(peeled: Any, parameters: Sequence[Parameter], density: float, total: int) -> Box:
    """The step of a peeling to report, without the restrictions that chance could have made.

    Args:
        peeled: PRIM's box with all its steps.
        parameters: the varied parameters.
        density: share of cases wanted.
        total: cases in the whole design, of which earlier boxes may hold some.
    """
    steps = peeled.peeling_trajectory
    coverage, dense = steps["k"] / total, steps["density"]
    enough = steps[dense >= density].sort_values(["k", "density"])
    best = enough.index[-1] if len(enough) else (coverage * dense / (coverage + dense).clip(lower=1e-12)).idxmax()
    peeled.select(int(best))
    while True:
        restrictions = _restrictions(peeled, parameters)
        doubtful = max(restrictions, key=lambda r: r.quasi_p, default=None)
        if doubtful is None or doubtful.quasi_p <= SIGNIFICANT:
            break
        _relax(peeled, doubtful)
    points, cases = len(peeled.yi), int(peeled.prim.y[peeled.yi].sum())
    tradeoff = tuple(zip(coverage.map(float), dense.map(float), steps["res_dim"].map(int), strict=True))
    share = cases / max(1, points)
    return Box(tuple(restrictions), cases / total, share, points, cases, share >= density, tradeoff)


def _restrictions(peeled: Any, parameters: Sequence[Parameter]) -> list[Restriction]:
    at = peeled._cur_box
    limits, widest, quasi_p = peeled.box_lims[at], peeled.prim.box_init, peeled.p_values[at]
    found = []
    for parameter in parameters:
        path = parameter.path
        for side in (0, 1):
            if limits[path][side] != widest[path][side]:
                limit, p = float(limits[path][side]), float(quasi_p[path][side])
                if parameter.kind != "number":
                    limit = float(np.ceil(limit) if side == 0 else np.floor(limit))
                found.append(Restriction(parameter, side == 0, limit, p))
    return found


def _relax(peeled: Any, restriction: Restriction) -> None:
    """Widen the box on one side, back to where the design ends."""
    path, side = restriction.parameter.path, 0 if restriction.above else 1
    limits = peeled.box_lims[peeled._cur_box].copy()
    limits.loc[side, path] = peeled.prim.box_init.loc[side, path]
    left = peeled.prim.x.loc[peeled.prim.yi_remaining]
    inside = ((left >= limits.loc[0]) & (left <= limits.loc[1])).all(axis=1)
    peeled.update(limits, peeled.prim.yi_remaining[inside.to_numpy()])
