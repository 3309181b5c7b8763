"""Acceptance patterns that are read off the state and the kernels rather than off tables of indicators.

Each function returns rows (pattern, claim, target, measured, passed).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.model.processes.innovation import expected_quality
from district_sim.model.processes.knowledge import cognitive_distance
from district_sim.model.processes.relations import tie, untie_all
from district_sim.model.state import AGENCY, EMPLOYED, ENTRIES, EXITS, FIRMS, State
from district_sim.run.run import advance, learn, quarters_of, simulate
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.files import load_scenario
from district_sim.scenario.indicators import NAMES

Row = tuple[int, str, str, str, bool]


def fragmentation_stays(seeds: Sequence[int]) -> list[Row]:
    """Pattern 5: sixty quarters after everybody went back to the old behaviour, trust has not come back."""
    recovered = []
    fragmenting, history = parameters_of(load_scenario("fragmentation")), parameters_of(load_scenario("baseline"))
    column = NAMES.index("trust")
    for seed in seeds:
        turn = next(moment for moment in quarters_of(fragmenting, seed, 200, [140]) if moment.done == 140)
        later = np.empty((60, len(NAMES)))
        advance(turn.state, history, later, 0, 60)
        counterfactual = simulate(load_scenario("baseline"), seed, 200).indicators["trust"].iloc[-4:].mean()
        lost = counterfactual - turn.table[-4:, column].mean()
        recovered.append(1.0 - (counterfactual - later[-4:, column].mean()) / lost)
    share = float(np.mean(recovered))
    text = "trust lost by fragmentation that 60 quarters of the old behaviour restore"
    return [(5, text, "less than half", f"{share:.0%}", share < 0.5)]


def learning_by_distance(seed: int, pairs: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Cognitive distance and tacit knowledge learned in one quarter in `pairs` simulated alliances, arrays (pairs,).

    Each alliance is the only tie of both partners, fully trusted, at the same place; the partners' knowledge differs
    by a random rotation between nothing and everything in common, at equal amount.
    """
    p = parameters_of(load_scenario("baseline", {"firms.count": 2 * pairs, "firms.settling": 0}))
    state = initial_state(p, seed, 1)
    firms, rng = state.firms, np.random.default_rng(seed)
    p.knowledge.learning_by_doing[0] = p.knowledge.tacit_decay[0] = p.knowledge.internalisation[0] = 0.0
    for i in range(2 * pairs):
        untie_all(i, state.ties)
    for a in range(pairs):
        i, j = 2 * a, 2 * a + 1
        tie(i, j, 1.0, state.ties)
        firms.x[j], firms.y[j] = firms.x[i], firms.y[i]
        mix = rng.random()
        own, other = rng.random(firms.tacit.shape[1]), rng.random(firms.tacit.shape[1])
        firms.tacit[i], firms.tacit[j] = own, (1.0 - mix) * own + mix * other
    distance = np.array([cognitive_distance(firms.tacit[2 * a], firms.tacit[2 * a + 1]) for a in range(pairs)])
    before = firms.tacit[: 2 * pairs].sum(axis=1)
    learn(state, p)
    gained = firms.tacit[: 2 * pairs].sum(axis=1) - before
    return distance, gained[0::2] + gained[1::2]


def inverted_u(seeds: Sequence[int]) -> list[Row]:
    """Pattern 7: learning peaks at an intermediate cognitive distance (Nooteboom et al. 2007)."""
    parts = [learning_by_distance(seed) for seed in seeds]
    distance, learned = (np.concatenate(column) for column in zip(*parts, strict=True))
    curve, slope, _ = np.polyfit(distance, learned, 2)
    best = -slope / (2.0 * curve)
    low, high = np.quantile(distance, [0.05, 0.95])
    measured = f"curvature {curve:.2g}, optimum at {best:.2f} (5-95 % of alliances: {low:.2f}-{high:.2f})"
    return [(7, "learning peaks at an intermediate cognitive distance", "curvature < 0, optimum inside", measured,
             bool(curve < 0.0 and low < best < high))]  # fmt: skip


def first_district(seeds: Sequence[int]) -> list[Row]:
    """Pattern 8 and the figures that the first district is built from: sizes, groups, ties, partners.

    Right-skewed sizes; groups hold few firms and much employment (Cainelli, Iacobucci & Morganti 2006); a third of
    business ties carries knowledge and outside ties are rare (Giuliani & Bell 2005); 70 % of partners are local.
    """
    p = parameters_of(load_scenario("baseline"))
    skew, size, rows = [], [], []
    for seed in seeds:
        *_, end = quarters_of(p, seed, 1)
        employees = Snapshot.of(end.state).firms["employees"]
        skew.append(float(employees.skew()))  # type: ignore[arg-type]
        size.append(float(employees.mean()))
        rows.append(end.table[0])
    mean = dict(zip(NAMES, np.mean(rows, axis=0), strict=True))

    def share(pattern: int, text: str, name: str, low: float, high: float) -> Row:
        inside = bool(low <= mean[name] <= high)
        return pattern, text, f"{100 * low:.0f} to {100 * high:.0f} %", f"{mean[name]:.1%}", inside

    average = float(np.mean(size))
    return [
        (0, "mean size in the first quarter [employees]", "5 to 9", f"{average:.1f}", 5.0 <= average <= 9.0),
        share(0, "business ties that carry knowledge", "knowledge_tie_share", 0.25, 0.45),
        share(0, "purchases from local partners", "local_purchases", 0.65, 0.80),
        share(0, "firms with a pipeline to the outside", "pipeline_firms", 0.03, 0.15),
        (8, "skewness of size", "> 2 in each", f"{np.mean(skew):.1f}, smallest {min(skew):.1f}", min(skew) > 2.0),
        share(8, "share of firms in groups", "group_firm_share", 0.04, 0.08),
        share(8, "share of employees in groups", "group_employment_share", 0.25, 0.45),
    ]


