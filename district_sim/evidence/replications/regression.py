"""Regression of counts on a quadratic, with errors over runs, and the test for an inverted U."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from district_sim.evidence.replications.claims import interval_of

_STEPS, _CLOSE = 60, 1e-9
_STRIDE = 3.0  # log points by which a step may change a prediction, lest the first steps overshoot
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Fit:
    """A Poisson regression; column 0 is the constant, 1 and 2 the regressor of interest and its square."""

    coefficients: np.ndarray
    """(K,), log points per unit."""
    influence: np.ndarray
    """(runs, K): what each run contributes to the coefficients' error."""

    @property
    def covariance(self) -> np.ndarray:
        """(K, K), robust, clustered by run."""
        return self.influence.T @ self.influence

    @property
    def errors(self) -> np.ndarray:
        """(K,) standard errors."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def optimum(self) -> float:
        """Where the quadratic is flat."""
        return float(-0.5 * self.coefficients[1] / self.coefficients[2])

    @property
    def optimum_error(self) -> float:
        """Its standard error, by the delta method."""
        slope, bend = self.coefficients[1:3]
        gradient = np.array([-0.5 / bend, 0.5 * slope / bend**2])
        return float(np.sqrt(gradient @ self.covariance[1:3, 1:3] @ gradient))

    def slope(self, at: float) -> tuple[float, float]:
        """Log points per unit at a value of the regressor, and the standard error."""
        weights = np.array([1.0, 2.0 * at])
        variance = weights @ self.covariance[1:3, 1:3] @ weights
        return float(weights @ self.coefficients[1:3]), float(np.sqrt(variance))

    def optimum_interval(self) -> tuple[float, float]:
        """Fieller's 95 % interval of the optimum; unbounded if the bend is not significant.

        Source: Fieller 1954 (doi 10.1111/j.2517-6161.1954.tb00159.x).
        """
        (slope, bend), v = self.coefficients[1:3], self.covariance[1:3, 1:3] * _Z**2
        square, linear, rest = 4 * (bend**2 - v[1, 1]), 4 * (slope * bend - v[0, 1]), slope**2 - v[0, 0]
        inside = linear**2 - 4 * square * rest
        if square <= 0.0 or inside < 0.0:
            return -np.inf, np.inf
        low, high = ((-linear + sign * np.sqrt(inside)) / (2 * square) for sign in (-1.0, 1.0))
        return float(low), float(high)

    def is_inverted_u(self, low: float, high: float) -> bool:
        """Whether it rises at `low` and falls at `high`, each with its whole 95 % interval.

        The test of Lind & Mehlum 2010 (doi 10.1111/j.1468-0084.2009.00569.x), at the level 2.5 %.
        """
        return bool(interval_of(*self.slope(low))[0] > 0.0 and interval_of(*self.slope(high))[1] < 0.0)


def poisson(outcomes: Sequence[np.ndarray], regressors: Sequence[np.ndarray]) -> Fit:
    """Poisson pseudo maximum likelihood with errors clustered by run, as for counts of patents.

    It asks of the outcome only that its mean is an exponential function of the regressors (Gourieroux, Monfort &
    Trognon 1984, doi 10.2307/1913472).

    Args:
        outcomes: (observations,) of each run, not negative. regressors: (observations, K) of each run, the first
            column ones.

    Raises:
        ValueError: the outcome is zero everywhere, or the regressors do not identify their coefficients.
    """
    total, count = sum(float(y.sum()) for y in outcomes), sum(len(y) for y in outcomes)
    if total <= 0.0:
        raise ValueError("there is nothing to explain: the outcome is zero everywhere")
    b = np.zeros(regressors[0].shape[1])
    b[0] = np.log(total / count)
    for _ in range(_STEPS):
        scores, information = _at(b, outcomes, regressors)
        try:
            step = np.linalg.solve(information, scores.sum(axis=0))
        except np.linalg.LinAlgError:
            break
        b = b + step / max(1.0, np.abs(regressors[0] @ step).max(initial=0.0) / _STRIDE)
        if np.abs(step).max() < _CLOSE * np.abs(b).max():
            scores, information = _at(b, outcomes, regressors)
            runs = len(outcomes)
            correction = np.sqrt(runs / max(1, runs - 1))
            return Fit(b, correction * np.linalg.solve(information, scores.T).T)
    raise ValueError("the regression has no solution: too few innovations for so many regressors")


def _at(
    b: np.ndarray, outcomes: Sequence[np.ndarray], regressors: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (runs, K) and information (K, K) at coefficients b."""
    scores, information = np.empty((len(outcomes), b.size)), np.zeros((b.size, b.size))
    for run, (y, x) in enumerate(zip(outcomes, regressors, strict=True)):
        mean = np.exp(np.clip(x @ b, -300.0, 50.0))
        scores[run] = (y - mean) @ x
        information += (x * mean[:, None]).T @ x
    return scores, information
