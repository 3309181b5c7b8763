"""Twin of processes/ownership.py."""

import math
from typing import Any

import numpy as np

from district_sim.kernels.draws import Stream, uniform, uniform2
from district_sim.model.state import (
    ACQUISITIONS,
    DEFENCE,
    DIVESTMENTS,
    FIRMS,
    HOUSEHOLDS,
    TAKEOVERS,
    WORLD,
    State,
    owner_code,
)
from naive.common import clip, conduct, key, living, mean_trust, now, pay, seed_of, strategy
from naive.demography import close_firm
from naive.policy import buy_out


def margin(state: State, i: int) -> float:
    firm = state.firms[i]
    return clip(float(firm.profit / firm.value_added), -1.0, 1.0) if firm.value_added > 0 else 0.0


def takeover_chance(state: State, p: Any, i: int, success: float) -> float:
    o, firm = p.ownership[0], state.firms[i]
    embedded = mean_trust(state, i) * firm.identity
    chance = o.takeover * min(2.0, state.world[0].pressure)
    chance *= 1 / (1 + math.exp(1 - o.takeover_success * success))
    if p.conduct[0].revision > 0:
        chance *= sells(firm, usual(o.takeover_price * earned(firm), firm), embedded, p.conduct[0])
    else:
        chance *= strategy(state, p).sale * (1 - o.takeover_embeddedness * embedded)
    chance *= 1 - firm.served * p.agency[0].screening * state.agency[0].effect[DEFENCE]
    return float(chance * (1 - state.policy[0].screening))


def earned(firm: Any) -> float:
    return float(max(0.0, firm.profit, 0.05 * firm.value_added))


def usual(price: float, firm: Any) -> float:
    """A price in quarters of what the firm earned over the last years."""
    return float(price / (max(firm.performance, 0.05) * firm.value_added)) if firm.value_added > 0 else 0.0


def sells(firm: Any, offer: float, embedded: float, c: Any) -> float:
    """Probability that an owner accepts an offer in quarters of usual profit: logistic in its log over the price."""
    price = conduct(firm, "reservation") * (1 + c.sale_embeddedness * embedded)
    if not firm.successor:
        price *= 1 - c.sale_succession
    return 1 / (1 + math.exp(-math.log(offer / price) / c.sale_width)) if offer > 0 else 0.0


def take_over(state: State, p: Any) -> None:
    o = p.ownership[0]
    if o.takeover == 0 or state.world[0].pressure == 0:
        return
    firms = living(state)
    size = np.log([state.firms[i].employees for i in firms])
    gain = np.array([margin(state, i) for i in firms])
    success = np.zeros(len(firms))
    for column in (size, gain):
        deviation = math.sqrt(max(1e-12, float(np.var(column))))
        success = success + 0.5 * (column - column.mean()) / deviation
    labs = [n for n, kind in enumerate(p.derived.node_kind) if kind == 1]
    for i, its_success in zip(firms, success, strict=True):
        firm = state.firms[i]
        a, b = uniform2(seed_of(state), int(Stream.TAKEOVER), now(state), key(state, i), -1, 0)
        if firm.owner != -1 or a >= takeover_chance(state, p, i, its_success):
            continue
        price = o.takeover_price * earned(firm)
        if buy_out(state, p, i, price, HOUSEHOLDS):
            continue
        company = int(b * o.multinationals)
        firm.owner, firm.captor = owner_code(company), -1
        pay(state, WORLD, HOUSEHOLDS, price)
        capital = o.takeover_capital * firm.wage * firm.employees
        pay(state, WORLD, FIRMS, capital)
        firm.cash += capital
        if labs:
            state.pipelines[i].node[0] = labs[min(company % 2, len(labs) - 1)]
            state.pipelines[i].strength[0] = 1.0
        state.tally[TAKEOVERS] += 1


def divest(state: State, p: Any) -> None:
    o = p.ownership[0]
    for i in living(state):
        firm = state.firms[i]
        if firm.owner >= -1:
            continue
        a, b = uniform2(seed_of(state), int(Stream.DIVESTMENT), now(state), key(state, i), -1, 0)
        if a >= o.divestment * (3 if firm.profit < 0 else 1):
            continue
        state.tally[DIVESTMENTS] += 1
        price = o.takeover_price / 2 * max(0.0, firm.profit)
        if b < o.buyout:
            firm.owner = -1
            pay(state, HOUSEHOLDS, WORLD, price)
        elif buy_out(state, p, i, price, WORLD):
            firm.owner = -1
        else:
            close_firm(state, i)


def acquire(state: State, p: Any) -> None:
    o, s = p.ownership[0], strategy(state, p)
    for i in living(state):
        leader = state.firms[i]
        if leader.owner != -1 or leader.employees < o.leader_size:
            continue
        a, b = uniform2(seed_of(state), int(Stream.ACQUISITION), now(state), key(state, i), -1, 0)
        if a >= o.acquisition * s.acquisition * leader.dynamism:
            continue
        row = [int(j) for j in state.ties[i].partner]
        first = int(b * len(row))
        for j in row[first:] + row[:first]:
            target = state.firms[j]
            if j < 0 or target.owner != -1 or target.employees >= leader.employees:
                continue
            price = o.acquisition_price * earned(target)
            if p.conduct[0].revision > 0:
                worth = p.conduct[0].acquisition_horizon * target.performance * target.value_added
                luck = uniform(seed_of(state), int(Stream.ACQUISITION), now(state), key(state, i), key(state, j), 1)
                if price > worth or luck >= sells(target, usual(price, target), 0.0, p.conduct[0]):
                    continue
            if price <= leader.cash:
                target.owner, target.captor = i, -1
                leader.cash -= price
                pay(state, FIRMS, HOUSEHOLDS, price)
                state.tally[ACQUISITIONS] += 1
                break


def bind_captives(state: State, p: Any) -> None:
    o, s = p.ownership[0], strategy(state, p)
    for i in living(state):
        firm = state.firms[i]
        if firm.owner != -1:
            continue
        u = uniform(seed_of(state), int(Stream.CAPTIVITY), now(state), key(state, i))
        client, dependent = int(firm.main_client), firm.client_share > o.captive_from
        if firm.captor < 0:
            if client >= 0 and dependent:
                wish = o.captivity * s.captivity * state.firms[client].dynamism
                if p.conduct[0].revision > 0:
                    wish *= binds(state, p, client, firm)
                if u < wish:
                    firm.captor = client
        elif client != firm.captor or (not dependent and u < o.captive_release):
            firm.captor = -1


def binds(state: State, p: Any, client: int, supplier: Any) -> float:
    """Probability that binding a supplier seems worth it to its client."""
    c, its = p.conduct[0], state.firms[client]
    if its.value_added <= 0:
        return 0.0
    saved = p.market[0].captive_discount * supplier.client_share * supplier.sales / its.value_added
    odds = (saved - c.captivity_norm * mean_trust(state, client) * its.identity) / c.captivity_width
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
