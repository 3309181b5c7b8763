"""The three views of a district: place, value chain, knowledge. The same firms, marks and colours in each."""

from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, PathPatch, Rectangle
from matplotlib.path import Path

from district_sim.figures.layout import (
    CORE,
    NEW,
    PERIPHERY,
    VIEWS,
    Orders,
    chain_places,
    columns_of,
    knowledge_places,
    orders_of,
)
from district_sim.figures.maps import area_of, draw_bundles, draw_firms, furthest, marks_by_phase, pen_of, reach_of
from district_sim.figures.sources import Source, seen, title_of, total
from district_sim.figures.style import (
    ABROAD,
    AGENCY,
    CONTROLS,
    HERE,
    INK,
    PIPELINE,
    QUIET,
    RIM,
    STYLE,
    TIE,
    TOP,
    phase_colours,
)
from district_sim.model.parameters import parameters_of
from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.sections import Scenario
from district_sim.text.names import label_name, moment_name, phase_name
from district_sim.text.numbers import number, percent

_ARC = 9.0  # points that the largest orders are broad


class Scene(NamedTuple):
    """A district at one moment, ready to be drawn in all views."""

    now: Snapshot
    colours: np.ndarray
    """(n, 3) of its firms, by phase."""
    edges: np.ndarray
    """(n, 3) of the rims of their marks: members of the agency who contribute stand out."""
    orders: Orders
    limit: float
    """Radius of the district, km."""
    pen: float
    since: int
    """Quarter from which on firms count as founded lately."""
    closed: pd.DataFrame
    """Firms closed lately, as they were before; empty where no moment tells."""

    @property
    def phases(self) -> int:
        return len(self.now.value_chain) + 1


def scene_of(source: Source, quarter: int | None = None, pen: float = 4.0) -> Scene:
    """What is to be drawn of a moment.

    Args:
        source: a run, a `District` (as it stands), or a snapshot.
        quarter: a moment that the run kept, its end if left out.
        pen: see `maps.pen_of`.
    """
    closed, since = pd.DataFrame(), 0
    if isinstance(source, Run):
        moments = source.moments
        at = len(source.indicators) if quarter is None else quarter
        now, scenario, limit = moments[at], source.scenario, reach_of(source)
        since = at - NEW
        before = max([when for when in moments if when <= since], default=0)
        if before >= since - NEW:
            past = moments[before].firms
            closed = past[~past.index.isin(now.firms.index)]
    else:
        now, _ = seen(source)
        scenario = None if isinstance(source, Snapshot) else source.scenario_in_force
        limit = furthest(now)
        since = 1 << 30 if isinstance(source, Snapshot) else source.quarter - NEW
    colours, edges = marks_by_phase(now.firms, phase_colours(len(now.value_chain) + 1))
    return Scene(now, colours, edges, _orders(now, scenario), limit, pen, since, closed)


def _orders(now: Snapshot, scenario: Scenario | None) -> Orders:
    chain, firms = now.value_chain, now.firms
    value = np.full(len(chain), (1.0 - Scenario().market.final_value) / max(1, len(chain)))
    if scenario is not None:
        value = parameters_of(scenario).derived.phase_value[:-1]
    sales = float(firms["sales"][firms["phase"] == len(chain)].sum())
    return orders_of(sales, chain["made"].to_numpy(), chain["abroad"].to_numpy(), value)


def _new(scene: Scene) -> np.ndarray:
    return (scene.now.firms["founded"] >= scene.since).to_numpy() & (scene.since > 0)


