"""A run as a film: the three views of its firms, the scores and the accounts, moment by moment."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from district_sim.figures.events import EVENT_LOOKS, draw_events, events_key
from district_sim.figures.layout import NEW, VIEWS
from district_sim.figures.maps import pen_of
from district_sim.figures.sources import total
from district_sim.figures.style import (
    ABROAD,
    AGENCY,
    HERE,
    INK,
    LINES,
    PIPELINE,
    STYLE,
    TIE,
    TRAJECTORY_COLOURS,
    TRAJECTORY_DASHES,
    phase_colours,
    scale_y,
    time_word,
)
from district_sim.figures.three_views import DRAW, scene_of, views_key
from district_sim.run.events import EventKind
from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.run.trajectories import DEFAULT_THRESHOLDS, FUTURES, scores_over_time
from district_sim.text.names import TRAJECTORY_NAMES, moment_name, record_of, unit_words

SUFFIXES = (".gif", ".mp4")
_LINE = LINES[0][0]
_PER_SECOND, _LINGER = 8, 12  # frames; how many times the last one is shown


def check_film(path: str | os.PathLike[str]) -> None:
    """Find out that a film can be written under that name, before anything is simulated.

    Raises:
        ValueError: the name ends in neither .gif nor .mp4, or .mp4 is wanted where there is no ffmpeg.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: a film's name must end in {' or '.join(SUFFIXES)}")
    if suffix == ".mp4" and not FFMpegWriter.isAvailable():
        raise ValueError(f"{path}: mp4 needs the program ffmpeg, which is not on the PATH; use a name in .gif instead")


def animate(run: Run, path: str | os.PathLike[str], progress: Callable[[int, int], object] | None = None) -> Path:
    """Write a run as a film: three views as they change, where the district is heading, employment, value added.

    Args:
        run: made with `simulate(..., every=...)`; each moment kept becomes a frame.
        path: ends in .gif, or in .mp4 where ffmpeg is installed. The file appears whole or not at all.
        progress: called with the number of frames drawn and of all.

    Returns:
        The file written.

    Raises:
        ValueError: see `check_film`; or the run kept no moments on the way.
        OSError: it cannot be written.
    """
    check_film(path)
    if not run.between:
        raise ValueError("the run kept no intermediate states: run it with simulate(..., every=2)")
    path = Path(path)
    with mpl.rc_context(STYLE), TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as room:
        film = _Film(run)
        whole = Path(room) / f"film{path.suffix.lower()}"
        kind = _GifWriter if path.suffix.lower() == ".gif" else FFMpegWriter
        writer: AbstractMovieWriter = kind(fps=_PER_SECOND)
        moments = run.moments
        with writer.saving(film.figure, str(whole), dpi=100):
            for number, (quarter, snapshot) in enumerate(moments.items(), start=1):
                film.show(quarter, snapshot)
                for _ in range(_LINGER if number == len(moments) else 1):
                    writer.grab_frame()
                if progress:
                    progress(number, len(moments))
        os.replace(whole, path)
    return path


class _GifWriter(PillowWriter):
    """One palette for all frames: Pillow's own, chosen frame by frame, loses the colours of thin lines."""

    def grab_frame(self, **options: Any) -> None:
        super().grab_frame(**options)
        frame = self._frames[-1].convert("RGB")  # type: ignore[attr-defined]
        self._frames[-1] = frame.quantize(palette=_palette(), dither=Image.Dither.NONE)  # type: ignore[attr-defined]


@cache
def _palette() -> Image.Image:
    """All colours of a film, blended with white as soft edges are."""
    named = [*TRAJECTORY_COLOURS.values(), *phase_colours(6), TIE, PIPELINE, AGENCY, HERE, ABROAD]
    named += [_LINE, *(EVENT_LOOKS[kind].colour for kind in (EventKind.SHOCK, EventKind.TAKEOVER))]
    shades = [1.0 - share * (1.0 - np.array(to_rgb(c))) for c in named for share in np.linspace(0.125, 1.0, 8)]
    shades += [np.full(3, level) for level in np.linspace(0.0, 1.0, 40)]
    image = Image.new("P", (1, 1))
    image.putpalette((255.0 * np.array(shades)).round().astype(np.uint8).tobytes())
    return image


