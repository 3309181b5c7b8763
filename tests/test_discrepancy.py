"""The model's error: against the conditional distribution of normal variables, and at its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from district_sim.evidence.posterior.discrepancy import Discrepancy


@pytest.mark.parametrize(("size", "error", "ahead"), [(0.08, 0.03, 0), (0.08, 0.03, 20), (0.05, 0.2, 40)])
def test_it_is_what_an_observation_leaves_open(size: float, error: float, ahead: int) -> None:
    """Discrepancy now and then, and what was measured, are normal together: the conditional one of the textbook."""
    walk = size**2 * ahead / 40.0
    now_then = np.array([[size**2, size**2], [size**2, size**2 + walk]])
    seen = size**2 + error**2
    gap = 0.11
    mean, unknown = Discrepancy.of([(12, np.array(gap), error)], 3).at(size, np.array([12 + ahead]))
    assert mean == pytest.approx(now_then[1, 0] / seen * gap)
    assert unknown**2 == pytest.approx(now_then[1, 1] - now_then[1, 0] ** 2 / seen)


def test_what_was_never_observed_is_as_wide_as_it_was_set() -> None:
    mean, unknown = Discrepancy.of([], 8).at(0.08, np.array([4, 8, 48]))
    assert not mean.any()
    assert unknown == pytest.approx([0.08, 0.08, 0.08 * np.sqrt(2.0)])


def test_an_exact_figure_is_where_a_forecast_starts() -> None:
    """Two paths, two observations: the paths are moved onto them, and between them in line."""
    gaps = np.array([0.1, -0.2])
    found = Discrepancy.of([(20, 3.0 * gaps, 0.0), (10, gaps, 0.0)], 0)
    mean, unknown = found.at(0.08, np.array([-1, 10, 15, 20, 30]))
    assert mean == pytest.approx(np.outer(gaps, [0.0, 1.0, 2.0, 3.0, 3.0]))
    assert unknown == pytest.approx(0.08 * np.sqrt([1.0, 0.0, 0.0, 0.0, 0.25]))


def test_a_model_without_error_is_moved_nowhere() -> None:
    mean, unknown = Discrepancy.of([(10, np.array([0.3]), 0.0)], 0).at(0.0, np.array([10, 50]))
    assert not mean.any()
    assert not unknown.any()


def test_a_path_that_says_nothing_is_not_moved() -> None:
    mean, _ = Discrepancy.of([(10, np.array([np.nan, np.inf, 0.1]), 0.01)], 0).at(0.08, np.array([10]))
    assert mean[:2].tolist() == [[0.0], [0.0]]
    assert mean[2, 0] > 0.0


@given(st.floats(0.001, 1.0), st.floats(0.0, 1.0), st.integers(0, 100))
def test_an_observation_never_widens(size: float, error: float, ahead: int) -> None:
    at = np.array([10 + ahead])
    mean, unknown = Discrepancy.of([(10, np.array(0.2), error)], 10).at(size, at)
    assert unknown <= Discrepancy.of([], 10).at(size, at)[1] * (1.0 + 1e-12)
    assert 0.0 <= mean <= 0.2
