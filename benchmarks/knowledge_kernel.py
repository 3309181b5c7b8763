"""The socialisation kernel against C, against Mesa, and against the memory's bandwidth.

How bytes are counted: every firm reads its own record (64 B), its ties (10 partners, 10 trusts: 80 B) and three numbers
of its own (12 B), and writes what it gained and its absorptive capacity (36 B). With local ties the partners' records
are the neighbours', already counted. With rewired ties every tie fetches one more cache line, 64 B. What a write reads
before it is not counted, neither here nor in the triad a = b + s c (24 B per element, McCalpin's STREAM), which runs
over as many bytes as the district occupies: if the district fits into a cache, so does the triad.

What bounds a case: its time per tie and thread against that of the same kernel on 4,096 firms, which fit into one
core's second-level cache and are computed on one thread. If it is about the same, arithmetic does; if not, memory does.
"""

from collections.abc import Callable, Iterator

import numba
import numpy as np

from benchmarks.c_opponent import VARIANTS, NoCompiler, in_c
from benchmarks.knowledge_case import BYTES_PER_FIRM, BYTES_SEEN, DOMAINS, SLOTS, Case, Wiring, make_case
from benchmarks.rows import Row
from benchmarks.timing import pairs, take_turns
from district_sim.kernels.vectors import load, total
from district_sim.model.parameters import parameters_of
from district_sim.model.processes.knowledge import absorb, absorbing, absorbing_weights, socialise
from district_sim.model.scratch import ALONE, BLOCKS, aligned_rows, batch_space, lesson_record, shown_record
from district_sim.model.state import tie_record
from district_sim.scenario.sections import Scenario

THREADS = 2
_CACHED = 4096  # firms that fit into a core's second-level cache
_MESA, _LARGE = 2000, 100_000
_SAME = 1.2  # times per tie that differ by less count as the same


def ours(case: Case, *, copy: bool = False) -> Callable[[], object]:
    """A call of district-sim's kernel on a case, in the model's own records.

    Args:
        case: data; what is read more than once (absorptive capacity's causes) is read from it.
        copy: write the results to the case's `gained` and `capacity`, which takes time of its own.
    """
    n = len(case.seen)
    shown = aligned_rows(n, shown_record(DOMAINS))
    shown.tacit, shown.absorptive = case.seen["tacit"], case.seen["absorptive"]
    shown.place = np.stack([case.seen[name] for name in ("x", "y", "it", "norm")], axis=1)
    ties = aligned_rows(n, tie_record(SLOTS))
    ties.partner, ties.trust = case.partner, case.trust
    lesson, capacity = aligned_rows(n, lesson_record(DOMAINS)), np.zeros(n, np.float32)
    members = np.arange(n)
    own = case.education, case.experience, case.research, case.k.view(np.recarray)
    p = parameters_of(Scenario()).knowledge

    def call() -> None:
        _learn_from_ties(members, shown, ties, *own, p, lesson, capacity, *batch)
        if copy:
            case.gained[:], case.capacity[:] = lesson.tacit, capacity

    batch = batch_space(DOMAINS, SLOTS)
    call()  # compiled before it is timed
    return call


@numba.njit(parallel=True, error_model="numpy")
def _learn_from_ties(  # type: ignore[no-untyped-def]
    members, shown, ties, education, experience, research, relevance, p, lesson, capacity, gap, place, number, many
):
    """What `update_knowledge` does for socialisation, with threads as there; the causes of absorptive capacity from
    arrays, as the C version has them, where the model has a firm's record."""
    n = shown.size
    blocks = 1 if n < ALONE else BLOCKS
    for b in numba.prange(blocks):
        first, beyond, k = b * n // blocks, (b + 1) * n // blocks, p[0]
        weights, relevant = absorbing_weights(k), load(relevance[0].relevance)
        space = gap[b], place[b], number[b], many[b]
        socialise(members, first, beyond, shown, ties, k, k.interaction, lesson, *space)
        for i in range(np.uint64(first), np.uint64(beyond)):
            capacity[i] = total(load(shown[i].tacit) * relevant)
        for i in range(np.uint64(first), np.uint64(beyond)):
            capacity[i] = absorbing(education[i], experience[i], research[i], capacity[i], weights)
        absorb(capacity[first:beyond])


