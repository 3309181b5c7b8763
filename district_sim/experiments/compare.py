"""Paired comparison of scenarios and policy mixes: the same replicate is the same luck everywhere.

Statistics only, on the table of runs that `Results.runs` gives; nothing is simulated here. Each point of the design is
a *cell*; the first one is the counterfactual. Because replicate r meets the same luck in every cell (common random
numbers), a cell is compared with the counterfactual replicate by replicate, and what luck does to both drops out.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from district_sim.experiments.design import ROUTES, SCORES
from district_sim.run.run import MOVED
from district_sim.run.trajectories import Trajectory, windows
from district_sim.scenario.instruments import Action

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.scenario.calendar import Calendar
    from district_sim.scenario.interventions import Instrument

Interval = Literal["t", "bootstrap"]
METHODS: dict[str, str] = {
    "t": "Student's t on the paired differences; p by the paired t test",
    "bootstrap": "BCa bootstrap of the mean paired difference; p by flipping signs of differences at random",
}
EFFECT_SIZE = "Cohen's d_z: mean paired difference over the standard deviation of the differences"
_OF_THE_WHOLE = (*SCORES, *ROUTES, "recovery_time")
_RESAMPLES = 9999
_NOTHING = 1e-12  # differences below this share of the values are rounding, not effect


class Window(NamedTuple):
    """Which quarters outcomes are of, in words."""

    last: str
    """The last quarter of the runs: what an outcome is of."""
    late: str
    """Those of which an outcome called ..._late is the mean."""

    @classmethod
    def of(cls, quarters: int, calendar: Calendar | None) -> Window:
        """Of runs of so many quarters."""
        first = quarters - windows(quarters)[1]
        if calendar is None:
            return cls(f"quarter {quarters}", f"quarters {first + 1} to {quarters}")
        return cls(calendar.date(quarters - 1), f"{calendar.date(first)} to {calendar.date(quarters - 1)}")

    def told(self, outcomes: Iterable[str]) -> str:
        """What some outcomes are of, for a title; empty if not all are of the same."""
        late = kinds(outcomes)
        return "" if len(late) != 1 else f"mean of {self.late}" if True in late else f"in {self.last}"


def kinds(outcomes: Iterable[str]) -> set[bool]:
    """Whether there are outcomes of the last quarter (False) and late means (True); scores are of the whole run."""
    return {name.endswith("_late") for name in outcomes if name not in _OF_THE_WHOLE}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `compare` found."""

    cells: tuple[str, ...]
    """Names; the first is the counterfactual."""
    interval: Interval
    confidence: float
    differences: pd.DataFrame
    """One row per cell but the first and outcome: cell, outcome, n, counterfactual, mean, difference, low, high,
    effect (d_z), p, gain (how many times more replications independent seeds would need for the same standard
    error), p_holm (the family is all rows with a p)."""
    trajectories: pd.DataFrame
    """One row per cell and trajectory: cell, trajectory, count, n, share, low, high (Wilson interval)."""
    transitions: dict[str, pd.DataFrame]
    """By cell but the first: replicates by trajectory under the counterfactual (rows) and under the cell (columns)."""
    window: Window | None = None
    """The quarters that outcomes are of, where they are known."""

    def __repr__(self) -> str:
        others = ", ".join(self.cells[1:])
        return f"<Comparison of {others[:200]} with {self.counterfactual}, {len(self.differences)} differences>"

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and the differences."""
        table = self.differences.to_html(index=False, float_format="{:.4g}".format)
        return f"<p>{html.escape(repr(self))}</p>{table}"

    @property
    def counterfactual(self) -> str:
        """The cell that the others are compared with."""
        return self.cells[0]

    @property
    def title(self) -> str:
        """What is compared with what, and of which quarters where all outcomes are of the same."""
        when = "" if self.window is None else self.window.told(self.differences["outcome"])
        return f"Differences from {self.counterfactual}{', ' if when else ''}{when}"

    @property
    def tests(self) -> int:
        """For how many tests p_holm is corrected; rows without a p-value are none."""
        return int(self.differences["p"].notna().sum())

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON; what is not finite becomes null."""
        return {
            "counterfactual": self.counterfactual,
            "cells": list(self.cells),
            "interval": METHODS[self.interval],
            "confidence": self.confidence,
            "window": None if self.window is None else {"last": self.window.last, "late": self.window.late},
            "effect_size": EFFECT_SIZE,
            "correction": f"Holm, over all {self.tests} tests",
            "differences": records(self.differences),
            "trajectories": records(self.trajectories),
            "transitions": {
                cell: {str(row): {str(k): int(v) for k, v in counts.items()} for row, counts in table.iterrows()}
                for cell, table in self.transitions.items()
            },
        }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries that JSON can hold: NumPy's numbers become Python's, what is not finite becomes None."""

    def plain(value: Any) -> Any:
        value = value.item() if isinstance(value, np.generic) else value
        return None if isinstance(value, float) and not np.isfinite(value) else value

    return [{str(k): plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def cell_names(runs: pd.DataFrame, titles: Mapping[str, str] | None = None) -> dict[int, str]:
    """A name for each point: its scenario, and its policy mix if not its own.

    A bundled scenario is called by its name, a file by its title, with its own name where two have one title, and by
    its own name where no title is given.

    Args:
        titles: of the scenarios, by what `runs` calls them.
    """
    first = runs.drop_duplicates("point").sort_values("point")
    titles = {str(name): (titles or {}).get(str(name), "") for name in first["scenario"].unique()}
    names: dict[int, str] = {}
    for point, scenario, mix in zip(first["point"], first["scenario"], first["policies"], strict=True):
        plain, title = str(scenario), titles[str(scenario)]
        if plain.endswith((".yaml", ".yml")):
            stem = PurePath(plain).stem
            shared = list(titles.values()).count(title) > 1
            plain = stem if not title else f"{title} ({stem})" if shared else title
        name = plain if mix == "own" else f"{plain} + {mix}"
        names[int(point)] = f"{name} #{point}" if name in names.values() else name
    return names


def compare(
    runs: pd.DataFrame,
    outcomes: Sequence[str],
    *,
    interval: Interval = "t",
    confidence: float = 0.95,
    seed: int = 0,
    names: Mapping[int, str] | None = None,
    window: Window | None = None,
) -> Comparison:
    """Compare every point with the first one, paired by replicate.

    Args:
        runs: one row per run with columns point, replicate, scenario, policies, status, trajectory and the outcomes;
            runs whose status is not "done" are left out.
        outcomes: names of columns.
        interval: "t" for Student's interval and test; "bootstrap" for the BCa interval (Efron 1987,
            doi 10.1080/01621459.1987.10478410) and the random sign-flip test.
        confidence: of all intervals, above 0 and below 1.
        seed: of the bootstrap.
        names: of the points; by default see `cell_names`.
        window: the quarters that outcomes are of, for those who read the result.

    Raises:
        ValueError: fewer than two points, or a point that shares fewer than two finished replicates with the first.
        KeyError: an outcome is not a column.
    """
    finished = runs[runs["status"] == "done"]
    names = cell_names(runs) if names is None else names
    points = list(names)
    if len(points) < 2:
        raise ValueError("a comparison needs at least two scenarios or policy mixes")
    by_point = {point: finished[finished["point"] == point].set_index("replicate").sort_index() for point in points}
    base = by_point[points[0]]
    for point in points[1:]:
        common = base.index.intersection(by_point[point].index)
        if len(common) < 2:
            raise ValueError(
                f"{names[points[0]]} and {names[point]} have {len(common)} finished replicates in common; "
                "a paired comparison needs at least 2"
            )
    rows = [
        {"cell": names[point], "outcome": outcome}
        | paired(base[outcome], by_point[point][outcome], interval=interval, confidence=confidence, seed=seed)
        for point in points[1:]
        for outcome in outcomes
    ]
    import pandas as pd

    differences = pd.DataFrame(rows)
    differences["p_holm"] = holm(differences["p"].to_numpy())
    return Comparison(
        tuple(names[point] for point in points),
        interval,
        confidence,
        differences,
        trajectory_shares({names[point]: table["trajectory"] for point, table in by_point.items()}, confidence),
        {names[point]: transitions(base["trajectory"], by_point[point]["trajectory"]) for point in points[1:]},
        window,
    )


def paired(
    base: pd.Series, other: pd.Series, *, interval: Interval = "t", confidence: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Mean paired difference other − base with interval, effect size and p-value.

    Args:
        base: outcome by replicate; other: the same. Replicates that only one of them has, or whose value is not
            finite (a district that never recovered), are left out; `n` says how many remain.

    Returns:
        n, counterfactual, mean, difference, low, high, effect, p, gain; NaN where fewer than two pairs remain. Where
        all differences are equal the interval is a point, and p is 1 if they are zero, else 0.
    """
    both = base.index.intersection(other.index)
    a, b = base.loc[both].to_numpy(dtype=float), other.loc[both].to_numpy(dtype=float)
    finite = np.isfinite(a) & np.isfinite(b)
    a, b = a[finite], b[finite]
    if len(a) < 2:
        nothing = dict.fromkeys(("counterfactual", "mean", "difference", "low", "high", "effect", "p", "gain"), np.nan)
        return {"n": len(a)} | nothing
    d = b - a
    scale = max(np.abs(a).max(), np.abs(b).max())
    d[np.abs(d) <= _NOTHING * scale] = 0.0
    mean, spread = float(d.mean()), float(d.std(ddof=1))
    found = {"n": len(d), "counterfactual": float(a.mean()), "mean": float(b.mean()), "difference": mean}
    if spread <= _NOTHING * scale:
        sure = {"effect": 0.0, "p": 1.0} if mean == 0.0 else {"effect": float(np.copysign(np.inf, mean)), "p": 0.0}
        return found | {"low": mean, "high": mean} | sure | {"gain": np.nan}
    low, high, p = (_student if interval == "t" else _bootstrap)(d, confidence, seed)
    gain = float((a.var(ddof=1) + b.var(ddof=1)) / spread**2)
    return found | {"low": low, "high": high, "effect": mean / spread, "p": p, "gain": gain}


