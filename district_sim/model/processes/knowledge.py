"""Knowledge: absorptive capacity, socialisation, externalisation, combination, internalisation, loss.

The performance-critical kernel. All firms learn at once from the state at the beginning of the process, so the order
of firms does not matter and threads may share the work. What partners see of each other is packed first
(`scratch.shown`, `scratch.told`); arithmetic on it is in single precision.
"""

import numpy as np

from district_sim.kernels.compile import kernel, parallel_kernel, prange
from district_sim.kernels.vectors import (
    exp_of_negative,
    four,
    load,
    multiply_add,
    positive,
    prefetch,
    single,
    square_eight,
    store,
    total,
    zeros,
)
from district_sim.model.processes.relations import far_apart, fetch_ahead, fetch_partners, strongest_pipeline
from district_sim.model.scratch import ALONE, BATCH, BLOCKS, LANES
from district_sim.model.state import TECHNOLOGY

_EAST, _NORTH, _IT, _LENGTHS = range(4)  # elements of `place`; of two firms: km, km, IT's factor, bridged length
_SQUARE, _TRUST, _MEETING, _UNDERSTOOD = range(4)  # rows of `batch.number`
_HALF = np.log(2.0)
_FULL = np.uint64(LANES - 1)


@kernel
def absorbing_weights(knowledge):
    """Weights of education, experience, research and knowledge in `absorbing`, and what it always is at least.

    With all weights at zero (mechanism switched off) every firm has a capacity of 0.5.
    """
    off = (
        knowledge.absorptive_education
        + knowledge.absorptive_experience
        + knowledge.absorptive_research
        + knowledge.absorptive_knowledge
        == 0.0
    )
    return (
        single(knowledge.absorptive_education),
        single(knowledge.absorptive_experience),
        single(knowledge.absorptive_research),
        single(knowledge.absorptive_knowledge),
        single(_HALF if off else 0.0),
    )


@kernel
def absorbing(education, experience, research, own_knowledge, weights):
    """What makes for absorptive capacity, which is 1 - exp(-this): between 0 and 1, saturating.

    weights: of `absorbing_weights`, once for all firms.

    Source: Cohen & Levinthal 1990 (doi 10.2307/2393553); Stiglitz 1987 on learning to learn.
    """
    of_education, of_experience, of_research, of_knowledge, least = weights
    known, tried = single(own_knowledge), single(research)
    return (
        least
        + of_education * single(education)
        + of_experience * single(experience)
        + of_research * (tried / (single(1.0) + tried))
        + of_knowledge * (known / (single(1.0) + known))
    )


@kernel
def cognitive_distance(own, other):
    """|T_i - T_j| / (|T_i| + |T_j|) of two firms' tacit knowledge, shape (D,), in [0, 1]; 0 if both know nothing."""
    difference, mine, theirs = 0.0, 0.0, 0.0
    for d in range(own.size):
        gap = own[d] - other[d]
        difference += gap * gap
        mine += own[d] * own[d]
        theirs += other[d] * other[d]
    lengths = np.sqrt(mine) + np.sqrt(theirs)
    return np.sqrt(difference) / lengths if lengths > 0.0 else 0.0


@kernel
def trust_weight(trust, knowledge):
    """Weight of a tie in tacit exchange: 0 up to the threshold, 1 at full trust."""
    return max(0.0, trust - knowledge.trust_threshold) / (1.0 - knowledge.trust_threshold)


@kernel
def _show(living, firms, pipelines, relevance, knowledge, shown, told, capacity):
    """Pack what partners see of the living firms; what makes for absorptive capacity into `capacity`."""
    weights = absorbing_weights(knowledge)
    for n in range(living.size):
        i = living[n]
        firm, face = firms[i], shown[i]
        firm.experience += knowledge.experience_gain * (1.0 - firm.experience)
        known, tacit = 0.0, load(firm.tacit)
        for d in range(firm.tacit.size):
            known += relevance[firm.technology, firm.phase, d] * firm.tacit[d]
        store(face.tacit, tacit)
        store(told[i].codified, load(firm.codified))
        store(face.place, four(firm.x, firm.y, firm.it, np.sqrt(total(tacit * tacit))))
        face.absorptive = firm.absorptive
        capacity[n] = absorbing(firm.education, firm.experience, firm.research, known, weights)
        face.pipeline = strongest_pipeline(i, pipelines)


