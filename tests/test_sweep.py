"""Sweeps: the same luck at every point, the same data set however it is made, enough replications."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sweeps import TINY, assert_same_data, run_here, tiny
from typer.testing import CliRunner, Result

from district_sim import cli, load_scenario, simulate
from district_sim.experiments import Results, runner
from district_sim.experiments.plan import model_version
from district_sim.experiments.results import enough
from district_sim.experiments.store import FolderError, Store, open_store
from district_sim.kernels.draws import replicate_seed
from district_sim.run.run import policy_totals


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process of its own to compile kernels in: they are compiled in this one."""
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "100"})


def refusal(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert (result.stdout, "Traceback" in result.stderr) == ("", False)
    return result.stderr.removeprefix("Error: ").strip()


# Rows ---------------------------------------------------------------------------------------------


def test_a_row_is_the_run_that_anybody_can_make_again(tmp_path: Path) -> None:
    e = tiny(tmp_path, seed=7, keep={"every": 4, "firms": True}, quarters=8)
    summary = run_here(e, tmp_path / "out")
    assert (summary.complete, summary.counts.done) == (True, 18)
    found = Results(tmp_path / "out")
    row = found.runs.query("point == 3 and replicate == 2").iloc[0]
    settings = {"strategy.sale": 0.5, "firms.count": 15, "run.quarters": 8}
    run = simulate(load_scenario(tmp_path / "tiny.yaml", settings), replicate_seed(7, 2))
    assert (row["strategy.sale"], row["firms.count"], row["seed"]) == (0.5, 15, str(run.seed))
    last, late = run.indicators.iloc[-1], run.indicators.iloc[-2:].mean()
    for name in run.indicators:
        np.testing.assert_equal(row[name], last[name])
        assert row[f"{name}_late"] == pytest.approx(late[name], rel=1e-15, nan_ok=True)
    assert row["trajectory"] == run.trajectory.value
    assert row["score_fragmentation"] == run.scores.fragmentation
    series = found.series.query("point == 3 and replicate == 2")
    assert list(series["quarter"]) == [4, 8]
    assert np.array_equal(series["employment"], run.indicators["employment"].loc[[4, 8]])
    firms = found.firms.query("point == 3 and replicate == 2")
    assert np.array_equal(firms["employees"], run.end.firms["employees"])


def test_what_instruments_spent_is_that_of_the_run(tmp_path: Path) -> None:
    """A row for each instrument of a mix, also for those of equal names; none where there is no policy."""
    courses = {"name": "courses", "kind": "training_vouchers", "start": 1, "budget": 5.0}
    grants = {"name": "courses", "kind": "rd_subsidy", "start": 2, "end": 4, "budget": 7.0, "funded_by": "taxes"}
    e = tiny(tmp_path, policies={"nothing": [], "both": [courses, grants]}, replications=2, keep={"spending": True})
    run_here(e, tmp_path / "out")
    found = Results(tmp_path / "out")
    both = found.runs.query("policies == 'both'")
    assert len(found.spending) == 2 * len(both)
    row = both.iloc[3]
    levers = {"strategy.sale": row["strategy.sale"], "firms.count": int(row["firms.count"])}
    run = simulate(load_scenario(tmp_path / "tiny.yaml", levers | {"policies": [courses, grants]}), int(row["seed"]))
    own = found.spending.query(f"point == {row['point']} and replicate == {row['replicate']}").reset_index(drop=True)
    assert own["number"].tolist() == [0, 1]
    columns = ["instrument", "kind", "funded_by", "quarters_active", "spent", "left_over", "served"]
    expected = policy_totals(run.policies).rename(columns={"quarters": "quarters_active"})
    pd.testing.assert_frame_equal(own[columns], expected[columns], check_dtype=False)
    assert own["quarters_active"].tolist() == [5, 2]
    found.export("csv", tmp_path / "spending.csv", "spending")
    notes = pd.read_csv(tmp_path / "spending.columns.csv").set_index("column")
    assert notes.loc["spent", "unit"] == "k€"
    assert notes["description"].notna().all()


def test_without_instruments_there_is_no_spending(tmp_path: Path) -> None:
    run_here(tiny(tmp_path, vary={}, replications=2, keep={"spending": True}), tmp_path / "out")
    assert not len(Results(tmp_path / "out").spending)
    assert len(Results(tmp_path / "out").runs) == 2


def test_a_replicate_has_the_same_luck_at_every_point(tmp_path: Path) -> None:
    run_here(tiny(tmp_path), tmp_path / "out")
    seeds = Results(tmp_path / "out").runs.groupby("replicate")["seed"].unique()
    assert [len(own) for own in seeds] == [1, 1, 1]
    assert len({own[0] for own in seeds}) == 3


def test_data_set_does_not_depend_on_workers_or_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path, keep={"every": 3, "firms": True})
    run_here(e, tmp_path / "one")
    monkeypatch.setattr(runner, "_MOST_RUNS", 1)
    run_here(e, tmp_path / "other", workers=3)
    assert_same_data(tmp_path / "one", tmp_path / "other")
    assert len(list((tmp_path / "other/runs").iterdir())) == 18 > len(list((tmp_path / "one/runs").iterdir()))


