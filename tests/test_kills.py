"""Kills at random moments, in small; `python -m tests.kills` does more. Lost workers end in a message."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kills import halves, kills
from typer.testing import Result

from district_sim.run.run import Run
from district_sim.run.whole_files import FolderInUse, hold, is_empty, sweep_up, write_text
from district_sim.run.workers import WorkerError, Workers, stop_signals

type Call = Callable[..., Result]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_commands_leave_nothing_half(tmp_path: Path) -> None:
    from district_sim.run.compiled import is_compiled
    from district_sim.run.workers import compile_first

    is_compiled() or compile_first()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are deaf to it
    try:
        found = kills(4, 1, tmp_path, ("run", "compare"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert not found.failed, "\n".join(found.failed)


def test_halves_are_found(tmp_path: Path) -> None:
    for name in ("a.png", "a.svg", "a.html", "a.json", "a.csv", "a.parquet"):
        (tmp_path / name).write_bytes(b"{")
    (tmp_path / "run.json").write_text("{}")
    said = halves(tmp_path)
    assert len(said) == 7
    assert said[-1].startswith("run.json is there")


# Two in one folder ----------------------------------------------------------------------------------


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    release = hold(tmp_path)
    assert is_empty(tmp_path)
    with pytest.raises(FolderInUse, match=f"another command is writing into this folder .process {os.getpid()} on"):
        hold(tmp_path)
    release()
    assert list(tmp_path.iterdir()) == []
    hold(tmp_path)()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "small.yaml"],
        ["demo"],
        ["verify"],
        ["study", "takeovers"],
        ["replicate", "firms"],
        ["calibrate", "carpi"],
        ["sweep", "small.yaml"],
        ["compare", "small.yaml", "classroom", "--quarters", "8"],
    ],
    ids=lambda words: words[0],
)
def test_a_second_command_is_refused(words: list[str], call: Call, tmp_path: Path) -> None:
    Path("out").mkdir()
    release = hold(Path("out"))
    done = call(*words, "--out", "out")
    release()
    assert done.exit_code == 2, done.output
    assert "is writing into this folder" in done.stderr
    assert done.stderr.count("\n") <= 2
    assert list(Path("out").iterdir()) == []


def test_a_folder_is_let_go_whatever_happens(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("run", "small.yaml", "--out", "out").exit_code == 0
    assert not [path for path in Path("out").iterdir() if path.name.startswith(".")]

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("district_sim.reports.run.write_run", stopped)
    done = call("run", "small.yaml", "--out", "other")
    assert done.exit_code == 130
    assert done.stderr == "Stopped while other was being written; it is not whole\n"
    assert list(Path("other").iterdir()) == []


# A run's folder -------------------------------------------------------------------------------------


def test_run_json_comes_last(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails on the way, a folder that holds it is whole."""
    from district_sim.run import run as module

    done = call("run", "small.yaml", "--out", "whole")
    assert done.stdout.splitlines()[-1].strip() == os.path.join("whole", "run.json")
    names = {path.name for path in Path("whole").iterdir()}
    for number, broken in enumerate(("write_parquet", "write_csv", "write_json")):
        folder = Path(f"broken{number}")
        assert call("run", "small.yaml", "--out", str(folder)).exit_code == 0

        def full(path: Path, *_: object, **__: object) -> Path:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(module, broken, full)
            done = call("run", "small.yaml", "--seed", "1", "--out", str(folder), "--force")
        assert done.exit_code == 1, done.output
        assert done.stderr == f"Error: {folder}: could not be written: No space left on device\n"
        assert not (folder / "run.json").exists(), "the run of seed 0 is not whole any more"
        with pytest.raises(FileNotFoundError, match="holds no complete run"):
            Run.load(folder)
        assert call("run", "small.yaml", "--seed", "1", "--out", str(folder), "--force").exit_code == 0
        assert {path.name for path in folder.iterdir()} == names
        assert Run.load(folder).seed == 1


def test_what_a_killed_process_left_is_swept_up(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("run", "small.yaml", "--out", str(out)).exit_code == 0
    dead, mine = 2**22 + 1, os.getpid()  # no system gives the first number
    left = [f".map.svg.{dead}.part", f".run.json.{dead}.part"]
    kept = [f".map.svg.{os.getppid()}.part", ".notes.part", "map.1.part"]
    for name in (*left, *kept):
        (out / name).write_text("half")
    assert call("run", "small.yaml", "--out", str(out), "--force").exit_code == 0
    assert not [name for name in left if (out / name).exists()]
    assert [name for name in kept if (out / name).exists()] == kept
    for name in (f".a[1].txt.{dead}.part", f".a1.txt.{dead}.part"):
        (out / name).write_text("half")
    write_text(out / "a[1].txt", "whole")
    assert not (out / f".a[1].txt.{dead}.part").exists(), "also where no command has swept"
    assert (out / f".a1.txt.{dead}.part").exists()
    (out / f".b.txt.{mine}.part").write_text("of an earlier process of this number")
    sweep_up(out)
    assert not (out / f".b.txt.{mine}.part").exists()


# Lost workers ---------------------------------------------------------------------------------------


def die(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_lost_worker_is_one_error() -> None:
    with Workers(2) as crew, pytest.raises(WorkerError, match="a worker process was lost"):
        crew.map(die, [1, 2, 3])


@pytest.mark.parametrize(
    "words",
    [
        ["verify"],
        ["study", "takeovers", "--replications", "12"],
        ["replicate", "inverted-u"],
        ["replicate", "cowan-jonard", "--meetings", "10"],
        ["calibrate", "carpi", "--out", "fit"],
        ["policy-report", "small.yaml", "--policies", "rd_subsidy", "--replications", "20", "--out", "r.html"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_commands_end_with_a_message_where_workers_are_lost(
    words: list[str], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> Any:
        raise WorkerError("a worker process was lost")

    monkeypatch.setattr(Workers, "map", lost)
    done = call(*words)
    assert done.exit_code == 1, done.output
    assert done.stderr.splitlines()[-1] == "Error: a worker process was lost"
    assert "Traceback" not in done.output


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs a signal of terminals")
def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup themselves
    try:
        assert set(stop_signals()) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        assert signal.SIGHUP not in stop_signals()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("kind", ["SIGTERM", "SIGHUP"])
def test_other_ways_to_stop_are_like_ctrl_c(kind: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(signal, kind) or sys.platform == "win32":
        pytest.skip("needs signals of POSIX")

    def struck(*_: object, **__: object) -> None:
        os.kill(os.getpid(), getattr(signal, kind))

    monkeypatch.setattr("district_sim.evidence.patterns.verify.verify", struck)
    before = signal.signal(getattr(signal, kind), signal.SIG_DFL)  # the tests may run under nohup themselves
    try:
        done = call("verify", "--out", "out")
        assert (done.exit_code, done.stderr) == (130, "Stopped\n")
        assert signal.getsignal(getattr(signal, kind)) is signal.SIG_DFL
    finally:
        signal.signal(getattr(signal, kind), before)
    assert list(Path("out").iterdir()) == []