class _Film:
    """The figure that becomes the frames: `show` brings it to a moment of the run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.figure = Figure(figsize=(12.0, 7.6))
        FigureCanvasAgg(self.figure)
        above: Any = {"left": 0.005, "right": 0.995, "top": 0.865, "bottom": 0.38, "wspace": 0.02}
        grid = self.figure.add_gridspec(1, len(DRAW), **above)
        self.views = [self.figure.add_subplot(grid[k]) for k in range(len(DRAW))]
        below: Any = {"left": 0.06, "right": 0.985, "top": 0.31, "bottom": 0.175, "wspace": 0.22}
        parts = self.figure.add_gridspec(1, 3, width_ratios=[1.75, 1.0, 1.0], **below)
        scores, people, value = (self.figure.add_subplot(parts[k]) for k in range(3))
        self.lines: list[tuple[Line2D, np.ndarray, np.ndarray]] = []
        self._scores(scores)
        self._series(people, "employment")
        self._series(value, "value_added_local")
        self.charts, self.told = (scores, people, value), 0
        for ax in self.charts:
            ax.set_xlabel(time_word(run.scenario.run.calendar), labelpad=1)
        self.pen = pen_of(3.9, len(run.start.firms))
        self.figure.text(0.012, 0.96, run.scenario.title or "A district", fontsize=12, weight="bold", color=INK)
        self.moment = self.figure.text(0.012, 0.925, "", fontsize=11, color=INK)
        self.news = self.figure.text(0.33, 0.925, "", fontsize=10, color=INK)
        key: Any = {"loc": "lower center", "ncols": 8, "bbox_to_anchor": (0.5, 0.0), "columnspacing": 1.0}
        handles = [*views_key(scene_of(run, pen=self.pen)), *events_key(run.events)]
        self.figure.legend(handles=handles, fontsize=7, **key)

    def _scores(self, ax: Axes) -> None:
        table = scores_over_time(self.run.indicators, every=2, calm_window=self.run.scenario.calm_window)
        for future in FUTURES:
            (line,) = ax.plot(
                [], [], color=TRAJECTORY_COLOURS[future], linestyle=TRAJECTORY_DASHES[future], linewidth=2.0,
                label=TRAJECTORY_NAMES[future], clip_on=False,
            )  # fmt: skip
            self.lines.append((line, table.index.to_numpy(), table[future.value].to_numpy()))
        ax.axhline(DEFAULT_THRESHOLDS.label, color="#555555", linewidth=0.8, linestyle=(0, (2, 2)))
        ax.set_ylim(0.0, 1.0)
        ax.set_ylabel("score, 0 to 1")
        ax.set_title("Where the district is heading", pad=20)
        place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.04, 0.99), "ncols": 4}
        ax.legend(**place, columnspacing=0.9, handlelength=2.0, handletextpad=0.4, fontsize=6.5)
        ax.set_xlim(0, len(self.run.indicators))

    def _series(self, ax: Axes, name: str) -> None:
        record, values = record_of(name), self.run.indicators[name]
        (line,) = ax.plot([], [], color=_LINE, clip_on=False)
        self.lines.append((line, values.index.to_numpy(), values.to_numpy()))
        scale_y(ax, unit_words(record.unit), float(values.max()))
        ax.set_title(record.label, pad=9)
        ax.set_xlim(0, len(values))

    def show(self, quarter: int, snapshot: Snapshot) -> None:
        scene = scene_of(self.run, quarter, self.pen)
        for ax, (view, draw) in zip(self.views, DRAW.items(), strict=True):
            ax.clear()
            draw(ax, scene)
            ax.set_title(VIEWS[view][0], x=0.02, y=0.97)
        for line, quarters, values in self.lines:
            past = quarters <= quarter
            line.set_data(quarters[past], values[past])
        happened = [event for event in self.run.events if event.quarter < quarter]
        for ax in self.charts:
            draw_events(ax, happened[self.told :])
        self.told = len(happened)
        lately = [event.mark for event in happened if event.last >= quarter - NEW]
        self.news.set_text(" · ".join(lately[-5:]))
        self.moment.set_text(
            f"{moment_name(self.run.scenario.run.calendar, quarter)} · {total(len(snapshot.firms), 'firm')}"
        )
