"""What `study` shows and writes: tables, a page, data, figures. Each file appears whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__
from district_sim.experiments.costs import DISCOUNT
from district_sim.run.whole_files import write_csv, write_json, write_text
from district_sim.text.names import in_percent, outcome_name, record_of, unit_words
from district_sim.text.numbers import decimals_for, number, p_value
from district_sim.text.sheet import Sheet

if TYPE_CHECKING:
    from district_sim.evidence.studies.design import Outcome, Study
    from district_sim.evidence.studies.measure import Finding, Result

_NOTE = (
    "Paired by replicate under the same luck; 95 % intervals are of single expectations, p is corrected for all of the "
    "study (Holm). Results agree or disagree with an expectation if p < 0.05, else they leave it undecided. "
    "Detectable: the difference that so many replicates find with 80 % probability, before the correction."
)


# Tables -------------------------------------------------------------------------------------------


def outcome_title(outcome: Outcome, unit: bool = True) -> str:
    """An outcome for a reader, with its unit if wanted, and its window unless that is the last ten years."""
    from district_sim.evidence.studies.design import LATE

    if outcome.how == "present value":
        return f"{outcome_name(outcome.indicator, unit=False)}{', k€' if unit else ''}, present value"
    name = outcome_name(outcome.indicator, unit)
    return name if outcome.first == LATE else f"{name}, from quarter {outcome.first}"


def expectations_sheet(result: Result) -> Sheet:
    """What was expected, what came out, and whether they agree."""
    by_name = {outcome.name: outcome for outcome in result.study.outcomes}
    rows = [_expectation_row(finding, by_name[finding.outcome]) for finding in result.findings]
    numbers = ("Expected", "Found", "95 % interval", "p", "Detectable", "Verdict")
    columns = ("Expectation", "Source", "Outcome", *numbers)
    return Sheet.plain(f"{result.study.title}: expectations", columns, rows, _NOTE, left=3)


def _expectation_row(finding: Finding, outcome: Outcome) -> tuple[str, ...]:
    place = finding.about == "place"
    scale = 100.0 if in_percent(outcome.indicator) and not place else 1.0
    digits = 2 if place else decimals_for(scale * (finding.high - finding.low) / 2.0 or abs(scale * finding.difference))
    found, low, high = (
        number(scale * value, digits, sign=not place) for value in (finding.difference, finding.low, finding.high)
    )
    detectable = number(scale * finding.detectable, digits)
    title = f"place of the highest: {outcome_title(outcome)}" if place else outcome_title(outcome)
    p = p_value(finding.p_holm)
    return (
        finding.expectation, finding.source, title, finding.expected, found, f"{low} to {high}", p, detectable,
        finding.verdict,
    )  # fmt: skip


def cells_sheet(result: Result) -> Sheet:
    """Every cell's outcomes, and its difference from its reference."""
    sections = []
    for outcome in result.study.outcomes:
        scale = 100.0 if in_percent(outcome.indicator) else 1.0
        rows = []
        for row in result.points[result.points["outcome"] == outcome.name].to_dict("records"):
            span = scale * (row["high"] - row["low"]) / 2.0
            digits = decimals_for(span or scale * row["error"] or abs(scale * row["mean"]))
            mean = number(scale * row["mean"], digits)
            if row["cell"] == row["against"]:
                rows.append((row["cell"], mean, "", ""))
                continue
            gap, low, high = (number(scale * row[name], digits, sign=True) for name in ("difference", "low", "high"))
            rows.append((row["cell"], mean, gap, f"{low} to {high}"))
        sections.append((outcome_title(outcome), tuple(rows)))
    note = "Differences are from the nearest row above without a difference, paired by replicate."
    return Sheet(f"{result.study.title}: cells", ("", "Mean", "Difference", "95 % interval"), tuple(sections), note)


def costs_sheet(result: Result) -> Sheet | None:
    """What programmes were given and what they spent; None where there are none."""
    table = result.points.drop_duplicates("cell")
    if not table["budgets"].any():
        return None
    rows = [(row["cell"], number(row["budgets"], 0), number(row["spent"], 0)) for row in table.to_dict("records")]
    note = (
        f"Present values on the first day at {100 * DISCOUNT:g} % a year, means over replicates; own policies "
        "included. No budget is shown where it is a share of turnover."
    )
    return Sheet.plain(f"{result.study.title}: costs", ("", "Budgets, k€", "Spent, k€"), rows, note)


def further_sheets(result: Result) -> list[Sheet]:
    """Tables that only a study which follows paths has."""
    if not result.study.followed:
        return []
    from district_sim.reports import conduct_study

    return conduct_study.sheets(result)


