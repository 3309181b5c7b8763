"""What makes a run on the page what it is: scenario, settings, seed, and what was done in which quarter.

A course can be played again to the same bits, sent as a link, and laid over by the one thing in which a second district
differs.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim.scenario.files import ScenarioError, load_scenario, scenario_names, scenario_of_text
from district_sim.scenario.paths import show
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    from district_sim.mesa_model.district import District

MOST_FIRMS, MOST_QUARTERS = 5000, 1000
"""What the page runs; larger districts belong on the command line."""
_LISTS = ("policies", "shocks")
opened: dict[str, Path] = {}
"""Files with which the page was started, by the name that links use; such a file may name tables beside it."""


@dataclass(frozen=True)
class Source:
    """Where a scenario comes from: bundled, `opened`, or a file that somebody gave."""

    name: str
    text: str | None = None
    """The file's text; None for a scenario that is bundled or opened."""


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
    """Empty for none yet."""
    value: Any
    """For `policies`, an instrument that it has in addition; for `shocks`, a shock."""
    label: str
    quarter: int = 0
    """Quarters completed when the two part; 0 for two that differ from the start."""

    def over(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What becomes of changes in the second district."""
        out = dict(changes)
        if self.path in _LISTS:
            if self.path in out:
                out[self.path] = self._added(out[self.path])
        else:
            out.pop(self.path, None)
        return out

    @property
    def lists(self) -> bool:
        """Whether it is one more policy or shock."""
        return self.path in _LISTS

    def _added(self, items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        kept = [one for one in items if self.path != "policies" or one["name"] != self.value["name"]]
        return [*kept, self.value]

    def changes(self, here: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """What makes the difference where it begins.

        Args:
            here: the policies or shocks in force then, if it is one more of these.
        """
        if not self.path:
            return {}
        return {self.path: self._added(here) if self.path in _LISTS else self.value}


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
        first, difference, quarter = self.scenario(), self.difference, self.difference.quarter
        here = [one.model_dump(mode="json") for one in getattr(first, difference.path)] if difference.lists else []
        past = [one for one in self.interventions if one.quarter < quarter]
        later = [replace(one, changes=difference.over(one.changes)) for one in self.interventions[len(past) :]]
        if not quarter:
            settings = {**self.settings, **difference.changes(here)}
            return replace(self, settings=settings, interventions=tuple(later), difference=None)
        at = [one for one in later if one.quarter == quarter]
        for one in self.interventions:
            here = one.changes.get(difference.path, here) if one.quarter <= quarter else here
        parting = Intervention(quarter, difference.changes(here), difference.label)
        interventions = (*past, *at, parting, *later[len(at) :])
        return replace(self, interventions=interventions, difference=None)


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
    from district_sim.mesa_model.district import check_change

    for one in (course, course.with_difference()):
        laid = dict(one.settings)
        begun = scenario_of(one.source, laid)
        for intervention in one.interventions:
            laid |= intervention.changes
            try:
                check_change(begun, scenario_of(one.source, laid))
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
    if source.text is None and source.name in opened:
        path = opened[source.name]
        try:
            return load_scenario(path, settings)
        except ScenarioError as error:  # visitors need not know where it is
            raise ScenarioError(str(error).replace(f"{path.parent}{os.sep}", "")) from None
    if source.text is None:
        if source.name not in scenario_names():
            raise ScenarioError(f"there is no bundled scenario {show(source.name)}")
        if any(path.startswith("data.") for path in settings):
            raise ScenarioError("data: a link cannot name tables")
        return load_scenario(source.name, settings)
    return scenario_of_text(source.text, Path(source.name).name or "scenario.yaml", settings)
