"""What several test files share: a folder with a tiny district, and commands that run it in this process."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chromium import left_out
from typer.testing import CliRunner, Result

from district_sim.run import kept_pasts

kept_pasts.cache_folder = None  # what earlier tests have simulated is no part of these: no past is taken from disk
SMALL = "title: Small district\nfirms: {count: 30}\nrun: {quarters: 8}\nstrategy_start: 2\n"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """The last lines: tests that were left out for want of a browser."""
    yield
    skipped = [(report.nodeid, str(report.longrepr)) for report in terminalreporter.stats.get("skipped", [])]
    for line in left_out(skipped):
        terminalreporter.write_line(line)


@pytest.fixture
def small_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of our own with `small.yaml`; no notice of kernels to be compiled.

    Experiments run in a thread here, as each new process would take seconds to start.
    """
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.setattr("district_sim.run.workers.make_pool", lambda workers: ThreadPoolExecutor(1))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


@pytest.fixture
def call(small_folder: Path) -> Callable[..., Result]:
    """The command line, in that folder."""
    from district_sim import cli

    return lambda *arguments: CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "100"})