def test_a_chunk_that_takes_too_long_gives_the_rest_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path)
    run_here(e, tmp_path / "one")
    monkeypatch.setattr(runner, "_SHORTEST", 0.0)
    monkeypatch.setattr(runner, "_LONGEST", 0.0)
    assert run_here(e, tmp_path / "other").counts.done == 18
    assert_same_data(tmp_path / "one", tmp_path / "other")


def test_stop_condition_ends_a_run(tmp_path: Path) -> None:
    whole = tiny(tmp_path, vary={}, replications=1, keep={"every": 1})
    run_here(whole, tmp_path / "whole")
    line = Results(tmp_path / "whole").series["employment"].to_list()
    for sign, limit in (("<", line[2]), ("<=", line[2]), (">", line[2]), (">=", line[2])):
        holds = [eval(f"{value!r} {sign} {limit!r}") for value in line]
        first = next((quarter for quarter in range(2, 7) if holds[quarter - 1]), None)  # a label needs two quarters
        e = whole.model_copy(update={"stop": {"employment": f"{sign} {limit!r}"}})
        folder = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        run_here(e, folder)
        row = Results(folder).runs.iloc[0]
        assert (row["status"], row["quarters"]) == (("done", 6) if first is None else ("stopped", first))
        assert Results(folder).series["employment"].to_list() == line[: row["quarters"]]


# Enough replications ------------------------------------------------------------------------------


def test_until_replicates_each_point_until_its_error_is_small(tmp_path: Path) -> None:
    e = tiny(tmp_path, replications=5, until={"employment": "3%", "firms": 1.0}, maximum=40, quarters=10)
    summary = run_here(e, tmp_path / "one")
    runs = Results(tmp_path / "one").runs
    counts = runs.groupby("point").size()
    assert summary.wanted == len(runs)
    assert counts.nunique() > 1, "some points need more than others"
    for point, group in runs.groupby("point"):
        error = group[["employment", "firms"]].std() / np.sqrt(len(group))
        reached = error["employment"] <= 0.03 * group["employment"].mean() and error["firms"] <= 1.0
        assert reached == (point not in summary.not_reached)
        assert reached or len(group) == 40
        assert list(group["replicate"]) == list(range(len(group)))
    run_here(e, tmp_path / "other", workers=3)
    assert_same_data(tmp_path / "one", tmp_path / "other")


def test_until_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path, replications=5, until={"employment": "2%"}, maximum=20, quarters=10)
    run_here(e, tmp_path / "one")
    monkeypatch.setattr(runner, "_MOST_RUNS", 2)
    commit, left = Store.commit, [20]  # the eighteen chunks of the first round, and two more

    def stopping(store: Store, *arguments: Any) -> None:
        commit(store, *arguments)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "commit", stopping)
    with pytest.raises(KeyboardInterrupt):
        run_here(e, tmp_path / "out")
    assert 30 < Results(tmp_path / "out").counts.done < Results(tmp_path / "one").counts.done
    run_here(e, tmp_path / "out")
    assert_same_data(tmp_path / "one", tmp_path / "out")


