"""Pattern 17, history: on maps of first conditions and a later policy or world, the same cause has other effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from district_sim.evidence.patterns.claims import Outcome, Pattern, PatternClaim, job, label_values, named, tenth

MATCH, OPENNESS = "match", "openness"


@dataclass(frozen=True)
class Plane:
    """A map: a first condition across, what comes later upwards."""

    name: str
    first: str
    """Path of the first condition, or "readiness"."""
    firsts: tuple[float, ...]
    later: str
    """Path of what comes later, MATCH (share of turnover) or OPENNESS (0..1)."""
    laters: tuple[float, ...]
    labels: tuple[str, str]
    """Of the two axes."""

    def levers(self, first: float, later: float) -> dict[str, Any]:
        """Overrides of the baseline at a point."""
        out: dict[str, Any] = {}
        if self.first == "readiness":
            out |= {"history.collective_action": first, "strategy.collective_action": first}
        elif self.first == "identity":
            out |= {"firms.identity": first, "history.identity": first, "strategy.identity": first}
        else:
            out |= {"firms.trust": first}
        if self.later == MATCH:
            out["policies"] = [{"name": "match", "kind": "ppp_match", "budget_share": later}] if later > 0.0 else []
        elif self.later == OPENNESS:
            out["world.sourcing_fall"] = 0.05 + 0.45 * later
        else:
            out[self.later] = later
        return out


PLANES = (
    Plane(
        "history_cooperation",
        "readiness",
        (0.05, 0.15, 0.25, 0.35, 0.45),
        MATCH,
        (0.0, 0.0005, 0.001, 0.002, 0.006),
        ("First readiness to cooperate", "Public match, share of turnover at most"),
    ),
    Plane(
        "history_identity",
        "identity",
        (0.1, 0.3, 0.5, 0.7, 0.9),
        "ownership.takeover_price",
        (10.0, 20.0, 27.0, 35.0, 60.0),
        ("First and reproduced identity", "Bids for firms, quarters of profit"),
    ),
    Plane(
        "history_trust",
        "trust",
        (0.15, 0.3, 0.45, 0.6, 0.75),
        OPENNESS,
        (0.0, 0.25, 0.5, 0.75, 1.0),
        ("First trust", "Openness: fall of prices abroad"),
    ),
)


def plane_jobs(plane: Plane, seeds: Sequence[int]) -> tuple[pd.DataFrame, Pattern]:
    """A map as a table to be filled (columns first, later, seed; later trajectory), and its claim."""
    some = tenth(seeds)
    grid = [(first, later, seed) for first in plane.firsts for later in plane.laters for seed in some]
    table = pd.DataFrame(grid, columns=["first", "later", "seed"])

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        table["trajectory"] = label_values(outcomes)
        found = {at: table[table["later"] == at] for at in plane.laters}
        shares = {
            at: pd.crosstab(part["first"], part["trajectory"], normalize="index").to_numpy()
            for at, part in found.items()
        }
        # How far labels at the same later cause differ between two first conditions (total variation)
        gaps = {at: max(0.5 * float(np.abs(a - b).sum()) for a in each for b in each) for at, each in shares.items()}
        later = max(gaps, key=lambda at: gaps[at])
        text = (
            f"{plane.labels[0].lower()}: largest difference of labels at the same value of: {plane.labels[1].lower()}"
        )
        measured = f"{gaps[later]:.0%} of the runs, at {later:g}"
        return [PatternClaim(17, text, "at least 80 %", measured, gaps[later] >= 0.8, named(some))]

    return table, Pattern([job("baseline", seed, plane.levers(first, later)) for first, later, seed in grid], judge)
