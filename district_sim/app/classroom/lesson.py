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
claims:
  - {says: Owners sell, district: {scenario: fragmentation}, future: fragmentation, in_ten: 8}

The notes of a lesson stand beside it, in a Markdown file of its name.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from markdown_it import MarkdownIt
from pydantic import Field, ValidationError, model_validator

from district_sim.app.levers import levers as levers_of_the_page
from district_sim.evidence.cases.files import message, place_of
from district_sim.run.trajectories import FUTURES, Trajectory
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
from district_sim.scenario.instruments import FOREVER, InstrumentKind
from district_sim.scenario.interventions import MOST_INSTRUMENTS
from district_sim.scenario.paths import value_at
from district_sim.scenario.sections import Scenario
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import MOST_PROBLEMS, is_file

MOST_STEPS, MOST_TEAMS, MOST_TRIES = 40, 30, 20
MOST_FIRMS, MOST_QUARTERS = 1000, 400
"""Of a district that a whole class waits for."""
DEFAULT_SHOWS = ("employment", "value_added_local", "local_purchases", "trust")
FUTURE, CHANCE = "future", "chance"
"""What `ask` of a prediction may be beside the name of an indicator."""

type Values = dict[str, float | int | str | bool | list[Any]]


class District(Section):
    """A district that the class looks at."""

    scenario: str = Field("classroom", min_length=1, description="Bundled scenario, or a file beside the lesson")
    values: Values = Field({}, description="Values that win over the scenario's, by dotted path")
    seed: int | None = Field(None, ge=0, lt=2**64, description="Its luck, if not the lesson's")


class Lever(Section):
    """A value that students may move before a run."""

    path: str = Field(min_length=1, description="Dotted path of a number of the scenario")
    name: str = Field("", max_length=60, description="As students read it; the page's name of the lever if left out")
    low: float = Field(allow_inf_nan=False, description="Left end")
    high: float = Field(allow_inf_nan=False, description="Right end")
    price: float = Field(0.0, ge=0.0, le=1e6, description="M€ to move it from one end to the other")
    text: str = Field("", max_length=400, description="What it means")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, not {self.low:g} and {self.high:g}")
        return self

    @property
    def id(self) -> str:
        """Its name in messages."""
        return self.path

    @property
    def label(self) -> str:
        """Its name for students."""
        names = {one.path: one.name for one in levers_of_the_page()}
        return self.name or names.get(self.path) or self.path.rpartition(".")[2].replace("_", " ").capitalize()


class Measure(Section):
    """A policy that students may pay for."""

    kind: Annotated[InstrumentKind, Field(strict=False, description="Which instrument")]
    name: str = Field("", max_length=60, description="As students read it; the instrument's name if left out")
    most: float = Field(gt=0.0, le=1e6, description="Largest budget, k€ a quarter")
    start: int = Field(0, ge=0, lt=MOST_QUARTERS, description="First quarter")
    end: int | None = Field(None, gt=0, le=MOST_QUARTERS, description="First quarter without it; never if left out")
    text: str = Field("", max_length=400, description="What it does; the instrument's own words if left out")

    @property
    def id(self) -> str:
        """Its name in messages."""
        return self.kind.value

    @property
    def label(self) -> str:
        """Its name for students."""
        return self.name or self.kind.record.label

    def quarters(self, run: int) -> int:
        """For how many quarters of a run it pays."""
        return max(0, min(run, FOREVER if self.end is None else self.end) - self.start)


class _Step(Section):
    title: str = Field(min_length=1, max_length=100, description="Heading that everybody sees; it gives nothing away")
    minutes: float = Field(gt=0.0, le=600.0, description="Time that it takes")
    text: str = Field(min_length=1, description="Markdown, for everybody")
    notes: str = Field("", description="Markdown, for the teacher alone")
    reveal: str = Field("", description="Markdown, for everybody once the teacher reveals it")


class Read(_Step):
    """Something to read, with a district to watch if there is one."""

    kind: Literal["read"]
    district: District | None = Field(None, description="Everybody watches it; its title is shown")


class Vote(_Step):
    """A question with choices."""

    kind: Literal["vote"]
    choices: list[Annotated[str, Field(min_length=1, max_length=120)]] = Field(
        min_length=2, max_length=8, description="What can be chosen"
    )
    answer: int | None = Field(None, ge=1, description="Number of the right choice, hidden until the reveal")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.answer is not None and self.answer > len(self.choices):
            raise ValueError(f"answer = {self.answer}: there are {len(self.choices)} choices")
        return self


