"""A run as a film: the map, the scores and the accounts, moment by moment."""

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

from district_sim.figures.maps import draw_district, furthest, map_key, pen_of, reach_of
from district_sim.figures.sources import total
from district_sim.figures.style import (
    CONTROLS,
    INK,
    LINES,
    PIPELINE,
    STYLE,
    TIE,
    TRAJECTORY_COLOURS,
    TRAJECTORY_DASHES,
    scale_y,
    time_word,
)
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
    """Write a run as a film: the map as it changes, where the district is heading, employment and value added.

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
    named = [*TRAJECTORY_COLOURS.values(), *(look.colour for look in CONTROLS.values()), TIE, PIPELINE, _LINE]
    shades = [1.0 - share * (1.0 - np.array(to_rgb(c))) for c in named for share in np.linspace(0.125, 1.0, 8)]
    shades += [np.full(3, level) for level in np.linspace(0.0, 1.0, 40)]
    image = Image.new("P", (1, 1))
    image.putpalette((255.0 * np.array(shades)).round().astype(np.uint8).tobytes())
    return image


class _Film:
    """The figure that becomes the frames: `show` brings it to a moment of the run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.figure = Figure(figsize=(9.6, 5.9))
        FigureCanvasAgg(self.figure)
        grid: Any = {"width_ratios": [1.42, 1.0], "left": 0.01, "right": 0.975, "top": 0.88, "bottom": 0.15}
        parts = self.figure.add_gridspec(1, 2, wspace=0.16, **grid)
        self.map = self.figure.add_subplot(parts[0])
        panels = parts[1].subgridspec(3, 1, hspace=0.55, height_ratios=[1.5, 1.0, 1.0])
        scores, people, value = (self.figure.add_subplot(panels[k]) for k in range(3))
        self.lines: list[tuple[Line2D, np.ndarray, np.ndarray]] = []
        self._scores(scores)
        self._series(people, "employment")
        self._series(value, "value_added_local")
        value.set_xlabel(time_word(run.scenario.run.calendar))
        self.limit = max(reach_of(run), *(furthest(snapshot) for snapshot in run.between.values()))
        self.pen = pen_of(4.6, len(run.start.firms))
        self.figure.text(0.012, 0.95, run.scenario.title or "A district", fontsize=12, weight="bold", color=INK)
        self.moment = self.figure.text(0.012, 0.905, "", fontsize=11, color=INK)
        self.figure.legend(handles=map_key(), loc="lower center", ncols=4, bbox_to_anchor=(0.5, 0.0))

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
        ax.set_title("Where the district is heading", pad=32)
        place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.04, 0.98), "ncols": 2}
        ax.legend(**place, columnspacing=0.9, handlelength=2.2, handletextpad=0.4, fontsize=7.5)
        ax.set_xlim(0, len(self.run.indicators))

    def _series(self, ax: Axes, name: str) -> None:
        record, values = record_of(name), self.run.indicators[name]
        (line,) = ax.plot([], [], color=_LINE, clip_on=False)
        self.lines.append((line, values.index.to_numpy(), values.to_numpy()))
        scale_y(ax, unit_words(record.unit), float(values.max()))
        ax.set_title(record.label)
        ax.set_xlim(0, len(values))

    def show(self, quarter: int, snapshot: Snapshot) -> None:
        self.map.clear()
        draw_district(self.map, snapshot, self.limit, self.pen)
        self.map.set_axis_off()
        for line, quarters, values in self.lines:
            past = quarters <= quarter
            line.set_data(quarters[past], values[past])
        self.moment.set_text(
            f"{moment_name(self.run.scenario.run.calendar, quarter)} · {total(len(snapshot.firms), 'firm')}"
        )
