"""Sourcing, final demand, orders, accounts.

Final firms assemble P phases. For each they choose between making it, buying from tied suppliers, buying at arm's
length in the district and buying abroad: a multinomial logit on quality, price, trust and pipelines (McFadden 1974).
Clients outside may order a part of the phases before the last; they choose likewise.
Money only moves between accounts.
"""

import numpy as np

from district_sim.kernels.compile import kernel, parallel_kernel, prange
from district_sim.kernels.draws import Stream, draw_all, laplace_of
from district_sim.model.processes.labour import change_jobs, employ
from district_sim.model.processes.relations import (
    AHEAD,
    controller,
    far_apart,
    fetch_ahead,
    fetch_mirrors,
    is_affiliate,
    strongest_pipeline,
)
from district_sim.model.processes.world import market_size
from district_sim.model.scratch import ALONE, BLOCKS
from district_sim.model.state import (
    FIRMS,
    HOUSEHOLDS,
    LEAST_QUALITY,
    OFFSHORING,
    PUBLIC,
    PURCHASES,
    PURCHASES_LOCAL,
    REPATRIATED,
    RESEARCHING,
    SKILLING,
    TAXES,
    WAGES,
    WORLD,
)

_DEMAND = int(Stream.DEMAND)
# Rows of scratch.phase
_REACH, _QUALITY, _COUNT, _SPOT, _AWAY, _SPOT_ORDERS, _NEED = range(7)
_MIN_SALES = 0.1  # k€: keeps logs finite for a firm without orders
_OWN = 0.9  # quality of what a firm makes outside its own phase, relative to its own work
_STRETCH = 1.4  # how far a phase's suppliers can serve orders beyond their customer base before choice is cut back
_MOST_ROOM = 4.0  # beyond this multiple of what a client needs, a supplier's size adds nothing
MOST_RESEARCH = 5.0  # times normal: a grant to a firm that hardly earns does not buy knowledge without bound
_LEAST_VALUE = 0.2  # of value added per head at the start: wages do not follow a collapse all the way


@kernel
def supplier_price(j, client, firms, market):
    """Price of supplier j for a client, relative to normal: captive suppliers grant their captor a discount."""
    return 1.0 - market.captive_discount if firms[j].captor == client else 1.0


@kernel
def _local_supply(firms, living, world, scratch, p):
    """What the sourcing choices of the quarter have in common.

    By phase: customer base, base-weighted quality, number, need of the final firms and of clients outside, choice
    weights of buying at arm's length here and abroad. By firm: the pull of its quality, into `scratch.other`.
    """
    market, by_phase = p.market[0], scratch.phase
    by_phase[:] = 0.0
    last = p.technology[0].phases - 1
    for i in living:
        q = firms[i].phase
        by_phase[_REACH, q] += firms[i].reach
        by_phase[_QUALITY, q] += firms[i].reach * firms[i].quality
        by_phase[_COUNT, q] += 1.0
        scratch.other[i] = _quality_pull(firms[i].quality, world, market)
    for q in range(last):
        if world[0].value_start == 0.0:  # first quarter of all
            world[0].outside_orders[q] = p.derived.outside_sales[q] * by_phase[_REACH, q]
        by_phase[_NEED, q] = p.derived.phase_value[q] * by_phase[_REACH, last] + world[0].outside_orders[q]
    outside = _quality_pull(world[0].quality_start * world[0].rivals, world, market)
    for q in range(p.technology[0].phases):
        by_phase[_AWAY, q] = outside * world[0].price[q] ** -market.sensitivity_price
        if by_phase[_REACH, q] > 0.0:
            by_phase[_QUALITY, q] /= by_phase[_REACH, q]
            room = by_phase[_REACH, q] / max(_MIN_SALES, by_phase[_NEED, q])
            pull = _quality_pull(by_phase[_QUALITY, q], world, market)
            by_phase[_SPOT, q] = min(1.0, _STRETCH * room) * np.exp(market.spot_bias) * pull
    _ask_from_outside(world, by_phase, market, last)


@kernel
def _ask_from_outside(world, by_phase, market, last):
    """What clients outside order of each phase before the last, at the size of the market in the first quarter.

    They choose between the district and abroad as a final firm without ties and pipelines does. What they buy in all
    is such that their first orders are the share of customer bases that the scenario says.
    """
    for q in range(last):
        here, away = by_phase[_SPOT, q], np.exp(market.abroad_bias) * by_phase[_AWAY, q]
        share = here / (here + away) if here + away > 0.0 else 0.0
        if world[0].value_start == 0.0:
            world[0].outside_market[q] = world[0].outside_orders[q] / share if share > 0.0 else 0.0
        world[0].outside_orders[q] = world[0].outside_market[q] * share


