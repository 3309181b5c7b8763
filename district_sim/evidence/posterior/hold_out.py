"""Tested against later years: a case is fitted to what was observed up to a date, and judged on the rest.

What comes before the judgement gets a case from which the later figures have been taken out (`Cut.case`, `Cut.ahead`):
neither their values nor their tolerances are there to be seen. Shocks and policies that begin after the date are left
out too, as nobody knew of them. Priors lie around the values of the scenario that the case begins with; a scenario that
`calibrate` wrote, fitted to all years, is refused. What people chose when they wrote the scenario and the ranges, no
program can take back.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.observables import observable
from district_sim.evidence.posterior.discrepancy import Discrepancy
from district_sim.evidence.posterior.emulator import Scale
from district_sim.evidence.posterior.fit import FIRST_SEED, Fitted, Setting, Tell, fit
from district_sim.evidence.posterior.forecast import check_paths, weighed
from district_sim.evidence.posterior.inference import Data
from district_sim.evidence.posterior.runs import runs_at
from district_sim.run.workers import Workers
from district_sim.scenario.calendar import LISTED, times
from district_sim.scenario.files import ScenarioError, file_text, files_of, shown_path
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case, Target

_YEAR = 4
_SHORTEST = 8  # quarters of a run
_SEEDS = 1_900_000_000  # where the seeds of the later years begin, beyond those of fits and forecasts
_FITTED = "Written by `district-sim calibrate"
_NOT_YET = {"value": None, "above": None, "below": None, "tolerance": 0.0, "fit": False, "source": "", "note": ""}


@dataclass(frozen=True, slots=True)
class Cut:
    """A case at a date."""

    whole: "Case"
    """With all that was observed, for the judgement alone."""
    date: str
    quarter: int
    """Quarters completed at the date, at least 1."""
    case: "Case"
    """As it was known at the date: the fitted figures up to it, and a run that ends there."""
    ahead: "Case"
    """The same with a run to the last figure: the fitted targets, then the held ones and the levels of their measures
    at the end of each year, both without a word of what was observed."""
    known: tuple["Target", ...]
    """All figures up to the date, those that are not fitted included."""
    held: tuple["Target", ...]
    """All later ones."""
    left_out: tuple[str, ...]
    """Shocks and policies that begin after the date, in words."""
    dated: tuple[str, ...]
    """Other times of the scenario after the date, which stay in, in words."""

    @property
    def year(self) -> float:
        """The date as a year."""
        return self.whole.calendar.year(self.whole.calendar.quarter(self.date))


def known_at(case: "Case", target: "Target") -> int:
    """Quarter of the run at whose end a figure is known: a yearly rate, after its year."""
    return int(replace(case, targets=(target,)).wanted[0][1])


def year_of(case: "Case", target: "Target") -> float:
    """The same as a year; the start of the run for a figure of the start."""
    at = known_at(case, target)
    return case.calendar.year(0 if at == 1 and case.calendar.quarter(target.year) == 0 else at)


def cut(case: "Case", date: str) -> Cut:
    """A case at a date.

    Args:
        date: a year (its beginning) or a quarter of one; what was observed at that date was known.

    Raises:
        ScenarioError: the date is none, nothing was observed before or after it, or the scenario is a fitted one.
    """
    _refuse_fitted(case)
    try:
        quarter = case.calendar.quarter(date)
    except ValueError:
        raise ScenarioError(f"--hold-out {date}: must be a year (2005) or a quarter of one (2005Q3)") from None
    usable = _usable(case)
    if not 0 <= quarter <= case.scenario.run.quarters:
        raise ScenarioError(f"--hold-out {date}: the run of {case.name} goes from {case.span}; {usable}")
    quarter = max(1, quarter)
    at = [known_at(case, target) for target in case.targets]
    fitted = tuple(target for target, when in zip(case.targets, at, strict=True) if target.fit and when <= quarter)
    known = tuple(target for target, when in zip(case.targets, at, strict=True) if when <= quarter)
    held = tuple(target for target, when in zip(case.targets, at, strict=True) if when > quarter)
    if not fitted:
        raise ScenarioError(f"--hold-out {date}: {case.name} has no figure with fit: true up to then; {usable}")
    if not held:
        raise ScenarioError(f"--hold-out {date}: {case.name} has no figure after that; {usable}")
    last, left_out = max(at), _later(case.scenario, quarter)
    before = _as_known(case, quarter, max(known_at(case, target) for target in fitted))
    after = _as_known(case, quarter, last)
    probes = (*(target.model_copy(update=_NOT_YET) for target in held), *_fan_probes(case, held, last))
    return Cut(
        case, date, quarter, replace(before, targets=fitted), replace(after, targets=(*fitted, *probes), scale=1.0),
        known, held, left_out, _dated(case, quarter, last),
    )  # fmt: skip


def _refuse_fitted(case: "Case") -> None:
    for path in files_of(case.origin):
        if _FITTED in file_text(path):
            raise ScenarioError(
                f"--hold-out: {shown_path(path)} was written by calibrate, with values fitted to all years; name the "
                "district as it stood before, which that file extends"
            )


def _usable(case: "Case") -> str:
    """The years that can be used, in words."""
    fitted = [known_at(case, target) for target in case.targets if target.fit]
    if not fitted:
        return "no year can be used: no target has fit: true"
    first, last = min(fitted), max(known_at(case, target) for target in case.targets) - 1
    begins = case.calendar.first
    years = range(-(-(begins + (first if first > 1 else 0)) // _YEAR), (begins + last) // _YEAR + 1)
    if first > last:
        return "no year can be used: nothing was observed after the first figure that is fitted"
    if not len(years):
        return f"{case.calendar.date(first)} to {case.calendar.date(last)} can be used"
    return f"{years[0]} to {years[-1]} can be used" if len(years) > 1 else f"only {years[0]} can be used"


def _as_known(case: "Case", quarter: int, length: int) -> "Case":
    """Without what begins after a quarter, and a run of so many quarters."""

    def told(scenario: Scenario) -> Scenario:
        data = scenario.model_dump(mode="json")
        for section in LISTED:
            data[section] = [item for item in data[section] if item["start"] < quarter]
        data["run"] = {**data["run"], "quarters": max(length, _SHORTEST)}
        if (data["run"].get("calm") or 0) >= data["run"]["quarters"]:
            data["run"]["calm"] = None
        return Scenario.model_validate(data)

    other = case.comparison
    return replace(case, scenario=told(case.scenario), comparison=None if other is None else told(other), misses="")


def _later(scenario: Scenario, quarter: int) -> tuple[str, ...]:
    data, calendar = scenario.model_dump(mode="json"), scenario.run.calendar
    return tuple(
        f"{item.get('name') or item.get('kind') or item.get('instrument') or section}"
        + (f" ({calendar.date(item['start'])})" if calendar is not None else "")
        for section in LISTED
        for item in data[section]
        if item["start"] >= quarter
    )


def _dated(case: "Case", quarter: int, length: int) -> tuple[str, ...]:
    """Times of the world and of the strategy after a quarter: assumptions that nobody could have been sure of."""
    data = case.scenario.model_dump(mode="json")
    return tuple(
        f"{'.'.join(map(str, at))} ({case.calendar.date(value)})"
        for at, value in times(data)
        if at[0] not in LISTED and isinstance(value, int) and quarter <= value < length
    )


def _fan_probes(case: "Case", held: "tuple[Target, ...]", last: int) -> "list[Target]":
    """The level of each later measure at the end of each year."""
    levels = dict.fromkeys(target.measure for target in held if target.since is None and not target.compared)
    found = []
    for measure in levels:
        seen = observable(measure)
        if seen is None or seen.lasts or seen.since:
            continue
        like = next(target for target in held if target.measure == measure and target.since is None)
        quarters = sorted({0, *range(_YEAR, last + 1, _YEAR), last})
        found += [like.model_copy(update={**_NOT_YET, "year": case.calendar.date(q)}) for q in quarters]
    return found


# Fit, and look ahead ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outlook:
    """What was said at the date of the years after it."""

    cut: Cut
    fitted: Fitted
    lucks: int
    values: np.ndarray
    """(draws, lucks, targets of `cut.ahead`)."""
    data: Data
    """The fitted figures."""

    @property
    def model_error(self) -> float:
        """Error of the model that the years up to the date showed."""
        return float(self.fitted.found.data.model)

    @property
    def paths(self) -> int:
        """How many runs there are."""
        return int(self.values.shape[0] * self.values.shape[1])

    def weights(self, size: float) -> np.ndarray:
        """(draws, lucks) that sum to 1.

        Args:
            size: standard deviation of the model's error.
        """
        return weighed(self.cut.ahead, self.data, self.values, size)

    def effective(self, size: float) -> float:
        """Number of paths of equal weight that say as much (Kish 1965)."""
        return float(1.0 / np.sum(self.weights(size) ** 2))

    def said(self, column: int, scale: Scale, size: float) -> "Said":
        """What the paths say of a target of `cut.ahead`, on its scale.

        Args:
            size: standard deviation of the model's error.
        """
        target = self.cut.ahead.targets[column]
        places = np.asarray(scale.forward(self.values[:, :, column]), float)
        quarter = known_at(self.cut.ahead, target)
        if target.since is None:
            mean, unknown = self._discrepancy(target, scale).at(size, np.array([quarter]))
            places, error = places + mean[..., 0], float(unknown[0])
        else:  # what is new in the error since then
            never, since = self._discrepancy(None, scale), self.cut.ahead.quarter(target.since)
            before, after = never.at(size, np.array([since, quarter]))[1]
            error = float(np.sqrt(max(0.0, after**2 - before**2)))
        known = np.isfinite(self.values[:, :, column])
        return Said(places[known], self.weights(size)[known], error)

    def _discrepancy(self, target: "Target | None", scale: Scale) -> Discrepancy:
        """Of a figure's measure, from its levels among the fitted figures; of none, that of one never observed."""
        seen = []
        for column, one in enumerate(self.cut.case.targets):
            if target is None or one.since is not None or not _alike(one, target) or one.value is None:
                continue
            gap = scale.forward(one.value) - scale.forward(self.values[:, :, column])
            seen.append((known_at(self.cut.case, one), gap, scale.width(one.value, one.tolerance)))
        return Discrepancy.of(seen, max(int(look[1]) for look in self.cut.case.wanted))


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one figure, on its scale: places of the paths that are defined, moved by what is known of the
    model's error."""

    places: np.ndarray
    """(paths,)"""
    weights: np.ndarray
    """(paths,)"""
    error: float
    """Standard deviation of what is not known of the model's error."""


