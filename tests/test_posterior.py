"""A posterior: the emulator and the sampler on truths worked out by hand, the store, the file, and the command."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from posterior_parts import DISTRICT, TARGETS, write_posterior
from typer.testing import CliRunner, Result

from district_sim.evidence.cases.calibration import Axis
from district_sim.evidence.cases.files import Case, Prior, Target, read_case
from district_sim.evidence.posterior import posterior as files
from district_sim.evidence.posterior import simulations
from district_sim.evidence.posterior.check import judged
from district_sim.evidence.posterior.emulator import Emulator, Scale, learn
from district_sim.evidence.posterior.fit import Setting
from district_sim.evidence.posterior.inference import Data, infer, prior_places
from district_sim.evidence.posterior.posterior import Posterior, Refused
from district_sim.evidence.posterior.simulations import OtherTable, Store, table_of
from district_sim.run.workers import Workers
from district_sim.scenario.files import ScenarioError

SMALL = ("--posterior", "--simulations", "256", "--draws", "60", "--workers", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(DISTRICT)
    (tmp_path / "tiny.targets.yaml").write_text(TARGETS)
    return tmp_path


@pytest.fixture
def call(folder: Path) -> Callable[..., Result]:
    from district_sim import cli

    return lambda *arguments: CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


# A model that can be worked out by hand -----------------------------------------------------------

WIDE = Prior(low=-4.0, high=4.0)
AXES = [Axis(name, 0.0, 1.0, WIDE) for name in ("a.one", "a.two", "a.idle")]
"""Priors with standard deviation 1, cut at 4 of them."""
EFFECTS = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 1.0, 0.0]])
LUCK, ERROR = 0.4, 0.3


def one_run(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return places @ EFFECTS.T + LUCK * rng.normal(size=(len(places), len(EFFECTS)))


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    places = prior_places(AXES, 400, 0)
    return learn(places, one_run(places, np.random.default_rng(1)))


def data_of(observed: np.ndarray, targets: slice = slice(None)) -> Data:
    count = len(EFFECTS[targets])
    return Data((), (Scale(False),) * count, observed[targets], np.full(count, ERROR))


def test_the_posterior_of_a_linear_model_is_the_exact_one(emulator: Emulator) -> None:
    observed = np.array([1.0, 1.2, 0.8])
    found = infer(emulator, data_of(observed), AXES, 0)
    precision = EFFECTS.T @ EFFECTS / (LUCK**2 + ERROR**2) + np.eye(3)
    mean = np.linalg.solve(precision, EFFECTS.T @ observed / (LUCK**2 + ERROR**2))
    spread = np.sqrt(np.diag(np.linalg.inv(precision)))
    drawn = found.places.reshape(-1, 3)
    assert np.abs(drawn.mean(axis=0) - mean).max() < 0.1
    assert np.abs(drawn.std(axis=0) / spread - 1.0).max() < 0.1
    assert not found.misfit
    assert found.data.model == 0.0


def test_a_parameter_that_no_target_answers_to_keeps_its_prior(emulator: Emulator) -> None:
    idle = infer(emulator, data_of(np.array([1.0, 1.2, 0.8])), AXES, 0).places.reshape(-1, 3)[:, 2]
    assert abs(idle.mean()) < 0.1
    assert abs(idle.std() - 1.0) < 0.1


def test_fewer_targets_say_less() -> None:
    places = prior_places(AXES, 300, 0)
    runs = one_run(places, np.random.default_rng(1))
    observed = np.array([1.0, 1.2, 0.8])
    all_of_them = infer(learn(places, runs), data_of(observed), AXES, 0)
    one_of_them = infer(learn(places, runs[:, :1]), data_of(observed, slice(1)), AXES, 0)
    widths = [found.places.reshape(-1, 3)[:, :2].std(axis=0) for found in (all_of_them, one_of_them)]
    assert (widths[1] > widths[0]).all()


def test_the_same_seed_gives_the_same_draws(emulator: Emulator) -> None:
    data = data_of(np.array([1.0, 1.2, 0.8]))
    one, two = (infer(emulator, data, AXES, 7, burn=5, steps=5).places for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, infer(emulator, data, AXES, 8, burn=5, steps=5).places)


def test_a_model_that_cannot_be_right_is_told_so_and_widens(emulator: Emulator) -> None:
    """The second target is 0.6 of the first and 0.8 of the third: these three figures contradict each other."""
    far = infer(emulator, data_of(np.array([1.0, -6.0, 1.0])), AXES, 0)
    near = infer(emulator, data_of(np.array([1.0, 1.4, 1.0])), AXES, 0)
    assert far.misfit
    assert far.nearest > far.expected
    assert far.data.model > 0.5
    assert (far.places[..., :2].std(axis=(0, 1)) > near.places[..., :2].std(axis=(0, 1))).all()


def test_the_emulator_is_judged_on_runs_that_it_has_not_seen(emulator: Emulator) -> None:
    variance = (EFFECTS**2).sum(axis=1)
    assert np.abs(emulator.explained - variance / (variance + LUCK**2)).max() < 0.06
    assert np.abs(emulator.inside - 0.9).max() < 0.06
    assert np.abs(emulator.correlation - np.eye(3)).max() < 0.2


# The check ----------------------------------------------------------------------------------------


def normal_draws(truths: int, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of a normal mean seen once; right if the width is 1."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(truths, 2))
    seen = truth + rng.normal(size=truth.shape)
    draws = seen[:, None] / 2.0 + width * np.sqrt(0.5) * rng.normal(size=(truths, 500, 2))
    return draws, truth


@pytest.mark.parametrize(("width", "verdict"), [(1.0, "passed"), (0.5, "failed"), (2.5, "failed")])
def test_the_check_finds_posteriors_that_are_too_sure_or_not_sure_enough(width: float, verdict: str) -> None:
    found = judged(("a", "b"), *normal_draws(100, width))
    assert found.verdict == verdict
    assert bool(found.reason) == (verdict == "failed")
    assert 0.75 < found.bounds[1, 0] < 0.9 < found.bounds[1, 1] <= 1.0


# The store ----------------------------------------------------------------------------------------

_calls: list[int] = []


def squared(job: int) -> simulations.Row:
    _calls.append(job)
    return {"square": np.array([job**2, np.nan])}


def test_what_was_made_is_not_made_again(tmp_path: Path) -> None:
    jobs = list(range(3 * simulations.SHARD + 5))
    with Workers(1) as crew:
        whole = table_of(squared, jobs, Store.open(tmp_path / "a", {"of": 1}), crew)
        store = Store.open(tmp_path / "b", {"of": 1})
        table_of(squared, jobs[: 2 * simulations.SHARD], store, crew)
        shards = sorted((tmp_path / "b").glob("*.npz"))
        shards[1].write_bytes(shards[1].read_bytes()[:40])  # the disk was full
        _calls.clear()
        again = table_of(squared, jobs, Store.open(tmp_path / "b", {"of": 1}), crew)
    assert sorted(_calls) == jobs[simulations.SHARD :]
    assert np.array_equal(whole["square"], again["square"], equal_nan=True)
    assert whole["square"][:, 0].tolist() == [job**2 for job in jobs]


def test_runs_of_something_else_are_not_taken(tmp_path: Path) -> None:
    with Workers(1) as crew:
        table_of(squared, [1], Store.open(tmp_path, {"of": 1}), crew)
        with pytest.raises(OtherTable, match="another case"):
            Store.open(tmp_path, {"of": 2})
        Store.open(tmp_path, {"of": 2}, force=True)
    assert not list(tmp_path.glob("*.npz"))


# The command --------------------------------------------------------------------------------------


def test_a_posterior_from_the_command_line(call: Callable[..., Result], folder: Path) -> None:
    made = call("calibrate", "tiny.yaml", "--targets", "tiny.targets.yaml", *SMALL, "--check", "--truths", "20")
    assert made.exit_code == 0, made.output
    out = folder / "posteriors" / "tiny"
    told = json.loads((out / "posterior.json").read_text())
    assert "innovation.exploration" in made.output
    assert told["check"]["truths"] == 20
    assert told["parameters"]["demography.exit"]["left"] < 0.8
    assert told["parameters"]["innovation.exploration"]["verdict"] == "stays at its prior"
    drawn = {"prior_to_posterior", "pairs", "observed_and_predicted", "check"}
    assert {path.stem for path in out.glob("*.png")} == drawn == {path.stem for path in out.glob("*.svg")}

    found = Posterior.load(out, even_so=True)
    assert found.values.shape == (60, 2)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.effective == pytest.approx(60.0)
    settings = found.chosen(10)
    assert len(settings) == 10
    assert all(0.004 <= one["demography.exit"] <= 0.1 for one in settings)
    assert settings == found.chosen(10)

    import xarray as xr

    with xr.open_datatree(out / "posterior.nc", engine="h5netcdf") as tree:
        groups = {"prior", "posterior", "sample_stats", "prior_predictive", "posterior_predictive", "observed_data"}
        assert groups == set(tree.children)
        assert tree["posterior"]["demography.exit"].dims == ("chain", "draw")
        assert tree["posterior_predictive"]["targets"].shape == (1, 60, 2)
        assert tree["posterior_predictive"]["firms"].shape == (1, 60, 16)

    before = (out / "posterior.nc").read_bytes()
    shutil.rmtree(out / "runs" / "predictive")  # as after a kill
    next(iter(sorted((out / "runs" / "prior").glob("*.npz")))).unlink()
    call("calibrate", "tiny.yaml", "--targets", "tiny.targets.yaml", *SMALL, "--check", "--truths", "20")
    assert (out / "posterior.nc").read_bytes() == before
    other = call("calibrate", "tiny.yaml", "--targets", "tiny.targets.yaml", *SMALL, "--seed", "1")
    assert other.exit_code == 2
    assert "--force" in other.output


def test_a_posterior_that_failed_is_refused(tmp_path: Path) -> None:
    path = write_posterior(tmp_path / "posterior.nc", "failed")
    with pytest.raises(Refused, match=r"hold the truth in 60%.*--even-so"):
        Posterior.load(path)
    assert "FAILED" in Posterior.load(path, even_so=True).warning
    assert Posterior.load(write_posterior(tmp_path / "b.nc", "passed")).warning == ""
    assert "not checked" in Posterior.load(write_posterior(tmp_path / "c.nc", "not checked")).warning
    assert "MISSES" in Posterior.load(write_posterior(tmp_path / "d.nc", "passed", misfit=True)).warning


def test_what_is_no_posterior_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_text("nothing")
    with pytest.raises(ScenarioError, match=r"a\.nc: is no posterior"):
        Posterior.load(tmp_path / "a.nc")
    with pytest.raises(ScenarioError, match="there is no such file"):
        Posterior.load(tmp_path / "b.nc")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, call: Callable[..., Result]) -> None:
    monkeypatch.setattr(files, "_LIBRARIES", ("no_such_library",))
    made = call("calibrate", "tiny.yaml", "--targets", "tiny.targets.yaml", *SMALL)
    assert made.exit_code == 2
    assert "district-sim[bayes]" in made.output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--draws", "10"), "--draws must be at least 50"),
        (("--simulations", "10"), "--simulations must be at least"),
        (("--check", "--truths", "3"), "--truths must be at least 20"),
    ],
)
def test_bad_numbers_are_refused(given: tuple[str, ...], said: str, call: Callable[..., Result]) -> None:
    made = call("calibrate", "tiny.yaml", "--targets", "tiny.targets.yaml", "--posterior", *given)
    assert made.exit_code == 2
    assert said in made.output


def test_scales(folder: Path) -> None:
    case = read_case(folder / "tiny.targets.yaml")
    count = Scale.of(case.targets[0])
    assert count.back(count.forward(0.0)) == pytest.approx(0.0)
    assert count.back(count.forward(137.0)) == pytest.approx(137.0)
    assert count.width(99.0, 5.0) == pytest.approx(0.05)
    share = Scale.of(replace_target(case, measure="small_firm_share", value=0.5))
    assert share.forward(0.5) == 0.5
    data = Data.of(replace(case, scale=0.25))
    assert data.luck == pytest.approx(0.5)  # four times as many firms have half the luck


def replace_target(case: Case, **changes: object) -> Target:
    return case.targets[0].model_copy(update=changes)


def test_a_setting_knows_what_its_runs_depend_on(folder: Path) -> None:
    case = read_case(folder / "tiny.targets.yaml")
    one = Setting(case, 0, 128, 60, folder).made_of()
    assert one == Setting(case, 0, 256, 90, folder).made_of()
    assert one != Setting(case, 1, 128, 60, folder).made_of()
