"""Maps of the district: firms at their places, ties, pipelines, and, in the network map, phases and the agency."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from district_sim.figures.layout import bundles_of, centre_of_zones, zones_of
from district_sim.figures.sources import Source, seen, title_of, total
from district_sim.figures.style import AGENCY, CONTROLS, INK, PIPELINE, RIM, STYLE, TIE, phase_colours
from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.text.names import label_name, moment_name, phase_name
from district_sim.text.numbers import percent

_BUNDLE = 26.0  # pens that a line for all ties would be broad
_MANY = 4000  # shapes beyond which they are drawn as an image inside the vector file


def draw_district(
    ax: Axes,
    snapshot: Snapshot,
    limit: float,
    pen: float,
    colours: np.ndarray | None = None,
    edges: np.ndarray | None = None,
) -> None:
    """Firms at their places, pipelines, and ties in bundles between the parts of the district.

    Args:
        limit: radius that holds all firms, km.
        pen: see `pen_of`; equal in panels that are compared.
        colours: of the firms, in place of the colour of who controls them.
        edges: colours of the rims of the firms' marks, dark if left out.
    """
    firms = snapshot.firms
    draw_bundles(ax, snapshot, limit, pen)
    _draw_pipelines(ax, firms, limit, pen)
    draw_firms(ax, firms, firms[["x", "y"]].to_numpy(), pen, colours, edges)
    ax.add_patch(mpl.patches.Circle((0.0, 0.0), 1.02 * limit, fill=False, edgecolor="#bbbbbb", linewidth=0.8, zorder=0))
    ax.set_xlim(-1.24 * limit, 1.24 * limit)
    ax.set_ylim(-1.24 * limit, 1.24 * limit)
    ax.set_aspect("equal")


def draw_firms(
    ax: Axes,
    firms: pd.DataFrame,
    places: np.ndarray,
    pen: float,
    colours: np.ndarray | None = None,
    edges: np.ndarray | None = None,
) -> None:
    """Marks of firms: shape by who controls them, area by employees.

    Args:
        places: (n, 2) in the units of the axes.
        pen, colours, edges: as of `draw_district`.
    """
    areas = area_of(firms["employees"].to_numpy(), pen)
    for order, (control, look) in enumerate(CONTROLS.items()):
        chosen = (firms["control"] == control).to_numpy()
        rims: Any = RIM if edges is None else edges[chosen]
        ax.scatter(
            places[chosen, 0],
            places[chosen, 1],
            s=areas[chosen],
            marker=look.marker,
            color=look.colour if colours is None else colours[chosen],
            edgecolors=rims,
            linewidths=(0.08 if edges is None else 0.14) * pen,
            zorder=3 + order,
            rasterized=len(firms) > _MANY,
            gid=control,
        )


def marks_by_phase(firms: pd.DataFrame, shades: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) each: colours of firms' marks by phase, and of their rims, where those who contribute stand out."""
    colours = np.array([to_rgb(shades[phase]) for phase in firms["phase"]]).reshape(-1, 3)
    joins = firms["participates"].to_numpy() > 0
    return colours, np.where(joins[:, None], to_rgb(AGENCY), to_rgb(RIM)).reshape(-1, 3)


def draw_bundles(ax: Axes, snapshot: Snapshot, limit: float, pen: float) -> None:
    """Ties between the parts of the district: a line for each two parts, as broad as ties are many."""
    firms, ties = snapshot.firms, snapshot.ties
    zone = zones_of(firms["x"].to_numpy(), firms["y"].to_numpy(), limit)
    one, other = (firms.index.get_indexer(pd.Index(ties[end])) for end in ("a", "b"))
    bundles, centres = bundles_of(zone, one, other), centre_of_zones(limit)
    lines = LineCollection(
        [centres[[bundle.a, bundle.b]] for bundle in bundles],
        colors=TIE,
        alpha=0.4,
        linewidths=[_BUNDLE * pen * bundle.share for bundle in bundles],
        capstyle="round",
        zorder=1,
        gid="bundles",
    )
    ax.add_collection(lines)


def pen_of(inches: float, firms: int) -> float:
    """Unit of length for marks and lines in a panel of that width: finer where firms are many."""
    return inches * min(1.0, 300.0 / max(1, firms)) ** 0.375


def area_of(employees: np.ndarray, pen: float) -> np.ndarray:
    """Area of marks, points²; less than in proportion to employees, so that the small remain visible."""
    return 0.24 * pen**2 * np.clip(employees, 1, 5000) ** 0.75


def _draw_pipelines(ax: Axes, firms: pd.DataFrame, limit: float, pen: float) -> None:
    """A ray beyond the rim for each firm with pipelines, at its bearing, as long as they are many."""
    out = firms[firms["pipelines"] > 0]
    bearing = np.arctan2(out["y"].to_numpy(), out["x"].to_numpy())
    direction = np.stack([np.cos(bearing), np.sin(bearing)], axis=1)
    ends = limit * np.stack([np.full(len(out), 1.04), 1.06 + 0.04 * out["pipelines"].to_numpy()], axis=1)
    rays = LineCollection(
        list(direction[:, None, :] * ends[:, :, None]),
        colors=PIPELINE,
        linewidths=0.24 * pen,
        zorder=1,
        rasterized=len(out) > _MANY,
        gid="pipelines",
    )
    ax.add_collection(rays)


