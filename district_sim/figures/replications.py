"""Figures of replications, in the style of the papers' own, and of what runs show beside what was published."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from district_sim.figures.style import INK, LINES, STYLE, log_scale

_NAMES = {
    "mean": "Mean knowledge",
    "variance": "Variance between agents",
    "cv": "Coefficient of variation",
}
_ALIKE = 0.01  # a coefficient of variation below which all know nearly the same
_BAND = "#e8e8e8"
_DOTS: dict[str, Any] = {"color": LINES[0][0], "marker": "o", "markersize": 3.5, "linestyle": "none"}
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


def rules_beside(points: Sequence[Mapping[str, Any]]) -> Figure:
    """Mean, variance and coefficient of variation under several rules, each as a multiple of its value on the ring.

    One row for each stage, one column for each number. Where on the ring all know nearly the same there is no spread
    to compare, and the rule is left out. Bars: 95 % confidence, that of the ring not counted.

    Args:
        points: rule, stage, rewiring (0 among them), and mean, variance and cv with their standard errors (`_se`).
    """
    stages, rules = (list(dict.fromkeys(point[name] for point in points)) for name in ("stage", "rule"))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 3.2 * len(stages)), layout="constrained")
        axes = figure.subplots(len(stages), len(_NAMES), squeeze=False)
        for row, stage in zip(axes, stages, strict=True):
            for ax, (name, title) in zip(row, _NAMES.items(), strict=True):
                low = _share_axis(ax, points)
                for rule, look in zip(rules, LINES, strict=True):
                    part = [point for point in points if (point["rule"], point["stage"]) == (rule, stage)]
                    ring = next(point for point in part if point["rewiring"] == 0.0)
                    if name == "mean" or ring["cv"] > _ALIKE:
                        _line(ax, [_relative(point, name, ring[name]) for point in part], name, low, look, rule)
                ax.axhline(1.0, color="#bbbbbb", linewidth=0.8, zorder=0)
                ax.set_title(title if stage == stages[0] else "")
                ax.set_ylabel(f"{stage}: multiple of the ring's")
        axes[0, 0].legend()
    return figure


def _relative(point: Mapping[str, Any], name: str, unit: float) -> dict[str, Any]:
    return {"rewiring": point["rewiring"], name: point[name] / unit, f"{name}_se": point[f"{name}_se"] / unit}


def distance_curves(
    points: Sequence[Mapping[str, Any]],
    outcomes: Mapping[str, str],
    curves: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    optima: Mapping[str, float],
) -> Figure:
    """Outcomes over cognitive distance, one panel each: means in classes with 95 % confidence, and the quadratic's fit.

    Args:
        points: outcome, distance, mean, mean_se, ordered by distance. outcomes: from name to words.
        curves: from an outcome's name to what is fitted, a function of distance.
        optima: from an outcome's name to where the curve is highest, if anywhere.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.5 * len(outcomes), 3.4), layout="constrained")
        for ax, (name, title) in zip(
            figure.subplots(1, len(outcomes), squeeze=False)[0], outcomes.items(), strict=True
        ):
            part = [point for point in points if point["outcome"] == name]
            x = [point["distance"] for point in part]
            errors = [1.96 * np.nan_to_num(point["mean_se"]) for point in part]
            (colour, _), (fitted, dashes), (grey, dots) = LINES
            ax.errorbar(
                x,
                [point["mean"] for point in part],
                errors,
                color=colour,
                linestyle="",
                marker="o",
                markersize=4,
                capsize=2,
                elinewidth=0.9,
                label="firms and years",
            )
            grid = np.linspace(x[0], x[-1], 101)
            ax.plot(grid, curves[name](grid), color=fitted, linestyle=dashes, label="quadratic, controlled")
            if x[0] < optima.get(name, 0.0) < x[-1]:
                ax.axvline(optima[name], color=grey, linestyle=dots, linewidth=1.0, label="its optimum")
            ax.set_ylim(0.0, 1.35 * max(point["mean"] + error for point, error in zip(part, errors, strict=True)))
            ax.set_title(title)
            ax.set_xlabel("cognitive distance to partners", color=INK)
            ax.set_ylabel("per firm and year")
            ax.legend()
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


# Firms and networks -------------------------------------------------------------------------------


