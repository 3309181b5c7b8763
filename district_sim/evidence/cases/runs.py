"""Runs of a case: the values its targets are about, and the path of firms and employees."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from district_sim.model.parameters import parameters_of
from district_sim.run.workers import compile_first, no_interrupt, worker_pool

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case
    from district_sim.scenario.sections import Scenario

type Progress = Callable[[int, int], None]
type Wanted = tuple[tuple[str, int, int | None], ...]
"""Of each target: measure, quarter, quarter whose value it is divided by."""

PATHS = ("firms", "employment")
"""Indicators of which the whole path is kept."""
_POLL = 0.2  # seconds between looks at what is done: Ctrl-C is heard meanwhile


@dataclass(frozen=True, slots=True)
class Observed:
    """One run of a case."""

    values: np.ndarray
    """(targets,) nan for all if the run broke off, as with extreme rates of entry."""
    paths: np.ndarray
    """(quarters, len(PATHS))."""


def watch(scenario: "Scenario", seed: int, wanted: Wanted) -> Observed:
    """Run a scenario once and look at what is wanted.

    Args:
        seed: 0 <= seed < 2**64. wanted: quarters are at least 1 and at most the run's length.
    """
    from district_sim.evidence.cases.observables import measured
    from district_sim.model.indicators import NAMES
    from district_sim.model.initial import initial_state
    from district_sim.run.run import advance

    length, p = scenario.run.quarters, parameters_of(scenario)
    table = np.full((length, len(NAMES)), np.nan)
    columns = [NAMES.index(name) for name in PATHS]
    try:
        state = initial_state(p, seed, length)
        seen: dict[tuple[str, int], float] = {}
        stops = sorted({q for _, *quarters in wanted for q in quarters if q is not None} | {length})
        done = 0
        for stop in stops:
            state = advance(state, p, table, done, stop)
            done = stop
            firms = state.firms[state.firms.alive]
            for name in {name for name, *quarters in wanted if stop in quarters}:
                seen[name, stop] = measured(name, firms, table[stop - 1])
    except RuntimeError:  # more firms than there is room for
        return Observed(np.full(len(wanted), np.nan), table[:, columns])
    values = [seen[name, at] / (1.0 if since is None else seen[name, since] or np.nan) for name, at, since in wanted]
    return Observed(np.array(values, float), table[:, columns])


def scaled(scenario: "Scenario", share: float, values: Mapping[str, float] | None = None) -> "Scenario":
    """A scenario with other values of some numbers, and a share of its firms.

    Args:
        share: 0..1. values: by dotted path, such as "demography.exit".
    """
    from district_sim.scenario.sections import Scenario

    data = scenario.model_dump(mode="json")
    for path, value in (values or {}).items():
        section, name = path.split(".")
        data[section][name] = value
    data["firms"]["count"] = max(10, round(share * data["firms"]["count"]))
    return Scenario.model_validate(data)


def counted(case: "Case", scenario: "Scenario") -> np.ndarray:
    """By what the targets' values of a scaled district are multiplied: (targets,)."""
    from district_sim.evidence.cases.observables import MEASURES

    share = scenario.firms.count / case.scenario.firms.count
    return np.array([1.0 if t.since or not MEASURES[t.measure].extensive else 1.0 / share for t in case.targets])


class Runner:
    """Makes runs, on one process or on many; `runs` is how many it has made."""

    def __init__(self, executor: Executor | None, tell: Callable[[int], None] | None = None) -> None:
        """With an executor, or none to run in this process; `tell` hears the number of runs made."""
        self._executor, self._tell, self.runs = executor, tell, 0

    def all(self, jobs: Sequence[tuple["Scenario", int, Wanted]]) -> list[Observed]:
        """Results in the order of the jobs."""
        if self._executor is None:
            return [self._counted(watch(*job)) for job in jobs]
        with no_interrupt():
            futures = [self._executor.submit(watch, *job) for job in jobs]
        try:
            pending: set[Future[Observed]] = set(futures)
            while pending:
                done, pending = wait(pending, timeout=_POLL)
                for future in done:
                    self._counted(future.result())
        finally:
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]

    def _counted(self, result: Observed) -> Observed:
        self.runs += 1
        if self._tell:
            self._tell(self.runs)
        return result


@contextmanager
def make_runner(workers: int | None, tell: Callable[[int], None] | None = None) -> Iterator[Runner]:
    """A `Runner` for a `with` block, on as many processes; 1 is this one."""
    if workers == 1:
        from district_sim.kernels.compile import use_one_thread

        use_one_thread()
        yield Runner(None, tell)
        return
    compile_first()
    with worker_pool(workers) as pool:
        yield Runner(pool, tell)


def ensemble(case: "Case", seeds: Sequence[int], progress: Progress | None, workers: int | None) -> list[Observed]:
    """Runs of a case at full size, one for each seed."""
    tell = None if progress is None else lambda done: progress(done, len(seeds))
    with make_runner(workers, tell) as runner:
        return runner.all([(case.scenario, seed, case.wanted) for seed in seeds])
