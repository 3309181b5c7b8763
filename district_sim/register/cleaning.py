"""From tables as they came to tables that a district starts from; what is changed or left out is noted by line."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from district_sim.register import phase_files, values
from district_sim.register.columns import LENGTHS, MONEY, SHARES, Choice, names, plain
from district_sim.register.phase_files import PhaseFile
from district_sim.register.sources import Sheet
from district_sim.scenario.data import MOST_TIES
from district_sim.scenario.tables import INDEPENDENT, MULTINATIONAL, UNKNOWN
from district_sim.scenario.texts import ScenarioError, short

if TYPE_CHECKING:
    import pandas as pd

MOST_EMPLOYEES = 1_000_000
FARTHEST = 200.0
"""km from the middle beyond which a place is taken for a mistake."""
_EUROS = 2000.0  # turnover per employee from which on money is taken to be in euros: 2 M€ in thousands
_OLDEST = 500  # years before the start


class Problem(NamedTuple):
    """What was wrong with a row."""

    place: str
    variable: str
    text: str
    rejected: bool
    """Whether the row is left out; else only what is said of the variable."""
    strict: bool = False
    """Whether a strict import refuses the row although it is used."""


@dataclass
class Count:
    """Where the values of a variable come from."""

    observed: int = 0
    cleaned: int = 0
    imputed: int = 0
    rule: str = ""


@dataclass
class Clean:
    """Tables that a district starts from, and all that was done."""

    firms: "pd.DataFrame"
    ties: "pd.DataFrame | None"
    phases: PhaseFile
    start: tuple[int, int] | None
    """Year and quarter (0..3) in which the run begins; None where nothing says it."""
    units: dict[str, str]
    problems: list[Problem]
    counts: dict[str, Count]
    read: dict[str, int] = field(default_factory=dict)
    """Rows of each table as they came."""
    notes: list[str] = field(default_factory=list)

    @property
    def rejected(self) -> list[Problem]:
        """Rows that are left out, in order."""
        return [problem for problem in self.problems if problem.rejected]

    @property
    def refused(self) -> list[Problem]:
        """Rows that a strict import refuses, in order."""
        return [problem for problem in self.problems if problem.rejected or problem.strict]

    @property
    def most_ties(self) -> int:
        """Most ties of one firm."""
        if self.ties is None or not len(self.ties):
            return 0
        return int(np.bincount(np.concatenate([self.ties["a"], self.ties["b"]])).max())


class _Table:
    """The columns of a sheet that are used, and what is found wrong with them."""

    def __init__(self, sheet: Sheet, choice: Choice, table: str) -> None:
        self.sheet, self.columns, self.given = sheet, choice.columns[table], choice.units
        self.found: list[tuple[int, Problem]] = []
        self.units: dict[str, str] = {}
        self.altered: Counter[str] = Counter()
        cells = [sheet.cells[c] for c in self.columns.values() if not _is_number(sheet.cells[c])]
        self.comma = sum(values.votes(column) for column in cells) > 0
        self.kept = np.ones(len(sheet.cells), bool)

    def __contains__(self, variable: str) -> bool:
        return variable in self.columns

    def cells(self, variable: str) -> "pd.Series":
        return self.sheet.cells[self.columns[variable]]

    def reject(self, rows: Any, variable: str, text: str) -> None:
        """Leave rows out that are still in; `text` may have {} for the cell."""
        for row in np.atleast_1d(rows):
            if self.kept[row]:
                self.kept[row] = False
                self._note(int(row), variable, text, True)

    def clean(self, rows: Any, variable: str, text: str, strict: bool = False) -> None:
        """Note that what is said of a variable in some rows is changed or not used."""
        for row in np.atleast_1d(rows):
            if self.kept[row]:
                self.altered[variable] += 1
                self._note(int(row), variable, text, False, strict)

    def _note(self, row: int, variable: str, text: str, rejected: bool, strict: bool = False) -> None:
        cell = short(str(self.cells(variable).iloc[row]), 40) if variable in self else ""
        problem = Problem(self.sheet.at(row), variable, text.replace("{}", repr(cell)), rejected, strict)
        self.found.append((row, problem))

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, in the order of the rows."""
        return [problem for _, problem in sorted(self.found, key=lambda one: one[0])]

    def numbers(self, variable: str, low: float, high: float, what: str, grouped: bool = True) -> np.ndarray:
        """The numbers of a column in its own unit; NaN, with a note, for what is none or out of range."""
        cells = self.cells(variable)
        found, missing = values.numbers(cells, self.comma, grouped), values.is_missing(cells)
        found[missing] = np.nan
        self.clean(np.flatnonzero(np.isnan(found) & ~missing), variable, "{} is no number: not used")
        with np.errstate(invalid="ignore"):
            wrong = ~np.isnan(found) & ~((found >= low) & (found <= high))
        self.clean(np.flatnonzero(wrong), variable, f"{{}} is not {what}: not used")
        found[wrong] = np.nan
        return found


