"""The figure of conduct: what firms choose to do, over time and by their position in the district."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from district_sim.figures.run import background_key, shade_globalisation
from district_sim.figures.sources import title_of
from district_sim.figures.style import CONTROLS, INK, LINES, STYLE, TOP, time_word
from district_sim.model.state import TRAITS
from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.text.names import label_name, moment_name, record_of, unit_words

_MEAN = LINES[0][0]
_BY_OWNER = {  # kinds of control that are one position, in the order of `CONTROLS`
    "independent": ("independent",),
    "captive": ("captive",),
    "in a group": ("group", "leader"),
    "affiliate": ("multinational",),
}
_QUARTER = 0.25  # of the firms, those with the strongest ties, are the core; those with the weakest the periphery


def positions(snapshot: Snapshot) -> list[dict[str, np.ndarray]]:
    """Positions in the district, kind by kind: name, and which of the n firms of the table hold it, (n,) bool.

    Phase, links to the outside, control, and local ties: the core is the quarter of firms with the strongest ties
    (trust summed over them), the periphery that with the weakest; who equals the last of them counts too.
    """
    firms, ties = snapshot.firms, snapshot.ties
    final = firms["phase"].to_numpy() == len(snapshot.value_chain)
    linked = firms["pipelines"].to_numpy() > 0
    ends = pd.concat([ties.set_index(side)["trust"] for side in ("a", "b")])
    strength = ends.groupby(level=0).sum().reindex(firms.index, fill_value=0.0).to_numpy(dtype=float)
    weak, strong = np.quantile(strength, [_QUARTER, 1.0 - _QUARTER])
    return [
        {"all firms": np.ones(len(firms), bool)},
        {"final firms": final, "suppliers": ~final},
        {"with pipeline": linked, "without": ~linked},
        {name: firms["control"].isin(kinds).to_numpy() for name, kinds in _BY_OWNER.items()},
        {"core": (strength >= strong) & (strong > weak), "periphery": (strength <= weak) & (strong > weak)},
    ]


def conduct_traits(run: Run) -> Figure:
    """What firms choose to do: each trait of conduct over time, and at the end by position in the district.

    The line is the mean over firms, the band and the bars reach one standard deviation to both sides.

    Args:
        run: with at least one firm at its end.

    Raises:
        ValueError: no firm is left.
    """
    if not len(run.end.firms):
        raise ValueError("there is no firm at the end of the run")
    kinds = positions(run.end)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 12.4), layout="constrained")
        axes = figure.subplots(len(TRAITS), 2, sharex="col", sharey="row", width_ratios=(1.15, 1.0))
        for (left, right), trait in zip(axes, TRAITS, strict=True):
            _over_time(left, run, f"conduct_{trait}")
            _by_position(right, run.end.firms[f"conduct_{trait}"].to_numpy(), kinds)
            if record_of(f"conduct_{trait}").unit == "share":  # a spread reaches further, no share does
                low, high = left.get_ylim()
                left.set_ylim(max(0.0, low), min(1.0, high))
        axes[0, 0].set_title("Over time, mean of firms", pad=19, y=TOP)
        axes[0, 1].set_title(
            f"By position, {moment_name(run.scenario.run.calendar, len(run.indicators))}", pad=19, y=TOP
        )
        axes[-1, 0].set_xlabel(time_word(run.scenario.run.calendar))
        imposed = "" if run.scenario.firms_decide else " · conduct is imposed"
        figure.suptitle(f"{title_of(run)} → {label_name(run.trajectory)}{imposed}", weight="bold")
        line = Line2D([], [], color=_MEAN, marker="o", markersize=5, label="mean")
        band = Patch(color=_MEAN, alpha=0.25, linewidth=0, label="one standard deviation between firms")
        figure.legend(handles=[line, band, *background_key(run)], loc="outside lower center", ncols=4)
    return figure


def _over_time(ax: Axes, run: Run, name: str) -> None:
    record, data = record_of(name), run.indicators
    mean, spread = data[name], data[f"{name}_spread"]
    ax.fill_between(data.index, mean - spread, mean + spread, color=_MEAN, alpha=0.25, linewidth=0, gid=name)
    ax.plot(data.index, mean, color=_MEAN, gid=name)
    shade_globalisation(ax, run)
    ax.set_ylabel(unit_words(record.unit), fontsize=8)
    ax.annotate(record.label, (0.0, 1.0), (0, 3), "axes fraction", "offset points", fontsize=9, weight="bold")
    if record.unit == "share":
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100.0 * value:.3g}%"))
    else:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_major_locator(MaxNLocator(4))


def _by_position(ax: Axes, values: np.ndarray, kinds: list[dict[str, np.ndarray]]) -> None:
    """Mean and standard deviation of each position's firms; nothing for a position that nobody holds."""
    place, names, places = 0.0, [], []
    for kind in kinds:
        for name, held in kind.items():
            names.append(f"{name} ({held.sum():,})")
            places.append(place)
            if held.any():
                mean, spread = float(values[held].mean()), float(values[held].std())
                look: Any = {"color": _MEAN, "linewidth": 2.2, "alpha": 0.4, "solid_capstyle": "butt"}
                ax.plot([place, place], [mean - spread, mean + spread], **look, gid=f"spread {name}")
                ax.plot(place, mean, marker=_marker(name), color=INK, markersize=5, linestyle="", gid=name)
            place += 1.0
        ax.axvline(place - 0.25, color="#dddddd", linewidth=0.8, zorder=0)
        place += 0.5
    ax.set_xlim(-0.75, place - 0.75)
    ax.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="y", labelleft=False)


def _marker(position: str) -> str:
    """That of the maps for who controls a firm, else a circle."""
    return CONTROLS[_BY_OWNER[position][0]].marker if position in _BY_OWNER else "o"
