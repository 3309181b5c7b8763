"""The posterior of a case's parameters: prior, what was observed, how roughly, and how wrong the model is.

Place z of a parameter: 0 is the scenario's own value, 1 a standard deviation of its prior (`calibration.Axis`); the
prior is normal, cut at the ends of its range. What was observed is one run of the district, luck included, measured
with an error; its distribution for any parameters comes from an emulator, and emcee draws from the posterior (an
ensemble moved by differential evolution; ter Braak 2006, doi 10.1007/s11222-006-8769-1; Foreman-Mackey et al. 2013,
doi 10.1086/670067).

Where no parameters bring the model near what was observed, all errors of the targets are taken larger until some do
(the least error of the model; as in Birge 1932, doi 10.1103/PhysRev.40.207). Its size is told, and that it was needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from district_sim.evidence.cases.calibration import Axis
from district_sim.evidence.posterior.emulator import Emulator, Scale

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case, Target

WALKERS, BURN, STEPS = 96, 400, 2400
"""Of the ensemble; steps are each walker's, after those that are thrown away."""
_LOOKED_AT = 2048  # draws from the prior, among which the walkers start
_NEAR = 0.95  # quantile of chi² up to which the model counts as near what was observed
_FURTHER = 1.1  # factor of the model's error from one try to the next
_FIRST = 0.01  # first error of the model that is tried: logarithm of a count, points of a share
_MOST = 10.0


@dataclass(frozen=True, slots=True)
class Data:
    """What was observed of the targets that are fitted, on their scales."""

    targets: tuple["Target", ...]
    scales: tuple[Scale, ...]
    observed: np.ndarray
    """(targets,)."""
    error: np.ndarray
    """(targets,) standard deviation of the measurement."""
    luck: float = 1.0
    """Luck of the real district in that of a simulated one, as a standard deviation: less if it has more firms."""
    model: float = 0.0
    """Error of the model, on the scales: logarithm of a count, points of a share."""

    @classmethod
    def of(cls, case: "Case") -> "Data":
        """Of a case; a scaled district has more luck than the real one had."""
        fitted = tuple(target for target in case.targets if target.fit)
        scales = tuple(Scale.of(target) for target in fitted)
        seen = [float(target.value or 0.0) for target in fitted]
        error = [one.width(value, t.tolerance) for one, value, t in zip(scales, seen, fitted, strict=True)]
        observed = [float(one.forward(value)) for one, value in zip(scales, seen, strict=True)]
        return cls(fitted, scales, np.array(observed), np.array(error), float(np.sqrt(case.scale)))

    @property
    def noise(self) -> np.ndarray:
        """(targets,) standard deviation of measurement and model together."""
        return np.hypot(self.error, self.model)


def axes_of(case: "Case") -> list[Axis]:
    """The case's parameters, around the scenario's own values."""
    from district_sim.scenario.paths import value_at

    data = case.scenario.model_dump(mode="json")
    return [Axis.of(path, prior, value_at(data, path)) for path, prior in case.parameters.items()]


def prior_places(axes: Sequence[Axis], count: int, seed: int) -> np.ndarray:
    """(count, parameters) draws from the prior, evenly spread (scrambled Sobol')."""
    from scipy.stats import qmc, truncnorm

    low, high = _ends(axes)
    cube = qmc.Sobol(len(axes), rng=np.random.default_rng([seed, len(axes)])).random_base2(int(np.ceil(np.log2(count))))
    return truncnorm.ppf(np.clip(cube[:count], 1e-6, 1.0 - 1e-6), low, high)


