"""Cognitive distance to alliance partners and innovation, in the baseline: is the effect an inverted U?

As the papers do, a panel of firms and years is regressed on the mean distance to a firm's partners and its square. An
alliance is a tie that is trusted enough to carry tacit knowledge; distance is that of the firms' tacit knowledge at the
beginning of the year; what is explained happens in the year. The panel begins with the quarter in which a radical
innovation is first feasible. It takes firms of five years and more: a newborn knows a part of what its parent knows,
which puts the same distance between all newborns and their parents.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from district_sim.evidence.replications.claims import Claim, Evidence, Source, interval_of, shown
from district_sim.evidence.replications.exchange import SettingError
from district_sim.evidence.replications.regression import Fit, poisson
from district_sim.kernels.draws import replicate_seed
from district_sim.model.parameters import parameters_of
from district_sim.run.workers import Progress, measured

NOOTEBOOM_2007 = Source("Nooteboom et al.", 2007, "10.1016/j.respol.2007.04.003")
WUYTS_2005 = Source("Wuyts et al.", 2005, "10.1016/j.jebo.2004.03.019")
BROEKEL_2012 = Source("Broekel & Boschma", 2012, "10.1093/jeg/lbr010")

RUNS = 800
"""Few firms stand beyond the optimum: with fewer runs its interval reaches beyond the data."""
YEAR = 4  # quarters
OLD_ENOUGH = 20  # quarters
CLOSE = 0.05  # the share of firms whose partners are closest
OUTCOMES = {
    "radical": "Radical innovations",
    "incremental": "Increments",
    "learned": "Knowledge learned from partners",
}
CONTROLS = ("ln employees", "ln age", "ln(1 + R&D)", "ln alliances")
_WHY = (
    "In the model increments come from R&D and from what partners taught, radical innovations from knowledge of the "
    "next trajectory. Most distances lie below the optimum: where curves fall they rest on few firms of many runs."
)
_BINS = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.21, 0.25, 1.0)

type Panel = dict[str, np.ndarray]
type Curve = Callable[[np.ndarray], np.ndarray]


def inverted_u(
    seed: int = 0,
    runs: int | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
) -> Evidence:
    """Radical and incremental innovation, and learning, over cognitive distance in runs of the baseline scenario.

    Args:
        overrides: values that win over the scenario's, for smaller districts; by default none. The others: see
            `Replication`.

    Raises:
        SettingError: there are too few runs for the regression.
    """
    runs = RUNS if runs is None else runs
    jobs = [(replicate_seed(seed, run), dict(overrides or {})) for run in range(runs)]
    panels = _panels(jobs, progress, workers)
    try:
        fits = {name: regress(panels, name) for name in OUTCOMES}
    except ValueError as error:
        raise SettingError("runs", f"must be more than {runs}: {error}") from None
    distances = np.concatenate([panel["distance"] for panel in panels])
    curves = {name: _curve(panels, name, fit) for name, fit in fits.items()}
    points = _points(panels, curves)
    setting = {"scenario": "baseline", "runs": runs, "seed": seed, "firm-years": distances.size, **(overrides or {})}
    return Evidence(
        name="inverted-u",
        title="Cognitive distance between partners and innovation (Nooteboom et al. 2007)",
        setting=setting,
        points=points,
        claims=_claims(fits, distances, runs) if runs > 1 else (),
        sheet=_sheet(fits, distances, setting),
        draw=partial(
            _draw, points, curves, {name: fit.optimum for name, fit in fits.items() if fit.coefficients[2] < 0}
        ),
    )


# The panel ----------------------------------------------------------------------------------------


def panel(seed: int, overrides: Mapping[str, Any]) -> Panel:
    """Firms and years of one run of the baseline, one entry of each array for a firm in a year.

    Returns:
        `distance` and the controls at the beginning of the year, `year`, and `OUTCOMES` during it.
    """
    from district_sim.run.run import quarters_of
    from district_sim.scenario.files import load_scenario

    scenario = load_scenario("baseline", dict(overrides))
    p, quarters = parameters_of(scenario), scenario.run.quarters
    first = min(int(p.derived.ripe_at[1:].min(initial=quarters)), quarters)
    years: list[Panel] = []
    before: Any = None
    for quarter, state, *_ in quarters_of(p, seed, quarters, range(quarters)):
        if years and quarter <= first + len(years) * YEAR:
            _count(years[-1], before, state.firms, float(p.innovation.pioneers[0]))
        if quarter >= first and (quarter - first) % YEAR == 0 and quarter + YEAR <= quarters:
            years.append(_allied(state, float(p.knowledge.trust_threshold[0]), (quarter - first) // YEAR))
        before = state.firms[: int(state.clock.rows[0])].copy()
    return {name: np.concatenate([year[name] for year in years]) for name in years[0] if name != "row"}


def _allied(state: Any, threshold: float, year: int) -> Panel:
    """Firms that are old enough and have an alliance, as they stand."""
    firms = state.firms[: int(state.clock.rows[0])]
    ties = state.ties[: len(firms)]
    tacit = firms.tacit.astype(np.float64)
    length = np.linalg.norm(tacit, axis=1)
    row, slot = np.nonzero((ties.partner >= 0) & (ties.trust > threshold) & firms.alive[:, None])
    other = ties.partner[row, slot]
    apart = np.linalg.norm(tacit[row] - tacit[other], axis=1) / np.maximum(length[row] + length[other], 1e-30)
    alliances = np.bincount(row, minlength=len(firms))
    age = state.clock.step[0] - firms.founded
    rows = np.flatnonzero((alliances > 0) & (age >= OLD_ENOUGH))
    found = {
        "row": rows,
        "distance": (np.bincount(row, apart, len(firms)) / np.maximum(alliances, 1))[rows],
        "ln employees": np.log(np.maximum(firms.employees[rows], 0.1)),
        "ln age": np.log(age[rows]),
        "ln(1 + R&D)": np.log1p(firms.research[rows]),
        "ln alliances": np.log(alliances[rows]),
        "year": np.full(rows.size, year),
    }
    return found | {name: np.zeros(rows.size) for name in OUTCOMES}


def _count(year: Panel, before: Any, after: Any, pioneers: float) -> None:
    """Add a quarter's innovations and learning; a switch is radical as in `processes.innovation`."""
    rows, alive = year["row"], before.alive
    now = after[: len(before)]
    switched = now.technology > before.technology
    levels = np.arange(int(now.technology.max(initial=0)) + 1)
    ahead = (before.technology[alive][:, None] >= levels).sum(axis=0)
    radical = switched & (ahead[now.technology] < pioneers * alive.sum())
    year["radical"] += radical[rows]
    year["incremental"] += np.where(switched, 0, now.increments - before.increments)[rows]
    year["learned"] += np.where(now.alive, now.inflow_local, 0.0)[rows]