def _is_number(cells: "pd.Series") -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(cells))


def clean(firms: Sheet, ties: Sheet | None, choice: Choice, phases: str | None, start: tuple[int, int] | None) -> Clean:
    """Tables of a district.

    Args:
        phases: a file of phases, by name or path; by default the bundled one that separates the firms best.
        start: year and quarter (0..3) in which the run begins; by default the year after the latest foundation.

    Raises:
        ScenarioError: fewer than ten firms are left.
    """
    import pandas as pd

    table = _Table(firms, choice, "firms")
    ids = _ids(table)
    employees = _employees(table)
    _totals(table, ids, employees)
    x, y = _places(table)
    phase, file, phase_rule = _phases(table, phases)
    founded, begin = _founded(table, start)
    turnover = _money(table, "turnover", employees)
    owner, owner_rule, ids_in = _owners(table, ids, employees)
    counted = {
        "exports": _share_of_turnover(table, "exports", turnover, employees, 1.0),
        "research": _share_of_turnover(table, "research", turnover, employees, turnover),
        "education": _share(table, "education"),
        "patents": table.numbers("patents", 0.0, 1e6, "a number of patents")
        if "patents" in table
        else np.full(len(ids), np.nan),
    }
    frame = pd.DataFrame(
        {"id": ids, "employees": employees, "phase": phase, "x": x, "y": y, "owner": owner, "founded": founded}
        | {"turnover": turnover}
        | counted
    )[table.kept].reset_index(drop=True)
    if len(frame) < 10:
        raise ScenarioError(
            f"{firms.name}: {len(frame)} of {len(ids)} rows can be used; a district has at least 10 firms"
            + _first_reasons(table)
        )
    if len(frame) > 1_000_000:
        raise ScenarioError(f"{firms.name}: {len(frame):,} firms; the model takes at most 1,000,000")
    out = Clean(frame, None, file, begin, table.units, [], {}, {"firms": len(ids)})
    _centre(out, table)
    out.problems = table.problems
    _count(out, table, phase_rule, owner_rule)
    if ties is not None:
        linked = _Table(ties, choice, "ties")
        out.read["ties"] = len(ties.cells)
        out.ties = _ties(linked, ids_in, ids, table)
        out.problems += linked.problems
        out.units |= linked.units
        known = int(np.isfinite(out.ties[["paid_ab", "paid_ba"]].to_numpy(float)).any(axis=1).sum())
        out.counts["ties"] = Count(len(out.ties), linked.altered["ties"], 0, "")
        out.counts["value"] = Count(
            known, linked.altered["value"], len(out.ties) - known, "orders of the settled district between the two"
        )
    else:
        out.counts["ties"] = Count(0, 0, 0, "drawn near and complementary firms first, firms.ties each (seed)")
    return out


def _first_reasons(table: _Table) -> str:
    reasons = Counter(problem.text for problem in table.problems if problem.rejected)
    return "".join(f"\n  {count} rows: {text}" for text, count in reasons.most_common(3))


# Firms --------------------------------------------------------------------------------------------


def _ids(table: _Table) -> np.ndarray:
    ids = values.texts(table.cells("id"))
    missing = values.is_missing(table.cells("id"))
    table.reject(np.flatnonzero(missing), "id", "no id")
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if missing[row]:
            continue
        if name in first:
            table.reject(row, "id", f"duplicate id {{}}: first in {table.sheet.unit} {table.sheet.places[first[name]]}")
        else:
            first[name] = row
    return ids


