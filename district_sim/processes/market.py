"""Sourcing, final demand, orders, accounts, employment.

Final firms assemble P phases. For each they choose between making it, buying from tied suppliers, buying at arm's
length in the district and buying abroad: a multinomial logit on quality, price, trust and pipelines (McFadden 1974).
Money only moves between accounts.
"""

import numpy as np

from district_sim.compiled import kernel
from district_sim.processes.relations import controller, draw_firm, is_affiliate, mean_trust, strongest_pipeline
from district_sim.random import Stream, laplace
from district_sim.single import single
from district_sim.state import (
    EMPLOYED,
    FIRMS,
    HOUSEHOLDS,
    OUTSIDE,
    PUBLIC,
    PURCHASES,
    PURCHASES_LOCAL,
    REPATRIATED,
    TAXES,
    UNEMPLOYED,
    WAGES,
    WORLD,
)

_DEMAND = int(Stream.DEMAND)
_HIRING = int(Stream.HIRING)
# Rows of scratch.phase
_REACH, _QUALITY, _COUNT, _SPOT, _AWAY, _TIED, _SPOT_ORDERS, _NEED = range(8)
_MIN_SALES = 0.1  # k€: keeps logs finite for a firm without orders
_OWN = 0.9  # quality of what a firm makes outside its own phase, relative to its own work


@kernel
def supplier_price(j, client, firms, m):
    """Price of supplier j for a client, relative to normal: captive suppliers grant their captor a discount."""
    return 1.0 - m.captive_discount if firms.captor[j] == client else 1.0


@kernel
def labour_productivity(i, firms, ties, world, m):
    """Value of work per employee and quarter [k€]: quality, collaboration inside, trusted coordination outside."""
    relative = max(1e-6, firms.quality[i] / world.quality_start[0])
    return (
        m.productivity
        * relative**m.productivity_quality
        * (1.0 + m.productivity_collaboration * (firms.collaboration[i] - world.trust_start[0]))
        * (1.0 + m.productivity_trust * (mean_trust(i, ties) - world.trust_start[0]))
    )


@kernel
def _local_supply(firms, world, clock, scratch, p):
    """What the sourcing choices of the quarter have in common.

    By phase: customer base, base-weighted quality, number, need of the final firms, choice weights of buying at arm's
    length in the district and abroad. By firm: the pull of its quality, into `scratch.other`.
    """
    m, by_phase = p.market[0], scratch.phase
    by_phase[:] = 0.0
    last = p.technology[0].phases - 1
    for i in range(clock.rows[0]):
        if firms.alive[i]:
            k = firms.phase[i]
            by_phase[_REACH, k] += firms.reach[i]
            by_phase[_QUALITY, k] += firms.reach[i] * firms.quality[i]
            by_phase[_COUNT, k] += 1.0
            scratch.other[i] = _quality_pull(firms.quality[i], world, m)
    for k in range(last):
        by_phase[_NEED, k] = p.derived.phase_value[k] * by_phase[_REACH, last]
    outside = _quality_pull(world.quality_start[0] * world.rivals[0], world, m)
    for k in range(p.technology[0].phases):
        by_phase[_AWAY, k] = outside * world.price[0, k] ** -m.sensitivity_price
        if by_phase[_REACH, k] > 0.0:
            by_phase[_QUALITY, k] /= by_phase[_REACH, k]
            room = by_phase[_REACH, k] / max(_MIN_SALES, by_phase[_NEED, k])
            pull = _quality_pull(by_phase[_QUALITY, k], world, m)
            by_phase[_SPOT, k] = min(1.0, 1.4 * room) * np.exp(m.spot_bias) * pull


@kernel
def _quality_pull(quality, world, m):
    """Choice weight of a quality: (quality / standard) ** sensitivity."""
    return (max(1e-6, quality) / world.quality_start[0]) ** m.sensitivity_quality


