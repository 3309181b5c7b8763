"""Figures of runs: dashboard, scores over time, and several futures side by side."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D

from district_sim.figures.events import draw_events, events_key
from district_sim.figures.maps import draw_district, map_key, pen_of, reach_of
from district_sim.figures.sources import title_of
from district_sim.figures.style import (
    INK,
    LINES,
    STYLE,
    TOP,
    TRAJECTORY_COLOURS,
    TRAJECTORY_DASHES,
    note,
    scale_y,
    time_axis,
    time_word,
)
from district_sim.run.events import EventKind
from district_sim.run.run import Run
from district_sim.run.trajectories import DEFAULT_THRESHOLDS, FUTURES, Trajectory
from district_sim.run.trajectories import scores_over_time as _scores_over_time
from district_sim.text.names import TRAJECTORY_NAMES, heading, label_name, record_of, trajectory_meant, unit_words
from district_sim.text.numbers import number


class _Panel(NamedTuple):
    """Several indicators of one subject, in words of its own: there is no room for their full labels."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]
    """Indicator and its name in the legend."""


_DASHBOARD: tuple[str | _Panel, ...] = (
    "firms",
    "employment",
    _Panel("Value added", "k€ a quarter", (("value_added", "produced"), ("value_added_local", "kept locally"))),
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
        (("newest_share", "on newest technology"), ("absorptive_capacity", "absorptive capacity")),
    ),
    _Panel(
        "Collective agency",
        "share and index, 0 to 1",
        (("participation", "participation"), ("agency_capability", "capability"), ("brand", "brand")),
    ),
)
_FUTURES = ("employment", "mne_turnover_share", "local_purchases", "trust", "newest_share", "collective_inflow_share")
_START = "employment"  # shown with its start as 100


# Parts --------------------------------------------------------------------------------------------


def _panel(name: str) -> _Panel:
    """One indicator."""
    record = record_of(name)
    return _Panel(record.label, unit_words(record.unit), ((name, record.label),))


def shade_globalisation(ax: Axes, run: Run) -> None:
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
    time_axis(ax, run.scenario.run.calendar)


def background_key(run: Run) -> list[Artist]:
    """Legend entries of what `shade_globalisation` draws."""
    shade = Line2D([], [], marker="s", markersize=9, linestyle="", color="#e2e2e2")
    shade.set_label("globalisation (darker: stronger)")
    begin = Line2D([], [], color="#555555", linewidth=0.9, linestyle=(0, (2, 2)), label="the strategy begins")
    return [shade, begin] if 0 < run.scenario.strategy_start < len(run.indicators) else [shade]


def _colour(trajectory: Trajectory | None) -> str:
    return TRAJECTORY_COLOURS[trajectory] if trajectory else INK


def _curve(ax: Axes, values: pd.Series, trajectory: Trajectory | None, label: str) -> None:
    """A line that looks the same for the same trajectory everywhere; a dot if there is one value only."""
    marker = "o" if len(values) == 1 else ""
    style: Any = {"color": _colour(trajectory), "linestyle": TRAJECTORY_DASHES[trajectory] if trajectory else ":"}
    ax.plot(values.index, values, label=label, marker=marker, linewidth=2.0, clip_on=False, **style)


# Figures ------------------------------------------------------------------------------------------


