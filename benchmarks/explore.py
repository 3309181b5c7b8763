"""How soon a page of `district-sim explore` answers: `python -m benchmarks.explore [PAGE]`, by hand.

Each lever is moved to each of its values in headless Chromium, from the disk. The time of an answer ends when it has
been drawn.
"""

import argparse
from pathlib import Path

from benchmarks.page import ARGUMENTS, CHROMIUM

EXAMPLE = Path(__file__).parents[1] / "docs/explore/classroom.html"
TARGET = 100.0  # ms
_MOVE = """
async () => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const took = [];
  for (const lever of document.querySelectorAll("[data-lever]")) {
    for (let place = Number(lever.max); place >= 0; place -= 1) {
      await drawn();
      const begun = performance.now();
      lever.value = place;
      lever.dispatchEvent(new Event("input", { bubbles: true }));
      await drawn();
      took.push(performance.now() - begun);
    }
  }
  return took;
}
"""


def answers(page: Path, width: int, height: int) -> list[float]:
    """Milliseconds from each movement of a lever to the picture, in a window of this size."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": width, "height": height})
        opened.goto(page.resolve().as_uri())
        took: list[float] = opened.evaluate(_MOVE)
        browser.close()
    return took


def main() -> None:
    """Measure, say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="?", type=Path, default=EXAMPLE)
    page = parser.parse_args().page
    for width, height in ((390, 844), (1280, 800)):
        took = sorted(answers(page, width, height))
        print(
            f"{width} x {height}: {len(took)} answers, median {took[len(took) // 2]:.0f} ms, slowest {took[-1]:.0f} ms "
            f"(below {TARGET:g})"
        )


if __name__ == "__main__":
    main()
