"""Old names of parameters are read everywhere for one version, with a note of what they are called now."""

from pathlib import Path
from typing import Any

import pytest

from district_sim import District, Scenario, load_scenario
from district_sim.experiments.design import Experiment

OLD, NEW = "technology.trajectories", "technology.count"

SMALL = {"firms.count": 10, "firms.settling": 0}


def from_a_file(folder: Path) -> Scenario:
    (folder / "old.yaml").write_text("technology: {trajectories: 2}\n", encoding="utf-8")
    return load_scenario(folder / "old.yaml")


WAYS: dict[str, Any] = {
    "a file": from_a_file,
    "--set": lambda _: load_scenario("baseline", [f"{OLD}=2"]),
    "an override": lambda _: load_scenario("baseline", {OLD: 2}),
    "plain data, as a saved run has it": lambda _: Scenario.model_validate({"technology": {"trajectories": 2}}),
    "a model": lambda _: (
        District(load_scenario("baseline", {"firms.count": 10, "firms.settling": 0}), **{OLD: 2}).scenario
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_old_name_is_read_with_a_note(way: str, tmp_path: Path) -> None:
    with pytest.warns(FutureWarning, match=rf"{OLD} is now called {NEW}"):
        scenario = WAYS[way](tmp_path)
    assert scenario.technology.count == 2


def test_an_old_path_is_varied_with_a_note() -> None:
    with pytest.warns(FutureWarning, match=rf"{OLD} is now called {NEW}"):
        experiment = Experiment(scenarios=("baseline",), vary={OLD: (2, 3)})
    assert list(experiment.vary) == [NEW]


def test_a_wrong_value_under_an_old_name_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("title: x\ntechnology:\n  trajectories: 99\n", encoding="utf-8")
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match=r"old.yaml:3: technology.count"):
        load_scenario(tmp_path / "old.yaml")
