"""Figures of comparisons (differences from the counterfactual, bands over time, transitions) and maps of futures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from district_sim.experiments.compare import occurring
from district_sim.figures.style import (
    INK,
    STYLE,
    TRAJECTORY_COLOURS,
    TRAJECTORY_DASHES,
    drawn_as,
    scale_y,
    time_axis,
    time_word,
)
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, heading, outcome_name, record_of, trajectory_meant
from district_sim.text.numbers import percent

if TYPE_CHECKING:
    from district_sim.experiments.compare import Comparison
    from district_sim.scenario.calendar import Calendar

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
    table = found.differences
    outcomes = list(dict.fromkeys(table["outcome"]))
    points = [name for name in outcomes if in_hundredths(name)]
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
        figure.suptitle(found.title, weight="bold", x=0.01, ha="left")
        keys = [key_of(looks[cell], heading(cell), line=False) for cell in found.cells[1:]]
        keys.append(Line2D([], [], color="#555555", label=f"{100 * found.confidence:g} % interval ({method})"))
        figure.legend(handles=keys, loc="outside lower center", ncols=min(4, len(keys)))
    return figure


def in_hundredths(name: str) -> bool:
    """Whether differences of an outcome are shown as such, in hundredths: shares, indices and scores."""
    unit = record_of(name).unit
    return unit.startswith("share") or unit == "1"


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
        undefined = not np.isfinite(row["difference"])
        if undefined or (relative and size == 0.0):
            look: Any = {"fontsize": 8, "color": "#777777", "backgroundcolor": "white"}
            said = "undefined" if undefined else "no percentage: it was 0"
            ax.text(0.05, place, said, transform=ax.get_yaxis_transform(), va="center", **look)
            continue
        scale = 100.0 / size if relative else 100.0
        at = place + step * ((len(cells) - 1) / 2.0 - cells.index(row["cell"]))
        cell = looks[row["cell"]]
        dot(ax, cell, at, *(scale * row[name] for name in ("difference", "low", "high")))
    ax.axvline(0.0, color="#555555", linewidth=0.8, zorder=0)
    name_rows(ax, [outcome_name(outcome, unit=False) for outcome in outcomes])
    ax.xaxis.set_major_locator(MaxNLocator(6))


def dot(ax: Axes, look: Look, at: float, middle: float, low: float, high: float) -> None:
    """A dot with its interval in the row at `at`."""
    style: Any = {"color": look.colour, "marker": look.marker, "markersize": 4.5, "capsize": 2.5, "elinewidth": 1.4}
    ax.errorbar(middle, at, xerr=[[max(0.0, middle - low)], [max(0.0, high - middle)]], **style)


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Names of rows, the first on top, with faint lines between them."""
    ax.set_yticks(range(len(names)), list(names)[::-1])
    ax.set_ylim(-0.6, len(names) - 0.4)
    for line in np.arange(0.5, len(names) - 1):
        ax.axhline(line, color="#e8e8e8", linewidth=0.6, zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


BAND_INDICATORS = ("employment", "value_added_local", "mne_turnover_share", "trust", "newest_share", "participation")
"""Indicators that `bands` draws."""


def bands(
    table: pd.DataFrame, cells: Sequence[str], coverage: float = 0.9, calendar: "Calendar | None" = None
) -> Figure:
    """Main indicators over time: the median and the band of replicates of each cell.

    Args:
        table: as `experiments.compare.bands` gives it, for `BAND_INDICATORS`.
        cells: in the order wanted.
        coverage: share of replicates inside the band.
        calendar: of the runs, if they have dates.
    """
    looks = _looks(cells)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 6.2), layout="constrained")
        for ax, record in zip(figure.subplots(2, 3, sharex=True).flat, map(record_of, BAND_INDICATORS), strict=True):
            part, (unit, scale) = table[table["indicator"] == record.name], drawn_as(record)
            for cell in cells:
                line, look = part[part["cell"] == cell], looks[cell]
                low, median, high = (scale * line[name] for name in ("low", "median", "high"))
                ax.fill_between(line["quarter"], low, high, color=look.colour, alpha=0.16, linewidth=0)
                ax.plot(line["quarter"], median, color=look.colour, linestyle=look.dashes)
            scale_y(ax, unit, scale * float(part["high"].max()), record.decimals)
            ax.set_xlim(0, float(part["quarter"].max()))
            ax.set_title(record.label)
            time_axis(ax, calendar)
        for ax in figure.axes[3:]:
            ax.set_xlabel(time_word(calendar))
        figure.suptitle(f"Median and {percent(coverage)} of the replicates", weight="bold", x=0.01, ha="left")
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


# Map of futures -----------------------------------------------------------------------------------


class Mark(NamedTuple):
    """A scenario at its place on a map of futures."""

    name: str
    x: Any
    y: Any


