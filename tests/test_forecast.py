"""Forecasts: paths over draws and luck, their weights, where variance comes from, moved thresholds, and the command."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from posterior_parts import DISTRICT, TARGETS, write_posterior
from typer.testing import CliRunner, Result

from district_sim import figures
from district_sim.cli.forecast import scenario_as_case
from district_sim.evidence.cases.files import read_case
from district_sim.evidence.cases.runs import scaled
from district_sim.evidence.posterior.forecast import (
    LABELS,
    SETS,
    Forecast,
    Plan,
    _two_ways,
    foretell,
    moved_thresholds,
    plan_of,
)
from district_sim.evidence.posterior.inference import Data
from district_sim.evidence.posterior.posterior import Posterior
from district_sim.reports.forecast import SHOWN, band_table, label_table, label_words, path_table
from district_sim.run.run import simulate
from district_sim.run.trajectories import DEFAULT_THRESHOLDS, Ramp, Trajectory
from district_sim.run.workers import Workers
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.indicators import NAMES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(DISTRICT)
    (tmp_path / "tiny.targets.yaml").write_text(TARGETS)
    write_posterior(tmp_path / "posterior.nc", "passed")
    return tmp_path


@pytest.fixture
def call(folder: Path) -> Callable[..., Result]:
    from district_sim import cli

    return lambda *arguments: CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


def made_up(
    values: np.ndarray, labels: np.ndarray | None = None, seen: float | None = None, folder: Path | None = None
) -> Forecast:
    """A forecast of employment (draws, lucks) at the end; nothing is run."""
    draws, lucks = values.shape
    case = read_case((folder or Path()) / "tiny.targets.yaml")
    plan = Plan(
        case,
        [{"demography.exit": 0.01 + 0.001 * k, "innovation.exploration": 0.1} for k in range(draws)],
        lucks,
        {"own": case.scenario},
        0,
        None if seen is None else replace(Data.of(case), observed=np.array([np.log(seen + 1.0)])),
    )
    table = np.ones((1, draws, lucks, len(plan.rows), len(NAMES)))
    table[0, :, :, -1, NAMES.index("employment")] = values
    codes = np.zeros((draws, lucks, SETS), int) if labels is None else labels
    observed = np.stack([values, np.ones_like(values)], axis=2)
    return Forecast.of(plan, {"indicators": table, "labels": codes[None], "values": observed[None]})


# Weights and variance -----------------------------------------------------------------------------


def test_variance_is_split_into_luck_and_parameters(folder: Path) -> None:
    """Law of total variance, on draws and lucks with known variances."""
    rng = np.random.default_rng(0)
    values = 100.0 + 3.0 * rng.normal(size=(4000, 1)) + 2.0 * rng.normal(size=(4000, 5))
    luck, parameters = _two_ways(values, np.full(values.shape, 1.0 / values.size))
    assert luck == pytest.approx(4.0, rel=0.05)
    assert parameters == pytest.approx(9.0, rel=0.08)


def test_weights_do_not_move_variance_between_its_parts() -> None:
    rng = np.random.default_rng(0)
    values = 2.0 * rng.normal(size=(4000, 8))  # no parameters at all
    weights = rng.dirichlet(np.full(8, 2.0), 4000) / 4000
    luck, parameters = _two_ways(values, weights)
    assert luck == pytest.approx(4.0, rel=0.05)
    assert parameters < 0.1


def test_histories_near_what_was_observed_count_for_more(folder: Path) -> None:
    values = np.array([[50.0, 90.0], [49.0, 51.0]])
    plain, seen = made_up(values, folder=folder), made_up(values, seen=50.0, folder=folder)
    assert np.allclose(plain.weights, 0.25)
    assert np.allclose(seen.weights.sum(axis=1), 0.5)  # of a draw, whatever its lucks
    assert seen.weights[0, 0] > 0.49
    assert seen.weights[1] == pytest.approx([0.25, 0.25], abs=0.02)
    assert seen.effective < plain.effective


def test_a_band_is_of_weighted_paths(folder: Path) -> None:
    found = made_up(np.array([[10.0, 20.0], [30.0, 40.0]]), folder=folder)
    low, _, middle, _, high = found.band(found.values(0, "employment"))[:, -1]
    assert (low, middle, high) == (10.0, 20.0, 40.0)


def test_the_models_error_widens_bands_and_grows(folder: Path) -> None:
    rng = np.random.default_rng(0)
    found = made_up(100.0 + rng.normal(size=(400, 5)), folder=folder)
    wide = found.with_error(0, "employment", 0.1)[:, :, -1]
    assert np.std(np.log(wide)) == pytest.approx(0.1 * np.sqrt(1.4), rel=0.1)  # 4 years after nothing was seen
    assert np.array_equal(found.with_error(0, "employment", 0.0), found.values(0, "employment"))
    shares = found.with_error(0, "mne_turnover_share", 0.5)
    assert (shares >= 0.0).all()
    assert (shares <= 1.0).all()
    split = found.split(0, "employment", 0.1)
    assert split.other > 50.0 * split.luck
    assert sum(split.shares()) == pytest.approx(1.0)


def test_paths_start_from_what_was_observed(folder: Path) -> None:
    """A tenth too many firms at the last observation are about a tenth too many later, for every path."""
    said = np.array([[50.0, 90.0], [49.0, 51.0]])
    found = made_up(said, seen=50.0, folder=folder)  # of the target, which is about firms; later each path has one
    assert found.plan.data is not None
    (target,), (error,) = found.plan.data.targets, found.plan.data.error
    known = 0.1**2 / (0.1**2 + error**2)
    moved = found.corrected(0, "firms", 0.1)[:, :, -1]
    assert np.log(moved) == pytest.approx(known * np.log(target.value / said))
    assert np.array_equal(found.corrected(0, "firms", 0.0), found.values(0, "firms"))
    assert np.array_equal(found.corrected(0, "wage", 0.1), found.values(0, "wage"))  # never observed


# Labels -------------------------------------------------------------------------------------------


def test_thresholds_are_moved_by_a_fifth_at_most() -> None:
    first, *others = moved_thresholds()
    assert first == DEFAULT_THRESHOLDS
    for one in others:
        assert 0.4 <= one.label <= 0.6
        assert 1.0 - 0.4 * 1.2 <= one.decline <= 1.0 - 0.4 * 0.8
        for name in DEFAULT_THRESHOLDS.__dataclass_fields__:
            own, moved = getattr(DEFAULT_THRESHOLDS, name), getattr(one, name)
            if isinstance(own, Ramp):
                assert np.sign(moved.high - moved.low) == np.sign(own.high - own.low), name
    assert len({one.label for one in others}) == SETS - 1


def test_a_label_is_a_probability_that_hangs_on_parameters(folder: Path) -> None:
    draws, lucks = 60, 4
    labels = np.full((draws, lucks, SETS), LABELS.index(Trajectory.DECLINE))
    labels[:30] = LABELS.index(Trajectory.MARSHALLIAN_PERSISTENCE)  # low exit
    labels[:, :, SETS // 2 :] = LABELS.index(Trajectory.DECLINE)  # with half of the thresholds all is decline
    found = made_up(np.ones((draws, lucks)), labels, folder=folder)
    decline = LABELS.index(Trajectory.DECLINE)
    assert found.probabilities(0)[decline] == pytest.approx(0.5)
    assert found.by_set(0)[-1, decline] == 1.0
    hinge, *rest = found.hangs_on(0, decline)
    assert (hinge.path, hinge.above, hinge.below, rest) == ("demography.exit", 1.0, 0.0, [])
    split = found.label_split(0, decline)
    assert split.luck == pytest.approx(0.0)
    assert split.other > 0.0
    words = label_words(replace(found, labels=np.where(labels == decline, labels, decline)[None]))
    assert "with probability 100 %" in words
    assert "hangs on no fitted parameter" in words


# Runs ---------------------------------------------------------------------------------------------


def test_a_path_is_a_run_of_a_draw(folder: Path) -> None:
    posterior = Posterior.load(folder / "posterior.nc")
    plan = plan_of(read_case(folder / "tiny.targets.yaml"), posterior, 8, {}, lucks=2)
    assert [len(plan.draws), plan.lucks] == [4, 2]
    with Workers(1) as crew:
        made = foretell(plan, folder / "runs", crew)
    own = simulate(scaled(plan.case.scenario, 1.0, plan.draws[2]), 900_002_000 + 2 * 2 + 1)
    assert np.allclose(made.values(0, "firms")[2, 1], own.columns["firms"][np.array(plan.rows) - 1])
    assert LABELS[made.labels[0, 2, 1, 0]] == own.trajectory
    assert made.plan.dates == [2000.25, 2001.0, 2002.0, 2003.0, 2004.0]
    bands, labels, paths = band_table(made, 0.08), label_table(made), path_table(made)
    assert len(bands) == len(NAMES) * 5
    assert (bands["q05"].dropna() <= bands["q95"].dropna() + 1e-9).all()
    assert labels["probability"].sum() == pytest.approx(1.0)
    assert len(paths) == 8 * 5
    assert set(paths["demography.exit"]) == {0.02}
    assert len(figures.fans("Tiny", bands, SHOWN, 2004.0).axes) == 6
    assert figures.label_shares("Tiny", labels).axes


def test_a_forecast_from_the_command_line(call: Callable[..., Result], folder: Path) -> None:
    given = ("forecast", "tiny.yaml", "--targets", "tiny.targets.yaml", "--posterior", "posterior.nc", "--paths", "8")
    given = (*given, "--lucks", "2", "--workers", "1", "--until", "2005", "--policies", "rd_subsidy", "--out", "f")
    made = call(*given)
    assert made.exit_code == 0, made.output
    assert "with probability" in made.output
    told = json.loads((folder / "f" / "forecast.json").read_text())
    assert told["until"] == "2005"
    assert list(told["mixes"]) == ["own", "rd_subsidy"]
    assert 0.0 <= told["mixes"]["rd_subsidy"]["indicators"]["firms"]["effect"]["probability_more"] <= 1.0
    names = {
        "forecast.md",
        "forecast.json",
        "bands.csv",
        "paths.parquet",
        "fans.png",
        "trajectories.svg",
        "effects.tex",
    }
    assert names <= {path.name for path in (folder / "f").iterdir()}
    paths = pd.read_parquet(folder / "f" / "paths.parquet")
    assert paths["year"].max() == 2005.0
    assert len(paths) == 2 * 8 * 6
    before = (folder / "f" / "forecast.json").read_bytes()
    next(iter(sorted((folder / "f" / "runs").glob("*.npz")))).unlink()  # as after a kill
    call(*given)
    assert (folder / "f" / "forecast.json").read_bytes() == before


def test_a_run_says_how_probable_its_label_is(call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.cli.run._PATHS", 8)
    monkeypatch.setattr("district_sim.run.workers.cores", lambda: 1)
    made = call("run", "tiny.yaml", "--posterior", "posterior.nc")
    assert made.exit_code == 0, made.output
    assert "with probability" in made.output
    assert "hangs on" in made.output


def test_what_cannot_be_foretold_is_refused(call: Callable[..., Result], folder: Path) -> None:
    posterior = Posterior.load(folder / "posterior.nc")
    case = scenario_as_case(load_scenario("tiny.yaml"), "tiny.yaml")
    with pytest.raises(ScenarioError, match="at least 20"):
        plan_of(case, posterior, 10, {})
    other = replace(posterior, parameters=("no.such", "innovation.exploration"))
    with pytest.raises(ScenarioError, match=r"has no parameter no\.such"):
        plan_of(case, other, 20, {})
    early = call("forecast", "tiny.yaml", "--targets", "tiny.targets.yaml", "--posterior", ".", "--until", "2003")
    assert early.exit_code == 2
    assert "go on to" in early.output
    write_posterior(folder / "failed.nc", "failed")
    refused = call("forecast", "tiny.yaml", "--posterior", "failed.nc")
    assert refused.exit_code == 2
    assert "--even-so" in refused.output
