"""Exit and entry: insolvency and retirement, spin-offs, technology-distant entrants."""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, draw_all, normal, philox, uniform, uniform2
from district_sim.model.processes.conduct import inherit_conduct
from district_sim.model.processes.relations import are_tied, degree, draw_firm, tie, untie_all
from district_sim.model.processes.world import LEAST_MARKET, market_size
from district_sim.model.state import (
    EMPLOYED,
    ENTRIES,
    EXITS,
    FIRMS,
    HOUSEHOLDS,
    OUTSIDE,
    OVERFLOW,
    PHASES,
    SELF_OWNED,
    TIE_BIRTHS,
    TIE_DEATHS,
    UNEMPLOYED,
    WORLD,
    empty_row,
)
from district_sim.scenario.instruments import MOST_FOUNDED

_EXIT = int(Stream.EXIT)
_ENTRY = int(Stream.ENTRY)
_NEWBORN = int(Stream.NEWBORN)
_ATTRACTED = int(Stream.ENTRANT_ATTRACTION)
_REACH, _NEED, _PROFIT, _VALUE, _FREED, _LOCAL, _WON, _FOUNDING = range(8)  # rows of scratch.phase in this process
_FIRST_EXPERIENCE, _FIRST_CASH = 0.3, 2.0  # of a newborn: 0..1; quarters of wages, from its founders
_MOST_TAKEN = 0.3  # share of its customers that a parent loses to a spin-off, or a phase to all newborns, at most
_DYNAMISM = 0.5  # standard deviation of the logarithm of newborns' dynamism, whose mean is 1
_ABOVE = 1.0 + 1e-9  # times a bound, so that rounding cannot matter
_MOST_PULL = 3.0  # log points by which profits raise or lower entry at most
_UNKNOWN = 0.3  # share of its parent's knowledge that an entrant from outside has of what it does not bring along
_INTRODUCED, _INTRODUCTION = 4, 0.6  # firms to which a networked entrant is introduced, and the first trust in it
_THIN = 0.35  # a phase whose customer base is below this share of what its clients need is thin


@kernel
def close_firm(i, firms, ties, pipelines, accounts, tally):
    """Close firm i: people to the unemployed, money to the owners (debts to creditors outside), ties end."""
    accounts.people[EMPLOYED] -= firms[i].employees
    accounts.people[UNEMPLOYED] += firms[i].employees
    accounts.money[FIRMS] -= firms[i].cash
    if firms[i].cash >= 0.0:
        accounts.money[HOUSEHOLDS] += firms[i].cash
    else:
        accounts.money[WORLD] += firms[i].cash
    tally[TIE_DEATHS] += untie_all(i, ties)
    pipelines[i].node[:] = -1
    pipelines[i].strength[:] = 0.0
    firms[i].alive = False
    firms[i].cash, firms[i].employees, firms[i].sales = 0.0, 0.0, 0.0
    firms[i].value_added, firms[i].profit = 0.0, 0.0
    firms[i].pledges, firms[i].participates = 0.0, 0.0
    firms[i].contribution, firms[i].served = 0.0, 0.0
    tally[EXITS] += 1


@kernel
def _survey(firms, living, world, scratch, p):
    """Sums by phase: customer base, need of the final firms and of clients outside, profit, value added."""
    by_phase, last = scratch.phase, p.technology[0].phases - 1
    by_phase[:] = 0.0
    for i in living:
        phase = firms[i].phase
        by_phase[_REACH, phase] += firms[i].reach
        by_phase[_PROFIT, phase] += firms[i].profit
        by_phase[_VALUE, phase] += max(0.0, firms[i].value_added)
        if phase == last:
            for q in range(last):
                by_phase[_NEED, q] += p.derived.phase_value[q] * firms[i].reach
    for q in range(last):
        by_phase[_NEED, q] += world[0].outside_orders[q]
    by_phase[_NEED, last] = by_phase[_REACH, last]


