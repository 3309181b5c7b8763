"""Runs of a case: the values its targets are about, and the path of firms and employees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.observables import observed_in
from district_sim.model.parameters import parameters_of
from district_sim.run.run import quarters_of
from district_sim.run.trajectories import Trajectory, score
from district_sim.run.workers import Progress, Workers, compile_first
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.paths import set_at, value_at
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case

type Wanted = tuple[tuple[Any, ...], ...]
"""Of each target: observable, quarter, and the quarter whose value it is divided by or, if True follows, that is taken
from it; or None."""

PATHS = ("firms", "employment")
"""Indicators of which the whole path is kept."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One run of a case."""

    values: np.ndarray
    """(targets,) nan for all if the run broke off, as with extreme rates of entry."""
    paths: np.ndarray
    """(quarters, len(PATHS))."""
    label: Trajectory | None = None
    """The trajectory, None where nothing can be said."""


def watch(scenario: Scenario, seed: int, wanted: Wanted) -> Observed:
    """Run a scenario once and look at what is wanted.

    Args:
        seed: 0 <= seed < 2**64. wanted: quarters are at least 1 and at most the run's length.
    """
    values, table = seen_in(scenario, seed, wanted)
    paths = table[:, [NAMES.index(name) for name in PATHS]]
    if np.isnan(table[-1, 0]):
        return Observed(values, paths)
    columns_of_run = dict(zip(NAMES, table.T, strict=False))
    label = score(columns_of_run, calm_window=scenario.calm_window).label if len(table) > 1 else None
    return Observed(values, paths, label)


def seen_in(scenario: Scenario, seed: int, wanted: Wanted) -> tuple[np.ndarray, np.ndarray]:
    """What is wanted of a run, nan for all if it broke off, and its table of indicators, nan from there on.

    Args:
        seed, wanted: see `watch`.

    Returns:
        (len(wanted),) and (quarters, indicators).
    """
    length = scenario.run.quarters
    looks = [(name, at, since, bool(less)) for name, at, since, *less in wanted]
    stops = {q for _, at, since, _ in looks for q in (at, since) if q is not None}
    seen: dict[tuple[str, int], float] = {}
    for now in quarters_of(parameters_of(scenario), seed, length, stops):
        for name in {name for name, at, since, _ in looks if now.done in (at, since)}:
            lived = now.state.firms[: now.state.clock.rows[0]]
            seen[name, now.done] = observed_in(name, lived, now.table)
    table = np.full((length, now.table.shape[1]), np.nan)
    table[: now.done] = now.table
    if now.done < length:  # it has outgrown all bounds
        return np.full(len(wanted), np.nan), table
    values = []
    for name, at, since, less in looks:
        before = None if since is None else seen[name, since]
        value = seen[name, at]
        values.append(value if before is None else value - before if less else value / (before or np.nan))
    return np.array(values, float), table


def scaled(scenario: Scenario, share: float, values: Mapping[str, float] | None = None) -> Scenario:
    """A scenario with other values of some numbers, and a share of its firms; of all, if they come from a table.

    Args:
        share: 0..1. values: by dotted path, such as "demography.exit"; those of whole numbers are rounded.
    """
    data = scenario.model_dump(mode="json")
    for path, value in (values or {}).items():
        whole = isinstance(value_at(data, path), int)
        set_at(data, path, round(value) if whole else value)
    if not scenario.data.firms:
        data["firms"]["count"] = max(10, round(share * data["firms"]["count"]))
    return Scenario.model_validate(data)


def counted(case: "Case", scenario: Scenario, values: Mapping[str, float] | None = None) -> np.ndarray:
    """By what the targets' values of a scaled district are multiplied: (targets,).

    Args:
        values: with which it was scaled; the number of firms may be among them.
    """
    whole = round((values or {}).get("firms.count", case.scenario.firms.count))
    share = scenario.firms.count / whole
    return np.array([1.0 / share if t.counts else 1.0 for t in case.targets])


def make_runs(
    scenario: Scenario, seeds: Sequence[int], wanted: Wanted, workers: Workers, progress: Progress | None = None
) -> list[Observed]:
    """`watch` for each seed, in order; `workers` start with compiled kernels."""
    return workers.map(_watch, [(scenario, seed, wanted) for seed in seeds], progress)


def runs_of(
    case: "Case",
    seeds: Sequence[int],
    workers: Workers,
    progress: Progress | None = None,
    share: float = 1.0,
    values: Mapping[str, float] | None = None,
) -> list[Observed]:
    """Runs of a case, one for each seed; what is compared is less the comparison's value under the same luck.

    Args:
        share, values: see `scaled`; values hold in the comparison as well where it was like the district before.
    """
    own = make_runs(scaled(case.scenario, share, values), seeds, case.wanted, workers, progress)
    compared = np.array([target.compared for target in case.targets])
    if case.comparison is None or not compared.any():
        return own
    other = make_runs(scaled(case.comparison, share, in_both(case, values or {})), seeds, case.wanted, workers)
    return [
        Observed(np.where(compared, one.values - two.values, one.values), one.paths, one.label)
        for one, two in zip(own, other, strict=True)
    ]


def in_both(case: "Case", values: Mapping[str, float]) -> dict[str, float]:
    """Of values by path those that hold in the comparison too, as it was like the district before."""
    if case.comparison is None:
        return {}
    here, there = (one.model_dump(mode="json") for one in (case.scenario, case.comparison))
    return {path: value for path, value in values.items() if value_at(here, path) == value_at(there, path)}


def _watch(job: tuple[Scenario, int, Wanted]) -> Observed:
    return watch(*job)


def ensemble(case: "Case", seeds: Sequence[int], progress: Progress | None, workers: int | None) -> list[Observed]:
    """Runs of a case at full size, one for each seed; 1 worker is this process."""
    with Workers(workers) as crew:
        compile_first([case.scenario])
        return runs_of(case, seeds, crew, progress)
