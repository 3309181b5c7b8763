"""Fans of indicators over draws and luck, and shares of trajectories."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from district_sim.figures.style import INK, STYLE, TRAJECTORY_COLOURS
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import label_name, record_of
from district_sim.text.numbers import number, percent

if TYPE_CHECKING:
    import pandas as pd

_LOOKS = (("#1f4e79", "-"), ("#d07a1f", (0, (5, 1.5))), ("#2f9e91", (0, (1.5, 1))), ("#c2403a", (0, (5, 1.5, 1, 1.5))))
_ACROSS = 3
_NOTHING = "#cccccc"


def fans(title: str, bands: "pd.DataFrame", names: Sequence[str], seen_until: float = 0.0) -> Figure:
    """Median, half and 90 % of the paths, and 90 % with the model's own error, a panel for each indicator.

    Args:
        bands: as `reports.forecast.band_table` gives it. seen_until: year of the last observation, 0 for none.
    """
    mixes = list(dict.fromkeys(bands["policies"]))
    with mpl.rc_context(STYLE):
        down = -(-len(names) // _ACROSS)
        figure = Figure(figsize=(3.6 * _ACROSS, 2.7 * down + 0.6), layout="constrained")
        figure.suptitle(f"{title}: what may come", x=0.01, ha="left")
        for ax, name in zip(figure.subplots(down, _ACROSS, squeeze=False).flat, names, strict=False):
            record = record_of(name)
            share = record.unit.startswith("share")
            for k, mix in enumerate(mixes):
                part = bands[(bands["indicator"] == name) & (bands["policies"] == mix)]
                colour, dashes = _LOOKS[k % len(_LOOKS)]
                if k == 0:
                    for low, high, opacity, label in (
                        ("low", "high", 0.12, "90 %, with the model's error"),
                        ("q05", "q95", 0.2, "90 % of paths"),
                        ("q25", "q75", 0.3, "50 % of paths"),
                    ):
                        ax.fill_between(
                            part["year"], part[low], part[high], color=colour, alpha=opacity, linewidth=0, label=label
                        )
                label = "median" if len(mixes) == 1 else f"median, {mix}"
                ax.plot(part["year"], part["q50"], color=colour, linestyle=dashes, label=label)
            if seen_until:
                ax.axvline(seen_until, color=INK, linewidth=0.8, linestyle=":", label="last observation")
            ax.set_title(record.label)
            if not share:
                ax.set_ylabel(record.unit)
            ax.set_ylim(0.0, None)
            shown = (lambda value, _: percent(value)) if share else (lambda value, _: number(value, 0))
            if share or ax.get_ylim()[1] >= 10.0:
                ax.yaxis.set_major_formatter(shown)
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        looks = {label: look for ax in figure.axes for look, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(looks.values(), looks.keys(), loc="outside lower center", ncols=min(5, len(looks)))
    return figure


def label_shares(title: str, table: "pd.DataFrame") -> Figure:
    """Probabilities of trajectories under each mix; a thin line is their range with moved thresholds.

    Args:
        table: as `reports.forecast.label_table` gives it.
    """
    mixes = list(dict.fromkeys(table["policies"]))
    shown = [*Trajectory, None]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 1.2 + 0.34 * len(shown) * len(mixes)), layout="constrained")
        figure.suptitle(f"{title}: trajectories", x=0.01, ha="left")
        for ax, mix in zip(figure.subplots(len(mixes), 1, squeeze=False, sharex=True)[:, 0], mixes, strict=True):
            part = table[table["policies"] == mix].reset_index(drop=True)
            places = np.arange(len(part))
            colours = [_NOTHING if label is None else TRAJECTORY_COLOURS[label] for label in shown]
            ax.barh(places, part["probability"], color=colours, height=0.6)
            for colour, width in (("white", 3.0), (INK, 1.2)):  # seen on dark bars, too
                ax.hlines(places, part["low"], part["high"], color=colour, linewidth=width)
            ax.set_yticks(places, [label_name(label) for label in shown])
            ax.invert_yaxis()
            ax.set_xlim(0.0, 1.0)
            ax.xaxis.set_major_formatter(lambda value, _: percent(value))
            if len(mixes) > 1:
                ax.set_title(mix)
        figure.axes[-1].set_xlabel("probability; line: with thresholds moved by up to 20 %")
    return figure