def test_points_that_stay_noisy_are_named(tmp_path: Path) -> None:
    e = tiny(tmp_path, replications=5, until={"employment": 1e-9}, maximum=6)
    summary = run_here(e, tmp_path / "out")
    assert summary.not_reached == tuple(range(6))
    assert summary.counts.done == 6 * 6


def test_standard_error_by_hand(tmp_path: Path) -> None:
    e = tiny(tmp_path, replications=5, until={"employment": 0.5})
    values = {0: (10.0,), 1: (11.0,), 3: (12.0,), 4: (13.0,), 5: (14.0,)}  # the third failed
    assert enough(e, values, 6) == pytest.approx(np.sqrt(2.5) / np.sqrt(5) / 0.5)
    assert enough(e, values, 5) == np.inf, "four runs tell no error"
    assert enough(e, dict.fromkeys(range(5), (5.0,)), 5) == 0.0
    some = {**values, 6: (np.nan,), 7: (np.nan,)}
    assert enough(e, some, 8) == enough(e, values, 6), "runs in which the outcome is undefined tell nothing of it"
    assert enough(e, {**some, 8: (np.inf,)}, 9) == np.inf
    assert enough(e, dict.fromkeys(range(9), (np.nan,)), 9) == np.inf


# Folders ------------------------------------------------------------------------------------------


def test_a_finished_sweep_has_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path)
    run_here(e, tmp_path / "out")
    monkeypatch.setattr(runner, "work_on", lambda chunk: pytest.fail("nothing is left to do"))
    assert run_here(e, tmp_path / "out").complete


