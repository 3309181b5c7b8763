"""The figures of a run: which there are, and how they are drawn into a folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from district_sim.run.run import Run

FIGURES = {
    "dashboard": "dashboard",
    "map": "district_map",
    "network": "network_map",
    "views": "views",
    "trajectory_scores": "scores_over_time",
    "value_chain": "value_chain",
    "ownership": "ownership_tree",
    "conduct": "conduct_traits",
    "knowledge": "knowledge_ridge",
}
"""Figures by the name of their files, and who draws them."""


def draw_figures(run: "Run", names: Iterable[str], folder: Path) -> list[Path]:
    """Draw those of `FIGURES`; returns the files written. What needs firms is left out where there are none.

    Files of figures that are not drawn, of an earlier run, are removed. Raises OSError.
    """
    from district_sim import figures
    from district_sim.kernels.compile import without_pauses

    lacking = {"conduct": not len(run.end.firms), "knowledge": not len(run.start.firms)}
    wanted = [name for name in names if not lacking.get(name)]
    for name in FIGURES.keys() - set(wanted):
        for suffix in (".png", ".svg"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    written: list[Path] = []
    for name in wanted:
        with without_pauses():
            written += figures.save(getattr(figures, FIGURES[name])(run), folder / name)
    return written
