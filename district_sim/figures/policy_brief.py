"""The policy brief as pages of A4: words, a table and figures, without LaTeX or a browser."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from district_sim.figures.compare import Look, name_rows
from district_sim.figures.policy_report import report_looks
from district_sim.figures.style import INK, STYLE, time_axis
from district_sim.run.whole_files import write_whole
from district_sim.scenario.calendar import Calendar
from district_sim.text.numbers import number, significant

_WIDTH, _HEIGHT = 8.27, 11.69  # inches: A4
_SIDE, _TOP, _FOOT = 0.75, 0.65, 0.65  # margins, inches
_POINT = 1.0 / 72.0  # inches
_LEADING = 1.32  # height of a line in its type
_SMALLEST = 0.62  # to what type may shrink so that a page holds its words
_GREY = "#555555"
_YEAR = 4.0  # quarters
_GAP = 0.14  # inches between the columns of a table

type Kind = Literal["kicker", "title", "asked", "lead", "heading", "text", "bullet", "small"]
_TYPE: Mapping[Kind, tuple[float, float, str, str, float]] = {
    # size, space before, weight, style, indent in points
    "kicker": (8.0, 0.0, "normal", "normal", 0.0),
    "title": (17.0, 2.0, "bold", "normal", 0.0),
    "asked": (10.5, 4.0, "normal", "italic", 0.0),
    "lead": (11.5, 9.0, "bold", "normal", 0.0),
    "heading": (10.5, 11.0, "bold", "normal", 0.0),
    "text": (9.0, 4.0, "normal", "normal", 0.0),
    "bullet": (9.0, 3.0, "normal", "normal", 11.0),
    "small": (7.2, 5.0, "normal", "normal", 0.0),
}


class Words(NamedTuple):
    """A paragraph."""

    kind: Kind
    text: str


class Cells(NamedTuple):
    """A table: the first column is words, the others numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Plot(NamedTuple):
    """A figure within a page."""

    name: str
    draw: Callable[[Axes], object]
    height: float
    """Inches."""
    left: float = 0.9
    """Inches for the names at the left."""


type Block = Words | Cells | Plot
type Page = Figure


def brief_pages(pages: Sequence[Sequence[Block]], foot: str) -> list[Page]:
    """A figure for each page; words that would run over a page are set smaller.

    Args:
        pages: their blocks from the top down. foot: a line at the bottom, beside the page's number.
    """
    made = []
    with mpl.rc_context(STYLE):
        for number, blocks in enumerate(pages, start=1):
            scale = next((s for s in np.arange(1.0, _SMALLEST, -0.03) if _fits(blocks, float(s))), _SMALLEST)
            figure = Figure(figsize=(_WIDTH, _HEIGHT))
            _set(figure, blocks, float(scale))
            style: Any = {"fontsize": 7.5, "color": _GREY, "va": "bottom"}
            figure.text(_SIDE / _WIDTH, 0.35 / _HEIGHT, foot, **style)
            figure.text(1.0 - _SIDE / _WIDTH, 0.35 / _HEIGHT, f"{number} of {len(pages)}", ha="right", **style)
            made.append(figure)
    return made


