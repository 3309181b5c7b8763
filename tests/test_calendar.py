"""Dates become quarters of a run in one place, and quarters become dates; runs without a start are as they were."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from district_sim import figures
from district_sim.experiments.design_files import make_experiment
from district_sim.experiments.plan import make_plan
from district_sim.experiments.points import scenario_of
from district_sim.reports.run_tables import start_and_end
from district_sim.run.deflator import MONEY, at_current_prices, factors
from district_sim.run.run import Run, simulate
from district_sim.scenario.calendar import LISTED, MOST, SINGLE, Calendar, as_number, in_quarters, is_time, written
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.paths import known_paths, scenario_schema, schemas_at
from district_sim.scenario.policy_files import laid_over, load_policy
from district_sim.scenario.sections import RunSection, Scenario

type Call = Callable[..., Result]

POLICY = "policies:\n  - {{name: g, kind: rd_subsidy, budget: 9, start: {}, end: {}}}\n"
SHOCK = "shocks:\n  - {{name: s, kind: demand_slump, start: {}, size: 0.2, duration: 4}}\n"


@pytest.fixture
def written_file(tmp_path: Path) -> Path:
    return tmp_path / "dated.yaml"


def load(path: Path, text: str, *changes: str) -> Scenario:
    path.write_text("extends: classroom\n" + text)
    return load_scenario(path, changes)


# A calendar ---------------------------------------------------------------------------------------


@given(st.integers(1000, 9999), st.integers(1, 4), st.integers(-MOST, MOST))
def test_quarters_and_dates_are_the_same_in_both_directions(year: int, number: int, quarter: int) -> None:
    calendar = Calendar.of(f"{year}Q{number}")
    date = calendar.date(quarter)
    if calendar.first + quarter >= 4000 and len(date) == 6:
        assert calendar.quarter(date) == quarter
        assert calendar.quarter(as_number(date)) == quarter  # as it waits in a file of policies
        assert written(int(as_number(date))) == date


def test_what_is_a_date() -> None:
    calendar = Calendar.of("2002Q3")
    meant = {2002: -2, "2003": 2, "2012Q3": 40, "2012q3": 40, "2012-Q3": 40, 40: 40, 999: 999, 100_000: 100_000, 0: 0}
    assert {when: calendar.quarter(when) for when in meant} == meant
    assert calendar.year(40) == 2012.5
    assert calendar.span(4) == "2002Q3 to 2003Q2"
    for wrong in ("2012Q5", "soon", "12Q1", "", "2012Q", 3000, "1700"):
        with pytest.raises(ValueError, match=r"must be a year|lies more than 999 quarters"):
            calendar.quarter(wrong)


def test_every_time_of_the_schema_takes_dates() -> None:
    data = {"policies": [{}], "shocks": [{}]}
    paths = [path for path in known_paths(scenario_schema(), data) if not path.startswith("extensions")]
    of_unit = {p for p in paths for schema in schemas_at(data, p) if schema.get("unit") == "quarter"}
    listed = {f"{section}.0.{key}" for section, keys in LISTED.items() for key in keys}
    assert of_unit == listed | {".".join(at) for at in SINGLE}
    assert all(map(is_time, of_unit))


# Scenarios ----------------------------------------------------------------------------------------


def test_dates_in_a_scenario_are_quarters_of_its_run(written_file: Path) -> None:
    text = "run: {start: 2002, end: 2022Q3}\nstrategy_start: 2004\nworld: {onset: 1996}\n"
    text += "technology: {first_ripening: 2010Q2}\n" + POLICY.format("2012Q3", 2020) + SHOCK.format("2009q1")
    found = load(written_file, text)
    assert (found.run.start, found.run.quarters, found.run.end) == ("2002Q1", 82, "2022Q3")
    assert (found.strategy_start, found.world.onset, found.technology.first_ripening) == (8, -24, 33)
    assert (found.policies[0].start, found.policies[0].end, found.shocks[0].start) == (42, 72, 28)
    for plain in (found.model_dump(), found.model_dump(mode="json")):
        assert Scenario.model_validate(plain) == found
    assert Scenario.model_validate_json(found.model_dump_json()) == found


def test_a_start_in_the_third_quarter(written_file: Path) -> None:
    found = load(written_file, "run: {start: 2002Q3}\n" + POLICY.format(2003, 50))
    assert (found.policies[0].start, found.policies[0].end, found.run.quarters) == (2, 50, 100)


def test_without_a_start_nothing_is_a_date(written_file: Path) -> None:
    found = load(written_file, "run: {quarters: 3000}\n" + POLICY.format(2012, 2022))
    assert (found.policies[0].start, found.policies[0].end, found.run.start, found.run.end) == (2012, 2022, None, None)
    assert in_quarters({"strategy_start": 4}) == {"strategy_start": 4}


def test_the_command_line_takes_dates(written_file: Path, call: Call) -> None:
    text = "run: {start: 2002, quarters: 90}\n" + POLICY.format(8, 100_000)
    changes = ("policies.0.start=2004Q2", "policies.0.end=2006", "run.end=2010", "world.onset=2001")
    found = load(written_file, text, *changes)
    assert (found.policies[0].start, found.policies[0].end, found.run.quarters, found.world.onset) == (9, 16, 32, -4)
    assert load(written_file, "run: {start: 2002, end: 2010}\n", "run.quarters=12").run.quarters == 12
    assert load(written_file, text, "run.start=2003").policies[0].start == 8
    done = call("run", str(written_file), "--set", "policies.0.start=2031")
    assert done.exit_code == 2
    assert "--set policies.0.start=2031: must be before the run ends: it goes from 2002Q1 to 2024Q2" in done.output


def test_of_end_and_quarters_the_later_file_wins(tmp_path: Path) -> None:
    base, child = tmp_path / "base.yaml", tmp_path / "child.yaml"
    base.write_text("run: {start: 2002, end: 2012}\n")
    child.write_text("extends: base\nrun: {quarters: 20}\n")
    assert load_scenario(child).run.quarters == 20
    base.write_text("run: {start: 2002, quarters: 20}\n")
    child.write_text("extends: base\nrun: {end: 2012}\n")
    assert load_scenario(child).run.quarters == 40
    child.write_text("extends: base\nrun: {start: 2004, end: 2012}\n")
    assert load_scenario(child).run.quarters == 32


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run: {start: 2002Q5}\n", "dated.yaml:2: run.start = '2002Q5': must be a year (2002) or a quarter of a year"),
        ("run: {start: 12}\n", "dated.yaml:2: run.start = 12: must be a year (2002)"),
        ("run: {end: 2022}\n", "dated.yaml:2: run.end = 2022: needs run.start"),
        ("run: {start: 2002, end: 2001}\n", "run.end = 2001: must come after the start in 2002Q1"),
        ("run: {start: 2002, end: soon}\n", "run.end = 'soon': must be a year (2022)"),
        ("run: {start: 2002, end: 2022, quarters: 9}\n", "the run also has quarters: 9, which is not 80"),
        ("run: {start: 2002, quarters: 1200}\n", "run.quarters = 1200: a run with a start has at most 999 quarters"),
        ("run: {start: 2002}\nstrategy_start: 2001\n", "strategy_start = 2001: is before the run begins in 2002Q1"),
        ("run: {start: 2002}\nworld: {onset: 2060}\n", "world.onset = 2060: must be before the run ends: it goes from"),
        (
            "run: {start: 2002}\nworld: {onset: 1602}\n",
            "world.onset = 1602: lies more than 999 quarters from the start",
        ),
        ("world: {onset: 1996}\n", "world.onset = 1996: must be before the run ends: its quarters are 0 to 99"),
        ("world: {onset: 1996Q1}\n", "world.onset = '1996Q1': is a date, but the run has none"),
        ("run: {start: 2002}\n" + POLICY.format(2000, 2010), "policies.0.start = 2000: is before the run begins"),
        (
            "run: {start: 2002}\n" + POLICY.format(2012, 2010),
            "policies.0.end = 2010: must come after its start in 2012Q1",
        ),
        ("run: {start: 2002}\n" + POLICY.format(2032, 2040), "it goes from 2002Q1 to 2026Q4"),
        ("run: {start: 2002}\n" + POLICY.format("12Q1", 2040), "policies.0.start = '12Q1': must be a year (2012), a"),
        (POLICY.format("2012Q1", 2040), "policies.0.start = '2012Q1': is a date, but the run has none"),
        (POLICY.format(12, 2022), "policies.0.end = 2022: must be before the run ends: its quarters are 0 to 99"),
        (SHOCK.format(2009), "for years say when the run begins, as run.start: 2002"),
    ],
)
def test_a_time_that_cannot_be_is_refused(written_file: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(written_file, text)
    assert said in str(caught.value)
    assert "dated.yaml:" in str(caught.value)


def test_what_lies_beyond_a_run_that_was_cut_short_is_no_slip(written_file: Path) -> None:
    text = "run: {start: 2002}\n" + POLICY.format(2020, 2024)
    assert load(written_file, text, "run.quarters=8").policies[0].start == 72
    assert load_scenario("classroom", ["run.start=2002", "run.quarters=8"]).world.onset == 20  # the file's own
    assert load(written_file, "run: {start: 2002}\n" + POLICY.format(2020, 2060)).policies[0].end == 232


# Tables and figures -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    """The same district with dates and without."""
    small = {"firms.count": 12, "firms.settling": 2, "run.quarters": 10, "strategy_start": 2}
    item = {"name": "g", "kind": "rd_subsidy", "budget": 9.0, "start": 4}
    found = {}
    for name, start in (("dated", "2002Q3"), ("plain", None)):
        found[name] = simulate(load_scenario("classroom", {**small, "run.start": start, "policies": [item]}), seed=1)
    return found


def test_dates_change_nothing_but_what_is_shown(runs: dict[str, Run]) -> None:
    assert runs["dated"].indicators.equals(runs["plain"].indicators)
    assert runs["dated"].end.firms.equals(runs["plain"].end.firms)


def test_tables_have_the_date_of_their_quarter(runs: dict[str, Run], tmp_path: Path) -> None:
    runs["dated"].save(tmp_path / "dated")
    table = pd.read_csv(tmp_path / "dated" / "indicators.csv")
    assert list(table)[:2] == ["quarter", "date"]
    periods = pd.PeriodIndex(table["date"], freq="Q")
    assert (periods == pd.period_range("2002Q3", periods=10, freq="Q")).all()
    spent = pd.read_parquet(tmp_path / "dated" / "policies.parquet").query("spent > 0")
    assert spent.iloc[0][["quarter", "date"]].tolist() == [5, "2003Q3"]  # quarter 4, counted from 0
    again = Run.load(tmp_path / "dated")
    assert again.indicators.equals(runs["dated"].indicators)
    assert list(again.policies) == list(runs["dated"].policies)
    assert again.scenario == runs["dated"].scenario
    runs["plain"].save(tmp_path / "plain")
    assert "date" not in pd.read_csv(tmp_path / "plain" / "indicators.csv")


def test_axes_are_marked_in_years_where_a_run_has_dates(runs: dict[str, Run]) -> None:
    (axis, *_) = figures.scores_over_time(runs["dated"]).axes
    assert axis.get_xlabel() == "year"
    years = {label.get_text(): place for label, place in zip(axis.get_xticklabels(), axis.get_xticks(), strict=True)}
    assert years == {"2003": 2.0, "2004": 6.0, "2005": 10.0}
    (axis, *_) = figures.scores_over_time(runs["plain"]).axes
    assert axis.get_xlabel() == "quarter"
    assert "the end of 2004: " in figures.district_map(runs["dated"]).axes[1].get_title("left").lower()
    assert "After 10 quarters" in figures.district_map(runs["plain"]).axes[1].get_title("left")


def test_tables_for_the_terminal_name_the_dates(runs: dict[str, Run]) -> None:
    shown = {name: str(next(iter(start_and_end(run).renderables))) for name, run in runs.items()}
    assert "2002Q3 to 2004Q4" in shown["dated"]
    assert "10 quarters" in shown["plain"]


# Policies, experiments ----------------------------------------------------------------------------


def test_a_file_of_policies_has_dates_of_the_run_that_it_is_laid_over(tmp_path: Path) -> None:
    path = tmp_path / "grants.yaml"
    path.write_text(POLICY.format("2012Q3", 2022))
    grants = load_policy(path).instruments
    for start, quarters in (("2005", (30, 68)), ("2010Q3", (8, 46))):
        (item,) = laid_over(load_scenario("classroom", [f"run.start={start}"]), grants).policies
        assert (item.start, item.end) == quarters
    for start, said in (
        ("2015", "g: start = 2012Q3: is before the run begins in 2015Q1"),
        ("1925", "1925Q1 to 1964Q4"),
    ):
        with pytest.raises(ScenarioError, match=said):
            laid_over(load_scenario("classroom", [f"run.start={start}"]), grants)
    with pytest.raises(ScenarioError, match=r"g: start = 2012Q3: .*run\.start: 2002"):
        laid_over(load_scenario("classroom"), grants)
    path.write_text(POLICY.format("2012Q3", "2012Q2"))
    with pytest.raises(ScenarioError, match=r"end \(2012Q2\) must come after start \(2012Q3\)"):
        load_policy(path)


def test_an_experiment_varies_dates(tmp_path: Path, written_file: Path) -> None:
    load(written_file, "run: {start: 2002, end: 2012}\n" + POLICY.format(4, 30))

    def starts(*values: object) -> list[int]:
        fields = {"scenarios": [str(written_file)], "vary": {"policies.0.start": list(values)}, "replications": 2}
        plan = make_plan(make_experiment(fields, lambda at: f"{at}: "))
        return [scenario_of(point, plan.bases).policies[0].start for point in plan.points]

    assert starts(2003, 2005) == [4, 12]
    assert starts(2003, "2005Q3") == [4, 14]
    assert starts(4, 12) == [4, 12]
    for wrong, said in ((2001, "before the run begins"), (2030, "2002Q1 to 2011Q4"), ("2005Q7", "whole number")):
        with pytest.raises(ScenarioError, match=said):
            starts(4, wrong)


def test_a_run_section_by_itself() -> None:
    assert RunSection(start="2002", quarters=8).end == "2004Q1"
    assert Scenario(run=RunSection(start="2002Q2")).run.calendar == Calendar(8009)


def test_the_schema_for_editors_allows_dates(call: Call) -> None:
    schema = json.loads(call("scenarios", "schema").output)
    start = schema["$defs"]["Instrument"]["properties"]["start"]
    assert [part["type"] for part in start["anyOf"]] == ["integer", "string"]
    assert schema["$defs"]["RunSection"]["properties"]["end"]["anyOf"][0]["type"] == "integer"


# Money --------------------------------------------------------------------------------------------


def test_current_prices_are_constant_ones_times_the_index(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date;index\n2002;80\n2003;100\n2003Q3;120,0\n2004;125\n2005;200\n")
    scenario = load_scenario("classroom", ["run.start=2002Q4", "run.quarters=6", "money.base_year=2005"])
    assert factors(path, scenario).tolist() == [0.4, 0.5, 0.5, 0.6, 0.5, 0.625]
    table = pd.DataFrame(2.0, index=pd.RangeIndex(1, 7, name="quarter"), columns=list(NAMES))
    current = at_current_prices(table, factors(path, scenario))
    assert list(current) == list(MONEY)
    assert {"value_added_local", "wage"} <= set(MONEY)
    assert current["wage"].tolist() == [0.8, 1.0, 1.0, 1.2, 1.0, 1.25]


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        ("date,index\n2002,80\n", ["run.start=2002"], "need money.base_year"),
        ("date,index\n2002,80\n", ["money.base_year=2002"], "need run.start"),
        ("date,index\n2002,80\n", ["run.start=2002", "money.base_year=2002"], "has no index for 2003Q1"),
        ("year,index\n2002,80\n", ["run.start=2002", "money.base_year=2002"], "date cannot be found"),
        ("\ndate,index\n", ["run.start=2002", "money.base_year=2002"], "prices.csv: not a CSV file: "),
        ("date,index\n2002,x\n", ["run.start=2002", "money.base_year=2002"], "prices.csv:2: date = 2002, index = x"),
        (
            "date,index\n2002,0\n",
            ["run.start=2002", "money.base_year=2002"],
            "csv:2: index = 0: must be above 0",
        ),
        (
            "date,index\n2002,1\n2002,2\n",
            ["run.start=2002", "money.base_year=2002"],
            "csv:3: date = 2002: given",
        ),
    ],
)
def test_prices_that_cannot_be_used_are_refused(tmp_path: Path, text: str, changes: list[str], said: str) -> None:
    (tmp_path / "prices.csv").write_text(text)
    with pytest.raises(ScenarioError, match=said):
        factors(tmp_path / "prices.csv", load_scenario("classroom", changes))


def test_the_command_line_says_of_which_day_present_values_are(call: Call) -> None:
    Path("a.yaml").write_text(POLICY.format(2004, 2006))
    Path("dated.yaml").write_text("extends: small\nrun: {start: 2003, quarters: 8}\n")
    words = ["compare", "dated.yaml", "--policies", "none,a.yaml", "--replications", "2", "--outcomes", "employment"]
    done = call(*words, "--equal-cost", "100", "--discount-from", "2004")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "at the beginning of 2004Q1" in said
    assert "a quarter in 2004Q1 to 2004Q4 (4 quarters)" in said
    for wrong, why in (("2004Q7", "must be a year"), ("soon", "must be a year")):
        done = call(*words, "--discount-from", wrong)
        assert done.exit_code == 2
        assert f"--discount-from {wrong}: {why}" in done.output
