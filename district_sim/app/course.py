"""What makes a run on the page what it is: scenario, settings, seed, and what was done in which quarter.

A course can be played again to the same bits, sent as a link, and laid over by the one thing in which a second district
differs.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim.scenario.files import ScenarioError, bundled_folder, load_scenario, read_yaml, scenario_names
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    from district_sim.mesa_model.district import District

MOST_BYTES = 256 * 1024
"""Size of a scenario or state file that the page takes."""
MOST_FIRMS, MOST_QUARTERS = 5000, 1000
"""What the page runs; larger districts belong on the command line."""


@dataclass(frozen=True)
class Source:
    """Where a scenario comes from: bundled, or a file that somebody gave."""

    name: str
    text: str | None = None
    """The file's text; None for a bundled scenario."""


@dataclass(frozen=True)
class Intervention:
    """Values changed while the run goes on."""

    quarter: int
    """Quarters completed then; it acts from the next one."""
    changes: Mapping[str, Any]
    """Values by path; `policies` is the whole list."""
    label: str
    """What was done, in words."""


@dataclass(frozen=True)
class Difference:
    """The one thing in which the second district differs."""

    path: str
    value: Any
    """For `policies`, an instrument that it has in addition."""
    label: str

    def over(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What becomes of changes in the second district."""
        out = dict(changes)
        if self.path == "policies":
            if "policies" in out:
                out["policies"] = [one for one in out["policies"] if one["name"] != self.value["name"]] + [self.value]
        else:
            out.pop(self.path, None)
        return out


@dataclass(frozen=True)
class Course:
    """A run up to some quarter; nothing else is needed to have it again."""

    source: Source = Source("baseline")
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Values that win over the scenario's from the start, by path."""
    seed: int = 0
    quarter: int = 0
    interventions: tuple[Intervention, ...] = ()
    """In the order in which they act; some may lie ahead."""
    difference: Difference | None = None

    def scenario(self) -> Scenario:
        """The scenario with the settings. Raises `ScenarioError`."""
        return scenario_of(self.source, self.settings)

    def with_difference(self) -> "Course":
        """The course of the second district."""
        if self.difference is None:
            return self
        first, difference = self.scenario(), self.difference
        laid = {"policies": [one.model_dump(mode="json") for one in first.policies]} | dict(self.settings)
        settings = difference.over(laid)
        if difference.path != "policies":
            settings[difference.path] = difference.value
        interventions = tuple(replace(one, changes=difference.over(one.changes)) for one in self.interventions)
        return replace(self, settings=settings, interventions=interventions, difference=None)


def advance(district: "District", course: Course) -> None:
    """Run one quarter of a course, with what was done at its beginning."""
    for intervention in course.interventions:
        if intervention.quarter == district.quarter and intervention.changes:
            district.intervene(**{path.replace(".", "__"): value for path, value in intervention.changes.items()})
    district.step()


def check(course: Course) -> None:
    """Find out whether a course that came from outside can be run.

    Raises:
        ScenarioError: the scenario, a setting or an intervention is not valid.
    """
    for one in (course, course.with_difference()):
        laid = dict(one.settings)
        scenario_of(one.source, laid)
        for intervention in one.interventions:
            laid |= intervention.changes
            try:
                scenario_of(one.source, laid)
            except ScenarioError as error:
                raise ScenarioError(f"in quarter {intervention.quarter}: {error}") from None


def replay(course: Course) -> "District":
    """The district of a course in its quarter.

    Raises:
        ScenarioError: the scenario, a setting or an intervention is not valid.
    """
    from district_sim.mesa_model.district import District

    district = District(course.scenario(), seed=course.seed)
    while district.quarter < course.quarter:
        advance(district, course)
    return district


def scenario_of(source: Source, settings: Mapping[str, Any]) -> Scenario:
    """Read, lay over and validate, as the command line does; not too large for the page.

    Raises:
        ScenarioError: as `load_scenario`, with the name of the file as it was given.
    """
    scenario = _read(source, json.dumps(settings, sort_keys=True))
    for path, value, most in (
        ("firms.count", scenario.firms.count, MOST_FIRMS),
        ("run.quarters", scenario.run.quarters, MOST_QUARTERS),
    ):
        if value > most:
            raise ScenarioError(
                f"{source.name}: {path} = {value}: the page runs at most {most:,}; use `district-sim run` for more"
            )
    if scenario.run.quarters < 2:
        raise ScenarioError(f"{source.name}: run.quarters = {scenario.run.quarters}: the page needs at least 2")
    return scenario


@lru_cache(maxsize=256)
def _read(source: Source, settings_as_json: str) -> Scenario:
    settings = json.loads(settings_as_json)
    if source.text is None:
        if source.name not in scenario_names():
            raise ScenarioError(f"there is no bundled scenario {source.name!r}")
        return load_scenario(source.name, settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(source.name).name or "scenario.yaml")
        try:
            path.write_text(source.text, encoding="utf-8")
            _check_given(path, source.text)
            return load_scenario(path, settings)
        except ScenarioError as error:
            raise ScenarioError(str(error).replace(f"{folder}{os.sep}", "")) from None


def _check_given(path: Path, text: str) -> None:
    """A file that came through the browser may not reach for others, nor unfold into something huge."""
    if len(text.encode()) > MOST_BYTES:
        raise ScenarioError(f"{path.name}: larger than {MOST_BYTES // 1024} KiB")
    if _has_alias(text):  # a few hundred bytes of nested ones can stand for gigabytes
        raise ScenarioError(f"{path.name}: YAML aliases (*name) are not read from files given to the page")
    data, places = read_yaml(path)
    named = data.get("extends", [])
    for name in named if isinstance(named, list) else [named]:
        inside = isinstance(name, str) and ".." not in Path(name).parts and not Path(name).is_absolute()
        if not inside or not any((bundled_folder() / f"{name}{end}").is_file() for end in ("", ".yaml", ".yml")):
            place = places.get(("extends",), path.name)
            raise ScenarioError(
                f"{place}: extends = {name!r}: a file given to the page can extend bundled scenarios only"
            )


def _has_alias(text: str) -> bool:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent

    try:
        return "*" in text and any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(text))
    except YAMLError:
        return False  # refused with a better message when it is read
