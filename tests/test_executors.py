"""One runner, any executor: Dask with real workers, MPI, and a cluster that does not share the folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweeps import TINY, assert_same_data, run_here, tiny

from district_sim.experiments import runner
from district_sim.run.workers import WorkerError

SWEEP = [sys.executable, "-m", "district_sim", "sweep", "tiny.yaml", "--vary", "strategy.sale=0:0.9:8"]
MORE = ["--replications", "5", "--every", "3", "--quiet"]


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    sales = {"start": 0, "stop": 0.9, "count": 8}
    e = tiny(tmp_path, vary={"strategy.sale": sales}, replications=5, keep={"every": 3})
    run_here(e.model_copy(update={"scenarios": ("tiny.yaml",)}), tmp_path / "whole")
    return tmp_path / "whole"


# Dask ---------------------------------------------------------------------------------------------


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A Dask scheduler and two worker processes on loopback."""
    pytest.importorskip("distributed")
    told = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "0"}
    begin = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    processes = [subprocess.Popen([*dask[:2], "distributed.cli.dask_scheduler", *begin], env=environment, **quiet)]  # type: ignore[call-overload]
    try:
        deadline = time.monotonic() + 300
        while not told.exists():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        work = ["--scheduler-file", str(told), "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        for _ in range(2):
            line = [*dask[:2], "distributed.cli.dask_worker", *work, "--local-directory", str(tmp_path / "dask")]
            processes.append(subprocess.Popen(line, env=environment, **quiet))  # type: ignore[call-overload]
        import json

        yield json.loads(told.read_text())["address"]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_dask_makes_the_same_data(whole: Path, scheduler: str) -> None:
    subprocess.run([*SWEEP, *MORE, "--out", "dask-out", "--dask", scheduler], check=True, timeout=300)
    assert_same_data(whole, Path("dask-out"))


def test_no_scheduler_is_told() -> None:
    pytest.importorskip("distributed")
    from typer.testing import CliRunner

    from district_sim import cli

    result = CliRunner().invoke(cli.app, ["sweep", "baseline", "--out", "a", "--dask", "nonsense"])
    assert result.exit_code == 1
    assert "--dask nonsense: no scheduler with workers answered" in result.stderr
    assert not Path("a").exists()


# MPI ----------------------------------------------------------------------------------------------


def test_mpi_makes_the_same_data(whole: Path) -> None:
    pytest.importorskip("mpi4py")
    start = Path(sysconfig.get_path("scripts")) / "mpiexec"
    launcher = str(start) if start.exists() else shutil.which("mpiexec")
    if launcher is None:
        pytest.skip("needs mpiexec")
    probe = [launcher, "-n", "1", sys.executable, "-c", "import mpi4py.MPI"]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("mpi4py finds no MPI library")
    line = [launcher, "-n", "3", sys.executable, "-m", "mpi4py.futures", *SWEEP[1:], *MORE, "--out", "mpi", "--mpi"]
    subprocess.run(line, check=True, timeout=300)
    assert_same_data(whole, Path("mpi"))


# Clusters that are not set up right ---------------------------------------------------------------


def test_a_worker_that_does_not_see_the_folder_says_so(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    original = runner.work_on

    def elsewhere(chunk):  # type: ignore[no-untyped-def]
        return original(replace(chunk, orders=replace(chunk.orders, work="/not/shared/.work/1")))

    monkeypatch.setattr(runner, "work_on", elsewhere)
    with pytest.raises(
        WorkerError, match=r"does not see /not/shared/.work/1: --out must be a folder that all machines"
    ):
        run_here(tiny(whole.parent), whole.parent / "out")


def test_a_worker_of_another_version_is_refused(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.experiments.work.model_version", lambda *_: {"district_sim": "0.0.1"})
    with pytest.raises(WorkerError, match=r"runs another version \(\{'district_sim': '0.0.1'\}"):
        run_here(tiny(whole.parent), whole.parent / "out")
