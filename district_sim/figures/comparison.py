"""Figures of comparisons: differences from the counterfactual, bands over time, transitions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from district_sim.figures.style import INK, STYLE, TRAJECTORY_COLOURS, TRAJECTORY_DASHES, scale_y
from district_sim.reports.experiment_tables import occurring, outcome_name
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, heading, trajectory_meant

if TYPE_CHECKING:
    from district_sim.experiments.compare import Comparison

_MARKERS = "osD^vPX*"
_OTHERS = (
    ("#6b3fa0", (0, (6, 2))),
    ("#1f7a3d", (0, (1, 1))),
    ("#b0561f", "-"),
    ("#3d8bcd", (0, (4, 1, 1, 1, 1, 1))),
    ("#a3386c", (0, (3, 2))),
    ("#5c5c1f", (0, (8, 2))),
)
"""Colours and dashes of cells that are not named after a trajectory."""
_GREYS = LinearSegmentedColormap.from_list("counts", ["#ffffff", "#5b7485"])


class Look(NamedTuple):
    colour: str
    dashes: Any
    marker: str


def _looks(cells: Sequence[str]) -> dict[str, Look]:
    """A look for each cell: the colour of the trajectory that it is named after, if it is."""
    looks, other = {}, 0
    for number, cell in enumerate(cells):
        meant, marker = trajectory_meant(cell), _MARKERS[number % len(_MARKERS)]
        if meant is None:
            colour, dashes = _OTHERS[other % len(_OTHERS)]
            looks[cell] = Look(colour, dashes, marker)
            other += 1
        else:
            looks[cell] = Look(TRAJECTORY_COLOURS[meant], TRAJECTORY_DASHES[meant], marker)
    return looks


# Compare ------------------------------------------------------------------------------------------


def differences(found: "Comparison") -> Figure:
    """Mean paired differences from the counterfactual with their intervals.

    Quantities in per cent of the counterfactual's mean, on the left; shares and indices in hundredths, on the right.
    """
    from district_sim.experiments.columns import column_notes

    table = found.differences
    outcomes = list(dict.fromkeys(table["outcome"]))
    units = {outcome: column_notes(outcome.removesuffix("_late"))[0] for outcome in outcomes}
    points = [o for o in outcomes if units[o].startswith("share") or units[o] == "1"]
    groups = [
        ([o for o in outcomes if o not in points], f"% of the mean under {found.counterfactual}"),
        (points, "hundredths (shares: percentage points)"),
    ]
    groups = [(group, unit) for group, unit in groups if group]
    looks = _looks(found.cells)
    with mpl.rc_context(STYLE):
        tallest = max(len(group) for group, _ in groups)
        height = 1.5 + tallest * (0.2 + 0.15 * (len(found.cells) - 1))
        figure = Figure(figsize=(5.0 * len(groups), height), layout="constrained")
        for ax, (group, unit) in zip(figure.subplots(1, len(groups), squeeze=False)[0], groups, strict=True):
            forest(ax, table[table["outcome"].isin(group)], group, found.cells[1:], looks, relative=group is not points)
            ax.set_xlabel(f"difference, {unit}")
        method = "Student's t" if found.interval == "t" else "BCa bootstrap"
        figure.suptitle(f"Differences from {found.counterfactual}", weight="bold", x=0.01, ha="left")
        keys = [key_of(looks[cell], heading(cell), line=False) for cell in found.cells[1:]]
        keys.append(Line2D([], [], color="#555555", label=f"{100 * found.confidence:g} % interval ({method})"))
        figure.legend(handles=keys, loc="outside lower center", ncols=min(4, len(keys)))
    return figure


def key_of(look: Look, label: str, line: bool = True) -> Line2D:
    marks: Any = {"linestyle": look.dashes} if line else {"linestyle": "", "marker": look.marker}
    return Line2D([], [], color=look.colour, label=label, linewidth=2.0, **marks)


def forest(
    ax: Axes,
    table: pd.DataFrame,
    outcomes: Sequence[str],
    cells: Sequence[str],
    looks: Mapping[str, Look],
    relative: bool,
) -> None:
    """Dots with intervals, a row for each outcome, a dot for each cell."""
    step = 0.54 / max(1, len(cells) - 1) if len(cells) > 1 else 0.0
    for row in table.to_dict("records"):
        size = abs(row["counterfactual"])
        place = len(outcomes) - 1 - outcomes.index(row["outcome"])
        if relative and size == 0.0:
            look: Any = {"fontsize": 8, "color": "#777777", "backgroundcolor": "white"}
            ax.text(0.05, place, "no percentage: it was 0", transform=ax.get_yaxis_transform(), va="center", **look)
            continue
        scale = 100.0 / size if relative else 100.0
        at = place + step * ((len(cells) - 1) / 2.0 - cells.index(row["cell"]))
        cell = looks[row["cell"]]
        middle, low, high = (scale * row[name] for name in ("difference", "low", "high"))
        dot: Any = {"color": cell.colour, "marker": cell.marker, "markersize": 4.5, "capsize": 2.5, "elinewidth": 1.4}
        ax.errorbar(middle, at, xerr=[[max(0.0, middle - low)], [max(0.0, high - middle)]], **dot)
    ax.axvline(0.0, color="#555555", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(outcomes)), [outcome_name(outcome, unit=False) for outcome in outcomes[::-1]])
    ax.set_ylim(-0.6, len(outcomes) - 0.4)
    for line in np.arange(0.5, len(outcomes) - 1):
        ax.axhline(line, color="#e8e8e8", linewidth=0.6, zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.spines["left"].set_visible(False)


_BANDS: dict[str, tuple[str, str]] = {
    "employment": ("Employment", "employees"),
    "value_added_local": ("Value added kept", "k€ per quarter"),
    "mne_turnover_share": ("Owned by multinationals", "share of sales"),
    "trust": ("Trust of local ties", "index, 0 to 1"),
    "newest_share": ("Newest technology", "share of firms"),
    "participation": ("Participation in the agency", "share of firms"),
}
BAND_INDICATORS = tuple(_BANDS)
"""Indicators that `bands` draws."""


def bands(table: pd.DataFrame, cells: Sequence[str], coverage: float = 0.9) -> Figure:
    """Main indicators over time: the median and the band of replicates of each cell.

    Args:
        table: as `experiments.compare.bands` gives it, for `BAND_INDICATORS`.
        cells: in the order wanted.
        coverage: share of replicates inside the band.
    """
    looks = _looks(cells)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 6.2), layout="constrained")
        for ax, (indicator, (title, unit)) in zip(figure.subplots(2, 3, sharex=True).flat, _BANDS.items(), strict=True):
            part = table[table["indicator"] == indicator]
            for cell in cells:
                line, look = part[part["cell"] == cell], looks[cell]
                ax.fill_between(line["quarter"], line["low"], line["high"], color=look.colour, alpha=0.16, linewidth=0)
                ax.plot(line["quarter"], line["median"], color=look.colour, linestyle=look.dashes)
            scale_y(ax, unit, float(part["high"].max()))
            ax.set_xlim(0, float(part["quarter"].max()))
            ax.set_title(title)
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        for ax in figure.axes[3:]:
            ax.set_xlabel("quarter")
        figure.suptitle(f"Median and {100 * coverage:.0f} % of the replicates", weight="bold", x=0.01, ha="left")
        keys = [key_of(looks[cell], heading(cell)) for cell in cells]
        figure.legend(handles=keys, loc="outside lower center", ncols=min(5, len(keys)), handlelength=3.4)
    return figure


def transitions(found: "Comparison") -> Figure:
    """Where the same luck led under the counterfactual and under each other cell: counts of replicates."""
    matrices = {cell: occurring(table) for cell, table in found.transitions.items()}
    across = min(3, len(matrices))
    down = -(-len(matrices) // across)
    rows, columns = (max(2, *(table.shape[side] for table in matrices.values())) for side in (0, 1))
    with mpl.rc_context(STYLE):
        size = (across * (2.6 + 0.75 * columns), down * (1.9 + 0.55 * rows))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(down, across, squeeze=False).flat
        for ax, (cell, counts) in zip(axes, matrices.items(), strict=False):
            _matrix(ax, counts)
            ax.set_xlabel(f"under {cell}", weight="bold", labelpad=8)
            ax.set_ylabel(f"under {found.counterfactual}", weight="bold", labelpad=8)
        for ax in list(axes)[len(matrices) :]:
            ax.set_visible(False)
        figure.suptitle("Where the same luck led\n(number of replicates)", weight="bold")
    return figure


def _matrix(ax: Axes, counts: pd.DataFrame) -> None:
    values = counts.to_numpy()
    ax.imshow(values, cmap=_GREYS, vmin=0.0, vmax=max(1, int(values.max())), aspect="auto")
    for (row, column), count in np.ndenumerate(values):
        share = count / max(1, values.max())
        look: Any = {"color": "white" if share > 0.65 else INK, "weight": "bold" if count else "normal"}
        ax.text(column, row, str(count) if count else "·", ha="center", va="center", fontsize=11, **look)
    for axis, names in ((ax.xaxis, counts.columns), (ax.yaxis, counts.index)):
        axis.set_ticks(range(len(names)), [TRAJECTORY_NAMES[Trajectory(name)].replace(" ", "\n", 1) for name in names])
        for label, name in zip(axis.get_ticklabels(), names, strict=True):
            label.set_color(INK)
            label.set_fontweight("bold")
            label.set_bbox({"facecolor": TRAJECTORY_COLOURS[Trajectory(name)], "alpha": 0.25, "linewidth": 0, "pad": 2})
    ax.set_xticks(np.arange(0.5, len(counts.columns) - 1), minor=True)
    ax.set_yticks(np.arange(0.5, len(counts.index) - 1), minor=True)
    ax.grid(which="minor", color="#cccccc", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(True)
