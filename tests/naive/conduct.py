"""Twin of processes/conduct.py."""

import math
from typing import Any

import numpy as np

from district_sim.kernels.draws import Stream, normal, uniform, uniform2
from district_sim.model.state import TRAITS, State
from naive.common import clip, conduct, key, links, living, now, seed_of, strategy

RANGES = {
    "research": (0.0, 5.0),
    "exploration": (0.0, 1.0),
    "training": (0.0, 0.2),
    "collective_action": (0.0, 1.0),
    "offshoring": (-3.0, 3.0),
    "pipelines": (0.0, 10.0),
    "reservation": (0.5, 400.0),
}


def bounded(done: dict[str, float]) -> np.ndarray:
    return np.array([clip(done[name], *RANGES[name]) for name in TRAITS])


def varied(
    state: State, p: Any, done: dict[str, float], spread: float, who: int, when: int | None = None
) -> np.ndarray:
    """A conduct near another; the draws are those of this quarter or of another."""
    step = now(state) if when is None else when
    out = {}
    for n, name in enumerate(TRAITS):
        luck = spread * normal(seed_of(state), int(Stream.CONDUCT), step, who, -1, n)
        if name == "collective_action":
            out[name] = done[name] + luck / 4
        elif name == "offshoring":
            out[name] = done[name] + luck
        else:
            out[name] = done[name] * math.exp(luck - spread**2 / 2)
    return bounded(out)


def told(firm: Any) -> dict[str, float]:
    return {name: conduct(firm, name) for name in TRAITS}


def inherit(state: State, p: Any, old: Any, new: Any) -> None:
    """What a newborn takes from its parent: a conduct near the parent's where firms decide, else the very same."""
    c = p.conduct[0]
    new.conduct[:] = old.conduct
    if c.revision > 0 and c.variation > 0:
        new.conduct[:] = varied(state, p, told(old), float(c.variation), int(new.key))
    for name in ("family", "performance", "aspiration", "lessons"):
        setattr(new, name, getattr(old, name))
    new.successor = True


def habits(state: State, p: Any, firm: Any) -> dict[str, float]:
    """What a firm does without reasons: the strategy, varied by the first draws of its family's first firm."""
    s, spread = strategy(state, p), float(p.conduct[0].spread)
    done = {name: float(getattr(s, name)) for name in TRAITS}
    if spread == 0:
        return done
    return dict(zip(TRAITS, map(float, varied(state, p, done, spread, int(firm.family), 0)), strict=True))


def adopt_strategy(state: State, p: Any) -> None:
    s = strategy(state, p)
    for n, name in enumerate(TRAITS):
        before, after = float(state.world[0].strategy[n]), float(getattr(s, name))
        for i in living(state) if before != after else ():
            done = state.firms[i].conduct
            done[n] = after if done[n] == before else clip(done[n] + after - before, *RANGES[name])
        state.world[0].strategy[n] = after


def review_conduct(state: State, p: Any) -> None:
    c = p.conduct[0]
    if c.revision == 0 or now(state) < 0:
        return
    for i in living(state):
        firm = state.firms[i]
        margin = clip(firm.profit / firm.value_added, -1.0, 1.0) if firm.value_added > 0 else 0.0
        firm.performance += c.memory * (margin - firm.performance)
    for i in living(state):
        luck = uniform(seed_of(state), int(Stream.CONDUCT), now(state), key(state, i), -1, 101)
        if luck < c.revision and state.firms[i].owner >= -1:
            _review(state, p, i)


