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

_VISIBLE = 0.02  # spreads: less is not drawn
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


def study_pairs(panels: Mapping[str, pd.DataFrame], moves: pd.DataFrame) -> Figure:
    """Effects with conduct fixed (hollow) and free (filled) with 95 % intervals; last panel: how far conduct moves.

    Args:
        panels: by title a table with columns name and, for `fixed` and `free`, the value, `_low` and `_high`.
        moves: columns name, label (of the trait that moves most), in_spreads.
    """
    names = list(dict.fromkeys(name for table in panels.values() for name in table["name"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.2 + 2.9 * (len(panels) + 1), 1.6 + 0.33 * len(names)), layout="constrained")
        axes = figure.subplots(1, len(panels) + 1, sharey=True)
        for ax, (title, table) in zip(axes, panels.items(), strict=False):
            for row in table.to_dict("records"):
                place = len(names) - 1 - names.index(row["name"])
                for conduct, above in (("fixed", 0.15), ("free", -0.15)):
                    _paired_dot(ax, place + above, row, conduct)
            ax.set_title(title, fontsize=9)
            ax.xaxis.set_major_locator(MaxNLocator(4))
            ax.xaxis.set_major_formatter(_number)
        for row in moves.to_dict("records"):
            place, moved = len(names) - 1 - names.index(row["name"]), row["in_spreads"]
            if abs(moved) < _VISIBLE:
                continue
            axes[-1].barh(place, moved, height=0.5, color=LINES[0][0], alpha=0.6)
            side = 1 if moved >= 0.0 else -1
            axes[-1].annotate(
                row["label"], (moved, place), (3 * side, 0), textcoords="offset points", fontsize=7, va="center",
                ha="left" if side > 0 else "right",
            )  # fmt: skip
        axes[-1].margins(x=0.6)
        axes[-1].set_title("Trait that moves most\nspreads between firms", fontsize=9)
        for ax in axes:
            _zero(ax, ax.axvline)
        axes[0].set_yticks(range(len(names)), names[::-1])
        axes[0].set_ylim(-0.6, len(names) - 0.4)
        handles, labels = axes[0].get_legend_handles_labels()
        by_label = dict(zip(labels, handles, strict=True))
        figure.legend(by_label.values(), by_label.keys(), loc="outside upper left", ncols=2)
        figure.supxlabel("difference from no policy, 95 % interval", fontsize=9, color=INK)
    return figure


def _paired_dot(ax: Axes, place: float, row: Mapping[Any, Any], conduct: str) -> None:
    colour = LINES[0][0] if conduct == "free" else LINES[1][0]
    fill = colour if conduct == "free" else "white"
    ax.plot([row[f"{conduct}_low"], row[f"{conduct}_high"]], [place, place], color=colour, linewidth=1.1)
    look: Any = {"marker": "o" if conduct == "free" else "s", "markersize": 4, "linestyle": ""}
    ax.plot(row[conduct], place, color=colour, markerfacecolor=fill, label=f"conduct {conduct}", **look)


def study_fading(panels: Mapping[str, pd.DataFrame], start: int, end: int) -> Figure:
    """What programmes changed in conduct over time, where they go on and where they end: a panel for each.

    Args:
        panels: by title a row a quarter, columns `standing` and `ended` [spreads].
        start: first quarter of programmes. end: first quarter after those that end.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.5 * len(panels), 3.0), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, (title, paths) in zip(axes, panels.items(), strict=True):
            for name, (colour, dashes) in zip(("standing", "ended"), LINES, strict=False):
                ax.plot(paths.index, paths[name], color=colour, linestyle=dashes, label=name)
            for quarter in (start, end):
                ax.axvline(quarter, color="#bbbbbb", linewidth=0.8, zorder=0)
            _zero(ax, ax.axhline)
            ax.set_title(title, fontsize=9)
            ax.xaxis.set_major_locator(MaxNLocator(4))
        handles, _ = axes[0].get_legend_handles_labels()
        figure.legend(handles, ["goes on", "ends after ten years"], loc="outside upper left", ncols=2)
        figure.supxlabel("quarter", fontsize=9, color=INK)
        figure.supylabel("difference from no policy, spreads", fontsize=9, color=INK)
    return figure


def _number(value: float, _place: float) -> str:
    return significant(value, 6)


def _zero(ax: Axes, line: Any) -> None:
    line(0.0, color="#777777", linewidth=0.8, zorder=0)
