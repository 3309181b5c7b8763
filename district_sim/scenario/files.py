"""Scenario files: YAML 1.2, `extends`, overrides, and error messages a reader can act on.

A scenario is a YAML file with the sections of `district_sim.scenario.sections.Scenario`. It may begin with
`extends: name` or `extends: [a, b]`: the named files are read first, in order, and the file's own
lines win. Sections merge key by key; a list replaces the list before it.

Every bad input, wherever it is found, raises `ScenarioError`, whose text names the file, the line,
the field, the value and what is allowed.
"""

from __future__ import annotations

import math
import os.path
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarbool import ScalarBoolean

from district_sim.scenario.calendar import (
    LISTED,
    SINGLE,
    Calendar,
    CalendarError,
    in_quarters,
    is_dated,
    run_in_quarters,
    written,
)
from district_sim.scenario.data import check_tables, found_beside
from district_sim.scenario.extensions import MechanismError, mechanism
from district_sim.scenario.paths import (
    JsonSchema,
    child_schemas,
    default_part,
    expand,
    expected,
    known_paths,
    options,
    part_of,
    scenario_schema,
    show,
    value_at,
)
from district_sim.scenario.renamed import new_path, rename_parameters
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import (
    MOST_BYTES,
    MOST_DEPTH,
    MOST_PROBLEMS,
    MOST_VALUES,
    NAMES,
    expanded,
    is_file,
    parse_yaml,
    read_text,
    short,
    whole_number,
)
from district_sim.scenario.texts import ScenarioError as ScenarioError  # where others look for it

if TYPE_CHECKING:
    import datetime

    from district_sim.scenario.sections import Scenario

SUFFIXES = (".yaml", ".yml")
EXPERIMENTS, POLICIES, CASES, WORLDS, EVALUATIONS = "experiments", "policies", "cases", "worlds", "evaluations"
LESSONS = "lessons"
"""Folders of experiment files, policy files, real districts, files of worlds, evaluations and lessons."""
_MOST_FILES = 64  # that one scenario is made of, those counted anew that are reached twice
_MOST_LETTERS = 2 * MOST_BYTES  # of all these files together
_MOST_PLACES = MOST_VALUES  # keys and entries of all these files together
_TARGETS = ".targets"  # how the stem of a file ends that holds what was observed, not a scenario

type Key = tuple[str | int, ...]


def load_scenario(name_or_path: str | Path, overrides: Mapping[str, Any] | Sequence[str] = ()) -> Scenario:
    """Read, complete and validate a scenario.

    Args:
        name_or_path: Name of a bundled scenario (`"learning_region"`, `"cases/carpi"`) or path of
            a YAML file. A bare name means the bundled one; a name with `.yaml` means a file of
            that name where there is one.
        overrides: Values that win over the file: `"firms.count=100"` strings, whose right side is
            read as YAML, or a mapping from dotted path to value, as `mesa.batch_run` passes it.
            `policies.0.budget` is the budget of the first instrument.

    Returns:
        The frozen, validated scenario.

    Raises:
        ScenarioError: The file or an override cannot be read, or a value is not allowed.
    """
    path = _locate(name_or_path)
    return _completed(_read(path), path, overrides)


def changes_of(overrides: Sequence[str]) -> dict[str, Any]:
    """What `"firms.count=100"` strings say, by path. Raises ScenarioError."""
    return {path: value for path, value, _ in _overrides(overrides)}


def files_of(name_or_path: str | Path) -> list[Path]:
    """The file of a scenario and all that it extends. Raises ScenarioError, as `load_scenario`."""
    path = _locate(name_or_path)
    read = _Read()
    _with_bases(read_alone(path), path, (path.resolve(),), read)
    return read.files