def dashboard(run: Run) -> Figure:
    """The main indicators over time, in nine panels."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 8.6), layout="constrained")
        for place, (ax, shown) in enumerate(zip(figure.subplots(3, 3, sharex=True).flat, _DASHBOARD, strict=True)):
            panel = _panel(shown) if isinstance(shown, str) else shown
            data = run.indicators[[name for name, _ in panel.lines]]
            for (name, label), (colour, dashes) in zip(panel.lines, LINES, strict=False):
                ax.plot(data.index, data[name], label=label, color=colour, linestyle=dashes, clip_on=False)
            scale_y(ax, panel.unit, float(data.max().max()))
            shade_globalisation(ax, run)
            draw_events(ax, run.events, words="newest_share" in data)
            ax.set_title(panel.title, pad=19, y=TOP)
            if len(panel.lines) > 1:
                look: Any = {"loc": "lower left", "bbox_to_anchor": (-0.03, 0.98), "ncols": 3}
                key = ax.legend(**look, columnspacing=0.9, handlelength=1.7, handletextpad=0.4)
                key.set_in_layout(False)
            if place >= 6:
                ax.set_xlabel(time_word(run.scenario.run.calendar))
        figure.suptitle(f"{title_of(run)} → {label_name(run.trajectory)}", weight="bold")
        key = [*background_key(run), *events_key(run.events)]
        figure.legend(handles=key, loc="outside lower center", ncols=5)
    return figure


def _spread(values: Sequence[float] | np.ndarray, gap: float) -> list[float]:
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
        scores = _scores_over_time(run.indicators, calm_window=run.scenario.calm_window)
        last = [float(scores[future.value].iloc[-1]) for future in FUTURES]
        known = np.nan_to_num(last)
        for future, end, height in zip(FUTURES, last, _spread(known, 0.06), strict=True):
            name, weight = TRAJECTORY_NAMES[future], "bold" if end == known.max() > 0.0 else "normal"
            _curve(ax, scores[future.value], future, name)
            note(ax, f"{name} {number(end, 2)}", (1.015, height), va="center", fontsize=9, weight=weight)
        ax.axhline(DEFAULT_THRESHOLDS.label, color="#555555", linewidth=0.8)
        note(ax, "label from here", (0.01, DEFAULT_THRESHOLDS.label), up=3)
        ax.set_ylim(0.0, 1.0)
        shade_globalisation(ax, run)
        draw_events(ax, run.events)
        ax.set_xlabel(time_word(run.scenario.run.calendar))
        ax.set_ylabel("score, 0 to 1")
        ax.set_title(f"{title_of(run)} → {label_name(run.trajectory)}", fontsize=11, pad=10, y=TOP)
        key = [*ax.lines[:4], *background_key(run), *events_key(run.events)]
        figure.legend(handles=key, loc="outside lower center", ncols=4)
    return figure


# Several futures ----------------------------------------------------------------------------------


def _identity(name: str, run: Run) -> Trajectory | None:
    """The trajectory whose colour a run bears: that of its name, so that runs differ, else that of its outcome."""
    return trajectory_meant(name) or run.trajectory


def _score_bars(ax: Axes, run: Run, first: bool) -> None:
    values = [run.scores.of(future) for future in FUTURES]
    places = np.arange(len(FUTURES))[::-1]
    ax.barh(places, values, height=0.66, color=[TRAJECTORY_COLOURS[future] for future in FUTURES])
    for place, value in zip(places, values, strict=True):
        ax.text(np.nan_to_num(value) + 0.03, place, number(value, 2), va="center", fontsize=8.5, color="#222222")
    ax.axvline(DEFAULT_THRESHOLDS.label, color="#555555", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
    ax.set_xlim(0.0, 1.25)  # with room for the numbers, beyond the axis
    ax.spines["bottom"].set_bounds(0.0, 1.0)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    ax.set_yticks(places, [TRAJECTORY_NAMES[future] for future in FUTURES] if first else [""] * len(FUTURES))
    ax.tick_params(axis="y", length=0, labelsize=9.5)
    ax.set_xlabel("score")


def _series(ax: Axes, name: str, runs: Mapping[str, Run]) -> None:
    panel, top = _panel(name), 0.0
    unit = "start = 100" if name == _START else panel.unit
    for key, run in runs.items():
        values = run.indicators[name]
        if name == _START:
            values = 100.0 * values / max(1e-12, float(values.iloc[0]))
        top = float(np.fmax(top, values.max()))
        _curve(ax, values, _identity(key, run), heading(key))
    scale_y(ax, unit, top)
    longest = max(runs.values(), key=lambda run: len(run.indicators))
    shade_globalisation(ax, longest)
    if name == "newest_share":  # it falls when the newest technology is another one
        draw_events(ax, [event for event in longest.events if event.kind is EventKind.TECHNOLOGY], words=True)
    ax.set_title(panel.title, pad=15)
    ax.set_ylabel("")
    ax.set_xlabel(time_word(longest.scenario.run.calendar))
    note(ax, unit, (0.0, 1.0), up=4)


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
        for place, name in enumerate(_FUTURES):
            _series(figure.add_subplot(lines[place]), name, runs)
        named = figure.axes[-1].get_legend_handles_labels()[0]
        figure.legend(handles=map_key(), loc="center", bbox_to_anchor=(0.5, 0.56), ncols=7, fontsize=9)
        key = [*named, *background_key(next(iter(runs.values())))]
        figure.legend(handles=key, loc="lower center", ncols=len(key), fontsize=9, columnspacing=1.4)
        figure.suptitle("One district, and what becomes of it", weight="bold", fontsize=15, y=0.985)
    return figure


def _maps_and_scores(figure: Figure, maps: GridSpec, bars: GridSpec, runs: Mapping[str, Run]) -> None:
    first = next(iter(runs.values()))
    limit, firms = max(reach_of(run) for run in runs.values()), len(first.start.firms)
    pen = pen_of(2.2, firms)
    ax = figure.add_subplot(maps[0])
    draw_district(ax, first.start, limit, pen)
    _map_panel(ax, "The district at the start", f"{firms:,} firms", "#222222")
    for place, (name, run) in enumerate(runs.items(), start=1):
        ax = figure.add_subplot(maps[place])
        draw_district(ax, run.end, limit, pen)
        outcome = f"→ {label_name(run.trajectory)}"
        _map_panel(ax, heading(name), outcome, _colour(_identity(name, run)))
        _score_bars(figure.add_subplot(bars[place]), run, place == 1)