def _draw_marks(ax: Axes, scene: Scene, places: np.ndarray, past: np.ndarray) -> None:
    """Firms, rings around those founded lately, crosses where some have closed."""
    firms, pen = scene.now.firms, scene.pen
    if len(past):
        ax.scatter(
            past[:, 0],
            past[:, 1],
            s=1.2 * pen**2,
            marker="x",
            color=QUIET,
            linewidths=0.2 * pen,
            zorder=2,
            gid="closed",
        )
    draw_firms(ax, firms, places, pen, scene.colours, scene.edges)
    young = _new(scene)
    if young.any():
        around = (np.sqrt(area_of(firms["employees"].to_numpy()[young], pen)) + 0.8 * pen) ** 2
        look: Any = {"facecolors": "none", "edgecolors": INK, "linestyles": (0, (1.5, 1)), "zorder": 9}
        ax.scatter(places[young, 0], places[young, 1], s=around, linewidths=0.14 * pen, gid="founded", **look)


# Place ---------------------------------------------------------------------------------------------


def draw_place(ax: Axes, scene: Scene) -> None:
    """Firms at home, ties in bundles, a ray beyond the rim for each firm with links to the outside."""
    firms, limit = scene.now.firms, scene.limit
    draw_bundles(ax, scene.now, limit, scene.pen)
    _draw_marks(ax, scene, _homes(firms), _homes(scene.closed))
    _draw_rays(ax, firms[firms["pipelines"] > 0], limit, limit, scene.pen)
    ax.add_patch(Circle((0.0, 0.0), 1.02 * limit, fill=False, edgecolor="#999999", linewidth=0.8, zorder=0))
    _square(ax, 1.3 * limit)


def _homes(firms: pd.DataFrame) -> np.ndarray:
    return firms[["x", "y"]].to_numpy(dtype=float) if len(firms) else np.zeros((0, 2))


def _draw_rays(ax: Axes, out: pd.DataFrame, limit: float, begin: "float | np.ndarray", pen: float) -> None:
    """From a distance from the middle to beyond the rim, as far as links are many."""
    bearing = np.arctan2(out["y"].to_numpy(dtype=float), out["x"].to_numpy(dtype=float))
    direction = np.stack([np.cos(bearing), np.sin(bearing)], axis=1)
    low = np.broadcast_to(np.maximum(begin, 0.0), len(out))
    ends = np.stack([low * (1.04 if np.isscalar(begin) else 1.0), limit * (1.06 + 0.04 * out["pipelines"])], axis=1)
    lines = list(direction[:, None, :] * ends[:, :, None])
    ax.add_collection(LineCollection(lines, colors=PIPELINE, linewidths=0.22 * pen, zorder=1.5, gid="pipelines"))


def _square(ax: Axes, half: float) -> None:
    ax.set_xlim(-half, half)
    ax.set_ylim(-half, half)
    ax.set_aspect("equal")
    _bare(ax)


def _bare(ax: Axes) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


# Value chain ---------------------------------------------------------------------------------------


def draw_chain(ax: Axes, scene: Scene) -> None:
    """Firms in the columns of their phases; arcs of orders, here above and abroad below, as broad as money is much."""
    firms, orders, phases = scene.now.firms, scene.orders, scene.phases
    columns = columns_of(phases)
    middles, small = columns.mean(axis=1), 7.5 if phases <= 7 else 5.5
    for phase, (left, right) in enumerate(columns):
        ax.add_patch(Rectangle((left, -0.03), right - left, 1.06, facecolor="#f1f2f3", linewidth=0, zorder=0))
        name = "final" if phase == phases - 1 else f"{phase + 1}"
        ax.text(middles[phase], 1.055, name, ha="center", va="bottom", fontsize=8, color=INK)
    _draw_marks(ax, scene, _in_columns(firms, phases), _in_columns(scene.closed, phases))
    most = float(max(orders.here + orders.abroad, default=0.0))
    for money, colour, side, gid in (
        (orders.here, HERE, 1.0, "orders here"),
        (orders.abroad, ABROAD, -1.0, "orders abroad"),
    ):
        for phase, amount in enumerate(money):
            if most > 0.0 and amount > 0.0:
                _draw_arc(ax, columns, phase, _ARC * min(1.0, 6.0 / phases) * amount / most, colour, side, gid)
            foot = 1.18 if side > 0 else -0.07
            look: Any = {"ha": "center", "fontsize": small, "color": colour, "weight": "bold"}
            ax.text(middles[phase], foot, number(amount, 0), va="bottom" if side > 0 else "top", **look)
    low, high = columns[-1, 1] + 0.015, columns[-1, 1] + 0.1
    ax.add_patch(
        FancyArrowPatch((low, 0.5), (high, 0.5), arrowstyle="-|>", mutation_scale=11, color=INK, linewidth=2.0)
    )
    look = {"fontsize": 7.5, "color": INK, "ha": "left"}
    ax.text(low, 0.6, f"market\n{number(orders.sales, 0)}", va="bottom", **look)
    ax.text(middles[-1], -0.07, f"in-house\n{number(float(orders.made.sum()), 0)}", va="top", ha="center",
            fontsize=7.5, color=INK)  # fmt: skip
    captive = int((firms["control"] == "captive").sum())
    ax.text(-0.02, -0.93, f"captive suppliers: {captive}", fontsize=7.5, color=INK, va="bottom")
    ax.set_xlim(-0.02, 1.17)
    ax.set_ylim(-0.95, 2.12)
    ax.set_box_aspect(1)
    _bare(ax)


