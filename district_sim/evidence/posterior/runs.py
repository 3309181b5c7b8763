"""Runs of a case at given places of its parameters, each with luck of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from district_sim.evidence.cases.calibration import Axis
from district_sim.evidence.cases.runs import PATHS, counted, in_both, scaled, watch
from district_sim.evidence.posterior.simulations import Row, Store, table_of
from district_sim.run.workers import Progress, Workers

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case


@dataclass(frozen=True, slots=True)
class Job:
    """One run."""

    case: "Case"
    values: dict[str, float]
    seed: int


def run_once(job: Job) -> Row:
    """The targets' values and the paths of firms and employees; nan where the run broke off, or could not begin."""
    case = job.case
    try:
        scenario = scaled(case.scenario, case.scale, job.values)
        found = watch(scenario, job.seed, case.wanted)
        size = counted(case, scenario, job.values)
        values = found.values
        compared = np.array([target.compared for target in case.targets])
        if case.comparison is not None and compared.any():
            other = scaled(case.comparison, case.scale, in_both(case, job.values))
            values = np.where(compared, values - watch(other, job.seed, case.wanted).values, values)
    except ValueError:  # a combination of values that the scenario does not allow
        nothing = np.full((case.scenario.run.quarters, len(PATHS)), np.nan)
        return {"values": np.full(len(case.targets), np.nan), "paths": nothing}
    whole = round(job.values.get("firms.count", case.scenario.firms.count)) / scenario.firms.count
    return {"values": values * size, "paths": found.paths * whole}


def runs_at(
    case: "Case",
    axes: Sequence[Axis],
    places: np.ndarray,
    seeds: Sequence[int],
    folder: Path,
    made_of: object,
    workers: Workers,
    progress: Progress | None = None,
    force: bool = False,
) -> Row:
    """A run at each place, with its seed: "values" (runs, targets) and "paths" (runs, quarters, len(PATHS)).

    Args:
        places: (runs, parameters). folder, made_of, force: see `Store.open`.

    Raises:
        OtherTable, OSError, WorkerError: see `simulations`.
    """
    jobs = [
        Job(case, {axis.path: axis.value(float(z)) for axis, z in zip(axes, place, strict=True)}, int(seed))
        for place, seed in zip(places, seeds, strict=True)
    ]
    return table_of(run_once, jobs, Store.open(folder, made_of, force), workers, progress)
