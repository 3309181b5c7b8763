"""Figures of the policy report: as wide as the text of an A4 page, so that type keeps its size in print."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from district_sim.figures.compare import Look, dot, forest, in_hundredths, key_of, name_rows
from district_sim.figures.style import INK, STYLE, drawn_as, scale_y, time_axis, time_word, within
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, in_percent, outcome_name, record_of
from district_sim.text.numbers import percent, significant

if TYPE_CHECKING:
    from district_sim.experiments.compare import Comparison
    from district_sim.scenario.calendar import Calendar

_WIDTH = 6.9  # inches: A4 less margins
_TALLEST = 9.0  # inches: what a page has room for, with the caption
_LETTERS, _KEY_LETTERS = 105, 9  # of a legend's row, and as wide as a key's line and gaps
_MIXES = (
    Look("#0072b2", (0, (5, 1.5)), "s"),
    Look("#e69f00", "-", "D"),
    Look("#009e73", (0, (1, 1)), "^"),
    Look("#d55e00", (0, (5, 1.5, 1, 1.5)), "v"),
    Look("#cc79a7", (0, (8, 2)), "P"),
    Look("#56b4e9", (0, (3, 1, 1, 1, 1, 1)), "X"),
    Look("#8a7a00", (0, (2, 2)), "p"),
    Look("#999999", (0, (12, 3)), "*"),
)
"""Okabe & Ito's colours (2008), distinct for colour-blind readers, in an order that differs in grey; two more."""
WATCHED = ("value_added_local", "employment", "wage", "survival", "radical_rate", "gini", "trust")
"""Indicators shown over time."""
_GREY = "#555555"


def report_looks(cells: Sequence[str]) -> dict[str, Look]:
    """A look for each mix; the counterfactual, which comes first, is a dark solid line."""
    mixes = {cell: _MIXES[number % len(_MIXES)] for number, cell in enumerate(cells[1:])}
    return {cells[0]: Look(INK, "-", "o")} | mixes


def _keys(cells: Sequence[str], looks: Mapping[str, Look], line: bool) -> list[Line2D]:
    return [key_of(looks[cell], cell, line) for cell in cells]


