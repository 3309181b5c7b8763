"""Twin of processes/agency.py."""

import math
from typing import Any

from district_sim.kernels.draws import Stream, uniform
from district_sim.model.state import AGENCY, FIRMS, PUBLIC, WORLD, State
from naive.common import conduct, is_foreign, key, links, living, now, pay, seed_of, strategy

PROJECTS = ("technology", "training", "pipelines", "brand", "phases", "values", "defence")


def seen(state: State, p: Any) -> float:
    """What members see of the agency's services: mean of brand, outlets, training, technology, as far as they act."""
    agency, effect = state.agency[0], dict(zip(PROJECTS, state.agency[0].effect, strict=True))
    parts = [
        agency.brand if p.market[0].demand_brand > 0 else 0.0,
        sum(agency.pipelines) / len(agency.pipelines) if p.market[0].demand_pipeline > 0 else 0.0,
        effect["training"] if p.agency[0].education_gain > 0 else 0.0,
        effect["technology"],
    ]
    return float(sum(parts) / 4)


def net_gain(state: State, p: Any, district: float) -> float:
    """What a firm expects membership to bring it, less its contribution; share of its value added."""
    a, agency, policy = p.agency[0], state.agency[0], state.policy[0]
    public = min(policy.match * a.contribution, policy.match_budget / district) if district > 0 else 0.0
    first, promised = 0.0, 0.0
    if public > 0:
        first = agency.credibility * public / (public + a.threshold)
        money = a.contribution + public
        promised = agency.credibility * money / (money + a.half) * (money / 4) / (money / 4 + a.project_half)
    chance = 1.0 if agency.participation > 0 else first
    good = a.gain * (1 - a.spillover) * max(seen(state, p), promised)
    return float(chance * (good - a.contribution))


def chance_to_pledge(state: State, p: Any, i: int, net: float) -> float:
    """Probability that firm i offers to contribute, from what its partners offered last quarter."""
    a, agency, firm = p.agency[0], state.agency[0], state.firms[i]
    ties = links(state, i)
    trusted = sum(trust for _, _, trust in ties)
    seen = sum(trust * state.firms[j].pledges for _, j, trust in ties) / trusted if trusted > 0 else 0.0
    odds = (
        a.response_action * (conduct(firm, "collective_action") - 0.5)
        + a.response_identity * (firm.identity - 0.5)
        + a.response_partners * (seen - 0.5)
        + a.response_capability * agency.capability
        + a.response_match * agency.credibility
        + a.response_net * net
        + (a.loyalty if firm.pledges else 0.0)
    )
    chance = 1 / (1 + math.exp(-odds))
    if is_foreign(state, i):
        return chance * float(a.affiliates)
    leads = any(state.firms[j].owner == i for j in living(state))
    if leads or firm.owner >= 0 or firm.captor >= 0:
        return chance * float(a.leaders)
    return chance


def _offers(state: State, p: Any, i: int, net: float) -> float:
    """1 if firm i is a member after this quarter's review, which may not come."""
    a = p.agency[0]
    if a.contribution == 0:
        return 0.0
    luck = uniform(seed_of(state), int(Stream.PARTICIPATION), now(state), key(state, i))
    if luck >= a.review:
        return float(state.firms[i].pledges)
    return float(luck < a.review * chance_to_pledge(state, p, i, net))


def run_agency(state: State, p: Any) -> None:
    a, agency, policy = p.agency[0], state.agency[0], state.policy[0]
    firms = living(state)
    value = {i: max(0.0, float(state.firms[i].value_added)) for i in firms}
    district = sum(value.values())
    net = net_gain(state, p, district)
    offers = {i: _offers(state, p, i, net) for i in firms}
    gifts = {i: a.contribution * offers[i] * value[i] for i in firms}
    pledged = sum(gifts.values())
    old = sum(gifts[i] for i in firms if state.firms[i].technology < state.world[0].newest)
    match = min(policy.match_budget, policy.match * pledged)
    enough = pledged > 0 and pledged + match >= a.threshold * district
    for i in range(int(state.clock.rows[0])):
        state.firms[i].pledges = offers.get(i, 0.0)
        state.firms[i].participates = offers.get(i, 0.0) if enough else 0.0
        state.firms[i].contribution = gifts.get(i, 0.0) if enough else 0.0
    for i in firms:
        state.firms[i].served = 1.0 if state.firms[i].participates else a.spillover
    agency.participation = agency.incumbents = agency.contributed = agency.matched = 0.0
    if enough:
        agency.participation = sum(offers.values()) / len(firms)
        agency.incumbents = old / pledged
        for i in firms:
            state.firms[i].cash -= gifts[i]
        pay(state, FIRMS, AGENCY, pledged)
        pay(state, PUBLIC, AGENCY, match)
        agency.fund += pledged + match
        agency.contributed, agency.matched = pledged, match
    _run_projects(state, p, firms, district)


def _run_projects(state: State, p: Any, firms: list[int], district: float) -> None:
    a, s, agency, policy = p.agency[0], strategy(state, p), state.agency[0], state.policy[0]
    share = agency.fund / district if district > 0 else 0.0
    spent = 0.0
    if share >= a.threshold:
        agency.capability += a.learning * (share / (share + a.half) - agency.capability)
        spent = float(agency.fund)
        pay(state, AGENCY, WORLD, spent)
        agency.fund = 0.0
    else:
        agency.capability *= 1 - a.decay
    for number, project in enumerate(PROJECTS):
        money, able = spent * getattr(s, f"project_{project}"), agency.capability
        if project == "pipelines":
            money, able = money + policy.platform, max(0.3, able)
        part = money / district if district > 0 else 0.0
        agency.effect[number] = able * part / (part + a.project_half)
    effect = dict(zip(PROJECTS, agency.effect, strict=True))
    agency.brand += a.brand_speed * (effect["brand"] * agency.participation - agency.brand)
    if s.project_pipelines == 0 and policy.platform == 0:
        agency.pipelines[:] = 0.0
    else:
        agency.pipelines[:] += p.ties[0].pipeline_growth * (effect["pipelines"] - agency.pipelines)
    for i in firms:
        firm = state.firms[i]
        firm.education += a.education_gain * effect["training"] * firm.served * (1 - firm.education)
