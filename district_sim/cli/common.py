"""What the commands share: options, checks of what was given, progress, and ends without a traceback."""

import _thread
import errno
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.console import Console

    from district_sim.experiments import Experiment, Summary
    from district_sim.experiments.plan import Plan
    from district_sim.run.effort import Effort
    from district_sim.scenario.files import Key
    from district_sim.scenario.sections import Scenario

FAILED, BAD_INPUT, RUNS_FAILED, INTERRUPTED = 1, 2, 3, 130  # exit codes beside 0
_PIPED = 140  # columns
_LONG, _LARGE = 60.0, 2e9  # seconds and bytes from which on it is said beforehand what work takes
_TRIED, _MADE = 3.0, 5  # seconds of work, and what is done in it, from which the rest is estimated
_LOOKED_AT = 60  # points of an experiment, evenly spread, from whose size all are estimated


# Completion: what the shell offers for what was typed, without importing anything heavy ---------------


def complete_scenario(incomplete: str) -> list[str]:
    """Bundled scenarios."""
    from district_sim.scenario.files import scenario_names

    return [name for name in scenario_names() if name.startswith(incomplete)]


def complete_path(incomplete: str) -> list[str]:
    """Paths of parameters, each with the `=` that follows."""
    from district_sim.scenario.paths import known_paths, scenario_schema

    paths = list(known_paths(scenario_schema(), {}))
    sections = {path.rpartition(".")[0] for path in paths}
    return [f"{path}=" for path in paths if path.startswith(incomplete) and path not in sections]


def complete_experiment(incomplete: str) -> list[str]:
    """Bundled experiments."""
    from district_sim.scenario.files import EXPERIMENTS, bundled_files

    return [name for name in bundled_files(EXPERIMENTS) if name.startswith(incomplete)]


def complete_trajectory(incomplete: str) -> list[str]:
    """The futures, and the two residual classes."""
    from district_sim.run.trajectories import Trajectory

    return [trajectory.value for trajectory in Trajectory if trajectory.value.startswith(incomplete)]


def complete_policy(incomplete: str) -> list[str]:
    """Bundled policies that begin with what was typed, also after a comma or a plus."""
    from district_sim.scenario.policy_files import NONE, OWN, policy_names

    before = incomplete[: max(incomplete.rfind(","), incomplete.rfind("+")) + 1]
    names = [NONE, OWN, *policy_names()]
    return [before + name for name in names if name.startswith(incomplete[len(before) :])]


# Help ---------------------------------------------------------------------------------------------


class _PlainSwitches:
    """Help that shows a switch without a type, which would invite `--spending true`."""

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return params


class _Command(_PlainSwitches, TyperCommand):
    pass


class Group(_PlainSwitches, TyperGroup):
    """A group of commands, with our help."""


class Commands(typer.Typer):
    """A group of commands."""

    def __init__(self, **how: Any) -> None:
        super().__init__(no_args_is_help=True, rich_markup_mode="rich", **{"cls": Group, **how})

    def command(self, name: str | None = None, **how: Any) -> Callable[[Any], Any]:
        """Register a function as a command."""
        return super().command(name, cls=_Command, **how)


# Options ------------------------------------------------------------------------------------------


SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="Seed; the same seed gives the same run.")]
PolicyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="POLICY",
        help="Replace the scenario's policies by this one. Repeat for several; own keeps the scenario's own.",
        autocompletion=complete_policy,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change one value of the scenario. Repeat for several.",
        autocompletion=complete_path,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files in a folder that is not empty.")]
