"""The collective agency: contributions, public match, capability, projects.

A threshold public good (Cadsby & Maynes 1999) among conditional cooperators (Fischbacher, Gächter & Fehr 2001): below
the threshold contributions are returned and no project runs.
"""

import numpy as np

from district_sim.compiled import kernel
from district_sim.processes.relations import is_affiliate, trusted_sum
from district_sim.random import Stream, uniform
from district_sim.state import (
    AGENCY,
    BRAND,
    DEFENCE,
    FIRMS,
    PHASES,
    PIPELINES,
    PUBLIC,
    TECHNOLOGY,
    TRAINING,
    VALUES,
    WORLD,
)

_PARTICIPATION = int(Stream.PARTICIPATION)


@kernel
def participation_odds(i, firms, ties, agency, a, s):
    """Log odds that firm i pledges: readiness, identity, partners' pledges last quarter, proven capability."""
    partners, trusted = trusted_sum(i, ties, firms.pledges)
    cooperation = partners / trusted if trusted > 0.0 else 0.0
    return (
        a.response_action * (s.collective_action - 0.5)
        + a.response_identity * (firms.identity[i] - 0.5)
        + a.response_partners * (cooperation - 0.5)
        + a.response_capability * agency.capability[0]
        + a.response_match * agency.credibility[0]
    )


@kernel
def _decide(firms, ties, agency, clock, scratch, a, s):
    """Who pledges this quarter, into `scratch.value`; everybody looks at last quarter's pledges."""
    leads = scratch.other
    leads[: clock.rows[0]] = 0.0
    for i in range(clock.rows[0]):
        if firms.alive[i] and firms.owner[i] >= 0:
            leads[firms.owner[i]] = 1.0
    for i in range(clock.rows[0]):
        scratch.value[i] = 0.0
        if not firms.alive[i] or a.contribution == 0.0:
            continue
        chance = 1.0 / (1.0 + np.exp(-participation_odds(i, firms, ties, agency, a, s)))
        if is_affiliate(i, firms):
            chance *= a.affiliates
        elif leads[i] > 0.0 or firms.owner[i] >= 0 or firms.captor[i] >= 0:
            chance *= a.leaders
        if uniform(clock.seed[0], _PARTICIPATION, clock.step[0], firms.key[i]) < chance:
            scratch.value[i] = 1.0


@kernel
def run_agency(firms, ties, agency, policy, world, accounts, clock, scratch, p, s):
    """Contributions, public match and the agency's spending of the quarter.

    Below the threshold pledges are returned: nobody has paid, nobody has taken part. Money: firms -> agency, public ->
    agency, agency -> world (services bought for the projects).
    """
    a = p.agency[0]
    _decide(firms, ties, agency, clock, scratch, a, s)
    district, pledged, members, firms_alive, incumbent = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(clock.rows[0]):
        firms.pledges[i] = scratch.value[i]
        if firms.alive[i]:
            firms_alive += 1.0
            members += firms.pledges[i]
            district += max(0.0, firms.value_added[i])
            gift = a.contribution * firms.pledges[i] * max(0.0, firms.value_added[i])
            pledged += gift
            if firms.trajectory[i] < world.newest[0]:
                incumbent += gift
    match = min(policy.match_budget[0], policy.match[0] * pledged)
    provided = pledged > 0.0 and pledged + match >= a.threshold * district
    agency.contributed[0] = pledged if provided else 0.0
    agency.matched[0] = match if provided else 0.0
    agency.participation[0] = members / max(1.0, firms_alive) if provided else 0.0
    agency.incumbents[0] = incumbent / pledged if provided else 0.0
    for i in range(clock.rows[0]):
        firms.participates[i] = firms.pledges[i] if provided else 0.0
        if firms.alive[i]:
            firms.cash[i] -= a.contribution * firms.participates[i] * max(0.0, firms.value_added[i])
    if provided:
        accounts.money[FIRMS] -= pledged
        accounts.money[PUBLIC] -= match
        accounts.money[AGENCY] += pledged + match
        agency.fund[0] += pledged + match
    _spend(firms, agency, policy, accounts, clock, district, p, s)


@kernel
def _effect(money, district, capability, a):
    """Effect of a project in [0, 1): concave in money, limited by the agency's capability."""
    share = money / district if district > 0.0 else 0.0
    return capability * share / (share + a.project_half)


@kernel
def _spend(firms, agency, policy, accounts, clock, district, p, s):
    """Spend the fund by the strategy's project mix; capability follows the spending, concavely."""
    a = p.agency[0]
    budget = agency.fund[0]
    share = budget / district if district > 0.0 else 0.0
    if share >= a.threshold:
        agency.capability[0] += a.learning * (share / (share + a.half) - agency.capability[0])
        agency.fund[0] -= budget
        accounts.money[AGENCY] -= budget
        accounts.money[WORLD] += budget
    else:
        budget = 0.0
        agency.capability[0] -= a.decay * agency.capability[0]
    capability = agency.capability[0]
    agency.effect[0, TECHNOLOGY] = _effect(budget * s.project_technology, district, capability, a)
    agency.effect[0, TRAINING] = _effect(budget * s.project_training, district, capability, a)
    agency.effect[0, PIPELINES] = _effect(
        budget * s.project_pipelines + policy.platform[0], district, max(capability, 0.3), a
    )
    agency.effect[0, BRAND] = _effect(budget * s.project_brand, district, capability, a)
    agency.effect[0, PHASES] = _effect(budget * s.project_phases, district, capability, a)
    agency.effect[0, VALUES] = _effect(budget * s.project_values, district, capability, a)
    agency.effect[0, DEFENCE] = _effect(budget * s.project_defence, district, capability, a)
    agency.brand[0] += a.brand_speed * (agency.effect[0, BRAND] * agency.participation[0] - agency.brand[0])
    for n in range(agency.pipelines.shape[1]):
        agency.pipelines[0, n] += p.ties[0].pipeline_growth * (agency.effect[0, PIPELINES] - agency.pipelines[0, n])
        if s.project_pipelines == 0.0 and policy.platform[0] == 0.0:
            agency.pipelines[0, n] = 0.0
    for i in range(clock.rows[0]):
        if firms.alive[i] and firms.participates[i] > 0.0:
            firms.education[i] += a.education_gain * agency.effect[0, TRAINING] * (1.0 - firms.education[i])
