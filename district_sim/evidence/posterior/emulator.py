"""What one run says of each target, as a distribution, for any values of the parameters: an emulator.

A run's targets, on the scale of `Scale`, are taken as normal around a Gaussian process of the parameters (scikit-learn;
Rasmussen & Williams 2006), with the spread of single runs around it: luck, which may itself grow or fall with the
parameters, and is correlated between targets. This is the synthetic likelihood (Wood 2010, doi 10.1038/nature09319)
with an emulated mean (Meeds & Welling 2014, arXiv 1401.2838). It is judged on runs that it has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.observables import observable

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Target

_TUNED = 400  # runs on which the processes' lengths are found: more take minutes and change little
_FOLDS = 5
_LOG_CHI = 1.27  # minus the mean of the logarithm of a squared standard normal
_LEAST = 1e-6  # spread below which a target counts as always the same


@dataclass(frozen=True, slots=True)
class Scale:
    """On what scale a target is compared: counts and ratios by their logarithm, all else as it is."""

    log: bool
    shift: float = 0.0
    """Added before the logarithm: 1 for counts, of which there may be none."""

    @classmethod
    def of(cls, target: "Target") -> "Scale":
        """By what the target measures."""
        found = observable(target.measure)
        assert found is not None  # checked where the file was read
        if target.compared or (target.change == "difference" and target.since is not None):
            return cls(False)
        if target.since is not None:
            return cls(True, 1e-3)
        return cls(True, 1.0) if found.extensive else cls(False)

    def forward(self, value: Any) -> Any:
        """A value on this scale; below nothing counts as nothing."""
        return np.log(np.maximum(value, 0.0) + self.shift) if self.log else np.asarray(value, float)

    def back(self, place: Any) -> Any:
        """The value."""
        return np.exp(place) - self.shift if self.log else np.asarray(place, float)

    def width(self, value: float, error: float) -> float:
        """An error of a value, on this scale."""
        return error / (max(value, 0.0) + self.shift) if self.log else error


@dataclass(frozen=True, slots=True)
class Emulator:
    """The distribution of a run's targets; places and values are on the scales of parameters and targets."""

    centre: np.ndarray
    spread: np.ndarray
    """(targets,) mean and standard deviation over the runs that it learned from: it works in these units."""
    processes: Sequence[Any]
    luck: np.ndarray
    """(targets, 1 + parameters): logarithm of a run's standard deviation around the mean, linear in the parameters."""
    correlation: np.ndarray
    """(targets, targets) of a run's luck."""
    explained: np.ndarray
    """(targets,) share of the variance that the mean explains, in runs that it has not seen."""
    inside: np.ndarray
    """(targets,) share of runs not seen that lie within the central 90 %."""

    def mean(self, places: np.ndarray) -> np.ndarray:
        """(n, targets) at places (n, parameters)."""
        found = np.column_stack([one.predict(places) for one in self.processes])
        return found * self.spread + self.centre

    def deviation(self, places: np.ndarray) -> np.ndarray:
        """(n, targets) standard deviation of a run around the mean."""
        found = np.exp(np.clip(self.luck[:, 0] + places @ self.luck[:, 1:].T, np.log(_LEAST), 3.0))
        return found * self.spread


def learn(places: np.ndarray, values: np.ndarray) -> Emulator:
    """Learn from single runs.

    Args:
        places: (runs, parameters) in standard deviations of the prior. values: (runs, targets) on their scales, finite.
    """
    from sklearn.model_selection import KFold
    from threadpoolctl import threadpool_limits

    centre, spread = values.mean(axis=0), np.maximum(values.std(axis=0), _LEAST)
    scaled = (values - centre) / spread
    folds = list(KFold(_FOLDS).split(places))
    unseen = np.empty_like(scaled)
    processes = []
    with threadpool_limits(1):  # the same bits whatever else the machine does
        for k in range(scaled.shape[1]):
            kernel = _tuned(places[:_TUNED], scaled[:_TUNED, k])
            for seen, rest in folds:
                unseen[rest, k] = _process(kernel).fit(places[seen], scaled[seen, k]).predict(places[rest])
            processes.append(_process(kernel).fit(places, scaled[:, k]))
    errors = scaled - unseen
    luck = np.array([_luck(places, error) for error in errors.T])
    standard = errors / np.exp(luck[:, 0] + places @ luck[:, 1:].T)
    correlation = np.atleast_2d(np.corrcoef(standard.T))
    explained = 1.0 - errors.var(axis=0) / np.maximum(scaled.var(axis=0), _LEAST**2)
    inside = (np.abs(standard) <= 1.6449).mean(axis=0)
    return Emulator(centre, spread, processes, luck, np.nan_to_num(correlation, nan=0.0), explained, inside)


def _tuned(places: np.ndarray, values: np.ndarray) -> Any:
    """A smooth function of the parameters, each with a length of its own, and noise."""
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    lengths = RBF(np.full(places.shape[1], 2.0), (0.3, 100.0))
    start = ConstantKernel(1.0, (1e-3, 1e3)) * lengths + WhiteKernel(0.1, (1e-5, 4.0))
    return _process(start, "fmin_l_bfgs_b").fit(places, values).kernel_


def _process(kernel: Any, optimizer: str | None = None) -> Any:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor

    warnings.filterwarnings("ignore", category=ConvergenceWarning, module="sklearn.gaussian_process")
    return GaussianProcessRegressor(kernel, alpha=1e-8, optimizer=optimizer)


def _luck(places: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Logarithm of the errors' standard deviation, linear in the parameters; rescaled so that they have variance 1."""
    from sklearn.linear_model import Ridge

    told = 0.5 * (np.log(errors**2 + _LEAST**2) + _LOG_CHI)
    found = Ridge(alpha=10.0).fit(places, told)
    line = np.concatenate([[found.intercept_], found.coef_])
    line[0] += 0.5 * np.log(np.mean((errors / np.exp(line[0] + places @ line[1:])) ** 2))
    return line
