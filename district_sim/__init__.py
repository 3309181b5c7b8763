"""district-sim: how industrial districts evolve under globalisation."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__

if TYPE_CHECKING:
    from district_sim.mesa_model.district import District
    from district_sim.register.district import load_district
    from district_sim.run.run import Run, simulate
    from district_sim.run.trajectories import Trajectory, classify
    from district_sim.scenario.files import ScenarioError, load_scenario
    from district_sim.scenario.sections import Scenario

__all__ = [
    "District",
    "Run",
    "Scenario",
    "ScenarioError",
    "Trajectory",
    "__version__",
    "classify",
    "load_district",
    "load_scenario",
    "simulate",
]

_HOMES = {
    "District": "mesa_model.district",
    "Run": "run.run",
    "Scenario": "scenario.sections",
    "ScenarioError": "scenario.files",
    "Trajectory": "run.trajectories",
    "classify": "run.trajectories",
    "load_district": "register.district",
    "load_scenario": "scenario.files",
    "simulate": "run.run",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: the command line starts without numba, pandas or Mesa."""
    if name in _HOMES:
        return getattr(import_module(f"district_sim.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'district_sim' has no attribute {name!r}")
