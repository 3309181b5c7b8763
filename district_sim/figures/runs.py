"""Figures of runs: dashboard, map, scores over time, and several futures side by side."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from district_sim.figures.style import LINES, STYLE, TRAJECTORY_COLOURS, TRAJECTORY_DASHES, note, scale_y
from district_sim.run import Run, Snapshot
from district_sim.trajectories import DEFAULT_THRESHOLDS, FUTURES, Trajectory
from district_sim.trajectories import scores_over_time as _scores_over_time
from district_sim.wording import TRAJECTORY_NAMES, heading, trajectory_meant


class _Look(NamedTuple):
    label: str
    marker: str
    colour: str


CONTROLS: dict[str, _Look] = {
    "independent": _Look("independent", "o", "#8fb3cc"),
    "captive": _Look("captive to a client", "v", "#e8a04c"),
    "group": _Look("owned by a local group", "s", "#b5523b"),
    "leader": _Look("leads a group", "D", "#6d1a36"),
    "multinational": _Look("owned by a multinational", "P", "#161616"),
}
"""Marker and colour by who controls a firm; the darker, the less it decides for itself."""

_TIE = "#4a5a66"
_PIPELINE = "#0b4a8f"
_MANY = 4000  # shapes beyond which they are drawn as an image inside the vector file


class _Panel(NamedTuple):
    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]
    """Indicator and its name in the legend."""


_DASHBOARD = (
    _Panel("Firms", "firms", (("firms", "firms"),)),
    _Panel("Employment", "employees", (("employment", "employees"),)),
    _Panel("Value added", "k€ per quarter", (("value_added", "produced"), ("value_added_local", "kept locally"))),
    _Panel(
        "Control",
        "share of sales; jobs; suppliers",
        (
            ("mne_turnover_share", "multinationals"),
            ("group_employment_share", "groups"),
            ("captive_share", "captive"),
        ),
    ),
    _Panel("Trust and identity", "index, 0 to 1", (("trust", "trust of ties"), ("identity", "identity"))),
    _Panel(
        "Local production",
        "share",
        (("local_purchases", "bought here"), ("phase_coverage", "phases here"), ("make_share", "in-house")),
    ),
    _Panel(
        "Links to the world",
        "share",
        (
            ("pipeline_firms", "with pipeline"),
            ("global_inflow_share", "learned outside"),
            ("collective_inflow_share", "… together"),
        ),
    ),
    _Panel(
        "Learning and renewal",
        "share and index, 0 to 1",
        (("newest_share", "on newest trajectory"), ("absorptive_capacity", "absorptive capacity")),
    ),
    _Panel(
        "Collective agency",
        "share and index, 0 to 1",
        (("participation", "participation"), ("agency_capability", "capability"), ("brand", "brand")),
    ),
)
_FUTURES = (
    _Panel("Employment", "start = 100", (("employment", ""),)),
    _Panel("Owned by multinationals", "share of sales", (("mne_turnover_share", ""),)),
    _Panel("Bought locally", "share of purchases", (("local_purchases", ""),)),
    _Panel("Trust of local ties", "0 to 1", (("trust", ""),)),
    _Panel("Newest technology", "share of firms", (("newest_share", ""),)),
    _Panel("Learned collectively", "share of outside inflow", (("collective_inflow_share", ""),)),
)


# Parts --------------------------------------------------------------------------------------------


def _title(run: Run) -> str:
    return f"{run.scenario.title or 'A district'} · {len(run.indicators)} quarters, seed {run.seed}"


def _shade_globalisation(ax: Axes, run: Run) -> None:
    """Grey behind the lines as dark as globalisation is strong, and a mark where the strategy begins."""
    pressure = run.indicators["globalisation"].to_numpy()
    quarters = run.indicators.index
    ax.set_xlim(0, quarters[-1])
    limits = ax.get_ylim()
    ax.imshow(
        np.clip(pressure, 0.0, 1.0)[None, :],
        extent=(quarters[0] - 0.5, quarters[-1] + 0.5, 0.0, 1.0),
        transform=ax.get_xaxis_transform(),
        cmap="Greys",
        vmin=0.0,
        vmax=7.0,
        aspect="auto",
        interpolation="nearest",
        zorder=-2,
    )
    ax.set_xlim(0, quarters[-1])
    ax.set_ylim(limits)
    if 0 < run.scenario.strategy_start < quarters[-1]:
        ax.axvline(run.scenario.strategy_start, color="#555555", linewidth=0.9, linestyle=(0, (2, 2)), zorder=-1)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _background_key(run: Run) -> list[Artist]:
    """Legend entries of what `_shade_globalisation` draws."""
    shade = Line2D([], [], marker="s", markersize=9, linestyle="", color="#e2e2e2")
    shade.set_label("globalisation (darker: stronger)")
    begin = Line2D([], [], color="#555555", linewidth=0.9, linestyle=(0, (2, 2)), label="the strategy begins")
    return [shade, begin] if 0 < run.scenario.strategy_start < len(run.indicators) else [shade]


def _curve(ax: Axes, values: pd.Series, trajectory: Trajectory, label: str) -> None:
    """A line that looks the same for the same trajectory everywhere; a dot if there is one value only."""
    marker = "o" if len(values) == 1 else ""
    style: Any = {"color": TRAJECTORY_COLOURS[trajectory], "linestyle": TRAJECTORY_DASHES[trajectory]}
    ax.plot(values.index, values, label=label, marker=marker, linewidth=2.0, clip_on=False, **style)


def _draw_district(ax: Axes, snapshot: Snapshot, limit: float, pen: float) -> None:
    """Firms, ties and pipelines at their places.

    Args:
        limit: radius that holds all firms, km.
        pen: see `_pen`; equal in panels that are compared.
    """
    firms, ties = snapshot.firms, snapshot.ties
    place = firms[["x", "y"]]
    lines = LineCollection(
        list(np.stack([place.loc[ties["a"]].to_numpy(), place.loc[ties["b"]].to_numpy()], axis=1)),
        colors=[(*to_rgb(_TIE), alpha) for alpha in np.clip(0.04 + 0.5 * ties["trust"].to_numpy() ** 2, 0.0, 1.0)],
        linewidths=0.14 * pen,
        zorder=1,
        rasterized=len(ties) > _MANY,
        gid="ties",
    )
    ax.add_collection(lines)
    _draw_pipelines(ax, firms, limit, pen)
    areas = _area(firms["employees"].to_numpy(), pen)
    for order, (control, look) in enumerate(CONTROLS.items()):
        chosen = (firms["control"] == control).to_numpy()
        ax.scatter(
            firms["x"][chosen],
            firms["y"][chosen],
            s=areas[chosen],
            marker=look.marker,
            color=look.colour,
            edgecolors="white",
            linewidths=0.06 * pen,
            zorder=2 + order,
            rasterized=len(firms) > _MANY,
            gid=control,
        )
    ax.add_patch(mpl.patches.Circle((0.0, 0.0), 1.02 * limit, fill=False, edgecolor="#bbbbbb", linewidth=0.8, zorder=0))
    ax.set_xlim(-1.24 * limit, 1.24 * limit)
    ax.set_ylim(-1.24 * limit, 1.24 * limit)
    ax.set_aspect("equal")


def _pen(inches: float, firms: int) -> float:
    """Unit of length for marks and lines in a panel of that width: finer where firms are many."""
    return inches * min(1.0, 300.0 / max(1, firms)) ** 0.375


def _area(employees: np.ndarray, pen: float) -> np.ndarray:
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
        colors=_PIPELINE,
        linewidths=0.24 * pen,
        zorder=1,
        rasterized=len(out) > _MANY,
        gid="pipelines",
    )
    ax.add_collection(rays)


def _reach(run: Run) -> float:
    """Radius that holds every firm before and after, km."""
    furthest = [np.hypot(s.firms["x"], s.firms["y"]).max() for s in (run.start, run.end) if len(s.firms)]
    return float(max(run.scenario.firms.radius, *furthest, 0.0))


def _map_key(small: float = 1.0) -> list[Artist]:
    key: list[Artist] = [
        Line2D([], [], marker=look.marker, color=look.colour, linestyle="", markersize=8 * small, label=look.label)
        for look in CONTROLS.values()
    ]
    key.append(Line2D([], [], color=_TIE, alpha=0.6, linewidth=1.2, label="tie (darker: more trust)"))
    key.append(
        Line2D([], [], color=_PIPELINE, marker="|", markersize=9, markeredgewidth=1.6, linestyle="", label="pipelines")
    )
    return key


# Figures ------------------------------------------------------------------------------------------


def dashboard(run: Run) -> Figure:
    """The main indicators over time, in nine panels."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 8.6), layout="constrained")
        for number, (ax, panel) in enumerate(zip(figure.subplots(3, 3, sharex=True).flat, _DASHBOARD, strict=True)):
            data = run.indicators[[name for name, _ in panel.lines]]
            for (name, label), (colour, dashes) in zip(panel.lines, LINES, strict=False):
                ax.plot(data.index, data[name], label=label, color=colour, linestyle=dashes, clip_on=False)
            scale_y(ax, panel.unit, float(np.nanmax(data.to_numpy())))
            _shade_globalisation(ax, run)
            ax.set_title(panel.title, pad=19)
            if len(panel.lines) > 1:
                place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.03, 0.98), "ncols": 3}
                key = ax.legend(**place, columnspacing=0.9, handlelength=1.7, handletextpad=0.4)
                key.set_in_layout(False)
            if number >= 6:
                ax.set_xlabel("quarter")
        figure.suptitle(f"{_title(run)} → {TRAJECTORY_NAMES[run.trajectory]}", weight="bold")
        figure.legend(handles=_background_key(run), loc="outside lower center", ncols=2)
    return figure


