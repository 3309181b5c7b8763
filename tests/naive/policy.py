"""Twin of processes/policy.py."""

import math
from typing import Any

from district_sim.kernels.draws import Stream, uniform
from district_sim.model.state import AGENCY, FIRMS, HOUSEHOLDS, PUBLIC, TAXES, WORLD, State
from district_sim.scenario.instruments import MOST_FOUNDED, Action, InstrumentKind, Targeting
from naive.common import clip, conduct, is_foreign, key, living, now, partners, pay, pipelines_of, seed_of

KINDS, TARGETS = tuple(InstrumentKind), tuple(Targeting)
GRANTS = (InstrumentKind.RD_SUBSIDY, InstrumentKind.EXPLORATION_GRANT)


def admits(state: State, p: Any, target: Targeting, phase: int, i: int) -> bool:
    """Whether the targeting rule and the phase (-1: any) admit the living firm i."""
    firm, last = state.firms[i], p.technology[0].phases - 1
    year = now(state) // 4
    return (
        not firm.excluded
        and phase in (-1, firm.phase)
        and bool(
            {
                Targeting.ALL: lambda: True,
                Targeting.SMALL: lambda: firm.employees < 10,
                Targeting.LARGE: lambda: firm.employees >= 10,
                Targeting.YOUNG: lambda: now(state) - firm.founded < 20,
                Targeting.LOCAL_OWNERS: lambda: not is_foreign(state, i),
                Targeting.FINAL: lambda: firm.phase == last,
                Targeting.SUPPLIERS: lambda: firm.phase < last,
                Targeting.PERFORMING: lambda: firm.profit > 0.1 * firm.value_added,
                Targeting.GATEKEEPERS: lambda: bool(pipelines_of(state, i)),
                Targeting.PERIPHERAL: lambda: len(partners(state, i)) < p.ties[0].wanted / 2,
                Targeting.RANDOM: lambda: uniform(seed_of(state), int(Stream.TARGETING), year, key(state, i)) < 0.2,
            }[target]()
        )
    )


def apply_policies(state: State, p: Any) -> None:
    q, e, agency, policy = p.policies, p.policy_effects[0], state.agency[0], state.policy[0]
    state.firms.grant[: state.clock.rows[0]] = 0.0
    for name in ("voucher", "grant_exploring", "tuition"):
        state.firms[name][: state.clock.rows[0]] = 0.0
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
        report.served_size[:] = report.served_owner[:] = report.served_phase[:] = 0.0
        report.started = report.stopped = report.changed = 0.0
        if not q.start[number] <= now(state) < q.end[number] or not _follow(q, number, report):
            continue
        budget = _budget(q, number, report, turnover)
        if budget <= 0:
            continue
        kind, strength = KINDS[q.kind[number]], float(q.intensity[number])
        if kind is InstrumentKind.PPP_MATCH:
            policy.match += strength
            policy.match_budget += budget
        elif kind.record.targeted:
            target, phase = TARGETS[q.target[number]], int(q.phase[number])
            served = [i for i in firms if admits(state, p, target, phase, i)]
            report.spent = _to_firms(state, p, number, kind, strength, served, budget, firms)
            _note(state, report, served)
        else:
            report.spent = _to_district(state, p, number, kind, strength, budget, district)
        report.unspent = budget - report.spent
    promised = float(policy.match > 0)
    speed = e.credibility_speed if promised > agency.credibility else min(1.0, 4 * e.credibility_speed)
    agency.credibility += speed * (promised - agency.credibility)


def _posts(q: Any, number: int) -> list[Any]:
    """The signposts of an instrument."""
    return [post for post in q.signposts[number] if post["indicator"] >= 0]


def watch(state: State, p: Any, row: Any) -> None:
    """Count quarters beyond each line, from the indicators of the quarter; NaN is beyond none."""
    for number, report in enumerate(state.instruments):
        for place, post in enumerate(_posts(p.policies, number)):
            value, line = float(row[post["indicator"]]), float(post["line"])
            beyond = not math.isnan(value) and (value > line if post["above"] else value < line)
            report.streak[place] = report.streak[place] + 1 if beyond else 0


