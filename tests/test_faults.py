"""Whatever happens in between, the data set is the same: kills, lost workers, failing runs, a full disk, Ctrl-C.

`DISTRICT_SIM_KILLS=30 pytest tests/test_faults.py -k killed_at` kills more often.
"""

import contextlib
import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweeps import TINY, assert_same_data, run_here, tiny
from typer.testing import CliRunner

from district_sim import cli
from district_sim.experiments import Results, run_experiment, runner, work
from district_sim.experiments.store import LEDGER, FolderError, StorageError, Store
from district_sim.experiments.work import Chunk, Made, Report, work_on
from district_sim.run import run as run_module
from district_sim.run.shared_past import Pasts
from district_sim.run.workers import WorkerError

COMMAND = [sys.executable, "-m", "district_sim", "sweep", "tiny.yaml", "--workers", "1", "--quiet"]
POINTS = ["--vary", "strategy.sale=0:0.9:4", "--vary", "firms.count=12,15", "--replications", "25"]
RUNS = 4 * 2 * 25


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)


def start(folder: str | Path, *more: str) -> "subprocess.Popen[str]":
    """A sweep in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *POINTS, "--out", str(folder), *more], start_new_session=True, text=True, stderr=subprocess.PIPE
    )


def finish(folder: str | Path, *more: str) -> None:
    process = start(folder, *more)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err


def shards(folder: str | Path) -> int:
    return len(list(Path(folder).glob("runs/*.parquet")))


def wait_until(true: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same experiment, never disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    sales = {"start": 0, "stop": 0.9, "count": 4}
    e = tiny(folder, replications=25, keep={"every": 3}, vary={"strategy.sale": sales, "firms.count": [12, 15]})
    e = e.model_copy(update={"scenarios": ("tiny.yaml",)})
    with contextlib.chdir(folder):
        run_here(e, folder / "out")
    return folder / "out"


# (a) kill -9 --------------------------------------------------------------------------------------


def test_sweep_killed_at_random_moments_is_finished_by_the_same_command(whole: Path) -> None:
    kills, rng = int(os.environ.get("DISTRICT_SIM_KILLS", "3")), random.Random(1)
    seen = set()
    for number in range(kills):
        before = shards("out")
        process = start("out", "--every", "3")
        # half of the kills while runs are made, which a random moment of the start-up would rarely meet
        if number % 2 == 0:
            wait_until(lambda before=before, process=process: shards("out") > before or process.poll() is not None)
        time.sleep(rng.uniform(0.0, 2.0 if number % 2 else 0.3))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if Path("out", LEDGER).is_file() and Path("out/experiment.json").is_file():
            seen.add(Results("out").counts.total)
            if Results("out").counts.total == RUNS:
                assert_same_data(whole, Path("out"))
                shutil.rmtree("out")
    finish("out", "--every", "3")
    assert_same_data(whole, Path("out"))
    assert not Path("out/.work").exists()
    assert seen - {0, RUNS}, "at least one kill hit a sweep at work"


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    process = start("out", "--replications", "2000")
    wait_until(lambda: shards("out") > 0)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("needs /proc to find the workers")
    workers = [int(child) for child in children.read_text().split()]
    assert workers
    process.kill()
    process.wait()
    wait_until(lambda: not any(_lives(child) for child in workers), 30)


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_shards_that_the_ledger_does_not_know_are_removed(tmp_path: Path) -> None:
    e = tiny(tmp_path)
    run_here(e, tmp_path / "one")
    run_here(e, tmp_path / "out")
    orphan = tmp_path / "out/runs/shard-00009999.parquet"
    shutil.copy(next((tmp_path / "out/runs").iterdir()), orphan)
    run_here(e, tmp_path / "out")
    assert not orphan.exists()
    assert_same_data(tmp_path / "one", tmp_path / "out")


def test_runs_of_a_shard_that_somebody_removed_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_MOST_RUNS", 5)
    e = tiny(tmp_path, keep={"every": 3})
    run_here(e, tmp_path / "one")
    run_here(e, tmp_path / "out")
    (tmp_path / "out/runs/shard-00000001.parquet").unlink()
    (tmp_path / "out/series/shard-00000002.parquet").write_bytes(b"PAR1")
    for table in ("runs", "series"):
        with pytest.raises(FolderError, match=rf"{table}: a shard is missing or damaged; remove it"):
            getattr(Results(tmp_path / "out"), table)
    (tmp_path / "out/series/shard-00000002.parquet").unlink()
    assert run_here(e, tmp_path / "out").counts.done == 18
    assert_same_data(tmp_path / "one", tmp_path / "out")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda folder: (folder / LEDGER).unlink(), "ledger.sqlite is missing"),
        (
            lambda folder: (folder / LEDGER).write_text("no ledger"),
            r"ledger.sqlite is damaged \(file is not a database",
        ),
        (lambda folder: (folder / LEDGER).write_bytes(b""), "ledger.sqlite is missing or empty"),
        (lambda folder: os.truncate(folder / LEDGER, 8192), r"ledger.sqlite is damaged \("),
        (lambda folder: a_folder(folder / LEDGER), "ledger.sqlite is a folder, where a file should be"),
        (lambda folder: a_folder(folder / "experiment.json"), "experiment.json is a folder, where a file should be"),
        (lambda folder: (folder / "experiment.json").write_text("{"), "experiment.json is damaged"),
        (lambda folder: (folder / "experiment.json").write_text("[]"), "experiment.json is damaged"),
        (lambda folder: (folder / "experiment.json").write_text("[" * 100_000), "experiment.json is damaged"),
    ],
    ids=[
        "no ledger",
        "damaged ledger",
        "empty ledger",
        "half a ledger",
        "ledger a folder",
        "plan a folder",
        "damaged plan",
        "no plan",
        "deep plan",
    ],
)
def test_a_damaged_folder_is_left_alone(break_it: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    run_here(tiny(tmp_path), tmp_path / "out")
    before = shards(tmp_path / "out")
    break_it(tmp_path / "out")
    with pytest.raises(FolderError, match=said):
        run_here(tiny(tmp_path), tmp_path / "out")
    assert shards(tmp_path / "out") == before
    with pytest.raises(FolderError, match=said):
        Results(tmp_path / "out").counts  # noqa: B018


@pytest.mark.parametrize("full", [True, False])
def test_room_is_asked_for_only_where_it_lacks(full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is in the way is named."""
    monkeypatch.setattr("district_sim.run.workers.make_pool", _threads)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC if full else errno.EACCES, "Not now", "out/runs/one")

    monkeypatch.setattr("district_sim.experiments.store._sync", refuse)
    done = CliRunner().invoke(cli.app, ["sweep", "tiny.yaml", *POINTS[:-2], "--replications", "1", "--out", "out"])
    assert done.exit_code == 1, done.output
    assert ("Free some disk space" in done.stderr) == full
    assert ("(out/runs/one)" in done.stderr) != full
    assert "repeat the command to continue" in done.stderr


