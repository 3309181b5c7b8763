"""Figures, the only place for matplotlib.

Every function returns a `Figure` made without pyplot, so that nothing global is touched; `save` writes one, `animate`
writes a film. Colours are safe for colour-blind readers and differ in lightness, and every line or marker also differs
in shape, so that the figures can be read in grey.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from district_sim.figures.cases import case_paths
    from district_sim.figures.comparison import BAND_INDICATORS, bands, differences, transitions
    from district_sim.figures.experiments import Mark, boxes, map_of_futures, morris_plane, sobol_bars
    from district_sim.figures.film import animate, check_film
    from district_sim.figures.maps import CONTROLS, district_map, network_map
    from district_sim.figures.policy_report import (
        effects,
        effects_over_time,
        over_time,
        sensitivity_ends,
        tails,
        trajectory_dots,
        who_gains,
    )
    from district_sim.figures.replications import distance_curves, exchange_rules, knowledge_curves, rules_beside
    from district_sim.figures.runs import dashboard, futures, scores_over_time
    from district_sim.figures.structure import ORIGINS, knowledge_ridge, ownership_tree, value_chain
    from district_sim.figures.studies import study_dots, study_lines
    from district_sim.figures.style import TRAJECTORY_COLOURS, TRAJECTORY_DASHES, save
    from district_sim.figures.stylised import anatomy, beside_published, sizes_and_growth

__all__ = [
    "BAND_INDICATORS",
    "CONTROLS",
    "ORIGINS",
    "TRAJECTORY_COLOURS",
    "TRAJECTORY_DASHES",
    "Mark",
    "anatomy",
    "animate",
    "bands",
    "beside_published",
    "boxes",
    "case_paths",
    "check_film",
    "dashboard",
    "differences",
    "distance_curves",
    "district_map",
    "effects",
    "effects_over_time",
    "exchange_rules",
    "futures",
    "knowledge_curves",
    "knowledge_ridge",
    "map_of_futures",
    "morris_plane",
    "network_map",
    "over_time",
    "ownership_tree",
    "rules_beside",
    "save",
    "scores_over_time",
    "sensitivity_ends",
    "sizes_and_growth",
    "sobol_bars",
    "study_dots",
    "study_lines",
    "tails",
    "trajectory_dots",
    "transitions",
    "value_chain",
    "who_gains",
]

_HOMES = {
    "cases": ("case_paths",),
    "comparison": ("BAND_INDICATORS", "bands", "differences", "transitions"),
    "experiments": ("Mark", "boxes", "morris_plane", "map_of_futures", "sobol_bars"),
    "film": ("animate", "check_film"),
    "maps": ("CONTROLS", "district_map", "network_map"),
    "policy_report": (
        "effects",
        "effects_over_time",
        "over_time",
        "sensitivity_ends",
        "tails",
        "trajectory_dots",
        "who_gains",
    ),
    "replications": ("distance_curves", "exchange_rules", "knowledge_curves", "rules_beside"),
    "runs": ("dashboard", "futures", "scores_over_time"),
    "structure": ("ORIGINS", "knowledge_ridge", "ownership_tree", "value_chain"),
    "studies": ("study_dots", "study_lines"),
    "style": ("TRAJECTORY_COLOURS", "TRAJECTORY_DASHES", "save"),
    "stylised": ("anatomy", "beside_published", "sizes_and_growth"),
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"district_sim.figures.{home}"), name)
    raise AttributeError(f"module 'district_sim.figures' has no attribute {name!r}")