def map_of_futures(
    table: pd.DataFrame,
    x: str = "openness",
    y: str = "action",
    labels: tuple[str, str] = (
        "Openness: offshoring, pipelines, sale of firms",
        "Collective action: contributions, match, institutions",
    ),
    marks: Sequence[Mark] = (),
) -> Figure:
    """Trajectories over two parameters: at each point a bar of its runs' labels, and lines between the regions.

    Args:
        table: one row per run: columns x, y and trajectory; the grid must be complete.
        x: column shown across; y: upwards. Values are evenly spaced, in their order.
        labels: of the two axes.
        marks: scenarios to be placed by their two values.
    """
    across, upward = (sorted(set(table[name])) for name in (x, y))
    major = np.full((len(upward), len(across)), "", dtype=object)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 7.0), layout="constrained")
        ax = figure.add_subplot()
        for (at_x, at_y), found in table.groupby([x, y])["trajectory"]:
            column, row = across.index(at_x), upward.index(at_y)
            shares = found.value_counts(normalize=True)  # of the runs that have a label; without any, nothing is drawn
            if len(shares):
                major[row, column] = max(Trajectory, key=lambda trajectory: float(shares.get(trajectory.value, 0.0)))
                _bar(ax, column, row, shares)
        _borders(ax, major)
        _name_regions(ax, major)
        keys = _place_marks(ax, marks, across, upward)
        ax.set_xlim(-0.5, len(across) - 0.5)
        ax.set_ylim(-0.5, len(upward) - 0.5)
        ax.set_box_aspect(1)
        for axis, values in ((ax.xaxis, across), (ax.yaxis, upward)):
            every = -(-len(values) // 10)
            axis.set_ticks(range(0, len(values), every), [_shown(value) for value in values[::every]])
        ax.set_xlabel(labels[0])
        ax.set_ylabel(labels[1])
        seen = [trajectory for trajectory in Trajectory if (table["trajectory"] == trajectory.value).any()]
        handles: list[Artist] = [
            Rectangle((0, 0), 1, 1, facecolor=TRAJECTORY_COLOURS[t], label=TRAJECTORY_NAMES[t]) for t in seen
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=3)
        if keys:
            figure.legend(handles=keys, loc="outside lower center", ncols=2, title="Scenarios, by these two values")
    return figure


def _bar(ax: Axes, column: int, row: int, shares: "pd.Series[float]") -> None:
    left = column - 0.5
    for trajectory in Trajectory:
        width = float(shares.get(trajectory.value, 0.0))
        ax.add_patch(Rectangle((left, row - 0.5), width, 1.0, facecolor=TRAJECTORY_COLOURS[trajectory], linewidth=0))
        left += width
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1.0, 1.0, fill=False, edgecolor="white", linewidth=0.5))


def _borders(ax: Axes, major: np.ndarray) -> None:
    """Lines between neighbours whose majorities differ."""
    look: Any = {"color": "black", "linewidth": 1.8, "solid_capstyle": "round", "zorder": 3}
    for row, column in np.ndindex(major.shape):
        if column + 1 < major.shape[1] and major[row, column] != major[row, column + 1]:
            ax.plot([column + 0.5] * 2, [row - 0.5, row + 0.5], **look)
        if row + 1 < major.shape[0] and major[row, column] != major[row + 1, column]:
            ax.plot([column - 0.5, column + 0.5], [row + 0.5] * 2, **look)


def _name_regions(ax: Axes, major: np.ndarray) -> None:
    """The name of each trajectory where its largest region is widest, so that the map can be read in grey."""
    from scipy.ndimage import distance_transform_edt, label

    for trajectory in Trajectory:
        pieces, count = label(major == trajectory)  # where no run has a label it is empty
        if not count:
            continue
        sizes = np.bincount(pieces.ravel())[1:]
        if sizes.max() < 0.04 * major.size:
            continue
        depth = distance_transform_edt(np.pad(pieces == 1 + int(sizes.argmax()), 1))[1:-1, 1:-1]
        rows, columns = np.nonzero(depth >= depth.max() - 1e-9)
        middle = len(rows) // 2
        name = TRAJECTORY_NAMES[trajectory].replace(" ", "\n", 1)
        box: Any = {"facecolor": "white", "alpha": 0.85, "linewidth": 0, "boxstyle": "round,pad=0.25"}
        ax.text(columns[middle], rows[middle], name, ha="center", va="center", fontsize=8, bbox=box, zorder=4)


def _place_marks(ax: Axes, marks: Sequence[Mark], across: Sequence[Any], upward: Sequence[Any]) -> list[Artist]:
    """Scenarios at their places; those at the same place share a number, which the legend resolves."""
    places: dict[tuple[float, float], list[str]] = {}
    for mark in marks:
        place = tuple(_index(value, values) for value, values in ((mark.x, across), (mark.y, upward)))
        if None not in place:
            places.setdefault(place, []).append(mark.name)  # type: ignore[arg-type]
    keys: list[Artist] = []
    for number, ((column, row), names) in enumerate(places.items(), start=1):
        ax.plot(column, row, "o", markersize=13, color="white", markeredgecolor="black", zorder=5, clip_on=False)
        ax.text(column, row, str(number), ha="center", va="center", fontsize=8, weight="bold", zorder=6)
        shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        with mpl.rc_context({"text.parse_math": True}):  # for the marker that is a number
            keys.append(Line2D([], [], marker=f"${number}$", color="black", linestyle="", label=shown))
    return keys


def _index(value: Any, values: Sequence[Any]) -> float | None:
    """Where a value stands among the sorted values of an axis, between them in proportion; None outside."""
    if value in values:
        return float(list(values).index(value))
    numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in (value, *values))
    if not numbers or not values[0] <= value <= values[-1]:
        return None
    return float(np.interp(value, values, np.arange(len(values))))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_ | str) else f"{value:.4g}"
