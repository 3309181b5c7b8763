"""What firms do, and why: each firm's conduct, reviewed now and then by what it sees and what pays.

A firm has an aspiration. Below it, it searches: it copies a partner, or tries something near (Cyert & March 1963;
Nelson & Winter 1982). Apart from that it has reasons: what its research, its exploring, its training, its links and its
suppliers abroad are worth as things stand. Affiliates keep the conduct with which they were bought; members of a group
follow their leader.
"""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, draw_all, normal, uniform, uniform2
from district_sim.model.state import (
    COOPERATING,
    EXPLORING,
    HOLDING,
    LINKING,
    OFFSHORING,
    RESEARCHING,
    SELF_OWNED,
    SKILLING,
)

_CONDUCT = int(Stream.CONDUCT)
_SUCCESSION = int(Stream.SUCCESSION)
_LEAST = (0.0, 0.0, 0.0, 0.0, -3.0, 0.0, 0.5)  # of each trait, as in `Strategy`
_MOST = (5.0, 1.0, 0.2, 1.0, 3.0, 10.0, 400.0)
_USUAL_SHORTFALL, _USUAL_RESERVES = 0.28, 0.8  # means over firms in calm years: no reason to do more or less
_SPREAD_OF_SHARES = 0.25  # of a standard deviation in log points: readiness is a share of about that size
_SEARCH, _LUCK, _HEIR = 100, 101, 0  # numbers of draws; those below `_SEARCH` are of traits


@kernel
def means_of(s, means):
    """The conduct that a strategy (a record) stands for, into `means`, shape (len(TRAITS),)."""
    means[RESEARCHING], means[EXPLORING], means[SKILLING] = s.research, s.exploration, s.training
    means[COOPERATING], means[OFFSHORING] = s.collective_action, s.offshoring
    means[LINKING], means[HOLDING] = s.pipelines, s.reservation


@kernel
def _copy(conduct, into):
    """Copy a conduct into another."""
    for trait in range(conduct.size):
        into[trait] = conduct[trait]


@kernel
def _bound(conduct):
    """Keep a conduct within the ranges that a strategy may have, in place."""
    for trait in range(conduct.size):
        conduct[trait] = min(_MOST[trait], max(_LEAST[trait], conduct[trait]))


@kernel
def _vary(conduct, spread, key, step, clock):
    """Draw a conduct around what it is, in place: `spread` log points, of readiness and leaning in proportion."""
    for trait in range(conduct.size):
        luck = spread * normal(clock.seed[0], _CONDUCT, step, key, -1, trait)
        if trait == COOPERATING:
            conduct[trait] += _SPREAD_OF_SHARES * luck
        elif trait == OFFSHORING:
            conduct[trait] += luck
        else:
            conduct[trait] *= np.exp(luck - 0.5 * spread * spread)
    _bound(conduct)


@kernel
def first_conduct(i, firms, clock, p):
    """Conduct and successor of a firm of the first day: around the history's."""
    means_of(p.history[0], firms[i].conduct)
    if p.conduct[0].spread > 0.0:
        _vary(firms[i].conduct, p.conduct[0].spread, firms[i].key, 0, clock)
    firms[i].successor = uniform(clock.seed[0], _SUCCESSION, 0, firms[i].key, -1, _HEIR) < p.conduct[0].successors
    firms[i].performance = firms[i].aspiration = p.demography[0].normal_margin
    firms[i].family = firms[i].key


@kernel
def inherit_conduct(parent, j, firms, clock, p):
    """Conduct of a newborn firm j: its parent's, a little changed where firms decide, and its habits (Klepper 2007)."""
    _copy(firms[parent].conduct, firms[j].conduct)
    firms[j].family = firms[parent].family
    if p.conduct[0].revision > 0.0 and p.conduct[0].variation > 0.0:
        _vary(firms[j].conduct, p.conduct[0].variation, firms[j].key, clock.step[0], clock)
    firms[j].performance, firms[j].aspiration = firms[parent].performance, firms[parent].aspiration
    firms[j].lessons, firms[j].successor = firms[parent].lessons, True


