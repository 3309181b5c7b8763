"""A plan: an experiment with its points and resolved scenarios, all checked; and how two plans differ."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from district_sim._version import __version__
from district_sim.experiments.checks import Bases, extensions_of, kind_of, resolved_scenarios
from district_sim.experiments.design import Experiment, outcomes
from district_sim.experiments.draws import check_draws
from district_sim.experiments.errors import DesignError
from district_sim.experiments.points import Point, points, scenario_of
from district_sim.run.compiled import one_of_each_shape
from district_sim.scenario.data import without_place
from district_sim.scenario.extensions import versions_of
from district_sim.scenario.sections import Scenario

_SHAPING = ("run", "scenario", "experiments/work.py")
"""What shapes a row of results beside the kernels."""


@dataclass(frozen=True)
class Plan:
    """Everything about an experiment before the first run."""

    experiment: Experiment
    points: list[Point]
    bases: Bases
    kinds: dict[str, str]
    """Varied path to the kind of its values: integer, number, boolean or string."""
    shapes: list[Scenario]
    """One scenario of each shape that the model is compiled for."""


def make_plan(experiment: Experiment) -> Plan:
    """Check everything that can be checked before anything runs.

    Raises:
        ScenarioError: a scenario, a path, a value or a combination of values cannot be used.
    """
    bases = resolved_scenarios(experiment)
    known = outcomes(experiment.keep, extensions_of(bases))
    for name in experiment.until:
        if name not in known:
            raise DesignError(("until", name), f"{name} is of a mechanism that is in none of the scenarios")
    if experiment.draws is not None:
        check_draws(experiment.draws, bases)
    made = points(experiment, bases)
    shapes = one_of_each_shape(scenario_of(point, bases) for point in made)
    kinds = {path: kind_of(path, bases, (point.settings[path] for point in made)) for path in experiment.vary}
    return Plan(experiment, made, bases, kinds, shapes)


@cache
def model_version(extensions: tuple[str, ...] = ()) -> dict[str, str]:
    """Version of the package, a hash of all code that shapes a run's results, versions of mechanisms from outside."""
    from district_sim.kernels.compile import sources_hash

    return {"district_sim": __version__, "sources": sources_hash(*_SHAPING), **versions_of(extensions)}


def scenario_hash(data: Any) -> str:
    """A hash of a resolved scenario, or of other plain data."""
    return hashlib.blake2b(json.dumps(data, sort_keys=True).encode(), digest_size=16).hexdigest()


def description(plan: Plan) -> dict[str, Any]:
    """The plan in plain data, as it is stored: two plans with equal descriptions make equal data sets.

    A sample is identified by its hash, too: other versions of the libraries that draw it may draw it otherwise.
    """
    scenarios = {}
    for (scenario, _), data in plan.bases.items():
        own = {key: value for key, value in data.items() if key != "policies" or not plan.experiment.policies}
        scenarios[scenario] = without_place(own)
    told = {
        "model": model_version(extensions_of(plan.bases)),
        "experiment": plan.experiment.model_dump(mode="json"),
        "kinds": plan.kinds,
        "scenarios": scenarios,
        "points": scenario_hash([point.settings for point in plan.points]),
    }
    plain: dict[str, Any] = json.loads(json.dumps(told))
    return plain


def differences(before: Any, now: Any, path: str = "") -> list[str]:
    """What differs between two descriptions, a line each: `firms.count: 300 in the folder, 400 now`."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*before, *(key for key in now if key not in before)]
        return [
            line
            for key in keys
            for line in differences(before.get(key), now.get(key), f"{path}.{key}" if path else key)
        ]
    if before == now:
        return []
    return [f"{path}: {_short(before)} in the folder, {_short(now)} now"]


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
