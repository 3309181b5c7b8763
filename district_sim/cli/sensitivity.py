"""`district-sim sensitivity` and `discover`: which parameters matter, and which conditions lead where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.analysis import (
    FolderOption,
    checked_outcomes,
    end,
    experiment_of,
    folder_for,
    or_stop,
    report,
    runs_of,
)
from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    JsonOption,
    QuartersOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    WorkersOption,
    check_seed,
    clean_ends,
    complete_path,
    complete_trajectory,
    data_set,
    each_once,
    make_runs,
    resolve,
    stop,
    writing,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from district_sim.experiments import Experiment
    from district_sim.experiments.ranges import Parameter
    from district_sim.text.sheet import Sheet

ParametersOption = Annotated[
    str, typer.Option("--parameters", metavar="A,B,...", help="Paths, sections such as market, or all.")
]
RangeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--range",
        metavar="PATH=LOW:HIGH",
        help="Range of one parameter; by default its value ± 50 %. Repeat for several.",
        autocompletion=complete_path,
    ),
]


OutcomeOption = Annotated[
    str,
    typer.Option("--outcome", metavar="NAME", help="Indicator, NAME_late (mean of the last 40 quarters) or a score."),
]
MorrisOption = Annotated[int, typer.Option("--morris", metavar="N", min=0, help="Paths of the screening; 0 skips it.")]
SobolOption = Annotated[
    int, typer.Option("--sobol", metavar="N", min=0, help="Base sample, a power of two; 0 skips the indices.")
]
TopOption = Annotated[int, typer.Option("--top", metavar="K", min=1, help="Parameters to keep after the screening.")]
AveragedOption = Annotated[int, typer.Option("--replications", metavar="N", min=1, help="Runs averaged at each point.")]


def sensitivity(
    scenario: ScenarioArgument,
    outcome: OutcomeOption = "employment",
    parameters: ParametersOption = "strategy",
    ranges: RangeOption = None,
    morris: MorrisOption = 20,
    sobol: SobolOption = 256,
    top: TopOption = 6,
    replications: AveragedOption = 5,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    workers: WorkersOption = None,
    out: FolderOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find the parameters that matter to an outcome, and how much.

    The first step screens all k parameters (Morris, N (k + 1) points). The
    second computes Sobol' indices of the K most influential ones (N (K + 2)
    points). A number varies from half to one and a half times its value, within
    its allowed range. A switch takes both values. --range sets another range.
    DIR receives the runs of both steps, tables and figures. Another --outcome
    reuses the screening.

    [bold]Examples[/bold]

      district-sim sensitivity baseline --outcome employment --out sensitivity
      district-sim sensitivity baseline --parameters market,ties --morris 10 --sobol 0
      district-sim sensitivity baseline --parameters all --morris 30 --replications 10 --out all
      district-sim sensitivity baseline --morris 0 --parameters world --range ownership.takeover_price=0:90

    Exit code: 0 done, 1 the outcome does not vary or could not write, 2 bad
    input, 3 done but some runs failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        check_seed(seed)
        if len(checked_outcomes(outcome)) > 1:
            stop("--outcome must be one outcome; repeat the command for another", BAD_INPUT)
        chosen, left_out = _parameters(resolve(scenario, [], quarters), parameters, ranges or [])
        if not morris and not sobol:
            stop("--morris 0 and --sobol 0 leave nothing to do", BAD_INPUT)
        if morris == 1 or (sobol and (sobol < 4 or sobol & (sobol - 1))):
            stop("--morris must be at least 2 and --sobol a power of two of at least 4 (each may be 0)", BAD_INPUT)
        fields = {"scenarios": [scenario], "replications": replications, "seed": seed, "quarters": quarters}
        study = _Study(outcome, fields, out, quiet, workers)
        if morris:
            chosen = study.screen(chosen, morris, _left_out_note(left_out), top)
        if sobol:
            study.share_out(chosen, sobol)
        record = {"scenario": scenario, "outcome": outcome, "seed": seed, "replications": replications}
        record |= {"left_out": left_out, **study.record()}
        written: list[Path] = []
        if out is not None:
            from district_sim.reports import sensitivity as reports

            made = writing(out, lambda: reports.write_sensitivity(outcome, study.indices, study.sheets, record, out))
            written = [*made, *(path for folder in study.folders for path in data_set(folder))]
        report(list(study.sheets.values()), record, written, as_json, quiet)
        end(study.failed, out)


TrajectoryOption = Annotated[
    str,
    typer.Option(
        "--trajectory",
        metavar="NAME",
        help="Trajectory to explain, for example learning_region.",
        autocompletion=complete_trajectory,
    ),
]
SamplesOption = Annotated[int, typer.Option("--samples", metavar="N", min=20, help="Points of the Latin hypercube.")]
DensityOption = Annotated[
    float, typer.Option("--density", metavar="P", min=0.0, max=1.0, help="Share of cases to reach in each box.")
]
BoxesOption = Annotated[int, typer.Option("--boxes", metavar="N", min=1, help="Maximum number of boxes.")]


def discover(
    scenario: ScenarioArgument,
    trajectory: TrajectoryOption,
    parameters: ParametersOption = "strategy",
    ranges: RangeOption = None,
    samples: SamplesOption = 500,
    replications: Annotated[int, typer.Option("--replications", metavar="N", min=1, help="Runs at each point.")] = 3,
    density: DensityOption = 0.8,
    boxes: BoxesOption = 3,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    workers: WorkersOption = None,
    out: FolderOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find the conditions that lead to a trajectory, as readable boxes (PRIM).

    Parameters are drawn from a Latin hypercube. A point is a case if at least
    half of its runs have the trajectory. Each box reports the share of all
    cases in it (coverage), the share of its points that are cases (density),
    and for each condition the probability that chance does as well (quasi-p).
    Ranges are as in sensitivity. Needs: pip install 'district-sim\\[discover]'

    [bold]Examples[/bold]

      district-sim discover baseline --trajectory fragmentation --out fragmenting
      district-sim discover baseline --trajectory decline --parameters world,market --samples 1000 --json
      district-sim discover baseline --trajectory decline --parameters world --range ownership.takeover_price=0:90

    Exit code: 0 done, 1 nothing to explain or could not write, 2 bad input, 3
    done but some runs failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        check_seed(seed)
        _check_trajectory(trajectory)
        chosen, left_out = _parameters(resolve(scenario, [], quarters), parameters, ranges or [])
        from district_sim.experiments import discover as search
        from district_sim.reports import sensitivity as reports

        _check_extra()
        experiment = experiment_of(
            name="discover", scenarios=[scenario], vary={parameter.path: parameter.vary() for parameter in chosen},
            design="latin_hypercube", samples=samples, replications=replications, seed=seed, quarters=quarters,
        )  # fmt: skip
        with runs_of(experiment, out, quiet, workers) as results:
            cases = search.cases_of(results.runs, trajectory, [parameter.path for parameter in chosen])
            try:
                found = search.find_boxes(cases, chosen, density=density, boxes=boxes)
            except ValueError as error:
                counts = ", ".join(f"{k} {v}" for k, v in results.runs["trajectory"].value_counts().items())
                stop(f"{trajectory}: {error}; there is nothing to explain (runs: {counts})", FAILED)
            record = {"scenario": scenario, "trajectory": trajectory, "seed": seed, "replications": replications}
            record |= {"points": len(cases), "cases": int(cases["case"].sum()), "left_out": left_out}
            record["boxes"] = [box.as_dict() for box in found]
            sheet = reports.boxes(found, trajectory, _boxes_note(record, density) + _left_out_note(left_out))
            written: list[Path] = []
            if out is not None:
                made = writing(out, lambda: reports.write_boxes(cases, found, trajectory, sheet, record, out))
                written = [*made, *data_set(out)]
            report([sheet], record, written, as_json, quiet)


# Input --------------------------------------------------------------------------------------------


def _check_trajectory(name: str) -> None:
    from district_sim.run.trajectories import Trajectory
    from district_sim.scenario.suggestions import suggest

    known = [trajectory.value for trajectory in Trajectory]
    if name not in known:
        hint = suggest(name, known)
        stop(f"there is no trajectory {name!r}{hint} (known: {', '.join(known)})", BAD_INPUT)


def _check_extra() -> None:
    from district_sim.experiments.discover import library

    try:
        library()
    except ImportError as error:
        stop(str(error), FAILED)


def _parameters(scenario: Any, names: str, ranges: list[str]) -> "tuple[list[Parameter], dict[str, str]]":
    from district_sim.experiments.ranges import choose, parse_range

    given = each_once("--range", [parse_range(text) for text in ranges])
    return choose(scenario, [name.strip() for name in names.split(",") if name.strip()], given)


# Steps --------------------------------------------------------------------------------------------


@dataclass
class _Study:
    """A sensitivity study: its runs and its results."""

    outcome: str
    fields: dict[str, Any]
    """What all experiments of the study have in common."""
    out: Path | None
    quiet: bool
    workers: int | None
    indices: "dict[str, pd.DataFrame]" = field(default_factory=dict)
    sheets: "dict[str, Sheet]" = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    """Where the runs are."""
    failed: int = 0

    def screen(self, parameters: "list[Parameter]", trajectories: int, note: str, top: int) -> "list[Parameter]":
        """Morris' screening; returns the parameters with the greatest effects."""
        from district_sim.experiments.points import unit_sample
        from district_sim.experiments.sensitivity import morris_indices, most_influential
        from district_sim.reports import sensitivity as reports

        vary = {parameter.path: parameter.vary() for parameter in parameters}
        design = experiment_of(name="morris", vary=vary, design="morris", samples=trajectories, **self.fields)
        values = self._values(design)
        table = morris_indices(parameters, unit_sample(design), values, design.seed)
        note = f"{note}Change of the outcome over the whole range of a parameter; ±: 95 % interval of μ*."
        self.indices["morris"], self.sheets["morris"] = table, reports.morris(table, self.outcome, note)
        return most_influential(table, parameters, top)

    def share_out(self, parameters: "list[Parameter]", base: int) -> None:
        """Sobol' indices."""
        from district_sim.experiments.sensitivity import saltelli_sample, sobol_indices
        from district_sim.reports import sensitivity as reports

        columns = saltelli_sample(parameters, base, self.fields["seed"])
        design = experiment_of(name=f"sobol-{self.outcome}", vary=columns, design="list", **self.fields)
        table = sobol_indices(parameters, self._values(design), design.seed)
        note = "S1: share of the variance due to a parameter alone; ST: including its interactions; ±: 95 % interval."
        self.indices["sobol"], self.sheets["sobol"] = table, reports.sobol(table, self.outcome, note)

    def record(self) -> dict[str, Any]:
        """The indices, ready for JSON."""
        from district_sim.experiments.compare import records

        return {name: records(table) for name, table in self.indices.items()}

    def _values(self, design: "Experiment") -> "np.ndarray":
        """The outcome at each point of a design, whose runs go into a folder of its name."""
        from district_sim.experiments import Results
        from district_sim.experiments.sensitivity import means_at_points

        with folder_for(self.out / design.name if self.out is not None else None) as folder:
            summary = make_runs(design, folder, self.quiet, workers=self.workers, kept=self.out is not None)
            self.failed += summary.counts.failed
            self.folders.append(folder)
            results = Results(folder)
            return or_stop(lambda: means_at_points(results.runs, self.outcome, len(results.points)))


# Output -------------------------------------------------------------------------------------------


def _left_out_note(left_out: Mapping[str, str]) -> str:
    if not left_out:
        return ""
    zero = [path for path, reason in left_out.items() if reason.startswith("is 0")]
    other = [path for path in left_out if path not in zero]
    parts = [f"0 in the scenario, so --range is needed: {', '.join(zero)}"] if zero else []
    parts += [f"cannot be varied alone: {', '.join(other)}"] if other else []
    return f"Left out: {'; '.join(parts)}. "


def _boxes_note(record: Mapping[str, Any], density: float) -> str:
    note = f"{record['cases']} of {record['points']} points are cases. quasi-p: probability that chance does as well. "
    if not record["boxes"]:
        return f"{note}No condition makes the trajectory more common than by chance. "
    if not all(box["dense_enough"] for box in record["boxes"]):
        note += f"Not every box reaches a density of {density:g}. "
    return note