@kernel
def adopt_strategy(state, living, p, s):
    """When another strategy comes into force, every firm's conduct moves by the difference."""
    before, now = state.world[0].strategy, state.scratch.traits
    means_of(s, now)
    for trait in range(now.size):
        if now[trait] != before[trait]:
            for i in living:
                conduct = state.firms[i].conduct
                same = conduct[trait] == before[trait]
                conduct[trait] = now[trait] if same else conduct[trait] + now[trait] - before[trait]
                if not same:
                    _bound(conduct)
            before[trait] = now[trait]


@kernel
def performance_now(firm):
    """Profit as a share of value added, within [-1, 1]; 0 without value added."""
    if firm.value_added <= 0.0:
        return 0.0
    return min(1.0, max(-1.0, firm.profit / firm.value_added))


@kernel
def _look_around(i, firms, ties):
    """What firm i sees of its partners, weighted by trust.

    Returns their mean performance (its own without any), the best one's row (greatest trust times lead; -1 if nobody
    does better), the share of those ahead on a newer technology, and the share that it and the final firms among them
    buy abroad (itself counts as one fully trusted).
    """
    tie, firm = ties[i], firms[i]
    weight, performance, ahead, colleagues, abroad = 0.0, 0.0, 0.0, 1.0, firm.offshored
    best, lead = -1, 0.0
    for m in range(tie.partner.size):
        j = tie.partner[m]
        if j < 0:
            continue
        trust, other = tie.trust[m], firms[j]
        weight += trust
        performance += trust * other.performance
        ahead += trust * (other.technology > firm.technology)
        if other.phase == firm.phase:
            colleagues += trust
            abroad += trust * other.offshored
        if trust * (other.performance - firm.performance) > lead:
            best, lead = j, trust * (other.performance - firm.performance)
    if weight == 0.0:
        return firm.performance, -1, 0.0, abroad / colleagues
    return performance / weight, best, ahead / weight, abroad / colleagues


@kernel
def exploration_wanted(firm, ahead, ripe, innovation, conduct, usual):
    """Share of R&D with which a firm (a record) wants to explore, by its reasons.

    Args:
        ahead: share of trusted partners ahead 0..1. ripe: whether the next technology is feasible. usual: share by
            habit, which holds without reasons.
    """
    most = conduct.exploration_most
    if usual <= 0.0 or usual >= most:
        return usual
    odds = np.log(usual / (most - usual)) + conduct.exploration_grant * firm.explores_for_public
    if ripe:
        exhausted = 1.0 - innovation.increment_fading**firm.increments
        odds += conduct.exploration_exhaustion * exhausted + conduct.exploration_access * firm.access
        odds += conduct.exploration_partners * ahead * firm.lessons / (firm.lessons + innovation.lessons_half)
    return most / (1.0 + np.exp(-odds))


@kernel
def habits(firm, clock, p, s, into):
    """What a firm (a record) does without special reasons, into `into`, shape (len(TRAITS),).

    The strategy, varied as in the family's first firm on the first day: how firms differ lasts (Nelson & Winter 1982).
    """
    means_of(s, into)
    if p.conduct[0].spread > 0.0:
        _vary(into, p.conduct[0].spread, firm.family, 0, clock)


