"""Fit a few parameters to observations of a district, and report which parameters the observations identify.

Nonlinear least squares by scipy's trust-region method on common random numbers: every trial runs the same seeds, so
that differences between trials come from the parameters. The scenario's own values pull weakly (see `identify`), so
that parameters which the targets say nothing about stay where they were. Seeds of the fit and of the report differ.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.files import Case, Prior
from district_sim.evidence.cases.identify import Identified, identify
from district_sim.evidence.cases.runs import counted, in_both, runs_of, scaled
from district_sim.run.workers import Progress, Workers, compile_first
from district_sim.scenario.paths import value_at

if TYPE_CHECKING:
    from district_sim.scenario.sections import Scenario

FIT_SEEDS, REPORT_SEEDS = range(100), range(1000, 1050)
"""Seeds that a fit may use; seeds on which its result is reported."""
DIGITS = 4
"""Significant digits of a fitted value."""
_STEP = 0.25  # standard deviations of the prior, to each side: what effects are measured by
_CLOSE = 2e-3  # relative change of the sum of squares, or of the parameters, below which the search ends
_EDGE = 0.02  # share of a range, at its ends, that counts as its end


class _Spent(Exception):
    """The budget of runs does not allow what is wanted next."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter as the search sees it: 0 is the scenario's own value, 1 a standard deviation of the prior."""

    path: str
    centre: float
    spread: float
    prior: Prior
    whole: bool = False
    """Whether it is a whole number, such as a number of firms."""

    @classmethod
    def of(cls, path: str, prior: Prior, value: float) -> "Axis":
        """Around a value within the prior's range; a value that is a whole number stays one."""
        low, high, centre = (np.log((prior.low, prior.high, value))) if prior.log else (prior.low, prior.high, value)
        return cls(path, float(centre), float(high - low) / 4.0, prior, isinstance(value, int))

    def value(self, z: float) -> float:
        """The parameter's value, within its range, to `DIGITS`."""
        inner = self.centre + self.spread * z
        inner = float(np.exp(inner)) if self.prior.log else inner
        inner = min(self.prior.high, max(self.prior.low, inner))
        return round(inner) if self.whole else float(f"{inner:.{DIGITS}g}")

    def place(self, value: float) -> float:
        """Where a value lies."""
        return ((float(np.log(value)) if self.prior.log else value) - self.centre) / self.spread

    @property
    def ends(self) -> tuple[float, float]:
        """The range's ends."""
        return self.place(self.prior.low), self.place(self.prior.high)

    def at_end(self, value: float) -> bool:
        """Whether a value lies at an end of its range."""
        low, high = self.ends
        return min(self.place(value) - low, high - self.place(value)) < _EDGE * (high - low)


@dataclass
class Journal:
    """Every trial that was made, in a file if there is one: a fit that goes on finds them there."""

    path: Path | None = None
    trials: dict[tuple[float, ...], np.ndarray] = field(default_factory=dict)
    """From the parameters' values to the targets': (seeds, targets)."""

    def keep(self, values: tuple[float, ...], found: np.ndarray) -> None:
        """Add one trial, whole."""
        self.trials[values] = found
        if self.path is not None:
            told = [[None if np.isnan(value) else value for value in row] for row in found.tolist()]
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([values, told]) + "\n")


@dataclass(frozen=True, slots=True)
class Fit:
    """What a calibration found."""

    case: Case
    values: dict[str, float]
    """Fitted, by path."""
    start_error: float
    error: float
    """Root mean square of the fitted targets' errors, in standard deviations: before and after."""
    ended: str
    """Why the search ended, in words."""
    complete: bool
    """False if it was interrupted."""
    seeds: Sequence[int]
    runs: int
    """Runs that the search wanted, those found in the journal included."""
    identified: Identified | None
    """None if it was interrupted before."""
    at_end: tuple[str, ...]
    """Parameters at an end of their range."""

    @property
    def scenario(self) -> "Scenario":
        """The case's scenario with the fitted values."""
        return scaled(self.case.scenario, 1.0, self.values)