def test_a_file_in_the_place_of_the_runs_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    run_here(tiny(tmp_path), tmp_path / "out")
    shutil.rmtree(tmp_path / "out/runs")
    (tmp_path / "out/runs").write_text("")
    with pytest.raises(FolderError, match="out/runs is a file, where a folder should be"):
        run_here(tiny(tmp_path), tmp_path / "out")


def test_a_sample_that_other_libraries_draw_otherwise_is_another_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    e = tiny(tmp_path, design="latin_hypercube", samples=3, vary={"strategy.sale": {}})
    run_here(e, tmp_path / "out")
    monkeypatch.setattr("district_sim.experiments.points.unit_sample", lambda _: np.full((3, 1), 0.5))
    with pytest.raises(FolderError, match="points"):
        run_here(e, tmp_path / "out")


def test_a_kill_between_shard_and_ledger_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path)
    run_here(e, tmp_path / "one")

    class Killed(BaseException):
        pass

    def die(made: Made, shard: int | None) -> Any:
        raise Killed

    monkeypatch.setattr("district_sim.experiments.store._ledger_row", die)
    with pytest.raises(Killed):
        run_here(e, tmp_path / "out")
    assert shards(tmp_path / "out") == 1
    assert Results(tmp_path / "out").counts.total == 0
    monkeypatch.undo()
    run_here(e, tmp_path / "out")
    assert_same_data(tmp_path / "one", tmp_path / "out")


