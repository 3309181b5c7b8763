"""A scenario that starts from tables: what they say of its parameters, fitted so that a calm district stays."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from district_sim.register import columns as choosing
from district_sim.register.calm import Calm, look, measured
from district_sim.register.cleaning import Clean, clean
from district_sim.register.sources import GRAPHS, Sheet, edges_of, frame_as_sheet, nodes_of, read, read_graph
from district_sim.run.whole_files import write_whole
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.data import FIRM_COLUMNS, MEMORY, TIE_COLUMNS, hold
from district_sim.scenario.files import load_scenario
from district_sim.scenario.sections import Market, Scenario, Ties
from district_sim.scenario.tables import UNKNOWN
from district_sim.scenario.texts import ScenarioError, short

if TYPE_CHECKING:
    import pandas as pd

BASE = "baseline"
"""What the scenario extends."""
FIRMS, TIES, SCENARIO, COLUMNS = "firms.parquet", "ties.parquet", "district.yaml", "columns.yaml"
_SLOTS = (14, 32, 64, 127)  # ties.maximum: the model is compiled for each anew, so there are few
_ENOUGH = 20  # final firms whose turnover is known, from which on it sets the level of money
_PLAUSIBLE = (5.0, 60.0)  # k€ of work per employee and quarter
_WAGES = Market().wage / Market().productivity  # of the value of work
_SMALL, _ROUNDS, _FEW_ROUNDS = 5000, 6, 2  # firms up to which the fit is repeated so often; else few rounds
_SHRINKING = 0.04  # loss of the ten largest firms from which on customers are made to follow orders more slowly
_MADE, _ABROAD = 0.12, 0.3  # shares of a phase that final firms make and buy abroad, before they are known
_OWN_VALUE = 0.2
"""Least value of the last phase that is believed without being told: below, final firms would be mere traders."""
_ODD = 0.02  # share of births or deaths of firms in eight quarters below which entry is left alone


class Read(NamedTuple):
    """Tables as they came, and which column is which."""

    firms: Sheet
    ties: Sheet | None
    choice: choosing.Choice

    @property
    def columns(self) -> dict[str, list[str]]:
        """Names of the columns by table."""
        tables = {"firms": self.firms, "ties": self.ties}
        return {name: [str(c) for c in sheet.cells.columns] for name, sheet in tables.items() if sheet is not None}


class Value(NamedTuple):
    """What a scenario says of a parameter, and why."""

    value: Any
    reason: str


@dataclass(frozen=True)
class District:
    """A district made from tables."""

    clean: Clean
    values: dict[str, Value]
    """By path."""
    scenario: Scenario
    """Its tables are in this process's memory, or in a folder."""
    calm: Calm
    """Eight calm quarters of it."""


type Given = "pd.DataFrame | Path | str | Any"
"""A frame, a networkx graph or a file."""


def load_district(
    firms: Given,
    ties: Given = None,
    *,
    columns: "Path | str | Mapping[str, Any] | None" = None,
    phases: str | None = None,
    start: "int | str | None" = None,
    folder: "Path | str | None" = None,
    strict: bool = False,
    **fields: Any,
) -> Scenario:
    """A scenario that starts from a table of firms.

    Args:
        firms: a DataFrame, a networkx graph whose nodes are firms and whose edges are ties, or a file. Needed are an id
            and employees; the rest is used where it is there.
        ties: who buys from whom: a DataFrame, a graph or a file.
        columns: which column is which where names do not say it: `{"employees": "addetti"}`, the same by table
            (`{"firms": {...}, "ties": {...}, "units": {...}}`), or a file that `district-sim import` proposed.
        phases: which codes belong to which phase: a bundled name or a file.
        start: when the run begins, 2002 or "2002Q3"; by default the year after the latest foundation.
        folder: where the tables are kept. Without one they stay in this process: a run is made, a sweep with worker
            processes is not.
        strict: refuse tables with rows that cannot be used.
        fields: sections or values of the scenario, such as `title="Prato"` or `run={"quarters": 80}`.

    Raises:
        ScenarioError: a table, a file or a field is not valid.
    """
    given = Path(columns) if isinstance(columns, str) else columns
    found = open_tables(firms, ties, given)
    cleaned = tidied(found, phases, None if start is None else begin(start), strict)
    made = district(cleaned, {name: value for name, value in fields.items() if value is not None}, found.firms.name)
    if folder is None:
        return made.scenario
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    return made.scenario.model_copy(update={"data": write_tables(made, place)})


