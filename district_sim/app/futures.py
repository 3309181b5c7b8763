"""Many futures of one scenario, computed beside the page: first few, then more while nobody asks for anything else.

Every computation runs the same replicates 0, 1, 2, ... of the same seed, so two scenarios meet the same luck. Results
are handed out in the order of the replicates: what is known after n runs does not depend on which worker was faster.
The workers are processes, because the kernels hold Python's lock while they run; all visitors of the page share them
and take turns. Visitors who ask for the same futures share them: forty students with one district wait for one fan.
Fans that differ only in what begins later (a strategy, a policy, a shock) share the quarters before, luck by luck.
"""

import os
import pickle
import tempfile
import threading
import warnings
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from district_sim.kernels.draws import replicate_seed
from district_sim.model.extensions import columns_of
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.run.compiled import compile_for
from district_sim.run.kept_pasts import kept_pasts
from district_sim.run.run import Moment
from district_sim.run.shared_past import Pasts, past_of
from district_sim.run.trajectories import Trajectory, score
from district_sim.run.workers import Workers, compile_first, cores
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.sections import Scenario

RUNS = 50
FIRST = 4  # runs with which there is something to show
MOST_KEPT, MOST_BYTES_KEPT = 100, 128 * 2**20
"""Fans whose runs are remembered, and their bytes; a run of 160 quarters takes 130 kB."""
MOST_PASTS = 52
"""Beginnings of runs that the workers remember together, about half a MB each."""
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


@lru_cache(maxsize=4)
def _prepared(pickled: bytes) -> tuple[Scenario, Parameters, bytes]:
    """In a worker: a scenario, its numbers, and what its past depends on; the same for all runs of a fan."""
    scenario: Scenario = pickle.loads(pickled)
    p = parameters_of(scenario)
    return scenario, p, past_of(p)


