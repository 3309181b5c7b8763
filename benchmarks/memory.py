"""Memory: bytes per firm, peak included, and what a quarter allocates.

A process builds a small district, so that everything is imported and all kernels are loaded, notes how much memory it
holds, builds a district of a million firms and runs some quarters. The highest resident memory since, less what it held
before, divided by the firms, is the cost of a firm: initial state, growth of the arrays and all that is thrown away
again included.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from benchmarks.timing import Spread
from district_sim.model.parameters import parameters_of

FIRMS, QUICK_FIRMS = 1_000_000, 100_000
_QUARTERS = 4
_STEADY = 200
_TURNS = 3


def rows(quick: bool) -> Iterator[Row]:
    """Bytes per firm and allocations per quarter."""
    firms = QUICK_FIRMS if quick else FIRMS
    if not Path("/proc/self/clear_refs").exists():
        yield Row("memory", "Memory", note="needs Linux's /proc")
        return
    yield _per_firm(firms, 1 if quick else _TURNS)
    steady = _measured("steady", 300)
    yield Row(
        "memory.kernels",
        "Arrays allocated by compiled code per quarter, steady state",
        Spread.exactly(steady["arrays"]),
        unit="",
        at_most=0,
        note=f"{_STEADY} quarters, 300 firms",
    )
    kept = steady["gained"] - steady["newborns"]
    yield Row(
        "memory.gained",
        f"Resident memory gained in {_STEADY} quarters, less newborns' rows / the state's, steady state",
        Spread.exactly(100.0 * max(0.0, kept) / steady["state"]),
        unit="%",
        at_most=1,
        note=f"{steady['gained'] / 1024:.0f} KiB gained in all, {steady['newborns'] / 1024:.0f} KiB in newborns' rows",
    )


def _per_firm(firms: int, turns: int) -> Row:
    measured = [_measured("firm", firms) for _ in range(turns)]
    state = measured[0]["state"]
    return Row(
        "memory.firm",
        f"Memory per firm, peak included, {firms:,} firms",
        Spread.of([m["peak"] for m in measured]),
        unit="B",
        at_most=1536,
        note=f"the state alone: {state:.0f} B ({measured[0]['capacity']:.2f} rows per firm)",
    )


def _measured(what: str, firms: int) -> dict[str, Any]:
    environment = os.environ | {"NUMBA_NRT_STATS": "1"}
    command = [sys.executable, "-m", "benchmarks.memory", what, str(firms)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.splitlines() or ["the measuring process failed"])[-1])
    return dict(json.loads(done.stdout))


# In the measuring process -------------------------------------------------------------------------


def _resident(field: str) -> int:
    """Bytes of VmRSS or VmHWM."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def _simulated(firms: int, quarters: int) -> tuple[Any, Any]:
    import numpy as np

    from district_sim.model.initial import initial_state
    from district_sim.run.run import advance
    from district_sim.scenario.files import load_scenario
    from district_sim.scenario.indicators import NAMES

    p = parameters_of(load_scenario("baseline", [f"firms.count={firms}", "firms.settling=2"]))
    return advance(initial_state(p, 1, quarters), p, np.empty((quarters, len(NAMES))), 0, quarters), p


def _firm(firms: int) -> dict[str, float]:
    _simulated(300, _QUARTERS)
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    state, _ = _simulated(firms, _QUARTERS)
    return {
        "peak": (_resident("VmHWM") - before) / firms,
        "state": _bytes(state) / firms,
        "capacity": state.firms.size / firms,
    }


def _steady(firms: int) -> dict[str, float]:
    import numpy as np
    from numba.core.runtime.nrt import rtsys

    from district_sim.model.state import grown
    from district_sim.run.run import advance
    from district_sim.scenario.indicators import NAMES

    start = _QUARTERS
    state, p = _simulated(firms, start)
    state = grown(state, 20 * firms)  # no growth from here on
    table = np.zeros((start + 2 * _STEADY, len(NAMES)))
    allocated = [rtsys.get_allocation_stats().alloc]
    ends = (start + 10, start + _STEADY)
    for first, beyond in zip((start, *ends), ends, strict=False):
        state = advance(state, p, table, first, beyond)
        allocated.append(rtsys.get_allocation_stats().alloc)
    few, many = allocated[1] - allocated[0], allocated[2] - allocated[1]  # both cross into compiled code once
    rows, before = int(state.clock.rows[0]), _resident("VmRSS")
    advance(state, p, table, start + _STEADY, start + 2 * _STEADY)
    return {
        "arrays": (many - few) / (_STEADY - 20),
        "gained": max(0, _resident("VmRSS") - before),
        "newborns": (int(state.clock.rows[0]) - rows) * _bytes(state) / state.firms.size,
        "state": _bytes(state),
    }


def _bytes(state: Any) -> int:
    return sum(_bytes(part) if isinstance(part, tuple) else part.nbytes for part in state)


if __name__ == "__main__":
    print(json.dumps({"firm": _firm, "steady": _steady}[sys.argv[1]](int(sys.argv[2]))))