class Predict(_Step):
    """A guess before a run; the run, its district's title and its notes are hidden until the reveal."""

    kind: Literal["predict"]
    district: District = Field(description="The mystery")
    ask: str = Field(
        FUTURE,
        description="future; chance: how many of so many runs end as `of`; or an indicator at the end: shares in per "
        "cent, the rest in per cent of the first year",
    )
    of: Annotated[Trajectory, Field(strict=False)] | None = Field(None, description="With chance: which future")
    runs: int = Field(20, ge=2, le=50, description="With chance: how many districts, each with luck of its own")
    seen: int = Field(0, ge=0, lt=MOST_QUARTERS, description="Quarters that are shown before the guess")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.ask not in (FUTURE, CHANCE, *NAMES):
            raise ValueError(f"ask must be {FUTURE}, {CHANCE} or an indicator{suggest(self.ask, NAMES)}")
        if (self.of is None) != (self.ask != CHANCE):
            raise ValueError("of goes with ask: chance, and chance needs it")
        return self

    @property
    def most(self) -> float:
        """The largest guess that is a number."""
        return float(self.runs) if self.ask == CHANCE else 300.0


class Play(_Step):
    """Each player, or each team, runs a district under the class's luck."""

    kind: Literal["run"]
    district: District = Field(District(), description="Where they start")
    levers: list[Lever] = Field([], max_length=8, description="What they may move")
    policies: list[Measure] = Field([], max_length=MOST_INSTRUMENTS, description="What they may pay for")
    purse: float = Field(0.0, ge=0.0, le=1e6, description="M€ that all of it may cost; 0 for no limit")
    teams: bool = Field(False, description="Whether teams play, each with one purse")
    tries: int = Field(5, ge=1, le=MOST_TRIES, description="Runs that each may make; the last one counts")

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        ids = [*(one.id for one in self.levers), *(one.id for one in self.policies)]
        if not ids:
            raise ValueError("needs levers or policies: something to decide")
        if twice := next((one for one in ids if ids.count(one) > 1), None):
            raise ValueError(f"{twice} is there twice")
        return self


type Step = Read | Vote | Predict | Play
KINDS: dict[str, type[_Step]] = {"read": Read, "vote": Vote, "predict": Predict, "run": Play}


class Claim(Section):
    """Something that the lesson says, and that must be true in so many of ten runs."""

    says: str = Field(min_length=2, description="The claim in words")
    district: District = Field(description="Of which it is said")
    future: Annotated[Trajectory, Field(strict=False)] | None = Field(None, description="It ends as this")
    indicator: str = Field("", description="Or this indicator, at the end, as in `ask`, ...")
    above: float | None = Field(None, allow_inf_nan=False, description="... is above this,")
    below: float | None = Field(None, allow_inf_nan=False, description="... below this,")
    than: District | None = Field(None, description="or is above that of this district under the same luck")
    in_ten: float = Field(8.0, gt=0.0, le=10.0, description="In at least so many of ten runs")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [self.above is not None, self.below is not None, self.than is not None]
        if (self.future is not None) + sum(said) != 1 or bool(self.indicator) != any(said):
            raise ValueError("needs either future, or an indicator with one of above, below and than")
        if self.indicator and self.indicator not in NAMES:
            raise ValueError(f"there is no indicator {self.indicator!r}{suggest(self.indicator, NAMES)}")
        return self


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
    steps: list[Annotated[Step, Field(discriminator="kind")]] = Field(
        min_length=1, max_length=MOST_STEPS, description="One after the other"
    )
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


_PARTS: dict[str, type[Section]] = {"levers": Lever, "policies": Measure, "district": District}
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
            _check_play(step, ("steps", number), places)
        elif isinstance(step, Predict):
            quarters = scenario_of(step.district).run.quarters
            if step.seen >= quarters:
                raise _refused(
                    places, ("steps", number, "seen"), f"seen = {step.seen}: the run has {quarters} quarters"
                )


def _check_play(step: Play, at: Key, places: Mapping[Key, str]) -> None:
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
    quarters = data["run"]["quarters"]
    for number, measure in enumerate(step.policies):
        if not measure.quarters(quarters):
            raise _refused(places, (*at, "policies", number), f"{measure.kind}: acts in no quarter of {quarters}")


def _refused(places: Mapping[Key, str], at: Key, reason: str) -> ScenarioError:
    return ScenarioError(f"{place_of(places, at)}: {reason}")


FUTURES_ASKED: tuple[Trajectory, ...] = (*FUTURES, Trajectory.MARSHALLIAN_PERSISTENCE, Trajectory.DECLINE)
"""What a guess of the future may be, in the order of the page."""
