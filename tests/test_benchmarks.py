"""The benchmarks measure what they say: opponents compute the same, rows and comparisons read as they should."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from naive import barter as naive
from typer.testing import CliRunner, Result

from benchmarks import classroom, compare_commits, fan, others, rows, timing
from benchmarks.c_opponent import VARIANTS, NoCompiler, in_c, library
from benchmarks.compare_commits import changes, loss
from benchmarks.frames_opponent import SETTING, Frames, NotInstalled, bartering, socialising
from benchmarks.knowledge_case import DOMAINS, SEEN, SLOTS, Case, make_case, numpy_socialise
from benchmarks.rows import Row
from benchmarks.timing import Spread
from district_sim.app.futures import Office
from district_sim.model.parameters import parameters_of
from district_sim.run.shared_past import past_of

ROOT = Path(__file__).resolve().parents[1]
CLOSE = {"rtol": 2e-5, "atol": 2e-7}  # single precision, sums of ten


def case(n: int = 203, wiring: str = "rewired") -> Case:
    """Firms with free slots, ties of little trust and firms that know nothing; n is no multiple of any vector."""
    made = make_case(n, wiring, free=0.2)  # type: ignore[arg-type]
    made.trust[:] = np.random.default_rng(2).random(made.trust.shape)
    made.seen["tacit"][:5] = made.seen["norm"][:5] = 0.0
    made.partner[5] = -1
    return made


@pytest.mark.parametrize("wiring", ["local", "rewired"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_c_computes_what_numpy_computes(variant: str, wiring: str) -> None:
    try:
        library()
    except NoCompiler as error:
        pytest.skip(str(error))
    made = case(wiring=wiring)
    in_c(made, variant, threads=2)()
    gained, capacity = numpy_socialise(made)
    assert gained.max() > 1e-3
    np.testing.assert_allclose(made.gained, gained, **CLOSE)
    np.testing.assert_allclose(made.capacity, capacity, **CLOSE)


def test_our_kernel_computes_what_numpy_computes() -> None:
    from benchmarks.knowledge_kernel import ours

    made = case()
    ours(made, copy=True)()
    gained, capacity = numpy_socialise(made)
    np.testing.assert_allclose(made.gained, gained, **CLOSE)
    np.testing.assert_allclose(made.capacity, capacity, **CLOSE)


def test_c_barters_as_we_do() -> None:
    """Other luck, the same rule: after many meetings means and variances agree over runs."""
    from benchmarks import barter

    try:
        barter.in_c(barter.agents(), *barter.network(), 1, 1)
    except NoCompiler as error:
        pytest.skip(str(error))
    ours, theirs = [], []
    for seed in range(12):
        ring = barter.network(seed)
        for out, meet in ((ours, barter.ours), (theirs, barter.in_c)):
            knowledge = barter.agents(seed)
            meet(knowledge, *ring, seed, 100_000)
            of_agents = knowledge.mean(axis=1)
            out.append((of_agents.mean(), of_agents.var()))
    gaps = np.array(theirs) - np.array(ours)
    assert (np.abs(gaps.mean(axis=0)) < 4 * gaps.std(axis=0, ddof=1) / np.sqrt(12)).all()
    assert np.array(ours)[:, 0].min() > 8


def test_mesa_computes_what_numpy_computes() -> None:
    from benchmarks.mesa_socialise import MesaDistrict

    made = make_case(60, "local", free=0.2)
    district = MesaDistrict(made)
    district.step()
    gained, capacity = numpy_socialise(made)
    np.testing.assert_allclose([firm.gained for firm in district.agents], gained, rtol=1e-6)
    np.testing.assert_allclose([firm.capacity for firm in district.agents], capacity, rtol=1e-6)


class Ours:
    """`model.random` with the luck of our barter, meeting by meeting."""

    def __init__(self, seed: int) -> None:
        self.seed, self.meeting, self.ends = seed, -1, 0

    def choice(self, among: list[Any]) -> Any:
        """First who, then whom."""
        self.meeting += self.ends == 0
        word = naive.words(self.seed, self.meeting, 0)[self.ends]
        self.ends = 1 - self.ends
        return among[naive.below(word, len(among))]

    def sample(self, categories: list[int], few: int) -> list[int]:
        return naive.picked(self.seed, self.meeting, categories, few)


def test_mesa_barters_as_we_do() -> None:
    """The same luck, bit by bit the same knowledge."""
    from benchmarks import barter
    from benchmarks.mesa_barter import MesaMarket

    ring, ours = barter.network(count=40), barter.agents(count=40)
    market = MesaMarket(ours, *ring, barter.ALPHA)
    market.random = Ours(seed=3)  # type: ignore[assignment]
    for _ in range(20):
        market.step()
    barter.ours(ours, *ring, 3, 20 * 40)
    np.testing.assert_array_equal([trader.knowledge for trader in market.traders], ours)
    assert (ours != barter.agents(count=40)).mean() > 0.5


@contextmanager
def frames(make: Callable[[], Frames]) -> Iterator[Frames]:
    try:
        model = make()
    except NotInstalled as error:
        pytest.skip(str(error))
    try:
        yield model
    finally:
        model.end()


def test_mesa_frames_computes_what_numpy_computes() -> None:
    made = case()
    with frames(lambda: socialising(made, threads=1)) as district:
        district.step()
        found = district.results()
    gained, capacity = numpy_socialise(made)
    np.testing.assert_allclose(found["gained"], gained, **CLOSE)
    np.testing.assert_allclose(found["capacity"], capacity, **CLOSE)


def test_mesa_frames_barters_as_if_one_by_one() -> None:
    """Meetings drawn as there, made one after the other: bit by bit the same knowledge."""
    from benchmarks import barter

    (start, partner), known, rng = barter.network(count=40), barter.agents(count=40), np.random.default_rng(1)
    with frames(lambda: bartering(known, start, partner, barter.ALPHA)) as market:
        market.step()
        market.start()
        market.step(5)
        found = market.results()["knowledge"]
    for _ in range(5):
        who = rng.integers(40, size=40)
        whom = partner[start[who] + (rng.random(40) * (start[who + 1] - start[who])).astype(np.int64)]
        for i, j, luck in zip(who, whom, rng.random((40, barter.CATEGORIES)), strict=True):
            mine, yours = np.flatnonzero(known[i] > known[j]), np.flatnonzero(known[i] < known[j])
            swapped = min(mine.size, yours.size)
            mine, yours = (among[np.argsort(luck[among])[:swapped]] for among in (mine, yours))
            known[j, mine] += barter.ALPHA * (known[i, mine] - known[j, mine])
            known[i, yours] += barter.ALPHA * (known[j, yours] - known[i, yours])
    np.testing.assert_array_equal(found, known)
    assert (known != barter.agents(count=40)).mean() > 0.3


def test_there_need_not_be_mesa_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import barter

    monkeypatch.setenv(SETTING, str(ROOT / "no_such_python"))
    with pytest.raises(NotInstalled, match=SETTING):
        bartering(barter.agents(), *barter.network(), barter.ALPHA)


def test_others_are_measured_in_units_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small: not how fast, but that every program has its row."""
    for name, size in {"_FIRMS": 200, "_MESA_FIRMS": 50, "_QUICK_MANY": 100, "_QUICK_ROUNDS": 1}.items():
        monkeypatch.setattr(others, name, size)
    found = {one.name.removeprefix("others."): one for one in others.rows(quick=True)}
    of_socialising = {f"socialise.{program}" for program in ("c", "frames", "mesa")}
    assert found.keys() == of_socialising | {f"barter.{program}" for program in ("c", "frames", "mesa", "many")}
    for name in ("socialise.mesa", "barter.mesa"):
        assert (found[name].verdict, version("mesa") in found[name].note) == ("reported", True)
    for one in found.values():
        assert one.verdict == ("reported" if "ours" in one.note else "skipped")
        assert one.note


