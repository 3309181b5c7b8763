"""Worlds: what nobody knows and no policy chooses, such as onset, bids, prices abroad, market growth, technologies.

title: Five worlds
worlds:                              # named ones, each with what differs from the scenario
  - {name: early and hard, set: {world.onset: 20, world.globalisation: 3}}
ranges:                              # and ranges, from which further worlds are drawn
  ownership.takeover_price: {low: 20, high: 80}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from district_sim.experiments.design import Value
from district_sim.experiments.points import place
from district_sim.experiments.ranges import Parameter, choose
from district_sim.scenario.files import WORLDS, Key, ScenarioError, find_file, load_scenario, read_yaml
from district_sim.scenario.paths import show, value_at
from district_sim.scenario.suggestions import suggest

if TYPE_CHECKING:
    from district_sim.scenario.sections import Scenario

_KEYS = ("title", "description", "worlds", "ranges")


class World(NamedTuple):
    """One world."""

    name: str
    settings: dict[str, Value]
    """What differs from the scenario, by path."""


@dataclass(frozen=True)
class Worlds:
    """What may be outside: named worlds, and ranges from which others are drawn."""

    title: str
    named: tuple[World, ...]
    ranges: tuple[Parameter, ...]

    def drawn(self, count: int, seed: int, which: int) -> tuple[World, ...]:
        """So many worlds from the ranges (Latin hypercube); none without ranges.

        Args:
            which: another number gives worlds that are independent of those of this one.
        """
        import numpy as np
        from scipy.stats import qmc

        if not self.ranges or count < 1:
            return ()
        rng = np.random.default_rng([seed, which, len(self.ranges), count])
        sample = qmc.LatinHypercube(len(self.ranges), rng=rng).random(count)
        return tuple(
            World(
                f"drawn {number}",
                {one.path: place(one.values(), unit) for one, unit in zip(self.ranges, row, strict=True)},
            )
            for number, row in enumerate(sample, start=1)
        )


ALONE = Worlds("", (World("the scenario", {}),), ())
"""No world but the scenario's own: luck alone differs."""


def columns(worlds: Sequence[World], scenario: Scenario) -> dict[str, tuple[Value, ...]]:
    """The worlds as a list design: by path a value for each world, the scenario's own where a world says nothing.

    Empty if no world differs from the scenario.
    """
    own = scenario.model_dump(mode="json")
    paths = dict.fromkeys(path for world in worlds for path in world.settings)
    return {path: tuple(world.settings.get(path, value_at(own, path)) for world in worlds) for path in paths}


def load_worlds(file: str | Path, name: str, scenario: Scenario) -> Worlds:
    """Read and check a file of worlds against the scenario that it is for.

    Args:
        file: name of a bundled file (`"open_future"`) or path of a YAML file.
        name: of the scenario, as it was given; scenario: itself.

    Raises:
        ScenarioError: it cannot be read, or a world cannot be; the message names file and line.
    """
    path = find_file(file, WORLDS, "file of worlds")
    data, places = read_yaml(path)
    for key in data:
        if key not in _KEYS:
            raise ScenarioError(f"{places[key,]}: {key}: unknown key in a file of worlds{_known(key, _KEYS)}")
    named, ranges = data.get("worlds") or [], data.get("ranges") or {}
    if not isinstance(named, list):
        raise ScenarioError(
            f"{places['worlds',]}: worlds: must be a list of worlds: {{name: ..., set: {{path: value}}}}"
        )
    if not isinstance(ranges, dict):
        raise ScenarioError(f"{places['ranges',]}: ranges: must be a section: path: {{low: ..., high: ...}}")
    if not named and not ranges:
        raise ScenarioError(f"{path}: worlds or ranges: one of these keys is required")
    worlds = tuple(_world(one, number, places, name) for number, one in enumerate(named))
    for number, one in enumerate(worlds):
        if one.name in [other.name for other in worlds[:number]]:
            raise ScenarioError(f"{places['worlds', number]}: worlds.{number}.name = {show(one.name)}: is given twice")
    parameters = tuple(_range(key, given, places, scenario) for key, given in ranges.items())
    return Worlds(str(data.get("title") or path.stem), worlds, parameters)


def _known(key: str, known: Sequence[str]) -> str:
    return suggest(key, known) or f" (known: {', '.join(known)})"


def _world(given: Any, number: int, places: Mapping[Key, str], scenario: str) -> World:
    where = places["worlds", number]
    if not isinstance(given, dict) or not isinstance(given.get("name"), str) or not given["name"].strip():
        raise ScenarioError(f"{where}: worlds.{number}: needs a name, and set: {{path: value}}")
    for key in given:
        if key not in ("name", "set"):
            raise ScenarioError(f"{places['worlds', number, key]}: {key}: unknown key{_known(key, ('name', 'set'))}")
    settings = given.get("set") or {}
    if not isinstance(settings, dict):
        raise ScenarioError(f"{places['worlds', number, 'set']}: set: must be a section of 'path: value' lines")
    for path, value in settings.items():
        at = places["worlds", number, "set", path]
        if isinstance(value, dict | list) or value is None:
            raise ScenarioError(f"{at}: {path} = {show(value)}: must be a number, true or false, or text")
        try:
            load_scenario(scenario, {path: value})
        except ScenarioError as error:
            raise ScenarioError(f"{at}: {error}") from None
    return World(given["name"].strip(), settings)


def _range(path: str, given: Any, places: Mapping[Key, str], scenario: Scenario) -> Parameter:
    where = places["ranges", path]
    numbers = [given.get(end) for end in ("low", "high")] if isinstance(given, dict) else []
    good = [n for n in numbers if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(good) < 2 or set(given) != {"low", "high"} or not good[0] < good[1]:
        raise ScenarioError(f"{where}: {path}: write it as {{low: 1, high: 2}} with low < high")
    try:
        return choose(scenario, [path], {path: (float(good[0]), float(good[1]))})[0][0]
    except ScenarioError as error:
        raise ScenarioError(f"{where}: {error}") from None
