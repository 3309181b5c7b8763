"""Mechanisms from outside at work: quarters in Python, in which they act between our compiled processes.

They cost nothing where none acts: then the compiled `schedule.quarters` runs as ever.
"""

from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from district_sim.model import schedule
from district_sim.model.indicators import record
from district_sim.model.parameters import Extension, Parameters
from district_sim.model.scratch import list_living
from district_sim.model.state import State
from district_sim.scenario.extensions import indicators_of
from district_sim.scenario.indicators import NAMES


def columns_of(p: Parameters) -> tuple[str, ...]:
    """Names of the columns of a table of indicators: ours, then those of the mechanisms from outside."""
    return (*NAMES, *indicators_of(extension.mechanism.name for extension in p.extensions))


class _Own(NamedTuple):
    """A mechanism, its record in a state's memory, and the columns of its indicators."""

    extension: Extension
    place: slice
    columns: slice

    def record(self, state: State) -> Any:
        return state.memory[self.place].view(self.extension.record).view(np.recarray)[0]


def quarters_with(p: Parameters, state: State) -> Any:
    """A function called as `schedule.quarters`, in whose quarters the mechanisms of `p.extensions` act.

    Args:
        p: parameters with extensions.
        state: whose memory receives the numbers of their sections; they may have changed within a run.
    """
    acting, first, column = [], 0, len(NAMES)
    for extension in p.extensions:
        size, wide = len(extension.record.names or ()), len(extension.mechanism.indicators)
        own = _Own(extension, slice(first, first + size), slice(column, column + wide))
        first, column = own.place.stop, own.columns.stop
        for name, value in extension.numbers.items():
            own.record(state)[name] = value
        if extension.on:
            acting.append(own)
    if not acting:
        return schedule.quarters

    def at(place: str, state: State, living: Any, p: Any, s: Any) -> Any:
        for own in acting:
            if own.extension.mechanism.place == place:
                living = list_living(state.firms, state.clock, state.scratch)
                own.extension.mechanism.act(state, living, p, s, own.record(state))
                living = list_living(state.firms, state.clock, state.scratch)  # it may have closed some
        return living

    def observed(state: State, p: Any, row: np.ndarray) -> None:
        record(state, p, row)
        for own in acting:
            indicators = own.extension.mechanism.indicators
            row[own.columns] = [one.function(state, p, own.record(state)) for one in indicators]

    one_quarter = _in_python(schedule.one_quarter, at=at, record=observed)
    return _in_python(schedule.quarters, one_quarter=one_quarter)


def _in_python(kernel: Any, **instead: Any) -> Any:
    """A kernel uncompiled, with other functions in place of some that it calls; those left are compiled as ever.

    So the schedule is written once: in compiled code `schedule.at` is nothing, here it is what calls the mechanisms.
    """
    plain = kernel.py_func
    return FunctionType(plain.__code__, plain.__globals__ | instead, plain.__name__, plain.__defaults__)