def begin(start: int | str) -> tuple[int, int]:
    """Year and quarter (0..3) of a date. Raises ScenarioError."""
    try:
        return divmod(Calendar.of(start).first, 4)
    except ValueError as error:
        raise ScenarioError(f"start {start}: {error}") from None


def open_tables(firms: Given, ties: Given, columns: "Path | Mapping[str, Any] | None") -> Read:
    """The tables as they came. Raises ScenarioError."""
    sheet, other = _sheet(firms, "firms", nodes_of), None
    if ties is not None:
        other = _sheet(ties, "ties", edges_of)
    elif (graph := _graph(firms)) is not None and graph.number_of_edges():
        other = edges_of(graph, f"edges of {sheet.name}")
    sheets = {"firms": sheet} if other is None else {"firms": sheet, "ties": other}
    tables = {name: [str(c) for c in one.cells.columns] for name, one in sheets.items()}
    return Read(sheet, other, choosing.chosen(tables, columns, {name: one.labels for name, one in sheets.items()}))


def _graph(given: Given) -> Any:
    if isinstance(given, str | Path):
        return read_graph(Path(given)) if Path(given).suffix.lower() in GRAPHS else None
    return given if hasattr(given, "edges") and hasattr(given, "nodes") else None


def _sheet(given: Given, name: str, of_graph: Any) -> Sheet:
    graph = _graph(given)
    if graph is not None:
        return of_graph(graph, Path(given).name if isinstance(given, str | Path) else name)
    if isinstance(given, str | Path):
        return read(Path(given), name)
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        return frame_as_sheet(given, name)
    raise ScenarioError(f"{name}: must be a table, a networkx graph or a file, not {type(given).__name__}")


def tidied(
    found: Read, phases: str | None, start: tuple[int, int] | None, strict: bool, proposal_at: str = COLUMNS
) -> Clean:
    """The tables cleaned. Raises ScenarioError; with `strict` for every row that cannot be used."""
    for table, names in found.columns.items():
        name = (found.firms if table == "firms" or found.ties is None else found.ties).name
        choosing.required(found.choice, table, names, name, proposal_at)
    cleaned = clean(found.firms, found.ties, found.choice, phases, start)
    if strict and cleaned.refused:
        lines = [f"{one.place}: {one.variable}: {one.text}" for one in cleaned.refused]
        raise ScenarioError("\n".join([f"{len(lines)} rows cannot be used as they are:", *lines]))
    return cleaned


def district(cleaned: Clean, fields: Mapping[str, Any], name: str = "") -> District:
    """The scenario of cleaned tables.

    Args:
        fields: sections or values that win over those that follow from the tables. name: of the table, for a title.
    """
    tables = {FIRMS: _parquet(cleaned.firms[list(FIRM_COLUMNS)])}
    data: dict[str, Any] = {
        "data.firms": MEMORY,
        "data.firms_sha256": hold(tables[FIRMS]),
        "data.rows": len(cleaned.firms),
    }
    if cleaned.ties is not None:
        tables[TIES] = _parquet(cleaned.ties[list(TIE_COLUMNS)])
        data |= {"data.ties": MEMORY, "data.ties_sha256": hold(tables[TIES]), "data.most_ties": cleaned.most_ties}
    told = _told(cleaned)
    wishes = _flat(fields)
    wishes.setdefault("title", short(f"The district of {name}" if name else "A district", 120))

    def scenario(values: Mapping[str, Value]) -> Scenario:
        said = {path: one.value for path, one in values.items()}
        return load_scenario(BASE, {**data, **said, **wishes})

    rounds = _ROUNDS if len(cleaned.firms) <= _SMALL else _FEW_ROUNDS
    values = told | _guessed(cleaned)
    for _ in range(rounds):
        now = scenario(values)
        values |= _fitted(measured(now), cleaned, now)
    if not any(values["data.outside_sales"].value if "data.outside_sales" in values else ()):
        values.pop("data.outside_sales", None)
    final = scenario(values)
    return District(cleaned, values, final, look(final))


