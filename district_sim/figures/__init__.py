"""Draw: every figure.

Every function returns a `Figure` made without pyplot, so that nothing global is touched; `save` writes one, `animate`
writes a film. Colours are safe for colour-blind readers and differ in lightness, and every line or marker also differs
in shape, so that the figures can be read in grey.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from district_sim.figures.cases import case_paths as case_paths
    from district_sim.figures.compare import BAND_INDICATORS as BAND_INDICATORS
    from district_sim.figures.compare import Mark as Mark
    from district_sim.figures.compare import bands as bands
    from district_sim.figures.compare import differences as differences
    from district_sim.figures.compare import map_of_futures as map_of_futures
    from district_sim.figures.compare import transitions as transitions
    from district_sim.figures.conduct import conduct_traits as conduct_traits
    from district_sim.figures.evaluations import effects_beside_published as effects_beside_published
    from district_sim.figures.film import animate as animate
    from district_sim.figures.film import check_film as check_film
    from district_sim.figures.forecast import fans as fans
    from district_sim.figures.forecast import label_shares as label_shares
    from district_sim.figures.hold_out import hold_out_fans as hold_out_fans
    from district_sim.figures.lesson import Line as Line
    from district_sim.figures.lesson import class_picture as class_picture
    from district_sim.figures.maps import district_map as district_map
    from district_sim.figures.maps import network_map as network_map
    from district_sim.figures.policy_report import effects as effects
    from district_sim.figures.policy_report import effects_over_time as effects_over_time
    from district_sim.figures.policy_report import over_time as over_time
    from district_sim.figures.policy_report import sensitivity_ends as sensitivity_ends
    from district_sim.figures.policy_report import tails as tails
    from district_sim.figures.policy_report import trajectory_dots as trajectory_dots
    from district_sim.figures.policy_report import who_gains as who_gains
    from district_sim.figures.posterior import Parameter as Parameter
    from district_sim.figures.posterior import Seen as Seen
    from district_sim.figures.posterior import observed_and_predictive as observed_and_predictive
    from district_sim.figures.posterior import posterior_pairs as posterior_pairs
    from district_sim.figures.posterior import prior_to_posterior as prior_to_posterior
    from district_sim.figures.posterior import truth_ranks as truth_ranks
    from district_sim.figures.register import imported as imported
    from district_sim.figures.replications import anatomy as anatomy
    from district_sim.figures.replications import beside_published as beside_published
    from district_sim.figures.replications import distance_curves as distance_curves
    from district_sim.figures.replications import exchange_rules as exchange_rules
    from district_sim.figures.replications import knowledge_curves as knowledge_curves
    from district_sim.figures.replications import rules_beside as rules_beside
    from district_sim.figures.replications import sizes_and_growth as sizes_and_growth
    from district_sim.figures.run import dashboard as dashboard
    from district_sim.figures.run import futures as futures
    from district_sim.figures.run import scores_over_time as scores_over_time
    from district_sim.figures.search import pareto as pareto
    from district_sim.figures.sensitivity import boxes as boxes
    from district_sim.figures.sensitivity import morris_plane as morris_plane
    from district_sim.figures.sensitivity import sobol_bars as sobol_bars
    from district_sim.figures.structure import ORIGINS as ORIGINS
    from district_sim.figures.structure import knowledge_ridge as knowledge_ridge
    from district_sim.figures.structure import ownership_tree as ownership_tree
    from district_sim.figures.structure import value_chain as value_chain
    from district_sim.figures.studies import study_dots as study_dots
    from district_sim.figures.studies import study_fading as study_fading
    from district_sim.figures.studies import study_lines as study_lines
    from district_sim.figures.studies import study_pairs as study_pairs
    from district_sim.figures.style import CONTROLS as CONTROLS
    from district_sim.figures.style import TRAJECTORY_COLOURS as TRAJECTORY_COLOURS
    from district_sim.figures.style import TRAJECTORY_DASHES as TRAJECTORY_DASHES
    from district_sim.figures.style import save as save
    from district_sim.figures.three_views import views as views

_HOMES = {
    "cases": "case_paths",
    "compare": "BAND_INDICATORS Mark bands differences map_of_futures transitions",
    "conduct": "conduct_traits",
    "evaluations": "effects_beside_published",
    "film": "animate check_film",
    "forecast": "fans label_shares",
    "hold_out": "hold_out_fans",
    "lesson": "Line class_picture",
    "maps": "district_map network_map",
    "policy_report": "effects effects_over_time over_time sensitivity_ends tails trajectory_dots who_gains",
    "posterior": "Parameter Seen observed_and_predictive posterior_pairs prior_to_posterior truth_ranks",
    "register": "imported",
    "replications": "anatomy beside_published distance_curves exchange_rules knowledge_curves rules_beside "
    "sizes_and_growth",
    "run": "dashboard futures scores_over_time",
    "search": "pareto",
    "sensitivity": "boxes morris_plane sobol_bars",
    "structure": "ORIGINS knowledge_ridge ownership_tree value_chain",
    "studies": "study_dots study_fading study_lines study_pairs",
    "style": "CONTROLS TRAJECTORY_COLOURS TRAJECTORY_DASHES save",
    "three_views": "views",
}
__all__ = [name for names in _HOMES.values() for name in names.split()]


def __getattr__(name: str) -> Any:
    """Import public names when they are first used."""
    for home, names in _HOMES.items():
        if name in names.split():
            return getattr(import_module(f"district_sim.figures.{home}"), name)
    raise AttributeError(f"module 'district_sim.figures' has no attribute {name!r}")
