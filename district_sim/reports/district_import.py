"""What `district-sim import` writes and says: the scenario, its tables, a report, a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from district_sim.register import calm
from district_sim.register.district import date
from district_sim.run.whole_files import write_text
from district_sim.text.numbers import number, percent
from district_sim.text.sheet import Sheet

if TYPE_CHECKING:
    from district_sim.register.cleaning import Clean, Problem
    from district_sim.register.district import District, Read

REPORT, FIGURE = "report.md", "import"
OUTSIDE = "data.outside_sales"
_LISTED = 1000  # problems of a kind that are listed one by one
_NAMES = {"value": "order values", "research": "R&D"}


def write_import(made: "District", found: "Read", folder: Path, source: str, command: str) -> list[Path]:
    """Tables, scenario, columns, report and figure; the scenario comes last. Raises OSError."""
    from district_sim.figures import imported, save
    from district_sim.register import district
    from district_sim.register.columns import proposal

    district.write_tables(made, folder)
    names = [district.FIRMS] if made.clean.ties is None else [district.FIRMS, district.TIES]
    written = [folder / name for name in names]
    told = proposal(found.choice, found.columns, made.clean.units)
    written.append(write_text(folder / district.COLUMNS, told))
    written += save(imported(made), folder / FIGURE)
    written.append(write_text(folder / REPORT, report(made, found, source)))
    text = district.scenario_text(made, source, command)
    return [*written, write_text(folder / district.SCENARIO, text)]


# Tables -------------------------------------------------------------------------------------------


def counts(clean: "Clean") -> Sheet:
    """Where the values of each variable come from."""
    rows = [
        [_NAMES.get(name, name), one.rule, *(number(n, 0) for n in (one.observed, one.cleaned, one.imputed))]
        for name, one in clean.counts.items()
    ]
    header = ["variable", "how what is missing is imputed", "observed", "changed or not used", "imputed"]
    note = "Imputed values are drawn anew for each seed. Quarter 0 of a run has the observed values, as they are here."
    return Sheet.plain("Where the values come from", header, rows, note, left=2)


def staying(made: "District") -> Sheet:
    """What eight calm quarters change."""
    rows = []
    for name, label in calm.OUTCOMES.items():
        before, after, change = made.calm.before[name], made.calm.after[name], made.calm.change(name)
        shown = [number(value, 0 if value >= 10.0 else 3) for value in (before, after)]
        rows.append([label, made.calm.reasons.get(name, ""), *shown, percent(change, 1, sign=True)])
    header = [
        "outcome",
        f"why it moves more than {percent(calm.LIMIT)}",
        "start",
        f"{calm.QUARTERS} quarters on",
        "change",
    ]
    note = (
        "Calm: without policies and shocks, before globalisation begins. Means over seeds from 0 on. Employees are "
        "held while the district settles before the start; turnover and order values of quarter 0 are the table's, "
        "later ones are what the model's firms sell and order."
    )
    return Sheet.plain(f"What {calm.QUARTERS} calm quarters change", header, rows, note, left=2)


def summary(made: "District", found: "Read") -> list[str]:
    """What was read, in sentences."""
    clean = made.clean
    ties = "" if clean.ties is None else f" and {len(clean.ties):,} ties"
    lines = [f"{found.firms.name}: {len(clean.firms):,} firms{ties}."]
    left = clean.rejected
    if left:
        lines.append(f"{len(left):,} rows cannot be used; {REPORT} lists them with their lines.")
    return [*lines, *taken(clean), *sold_outside(made), *clean.notes]


def sold_outside(made: "District") -> list[str]:
    """What earlier phases sell to clients outside the district, if anything, and why."""
    if not (shares := made.scenario.data.outside_sales):
        return []
    told = ", ".join(f"{name} {percent(share)}" for name, share in zip(made.clean.phases.phases, shares, strict=False))
    return [f"Sold to clients outside the district on the first day: {told} ({made.values[OUTSIDE].reason})."]


def taken(clean: "Clean") -> list[str]:
    """When the run begins, and which file of phases is taken."""
    begins = [] if clean.start is None else [f"The run begins in {date(*clean.start)}."]
    return [*begins, f"Phases: {clean.phases.name} ({', '.join(clean.phases.phases)})."]


def recognised(found: "Read", clean: "Clean") -> list[str]:
    """Which column was taken for which variable, a line each, and what is not used."""
    lines = []
    for table, columns in found.choice.columns.items():
        for variable, column in columns.items():
            reason = found.choice.reasons.get(variable, "")
            said = f" ({reason})" if reason and reason != "its name" else ""
            unit = f" in {clean.units[variable]}" if variable in clean.units else ""
            lines.append(f"{table}.{variable}: {column!r}{unit}{said}")
    for table, names in found.columns.items():
        unused = [name for name in names if name not in found.choice.columns[table].values()]
        lines += [f"not used in {table}: {', '.join(unused)}"] if unused else []
    if found.firms.others and found.ties is None:
        sheets = ", ".join(found.firms.others)
        lines.append(f"sheets not read: {sheets}; for ties give the workbook with --ties too")
    return lines


def report(made: "District", found: "Read", source: str) -> str:
    """The report as Markdown."""
    clean = made.clean
    parts = [f"# Import of {source}", "", *summary(made, found), "", "## Which column is which", ""]
    parts += [f"- {line}" for line in recognised(found, clean)]
    parts += ["", counts(clean).markdown(), ""]
    parts += _problems("Rows that cannot be used", clean.rejected)
    parts += _problems("Values that were changed or not used", [one for one in clean.problems if not one.rejected])
    parts += ["## What the tables say of parameters", ""]
    parts += [f"- `{path}`: {one.value} ({one.reason})" for path, one in sorted(made.values.items())]
    parts += ["", staying(made).markdown()]
    return "\n".join(parts)


def _problems(title: str, problems: "Sequence[Problem]") -> list[str]:
    lines = [f"## {title}", ""]
    if not problems:
        return [*lines, "None.", ""]
    lines += [f"- {one.place}: {one.variable}: {one.text}" for one in problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(f"- and {len(problems) - _LISTED:,} more")
    return [*lines, ""]
