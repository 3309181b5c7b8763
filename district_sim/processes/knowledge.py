"""Knowledge: absorptive capacity, socialisation, externalisation, combination, internalisation, loss.

The performance-critical kernel. All firms learn at once from the state at the beginning of the process, so the order
of firms does not matter and threads may share the work. What partners see of each other is packed first
(`scratch.shown`, `scratch.lesson.codified`); arithmetic on it is in single precision.
"""

import numpy as np

from district_sim.compiled import kernel, parallel_kernel, prange, vector_kernel
from district_sim.processes.relations import strongest_pipeline
from district_sim.single import exp_of_negative, prefetch, single
from district_sim.state import BATCH, BLOCKS, TECHNOLOGY

_GAP, _LENGTHS, _KM, _WEIGHT, _SCALE = range(5)  # rows of scratch.batch
_ALONE = 8192  # with fewer firms one thread is soon done, and need not wait for another on a busy machine


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
def cognitive_distance(own, other):
    """|T_i - T_j| / (|T_i| + |T_j|) of two firms' tacit knowledge, shape (D,), in [0, 1]; 0 if both know nothing."""
    difference, mine, theirs = 0.0, 0.0, 0.0
    for d in range(own.size):
        gap = own[d] - other[d]
        difference += gap * gap
        mine += own[d] * own[d]
        theirs += other[d] * other[d]
    total = np.sqrt(mine) + np.sqrt(theirs)
    return np.sqrt(difference) / total if total > 0.0 else 0.0


@kernel
def trust_weight(trust, k):
    """Weight of a tie in tacit exchange: 0 up to the threshold, 1 at full trust."""
    return max(0.0, trust - k.trust_threshold) / (1.0 - k.trust_threshold)


@vector_kernel
def _show(first, beyond, firms, pipelines, shown, lessons):
    """Pack what partners see of firms first..beyond-1."""
    for i in range(first, beyond):
        firm, face, lesson = firms[i], shown[i], lessons[i]
        square = single(0.0)
        for d in range(firm.tacit.size):
            face.tacit[d] = firm.tacit[d]
            lesson.codified[d] = firm.codified[d]
            square += firm.tacit[d] * firm.tacit[d]
        face.length, face.pipeline = np.sqrt(square), strongest_pipeline(i, pipelines)
        face.x, face.y, face.it, face.absorptive = firm.x, firm.y, firm.it, firm.absorptive


@vector_kernel
def _compare(first, beyond, shown, ties, k, interaction, batch):
    """Firms first..beyond-1 and their partners, tie by tie into `batch`: squared gap of knowledge, sum of its lengths,
    squared distance in km, trusted meetings at no distance, what the learner can bridge."""
    threshold = single(k.trust_threshold)
    per_trust = single(interaction) / (single(1.0) - threshold)
    it_tacit, scale, more = single(k.it_tacit), single(k.distance_scale), single(k.distance_absorptive)
    t = 0
    for i in range(first, beyond):
        me, partner, trust = shown[i], ties[i].partner, ties[i].trust
        bridge = single(1.0) / (scale + more * me.absorptive)
        for m in range(partner.size):
            if partner[m] < 0:
                continue
            other = shown[np.uint32(partner[m])]
            square = single(0.0)
            for d in range(me.tacit.size):
                gap = other.tacit[d] - me.tacit[d]
                square += gap * gap
            east, north = other.x - me.x, other.y - me.y
            batch[_GAP, t] = square
            batch[_LENGTHS, t] = other.length + me.length
            batch[_KM, t] = east * east + north * north
            trusted = max(single(0.0), trust[m] - threshold)
            batch[_WEIGHT, t] = trusted * per_trust * (single(1.0) + it_tacit * me.it * other.it)
            batch[_SCALE, t] = bridge
            t += 1
    return t


