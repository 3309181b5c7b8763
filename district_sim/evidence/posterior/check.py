"""Does a posterior mean what it says? Simulation-based calibration on synthetic truths.

Parameters are drawn from the prior, a run is made at each, with luck and errors of measurement, and its posterior is
drawn in the same way as for what was observed. If all is right, the truths' ranks among the draws are uniform (Talts et
al. 2018, arXiv 1804.06788) and an interval of 90 % holds the truth in 90 of 100. The truths' runs are no part of those
from which the emulator learned, and the district is that of the fit: a scaled one where the case says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from district_sim.evidence.posterior.emulator import Emulator
from district_sim.evidence.posterior.fit import Fitted, Tell, fitted_columns, on_scales
from district_sim.evidence.posterior.inference import Data, infer, prior_places
from district_sim.evidence.posterior.posterior import Verdict
from district_sim.run.workers import Workers

TRUTHS = 100
LEVELS = (0.5, 0.9)
BURN, STEPS, THIN = 50, 40, 4
"""Of each walker, for a truth: an interval needs fewer draws than a file."""
RISK = 0.01
"""Probability that a posterior which is right fails, all parameters and both levels together."""
_BINS = 10  # of ranks


@dataclass(frozen=True, slots=True)
class Check:
    """How often intervals held the truth."""

    parameters: tuple[str, ...]
    ranks: np.ndarray
    """(truths, parameters) share of draws below the truth."""
    coverage: np.ndarray
    """(levels, parameters) share of truths that lie within."""
    bounds: np.ndarray
    """(levels, 2) between which it lies if all is right, but for `RISK`."""
    uniform: np.ndarray
    """(parameters,) p-value of the ranks' uniformity (chi²)."""

    @property
    def reason(self) -> str:
        """Why it failed, empty if it passed."""
        said = []
        for k, level in enumerate(LEVELS):
            low, high = self.bounds[k]
            for name, share in zip(self.parameters, self.coverage[k], strict=True):
                if not low <= share <= high:
                    said.append(f"the {level:.0%} intervals of {name} hold the truth in {share:.0%}")
        for name, value in zip(self.parameters, self.uniform, strict=True):
            if value < RISK / len(self.parameters):
                said.append(f"the ranks of {name} are not uniform")
        return "; ".join(said)

    @property
    def verdict(self) -> Verdict:
        """In a word."""
        return "failed" if self.reason else "passed"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "truths": len(self.ranks),
            "parameters": {
                name: {
                    "coverage": {f"{level:.0%}": self.coverage[k, j] for k, level in enumerate(LEVELS)},
                    "uniform_p": self.uniform[j],
                }
                for j, name in enumerate(self.parameters)
            },
            "bounds": {f"{level:.0%}": self.bounds[k].tolist() for k, level in enumerate(LEVELS)},
        }


NOT_CHECKED: dict[str, Any] = {"verdict": "not checked", "reason": "calibrate was run without --check"}


def check(fitted: Fitted, workers: Workers, truths: int = TRUTHS, tell: Tell | None = None) -> Check:
    """Simulation-based calibration of a posterior's method, prior and targets; the same for the same setting.

    Args:
        truths: how many. workers: also draw the posteriors.
    """
    setting = fitted.setting
    places = prior_places(fitted.axes, truths, setting.seed + 1_000_003)
    runs = setting.made("truths", places, workers, tell)
    data = replace(Data.of(setting.case), luck=1.0)
    seen = on_scales(data.scales, runs["values"][:, fitted_columns(setting.case)])
    usable = np.isfinite(seen).all(axis=1)
    errors = np.random.default_rng([setting.seed, 40]).normal(size=seen.shape) * data.error
    jobs = [
        (k, replace(data, observed=row))
        for k, (row, fine) in enumerate(zip(seen + errors, usable, strict=True))
        if fine
    ]
    work = partial(_drawn, fitted.emulator, fitted.axes, setting.seed)
    progress: Callable[[int, int], object] | None = None if tell is None else partial(tell, "checking")
    draws = np.array(workers.map(work, jobs, progress))
    return judged(tuple(axis.path for axis in fitted.axes), draws, places[usable])


def _drawn(emulator: Emulator, axes: Any, seed: int, job: tuple[int, Data]) -> np.ndarray:
    number, data = job
    found = infer(emulator, data, axes, seed * 1009 + number + 1, BURN, STEPS)
    return found.places[:, ::THIN].reshape(-1, len(axes))


def judged(parameters: tuple[str, ...], draws: np.ndarray, truths: np.ndarray) -> Check:
    """Ranks and coverage.

    Args:
        draws: (truths, draws, parameters) each truth's posterior. truths: (truths, parameters).
    """
    from scipy.stats import binom, chisquare

    ranks = (draws < truths[:, None]).mean(axis=1)
    count, tests = truths.shape[0], len(LEVELS) * len(parameters)
    coverage, bounds = [], []
    for level in LEVELS:
        low, high = np.quantile(draws, (0.5 - level / 2.0, 0.5 + level / 2.0), axis=1)
        coverage.append(((truths >= low) & (truths <= high)).mean(axis=0))
        bounds.append(binom.ppf((RISK / tests / 2.0, 1.0 - RISK / tests / 2.0), count, level) / count)
    bins = np.array([np.histogram(column, _BINS, (0.0, 1.0))[0] for column in ranks.T])
    uniform = np.array([chisquare(column).pvalue for column in bins])
    return Check(parameters, ranks, np.array(coverage), np.array(bounds), uniform)
