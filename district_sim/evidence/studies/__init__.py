"""Experiments from the literature: what was expected, and what comes out.

A study is a design (districts, programmes of equal cost, shocks) and expectations: sentences with an outcome, a
contrast between cells and a direction, written down here before anything is run. `measure` runs a study on common
random numbers and says of each expectation whether the results agree, disagree or leave it undecided.

`STUDIES` names the studies; their designs are read when they are asked for, so that listing them costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from district_sim.evidence.studies.design import Study

__all__ = ["REPLICATIONS", "SEED", "STUDIES", "load_study"]

REPLICATIONS, SEED = 30, 1000
"""What a study is run with unless something else is asked for; the model was calibrated on other seeds."""

STUDIES: dict[str, str] = {
    "timing": "timing",
    "withdrawal": "timing",
    "takeovers": "districts",
    "information-technology": "learning",
    "education-or-research": "learning",
    "platform-or-vouchers": "districts",
    "missing-phase": "districts",
    "entrants": "learning",
    "embeddedness": "embeddedness",
    "conduct": "conduct",
}
"""The module of each study."""


def load_study(name: str) -> "Study":
    """The design and the expectations of a study. Raises KeyError for a name that is not in `STUDIES`."""
    module = import_module(f"{__name__}.{STUDIES[name]}")
    found: dict[str, Study] = {study.name: study for study in module.DESIGNS}
    return found[name]
