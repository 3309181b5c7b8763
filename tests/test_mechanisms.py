"""Every mechanism has a switch, and the switch makes it inert: an effect seen with it is exactly nil without."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from naive import cases
from naive.common import make_tie

from district_sim.model.processes.agency import participation_odds
from district_sim.model.processes.innovation import switching_cost
from district_sim.model.processes.ownership import willingness_to_sell
from district_sim.model.state import (
    ACQUISITIONS,
    ENTRIES,
    EXITS,
    EXPLORING,
    INCREMENTS,
    LINKING,
    OFFSHORING,
    RESEARCHING,
    SKILLING,
    TAKEOVERS,
    TIE_BIRTHS,
    TIE_DEATHS,
    State,
)
from district_sim.scenario.sections import Mechanisms

A, B = 0, 1
Effect = Callable[[Any], float]
EFFECTS: dict[str, tuple[Effect, dict[str, Any]]] = {}


def effect_of(switch: str, **changes: Any) -> Callable[[Effect], Effect]:
    """Register how to see a mechanism at work, and parameters under which it is easy to see."""

    def register(effect: Effect) -> Effect:
        EFFECTS[switch] = (effect, changes)
        return effect

    return register


def partners(trust: float = 0.9) -> State:
    """Two trusted partners among strangers; A knows little."""
    state = cases.strangers()
    make_tie(state, A, B, trust)
    state.firms.tacit[A], state.firms.tacit[B] = 0.3, 0.5
    state.firms.codified[A], state.firms.codified[B] = 0.3, 0.5
    state.firms.it, state.tally[:] = 0.0, 0.0
    return state


def knowledge_of_a(state: State, p: Any) -> np.ndarray:
    after = cases.run("update_knowledge", state, p).firms[A]
    return np.concatenate([after.tacit, after.codified])


def differs(p: Any, before: State, after: State) -> float:
    return float(np.abs(knowledge_of_a(before, p) - knowledge_of_a(after, p)).max())


@effect_of("tacit_exchange")
def _socialised(p: Any) -> float:
    wiser = partners()
    wiser.firms.tacit[B] += 0.1
    return differs(p, partners(), wiser)


@effect_of("combination")
def _combined(p: Any) -> float:
    wiser = partners()
    wiser.firms.codified[B] += 0.1
    return differs(p, partners(), wiser)


@effect_of("externalisation", knowledge={"combination": 0.0, "codified_decay": 0.0})
def _written_down(p: Any) -> float:
    state = cases.strangers()
    state.firms.codified = 0.0
    return float(cases.run("update_knowledge", state, p).firms.codified.max())


@effect_of("internalisation", knowledge={"learning_by_doing": 0.0, "tacit_decay": 0.0})
def _practised(p: Any) -> float:
    state = cases.strangers()
    state.firms.codified = 2.0
    return float(np.abs(cases.run("update_knowledge", state, p).firms.tacit - state.firms.tacit).max())


@effect_of("absorptive_capacity")
def _able(p: Any) -> float:
    after = cases.run("update_knowledge", cases.strangers(), p).firms
    return float(np.ptp(after.absorptive[after.alive]))


@effect_of("gatekeepers")
def _passed_on(p: Any) -> float:
    state, wiser = partners(), partners()
    wiser.firms.codified[B] += 0.1
    for part in (state, wiser):
        part.pipelines.node[B, 0], part.pipelines.strength[B, 0] = 0, 1.0
    return differs(p, state, wiser)


@effect_of("it", knowledge={"interaction": 0.3})
def _amplified(p: Any) -> float:
    wired = partners()
    wired.firms.it = 1.0
    return differs(p, partners(), wired)


@effect_of("path_dependency")
def _locked_in(p: Any) -> float:
    young, old = partners(), partners()
    young.firms.tenure, old.firms.tenure = 0, 200
    costs = [switching_cost(A, x.firms, x.ties, x.agency, p.innovation[0], p.knowledge[0]) for x in (young, old)]
    return float(costs[1] - costs[0])


@effect_of("incremental_innovation", innovation={"increment_rate": 1.0})
def _improved(p: Any) -> float:
    return float(cases.run("innovate", partners(), p).tally[INCREMENTS])


@effect_of("radical_innovation", situation="open")
def _switched(p: Any) -> float:
    return float(cases.quarter(cases.district("open", 1, 0), p, 12)[0].firms.technology.max())


@effect_of("productive_reproduction", demography={"entry": 0.3})
def _reproduced(p: Any) -> float:
    entries = []
    for identity in (0.0, 1.0):
        state = partners()
        state.firms.identity = identity
        entries.append(cases.run("enter_firms", state, p).tally[ENTRIES])
    return float(entries[1] - entries[0])


@effect_of("global_sourcing")
def _bought_abroad(p: Any) -> float:
    return float(cases.run("run_market", cases.district("calm", 1, 0), p).firms.offshored.max())


@effect_of("make_or_buy")
def _made(p: Any) -> float:
    after = cases.run("run_market", cases.district("calm", 1, 0), p).firms
    return float(after.made[after.alive & (after.phase == 5)].max())


@effect_of("collective_brand")
def _branded(p: Any) -> float:
    plain, branded = cases.district("collective"), cases.district("collective")
    plain.agency.brand, branded.agency.brand = 0.0, 1.0
    sales = [cases.run("run_market", state, p).firms.sales for state in (plain, branded)]
    return float(np.abs(sales[1] - sales[0]).max())


@effect_of("mobility")
def _hired(p: Any) -> float:
    state = partners()
    state.firms.reach[state.firms.alive] *= 3.0
    return float(np.abs(cases.run("run_market", state, p).firms.tacit - state.firms.tacit).max())


@effect_of("trust")
def _trusted(p: Any) -> float:
    state = partners()
    return float(np.abs(cases.run("update_trust", state, p).ties.trust - state.ties.trust).max())


@effect_of("intra_firm_collaboration")
def _collaborated(p: Any) -> float:
    state = partners()
    return float(np.abs(cases.run("update_trust", state, p).firms.collaboration - state.firms.collaboration).max())


@effect_of("identity")
def _identified(p: Any) -> float:
    state = partners()
    return float(np.abs(cases.run("update_identity", state, p).firms.identity - state.firms.identity).max())


@effect_of("local_network", mechanisms={"demography": False}, ties={"ending": 0.5})
def _tied(p: Any) -> float:
    state, _ = cases.quarter(cases.district("calm", 1, 0), p)
    return float(state.tally[[TIE_BIRTHS, TIE_DEATHS]].sum())


@effect_of("pipelines", strategy={"pipelines": 10.0}, ties={"pipeline_opening": 1.0})
def _opened(p: Any) -> float:
    state = cases.strangers()
    state.firms.cash += 1e3
    return float(cases.run("update_pipelines", state, p).pipelines.strength.max())


PLATFORM = {"name": "platform", "kind": "export_platform", "start": 0, "budget": 20.0}


@effect_of("collective_pipelines", situation="collective", policies=[PLATFORM])
def _shared(p: Any) -> float:
    return float(cases.quarter(cases.district("collective"), p, 2)[0].agency.pipelines.max())


@effect_of("collective_agency", situation="collective")
def _contributed(p: Any) -> float:
    return cases.quarter(cases.district("collective"), p)[1]["participation"]


@effect_of("public_private_partnership", situation="collective")
def _matched(p: Any) -> float:
    return cases.quarter(cases.district("collective"), p)[1]["leverage"]


@effect_of("co_production")
def _co_produced(p: Any) -> float:
    weak, able = partners(), partners()
    able.agency.capability = able.agency.participation = 1.0
    able.firms.participates[A] = weak.firms.participates[A] = 1.0
    felt = [cases.run("update_identity", state, p).firms.identity[A] for state in (weak, able)]
    odds = [participation_odds(A, x.firms, x.ties, x.agency, 0.0, p.agency[0]) for x in (weak, able)]
    return float(felt[1] - felt[0] + odds[1] - odds[0])


@effect_of("takeover", situation="hierarchical")
def _taken(p: Any) -> float:
    return float(cases.quarter(cases.district("hierarchical", 1, 3), p)[0].tally[TAKEOVERS])


@effect_of("hierarchy", situation="hierarchical")
def _subordinated(p: Any) -> float:
    state = cases.district("hierarchical", 1, 0)
    bound = 0.0
    for _ in range(4):
        state, _ = cases.quarter(state, p)
        bound += state.tally[ACQUISITIONS] + (state.firms.captor[state.firms.alive] >= 0).sum()
    return float(bound)


@effect_of("globalisation")
def _globalised(p: Any) -> float:
    state = cases.strangers()
    state.clock.step[0] = 1000
    world = cases.run("advance_world", state, p).world
    return float(world.pressure[0] + world.rivals[0] - 1.0)


@effect_of("demography", situation="restless")
def _came_and_went(p: Any) -> float:
    return float(cases.quarter(cases.district("restless"), p)[0].tally[[ENTRIES, EXITS]].sum())


@effect_of("policy", situation="supported")
def _spent(p: Any) -> float:
    return cases.quarter(cases.district("supported"), p)[1]["policy_spending"]


DECIDED = {"conduct": {"revision": 1.0, "step": 1.0, "imitation": 1.0}}


def conduct_of_a(p: Any, trait: int, ripe: bool = False, **own: float) -> float:
    """One trait of A after its review; A has these properties of its own, and nobody searches."""
    state = cases.run("adopt_strategy", partners(), p)
    state.world.newest, state.clock.step[0] = int(ripe), 1
    state.firms.profit, state.firms.value_added, state.firms.performance = 0.0, 10.0, 0.0
    state.firms.aspiration = -1.0
    for name, value in own.items():
        state.firms[name][A] = value
    return float(cases.run("review_conduct", state, p).firms.conduct[A, trait])


@effect_of("conduct", situation="deciding")
def _reviewed(p: Any) -> float:
    state = cases.district("deciding")
    return float(np.abs(cases.run("review_conduct", state, p).firms.conduct - state.firms.conduct).max())


@effect_of("search", situation="deciding", **DECIDED)
def _copied(p: Any) -> float:
    found = []
    for trait in (0.5, 3.0):
        state = cases.run("adopt_strategy", partners(), p)
        state.firms.aspiration[A], state.firms.performance[B], state.clock.step[0] = 1.0, 1.0, 1
        state.firms.conduct[B, LINKING] = trait
        found.append(cases.run("review_conduct", state, p).firms.conduct[A, LINKING])
    return float(found[1] - found[0])


@effect_of("research_response", situation="deciding", **DECIDED)
def _researched_more(p: Any) -> float:
    plain = conduct_of_a(p, RESEARCHING)
    granted = conduct_of_a(p, RESEARCHING, ripe=True, grant=100.0, access=0.5, cash=1e3)
    return abs(granted - plain) + abs(conduct_of_a(p, RESEARCHING, cash=1e3) - plain)


@effect_of("exploration_response", situation="deciding", **DECIDED)
def _explored_more(p: Any) -> float:
    reasons = {"increments": 50, "access": 0.5, "explores_for_public": 0.5}
    return conduct_of_a(p, EXPLORING, ripe=True, **reasons) - conduct_of_a(p, EXPLORING)


@effect_of("training_response", situation="deciding", **DECIDED)
def _trained_more(p: Any) -> float:
    return conduct_of_a(p, SKILLING, tuition=0.05) - conduct_of_a(p, SKILLING)


@effect_of("sourcing_response", situation="deciding", **DECIDED)
def _leaned_abroad(p: Any) -> float:
    return conduct_of_a(p, OFFSHORING, offshored=0.9, identity=0.2) - conduct_of_a(p, OFFSHORING)


@effect_of("linking_response", situation="deciding", **DECIDED)
def _linked_outward(p: Any) -> float:
    return conduct_of_a(p, LINKING, offshored=0.9) - conduct_of_a(p, LINKING)


@effect_of("membership_gain", situation="deciding")
def _gained(p: Any) -> float:
    state = partners()
    odds = [participation_odds(A, state.firms, state.ties, state.agency, net, p.agency[0]) for net in (0.0, 0.05)]
    return float(odds[1] - odds[0])


@effect_of("spillover", situation="deciding")
def _spilled_over(p: Any) -> float:
    after = cases.run("run_agency", cases.district("deciding"), p).firms
    return float(after.served[after.alive & (after.participates == 0)].max())


@effect_of("succession", situation="deciding")
def _sold_for_want_of_a_successor(p: Any) -> float:
    state = partners()
    state.firms.successor[A] = True
    with_one = willingness_to_sell(state.firms[A], 20.0, 0.0, p.conduct[0])
    state.firms.successor[A] = False
    return float(willingness_to_sell(state.firms[A], 20.0, 0.0, p.conduct[0]) - with_one)


@effect_of("interactive_learning", situation="deciding")
def _learned_together(p: Any) -> float:
    found = []
    for lessons in (0.0, 1.0):
        state = partners()
        state.firms.lessons = lessons
        found.append(cases.run("innovate", state, p).firms.access[A])
    return float(found[1] - found[0])


def test_every_mechanism_is_ablated_here() -> None:
    assert set(EFFECTS) == set(Mechanisms.model_fields)


@pytest.mark.parametrize("switch", Mechanisms.model_fields)
def test_the_switch_makes_the_mechanism_inert(switch: str) -> None:
    effect, given = EFFECTS[switch]
    changes = dict(given)
    situation = changes.pop("situation", "calm")
    off = cases.merged(changes, {"mechanisms": {switch: False}})
    assert effect(cases.parameters(situation, **changes)) > 0.0
    assert effect(cases.parameters(situation, **off)) == 0.0