def beside_published(
    panels: Mapping[str, Sequence[np.ndarray]], moments: Sequence[str], published: Sequence[float], width: float
) -> Figure:
    """A number in every run at some moments, one panel each, with the published value and the band around it.

    Args:
        panels: from a title to the values at each moment, (runs,) each.
        moments: names of the moments. published: one value a panel. width: of the band, as a share of the value.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * len(panels), 3.2), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, (title, values), target in zip(axes, panels.items(), published, strict=True):
            ax.axhspan((1.0 - width) * target, (1.0 + width) * target, color=_BAND, zorder=0)
            ax.axhline(target, color=LINES[1][0], linestyle=LINES[1][1], label="published")
            _boxes(ax, values, moments)
            ax.set_title(title)
            ax.set_ylim(0.0, 1.15 * max(target * (1.0 + width), *(float(np.nanmax(part)) for part in values)))
            if target < 1.0:
                ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes[0].legend(loc="lower left")
    return figure


def sizes_and_growth(sizes: np.ndarray, rates: np.ndarray, tail_start: float, exponent: float) -> Figure:
    """Share of larger firms over size, both logarithmic, with the fitted tail; density of growth on a logarithmic axis.

    After the figures of Axtell 2001 (doi 10.1126/science.1062081) and Bottazzi & Secchi 2006
    (doi 10.1111/j.1756-2171.2006.tb00014.x).

    Args:
        sizes: (firms,) employees. rates: (observations,) yearly log growth. tail_start, exponent: of the tail.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        ordered = np.sort(sizes)
        larger = 1.0 - np.arange(ordered.size) / ordered.size
        left.plot(ordered, larger, color=LINES[0][0], label="firms")
        tail = ordered[ordered >= tail_start]
        height = float((sizes >= tail_start).mean())
        left.plot(
            tail, height * (tail / tail_start) ** -exponent, color=LINES[1][0], linestyle=LINES[1][1],
            label=f"exponent {exponent:.2f}",
        )  # fmt: skip
        log_scale(left, "xy")
        left.set(xlabel="employees", ylabel="share of firms as large or larger")
        left.set_title("Size")
        left.legend()
        _growth(right, rates)
    return figure


def _growth(ax: Axes, rates: np.ndarray) -> None:
    reach = float(np.quantile(np.abs(rates), 0.999))
    density, edges = np.histogram(rates, bins=61, range=(-reach, reach))
    middle = 0.5 * (edges[1:] + edges[:-1])
    height = density / (rates.size * (edges[1] - edges[0]))
    ax.plot(middle[density > 0], height[density > 0], label="firms", **_DOTS)
    scale, spread = float(np.abs(rates - np.median(rates)).mean()), float(rates.std())
    laplace = np.exp(-np.abs(middle - np.median(rates)) / scale) / (2.0 * scale)
    gaussian = np.exp(-0.5 * ((middle - rates.mean()) / spread) ** 2) / (spread * np.sqrt(2.0 * np.pi))
    for values, (colour, dashes), name in ((laplace, LINES[1], "Laplace"), (gaussian, LINES[2], "Gaussian")):
        ax.plot(middle, values, color=colour, linestyle=dashes, label=name)
    log_scale(ax, "y")
    ax.set(xlabel="yearly log growth of sales, less its mean", ylabel="density")
    ax.set_ylim(0.5 * height[height > 0.0].min(), 2.0 * max(height.max(), laplace.max()))
    ax.set_title("Growth")
    ax.legend()


def anatomy(
    measured: Mapping[str, np.ndarray],
    published: Mapping[str, float],
    stability: Mapping[str, np.ndarray],
    base: np.ndarray,
    core: np.ndarray,
) -> Figure:
    """Densities of networks beside published ones; what lasts of ties and of coreness; coreness over knowledge base.

    Args:
        measured: from the name of a network to its density in each run, (runs,). published: the same, one number each.
        stability: from "ties" and "coreness" to their correlation over four years, (runs,).
        base, core: (firms,) knowledge base and coreness of the firms of one run.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 3.4), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        _boxes(left, list(measured.values()), list(measured))
        left.plot(range(1, len(published) + 1), list(published.values()), color=LINES[1][0], marker="D",
                  linestyle="none", label="published", zorder=3)  # fmt: skip
        log_scale(left, "y")
        left.set_ylabel("ties in all that are possible")
        left.set_title("Density, 36 firms")
        left.legend()
        _boxes(middle, list(stability.values()), list(stability))
        middle.set(ylim=(0.0, 1.0), ylabel="correlation over four years")
        middle.set_title("What lasts")
        right.plot(base, core, **(_DOTS | {"markersize": 2.5}))
        right.set(xlabel="knowledge base (mean tacit knowledge)", ylabel="coreness")
        right.set_title("Core firms know more: one district")
    return figure


def _boxes(ax: Axes, values: Sequence[np.ndarray], names: Sequence[str]) -> None:
    """One box of the runs each: median, quartiles, 5th and 95th percentile."""
    look = {"color": INK, "linewidth": 1.0}
    ax.boxplot(
        [part[np.isfinite(part)] for part in values], tick_labels=list(names), whis=(5, 95), showfliers=False,
        widths=0.45, boxprops=look, whiskerprops=look, capprops=look, medianprops=look | {"color": LINES[0][0]},
    )  # fmt: skip
