"""A sweep as one page: its numbers against numpy's, the command, and the page in a browser, from the disk.

Time budget: 60 s.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import CHROMIUM
from sweeps import TINY, run_here, tiny
from typer.testing import Result

from benchmarks.explore import EXAMPLE
from district_sim.experiments import Results
from district_sim.figures.style import TRAJECTORY_COLOURS
from district_sim.reports.explore import MOST_BYTES, QUANTILES, Asked, _short, expected_bytes, page, payload
from district_sim.reports.pages import _hash, _source
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES

type Call = Callable[..., Result]
MARK = "</script><script>document.title='owned'</script>"
INDICATORS = ("employment", "wage", "unemployment")
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Twelve points of three runs; where all firms close there is no wage."""
    folder = tmp_path_factory.mktemp("explore")
    vary = {"demography.exit": [0.0, 0.05, 1.0], "strategy.sale": [0.0, 0.06], "mechanisms.takeover": [False, True]}
    run_here(tiny(folder, vary=vary, quarters=8, keep={"every": 3}, seed=5), folder / "out")
    return Results(folder / "out")


@pytest.fixture(scope="module")
def data(results: Results) -> dict[str, Any]:
    return payload(results, INDICATORS)


# Numbers ------------------------------------------------------------------------------------------


def test_quantiles_are_those_of_the_runs(results: Results, data: dict[str, Any]) -> None:
    series = results.series
    assert data["moments"] == [f"after {quarter} quarters" for quarter in (3, 6, 8)]
    for name, decimals, own in zip(INDICATORS, (0, 2, 3), data["bands"], strict=True):
        found = np.array(own["quantiles"], dtype=float).reshape(len(QUANTILES), len(results.points), 3)
        for point in range(len(results.points)):
            for moment, quarter in enumerate((3, 6, 8)):
                runs = series[(series["point"] == point) & (series["quarter"] == quarter)][name].to_numpy()
                assert len(runs) == 3
                known = runs[~np.isnan(runs)]
                expected = np.quantile(known, QUANTILES) if len(known) else np.full(len(QUANTILES), np.nan)
                np.testing.assert_allclose(found[:, point, moment], expected, rtol=1e-4, atol=10.0 ** -(decimals + 1))


def test_what_is_undefined_is_null_and_counted(results: Results, data: dict[str, Any]) -> None:
    died = [point.index for point in results.points if point.settings["demography.exit"] == 1.0]
    wage, employment = data["bands"][1], data["bands"][0]
    last = [3 * point + 2 for point in died]
    assert [wage["quantiles"][2][at] for at in last] == [None] * len(died)
    assert [wage["known"][at] for at in last] == [0] * len(died)
    assert [employment["quantiles"][2][at] for at in last] == [0] * len(died), "nobody works: that is known"
    assert employment["known"] is None
    assert [data["died"][at] for at in last] == [3] * len(died)
    assert data["died"][2] == 0
    assert "NaN" not in json.dumps(data)


def test_every_run_has_one_label(results: Results, data: dict[str, Any]) -> None:
    counts = np.array(data["labels"])
    assert counts.shape == (12, len(Trajectory) + 1)
    assert counts.sum(axis=1).tolist() == data["runs"] == [3] * 12
    for point in range(12):
        own = results.runs[results.runs["point"] == point]["trajectory"]
        expected = [int((own == trajectory.value).sum()) for trajectory in Trajectory]
        assert counts[point].tolist() == [*expected, int(own.isna().sum())]
        shares = counts[point, :-1] / counts[point, :-1].sum()
        assert shares.sum() == pytest.approx(1.0)


def test_futures_look_as_in_figures(data: dict[str, Any]) -> None:
    assert [one["name"] for one in data["futures"]] == [TRAJECTORY_NAMES[trajectory] for trajectory in Trajectory]
    assert [one["colour"] for one in data["futures"]] == [TRAJECTORY_COLOURS[trajectory] for trajectory in Trajectory]
    assert len({one["letter"] for one in data["futures"]}) == len(Trajectory)


