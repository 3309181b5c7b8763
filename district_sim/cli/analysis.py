"""What `compare`, `sensitivity`, `map` and `discover` share: options, the runs they need, what they print."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.common import BAD_INPUT, FAILED, RUNS_FAILED, make_runs, name_files, option_of, stdout, stop
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from district_sim.experiments import Experiment, Results
    from district_sim.text.sheet import Sheet

FolderOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder for runs, tables and figures; repeat the command to continue."),
]


# Input --------------------------------------------------------------------------------------------


def experiment_of(**fields: Any) -> "Experiment":
    """An experiment, or a message about the option that is wrong."""
    from district_sim.experiments.design_files import make_experiment

    return make_experiment({name: value for name, value in fields.items() if value is not None}, option_of)


def checked_outcomes(text: str) -> list[str]:
    """Names of outcomes, each of which is a column of the table of runs."""
    from district_sim.experiments.design import Keep, outcomes
    from district_sim.scenario.suggestions import suggest

    known = outcomes(Keep())
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in known:
            stop(f"there is no outcome {name!r}{suggest(name, known)}", BAD_INPUT)
    if not names:
        stop("name at least one outcome", BAD_INPUT)
    return names


# Runs ---------------------------------------------------------------------------------------------


@contextmanager
def runs_of(
    experiment: "Experiment",
    out: Path | None,
    quiet: bool,
    workers: int | None,
    advance: Callable[..., object] | None = None,
) -> "Iterator[Results]":
    """The runs of an experiment, in a folder that is kept or not; ends with a code of its own if some failed.

    Args:
        advance: see `make_runs`.
    """
    from district_sim.experiments import Results

    with folder_for(out) as folder:
        summary = make_runs(experiment, folder, quiet, workers=workers, kept=out is not None, advance=advance)
        yield Results(folder)
        end(summary.counts.failed, out)


@contextmanager
def folder_for(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="district-sim-") as folder:
        yield Path(folder)


def or_stop[T](analyse: Callable[[], T]) -> T:
    try:
        return analyse()
    except ValueError as error:
        stop(str(error), FAILED)


# Output -------------------------------------------------------------------------------------------


def report(
    sheets: "Sequence[Sheet]", record: Mapping[str, Any], written: list[Path], as_json: bool, quiet: bool
) -> None:
    if as_json:
        typer.echo(json_text(record))
    elif not quiet:
        for number, sheet in enumerate(sheets):
            if number:
                typer.echo("")
            stdout().print(sheet.shown())
        name_files(written)


def end(failed: int, out: Path | None) -> None:
    if failed:
        where = "; the errors are not kept without --out"
        if out is not None:
            where = f": district-sim results {out} shows why"
        typer.echo(f"{failed:,} runs failed and were left out{where}", err=True)
        raise typer.Exit(RUNS_FAILED)