@kernel
def _reasons(firm, aim, ahead, abroad, ripe, agency, clock, p, s):
    """What a firm (a record) thinks best to do, by habit and reasons, into `aim`, shape (len(TRAITS),)."""
    conduct, terms = p.conduct[0], p.market[0]
    habits(firm, clock, p, s, aim)
    wages = firm.wage * firm.employees
    short = min(1.0, max(0.0, firm.aspiration - firm.performance) / conduct.gap)
    reserves = min(1.0, max(0.0, firm.cash / (terms.buffer * wages))) if terms.buffer * wages > 0.0 else 0.0
    spent = p.innovation[0].research_cost * firm.research * max(0.0, firm.value_added)
    granted = min(1.0, firm.grant / spent) if spent > 0.0 else 0.0
    usual = aim[RESEARCHING]
    aim[RESEARCHING] *= np.exp(
        conduct.research_gap * (short - _USUAL_SHORTFALL)
        + conduct.research_slack * (reserves - _USUAL_RESERVES)
        + conduct.research_opportunity * firm.access * ripe
        + conduct.research_grant * granted
    )
    aim[EXPLORING] = exploration_wanted(firm, ahead, ripe, p.innovation[0], conduct, aim[EXPLORING])
    if usual > 0.0:
        aim[SKILLING] *= (firm.conduct[RESEARCHING] / usual) ** conduct.training_research
    aim[SKILLING] += conduct.training_voucher * firm.tuition
    aim[COOPERATING] += conduct.cooperation_experience * firm.participates * agency[0].capability
    rooted = firm.identity - p.firms[0].identity
    aim[OFFSHORING] += conduct.offshoring_contagion * abroad - conduct.offshoring_identity * rooted
    beyond = max(0.0, firm.offshored - p.ties[0].offshoring_norm)
    aim[LINKING] *= (1.0 + conduct.pipelines_sourcing * beyond) * np.exp(-conduct.pipelines_identity * rooted)
    aim[HOLDING] = firm.conduct[HOLDING]  # what going on is worth to an owner changes by example only


@kernel
def _search(i, best, found, firms, clock, conduct):
    """A firm below its aspiration copies a partner that does better, or tries something near; into `found`."""
    luck = uniform(clock.seed[0], _CONDUCT, clock.step[0], firms[i].key, -1, _SEARCH)
    copies = best >= 0 and luck < conduct.imitation
    _copy(firms[best if copies else i].conduct, found)
    if not copies:
        _vary(found, conduct.variation, firms[i].key, clock.step[0], clock)


@kernel
def _review(i, firms, ties, agency, clock, scratch, ripe, p, s):
    """Firm i reviews its conduct: aspiration, search, reasons. Members of a group follow their leader."""
    firm, conduct, aim, found = firms[i], p.conduct[0], scratch.traits, scratch.other_traits
    mean, best, ahead, abroad = _look_around(i, firms, ties)
    firm.aspiration += conduct.aspiration * (0.5 * (firm.performance + mean) - firm.aspiration)
    heir, change = uniform2(clock.seed[0], _SUCCESSION, clock.step[0], firm.key, -1, _HEIR)
    if change < 1.0 / (conduct.generation * conduct.revision):
        firm.successor = heir < conduct.successors
    if firm.owner >= 0:
        _copy(firms[firm.owner].conduct, aim)
    else:
        _reasons(firm, aim, ahead, abroad, ripe, agency, clock, p, s)
        if firm.performance < firm.aspiration and conduct.imitation + conduct.variation > 0.0:
            _search(i, best, found, firms, clock, conduct)
            for trait in range(aim.size):
                aim[trait] = 0.5 * (aim[trait] + found[trait])
    for trait in range(aim.size):
        firm.conduct[trait] += conduct.step * (aim[trait] - firm.conduct[trait])
    _bound(firm.conduct)


@kernel
def review_conduct(state, living, p, s):
    """Performance of the quarter is remembered; some independent firms and members of groups review their conduct.

    Nobody reviews anything before the first quarter, or where the strategy is imposed (`conduct.revision` 0).
    """
    firms, ties, agency, clock, scratch = state.firms, state.ties, state.agency, state.clock, state.scratch
    conduct = p.conduct[0]
    if conduct.revision == 0.0 or clock.step[0] < 0:
        return
    for i in living:
        firms[i].performance += conduct.memory * (performance_now(firms[i]) - firms[i].performance)
    luck = draw_all(living, _CONDUCT, clock, scratch, _LUCK)
    for n in range(living.size):
        i = living[n]
        if luck[n] < conduct.revision and firms[i].owner >= SELF_OWNED:
            ripe = firms[i].technology < state.world[0].newest
            _review(i, firms, ties, agency, clock, scratch, ripe, p, s)
