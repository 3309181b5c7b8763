"""Knowledge: absorptive capacity, socialisation, externalisation, combination, internalisation, loss.

The performance-critical kernel. All firms learn at once from the state at the beginning of the process, so the order
of firms does not matter and threads may share the work.
"""

import numpy as np

from district_sim.compiled import kernel, parallel_kernel, prange
from district_sim.processes.relations import distance_km
from district_sim.state import TECHNOLOGY


@kernel
def absorptive_capacity(education, experience, research, own_knowledge, k):
    """Absorptive capacity in [0, 1]: saturating in education, experience, R&D and own knowledge.

    Source: Cohen & Levinthal 1990 (doi 10.2307/2393553); Stiglitz 1987 on learning to learn. With all weights at zero
    (mechanism switched off) every firm has 0.5.
    """
    weight = (
        k.absorptive_education * education
        + k.absorptive_experience * experience
        + k.absorptive_research * research / (1.0 + research)
        + k.absorptive_knowledge * own_knowledge / (1.0 + own_knowledge)
    )
    if k.absorptive_education + k.absorptive_experience + k.absorptive_research + k.absorptive_knowledge == 0.0:
        return 0.5
    return 1.0 - np.exp(-weight)


@kernel
def cognitive_distance(tacit, i, j):
    """|T_i - T_j| / (|T_i| + |T_j|), in [0, 1]; 0 if both know nothing."""
    difference, own, other = 0.0, 0.0, 0.0
    for d in range(tacit.shape[1]):
        gap = tacit[i, d] - tacit[j, d]
        difference += gap * gap
        own += tacit[i, d] * tacit[i, d]
        other += tacit[j, d] * tacit[j, d]
    total = np.sqrt(own) + np.sqrt(other)
    return np.sqrt(difference) / total if total > 0.0 else 0.0


@kernel
def understanding(distance, absorptive, k):
    """Share of what a partner shows that is understood: falls with cognitive distance, less so for able learners.

    With the gap that grows with distance this gives the inverted U of Nooteboom et al. 2007
    (doi 10.1016/j.respol.2007.04.006).
    """
    scale = k.distance_scale + k.distance_absorptive * absorptive
    return np.exp(-((distance / scale) ** 2))


@kernel
def trust_weight(trust, k):
    """Weight of a tie in tacit exchange: 0 up to the threshold, 1 at full trust."""
    return max(0.0, trust - k.trust_threshold) / (1.0 - k.trust_threshold)


@kernel
def _socialise(i, firms, ties, k, interaction, gained):
    """Add to `gained` (D,) the tacit knowledge that firm i learns face to face; never beyond the sender."""
    attention = k.attention
    for m in range(ties.partner.shape[1]):
        j = ties.partner[i, m]
        if j >= 0:
            attention += _meeting(i, j, m, firms, ties, k, interaction)
    for m in range(ties.partner.shape[1]):
        j = ties.partner[i, m]
        if j < 0:
            continue
        meeting = _meeting(i, j, m, firms, ties, k, interaction)
        if meeting <= 0.0:
            continue
        understood = understanding(cognitive_distance(firms.tacit, i, j), firms.absorptive[i], k)
        rate = min(1.0, k.socialisation) * firms.absorptive[i] * understood * meeting / attention
        for d in range(firms.tacit.shape[1]):
            gained[d] += rate * max(0.0, firms.tacit[j, d] - firms.tacit[i, d])


@kernel
def _meeting(i, j, m, firms, ties, k, interaction):
    """Trusted meetings on one tie: trust weight times meeting rate, amplified (weakly) by IT on both sides."""
    weight = trust_weight(ties.trust[i, m], k)
    if weight <= 0.0:
        return 0.0
    meeting = interaction * np.exp(-distance_km(firms, i, j) / k.meeting_distance)
    return weight * meeting * (1.0 + k.it_tacit * firms.it[i] * firms.it[j])