def _follow(q: Any, number: int, report: Any) -> bool:
    """Whether an instrument acts, after its signposts did: to stop wins, and the last budget that holds."""
    holding = [(k, post) for k, post in enumerate(_posts(q, number)) if report.streak[k] >= post["quarters"]]
    actions = {tuple(Action)[post["action"]] for _, post in holding}
    budgets = [k for k, post in holding if tuple(Action)[post["action"]] is Action.BUDGET]
    if not _posts(q, number):
        return True
    before = {0: not q.waits[number], 1: True, -1: False}[int(report.switched)]
    acts = False if Action.STOP in actions else True if Action.START in actions else before
    report.started, report.stopped = float(acts and not before), float(before and not acts)
    if acts != before:
        report.switched = 1 if acts else -1
    if budgets and report.revised != budgets[-1] + 1:
        report.revised, report.changed = budgets[-1] + 1, 1.0
    return acts


def _budget(q: Any, number: int, report: Any, turnover: float) -> float:
    """Its own, or that of the signpost that decided last."""
    posts = _posts(q, number)
    if 1 <= report.revised <= len(posts):
        post = posts[report.revised - 1]
        return float(post["budget"] + post["budget_share"] * turnover)
    return float(q.budget[number] + q.budget_share[number] * turnover)


def _to_firms(
    state: State,
    p: Any,
    number: int,
    kind: InstrumentKind,
    strength: float,
    served: list[int],
    budget: float,
    firms: list[int],
) -> float:
    """Money in proportion to employees, up to a ceiling per employee; returns what was spent."""
    e = p.policy_effects[0]
    ceiling = {
        InstrumentKind.TRAINING_VOUCHERS: e.training_cost,
        InstrumentKind.IT_SUBSIDY: e.it_cost,
        InstrumentKind.IT_BROKERS: e.it_cost,
        InstrumentKind.SUCCESSION_SUPPORT: e.succession_cost,
    }.get(kind, 2.0)
    people = sum(float(state.firms[i].employees) for i in served)
    if not served:
        return 0.0
    each = min(ceiling, budget / people)
    for i in served:
        firm = state.firms[i]
        money = each * firm.employees
        firm.support += money
        if kind is InstrumentKind.TRAINING_VOUCHERS:
            own = conduct(firm, "training") * firm.wage
            firm.tuition += each / firm.wage
            saved = e.crowding_out_training * min(each, own)
            firm.education += min(1.0, 0.1 * strength * (each - saved) / e.training_cost) * (1 - firm.education)
            firm.cash += saved * firm.employees
            pay(state, HOUSEHOLDS, FIRMS, saved * firm.employees)
        elif kind in GRANTS:
            firm.grant += money
            firm.cash += money
            firm.grant_exploring += money if kind is InstrumentKind.EXPLORATION_GRANT else 0.0
        elif kind is InstrumentKind.SUCCESSION_SUPPORT:
            luck = uniform(seed_of(state), int(Stream.SUCCESSION), now(state), key(state, i), number)
            firm.successor |= luck < min(1.0, 0.1 * strength * each / e.succession_cost)
        elif kind is InstrumentKind.EXPORT_VOUCHERS:
            firm.voucher += min(1.0, strength * money / e.voucher_cost)
        else:
            assert kind in (InstrumentKind.IT_SUBSIDY, InstrumentKind.IT_BROKERS)
            firm.it += min(1.0, 0.1 * strength * each / e.it_cost) * (1 - firm.it)
    spent = each * people
    pay(state, PUBLIC, FIRMS if kind in GRANTS else WORLD, spent)
    if kind is InstrumentKind.IT_BROKERS:
        district = sum(max(0.0, float(state.firms[i].value_added)) for i in firms)
        share = spent / district if district > 0 else 0.0
        state.policy[0].brokers += e.broker_reach * share / (share + p.agency[0].project_half)
    return spent