@kernel
def _compare(members, shown, ties, knowledge, gaps, places, number, many):
    """Some firms with their partners, tie by tie: gaps of knowledge and place, and trust; returns the number of ties.

    Unsigned numbers index an array without asking whether they count from its end.
    """
    t, scale, more = np.uint64(0), single(knowledge.distance_scale), single(knowledge.distance_absorptive)
    it_tacit, add = single(knowledge.it_tacit), four(0.0, 0.0, 1.0, 0.0)
    for n in range(np.uint64(members.size)):
        i, before = np.uint64(members[n]), t
        me, tie = shown[i], ties[i]
        tacit, place = load(me.tacit), me.place
        own = four(place[_EAST], place[_NORTH], 0.0, -place[_LENGTHS])
        factor = four(1.0, 1.0, it_tacit * place[_IT], scale + more * me.absorptive)
        for m in range(tie.partner.size):
            if tie.partner[m] < 0:
                continue
            other = shown[np.uint32(tie.partner[m])]
            gap = load(other.tacit) - tacit
            store(gaps[t].gap, gap)
            store(places[t].place, multiply_add(load(other.place) - own, factor, add))
            number[_TRUST, t] = tie.trust[m]
            t += np.uint64(1)
        many[n] = t - before
    return t


@kernel
def _understand(count, interaction, knowledge, gaps, places, number):
    """The two exponentials of each tie: meetings fade with distance, understanding with cognitive distance.

    All ties of several firms in loops that become vector instructions; over what earlier ties have left, they go on to
    a whole number of vectors rather than take the last ties one by one. A loop for root and quotient and another for
    the exponentials wait less than one for all: 5 % of socialisation. Understanding with the gap that grows with
    cognitive distance gives the inverted U of Nooteboom et al. 2007 (doi 10.1016/j.respol.2007.04.003).
    """
    square, trust, meeting, understood = number[_SQUARE], number[_TRUST], number[_MEETING], number[_UNDERSTOOD]
    threshold, per_km = single(knowledge.trust_threshold), single(1.0 / knowledge.meeting_distance)
    per_trust = single(interaction / (1.0 - knowledge.trust_threshold))
    count = (count + _FULL) & ~_FULL
    for t in range(np.uint64(0), count, np.uint64(8)):
        square_eight(gaps, t, square)
    for t in range(count):
        place = places[t].place
        km = np.sqrt(place[_EAST] * place[_EAST] + place[_NORTH] * place[_NORTH])
        trusted = max(single(0.0), trust[t] - threshold) * per_trust
        trust[t] = trusted * place[_IT]
        meeting[t] = -km * per_km
        bridged = place[_LENGTHS] * place[_LENGTHS] + single(1e-30)
        square[t] = -square[t] / bridged
    for t in range(count):
        meeting[t] = trust[t] * exp_of_negative(meeting[t])
        understood[t] = meeting[t] * exp_of_negative(square[t])


@kernel
def _share_attention(members, shown, knowledge, lesson, gaps, number, many):
    """Attention is shared among the meetings; learning never carries a firm beyond its partner in a domain."""
    t, socialisation, spared = np.uint64(0), single(min(1.0, knowledge.socialisation)), single(knowledge.attention)
    meeting, understood = number[_MEETING], number[_UNDERSTOOD]
    for n in range(np.uint64(members.size)):
        i, ties = np.uint64(members[n]), many[n]
        me = shown[i]
        attention, learned = spared, zeros(me.tacit)
        for u in range(t, t + ties):
            attention += meeting[u]
            learned = multiply_add(understood[u], positive(load(gaps[u].gap)), learned)
        t += ties
        store(lesson[i].tacit, learned * (socialisation * me.absorptive / max(attention, single(1e-30))))