def _panels(jobs: Sequence[tuple[int, dict[str, Any]]], progress: Progress | None, workers: int | None) -> list[Panel]:
    return measured(_job, jobs, progress, workers)


def _job(job: tuple[int, dict[str, Any]]) -> Panel:
    return panel(*job)


# The regression -----------------------------------------------------------------------------------


def regress(panels: Sequence[Panel], outcome: str) -> Fit:
    """An outcome on distance, its square, `CONTROLS` and a constant for each year.

    Raises:
        ValueError: see `poisson`.
    """
    years = sorted({int(year) for one in panels for year in np.unique(one["year"])})
    happened = {y for y in years if any(one[outcome][one["year"] == y].any() for one in panels)}
    base = min(happened, default=0)

    def regressors(one: Panel) -> np.ndarray:
        dummies = [one["year"] == y for y in sorted(happened) if y != base]
        columns = [np.ones(one["distance"].size), one["distance"], one["distance"] ** 2]
        return np.column_stack([*columns, *(one[name] for name in CONTROLS), *dummies])

    # a year without any innovation says nothing about distance: its constant is minus infinity
    kept = [{name: a[np.isin(one["year"], list(happened))] for name, a in one.items()} for one in panels]
    return poisson([one[outcome] for one in kept], [regressors(one) for one in kept])


def _curve(panels: Sequence[Panel], outcome: str, fit: Fit) -> Curve:
    """What the quadratic says of a firm at a distance that is otherwise like the others."""

    def height(distance: np.ndarray) -> np.ndarray:
        return np.exp(fit.coefficients[1] * distance + fit.coefficients[2] * distance**2)

    shape = height(np.concatenate([one["distance"] for one in panels]))
    level = np.concatenate([one[outcome] for one in panels]).mean() / shape.mean()
    return lambda distance: level * height(distance)