def _legend(figure: Figure, keys: Sequence[Line2D]) -> None:
    letters = [len(str(key.get_label())) + _KEY_LETTERS for key in keys]
    across = len(keys) if sum(letters) <= _LETTERS else max(1, _LETTERS // max(letters))
    figure.legend(handles=list(keys), loc="outside lower center", ncols=across, handlelength=3.0)


# Over time ----------------------------------------------------------------------------------------


def over_time(
    table: pd.DataFrame,
    cells: Sequence[str],
    coverage: float,
    begins: int,
    onset: int,
    calendar: "Calendar | None" = None,
) -> Figure:
    """Indicators over time: median and band of the replicates under each mix.

    Args:
        table: cell, quarter, indicator, low, median, high.
        cells: in the order wanted.
        coverage: share of the replicates inside the band.
        begins: first quarter of a policy, 0 the first of the run. onset: of globalisation.
        calendar: of the run, if it has dates.
    """
    title = f"Lines: median of the replicates\nBands: {percent(coverage)} of them"
    figure, axes = _panels(table, cells, cells, "median", title, (begins, onset), calendar)
    with mpl.rc_context(STYLE):
        for ax, record in zip(axes, map(record_of, WATCHED), strict=True):
            unit, scale = drawn_as(record)
            top = scale * float(table.loc[table["indicator"] == record.name, "high"].max())
            scale_y(ax, unit, max(top, 0.1) if scale != 1.0 else top, record.decimals)
    return figure


def effects_over_time(
    table: pd.DataFrame,
    cells: Sequence[str],
    confidence: float,
    begins: int,
    onset: int,
    calendar: "Calendar | None" = None,
) -> Figure:
    """Mean paired differences from the counterfactual over time, with confidence bands.

    Args:
        table: cell, quarter, indicator, low, difference, high.
        cells: the first is the counterfactual.
        confidence: of the bands.
        begins: first quarter of a policy. onset: of globalisation. calendar: of the run, if it has dates.
    """
    title = f"Lines: mean paired difference from {cells[0]}\nBands: {100 * confidence:g} % confidence"
    figure, axes = _panels(table, cells, cells[1:], "difference", title, (begins, onset), calendar)
    with mpl.rc_context(STYLE):
        for ax, record in zip(axes, map(record_of, WATCHED), strict=True):
            ax.axhline(0.0, color=_GREY, linewidth=0.8, zorder=0)
            points, (unit, _) = record.unit == "share", drawn_as(record)
            ax.set_ylabel("percentage points" if points else unit.replace("%", "percentage points"))
            ax.yaxis.set_major_formatter(partial(_signed, 100.0 if points else 1.0))
            ax.yaxis.set_major_locator(MaxNLocator(4))
    return figure


def _signed(scale: float, value: float, _: object) -> str:
    return significant(scale * value, 10, sign=True)


def _panels(
    table: pd.DataFrame,
    cells: Sequence[str],
    drawn: Sequence[str],
    middle: str,
    title: str,
    marks: tuple[int, int],
    calendar: "Calendar | None",
) -> tuple[Figure, list[Axes]]:
    """Small multiples of `WATCHED` over time, with the legend where the last one would stand."""
    looks, moments = report_looks(cells), _moments(*marks)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 7.0), layout="constrained")
        axes = list(figure.subplots(4, 2, sharex=True).flat)
        for ax, record in zip(axes, map(record_of, WATCHED), strict=False):
            part, (_, scale) = table[table["indicator"] == record.name], drawn_as(record)
            for cell in drawn:
                line, look = part[part["cell"] == cell], looks[cell]
                ax.fill_between(
                    line["quarter"],
                    scale * line["low"],
                    scale * line["high"],
                    color=look.colour,
                    alpha=0.15,
                    linewidth=0,
                )
                dot = "." if len(line) == 1 else "none"
                ax.plot(line["quarter"], scale * line[middle], color=look.colour, linestyle=look.dashes, marker=dot)
            for quarter, dashes in moments.values():
                ax.axvline(quarter, color=_GREY, linewidth=0.9, linestyle=dashes, zorder=0)
            ax.set_xlim(0, float(table["quarter"].max()))
            ax.set_title(record.label)
            time_axis(ax, calendar, 6)
        axes[-1].axis("off")
        axes[5].xaxis.set_tick_params(labelbottom=True)
        for ax in axes[5:7]:
            ax.set_xlabel(time_word(calendar))
        lines = [
            Line2D([], [], color=_GREY, linewidth=0.9, linestyle=dashes, label=name)
            for name, (_, dashes) in moments.items()
        ]
        key: Any = {"handlelength": 3.2, "title": title, "alignment": "left", "title_fontsize": 8}
        axes[-1].legend(handles=[*_keys(drawn, looks, line=True), *lines], loc="center left", **key)
    return figure, axes[:-1]


def _moments(begins: int, onset: int) -> dict[str, tuple[int, Any]]:
    """What begins when, and how its line is drawn."""
    dotted, dashed = (0, (1, 1)), (0, (6, 3))
    if begins == onset:
        return {"policy and globalisation begin": (onset, dashed)}
    return {"first policy begins": (begins, dotted), "globalisation begins": (onset, dashed)}


# Effects ------------------------------------------------------------------------------------------


def effects(found: "Comparison") -> Figure:
    """Paired differences from the counterfactual: quantities in per cent of its mean, shares and indices as such."""
    table, looks = found.differences, report_looks(found.cells)
    outcomes = list(dict.fromkeys(table["outcome"]))
    shares = [name for name in outcomes if in_hundredths(name)]
    parts = [([o for o in outcomes if o not in shares], True), (shares, False)]
    parts = [(names, relative) for names, relative in parts if names]
    row = _row_height(0.24 + 0.13 * (len(found.cells) - 1), len(outcomes))
    with mpl.rc_context(STYLE):
        heights = [len(names) * row + 0.1 for names, _ in parts]
        figure = Figure(figsize=(_WIDTH, sum(heights) + 0.62 * len(parts) + 0.45), layout="constrained")
        axes = figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
        for ax, (names, relative) in zip(axes, parts, strict=True):
            forest(ax, table[table["outcome"].isin(names)], names, found.cells[1:], looks, relative)
            per_cent = f"difference, % of the mean under {found.counterfactual}"
            ax.set_xlabel(per_cent if relative else "difference, percentage points (indices: hundredths)")
        keys = _keys(found.cells[1:], looks, line=False)
        _legend(figure, [*keys, _interval_key(found.confidence)])
    return figure


def _row_height(wanted: float, rows: int) -> float:
    """In inches, so that all rows, with what stands around them, fit a page."""
    return min(wanted, (_TALLEST - 2.2) / rows)


