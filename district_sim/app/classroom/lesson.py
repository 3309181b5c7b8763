"""Lesson files: the steps of a lesson, what students see and may touch, what is hidden until the teacher reveals it.

title: The four futures
minutes: 45
luck: 7
steps:
  - {kind: read, title: Look, minutes: 5, text: "Markdown, for everybody", notes: "Markdown, for the teacher"}
  - {kind: vote, title: Who wins?, minutes: 5, text: ..., choices: [firms, workers], answer: 2, reveal: "Markdown"}
  - {kind: predict, title: District A, minutes: 8, text: ..., district: {scenario: fragmentation}, ask: future}
  - kind: run
    title: Your own district
    minutes: 15
    text: ...
    district: {scenario: classroom}
    levers: [{path: strategy.collective_action, low: 0.2, high: 0.8, price: 4}]
    policies: [{kind: ppp_match, most: 60}]
    purse: 8
  - kind: game
    title: Would you join?
    minutes: 10
    text: ...
    district: {scenario: classroom, values: {strategy.collective_action: 0.5}}
    rounds: {begin: 20, count: 6, quarters: 8}
    levers: [{path: agency.contribution, name: Fee, low: 0.005, high: 0.03}]
    efforts: [{name: Sell together, projects: {brand: 0.6, pipelines: 0.4}}]
claims:
  - {says: Owners sell, district: {scenario: fragmentation}, future: fragmentation, in_ten: 8}

The notes of a lesson stand beside it, in a Markdown file of its name.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from markdown_it import MarkdownIt
from pydantic import Field, ValidationError, model_validator

from district_sim.app.classroom.steps import (
    DEFAULT_SHOWS,
    KINDS,
    MOST_FIRMS,
    MOST_FIRMS_IN_GAME,
    MOST_QUARTERS,
    MOST_STEPS,
    MOST_TEAMS,
    Claim,
    District,
    Effort,
    Game,
    Lever,
    Measure,
    Play,
    Predict,
    Read,
    Rounds,
    Step,
    Vote,
)
from district_sim.evidence.cases.files import message, place_of
from district_sim.mesa_model.district import check_change
from district_sim.scenario.fields import Section
from district_sim.scenario.files import (
    LESSONS,
    Key,
    ScenarioError,
    bundled_files,
    file_text,
    find_file,
    load_scenario,
    read_yaml,
)
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.paths import value_at
from district_sim.scenario.sections import Scenario
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import MOST_PROBLEMS, is_file


class Lesson(Section):
    """A lesson file."""

    title: str = Field(min_length=1, max_length=100, description="Its name")
    minutes: float = Field(gt=0.0, le=600.0, description="Time for all steps")
    about: str = Field("", description="Markdown: what it is for")
    luck: int = Field(0, ge=0, lt=2**64, description="The class's seed: all districts meet the same luck")
    teams: int = Field(0, ge=0, le=MOST_TEAMS, description="How many teams there are; 0 for none")
    shows: list[str] = Field(
        list(DEFAULT_SHOWS), min_length=1, max_length=6, description="Indicators that are drawn on phones"
    )
    steps: list[Step] = Field(min_length=1, max_length=MOST_STEPS, description="One after the other")
    claims: list[Claim] = Field([], description="What the lesson says of the model; tests hold it against 40 runs")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in self.shows:
            if name not in NAMES:
                raise ValueError(f"shows: there is no indicator {name!r}{suggest(name, NAMES)}")
        for number, step in enumerate(self.steps):
            if isinstance(step, Play) and step.teams and not self.teams:
                raise ValueError(f"steps.{number}: teams play, but the lesson has no teams (teams: 6)")
        return self

    def districts(self) -> list[tuple[Key, District]]:
        """Every district in it, with its place in the file."""
        found: list[tuple[Key, District]] = []
        for number, step in enumerate(self.steps):
            district = district_of(step)
            found += [(("steps", number, "district"), district)] if district else []
        for number, claim in enumerate(self.claims):
            found.append((("claims", number, "district"), claim.district))
            found += [(("claims", number, "than"), claim.than)] if claim.than else []
        return found


def district_of(step: Step) -> District | None:
    """The district of a step, if it has one."""
    return None if isinstance(step, Vote) else step.district


def lesson_names() -> list[str]:
    """Names of the bundled lessons, sorted."""
    return bundled_files(LESSONS)


def load_lesson(name_or_path: str | Path) -> Lesson:
    """Read and check a lesson file: every district in it can be run, every lever is there.

    Args:
        name_or_path: name of a bundled lesson (`"four_futures"`) or path of a YAML file.

    Raises:
        ScenarioError: it cannot be used; each line names file, line, field and what is allowed.
    """
    path = find_file(name_or_path, LESSONS, "lesson")
    raw, places = read_yaml(path)
    try:
        lesson = Lesson.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MOST_PROBLEMS]
        lines = [_message(detail, raw, places, path) for detail in details]
        raise ScenarioError("\n".join(dict.fromkeys(lines))) from None
    lesson = _beside(lesson, path.parent)
    _check(lesson, places)
    return lesson


def lesson_notes(name_or_path: str | Path) -> str:
    """The Markdown file beside a lesson, empty if there is none. Raises ScenarioError."""
    notes = find_file(name_or_path, LESSONS, "lesson").with_suffix(".md")
    return file_text(notes) if is_file(notes) else ""


def scenario_of(district: District, changes: Mapping[str, Any] | None = None) -> Scenario:
    """The scenario of a district, with what a player changed. Raises ScenarioError."""
    return load_scenario(_as_given(district.scenario), {**district.values, **(changes or {})})


@lru_cache(maxsize=256)
def _data_of(scenario: str, values: str) -> dict[str, Any]:
    data: dict[str, Any] = scenario_of(District(scenario=scenario, values=json.loads(values))).model_dump(mode="json")
    return data


def data_of(district: District) -> dict[str, Any]:
    """The scenario of a district as plain data, before anybody changed anything; not to be changed."""
    return _data_of(district.scenario, json.dumps(district.values, sort_keys=True))


def value_of(district: District, path: str) -> float:
    """The value at a path of a district before anybody moved it."""
    return float(value_at(data_of(district), path))


@lru_cache(maxsize=256)
def html_of(markdown: str) -> str:
    """Markdown as HTML; HTML in it is shown as it was written, links and pictures are left as text."""
    return str(_MARKDOWN.render(markdown)) if markdown else ""


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])


def _as_given(scenario: str) -> str | Path:
    return Path(scenario) if Path(scenario).is_absolute() else scenario


def _beside(lesson: Lesson, folder: Path) -> Lesson:
    """The lesson with files that stand beside it named in full: a room goes on from any folder."""

    def found(district: District) -> District:
        path = folder / district.scenario
        return district.model_copy(update={"scenario": str(path.absolute())}) if path.is_file() else district

    def placed[Part: Section](part: Part, *keys: str) -> Part:
        districts = {key: getattr(part, key, None) for key in keys}
        return part.model_copy(update={key: found(one) for key, one in districts.items() if one is not None})

    steps = [placed(step, "district") for step in lesson.steps]
    return lesson.model_copy(
        update={"steps": steps, "claims": [placed(claim, "district", "than") for claim in lesson.claims]}
    )


_PARTS: dict[str, type[Section]] = {
    "levers": Lever,
    "policies": Measure,
    "district": District,
    "efforts": Effort,
    "rounds": Rounds,
}
"""What stands within a step."""


def _message(detail: Any, raw: Any, places: Mapping[Key, str], path: Path) -> str:
    """One error of pydantic; of a step its kind, which pydantic puts into the place, is left out."""
    at = tuple(detail["loc"])
    parts: dict[str, type[Section]] = {"steps": Read, "claims": Claim}
    if at[:1] == ("steps",) and len(at) > 2 and at[2] in KINDS:
        parts["steps"] = KINDS[at[2]]
        at = at[:2] + at[3:]
    if at[:1] == ("steps",) and len(at) > 3 and at[2] in _PARTS:
        parts["steps"] = _PARTS[str(at[2])]
    if detail["type"].startswith("union_tag"):
        known = ", ".join(KINDS)
        return f"{place_of(places, at, str(path))}: {'.'.join(map(str, at))}: kind must be one of {known}"
    return message({**detail, "loc": at}, raw, places, path, Lesson, parts)  # type: ignore[typeddict-item]


def _check(lesson: Lesson, places: Mapping[Key, str]) -> None:
    """Refuse what no model of one part can see: districts that cannot be run, levers that are not there."""
    for at, district in lesson.districts():
        try:
            scenario = scenario_of(district)
        except ScenarioError as error:
            raise _refused(places, at, str(error)) from None
        for name, value, most in (
            ("firms.count", scenario.firms.count, MOST_FIRMS),
            ("run.quarters", scenario.run.quarters, MOST_QUARTERS),
        ):
            if value > most:
                raise _refused(places, at, f"{name} = {value}: a class waits for at most {most:,}")
        if scenario.run.quarters < 8:
            raise _refused(places, at, f"run.quarters = {scenario.run.quarters}: must be at least 8")
    for number, step in enumerate(lesson.steps):
        if isinstance(step, Play):
            _check_levers(step, ("steps", number), places)
            _check_policies(step, ("steps", number), places)
        elif isinstance(step, Game):
            _check_levers(step, ("steps", number), places)
            _check_game(step, ("steps", number), places)
        elif isinstance(step, Predict):
            quarters = scenario_of(step.district).run.quarters
            if step.seen >= quarters:
                raise _refused(
                    places, ("steps", number, "seen"), f"seen = {step.seen}: the run has {quarters} quarters"
                )


def _check_levers(step: Play | Game, at: Key, places: Mapping[Key, str]) -> None:
    data = data_of(step.district)
    for number, lever in enumerate(step.levers):
        here = (*at, "levers", number)
        own = value_at(data, lever.path)
        if not isinstance(own, float):
            raise _refused(places, here, f"path = {lever.path!r}: there is no real number of this name in the scenario")
        if not lever.low <= own <= lever.high:
            raise _refused(
                places,
                here,
                f"{lever.path}: it is {own:g} here, outside of low and high ({lever.low:g} to {lever.high:g})",
            )
        for end in (lever.low, lever.high):
            try:
                scenario_of(step.district, {lever.path: end})
            except ScenarioError as error:
                raise _refused(places, here, str(error)) from None


def _check_policies(step: Play, at: Key, places: Mapping[Key, str]) -> None:
    quarters = data_of(step.district)["run"]["quarters"]
    for number, measure in enumerate(step.policies):
        if not measure.quarters(quarters):
            raise _refused(places, (*at, "policies", number), f"{measure.kind}: acts in no quarter of {quarters}")


def _check_game(step: Game, at: Key, places: Mapping[Key, str]) -> None:
    """What a game needs: firms that decide, an agency that acts, levers that can move while the run goes on."""
    scenario, rounds = scenario_of(step.district), step.rounds
    if scenario.firms.count > MOST_FIRMS_IN_GAME:
        reason = f"firms.count = {scenario.firms.count}: a game has at most {MOST_FIRMS_IN_GAME}"
        raise _refused(places, (*at, "district"), reason)
    if rounds.begin < scenario.strategy_start:
        reason = f"begin = {rounds.begin}: the strategy, and with it the agency's, begins in quarter "
        reason += str(scenario.strategy_start)
        raise _refused(places, (*at, "rounds"), reason)
    if (last := rounds.begin + rounds.count * rounds.quarters) > MOST_QUARTERS:
        raise _refused(places, (*at, "rounds"), f"ends in quarter {last}: a class waits for at most {MOST_QUARTERS}")
    if not scenario.mechanisms.collective_agency:
        raise _refused(places, (*at, "district"), "mechanisms.collective_agency is off: there is no agency to join")
    for number, lever in enumerate(step.levers):
        try:
            check_change(scenario, scenario_of(step.district, {lever.path: lever.high}))
        except ScenarioError as error:
            raise _refused(places, (*at, "levers", number), str(error)) from None


def _refused(places: Mapping[Key, str], at: Key, reason: str) -> ScenarioError:
    return ScenarioError(f"{place_of(places, at)}: {reason}")
