"""The parts of the page: what a map shows, many futures beside the page, and how both look in a real browser.

Under 40 s with compiled kernels; the browser's part is left out where there is none, unless CI is set.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import CHROMIUM


def _needed(module: str) -> Any:
    """A module of the page's extra; only in continuous integration must it be there."""
    return __import__(module) if os.environ.get("CI") else pytest.importorskip(module)


for name in ("solara", "anywidget"):
    _needed(name)

from district_sim.app.charts import Line, _packed  # noqa: E402
from district_sim.app.district_map import Frame, colours_of_firms, differing, frame_of  # noqa: E402
from district_sim.app.fan_chart import _probabilities  # noqa: E402
from district_sim.app.futures import FIRST, Fan, Office, Outcome  # noqa: E402
from district_sim.figures import layout  # noqa: E402
from district_sim.figures.maps import CONTROLS  # noqa: E402
from district_sim.kernels.draws import replicate_seed  # noqa: E402
from district_sim.mesa_model.district import District  # noqa: E402
from district_sim.model.state import TRAITS  # noqa: E402
from district_sim.run.run import simulate  # noqa: E402
from district_sim.run.snapshot import Snapshot  # noqa: E402
from district_sim.run.trajectories import Trajectory  # noqa: E402
from district_sim.scenario.files import load_scenario  # noqa: E402
from district_sim.scenario.sections import Scenario  # noqa: E402

LIVELY = {
    "firms.count": 60,
    "run.quarters": 30,
    "strategy_start": 2,
    "firms.group_share": 0.2,
    "ownership.takeover": 0.1,
    "agency.contribution": 0.02,
}


def lively(quarters: int = 12, **overrides: Any) -> District:
    """A small district in which all that a map shows happens."""
    district = District("baseline", seed=4, **LIVELY | {k.replace("__", "."): v for k, v in overrides.items()})
    for _ in range(quarters):
        district.step()
    return district


@pytest.fixture(scope="module")
def district() -> District:
    return lively()


@pytest.fixture(scope="module")
def frame(district: District) -> Frame:
    return frame_of(district)


# The map's frame ------------------------------------------------------------------------------------


def test_a_frame_tells_of_firms_what_the_agents_tell(district: District, frame: Frame) -> None:
    controls = Snapshot.of(district.state).firms["control"]
    assert len(frame.firm) == len(district.firms) > 30
    assert len(set(frame.control.tolist())) > 2  # the district is lively enough for the test to mean something
    for i, firm in enumerate(district.firms):
        assert frame.firm[i] == firm.unique_id
        assert (frame.x[i], frame.y[i]) == firm.pos
        assert frame.employees[i] == np.float32(firm.employees)
        assert (frame.phase[i], frame.technology[i]) == (firm.phase, firm.technology)
        assert bool(frame.participant[i]) == firm.participates
        assert list(CONTROLS)[frame.control[i]] == controls[firm.unique_id]
        assert np.array_equal(frame.tacit[i], firm.tacit)
        assert np.array_equal(frame.codified[i], firm.codified)
        assert frame.conduct[i].tolist() == pytest.approx(list(firm.conduct.values()))
        assert frame.position(firm.unique_id) == i
    closed = set(range(int(district.state.clock.rows[0]))) - set(frame.firm.tolist())
    assert closed
    assert all(frame.position(row) is None for row in closed)


def test_a_frame_tells_of_links_what_the_agents_tell(district: District, frame: Frame) -> None:
    shown = {
        (int(frame.firm[a]), int(frame.firm[b])): trust
        for (a, b), trust in zip(frame.ties, frame.trust.tolist(), strict=True)
    }
    told = {
        (one.unique_id, other.unique_id): one.trust_in(other)
        for one in district.firms
        for other in one.partners
        if one.unique_id < other.unique_id
    }
    assert shown == told
    far = sorted((int(frame.firm[i]), int(node)) for i, node in frame.pipelines)
    assert far == sorted((firm.unique_id, pipe.node) for firm in district.firms for pipe in firm.pipelines)
    assert far
    assert frame.capability == district.agency.capability
    assert frame.collective.tolist() == pytest.approx(district.agency.pipelines.tolist())


def test_looking_changes_nothing() -> None:
    watched = lively(0)
    while watched.running:
        frame_of(watched).packed()
        watched.step()
    alone = simulate(watched.scenario, watched.seed).indicators
    assert np.array_equal(watched.indicators.to_numpy(), alone.to_numpy(), equal_nan=True)


def test_a_frame_stays_as_it_was_when_the_district_goes_on() -> None:
    district = lively(3)
    frame = frame_of(district)
    before = frame.packed()
    district.step()
    assert frame.packed() == before != frame_of(district).packed()


