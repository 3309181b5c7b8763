"""Twin of processes/policy.py."""

import math
from typing import Any

from district_sim.instruments import KINDS, TARGETS, InstrumentKind, Targeting
from district_sim.random import Stream, uniform
from district_sim.state import AGENCY, FIRMS, PUBLIC, WORLD, State
from naive.common import clip, is_foreign, key, living, now, pay, seed_of

TO_FIRMS = {
    InstrumentKind.TRAINING_VOUCHERS,
    InstrumentKind.RD_SUBSIDY,
    InstrumentKind.EXPORT_VOUCHERS,
    InstrumentKind.IT_SUBSIDY,
    InstrumentKind.IT_BROKERS,
}


def admits(state: State, p: Any, target: Targeting, i: int) -> bool:
    """Whether the targeting rule admits the living firm i."""
    firm, last = state.firms[i], p.technology[0].phases - 1
    year = now(state) // 4
    return bool(
        {
            Targeting.ALL: lambda: True,
            Targeting.SMALL: lambda: firm.employees < 10,
            Targeting.LARGE: lambda: firm.employees >= 10,
            Targeting.YOUNG: lambda: now(state) - firm.founded < 20,
            Targeting.LOCAL_OWNERS: lambda: not is_foreign(state, i),
            Targeting.FINAL: lambda: firm.phase == last,
            Targeting.SUPPLIERS: lambda: firm.phase < last,
            Targeting.PERFORMING: lambda: firm.profit > 0.1 * firm.value_added,
            Targeting.RANDOM: lambda: uniform(seed_of(state), int(Stream.TARGETING), year, key(state, i)) < 0.2,
        }[target]()
    )


def apply_policies(state: State, p: Any) -> None:
    q, e, agency, policy = p.policies, p.policy_effects[0], state.agency[0], state.policy[0]
    state.firms.grant[: state.clock.rows[0]] = 0.0
    state.firms.voucher[: state.clock.rows[0]] = 0.0
    firms = living(state)
    district = sum(max(0.0, float(state.firms[i].value_added)) for i in firms)
    turnover = sum(float(state.firms[i].sales) for i in firms if state.firms[i].phase == p.technology[0].phases - 1)
    for name in ("match", "match_budget", "screening", "technology", "platform", "founders"):
        setattr(policy, name, 0.0)
    policy.entrants[:] = 0.0
    policy.brokers = 1.0
    for number in range(len(q.kind)):
        report = state.instruments[number]
        report.spent = report.unspent = report.served = 0.0
        budget = q.budget[number] + q.budget_share[number] * turnover
        if not q.start[number] <= now(state) < q.end[number] or budget <= 0:
            continue
        kind, strength = KINDS[q.kind[number]], float(q.intensity[number])
        if kind is InstrumentKind.PPP_MATCH:
            policy.match += strength
            policy.match_budget += budget
        elif kind in TO_FIRMS:
            target = TARGETS[q.target[number]]
            report.spent, report.served = _to_firms(state, p, kind, strength, target, budget, firms)
        else:
            report.spent = _to_district(state, p, number, kind, strength, budget, district)
        report.unspent = budget - report.spent
    promised = float(policy.match > 0)
    speed = e.credibility_speed if promised > agency.credibility else min(1.0, 4 * e.credibility_speed)
    agency.credibility += speed * (promised - agency.credibility)


