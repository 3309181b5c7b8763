"""Processes that compute: started afresh, on one thread each, and gone when their parent is gone."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess

WORTH_PROCESSES = 20
"""Jobs: starting processes takes as long as some."""


def start_worker() -> None:
    """Initializer of every worker: one thread; deaf to Ctrl-C, which its parent answers; gone when its parent is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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


def make_pool(workers: int | None = None) -> ProcessPoolExecutor:
    """A pool of worker processes, by default one for each of `cores`."""
    return ProcessPoolExecutor(workers or cores(), get_context("spawn"), initializer=start_worker)


@contextmanager
def worker_pool(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """`make_pool` for a `with` block; what has not begun when the block ends is dropped."""
    pool = make_pool(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def no_interrupt() -> Iterator[None]:
    """A block in which Ctrl-C waits; processes started in it never hear of it, not even while they start."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def compile_first() -> None:
    """Compile the kernels once, in a process of its own, before every worker does it for itself."""
    from district_sim.kernels.compile import is_compiled

    if is_compiled():
        return
    process = get_context("spawn").Process(target=_compile, daemon=True)
    with no_interrupt():
        process.start()
    try:
        process.join()
    finally:
        process.kill()


def measured[Job, Result](
    measure: Callable[[Job], Result],
    jobs: Sequence[Job],
    progress: Callable[[int, int], object] | None = None,
    workers: int | None = None,
) -> list[Result]:
    """What a function of the model makes of each job, in order.

    Args:
        measure: of a module, as it goes to other processes. progress: called with the jobs done and all.
        workers: processes; 1 is this one; by default all cores, or this one for few jobs.
    """

    def collected(results: Iterable[Result]) -> list[Result]:
        out = []
        for one in results:
            out.append(one)
            if progress:
                progress(len(out), len(jobs))
        return out

    if workers == 1 or (workers is None and len(jobs) < WORTH_PROCESSES):
        return collected(map(measure, jobs))
    compile_first()
    with worker_pool(workers) as pool:
        with no_interrupt():
            results = pool.map(measure, jobs, chunksize=4)
        return collected(results)


def _compile() -> None:
    from district_sim.run.run import simulate
    from district_sim.scenario.files import load_scenario

    simulate(load_scenario("classroom", {"run.quarters": 2}))
