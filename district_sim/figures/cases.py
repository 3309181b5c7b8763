"""Paths of real districts: simulated bands, and what was observed."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from district_sim.figures.style import INK, LINES, STYLE
from district_sim.text.names import record_of
from district_sim.text.numbers import number, percent

_BANDS = ((0.05, 0.95, 0.18), (0.25, 0.75, 0.28))  # quantiles, opacity

type Point = tuple[float, float, float, bool]
"""Year, observed value, tolerance, whether parameters were fitted to it."""


def case_paths(
    title: str, start: float, names: Sequence[str], paths: np.ndarray, points: Sequence[Sequence[Point]]
) -> Figure:
    """Median, half and 90 % of the runs over the years, one panel for each indicator, with what was observed.

    Args:
        title: of the district. start: year in which the runs begin, 2002.5 in its middle.
        names: (indicators,) "firms", "employment".
        paths: (runs, quarters, indicators). points: of each indicator.
    """
    years = start + np.arange(1, paths.shape[1] + 1) / 4.0
    colour = LINES[0][0]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(names), 3.6), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left")
        for k, (ax, name) in enumerate(zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True)):
            for low, high, opacity in _BANDS:
                below, above = np.nanquantile(paths[:, :, k], (low, high), axis=0)
                label = f"{percent(high - low)} of {len(paths)} runs"
                ax.fill_between(years, below, above, color=colour, alpha=opacity, linewidth=0, label=label)
            ax.plot(years, np.nanmedian(paths[:, :, k], axis=0), color=colour, label="median")
            _observed(ax, points[k])
            record = record_of(name)
            ax.set_title(record.label)
            ax.set_ylim(0.0, min(1.0, ax.get_ylim()[1]) if record.unit == "share" else None)
            ax.yaxis.set_major_formatter(lambda value, _: number(value, 0))
            ax.yaxis.set_major_locator(MaxNLocator(5))
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        looks = {label: look for ax in figure.axes for look, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(looks.values(), looks.keys(), loc="outside lower center", ncols=len(looks))
    return figure


def _observed(ax: Axes, points: Sequence[Point]) -> None:
    for fitted, face, label in ((True, INK, "observed, fitted"), (False, "white", "observed, not fitted")):
        chosen = [point[:3] for point in points if point[3] == fitted]
        if chosen:
            year, value, tolerance = zip(*chosen, strict=True)
            ax.errorbar(
                year,
                value,
                tolerance,
                fmt="o",
                color=INK,
                mfc=face,
                markersize=5,
                capsize=2.5,
                elinewidth=1,
                label=label,
            )
