"""Trust and identity, the local network, pipelines to the outside."""

import numpy as np

from district_sim.compiled import kernel
from district_sim.processes.knowledge import cognitive_distance
from district_sim.processes.relations import (
    controller,
    degree,
    distance_km,
    draw_firm,
    is_affiliate,
    mean_trust,
    tie,
    trusted_sum,
    untie,
)
from district_sim.random import Stream, uniform, uniform2
from district_sim.state import TIE_BIRTHS, TIE_DEATHS, VALUES

_ENDING = int(Stream.TIE_ENDING)
_FORMING = int(Stream.TIE_FORMING)
_CHEMISTRY = int(Stream.TIE_TRUST)
_OPENING = int(Stream.PIPELINE_OPENING)
_LAPSING = int(Stream.PIPELINE_LAPSING)


@kernel
def chemistry(key_i, key_j, seed):
    """How well two firms' people get on, in (-1, 1), triangular, for the life of the pair; the same both ways."""
    a, b = uniform2(seed, _CHEMISTRY, 0, min(key_i, key_j), max(key_i, key_j), 0)
    return a + b - 1.0


@kernel
def trust_target(i, j, m, firms, ties, seed, p):
    """Trust towards which tie {i, j} moves, given what both did this quarter; the same from both sides.

    Grows with shared identity, kept orders and joint contributions; falls with offshoring, takeover and captivity
    (Amin 1993; Dei Ottati 1994).
    """
    k, f = p.ties[0], p.firms[0]
    own = ties.orders[i, m] + ties.orders[j, ties.mirror[i, m]]
    volume = min(firms.sales[i], firms.sales[j])
    kept = min(1.0, own / (0.25 * volume)) if volume > 0.0 else 0.0
    target = f.trust + f.trust_spread * 2.45 * chemistry(firms.key[i], firms.key[j], seed)
    target += k.trust_identity * (0.5 * (firms.identity[i] + firms.identity[j]) - f.identity)
    target += k.trust_orders * (kept - 0.2)
    target += k.trust_contribution * firms.participates[i] * firms.participates[j]
    abroad = max(0.0, firms.offshored[i] - k.offshoring_norm) + max(0.0, firms.offshored[j] - k.offshoring_norm)
    target -= k.trust_offshoring * 0.5 * abroad
    if controller(i, firms) != controller(j, firms):
        target -= k.trust_foreign * (is_affiliate(i, firms) or is_affiliate(j, firms))
        target -= k.trust_captive * (firms.captor[i] >= 0 or firms.captor[j] >= 0)
    return min(1.0, max(0.0, target))


@kernel
def update_trust(firms, ties, clock, p):
    """Trust of every tie moves towards its target; ties grow older; collaboration inside follows that outside."""
    seed, speed = clock.seed[0], p.ties[0].trust_speed
    for i in range(clock.rows[0]):
        if not firms.alive[i]:
            continue
        for m in range(ties.partner.shape[1]):
            j = ties.partner[i, m]
            if j > i:
                b = ties.mirror[i, m]
                trust = ties.trust[i, m]
                trust += speed * (trust_target(i, j, m, firms, ties, seed, p) - trust)
                ties.trust[i, m], ties.trust[j, b] = trust, trust
                ties.age[i, m] += 1
                ties.age[j, b] += 1
    for i in range(clock.rows[0]):
        if firms.alive[i]:
            firms.collaboration[i] += p.ties[0].collaboration_speed * (mean_trust(i, ties) - firms.collaboration[i])


@kernel
def update_identity(firms, ties, agency, clock, scratch, p, s):
    """Identity moves towards what firms did and what their trusted partners feel (contagion; Amin 1993)."""
    k, n = p.ties[0], clock.rows[0]
    for i in range(n):
        if not firms.alive[i]:
            continue
        felt, weight = trusted_sum(i, ties, firms.identity)
        own = s.identity + k.identity_participation * firms.participates[i] * agency.participation[0]
        own += k.identity_capability * (agency.capability[0] + agency.effect[0, VALUES])
        own -= k.identity_offshoring * max(0.0, firms.offshored[i] - k.offshoring_norm)
        own -= k.identity_foreign * (is_affiliate(i, firms) or firms.captor[i] >= 0)
        own = min(1.0, max(0.0, own))
        contagion = k.identity_contagion if weight > 0.0 else 0.0
        target = (1.0 - contagion) * own + (contagion * felt / weight if weight > 0.0 else 0.0)
        scratch.value[i] = firms.identity[i] + k.identity_speed * (target - firms.identity[i])
    for i in range(n):
        if firms.alive[i]:
            firms.identity[i] = scratch.value[i]


