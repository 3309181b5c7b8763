"""The socialisation kernel against C, against Mesa, and against the memory's bandwidth.

How bytes are counted: every firm reads its own record (64 B), its ties (10 partners, 10 trusts: 80 B) and three numbers
of its own (12 B), and writes what it gained and its absorptive capacity (36 B). With local ties the partners' records
are the neighbours', already counted. With rewired ties every tie fetches one more cache line, 64 B. What a write reads
before it is not counted, neither here nor in the triad a = b + s c (24 B per element, McCalpin's STREAM), which runs
over as many bytes as the district occupies: if the district fits into a cache, so does the triad.

What bounds a case: its time per tie against that of the same kernel on 4,096 firms, which fit into the second-level
caches. If it is about the same, arithmetic does; if not, memory does.
"""

from collections.abc import Callable, Iterator

import numba
import numpy as np

from benchmarks.c_opponent import VARIANTS, NoCompiler, in_c
from benchmarks.knowledge_case import BYTES_PER_FIRM, BYTES_SEEN, DOMAINS, SLOTS, Case, Wiring, make_case
from benchmarks.rows import Row
from benchmarks.timing import pairs, take_turns

THREADS = 2
_CACHED = 4096  # firms that fit into the second-level caches
_MESA = 2000
_SAME = 1.2  # times per tie that differ by less count as the same


def ours(case: Case) -> Callable[[], object]:
    """A call of district-sim's kernel on a case; writes `gained` and `capacity`."""
    _stand_in(*case)  # compiled before it is timed
    return lambda: _stand_in(*case)


@numba.njit(parallel=True, fastmath={"contract", "nsz", "arcp", "afn"}, error_model="numpy")
def _stand_in(seen, partner, trust, education, experience, research, k, gained, capacity):  # type: ignore[no-untyped-def]
    one, zero = np.float32(1.0), np.float32(0.0)
    for i in numba.prange(len(seen)):
        me, p = seen[i], k[0]
        meeting = np.empty(SLOTS, np.float32)
        attention = p.attention
        for m in range(SLOTS):
            j = partner[i, m]
            meeting[m] = zero
            if j >= 0 and trust[i, m] > p.trust_threshold:
                weight = (trust[i, m] - p.trust_threshold) / (one - p.trust_threshold)
                km = np.sqrt((me.x - seen[j].x) ** 2 + (me.y - seen[j].y) ** 2)
                together = p.interaction * np.exp(-km / p.meeting_distance)
                meeting[m] = weight * together * (one + p.it_tacit * me.it * seen[j].it)
                attention += meeting[m]
        scale = p.distance_scale + p.distance_absorptive * me.absorptive
        gained[i, :] = zero
        own = zero
        for d in range(DOMAINS):
            own += p.relevance[d] * me.tacit[d]
        for m in range(SLOTS):
            if meeting[m] > zero:
                other = seen[partner[i, m]]
                gaps = zero
                for d in range(DOMAINS):
                    gaps += (other.tacit[d] - me.tacit[d]) ** 2
                total = (me.norm + other.norm) * scale
                rate = (
                    p.socialisation
                    * me.absorptive
                    * np.exp(-gaps / (total * total + np.float32(1e-30)))
                    * meeting[m]
                    / attention
                )
                for d in range(DOMAINS):
                    gained[i, d] += rate * max(zero, other.tacit[d] - me.tacit[d])
        weight = p.absorptive_education * education[i] + p.absorptive_experience * experience[i]
        weight += p.absorptive_research * research[i] / (one + research[i])
        capacity[i] = one - np.exp(-weight - p.absorptive_knowledge * own / (one + own))


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
        yield _against_mesa(quick)
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
    slower = turns.ratio("ours", "cached").times(_CACHED / n)
    bound = "arithmetic" if slower.median < _SAME else "memory"
    share = turns.ratio("triad", "ours").times(100.0 * moved / (24 * a.size))
    speed = moved / turns.spread("ours").median / 1e9
    note = f"{speed:.3g} GB/s; bound by {bound}: per tie {slower.median:.2f} × in cache"
    yield Row(f"kernel.triad.{name}", f"Kernel's bytes per second / triad's, {what}", share, unit="%", note=note)


def _against_mesa(quick: bool) -> Row:
    from benchmarks.mesa_socialise import MesaDistrict

    case = make_case(_MESA, "local")
    district = MesaDistrict(case)
    turns = take_turns({"mesa": district.step, "ours": ours(case)}, pairs(quick))
    each = turns.spread("mesa").median / _MESA / SLOTS * 1e6
    return Row(
        "kernel.mesa",
        f"Mesa / kernel, time per tie, {_MESA:,} firms",
        turns.ratio("mesa", "ours"),
        at_least=1500,
        note=f"Mesa: {each:.3g} µs per tie",
    )
