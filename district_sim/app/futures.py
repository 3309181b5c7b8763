"""Many futures of one scenario, computed beside the page: first few, then more while nobody asks for anything else.

Every computation runs the same replicates 0, 1, 2, ... of the same seed, so two scenarios meet the same luck. Results
are handed out in the order of the replicates: what is known after n runs does not depend on which worker was faster.
The workers are processes, because the kernels hold Python's lock while they run; all visitors of the page share them
and take turns.
"""

import os
import tempfile
import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from district_sim.kernels.draws import replicate_seed
from district_sim.run.run import simulate
from district_sim.run.trajectories import Trajectory
from district_sim.run.workers import Workers, compile_first
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.sections import Scenario

RUNS = 50
FIRST = 4  # runs with which there is something to show
_NICE = 5  # the page itself and the browser come first


class Outcome(NamedTuple):
    """What is kept of one run."""

    indicators: np.ndarray
    """(quarters, len(indicators.NAMES)), as in `run.simulate`; NaN after the end of a run that ended early"""
    label: Trajectory | None


class Probability(NamedTuple):
    """How often a trajectory came out, with the 95 % interval of Wilson (1927)."""

    trajectory: Trajectory
    runs: int
    """How many ended so"""
    share: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Fan:
    """The futures of a scenario as far as they are known."""

    scenario: Scenario
    outcomes: tuple[Outcome, ...]
    """Of the replicates 0, 1, ..."""
    wanted: int

    @property
    def runs(self) -> int:
        """Replicates that are known."""
        return len(self.outcomes)

    @property
    def complete(self) -> bool:
        """Whether all that were wanted are known."""
        return self.runs >= self.wanted

    def values(self, indicator: str) -> np.ndarray:
        """(runs, quarters) of one indicator.

        Raises:
            ValueError: there is no such indicator.
        """
        column = NAMES.index(indicator)
        return np.stack([outcome.indicators[:, column] for outcome in self.outcomes])

    def quantiles(self, indicator: str, shares: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> np.ndarray:
        """(len(shares), quarters): quantiles over the runs in each quarter in which it is defined.

        By default 90 %, 50 % and median.
        """
        values = self.values(indicator)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a quarter in which it is undefined in all runs
            return (np.nanquantile if np.isnan(values).any() else np.quantile)(values, shares, axis=0)

    @cached_property
    def probabilities(self) -> tuple[Probability, ...]:
        """Of all six trajectories, in their order."""
        import pandas as pd

        from district_sim.experiments.compare import trajectory_shares

        found = trajectory_shares({"": pd.Series([outcome.label for outcome in self.outcomes], dtype=object)})
        columns = (found[name].tolist() for name in ("trajectory", "count", "share", "low", "high"))
        return tuple(Probability(Trajectory(name), *numbers) for name, *numbers in zip(*columns, strict=True))


class _GivenUp(Exception):
    """Nobody waits for the run any more."""


def _one_future(scenario: Scenario, seed: int, wanted: str) -> Outcome | None:
    """In a worker: one run, given up as soon as the file `wanted` is gone."""

    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)

    def look(_: int) -> None:
        if not os.path.exists(wanted):
            raise _GivenUp

    try:
        look(0)
        run = simulate(scenario, seed, progress=look)
    except _GivenUp:
        return None
    table = np.full((scenario.run.quarters, len(run.names)), np.nan)
    table[: len(run.table)] = run.indicators
    return Outcome(table, run.trajectory)


