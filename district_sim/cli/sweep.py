"""`district-sim sweep` and `results`: run an experiment, look at its results."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    RUNS_FAILED,
    CrateOption,
    JsonOption,
    QuartersOption,
    QuietOption,
    WorkersOption,
    check_crate,
    check_seed,
    clean_ends,
    complete_experiment,
    complete_path,
    complete_scenario,
    data_set,
    each_once,
    make_runs,
    name_files,
    option_of,
    say_compiling,
    stdout,
    stop,
    tell_plan,
    varied,
    writing,
)
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd
    import rich.table

    from district_sim.experiments import Experiment, Results, Summary
    from district_sim.experiments.design_files import Places

_ROWS = 8  # points that a dry run shows

ScenarioArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SCENARIO", help="Bundled scenarios, or paths of YAML files.", autocompletion=complete_scenario
    ),
]
ExperimentOption = Annotated[
    str | None,
    typer.Option(
        "--experiment",
        metavar="FILE[:NAME]",
        help="Experiment file or bundled experiment, instead of scenarios.",
        autocompletion=complete_experiment,
    ),
]
VaryOption = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="PATH=VALUES",
        help="Values a,b,c or START:STOP:COUNT. In sampling designs LOW:HIGH, or the path alone. :log for a log scale.",
        autocompletion=complete_path,
    ),
]
TableOption = Annotated[
    Path | None, typer.Option("--table", metavar="FILE", help="CSV file of points, one column per path.")
]
DesignOption = Annotated[
    str | None, typer.Option("--design", metavar="NAME", help="factorial (default), latin_hypercube, sobol or morris.")
]
SamplesOption = Annotated[
    int | None, typer.Option("--samples", metavar="N", help="Points to sample; with morris, paths through the space.")
]
ReplicationsOption = Annotated[
    int | None, typer.Option("--replications", metavar="N", help="Runs per point (10); with --until, the minimum.")
]
UntilOption = Annotated[
    list[str] | None,
    typer.Option(
        "--until",
        metavar="OUTCOME:ERROR",
        help="Replicate until the standard error is this small, for example 0.5 or 1%.",
    ),
]
MaximumOption = Annotated[
    int | None, typer.Option("--maximum", metavar="N", help="With --until, the maximum number of runs per point (200).")
]
SweepSeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the experiment (0).")]
EveryOption = Annotated[
    int | None, typer.Option("--every", metavar="K", help="Also keep time series, one row every K quarters.")
]
FirmsOption = Annotated[bool, typer.Option("--firms", help="Also keep the firms of the last quarter.")]
SpendingOption = Annotated[bool, typer.Option("--spending", help="Also keep what each policy instrument spent.")]
StopOption = Annotated[
    list[str] | None, typer.Option("--stop", metavar="CONDITION", help="End a run early, for example 'firms < 10'.")
]
SweepOutOption = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder of the data set.")]
DaskOption = Annotated[
    str | None, typer.Option("--dask", metavar="ADDRESS", help="Run on a Dask cluster: address of its scheduler.")
]
MpiOption = Annotated[bool, typer.Option("--mpi", help="Run on MPI processes; see docs/clusters.md.")]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Repeat failed runs.")]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Estimate the number of runs, time and disk space from a few trials, then stop."),
]


def sweep(
    scenarios: ScenarioArguments = None,
    experiment: ExperimentOption = None,
    vary: VaryOption = None,
    table: TableOption = None,
    design: DesignOption = None,
    samples: SamplesOption = None,
    replications: ReplicationsOption = None,
    until: UntilOption = None,
    maximum: MaximumOption = None,
    seed: SweepSeedOption = None,
    quarters: QuartersOption = None,
    every: EveryOption = None,
    firms: FirmsOption = False,
    spending: SpendingOption = False,
    end_if: StopOption = None,
    out: SweepOutOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    mpi: MpiOption = False,
    retry_failed: RetryOption = False,
    crate: CrateOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run scenarios x policies x parameters, with replications, into a data set.

    A replicate has the same luck at every point. If a sweep is stopped, is killed
    or runs out of disk space, repeat the command to continue: no run is lost or
    repeated, and the data set is the same. docs/experiments.md describes
    experiment files, docs/clusters.md many machines.

    [bold]Examples[/bold]

      district-sim sweep baseline --vary ownership.takeover_price=0:90:10 --out sale
      district-sim sweep baseline decline --vary firms.count=100,300 --out sizes
      district-sim sweep baseline --vary ownership.takeover_price --design sobol --samples 64 --out s
      district-sim sweep baseline --until employment:1% --maximum 500 --out enough
      district-sim sweep --experiment policy_on_employment --out policy --dry-run

    Exit code: 0 done, 1 could not write or continue, 2 bad input, 3 done but some
    runs failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        given = {"design": design, "samples": samples, "replications": replications, "maximum": maximum}
        given |= {"seed": seed, "quarters": quarters}
        check_seed(seed or 0)
        keep: dict[str, Any] = {} if every is None else {"every": every}
        keep |= {name: True for name, wanted in (("firms", firms), ("spending", spending)) if wanted}
        planned = _experiment(scenarios or [], experiment, given, keep, vary or [], table, until or [], end_if or [])
        if dask is not None and mpi:
            stop("choose one of --dask and --mpi", BAD_INPUT)
        if dry_run:
            return dry_run_of(planned, workers, as_json)
        if out is None:
            stop("--out DIR: name the folder of the data set (--dry-run needs none)", BAD_INPUT)
        if crate:
            check_crate(out)
        with executor_of(dask, mpi) as (executor, number):
            count = workers or number
            summary = make_runs(planned, out, quiet, executor=executor, workers=count, retry_failed=retry_failed)
        made = writing(out, partial(_write_crate, out)) if crate else []
        _tell(summary, as_json, quiet, made)
        if summary.counts.failed:
            raise typer.Exit(RUNS_FAILED)


def results(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep, finished or not.")],
    export: Annotated[
        Literal["csv", "dta", "parquet"] | None, typer.Option("--export", help="Write one table; dta is for Stata.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="File to write.")] = None,
    table: Annotated[
        Literal["runs", "series", "firms", "spending"], typer.Option("--table", help="Table to write.")
    ] = "runs",
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Summarise a sweep, or write one of its tables for R, Stata and others.

    [bold]Examples[/bold]

      district-sim results sale
      district-sim results sale --export csv --out sale.csv
      district-sim results sale --export dta --out sale.dta
      district-sim results sale --export parquet --out series.parquet --table series
    """
    with clean_ends():
        from district_sim.experiments import Results

        found = Results(folder)
        if export is None:
            if out is not None:
                stop("--out FILE needs --export", BAD_INPUT)
            _summarise(found, as_json)
            return
        if out is None:
            stop("--export needs --out FILE", BAD_INPUT)
        if out.exists() and not force:
            stop(f"{out} exists; choose another --out, or replace it with --force", BAD_INPUT)
        name_files(writing(out, lambda: found.export(export, out, table)))


