"""What will come, and how sure it is: runs over draws from a posterior and, for each draw, over several lucks.

The same draws and the same lucks serve every policy mix, so that differences between mixes are differences of pairs.
Where a case says what was observed, lucks of a draw count by how near their history came to it (their weights): of all
histories that a draw allows, those that look like the real one. A draw's weight stays what the posterior gave it.

The model's own error is no part of the runs. It is laid over them, one error for each path: see `discrepancy`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.runs import scaled, seen_in
from district_sim.evidence.posterior.discrepancy import MODEL_ERROR, Discrepancy
from district_sim.evidence.posterior.fit import FIRST_SEED, fitted_columns, on_scales
from district_sim.evidence.posterior.inference import Data
from district_sim.evidence.posterior.posterior import Posterior
from district_sim.evidence.posterior.simulations import Row, Store, table_of
from district_sim.run.trajectories import DEFAULT_THRESHOLDS, Ramp, Thresholds, Trajectory, score
from district_sim.run.workers import Progress, Workers, compile_first
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.indicators import INDICATORS, NAMES
from district_sim.scenario.paths import value_at
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case

LUCKS = 5
"""Runs of each draw."""
MOVED = 0.2
"""By up to so much, up or down, the thresholds of labels are moved."""
SETS = 24
"""Sets of moved thresholds; the first are those of the model."""
LABELS = (*Trajectory, None)
"""In the order of their codes."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_YEAR = 4
_SEEDS = 900_000_000  # where the seeds of forecasts begin, beyond those of fits


@dataclass(frozen=True, slots=True)
class Journey:
    """One run to be made."""

    scenario: Scenario
    seed: int
    wanted: tuple[tuple[Any, ...], ...]
    rows: tuple[int, ...]
    """Quarters of which the indicators are kept."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be foretold."""

    case: "Case"
    """Its scenario runs to the end of the forecast."""
    draws: list[dict[str, float]]
    lucks: int
    mixes: dict[str, Scenario]
    """The scenario under each policy mix, the first is what the others are compared with."""
    seed: int
    data: Data | None
    """What was observed, None if nothing was."""

    @property
    def rows(self) -> tuple[int, ...]:
        """Quarters that are kept: the first, the end of each year, the last."""
        length = self.case.scenario.run.quarters
        return tuple(sorted({1, *range(_YEAR, length + 1, _YEAR), length}))

    @property
    def dates(self) -> list[float]:
        """The same as years; the number of years since the start where the run has no dates."""
        first = self.case.calendar.year(0) if self.case.scenario.run.start is not None or self.case.targets else 0.0
        return [first + row / _YEAR for row in self.rows]

    @property
    def seen_until(self) -> int:
        """The last quarter of which a fitted target was observed, 0 if none was."""
        looks = [self.case.wanted[column] for column in fitted_columns(self.case)] if self.data is not None else []
        return max((int(look[1]) for look in looks), default=0)


def check_paths(paths: int, lucks: int) -> None:
    """Raises ScenarioError where so many paths cannot be made."""
    if lucks < 2 or paths < 4 * lucks:
        raise ScenarioError(f"--paths must be at least {4 * max(lucks, 2)} and --lucks at least 2")


def plan_of(
    case: "Case",
    posterior: Posterior,
    paths: int,
    mixes: Mapping[str, Any],
    quarters: int | None = None,
    lucks: int = LUCKS,
    seed: int = 0,
) -> Plan:
    """What is to be run.

    Args:
        case: the district. paths: runs of each mix. mixes: instruments by name, in the order wanted; empty for the
            scenario's own. quarters: length of the runs, by default the scenario's. lucks: of each draw.

    Raises:
        ScenarioError: the posterior's parameters are not those of a scenario, or a number is out of its range.
    """
    from district_sim.scenario.policy_files import OWN, laid_over

    check_paths(paths, lucks)
    scenario = case.scenario
    data = scenario.model_dump(mode="json")
    for path in posterior.parameters:
        if value_at(data, path) is None:
            raise ScenarioError(f"--posterior: {case.origin} has no parameter {path}")
    if quarters is not None:
        latest = max((int(look[1]) for look in case.wanted), default=2)
        if quarters < latest:
            raise ScenarioError(f"--until: the targets of {case.name} go on to {case.calendar.date(latest)}")
        data["run"] = {**data["run"], "quarters": quarters}
        scenario = Scenario.model_validate(data)
    longer = replace(case, scenario=scenario)
    laid = {name: laid_over(scenario, mix) for name, mix in mixes.items()} or {OWN: scenario}
    seen = Data.of(replace(case, scale=1.0)) if len(fitted_columns(case)) else None
    return Plan(longer, posterior.chosen(round(paths / lucks), seed), lucks, laid, seed, seen)


