"""The world outside: globalisation, the knowledge frontier, rivals, prices of global sourcing, new technologies."""

import numpy as np

from district_sim.kernels.compile import kernel

_SPREAD = 0.25  # of the lag at which rivals adopt: how long half of them take to follow the first
_FRONTIER_SPEED = 0.05  # per quarter: a ripening technology's frontier opens over about five years
LEAST_FRONTIER, MOST_FRONTIER = 1e-30, 1e12  # squares of knowledge stay finite in single precision
LEAST_MARKET = 1e-6  # relative to the first quarter's: so much is left of a market where customer bases are worked out


@kernel
def market_size(world):
    """The product market now, relative to that of the first quarter: its growth, and what shocks took from it."""
    return world[0].market * (1.0 - world[0].slump)


@kernel
def advance_world(state, living, p, s):
    """Move the world one quarter on.

    The product market grows from the second quarter on. Globalisation ramps linearly from `world.onset` over
    `world.ramp` quarters. The frontier in a domain moves to its ripe level when a technology that uses it becomes
    feasible. Rivals adopt a ripe technology along a logistic curve after `world.rivals_lag` and attain
    `world.rivals_reach` of its quality jump.
    """
    world, clock = state.world, state.clock
    rates, tech = p.world[0], p.technology[0]
    t = clock.step[0]
    world[0].market = (1.0 + rates.market_growth) ** max(0, t)
    world[0].pressure = rates.globalisation * min(1.0, max(0.0, (t - rates.onset) / rates.ramp))
    newest = 0
    for tau in range(tech.count):
        if t >= p.derived.ripe_at[tau]:
            newest = tau
    world[0].newest = newest

    growth = 1.0 + rates.frontier_growth * world[0].pressure
    for d in range(tech.domains):
        ripe = 0.0
        for tau in range(newest + 1):
            ripe = max(ripe, p.derived.ripening[tau, d])
        level = tech.frontier * (tech.unripe + (1.0 - tech.unripe) * ripe)
        world[0].frontier[d] = min(
            MOST_FRONTIER,
            growth * (world[0].frontier[d] + _FRONTIER_SPEED * max(0.0, level - world[0].frontier[d])),
        )
        for node in range(p.derived.node_kind.size):
            world.node_codified[0, node, d] = p.derived.node_profile[node, d] * world[0].frontier[d]

    rivals = 1.0
    if rates.rivals_reach > 0.0:
        for tau in range(1, newest + 1):
            adopted = 1.0 / (
                1.0 + np.exp(-(t - p.derived.ripe_at[tau] - rates.rivals_lag) / (_SPREAD * rates.rivals_lag + 1.0))
            )
            rivals *= 1.0 + tech.quality_jump * rates.rivals_reach * adopted
    world[0].rivals = rivals
    for q in range(tech.phases):
        fall = rates.sourcing_fall * min(1.0, world[0].pressure) * p.derived.offshorability[q]
        world[0].price[q] = (1.0 + rates.sourcing_premium) * (1.0 - fall)
