"""The results: one row per figure, as a table, as JSON and as Markdown."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from benchmarks.timing import Spread


def markers(topic: str = "") -> tuple[str, str]:
    """Between what a page's table stands: of the usual topics together, or of one that is measured on request."""
    name, only = (f"benchmarks {topic}", f" --only {topic}") if topic else ("benchmarks", "")
    return f"<!-- {name}: begin (written by python -m benchmarks{only} --markdown) -->", f"<!-- {name}: end -->"


BEGIN, END = markers()


@dataclass(frozen=True)
class Row:
    """One figure: a median, the quartiles around it, and what it should be."""

    name: str
    """Stable, for comparisons between commits."""
    what: str
    spread: Spread | None = None
    """Median and quartiles, in `unit`; None if it could not be measured, and `note` says why."""
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None
    better: Literal["higher", "lower", ""] = ""
    """Which way is better, where there is no target; such a row is guarded between commits as well."""
    note: str = ""
    broken: bool = False
    """The benchmark itself failed."""

    @property
    def measured(self) -> float | None:
        """The median."""
        return None if self.spread is None else self.spread.median

    @property
    def target(self) -> str:
        """The target as text; empty if the figure is only reported."""
        if self.at_least is not None:
            return f"≥ {_number(self.at_least)} {self.unit}".strip()
        return f"≤ {_number(self.at_most)} {self.unit}".strip() if self.at_most is not None else ""

    @property
    def direction(self) -> Literal["higher", "lower", ""]:
        """Which way is better: as the target says, else `better`."""
        if self.at_least is not None:
            return "higher"
        return "lower" if self.at_most is not None else self.better

    @property
    def verdict(self) -> str:
        """ "met", "not met", "reported", "skipped" or "broken"."""
        if self.measured is None:
            return "broken" if self.broken else "skipped"
        if self.at_least is not None:
            return "met" if self.measured >= self.at_least else "not met"
        if self.at_most is not None:
            return "met" if self.measured <= self.at_most else "not met"
        return "reported"

    @property
    def shown(self) -> str:
        """Median and quartiles as text."""
        if self.spread is None:
            return ""
        low, high = _number(self.spread.low), _number(self.spread.high)
        return f"{_number(self.spread.median)} {self.unit}".strip() + (f" ({low} to {high})" if low != high else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """What the figures were measured on: processor, cores and versions; nothing that names the machine."""
    packages = ("district-sim", "numba", "llvmlite", "numpy", "mesa", "pandas")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown'} ({platform.machine()})"


_STYLE = {"met": "green", "not met": "bold red", "broken": "bold red", "skipped": "yellow", "reported": ""}


def table(rows: Iterable[Row], quick: bool) -> Table:
    """All rows for a terminal."""
    out = Table(title="Benchmarks, quick: fewer pairs, small sizes" if quick else "Benchmarks", title_justify="left")
    for heading in ("What", "Target", "Measured (quartiles)", "", "Note"):
        out.add_column(heading, no_wrap=heading == "")
    for row in rows:
        texts = (row.what, row.target, row.shown, Text(row.verdict, _STYLE[row.verdict]), Text(row.note))
        out.add_row(*texts)
    return out


def as_json(rows: Iterable[Row], quick: bool) -> str:
    """All rows and the machine."""
    extra = [asdict(row) | {"target": row.target, "verdict": row.verdict} for row in rows]
    return json.dumps({"machine": machine(), "quick": quick, "rows": extra}, indent=2, ensure_ascii=False)


def from_json(text: str) -> dict[str, Row]:
    """Rows of `as_json`, by name."""
    found = {}
    for data in json.loads(text)["rows"]:
        known = {key: value for key, value in data.items() if key in Row.__dataclass_fields__}
        spread = None if known["spread"] is None else Spread(**known["spread"])
        found[known["name"]] = Row(**known | {"spread": spread})
    return found


def as_markdown(rows: Iterable[Row], quick: bool) -> str:
    """All rows and the machine as a Markdown section."""
    about = ", ".join(f"{key} {value}" for key, value in machine().items())
    lines = [
        f"Measured on: {about}." + (" Quick: fewer pairs, small sizes." if quick else ""),
        "",
        "| What | Target | Measured (quartiles) | | Note |",
        "|---|---|---|---|---|",
        *(f"| {row.what} | {row.target} | {row.shown} | {row.verdict} | {row.note} |" for row in rows),
    ]
    return "\n".join(lines)


def write_markdown(rows: Iterable[Row], quick: bool, file: Path, topic: str = "") -> None:
    """Replace what stands between the two markers in a file.

    Raises:
        ValueError: the file lacks the markers.
    """
    first, last = markers(topic)
    text = file.read_text(encoding="utf-8")
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"{file}: no block between {first} and {last}")
    file.write_text(f"{before}{first}\n\n{as_markdown(rows, quick)}\n\n{last}{after}", encoding="utf-8")
