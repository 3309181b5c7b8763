"""Labour: employment follows the work to be done; those who are hired bring knowledge along."""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import Stream, looped_word
from district_sim.kernels.vectors import single
from district_sim.model.processes.relations import BY_CHANCE, draw_firms, fetch_all, mean_trust
from district_sim.model.scratch import LOOKING, MEETINGS
from district_sim.model.state import EMPLOYED, LEAST_QUALITY, OUTSIDE, TACIT_AT, UNEMPLOYED

_HIRING = int(Stream.HIRING)
_FOUND = 0.5  # of the unemployed, those that firms can find in a quarter
_LEAST_COORDINATION = 0.05  # however little people trust each other, so much of productivity remains


@kernel
def labour_productivity(i, firms, ties, world, market):
    """Value of work per employee and quarter [k€]: quality, collaboration inside, trusted coordination outside."""
    relative = max(LEAST_QUALITY, firms[i].quality / world[0].quality_start)
    inside = 1.0 + market.productivity_collaboration * (firms[i].collaboration - world[0].trust_start)
    outside = 1.0 + market.productivity_trust * (mean_trust(i, ties) - world[0].trust_start)
    return (
        market.productivity
        * relative**market.productivity_quality
        * max(_LEAST_COORDINATION, inside)
        * max(_LEAST_COORDINATION, outside)
    )


@kernel
def _recruit(firms, living, clock, scratch):
    """Where those come from who bring knowledge along, and what they know that their new employer does not know.

    The share of it that a firm takes over is in `scratch.value`, 0 where nobody comes; what they bring goes to
    `scratch.lesson`.
    """
    s, first, share = scratch.meetings[0], 0, scratch.value
    while first < living.size:
        count, beyond = np.uint64(0), min(first + LOOKING * MEETINGS, living.size)
        for i in living[first:beyond]:
            s.own[count], s.key[count], s.at[count] = i, firms[i].key, count
            count += np.uint64(share[i] > 0.0)
        for t in range(count):
            s.word[t] = looped_word(clock.seed[0], _HIRING, clock.step[0], s.key[t], BY_CHANCE, 0)
        draw_firms(count, s, scratch.alive, clock)
        fetch_all(s.met, count, firms, TACIT_AT)
        for t in range(count):
            i, j = s.own[t], s.met[t]
            if j < 0:
                share[i] = 0.0
                continue
            own, theirs, brought = firms[i].tacit, firms[j].tacit, scratch.lesson[i].tacit
            for d in range(own.size):
                brought[d] = max(single(0.0), theirs[d] - own[d])
        first = beyond


@kernel
def employ(firms, living, ties, accounts, world, clock, scratch, p):
    """Employment follows the work to be done; hires come from the unemployed and bring knowledge from where they were.

    `scratch.value` holds each firm's volume of work.
    """
    market, people = p.market[0], accounts.people
    wanted, freed = 0.0, 0.0
    for i in living:
        needed = max(1.0, scratch.value[i] / labour_productivity(i, firms, ties, world, market))
        scratch.value[i] = market.hiring_speed * (needed - firms[i].employees)
        wanted += max(0.0, scratch.value[i])
        freed += max(0.0, -scratch.value[i])
    people[EMPLOYED] -= freed
    people[UNEMPLOYED] += freed
    granted = min(1.0, _FOUND * max(0.0, people[UNEMPLOYED]) / wanted) if wanted > 0.0 else 0.0
    for i in living:
        change = scratch.value[i]
        hires = granted * max(0.0, change)
        firms[i].employees += hires if change > 0.0 else change
        scratch.value[i] = p.knowledge[0].hired_knowledge * hires / firms[i].employees
    _recruit(firms, living, clock, scratch)
    for i in living:
        if scratch.value[i] > 0.0:
            tacit, brought = firms[i].tacit, scratch.lesson[i].tacit
            for d in range(tacit.size):
                tacit[d] += scratch.value[i] * brought[d]
    people[EMPLOYED] += granted * wanted
    people[UNEMPLOYED] -= granted * wanted
    force = people[EMPLOYED] + people[UNEMPLOYED]
    moving = market.migration * (people[UNEMPLOYED] - market.unemployment * force)
    people[UNEMPLOYED] -= moving
    people[OUTSIDE] += moving


@kernel
def change_jobs(firms, living, rate):
    """Who changes employer takes education along: each firm loses its own and gains the district's mean.

    A firm's training leaves with the worker, in part to its neighbours (Acemoglu & Pischke 1999,
    doi 10.1111/1468-0297.00405); the district's mean stays.
    """
    people, educated = 0.0, 0.0
    for i in living:
        people += firms[i].employees
        educated += firms[i].employees * firms[i].education
    for i in living:
        firms[i].education += rate * (educated / people - firms[i].education)
