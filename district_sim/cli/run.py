"""`district-sim run`, `demo` and `verify`: simulate, show, write."""

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    CrateOption,
    ForceOption,
    JsonOption,
    OutOption,
    PolicyOption,
    QuartersOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    check_crate,
    check_folder,
    check_seed,
    clean_ends,
    name_files,
    progress,
    resolve,
    stdout,
    stop,
    tell_effort,
    warn,
    writing,
)
from district_sim.cli.draws import EvenSoOption, posterior_if_given
from district_sim.cli.forecast import label_of
from district_sim.reports import run as reports
from district_sim.reports.drawing import FIGURES
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    import numpy as np

    from district_sim.run.run import Run
    from district_sim.scenario.sections import Scenario

DEMO = ("baseline", "fragmentation", "post_marshallian_node", "learning_region", "collective_entrepreneurship")
_MOST_SEEDS = 10_000
_PATHS = 100  # over draws from a posterior and luck, for a label
_RIDGES, _FRAMES = 8, 80  # moments on the way that figures and films are made of


def run(
    scenario: ScenarioArgument,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    policy: PolicyOption = None,
    overrides: SetOption = None,
    out: OutOption = None,
    animate: Annotated[
        Path | None, typer.Option("--animate", metavar="FILE", help="Save the run as a film: FILE.gif or FILE.mp4.")
    ] = None,
    deflator: Annotated[
        Path | None,
        typer.Option("--deflator", metavar="FILE", help="Prices by year (CSV: date,index): also write current prices."),
    ] = None,
    posterior: Annotated[
        Path | None,
        typer.Option("--posterior", metavar="FILE", help="Also say how probable labels are over its draws and luck."),
    ] = None,
    even_so: EvenSoOption = False,
    figures: Annotated[
        str | None,
        typer.Option("--figures", metavar="A,B,...", help="Draw only these figures into DIR; none for no figure."),
    ] = None,
    crate: CrateOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run one scenario and show how the district ended.

    [bold]Examples[/bold]

      district-sim run baseline
      district-sim run learning_region --seed 7 --out results/learning
      district-sim run learning_region --out results/maps --figures map,network
      district-sim run my_district.yaml --quarters 80 --set firms.count=1000
      district-sim run baseline --set strategy.collective_action=0.45 --json
      district-sim run fragmentation --policy export_platform --policy takeover_screening
      district-sim run fragmentation --animate fragmentation.gif

    The folder --out receives run.json (scenario, seed, versions, label, scores),
    indicators.parquet and .csv (one row per quarter), firms and ties at the start
    and the end, what each policy instrument spent on whom, columns.csv (meanings)
    and figures as .png and .svg: dashboard, map, network, views,
    trajectory_scores, value_chain, ownership, conduct, knowledge. --figures names
    those that are wanted. With --deflator the folder also receives
    indicators_current.csv: all indicators in money, at the prices of their time.
    A film in .mp4 needs the program ffmpeg; a .gif does not.

    Exit code: 0 done, 1 could not write, 2 bad input, 130 stopped by Ctrl-C
    (finished quarters are kept). A district that outgrows all bounds ends early,
    and says so.
    """
    with clean_ends():
        resolved = _with_policies(resolve(scenario, overrides or [], quarters), policy or [], quiet)
        check_seed(seed)
        drawn = posterior_if_given(posterior, even_so)
        pictures = _figures(figures, out)
        prices = None if deflator is None else _prices(deflator, resolved, out)
        if crate:
            check_crate(out)
        if out is not None:
            check_folder(out, force)
        if animate is not None:
            _check_film(animate, force)
        total = resolved.run.quarters
        moments = _FRAMES if animate is not None else _RIDGES if out is not None else None
        every = None if moments is None else -(-total // moments)
        _tell_effort(resolved, 0 if every is None else (total - 1) // every, bool(pictures), quiet)
        with progress(total, quiet, scenarios=[resolved]) as advance:
            result, complete = _simulate(resolved, seed, partial(advance, scenario, 0), every)
        if result is None:
            stop("stopped before two quarters were complete; nothing was kept", INTERRUPTED)
        written = []
        if out is not None:
            written = writing(out, partial(reports.write_run, result, out, prices, pictures))
        if crate and out is not None:
            written += writing(out, partial(_write_crate, result, out, written))
        written += _write_film(result, animate, quiet) if animate is not None and result.between else []
        probable = "" if drawn is None else label_of(resolved, scenario, drawn, _PATHS, seed, quiet)
        if as_json:
            typer.echo(json_text({**result.summary(), **({"label_probability": probable} if probable else {})}))
        elif not quiet:
            if resolved.data.firms and resolved.description:
                typer.echo(resolved.description, err=True)
            _show_run(result)
            if probable:
                typer.echo(f"\nOver {_PATHS} draws and lucks: {probable}")
            name_files(written)
        if drawn is not None:
            warn(drawn.warning)
        if result.ended and not quiet:
            typer.echo(result.ended, err=True)
        if not complete:
            kept = f"kept in {out}" if out is not None else "not saved, because --out was not given"
            stop(f"stopped: {len(result.table)} of {total} quarters are complete and {kept}", INTERRUPTED)


def demo(
    seed: SeedOption = 0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")] = Path(
        "district-sim-demo"
    ),
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run one district into five futures: one figure, one table.

    The baseline and the four trajectories start from the same district, and
    their firms decide alike. Only bids, prices abroad and policies differ. The
    demo overwrites the folder of an earlier demo.

    [bold]Examples[/bold]

      district-sim demo
      district-sim demo --seed 3 --out results/demo
    """
    with clean_ends():
        check_seed(seed)
        resolved = {name: resolve(name, [], None) for name in DEMO}
        check_folder(out, force or (out / reports.DEMO_MARK).is_file())
        writing(out, lambda: reports.mark_demo(out, seed, {}))
        runs: dict[str, Run] = {}
        total = sum(scenario.run.quarters for scenario in resolved.values())
        with progress(total, quiet, scenarios=resolved.values()) as advance:
            for name, scenario in resolved.items():
                before = sum(len(finished.table) for finished in runs.values())
                result, complete = _simulate(scenario, seed, partial(advance, name, before))
                if result is None or not complete:
                    stop(f"stopped during {name}: {len(runs)} of {len(DEMO)} runs are kept in {out}", INTERRUPTED)
                runs[name] = result
                writing(out, partial(result.save, out / name, force=True))
        written = writing(out, lambda: reports.write_demo(runs, out, seed))
        if not quiet:
            from district_sim.reports import run_tables as tables

            stdout().print(tables.comparison(runs))
            name_files([*written, *(out / name for name in runs)])


def verify(
    seeds: Annotated[str, typer.Option("--seeds", metavar="FIRST-LAST", help="Seeds to measure on.")] = "1000-1099",
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the patterns that the model must show, each against its target.

    Among them: one behaviour and four futures, ablations, interaction, the
    dilemma of contributing, history, survival, accounting. The model was
    calibrated on seeds 0-99; the patterns are measured on seeds 1000-1099. This
    takes minutes. DIR receives verification.md, verification.json, and the maps
    as figures and tables.

    Exit code: 0 all patterns hold, 1 a pattern fails, 2 bad input.

    [bold]Examples[/bold]

      district-sim verify
      district-sim verify --seeds 5000-5019 --out verification
    """
    with clean_ends():
        chosen = _seed_range(seeds)
        if out is not None:
            check_folder(out, force)
        from dataclasses import asdict

        from district_sim.evidence.patterns import verify as patterns
        from district_sim.reports import run_tables as tables

        with progress(patterns.runs_needed(chosen), quiet, "runs") as advance:
            claims, maps = patterns.verify(chosen, partial(advance, "verifying", 0))
        rows = [asdict(claim) for claim in claims]
        written = writing(out, lambda: reports.write_verification(claims, maps, out)) if out is not None else []
        if as_json:
            typer.echo(json_text(rows))
        else:
            stdout().print(tables.verification(claims))
            name_files(written)
        if not all(claim.passed for claim in claims):
            raise typer.Exit(1)


def _write_crate(result: "Run", out: Path, files: list[Path]) -> list[Path]:
    from district_sim.reports.crate import crate_of_run

    return crate_of_run(result, out, files)


def _tell_effort(scenario: "Scenario", kept: int, drawn: bool, quiet: bool) -> None:
    from district_sim.run.effort import effort_of

    what = f"{scenario.firms.count:,} firms for {scenario.run.quarters:,} quarters{' and their figures' * drawn}"
    advice = "; without --out and --animate it needs less" if kept else ""
    tell_effort(effort_of(scenario, kept, drawn), what, advice, quiet)


def _check_film(path: Path, force: bool) -> None:
    from district_sim.figures import check_film

    try:
        check_film(path)
    except ValueError as error:
        stop(f"--animate {error}", BAD_INPUT)
    if path.exists() and not force:
        stop(f"--animate {path}: exists; choose another name, or replace it with --force", BAD_INPUT)
    if not path.parent.is_dir():
        stop(f"--animate {path}: there is no folder {path.parent}", BAD_INPUT)


def _write_film(result: "Run", path: Path, quiet: bool) -> list[Path]:
    from district_sim.figures import animate

    with progress(len(result.moments), quiet, "frames", compiles=False) as advance:
        return [writing(path, lambda: animate(result, path, lambda done, _: advance("drawing the film", 0, done)))]


def _simulate(
    scenario: "Scenario", seed: int, advance: Callable[[int], None], every: int | None = None
) -> "tuple[Run | None, bool]":
    """A run and whether it is complete; Ctrl-C and the like leave what was finished, if it is enough to classify."""
    from district_sim.run.run import simulate
    from district_sim.run.workers import stop_signals

    interrupted = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    def step(done: int) -> None:
        if interrupted:  # the first one was swallowed, as it is where an exception cannot be passed on
            raise KeyboardInterrupt
        advance(done)

    before = {kind: signal.signal(kind, note) for kind in stop_signals()}
    try:
        return simulate(scenario, seed, progress=step, every=every), True
    except KeyboardInterrupt as stopped:
        unfinished: Run | None = stopped.args[0] if stopped.args else None
        return (unfinished if unfinished is not None and len(unfinished.table) >= 2 else None), False
    except RuntimeError as error:
        stop(str(error), FAILED)
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _prices(deflator: Path, scenario: "Scenario", out: Path | None) -> "np.ndarray":
    """By what the money of each quarter is multiplied to be at its own prices."""
    from district_sim.run.deflator import factors

    if out is None:
        stop("--deflator needs --out DIR, the folder for the table at current prices", BAD_INPUT)
    return factors(deflator, scenario)


def _figures(text: str | None, out: Path | None) -> list[str]:
    """Names of the figures to draw: all of them unless some are given, or "none"."""
    from district_sim.scenario.suggestions import suggest

    if text is not None and out is None:
        stop("--figures needs --out DIR, the folder for the figures", BAD_INPUT)
    if text is None:
        return [] if out is None else list(FIGURES)
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in FIGURES and names != ["none"]:
            known = ", ".join(FIGURES)
            stop(
                f"--figures {name}: there is no such figure{suggest(name, list(FIGURES))} (known: {known}; or none)",
                BAD_INPUT,
            )
    if not names:
        stop("--figures: name at least one, or none", BAD_INPUT)
    return [name for name in FIGURES if name in names]


def _with_policies(scenario: "Scenario", names: list[str], quiet: bool) -> "Scenario":
    """The scenario with the named policies laid over it; says which of its own they displace."""
    from district_sim.scenario.policy_files import OWN, laid_over, policy_mix

    if not names:
        return scenario
    laid = laid_over(scenario, [item for name in names for item in policy_mix(name, scenario.policies)])
    own = any(OWN in name.split("+") for name in names)
    if scenario.policies and not own and not quiet:
        left_out = ", ".join(item.name for item in scenario.policies)
        typer.echo(f"The scenario's own policies are replaced ({left_out}). Add --policy own to keep them.", err=True)
    late = ", ".join(item.name for item in laid.policies if item.start >= laid.run.quarters)
    if late and not quiet:
        typer.echo(f"The run ends before these begin: {late}.", err=True)
    return laid


def _seed_range(text: str) -> range:
    """Seeds "1000-1099" as a range of at least two."""
    first, _, last = text.partition("-")
    whole = all(part.isdecimal() and len(part) < 20 for part in (first, last))
    if not (whole and int(first) < int(last) < 2**63):
        stop(f"--seeds {text}: write two numbers FIRST-LAST with FIRST < LAST, for example 1000-1099", BAD_INPUT)
    seeds = range(int(first), int(last) + 1)
    if len(seeds) > _MOST_SEEDS:
        stop(f"--seeds {text}: {len(seeds):,} seeds; at most {_MOST_SEEDS:,} are measured at once", BAD_INPUT)
    return seeds


def _show_run(result: "Run") -> None:
    from district_sim.reports import run_tables as tables

    console = stdout()
    console.print(tables.start_and_end(result))
    console.print()
    console.print(tables.conduct(result))
    console.print()
    console.print(tables.trajectory(result))
    if result.spending is not None:
        console.print()
        console.print(tables.policies(result))
        if any(item.when for item in result.scenario.policies):
            console.print()
            console.print(tables.moves(result))
