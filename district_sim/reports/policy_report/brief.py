"""Two pages for those who decide: in words, one table and a few figures; the rest is in the report."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any

from district_sim.figures.policy_brief import Block, Cells, Page, Plot, Words, brief_pages, draw_effects, draw_over_time
from district_sim.reports.policy_report.glance import (
    cost_of,
    district_words,
    money,
    outcome_unit,
    per_job,
    programme,
    spread_of,
)
from district_sim.reports.policy_report.points import (
    did_nothing,
    gains_in_words,
    hangs_on,
    risk_in_words,
    signposts_in_words,
)
from district_sim.reports.policy_report.verdict import COVERAGE, plain
from district_sim.text.names import outcome_name
from district_sim.text.numbers import decimals_for, number, percent

if TYPE_CHECKING:
    from district_sim.reports.policy_report.gather import Findings

_MOST_LINES = 8  # of what did nothing
_MOST_MIXES = 4  # of which gains and losses are told
_LATE = " (late)"  # of an outcome's name: here the years stand in its place
_DESCRIPTION, _NAME = 420, 34  # letters


def brief(found: Findings, asked: str) -> list[list[Block]]:
    """The blocks of both pages.

    Args:
        asked: the question in words.
    """
    return [_first(found, asked), _second(found)]


def drawn(found: Findings, pages: list[list[Block]]) -> list[Page]:
    """The pages as figures of A4."""
    versions = found.versions
    foot = f"district-sim {versions['district_sim']}, seed {found.question.seed}. From a model; not a forecast."
    return brief_pages(pages, foot)


def _first(found: Findings, asked: str) -> list[Block]:
    question = found.question
    blocks: list[Block] = [
        Words("kicker", "Policy brief"),
        Words("title", question.title),
        Words("asked", asked),
        Words("lead", found.verdict.headline.replace(_LATE, f" in {question.counted}")),
        *([Words("text", question.warning)] if question.warning else []),
        Words("text", " ".join([district_words(found), _short(question.words.get("description", ""))]).strip()),
        *(Words("bullet", programme(found, cell)) for cell in question.cells[1:]),
        _table(found),
        Words("small", _table_note(found)),
        _effects(found),
    ]
    idle = did_nothing(found)
    if idle:
        blocks.append(Words("heading", "What did nothing, or little, and why"))
        blocks += [Words("bullet", line) for line in idle[:_MOST_LINES]]
        if len(idle) > _MOST_LINES:
            blocks.append(Words("small", f"And {len(idle) - _MOST_LINES} more in the full report."))
    blocks.append(Words("heading", "Who gains, who loses"))
    blocks += [Words("bullet", gains_in_words(found, cell)) for cell in question.cells[1:][:_MOST_MIXES]]
    return blocks


def _short(text: str) -> str:
    return textwrap.shorten(text, _DESCRIPTION, placeholder=" …")


def _table(found: Findings) -> Cells:
    question = found.question
    unit, scale = outcome_unit(question.outcome)
    name = outcome_name(question.outcome, unit=False).removesuffix(_LATE)
    rows = []
    for cell in question.cells[1:]:
        effect, spread, cost = _effect(found, cell), spread_of(found, cell, question.outcome), cost_of(found, cell)
        jobs = {"difference": cost["jobs"], "low": cost["jobs_low"], "high": cost["jobs_high"]}
        digits = decimals_for(scale * (spread["high"] - spread["low"]) / 2.0)
        band = " to ".join(number(scale * spread[end], digits, sign=True) for end in ("low", "high"))
        price, ends = per_job(cost, "cost_per_job")
        rows.append(
            (
                cell,
                f"{plain(effect, 'difference', scale)}\n{band}",
                percent(spread["positive"]),
                f"{plain(jobs)}\n{plain(jobs, 'low')} to {plain(jobs, 'high')}",
                f"{money(cost['spent_nominal'])}\n{money(cost['spent'])}",
                f"{_two_lines(price)}\n{ends}" if ends != "–" else _two_lines(price),
            )
        )
    columns = (
        "Policy",
        f"{textwrap.fill(name, 22)}\n{unit}",
        "Probability\npositive",
        "Jobs at\nthe end",
        "Spent: plain,\npresent value",
        "k€ per job,\npresent value",
    )
    return Cells(columns, tuple(rows))


def _two_lines(words: str) -> str:
    return words.replace(": ", ":\n")


def _table_note(found: Findings) -> str:
    question = found.question
    return (
        f"Compared with {question.cells[0]}: means of {question.replications} districts under {question.told_luck}. "
        f"Below the effect: where it lies in {percent(COVERAGE)} of districts, with {question.told_band} in the band. "
        f"Effect: {question.counted}. Below jobs and k€ per job: {100 * question.confidence:g} % intervals of the mean "
        f"(per job: Fieller). In the figure: thick the interval of the mean, thin {percent(COVERAGE)} of districts. "
        f"Present value: {question.day}, {100 * question.discount:g} % a year, constant prices."
    )


def _effect(found: Findings, cell: str) -> dict[Any, Any]:
    table = found.comparison.differences
    own = table[(table["cell"] == cell) & (table["outcome"] == found.question.outcome)]
    return dict(own.to_dict("records")[0])


def _effects(found: Findings) -> Plot:
    question, rows = found.question, []
    unit, scale = outcome_unit(question.outcome)
    for cell in question.cells[1:]:
        effect, spread = _effect(found, cell), spread_of(found, cell, question.outcome)
        told = {name: scale * effect[name] for name in ("difference", "low", "high")}
        told |= {f"band_{end}": scale * spread[end] for end in ("low", "high")}
        rows.append({"cell": cell, "name": textwrap.fill(textwrap.shorten(cell, 2 * _NAME), _NAME)} | told)
    name = outcome_name(question.outcome, unit=False).removesuffix(_LATE)
    label = f"change of {name.lower()}{f', {unit}' if unit else ''}"
    return Plot(
        "effects", partial(draw_effects, rows=rows, cells=question.cells, label=label), 0.6 + 0.34 * len(rows), 1.9
    )


def _second(found: Findings) -> list[Block]:
    return [
        Words("heading", "When the effects come"),
        *_over_time(found),
        *_signposts(found),
        Words("heading", "What the verdict hangs on"),
        Words("text", hangs_on(found)),
        Words("heading", "Risk"),
        *(Words("text", line) for line in risk_in_words(found)),
        Words("heading", "How to read this"),
        Words("text", _reading(found)),
    ]


def _signposts(found: Findings) -> list[Block]:
    lines = signposts_in_words(found)
    if not lines:
        return []
    more = [Words("small", f"And {len(lines) - _MOST_LINES} more in the full report.")] if lines[_MOST_LINES:] else []
    made = [Words("bullet", line) for line in lines[:_MOST_LINES]]
    return [Words("heading", "What the policies wait for"), *made, *more]


def _over_time(found: Findings) -> list[Block]:
    blocks: list[Block] = []
    for indicator in ("value_added_local", "employment"):
        unit, scale = outcome_unit(indicator)
        own = found.over_time[found.over_time["indicator"] == indicator]
        calendar = found.question.scenario.run.calendar
        draw = partial(
            draw_over_time, table=own, cells=found.question.cells, label=unit, scale=scale, calendar=calendar
        )
        name = outcome_name(indicator, unit=False)
        measure = "" if unit == name.lower() else f", {unit}"
        title = f"{name}{measure}: mean difference from {found.question.cells[0]}, by year"
        blocks += [Words("small", title), Plot(indicator, draw, 2.0, 0.6)]
    return blocks


def _reading(found: Findings) -> str:
    question = found.question
    return (
        f"Each of {question.replications} districts was simulated with and without every policy under "
        f"{question.told_luck}, so differences come from the policies. “Higher” is a fact, “better” is an opinion. "
        "The numbers follow from a model and its calibration: what its mechanisms imply, not what will happen. "
        "Effects outside the district and after the last year are not counted. The full report has all outcomes, "
        "their data, and the files that repeat it."
    )