def _next_gain(state: State, p: Any, i: int) -> float:
    """Relative quality gain that the next increment would bring firm i."""
    firms = state.firms
    tech, v, relevance = p.technology[0], p.innovation[0], p.derived.relevance
    now, then = (
        expected_quality(firms[i], firms.technology[i], firms.increments[i] + more, tech, v, relevance)
        for more in (0, 1)
    )
    return float(then / now - 1.0)


def fading_increments(seeds: Sequence[int]) -> list[Row]:
    """Pattern 9: gain per increment falls along a trajectory and resets with a radical innovation (Gordon 2012)."""
    p = parameters_of(load_scenario("learning_region"))
    first, before, after = [], [], []
    for seed in seeds:
        old, gains = np.zeros(0, np.int64), dict[int, float]()
        for _, state, *_ in quarters_of(p, seed, 160, range(160)):
            first += [gain for i, gain in gains.items() if state.firms.increments[i] == 0]
            switched = np.flatnonzero(state.firms.alive[: len(old)] & (state.firms.technology[: len(old)] > old))
            for i in map(int, switched):
                if i in gains and state.firms.increments[i] == 0:
                    before.append(gains[i])
                    after.append(_next_gain(state, p, i))
            old = state.firms.technology.copy()
            gains = {int(i): _next_gain(state, p, int(i)) for i in np.flatnonzero(state.firms.alive)}
    fall, reset = float(np.mean(before) / p.innovation.increment_gain[0]), float(np.mean(after) / np.mean(before))
    return [
        (9, "gain of the next increment before a switch, of the first gain", "< 0.9", f"{fall:.2f}", fall < 0.9),
        (9, "gain of the next increment after a switch, of that before", "> 1.1", f"{reset:.2f}", reset > 1.1),
    ]


def _learned_in_a_quarter(seed: int, it: float) -> tuple[float, float]:
    """Tacit and codified knowledge that firms take in from one another in one quarter, all with the same IT."""
    p = parameters_of(load_scenario("baseline"))
    state = initial_state(p, seed, 1)
    firms, k = state.firms, p.knowledge
    for other in ("learning_by_doing", "tacit_decay", "codified_decay", "internalisation", "externalisation"):
        k[other] = 0.0
    firms.it[:] = it
    before = firms.tacit.sum(), firms.codified.sum()
    learn(state, p)
    return float(firms.tacit.sum() - before[0]), float(firms.codified.sum() - before[1])


def it_needs_people(seeds: Sequence[int]) -> list[Row]:
    """Pattern 10: with human interaction at zero information technology changes nothing; with it, it amplifies.

    Strongly the exchange of codified, weakly that of tacit knowledge (Sanders 2007).
    """
    same, tacit, codified = True, [], []
    for seed in seeds:
        without, with_it = (
            simulate(load_scenario("learning_region", {"knowledge.interaction": 0.0, "strategy.it": it}), seed)
            for it in (0.0, 0.9)
        )
        same &= without.indicators.equals(with_it.indicators)
        low, high = _learned_in_a_quarter(seed, 0.0), _learned_in_a_quarter(seed, 0.9)
        tacit.append(high[0] / low[0])
        codified.append(high[1] / low[1])
    measured = f"{np.mean(codified):.2f} codified, {np.mean(tacit):.2f} tacit"
    amplified = min(codified) > 1.5 and min(tacit) > 1.0 and max(tacit) < 1.3
    return [
        (10, "without interaction, runs with IT 0 and 0.9 differ", "in nothing, to the bit",
         "in nothing" if same else "they differ", same),
        (10, "with interaction, a quarter's exchange with IT 0.9 over that without",
         "codified > 1.5, tacit 1.0 to 1.3", measured, amplified),
    ]  # fmt: skip


def balances(seeds: Sequence[int]) -> list[Row]:
    """Pattern 11: money, people and firms balance in every quarter."""
    money, people, count = 0.0, 0.0, 0
    for name in ("fragmentation", "post_marshallian_node", "learning_region", "collective_entrepreneurship"):
        p = parameters_of(load_scenario(name))
        for seed in seeds:
            for quarter, state, *_ in quarters_of(p, seed, 160, range(160)):
                accounts, firms = state.accounts, state.firms
                if quarter == 0:
                    born, alive = accounts.people.sum(), int(firms.alive.sum())
                    continue
                scale = np.abs(accounts.money).max()
                cash = firms.cash[firms.alive].sum()
                gaps = accounts.money.sum(), accounts.money[FIRMS] - cash, accounts.money[AGENCY] - state.agency.fund[0]
                money = max(money, float(np.abs(gaps).max() / scale))
                people_gaps = (
                    accounts.people.sum() - born,
                    accounts.people[EMPLOYED] - firms.employees[firms.alive].sum(),
                )
                people = max(people, float(np.abs(people_gaps).max() / born))
                expected = alive + int(state.tally[ENTRIES]) - int(state.tally[EXITS])
                alive = int(firms.alive.sum())
                count = max(count, abs(alive - expected))
    return [
        (11, "largest gap in the money accounts, of the largest balance", "< 1e-9", f"{money:.0e}", money < 1e-9),
        (11, "largest gap in the people accounts, of all people", "< 1e-9", f"{people:.0e}", people < 1e-9),
        (11, "largest gap in the number of firms", "0", f"{count}", count == 0),
    ]
