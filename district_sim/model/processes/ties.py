"""Trust and identity, the local network, pipelines to the outside."""

import numpy as np

from district_sim.kernels.compile import kernel, parallel_kernel, prange
from district_sim.kernels.draws import Stream, draw_all, happens, looped_uniform2, uniform, uniform2
from district_sim.model.processes.relations import (
    controller,
    far_apart,
    fetch_ahead,
    fetch_mirrors,
    fetch_partners,
    is_affiliate,
    mean_trust,
    trusted_sum,
    untie,
)
from district_sim.model.scratch import ALONE, BLOCKS, PAIRED
from district_sim.model.state import ABSORPTIVE_AT, LINKING, SELF_OWNED, TIE_DEATHS, VALUES

SPREAD_OF_CHEMISTRY = 2.45  # chemistry times this has a standard deviation of 1
_FULL_ORDERS, _USUAL_ORDERS = 0.25, 0.2  # share of the smaller firm's sales that is full commitment; usual of that
_ABLE_SIZE = 10.0  # employees from which on a firm can spare people for a pipeline
_MANY_COSTS = 4.0  # quarters of a pipeline's cost that a firm without profit must have in hand
_ENDING = int(Stream.TIE_ENDING)
_CHEMISTRY = int(Stream.TIE_TRUST)
_OPENING = int(Stream.PIPELINE_OPENING)
_LAPSING = int(Stream.PIPELINE_LAPSING)


@kernel
def chemistry(key_i, key_j, seed):
    """How well two firms' people get on, in (-1, 1), triangular, for the life of the pair; the same both ways."""
    a, b = uniform2(seed, _CHEMISTRY, 0, min(key_i, key_j), max(key_i, key_j), 0)
    return a + b - 1.0


@kernel
def _list_pairs(living, firms, ties, row, slot, low, high):
    """List the ties of some living firms to firms of higher rows, with the two keys in order; returns their number.

    Each tie is listed once. All draws for the ties listed are then taken in one loop, which becomes vector
    instructions: with that, trust takes a third of the time, and ending ties a third.
    """
    count = np.uint64(0)
    for i in living:
        partner = ties[i].partner
        for m in range(partner.size):
            row[count], slot[count] = i, m
            count += np.uint64(partner[m] > i)
    for t in range(count):
        own, other = firms[row[t]].key, firms[ties[row[t]].partner[slot[t]]].key
        low[t], high[t] = min(own, other), max(own, other)
    return count


@kernel
def trust_target(a, b, orders, mine, theirs, usual, chemistry, network, start):
    """Trust towards which the tie of firms a and b moves, given what both did this quarter; the same from both sides.

    Grows with shared identity, kept orders, joint contributions and competence above the `usual` absorptive capacity;
    falls with offshoring, takeover and captivity (Amin 1993; Dei Ottati 1994; on competence Sako 1992).

    Args:
        a, b: records of the firms. orders: k€ between them this quarter. mine, theirs: controlling unit of a and of b.
        usual: mean absorptive capacity. chemistry: of the pair. network, start: `Parameters.ties[0]` and `firms[0]`.
    """
    volume = min(a.sales, b.sales)
    kept = min(1.0, orders / (_FULL_ORDERS * volume)) if volume > 0.0 else 0.0
    target = start.trust + start.trust_spread * SPREAD_OF_CHEMISTRY * chemistry
    target += network.trust_identity * (0.5 * (a.identity + b.identity) - start.identity)
    target += network.trust_orders * (kept - _USUAL_ORDERS)
    target += network.trust_contribution * a.participates * b.participates
    target += network.trust_competence * max(0.0, 0.5 * (a.absorptive + b.absorptive) - usual)
    abroad = max(0.0, a.offshored - network.offshoring_norm) + max(0.0, b.offshored - network.offshoring_norm)
    target -= network.trust_offshoring * 0.5 * abroad
    if mine != theirs:
        target -= network.trust_foreign * (min(mine, theirs) < SELF_OWNED)
        target -= network.trust_captive * (a.captor >= 0 or b.captor >= 0)
    return min(1.0, max(0.0, target))


@kernel
def _move_trust(living, firms, ties, orders, row, slot, low, high, fit, usual, seed, network, start):
    """Trust of the ties of some living firms to firms of higher rows; each tie is written by one firm only.

    row, slot, low, high, fit: working space, one row each of the fields of `scratch.pairs`.
    """
    for first in range(0, living.size, PAIRED):
        for i in living[first + PAIRED : first + 2 * PAIRED]:
            if far_apart(i, ties):
                for at in (0, ABSORPTIVE_AT):
                    fetch_partners(i, i, ties, firms, at)
                fetch_mirrors(i, i, ties, ties, 4 * ties[i].partner.size, 4)  # trust, behind the partners
                fetch_mirrors(i, i, ties, orders, 0, 8)  # what they paid
        count = _list_pairs(living[first : first + PAIRED], firms, ties, row, slot, low, high)
        for t in range(count):
            a, b = looped_uniform2(seed, _CHEMISTRY, 0, low[t], high[t], 0)
            fit[t] = a + b - 1.0
        for t in range(count):
            i, m = row[t], slot[t]
            own = ties[i]
            j, b, trust = np.int64(own.partner[m]), own.mirror[m], own.trust[m]
            other, paid = ties[j], orders[i].paid[m] + orders[j].paid[b]
            mine, theirs = controller(i, firms), controller(j, firms)
            target = trust_target(firms[i], firms[j], paid, mine, theirs, usual, fit[t], network, start)
            trust += network.trust_speed * (target - trust)
            own.trust[m], other.trust[b] = trust, trust