def scenario_of_text(text: str, name: str, overrides: Mapping[str, Any] | Sequence[str] = ()) -> Scenario:
    """A scenario from a text that somebody gave, which may extend bundled scenarios only.

    Args:
        text: as it would stand in a file. name: what messages call it. overrides: as in `load_scenario`.

    Raises:
        ScenarioError: as `load_scenario`.
    """
    scenario = _completed(
        _with_bases(_document(text, name), Path(name), (), _Read(), bundled=True), Path(name), overrides
    )
    if scenario.data.firms:
        raise ScenarioError(f"{name}: data: tables are found beside a file only: `district-sim app {name}` opens it")
    return scenario


def _completed(document: Document, path: Path, overrides: Mapping[str, Any] | Sequence[str]) -> Scenario:
    own_length = _length(document.data)
    changes = list(_overrides(overrides))
    ends = {text for text, *_ in changes} & {"run.quarters", "run.end"}
    for text, value, source in changes:
        _override(document, text, value, source)
        if ends == {text}:
            _drop_other_end(document, text)
    scenario = validated(document, path)
    if scenario.data.firms:
        check_tables(scenario.data)
    _check_begins(scenario, document, path, own_length)
    return scenario


def _length(data: dict[str, Any]) -> int:
    """Quarters of a run, as far as its data say so; 0 otherwise."""
    try:
        quarters = run_in_quarters(data["run"])["quarters"]
    except (CalendarError, KeyError, TypeError, AttributeError):  # said later, where it is validated
        return 0
    return quarters if isinstance(quarters, int) else 0


def _drop_other_end(document: Document, path: str) -> None:
    """Of `run.quarters` and `run.end` keep the one that was said last."""
    other = {"run.quarters": "end", "run.end": "quarters"}[path]
    if document.data["run"].pop(other, None) is not None:
        document.origins.pop(("run", other), None)


def _check_begins(scenario: Scenario, document: Document, path: Path, own_length: int) -> None:
    """Refuse what begins after the run of the file that says so, and years in a run without dates.

    Overrides, and a file that extends another one, may cut its run short. What the world does, and when a strategy
    begins, may lie beyond the run unless it was written as a date: then it is a slip.
    """
    default = type(scenario.run)().quarters
    own = max(scenario.run.quarters, own_length or default)
    longest = max(own, document.longest or default)
    calendar = scenario.run.calendar
    for at in _times(scenario):
        if at not in document.origins:  # the schema's default
            continue
        origin, given = _origin(document, at, path), value_at(document.data, _dotted(at))
        found = _whole_at(scenario, at)
        here = origin.path is not None or origin.place.startswith(f"{shown_path(path)}:")
        length = own if here else longest
        may = not is_dated(given) or (calendar is not None and at[-1] == "end")
        if found >= length and (at[-1] == "start" or not may):
            reason = never_acts(found, length, calendar, given)
            if origin.path == _dotted(at):  # of an override the place says it
                reason = reason.partition(": ")[2]
                raise ScenarioError(f"{origin.place}: {reason}")
            raise ScenarioError(f"{origin.place}: {_dotted(at)} = {reason}")


def _times(scenario: Scenario) -> list[Key]:
    """Where the times of a scenario stand."""
    listed: list[Key] = [
        (section, number, key)
        for section, keys in LISTED.items()
        for number in range(len(getattr(scenario, section)))
        for key in keys
    ]
    return [*SINGLE, *listed]


def _whole_at(scenario: Scenario, at: Key) -> int:
    """A whole number of a scenario."""
    node: Any = scenario
    for key in at:
        node = node[key] if isinstance(key, int) else getattr(node, key)
    return int(node)


def never_acts(start: int, quarters: int, calendar: Calendar | None = None, given: object = None) -> str:
    """What to say of something that starts beyond the end of a run.

    Args:
        start: its first quarter. quarters: length of the run. calendar: of the run. given: as it was written.
    """
    if calendar is not None:
        return f"{given or calendar.date(start)}: must be before the run ends: it goes from {calendar.span(quarters)}"
    date = "; for years say when the run begins, as run.start: 2002" if is_dated(start) else ""
    last = f"its quarters are 0 to {quarters - 1} (quarters, not years{date})"
    return f"{written(start)}: must be before the run ends: {last}"