class Search:
    """The trials of one fit."""

    def __init__(
        self,
        case: Case,
        seeds: Sequence[int],
        budget: int,
        journal: Journal,
        workers: Workers,
        progress: Progress | None = None,
    ) -> None:
        data = case.scenario.model_dump(mode="json")
        self.case, self.seeds, self.budget, self.journal, self.workers = case, seeds, budget, journal, workers
        self._progress, self._made = progress, 0
        self.axes = [Axis.of(path, prior, value_at(data, path)) for path, prior in case.parameters.items()]
        self.fitted = np.array([target.fit for target in case.targets])
        chosen = [target for target in case.targets if target.fit]
        self.observed = np.array([target.value for target in chosen], float)
        self.tolerance = np.array([target.tolerance for target in chosen], float)
        self.asked: set[tuple[float, ...]] = set()
        self.weight = self.tolerance
        self.best: tuple[float, np.ndarray] = (np.inf, np.zeros(len(self.axes)))

    @property
    def runs(self) -> int:
        """Runs that the search wanted so far, those found in the journal included."""
        return len(self.asked) * len(self.seeds)

    def values(self, z: np.ndarray) -> tuple[float, ...]:
        """The parameters' values at a place of the search."""
        return tuple(axis.value(float(step)) for axis, step in zip(self.axes, z, strict=True))

    def tried(self, places: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The fitted targets' values at each place: (seeds, fitted targets)."""
        points = [self.values(place) for place in places]
        if len(self.asked.union(points)) * len(self.seeds) > self.budget:
            raise _Spent
        self._make([point for point in dict.fromkeys(points) if point not in self.journal.trials])
        self.asked.update(points)
        return [self.journal.trials[point][:, self.fitted] for point in points]

    def _make(self, points: Sequence[tuple[float, ...]]) -> None:
        """Run points one after the other, the seeds of each at once; a point is kept as soon as it is whole."""
        case, each = self.case, len(self.seeds)
        for point in points:
            named = dict(zip(case.parameters, point, strict=True))
            found = runs_of(case, self.seeds, self.workers, self._tell, case.scale, named)
            scenario = scaled(case.scenario, case.scale, named)
            values = np.array([run.values for run in found]) * counted(case, scenario, named)
            assert values.shape == (each, len(case.targets))
            self.journal.keep(point, values)

    def _tell(self, *_: int) -> None:
        self._made += 1
        if self._progress is not None:
            self._progress(self._made, self.budget)

    def residuals(self, z: np.ndarray) -> np.ndarray:
        """Errors of the targets, then steps from the scenario's own values, in standard deviations."""
        told = self.tried([z])[0].mean(axis=0)
        found = np.concatenate([(told - self.observed) / self.weight, z])
        if np.isfinite(found).all() and found @ found < self.best[0]:
            self.best = float(found @ found), z.copy()
        return found

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """The residuals' derivatives."""
        effects, _ = self.effects(z)
        return np.vstack([np.nan_to_num(effects / self.weight[:, None]), np.eye(len(self.axes))])

    def effects(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Change of the targets per standard deviation of each prior, and its standard error: (targets, parameters)."""
        places, widths = [], []
        for k, axis in enumerate(self.axes):
            low, high = axis.ends
            for end in (max(low, z[k] - _STEP), min(high, z[k] + _STEP)):
                place = z.copy()
                place[k] = end
                places.append(place)
            widths.append(axis.place(self.values(places[-1])[k]) - axis.place(self.values(places[-2])[k]))
        found = self.tried(places)
        changes = [(found[2 * k + 1] - found[2 * k]) / width for k, width in enumerate(widths)]
        error = [change.std(axis=0, ddof=1) / np.sqrt(len(change)) for change in changes]
        return np.column_stack([change.mean(axis=0) for change in changes]), np.column_stack(error)

    def weigh(self, z: np.ndarray) -> np.ndarray:
        """Standard deviation of a target at a place: how roughly it is known, and the luck of the one real history.

        Luck falls with the root of the number of firms; a scaled district has more of it than the real one had.
        """
        luck = np.nan_to_num(self.tried([z])[0].std(axis=0, ddof=1)) * np.sqrt(self.case.scale)
        return np.hypot(self.tolerance, luck)

    def error(self, z: np.ndarray) -> float:
        """Root mean square error of the fitted targets, in tolerances."""
        told = self.journal.trials[self.values(z)][:, self.fitted].mean(axis=0)
        return float(np.sqrt(np.mean(((told - self.observed) / self.tolerance) ** 2)))


def calibrate(
    case: Case,
    *,
    seed: int = 0,
    seeds: int = 10,
    budget: int = 3000,
    workers: int | None = None,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a case's parameters to its targets.

    Args:
        case: with at least one target to fit and one parameter.
        seed: first seed of the fit. seeds: how many, >= 2; all of them within `FIT_SEEDS`.
        budget: runs at most; the search ends where the next step would need more.
        workers: processes; by default all cores.
        journal: of trials made before with the same case, seeds and version.
        progress: called with the runs made and the budget.

    Raises:
        ValueError: there is nothing to fit, or a number is out of its range.
        Interrupted: by Ctrl-C; holds the best fit so far, if there is one.
    """
    check(case, seed, seeds, budget)
    with Workers(workers) as crew:
        compile_first([case.scenario])
        search = Search(case, range(seed, seed + seeds), budget, journal or Journal(), crew, progress)
        try:
            return _fit(search)
        except KeyboardInterrupt:
            if not np.isfinite(search.best[0]):
                raise
            raise Interrupted(_result(search, "it was interrupted", None)) from None


class Interrupted(KeyboardInterrupt):
    """A calibration that was stopped; `fit` is the best so far."""

    def __init__(self, fit: Fit) -> None:
        super().__init__(fit)
        self.fit = fit


def check(case: Case, seed: int, seeds: int, budget: int) -> None:
    """Raises ValueError where `calibrate` could not begin."""
    least = (2 * len(case.parameters) + 1) * seeds
    if not case.parameters:
        raise ValueError(f"{case.name}: no parameters are declared")
    if not any(target.fit for target in case.targets):
        raise ValueError(f"{case.name}: no target has fit: true")
    if seeds < 2 or seed < 0 or seed + seeds > len(FIT_SEEDS):
        last = FIT_SEEDS[-1]
        raise ValueError(f"the fit may use seeds 0 to {last}, at least two: not {seed} to {seed + seeds - 1}")
    if budget < 2 * least:
        raise ValueError(f"a budget of {budget} runs is too small: {case.name} needs at least {2 * least}")


def _fit(search: Search) -> Fit:
    from scipy.optimize import least_squares

    start = np.zeros(len(search.axes))
    search.weight = search.weigh(start)
    if not np.isfinite(search.residuals(start)).all():
        raise ValueError(f"{search.case.origin}: a target is not a number: a run ended early, or a ratio divides by 0")
    low, high = (np.array(ends) for ends in zip(*(axis.ends for axis in search.axes), strict=True))
    reserve = 2 * len(search.axes) * len(search.seeds)  # for the effects at the end
    search.budget -= reserve
    try:
        found = least_squares(
            search.residuals, start, search.slopes, (low, high), xtol=_CLOSE, ftol=_CLOSE, gtol=None, x_scale=1.0
        )
        ended = "it converged" if found.success else "it could not continue"
    except _Spent:
        ended = "the budget was spent"
    search.budget += reserve
    return _result(search, ended, search.best[1])


def _result(search: Search, ended: str, at: np.ndarray | None) -> Fit:
    """The best place found; with what the targets identify there, if `at` says where to look."""
    best, identified = search.best[1], None
    if at is not None:
        weight = search.weigh(best)
        effects, errors = search.effects(best)
        identified = identify(list(search.case.parameters), effects / weight[:, None], errors / weight[:, None])
    values = search.values(best)
    return Fit(
        case=search.case,
        values=dict(zip(search.case.parameters, values, strict=True)),
        start_error=search.error(np.zeros(len(search.axes))),
        error=search.error(best),
        ended=ended,
        complete=at is not None,
        seeds=search.seeds,
        runs=search.runs,
        identified=identified,
        at_end=tuple(axis.path for axis, value in zip(search.axes, values, strict=True) if axis.at_end(value)),
    )


def with_fit(fit: Fit) -> Case:
    """The case with the fitted scenario in place of the one that the fit began with."""
    case = fit.case
    comparison = None if case.comparison is None else scaled(case.comparison, 1.0, in_both(case, fit.values))
    return replace(case, scenario=fit.scenario, comparison=comparison)


def as_report(fit: Fit) -> dict[str, Any]:
    """The fit for JSON, without the runs of the report."""
    return {
        "case": fit.case.name,
        "parameters": {
            path: {"fitted": fit.values[path], **prior.model_dump(), "at_end": path in fit.at_end}
            for path, prior in fit.case.parameters.items()
        },
        "error_before": fit.start_error,
        "error_after": fit.error,
        "ended": fit.ended,
        "complete": fit.complete,
        "seeds": [fit.seeds[0], fit.seeds[-1]],
        "runs": fit.runs,
        "identified": fit.identified.as_dict() if fit.identified else None,
    }
