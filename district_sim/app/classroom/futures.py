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

from district_sim.app.classroom.lesson import Claim, District, Lesson, Predict, scenario_of
from district_sim.run.run import simulate
from district_sim.run.trajectories import Trajectory
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

    @classmethod
    def of(
        cls, district: District, lesson: Lesson, changes: Mapping[str, Any] | None = None, luck: int = 0
    ) -> "Wanted":
        """The run of a district, with what was changed in it.

        Args:
            luck: which luck; 0 is the lesson's own.
        """
        values = json.dumps({**district.values, **(changes or {})}, sort_keys=True)
        seed = lesson.luck if district.seed is None else district.seed
        shows = tuple(dict.fromkeys((*lesson.shows, *TABLE)))
        return cls(district.scenario, values, (seed + luck) % 2**64, shows, asked(lesson))


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
    run = simulate(scenario_of(District(scenario=wanted.scenario, values=json.loads(wanted.values))), wanted.seed)
    columns = run.columns
    series = {name: [_short(value) for value in np.asarray(columns[name])] for name in wanted.shows}
    named = (*wanted.shows, *wanted.asks)
    ends = {name: end_of(name, np.asarray(columns[name])) for name in named}
    last = {name: float(columns[name][-1]) for name in named}
    return Result(len(run.table), json.dumps(series, separators=(",", ":")), run.trajectory, ends, last)


def holds(claim: Claim, seed: int) -> bool:
    """Whether a claim is true of one run."""

    def run(district: District) -> Result:
        asks = (claim.indicator,) if claim.indicator else ()
        return computed(Wanted(district.scenario, json.dumps(district.values, sort_keys=True), seed, TABLE, asks))

    found = run(claim.district)
    if claim.future is not None:
        return found.label == claim.future
    value = found.ends[claim.indicator]
    if claim.above is not None:
        return value > claim.above
    if claim.below is not None:
        return value < claim.below
    assert claim.than is not None
    return value > run(claim.than).ends[claim.indicator]


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


def _short(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