def _student(d: np.ndarray, confidence: float, _seed: int) -> tuple[float, float, float]:
    from scipy import stats

    test = stats.ttest_1samp(d, 0.0)
    low, high = test.confidence_interval(confidence)
    return float(low), float(high), float(test.pvalue)


def _bootstrap(d: np.ndarray, confidence: float, seed: int) -> tuple[float, float, float]:
    from scipy import stats

    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a degenerate resample; the interval below says so by NaN
        found = stats.bootstrap(
            (d,), np.mean, n_resamples=_RESAMPLES, confidence_level=confidence, method="BCa", rng=rng
        )
    test = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=_RESAMPLES, vectorized=True, rng=rng
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high), float(test.pvalue)


def holm(p: np.ndarray) -> np.ndarray:
    """P-values corrected for the number of tests, step-down (Holm 1979, Scand. J. Statist. 6, 65-70).

    Args:
        p: shape (m,), each in [0, 1]; NaN stays NaN and does not count as a test.
    """
    out = np.asarray(p, dtype=float).copy()
    tested = np.flatnonzero(~np.isnan(out))
    order = tested[np.argsort(out[tested], kind="stable")]
    out[order] = np.maximum.accumulate(np.arange(len(order), 0, -1) * out[order]).clip(max=1.0)
    return out


