"""A sweep as one page that needs no server: levers, bands over time, shares of futures, a map of futures, notes.

The page holds quantiles over the runs of each point, not the runs. Between points nothing is made up: levers stop only
where there are runs.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from district_sim.reports.pages import command_line, rendered
from district_sim.run.trajectories import Trajectory
from district_sim.run.whole_files import write_text
from district_sim.scenario.files import own_words, scenario_notes
from district_sim.scenario.paths import value_at
from district_sim.text.names import (
    TRAJECTORY_NAMES,
    heading,
    in_percent,
    moment_name,
    outcome_name,
    record_of,
    span_name,
    unit_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from markupsafe import Markup

    from district_sim.experiments import Results

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Ends of the middle 90 %, of the middle 50 %, and the median."""
MOST_BYTES = 5 * 2**20
"""Of a page: it opens on a telephone, and can be sent by mail."""
_PER_NUMBER, _BESIDES = 8, 120_000  # bytes of a quantile with its comma, and of everything else
_DIGITS, _BEYOND = 5, 2  # of a quantile: at most so many, and so many beyond the decimals that are shown
_DARK, _LIGHT = "#000000", "#ffffff"


class Asked(NamedTuple):
    """What a page is to show, beside the runs."""

    scenario: str
    """Name or path, as it was given."""
    indicators: tuple[str, ...]
    """The first is shown first."""
    options: tuple[tuple[str, ...], ...]
    """Those that make the page again."""


