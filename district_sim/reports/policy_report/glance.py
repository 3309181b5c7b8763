"""The first page: what each policy changes and costs, why an instrument did nothing, and what the district is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.reports.policy_report.verdict import COVERAGE, plain
from district_sim.text.names import in_percent, outcome_name, record_of, years_name
from district_sim.text.numbers import chance, decimals_for, number, percent, significant
from district_sim.text.sheet import Sheet

if TYPE_CHECKING:
    from district_sim.reports.policy_report.gather import Findings
    from district_sim.reports.policy_report.question import Question
    from district_sim.scenario.interventions import Instrument

_A_YEAR = 4.0
_SEVERAL = 1000.0  # k€ from which an amount is told in M€
_MANY = 100.0  # M€ from which no decimals are told
_DASH = "–"


def glance(found: Findings) -> Sheet:
    """Each policy's effect with its band and probability, what it costs, and what a job costs."""
    question, sections = found.question, []
    for cell in question.cells[1:]:
        sections.append((cell, (_headline(found, cell), *_jobs(found, cell), *_costs(found, cell))))
    level, band = f"{100 * question.confidence:g} % interval", f"{percent(COVERAGE)} of districts"
    columns = ("", "Mean", level, band, "Probability that it is positive")
    return Sheet(f"What each policy changes, compared with {question.cells[0]}", columns, tuple(sections), _note(found))


def _note(found: Findings) -> str:
    question = found.question
    return (
        f"Mean over {question.replications} districts, each compared with itself under {question.told_luck}; its "
        f"interval narrows with more of them. {percent(COVERAGE)} of districts: where the effect lies in one district, "
        f"with {question.told_band} in the band. Probability: the share of districts in which the effect is above 0, "
        "with its Wilson interval. Jobs at the end: employees in the last quarter; job-years: employees times years, "
        f"whole run. Present value: {question.day}, at {100 * question.discount:g} % a year; money is at constant "
        "prices. k€ per job: mean cost over mean jobs with Fieller's interval, which has no upper end where the jobs "
        "may be none; in one district there is no cost per job where no job is gained."
    )


def _headline(found: Findings, cell: str) -> tuple[str, ...]:
    question, outcome = found.question, found.question.outcome
    table = found.comparison.differences
    row = table[(table["cell"] == cell) & (table["outcome"] == outcome)].to_dict("records")[0]
    unit, scale = outcome_unit(outcome)
    name = f"{outcome_name(outcome, unit=False)}{f', {unit}' if unit else ''}, {question.counted}"
    return _row(name, row, spread_of(found, cell, outcome), scale)


def _jobs(found: Findings, cell: str) -> list[tuple[str, ...]]:
    cost = cost_of(found, cell)
    rows = []
    for name, label in (("jobs", "Jobs at the end"), ("job_years", "Job-years")):
        row = {"difference": cost[name], "low": cost[f"{name}_low"], "high": cost[f"{name}_high"]}
        rows.append(_row(label, row, spread_of(found, cell, name)))
    return rows


def _row(label: str, row: dict[Any, Any], spread: dict[Any, Any], scale: float = 1.0) -> tuple[str, ...]:
    digits = decimals_for(scale * (spread["high"] - spread["low"]) / 2.0)
    band = " to ".join(number(scale * spread[end], digits, sign=True) for end in ("low", "high"))
    interval = f"{plain(row, 'low', scale)} to {plain(row, 'high', scale)}"
    shown = chance(spread["positive"], spread["positive_low"], spread["positive_high"])
    if spread["none"] == 1.0:
        return (label, "none", _DASH, "none in any", shown)
    if spread["none"] > 0.0:
        shown += f"; none at all in {percent(spread['none'])}"
    return (label, plain(row, "difference", scale), interval, band, shown)


def _costs(found: Findings, cell: str) -> list[tuple[str, ...]]:
    cost, one = cost_of(found, cell), spread_of(found, cell, "cost_per_job")
    spent = (("Spent, not discounted", "spent_nominal"), ("Spent, present value", "spent"))
    rows: list[tuple[str, ...]] = [(label, money(cost[name]), "", "", "") for label, name in spent]
    for label, key, spread in (
        ("k€ per job, not discounted", "cost_per_job_nominal", None),
        ("k€ per job, present value", "cost_per_job", one),
        ("k€ per job-year, present value", "cost_per_job_year", None),
    ):
        rows.append((label, *per_job(cost, key), "" if spread is None else _band(spread, cost["spent"]), ""))
    return rows