@kernel
def _quality_pull(quality, world, market):
    """Choice weight of a quality: (quality / standard) ** sensitivity."""
    return (max(LEAST_QUALITY, quality) / world[0].quality_start) ** market.sensitivity_quality


@kernel
def _source(i, firms, tie, order, pull, abroad, making, by_phase, tied, outside, price, value, market, ownership):
    """Shares of firm i's needs by source; order shares of tied suppliers go to `order`.

    tie, order: records of the firm. pull: (N,) choice weight of each firm's quality. abroad, making: choice weights
    of buying abroad and of making. by_phase: `scratch.phase`. tied: (P,) working space. outside: quality abroad.
    price: (P,) prices abroad. value: (P,) value of the phases. market, ownership: sections of the parameters.

    Returns the product's quality and unit cost, both relative to buying everything at normal price.
    """
    firm, last = firms[i], value.size - 1
    own_quality, own_cost = _OWN * firm.quality, 1.0 + market.make_penalty
    _weigh_tied(i, firms, tie, order, pull, tied, value, market, ownership)
    quality, cost = value[last] * firm.quality, value[last]
    bought, bought_abroad = 0.0, 0.0
    for q in range(last):
        spot, away = by_phase[_SPOT, q], abroad * by_phase[_AWAY, q]
        weight = making + spot + away + tied[q]
        share = 1.0 / weight if weight > 0.0 else 0.0
        made, spot, away = making * share, spot * share, away * share
        if weight == 0.0:  # nobody offers it, and making and buying abroad are switched off: there is no other way
            made = 1.0
        firm.made[q], firm.spot[q], firm.abroad[q] = made, spot, away
        tied[q] = share
        quality += value[q] * (own_quality * made + by_phase[_QUALITY, q] * spot + outside * away)
        cost += value[q] * (own_cost * made + spot + price[q] * away)
        bought += value[q] * (1.0 - made)
        bought_abroad += value[q] * away
    paid = order.paid
    for m in range(paid.size):
        if paid[m] > 0.0:
            j = tie.partner[m]
            q = firms[j].phase
            paid[m] *= tied[q]
            quality += value[q] * firms[j].quality * paid[m]
            cost += value[q] * supplier_price(j, i, firms, market) * paid[m]
    firm.offshored = min(1.0, bought_abroad / bought) if bought > 0.0 else 0.0  # rounding: nearly nothing is bought
    return quality, cost


@kernel
def _weigh_tied(i, firms, tie, order, pull, tied, value, market, ownership):
    """Choice weights of firm i's tied suppliers into `order`, their sums by phase into `tied`."""
    partner, trust, paid = tie.partner, tie.trust, order.paid
    unit, last = controller(i, firms), value.size - 1
    tied[:] = 0.0
    for m in range(partner.size):
        paid[m] = 0.0
        j = partner[m]
        if j < 0 or firms[j].phase == last:
            continue
        supplier = firms[j]
        utility = market.tie_bias + market.sensitivity_trust * trust[m]
        if controller(j, firms) == unit:
            utility += ownership.group_pull
        weight = np.exp(utility) * pull[j]
        if supplier.captor == i:
            weight *= supplier_price(j, i, firms, market) ** -market.sensitivity_price
        weight *= min(_MOST_ROOM, supplier.reach / max(_MIN_SALES, value[supplier.phase] * firms[i].reach))
        paid[m] = weight
        tied[supplier.phase] += weight