class Computation:
    """The futures of one scenario in the making; iterate to follow it, `cancel` when they are no longer wanted."""

    def __init__(self, scenario: Scenario, seed: int, runs: int, flag: Path) -> None:
        self.scenario, self.seed, self.runs = scenario, seed, runs
        self._flag = flag
        self._begun = 0
        self._made: dict[int, Outcome] = {}
        self._error: BaseException | None = None
        self._cancelled = False
        self._news = threading.Condition()
        flag.touch()

    @property
    def known(self) -> int:
        """Replicates 0, 1, ... known without a gap."""
        return next(i for i in count() if i not in self._made)

    def cancel(self) -> None:
        """Stop at once: runs that have begun are given up within some hundredths of a second."""
        with self._news:
            self._cancelled = True
            self._news.notify_all()
        self._flag.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Fan]:
        """Whenever a fifth more is known, from FIRST runs on, until all are known or the computation is cancelled.

        One run more among many changes the picture little, and drawing it takes time from the runs.

        Raises:
            Exception: whatever made a run fail.
        """
        seen = 0
        while seen < self.runs:
            enough = min(self.runs, max(FIRST, seen + 1 + seen // 5))
            with self._news:
                self._news.wait_for(lambda: self._ended or self.known >= enough)  # noqa: B023
                if self._error is not None:
                    raise self._error
                if self._cancelled:
                    return
                seen = self.known
                fan = Fan(self.scenario, tuple(self._made[i] for i in range(seen)), self.runs)
            yield fan

    @property
    def _ended(self) -> bool:
        return self._cancelled or self._error is not None

    # For the office -----------------------------------------------------------------------------

    def next_replicate(self) -> int | None:
        """The replicate to begin now; None if there is nothing left to begin."""
        with self._news:
            if self._ended or self._begun == self.runs:
                return None
            self._begun += 1
            return self._begun - 1

    def order(self, replicate: int) -> tuple[Scenario, int, str]:
        """What a worker must know to make a run."""
        return self.scenario, replicate_seed(self.seed, replicate), str(self._flag)

    def finish(self, replicate: int, run: "Future[Outcome | None]") -> None:
        """Take in what a worker made."""
        error = None if run.cancelled() else run.exception()
        if error is not None:
            self.fail(error)
        elif not run.cancelled() and (outcome := run.result()) is not None:
            with self._news:
                self._made[replicate] = outcome
                self._news.notify_all()
                complete = len(self._made) == self.runs
            if complete:
                self._flag.unlink(missing_ok=True)

    def fail(self, error: BaseException) -> None:
        """End with an error, which whoever iterates is told."""
        with self._news:
            self._error = error
            self._news.notify_all()
        self._flag.unlink(missing_ok=True)


class Office:
    """Worker processes that compute futures for whoever asks, one run of each in turn."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers
        self._lock = threading.RLock()  # a run that nobody can take is finished while it is handed out
        self._warming = threading.Lock()
        self._pool: Workers | None = None
        self._busy = 0
        self._waiting: deque[Computation] = deque()
        self._folder = tempfile.TemporaryDirectory(prefix="district-sim-")
        self._number = 0

    def warm(self) -> None:
        """Start the workers, after compiling the kernels if they never were; returns when they are ready."""
        with self._warming:
            if self._pool is not None:
                return
            compile_first()
            pool = Workers(self._workers)
            for ready in [pool.submit(_get_ready) for _ in range(pool.count)]:
                ready.result()
            _get_ready_to_tell()
            with self._lock:
                self._pool = pool
        self._go_on()

    def compute(self, scenario: Scenario, seed: int = 0, runs: int = RUNS) -> Computation:
        """Begin to compute the futures of a scenario; returns at once.

        Args:
            scenario: whose futures.
            seed: the experiment's; replicate r runs with `replicate_seed(seed, r)`.
            runs: how many, at least 1.

        Raises:
            ValueError: fewer than one run.
        """
        if runs < 1:
            raise ValueError(f"runs must be at least 1, not {runs}")
        with self._lock:
            self._number += 1
            computation = Computation(scenario, seed, runs, Path(self._folder.name) / str(self._number))
            self._waiting.append(computation)
            cold = self._pool is None
        if cold:
            threading.Thread(target=self._warm_for, args=(computation,), daemon=True).start()
        else:
            self._go_on()
        return computation

    def close(self) -> None:
        """End the workers; what they are doing is given up."""
        with self._lock:
            waiting, pool = list(self._waiting), self._pool
            self._waiting.clear()
            self._pool = None
        for computation in waiting:
            computation.cancel()
        if pool is not None:
            pool.close()

    def _warm_for(self, computation: Computation) -> None:
        try:
            self.warm()
        except Exception as error:
            computation.fail(error)

    def _go_on(self) -> None:
        """Give every idle worker a run, one of each computation in turn."""
        with self._lock:
            while self._pool is not None and self._busy < self._pool.count and self._waiting:
                computation = self._waiting.popleft()
                replicate = computation.next_replicate()
                if replicate is None:
                    continue
                self._waiting.append(computation)
                self._busy += 1
                run = self._pool.submit(_one_future, *computation.order(replicate))
                run.add_done_callback(partial(self._finished, computation, replicate))

    def _finished(self, computation: Computation, replicate: int, run: "Future[Outcome | None]") -> None:
        with self._lock:
            self._busy -= 1
            if not run.cancelled() and isinstance(error := run.exception(), BrokenExecutor):
                self._give_up(error)
        computation.finish(replicate, run)
        self._go_on()

    def _give_up(self, error: BaseException) -> None:
        """Tell all who wait; the next computation starts new workers. To be called with the lock."""
        self._pool = None
        for computation in self._waiting:
            computation.fail(error)
        self._waiting.clear()


def _get_ready() -> None:
    """In a worker: load what a run needs."""
    from district_sim.scenario.files import load_scenario

    simulate(load_scenario("classroom", {"run.quarters": 2}))


def _get_ready_to_tell() -> None:
    """Load what the first probabilities need, which takes a second."""
    from district_sim.experiments.compare import trajectory_shares

    trajectory_shares({})
    import scipy.stats  # noqa: F401


@cache
def office() -> Office:
    """The office that all visitors of the page share."""
    return Office()
