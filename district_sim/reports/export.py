"""A run for other programs: firms, ties, groups, pipelines and indicators, with units and meanings of codes."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from district_sim.experiments.columns import write_described
from district_sim.model.state import SELF_OWNED
from district_sim.run.columns import Note, node_names, note_of
from district_sim.run.labelled_files import as_floats_can_hold, write_parquet, write_stata
from district_sim.run.run import Run, dated
from district_sim.run.whole_files import write_whole

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

type Format = Literal["graphml", "gexf", "dta", "xlsx", "csv", "parquet"]
ONE_FILE: tuple[Literal["graphml", "gexf", "xlsx"], ...] = ("graphml", "gexf", "xlsx")
"""Formats of which one file holds all; the others have a folder with a file for each table."""
_EXCEL_ROWS = 1_048_575  # without the heading
_AGENCY = "agency"
_RENAMED = {"key": "firm_key"}
"""Attributes of nodes in a graph: `key` means something else to GEXF."""


class ExportError(ValueError):
    """Something that a format cannot hold."""


def library(format: Format) -> None:
    """Find out that a format can be written. Raises ImportError, with a message, where a package is missing."""
    if format == "xlsx":
        try:
            import openpyxl  # noqa: F401
        except ImportError as error:
            raise ImportError("--to xlsx needs the package openpyxl: pip install 'district-sim[xlsx]'") from error


def tables_of(run: Run, start: bool = False) -> "dict[str, pd.DataFrame]":
    """All tables of a run: firms, ties, groups and pipelines at the end or at the start, indicators and policies.

    Codes of firms are numbers; `control` and the like are text.
    """
    shown = run.start if start else run.end
    calendar = run.scenario.run.calendar
    firms = shown.firms.reset_index()
    firms["group"] = _group(firms)
    if calendar is not None:
        founded = [calendar.date(int(quarter)) for quarter in firms["founded"]]
        firms.insert(list(firms).index("founded") + 1, "founded_date", founded)
    tables = {"firms": firms, "ties": shown.ties, "groups": _groups(firms), "pipelines": shown.pipelines}
    tables |= {
        "indicators": dated(run.indicators, calendar).reset_index(),
        "policies": dated(run.policies, calendar),
    }
    return {name: table for name, table in tables.items() if len(table.columns)}


def export(run: Run, format: Format, path: Path, start: bool = False) -> list[Path]:
    """Write a run.

    Args:
        run: a run. format: see `Format`.
        path: of the file, or of the folder for formats with a file for each table, which is made if missing.
        start: the district at the start, not at the end.

    Returns:
        The files written, each whole.

    Raises:
        ExportError: the format cannot hold the run. OSError: a file cannot be written.
    """
    tables = tables_of(run, start)
    if format == "xlsx":
        return [_write_excel(path, tables, partial(_note, run))]
    if format in ONE_FILE:
        return _write_graph(run, format, path, tables)
    path.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables.items():
        notes = partial(note_of, name, scenario=run.scenario)
        file = path / f"{name}.{format}"
        if format == "parquet":
            written.append(write_parquet(file, table, notes))
        elif format == "dta":
            written.append(write_stata(file, table, notes, f"{name}: {run.scenario.title or 'a district'}"))
        else:
            written += write_described(file, table, partial(_told, notes))
    return written


def _group(firms: "pd.DataFrame") -> "pd.Series[Any]":
    """By firm its group: the owner, its own number if it leads, missing if it has none."""
    own = firms["owner"].where(firms["owner"] != SELF_OWNED).astype("Int64")
    return own.where(firms["control"] != "leader", firms["firm"]).astype("Int64")


def _groups(firms: "pd.DataFrame") -> "pd.DataFrame":
    held = firms[firms["group"].notna()]
    found = held.groupby("group").agg(firms=("firm", "size"), employees=("employees", "sum"), sales=("sales", "sum"))
    found = found.reset_index().astype({"group": "int64"})
    found.insert(1, "kind", ["multinational" if group < SELF_OWNED else "local group" for group in found["group"]])
    return found


def _note(run: Run, table: str, column: str) -> Note:
    return note_of(table, column, run.scenario)


def _told(notes: Callable[[str], Note], column: str) -> tuple[str, str]:
    """Unit and description, with the codes in words, for formats that keep text only."""
    note = notes(column)
    codes = ", ".join(f"{code} {name}" for code, name in note.labels.items())
    return note.unit, f"{note.text}; {codes}" if codes else note.text


# One file ---------------------------------------------------------------------------------------


def _write_excel(path: Path, tables: "dict[str, pd.DataFrame]", note: Callable[[str, str], Note]) -> Path:
    """A sheet for each table, and one of what the columns are."""
    import pandas as pd

    for name, table in tables.items():
        if len(table) > _EXCEL_ROWS:
            reason = f"{name} has {len(table):,} rows, a sheet holds {_EXCEL_ROWS:,}; take csv or parquet"
            raise ExportError(reason)
    rows = [
        (name, str(column), *_told(partial(note, name), str(column)))
        for name, table in tables.items()
        for column in table
    ]
    columns = pd.DataFrame(rows, columns=["table", "column", "unit", "description"])

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file, pd.ExcelWriter(file, engine="openpyxl") as book:
            for name, table in (*tables.items(), ("columns", columns)):
                as_floats_can_hold(table).to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))
                for cell in _formulas(book.sheets[name]):
                    cell.data_type = "s"  # a name that begins with = is a name

    return write_whole(path, write)


def _formulas(sheet: Any) -> Iterator[Any]:
    return (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f")


def graph_of(run: Run, tables: "dict[str, pd.DataFrame]") -> "nx.DiGraph[str]":
    """The district as a directed graph: nodes are firms, by their numbers, places outside and the agency.

    Two edges stand for a tie (`relation`: tie), each with trust, age and the `orders` that one firm paid to the other
    [k€/quarter]. One edge leads from a firm, or from the agency, to each of its places outside (`relation`: pipeline),
    with its strength. What is missing is not there.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for row in _records(tables["firms"].rename(columns=_RENAMED)):
        graph.add_node(str(row["firm"]), kind="firm", label=f"firm {row['firm']}", **row)
    for row in _records(tables["ties"]):
        a, b, paid_a, paid_b = (row.pop(name, None) for name in ("a", "b", "paid_a", "paid_b"))
        for one, other, paid in ((a, b, paid_a), (b, a, paid_b)):
            orders = {} if paid is None else {"orders": paid}
            graph.add_edge(str(one), str(other), relation="tie", **orders, **row)
    names = node_names(run.scenario)
    for row in _records(tables["pipelines"]) if "pipelines" in tables else ():
        place = names[row["node"]]
        owner = str(row["firm"]) if row["firm"] >= 0 else _AGENCY
        if owner == _AGENCY:
            graph.add_node(_AGENCY, kind="agency", label=_AGENCY)
        graph.add_node(place, kind=place.rpartition(" ")[0], label=place)
        graph.add_edge(owner, place, relation="pipeline", strength=row["strength"])
    return graph