def expected_bytes(points: int, quarters: int, every: int, indicators: int) -> int:
    """Size of a page, about.

    Args:
        points: of the design. quarters: of the longest run. every: of how many quarters one is kept.
        indicators: how many are shown.
    """
    return _BESIDES + points * -(-quarters // every) * len(QUANTILES) * indicators * _PER_NUMBER


def write_page(results: Results, asked: Asked, path: Path) -> list[Path]:
    """The page. Raises OSError."""
    return [write_text(path, page(results, asked))]


def page(results: Results, asked: Asked) -> str:
    """The page as HTML; the same for the same runs, to the byte."""
    words = own_words(asked.scenario)
    data = payload(results, asked.indicators)
    experiment, runs = results.experiment, results.runs
    seeds = dict(zip(runs["replicate"].tolist(), runs["seed"].tolist(), strict=True))
    return rendered(
        "explore.html",
        style="explore.css",
        script="explore.js",
        title=words.get("title") or heading(asked.scenario),
        description=words.get("description", ""),
        notes=_notes(asked.scenario),
        data=data,
        experiment=experiment,
        span=span_name(results.calendar, int(runs["quarters"].max())),
        failed=results.counts.failed,
        stopped=results.counts.stopped,
        seeds=[seeds[replicate] for replicate in sorted(seeds)],
        versions=results.versions,
        command=command_line("explore", asked.scenario, asked.options),
    )


def _notes(scenario: str) -> Markup:
    """A scenario's notes; nothing in them is fetched and nothing in them runs."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    text = MarkdownIt("js-default").disable("image").render(scenario_notes(scenario))
    for level in (3, 2, 1):  # below the headings of the page
        text = text.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
    return Markup(text)


# Data ---------------------------------------------------------------------------------------------


def payload(results: Results, indicators: Sequence[str]) -> dict[str, Any]:
    """All that the page's program shows, ready for JSON: what is undefined is None.

    Args:
        results: a full factorial of one scenario, with time series.
        indicators: names of columns of the series.

    Returns:
        `levers`; `moments` (words) and `times` (where they stand on the axis); `futures`; `indicators`; by point
        `runs`, `labels` (runs by future, then those without a label) and `last` (the place of its last moment); by
        point and moment `left` (runs that still went on) and `died` (of these, runs without a firm). `bands` holds for
        each indicator five lists, one for each of `QUANTILES`, by point and moment, and `known`: of how many runs they
        are, None where it is defined in all that went on.
    """
    points = len(results.points)
    series = results.series
    quarters = sorted(set(series["quarter"].tolist()))
    values, went_on = _by_run(results, series, ["firms", *indicators], quarters)
    left = went_on.sum(axis=1)
    died = (went_on & (values[0] == 0)).sum(axis=1)
    labels, described = _labels(results, points), [_described(name) for name in indicators]
    lasts = np.where(left.any(axis=1), left.shape[1] - 1 - np.argmax(left[:, ::-1] > 0, axis=1), 0)
    return {
        "levers": _levers(results),
        "moments": [moment_name(results.calendar, quarter) for quarter in quarters],
        "times": [quarter if results.calendar is None else results.calendar.year(quarter) for quarter in quarters],
        "axis": "quarter" if results.calendar is None else "year",
        "futures": _futures(),
        "indicators": described,
        "runs": labels.sum(axis=1).tolist(),
        "labels": labels.tolist(),
        "last": lasts.tolist(),
        "left": left.ravel().tolist(),
        "died": died.ravel().tolist() if died.any() else None,
        "bands": [
            _bands(own, left, one["decimals"] + _BEYOND + (2 if one["scale"] == 100 else 0))
            for one, own in zip(described, values[1:], strict=True)
        ],
    }


def _by_run(
    results: Results, series: pd.DataFrame, names: Sequence[str], quarters: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Values by (name, point, replicate, moment), NaN where there are none, and which of the runs went on so long."""
    shape = (len(results.points), results.experiment.replications, len(quarters))
    at = (series["point"].to_numpy(), series["replicate"].to_numpy(), np.searchsorted(quarters, series["quarter"]))
    values, went_on = np.full((len(names), *shape), np.nan), np.zeros(shape, dtype=bool)
    went_on[at] = True
    for own, name in zip(values, names, strict=True):
        own[at] = series[name].to_numpy()
    return values, went_on


def _bands(values: np.ndarray, left: np.ndarray, decimals: int) -> dict[str, Any]:
    """Quantiles over the replicates in which an indicator is defined, by point and moment.

    Args:
        values: (points, replicates, moments). left: (points, moments), runs that went on. decimals: kept.
    """
    known = (~np.isnan(values)).sum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of moments in which none is defined
        found = np.nanquantile(values, QUANTILES, axis=1)
    return {
        "quantiles": [[_short(value, decimals) for value in part.ravel().tolist()] for part in found],
        "known": None if (known == left).all() else known.ravel().tolist(),
    }


def _short(value: float, decimals: int) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = round(float(f"{value:.{_DIGITS}g}"), decimals)
    return int(rounded) if rounded.is_integer() else rounded


def _labels(results: Results, points: int) -> np.ndarray:
    """Runs by (point, future), those of which nothing can be said last."""
    runs = results.runs[results.runs["status"] != "failed"]
    places = {trajectory.value: place for place, trajectory in enumerate(Trajectory)}
    counts = np.zeros((points, len(places) + 1), dtype=int)
    labels = runs["trajectory"].map(places).fillna(len(places)).astype(int)
    np.add.at(counts, (runs["point"].to_numpy(), labels.to_numpy()), 1)
    return counts


def _levers(results: Results) -> list[dict[str, Any]]:
    """By varied path: what it is, its values in words, and which of them is the scenario's own, if one is."""
    (scenario,) = results.experiment.scenarios
    levers = []
    for path in results.experiment.vary:
        unit, text = results.notes(path)
        values = list(dict.fromkeys(point.settings[path] for point in results.points))
        own = value_at(results.resolved[scenario], path)
        levers.append(
            {
                "path": path,
                "name": text or path,
                "unit": "" if unit in ("", "1", "share") else unit_words(unit),
                "values": [_shown(value) for value in values],
                "own": values.index(own) if own in values else None,
                "own_value": _shown(own),
            }
        )
    return levers


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _futures() -> list[dict[str, str]]:
    """Names, first letters and colours, the same as in figures and on maps of futures."""
    from district_sim.figures.style import TRAJECTORY_COLOURS

    return [
        {
            "name": TRAJECTORY_NAMES[trajectory],
            "letter": TRAJECTORY_NAMES[trajectory][0],
            "colour": TRAJECTORY_COLOURS[trajectory],
            "ink": _ink(TRAJECTORY_COLOURS[trajectory]),
        }
        for trajectory in Trajectory
    ]


def _ink(colour: str) -> str:
    """Black or white, which of them can be read better on a colour (contrast as in WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    light = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return _DARK if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else _LIGHT


def _described(name: str) -> dict[str, Any]:
    record, share, title = record_of(name), in_percent(name), outcome_name(name)
    return {
        "name": record.label,
        "title": title,
        "unit": "" if title == record.label else unit_words(record.unit.replace("share", "%")),
        "decimals": record.decimals,
        "scale": 100 if share else 1,
        "bounded": record.bounds[1] == 1.0,
        "meaning": record.meaning,
    }