# (b) a lost worker --------------------------------------------------------------------------------


def deadly(chunk: Chunk) -> Report:
    """Work that kills its process at one run: once, or whenever it is made if the file `always` exists."""
    one_run = work._one_run

    def one(chunk: Chunk, point: Any, replicate: int, *rest: Any) -> Made:
        if (point.index, replicate) == (1, 2) and (Path("always").exists() or not Path("died").exists()):
            Path("died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return one_run(chunk, point, replicate, *rest)

    work._one_run = one
    try:
        return work_on(chunk)
    finally:
        work._one_run = one_run


@pytest.mark.parametrize("always", [False, True])
def test_a_killed_worker_is_replaced(always: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path)
    run_here(e, tmp_path / "one")
    monkeypatch.setattr(runner, "work_on", deadly)
    if always:
        Path("always").touch()
    summary = run_experiment(e, tmp_path / "out", workers=1)
    assert Path("died").exists()
    if not always:
        assert_same_data(tmp_path / "one", tmp_path / "out")
        return
    assert (summary.counts.done, summary.counts.failed) == (17, 1)
    row = Results(tmp_path / "out").ledger.query("status == 'failed'").iloc[0]
    assert (row["point"], row["replicate"]) == (1, 2)
    assert "killed, twice" in row["error"]
    monkeypatch.undo()
    run_here(e, tmp_path / "out", retry_failed=True)
    assert_same_data(tmp_path / "one", tmp_path / "out")


def test_somebody_elses_executor_that_broke_stops_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures.process import BrokenProcessPool

    def lost(chunk: Chunk) -> Report:
        raise BrokenProcessPool("gone")

    monkeypatch.setattr(runner, "work_on", lost)
    with pytest.raises(WorkerError, match="a worker was lost"):
        run_here(tiny(tmp_path), tmp_path / "out")
    monkeypatch.undo()
    assert run_here(tiny(tmp_path), tmp_path / "out").complete


# (c) runs that fail -------------------------------------------------------------------------------


def test_a_failed_run_is_a_row_and_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tiny.yaml").write_text(TINY)
    line = ["sweep", "tiny.yaml", *POINTS[:-2], "--replications", "2"]
    with monkeypatch.context() as patch:
        make = run_module.initial_state
        patch.setattr("district_sim.run.workers.make_pool", _threads)
        assert CliRunner().invoke(cli.app, [*line, "--out", "one"]).exit_code == 0

        def sometimes(p: Any, seed: int, quarters: int) -> Any:
            if p.firms[0].count == 15:
                raise ZeroDivisionError("no firm to divide by")
            return make(p, seed, quarters)

        patch.setattr(run_module, "initial_state", sometimes)
        patch.setattr("district_sim.experiments.work._pasts", Pasts())  # nothing that the first sweep has kept on disk
        result = CliRunner().invoke(cli.app, [*line, "--out", "out"])
        assert result.exit_code == 3
        assert "8 runs failed" in result.stderr
        again = CliRunner().invoke(cli.app, [*line, "--out", "out"])
        assert again.exit_code == 3, "what failed is not made again unasked"
    found = Results("out")
    failed = found.runs[found.runs["status"] == "failed"]
    assert list(failed["firms.count"]) == [15] * 8
    assert failed["employment"].isna().all()
    assert (found.counts.done, len(found.runs)) == (8, 16)
    assert found.errors() == {"ZeroDivisionError: no firm to divide by": 8}
    assert "in sometimes" in found.ledger["error"].dropna().iloc[0]
    shown = CliRunner().invoke(cli.app, ["results", "out"])
    assert "8 failed: ZeroDivisionError: no firm to divide by" in shown.stderr
    monkeypatch.setattr("district_sim.run.workers.make_pool", _threads)
    assert CliRunner().invoke(cli.app, [*line, "--out", "out", "--retry-failed"]).exit_code == 0
    assert_same_data(Path("one"), Path("out"))


def _threads(workers: int) -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


# (d) a full disk ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """A disk of 240 kB at `disk`, too small for any sweep here; yields a function that changes its size."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(*options: str) -> bool:
        line = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(disk)]
        return shutil.which("mount") is not None and subprocess.run(line, capture_output=True).returncode == 0

    if not mount("size=240k"):
        pytest.skip("needs the right to mount a small disk")

    def resize(size: str) -> None:
        assert mount("remount", f"size={size}")

    yield resize
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_full_disk(small_disk: Callable[[str], None], whole: Path) -> None:
    process = start("disk/out", "--every", "3")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert re.search(r"disk/out: .*(No space left on device|disk is full)", err), err
    assert "repeat the command to continue" in err
    kept = Results("disk/out").counts.done
    assert 0 <= kept < RUNS
    small_disk("20M")
    finish("disk/out", "--every", "3")
    assert_same_data(whole, Path("disk/out"))