def validated(document: Document, path: Path) -> Scenario:
    """The scenario that a document describes.

    Raises:
        ScenarioError: a value is not allowed; the message names the place.
    """
    from district_sim.scenario.sections import Scenario

    try:
        in_quarters(document.data)
    except CalendarError as error:
        origin = _origin(document, error.at, path)
        name = _dotted(error.at)
        said = "" if origin.path == name else f"{name} = {show(error.value)}: "
        raise ScenarioError(f"{origin.place}: {said}{error.reason}") from None
    try:
        return Scenario.model_validate(document.data)
    except ValidationError as error:
        lines = [_message(detail, document, path) for detail in error.errors(include_url=False)[:MOST_PROBLEMS]]
        raise ScenarioError("\n".join(dict.fromkeys(lines))) from None


def bundled_folder() -> Path:
    """Folder of the scenarios that come with the package (or with this checkout of it)."""
    here = Path(__file__).resolve().parents[1]
    installed = here / "scenarios"
    return installed if installed.is_dir() else here.parent / "scenarios"


def scenario_names() -> list[str]:
    """Names of the bundled scenarios that can be run, sorted.

    Files and folders whose name starts with `_` are bases for others and are not listed.
    """
    folder = bundled_folder()
    names = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.yaml")]
    hidden = ("_", ".")
    return sorted(
        name.as_posix()
        for name in names
        if name.parts[0] not in (EXPERIMENTS, POLICIES, WORLDS, EVALUATIONS, LESSONS)
        and name.suffix != _TARGETS
        and not any(part.startswith(hidden) for part in name.parts)
    )


def bundled_files(folder: str) -> list[str]:
    """Names of the bundled files in a folder of their own (`EXPERIMENTS`, `POLICIES`, `WORLDS`, ...), sorted."""
    return sorted(path.stem for path in (bundled_folder() / folder).glob("*.yaml"))


def find_file(name_or_path: str | Path, folder: str, what: str) -> Path:
    """A bundled file of such a folder by its name, or any file by its path.

    Raises:
        ScenarioError: there is none; `what` says in the message what was looked for.
    """
    text = str(name_or_path)
    path = Path(expanded(text))
    bundled = bundled_folder() / folder / f"{text}.yaml"
    if not text.endswith(SUFFIXES) and is_file(bundled):
        return bundled
    if is_file(path):
        return path
    if os.path.isdir(path):
        raise ScenarioError(f"{short(text)}: this is a folder, not a file")
    if text.endswith(SUFFIXES):
        raise ScenarioError(f"{text}: no such file")
    names = bundled_files(folder)
    raise ScenarioError(
        f"there is no {what} or file {short(text)!r}{suggest(text, names)} (bundled: {', '.join(names)})"
    )


def scenario_text(name_or_path: str | Path) -> str:
    """Text of a scenario file as it was written, comments and all.

    Raises:
        ScenarioError: There is no such scenario, or it is not text.
    """
    return file_text(_locate(name_or_path))


def own_words(name_or_path: str | Path) -> dict[str, str]:
    """`title` and `description` of a scenario, as far as its own file says them, or one that it is made of.

    What a bundled scenario says of itself is not true of a district that merely starts from it: only a case may lend
    its words to the file that was fitted to it.

    Raises:
        ScenarioError: a file cannot be read.
    """
    path = _locate(name_or_path)
    return _words(path, ("title", "description"), (path.resolve(),))


def _words(path: Path, wanted: Sequence[str], chain: tuple[Path, ...]) -> dict[str, str]:
    own = read_alone(path)
    found = {key: str(own.data[key]) for key in wanted if own.data.get(key)}
    for base in reversed(list(_bases(own, path.parent, chain))):
        lacking = [key for key in wanted if key not in found]
        about_another = base.is_relative_to(bundled_folder()) and base.parent.name != CASES
        if lacking and not about_another:
            found |= _words(base, lacking, (*chain, base.resolve()))
    return found


