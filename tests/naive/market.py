"""Twin of processes/market.py."""

import math
from typing import Any

import numpy as np

from district_sim.kernels.draws import Stream, laplace
from district_sim.model.state import (
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
    State,
)
from naive.common import (
    conduct,
    is_foreign,
    key,
    links,
    living,
    mean_trust,
    meet,
    move,
    now,
    pay,
    pipelines_of,
    seed_of,
    strategy,
    strongest_pipeline,
    unit_of,
)


def run_market(state: State, p: Any) -> None:
    world, m = state.world[0], p.market[0]
    firms = living(state)
    final = [i for i in firms if state.firms[i].phase == p.technology[0].phases - 1]
    suppliers = [i for i in firms if i not in final]
    for i in firms:
        state.orders[i].paid[:] = 0.0
        state.firms[i].offshored = 0.0
    supply = _supply(state, p, firms, final)
    _ask_from_outside(state, p, supply)
    offers = {i: _source(state, p, supply, i) for i in final}
    _sell(state, p, final, offers)
    purchases, spot = _order(state, p, final)
    volume = _deliver(state, p, supply, final, suppliers, spot)
    for i in firms:
        _settle(state, p, i, purchases.get(i, 0.0))
    people = sum(float(state.firms[i].employees) for i in firms)
    value = sum(float(state.firms[i].value_added) for i in firms)
    _employ(state, p, firms, volume)
    _change_jobs(state, p, firms)
    _customers(state, p, firms)
    if people > 0:
        if world.value_start == 0:
            world.value_start = max(0.0, value / people)
        ratio = max(0.2, value / people / world.value_start) if world.value_start > 0 else 1.0
        world.wage += m.wage_speed * (m.wage * ratio**m.wage_sharing - world.wage)


def discount(state: State, p: Any, supplier: int, client: int) -> float:
    """Price of a supplier for a client: lower for the client whose captive it is."""
    return 1 - float(p.market[0].captive_discount) if state.firms[supplier].captor == client else 1.0


def _supply(state: State, p: Any, firms: list[int], final: list[int]) -> dict[str, dict[int, float]]:
    """By phase: customer base, base-weighted quality, and base relative to what final firms need."""
    base, quality, room = {}, {}, {}
    needed, world = sum(float(state.firms[i].reach) for i in final), state.world[0]
    for k in range(p.technology[0].phases):
        here = [state.firms[i] for i in firms if state.firms[i].phase == k]
        base[k] = sum(float(f.reach) for f in here)
        quality[k] = sum(float(f.reach * f.quality) for f in here) / base[k] if base[k] > 0 else 0.0
        if world.value_start == 0:
            world.outside_orders[k] = p.derived.outside_sales[k] * base[k]
        room[k] = base[k] / max(0.1, p.derived.phase_value[k] * needed + world.outside_orders[k])
    return {"base": base, "quality": quality, "room": room}


def _ask_from_outside(state: State, p: Any, supply: dict[str, dict[int, float]]) -> None:
    """Clients outside choose between the district and abroad, as final firms that know nobody do."""
    m, world = p.market[0], state.world[0]
    for k in range(p.technology[0].phases - 1):
        here = 0.0
        if supply["base"][k] > 0:
            relative = max(1e-6, supply["quality"][k]) / world.quality_start
            here = min(1.0, 1.4 * supply["room"][k]) * math.exp(m.spot_bias) * relative**m.sensitivity_quality
        away = math.exp(m.abroad_bias) * max(1e-6, world.rivals) ** m.sensitivity_quality
        away /= world.price[k] ** m.sensitivity_price
        share = here / (here + away) if here + away > 0 else 0.0
        if world.value_start == 0:
            world.outside_market[k] = world.outside_orders[k] / share if share > 0 else 0.0
        world.outside_orders[k] = world.outside_market[k] * share


