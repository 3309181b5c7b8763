"""Runs, each computed once for everybody: a run is known by its scenario, what was changed in it, and its seed.

Workers compute, so that the server keeps answering. Forty students with the same district ask for one run.
"""

import asyncio
import json
import math
import os
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, Executor
from typing import Any, NamedTuple

import numpy as np

from district_sim.app.classroom.game import Plan, Told, Turn, played
from district_sim.app.classroom.lesson import Lesson, scenario_of
from district_sim.app.classroom.steps import Claim, District, Predict
from district_sim.app.classroom.story import Story, story_of
from district_sim.run.run import simulate
from district_sim.run.trajectories import Columns, Trajectory
from district_sim.run.workers import Workers, cores
from district_sim.scenario.indicators import NAMES
from district_sim.text.names import in_percent

MOST_KEPT = 3000
"""Runs that are remembered, some ten kilobytes each."""
TABLE = ("employment", "value_added_local")
"""Indicators of every run that the teacher's table shows."""
_DIGITS = 4
_YEAR = 4
_NICE = 5  # the server and the browser come first


class Wanted(NamedTuple):
    """A run that somebody asks for."""

    scenario: str
    values: str
    """JSON, sorted: those of the district and what was changed."""
    seed: int
    shows: tuple[str, ...]
    """Indicators whose values are kept, quarter by quarter."""
    asks: tuple[str, ...] = ()
    """More indicators, of which the end is kept."""
    game: str = ""
    """What people decided in it, if it is a game: `Plan.as_text`."""

    @classmethod
    def of(
        cls,
        district: District,
        lesson: Lesson,
        changes: Mapping[str, Any] | None = None,
        luck: int = 0,
        game: Plan | None = None,
    ) -> "Wanted":
        """The run of a district, with what was changed in it.

        Args:
            luck: which luck; 0 is the lesson's own.
            game: what people decide in it.
        """
        values = json.dumps({**district.values, **(changes or {})}, sort_keys=True)
        seed = lesson.luck if district.seed is None else district.seed
        shows = tuple(dict.fromkeys((*lesson.shows, *TABLE)))
        return cls(
            district.scenario, values, (seed + luck) % 2**64, shows, asked(lesson), game.as_text() if game else ""
        )


def asked(lesson: Lesson) -> tuple[str, ...]:
    """Indicators that students of a lesson guess."""
    asks = {step.ask for step in lesson.steps if isinstance(step, Predict)} & set(NAMES)
    return tuple(sorted(asks))


class Result(NamedTuple):
    """What is kept of a run."""

    quarters: int
    series: str
    """JSON: for each indicator its values, four digits, null where undefined."""
    label: Trajectory | None
    ends: dict[str, float]
    """Of each indicator: what a guess is held against, see `end_of`; NaN where undefined."""
    last: dict[str, float]
    """Of each indicator its last value."""
    story: Story | None = None
    """Why it ended so; None of a game."""
    rounds: tuple[Told, ...] = ()
    """Of a game: what each round brought; see `game.Outcome`."""
    firms: dict[int, Told] | None = None
    """Of a game: the firm that each player has in the next round."""


def end_of(name: str, values: np.ndarray) -> float:
    """An indicator at the end: the last year's mean; shares in per cent, the rest in per cent of the first year.

    Args:
        values: (quarters,) floats.
    """
    late, first = (_mean(values[part]) for part in (slice(-_YEAR, None), slice(_YEAR)))
    if in_percent(name):
        return 100.0 * late
    return 100.0 * late / first if first > 0.0 else math.nan


def computed(wanted: Wanted) -> Result:
    """Run it, here and now."""
    scenario = scenario_of(District(scenario=wanted.scenario, values=json.loads(wanted.values)))
    if wanted.game:
        outcome = played(scenario, wanted.seed, Plan.of_text(wanted.game))
        kept = _kept(wanted, outcome.columns, None)
        return kept._replace(rounds=tuple(outcome.rounds), firms=outcome.firms)
    run = simulate(scenario, wanted.seed, watch=True)
    return _kept(wanted, run.columns, run.trajectory)._replace(story=story_of(run))


