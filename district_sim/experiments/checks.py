"""Checks of an experiment against the schema of scenarios, before anything runs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from district_sim.experiments.design import OWN, Experiment, Interval, Range, Span, Value
from district_sim.experiments.errors import DesignError
from district_sim.scenario.calendar import WORDS, is_dated, is_time
from district_sim.scenario.extensions import MechanismError, mechanism
from district_sim.scenario.files import ScenarioError, load_scenario, never_acts
from district_sim.scenario.paths import (
    JsonSchema,
    child_schemas,
    expand,
    expected,
    known_paths,
    part_of,
    scenario_schema,
    schemas_at,
    show,
)
from district_sim.scenario.policy_files import on_calendar
from district_sim.scenario.sections import RunSection
from district_sim.scenario.suggestions import suggest

type Bases = dict[tuple[str, str], dict[str, Any]]
"""Resolved scenarios as plain data, by (scenario, name of the policies)."""


def resolved_scenarios(experiment: Experiment) -> Bases:
    """The scenarios as they will be run, before a point's settings: policies and length laid over each.

    Raises:
        DesignError: a scenario cannot be read.
    """
    bases: Bases = {}
    # to vary a parameter of a mechanism from outside is to switch it on
    overrides: dict[str, Any] = {path: {} for path in _named_mechanisms(experiment)} | experiment.set
    for number, name in enumerate(experiment.scenarios):
        try:
            scenario = load_scenario(name, overrides)
        except ScenarioError as error:
            raise DesignError(("scenarios", number), str(error)) from None
        data = scenario.model_dump(mode="json")
        if experiment.quarters is not None:
            data["run"]["quarters"] = experiment.quarters
        for mix, instruments in experiment.policies.items():
            try:
                timed = on_calendar(instruments, scenario)
            except ScenarioError as error:
                raise DesignError(("policies", mix), str(error)) from None
            laid = [instrument.model_dump(mode="json") for instrument in timed]
            bases[name, mix] = {**data, "policies": laid}
        if not experiment.policies:
            bases[name, OWN] = data
    return bases


def _named_mechanisms(experiment: Experiment) -> Iterator[str]:
    """Mechanisms from outside whose parameters are varied: paths `extensions.NAME`."""
    for path in experiment.vary:
        section, _, rest = path.partition(".")
        name = rest.partition(".")[0]
        if section == "extensions" and name:
            try:
                mechanism(name)
            except MechanismError as error:
                raise DesignError(("vary", path), str(error)) from None
            yield f"extensions.{name}"


def extensions_of(bases: Bases) -> tuple[str, ...]:
    """Names of the mechanisms from outside in any of these scenarios, sorted."""
    return tuple(sorted({name for data in bases.values() for name in data.get("extensions", ())}))


def checked_values(experiment: Experiment, bases: Bases | None = None) -> dict[str, tuple[Value, ...] | Interval]:
    """The varied paths with their values or ranges, all of them allowed by the schema in every scenario.

    Args:
        experiment: what is to be checked.
        bases: its scenarios, where they have been resolved already.

    Raises:
        DesignError: there is no such parameter, or a value is not allowed.
    """
    if bases is None:
        bases = resolved_scenarios(experiment)
    checked = {}
    for path, given in experiment.vary.items():
        for (scenario, _), data in bases.items():
            schemas = _schemas_at(path, data, scenario)
            dated = isinstance(given, tuple) and is_time(path) and any(map(is_dated, given))
            checked[path] = _dates(path, given, data) if dated else _values(path, given, schemas)
    return checked


def _dates(path: str, given: Any, data: dict[str, Any]) -> tuple[Value, ...]:
    """Times, some of which are dates, as they were written; all of them as text if one is."""
    run = RunSection.model_validate(data["run"])
    calendar = run.calendar
    for number, when in enumerate(given):
        at = ("vary", path, number)
        if calendar is None:
            raise DesignError(at, f"{show(when)}: is a date; say when the run begins (run.start: 2002)")
        try:
            quarter = calendar.quarter(when)
        except (TypeError, ValueError):
            raise DesignError(at, f"{show(when)}: must be {WORDS}") from None
        if not path.endswith(".onset") and quarter < 0:
            raise DesignError(at, f"{show(when)}: is before the run begins in {calendar.date(0)}")
        if not path.endswith(".end") and quarter >= run.quarters:
            raise DesignError(at, never_acts(quarter, run.quarters, calendar, when))
    return tuple(map(str, given)) if any(isinstance(when, str) for when in given) else given


def kind_of(path: str, bases: Bases, values: Iterable[Value] = ()) -> str:
    """The JSON Schema type of a varied parameter: integer, number, boolean or string; of dates in words, string."""
    if any(isinstance(value, str) for value in values):
        return "string"
    data = next(iter(bases.values()))
    return str(_schemas_at(path, data, "")[0]["type"])


def described(path: str, bases: Bases) -> tuple[str, str]:
    """Description and unit of a varied parameter."""
    data = next(iter(bases.values()))
    section, _, last = path.rpartition(".")
    for parent in schemas_at(data, section):
        field = parent.get("properties", {}).get(last)
        if field is not None:
            return str(field.get("description", "")), str(field.get("unit", ""))
    return "", ""


def _schemas_at(path: str, data: dict[str, Any], scenario: str) -> list[JsonSchema]:
    schemas: list[JsonSchema] = expand(scenario_schema(), data)
    node: Any = data
    for name in path.split("."):
        is_entry = isinstance(node, list) and name.isdecimal() and int(name) < len(node)
        key: str | int = int(name) if is_entry else name
        if not is_entry and not (isinstance(node, dict) and name in node):
            known = list(known_paths(scenario_schema(), data))
            hint = suggest(path, known, path.rsplit(".", 1)[-1])
            raise DesignError(("vary", path), f"{scenario} has no parameter {path!r}{hint}")
        node = part_of(node, key)
        schemas = child_schemas(schemas, key, node)
    if isinstance(node, dict | list):
        raise DesignError(("vary", path), "this is a section; name one parameter in it")
    return schemas


def _values(
    path: str, given: tuple[Value, ...] | Span | Range, schemas: Sequence[JsonSchema]
) -> tuple[Value, ...] | Interval:
    if isinstance(given, Range):
        return _interval(path, given, schemas)
    kind = schemas[0].get("type")
    values = _spread(path, given, whole=kind == "integer") if isinstance(given, Span) else given
    if kind == "integer":  # other programs write 30 as 30.0
        values = tuple(int(v) if isinstance(v, float) and v.is_integer() else v for v in values)
    for number, value in enumerate(values):
        if not any(_fits(value, schema) for schema in schemas):
            at = ("vary", path) if isinstance(given, Span) else ("vary", path, number)
            raise DesignError(at, f"{show(value)}: must be {expected(schemas)}")
    if kind == "number":
        values = tuple(float(value) for value in values)
    return values


def _spread(path: str, span: Span, *, whole: bool) -> tuple[Value, ...]:
    import numpy as np

    spaced = np.geomspace if span.log else np.linspace
    # twelve digits: 0.3 rather than 0.30000000000000004
    values: list[Value] = [float(f"{value:.12g}") for value in spaced(span.start, span.stop, span.count)]
    if whole:
        values = [round(float(value)) for value in values]
        if len(set(values)) < len(values):
            raise DesignError(("vary", path), f"has fewer than {span.count} whole numbers in this range")
    return tuple(values)


def _interval(path: str, given: Range, schemas: Sequence[JsonSchema]) -> tuple[Value, ...] | Interval:
    schema = schemas[0]
    kind = schema.get("type")
    if kind == "boolean" or "enum" in schema:
        if given.low is not None or given.high is not None:
            raise DesignError(("vary", path), f"must be {expected(schemas)}; give a list of values")
        return (False, True) if kind == "boolean" else tuple(schema["enum"])
    if kind not in ("integer", "number"):
        raise DesignError(("vary", path), f"cannot be drawn from a range: it is {expected(schemas)}")
    low: Any = given.low if given.low is not None else schema.get("minimum")
    high: Any = given.high if given.high is not None else schema.get("maximum")
    whole = kind == "integer"
    for bound in (low, high):
        value = int(bound) if whole and bound is not None and float(bound).is_integer() else bound
        if value is None or not any(_fits(value, part) for part in schemas):
            raise DesignError(("vary", path), f"{show(bound)}: must be {expected(schemas)}")
    if not low < high:
        raise DesignError(("vary", path), f"low ({low:g}) must be below high ({high:g})")
    if given.log and (low <= 0 or whole):
        raise DesignError(("vary", path), "a logarithmic range needs a real parameter and a low above 0")
    return Interval(float(low), float(high), given.log, whole)


def _fits(value: Value, schema: JsonSchema) -> bool:
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kind = schema.get("type")
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "string" or isinstance(value, str):
        return kind == "string" and isinstance(value, str)
    if kind == "integer" and not isinstance(value, int):
        return False
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
