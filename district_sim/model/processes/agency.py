"""The collective agency: contributions, public match, capability, projects.

A threshold public good (Cadsby & Maynes 1999) among conditional cooperators (Fischbacher, Gächter & Fehr 2001): below
the threshold contributions are returned and no project runs.
"""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, draw_all
from district_sim.model.processes.relations import fetch_ahead, is_affiliate, trusted_sum
from district_sim.model.state import (
    AGENCY,
    BRAND,
    COOPERATING,
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
_SERVICES = 4.0  # brand, outlets, training, technology
_LEAST_CAPABILITY = 0.3  # for collective pipelines: a public platform brings staff of its own


@kernel
def services(agency, terms, market):
    """What members see of the agency's services, in [0, 1]: brand, outlets abroad, training, technology.

    The mean of the four; what brings nothing to anybody counts nothing, whatever was spent on it.
    """
    brand = agency[0].brand if market.demand_brand > 0.0 else 0.0
    outlets = agency[0].pipelines.mean() if market.demand_pipeline > 0.0 else 0.0
    training = agency[0].effect[TRAINING] if terms.education_gain > 0.0 else 0.0
    return (brand + outlets + training + agency[0].effect[TECHNOLOGY]) / _SERVICES


@kernel
def expected_gain(agency, policy, district, terms, market):
    """What a firm expects to gain by membership, less its contribution: share of its value added.

    Members judge an agency by the services that they see, not by its money. A project that ran last quarter is expected
    to run again. Otherwise it depends on whether the public match, as far as it is believed, would carry a first
    project; below the threshold contributions come back (Bagnoli & Lipman 1989).
    """
    own = terms.contribution
    public = min(policy[0].match * own, policy[0].match_budget / district if district > 0.0 else 0.0)
    runs = 1.0 if agency[0].participation > 0.0 else 0.0
    if public > 0.0:
        runs = max(runs, agency[0].credibility * public / (public + terms.threshold))
    promised = 0.0
    if public > 0.0:
        each = (own + public) / _SERVICES
        promised = (
            agency[0].credibility * (own + public) / (own + public + terms.half) * each / (each + terms.project_half)
        )
    good = terms.gain * (1.0 - terms.spillover) * max(services(agency, terms, market), promised)
    return runs * (good - own)


@kernel
def participation_odds(i, firms, ties, agency, net, terms):
    """Log odds that firm i pledges: readiness, identity, partners' pledges last quarter, what it gains, habit."""
    partners, trusted = trusted_sum(i, ties, firms.pledges)
    cooperation = partners / trusted if trusted > 0.0 else 0.0
    return (
        terms.response_action * (firms[i].conduct[COOPERATING] - 0.5)
        + terms.response_identity * (firms[i].identity - 0.5)
        + terms.response_partners * (cooperation - 0.5)
        + terms.response_capability * agency[0].capability
        + terms.response_match * agency[0].credibility
        + terms.response_net * net
        + terms.loyalty * firms[i].pledges
    )


@kernel
def _decide(firms, living, ties, agency, clock, scratch, net, terms):
    """Who pledges this quarter, into `scratch.value`; everybody looks at last quarter's pledges.

    A pledge is a membership: who does not review it keeps it.
    """
    rows, leads, pledges = clock.rows[0], scratch.other, scratch.value
    leads[:rows] = 0.0
    pledges[:rows] = 0.0
    if terms.contribution == 0.0:
        return
    for i in living:
        if firms[i].owner >= 0:
            leads[firms[i].owner] = 1.0
    luck = draw_all(living, _PARTICIPATION, clock, scratch)
    for n in range(living.size):
        i = living[n]
        fetch_ahead(i, rows, ties, firms, 0)
        if luck[n] >= terms.review:
            pledges[i] = firms[i].pledges
            continue
        chance = terms.review / (1.0 + np.exp(-participation_odds(i, firms, ties, agency, net, terms)))
        if is_affiliate(i, firms):
            chance *= terms.affiliates
        elif leads[i] > 0.0 or firms[i].owner >= 0 or firms[i].captor >= 0:
            chance *= terms.leaders
        if luck[n] < chance:
            pledges[i] = 1.0


@kernel
def run_agency(state, living, p, s):
    """Contributions, public match and the agency's spending of the quarter.

    Below the threshold pledges are returned: nobody has paid, nobody has taken part. Money: firms -> agency, public ->
    agency, agency -> world (services bought for the projects).
    """
    firms, ties, agency, policy, world = state.firms, state.ties, state.agency, state.policy, state.world
    accounts, clock, scratch = state.accounts, state.clock, state.scratch
    terms = p.agency[0]
    district, pledged, members, incumbent = 0.0, 0.0, 0.0, 0.0
    for i in living:
        district += max(0.0, firms[i].value_added)
    _decide(
        firms, living, ties, agency, clock, scratch, expected_gain(agency, policy, district, terms, p.market[0]), terms
    )
    for i in living:
        firms[i].pledges = scratch.value[i]
        members += firms[i].pledges
        gift = terms.contribution * firms[i].pledges * max(0.0, firms[i].value_added)
        pledged += gift
        if firms[i].technology < world[0].newest:
            incumbent += gift
    match = min(policy[0].match_budget, policy[0].match * pledged)
    provided = pledged > 0.0 and pledged + match >= terms.threshold * district
    agency[0].contributed = pledged if provided else 0.0
    agency[0].matched = match if provided else 0.0
    agency[0].participation = members / max(1, living.size) if provided else 0.0
    agency[0].incumbents = incumbent / pledged if provided else 0.0
    for i in living:
        firms[i].participates = firms[i].pledges if provided else 0.0
        firms[i].served = terms.spillover + (1.0 - terms.spillover) * firms[i].participates
        firms[i].contribution = terms.contribution * firms[i].participates * max(0.0, firms[i].value_added)
        firms[i].cash -= firms[i].contribution
    if provided:
        accounts.money[FIRMS] -= pledged
        accounts.money[PUBLIC] -= match
        accounts.money[AGENCY] += pledged + match
        agency[0].fund += pledged + match
    _spend(firms, living, agency, policy, accounts, district, p, s)


@kernel
def _effect(money, district, capability, terms):
    """Effect of a project in [0, 1): concave in money, limited by the agency's capability."""
    share = money / district if district > 0.0 else 0.0
    return capability * share / (share + terms.project_half)


@kernel
def _spend(firms, living, agency, policy, accounts, district, p, s):
    """Spend the fund by the strategy's project mix; capability follows the spending, concavely."""
    terms = p.agency[0]
    budget = agency[0].fund
    share = budget / district if district > 0.0 else 0.0
    if share >= terms.threshold:
        agency[0].capability += terms.learning * (share / (share + terms.half) - agency[0].capability)
        agency[0].fund -= budget
        accounts.money[AGENCY] -= budget
        accounts.money[WORLD] += budget
    else:
        budget = 0.0
        agency[0].capability -= terms.decay * agency[0].capability
    capability = agency[0].capability
    agency[0].effect[TECHNOLOGY] = _effect(budget * s.project_technology, district, capability, terms)
    agency[0].effect[TRAINING] = _effect(budget * s.project_training, district, capability, terms)
    agency[0].effect[PIPELINES] = _effect(
        budget * s.project_pipelines + policy[0].platform, district, max(capability, _LEAST_CAPABILITY), terms
    )
    agency[0].effect[BRAND] = _effect(budget * s.project_brand, district, capability, terms)
    agency[0].effect[PHASES] = _effect(budget * s.project_phases, district, capability, terms)
    agency[0].effect[VALUES] = _effect(budget * s.project_values, district, capability, terms)
    agency[0].effect[DEFENCE] = _effect(budget * s.project_defence, district, capability, terms)
    agency[0].brand += terms.brand_speed * (agency[0].effect[BRAND] * agency[0].participation - agency[0].brand)
    for n in range(agency[0].pipelines.size):
        agency[0].pipelines[n] += p.ties[0].pipeline_growth * (agency[0].effect[PIPELINES] - agency[0].pipelines[n])
        if s.project_pipelines == 0.0 and policy[0].platform == 0.0:
            agency[0].pipelines[n] = 0.0
    for i in living:
        gain = terms.education_gain * agency[0].effect[TRAINING] * firms[i].served
        firms[i].education += gain * (1.0 - firms[i].education)
