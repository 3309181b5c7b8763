"""Figures of studies: what each cell changed, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from district_sim.figures.compare import Look, dot
from district_sim.figures.style import INK, LINES, STYLE
from district_sim.text.numbers import significant

_MARKERS = ("o", "s", "^")
_DOT = Look(*LINES[0], "o")


def study_dots(points: pd.DataFrame, outcomes: Mapping[str, str], scale: Mapping[str, float]) -> Figure:
    """Differences from a cell's reference with 95 % intervals: a panel for each outcome, a row for each cell.

    Hollow diamonds are references, which the cells below them are compared with.

    Args:
        points: columns cell, against, outcome, difference, low, high. outcomes: from name to the panel's title.
        scale: by outcome what a difference is multiplied by.
    """
    cells = list(dict.fromkeys(points["cell"]))
    with mpl.rc_context(STYLE):
        size = (2.3 + 2.2 * len(outcomes), 1.3 + 0.34 * len(cells))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(1, len(outcomes), squeeze=False, sharey=True)[0]
        for ax, (outcome, title) in zip(axes, outcomes.items(), strict=True):
            part = points[points["outcome"] == outcome]
            for row in part.to_dict("records"):
                place = len(cells) - 1 - cells.index(row["cell"])
                if row["cell"] == row["against"]:
                    ax.plot(0.0, place, marker="D", markersize=5, markerfacecolor="white", color="#555555")
                    continue
                dot(ax, _DOT, place, *(scale[outcome] * row[name] for name in ("difference", "low", "high")))
            _zero(ax, ax.axvline)
            ax.set_title(title, fontsize=9)
            ax.xaxis.set_major_locator(MaxNLocator(4))
            ax.xaxis.set_major_formatter(_number)
        axes[0].set_yticks(range(len(cells)), cells[::-1])
        axes[0].set_ylim(-0.6, len(cells) - 0.4)
        figure.supxlabel("difference from the reference (hollow) above it, 95 % interval", fontsize=9, color=INK)
    return figure


def study_lines(points: pd.DataFrame, outcomes: Mapping[str, str], scale: Mapping[str, float], axis: str) -> Figure:
    """Differences from the reference with 95 % intervals over an axis: a panel for each outcome, a line for each line.

    Args:
        points: columns line, at, outcome, difference, low, high; rows without a place are left out.
        outcomes: from name to the panel's title. scale: by outcome what a difference is multiplied by.
        axis: what `at` is.
    """
    placed = points[points["at"].notna()]
    lines = list(dict.fromkeys(placed["line"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * len(outcomes), 3.5), layout="constrained")
        axes = figure.subplots(1, len(outcomes), squeeze=False)[0]
        for ax, (outcome, title) in zip(axes, outcomes.items(), strict=True):
            for name, (colour, dashes), marker in zip(lines, LINES, _MARKERS, strict=False):
                part = placed[(placed["outcome"] == outcome) & (placed["line"] == name)].sort_values("at")
                middle, low, high = (
                    scale[outcome] * part[column].to_numpy() for column in ("difference", "low", "high")
                )
                errors = np.nan_to_num([middle - low, high - middle]).clip(min=0.0)
                look: Any = {"color": colour, "linestyle": dashes, "marker": marker, "markersize": 4, "capsize": 2}
                ax.errorbar(part["at"], middle, errors, elinewidth=0.9, label=name, **look)
            _zero(ax, ax.axhline)
            ax.set_title(title, fontsize=9)
            ax.set_xticks(sorted(set(placed["at"])))
            ax.yaxis.set_major_locator(MaxNLocator(5))
            ax.yaxis.set_major_formatter(_number)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(lines))
        figure.supxlabel(axis, fontsize=9, color=INK)
        figure.supylabel("difference from the reference", fontsize=9, color=INK)
    return figure


def _number(value: float, _place: float) -> str:
    return significant(value, 6)


def _zero(ax: Axes, line: Any) -> None:
    line(0.0, color="#777777", linewidth=0.8, zorder=0)