@kernel
def _combine(i, firms, ties, pipelines, agency, world, k, interaction, gained):
    """Add to `gained` (D,) the codified knowledge that firm i takes in; returns inflow (own, collective, local)."""
    domains = firms.codified.shape[1]
    sources = 0
    for m in range(ties.partner.shape[1]):
        sources += ties.partner[i, m] >= 0
    for g in range(pipelines.node.shape[1]):
        sources += pipelines.node[i, g] >= 0
    collective = 0.0
    for n in range(agency.pipelines.shape[1]):
        collective += firms.participates[i] * agency.pipelines[0, n]
    if sources + collective == 0.0:
        return 0.0, 0.0, 0.0
    scale = min(1.0, k.combination) * firms.absorptive[i] / (sources + collective)
    own, shared, local = 0.0, 0.0, 0.0
    for m in range(ties.partner.shape[1]):
        j = ties.partner[i, m]
        if j >= 0:
            passed = k.gatekeeping if pipelines.strength[j].max() > 0.0 else 1.0
            amplified = ties.trust[i, m] * interaction * (1.0 + k.it_codified * firms.it[i] * firms.it[j])
            rate = scale * passed * min(1.0, amplified)
            for d in range(domains):
                gain = rate * max(0.0, firms.codified[j, d] - firms.codified[i, d])
                gained[d] += gain
                local += gain
    for g in range(pipelines.node.shape[1]):
        n = pipelines.node[i, g]
        if n >= 0:
            rate = scale * min(1.0, pipelines.strength[i, g] * interaction * (1.0 + k.it_codified * firms.it[i]))
            for d in range(domains):
                gain = rate * max(0.0, world.node_codified[0, n, d] - firms.codified[i, d])
                gained[d] += gain
                own += gain
    for n in range(agency.pipelines.shape[1]):
        strength = firms.participates[i] * agency.pipelines[0, n]
        if strength > 0.0:
            rate = scale * strength * min(1.0, interaction * (1.0 + k.it_codified * firms.it[i]))
            for d in range(domains):
                gain = rate * max(0.0, world.node_codified[0, n, d] - firms.codified[i, d])
                gained[d] += gain
                shared += gain
    return own, shared, local


@kernel
def _learn(i, firms, ties, pipelines, agency, policy, world, scratch, knowledge, derived):
    """One firm's quarter; its new knowledge goes to `scratch`, so that the others still see the old."""
    k = knowledge[0]
    domains = firms.tacit.shape[1]
    interaction = k.interaction * policy.brokers[0]
    use = derived.use[firms.trajectory[i], firms.phase[i]]
    relevance = derived.relevance[firms.trajectory[i], firms.phase[i]]
    own = 0.0
    for d in range(domains):
        own += relevance[d] * firms.tacit[i, d]
    firms.experience[i] += k.experience_gain * (1.0 - firms.experience[i])
    tacit, codified = scratch.tacit[i], scratch.codified[i]
    tacit[:] = 0.0
    codified[:] = 0.0
    _socialise(i, firms, ties, k, interaction, tacit)
    inflow, shared, local = _combine(i, firms, ties, pipelines, agency, world, k, interaction, codified)
    for d in range(domains):
        local += tacit[d]
    firms.inflow[i], firms.inflow_collective[i], firms.inflow_local[i] = inflow, shared, local
    technology = min(1.0, policy.technology[0] + firms.participates[i] * agency.effect[0, TECHNOLOGY])
    out_rate = min(1.0, k.externalisation * (1.0 + firms.collaboration[i] + technology))
    in_rate = min(1.0, k.internalisation * firms.absorptive[i] * firms.experience[i])
    for d in range(domains):
        old_t, old_x = firms.tacit[i, d], firms.codified[i, d]
        doing = k.learning_by_doing * use[d] * max(0.0, 1.0 - old_t / world.frontier[0, d])
        tacit[d] += old_t * (1.0 - k.tacit_decay) + in_rate * max(0.0, old_x - old_t) + doing
        codified[d] += old_x * (1.0 - k.codified_decay) + out_rate * max(0.0, old_t - old_x)
    scratch.value[i] = absorptive_capacity(firms.education[i], firms.experience[i], firms.research[i], own, k)


@parallel_kernel
def update_knowledge(firms, ties, pipelines, agency, policy, world, clock, scratch, knowledge, derived):
    """One quarter of learning and forgetting for every living firm.

    Writes `firms.tacit`, `firms.codified`, `firms.absorptive`, `firms.experience` and the three inflows. Synchronous:
    every firm learns from what the others knew at the start. Learning from a partner never carries a firm beyond that
    partner in a domain; learning by doing never beyond the frontier.

    Args:
        knowledge: `Parameters.knowledge`. derived: `Parameters.derived`. The others: parts of `State`.
    """
    rows = clock.rows[0]
    for i in prange(rows):
        if firms.alive[i]:
            _learn(i, firms, ties, pipelines, agency, policy, world, scratch, knowledge, derived)
    for i in prange(rows):
        if firms.alive[i]:
            firms.absorptive[i] = scratch.value[i]
            for d in range(firms.tacit.shape[1]):
                firms.tacit[i, d] = scratch.tacit[i, d]
                firms.codified[i, d] = scratch.codified[i, d]
