"""Runs of a case: the values its targets are about, and the path of firms and employees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from district_sim.evidence.cases.observables import OBSERVABLES, observed
from district_sim.model.indicators import NAMES
from district_sim.model.parameters import parameters_of
from district_sim.run.run import quarters_of
from district_sim.run.workers import Progress, Workers, compile_first
from district_sim.scenario.paths import set_at
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case

type Wanted = tuple[tuple[str, int, int | None], ...]
"""Of each target: observable, quarter, quarter whose value it is divided by."""

PATHS = ("firms", "employment")
"""Indicators of which the whole path is kept."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One run of a case."""

    values: np.ndarray
    """(targets,) nan for all if the run broke off, as with extreme rates of entry."""
    paths: np.ndarray
    """(quarters, len(PATHS))."""


def watch(scenario: Scenario, seed: int, wanted: Wanted) -> Observed:
    """Run a scenario once and look at what is wanted.

    Args:
        seed: 0 <= seed < 2**64. wanted: quarters are at least 1 and at most the run's length.
    """
    length = scenario.run.quarters
    stops = {q for _, *quarters in wanted for q in quarters if q is not None}
    paths, columns = np.full((length, len(PATHS)), np.nan), [NAMES.index(name) for name in PATHS]
    seen: dict[tuple[str, int], float] = {}
    for now in quarters_of(parameters_of(scenario), seed, length, stops):
        paths[: now.done] = now.table[:, columns]
        for name in {name for name, *quarters in wanted if now.done in quarters}:
            seen[name, now.done] = observed(name, now.state.firms[now.state.firms.alive], now.table[-1])
    if now.done < length:  # it has outgrown all bounds
        return Observed(np.full(len(wanted), np.nan), paths)
    values = [seen[name, at] / (1.0 if since is None else seen[name, since] or np.nan) for name, at, since in wanted]
    return Observed(np.array(values, float), paths)


def scaled(scenario: Scenario, share: float, values: Mapping[str, float] | None = None) -> Scenario:
    """A scenario with other values of some numbers, and a share of its firms; of all, if they come from a table.

    Args:
        share: 0..1. values: by dotted path, such as "demography.exit".
    """
    data = scenario.model_dump(mode="json")
    for path, value in (values or {}).items():
        set_at(data, path, value)
    if not scenario.data.firms:
        data["firms"]["count"] = max(10, round(share * data["firms"]["count"]))
    return Scenario.model_validate(data)


def counted(case: "Case", scenario: Scenario) -> np.ndarray:
    """By what the targets' values of a scaled district are multiplied: (targets,)."""
    share = scenario.firms.count / case.scenario.firms.count
    return np.array([1.0 if t.since or not OBSERVABLES[t.measure].extensive else 1.0 / share for t in case.targets])


def make_runs(
    scenario: Scenario, seeds: Sequence[int], wanted: Wanted, workers: Workers, progress: Progress | None = None
) -> list[Observed]:
    """`watch` for each seed, in order; `workers` start with compiled kernels."""
    return workers.map(_watch, [(scenario, seed, wanted) for seed in seeds], progress)


def _watch(job: tuple[Scenario, int, Wanted]) -> Observed:
    return watch(*job)


def ensemble(case: "Case", seeds: Sequence[int], progress: Progress | None, workers: int | None) -> list[Observed]:
    """Runs of a case at full size, one for each seed; 1 worker is this process."""
    with Workers(workers) as crew:
        compile_first()
        return make_runs(case.scenario, seeds, case.wanted, crew, progress)
