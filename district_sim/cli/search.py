"""`district-sim search`: what to do with a budget, in worlds that nobody knows."""

import inspect
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.analysis import end, or_stop
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
    hold_folder,
    make_runs,
    name_files,
    progress,
    resolve,
    stdout,
    stop,
    writing,
)
from district_sim.cli.compare import ConfidenceOption, DayOption, day_of, mixes_of
from district_sim.cli.draws import EvenSoOption, posterior_if_given
from district_sim.cli.sweep import DaskOption, executor_of
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from district_sim.evidence.posterior.posterior import Posterior
    from district_sim.experiments import Experiment
    from district_sim.experiments.retest import Runs
    from district_sim.experiments.search import Objective, Space, Wait
    from district_sim.experiments.worlds import World, Worlds
    from district_sim.reports.search import Answer
    from district_sim.scenario.instruments import Targeting
    from district_sim.scenario.sections import Scenario

ASKED = "search.json"
_UNITS = {"": 1.0, "k": 1.0, "m": 1e3, "bn": 1e6}
_MONEY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(k|m|bn|)\s*(?:€|eur)?", re.IGNORECASE)
_WAIT = re.compile(r"\s*(\w+)\s+(above|below)\s+([-+0-9.eE]+)\s*:\s*([-+0-9.eE]+)\s*")

BudgetOption = Annotated[
    str, typer.Option("--budget", metavar="MONEY", help="Present value of all budgets: 10M, 500k; a number is in k€.")
]
InstrumentsOption = Annotated[
    list[str], typer.Option("--instruments", metavar="A,B,...", help="Policies to split the budget over.")
]
WorldsOption = Annotated[
    str | None, typer.Option("--worlds", metavar="FILE", help="Worlds: a file with named ones, ranges, or both.")
]
ObjectivesOption = Annotated[
    str,
    typer.Option(
        "--objectives",
        metavar="A,B,...",
        help="value_added, jobs, worst_regret, cost, or any outcome; -OUTCOME is to be small.",
    ),
]
TargetsOption = Annotated[
    str, typer.Option("--targets", metavar="A,B,...", help="Targets to try, beside those of the policy files.")
]
WaitOption = Annotated[
    str | None,
    typer.Option("--wait", metavar="SIGNPOST", help="Also try waiting: 'unemployment above 0.05:0.2' (a range)."),
]


