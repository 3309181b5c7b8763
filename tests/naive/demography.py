"""Twin of processes/demography.py."""

import math
from typing import Any

import numpy as np

from district_sim.kernels.draws import Stream, normal, philox, uniform, uniform2
from district_sim.model.state import (
    EMPLOYED,
    ENTRIES,
    EXITS,
    FIRMS,
    HOUSEHOLDS,
    OUTSIDE,
    OVERFLOW,
    PHASES,
    TIE_BIRTHS,
    TIE_DEATHS,
    UNEMPLOYED,
    WORLD,
    State,
)
from naive.common import (
    clip,
    cut_all_ties,
    empty_row,
    key,
    links,
    living,
    make_tie,
    meet,
    move,
    now,
    partners,
    pay,
    seed_of,
    strategy,
)
from naive.conduct import inherit

THIN = 0.35  # customers of a thin phase, relative to what the district's final firms need


def close_firm(state: State, i: int) -> None:
    firm, row = state.firms[i], state.pipelines[i]
    move(state, EMPLOYED, UNEMPLOYED, firm.employees)
    pay(state, FIRMS, HOUSEHOLDS if firm.cash >= 0 else WORLD, firm.cash)
    state.tally[TIE_DEATHS] += cut_all_ties(state, i)
    row.node[:], row.strength[:] = -1, 0.0
    firm.alive = False
    for name in (
        "cash",
        "employees",
        "sales",
        "value_added",
        "profit",
        "pledges",
        "participates",
        "contribution",
        "served",
    ):
        setattr(firm, name, 0.0)
    state.tally[EXITS] += 1


def exit_firms(state: State, p: Any) -> None:
    d, t = p.demography[0], now(state)
    freed = dict.fromkeys(range(p.technology[0].phases), 0.0)
    for i in living(state):
        firm = state.firms[i]
        hazard = d.exit / firm.employees**d.exit_size
        hazard += d.exit_young * math.exp(-(t - firm.founded) / d.exit_young_scale)
        closing = uniform(seed_of(state), int(Stream.EXIT), t, key(state, i)) < hazard
        insolvent = firm.cash < -d.credit * firm.wage * firm.employees and d.entry + d.exit > 0
        if closing or insolvent:
            freed[int(firm.phase)] += firm.reach
            close_firm(state, i)
    survivors = living(state)
    base = {k: sum(float(state.firms[i].reach) for i in survivors if state.firms[i].phase == k) for k in freed}
    for i in survivors:
        firm = state.firms[i]
        k = int(firm.phase)
        firm.reach += d.customers_kept * freed[k] * firm.reach / base[k]
        if firm.owner >= 0 and not state.firms[firm.owner].alive:
            firm.owner = -1
        if firm.captor >= 0 and not state.firms[firm.captor].alive:
            firm.captor = -1
    if not survivors:
        move(state, EMPLOYED, UNEMPLOYED, float(state.accounts.people[EMPLOYED]))


def found_firm(
    state: State, p: Any, parent: int, phase: int, size: float, number: int, local: list[float], won: list[float]
) -> int:
    """A new firm beside its parent; returns its row, -1 if the arrays are full.

    local: of customers won in each phase, the share that other firms of the district lose, who add up in `won`.
    """
    d, t, seed, stream = p.demography[0], now(state), seed_of(state), int(Stream.NEWBORN)
    j = int(state.clock.rows[0])
    if j == len(state.firms):
        state.tally[OVERFLOW] += 1
        return -1
    state.clock.rows[0] += 1
    empty_row(state, j)
    old, new = state.firms[parent], state.firms[j]
    words = (key(state, parent) & 0xFFFFFFFF, t & 0xFFFFFFFF, number, 0x4E45574B, 0, 0)
    new.key = int(philox(*(np.uint32(word) for word in words))[0])
    east, north, drive = (normal(seed, stream, t, key(state, j), -1, n) for n in range(3))
    new.alive, new.founded, new.parent, new.phase = True, t, parent, phase
    new.x, new.y = old.x + d.newborn_distance * east, old.y + d.newborn_distance * north
    new.dynamism = math.exp(drive / 2 - 1 / 8)
    for name in ("technology", "education", "it", "identity", "collaboration", "research", "absorptive"):
        setattr(new, name, getattr(old, name))
    inherit(state, p, old, new)
    new.tacit[:], new.codified[:] = d.newborn_knowledge * old.tacit, d.newborn_knowledge * old.codified
    new.quality = d.newborn_knowledge * old.quality
    new.experience, new.employees = 0.3, size
    idle = min(size, max(0.0, state.accounts.people[UNEMPLOYED]))
    move(state, UNEMPLOYED, EMPLOYED, idle)
    move(state, OUTSIDE, EMPLOYED, size - idle)
    final = phase == p.technology[0].phases - 1
    new.reach = size * p.market[0].productivity / (p.market[0].final_value if final else 1.0)
    new.reach *= d.newborn_customers / max(1e-6, state.world[0].market * (1 - state.world[0].slump))
    taken = min(new.reach, 0.3 * old.reach) if phase == old.phase else 0.0
    old.reach -= taken
    won[phase] += local[phase] * (new.reach - taken)
    new.wage = state.world[0].wage
    new.cash = 2 * new.wage * size
    pay(state, HOUSEHOLDS, FIRMS, new.cash)
    first_trust, slots = float(p.ties[0].first_trust), state.ties[j].partner.size
    state.tally[TIE_BIRTHS] += make_tie(state, parent, j, first_trust)
    trading = [(-trust, m, k) for m, k, trust in links(state, parent) if k != j]
    trading = [known for known in trading if (state.firms[known[2]].phase == p.technology[0].phases - 1) != final]
    with_room = [k for _, _, k in sorted(trading) if len(partners(state, k)) < slots]
    for k in with_room[: d.newborn_clients]:
        state.tally[TIE_BIRTHS] += make_tie(state, j, k, first_trust)
    state.tally[ENTRIES] += 1
    return j


