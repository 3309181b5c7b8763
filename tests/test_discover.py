"""Scenario discovery and maps: planted boxes, then the commands as a user calls them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from district_sim.cli.compare import _marks
from district_sim.experiments.discover import Box, cases_of, find_boxes
from district_sim.experiments.ranges import Parameter
from district_sim.run.trajectories import Trajectory
from district_sim.scenario.files import load_scenario

type Call = Callable[..., Result]

PARAMETERS = [
    Parameter("demography.entry", "number", 0.0, 1.0),
    Parameter("strategy.sale", "number", 0.0, 1.0),
    Parameter("ties.maximum", "integer", 2, 9),
    Parameter("mechanisms.takeover", "boolean", 0, 1),
    Parameter("strategy.it", "number", 0.0, 1.0),
]


def design(points: int = 600, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "demography.entry": rng.random(points),
            "strategy.sale": rng.random(points),
            "ties.maximum": rng.integers(2, 10, points),
            "mechanisms.takeover": rng.random(points) < 0.5,
            "strategy.it": rng.random(points),
        }
    )


def limits(box: Box) -> dict[tuple[str, bool], float]:
    return {(r.parameter.path, r.above): r.limit for r in box.restrictions}


def test_a_planted_box_is_found() -> None:
    pytest.importorskip("ema_workbench")
    cases = design()
    cases["case"] = (cases["demography.entry"] > 0.3) & (cases["strategy.sale"] < 0.5)
    box = find_boxes(cases, PARAMETERS)[0]
    assert set(limits(box)) == {("demography.entry", True), ("strategy.sale", False)}
    assert limits(box)["demography.entry", True] == pytest.approx(0.3, abs=0.05)
    assert limits(box)["strategy.sale", False] == pytest.approx(0.5, abs=0.05)
    assert box.coverage > 0.9
    assert box.density >= 0.8
    assert box.dense_enough
    assert box.cases == round(box.density * box.points)
    assert all(restriction.quasi_p < 1e-6 for restriction in box.restrictions)
    lower, upper = box.words().split(" and ")
    assert lower.startswith("demography.entry > 0.")
    assert upper.startswith("strategy.sale < 0.")


def test_whole_numbers_and_switches_make_sides_too() -> None:
    pytest.importorskip("ema_workbench")
    cases = design()
    cases["case"] = (cases["ties.maximum"] >= 6) & ~cases["mechanisms.takeover"]
    box = find_boxes(cases, PARAMETERS, density=0.95)[0]
    assert box.words() == "ties.maximum ≥ 6 and mechanisms.takeover = false"
    assert (box.coverage, box.density) == (1.0, 1.0)
    assert box.as_dict()["restrictions"][1]["side"] == "below"


def test_two_boxes_for_two_causes() -> None:
    pytest.importorskip("ema_workbench")
    cases = design(1500)
    left = cases["demography.entry"] < 0.25
    cases["case"] = left | (cases["strategy.sale"] > 0.8)
    first, second, *_ = find_boxes(cases, PARAMETERS, density=0.95)
    assert {tuple(limits(first)), tuple(limits(second))} == {
        (("demography.entry", False),),
        (("strategy.sale", True),),
    }
    assert first.coverage + second.coverage > 0.9


def test_what_is_common_anyway_needs_a_denser_box() -> None:
    """With 85 % cases the whole design is denser than asked for, and would be no answer."""
    pytest.importorskip("ema_workbench")
    cases = design()
    cases["case"] = cases["strategy.sale"] > 0.15
    box = find_boxes(cases, PARAMETERS, density=0.8)[0]
    assert tuple(limits(box)) == (("strategy.sale", True),)
    assert box.density > 0.92


def test_chance_makes_no_box() -> None:
    """Cases that depend on nothing: whatever is peeled off, quasi-p does not let it stand as a dense box."""
    pytest.importorskip("ema_workbench")
    cases = design(300)
    cases["case"] = np.random.default_rng(9).random(300) < 0.3
    for box in find_boxes(cases, PARAMETERS):
        assert not box.dense_enough or box.coverage < 0.2


def test_all_or_none_is_refused() -> None:
    pytest.importorskip("ema_workbench")
    cases = design(50)
    for value, word in ((True, "all"), (False, "none")):
        cases["case"] = value
        with pytest.raises(ValueError, match=f"{word} of the 50 points"):
            find_boxes(cases, PARAMETERS)


def test_a_point_is_a_case_if_half_of_its_runs_are() -> None:
    runs = pd.DataFrame(
        {
            "point": [0, 0, 1, 1, 1, 2],
            "status": ["done", "done", "done", "done", "done", "failed"],
            "trajectory": ["decline", "fragmentation", "fragmentation", "fragmentation", "decline", "decline"],
            "strategy.sale": [0.1, 0.1, 0.2, 0.2, 0.2, 0.3],
        }
    )
    table = cases_of(runs, "decline", ["strategy.sale"])
    assert list(table["case"]) == [True, False]
    np.testing.assert_allclose(table["share"], [0.5, 1 / 3])
    assert list(table["strategy.sale"]) == [0.1, 0.2]


# The commands: a tiny district whose firms close at a rate of up to 33 % a quarter ------------------


def test_discover_as_a_user_calls_it(call: Call, small_folder: Path) -> None:
    pytest.importorskip("ema_workbench")
    study = ("discover", "small.yaml", "--trajectory", "decline", "--parameters", "strategy.it")
    result = call(
        *study, "--range", "demography.exit=0:0.33", "--samples", "60", "--replications", "1", "--out", "made"
    )
    assert result.exit_code == 0, result.output
    assert "What leads to: Decline" in result.stdout
    told = json.loads((small_folder / "made" / "boxes.json").read_text())
    best = told["boxes"][0]
    assert [(r["parameter"], r["side"]) for r in best["restrictions"]] == [("demography.exit", "above")]
    assert best["box"].startswith("demography.exit > 0.")
    assert best["density"] >= 0.8
    assert best["coverage"] > 0.6
    assert told["points"] == 60
    files = {path.name for path in (small_folder / "made").iterdir()}
    assert {"boxes.md", "boxes.tex", "boxes.png", "boxes.svg", "cases.csv", "boxes.json"} <= files
    cases = pd.read_csv(small_folder / "made" / "cases.csv")
    inside = cases["demography.exit"] >= best["restrictions"][0]["limit"]
    assert cases.loc[inside, "case"].mean() == pytest.approx(best["density"])


def test_discover_says_when_there_is_nothing_to_tell_apart(call: Call) -> None:
    pytest.importorskip("ema_workbench")
    study = ("--parameters", "strategy.it", "--samples", "20", "--replications", "1")
    result = call("discover", "small.yaml", "--trajectory", "fragmentation", *study)
    assert result.exit_code == 1
    assert "none of the 20 points lead to it" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trajectory", "declin"], "there is no trajectory 'declin'; did you mean 'decline'"),
        (["--trajectory", "decline", "--parameters", "strategi"], "did you mean 'strategy'"),
        (["--trajectory", "decline", "--range", "demography.exit=0:2"], "must be a number between 0 and 1"),
    ],
)
def test_discover_refuses(call: Call, arguments: list[str], message: str) -> None:
    result = call("discover", "small.yaml", *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_discover_without_its_extra(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ema_workbench", None)
    monkeypatch.setitem(sys.modules, "ema_workbench.analysis", None)
    result = call("discover", "small.yaml", "--trajectory", "decline")
    assert result.exit_code == 1
    assert "pip install 'district-sim[discover]'" in result.stderr


def test_map_as_a_user_calls_it(call: Call, small_folder: Path) -> None:
    axes = ("--vary", "demography.exit=0:1:3", "--vary", "mechanisms.takeover=false,true")
    result = call("map", "small.yaml", *axes, "--replications", "2", "--out", "made")
    assert result.exit_code == 0, result.output
    assert "mechanisms.takeover (down) over demography.exit (across)" in result.stdout
    cells = pd.read_csv(small_folder / "made" / "map.csv")
    assert list(cells["demography.exit"]) == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    assert set(cells.loc[cells["demography.exit"] == 0.0, "majority"]) == {"marshallian_persistence"}
    assert set(cells.loc[cells["demography.exit"] == 1.0, "majority"]) == {"decline"}
    shares = [name for name in cells if name in tuple(Trajectory)]
    np.testing.assert_allclose(cells[shares].sum(axis=1), 1.0)
    np.testing.assert_allclose(cells[shares].max(axis=1), cells["share"])
    assert {"map.png", "map.svg"} <= {path.name for path in (small_folder / "made").iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vary", "strategy.sale=0:0.9:3"], "--vary must be given twice"),
        (["--vary", "strategy.sale=0:0.9:3", "--vary", "strategy.sale=1"], "two different parameters"),
        (["--vary", "strategy.sale=0:2:3", "--vary", "strategy.it=0,1"], "must be a number between 0 and 1"),
        (["--vary", "strategy.sal=0:2:3", "--vary", "strategy.it=0,1"], "did you mean 'strategy.sale'"),
        (["--vary", "strategy.sale", "--vary", "strategy.it=0,1"], "needs values"),
    ],
)
def test_map_refuses(call: Call, arguments: list[str], message: str) -> None:
    result = call("map", "small.yaml", *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_scenarios_stand_where_their_values_are() -> None:
    found = {mark.name: (mark.x, mark.y) for mark in _marks("baseline", "strategy.sale", "policies.0.budget")}
    assert "baseline" not in found, "it has no policies"
    assert found["learning_region"] == (
        load_scenario("learning_region").strategy.sale,
        load_scenario("learning_region").policies[0].budget,
    )
