"""Repeat: many runs on any machines, and the data set that they make."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from district_sim.experiments.design import Experiment
    from district_sim.experiments.design_files import load_experiments
    from district_sim.experiments.results import Results
    from district_sim.experiments.runner import Summary, run_experiment

__all__ = ["Experiment", "Results", "Summary", "load_experiments", "run_experiment"]

_HOMES = {
    "Experiment": "design",
    "Results": "results",
    "Summary": "runner",
    "load_experiments": "design_files",
    "run_experiment": "runner",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used."""
    if name in _HOMES:
        return getattr(import_module(f"district_sim.experiments.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'district_sim.experiments' has no attribute {name!r}")