@vector_kernel
def _understand(count, meeting_distance, batch):
    """The two exponentials of each tie: meetings fade with distance, understanding with cognitive distance.

    Into the batch: meetings (weight) and understood meetings (gap). All ties of many firms in one loop, so that it
    becomes vector instructions. Understanding with the gap that grows with cognitive distance gives the inverted U of
    Nooteboom et al. 2007 (doi 10.1016/j.respol.2007.04.006).
    """
    gap, lengths, km = batch[_GAP], batch[_LENGTHS], batch[_KM]
    weight, scale = batch[_WEIGHT], batch[_SCALE]
    per_km = single(1.0 / meeting_distance)
    for t in range(count):
        meeting = weight[t] * exp_of_negative(-np.sqrt(km[t]) * per_km)
        distance = np.sqrt(gap[t]) / max(lengths[t], single(1e-30)) * scale[t]
        weight[t] = meeting
        gap[t] = meeting * exp_of_negative(-distance * distance)


@vector_kernel
def _learn_from_partners(first, beyond, shown, ties, k, lesson, batch):
    """Attention is shared among the meetings; learning never carries a firm beyond its partner in a domain."""
    t = 0
    for i in range(first, beyond):
        me, partner, learned = shown[i], ties[i].partner, lesson[i].tacit
        attention, here = single(k.attention), t
        for j in partner:
            if j >= 0:
                attention += batch[_WEIGHT, here]
                here += 1
        rate = single(min(1.0, k.socialisation)) * me.absorptive / max(attention, single(1e-30))
        for d in range(learned.size):
            learned[d] = single(0.0)
        for j in partner:
            if j < 0:
                continue
            theirs, share = shown[np.uint32(j)].tacit, rate * batch[_GAP, t]
            for d in range(learned.size):
                learned[d] += share * max(single(0.0), theirs[d] - me.tacit[d])
            t += 1


@kernel
def socialise(first, beyond, shown, ties, k, interaction, lesson, batch):
    """Tacit knowledge that firms first..beyond-1 learn face to face, into `lesson.tacit`.

    Batches of firms go through three loops, each simple enough to become vector instructions; the partners of the next
    batch are fetched meanwhile.

    Args:
        shown: (N,) records of `scratch.shown`.
        ties: (N,) records of `State.ties`.
        k: the record `Parameters.knowledge[0]`. interaction: meetings per quarter of close neighbours, >= 0.
        lesson: (N,) records of `scratch.lesson`; its field `tacit` is written.
        batch: one block of `scratch.batch`.
    """
    for low in range(first, beyond, BATCH):
        high = min(low + BATCH, beyond)
        for i in range(high, min(high + BATCH, beyond)):
            for j in ties[i].partner:
                if j >= 0:
                    prefetch(shown, np.uint32(j))
        count = _compare(low, high, shown, ties, k, interaction, batch)
        _understand(count, k.meeting_distance, batch)
        _learn_from_partners(low, high, shown, ties, k, lesson, batch)


@vector_kernel
def _take_in(codified, own, other, rate):
    """Add to `codified` (D,) what is learned at a rate from another's codified knowledge; returns the sum."""
    learned = single(0.0)
    for d in range(own.size):
        gain = rate * max(single(0.0), other[d] - own[d])
        codified[d] += gain
        learned += gain
    return learned


@kernel
def _combine(firm, before, tie, pipeline, agency, abroad, k, interaction, shown, lesson):
    """Add to a firm's codified knowledge what it takes in; returns inflow (own, collective, local).

    firm, tie, pipeline, agency: records. before: (D,) what the firm knew. abroad: (K, D) what outside nodes know.
    """
    partner, trust, node, strength = tie.partner, tie.trust, pipeline.node, pipeline.strength
    sources, collective = 0, firm.participates * agency.pipelines.sum()
    for j in partner:
        sources += j >= 0
    for n in node:
        sources += n >= 0
    if sources + collective == 0.0:
        return 0.0, 0.0, 0.0
    scale = min(1.0, k.combination) * firm.absorptive / (sources + collective)
    alone = interaction * (1.0 + k.it_codified * firm.it)
    own, shared, local = 0.0, 0.0, 0.0
    for m in range(partner.size):
        j = partner[m]
        if j >= 0:
            passed = k.gatekeeping if shown[j].pipeline > 0.0 else 1.0
            together = trust[m] * interaction * (1.0 + k.it_codified * firm.it * shown[j].it)
            local += _take_in(firm.codified, before, lesson[j].codified, single(scale * passed * min(1.0, together)))
    for g in range(node.size):
        if node[g] >= 0:
            own += _take_in(firm.codified, before, abroad[node[g]], single(scale * min(1.0, strength[g] * alone)))
    if collective > 0.0:
        for n in range(agency.pipelines.size):
            rate = single(scale * firm.participates * agency.pipelines[n] * min(1.0, alone))
            shared += _take_in(firm.codified, before, abroad[n], rate)
    return own, shared, local


