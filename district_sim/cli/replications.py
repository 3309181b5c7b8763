"""`district-sim replicate`: test published results again."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    FAILED,
    Commands,
    ForceOption,
    Group,
    JsonOption,
    OutOption,
    QuietOption,
    check_folder,
    check_seed,
    clean_ends,
    name_files,
    progress,
    stderr,
    stdout,
    stop,
    tell_effort,
    writing,
)
from district_sim.cli.hold_out import hold_out
from district_sim.evidence.replications import REPLICATIONS
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case
    from district_sim.evidence.replications.claims import Evidence

SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="Seed; the same seed gives the same numbers.")]
RunsOption = Annotated[
    int | None,
    typer.Option("--runs", metavar="N", min=1, help="Runs of each point; by default as many as the claims need."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Parallel worker processes; by default one per core."),
]


class _Own(NamedTuple):
    """A case of the user's."""

    case: "Case"
    measure: "Callable[..., Evidence]"

    def announce(self, seed: int, runs: int | None, workers: int | None, quiet: bool) -> None:
        """Say what will be run, and how long that takes where it is long."""
        from district_sim.evidence.cases.calibration import REPORT_SEEDS
        from district_sim.run.effort import effort_of, together
        from district_sim.run.workers import cores

        count, scenario, first = runs or len(REPORT_SEEDS), self.case.scenario, REPORT_SEEDS[0] + seed
        length = scenario.run.quarters
        span = self.case.calendar.span(length)
        what = f"{self.case.title or self.case.name}: {count} runs of {length} quarters, {span}"
        if not quiet:
            stderr().print(f"{what}, seeds {first} to {first + count - 1}.", highlight=False)
        effort = together([effort_of(scenario)], count, workers or cores())
        tell_effort(effort, f"{count} runs in all", "; try fewer --workers", quiet)


class _OrFile(Group):
    """A file of targets in place of a command is one for `targets`; what has `--hold-out` is for that command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        from district_sim.scenario.files import SUFFIXES

        if any(word.partition("=")[0] == f"--{HOLD_OUT}" for word in args) and args[0] != HOLD_OUT:
            args = [HOLD_OUT, *(args[1:] if args[0] == "targets" else args)]
        elif args and args[0].endswith(SUFFIXES):
            args = ["targets", *args]
        return super().parse_args(ctx, args)


HOLD_OUT = "hold-out"
replicate_app = Commands(cls=_OrFile, help="Test published results again: claim, source, target, measured value.")


@replicate_app.command("targets")
def replicate_targets(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your targets, such as my_district.targets.yaml.")],
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="SCENARIO", help="The district; by default the one that the file names."),
    ] = None,
    seed: SeedOption = 0,
    runs: RunsOption = None,
    workers: WorkersOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Hold a district of yours against what was observed of it.

    The file is that of calibrate; see docs/cases.md. `district-sim replicate
    FILE.yaml` is the same command. DIR receives what the bundled cases have:
    the table, the points as CSV and the paths with what was observed.

    [bold]Examples[/bold]

      district-sim replicate targets my_district.targets.yaml
      district-sim replicate targets my_district.targets.yaml --scenario my_district.yaml --out held

    Exit code: 0 all targets hit, 1 one is missed, 2 bad input.
    """
    with clean_ends():
        from district_sim.evidence.cases.files import read_case
        from district_sim.evidence.replications.cases import replicated

        case = read_case(file, scenario)

        def measured(seed: int, runs: int | None, tell: Any, workers: int | None) -> "Evidence":
            return replicated(case, seed, runs, tell, workers)

        _replicate([case.name], seed, runs, workers, out, force, as_json, quiet, _Own(case, measured))


replicate_app.command(HOLD_OUT)(hold_out)


@replicate_app.command("list")
def list_replications(as_json: JsonOption = False) -> None:
    """List the published results that can be replicated.

    [bold]Example[/bold]

      district-sim replicate list
    """
    if as_json:
        rows = [{"name": name, "title": r.title, "sources": r.sources} for name, r in REPLICATIONS.items()]
        typer.echo(json_text(rows))
        return
    from district_sim.text.sheet import Sheet

    lines = [(name, replication.title, replication.sources) for name, replication in REPLICATIONS.items()]
    note = "district-sim replicate NAME. Evaluations of policies: district-sim replicate policies"
    stdout().print(Sheet.plain("Replications", ("Name", "What", "Source"), lines, note, left=3).shown())


