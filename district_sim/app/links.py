"""A course as a link and as a file: both restore exactly the same numbers."""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from district_sim._version import __version__
from district_sim.app.course import Course, Difference, Intervention, Source, check
from district_sim.scenario.paths import show
from district_sim.scenario.texts import MOST_BYTES, ScenarioError, parse_json

MARK = "district-sim-state"
"""The first key of a state file, which distinguishes it from a scenario."""
_FORMAT = 1
_MOST_INTERVENTIONS = 200
LONGEST_LINK = 8000
"""Characters; servers and mail programs cut longer ones."""


def as_data(course: Course) -> dict[str, Any]:
    """A course as plain data, ready for JSON."""
    return {
        MARK: _FORMAT,
        "version": __version__,
        "scenario": course.source.name,
        "text": course.source.text,
        "settings": dict(course.settings),
        "seed": course.seed,
        "quarter": course.quarter,
        "interventions": [[one.quarter, dict(one.changes), one.label] for one in course.interventions],
        "contrast": _contrast(course.difference) if course.difference else None,
    }


def _contrast(difference: Difference) -> list[Any]:
    """Without a quarter where there is none, as before there were any."""
    quarter = [difference.quarter] if difference.quarter else []
    return [difference.path, difference.value, difference.label, *quarter]


def as_json(course: Course) -> str:
    """A course as a state file."""
    return json.dumps(as_data(course), indent=1, ensure_ascii=False) + "\n"


def as_query(course: Course) -> str:
    """A course as the query string of a link: the scenario, seed and quarter to read, all of it to restore."""
    packed = zlib.compress(json.dumps(as_data(course), ensure_ascii=False, separators=(",", ":")).encode(), 9)
    token = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    readable = {"scenario": course.source.name, "seed": course.seed, "quarter": course.quarter}
    return urlencode(readable | {"state": token})


def from_query(query: str) -> Course | None:
    """The course of a link's query string; None where it says nothing of one.

    `scenario=NAME`, `seed=N` and `quarter=N` are understood without a state, for links written by hand.

    Raises:
        ScenarioError: it is damaged, or says something that cannot be run.
    """
    said = {name: values[-1] for name, values in parse_qs(query.lstrip("?")).items()}
    if "state" in said:
        return from_json(_unpacked(said["state"]))
    if not said.keys() & {"scenario", "seed", "quarter"}:
        return None
    numbers = {}
    for name in ("seed", "quarter"):
        text = said.get(name, "0")
        if not text.isdecimal() or len(text) > 20 or not int(text) < 2**64:
            raise ScenarioError(f"link: {name} = {text[:40]!r}: must be a whole number between 0 and 2**64 - 1")
        numbers[name] = int(text)
    return _checked(Course(Source(said.get("scenario", "baseline")), {}, numbers["seed"], numbers["quarter"]))


def from_json(text: str) -> Course:
    """The course of a state file.

    Raises:
        ScenarioError: it is damaged, or says something that cannot be run.
    """
    data = parse_json(text, "state")
    if not isinstance(data, dict) or data.get(MARK) != _FORMAT:
        raise ScenarioError(f"state: {MARK} must be {_FORMAT}; this is not a state of this version of the page")
    try:
        return _checked(_course(data))
    except KeyError as error:
        raise ScenarioError(f"state: {show(error.args[0])} is missing: the state is damaged") from None
    except (TypeError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"state: {error}: the state is damaged") from None


def _unpacked(token: str) -> str:
    if len(token) > MOST_BYTES:
        raise ScenarioError("link: too long")
    try:
        packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        reader = zlib.decompressobj()
        text = reader.decompress(packed, 2 * MOST_BYTES)
        if reader.unconsumed_tail or not reader.eof:
            raise ScenarioError("link: damaged, cut off or too large")
        return text.decode()
    except (ValueError, zlib.error) as error:  # the first where it is not base64, or not text
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError("link: damaged or cut off; copy all of it") from None


def _course(data: Mapping[str, Any]) -> Course:
    text, difference = data["text"], data["contrast"]
    if text is not None and not isinstance(text, str):
        raise TypeError("text must be text")
    return Course(
        source=Source(_text(data["scenario"]), text),
        settings=_values(data["settings"]),
        seed=_whole(data["seed"]),
        quarter=_whole(data["quarter"]),
        interventions=tuple(map(_intervention, _list(data["interventions"]))),
        difference=_difference(difference) if difference is not None else None,
    )


def _difference(value: Any) -> Difference:
    path, other, label, *quarter = _list(value) if isinstance(value, list) and len(value) == 4 else _list(value, 3)
    if path in ("policies", "shocks") and not (isinstance(other, dict) and isinstance(other.get("name"), str)):
        raise TypeError(f"{show(other)} must be a policy instrument or a shock")
    return Difference(_text(path), other, _text(label), *map(_whole, quarter))


def _intervention(value: Any) -> Intervention:
    quarter, changes, label = _list(value, 3)
    changes = _values(changes)
    for one in _list(changes["policies"]) if "policies" in changes else ():
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise TypeError(f"{show(one)} must be a policy instrument")
    return Intervention(_whole(quarter), changes, _text(label))


def _list(value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise TypeError(f"{show(value)} must be a list" + ("" if length is None else f" of {length}"))
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise TypeError(f"{show(value)} must be a short text")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise TypeError(f"{show(value)} must be a whole number of at least 0")
    return value


def _values(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{show(value)} must be values by path")
    return value


def _checked(course: Course) -> Course:
    scenario = course.scenario()
    if course.quarter > scenario.run.quarters:
        raise ScenarioError(f"quarter = {course.quarter}: the scenario ends in quarter {scenario.run.quarters}")
    if len(course.interventions) > _MOST_INTERVENTIONS:
        raise ScenarioError(f"a run on the page has at most {_MOST_INTERVENTIONS} interventions")
    check(course)
    return course
