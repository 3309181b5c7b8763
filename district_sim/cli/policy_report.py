"""`district-sim policy-report`: one HTML file on what policies change in a district."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.analysis import checked_outcomes, experiment_of, or_stop, runs_of
from district_sim.cli.common import (
    BAD_INPUT,
    QuartersOption,
    QuietOption,
    ScenarioArgument,
    WorkersOption,
    check_seed,
    clean_ends,
    complete_path,
    name_files,
    progress,
    resolve,
    stop,
    tell_effort,
    writing,
)
from district_sim.cli.compare import (
    ConfidenceOption,
    DayOption,
    EqualCostOption,
    IntervalOption,
    PoliciesOption,
    day_of,
    mixes_of,
)
from district_sim.cli.draws import DrawsOption, EvenSoOption, draws_of, posterior_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from district_sim.reports.policy_report.question import Question
    from district_sim.scenario.interventions import Instrument

OUTCOME = "value_added_local_late"

FileOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="The report, an .html file.")]
BriefOption = Annotated[
    bool, typer.Option("--brief", help="Two pages for those who decide in place of the report, and the same as PDF.")
]
ReplaceOption = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]
QuestionOption = Annotated[str, typer.Option("--question", metavar="TEXT", help="The question, in your words.")]
HeadlineOption = Annotated[
    str,
    typer.Option(
        "--outcome", metavar="NAME", help="Outcome of the verdict; NAME_late is the mean of the last 40 quarters."
    ),
]
RateOption = Annotated[float | None, typer.Option("--discount", metavar="RATE", help="Yearly discount rate (0.03).")]
BudgetOption = Annotated[
    int | None,
    typer.Option(
        "--sensitivity-runs",
        metavar="N",
        min=0,
        help="Runs to test how sensitive the verdict is (1500; with --brief 60 of each mix); 0 skips the test.",
    ),
]
UncertainOption = Annotated[
    str,
    typer.Option(
        "--parameters",
        metavar="A,B,...",
        help="Uncertain parameters: paths, sections, uncertain for what was fitted and what the policies use, or "
        "calibrated for all that we calibrated.",
    ),
]
UncertainRangeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--range",
        metavar="PATH=LOW:HIGH",
        help="Range of an uncertain parameter; by default its value ± 50 %. Repeat for several.",
        autocompletion=complete_path,
    ),
]


def policy_report(
    scenario: ScenarioArgument,
    out: FileOption,
    policies: PoliciesOption = None,
    equal_cost: EqualCostOption = None,
    discount: RateOption = None,
    discount_from: DayOption = None,
    outcome: HeadlineOption = OUTCOME,
    question: QuestionOption = "",
    replications: Annotated[int, typer.Option("--replications", metavar="N", min=2, help="Runs of each mix.")] = 50,
    sensitivity_runs: BudgetOption = None,
    parameters: UncertainOption = "uncertain",
    ranges: UncertainRangeOption = None,
    interval: IntervalOption = "t",
    confidence: ConfidenceOption = 0.95,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed; the same seed gives the same report.")] = 1000,
    quarters: QuartersOption = None,
    posterior: DrawsOption = None,
    even_so: EvenSoOption = False,
    workers: WorkersOption = None,
    brief: BriefOption = False,
    force: ReplaceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Report what policies change in a district, as one HTML file.

    Each policy mix is compared with no policy, under the same luck. The report
    gives a short answer, the district, outcomes with confidence bands, tail
    risk, the probability of each trajectory, who gains and who loses, the cost
    of each job kept, and the uncertain parameters that could change the
    verdict. With --posterior each replicate takes one draw of the parameters,
    the same under every policy: bands hold luck and parameters. All data and
    files needed to repeat it are inside. It works offline; print it for a PDF.
    With --brief two pages are written instead, as HTML and as PDF.

    [bold]Examples[/bold]

      district-sim policy-report fragmentation --policies rd_subsidy,it_brokers --equal-cost 20000 --out report.html
      district-sim policy-report decline --policies it_brokers --sensitivity-runs 0 --out brokers.html
      district-sim policy-report decline --policies rd_subsidy,export_platform --brief --out brief.html
      district-sim policy-report my_district.yaml --policies own --outcome employment --out own.html

    Exit code: 0 done, 1 could not write, 2 bad input, 3 done but some runs
    failed, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        check_seed(seed)
        if not 0.0 < confidence < 1.0:
            stop(f"--confidence must be above 0 and below 1, not {confidence:g}", BAD_INPUT)
        if len(checked_outcomes(outcome)) > 1:
            stop("--outcome must be one outcome", BAD_INPUT)
        asked = _question(
            scenario, policies or [], equal_cost, discount, discount_from, parameters, ranges or [], quarters,
            outcome=outcome, text=question, replications=replications, seed=seed, interval=interval,
            confidence=confidence, sensitivity_runs=sensitivity_runs, posterior=posterior, even_so=even_so, brief=brief,
        )  # fmt: skip
        files = [out.with_suffix(".html"), out.with_suffix(".pdf")] if brief and out.suffix == ".pdf" else [out]
        files += [out.with_suffix(".pdf")] if brief and out.suffix != ".pdf" else []
        for path in files:
            check_page(path, force, (".pdf",) if brief else ())
        _make(asked, files, workers, quiet)


# Input --------------------------------------------------------------------------------------------


def check_page(path: Path, force: bool, others: tuple[str, ...] = ()) -> None:
    """Find out that a page can be written before anything is simulated; `others`: endings allowed beside .html."""
    if path.suffix.lower() not in (".html", ".htm", *others):
        stop(f"--out {path}: this makes a web page; name a file that ends in .html", BAD_INPUT)
    try:
        if path.is_dir():
            stop(f"--out {path} is a folder; name a file in it", BAD_INPUT)
        if path.exists() and not force:
            stop(f"{path} exists; choose another --out, or replace it with --force", BAD_INPUT)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        stop(f"--out {path}: cannot be written: {error.strerror or error}", BAD_INPUT)


def _question(
    name: str,
    policies: list[str],
    equal_cost: float | None,
    discount: float | None,
    discount_from: str | None,
    parameters: str,
    ranges: list[str],
    quarters: int | None,
    posterior: Path | None,
    even_so: bool,
    sensitivity_runs: int | None,
    **plain: Any,
) -> "Question":
    """Everything resolved and checked."""
    from district_sim.experiments import costs
    from district_sim.experiments.ranges import parse_range
    from district_sim.reports.policy_report.question import Question, default_runs
    from district_sim.reports.policy_report.uncertain import Uncertain, of_posterior, uncertain
    from district_sim.scenario.files import own_words
    from district_sim.scenario.policy_files import NONE, laid_over, named_files

    rate = costs.DISCOUNT if discount is None else discount
    if not 0.0 <= rate <= 1.0:
        stop(f"--discount must be between 0 and 1 a year, not {rate:g}", BAD_INPUT)
    if equal_cost is not None and not 0.0 < equal_cost <= 1e9:
        stop(f"--equal-cost must be above 0 and at most 1,000,000,000 k€, not {equal_cost:g}", BAD_INPUT)
    district = resolve(name, [], quarters)
    since, day = day_of(discount_from, district.run.calendar)
    given = [text.strip() for entry in policies for text in entry.split(",")]
    mixes: dict[str, tuple[Instrument, ...]] = {NONE: (), **mixes_of(given, {name: district})}
    if len(mixes) < 2:
        stop("--policies: name at least one policy to compare with none", BAD_INPUT)
    if equal_cost is not None:
        mixes = costs.equalised(mixes, equal_cost, district.run.quarters, rate, since)
    mixes = {mix: laid_over(district, items).policies for mix, items in mixes.items()}
    bare = laid_over(district, ())
    options = _options(
        given,
        equal_cost,
        rate,
        discount_from,
        parameters,
        ranges,
        quarters,
        posterior,
        even_so,
        sensitivity_runs,
        plain,
    )
    plain["sensitivity_runs"] = (
        default_runs(plain["brief"], len(mixes)) if sensitivity_runs is None else sensitivity_runs
    )
    names = _titled(mixes, given)
    by_name = {_stem(text): named_files(text) for text in given}
    varied = Uncertain((), "")
    draws = draws_of(
        posterior, even_so, plain["replications"], plain["seed"], {name: bare.model_dump(mode="json")}, quiet=True
    )
    if draws is not None:
        varied = of_posterior(bare, draws)
    elif plain["sensitivity_runs"]:
        varied = uncertain(name, bare, mixes.values(), parameters, dict(parse_range(text) for text in ranges))
    asked = Question(
        name=name,
        scenario=bare,
        words=own_words(name),
        mixes={title: mixes[mix] for title, mix in names.items()},
        names=names,
        files={title: by_name.get(mix, ()) for title, mix in names.items()},
        discount=rate,
        since=since,
        day=day,
        equal_cost=equal_cost,
        uncertain=varied,
        draws=draws,
        options=options,
        warning="" if posterior is None else posterior_of(posterior, even_so).warning,
        **plain,
    )
    _ = asked.plan  # enough runs
    return asked


def _stem(text: str) -> str:
    """What `mixes_of` calls a mix."""
    return "+".join(Path(part.strip()).stem for part in text.split("+"))


def _titled(mixes: "Mapping[str, object]", given: list[str]) -> dict[str, str]:
    """Title of each mix to its name; a title that two have is told apart by their names."""
    from district_sim.scenario.policy_files import mix_title

    texts = {_stem(text): text for text in given}
    titles = [mix_title(texts.get(mix, mix)) for mix in mixes]
    return {
        title if titles.count(title) == 1 else f"{title} ({mix})": mix for title, mix in zip(titles, mixes, strict=True)
    }


def _options(
    policies: list[str],
    equal_cost: float | None,
    discount: float,
    discount_from: str | None,
    parameters: str,
    ranges: list[str],
    quarters: int | None,
    posterior: Path | None,
    even_so: bool,
    tests: int | None,
    plain: dict[str, Any],
) -> tuple[tuple[str, ...], ...]:
    """The options that make the same report again, all that decide numbers written out.

    A brief's default number of tests is left out: without --brief the same command has that of a report.
    """
    from district_sim.reports.policy_report.question import default_runs

    made: list[tuple[str, ...]] = [("--policies", ",".join(policies))]
    made += [] if equal_cost is None else [("--equal-cost", repr(equal_cost).removesuffix(".0"))]
    made += [("--discount", repr(discount))]
    made += [] if discount_from is None else [("--discount-from", discount_from)]
    made += [("--outcome", plain["outcome"])]
    made += [("--question", plain["text"])] if plain["text"] else []
    for name in ("replications", "interval", "confidence", "seed"):
        made.append((f"--{name}", str(plain[name])))
    if posterior is None:
        told = default_runs(False, 0) if tests is None and not plain["brief"] else tests
        made += [] if told is None else [("--sensitivity-runs", str(told))]
        made += [("--parameters", parameters)] if told != 0 else []
    made += [("--range", text) for text in ranges]
    made += [] if quarters is None else [("--quarters", str(quarters))]
    made += [] if posterior is None else [("--posterior", str(posterior))]
    made += [("--even-so",)] if even_so else []
    made += [("--brief",)] if plain["brief"] else []
    return (*made, ("--out", "brief.html" if plain["brief"] else "report.html"))


# Making -------------------------------------------------------------------------------------------


def _tell(asked: "Question", workers: int | None, quiet: bool) -> None:
    """Say how many runs are made and how long that takes, if that is long; ends if they do not fit into memory."""
    from district_sim.run.effort import effort_of, together
    from district_sim.run.workers import cores

    own, tests = asked.runs
    effort = together([effort_of(asked.scenario)], own + tests, workers or cores())
    what = f"{own + tests:,} runs"
    what += f", {own:,} for the report and {tests:,} to test what the verdict hangs on" if tests else ""
    tell_effort(effort, what, "; try fewer --workers or a smaller district", quiet)


def _make(asked: "Question", files: list[Path], workers: int | None, quiet: bool) -> None:
    from district_sim.reports.policy_report.gather import SENSITIVITY, experiment_fields, gather
    from district_sim.reports.policy_report.write import write_brief, write_report

    experiment = experiment_of(**experiment_fields(asked))
    own, tests = asked.runs
    _tell(asked, workers, quiet)
    with progress(own + tests, quiet, "runs", compiles=False) as advance:

        def of_the_report(what: str, _: int, done: int, __: int) -> None:
            advance(what, 0, done)

        def beside(what: str, done: int, _: int) -> None:
            advance(what, own, done if what == SENSITIVITY else 0)

        with runs_of(experiment, None, quiet, workers, of_the_report) as results:
            found = or_stop(lambda: gather(asked, results, workers, beside))
        path, *others = files
        writing(path, lambda: write_brief(found, path, others[0]) if others else write_report(found, path))
        if not quiet:
            typer.echo(found.verdict.headline)
            for line in found.verdict.details:
                typer.echo(f"  {line}")
            name_files(files)