def per_job(cost: dict[Any, Any], key: str) -> tuple[str, str]:
    """A cost per job and its confidence set, or in words why there is none."""
    value, low, high = (cost[f"{key}{end}"] for end in ("", "_low", "_high"))
    if np.isfinite(value):
        digits = decimals_for(abs(value) / 10.0)
        return number(value, digits), f"{number(low, digits)} to {number(high, digits)}"
    jobs = "job_years" if "job_year" in key else "jobs"
    if cost["spent"] == 0.0:
        return "nothing spent", _DASH
    if cost[f"{jobs}_high"] < 0.0:
        return "jobs are lost", _DASH
    if cost[f"{jobs}_low"] == cost[f"{jobs}_high"] == 0.0:
        return "no job gained", _DASH
    least = f"{number(low, decimals_for(abs(low) / 10.0))} or more" if np.isfinite(low) else _DASH
    return "undefined: jobs may be none", least


def _band(spread: dict[Any, Any], spent: float) -> str:
    if spent == 0.0 or not np.isfinite(spread["low"]):
        return _DASH if spent == 0.0 else "no job gained in any"
    low = number(spread["low"], decimals_for(spread["low"] / 10.0))
    high = f" to {number(spread['high'], decimals_for(spread['high'] / 10.0))}" if np.isfinite(spread["high"]) else ""
    without = f"; no job gained in {percent(spread['none'])}" if spread["none"] else ""
    return f"{low}{high or ' or more'}{without}"


def cost_of(found: Findings, cell: str) -> dict[Any, Any]:
    """The row of costs of a mix."""
    return dict(found.costs[found.costs["cell"] == cell].to_dict("records")[0])


def spread_of(found: Findings, cell: str, measure: str) -> dict[Any, Any]:
    """The row of a mix and a measure in `Findings.spread`."""
    table = found.spread
    return dict(table[(table["cell"] == cell) & (table["measure"] == measure)].to_dict("records")[0])


def outcome_unit(outcome: str) -> tuple[str, float]:
    """The unit in which a difference is told, and by what it is multiplied: flows of a quarter are told by the year."""
    if in_percent(outcome):
        return "percentage points", 100.0
    unit = record_of(outcome).unit
    if unit.endswith("/quarter"):
        return unit.replace("/quarter", " a year"), _A_YEAR
    return ("" if unit == "1" else unit), 1.0


def money(amount: float) -> str:
    """k€, or M€ where it is much."""
    if not np.isfinite(amount):
        return _DASH
    if abs(amount) >= _SEVERAL:
        millions = amount / _SEVERAL
        return f"{number(millions, 0) if abs(millions) >= _MANY else significant(millions, 3)}\N{NO-BREAK SPACE}M€"
    return f"{number(amount, 0)}\N{NO-BREAK SPACE}k€"


def window(item: Instrument, question: Question) -> str:
    """When an instrument acts, in years."""
    quarters, calendar = question.scenario.run.quarters, question.scenario.run.calendar
    if item.start >= quarters:
        return "after the last year"
    return years_name(calendar, item.start, min(item.end, quarters))


def programme(found: Findings, cell: str) -> str:
    """What a policy is: its instruments with their years and money a year."""
    told = []
    for item in found.question.mixes[cell]:
        amount = [f"{money(_A_YEAR * item.budget)} a year"] if item.budget or not item.budget_share else []
        amount += [f"{100 * item.budget_share:g} % of turnover"] if item.budget_share else []
        told.append(f"{item.kind.record.label}, {' and '.join(amount)}, {window(item, found.question)}")
    return f"{cell}: {'; '.join(told)}."


def district_words(found: Findings) -> str:
    """What the district is: how large on the first day, over which years, and from what it was made."""
    question, scenario = found.question, found.question.scenario
    source = "drawn as its file says"
    if scenario.data.firms:
        source = f"each read from {scenario.data.firms.rsplit('/', 1)[-1]}"
    quarters, phases = scenario.run.quarters, scenario.technology.phases
    calendar = scenario.run.calendar
    followed = f"{number(quarters / _A_YEAR, 0 if quarters % 4 == 0 else 2)} years"
    followed += "" if calendar is None else f", {years_name(calendar, 0, quarters)}"
    return (
        f"{question.title} begins with {number(scenario.firms.count, 0)} firms, {source}, and about "
        f"{number(found.first_employment, 0)} employees in {phases} phase{'' if phases == 1 else 's'} of production, "
        f"and is followed for {followed}."
    )
