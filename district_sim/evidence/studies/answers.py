"""How conduct answers policies: what `measure` found of the study of conduct, put side by side.

Effects with conduct fixed and free; which trait moves most, in spreads of that trait between firms; R&D for each euro
of grant; how fast a change of conduct fades when a programme ends.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from district_sim.evidence.studies.conduct import (
    DEAR_FIXED,
    DEAR_FREE,
    END,
    ENDED,
    FIXED,
    FREE,
    KINDS,
    OWNERSHIP,
    START,
    named,
)
from district_sim.evidence.studies.measure import Result
from district_sim.experiments.costs import present_value, ratio
from district_sim.model.state import TRAITS
from district_sim.scenario.instruments import InstrumentKind

LATE = 40  # quarters of the late window
GRANTS = ("rd_subsidy", "exploration_grant")
_DRAWS, _BASE = 999, 4  # bootstrap samples; quarters before the end that a fading change is measured from


def effects(result: Result) -> pd.DataFrame:
    """What each instrument does with conduct fixed and free: differences from no policy, with 95 % intervals.

    Returns:
        Columns kind, bids ("usual" or "high"), outcome, then for fixed and for free: the difference (`fixed`, `free`),
        `_low`, `_high`, and `spent` in present value [k€]. Outcomes are value added kept, employment, and the
        instrument's own.
    """
    points, rows = result.points.set_index(["cell", "outcome"]), []
    usual, dear = (("usual", FIXED, FREE, KINDS), ("high", DEAR_FIXED, DEAR_FREE, OWNERSHIP))
    for bids, fixed, free, kinds in (usual, dear):
        for kind in kinds:
            for outcome in ("value_added_local", "employment", InstrumentKind(kind).record.outcome):
                row = {"kind": kind, "bids": bids, "outcome": outcome}
                for conduct, district in (("fixed", fixed), ("free", free)):
                    found: Any = points.loc[(named(district, kind), outcome)]
                    row |= {conduct: found["difference"], f"{conduct}_spent": found["spent"]}
                    row |= {f"{conduct}_low": found["low"], f"{conduct}_high": found["high"]}
                rows.append(row)
    return pd.DataFrame(rows)


def shifts(result: Result) -> pd.DataFrame:
    """What each instrument changes in what firms do, in the last ten years, where conduct is free.

    Returns:
        Columns kind, trait, shift (difference of means from no policy, in the trait's unit), p (not corrected), spread
        (see `_spread`), in_spreads (shift / spread).
    """
    points, rows = result.points.set_index(["cell", "outcome"]), []
    without = _wide(result, FREE)
    for kind in KINDS:
        for trait in TRAITS:
            found: Any = points.loc[(named(FREE, kind), f"conduct_{trait}")]
            shift, spread = float(found["difference"]), _spread(without, trait)
            row = {"kind": kind, "trait": trait, "shift": shift, "p": found["p"], "spread": spread}
            rows.append(row | {"in_spreads": shift / spread})
    return pd.DataFrame(rows)


def moved_most(table: pd.DataFrame) -> pd.DataFrame:
    """Of each kind in `shifts` the trait that moves furthest, in spreads."""
    return table.loc[table["in_spreads"].abs().groupby(table["kind"], sort=False).idxmax()].reset_index(drop=True)


def additionality(result: Result) -> pd.DataFrame:
    """R&D for each euro of grant, present values of the whole run, against no policy under the same luck.

    Returns:
        Columns kind, conduct, per_euro (change of all R&D, grants included, for each euro of grant), low, high (95 %,
        bootstrap of replicates). 1: firms' own R&D stays; below 1 it falls; 0: grants replace it.
    """
    rows = []
    for kind in GRANTS:
        for conduct in (FIXED, FREE):
            without, with_it = _values(result, conduct), _values(result, named(conduct, kind))
            change = with_it["research_spending"] - without["research_spending"]
            per_euro, low, high = ratio(change.tolist(), with_it["grants"].tolist())
            rows.append({"kind": kind, "conduct": conduct, "per_euro": per_euro, "low": low, "high": high})
    return pd.DataFrame(rows)


def fading(result: Result, seed: int = 0) -> pd.DataFrame:
    """How fast a change of conduct fades after a programme of ten years.

    Of each programme that ends: the trait that it has moved furthest in its last year, in spreads.

    Args:
        seed: of the bootstrap.

    Returns:
        Columns kind, trait, moved (difference from no policy in the last year of the programme), in_spreads, half_life
        (quarters after the end until less than half of it is left), low, high (bootstrap of replicates), left (share
        that is left in the run's last ten years). Infinite: half of it outlasts the run.
    """
    rows, without = [], _wide(result, FREE)
    for kind in ENDED:
        ended = _wide(result, named(FREE, kind, ended=True))
        year = slice(END - _BASE, END)
        size = {trait: float(_gap(ended, without, trait)[:, year].mean()) / _spread(without, trait) for trait in TRAITS}
        trait = max(size, key=lambda name: abs(size[name]))
        gap = _gap(ended, without, trait)
        drawn = np.random.default_rng(seed).integers(len(gap), size=(_DRAWS, len(gap)))
        again = [half_life(gap[rows_drawn].mean(axis=0)) for rows_drawn in drawn]
        low, high = np.quantile(again, (0.025, 0.975), method="inverted_cdf")
        mean = gap.mean(axis=0)
        moved = float(mean[year].mean())
        row = {"kind": kind, "trait": trait, "moved": moved, "in_spreads": size[trait], "half_life": half_life(mean)}
        row |= {"low": float(low), "high": float(high), "left": float(mean[-LATE:].mean()) / moved if moved else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def half_life(gap: Sequence[float] | np.ndarray, end: int = END) -> float:
    """Quarters after the end until less than half of a change is left; infinite if the run ends before that.

    Args:
        gap: difference from no policy in every quarter. end: first quarter without the programme.
    """
    path = np.asarray(gap, dtype=float)
    half = 0.5 * path[end - _BASE : end].mean()
    below = np.flatnonzero(path[end:] * np.sign(half) < abs(half))
    return float(below[0] + 1) if below.size else np.inf


def paths_of_conduct(result: Result, kind: str, trait: str) -> pd.DataFrame:
    """Difference of a trait from no policy, in spreads: a row a quarter, columns `standing` and `ended`."""
    without = _wide(result, FREE)
    spread = _spread(without, trait)
    found = {
        name: _gap(_wide(result, named(FREE, kind, ended)), without, trait).mean(axis=0) / spread
        for name, ended in (("standing", False), ("ended", True))
    }
    return pd.DataFrame(found)


def _of(result: Result, cell: str) -> pd.DataFrame:
    assert result.paths is not None
    return result.paths[result.paths["cell"] == cell]


def _wide(result: Result, cell: str) -> dict[str, np.ndarray]:
    """Paths of a cell: an array (replicates, quarters) for each column."""
    own = _of(result, cell).sort_values(["replicate", "quarter"])
    return {name: own[name].to_numpy(dtype=float).reshape(result.replications, -1) for name in result.study.followed}


def _spread(without: dict[str, np.ndarray], trait: str) -> float:
    """Standard deviation of a trait between firms in the first quarter.

    Not that of later years: firms with the same reasons become alike, so that everything would be many spreads.
    """
    return float(without[f"conduct_{trait}_spread"][:, 0].mean())


def _gap(cell: dict[str, np.ndarray], without: dict[str, np.ndarray], trait: str) -> np.ndarray:
    return cell[f"conduct_{trait}"] - without[f"conduct_{trait}"]


def _values(result: Result, cell: str) -> dict[str, np.ndarray]:
    """Present value of R&D and of grants from the start of programmes, by replicate."""
    own = _wide(result, cell)
    from_start = {name: own[name].copy() for name in ("research_spending", "grants")}
    for path in from_start.values():
        path[:, :START] = 0.0
    return {name: np.array([present_value(flow) for flow in path]) for name, path in from_start.items()}