# Input --------------------------------------------------------------------------------------------


def _experiment(
    scenarios: list[str],
    file: str | None,
    given: dict[str, Any],
    keep: dict[str, Any],
    vary: list[str],
    table: Path | None,
    until: list[str],
    end_if: list[str],
) -> "Experiment":
    """The experiment that the command line describes, or changes in a file's."""
    from district_sim.experiments.design_files import load_experiment, make_experiment, read_table

    if bool(scenarios) == (file is not None):
        stop("name scenarios or an --experiment, not both", BAD_INPUT)
    fields: dict[str, Any] = {"scenarios": scenarios, "name": "sweep"}
    if file is not None:
        fields = load_experiment(file).model_dump()
    fields |= {name: value for name, value in given.items() if value is not None}
    fields["keep"] = {**fields.get("keep", {}), **keep}
    changes = {
        "vary": [varied(text) for text in vary],
        "until": [_outcome(text) for text in until],
        "stop": [_condition(text) for text in end_if],
    }
    for name, pairs in changes.items():
        fields[name] = {**fields.get(name, {}), **each_once(f"--{name}", pairs)}
    place: Places = option_of
    if table is not None:
        if vary or given["design"] not in (None, "list"):
            stop("--table FILE replaces --vary and --design; do not give both", BAD_INPUT)
        fields["design"] = "list"
        fields["vary"], place = read_table(table, option_of)
    made = make_experiment(fields, place)
    if given["maximum"] is not None and not made.until:
        stop("--maximum needs --until", BAD_INPUT)
    return made


def _outcome(text: str) -> tuple[str, str]:
    name, found, error = text.partition(":")
    if not (name.strip() and found and error.strip()):
        stop(f"--until {text}: write it as OUTCOME:ERROR, for example employment:1%", BAD_INPUT)
    return name.strip(), error.strip()


def _condition(text: str) -> tuple[str, str]:
    position = next((k for k, letter in enumerate(text) if letter in "<>"), 0)
    if not text[:position].strip():
        stop(f"--stop {text}: write it as a condition, for example 'firms < 10'", BAD_INPUT)
    return text[:position].strip(), text[position:].strip()


@contextmanager
def executor_of(dask: str | None, mpi: bool) -> "Iterator[tuple[Executor | None, int | None]]":
    """Where to run, and how many runs at once; nothing for a pool on this machine."""
    try:
        if dask is not None:
            from distributed import Client

            try:
                client = Client(dask, timeout=30, set_as_default=False)
                client.wait_for_workers(1, timeout=60)
            except (OSError, TimeoutError, ValueError) as error:
                stop(f"--dask {dask}: no scheduler with workers answered ({error or type(error).__name__})", FAILED)
            with client:
                yield client.get_executor(), len(client.scheduler_info(n_workers=-1)["workers"])
        elif mpi:
            from mpi4py.futures import MPIPoolExecutor

            with MPIPoolExecutor() as executor:
                yield executor, executor.num_workers
        else:
            yield None, None
    except ImportError as error:
        stop(f"{error.name or error} is not installed: pip install 'district-sim[cluster]'", FAILED)