@kernel
def _source(i, firms, ties, pipelines, world, scratch, p, s):
    """Shares of firm i's needs by source; order shares of tied suppliers go to `ties.orders`.

    Returns the product's quality and unit cost, both relative to buying everything at normal price.
    """
    m, last = p.market[0], p.technology[0].phases - 1
    pressure = min(1.0, world.pressure[0])
    outside = world.quality_start[0] * world.rivals[0]
    pull = m.abroad_bias + s.offshoring * pressure + m.abroad_pipeline * min(1.0, pipelines.strength[i].sum())
    if is_affiliate(i, firms):
        pull += p.ownership[0].affiliate_abroad
    abroad, own_cost = np.exp(pull), 1.0 + m.make_penalty
    own_quality = _OWN * firms.quality[i]
    making = np.exp(m.make_bias + s.integration * pressure) * own_cost**-m.sensitivity_price
    making *= _quality_pull(own_quality, world, m)
    _weigh_tied(i, firms, ties, scratch, p)
    value = p.derived.phase_value
    quality, cost = value[last] * firms.quality[i], value[last]
    bought, bought_abroad = 0.0, 0.0
    for k in range(last):
        spot, away = scratch.phase[_SPOT, k], abroad * scratch.phase[_AWAY, k]
        share = 1.0 / (making + spot + away + scratch.phase[_TIED, k])
        made, spot, away = making * share, spot * share, away * share
        firms.made[i, k], firms.spot[i, k], firms.abroad[i, k] = made, spot, away
        scratch.phase[_TIED, k] = share
        quality += value[k] * (own_quality * made + scratch.phase[_QUALITY, k] * spot + outside * away)
        cost += value[k] * (own_cost * made + spot + world.price[0, k] * away)
        bought += value[k] * (1.0 - made)
        bought_abroad += value[k] * away
    for t in range(ties.partner.shape[1]):
        j = ties.partner[i, t]
        if j >= 0 and firms.phase[j] < last:
            k = firms.phase[j]
            ties.orders[i, t] *= scratch.phase[_TIED, k]
            quality += value[k] * firms.quality[j] * ties.orders[i, t]
            cost += value[k] * supplier_price(j, i, firms, m) * ties.orders[i, t]
    firms.offshored[i] = bought_abroad / bought if bought > 0.0 else 0.0
    return quality, cost


@kernel
def _weigh_tied(i, firms, ties, scratch, p):
    """Choice weights of firm i's tied suppliers into `ties.orders`, their sums by phase into `scratch.phase`."""
    m, last = p.market[0], p.technology[0].phases - 1
    scratch.phase[_TIED, :] = 0.0
    unit = controller(i, firms)
    for t in range(ties.partner.shape[1]):
        j = ties.partner[i, t]
        if j < 0 or firms.phase[j] == last:
            ties.orders[i, t] = 0.0
            continue
        k = firms.phase[j]
        utility = m.tie_bias + m.sensitivity_trust * ties.trust[i, t]
        if controller(j, firms) == unit:
            utility += p.ownership[0].group_pull
        weight = np.exp(utility) * scratch.other[j]
        if firms.captor[j] == i:
            weight *= supplier_price(j, i, firms, m) ** -m.sensitivity_price
        weight *= min(4.0, firms.reach[j] / max(_MIN_SALES, p.derived.phase_value[k] * firms.reach[i]))
        ties.orders[i, t] = weight
        scratch.phase[_TIED, k] += weight


