"""The data set of an experiment, as people and other programs read it."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from balance import check_indicators
from sweeps import run_here, tiny
from typer.testing import CliRunner

from district_sim import cli
from district_sim.experiments import Results
from district_sim.experiments.results import read_shards, stata_names
from district_sim.experiments.store import FolderError
from district_sim.scenario.indicators import NAMES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("results")
    e = tiny(
        here,
        name="sale and size",
        keep={"every": 2, "firms": True},
        vary={"strategy.sale": [0.0, 0.9], "firms.count": [12, 15], "mechanisms.trust": [True, False]},
        policies={"none": [], "research": [{"name": "research", "kind": "rd_subsidy", "budget": 10.0}]},
    )
    run_here(e, here / "out")
    return here / "out"


def test_columns_of_older_data_sets_are_read_with_a_note(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "old")
    for table, new, name in (("runs", "technology_mean", "trajectory_mean"), ("firms", "technology", "trajectory")):
        for path in (tmp_path / "old" / table).glob("*.parquet"):
            data = pq.read_table(path)
            pq.write_table(
                data.rename_columns([name if column == new else column for column in data.column_names]), path
            )
        with pytest.warns(FutureWarning, match=f"{name} is now called {new}"):
            old = getattr(Results(tmp_path / "old"), table)
        pd.testing.assert_frame_equal(old, getattr(Results(folder), table))
    with pytest.warns(FutureWarning):
        assert read_shards(tmp_path / "old", "runs", ["technology_mean"]).column_names == ["technology_mean"]


def test_table_of_runs(folder: Path) -> None:
    runs = Results(folder).runs
    fixed = ["point", "replicate", "seed", "scenario", "policies"]
    varied = ["strategy.sale", "firms.count", "mechanisms.trust"]
    scores = [name for name in runs if str(name).startswith("score_")]
    assert len(scores) == 4
    late = [f"{name}_late" for name in NAMES]
    from district_sim.experiments.design import ROUTES

    assert list(runs) == [
        *fixed,
        *varied,
        "status",
        "quarters",
        "trajectory",
        *scores,
        *ROUTES,
        "recovery_time",
        *NAMES,
        *late,
    ]
    assert list(zip(runs["point"], runs["replicate"], strict=True)) == [(p, r) for p in range(16) for r in range(3)]
    assert runs["mechanisms.trust"].dtype == bool
    assert runs["firms.count"].dtype == np.int64
    assert set(runs["status"]) == {"done"}
    for row in runs[list(NAMES)].to_numpy():
        check_indicators(row)


def test_nothing_in_the_data_set_differs_between_machines(folder: Path) -> None:
    columns = {*Results(folder).runs, *Results(folder).series, *Results(folder).firms}
    assert not columns & {"host", "seconds", "shard"}
    assert {"host", "seconds"} <= set(Results(folder).ledger)


def test_ledger_tells_all_of_a_run(folder: Path) -> None:
    ledger = Results(folder).ledger
    assert len(ledger) == 48
    assert ledger["scenario_hash"].nunique() == 16
    assert ledger.groupby("point")["scenario_hash"].nunique().eq(1).all()
    assert (ledger["seconds"] > 0).all()
    assert set(Results(folder).versions) >= {"district_sim", "numpy", "numba", "python"}
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as plain:
        rows = plain.execute("SELECT point, replicate, seed FROM runs ORDER BY point, replicate").fetchall()
    runs = Results(folder).runs
    assert rows == list(zip(runs["point"], runs["replicate"], runs["seed"], strict=True))


def test_xarray_is_the_same_data(folder: Path) -> None:
    found = Results(folder)
    data = found.to_xarray()
    assert dict(data.sizes) == {"point": 16, "replicate": 3, "quarter": 3}
    row = found.runs.query("point == 5 and replicate == 2").iloc[0]
    one = data.sel(point=5, replicate=2)
    assert float(one["employment"]) == row["employment"]
    assert str(one["seed"].item()) == row["seed"]
    assert float(one["strategy.sale"]) == row["strategy.sale"]
    assert str(one["policies"].item()) == row["policies"]
    assert data["employment"].attrs == {"units": "employees", "long_name": "Employees"}
    assert float(one["employment_series"].sel(quarter=6)) == row["employment"]
    mean = data["employment"].where(data["policies"] == "none", drop=True).mean("replicate")
    assert mean.sizes == {"point": 8}


def test_duckdb_reads_the_folder_as_it_is(folder: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    query = f"SELECT policies, count(*), avg(employment) FROM '{folder}/runs/*.parquet' GROUP BY 1 ORDER BY 1"
    rows = duckdb.sql(query).fetchall()
    means = Results(folder).runs.groupby("policies")["employment"].mean()
    assert [(name, count) for name, count, _ in rows] == [("none", 24), ("research", 24)]
    assert [mean for *_, mean in rows] == pytest.approx(means.to_list())


def test_documented_queries_run(folder: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    page = (Path(__file__).parents[1] / "docs/experiments.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    by_value, paired = (
        duckdb.sql(
            text.replace("'sale/", f"'{folder}/").replace("ownership.takeover_price", "strategy.sale")
        ).fetchall()
        for text in block.split(";")[:2]
    )
    assert [row[0] for row in by_value] == [0.0, 0.9]
    runs = Results(folder).runs.set_index(["point", "replicate"])["employment"]
    difference = runs.loc[9] - runs.loc[0]
    assert paired[0] == pytest.approx((difference.mean(), difference.sem()))


def test_results_outlive_the_scenario_file(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "copy")
    data = tmp_path / "copy/experiment.json"
    data.write_text(data.read_text().replace("tiny.yaml", "gone.yaml"))
    found = Results(tmp_path / "copy")
    assert len(found.points) == 16
    assert found.notes("strategy.sale")[1].startswith("Readiness")
    assert len(found.runs) == 48


# Export -------------------------------------------------------------------------------------------


def test_csv_comes_with_the_meaning_of_its_columns(folder: Path, tmp_path: Path) -> None:
    written = Results(folder).export("csv", tmp_path / "a.csv")
    assert [path.name for path in written] == ["a.csv", "a.columns.csv"]
    table = pd.read_csv(tmp_path / "a.csv", dtype={"seed": str})
    pd.testing.assert_frame_equal(table, Results(folder).runs, check_dtype=False)
    notes = pd.read_csv(tmp_path / "a.columns.csv").set_index("column")
    assert list(notes.index) == list(table)
    assert notes.loc["turnover", "unit"] == "k€/quarter"
    assert (
        notes.loc["strategy.sale", "description"]
        == "Readiness of owners to sell to a multinational, where conduct is imposed"
    )
    assert notes["description"].notna().all()


def test_columns_of_firms_are_those_of_firms() -> None:
    from district_sim.experiments.columns import column_notes
    from district_sim.model.state import TRAITS, firm_record
    from district_sim.run.snapshot import _NOT_SHOWN

    names = set(firm_record(2, 3).names or ()) - set(_NOT_SHOWN) | {"firm", "tacit", "codified", "control", "pipelines"}
    names |= {f"conduct_{trait}" for trait in TRAITS}
    assert all(column_notes(f"conduct_{trait}", "firms")[0] for trait in TRAITS)
    for name in names:
        assert column_notes(name, "firms")[1], name
        assert column_notes(name, "firms")[1] != column_notes(name)[1], name
    assert column_notes("technology", "firms")[1].startswith("Technology")
    assert column_notes("trajectory")[1] == "Trajectory, from outcomes only; missing where nothing can be said"


def test_stata_file_has_labels_and_valid_names(folder: Path, tmp_path: Path) -> None:
    Results(folder).export("dta", tmp_path / "a.dta")
    with pd.io.stata.StataReader(tmp_path / "a.dta") as reader:
        labels = reader.variable_labels()
        table = reader.read()
    assert all(re.fullmatch(r"[A-Za-z_]\w{0,31}", name) for name in table)
    assert all(0 < len(label) <= 80 for label in labels.values())
    assert labels["turnover"] == "Sales of final firms to the market [k€/quarter]"
    assert labels["strategy_sale"].startswith("strategy.sale: Readiness of owners")
    runs = Results(folder).runs
    assert table["strategy_sale"].to_list() == runs["strategy.sale"].to_list()
    assert table["employment"].to_list() == runs["employment"].to_list()
    assert table["mechanisms_trust"].to_list() == runs["mechanisms.trust"].astype(int).to_list()
    assert table["seed"].to_list() == runs["seed"].to_list()


def test_stata_names_stay_distinct() -> None:
    long = "score_collective_entrepreneurship"
    names = stata_names(["a.b", "a_b", long, f"{long}_late", "1st", "a b"])
    assert len(set(names.values())) == 6
    assert names["a.b"] == "a_b"
    assert names["a_b"] == "a_b_2"
    assert names["1st"] == "_1st"
    assert all(len(name) <= 32 for name in names.values())


def test_infinite_recovery_is_missing_in_stata(folder: Path, tmp_path: Path) -> None:
    found = Results(folder)
    found.runs.loc[0, "recovery_time"] = np.inf
    found.export("dta", tmp_path / "a.dta")
    assert pd.read_stata(tmp_path / "a.dta")["recovery_time"].isna()[0]


@pytest.mark.parametrize("table", ["runs", "series", "firms"])
def test_parquet_carries_units(table: str, folder: Path, tmp_path: Path) -> None:
    Results(folder).export("parquet", tmp_path / "a.parquet", table)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), getattr(Results(folder), table))
    if table != "firms":
        schema = pq.read_schema(tmp_path / "a.parquet")
        assert schema.field("employment").metadata[b"unit"] == b"employees"
        shard = pq.read_schema(next((folder / table).iterdir()))
        assert shard.field("employment").metadata[b"unit"] == b"employees"


# Command ------------------------------------------------------------------------------------------


def call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_summary(folder: Path) -> None:
    text = call("results", folder)
    assert text.startswith("sale and size: 16 points; 48 runs done\n")
    told = json.loads(call("results", folder, "--json"))
    assert (told["points"], told["done"], told["failed"]) == (16, 48, 0)
    runs = Results(folder).runs
    first = told["summary"][0]
    assert first["employment_late"] == pytest.approx(runs.query("point == 0")["employment_late"].mean())
    assert (first["runs"], first["policies"]) == (3, "none")


def test_export_by_command(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    assert "a.columns.csv" in call("results", folder, "--export", "csv", "--out", target, "--table", "series")
    assert len(pd.read_csv(target)) == 48 * 3
    refused = CliRunner().invoke(cli.app, ["results", str(folder), "--export", "csv", "--out", str(target)])
    assert (refused.exit_code, "exists" in refused.stderr) == (2, True)


def test_folder_without_experiment(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="holds no experiment"):
        Results(tmp_path)
    result = CliRunner().invoke(cli.app, ["results", str(tmp_path)])
    assert (result.exit_code, "holds no experiment" in result.stderr) == (2, True)


def test_a_table_that_was_not_kept_is_not_exported(tmp_path: Path) -> None:
    run_here(tiny(tmp_path, vary={}, replications=1), tmp_path / "out")
    for table, option in (("series", "--every"), ("firms", "--firms"), ("spending", "--spending")):
        with pytest.raises(FolderError, match=f"no table of {table}: the sweep was made without {option}"):
            Results(tmp_path / "out").export("csv", tmp_path / "x.csv", table)


def test_a_pipe_is_not_folded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    told = CliRunner().invoke(cli.app, ["results", str(folder)]).stdout
    assert " employment_late " in told


def test_reading_does_not_disturb(folder: Path) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    assert len(Results(folder).runs) == 48
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