@kernel
def socialise(members, first, beyond, shown, ties, knowledge, interaction, lesson, gaps, places, number, many):
    """Tacit knowledge that some firms learn face to face.

    A few firms at a time go through three steps, each of loops simple enough to become vector instructions: about 3 ns
    a tie on one thread, where one plain loop takes 15. The partners of the firms to come are fetched meanwhile.

    Args:
        members: the firms' rows, int64; from `first` to before `beyond` are computed.
        shown: (N,) records of `scratch.shown`.
        ties: (N,) records of `State.ties`.
        knowledge: the record `Parameters.knowledge[0]`. interaction: meetings per quarter of close neighbours, >= 0.
        lesson: (N,) records of `scratch.lesson`; its field `tacit` is written.
        gaps, places, number, many: one row each of the fields of `scratch.batch`, working space.
    """
    for low in range(first, beyond, BATCH):
        batch = members[low : min(low + BATCH, beyond)]
        if far_apart(batch[0], ties):
            for i in members[low + 3 * BATCH : low + 4 * BATCH]:
                prefetch(ties, np.uint32(i), 0)
                prefetch(ties, np.uint32(i), 64)
            for i in members[low + BATCH : low + 2 * BATCH]:
                fetch_partners(i, 0, ties, shown, 0)
        count = _compare(batch, shown, ties, knowledge, gaps, places, number, many)
        _understand(count, interaction, knowledge, gaps, places, number)
        _share_attention(batch, shown, knowledge, lesson, gaps, number, many)


@kernel
def absorb(capacity):
    """What `absorbing` returned for some firms becomes their absorptive capacity, float32, in place."""
    for n in range(np.uint64(capacity.size)):
        capacity[n] = single(1.0) - exp_of_negative(-capacity[n])


@kernel
def _take_in(learned, own, other, rate):
    """Add to `learned`, a vector, what is taken in at a rate from another's codified knowledge; also its sum."""
    gain = single(rate) * positive(other - own)
    return learned + gain, total(gain)


@kernel
def _combine(firm, before, tie, pipeline, agency, abroad, knowledge, interaction, shown, told):
    """Add to a firm's codified knowledge what it takes in; returns inflow (own, collective, local).

    firm, tie, pipeline, agency: records. before: what the firm knew, a vector. abroad: (K,) records of what outside
    nodes know.
    """
    partner, trust, node, strength = tie.partner, tie.trust, pipeline.node, pipeline.strength
    sources, collective = 0, firm.served * agency.pipelines.sum()
    for j in partner:
        sources += j >= 0
    for n in node:
        sources += n >= 0
    if sources + collective == 0.0:
        return 0.0, 0.0, 0.0
    scale = min(1.0, knowledge.combination) * firm.absorptive / (sources + collective)
    alone = interaction * (1.0 + knowledge.it_codified * firm.it)
    own, shared, local = 0.0, 0.0, 0.0
    learned = load(firm.codified)
    for m in range(partner.size):
        j = partner[m]
        if j >= 0:
            passed = knowledge.gatekeeping if shown[j].pipeline > 0.0 else 1.0
            together = trust[m] * interaction * (1.0 + knowledge.it_codified * firm.it * shown[j].place[_IT])
            learned, gain = _take_in(learned, before, load(told[j].codified), scale * passed * min(1.0, together))
            local += gain
    for g in range(node.size):
        if node[g] >= 0:
            rate = scale * min(1.0, strength[g] * alone)
            learned, gain = _take_in(learned, before, load(abroad[node[g]].codified), rate)
            own += gain
    if collective > 0.0:
        for n in range(agency.pipelines.size):
            rate = scale * firm.served * agency.pipelines[n] * min(1.0, alone)
            learned, gain = _take_in(learned, before, load(abroad[n].codified), rate)
            shared += gain
    store(firm.codified, learned)
    return own, shared, local


@kernel
def _convert(firm, shown, lesson, told, technology, frontier, use, knowledge):
    """Loss, externalisation, internalisation, learning by doing; tacit knowledge learned from partners is added."""
    out_rate = min(1.0, knowledge.externalisation * (1.0 + firm.collaboration + min(1.0, technology)))
    in_rate = min(1.0, knowledge.internalisation * firm.absorptive * firm.experience)
    technology, phase = firm.technology, firm.phase
    for d in range(firm.tacit.size):
        tacit, codified = np.float64(shown.tacit[d]), np.float64(told.codified[d])
        most = min(knowledge.learning_by_doing * use[technology, phase, d], frontier[d])
        doing = most * max(0.0, 1.0 - tacit / frontier[d])
        gain = in_rate * max(0.0, codified - tacit) + doing + lesson.tacit[d]
        firm.tacit[d] = tacit * (1.0 - knowledge.tacit_decay) + gain
        firm.codified[d] = codified * (1.0 - knowledge.codified_decay) + out_rate * max(0.0, tacit - codified)