def _kept(wanted: Wanted, table: Columns, label: Trajectory | None) -> Result:
    """What is kept of a table of indicators."""
    named = (*wanted.shows, *wanted.asks)
    columns = {name: np.asarray(table[name], dtype=float) for name in dict.fromkeys(named)}
    series = {name: [short_number(value) for value in columns[name]] for name in wanted.shows}
    ends = {name: end_of(name, values) for name, values in columns.items()}
    last = {name: float(values[-1]) if values.size else math.nan for name, values in columns.items()}
    quarters = next(iter(columns.values())).size
    return Result(quarters, json.dumps(series, separators=(",", ":")), label, ends, last)


def holds(claim: Claim, seed: int) -> bool:
    """Whether a claim is true of one run."""

    def run(district: District) -> Result:
        asks = (claim.indicator,) if claim.indicator else ()
        return computed(Wanted(district.scenario, json.dumps(district.values, sort_keys=True), seed, TABLE, asks))

    if claim.future is not None:
        return run(claim.district).label == claim.future
    if claim.game is not None:
        value = of_game(claim, claim.game.joins, seed)
    else:
        value = run(claim.district).ends[claim.indicator]
    if claim.above is not None:
        return value > claim.above
    if claim.below is not None:
        return value < claim.below
    if claim.than_joins is not None:
        return value > of_game(claim, claim.than_joins, seed)
    assert claim.than is not None
    return value > run(claim.than).ends[claim.indicator]


def of_game(claim: Claim, joins: float, seed: int) -> float:
    """What a claim looks at, in a game in which a share of the players always joins and the others never do."""
    game = claim.game
    assert game is not None
    joining = round(joins * game.players)
    turn = Turn(game.players, {player: player <= joining for player in range(1, game.players + 1)}, {})
    costs = game.what == "cost"
    plan = Plan(game.rounds.begin, game.rounds.quarters, (turn,) * (1 if costs else game.rounds.count))
    rounds = played(scenario_of(claim.district), seed, plan, gains=costs).rounds
    if costs:
        return 100.0 * float(rounds[0]["cost"])
    if game.what == "followers":
        return 100.0 * rounds[-1]["members"] / rounds[-1]["others"] if rounds[-1]["others"] else math.nan
    return 100.0 * float(rounds[-1]["kept"])


class Futures:
    """The runs of a class. To be used from one event loop."""

    def __init__(self, executor: Executor | None = None) -> None:
        """With processes of its own, or somebody's executor."""
        self._workers = Workers(None if executor else min(4, cores()), executor)
        self._known: OrderedDict[Wanted, Result] = OrderedDict()
        self._underway: dict[Wanted, asyncio.Future[Result]] = {}
        self.made = 0
        """Runs computed so far."""

    def known(self, wanted: Wanted) -> Result | None:
        """A run that is there already."""
        found = self._known.get(wanted)
        if found is not None:
            self._known.move_to_end(wanted)
        return found

    def is_underway(self, wanted: Wanted) -> bool:
        """Whether it is being computed."""
        return wanted in self._underway

    async def get(self, wanted: Wanted) -> Result:
        """A run, computed if nobody has asked for it before.

        Raises:
            BrokenExecutor: workers were lost, twice.
        """
        if (found := self.known(wanted)) is not None:
            return found
        if wanted not in self._underway:
            self._underway[wanted] = asyncio.ensure_future(self._make(wanted))
        return await asyncio.shield(self._underway[wanted])  # who hangs up takes nothing from the others

    def close(self) -> None:
        """End the workers."""
        for future in self._underway.values():
            future.cancel()
        self._workers.close()

    async def _make(self, wanted: Wanted) -> Result:
        try:
            try:
                made = await asyncio.wrap_future(self._workers.submit(_in_a_worker, wanted))
            except BrokenExecutor:
                self._workers.restart()
                made = await asyncio.wrap_future(self._workers.submit(_in_a_worker, wanted))
        finally:
            self._underway.pop(wanted, None)
        self.made += 1
        self._known[wanted] = made
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return made


def _in_a_worker(wanted: Wanted) -> Result:
    _be_nice()
    return computed(wanted)


def _be_nice() -> None:
    """Once in each worker process, never in a thread of the server."""
    from multiprocessing import parent_process

    if parent_process() is not None and hasattr(os, "nice") and not _done:
        _done.append(os.nice(_NICE))


_done: list[int] = []


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def short_number(value: float) -> float | None:
    """Four digits; nothing where it is undefined."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