def reach_of(run: Run) -> float:
    """Radius that holds every firm before and after, km."""
    return max(run.scenario.firms.radius, furthest(run.start), furthest(run.end))


def furthest(snapshot: Snapshot) -> float:
    """Distance of the outermost firm from the middle, km."""
    return float(np.hypot(snapshot.firms["x"], snapshot.firms["y"]).max()) if len(snapshot.firms) else 1e-9


def _size_key(pen: float, colour: str) -> list[Artist]:
    dot: Any = {"marker": "o", "linestyle": "", "color": colour}
    return [
        Line2D([], [], label=f"{n} employees", markersize=float(area_of(np.array(n), pen)) ** 0.5, **dot)
        for n in (5, 50)
    ]


def map_key(colour: str | None = None) -> list[Artist]:
    """Legend entries of what `draw_district` draws.

    Args:
        colour: of all marks, where colours mean something else than control.
    """
    key: list[Artist] = [
        Line2D(
            [],
            [],
            marker=look.marker,
            color=colour or look.colour,
            linestyle="",
            markersize=8,
            label=look.label,
            markeredgecolor=RIM,
            markeredgewidth=0.5,
        )
        for look in CONTROLS.values()
    ]
    key.append(Line2D([], [], color=TIE, alpha=0.5, linewidth=4.0, label="ties between two parts (broader: more)"))
    key.append(
        Line2D([], [], color=PIPELINE, marker="|", markersize=9, markeredgewidth=1.6, linestyle="", label="pipelines")
    )
    return key


# Figures ------------------------------------------------------------------------------------------


def _moment(run: Run, done: int) -> str:
    name = moment_name(run.scenario.run.calendar, done)
    return name[:1].upper() + name[1:]


def district_map(run: Run) -> Figure:
    """The district before and after: firms at their places by size and control, their ties and pipelines."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 7.2), layout="constrained")
        limit, pen = reach_of(run), pen_of(5.4, len(run.start.firms))
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        moments = (
            (left, run.start, _moment(run, 0)),
            (right, run.end, _moment(run, len(run.indicators))),
        )
        for ax, snapshot, moment in moments:
            draw_district(ax, snapshot, limit, pen)
            ax.set_title(f"{moment}: {len(snapshot.firms):,} firms, {len(snapshot.ties):,} local ties")
            ax.set_xlabel("km")
        left.set_ylabel("km")
        figure.suptitle(f"{title_of(run)} → {label_name(run.trajectory)}", weight="bold")
        figure.legend(
            handles=[*map_key(), *_size_key(pen, CONTROLS["independent"].colour)], loc="outside lower center", ncols=5
        )
    return figure


def network_map(source: Source) -> Figure:
    """One moment of the district, with everything: size, phase and control of firms, ties, pipelines, the agency.

    Args:
        source: a run (its end is shown), a `District` (as it stands), or a snapshot.
    """
    snapshot, title = seen(source)
    firms, phases = snapshot.firms, len(snapshot.value_chain) + 1
    shades = phase_colours(phases)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 8.9), layout="constrained")
        ax = figure.subplots()
        limit, pen = furthest(snapshot), pen_of(7.0, len(firms))
        draw_district(ax, snapshot, limit, pen, *marks_by_phase(firms, shades))
        _draw_agency(ax, snapshot, limit)
        ax.set_xlabel("km")
        ax.set_ylabel("km")
        ax.set_title(f"{title}: {total(len(firms), 'firm')}, {total(len(snapshot.ties), 'local tie')}")
        dot: Any = {"marker": "o", "linestyle": "", "markersize": 8}
        by_phase = [Line2D([], [], color=shades[k], label=phase_name(k, phases), **dot) for k in range(phases)]
        ring = Line2D([], [], **dot, color="white", markeredgecolor=AGENCY, markeredgewidth=1.6, label="participant")
        rest = [*map_key("#777777"), ring, *_size_key(pen, "#777777")]
        ax.legend(handles=by_phase, loc="upper left", title="Phase", alignment="left", borderaxespad=0.2)
        figure.legend(handles=rest, loc="outside lower center", ncols=4)
    return figure


def _draw_agency(ax: Axes, snapshot: Snapshot, limit: float) -> None:
    """The agency outside the rim: larger with its capability, rays as long as its collective pipelines are strong."""
    agency = snapshot.agency
    place = np.array([-1.06, -1.06]) * limit
    strong = agency["pipelines"]
    if strong > 0.0:
        bearings = np.radians([195.0, 225.0, 255.0])
        ends = place + (0.05 + 0.14 * strong) * limit * np.stack([np.cos(bearings), np.sin(bearings)], axis=1)
        rays = LineCollection(
            [np.stack([place, end]) for end in ends], colors=AGENCY, linewidths=1.8, gid="collective pipelines"
        )
        ax.add_collection(rays)
    size = 90.0 + 420.0 * agency["capability"]
    ax.scatter(place[:1], place[1:], s=size, marker="h", color=AGENCY, edgecolors="white", zorder=9, gid="agency")
    said = f"agency: capability {agency['capability']:.2f}\nparticipation {percent(agency['participation'])}"
    said += f"\ncollective pipelines {strong:.2f}"
    where: Any = {"xytext": (14, -2), "textcoords": "offset points", "va": "center", "fontsize": 8.5, "color": INK}
    ax.annotate(said, tuple(place), **where)
