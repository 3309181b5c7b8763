"""Figures, the only place for matplotlib.

Every function returns a `Figure` made without pyplot, so that nothing global is touched; `save` writes one. Colours
are safe for colour-blind readers and differ in lightness, and every line or marker also differs in shape, so that the
figures can be read in grey.
"""

from district_sim.figures.cases import case_paths
from district_sim.figures.comparison import BAND_INDICATORS, bands, differences, transitions
from district_sim.figures.experiments import Mark, boxes, morris_plane, phase_diagram, sobol_bars
from district_sim.figures.replications import exchange_rules, knowledge_curves
from district_sim.figures.runs import CONTROLS, dashboard, district_map, futures, scores_over_time
from district_sim.figures.style import TRAJECTORY_COLOURS, TRAJECTORY_DASHES, save

__all__ = [
    "BAND_INDICATORS",
    "CONTROLS",
    "TRAJECTORY_COLOURS",
    "TRAJECTORY_DASHES",
    "Mark",
    "bands",
    "boxes",
    "case_paths",
    "dashboard",
    "differences",
    "district_map",
    "exchange_rules",
    "futures",
    "knowledge_curves",
    "morris_plane",
    "phase_diagram",
    "save",
    "scores_over_time",
    "sobol_bars",
    "transitions",
]
