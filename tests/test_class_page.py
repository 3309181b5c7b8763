"""The class in headless Chromium: a teacher and three phones go through a short lesson."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import ARGUMENTS, CHROMIUM, needed
from class_parts import write_lesson

needed("the class", "starlette", "uvicorn", "websockets", "segno", "playwright")

from axe_playwright_python.sync_playwright import Axe  # noqa: E402 - may be missing above
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

PATIENCE = int(os.environ.get("PATIENCE", 300_000))
PHONE, LAPTOP, PROJECTOR = (390, 844), (1280, 800), (1920, 1080)
SIZES = (PHONE, LAPTOP, PROJECTOR, (640, 400), (320, 640))
"""Those that every view must fit; the fourth is a laptop at 200 %, the last the narrowest that WCAG 2.2 asks for."""
TOO_SMALL = """
() => [...document.querySelectorAll("button, input, select, summary, a:not(.skip)")]
  .filter((one) => one.checkVisibility())
  .filter((one) => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < 24)
  .map((one) => one.outerHTML)
"""
CUT = """
() => [...document.querySelectorAll("button, h1, h2, label, legend, figcaption, .choice, header *, td, th, p")]
  .filter((one) => one.checkVisibility() && !one.closest(".wide") && !one.classList.contains("hidden"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
    || one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 200))
