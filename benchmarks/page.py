"""Frames per second of the page: `python -m benchmarks.page`, by hand, on a machine that does nothing else.

A frame is a quarter that the browser has drawn: the label that the map writes when it has drawn its canvas is watched
in headless Chromium while the page plays at its highest speed, with the scores and all charts beside the map.
"""

import argparse
import subprocess
import sys

from district_sim.app.course import Course, Source
from district_sim.app.links import as_query

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
TARGETS = {300: 10.0, 1000: 4.0}  # firms: frames a second
_COUNT = """
() => {
  window.frames_drawn = 0;
  const label = document.querySelector(".ds-map-quarter");
  const count = () => { window.frames_drawn += 1; };
  new MutationObserver(count).observe(label, { childList: true, characterData: true, subtree: true });
}
"""


def classroom(url: str) -> str:
    """The address of a long run of classroom on the page at `url`."""
    return f"{url}?{as_query(Course(Source('classroom'), {'run.quarters': 1000}))}"


def rates(url: str, seconds: float, players: int = 1) -> list[float]:
    """Frames that the page at `url` draws a second, for each of some players who all play at once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        pages = [browser.new_context(viewport={"width": 1280, "height": 800}).new_page() for _ in range(players)]
        for page in pages:
            page.goto(url)
        for page in pages:
            page.wait_for_selector(".ds-map-quarter")
            page.fill(".ds-speed input", page.get_attribute(".ds-speed input", "max") or "5")
        for page in pages:
            page.click("[data-do=play]")
        pages[0].wait_for_timeout(2000)
        for page in pages:
            page.evaluate(_COUNT)
        pages[0].wait_for_timeout(1000 * seconds)
        drawn = [float(page.evaluate("window.frames_drawn")) for page in pages]
        browser.close()
    return [frames / seconds for frames in drawn]


def main() -> None:
    """Start the page, measure, say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    command = [sys.executable, "-m", "district_sim", "app", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            for firms, target in TARGETS.items():
                course = Course(Source("baseline"), {"firms.count": firms, "run.quarters": 1000})
                [rate] = rates(f"{url}?{as_query(course)}", seconds)
                print(f"{firms} firms: {rate:.1f} frames a second (at least {target:g})")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
