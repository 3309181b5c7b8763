"""Figures of stylised facts: what runs of the baseline show beside what was published."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from district_sim.figures.style import INK, LINES, STYLE

_BAND = "#e8e8e8"
_DOTS: dict[str, Any] = {"color": LINES[0][0], "marker": "o", "markersize": 3.5, "linestyle": "none"}


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
        left.set(xscale="log", yscale="log", xlabel="employees", ylabel="share of firms as large or larger")
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
    ax.set(yscale="log", xlabel="yearly log growth of sales, less its mean", ylabel="density")
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
        left.set(yscale="log", ylabel="ties in all that are possible")
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
