"""Innovation: research, quality, incremental and radical innovation, path dependency."""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, draw_all, happens, uniform
from district_sim.model.processes.knowledge import trust_weight
from district_sim.model.processes.relations import fetch_ahead, strongest_pipeline
from district_sim.model.state import ADOPTIONS, EXPLORING, INCREMENTS, RADICAL, TECHNOLOGY

_INNOVATION = int(Stream.INNOVATION)
_SWITCHING = int(Stream.SWITCHING)


@kernel
def increments_factor(increments, innovation):
    """Quality factor after a number of incremental innovations on one technology: 1 + g (1 + r + r^2 + ...).

    Each increment adds `increment_fading` times what the one before added (Gordon 2012).
    """
    return 1.0 + innovation.increment_gain * (1.0 - innovation.increment_fading**increments) / (
        1.0 - innovation.increment_fading
    )


@kernel
def expected_quality(firm, technology, increments, tech, innovation, relevance):
    """Quality of a firm's work on a technology: ceiling x saturating knowledge x increments so far."""
    known = 0.0
    for d in range(firm.tacit.size):
        known += relevance[technology, firm.phase, d] * (firm.tacit[d] + tech.codified_weight * firm.codified[d])
    ceiling = (1.0 + tech.quality_jump) ** technology
    return ceiling * (1.0 - np.exp(-known / tech.knowledge_scale)) * increments_factor(increments, innovation)


@kernel
def offered_by(agency):
    """What the agency offers to whom it serves: links to distant knowledge, and transfer of technology."""
    return agency[0].pipelines.mean() + agency[0].effect[TECHNOLOGY]


@kernel
def access_to_networks(i, firms, ties, pipelines, strongest, offered, policy, innovation):
    """Access to distant knowledge in [0, 1]: own pipelines, the agency's, partners' pipelines, public transfer.

    strongest: (N,) strength of every firm's strongest pipeline. offered: see `offered_by`.
    Source: Asheim 1996: radical innovation needs distant knowledge and access to networks; Bathelt et al. 2004.
    """
    links = innovation.access_transfer * policy[0].technology
    for g in range(pipelines[i].node.size):
        links += innovation.access_pipeline * pipelines[i].strength[g]
    links += firms[i].served * offered
    for m in range(ties[i].partner.size):
        j = ties[i].partner[m]
        if j >= 0:
            links += innovation.access_partners * ties[i].trust[m] * strongest[j]
    return 1.0 - (1.0 - innovation.access_own) * np.exp(-links)


@kernel
def realised(lessons, innovation):
    """Share in [0, 1] of its access to distant knowledge that a firm realises, by what it learns from partners.

    Science and interaction complement each other (Jensen et al. 2007): laboratories teach those who learn together.
    """
    return innovation.access_alone + (1.0 - innovation.access_alone) * lessons / (lessons + innovation.lessons_half)


@kernel
def exploring_share(firm):
    """Share of its R&D by which a firm explores: its own choice, and what grants for exploring add to it."""
    own = firm.conduct[EXPLORING]
    return own + (1.0 - own) * firm.explores_for_public


@kernel
def switching_cost(i, firms, ties, agency, innovation, knowledge):
    """Quality lead that the next technology must promise firm i: base plus the three lock-ins of Grabher 1993.

    Functional: grows with tenure. Cognitive: with the trusted partners on the same or an older technology.
    Political: with the influence of incumbents on a strong agency.
    """
    staying, trusted = 0.0, 0.0
    for m in range(ties[i].partner.size):
        j = ties[i].partner[m]
        if j >= 0:
            weight = trust_weight(ties[i].trust[m], knowledge)
            trusted += weight
            if firms[j].technology <= firms[i].technology:
                staying += weight
    functional = innovation.lockin_functional * (1.0 - np.exp(-firms[i].tenure / innovation.tenure_scale))
    cognitive = innovation.lockin_cognitive * staying / (1.0 + trusted)
    political = innovation.lockin_political * agency[0].incumbents * agency[0].participation * agency[0].capability
    return innovation.switching_base + functional + cognitive + political


