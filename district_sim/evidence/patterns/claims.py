"""What a pattern is: runs to make, and claims that judge them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from district_sim.run.run import simulate
from district_sim.run.trajectories import Scores, Trajectory
from district_sim.scenario.files import load_scenario

LATE = slice(-40, None)  # quarters that are judged


@dataclass(frozen=True, slots=True)
class PatternClaim:
    """One line of the table: what was claimed, wanted, measured."""

    pattern: int
    claim: str
    target: str
    measured: str
    passed: bool
    seeds: str


@dataclass(frozen=True, slots=True)
class Job:
    """One run to make: a bundled scenario with overrides."""

    scenario: str
    seed: int
    overrides: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is kept of a run."""

    indicators: pd.DataFrame
    scores: Scores

    def mean(self, name: str, quarters: slice = LATE) -> float:
        """Mean of an indicator over some quarters; the last forty by default."""
        return float(self.indicators[name].iloc[quarters].mean())


@dataclass(frozen=True, slots=True)
class Pattern:
    """Runs to make, and who judges their outcomes, which come in the same order."""

    jobs: list[Job]
    judge: Callable[[list[Outcome]], list[PatternClaim]]


def run_job(job: Job) -> Outcome:
    """Make one run."""
    run = simulate(load_scenario(job.scenario, dict(job.overrides)), job.seed)
    return Outcome(run.indicators, run.scores)


def job(scenario: str, seed: int, overrides: Mapping[str, Any] | None = None) -> Job:
    """A run of a bundled scenario with overrides by path."""
    return Job(scenario, seed, tuple((overrides or {}).items()))


def arms(seeds: Sequence[int], *cells: tuple[str, Mapping[str, Any]]) -> list[Job]:
    """Runs of several cells (scenario and overrides), each on all seeds, cell by cell: see `by_arm`."""
    return [job(scenario, seed, overrides) for scenario, overrides in cells for seed in seeds]


def by_arm(outcomes: list[Outcome], seeds: Sequence[int]) -> list[list[Outcome]]:
    """Outcomes of the cells of `arms`, one list each."""
    return [outcomes[k : k + len(seeds)] for k in range(0, len(outcomes), len(seeds))]


def named(seeds: Sequence[int]) -> str:
    """Seeds as the table shows them."""
    return f"{seeds[0]}-{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def half(seeds: Sequence[int]) -> Sequence[int]:
    """The first half of the seeds, at least two."""
    return seeds[: max(2, len(seeds) // 2)]


def tenth(seeds: Sequence[int]) -> Sequence[int]:
    """The first tenth of the seeds, at least two."""
    return seeds[: max(2, len(seeds) // 10)]


def labels(outcomes: Iterable[Outcome]) -> Counter[Trajectory | None]:
    """How often each label was given."""
    return Counter(outcome.scores.label for outcome in outcomes)


def label_values(outcomes: Iterable[Outcome]) -> list[str | None]:
    """Each run's label as tables have it; None where there is none."""
    return [outcome.scores.label and outcome.scores.label.value for outcome in outcomes]


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def means(outcomes: Sequence[Outcome], name: str, quarters: slice = LATE) -> list[float]:
    """Mean of an indicator in each run."""
    return [outcome.mean(name, quarters) for outcome in outcomes]
