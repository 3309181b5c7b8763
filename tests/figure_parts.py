"""What the tests of figures share: a small run, and looks into what was drawn."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from district_sim.run.run import Run, simulate
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.sections import Scenario

QUARTERS, START = 24, 8


def small_run() -> Run:
    """60 firms who meet globalisation after 8 of 24 quarters; multinationals and leaders buy."""
    sections: dict[str, Any] = {
        "title": "Small district",
        "firms": {"count": 60, "pipelines": 0.3},
        "run": {"quarters": QUARTERS},
        "world": {"onset": START, "ramp": 8},
        "strategy_start": START,
        "strategy": {"sale": 1.0, "acquisition": 3.0},
    }
    return simulate(Scenario.model_validate(sections), seed=2, every=8)


def lightness(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def texts(legend: Any) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def named(ax: Any, gid: str) -> Any:
    (found,) = [artist for artist in ax.collections if artist.get_gid() == gid]
    return found


def without_firms(snapshot: Snapshot) -> Snapshot:
    chain = np.nan * snapshot.value_chain
    return Snapshot(
        lambda: snapshot.firms.iloc[:0], lambda: snapshot.ties.iloc[:0], lambda: chain, lambda: snapshot.agency
    )


def of_nobody(run: Run) -> Run:
    return Run(run.scenario, run.seed, run.indicators, run.start, without_firms(run.end), run.versions)


def drawn_texts(figure: Figure) -> list[tuple[str, Any]]:
    """Every text that is drawn, and its box in pixels; labels of ticks beyond the axes are not drawn."""
    FigureCanvasAgg(figure).draw()
    beyond = set()
    for ax in figure.axes:
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            for at, tick in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False):
                if not min(limits) <= at <= max(limits):
                    beyond.add(tick)
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in found if text not in beyond]
    return [(text, box) for text, box in boxes if box.width > 0.0]