def _source(state: State, p: Any, supply: dict[str, dict[int, float]], i: int) -> tuple[float, float]:
    """Choice of sources by logit, phase by phase; returns the product's quality and cost."""
    m, s, world, firm = p.market[0], strategy(state, p), state.world[0], state.firms[i]
    last, start, pressure = p.technology[0].phases - 1, world.quality_start, min(1.0, world.pressure)
    rival = start * world.rivals
    pull = m.abroad_bias + conduct(firm, "offshoring") * pressure
    pull += m.abroad_pipeline * min(1.0, sum(strength for _, _, strength in pipelines_of(state, i)))
    pull += p.ownership[0].affiliate_abroad if is_foreign(state, i) else 0.0
    value = p.derived.phase_value
    quality, cost = value[last] * firm.quality, value[last]
    bought = offshored = 0.0
    for k in range(last):
        # source -> (choice weight, quality, price)
        options: dict[Any, tuple[float, float, float]] = {}
        dear = 1 + m.make_penalty
        options["make"] = (
            math.exp(m.make_bias + s.integration * pressure)
            * (max(1e-6, 0.9 * firm.quality) / start) ** m.sensitivity_quality
            / dear**m.sensitivity_price,
            0.9 * firm.quality,
            dear,
        )
        if supply["base"][k] > 0:
            typical = supply["quality"][k]
            weight = min(1.0, 1.4 * supply["room"][k]) * math.exp(m.spot_bias)
            options["spot"] = (weight * (max(1e-6, typical) / start) ** m.sensitivity_quality, typical, 1.0)
        options["abroad"] = (
            math.exp(pull)
            * (max(1e-6, rival) / start) ** m.sensitivity_quality
            / world.price[k] ** m.sensitivity_price,
            rival,
            float(world.price[k]),
        )
        for slot, j, trust in links(state, i):
            if state.firms[j].phase == k:
                options[slot] = _tied_option(state, p, i, j, trust, k)
        if not any(weight for weight, _, _ in options.values()):
            options["make"] = (1.0, 0.9 * firm.quality, dear)
        total = sum(weight for weight, _, _ in options.values())
        share = {source: weight / total for source, (weight, _, _) in options.items()}
        firm.made[k], firm.abroad[k], firm.spot[k] = share["make"], share["abroad"], share.get("spot", 0.0)
        for source, (_, its_quality, its_price) in options.items():
            quality += value[k] * share[source] * its_quality
            cost += value[k] * share[source] * its_price
            if not isinstance(source, str):
                state.orders[i].paid[source] = share[source]
        bought += value[k] * (1 - share["make"])
        offshored += value[k] * share["abroad"]
    firm.offshored = offshored / bought if bought > 0 else 0.0
    return float(quality), float(cost)


def _tied_option(state: State, p: Any, i: int, j: int, trust: float, k: int) -> tuple[float, float, float]:
    m, its = p.market[0], state.firms[j]
    price = discount(state, p, j, i)
    weight = math.exp(m.tie_bias + m.sensitivity_trust * trust)
    weight *= (max(1e-6, its.quality) / state.world[0].quality_start) ** m.sensitivity_quality
    weight /= price**m.sensitivity_price
    if unit_of(state, i) == unit_of(state, j):
        weight *= math.exp(p.ownership[0].group_pull)
    size = min(4.0, its.reach / max(0.1, p.derived.phase_value[k] * state.firms[i].reach))
    return weight * size, float(its.quality), price


def _sell(state: State, p: Any, final: list[int], offers: dict[int, tuple[float, float]]) -> None:
    """Demand divided by attractiveness between the district's final firms and the world."""
    m, world, agency = p.market[0], state.world[0], state.agency[0]
    standard = world.quality_start * world.rivals
    pull = {}
    for i in final:
        firm, (quality, cost) = state.firms[i], offers[i]
        outlets = max(strongest_pipeline(state, i), firm.served * float(np.mean(agency.pipelines)))
        gain = m.demand_brand * agency.brand * firm.served + m.demand_pipeline * outlets
        gain += m.demand_affiliate if is_foreign(state, i) else 0.0
        pull[i] = (
            firm.reach * (max(1e-6, quality) / standard) ** m.demand_quality * cost**-m.demand_price * math.exp(gain)
        )
    inside = sum(pull.values())
    niche = p.world[0].niche
    if world.appeal == 0:
        world.demand = sum(float(state.firms[i].reach) for i in final) / niche
        world.appeal = inside * (1 - niche) / niche
    outside = world.appeal * math.exp(p.world[0].competition * world.pressure + world.outside_gain)
    market = world.demand * world.market * (1 - world.slump)
    for i in range(int(state.clock.rows[0])):
        state.firms[i].sales = market * pull[i] / (inside + outside) if i in pull else 0.0


