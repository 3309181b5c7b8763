"""Scores of what was said of later years, beside two rivals that know no model.

Everything is scored on the scale on which it is compared: counts, money and ratios by their logarithm, shares and
differences as they are. So a CRPS of 0.05 is 5 % of a count, or five points of a share, and figures can be averaged.
A forecast of a figure includes the error with which the figure was measured, that of the model and those of the rivals
alike. Scores are those of the library scoringrules.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from district_sim.evidence.cases.observables import observable
from district_sim.evidence.posterior.discrepancy import MODEL_ERROR
from district_sim.evidence.posterior.emulator import Scale
from district_sim.evidence.posterior.forecast import QUANTILES
from district_sim.evidence.posterior.hold_out import Cut, Outlook, Said, known_at, year_of

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Target

MODEL, WIDER, SAME, TREND = "model", "wider", "as it was", "as before"
FORECASTERS = {
    MODEL: "the model",
    WIDER: "the model, with the error that forecasts allow",
    SAME: "stays as it was",
    TREND: "goes on as before",
}
"""By their names in files."""
LEVELS = (0.5, 0.9)
MEMBERS = 2000
"""Of a sample that stands for a distribution, all of the same weight."""
_PLAIN = ("1", "log points")  # units beside shares that are compared as they are
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Score:
    """What one forecaster said of one later figure, and how good it was."""

    target: "Target"
    by: str
    """A key of `FORECASTERS`."""
    band: tuple[float, ...]
    """At `QUANTILES`; nan where nothing was said."""
    inside: tuple[bool, ...]
    """Whether what was observed lies within each of `LEVELS`; empty for a direction, and where nothing was said."""
    score: float
    """CRPS, or the Brier score of a direction: 0 is perfect; nan where nothing was said."""
    probability: float
    """Of the direction that was observed; nan for a figure."""
    why: str
    """Why nothing was said, empty if something was."""


def scale_of(target: "Target") -> Scale:
    """On what scale a figure is scored."""
    found, seen = Scale.of(target), observable(target.measure)
    assert seen is not None  # checked where the file was read
    change = target.since is not None or target.compared
    if found.log or change or seen.unit.startswith("share") or seen.unit in _PLAIN:
        return found
    return Scale(True, 1.0 if seen.unit == "companies" else 1e-3)


def scores(outlook: Outlook) -> list[Score]:
    """Every forecaster on every later figure, in the order of the figures."""
    found = []
    for number, target in enumerate(outlook.cut.held):
        column = len(outlook.cut.case.targets) + number
        for by, size in ((MODEL, outlook.model_error), (WIDER, wider(outlook))):
            said_of = outlook.said(column, scale_of(target), size)
            if not len(said_of.places):
                found.append(_nothing(target, by, "no run came to its end"))
                continue
            rng = np.random.default_rng([outlook.fitted.setting.seed, 50, number])
            found.append(scored(target, by, of_paths(target, said_of, rng)))
        for by, said in ((SAME, as_it_was(outlook.cut, target)), (TREND, as_before(outlook.cut, target))):
            found.append(_nothing(target, by, said) if isinstance(said, str) else scored(target, by, _normal(*said)))
    return found


def wider(outlook: Outlook) -> float:
    """Standard deviation of the model's error that forecasts allow."""
    return max(outlook.model_error, MODEL_ERROR)


def of_paths(target: "Target", said: Said, rng: np.random.Generator) -> np.ndarray:
    """(MEMBERS,) on the figure's scale: paths by their weights, the model's error and that of the measurement."""
    order = np.argsort(said.places, kind="stable")
    reached = np.cumsum(said.weights[order]) / said.weights.sum()
    picked = order[np.searchsorted(reached, (np.arange(MEMBERS) + 0.5) / MEMBERS).clip(max=len(order) - 1)]
    errors = rng.normal(size=MEMBERS) * np.hypot(said.error, measured(target, scale_of(target)))
    return allowed(target, said.places[picked] + errors)


def measured(target: "Target", scale: Scale) -> float:
    """Standard deviation of a figure's measurement, on its scale."""
    return 0.0 if target.value is None else scale.width(target.value, target.tolerance)


def scored(target: "Target", by: str, sample: np.ndarray) -> Score:
    """Hold a sample, on the figure's scale, against what was observed."""
    import scoringrules

    scale = scale_of(target)
    band = tuple(float(end) for end in scale.back(np.quantile(allowed(target, sample), QUANTILES)))
    if target.value is None:
        probability = _probability(target, sample)
        return Score(target, by, band, (), float(scoringrules.brier_score(1.0, probability)), probability, "")
    seen = float(scale.forward(target.value))
    within = []
    for level in LEVELS:
        low, high = np.quantile(sample, (0.5 - level / 2.0, 0.5 + level / 2.0))
        within.append(bool(low - _LEAST <= seen <= high + _LEAST))
    crps = float(scoringrules.crps_ensemble(seen, sample))
    return Score(target, by, band, tuple(within), crps, float("nan"), "")


def _probability(target: "Target", sample: np.ndarray) -> float:
    """Of the direction that was observed; what lies on the line counts half."""
    line = float(scale_of(target).forward(target.above if target.above is not None else target.below))
    away = sample - line if target.above is not None else line - sample
    return float((away > _LEAST).mean() + 0.5 * (np.abs(away) <= _LEAST).mean())


def _nothing(target: "Target", by: str, why: str) -> Score:
    nan = float("nan")
    return Score(target, by, (nan,) * len(QUANTILES), (), nan, nan, why)


def _normal(centre: float, spread: float) -> np.ndarray:
    from scipy.stats import norm

    return centre + spread * norm.ppf((np.arange(MEMBERS) + 0.5) / MEMBERS)


