"""Who controls whom: takeovers by multinationals, acquisitions, captive suppliers, divestment and buy-outs."""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, draw_all, uniform, uniform2
from district_sim.model.processes.conduct import performance_now
from district_sim.model.processes.demography import close_firm
from district_sim.model.processes.policy import buy_out
from district_sim.model.processes.relations import mean_trust
from district_sim.model.state import (
    ACQUISITIONS,
    DEFENCE,
    DIVESTMENTS,
    FIRMS,
    HOLDING,
    HOUSEHOLDS,
    SELF_OWNED,
    TAKEOVERS,
    WORLD,
    owner_code,
)

_MOST_PRESSURE = 2.0  # of globalisation: buyers' means do not grow without bound
_LEAST_EARNINGS = 0.05  # of value added: what a firm without profit is worth to its buyer
_PARTING = 0.5  # price at which affiliates are sold, relative to the price at which they were bought
_OF_TWO = 0.5  # success is the mean of two standard scores, of size and of margin
_SURE = 1e9  # odds that are certainty
_UNPROFITABLE = 3.0  # how much rather a multinational leaves an affiliate that makes a loss
_TAKEOVER = int(Stream.TAKEOVER)
_ACQUISITION = int(Stream.ACQUISITION)
_CAPTIVITY = int(Stream.CAPTIVITY)
_DIVESTMENT = int(Stream.DIVESTMENT)


@kernel
def _spread_of_success(firms, living):
    """Mean and standard deviation of log size and of profitability over living firms."""
    sizes, sizes_squared, margins, margins_squared = 0.0, 0.0, 0.0, 0.0
    for i in living:
        size, margin = np.log(firms[i].employees), performance_now(firms[i])
        sizes += size
        sizes_squared += size * size
        margins += margin
        margins_squared += margin * margin
    n = max(1, living.size)
    size, margin = sizes / n, margins / n
    return (
        size,
        np.sqrt(max(1e-12, sizes_squared / n - size**2)),
        margin,
        np.sqrt(max(1e-12, margins_squared / n - margin**2)),
    )


@kernel
def earnings(firm):
    """Profit of the quarter for which a firm (a record) is bought [k€], at least `_LEAST_EARNINGS` of value added."""
    return max(firm.profit, _LEAST_EARNINGS * firm.value_added, 0.0)


@kernel
def in_usual_profits(price, firm):
    """A price [k€] in quarters of the firm's usual profit, its mean over the last years; 0 without value added."""
    if firm.value_added <= 0.0:
        return 0.0
    return price / (max(firm.performance, _LEAST_EARNINGS) * firm.value_added)


@kernel
def willingness_to_sell(firm, offer, embedded, conduct):
    """Probability in [0, 1] that an owner accepts an offer [quarters of usual profit] for the firm, a record.

    Its reservation price is what going on is worth to its owner; being embedded raises it, having no successor lowers
    it. An offer of nothing is refused.
    """
    price = firm.conduct[HOLDING] * (1.0 + conduct.sale_embeddedness * embedded)
    price *= 1.0 if firm.successor else 1.0 - conduct.sale_succession
    odds = (offer / price) ** (1.0 / conduct.sale_width)
    return odds / (1.0 + odds) if odds < _SURE else 1.0


@kernel
def takeover_hazard(i, firms, ties, agency, policy, world, success, p, s):
    """Quarterly hazard that a multinational takes firm i over (Asheim 1996 after Harrison 1994).

    Rises with success (size and profitability, in standard deviations `success`), falls with trust and identity
    (embeddedness), with the agency's defence and with public screening.
    """
    ownership = p.ownership[0]
    embedded = mean_trust(i, ties) * firms[i].identity
    wanted = 1.0 / (1.0 + np.exp(1.0 - ownership.takeover_success * success))
    defended = firms[i].served * p.agency[0].screening * agency[0].effect[DEFENCE]
    if p.conduct[0].revision > 0.0:
        offer = in_usual_profits(ownership.takeover_price * earnings(firms[i]), firms[i])
        willing = willingness_to_sell(firms[i], offer, embedded, p.conduct[0])
    else:
        willing = s.sale * (1.0 - ownership.takeover_embeddedness * embedded)
    return (
        ownership.takeover
        * min(_MOST_PRESSURE, world[0].pressure)
        * willing
        * wanted
        * (1.0 - defended)
        * (1.0 - policy[0].screening)
    )


