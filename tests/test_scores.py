"""Scores read any table of indicators, a frame or arrays by name; the recovery is counted as by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from district_sim.run.trajectories import recovery_time, score, scores_over_time, windows
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.indicators import NAMES

QUARTERS = 60


@pytest.fixture
def table() -> np.ndarray:
    """Indicators that drift, each its own way."""
    drift = np.random.default_rng(3).normal(0.0, 0.05, (QUARTERS, len(NAMES)))
    return np.abs(1.0 + drift.cumsum(axis=0))


def by_name(table: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(NAMES, table.T, strict=True))


def test_frame_and_arrays_give_the_same_bits(table: np.ndarray) -> None:
    frame = pd.DataFrame(table, columns=list(NAMES))
    assert score(frame) == score(by_name(table))
    assert recovery_time(frame) == recovery_time(by_name(table))


def test_the_late_window_against_the_calm_one(table: np.ndarray) -> None:
    columns = by_name(np.ones_like(table))
    columns["employment"][-15:] = 0.25  # a quarter of sixty quarters is fifteen: the late window
    columns["employment"][15:45] = 7.0  # between the windows, nobody looks
    assert score(columns).retained == 0.25


def test_a_calm_window_of_the_scenario(table: np.ndarray) -> None:
    columns = by_name(np.ones_like(table))
    columns["employment"][:8] = 4.0
    columns["employment"][-15:] = 2.0
    assert score(columns, calm_window=8).retained == 0.5
    assert score(columns, calm_window=QUARTERS).retained == 1.0  # value added is as it always was
    assert windows(QUARTERS) == (15, 15)
    assert windows(QUARTERS, 24) == (24, 15)


def test_without_calm_what_needs_it_cannot_be_given(table: np.ndarray) -> None:
    columns = by_name(np.ones_like(table))
    found = score(columns, calm_window=0)
    compared = (found.fragmentation, found.post_marshallian_node, found.learning_region, found.retained)
    assert all(value == 0.0 or math.isnan(value) for value in compared)
    assert math.isnan(found.retained)
    assert found.collective_entrepreneurship == score(columns).collective_entrepreneurship  # from levels alone
    assert math.isnan(recovery_time(columns, calm_window=0))
    assert scores_over_time(pd.DataFrame(table, columns=list(NAMES)), calm_window=0).index[0] == 4


def test_a_world_that_changed_before_the_run_leaves_no_calm() -> None:
    assert load_scenario("classroom").calm_window is None
    assert load_scenario("classroom", ["run.start=2005", "world.onset=1996"]).calm_window == 0
    assert load_scenario("classroom", ["run.start=2005", "world.onset=1996", "run.calm=2007"]).calm_window == 8
    assert load_scenario("classroom", ["run.calm=0"]).calm_window == 0
    with pytest.raises(ScenarioError, match=r"run\.calm=2007Q1: needs run\.start"):
        load_scenario("classroom", ["run.calm=2007Q1"])


def test_quarters_without_a_number_are_left_out(table: np.ndarray) -> None:
    columns = by_name(np.ones_like(table))
    columns["employment"][-15:] = [math.nan] * 10 + [0.5] * 5
    assert score(columns).retained == 0.5
    columns["trust"][:] = math.nan
    assert math.isnan(score(columns).route_takeover)


@pytest.mark.parametrize(
    ("after", "quarters"),
    [
        ([1.0] * 20, 0.0),
        ([0.9] * 3 + [1.0] * 17, 3.0),
        ([0.9] * 3 + [1.0] * 3 + [0.9] + [0.96] * 13, 7.0),  # three quarters are no year; 5 % are no loss
        ([0.9] * 17 + [1.0] * 3, math.inf),
        ([1.0] * 18 + [0.9] * 2, math.inf),
    ],
)
def test_recovery_by_hand(after: list[float], quarters: float) -> None:
    assert recovery_time({"value_added_local": np.array([1.0] * 20 + after)}) == quarters


def test_one_quarter_is_no_run(table: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least 2 quarters"):
        score(by_name(table[:1]))
    with pytest.raises(KeyError, match="employment"):
        score({"turnover": table[:, 0]})