@kernel
def _learn(
    living,
    firms,
    ties,
    pipelines,
    agency,
    policy,
    world,
    shown,
    lessons,
    told,
    capacity,
    abroad,
    knowledge,
    interaction,
    use,
    memory,
):
    """One quarter of the living firms, from what all firms show and what they learned from partners."""
    frontier, rows = world[0].frontier, firms.size
    for n in range(living.size):
        i = living[n]
        fetch_ahead(i, rows, ties, shown, 0)
        fetch_ahead(i, rows, ties, told, 0)
        firm, lesson = firms[i], lessons[i]
        technology = policy[0].technology + firm.served * agency[0].effect[TECHNOLOGY]
        _convert(firm, shown[i], lesson, told[i], technology, frontier, use, knowledge)
        inflow, collective, local = _combine(
            firm, load(told[i].codified), ties[i], pipelines[i], agency[0], abroad, knowledge, interaction, shown, told
        )
        firm.inflow, firm.inflow_collective = inflow, collective
        taught = total(load(lesson.tacit))
        firm.inflow_local = local + taught
        firm.lessons += memory * (taught - firm.lessons)
        firm.absorptive = capacity[n]


@parallel_kernel
def _teach(
    living, firms, ties, pipelines, agency, policy, world, shown, lessons, told, capacity, abroad, batch, knowledge,
    interaction, relevance, use, memory,
):  # fmt: skip
    """The steps of learning one after another, threads sharing the work in large districts."""
    gap, place, number, many = batch.gap, batch.place, batch.number, batch.ties
    n = living.size
    if n < ALONE:
        _show(living, firms, pipelines, relevance, knowledge[0], shown, told, capacity)
        socialise(living, 0, n, shown, ties, knowledge[0], interaction, lessons, gap[0], place[0], number[0], many[0])
        absorb(capacity[:n])
        _learn(
            living, firms, ties, pipelines, agency, policy, world, shown, lessons, told, capacity, abroad, knowledge[0],
            interaction, use, memory,
        )  # fmt: skip
    else:
        for b in prange(BLOCKS):
            low, high = b * n // BLOCKS, (b + 1) * n // BLOCKS
            mine, own = living[low:high], capacity[low:high]
            _show(mine, firms, pipelines, relevance, knowledge[0], shown, told, own)
        for b in prange(BLOCKS):
            low, high = b * n // BLOCKS, (b + 1) * n // BLOCKS
            space = gap[b], place[b], number[b], many[b]
            socialise(living, low, high, shown, ties, knowledge[0], interaction, lessons, *space)
            absorb(capacity[low:high])
        for b in prange(BLOCKS):
            low, high = b * n // BLOCKS, (b + 1) * n // BLOCKS
            mine, own = living[low:high], capacity[low:high]
            _learn(
                mine, firms, ties, pipelines, agency, policy, world, shown, lessons, told, own, abroad, knowledge[0],
                interaction, use, memory,
            )  # fmt: skip


@kernel
def update_knowledge(state, living, p, s):
    """One quarter of learning and forgetting for every living firm.

    Writes `firms.tacit`, `firms.codified`, `firms.absorptive`, `firms.experience` and the three inflows. Synchronous:
    every firm learns from what the others knew at the start. Learning from a partner never carries a firm beyond that
    partner in a domain; learning by doing never beyond the frontier.
    """
    scratch, world, knowledge, derived = state.scratch, state.world, p.knowledge, p.derived
    interaction, abroad = knowledge[0].interaction * state.policy[0].brokers, scratch.abroad
    for n in range(abroad.size):
        for d in range(world[0].frontier.size):
            abroad[n].codified[d] = world[0].node_codified[n, d]
    _teach(
        living, state.firms, state.ties, state.pipelines, state.agency, state.policy, world, scratch.shown,
        scratch.lesson, scratch.told, scratch.capacity, abroad, scratch.batch, knowledge, interaction,
        derived.relevance, derived.use, p.innovation[0].lessons_memory,
    )  # fmt: skip