def _points(panels: Sequence[Panel], curves: Mapping[str, Curve]) -> list[dict[str, Any]]:
    """Mean outcomes of firm-years by distance, with errors over runs, and what the quadratic says there."""
    points = []
    for name, curve in curves.items():
        for low, high in pairwise(_BINS):
            inside = [(one["distance"] >= low) & (one["distance"] < high) for one in panels]
            many = np.array([part.sum() for part in inside], float)
            if not many.any():
                continue
            sums = np.array([one[name][part].sum() for one, part in zip(panels, inside, strict=True)])
            rate = float(sums.sum() / many.sum())
            error = np.sqrt(((sums - rate * many) ** 2).sum()) / many.sum() if len(panels) > 1 else np.nan
            at = sum(float(one["distance"][part].sum()) for one, part in zip(panels, inside, strict=True)) / many.sum()
            fitted = float(curve(np.array([at]))[0])
            points.append(
                {"outcome": name, "distance": float(at), "mean": rate, "mean_se": float(error), "fitted": fitted}
                | {"firm_years": int(many.sum())}
            )
    return points


# Claims -------------------------------------------------------------------------------------------


def _claims(fits: Mapping[str, Fit], distances: np.ndarray, runs: int) -> tuple[Claim, ...]:
    low, high = float(distances.min()), float(distances.max())
    close = float(np.quantile(distances, CLOSE))
    radical, incremental = fits["radical"], fits["incremental"]
    more = float(radical.coefficients[1] - incremental.coefficients[1])
    error = float(np.linalg.norm(radical.influence[:, 1] - incremental.influence[:, 1]))
    hill = partial(_hill, low=low, high=high, runs=runs)
    return (
        hill("Radical innovation is an inverted U of distance: its optimum", radical, NOOTEBOOM_2007),
        hill("Incremental innovation is an inverted U of distance: its optimum", incremental, NOOTEBOOM_2007),
        _above("Positive effect of distance on radical less that on incremental innovation", more, error, runs),
        hill("Learning from partners is an inverted U of distance: its optimum", fits["learned"], WUYTS_2005),
        _too_close("radical", radical, close, runs),
        _too_close("incremental", incremental, close, runs),
    )


def _hill(text: str, fit: Fit, source: Source, low: float, high: float, runs: int) -> Claim:
    target = f"rise and fall within {low:.2g} to {high:.2g}"
    passed = fit.is_inverted_u(low, high)
    return Claim(
        text, source, "published", target, fit.optimum, fit.optimum_error, fit.optimum_interval(), runs, passed
    )


def _above(text: str, value: float, error: float, runs: int, source: Source = NOOTEBOOM_2007) -> Claim:
    interval = interval_of(value, error)
    return Claim(text, source, "published", "> 0", value, error, interval, runs, interval[0] > 0.0)


def _too_close(name: str, fit: Fit, at: float, runs: int) -> Claim:
    text = f"Too close partners: slope of {OUTCOMES[name].lower()} where they are closest ({at:.3f})"
    return _above(text, *fit.slope(at), runs, BROEKEL_2012)


# What is shown ------------------------------------------------------------------------------------


def _sheet(fits: Mapping[str, Fit], distances: np.ndarray, setting: Mapping[str, Any]) -> Any:
    from district_sim.text.sheet import Sheet

    names = ("Distance", "Distance squared", *CONTROLS)
    rows = [
        (name, *(shown(fit.coefficients[k], fit.errors[k]) for fit in fits.values()))
        for k, name in enumerate(names, start=1)
    ]
    low, median, high = np.quantile(distances, (0.01, 0.5, 0.99))
    note = (
        "Poisson regressions of firms and years, with a constant for each year; log points. ±: standard error, "
        f"clustered by run. Distance: median {median:.3f}, 98 % from {low:.3f} to {high:.3f}, "
        f"largest {distances.max():.3f}. {_WHY} " + ", ".join(f"{name} {value}" for name, value in setting.items())
    )
    return Sheet.plain("Innovation and cognitive distance", ("", *OUTCOMES.values()), rows, f"{note}.", left=1)


def _draw(points: Sequence[Mapping[str, Any]], curves: Mapping[str, Curve], optima: Mapping[str, float]) -> Any:
    from district_sim import figures

    return figures.distance_curves(points, OUTCOMES, curves, optima)
