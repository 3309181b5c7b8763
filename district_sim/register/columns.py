"""Which column is which: recognised by name in five languages, proposed in a file, corrected there."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from district_sim.scenario.files import read_yaml
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import ScenarioError, parse_yaml, short

FIRM_VARIABLES = (
    *("id", "employees", "lat", "lon", "x", "y", "phase", "owner", "group", "turnover", "founded", "exports"),
    *("research", "education", "patents", "foreign"),
)
TIE_VARIABLES = ("buyer", "supplier", "value")
REQUIRED = {"firms": ("id", "employees"), "ties": ("buyer", "supplier")}
VARIABLES = {"firms": FIRM_VARIABLES, "ties": TIE_VARIABLES}
MONEY = {"EUR a year": 1e-3 / 4, "kEUR a year": 1.0 / 4, "MEUR a year": 1e3 / 4, "EUR a quarter": 1e-3,
         "kEUR a quarter": 1.0}  # fmt: skip
"""Units of money, each in k€ a quarter."""
_WORDS = ("multinational", "missing", "total", "yes", "no")  # lists of cells in the file of names
SHARES = {"share": 1.0, "percent": 0.01}
LENGTHS = {"m": 1e-3, "km": 1.0}
UNITS: dict[str, tuple[str, ...]] = {
    "turnover": tuple(MONEY),
    "value": tuple(MONEY),
    "exports": (*SHARES, *MONEY),
    "research": (*SHARES, *MONEY),
    "education": tuple(SHARES),
    "x": tuple(LENGTHS),
    "y": tuple(LENGTHS),
}
"""The units in which a variable may stand; shares of R&D and exports are of turnover."""
_LABEL = 0.5  # so much less counts a label than a name that fits as well
_LIKE = 0.87  # how alike a header and a name are that is misspelt


class Choice(NamedTuple):
    """What is taken for what."""

    columns: dict[str, dict[str, str]]
    """By table ("firms", "ties"): column by variable."""
    units: dict[str, str]
    """By variable, where a file of columns says it."""
    reasons: dict[str, str]
    """By variable: why this column, in words; empty where a file of columns says it."""
    source: str
    """The file of columns, empty where all is proposed."""


def plain(text: object) -> str:
    """Words in small letters, without accents and signs."""
    letters = unicodedata.normalize("NFKD", str(text).replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", letters)))


@cache
def names() -> dict[str, Any]:
    """The file of names as plain data."""
    text = Path(__file__).with_name("names.yaml").read_text(encoding="utf-8")
    read = parse_yaml(text, "names.yaml")
    tables = {part: {v: [str(n) for n in read[part][v]] for v in VARIABLES[part]} for part in VARIABLES}
    return {**tables, **{part: {plain(word) for word in read[part]} for part in _WORDS}}


def proposed(
    table: str, columns: Sequence[str], labels: Mapping[str, str] = MappingProxyType({})
) -> tuple[dict[str, str], dict[str, str]]:
    """Column by variable, and the reason by variable, by the names of the columns and their labels alone.

    Args:
        table: "firms" or "ties". columns: of the table. labels: by column what the file says of it.
    """
    fits: list[tuple[float, int, str, str, str]] = []
    for place, column in enumerate(columns):
        headers = [(plain(_split_camel(column)), "", 0.0)]
        if label := labels.get(column):
            headers.append((plain(label), f" (its label: {short(label, 60)})", _LABEL))
        for variable, known in names()[table].items():
            for name in known:
                for header, where, less in headers:
                    fit, reason = _fit(header, name)
                    if fit:
                        fits.append((less - fit, place, variable, column, f"{reason}{where}"))
    found: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for _, _, variable, column, reason in sorted(fits):
        if variable not in found and column not in found.values():
            found[variable], reasons[variable] = column, reason
    if "lat" not in found or "lon" not in found:
        for variable in ("lat", "lon"):
            found.pop(variable, None)
    if "x" not in found or "y" not in found:
        for variable in ("x", "y"):
            found.pop(variable, None)
    return found, reasons


def _split_camel(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)


def _fit(header: str, name: str) -> tuple[float, str]:
    """How well a header fits a name: more than 100 if it is the name, fewer if it only holds it."""
    if header == name:
        return 1000.0, "its name"
    words = f" {header} "
    if len(name) > 2 and words.startswith(f" {name} "):
        return 300.0 + len(name), f"it begins with {name!r}"
    if len(name) > 3 and f" {name} " in words:
        return 100.0 + len(name), f"it holds {name!r}"
    if len(name) > 5 and difflib.SequenceMatcher(None, header, name).ratio() >= _LIKE:
        return 50.0 + len(name), f"it is nearly {name!r}: check"
    return 0.0, ""


def chosen(
    tables: Mapping[str, Sequence[str]],
    given: "Path | Mapping[str, Any] | None",
    labels: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Choice:
    """Column by variable: proposed, and where a file or a mapping of columns is given, as it says.

    Args:
        tables: columns by table, "firms" and, if there are any, "ties". given: see `proposal` for the form.
        labels: by table and column what the file says of it.

    Raises:
        ScenarioError: the file is wrong, or names a column that is not there.
    """
    columns: dict[str, dict[str, str]] = {}
    reasons: dict[str, str] = {}
    for table, names_of_columns in tables.items():
        columns[table], why = proposed(table, names_of_columns, labels.get(table, {}))
        reasons |= why
    if given is None:
        return Choice(columns, {}, reasons, "")
    if isinstance(given, Path):
        data, places = read_yaml(given)
        name = str(given)
    else:
        data, places, name = dict(given), {}, "columns"
        if not data.keys() & {"firms", "ties", "units"}:
            data = {"firms": data}

    def at(*key: str) -> str:
        return places.get(key, name)

    _known(data, ("firms", "ties", "units"), at, ())
    for table in ("firms", "ties"):
        said = data.get(table) or {}
        if not isinstance(said, Mapping):
            raise ScenarioError(f"{at(table)}: {table}: must be lines 'variable: column'")
        _known(said, VARIABLES[table], at, (table,))
        if table not in tables:
            continue
        for variable, column in said.items():
            columns[table].pop(variable, None)
            if column in (None, ""):
                continue
            if not isinstance(column, str | int | float):
                raise ScenarioError(f"{at(table, variable)}: {table}.{variable}: must be the name of a column")
            column = str(column)  # a header may be a year
            if column not in tables[table]:
                hint = suggest(column, list(tables[table])) or f" (columns: {', '.join(map(short, tables[table]))})"
                raise ScenarioError(f"{at(table, variable)}: {table}.{variable}: there is no column {column!r}{hint}")
            columns[table] = {v: c for v, c in columns[table].items() if c != column or v in said}
            columns[table][variable] = column
            reasons[variable] = ""
    return Choice(columns, _units(data.get("units") or {}, at), reasons, name)


def _units(said: Any, at: Any) -> dict[str, str]:
    if not isinstance(said, Mapping):
        raise ScenarioError(f"{at('units')}: units: must be lines 'variable: unit'")
    _known(said, UNITS, at, ("units",))
    for variable, unit in said.items():
        if unit not in UNITS[variable]:
            raise ScenarioError(
                f"{at('units', variable)}: units.{variable} = {unit!r}: must be one of {', '.join(UNITS[variable])}"
            )
    return {variable: str(unit) for variable, unit in said.items()}


def _known(given: Mapping[str, Any], known: Any, at: Any, above: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            hint = suggest(str(key), list(known)) or f" (known: {', '.join(known)})"
            raise ScenarioError(f"{at(*above, str(key))}: {'.'.join((*above, str(key)))}: unknown key{hint}")


def required(choice: Choice, table: str, columns: Sequence[str], name: str, proposal_at: str) -> None:
    """Raises ScenarioError where a column that is needed was not recognised."""
    for variable in REQUIRED[table]:
        if variable not in choice.columns[table]:
            shown = ", ".join(short(str(column), 40) for column in columns)
            raise ScenarioError(
                f"{name}: no column is recognised as {variable}, which is needed. Write it into {proposal_at} under "
                f"{table}, as `{variable}: COLUMN`, and give that file with --columns (columns: {shown})"
            )


def proposal(choice: Choice, tables: Mapping[str, Sequence[str]], units: Mapping[str, str]) -> str:
    """The file of columns: what was taken for what, why, and what was not used."""
    lines = [
        "# Which column was taken for which variable, and in which unit. Correct it where it is wrong and import again",
        "# with --columns THIS_FILE. Leave a variable empty to leave it out.",
    ]
    for table, columns in tables.items():
        lines.append(f"{table}:")
        used = choice.columns[table]
        for variable in VARIABLES[table]:
            column = _quoted(used[variable]) if variable in used else ""
            reason = choice.reasons.get(variable, "") if variable in used else ""
            lines.append(f"  {variable}: {column}".rstrip() + (f"  # {reason}" if reason else ""))
        left = [column for column in columns if column not in used.values()]
        if left:
            lines.append(f"  # not used: {', '.join(' '.join(short(column, 40).split()) for column in left)}")
    if units:
        lines.append("units:")
        for variable, unit in units.items():
            lines.append(f"  {variable}: {unit}  # one of {', '.join(UNITS[variable])}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