@kernel
def _research(firm, exploration, frontier, use, innovation):
    """Knowledge gained by R&D: exploitation on the present technology, exploration for the next; frontier-bound."""
    tau, phase, tacit = firm.technology, firm.phase, firm.tacit
    effort = firm.research * firm.absorptive
    exploit = innovation.exploitation * effort * (1.0 - exploration)
    for d in range(tacit.size):
        tacit[d] += min(exploit * use[tau, phase, d], frontier[d]) * max(0.0, 1.0 - tacit[d] / frontier[d])
    if firm.access > 0.0:
        explore = innovation.exploration * effort * exploration * firm.access
        for d in range(tacit.size):
            tacit[d] += min(explore * use[tau + 1, phase, d], frontier[d]) * max(0.0, 1.0 - tacit[d] / frontier[d])


@kernel
def increments_expected(firm, exploration, innovation):
    """Increments to expect in a quarter: from the firm's own R&D, and from what it just learned from partners.

    Source: the two modes of Jensen, Johnson, Lorenz & Lundvall 2007 (doi 10.1016/j.respol.2007.01.006): science and
    technology; doing, using and interacting. Asheim 1996: increments are what districts are good at.
    """
    research = innovation.increment_rate * firm.research * (1.0 - exploration) * firm.absorptive
    return research + innovation.increment_interaction * firm.inflow_local


@kernel
def innovate(state, living, p, s):
    """Research, incremental innovation, switching of technology, quality of the quarter.

    A firm switches when the quality it can expect on the next ripe technology beats today's by more than its
    switching cost. While fewer than `innovation.pioneers` of the district have switched, that is a radical
    innovation; later it is an adoption.
    """
    firms, ties, pipelines, agency, policy = state.firms, state.ties, state.pipelines, state.agency, state.policy
    world, tally, clock, scratch = state.world, state.tally, state.clock, state.scratch
    innovation, tech, rows = p.innovation[0], p.technology[0], clock.rows[0]
    relevance, frontier = p.derived.relevance, world[0].frontier
    seed, t, strongest, ahead = clock.seed[0], clock.step[0], scratch.other, scratch.ahead
    ahead[:] = 0.0
    offered = offered_by(agency)
    for i in living:
        strongest[i] = strongest_pipeline(i, pipelines)
    luck = draw_all(living, _INNOVATION, clock, scratch)
    for n in range(living.size):
        i = living[n]
        firm = firms[i]
        fetch_ahead(i, rows, ties, strongest, 0)
        for tau in range(firm.technology + 1):
            ahead[tau] += 1.0
        firm.access, exploration = 0.0, exploring_share(firm)
        if firm.technology + 1 < tech.count and innovation.exploration > 0.0:
            firm.access = access_to_networks(i, firms, ties, pipelines, strongest, offered, policy, innovation)
            firm.access *= realised(firm.lessons, innovation)
        _research(firm, exploration, frontier, p.derived.use, innovation)
        firm.tenure += 1
        if happens(luck[n], increments_expected(firm, exploration, innovation)):
            firm.increments += 1
            tally[INCREMENTS] += 1
        firm.quality = expected_quality(firm, firm.technology, firm.increments, tech, innovation, relevance)
        scratch.value[i] = 0.0
        tau = firm.technology + 1
        if tau <= world[0].newest and uniform(seed, _SWITCHING, t, firm.key) < innovation.decision_rate:
            promised = expected_quality(firm, tau, 0, tech, innovation, relevance)
            if promised > firm.quality * (1.0 + switching_cost(i, firms, ties, agency, innovation, p.knowledge[0])):
                scratch.value[i] = promised
    for i in living:
        firm = firms[i]
        if scratch.value[i] > 0.0:
            firm.technology += 1
            firm.tenure, firm.increments, firm.quality = 0, 0, scratch.value[i]
            if ahead[firm.technology] < innovation.pioneers * living.size:
                tally[RADICAL] += 1
            else:
                tally[ADOPTIONS] += 1