@kernel
def _demand(firms, ties, pipelines, agency, world, clock, scratch, p, s):
    """Final sales: the product market divided by attractiveness between the district's firms and the outside world."""
    m, last, n = p.market[0], p.technology[0].phases - 1, clock.rows[0]
    standard = world.quality_start[0] * world.rivals[0]
    attraction = 0.0
    for i in range(n):
        scratch.value[i] = 0.0
        if not firms.alive[i]:
            continue
        if firms.phase[i] != last:
            firms.offshored[i] = 0.0
            for t in range(ties.partner.shape[1]):
                ties.orders[i, t] = 0.0
            continue
        quality, cost = _source(i, firms, ties, pipelines, world, scratch, p, s)
        advantage = m.demand_quality * np.log(quality / standard) - m.demand_price * np.log(cost)
        advantage += m.demand_brand * agency.brand[0] * firms.participates[i]
        outlets = max(strongest_pipeline(i, pipelines), firms.participates[i] * agency.pipelines.mean())
        advantage += m.demand_pipeline * outlets
        if is_affiliate(i, firms):
            advantage += m.demand_affiliate
        scratch.value[i] = firms.reach[i] * np.exp(advantage)
        attraction += scratch.value[i]
    if world.appeal[0] == 0.0:  # first quarter of all: the world is whatever leaves sales as they are
        _calibrate_world(firms, world, clock, attraction, p)
    outside = world.appeal[0] * np.exp(p.world[0].competition * world.pressure[0])
    for i in range(n):
        firms.sales[i] = 0.0
        if firms.alive[i] and firms.phase[i] == last:
            firms.sales[i] = world.demand[0] * scratch.value[i] / (attraction + outside)


@kernel
def _calibrate_world(firms, world, clock, attraction, p):
    """Size of the product market and of outside appeal such that first sales equal the customer bases."""
    base = 0.0
    for i in range(clock.rows[0]):
        if firms.alive[i] and firms.phase[i] == p.technology[0].phases - 1:
            base += firms.reach[i]
    world.demand[0] = base / p.world[0].niche
    world.appeal[0] = attraction * (1.0 - p.world[0].niche) / p.world[0].niche


@kernel
def _place_orders(firms, ties, world, clock, scratch, tally, accounts, p):
    """Revenue flows down: orders in money to tied suppliers, spot orders to a phase, purchases abroad.

    Purchases of each final firm go to `scratch.other`.
    """
    m, last, n = p.market[0], p.technology[0].phases - 1, clock.rows[0]
    value = p.derived.phase_value
    scratch.phase[_SPOT_ORDERS, :] = 0.0
    for i in range(n):
        scratch.other[i] = 0.0
        if not firms.alive[i] or firms.phase[i] != last:
            continue
        sales = firms.sales[i]
        local, abroad = 0.0, 0.0
        for k in range(last):
            at_spot = value[k] * sales * firms.spot[i, k]
            scratch.phase[_SPOT_ORDERS, k] += at_spot
            local += at_spot
            abroad += value[k] * sales * firms.abroad[i, k] * world.price[0, k]
        for t in range(ties.partner.shape[1]):
            j = ties.partner[i, t]
            if j >= 0 and firms.phase[j] < last:
                ties.orders[i, t] *= value[firms.phase[j]] * sales * supplier_price(j, i, firms, m)
                local += ties.orders[i, t]
        scratch.other[i] = local + abroad
        tally[PURCHASES] += local + abroad
        tally[PURCHASES_LOCAL] += local
        accounts.money[FIRMS] += sales - abroad
        accounts.money[WORLD] += abroad - sales


@kernel
def _work(i, firms, ties, scratch, p):
    """Sales (suppliers), largest client and volume of work of firm i at normal prices [k€]."""
    last, k = p.technology[0].phases - 1, firms.phase[i]
    if k == last:
        firms.main_client[i], firms.client_share[i] = -1, 0.0
        share = p.derived.phase_value[last]
        for q in range(last):
            share += p.derived.phase_value[q] * firms.made[i, q] * (1.0 + p.market[0].make_penalty)
        return firms.sales[i] * share
    reach = scratch.phase[_REACH, k]
    spot = scratch.phase[_SPOT_ORDERS, k] * firms.reach[i] / reach if reach > 0.0 else 0.0
    sales, volume, largest, client = spot, spot, 0.0, -1
    for t in range(ties.partner.shape[1]):
        j = ties.partner[i, t]
        if j >= 0 and firms.phase[j] == last:
            order = ties.orders[j, ties.mirror[i, t]]
            sales += order
            volume += order / supplier_price(i, j, firms, p.market[0])
            if order > largest:
                largest, client = order, j
    firms.sales[i] = sales
    firms.main_client[i] = client
    firms.client_share[i] = largest / sales if sales > 0.0 else 0.0
    return volume


