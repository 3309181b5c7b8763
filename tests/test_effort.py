"""What is said of time and memory before long work, and what is refused because it cannot fit."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from district_sim.cli import common
from district_sim.run.effort import Effort, effort_of, memory_here, together
from district_sim.run.run import simulate
from district_sim.scenario.files import load_scenario
from district_sim.text.numbers import duration, size

type Call = Callable[..., Result]


def test_effort_grows_with_firms_quarters_and_what_is_kept() -> None:
    def effort(**sets: int) -> Effort:
        return effort_of(load_scenario("baseline", {name.replace("__", "."): value for name, value in sets.items()}))

    small, large = effort(firms__count=1000), effort(firms__count=2000)
    assert large.seconds == pytest.approx(2 * small.seconds)
    longer = effort(firms__count=1000, run__quarters=320)
    settling = load_scenario("baseline").firms.settling
    assert longer.seconds / small.seconds == pytest.approx((320 + settling) / (160 + settling))
    assert longer.bytes == small.bytes
    empty = 2 * small.bytes - large.bytes
    assert empty > 1e8, "a process without firms"
    per_firm = (large.bytes - small.bytes) / 1000
    assert 1500 < per_firm < 4000  # 2,469 bytes were measured on 200,000 firms
    more = effort_of(load_scenario("baseline", {"firms.count": 1000}), kept=7)
    assert 3000 < (more.bytes - small.bytes) / 1000 < 6000


def test_a_snapshot_holds_what_is_estimated() -> None:
    scenario = load_scenario("classroom", {"run.quarters": 8})
    from district_sim.model.parameters import parameters_of
    from district_sim.run.effort import _moment

    run, p = simulate(scenario, every=2), parameters_of(scenario)
    assert len(run.between) == 3
    arrays = run.end._firms.args[1:2] + run.end._ties.args[1:]  # type: ignore[attr-defined]
    kept = sum(array.nbytes for array in arrays) / len(run.end.firms)
    assert kept == pytest.approx(_moment(p), rel=0.2)


def test_runs_together() -> None:
    efforts = [Effort(10.0, 1e9), Effort(20.0, 3e9)]
    assert together(efforts, 100, 4) == Effort(15.0 * 100 / 4, 3e9 * 4)
    assert together(efforts[:1], 2, 4).bytes == 2e9


def test_words() -> None:
    assert [duration(seconds) for seconds in (5, 150, 9000, 200_000)] == [
        "5 seconds", "2.5 minutes", "2.5 hours", "2.3 days",
    ]  # fmt: skip
    assert [size(count) for count in (2e3, 2.5e6, 2.5e9, 2.5e12)] == ["2 kB", "2.5 MB", "2.5 GB", "2.5 TB"]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is small here counts as long work."""
    monkeypatch.setattr(common, "_LONG", 1e-6)


def test_a_run_says_what_it_takes_before_it_begins(call: Call, large: None) -> None:
    done = call("run", "small.yaml", "--out", "out", "--json")
    assert done.stderr.splitlines()[0].startswith("30 firms for 8 quarters and their figures: about 0 seconds and 3")
    assert json.loads(done.stdout)["quarters"] == 8
    assert call("run", "small.yaml", "--quiet").stderr == ""


def test_ordinary_work_needs_no_words(call: Call) -> None:
    assert call("run", "small.yaml").stderr == ""


@pytest.mark.skipif(memory_here() is None, reason="this system does not say how much memory it has")
def test_what_cannot_fit_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.run.effort.memory_here", lambda: 1e9)
    done = call("run", "small.yaml", "--set", "firms.count=1000000", "--out", "out")
    assert done.exit_code == 2
    assert "1,000,000 firms for 8 quarters and their figures: this needs about 1" in done.stderr
    assert "GB of memory; this machine has 1.0 GB; without --out and --animate it needs less" in done.stderr
    for words in (["sweep", "small.yaml", "--vary", "firms.count=30,1000000"], ["compare", "small.yaml", "classroom"]):
        workers = ["--workers", "1" if words[0] == "sweep" else "9", "--quarters", "8", "--replications", "5"]
        done = call(*words, *workers, "--out", "made")
        assert done.exit_code == 2, done.output
        assert "10 runs in all: this needs about" in done.stderr
        assert "try fewer --workers or smaller districts" in done.stderr
        assert not Path("made").exists()


def test_the_first_seconds_say_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with common.progress(100, False, "runs", compiles=False) as advance:
        for done in range(8):
            advance("verifying", 0, done)
            now += 2.0
    assert capsys.readouterr().err == "About 3.1 minutes for 94 more runs.\n"
    with common.progress(10, False, "runs", compiles=False) as advance:
        for done in range(8):
            advance("verifying", 0, done)
            now += 2.0
    assert capsys.readouterr().err == ""