@kernel
def take_over(state, living, p, s):
    """Multinationals buy successful firms: owners are paid, capital and a pipeline come in.

    Where a local fund co-finances the managers, they buy the firm instead: it stays independent, without the pipeline.
    """
    firms, ties, pipelines, agency, policy = state.firms, state.ties, state.pipelines, state.agency, state.policy
    instruments, world, accounts, tally = state.instruments, state.world, state.accounts, state.tally
    clock, scratch = state.clock, state.scratch
    if p.ownership[0].takeover == 0.0 or world[0].pressure == 0.0:
        return
    ownership, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    most = ownership.takeover * min(_MOST_PRESSURE, world[0].pressure)
    if p.conduct[0].revision == 0.0:
        most *= s.sale  # the other factors of the hazard are at most 1
    luck, surveyed = draw_all(living, _TAKEOVER, clock, scratch), False
    for n in range(living.size):
        i = living[n]
        if luck[n] >= most or firms[i].owner != SELF_OWNED:
            continue
        if not surveyed:
            size, size_sd, margin, margin_sd = _spread_of_success(firms, living)
            surveyed = True
        success = (np.log(firms[i].employees) - size) / size_sd + (performance_now(firms[i]) - margin) / margin_sd
        hazard = takeover_hazard(i, firms, ties, agency, policy, world, _OF_TWO * success, p, s)
        if luck[n] >= hazard:
            continue
        price = ownership.takeover_price * earnings(firms[i])
        if buy_out(i, price, HOUSEHOLDS, firms, policy, instruments, accounts, clock, p):
            continue
        _, b = uniform2(seed, _TAKEOVER, t, firms[i].key, -1, 0)
        company = np.int64(b * ownership.multinationals)
        firms[i].owner, firms[i].captor = owner_code(company), -1
        capital = ownership.takeover_capital * firms[i].wage * firms[i].employees
        accounts.money[WORLD] -= price + capital
        accounts.money[HOUSEHOLDS] += price
        accounts.money[FIRMS] += capital
        firms[i].cash += capital
        node = _node_of(company, p)
        if node >= 0:
            pipelines[i].node[0] = node
            pipelines[i].strength[0] = 1.0
        tally[TAKEOVERS] += 1


@kernel
def _node_of(company, p):
    """The outside node that stands for a multinational's laboratories; -1 if the world has none."""
    found, which = -1, 0
    for n in range(p.derived.node_kind.size):
        if p.derived.node_kind[n] == 1:
            if found < 0 or which <= company % 2:
                found = n
            which += 1
    return found


@kernel
def parting_price(firm, ownership):
    """What managers pay a multinational for their firm [k€]."""
    return _PARTING * ownership.takeover_price * max(firm.profit, 0.0)


@kernel
def divest(state, living, p, s):
    """Multinationals leave affiliates, loss-making ones first; managers buy some out, alone or with a local fund.

    The others close.
    """
    firms, ties, pipelines, policy = state.firms, state.ties, state.pipelines, state.policy
    instruments, accounts, tally, clock = state.instruments, state.accounts, state.tally, state.clock
    ownership, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    for i in living:
        if firms[i].owner >= SELF_OWNED:
            continue
        hazard = ownership.divestment * (_UNPROFITABLE if firms[i].profit < 0.0 else 1.0)
        a, b = uniform2(seed, _DIVESTMENT, t, firms[i].key, -1, 0)
        if a >= hazard:
            continue
        tally[DIVESTMENTS] += 1
        price = parting_price(firms[i], ownership)
        if b < ownership.buyout:
            firms[i].owner = SELF_OWNED
            accounts.money[HOUSEHOLDS] -= price
            accounts.money[WORLD] += price
        elif buy_out(i, price, WORLD, firms, policy, instruments, accounts, clock, p):
            firms[i].owner = SELF_OWNED
        else:
            close_firm(i, firms, ties, pipelines, accounts, tally)


