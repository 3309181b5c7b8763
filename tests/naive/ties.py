"""Twin of processes/ties.py."""

import math
from typing import Any

from district_sim.kernels.draws import Stream, uniform, uniform2
from district_sim.model.state import TIE_BIRTHS, TIE_DEATHS, VALUES, State
from naive.common import (
    clip,
    conduct,
    cut_tie,
    distance_km,
    is_foreign,
    key,
    links,
    living,
    make_tie,
    mean_trust,
    meet,
    now,
    partners,
    seed_of,
    strategy,
    unit_of,
)
from naive.knowledge import cognitive_distance


def trust_target(state: State, p: Any, i: int, m: int, usual: float) -> float:
    """Where trust on the tie in slot m of firm i is heading; `usual`: the district's mean absorptive capacity."""
    k, f = p.ties[0], p.firms[0]
    j, mirror = int(state.ties[i].partner[m]), int(state.ties[i].mirror[m])
    a, b = state.firms[i], state.firms[j]
    low, high = sorted((key(state, i), key(state, j)))
    luck = sum(uniform2(seed_of(state), int(Stream.TIE_TRUST), 0, low, high, 0)) - 1
    orders = state.orders[i].paid[m] + state.orders[j].paid[mirror]
    smaller = min(a.sales, b.sales)
    kept = min(1.0, orders / (0.25 * smaller)) if smaller > 0 else 0.0
    target = f.trust + f.trust_spread * 2.45 * luck
    target += k.trust_identity * ((a.identity + b.identity) / 2 - f.identity)
    target += k.trust_orders * (kept - 0.2)
    target += k.trust_contribution * (a.participates * b.participates)
    target += k.trust_competence * max(0.0, (a.absorptive + b.absorptive) / 2 - usual)
    for firm in (a, b):
        target -= k.trust_offshoring / 2 * max(0.0, firm.offshored - k.offshoring_norm)
    if unit_of(state, i) != unit_of(state, j):
        if is_foreign(state, i) or is_foreign(state, j):
            target -= k.trust_foreign
        if a.captor >= 0 or b.captor >= 0:
            target -= k.trust_captive
    return clip(float(target))


def update_trust(state: State, p: Any) -> None:
    k, firms = p.ties[0], living(state)
    people = sum(float(state.firms[i].employees) for i in firms)
    usual = sum(float(state.firms[i].employees * state.firms[i].absorptive) for i in firms) / max(people, 1e-30)
    for i in firms:
        for m, j, trust in links(state, i):
            if i < j:
                new = trust + k.trust_speed * (trust_target(state, p, i, m, usual) - trust)
                mirror = int(state.ties[i].mirror[m])
                for row, slot in ((state.ties[i], m), (state.ties[j], mirror)):
                    row.trust[slot] = new
                    row.age[slot] += 1
    for i in living(state):
        firm = state.firms[i]
        firm.collaboration += k.collaboration_speed * (mean_trust(state, i) - firm.collaboration)


def update_identity(state: State, p: Any) -> None:
    k, s, agency = p.ties[0], strategy(state, p), state.agency[0]
    before = {i: float(state.firms[i].identity) for i in living(state)}
    for i in before:
        firm = state.firms[i]
        own = s.identity + k.identity_participation * firm.participates * agency.participation
        own += k.identity_capability * (agency.capability + agency.effect[VALUES])
        own -= k.identity_offshoring * max(0.0, firm.offshored - k.offshoring_norm)
        if is_foreign(state, i) or firm.captor >= 0:
            own -= k.identity_foreign
        target = clip(float(own))
        ties = links(state, i)
        weight = sum(trust for _, _, trust in ties)
        if weight > 0:
            felt = sum(trust * before[j] for _, j, trust in ties) / weight
            target += k.identity_contagion * (felt - target)
        firm.identity = before[i] + k.identity_speed * (target - before[i])


def end_ties(state: State, p: Any) -> None:
    for i in living(state):
        for m, j, trust in links(state, i):
            if i < j:
                low, high = sorted((key(state, i), key(state, j)))
                u = uniform(seed_of(state), int(Stream.TIE_ENDING), now(state), low, high)
                if u < p.ties[0].ending * math.exp(-p.ties[0].ending_trust * trust):
                    cut_tie(state, i, m)
                    state.tally[TIE_DEATHS] += 1


def fit(state: State, p: Any, i: int, j: int) -> float:
    """Probability that two firms that meet form a tie."""
    k, last, a, b = p.ties[0], p.technology[0].phases - 1, state.firms[i], state.firms[j]
    chance = math.exp(-distance_km(state, i, j) / k.reach)
    supply_relation = (a.phase == last) != (b.phase == last)
    if not supply_relation:
        chance *= 1 - k.complementarity
    chance *= math.exp(-k.cognitive_proximity * cognitive_distance(a.tacit, b.tacit))
    return chance * min(1.0, 0.5 + (a.identity + b.identity) / 2)


def _candidate(state: State, p: Any, i: int, number: int) -> int:
    """Whom i meets: through a partner (closure) or anywhere; -1 for nobody."""
    seed, t, stream = seed_of(state), now(state), int(Stream.TIE_FORMING)
    slots = state.ties[i].partner.size
    through_partner, which = uniform2(seed, stream, t, key(state, i), -1, number)
    if through_partner >= p.ties[0].closure:
        return meet(state, i, number, stream)
    middle = int(state.ties[i].partner[int(which * slots)])
    if middle < 0:
        return -1
    which = uniform(seed, stream, t, key(state, i), key(state, middle), number)
    return int(state.ties[middle].partner[int(which * slots)])


def form_ties(state: State, p: Any) -> None:
    k, seed, t, stream = p.ties[0], seed_of(state), now(state), int(Stream.TIE_FORMING)
    for i in living(state):
        if len(partners(state, i)) >= k.wanted or uniform(seed, stream, t, key(state, i), -1, 99) >= k.searching:
            continue
        for number in range(8):
            j = _candidate(state, p, i, number)
            if j in (-1, i) or not state.firms[j].alive or len(partners(state, j)) == state.ties[j].partner.size:
                continue
            if uniform(seed, stream, t, key(state, i), key(state, j), 100 + number) < fit(state, p, i, j):
                identity = (state.firms[i].identity + state.firms[j].identity) / 2
                if make_tie(state, i, j, min(1.0, k.first_trust * (0.5 + identity))):
                    state.tally[TIE_BIRTHS] += 1
                    break


def update_pipelines(state: State, p: Any) -> None:
    k, seed, t = p.ties[0], seed_of(state), now(state)
    for i in living(state):
        firm, row = state.firms[i], state.pipelines[i]
        for g in range(row.node.size):
            if row.node[g] < 0:
                continue
            if uniform(seed, int(Stream.PIPELINE_LAPSING), t, key(state, i), g) < k.pipeline_lapse:
                row.node[g], row.strength[g] = -1, 0.0
            else:
                row.strength[g] += k.pipeline_growth * (1 - row.strength[g])
        free = [g for g in range(row.node.size) if row.node[g] < 0]
        if not free:
            continue
        able = firm.absorptive * min(1.0, firm.employees / 10)
        drive = conduct(firm, "pipelines") if firm.profit > k.pipeline_cost or firm.cash > 4 * k.pipeline_cost else 0.0
        hazard = k.pipeline_opening * able * (drive + firm.voucher)
        a, b = uniform2(seed, int(Stream.PIPELINE_OPENING), t, key(state, i), -1, 0)
        if a < 1 - math.exp(-hazard):
            row.node[free[-1]] = int(b * len(p.derived.node_kind))
            row.strength[free[-1]] = k.pipeline_growth
