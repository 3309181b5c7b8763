"""Firms look for partners: among their partners' partners, or anywhere in the district.

Whom a firm meets, and whether the two suit each other, does not depend on others' searches, but for the slots of ties
that were free when it looked. So all meetings are worked out first, in loops that become vector instructions and by
threads in large districts; then firms take their turns, and look again where a slot was free. A default run forms its
ties in three fifths of the time of the plain loop (`form_ties` in tests/naive/ties.py, compiled), a hundred thousand
firms on two threads in a third.
"""

import numpy as np

from district_sim.kernels.compile import kernel, parallel_kernel, prange
from district_sim.kernels.draws import Stream, draw_all, looped_uniform2, looped_word, uniform, uniform_of
from district_sim.model.processes.knowledge import cognitive_distance
from district_sim.model.processes.relations import AHEAD, BY_CHANCE, degree, distance_km, draw_firms, fetch_all, tie
from district_sim.model.scratch import ALONE, BLOCKS, LOOKING, MEETINGS
from district_sim.model.state import AGE_AT, PLACE_AT, TACIT_AT, TIE_BIRTHS, TRUST_AT

_FORMING = int(Stream.TIE_FORMING)
_SEARCHING, _SUITING = 99, 100  # numbers of draws: whether a firm looks; whether it suits the first that it meets
_STRANGERS = 0.5  # inclination and first trust of firms without identity, relative to a mean identity of one half
_NOBODY = -1  # in `scratch.found`; rows stand for themselves, what is below for a slot that was free: see `_free`


@kernel
def _inclined(chance, a, b, network, last):
    """The chance that two firms form a tie, from that by distance: complementary and identified firms rather do."""
    if not ((a.phase == last) ^ (b.phase == last)):
        chance *= 1.0 - network.complementarity
    return chance * min(1.0, _STRANGERS + 0.5 * (a.identity + b.identity))


@kernel
def suitability(a, b, network, last):
    """Probability in [0, 1] that two firms, once met, form a tie: near, complementary, cognitively close, identified.

    a, b: records of the firms. network: `Parameters.ties[0]`. last: the last phase.
    """
    chance = np.exp(
        -distance_km(a, b) / network.reach - network.cognitive_proximity * cognitive_distance(a.tacit, b.tacit)
    )
    return _inclined(chance, a, b, network, last)


@kernel
def _suits(a, b, luck, network, last):
    """Whether luck < suitability. Mostly a bound says no: as if both knew the same, and exp(-x) by Taylor."""
    far = distance_km(a, b) / network.reach
    nearness = (1.0 + 1e-9) / (1.0 + far * (1.0 + far * (0.5 + far / 6.0)))
    return luck < _inclined(nearness, a, b, network, last) and luck < suitability(a, b, network, last)


@kernel
def _free(slot, behind, slots):
    """Code of a free slot: of the firm itself (`behind` is `slots`), or slot `behind` of its partner in `slot`."""
    return -2 - (slot * (slots + 1) + behind)


@kernel
def _list_meetings(first, living, luck, firms, ties, s, network):
    """List the meetings of firms that look for partners: of the living from `first` on, as many as there is room for.

    Returns the first firm not asked, and how many meetings there are.
    """
    n, count = first, np.uint64(0)
    while n < living.size and count <= np.uint64((LOOKING - 1) * MEETINGS):
        i = living[n]
        if luck[n] < network.searching and degree(i, ties) < network.wanted:
            for number in range(MEETINGS):
                s.own[count], s.number[count], s.key[count] = i, number, firms[i].key
                count += np.uint64(1)
        n += 1
    return n, count


@kernel
def _meet_all(count, firms, ties, alive, clock, s, network):
    """Whom firms meet in the meetings listed, into `s.met`: rows, or what `_free` gives, or -1."""
    own, number, key, other, at, row, met = s.own, s.number, s.key, s.other, s.at, s.row, s.met
    word, luck, place = s.word, s.luck, s.place
    seed, step, slots = clock.seed[0], clock.step[0], ties[0].partner.size
    for t in range(count):
        luck[t], place[t] = looped_uniform2(seed, _FORMING, step, key[t], -1, number[t])
    for t in range(count):
        through = ties[own[t]].partner[np.int64(place[t] * slots)]
        row[t] = through if luck[t] < network.closure else _NOBODY
    fetch_all(row, count, firms, 0)
    fetch_all(row, count, ties, 0)
    for t in range(count):
        other[t] = firms[row[t]].key if row[t] >= 0 else BY_CHANCE
    for t in range(count):
        word[t] = looped_word(seed, _FORMING, step, key[t], other[t], number[t])
    far = np.uint64(0)
    for t in range(count):
        slot, behind = np.int64(place[t] * slots), np.int64(uniform_of(word[t]) * slots)
        if row[t] >= 0:
            partner = np.int64(ties[row[t]].partner[behind])
            met[t] = partner if partner >= 0 else _free(slot, behind, slots)
        else:
            met[t] = _free(slot, slots, slots)
        word[far], at[far] = word[t], t
        far += np.uint64(luck[t] >= network.closure)
    draw_firms(far, s, alive, clock)