@kernel
def _attract(
    living, firms, ties, orders, pipelines, agency, world, attraction, pull, by_phase, tied, making, pressure, value,
    market, ownership,
):  # fmt: skip
    """Sourcing and attractiveness of the final firms among the living; the latter into `attraction`, shape (N,)."""
    last, price, standard = value.size - 1, world[0].price, world[0].quality_start * world[0].rivals
    rows, collective = firms.size, agency[0].pipelines.mean()
    for i in living:
        firm = firms[i]
        attraction[i] = 0.0
        if firms[min(i + AHEAD, rows - 1)].phase == last:
            fetch_ahead(i, rows, ties, firms, 0)
        if firm.phase != last:
            firm.offshored = 0.0
            for m in range(orders[i].paid.size):
                orders[i].paid[m] = 0.0
            continue
        affiliate = is_affiliate(i, firms)
        abroad = (
            market.abroad_bias
            + firm.conduct[OFFSHORING] * pressure
            + market.abroad_pipeline * min(1.0, pipelines[i].strength.sum())
            + ownership.affiliate_abroad * affiliate
        )
        abroad, own = np.exp(abroad), making * _quality_pull(_OWN * firm.quality, world, market)
        quality, cost = _source(
            i, firms, ties[i], orders[i], pull, abroad, own, by_phase, tied, standard, price, value, market, ownership
        )
        relative = max(LEAST_QUALITY, quality) / standard
        advantage = market.demand_quality * np.log(relative) - market.demand_price * np.log(cost)
        advantage += market.demand_brand * agency[0].brand * firm.served
        outlets = max(strongest_pipeline(i, pipelines), firm.served * collective)
        advantage += market.demand_pipeline * outlets
        advantage += market.demand_affiliate * affiliate
        attraction[i] = firm.reach * np.exp(advantage)


