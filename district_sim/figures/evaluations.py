"""Published effects of policies beside those on simulated firms."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from district_sim.figures.style import INK, LINES, STYLE

_ROW = 0.24  # inches for a result
_HEAD = 0.75  # inches for a panel's title and axis
_MODEL, _TRUE, _PUBLISHED = (look[0] for look in LINES)
_SIGNS = {"+": "positive", "-": "negative", "0": "nothing"}


def effects_beside_published(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Effects with 95 % intervals, one panel for each unit: published, estimated in the model, and true in it.

    Where only a sign was published, it stands at the right.

    Args:
        rows: as `Result.as_dict` has them, with `evaluation`.
    """
    units = list(dict.fromkeys(row["unit"] for row in rows))
    many = {unit: [row for row in rows if row["unit"] == unit] for unit in units}
    with mpl.rc_context(STYLE):
        heights = [_HEAD + _ROW * len(part) for part in many.values()]
        figure = Figure(figsize=(10.2, sum(heights)), layout="constrained")
        axes = figure.subplots(len(units), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for number, (ax, (unit, part)) in enumerate(zip(axes, many.items(), strict=True)):
            _panel(ax, unit, part, number == 0)
    return figure


def _panel(ax: Any, unit: str, rows: Sequence[Mapping[str, Any]], first: bool) -> None:
    ax.axvline(0.0, color=INK, linewidth=0.8)
    for place, row in enumerate(rows):
        _bar(ax, place + 0.22, row["estimate"], row["estimate_low"], row["estimate_high"], _MODEL, "o")
        _bar(ax, place - 0.22, row["truth"], row["truth_low"], row["truth_high"], _TRUE, "s")
        if row["published"] is not None or row["published_low"] is not None:
            low = row["published"] if row["published_low"] is None else row["published_low"]
            high = row["published"] if row["published_high"] is None else row["published_high"]
            middle = 0.5 * (low + high) if row["published"] is None else row["published"]
            _bar(ax, place, middle, low, high, _PUBLISHED, "D")
        said: Any = {"va": "center", "fontsize": 8, "color": INK, "annotation_clip": False}
        ax.annotate(
            _SIGNS[row["published_sign"]], (1.0, place), (6, 0), ("axes fraction", "data"), "offset points", **said
        )
    ax.set_yticks(range(len(rows)), [f"{row['reference']}: {row['what']}" for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(unit)
    if first:
        looks = (
            (_MODEL, "o", "model, same estimator"),
            (_TRUE, "s", "model, true effect"),
            (_PUBLISHED, "D", "published"),
        )
        for colour, marker, name in looks:
            ax.plot([], [], color=colour, marker=marker, markersize=4, linestyle="none", label=name)
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3)


def _bar(ax: Any, place: float, value: Any, low: Any, high: Any, colour: str, marker: str) -> None:
    if value is None or low is None or high is None:
        return
    ax.plot([low, high], [place, place], color=colour, linewidth=1.4)
    ax.plot([value], [place], color=colour, marker=marker, markersize=4)