@kernel
def exit_firms(state, living, p, s):
    """Insolvent firms close; others close at a hazard that falls with age and size.

    Most customers of a closed firm look first for another firm of its phase in the district.
    """
    firms, ties, pipelines, accounts, tally = state.firms, state.ties, state.pipelines, state.accounts, state.tally
    clock, scratch = state.clock, state.scratch
    demography = p.demography[0]
    _survey(firms, living, state.world, scratch, p)
    freed, luck, smallest = scratch.phase[_FREED], draw_all(living, _EXIT, clock, scratch), 1e300
    for i in living:
        smallest = min(smallest, firms[i].employees)
    most = _ABOVE * (demography.exit * smallest**-demography.exit_size + demography.exit_young)  # of all hazards
    for n in range(living.size):
        i, retires = living[n], luck[n] < most
        if retires:
            age = clock.step[0] - firms[i].founded
            hazard = demography.exit * firms[i].employees ** -demography.exit_size + demography.exit_young * np.exp(
                -age / demography.exit_young_scale
            )
            retires = luck[n] < hazard
        insolvent = firms[i].cash < -demography.credit * firms[i].wage * firms[i].employees
        if retires or (insolvent and demography.entry + demography.exit > 0.0):
            freed[firms[i].phase] += firms[i].reach
            scratch.phase[_REACH, firms[i].phase] -= firms[i].reach
            close_firm(i, firms, ties, pipelines, accounts, tally)
    left = 0
    for i in living:
        if firms[i].alive:
            left += 1
            base = scratch.phase[_REACH, firms[i].phase]
            firms[i].reach *= 1.0 + demography.customers_kept * freed[firms[i].phase] / base
            if firms[i].owner >= 0 and not firms.alive[firms[i].owner]:
                firms[i].owner = SELF_OWNED
            if firms[i].captor >= 0 and not firms.alive[firms[i].captor]:
                firms[i].captor = -1
    if left == 0:  # what rounding left is nobody's work
        accounts.people[UNEMPLOYED] += accounts.people[EMPLOYED]
        accounts.people[EMPLOYED] = 0.0


@kernel
def newborn_key(parent_key, step, number):
    """The new firm's identity for keyed draws: a hash of its parent's, the quarter and a number."""
    word, _, _, _ = philox(
        np.uint32(parent_key & 0xFFFFFFFF),
        np.uint32(step & 0xFFFFFFFF),
        np.uint32(number),
        np.uint32(0x4E45574B),
        np.uint32(0),
        np.uint32(0),
    )
    return np.int64(word)


@kernel
def _introduce(j, parent, firms, ties, tally, p):
    """Tie newborn j to partners of its parent with whom its phase trades, those first whom the parent trusts most."""
    last, own = p.technology[0].phases - 1, ties[parent]
    final = firms[j].phase == last
    for _ in range(p.demography[0].newborn_clients):
        best, trust = np.int64(-1), -1.0
        for m in range(own.partner.size):
            i = np.int64(own.partner[m])
            if i < 0 or i == j or own.trust[m] <= trust or (firms[i].phase == last) == final:
                continue
            if degree(i, ties) < own.partner.size and not are_tied(i, j, ties):
                best, trust = i, own.trust[m]
        if best < 0 or not tie(j, best, p.ties[0].first_trust, ties):
            break
        tally[TIE_BIRTHS] += 1


