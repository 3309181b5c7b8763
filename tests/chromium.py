"""The browser in which the page and the reports are looked at, and what to say where there is none."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OWN = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*", "chromium-*/*/chrome.exe")
COMMAND = "make browser"


def _fetched() -> Path | None:
    """The one that `make browser` has fetched."""
    caches = {
        "darwin": Path.home() / "Library/Caches",
        "win32": Path(os.environ.get("LOCALAPPDATA", Path.home())),
    }
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or caches.get(sys.platform, Path.home() / ".cache"))
    folder = folder if "PLAYWRIGHT_BROWSERS_PATH" in os.environ else folder / "ms-playwright"
    return next((path for pattern in _OWN for path in sorted(folder.glob(pattern))), None)


def find() -> str | None:
    """Where it is: in the path, or where Playwright keeps it."""
    fetched = _fetched()
    return next(filter(None, map(shutil.which, _NAMES)), str(fetched) if fetched else None)


CHROMIUM = find()


def left_out(skipped: Iterable[tuple[str, str]]) -> list[str]:
    """The last lines of a test run: which tests were left out for want of Chromium, and how to bring them in.

    Args:
        skipped: of each test or file that was skipped: its name and the reason.
    """
    names = sorted({name.removesuffix("::") for name, reason in skipped if "chromium" in reason.lower()})
    if not names:
        return []
    return [
        "Left out, because there is no Chromium here:",
        *(f"  {name}" for name in names),
        f"To bring them in: {COMMAND}",
    ]
