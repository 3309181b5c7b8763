"""Who controls whom: takeovers by multinationals, acquisitions, captive suppliers, divestment and buy-outs."""

import numpy as np

from district_sim.compiled import kernel
from district_sim.processes.demography import close_firm
from district_sim.processes.relations import mean_trust
from district_sim.random import Stream, uniform, uniform2
from district_sim.state import (
    ACQUISITIONS,
    DEFENCE,
    DIVESTMENTS,
    FIRMS,
    HOUSEHOLDS,
    SELF_OWNED,
    TAKEOVERS,
    WORLD,
)

_TAKEOVER = int(Stream.TAKEOVER)
_ACQUISITION = int(Stream.ACQUISITION)
_CAPTIVITY = int(Stream.CAPTIVITY)
_DIVESTMENT = int(Stream.DIVESTMENT)


@kernel
def _spread_of_success(firms, clock, sums):
    """Mean and standard deviation of log size and of profitability over living firms; `sums` is working space."""
    n = 0.0
    sums[:4] = 0.0
    for i in range(clock.rows[0]):
        if firms.alive[i]:
            size, margin = np.log(firms.employees[i]), profitability(i, firms)
            n += 1.0
            sums[0] += size
            sums[1] += size * size
            sums[2] += margin
            sums[3] += margin * margin
    n = max(1.0, n)
    size, margin = sums[0] / n, sums[2] / n
    return (
        size,
        np.sqrt(max(1e-12, sums[1] / n - size**2)),
        margin,
        np.sqrt(max(1e-12, sums[3] / n - margin**2)),
    )


@kernel
def profitability(i, firms):
    """Profit as a share of value added, within [-1, 1]; 0 without value added."""
    if firms.value_added[i] <= 0.0:
        return 0.0
    return min(1.0, max(-1.0, firms.profit[i] / firms.value_added[i]))


@kernel
def takeover_hazard(i, firms, ties, agency, policy, world, success, p, s):
    """Quarterly hazard that a multinational takes firm i over (Asheim 1996 after Harrison 1994).

    Rises with success (size and profitability, in standard deviations `success`), falls with trust and identity
    (embeddedness), with the agency's defence and with public screening.
    """
    o = p.ownership[0]
    embedded = mean_trust(i, ties) * firms.identity[i]
    wanted = 1.0 / (1.0 + np.exp(1.0 - o.takeover_success * success))
    defended = firms.participates[i] * p.agency[0].screening * agency.effect[0, DEFENCE]
    return (
        o.takeover
        * min(2.0, world.pressure[0])
        * s.sale
        * wanted
        * (1.0 - o.takeover_embeddedness * embedded)
        * (1.0 - defended)
        * (1.0 - policy.screening[0])
    )


@kernel
def take_over(firms, ties, pipelines, agency, policy, world, accounts, tally, clock, scratch, p, s):
    """Multinationals buy successful firms: owners are paid, capital and a pipeline come in."""
    if p.ownership[0].takeover == 0.0 or world.pressure[0] == 0.0:
        return
    o, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    size, size_sd, margin, margin_sd = _spread_of_success(firms, clock, scratch.counts)
    for i in range(clock.rows[0]):
        if not firms.alive[i] or firms.owner[i] != SELF_OWNED:
            continue
        success = (np.log(firms.employees[i]) - size) / size_sd + (profitability(i, firms) - margin) / margin_sd
        hazard = takeover_hazard(i, firms, ties, agency, policy, world, 0.5 * success, p, s)
        a, b = uniform2(seed, _TAKEOVER, t, firms.key[i], -1, 0)
        if a >= hazard:
            continue
        company = np.int64(b * o.multinationals)
        firms.owner[i], firms.captor[i] = -2 - company, -1
        earnings = max(firms.profit[i], 0.05 * firms.value_added[i], 0.0)
        price = o.takeover_price * earnings
        capital = o.takeover_capital * firms.wage[i] * firms.employees[i]
        accounts.money[WORLD] -= price + capital
        accounts.money[HOUSEHOLDS] += price
        accounts.money[FIRMS] += capital
        firms.cash[i] += capital
        node = _node_of(company, p)
        if node >= 0:
            pipelines.node[i, 0] = node
            pipelines.strength[i, 0] = 1.0
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
def divest(firms, ties, pipelines, accounts, tally, clock, p):
    """Multinationals leave affiliates, loss-making ones first; managers buy some out, the others close."""
    o, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    for i in range(clock.rows[0]):
        if not firms.alive[i] or firms.owner[i] >= SELF_OWNED:
            continue
        hazard = o.divestment * (3.0 if firms.profit[i] < 0.0 else 1.0)
        a, b = uniform2(seed, _DIVESTMENT, t, firms.key[i], -1, 0)
        if a >= hazard:
            continue
        tally[DIVESTMENTS] += 1
        if b < o.buyout:
            firms.owner[i] = SELF_OWNED
            price = 0.5 * o.takeover_price * max(firms.profit[i], 0.0)
            accounts.money[HOUSEHOLDS] -= price
            accounts.money[WORLD] += price
        else:
            close_firm(i, firms, ties, pipelines, accounts, tally)


@kernel
def acquire(firms, ties, accounts, tally, clock, p, s):
    """Dynamic leading firms buy a smaller independent partner out of their cash (Harrison 1994)."""
    o, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    for i in range(clock.rows[0]):
        if not firms.alive[i] or firms.owner[i] != SELF_OWNED or firms.employees[i] < o.leader_size:
            continue
        a, b = uniform2(seed, _ACQUISITION, t, firms.key[i], -1, 0)
        if a >= o.acquisition * s.acquisition * firms.dynamism[i]:
            continue
        slots = ties.partner.shape[1]
        first = np.int64(b * slots)
        for m in range(slots):
            j = ties.partner[i, (first + m) % slots]
            if j < 0 or firms.owner[j] != SELF_OWNED or firms.employees[j] >= firms.employees[i]:
                continue
            price = o.acquisition_price * max(firms.profit[j], 0.05 * firms.value_added[j], 0.0)
            if price > firms.cash[i]:
                continue
            firms.owner[j], firms.captor[j] = i, -1
            firms.cash[i] -= price
            accounts.money[FIRMS] -= price
            accounts.money[HOUSEHOLDS] += price
            tally[ACQUISITIONS] += 1
            break


@kernel
def bind_captives(firms, clock, p, s):
    """Clients make suppliers captive that sell them most of their output; less dependent ones free themselves."""
    o, seed, t = p.ownership[0], clock.seed[0], clock.step[0]
    for i in range(clock.rows[0]):
        if not firms.alive[i] or firms.owner[i] != SELF_OWNED:
            continue
        client, u = firms.main_client[i], uniform(seed, _CAPTIVITY, t, firms.key[i])
        if firms.captor[i] < 0:
            dependent = client >= 0 and firms.client_share[i] > o.captive_from
            if dependent and u < o.captivity * s.captivity * firms.dynamism[client]:
                firms.captor[i] = client
        elif client != firms.captor[i] or (firms.client_share[i] <= o.captive_from and u < o.captive_release):
            firms.captor[i] = -1