def scenario_notes(name_or_path: str | Path) -> str:
    """What a scenario is, how it works, what to notice and what to try: the Markdown file beside it, of its name.

    Returns:
        The text, empty where a scenario has no such file.

    Raises:
        ScenarioError: There is no such scenario, or its notes are not text.
    """
    notes = _locate(name_or_path).with_suffix(".md")
    return file_text(notes) if is_file(notes) else ""


# Finding and reading files ------------------------------------------------------------------------


class _Source(NamedTuple):
    """Where a value was written: a file, or an override of one path."""

    name: str
    path: str | None = None  # the dotted path, for an override

    def at(self, line: int) -> str:
        return self.name if self.path is not None else f"{self.name}:{line}"


class _Origin(NamedTuple):
    """The place of one key, ready to print."""

    place: str
    path: str | None


@dataclass
class Document:
    """Plain data, and for each key in it the place that set it."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, _Origin] = field(default_factory=dict)
    longest: int = 0
    """Most quarters that one of its files lets a run have; 0 if none says it."""
    letters: int = 0
    """Of the text that it was read from."""


@dataclass
class _Read:
    """What was read for one scenario so far: files that extend each other are read within limits of their own."""

    files: list[Path] = field(default_factory=list)
    letters: int = 0
    places: int = 0

    def add(self, document: Document, path: Path) -> None:
        """Count one more file. Raises ScenarioError where all together are too much."""
        self.files.append(path)
        self.letters += document.letters
        self.places += len(document.origins)
        for much, most, what in (
            (len(self.files), _MOST_FILES, f"{_MOST_FILES} files"),
            (self.letters, _MOST_LETTERS, f"{_MOST_LETTERS // 1024} KiB"),
            (self.places, _MOST_PLACES, f"{_MOST_PLACES:,} values"),
        ):
            if much > most:
                raise ScenarioError(
                    f"{shown_path(path)}: with it, what the scenario extends is more than {what} in all"
                )


def _locate(name_or_path: str | Path) -> Path:
    text = expanded(name_or_path)
    is_name = isinstance(name_or_path, str) and not text.startswith((".", os.sep))
    bundled = _existing(bundled_folder(), text) if is_name and ".." not in Path(text).parts else None
    if bundled is not None and not text.endswith(SUFFIXES):
        return bundled
    found = _existing(Path(), text) or bundled
    if found is not None:
        return found
    if os.path.isdir(text):
        raise ScenarioError(f"{text}: this is a folder, not a scenario file")
    if not is_name or text.endswith(SUFFIXES):
        raise ScenarioError(f"{text}: no such file")
    names = scenario_names()
    hint = f"{suggest(text, names)} (bundled scenarios: {', '.join(names) or 'none'})"
    raise ScenarioError(f"there is no scenario or file {short(text)!r}{hint}")


def _existing(folder: Path, name: str) -> Path | None:
    endings = ("",) if name.endswith(SUFFIXES) else (*SUFFIXES, "")
    paths = (os.path.join(folder, name + ending) for ending in endings)
    return next((Path(path) for path in paths if is_file(path)), None)


def shown_path(path: Path) -> str:
    """A bundled file by its name, any other file as it was given."""
    folder = bundled_folder()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def file_text(path: Path) -> str:
    """Text of a file. Raises ScenarioError where it cannot be read."""
    return read_text(path, shown_path(path))


def _read(path: Path) -> Document:
    """One file with everything it extends."""
    return _with_bases(read_alone(path), path, (path.resolve(),), _Read())


def _with_bases(own: Document, path: Path, chain: tuple[Path, ...], read: _Read, bundled: bool = False) -> Document:
    """A document on top of what it extends.

    Args:
        own: the document. path: its file. chain: the files that led to it. read: counts all files.
        bundled: whether it may extend bundled scenarios only.
    """
    read.add(own, path)
    merged = Document()
    for base in _bases(own, None if bundled else path.parent, chain):
        _stack(merged, _with_bases(read_alone(base), base, (*chain, base.resolve()), read))
    _stack(merged, own)
    return merged


def read_alone(path: Path) -> Document:
    """A file without what it extends. Raises ScenarioError where it is not made of `key: value` lines."""
    document = _document(file_text(path), shown_path(path))
    found_beside(document.data.get("data"), path.parent)
    return document


def _document(text: str, name: str) -> Document:
    source = _Source(name)
    tree = parse_yaml(text, name)
    if tree is None:
        raise ScenarioError(f"{source.name}: the file is empty")
    if not isinstance(tree, CommentedMap):
        raise ScenarioError(f"{source.name}: must be made of 'key: value' lines")
    own = Document(letters=len(text))
    own.data = _plain(tree, (), 1, source, own.origins)
    for old, new in rename_parameters(own.data, source.name).items():
        own.origins[new] = own.origins.pop(old)
    return own


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[Key, str]]:
    """A YAML file as plain data, and for each key in it its place (`file:line`).

    Raises:
        ScenarioError: it cannot be read or is not made of `key: value` lines.
    """
    document = read_alone(path)
    return document.data, {key: origin.place for key, origin in document.origins.items()}


def _stack(low: Document, high: Document) -> None:
    _merge(low.data, high.data, (), low.origins)
    low.origins.update(high.origins)
    says = [path for path in ("run.quarters", "run.end") if value_at(high.data, path) is not None]
    if len(says) == 1:
        _drop_other_end(low, says[0])
    low.longest = max(low.longest, high.longest, _length(low.data) if says else 0)


def _bases(own: Document, folder: Path | None, chain: tuple[Path, ...]) -> Iterator[Path]:
    """The files named by `extends`, which is taken out of the document.

    Without a folder beside which they may stand, only bundled ones, and nothing else is looked at.
    """
    if "extends" not in own.data:
        return
    named = own.data.pop("extends")
    place = own.origins[("extends",)].place
    own.origins = {key: origin for key, origin in own.origins.items() if key[0] != "extends"}
    names = named if isinstance(named, list) else [named]
    for name in names:
        if folder is None and (not isinstance(name, str) or ".." in Path(name).parts or Path(name).is_absolute()):
            raise ScenarioError(f"{place}: extends = {show(name)}: can be the names of bundled scenarios only")
        if not isinstance(name, str):
            raise ScenarioError(f"{place}: extends = {show(name)}: must be the name of a scenario")
        base = (_existing(folder, name) if folder is not None else None) or _existing(bundled_folder(), name)
        if base is None:
            hint = suggest(name, scenario_names())
            raise ScenarioError(f"{place}: extends: there is no scenario or file {short(name)!r}{hint}")
        if base.resolve() in chain:
            loop = [*chain[chain.index(base.resolve()) :], base]
            raise ScenarioError(f"{place}: circular extends: {' → '.join(file.name for file in loop)}")
        yield base


def _plain(node: Any, at: Key, line: int, source: _Source, origins: dict[Key, _Origin]) -> Any:
    """Python values without YAML's wrappers; notes in `origins` where each key stands."""
    if len(at) > MOST_DEPTH:
        raise ScenarioError(f"{source.at(line)}: nested too deeply")
    if isinstance(node, dict | list | tuple):
        is_map = isinstance(node, dict)
        out: dict[str | int, Any] = {}
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if is_map and not isinstance(key, str):
                raise ScenarioError(f"{source.at(line)}: the key {show(key)} must be text")
            marks = (getattr(getattr(node, "lc", None), "data", None) or {}).get(key)
            here = marks[0] + 1 if marks else line
            path = (*at, str(key) if is_map else key)
            origins[path] = _Origin(source.at(here), source.path)
            out[path[-1]] = _plain(value, path, here, source, origins)
        return out if is_map else list(out.values())
    return _scalar(node, at, source.at(line))


