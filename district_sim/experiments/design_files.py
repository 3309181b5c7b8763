"""Experiment files: YAML with named experiments, and messages that name the line.

    openness:
      scenarios: [baseline]
      vary:
        world.sourcing_fall: {start: 0, stop: 0.48, count: 5}
      replications: 20

Explicit lists may stand in a CSV file beside it, whose columns are paths: `design: list`, `table: points.csv`.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from district_sim.experiments.checks import checked_values
from district_sim.experiments.design import Experiment, Keep, Range, Span
from district_sim.experiments.errors import DesignError, dotted
from district_sim.scenario.files import EXPERIMENTS, SUFFIXES, Key, ScenarioError, find_file, read_yaml
from district_sim.scenario.paths import show
from district_sim.scenario.policy_files import policy_mix
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import MOST_PROBLEMS, MOST_TABLE_BYTES, is_file, read_text

type Places = Callable[[Key], str]
"""From a field of an experiment to where it was written, ready to stand before a message."""


def load_experiments(name_or_path: str | Path) -> dict[str, Experiment]:
    """Read, check and name the experiments of a file.

    Args:
        name_or_path: name of a bundled file (`"openness_x_collective_action"`) or path of a YAML file.

    Raises:
        ScenarioError: the file cannot be read, or an experiment in it cannot be run.
    """
    path = find_file(name_or_path, EXPERIMENTS, "experiment")
    data, places = read_yaml(path)
    found = {}
    for name, fields in data.items():
        if not isinstance(fields, dict):
            raise ScenarioError(f"{places[name,]}: {name}: must be an experiment, a section of 'key: value' lines")

        def place(at: Key, name: str = name) -> str:
            whole: Key = (name, *at)
            where = next(places[whole[:n]] for n in range(len(whole), 0, -1) if whole[:n] in places)
            return f"{where}: {dotted(at) or name}: "

        complete, places_of = _with_files(fields, path.parent, place)
        found[name] = make_experiment({"name": name, **complete}, places_of)
    return found


def load_experiment(text: str) -> Experiment:
    """One experiment, by `FILE` (if it holds one only), `FILE:NAME`, or the name of a bundled file.

    Raises:
        ScenarioError: there is no such experiment, or it cannot be run.
    """
    file, _, name = text.rpartition(":")
    if not file or text.endswith(SUFFIXES):
        file, name = text, ""
    found = load_experiments(file)
    if not name and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        hint = suggest(name, list(found)) if name else f": name one of them, as {file}:NAME"
        what = f"no experiment {name!r}" if name else f"{len(found)} experiments"
        raise ScenarioError(f"{file} holds {what}{hint} ({', '.join(found)})")
    return found[name]


def make_experiment(fields: Mapping[str, Any], place: Places) -> Experiment:
    """An experiment from plain data, checked against the schema of scenarios.

    Raises:
        ScenarioError: one message, each line of which begins with `place` of the field.
    """
    try:
        experiment = Experiment.model_validate(dict(fields))
        checked_values(experiment)
    except ValidationError as error:
        lines = [_message(detail, place) for detail in error.errors(include_url=False)[:MOST_PROBLEMS]]
        raise ScenarioError("\n".join(dict.fromkeys(lines))) from None
    except DesignError as error:
        raise ScenarioError(place(error.at) + error.reason) from None
    return experiment


def read_table(path: Path, place: Places) -> tuple[dict[str, list[Any]], Places]:
    """The columns of a CSV file with a heading, as `vary` takes them, and where they stand.

    Args:
        path: of the file; numbers, `true` and `false` in it are read as such.
        place: of the fields that do not come from the table.

    Raises:
        ScenarioError: the file cannot be read, or a line has another number of entries than the heading.
    """
    reader = csv.reader(io.StringIO(read_text(path, str(path), "a CSV file", MOST_TABLE_BYTES), newline=""))
    try:
        lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader if line]
    except csv.Error as error:
        raise ScenarioError(f"{path}:{reader.line_num}: not a CSV file: {error}") from None
    if len(lines) < 2:
        raise ScenarioError(f"{path}: needs a line with paths of parameters, and below it a line for each point")
    (first, heading), *rows = lines
    for number, line in rows:
        if len(line) != len(heading):
            raise ScenarioError(f"{path}:{number}: has {len(line)} entries, the heading has {len(heading)}")
        if "" in line:
            raise ScenarioError(f"{path}:{number}: {heading[line.index('')]}: is empty")
    if "" in heading or len(set(heading)) < len(heading):
        raise ScenarioError(f"{path}:{first}: each column needs a different name")

    def place_in_table(at: Key) -> str:
        if at[:1] != ("vary",):
            return place(at)
        number = rows[at[2]][0] if len(at) > 2 and isinstance(at[2], int) else first
        return ": ".join([f"{path}:{number}", *map(str, at[1:2]), ""])

    return {name: [plain_value(line[k]) for _, line in rows] for k, name in enumerate(heading)}, place_in_table


def plain_value(text: str) -> bool | int | float | str:
    """What a value given as text means: true or false, a number, or the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _with_files(fields: dict[str, Any], folder: Path, place: Places) -> tuple[dict[str, Any], Places]:
    """The fields with scenarios and tables that stand beside the file found there, and where each was written."""
    fields = dict(fields)
    scenarios = fields.get("scenarios")
    if isinstance(scenarios, list):
        fields["scenarios"] = [_beside(folder, name) for name in scenarios]
    if "policies" in fields:
        fields["policies"] = _mixes(fields["policies"], folder, place)
    table = fields.pop("table", None)
    if table is not None:
        if fields.get("design") != "list" or "vary" in fields or not isinstance(table, str):
            raise ScenarioError(place(("table",)) + "is the name of a CSV file, for `design: list`, in place of `vary`")
        fields["vary"], place = read_table(folder / table, place)
    return fields, place


