"""The browser in which the page and the reports are looked at, and what to say where there is none."""

import os
import shutil
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

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
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def needed(what: str, *packages: str) -> None:
    """Leave a file of tests out where Chromium or a package is missing; with CI in the environment, fail."""
    missing = [name for name in packages if find_spec(name) is None]
    if CHROMIUM and not missing:
        return
    reason = f"{what} is tested in Chromium; missing here: {', '.join([*missing, *([] if CHROMIUM else ['chromium'])])}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)


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