@pytest.mark.parametrize("broken", ["shard", "ledger"])
def test_what_cannot_be_written_keeps_what_was(broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = tiny(tmp_path)
    run_here(e, tmp_path / "one")
    monkeypatch.setattr(runner, "_MOST_RUNS", 4)
    calls = 0

    def full(original: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            return original(*arguments)

        return write

    if broken == "shard":
        monkeypatch.setattr(work, "_write", full(work._write))
    else:
        monkeypatch.setattr("district_sim.experiments.store._sync", full(lambda folder: None))
    with pytest.raises(StorageError, match="No space left on device"):
        run_here(e, tmp_path / "out")
    assert Results(tmp_path / "out").counts.done == len(Results(tmp_path / "out").runs) > 0
    monkeypatch.undo()
    assert run_here(e, tmp_path / "out").complete
    assert_same_data(tmp_path / "one", tmp_path / "out")


def test_a_full_ledger_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    class Full:
        """A connection whose transactions fail, as with a full disk."""

        def __init__(self, ledger: sqlite3.Connection) -> None:
            self._ledger = ledger

        def __getattr__(self, name: str) -> Any:
            return getattr(self._ledger, name)

        def __enter__(self) -> Any:
            return self._ledger.__enter__()

        def __exit__(self, *_: Any) -> None:
            self._ledger.rollback()
            raise sqlite3.OperationalError("database or disk is full")

    e = tiny(tmp_path)
    commit = Store.commit

    def failing(store: Store, *arguments: Any) -> None:
        store._ledger = Full(store._ledger)  # type: ignore[assignment]
        commit(store, *arguments)

    monkeypatch.setattr(Store, "commit", failing)
    with pytest.raises(StorageError, match="the ledger could not be written: database or disk is full"):
        run_here(e, tmp_path / "out")
    monkeypatch.undo()
    assert Results(tmp_path / "out").counts.total == 0
    assert run_here(e, tmp_path / "out").complete


# (g) Ctrl-C ---------------------------------------------------------------------------------------


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on() -> None:
    longer = ("--every", "3", "--replications", "150")  # so that it is not over before Ctrl-C
    process = start("out", *longer)
    wait_until(lambda: shards("out") > 0)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    told = re.fullmatch(
        r"Stopped: (\d+) of 1200 runs are done; finished runs are kept in out; repeat the command to continue\n",
        err,
    )
    assert told, err
    assert 0 < int(told[1]) == Results("out").counts.done < 1200
    finish("out", *longer)
    finish("undisturbed", *longer)
    assert_same_data(Path("undisturbed"), Path("out"))


def test_a_long_run_is_given_up_at_the_end_of_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look every few quarters, not between runs."""
    e = tiny(tmp_path, quarters=4000, replications=1, vary={})
    advance, quarters = run_module.advance, []

    def slow(state: Any, p: Any, table: Any, first: int, last: int, *more: Any) -> Any:
        quarters.append(first)
        if len(quarters) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        return advance(state, p, table, first, last, *more)

    monkeypatch.setattr(run_module, "advance", slow)
    summary = run_here(e, tmp_path / "out")
    assert summary.interrupted
    assert summary.counts.total == 0
    assert 3 <= len(quarters) < 20  # of twenty strides
