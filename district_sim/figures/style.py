"""What all figures share: colours, dashes, type, small parts, and how a figure is written to a file."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter

from district_sim.run.trajectories import Trajectory
from district_sim.run.whole_files import write_whole
from district_sim.text.names import unit_words
from district_sim.text.numbers import number, significant

if TYPE_CHECKING:
    from district_sim.scenario.calendar import Calendar
    from district_sim.scenario.indicators import Indicator

TRAJECTORY_COLOURS: dict[Trajectory, str] = {
    Trajectory.FRAGMENTATION: "#c2403a",
    Trajectory.POST_MARSHALLIAN_NODE: "#0b4a8f",
    Trajectory.LEARNING_REGION: "#2a8f83",
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: "#c08a12",
    Trajectory.MARSHALLIAN_PERSISTENCE: "#8a8a8a",
    Trajectory.DECLINE: "#3c3c3c",
}
"""Always the same colour for the same trajectory."""
TRAJECTORY_DASHES: dict[Trajectory, Any] = {
    Trajectory.FRAGMENTATION: (0, (5, 1.5)),
    Trajectory.POST_MARSHALLIAN_NODE: (0, (5, 1.5, 1, 1.5)),
    Trajectory.LEARNING_REGION: (0, (1.5, 1)),
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: "-",
    Trajectory.MARSHALLIAN_PERSISTENCE: (0, (8, 2, 1, 2, 1, 2)),
    Trajectory.DECLINE: (0, (3, 3)),
}
INK = "#222222"
QUIET = "#555555"
"""Colour of what stands back."""
AGENCY = "#d6338a"
"""Colour of the agency, its participants and its pipelines."""
PIPELINE = "#0b4a8f"
"""Colour of firms' own links to the outside."""
TIE = "#5b6f7d"
"""Colour of ties and of bundles of them."""
HERE, ABROAD = "#2b7a9e", "#b86a12"
"""Colours of orders in the district and abroad."""
_LEVEL = 3
"""Of a PNG's compression: a twentieth less time for a figure than with the usual six, for a file a twentieth larger."""
TOP = 1.0
"""Height of a title that need not look out for tick labels or powers of ten above its axes, because there are none:
looking takes a twelfth of the time of a figure."""
RIM = "#333333"
"""Edge of a firm's mark: a light fill stands out from white by it."""


class Look(NamedTuple):
    label: str
    marker: str
    colour: str


CONTROLS: dict[str, Look] = {
    "independent": Look("independent", "o", "#8fb3cc"),
    "captive": Look("captive to a client", "v", "#e8a04c"),
    "group": Look("owned by a local group", "s", "#b5523b"),
    "leader": Look("leads a group", "D", "#6d1a36"),
    "multinational": Look("owned by a multinational", "P", "#161616"),
}
"""Marker and colour by who controls a firm; the darker, the less it decides for itself."""
LINES = (("#1f4e79", "-"), ("#d07a1f", (0, (5, 1.5))), ("#7d7d7d", (0, (1.5, 1))))
"""Colours and dashes of lines that stand for no trajectory."""
_OURS: dict[str, Any] = {
    "text.parse_math": False,  # titles and names are the user's: a dollar is a dollar
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.titlesize": 13,
    "svg.hashsalt": "district-sim",
}
_NOT_LOOKS = {"backend", "backend_fallback", "interactive", "timezone", "toolbar"}
_NOT_LOOKS |= {"date.epoch", "docstring.hardcopy", "figure.max_open_warning", "savefig.directory"}
STYLE: Any = {
    name: value
    for name, value in mpl.rcParamsDefault.items()
    if name not in _NOT_LOOKS and not name.startswith(("figure.raise_window", "tk.", "webagg."))
} | _OURS
"""All that decides on the look of a figure: the user's matplotlibrc has no say in ours."""


def phase_colours(phases: int) -> list[str]:
    """A colour for each phase of production, darker towards the market; safe for colour-blind readers, and in grey.

    The same in figures, in films and on the page.
    """
    return [to_hex(mpl.colormaps["viridis_r"](0.03 + 0.97 * k / max(1, phases - 1))) for k in range(phases)]


def note(ax: Axes, text: str, place: tuple[float, float], up: float = 0.0, **style: Any) -> None:
    """Small text at a place given as fractions of the axes, `up` points above it."""
    look: Any = {"fontsize": 8.5, "color": "#444444", "annotation_clip": False} | style
    ax.annotate(text, place, (0, up), "axes fraction", "offset points", **look)