def foretell(
    plan: Plan, folder: Path, workers: Workers, progress: Progress | None = None, force: bool = False
) -> "Forecast":
    """Make the runs; what a stopped command made in the folder is used.

    Raises:
        OtherTable, OSError, WorkerError: see `simulations`.
    """
    from district_sim.experiments.plan import model_version, scenario_hash

    compile_first()
    wanted = plan.case.wanted if plan.data is not None else ()
    first = FIRST_SEED + _SEEDS + 10_000_000 * plan.seed
    jobs = [
        Journey(scaled(scenario, 1.0, draw), first + number * plan.lucks + luck, wanted, plan.rows)
        for scenario in plan.mixes.values()
        for number, draw in enumerate(plan.draws)
        for luck in range(plan.lucks)
    ]
    made_of = {
        "model": model_version(),
        "mixes": {name: scenario_hash(one.model_dump(mode="json")) for name, one in plan.mixes.items()},
        "draws": scenario_hash(plan.draws),
        "lucks": plan.lucks,
        "seed": plan.seed,
        "wanted": [list(look) for look in wanted],
    }
    rows = table_of(one_path, jobs, Store.open(folder, made_of, force), workers, progress)
    shape = (len(plan.mixes), len(plan.draws), plan.lucks)
    return Forecast.of(plan, {name: column.reshape(*shape, *column.shape[1:]) for name, column in rows.items()})


def one_path(job: Journey) -> Row:
    """Indicators of some quarters, the targets' values, and the label under each set of thresholds."""
    values, table = seen_in(job.scenario, job.seed, job.wanted)
    columns = dict(zip(NAMES, table.T, strict=False))
    whole = bool(np.isfinite(table[-1, 0]))
    calm = job.scenario.calm_window
    labels = [LABELS.index(score(columns, one, calm_window=calm).label) if whole else -1 for one in moved_thresholds()]
    kept = table[np.array(job.rows) - 1][:, : len(NAMES)]
    return {
        "indicators": kept.astype(np.float32),
        "values": np.asarray(values, float),
        "labels": np.array(labels, np.int8),
    }


def moved_thresholds(sets: int = SETS, seed: int = 0) -> list[Thresholds]:
    """The thresholds of labels, and others in which each is moved by up to `MOVED` of its value, up or down.

    A ramp is moved as a whole. Of ratios to the calm window it is the change that is moved: 1 is no change.
    """
    rng = np.random.default_rng(seed)
    ratios = ("node_alive", "learning", "decline")
    made = [DEFAULT_THRESHOLDS]
    for _ in range(sets - 1):
        changes: dict[str, Any] = {}
        for name in Thresholds.__dataclass_fields__:
            value, factor = getattr(DEFAULT_THRESHOLDS, name), 1.0 + MOVED * (2.0 * rng.random() - 1.0)
            fixed = 1.0 if name in ratios else 0.0
            changes[name] = (
                Ramp(*(fixed + factor * (end - fixed) for end in (value.low, value.high)))
                if isinstance(value, Ramp)
                else fixed + factor * (value - fixed)
            )
        made.append(replace(DEFAULT_THRESHOLDS, **changes))
    return made


# What the runs say --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Split:
    """Variance of something by where it comes from."""

    luck: float
    parameters: float
    other: float
    """The model's own error for an indicator, thresholds for a label."""

    @property
    def total(self) -> float:
        """Of all three."""
        return self.luck + self.parameters + self.other

    def shares(self) -> tuple[float, float, float]:
        """Luck, parameters, other in the total; nan if nothing varies."""
        total = self.total or np.nan
        return self.luck / total, self.parameters / total, self.other / total