def _ends(axes: Sequence[Axis]) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.array([axis.ends for axis in axes]).T
    return low, high


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How probable what was observed is, for any parameters."""

    emulator: Emulator
    data: Data

    def distances(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances of what was observed, in standard deviations, and log determinants: (n,) each."""
        return self.apart(self.emulator.mean(places), self.emulator.deviation(places))

    def apart(self, mean: np.ndarray, deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`distances` for what the emulator says of places."""
        luck = deviation * self.data.luck
        covariance = luck[:, :, None] * luck[:, None, :] * self.emulator.correlation
        covariance += np.diag(self.data.noise**2 + 1e-10)
        factor = np.linalg.cholesky(covariance)
        steps = np.linalg.solve(factor, (self.data.observed - mean)[:, :, None])[:, :, 0]
        return (steps**2).sum(axis=1), 2.0 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)

    def logarithm(self, places: np.ndarray) -> np.ndarray:
        """(n,) up to a constant."""
        squared, determinant = self.distances(places)
        return -0.5 * (squared + determinant)


@dataclass(frozen=True, slots=True)
class Found:
    """Draws from a posterior."""

    places: np.ndarray
    """(walkers, steps, parameters)."""
    data: Data
    """With the error of the model that was needed."""
    nearest: float
    """Least squared distance of what was observed from the model, in standard deviations, without that error."""
    expected: float
    """What such a distance rarely exceeds where the model is right."""

    @property
    def misfit(self) -> bool:
        """Whether no parameters bring the model near what was observed."""
        return self.nearest > self.expected


def near_enough(
    likelihood: Likelihood, places: np.ndarray, ends: tuple[np.ndarray, np.ndarray]
) -> tuple[Likelihood, float, float]:
    """The likelihood with the least error of the model that brings some place near what was observed.

    Args:
        places: (n, parameters) among which the search for the nearest begins. ends: lowest and highest places.
    """
    from scipy.stats import chi2

    limit = float(chi2.ppf(_NEAR, len(likelihood.data.observed)))
    distances = likelihood.distances(places)[0]
    if distances.min() > limit:  # a narrow valley may lie between the places
        best = _descend(likelihood, places[int(np.argmin(distances))], ends)
        places = np.vstack([places, best])
        distances = likelihood.distances(places)[0]
    nearest = float(distances.min())
    found, size, error = likelihood, nearest, _FIRST
    mean, deviation = likelihood.emulator.mean(places), likelihood.emulator.deviation(places)
    while size > limit and error < _MOST:
        found = Likelihood(likelihood.emulator, replace(likelihood.data, model=error))
        size = float(found.apart(mean, deviation)[0].min())
        error *= _FURTHER
    return found, nearest, limit


def _descend(likelihood: Likelihood, start: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """A place nearer to what was observed, downhill from a start."""
    from scipy.optimize import minimize

    def distance(place: np.ndarray) -> float:
        return float(likelihood.distances(place[None])[0][0])

    found = minimize(distance, start, method="L-BFGS-B", bounds=np.column_stack(ends), options={"maxiter": 60})
    return np.asarray(found.x)


def _spread_out(told: np.ndarray, count: int) -> np.ndarray:
    """Weights of places by the logarithm of their posterior, flattened until so many of them count."""
    heat = 1.0
    while True:
        weights = np.exp((told - told.max()) / heat)
        weights /= weights.sum()
        if 1.0 / np.sum(weights**2) >= count or heat > 1e6:
            return weights
        heat *= 1.5


def infer(
    emulator: Emulator, data: Data, axes: Sequence[Axis], seed: int, burn: int = BURN, steps: int = STEPS
) -> Found:
    """Draw from the posterior; the same for the same seed.

    Args:
        burn, steps: of each walker: thrown away, and kept.
    """
    from emcee import EnsembleSampler
    from emcee.moves import DEMove, DESnookerMove
    from threadpoolctl import threadpool_limits

    low, high = _ends(axes)
    rng = np.random.default_rng([seed, 20])
    with threadpool_limits(1):
        looked_at = prior_places(axes, _LOOKED_AT, seed)
        likelihood, nearest, expected = near_enough(Likelihood(emulator, data), looked_at, (low, high))
        walkers = max(WALKERS, 2 * len(axes) + 2)
        weights = _spread_out(likelihood.logarithm(looked_at), walkers)
        start = looked_at[rng.choice(len(looked_at), walkers, replace=False, p=weights)]
        start = np.clip(start + 0.02 * rng.normal(size=start.shape), low + 1e-6, high - 1e-6)

        def posterior(places: np.ndarray) -> np.ndarray:
            within = ((places >= low) & (places <= high)).all(axis=1)
            found = np.full(len(places), -np.inf)
            if within.any():
                found[within] = likelihood.logarithm(places[within]) - 0.5 * (places[within] ** 2).sum(axis=1)
            return found

        moves = [(DEMove(), 0.8), (DESnookerMove(), 0.2)]  # they forget where they were sooner than stretches do
        sampler = EnsembleSampler(walkers, len(axes), posterior, moves=moves, vectorize=True)
        sampler.random_state = np.random.MT19937(int(rng.integers(2**31))).state
        last = sampler.run_mcmc(start, burn, skip_initial_state_check=True)
        sampler.reset()
        sampler.run_mcmc(last, steps, skip_initial_state_check=True)
    return Found(sampler.get_chain().swapaxes(0, 1), likelihood.data, nearest, expected)
