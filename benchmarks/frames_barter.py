"""Barter as one would write it in mesa-frames: traders are rows of a Polars frame, and who can meet at once does.

Meetings are drawn one after the other, as everywhere. A frame changes many rows at once, so all meetings take place
together that are the next one for both who meet; then those that are next now, and so on. No trader is in two meetings
at once, and each has its meetings in the order in which they were drawn: what all know in the end is the same as one by
one.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF


class FramesTraders(AgentSetPolars):
    """Traders with what they know; the network is in sparse rows."""

    def __init__(self, model: "FramesMarket", given: Mapping[str, np.ndarray]) -> None:
        super().__init__(model)
        traders, categories = given["knowledge"].shape
        self.alpha, self.start, self.partner = float(given["alpha"]), given["start"], given["partner"]
        self.levels = [f"level{d}" for d in range(categories)]
        self += pl.DataFrame(
            {"unique_id": np.arange(traders)} | dict(zip(self.levels, given["knowledge"].T, strict=True))
        )

    def drawn(self) -> pl.DataFrame:
        """As many meetings as there are traders: who, whom, and a number per category by which is picked."""
        rng, traders = self.model.random, len(self)
        who = rng.integers(traders, size=traders)
        neighbours = self.start[who + 1] - self.start[who]
        place = (rng.random(traders) * neighbours).astype(np.int64)
        luck = rng.random((traders, len(self.levels)))
        columns = {f"luck{d}": luck[:, d] for d in range(len(self.levels))}
        alone = neighbours == 0
        whom = self.partner[np.where(alone, 0, self.start[who] + place)]
        meetings = pl.DataFrame({"meeting": np.arange(traders), "who": who, "whom": whom} | columns)
        return meetings.filter(~alone)

    def step(self) -> None:
        """Let drawn meetings take place, as many at once as can."""
        waiting = self.drawn()
        while not waiting.is_empty():
            ends = pl.concat([waiting.select("meeting", end=side) for side in ("who", "whom")])
            first = ends.group_by("end").agg(pl.col("meeting").min())
            waiting = waiting.join(first, left_on="who", right_on="end", suffix="_who")
            waiting = waiting.join(first, left_on="whom", right_on="end", suffix="_whom")
            ready = (pl.col("meeting") == pl.col("meeting_who")) & (pl.col("meeting") == pl.col("meeting_whom"))
            now = waiting.filter(ready)
            waiting = waiting.filter(~ready).drop("meeting_who", "meeting_whom")
            self.swap(now)

    def swap(self, meetings: pl.DataFrame) -> None:
        """Meetings of pairs, no trader in two of them."""
        both = meetings.lazy().join(self.agents.lazy(), left_on="who", right_on="unique_id")
        both = both.join(self.agents.lazy(), left_on="whom", right_on="unique_id", suffix="_")
        gaps = [pl.col(f"{level}_") - pl.col(level) for level in self.levels]
        gives, takes = [gap < 0.0 for gap in gaps], [gap > 0.0 for gap in gaps]
        swapped = pl.min_horizontal(pl.sum_horizontal(gives), pl.sum_horizontal(takes))
        who = [self._moved(d, takes, swapped, pl.col(level), gaps[d]) for d, level in enumerate(self.levels)]
        whom = [self._moved(d, gives, swapped, pl.col(f"{level}_"), -gaps[d]) for d, level in enumerate(self.levels)]
        ends = (("who", who), ("whom", whom))
        after = [both.select(unique_id=end, **dict(zip(self.levels, new, strict=True))) for end, new in ends]
        known = pl.concat(pl.collect_all(after))
        self.set({level: known[level] for level in self.levels}, mask=known)

    def _moved(self, d: int, offered: list[pl.Expr], swapped: pl.Expr, level: pl.Expr, gap: pl.Expr) -> pl.Expr:
        """A level after the meeting: moved if category d is offered and among so many with the lowest luck."""
        before = [offered[e] & (pl.col(f"luck{e}") < pl.col(f"luck{d}")) for e in range(len(offered)) if e != d]
        picked = offered[d] & (pl.sum_horizontal(before) < swapped)
        return pl.when(picked).then(level + self.alpha * gap).otherwise(level)


class FramesMarket(ModelDF):
    """Traders on a network; a step is as many meetings as there are traders.

    Args:
        given: `knowledge` (agents, categories), `start` and `partner` (the network in sparse rows), `alpha`.
    """

    def __init__(self, given: Mapping[str, np.ndarray]) -> None:
        super().__init__(seed=1)
        self.traders = FramesTraders(self, given)
        self.agents += self.traders

    def results(self) -> dict[str, np.ndarray]:
        """What traders know, (agents, categories)."""
        return {"knowledge": self.traders.agents.select(self.traders.levels).to_numpy()}