@kernel
def acquire(state, living, p, s):
    """Dynamic leading firms buy a smaller independent partner out of their cash (Harrison 1994).

    Where firms decide, a partner must be worth its price to the buyer, and the price enough to its owner.
    """
    firms, ties, accounts, tally, clock = state.firms, state.ties, state.accounts, state.tally, state.clock
    ownership, conduct, seed, t = p.ownership[0], p.conduct[0], clock.seed[0], clock.step[0]
    for i in living:
        if firms[i].owner != SELF_OWNED or firms[i].employees < ownership.leader_size:
            continue
        a, b = uniform2(seed, _ACQUISITION, t, firms[i].key, -1, 0)
        if a >= ownership.acquisition * s.acquisition * firms[i].dynamism:
            continue
        slots = ties[i].partner.size
        first = np.int64(b * slots)
        for m in range(slots):
            j = ties[i].partner[(first + m) % slots]
            if j < 0 or firms[j].owner != SELF_OWNED or firms[j].employees >= firms[i].employees:
                continue
            price = ownership.acquisition_price * earnings(firms[j])
            if price > firms[i].cash:
                continue
            if conduct.revision > 0.0:
                if price > conduct.acquisition_horizon * firms[j].performance * firms[j].value_added:
                    continue
                luck = uniform(seed, _ACQUISITION, t, firms[i].key, firms[j].key, 1)
                if luck >= willingness_to_sell(firms[j], in_usual_profits(price, firms[j]), 0.0, conduct):
                    continue
            firms[j].owner, firms[j].captor = i, -1
            firms[i].cash -= price
            accounts.money[FIRMS] -= price
            accounts.money[HOUSEHOLDS] += price
            tally[ACQUISITIONS] += 1
            break


@kernel
def binding_pays(client, supplier, trust, market, conduct):
    """Probability in [0, 1] that a client binds a dependent supplier (records): its gain against the norm.

    The gain is the discount on what it buys there, a share of its value added. Trust and identity forbid it up to
    `captivity_norm`.
    """
    if client.value_added <= 0.0:
        return 0.0
    gain = market.captive_discount * supplier.client_share * supplier.sales / client.value_added
    odds = (gain - conduct.captivity_norm * trust * client.identity) / conduct.captivity_width
    return 1.0 / (1.0 + np.exp(-odds))


@kernel
def bind_captives(state, living, p, s):
    """Clients make suppliers captive that sell them most of their output; less dependent ones free themselves."""
    firms, ties, clock = state.firms, state.ties, state.clock
    ownership, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    for i in living:
        if firms[i].owner != SELF_OWNED:
            continue
        client, key, dependent = firms[i].main_client, firms[i].key, firms[i].client_share > ownership.captive_from
        if firms[i].captor < 0:
            if client >= 0 and dependent:
                hazard = ownership.captivity * s.captivity * firms[client].dynamism
                if p.conduct[0].revision > 0.0:
                    trust = mean_trust(client, ties)
                    hazard *= binding_pays(firms[client], firms[i], trust, p.market[0], p.conduct[0])
                if uniform(seed, _CAPTIVITY, t, key) < hazard:
                    firms[i].captor = client
        elif client != firms[i].captor or (
            not dependent and uniform(seed, _CAPTIVITY, t, key) < ownership.captive_release
        ):
            firms[i].captor = -1
