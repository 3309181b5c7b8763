"""Light charts for the page: lines over quarters, and bars for scores and probabilities."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import solara

from district_sim.app.parts import BarsWidget, TimeSeriesWidget
from district_sim.figures.style import INK, LINES, TRAJECTORY_COLOURS
from district_sim.run.trajectories import DEFAULT_THRESHOLDS, FUTURES, Scores, Trajectory
from district_sim.scenario.calendar import Calendar
from district_sim.text.names import TRAJECTORY_NAMES, label_name
from district_sim.text.numbers import number, percent

type Values = Sequence[float] | np.ndarray


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart."""

    label: str
    values: Values
    """One for each quarter from `first` on; NaN is a gap."""
    colour: str | None = None
    """By default the next of the figures' colours, with its dashes."""
    bands: tuple[tuple[Values, Values], ...] = ()
    """Low and high of each band around it, as long as `values`; the widest first."""
    first: int = 1
    """Quarter of the first value."""
    dash: tuple[float, ...] | None = None
    """Lengths of dashes and gaps; () for a solid line."""


class Mark(NamedTuple):
    """A quarter to be marked."""

    quarter: int
    text: str = ""
    """Written beside its line."""
    glyph: str = ""
    """A letter above its line."""
    colour: str = INK
    line: bool = True
    said: str = ""
    """Said when the pointer is near."""


@solara.component
def TimeSeries(
    lines: Sequence[Line],
    *,
    title: str,
    unit: str,
    quarters: int,
    height: int = 190,
    marks: Sequence[Mark | tuple[int, str]] = (),
    calendar: Calendar | None = None,
) -> None:
    """Draw lines over quarters.

    Args:
        lines: may grow from call to call; only the numbers are then sent anew.
        title: what is shown.
        unit: of the vertical axis; a "share" is written in per cent. The axis always has its zero.
        quarters: where the horizontal axis ends.
        height: of the drawing in CSS pixels, without title and legend.
        marks: quarters with a line, a word or a letter, as for the beginning of a policy.
        calendar: of the run, if it has dates; then years are marked.

    Raises:
        ValueError: a band is not as long as its line.
    """
    look = {
        "title": title,
        "unit": unit,
        "quarters": quarters,
        "first": None if calendar is None else calendar.first,
        "height": height,
        "marks": [list(Mark(*mark)) for mark in marks],
        "lines": [_look(line, number) for number, line in enumerate(lines)],
    }
    TimeSeriesWidget.element(look=look, data=_packed(lines))


def _look(line: Line, number: int) -> dict[str, Any]:
    colour, dash = LINES[number % len(LINES)]
    dashes = line.dash if line.dash is not None else () if line.colour or isinstance(dash, str) else dash[1]
    return {
        "label": line.label,
        "colour": line.colour or colour,
        "dash": [2.5 * length for length in dashes],
    }


def _packed(lines: Sequence[Line]) -> bytes:
    """How many numbers there are, then the numbers, as static/time_series.js reads them."""
    head, parts = [len(lines)], []
    for line in lines:
        rows = [line.values, *(edge for band in line.bands for edge in band)]
        if any(len(row) != len(line.values) for row in rows):
            raise ValueError(f"the bands of {line.label!r} must have {len(line.values)} values, as the line")
        head += [line.first, len(line.values), len(line.bands)]
        parts.append(np.asarray(rows, np.float32).tobytes())
    return b"".join([np.array(head, np.int32).tobytes(), *parts])


@solara.component
def ScoreBars(scores: Scores | None, *, title: str = "Where the district is heading") -> None:
    """Draw the scores of the four futures, those of fragmentation's two routes, persistence, decline and thresholds.

    Args:
        scores: None while there are too few quarters to score.
        title: above the bars.
    """
    threshold = DEFAULT_THRESHOLDS.label
    below = "No scores yet: two quarters are needed."
    if scores is not None:
        below = (
            f"So far: {label_name(scores.label)}. A future needs {threshold:g}; decline a loss of "
            f"{percent(1.0 - DEFAULT_THRESHOLDS.decline)} of employees or value added kept; else persistence."
        )
    bars = []
    for future in FUTURES:
        bars.append(
            _bar(future, scores.of(future) if scores else 0.0, first=scores is not None and scores.label == future)
        )
        if future == Trajectory.FRAGMENTATION:
            routes = (("by takeover", "route_takeover"), ("by hierarchy", "route_hierarchy"))
            for label, name in routes:
                value = getattr(scores, name) if scores else 0.0
                bars.append(_bar(future, value, first=False) | {"label": label, "part": True})
    bars += _other_bars(scores)
    BarsWidget.element(content={"bars": bars, "heading": title, "below": below, "mark": threshold})


def _other_bars(scores: Scores | None) -> list[dict[str, Any]]:
    """Persistence, which is the label where no future has enough, and decline with what was lost of jobs or value."""
    label = scores.label if scores else None
    lost = 1.0 - scores.retained if scores else 0.0
    persists = _bar(Trajectory.MARSHALLIAN_PERSISTENCE, 0.0, first=label == Trajectory.MARSHALLIAN_PERSISTENCE)
    declines = _bar(Trajectory.DECLINE, min(1.0, max(0.0, lost)), first=label == Trajectory.DECLINE)
    said = "yes" if label == Trajectory.MARSHALLIAN_PERSISTENCE else "no" if label else "–"
    return [
        persists | {"text": said, "mark": None},
        declines
        | {
            "text": percent(lost if math.isnan(lost) else max(0.0, lost)) if scores else "–",
            "mark": 1.0 - DEFAULT_THRESHOLDS.decline,
        },
    ]


def _bar(trajectory: Trajectory, value: float, *, first: bool) -> dict[str, Any]:
    return {
        "label": TRAJECTORY_NAMES[trajectory],
        "value": 0.0 if math.isnan(value) else value,
        "colour": TRAJECTORY_COLOURS[trajectory],
        "text": number(value, 2),
        "low": None,
        "high": None,
        "first": first,
    }
