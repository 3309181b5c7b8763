"""What the stylised facts are measured with: tails, growth rates, core and periphery."""

from typing import Any

import numpy as np

_FEWEST = 10  # observations in a tail


def tail_exponent(sizes: np.ndarray) -> tuple[float, float, int]:
    """Exponent ζ of the right tail, P(size > s) ~ s^-ζ, where the tail begins, and how many are in it.

    Maximum likelihood (Hill 1975) above each size that leaves at least ten; the tail begins where the largest distance
    of the fitted to the empirical distribution (Kolmogorov-Smirnov) is least: Clauset, Shalizi & Newman 2009
    (doi 10.1137/070710111), whose α is ζ + 1.

    Args:
        sizes: (firms,) > 0, of continuous kind.

    Raises:
        ValueError: there are too few sizes, or they do not differ.
    """
    ordered = np.sort(np.asarray(sizes, float))
    logs, best = np.log(ordered), (np.inf, np.nan, np.nan, 0)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > 0.0)
    for first in starts[starts <= ordered.size - _FEWEST]:
        excess, many = logs[first:] - logs[first], ordered.size - first
        if excess[-1] <= 0.0:
            continue
        exponent = (many - 1) / excess.sum()  # unbiased
        fitted, rank = -np.expm1(-exponent * excess), np.arange(many)
        gap = max(np.abs(fitted - rank / many).max(), np.abs(fitted - (rank + 1) / many).max())
        best = min(best, (gap, exponent, ordered[first], many))
    if not np.isfinite(best[0]):
        raise ValueError(f"a tail takes at least {_FEWEST} sizes that differ, not {ordered.size}")
    return float(best[1]), float(best[2]), int(best[3])


def laplace_over_gaussian(rates: np.ndarray) -> tuple[float, float]:
    """How much better a Laplace than a Gaussian distribution fits, both by maximum likelihood.

    Args:
        rates: (observations,) growth rates.

    Returns:
        Gain in log likelihood per observation, and Vuong's statistic, normal if neither fits better
        (Vuong 1989, doi 10.2307/1912557).
    """
    gaps, scale, spread = _laplace(rates)
    deviations = (rates - rates.mean()) / spread
    gain = -gaps / scale - np.log(2.0 * scale) + 0.5 * deviations**2 + np.log(spread * np.sqrt(2.0 * np.pi))
    return float(gain.mean()), float(np.sqrt(gain.size) * gain.mean() / gain.std())


def _laplace(rates: np.ndarray) -> tuple[np.ndarray, float, float]:
    gaps = np.abs(rates - np.median(rates))
    return gaps, float(gaps.mean()), float(rates.std())


def subbotin_shape(rates: np.ndarray) -> float:
    """Shape b of the Subbotin (exponential power) distribution: 1 for Laplace, 2 for Gaussian; maximum likelihood.

    Bottazzi & Secchi 2006 (doi 10.1111/j.1756-2171.2006.tb00014.x). The centre is the median.

    Args:
        rates: (observations,) growth rates.
    """
    from scipy.stats import gennorm

    shape, _, _ = gennorm.fit(rates, floc=np.median(rates))
    return float(shape)


def slope(x: np.ndarray, y: np.ndarray, group: np.ndarray) -> float:
    """Least squares slope of y on x with an intercept for each group, all (observations,)."""
    _, group = np.unique(group, return_inverse=True)
    count = np.bincount(group)
    x = x - (np.bincount(group, x) / count)[group]
    y = y - (np.bincount(group, y) / count)[group]
    return float(x @ y / (x @ x))


# Core and periphery -------------------------------------------------------------------------------


def coreness(adjacency: np.ndarray) -> np.ndarray:
    """How much each firm belongs to the core, (firms,) >= 0, of unit length: the principal eigenvector.

    The continuous model of Borgatti & Everett 2000 (doi 10.1016/S0378-8733(99)00019-2): ties are to be expected where
    the product of two firms' coreness is large.

    Args:
        adjacency: (firms, firms) symmetric, of zeros and ones, diagonal zero.
    """
    vector = np.abs(np.linalg.eigh(adjacency)[1][:, -1])
    vector[vector < 1e-9] = 0.0  # firms without a way to the core are equal
    return vector


def core_fit(adjacency: np.ndarray) -> float:
    """Correlation of ties with products of coreness over all pairs: 1 for a core with a periphery and nothing else.

    Source: Borgatti & Everett 2000.
    """
    core, pairs = coreness(adjacency), np.triu_indices(len(adjacency), 1)
    return float(np.corrcoef(adjacency[pairs], np.outer(core, core)[pairs])[0, 1])


def tie_overlap(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Ties at both times in all that were at either (Jaccard), and the correlation of the two networks over all pairs.

    Args:
        before, after: (firms, firms) adjacencies of the same firms.
    """
    pairs = np.triu_indices(len(before), 1)
    one, other = before[pairs] > 0, after[pairs] > 0
    return float((one & other).sum() / (one | other).sum()), float(np.corrcoef(one, other)[0, 1])


def rank_correlation(x: Any, y: Any) -> float:
    """Spearman's."""
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic)