def as_figure(plot: Plot) -> Figure:
    """A figure of a page alone, as wide as its words."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH - 2 * _SIDE, plot.height), layout="constrained")
        plot.draw(figure.subplots())
    return figure


def save_pages(figures: Sequence[Page], path: Path, title: str) -> Path:
    """Write pages as one PDF, whole: the same bytes for the same pages. Raises OSError."""

    def write(to: Path) -> None:
        about = {"Title": title, "Creator": None, "Producer": None, "CreationDate": None}
        with mpl.rc_context(STYLE | {"pdf.fonttype": 42}), PdfPages(to, metadata=about) as pdf:
            for figure in figures:
                pdf.savefig(figure)

    return write_whole(path, write)


# Setting ------------------------------------------------------------------------------------------


def _fits(blocks: Sequence[Block], scale: float) -> bool:
    return sum(_height(block, scale) for block in blocks) <= _HEIGHT - _TOP - _FOOT


def _height(block: Block, scale: float) -> float:
    if isinstance(block, Plot):
        return block.height + 0.1
    if isinstance(block, Cells):
        return sum(height for height, _ in _table_lines(block, scale)) + 0.14
    size, before, *_ = _TYPE[block.kind]
    return scale * (before + len(_lines(block, scale)) * size * _LEADING) * _POINT


def _set(figure: Figure, blocks: Sequence[Block], scale: float) -> None:
    """Put the blocks on the page from the top down."""
    down = _TOP
    for block in blocks:
        if isinstance(block, Plot):
            box = (_SIDE + block.left, down + 0.05, _WIDTH - 2 * _SIDE - block.left, block.height - 0.5)
            left, top, width, height = box
            rectangle = (left / _WIDTH, 1.0 - (top + height) / _HEIGHT, width / _WIDTH, height / _HEIGHT)
            block.draw(figure.add_axes(rectangle))
        elif isinstance(block, Cells):
            _set_table(figure, block, down, scale)
        else:
            _set_words(figure, block, down, scale)
        down += _height(block, scale)


def _set_words(figure: Figure, block: Words, down: float, scale: float) -> None:
    size, before, weight, slant, indent = _TYPE[block.kind]
    down += scale * before * _POINT
    for n, line in enumerate(_lines(block, scale)):
        y = 1.0 - (down + scale * n * size * _LEADING * _POINT) / _HEIGHT
        style: Any = {"fontsize": scale * size, "weight": weight, "style": slant, "va": "top", "color": INK}
        if block.kind == "bullet" and not n:
            figure.text((_SIDE + 2.0 * _POINT) / _WIDTH, y, "•", **style)
        figure.text((_SIDE + scale * indent * _POINT) / _WIDTH, y, line, **style)


def _lines(block: Words, scale: float) -> list[str]:
    size, _, weight, slant, indent = _TYPE[block.kind]
    text = block.text.upper() if block.kind == "kicker" else block.text
    return list(_wrapped(text, _font(scale * size, weight, slant), _WIDTH - 2 * _SIDE - scale * indent * _POINT))


def _font(size: float, weight: str = "normal", slant: str = "normal") -> FontProperties:
    return FontProperties(family="DejaVu Sans", size=size, weight=weight, style=slant)  # type: ignore[arg-type]


def _inches(text: str, font: FontProperties) -> float:
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) * _POINT


def _wrapped(text: str, font: FontProperties, width: float) -> Iterator[str]:
    """Lines no wider than so many inches; a word that is wider stands alone."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and _inches(longer, font) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line


_CELL = 7.8  # points


def _table_lines(block: Cells, scale: float) -> list[tuple[float, list[tuple[float, list[str]]]]]:
    """Height of each row, and for each cell its right (of the first: left) edge and its lines."""
    font, bold = _font(scale * _CELL), _font(scale * _CELL, "bold")
    rows, whole = [block.columns, *block.rows], _WIDTH - 2 * _SIDE
    widths = [
        max(_inches(word, bold if not k else font) for k, row in enumerate(rows) for word in row[n].split("\n"))
        for n in range(len(block.columns))
    ]
    first = max(1.1, whole - sum(widths[1:]) - _GAP * (len(widths) - 1))
    spare = max(0.0, first - widths[0]) / max(1, len(widths) - 1)
    edges, made = [0.0], []
    for width in widths[1:]:
        edges.append(
            edges[-1] + width + _GAP + spare if len(edges) > 1 else min(first, widths[0]) + width + _GAP + spare
        )
    for k, row in enumerate(rows):
        cells = [
            (edges[n], list(_wrapped(cell, bold if not k else font, first)) if not n else cell.split("\n"))
            for n, cell in enumerate(row)
        ]
        lines = max(1, *(len(told) for _, told in cells))
        made.append((scale * (lines * _CELL * _LEADING + 5.0) * _POINT, cells))
    return made


