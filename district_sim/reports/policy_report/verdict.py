"""The verdict in words: the numbers alone decide, and the verdict states where they are not significant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.text.names import in_percent, outcome_name, record_of, unit_words
from district_sim.text.numbers import decimals_for, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.reports.policy_report.question import Question
    from district_sim.reports.policy_report.sensitivity import Sensitivity

COVERAGE = 0.9
"""Share of the districts inside a band."""
_ROUNDING = 1e-12  # differences below this share of the values are none


@dataclass(frozen=True)
class Verdict:
    """What the report says first."""

    lead: str
    """The mix with the greatest mean outcome; it need not differ from the counterfactual."""
    headline: str
    details: tuple[str, ...]
    """A sentence for each mix, highest first."""


def judge(
    differences: pd.DataFrame, rivals: pd.DataFrame, outcome: str, counterfactual: str, confidence: float
) -> Verdict:
    """The verdict on one outcome.

    Args:
        differences: rows of `compare.Comparison.differences`, of all outcomes.
        rivals: each mix less the lead, as `rivals_of` gives it.
        outcome: the headline.
        counterfactual: its name.
        confidence: of the intervals.
    """
    own = differences[differences["outcome"] == outcome].dropna(subset="difference")
    rows: list[dict[Any, Any]] = own.to_dict("records")
    rows.sort(key=lambda row: -row["difference"])
    lead, name, n = rows[0]["cell"], outcome_name(outcome, unit=False), rows[0]["n"]
    details = tuple(f"{row['cell']}: {effect_in_words(row, outcome, confidence)}" for row in rows)
    higher, lower = ([row["cell"] for row in rows if side(row) == sign] for sign in (1, -1))
    if all(_nothing(row) for row in rows):
        headline = (
            f"{name}: no difference. In each of {n} districts the outcome is the same with and without the policies."
        )
    elif lead in higher:
        below = [counterfactual, *(row["cell"] for row in rivals.to_dict("records") if side(row) < 0)]
        level = [row["cell"] for row in rivals.to_dict("records") if side(row) == 0]
        headline = f"{name} is highest under {lead}, and higher than under {_and(below)}"
        headline += f"; {_and(level)} does not differ significantly from it." if level else "."
    elif higher:
        headline = f"{name} is higher under {_and(higher)} than under {counterfactual}; the greatest mean is that of "
        headline += f"{lead}, but its interval includes 0."
    elif lower:
        headline = f"{name}: no policy raises it significantly; under {_and(lower)} it is lower than under "
        headline += f"{counterfactual}."
    else:
        headline = (
            f"{name}: no significant difference from {counterfactual} with {n} districts; every interval includes 0."
        )
    return Verdict(lead, headline, details)


def rivals_of(runs: pd.DataFrame, lead: str, cells: Sequence[str], outcome: str, how: dict[str, Any]) -> pd.DataFrame:
    """Each other mix less the lead on the outcome, paired by replicate: cell and the result of `compare.paired`."""
    import pandas as pd

    from district_sim.experiments.compare import paired

    wide = runs[runs["status"] == "done"].pivot(index="replicate", columns="cell", values=outcome)
    others = [cell for cell in cells[1:] if cell != lead]
    rows = [{"cell": cell} | paired(wide[lead], wide[cell], **how) for cell in others]
    return pd.DataFrame(rows, columns=["cell"] if not rows else None)


def spread(runs: pd.DataFrame, series: pd.DataFrame, question: Question, points: Mapping[str, int]) -> pd.DataFrame:
    """How the effect differs from one district to the next, each compared with itself under the same luck.

    Args:
        runs: of the report, with `cell`. series: every quarter of every run. points: of the mixes.

    Returns:
        One row per mix but the first and measure (the headline's name, jobs, job_years, and cost_per_job): cell,
        measure, n, low, median, high (`COVERAGE` of the districts), positive (share with an effect above 0), none
        (with none at all), positive_low, positive_high (Wilson). Of cost_per_job [k€ of present value]: a district
        without more jobs has no cost per job; it counts as dearer than any other, so that `high` is infinite where
        there are many of them, and `none` is their share.
    """
    import pandas as pd

    from district_sim.reports.policy_report.money import sums

    finished = runs[runs["status"] == "done"].pivot(index="replicate", columns="cell", values=question.outcome)
    by_cell = {cell: sums(series[series["point"] == point], question) for cell, point in points.items()}
    base, rows = question.cells[0], []
    for cell in question.cells[1:]:
        change = (by_cell[cell] - by_cell[base]).dropna()
        cost = np.where(change["job"] > 0.0, change["spent"] / change["job"].where(change["job"] > 0.0), np.inf)
        measures = {
            question.outcome: _differences(finished[base], finished[cell]),
            "jobs": _differences(by_cell[base]["job"], by_cell[cell]["job"]),
            "job_years": _differences(by_cell[base]["job_year"], by_cell[cell]["job_year"]),
        }
        rows += [{"cell": cell, "measure": name} | _spread(d, question.confidence) for name, d in measures.items()]
        rows.append({"cell": cell, "measure": "cost_per_job"} | _dearest_last(cost))
    return pd.DataFrame(rows)


def _differences(base: pd.Series, own: pd.Series) -> np.ndarray:
    """By pair, where both are known; what is rounding is 0."""
    a, b = base.to_numpy(dtype=float), own.reindex(base.index).to_numpy(dtype=float)
    known = np.isfinite(a) & np.isfinite(b)
    d = (b - a)[known]
    d[np.abs(d) <= _ROUNDING * np.maximum(np.abs(a[known]), np.abs(b[known]))] = 0.0
    return d


def _spread(d: np.ndarray, confidence: float) -> dict[str, float]:
    from scipy import stats

    if not len(d):
        return {"n": 0} | dict.fromkeys(("low", "median", "high", "positive", "none"), np.nan)
    above, n = int((d > 0.0).sum()), len(d)
    low, median, high = np.quantile(d, [(1.0 - COVERAGE) / 2.0, 0.5, (1.0 + COVERAGE) / 2.0])
    span = stats.binomtest(above, n).proportion_ci(confidence, method="wilson")
    found = {"n": n, "low": float(low), "median": float(median), "high": float(high)}
    found |= {"positive": above / n, "none": float((d == 0.0).mean())}
    return found | {"positive_low": float(span.low), "positive_high": float(span.high)}


def _dearest_last(cost: np.ndarray) -> dict[str, float]:
    """Of costs that are infinite where there is none: quantiles that fall on such a one are infinite."""
    levels = [(1.0 - COVERAGE) / 2.0, 0.5, (1.0 + COVERAGE) / 2.0]
    low, median, high = np.quantile(cost, levels, method="inverted_cdf") if len(cost) else (np.nan,) * 3
    return {
        "n": len(cost),
        "low": float(low),
        "median": float(median),
        "high": float(high),
        "none": float(np.isinf(cost).mean()) if len(cost) else np.nan,
    }


def side(row: dict[Any, Any], low: str = "low", high: str = "high") -> int:
    """+1 where the interval lies above 0, -1 where it lies below, else 0."""
    return int(row[low] > 0.0) - int(row[high] < 0.0)


def effect_in_words(row: dict[Any, Any], outcome: str, confidence: float) -> str:
    """A difference with its interval, unit and relative size."""
    if _nothing(row):
        return "no difference in any replicate"
    share = f", {percent(row['difference'] / abs(row['counterfactual']), 1, sign=True)}"
    relative = "" if in_percent(outcome) or not row["counterfactual"] else share
    text = f"{change(row, outcome)} ({100 * confidence:g} % interval {span(row, outcome)}{relative})"
    return text if side(row) else f"{text}; not significant, as the interval includes 0"


def change(row: dict[Any, Any], outcome: str, key: str = "difference") -> str:
    """A difference with its unit."""
    return f"{_scaled(row, outcome, key)}{_unit(outcome)}"


def span(row: dict[Any, Any], outcome: str, low: str = "low", high: str = "high") -> str:
    """An interval, without unit."""
    return f"{_scaled(row, outcome, low)} to {_scaled(row, outcome, high)}"


def _scaled(row: dict[Any, Any], outcome: str, key: str) -> str:
    return plain(row, key, 100.0 if in_percent(outcome) else 1.0)


def plain(row: dict[Any, Any], key: str = "difference", scale: float = 1.0) -> str:
    """A number of a row of differences, with as many digits as its interval deserves."""
    digits = decimals_for(scale * (row["high"] - row["low"]) / 2.0 or abs(scale * row["difference"]))
    return number(scale * row[key], digits, sign=True)


def _unit(outcome: str) -> str:
    if in_percent(outcome):
        return " percentage points"
    unit = record_of(outcome).unit
    return "" if unit in ("1", "") else f" {unit_words(unit)}"


def _nothing(row: dict[Any, Any]) -> bool:
    return bool(row["difference"] == row["low"] == row["high"] == 0.0)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


# Sensitivity --------------------------------------------------------------------------------------


def turns(found: Sensitivity, outcome: str) -> list[str]:
    """Where the verdict changes: at which end of which parameter's range, and how."""
    said: list[str] = []
    if not len(found.ends):
        return said
    for path, ends in found.ends.groupby("parameter", sort=False):
        by = {at: rows.to_dict("records") for at, rows in ends.groupby("at")}
        here = next(row for row in by["base"] if row["cell"] == found.lead)
        for at in ("low", "high"):
            there = next(row for row in by[at] if row["cell"] == found.lead)
            where = f"{path} = {there['value']:.4g} (base {here['value']:.4g})"
            if found.drawn:
                third = {"low": "lower", "high": "upper"}[at]
                where = f"{path} in the {third} third of its draws (about {there['value']:.4g})"
            shown = f"{change(there, outcome)}, {span(there, outcome)}"
            if side(there) * side(here) < 0:
                said.append(f"{where}: the effect of {found.lead} changes sign ({shown}).")
            elif side(here) and not side(there):
                said.append(f"{where}: the effect of {found.lead} is no longer significant ({shown}).")
            ahead = [row["cell"] for row in by[at] if side(row, "ahead_low", "ahead_high") > 0]
            said += [f"{where}: {_and(ahead)} does better than {found.lead}."] if ahead else []
    return said