@dataclass(frozen=True, slots=True)
class Forecast:
    """Paths over mixes, draws and lucks."""

    plan: Plan
    indicators: np.ndarray
    """(mixes, draws, lucks, dates, len(NAMES))."""
    labels: np.ndarray
    """(mixes, draws, lucks, SETS) places in `LABELS`; -1 for a run that broke off."""
    weights: np.ndarray
    """(draws, lucks) that sum to 1 over all; equal for the lucks of a draw if nothing was observed."""
    observed: Mapping[str, Discrepancy]
    """By indicator, of those that were observed; gaps are (draws, lucks, observations), of the first mix."""

    @classmethod
    def of(cls, plan: Plan, rows: Row) -> "Forecast":
        """From the runs' rows; the first mix decides how near a history came to the real one."""
        weights = np.full((len(plan.draws), plan.lucks), 1.0 / (len(plan.draws) * plan.lucks))
        if plan.data is not None:
            weights = weighed(plan.case, plan.data, rows["values"][0])
        return cls(plan, rows["indicators"].astype(float), rows["labels"], weights, _observed(plan, rows))

    @property
    def effective(self) -> float:
        """Number of paths of equal weight that say as much (Kish 1965)."""
        return float(1.0 / np.sum(self.weights**2))

    def values(self, mix: int, name: str) -> np.ndarray:
        """(draws, lucks, dates) of an indicator."""
        return self.indicators[mix, :, :, :, NAMES.index(name)]

    def corrected(self, mix: int, name: str, size: float) -> np.ndarray:
        """The same, moved towards what was observed: with the mean of the model's error, the same for all mixes."""
        return _laid_on(name, self.values(mix, name), self._error_of(name, size)[0])

    def with_error(self, mix: int, name: str, size: float) -> np.ndarray:
        """The same with all of the model's error, for each path one that might be."""
        values = self.values(mix, name)
        mean, unknown = self._error_of(name, size)
        rng = np.random.default_rng([self.plan.seed, NAMES.index(name)])
        return _laid_on(name, values, mean + rng.normal(size=(*values.shape[:2], 1)) * unknown)

    def _error_of(self, name: str, size: float) -> tuple[np.ndarray, np.ndarray]:
        never = Discrepancy.of((), self.plan.seen_until)
        return self.observed.get(name, never).at(size, np.array(self.plan.rows))

    def band(self, values: np.ndarray) -> np.ndarray:
        """(len(QUANTILES), ...) of values (draws, lucks, ...), by the paths' weights; undefined ones are left out."""
        flat, weights = values.reshape(self.weights.size, -1), self.weights.ravel()
        found = np.full((len(QUANTILES), flat.shape[1]), np.nan)
        for k, column in enumerate(flat.T):
            known = np.isfinite(column)
            if known.any():
                found[:, k] = np.quantile(column[known], QUANTILES, weights=weights[known], method="inverted_cdf")
        return found.reshape(len(QUANTILES), *values.shape[2:])

    def split(self, mix: int, name: str, size: float, at: int = -1) -> Split:
        """Variance of an indicator at a date: luck, parameters, the model's error (law of total variance)."""
        values = self.corrected(mix, name, size)[:, :, at]
        luck, parameters = _two_ways(values, self.weights)
        error = self.with_error(mix, name, size)[:, :, at] - values
        return Split(luck, parameters, float(np.nansum(self.weights * error**2)))

    def probabilities(self, mix: int, sets: slice = slice(0, 1)) -> np.ndarray:
        """(len(LABELS),) of each label, under some sets of thresholds; broken runs are left out."""
        codes = self.labels[mix][:, :, sets]
        weights = np.broadcast_to(self.weights[:, :, None], codes.shape)
        found = np.array([weights[codes == code].sum() for code in range(len(LABELS))])
        return found / max(found.sum(), 1e-12)

    def by_set(self, mix: int) -> np.ndarray:
        """(SETS, len(LABELS)) probabilities of labels under each set of thresholds."""
        return np.array([self.probabilities(mix, slice(k, k + 1)) for k in range(self.labels.shape[3])])

    def label_split(self, mix: int, label: int) -> Split:
        """Variance of whether a run has a label: luck, parameters, thresholds."""
        has = (self.labels[mix] == label).astype(float)
        over_sets = has.mean(axis=2)
        luck, parameters = _two_ways(over_sets, self.weights)
        return Split(luck, parameters, float((self.weights * has.var(axis=2)).sum()))

    def hangs_on(self, mix: int, label: int) -> list["Hinge"]:
        """Parameters with which the probability of a label differs, the most first."""
        has = (self.labels[mix][:, :, 0] == label).astype(float)
        share = (self.weights * has).sum(axis=1) / self.weights.sum(axis=1)
        found = []
        for path in self.plan.draws[0]:
            values = np.array([draw[path] for draw in self.plan.draws])
            high = values > np.median(values)
            if high.all() or not high.any():
                continue
            above, below = share[high], share[~high]
            error = np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
            found.append(Hinge(path, float(above.mean()), float(below.mean()), float(error)))
        return sorted((one for one in found if one.clear), key=lambda one: -abs(one.above - one.below))

    def effect(self, mix: int, name: str, at: int = -1) -> tuple[np.ndarray, float]:
        """Quantiles of what a mix changes against the first, pair by pair, and the probability that it is more."""
        change = self.values(mix, name)[:, :, at] - self.values(0, name)[:, :, at]
        known = np.isfinite(change)
        more = float(self.weights[known & (change > 0.0)].sum() / max(self.weights[known].sum(), 1e-12))
        return self.band(change[:, :, None])[:, 0], more