def district_map(run: Run) -> Figure:
    """The district before and after: firms at their places by size and control, their ties and pipelines."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 7.2), layout="constrained")
        limit, pen = _reach(run), _pen(5.4, len(run.start.firms))
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        moments = ((left, run.start, "Before"), (right, run.end, f"After {len(run.indicators)} quarters"))
        for ax, snapshot, moment in moments:
            _draw_district(ax, snapshot, limit, pen)
            ax.set_title(f"{moment}: {len(snapshot.firms):,} firms, {len(snapshot.ties):,} local ties")
            ax.set_xlabel("km")
        left.set_ylabel("km")
        figure.suptitle(f"{_title(run)} → {TRAJECTORY_NAMES[run.trajectory]}", weight="bold")
        dot: Any = {"marker": "o", "linestyle": "", "color": CONTROLS["independent"].colour}
        sizes = [
            Line2D([], [], label=f"{n} employees", markersize=float(_area(np.array(n), pen)) ** 0.5, **dot)
            for n in (5, 50)
        ]
        figure.legend(handles=[*_map_key(), *sizes], loc="outside lower center", ncols=5)
    return figure


def _spread(values: Sequence[float], gap: float) -> list[float]:
    """The values moved apart as little as keeps labels from touching, in [0, 1]."""
    order = np.argsort(values)
    placed = np.array(values, dtype=float)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    return list(placed - max(0.0, placed.max() - 1.0))


def scores_over_time(run: Run) -> Figure:
    """Where the district was heading: the scores of the four futures as if the run had ended at each quarter."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        ax = figure.subplots()
        scores = _scores_over_time(run.indicators)
        last = [float(scores[future.value].iloc[-1]) for future in FUTURES]
        for future, end, height in zip(FUTURES, last, _spread(last, 0.06), strict=True):
            name, weight = TRAJECTORY_NAMES[future], "bold" if end == max(last) > 0.0 else "normal"
            _curve(ax, scores[future.value], future, name)
            note(ax, f"{name} {end:.2f}", (1.015, height), va="center", fontsize=9, weight=weight)
        ax.axhline(DEFAULT_THRESHOLDS.label, color="#555555", linewidth=0.8)
        note(ax, "label from here", (0.01, DEFAULT_THRESHOLDS.label), up=3)
        ax.set_ylim(0.0, 1.0)
        _shade_globalisation(ax, run)
        ax.set_xlabel("quarter")
        ax.set_ylabel("score, 0 to 1")
        ax.set_title(f"{_title(run)} → {TRAJECTORY_NAMES[run.trajectory]}", fontsize=11)
        figure.legend(handles=[*ax.lines[:4], *_background_key(run)], loc="outside lower center", ncols=3)
    return figure


