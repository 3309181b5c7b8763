"""Meetings of agents on a network, one after the other, in which knowledge is bartered or given away.

A leaf of compiled code: it calls nothing but `district_sim.kernels.draws`, a source after which the cache folder
is named, and numba itself notices changes in this file. So machine code in the cache is never out of date.

Randomness is keyed as everywhere: a meeting depends on (seed of the run, number of the meeting) and on nothing else.
All rules see the same meetings. One Philox block of four words serves a meeting: who, whom, and two picks; barter that
must pick more takes a further block for each pick. Blocks are made a few hundred ahead, as the processor then makes
several at once.

Shapes: N agents, C categories. `knowledge` (N, C) float64; `start` (N + 1,) and `partner` (ties,), both int64, are the
network in compressed sparse rows.
"""

import numpy as np

from district_sim.kernels.compile import array_kernel, inlined_kernel, kernel
from district_sim.kernels.draws import Stream, philox, uniform, uniform2

BARTER = int(Stream.BARTER)
MEETING, LEVEL, EXPERT, REWIRING = range(4)  # what a draw is for, the "step" of the key
_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)
_BLOCKS = 256


@array_kernel
def initial_knowledge(seed, agents, categories, experts, expert_level):
    """Levels uniform on [0, 10], and some agents, drawn at random, expert in one category each, drawn at random.

    Returns:
        (N, C) float64.
    """
    knowledge = np.empty((agents, categories))
    order = np.empty(agents)
    for i in range(agents):
        for d in range(categories):
            knowledge[i, d] = 10.0 * uniform(seed, BARTER, LEVEL, i, d)
        order[i] = uniform(seed, BARTER, EXPERT, i, 0)
    for i in np.argsort(order)[:experts]:
        knowledge[i, int(categories * uniform(seed, BARTER, EXPERT, i, 1))] = expert_level
    return knowledge


@array_kernel
def rewiring_draws(seed, ties):
    """For each tie whether it is rewired, as a number to compare with the share, and the first place to rewire it to.

    Returns:
        (ties, 2) float64 in (0, 1).
    """
    draws = np.empty((ties, 2))
    for tie in range(ties):
        draws[tie, 0], draws[tie, 1] = uniform2(seed, BARTER, REWIRING, tie, -1, 0)
    return draws


@kernel
def _words(seed, meeting, block):
    return philox(
        np.uint32(meeting & 0xFFFFFFFF),
        np.uint32(meeting >> 32),
        np.uint32(MEETING),
        np.uint32((BARTER << 16) | block),
        np.uint32(np.uint64(seed) & _LOW),
        np.uint32(np.uint64(seed) >> _S32),
    )


@kernel
def _draw(seed, first, words):
    """The words (4, meetings) of the first block of each of some meetings."""
    for q in range(words.shape[1]):
        words[0, q], words[1, q], words[2, q], words[3, q] = _words(seed, first + q, 0)


@kernel
def _below(word, limit):
    """0 to limit - 1 from 32 random bits (Lemire 2019, doi 10.1145/3230636); off by less than limit / 2**32."""
    return np.int64((np.uint64(word) * np.uint64(limit)) >> _S32)


@inlined_kernel
def _who_meets(seed, meeting, first, words, start, partner):
    """Column of `words` of a meeting, a random agent, and a random neighbour of it or -1 if it has none.

    Args:
        meeting: `first`, `first` + 1, ... in turn, as words are drawn ahead. words: (4, _BLOCKS), kept between calls.
    """
    q = (meeting - first) % _BLOCKS
    if q == 0:
        _draw(seed, meeting, words)
    i = _below(words[0, q], start.size - 1)
    neighbours = start[i + 1] - start[i]
    if neighbours == 0:
        return q, i, np.int64(-1)
    return q, i, partner[start[i] + _below(words[1, q], neighbours)]


@kernel
def _pick(seed, meeting, word2, word3, places, many, few):
    """Bring `few` of the first `many` places, picked at random, to the front (Durstenfeld's shuffle, broken off)."""
    for s in range(few):
        if s == 0:
            word = word2
        elif s == 1:
            word = word3
        else:
            word = np.uint32(_words(seed, meeting, s - 1)[0])
        other = s + _below(word, many - s)
        places[s], places[other] = places[other], places[s]


@array_kernel
def barter(knowledge, start, partner, alpha, seed, first, last):
    """Meetings `first` to `last` - 1: a random agent meets a random neighbour and they trade categories one for one.

    They trade only if each leads in at least one category. Then as many categories go each way as the one who leads in
    fewer can offer, and of the other's leads as many are picked at random. Who receives moves the share `alpha` of the
    way to who gives, so both know more after every trade. An agent without neighbours meets nobody.

    Source: Cowan & Jonard 2004 (doi 10.1016/j.jedc.2003.04.002).

    Args:
        knowledge: (N, C), changed in place. start, partner: the network. alpha: share of the gap absorbed, 0..1.
        seed: of the run. first, last: numbers of meetings, >= 0; one call may go on where another ended.
    """
    categories = knowledge.shape[1]
    words = np.empty((4, _BLOCKS), np.uint32)
    mine, yours = np.empty(categories, np.int64), np.empty(categories, np.int64)
    for t in range(first, last):
        q, i, j = _who_meets(seed, t, first, words, start, partner)
        if j < 0:
            continue
        leads, lags = 0, 0
        for d in range(categories):  # without a branch, as nobody could foretell who leads
            gap = knowledge[i, d] - knowledge[j, d]
            mine[leads] = d
            leads += gap > 0.0
            yours[lags] = d
            lags += gap < 0.0
        swapped = min(leads, lags)
        if swapped == 0:
            continue
        if leads > swapped:
            _pick(seed, t, words[2, q], words[3, q], mine, leads, swapped)
        elif lags > swapped:
            _pick(seed, t, words[2, q], words[3, q], yours, lags, swapped)
        for s in range(swapped):
            d = mine[s]
            knowledge[j, d] += alpha * (knowledge[i, d] - knowledge[j, d])
            d = yours[s]
            knowledge[i, d] += alpha * (knowledge[j, d] - knowledge[i, d])


@array_kernel
def give(knowledge, start, partner, alpha, seed, first, last):
    """The same meetings without trade: each learns from the other wherever the other leads, and owes nothing.

    Args: see `barter`.
    """
    categories = knowledge.shape[1]
    words = np.empty((4, _BLOCKS), np.uint32)
    for t in range(first, last):
        _, i, j = _who_meets(seed, t, first, words, start, partner)
        if j < 0:
            continue
        for d in range(categories):
            gap = knowledge[i, d] - knowledge[j, d]
            knowledge[j, d] += alpha * max(0.0, gap)
            knowledge[i, d] += alpha * max(0.0, -gap)