def _interval_key(confidence: float) -> Line2D:
    return Line2D([], [], color=_GREY, label=f"{100 * confidence:g} % interval")


# Tail risk ----------------------------------------------------------------------------------------


def tails(ratios: pd.DataFrame, cells: Sequence[str], loss: float, years: str = "calm years") -> Figure:
    """How many replicates end at or below each level of their own calm years, for each outcome.

    Args:
        ratios: cell, outcome, ratio (late over calm).
        cells: in the order wanted.
        loss: that counts; its line is drawn.
        years: what the years are called with which the last ones are compared.
    """
    looks, outcomes = report_looks(cells), list(dict.fromkeys(ratios["outcome"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 3.1), layout="constrained")
        for ax, name in zip(figure.subplots(1, len(outcomes), squeeze=False)[0], outcomes, strict=True):
            for cell in cells:
                of = ratios[(ratios["cell"] == cell) & (ratios["outcome"] == name)]["ratio"].dropna()
                look = looks[cell]
                ax.ecdf(100.0 * of, color=look.colour, linestyle=look.dashes, linewidth=1.6)
            ax.axvline(100.0 * (1.0 - loss), color=_GREY, linewidth=0.9, linestyle=(0, (1, 1)), zorder=0)
            ax.set_title(record_of(name).label)
            ax.set_xlabel(f"last years, % of the {years}")
            ax.set_ylabel("replicates at or below")
            ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            ax.xaxis.set_major_locator(MaxNLocator(6))
        mark = Line2D([], [], color=_GREY, linewidth=0.9, linestyle=(0, (1, 1)), label=f"{percent(loss)} lost")
        _legend(figure, [*_keys(cells, looks, line=True), mark])
    return figure


# Trajectories -------------------------------------------------------------------------------------


def trajectory_dots(table: pd.DataFrame, cells: Sequence[str], confidence: float) -> Figure:
    """Probability of each trajectory that occurs, with its interval, under each mix.

    Args:
        table: as `compare.trajectory_shares` gives it.
    """
    looks = report_looks(cells)
    occurring = [t for t in Trajectory if table.loc[table["trajectory"] == t.value, "count"].any()]
    step = 0.6 / max(1, len(cells) - 1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 1.1 + len(occurring) * (0.25 + 0.13 * len(cells))), layout="constrained")
        ax = figure.subplots()
        for place, trajectory in enumerate(occurring[::-1]):
            for number, cell in enumerate(cells):
                row = table[(table["trajectory"] == trajectory.value) & (table["cell"] == cell)].iloc[0]
                at = place + step * ((len(cells) - 1) / 2.0 - number) if len(cells) > 1 else place
                dot(ax, looks[cell], at, *(100.0 * float(row[name]) for name in ("share", "low", "high")))
        name_rows(ax, [TRAJECTORY_NAMES[t] for t in occurring])
        ax.set_xlim(0.0, 100.0)
        within(ax, "x", high=100.0)
        ax.set_xlabel("% of the replicates")
        _legend(figure, [*_keys(cells, looks, line=False), _interval_key(confidence)])
    return figure


# Who gains ----------------------------------------------------------------------------------------

_GAINS = {"jobs": "jobs, employees", "value_added": "value added, k€ a quarter"}
_SORTS = {"phase": "By phase", "size": "By size", "owner": "By owner", "member": "By membership in the agency"}


def who_gains(table: pd.DataFrame, cells: Sequence[str], confidence: float) -> Figure:
    """Differences at the end by what firms were before the first policy.

    Args:
        table: as `reports.policy_report.groups.gains` gives it.
        cells: mixes; the first is the counterfactual.
    """
    looks, sorts = report_looks(cells), list(dict.fromkeys(table["sort"]))
    names = {sort: list(dict.fromkeys(table.loc[table["sort"] == sort, "group"])) for sort in sorts}
    row = _row_height(0.16 + 0.085 * (len(cells) - 1), sum(map(len, names.values())))
    heights = [len(names[sort]) * row + 0.1 for sort in sorts]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, sum(heights) + 0.36 * len(sorts) + 0.7), layout="constrained")
        grid = figure.subplots(
            len(sorts), len(_GAINS), squeeze=False, height_ratios=heights, sharex="col", sharey="row"
        )
        for axes, sort in zip(grid, sorts, strict=True):
            axes[0].set_title(_SORTS[sort])
            for ax, measure in zip(axes, _GAINS, strict=True):
                _gain_rows(
                    ax, table[(table["sort"] == sort) & (table["measure"] == measure)], names[sort], cells, looks
                )
        for ax, label in zip(grid[-1], _GAINS.values(), strict=True):
            ax.set_xlabel(f"difference, {label}")
        _legend(figure, [*_keys(cells[1:], looks, line=False), _interval_key(confidence)])
    return figure