@kernel
def found_firm(parent, phase, size, number, firms, ties, pipelines, accounts, world, tally, clock, by_phase, p):
    """A new firm near its parent, with part of the parent's knowledge and partners and, in the same phase, customers.

    What its size needs beyond the customers of its parent it wins: from outside and, as `by_phase` says and counts,
    from other firms of its phase.
    Returns its row, or -1 if no row is free. Its first money comes from households, its people from the unemployed
    and, where these do not suffice, from outside the district.
    """
    j = clock.rows[0]
    if j >= firms.alive.size:
        tally[OVERFLOW] += 1
        return -1
    clock.rows[0] += 1
    demography, seed, t = p.demography[0], clock.seed[0], clock.step[0]
    key = newborn_key(firms[parent].key, t, number)
    empty_row(j, firms, ties, pipelines)
    firms[j].key = key
    firms[j].alive, firms[j].founded, firms[j].parent, firms[j].phase = True, t, parent, phase
    firms[j].x = firms[parent].x + demography.newborn_distance * normal(seed, _NEWBORN, t, key, -1, 0)
    firms[j].y = firms[parent].y + demography.newborn_distance * normal(seed, _NEWBORN, t, key, -1, 1)
    firms[j].dynamism = np.exp(_DYNAMISM * normal(seed, _NEWBORN, t, key, -1, 2) - 0.5 * _DYNAMISM**2)
    firms[j].technology = firms[parent].technology
    inherit_conduct(parent, j, firms, clock, p)
    for domain in range(firms[j].tacit.size):
        firms[j].tacit[domain] = demography.newborn_knowledge * firms[parent].tacit[domain]
        firms[j].codified[domain] = demography.newborn_knowledge * firms[parent].codified[domain]
    firms[j].education, firms[j].it = firms[parent].education, firms[parent].it
    firms[j].experience, firms[j].identity = _FIRST_EXPERIENCE, firms[parent].identity
    firms[j].collaboration, firms[j].research = firms[parent].collaboration, firms[parent].research
    firms[j].absorptive, firms[j].quality = (
        firms[parent].absorptive,
        demography.newborn_knowledge * firms[parent].quality,
    )
    firms[j].employees = size
    hired = min(size, max(0.0, accounts.people[UNEMPLOYED]))
    accounts.people[UNEMPLOYED] -= hired
    accounts.people[OUTSIDE] -= size - hired
    accounts.people[EMPLOYED] += size
    share = 1.0 if phase < p.technology[0].phases - 1 else p.market[0].final_value
    need = size * p.market[0].productivity / (share * max(LEAST_MARKET, market_size(world)))
    base = demography.newborn_customers * need
    taken = min(base, _MOST_TAKEN * firms[parent].reach) if phase == firms[parent].phase else 0.0
    firms[parent].reach -= taken
    by_phase[_WON, phase] += by_phase[_LOCAL, phase] * (base - taken)
    firms[j].reach = base
    firms[j].wage = world[0].wage
    firms[j].cash = _FIRST_CASH * world[0].wage * size
    accounts.money[HOUSEHOLDS] -= firms[j].cash
    accounts.money[FIRMS] += firms[j].cash
    if tie(parent, j, p.ties[0].first_trust, ties):
        tally[TIE_BIRTHS] += 1
    _introduce(j, parent, firms, ties, tally, p)
    tally[ENTRIES] += 1
    return j


@kernel
def _newborn_phase(i, u, v, firms, p):
    """A spin-off stays in its parent's phase, or serves another phase drawn by the value of its work."""
    if u < p.demography[0].newborn_phase:
        return np.int64(firms[i].phase)
    total = 0.0
    for q in range(p.technology[0].phases):
        total += p.derived.phase_value[q]
        if v < total:
            return q
    return p.technology[0].phases - 1


@kernel
def _founders(employees, p):
    """People in a firm who may found another, of those in a firm of the mean first size."""
    return (employees / p.firms[0].size_mean) ** p.demography[0].entry_size


@kernel
def _lose_customers(firms, living, by_phase):
    """Older firms of a phase lose, each the same share, the customers that newborns won from them."""
    by_phase[_REACH, :] = 0.0
    for i in living:
        by_phase[_REACH, firms[i].phase] += firms[i].reach
    for i in living:
        q = firms[i].phase
        firms[i].reach *= 1.0 - min(_MOST_TAKEN, by_phase[_WON, q] / by_phase[_REACH, q])


