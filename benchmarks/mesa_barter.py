"""Barter as one would write it in Mesa: one agent per trader, small arrays, luck from `model.random`."""

import mesa
import numpy as np


class MesaTrader(mesa.Agent):
    """A trader with what it knows and whom it can meet."""

    def __init__(self, model: "MesaMarket", knowledge: np.ndarray) -> None:
        super().__init__(model)
        self.knowledge = knowledge
        self.neighbours: list[MesaTrader] = []

    def meet(self) -> None:
        """Barter with a random neighbour."""
        if self.neighbours:
            self.barter(self.random.choice(self.neighbours))

    def barter(self, other: "MesaTrader") -> None:
        """Swap as many categories as the one who leads in fewer can offer."""
        mine = np.flatnonzero(self.knowledge > other.knowledge).tolist()
        yours = np.flatnonzero(self.knowledge < other.knowledge).tolist()
        swapped = min(len(mine), len(yours))
        if swapped == 0:
            return
        mine, yours = self.picked(mine, swapped), self.picked(yours, swapped)
        other.knowledge[mine] += self.model.alpha * (self.knowledge[mine] - other.knowledge[mine])
        self.knowledge[yours] += self.model.alpha * (other.knowledge[yours] - self.knowledge[yours])

    def picked(self, categories: list[int], few: int) -> list[int]:
        """So many of the categories, at random."""
        if len(categories) == few:
            return categories
        found: list[int] = self.random.sample(categories, few)
        return found


class MesaMarket(mesa.Model):
    """Traders on a network.

    Args:
        knowledge: (agents, categories), copied. start, partner: the network in sparse rows.
        alpha: share of a gap that is absorbed.
    """

    def __init__(self, knowledge: np.ndarray, start: np.ndarray, partner: np.ndarray, alpha: float) -> None:
        super().__init__(rng=1)
        self.alpha = alpha
        self.traders = [MesaTrader(self, levels.copy()) for levels in knowledge]
        for i, trader in enumerate(self.traders):
            trader.neighbours = [self.traders[j] for j in partner[start[i] : start[i + 1]]]

    def step(self) -> None:
        """As many meetings as there are traders, each begun by any of them."""
        for _ in self.traders:
            self.random.choice(self.traders).meet()
