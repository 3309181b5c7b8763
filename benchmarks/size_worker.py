"""One district size in a process of its own: measures seconds per firm and quarter whenever it is asked."""

import json
import sys
from time import perf_counter
from typing import Any

import numpy as np

from district_sim.model.parameters import parameters_of

_QUARTERS, _SETTLING = 2, 4
_SHORTEST = 0.2  # seconds that one measurement takes at least


def measure(start: Any, p: Any) -> float:
    """Seconds per firm and quarter, over the first quarters of the same district."""
    from district_sim.model.state import copied
    from district_sim.run.run import advance
    from district_sim.scenario.indicators import NAMES

    spent, firm_quarters = 0.0, 0
    table = np.empty((_QUARTERS, len(NAMES)))
    firms = int(start.firms.alive.sum())
    while spent < _SHORTEST:
        state = copied(start)
        begin = perf_counter()
        advance(state, p, table, 0, _QUARTERS)
        spent += perf_counter() - begin
        firm_quarters += firms * _QUARTERS
    return spent / firm_quarters


def main(firms: int) -> None:
    """Build the district, say so, then answer every line with a measurement until the input ends."""
    from district_sim.model.initial import initial_state
    from district_sim.scenario.files import load_scenario

    p = parameters_of(load_scenario("baseline", [f"firms.count={firms}", f"firms.settling={_SETTLING}"]))
    state = initial_state(p, 1, _QUARTERS)
    measure(state, p)
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure(state, p)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