@pytest.mark.parametrize("wiring", ["local", "rewired"])
def test_every_firm_has_ten_ties_on_both_sides(wiring: str) -> None:
    made = make_case(500, wiring)  # type: ignore[arg-type]
    ends = np.sort(np.stack([np.repeat(np.arange(500), SLOTS), made.partner.ravel()]), axis=0)
    _, times = np.unique(ends, axis=1, return_counts=True)
    assert (times % 2 == 0).all()
    assert (made.partner != np.arange(500)[:, None]).all()
    step = np.abs(made.partner - np.arange(500)[:, None])
    near = np.minimum(step, 500 - step) <= SLOTS // 2
    assert near.all() if wiring == "local" else near.mean() < 0.1


def test_a_record_is_a_cache_line() -> None:
    made = make_case(100, "local")
    assert SEEN.itemsize == 64
    assert made.seen.ctypes.data % 64 == 0
    assert made.gained.shape == (100, DOMAINS)


def row(measured: float | None, **changed: object) -> Row:
    spread = None if measured is None else Spread.exactly(measured)
    return dataclasses.replace(Row("a.b", "A over B", spread), **changed)


@pytest.mark.parametrize(
    ("changed", "verdict", "target"),
    [
        ({"at_most": 1.25}, "not met", "≤ 1.25 ×"),
        ({"at_most": 2.0}, "met", "≤ 2 ×"),
        ({"at_least": 1500}, "not met", "≥ 1,500 ×"),
        ({"at_least": 2.0, "unit": "%"}, "met", "≥ 2 %"),
        ({}, "reported", ""),
    ],
)
def test_a_row_says_whether_its_target_is_met(changed: dict[str, object], verdict: str, target: str) -> None:
    measured = row(2.0, **changed)
    assert (measured.verdict, measured.target) == (verdict, target)
    assert row(None, **changed).verdict == "skipped"
    assert row(None, **changed, broken=True).verdict == "broken"


