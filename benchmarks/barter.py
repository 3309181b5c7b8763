"""Barter against C: one meeting, one whole run, and two runs at once.

C is the straightforward program, `barter.c`, with a sequential generator; ours is keyed. Both sides start from the same
agents on the same small world, at the published setting but with fewer meetings; time per meeting hardly depends on
their number. The whole run includes drawing the network and the agents, which C gets for nothing.
"""

import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from benchmarks.c_opponent import NoCompiler, library
from benchmarks.rows import Row
from benchmarks.timing import pairs, take_turns
from district_sim.evidence.replications.barter import barter, initial_knowledge
from district_sim.evidence.replications.exchange import Agents, Graph, curve
from district_sim.evidence.replications.networks import Network, make_network, sparse_rows
from district_sim.run.workers import Workers

AGENTS, NEIGHBOURS, CATEGORIES, EXPERTS, ALPHA, REWIRING = 500, 10, 5, 25, 0.1, 0.1
MEETINGS, QUICK_MEETINGS = 5_000_000, 500_000


def network(seed: int = 1, count: int = AGENTS) -> tuple[np.ndarray, np.ndarray]:
    """A small world of so many agents in sparse rows."""
    return sparse_rows(make_network(Network.WS, count, NEIGHBOURS, REWIRING, seed))


def agents(seed: int = 1, count: int = AGENTS) -> np.ndarray:
    """What so many agents know at the start, (count, CATEGORIES); as many are experts in proportion."""
    return initial_knowledge(np.uint64(seed), count, CATEGORIES, count * EXPERTS // AGENTS, 30.0)


def in_c(knowledge: np.ndarray, start: np.ndarray, partner: np.ndarray, seed: int, meetings: int) -> None:
    """Meetings in C; changes `knowledge` in place.

    Raises:
        NoCompiler: see `library`.
    """
    function = library(Path(__file__).with_name("barter.c")).barter
    arrays = (array.ctypes.data_as(ctypes.c_void_p) for array in (knowledge, start, partner))
    sizes = (ctypes.c_int64(size) for size in knowledge.shape)
    function.restype = None
    function(*arrays, *sizes, ctypes.c_double(ALPHA), ctypes.c_uint64(seed), ctypes.c_int64(meetings))


def ours(knowledge: np.ndarray, start: np.ndarray, partner: np.ndarray, seed: int, meetings: int) -> None:
    """The same compiled by numba."""
    barter(knowledge, start, partner, ALPHA, np.uint64(seed), 0, meetings)


def rows(quick: bool) -> Iterator[Row]:
    """All figures of barter."""
    meetings = QUICK_MEETINGS if quick else MEETINGS
    net = network()
    sides: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(agents(), *net, 1, meetings),
        "run": lambda: make_run(meetings),
    }
    names = {"barter.c": ("ours", "Barter / C, one thread"), "barter.run": ("run", "A whole run / C's meetings")}
    try:
        in_c(agents(), *net, 1, 1)
    except NoCompiler as error:
        for name, (_, what) in names.items():
            yield Row(name, what, at_most=2.0, note=f"C: {error}")
        return
    sides["c"] = lambda: in_c(agents(), *net, 1, meetings)
    turns = take_turns(sides, pairs(quick))
    each = turns.spread("c").median / meetings * 1e9
    for name, (side, what) in names.items():
        note = f"C: {each:.3g} ns per meeting" if side == "ours" else "with network and agents"
        yield Row(name, what, turns.ratio(side, "c"), at_most=2.0, note=note)
    yield _two_at_once(meetings, quick)


def _two_at_once(meetings: int, quick: bool) -> Row:
    """Runs on two processes against C on two threads, processes already started."""
    net = network()
    with Workers(2) as pool, ThreadPoolExecutor(2) as threads:

        def both(start: Callable[[], Future[None]]) -> None:
            for done in wait([start(), start()]).done:
                done.result()

        sides = {
            "ours": lambda: both(lambda: pool.submit(make_run, meetings)),
            "c": lambda: both(lambda: threads.submit(in_c, agents(), *net, 1, meetings)),
        }
        sides["ours"]()
        turns = take_turns(sides, pairs(quick))
    return Row(
        "barter.two",
        "Two runs on two processes / C on two threads",
        turns.ratio("ours", "c"),
        at_most=2.0,
        note="as a curve is made",
    )


def make_run(meetings: int) -> None:
    """One run, in a process of its own."""
    curve((REWIRING,), Graph(), Agents(meetings=meetings), runs=1, workers=1)
