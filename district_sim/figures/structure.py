"""Figures of what the district is made of: its value chain, who owns whom, how knowledge is spread."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.patheffects import withStroke

from district_sim.figures.sources import Source, before_and_after, seen, title_of, total
from district_sim.figures.style import CONTROLS, INK, STYLE, TOP, phase_colours
from district_sim.model.state import SELF_OWNED
from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.text.names import phase_name

# Value chain --------------------------------------------------------------------------------------


class _Origin(NamedTuple):
    label: str
    colour: str
    hatch: str


ORIGINS: dict[str, _Origin] = {
    "made": _Origin("made in house", "#12395c", ""),
    "partners": _Origin("bought locally, from partners", "#4f8fb0", ""),
    "spot": _Origin("bought locally, on the spot", "#a9cbd9", "////"),
    "abroad": _Origin("bought globally", "#f3cf94", "...."),
}
"""Where the value of a phase comes from, from the firm itself to the farthest."""


def value_chain(source: Source) -> Figure:
    """How final firms get each phase of production: made in house, bought locally, bought globally.

    Shares of the phase's value, weighted by the final firms' sales; the last phase is what final firms do themselves.

    Args:
        source: a run (before and after are shown), a `District` (as it stands), or a snapshot.
    """
    moments, title = before_and_after(source)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 1.1 + 2.9 * len(moments)), layout="constrained")
        for ax, (moment, snapshot) in zip(figure.subplots(len(moments), 1, squeeze=False)[:, 0], moments, strict=True):
            _chain(ax, snapshot)
            ax.set_title(moment, y=TOP)
        figure.suptitle(title, weight="bold")
        keys = [Rectangle((0, 0), 1, 1, **_fill(origin), label=origin.label) for origin in ORIGINS.values()]
        figure.legend(handles=keys, loc="outside lower center", ncols=4, handlelength=2.2, handleheight=1.1)
    return figure


def _fill(origin: _Origin) -> Any:
    return {"facecolor": origin.colour, "hatch": origin.hatch, "edgecolor": "#5f5f5f", "linewidth": 0.5}


def _chain(ax: Axes, snapshot: Snapshot) -> None:
    chain, firms = snapshot.value_chain, snapshot.firms
    last = len(chain)
    low = np.zeros(last)
    for name, origin in ORIGINS.items():
        shares = 100.0 * chain[name].to_numpy()
        ax.bar(range(last), shares, 0.6, bottom=low, **_fill(origin), gid=name)
        for phase, share in enumerate(shares):
            if share >= 9.0:
                box = None if name == "made" else {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8}
                look: Any = {"color": "white" if name == "made" else INK, "fontsize": 8, "bbox": box}
                ax.text(phase, low[phase] + share / 2.0, f"{share:.0f}", ha="center", va="center", **look)
        low = low + shares
    ax.add_patch(Rectangle((last - 0.3, 0.0), 0.6, 100.0, facecolor="white", edgecolor=INK, linewidth=1.0))
    ax.text(last, 50.0, "final firms\nassemble\nand sell", ha="center", va="center", fontsize=8.5, color=INK)
    for phase in range(last + 1):
        arrow: Any = {"arrowstyle": "-|>", "mutation_scale": 9, "color": "#777777", "linewidth": 1.0}
        ax.add_patch(FancyArrowPatch((phase + 0.32, 50.0), (phase + 0.68, 50.0), **arrow))
    ax.text(last + 0.72, 50.0, "market", va="center", fontsize=9, color=INK)
    ax.set_xticks(range(last + 1), [_phase_told(firms, phase, last + 1) for phase in range(last + 1)])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.45, last + 1.2)
    ax.set_ylim(0.0, 100.0)
    ax.set_ylabel("value of the phase, %")
    ax.spines["bottom"].set_visible(False)


def _phase_told(firms: pd.DataFrame, phase: int, phases: int) -> str:
    part = firms[firms["phase"] == phase]
    return f"{phase_name(phase, phases)}\n{total(len(part), 'firm')}\n{total(part['employees'].sum(), 'employee')}"


# Ownership ----------------------------------------------------------------------------------------

_MOST_ROWS, _MOST_LEAVES = 34, 26


class _Row(NamedTuple):
    """An owner, how deep it stands in the tree, the row of its own owner (-1 none), and the firms it owns directly."""

    owner: int
    depth: int
    above: int
    owned: list[int]


def ownership_tree(source: Source) -> Figure:
    """Who owns whom: multinationals and local groups, the largest first, and the firms that they own.

    Args:
        source: a run (its end is shown), a `District` (as it stands), or a snapshot.
    """
    snapshot, title = seen(source)
    firms = snapshot.firms
    rows = _owners(firms)
    shown = rows[:_MOST_ROWS]
    phases = len(snapshot.value_chain) + 1
    widest = max([10, *(min(_MOST_LEAVES, len(row.owned)) + row.depth for row in shown)])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(7.6, 3.6 + 0.27 * widest), 1.9 + 0.3 * max(3, len(shown))), layout="constrained")
        ax = figure.subplots()
        for number, row in enumerate(shown):
            _draw_row(ax, number, row, firms, phases)
        ax.set_ylim(max(2.5, len(shown) - 0.4), -0.7)
        ax.set_xlim(-0.8, widest + 5.0)
        ax.set_yticks(range(len(shown)), [_owner_name(row.owner) for row in shown])
        ax.tick_params(axis="y", length=0)
        ax.set_xticks([])
        ax.spines[:].set_visible(False)
        if not shown:
            ax.text(0.0, 1.0, "No firm of the district owns another or is owned by a multinational.", fontsize=9)
        ax.set_title(f"{title}: who owns whom")
        ax.set_xlabel(_independent(firms, len(rows) - len(shown)), loc="left", labelpad=8)
        figure.legend(handles=_tree_key(phases), loc="outside lower center", ncols=5)
    return figure


def _owners(firms: pd.DataFrame) -> list[_Row]:
    """Every owner with a row of its own, whole trees by their employees, the largest first."""
    codes = firms["owner"].to_numpy()
    owned = {int(code): list(firms.index[codes == code]) for code in np.unique(codes) if code != SELF_OWNED}
    people = firms["employees"]

    def below(code: int) -> float:
        return sum(float(people[firm]) + below(firm) for firm in owned.get(code, []))

    rows: list[_Row] = []

    def add(code: int, depth: int, above: int) -> None:
        number = len(rows)
        members = sorted(owned[code], key=lambda firm: -float(people[firm]))
        rows.append(_Row(code, depth, above, [firm for firm in members if firm not in owned]))
        for firm in members:
            if firm in owned:
                add(firm, depth + 1, number)

    top = [code for code in owned if code < SELF_OWNED or code not in firms.index or firms["owner"][code] == SELF_OWNED]
    for code in sorted(top, key=lambda code: (code >= 0, -below(code) - float(people.get(code, 0.0)))):
        add(code, 0, -1)
    return rows


def _owner_name(code: int) -> str:
    return f"firm {code}" if code >= 0 else f"multinational {SELF_OWNED - code}"


def _draw_row(ax: Axes, number: int, row: _Row, firms: pd.DataFrame, phases: int) -> None:
    shades, line = phase_colours(phases), {"color": "#888888", "linewidth": 1.0, "zorder": 1}
    start, leaves = 0.9 * row.depth, row.owned[:_MOST_LEAVES]
    if row.above >= 0:
        at = start - 0.9
        ax.plot([at, at, start], [row.above, number, number], gid="owns", **line)  # type: ignore[arg-type]
    if row.owner in firms.index:
        look, own = CONTROLS["leader"], firms.loc[[row.owner]]
        _mark(ax, [start], number, own["employees"], look.marker, [shades[k] for k in own["phase"]], f"owner {number}")
    else:
        ax.plot(start, number, marker="h", markersize=11, color="#161616", linestyle="", gid=f"owner {number}")
    if not leaves:
        return
    places = start + 1.3 + np.arange(len(leaves))
    ax.plot([start, places[-1]], [number, number], gid="owns", **line)  # type: ignore[arg-type]
    look = CONTROLS["group" if row.owner >= 0 else "multinational"]
    part = firms.loc[leaves]
    _mark(ax, places, number, part["employees"], look.marker, [shades[k] for k in part["phase"]], f"owned {number}")
    more = f"and {len(row.owned) - len(leaves)} more; " if len(row.owned) > len(leaves) else ""
    people = firms["employees"].reindex([row.owner, *row.owned]).sum()  # a multinational's own are not in the district
    said = f"{more}{total(people, 'employee')}"
    beside: Any = {"xytext": (12, 0), "textcoords": "offset points", "va": "center", "fontsize": 8, "color": "#444444"}
    ax.annotate(said, (places[-1], number), **beside)


def _mark(ax: Axes, x: Any, y: int, employees: Any, marker: str, colours: list[str], gid: str) -> None:
    sizes = np.clip(9.0 * np.asarray(employees, dtype=float) ** 0.6, 14.0, 150.0)
    ax.scatter(
        x,
        np.full(len(x), y),
        s=sizes,
        color=colours,
        marker=marker,
        edgecolors="#444444",
        linewidths=0.5,
        zorder=2,
        gid=gid,
    )


def _independent(firms: pd.DataFrame, hidden: int) -> str:
    free = firms[firms["control"].isin(["independent", "captive"])]
    people = 100.0 * free["employees"].sum() / max(1e-12, firms["employees"].sum())
    said = f"Neither owned nor owning: {total(len(free), 'firm')} with {people:.0f} % of all employees"
    said += f", {(free['control'] == 'captive').sum():,} of them captive to a client."
    return f"{said} Smaller groups not shown: {hidden}." if hidden else said


def _tree_key(phases: int) -> list[Line2D]:
    dot: Any = {"linestyle": "", "markersize": 8, "markeredgecolor": "#444444", "markeredgewidth": 0.5}
    marks = [(CONTROLS[name].marker, CONTROLS[name].label) for name in ("leader", "group", "multinational")]
    key = [Line2D([], [], marker="h", color="#161616", label="multinational", linestyle="", markersize=10)]
    key += [Line2D([], [], marker=marker, color="#999999", label=label, **dot) for marker, label in marks]
    shades = phase_colours(phases)
    return key + [
        Line2D([], [], marker="o", color=shades[k], label=phase_name(k, phases), **dot) for k in range(phases)
    ]


# Knowledge ----------------------------------------------------------------------------------------

_RIDGES = 9
_OVERLAP = 1.5  # heights of a row that the tallest ridge takes
_HALO = withStroke(linewidth=4.0, foreground="white")
_TIME = LinearSegmentedColormap.from_list("time", ["#dbe6ea", "#2b6f86", "#0a2a3a"])


def knowledge_ridge(source: Run | Mapping[int, Snapshot]) -> Figure:
    """How tacit and codified knowledge are spread over the firms, from the start (top) to the end.

    Each ridge is a density over firms (Gaussian kernel, Scott's width), all of equal area in a panel; the bar under it
    holds the middle 80 % of the firms, the point is the median.

    Args:
        source: a run made with `simulate(..., every=...)`, else only start and end are there; or snapshots by quarter.

    Raises:
        ValueError: there is nothing to show.
    """
    moments = source.moments if isinstance(source, Run) else dict(sorted(source.items()))
    alive = [quarter for quarter, snapshot in moments.items() if len(snapshot.firms)]
    if not alive:
        raise ValueError("there is no moment at which the district has firms")
    chosen = [alive[k] for k in np.unique(np.linspace(0, len(alive) - 1, min(_RIDGES, len(alive))).round().astype(int))]
    calendar = source.scenario.run.calendar if isinstance(source, Run) else None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 1.7 + 0.5 * len(chosen)), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for ax, kind in zip(axes, ("tacit", "codified"), strict=True):
            _ridges(ax, [moments[quarter].firms[kind].to_numpy(dtype=float) for quarter in chosen])
            ax.set_title(f"{kind.capitalize()} knowledge", y=TOP)
            ax.set_xlabel(f"{kind} knowledge of a firm, mean over domains (level)")
        axes[0].set_yticks(
            range(len(chosen)), [f"{quarter}" if calendar is None else calendar.date(quarter) for quarter in chosen]
        )
        axes[0].set_ylabel("quarter" if calendar is None else "at the beginning of")
        if isinstance(source, Run):
            figure.suptitle(title_of(source), weight="bold")
        bar = Line2D(
            [], [], color=INK, linewidth=2.4, marker="o", markersize=5, label="median and middle 80 % of firms"
        )
        figure.legend(handles=[bar], loc="outside lower center")
    return figure


def _ridges(ax: Axes, values: list[np.ndarray]) -> None:
    least, top = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    grid = np.linspace(max(0.0, least - 0.08 * top), 1.05 * max(top, 1e-9), 300)
    heights = [_density(v, grid) for v in values]
    scale = _OVERLAP / max(1e-12, *(float(h.max()) for h in heights))
    for row, (value, height) in enumerate(zip(values, heights, strict=True)):
        colour = to_hex(_TIME(row / max(1, len(values) - 1)))
        ax.fill_between(grid, row - scale * height, row, color=colour, linewidth=0, zorder=2 * row, gid=f"ridge {row}")
        ax.plot(grid, row - scale * height, color="white", linewidth=1.2, zorder=2 * row + 0.5)
        low, middle, high = np.quantile(value, [0.1, 0.5, 0.9])
        over: Any = {"zorder": 100, "color": INK, "linewidth": 2.0, "path_effects": [_HALO]}
        ax.plot([low, high], [row, row], **over, gid=f"middle {row}")
        ax.plot(middle, row, marker="o", markersize=5.5, **over, gid=f"median {row}")
    ax.set_ylim(len(values) - 0.6, -_OVERLAP - 0.1)
    ax.set_xlim(grid[0], grid[-1])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _density(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Density over the grid; of firms that all know the same, a narrow peak.

    The same as `scipy.stats.gaussian_kde`, but to import that takes longer than to draw the figure.
    """
    step = grid[1] - grid[0]
    if len(values) < 2 or np.ptp(values) < step:
        return np.exp(-0.5 * ((grid - values.mean()) / (2.0 * step)) ** 2) / (5.0 * step)
    width = float(values.std(ddof=1)) * len(values) ** -0.2
    heights = [np.exp(-0.5 * ((at - values) / width) ** 2).mean() for at in grid]
    return np.array(heights) / (width * np.sqrt(2.0 * np.pi))
