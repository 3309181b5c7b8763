"""The command line: `district-sim run`, `demo`, `verify` and `scenarios`.

Each command checks what it was given, calls the package's public functions, and writes. Everything heavy is imported
inside the commands, so that `--help` answers at once.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from district_sim import __version__, outputs

if TYPE_CHECKING:
    from rich.console import Console

    from district_sim.run import Run
    from district_sim.scenario import Scenario

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes beside 0
DEMO = ("baseline", "fragmentation", "post_marshallian_node", "learning_region", "collective_entrepreneurship")

app = typer.Typer(
    name="district-sim",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
scenarios_app = typer.Typer(no_args_is_help=True, help="List, show and check scenario files.")
app.add_typer(scenarios_app, name="scenarios")


def main() -> None:
    """Entry point of the `district-sim` command."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"district-sim {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """How industrial districts evolve under globalisation: an agent-based model.

    [bold]Begin with[/bold]

      district-sim demo                  one district, five runs, one figure
      district-sim scenarios list        what can be run
      district-sim run learning_region   one run, its start, end and trajectory
    """


# Running ------------------------------------------------------------------------------------------

SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="Seed; the same seed gives the same run.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files in a folder that is not empty.")]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for results and figures.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables, and nothing else.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


@app.command()
def run(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Name of a bundled scenario, or path of a YAML file.")
    ],
    seed: SeedOption = 0,
    quarters: Annotated[
        int | None, typer.Option("--quarters", metavar="N", help="Length of the run, instead of the scenario's.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change one value of the scenario; may be repeated."),
    ] = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run one scenario and say what became of the district.

    [bold]Examples[/bold]

      district-sim run baseline
      district-sim run learning_region --seed 7 --out results/learning
      district-sim run my_district.yaml --quarters 80 --set firms.count=1000
      district-sim run baseline --set strategy.collective_action=0.8 --json

    With --out, the folder gets run.json (scenario, seed, versions, label,
    scores), indicators.parquet and .csv (one row per quarter), firms and ties at
    the start and at the end, and the figures dashboard, map, trajectory_scores.

    Exit code: 0 done, 1 could not be written, 2 bad input, 130 stopped by
    Ctrl-C (what was finished is kept).
    """
    with _clean_ends():
        resolved = _resolve(scenario, overrides or [], quarters)
        _check_seed(seed)
        if out is not None:
            _check_folder(out, force)
        total = resolved.run.quarters
        with _progress(total, quiet) as advance:
            result, complete = _simulate(resolved, seed, partial(advance, scenario, 0))
        if result is None:
            _stop("stopped before two quarters were finished; nothing was kept", INTERRUPTED)
        written = _writing(out, lambda: outputs.write_run(result, out)) if out is not None else []
        if as_json:
            typer.echo(json.dumps(result.summary(), ensure_ascii=False))
        elif not quiet:
            _show_run(result)
            _name_files(written)
        if not complete:
            kept = f"kept in {out}" if out is not None else "not saved, as --out was not given"
            _stop(f"stopped: {len(result.indicators)} of {total} quarters were finished and are {kept}", INTERRUPTED)


@app.command()
def demo(
    seed: SeedOption = 0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")] = Path(
        "district-sim-demo"
    ),
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run one district into its different futures: one figure, one table.

    The baseline and the four trajectories start from the same district and
    meet the same world; only strategies and policies differ. A folder that an
    earlier demo wrote is written again.

    [bold]Examples[/bold]

      district-sim demo
      district-sim demo --seed 3 --out results/demo
    """
    with _clean_ends():
        _check_seed(seed)
        resolved = {name: _resolve(name, [], None) for name in DEMO}
        _check_folder(out, force or (out / outputs.DEMO_MARK).is_file())
        _writing(out, lambda: outputs.mark_demo(out, seed, {}))
        runs: dict[str, Run] = {}
        with _progress(sum(scenario.run.quarters for scenario in resolved.values()), quiet) as advance:
            for name, scenario in resolved.items():
                before = sum(len(finished.indicators) for finished in runs.values())
                result, complete = _simulate(scenario, seed, partial(advance, name, before))
                if result is None or not complete:
                    _stop(f"stopped during {name}: {len(runs)} of {len(DEMO)} runs are kept in {out}", INTERRUPTED)
                runs[name] = result
                _writing(out, partial(result.save, out / name, force=True))
        written = _writing(out, lambda: outputs.write_demo(runs, out, seed))
        if not quiet:
            from district_sim import tables

            _stdout().print(tables.comparison(runs))
            _name_files([*written, *(out / name for name in runs)])