CrateOption = Annotated[
    bool, typer.Option("--crate", help="Describe the folder as an RO-Crate, with the environment that makes it again.")
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for results and figures.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON only, no tables.")]
QuartersOption = Annotated[
    int | None, typer.Option("--quarters", metavar="N", help="Length of each run; by default the scenario's.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Parallel worker processes; by default one per core."),
]
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="Name of a bundled scenario, or path of a YAML file.",
        autocompletion=complete_scenario,
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


# Input --------------------------------------------------------------------------------------------


def resolve(name: str, overrides: list[str], quarters: int | None) -> "Scenario":
    """The scenario with what the command line changes; a length that was asked for becomes part of it."""
    from district_sim.scenario.files import load_scenario

    if quarters is not None and not 2 <= quarters <= 4000:
        stop(f"--quarters must be between 2 and 4000, not {quarters}", BAD_INPUT)
    length = [] if quarters is None else [f"run.quarters={quarters}"]
    scenario = load_scenario(name, [*overrides, *length])
    if scenario.run.quarters < 2:
        stop("run.quarters: at least 2 quarters are needed to classify a run", BAD_INPUT)
    return scenario


def check_seed(seed: int) -> None:
    if not 0 <= seed < 2**64:
        stop(f"--seed must be between 0 and 2**64 - 1, not {seed}", BAD_INPUT)


def check_folder(folder: Path, force: bool) -> None:
    """Make the folder and find out that it can be written before anything is simulated.

    It goes again where the command is refused before anything stands in it.
    """
    from district_sim.run.whole_files import is_empty, sweep_up

    try:
        _made_folders.extend(path for path in (folder, *folder.parents) if not path.exists())
        folder.mkdir(parents=True, exist_ok=True)
        hold_folder(folder)
        sweep_up(folder)
        if not force and not is_empty(folder):
            stop(f"{folder} is not empty; choose another --out, or replace its files with --force", BAD_INPUT)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        stop(f"--out {folder}: cannot be written: {error.strerror or error}", BAD_INPUT)


_at_the_end: list[Callable[[], None]] = []
"""What `clean_ends` has to do."""
_made_folders: list[Path] = []
"""By `check_folder`, the innermost first."""


def check_crate(out: Path | None) -> None:
    """Find out that a crate can be made before anything is simulated."""
    if out is None:
        stop("--crate needs --out DIR", BAD_INPUT)
    from district_sim.reports.crate import library

    try:
        library()
    except ImportError as error:
        stop(str(error), FAILED)


def hold_folder(folder: Path) -> None:
    """Keep other commands out of a folder until this one ends; ends with a message if another one is at work there."""
    from district_sim.run.whole_files import FolderInUse, hold

    try:
        _at_the_end.append(hold(folder))
    except FolderInUse as error:
        stop(str(error), BAD_INPUT)


def option_of(at: "Key") -> str:
    """The option by which a field of an experiment was given, ready to stand before a message."""
    if at[:1] in ((), ("scenarios",)):
        return ""
    names = [part for part in at if isinstance(part, str) and part != "keep"]
    return f"--{' '.join(names)}: "


def each_once(option: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The values of an option that may be repeated, by name; ends with a message where a name comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        stop(f"{option} {twice}: given twice", BAD_INPUT)
    return found


def varied(text: str) -> tuple[str, Any]:
    """What `--vary` says: `path=a,b,c`, `path=start:stop:count[:log]`, `path=low:high[:log]` or `path`."""
    from district_sim.experiments.design_files import plain_value

    path, _, right = text.partition("=")
    path, right = path.strip(), right.strip()
    parts = [part.strip() for part in right.split(":")]
    log = parts[-1] == "log"
    parts = parts[:-1] if log else parts
    if not path or (right and not all(parts)):
        _refuse_vary(text)
    if not right:
        return path, {}
    if len(parts) == 1 and not log:
        return path, tuple(plain_value(value.strip()) for value in right.split(","))
    try:
        numbers = [float(part) for part in parts]
        if len(parts) == 3:
            return path, {"start": numbers[0], "stop": numbers[1], "count": int(parts[2]), "log": log}
    except ValueError:
        _refuse_vary(text)
    if len(parts) == 2:
        return path, {"low": numbers[0], "high": numbers[1], "log": log}
    _refuse_vary(text)


def _refuse_vary(text: str) -> NoReturn:
    stop(
        f"--vary {text}: write it as path=a,b,c or path=start:stop:count, for example strategy.sale=0:0.9:10 "
        "(in sampling designs path=low:high, or the path alone)",
        BAD_INPUT,
    )


# Output -------------------------------------------------------------------------------------------


@contextmanager
def progress(
    total: int | None,
    quiet: bool,
    unit: str = "quarters",
    compiles: bool = True,
    scenarios: "Iterable[Scenario | None]" = (None,),
) -> Iterator[Callable[..., None]]:
    """Yields a function of (what is running, units done before, and by it[, new total]); draws on a terminal only.

    `compiles`: whether the whole model is needed, which takes a while to compile; for these `scenarios`.
    """
    pace = _Pace()
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from district_sim.run.compiled import is_compiled

    if compiles and not quiet and not all(is_compiled(scenario) for scenario in scenarios):
        say_compiling()
    console = stderr()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        unit,
        TimeRemainingColumn(),
    )
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("preparing", total=total, start=False)

        def advance(what: str, before: int, done: int, total: int | None = total) -> None:
            bar.start_task(task)
            bar.update(task, completed=before + done, total=total, description=what)
            if total and not quiet and not console.is_terminal:  # there the bar says it
                pace.tell(before + done, total, unit)

        yield advance


class _Pace:
    """Says once, from the first seconds of work, how long all of it will take, if that is long."""

    def __init__(self) -> None:
        self._begun: tuple[float, int] | None = None
        self._told = False

    def tell(self, done: int, total: int, unit: str) -> None:
        """So many of all are done now."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, done) if done else None  # before the first is done, processes start
            return
        passed, made = now - self._begun[0], done - self._begun[1]
        if self._told or passed < _TRIED or made < _MADE:
            return
        self._told, left = True, passed / made * (total - done)
        if left >= _LONG:
            from district_sim.text.numbers import duration

            stderr().print(f"About {duration(left)} for {total - done:,} more {unit}.", highlight=False)


def say_compiling() -> None:
    """Why nothing happens for a while."""
    from district_sim.kernels.compile import cache_folder

    once = "" if cache_folder is None else ", the first time only"  # otherwise a warning says what to do
    stderr().print(
        f"Compiling the model for this machine. This takes half a minute to a minute{once}.", highlight=False
    )


def tell_effort(effort: "Effort", what: str, advice: str, quiet: bool) -> None:
    """Say what long work takes before it begins; ends with a message if it cannot fit into this machine's memory.

    Args:
        what: will be done, in words. advice: how to need less memory.
    """
    from district_sim.run.effort import memory_here
    from district_sim.text.numbers import duration, size

    here = memory_here()
    if here is not None and effort.bytes > here:
        stop(
            f"{what}: this needs about {size(effort.bytes)} of memory; this machine has {size(here)}{advice}", BAD_INPUT
        )
    if not quiet and (effort.seconds >= _LONG or effort.bytes >= _LARGE):
        told = f"{what}: about {duration(effort.seconds)} and {size(effort.bytes)} of memory."
        stderr().print(told, highlight=False, markup=False)


def writing[T](folder: Path, write: Callable[[], T]) -> T:
    try:
        return write()
    except OSError as error:
        stop(f"{folder}: could not be written: {error.strerror or error}", FAILED)
    except KeyboardInterrupt:
        stop(f"stopped while {folder} was being written; it is not whole", INTERRUPTED)


def name_files(files: list[Path]) -> None:
    if files:
        typer.echo("\nWritten:")
        for file in files:
            typer.echo(f"  {file}{os.sep if file.is_dir() else ''}")


def data_set(folder: Path) -> list[Path]:
    """What a sweep has written into its folder."""
    names = ("experiment.json", "ledger.sqlite", "runs", "series", "firms", "spending")
    return [folder / name for name in names if (folder / name).exists()]


def stdout() -> "Console":
    """The terminal; what is piped is not folded into the width of one."""
    from rich.console import Console

    console = Console(markup=False, emoji=False)  # a name such as [b] is a name
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED
    return console


def stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False)


# Experiments --------------------------------------------------------------------------------------


def make_runs(
    experiment: "Experiment",
    folder: Path,
    quiet: bool,
    *,
    executor: "Executor | None" = None,
    workers: int | None = None,
    retry_failed: bool = False,
    kept: bool = True,
    advance: Callable[..., object] | None = None,
) -> "Summary":
    """Run an experiment into a folder with a bar on the terminal; ends with a message if it cannot continue.

    The caller looks at `failed` in the summary's counts: such runs are no reason to stop.

    Args:
        experiment, folder, executor, workers, retry_failed: see `run_experiment`.
        quiet: no bar.
        kept: whether the folder stays when the command ends.
        advance: told of progress in place of a bar of its own, where the experiment is one of many.
    """
    from district_sim.experiments import run_experiment
    from district_sim.experiments.store import StorageError
    from district_sim.run.workers import WorkerError

    again = f"finished runs are kept in {folder}; repeat the command to continue"
    if not kept:
        again = "nothing was kept, because the runs were in a temporary folder"
    alone = advance is None and executor is None
    with progress(None, quiet, "runs", compiles=False) if advance is None else nullcontext(advance) as advance:
        try:
            summary = run_experiment(
                experiment,
                folder,
                executor=executor,
                workers=workers,
                retry_failed=retry_failed,
                progress=lambda done, total: advance(experiment.name, 0, done, total),
                compiling=None if quiet else say_compiling,
                planned=(lambda plan: tell_plan(plan, workers, quiet)) if alone else None,
            )
        except StorageError as error:
            room = "Free some disk space or choose another disk: " if error.full else ""
            stop(f"{error}\n{room}{again}", FAILED)
        except WorkerError as error:
            stop(f"{error}\nThe sweep stopped here: {again}", FAILED)
        except KeyboardInterrupt:  # the second one
            stop(f"stopped; {again}", INTERRUPTED)
    if summary.interrupted:
        stop(f"stopped: {summary.counts.total} of {summary.wanted} runs are done; {again}", INTERRUPTED)
    return summary


def tell_plan(plan: "Plan", workers: int | None, quiet: bool) -> None:
    """Say what an experiment takes; ends with a message if its districts cannot fit into this machine's memory."""
    from district_sim.experiments.points import scenario_of
    from district_sim.run.effort import effort_of, together
    from district_sim.run.workers import cores

    count = len(plan.points)
    looked_at = sorted({place * (count - 1) // _LOOKED_AT for place in range(_LOOKED_AT + 1)})
    efforts = [effort_of(scenario_of(plan.points[index], plan.bases)) for index in looked_at]
    runs = count * plan.experiment.replications
    effort = together(efforts, runs, workers or cores())
    tell_effort(effort, f"{runs:,} runs in all", "; try fewer --workers or smaller districts", quiet)


# Ends ---------------------------------------------------------------------------------------------


def warn(text: str) -> None:
    """What must not be overlooked, beside the results; nothing if there is nothing to say."""
    from district_sim.scenario.texts import printable

    if text:
        typer.echo(f"Warning: {printable(text)}", err=True)


def complain(message: str) -> None:
    from district_sim.scenario.texts import printable

    stderr().print("Error:", style="red", end=" ")  # rich, unlike typer, heeds NO_COLOR
    typer.echo(printable(message), err=True)


def stop(message: str, code: int) -> NoReturn:
    """One clear message and an exit code."""
    with suppress(OSError):  # the terminal may be gone
        if code == INTERRUPTED:
            typer.echo(message[:1].upper() + message[1:], err=True)
        else:
            complain(message)
    raise typer.Exit(code)


def check_files(files: list[str], load: Callable[[str], object]) -> None:
    """Say of each file whether it can be used; exit code 2 if one cannot."""
    from district_sim.scenario.files import ScenarioError

    with clean_ends():
        wrong = False
        for file in files:
            try:
                load(file)
            except ScenarioError as error:
                wrong = True
                complain(str(error))
            else:
                typer.echo(f"{file}: ok")
        if wrong:
            raise typer.Exit(BAD_INPUT)


@contextmanager
def clean_ends() -> Iterator[None]:
    """Bad input, lost workers, Ctrl-C and the like end with a message and an exit code, never with a traceback.

    Folders that the block holds are let go, and what it made goes again if bad input leaves it empty.
    """
    refused = False
    try:
        with _told():
            yield
    except typer.Exit as end:
        refused = end.exit_code == BAD_INPUT
        raise
    finally:
        while _at_the_end:
            _at_the_end.pop()()
        while _made_folders:
            made = _made_folders.pop(0)
            if refused:
                with suppress(OSError):  # something stands in it
                    made.rmdir()


@contextmanager
def _told() -> Iterator[None]:
    """Errors of known kinds end in a message."""
    from district_sim.run.workers import WorkerError
    from district_sim.scenario.files import ScenarioError

    try:
        with _all_like_ctrl_c():
            yield
    except ScenarioError as error:
        stop(str(error), BAD_INPUT)
    except WorkerError as error:
        stop(str(error), FAILED)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        stop(f"{error.filename}: {error.strerror}", BAD_INPUT)
    except KeyboardInterrupt:
        stop("stopped", INTERRUPTED)


@contextmanager
def _all_like_ctrl_c() -> Iterator[None]:
    """Ctrl-C, what `kill` sends and the end of a terminal are raised alike, and only where they are answered."""
    from district_sim.run.workers import stop_signals

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {kind: signal.signal(kind, signal.default_int_handler) for kind in stop_signals()}
    hook, sys.unraisablehook = sys.unraisablehook, _heard_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _heard_again(lost: "sys.UnraisableHookArgs") -> None:
    """Python ignores a Ctrl-C that falls into a finaliser, after a message: it is sent once more, a moment later."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    again = threading.Timer(0.01, _thread.interrupt_main)
    again.daemon = True
    again.start()