@kernel
def end_ties(firms, ties, tally, clock, p):
    """Ties end at a hazard that falls with trust."""
    k = p.ties[0]
    for i in range(clock.rows[0]):
        if not firms.alive[i]:
            continue
        for m in range(ties.partner.shape[1]):
            j = ties.partner[i, m]
            if j > i:
                hazard = k.ending * np.exp(-k.ending_trust * ties.trust[i, m])
                a, b = min(firms.key[i], firms.key[j]), max(firms.key[i], firms.key[j])
                if uniform(clock.seed[0], _ENDING, clock.step[0], a, b) < hazard:
                    untie(i, m, ties)
                    tally[TIE_DEATHS] += 1


@kernel
def suitability(i, j, firms, p):
    """Probability in [0, 1] that i and j, once met, form a tie: near, complementary, cognitively close, identified."""
    k, last = p.ties[0], p.technology[0].phases - 1
    chance = np.exp(-distance_km(firms, i, j) / k.reach)
    if not ((firms.phase[i] == last) ^ (firms.phase[j] == last)):
        chance *= 1.0 - k.complementarity
    chance *= np.exp(-k.cognitive_proximity * cognitive_distance(firms[i].tacit, firms[j].tacit))
    return chance * min(1.0, 0.5 + 0.5 * (firms.identity[i] + firms.identity[j]))


@kernel
def _meet(i, number, firms, ties, clock, k):
    """Whom firm i meets when it looks for a partner: a partner's partner, or anybody in the district."""
    a, b = uniform2(clock.seed[0], _FORMING, clock.step[0], firms.key[i], -1, number)
    if a < k.closure:
        m = np.int64(b * ties.partner.shape[1])
        through = ties.partner[i, m]
        if through >= 0:
            a, b = uniform2(clock.seed[0], _FORMING, clock.step[0], firms.key[i], firms.key[through], number)
            return ties.partner[through, np.int64(a * ties.partner.shape[1])]
        return -1
    return draw_firm(i, number, _FORMING, firms, clock)


@kernel
def form_ties(firms, ties, tally, clock, p):
    """Firms with fewer ties than they want look for partners; the firm met must have room for one."""
    k = p.ties[0]
    for i in range(clock.rows[0]):
        if not firms.alive[i] or degree(i, ties) >= k.wanted:
            continue
        if uniform(clock.seed[0], _FORMING, clock.step[0], firms.key[i], -1, 99) >= k.searching:
            continue
        for number in range(8):
            j = _meet(i, number, firms, ties, clock, k)
            if j < 0 or j == i or not firms.alive[j] or degree(j, ties) >= ties.partner.shape[1]:
                continue
            u = uniform(clock.seed[0], _FORMING, clock.step[0], firms.key[i], firms.key[j], 100 + number)
            if u < suitability(i, j, firms, p):
                first = k.first_trust * (0.5 + 0.5 * (firms.identity[i] + firms.identity[j]))
                if tie(i, j, min(1.0, first), ties):
                    tally[TIE_BIRTHS] += 1
                    break


@kernel
def update_pipelines(firms, pipelines, clock, p, s):
    """Pipelines strengthen, lapse and open. Opening takes absorptive capacity, size and money (Bathelt et al. 2004)."""
    k, seed, t = p.ties[0], clock.seed[0], clock.step[0]
    nodes = p.derived.node_kind.size
    for i in range(clock.rows[0]):
        if not firms.alive[i]:
            continue
        free = -1
        for g in range(pipelines.node.shape[1]):
            if pipelines.node[i, g] >= 0 and uniform(seed, _LAPSING, t, firms.key[i], g) < k.pipeline_lapse:
                pipelines.node[i, g] = -1
                pipelines.strength[i, g] = 0.0
            if pipelines.node[i, g] >= 0:
                pipelines.strength[i, g] += k.pipeline_growth * (1.0 - pipelines.strength[i, g])
            else:
                free = g
        if free < 0:
            continue
        able = firms.absorptive[i] * min(1.0, firms.employees[i] / 10.0)
        affordable = firms.profit[i] > k.pipeline_cost or firms.cash[i] > 4.0 * k.pipeline_cost
        hazard = k.pipeline_opening * (s.pipelines * able * affordable + firms.voucher[i] * able)
        a, b = uniform2(seed, _OPENING, t, firms.key[i], -1, 0)
        if a < 1.0 - np.exp(-hazard):
            pipelines.node[i, free] = np.int64(b * nodes)
            pipelines.strength[i, free] = k.pipeline_growth
