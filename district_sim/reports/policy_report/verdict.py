"""The verdict in words: the numbers alone decide, and the verdict states where they are not significant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from district_sim.text.names import in_percent, outcome_name, record_of, unit_words
from district_sim.text.numbers import decimals_for, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.reports.policy_report.sensitivity import Sensitivity


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
            shown = f"{change(there, outcome)}, {span(there, outcome)}"
            if side(there) * side(here) < 0:
                said.append(f"{where}: the effect of {found.lead} changes sign ({shown}).")
            elif side(here) and not side(there):
                said.append(f"{where}: the effect of {found.lead} is no longer significant ({shown}).")
            ahead = [row["cell"] for row in by[at] if side(row, "ahead_low", "ahead_high") > 0]
            said += [f"{where}: {_and(ahead)} does better than {found.lead}."] if ahead else []
    return said
