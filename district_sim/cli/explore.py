"""`district-sim explore`: a sweep as one HTML file, with levers, that needs no server."""

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.analysis import experiment_of, runs_of
from district_sim.cli.common import (
    BAD_INPUT,
    QuartersOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    WorkersOption,
    check_seed,
    clean_ends,
    complete_path,
    each_once,
    name_files,
    stop,
    varied,
    writing,
)
from district_sim.cli.compare import OUTCOMES
from district_sim.cli.policy_report import ReplaceOption, check_page
from district_sim.cli.sweep import DryRunOption, dry_run_of

if TYPE_CHECKING:
    from district_sim.experiments import Experiment
    from district_sim.experiments.design import Values

LeversOption = Annotated[
    list[str],
    typer.Option(
        "--vary",
        metavar="PATH=VALUES",
        help="A lever: values a,b,c or START:STOP:COUNT, :log for a log scale. Repeat for several.",
        autocompletion=complete_path,
    ),
]
PageOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The page, an .html file.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder for the runs; repeat the command to continue."),
]
IndicatorsOption = Annotated[
    str,
    typer.Option(
        "--indicators",
        metavar="A,B,...",
        help="Indicators to choose from on the page; the first is shown first.",
        show_default=False,
    ),
]
EveryOption = Annotated[
    int, typer.Option("--every", metavar="K", min=1, help="Show every K-th quarter, and the last one.")
]


def explore(
    scenario: ScenarioArgument,
    vary: LeversOption,
    out: PageOption = None,
    indicators: IndicatorsOption = OUTCOMES,
    replications: Annotated[int, typer.Option("--replications", metavar="N", min=1, help="Runs at each point.")] = 10,
    every: EveryOption = 4,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    data: DataOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    force: ReplaceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a page with levers: a sweep as one HTML file that works without a network.

    Every combination of the levers' values is run, under the same luck. The page
    has a slider for each lever, an indicator over time (median, the middle 50 and
    90 % of runs), the shares of futures, a map of futures over two levers, all
    numbers as tables, and notes. It holds quantiles, not runs, and is at most
    5 MiB. With --data the runs are kept: if they are stopped, repeat the command
    to continue, and with other --indicators nothing is run again.

    [bold]Examples[/bold]

      district-sim explore baseline --vary ownership.takeover_price=0:80:5 --out bids.html
      district-sim explore classroom --vary firms.count=80,200 --vary world.sourcing_fall=0:0.4:3 --out p.html
      district-sim explore decline --vary firms.count=100,300 --indicators employment,wage --data runs --out sizes.html

    Exit code: 0 done, 1 could not write or continue, 2 bad input, 3 done but some
    runs failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        check_seed(seed)
        experiment = experiment_of(
            name="explore", scenarios=[scenario], vary=each_once("--vary", [varied(text) for text in vary]),
            replications=replications, seed=seed, quarters=quarters, keep={"every": every},
        )  # fmt: skip
        chosen = _checked(experiment, indicators, every)
        if dry_run:
            return dry_run_of(experiment, workers, as_json=False)
        if out is None:
            stop("--out FILE: name the page (--dry-run needs none)", BAD_INPUT)
        check_page(out, force)
        with runs_of(experiment, data, quiet, workers) as results:
            from district_sim.reports.explore import Asked, write_page

            asked = Asked(scenario, chosen, _options(vary, chosen, replications, every, seed, quarters))
            written = writing(out, lambda: write_page(results, asked, out))
            if not quiet:
                typer.echo(f"{len(results.points):,} points of {replications} runs each")
                name_files([*written, *([data] if data is not None else [])])


def _checked(experiment: "Experiment", indicators: str, every: int) -> tuple[str, ...]:
    """The indicators, which the runs will have; ends with a message if not, or if the page were too large."""
    from district_sim.experiments.checks import extensions_of
    from district_sim.experiments.design import indicator_names
    from district_sim.experiments.plan import make_plan
    from district_sim.experiments.points import scenario_of
    from district_sim.scenario.suggestions import suggest

    _check_size(prod(_count(values) for values in experiment.vary.values()), 1, every, 1)  # before points are made
    plan = make_plan(experiment)
    known = indicator_names(extensions_of(plan.bases))
    chosen = tuple(dict.fromkeys(name.strip() for name in indicators.split(",") if name.strip()))
    for name in chosen:
        if name not in known:
            stop(f"--indicators: there is no indicator {name!r}{suggest(name, known)}", BAD_INPUT)
    if not chosen:
        stop("--indicators: name at least one indicator", BAD_INPUT)
    longest = max(scenario_of(point, plan.bases).run.quarters for point in plan.points)
    _check_size(len(plan.points), longest, every, len(chosen))
    return chosen


def _count(values: "Values") -> int:
    return len(values) if isinstance(values, tuple) else getattr(values, "count", 1)


def _check_size(points: int, quarters: int, every: int, indicators: int) -> None:
    from district_sim.reports.explore import MOST_BYTES, expected_bytes
    from district_sim.text.numbers import size

    expected = expected_bytes(points, quarters, every, indicators)
    if expected > MOST_BYTES:
        stop(
            f"--vary: {points:,} points make a page of {size(expected)} or more, and a page has at most "
            f"{size(MOST_BYTES)}; use fewer values, fewer --indicators or a larger --every",
            BAD_INPUT,
        )


def _options(
    vary: list[str], indicators: tuple[str, ...], replications: int, every: int, seed: int, quarters: int | None
) -> tuple[tuple[str, ...], ...]:
    """The options that make the same page again, all that decide numbers written out."""
    made: list[tuple[str, ...]] = [("--vary", text) for text in vary]
    made += [("--indicators", ",".join(indicators)), ("--replications", str(replications))]
    made += [("--every", str(every)), ("--seed", str(seed))]
    made += [] if quarters is None else [("--quarters", str(quarters))]
    return (*made, ("--out", "page.html"))