def search(
    scenario: ScenarioArgument,
    budget: BudgetOption,
    instruments: InstrumentsOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder; repeat the command to continue.")],
    worlds: WorldsOption = None,
    posterior: Annotated[
        Path | None,
        typer.Option("--posterior", metavar="FILE", help="posterior.nc of calibrate: a draw of it for each world."),
    ] = None,
    even_so: EvenSoOption = False,
    objectives: ObjectivesOption = "value_added,jobs,worst_regret",
    targets: TargetsOption = "small,suppliers",
    wait: WaitOption = None,
    earliest: Annotated[
        int | None, typer.Option("--earliest", metavar="Q", min=0, help="First quarter in which money may be spent.")
    ] = None,
    discount: Annotated[float | None, typer.Option("--discount", metavar="RATE", help="A year (0.03).")] = None,
    discount_from: DayOption = None,
    population: Annotated[int, typer.Option("--population", metavar="N", min=4, help="Candidates at once.")] = 20,
    generations: Annotated[int, typer.Option("--generations", metavar="N", min=1, help="How often.")] = 10,
    search_worlds: Annotated[
        int, typer.Option("--search-worlds", metavar="N", min=0, help="Worlds drawn from the ranges for the search.")
    ] = 8,
    replications: Annotated[int, typer.Option("--replications", metavar="N", min=1, help="Runs in each world.")] = 2,
    test_worlds: Annotated[
        int, typer.Option("--test-worlds", metavar="N", min=0, help="Fresh worlds drawn for the test.")
    ] = 40,
    test_replications: Annotated[
        int, typer.Option("--test-replications", metavar="N", min=1, help="Runs in each world of the test.")
    ] = 4,
    winners: Annotated[int, typer.Option("--winners", metavar="N", min=1, help="Candidates to test again.")] = 5,
    confidence: ConfidenceOption = 0.95,
    seed: SeedOption = 0,
    quarters: QuartersOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search for what to do with a budget, and test it where it was not chosen.

    Candidates split the budget over instruments, with their timing, targets and,
    with --wait, what they wait for. All meet the same worlds and the same luck.
    Those that no other one beats are tested again on fresh worlds and under fresh
    luck, beside an equal split, each instrument alone, and nothing. If it is
    stopped or killed, repeat the command: the result is the same.
    Needs: pip install 'district-sim\\[search]'

    [bold]Examples[/bold]

      district-sim search baseline --budget 10M --instruments rd_subsidy,export_platform --out search
      district-sim search baseline --budget 10M --instruments rd_subsidy,training_vouchers --worlds worlds.yaml --out s
      district-sim search baseline --budget 5M --instruments local_coownership --wait 'trust below 0.2:0.6' --out later

    Exit code: 0 done (also if nothing beats the simple policies), 1 could not
    write or continue, 2 bad input, 3 done but some runs failed, 130 stopped by
    Ctrl-C.
    """
    with clean_ends():
        from district_sim.experiments.search import objectives_of

        check_seed(seed)
        _check_extra()
        if not 0.0 < confidence < 1.0:
            stop(f"--confidence must be between 0 and 1, not {confidence:g}", BAD_INPUT)
        district = resolve(scenario, [], quarters)
        since, day = day_of(discount_from, district.run.calendar)
        space = _space(scenario, district, budget, instruments, targets, wait, earliest, discount, since)
        known = _posterior(posterior, even_so, quiet or as_json)
        plan = _Plan(
            scenario, district, space, day, objectives_of(objectives), _worlds(worlds, scenario, district), known,
            (search_worlds, test_worlds), (replications, test_replications), population, generations, winners,
            confidence, seed, out,
        )  # fmt: skip
        command = command_line(
            scenario, budget, instruments, worlds=worlds, posterior=posterior, even_so=even_so, objectives=objectives,
            targets=targets, wait=wait, earliest=earliest, discount=discount, discount_from=discount_from,
            population=population, generations=generations, search_worlds=search_worlds, replications=replications,
            test_worlds=test_worlds, test_replications=test_replications, winners=winners, confidence=confidence,
            seed=seed, quarters=quarters,
        )  # fmt: skip
        with executor_of(dask, False) as (executor, number):
            answer, failed = plan.made(executor, workers or number, quiet or as_json)
        from district_sim.reports import search as reports

        written = writing(out, lambda: reports.write(answer, command, out))
        if as_json:
            typer.echo(json_text(reports.record(answer)))
        elif not quiet:
            for line in reports.verdict(answer):
                typer.echo(line)
            for sheet in reports.sheets(answer).values():
                typer.echo("")
                stdout().print(sheet.shown())
            name_files(written)
        end(failed, out / "test")


def command_line(scenario: str, budget: str, instruments: list[str], **options: Any) -> str:
    """The command that makes the same search; options at their defaults, and where it was written, are left out."""
    default = {name: one.default for name, one in inspect.signature(search).parameters.items()}
    words = ["district-sim", "search", scenario, "--budget", budget, "--instruments", ",".join(instruments)]
    for name, value in options.items():
        if value != default[name]:
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return shlex.join([*words, "--out", "search"])


# Input --------------------------------------------------------------------------------------------


def _check_extra() -> None:
    from district_sim.experiments.search import library

    try:
        library()
    except ImportError as error:
        stop(str(error), FAILED)


def money(text: str) -> float:
    """k€ that a text such as 10M, 500k, 2.5M€ or 10000 means; ends with a message if it is none."""
    found = _MONEY.fullmatch(text.strip())
    value = float(found[1]) * _UNITS[found[2].lower()] if found else 0.0
    if not 0.0 < value <= 1e9:
        stop(f"--budget {text}: write it as 10M, 500k, or a number of k€, above 0 and at most 1000bn", BAD_INPUT)
    return value


def _space(
    name: str,
    district: "Scenario",
    budget: str,
    instruments: list[str],
    targets: str,
    wait: str | None,
    earliest: int | None,
    discount: float | None,
    since: int,
) -> "Space":
    """All candidates; ends with a message if there can be none."""
    from district_sim.experiments.costs import DISCOUNT
    from district_sim.experiments.search import Space, checked_entries

    rate = DISCOUNT if discount is None else discount
    if not 0.0 <= rate <= 1.0:
        stop(f"--discount must be between 0 and 1 a year, not {rate:g}", BAD_INPUT)
    entries = mixes_of(instruments, {name: district}, "--instruments")
    length = district.run.quarters
    checked_entries(entries, length)
    first = min(item.start for items in entries.values() for item in items) if earliest is None else earliest
    if first > length - 4:
        how = "begin later: give --earliest" if earliest is None else "it must leave four quarters"
        stop(f"--earliest: the run has {length} quarters, and the policies {how}", BAD_INPUT)
    aims = _targets(targets)
    return Space(entries, money(budget), length, first, rate, since, aims, _wait(wait) if wait else None)


def _targets(text: str) -> "tuple[Targeting, ...]":
    from district_sim.scenario.instruments import Targeting
    from district_sim.scenario.suggestions import suggest

    known = [target.value for target in Targeting]
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in known:
            stop(
                f"--targets {name}: there is no such target{suggest(name, known)} (known: {', '.join(known)})",
                BAD_INPUT,
            )
    return tuple(map(Targeting, names))


def _wait(text: str) -> "Wait":
    """What may be waited for: both ends of the range must be lines that the indicator can cross."""
    from district_sim.experiments.search import Wait

    found = _WAIT.fullmatch(text)
    try:
        made = Wait(found[1], found[2] == "above", float(found[3]), float(found[4])) if found else None
    except ValueError:
        made = None
    if made is None or not made.low < made.high:
        stop(
            f"--wait {text}: write it as 'INDICATOR above LOW:HIGH' or below, such as 'unemployment above 0.05:0.2'",
            BAD_INPUT,
        )
    if reason := made.refused:
        stop(f"--wait {text}: {reason}", BAD_INPUT)
    return made


def _posterior(file: Path | None, even_so: bool, quiet: bool) -> "Posterior | None":
    """Draws of the parameters; says what must be known of them."""
    found = posterior_if_given(file, even_so)
    if found is not None and found.warning and not quiet:
        typer.echo(found.warning, err=True)
    return found


def _worlds(file: str | None, name: str, district: "Scenario") -> "Worlds":
    from district_sim.experiments.worlds import ALONE, load_worlds

    return ALONE if file is None else load_worlds(file, name, district)


# Searching ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """A search before its first run."""

    name: str
    district: "Scenario"
    space: "Space"
    day: str
    objectives: "tuple[Objective, ...]"
    worlds: "Worlds"
    posterior: "Posterior | None"
    drawn: tuple[int, int]
    """Worlds drawn for the search and for the test."""
    replications: tuple[int, int]
    population: int
    generations: int
    winners: int
    confidence: float
    seed: int
    out: Path

    def made(self, executor: "Executor | None", workers: int | None, quiet: bool) -> "tuple[Answer, int]":
        """Search, test and compare; also how many runs failed."""
        from district_sim.experiments import retest
        from district_sim.experiments.search import search as find

        known, fresh = (self._of(which) for which in (0, 1))
        if not known or not fresh:
            stop(
                "--worlds: there is no named world, so --search-worlds and --test-worlds must be at least 1", BAD_INPUT
            )
        self._claim()
        simple = len(self.space.simple)
        first = len(known) * self.replications[0] * (simple + self.population * self.generations)
        then = len(fresh) * self.replications[1] * (simple + self.winners)
        failed: list[int] = []
        with progress(first + then, quiet, "runs", compiles=False) as advance:
            before = [0]

            def make(experiment: "Experiment", folder: Path) -> None:
                def told(what: str, _: int, done: int, __: int) -> None:
                    advance(what, before[0], done, max(first + then, before[0] + done))

                summary = make_runs(experiment, folder, quiet, executor=executor, workers=workers, advance=told)
                before[0] += summary.counts.total
                failed.append(summary.counts.failed)

            looked = self._runs(self.out / "search", known, 0, make)
            found = find(self.space, self.objectives, looked, self.population, self.generations, self.seed)
            chosen = retest.winners(found, self.objectives, self.winners)
            mixes = {**self.space.simple, **{name: one.mix for name, one in chosen.items()}}
            rows = self._runs(self.out, fresh, 1, make).rows("test", mixes)
        tested = or_stop(lambda: retest.compared(rows, chosen, found, self.objectives, self.confidence))
        losing = retest.losing(tested, fresh, self.worlds.ranges, self.objectives)
        boxes, why = retest.boxes_of(losing, self.worlds.ranges)
        return self._answer(found, chosen, tested, boxes, why, losing, fresh), sum(failed)

    def _of(self, which: int) -> "tuple[World, ...]":
        """The worlds of the search (0) or of the test (1): the named ones in both, others drawn anew.

        With a posterior each has parameters of another draw; what a world says wins.
        """
        from district_sim.experiments.worlds import ALONE, World

        found = (*self.worlds.named, *self.worlds.drawn(self.drawn[which], self.seed, which))
        if self.posterior is None:
            return found
        if self.worlds is ALONE:
            found = tuple(World(f"draw {number}", {}) for number in range(1, self.drawn[which] + 1))
        draws = self.posterior.chosen(len(found), (self.seed + which) % 2**32) if found else []
        return tuple(World(one.name, {**draw, **one.settings}) for one, draw in zip(found, draws, strict=True))

    def _runs(self, folder: Path, worlds: "tuple[World, ...]", which: int, make: "Callable[..., None]") -> "Runs":
        """Runs under the luck of the search (0) or of the test (1)."""
        from district_sim.experiments.retest import Runs

        seed = (self.seed + which) % 2**64
        return Runs(
            folder, self.name, self.district, worlds, self.replications[which], seed, self.space.quarters,
            self.objectives, make,
        )  # fmt: skip

    def _claim(self) -> None:
        """Write down what is searched; ends with a message if the folder holds another search or something else."""
        from district_sim.experiments.plan import differences
        from district_sim.run.whole_files import is_empty, sweep_up, write_json

        told = json.loads(json_text(self.told()))
        file = self.out / ASKED
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            hold_folder(self.out)
            sweep_up(self.out)
            if file.is_file():
                lines = differences(json.loads(file.read_text(encoding="utf-8")), told)
                if lines:
                    said = "\n".join([f"  {line}" for line in lines[:12]])
                    stop(f"{self.out} holds another search; choose another folder. Differences:\n{said}", BAD_INPUT)
            elif not is_empty(self.out):
                stop(f"{self.out} is not empty and holds no search; choose another --out", BAD_INPUT)
            else:
                write_json(file, told)
        except (OSError, ValueError) as error:
            stop(f"--out {self.out}: {getattr(error, 'strerror', None) or error}", BAD_INPUT)

    def told(self) -> dict[str, Any]:
        """Everything that decides the result."""
        from district_sim.experiments.plan import scenario_hash

        space = self.space
        return {
            "scenario": self.name,
            "budget": space.budget,
            "instruments": {
                name: [item.model_dump(mode="json") for item in items] for name, items in space.entries.items()
            },
            "quarters": space.quarters,
            "earliest": space.earliest,
            "discount": space.discount,
            "since": space.since,
            "targets": [target.value for target in space.targets],
            "wait": space.wait._asdict() if space.wait else None,
            "objectives": [one.name for one in self.objectives],
            "worlds": [{"name": one.name, "set": one.settings} for one in self.worlds.named],
            "ranges": {one.path: [one.low, one.high] for one in self.worlds.ranges},
            "posterior": None if self.posterior is None else scenario_hash(self.posterior.values.tolist()),
            "drawn": self.drawn,
            "replications": self.replications,
            "population": self.population,
            "generations": self.generations,
            "winners": self.winners,
            "seed": self.seed,
        }

    def _answer(
        self, found: Any, chosen: Any, tested: Any, boxes: Any, why: str, losing: Any, fresh: "tuple[World, ...]"
    ) -> "Answer":
        from district_sim.experiments.retest import WINNER
        from district_sim.experiments.worlds import ALONE
        from district_sim.reports.search import Answer

        named, ranged = len(self.worlds.named), bool(self.worlds.ranges)
        parts = [f"{len(fresh) - named if ranged else len(fresh)} fresh worlds"] if ranged or self.posterior else []
        if named and not (self.posterior and self.worlds is ALONE):
            again = f"the {named} named worlds again" if named > 1 else "the named world again"
            again = "the scenario" if self.worlds is ALONE else again
            parts = [*parts, again] if ranged or not self.posterior else [f"{parts[0]} (named ones, drawn parameters)"]
        same = next((name for name, mix in self.space.simple.items() if mix == chosen[WINNER].mix), "")
        return Answer(
            found, chosen, tested, self.objectives, tuple(boxes), why, losing, len(fresh),
            f"{' and '.join(parts)} under fresh luck", self.space.budget, self.day, self.space.discount,
            self.confidence, self.district.run.calendar, self.space.quarters, same,
        )  # fmt: skip