def _note(state: State, report: Any, served: list[int]) -> None:
    """Who was served, by size, phase and owner."""
    for i in served:
        firm = state.firms[i]
        report.served += 1
        report.served_size[0 if firm.employees < 10 else 1 if firm.employees < 50 else 2] += 1
        report.served_phase[firm.phase] += 1
        report.served_owner[2 if is_foreign(state, i) else 1 if firm.owner >= 0 else 0] += 1


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
    elif kind is InstrumentKind.LOCAL_COOWNERSHIP:
        return 0.0
    elif kind is InstrumentKind.EXPORT_PLATFORM:
        policy.platform += strength * budget
    elif kind is InstrumentKind.TAKEOVER_SCREENING:
        policy.screening = max(policy.screening, clip(strength * share / (share + e.screening_half)))
    elif kind is InstrumentKind.PHASE_SUPPORT:
        budget = _founding(budget, e.founding_cost, strength, policy.founders)
        policy.founders += strength * budget / e.founding_cost
    elif kind is InstrumentKind.ENTRANT_ATTRACTION:
        budget = _founding(budget, e.entrant_cost, strength, policy.entrants[0])
        policy.entrants[0] += strength * budget / e.entrant_cost
    elif kind is InstrumentKind.ENTRANT_ATTRACTION_NETWORKED:
        budget = _founding(budget, e.entrant_cost, strength, policy.entrants[1])
        policy.entrants[1] += strength * budget / e.entrant_cost
    else:
        raise AssertionError(kind)
    pay(state, PUBLIC, WORLD, budget)
    return budget


def _founding(budget: float, cost: float, strength: float, paid_for: float) -> float:
    """What can be spent on founders, as no more than so many can be founded in a quarter."""
    return min(budget, max(0.0, MOST_FOUNDED - paid_for) * cost / strength) if strength > 0 else budget


def _contest_pays(state: State, e: Any, number: int) -> bool:
    """Whether this contest pays now: a term long after a bid that won; who lost sits out a quarter of a term."""
    agency, seed, t, stream = state.agency[0], seed_of(state), now(state), int(Stream.CONTEST)
    report = state.instruments[number]
    if report.award > 0:
        report.award -= 1
    elif report.award < 0:
        report.award += 1
    if report.award == 0:
        bid = (1 - e.contest_capability) * agency.participation + e.contest_capability * agency.capability
        bid += e.contest_luck * uniform(seed, stream, t, number)
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


def buy_out(state: State, p: Any, i: int, price: float, seller: int) -> bool:
    """Whether managers and a local fund with enough money buy firm i; the fund puts capital into it, too."""
    firm, stake = state.firms[i], float(p.policy_effects[0].coownership_stake)
    capital = stake * p.ownership[0].takeover_capital * firm.wage * firm.employees
    for k, kind in enumerate(p.policies.kind):
        report = state.instruments[k]
        ready = uniform(seed_of(state), int(Stream.COOWNERSHIP), now(state), key(state, i), k) < p.policies.intensity[k]
        enough = report.unspent >= stake * price + capital
        if KINDS[kind] is InstrumentKind.LOCAL_COOWNERSHIP and ready and enough:
            _note(state, report, [i])
            pay(state, PUBLIC, seller, stake * price)
            pay(state, HOUSEHOLDS, seller, (1 - stake) * price)
            pay(state, PUBLIC, FIRMS, capital)
            firm.cash += capital
            firm.support += stake * price + capital
            report.spent += stake * price + capital
            report.unspent -= stake * price + capital
            state.policy[0].coowned += p.policies.taxed[k] * (stake * price + capital)
            return True
    return False


def levy_taxes(state: State, p: Any) -> None:
    """Firms pay for what is funded by taxes, in proportion to their value added, and never more than that."""
    wanted = sum(float(state.instruments[k].spent) for k in range(len(p.policies.taxed)) if p.policies.taxed[k])
    wanted += float(state.policy[0].coowned)
    state.policy[0].coowned = 0.0
    earned = {i: max(0.0, float(state.firms[i].value_added)) for i in living(state)}
    total = sum(earned.values())
    if wanted <= 0 or total <= 0:
        return
    rate = min(1.0, wanted / total)
    for i, value_added in earned.items():
        state.firms[i].cash -= rate * value_added
    pay(state, FIRMS, PUBLIC, rate * total)
    state.tally[TAXES] += rate * total
