"""`district-sim import`: a district from a table of firms."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.common import (
    ForceOption,
    QuietOption,
    check_folder,
    clean_ends,
    name_files,
    say_compiling,
    stdout,
    writing,
)

if TYPE_CHECKING:
    from district_sim.register.cleaning import Clean
    from district_sim.register.district import Read


def import_district(
    firms: Annotated[
        Path, typer.Argument(metavar="FIRMS", help="Table of firms: CSV, Excel, Stata, Parquet, GraphML or GEXF.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the scenario, its tables and a report.")
    ],
    ties: Annotated[
        Path | None, typer.Option("--ties", metavar="FILE", help="Who buys from whom: a table or a graph.")
    ] = None,
    columns: Annotated[
        Path | None, typer.Option("--columns", metavar="FILE", help="Which column is which, as an import proposed it.")
    ] = None,
    phases: Annotated[
        str | None,
        typer.Option(
            "--phases",
            metavar="FILE",
            help="Which codes belong to which phase: a file, or supplier_dominated, scale_intensive, "
            "specialised_supplier, science_based.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", metavar="DATE", help="When the run begins: 2002 or 2002Q3; by default after the last foundation."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Title of the scenario.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a table with rows that cannot be used.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="Replace ids by numbers in what is written.")
    ] = False,
    twin: Annotated[
        bool, typer.Option("--twin", help="Write a synthetic table like this one in place of a scenario.")
    ] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a district from a table of firms.

    Needed are an id and employees. Place (lat/lon or metres), phase (or a code
    of NACE, ATECO or ISIC), owner or group, turnover, year of foundation,
    exports, R&D, education and patents are used where they are there. Columns
    are recognised by name in English, Italian, Spanish, German and French; DIR
    receives columns.yaml, which says how. What nobody observed is drawn anew for
    each seed.

    DIR receives district.yaml, a scenario that every command takes, its tables
    firms.parquet and ties.parquet, report.md and a figure.

    [bold]Examples[/bold]

      district-sim import firms.csv --out prato
      district-sim import firms.xlsx --ties orders.csv --start 2002 --out prato
      district-sim import firms.csv --columns prato/columns.yaml --out prato --force
      district-sim import firms.csv --ties orders.csv --twin --out shared

    Exit code: 0 imported, 1 could not write, 2 bad input.
    """
    with clean_ends():
        from district_sim.register import district

        begins = None if start is None else district.begin(start)
        if not dry_run:
            check_folder(out, force)
        found = district.open_tables(firms, ties, columns)
        proposal_at = district.COLUMNS if dry_run else str(out / district.COLUMNS)
        _keep_proposal(found, out, dry_run)
        cleaned = district.tidied(found, phases, begins, strict, proposal_at)
        if pseudonyms:
            from district_sim.register.twin import with_pseudonyms

            cleaned = with_pseudonyms(cleaned)
        if twin:
            _write_twin(cleaned, out, dry_run, quiet)
            return
        from district_sim.reports import district_import as reports

        if not quiet:
            _show(reports.recognised(found, cleaned))
        if dry_run:
            _tell_dry(cleaned)
            return
        from district_sim.run.compiled import is_compiled

        fields = {} if title is None else {"title": title}
        if not quiet and not is_compiled(district.of_shape(cleaned)):
            say_compiling()
        made = district.district(cleaned, fields, firms.stem)
        command = shlex.join(["district-sim", *sys.argv[1:]])
        written = writing(out, lambda: reports.write_import(made, found, out, firms.name, command))
        if not quiet:
            _show(reports.summary(made, found))
            stdout().print(reports.staying(made).shown())
            name_files(written)
            typer.echo(f"\nNext: district-sim run {out / district.SCENARIO}")


def _show(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
    typer.echo("")


def _keep_proposal(found: "Read", out: Path, dry_run: bool) -> None:
    """Write the proposal before anything can go wrong, so that there is something to correct."""
    from district_sim.register.columns import REQUIRED, proposal
    from district_sim.register.district import COLUMNS
    from district_sim.run.whole_files import write_text

    missing = [v for table in found.columns for v in REQUIRED[table] if v not in found.choice.columns[table]]
    if missing and not dry_run:
        writing(out, lambda: write_text(out / COLUMNS, proposal(found.choice, found.columns, {})))


def _tell_dry(cleaned: "Clean") -> None:
    from district_sim.reports import district_import as reports

    stdout().print(reports.counts(cleaned).shown())
    for problem in cleaned.problems:
        kind = "left out" if problem.rejected else "changed"
        typer.echo(f"{problem.place}: {problem.variable}: {problem.text} ({kind})")
    for line in reports.taken(cleaned):
        typer.echo(line)
    typer.echo("Nothing was written.")


def _write_twin(cleaned: "Clean", out: Path, dry_run: bool, quiet: bool) -> None:
    from district_sim.register import twin

    if dry_run:
        typer.echo("Nothing was written.")
        return
    written = writing(out, lambda: twin.write(twin.twin(cleaned), out))
    if not quiet:
        name_files(written)