def _order(state: State, p: Any, final: list[int]) -> tuple[dict[int, float], dict[int, float]]:
    """Money for orders; returns each final firm's purchases and the spot orders by phase, from outside and inside."""
    value, last = p.derived.phase_value, p.technology[0].phases - 1
    world, purchases = state.world[0], {}
    spot = {k: float(world.outside_orders[k] * world.market * (1 - world.slump)) for k in range(last)}
    pay(state, WORLD, FIRMS, sum(spot.values()))
    for i in final:
        firm = state.firms[i]
        local = 0.0
        for k in range(last):
            at_spot = value[k] * firm.sales * firm.spot[k]
            spot[k] += at_spot
            local += at_spot
        for slot, j, _ in links(state, i):
            k = int(state.firms[j].phase)
            if k < last:
                state.orders[i].paid[slot] *= value[k] * firm.sales * discount(state, p, j, i)
                local += state.orders[i].paid[slot]
        abroad = sum(value[k] * firm.sales * firm.abroad[k] * state.world[0].price[k] for k in range(last))
        pay(state, WORLD, FIRMS, float(firm.sales))
        pay(state, FIRMS, WORLD, float(abroad))
        purchases[i] = float(local + abroad)
        state.tally[PURCHASES] += local + abroad
        state.tally[PURCHASES_LOCAL] += local
    return purchases, spot


def _deliver(
    state: State,
    p: Any,
    supply: dict[str, dict[int, float]],
    final: list[int],
    suppliers: list[int],
    spot: dict[int, float],
) -> dict[int, float]:
    """Suppliers' sales and main clients; returns every firm's volume of work at normal prices."""
    value, last, volume = p.derived.phase_value, p.technology[0].phases - 1, {}
    for i in final:
        firm = state.firms[i]
        own = sum(value[k] * firm.made[k] for k in range(last)) * (1 + p.market[0].make_penalty)
        firm.main_client, firm.client_share = -1, 0.0
        volume[i] = float(firm.sales * (value[last] + own))
    for i in suppliers:
        firm, k = state.firms[i], int(state.firms[i].phase)
        sold = spot[k] * firm.reach / supply["base"][k] if supply["base"][k] > 0 else 0.0
        work, largest, client = sold, 0.0, -1
        for slot, j, _ in links(state, i):
            if j not in final:
                continue
            order = float(state.orders[j].paid[state.ties[i].mirror[slot]])
            sold += order
            work += order / discount(state, p, i, j)
            if order > largest:
                largest, client = order, j
        firm.sales, firm.main_client = sold, client
        firm.client_share = largest / sold if sold > 0 else 0.0
        volume[i] = float(work)
    return volume


def _settle(state: State, p: Any, i: int, purchases: float) -> None:
    """Costs, tax and payout of firm i."""
    m, v, k, s = p.market[0], p.innovation[0], p.knowledge[0], strategy(state, p)
    firm, foreign = state.firms[i], is_foreign(state, i)
    firm.value_added = firm.sales - purchases
    normal = v.research_cost * max(0.0, firm.value_added)
    firm.wage = state.world[0].wage * (1 + (p.ownership[0].affiliate_wage if foreign else 0.0))
    wages = firm.wage * firm.employees
    own = max(0.0, normal * conduct(firm, "research") * firm.dynamism - p.policy_effects[0].crowding_out * firm.grant)
    firm.research = min(5.0, (own + firm.grant) / normal) if normal > 0 else 0.0
    spent = own + firm.grant
    firm.explores_for_public = min(1.0, firm.grant_exploring / spent) if spent > 0 else 0.0
    training = conduct(firm, "training") * wages
    services = m.overhead * m.productivity * firm.employees + p.ties[0].pipeline_cost * len(pipelines_of(state, i))
    fee = firm.contribution  # paid to the agency earlier in the quarter
    firm.profit = firm.value_added - wages - own - training - services - fee
    tax = m.tax * max(0.0, firm.profit)
    firm.cash += firm.profit + fee - firm.grant - tax
    payout = m.payout * max(0.0, firm.cash - m.buffer * wages)
    firm.cash -= payout
    pay(state, FIRMS, HOUSEHOLDS, wages + own + firm.grant + training)
    pay(state, FIRMS, WORLD, services)
    pay(state, FIRMS, PUBLIC, tax)
    if foreign:
        pay(state, FIRMS, WORLD, payout)
        state.tally[REPATRIATED] += payout
    elif firm.owner >= 0:
        state.firms[int(firm.owner)].cash += payout
    else:
        pay(state, FIRMS, HOUSEHOLDS, payout)
    state.tally[WAGES] += wages
    state.tally[TAXES] += tax
    taught = k.training_gain * conduct(firm, "training") + (p.ownership[0].affiliate_skills if foreign else 0.0)
    taught = min(1.0, taught)
    firm.education += taught * (1 - firm.education) - k.education_decay * firm.education
    firm.it += k.it_adoption * (s.it - firm.it)