@kernel
def enter_firms(state, living, p, s):
    """Spin-offs: more where a phase earns well and values and skills are reproduced; thin phases may be supported.

    Founders are people: a larger firm has more of them. As employment follows demand and not the number of firms, a
    district of few large firms founds more per firm, one of many small ones less.
    """
    firms, ties, pipelines, agency, policy = state.firms, state.ties, state.pipelines, state.agency, state.policy
    accounts, world, tally, clock, scratch = state.accounts, state.world, state.tally, state.clock, state.scratch
    demography, seed, t = p.demography[0], clock.seed[0], clock.step[0]
    _survey(firms, living, world, scratch, p)
    by_phase = scratch.phase
    thinnest, least = 0, 1e300
    for q in range(p.technology[0].phases):
        room = by_phase[_REACH, q] / by_phase[_NEED, q] if by_phase[_NEED, q] > 0.0 else 1e300
        if room < least:
            thinnest, least = q, room
        by_phase[_LOCAL, q] = demography.customers_kept * min(1.0, room)
        margin = by_phase[_PROFIT, q] / by_phase[_VALUE, q] if by_phase[_VALUE, q] > 0.0 else 0.0
        by_phase[_FOUNDING, q] = (
            demography.entry
            * s.entrepreneurship
            * np.exp(min(_MOST_PULL, max(-_MOST_PULL, demography.entry_profit * (margin - demography.normal_margin))))
        )
    supported = 1.0 + p.agency[0].phase_entry * agency[0].effect[PHASES] if least < _THIN else 1.0
    largest = 0.0
    for i in living:
        largest = max(largest, firms[i].employees)
    most = _ABOVE * supported * _founders(largest, p)  # times what else a hazard depends on
    luck = draw_all(living, _ENTRY, clock, scratch)
    for n in range(living.size):
        i = living[n]
        reproduced = 0.5 * (firms[i].identity - p.firms[0].identity + firms[i].education - p.firms[0].education)
        hazard, more = by_phase[_FOUNDING, firms[i].phase], max(0.0, 1.0 + demography.reproduction * reproduced)
        if luck[n] >= most * hazard * more:
            continue
        hazard *= more * _founders(firms[i].employees, p)
        phase = -1
        if luck[n] < hazard:
            u, v = uniform2(seed, _ENTRY, t, firms[i].key, -1, 1)
            phase = _newborn_phase(i, u, v, firms, p)
        elif luck[n] < hazard * supported:
            phase = thinnest
        if phase >= 0:
            _, b = uniform2(seed, _ENTRY, t, firms[i].key, -1, 0)
            size = max(1.0, -demography.newborn_size * np.log(b))
            found_firm(i, phase, size, 0, firms, ties, pipelines, accounts, world, tally, clock, by_phase, p)
    _enter_by_policy(thinnest, firms, ties, pipelines, policy, accounts, world, tally, clock, by_phase, p)
    _lose_customers(firms, living, by_phase)


@kernel
def _enter_by_policy(thinnest, firms, ties, pipelines, policy, accounts, world, tally, clock, by_phase, p):
    """Founders paid for in the thinnest phase, and technology-distant entrants without or with networks."""
    seed, t = clock.seed[0], clock.step[0]
    for which in range(3):
        if which == 1:
            by_phase[_LOCAL, :] = 0.0  # who comes from outside brings customers from outside
        expected = policy[0].founders if which == 0 else policy[0].entrants[which - 1]
        number = np.int64(expected) + (uniform(seed, _ATTRACTED, t, which) < expected - np.int64(expected))
        for k in range(min(number, MOST_FOUNDED)):
            parent = draw_firm(-10 - which, k, _ATTRACTED, firms, firms.alive, clock)
            if parent < 0:
                continue
            u = uniform(seed, _ATTRACTED, t, which, k)
            phase = thinnest if which == 0 else np.int64(u * p.technology[0].phases)
            size = p.demography[0].newborn_size if which == 0 else p.policy_effects[0].entrant_size
            birth = 1 + 1024 * which + k
            j = found_firm(
                parent, phase, size, birth, firms, ties, pipelines, accounts, world, tally, clock, by_phase, p
            )
            if j >= 0 and which > 0:
                _make_distant(j, which == 2, firms, ties, accounts, world, tally, clock, p)


@kernel
def _make_distant(j, networked, firms, ties, accounts, world, tally, clock, p):
    """Give firm j outside capital and knowledge of the next technology; cut it off, or introduce it to four firms."""
    accounts.money[HOUSEHOLDS] += firms[j].cash
    accounts.money[WORLD] -= firms[j].cash
    nxt = min(firms[j].technology + 1, p.technology[0].count - 1)
    for d in range(p.technology[0].domains):
        known = p.policy_effects[0].entrant_knowledge * world[0].frontier[d] * p.derived.use[nxt, firms[j].phase, d]
        firms[j].tacit[d] = max(_UNKNOWN * firms[j].tacit[d], known)
        firms[j].codified[d] = max(_UNKNOWN * firms[j].codified[d], known)
    tally[TIE_DEATHS] += untie_all(j, ties)
    if networked:
        for k in range(_INTRODUCED):
            partner = draw_firm(j, 900 + k, _ATTRACTED, firms, firms.alive, clock)
            if partner >= 0 and tie(j, partner, _INTRODUCTION, ties):
                tally[TIE_BIRTHS] += 1
