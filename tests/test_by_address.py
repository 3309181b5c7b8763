"""How kernels get a district: named tuples by address, and kernels as parts of others."""

import gc
import sys
from typing import Any, NamedTuple

import numpy as np

from district_sim.kernels.by_address import by_address
from district_sim.kernels.compile import array_kernel, kernel


@by_address
class Inner(NamedTuple):
    numbers: np.ndarray
    factor: float


@by_address
class Outer(NamedTuple):
    rows: Any
    inner: Inner
    count: int


@kernel
def weighted(outer, k):
    return outer.rows[k].weight * outer.inner.numbers[k] * outer.inner.factor + outer.count


@kernel
def all_weighted(outer):
    total = 0.0
    for k in range(outer.rows.size):
        total += weighted(outer, k)
    return total + weighted(outer, np.int8(0)) - weighted(outer, 0)


@kernel
def double_all(inner):
    for k in range(inner.numbers.size):
        inner.numbers[k] *= 2.0


@kernel
def double_within(outer):
    double_all(outer.inner)


@array_kernel
def tail(outer, first):
    return outer.inner.numbers[first:]


def outer(size: int) -> Outer:
    rows = np.zeros(size, np.dtype([("key", np.int64), ("weight", np.float64)], align=True)).view(np.recarray)
    rows.weight = np.arange(size)
    return Outer(rows, Inner(np.arange(size) + 0.5, 2.0), 3)


def test_fields_are_read_where_they_are() -> None:
    given = outer(7)
    assert all_weighted(given) == sum(k * (k + 0.5) * 2.0 + 3 for k in range(7))
    assert all_weighted(outer(0)) != all_weighted(outer(1))  # the same code: sizes are not in the type
    assert len(all_weighted.entry.overloads) == 1


def test_a_tuple_within_a_tuple_is_the_same_memory() -> None:
    given = outer(4)
    double_within(given)
    np.testing.assert_array_equal(given.inner.numbers, 2 * (np.arange(4) + 0.5))


def test_kinds_of_whole_numbers_share_a_part() -> None:
    all_weighted(outer(2))
    all_weighted.entry.recompile()  # code that was kept on disk knows nothing of its parts
    assert len(weighted._part.overloads) == 1


def test_no_reference_is_lost_or_kept() -> None:
    given = outer(5)
    numbers = given.inner.numbers
    before = sys.getrefcount(numbers), sys.getrefcount(given.rows)
    for _ in range(100):
        all_weighted(given)
        tail(given, 2)
    gc.collect()
    assert (sys.getrefcount(numbers), sys.getrefcount(given.rows)) == before


def test_what_is_returned_outlives_the_tuple() -> None:
    rest = [tail(outer(1000), k) for k in range(50)]
    gc.collect()
    for k, part in enumerate(rest):
        np.testing.assert_array_equal(part, np.arange(k, 1000) + 0.5)
