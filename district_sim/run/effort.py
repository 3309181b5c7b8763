"""What runs will take, before they begin: from the size of the district alone.

The rates were measured on a quiet machine with two cores (docs/performance.md). They are for saying in time that
something takes an hour, not for planning to the minute.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from district_sim.model.parameters import parameters_of
from district_sim.model.state import State, empty_state
from district_sim.scenario.sections import Scenario

_SECONDS = 3.5e-6  # for a firm and a quarter; a sixth less or more from 100,000 to a million firms
_DRAWING = 0.6e-3  # seconds for a firm: figures and tables of `run --out`
_DRAWN = 9000.0  # bytes for a firm while they are made
_ROWS = 1.3  # rows for each firm: room for newborns
_PROCESS = 300e6  # bytes of a process with everything loaded


@dataclass(frozen=True, slots=True)
class Effort:
    """Of one run, or of several."""

    seconds: float
    """On one core; the largest districts use all of them."""
    bytes: float
    """Most that the processes hold together."""


def effort_of(scenario: Scenario, kept: int = 0, drawn: bool = False) -> Effort:
    """What one run takes.

    Args:
        kept: moments on the way that are kept, as by `simulate(every=...)`.
        drawn: whether its figures are drawn.
    """
    firms = scenario.firms.count
    p = parameters_of(scenario)
    row, moment = _bytes(empty_state(0, 2000, p, 0)) - _bytes(empty_state(0, 1000, p, 0)), _moment(p)
    each = _ROWS * row / 1000 + moment * (2 + kept) + _DRAWN * drawn
    quarters = scenario.run.quarters + scenario.firms.settling
    return Effort(firms * (quarters * _SECONDS + _DRAWING * drawn), _PROCESS + firms * each)


def together(efforts: Iterable[Effort], runs: int, workers: int) -> Effort:
    """What many runs take.

    Args:
        efforts: of some of them, at least one. runs: all. workers: at once; each may hold the largest.
    """
    found = list(efforts)
    seconds = sum(one.seconds for one in found) / len(found) * runs / workers
    return Effort(seconds, max(one.bytes for one in found) * min(workers, runs))


def memory_here() -> float | None:
    """Bytes of memory that this machine has; None where it does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # Windows
        return None


def _bytes(part: object) -> int:
    return sum(map(_bytes, part)) if isinstance(part, tuple) else int(getattr(part, "nbytes", 0))


def _moment(p: object) -> int:
    """Bytes that a snapshot keeps of each firm."""
    state: State = empty_state(0, 1, p, 0)
    return int(state.firms.dtype.itemsize + state.ties.dtype.itemsize)