@kernel
def _settle_accounts(i, purchases, firms, pipelines, world, accounts, tally, p, s):
    """Costs, tax, profit and payout of firm i; every euro lands in another account."""
    m, v = p.market[0], p.innovation[0]
    affiliate = is_affiliate(i, firms)
    firms.value_added[i] = firms.sales[i] - purchases
    earned = max(0.0, firms.value_added[i])
    firms.wage[i] = world.wage[0] * (1.0 + (p.ownership[0].affiliate_wage if affiliate else 0.0))
    wages = firms.wage[i] * firms.employees[i]
    own_research = max(
        0.0,
        v.research_cost * earned * s.research * firms.dynamism[i] - p.policy_effects[0].crowding_out * firms.grant[i],
    )
    research = own_research + firms.grant[i]
    normal = v.research_cost * earned
    firms.research[i] = min(5.0, research / normal) if normal > 0.0 else 0.0
    training = s.training * wages
    links = 0.0
    for g in range(pipelines.node.shape[1]):
        links += pipelines.node[i, g] >= 0
    bought = m.overhead * m.productivity * firms.employees[i] + p.ties[0].pipeline_cost * links
    cost = wages + own_research + training + bought
    firms.profit[i] = firms.value_added[i] - cost
    tax = m.tax * max(0.0, firms.profit[i])
    firms.cash[i] += firms.profit[i] - tax - firms.grant[i]
    payout = m.payout * max(0.0, firms.cash[i] - m.buffer * wages)
    firms.cash[i] -= payout
    accounts.money[FIRMS] -= cost + firms.grant[i] + tax + payout
    accounts.money[HOUSEHOLDS] += wages + research + training
    accounts.money[WORLD] += bought
    accounts.money[PUBLIC] += tax
    if affiliate:
        accounts.money[WORLD] += payout
        tally[REPATRIATED] += payout
    elif firms.owner[i] >= 0:
        firms.cash[firms.owner[i]] += payout
        accounts.money[FIRMS] += payout
    else:
        accounts.money[HOUSEHOLDS] += payout
    tally[WAGES] += wages
    tally[TAXES] += tax
    gain = p.knowledge[0].training_gain * s.training + (p.ownership[0].affiliate_skills if affiliate else 0.0)
    firms.education[i] += gain * (1.0 - firms.education[i]) - p.knowledge[0].education_decay * firms.education[i]
    firms.it[i] += p.knowledge[0].it_adoption * (s.it - firms.it[i])


