"""Policies that wait: signposts that start, stop or change an instrument when an indicator has crossed a line for long.

After Haasnoot et al. 2013, doi 10.1016/j.gloenvcha.2012.12.006: a plan names what to watch and what is done when it
comes about. What was observed at the end of a quarter acts from the next quarter on.
"""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.scenario.instruments import Action

_START, _STOP = Action.START.code, Action.STOP.code


@kernel
def watch(instruments, policies, row):
    """Count for every signpost the quarters in a row in which its indicator has been beyond its line.

    What is undefined (NaN) is beyond no line.

    Args:
        row: the quarter's indicators, in the order of `NAMES`.
    """
    posts = policies.signposts
    for number in range(posts.shape[0]):
        for place in range(posts.shape[1]):
            post = posts[number, place]
            if post.indicator < 0:
                break
            value = row[post.indicator]
            beyond = value > post.line if post.above else value < post.line
            instruments[number].streak[place] = min(2**30, instruments[number].streak[place] + 1) if beyond else 0


@kernel
def follow(number, instruments, policies):
    """Let the signposts of an instrument act; returns whether it acts this quarter.

    A signpost holds while its line has been crossed for its number of quarters. If one that stops holds, the instrument
    stops, whatever else holds; else one that holds starts it; else it goes on as it was. Of those that hold and name a
    budget the last in the list decides; the budget then stays until another one decides otherwise.
    """
    posts, start, stop, chosen = policies.signposts, False, False, -1
    if posts.shape[1] == 0 or posts[number, 0].indicator < 0:
        return True
    for place in range(posts.shape[1]):
        if posts[number, place].indicator < 0 or instruments[number].streak[place] < posts[number, place].quarters:
            continue
        if posts[number, place].action == _START:
            start = True
        elif posts[number, place].action == _STOP:
            stop = True
        else:
            chosen = place
    acts = instruments[number].switched > 0 or (instruments[number].switched == 0 and not policies.waits[number])
    if stop and acts:
        acts = False
        instruments[number].switched, instruments[number].stopped = -1, 1.0
    elif start and not stop and not acts:
        acts = True
        instruments[number].switched, instruments[number].started = 1, 1.0
    if chosen >= 0 and instruments[number].revised != chosen + 1:
        instruments[number].revised, instruments[number].changed = chosen + 1, 1.0
    return acts


@kernel
def budget_of(number, instruments, policies, turnover):
    """k€ that an instrument may spend this quarter: its own budget, or that of the signpost that decided last."""
    place = np.int64(instruments[number].revised) - 1
    if 0 <= place < policies.signposts.shape[1] and policies.signposts[number, place].indicator >= 0:
        return policies.signposts[number, place].budget + policies.signposts[number, place].budget_share * turnover
    return policies.budget[number] + policies.budget_share[number] * turnover