def trajectory_shares(labels: Mapping[str, pd.Series], confidence: float = 0.95) -> pd.DataFrame:
    """How probable each trajectory is in a cell, with its interval (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    Args:
        labels: trajectory of each run, by cell; runs without a label are left out.

    Returns:
        Columns cell, trajectory, count, n (runs with a label), share, low, high; all six trajectories for every cell.
    """
    import pandas as pd
    from scipy import stats

    rows = []
    for cell, found in labels.items():
        for trajectory in Trajectory:
            count, n = int((found == trajectory.value).sum()), int(found.notna().sum())
            if n == 0:
                rows.append((cell, trajectory.value, 0, 0, np.nan, np.nan, np.nan))
                continue
            span = stats.binomtest(count, n).proportion_ci(confidence, method="wilson")
            rows.append((cell, trajectory.value, count, n, count / n, float(span.low), float(span.high)))
    return pd.DataFrame(rows, columns=["cell", "trajectory", "count", "n", "share", "low", "high"])


def transitions(base: pd.Series, other: pd.Series) -> pd.DataFrame:
    """Where the same luck led: replicates by trajectory under `base` (rows) and under `other` (columns).

    Returns:
        Counts, shape (6, 6), in the order of `Trajectory`; the sum is the number of replicates with a label in both.
    """
    import pandas as pd

    order = [trajectory.value for trajectory in Trajectory]
    both = base.index.intersection(other.index)
    table = pd.crosstab(base.loc[both], other.loc[both])
    table = table.reindex(index=order, columns=order, fill_value=0)
    return table.rename_axis(index="counterfactual", columns="trajectory").astype(int)


