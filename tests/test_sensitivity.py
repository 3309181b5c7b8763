"""Sensitivity: parameters and their ranges, indices with known answers, then the command as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from district_sim.experiments import Results
from district_sim.experiments.design import Experiment
from district_sim.experiments.points import place, unit_sample
from district_sim.experiments.ranges import Parameter, choose, parse_range
from district_sim.experiments.sensitivity import (
    means_at_points,
    morris_indices,
    most_influential,
    saltelli_sample,
    sobol_indices,
)
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.sections import Scenario

type Call = Callable[..., Result]

# Parameters and ranges ----------------------------------------------------------------------------


def chosen(*names: str, **ranges: tuple[float, float]) -> dict[str, Parameter]:
    given = {path.replace("__", "."): span for path, span in ranges.items()}
    return {parameter.path: parameter for parameter in choose(Scenario(), names, given)[0]}


def test_a_number_moves_by_half_of_its_value_within_the_schema() -> None:
    found = chosen("strategy.sale", "demography.entry", "firms.size_sigma", "ties.maximum")
    assert found["strategy.sale"] == Parameter("strategy.sale", "number", 0.03, 0.09)
    assert found["demography.entry"].low == pytest.approx(0.011)
    assert found["firms.size_sigma"].high == 2.0, "the schema ends there"
    assert found["ties.maximum"] == Parameter("ties.maximum", "integer", 7, 21)


def test_small_whole_numbers_move_by_one_and_switches_take_both_values() -> None:
    found = chosen("mechanisms.takeover", "technology.count", ties__maximum=(2, 3))
    assert found["mechanisms.takeover"] == Parameter("mechanisms.takeover", "boolean", 0, 1)
    one = choose(Scenario.model_validate({"technology": {"count": 1}}), ["technology.count"])[0][0]
    assert (one.low, one.high) == (1, 2)
    assert [place(found["ties.maximum"].values(), share) for share in (0.0, 0.49, 0.51, 1.0)] == [2, 2, 3, 3]
    assert [place(found["mechanisms.takeover"].values(), share) for share in (0.0, 0.4, 0.6, 1.0)] == [
        False,
        False,
        True,
        True,
    ]


def test_sections_leave_out_what_cannot_be_varied_alone_and_say_why() -> None:
    parameters, left_out = choose(Scenario(), ["strategy"])
    paths = [parameter.path for parameter in parameters]
    assert "strategy.sale" in paths
    assert all(path.startswith("strategy.") for path in paths)
    assert "must sum to 1" in left_out["strategy.project_brand"]
    assert "--range strategy.offshoring=low:high, a number between -3 and 3" in left_out["strategy.offshoring"]
    everything = [parameter.path for parameter in choose(Scenario(), ["all"])[0]]
    assert len(everything) > 200
    assert "run.quarters" not in everything


def test_a_given_range_wins_and_adds_its_parameter() -> None:
    found = chosen("strategy.sale", strategy__offshoring=(-1.0, 1.0), strategy__sale=(0.0, 1.0))
    assert found["strategy.offshoring"] == Parameter("strategy.offshoring", "number", -1.0, 1.0)
    assert found["strategy.sale"].high == 1.0


@pytest.mark.parametrize(
    ("names", "ranges", "message"),
    [
        (["strategy.sal"], {}, "no parameter or section 'strategy.sal'; did you mean 'strategy.sale'"),
        (["strategie"], {}, "did you mean 'strategy'"),
        (["title"], {}, "title is not a number or a switch"),
        (["strategy.offshoring"], {}, "strategy.offshoring: is 0 in the scenario; give it a range"),
        (["strategy.project_brand"], {}, "strategy.project_brand: cannot be varied alone: .*must sum to 1"),
        ([], {"strategy.sale": (0.0, 3.0)}, "strategy.sale: the range 0 to 3 .* must be a number between 0 and 1"),
        ([], {"ties.maximum": (2.0, 3.5)}, "ties.maximum: the range 2 to 3.5 must be of whole numbers"),
        ([], {"ties.maximun": (2.0, 3.0)}, "did you mean 'ties.maximum'"),
    ],
)
def test_what_cannot_be_varied_is_refused(
    names: list[str], ranges: dict[str, tuple[float, float]], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        choose(Scenario(), names, ranges)


def test_ranges_are_read() -> None:
    assert parse_range("strategy.sale=0:0.5") == ("strategy.sale", (0.0, 0.5))
    for text in ("strategy.sale", "strategy.sale=1", "a=2:1", "a=0:inf", "=0:1", "a=x:1"):
        with pytest.raises(ScenarioError, match="path=low:high"):
            parse_range(text)


# Known answers ------------------------------------------------------------------------------------

ANGLES = [Parameter(f"x{k}", "number", -np.pi, np.pi) for k in (1, 2, 3)]


def ishigami(x: dict[str, tuple[float, ...]]) -> np.ndarray:
    """Ishigami & Homma 1990, a = 7, b = 0.1."""
    a, b, c = (np.array(x[f"x{k}"]) for k in (1, 2, 3))
    return np.sin(a) + 7.0 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def as_runs(values: np.ndarray, replicates: int = 1) -> pd.DataFrame:
    """Runs whose replicates scatter around the values, with mean zero."""
    wobble = np.linspace(-1.0, 1.0, replicates) if replicates > 1 else np.zeros(1)
    rows = [(point, value + shift, "done") for point, value in enumerate(values) for shift in wobble]
    return pd.DataFrame(rows, columns=["point", "employment", "status"])


def test_sobol_of_ishigami() -> None:
    x = saltelli_sample(ANGLES, 1024, seed=1)
    assert len(x["x1"]) == 1024 * 5
    values = means_at_points(as_runs(ishigami(x), 3), "employment", len(x["x1"]))  # type: ignore[arg-type]
    table = sobol_indices(ANGLES, values).set_index("parameter")
    variance = 7.0**2 / 8 + 0.1 * np.pi**4 / 5 + 0.1**2 * np.pi**8 / 18 + 0.5
    first = 0.5 * (1.0 + 0.1 * np.pi**4 / 5) ** 2 / variance
    third = 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50) / variance
    wanted = {"x1": (first, first + third), "x2": (7.0**2 / 8 / variance, 7.0**2 / 8 / variance), "x3": (0.0, third)}
    for name, (s1, st) in wanted.items():
        assert table.loc[name, "S1"] == pytest.approx(s1, abs=0.05)
        assert table.loc[name, "ST"] == pytest.approx(st, abs=0.05)
        assert abs(table.loc[name, "S1"] - s1) <= 1.5 * table.loc[name, "S1_conf"]  # type: ignore[operator]
    assert table.equals(sobol_indices(ANGLES, values).set_index("parameter")), "the bootstrap is seeded"


def test_sobol_of_a_switch_and_a_whole_number() -> None:
    """y = 2 switch + n, n of 0, 1, 2: variances 1 and 2/3."""
    parameters = [Parameter("switch", "boolean", 0, 1), Parameter("n", "integer", 0, 2)]
    x = saltelli_sample(parameters, 1024, seed=0)
    assert set(x["switch"]) == {False, True}
    assert set(x["n"]) == {0, 1, 2}
    table = sobol_indices(parameters, 2.0 * np.array(x["switch"]) + np.array(x["n"])).set_index("parameter")
    assert list(table.index) == ["switch", "n"]
    assert table.loc["switch", "S1"] == pytest.approx(0.6, abs=0.03)
    assert table.loc["n", "ST"] == pytest.approx(0.4, abs=0.03)


def test_morris_of_a_straight_line_a_switch_and_an_interaction() -> None:
    """An effect is counted per width of the range: 3 (10 − 0) for the line; the switch flips at every step of 2/3."""
    parameters = [
        Parameter("demography.entry", "number", 0.0, 0.1),
        Parameter("mechanisms.takeover", "boolean", 0, 1),
        Parameter("strategy.sale", "number", 0.0, 1.0),
        Parameter("strategy.identity", "number", 0.0, 1.0),
        Parameter("strategy.it", "number", 0.0, 1.0),
    ]
    vary = {parameter.path: parameter.vary() for parameter in parameters}
    design = Experiment(scenarios=("baseline",), vary=vary, design="morris", samples=40)
    unit = unit_sample(design)
    assert unit.shape == (40 * 6, 5)
    values = [[place(p.values(), share) for p, share in zip(parameters, row, strict=True)] for row in unit]
    y = np.array([30.0 * 10.0 * entry - 8.0 * off + 4.0 * a * b for entry, off, a, b, _ in values])
    table = morris_indices(parameters, unit, y).set_index("parameter")
    assert table.loc["demography.entry", "mu"] == pytest.approx(30.0)
    assert table.loc["demography.entry", "sigma"] == pytest.approx(0.0, abs=1e-9)
    assert table.loc["mechanisms.takeover", "mu"] == pytest.approx(-8.0 * 1.5)
    assert table.loc["mechanisms.takeover", "mu_star"] == pytest.approx(8.0 * 1.5)
    assert table.loc["strategy.sale", "sigma"] > 0.5
    assert table.loc["strategy.it", "mu_star"] == pytest.approx(0.0, abs=1e-9)
    assert list(table.index[:2]) == ["demography.entry", "mechanisms.takeover"]
    found = most_influential(table.reset_index(), parameters, 2)
    assert [parameter.path for parameter in found] == ["demography.entry", "mechanisms.takeover"]


def test_replicates_are_averaged_and_failed_ones_left_out() -> None:
    runs = as_runs(np.array([1.0, 5.0]), 3)
    runs.loc[2, "status"] = "failed"
    np.testing.assert_allclose(means_at_points(runs, "employment", 2), [0.5, 5.0])
    runs.loc[:2, "status"] = "failed"
    with pytest.raises(ValueError, match="1 of 2 points have no finished run"):
        means_at_points(runs, "employment", 2)


def test_an_outcome_without_variation_is_refused() -> None:
    with pytest.raises(ValueError, match="employment is the same at all 4 points"):
        means_at_points(as_runs(np.full(4, 3.0)), "employment", 4)
    with pytest.raises(ValueError, match="infinite"):
        means_at_points(as_runs(np.array([1.0, np.inf])), "employment", 2)


# The command --------------------------------------------------------------------------------------

STUDY = ("--parameters", "mechanisms.mobility,strategy.it", "--range", "demography.exit=0:0.5")


def test_sensitivity_as_a_user_calls_it(call: Call, small_folder: Path) -> None:
    study = ("sensitivity", "small.yaml", *STUDY, "--morris", "3", "--sobol", "4", "--top", "2", "--replications", "2")
    result = call(*study, "--out", "made")
    assert result.exit_code == 0, result.output
    assert "Morris screening: Employees" in result.stdout
    assert "Sobol' indices: Employees" in result.stdout
    made = small_folder / "made"
    names = [f"{step}_employment.{end}" for step in ("morris", "sobol") for end in ("csv", "md", "tex", "png", "svg")]
    assert {*names, "sensitivity_employment.json"} <= {path.name for path in made.iterdir()}
    told = json.loads((made / "sensitivity_employment.json").read_text())
    assert {row["parameter"] for row in told["morris"]} == {"demography.exit", "strategy.it", "mechanisms.mobility"}
    assert told["morris"][0]["parameter"] == "demography.exit", "a closed firm employs nobody"
    assert told["morris"][0]["mu"] < 0.0
    assert len(told["sobol"]) == 2
    screening, sample = Results(made / "morris"), Results(made / "sobol-employment")
    assert len(screening.runs) == 3 * (3 + 1) * 2
    assert len(sample.runs) == 4 * (2 + 2) * 2
    unit = unit_sample(screening.experiment)
    x = screening.runs.drop_duplicates("point")["demography.exit"].to_numpy()
    np.testing.assert_allclose(x, 0.5 * unit[:, list(screening.experiment.vary).index("demography.exit")])


def test_screening_alone_needs_no_folder(call: Call, small_folder: Path) -> None:
    result = call("sensitivity", "small.yaml", *STUDY, "--morris", "2", "--sobol", "0", "--replications", "1", "--json")
    assert result.exit_code == 0, result.output
    assert "sobol" not in json.loads(result.stdout)
    assert [path.name for path in small_folder.iterdir()] == ["small.yaml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--outcome", "employmnt"], "no outcome 'employmnt'; did you mean 'employment'"),
        (["--outcome", "employment,firms"], "--outcome must be one outcome"),
        (["--range", "strategy.sale=0:1", "--range", "strategy.sale=0:2"], "--range strategy.sale: given twice"),
        (["--parameters", "strategy.sal"], "did you mean 'strategy.sale'"),
        (["--range", "strategy.sale=0:3"], "must be a number between 0 and 1"),
        (["--range", "strategy.sale"], "write it as path=low:high"),
        (["--morris", "0", "--sobol", "0"], "leave nothing to do"),
        (["--sobol", "100"], "a power of two"),
        (["--morris", "1"], "--morris must be at least 2"),
        (["--quarters", "1"], "--quarters must be between 2 and 4000"),
    ],
)
def test_sensitivity_refuses(call: Call, arguments: list[str], message: str) -> None:
    result = call("sensitivity", "small.yaml", *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_an_outcome_that_nothing_moves_ends_with_a_word(call: Call) -> None:
    result = call("sensitivity", "small.yaml", "--parameters", "strategy.sale", "--outcome", "policy_spending",
                  "--morris", "2", "--replications", "1")  # fmt: skip
    assert result.exit_code == 1
    assert "policy_spending is the same at all 4 points" in result.stderr