def of_shape(cleaned: Clean) -> Scenario:
    """A scenario for which the model is compiled as for these tables."""
    told = _told(cleaned)
    return load_scenario(
        BASE, {name: told[name].value for name in ("technology.phases", "ties.maximum") if name in told}
    )


def date(year: int, quarter: int) -> str:
    """A date as scenarios write it: 2002, or 2002Q3 where it is not the first quarter (0) of a year."""
    return f"{year}Q{quarter + 1}" if quarter else str(year)


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping) and name != "extensions":
            out |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            out[name.replace("__", ".")] = value
    return out


def _parquet(frame: "pd.DataFrame") -> bytes:
    content = io.BytesIO()
    frame.to_parquet(content)
    return content.getvalue()


def _told(cleaned: Clean) -> dict[str, Value]:
    """What the tables say of parameters."""
    firms, n = cleaned.firms, len(cleaned.firms)
    people = firms["employees"].to_numpy()
    last = len(cleaned.phases.phases) - 1
    values = {
        "firms.count": Value(n, "firms in the table"),
        "firms.size_mean": Value(_within(people.mean(), 1.5, 500.0), "mean of the table"),
        "firms.size_sigma": Value(_within(np.log(people).std(), 0.1, 2.0), "of the table's log sizes"),
    }
    if cleaned.start is not None:
        values["run.start"] = Value(date(*cleaned.start), "dates of foundation count from here")
    if last != 5:
        values["technology.phases"] = Value(last + 1, f"phases in {cleaned.phases.name}")
    known = firms["phase"].to_numpy() >= 0
    if known.any():
        share = float((firms["phase"].to_numpy()[known] == last).mean())
        values["firms.final_share"] = Value(_within(share, 0.05, 0.8), "of the firms whose phase is known")
    place = np.hypot(firms["x"].to_numpy(), firms["y"].to_numpy())
    place = place[np.isfinite(place)]
    if place.size:
        values["firms.radius"] = Value(_within(np.quantile(place, 0.95), 0.5, 200.0), "holds 95 % of the places")
    owner = firms["owner"].to_numpy()
    if owner[0] != UNKNOWN:
        leaders = np.unique(owner[owner >= 0])
        members = int((owner >= 0).sum()) + leaders.size
        values["firms.group_share"] = Value(_within(members / n, 0.0, 1.0), "of the table")
        if leaders.size:
            values["firms.group_size"] = Value(_within(members / leaders.size, 2.0, 20.0), "of the table")
    if firms["education"].notna().any():
        values["firms.education"] = Value(_within(firms["education"].mean(), 0.0, 1.0), "mean of the table")
    reversion = _reversion(cleaned)
    if reversion is not None:
        values["market.size_reversion"] = reversion
    if cleaned.ties is not None:
        degree = 2.0 * len(cleaned.ties) / n
        slots = next(one for one in _SLOTS if one >= max(cleaned.most_ties, min(14, math.ceil(degree) + 2)))
        values["firms.ties"] = Value(_within(degree, 0.0, 14.0), "mean of the table")
        values["ties.maximum"] = Value(slots, f"one firm has {cleaned.most_ties}")
        values["ties.wanted"] = Value(_within(degree + 1.0, 0.0, 64.0), "as many as firms have, and one")
    return values


def _within(value: Any, low: float, high: float) -> float:
    return float(f"{min(high, max(low, float(value))):.4g}")


def _reversion(cleaned: Clean) -> Value | None:
    """Pull to the mean at which the spread of log sizes stays: twice its variance times the pull is that of a shock."""
    base = load_scenario(BASE).market
    firms = cleaned.firms
    log = np.log(firms["employees"].to_numpy())
    phase = firms["phase"].to_numpy()
    within = np.concatenate([log[phase == q] - log[phase == q].mean() for q in np.unique(phase)])
    variance = float(within.var())
    # A Laplace shock has twice its scale squared
    pull = base.growth_noise**2 / variance if variance > 0.0 else math.inf
    if pull >= base.size_reversion:
        return None
    return Value(float(f"{pull:.3g}"), "the spread of the table's sizes stays: Kalecki 1945")


# Fit ----------------------------------------------------------------------------------------------