def _to_firms(
    state: State, p: Any, kind: InstrumentKind, strength: float, target: Targeting, budget: float, firms: list[int]
) -> tuple[float, int]:
    """Money in proportion to employees, up to a ceiling per employee; returns what was spent and firms served."""
    e = p.policy_effects[0]
    ceiling = {
        InstrumentKind.TRAINING_VOUCHERS: e.training_cost,
        InstrumentKind.IT_SUBSIDY: e.it_cost,
        InstrumentKind.IT_BROKERS: e.it_cost,
    }.get(kind, 2.0)
    served = [i for i in firms if admits(state, p, target, i)]
    people = sum(float(state.firms[i].employees) for i in served)
    if not served:
        return 0.0, 0
    each = min(ceiling, budget / people)
    for i in served:
        firm = state.firms[i]
        money = each * firm.employees
        if kind is InstrumentKind.TRAINING_VOUCHERS:
            firm.education += min(1.0, 0.1 * strength * each / e.training_cost) * (1 - firm.education)
        elif kind is InstrumentKind.RD_SUBSIDY:
            firm.grant += money
            firm.cash += money
        elif kind is InstrumentKind.EXPORT_VOUCHERS:
            firm.voucher += min(1.0, strength * money / e.voucher_cost)
        else:
            firm.it += min(1.0, 0.1 * strength * each / e.it_cost) * (1 - firm.it)
    spent = each * people
    pay(state, PUBLIC, FIRMS if kind is InstrumentKind.RD_SUBSIDY else WORLD, spent)
    if kind is InstrumentKind.IT_BROKERS:
        district = sum(max(0.0, float(state.firms[i].value_added)) for i in firms)
        share = spent / district if district > 0 else 0.0
        state.policy[0].brokers += e.broker_reach * share / (share + p.agency[0].project_half)
    return spent, len(served)


def _to_district(
    state: State, p: Any, number: int, kind: InstrumentKind, strength: float, budget: float, district: float
) -> float:
    """Instruments for the district as a whole; returns what was spent."""
    e, policy = p.policy_effects[0], state.policy[0]
    share = budget / district if district > 0 else 0.0
    if kind is InstrumentKind.CLUSTER_CONTEST:
        if not _contest_pays(state, e, number):
            return 0.0
        pay(state, PUBLIC, AGENCY, budget)
        state.agency[0].fund += budget
        return budget
    if kind is InstrumentKind.TECHNOLOGY_CENTRE:
        policy.technology = min(1.0, policy.technology + 0.6 * strength * share / (share + p.agency[0].project_half))
    elif kind is InstrumentKind.EXPORT_PLATFORM:
        policy.platform += strength * budget
    elif kind is InstrumentKind.TAKEOVER_SCREENING:
        policy.screening = max(policy.screening, clip(strength * share / (share + e.screening_half)))
    elif kind is InstrumentKind.PHASE_SUPPORT:
        policy.founders += strength * budget / e.founding_cost
    elif kind is InstrumentKind.ENTRANT_ATTRACTION:
        policy.entrants[0] += strength * budget / e.entrant_cost
    elif kind is InstrumentKind.ENTRANT_ATTRACTION_NETWORKED:
        policy.entrants[1] += strength * budget / e.entrant_cost
    pay(state, PUBLIC, WORLD, budget)
    return budget


def _contest_pays(state: State, e: Any, number: int) -> bool:
    """Whether this contest pays now: a term long after a bid that won; who lost sits out a quarter of a term."""
    agency, seed, t, stream = state.agency[0], seed_of(state), now(state), int(Stream.CONTEST)
    report = state.instruments[number]
    if report.award > 0:
        report.award -= 1
    elif report.award < 0:
        report.award += 1
    if report.award == 0:
        bid = (agency.participation + agency.capability) / 2 + 0.1 * uniform(seed, stream, t, number)
        better = [r for r in range(e.contest_rivals) if uniform(seed, stream, t, number, r, 1) > bid]
        won = len(better) < e.contest_winners
        report.award = e.contest_interval if won else -max(1, e.contest_interval // 4)
    return bool(report.award > 0)


def account_match(state: State, p: Any) -> None:
    q, policy, drawn = p.policies, state.policy[0], float(state.agency[0].matched)
    open_now = [
        k
        for k in range(len(q.kind))
        if KINDS[q.kind[k]] is InstrumentKind.PPP_MATCH and q.start[k] <= now(state) < q.end[k]
    ]
    if policy.match_budget <= 0:
        return
    for k in open_now:
        report = state.instruments[k]
        budget = float(report.spent + report.unspent)
        report.spent = drawn * budget / policy.match_budget
        report.unspent = budget - report.spent
        assert math.isfinite(report.spent)
