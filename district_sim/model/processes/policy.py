"""Public policy: timed, targeted, budgeted instruments (Dohse 2007; Lorenzen 2001).

Every instrument reports what it spent, what was left over and, if it reaches firms one by one, how many it served, by
size, owner and phase. Public money comes from the public account and goes to firms (grants), to the world (services
bought for firms) or to who sells a firm; what is funded by taxes comes back to it from the district's firms. No
instrument overspends.
"""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, uniform
from district_sim.model.processes.relations import degree, is_affiliate
from district_sim.model.signposts import budget_of, follow
from district_sim.model.state import AGENCY, FIRMS, HOUSEHOLDS, PUBLIC, SIZE_LIMITS, SKILLING, TAXES, WORLD
from district_sim.scenario.instruments import MOST_FOUNDED, InstrumentKind, Targeting

_TRAINING = InstrumentKind.TRAINING_VOUCHERS.code
_RESEARCH = InstrumentKind.RD_SUBSIDY.code
_CONTEST = InstrumentKind.CLUSTER_CONTEST.code
_CENTRE = InstrumentKind.TECHNOLOGY_CENTRE.code
_EXPORT = InstrumentKind.EXPORT_VOUCHERS.code
_PLATFORM = InstrumentKind.EXPORT_PLATFORM.code
_MATCH = InstrumentKind.PPP_MATCH.code
_SCREENING = InstrumentKind.TAKEOVER_SCREENING.code
_PHASES = InstrumentKind.PHASE_SUPPORT.code
_IT = InstrumentKind.IT_SUBSIDY.code
_BROKERS = InstrumentKind.IT_BROKERS.code
_ENTRANTS = InstrumentKind.ENTRANT_ATTRACTION.code
_NETWORKED = InstrumentKind.ENTRANT_ATTRACTION_NETWORKED.code
_COOWNERSHIP = InstrumentKind.LOCAL_COOWNERSHIP.code
_EXPLORATION = InstrumentKind.EXPLORATION_GRANT.code
_SUCCESSION = InstrumentKind.SUCCESSION_SUPPORT.code
_ALL = Targeting.ALL.code
_SMALL = Targeting.SMALL.code
_LARGE = Targeting.LARGE.code
_YOUNG = Targeting.YOUNG.code
_LOCAL = Targeting.LOCAL_OWNERS.code
_FINAL = Targeting.FINAL.code
_SUPPLIERS = Targeting.SUPPLIERS.code
_PERFORMING = Targeting.PERFORMING.code
_RANDOM = Targeting.RANDOM.code
_GATEKEEPERS = Targeting.GATEKEEPERS.code
_PERIPHERAL = Targeting.PERIPHERAL.code
_TO_FIRMS = tuple(kind.code for kind in InstrumentKind if kind.record.targeted)
_TARGETING = int(Stream.TARGETING)
_CONTEST_STREAM = int(Stream.CONTEST)
_COOWNERSHIP_STREAM = int(Stream.COOWNERSHIP)
_SUCCESSION_STREAM = int(Stream.SUCCESSION)
_SMALL_SIZE, _LARGE_SIZE = SIZE_LIMITS
_YOUNG_AGE = 20  # quarters
_GOOD_MARGIN, _DRAWN = 0.1, 0.2  # profit in value added from which a firm performs; share of firms drawn at random
_GAIN = 0.1  # of the gap to full education or use of IT that support at full cost closes in a quarter
_TRANSFER = 0.6  # strength of transfer that a technology centre reaches without bound of money
_MOST_GRANT = 2.0  # k€ per employee and quarter of grants and vouchers that have no full cost of their own
_PERIPHERY = 0.5  # of the ties that a firm wants: with fewer it is peripheral
_DISAPPOINTMENT = 4.0  # how much faster trust in a public promise is lost than won


@kernel
def _is_linked(i, pipelines):
    """Whether firm i has a pipeline of its own."""
    for node in pipelines[i].node:  # noqa: SIM110 (numba compiles no generator)
        if node >= 0:
            return True
    return False


