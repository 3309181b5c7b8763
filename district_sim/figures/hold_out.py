"""Fans of what was said at a date, with what was observed before and after it."""

from textwrap import fill
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from district_sim.figures.style import INK, STYLE
from district_sim.text.numbers import number, percent

if TYPE_CHECKING:
    import pandas as pd

_ACROSS = 3
_COLOUR = "#1f4e79"
_MARKS = (
    ("fitted", "o", INK, "observed, fitted"),
    ("known", "s", "white", "observed before, not fitted"),
    ("later", "D", "#d07a1f", "observed later"),
)


def hold_out_fans(title: str, bands: "pd.DataFrame", marks: "pd.DataFrame", date: float) -> Figure:
    """Median, half and 90 % of the paths, and 90 % with the error that forecasts allow, a panel for each measure.

    Args:
        bands: as `reports.hold_out.fan_table` gives it. marks: as `mark_table` does. date: year from which on
            everything was held out.
    """
    names = list(dict.fromkeys(bands["measure"]))
    with mpl.rc_context(STYLE):
        across = min(_ACROSS, len(names))
        down = -(-len(names) // across)
        figure = Figure(figsize=(3.6 * max(across, 2), 2.9 * down + 0.8), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left")
        panels = figure.subplots(down, across, squeeze=False).flat
        for name, ax in zip(names, panels, strict=False):  # a panel is taken for each name, no more
            part = bands[bands["measure"] == name]
            for low, high, opacity, label in (
                ("low", "high", 0.12, "90 %, with the error that forecasts allow"),
                ("q05", "q95", 0.2, "90 % of paths"),
                ("q25", "q75", 0.3, "50 % of paths"),
            ):
                ax.fill_between(
                    part["year"], part[low], part[high], color=_COLOUR, alpha=opacity, linewidth=0, label=label
                )
            ax.plot(part["year"], part["q50"], color=_COLOUR, label="median")
            ax.axvline(date, color=INK, linewidth=0.8, linestyle=":", label="held out from here on")
            for what, marker, face, label in _MARKS:
                seen = marks[(marks["measure"] == name) & (marks["what"] == what)]
                if len(seen):
                    ax.errorbar(
                        seen["year"], seen["value"], yerr=seen["tolerance"], fmt=marker, color=INK,
                        markerfacecolor=face, markersize=5, linewidth=0.8, label=label,
                    )  # fmt: skip
            ax.set_title(fill(part["title"].iloc[0], 34))
            ax.set_ylim(0.0, None)
            share = name.endswith(("_share", "_rate"))
            if share or ax.get_ylim()[1] >= 10.0:
                ax.yaxis.set_major_formatter((lambda v, _: percent(v)) if share else (lambda v, _: number(v, 0)))
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        for ax in list(panels):
            ax.set_visible(False)
        looks = {label: look for ax in figure.axes for look, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(looks.values(), looks.keys(), loc="outside lower center", ncols=min(4, len(looks)))
    return figure
