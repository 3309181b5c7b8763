"""The estimators that evaluations use: difference in differences and regression discontinuity, by statsmodels.

Standard errors are clustered by district, as firms of one district share its luck (Bertrand, Duflo & Mullainathan 2004,
doi 10.1162/003355304772839588).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MISSING = "replicate policies needs an extra that is not installed: pip install 'district-sim[evaluate]'"
_LEAST_DISTRICTS = 2
_LEVEL = 0.05  # intervals of 95 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect with its standard error and 95 % interval; NaN where it cannot be estimated."""

    value: float
    error: float
    low: float
    high: float
    firms: int
    districts: int

    @property
    def sign(self) -> str:
        """`+` or `-` where the whole interval lies on that side, else `0`; `?` where there is none."""
        if not np.isfinite([self.low, self.high]).all():
            return "?"
        return "+" if self.low > 0.0 else "-" if self.high < 0.0 else "0"

    def scaled(self, factor: float) -> "Estimate":
        """In another unit."""
        low, high = sorted((factor * self.low, factor * self.high))
        return Estimate(factor * self.value, abs(factor) * self.error, low, high, self.firms, self.districts)

    def as_percent(self) -> "Estimate":
        """A difference of logarithms as per cent."""
        value, low, high = (100.0 * float(np.expm1(x)) for x in (self.value, self.low, self.high))
        return Estimate(value, (100.0 + value) * self.error, low, high, self.firms, self.districts)


NOTHING = Estimate(np.nan, np.nan, np.nan, np.nan, 0, 0)


def difference_in_differences(
    change: np.ndarray,
    served: np.ndarray,
    district: np.ndarray,
    within: bool,
    controls: Sequence[np.ndarray] = (),
    group: np.ndarray | None = None,
) -> Estimate:
    """Effect on those served: their change less that of others.

    With two periods this is the regression with effects of firms and periods, and with any that are constant for a
    firm. `controls` stand in for matching: they are held equal.

    Args:
        change: (n,) outcome after less before. served: (n,) 0 or 1, or an amount, of which the effect of one unit is
            found. district: (n,) numbers. within: whether firms of one district are compared with each other, else with
            those of other districts. controls: each (n,). group: (n,) bool; then how much larger the effect is in it
            than outside it.
    """
    columns = [served.astype(float), *controls]
    if group is not None:
        columns = [served * group, *columns, group.astype(float)]
    return _fitted(change, columns, district, within)


def discontinuity(
    outcome: np.ndarray,
    score: np.ndarray,
    district: np.ndarray,
    bandwidth: float,
    order: int = 1,
    group: np.ndarray | None = None,
) -> Estimate:
    """Jump of an outcome where a score passes 0: a polynomial on each side, districts' levels apart.

    Source: Imbens & Lemieux 2008, doi 10.1016/j.jeconom.2007.05.001.

    Args:
        outcome: (n,). score: (n,) less the cut-off; those at or above 0 are served. district: (n,) numbers.
        bandwidth: distance from the cut-off up to which firms count. order: of the polynomial, >= 0.
        group: (n,) bool; then how much larger the jump is in it than outside it.
    """
    near = np.abs(score) <= bandwidth
    s, served = score[near], (score[near] >= 0.0).astype(float)
    columns = [served]
    for power in range(1, order + 1):
        columns += [s**power, served * s**power]
    if group is not None:
        inside = group[near].astype(float)
        columns = [served * inside, *columns, inside, *(inside * column for column in columns[1:])]
    return _fitted(outcome[near], columns, district[near], within=True)


def _fitted(outcome: np.ndarray, columns: Sequence[np.ndarray], district: np.ndarray, within: bool) -> Estimate:
    """Coefficient of the first column in a least-squares regression; what is not finite is left out."""
    from statsmodels.api import OLS

    table = np.column_stack([outcome, *columns])
    known = np.isfinite(table).all(axis=1)
    table, district = table[known], district[known]
    numbers, place = np.unique(district, return_inverse=True)
    if within and numbers.size:
        many = np.bincount(place)[:, None]
        means = np.array([np.bincount(place, column) for column in table.T]).T / many
        table = table - means[place]
    else:
        table = np.column_stack([table, np.ones(len(table))])
    y, x = table[:, 0], table[:, 1:]
    if numbers.size < _LEAST_DISTRICTS or len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return NOTHING
    fit: Any = OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": place}, use_t=True)
    low, high = fit.conf_int(_LEVEL)[0]
    return Estimate(float(fit.params[0]), float(fit.bse[0]), float(low), float(high), len(y), int(numbers.size))


def mean_over_districts(values: np.ndarray) -> Estimate:
    """Mean of one number per district with a t interval; those without one are left out.

    Args:
        values: (districts,).
    """
    from scipy.stats import t

    known = values[np.isfinite(values)]
    if known.size < _LEAST_DISTRICTS:
        return NOTHING
    value, error = float(known.mean()), float(known.std(ddof=1) / np.sqrt(known.size))
    reach = float(t.ppf(1.0 - _LEVEL / 2.0, known.size - 1)) * error
    return Estimate(value, error, value - reach, value + reach, 0, int(known.size))
