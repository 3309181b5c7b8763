"""The shape of the local network: components, clustering and path lengths, the latter two of a sample of firms."""

import numpy as np

from district_sim.kernels.compile import array_kernel, kernel
from district_sim.kernels.draws import Stream, looped_word
from district_sim.kernels.vectors import prefetch
from district_sim.model.processes.relations import AHEAD, BY_CHANCE, draw_firms

_OBSERVATION = int(Stream.OBSERVATION)
_FOR_PATHS, _FOR_CLUSTERING, _NOBODY = -100, -101, -1  # in the keys of draws
_SAMPLE = 100  # firms whose neighbourhoods are looked at for clustering
_SOURCES = 6  # firms from which path lengths are measured,
_VISITS = 1500  # fewer in districts that are larger than this: there one firm sees what another sees


@kernel
def _breadth_first(start, ties, distance, queue):
    """Distances from `start` into `distance` (-1 unreached beforehand); returns firms reached and their sum."""
    queue[0], distance[start] = start, 0
    head, tail, total = 0, 1, 0
    while head < tail:
        if head + AHEAD < tail:
            prefetch(ties, np.uint32(queue[head + AHEAD]), 0)
        i = queue[head]
        head += 1
        total += distance[i]
        for partner in ties[i].partner:
            # A free slot leads to a firm that was reached: one branch, and seldom taken
            j = np.uint32(partner if partner >= 0 else np.int32(i))
            if distance[j] < 0:
                distance[j] = distance[i] + 1
                queue[tail] = j
                tail += 1
    return tail, total


@kernel
def _links_among_partners(i, mark, ties, near):
    """Ties among the partners of firm i, and how many partners there are; writes `mark` for these to `near`, (N,)."""
    ends, partners, nobody = np.uint32(0), 0, np.int32(i)
    for j in ties[i].partner:
        if j >= 0:
            near[j] = mark
            partners += 1
    for j in ties[i].partner:
        if j >= 0:
            for other in ties[np.uint32(j)].partner:
                ends += np.uint32(near[np.uint32(other if other >= 0 else nobody)] == mark)
    return np.int64(ends) // 2, partners


@array_kernel
def _sample(purpose, count, clock, scratch):
    """Rows of some living firms, drawn with replacement; -1 for draws that found none."""
    s = scratch.meetings[0]
    for k in range(np.uint64(count)):
        s.own[k], s.at[k] = _NOBODY, k
        s.word[k] = looped_word(clock.seed[0], _OBSERVATION, clock.step[0], purpose, BY_CHANCE, k)
    draw_firms(np.uint64(count), s, scratch.alive, clock)
    return s.met[:count]


@kernel
def shape_of_network(living, ties, clock, scratch):
    """Firms in the largest component; of some firms, sum of local clustering and how many firms have any, sum of path
    lengths and how many paths."""
    rows = clock.rows[0]
    distance, queue = scratch.queue[0, :rows], scratch.queue[1, :rows]
    distance[:] = -1
    largest = 0
    for i in living:
        if distance[i] < 0:
            size, _ = _breadth_first(i, ties, distance, queue)
            largest = max(largest, size)
    paths, pairs = 0.0, 0.0
    for i in _sample(_FOR_PATHS, min(_SOURCES, 1 + _VISITS // rows), clock, scratch):
        if i >= 0:
            distance[:] = -1
            reached, total = _breadth_first(i, ties, distance, queue)
            paths += total
            pairs += reached - 1
    closed, neighbourhoods, near = 0.0, 0, distance
    near[:] = -1
    for k, i in enumerate(_sample(_FOR_CLUSTERING, _SAMPLE, clock, scratch)):
        if i < 0:
            continue
        links, partners = _links_among_partners(i, np.int32(k), ties, near)
        if partners > 1:
            closed += links / (partners * (partners - 1) // 2)
            neighbourhoods += 1
    return largest, closed, neighbourhoods, paths, pairs
