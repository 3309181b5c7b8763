"""A run for other programs, read back as they read it: values, units and the meaning of codes survive."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

from district_sim.model.parameters import parameters_of
from district_sim.model.schedule import living_firms
from district_sim.reports.export import graph_of, tables_of
from district_sim.run.columns import note_of
from district_sim.run.run import Run, quarters_of
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.files import load_scenario

type Call = Callable[..., Result]

DISTRICT = "extends: baseline\nfirms: {count: 60}\nrun: {quarters: 12}\nstrategy_start: 4\n"
POLICY = "policies:\n  - {name: '=1+1', kind: rd_subsidy, budget: 50, start: 1}\n"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with groups, pipelines and an instrument whose name is not a formula."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "district.yaml").write_text(DISTRICT + POLICY)
    from district_sim.run.run import simulate

    simulate(load_scenario(folder / "district.yaml"), 5).save(folder / "out")
    return folder / "out"


def exported(call: Call, saved: Path, to: str, *more: str) -> Path:
    done = call("export", str(saved), "--to", to, "--out", f"it.{to}", *more)
    assert done.exit_code == 0, done.output
    return Path(f"it.{to}")


def test_orders_of_a_tie_are_what_each_paid_to_the_other() -> None:
    p = parameters_of(load_scenario("baseline", {"firms.count": 40}))
    *_, end = quarters_of(p, 1, 6)
    state = end.state
    ties = Snapshot.of(state).ties
    assert len(ties) > 20
    for row in ties.itertuples():
        for one, other, paid in ((row.a, row.b, row.paid_a), (row.b, row.a, row.paid_b)):
            (slot,) = np.flatnonzero(state.ties.partner[one] == other)
            if row.age:
                assert paid == state.orders.paid[one, slot]
            else:
                assert np.isnan(paid)
    assert (ties["paid_a"] > 0.0).any()
    assert (ties["paid_b"] > 0.0).any()


def test_pipelines_are_those_of_the_state() -> None:
    p = parameters_of(load_scenario("collective_entrepreneurship", {"firms.count": 40, "strategy_start": 1}))
    *_, end = quarters_of(p, 1, 20)
    table, agency = Snapshot.of(end.state).pipelines, end.state.agency[0]["pipelines"]
    own = table[table["firm"] >= 0]
    assert own.groupby("firm").size().to_dict() == {
        i: n for i in np.flatnonzero(end.state.firms.alive) if (n := int((end.state.pipelines.node[i] >= 0).sum()))
    }
    collective = table[table["firm"] == -1].set_index("node")["strength"]
    assert collective.to_dict() == {k: value for k, value in enumerate(agency) if value > 0.0}
    assert living_firms(end.state.firms, end.state.clock) == 40 or len(own)


@pytest.mark.parametrize("to", ["graphml", "gexf"])
def test_graphs_are_read_back_as_they_were(call: Call, saved: Path, to: str) -> None:
    run = Run.load(saved)
    graph = graph_of(run, tables_of(run))
    path = exported(call, saved, to)
    again = nx.read_graphml(path) if to == "graphml" else nx.read_gexf(path)
    assert dict(again.nodes(data=True)).keys() == dict(graph.nodes(data=True)).keys()
    for name, values in graph.nodes(data=True):
        found = again.nodes[name]
        assert {key: found[key] for key in values} == pytest.approx(values), name
    for a, b, values in graph.edges(data=True):
        found = again.edges[a, b]
        assert {key: found[key] for key in values} == pytest.approx(values)
    assert again.number_of_edges() == graph.number_of_edges()
    ties = run.end.ties
    assert again.is_directed()
    assert sum(values["relation"] == "tie" for *_, values in again.edges(data=True)) == 2 * len(ties)
    row = ties[ties["age"] > 0].iloc[0]
    assert again.edges[f"{row.a:.0f}", f"{row.b:.0f}"]["orders"] == row.paid_a
    assert again.edges[f"{row.b:.0f}", f"{row.a:.0f}"]["orders"] == row.paid_b
    columns = pd.read_csv("it.columns.csv").set_index("column")
    assert columns.loc["orders", "unit"] == "k€/quarter"
    assert "final phase" in columns.loc["phase", "description"]


def test_stata_reads_labels_and_values(call: Call, saved: Path) -> None:
    folder = exported(call, saved, "dta")
    run = Run.load(saved)
    tables = tables_of(run)
    assert {path.stem for path in folder.iterdir()} == tables.keys()
    for name, table in tables.items():
        with pd.io.stata.StataReader(folder / f"{name}.dta") as reader:
            labels = reader.variable_labels()
            codes = reader.value_labels()
            found = reader.read(convert_categoricals=False)
        assert len(found) == len(table)
        assert all(0 < len(label) <= 80 for label in labels.values())
        if name == "firms":
            assert labels["employees"] == "Employees of the firm [employees]"
            assert labels["pledges"].startswith("1 if it is a member of the agency")
            assert codes["phase"][0] == "phase 1"
            assert codes["phase"][run.scenario.technology.phases - 1] == "final phase"
            assert codes["pledges"] == {0: "no", 1: "yes"}
            assert found["employees"].to_list() == table["employees"].to_list()
            assert found["control"].to_list() == table["control"].to_list()
            assert found["key"].map(int).to_list() == table["key"].to_list()
        if name == "indicators":
            assert found["employment"].to_list() == table["employment"].to_list()
            assert labels["wage"].endswith("[k€/quarter]")
    read = pd.read_stata(folder / "firms.dta")
    assert set(read["successor"]) <= {"yes", "no"}


def test_excel_has_a_sheet_for_each_table(call: Call, saved: Path) -> None:
    path = exported(call, saved, "xlsx")
    tables = tables_of(Run.load(saved))
    sheets = pd.read_excel(path, sheet_name=None)
    assert list(sheets) == [*tables, "columns"]
    for name in ("firms", "ties"):
        assert list(sheets[name]) == list(tables[name])
        assert sheets[name].iloc[:, 1].to_list() == tables[name].iloc[:, 1].to_list() or name == "firms"
    assert sheets["firms"]["employees"].to_list() == pytest.approx(tables["firms"]["employees"].to_list(), rel=1e-14)
    assert sheets["firms"]["key"].astype(str).to_list() == tables["firms"]["key"].astype(str).to_list()
    assert set(sheets["policies"]["instrument"]) == {"=1+1"}
    columns = sheets["columns"].set_index(["table", "column"])
    assert len(columns) == sum(len(table.columns) for table in tables.values())
    assert columns.loc[("ties", "paid_a"), "unit"] == "k€/quarter"


def test_csv_and_parquet(call: Call, saved: Path) -> None:
    tables = tables_of(Run.load(saved))
    folder = exported(call, saved, "csv")
    for name, table in tables.items():
        pd.testing.assert_frame_equal(pd.read_csv(folder / f"{name}.csv"), table, check_dtype=False)
        assert pd.read_csv(folder / f"{name}.columns.csv")["column"].to_list() == list(table)
    folder = exported(call, saved, "parquet", "--start")
    assert (
        pd.read_parquet(folder / "firms.parquet")["employees"].sum() == Run.load(saved).start.firms["employees"].sum()
    )


def test_every_column_of_every_table_of_a_run_is_described(saved: Path) -> None:
    """And measured quantities have a unit, in the files themselves."""
    run = Run.load(saved)
    for path in saved.glob("*.parquet"):
        for field in pq.read_schema(path):
            assert b"description" in (field.metadata or {}), (path.name, field.name)
    for name, table in tables_of(run).items():
        for column in table:
            note = note_of(name, str(column), run.scenario)
            assert note.text, (name, column)
            assert note.unit or table[column].dtype.kind != "f", (name, column)
    phase = pq.read_schema(saved / "firms.parquet").field("phase").metadata
    assert json.loads(phase[b"labels"])["0"] == "phase 1"
    assert pq.read_schema(saved / "indicators.parquet").field("quarter").metadata[b"unit"] == b"quarter"


@pytest.mark.parametrize(
    ("arguments", "file"), [(["--to", "gexf", "--out", "it"], "it.gexf"), (["--out", "it.gexf"], "it.gexf")]
)
def test_format_and_ending_follow_from_each_other(call: Call, saved: Path, arguments: list[str], file: str) -> None:
    done = call("export", str(saved), *arguments)
    assert done.exit_code == 0, done.output
    assert Path(file).is_file()


def test_firms_of_a_run_with_dates_are_founded_at_dates(saved: Path) -> None:
    run = Run.load(saved)
    assert "founded_date" not in tables_of(run)["firms"]
    dated = run.scenario.model_copy(update={"run": run.scenario.run.model_copy(update={"start": "2002Q1"})})
    firms = tables_of(dataclasses.replace(run, scenario=dated))["firms"]
    row = firms[firms["founded"] == firms["founded"].min()].iloc[0]
    assert row["founded_date"] == Calendar.of(2002).date(int(row["founded"]))
    assert row["founded_date"] < "2002"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--to", "csv"], "nowhere holds no complete run (run.json is missing)"),
        (["damaged", "--to", "csv"], "damaged: cannot be read"),
        (["deep", "--to", "csv"], "deep/run.json: nested too deeply"),
        (["list", "--to", "csv"], "list/run.json: is not what a run writes: it lacks 'scenario'"),
        (["no table", "--to", "csv"], "no table holds no complete run (firms.parquet is missing)"),
        (["bad table", "--to", "csv"], "bad table/firms.parquet: is not a Parquet file, or a damaged one"),
        (["RUN", "--to", "gexf", "--out", "there.gexf"], "exists; choose another name"),
        (["RUN", "--to", "xlsx", "--out", "no/where.xlsx"], "there is no folder no"),
        (["RUN", "--to", "csv", "--out", "full"], "full is not empty"),
        (["RUN", "--to", "docx"], "'docx' is not one of"),
        (["RUN"], "name a format: --to graphml, gexf, xlsx (one file), dta, csv or parquet (a folder)"),
        (["RUN", "--out", "results"], "or give --out a file that ends with .graphml, .gexf, .xlsx"),
        (["RUN", "--to", "graphml", "--out", "it.xlsx"], "ends with .xlsx, but --to graphml writes a .graphml file"),
    ],
)
def test_what_cannot_be_done_is_said(call: Call, saved: Path, arguments: list[Any], said: str) -> None:
    Path("there.gexf").touch()
    for name in ("full", "damaged"):
        Path(name).mkdir()
        Path(name, "run.json").write_text("{")
    for name in ("deep", "list", "no table", "bad table"):
        shutil.copytree(saved, name)
    Path("deep/run.json").write_text("[" * 100_000)
    Path("list/run.json").write_text("[]")
    Path("no table/firms.parquet").unlink()
    Path("bad table/firms.parquet").write_bytes(b"PAR1")
    done = call("export", *[str(saved) if argument == "RUN" else argument for argument in arguments])
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