@numba.njit(parallel=True)
def _triad(a, b, c):  # type: ignore[no-untyped-def]
    for i in numba.prange(a.size):
        a[i] = b[i] + 3.0 * c[i]


def rows(quick: bool) -> Iterator[Row]:
    """All figures of the kernel."""
    before = numba.get_num_threads()
    numba.set_num_threads(min(THREADS, before))
    try:
        for n in (100_000,) if quick else (100_000, 1_000_000):
            for wiring in ("local", "rewired"):
                yield from _against_c_and_memory(n, wiring, quick)
        yield from _against_mesa(quick)
    finally:
        numba.set_num_threads(before)


def _against_c_and_memory(n: int, wiring: Wiring, quick: bool) -> Iterator[Row]:
    case, cached = make_case(n, wiring), make_case(_CACHED, wiring)
    moved = n * (BYTES_PER_FIRM + (SLOTS * BYTES_SEEN if wiring == "rewired" else 0))
    a, b, c = (np.ones(n * BYTES_PER_FIRM // 24) for _ in range(3))
    _triad(a, b, c)
    sides = {"ours": ours(case), "cached": ours(cached), "triad": lambda: _triad(a, b, c)}
    missing = ""
    try:
        sides |= {variant: in_c(case, variant, THREADS) for variant in VARIANTS}
    except NoCompiler as error:
        missing = str(error)
    turns = take_turns(sides, pairs(quick))
    name, what = f"{wiring}.{n}", f"{n:,} firms, {wiring} ties"
    if missing:
        yield Row(f"kernel.c.{name}", f"Kernel / C, {what}", at_most=1.25, note=f"C: {missing}")
    else:
        best = turns.fastest(VARIANTS)
        note = f"fastest C: {best}, {turns.spread(best).median / n / SLOTS * 1e9:.2f} ns per tie"
        yield Row(f"kernel.c.{name}", f"Kernel / C, {what}", turns.ratio("ours", best), at_most=1.25, note=note)
    slower = turns.ratio("ours", "cached").times(numba.get_num_threads() * _CACHED / n)
    bound = "arithmetic" if slower.median < _SAME else "memory"
    share = turns.ratio("triad", "ours").times(100.0 * moved / (24 * a.size))
    speed = moved / turns.spread("ours").median / 1e9
    note = f"{speed:.3g} GB/s; bound by {bound}: per tie and thread {slower.median:.2f} × in cache"
    yield Row(f"kernel.triad.{name}", f"Kernel's bytes per second / triad's, {what}", share, unit="%", note=note)


def _against_mesa(quick: bool) -> Iterator[Row]:
    """Per tie, against the kernel where its work is: on a large district, on two threads; and on Mesa's own firms."""
    from benchmarks.mesa_socialise import MesaDistrict

    case = make_case(_MESA, "local")
    sides = {"mesa": MesaDistrict(case).step, "same": ours(case), "large": ours(make_case(_LARGE, "local"))}
    turns = take_turns(sides, pairs(quick))
    each = turns.spread("mesa").median / _MESA / SLOTS * 1e6
    yield Row(
        "kernel.mesa",
        f"Mesa, {_MESA:,} firms / kernel, {_LARGE:,} firms: time per tie",
        turns.ratio("mesa", "large").times(_LARGE / _MESA),
        at_least=1500,
        note=f"Mesa: {each:.3g} µs per tie",
    )
    yield Row(
        "kernel.mesa.same",
        f"Mesa / kernel on the same {_MESA:,} firms",
        turns.ratio("mesa", "same"),
        note="so few firms are computed on one thread",
    )