def allowed(target: "Target", sample: np.ndarray) -> np.ndarray:
    """A share lies between 0 and 1, a count is not below 0."""
    scale, seen = scale_of(target), observable(target.measure)
    if scale.log:
        return np.maximum(sample, np.log(scale.shift))
    whole = seen is not None and seen.unit == "share" and target.since is None and not target.compared
    return np.clip(sample, 0.0, 1.0) if whole else sample


# Rivals -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Past:
    """Levels of a figure's measure up to the date, by time, on the scale on which the figure is scored."""

    years: np.ndarray
    places: np.ndarray
    errors: np.ndarray
    """(figures,) of measurement."""

    @classmethod
    def of(cls, cut: Cut, target: "Target") -> "Past":
        """All that was observed, whether it is fitted or not; none for a measure that was not observed before."""
        scale = scale_of(target)
        told = {}
        for one in cut.known:
            alike = one.measure == target.measure and one.compared == target.compared and one.since is None
            if alike and one.value is not None:
                year = year_of(cut.whole, one)
                told[year] = (float(scale.forward(one.value)), scale.width(one.value, one.tolerance))
        years = sorted(told)
        places, errors = (np.array([told[year][k] for year in years], float) for k in (0, 1))
        return cls(np.array(years, float), places, errors)

    @property
    def walk(self) -> float:
        """Standard deviation of the change in one year, if changes are a random walk; nan if there was none."""
        if len(self.years) < 2:
            return float("nan")
        return float(np.sqrt(np.mean(np.diff(self.places) ** 2 / np.diff(self.years))))


def as_it_was(cut: Cut, target: "Target") -> tuple[float, float] | str:
    """The last figure, or no change: mean and standard deviation on the scale, or why nothing can be said.

    The spread is that of past changes as a random walk, beside the errors of both measurements; with one figure in the
    past it is the errors alone.
    """
    past, scale = Past.of(cut, target), scale_of(target)
    error, walk = measured(target, scale), np.nan_to_num(past.walk)
    if target.since is not None:
        none = float(scale.forward(0.0 if target.change == "difference" else 1.0))
        return none, float(np.hypot(error, walk * np.sqrt(_years(cut, target))))
    if not len(past.years):
        return "it was not observed before"
    ahead = year_of(cut.whole, target) - past.years[-1]
    return float(past.places[-1]), float(np.sqrt(past.errors[-1] ** 2 + walk**2 * ahead + error**2))


def as_before(cut: Cut, target: "Target") -> tuple[float, float] | str:
    """The line through past figures (of logarithms for counts), by least squares with the errors of measurement.

    Its spread is that of the line; where the figures lie further from it than their errors allow, the errors are taken
    larger until they do not. With one figure there is no line.
    """
    past, scale = Past.of(cut, target), scale_of(target)
    if len(past.years) < 2:
        return "it was observed once before: no trend" if len(past.years) else "it was not observed before"
    last = past.years[-1]
    errors = np.maximum(past.errors, 1e-6)
    line, covariance = np.polyfit(past.years - last, past.places, 1, w=1.0 / errors, cov="unscaled")
    free = len(past.years) - 2
    away = (past.places - np.polyval(line, past.years - last)) / errors
    larger = max(1.0, float(away @ away) / free) if free else 1.0
    scatter = (larger - 1.0) * float(np.mean(errors**2))
    ahead = year_of(cut.whole, target) - last
    along = np.array([ahead, 1.0])
    if target.since is not None:
        along = np.array([_years(cut, target), 0.0])
    none = 0.0 if target.since is None else float(scale.forward(0.0 if target.change == "difference" else 1.0))
    variance = larger * float(along @ covariance @ along) + scatter + measured(target, scale) ** 2
    return none + float(along @ line), float(np.sqrt(variance))


def _years(cut: Cut, target: "Target") -> float:
    """Over which a change is measured."""
    assert target.since is not None
    return (known_at(cut.whole, target) - cut.whole.quarter(target.since)) / 4.0


# Summary ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Summary:
    """One forecaster over all later figures."""

    by: str
    figures: int
    """Of which it said something; directions are not among them."""
    inside: tuple[int, ...]
    """How many of them lie within each of `LEVELS`."""
    crps: float
    """Mean; nan if there are none."""
    directions: int
    brier: float
    """Mean Brier score of the directions."""


def summary(found: list[Score], by: str) -> Summary:
    """Of one forecaster."""
    own = [one for one in found if one.by == by and not one.why]
    figures = [one for one in own if one.target.value is not None]
    directions = [one for one in own if one.target.value is None]
    inside = tuple(sum(one.inside[k] for one in figures) for k in range(len(LEVELS)))
    return Summary(by, len(figures), inside, _mean(figures), len(directions), _mean(directions))


def skill(found: list[Score], by: str, rival: str, directions: bool = False) -> tuple[float, int]:
    """1 less the ratio of mean scores, over the figures (or directions) of which both said something; and how many.

    1 is perfect, 0 no better than the rival, below 0 worse; nan where there are none, or the rival was perfect.
    """
    mine, other = (
        {
            id(one.target): one.score
            for one in found
            if one.by == who and not one.why and (one.target.value is None) == directions
        }
        for who in (by, rival)
    )
    both = [key for key in mine if key in other]
    against = float(np.mean([other[key] for key in both])) if both else 0.0
    if against <= 0.0:
        return float("nan"), len(both)
    return 1.0 - float(np.mean([mine[key] for key in both])) / against, len(both)


def _mean(found: list[Score]) -> float:
    return float(np.mean([one.score for one in found])) if found else float("nan")