# Several futures ----------------------------------------------------------------------------------


def _identity(name: str, run: Run) -> Trajectory:
    """The trajectory whose colour a run bears: that of its name, so that runs differ, else that of its outcome."""
    return trajectory_meant(name) or run.trajectory


def _score_bars(ax: Axes, run: Run, first: bool) -> None:
    values = [run.scores.of(future) for future in FUTURES]
    places = np.arange(len(FUTURES))[::-1]
    ax.barh(places, values, height=0.66, color=[TRAJECTORY_COLOURS[future] for future in FUTURES])
    for place, value in zip(places, values, strict=True):
        ax.text(value + 0.03, place, f"{value:.2f}", va="center", fontsize=8.5, color="#222222")
    ax.axvline(DEFAULT_THRESHOLDS.label, color="#555555", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
    ax.set_xlim(0.0, 1.25)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    ax.set_yticks(places, [TRAJECTORY_NAMES[future] for future in FUTURES] if first else [""] * len(FUTURES))
    ax.tick_params(axis="y", length=0, labelsize=9.5)
    ax.set_xlabel("score")


def _series(ax: Axes, panel: _Panel, runs: Mapping[str, Run]) -> None:
    name = panel.lines[0][0]
    top = 0.0
    for key, run in runs.items():
        values = run.indicators[name]
        if panel.unit == "start = 100":
            values = 100.0 * values / max(1e-12, float(values.iloc[0]))
        top = max(top, float(values.max()))
        _curve(ax, values, _identity(key, run), heading(key))
    scale_y(ax, panel.unit, top)
    _shade_globalisation(ax, max(runs.values(), key=lambda run: len(run.indicators)))
    ax.set_title(panel.title, pad=15)
    ax.set_ylabel("")
    ax.set_xlabel("quarter")
    note(ax, panel.unit, (0.0, 1.0), up=4)


def _map_panel(ax: Axes, name: str, outcome: str, colour: str) -> None:
    """Headings of a small map, which needs no axes: all maps show the same place at one scale."""
    ax.set_title(name, loc="center", pad=24)
    note(ax, outcome, (0.5, 1.0), up=10, ha="center")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.plot([0.06, 0.94], [1.02, 1.02], transform=ax.transAxes, color=colour, linewidth=3.0, clip_on=False)


def futures(runs: Mapping[str, Run]) -> Figure:
    """One district, several futures: its map at the start and at the end of each run, scores, and key series.

    Args:
        runs: by scenario name; they share the initial district. The name gives the colour where it is a trajectory's.
    """
    with mpl.rc_context(STYLE):
        columns = len(runs) + 1
        figure = Figure(figsize=(2.35 * columns, 8.4))
        edges = {"left": 0.035, "right": 0.99}
        maps = figure.add_gridspec(1, columns, top=0.87, bottom=0.59, wspace=0.08, **edges)
        bars = figure.add_gridspec(1, columns, top=0.515, bottom=0.395, wspace=0.12, **edges)
        lines = figure.add_gridspec(1, len(_FUTURES), top=0.27, bottom=0.105, wspace=0.3, **edges)
        _maps_and_scores(figure, maps, bars, runs)
        for number, panel in enumerate(_FUTURES):
            _series(figure.add_subplot(lines[number]), panel, runs)
        named = figure.axes[-1].get_legend_handles_labels()[0]
        figure.legend(handles=_map_key(), loc="center", bbox_to_anchor=(0.5, 0.56), ncols=7, fontsize=9)
        key = [*named, *_background_key(next(iter(runs.values())))]
        figure.legend(handles=key, loc="lower center", ncols=len(key), fontsize=9, columnspacing=1.4)
        figure.suptitle("One district, and what becomes of it", weight="bold", fontsize=15, y=0.985)
    return figure


def _maps_and_scores(figure: Figure, maps: GridSpec, bars: GridSpec, runs: Mapping[str, Run]) -> None:
    first = next(iter(runs.values()))
    limit, firms = max(_reach(run) for run in runs.values()), len(first.start.firms)
    pen = _pen(2.2, firms)
    ax = figure.add_subplot(maps[0])
    _draw_district(ax, first.start, limit, pen)
    _map_panel(ax, "The district at the start", f"{firms:,} firms", "#222222")
    for number, (name, run) in enumerate(runs.items(), start=1):
        ax = figure.add_subplot(maps[number])
        _draw_district(ax, run.end, limit, pen)
        outcome = f"→ {TRAJECTORY_NAMES[run.trajectory]}"
        _map_panel(ax, heading(name), outcome, TRAJECTORY_COLOURS[_identity(name, run)])
        _score_bars(figure.add_subplot(bars[number]), run, number == 1)
