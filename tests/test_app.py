"""The page in headless Chromium: one server and one browser for all, a visit of its own for each test."""

import hashlib
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import ARGUMENTS, CHROMIUM, needed

from district_sim.app.course import Course
from district_sim.app.links import as_query
from district_sim.scenario.instruments import InstrumentKind
from district_sim.scenario.texts import MOST_BYTES

needed("the page", "solara", "anywidget", "playwright", "axe_playwright_python")

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402 - may be missing above

SMALL = {"firms.count": 40, "firms.settling": 4, "run.quarters": 24, "strategy_start": 4, "world.onset": 4}
LEVER, VALUE = "[data-lever='{}']", "[data-value='{}']"
QUARTER, MESSAGE, EVENTS = "[data-is=quarter]", "[data-is=message]", "[data-is=events]"
PATIENCE = 300_000  # ms: no test depends on how busy the machine is

type Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the page is served."""
    command = [sys.executable, "-m", "district_sim", "app", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            assert line.startswith("The page is at "), f"the server did not start: {line}{server.poll()}"
            yield line.split()[-1]
        finally:
            server.terminate()
            server.communicate(timeout=120)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture
def visit(address: str, browser: Browser) -> Iterator[Visit]:
    """Opens the page in a session of its own; afterwards nothing may have gone wrong in any of them."""
    contexts, wrong = [], []

    def look(page: Page) -> None:
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(f"{request.url}: {request.failure}"))
        page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.on("request", lambda asked: wrong.append(f"another host: {asked.url}") if _abroad(asked.url) else None)

    def _abroad(url: str) -> bool:
        return not url.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))

    def opened(query: str | None = None, **settings: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        look(page)
        page.goto(f"{address}?{as_query(Course(settings=SMALL | settings)) if query is None else query}")
        expect(page.locator(QUARTER)).to_be_visible(timeout=PATIENCE)
        return page

    expect.set_options(timeout=PATIENCE)
    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def quarter(page: Page) -> int:
    return int(page.inner_text(QUARTER))


def step(page: Page, times: int = 1) -> None:
    for _ in range(times):
        before = quarter(page)
        page.click("[data-do=step]")
        expect(page.locator(QUARTER)).to_have_text(str(before + 1))


def data(page: Page, label: str = "Data (CSV)") -> str:
    """The indicators, as downloaded."""
    page.click("text=Share and download")
    with page.expect_download() as caught:
        page.click(f"[data-download='{label}']")
    return Path(caught.value.path()).read_text()


def test_opens_with_everything_in_its_place(visit: Visit) -> None:
    page = visit("")
    expect(page.locator("[data-is=description]")).to_contain_text("The district continues as before")
    assert page.locator("[data-lever]").count() == 12
    assert page.locator("[data-policy]").count() == len(InstrumentKind)
    assert page.locator("[data-shock]").count() >= 5
    assert page.locator(".ds-lever", has_text="Selling the firm").count() == 0  # firms decide, and answer bids
    hint = page.locator(".ds-lever", has_text="Bids for firms").get_attribute("title")
    assert "ownership.takeover_price" in str(hint)
    expect(page.locator(".ds-map canvas").first).to_be_visible()
    box, screen = page.locator(".ds-page").bounding_box(), page.viewport_size
    assert box is not None
    assert screen is not None
    assert box["width"] <= screen["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]


def test_plays_steps_and_resets(visit: Visit) -> None:
    page = visit()
    step(page, 2)
    page.click("[data-do=year]")
    expect(page.locator(QUARTER)).to_have_text("6")
    page.click("[data-do=play]")
    expect(page.locator(QUARTER)).not_to_have_text("6")
    page.click("[data-do=play]")
    expect(page.locator("[data-do=play]")).to_contain_text("Play")
    before = -1
    while (now := quarter(page)) != before:  # the quarter under way still comes
        before = now
        page.wait_for_timeout(500)
    assert now < 24
    page.click("[data-do=play]")
    expect(page.locator(QUARTER)).to_have_text("24")
    expect(page.locator("[data-do=play]")).to_be_disabled()
    expect(page.locator("[data-do=step]")).to_be_disabled()
    page.click("[data-do=reset]")
    expect(page.locator(QUARTER)).to_have_text("0")
    expect(page.locator("[data-do=play]")).to_be_enabled()


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("s")
    expect(page.locator(QUARTER)).to_have_text("1")
    page.keyboard.press("y")
    expect(page.locator(QUARTER)).to_have_text("5")
    page.keyboard.press("r")
    expect(page.locator(QUARTER)).to_have_text("0")
    page.focus(LEVER.format("strategy.identity"))
    page.keyboard.press("ArrowRight")
    expect(page.locator(VALUE.format("strategy.identity"))).to_have_value("0.51")
    page.keyboard.press("End")
    expect(page.locator(VALUE.format("strategy.identity"))).to_have_value("1")
    page.locator("canvas.ds-map-pointed").first.click()  # what has the focus after a click does not keep the space
    page.keyboard.press("Space")
    expect(page.locator(QUARTER)).to_have_text("24")


def test_another_scenario_brings_its_own_values(visit: Visit) -> None:
    page = visit()
    step(page)
    page.select_option("[data-is=scenario]", "learning_region")
    page.click("[data-is=notes] summary")
    expect(page.locator("[data-is=notes] h2")).to_contain_text(["What is it", "How it works", "notice", "try"])
    expect(page.locator("[data-is=description]")).to_contain_text("carry the district to new technologies")
    expect(page.locator(QUARTER)).to_have_text("0")
    assert page.locator("[data-policy='technology centre']").is_checked()


def test_a_lever_moves_and_goes_back(visit: Visit) -> None:
    page = visit()
    page.fill(VALUE.format("strategy.collective_action"), "0,8")
    page.press(VALUE.format("strategy.collective_action"), "Enter")
    expect(page.locator(LEVER.format("strategy.collective_action"))).to_have_value("0.8")
    expect(page.locator(".ds-moved")).to_have_count(1)
    page.click("[data-do=restore]")
    expect(page.locator(VALUE.format("strategy.collective_action"))).to_have_value("0.15")
    expect(page.locator(".ds-moved")).to_have_count(0)


def test_policies_and_shocks_strike_during_the_run(visit: Visit) -> None:
    page = visit()
    step(page, 5)
    page.check("[data-policy='R&D subsidy']")
    page.click("[data-shock=demand_slump]")
    expect(page.locator(EVENTS)).to_contain_text("5 R&D subsidy on")
    expect(page.locator(EVENTS)).to_contain_text("5 Demand slump, for 8 quarters, fading in 4")
    step(page)
    rows = [line.split(",") for line in data(page).splitlines()]
    spent = [float(row[rows[0].index("policy_spending")]) for row in rows[1:]]
    assert spent[:5] == [0.0] * 5
    assert spent[5] > 0.0
    page.click("[data-do=reset]")
    expect(page.locator("[data-policy='R&D subsidy']")).not_to_be_checked()
    expect(page.locator(EVENTS)).to_have_count(0)


def test_events_are_seen_when_they_happen_and_stay(visit: Visit) -> None:
    page = visit(**{"technology.first_ripening": 3})
    happened, news = page.locator("[data-is=happened]"), page.locator(".ds-map-news")
    step(page, 3)
    expect(happened).to_have_count(0)
    step(page)
    expect(happened).to_contain_text("quarter 3 Technology 1 ripens")
    expect(news).to_contain_text("technology 1 ripens")
    page.check("[data-policy='R&D subsidy']")
    page.click("[data-shock=demand_slump]")
    page.fill(VALUE.format("strategy.research"), "2.5")
    page.press(VALUE.format("strategy.research"), "Enter")
    step(page)
    for text in ("quarter 4 Policy begins: R&D subsidy", "quarter 4 Shock: Demand slump, for 8 quarters, fading in 4",
                 "quarter 4 The strategy begins", "quarter 4 R&D drive = 2.5"):  # fmt: skip
        expect(happened).to_contain_text(text)
    page.click("[data-do=year]")
    expect(page.locator(QUARTER)).to_have_text("9")
    page.uncheck("[data-policy='R&D subsidy']")
    expect(page.locator(EVENTS)).to_contain_text("R&D subsidy off")
    step(page)
    expect(happened.locator("li").first).to_contain_text("Policy ends: R&D subsidy")
    expect(happened).to_contain_text("quarter 3 Technology 1 ripens")
    expect(news).not_to_contain_text("technology 1 ripens")
    happened.focus()  # by keyboard it can be scrolled
    page.click("[data-do=reset]")
    expect(happened).to_have_count(0)


def test_two_districts_side_by_side(visit: Visit) -> None:
    page = visit()
    page.click("text=Two districts")
    page.select_option("[data-is=contrast]", "strategy.offshoring")
    expect(page.locator("[data-is=contrast-value]")).to_have_value("2")
    expect(page.locator(".ds-map")).to_have_count(2)
    page.click("[data-do=play]")
    expect(page.locator(QUARTER)).to_have_text("24")
    jobs = page.locator("[data-is=differences] tr", has_text="Bought locally")
    expect(jobs.locator(".ds-less")).to_have_count(1)
    first, second = data(page), data(page, "Data of the second district (CSV)")
    assert first.splitlines()[:5] == second.splitlines()[:5]  # the strategy begins in quarter 4
    assert first != second


def test_a_guess_comes_first(visit: Visit) -> None:
    page = visit()
    page.click("text=Predict first")
    page.click("[data-do=guess]")
    expect(page.locator("[data-is=guess-problem]")).to_contain_text("Choose a trajectory")
    page.check("[value=marshallian_persistence]")
    page.check("[value=same]")
    page.click("[data-do=guess]")
    expect(page.locator("[data-is=answer]")).to_be_visible()
    expect(page.locator(QUARTER)).to_have_text("24")
    expect(page.locator(".ds-predict tbody tr")).to_have_count(2)


def test_firms_are_coloured_by_what_they_choose(visit: Visit) -> None:
    page = visit()
    step(page)
    firms, paint = page.locator(".ds-map-firms"), "canvas => canvas.toDataURL()"
    seen = {"phase": firms.evaluate(paint)}
    for key, said in (
        ("control", "owned by a multinational"),
        ("conduct_research", "R&D drive"),
        ("technology", "0, the"),
    ):
        page.select_option("[data-is=colour]", key)
        expect(page.locator(".ds-map-legend")).to_contain_text(said)
        before = [firms.element_handle(), list(seen.values())]
        page.wait_for_function("([canvas, before]) => !before.includes(canvas.toDataURL())", arg=before)
        seen[key] = firms.evaluate(paint)
    assert len(set(seen.values())) == len(seen)
    page.focus(".ds-map-pointed")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ds-map-tip")).to_contain_text(
        re.compile(r"chooses: R&D drive \d\.\d\d, exploration \d+\.\d\s%")
    )
    charts = page.locator("[data-is=conduct]").get_by_role("img")
    expect(charts).to_have_count(8)
    expect(charts.first).to_have_attribute("aria-label", re.compile("^R&D drive"))


def test_where_conduct_is_imposed_the_page_says_so(visit: Visit) -> None:
    page = visit(**{"conduct.revision": 0.0})
    expect(page.locator("section[aria-label=Conduct]")).to_contain_text("Conduct is imposed")
    expect(page.locator(".ds-lever", has_text="Selling the firm")).to_have_count(1)
    expect(page.locator(".ds-lever", has_text="Bids for firms")).to_have_count(0)


def test_the_fan_of_futures_opens(visit: Visit) -> None:
    page = visit()
    page.click("text=Fan of futures")
    expect(page.get_by_text("How it may end")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+ ?% \(\d+"))).not_to_have_count(0)


def test_a_link_restores_the_same_numbers(visit: Visit) -> None:
    page = visit()
    step(page, 5)
    page.check("[data-policy='Training vouchers']")
    page.fill(VALUE.format("strategy.research"), "2.5")
    page.press(VALUE.format("strategy.research"), "Enter")
    expect(page.locator(EVENTS)).to_contain_text("R&D drive = 2.5")
    step(page, 3)
    mine = data(page)
    link = page.input_value("[data-is=link]")
    again = visit(link.partition("?")[2])
    expect(again.locator(QUARTER)).to_have_text("8")
    expect(again.locator(EVENTS)).to_contain_text("R&D drive = 2.5")
    assert data(again) == mine
    for one in (page, again):
        one.click("[data-do=year]")
        expect(one.locator(QUARTER)).to_have_text("12")
    assert data(again) == data(page)


def test_two_visits_share_nothing(visit: Visit) -> None:
    one, two = visit(), visit()
    step(one, 3)
    one.fill(VALUE.format("strategy.identity"), "0.9")
    one.press(VALUE.format("strategy.identity"), "Enter")
    one.check("[data-policy='IT subsidy']")
    one.click("text=Two districts")
    step(two)
    assert (quarter(one), quarter(two)) == (3, 1)
    expect(two.locator(VALUE.format("strategy.identity"))).to_have_value("0.5")
    expect(two.locator(EVENTS)).to_have_count(0)
    expect(two.locator(".ds-map")).to_have_count(1)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.yaml", b"extends: baseline\nstrategy:\n  sale: 3\n", "mine.yaml:3: strategy.sale = 3: must be a number"),
        ("mine.yaml", b"firms: {count: 900000}\n", "the page runs at most 5,000"),
        ("mine.yaml", b"extends: /etc/passwd\n", "bundled scenarios only"),
        ("picture.png", b"\x89PNG\r\n\xff\xfe", "not UTF-8 text"),
        ("large.yaml", b"# " + b"x" * MOST_BYTES, "larger than 256 KiB"),
        ("state.json", b'{"district-sim-state": 1}', "damaged"),
    ],
    ids=["value", "size", "reach", "bytes", "large", "state"],
)
def test_a_bad_file_is_told(visit: Visit, name: str, content: bytes, said: str) -> None:
    page = visit()
    step(page)
    page.set_input_files("[data-is=file]", {"name": name, "mimeType": "text/plain", "buffer": content})
    expect(page.locator(MESSAGE)).to_contain_text(said)
    assert quarter(page) == 1


def test_a_good_file_is_run(visit: Visit) -> None:
    page = visit()
    text = b"extends: baseline\ndescription: Ours.\nfirms: {count: 30}\nrun: {quarters: 8}\n"
    page.set_input_files("[data-is=file]", {"name": "mine.yaml", "mimeType": "text/plain", "buffer": text})
    expect(page.locator("[data-is=description]")).to_have_text("Ours.")
    step(page)
    assert page.inner_text(".ds-clock").startswith("1 of 8 quarters")


def test_every_field_says_what_is_wrong(visit: Visit) -> None:
    page = visit()
    for text in ("-3", "9" * 5000):
        page.fill("[data-is=seed]", text)
        page.press("[data-is=seed]", "Enter")
        expect(page.locator("[data-is=seed-problem]")).to_contain_text(f"{text[:30]}: the seed must be a whole number")
    for text in ("much", "7", ""):
        page.fill(VALUE.format("strategy.identity"), text)
        page.press(VALUE.format("strategy.identity"), "Tab")
        expect(page.locator("[data-problem='strategy.identity']")).to_contain_text("between 0 and 1")
        page.fill(VALUE.format("strategy.identity"), "0.5")
        page.press(VALUE.format("strategy.identity"), "Tab")
        expect(page.locator("[data-problem='strategy.identity']")).to_have_count(0)
    page.click("text=Two districts")
    page.select_option("[data-is=contrast]", "strategy.identity")
    page.fill("[data-is=contrast-value]", "many")
    page.press("[data-is=contrast-value]", "Enter")
    expect(page.locator("[data-is=contrast-problem]")).to_contain_text("between 0 and 1")


def test_an_answer_to_an_earlier_value_takes_nothing_away(visit: Visit) -> None:
    page, field, problem = visit(), VALUE.format("strategy.identity"), "[data-problem='strategy.identity']"
    page.evaluate(
        """(at) => {
          const field = document.querySelector(at);
          for (const text of ["0.4", "7"]) {
            field.value = text;
            for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind));
          }
        }""",
        field,
    )
    expect(page.locator(problem)).to_contain_text("between 0 and 1")
    expect(page.locator(field)).to_have_value("7")
    page.fill(field, "0.4")
    page.press(field, "Tab")
    expect(page.locator(problem)).to_have_count(0)
    expect(page.locator(LEVER.format("strategy.identity"))).to_have_value("0.4")


def in_address(page: Page, said: str) -> None:
    """Wait until the address says so."""
    page.wait_for_function("said => window.location.search.includes(said)", arg=said)


def test_a_reload_and_a_way_back_lose_nothing(visit: Visit, address: str) -> None:
    page = visit()
    step(page, 3)
    page.check("[data-policy='Training vouchers']")
    page.get_by_role("tab", name="Two districts").click()
    page.select_option(
        "[data-is=contrast]",
        "strategy.sale" if page.locator("[value='strategy.sale']").count() else "world.globalisation",
    )
    step(page)
    in_address(page, "quarter=4")
    in_address(page, "view=two")
    page.wait_for_timeout(600)  # the address is written some tenths of a second after the last change
    page.reload()
    for _ in range(2):
        expect(page.locator(QUARTER)).to_have_text("4")
        expect(page.locator(EVENTS)).to_contain_text("3 Training vouchers on")
        expect(page.locator(".ds-map")).to_have_count(2)
        page.goto("about:blank")
        page.go_back()


def test_a_state_too_long_for_the_address_is_kept_in_the_tab(visit: Visit) -> None:
    page = visit()
    noise = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(400))
    text = f"extends: baseline\ndescription: Ours.\nfirms: {{count: 30}}\nrun: {{quarters: 8}}\n# {noise}\n"
    page.set_input_files("[data-is=file]", {"name": "mine.yaml", "mimeType": "text/plain", "buffer": text.encode()})
    expect(page.locator("[data-is=description]")).to_have_text("Ours.")
    step(page, 2)
    in_address(page, "kept=mine.yaml")
    page.wait_for_timeout(600)
    page.reload()
    expect(page.locator("[data-is=description]")).to_have_text("Ours.")
    expect(page.locator(QUARTER)).to_have_text("2")


def test_branch_here(visit: Visit) -> None:
    page = visit()
    assert page.locator("[data-do=branch]").is_disabled()
    step(page, 6)
    page.keyboard.press("b")
    expect(page.locator(".ds-map")).to_have_count(2)
    page.select_option("[data-is=contrast]", "shock:demand_slump")
    expect(page.get_by_role("heading", name="Second district")).to_contain_text("Demand slump, from quarter 6 on")
    step(page, 2)
    first, second = (text.splitlines() for text in (data(page), data(page, "Data of the second district (CSV)")))
    assert first[:7] == second[:7]
    assert first[7:] != second[7:]
    page.get_by_role("tab", name="Two districts").click()
    page.select_option("[data-is=contrast]", "policy:Training vouchers")
    expect(page.locator("[data-is=money] tbody tr").first).to_contain_text(re.compile(r"Training vouchers\s*0\s*[1-9]"))
    page.select_option("[data-is=since]", "0")
    expect(page.get_by_role("heading", name="Second district")).not_to_contain_text("from quarter")


def test_money_and_the_last_run_are_seen(visit: Visit) -> None:
    page = visit()
    page.check("[data-policy='Training vouchers']")
    page.click("[data-do=year]")
    expect(page.locator(QUARTER)).to_have_text("4")
    step(page, 2)  # policies begin in quarter 4
    money = page.locator("[data-is=money]")
    expect(money).to_contain_text(re.compile(r"Training vouchers\s*[1-9]"))
    expect(money.locator("tr").last).to_contain_text(re.compile(r"All policies\s*[1-9]"))
    scores = page.get_by_role("img", name=re.compile("^Where the district is heading"))
    expect(scores).to_have_attribute("aria-label", re.compile(r"Marshallian persistence (yes|no); Decline \d+ %"))
    page.click("[data-do=reset]")
    page.click("[data-do=step]")
    expect(page.get_by_role("img", name=re.compile("^Employees .*last run [\\d,]+; now"))).to_have_count(1)


def test_keys_work_after_a_click_anywhere_and_never_while_typing(visit: Visit) -> None:
    page = visit()
    for at, clicked in enumerate(("[data-do=step]", "[data-policy='IT subsidy']", LEVER.format("strategy.training"))):
        page.click(clicked)
        before = 1 if at == 0 else quarter(page)
        expect(page.locator(QUARTER)).to_have_text(str(before))
        page.keyboard.press("ArrowRight")
        expect(page.locator(QUARTER)).to_have_text(str(before + 1))
    page.select_option("[data-is=colour]", "control")
    page.click(".ds-map-pointed")
    now = quarter(page)
    page.keyboard.press("s")
    expect(page.locator(QUARTER)).to_have_text(str(now + 1))
    page.click("[data-is=seed]")
    page.keyboard.press("End")
    page.keyboard.type("7 sry")
    expect(page.locator("[data-is=seed]")).to_have_value("07 sry")
    page.keyboard.press("Tab")
    expect(page.locator("[data-is=seed-problem]")).to_be_visible()
    assert quarter(page) == now + 1
    page.click("h1")
    page.keyboard.press("?")
    expect(page.locator("[data-is=keys]")).to_contain_text("play or pause")


def test_views_are_tabs_and_what_a_tooltip_says_opens_by_keyboard(visit: Visit) -> None:
    page = visit()
    tab = page.get_by_role("tab", name="One district")
    tab.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Two districts")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Two districts")).to_contain_text("Choose what differs")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="How to read it")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="What is Bids for firms?").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-hint='ownership.takeover_price']")).to_contain_text("Allowed: ")
    page.get_by_role("button", name="What is Demand slump?").click()
    expect(page.locator("[data-hint=demand_slump]")).to_contain_text("for 8 quarters, fading in 4")
    page.locator("body").press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.locator(".ds-skip").first.press("Enter")
    expect(page.get_by_role("tabpanel")).to_be_focused()


@pytest.mark.parametrize("query", ["scenario=nowhere", "state=broken", "quarter=x"])
def test_a_bad_link_still_opens_and_is_told(visit: Visit, query: str) -> None:
    page = visit(query)
    expect(page.locator(MESSAGE)).to_be_visible()
    page.click(f"{MESSAGE} button")
    expect(page.locator(MESSAGE)).to_have_count(0)


def test_a_firm_is_followed(visit: Visit) -> None:
    page = visit()
    step(page, 3)
    field = page.locator(".ds-map-field canvas").last
    field.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("[data-is=firm]")).to_contain_text("Employees")


def test_every_view_is_accessible_and_fits_every_screen(visit: Visit) -> None:
    """At the widths of a phone, a laptop, a projector, and a laptop at 200 %."""
    page = visit()
    step(page, 4)
    page.check("[data-policy='Training vouchers']")
    page.keyboard.press("b")
    page.select_option("[data-is=contrast]", "world.globalisation")
    step(page, 2)
    page.get_by_role("button", name="What is Training vouchers?").click()
    wrong = []
    for view in ("one", "two", "fan", "predict", "share", "about"):
        page.click(f"#ds-tab-{view}")
        expect(page.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", f"ds-tab-{view}")
        if view == "fan":
            expect(page.get_by_text(re.compile(r"\d+ ?% \(\d+")).first).to_be_visible()
        for width, height in ((390, 844), (640, 400), (1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)  # the page asks for other heights after a tenth of a second
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{view}, {width}: wider than the screen")
            small = page.evaluate(SMALL_TARGETS)
            wrong += [f"{view}, {width}: {name} is too small a target" for name in small]
            if width == 640:
                continue
            found = Axe().run(page).response["violations"]
            serious = [one for one in found if one["impact"] in ("serious", "critical")]
            wrong += [f"{view}, {width}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in serious]
    assert wrong == []


SMALL_TARGETS = """() => {
  const targets = "button, select, summary, input:not([type=file]), [role=tab]";
  const box = (one) => (one.closest("label:not([for])") || one).getBoundingClientRect();
  return [...document.querySelectorAll(`.ds-page :is(${targets})`)].map((one) => [one, box(one)])
    .filter(([, at]) => at.width && (at.width < 23.9 || at.height < 23.9)).map(([one]) => one.outerHTML.slice(0, 120));
}"""


def test_a_page_that_nobody_sees_waits(visit: Visit) -> None:
    page = visit()
    page.evaluate("window.requestAnimationFrame = () => 1")  # as on a hidden page, or a closed laptop
    page.click("[data-do=play]")
    expect(page.locator(QUARTER)).to_have_text("3")
    page.wait_for_timeout(4000)
    assert quarter(page) == 3
    expect(page.locator("[data-do=play]")).to_contain_text("Pause")  # it would go on if somebody looked
    page.click("[data-do=play]")
    expect(page.locator("[data-do=play]")).to_contain_text("Play")


def test_another_host_cannot_reach_the_socket(address: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        asked = urllib.request.Request(address, headers=headers, method="GET" if "Host" in headers else "POST")
        with pytest.raises(urllib.error.HTTPError, match=r"421|403"):
            urllib.request.urlopen(asked)
