"""Twin of processes/shocks.py."""

import math
from typing import Any

from district_sim.kernels.draws import Stream, uniform
from district_sim.model.state import DIVESTMENTS, HOUSEHOLDS, WORLD, State
from district_sim.scenario.instruments import ShockKind
from naive.common import clip, key, living, now, pay, seed_of
from naive.demography import close_firm


def strength(p: Any, number: int, t: int) -> float:
    """Size of a shock in quarter t: full for its duration, then falling along a line to nothing."""
    q = p.shocks
    since = t - int(q.start[number])
    over = since - int(q.duration[number])
    if since < 0:
        return 0.0
    if over < 0:
        return float(q.size[number])
    return float(q.size[number]) * (clip(1 - over / q.recovery[number]) if q.recovery[number] > 0 else 0.0)


def apply_shocks(state: State, p: Any) -> None:
    world, t = state.world[0], now(state)
    world.slump = world.outside_gain = 0.0
    for number, code in enumerate(p.shocks.kind):
        kind, size = tuple(ShockKind)[code], strength(p, number, t)
        if kind is ShockKind.ANCHOR_LOSS and t == p.shocks.start[number]:
            _lose_anchor(state, p, float(p.shocks.size[number]))
        elif kind is ShockKind.MNE_EXIT and t == p.shocks.start[number]:
            _leave(state, p, number, float(p.shocks.size[number]))
        elif kind is ShockKind.COMPETITOR_ENTRY:
            world.outside_gain += size
        elif kind is ShockKind.DEMAND_SLUMP:
            world.slump = 1 - (1 - world.slump) * (1 - size)
        elif kind is ShockKind.TECHNOLOGICAL_BREAK:
            world.rivals *= 1 + size
        elif kind is ShockKind.EXCHANGE_RATE:
            world.price[:] = [price * math.exp(-size) for price in world.price]
            world.outside_gain += p.market[0].demand_price * size


def _lose_anchor(state: State, p: Any, lost: float) -> None:
    """The largest firm closes; a share of its customers leaves with it, the others look for firms of its phase."""
    if len(living(state)) < 2:
        return
    anchor = max(living(state), key=lambda i: (float(state.firms[i].employees), -i))
    phase, customers = state.firms[anchor].phase, float(state.firms[anchor].reach)
    _close(state, anchor)
    heirs = [i for i in living(state) if state.firms[i].phase == phase]
    base = sum(float(state.firms[i].reach) for i in heirs)
    for i in heirs if base > 0 else []:
        state.firms[i].reach *= 1 + (1 - lost) * customers / base


def _leave(state: State, p: Any, number: int, closing: float) -> None:
    """The multinational with most employees leaves: each affiliate closes or is sold to its managers."""
    staff: dict[int, float] = {}
    for i in living(state):
        if state.firms[i].owner < -1:
            staff[int(state.firms[i].owner)] = staff.get(int(state.firms[i].owner), 0.0) + float(
                state.firms[i].employees
            )
    if not staff:
        return
    leaver = max(staff, key=lambda code: (staff[code], code))
    for i in [i for i in living(state) if state.firms[i].owner == leaver]:
        state.tally[DIVESTMENTS] += 1
        if uniform(seed_of(state), int(Stream.SHOCK), now(state), key(state, i), number) < closing:
            _close(state, i)
        else:
            state.firms[i].owner = -1
            price = p.ownership[0].takeover_price / 2 * max(0.0, float(state.firms[i].profit))
            pay(state, HOUSEHOLDS, WORLD, price)


def _close(state: State, i: int) -> None:
    close_firm(state, i)
    for j in range(int(state.clock.rows[0])):
        if state.firms[j].owner == i:
            state.firms[j].owner = -1
        if state.firms[j].captor == i:
            state.firms[j].captor = -1