@cache
def _pasts() -> Pasts:
    """In a worker: the quarters before strategies, policies and shocks begin, of each luck that it has met."""
    return Pasts(MOST_PASTS // cores(), kept_pasts())


def _one_future(pickled: bytes, seed: int, wanted: str) -> Outcome | None:
    """In a worker: one run, given up as soon as the file `wanted` is gone."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    if not os.path.exists(wanted):
        return None
    scenario, p, past = _prepared(pickled)
    length = scenario.run.quarters
    now: Moment | None = None
    for now in _pasts().quarters(p, past, seed, length):  # noqa: B007 - the last one is the result
        if not os.path.exists(wanted):
            return None
    assert now is not None
    table = np.full((length, now.table.shape[1]), np.nan)
    table[: now.done] = now.table
    return Outcome(
        table, score(dict(zip(columns_of(p), now.table.T, strict=True)), calm_window=scenario.calm_window).label
    )


class _Making:
    """The futures of one scenario and seed, for all who ask for them. To be used with the office's lock."""

    def __init__(self, scenario: Scenario, seed: int, flag: Path) -> None:
        self.seed, self.flag = seed, flag
        self.pickled = pickle.dumps(scenario)
        self.followers: set[Computation] = set()
        self.made: dict[int, Outcome] = {}
        self.begun: set[int] = set()
        self.error: BaseException | None = None
        self.news = threading.Condition()

    @property
    def wanted(self) -> int:
        """Replicates that somebody waits for."""
        return max((one.runs for one in self.followers), default=0)

    @property
    def known(self) -> int:
        """Replicates 0, 1, ... known without a gap."""
        return next(i for i in count() if i not in self.made)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(outcome.indicators.nbytes for outcome in self.made.values())

    def next_for(self, worker: int, workers: int) -> int | None:
        """The replicate that a worker should begin: one of which it may know the past, else any."""
        left = [i for i in range(self.wanted) if i not in self.begun]
        return next((i for i in left if i % workers == worker), left[0] if left else None)

    def tell(self) -> None:
        """Wake all who wait."""
        with self.news:
            self.news.notify_all()


class Computation:
    """Futures in the making for one who asked; iterate to follow them, `cancel` when they are no longer wanted."""

    def __init__(self, office: "Office", making: _Making, scenario: Scenario, runs: int) -> None:
        self.scenario, self.runs = scenario, runs
        self._office, self._making = office, making
        self._cancelled = False

    @property
    def known(self) -> int:
        """Replicates 0, 1, ... known without a gap."""
        return self._making.known

    def cancel(self) -> None:
        """Stop at once: runs that nobody else waits for are given up within some hundredths of a second."""
        self._cancelled = True
        self._office.leave(self, self._making)
        self._making.tell()

    def __iter__(self) -> Iterator[Fan]:
        """Whenever a fifth more is known, from FIRST runs on, until all are known or the computation is cancelled.

        One run more among many changes the picture little, and drawing it takes time from the runs.

        Raises:
            Exception: whatever made a run fail.
        """
        seen, making = 0, self._making
        try:
            while seen < self.runs:
                enough = min(self.runs, max(FIRST, seen + 1 + seen // 5))
                with making.news:
                    making.news.wait_for(lambda: self._ended or making.known >= enough)  # noqa: B023
                    if self._cancelled:
                        return
                    if making.error is not None:
                        raise making.error
                    seen = min(making.known, self.runs)
                    fan = Fan(self.scenario, tuple(making.made[i] for i in range(seen)), self.runs)
                yield fan
        finally:
            self._office.leave(self, making)

    @property
    def _ended(self) -> bool:
        return self._cancelled or self._making.error is not None


class Office:
    """Worker processes that compute futures for whoever asks, one run of each scenario in turn.

    Who asks for what somebody has asked for gets the same runs. They are kept, as far as there is room, when nobody
    waits for them any more.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or cores()
        self._lock = threading.RLock()  # a run that nobody can take is finished while it is handed out
        self._warming = threading.Lock()
        self._crew: list[Workers] = []
        """One process each, so that a replicate goes to the one that knows its past."""
        self._busy: set[Workers] = set()
        self._waiting: deque[_Making] = deque()
        self._known: OrderedDict[tuple[str, int], _Making] = OrderedDict()
        self._folder = tempfile.TemporaryDirectory(prefix="district-sim-")
        self._number = 0
        self.made = 0
        """Runs computed so far."""

    def warm(self) -> None:
        """Start the workers, after compiling the kernels if they never were; returns when they are ready."""
        with self._warming:
            if self._crew:
                return
            compile_first()
            crew = [Workers(1) for _ in range(self._workers)]
            for ready in [worker.submit(_get_ready) for worker in crew]:
                ready.result()
            _get_ready_to_tell()
            with self._lock:
                self._crew = crew
        self._go_on()

    def compute(self, scenario: Scenario, seed: int = 0, runs: int = RUNS) -> Computation:
        """Begin to compute the futures of a scenario, or join those who wait for them; returns at once.

        Args:
            scenario: whose futures.
            seed: the experiment's; replicate r runs with `replicate_seed(seed, r)`.
            runs: how many, at least 1.

        Raises:
            ValueError: fewer than one run.
        """
        if runs < 1:
            raise ValueError(f"runs must be at least 1, not {runs}")
        key = (scenario.model_dump_json(), seed)
        with self._lock:
            making = self._known.get(key)
            if making is None or making.error is not None:
                self._number += 1
                making = _Making(scenario, seed, Path(self._folder.name) / str(self._number))
                self._known[key] = making
            self._known.move_to_end(key)
            computation = Computation(self, making, scenario, runs)
            if making.known < runs:
                making.followers.add(computation)
                making.flag.touch()
                if making not in self._waiting:
                    self._waiting.append(making)
            cold = not self._crew and bool(making.followers)
        if cold:
            threading.Thread(target=self._warm_for, args=(making,), daemon=True).start()
        else:
            self._go_on()
        return computation

    def leave(self, computation: Computation, making: _Making) -> None:
        """Somebody waits no longer; what nobody waits for is given up, and what is known kept while there is room."""
        with self._lock:
            making.followers.discard(computation)
            if not making.followers:
                making.flag.unlink(missing_ok=True)
                if making in self._waiting:
                    self._waiting.remove(making)
            self._make_room()

    def close(self) -> None:
        """End the workers; what they are doing is given up."""
        with self._lock:
            waiting, crew = list(self._waiting), self._crew
            self._waiting.clear()
            self._crew = []
        for making in waiting:
            for computation in list(making.followers):
                computation.cancel()
        for worker in crew:
            worker.close()

    def _make_room(self) -> None:
        """Forget what was asked for longest ago. To be called with the lock."""
        kept = sum(making.size for making in self._known.values())
        for key, making in list(self._known.items()):
            if kept <= MOST_BYTES_KEPT and len(self._known) <= MOST_KEPT:
                break
            if not making.followers:
                kept -= self._known.pop(key).size

    def _warm_for(self, making: _Making) -> None:
        try:
            self.warm()
        except Exception as error:
            with self._lock:
                self._fail(making, error)

    def _go_on(self) -> None:
        """Give every idle worker a run, one of each scenario in turn."""
        with self._lock:
            while self._waiting and (idle := [one for one in self._crew if one not in self._busy]):
                worker, making = idle[0], self._waiting.popleft()
                replicate = making.next_for(self._crew.index(worker), len(self._crew))
                if replicate is None:
                    continue
                self._waiting.append(making)
                making.begun.add(replicate)
                self._busy.add(worker)
                order = making.pickled, replicate_seed(making.seed, replicate), str(making.flag)
                run = worker.submit(_one_future, *order)
                run.add_done_callback(partial(self._finished, making, replicate, worker))

    def _finished(self, making: _Making, replicate: int, worker: Workers, run: "Future[Outcome | None]") -> None:
        error = None if run.cancelled() else run.exception()
        with self._lock:
            self._busy.discard(worker)
            if isinstance(error, BrokenExecutor):
                self._give_up(error)
            outcome = run.result() if error is None and not run.cancelled() else None
            if error is not None:
                self._fail(making, error)
            elif outcome is not None:
                with making.news:
                    making.made[replicate] = outcome
                self.made += 1
            else:  # given up; somebody may have come back meanwhile
                making.begun.discard(replicate)
                if making.followers and making not in self._waiting:
                    self._waiting.append(making)
        making.tell()
        self._go_on()

    def _fail(self, making: _Making, error: BaseException) -> None:
        """Tell all who wait for a scenario; the next who asks begins anew. To be called with the lock."""
        making.error = error
        making.flag.unlink(missing_ok=True)
        if making in self._waiting:
            self._waiting.remove(making)
        making.tell()

    def _give_up(self, error: BaseException) -> None:
        """Tell all who wait; the next computation starts new workers. To be called with the lock."""
        crew, self._crew = self._crew, []
        for making in list(self._waiting):
            self._fail(making, error)
        for worker in crew:
            threading.Thread(target=worker.close, daemon=True).start()


def _get_ready() -> None:
    """In a worker: load what a run needs."""
    from district_sim.scenario.files import load_scenario

    compile_for(load_scenario("classroom"))


def _get_ready_to_tell() -> None:
    """Load what the first probabilities need, which takes a second."""
    from district_sim.experiments.compare import trajectory_shares

    trajectory_shares({})
    import scipy.stats  # noqa: F401


@cache
def office() -> Office:
    """The office that all visitors of the page share."""
    return Office()