@parallel_kernel
def _choose_sources(firms, living, ties, orders, pipelines, agency, world, scratch, p, making, pressure):
    """Sourcing of all firms, threads sharing the work in large districts; attractiveness into `scratch.value`."""
    n, market, ownership, value = living.size, p.market, p.ownership, p.derived.phase_value
    attraction, pull, by_phase, tied = scratch.value, scratch.other, scratch.phase, scratch.tied
    if n < ALONE:
        _attract(
            living, firms, ties, orders, pipelines, agency, world, attraction, pull, by_phase, tied[0], making,
            pressure, value, market[0], ownership[0],
        )  # fmt: skip
    else:
        for b in prange(BLOCKS):
            _attract(
                living[b * n // BLOCKS : (b + 1) * n // BLOCKS], firms, ties, orders, pipelines, agency, world,
                attraction, pull, by_phase, tied[b], making, pressure, value, market[0], ownership[0],
            )  # fmt: skip


@kernel
def _demand(firms, living, ties, orders, pipelines, agency, world, scratch, p, s):
    """Final sales: the product market divided by attractiveness between the district's firms and the outside world."""
    market, last = p.market[0], p.technology[0].phases - 1
    pressure = min(1.0, world[0].pressure)
    making = (
        np.exp(market.make_bias + s.integration * pressure) * (1.0 + market.make_penalty) ** -market.sensitivity_price
    )
    _choose_sources(firms, living, ties, orders, pipelines, agency, world, scratch, p, making, pressure)
    attraction = 0.0
    for i in living:
        attraction += scratch.value[i]
    if world[0].appeal == 0.0:  # first quarter of all: the world is whatever leaves sales as they are
        _calibrate_world(firms, living, world, attraction, p)
    outside = world[0].appeal * np.exp(p.world[0].competition * world[0].pressure + world[0].outside_gain)
    demand = world[0].demand * market_size(world)
    for i in living:
        firms[i].sales = 0.0
        if firms[i].phase == last:
            firms[i].sales = demand * scratch.value[i] / (attraction + outside)


@kernel
def _calibrate_world(firms, living, world, attraction, p):
    """Size of the product market and of outside appeal such that first sales equal the customer bases."""
    base = 0.0
    for i in living:
        if firms[i].phase == p.technology[0].phases - 1:
            base += firms[i].reach
    world[0].demand = base / p.world[0].niche
    world[0].appeal = attraction * (1.0 - p.world[0].niche) / p.world[0].niche


@kernel
def _place_orders(firms, living, ties, orders, world, scratch, tally, accounts, p):
    """Revenue flows down: orders in money to tied suppliers, spot orders to a phase, purchases abroad.

    Orders of clients outside are spot orders. Purchases of each final firm go to `scratch.other`.
    """
    market, last = p.market[0], p.technology[0].phases - 1
    value = p.derived.phase_value
    for q in range(last):
        outside = world[0].outside_orders[q] * market_size(world)
        scratch.phase[_SPOT_ORDERS, q] = outside
        accounts.money[FIRMS] += outside
        accounts.money[WORLD] -= outside
    for i in living:
        scratch.other[i] = 0.0
        if firms[min(i + AHEAD, firms.size - 1)].phase == last:
            fetch_ahead(i, firms.size, ties, firms, 0)
        if firms[i].phase != last:
            continue
        sales = firms[i].sales
        local, abroad = 0.0, 0.0
        for q in range(last):
            at_spot = value[q] * sales * firms[i].spot[q]
            scratch.phase[_SPOT_ORDERS, q] += at_spot
            local += at_spot
            abroad += value[q] * sales * firms[i].abroad[q] * world[0].price[q]
        paid = orders[i].paid
        for m in range(paid.size):
            if paid[m] > 0.0:
                j = ties[i].partner[m]
                paid[m] *= value[firms[j].phase] * sales * supplier_price(j, i, firms, market)
                local += paid[m]
        scratch.other[i] = local + abroad
        tally[PURCHASES] += local + abroad
        tally[PURCHASES_LOCAL] += local
        accounts.money[FIRMS] += sales - abroad
        accounts.money[WORLD] += abroad - sales


@kernel
def _volume(i, firms, ties, orders, by_phase, value, market):
    """Sales (suppliers), largest client and volume of work of firm i at normal prices [k€]."""
    firm, last = firms[i], value.size - 1
    phase = firm.phase
    if phase == last:
        firm.main_client, firm.client_share = -1, 0.0
        share = value[last]
        for q in range(last):
            share += value[q] * firm.made[q] * (1.0 + market.make_penalty)
        return firm.sales * share
    spot = (
        by_phase[_SPOT_ORDERS, phase] * firm.reach / by_phase[_REACH, phase] if by_phase[_REACH, phase] > 0.0 else 0.0
    )
    sales, volume, largest, client = spot, spot, 0.0, np.int64(-1)
    partner, mirror = ties[i].partner, ties[i].mirror
    for m in range(partner.size):
        j = np.int64(partner[m] if partner[m] >= 0 else i)  # of suppliers, this one among them, all orders are zero
        order = orders[j].paid[mirror[m]]
        sales += order
        volume += order / supplier_price(i, j, firms, market) if firm.captor == j else order
        if order > largest:
            largest, client = order, j
    firm.sales, firm.main_client = sales, client
    firm.client_share = largest / sales if sales > 0.0 else 0.0
    return volume


@kernel
def _volumes(living, firms, ties, orders, by_phase, volume, value, market):
    """Volumes of work of the living firms into `volume`."""
    rows, last = firms.size, value.size - 1
    for i in living:
        if i + AHEAD < rows and firms[i + AHEAD].phase < last and far_apart(i, ties):
            fetch_mirrors(i + AHEAD, 0, ties, orders, 0, 8)
        volume[i] = _volume(i, firms, ties, orders, by_phase, value, market)


@parallel_kernel
def _work(firms, living, ties, orders, scratch, p):
    """Sales of suppliers and the volume of work of every firm, the latter into `scratch.value`."""
    n, value, market = living.size, p.derived.phase_value, p.market
    by_phase, volume = scratch.phase, scratch.value
    if n < ALONE:
        _volumes(living, firms, ties, orders, by_phase, volume, value, market[0])
    else:
        for b in prange(BLOCKS):
            mine = living[b * n // BLOCKS : (b + 1) * n // BLOCKS]
            _volumes(mine, firms, ties, orders, by_phase, volume, value, market[0])


@kernel
def _settle_accounts(i, purchases, firms, pipelines, world, accounts, tally, p, s):
    """Costs, tax, profit and payout of firm i; every euro lands in another account."""
    market, innovation = p.market[0], p.innovation[0]
    affiliate = is_affiliate(i, firms)
    firms[i].value_added = firms[i].sales - purchases
    earned = max(0.0, firms[i].value_added)
    firms[i].wage = world[0].wage * (1.0 + (p.ownership[0].affiliate_wage if affiliate else 0.0))
    wages = firms[i].wage * firms[i].employees
    own_research = max(
        0.0,
        innovation.research_cost * earned * firms[i].conduct[RESEARCHING] * firms[i].dynamism
        - p.policy_effects[0].crowding_out * firms[i].grant,
    )
    research = own_research + firms[i].grant
    normal = innovation.research_cost * earned
    firms[i].research = min(MOST_RESEARCH, research / normal) if normal > 0.0 else 0.0
    firms[i].explores_for_public = min(1.0, firms[i].grant_exploring / research) if research > 0.0 else 0.0
    training = firms[i].conduct[SKILLING] * wages
    links = 0.0
    for g in range(pipelines[i].node.size):
        links += pipelines[i].node[g] >= 0
    bought = market.overhead * market.productivity * firms[i].employees + p.ties[0].pipeline_cost * links
    cost = wages + own_research + training + bought
    firms[i].profit = firms[i].value_added - cost - firms[i].contribution
    tax = market.tax * max(0.0, firms[i].profit)
    firms[i].cash += firms[i].profit + firms[i].contribution - tax - firms[i].grant  # the agency has been paid
    payout = market.payout * max(0.0, firms[i].cash - market.buffer * wages)
    firms[i].cash -= payout
    accounts.money[FIRMS] -= cost + firms[i].grant + tax + payout
    accounts.money[HOUSEHOLDS] += wages + research + training
    accounts.money[WORLD] += bought
    accounts.money[PUBLIC] += tax
    if affiliate:
        accounts.money[WORLD] += payout
        tally[REPATRIATED] += payout
    elif firms[i].owner >= 0:
        firms.cash[firms[i].owner] += payout
        accounts.money[FIRMS] += payout
    else:
        accounts.money[HOUSEHOLDS] += payout
    tally[WAGES] += wages
    tally[TAXES] += tax
    gain = p.knowledge[0].training_gain * firms[i].conduct[SKILLING] + (
        p.ownership[0].affiliate_skills if affiliate else 0.0
    )
    gain = min(1.0, gain)  # of the gap to full education
    firms[i].education += gain * (1.0 - firms[i].education) - p.knowledge[0].education_decay * firms[i].education
    firms[i].it += p.knowledge[0].it_adoption * (s.it - firms[i].it)


@kernel
def _update_customers(firms, living, world, clock, scratch, p):
    """Customer bases follow sales; noise and reversion redistribute customers within a phase, not in total.

    Bases are shares of a market, which do not grow or shrink with it: sales count relative to the market's size.
    """
    market, size = p.market[0], market_size(world)
    log_mean, before, after = scratch.phase[_QUALITY], scratch.phase[_NEED], scratch.phase[_SPOT_ORDERS]
    log_mean[:] = 0.0
    before[:] = 0.0
    after[:] = 0.0
    count, last = scratch.phase[_COUNT], p.technology[0].phases - 1
    for i in living:
        q = firms[i].phase
        log_base = np.log(max(_MIN_SALES, firms[i].reach))
        memory = market.customer_memory if q == last else market.order_memory
        sold = firms[i].sales / size if size > 0.0 else firms[i].reach  # where nothing can be sold, nobody loses ground
        log_reach = log_base + memory * (np.log(max(_MIN_SALES, sold)) - log_base)
        before[q] += np.exp(log_reach)
        log_mean[q] += log_reach / count[q]
        scratch.value[i] = log_reach
    luck = draw_all(living, _DEMAND, clock, scratch)
    for n in range(living.size):
        i = living[n]
        q = firms[i].phase
        shock = market.growth_noise * laplace_of(luck[n])
        firms[i].reach = np.exp(scratch.value[i] + shock - market.size_reversion * (scratch.value[i] - log_mean[q]))
        after[q] += firms[i].reach
    for i in living:
        firms[i].reach *= before[firms[i].phase] / after[firms[i].phase]


@kernel
def run_market(state, living, p, s):
    """One quarter of sourcing, demand, orders, accounts, employment and wages."""
    firms, ties, orders, pipelines, agency = state.firms, state.ties, state.orders, state.pipelines, state.agency
    world, accounts, tally, clock, scratch = state.world, state.accounts, state.tally, state.clock, state.scratch
    market = p.market[0]
    _local_supply(firms, living, world, scratch, p)
    _demand(firms, living, ties, orders, pipelines, agency, world, scratch, p, s)
    _place_orders(firms, living, ties, orders, world, scratch, tally, accounts, p)
    value, employees = 0.0, 0.0
    _work(firms, living, ties, orders, scratch, p)
    for i in living:
        _settle_accounts(i, scratch.other[i], firms, pipelines, world, accounts, tally, p, s)
        value += firms[i].value_added
        employees += firms[i].employees
    employ(firms, living, ties, accounts, world, clock, scratch, p)
    if p.knowledge[0].job_mobility > 0.0:
        change_jobs(firms, living, p.knowledge[0].job_mobility)
    _update_customers(firms, living, world, clock, scratch, p)
    if employees > 0.0:
        per_head = value / employees
        if world[0].value_start == 0.0:
            world[0].value_start = max(0.0, per_head)
        ratio = max(_LEAST_VALUE, per_head / world[0].value_start) if world[0].value_start > 0.0 else 1.0
        target = market.wage * ratio**market.wage_sharing
        world[0].wage += market.wage_speed * (target - world[0].wage)