def _in_columns(firms: pd.DataFrame, phases: int) -> np.ndarray:
    if not len(firms):
        return np.zeros((0, 2))
    return chain_places(firms.index.to_numpy(), firms["phase"].to_numpy(), phases)


def _draw_arc(ax: Axes, columns: np.ndarray, phase: int, width: float, colour: str, side: float, gid: str) -> None:
    """An arrow from final firms to a phase: above the columns, or below them."""
    last = len(columns) - 1
    left, right = columns[-1]
    start = left + (right - left) * (0.92 - 0.8 * (phase + 0.5) / last)  # the longest arc is the outermost
    end = columns[phase].mean()
    foot = 1.36 if side > 0 else -0.24
    rise = side * (0.1 + 0.42 * (start - end))
    base = 1.17 if side > 0 else -0.34
    path = Path([(start, base), (start, foot + 1.3 * rise), (end, foot + 1.3 * rise), (end, foot)],
                [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])  # fmt: skip
    dashes: Any = "-" if side > 0 else (0, (2.2, 0.7))
    ax.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=max(0.4, width), linestyle=dashes,
                           capstyle="butt", alpha=0.85, zorder=2, gid=gid))  # fmt: skip
    ax.plot(end, foot, marker="v" if side > 0 else "^", color=colour, markersize=4.0 + 0.6 * width, zorder=3)


# Knowledge -----------------------------------------------------------------------------------------


def draw_knowledge(ax: Axes, scene: Scene) -> None:
    """Firms the nearer to the middle the more they learn and teach; lines outwards from those with own pipelines."""
    firms = scene.now.firms
    for radius in (CORE, PERIPHERY, 1.0):
        ax.add_patch(Circle((0, 0), radius, fill=False, edgecolor="#999999", linewidth=0.8,
                            linestyle="-" if radius == 1.0 else (0, (4, 3)), zorder=0))  # fmt: skip
    places = _by_learning(firms)
    out = (firms["pipelines"] > 0).to_numpy()
    _draw_rays(ax, firms[out], 1.0, np.hypot(*places[out].T), scene.pen)
    _draw_marks(ax, scene, places, _by_learning(scene.closed))
    taught = firms["taught"].to_numpy()
    far = np.hypot(*places.T)
    told = []
    for name, inner, outer in (("core", 0.0, CORE), ("middle", CORE, PERIPHERY), ("periphery", PERIPHERY, 2.0)):
        inside = (far >= inner) & (far < outer)
        share = percent(float(taught[inside].sum() / taught.sum())) if taught.sum() > 0.0 else "–"
        told.append(f"{name}: {total(int(inside.sum()), 'firm')} teach {share}")
    ax.text(-1.3, -1.3, "\n".join(told), fontsize=7.5, color=INK, va="bottom", linespacing=1.25)
    _square(ax, 1.3)