def _set_table(figure: Figure, block: Cells, down: float, scale: float) -> None:
    down += 0.08
    for k, (height, cells) in enumerate(_table_lines(block, scale)):
        for n, (edge, lines) in enumerate(cells):
            for m, line in enumerate(lines):
                y = 1.0 - (down + scale * (2.0 + m * _CELL * _LEADING) * _POINT) / _HEIGHT
                style: Any = {"fontsize": scale * _CELL, "va": "top", "color": INK}
                style |= {"ha": "right" if n else "left", "weight": "normal" if k else "bold"}
                figure.text((_SIDE + edge) / _WIDTH, y, line, **style)
        down += height
        ends = [_SIDE / _WIDTH, 1.0 - _SIDE / _WIDTH]
        rule = mpl.lines.Line2D(ends, [1.0 - down / _HEIGHT] * 2, color=_GREY, linewidth=0.4 if k else 0.9)
        figure.add_artist(rule)


# Figures ------------------------------------------------------------------------------------------


def _thousands(value: float, _: object) -> str:
    """A mark of an axis as numbers are written elsewhere."""
    return number(value, 0) if abs(value) >= 10.0 else significant(value, 3)


def draw_effects(ax: Axes, rows: Sequence[Mapping[str, Any]], cells: Sequence[str], label: str) -> None:
    """The effect of each policy: mean and its interval (thick), and where it lies in one district (thin).

    Args:
        rows: cell, difference, low, high, and band_low, band_high; shown as they are.
        cells: in the order of the looks; the first is the counterfactual. label: of the axis.
    """
    looks = report_looks(cells)
    for place, row in enumerate(reversed(rows)):
        look: Look = looks[row["cell"]]
        ax.plot([row["band_low"], row["band_high"]], [place, place], color=look.colour, linewidth=1.0)
        ax.plot([row["low"], row["high"]], [place, place], color=look.colour, linewidth=4.0, solid_capstyle="butt")
        ax.plot(
            [row["difference"]], [place], color=look.colour, marker=look.marker, markersize=6, markeredgecolor="white"
        )
    ax.axvline(0.0, color=_GREY, linewidth=0.9, zorder=0)
    name_rows(ax, [row["name"] for row in rows])
    ax.set_xlabel(label)
    ax.xaxis.set_major_formatter(_thousands)


def draw_over_time(
    ax: Axes, table: pd.DataFrame, cells: Sequence[str], label: str, scale: float, calendar: Calendar | None
) -> None:
    """Mean effect of each policy over time with its interval.

    Args:
        table: cell, quarter, low, difference, high of one indicator. cells: the first is the counterfactual.
        label: of the axis. scale: by which values are multiplied. calendar: of the run, if it has dates; without dates
            years are counted.
    """
    looks, unit = report_looks(cells), 1.0 if calendar else _YEAR
    for cell in cells[1:]:
        line, look = table[table["cell"] == cell], looks[cell]
        low, middle, high = (scale * line[name].to_numpy() for name in ("low", "difference", "high"))
        when = line["quarter"].to_numpy() / unit
        ax.fill_between(when, low, high, color=look.colour, alpha=0.18, linewidth=0)
        ax.plot(when, middle, color=look.colour, linestyle=look.dashes, label=cell)
    ax.axhline(0.0, color=_GREY, linewidth=0.8, zorder=0)
    ax.set_xlim(0, float(table["quarter"].max()) / unit)
    time_axis(ax, calendar, 8)
    ax.set_xlabel("year")
    ax.set_ylabel(label)
    ax.yaxis.set_major_formatter(_thousands)
    ax.legend(loc="upper left", fontsize=7, handlelength=3.0)