def drawn_as(record: "Indicator") -> tuple[str, float]:
    """The unit on an indicator's axis, and what its values are multiplied by: small rates are drawn in per cent."""
    rate = record.unit == "share/quarter"
    return ("% a quarter", 100.0) if rate else (unit_words(record.unit), 1.0)


def time_axis(ax: Axes, calendar: "Calendar | None", ticks: int = 5) -> None:
    """Mark the quarters of a run on the x axis, whose limits are set: by their number, or by years where it has dates.

    The beginning of a year is where the quarters before it are over.
    """
    if calendar is None:
        ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
        return
    low, high = ax.get_xlim()
    years = MaxNLocator(ticks, integer=True).tick_values(calendar.year(low), calendar.year(high))
    places = {4.0 * year - calendar.first: f"{year:.0f}" for year in years if year == round(year)}
    shown = {place: name for place, name in places.items() if low <= place <= high}
    ax.set_xticks(list(shown), list(shown.values()))


def time_word(calendar: "Calendar | None") -> str:
    """The name of an axis that `time_axis` has marked."""
    return "quarter" if calendar is None else "year"


def log_scale(ax: Axes, axes: str) -> None:
    """Make the axes named ("x", "y" or "xy") logarithmic, with plain numbers: matplotlib's own are mathematics."""
    for axis in (getattr(ax, f"{name}axis") for name in axes):
        getattr(ax, f"set_{axis.axis_name}scale")("log")
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())


def scale_y(ax: Axes, unit: str, top: float, decimals: int = 0) -> None:
    """Label and limits of an axis whose greatest value is `top`, NaN if none is known.

    Args:
        decimals: of quantities, 0 for whole numbers.
    """
    ax.set_ylabel(unit)
    if (unit.startswith(("share", "index")) and not top > 1.0) or "0 to 1" in unit:
        ax.set_ylim(0.0, min(1.0, max(0.2, 1.1 * top)))
    else:
        ax.set_ylim(0.0, 1.1 * top if top > 0.0 else 1e-9)
    if unit.startswith("share") and "0 to 1" not in unit:
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    elif not unit.startswith(("share", "index")):
        ax.yaxis.set_major_formatter(lambda value, _: significant(value, 3) if decimals else number(value, 0))
    ax.yaxis.set_major_locator(MaxNLocator(4))


def within(ax: Axes, axes: str, low: float = 0.0, high: float = 1.0) -> None:
    """Cut the axes named ("x", "y" or "xy") at low and high where all data lies between: no share beyond 0 and 1."""
    box = ax.dataLim
    for name, (least, most) in (("x", box.intervalx), ("y", box.intervaly)):
        if name not in axes or not low <= least <= most <= high:
            continue
        ends = getattr(ax, f"get_{name}lim")()
        getattr(ax, f"set_{name}lim")(max(low, ends[0]), min(high, ends[1]))
        for artist in (*ax.collections, *ax.lines):
            artist.set_clip_on(False)  # a mark on the end stays whole


def save(figure: Figure, path: str | os.PathLike[str]) -> list[Path]:
    """Write a figure as PNG (150 dpi) and SVG; each file appears whole or not at all.

    Args:
        path: without suffix, in a folder that exists.

    Returns:
        The files written.

    Raises:
        OSError: it cannot be written.
    """
    dpi, layout, canvas = figure.dpi, figure.get_layout_engine(), figure.canvas
    with mpl.rc_context(STYLE):
        try:
            figure.set_dpi(150)
            drawn = FigureCanvasAgg(figure)  # before the layout, so that words are measured once for both
            if layout is not None and figure.axes:
                layout.execute(figure)  # once for PNG and SVG; `savefig` would do so four times
            figure.set_layout_engine("none")
            draw_png = partial(drawn.print_png, metadata={"Software": None}, pil_kwargs={"compress_level": _LEVEL})
            draw_svg = partial(FigureCanvasSVG(figure).print_svg, metadata={"Date": None})
            return [
                write_whole(Path(f"{os.fspath(path)}{suffix}"), draw)
                for suffix, draw in ((".png", draw_png), (".svg", draw_svg))
            ]
        finally:
            figure.set_dpi(dpi)
            figure.set_layout_engine(layout)
            figure.set_canvas(canvas)
