"""Exponentials, logarithms and normal quantiles of arrays, with the same bits on every processor.

numpy's own take other ways where a processor has wider vectors, and differ in the last bit. These ask the C library,
number by number. Kernels need none of this: compiled code asks the C library, too.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np


def exp(values: np.ndarray) -> np.ndarray:
    """The exponential of each value, which is at most 709; same shape."""
    return _each(math.exp, values)


def log(values: np.ndarray) -> np.ndarray:
    """The natural logarithm of each value, which is above zero; same shape."""
    return _each(math.log, values)


def normal_quantiles(shares: np.ndarray) -> np.ndarray:
    """The standard normal's quantile of each share, between 0 and 1; same shape.

    Algorithm AS 241 (Wichura 1988, doi:10.2307/2347330), exact to about 16 digits.
    """
    return _each(NormalDist().inv_cdf, shares)


def _each(function: Callable[[float], float], values: np.ndarray) -> np.ndarray:
    return np.fromiter(map(function, values.ravel().tolist()), float, values.size).reshape(values.shape)
