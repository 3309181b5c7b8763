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


def frames_per_second(url: str, seconds: float) -> float:
    """Frames that the page at `url` draws a second."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector(".ds-map-quarter")
        page.fill(".ds-speed input", page.get_attribute(".ds-speed input", "max") or "5")
        page.click("[data-do=play]")
        page.wait_for_timeout(2000)
        page.evaluate(_COUNT)
        page.wait_for_timeout(1000 * seconds)
        drawn = float(page.evaluate("window.frames_drawn"))
        browser.close()
    return drawn / seconds


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
                rate = frames_per_second(f"{url}?{as_query(course)}", seconds)
                print(f"{firms} firms: {rate:.1f} frames a second (at least {target:g})")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
