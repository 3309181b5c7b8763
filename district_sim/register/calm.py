"""Calm quarters of a district from tables: what moves that should stay, and why."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from district_sim.model.parameters import parameters_of
from district_sim.model.state import ENTRIES, EXITS, TIE_BIRTHS, TIE_DEATHS, State
from district_sim.run.run import quarters_of
from district_sim.scenario.sections import Scenario

QUARTERS = 8
LIMIT = 0.1
"""Change in these quarters up to which something counts as staying."""
OUTCOMES = {
    "firms": "Firms",
    "employment": "Employees",
    "top10": "Share of employees in the ten largest firms",
    "hhi": "Herfindahl index of employees",
    "ties": "Ties",
}
_ENOUGH = 1500  # firms, over all runs together, at which what is measured is steady
_MOST_RUNS = 4


class Measured(NamedTuple):
    """Means over runs of calm quarters; P phases."""

    work: np.ndarray  # (P,) employees by phase at the start
    made: np.ndarray  # (P - 1,) share of each phase that final firms make
    abroad: np.ndarray  # (P - 1,) share that they buy abroad
    bought_abroad: float  # of final sales
    tie_births: float  # in all quarters
    tie_deaths: float
    entries: float
    exits: float
    largest: float  # employees of the ten largest firms, those that closed left out, at the end over the start


@dataclass(frozen=True)
class Calm:
    """What eight calm quarters do to a district."""

    before: dict[str, float]
    after: dict[str, float]
    reasons: dict[str, str]
    """By outcome that moves more than LIMIT: why."""

    def change(self, outcome: str) -> float:
        """Relative change; NaN where there was nothing."""
        start = self.before[outcome]
        return self.after[outcome] / start - 1.0 if start > 0.0 else float("nan")

    @property
    def told(self) -> str:
        """What moves more than LIMIT, and why, as a sentence to stand behind another; empty if nothing does."""
        moved = [
            f"{OUTCOMES[name].lower()} by {100.0 * self.change(name):+.0f} % ({why})"
            for name, why in self.reasons.items()
        ]
        return (
            f" Without policies, shocks and globalisation, {QUARTERS} quarters change {'; '.join(moved)}."
            if moved
            else ""
        )


def _calm(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"policies": (), "shocks": ()})


def _seeds(scenario: Scenario) -> range:
    return range(min(_MOST_RUNS, -(-_ENOUGH // scenario.firms.count)))


def measured(scenario: Scenario) -> Measured:
    """Run calm quarters and look at what balances."""
    p = parameters_of(_calm(scenario))
    tallies, starts, kept = [], [], []
    for seed in _seeds(scenario):
        tally = np.zeros(4)
        for moment in quarters_of(p, seed, QUARTERS, range(QUARTERS)):
            if moment.done == 0:
                starts.append(_sourcing(moment.state))
                largest = _largest(moment.state)
                people = moment.state.firms.employees[largest].copy()
            else:
                tally += moment.state.tally[[TIE_BIRTHS, TIE_DEATHS, ENTRIES, EXITS]]
        tallies.append(tally)
        alive = moment.state.firms.alive[largest]
        kept.append(moment.state.firms.employees[largest].sum() / max(1.0, people[alive].sum()))
    work, made, abroad = (np.mean([start[k] for start in starts], axis=0) for k in range(3))
    value = p.derived.phase_value
    births, deaths, entries, exits = np.mean(tallies, axis=0)
    bought = float(value[:-1] @ abroad)
    largest_kept = float(np.mean(kept))
    return Measured(work, made, abroad, bought, births, deaths, entries, exits, largest_kept)


def _sourcing(state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.flatnonzero(state.firms.alive)
    firms = state.firms[rows]
    phases = firms.made.shape[1]
    final = firms.phase == phases - 1
    weight = firms.reach[final] / max(1e-9, firms.reach[final].sum())
    work = np.bincount(firms.phase, firms.employees, phases)
    return work, weight @ firms.made[final][:, :-1], weight @ firms.abroad[final][:, :-1]


def look(scenario: Scenario) -> Calm:
    """Run calm quarters and compare; means over runs.

    Args:
        scenario: that starts from tables.
    """
    p = parameters_of(_calm(scenario))
    seen: list[tuple[dict[str, float], dict[str, float], dict[str, float]]] = []
    for seed in _seeds(scenario):
        told: dict[str, float] = {}
        for moment in quarters_of(p, seed, QUARTERS, range(QUARTERS)):
            if moment.done == 0:
                before, largest = outcomes(moment.state), _largest(moment.state)
                phase = _people(moment.state)
            else:
                for name, place in zip(("births", "deaths", "entries", "exits"), _TALLIES, strict=True):
                    told[name] = told.get(name, 0.0) + float(moment.state.tally[place])
        kept = largest[moment.state.firms.alive[largest]]
        told["closed"] = float(len(largest) - len(kept))
        now = _people(moment.state)
        told |= {f"phase {q}": float(now[q] - phase[q]) for q in range(len(phase))}
        told |= {f"had {q}": float(phase[q]) for q in range(len(phase))}
        told["grown"] = float(moment.state.firms.employees[largest].sum())
        seen.append((before, outcomes(moment.state), told))
    before, after, told = ({k: float(np.mean([s[n][k] for s in seen])) for k in seen[0][n]} for n in range(3))
    calm = Calm(before, after, {})
    moved = [name for name in OUTCOMES if not abs(calm.change(name)) <= LIMIT]
    calm.reasons.update({name: _why(name, told, before) for name in moved if before[name] > 0.0})
    return calm


_TALLIES = (TIE_BIRTHS, TIE_DEATHS, ENTRIES, EXITS)


def outcomes(state: State) -> dict[str, float]:
    """What should stay, see OUTCOMES."""
    alive = state.firms.alive
    people = np.sort(state.firms.employees[alive])[::-1]
    total = float(people.sum())
    return {
        "firms": float(alive.sum()),
        "employment": total,
        "top10": float(people[:10].sum() / total) if total > 0.0 else 0.0,
        "hhi": float(((people / total) ** 2).sum()) if total > 0.0 else 0.0,
        "ties": float((state.ties.partner[alive] >= 0).sum() / 2),
    }


def _largest(state: State) -> np.ndarray:
    rows = np.flatnonzero(state.firms.alive)
    return rows[np.argsort(-state.firms.employees[rows], kind="stable")[:10]]


def _people(state: State) -> np.ndarray:
    alive = state.firms.alive
    return np.bincount(state.firms.phase[alive], state.firms.employees[alive], state.firms.made.shape[1])


def _why(outcome: str, told: dict[str, float], before: dict[str, float]) -> str:
    if outcome == "firms":
        return f"{told['entries']:.0f} firms are founded and {told['exits']:.0f} close"
    if outcome == "ties":
        return f"{told['births']:.0f} ties form and {told['deaths']:.0f} end"
    phases = [q for q in range(13) if f"had {q}" in told]
    most = max(phases, key=lambda q: abs(told[f"phase {q}"]))
    had, now = told[f"had {most}"], told[f"had {most}"] + told[f"phase {most}"]
    moved = f"phase {most + 1} of {len(phases)} goes from {had:.0f} to {now:.0f} employees"
    if outcome == "employment":
        return f"{moved}: clients order {'less' if now < had else 'more'} of it than its people make"
    start = before["top10"] * before["employment"]
    return (
        f"the ten firms that were the largest go from {start:.0f} to {told['grown']:.0f} employees, "
        f"{told['closed']:.1f} of them close"
    )
