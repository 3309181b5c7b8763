"""RO-Crates of a run and of a sweep: every file is described, and the environment makes the same results again."""

import json
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import Result

from district_sim.experiments import Results
from district_sim.experiments.design_files import load_experiment, load_experiments
from district_sim.experiments.plan import make_plan
from district_sim.experiments.points import scenario_of
from district_sim.experiments.store import open_store
from district_sim.reports.crate import crate_of_sweep, environment
from district_sim.run.run import Run
from district_sim.scenario.files import EXPERIMENTS, bundled_files

type Call = Callable[..., Result]


def described(folder: Path) -> dict[str, Any]:
    """Entities by their ids."""
    data = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    return {entity["@id"]: entity for entity in data["@graph"]}


def needs_rocrate() -> None:
    pytest.importorskip("rocrate", reason="crates need rocrate: pip install 'district-sim[crate]'")


def test_the_environment_is_what_is_installed() -> None:
    text = environment("district-sim run resolved.yaml")
    pinned = dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))
    for name in ("numpy", "numba", "pydantic", "llvmlite"):
        assert pinned[name] == version(name)
    assert "networkx" in pinned  # by an extra of Mesa
    assert "pytest" not in pinned
    assert "#   district-sim run resolved.yaml" in text


def test_a_run_is_made_again_from_its_crate(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_rocrate()
    done = call("run", "small.yaml", "--seed", "3", "--policy", "rd_subsidy", "--out", "out", "--crate")
    assert done.exit_code == 0, done.output
    assert "out/ro-crate-metadata.json" in done.stdout
    found = described(Path("out"))
    assert found["./"]["name"] == "Run of Small district, seed 3"
    files = {path.name for path in Path("out").iterdir()} - {"ro-crate-metadata.json"}
    assert files <= found.keys()
    command = found["#again"]["description"].split()[1:]
    monkeypatch.chdir("out")
    assert call(*command).exit_code == 0
    assert Run.load("again").indicators.equals(Run.load(".").indicators)
    assert Run.load("again").policies.equals(Run.load(".").policies)
    assert found["firms.parquet"]["encodingFormat"] == "application/vnd.apache.parquet"
    assert found["map.png"]["encodingFormat"] == "image/png"


def test_the_next_run_leaves_nothing_of_the_last_one(call: Call) -> None:
    needs_rocrate()
    assert call("run", "small.yaml", "--policy", "rd_subsidy", "--out", "out", "--crate").exit_code == 0
    assert Run.load("out").policies.size
    assert call("run", "small.yaml", "--out", "out", "--force").exit_code == 0
    assert not Run.load("out").policies.size
    assert not {"policies.csv", "policies.parquet", "ro-crate-metadata.json"} & {
        path.name for path in Path("out").iterdir()
    }


@pytest.mark.parametrize("name", bundled_files(EXPERIMENTS))
def test_experiments_are_the_same_again(name: str, tmp_path: Path) -> None:
    """Each point of the design, with its scenario."""
    needs_rocrate()
    for experiment in load_experiments(name).values():
        plan = make_plan(experiment)
        folder = tmp_path / experiment.name
        with open_store(folder, plan):
            crate_of_sweep(Results(folder), [])
        again = make_plan(load_experiment(str(folder / "experiment.yaml")))
        for one, other in zip(plan.points, again.points, strict=True):
            assert scenario_of(one, plan.bases) == scenario_of(other, again.bases)


def test_a_sweep_is_made_again_from_its_crate(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_rocrate()
    line = ["sweep", "small.yaml", "--vary", "strategy.sale=0:0.9:2", "--replications", "2", "--seed", "5"]
    done = call(*line, "--out", "out", "--crate")
    assert done.exit_code == 0, done.output
    found = described(Path("out"))
    assert {"experiment.json", "ledger.sqlite", "runs/", "environment.txt", "resolved_0.yaml"} <= found.keys()
    assert found["#again"]["instrument"] == {"@id": "#district-sim"}
    monkeypatch.chdir("out")
    assert YAML(typ="safe").load(Path("experiment.yaml"))["sweep"]["scenarios"] == ["resolved_0.yaml"]
    assert call(*found["#again"]["description"].split()[1:]).exit_code == 0
    one, other = (Results(folder).runs.drop(columns="scenario") for folder in (".", "again"))
    assert one.equals(other)
    monkeypatch.chdir("..")
    again = call(*line, "--out", "out", "--crate")
    assert again.exit_code == 0, again.output


def test_without_the_library_it_is_said_beforehand(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rocrate", None)
    for words in (["run", "small.yaml"], ["sweep", "small.yaml"]):
        done = call(*words, "--out", "out", "--crate")
        assert done.exit_code == 1
        assert re.search(r"--crate needs the package rocrate: pip install 'district-sim\[crate\]'", done.stderr)
        assert not Path("out").exists()
        assert call(*words, "--crate").exit_code == 2
