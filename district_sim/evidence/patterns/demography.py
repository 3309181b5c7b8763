"""Acceptance patterns of demography: how long newborns live, and whether a frozen world keeps its district."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from district_sim.evidence.patterns.claims import Outcome, Pattern, PatternClaim, arms, named, tenth
from district_sim.evidence.patterns.kernels import Row
from district_sim.model.parameters import parameters_of
from district_sim.run.run import quarters_of
from district_sim.scenario.files import load_scenario

BORN = 40  # quarters in which the newborns that are followed are founded: before globalisation
YEARS = 10  # for which each of them is followed
# Shares of newborns alive after some years; Italy, of the order of Istat's and Eurostat's business demography
ALIVE = {1: (0.85, 0.90), 2: (0.75, 0.80), 3: (0.60, 0.70), 5: (0.45, 0.55), 10: (0.30, 0.40)}
AGES = ((0, 3), (3, 5), (5, 10))  # years between which the hazard is compared
# The firms of this world meet neither globalisation nor rivals that catch up, nor a next technology
FROZEN: dict[str, Any] = {
    "world.globalisation": 0.0,
    "world.rivals_reach": 0.0,
    "technology.count": 1,
    "run.quarters": 400,
}


def lives(seed: int) -> np.ndarray:
    """Which firms founded in the first `BORN` quarters of the baseline are alive how many years later.

    Returns:
        (newborns, YEARS + 1) bool; the first column, age 0, is true for all.
    """
    length = BORN + 4 * YEARS
    alive: list[np.ndarray] = []  # after each quarter
    for moment in quarters_of(
        parameters_of(load_scenario("baseline", {"run.quarters": length})), seed, length, range(length)
    ):
        rows = int(moment.state.clock.rows[0])
        if moment.done == len(alive):
            alive.append(moment.state.firms.alive[:rows].copy())
    founded = moment.state.firms.founded[:rows]
    born = np.flatnonzero((founded >= 0) & (founded < BORN))
    return np.array([[alive[founded[j] + 1 + 4 * year][j] for year in range(YEARS + 1)] for j in born], bool)


def survival(seeds: Sequence[int]) -> list[Row]:
    """Pattern 18: newborns survive as in Italy, and after the first years the hazard falls with age."""
    alive = np.concatenate([lives(seed) for seed in seeds]).mean(axis=0)
    rows: list[Row] = []
    for year, (low, high) in ALIVE.items():
        text = f"newborns alive after {year} year{'s' if year > 1 else ''}"
        inside = bool(low <= alive[year] <= high)
        rows.append((18, text, f"{100 * low:.0f} to {100 * high:.0f} %", f"{alive[year]:.1%}", inside))
    hazard = [1.0 - (alive[last] / alive[first]) ** (1.0 / (last - first)) for first, last in AGES]
    measured = ", ".join(f"{h:.1%}" for h in hazard)
    falls = bool((np.diff(hazard) < 0.0).all())
    rows.append((18, "closures a year at ages 0 to 3, 3 to 5, 5 to 10 years", "falling", measured, falls))
    return rows


def standstill(seeds: Sequence[int]) -> Pattern:
    """Pattern 19: a frozen world keeps firms, employment and mean size for a hundred years."""
    some = tenth(seeds)

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        courses = []
        for outcome in outcomes:
            firms, employment = (outcome.indicators[name].to_numpy() for name in ("firms", "employment"))
            courses.append((firms, employment, employment / firms))
        claims = []
        for name, course in zip(("firms", "employment", "mean size"), np.mean(courses, axis=0), strict=True):
            years = course.reshape(-1, 4).mean(axis=1)
            change = years / years[0] - 1.0
            furthest = float(change[np.abs(change).argmax()])
            text = f"{name} over {FROZEN['run.quarters']} quarters of a frozen world, furthest from the first year"
            measured = f"{furthest:+.1%}, at the end {change[-1]:+.1%}"
            claims.append(PatternClaim(19, text, "within 15 %", measured, abs(furthest) <= 0.15, named(some)))
        return claims

    return Pattern(arms(some, ("baseline", FROZEN)), judge)