def _by_learning(firms: pd.DataFrame) -> np.ndarray:
    if not len(firms):
        return np.zeros((0, 2))
    return knowledge_places(*(firms[name].to_numpy(dtype=float) for name in ("x", "y", "lessons", "taught")))


# The figure ----------------------------------------------------------------------------------------

DRAW = {"place": draw_place, "chain": draw_chain, "knowledge": draw_knowledge}


def views(source: Source) -> Figure:
    """Place, value chain and knowledge side by side.

    Args:
        source: a run (before and after are shown), a `District` (as it stands), or a snapshot.
    """
    moments: list[tuple[str, Scene]]
    if isinstance(source, Run):
        calendar = source.scenario.run.calendar
        quarters = [0, len(source.indicators)]
        pen = pen_of(3.9, len(source.start.firms))
        moments = [(moment_name(calendar, quarter), scene_of(source, quarter, pen)) for quarter in quarters]
        title = f"{title_of(source)} → {label_name(source.trajectory)}"
    else:
        now, title = seen(source)
        moments = [("", scene_of(source, pen=pen_of(3.9, len(now.firms))))]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12.0, 1.6 + 4.2 * len(moments)), layout="constrained")
        rows = figure.subplots(len(moments), 3, squeeze=False)
        for row, (moment, scene) in zip(rows, moments, strict=True):
            for ax, (view, draw) in zip(row, DRAW.items(), strict=True):
                draw(ax, scene)
                ax.set_title(f"{VIEWS[view][0]}, {moment}" if moment else VIEWS[view][0], y=TOP)
                words = ax.text(0.0, 0.995, VIEWS[view][1], transform=ax.transAxes, fontsize=8, color=QUIET, va="top")
                words.set_in_layout(False)
        figure.suptitle(title, weight="bold")
        figure.legend(handles=views_key(moments[-1][1]), loc="outside lower center", ncols=6)
    return figure


def views_key(scene: Scene) -> list[Artist]:
    """Legend entries of what the three views draw."""
    shades = phase_colours(scene.phases)
    dot: Any = {"linestyle": "", "markersize": 7, "markeredgecolor": RIM, "markeredgewidth": 0.6}
    key: list[Artist] = [
        Line2D([], [], marker="o", color=shades[k], label=phase_name(k, scene.phases), **dot)
        for k in range(scene.phases)
    ]
    key += [Line2D([], [], marker=look.marker, color="#cfd6db", label=look.label, **dot) for look in CONTROLS.values()]
    for people in (5, 50):
        size = float(area_of(np.array(people), scene.pen)) ** 0.5
        key.append(
            Line2D([], [], marker="o", color="#cfd6db", label=f"{people} employees", **dot | {"markersize": size})
        )
    ring: Any = {"marker": "o", "linestyle": "", "markersize": 8, "color": "none"}
    key.append(Line2D([], [], **ring, markeredgecolor=AGENCY, markeredgewidth=1.6, label="contributes to the agency"))
    key.append(Line2D([], [], **ring, markeredgecolor=INK, markeredgewidth=0.9, label="founded lately"))
    key.append(Line2D([], [], marker="x", linestyle="", color=QUIET, markersize=5, label="closed lately"))
    for colour, label, width in ((TIE, "ties between two parts", 4.0), (PIPELINE, "links to the outside", 1.4),
                                 (HERE, "orders here, k€ a quarter", 4.0)):  # fmt: skip
        key.append(Line2D([], [], color=colour, alpha=0.5 if colour == TIE else 0.85, linewidth=width, label=label))
    key.append(
        Line2D([], [], color=ABROAD, linewidth=4.0, linestyle=(0, (2.2, 0.7)), label="orders abroad, k€ a quarter")
    )
    return key