def test_what_changed_since_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_here(tiny(tmp_path), tmp_path / "out")
    e = tiny(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY.replace("count: 12", "count: 13"))
    with pytest.raises(FolderError, match=r"tiny.yaml.firms.count: 12 in the folder, 13 now"):
        run_here(e, tmp_path / "out")
    with pytest.raises(FolderError, match=r"experiment.seed: 0 in the folder, 1 now"):
        run_here(tiny(tmp_path, seed=1), tmp_path / "out")
    monkeypatch.setattr(
        "district_sim.experiments.plan.model_version", lambda *_: model_version() | {"sources": "other"}
    )
    with pytest.raises(FolderError, match=r'model.sources: "\w+" in the folder, "other" now'):
        run_here(tiny(tmp_path), tmp_path / "out")
    monkeypatch.undo()
    assert Results(tmp_path / "out").counts.done == 18, "a refusal changes nothing"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("precious")
    with pytest.raises(FolderError, match="not empty and holds no experiment"):
        run_here(tiny(tmp_path), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_second_sweep_into_a_folder_is_refused(tmp_path: Path) -> None:
    from district_sim.experiments.plan import make_plan

    e = tiny(tmp_path)
    said = r"another sweep is writing into this folder \(process \d+ on"
    with open_store(tmp_path / "out", make_plan(e)), pytest.raises(FolderError, match=said):
        run_here(e, tmp_path / "out")
    assert run_here(e, tmp_path / "out").complete


# Command ------------------------------------------------------------------------------------------


def test_command_makes_the_experiment_that_it_describes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    made = {}

    def run_experiment(experiment: object, folder: Path, **options: object) -> object:
        made.update(experiment=experiment, folder=folder, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_experiment", run_experiment)
    options = "--vary strategy.sale=0:0.9:4 --vary firms.count=12,15 --vary mechanisms.trust=true,false --seed 3"
    more = "--replications 5 --quarters 9 --every 2 --firms --out a --workers 2 --until employment:1% --maximum 30"
    last = ("--stop", "firms < 5", "--retry-failed", "--spending")
    call("sweep", "tiny.yaml", *options.split(), *more.split(), *last)
    wanted = tiny(
        tmp_path,
        name="sweep",
        scenarios=("tiny.yaml",),
        vary={
            "strategy.sale": {"start": 0, "stop": 0.9, "count": 4},
            "firms.count": (12, 15),
            "mechanisms.trust": (True, False),
        },
        seed=3,
        replications=5,
        quarters=9,
        keep={"every": 2, "firms": True, "spending": True},
        until={"employment": "1%"},
        maximum=30,
        stop={"firms": "< 5"},
    )
    assert made["experiment"] == wanted
    assert (made["folder"], made["workers"], made["retry_failed"]) == (Path("a"), 2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name scenarios or an --experiment, not both"),
        (["baseline", "--experiment", "policy_on_employment"], "name scenarios or an --experiment, not both"),
        (["--experiment", "policy_on_unemployment"], ".*did you mean 'policy_on_employment'.*"),
        (
            ["baseline", "--vary", "firms.cuont=5"],
            "--vary firms.cuont: baseline has no parameter 'firms.cuont'; did .*",
        ),
        (["baseline", "--vary", "firms.count=5,20"], "--vary firms.count: 5: must be a whole number between 10 and .*"),
        (["baseline", "--vary", "firms.count=20:x:3"], "--vary firms.count=20:x:3: write it as path=a,b,c or .*"),
        (["baseline", "--vary", "=3"], "--vary =3: write it as .*"),
        (["baseline", "--vary", "firms.count"], "--vary firms.count: a factorial design needs values, or .*"),
        (
            ["baseline", "--until", "employment"],
            "--until employment: write it as OUTCOME:ERROR, for example employment:1%",
        ),
        (["baseline", "--until", "jobs:1%"], "--until jobs: there is no outcome 'jobs'.*"),
        (["baseline", "--stop", "<3"], "--stop <3: write it as a condition, for example 'firms < 10'"),
        (["baseline", "--design", "grid"], "--design: 'grid': must be 'factorial', .*"),
        (["baseline", "--vary", "firms.count=20", "--vary", "firms.count=30"], "--vary firms.count: given twice"),
        (["baseline", "--stop", "firms<3", "--stop", "firms>9"], "--stop firms: given twice"),
        (["baseline", "--until", "firms:1", "--until", "firms:2"], "--until firms: given twice"),
        (["baseline", "--vary", "strategy.sale=0:0.9:1"], "--vary strategy.sale count: 1: must be greater than .*"),
        (["baseline", "--vary", "strategy.sale=0:nan:3"], "--vary strategy.sale stop: nan: must be a finite number"),
        (["baseline", "--every", "0"], "--every: 0: must be greater than or equal to 1"),
        (["baseline", "--maximum", "20"], "--maximum needs --until"),
        (["baseline", "--out", "/dev/null"], "/dev/null: cannot be a folder of results: File exists"),
        (["baseline", "--table", "none.csv"], "none.csv: cannot be read: No such file or directory"),
        (["baseline", "--replications", "0"], "--replications: 0: must be greater than or equal to 1"),
        (["baseline", "--seed", "-1"], r"--seed must be between 0 and .*"),
        (["baseline"], "--out DIR: name the folder of the data set .*"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_one_message(arguments: list[str], said: str) -> None:
    message = refusal("sweep", *arguments)
    assert re.fullmatch(said, message, re.DOTALL), message


def test_dry_run_counts_and_estimates_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    line = ["sweep", "tiny.yaml", "--vary", "strategy.sale=0:0.9:10", "--dry-run"]
    result = call(*line)
    assert result.exit_code == 0, result.output
    assert "10 points x 10 replications: 100 runs" in result.stdout
    assert "... and 2 more" in result.stdout
    told = json.loads(call(*line, "--workers", "4", "--json").stdout)
    assert (told["points"], told["runs"], told["workers"]) == (10, 100, 4)
    assert told["seconds"] > 0
    assert 100 * 8 * 120 < told["bytes"] < 1e7, "a hundred runs of some 130 numbers, in shards"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]
