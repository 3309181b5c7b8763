"""`district-sim compare` and `map`: scenarios side by side, and trajectories over two parameters."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from district_sim.cli.analysis import FolderOption, checked_outcomes, experiment_of, or_stop, report, runs_of
from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    JsonOption,
    QuartersOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    check_seed,
    clean_ends,
    complete_path,
    complete_policy,
    complete_scenario,
    data_set,
    resolve,
    stop,
    varied,
    writing,
)
from district_sim.cli.draws import DrawsOption, EvenSoOption, draws_of
from district_sim.cli.sensitivity import discover, sensitivity

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments import Results
    from district_sim.figures import Mark
    from district_sim.scenario.calendar import Calendar
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.sections import Scenario
    from district_sim.text.sheet import Sheet

OUTCOMES = (
    "employment,firms,value_added_local,wage,productivity,unemployment,gini,mne_turnover_share,trust,"
    "local_purchases,absorptive_capacity,participation"
)


ScenarioArguments = Annotated[
    list[str],
    typer.Argument(
        metavar="SCENARIO",
        help="Scenarios to compare; the first is the counterfactual.",
        autocompletion=complete_scenario,
    ),
]
PoliciesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policies",
        metavar="MIX,...",
        help="Policy mixes: none, own, policies joined by +, or a scenario whose policies to use.",
        autocompletion=complete_policy,
    ),
]
OutcomesOption = Annotated[
    str,
    typer.Option(
        "--outcomes",
        metavar="A,B,...",
        help="Indicators to compare; NAME_late is the mean of the last 40 quarters.",
        show_default=False,
    ),
]
EqualCostOption = Annotated[
    float | None,
    typer.Option("--equal-cost", metavar="K€", help="Scale the budgets so that every mix has this present value."),
]
DiscountOption = Annotated[
    float | None,
    typer.Option(
        "--discount", metavar="RATE", help="Yearly discount rate (0.03); also report cost per euro and per job."
    ),
]
DayOption = Annotated[
    str | None,
    typer.Option(
        "--discount-from",
        metavar="DATE",
        help="Present values on this day: 2012, 2012Q3 or a quarter; by default the first.",
    ),
]
ConfidenceOption = Annotated[
    float, typer.Option("--confidence", metavar="P", help="Confidence level of the intervals.")
]
IntervalOption = Annotated[Literal["t", "bootstrap"], typer.Option("--interval", help="Method for the intervals.")]


def compare(
    scenarios: ScenarioArguments,
    policies: PoliciesOption = None,
    equal_cost: EqualCostOption = None,
    discount: DiscountOption = None,
    discount_from: DayOption = None,
    overrides: SetOption = None,
    outcomes: OutcomesOption = OUTCOMES,
    replications: Annotated[
        int, typer.Option("--replications", metavar="N", min=2, help="Runs of each scenario and mix.")
    ] = 20,
    interval: IntervalOption = "t",
    confidence: ConfidenceOption = 0.95,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    posterior: DrawsOption = None,
    even_so: EvenSoOption = False,
    workers: WorkersOption = None,
    out: FolderOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare scenarios or policy mixes under the same luck.

    Runs are paired by replicate. The tables show mean differences with
    intervals, effect sizes and corrected p-values, the probability of each
    trajectory, and the trajectories of the same replicates under both.
    --equal-cost scales every mix to the same present value on the first day and
    puts the mix none first. It also reports what was spent and what each euro
    changed. With --posterior each replicate also takes one draw of the
    parameters, the same everywhere, so that intervals hold luck and parameters.
    DIR receives the runs, tables for papers (Markdown, LaTeX) and figures of
    differences, bands over time and transitions.

    [bold]Examples[/bold]

      district-sim compare baseline learning_region
      district-sim compare baseline fragmentation decline --replications 50 --out compared
      district-sim compare learning_region --policies none --policies own --interval bootstrap
      district-sim compare decline --policies rd_subsidy,it_brokers --equal-cost 2000
      district-sim compare baseline my_district.yaml --outcomes employment,wage_late --json
      district-sim compare decline --policies none,own --set world.globalisation=1.5

    Exit code: 0 done, 1 could not write, 2 bad input, 3 done but some runs
    failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        from district_sim.scenario.files import changes_of, load_scenario

        check_seed(seed)
        wanted = checked_outcomes(outcomes)
        if not 0.0 < confidence < 1.0:
            stop(f"--confidence must be above 0 and below 1, not {confidence:g}", BAD_INPUT)
        changes = changes_of(overrides or [])
        loaded = {name: load_scenario(name, changes) for name in scenarios}
        mixes = mixes_of(policies or [], loaded)
        costs = _Costs.of(equal_cost, discount, discount_from, mixes, loaded[scenarios[0]], quarters)
        mixes = costs.mixes if costs is not None else mixes
        if len(set(scenarios)) * max(1, len(mixes)) < 2:
            stop("name at least two scenarios or two --policies to compare", BAD_INPUT)
        if quarters is None:
            _check_lengths(loaded)
        draws = draws_of(posterior, even_so, replications, seed, _plain(loaded), changes, quiet)
        experiment = experiment_of(
            name="compare", scenarios=scenarios, policies=mixes, set=changes, replications=replications, seed=seed,
            quarters=quarters, keep=_kept(out is not None, costs is not None, _waiting(loaded, mixes)),
            draws=None if draws is None else draws.without(changes),
        )  # fmt: skip
        with runs_of(experiment, out, quiet, workers) as results:
            sheets, record, written = _compared(results, wanted, interval, confidence, costs, out)
            report(sheets, record, written, as_json, quiet)


def _compared(
    results: "Results",
    wanted: list[str],
    interval: Literal["t", "bootstrap"],
    confidence: float,
    costs: "_Costs | None",
    out: Path | None,
) -> "tuple[list[Sheet], dict[str, Any], list[Path]]":
    """What the runs of a comparison say: tables, the same for JSON, and the files written."""
    from district_sim.experiments import compare as statistics
    from district_sim.reports import compare as reports

    titles = {name: str(data["title"]) for name, data in results.resolved.items()}
    names, seed = statistics.cell_names(results.runs, titles), results.experiment.seed
    window = statistics.Window.of(int(results.runs["quarters"].max()), results.calendar)
    how: Any = {"interval": interval, "confidence": confidence, "seed": seed, "names": names, "window": window}
    found = or_stop(lambda: statistics.compare(results.runs, wanted, **how))
    sheets = list(reports.sheets(found).values())
    record = {"seed": seed, "replications": results.experiment.replications, **found.as_dict()}
    written: list[Path] = []
    if costs is not None:
        spent = costs.table(results, names, confidence, seed)
        sheet = reports.costs(spent, costs.discount, confidence, costs.day, costs.rules)
        sheets.append(sheet)
        record["discount"], record["costs"] = costs.discount, statistics.records(spent)
        if out is not None:
            written += writing(out, lambda: reports.write_costs(spent, sheet, out))
    if results.experiment.keep.spending:
        moves = statistics.moved(results.spending, names, _mixes(results, names))
        sheet = reports.signposts(moves, results.calendar)
        sheets.append(sheet)
        record["signposts"] = statistics.records(moves)
        if out is not None:
            written += writing(out, lambda: reports.write_signposts(moves, sheet, out))
    if out is not None:
        from district_sim.figures import BAND_INDICATORS

        over_time = statistics.bands(results.series, BAND_INDICATORS, names)
        written = [
            *writing(out, lambda: reports.write_comparison(found, over_time, record, out, results.calendar)),
            *written,
            *data_set(out),
        ]
    return sheets, record, written


def _mixes(results: "Results", names: Mapping[int, str]) -> "dict[str, tuple[Instrument, ...]]":
    """The instruments of each cell."""
    from district_sim.scenario.interventions import Instrument

    return {
        names[point.index]: tuple(
            Instrument.model_validate(item) for item in results.bases[point.scenario, point.policies]["policies"]
        )
        for point in results.points
    }


def map_of_futures(
    scenario: ScenarioArgument,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="PATH=VALUES",
            help="Values START:STOP:COUNT or a,b,c. Give it twice: first across, then upwards.",
            autocompletion=complete_path,
        ),
    ],
    replications: Annotated[int, typer.Option("--replications", metavar="N", min=1, help="Runs at each point.")] = 5,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    posterior: DrawsOption = None,
    even_so: EvenSoOption = False,
    workers: WorkersOption = None,
    out: FolderOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a map of futures: which trajectory at which values of two parameters.

    The runs at each point are counted by trajectory. Lines separate the regions,
    mixed points are striped, and labels mark the bundled scenarios at their own
    two values. With --posterior each replicate takes one draw of the other
    parameters, the same at every point. DIR receives the runs, map.csv and the
    figure.

    [bold]Examples[/bold]

      district-sim map baseline --vary ownership.takeover_price=0:90:7 --vary world.globalisation=0:1.5:7
      district-sim map learning_region --vary knowledge.interaction=0,0.5,1 --vary mechanisms.policy=false,true

    Exit code: 0 done, 1 could not write, 2 bad input, 3 done but some runs
    failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        check_seed(seed)
        axes = dict(varied(text) for text in vary)
        if len(axes) != 2 or len(vary) != 2:
            stop("--vary must be given twice, for two different parameters", BAD_INPUT)
        plain = _plain({scenario: resolve(scenario, [], quarters)})
        experiment = experiment_of(
            name="map", scenarios=[scenario], vary=axes, replications=replications, seed=seed, quarters=quarters,
            draws=draws_of(posterior, even_so, replications, seed, plain, axes, quiet),
        )  # fmt: skip
        with runs_of(experiment, out, quiet, workers) as results:
            from district_sim.experiments.compare import records
            from district_sim.reports import compare as reports

            x, y = experiment.vary
            runs = results.runs[results.runs["status"] == "done"]
            cells = _cells(runs, x, y)
            if len(cells) < len(results.points):
                stop(f"{len(results.points) - len(cells)} points have no finished run", FAILED)
            record = {"scenario": scenario, "seed": seed, "replications": replications, "x": x, "y": y}
            record["cells"] = records(cells)
            written: list[Path] = []
            if out is not None:
                labels = (_axis_label(results, x), _axis_label(results, y))
                marks = _marks(scenario, x, y)
                made = writing(out, lambda: reports.write_map(runs, cells, (x, y), labels, marks, out))
                written = [*made, *data_set(out)]
            report([reports.map_of_futures(cells, x, y)], record, written, as_json, quiet)


COMMANDS: dict[str, Callable[..., None]] = {
    "compare": compare,
    "sensitivity": sensitivity,
    "map": map_of_futures,
    "discover": discover,
}
"""Names and functions of the commands, in the order of the help; the package registers them."""


def _plain(scenarios: "Mapping[str, Scenario]") -> dict[str, Any]:
    """The scenarios as plain data, by name."""
    return {name: scenario.model_dump(mode="json") for name, scenario in scenarios.items()}


# Policies -----------------------------------------------------------------------------------------


def _check_lengths(scenarios: "Mapping[str, Scenario]") -> None:
    """Runs of different lengths have no common last quarter to compare."""
    lengths = {name: scenario.run.quarters for name, scenario in scenarios.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        stop(f"the scenarios differ in length ({shown} quarters); set one length with --quarters", BAD_INPUT)


def mixes_of(given: list[str], scenarios: "Mapping[str, Scenario]", option: str = "--policies") -> dict[str, Any]:
    """Policy mixes by name, in the order given to an option; see `policy_files`.

    Args:
        scenarios: over which they are laid, by name.
    """
    from district_sim.scenario.calendar import is_dated
    from district_sim.scenario.policy_files import NONE, OWN, on_calendar, policy_mix

    loaded = list(scenarios.values())
    mixes: dict[str, Any] = {}
    for text in [part.strip() for entry in given for part in entry.split(",")]:
        if OWN in text.split("+") and len(scenarios) > 1:
            stop(
                f"{option} own needs a single scenario; instead of own, name the scenario whose policies to use",
                BAD_INPUT,
            )
        parts = [part.strip() for part in text.split("+")]
        for part in parts:
            if part not in (NONE, OWN) and Path(part).stem in (NONE, OWN):
                meant = "no policies" if Path(part).stem == NONE else "the scenario's own policies"
                stop(f"{option} {part}: {Path(part).stem} means {meant}; rename the file", BAD_INPUT)
        name = "+".join(Path(part).stem for part in parts)
        if name in mixes:
            stop(f"{option} {text}: there are two mixes called {name}", BAD_INPUT)
        own = loaded[0].policies if len(scenarios) == 1 else None
        mix = policy_mix(text, own)
        if any(is_dated(when) for item in mix for when in (item.start, item.end)):
            if len({scenario.run.start for scenario in loaded}) > 1:
                stop(f"{option} {text}: it has dates, and the scenarios do not begin at the same one", BAD_INPUT)
            mix = on_calendar(mix, loaded[0])
        mixes[name] = mix
    return mixes


def _kept(kept: bool, with_costs: bool, waiting: bool) -> dict[str, Any]:
    """How much is needed beside outcomes: series, every quarter for present values; instruments that wait."""
    return ({"every": 1} if with_costs else {"every": 4} if kept else {}) | ({"spending": True} if waiting else {})


def _waiting(scenarios: "Mapping[str, Scenario]", mixes: Mapping[str, Any]) -> bool:
    """Whether any instrument has signposts."""
    laid = mixes.values() if mixes else [scenario.policies for scenario in scenarios.values()]
    return any(item.when for mix in laid for item in mix)


class _Costs(NamedTuple):
    """Mixes whose cost to report, and how."""

    mixes: dict[str, Any]
    planned: dict[str, float]
    """Present value of the budgets by mix, NaN where a budget is a share of turnover."""
    in_all: dict[str, float]
    """Their sum, not discounted."""
    discount: float
    since: int
    """The quarter on whose first day present values are taken."""
    day: str
    """The same in words."""
    rules: str
    """What each mix may spend a quarter, in words."""

    @classmethod
    def of(
        cls,
        equal_cost: float | None,
        discount: float | None,
        discount_from: str | None,
        mixes: dict[str, Any],
        first: "Scenario",
        quarters: int | None,
    ) -> "_Costs | None":
        """None unless --equal-cost, --discount or --discount-from is given."""
        from district_sim.experiments import costs
        from district_sim.scenario.policy_files import NONE

        if equal_cost is None and discount is None and discount_from is None:
            return None
        rate = costs.DISCOUNT if discount is None else discount
        if not 0.0 <= rate <= 1.0:
            stop(f"--discount must be between 0 and 1 a year, not {rate:g}", BAD_INPUT)
        if equal_cost is not None and not 0.0 < equal_cost <= 1e9:
            stop(f"--equal-cost must be above 0 and at most 1,000,000,000 k€, not {equal_cost:g}", BAD_INPUT)
        if not mixes:
            stop("--equal-cost and --discount need --policies to compare", BAD_INPUT)
        length = first.run.quarters if quarters is None else quarters
        since, day = day_of(discount_from, first.run.calendar)
        if equal_cost is not None:
            mixes = costs.equalised({NONE: (), **mixes}, equal_cost, length, rate, since)
        planned = {name: costs.budget_value(mix, length, rate, since) for name, mix in mixes.items()}
        in_all = {name: costs.budget_value(mix, length, 0.0) for name, mix in mixes.items()}
        rules = costs.rules_of(mixes, length, first.run.calendar)
        return cls(mixes, planned, in_all, rate, since, day, rules)

    def table(self, results: "Results", names: dict[int, str], confidence: float, seed: int) -> "pd.DataFrame":
        """See `costs.cost_table`; the counterfactual is the same scenario with the first mix."""
        from district_sim.experiments.costs import cost_table

        planned = {point.index: self.planned[point.policies] for point in results.points}
        first: dict[str, int] = {}
        bases = {point.index: first.setdefault(point.scenario, point.index) for point in results.points}
        in_all = {point.index: self.in_all[point.policies] for point in results.points}
        return cost_table(
            results.series, names, bases, planned, self.discount, confidence, seed, since=self.since, in_all=in_all
        )


def day_of(given: str | None, calendar: "Calendar | None") -> tuple[int, str]:
    """The quarter that `--discount-from` names, and its first day in words; ends with a message if it is none."""
    from district_sim.experiments.design_files import plain_value
    from district_sim.scenario.calendar import MOST, WORDS, Calendar, is_dated

    if given is None:
        return 0, "on the first day"
    when = plain_value(given)
    try:
        if isinstance(when, bool | float):
            raise ValueError(f"must be {WORDS}")
        if calendar is None and is_dated(when):
            raise ValueError("is a date; say when the run begins (run.start: 2002)")
        quarter = (calendar or Calendar(0)).quarter(when)
        if abs(quarter) > MOST:
            raise ValueError(f"lies more than {MOST} quarters from the start of the run")
    except ValueError as error:
        stop(f"--discount-from {given}: {error}", BAD_INPUT)
    return quarter, f"at the beginning of {calendar.date(quarter) if calendar else f'quarter {quarter}'}"


# Maps ---------------------------------------------------------------------------------------------


def _cells(runs: "pd.DataFrame", x: str, y: str) -> "pd.DataFrame":
    """Runs by point of the plane: the majority, its share, and the share of each trajectory that occurs.

    Shares are of the runs that have a label; points where none has one have no majority.
    """
    import pandas as pd

    from district_sim.run.trajectories import Trajectory

    labelled = pd.crosstab([runs[x], runs[y]], runs["trajectory"], normalize="index")
    labelled = labelled[[trajectory.value for trajectory in Trajectory if trajectory.value in labelled]]
    table = pd.DataFrame({"majority": labelled.idxmax(axis=1), "share": labelled.max(axis=1)}).join(labelled)
    everywhere = runs[[x, y]].drop_duplicates().sort_values([x, y])
    return table.reindex(pd.MultiIndex.from_frame(everywhere)).reset_index()


def _axis_label(results: "Results", path: str) -> str:
    import textwrap

    unit, text = results.notes(path)
    measure = f" [{unit}]" if unit not in ("", "1") else ""
    return "\n".join(textwrap.wrap(f"{path}: {text}{measure}", 80))


def _marks(scenario: str, x: str, y: str) -> "list[Mark]":
    """The bundled scenarios, and the one that was varied, by their values of two parameters where they have them."""
    from district_sim.figures import Mark
    from district_sim.scenario.files import load_scenario, scenario_names
    from district_sim.scenario.paths import value_at

    marks = []
    for name in dict.fromkeys([scenario, *scenario_names()]):
        data = load_scenario(name).model_dump(mode="json")
        found = [value_at(data, path) for path in (x, y)]
        if None not in found:
            marks.append(Mark(name, *found))
    return marks