def test_levers_know_the_value_of_the_scenario(data: dict[str, Any]) -> None:
    exits, sale, takeover = data["levers"]
    assert (exits["values"], exits["own"]) == (["0", "0.05", "1"], None)
    assert (sale["values"], sale["own"], sale["own_value"]) == (["0", "0.06"], 1, "0.06")
    assert (takeover["values"], takeover["own"]) == (["false", "true"], 1)


def test_runs_that_ended_early_are_no_zeros(tmp_path: Path) -> None:
    lengths = {"run.quarters": [4, 8], "strategy.sale": [0.0, 0.5]}
    run_here(tiny(tmp_path, vary=lengths, replications=2, keep={"every": 4}), tmp_path / "out")
    data = payload(Results(tmp_path / "out"), ["employment"])
    assert data["last"] == [0, 0, 1, 1]
    assert data["left"] == [2, 0, 2, 0, 2, 2, 2, 2]
    assert data["bands"][0]["quantiles"][2][1] is None
    assert data["bands"][0]["known"] is None


# Size ---------------------------------------------------------------------------------------------


def test_three_levers_of_five_values_fit() -> None:
    assert expected_bytes(125, 160, 4, 12) < MOST_BYTES


def test_a_page_is_not_larger_than_expected(results: Results) -> None:
    text = page(results, Asked(results.experiment.scenarios[0], INDICATORS, ()))
    assert len(text.encode()) <= expected_bytes(12, 8, 3, len(INDICATORS))
    rng = np.random.default_rng(0)
    for decimals, most in ((5, 1.0), (4, 20.0), (2, 3000.0), (2, 90_000.0)):  # shares, wages, employees, value added
        numbers = [_short(value, decimals) for value in rng.uniform(0.0, most, 2000).tolist()]
        assert len(json.dumps(numbers, separators=(",", ":"))) <= 8 * len(numbers)


# Command ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(small_folder: Path) -> Path:
    (small_folder / "tiny.yaml").write_text(TINY.replace("title: Tiny", f'title: "{MARK}"'))
    (small_folder / "tiny.md").write_text(f"## Notes\n\n{MARK} ![x](https://example.org/x.png)\n")
    return small_folder


LEVERS = ("--vary", "strategy.sale=0,0.5", "--vary", "demography.exit=0:1:2")


def test_the_command_as_a_user_calls_it(folder: Path, call: Call) -> None:
    result = call("explore", "tiny.yaml", *LEVERS, "--replications", "2", "--out", "page.html", "--data", "runs")
    assert result.exit_code == 0, result.output
    assert "4 points of 2 runs each" in result.stdout
    text = Path("page.html").read_text(encoding="utf-8")
    assert call("results", "runs").exit_code == 0
    again = call("explore", "tiny.yaml", *LEVERS, "--replications", "2", "--out", "page.html", "--data", "runs", "-q",
                 "--force")  # fmt: skip
    assert (again.exit_code, again.output) == (0, "")
    assert Path("page.html").read_text(encoding="utf-8") == text, "the same runs, the same bytes"
    for told in ("district-sim explore tiny.yaml", "--vary strategy.sale=0,0.5", "--replications 2", "--seed 0"):
        assert told in text
    assert {path.name for path in folder.iterdir()} >= {"page.html", "runs"}