@kernel
def is_target(i, rule, phase, firms, ties, pipelines, clock, p):
    """Whether a targeting rule and a phase (-1: any) admit the living firm i, and no evaluation excludes it.

    `random` draws a fifth of the firms anew every year; `peripheral` are those with fewer than half the ties that a
    firm wants.
    """
    if firms[i].excluded or (phase >= 0 and firms[i].phase != phase):
        return False
    if rule == _SMALL:
        return firms[i].employees < _SMALL_SIZE
    if rule == _LARGE:
        return firms[i].employees >= _SMALL_SIZE
    if rule == _YOUNG:
        return clock.step[0] - firms[i].founded < _YOUNG_AGE
    if rule == _LOCAL:
        return not is_affiliate(i, firms)
    if rule == _FINAL:
        return firms[i].phase == p.technology[0].phases - 1
    if rule == _SUPPLIERS:
        return firms[i].phase < p.technology[0].phases - 1
    if rule == _PERFORMING:
        return firms[i].profit > _GOOD_MARGIN * firms[i].value_added
    if rule == _RANDOM:
        return uniform(clock.seed[0], _TARGETING, clock.step[0] // 4, firms[i].key) < _DRAWN
    if rule == _GATEKEEPERS:
        return _is_linked(i, pipelines)
    if rule == _PERIPHERAL:
        return degree(i, ties) < _PERIPHERY * p.ties[0].wanted
    if rule == _ALL:
        return True
    raise ValueError("no such targeting rule")


@kernel
def _spread(number, budget, per_employee, firms, living, ties, pipelines, clock, scratch, p):
    """Money per firm into `scratch.value`: proportional to employees among the targets, at most a ceiling each.

    The ceiling is `per_employee` k€ per employee. Returns what was allotted.
    """
    rule, phase, weight = p.policies.target[number], p.policies.phase[number], 0.0
    for i in living:
        scratch.value[i] = 0.0
        if is_target(i, rule, phase, firms, ties, pipelines, clock, p):
            scratch.value[i] = firms[i].employees
            weight += firms[i].employees
    if weight == 0.0 or budget <= 0.0:
        return 0.0
    rate = min(per_employee, budget / weight)
    for i in living:
        scratch.value[i] *= rate
    return rate * weight


@kernel
def _note(i, firms, report):
    """Count firm i among those served, by size, owner and phase."""
    employees = firms[i].employees
    report.served += 1.0
    report.served_size[np.int64(employees >= _SMALL_SIZE) + np.int64(employees >= _LARGE_SIZE)] += 1.0
    report.served_owner[2 if is_affiliate(i, firms) else 1 if firms[i].owner >= 0 else 0] += 1.0
    report.served_phase[firms[i].phase] += 1.0


@kernel
def _serve_firms(
    number, kind, budget, district, firms, living, ties, pipelines, policy, instruments, clock, scratch, accounts, p, s
):
    """Instruments that reach firms one by one: training, research, export vouchers, IT. Returns k€ spent."""
    effects = p.policy_effects[0]
    strength = p.policies.intensity[number]
    ceiling = _MOST_GRANT
    if kind == _TRAINING:
        ceiling = effects.training_cost
    elif kind in (_IT, _BROKERS):
        ceiling = effects.it_cost
    elif kind == _SUCCESSION:
        ceiling = effects.succession_cost
    displaced = 0.0
    spent = _spread(number, budget, ceiling, firms, living, ties, pipelines, clock, scratch, p)
    if spent == 0.0:
        return 0.0
    for i in living:
        if scratch.value[i] <= 0.0:
            continue
        _note(i, firms, instruments[number])
        firms[i].support += scratch.value[i]
        per_employee = scratch.value[i] / firms[i].employees
        if kind == _TRAINING:
            saved = effects.crowding_out_training * min(per_employee, firms[i].conduct[SKILLING] * firms[i].wage)
            firms[i].tuition += per_employee / firms[i].wage
            gain = min(1.0, _GAIN * strength * (per_employee - saved) / effects.training_cost)
            firms[i].education += gain * (1.0 - firms[i].education)
            firms[i].cash += saved * firms[i].employees
            displaced += saved * firms[i].employees
        elif kind in (_RESEARCH, _EXPLORATION):
            firms[i].grant += scratch.value[i]
            firms[i].cash += scratch.value[i]
            firms[i].grant_exploring += scratch.value[i] if kind == _EXPLORATION else 0.0
        elif kind == _EXPORT:
            firms[i].voucher += min(1.0, strength * scratch.value[i] / effects.voucher_cost)
        elif kind in (_IT, _BROKERS):
            gain = min(1.0, _GAIN * strength * per_employee / effects.it_cost)
            firms[i].it += gain * (1.0 - firms[i].it)
        elif kind == _SUCCESSION:
            chance = min(1.0, _GAIN * strength * per_employee / effects.succession_cost)
            found = uniform(clock.seed[0], _SUCCESSION_STREAM, clock.step[0], firms[i].key, number) < chance
            firms[i].successor = firms[i].successor or found
        else:
            raise ValueError("no such instrument for firms")
    accounts.money[FIRMS] += displaced
    accounts.money[HOUSEHOLDS] -= displaced
    if kind in (_RESEARCH, _EXPLORATION):
        accounts.money[FIRMS] += spent
    else:
        accounts.money[WORLD] += spent
    if kind == _BROKERS:
        share = spent / district if district > 0.0 else 0.0
        policy[0].brokers += effects.broker_reach * share / (share + p.agency[0].project_half)
    return spent


@kernel
def _contest(number, budget, agency, instruments, clock, effects):
    """Award of a cluster contest: the district's bid is its participation and capability against rival bids.

    A won contest pays for `contest_interval` quarters; a lost one is held again after a quarter of them.
    """
    t = clock.step[0]
    instruments[number].award -= np.sign(instruments[number].award)
    if instruments[number].award == 0.0:
        weight = effects.contest_capability
        bid = (1.0 - weight) * agency[0].participation + weight * agency[0].capability
        bid += effects.contest_luck * uniform(clock.seed[0], _CONTEST_STREAM, t, number)
        better = 0
        for rival in range(effects.contest_rivals):
            better += uniform(clock.seed[0], _CONTEST_STREAM, t, number, rival, 1) > bid
        instruments[number].award = (
            effects.contest_interval if better < effects.contest_winners else -max(1, effects.contest_interval // 4)
        )
    return budget if instruments[number].award > 0.0 else 0.0


@kernel
def _founding(budget, cost, strength, paid_for):
    """k€ of a budget that can be spent on founders, as no more than `MOST_FOUNDED` can be founded in a quarter."""
    if strength <= 0.0:
        return budget
    return min(budget, max(0.0, MOST_FOUNDED - paid_for) * cost / strength)


@kernel
def _serve_district(number, kind, budget, district, agency, policy, instruments, clock, accounts, p):
    """Instruments for the district as a whole. Returns k€ spent now: the match and co-ownership are spent later."""
    effects, strength = p.policy_effects[0], p.policies.intensity[number]
    share = budget / district if district > 0.0 else 0.0
    spent = budget
    if kind == _CONTEST:
        spent = _contest(number, budget, agency, instruments, clock, effects)
        agency[0].fund += spent
        accounts.money[AGENCY] += spent
        accounts.money[PUBLIC] -= spent
        return spent
    if kind == _CENTRE:
        effect = strength * share / (share + p.agency[0].project_half)
        policy[0].technology = min(1.0, policy[0].technology + _TRANSFER * effect)
    elif kind == _PLATFORM:
        policy[0].platform += strength * budget
    elif kind == _SCREENING:
        policy[0].screening = max(policy[0].screening, min(1.0, strength * share / (share + effects.screening_half)))
    elif kind == _PHASES:
        spent = _founding(budget, effects.founding_cost, strength, policy[0].founders)
        policy[0].founders += strength * spent / effects.founding_cost
    elif kind == _ENTRANTS:
        spent = _founding(budget, effects.entrant_cost, strength, policy[0].entrants[0])
        policy[0].entrants[0] += strength * spent / effects.entrant_cost
    elif kind == _NETWORKED:
        spent = _founding(budget, effects.entrant_cost, strength, policy[0].entrants[1])
        policy[0].entrants[1] += strength * spent / effects.entrant_cost
    elif kind == _COOWNERSHIP:
        return 0.0
    else:
        raise ValueError("no such instrument for the district")
    accounts.money[WORLD] += spent
    accounts.money[PUBLIC] -= spent
    return spent


@kernel
def _forget(report):
    """Clear an instrument's report of the last quarter; its award and what signposts made of it stay."""
    report.spent, report.unspent, report.served = 0.0, 0.0, 0.0
    report.served_size[:] = 0.0
    report.served_owner[:] = 0.0
    report.served_phase[:] = 0.0
    report.started, report.stopped, report.changed = 0.0, 0.0, 0.0


@kernel
def apply_policies(state, living, p, s):
    """Run every instrument whose window is open and that does not wait, in the scenario's order.

    See `scenario.Instrument`, and `model.signposts` for those that wait.
    """
    firms, ties, pipelines, agency, policy = state.firms, state.ties, state.pipelines, state.agency, state.policy
    instruments, accounts, clock, scratch = state.instruments, state.accounts, state.clock, state.scratch
    policies = p.policies
    effects = p.policy_effects[0]
    n = clock.rows[0]
    turnover, district = 0.0, 0.0
    for i in range(n):
        firms[i].grant = 0.0
        firms[i].grant_exploring = 0.0
        firms[i].tuition = 0.0
        firms[i].voucher = 0.0
        if firms[i].alive:
            district += max(0.0, firms[i].value_added)
            if firms[i].phase == p.technology[0].phases - 1:
                turnover += firms[i].sales
    policy[0].match, policy[0].match_budget, policy[0].screening = 0.0, 0.0, 0.0
    policy[0].technology, policy[0].platform, policy[0].brokers = 0.0, 0.0, 1.0
    policy[0].founders = 0.0
    policy[0].entrants[:] = 0.0
    for number in range(policies.kind.size):
        _forget(instruments[number])
        if clock.step[0] < policies.start[number] or clock.step[0] >= policies.end[number]:
            continue
        acts, budget = follow(number, instruments, policies), budget_of(number, instruments, policies, turnover)
        if not acts or budget <= 0.0:
            continue
        kind = policies.kind[number]
        if kind == _MATCH:
            policy[0].match += policies.intensity[number]
            policy[0].match_budget += budget
        elif kind in _TO_FIRMS:
            instruments[number].spent = _serve_firms(
                number, kind, budget, district, firms, living, ties, pipelines, policy, instruments, clock, scratch,
                accounts, p, s,
            )  # fmt: skip
            accounts.money[PUBLIC] -= instruments[number].spent
        else:
            instruments[number].spent = _serve_district(
                number, kind, budget, district, agency, policy, instruments, clock, accounts, p
            )
        instruments[number].unspent = budget - instruments[number].spent
    promised = 1.0 if policy[0].match > 0.0 else 0.0
    speed = (
        effects.credibility_speed
        if promised > agency[0].credibility
        else min(1.0, _DISAPPOINTMENT * effects.credibility_speed)
    )
    agency[0].credibility += speed * (promised - agency[0].credibility)


@kernel
def account_match(state, living, p, s):
    """Attribute the match that the agency drew to the match instruments, in proportion to their budgets."""
    agency, policy, instruments, clock = state.agency, state.policy, state.instruments, state.clock
    policies = p.policies
    if policy[0].match_budget <= 0.0:
        return
    for number in range(policies.kind.size):
        if policies.kind[number] == _MATCH and policies.start[number] <= clock.step[0] < policies.end[number]:
            budget = instruments[number].unspent + instruments[number].spent
            instruments[number].spent = agency[0].matched * budget / policy[0].match_budget
            instruments[number].unspent = budget - instruments[number].spent


@kernel
def buy_out(i, price, seller, firms, policy, instruments, accounts, clock, p):
    """Let managers buy firm i together with a local fund, if one is ready and has the money. Returns whether they do.

    The first such fund in the scenario's order pays its stake of the price to the seller, the managers the rest; its
    stake of what a multinational would bring as capital goes into the firm. Who owns the firm is left to the caller.

    Args:
        price: of the firm [k€]. seller: account that is paid.
    """
    policies, stake = p.policies, p.policy_effects[0].coownership_stake
    capital = stake * p.ownership[0].takeover_capital * firms[i].wage * firms[i].employees
    cost = stake * price + capital
    for number in range(policies.kind.size):
        if policies.kind[number] != _COOWNERSHIP or instruments[number].unspent < cost:
            continue
        if (
            uniform(clock.seed[0], _COOWNERSHIP_STREAM, clock.step[0], firms[i].key, number)
            >= policies.intensity[number]
        ):
            continue
        _note(i, firms, instruments[number])
        firms[i].support += cost
        instruments[number].spent += cost
        instruments[number].unspent -= cost
        firms[i].cash += capital
        accounts.money[PUBLIC] -= cost
        accounts.money[HOUSEHOLDS] -= price - stake * price
        accounts.money[seller] += price
        accounts.money[FIRMS] += capital
        if policies.taxed[number]:
            policy[0].coowned += cost
        return True
    return False


@kernel
def levy_taxes(state, living, p, s):
    """What instruments funded by taxes spent is levied on the district's firms, in proportion to value added.

    The levy never exceeds value added; money goes from firms to the public account. Firms are sold after it, so what
    local funds spent on them is levied a quarter later.
    """
    firms, policy, instruments = state.firms, state.policy, state.instruments
    accounts, tally, clock = state.accounts, state.tally, state.clock
    wanted, district = policy[0].coowned, 0.0
    policy[0].coowned = 0.0
    for number in range(p.policies.taxed.size):
        if p.policies.taxed[number]:
            wanted += instruments[number].spent
    if wanted == 0.0:
        return
    for i in range(clock.rows[0]):
        if firms[i].alive:
            district += max(0.0, firms[i].value_added)
    rate = min(1.0, wanted / district) if district > 0.0 else 0.0
    for i in range(clock.rows[0]):
        if firms[i].alive:
            firms[i].cash -= rate * max(0.0, firms[i].value_added)
    accounts.money[FIRMS] -= rate * district
    accounts.money[PUBLIC] += rate * district
    tally[TAXES] += rate * district
