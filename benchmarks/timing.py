"""Timing: two sides that take turns, so that whatever slows the machine slows both."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

PAIRS, QUICK_PAIRS = 9, 3

type Call = Callable[[], Any]


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        if len(values) == 1:
            return cls.exactly(values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def times(self, factor: float) -> "Spread":
        """In another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    @classmethod
    def exactly(cls, value: float) -> "Spread":
        """Of something that was counted."""
        return cls(value, value, value)


@dataclass(frozen=True)
class Turns:
    """Seconds per call of several sides, turn by turn."""

    seconds: dict[str, list[float]]

    def ratio(self, numerator: str, denominator: str) -> Spread:
        """Median and quartiles of one side's time in units of another's, taken within each turn."""
        both = zip(self.seconds[numerator], self.seconds[denominator], strict=True)
        return Spread.of([a / b for a, b in both])

    def fastest(self, among: Sequence[str]) -> str:
        """The side with the smallest median."""
        return min(among, key=lambda name: statistics.median(self.seconds[name]))

    def spread(self, name: str) -> Spread:
        """Seconds per call of one side."""
        return Spread.of(self.seconds[name])


def pairs(quick: bool) -> int:
    """How many turns are taken."""
    return QUICK_PAIRS if quick else PAIRS


def seconds_per_call(call: Call, calls: int = 1, prepare: Call | None = None) -> float:
    """Mean wall time of some calls, each after an untimed `prepare`."""
    if prepare is None:
        start = perf_counter()
        for _ in range(calls):
            call()
        return (perf_counter() - start) / calls
    total = 0.0
    for _ in range(calls):
        prepare()
        start = perf_counter()
        call()
        total += perf_counter() - start
    return total / calls


def take_turns(
    sides: dict[str, Call], turns: int, shortest: float = 0.03, prepare: dict[str, Call] | None = None
) -> Turns:
    """Time all sides in every turn, backwards in every second one.

    Args:
        sides: name -> call, already compiled.
        turns: at least 1.
        shortest: calls are repeated within a turn until they take about this long [s].
        prepare: untimed calls before each call of a side.
    """
    prepare = prepare or {}
    calls = {}
    for name, call in sides.items():
        once = seconds_per_call(call, 1, prepare.get(name))
        if once < 20 * shortest:  # else it is long enough, warm or not
            once = seconds_per_call(call, 1, prepare.get(name))
        calls[name] = max(1, min(10_000, round(shortest / max(once, 1e-7))))
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns):
        for name in list(sides) if turn % 2 == 0 else list(sides)[::-1]:
            seconds[name].append(seconds_per_call(sides[name], calls[name], prepare.get(name)))
    return Turns(seconds)
