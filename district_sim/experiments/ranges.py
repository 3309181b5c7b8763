"""Which parameters to vary and between what: the schema's fields, around the scenario's own values.

The schema allows far more than a study of one district wants. So, unless a range is given, a number moves between half
and one and a half times its value in the scenario, cut off where the schema ends; a whole number by at least one; a
switch takes both its values. A number that is 0 in the scenario has no half and needs a range of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from district_sim.experiments.design import OWN, Interval, Range, Value
from district_sim.experiments.points import Point, scenario_of
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.paths import JsonSchema, expected, known_paths, scenario_schema, schemas_at, value_at
from district_sim.scenario.suggestions import suggest

if TYPE_CHECKING:
    from district_sim.scenario.sections import Scenario

ALL = "all"
_KINDS: dict[str, Literal["number", "integer", "boolean"]] = {
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
}
_NOT_MODEL = ("run.quarters", "data.rows", "data.most_ties")  # how long to look, and what tables hold


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter and the range in which it is varied."""

    path: str
    kind: Literal["number", "integer", "boolean"]
    low: float
    high: float

    def values(self) -> tuple[Value, ...] | Interval:
        """The range as `points.place` wants it."""
        if self.kind == "boolean":
            return tuple(bool(end) for end in dict.fromkeys((self.low, self.high)))
        return Interval(self.low, self.high, log=False, whole=self.kind == "integer")

    def vary(self) -> tuple[Value, ...] | Range:
        """The range as an experiment's `vary` wants it."""
        values = self.values()
        return Range(low=self.low, high=self.high) if isinstance(values, Interval) else values

    def words(self) -> str:
        """The range for a reader."""
        return "false or true" if self.kind == "boolean" else f"{self.low:g} to {self.high:g}"


def choose(
    scenario: Scenario, names: Sequence[str], ranges: Mapping[str, tuple[float, float]] | None = None
) -> tuple[list[Parameter], dict[str, str]]:
    """The parameters named, with their ranges.

    Args:
        scenario: whose values the ranges are set around.
        names: dotted paths, names of sections, or "all". Sections and "all" leave out what cannot be varied alone.
        ranges: lowest and highest value by path, where the rule of this module is not wanted; a path that has a
            range is varied even if `names` does not mention it.

    Returns:
        The parameters in the order of the schema, and what a section held but was left out, with the reason.

    Raises:
        ScenarioError: there is no such parameter, it cannot be varied, or a range is not allowed.
    """
    ranges = dict(ranges or {})
    data = scenario.model_dump(mode="json")
    leaves = {path: schema for path, schema in _leaves(data) if schema.get("type") in _KINDS}
    asked = {name for name in [*names, *ranges] if name in leaves}
    listed = [path for name in names for path in _members(name, leaves, data)]
    wanted = [path for path in leaves if path in asked or path in listed]
    chosen, left_out = [], {}
    for path in wanted:
        try:
            chosen.append(_parameter(path, leaves[path], value_at(data, path), ranges.get(path), data))
        except ScenarioError as error:
            if path in asked:
                raise
            left_out[path] = str(error).removeprefix(f"{path}: ")
    unknown = [path for path in ranges if path not in leaves]
    if unknown:
        raise _unknown(unknown[0], leaves, data)
    if not chosen:
        raise ScenarioError(f"no parameter can be varied among {', '.join(names) or 'none'}")
    return chosen, left_out


def parse_range(text: str) -> tuple[str, tuple[float, float]]:
    """`path=low:high` as (path, (low, high)).

    Raises:
        ScenarioError: it is written otherwise.
    """
    path, _, right = (part.strip() for part in text.partition("="))
    try:
        low, high = (float(part) for part in right.split(":"))
    except ValueError:
        low, high = math.nan, math.nan
    if not (path and math.isfinite(low) and math.isfinite(high) and low < high):
        raise ScenarioError(f"--range {text}: write it as path=low:high with low < high, such as strategy.sale=0:0.5")
    return path, (low, high)


def _leaves(data: dict[str, Any]) -> Iterator[tuple[str, JsonSchema]]:
    """Every path that is no section, with its schema."""
    for path in known_paths(scenario_schema(), data):
        schemas, value = schemas_at(data, path), value_at(data, path)
        off = value is None  # of a mechanism from outside that is not in the scenario
        if len(schemas) == 1 and not off and not isinstance(value, dict | list):
            yield path, schemas[0]


def _members(name: str, leaves: Iterable[str], data: dict[str, Any]) -> list[str]:
    """The paths that a name stands for."""
    if name in leaves:
        return [name]
    inside = [path for path in leaves if path.startswith(f"{name}.") or name == ALL]
    inside = [path for path in inside if path not in _NOT_MODEL and not (name == ALL and path.startswith("policies."))]
    if not inside:
        raise _unknown(name, leaves, data)
    return inside


def _unknown(name: str, leaves: Iterable[str], data: dict[str, Any]) -> ScenarioError:
    if name in known_paths(scenario_schema(), data):
        return ScenarioError(f"{name} is not a number or a switch and cannot be varied")
    known = [ALL, *(section for section, part in data.items() if isinstance(part, dict)), *leaves]
    hint = suggest(name, known, name.rsplit(".", 1)[-1])
    return ScenarioError(f"there is no parameter or section {name!r}{hint}")


def _parameter(
    path: str, schema: JsonSchema, value: Any, given: tuple[float, float] | None, data: dict[str, Any]
) -> Parameter:
    kind = _KINDS[schema["type"]]
    low, high = given or _around(path, kind, schema, value)
    least, most = schema.get("minimum", 0 if kind == "boolean" else -math.inf), schema.get("maximum", math.inf)
    if kind != "number" and (low != int(low) or high != int(high)):
        raise ScenarioError(f"{path}: the range {low:g} to {high:g} must be of whole numbers")
    if low < least or high > (1 if kind == "boolean" else most):
        raise ScenarioError(f"{path}: the range {low:g} to {high:g} is not allowed; must be {expected([schema])}")
    convert = {"boolean": bool, "integer": int, "number": float}[kind]
    for end in (low, high):
        _check_together(path, convert(end), data)
    return Parameter(path, kind, low, high)


def _around(path: str, kind: str, schema: JsonSchema, value: Any) -> tuple[float, float]:
    """The range by this module's rule."""
    if kind == "boolean":
        return 0.0, 1.0
    if value == 0:
        allowed = expected([schema])
        raise ScenarioError(f"{path}: is 0 in the scenario; give it a range (--range {path}=low:high, {allowed})")
    half = 0.5 * abs(value)
    if kind == "integer":
        half = max(1.0, half)
        ends: tuple[float, float] = (math.ceil(value - half), math.floor(value + half))
    else:
        ends = (value - half, value + half)
    return max(schema.get("minimum", -math.inf), ends[0]), min(schema.get("maximum", math.inf), ends[1])


def _check_together(path: str, value: Value, data: dict[str, Any]) -> None:
    """Refuse a value that the rest of the scenario does not allow, as of one of several shares that must sum to 1."""
    point = Point(0, "", OWN, {path: value})
    try:
        scenario_of(point, {("", OWN): data})
    except ScenarioError as error:
        reason = str(error).removeprefix(f"{point.told()}: ")
        raise ScenarioError(f"{path}: cannot be varied alone: {reason}") from None
