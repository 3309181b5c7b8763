"""What Pavitt's sector presets mean: they order sectors by research, size and knowledge base, and they run."""

from pathlib import Path

import pytest

from district_sim.run.run import simulate
from district_sim.scenario.files import bundled_folder, load_scenario
from district_sim.scenario.sections import Scenario

SECTORS = ("supplier_dominated", "scale_intensive", "specialised_supplier", "science_based")


def sector(name: str) -> Scenario:
    return load_scenario(bundled_folder() / "sectors" / f"{name}.yaml")


def test_all_four_regimes_are_there() -> None:
    assert {path.stem for path in (bundled_folder() / "sectors").glob("*.yaml")} == set(SECTORS)


def test_research_rises_from_supplier_dominated_to_science_based() -> None:
    cost = {name: sector(name).innovation.research_cost for name in SECTORS}
    assert cost["supplier_dominated"] < cost["specialised_supplier"] < cost["science_based"]
    assert min(cost, key=lambda name: cost[name]) == "supplier_dominated"
    assert max(cost, key=lambda name: cost[name]) == "science_based"


def test_scale_intensive_firms_are_the_largest() -> None:
    size = {name: sector(name).firms.size_mean for name in SECTORS}
    assert max(size, key=lambda name: size[name]) == "scale_intensive"


def test_science_codifies_craft_socialises() -> None:
    science, machines, dominated = (sector(n) for n in ("science_based", "specialised_supplier", "supplier_dominated"))
    assert science.knowledge.externalisation > machines.knowledge.externalisation > dominated.knowledge.externalisation
    assert science.knowledge.combination > machines.knowledge.combination
    assert machines.knowledge.socialisation > science.knowledge.socialisation


@pytest.mark.parametrize("name", SECTORS)
def test_lays_over_a_scenario_and_runs(name: str, tmp_path: Path) -> None:
    """The sector changes what it names and leaves the strategy alone."""
    over = tmp_path / "mine.yaml"
    over.write_text(f"extends: [learning_region, sectors/{name}]\nfirms: {{count: 30}}\n")
    scenario, plain = load_scenario(over), load_scenario("learning_region")
    assert scenario.strategy == plain.strategy
    assert scenario.innovation.research_cost == sector(name).innovation.research_cost
    assert simulate(scenario, 1, 3).indicators["firms"].iloc[-1] > 0