def _gain_rows(
    ax: Axes, table: pd.DataFrame, groups: Sequence[str], cells: Sequence[str], looks: Mapping[str, Look]
) -> None:
    step: float = 0.6 / max(1, len(cells) - 2)
    for row in table.to_dict("records"):
        if not np.isfinite(row["difference"]):
            continue
        at = float(len(groups) - 1 - groups.index(row["group"]))
        at += step * ((len(cells) - 2) / 2.0 - (cells.index(row["cell"]) - 1)) if len(cells) > 2 else 0.0
        dot(ax, looks[row["cell"]], at, row["difference"], row["low"], row["high"])
    ax.axvline(0.0, color=_GREY, linewidth=0.8, zorder=0)
    name_rows(ax, groups)
    ax.xaxis.set_major_locator(MaxNLocator(5))


# Sensitivity --------------------------------------------------------------------------------------


def sensitivity_ends(
    table: pd.DataFrame, cells: Sequence[str], outcome: str, confidence: float, units: Mapping[str, str]
) -> Figure:
    """The effect of each mix at the ends and at the base of the range of each important parameter.

    Args:
        table: as `reports.policy_report.sensitivity.Sensitivity.ends`.
        cells: mixes; the first is the counterfactual.
        outcome: the headline.
        confidence: of the intervals.
        units: of the parameters.
    """
    looks, paths = report_looks(cells), list(dict.fromkeys(table["parameter"]))
    scale = 100.0 if in_percent(outcome) else 1.0
    across = min(3, len(paths))
    down = -(-len(paths) // across)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 2.35 * down + 0.5), layout="constrained")
        axes = list(figure.subplots(down, across, squeeze=False, sharey=True).flat)
        for ax, path in zip(axes, paths, strict=False):
            _end_lines(ax, table[table["parameter"] == path], cells, looks, scale)
            ax.set_title(path.replace(".", ".\n", 1), fontsize=8.5)
            ax.set_xlabel(units[path] if units[path] != "1" else "no unit", fontsize=8)
        for ax in axes[len(paths) :]:
            ax.remove()
        unit = "percentage points" if in_percent(outcome) else outcome_name(outcome).partition(", ")[2]
        figure.supylabel(f"effect{f', {unit}' if unit else ''}", fontsize=9)
        _legend(figure, [*_keys(cells[1:], looks, line=False), _interval_key(confidence)])
    return figure


def _end_lines(ax: Axes, table: pd.DataFrame, cells: Sequence[str], looks: Mapping[str, Look], scale: float) -> None:
    values = table[table["cell"] == cells[1]]["value"].to_numpy(dtype=float)
    step = min(0.16, 0.7 / len(cells))
    for number, cell in enumerate(cells[1:]):
        own, look = table[table["cell"] == cell], looks[cell]
        middle, low, high = (scale * own[name].to_numpy() for name in ("difference", "low", "high"))
        at = np.arange(len(own)) + step * (number - (len(cells) - 2) / 2.0)
        sides = [np.maximum(0.0, middle - low), np.maximum(0.0, high - middle)]
        ax.errorbar(
            at, middle, yerr=sides, color=look.colour, marker=look.marker, markersize=4.5, capsize=2.5,
            elinewidth=1.2, linewidth=0.8, linestyle=look.dashes,
        )  # fmt: skip
    ax.axhline(0.0, color=_GREY, linewidth=0.8, zorder=0)
    ax.set_xlim(-0.4, len(values) - 0.6)
    ax.set_xticks(range(len(values)), [f"{value:.3g}" for value in values])
    ax.yaxis.set_major_locator(MaxNLocator(5))


# In a page ----------------------------------------------------------------------------------------


def inline_svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element for an HTML page, without anything that points outside it.

    Args:
        figure: drawn with letters as shapes, so that it looks the same everywhere.
        name: put before every id, as one page has many figures.

    Returns:
        The same text for the same figure. For a screen reader it is one picture, described by the element of the page
        with the id `NAME-caption`.
    """
    buffer = StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-caption" ', 1)