def _fitted(seen: Any, cleaned: Clean, scenario: Scenario) -> dict[str, Value]:
    """Values with which eight calm quarters change less than they did; `seen` is what `calm.measured` gives."""
    out: dict[str, Value] = {}
    if (cleaned.firms["phase"] >= 0).any():
        out |= _phase_values(seen.work, seen.made, seen.abroad, _exported(cleaned))
    out |= _money(seen, cleaned, scenario)
    if seen.largest < 1.0 - _SHRINKING:
        memory = scenario.market.order_memory * max(0.25, 0.5 * _SHRINKING / (1.0 - seen.largest) + 0.25)
        reason = "customers follow orders more slowly, so that the largest firms keep theirs"
        out["market.order_memory"] = Value(_within(memory, scenario.market.customer_memory, 1.0), reason)
    out |= _searching(seen, scenario)
    if max(seen.entries, seen.exits) > _ODD * len(cleaned.firms) and seen.entries > 0.0:
        entry = scenario.demography.entry * min(3.0, max(1 / 3, seen.exits / seen.entries))
        out["demography.entry"] = Value(_within(entry, 0.0, 1.0), "as many firms are founded as close in calm quarters")
    return out


def _guessed(cleaned: Clean) -> dict[str, Value]:
    """Values of phases from where people work, before anything is run."""
    known = cleaned.firms["phase"] >= 0
    if not known.any():
        return {}
    phases = len(cleaned.phases.phases)
    people = cleaned.firms[known]
    work = np.bincount(people["phase"].to_numpy(), people["employees"].to_numpy(), phases)
    return _phase_values(work, np.full(phases - 1, _MADE), np.full(phases - 1, _ABROAD), _exported(cleaned))


def _exported(cleaned: Clean) -> np.ndarray:
    """Exports in the sales of each phase before the last, (P - 1,), by employees; 0 where too few firms say it."""
    firms, last = cleaned.firms, len(cleaned.phases.phases) - 1
    known = firms[firms["exports"].notna() & (firms["phase"] >= 0) & (firms["phase"] < last)]
    if len(known) < _ENOUGH:
        return np.zeros(last)
    phase, people = known["phase"].to_numpy(), known["employees"].to_numpy()
    exports = known["exports"].to_numpy()
    all_phases = float(exports @ people / people.sum())
    there = np.bincount(phase, people, last)
    sold = np.bincount(phase, people * exports, last)
    return np.where(there > 0.0, sold / np.maximum(there, 1e-9), all_phases)


def _phase_values(work: np.ndarray, made: np.ndarray, abroad: np.ndarray, exported: np.ndarray) -> dict[str, Value]:
    """Value of the phases, and what those before the last sell outside, at which orders employ who is there.

    Work in a phase is its value times final sales, less what is made in the house or bought abroad, and what clients
    outside order; work of final firms is their own phase and what they make. Clients outside order what is exported,
    and beyond that no more than must be: what final firms could buy only if they added less than _OWN_VALUE themselves.

    Args:
        work: (P,) employees by phase. made, abroad: (P - 1,) shares of each phase that final firms make and buy abroad.
        exported: (P - 1,) least share of each phase that is sold outside.
    """
    most = np.maximum(work[:-1], 1e-6 * work.sum()) / np.maximum(0.05, 1.0 - made - abroad) * (1.0 - exported)
    making = (1.0 + Market().make_penalty) * float(most @ made)
    able = (1.0 - _OWN_VALUE) * work[-1] / ((1.0 - _OWN_VALUE) * making + _OWN_VALUE * float(most.sum()))
    bought = min(1.0, able)  # of what is not exported
    sold, own = bought * most, work[-1] - bought * making
    final = own / (own + float(sold.sum()))
    weights = [float(f"{w:.4g}") for w in most / most.mean()]
    outside = [_within(share, 0.0, 1.0) for share in 1.0 - bought * (1.0 - exported)]
    return {
        "data.phase_weights": Value(weights, "value of the first phases at which their people have work"),
        "data.outside_sales": Value(outside, _why_outside(bought, exported)),
        "market.final_value": Value(_within(final, 0.05, 0.9), "the same of the last phase"),
    }


def _why_outside(bought: float, exported: np.ndarray) -> str:
    if bought < 1.0:
        return "the district's final firms are too few to buy what the people of these phases make"
    return "their exports" if exported.any() else "none: the district's final firms can buy it all"


