"""The page's fan: fifty futures of a district, redrawn after a lever has moved."""

from collections.abc import Iterator
from time import perf_counter

from benchmarks.rows import Row
from benchmarks.timing import Spread, pairs
from district_sim.app.futures import RUNS, Office
from district_sim.scenario.files import load_scenario
from district_sim.scenario.sections import Scenario

_SHOWN = "employment"


def rows(quick: bool) -> Iterator[Row]:
    """How long the first bands take, and all futures, with everything loaded and the past of each luck known."""
    office, first, complete = Office(), [], []
    try:
        office.warm()
        for turn in range(1 + pairs(quick)):
            seconds = redrawn(office, moved(turn))
            if turn:
                first.append(1e3 * seconds[0])
                complete.append(1e3 * seconds[-1])
    finally:
        office.close()
    what = f"after a lever moved, {moved(0).firms.count} firms, {moved(0).run.quarters} quarters"
    yield Row("fan.first", f"First bands {what}", Spread.of(first), unit="ms", at_most=200)
    yield Row("fan.complete", f"{RUNS} futures {what}", Spread.of(complete), unit="ms", at_most=1000)


def redrawn(office: Office, scenario: Scenario, **asked: int) -> list[float]:
    """Seconds until each fan of a scenario, from the first on, has its bands."""
    start, seconds = perf_counter(), []
    for fan in office.compute(scenario, **asked):
        fan.quantiles(_SHOWN)
        seconds.append(perf_counter() - start)
    return seconds


def moved(turn: int, **settings: float) -> Scenario:
    """The default district after a lever of behaviour has moved, in every turn to where it has not been."""
    return load_scenario("baseline", {"strategy.research": 1.0 + 0.01 * turn, **settings})