"""
type Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the terminal says: addresses, code, key."""
    folder = tmp_path_factory.mktemp("class")
    write_lesson(folder)
    command = [sys.executable, "-m", "district_sim", "class", "lesson.yaml", "--no-browser", "--port", "0"]
    command += ["--host", "127.0.0.1", "--room", "room.sqlite"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found: dict[str, str] = {}
        try:
            for line in server.stdout:
                name, _, rest = line.strip().partition(": ")
                found[name] = rest
                if name.startswith("Stop it"):
                    break
            assert "Code" in found, server.poll()
            yield {
                "students": found["Students"],
                "code": found["Code"],
                "teacher": found["Teacher (for you alone)"],
            }
        finally:
            server.terminate()
            _, errors = server.communicate(timeout=120)
    assert errors in ("", "Stopped\n")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture
def visit(said: dict[str, str], browser: Browser) -> Iterator[Visit]:
    """Opens a page on a device of its own; afterwards nothing may have gone wrong on any of them."""
    contexts, wrong = [], []
    home = said["students"]

    def abroad(url: str) -> bool:
        return not url.startswith((home, home.replace("http", "ws", 1), "data:", "blob:"))

    def opened(url: str, size: tuple[int, int] = PHONE, motion: Any = "reduce", locale: str = "en-GB") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True, reduced_motion=motion, locale=locale
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.on("request", lambda asked: wrong.append(f"another host: {asked.url}") if abroad(asked.url) else None)
        page.goto(url)
        return page

    expect.set_options(timeout=PATIENCE)
    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def check(*pages: Page) -> None:
    """Each page can be used by everybody, and fits every screen: nothing is cut, no target is too small."""
    folder = os.environ.get("CLASS_PICTURES")  # to look at them
    for page in pages:
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        screen = page.viewport_size
        assert screen is not None
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(TOO_SMALL) == []
            assert page.evaluate(CUT) == []
        page.set_viewport_size(screen)
        if folder:
            number = len(list(Path(folder).glob("*.png")))
            page.screenshot(path=f"{folder}/{number:03}.png", full_page=True)


def test_a_lesson_from_the_code_to_the_results(visit: Visit, said: dict[str, str]) -> None:
    teacher = visit(said["teacher"], PROJECTOR)
    expect(teacher.locator("#code")).to_have_text(said["code"])
    assert "#" not in teacher.url  # the key is not shown on the wall
    expect(teacher.locator("#qr")).to_be_visible()
    assert teacher.evaluate("document.getElementById('qr').naturalWidth") > 0
    by_picture = f"{said['students']}#{said['code']}"
    one, two = visit(by_picture), visit(by_picture, motion="no-preference")  # the second plays quarter by quarter
    three = visit(said["students"], LAPTOP)
    check(three)
    three.fill("#code", said["code"].lower())
    three.click("#join button")
    for page in (one, two, three):
        expect(page.locator("#heading")).to_have_text("Look")
        expect(page.locator("#text strong")).to_have_text("district")
        expect(page.locator(".ending")).to_contain_text("How it ended")
    one.fill("#name", "Anna <b>")
    one.click("#naming button")
    expect(one.locator("#who")).to_have_text("Anna <b> · Team 1")
    expect(teacher.locator("#people li")).to_have_count(3)
    expect(teacher.locator("#people")).to_contain_text("Anna <b>")
    teacher.click("[data-hide='1']")
    expect(teacher.locator("#people")).not_to_contain_text("Anna")
    check(teacher, one)

    teacher.click("#next")  # a vote
    expect(teacher.locator("#text")).to_have_text("Choose.")
    for page, choice in ((one, "Firms"), (two, "Workers"), (three, "Workers")):
        page.check(f"text={choice}")
        expect(page.locator("#mine")).to_contain_text(f"Your answer: {choice}")
    expect(teacher.locator("#did")).to_have_text("3 of 3 have answered")
    expect(teacher.locator(".bars b")).to_have_text(["1", "2"])
    teacher.click("#pause")
    expect(teacher.locator("#pause")).to_have_attribute("aria-pressed", "true")
    expect(one.locator("#eyes")).to_be_visible()
    check(one)
    teacher.click("#pause")
    expect(one.locator("#eyes")).to_be_hidden()
    teacher.click("#reveal")
    expect(one.locator("#after")).to_contain_text("You guessed something else.")
    expect(two.locator("#after")).to_contain_text("You were right.")
    expect(two.locator("#after")).to_contain_text("Because.")
    check(teacher, one, three)

    teacher.click("#next")  # a mystery
    expect(one.locator("#film .charts")).to_be_visible()
    assert "secret" not in one.content() + teacher.content()
    one.check("text=Decline")
    expect(teacher.locator("#did")).to_contain_text("1 of 3")
    check(one, teacher)
    one.reload()  # a phone that comes back is where it was
    expect(one.locator("#who")).to_contain_text("Anna")
    expect(one.locator("#act input:checked")).to_have_value("decline")
    teacher.click("#reveal")
    expect(one.locator("#after")).to_contain_text("The tiny secret")
    expect(one.locator("#after .truth")).to_be_visible()
    check(one, teacher)

    teacher.click("#next")  # a number
    one.locator("#guess").fill("80")
    one.click("#act button")
    expect(teacher.locator("#did")).to_contain_text("1 of 3")
    teacher.click("#reveal")
    expect(one.locator("#after .truth")).to_contain_text("%")
    check(one, teacher)

    teacher.click("#next")  # districts of their own: 1 and 3 are one team
    expect(one.locator("#purse")).to_contain_text("2.00 M€ of 2.00 M€")
    one.locator("#slider-strategy-collective-action").fill("20")
    expect(one.locator("#purse")).to_have_class(re.compile("bad"))
    expect(one.locator("#go")).to_be_disabled()
    one.locator("#slider-strategy-collective-action").fill("6")
    one.locator("#slider-ppp-match").fill("4")
    expect(one.locator("#go")).to_be_enabled()
    expect(three.locator("#slider-ppp-match")).to_have_value("4")
    three.click("#go")
    expect(one.locator("#tries")).to_contain_text("1 of 2 runs left")
    expect(one.locator(".ending")).to_contain_text("How it ended")
    expect(teacher.locator("tbody tr")).to_have_count(1)
    expect(teacher.locator("tbody th")).to_have_text("Team 1")
    expect(teacher.locator("tbody td.number").nth(2)).to_have_text(re.compile(r"\d+"))
    expect(one.locator(".story")).to_contain_text("Without these decisions, under the same luck")
    teacher.check("[data-look=t1]")
    expect(teacher.locator("#film .charts")).to_be_visible()
    expect(teacher.locator(".story")).to_contain_text("Team 1: ")
    expect(teacher.locator("tbody a")).to_have_attribute(
        "href", re.compile(r"^http://127\.0\.0\.1:8765/\?scenario=tiny")
    )
    with teacher.expect_download() as caught:
        teacher.click("#picture")
    assert Path(caught.value.path()).read_bytes().startswith(b"\x89PNG")
    check(one, two, three, teacher)

    teacher.click("#next")  # the agency: 1 leads, 2 and 3 run firms
    one.click("#free button")
    one.locator("input[type=range]").fill("8")
    one.check("input[name=effort][value='1']")
    expect(teacher.locator("#game")).to_contain_text("Sell together")
    expect(teacher.locator("#leader")).to_have_value("1")
    expect(teacher.locator("#leader option")).to_have_text(["Nobody", "Player 1", "Player 2", "Player 3"])
    two.check("input[name=join][value='1']")
    three.check("input[name=join][value='0']")
    expect(teacher.locator("#game")).to_contain_text("2 of 2 have decided")
    check(one, two, teacher)
    teacher.click("#play-round")
    expect(two.locator("#told tbody tr")).to_have_count(1)
    expect(three.locator("#told")).to_contain_text("Had it joined")
    expect(teacher.locator("#game table").nth(1).locator("tbody tr")).to_have_count(3)
    one.context.close()  # the phone of who leads leaves; another one takes over
    three.click("#free button")
    expect(three.locator("input[name=effort][value='1']")).to_be_checked()
    teacher.click("#play-round")
    expect(two.locator("#told tbody tr")).to_have_count(2)
    check(two, three, teacher)
    with teacher.expect_download() as caught:
        teacher.click("#results")
    text = Path(caught.value.path()).read_text(encoding="utf-8-sig")
    assert "team 1" in text
    assert "Anna" not in text  # hidden
    again = text.partition(f"{said['students']}teacher#run=")[2].partition("\n")[0]
    teacher.goto(f"{said['students']}teacher#run={again}")
    teacher.reload()  # the same page, as from a spreadsheet
    expect(teacher.locator("#again-name")).to_have_text("Team 1")
    expect(teacher.locator(".story")).to_contain_text("Without these decisions")
    check(teacher)
    teacher.click("#close")
    expect(teacher.locator("#again")).to_be_hidden()
    assert text.count("\n") == 1 + 3 + 1 + 1 + 1 + 3


def test_everybody_chooses_a_language(visit: Visit, said: dict[str, str]) -> None:
    """The browser's at first, then one's own choice, which the next visit remembers."""
    phone = visit(said["students"], locale="de-AT")
    expect(phone.locator("html")).to_have_attribute("lang", "de")
    expect(phone.locator("#join button")).to_have_text("Mitmachen")
    check(phone)
    phone.fill("#code", said["code"])
    phone.click("#join button")
    expect(phone.locator("#place")).to_contain_text("Schritt ")
    for language, step in (("it", "Passo "), ("es", "Paso ")):
        phone.select_option("#language", language)
        expect(phone.locator("#place")).to_contain_text(step)
        expect(phone.locator("html")).to_have_attribute("lang", language)
        check(phone)
    teacher = visit(said["teacher"], PROJECTOR)
    teacher.select_option("#language", "de")
    expect(teacher.locator("#next")).to_have_text("Nächster Schritt")
    expect(teacher.locator("#code")).to_have_text(said["code"])  # the key was kept
    check(teacher)
    expect(phone.locator("#place")).to_contain_text("Paso ")


def test_a_wrong_code_and_a_wrong_key_are_told(visit: Visit, said: dict[str, str]) -> None:
    page = visit(said["students"])
    page.fill("#code", "AAAA")
    page.click("#join button")
    expect(page.locator("#line")).to_have_text("This is not the code of this class.")
    teacher = visit(f"{said['students']}teacher#nonsense", LAPTOP)
    expect(teacher.locator("#line")).to_have_text("This is not the key of this class.")
    assert teacher.locator("#room").is_hidden()
    check(page, teacher)
