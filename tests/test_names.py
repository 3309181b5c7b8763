"""Names that read as nothing, as a number or as true are names wherever they are written and read again."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from test_policy_report import files_in
from typer.testing import Result

from district_sim.app.course import Course, Intervention, Source
from district_sim.app.links import as_json, from_json
from district_sim.experiments import Results
from district_sim.experiments.design_files import load_experiments
from district_sim.run.run import Run
from district_sim.scenario.files import ScenarioError, load_scenario, scenario_of_text
from district_sim.scenario.policy_files import load_policy
from district_sim.scenario.texts import parse_yaml

type Call = Callable[..., Result]

NAMES = ("null", "NA", "1e3", "true", "007", "nan", "0x1F", "~x", "2020-01-01", "inf", "No", "1_000")
ITEM = "{name: %s, kind: rd_subsidy, budget: 30, start: 1}"


@pytest.fixture
def files(small_folder: Path) -> Path:
    """A policy file and an instrument of each name."""
    for name in NAMES:
        Path(f"{name}.yaml").write_text(f"title: {name}\npolicies:\n  - {ITEM % name}\n")
    mixes = "".join(f"    {name}: [{ITEM % name}]\n" for name in NAMES)
    Path("design.yaml").write_text(
        f"null:\n  scenarios: [small.yaml]\n  replications: 2\n  keep: {{spending: true}}\n  policies:\n{mixes}"
    )
    return small_folder


def test_keys_and_names_are_text_as_they_were_written() -> None:
    for name in NAMES:
        text = f"{name}: 1\nname: {name}\nextends: [{name}, '{name}']\npolicies: {{{name}: {name}}}\n"
        got = parse_yaml(text, "a.yaml")
        assert got[name] == 1
        assert got["name"] == name
        assert list(got["extends"]) == [name, name]
        assert list(got["policies"]) == [name]
    got = parse_yaml("a: null\nb: 007\nc: 1e3\nd: true\nname:\n<<: {e: 1}\n", "a.yaml")
    assert (got["a"], got["b"], got["c"], got["d"], got["name"], got["e"]) == (None, 7, 1000.0, True, None, 1)


def test_no_name_is_still_refused(small_folder: Path) -> None:
    Path("mine.yaml").write_text("extends: classroom\npolicies:\n  - {name: , kind: rd_subsidy, budget: 30}\n")
    with pytest.raises(ScenarioError, match=r"mine\.yaml:3: policies\.0\.name = empty: must be text"):
        load_scenario("mine.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_names_in_scenarios_and_what_is_set(name: str, files: Path) -> None:
    assert [item.name for item in load_policy(f"{name}.yaml").instruments] == [name]
    assert load_policy(f"{name}.yaml").title == name
    scenario = load_scenario("small.yaml", [f"title={name}", f"policies=[{ITEM % 'x'}]", f"policies.0.name={name}"])
    assert (scenario.title, scenario.policies[0].name) == (name, name)
    assert load_scenario("small.yaml", {"title": name}).title == name
    again = scenario_of_text(f"title: {name}\nextends: classroom\npolicies: [{ITEM % name}]\n", "upload")
    assert (again.title, again.policies[0].name) == (name, name)
    change = Intervention(3, {"policies": [{"name": name, "kind": "rd_subsidy", "budget": 30.0}]}, name)
    course = Course(Source(f"{name}.yaml", f"title: {name}\n"), interventions=(change,))
    assert from_json(as_json(course)) == course


def test_a_scenario_of_such_a_name_is_extended(files: Path) -> None:
    Path("2024.yaml").write_text("extends: classroom\ntitle: 2024\n")
    Path("mine.yaml").write_text("extends: 2024\n")
    assert load_scenario("mine.yaml").title == "2024"
    Path("list.yaml").write_text("one:\n  scenarios: [2024, mine]\n  policies: [1e3.yaml, none]\n")
    one = load_experiments("list.yaml")["one"]
    assert one.scenarios == ("2024", "mine")
    assert list(one.policies) == ["1e3.yaml", "none"]


def test_a_sweep_keeps_the_names(files: Path, call: Call) -> None:
    assert list(load_experiments("design.yaml")) == ["null"]
    done = call("sweep", "--experiment", "design.yaml", "--out", "out")
    assert done.exit_code == 0, done.output
    wanted = [name for name in NAMES for _ in range(2)]
    found = Results("out")
    assert found.runs["policies"].to_list() == wanted
    assert found.spending["instrument"].to_list() == wanted
    assert found.summary()["policies"].to_list() == list(NAMES)
    told = json.loads(call("results", "out", "--json").stdout)
    assert [row["policies"] for row in told["summary"]] == list(NAMES)
    assert list(json.loads(Path("out/experiment.json").read_text())["experiment"]["policies"]) == list(NAMES)
    for table, column in (("runs", "policies"), ("spending", "instrument")):
        for form in ("csv", "dta", "parquet"):
            done = call("results", "out", "--export", form, "--table", table, "--out", f"{table}.{form}")
            assert done.exit_code == 0, done.output
        read = [pd.read_parquet(f"{table}.parquet"), pd.read_stata(f"{table}.dta"), read_export(table)]
        assert [frame[column].to_list() for frame in read] == [wanted] * 3
    assert read_export("runs")["recovery_time"].to_list() == pytest.approx(found.runs["recovery_time"], nan_ok=True)


def read_export(name: str) -> pd.DataFrame:
    """A table in CSV, as docs/experiments.md says that it is read."""
    columns = pd.read_csv(f"{name}.columns.csv", index_col="column")
    text = dict.fromkeys(columns.index[columns["type"] == "text"], str)
    return pd.read_csv(f"{name}.csv", dtype=text, keep_default_na=False, na_values=[""])


def test_a_run_keeps_the_names(files: Path, call: Call) -> None:
    mix = "+".join(f"{name}.yaml" for name in NAMES)
    done = call("run", "small.yaml", "--set", "title=007", "--policy", mix, "--out", "out", "--quiet")
    assert done.exit_code == 0, done.output
    run = Run.load("out")
    assert run.scenario.title == "007"
    assert run.policies["instrument"].to_list() == [*NAMES] * 8
    assert [row["instrument"] for row in json.loads(Path("out/run.json").read_text())["policies"]] == list(NAMES)
    csv = pd.read_csv("out/policies.csv", dtype={"instrument": str}, keep_default_na=False, na_values=[""])
    assert csv["instrument"].to_list() == [*NAMES] * 8
    columns = pd.read_csv("out/columns.csv")
    assert columns["description"].notna().all()
    for table in ("indicators", "firms", "ties", "policies"):
        stored = pd.read_parquet(f"out/{table}.parquet").reset_index()
        assert set(columns.loc[columns["table"] == table, "column"]) == {*map(str, stored)} - {"index"}


def test_comparisons_and_reports_keep_the_names(files: Path, call: Call) -> None:
    mixes = ",".join(f"{name}.yaml" for name in NAMES[:6])
    asked = ["small.yaml", "--policies", mixes, "--replications", "2"]
    done = call("compare", *asked, "--out", "compared", "--outcomes", "employment", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(Path("compared/comparison.json").read_text())
    assert [cell.rpartition(" ")[2] for cell in told["cells"]] == list(NAMES[:6])

    done = call("policy-report", *asked, "--sensitivity-runs", "0", "--out", "report.html", "--quiet")
    assert done.exit_code == 0, done.output
    inside = files_in(Path("report.html"))
    for name in NAMES[:6]:
        Path("again.yaml").write_text(inside[f"{name}.yaml"])
        policy = load_policy("again.yaml")
        assert (policy.title, policy.instruments[0].name) == (name, name)