def _money(seen: Any, cleaned: Clean, scenario: Scenario) -> dict[str, Value]:
    """Level of money: final firms' turnover, less what they buy abroad, is what all people make for them."""
    firms, last = cleaned.firms, len(cleaned.phases.phases) - 1
    known = firms["turnover"].notna() & (firms["phase"] == last)
    if int(known.sum()) < _ENOUGH:
        return {}
    final = firms["employees"][firms["phase"] == last].sum()
    sales = float(firms["turnover"][known].sum() * final / firms["employees"][known].sum())
    elsewhere = float(seen.work[:-1] @ np.array(scenario.data.outside_sales)) if scenario.data.outside_sales else 0.0
    each = sales * (1.0 - seen.bought_abroad) / (float(seen.work.sum()) - elsewhere)
    if not _PLAUSIBLE[0] <= each <= _PLAUSIBLE[1]:
        note = (
            f"Final firms' turnover is {each:.3g} k€ a quarter for each employee who works for them, which is not "
            "plausible: the level of money is the model's own. Is the unit right? Another file of phases may fit "
            "better."
        )
        if note not in cleaned.notes:
            cleaned.notes.append(note)
        return {}
    productivity = _within(each, 1.0, 200.0)
    return {
        "market.productivity": Value(productivity, "turnover of final firms for each employee who works for them"),
        "market.wage": Value(_within(_WAGES * productivity, 0.5, 100.0), "two thirds of it"),
    }


def _searching(seen: Any, scenario: Scenario) -> dict[str, Value]:
    """Search for partners at which as many ties form as end."""
    if seen.tie_births <= 0.0 or seen.tie_deaths <= 0.0:
        return {}
    searching = scenario.ties.searching * seen.tie_deaths / seen.tie_births
    if searching <= 1.0:
        return {"ties.searching": Value(_within(searching, 0.001, 1.0), "as many ties form as end in calm quarters")}
    more = scenario.ties.wanted * min(1.5, searching**0.5)
    most = float(min(scenario.ties.maximum, Ties.model_fields["wanted"].metadata[1].le))
    return {
        "ties.searching": Value(1.0, "as many ties form as end in calm quarters"),
        "ties.wanted": Value(_within(more, 0.0, most), "the same"),
    }


# Files --------------------------------------------------------------------------------------------


def write_tables(made: District, folder: Path) -> Any:
    """Write the tables into a folder; returns the section `data` that finds them there. Raises OSError."""
    update = {}
    for name, frame, listed in (
        ("firms", made.clean.firms, FIRM_COLUMNS),
        ("ties", made.clean.ties, TIE_COLUMNS),
    ):
        path = folder / {"firms": FIRMS, "ties": TIES}[name]
        if frame is None:
            path.unlink(missing_ok=True)
            continue
        content = _parquet(frame[list(listed)])
        write_whole(path, lambda temporary, content=content: temporary.write_bytes(content))  # type: ignore[misc]
        update[name] = str(path.absolute())
    return made.scenario.data.model_copy(update=update)


def scenario_text(made: District, source: str, command: str) -> str:
    """The scenario file, with the reason of each value."""
    data = made.scenario.data
    lines = [
        f"# Written by `{command}`.",
        "# To give the district another future, extend another scenario: these lines win over what it says.",
        f"extends: {BASE}",
        f"title: {_text(made.scenario.title)}",
        f"description: {_text(_described(made, source))}",
    ]
    tables = {"firms": FIRMS, "firms_sha256": data.firms_sha256, "rows": data.rows}
    if data.ties:
        tables |= {"ties": TIES, "ties_sha256": data.ties_sha256, "most_ties": data.most_ties}
    values = {f"data.{name}": Value(value, "") for name, value in tables.items()} | made.values
    section = ""
    for path, one in sorted(values.items(), key=lambda item: _order(item[0])):
        above, _, name = path.rpartition(".")
        if above != section:
            lines.append(f"{above}:")
            section = above
        lines.append(f"  {name}: {one.value}" + (f"  # {one.reason}" if one.reason else ""))
    return "\n".join(lines) + "\n"


def _order(path: str) -> int:
    return list(Scenario.model_fields).index(path.split(".")[0])


def _described(made: District, source: str) -> str:
    firms, ties = len(made.clean.firms), made.clean.ties
    linked = "" if ties is None else f" and {len(ties):,} ties"
    return f"{firms:,} firms{linked} of {source}; what nobody observed is drawn.{made.calm.told}"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
