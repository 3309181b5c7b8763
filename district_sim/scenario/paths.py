"""What a scenario may contain, read from its JSON Schema: for overrides and error messages.

Every function takes schemas as a list, because a place may allow several kinds of value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

type JsonSchema = dict[str, Any]


@cache
def scenario_schema() -> JsonSchema:
    from district_sim.scenario.sections import Scenario

    return Scenario.model_json_schema()


def expand(schema: JsonSchema, value: Any) -> list[JsonSchema]:
    """The plain schemas that one schema stands for; `value` chooses among tagged ones."""
    if "$ref" in schema:
        target: JsonSchema = scenario_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        return expand(target, value)
    tag = schema.get("discriminator")
    if tag and isinstance(value, dict) and value.get(tag["propertyName"]) in tag["mapping"]:
        return expand({"$ref": tag["mapping"][value[tag["propertyName"]]]}, value)
    parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    return [found for part in parts for found in expand(part, value)] if parts else [schema]


def child_schemas(schemas: Iterable[JsonSchema], key: str | int, value: Any) -> list[JsonSchema]:
    """Schemas of one part of a section or list; empty where there can be no such part."""
    found: list[JsonSchema] = []
    for schema in schemas:
        part: Any
        if isinstance(key, int):
            first = schema.get("prefixItems", [])
            part = first[key] if key < len(first) else schema.get("items")
        else:
            part = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
        if isinstance(part, dict):
            found += expand(part, value)
    return found


def default_part(schemas: Iterable[JsonSchema], key: str | int) -> Any:
    """What stands in a scenario where a file says nothing: the list, or a section to fill."""
    for schema in schemas:
        default = schema.get("properties", {}).get(key, {}).get("default")
        if isinstance(default, list):
            return list(default)
    is_list = any(part.get("type") == "array" for part in child_schemas(schemas, key, None))
    return [] if is_list else {}


def known_paths(schema: JsonSchema, value: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted path that can be set."""
    for part in expand(schema, value):
        names: Iterable[str | int] = part.get("properties", {})
        if part.get("type") == "array" and isinstance(value, list):
            names = range(len(value))
        for name in names:
            path = f"{prefix}{name}"
            yield path
            below = part_of(value, name)
            for child in child_schemas([part], name, below):
                yield from known_paths(child, below, f"{path}.")


def options(schemas: Iterable[JsonSchema]) -> list[str]:
    """The words that may stand at a place where only certain words may."""
    return [option for schema in schemas for option in schema.get("enum", []) if isinstance(option, str)]


def expected(schemas: Iterable[JsonSchema]) -> str:
    """What may stand at a place, in words: `a number between 0 and 1`."""
    return " or ".join(dict.fromkeys(filter(None, map(_kind, schemas))))


def _kind(schema: JsonSchema) -> str:
    if "enum" in schema or "const" in schema:
        options = [show(option) for option in schema.get("enum", [schema.get("const")])]
        return f"one of {', '.join(options)}" if len(options) > 1 else options[0]
    names = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "string": "text",
        "array": "a list",
        "object": "a section of 'key: value' lines",
        "null": "empty",
    }
    return names.get(schema.get("type", ""), "") + _range(schema)


def _range(schema: JsonSchema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" between {_number(low)} and {_number(high)}"
    bounds = {
        "of at least": low,
        "above": schema.get("exclusiveMinimum"),
        "of at most": high,
        "below": schema.get("exclusiveMaximum"),
    }
    said = [f"{word} {_number(bound)}" for word, bound in bounds.items() if bound is not None]
    return f" {' and '.join(said)}" if said else ""


def part_of(node: Any, key: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(key)
    inside = isinstance(node, list) and isinstance(key, int) and key < len(node)
    return node[key] if inside else None


def schemas_at(data: Any, path: str) -> list[JsonSchema]:
    """Schemas of the place at a dotted path of a scenario's data; of all of it for an empty path."""
    schemas = expand(scenario_schema(), data)
    for name in path.split(".") if path else ():
        key: str | int = int(name) if isinstance(data, list) and name.isdecimal() else name
        data = part_of(data, key)
        schemas = child_schemas(schemas, key, data)
    return schemas


def value_at(data: Any, path: str) -> Any:
    """What stands at a dotted path; None where there is no such place."""
    for name in path.split("."):
        data = part_of(data, int(name) if isinstance(data, list) and name.isdecimal() else name)
    return data


def set_at(data: Any, path: str, value: Any) -> None:
    """Put a value in place of what stands at a dotted path, in place.

    Raises:
        KeyError: there is no such place.
    """
    section, _, last = path.rpartition(".")
    node = value_at(data, section) if section else data
    if isinstance(node, dict) and last in node:
        node[last] = value
    elif isinstance(node, list) and last.isdecimal() and int(last) < len(node):
        node[int(last)] = value
    else:
        raise KeyError(path)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.12g}"


def show(value: Any) -> str:
    """A value as it would stand in the file, cut short."""
    if value is None or isinstance(value, bool):
        return {None: "empty", True: "true", False: "false"}[value]
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
