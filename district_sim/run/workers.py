"""Processes that compute: started afresh, on one thread each, and gone when their parent is gone.

`measured` makes a list of jobs; `Workers` is for several lists, for jobs handed out one by one, and for somebody
else's executor (Dask, MPI). Ctrl-C is heard by the parent alone; what has not begun is then dropped.
"""

import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from district_sim.scenario.sections import Scenario

type Progress = Callable[[int, int], object]
"""Called with the jobs done and all of them."""

_FROM_TERMINAL = {signal.SIGINT, signal.SIGHUP} if hasattr(signal, "SIGHUP") else {signal.SIGINT}
"""Signals that reach workers, too: Ctrl-C, and the end of the terminal."""

WORTH_PROCESSES = 20
"""Jobs: starting processes takes as long as some."""


class WorkerError(RuntimeError):
    """Workers cannot work at all, or were lost."""


def stop_signals() -> tuple[signal.Signals, ...]:
    """Ctrl-C; what `kill` and batch systems send; a terminal that is closed. Without those that nohup has ignored."""
    others = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return (signal.SIGINT, *(kind for kind in others if signal.getsignal(kind) != signal.SIG_IGN))


def start_worker() -> None:
    """Initializer of every worker: one thread; deaf to what a terminal sends, as its parent answers; gone with it."""
    for kind in _FROM_TERMINAL:
        signal.signal(kind, signal.SIG_IGN)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"district_sim\.kernels")  # its parent has said it
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    from district_sim.kernels.compile import use_one_thread

    use_one_thread()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_pool(workers: int) -> Executor:
    """A pool of worker processes."""
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=start_worker)


class Workers:
    """Somebody's executor, or processes of our own that start with the first job and end with the `with` block.

    Attributes:
        count: how many jobs are made at once.
    """

    def __init__(self, count: int | None = None, executor: Executor | None = None) -> None:
        """With so many; by default as many as the executor says that it has, or one for each of `cores`."""
        self._own = executor is None
        self.count = count or _slots(executor)
        self._executor = executor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End our own processes; what has not begun is dropped. Somebody's executor is left alone."""
        if self._own and self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def restart(self) -> None:
        """Replace processes of which one was lost.

        Raises:
            WorkerError: the executor is not ours to replace.
        """
        if not self._own:
            raise WorkerError("a worker was lost, and with it the executor")
        self.close()

    def submit[Result](self, work: Callable[..., Result], *given: Any) -> Future[Result]:
        """Hand out one job; where there is nobody left to take it, the future says so (`BrokenExecutor`)."""
        try:
            with no_interrupt():
                return self._start().submit(work, *given)
        except RuntimeError as error:  # a worker was killed; or the executor has been shut down
            failed: Future[Result] = Future()
            failed.set_exception(error if isinstance(error, BrokenExecutor) else BrokenExecutor(str(error)))
            return failed

    def map[Job, Result](
        self, work: Callable[[Job], Result], jobs: Sequence[Job], progress: Progress | None = None, chunk: int = 1
    ) -> list[Result]:
        """What a function makes of each job, in order; by a single worker of our own, in this process.

        Args:
            work: of a module, as it goes to other processes.
            progress: called after every job.
            chunk: jobs handed out together: more than one where a job takes less than a hundredth of a second.

        Raises:
            WorkerError: a worker was lost.
        """
        made: list[Result] = []
        try:
            if self._own and self.count == 1:
                results: Iterator[Result] = map(work, jobs)
            else:
                with no_interrupt():
                    results = self._start().map(work, jobs, chunksize=chunk)
            for one in results:
                made.append(one)
                if progress:
                    progress(len(made), len(jobs))
        except BrokenExecutor as error:
            raise WorkerError("a worker process was lost (out of memory?); try again with fewer --workers") from error
        return made

    def _start(self) -> Executor:
        if self._executor is None:
            self._executor = make_pool(self.count)
        return self._executor


def _slots(executor: Executor | None) -> int:
    """How many jobs an executor makes at once, as MPI and pools report it."""
    for name in ("num_workers", "_max_workers"):
        number = getattr(executor, name, None)
        if isinstance(number, int) and number > 0:
            return number
    return cores()


@contextmanager
def no_interrupt() -> Iterator[None]:
    """A block in which Ctrl-C and a closed terminal wait; processes started in it never hear of them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FROM_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def compile_first(
    scenarios: "Iterable[Scenario | None]" = (None,), compiling: Callable[[], object] | None = None
) -> None:
    """Compile the kernels once, in a process of its own, before every worker does it for itself.

    Args:
        scenarios: one of each shape, see `one_of_each_shape`; None for the default shape.
        compiling: called if there is something to compile.
    """
    from district_sim.kernels.compile import cache_folder
    from district_sim.run.compiled import is_compiled

    missing = [scenario for scenario in scenarios if not is_compiled(scenario)]
    if missing and compiling is not None:
        compiling()
    if not missing or cache_folder is None:  # without a folder every worker has to
        return
    process = get_context("spawn").Process(target=_compile, args=(missing,), daemon=True)
    with no_interrupt():
        process.start()
    try:
        process.join()
    finally:
        if process.is_alive():
            process.kill()


def measured[Job, Result](
    measure: Callable[[Job], Result],
    jobs: Sequence[Job],
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[Result]:
    """What a function of the model makes of each job, in order: `Workers.map` with kernels compiled before.

    Args:
        workers: processes; 1 is this one; by default all cores, or this one for few jobs.
    """
    if workers is None and len(jobs) < WORTH_PROCESSES:
        workers = 1
    with Workers(workers) as crew:
        if crew.count > 1:
            compile_first()
        return crew.map(measure, jobs, progress)


def _compile(scenarios: "Iterable[Scenario | None]") -> None:
    from district_sim.run.compiled import compile_for
    from district_sim.scenario.sections import Scenario

    for scenario in scenarios:
        compile_for(scenario or Scenario())