def test_rows_survive_json() -> None:
    before = [row(2.0, at_most=1.0, note="[/] as it is"), dataclasses.replace(row(None), name="c")]
    text = rows.as_json(before, quick=True)
    assert list(rows.from_json(text).values()) == before
    assert {"processor", "cores", "python", "numba"} <= json.loads(text)["machine"].keys()


def test_markdown_replaces_only_its_block(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"above\n{rows.BEGIN}\nold\n{rows.END}\nbelow\n", encoding="utf-8")
    rows.write_markdown([row(2.0)], False, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("above\n")
    assert text.endswith(f"{rows.END}\nbelow\n")
    assert "| A over B |" in text
    assert "old" not in text
    with pytest.raises(ValueError, match="benchmarks others: begin"):
        rows.write_markdown([row(2.0)], False, page, "others")
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md"):
        rows.write_markdown([row(2.0)], False, page)


def test_the_page_on_performance_has_the_block() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for topic in ("", "others"):
        first, last = rows.markers(topic)
        assert text.index(first) < text.index(last)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")
def test_a_class_plays_and_is_counted() -> None:
    """Two students for a second: not how fast, but that all come, play and go."""
    told = classroom.played(2, 1.0, 1.0, classroom.lesson(1.0))
    assert (len(told.first), len(told.quarters)) == (2, 2)
    assert told.memory > 1 << 20
    found = {one.name: one for one in classroom.class_rows(told, 1.0, 1.0)}
    assert len(found) == 7
    assert found["class.slowest"].measured == min(told.quarters)


def test_a_lesson_has_as_many_steps_as_can_be_played() -> None:
    assert classroom.lesson(10.0).count("kind: run") == 1
    assert classroom.lesson(300.0).count("kind: run") == 2
    rows = classroom.class_rows(classroom.Told([1.0, 4.0], [600.0, 1200.0], [0.5], [0.1], 1 << 30, 3.0, 1), 300.0, 60.0)
    assert [one.verdict for one in rows] == ["not met", "not met", "met", "reported", "met", "met", "not met"]


def test_a_lever_moves_the_fan_and_keeps_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.run.workers.make_pool", lambda workers: ThreadPoolExecutor(1))
    monkeypatch.setattr("district_sim.app.futures._NICE", 0)
    one, other = (fan.moved(turn, **{"firms.count": 30, "run.quarters": 8, "strategy_start": 4}) for turn in (1, 2))
    assert one != other
    assert past_of(parameters_of(one)) == past_of(parameters_of(other))
    office = Office(1)
    try:
        office.warm()
        seconds = fan.redrawn(office, one, runs=6)
    finally:
        office.close()
    assert 1 <= len(seconds) <= 6
    assert seconds == sorted(seconds)


def test_sides_take_turns() -> None:
    order: list[str] = []
    turns = timing.take_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3, shortest=0.0)
    assert order[-6:] == ["a", "b", "b", "a", "a", "b"]
    assert [len(seconds) for seconds in turns.seconds.values()] == [3, 3]