def test_nothing_of_a_user_can_run(folder: Path, call: Call) -> None:
    assert call("explore", "tiny.yaml", *LEVERS, "--replications", "1", "--out", "page.html", "-q").exit_code == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>", text) == ['<script type="application/json" id="data">', "<script>"]
    assert text.count("</script>") == 2
    assert "<img" not in text
    assert not re.search(r"\b(src|style|on[a-z]+)=", text), "nothing to fetch, no style or program in an attribute"
    program, sheet = re.search(r"<script>(.*?)</script>", text, re.S), re.search(r"<style>(.*?)</style>", text, re.S)
    assert program is not None
    assert sheet is not None
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|fetch\(", program[1])
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    told = policy[1].replace("&#39;", "'")
    assert told.startswith("default-src 'none'; ")
    assert f"script-src '{_hash(program[1])}'; style-src '{_hash(sheet[1])}'" in told
    assert "unsafe" not in told


def test_a_dry_run_leaves_nothing(folder: Path, call: Call) -> None:
    before = set(folder.iterdir())
    result = call("explore", "tiny.yaml", *LEVERS, "--replications", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "4 points x 2 replications: 8 runs" in result.stdout
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--vary strategy.sael=0,0.5", "did you mean 'strategy.sale'"),
        ("--vary strategy.sale=0:2:3", "must be a number between 0 and 1"),
        ("--vary strategy.sale", "needs values"),
        ("--vary strategy.sale=0:", "write it as path=a,b,c or path=start:stop:count"),
        ("--vary strategy.sale=0,0.5 --vary strategy.sale=0,1", "--vary strategy.sale: given twice"),
        ("--vary strategy.sale=0,0.5 --indicators emplyment", "did you mean 'employment'"),
        ("--vary strategy.sale=0,0.5 --indicators employment_late", "there is no indicator 'employment_late'"),
        ("--vary strategy.sale=0,0.5 --indicators ,", "name at least one indicator"),
        ("--vary strategy.sale=0,0.5 --out page.pdf", "name a file that ends in .html"),
        ("--vary strategy.sale=0,0.5 --out there.html", "there.html exists"),
        ("--vary strategy.sale=0,0.5 --every 0", "than or equal to 1"),
        ("--vary strategy.sale=0:0.9:100 --vary strategy.research=0.1:1:100", "a page has at most 5.2 MB"),
        ("--vary strategy.sale=0,0.5 --seed -1", "--seed must be between 0"),
    ],
)
def test_bad_input_is_answered(arguments: str, told: str, folder: Path, call: Call) -> None:
    (folder / "there.html").write_text("mine")
    before = set(folder.iterdir())
    out = [] if "--out" in arguments else ["--out", "page.html"]
    result = call("explore", "tiny.yaml", *arguments.split(), *out)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert set(folder.iterdir()) == before
    assert (folder / "there.html").read_text() == "mine"


def test_a_page_needs_a_name(folder: Path, call: Call) -> None:
    result = call("explore", "tiny.yaml", *LEVERS)
    assert result.exit_code == 2
    assert "--out FILE: name the page (--dry-run needs none)" in result.stderr


def test_the_example_of_the_documents_is_small_and_of_this_program() -> None:
    example = EXAMPLE.read_text(encoding="utf-8")
    assert len(example.encode()) < 2**20
    for name in ("explore.js", "explore.css"):
        assert _source(name) in example, "make it again: docs/explore.md"