@dataclass(frozen=True, slots=True)
class Hinge:
    """How the probability of a label differs between draws with a high and a low value of a parameter."""

    path: str
    above: float
    """Probability among draws above the parameter's median."""
    below: float
    error: float
    """Standard error of the difference."""

    @property
    def clear(self) -> bool:
        """Whether luck alone would rarely make such a difference."""
        return abs(self.above - self.below) > 2.5 * self.error


def weighed(case: "Case", data: Data, values: np.ndarray, size: float = MODEL_ERROR) -> np.ndarray:
    """(draws, lucks) weights of paths, which sum to 1: draws are alike, lucks count by how near they came.

    Args:
        values: (draws, lucks, targets) of all the case's targets; `data` is what was observed of those that are fitted.
        size: standard deviation of the model's error.
    """
    seen = values[:, :, fitted_columns(case)]
    flat = on_scales(data.scales, seen.reshape(-1, seen.shape[2]))
    away = (flat - data.observed) / np.maximum(np.hypot(data.error, size), 1e-6)
    near = np.nan_to_num(-0.5 * (away**2).sum(axis=1), nan=-1e6).reshape(seen.shape[:2])
    within = np.exp(near - near.max(axis=1, keepdims=True))
    return within / within.sum(axis=1, keepdims=True) / len(values)


def _observed(plan: Plan, rows: Row) -> dict[str, Discrepancy]:
    """What the first mix's paths say wrongly of the indicators that were observed."""
    if plan.data is None:
        return {}
    seen: dict[str, list[tuple[int, np.ndarray, float]]] = {}
    for column, target, error in zip(fitted_columns(plan.case), plan.data.targets, plan.data.error, strict=True):
        if target.measure not in NAMES or target.since is not None or target.compared or not target.value:
            continue
        said = rows["values"][0][:, :, column]
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = target.value - said if _share(target.measure) else np.log(target.value / said)
        seen.setdefault(target.measure, []).append((int(plan.case.wanted[column][1]), gap, float(error)))
    return {name: Discrepancy.of(one, plan.seen_until) for name, one in seen.items()}


def _laid_on(name: str, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Values with the model's error."""
    return np.clip(values + errors, 0.0, 1.0) if _share(name) else values * np.exp(errors)


def _two_ways(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Variance within and between draws (draws, lucks), without the luck that is left in the draws' means."""
    known = np.isfinite(values)
    each = np.where(known, weights, 0.0)
    total = each.sum(axis=1, keepdims=True)
    fine = total[:, 0] > 0.0
    each, values = each[fine] / total[fine], np.where(known, values, 0.0)[fine]
    means = (each * values).sum(axis=1)
    inverse = (each**2).sum(axis=1)  # of the number of lucks that count
    spread = (each * (values - means[:, None]) ** 2).sum(axis=1)
    several = inverse < 0.95
    if len(means) < 2 or not several.any():
        return float("nan"), float("nan")
    luck = float(np.average(spread[several] / (1.0 - inverse[several])))
    return luck, max(0.0, float(means.var(ddof=1)) - luck * float(inverse.mean()))


def _share(name: str) -> bool:
    return INDICATORS[NAMES.index(name)].unit.startswith("share")
