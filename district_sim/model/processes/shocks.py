"""Shocks: what happens to the district from outside at a stated time, with a stated size and recovery."""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, uniform
from district_sim.model.processes.demography import close_firm
from district_sim.model.processes.ownership import parting_price
from district_sim.model.state import DIVESTMENTS, HOUSEHOLDS, SELF_OWNED, WORLD, owner_code
from district_sim.scenario.instruments import ShockKind

_ENTRY = ShockKind.COMPETITOR_ENTRY.code
_SLUMP = ShockKind.DEMAND_SLUMP.code
_BREAK = ShockKind.TECHNOLOGICAL_BREAK.code
_CURRENCY = ShockKind.EXCHANGE_RATE.code
_ANCHOR = ShockKind.ANCHOR_LOSS.code
_LEAVING = ShockKind.MNE_EXIT.code
_SHOCK = int(Stream.SHOCK)


@kernel
def shock_strength(shocks, number, t):
    """Size of a shock in quarter t: in full for its duration, then falling linearly to nothing in its recovery."""
    since = t - shocks.start[number]
    if since < 0:
        return 0.0
    over = since - shocks.duration[number]
    if over < 0:
        return shocks.size[number]
    if over >= shocks.recovery[number]:
        return 0.0
    return shocks.size[number] * (1.0 - over / shocks.recovery[number])


@kernel
def _close(i, firms, ties, pipelines, accounts, tally, clock):
    """Close firm i; firms that it owned or bound are free."""
    close_firm(i, firms, ties, pipelines, accounts, tally)
    for j in range(clock.rows[0]):
        if firms[j].owner == i:
            firms[j].owner = SELF_OWNED
        if firms[j].captor == i:
            firms[j].captor = -1


@kernel
def _lose_anchor(lost, firms, ties, pipelines, accounts, tally, clock):
    """The largest firm closes; a share of its customers leaves with it, the others look for firms of its phase."""
    anchor, alive = -1, 0
    for i in range(clock.rows[0]):
        if firms[i].alive:
            alive += 1
            if anchor < 0 or firms[i].employees > firms[anchor].employees:
                anchor = i
    if alive < 2:
        return
    phase, customers = firms[anchor].phase, firms[anchor].reach
    _close(anchor, firms, ties, pipelines, accounts, tally, clock)
    base = 0.0
    for i in range(clock.rows[0]):
        if firms[i].alive and firms[i].phase == phase:
            base += firms[i].reach
    for i in range(clock.rows[0]):
        if base > 0.0 and firms[i].alive and firms[i].phase == phase:
            firms[i].reach *= 1.0 + (1.0 - lost) * customers / base


@kernel
def _leave(number, closing, firms, ties, pipelines, accounts, tally, clock, ownership):
    """The multinational with most employees leaves: affiliates close or are sold to their managers, as in `divest`."""
    leaver, most = SELF_OWNED, 0.0
    for company in range(ownership.multinationals):
        staff = 0.0
        for i in range(clock.rows[0]):
            if firms[i].alive and firms[i].owner == owner_code(company):
                staff += firms[i].employees
        if staff > most:
            leaver, most = owner_code(company), staff
    if leaver == SELF_OWNED:
        return
    for i in range(clock.rows[0]):
        if not firms[i].alive or firms[i].owner != leaver:
            continue
        tally[DIVESTMENTS] += 1
        if uniform(clock.seed[0], _SHOCK, clock.step[0], firms[i].key, number) < closing:
            _close(i, firms, ties, pipelines, accounts, tally, clock)
        else:
            firms[i].owner = SELF_OWNED
            price = parting_price(firms[i], ownership)
            accounts.money[HOUSEHOLDS] -= price
            accounts.money[WORLD] += price


@kernel
def apply_shocks(state, living, p, s):
    """What the scenario's shocks do this quarter, on top of the world as it is.

    Lasting shocks change the product market, outside competitors' appeal and quality and prices abroad by their present
    strength; events close firms or change their owners in their first quarter. That a technological break makes the
    next technology ripe is already in `derived.ripe_at`.
    """
    firms, ties, pipelines, world, accounts = state.firms, state.ties, state.pipelines, state.world, state.accounts
    tally, clock = state.tally, state.clock
    shocks, t = p.shocks, clock.step[0]
    world[0].slump, world[0].outside_gain = 0.0, 0.0
    for number in range(shocks.kind.size):
        kind, size = shocks.kind[number], shock_strength(shocks, number, t)
        if kind == _ENTRY:
            world[0].outside_gain += size
        elif kind == _SLUMP:
            world[0].slump = 1.0 - (1.0 - world[0].slump) * (1.0 - size)
        elif kind == _BREAK:
            world[0].rivals *= 1.0 + size
        elif kind == _CURRENCY:
            world[0].outside_gain += p.market[0].demand_price * size
            for phase in range(p.technology[0].phases):
                world[0].price[phase] *= np.exp(-size)
        elif kind == _ANCHOR:
            if t == shocks.start[number]:
                _lose_anchor(shocks.size[number], firms, ties, pipelines, accounts, tally, clock)
        elif kind == _LEAVING:
            if t == shocks.start[number]:
                _leave(number, shocks.size[number], firms, ties, pipelines, accounts, tally, clock, p.ownership[0])
        else:
            raise ValueError("no such shock")