def _employees(table: _Table) -> np.ndarray:
    cells = table.cells("employees")
    found, missing = values.numbers(cells, table.comma), values.is_missing(cells)
    if table.comma is False and not values.votes(cells):  # 1.234 people are rarer than 1,234
        text = cells.astype("string").fillna("").str.strip()
        grouped = text.str.fullmatch(r"\d{1,3}\.\d{3}").to_numpy(bool)
        found[grouped] *= 1000.0
    found[missing] = np.nan
    table.reject(np.flatnonzero(missing), "employees", "no employees")
    table.reject(np.flatnonzero(np.isnan(found)), "employees", "employees {} are no number")
    table.reject(np.flatnonzero(found <= 0.0), "employees", "employees {}: must be above 0")
    table.reject(np.flatnonzero(found > MOST_EMPLOYEES), "employees", f"employees {{}}: more than {MOST_EMPLOYEES:,}")
    small = np.flatnonzero((found > 0.0) & (found < 1.0))
    table.clean(small, "employees", "{} raised to 1, the smallest firm of the model")
    return np.maximum(found, 1.0)


def _totals(table: _Table, ids: np.ndarray, employees: np.ndarray) -> None:
    """Leave out rows that hold the total of the table: their id says so, and they employ about as many as the rest."""
    said = np.array([plain(name) in names()["total"] for name in ids], bool)
    most = 0.5 * float(employees[table.kept & ~said].sum())
    table.reject(np.flatnonzero(said & (employees > most)), "id", "{} is the table's total, not a firm")


def _places(table: _Table) -> tuple[np.ndarray, np.ndarray]:
    """km east and north of where the projection begins; NaN where unknown."""
    n = len(table.kept)
    if "lat" in table:
        lat = table.numbers("lat", -90.0, 90.0, "a latitude", grouped=False)
        lon = table.numbers("lon", -180.0, 180.0, "a longitude", grouped=False)
        nowhere = (lat == 0.0) & (lon == 0.0)
        table.clean(np.flatnonzero(nowhere), "lat", "latitude and longitude 0: no place")
        lat[nowhere | np.isnan(lon)] = np.nan
        lon[np.isnan(lat)] = np.nan
        return _projected(lat, lon)
    if "x" in table:
        x = table.numbers("x", -1e8, 1e8, "a coordinate")
        y = table.numbers("y", -1e8, 1e8, "a coordinate")
        x[np.isnan(y)], y[np.isnan(x)] = np.nan, np.nan
        known = ~np.isnan(x)
        spread = max(float(np.ptp(x[known])), float(np.ptp(y[known]))) if known.any() else 0.0
        unit = table.given.get("x") or table.given.get("y") or ("m" if spread > 2.0 * FARTHEST else "km")
        table.units["x"] = unit
        return x * LENGTHS[unit], y * LENGTHS[unit]
    return np.full(n, np.nan), np.full(n, np.nan)