def _mixes(given: Any, folder: Path, place: Places) -> Any:
    """Policy mixes: a list of names, or by name a list of instruments or the name of a mix (`policy_files`)."""
    if isinstance(given, list):
        if not all(isinstance(name, str) for name in given):
            raise ScenarioError(place(("policies",)) + "a list names mixes; instruments need a name: `mine: [...]`")
        given = {name: name for name in given}
    if not isinstance(given, dict):
        return given
    found = {}
    for name, mix in given.items():
        found[name] = mix
        if isinstance(mix, str):
            try:
                found[name] = [item.model_dump() for item in policy_mix(_beside(folder, mix))]
            except ScenarioError as error:
                raise ScenarioError(f"{place(('policies', name))}{error}") from None
    return found


def _beside(folder: Path, name: Any) -> Any:
    """A scenario file that stands beside the experiment file, found from anywhere."""
    is_beside = isinstance(name, str) and name.endswith(SUFFIXES) and is_file(folder / name)
    return str(folder / name) if is_beside else name


def _message(detail: ErrorDetails, place: Places) -> str:
    reason = detail.get("ctx", {}).get("error")
    if isinstance(reason, DesignError):
        return place(reason.at) + reason.reason
    at, kind, value = detail["loc"], detail["type"], detail["input"]
    if at[:1] == ("vary",):
        if len(at) < 3:  # not even the kind of values is known
            return (
                place(at) + "must be a list of values, {start, stop, count} or {low, high}, with `log: true` if wanted"
            )
        at = (*at[:2], *at[3:4])  # pydantic's own names left out
        if isinstance(at[-1], int):
            return f"{place(at)}{show(value)}: must be a finite number, true or false, or text"
    if kind == "extra_forbidden":
        known = _known_keys(detail["loc"])
        return f"{place(at)}unknown key{suggest(str(at[-1]), known) or f' (known: {", ".join(known)})'}"
    if kind == "missing":
        return place(at) + "this key is required"
    if kind == "too_short":
        return place(at) + "must not be empty"
    said = "" if isinstance(value, dict | list | tuple) else f"{show(value)}: "
    expected = str(reason or detail["msg"]).replace("Input should be", "must be").replace("a valid tuple", "a list")
    if at[:1] == ("stop",) and kind == "string_type":
        expected = 'must be a comparison with a number, such as "< 10"'
    known = re.findall(r"'(\w+)'", detail.get("ctx", {}).get("expected", "")) if isinstance(value, str) else []
    return f"{place(at)}{said}{expected}{suggest(str(value), known)}"


def _known_keys(at: Key) -> list[str]:
    """The keys beside which an unknown one stands."""
    if at[:1] == ("vary",):
        return list(Span.model_fields if at[2] == "span" else Range.model_fields)
    return list(Keep.model_fields) if at[0] == "keep" else [*Experiment.model_fields, "table"]