def _records(table: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    """Rows in Python's own numbers, without what is missing."""
    import pandas as pd

    for row in table.astype(object).to_dict("records"):
        known = {str(name): value for name, value in row.items() if not pd.isna(value)}
        yield {name: value.item() if hasattr(value, "item") else value for name, value in known.items()}


def _write_graph(run: Run, format: Format, path: Path, tables: "dict[str, pd.DataFrame]") -> list[Path]:
    """The graph, and beside it what its columns are, for which graph formats have no place."""
    import networkx as nx
    import pandas as pd

    from district_sim.experiments.columns import columns_table
    from district_sim.run.whole_files import write_csv

    graph = graph_of(run, tables)
    write = nx.write_graphml if format == "graphml" else nx.write_gexf
    edges = (
        tables["ties"]
        .drop(columns=["a", "b"])
        .rename(columns={"paid_a": "orders"})
        .drop(columns="paid_b", errors="ignore")
    )
    told = [columns_table(tables["firms"], partial(_told, partial(_note, run, "firms"))).replace({"column": _RENAMED})]
    told.append(columns_table(edges, partial(_told, partial(_edge_note, run))))
    notes = pd.concat(told, keys=["nodes", "edges"], names=["of"]).reset_index(0).reset_index(drop=True)
    return [
        write_whole(path, lambda temporary: write(graph, temporary)),
        write_csv(path.with_name(f"{path.stem}.columns.csv"), notes),
    ]


def _edge_note(run: Run, column: str) -> Note:
    if column == "orders":
        return Note(
            "k€/quarter", "What the first firm paid to the second for its orders; missing before the first market"
        )
    return _note(run, "ties", column)
