"""Public policy: timed, targeted, budgeted instruments (Dohse 2007; Lorenzen 2001).

Every instrument reports what it spent, what was left over and, if it reaches firms one by one, how many it served.
Public money comes from the public account and goes to firms (grants) or to the world (services bought for firms). No
instrument overspends.
"""

import numpy as np

from district_sim.compiled import kernel
from district_sim.instruments import KINDS, TARGETED, TARGETS, InstrumentKind, Targeting
from district_sim.processes.relations import is_affiliate
from district_sim.random import Stream, uniform
from district_sim.state import AGENCY, FIRMS, PUBLIC, WORLD

_TRAINING = KINDS.index(InstrumentKind.TRAINING_VOUCHERS)
_RESEARCH = KINDS.index(InstrumentKind.RD_SUBSIDY)
_CONTEST = KINDS.index(InstrumentKind.CLUSTER_CONTEST)
_CENTRE = KINDS.index(InstrumentKind.TECHNOLOGY_CENTRE)
_EXPORT = KINDS.index(InstrumentKind.EXPORT_VOUCHERS)
_PLATFORM = KINDS.index(InstrumentKind.EXPORT_PLATFORM)
_MATCH = KINDS.index(InstrumentKind.PPP_MATCH)
_SCREENING = KINDS.index(InstrumentKind.TAKEOVER_SCREENING)
_PHASES = KINDS.index(InstrumentKind.PHASE_SUPPORT)
_IT = KINDS.index(InstrumentKind.IT_SUBSIDY)
_BROKERS = KINDS.index(InstrumentKind.IT_BROKERS)
_ENTRANTS = KINDS.index(InstrumentKind.ENTRANT_ATTRACTION)
_NETWORKED = KINDS.index(InstrumentKind.ENTRANT_ATTRACTION_NETWORKED)
_SMALL = TARGETS.index(Targeting.SMALL)
_LARGE = TARGETS.index(Targeting.LARGE)
_YOUNG = TARGETS.index(Targeting.YOUNG)
_LOCAL = TARGETS.index(Targeting.LOCAL_OWNERS)
_FINAL = TARGETS.index(Targeting.FINAL)
_SUPPLIERS = TARGETS.index(Targeting.SUPPLIERS)
_PERFORMING = TARGETS.index(Targeting.PERFORMING)
_RANDOM = TARGETS.index(Targeting.RANDOM)
_TO_FIRMS = tuple(number for number, kind in enumerate(KINDS) if kind in TARGETED)
_TARGETING = int(Stream.TARGETING)
_CONTEST_STREAM = int(Stream.CONTEST)
_SMALL_SIZE, _YOUNG_AGE = 10.0, 20  # employees (EU definition of a micro firm); quarters


