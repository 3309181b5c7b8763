"""The past that runs share: arms of a design are the same to the bit until the first quarter in which they differ.

Strategies, policies and shocks change nothing before they begin. So runs with one seed that differ in nothing else have
one past, which is simulated once and kept for the runs that follow.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from district_sim.model.extensions import columns_of
from district_sim.model.parameters import Parameters
from district_sim.model.state import copied, fitted, reports_of
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


class Pasts:
    """The last few pasts of this process."""

    def __init__(self, most: int = 2) -> None:
        self.simulated = 0
        """Pasts that had to be simulated."""
        self._most = most
        self._kept: OrderedDict[Key, Moment] = OrderedDict()

    def quarters(self, p: Parameters, past: bytes, seed: int, length: int) -> Iterator[Moment]:
        """As `run.quarters_of` without stops, to the bit; but what came before the arms differ is simulated once.

        A past is kept where strategies begin at the latest: an arm that never differs serves those that do.

        Args:
            past: `past_of(p)`.
        """
        shared, key = min(begins(p), length), (past, seed, length)
        kept = self._kept.get(key)
        if shared < 1:
            yield from quarters_of(p, seed, length)
        elif kept is not None and kept.done <= shared:
            self._kept.move_to_end(key)
            yield from _from(kept, p, length)
        else:
            self.simulated += 1
            kept_at = min(shared, int(p.strategy_start)) or shared
            for moment in quarters_of(p, seed, length, [kept_at]):
                if moment.done == kept_at:
                    self._keep(key, moment)
                yield moment

    def _keep(self, key: Key, moment: Moment) -> None:
        self._kept[key] = Moment(moment.done, copied(moment.state), moment.table.copy(), None)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _from(past: Moment, p: Parameters, length: int) -> Iterator[Moment]:
    """Go on from a past with parameters that begin to differ there."""
    state = fitted(copied(past.state), p)
    table, reports = np.full((length, len(columns_of(p))), np.nan), reports_of(state, length)
    table[: past.done] = past.table
    reports[: past.done] = state.instruments  # none has done anything yet
    yield Moment(past.done, state, table[: past.done], reports[: past.done])
    yield from go_on(Moment(past.done, state, table, reports), p, length)
