"""The whole model: against its naive twin, by size, and where a default run's time goes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import numba
import numpy as np

from benchmarks.rows import Row
from benchmarks.timing import Spread, pairs, seconds_per_call, take_turns
from district_sim.model.parameters import parameters_of

_TESTS = Path(__file__).resolve().parents[1] / "tests"
_FIRMS = 300
_QUARTERS_BEFORE = 20  # quarters before the measured one, so that nothing is in its first state
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000, 100_000)
_SHARE_TURNS = 7


def rows(quick: bool) -> Iterator[Row]:
    """All figures of the whole model."""
    yield _against_twin(quick)
    yield from _by_size(quick)
    yield from _default_run(quick)


@numba.njit
def _nothing(*arguments):  # type: ignore[no-untyped-def]
    """Only crosses into compiled code and back."""


def _naive() -> tuple[ModuleType, ModuleType]:
    """The naive twins and the kernels under one signature, from the tests."""
    if str(_TESTS) not in sys.path:
        sys.path.insert(0, str(_TESTS))
    return import_module("naive"), import_module("naive.cases")


def _district(quarters: int) -> tuple[Any, Any]:
    """Parameters and the state of the default district after some quarters."""
    from district_sim.model.initial import initial_state
    from district_sim.run.run import advance
    from district_sim.scenario.files import load_scenario
    from district_sim.scenario.indicators import NAMES

    p = parameters_of(load_scenario("baseline", [f"firms.count={_FIRMS}"]))
    state = initial_state(p, 1, quarters)
    return p, advance(state, p, np.empty((quarters, len(NAMES))), 0, quarters)


def _against_twin(quick: bool) -> Row:
    from district_sim.model.schedule import one_quarter
    from district_sim.model.state import copied
    from district_sim.scenario.indicators import NAMES

    naive, _ = _naive()
    p, start = _district(_QUARTERS_BEFORE)
    held, row = {"state": start}, np.empty(len(NAMES))

    def fresh() -> None:
        held["state"] = copied(start)

    sides = {
        "naive": lambda: naive.one_quarter(held["state"], p),
        "compiled": lambda: one_quarter(held["state"], p, row),
    }
    turns = take_turns(sides, pairs(quick), prepare={"naive": fresh, "compiled": fresh})
    each = turns.spread("compiled").median * 1e3
    return Row(
        "model.twin",
        f"Naive twin / one quarter compiled, {_FIRMS} firms",
        turns.ratio("naive", "compiled"),
        at_least=300,
        note=f"compiled: {each:.3g} ms per quarter",
    )


# By size ------------------------------------------------------------------------------------------


class _Worker:
    """A process that holds a district of one size and runs quarters when it is told to."""

    def __init__(self, firms: int) -> None:
        command = [sys.executable, "-m", "benchmarks.size_worker", str(firms)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("")

    def ask(self, what: str) -> Any:
        """Send a line (none if empty) and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if what:
            print(what, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of a district size ended with code {self.process.wait()}")
        return json.loads(answer)

    def end(self) -> None:
        """Let the process end, and its memory with it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _by_size(quick: bool) -> Iterator[Row]:
    sizes = QUICK_SIZES if quick else SIZES
    workers: dict[int, _Worker] = {}
    cost: dict[int, list[float]] = {size: [] for size in sizes}
    try:
        for size in sizes:
            workers[size] = _Worker(size)
        for turn in range(pairs(quick)):
            for size in sizes if turn % 2 == 0 else sizes[::-1]:
                cost[size].append(workers[size].ask("measure"))
    finally:
        for worker in workers.values():
            worker.end()
    medians = {size: Spread.of(cost[size]).median for size in sizes}
    highest, lowest = max(medians, key=lambda size: medians[size]), min(medians, key=lambda size: medians[size])
    ratios = Spread.of([a / b for a, b in zip(cost[highest], cost[lowest], strict=True)])
    note = ", ".join(f"{size:,}: {medians[size] * 1e9:.0f} ns" for size in sizes)
    what = f"Most / least expensive size, per firm and quarter, {sizes[0]:,} to {sizes[-1]:,} firms"
    yield Row("model.flat", what, ratios, at_most=1.5, note=note)


# A default run ------------------------------------------------------------------------------------


@contextmanager
def _compiled_calls(calls: list[tuple[Callable[..., Any], tuple[Any, ...], float]]) -> Iterator[None]:
    """Note every crossing from Python into a kernel of district_sim: the kernel, its arguments, its wall time."""
    from district_sim.kernels.compile import Kernel

    def timed(kernel: Any) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            start = perf_counter()
            try:
                return kernel(*arguments)
            finally:
                calls.append((kernel, arguments, perf_counter() - start))

        return call

    modules = [module for name, module in sys.modules.items() if name.startswith("district_sim.")]
    found = [(m, name, value) for m in modules for name, value in vars(m).items() if isinstance(value, Kernel)]
    wrapped = {id(value): timed(value) for _, _, value in found}
    try:
        for module, name, value in found:
            setattr(module, name, wrapped[id(value)])
        yield
    finally:
        for module, name, value in found:
            setattr(module, name, value)


def _crossing(arguments: tuple[Any, ...]) -> float:
    """Seconds to hand such arguments to compiled code that does nothing."""
    _nothing(*arguments)
    return seconds_per_call(lambda: _nothing(*arguments), 200)


def _default_run(quick: bool) -> Iterator[Row]:
    from district_sim.run.run import simulate
    from district_sim.scenario.files import load_scenario

    scenario = load_scenario("baseline")
    simulate(scenario, 0)
    shares, seconds = [], []
    crossing: dict[int, float] = {}
    for turn in range(3 if quick else _SHARE_TURNS):
        seconds.append(seconds_per_call(lambda: simulate(scenario, 0)))
        calls: list[tuple[Callable[..., Any], tuple[Any, ...], float]] = []
        with _compiled_calls(calls):
            total = seconds_per_call(lambda: simulate(scenario, 0))
        for kernel, arguments, _ in calls if turn == 0 else ():
            if id(kernel) not in crossing:
                crossing[id(kernel)] = _crossing(arguments)
        shares.append(100.0 * sum(max(0.0, took - crossing[id(kernel)]) for kernel, _, took in calls) / total)
    crossed = sum(crossing[id(kernel)] for kernel, _, _ in calls)
    what = f"{scenario.firms.count} firms, {scenario.run.quarters} quarters"
    note = f"{len(calls)} crossings, {crossed * 1e3:.3g} ms in all, not counted as inside"
    yield Row(
        "model.compiled",
        f"Default run's time inside compiled code, {what}",
        Spread.of(shares),
        unit="%",
        at_least=80,
        note=note,
    )
    run_time = Spread.of(seconds).times(1e3)
    yield Row("model.run", f"Default run, warm, {what}", run_time, unit="ms", better="lower", note=_breakdown(quick))


def _breakdown(quick: bool) -> str:
    """Share of each process in a quarter, each called alone on the state in which it runs."""
    if quick:
        return "by process: not with --quick"
    from district_sim.model.state import copied

    _, cases = _naive()
    p, start = _district(_QUARTERS_BEFORE)
    s = (p.strategy if start.clock.step[0] >= p.strategy_start else p.history)[0]
    spent: dict[str, list[float]] = {}
    for _ in range(30):
        state = copied(start)
        state.tally[:] = 0.0
        for name, process in cases._KERNELS.items():
            spent.setdefault(name, []).append(seconds_per_call(partial(process, state, p, s)))
    least = min(min(times) for times in spent.values())  # about what a crossing costs
    median = {name: max(0.0, Spread.of(times).median - least) for name, times in spent.items()}
    order = sorted(median, key=lambda name: -median[name])
    total = sum(median.values())
    return "by process: " + ", ".join(f"{name} {100 * median[name] / total:.0f} %" for name in order[:8])
