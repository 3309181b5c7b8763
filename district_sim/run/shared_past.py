"""The past that runs share: arms of a design are the same to the bit until the first quarter in which they differ.

Strategies, policies and shocks change nothing before they begin. So runs with one seed that differ in nothing else have
one past, which is simulated once and kept for the runs that follow.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from district_sim.model.extensions import columns_of
from district_sim.model.parameters import Parameters
from district_sim.model.state import State, bare, copied, fitted, grown, reports_of
from district_sim.run.kept_pasts import KeptPasts
from district_sim.run.run import Moment, go_on, quarters_of

_LATER = ("strategy", "strategy_start", "policies", "shocks")
"""Parameters that say nothing of the quarters before they begin."""

type Key = tuple[bytes, int, int]


def begins(p: Parameters) -> int:
    """The first quarter in which strategy, policies or shocks can matter; 0 if the past cannot be shared."""
    if p.extensions or p.policies.signposts.size:  # a mechanism from outside may look at them; signposts always watch
        return 0
    first = [int(start) for start in (*p.policies.start, *p.shocks.start)]
    if p.strategy.tobytes() != p.history.tobytes():
        first.append(int(p.strategy_start))
    return max(0, min(first, default=np.iinfo(np.int64).max))


def past_of(p: Parameters) -> bytes:
    """What the quarters before that depend on, beside seed and length; equal for equal pasts."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in zip(p._fields, p, strict=True):
        if name not in _LATER:
            _feed(digest, value)
    return digest.digest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, tuple):
        digest.update(f"({len(value)} ".encode())
        for part in value:
            _feed(digest, part)
    else:
        digest.update(f"{value!r} ".encode())


class _Past(NamedTuple):
    """A district on its way."""

    done: int
    state: State
    """As `state.bare` leaves it."""
    table: np.ndarray
    capacity: int
    """Rows with which it goes on."""


class Pasts:
    """The last few pasts of this process, and those on disk.

    Args:
        most: kept in memory.
        disk: where those are kept that served more than one run.
    """

    def __init__(self, most: int = 2, disk: KeptPasts | None = None) -> None:
        self.simulated = 0
        """Pasts that had to be simulated."""
        self._most = most
        self._disk = disk or KeptPasts(None)
        self._kept: OrderedDict[Key, _Past] = OrderedDict()
        self._written: set[Key] = set()

    def quarters(self, p: Parameters, past: bytes, seed: int, length: int) -> Iterator[Moment]:
        """As `run.quarters_of` without stops, to the bit; but what came before the arms differ is simulated once.

        A past is kept where strategies begin at the latest: an arm that never differs serves those that do.

        Args:
            past: `past_of(p)`.
        """
        shared, key = min(begins(p), length), (past, seed, length)
        if shared < 1:
            yield from quarters_of(p, seed, length)
        elif (kept := self._serving(key, shared)) is not None:
            yield from _from(kept, p, length)
        else:
            self.simulated += 1
            kept_at = min(shared, int(p.strategy_start)) or shared
            for moment in quarters_of(p, seed, length, [kept_at]):
                if moment.done == kept_at:
                    self._keep(key, moment)
                yield moment

    def _serving(self, key: Key, latest: int) -> _Past | None:
        """A past that ends at a quarter or before."""
        if key not in self._kept and (read := self._disk.read(key)) is not None:
            self._written.add(key)
            self._remember(key, read)
        kept = self._kept.get(key)
        if kept is None or kept.done > latest:
            return None
        if key not in self._written:  # it serves a second run: perhaps the next command's, too
            self._written.add(key)
            self._disk.write(key, kept)
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: Key, moment: Moment) -> None:
        self._written.discard(key)
        self._remember(key, _Past(moment.done, bare(moment.state), moment.table.copy(), moment.state.firms.size))

    def _remember(self, key: Key, past: _Past) -> None:
        self._kept[key] = past
        while len(self._kept) > self._most:
            self._written.discard(self._kept.popitem(last=False)[0])


def _from(past: _Past, p: Parameters, length: int) -> Iterator[Moment]:
    """Go on from a past with parameters that begin to differ there."""
    state = fitted(grown(copied(past.state), past.capacity), p)
    table, reports = np.full((length, len(columns_of(p))), np.nan), reports_of(state, length)
    table[: past.done] = past.table
    reports[: past.done] = state.instruments  # none has done anything yet
    yield Moment(past.done, state, table[: past.done], reports[: past.done])
    yield from go_on(Moment(past.done, state, table, reports), p, length)