def _projected(lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees on WGS 84 as km on the plane that touches the globe in the middle (azimuthal equidistant)."""
    try:
        from pyproj import Transformer
    except ImportError:
        raise ScenarioError("latitudes and longitudes need pyproj: pip install 'district-sim[data]'") from None
    known = ~np.isnan(lat)
    if not known.any():
        return lat, lon
    middle = f"+proj=aeqd +lat_0={np.median(lat[known])} +lon_0={np.median(lon[known])} +datum=WGS84 +units=m"
    x, y = Transformer.from_crs("EPSG:4326", middle, always_xy=True).transform(lon, lat)
    east, north = np.where(known, x, np.nan) / 1000.0, np.where(known, y, np.nan) / 1000.0
    return east, north


def _centre(out: Clean, table: _Table) -> None:
    """Put the middle (medians) at 0; a place far from it is a mistake."""
    for axis in ("x", "y"):
        if out.firms[axis].notna().any():
            out.firms[axis] -= out.firms[axis].median()
    far = np.hypot(out.firms["x"].to_numpy(), out.firms["y"].to_numpy()) > FARTHEST
    if far.any():
        rows = np.flatnonzero(table.kept)[far]
        axis = "lat" if "lat" in table else "x"
        table.clean(rows, axis, f"{{}}: more than {FARTHEST:g} km from the others: place not used")
        out.firms.loc[far, ["x", "y"]] = np.nan


def _phases(table: _Table, name: str | None) -> tuple[np.ndarray, PhaseFile, str]:
    rule = "drawn: firms.final_share in the last phase with half of all people, the others even (seed)"
    if "phase" not in table:
        return np.full(len(table.kept), -1), phase_files.load(name or "supplier_dominated"), rule
    codes = np.where(values.is_missing(table.cells("phase")), "", values.texts(table.cells("phase")))
    said = codes[codes != ""]
    single = {code for code in said if code.isdecimal() and int(code) <= 12}
    file = phase_files.load(name) if name else phase_files.best(codes)
    if len(said) and len(set(said)) <= 13 and single == set(said) and not name:  # numbers of phases, not codes
        last = len(file.phases)
        number = np.array([int(code) if code else -1 for code in codes])
        from_one = number[number >= 0].min() == 1 and number.max() == last
        if number.max() - from_one >= last:
            raise ScenarioError(
                f"{table.sheet.name}: phases go up to {number.max()}; the file of phases {file.name} has {last}, "
                "counted from 0: give another one with --phases"
            )
        phase = np.where(number >= 0, number - from_one, -1)
    else:
        phase = phase_files.phases_of(codes, file)
    unknown = np.flatnonzero((phase < 0) & (codes != ""))
    table.clean(unknown, "phase", f"no phase has the code {{}} in {file.name}: phase unknown")
    if (phase >= 0).any():
        rule = "drawn like the phases of the other firms (seed)"
    return phase, file, rule


def _founded(table: _Table, start: tuple[int, int] | None) -> tuple[np.ndarray, tuple[int, int] | None]:
    """Quarter of foundation, 0 the first of the run, and when the run begins; None where nothing says it."""
    import datetime

    now = datetime.date.today().year
    if "founded" not in table:
        return np.full(len(table.kept), np.nan), start
    cells = table.cells("founded")
    year, quarter = values.dates(cells)
    missing = values.is_missing(cells)
    year[missing] = np.nan
    table.clean(np.flatnonzero(np.isnan(year) & ~missing), "founded", "{} is no year or date: age unknown")
    known = year[~np.isnan(year) & (year <= now + 1)]
    begin = start or (int(known.max()) + 1 if known.size else now, 0)
    with np.errstate(invalid="ignore"):
        old = year < begin[0] - _OLDEST
        founded = (year - begin[0]) * 4 + np.where(np.isnan(quarter), 0.0, quarter) - begin[1]
        founded = np.where(np.isnan(quarter) & (year == begin[0]), np.minimum(founded, 0.0), founded)
        late = founded > 0
    table.clean(np.flatnonzero(old), "founded", f"{{}} is more than {_OLDEST} years before the start: age unknown")
    table.clean(np.flatnonzero(late), "founded", f"{{}} is after the start, {begin[0]}: age unknown")
    founded[old | late] = np.nan
    return founded, begin


def _money(table: _Table, variable: str, employees: np.ndarray) -> np.ndarray:
    """k€ a quarter."""
    if variable not in table:
        return np.full(len(table.kept), np.nan)
    found = table.numbers(variable, 0.0, 1e15, "an amount of 0 or more")
    unit = table.given.get(variable) or _unit_of_money(table, variable, found / employees)
    table.units[variable] = unit
    return found * MONEY[unit]


def _unit_of_money(table: _Table, variable: str, each: np.ndarray) -> str:
    column = table.columns[variable]
    header = plain(f"{column} {table.sheet.labels.get(column, '')}")
    for words, unit in (
        (
            ("th eur", "migl", "migliaia", "k eur", "keur", "miles", "tsd", "teur", "milliers", "k", "000"),
            "kEUR a year",
        ),
        (("mil eur", "mln", "milioni", "m eur", "meur", "millones", "mio", "millions", "million"), "MEUR a year"),
    ):
        if any(f" {word} " in f" {header} " for word in words):
            return unit
    known = each[np.isfinite(each) & (each > 0.0)]
    return "EUR a year" if known.size and float(np.median(known)) > _EUROS else "kEUR a year"


def _share(table: _Table, variable: str) -> np.ndarray:
    if variable not in table:
        return np.full(len(table.kept), np.nan)
    found = table.numbers(variable, 0.0, 100.0, "a share", grouped=False)
    unit = table.given.get(variable) or _unit_of_share(found)
    table.units[variable] = unit
    found *= SHARES[unit]
    table.clean(np.flatnonzero(found > 1.0), variable, "{} is more than all: not used")
    found[found > 1.0] = np.nan
    return found


def _unit_of_share(found: np.ndarray) -> str:
    return "percent" if np.nanmax(found, initial=0.0) > 1.0 else "share"


def _share_of_turnover(
    table: _Table, variable: str, turnover: np.ndarray, employees: np.ndarray, whole: "np.ndarray | float"
) -> np.ndarray:
    """Exports as a share of turnover (`whole` 1), or R&D in k€ a quarter (`whole` the turnover); given as either."""
    if variable not in table:
        return np.full(len(table.kept), np.nan)
    found = table.numbers(variable, 0.0, 1e15, "0 or more")
    most = float(np.nanmax(found, initial=0.0))
    proposed = "share" if most <= 1.0 else "percent" if most <= 100.0 and variable == "exports" else ""
    unit = table.given.get(variable) or proposed or _unit_of_money(table, variable, found / employees)
    table.units[variable] = unit
    if unit in SHARES:
        share = found * SHARES[unit]
        table.clean(np.flatnonzero(share > 1.0), variable, "{} is more than all turnover: not used")
        return np.where(share > 1.0, np.nan, share * whole)
    if variable == "research":
        return found * MONEY[unit]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = found * MONEY[unit] / turnover
        large = share > 1.0
    table.clean(np.flatnonzero(large), variable, "{} is more than all turnover: not used")
    return np.where(large | ~np.isfinite(share), np.nan, share)


# Owners and ties ----------------------------------------------------------------------------------


def _owners(table: _Table, ids: np.ndarray, employees: np.ndarray) -> tuple[np.ndarray, str, dict[str, int]]:
    """Row of each firm's owner among those kept, see `tables.INDEPENDENT`; and the row of each id among those kept."""
    n = len(ids)
    if not any(variable in table for variable in ("owner", "group", "foreign")):
        rule = "the largest firms lead groups and the next largest belong to them, firms.group_share of all"
        return np.full(n, UNKNOWN), rule, _rows(table, ids)
    owner = np.full(n, INDEPENDENT)
    row_of = {name: row for row, name in reversed(list(enumerate(ids))) if table.kept[row]}
    foreign = _foreign(table)
    if "owner" in table:
        elsewhere: dict[str, list[int]] = {}
        said, missing = values.texts(table.cells("owner")), values.is_missing(table.cells("owner"))
        for row in np.flatnonzero(~missing & table.kept):
            if plain(said[row]) in names()["multinational"]:
                owner[row] = MULTINATIONAL
            elif said[row] in row_of:
                owner[row] = row_of[said[row]] if row_of[said[row]] != row else INDEPENDENT
            else:
                elsewhere.setdefault(said[row], []).append(int(row))
        for rows in elsewhere.values():
            _owned_from_outside(table, owner, np.array(rows), foreign, employees)
        _to_the_top(table, owner, employees)
    owner[foreign & (owner == INDEPENDENT) & ~_owns(owner)] = MULTINATIONAL
    if "group" in table:
        _lead_groups(table, owner, employees)
    kept = np.flatnonzero(table.kept)
    place = np.full(n, INDEPENDENT)
    place[kept] = np.arange(kept.size)
    return np.where(owner >= 0, place[np.maximum(owner, 0)], owner), "", _rows(table, ids)


def _rows(table: _Table, ids: np.ndarray) -> dict[str, int]:
    return {str(ids[row]): place for place, row in enumerate(np.flatnonzero(table.kept))}


def _foreign(table: _Table) -> np.ndarray:
    """Which firms have a foreign owner, (n,) bool: as the column says, by yes and no or by a country that few have."""
    out = np.zeros(len(table.kept), bool)
    if "foreign" not in table:
        return out
    cells = table.cells("foreign")
    known = np.flatnonzero(~values.is_missing(cells) & table.kept)
    said = np.array([plain(cell) for cell in values.texts(cells)], object)
    yes, no = names()["yes"] | names()["multinational"], names()["no"]
    if all(word in yes or word in no for word in said[known]):
        out[known] = [word in yes for word in said[known]]
    else:
        home = Counter(said[known]).most_common(1)[0][0]
        out[known] = said[known] != home
    return out


def _owned_from_outside(
    table: _Table, owner: np.ndarray, rows: np.ndarray, foreign: np.ndarray, employees: np.ndarray
) -> None:
    """Firms of one owner that is no firm of the table, as a holding: a multinational's, a group, or independent."""
    unknown = "unknown owner {}, no firm that is used has this id: "
    abroad, here = rows[foreign[rows]], rows[~foreign[rows]]
    owner[abroad] = MULTINATIONAL
    table.clean(abroad, "owner", f"{unknown}foreign, taken as a multinational", strict=True)
    if here.size == 1:
        table.clean(here, "owner", f"{unknown}the firm is taken as independent", strict=True)
    elif here.size:
        leader = here[np.argmax(employees[here])]
        owner[here[here != leader]] = leader
        reason = f"the {here.size} firms of this owner are taken as a group, which the largest leads"
        table.clean(here, "owner", unknown + reason, strict=True)


def _owns(owner: np.ndarray) -> np.ndarray:
    """Which firms own another, (n,) bool."""
    out = np.zeros(owner.size, bool)
    out[owner[owner >= 0]] = True
    return out


def _to_the_top(table: _Table, owner: np.ndarray, employees: np.ndarray) -> None:
    """A firm whose owner has an owner belongs to the last of them; of firms that own each other the largest leads."""
    for row in np.flatnonzero((owner >= 0) & table.kept):
        seen, top = [row], owner[row]
        while top >= 0 and owner[top] >= 0 and top not in seen:
            seen.append(top)
            top = owner[top]
        if top in seen:
            leader = max(seen, key=lambda one: employees[one])
            owner[leader] = INDEPENDENT
            table.clean(leader, "owner", "firms own each other: the largest, this one, leads them")
            top = leader
        if top != owner[row] and row != top:
            table.clean(row, "owner", "the owner has an owner itself: taken as owned by the last in the chain")
            owner[row] = top


def _lead_groups(table: _Table, owner: np.ndarray, employees: np.ndarray) -> None:
    """Firms of one group that say no owner are owned by the largest of the group."""
    import pandas as pd

    said, missing = values.texts(table.cells("group")), values.is_missing(table.cells("group"))
    free = np.flatnonzero(table.kept & ~missing)
    for _, rows in pd.Series(free, index=free).groupby(said[free], sort=False):
        members = rows.to_numpy()
        if members.size < 2:
            continue
        leader = members[np.argmax(np.where(owner[members] == INDEPENDENT, employees[members], -1.0))]
        if owner[leader] == INDEPENDENT:
            others = members[(members != leader) & (owner[members] == INDEPENDENT)]
            owner[others[~np.isin(others, owner)]] = leader


def _ties(table: _Table, row_of: dict[str, int], ids: np.ndarray, firms: _Table) -> "pd.DataFrame":
    """Ties with orders in both directions, each pair once, a < b."""
    import pandas as pd

    ends = {}
    left_out = {str(name) for row, name in enumerate(ids) if not firms.kept[row]} - row_of.keys()
    for side in ("buyer", "supplier"):
        said, missing = values.texts(table.cells(side)), values.is_missing(table.cells(side))
        rows = np.array([row_of.get(name, -1) for name in said], np.int64)
        table.reject(np.flatnonzero(missing), side, f"no {side}")
        gone = np.array([name in left_out for name in said], bool)
        table.reject(np.flatnonzero(gone), side, f"tie to nobody: the row of {side} {{}} cannot be used")
        table.reject(np.flatnonzero(rows < 0), side, f"tie to nobody: no firm has the id {{}} of the {side}")
        ends[side] = rows
    buyer, supplier = ends["buyer"], ends["supplier"]
    table.reject(np.flatnonzero(buyer == supplier), "supplier", "self-tie of {}")
    paid = np.full(len(buyer), np.nan)
    if "value" in table:
        paid = table.numbers("value", 0.0, 1e15, "an amount of 0 or more")
        unit = table.given.get("value") or _unit_of_money(table, "value", paid / 10.0)
        table.units["value"] = unit
        paid = paid * MONEY[unit]
    frame = pd.DataFrame({"buyer": buyer, "supplier": supplier, "paid": paid, "row": range(len(buyer))})[table.kept]
    again = frame.duplicated(["buyer", "supplier"]).to_numpy()
    table.clean(frame["row"].to_numpy()[again], "ties", "the same buyer and supplier again: values are added")
    trades = frame.groupby(["buyer", "supplier"], sort=False)
    orders = pd.DataFrame({"paid": trades["paid"].sum(min_count=1), "row": trades["row"].first()}).reset_index()
    forth = orders["buyer"] < orders["supplier"]
    pair = pd.DataFrame({
        "a": orders[["buyer", "supplier"]].min(axis=1),
        "b": orders[["buyer", "supplier"]].max(axis=1),
        "paid_ab": orders["paid"].where(forth),
        "paid_ba": orders["paid"].where(~forth),
        "row": orders["row"],
    })  # fmt: skip
    ties = pair.groupby(["a", "b"], sort=False).agg("first").reset_index()
    if "value" in table:  # who stands in the table as buyer only buys
        ab, ba = ties["paid_ab"].notna(), ties["paid_ba"].notna()
        ties["paid_ab"] = ties["paid_ab"].where(ab | ~ba, 0.0)
        ties["paid_ba"] = ties["paid_ba"].where(ba | ~ab, 0.0)
    return _at_most(table, ties).drop(columns="row").reset_index(drop=True)


def _at_most(table: _Table, ties: "pd.DataFrame") -> "pd.DataFrame":
    """Ties of firms that have more than slots: those that carry the least are left out."""
    if not len(ties) or np.bincount(ties[["a", "b"]].to_numpy().ravel()).max() <= MOST_TIES:
        return ties
    carried = ties[["paid_ab", "paid_ba"]].sum(axis=1).to_numpy()
    degree: Counter[int] = Counter()
    kept = np.zeros(len(ties), bool)
    a, b = ties["a"].to_numpy(), ties["b"].to_numpy()
    for t in np.argsort(-carried, kind="stable"):
        if degree[a[t]] < MOST_TIES and degree[b[t]] < MOST_TIES:
            kept[t] = True
            degree[a[t]] += 1
            degree[b[t]] += 1
    reason = f"a firm has more than {MOST_TIES} ties, the most that the model takes: this one carries the least"
    table.reject(ties["row"].to_numpy()[~kept], "buyer", reason)
    return ties[kept]


# Counts -------------------------------------------------------------------------------------------


def _count(out: Clean, table: _Table, phase_rule: str, owner_rule: str) -> None:
    firms, n = out.firms, len(out.firms)
    rules = {
        "employees": "",
        "phase": phase_rule,
        "place": "drawn evenly in a disc of firms.radius around the middle (seed)",
        "owner": owner_rule,
        "founded": "drawn evenly between 2 and 17 years before the start (seed)",
        "turnover": "sales of the settled district",
        "exports": "not used: who has a pipeline is drawn by size (seed)",
        "research": "drawn lognormal around normal R&D, spread 0.5 log points (seed)",
        "education": "drawn normal around firms.education, spread 0.08 (seed)",
        "patents": "not used",
    }
    if firms["exports"].notna().any():
        rules["exports"] = "as likely as others of its size to have a pipeline (seed)"
    if firms["patents"].notna().any():
        rules["research"] = "by rank in patents per employee, lognormal as drawn otherwise"
    for name, rule in rules.items():
        column = {"place": "x"}.get(name, name)
        known = firms[column].to_numpy(float)
        missing = {"phase": known < 0, "owner": known == UNKNOWN}.get(name, np.isnan(known))
        altered = sum(table.altered[v] for v in {"place": ("lat", "lon", "x", "y")}.get(name, (name,)))
        out.counts[name] = Count(n - int(missing.sum()), altered, int(missing.sum()), rule if missing.any() else "")
