"""Twin of replications/barter.py: meetings one by one, as the papers tell them."""

import numpy as np

from district_sim.evidence.replications.barter import BARTER, EXPERT, LEVEL
from district_sim.kernels.draws import philox, uniform


def initial_knowledge(seed: int, agents: int, categories: int, experts: int, expert_level: float) -> list[list[float]]:
    key = np.uint64(seed)
    knowledge = [[10 * uniform(key, BARTER, LEVEL, i, d) for d in range(categories)] for i in range(agents)]
    lots = sorted((uniform(key, BARTER, EXPERT, i, 0), i) for i in range(agents))
    for _, i in lots[:experts]:
        knowledge[i][int(categories * uniform(key, BARTER, EXPERT, i, 1))] = expert_level
    return knowledge


def words(seed: int, meeting: int, block: int) -> list[int]:
    counter = (meeting % 2**32, meeting // 2**32, 0, BARTER * 2**16 + block)
    return [int(word) for word in philox(*map(np.uint32, (*counter, seed % 2**32, seed // 2**32)))]


def below(word: int, limit: int) -> int:
    return word * limit // 2**32


def picked(seed: int, meeting: int, categories: list[int], few: int) -> list[int]:
    """So many of the categories, at random, without replacement."""
    if len(categories) == few:
        return categories
    left, first = list(categories), words(seed, meeting, 0)
    for s in range(few):
        word = first[2 + s] if s < 2 else words(seed, meeting, s - 1)[0]
        other = s + below(word, len(left) - s)
        left[s], left[other] = left[other], left[s]
    return left[:few]


def pair(seed: int, meeting: int, neighbours: list[list[int]]) -> tuple[int, int] | None:
    """Who meets whom, if anybody."""
    who, whom, *_ = words(seed, meeting, 0)
    i = below(who, len(neighbours))
    return (i, neighbours[i][below(whom, len(neighbours[i]))]) if neighbours[i] else None


def leads(knowledge: list[list[float]], i: int, j: int) -> list[int]:
    return [d for d in range(len(knowledge[i])) if knowledge[i][d] > knowledge[j][d]]


def absorb(knowledge: list[list[float]], receiver: int, sender: int, d: int, alpha: float) -> None:
    knowledge[receiver][d] += alpha * (knowledge[sender][d] - knowledge[receiver][d])


def barter(
    knowledge: list[list[float]], neighbours: list[list[int]], alpha: float, seed: int, first: int, last: int
) -> None:
    for meeting in range(first, last):
        met = pair(seed, meeting, neighbours)
        if met is None:
            continue
        i, j = met
        mine, yours = leads(knowledge, i, j), leads(knowledge, j, i)
        swapped = min(len(mine), len(yours))
        if swapped == 0:
            continue
        for d in picked(seed, meeting, mine, swapped):
            absorb(knowledge, j, i, d, alpha)
        for d in picked(seed, meeting, yours, swapped):
            absorb(knowledge, i, j, d, alpha)


def give(
    knowledge: list[list[float]], neighbours: list[list[int]], alpha: float, seed: int, first: int, last: int
) -> None:
    for meeting in range(first, last):
        met = pair(seed, meeting, neighbours)
        if met is None:
            continue
        i, j = met
        mine, yours = leads(knowledge, i, j), leads(knowledge, j, i)
        for d in mine:
            absorb(knowledge, j, i, d, alpha)
        for d in yours:
            absorb(knowledge, i, j, d, alpha)