def _review(state: State, p: Any, i: int) -> None:
    c, firm, who = p.conduct[0], state.firms[i], key(state, i)
    partners = [(trust, state.firms[j], j) for _, j, trust in links(state, i)]
    weight = sum(trust for trust, _, _ in partners)
    peers = sum(trust * f.performance for trust, f, _ in partners) / weight if weight > 0 else firm.performance
    ahead = sum(trust for trust, f, _ in partners if f.technology > firm.technology) / weight if weight > 0 else 0.0
    colleagues = [(1.0, firm), *((trust, f) for trust, f, _ in partners if f.phase == firm.phase)]
    abroad = sum(trust * f.offshored for trust, f in colleagues) / sum(trust for trust, _ in colleagues)
    firm.aspiration += c.aspiration * ((firm.performance + peers) / 2 - firm.aspiration)
    heir, change = uniform2(seed_of(state), int(Stream.SUCCESSION), now(state), who, -1, 0)
    if change < 1 / (c.generation * c.revision):
        firm.successor = heir < c.successors
    if firm.owner >= 0:
        aim = told(state.firms[firm.owner])
    else:
        aim = _reasons(state, p, firm, ahead, abroad)
        if firm.performance < firm.aspiration and (c.imitation > 0 or c.variation > 0):
            lead = {j: trust * (f.performance - firm.performance) for trust, f, j in partners}
            best = max(lead, key=lambda j: lead[j], default=-1)
            luck = uniform(seed_of(state), int(Stream.CONDUCT), now(state), who, -1, 100)
            if best >= 0 and lead[best] > 0 and luck < c.imitation:
                found = told(state.firms[best])
            else:
                tried = varied(state, p, told(firm), float(c.variation), who)
                found = dict(zip(TRAITS, map(float, tried), strict=True))
            aim = {name: (aim[name] + found[name]) / 2 for name in TRAITS}
    done = told(firm)
    firm.conduct[:] = bounded({name: done[name] + c.step * (aim[name] - done[name]) for name in TRAITS})


def _reasons(state: State, p: Any, firm: Any, ahead: float, abroad: float) -> dict[str, float]:
    """What firm thinks best as things stand."""
    c, v, m = p.conduct[0], p.innovation[0], p.market[0]
    habit = habits(state, p, firm)
    ripe = firm.technology < state.world[0].newest
    short = clip((firm.aspiration - firm.performance) / c.gap)
    buffer = m.buffer * firm.wage * firm.employees
    reserves = clip(firm.cash / buffer) if buffer > 0 else 0.0
    spent = v.research_cost * firm.research * max(0.0, firm.value_added)
    granted = min(1.0, firm.grant / spent) if spent > 0 else 0.0
    drive = c.research_gap * (short - 0.28) + c.research_slack * (reserves - 0.8) + c.research_grant * granted
    drive += c.research_opportunity * firm.access if ripe else 0.0
    training = habit["training"]
    if habit["research"] > 0:
        training *= (conduct(firm, "research") / habit["research"]) ** c.training_research
    rooted = firm.identity - p.firms[0].identity
    explored = habit["exploration"]
    if 0 < explored < c.exploration_most:
        odds = math.log(explored / (c.exploration_most - explored)) + c.exploration_grant * firm.explores_for_public
        if ripe:
            odds += c.exploration_exhaustion * (1 - v.increment_fading**firm.increments)
            odds += c.exploration_access * firm.access
            odds += c.exploration_partners * ahead * firm.lessons / (firm.lessons + v.lessons_half)
        explored = c.exploration_most / (1 + math.exp(-odds))
    return {
        "research": float(habit["research"] * math.exp(drive)),
        "exploration": explored,
        "training": float(training + c.training_voucher * firm.tuition),
        "collective_action": float(
            habit["collective_action"] + c.cooperation_experience * firm.participates * state.agency[0].capability
        ),
        "offshoring": float(habit["offshoring"] + c.offshoring_contagion * abroad - c.offshoring_identity * rooted),
        "pipelines": float(
            habit["pipelines"]
            * (1 + c.pipelines_sourcing * max(0.0, firm.offshored - p.ties[0].offshoring_norm))
            / math.exp(c.pipelines_identity * rooted)
        ),
        "reservation": conduct(firm, "reservation"),
    }
