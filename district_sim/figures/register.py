"""A district made from tables: its map, and what was observed against what was drawn."""

from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from district_sim.figures.maps import area_of, pen_of
from district_sim.figures.style import LINES, STYLE, TIE, log_scale
from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.run.snapshot import Snapshot

if TYPE_CHECKING:
    from district_sim.register.district import District

_OBSERVED, _DRAWN = LINES[0][0], LINES[1][0]
_MANY, _MOST_LINES = 4000, 8000  # marks drawn as an image inside the vector file; ties drawn
_BINS = 24
_COUNTS = ("phase (last: faces the market)", "ties")


def imported(made: "District", seed: int = 0) -> Figure:
    """Map of quarter 0 and the distributions of its variables, the observed beside the imputed.

    Args:
        seed: of the draws.
    """
    state = initial_state(parameters_of(made.scenario), seed, 1)
    snapshot, table = Snapshot.of(state), made.clean.firms
    firms, ties = snapshot.firms, snapshot.ties
    degree = np.bincount(np.concatenate([ties["a"], ties["b"]]).astype(int), minlength=len(firms))
    everybody = np.ones(len(firms), bool)
    panels: list[tuple[str, np.ndarray, np.ndarray, bool]] = [
        ("employees", firms["employees"].to_numpy(), everybody, True),
        ("turnover, k€ a quarter", firms["sales"].to_numpy(), table["turnover"].notna().to_numpy(), True),
        ("age, years", -firms["founded"].to_numpy() / 4.0, table["founded"].notna().to_numpy(), False),
        (
            _COUNTS[0],
            firms["phase"].to_numpy() + 1.0,
            table["phase"].to_numpy() >= 0,
            False,
        ),
        (_COUNTS[1], degree.astype(float), everybody & (made.clean.ties is not None), False),
        ("education", firms["education"].to_numpy(), table["education"].notna().to_numpy(), False),
    ]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 6.4), layout="constrained")
        grid = figure.add_gridspec(3, 4)
        _map(figure.add_subplot(grid[:, :2]), firms, ties, table["x"].notna().to_numpy())
        for number, (label, values, known, log) in enumerate(panels):
            _panel(figure.add_subplot(grid[number // 2, 2 + number % 2]), label, values, known, log)
        figure.suptitle(f"{made.scenario.title} · quarter 0, seed {seed}", x=0.01, ha="left", fontweight="bold")
    return figure


def _map(ax: Axes, firms: pd.DataFrame, ties: pd.DataFrame, known: np.ndarray) -> None:
    place, pen = firms[["x", "y"]], pen_of(5.0, len(firms))
    every = -(-len(ties) // _MOST_LINES)
    ties = ties.iloc[::every] if every > 1 else ties
    ends = np.stack([place.loc[ties["a"]].to_numpy(), place.loc[ties["b"]].to_numpy()], axis=1)
    ax.add_collection(
        LineCollection(
            list(ends), colors=[(*mpl.colors.to_rgb(TIE), 0.15)], linewidths=0.14 * pen, zorder=1,
            rasterized=len(ties) > _MANY,
        )
    )  # fmt: skip
    area = area_of(firms["employees"].to_numpy(), pen)
    for chosen, label, colour, marker in (
        (known, "place observed", _OBSERVED, "o"),
        (~known, "place drawn", _DRAWN, "^"),
    ):
        if chosen.any():
            ax.scatter(
                firms["x"][chosen], firms["y"][chosen], s=area[chosen], c=colour, marker=marker, label=label,
                edgecolors="white", linewidths=0.06 * pen, zorder=2, rasterized=len(firms) > _MANY,
            )  # fmt: skip
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("km east of the middle")
    ax.set_ylabel("km north of the middle")
    ax.set_title("Firms and their ties" if every <= 1 else f"Firms and one in {every} of their ties")
    ax.legend(loc="upper left")


def _panel(ax: Axes, label: str, values: np.ndarray, known: np.ndarray, log: bool) -> None:
    """Shares of firms by value, the observed as bars, the drawn as a line."""
    shown = np.maximum(values, 0.1) if log else values
    low, high = float(shown.min()), float(shown.max())
    high = high if high > low else low + 1.0
    if label in _COUNTS:
        bins = np.arange(low - 0.5, high + 1.0)
    else:
        bins = np.geomspace(low, high * 1.001, _BINS) if log else np.linspace(low, high * 1.001, _BINS)
    for chosen, name, colour in ((known, "observed", _OBSERVED), (~known, "drawn", _DRAWN)):
        if not chosen.any():
            continue
        weights = np.full(int(chosen.sum()), 100.0 / chosen.sum())
        kind: Literal["stepfilled", "step"] = "stepfilled" if name == "observed" else "step"
        dashes = "-" if name == "observed" else "--"
        ax.hist(
            shown[chosen], bins=list(bins), weights=weights, histtype=kind, color=colour, linestyle=dashes,
            alpha=0.55 if name == "observed" else 1.0, label=f"{name} ({int(chosen.sum()):,})",
        )  # fmt: skip
    if log:
        log_scale(ax, "x")
    ax.set_xlabel(label)
    ax.set_ylabel("% of firms")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=7, borderaxespad=0.0)