@kernel
def _convert(firm, shown, lesson, technology, frontier, use, k):
    """Loss, externalisation, internalisation, learning by doing; tacit knowledge learned from partners is added."""
    out_rate = min(1.0, k.externalisation * (1.0 + firm.collaboration + min(1.0, technology)))
    in_rate = min(1.0, k.internalisation * firm.absorptive * firm.experience)
    trajectory, phase = firm.trajectory, firm.phase
    for d in range(firm.tacit.size):
        tacit, codified = np.float64(shown.tacit[d]), np.float64(lesson.codified[d])
        doing = k.learning_by_doing * use[trajectory, phase, d] * max(0.0, 1.0 - tacit / frontier[d])
        gain = in_rate * max(0.0, codified - tacit) + doing + lesson.tacit[d]
        firm.tacit[d] = tacit * (1.0 - k.tacit_decay) + gain
        firm.codified[d] = codified * (1.0 - k.codified_decay) + out_rate * max(0.0, tacit - codified)


@kernel
def _learn(first, beyond, firms, ties, pipelines, agency, policy, world, shown, lessons, batch, knowledge, derived):
    """One quarter of firms first..beyond-1, from what all firms show."""
    k, frontier, abroad = knowledge[0], world[0].frontier, world[0].node_codified
    relevance, use = derived.relevance, derived.use
    interaction = k.interaction * policy[0].brokers
    socialise(first, beyond, shown, ties, k, interaction, lessons, batch)
    for i in range(first, beyond):
        firm, lesson = firms[i], lessons[i]
        if not firm.alive:
            continue
        known, learned = 0.0, 0.0
        for d in range(firm.tacit.size):
            known += relevance[firm.trajectory, firm.phase, d] * firm.tacit[d]
            learned += lesson.tacit[d]
        firm.experience += k.experience_gain * (1.0 - firm.experience)
        technology = policy[0].technology + firm.participates * agency[0].effect[TECHNOLOGY]
        _convert(firm, shown[i], lesson, technology, frontier, use, k)
        inflow, collective, local = _combine(
            firm, lesson.codified, ties[i], pipelines[i], agency[0], abroad, k, interaction, shown, lessons
        )
        firm.inflow, firm.inflow_collective, firm.inflow_local = inflow, collective, local + learned
        firm.absorptive = absorptive_capacity(firm.education, firm.experience, firm.research, known, k)


@parallel_kernel
def update_knowledge(firms, ties, pipelines, agency, policy, world, clock, scratch, knowledge, derived):
    """One quarter of learning and forgetting for every living firm.

    Writes `firms.tacit`, `firms.codified`, `firms.absorptive`, `firms.experience` and the three inflows. Synchronous:
    every firm learns from what the others knew at the start. Learning from a partner never carries a firm beyond that
    partner in a domain; learning by doing never beyond the frontier.

    Args:
        knowledge: `Parameters.knowledge`. derived: `Parameters.derived`. The others: parts of `State`.
    """
    rows, shown, lessons = clock.rows[0], scratch.shown, scratch.lesson
    if rows < _ALONE:
        _show(0, rows, firms, pipelines, shown, lessons)
        batch = scratch.batch[0]
        _learn(0, rows, firms, ties, pipelines, agency, policy, world, shown, lessons, batch, knowledge, derived)
    else:
        for b in prange(BLOCKS):
            _show(b * rows // BLOCKS, (b + 1) * rows // BLOCKS, firms, pipelines, shown, lessons)
        for b in prange(BLOCKS):
            first, beyond, batch = b * rows // BLOCKS, (b + 1) * rows // BLOCKS, scratch.batch[b]
            _learn(
                first, beyond, firms, ties, pipelines, agency, policy, world, shown, lessons, batch, knowledge, derived
            )