# Output -------------------------------------------------------------------------------------------


def dry_run_of(experiment: "Experiment", workers: int | None, as_json: bool) -> None:
    """Print what an experiment would take, from a few trials, and its first points."""
    from rich.table import Table

    from district_sim.experiments.estimate import estimate
    from district_sim.experiments.plan import make_plan
    from district_sim.run.workers import cores
    from district_sim.text.numbers import duration, size

    plan = make_plan(experiment)
    tell_plan(plan, workers, as_json)
    try:
        expected = estimate(plan, say_compiling)
    except RuntimeError as error:
        stop(str(error), FAILED)
    count = workers or cores()
    if as_json:
        record = {
            "points": len(plan.points),
            "runs": expected.runs,
            "workers": count,
            "seconds": expected.seconds(count),
            "bytes": expected.bytes(count),
            "seconds_per_run": expected.seconds_per_run,
            "bytes_per_run": expected.bytes_per_run,
            "bytes_per_shard": expected.shard_bytes,
        }
        typer.echo(json_text(record))
        return
    least = "at least " if experiment.until else ""
    typer.echo(f"{len(plan.points):,} points x {experiment.replications} replications: {least}{expected.runs:,} runs")
    per_run = f"{expected.seconds_per_run:.2g} s per run in a few trials"
    typer.echo(f"about {duration(expected.seconds(count))} on {count} cores ({per_run})")
    typer.echo(f"about {size(expected.bytes(count))} of disk space\n")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("point", "scenario", "policies", *experiment.vary):
        table.add_column(name)
    for point in plan.points[:_ROWS]:
        values = [f"{value:.6g}" if isinstance(value, float) else str(value) for value in point.settings.values()]
        table.add_row(str(point.index), point.scenario, point.policies, *values)
    stdout().print(table)
    if len(plan.points) > _ROWS:
        typer.echo(f"... and {len(plan.points) - _ROWS:,} more")


def _write_crate(out: Path) -> list[Path]:
    from district_sim.experiments import Results
    from district_sim.reports.crate import crate_of_sweep

    return crate_of_sweep(Results(out), data_set(out))


def _tell(summary: "Summary", as_json: bool, quiet: bool, made: list[Path]) -> None:
    counts = summary.counts
    if as_json:
        record = {
            "folder": str(summary.folder),
            "runs": counts.total,
            "done": counts.done,
            "stopped": counts.stopped,
            "failed": counts.failed,
            "not_reached": list(summary.not_reached),
            "seconds": round(summary.seconds, 3),
        }
        typer.echo(json_text(record))
        return
    if not quiet:
        stopped = f", {counts.stopped:,} of them ended early by a stop condition" if counts.stopped else ""
        typer.echo(f"{counts.total - counts.failed:,} runs in {summary.folder}{stopped}")
        if summary.not_reached:
            shown = ", ".join(map(str, summary.not_reached[:10])) + (", ..." if len(summary.not_reached) > 10 else "")
            typer.echo(f"{len(summary.not_reached)} points did not reach the standard error: {shown}")
        typer.echo(f"Summarise them with: district-sim results {summary.folder}")
        name_files([*data_set(summary.folder), *made])
    if counts.failed:
        typer.echo(
            f"{counts.failed:,} runs failed: district-sim results {summary.folder} shows why; repeat the command "
            "with --retry-failed to run them again",
            err=True,
        )


def _summarise(found: "Results", as_json: bool) -> None:
    from district_sim.text.numbers import duration

    counts, seconds, errors = found.counts, found.seconds(), found.errors()
    summary = found.summary()
    if as_json:
        record = {
            "experiment": found.experiment.model_dump(mode="json"),
            "versions": found.versions,
            "points": len(found.points),
            "done": counts.done,
            "stopped": counts.stopped,
            "failed": counts.failed,
            "core_seconds": round(seconds, 3),
            "summary": json.loads(summary.to_json(orient="records")),
            "errors": errors,
        }
        typer.echo(json_text(record))
        return
    numbers = [f"{counts.done:,} runs done"]
    numbers += [f"{counts.stopped:,} ended early by a stop condition"] if counts.stopped else []
    numbers += [f"{counts.failed:,} failed"] if counts.failed else []
    typer.echo(f"{found.experiment.name}: {len(found.points):,} points; {', '.join(numbers)}")
    typer.echo(f"{duration(seconds)} of processor time; district-sim {found.versions.get('district_sim', '')}\n")
    stdout().print(_summary_table(summary))
    for error, number in errors.items():
        typer.echo(f"{number:,} failed: {error}", err=True)


def _summary_table(summary: "pd.DataFrame") -> "rich.table.Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in summary:
        is_number = summary[name].dtype.kind in "if"
        table.add_column(str(name), justify="right" if is_number else "left", overflow="fold")
    for row in summary.itertuples(index=False):
        table.add_row(*map(_shown, row))
    return table


def _shown(value: object) -> str:
    """A cell; what is undefined, as the trajectory of runs without a label, is a dash."""
    if value is None or value != value:
        return "–"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