@kernel
def _choose_all(count, firms, clock, s, network, last):
    """Of those met, `s.met` keeps the ones that suit the firm; -1 for the others."""
    own, number, key, other, at, row, met, luck = s.own, s.number, s.key, s.other, s.at, s.row, s.met, s.luck
    some = np.uint64(0)
    for t in range(count):
        at[some], row[some], key[some], number[some] = t, met[t], key[t], number[t] + _SUITING
        some += np.uint64((met[t] >= 0) & (met[t] != own[t]))
        met[t] = _NOBODY if met[t] == own[t] else met[t]
    for at_byte in (0, TACIT_AT, PLACE_AT):
        fetch_all(row, some, firms, at_byte)
    for t in range(some):
        other[t] = firms[row[t]].key
    for t in range(some):
        luck[t] = looped_uniform2(clock.seed[0], _FORMING, clock.step[0], key[t], other[t], number[t])[0]
    for t in range(some):
        if not _suits(firms[own[at[t]]], firms[row[t]], luck[t], network, last):
            met[at[t]] = _NOBODY


@kernel
def _look(living, luck, found, firms, ties, alive, clock, s, network, last):
    """Whom each of some living firms may tie with, into `found`: of its meetings, those worth a second look."""
    first = 0
    while first < living.size:
        beyond, count = _list_meetings(first, living, luck, firms, ties, s, network)
        _meet_all(count, firms, ties, alive, clock, s, network)
        _choose_all(count, firms, clock, s, network, last)
        t = np.uint64(0)
        for n in range(first, beyond):
            found[n, :] = _NOBODY
            if t < count and s.own[t] == living[n]:
                for number in range(MEETINGS):
                    found[n, number] = s.met[t]
                    t += np.uint64(1)
        first = beyond


@parallel_kernel
def _look_around(firms, living, ties, clock, scratch, p):
    """`_look` for all living firms, threads sharing the work in large districts."""
    n, luck, found, alive, meetings = living.size, scratch.luck, scratch.found, scratch.alive, scratch.meetings
    behaviour, last = p.ties, p.technology[0].phases - 1
    if n < ALONE:
        _look(living, luck, found, firms, ties, alive, clock, meetings[0], behaviour[0], last)
    else:
        for b in prange(BLOCKS):
            low, high = b * n // BLOCKS, (b + 1) * n // BLOCKS
            mine = living[low:high], luck[low:high], found[low:high]
            _look(*mine, firms, ties, alive, clock, meetings[b], behaviour[0], last)


@kernel
def _look_again(i, number, code, firms, ties, clock, network, last):
    """Whom firm i may tie with where a slot was free, see `_free`, as things are now: a row, or -1."""
    slots = ties[i].partner.size
    through, behind = ties[i].partner[(-2 - code) // (slots + 1)], (-2 - code) % (slots + 1)
    if through < 0:
        return np.int64(_NOBODY)
    seed, step, key = clock.seed[0], clock.step[0], firms[i].key
    if behind == slots:
        behind = np.int64(uniform(seed, _FORMING, step, key, firms[through].key, number) * slots)
    j = np.int64(ties[through].partner[behind])
    if j < 0 or j == i:
        return np.int64(_NOBODY)
    luck = uniform(seed, _FORMING, step, key, firms[j].key, number + _SUITING)
    return j if _suits(firms[i], firms[j], luck, network, last) else np.int64(_NOBODY)


@kernel
def form_ties(state, living, p, s):
    """Firms with fewer ties than they want look for partners; the firm met must have room for one."""
    firms, ties, tally, clock, scratch = state.firms, state.ties, state.tally, state.clock, state.scratch
    network, last, found, slots = p.ties[0], p.technology[0].phases - 1, scratch.found, ties[0].partner.size
    draw_all(living, _FORMING, clock, scratch, _SEARCHING)
    _look_around(firms, living, ties, clock, scratch, p)
    for n in range(living.size):
        i = living[n]
        if n + AHEAD < living.size:
            for at in (0, TRUST_AT, AGE_AT):
                fetch_all(found[n + AHEAD], MEETINGS, ties, at)
        for number in range(MEETINGS):
            j = np.int64(found[n, number])
            if j < _NOBODY:
                j = _look_again(i, number, j, firms, ties, clock, network, last)
            if j < 0 or degree(j, ties) >= slots:
                continue
            if degree(i, ties) >= network.wanted:
                break
            first = network.first_trust * (_STRANGERS + 0.5 * (firms[i].identity + firms[j].identity))
            if tie(i, j, min(1.0, first), ties):
                tally[TIE_BIRTHS] += 1
                break
