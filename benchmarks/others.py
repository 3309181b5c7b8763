"""The same socialisation and the same barter in C, Mesa, mesa-frames and district-sim, taking turns.

Every figure is another program's time in units of ours: per tie for socialisation, per meeting for barter. Barter
starts from the same agents in every call, as trades become rarer while agents learn; making them is not timed.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

import numba

from benchmarks import barter
from benchmarks.c_opponent import FLAGS, VARIANTS, NoCompiler, compiler_version, in_c
from benchmarks.frames_opponent import Frames, NotInstalled, bartering, socialising
from benchmarks.knowledge_case import SLOTS, make_case
from benchmarks.knowledge_kernel import THREADS, ours
from benchmarks.rows import Row
from benchmarks.timing import Call, pairs, take_turns

_FIRMS, _MESA_FIRMS = 100_000, 2_000
_MANY, _QUICK_MANY = 100_000, 10_000
_ROUNDS, _QUICK_ROUNDS = 100, 10
"""How often an agent begins a meeting, on average."""


class _Contest:
    """Programs that compute the same; of several that begin with one word, the fastest counts.

    Args:
        unit: what a program's time is divided by.
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.sides: dict[str, Call] = {}
        self.prepare: dict[str, Call] = {}
        self.size: dict[str, int] = {}
        self.notes: dict[str, str] = {}
        """What runs a program, or why nothing does; by its first word."""

    def add(self, name: str, size: int, call: Call, prepare: Call | None = None) -> None:
        """One more program; a call is `size` ties or meetings, after an untimed `prepare`."""
        self.sides[name], self.size[name] = call, size
        if prepare is not None:
            self.prepare[name] = prepare

    def rows(self, quick: bool, wanted: dict[str, tuple[str, str]]) -> Iterator[Row]:
        """Rows (first word -> name, what): programs in units of ours."""
        turns = take_turns(self.sides, pairs(quick), prepare=self.prepare)
        mine = turns.spread("ours").median / self.size["ours"]
        for word, (name, what) in wanted.items():
            note, among = self.notes[word], [side for side in self.sides if side.split()[0] == word]
            if not among:
                yield Row(name, what, note=note)
                continue
            best = turns.fastest(among)
            own = turns.spread(best).median / self.size[best]
            times = turns.ratio(best, "ours").times(self.size["ours"] / self.size[best])
            yield Row(name, what, times, note=f"{_time(own)} per {self.unit}, ours {_time(mine)}; {note}")


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs" if seconds >= 1e-6 else f"{seconds * 1e9:.3g} ns"


def rows(quick: bool) -> Iterator[Row]:
    """All figures of others' programs."""
    before = numba.get_num_threads()
    numba.set_num_threads(min(THREADS, before))
    try:
        for part in (_socialise, _barter, _barter_of_many):
            with ExitStack() as stack:
                yield from part(quick, stack)
    finally:
        numba.set_num_threads(before)


def _frames(contest: _Contest, stack: ExitStack, make: Callable[[], Frames]) -> Frames | None:
    """A model in mesa-frames until `stack` ends, if there can be one."""
    try:
        model = make()
    except NotInstalled as error:
        contest.notes["frames"] = str(error)
        return None
    stack.callback(model.end)
    contest.notes["frames"] = model.versions
    return model


def _c(contest: _Contest) -> bool:
    """Whether C can be compiled."""
    try:
        barter.in_c(barter.agents(), *barter.network(), 1, 1)
        contest.notes["c"] = f"{compiler_version()}, {' '.join(FLAGS)}"
    except NoCompiler as error:
        contest.notes["c"] = f"C: {error}"
        return False
    return True


def _socialise(quick: bool, stack: ExitStack) -> Iterator[Row]:
    """Socialisation on local ties, on two threads except in Mesa."""
    from benchmarks.mesa_socialise import MesaDistrict

    contest, case, ties = _Contest("tie"), make_case(_FIRMS, "local"), _FIRMS * SLOTS
    contest.add("ours", ties, ours(case))
    contest.add("mesa", _MESA_FIRMS * SLOTS, MesaDistrict(make_case(_MESA_FIRMS, "local")).step)
    contest.notes["mesa"] = f"Mesa {version('mesa')}, one thread"
    for variant in VARIANTS if _c(contest) else ():
        contest.add(f"c {variant}", ties, in_c(case, variant, THREADS))
    if frames := _frames(contest, stack, lambda: socialising(case, THREADS)):
        contest.add("frames", ties, frames.step)
    what = f"Socialisation, {_FIRMS:,} firms"
    wanted = {
        "c": ("others.socialise.c", f"{what}: C / ours"),
        "frames": ("others.socialise.frames", f"{what}: mesa-frames / ours"),
        "mesa": ("others.socialise.mesa", f"Socialisation, per tie: Mesa, {_MESA_FIRMS:,} firms / ours, {_FIRMS:,}"),
    }
    yield from contest.rows(quick, wanted)


def _market(count: int, rounds: int, stack: ExitStack) -> _Contest:
    """Our barter and that in mesa-frames, the same agents for both."""
    contest, meetings = _Contest("meeting"), count * rounds
    net, knowledge = barter.network(count=count), barter.agents(count=count)
    _add(contest, "ours", meetings, knowledge.copy, lambda known: barter.ours(known, *net, 1, meetings))
    if frames := _frames(contest, stack, lambda: bartering(knowledge, *net, barter.ALPHA)):
        contest.add("frames", meetings, lambda: frames.step(rounds), frames.start)
    return contest


def _add(contest: _Contest, name: str, size: int, make: Callable[[], Any], use: Callable[[Any], object]) -> None:
    """A program that uses up what `make` makes for each of its calls."""
    fresh: list[Any] = []
    contest.add(name, size, lambda: use(fresh.pop()), lambda: fresh.append(make()))


def _barter(quick: bool, stack: ExitStack) -> Iterator[Row]:
    """Barter among as many agents as in the published model."""
    from benchmarks.mesa_barter import MesaMarket

    count, rounds = barter.AGENTS, _QUICK_ROUNDS if quick else _ROUNDS
    net, knowledge, meetings = barter.network(), barter.agents(), count * rounds
    contest = _market(count, rounds, stack)

    def steps(market: MesaMarket) -> None:
        for _ in range(rounds):
            market.step()

    _add(contest, "mesa", meetings, lambda: MesaMarket(knowledge, *net, barter.ALPHA), steps)
    contest.notes["mesa"] = f"Mesa {version('mesa')}"
    if _c(contest):
        _add(contest, "c", meetings, knowledge.copy, lambda known: barter.in_c(known, *net, 1, meetings))
    what = f"Barter, {count:,} agents, one thread"
    names = {"c": "C", "frames": "mesa-frames", "mesa": "Mesa"}
    wanted = {word: (f"others.barter.{word}", f"{what}: {program} / ours") for word, program in names.items()}
    yield from contest.rows(quick, wanted)


def _barter_of_many(quick: bool, stack: ExitStack) -> Iterator[Row]:
    """Barter where a frame has many rows."""
    count = _QUICK_MANY if quick else _MANY
    what = f"Barter, {count:,} agents, one thread: mesa-frames / ours"
    yield from _market(count, 1, stack).rows(quick, {"frames": ("others.barter.many", what)})
