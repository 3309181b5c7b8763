"""The model's own exchange of tacit knowledge, alone, on any network, for comparison with barter and giving.

A district is made whose ties are the network and whose tacit knowledge is the agents'; all firms are alike but for what
they know, live in one place and trust their partners fully. Then the model's compiled process `update_knowledge` runs,
with every mechanism but socialisation switched off. Learning follows the section Knowledge of the ODD: all firms at
once, from all their partners, sharing their attention among them, the better the less distant a partner's knowledge.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from district_sim.model.parameters import parameters_of

if TYPE_CHECKING:
    from district_sim.model.parameters import Parameters
    from district_sim.model.state import State

MOST_CATEGORIES = 64  # as many as the model has domains at most
_LEAST_DOMAINS, _LEAST_SLOTS = 8, 24  # so that nearly all networks share one compilation


def socialise(
    knowledge: np.ndarray,
    start: np.ndarray,
    partner: np.ndarray,
    alpha: float,
    seed: np.uint64,
    first: int,
    last: int,
) -> None:
    """Quarters `first` to `last` - 1 of socialisation; nothing in it is left to chance.

    Args:
        knowledge: (N, C) float64, C <= 64, changed in place; kept in single precision, as the model does.
        start, partner: the network in compressed sparse rows. Meetings are mutual: a tie counts in both directions.
        alpha: `knowledge.socialisation`, 0..1 per quarter; firms have the absorptive capacity of 0.5 that the model
            gives to all if that mechanism is off.
        seed: not used. first, last: numbers of quarters, >= 0.
    """
    from district_sim.kernels.compile import start_threads
    from district_sim.run.run import learn

    start_threads()
    p, state = district(knowledge, start, partner, alpha)
    for _ in range(first, last):
        learn(state, p)
    knowledge[:] = state.firms.tacit[:, : knowledge.shape[1]]


def district(knowledge: np.ndarray, start: np.ndarray, partner: np.ndarray, alpha: float) -> "tuple[Parameters, State]":
    """Parameters and state of a district in which only socialisation goes on; see `socialise`."""
    from district_sim.model.state import empty_state

    agents, categories = knowledge.shape
    first, second = _both_ways(start, partner)
    places = np.concatenate([np.arange(count) for count in np.bincount(first, minlength=agents)])
    most = int(places.max(initial=0)) + 1
    p = _parameters(max(_LEAST_DOMAINS, categories), max(_LEAST_SLOTS, 1 << (most - 1).bit_length()), alpha)
    state = empty_state(agents, agents, p, 0)
    state.firms.alive = True
    state.firms.absorptive = 0.5
    state.firms.tacit[:, :categories] = knowledge
    state.world.frontier = 1.0
    state.ties.partner[first, places] = second
    state.ties.trust[first, places] = 1.0
    return p, state


def _both_ways(start: np.ndarray, partner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs (agent, partner) in ascending order, each tie in both directions."""
    agents = len(start) - 1
    ties = np.column_stack([np.repeat(np.arange(agents), np.diff(start)), partner])
    both = np.unique(np.concatenate([ties, ties[:, ::-1]]), axis=0)
    return both[:, 0], both[:, 1]


@lru_cache(maxsize=8)
def _parameters(domains: int, slots: int, alpha: float) -> "Parameters":
    from district_sim.scenario.sections import Scenario

    off = ("externalisation", "combination", "internalisation", "absorptive_capacity", "it")
    rates = ("learning_by_doing", "tacit_decay", "codified_decay", "experience_gain")
    p = parameters_of(
        Scenario.model_validate(
            {
                "technology": {"domains": domains},
                "mechanisms": dict.fromkeys(off, False),
                "knowledge": {"socialisation": alpha, **dict.fromkeys(rates, 0.0)},
            }
        )
    )
    p.ties.maximum = slots  # a hub may have more partners here than a firm of a scenario
    return p
