"""Twin of processes/innovation.py."""

import math
from typing import Any

import numpy as np

from district_sim.kernels.draws import Stream, uniform
from district_sim.model.state import ADOPTIONS, INCREMENTS, RADICAL, TECHNOLOGY, State
from naive.common import conduct, key, links, living, now, pipelines_of, seed_of, strongest_pipeline
from naive.knowledge import trust_weight


def quality_on(state: State, p: Any, i: int, technology: int, increments: int) -> float:
    """Quality that firm i's knowledge gives on a technology after so many increments."""
    firm, tech, v = state.firms[i], p.technology[0], p.innovation[0]
    known = np.dot(p.derived.relevance[technology][firm.phase], firm.tacit + tech.codified_weight * firm.codified)
    improved = 1 + sum(v.increment_gain * v.increment_fading**n for n in range(increments))
    return float((1 + tech.quality_jump) ** technology * (1 - math.exp(-known / tech.knowledge_scale)) * improved)


def access(state: State, p: Any, i: int) -> float:
    """Access of firm i to distant knowledge."""
    agency, firm = state.agency[0], state.firms[i]
    contacts = p.innovation[0].access_transfer * state.policy[0].technology
    contacts += p.innovation[0].access_pipeline * sum(strength for _, _, strength in pipelines_of(state, i))
    contacts += p.innovation[0].access_partners * sum(
        trust * strongest_pipeline(state, j) for _, j, trust in links(state, i)
    )
    contacts += firm.served * (sum(agency.pipelines) / len(agency.pipelines) + agency.effect[TECHNOLOGY])
    return float(1 - (1 - p.innovation[0].access_own) * math.exp(-contacts))


def realised(firm: Any, v: Any) -> float:
    """Share of its access that a firm realises: more with what partners have been teaching it."""
    return float(v.access_alone + (1 - v.access_alone) * firm.lessons / (firm.lessons + v.lessons_half))


def exploring(firm: Any) -> float:
    """Share of its R&D that explores; of grants for exploring, all."""
    return 1 - (1 - conduct(firm, "exploration")) * (1 - float(firm.explores_for_public))


def lock_in(state: State, p: Any, i: int) -> float:
    """Quality lead that the next technology must promise."""
    v, firm, agency = p.innovation[0], state.firms[i], state.agency[0]
    weight = {j: trust_weight(trust, p.knowledge[0]) for _, j, trust in links(state, i)}
    staying = sum(w for j, w in weight.items() if state.firms[j].technology <= firm.technology)
    functional = v.lockin_functional * (1 - math.exp(-firm.tenure / v.tenure_scale))
    cognitive = v.lockin_cognitive * staying / (1 + sum(weight.values()))
    political = v.lockin_political * agency.incumbents * agency.participation * agency.capability
    return float(v.switching_base + functional + cognitive + political)


def innovate(state: State, p: Any) -> None:
    v, tech = p.innovation[0], p.technology[0]
    firms = living(state)
    already = {tau: sum(state.firms[i].technology >= tau for i in firms) for tau in range(tech.count)}
    switching = []
    for i in firms:
        firm = state.firms[i]
        _research(state, p, i)
        firm.tenure += 1
        drive = v.increment_rate * firm.research * (1 - exploring(firm)) * firm.absorptive
        drive += v.increment_interaction * firm.inflow_local
        if uniform(seed_of(state), int(Stream.INNOVATION), now(state), key(state, i)) < 1 - math.exp(-drive):
            firm.increments += 1
            state.tally[INCREMENTS] += 1
        nxt = int(firm.technology) + 1
        if nxt > state.world[0].newest:
            continue
        if uniform(seed_of(state), int(Stream.SWITCHING), now(state), key(state, i)) >= v.decision_rate:
            continue
        today = quality_on(state, p, i, int(firm.technology), int(firm.increments))
        if quality_on(state, p, i, nxt, 0) > today * (1 + lock_in(state, p, i)):
            switching.append(i)
    for i in switching:
        firm = state.firms[i]
        firm.technology += 1
        firm.tenure = firm.increments = 0
        pioneer = already[int(firm.technology)] < v.pioneers * len(firms)
        state.tally[RADICAL if pioneer else ADOPTIONS] += 1
    for i in firms:
        firm = state.firms[i]
        firm.quality = quality_on(state, p, i, int(firm.technology), int(firm.increments))


def _research(state: State, p: Any, i: int) -> None:
    """Exploitation first, then exploration of the next technology; both bound by the frontier."""
    v, firm = p.innovation[0], state.firms[i]
    frontier, effort = state.world[0].frontier, firm.research * firm.absorptive
    tau = int(firm.technology)
    use = p.derived.use[tau][firm.phase]
    gained = np.minimum(v.exploitation * effort * (1 - exploring(firm)) * use, frontier)
    firm.tacit[:] += gained * np.maximum(0, 1 - firm.tacit / frontier)
    firm.access = 0.0
    if tau + 1 < p.technology[0].count and v.exploration > 0:
        firm.access = access(state, p, i) * realised(firm, v)
        use = p.derived.use[tau + 1][firm.phase]
        reach = v.exploration * effort * exploring(firm) * firm.access
        firm.tacit[:] += np.minimum(reach * use, frontier) * np.maximum(0, 1 - firm.tacit / frontier)