@app.command()
def verify(
    seeds: Annotated[str, typer.Option("--seeds", metavar="FIRST-LAST", help="Seeds to report on.")] = "1000-1099",
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the patterns that must come out, each against its target.

    One district and four futures, ablations, the map of openness and collective
    action, embeddedness, hysteresis, accounting and others. The model was
    calibrated on seeds 0-99; it is reported on seeds 1000-1099. Takes minutes;
    exit code 1 if a pattern fails. In DIR: verification.md, verification.json,
    the map as a figure and as a table.

    [bold]Examples[/bold]

      district-sim verify
      district-sim verify --seeds 5000-5019 --out verification
    """
    with _clean_ends():
        chosen = _seed_range(seeds)
        if out is not None:
            _check_folder(out, force)
        from dataclasses import asdict

        from district_sim import tables
        from district_sim import verify as patterns

        with _progress(patterns.runs_needed(chosen), quiet, "runs") as advance:
            claims, on_map = patterns.verify(chosen, partial(advance, "verifying", 0))
        rows = [asdict(claim) for claim in claims]
        written = _writing(out, lambda: outputs.write_verification(claims, on_map, out)) if out is not None else []
        if as_json:
            typer.echo(json.dumps(rows, ensure_ascii=False))
        else:
            _stdout().print(tables.verification(claims))
            _name_files(written)
        if not all(claim.passed for claim in claims):
            raise typer.Exit(1)


# Scenarios ----------------------------------------------------------------------------------------


@scenarios_app.command("list")
def list_scenarios() -> None:
    """List the bundled scenarios, a line each.

    [bold]Example[/bold]

      district-sim scenarios list
    """
    from rich.table import Table

    from district_sim.scenario_files import load_scenario, scenario_names

    with _clean_ends():
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for name in scenario_names():
            scenario = load_scenario(name)
            table.add_row(name, scenario.title or _first_sentence(scenario.description))
        _stdout().print(table)


@scenarios_app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Name of a bundled scenario, or path of a YAML file.")
    ],
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print every value, with what it extends and the defaults filled in.")
    ] = False,
) -> None:
    """Print a scenario as it was written, or in full.

    [bold]Examples[/bold]

      district-sim scenarios show learning_region > my_district.yaml
      district-sim scenarios show baseline --resolved
    """
    from district_sim.scenario_files import load_scenario, scenario_text

    with _clean_ends():
        if not resolved:
            typer.echo(scenario_text(name), nl=False)
            return
        scenario = load_scenario(name)
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.width = 110
        yaml.dump(scenario.model_dump(mode="json"), sys.stdout)


@scenarios_app.command()
def validate(files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenario files or names.")]) -> None:
    """Check scenario files; exit code 2 if one of them cannot be used.

    [bold]Examples[/bold]

      district-sim scenarios validate my_district.yaml
      district-sim scenarios validate cases/*.yaml
    """
    from district_sim.scenario_files import ScenarioError, load_scenario

    with _clean_ends():
        wrong = False
        for file in files:
            try:
                load_scenario(file)
            except ScenarioError as error:
                wrong = True
                _complain(str(error))
            else:
                typer.echo(f"{file}: ok")
        if wrong:
            raise typer.Exit(BAD_INPUT)


@scenarios_app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that check and complete YAML.

    [bold]Example[/bold]

      district-sim scenarios schema > district-sim.schema.json

    Then, in the first line of a scenario file:

      # yaml-language-server: $schema=district-sim.schema.json
    """
    from district_sim.scenario import Scenario

    described = Scenario.model_json_schema()
    text = {"type": "string"}
    extends = {
        "description": "Scenarios that are read first; this file's own lines win",
        "anyOf": [text, {"type": "array", "items": text}],
    }
    described["properties"] = {"extends": extends, **described["properties"]}
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    typer.echo(json.dumps(described, indent=2, ensure_ascii=False))


# Input --------------------------------------------------------------------------------------------


def _resolve(name: str, overrides: list[str], quarters: int | None) -> "Scenario":
    """The scenario with what the command line changes; a length that was asked for becomes part of it."""
    from district_sim.scenario_files import load_scenario

    if quarters is not None and not 2 <= quarters <= 4000:
        _stop(f"--quarters must be between 2 and 4000, not {quarters}", BAD_INPUT)
    length = [] if quarters is None else [f"run.quarters={quarters}"]
    scenario = load_scenario(name, [*overrides, *length])
    if scenario.run.quarters < 2:
        _stop("run.quarters must be at least 2 for a trajectory to be told", BAD_INPUT)
    return scenario


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**64:
        _stop(f"--seed must be between 0 and 2**64 - 1, not {seed}", BAD_INPUT)


def _check_folder(folder: Path, force: bool) -> None:
    """Make the folder and find out that it can be written before anything is simulated."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not force and any(folder.iterdir()):
            _stop(f"{folder} is not empty; choose another --out, or --force to replace files in it", BAD_INPUT)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        _stop(f"--out {folder}: cannot be written: {error.strerror or error}", BAD_INPUT)


def _seed_range(text: str) -> range:
    """Seeds "1000-1099" as a range of at least two."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last) < 2**63):
        _stop(f"--seeds {text}: must be two numbers FIRST-LAST with FIRST < LAST, for instance 1000-1099", BAD_INPUT)
    return range(int(first), int(last) + 1)


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0]


# Simulating ---------------------------------------------------------------------------------------


def _simulate(scenario: "Scenario", seed: int, advance: Callable[[int], None]) -> "tuple[Run | None, bool]":
    """A run and whether it is complete; Ctrl-C leaves what was finished, if a trajectory can be told from it."""
    from district_sim.run import simulate

    interrupted = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    def step(done: int) -> None:
        if interrupted:  # the first one was swallowed, as it is where an exception cannot be passed on
            raise KeyboardInterrupt
        advance(done)

    before = signal.signal(signal.SIGINT, note)
    try:
        return simulate(scenario, seed, progress=step), True
    except KeyboardInterrupt as stopped:
        unfinished: Run | None = stopped.args[0] if stopped.args else None
        return (unfinished if unfinished is not None and len(unfinished.indicators) >= 2 else None), False
    except RuntimeError as error:
        _stop(str(error), FAILED)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(total: int, quiet: bool, unit: str = "quarters") -> Iterator[Callable[[str, int, int], None]]:
    """Yields a function of (what is running, units done before, and by it); draws on a terminal only."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from district_sim.compiled import is_compiled

    console = _stderr()
    if not quiet and not is_compiled():
        console.print("Compiling the model for this machine: a minute or two, this first time only.", highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), unit, TimeRemainingColumn())
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("preparing", total=total, start=False)

        def advance(what: str, before: int, done: int) -> None:
            bar.start_task(task)
            bar.update(task, completed=before + done, description=what)

        yield advance


# Writing ------------------------------------------------------------------------------------------


def _writing[T](folder: Path, write: Callable[[], T]) -> T:
    try:
        return write()
    except OSError as error:
        _stop(f"{folder}: could not be written: {error.strerror or error}", FAILED)


def _show_run(result: "Run") -> None:
    from district_sim import tables

    console = _stdout()
    console.print(tables.start_and_end(result))
    console.print()
    console.print(tables.trajectory(result))


def _name_files(files: list[Path]) -> None:
    if files:
        typer.echo("\nWritten:")
        for file in files:
            typer.echo(f"  {file}{os.sep if file.is_dir() else ''}")


def _stdout() -> "Console":
    from rich.console import Console

    return Console()


def _stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


# Ends ---------------------------------------------------------------------------------------------


def _complain(message: str) -> None:
    typer.secho("Error: ", fg=typer.colors.RED, err=True, nl=False)
    typer.echo(message, err=True)


def _stop(message: str, code: int) -> NoReturn:
    """One clear message and an exit code."""
    if code == INTERRUPTED:
        typer.echo(message[:1].upper() + message[1:], err=True)
    else:
        _complain(message)
    raise typer.Exit(code)


@contextmanager
def _clean_ends() -> Iterator[None]:
    """Bad input and Ctrl-C end with a message and an exit code, never with a traceback."""
    from district_sim.scenario_files import ScenarioError

    try:
        yield
    except ScenarioError as error:
        _stop(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        _stop("stopped", INTERRUPTED)