def test_the_same_district_differs_nowhere_and_another_where_it_differs(frame: Frame) -> None:
    other = lively()
    assert differing(frame, frame_of(other)) == frozenset()
    changed, gone = list(other.firms)[5:7]
    changed.technology = 1 - min(1, changed.technology)
    gone.remove()
    assert differing(frame, frame_of(other)) == {changed.unique_id, gone.unique_id}


def test_colours_of_firms_are_those_of_phases_control_technology_and_every_trait() -> None:
    meant = colours_of_firms(5)
    assert list(meant) == ["phase", "control", "technology", *(f"conduct_{trait}" for trait in TRAITS)]
    for key, look in meant.items():
        if key.startswith("conduct_"):
            assert TRAITS[look["trait"]] == key.removeprefix("conduct_")
            assert look["low"] < look["high"]
            assert len(look["labels"]) == 2
        else:
            assert len(look["colours"]) == len(look["labels"])
            assert look["of"] in Frame.__dataclass_fields__


def test_a_band_as_long_as_another_line_is_refused() -> None:
    with pytest.raises(ValueError, match="'trust' must have 3 values"):
        _packed([Line("trust", [1.0, 2.0, 3.0], bands=(([0.0, 1.0], [2.0, 3.0]),))])


# The futures ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Scenario:
    return load_scenario("classroom", {"firms.count": 30, "run.quarters": 8, "strategy_start": 2})


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office whose one worker is a thread of ours: a process takes seconds to start."""
    monkeypatch.setattr("district_sim.app.futures.compile_first", lambda: None)
    monkeypatch.setattr("district_sim.app.futures._NICE", 0)
    monkeypatch.setattr("district_sim.run.workers.make_pool", lambda workers: ThreadPoolExecutor(1))
    office = Office(1)
    office.warm()
    yield office
    office.close()


def test_futures_are_single_runs_with_the_seeds_of_the_replicates(office: Office, small: Scenario) -> None:
    *_, fan = office.compute(small, seed=7, runs=6)
    assert (fan.runs, fan.complete) == (6, True)
    for replicate, (indicators, label) in enumerate(fan.outcomes):
        run = simulate(small, replicate_seed(7, replicate))
        assert np.array_equal(indicators, run.indicators.to_numpy(), equal_nan=True)
        assert label == run.trajectory


def test_what_is_shown_first_is_the_beginning_of_what_is_shown_last(office: Office, small: Scenario) -> None:
    fans = list(office.compute(small, runs=10))
    assert fans[0].runs >= FIRST
    assert fans[-1].runs == 10
    for fan in fans:
        assert fan.outcomes == fans[-1].outcomes[: fan.runs]
    assert len(list(office.compute(small, runs=2))) == 1  # fewer than FIRST are enough where no more are wanted


def test_a_cancelled_computation_ends_at_once_and_the_next_one_is_not_kept_waiting(
    office: Office, small: Scenario
) -> None:
    long = load_scenario("baseline", {"run.quarters": 400})
    slow, quick = office.compute(long, runs=1000), office.compute(small, runs=4)
    slow.cancel()
    assert list(slow) == []
    *_, fan = quick
    assert fan.complete
    assert slow.known < 10


def test_visitors_who_ask_for_the_same_share_the_runs(office: Office, small: Scenario) -> None:
    same = small.model_validate(small.model_dump())
    asked = [office.compute(scenario, seed=3, runs=runs) for scenario, runs in ((small, 9), (same, 9), (same, 5))]
    ends = [list(one)[-1] for one in asked]
    assert office.made == 9
    assert [fan.runs for fan in ends] == [9, 9, 5]
    assert ends[0].outcomes == ends[1].outcomes
    assert ends[2].outcomes == ends[0].outcomes[:5]
    assert [fan.runs for fan in office.compute(same, seed=3, runs=9)] == [9]  # at once, from memory
    assert office.made == 9


def test_who_leaves_takes_nothing_from_those_who_wait_and_what_is_known_stays(office: Office, small: Scenario) -> None:
    going, staying = office.compute(small, seed=4, runs=12), office.compute(small, seed=4, runs=12)
    following = iter(going)
    next(following)
    following.close()
    *_, fan = staying
    assert fan.complete
    assert office.made == 12
    left = office.compute(small, seed=5, runs=1000)
    next(iter(left))
    left.cancel()
    known = left.known
    *_, fan = office.compute(small, seed=5, runs=known)
    assert fan.runs == known >= FIRST


def test_what_is_remembered_is_bounded(office: Office, small: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.app.futures.MOST_KEPT", 3)
    for seed in range(8):
        list(office.compute(small, seed=seed, runs=2))
    assert len(office._known) == 3
    monkeypatch.setattr("district_sim.app.futures.MOST_BYTES_KEPT", 0)
    list(office.compute(small, seed=9, runs=2))
    assert not office._known


def test_a_fan_with_a_shared_past_has_the_same_bits(office: Office) -> None:
    for research in (1.0, 2.0, 3.0):
        settings = {"firms.count": 30, "run.quarters": 12, "strategy_start": 6, "strategy.research": research}
        scenario = load_scenario("baseline", settings)
        *_, fan = office.compute(scenario, runs=3)
        for replicate, (indicators, label) in enumerate(fan.outcomes):
            alone = simulate(scenario, replicate_seed(0, replicate))
            assert np.array_equal(indicators, alone.table, equal_nan=True)
            assert label == alone.trajectory


def test_computations_take_turns(office: Office, small: Scenario) -> None:
    first, second = office.compute(small, runs=60), office.compute(small, runs=5)
    *_, fan = second
    assert fan.complete
    assert first.known < 60
    first.cancel()


def test_a_run_that_fails_is_told(office: Office, small: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.app.futures.score", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(office.compute(small))
    with pytest.raises(ValueError, match="at least 1, not 0"):
        office.compute(small, runs=0)


def test_after_a_worker_was_killed_everybody_is_told_and_the_next_has_new_workers(
    office: Office, small: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = office.compute(small, runs=1000)

    def broken(*_: object) -> None:
        raise BrokenProcessPool("a worker was killed")

    monkeypatch.setattr(office._crew[0]._executor, "submit", broken)
    for told in (office.compute(small), waiting):
        with pytest.raises(BrokenProcessPool):
            list(told)
    *_, fan = office.compute(small, runs=4)
    assert fan.complete


def test_probabilities_and_bands_by_hand(small: Scenario) -> None:
    table = np.zeros((2, 100))
    labels = [Trajectory.DECLINE, Trajectory.DECLINE, Trajectory.DECLINE, Trajectory.FRAGMENTATION, Trajectory.DECLINE]
    fan = Fan(small, tuple(Outcome(table + i, label) for i, label in enumerate(labels)), 50)
    found = {p.trajectory: p for p in fan.probabilities}
    assert list(found) == list(Trajectory)
    decline = found[Trajectory.DECLINE]
    assert (decline.runs, decline.share) == (4, 0.8)
    assert (decline.low, decline.high) == pytest.approx((0.3755, 0.9638), abs=1e-3)  # Wilson 1927 for 4 of 5
    assert fan.quantiles("firms", (0.0, 0.5, 1.0))[:, 0].tolist() == [0.0, 2.0, 4.0]
    assert not fan.complete


def test_a_fan_of_what_is_undefined(small: Scenario) -> None:
    """Quarters in which some runs tell nothing have the quantiles of the others; runs without a label are counted."""
    tables = [np.full((2, 100), value) for value in (1.0, 3.0, np.nan)]
    fan = Fan(small, tuple(Outcome(table, None) for table in tables), 3)
    assert fan.quantiles("wage", (0.5,))[0].tolist() == [2.0, 2.0]
    content = _probabilities(fan, True, 3)
    json.dumps(content, allow_nan=False)
    assert "3 have no label" in content["below"]
    assert {bar["text"] for bar in content["bars"]} == {"–"}


ORPHANS = """
import os, sys, time
from district_sim.app.futures import Office
from district_sim.scenario.files import load_scenario
if __name__ == "__main__":
    office = Office(1)
    office.warm()
    office.compute(load_scenario("baseline", {"run.quarters": 400}), runs=1000)
    print(*office._crew[0]._executor._processes, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_workers_end_with_the_server(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(ORPHANS)
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    server = subprocess.Popen([sys.executable, tmp_path / "server.py"], stdout=subprocess.PIPE, env=environment)
    try:
        assert server.stdout is not None
        workers = server.stdout.readline().split()
        assert workers
        server.send_signal(signal.SIGKILL)
    finally:
        server.kill()
        server.communicate()
    end = time.monotonic() + 120
    while any(_runs(worker) for worker in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(_runs(worker) for worker in workers)


def _runs(worker: bytes) -> bool:
    try:
        return Path(f"/proc/{int(worker)}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# In the browser -------------------------------------------------------------------------------------

APP = """
import solara
from district_sim.app.charts import Line, ScoreBars, TimeSeries
from district_sim.app.district_map import DistrictMap, frame_of
from district_sim.app.fan_chart import FanOfFutures
from district_sim.mesa_model.district import District
from district_sim.scenario.files import load_scenario

from district_sim.app.server import stay_at_home

stay_at_home()
SMALL = {"firms.count": 30, "run.quarters": 8, "strategy_start": 2}

@solara.component
def Page():
    district = solara.use_memo(lambda: District("classroom", seed=1, **SMALL), [])
    quarter, set_quarter = solara.use_state(0)
    chosen, choose = solara.use_state(None)
    drawn, set_drawn = solara.use_state(-1)
    size, set_size = solara.use_state(7.5)
    scenario = solara.use_memo(lambda: load_scenario("classroom", SMALL | {"firms.size_mean": size}), [size])

    def step():
        district.step()
        set_quarter(district.quarter)

    solara.Button("step", on_click=step)
    solara.Button("lever", on_click=lambda: set_size(30.0))
    solara.Text(f"chosen {chosen}, drawn {drawn}")
    frame = solara.use_memo(lambda: frame_of(district), [quarter])
    DistrictMap(frame, selected=chosen, on_select=choose, on_drawn=set_drawn, differences=frozenset([0]))
    trust = district.indicators["trust"].to_numpy()
    TimeSeries([Line("trust", trust)], title="Trust", unit="0 to 1", quarters=8, marks=[(2, "strategy")])
    ScoreBars(district.scores if quarter > 1 else None)
    FanOfFutures(scenario, runs=6)
"""
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    _needed("playwright")
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[str]:
    """A server with the parts on a page."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "app.py").write_text(APP)
    port = _free_port()
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "solara", "run", "app.py", "--no-open", "--production", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": path, "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 300
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < end:
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(120)


HANDLED = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
"""Waits until the page has heard what was done before, however busy the machine is."""


class Visit:
    """A page that is open, and what it complained of or asked others for."""

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1200, "height": 1400}, **settings)
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._look)
        self.page.on("websocket", self._look)
        self.page.goto(address)
        self.map = self.page.locator(".ds-map-pointed")
        self.page.wait_for_selector(".ds-map-pointed[aria-label]", timeout=300_000)

    def _look(self, request: Any) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", request.url):
            self.outside.append(request.url)

    def waits_for(self, text: str) -> None:
        self.page.get_by_text(re.compile(text)).first.wait_for(timeout=300_000)


@pytest.fixture(scope="module")
def visit(browser: Any, address: str) -> Visit:
    return Visit(browser, address)


def test_the_map_is_drawn_and_follows_the_district(visit: Visit) -> None:
    assert "after quarter 0: 30 firms" in visit.map.get_attribute("aria-label")
    for quarter in (1, 2):
        visit.page.get_by_role("button", name="step").click()
        visit.waits_for(f"drawn {quarter}$")
    assert "after quarter 2:" in visit.map.get_attribute("aria-label")
    painted = """canvas => new Set(new Uint32Array(
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    for layer in (".ds-map-links", ".ds-map-firms"):
        assert visit.page.locator(layer).evaluate(painted) > 20, layer


def test_the_keyboard_moves_among_firms_and_selects(visit: Visit) -> None:
    heard = visit.page.locator(".ds-map-heard")
    visit.map.focus()
    said = []
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp"):
        visit.page.keyboard.press(key)
        visit.page.wait_for_function("before => document.querySelector('.ds-map-heard').textContent !== before",
                                     arg=said[-1] if said else "")  # fmt: skip
        said.append(heard.text_content())
    firm = re.match(r"Firm (\d+): phase \d of \d", said[-1])
    assert firm
    assert "employees" in said[-1]
    assert "knows: tacit" in said[-1]
    assert "chooses: R&D drive" in said[-1]
    visit.page.keyboard.press("Enter")
    visit.waits_for(f"chosen {firm[1]},")
    assert visit.page.locator(".ds-map-tip").is_visible()
    assert said[-1].startswith(visit.page.locator(".ds-map-tip b").text_content())
    visit.page.keyboard.press("Enter")
    visit.waits_for("chosen None,")
    visit.page.keyboard.press("Escape")
    visit.page.locator(".ds-map-tip").wait_for(state="hidden")


def test_the_pointer_tells_who_a_firm_is_and_a_click_selects_it(visit: Visit) -> None:
    visit.map.focus()
    visit.page.keyboard.press("ArrowRight")
    tip = visit.page.locator(".ds-map-tip")
    name = tip.locator("b").text_content()
    visit.map.blur()
    tip.wait_for(state="hidden")
    box = visit.map.bounding_box()
    for dx in range(-200, 201, 8):  # somewhere in the middle of the map there is a firm
        visit.page.mouse.move(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 - 20)
        visit.page.evaluate(HANDLED)
        if tip.is_visible():
            break
    name = tip.locator("b").text_content()
    firm = re.match(r"Firm (\d+):", name)
    assert firm
    visit.page.mouse.down()
    visit.page.mouse.up()
    visit.waits_for(f"chosen {firm[1]},")


def _ties_told(visit: Visit) -> str:
    """How many ties the firm has that is pointed at."""
    ties = re.search(r"(\d+) local ties", str(visit.page.locator(".ds-map-tip").text_content()))
    return ties[1] if ties else "0"


def test_every_view_shows_the_ties_of_one_firm_only(browser: Any, address: str) -> None:
    own = Visit(browser, address)
    painted = """canvas => new Set(new Uint32Array(
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    tip, seen, firms = own.page.locator(".ds-map-tip"), set(), own.page.locator(".ds-map-firms")
    for view, (title, words) in layout.VIEWS.items():
        own.page.get_by_role("radio", name=title, exact=True).check()
        own.page.wait_for_selector(f".ds-map-pointed[data-view={view}][data-ties='0']", timeout=300_000)
        assert own.page.locator(".ds-map-says").text_content() == words
        assert f"Map of the district, {title.lower()}" in str(own.map.get_attribute("aria-label"))
        for layer in (".ds-map-links", ".ds-map-firms"):
            assert own.page.locator(layer).evaluate(painted) > 20, (view, layer)
        end = time.monotonic() + 60
        while (picture := firms.evaluate("canvas => canvas.toDataURL()")) in seen and time.monotonic() < end:
            own.page.evaluate(HANDLED)  # a busy server may draw what it knew once more
        seen.add(picture)
        own.map.focus()
        own.page.keyboard.press("ArrowRight")
        tip.wait_for()
        own.page.wait_for_selector(f".ds-map-pointed[data-ties='{_ties_told(own)}']", timeout=60_000)
        own.page.keyboard.press("Escape")
        tip.wait_for(state="hidden")
    assert len(seen) == 3, [len(picture) for picture in seen]
    assert own.errors + own.outside == []
    own.page.close()


def test_a_finger_shows_the_ties_of_the_firm_that_it_touches(browser: Any, address: str) -> None:
    own = Visit(browser, address, has_touch=True)
    box = own.map.bounding_box()
    for k in range(900):  # somewhere in the middle of the map there is a firm
        across, down = 0.3 + 0.01 * (k % 30), 0.4 + 0.01 * (k // 30)
        own.page.touchscreen.tap(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
        own.page.evaluate(HANDLED)
        if own.page.locator(".ds-map-tip").is_visible():
            break
    own.page.wait_for_selector(f".ds-map-pointed[data-ties='{_ties_told(own)}']", timeout=60_000)
    own.page.touchscreen.tap(box["x"] + 5, box["y"] + 60)
    own.page.locator(".ds-map-tip").wait_for(state="hidden", timeout=60_000)
    assert own.errors == []
    own.page.close()


def test_charts_say_what_they_show(visit: Visit) -> None:
    chart = visit.page.get_by_role("img", name=re.compile(r"^Trust \(0 to 1\), quarter 2: trust 0\.\d+"))
    assert chart.count() == 1
    scores = visit.page.get_by_role("img", name=re.compile(r"^Where the district is heading"))
    assert "Collective entrepreneurship 0." in scores.get_attribute("aria-label")
    assert "by takeover" in scores.get_attribute("aria-label")


def test_a_lever_draws_the_fan_anew(visit: Visit) -> None:
    visit.waits_for("^6 of 6 runs")
    ends = visit.page.get_by_role("img", name=re.compile("^How it may end"))
    assert re.search(r"\d+ % \(\d+ to \d+ %\)", ends.get_attribute("aria-label"))
    before = visit.page.get_by_role("img", name=re.compile("^Employees")).get_attribute("aria-label")
    visit.page.get_by_role("button", name="lever").click()
    visit.waits_for("^6 of 6 runs")
    visit.page.wait_for_function(
        """before => ![...document.querySelectorAll('canvas')].some(
            canvas => canvas.getAttribute('aria-label') === before)""",
        arg=before,
    )


def test_two_visits_share_nothing_and_nobody_else_is_asked(visit: Visit, browser: Any, address: str) -> None:
    other = Visit(browser, address)
    assert "after quarter 0: 30 firms" in other.map.get_attribute("aria-label")
    assert "after quarter 2:" in visit.map.get_attribute("aria-label")
    other.page.close()
    assert visit.outside + other.outside == []
    assert visit.errors + other.errors == []
