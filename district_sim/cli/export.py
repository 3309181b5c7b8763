"""`district-sim export`: a run for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    ForceOption,
    QuietOption,
    check_folder,
    clean_ends,
    name_files,
    stop,
    writing,
)

if TYPE_CHECKING:
    from district_sim.reports.export import Format
    from district_sim.run.run import Run


def export(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run: what `run --out` wrote.")],
    to: Annotated[
        Literal["graphml", "gexf", "dta", "xlsx", "csv", "parquet"] | None,
        typer.Option(
            "--to",
            help="Format: graphs (graphml, gexf), Stata (dta), Excel (xlsx), csv or parquet; by default the ending of "
            "--out.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="PATH", help="File, or folder for dta, csv, parquet; by default inside RUN."),
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="The district at the start, not at the end.")] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a run for other programs: firms, ties, groups, pipelines, indicators.

    Every column has its unit and meaning, and codes have labels: inside Stata and
    Parquet files, in the sheet `columns` of Excel, in NAME.columns.csv elsewhere.
    Graphs have firms, places outside and the agency as nodes, with two edges for
    each tie: what each firm paid to the other. csv, dta and parquet are folders
    with a file for each table.

    [bold]Examples[/bold]

      district-sim export results/learning --to graphml
      district-sim export results/learning --out learning.xlsx
      district-sim export results/learning --to dta --start --out stata

    Exit code: 0 done, 1 could not write, 2 bad input.
    """
    with clean_ends():
        from district_sim.reports import export as exports

        form = to or _format_of(out)
        run = _read(folder)
        try:
            exports.library(form)
        except ImportError as error:
            stop(str(error), FAILED)
        single = form in exports.ONE_FILE
        name = "start" if start else "end"
        path = out or folder / (f"{name}.{form}" if single else f"{form}_{name}")
        if single:
            path = path if path.suffix else path.with_name(f"{path.name}.{form}")
            _check_file(path, form, force)
        else:
            check_folder(path, force)
        try:
            written = writing(path, lambda: exports.export(run, form, path, start))
        except exports.ExportError as error:
            stop(f"--to {form}: {error}", BAD_INPUT)
        if not quiet:
            name_files(written)


def _read(folder: Path) -> "Run":
    from district_sim.run.run import Run

    try:
        return Run.load(folder)
    except FileNotFoundError as error:
        stop(str(error), BAD_INPUT)
    except (KeyError, OSError, TypeError, ValueError) as error:
        stop(f"{folder}: cannot be read: {str(error).splitlines()[0]}", BAD_INPUT)


def _format_of(out: Path | None) -> "Format":
    """The format that the ending of a file says, of those that are one file."""
    from district_sim.reports.export import ONE_FILE

    ending = "" if out is None else out.suffix.lower().removeprefix(".")
    for form in ONE_FILE:
        if form == ending:
            return form
    stop(
        "name a format: --to graphml, gexf, xlsx (one file), dta, csv or parquet (a folder); or give --out a file that "
        f"ends with {', '.join(f'.{form}' for form in ONE_FILE)}",
        BAD_INPUT,
    )


def _check_file(path: Path, form: str, force: bool) -> None:
    if path.suffix.lower() != f".{form}":
        stop(f"--out {path}: ends with {path.suffix}, but --to {form} writes a .{form} file", BAD_INPUT)
    if path.is_dir():
        stop(f"--out {path}: this is a folder; name a file", BAD_INPUT)
    if path.exists() and not force:
        stop(f"--out {path}: exists; choose another name, or replace it with --force", BAD_INPUT)
    if not path.parent.is_dir():
        stop(f"--out {path}: there is no folder {path.parent}", BAD_INPUT)
