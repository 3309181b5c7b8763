"""Figures of sensitivity and of boxes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from district_sim.figures.style import INK, STYLE, TRAJECTORY_COLOURS, note, within
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, in_percent, outcome_name

if TYPE_CHECKING:
    from district_sim.experiments.discover import Box


# Sensitivity --------------------------------------------------------------------------------------


def morris_plane(table: pd.DataFrame, outcome: str, named: int = 10) -> Figure:
    """Each parameter's mean effect mu* and its spread sigma; the most influential ones are named.

    Args:
        table: as `experiments.sensitivity.morris_indices` gives it.
        outcome: what the indices are of.
        named: how many parameters get their names.
    """
    scale = 100.0 if in_percent(outcome) else 1.0
    effect, spread, error = (scale * table[name].to_numpy() for name in ("mu_star", "sigma", "mu_star_conf"))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 5.4), layout="constrained")
        ax = figure.subplots()
        top = 1.08 * max(float((effect + error).max()), 1e-12)
        high = 1.1 * max(float(spread.max()), 1e-12)
        chosen = np.arange(len(table)) < named
        ax.errorbar(effect, spread, xerr=error, fmt="none", ecolor="#b8c4cc", elinewidth=1.0, zorder=1)
        for part, colour, size in ((~chosen, "#9aa7b0", 14), (chosen, "#1f4e79", 30)):
            ax.scatter(effect[part], spread[part], s=size, color=colour, zorder=2, edgecolors="white", linewidths=0.5)
        end = min(top, high)
        ax.plot([0, end], [0, end], color="#888888", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        ax.set_xlim(0.0, top)
        ax.set_ylim(0.0, high)
        _name_points(ax, effect[:named], spread[:named], list(table["parameter"].head(named)))
        ax.set_xlabel(f"μ*, mean size of the effect on: {outcome_name(outcome)}")
        ax.set_ylabel("σ, how much the effect depends on the rest")
        ax.set_title("Morris screening: change over a parameter's whole range")
        line = Line2D(
            [],
            [],
            color="#888888",
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            label="σ = μ*: above it, the effect turns or interacts",
        )
        bar = Line2D([], [], color="#b8c4cc", label="95 % interval of μ*")
        figure.legend(handles=[bar, line], loc="outside lower center", ncols=2)
    return figure


def _name_points(ax: Axes, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> None:
    """Names just above their points; where they would touch, higher up and tied to their point by a thin line."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    gap, across = 0.04 * (top - bottom), 0.4 * (right - left)
    placed: list[tuple[float, float]] = []
    for k in np.argsort(y):
        first = at = float(y[k]) + 0.55 * gap
        flip = x[k] > left + 0.6 * (right - left)
        over = (x - x[k]) * (-1.0 if flip else 1.0)
        dots = [float(height) + 0.01 * gap for height in y[(over > 0.0) & (over < 0.4 * across)]]
        while close := [height for other, height in placed if abs(other - x[k]) < across and abs(height - at) < gap] + [
            height - 0.45 * gap for height in dots if abs(height - at) < 0.55 * gap
        ]:
            at = max(close) + 1.001 * gap
        placed.append((float(x[k]), at))
        shift = 0.004 * (right - left) * (-1.0 if flip else 1.0) * (1.0 if at == first else 4.0)
        if at > first:
            ax.plot([x[k], x[k] + shift], [y[k], at], color="#aaaaaa", linewidth=0.6, zorder=1)
        look: Any = {"ha": "right" if flip else "left", "va": "center", "fontsize": 8, "color": INK, "zorder": 3}
        box: Any = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.4}
        ax.text(x[k] + shift, at, names[k], bbox=box, **look)
    ax.set_ylim(bottom, max([top, *(height + gap for _, height in placed)]))