def _scalar(node: Any, at: Key, place: str) -> bool | int | float | str | None:
    if node is None or isinstance(node, bool):
        return node
    if isinstance(node, ScalarBoolean):
        return bool(node)
    if isinstance(node, int):
        return whole_number(node, f"{place}: {_dotted(at)}")
    if isinstance(node, float):
        if not math.isfinite(node):
            raise _not_finite(place, at, node)
        return float(node)
    if isinstance(node, str):
        is_name = not NAMES.isdisjoint(at[-2:] if at and isinstance(at[-1], int) else at[-1:])
        if not is_name and re.fullmatch(r"[+-]?(nan|inf|infinity)", node, re.IGNORECASE):
            raise _not_finite(place, at, node)
        return str(node)
    if hasattr(node, "isoformat"):
        date: datetime.date = node
        return date.isoformat()
    raise ScenarioError(f"{place}: {_dotted(at)}: only numbers, text, lists and sections are read")


def _not_finite(place: str, at: Key, value: object) -> ScenarioError:
    what = f"{_dotted(at)} = {value}: " if at else ""
    return ScenarioError(f"{place}: {what}must be a finite number")


def _merge(low: Any, high: Mapping[Any, Any], at: Key, origins: dict[Key, _Origin]) -> None:
    """Put `high` on top of the section (or list) `low`, which stands at `at`, in place.

    Sections merge, everything else replaces; `origins` forgets the places of what is replaced.
    """
    for name, value in high.items():
        path = (*at, name)
        if isinstance(value, dict) and isinstance(part_of(low, name), dict):
            _merge(low[name], value, path, origins)
            continue
        _forget(part_of(low, name), path, origins)
        low[name] = value


