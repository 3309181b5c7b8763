"""Global sensitivity: Morris screening, then Sobol' indices, by SALib on the table of runs.

Replicates are averaged at each point. As every point meets the same luck, an index says how much of the variation of
the outcome's mean under that luck comes from a parameter; more replications make it less particular to the draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.experiments.points import place

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.design import Value
    from district_sim.experiments.ranges import Parameter

CONFIDENCE = 0.95
_RESAMPLES = 1000
_LEVELS = 4  # of Morris' grid, as `points.unit_sample` draws it


def saltelli_sample(parameters: Sequence[Parameter], base: int, seed: int) -> dict[str, tuple[Value, ...]]:
    """Points for Sobol' indices by Saltelli's scheme (2010, doi 10.1016/j.cpc.2009.09.018).

    Args:
        base: N, a power of two; the scheme has N (k + 2) points for k parameters.
        seed: of the scrambling, >= 0.

    Returns:
        Values by path, in the order that `sobol_indices` expects: the columns of a "list" design.
    """
    from SALib.sample import sobol

    unit = sobol.sample(_problem(parameters), base, calc_second_order=False, seed=np.random.default_rng(seed))
    return {
        parameter.path: tuple(place(parameter.values(), float(share)) for share in column)
        for parameter, column in zip(parameters, unit.T, strict=True)
    }


def means_at_points(runs: pd.DataFrame, outcome: str, points: int) -> np.ndarray:
    """The outcome at each point, averaged over its finished replicates.

    Args:
        runs: as `Results.runs`: point, status and the outcome.
        points: how many the design has.

    Returns:
        Shape (points,).

    Raises:
        ValueError: a point has no finished run, a value is not finite, or the outcome is the same everywhere.
    """
    finished = runs[runs["status"] == "done"]
    means = finished.groupby("point")[outcome].mean().reindex(range(points)).to_numpy(dtype=float)
    missing = int(np.isnan(means).sum())
    if missing:
        raise ValueError(f"{missing} of {points} points have no finished run with a value of {outcome}")
    if not np.isfinite(means).all():
        raise ValueError(f"{outcome} is infinite at some points; choose an outcome that is always finite")
    if np.ptp(means) <= 1e-12 * np.abs(means).max():
        raise ValueError(f"{outcome} is the same at all {points} points: none of the parameters matters to it")
    return means


def morris_indices(
    parameters: Sequence[Parameter], unit: np.ndarray, values: np.ndarray, seed: int = 0
) -> pd.DataFrame:
    """Elementary effects (Morris 1991, doi 10.1080/00401706.1991.10484804), greatest mu* first.

    An effect is the change of the outcome per width of the parameter's range, in units of the outcome. mu* is the mean
    of its size (Campolongo, Cariboni & Saltelli 2007, doi 10.1016/j.envsoft.2006.10.004), sigma its standard
    deviation: how far it depends on the other parameters or on where in its range the parameter stands.

    Args:
        unit: the sample in the unit cube, shape (points, k), before it was rounded to whole numbers and switches.
        values: outcome, shape (points,).
        seed: of the bootstrap.

    Returns:
        Columns parameter, low, high, mu, mu_star, mu_star_conf (half width of the 95 % bootstrap interval), sigma.
    """
    from SALib.analyze import morris

    found = morris.analyze(
        _problem(parameters), unit, values, num_resamples=_RESAMPLES, conf_level=CONFIDENCE, num_levels=_LEVELS,
        seed=np.random.default_rng(seed),
    )  # fmt: skip
    table = _ranges(parameters)
    for name in ("mu", "mu_star", "mu_star_conf", "sigma"):
        table[name] = np.asarray(found[name], dtype=float)
    return table.sort_values("mu_star", ascending=False, ignore_index=True, kind="stable")


def sobol_indices(parameters: Sequence[Parameter], values: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """First-order and total indices (Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018), greatest total first.

    S1 is the share of the outcome's variance that the parameter brings alone, ST what it brings with all its
    interactions. Estimates may fall a little outside 0 to 1; their intervals say by how much to trust them.

    Args:
        values: outcome at the points of `saltelli_sample`, shape (N (k + 2),).
        seed: of the bootstrap.

    Returns:
        Columns parameter, low, high, S1, S1_conf, ST, ST_conf (half widths of 95 % bootstrap intervals).
    """
    from SALib.analyze import sobol

    found = sobol.analyze(
        _problem(parameters), values, calc_second_order=False, num_resamples=_RESAMPLES, conf_level=CONFIDENCE,
        seed=seed + 1,  # SALib takes 0 for no seed
    )  # fmt: skip
    table = _ranges(parameters)
    for name in ("S1", "S1_conf", "ST", "ST_conf"):
        table[name] = np.asarray(found[name], dtype=float)
    return table.sort_values("ST", ascending=False, ignore_index=True, kind="stable")


def most_influential(morris: pd.DataFrame, parameters: Sequence[Parameter], count: int) -> list[Parameter]:
    """The `count` parameters with the greatest mu*, in the order of the schema; fewer if the others have no effect."""
    kept = set(morris.loc[morris["mu_star"] > 0.0, "parameter"].head(count))
    return [parameter for parameter in parameters if parameter.path in kept]


def _problem(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """SALib's problem: the unit cube, so that whole numbers, switches and numbers are treated alike."""
    names = [parameter.path for parameter in parameters]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _ranges(parameters: Sequence[Parameter]) -> pd.DataFrame:
    import pandas as pd

    rows = [(parameter.path, parameter.low, parameter.high) for parameter in parameters]
    return pd.DataFrame(rows, columns=["parameter", "low", "high"])
