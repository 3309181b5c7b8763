"""district-sim: how industrial districts evolve under globalisation."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from district_sim.model import District
    from district_sim.run import Run, simulate
    from district_sim.scenario import Scenario
    from district_sim.scenario_files import ScenarioError, load_scenario
    from district_sim.trajectories import Trajectory, classify

__version__ = "0.1.0"
__all__ = [
    "District",
    "Run",
    "Scenario",
    "ScenarioError",
    "Trajectory",
    "classify",
    "load_scenario",
    "simulate",
]

_HOMES = {
    "District": "model",
    "Run": "run",
    "Scenario": "scenario",
    "ScenarioError": "scenario_files",
    "Trajectory": "trajectories",
    "classify": "trajectories",
    "load_scenario": "scenario_files",
    "simulate": "run",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: the command line starts without numba, pandas or Mesa."""
    if name in _HOMES:
        return getattr(import_module(f"district_sim.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'district_sim' has no attribute {name!r}")