def enter_firms(state: State, p: Any) -> None:
    d, s, tech, seed, t = p.demography[0], strategy(state, p), p.technology[0], seed_of(state), now(state)
    firms, last = living(state), tech.phases - 1
    in_phase = {k: [state.firms[i] for i in firms if state.firms[i].phase == k] for k in range(tech.phases)}
    base = {k: sum(float(f.reach) for f in in_phase[k]) for k in in_phase}
    need = {k: (p.derived.phase_value[k] if k < last else 1.0) * base[last] for k in in_phase}
    need |= {k: need[k] + state.world[0].outside_orders[k] for k in range(last)}
    room = {k: base[k] / need[k] if need[k] > 0 else math.inf for k in in_phase}
    value = {k: sum(max(0.0, float(f.value_added)) for f in in_phase[k]) for k in in_phase}
    profit = {k: sum(float(f.profit) for f in in_phase[k]) for k in in_phase}
    thinnest = min(room, key=lambda k: room[k])
    local = [d.customers_kept * min(1.0, room[k]) for k in in_phase]
    won = [0.0 for _ in in_phase]
    helped = 1 + p.agency[0].phase_entry * state.agency[0].effect[PHASES] if room[thinnest] < THIN else 1.0
    for i in firms:
        firm = state.firms[i]
        k = int(firm.phase)
        margin = profit[k] / value[k] if value[k] > 0 else 0.0
        hazard = d.entry * s.entrepreneurship * math.exp(clip(d.entry_profit * (margin - d.normal_margin), -3.0, 3.0))
        handed_on = np.mean([firm[name] - p.firms[0][name] for name in ("identity", "education")])
        hazard *= max(0.0, 1 + d.reproduction * handed_on)
        hazard *= (firm.employees / p.firms[0].size_mean) ** d.entry_size
        a, b = uniform2(seed, int(Stream.ENTRY), t, key(state, i), -1, 0)
        if a < hazard:
            phase = _phase_of_newborn(p, k, *uniform2(seed, int(Stream.ENTRY), t, key(state, i), -1, 1))
        elif a < hazard * helped:
            phase = thinnest
        else:
            continue
        found_firm(state, p, i, phase, max(1.0, -d.newborn_size * math.log(b)), 0, local, won)
    _by_policy(state, p, thinnest, local, won)
    base = {k: sum(float(state.firms[i].reach) for i in firms if state.firms[i].phase == k) for k in in_phase}
    for i in firms:
        k = int(state.firms[i].phase)
        state.firms[i].reach *= 1 - min(0.3, won[k] / base[k])


def _phase_of_newborn(p: Any, parents: int, u: float, v: float) -> int:
    if u < p.demography[0].newborn_phase:
        return parents
    edges = np.cumsum(p.derived.phase_value)
    return min(int(np.searchsorted(edges, v, side="right")), p.technology[0].phases - 1)


def _by_policy(state: State, p: Any, thinnest: int, local: list[float], won: list[float]) -> None:
    """Supported founders, then attracted entrants without and with networks."""
    seed, t, stream = seed_of(state), now(state), int(Stream.ENTRANT_ATTRACTION)
    policy, tech = state.policy[0], p.technology[0]
    for which, expected in enumerate((policy.founders, *policy.entrants)):
        whole = math.floor(expected)
        number = whole + (uniform(seed, stream, t, which) < expected - whole)
        for n in range(min(number, 1000)):
            parent, number_of_founder = meet(state, -10 - which, n, stream), 1 + n + 1024 * which
            if parent < 0:
                continue
            if which == 0:
                found_firm(state, p, parent, thinnest, p.demography[0].newborn_size, number_of_founder, local, won)
                continue
            phase = int(uniform(seed, stream, t, which, n) * tech.phases)
            abroad = [0.0 for _ in local]  # where entrants' customers are
            j = found_firm(state, p, parent, phase, p.policy_effects[0].entrant_size, number_of_founder, abroad, won)
            if j >= 0:
                _make_distant(state, p, j, networked=which == 2)


def _make_distant(state: State, p: Any, j: int, networked: bool) -> None:
    firm = state.firms[j]
    pay(state, WORLD, HOUSEHOLDS, firm.cash)  # their capital comes from outside
    ahead = min(int(firm.technology) + 1, p.technology[0].count - 1)
    known = p.policy_effects[0].entrant_knowledge * state.world[0].frontier * p.derived.use[ahead][firm.phase]
    firm.tacit[:] = np.maximum(0.3 * firm.tacit, known)
    firm.codified[:] = np.maximum(0.3 * firm.codified, known)
    state.tally[TIE_DEATHS] += cut_all_ties(state, j)
    for n in range(4 if networked else 0):
        partner = meet(state, j, 900 + n, int(Stream.ENTRANT_ATTRACTION))
        if partner >= 0 and make_tie(state, j, partner, 0.6):
            state.tally[TIE_BIRTHS] += 1
