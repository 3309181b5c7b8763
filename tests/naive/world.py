"""Twin of processes/world.py."""

import math
from typing import Any

from district_sim.model.state import State
from naive.common import clip, now


def advance_world(state: State, p: Any) -> None:
    world, w, tech, derived, t = state.world[0], p.world[0], p.technology[0], p.derived, now(state)
    world.market = (1 + w.market_growth) ** max(0, t)
    world.pressure = w.globalisation * clip((t - w.onset) / w.ramp)
    ripe = [tau for tau in range(tech.count) if derived.ripe_at[tau] <= t]
    world.newest = ripe[-1] if ripe else 0
    usable = ripe or [0]
    for d in range(tech.domains):
        use = max(derived.ripening[tau][d] for tau in usable)
        level = tech.frontier * (tech.unripe + (1 - tech.unripe) * use)
        frontier = world.frontier[d] + 0.05 * max(0.0, level - world.frontier[d])
        world.frontier[d] = min(1e12, frontier * (1 + w.frontier_growth * world.pressure))
    world.node_codified[:] = derived.node_profile * world.frontier
    world.rivals = math.prod(
        1 + tech.quality_jump * w.rivals_reach * _logistic(t - derived.ripe_at[tau] - w.rivals_lag, w.rivals_lag)
        for tau in ripe
        if tau > 0
    )
    fall = w.sourcing_fall * min(1.0, world.pressure) * derived.offshorability
    world.price[:] = (1 + w.sourcing_premium) * (1 - fall)


def _logistic(time: float, lag: float) -> float:
    return 1 / (1 + math.exp(-time / (lag / 4 + 1)))
