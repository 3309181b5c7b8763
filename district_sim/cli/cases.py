"""`district-sim calibrate`: fit parameters to observations of a district."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    ForceOption,
    JsonOption,
    QuietOption,
    WorkersOption,
    clean_ends,
    hold_folder,
    name_files,
    progress,
    stdout,
    stop,
    writing,
)
from district_sim.cli.sweep import DaskOption
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from district_sim.evidence.cases.calibration import Fit
    from district_sim.evidence.cases.compare import Compared
    from district_sim.evidence.cases.files import Case
    from district_sim.evidence.cases.runs import Observed


def complete_case(incomplete: str) -> list[str]:
    """Bundled cases that begin with what was typed, for the shell's completion."""
    from district_sim.evidence.cases.files import case_names

    return [name for name in case_names() if name.startswith(incomplete)]


def calibrate(
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE",
            help="A bundled case such as carpi, or with --targets any scenario.",
            autocompletion=complete_case,
        ),
    ],
    targets: Annotated[
        Path | None,
        typer.Option("--targets", metavar="FILE", help="Targets and parameters for a scenario of your own."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="First seed of the fit, which uses seeds 0 to 99 only.")
    ] = 0,
    runs: Annotated[int, typer.Option("--runs", metavar="N", help="Runs of each trial, one seed each.")] = 10,
    budget: Annotated[
        int, typer.Option("--budget", metavar="N", help="Maximum runs of the fit; the report needs 50 more.")
    ] = 3000,
    posterior: Annotated[
        bool, typer.Option("--posterior", help="Draw from the posterior of the parameters, in place of one best fit.")
    ] = False,
    draws: Annotated[int, typer.Option("--draws", metavar="N", help="With --posterior: draws to keep.")] = 1000,
    simulations: Annotated[
        int, typer.Option("--simulations", metavar="N", help="With --posterior: runs from the prior.")
    ] = 2000,
    check: Annotated[
        bool, typer.Option("--check", help="With --posterior: does it hold synthetic truths as often as it says?")
    ] = False,
    truths: Annotated[int, typer.Option("--truths", metavar="N", help="With --check: how many; at least 20.")] = 100,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder for the results; by default calibrations/CASE or posteriors/CASE."
        ),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fit the parameters of a district to observations of it.

    The targets file declares what was observed and how precisely, and which
    parameters to fit in what range. The method is nonlinear least squares with
    common random numbers, on seeds below 100. The result is measured on seeds
    1000 to 1049. The report names parameters that the targets cannot identify.

    DIR receives CASE.yaml (the fitted scenario), calibration.md and .json, the
    figure observed_and_simulated, and trials.jsonl (every trial). After Ctrl-C,
    repeat the command to continue.

    With --posterior the result is not one value of each parameter but draws of
    all values that agree with what was observed: posterior.nc (for forecast and
    other commands, and for ArviZ), posterior.md and .json, and the figures
    prior_to_posterior, pairs, observed_and_predicted. --check adds the figure
    check. docs/how_sure.md explains them. It needs district-sim[bayes].

    [bold]Examples[/bold]

      district-sim calibrate carpi
      district-sim calibrate carpi --budget 500 --out results/carpi
      district-sim calibrate my_district.yaml --targets my_targets.yaml
      district-sim calibrate carpi --posterior --check --out carpi_posterior

    Exit code: 0 fitted, 1 could not write, 2 bad input, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        from district_sim.cli.posterior import draw_posterior
        from district_sim.evidence.cases.files import load_case, read_case
        from district_sim.evidence.posterior.fit import Setting

        found = load_case(case, fitted=False) if targets is None else read_case(targets, case)
        if posterior:
            given = [case, *(["--targets", str(targets)] if targets else [])]
            at = out or Path("posteriors") / found.name
            setting = Setting(found, seed, simulations, draws, at, force)
            draw_posterior(setting, given, truths if check else None, workers, dask, as_json, quiet)
            return
        if check or dask is not None:
            stop("--check and --dask need --posterior", BAD_INPUT)
        folder = out or Path("calibrations") / found.name
        words = ["district-sim", "calibrate", case, *(["--targets", str(targets)] if targets else [])]
        command = shlex.join([*words, "--seed", str(seed), "--runs", str(runs), "--budget", str(budget)])
        fit, compared, made = _fitted(found, seed, runs, budget, workers, command, folder, force, quiet)
        _tell(fit, compared, command, folder, as_json, quiet, made)


def _fitted(
    case: "Case",
    seed: int,
    runs: int,
    budget: int,
    workers: int | None,
    command: str,
    folder: Path,
    force: bool,
    quiet: bool,
) -> "tuple[Fit, Sequence[Compared], Sequence[Observed]]":
    from district_sim.evidence.cases import calibration
    from district_sim.evidence.cases.compare import compare
    from district_sim.evidence.cases.runs import ensemble
    from district_sim.reports.cases import OtherFit, open_journal

    try:
        calibration.check(case, seed, runs, budget)
        folder.mkdir(parents=True, exist_ok=True)
        hold_folder(folder)
        journal = open_journal(case, range(seed, seed + runs), folder, force)
    except OSError as error:
        stop(f"--out {folder}: cannot be written: {error.strerror or error}", BAD_INPUT)
    except (OtherFit, ValueError) as error:
        stop(str(error), BAD_INPUT)
    made = len(journal.trials) * runs
    with progress(budget, quiet, "runs", scenarios=[case.scenario]) as advance:
        try:
            fit = calibration.calibrate(
                case,
                seed=seed,
                seeds=runs,
                budget=budget,
                workers=workers,
                journal=journal,
                progress=lambda done, total: advance(f"fitting {case.name}", made, done, total),
            )
        except calibration.Interrupted as stopped:
            _tell(stopped.fit, (), command, folder, False, True)
            again = f"the best fit so far and all trials are in {folder}; repeat the command to continue"
            stop(f"stopped: {again}", INTERRUPTED)
        except OSError as error:
            stop(f"{folder}: could not be written: {error.strerror or error}", FAILED)
        except ValueError as error:
            stop(str(error), BAD_INPUT)
    seeds = calibration.REPORT_SEEDS
    with progress(len(seeds), quiet, "runs") as advance:
        fresh = calibration.with_fit(fit)
        observed = ensemble(fresh, seeds, lambda done, total: advance("reporting", 0, done, total), workers)
    return fit, compare(fresh, observed), observed


def _tell(
    fit: "Fit",
    compared: "Sequence[Compared]",
    command: str,
    folder: Path,
    as_json: bool,
    quiet: bool,
    runs: "Sequence[Observed]" = (),
) -> None:
    """Write, and show what was written."""
    from district_sim.reports.cases import parameter_sheet, report_sheet, write_calibration

    written = writing(folder, lambda: write_calibration(fit, compared, command, folder, runs))
    if as_json:
        typer.echo(json_text(json.loads(written[-1].read_text(encoding="utf-8"))))
    elif not quiet:
        stdout().print(parameter_sheet(fit).shown())
        typer.echo("")
        stdout().print(report_sheet(fit, compared, runs).shown())
        name_files(written)
