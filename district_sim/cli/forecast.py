"""`district-sim forecast`: what will come of a district, over draws from a posterior and luck."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.cases import complete_case
from district_sim.cli.common import (
    BAD_INPUT,
    ForceOption,
    JsonOption,
    QuietOption,
    SeedOption,
    WorkersOption,
    clean_ends,
    complete_policy,
    name_files,
    stdout,
    stop,
    warn,
    writing,
)
from district_sim.cli.compare import mixes_of
from district_sim.cli.draws import EvenSoOption, posterior_of
from district_sim.cli.posterior import LucksOption, working_in
from district_sim.cli.sweep import DaskOption
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case
    from district_sim.evidence.posterior.forecast import Forecast, Plan
    from district_sim.evidence.posterior.posterior import Posterior
    from district_sim.scenario.sections import Scenario

PosteriorOption = Annotated[
    Path, typer.Option("--posterior", metavar="FILE", help="posterior.nc of calibrate --posterior, or its folder.")
]


def forecast(
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE",
            help="A bundled case such as carpi, or any scenario; with --targets what was observed of it.",
            autocompletion=complete_case,
        ),
    ],
    posterior: PosteriorOption,
    targets: Annotated[
        Path | None, typer.Option("--targets", metavar="FILE", help="Targets of a scenario of your own.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="To the beginning of this year, or quarter (2035Q3).")
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            metavar="MIX,...",
            help="Policy mixes to add: policies joined by +, none, own, or a scenario's. The first are own.",
            autocompletion=complete_policy,
        ),
    ] = None,
    paths: Annotated[int, typer.Option("--paths", metavar="N", help="Runs of each mix.")] = 500,
    lucks: LucksOption = 5,
    model_error: Annotated[
        float | None,
        typer.Option(
            "--model-error", metavar="X", min=0.0, max=1.0, help="Standard deviation of the model's error (0.08)."
        ),
    ] = None,
    even_so: EvenSoOption = False,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the results; by default forecasts/CASE.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Foretell a district: bands of indicators and probabilities of trajectories.

    Each draw from the posterior is run with several lucks, under each policy mix
    with the same draws and the same lucks. The tables say how much of the
    spread is luck, how much the parameters, the model's own error and, for
    trajectories, the thresholds. DIR receives forecast.md and .json, the tables,
    bands.csv, paths.parquet (every path) and the figures fans and trajectories.
    After a stop, repeat the command to continue.

    [bold]Examples[/bold]

      district-sim forecast carpi --posterior posteriors/carpi --until 2035
      district-sim forecast carpi --posterior posteriors/carpi --policies export_platform --out f
      district-sim forecast my.yaml --targets my.targets.yaml --posterior posteriors/my

    Exit code: 0 done, 1 could not write, 2 bad input, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        from district_sim.evidence.posterior.discrepancy import MODEL_ERROR
        from district_sim.evidence.posterior.forecast import plan_of
        from district_sim.reports.forecast import sheets, write_forecast

        drawn = posterior_of(posterior, even_so)
        found = case_of(case, targets)
        size = MODEL_ERROR if model_error is None else model_error
        named = with_own(found, policies)
        plan = plan_of(found, drawn, paths, named, quarters_until(found, until), lucks, seed)
        folder = out or Path("forecasts") / found.name
        words = ["district-sim", "forecast", case, "--posterior", str(posterior)]
        words += ["--targets", str(targets)] if targets else []
        words += ["--until", until] if until else []
        words += ["--policies", ",".join(policies)] if policies else []
        words += ["--paths", str(paths), "--lucks", str(lucks), "--model-error", f"{size:g}", "--seed", str(seed)]
        made = _made(plan, folder, workers, dask, force, quiet)
        command = shlex.join([*words, *(["--even-so"] if even_so else [])])
        written = writing(folder, lambda: write_forecast(made, drawn, size, command, folder))
        if as_json:
            typer.echo(json_text(json.loads((folder / "forecast.json").read_text(encoding="utf-8"))))
        elif not quiet:
            for sheet in sheets(made, size).values():
                stdout().print(sheet.shown())
                typer.echo("")
            name_files(written)
        warn(drawn.warning)


def _made(plan: "Plan", folder: Path, workers: int | None, dask: str | None, force: bool, quiet: bool) -> "Forecast":
    from district_sim.evidence.posterior.forecast import foretell

    with working_in(folder, workers, dask, quiet) as (crew, advance):
        return foretell(plan, folder / "runs", crew, lambda done, total: advance(plan.case.name, 0, done, total), force)


def case_of(name: str, targets: Path | None) -> "Case":
    """A bundled case, a scenario with its targets, or a scenario of which nothing was observed."""
    from district_sim.evidence.cases.files import case_names, load_case, read_case
    from district_sim.scenario.files import load_scenario

    if targets is not None:
        return read_case(targets, name)
    if name.removeprefix("cases/") in case_names():
        return load_case(name, fitted=False)
    return scenario_as_case(load_scenario(name), name)


def with_own(case: "Case", policies: list[str] | None) -> dict[str, Any]:
    """Instruments of the mixes that were asked for, after the scenario's own."""
    from district_sim.scenario.policy_files import OWN

    own: dict[str, Any] = {OWN: case.scenario.policies}
    return {**own, **mixes_of(policies or [], {case.origin: case.scenario})}


def quarters_until(case: "Case", until: str | None) -> int | None:
    """Length of a run that ends at a date; ends with a message if there is none."""
    if until is None:
        return None
    try:
        quarters = case.calendar.quarter(until)
    except ValueError as error:
        stop(f"--until {until}: {error}", BAD_INPUT)
    if not 8 <= quarters <= 4000:
        stop(f"--until {until}: must be two years or more after the start, {case.calendar.date(0)}", BAD_INPUT)
    return quarters


def scenario_as_case(scenario: "Scenario", name: str) -> "Case":
    """A scenario of which nothing was observed."""
    from district_sim.evidence.cases.files import Case

    start = scenario.run.start or 2000  # a run without a start shows no dates
    return Case(Path(name).stem, scenario.title, name, scenario, start, 1.0, (), {})


def label_of(scenario: "Scenario", name: str, drawn: "Posterior", paths: int, seed: int, quiet: bool) -> str:
    """The label of a scenario as a probability over draws and luck, and which parameters it hangs on."""
    import tempfile

    from district_sim.evidence.posterior.forecast import plan_of
    from district_sim.reports.forecast import label_words

    plan = plan_of(scenario_as_case(scenario, name), drawn, paths, {}, lucks=2, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        return label_words(_made(plan, Path(folder), None, None, False, quiet))