def test_ratios_are_taken_within_turns() -> None:
    turns = timing.Turns({"a": [1.0, 20.0, 3.0], "b": [2.0, 40.0, 6.0], "c": [9.0, 9.0, 9.0]})
    assert turns.ratio("b", "a") == Spread.exactly(2.0)
    assert turns.fastest(("a", "b")) == "a"
    assert turns.spread("c").median == 9.0


@pytest.mark.parametrize(
    ("old", "new", "direction", "lost"),
    [
        (1.0, 1.2, "lower", 0.2),
        (1.2, 1.0, "higher", 0.2),
        (1.0, 0.5, "lower", -0.5),
        (0.0, 0.0, "lower", 0.0),
        (0.0, 3.0, "lower", np.inf),
    ],
)
def test_loss(old: float, new: float, direction: str, lost: float) -> None:
    assert loss(old, new, direction) == pytest.approx(lost)


def test_commits_are_compared_row_by_row() -> None:
    def rounds(*values: float | None, **changed: object) -> list[dict[str, Row]]:
        return [{"a.b": row(value, **changed)} for value in values]

    [change] = changes(rounds(1.0, 1.0, 1.0, at_most=2), rounds(1.3, 1.2, 1.1, at_most=2))
    assert change.loss is not None
    assert change.loss.median == pytest.approx(0.2)
    assert (change.verdict(0.15), change.verdict(0.25)) == ("lost", "kept")
    [missing] = changes([{}, {}], rounds(1.0, 1.0, at_most=2))
    assert missing.verdict(0.15) == "not comparable"
    [broken] = changes(rounds(None, broken=True, note="TypeError"), rounds(1.0, at_most=2))
    assert (broken.verdict(0.15), broken.note) == ("not comparable", "TypeError")
    assert changes(rounds(1.0), rounds(9.0)) == []  # only reported
    assert changes(rounds(None, at_most=2), rounds(None, at_most=2)) == []  # skipped on both


@pytest.mark.parametrize(
    ("after", "code", "said"),
    [(1.1, 0, "kept"), (1.3, 1, "lost"), (None, 1, "nothing could be compared")],
)
def test_the_guard_passes_only_what_it_has_compared(
    after: float | None, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(place: Path, cache: Path, topic: str, quick: bool) -> dict[str, Row]:
        value = 1.0 if place.name == "old" else after
        return {"a.b": row(value, at_most=2, broken=value is None, note="TypeError" if value is None else "")}

    monkeypatch.setattr(compare_commits, "_measure", measure)
    monkeypatch.setattr(compare_commits, "check_out", lambda commits, folder: (folder / "old", folder / "new"))
    result = guard("one", "two", "--only", "kernel")
    assert (result.exit_code, said in result.output) == (code, True)


def test_the_guard_knows_its_topics() -> None:
    result = guard("HEAD", "HEAD", "--only", "kernel,speed")
    assert result.exit_code == 2
    assert "--only speed: choose from kernel, model" in result.output


def guard(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(compare_commits.main)
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_both_commits_are_measured_with_the_same_benchmarks(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    old, new = compare_commits.check_out(("HEAD", "HEAD"), tmp_path)
    texts = [(place / "benchmarks" / "rows.py").read_text(encoding="utf-8") for place in (old, new)]
    assert texts[0] == texts[1]
    assert (old / "district_sim" / "model" / "schedule.py").is_file()
    with pytest.raises(typer.BadParameter, match="there is no commit no_such_commit"):
        compare_commits.check_out(("HEAD", "no_such_commit"), tmp_path)
