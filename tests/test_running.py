"""The pieces that everything that runs shares: quarters, workers, values at a path."""

from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from district_sim.model.parameters import parameters_of
from district_sim.run.run import quarters_of, simulate
from district_sim.run.workers import WorkerError, Workers
from district_sim.scenario.files import load_scenario
from district_sim.scenario.paths import set_at


def test_quarters_stop_where_they_are_asked_to_and_the_numbers_do_not_depend_on_it() -> None:
    scenario = load_scenario("classroom", {"firms.count": 12, "run.quarters": 8, "strategy_start": 2})
    p, table = parameters_of(scenario), simulate(scenario, 3).table
    for stops in ((), [5], range(8)):
        moments = list(quarters_of(p, 3, 8, stops))
        assert [moment.done for moment in moments] == sorted({0, *stops, 8})
        assert all(len(moment.table) == len(moment.reports) == moment.done for moment in moments)
        assert np.array_equal(moments[-1].table, table, equal_nan=True)


def _half(job: int) -> float:
    if job < 0:
        raise BrokenExecutor("gone")
    return job / 2


def test_workers_keep_the_order_tell_progress_and_say_when_one_is_lost() -> None:
    told: list[tuple[int, int]] = []
    assert Workers(1).map(_half, [4, 2], lambda *at: told.append(at)) == [2.0, 1.0]
    assert told == [(1, 2), (2, 2)]
    with ThreadPoolExecutor(3) as pool, Workers(executor=pool) as workers:
        assert workers.count == 3
        assert workers.map(_half, range(9)) == [job / 2 for job in range(9)]
        with pytest.raises(WorkerError, match="lost"):
            workers.map(_half, [1, -1])
        with pytest.raises(WorkerError, match="and with it the executor"):
            workers.restart()
        workers.close()
        assert workers.submit(_half, 4).result() == 2.0, "somebody else's executor is left alone"
    assert isinstance(workers.submit(_half, 4).exception(), BrokenExecutor)


def test_a_value_is_put_in_place_of_another_and_nowhere_else() -> None:
    data = {"a": {"b": 1}, "list": [{"c": 2}, 3]}
    for path, value in (("a.b", 5), ("list.0.c", 6), ("list.1", 7)):
        set_at(data, path, value)
    assert data == {"a": {"b": 5}, "list": [{"c": 6}, 7]}
    for path in ("a.c", "x.b", "list.2", "list.c", "a.b.c", ""):
        with pytest.raises(KeyError):
            set_at(data, path, 0)
