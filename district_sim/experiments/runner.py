"""Running an experiment on any `concurrent.futures.Executor`: chunks out, shards in, nothing lost and nothing twice."""

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from district_sim.experiments.checks import extensions_of
from district_sim.experiments.design import Experiment
from district_sim.experiments.plan import Plan, make_plan, model_version
from district_sim.experiments.points import families
from district_sim.experiments.results import enough, outcome_values
from district_sim.experiments.store import Counts, StorageError, Store, open_store, unwritable
from district_sim.experiments.work import Chunk, Made, Orders, Report, RunId, begun, work_on
from district_sim.run.workers import Progress, WorkerError, Workers, compile_first, stop_signals

_MOST_RUNS = 2000  # in one chunk: what a worker holds in memory
_FIRST, _SHORTEST, _LONGEST = 1.0, 3.0, 1800.0  # seconds of computing in a chunk
_TAIL = (0.1, 0.5)  # the same in the last ones: shorter than this, storing a chunk takes longer than it saves
_CHUNKS = 200  # a sweep is cut into about so many chunks per worker


@dataclass(frozen=True, slots=True)
class Summary:
    """How a call of `run_experiment` ended."""

    folder: Path
    counts: Counts
    """Runs in the folder."""
    wanted: int
    """Runs that the experiment asks for, as far as known: with `until`, rounds may follow."""
    interrupted: bool
    not_reached: tuple[int, ...] = ()
    """Points whose outcomes were not within `until` at `maximum` replications."""
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every run that was asked for is in the folder, failed ones included."""
        return not self.interrupted and self.counts.total >= self.wanted


def run_experiment(
    experiment: Experiment,
    folder: str | Path,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
    compiling: Callable[[], object] | None = None,
    planned: Callable[[Plan], object] | None = None,
) -> Summary:
    """Make the runs of an experiment that the folder does not hold yet.

    The data set that comes of it does not depend on executor, workers, interruptions or their moments.

    Args:
        experiment: what to run.
        folder: made if missing; must hold nothing or the same experiment. On a cluster: shared by all machines.
        executor: where to run; a pool of processes on this machine if left out.
        workers: how many runs at once; by default all cores, or as many as the executor has.
        progress: called after every chunk with the number of runs in the folder and of runs wanted.
        retry_failed: make failed runs again.
        compiling: called if the model has to be compiled first, which takes up to a minute.
        planned: called with what is about to be run, before anything is.

    Returns:
        A summary; after Ctrl-C (in the main thread) with `interrupted` set and all finished runs kept.

    Raises:
        ScenarioError: the experiment cannot be run, or the folder holds something else or is in use.
        StorageError: the disk is full or the folder cannot be written; finished runs are kept.
        WorkerError: the workers cannot work.
    """
    started = time.monotonic()
    folder = Path(folder)
    plan = make_plan(experiment)
    if planned is not None:
        planned(plan)
    with open_store(folder, plan) as store:
        if retry_failed:
            store.forget_failed()
        compile_first(plan.shapes, compiling)
        with Workers(workers, executor) as crew, _interrupts() as interrupted:
            sweep = _Sweep(plan, store, crew, interrupted, progress)
            replications = [experiment.replications] * len(plan.points)
            while sweep.carry_out(replications) and experiment.until:
                further = _next_round(plan, store, replications)
                if further == replications:
                    break
                replications = further
        not_reached = () if sweep.stopping or not experiment.until else _not_reached(plan, store, replications)
        return Summary(
            folder, store.counts(), sum(replications), sweep.stopping, not_reached, time.monotonic() - started
        )


# Enough replications ------------------------------------------------------------------------------


def _next_round(plan: Plan, store: Store, replications: list[int]) -> list[int]:
    """Replications per point in the next round: from finished replicates alone, so the same however they were made.

    The standard error falls with the root of the number; it is at most doubled, as the first estimates are rough.
    """
    experiment, values = plan.experiment, outcome_values(store.folder, plan.experiment)
    further = []
    for point, count in zip(plan.points, replications, strict=True):
        short = enough(experiment, values.get(point.index, {}), count)
        wanted = max(count + 1, min(2 * count, math.ceil(count * short**2))) if short > 1.0 else count
        further.append(max(count, min(experiment.maximum, wanted)))
    return further


def _not_reached(plan: Plan, store: Store, replications: list[int]) -> tuple[int, ...]:
    values = outcome_values(store.folder, plan.experiment)
    return tuple(
        point.index
        for point, count in zip(plan.points, replications, strict=True)
        if enough(plan.experiment, values.get(point.index, {}), count) > 1.0
    )


# Carrying out -------------------------------------------------------------------------------------


class _Sweep:
    """Chunks in flight, and what became of them."""

    def __init__(
        self, plan: Plan, store: Store, crew: Workers, interrupted: Callable[[], bool], progress: Progress | None
    ) -> None:
        self.stopping = False
        self._plan, self._store, self._crew = plan, store, crew
        self._interrupted, self._progress = interrupted, progress
        e = plan.experiment
        model = model_version(extensions_of(plan.bases))
        work = str(store.work.resolve())
        self._orders = Orders(work, e.seed, e.keep, e.conditions(), plan.kinds, plan.bases, model, e.draws)
        self._flying: dict[Future[Report], Chunk] = {}
        self._again: deque[RunId] = deque()
        self._fresh: Iterator[list[RunId]] = iter(())
        self._here, self._wanted = 0, 0  # runs
        self._left = 0  # runs not yet given to anybody
        self._made, self._seconds = 0, 0.0  # of this session
        self._breaks_in_vain = 0

    def carry_out(self, replications: list[int]) -> bool:
        """Make all missing runs of these replications; False if stopped by Ctrl-C."""
        asked = zip(self._plan.points, replications, strict=True)
        self._here = sum(self._store.made_below(point.index, count) for point, count in asked)
        self._wanted = sum(replications)
        self._fresh = self._missing(replications)
        self._left = self._wanted - self._here
        self._tell()
        try:
            while self._fly():
                done, _ = wait(self._flying, timeout=0.2, return_when=FIRST_COMPLETED)
                lost = [chunk for future in done if (chunk := self._land(future)) is not None]
                if lost and not self.stopping:
                    self._rescue(lost)
                if done:
                    self._tell()
                if self._interrupted() and not self.stopping:
                    self.stopping = True
                    self._store.ask_to_stop()
        except BaseException:
            self._store.ask_to_stop()  # nobody will collect what the workers still do
            raise
        return not self.stopping

    def _missing(self, replications: list[int]) -> Iterator[list[RunId]]:
        """Runs of one replicate with one past together, so that one worker makes them one after another."""
        for relatives in families(self._plan.points, self._plan.bases):
            known = {index: self._store.replicates_of(index) for index in relatives}
            for replicate in range(max(replications[index] for index in relatives)):
                wanted = [index for index in relatives if replicate < replications[index]]
                if runs := [(index, replicate) for index in wanted if replicate not in known[index]]:
                    yield runs

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._here, self._wanted)

    def _commit(self, chunk: Chunk, report: Report) -> None:
        self._store.commit(chunk.shard, report)
        self._here += len(report.made)
        self._made += len(report.made)
        self._seconds += sum(made.seconds for made in report.made)

    def _fly(self) -> bool:
        """Keep every worker busy and one chunk waiting for each; False when there is nothing more to wait for."""
        while not self.stopping and len(self._flying) < 2 * self._crew.count:
            chunk = self._next_chunk()
            if chunk is None:
                break
            self._flying[self._crew.submit(work_on, chunk)] = chunk
        return bool(self._flying)

    def _next_chunk(self) -> Chunk | None:
        """As many runs as fill the time of a chunk, fewer towards the end so that all workers end together.

        How long a run takes is known once a chunk has landed; before, the time of a chunk alone bounds it.
        """
        workers = self._crew.count
        share = self._left / (3 * workers if workers > 1 else 2 - len(self._flying))
        if not self._seconds:
            return self._chunk_of(math.ceil(share), _FIRST)
        mean = self._seconds / self._made
        seconds = min(_LONGEST, max(_SHORTEST, self._left * mean / workers / _CHUNKS))
        least = max(_TAIL[0] / mean, min(_TAIL[1] / mean, self._left / workers))
        return self._chunk_of(math.ceil(min(max(share, least), 1.5 * seconds / mean)), seconds)

    def _chunk_of(self, count: int, seconds: float) -> Chunk | None:
        """The next so many runs, those given back first; nothing if none are left."""
        count = max(1, min(_MOST_RUNS, count))
        runs = [self._again.popleft() for _ in range(min(count, len(self._again)))]
        while len(runs) < count and (more := next(self._fresh, None)) is not None:
            runs += more
        self._again.extendleft(reversed(runs[_MOST_RUNS:]))
        runs = runs[:_MOST_RUNS]
        self._left -= len(runs)
        return self._chunk(runs, seconds) if runs else None

    def _chunk(self, runs: list[RunId], seconds: float) -> Chunk:
        points = {index: self._plan.points[index] for index, _ in runs}
        self._store.next_shard += 1
        return Chunk(self._orders, self._store.next_shard - 1, tuple(runs), points, seconds)

    def _land(self, future: Future[Report]) -> Chunk | None:
        """Write a finished chunk down; the chunk itself if its worker was lost."""
        chunk = self._flying.pop(future)
        try:
            report = future.result()
        except BrokenExecutor:
            return chunk
        except (WorkerError, StorageError):
            raise
        except OSError as error:
            raise unwritable(self._store.folder, error) from error
        except Exception as error:
            raise WorkerError(f"a worker was lost ({type(error).__name__}: {error})") from error
        self._commit(chunk, report)
        self._give_back(report.left)
        self._breaks_in_vain = 0
        return None

    def _give_back(self, runs: tuple[RunId, ...]) -> None:
        self._again.extend(runs)
        self._left += len(runs)

    # A worker was lost --------------------------------------------------------------------------

    def _rescue(self, lost: list[Chunk]) -> None:
        """Go on with new workers; a run that was in progress is made alone, and recorded if it kills again."""
        if self._flying:
            wait(self._flying)
            lost += [chunk for future in list(self._flying) if (chunk := self._land(future)) is not None]
        self._crew.restart()
        suspects = []
        for chunk in lost:
            running = begun(self._store.work, chunk.shard)
            self._give_back(tuple(run for run in chunk.runs if run != running))
            suspects += [running] if running is not None else []
        self._breaks_in_vain = 0 if suspects else self._breaks_in_vain + 1
        if self._breaks_in_vain > 2:
            raise WorkerError("worker processes end before they start work")
        for number, run in enumerate(suspects):
            if self._interrupted():
                self._give_back(tuple(suspects[number:]))
                return
            self._try_alone(run)

    def _try_alone(self, run: RunId) -> None:
        chunk = self._chunk([run], _SHORTEST)
        future = self._crew.submit(work_on, chunk)
        self._flying[future] = chunk
        while not wait([future], timeout=0.2).done:
            if self._interrupted() and not self.stopping:
                self.stopping = True
                self._store.ask_to_stop()
        if self._land(future) is None:
            return
        self._crew.restart()
        said = "the process that made this run was killed, twice (out of memory?)"
        self._commit(chunk, Report([Made(*run, "failed", 0, 0.0, said)]))


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Yields whether somebody asked to stop (`stop_signals`); a second time is raised at once."""
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {kind: signal.signal(kind, note) for kind in stop_signals()}
    try:
        yield lambda: pressed
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