def sobol_bars(table: pd.DataFrame, outcome: str) -> Figure:
    """First-order and total indices with 95 % intervals, a pair of bars for each parameter.

    Args:
        table: as `experiments.sensitivity.sobol_indices` gives it.
        outcome: what the indices are of.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 1.6 + 0.48 * len(table)), layout="constrained")
        ax = figure.subplots()
        places = np.arange(len(table))[::-1]
        looks: tuple[tuple[str, str, float, Any], ...] = (
            ("S1", "alone (S1)", 0.19, {"color": "#1f4e79"}),
            (
                "ST",
                "with all interactions (ST)",
                -0.19,
                {"color": "#dfe7ee", "edgecolor": "#1f4e79", "hatch": "////", "linewidth": 0.6},
            ),
        )
        for name, label, shift, look in looks:
            error: Any = {"ecolor": INK, "elinewidth": 1.0, "capsize": 2.5}
            ax.barh(places + shift, table[name], 0.36, xerr=table[f"{name}_conf"], label=label, error_kw=error, **look)
        ax.set_yticks(places, list(table["parameter"]))
        ax.tick_params(axis="y", length=0)
        ax.axvline(0.0, color="#555555", linewidth=0.8)
        lowest = float((table[["S1", "ST"]].to_numpy() - table[["S1_conf", "ST_conf"]].to_numpy()).min())
        ax.set_xlim(min(0.0, 1.05 * lowest), None)
        ax.set_xlabel("share of the outcome's variance; lines: 95 % intervals")
        ax.set_title(f"Sobol' indices: {outcome_name(outcome)}")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


# Discover -----------------------------------------------------------------------------------------


def boxes(cases: pd.DataFrame, found: Sequence["Box"], trajectory: str) -> Figure:
    """What the first box restricts, out of the whole range; coverage against density; and the points themselves.

    Args:
        cases: as `experiments.discover.cases_of` gives it.
        found: at least one box.
        trajectory: what the boxes lead to.
    """
    first, colour = found[0], TRAJECTORY_COLOURS[Trajectory(trajectory)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 4.4), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=[1.25, 1.0, 1.0], gridspec_kw={"wspace": 0.08})
        _box_bars(left, first, colour)
        _tradeoff(middle, found, colour)
        _points(right, cases, first, colour)
        figure.suptitle(f"What leads to: {TRAJECTORY_NAMES[Trajectory(trajectory)]}", weight="bold", x=0.01, ha="left")
    return figure


def _sides(box: "Box") -> dict[str, tuple[float, float, float, float]]:
    """By parameter of a box: low and high of the box, low and high of the design; whole numbers take a width of 1."""
    sides: dict[str, tuple[float, float, float, float]] = {}
    for restriction in box.restrictions:
        parameter = restriction.parameter
        half = 0.0 if parameter.kind == "number" else 0.5
        whole = (parameter.low - half, parameter.high + half)
        low, high = sides.get(parameter.path, whole)[:2]
        low, high = (restriction.limit - half, high) if restriction.above else (low, restriction.limit + half)
        sides[parameter.path] = (low, high, *whole)
    return sides


def _box_bars(ax: Axes, box: "Box", colour: str) -> None:
    sides = _sides(box)
    for place, (path, (low, high, least, most)) in enumerate(reversed(sides.items())):
        restrictions = [r for r in box.restrictions if r.parameter.path == path]
        parameter = restrictions[0].parameter
        ax.barh(place, 1.0, 0.28, color="#e6e6e6")
        ax.barh(place, (high - low) / (most - least), 0.28, left=(low - least) / (most - least), color=colour)
        ax.text(0.0, place + 0.3, path, fontsize=8.5, weight="bold", va="center")
        ends = ("false", "true") if parameter.kind == "boolean" else (f"{parameter.low:.3g}", f"{parameter.high:.3g}")
        for at, end, side in ((0.0, ends[0], "left"), (1.0, ends[1], "right")):
            ax.text(at, place - 0.29, end, horizontalalignment=side, va="center", fontsize=8, color="#666666")
        said = " and ".join(r.words().removeprefix(f"{path} ") for r in restrictions)
        ax.text(1.0, place + 0.3, said, ha="right", va="center", fontsize=8.5, color=INK)
    ax.set_ylim(-0.6, len(sides) - 0.4)
    ax.set_xlim(0.0, 1.0)
    ax.set_yticks([])
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    ax.set_title("Box 1, within the ranges varied")


def _tradeoff(ax: Axes, found: Sequence["Box"], colour: str) -> None:
    coverage, density, restricted = np.array(found[0].tradeoff).T
    ax.plot(coverage, density, color="#888888", linewidth=1.0, marker="o", markersize=3, zorder=1)
    for count in sorted(set(restricted)):
        first = int(np.argmax(restricted == count))
        place: Any = {"xytext": (-5, 0), "textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 8}
        ax.annotate(f"{count:.0f}", (coverage[first], density[first]), **place)
    for rank, box in enumerate(found, start=1):
        ax.plot(box.coverage, box.density, "o", markersize=15, color=colour, markeredgecolor=INK, zorder=3)
        ax.text(
            box.coverage,
            box.density,
            str(rank),
            ha="center",
            va="center",
            fontsize=8.5,
            weight="bold",
            zorder=4,
            bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.8},
        )
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, 1.0)
    within(ax, "xy")
    ax.set_xlabel("coverage: cases that lie in the box")
    ax.set_ylabel("density: points of the box that are cases")
    ax.set_title("Coverage and density")
    note(ax, "line: steps of box 1; digits: parameters restricted", (0.02, 0.02))


def _points(ax: Axes, cases: pd.DataFrame, box: "Box", colour: str) -> None:
    """Cases and other points over the two parameters that the box restricts most."""
    sides = _sides(box)
    narrow = sorted(sides, key=lambda path: (sides[path][1] - sides[path][0]) / (sides[path][3] - sides[path][2]))
    others = [name for name in cases.columns if name not in (*sides, "share", "case")]
    x, y = [*narrow, *others][:2] if len(narrow) + len(others) > 1 else (narrow[0], "share")
    is_case = cases["case"].to_numpy(dtype=bool)
    for part, look in (
        (~is_case, {"marker": "x", "color": "#9a9a9a", "linewidths": 0.9, "s": 14, "label": "other"}),
        (is_case, {"marker": "o", "color": colour, "edgecolors": INK, "linewidths": 0.4, "s": 18, "label": "case"}),
    ):
        style: Any = look
        ax.scatter(cases[x][part].astype(float), cases[y][part].astype(float), **style)
    within(ax, "".join(axis for axis, name in (("x", x), ("y", y)) if cases[name].dtype.kind == "f"))
    (x_low, x_high), (y_low, y_high) = (_edges(ax, sides, name, across) for name, across in ((x, True), (y, False)))
    ax.add_patch(Rectangle((x_low, y_low), x_high - x_low, y_high - y_low, fill=False, edgecolor=INK, linewidth=1.6))
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_title("Points; frame: box 1", pad=16)
    ax.legend(loc="lower right", bbox_to_anchor=(1.02, 0.985), ncols=2, handletextpad=0.1, columnspacing=0.8)


def _edges(
    ax: Axes, sides: Mapping[str, tuple[float, float, float, float]], name: str, across: bool
) -> tuple[float, float]:
    low, high = ax.get_xlim() if across else ax.get_ylim()
    return sides[name][:2] if name in sides else (low, high)
