"""Innovation: research, quality, incremental and radical innovation, path dependency."""

import numpy as np

from district_sim.compiled import kernel
from district_sim.processes.knowledge import trust_weight
from district_sim.processes.relations import strongest_pipeline
from district_sim.random import Stream, uniform
from district_sim.state import ADOPTIONS, INCREMENTS, RADICAL, TECHNOLOGY

_INNOVATION = int(Stream.INNOVATION)
_SWITCHING = int(Stream.SWITCHING)


@kernel
def increments_factor(increments, v):
    """Quality factor after a number of incremental innovations on one trajectory: 1 + g (1 + r + r^2 + ...).

    Each increment adds `increment_fading` times what the one before added (Gordon 2012).
    """
    return 1.0 + v.increment_gain * (1.0 - v.increment_fading**increments) / (1.0 - v.increment_fading)


@kernel
def expected_quality(i, trajectory, increments, firms, p):
    """Quality of firm i's work on a trajectory: ceiling x saturating knowledge x increments so far."""
    tech = p.technology[0]
    relevance = p.derived.relevance[trajectory, firms.phase[i]]
    known = 0.0
    firm = firms[i]
    for d in range(firm.tacit.size):
        known += relevance[d] * (firm.tacit[d] + tech.codified_weight * firm.codified[d])
    ceiling = (1.0 + tech.quality_jump) ** trajectory
    return ceiling * (1.0 - np.exp(-known / tech.knowledge_scale)) * increments_factor(increments, p.innovation[0])


@kernel
def access_to_networks(i, firms, ties, pipelines, agency, policy, v):
    """Access to distant knowledge in [0, 1]: own pipelines, the agency's, partners' pipelines, public transfer.

    Source: Asheim 1996: radical innovation needs distant knowledge and access to networks; Bathelt et al. 2004.
    """
    links = 2.0 * policy.technology[0]
    for g in range(pipelines.node.shape[1]):
        links += 0.7 * pipelines.strength[i, g]
    if firms.participates[i] > 0.0:
        links += agency.pipelines.mean() + agency.effect[0, TECHNOLOGY]
    for m in range(ties.partner.shape[1]):
        j = ties.partner[i, m]
        if j >= 0:
            links += 0.2 * ties.trust[i, m] * strongest_pipeline(j, pipelines)
    return 1.0 - (1.0 - v.access_own) * np.exp(-links)


@kernel
def switching_cost(i, firms, ties, agency, p):
    """Quality lead that the next trajectory must promise firm i: base plus the three lock-ins of Grabher 1993.

    Functional: grows with tenure. Cognitive: with the trusted partners on the same or an older trajectory.
    Political: with the influence of incumbents on a strong agency.
    """
    v = p.innovation[0]
    staying, trusted = 0.0, 0.0
    for m in range(ties.partner.shape[1]):
        j = ties.partner[i, m]
        if j >= 0:
            weight = trust_weight(ties.trust[i, m], p.knowledge[0])
            trusted += weight
            if firms.trajectory[j] <= firms.trajectory[i]:
                staying += weight
    functional = v.lockin_functional * (1.0 - np.exp(-firms.tenure[i] / v.tenure_scale))
    cognitive = v.lockin_cognitive * staying / (1.0 + trusted)
    political = v.lockin_political * agency.incumbents[0] * agency.participation[0] * agency.capability[0]
    return v.switching_base + functional + cognitive + political


@kernel
def _research(i, firms, ties, pipelines, agency, policy, world, p, s):
    """Knowledge gained by R&D: exploitation on the present trajectory, exploration for the next; frontier-bound."""
    v, tech = p.innovation[0], p.technology[0]
    tau, phase = firms.trajectory[i], firms.phase[i]
    effort = firms.research[i] * firms.absorptive[i]
    exploit = v.exploitation * effort * (1.0 - s.exploration)
    tacit = firms[i].tacit
    for d in range(tacit.size):
        room = max(0.0, 1.0 - tacit[d] / world.frontier[0, d])
        tacit[d] += exploit * p.derived.use[tau, phase, d] * room
    if tau + 1 >= tech.trajectories or v.exploration == 0.0:
        return
    access = access_to_networks(i, firms, ties, pipelines, agency, policy, v)
    explore = v.exploration * effort * s.exploration * access
    for d in range(tacit.size):
        room = max(0.0, 1.0 - tacit[d] / world.frontier[0, d])
        tacit[d] += explore * p.derived.use[tau + 1, phase, d] * room


@kernel
def innovate(firms, ties, pipelines, agency, policy, world, tally, clock, scratch, p, s):
    """Research, incremental innovation, switching of trajectory, quality of the quarter.

    A firm switches when the quality it can expect on the next ripe trajectory beats today's by more than its
    switching cost. While fewer than `innovation.pioneers` of the district have switched, that is a radical
    innovation; later it is an adoption.
    """
    v, n = p.innovation[0], clock.rows[0]
    seed, t = clock.seed[0], clock.step[0]
    alive, ahead = 0, scratch.counts
    ahead[:] = 0.0
    scratch.value[:n] = 0.0
    for i in range(n):
        if not firms.alive[i]:
            continue
        alive += 1
        for tau in range(firms.trajectory[i] + 1):
            ahead[tau] += 1.0
        _research(i, firms, ties, pipelines, agency, policy, world, p, s)
        firms.tenure[i] += 1
        exploiting = firms.research[i] * (1.0 - s.exploration) * firms.absorptive[i]
        luck = uniform(seed, _INNOVATION, t, firms.key[i])
        if luck < 1.0 - np.exp(-v.increment_rate * exploiting):
            firms.increments[i] += 1
            tally[INCREMENTS] += 1
        tau = firms.trajectory[i] + 1
        if tau <= world.newest[0] and uniform(seed, _SWITCHING, t, firms.key[i]) < v.decision_rate:
            today = expected_quality(i, firms.trajectory[i], firms.increments[i], firms, p)
            promised = expected_quality(i, tau, 0, firms, p)
            if promised > today * (1.0 + switching_cost(i, firms, ties, agency, p)):
                scratch.value[i] = 1.0
    for i in range(n):
        if not firms.alive[i]:
            continue
        if scratch.value[i] > 0.0:
            firms.trajectory[i] += 1
            firms.tenure[i] = 0
            firms.increments[i] = 0
            if ahead[firms.trajectory[i]] < v.pioneers * alive:
                tally[RADICAL] += 1
            else:
                tally[ADOPTIONS] += 1
        firms.quality[i] = expected_quality(i, firms.trajectory[i], firms.increments[i], firms, p)
