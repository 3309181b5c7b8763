"""The other points of the summary, a sentence or two for each part of the report; numbers only, no verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from district_sim.reports.policy_report.groups import LATER
from district_sim.reports.policy_report.risk import LOSS, WORST
from district_sim.reports.policy_report.verdict import change, side, span, turns
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, outcome_name
from district_sim.text.numbers import chance, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from district_sim.reports.policy_report.gather import Findings
    from district_sim.reports.policy_report.sensitivity import Sensitivity

_MOST_GROUPS = 3


def points(found: Findings) -> list[tuple[str, list[str]]]:
    """Heading and lines of each point of the summary; where the policies are many, of the lead alone."""
    return [
        ("Jobs and cost", _jobs(found)),
        ("Trajectories", [_trajectories(found)]),
        ("Tail risk", _risk(found)),
        ("Who gains, who loses", [_groups(found)]),
        ("How sure", [_sure(found)]),
    ]


def _jobs(found: Findings) -> list[str]:
    said = []
    for row in found.costs.to_dict("records")[1:]:
        jobs = {"difference": row["jobs"], "low": row["jobs_low"], "high": row["jobs_high"]}
        text = f"{row['cell']}: {change(jobs, 'employment')} in the last quarter ({span(jobs, 'employment')})"
        if row["cost_per_job"] == row["cost_per_job"]:
            text += (
                f", {number(row['cost_per_job'], 0)} k€ of present value for each "
                f"({number(row['cost_per_job_low'], 0)} to {number(row['cost_per_job_high'], 0)})"
            )
        else:
            text += ", so no cost per job kept is shown"
        said.append(f"{text}; {number(row['spent'], 0)} k€ spent.")
    return said


def _trajectories(found: Findings) -> str:
    table, said = found.comparison.trajectories, []
    for cell in (found.question.cells[0], found.verdict.lead):
        row = max(table[table["cell"] == cell].to_dict("records"), key=lambda row: row["count"])
        name = TRAJECTORY_NAMES[Trajectory(row["trajectory"])]
        said.append(f"under {cell} {name}, in {_per_cent(row)} of the districts")
    return f"Most frequent trajectory: {'; '.join(said)}."


def _per_cent(row: Mapping[Any, Any]) -> str:
    return chance(row["share"], row["low"], row["high"])


def _risk(found: Findings) -> list[str]:
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


def _groups(found: Findings) -> str:
    lead = found.verdict.lead
    if lead in found.nothing:
        return f"Under {lead} every firm fares as without the policy."
    own = found.gains[(found.gains["cell"] == lead) & (found.gains["measure"] == "jobs")]
    rows = {_group(row): row for row in own.to_dict("records")}
    more = sorted((name for name, row in rows.items() if side(row) > 0), key=lambda name: -rows[name]["difference"])
    fewer = sorted((name for name, row in rows.items() if side(row) < 0), key=lambda name: rows[name]["difference"])
    said = []
    for word, names in (("More", more), ("Fewer", fewer)):
        listed = ", ".join(f"{name} ({change(rows[name], 'employment')})" for name in names[:_MOST_GROUPS])
        said.append(
            f"{word} jobs at the end in {listed}." if names else f"No group with significantly {word.lower()} jobs."
        )
    return f"Under {lead}: {' '.join(said)} Firms are grouped as they were before the first policy."


def _group(row: Mapping[Any, Any]) -> str:
    group = str(row["group"])
    if group == LATER:
        return f"firms {group}"
    return (
        f"firms of the {group}"
        if group.startswith("final")
        else (f"firms of {group}" if row["sort"] == "phase" else f"{group} firms")
    )


def _sure(found: Findings) -> str:
    study = found.sensitivity
    if study is None:
        return (
            "The sensitivity to uncertain parameters was not tested: the verdict holds for these parameter values only."
        )
    if not len(study.top):
        return f"In all {len(study.draws)} draws of {study.parameters} uncertain parameters the outcomes are equal."
    text = f"With all {study.parameters} uncertain parameters drawn at once, {stays(found, study)}"
    turned = turns(study, found.question.outcome)
    if turned:
        return f"{text} Varying one parameter at a time, the verdict changes in {len(turned)} cases (section 8)."
    return f"{text} Varying the {len(study.top)} most important ones, one at a time, does not change it."


def stays(found: Findings, study: Sensitivity) -> str:
    """In what share of the draws the verdict holds."""
    confidence, cells = found.question.confidence, found.question.cells
    side_kept, kept = (_per_cent(study.share(column, confidence)) for column in ("same_side", "kept"))
    text = f"{study.lead} stays on the same side of {cells[0]} in {side_kept} of {len(study.draws)} draws"
    return f"{text}." if len(cells) == 2 else f"{text}, and is also the best policy in {kept}."
