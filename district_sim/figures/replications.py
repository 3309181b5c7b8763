"""Figures of replications, in the style of the papers' own."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from district_sim.figures.style import INK, LINES, STYLE

_NAMES = {
    "mean": "Mean knowledge",
    "variance": "Variance between agents",
    "cv": "Coefficient of variation",
}
_AXIS = "p, share of ties rewired to anywhere"


def knowledge_curves(points: Sequence[Mapping[str, Any]], bands: Mapping[str, tuple[float, float]]) -> Figure:
    """Mean, variance and coefficient of variation of knowledge over the share of rewired ties, logarithmic.

    After the figures of Cowan & Jonard 2004 (doi 10.1016/j.jedc.2003.04.002). Bars: 95 % confidence. Grey: where the
    extreme is expected.

    Args:
        points: rewiring, and mean, variance and cv with their standard errors (`_se`).
        bands: from "mean", "variance" or "cv" to the lower and upper end of a band.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 3.4), layout="constrained")
        for ax, (name, title) in zip(figure.subplots(1, 3), _NAMES.items(), strict=True):
            low = _share_axis(ax, points)
            if name in bands:
                first, last = bands[name]
                ax.axvspan(max(first, low), last, color="#e8e8e8", zorder=0)
            _line(ax, points, name, low, LINES[0])
            ax.set_title(title)
    return figure


def exchange_rules(points: Sequence[Mapping[str, Any]]) -> Figure:
    """Mean knowledge over the share of rewired ties under two rules, one panel for each moment.

    Args:
        points: rule, rewiring, meetings, mean and mean_se.
    """
    moments = sorted({point["meetings"] for point in points})
    rules = dict.fromkeys(point["rule"] for point in points)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2 * len(moments), 3.4), layout="constrained")
        axes = figure.subplots(1, len(moments), squeeze=False)[0]
        for ax, moment in zip(axes, moments, strict=True):
            low = _share_axis(ax, points)
            for rule, look in zip(rules, LINES, strict=False):
                part = [point for point in points if (point["rule"], point["meetings"]) == (rule, moment)]
                _line(ax, part, "mean", low, look, rule)
            ax.set_title(f"After {moment:,} meetings")
            ax.set_ylabel("mean knowledge")
        axes[0].legend()
    return figure


def _line(
    ax: Axes, points: Sequence[Mapping[str, Any]], name: str, low: float, look: tuple[str, Any], label: str = ""
) -> None:
    ordered = sorted(points, key=lambda point: point["rewiring"])
    x = [max(point["rewiring"], low) for point in ordered]
    y = [point[name] for point in ordered]
    errors = [1.96 * np.nan_to_num(point[f"{name}_se"]) for point in ordered]
    colour, dashes = look
    ax.errorbar(
        x, y, errors, color=colour, linestyle=dashes, marker="o", markersize=3.5, capsize=2, elinewidth=0.9, label=label
    )


def _share_axis(ax: Axes, points: Sequence[Mapping[str, Any]]) -> float:
    """A logarithmic axis with a place for 0 at its left; returns that place."""
    shares = sorted({point["rewiring"] for point in points})
    positive = [share for share in shares if share > 0.0]
    least = 10.0 ** np.floor(np.log10(positive[0])) if positive else 0.1
    zero = float(least / 10**0.5) if 0.0 in shares else float(least)
    ticks = [10.0**power for power in range(round(np.log10(least)), 1)]
    ax.set_xscale("log")
    ax.set_xlim(zero / 1.3, 1.3)
    ax.set_xticks([*([zero] if 0.0 in shares else []), *ticks])
    ax.set_xticklabels([*(["0"] if 0.0 in shares else []), *(f"{tick:g}" for tick in ticks)])
    ax.minorticks_off()
    ax.set_xlabel(_AXIS, color=INK)
    return zero
