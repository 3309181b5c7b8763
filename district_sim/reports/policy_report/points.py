"""The other points of the summary, a sentence or two for each part of the report; numbers only, no verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.reports.policy_report.groups import LATER
from district_sim.reports.policy_report.risk import LOSS, WORST
from district_sim.reports.policy_report.uncertain import USES
from district_sim.reports.policy_report.verdict import plain, side, turns
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, outcome_name, years_name
from district_sim.text.numbers import chance, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from district_sim.reports.policy_report.gather import Findings
    from district_sim.reports.policy_report.question import Question
    from district_sim.reports.policy_report.sensitivity import Sensitivity

_TELLS = 0.05  # p-value below which a parameter stands out
_MOST_GROUPS = 3
_MOST_MIXES = 4  # of which gains and losses are told in words; the tables tell all


def points(found: Findings) -> list[tuple[str, list[str]]]:
    """Heading and lines of each point of the summary; where the policies are many, of the lead alone."""
    idle = did_nothing(found)
    return [
        *([("What did nothing, or little, and why", idle)] if idle else []),
        ("Who gains, who loses", [gains_in_words(found, cell) for cell in found.question.cells[1:][:_MOST_MIXES]]),
        ("What the verdict hangs on", [hangs_on(found)]),
        ("Trajectories", [_trajectories(found)]),
        ("Tail risk", risk_in_words(found)),
    ]


def did_nothing(found: Findings) -> list[str]:
    """Why instruments did nothing, or little."""
    return [f"{cell} – {line}" for cell, lines in found.reasons.items() for line in lines]


def _trajectories(found: Findings) -> str:
    table, said = found.comparison.trajectories, []
    for cell in (found.question.cells[0], found.verdict.lead):
        row = max(table[table["cell"] == cell].to_dict("records"), key=lambda row: row["count"])
        name = TRAJECTORY_NAMES[Trajectory(row["trajectory"])]
        said.append(f"under {cell} {name}, in {_per_cent(row)} of the districts")
    return f"Most frequent trajectory: {'; '.join(said)}."


def _per_cent(row: Mapping[Any, Any]) -> str:
    return chance(row["share"], row["low"], row["high"])


def risk_in_words(found: Findings) -> list[str]:
    """How probable large losses are without and with the best policy."""
    said = []
    for outcome, part in found.risk.groupby("outcome", sort=False):
        name = outcome_name(str(outcome), unit=False).lower()
        rows = {row["cell"]: row for row in part.to_dict("records")}
        shown = {cell: rows[cell] for cell in (found.question.cells[0], found.verdict.lead)}
        chances = ", ".join(f"{_per_cent(row)} under {cell}" for cell, row in shown.items())
        text = f"Loss of more than {percent(LOSS)} of {name}: {chances}."
        own = rows[found.verdict.lead]
        if side(own, "change_low", "change_high"):
            more = "more" if own["change"] > 0.0 else "less"
            points = number(100.0 * abs(own["change"]), 1)
            text += f" The worst {percent(WORST)} of the districts keep {points} points {more} under {own['cell']}."
        said.append(text)
    return said


def gains_in_words(found: Findings, lead: str) -> str:
    """Who gains and who loses under a mix, in jobs."""
    if lead in found.nothing:
        return f"Under {lead} every firm fares as without the policy."
    own = found.gains[(found.gains["cell"] == lead) & (found.gains["measure"] == "jobs")]
    rows = {_group(row): row for row in own.to_dict("records")}
    more = sorted((name for name, row in rows.items() if side(row) > 0), key=lambda name: -rows[name]["difference"])
    fewer = sorted((name for name, row in rows.items() if side(row) < 0), key=lambda name: rows[name]["difference"])
    said = []
    for word, names in (("More", more), ("Fewer", fewer)):
        listed = ", ".join(f"{name} ({plain(rows[name])})" for name in names[:_MOST_GROUPS])
        said.append(
            f"{word} jobs at the end in {listed}." if names else f"No group with significantly {word.lower()} jobs."
        )
    return f"{lead}: {' '.join(said)} Firms are grouped as they were before the first policy."


def _group(row: Mapping[Any, Any]) -> str:
    group = str(row["group"])
    if group == LATER:
        return f"firms {group}"
    if row["sort"] == "member":
        return f"{group} of the agency"
    if group.startswith("final"):
        return f"firms of the {group}"
    return f"firms of {group}" if row["sort"] == "phase" else f"{group} firms"


def untested(question: Question) -> str:
    """Why there is no test of what the verdict hangs on."""
    if question.sensitivity_runs:
        return (
            "Nothing is known to be uncertain: no parameter was fitted to this district, and the policies use none. "
            "Name parameters with --parameters."
        )
    return "Not tested: the verdict holds for the parameters of the scenario only."


def held_fixed(question: Question) -> str:
    """What a posterior leaves out of the bands: parameters through which the policies act, and that were not drawn."""
    if question.draws is None:
        return ""
    kinds = dict.fromkeys(item.kind for mix in question.mixes.values() for item in mix)
    used = dict.fromkeys(path for kind in kinds for path in USES[kind] if path not in question.draws.values)
    return f"Not drawn, and so in no band: what the policies' money buys ({', '.join(used)})." if used else ""


def hangs_on(found: Findings) -> str:
    """On which of the uncertain parameters the verdict hangs, and how far it can be trusted."""
    study = found.sensitivity
    if study is None:
        return untested(found.question)
    which = f"the {study.parameters} parameters that are uncertain here ({found.question.uncertain.words})"
    if not len(study.top):
        return f"In all {len(study.draws)} draws of {which} the outcomes are equal."
    how = "drawn from the posterior" if study.drawn else "drawn at once"
    text = f"With {which} {how}, {stays(found, study)}"
    told = study.top[study.top["p_holm"] < _TELLS]["parameter"].tolist()
    if told:
        text += f" The effect hangs on {_listed(told)} (strongest first)."
    else:
        text += f" None of them stands out from chance: that takes a rank correlation above {least_told(study):.2f}."
    text += f" {held_fixed(found.question)}" if held_fixed(found.question) else ""
    if not len(study.ends):
        return text
    turned = turns(study, found.question.outcome)
    where = "Third by third of the draws" if study.drawn else "One at a time"
    if turned:
        cases = "in one case" if len(turned) == 1 else f"in {len(turned)} cases"
        shown = "the full report names it" if len(turned) == 1 else "the full report names them"
        return f"{text} {where}, the verdict changes {cases} ({shown if found.question.brief else 'section 8'})."
    return f"{text} {where}, none of the first {len(study.top)} changes it."


def least_told(study: Sensitivity) -> float:
    """The smallest rank correlation that can stand out from chance with so many draws and parameters (Holm)."""
    from scipy import stats

    t = stats.t.isf(_TELLS / (2 * study.parameters), max(1, len(study.draws) - 2))
    return float(t / np.sqrt(len(study.draws) - 2 + t * t))


def signposts_in_words(found: Findings) -> list[str]:
    """How often each signpost came about, and when first."""
    calendar, said = found.question.scenario.run.calendar, []
    for row in found.moves.to_dict("records"):
        words = f"{row['cell']} – {row['instrument']}: {row['signpost']}: "
        if not row["share"]:
            said.append(f"{words}never.")
            continue
        first, middle, last = (round(row[name]) - 1 for name in ("low", "median", "high"))
        span = f" (middle 80 %: {years_name(calendar, first, last + 1)})" if first != last else ""
        when = years_name(calendar, middle, middle + 1)
        said.append(f"{words}in {percent(row['share'])} of districts, first in {when}{span}.")
    return said


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def stays(found: Findings, study: Sensitivity) -> str:
    """In what share of the draws the verdict holds."""
    confidence, cells = found.question.confidence, found.question.cells
    side_kept, kept = (_per_cent(study.share(column, confidence)) for column in ("same_side", "kept"))
    text = f"{study.lead} stays on the same side of {cells[0]} in {side_kept} of {len(study.draws)} draws"
    return f"{text}." if len(cells) == 2 else f"{text}, and is also the best policy in {kept}."