def _forget(value: Any, at: Key, origins: dict[Key, _Origin]) -> None:
    """Strike out where a value stands, and all that is in it."""
    origins.pop(at, None)
    for key, inner in _inside(value):
        _forget(inner, (*at, key), origins)


def _inside(value: Any) -> Iterable[tuple[str | int, Any]]:
    """What a section or a list holds."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


# Overrides ----------------------------------------------------------------------------------------


def _overrides(
    overrides: Mapping[str, Any] | Sequence[str],
) -> Iterator[tuple[str, Any, _Source]]:
    """Each override as (dotted path, value not yet made plain, source)."""
    if isinstance(overrides, Mapping):
        for path, value in ((new_path(path), value) for path, value in overrides.items()):
            tolist = getattr(value, "tolist", None)  # NumPy scalars and arrays
            plain = tolist() if callable(tolist) else value
            yield path, plain, _Source(f"override {path}={show(plain)}", path)
        return
    for text in [overrides] if isinstance(overrides, str) else overrides:
        path, equals, right = (part.strip() for part in text.partition("="))
        if not (path and equals and right):
            raise ScenarioError(f"--set {short(text, 200)}: write it as path=value, such as firms.count=100")
        path = new_path(path)
        source = _Source(short(f"--set {path}={right}", 200), path)
        yield path, parse_yaml(right, source.name, lines=False, key=path.rpartition(".")[2]), source


def _override(document: Document, text: str, value: Any, source: _Source) -> None:
    """Set one value in the document, after a check that the scenario has such a path."""
    origin = _Origin(source.name, source.path)
    node: Any = document.data
    schemas = expand(scenario_schema(), node)
    at: Key = ()
    *sections, last = text.split(".")
    for name in sections:
        key = _step(document, node, schemas, at, name, text, source)
        at = (*at, key)
        if part_of(node, key) is None:
            node[key] = default_part(schemas, key)
            document.origins[at] = origin
        schemas, node = child_schemas(schemas, key, node[key]), node[key]
    key = _step(document, node, schemas, at, last, text, source)
    origins: dict[Key, _Origin] = {}
    plain = _plain(value, (*at, key), 1, source, origins)
    _merge(node, {key: plain}, at, document.origins)
    document.origins.update(origins)
    document.origins[*at, key] = origin


def _step(
    document: Document,
    node: Any,
    schemas: list[JsonSchema],
    at: Key,
    name: str,
    text: str,
    source: _Source,
) -> str | int:
    """The key of the part called `name` of `node`; refused where there can be none."""
    if isinstance(node, list):
        if name.isdecimal() and len(name) < 10 and int(name) < len(node):
            return int(name)
        entries = f"it has {len(node)}, counted from 0" if node else "it is empty"
        raise ScenarioError(f"{source.name}: {_dotted(at)} has no entry {short(name)} ({entries})")
    if isinstance(node, dict) and child_schemas(schemas, name, node.get(name)):
        return name
    if at == ("extensions",):
        try:
            mechanism(name)
        except MechanismError as error:
            raise ScenarioError(f"{source.name}: {error}") from None
    known = list(known_paths(scenario_schema(), document.data))
    siblings = [_dotted((*at, key)) for schema in schemas for key in schema.get("properties", {})]
    hint = suggest(_dotted((*at, name)), siblings, cutoff=0.8)
    hint = hint or suggest(text, known, text.rsplit(".", 1)[-1])
    raise ScenarioError(f"{source.name}: there is no parameter {short(text)!r}{hint}")


# Messages -----------------------------------------------------------------------------------------

# Errors of kind or range, for which the schema says better than pydantic what is allowed.
_MISFITS = re.compile(r".*_(type|parsing)|greater_than.*|less_than.*|literal_error|enum|int_from_float|finite_number")


def _message(error: ErrorDetails, document: Document, path: Path) -> str:
    """One pydantic error as `place: field = value: what is allowed`."""
    at, parents = _place(error["loc"], document.data)
    origin = _origin(document, at, path)
    name, kind = _dotted(at), error["type"]
    field_name = "" if origin.path == name or not at else f"{name}: "
    if kind == "extra_forbidden":
        known = [key for schema in parents for key in schema.get("properties", {})]
        leaf = str(at[-1])
        elsewhere = [*known_paths(scenario_schema(), document.data)]
        hint = suggest(leaf, known, cutoff=0.8) or suggest("", elsewhere, leaf) or suggest(leaf, known)
        return f"{origin.place}: {name}: unknown key{hint or f' (known: {", ".join(known)})'}"
    if kind == "missing":
        return f"{origin.place}: {name}: this key is required"
    value = error["input"]
    if field_name and not isinstance(value, dict | list | tuple):
        field_name = f"{name} = {show(value)}: "
    allowed = expected(child_schemas(parents, at[-1], value)) if at else ""
    if _MISFITS.fullmatch(kind) and allowed:
        hint = suggest(value, options(child_schemas(parents, at[-1], value))) if isinstance(value, str) else ""
        return f"{origin.place}: {field_name}must be {allowed}{hint}"
    reason = str(error.get("ctx", {}).get("error", "")) or error["msg"]
    return f"{origin.place}: {field_name}{reason}"


def _origin(document: Document, at: Key, path: Path) -> _Origin:
    """Where a key, or the nearest section around it, was written."""
    found = (document.origins[at[:n]] for n in range(len(at), 0, -1) if at[:n] in document.origins)
    return next(found, _Origin(shown_path(path), None))


def _place(loc: tuple[str | int, ...], data: Any) -> tuple[Key, list[JsonSchema]]:
    """Path in the data of an error, without the names of union members pydantic puts in.

    Also returns the schemas of the section or list in which the last key stands.
    """
    at: Key = ()
    node, schemas = data, expand(scenario_schema(), data)
    parents = schemas
    for number, key in enumerate(loc):
        present = key in node if isinstance(node, dict) else part_of(node, key) is not None
        if not present and number < len(loc) - 1:
            continue
        at, node, parents = (*at, key), part_of(node, key), schemas
        schemas = child_schemas(schemas, key, node)
    return at, parents


def _dotted(at: Key) -> str:
    return ".".join(map(str, at))
