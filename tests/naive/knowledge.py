"""Twin of processes/knowledge.py."""

import math
from typing import Any

import numpy as np

from district_sim.model.state import TECHNOLOGY, State
from naive.common import distance_km, links, living, pipelines_of


def cognitive_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|a - b| / (|a| + |b|); 0 if both are zero."""
    total = np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / total) if total > 0 else 0.0


def trust_weight(trust: float, k: Any) -> float:
    """0 up to the threshold, 1 at full trust, linear between."""
    return float(max(0.0, (trust - k.trust_threshold) / (1 - k.trust_threshold)))


def absorptive_capacity(firm: Any, own_knowledge: float, k: Any) -> float:
    weights = (k.absorptive_education, k.absorptive_experience, k.absorptive_research, k.absorptive_knowledge)
    if not any(weights):
        return 0.5
    causes = (
        firm.education,
        firm.experience,
        firm.research / (1 + firm.research),
        own_knowledge / (1 + own_knowledge),
    )
    return 1 - math.exp(-float(np.dot(weights, causes)))


def update_knowledge(state: State, p: Any) -> None:
    """All firms learn from what the others knew at the start."""
    tacit, codified = state.firms.tacit.copy(), state.firms.codified.copy()
    absorptive = state.firms.absorptive.copy()
    for i in living(state):
        _learn(state, p, i, tacit, codified, absorptive)


def _learn(state: State, p: Any, i: int, tacit: np.ndarray, codified: np.ndarray, absorptive: np.ndarray) -> None:
    k, firm, agency, policy = p.knowledge[0], state.firms[i], state.agency[0], state.policy[0]
    interaction = k.interaction * policy.brokers
    use = p.derived.use[firm.technology][firm.phase]
    own = float(np.dot(p.derived.relevance[firm.technology][firm.phase], tacit[i]))
    firm.experience += k.experience_gain * (1 - firm.experience)

    socialised = _socialise(state, k, i, interaction, tacit, float(absorptive[i]))
    from_ties, from_own, from_collective = _combine(state, k, i, interaction, codified, float(absorptive[i]))
    firm.inflow = from_own.sum()
    firm.inflow_collective = from_collective.sum()
    firm.inflow_local = from_ties.sum() + socialised.sum()
    firm.lessons += p.innovation[0].lessons_memory * (socialised.sum() - firm.lessons)

    help_ = min(1.0, policy.technology + firm.served * agency.effect[TECHNOLOGY])
    externalised = min(1.0, k.externalisation * (1 + firm.collaboration + help_)) * np.maximum(
        0, tacit[i] - codified[i]
    )
    internalised = min(1.0, k.internalisation * absorptive[i] * firm.experience) * np.maximum(0, codified[i] - tacit[i])
    frontier = state.world[0].frontier
    done = np.minimum(k.learning_by_doing * use, frontier) * np.maximum(0, 1 - tacit[i] / frontier)
    firm.tacit[:] = (1 - k.tacit_decay) * tacit[i] + socialised + internalised + done
    firm.codified[:] = (1 - k.codified_decay) * codified[i] + from_ties + from_own + from_collective + externalised
    firm.absorptive = absorptive_capacity(firm, own, k)


def _socialise(state: State, k: Any, i: int, interaction: float, tacit: np.ndarray, absorptive: float) -> np.ndarray:
    """Tacit knowledge learned face to face, shared attention among the ties."""
    met = {}
    for _, j, trust in links(state, i):
        together = interaction * math.exp(-distance_km(state, i, j) / k.meeting_distance)
        together *= 1 + k.it_tacit * state.firms[i].it * state.firms[j].it
        met[j] = trust_weight(trust, k) * together
    attention = k.attention + sum(met.values())
    learned = np.zeros(tacit.shape[1])
    for j, weight in met.items():
        scale = k.distance_scale + k.distance_absorptive * absorptive
        understood = math.exp(-((cognitive_distance(tacit[i], tacit[j]) / scale) ** 2))
        rate = min(1.0, k.socialisation) * absorptive * understood * weight / attention
        learned += rate * np.maximum(0, tacit[j] - tacit[i])
    return learned


def _combine(
    state: State, k: Any, i: int, interaction: float, codified: np.ndarray, absorptive: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codified knowledge taken in from ties, own pipelines and collective pipelines."""
    firm, outside = state.firms[i], state.world[0].node_codified
    from_ties, from_own, from_collective = (np.zeros(codified.shape[1]) for _ in range(3))
    ties, own = links(state, i), pipelines_of(state, i)
    collective = firm.served * state.agency[0].pipelines
    sources = len(ties) + len(own) + collective.sum()
    if sources == 0:
        return from_ties, from_own, from_collective
    scale = min(1.0, k.combination) * absorptive / sources
    alone = interaction * (1 + k.it_codified * firm.it)
    for _, j, trust in ties:
        together = interaction * (1 + k.it_codified * firm.it * state.firms[j].it)
        passed = k.gatekeeping if any(strength > 0 for _, _, strength in pipelines_of(state, j)) else 1.0
        from_ties += scale * passed * min(1.0, trust * together) * np.maximum(0, codified[j] - codified[i])
    for _, node, strength in own:
        from_own += scale * min(1.0, strength * alone) * np.maximum(0, outside[node] - codified[i])
    for node, strength in enumerate(collective):
        from_collective += scale * strength * min(1.0, alone) * np.maximum(0, outside[node] - codified[i])
    return from_ties, from_own, from_collective
