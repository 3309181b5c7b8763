"""Sweeps: two workers against one, what dispatching and storing cost beside the simulating, and what arms share.

The same replicates of the classroom district are made three ways, in turns: by a sweep with one worker, by a sweep with
two, and by a plain loop in this process on one thread that keeps nothing. Workers are started before the clock is.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from time import perf_counter

from benchmarks.rows import Row
from benchmarks.timing import Spread, take_turns
from district_sim.model.parameters import parameters_of

_TURNS, _QUICK_TURNS = 7, 3
_SECONDS, _QUICK_SECONDS = 6.0, 1.0  # of simulating in one sweep
_SCENARIO = "classroom"
_QUARTERS = 160


def rows(quick: bool) -> Iterator[Row]:
    """All figures."""
    import numba

    from district_sim.run.workers import cores

    if cores() < 2:
        yield Row("sweeps.workers", "One worker / two workers", at_least=1.85, note="this machine has one core")
        return
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield from _measured(quick)
        yield _arms(quick)
    finally:
        numba.set_num_threads(before)


def _measured(quick: bool) -> Iterator[Row]:
    from district_sim.experiments import Experiment, run_experiment
    from district_sim.run.workers import make_pool

    plain = _plain(1)
    plain()
    start = perf_counter()
    plain()
    runs = 2 * max(8, round(0.5 * (_QUICK_SECONDS if quick else _SECONDS) / (perf_counter() - start)))
    experiment = Experiment(name="benchmark", scenarios=(_SCENARIO,), replications=runs)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        number = count()

        def sweep(workers: int) -> Callable[[], object]:
            pool = stack.enter_context(make_pool(workers))
            return lambda: run_experiment(experiment, root / str(next(number)), executor=pool, workers=workers)

        sides = {"plain": _plain(runs), "one": sweep(1), "two": sweep(2)}
        turns = take_turns(sides, _QUICK_TURNS if quick else _TURNS, shortest=0.0)
    what = f"{runs} runs of {_SCENARIO}"
    seconds = turns.spread("one").median
    yield Row(
        "sweeps.workers",
        f"One worker / two workers, {what}",
        turns.ratio("one", "two"),
        at_least=1.85,
        note=f"one worker: {seconds:.2f} s",
    )
    over = [
        100.0 * (one / alone - 1.0) for one, alone in zip(turns.seconds["one"], turns.seconds["plain"], strict=True)
    ]
    yield Row(
        "sweeps.overhead",
        f"Dispatching, scoring and storing, beside simulating, {what}",
        Spread.of(over),
        unit="%",
        at_most=10,
        note=f"{(seconds - turns.spread('plain').median) / runs * 1e3:.2g} ms per run",
    )


def _plain(runs: int) -> Callable[[], None]:
    """Simulate the experiment's replicates one after another and keep nothing."""
    from district_sim.kernels.draws import replicate_seed
    from district_sim.run.run import quarters_of
    from district_sim.scenario.files import load_scenario

    scenario = load_scenario(_SCENARIO)
    p, quarters = parameters_of(scenario), scenario.run.quarters

    def call() -> None:
        for replicate in range(runs):
            for _ in quarters_of(p, replicate_seed(0, replicate), quarters):
                pass

    return call


def _arms(quick: bool) -> Row:
    """Ten strategies for one default district, with one past for all and with a past for each."""
    from district_sim.run.run import quarters_of
    from district_sim.run.shared_past import Pasts, past_of
    from district_sim.scenario.files import load_scenario

    arms = [parameters_of(load_scenario("baseline", {"strategy.sale": k / 20})) for k in range(10)]
    pasts, seeds = Pasts(), count()

    def shared() -> None:
        seed = next(seeds)
        for p in arms:
            for _ in pasts.quarters(p, past_of(p), seed, _QUARTERS):
                pass

    def alone() -> None:
        seed = next(seeds)
        for p in arms:
            for _ in quarters_of(p, seed, _QUARTERS):
                pass

    turns = take_turns({"shared": shared, "alone": alone}, _QUICK_TURNS if quick else _TURNS, shortest=0.0)
    return Row(
        "sweeps.arms", "Ten arms with one past / each with its own, default runs", turns.ratio("shared", "alone"),
        at_most=0.72, note=f"each with its own: {turns.spread('alone').median:.2f} s",
    )  # fmt: skip