def _alike(one: "Target", other: "Target") -> bool:
    return one.measure == other.measure and one.compared == other.compared


def look_ahead(
    at: Cut, setting: Setting, paths: int, lucks: int, workers: Workers, tell: Tell | None = None
) -> Outlook:
    """Fit a case as it was known at a date, and run its draws on; the same for the same setting.

    Args:
        setting: with `at.case`. paths: runs to the last figure, with so many lucks of each draw.

    Raises:
        ScenarioError: see `fit.fit`; or a number is out of its range. OtherTable, OSError, WorkerError: see there.
    """
    from district_sim.experiments.plan import model_version, scenario_hash

    check_paths(paths, lucks)
    assert setting.case is at.case
    fitted = fit(setting, workers, tell)
    count = min(round(paths / lucks), len(fitted.places))
    drawn = fitted.places[np.linspace(0, len(fitted.places) - 1, count).astype(int)]
    first = FIRST_SEED + _SEEDS + 10_000_000 * setting.seed
    made_of: dict[str, Any] = {
        "model": model_version(),
        "scenario": scenario_hash(at.ahead.scenario.model_dump(mode="json")),
        "wanted": [list(look) for look in at.ahead.wanted],
        "draws": scenario_hash(drawn.tolist()),
        "lucks": lucks,
        "seed": setting.seed,
    }
    rows = runs_at(
        at.ahead,
        fitted.axes,
        np.repeat(drawn, lucks, axis=0),
        range(first, first + count * lucks),
        setting.folder / "runs" / "later",
        made_of,
        workers,
        None if tell is None else lambda done, total: tell("later years", done, total),
        setting.force,
    )
    values = rows["values"].reshape(count, lucks, -1)
    return Outlook(at, fitted, lucks, values, Data.of(replace(at.case, scale=1.0)))
