"""What a class saw, for the notes: what it said as bars, its districts as a table, chosen runs as lines."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from district_sim.figures.style import INK, STYLE

_WIDTH, _ROW, _CHART = 9.0, 0.26, 1.9  # inches: of all, of a row, of a chart
_LINES = (("#1f4e79", "-"), ("#b4590f", "--"))
_PALE = "#9a9a9a"
_LONGEST = 60  # letters of a name


class Line(NamedTuple):
    """A run in a chart."""

    name: str
    values: Sequence[float]
    """By quarter; NaN where undefined."""
    pale: bool = False
    """Whether it is what the others are compared with."""


def class_picture(
    title: str,
    bars: Sequence[tuple[str, int, bool]] = (),
    table: Sequence[Sequence[str]] = (),
    charts: Sequence[tuple[str, Sequence[Line]]] = (),
) -> Figure:
    """One step of a lesson.

    Args:
        bars: each answer, how often it was given, and whether it is right.
        table: rows of cells, the heads first.
        charts: the label of each, and its runs.
    """
    rows = -(-len(charts) // 2)
    heights = [_ROW * max(3, len(bars) + 1)] * bool(bars) + [_ROW * (len(table) + 1)] * bool(table) + [_CHART] * rows
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 0.7 + sum(heights) + 0.4 * len(heights)), layout="constrained")
        figure.suptitle(title, color=INK, fontsize=13)
        grid = figure.add_gridspec(max(1, len(heights)), 2, height_ratios=heights or [1.0])
        at = 0
        if bars:
            ax = figure.add_subplot(grid[at, :])
            names = [text[:_LONGEST] for text, _, _ in bars]
            drawn = ax.barh(range(len(bars)), [count for _, count, _ in bars], color=_LINES[0][0])
            ax.bar_label(drawn, padding=3)
            for bar, (_, _, right) in zip(drawn, bars, strict=True):
                if right:
                    bar.set(color="#1d6b45", hatch="//", edgecolor="white")
            ax.set_yticks(range(len(bars)), names)
            ax.invert_yaxis()
            ax.xaxis.set_visible(False)
            at += 1
        if table:
            ax = figure.add_subplot(grid[at, :])
            ax.axis("off")
            cells = [[text[:_LONGEST] for text in row] for row in table]
            made = ax.table(cells[1:] or [[""] * len(cells[0])], colLabels=cells[0], loc="center", cellLoc="left")
            made.auto_set_font_size(False)
            made.set_fontsize(8.5)
            made.auto_set_column_width(range(len(cells[0])))
            at += 1
        for number, (label, lines) in enumerate(charts):
            ax = figure.add_subplot(grid[at + number // 2, number % 2])
            styles = iter(_LINES)
            for line in lines:
                colour, dash = (_PALE, "-") if line.pale else next(styles, _LINES[0])
                name = line.name[:_LONGEST]
                ax.plot(range(1, len(line.values) + 1), line.values, color=colour, ls=dash, label=name)
            ax.set_title(label, loc="left", fontsize=9)
            ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
            if number == 0 and any(line.name for line in lines):
                ax.legend(fontsize=8)
    return figure
