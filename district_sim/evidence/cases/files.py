"""Case files: what was observed of a district, how well each figure is known, and which parameters may be fitted.

scenario: _carpi               # the district as it stood, in the first year
start: 1994                    # year in which the run begins, unless the scenario says it
targets:
  - {measure: firms, year: 2002, value: 1800, tolerance: 90, fit: true,
     source: "Women's Wear Daily", published: 2002, certainty: B}
parameters:
  demography.exit: {low: 0.004, high: 0.03, log: true}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from district_sim.evidence.cases.observables import observable, observable_names
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.fields import Section
from district_sim.scenario.files import CASES, Key, ScenarioError, bundled_folder, load_scenario, read_yaml, shown_path
from district_sim.scenario.paths import expand, expected, schemas_at, show, value_at
from district_sim.scenario.sections import Scenario
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import MOST_PROBLEMS, is_file

_ENDING = ".targets.yaml"
_LEAST_WHOLE = 16  # width of a whole number's range: the steps of the search must not be rounded away
_MISFITS = ("_type", "_parsing", "than", "than_equal", "literal_error", "finite_number", "int_from_float")


def _checked_date(when: int | str) -> int | str:
    first = Calendar.of(when).first
    if not 4 * 1800 <= first <= 4 * 3000:
        raise ValueError("must be a year between 1800 and 3000, or a quarter of one such as 2012Q3")
    return when


Date = Annotated[int | str, AfterValidator(_checked_date)]
"""A year, which is its beginning, or a quarter of a year."""


class Target(Section):
    """One observed figure, or one observed direction."""

    measure: str = Field(description="An indicator, or another measure of `district_sim.evidence.cases.observables`")
    year: Date = Field(
        description="Observed at the beginning of this year, or of this quarter (2012Q3); a yearly rate in the year"
    )
    since: Date | None = Field(None, description="The ratio to the value at this date, not the value")
    change: Literal["ratio", "difference"] = Field("ratio", description="With `since`: which of the two is meant")
    compared: bool = Field(
        False,
        description="The value less that of the file's `comparison` under the same luck: a difference between two",
    )
    value: float | None = Field(None, allow_inf_nan=False, description="What was observed")
    tolerance: float = Field(
        0.0, ge=0.0, allow_inf_nan=False, description="How roughly it is known: one standard deviation"
    )
    above: float | None = Field(None, allow_inf_nan=False, description="In place of a value: it was more than this")
    below: float | None = Field(None, allow_inf_nan=False, description="In place of a value: it was less than this")
    fit: bool = Field(False, description="Whether parameters are fitted to it; otherwise it is a check on the fit")
    source: str = Field(min_length=2, description="Author or publisher of where it is written")
    published: int | None = Field(None, ge=1800, le=3000, description="Year of that work, if it is dated")
    doi: str = Field("", description="Of that work, if it has one")
    certainty: Literal["A", "B", "C"] = Field(description="A read in the source, B in a secondary one, C assumed")
    note: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(end is not None for end in (self.value, self.above, self.below)) != 1:
            raise ValueError("needs one of value, above and below")
        if self.fit and not (self.value is not None and self.tolerance > 0.0):
            raise ValueError("can be fitted only to a value with a tolerance above 0")
        if self.since is not None and Calendar.of(self.since).first >= Calendar.of(self.year).first:
            raise ValueError(f"since ({self.since}) must come before year ({self.year})")
        if self.change == "difference" and self.since is None:
            raise ValueError("change: difference needs since, the date of the earlier value")
        return self

    @property
    def counts(self) -> bool:
        """Whether a district of half the size has half of it."""
        found = observable(self.measure)
        return found is not None and found.extensive and (self.since is None or self.change == "difference")


class Prior(Section):
    """Where a parameter is looked for: a normal distribution around the scenario's own value.

    Its standard deviation is a quarter of the range's width (of the logarithm, if `log`); nothing lies outside.
    """

    low: float = Field(allow_inf_nan=False, description="Lowest value")
    high: float = Field(allow_inf_nan=False, description="Highest value")
    log: bool = Field(False, description="Whether its logarithm is looked for")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"high ({self.high:g}) must be above low ({self.low:g})")
        if self.log and self.low <= 0.0:
            raise ValueError(f"low ({self.low:g}) must be above 0 on a log scale")
        return self


class CaseFile(Section):
    """A file of targets."""

    scenario: str | None = Field(None, description="The district as it stood; beside this file, or a bundled one")
    comparison: str | None = Field(
        None, description="Another scenario, such as a sector outside the district, beside it"
    )
    start: Date | None = Field(None, description="Date at which the run begins; by default the scenario's run.start")
    scale: float = Field(
        1.0, ge=0.001, le=1.0, description="Part of the district's firms that the fit simulates, to save time"
    )
    targets: list[Target] = Field(min_length=1, description="What was observed")
    parameters: dict[str, Prior] = Field({}, description="What may be fitted, by dotted path")
    misses: str = Field("", description="What in the model stands behind the targets that it misses")


@dataclass(frozen=True, slots=True)
class Case:
    """A district to be fitted or compared."""

    name: str
    title: str
    origin: str
    """Scenario that the fit begins with: as `load_scenario` and `extends` find it."""
    scenario: Scenario
    start: int | str
    """Date at which the run begins."""
    scale: float
    targets: tuple[Target, ...]
    parameters: dict[str, Prior]
    misses: str = ""
    """What in the model stands behind the targets that it misses."""
    comparison: Scenario | None = None
    """The scenario whose values are taken from those of targets that are `compared`."""

    @property
    def calendar(self) -> Calendar:
        """The dates of the run."""
        return Calendar.of(self.start)

    def quarter(self, date: int | str) -> int:
        """Number of quarters completed at a date; at the start the first quarter."""
        return max(1, self.calendar.quarter(date))

    @property
    def span(self) -> str:
        """The years of the run."""
        end = self.calendar.date(self.scenario.run.quarters)
        return f"{self.calendar.date(0).removesuffix('Q1')} to {end.removesuffix('Q1')}"

    @property
    def wanted(self) -> tuple[tuple[Any, ...], ...]:
        """Of each target: measure, quarter and, if it is about a change, since which, and whether a difference."""
        return tuple(self._look(target) for target in self.targets)

    def _look(self, target: Target) -> tuple[Any, ...]:
        lasts = found.lasts if (found := observable(target.measure)) is not None else 0

        def at(date: int | str) -> int:
            return self.calendar.quarter(date) + lasts if lasts else self.quarter(date)

        look = (target.measure, at(target.year), None if target.since is None else at(target.since))
        return (*look, True) if target.change == "difference" else look


def case_names() -> list[str]:
    """Names of the bundled cases."""
    return sorted(path.name.removesuffix(_ENDING) for path in (bundled_folder() / CASES).glob(f"*{_ENDING}"))


def load_case(name: str, *, fitted: bool) -> Case:
    """A bundled case.

    Args:
        name: such as "carpi". fitted: with the scenario that the fit wrote, or the one that it begins with.

    Raises:
        ScenarioError: there is no such case, or one of its files cannot be used.
    """
    names = case_names()
    plain = name.removeprefix(f"{CASES}/")
    if plain not in names:
        raise ScenarioError(f"there is no case {name!r}{suggest(plain, names)} (bundled cases: {', '.join(names)})")
    path = bundled_folder() / CASES / f"{plain}{_ENDING}"
    return read_case(path, f"{CASES}/{plain}" if fitted else None)


def read_case(path: Path, scenario: str | None = None) -> Case:
    """Any file of targets.

    Args:
        scenario: name or path; by default the one that the file names.

    Raises:
        ScenarioError: a file cannot be used; each line names file, line and field.
    """
    data, places = read_yaml(path)
    try:
        read = CaseFile.model_validate(data)
    except ValidationError as error:
        parts: dict[str, type[Section]] = {"targets": Target, "parameters": Prior}
        details = error.errors(include_url=False)[:MOST_PROBLEMS]
        lines = [message(detail, data, places, path, CaseFile, parts) for detail in details]
        raise ScenarioError("\n".join(dict.fromkeys(lines))) from None
    if scenario is None and read.scenario is None:
        raise ScenarioError(f"{shown_path(path)}: scenario: this key is required")
    origin = scenario or _beside(path.parent, str(read.scenario))
    found = load_scenario(origin)
    name = path.name.removesuffix(_ENDING) if path.name.endswith(_ENDING) else path.stem
    targets, parameters = tuple(read.targets), dict(read.parameters)
    start = _start(read.start, found, places, path)
    comparison = None if read.comparison is None else load_scenario(_beside(path.parent, read.comparison))
    case = Case(name, found.title, origin, found, start, read.scale, targets, parameters, read.misses, comparison)
    _check_targets(case, places)
    _check_parameters(case, places)
    return case


def _start(given: int | str | None, scenario: Scenario, places: Mapping[Key, str], path: Path) -> int | str:
    """The date at which the run begins, said in the file, in the scenario, or alike in both."""
    own = scenario.run.start
    if given is None and own is None:
        raise ScenarioError(f"{shown_path(path)}: start: this key is required, as the scenario has no run.start")
    if given is not None and own is not None and Calendar.of(given) != Calendar.of(own):
        raise _refused(places, ("start",), f"start = {given}: the scenario's run begins in {own}")
    return given if given is not None else str(own)


def _beside(folder: Path, name: str) -> str:
    """A scenario beside the file, under a name that `load_scenario` finds from anywhere."""
    for ending in ("", ".yaml", ".yml"):
        path = folder / f"{name}{ending}"
        if is_file(path):
            return shown_path(path).removesuffix(".yaml") if path.is_relative_to(bundled_folder()) else str(path)
    return name


def _check_targets(case: Case, places: Mapping[Key, str]) -> None:
    quarters = case.scenario.run.quarters
    if case.comparison is not None and case.comparison.run.quarters < quarters:
        reason = f"comparison: its run has {case.comparison.run.quarters} quarters, that of {case.origin} {quarters}"
        raise _refused(places, ("comparison",), reason)
    for number, target in enumerate(case.targets):
        at: Key = ("targets", number)
        found = observable(target.measure)
        if found is None:
            hint = suggest(target.measure, observable_names())
            raise _refused(places, (*at, "measure"), f"there is no measure {target.measure!r}{hint}")
        for key in ("year", "since"):
            date = getattr(target, key)
            first = 0 if date is None else Calendar.of(date).first - case.calendar.first
            if not 0 <= first <= quarters - found.lasts:
                reason = f"the run of {case.origin} goes from {case.span}"
                raise _refused(places, (*at, key), f"{key} = {date}: {reason}")
            if date is not None and first < found.since:
                reason = f"{target.measure} can be known from {case.calendar.date(found.since)} on"
                raise _refused(places, (*at, key), f"{key} = {date}: {reason}")
        if target.compared and case.comparison is None:
            raise _refused(places, (*at, "compared"), "compared: needs the file's comparison, another scenario")


def _check_parameters(case: Case, places: Mapping[Key, str]) -> None:
    data = case.scenario.model_dump(mode="json")
    for path, prior in case.parameters.items():
        at: Key = ("parameters", path)
        schemas = schemas_at(data, path)
        if not schemas or not all(path.split(".")):
            raise _refused(places, at, f"there is no parameter {path!r}{suggest(path, _numbers(data))}")
        if path not in _numbers(data):
            raise _refused(places, at, f"{path}: is no number of the district and cannot be fitted")
        low, high = schemas[0].get("minimum", prior.low), schemas[0].get("maximum", prior.high)
        if prior.low < low or prior.high > high:
            reason = f"the range {prior.low:g} to {prior.high:g} is not allowed; must be {expected(schemas)}"
            raise _refused(places, at, f"{path}: {reason}")
        value = value_at(data, path)
        if isinstance(value, int) and (prior.high - prior.low < _LEAST_WHOLE or prior.low % 1 or prior.high % 1):
            reason = f"{path}: is a whole number; its range needs whole ends that lie {_LEAST_WHOLE} apart or more"
            raise _refused(places, at, reason)
        if not prior.low < value < prior.high:
            inside = f"must lie within the range {prior.low:g} to {prior.high:g}"
            raise _refused(places, at, f"{path} = {value:g} in {case.origin}: {inside}")


def _numbers(data: dict[str, Any]) -> list[str]:
    """Paths of all numbers outside lists but the length of the run."""
    return [
        f"{section}.{name}"
        for section, part in data.items()
        if isinstance(part, dict) and section not in ("run", "money", "mechanisms")
        for name, value in part.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


# Messages -----------------------------------------------------------------------------------------


def _refused(places: Mapping[Key, str], at: Key, reason: str) -> ScenarioError:
    return ScenarioError(f"{place_of(places, at)}: {reason}")


def place_of(places: Mapping[Key, str], at: Sequence[str | int], default: str = "") -> str:
    """Where a key of a file is written, or the part that it is missing in."""
    whole = tuple(at)
    return next((places[whole[:n]] for n in range(len(whole), 0, -1) if whole[:n] in places), default)


def message(
    detail: ErrorDetails,
    data: Any,
    places: Mapping[Key, str],
    path: Path,
    whole: type[Section],
    parts: Mapping[str, type[Section]],
) -> str:
    """One pydantic error as `file:line: field = value: what is allowed`.

    Args:
        data: the file's. places: of its keys. whole: what the file must be. parts: what its lists are made of.
    """
    at, kind, value = detail["loc"], detail["type"], detail["input"]
    place, name = place_of(places, at, shown_path(path)), ".".join(map(str, at))
    model = parts.get(str(at[0]), whole) if len(at) > 1 else whole
    fields: dict[str, Any] = model.model_json_schema()["properties"]
    if kind == "extra_forbidden":
        return f"{place}: {name}: unknown key{suggest(str(at[-1]), list(fields)) or f' (known: {", ".join(fields)})'}"
    if kind == "missing":
        return f"{place}: {name}: this key is required"
    said = (f"{name}: " if name else "") if isinstance(value, dict | list) else f"{name} = {show(value)}: "
    field = fields.get(str(at[-1]), {}) if at else {}
    if kind.endswith(_MISFITS) and field and "$ref" not in str(field):
        return f"{place}: {said}must be {expected(expand(field, value))}"
    reason = str(detail.get("ctx", {}).get("error", "")) or detail["msg"].replace("Input should be", "must be")
    return f"{place}: {said}{reason}"