@kernel
def is_target(i, rule, firms, clock, phases):
    """Whether a targeting rule admits firm i; `random` draws a fifth of the firms anew every year."""
    if not firms.alive[i]:
        return False
    if rule == _SMALL:
        return firms.employees[i] < _SMALL_SIZE
    if rule == _LARGE:
        return firms.employees[i] >= _SMALL_SIZE
    if rule == _YOUNG:
        return clock.step[0] - firms.founded[i] < _YOUNG_AGE
    if rule == _LOCAL:
        return not is_affiliate(i, firms)
    if rule == _FINAL:
        return firms.phase[i] == phases - 1
    if rule == _SUPPLIERS:
        return firms.phase[i] < phases - 1
    if rule == _PERFORMING:
        return firms.profit[i] > 0.1 * firms.value_added[i]
    if rule == _RANDOM:
        return uniform(clock.seed[0], _TARGETING, clock.step[0] // 4, firms.key[i]) < 0.2
    return True


@kernel
def _spread(n, budget, rule, per_employee, firms, clock, scratch, phases):
    """Money per firm into `scratch.value`: proportional to employees among the targets, at most a ceiling each.

    The ceiling is `per_employee` k€ per employee. Returns what was allotted and to how many firms.
    """
    weight, count = 0.0, 0
    for i in range(n):
        scratch.value[i] = 0.0
        if is_target(i, rule, firms, clock, phases):
            weight += firms.employees[i]
            count += 1
    if weight == 0.0 or budget <= 0.0:
        return 0.0, 0
    rate = min(per_employee, budget / weight)
    for i in range(n):
        if is_target(i, rule, firms, clock, phases):
            scratch.value[i] = rate * firms.employees[i]
    return rate * weight, count


@kernel
def _serve_firms(q, kind, budget, district, firms, policy, clock, scratch, accounts, p):
    """Instruments that reach firms one by one: training, research, export vouchers, IT. Returns k€ spent, firms."""
    e, n, phases = p.policy_effects[0], clock.rows[0], p.technology[0].phases
    strength = p.policies.intensity[q]
    ceiling = 2.0
    if kind == _TRAINING:
        ceiling = e.training_cost
    elif kind in (_IT, _BROKERS):
        ceiling = e.it_cost
    spent, served = _spread(n, budget, p.policies.target[q], ceiling, firms, clock, scratch, phases)
    if served == 0:
        return 0.0, 0
    for i in range(n):
        if scratch.value[i] <= 0.0:
            continue
        per_employee = scratch.value[i] / firms.employees[i]
        if kind == _TRAINING:
            gain = min(1.0, 0.1 * strength * per_employee / e.training_cost)
            firms.education[i] += gain * (1.0 - firms.education[i])
        elif kind == _RESEARCH:
            firms.grant[i] += scratch.value[i]
            firms.cash[i] += scratch.value[i]
        elif kind == _EXPORT:
            firms.voucher[i] += min(1.0, strength * scratch.value[i] / e.voucher_cost)
        else:
            gain = min(1.0, 0.1 * strength * per_employee / e.it_cost)
            firms.it[i] += gain * (1.0 - firms.it[i])
    if kind == _RESEARCH:
        accounts.money[FIRMS] += spent
    else:
        accounts.money[WORLD] += spent
    if kind == _BROKERS:
        share = spent / district if district > 0.0 else 0.0
        policy.brokers[0] += e.broker_reach * share / (share + p.agency[0].project_half)
    return spent, served


@kernel
def _contest(q, budget, agency, instruments, clock, e):
    """Award of a cluster contest: the district's bid is its participation and capability against rival bids.

    A won contest pays for `contest_interval` quarters; a lost one is held again after a quarter of them.
    """
    t = clock.step[0]
    instruments.award[q] -= np.sign(instruments.award[q])
    if instruments.award[q] == 0.0:
        bid = 0.5 * agency.participation[0] + 0.5 * agency.capability[0]
        bid += 0.1 * uniform(clock.seed[0], _CONTEST_STREAM, t, q)
        better = 0
        for rival in range(e.contest_rivals):
            better += uniform(clock.seed[0], _CONTEST_STREAM, t, q, rival, 1) > bid
        instruments.award[q] = e.contest_interval if better < e.contest_winners else -max(1, e.contest_interval // 4)
    return budget if instruments.award[q] > 0.0 else 0.0


@kernel
def _serve_district(q, kind, budget, district, agency, policy, instruments, clock, accounts, p):
    """Instruments that act on the district as a whole. Returns k€ spent now (the match is spent by the agency)."""
    e, strength = p.policy_effects[0], p.policies.intensity[q]
    share = budget / district if district > 0.0 else 0.0
    spent = budget
    if kind == _CONTEST:
        spent = _contest(q, budget, agency, instruments, clock, e)
        agency.fund[0] += spent
        accounts.money[AGENCY] += spent
        accounts.money[PUBLIC] -= spent
        return spent
    if kind == _CENTRE:
        effect = strength * share / (share + p.agency[0].project_half)
        policy.technology[0] = min(1.0, policy.technology[0] + 0.6 * effect)
    elif kind == _PLATFORM:
        policy.platform[0] += strength * budget
    elif kind == _SCREENING:
        policy.screening[0] = max(policy.screening[0], min(1.0, strength * share / (share + e.screening_half)))
    elif kind == _PHASES:
        policy.founders[0] += strength * budget / e.founding_cost
    elif kind == _ENTRANTS:
        policy.entrants[0, 0] += strength * budget / e.entrant_cost
    elif kind == _NETWORKED:
        policy.entrants[0, 1] += strength * budget / e.entrant_cost
    accounts.money[WORLD] += spent
    accounts.money[PUBLIC] -= spent
    return spent


@kernel
def apply_policies(firms, agency, policy, instruments, accounts, clock, scratch, p):
    """Run every instrument whose window is open, in the scenario's order; see `scenario.Instrument`."""
    q = p.policies
    e = p.policy_effects[0]
    n = clock.rows[0]
    turnover, district = 0.0, 0.0
    for i in range(n):
        firms.grant[i] = 0.0
        firms.voucher[i] = 0.0
        if firms.alive[i]:
            district += max(0.0, firms.value_added[i])
            if firms.phase[i] == p.technology[0].phases - 1:
                turnover += firms.sales[i]
    policy.match[0], policy.match_budget[0], policy.screening[0] = 0.0, 0.0, 0.0
    policy.technology[0], policy.platform[0], policy.brokers[0] = 0.0, 0.0, 1.0
    policy.founders[0] = 0.0
    policy.entrants[0, :] = 0.0
    for k in range(q.kind.size):
        instruments.spent[k], instruments.unspent[k], instruments.served[k] = 0.0, 0.0, 0.0
        if clock.step[0] < q.start[k] or clock.step[0] >= q.end[k]:
            continue
        budget = q.budget[k] + q.budget_share[k] * turnover
        if budget <= 0.0:
            continue
        kind = q.kind[k]
        if kind == _MATCH:
            policy.match[0] += q.intensity[k]
            policy.match_budget[0] += budget
        elif kind in _TO_FIRMS:
            instruments.spent[k], instruments.served[k] = _serve_firms(
                k, kind, budget, district, firms, policy, clock, scratch, accounts, p
            )
            accounts.money[PUBLIC] -= instruments.spent[k]
        else:
            instruments.spent[k] = _serve_district(
                k, kind, budget, district, agency, policy, instruments, clock, accounts, p
            )
        instruments.unspent[k] = budget - instruments.spent[k]
    promised = 1.0 if policy.match[0] > 0.0 else 0.0
    speed = e.credibility_speed if promised > agency.credibility[0] else min(1.0, 4.0 * e.credibility_speed)
    agency.credibility[0] += speed * (promised - agency.credibility[0])


@kernel
def account_match(agency, policy, instruments, clock, p):
    """Attribute the match that the agency drew to the match instruments, in proportion to their budgets."""
    q = p.policies
    if policy.match_budget[0] <= 0.0:
        return
    for k in range(q.kind.size):
        if q.kind[k] == _MATCH and q.start[k] <= clock.step[0] < q.end[k]:
            budget = instruments.unspent[k] + instruments.spent[k]
            instruments.spent[k] = agency.matched[0] * budget / policy.match_budget[0]
            instruments.unspent[k] = budget - instruments.spent[k]
