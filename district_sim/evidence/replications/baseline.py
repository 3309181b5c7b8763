"""Runs of the baseline scenario, in which stylised facts are looked for: one set of parameters for all of them.

They are looked for in the calm window, quarters 1 to 40, as the sources studied districts before, or apart from, the
shock that the scenario's later quarters are about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from district_sim.evidence.replications.claims import mean_and_error, shown
from district_sim.kernels.draws import replicate_seed
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.run.workers import Progress, measured
from district_sim.scenario.files import load_scenario
from district_sim.text.sheet import Sheet

CALM = 40  # quarters
RUNS = 100

type Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be measured in one run of the baseline."""

    measure: Callable[[Parameters, int], Found]
    """Of a module, as it goes to other processes."""
    seed: int
    overrides: tuple[tuple[str, Any], ...] = ()


def seeds_of(seed: int, runs: int) -> list[int]:
    """The seed of each run."""
    return [replicate_seed(seed, run) for run in range(runs)]


def look(jobs: Sequence[Look], progress: Progress | None = None, workers: int | None = None) -> list[Found]:
    """What was found in each run, in order.

    Args:
        progress: called with the runs done and all. workers: processes; by default all cores, or none for few runs.
    """
    return measured(_one, jobs, progress, workers)


def _one(job: Look) -> Found:
    return job.measure(parameters_of(load_scenario("baseline", dict(job.overrides))), job.seed)


def over_runs(found: Sequence[Found], name: str) -> np.ndarray:
    """One measured number in each run, (runs,)."""
    return np.array([one[name] for one in found], float)


def points_of(found: Sequence[Found], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Mean, standard error and 90 % band over runs of numbers, one row each.

    Args:
        names: from the key in what was found to words.
    """
    points = []
    for name, words in names.items():
        values = over_runs(found, name)
        mean, error = mean_and_error(values)
        low, high = np.quantile(values, (0.05, 0.95))
        points.append(
            {"quantity": words, "mean": mean, "mean_se": error, "low": float(low), "high": float(high)}
            | {"runs": values.size}
        )
    return points


def points_sheet(title: str, points: Sequence[Mapping[str, Any]], setting: Mapping[str, Any]) -> Sheet:
    """The points as a table to read."""
    rows = [
        (point["quantity"], shown(point["mean"], point["mean_se"]), f"{point['low']:.3g} to {point['high']:.3g}")
        for point in points
    ]
    note = "±: standard error over runs. 90 % of runs: from the 5th to the 95th percentile. "
    note += ", ".join(f"{name} {value}" for name, value in setting.items())
    return Sheet.plain(title, ("Quantity", "Mean", "90 % of runs"), rows, f"{note}.")
