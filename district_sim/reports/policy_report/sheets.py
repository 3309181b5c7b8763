"""The tables of a report, as sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from district_sim.experiments.costs import rules_of
from district_sim.reports import compare
from district_sim.reports.policy_report.glance import glance, per_job, window
from district_sim.reports.policy_report.groups import MEASURES
from district_sim.reports.policy_report.risk import LOSS, WORST
from district_sim.reports.policy_report.sensitivity import Sensitivity
from district_sim.reports.policy_report.verdict import change, plain, span
from district_sim.text.names import in_percent, outcome_name
from district_sim.text.numbers import chance_in_brief, decimals_for, number, p_value, percent
from district_sim.text.sheet import Sheet

if TYPE_CHECKING:
    from district_sim.reports.policy_report.gather import Findings
    from district_sim.reports.policy_report.question import Question

_THIRDS = {"low": "lower", "base": "middle", "high": "upper"}
_SORTS = {"phase": "By phase of production", "size": "By size", "owner": "By owner", "member": "By membership"}


def all_sheets(found: Findings) -> dict[str, Sheet]:
    """Every table of the report but those of the mixes, by name."""
    comparison, question = found.comparison, found.question
    run = question.scenario.run
    rules = rules_of(question.mixes, run.quarters, run.calendar)
    made = {
        "glance": glance(found),
        "district": district(found),
        "differences": compare.differences(comparison),
        "risk": risk(found),
        "trajectories": compare.trajectory_shares(comparison),
        "costs": compare.costs(found.costs, question.discount, question.confidence, question.day, rules),
        "jobs": jobs(found),
        "moves": compare.signposts(found.moves, question.scenario.run.calendar),
    }
    for cell in question.cells[1:]:
        made[f"transitions {cell}"] = compare.transitions(comparison, cell)
        made[f"gains {cell}"] = gains(found, cell)
    if found.sensitivity is not None and len(found.sensitivity.top):
        made["ranks"] = ranks(found.sensitivity, question)
        made["ends"] = ends(found.sensitivity, question)
    return made


def district(found: Findings) -> Sheet:
    """The counterfactual, before and after."""
    rows = []
    for row in found.district.to_dict("records"):
        scale = 100.0 if in_percent(row["indicator"]) else 1.0
        calm, late = scale * row["calm"], scale * row["late"]
        digits = min(2, decimals_for(max(abs(calm), abs(late)) / 10.0))
        moved = number(late - calm, digits, sign=True)
        rows.append((outcome_name(row["indicator"]), number(calm, digits), number(late, digits), moved))
    note = "Means over the replicates of the first and of the last 40 quarters, at most a quarter of the run each."
    first = found.question.first_years.capitalize()
    return Sheet.plain("The district without policy", ("", first, "Last years", "Change"), rows, note)


def instruments(question: Question, cell: str) -> Sheet:
    """The instruments of a mix, with the budgets of the runs."""
    rows = []
    for item in question.mixes[cell]:
        amount = [f"{number(item.budget, decimals_for(item.budget))}"] if item.budget or not item.budget_share else []
        amount += [f"{100 * item.budget_share:g} % of turnover"] if item.budget_share else []
        whom = item.target.value if item.phase is None else f"{item.target.value}, phase {item.phase + 1}"
        paid = "taxes" if item.funded_by.value != "outside" else "outside"
        strength = f"{item.intensity:g}"
        rows.append((item.name, item.kind.value, window(item, question), whom, paid, " + ".join(amount), strength))
    columns = ("Instrument", "Kind", "Years", "Serves", "Paid by", "k€ a quarter", "Intensity")
    waits = [
        f"{item.name} {'; '.join(post.words() for post in item.when)}" for item in question.mixes[cell] if item.when
    ]
    note = " ".join(f"Within its window, {line}." for line in waits)
    return Sheet.plain(cell, columns, rows, note, left=5)


def risk(found: Findings) -> Sheet:
    """Losses and expected shortfall."""
    sections = []
    for outcome, part in found.risk.groupby("outcome", sort=False):
        rows = []
        for row in part.to_dict("records"):
            chance = chance_in_brief(row["share"], row["low"], row["high"])
            moved = ("", "")
            if row["cell"] != found.question.cells[0]:
                low, high = (number(100 * row[name], 1, sign=True) for name in ("change_low", "change_high"))
                moved = (number(100 * row["change"], 1, sign=True), f"{low} to {high}")
            rows.append((row["cell"], chance, number(100 * row["shortfall"], 1), *moved))
        sections.append((outcome_name(str(outcome), unit=False), tuple(rows)))
    years = found.question.first_years
    columns = ("", f"Loss above {percent(LOSS)}, % of replicates", "Kept by the worst, %", "Difference", "Interval")
    note = (
        f"Loss: last years against the district's own {years}; in brackets the Wilson interval. Kept by the worst: "
        f"expected shortfall, the mean of the worst {percent(WORST)} of the replicates, in per cent of the "
        f"{years}; difference from the first row in points, with its bootstrap interval."
    )
    return Sheet("Tail risk", columns, tuple(sections), note)


def jobs(found: Findings) -> Sheet:
    """Jobs kept and what each costs."""
    rows = []
    for row in found.costs.to_dict("records")[1:]:
        cells = [str(row["cell"])]
        for name in ("job", "job_year"):
            more = {"difference": row[f"{name}s"], "low": row[f"{name}s_low"], "high": row[f"{name}s_high"]}
            digits = decimals_for((more["high"] - more["low"]) / 2.0)
            cells += [number(more["difference"], digits, sign=True), f"{plain(more, 'low')} to {plain(more, 'high')}"]
            cost, ends = per_job(row, f"cost_per_{name}")
            cells.append(cost if ends == "–" else f"{cost} ({ends})")
        rows.append(cells)
    columns = ("", "Jobs", "Interval", "k€ per job", "Job-years", "Interval", "k€ per job-year")
    note = (
        "Jobs: additional employees in the last quarter, compared with no policy; job-years: employees times years "
        "over the whole run. Costs: present value spent beyond the counterfactual per job, with Fieller's interval; "
        "where the jobs may be none, it has no upper end."
    )
    return Sheet.plain("Jobs kept", columns, rows, note)


def gains(found: Findings, cell: str) -> Sheet:
    """Who gains and who loses under a mix."""
    sections = []
    table = found.gains[found.gains["cell"] == cell]
    for sort, part in table.groupby("sort", sort=False):
        rows = []
        for group, own in part.groupby("group", sort=False):
            by = {row["measure"]: row for row in own.to_dict("records")}
            cells = [_with_interval(by[m]) for m in MEASURES if m not in ("saved", "lost")]
            counts = [number(by[m]["difference"], 1) for m in ("saved", "lost")]
            rows.append((str(group), number(by["jobs"]["firms"], 0), *cells, *counts))
        sections.append((_SORTS[str(sort)], tuple(rows)))
    columns = ("Firms that were", "Firms", "Living", "Jobs", "Wages, k€", "Value added, k€", "Saved", "Lost")
    note = (
        "Differences from the counterfactual in the last quarter, with intervals. Firms are grouped as they were in "
        "the quarter before the first policy; wages and value added in k€ a quarter. Saved: firms that survive only "
        "with the policy; lost: only without it. The rows of each group add up to the district."
    )
    return Sheet(f"Who gains and who loses under {cell}", columns, tuple(sections), note)


def _with_interval(row: dict[Any, Any]) -> str:
    return f"{plain(row)} ({plain(row, 'low')} to {plain(row, 'high')})"


def ranks(study: Sensitivity, question: Question) -> Sheet:
    """The most important parameters."""
    rows = []
    for row in study.top.to_dict("records"):
        unit = "" if row["unit"] in ("", "1") else f" [{row['unit']}]"
        interval = f"{number(row['rho_low'], 2, sign=True)} to {number(row['rho_high'], 2, sign=True)}"
        kept = [f"{100 * row[name]:.0f}" for name in ("lower", "middle", "upper")]
        values = [f"{row[name]:.4g}" for name in ("low", "base", "high")]
        told = [number(row["rho"], 2, sign=True), interval, p_value(row["p_holm"])]
        rows.append((row["parameter"], f"{row['text']}{unit}", *values, *told, " / ".join(kept)))
    columns = ("Parameter", "Meaning", "Low", "Base", "High", "Rank corr.", "Interval", "p", "Verdict holds, %")
    note = (
        f"Spearman's correlation with the effect of {study.lead} on {outcome_name(question.outcome, unit=False)} over "
        f"{len(study.draws)} draws of {study.parameters} parameters, strongest first; p corrected for "
        f"{study.parameters} parameters (Holm). Verdict holds: share of the draws in the lower, middle and upper third "
        f"of the range in which {study.lead} is best and on the same side of {question.cells[0]}."
    )
    return Sheet.plain("What the verdict hangs on most", columns, rows, note, left=2)


def ends(study: Sensitivity, question: Question) -> Sheet:
    """Effects at the ends of the ranges."""
    sections = []
    for path, part in study.ends.groupby("parameter", sort=False):
        rows = []
        for at in ("low", "base", "high"):
            own = part[part["at"] == at].to_dict("records")
            told = [f"{change(row, question.outcome)} ({span(row, question.outcome)})" for row in own]
            rows.append((f"{_THIRDS[at] if study.drawn else at}: {own[0]['value']:.4g}", *told))
        sections.append((str(path), tuple(rows)))
    note = f"{study.replicates} replicates each, paired; all other parameters as in the scenario."
    if study.drawn:
        note = f"{study.replicates} draws in each third, at its median; all other parameters as drawn with it."
    columns = ("Value", *(f"Effect of {cell}" for cell in question.cells[1:]))
    title = "Effects by third of the draws" if study.drawn else "Effects at the ends of the ranges"
    return Sheet(title, columns, tuple(sections), note)