def occurring(counts: pd.DataFrame) -> pd.DataFrame:
    """A transition matrix without the trajectories that never occur."""
    return counts.loc[counts.sum(axis=1) > 0, counts.sum(axis=0) > 0]


def moved(spending: pd.DataFrame, cells: Mapping[int, str], mixes: Mapping[str, Sequence[Instrument]]) -> pd.DataFrame:
    """How often signposts moved the instruments that have some, and when first.

    Args:
        spending: `Results.spending`. cells: by point. mixes: the instruments of each cell.

    Returns:
        One row per cell, instrument and move that a signpost of it can make: cell, instrument, signpost (in words),
        move, share (of the replicates, in which it came about), times (mean over replicates), low, median, high (of
        the first quarter, 1 is the first, where it came about: tenth, half, nine tenths).
    """
    import pandas as pd

    does = dict(zip((Action.START, Action.STOP, Action.BUDGET), MOVED, strict=True))
    rows = []
    for point, cell in cells.items():
        for number, item in enumerate(mixes[cell]):
            if not item.when:
                continue
            own = spending[(spending["point"] == point) & (spending["number"] == number)]
            for action, move in does.items():
                posts = [post.words() for post in item.when if post.then is action]
                if posts:
                    low, median, high = own[f"first_{move}"].quantile([0.1, 0.5, 0.9])
                    told: dict[str, Any] = {"signpost": ", or ".join(posts), "move": move}
                    told |= {"share": (own[move] > 0.0).mean(), "times": own[move].mean()}
                    told |= {"low": low, "median": median, "high": high}
                    rows.append({"cell": cell, "instrument": item.name, **told})
    columns = ["cell", "instrument", "signpost", "move", "share", "times", "low", "median", "high"]
    return pd.DataFrame(rows, columns=columns)


def bands(
    series: pd.DataFrame, indicators: Sequence[str], names: Mapping[int, str], coverage: float = 0.9
) -> pd.DataFrame:
    """Median and band over replicates of indicators over time, by cell.

    Args:
        series: `Results.series`: point, replicate, quarter and indicators.
        indicators: names of columns.
        names: cells by point.
        coverage: share of replicates inside the band.

    Returns:
        Columns cell, quarter, indicator, low, median, high.
    """
    import pandas as pd

    long = series.melt(["point", "quarter"], list(indicators), "indicator", "value")
    tail = (1.0 - coverage) / 2.0
    wanted = np.array([tail, 0.5, 1.0 - tail])
    quantiles = long.groupby(["point", "quarter", "indicator"])["value"].quantile(wanted).unstack()
    quantiles.columns = pd.Index(["low", "median", "high"])
    table = quantiles.reset_index()
    table.insert(0, "cell", table.pop("point").map(dict(names)))
    return table