@kernel
def _employ(firms, ties, accounts, world, clock, scratch, p):
    """Employment follows the work to be done; hires come from the unemployed and bring knowledge from where they were.

    `scratch.value` holds each firm's volume of work.
    """
    m, n = p.market[0], clock.rows[0]
    people = accounts.people
    wanted, freed = 0.0, 0.0
    for i in range(n):
        if firms.alive[i]:
            needed = max(1.0, scratch.value[i] / labour_productivity(i, firms, ties, world, m))
            scratch.value[i] = m.hiring_speed * (needed - firms.employees[i])
            wanted += max(0.0, scratch.value[i])
            freed += max(0.0, -scratch.value[i])
    people[EMPLOYED] -= freed
    people[UNEMPLOYED] += freed
    granted = min(1.0, 0.5 * max(0.0, people[UNEMPLOYED]) / wanted) if wanted > 0.0 else 0.0
    for i in range(n):
        if not firms.alive[i]:
            continue
        change = scratch.value[i]
        scratch.value[i] = 0.0
        if change <= 0.0:
            firms.employees[i] += change
            continue
        hires = granted * change
        firms.employees[i] += hires
        if p.knowledge[0].hired_knowledge > 0.0 and hires > 0.0:
            j = draw_firm(i, 0, _HIRING, firms, clock)
            if j >= 0:
                scratch.value[i] = p.knowledge[0].hired_knowledge * hires / firms.employees[i]
                own, theirs, brought = firms[i].tacit, firms[j].tacit, scratch.lesson[i].tacit
                for d in range(own.size):
                    brought[d] = max(single(0.0), theirs[d] - own[d])
    for i in range(n):
        if firms.alive[i] and scratch.value[i] > 0.0:
            tacit, brought = firms[i].tacit, scratch.lesson[i].tacit
            for d in range(tacit.size):
                tacit[d] += scratch.value[i] * brought[d]
    people[EMPLOYED] += granted * wanted
    people[UNEMPLOYED] -= granted * wanted
    force = people[EMPLOYED] + people[UNEMPLOYED]
    moving = m.migration * (people[UNEMPLOYED] - m.unemployment * force)
    people[UNEMPLOYED] -= moving
    people[OUTSIDE] += moving


@kernel
def _update_customers(firms, clock, scratch, p):
    """Customer bases follow sales; shocks and reversion redistribute customers within a phase, not in total."""
    m, n = p.market[0], clock.rows[0]
    log_mean, before, after = scratch.phase[_QUALITY], scratch.phase[_NEED], scratch.phase[_SPOT_ORDERS]
    log_mean[:] = 0.0
    before[:] = 0.0
    after[:] = 0.0
    count, last = scratch.phase[_COUNT], p.technology[0].phases - 1
    for i in range(n):
        if firms.alive[i]:
            k = firms.phase[i]
            log_base = np.log(max(_MIN_SALES, firms.reach[i]))
            memory = m.customer_memory if k == last else m.order_memory
            log_reach = log_base + memory * (np.log(max(_MIN_SALES, firms.sales[i])) - log_base)
            before[k] += np.exp(log_reach)
            log_mean[k] += log_reach / count[k]
            scratch.value[i] = log_reach
    for i in range(n):
        if firms.alive[i]:
            k = firms.phase[i]
            shock = m.growth_noise * laplace(clock.seed[0], _DEMAND, clock.step[0], firms.key[i])
            firms.reach[i] = np.exp(scratch.value[i] + shock - m.size_reversion * (scratch.value[i] - log_mean[k]))
            after[k] += firms.reach[i]
    for i in range(n):
        if firms.alive[i]:
            firms.reach[i] *= before[firms.phase[i]] / after[firms.phase[i]]


@kernel
def run_market(firms, ties, pipelines, agency, world, accounts, tally, clock, scratch, p, s):
    """One quarter of sourcing, demand, orders, accounts, employment and wages."""
    n, m = clock.rows[0], p.market[0]
    _local_supply(firms, world, clock, scratch, p)
    _demand(firms, ties, pipelines, agency, world, clock, scratch, p, s)
    _place_orders(firms, ties, world, clock, scratch, tally, accounts, p)
    value, employees = 0.0, 0.0
    for i in range(n):
        if firms.alive[i]:
            scratch.value[i] = _work(i, firms, ties, scratch, p)
    for i in range(n):
        if firms.alive[i]:
            _settle_accounts(i, scratch.other[i], firms, pipelines, world, accounts, tally, p, s)
            value += firms.value_added[i]
            employees += firms.employees[i]
    _employ(firms, ties, accounts, world, clock, scratch, p)
    _update_customers(firms, clock, scratch, p)
    if employees > 0.0:
        per_head = value / employees
        if world.value_start[0] == 0.0:
            world.value_start[0] = per_head
        ratio = max(0.2, per_head / world.value_start[0])
        target = m.wage * ratio**m.wage_sharing
        world.wage[0] += 0.05 * (target - world.wage[0])
