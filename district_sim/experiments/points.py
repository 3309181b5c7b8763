"""The points of an experiment: what a design or a sampling makes of its scenarios, policies and varied parameters."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched, product
from typing import TYPE_CHECKING, Any

from district_sim.experiments.checks import Bases, checked_values
from district_sim.experiments.design import OWN, Draws, Experiment, Interval, Value
from district_sim.experiments.draws import drawn
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.paths import set_at
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    import numpy as np

_LATER = ("title", "description", "strategy", "strategy_start", "policies", "shocks")
"""What says nothing of a run's first quarters."""
_FAMILY = 32  # so many parameters a worker keeps


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of scenario, policies and settings; every point gets the same luck in the same replicate."""

    index: int
    scenario: str
    policies: str
    settings: dict[str, Value]

    def told(self) -> str:
        """The point in words, for messages."""
        mix = [] if self.policies == OWN else [self.policies]
        values = [f"{path}={value}" for path, value in self.settings.items()]
        return f"point {self.index} ({', '.join([self.scenario, *mix, *values])})"


def points(experiment: Experiment, bases: Bases | None = None) -> list[Point]:
    """All points, in an order that depends on the experiment alone: scenarios, then policies, then the design.

    A full factorial counts with its last parameter fastest.

    Args:
        experiment: what is to be run.
        bases: its scenarios, where they have been resolved already (`checks.resolved_scenarios`).

    Raises:
        DesignError: a path or a value does not fit the scenarios.
    """
    rows = _settings(experiment, checked_values(experiment, bases))
    places = product(experiment.scenarios, experiment.policy_names, rows)
    return [Point(index, *place) for index, place in enumerate(places)]


def families(points: Sequence[Point], bases: Bases) -> Iterator[list[int]]:
    """Indices of points that differ in strategy, policies and shocks alone, at most `_FAMILY` together.

    Their runs have a past in common: see `run.shared_past`.
    """
    alike: dict[Any, list[int]] = {}
    told = {key: json.dumps({name: data[name] for name in data if name not in _LATER}) for key, data in bases.items()}
    for point in points:
        base = told[point.scenario, point.policies]
        earlier = tuple((path, value) for path, value in point.settings.items() if path.split(".")[0] not in _LATER)
        alike.setdefault((base, earlier), []).append(point.index)
    for members in alike.values():
        yield from (list(part) for part in batched(members, _FAMILY))


def unit_sample(experiment: Experiment) -> "np.ndarray":
    """The sample of a sampling design in the unit cube, shape (points, varied paths); the same for the same seed.

    Morris: `samples` paths of len(vary) + 1 points each, on a grid of 4 levels (Morris 1991,
    doi 10.1080/00401706.1991.10484804). Sobol': scrambled (Owen 1998), doi 10.1006/jcom.1998.0487.
    """
    import numpy as np

    dimensions, count = len(experiment.vary), experiment.samples or 0
    rng = np.random.default_rng([experiment.seed, dimensions, count])
    if experiment.design == "morris":
        from SALib.sample import morris

        names = [f"x{k}" for k in range(dimensions)]
        problem = {"num_vars": dimensions, "names": names, "bounds": [[0.0, 1.0]] * dimensions}
        return np.asarray(morris.sample(problem, count, num_levels=4, seed=int(rng.integers(2**31))))
    from scipy.stats import qmc

    if experiment.design == "sobol":
        return np.asarray(qmc.Sobol(dimensions, rng=rng).random_base2(count.bit_length() - 1))
    return np.asarray(qmc.LatinHypercube(dimensions, rng=rng).random(count))


def place(values: tuple[Value, ...] | Interval, unit: float) -> Value:
    """The value at height `unit` (0..1) of a parameter: of a list, the entry in whose equal share it falls.

    Args:
        values: as `checks.checked_values` gives them.
        unit: a coordinate in the unit cube.
    """
    if isinstance(values, Interval):
        if values.whole:
            low, high = round(values.low), round(values.high)
            return min(high, low + int(unit * (high - low + 1)))
        if values.log:
            return float(values.low * (values.high / values.low) ** unit)
        return float(values.low + unit * (values.high - values.low))
    return values[min(len(values) - 1, int(unit * len(values)))]


def _settings(experiment: Experiment, values: Mapping[str, tuple[Value, ...] | Interval]) -> list[dict[str, Value]]:
    paths = list(values)
    if experiment.design in ("factorial", "list"):
        columns = [column for column in values.values() if not isinstance(column, Interval)]
        rows = product(*columns) if experiment.design == "factorial" else zip(*columns, strict=True)
        return [dict(zip(paths, row, strict=True)) for row in rows]
    return [
        {path: place(values[path], float(unit)) for path, unit in zip(paths, row, strict=True)}
        for row in unit_sample(experiment)
    ]


def scenario_of(point: Point, bases: Bases, draws: Draws | None = None, replicate: int = 0) -> Scenario:
    """The scenario of one point, for one replicate where parameters are drawn.

    Raises:
        ScenarioError: the point's settings do not go together.
    """
    data = bases[point.scenario, point.policies]
    settings = drawn(draws, replicate, data, next(iter(bases.values())), point.settings) | point.settings
    if settings:
        data = copy.deepcopy(data)
    for path, value in settings.items():
        set_at(data, path, value)
    try:
        scenario = Scenario.model_validate(data)
    except ValueError as error:  # pydantic's ValidationError is one
        details: list[Any] = error.errors(include_url=False) if hasattr(error, "errors") else []
        first = details[0] if details else {"loc": (), "msg": str(error)}
        where = ".".join(map(str, first["loc"]))
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ScenarioError(f"{point.told()}: {where}{': ' if where else ''}{reason}") from None
    if scenario.run.quarters < 2:
        raise ScenarioError(f"{point.told()}: run.quarters: at least 2 quarters are needed to classify a run")
    return scenario


def with_draw(scenario: Scenario, draws: Draws | None, replicate: int, first: Scenario | None = None) -> Scenario:
    """A scenario with the parameters that one replicate draws.

    Args:
        draws: none, where parameters are known. first: the scenario of which the draws are; by default this one.

    Raises:
        ScenarioError: the drawn parameters do not go together.
    """
    if draws is None:
        return scenario
    data = scenario.model_dump(mode="json")
    settings = drawn(draws, replicate, data, data if first is None else first.model_dump(mode="json"))
    return scenario_of(Point(0, scenario.title, OWN, settings), {(scenario.title, OWN): data})