def summary_sheet(results: Sequence[Result]) -> Sheet:
    """All expectations and verdicts."""
    sections = [
        (result.study.title, tuple((f.expectation, f.source, f.verdict) for f in result.findings)) for result in results
    ]
    return Sheet(
        "Expectations from the literature",
        ("Expectation", "Source", "Verdict"),
        tuple(sections),
        verdict_counts(results),
        3,
    )


def verdict_counts(results: Sequence[Result]) -> str:
    """How many expectations agree, disagree, are undecided."""
    found = Counter(finding.verdict for result in results for finding in result.findings)
    total = found.total()
    return (
        f"Of {total} expectations the results agree with {found['agrees']} and disagree with {found['disagrees']}; "
        f"they leave {found['undecided']} undecided."
    )


# Files --------------------------------------------------------------------------------------------


def draw(result: Result) -> Any:
    """The figure of a study."""
    from district_sim import figures

    if result.study.followed:
        from district_sim.reports import conduct_study

        return conduct_study.draw(result)
    outcomes = {outcome.name: _panel(outcome) for outcome in result.study.outcomes}
    scale = {outcome.name: 100.0 if in_percent(outcome.indicator) else 1.0 for outcome in result.study.outcomes}
    if result.study.axis:
        return figures.study_lines(result.points, outcomes, scale, result.study.axis)
    return figures.study_dots(result.points, outcomes, scale)


def _panel(outcome: Outcome) -> str:
    """A panel's title: name and unit on lines of their own."""
    unit = unit_words(record_of(outcome.indicator).unit.replace("share", "percentage points"))
    unit = "k€" if outcome.how == "present value" else unit
    name = outcome_title(outcome, unit=False)
    unit = "" if unit == name.lower() else unit
    return "\n".join(part for part in (name.replace(", ", ",\n"), unit) if part)


def write_studies(results: Sequence[Result], folder: Path) -> list[Path]:
    """`studies.md` and `.json`, all expectations as CSV, and for each study its cells as CSV and its figure.

    Raises:
        OSError: a file cannot be written.
    """
    from district_sim import figures

    written = []
    for result in results:
        name = result.study.name
        written += figures.save(draw(result), folder / name)
        written.append(write_csv(folder / f"{name}.csv", result.points))
        if result.study.followed:
            from district_sim.reports.conduct_study import write_conduct

            written += write_conduct(result, folder)
    page = {"version": __version__, "studies": [result.as_dict() for result in results]}
    written.append(write_csv(folder / "expectations.csv", _expectations(results)))
    written.append(write_json(folder / "studies.json", page))
    return [*written, write_text(folder / "studies.md", as_markdown(results))]


def _expectations(results: Sequence[Result]) -> Any:
    import pandas as pd

    rows = [{"study": one["study"]} | each for one in (r.as_dict() for r in results) for each in one["expectations"]]
    return pd.DataFrame(rows)


def as_markdown(results: Sequence[Result]) -> str:
    """The page: verdicts first, then each study with its question, design, expectations, figure and cells."""
    first = results[0]
    lines = [
        "# Experiments from the literature: results",
        "",
        f"Written by `district-sim study`, seed {first.seed}, {first.replications} replicates of each cell. The",
        "expectations are in the code and were written before any run; [how to read this](../studies.md).",
        "",
        verdict_counts(results),
        *_named(results, "disagrees", "They disagree with:"),
        *_named(results, "undecided", "Undecided:"),
    ]
    for result in results:
        study = result.study
        lines += ["", f"## {study.title}", "", f"*{study.question}* {study.design}", ""]
        lines += [expectations_sheet(result).markdown(), f"![{study.title}]({study.name}.png)", ""]
        costs = costs_sheet(result)
        for sheet in (*further_sheets(result), *([costs] if costs else [])):
            lines += [sheet.markdown()]
        lines += [cells_sheet(result).markdown().rstrip()]
    return "\n".join(lines) + "\n"


def _named(results: Sequence[Result], verdict: str, heading: str) -> list[str]:
    """The expectations of one verdict as a list, if there are any."""
    found = [
        f"- {finding.expectation} ({finding.source}; *{result.study.title}*)"
        for result in results
        for finding in result.findings
        if finding.verdict == verdict
    ]
    return ["", heading, "", *found] if found else []


def designs_sheet(studies: Sequence[Study]) -> Sheet:
    """What can be run."""
    rows = [
        (study.name, study.title, f"{len(study.cells)} cells, {len(study.expectations)} expectations")
        for study in studies
    ]
    return Sheet.plain("Experiments from the literature", ("Name", "What", "Size"), rows, "district-sim study NAME", 3)