@replicate_app.command("all")
def replicate_all(
    seed: SeedOption = 0,
    runs: RunsOption = None,
    workers: WorkersOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run every replication of `replicate list`.

    This takes minutes. DIR receives replications.md and .json, and for each
    replication a table of points (CSV) and a figure.

    [bold]Examples[/bold]

      district-sim replicate all --out replications
      district-sim replicate all --runs 10 --json

    Exit code: 0 all claims hold, 1 a claim fails, 2 bad input.
    """
    _replicate(list(REPLICATIONS), seed, runs, workers, out, force, as_json, quiet)


@replicate_app.command("policies")
def replicate_policies(
    evaluations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE]...", help="Evaluations, bundled or your own; by default all bundled."),
    ] = None,
    seed: SeedOption = 0,
    runs: Annotated[
        int | None,
        typer.Option("--runs", metavar="N", min=2, help="Districts in which each evaluation is made; 40 by default."),
    ] = None,
    workers: WorkersOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Evaluations of policies, made again on simulated firms.

    Who was served, how much, how long, against whom it was compared: a file says
    it, and the same estimator (difference in differences, regression
    discontinuity) is used. The table shows what was published, what the
    estimator finds in the model, and what the programme really did there. DIR
    receives policies.md, .json, .csv and a figure. See docs/evaluations.md.
    Needs: pip install 'district-sim\\[evaluate]'

    [bold]Examples[/bold]

      district-sim replicate policies --out policies
      district-sim replicate policies bronzini_iachini --runs 10
      district-sim replicate policies my_evaluation.yaml --json

    Exit code: 0 all signs agree, 1 one differs, 2 bad input.
    """
    with clean_ends():
        from district_sim.evidence.evaluations.evaluate import evaluated, sheet
        from district_sim.evidence.evaluations.files import evaluation_names, read_evaluation

        check_seed(seed)
        plans = [read_evaluation(name) for name in evaluations or evaluation_names()]
        if out is not None:
            check_folder(out, force)
        with progress(None, quiet, "districts", compiles=True) as advance:
            try:
                found = evaluated(plans, seed, runs, lambda done, all_: advance("policies", 0, done, all_), workers)
            except ImportError as error:
                stop(str(error), FAILED)
        written: list[Path] = []
        if out is not None:
            from district_sim.reports.evaluations import write_evaluations

            written = writing(out, lambda: write_evaluations(found, out))
        if as_json:
            typer.echo(json_text([one.as_dict() for one in found]))
        elif not quiet:
            from district_sim.reports.evaluations import summary

            for one in found:
                if one.results:
                    stdout().print(sheet(one).shown())
                else:
                    typer.echo(f"{one.plan.data.title}: {one.plan.data.cannot}")
                typer.echo("")
            typer.echo(summary(found))
            name_files(written)
        if not all(one.agrees for one in found):
            raise typer.Exit(FAILED)


@replicate_app.command("cowan-jonard")
def cowan_jonard(
    network: Annotated[
        str,
        typer.Option(
            "--network", metavar="ws|er|ba", help="Small world, random or scale-free, with equally many ties."
        ),
    ] = "ws",
    rewiring: Annotated[
        str | None,
        typer.Option(
            "--rewiring",
            metavar="P[,P...]",
            help="Shares of ties to rewire at random, 0 to 1. Default: for ws nine values from 0 to 1, else 0.",
        ),
    ] = None,
    agents: Annotated[int, typer.Option("--agents", metavar="N", help="Number of agents.")] = 500,
    neighbours: Annotated[int, typer.Option("--neighbours", metavar="K", help="Ties per agent, an even number.")] = 10,
    categories: Annotated[
        int, typer.Option("--categories", metavar="C", help="Number of categories of knowledge.")
    ] = 5,
    experts: Annotated[
        int, typer.Option("--experts", metavar="E", help="Number of agents that are expert in one category.")
    ] = 25,
    expert_level: Annotated[
        float,
        typer.Option(
            "--expert-level", metavar="L", help="Knowledge of an expert in that category; others have 0 to 10."
        ),
    ] = 30.0,
    alpha: Annotated[
        float, typer.Option("--alpha", metavar="A", help="Share of the gap that the receiver closes, 0 to 1.")
    ] = 0.1,
    meetings: Annotated[int, typer.Option("--meetings", metavar="M", help="Meetings per run.")] = 5_000_000,
    runs: RunsOption = None,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Barter of knowledge on networks (Cowan & Jonard 2004).

    The table shows, for each share of rewired ties, mean knowledge, the variance
    of agents' mean knowledge and its coefficient of variation, with standard
    errors over runs. The defaults are the published setting with 100 runs per
    point; only this setting tests the claims of the paper. It takes minutes.

    [bold]Examples[/bold]

      district-sim replicate cowan-jonard --out results/barter
      district-sim replicate cowan-jonard --rewiring 0,0.1,1 --runs 20
      district-sim replicate cowan-jonard --network ba --meetings 500000 --json

    Exit code: 0 all claims hold (or none was tested), 1 a claim fails,
    2 bad input.
    """
    with clean_ends():
        from district_sim.evidence.replications.exchange import Agents, Graph, SettingError
        from district_sim.evidence.replications.networks import Network
        from district_sim.scenario.suggestions import suggest

        if network not in list(Network):
            known = [each.value for each in Network]
            stop(f"--network must be one of {', '.join(known)}, not {network}{suggest(network, known)}", BAD_INPUT)
        try:
            setting: dict[str, Any] = {
                "rewiring": _shares(rewiring),
                "graph": Graph(Network(network), agents, neighbours),
                "setting": Agents(categories, experts, expert_level, alpha, meetings),
            }
        except SettingError as error:
            _refuse(error)
        _replicate(["cowan-jonard"], seed, runs, workers, out, force, as_json, quiet, **setting)


def _plain(name: str) -> Callable[..., None]:
    """The command of a replication that leaves nothing open but seed and runs."""

    def command(
        seed: SeedOption = 0,
        runs: RunsOption = None,
        workers: WorkersOption = None,
        out: OutOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        _replicate([name], seed, runs, workers, out, force, as_json, quiet)

    command.__doc__ = (
        f"{REPLICATIONS[name].title} ({REPLICATIONS[name].sources}).\n\n"
        "DIR receives replications.md and .json, a table of points (CSV) and a figure.\n\n[bold]Examples[/bold]\n\n"
        f"  district-sim replicate {name} --out results/{name}\n  district-sim replicate {name} --runs 10 --seed 1\n\n"
        "Exit code: 0 all claims hold (or none was tested), 1 a claim fails, 2 bad input."
    )
    return command


for _name in REPLICATIONS:
    if _name != "cowan-jonard":
        replicate_app.command(_name)(_plain(_name))


def _shares(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        stop(f"--rewiring {text}: write shares from 0 to 1, separated by commas", BAD_INPUT)


def _refuse(error: Exception) -> None:
    """A value out of its range, named as the option."""
    field, message = getattr(error, "field", ""), getattr(error, "message", str(error))
    stop(f"--{field.replace('_', '-')} {message}", BAD_INPUT)


def _replicate(
    names: list[str],
    seed: int,
    runs: int | None,
    workers: int | None,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    own: "_Own | None" = None,
    **setting: Any,
) -> None:
    """Measure, show, write; ends with exit code 1 if a claim fails.

    Args:
        own: in place of the replication of that name.
    """
    with clean_ends():
        check_seed(seed)
        if out is not None:
            check_folder(out, force)
        found = [_measured(name, own, seed, runs, workers, quiet, setting) for name in names]
        written: list[Path] = []
        if out is not None:
            from district_sim.reports.replications import write_evidence

            written = writing(out, lambda: write_evidence(found, out))
        if as_json:
            record = [evidence.as_dict() for evidence in found]
            typer.echo(json_text(record if len(names) > 1 else record[0]))
        elif not quiet:
            _show(found)
            name_files(written)
        if not all(evidence.passed for evidence in found):
            raise typer.Exit(FAILED)


def _measured(
    name: str,
    own: "_Own | None",
    seed: int,
    runs: int | None,
    workers: int | None,
    quiet: bool,
    setting: dict[str, Any],
) -> "Evidence":
    compiles = own is not None or REPLICATIONS[name].compiles
    if own is not None:
        own.announce(seed, runs, workers, quiet)
    scenarios = [None] if own is None else [own.case.scenario]
    with progress(None, quiet, "runs", compiles=compiles, scenarios=scenarios) as advance:

        def tell(done: int, total: int) -> None:
            advance(name, 0, done, total)

        try:
            return (REPLICATIONS[name] if own is None else own.measure)(seed, runs, tell, workers, **setting)
        except ValueError as error:
            _refuse(error)
            raise


def _show(found: "list[Evidence]") -> None:
    from district_sim.evidence.replications.claims import claims_sheet

    for number, evidence in enumerate(found):
        if number:
            typer.echo("")
        stdout().print(evidence.sheet.shown())
        typer.echo("")
        if evidence.claims:
            stdout().print(claims_sheet(evidence).shown())
        else:
            typer.echo("No claims were tested: they apply to the published setting only.")