# Page ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    missing = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    if not CHROMIUM or missing:
        reason = f"the page is tested in Chromium; missing here: {', '.join(missing) or 'chromium'}"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def address(results: Results, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page lies; its title is wicked."""
    path = Path(results.experiment.scenarios[0])
    path.write_text(TINY.replace("title: Tiny", f'title: "{MARK}"'))
    path.with_suffix(".md").write_text(f"## Notes\n\n{MARK}\n")
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(page(results, Asked(str(path), INDICATORS, (("--out", "page.html"),))), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def look(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page; afterwards it may have asked for nothing but itself, and complained of nothing."""
    pages, asked, said = [], [], []

    def opened(size: Any = WIDE, **how: Any) -> Any:
        one = browser.new_page(viewport=size, **how)
        pages.append(one)
        one.on("request", lambda request: asked.append(request.url))
        one.on("console", lambda message: said.append(message.text))
        one.on("pageerror", lambda error: said.append(str(error)))
        one.goto(address)
        return one

    yield opened
    for one in pages:
        one.close()
    assert asked == [address] * len(pages)
    assert said == []


def test_a_lever_moves_by_keyboard_and_the_page_says_the_numbers(
    look: Callable[..., Any], results: Results, data: dict[str, Any]
) -> None:
    one = look()
    assert one.title() == MARK
    assert one.inner_text("h1") == MARK
    assert one.input_value("#lever-0") == "1", "the scenario's own value was not run: the middle"
    before, drawn = one.inner_text("#said"), one.get_attribute("#chart .median", "d")
    one.focus("#lever-0")
    one.keyboard.press("ArrowLeft")
    after = one.inner_text("#said")
    assert after != before
    assert one.get_attribute("#chart .median", "d") != drawn
    point = next(p.index for p in results.points if list(p.settings.values()) == [0.0, 0.06, True])
    low, lower, median, upper, high = (data["bands"][0]["quantiles"][k][3 * point + 2] for k in range(5))
    plain = after.replace("\xa0", " ").replace(",", "")
    numbers = [float(text) for text in re.findall(r"(?:median|from|to) ([\d.]+\d|\d)", plain)]
    assert numbers == pytest.approx([median, lower, upper, low, high], abs=0.5)
    assert plain.startswith("Employees after 8 quarters: median ")
    assert one.get_attribute("#lever-0", "aria-valuetext") == one.inner_text("#value-0")
    one.keyboard.press("Tab")
    assert one.evaluate("document.activeElement.id") == "lever-1"


def test_what_died_is_said_and_leaves_a_gap(look: Callable[..., Any]) -> None:
    one = look()
    one.focus("#lever-0")
    one.keyboard.press("End")
    assert "No firm is left in 3 of 3 runs." in one.inner_text("#said")
    assert "Most frequent future: Decline, 3 of 3 runs." in one.inner_text("#said")
    one.select_option("#indicator", label="Wage")
    assert "Wage after 8 quarters: undefined in all runs." in one.inner_text("#said")
    row = one.locator("#point tr", has_text="Wage").inner_text().split()
    assert row[-6:] == ["–", "–", "–", "–", "–", "0"]
    assert not re.search(r"NaN|null|undefined\d|Infinity", one.inner_html("main"))


def test_shares_and_map(look: Callable[..., Any], data: dict[str, Any]) -> None:
    one = look()
    shares = one.locator("#futures tbody tr td:nth-child(2)").all_inner_texts()
    assert sum(int(text.split()[0]) for text in shares) in (99, 100, 101)
    assert one.locator("#map tbody tr").count() == 2
    assert one.locator("#map tfoot th").all_inner_texts() == ["0", "0.05", "1"]
    assert one.locator("#map tbody th").all_inner_texts() == ["0.06", "0"]
    assert re.fullmatch(r"D\s*100\s%", one.locator("#map tbody tr:first-child td").last.inner_text())
    assert one.locator("#map [aria-current]").count() == 1
    one.select_option("#across", "1")
    assert (one.input_value("#across"), one.input_value("#upward")) == ("1", "0"), "the axes change places"
    assert one.locator("#map tbody th").all_inner_texts() == ["1", "0.05", "0"]
    one.select_option("#upward", "2")
    assert one.locator("#map tbody th").all_inner_texts() == ["true", "false"]
    assert "Held: demography.exit 0.05" in one.inner_text("#map-note")
    one.locator("#map tbody tr:last-child td").first.click()
    assert [one.input_value(f"#lever-{k}") for k in range(3)] == ["1", "0", "0"]
    one.click("button[type=reset]")
    one.wait_for_selector("#value-1:text('0.06')")
    assert [one.input_value(f"#lever-{k}") for k in range(3)] == ["1", "1", "1"]


@pytest.mark.parametrize("how", [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark")], ids=["390", "1280", "dark"])
def test_everybody_can_read_it(how: tuple[Any, Any], look: Callable[..., Any]) -> None:
    one = look(how[0], color_scheme=how[1])
    from axe_playwright_python.sync_playwright import Axe

    one.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert one.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(one).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []
    assert one.evaluate("document.querySelector('#said').getAttribute('aria-live')") == "polite"
    controls = one.locator("input, select, button").all()
    assert min(control.bounding_box()["height"] for control in controls) >= 24


def test_one_lever_and_print(results: Results, browser: Any, tmp_path: Path) -> None:
    run_here(tiny(tmp_path, vary={"strategy.sale": [0.0, 0.5]}, replications=1, keep={"every": 6}), tmp_path / "out")
    file = tmp_path / "page.html"
    file.write_text(page(Results(tmp_path / "out"), Asked(str(tmp_path / "tiny.yaml"), ("trust",), ())))
    one = browser.new_page(viewport=WIDE)
    said: list[str] = []
    one.on("pageerror", lambda error: said.append(str(error)))
    one.goto(file.as_uri())
    assert one.locator("#map tbody td").count() == 3, "a corner and two points"
    assert one.locator("#chart .median").get_attribute("d").startswith("M")
    assert one.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert said == []
    one.close()
