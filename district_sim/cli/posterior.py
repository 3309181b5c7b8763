"""`district-sim calibrate --posterior`: draws of all values that agree with what was observed."""

import json
import shlex
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    hold_folder,
    name_files,
    progress,
    stdout,
    stop,
    warn,
    writing,
)
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from district_sim.evidence.posterior.fit import Setting
    from district_sim.run.workers import Workers

LucksOption = Annotated[int, typer.Option("--lucks", metavar="N", help="Runs of each draw from the posterior.")]
_LEAST_TRUTHS = 20


def draw_posterior(
    setting: "Setting",
    given: Sequence[str],
    truths: int | None,
    workers: int | None,
    dask: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a posterior, check it if so many truths are asked for, write it, show it."""
    from district_sim.evidence.posterior import check, fit, posterior
    from district_sim.reports.posterior import sheets, write_posterior

    posterior.need()
    fit.check(setting)
    if truths is not None and truths < _LEAST_TRUTHS:
        stop(f"--truths must be at least {_LEAST_TRUTHS}, not {truths}", BAD_INPUT)
    words = ["district-sim", "calibrate", *given, "--posterior", "--seed", str(setting.seed)]
    words += ["--simulations", str(setting.runs), "--draws", str(setting.draws)]
    words += [] if truths is None else ["--check", "--truths", str(truths)]
    with working_in(setting.folder, workers, dask, quiet) as (crew, advance):

        def tell(stage: str, done: int, total: int) -> None:
            advance(f"{setting.case.name}: {stage}", 0, done, total)

        fitted = fit.fit(setting, crew, tell)
        checked = None if truths is None else check.check(fitted, crew, truths, tell)
    written = writing(setting.folder, lambda: write_posterior(fitted, checked, shlex.join(words)))
    if as_json:
        record = (setting.folder / "posterior.json").read_text(encoding="utf-8")
        typer.echo(json_text(json.loads(record)))
    elif not quiet:
        for sheet in sheets(fitted, checked):
            stdout().print(sheet.shown())
            typer.echo("")
        name_files(written)
    warn(posterior.Posterior.load(setting.folder, even_so=True).alarm)


@contextmanager
def working_in(
    folder: "Path", workers: int | None, dask: str | None, quiet: bool
) -> "Iterator[tuple[Workers, Callable[..., None]]]":
    """Workers and a bar of progress, for runs that are kept in a folder; see `_kept`."""
    from district_sim.cli.sweep import executor_of
    from district_sim.run.workers import Workers

    with (
        _kept(folder),
        executor_of(dask, False) as (executor, number),
        Workers(workers or number, executor) as crew,
        progress(None, quiet, "runs") as advance,
    ):
        yield crew, advance


@contextmanager
def _kept(folder: "Path") -> "Iterator[None]":
    """Work whose runs are kept in a folder that is held: what stops it is said with what to do."""
    from district_sim.evidence.posterior.simulations import OtherTable

    again = f"all runs so far are in {folder}; repeat the command to continue"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        hold_folder(folder)
    except OSError as error:
        stop(f"--out {folder}: cannot be written: {error.strerror or error}", BAD_INPUT)
    try:
        yield
    except OtherTable as error:
        stop(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        stop(f"stopped: {again}", INTERRUPTED)
    except OSError as error:
        stop(f"{folder}: could not be written: {error.strerror or error}", FAILED)