@kernel
def _mean_absorptive(firms, living):
    """Mean absorptive capacity of living firms by employees; 0 if there are none."""
    capacity, people = 0.0, 0.0
    for i in living:
        capacity += firms[i].employees * firms[i].absorptive
        people += firms[i].employees
    return capacity / max(people, 1e-30)


@parallel_kernel
def _move_all_trust(living, firms, ties, orders, pairs, usual, seed, behaviour, start):
    """`_move_trust` for all living firms, threads sharing the work in large districts."""
    row, slot, low, high, fit = pairs.row, pairs.slot, pairs.low, pairs.high, pairs.luck
    n = living.size
    if n < ALONE:
        _move_trust(
            living, firms, ties, orders, row[0], slot[0], low[0], high[0], fit[0], usual, seed, behaviour[0], start[0]
        )
    else:
        for b in prange(BLOCKS):
            mine = living[b * n // BLOCKS : (b + 1) * n // BLOCKS]
            space = row[b], slot[b], low[b], high[b], fit[b]
            _move_trust(mine, firms, ties, orders, *space, usual, seed, behaviour[0], start[0])


@kernel
def update_trust(state, living, p, s):
    """Trust of every tie moves towards its target; ties grow older; collaboration inside follows that outside."""
    firms, ties, speed = state.firms, state.ties, p.ties[0].collaboration_speed
    usual = _mean_absorptive(firms, living)
    _move_all_trust(living, firms, ties, state.orders, state.scratch.pairs, usual, state.clock.seed[0], p.ties, p.firms)
    for i in living:
        firms[i].collaboration += speed * (mean_trust(i, ties) - firms[i].collaboration)
        for m in range(ties[i].age.size):
            ties[i].age[m] += ties[i].partner[m] >= 0


@kernel
def update_identity(state, living, p, s):
    """Identity moves towards what firms did and what their trusted partners feel (contagion; Amin 1993)."""
    firms, ties, agency, clock, scratch = state.firms, state.ties, state.agency, state.clock, state.scratch
    network, rows = p.ties[0], clock.rows[0]
    for i in living:
        fetch_ahead(i, rows, ties, firms, 0)
        felt, weight = trusted_sum(i, ties, firms.identity)
        own = s.identity + network.identity_participation * firms[i].participates * agency[0].participation
        own += network.identity_capability * (agency[0].capability + agency[0].effect[VALUES])
        own -= network.identity_offshoring * max(0.0, firms[i].offshored - network.offshoring_norm)
        own -= network.identity_foreign * (is_affiliate(i, firms) or firms[i].captor >= 0)
        own = min(1.0, max(0.0, own))
        contagion = network.identity_contagion if weight > 0.0 else 0.0
        target = (1.0 - contagion) * own + (contagion * felt / weight if weight > 0.0 else 0.0)
        scratch.value[i] = firms[i].identity + network.identity_speed * (target - firms[i].identity)
    for i in living:
        firms[i].identity = scratch.value[i]


@kernel
def end_ties(state, living, p, s):
    """Ties end at a hazard that falls with trust."""
    firms, ties, tally, clock, scratch = state.firms, state.ties, state.tally, state.clock, state.scratch
    network, seed, step = p.ties[0], clock.seed[0], clock.step[0]
    pairs = scratch.pairs
    row, slot, low, high, luck = pairs.row[0], pairs.slot[0], pairs.low[0], pairs.high[0], pairs.luck[0]
    for first in range(0, living.size, PAIRED):
        for i in living[first + PAIRED : first + 2 * PAIRED]:
            if far_apart(i, ties):
                fetch_partners(i, i, ties, firms, 0)
        count = _list_pairs(living[first : first + PAIRED], firms, ties, row, slot, low, high)
        for t in range(count):
            luck[t] = looped_uniform2(seed, _ENDING, step, low[t], high[t], 0)[0]
        for t in range(count):
            if luck[t] < network.ending:
                i, m = row[t], slot[t]
                if luck[t] < network.ending * np.exp(-network.ending_trust * ties[i].trust[m]):
                    untie(i, m, ties)
                    tally[TIE_DEATHS] += 1


@kernel
def update_pipelines(state, living, p, s):
    """Pipelines strengthen, lapse and open. Opening takes absorptive capacity, size and money (Bathelt et al. 2004)."""
    firms, pipelines, clock, scratch = state.firms, state.pipelines, state.clock, state.scratch
    network, seed, t = p.ties[0], clock.seed[0], clock.step[0]
    nodes, luck = p.derived.node_kind.size, draw_all(living, _OPENING, clock, scratch)
    for n in range(living.size):
        i, free = living[n], -1
        for g in range(pipelines[i].node.size):
            if pipelines[i].node[g] >= 0 and uniform(seed, _LAPSING, t, firms[i].key, g) < network.pipeline_lapse:
                pipelines[i].node[g] = -1
                pipelines[i].strength[g] = 0.0
            if pipelines[i].node[g] >= 0:
                pipelines[i].strength[g] += network.pipeline_growth * (1.0 - pipelines[i].strength[g])
            else:
                free = g
        if free < 0:
            continue
        able = firms[i].absorptive * min(1.0, firms[i].employees / _ABLE_SIZE)
        affordable = firms[i].profit > network.pipeline_cost or firms[i].cash > _MANY_COSTS * network.pipeline_cost
        hazard = network.pipeline_opening * (firms[i].conduct[LINKING] * able * affordable + firms[i].voucher * able)
        if happens(luck[n], hazard):
            _, b = uniform2(seed, _OPENING, t, firms[i].key, -1, 0)
            pipelines[i].node[free] = np.int64(b * nodes)
            pipelines[i].strength[free] = network.pipeline_growth