def productivity(state: State, p: Any, i: int) -> float:
    """Value of work per employee and quarter."""
    m, world, firm = p.market[0], state.world[0], state.firms[i]
    return float(
        m.productivity
        * max(1e-6, firm.quality / world.quality_start) ** m.productivity_quality
        * max(0.05, 1 + m.productivity_collaboration * (firm.collaboration - world.trust_start))
        * max(0.05, 1 + m.productivity_trust * (mean_trust(state, i) - world.trust_start))
    )


def _employ(state: State, p: Any, firms: list[int], volume: dict[int, float]) -> None:
    """Dismissals first; hires from half the unemployed at most, bringing knowledge that another firm had before."""
    m, people = p.market[0], state.accounts.people
    change = {
        i: m.hiring_speed * (max(1.0, volume[i] / productivity(state, p, i)) - state.firms[i].employees) for i in firms
    }
    wanted = sum(c for c in change.values() if c > 0)
    move(state, EMPLOYED, UNEMPLOYED, -sum(c for c in change.values() if c < 0))
    granted = min(1.0, 0.5 * max(0.0, people[UNEMPLOYED]) / wanted) if wanted > 0 else 0.0
    known = {i: state.firms[i].tacit.copy() for i in firms}
    for i in firms:
        firm = state.firms[i]
        hires = granted * change[i] if change[i] > 0 else 0.0
        firm.employees += hires if change[i] > 0 else change[i]
        if hires > 0 and p.knowledge[0].hired_knowledge > 0:
            j = meet(state, i, 0, int(Stream.HIRING))
            if j >= 0:
                lead = np.maximum(0, known[j] - known[i])
                firm.tacit[:] += p.knowledge[0].hired_knowledge * hires / firm.employees * lead
    move(state, UNEMPLOYED, EMPLOYED, granted * wanted)
    force = people[EMPLOYED] + people[UNEMPLOYED]
    move(state, UNEMPLOYED, OUTSIDE, m.migration * (people[UNEMPLOYED] - m.unemployment * force))


def _change_jobs(state: State, p: Any, firms: list[int]) -> None:
    """Who changes employer takes education along: each firm loses its own and gains the district's mean."""
    rate = p.knowledge[0].job_mobility
    people = sum(float(state.firms[i].employees) for i in firms)
    if rate == 0 or people == 0:
        return
    mean = sum(float(state.firms[i].employees * state.firms[i].education) for i in firms) / people
    for i in firms:
        state.firms[i].education += rate * (mean - state.firms[i].education)


def _customers(state: State, p: Any, firms: list[int]) -> None:
    """Customer bases follow sales; then shocks and reversion shuffle them inside each phase."""
    m, size = p.market[0], state.world[0].market * (1 - state.world[0].slump)
    for k in range(p.technology[0].phases):
        memory = m.customer_memory if k == p.technology[0].phases - 1 else m.order_memory
        here = [i for i in firms if state.firms[i].phase == k]
        base = {i: max(0.1, float(state.firms[i].reach)) for i in here}
        sold = {i: float(state.firms[i].sales) / size if size > 0 else base[i] for i in here}
        followed = {i: base[i] ** (1 - memory) * max(0.1, sold[i]) ** memory for i in here}
        typical = sum(math.log(f) for f in followed.values()) / max(1, len(here))
        shaken = {}
        for i in here:
            shock = m.growth_noise * laplace(seed_of(state), int(Stream.DEMAND), now(state), key(state, i))
            shaken[i] = followed[i] * math.exp(shock - m.size_reversion * (math.log(followed[i]) - typical))
        for i in here:
            state.firms[i].reach = shaken[i] * sum(followed.values()) / sum(shaken.values())
