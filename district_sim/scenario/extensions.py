"""Mechanisms from outside: what an installed package offers by the entry point group `district_sim.mechanisms`.

A scenario switches one on by its name and sets its parameters by path:

    extensions:
      guarantee_fund: {fee: 0.002}

Only what is installed is looked up, by name. A scenario file can import nothing.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from pydantic import Field, create_model

from district_sim.scenario.fields import Section
from district_sim.scenario.suggestions import suggest

GROUP = "district_sim.mechanisms"
PLACES = ("world", "policy", "knowledge", "innovation", "market", "ties", "ownership", "demography")
"""The steps of a quarter: a mechanism acts at the end of one. After the last the quarter is observed."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class MechanismSection(Section):
    """The parameters of a mechanism from outside: numbers made by `fields.number`, `whole` or `share`."""

    on: bool = Field(True, description="Whether the mechanism acts")


class MechanismIndicator(NamedTuple):
    """What is observed of a mechanism each quarter: as `model.indicators.Indicator`, with what computes it.

    Its column is called MECHANISM_NAME.
    """

    name: str
    label: str
    unit: str
    decimals: int
    description: str
    function: Callable[[Any, Any, Any], float]
    """Called as function(state, p, own) when the quarter is over."""


class Mechanism(NamedTuple):
    """A mechanism from outside; the entry point of the same name leads to it."""

    name: str
    version: str
    """Enters the identity of results: change it whenever results change."""
    section: type[MechanismSection]
    place: str
    """The step of the quarter (`PLACES`) at whose end it acts."""
    act: Callable[[Any, Any, Any, Any, Any], Any]
    """Called as act(state, living, p, s, own), as processes are; Python or `numba.njit`. `own` is a record with the
    section's numbers, and after them what the mechanism remembers; it is written to in place."""
    memory: tuple[str, ...] = ()
    """Numbers that it remembers from quarter to quarter, 0 at the start."""
    indicators: tuple[MechanismIndicator, ...] = ()

    def __reduce__(self) -> Any:
        """Pickled by name: its functions may be lambdas, and where it is read the package must be installed."""
        return mechanism, (self.name,)

    @property
    def stream(self) -> int:
        """A stream of random draws of its own, for `kernels.draws`."""
        return 2**20 + zlib.crc32(self.name.encode())

    @property
    def columns(self) -> dict[str, MechanismIndicator]:
        """Its indicators by the names of their columns."""
        return {f"{self.name}_{indicator.name}": indicator for indicator in self.indicators}


class MechanismError(ValueError):
    """A mechanism that is not installed or cannot be used."""


@cache
def _installed() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        places = found.setdefault(entry.name, [])
        if all(entry.value != other.value for other in places):
            places.append(entry)
    return found


def installed() -> list[str]:
    """Names of the mechanisms that installed packages offer, sorted; nothing is imported."""
    return list(_installed())


@cache
def mechanism(name: str) -> Mechanism:
    """An installed mechanism.

    Raises:
        MechanismError: there is none of this name, there are two, or it cannot be used.
    """
    offered = _installed().get(name, [])
    if not offered:
        hint = suggest(name, installed())
        raise MechanismError(
            f"there is no installed mechanism {name!r}{hint} (installed: {', '.join(installed()) or 'none'})"
        )
    if len(offered) > 1:
        homes = " and ".join(entry.value for entry in offered)
        raise MechanismError(f"two installed packages offer a mechanism {name!r}: {homes}")
    try:
        found = offered[0].load()
    except Exception as error:
        raise MechanismError(
            f"the mechanism {name!r} cannot be loaded from {offered[0].value}: {type(error).__name__}: {error}"
        ) from error
    if reason := _unfit(found, name):
        raise MechanismError(f"the mechanism {name!r} from {offered[0].value} cannot be used: {reason}")
    checked: Mechanism = found
    return checked


def _unfit(found: Any, name: str) -> str:
    """Why an object is no mechanism of this name, empty if it is one."""
    if not isinstance(found, Mechanism):
        return "it is no district_sim.scenario.extensions.Mechanism"
    if found.name != name or not _NAME.fullmatch(name):
        return f"it is called {found.name!r}; names are of small letters, digits and underscores"
    if not found.version:
        return "it has no version"
    if found.place not in PLACES:
        return f"place is {found.place!r}, not one of {', '.join(PLACES)}"
    fields = found.section.model_fields
    odd = [key for key, field in fields.items() if key != "on" and field.annotation not in (int, float)]
    if odd:
        return f"{odd[0]}: parameters are whole or real numbers"
    own = [*numbers(found.section), *found.memory]
    if len(set(own)) < len(own) or not all(map(_NAME.fullmatch, [*own, *(one.name for one in found.indicators)])):
        return "names of parameters, memory and indicators must differ, and be of small letters, digits and underscores"
    return ""


def numbers(section: type[MechanismSection]) -> list[str]:
    """Names of a section's parameters, without the switch."""
    return [name for name in section.model_fields if name != "on"]


def indicators_of(names: Iterable[str]) -> dict[str, MechanismIndicator]:
    """Indicators of some mechanisms by the names of their columns, in alphabetical order of the mechanisms."""
    return {column: one for name in sorted(names) for column, one in mechanism(name).columns.items()}


@cache
def all_indicators() -> dict[str, MechanismIndicator]:
    """Indicators of everything that is installed and can be used."""
    return indicators_of(_usable())


def versions_of(names: Iterable[str]) -> dict[str, str]:
    """Versions of some mechanisms: `extensions.NAME` to version."""
    return {f"extensions.{name}": mechanism(name).version for name in sorted(names)}


def package_of(name: str) -> str:
    """The installed package that offers a mechanism; empty where none says it does."""
    package = next((entry.dist for entry in _installed().get(name, [])), None)
    return package.name if package is not None else ""


def _usable() -> list[str]:
    """Installed mechanisms without those that cannot be used: who names one of them is told why."""
    usable = []
    for name in installed():
        try:
            mechanism(name)
        except MechanismError:
            continue
        usable.append(name)
    return usable


def sections_of(given: Any) -> Any:
    """The `extensions` of a scenario with each part read by the section of its mechanism.

    Raises:
        MechanismError: a mechanism is not installed or cannot be used.
        ValidationError: a value is not allowed.
    """
    if not isinstance(given, Mapping) or not given:
        return given
    fields: dict[str, Any] = {str(name): (mechanism(str(name)).section, ...) for name in given}
    read = create_model("Extensions", __base__=Section, **fields).model_validate(dict(given))
    return {name: getattr(read, name) for name in fields}


class ExtensionsSchema:
    """The JSON Schema of `extensions`: what is installed now."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        properties = {name: mechanism(name).section.model_json_schema() for name in _usable()}
        return {"type": "object", "additionalProperties": False, "properties": properties}
