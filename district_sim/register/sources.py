"""Files as they come: CSV of any kind, Excel, Stata, Parquet, graphs; each a frame of cells and their lines."""

import csv
import io
import warnings
from collections.abc import Callable, Mapping
from itertools import dropwhile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZipFile

from district_sim.register.columns import REQUIRED, proposed
from district_sim.scenario.texts import ScenarioError, short

if TYPE_CHECKING:
    import pandas as pd

GRAPHS = (".graphml", ".gexf")
_DELIMITERS = ";,\t|"
_LOOKED_AT = 200  # lines from which the delimiter is told
_MOST_BYTES = 2_000_000_000
_MOST_ROWS = 5_000_000
_UNFOLDED, _UNFOLDING = 64 * 1024 * 1024, 100  # bytes that any workbook may unpack into; and as many times its size
_READABLE = "CSV (.csv, .txt, .tsv), Excel (.xlsx), Stata (.dta), Parquet (.parquet), GraphML or GEXF"


class Sheet(NamedTuple):
    """A table as it came."""

    name: str
    """Of the file, for messages; of a workbook with its sheet."""
    cells: "pd.DataFrame"
    """Text, numbers or dates; columns have text for names."""
    places: list[int]
    """Line (CSV), or row, of each row of `cells` in the file."""
    unit: str
    """What `places` count: line or row."""
    others: tuple[str, ...] = ()
    """Sheets of the workbook that hold something and are not read."""
    labels: Mapping[str, str] = MappingProxyType({})
    """By column what the file says of it, as Stata's variable labels."""

    def at(self, row: int) -> str:
        """A row's place, for messages."""
        return f"{self.name}, {self.unit} {self.places[row]}"


def read(path: Path, table: str = "firms") -> Sheet:
    """The table in a file; of a graph, its edges. See `read_graph`.

    Args:
        table: "firms" or "ties": which sheet of a workbook is looked for.

    Raises:
        ScenarioError: it cannot be read, is empty, or is of a kind that is not read.
    """
    if path.suffix.lower() in GRAPHS:
        return edges_of(read_graph(path), path.name)
    readers: dict[str, Callable[[Path], Sheet]] = {
        ".csv": _csv, ".txt": _csv, ".tsv": _csv, ".dta": _stata, ".parquet": _parquet,
        **dict.fromkeys((".xlsx", ".xlsm"), lambda workbook: _excel(workbook, table)),
    }  # fmt: skip
    reader = readers.get(path.suffix.lower())
    if path.suffix.lower() == ".xls":
        raise ScenarioError(f"{path}: the old Excel format is not read: save it as .xlsx")
    if reader is None:
        raise ScenarioError(f"{path}: files of this kind are not read: give {_READABLE}")
    _check(path)
    sheet = reader(path)
    return _whole(sheet)


def _check(path: Path) -> None:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise ScenarioError(f"{path}: is a {'folder' if path.is_dir() else 'pipe or a device'}, not a file")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"{short(str(path), 200)}: {_reason(error)}") from None
    if size == 0:
        raise ScenarioError(f"{path}: the file is empty")
    if size > _MOST_BYTES:
        raise ScenarioError(f"{path}: is larger than {_MOST_BYTES // 1_000_000_000} GB")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def frame_as_sheet(frame: "pd.DataFrame", name: str) -> Sheet:
    """A frame that somebody gave; rows are counted from 1."""
    named = frame.reset_index() if any(n is not None for n in frame.index.names) else frame.reset_index(drop=True)
    return _whole(Sheet(name, named, list(range(1, len(named) + 1)), "row"))


def _whole(sheet: Sheet) -> Sheet:
    """Without blank rows and nameless empty columns; refused where nothing or too much is left."""
    cells = sheet.cells.rename(columns=lambda column: " ".join(str(column).split()))
    twice = cells.columns[cells.columns.duplicated() & (cells.columns != "")]
    if len(twice):
        raise ScenarioError(f"{sheet.name}: two columns are called {short(str(twice[0]))!r}; rename one")
    blank = cells.isna() | (cells.astype("string").apply(lambda c: c.str.strip()) == "").fillna(True)
    nameless = [c for c in cells.columns if c == "" or str(c).startswith("Unnamed:")]
    cells = cells.drop(columns=[c for c in dict.fromkeys(nameless) if bool(blank[c].to_numpy().all())])
    kept = ~blank.to_numpy().all(axis=1)
    cells = cells.loc[kept].reset_index(drop=True)
    places = [place for place, keep in zip(sheet.places, kept, strict=True) if keep]
    if not len(cells):
        raise ScenarioError(f"{sheet.name}: has no rows below its header")
    _check_rows(len(cells), sheet.name)
    return sheet._replace(cells=cells, places=places)


def _check_rows(rows: int, name: str) -> None:
    if rows > _MOST_ROWS:
        raise ScenarioError(f"{name}: has {rows:,} rows; at most {_MOST_ROWS:,} are read")


# CSV ----------------------------------------------------------------------------------------------


def _csv(path: Path) -> Sheet:
    import pandas as pd

    text = _decoded(path)
    if "\0" in text[:4096]:
        raise ScenarioError(f"{path}: is not text: give {_READABLE}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, path.name), strict=False)
    rows, places, begun = [], [], 1
    try:
        for row in reader:
            rows.append(row)
            places.append(begun)
            begun = reader.line_num + 1
    except csv.Error as error:
        raise ScenarioError(f"{path.name}, line {reader.line_num}: {error}") from None
    filled = [k for k, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        raise ScenarioError(f"{path.name}: the file is empty")
    top = next((k for k in filled if not _is_title(rows[k])), filled[0])
    header = rows[top]
    while header and not header[-1].strip():
        header = header[:-1]
    body = range(top + 1, len(rows))
    for k in body:
        if len(rows[k]) > len(header) and any(cell.strip() for cell in rows[k][len(header) :]):
            raise ScenarioError(
                f"{path.name}, line {places[k]}: {len(rows[k])} cells, the header has {len(header)}: a delimiter in a "
                "cell needs quotes around the cell"
            )
    width = len(header)
    cells = [(rows[k] + [""] * width)[:width] for k in body]
    frame = pd.DataFrame(cells, columns=[" ".join(name.split()) for name in header], dtype=object)
    return Sheet(path.name, frame, [places[k] for k in body], "line")


def _is_title(row: list[str]) -> bool:
    """Whether a line says something above the header, in one cell."""
    return sum(cell.strip() != "" for cell in row) < 2


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                break
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what Latin-1 is in practice


def _delimiter(text: str, name: str) -> str:
    """The delimiter with which the first lines have the most cells, all about the same number as the header."""
    head = "\n".join(text.splitlines()[:_LOOKED_AT])
    best, score, problem = "", 1.0, "only one column is seen: separate columns by comma, semicolon, tab or |"
    for delimiter in _DELIMITERS:
        rows = dropwhile(_is_title, csv.reader(io.StringIO(head), delimiter=delimiter))
        try:
            widths = [len(row) for row in rows if any(map(str.strip, row))]
        except csv.Error as error:  # a cell of more than 100 kB, at least with this delimiter
            problem = str(error)
            continue
        same = sum(width == widths[0] for width in widths) / len(widths) if widths else 0.0
        if widths and widths[0] > 1 and widths[0] * same**2 > score:
            best, score = delimiter, widths[0] * same**2
    if not best:
        raise ScenarioError(f"{name}: {problem}")
    return best


# Others -------------------------------------------------------------------------------------------


def _excel(path: Path, table: str) -> Sheet:
    """The sheet whose columns are those of the table, else the one with the most cells."""
    import pandas as pd

    try:
        with ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > max(_UNFOLDED, min(_MOST_BYTES, _UNFOLDING * path.stat().st_size)):
            raise ScenarioError(f"{path}: unpacks into {unpacked:,} bytes, far more than its size: save it as .csv")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that say nothing about the cells
            sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except ImportError:
        raise ScenarioError(f"{path}: Excel files need openpyxl: pip install 'district-sim[data]'") from None
    except ScenarioError:
        raise
    except Exception as error:  # the library fails in many ways on what is no workbook
        raise ScenarioError(f"{path}: is not an Excel workbook ({type(error).__name__})") from None
    found = {name: _headed(cells) for name, cells in sheets.items() if cells.notna().sum(axis=1).max() >= 2}
    if not found:
        raise ScenarioError(f"{path}: no sheet holds a table")

    def fits(name: str) -> tuple[bool, int]:
        named = proposed(table, list(found[name][0].columns))[0]
        return set(REQUIRED[table]) <= named.keys(), int(sheets[name].notna().to_numpy().sum())

    name = max(found, key=fits)
    body, top = found[name]
    shown = path.name if len(sheets) == 1 else f"{path.name} [{name}]"
    others = tuple(str(other) for other in found if other != name)
    return Sheet(shown, body, list(range(top + 2, top + 2 + len(body))), "row", others)


def _headed(cells: "pd.DataFrame") -> "tuple[pd.DataFrame, int]":
    """The rows below the header, and the header's row from 0: the first with a text in most of its columns."""
    import pandas as pd

    filled = cells.notna().sum(axis=1).to_numpy()
    top = int((filled >= 0.6 * filled.max()).argmax())
    header = ["" if pd.isna(cell) else str(cell) for cell in cells.iloc[top]]
    return cells.iloc[top + 1 :].set_axis(header, axis=1).reset_index(drop=True), top


def _stata(path: Path) -> Sheet:
    import pandas as pd

    try:
        frame = pd.read_stata(path)
    except ValueError as error:
        if "not unique" not in str(error):
            raise ScenarioError(f"{path}: is not a Stata file: {str(error).splitlines()[0]}") from None
        frame = pd.read_stata(path, convert_categoricals=False)
    except Exception as error:
        raise ScenarioError(f"{path}: is not a Stata file ({type(error).__name__})") from None
    with pd.read_stata(path, iterator=True) as reader:
        said = {column: text for column, text in reader.variable_labels().items() if text}
    return Sheet(path.name, frame.astype(object), list(range(1, len(frame) + 1)), "row", labels=said)


def _parquet(path: Path) -> Sheet:
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        _check_rows(pq.read_metadata(path).num_rows, str(path))
        frame = pd.read_parquet(path)
    except ScenarioError:
        raise
    except Exception as error:
        raise ScenarioError(f"{path}: is not a Parquet file ({type(error).__name__})") from None
    return frame_as_sheet(frame, path.name)


def read_graph(path: Path) -> Any:
    """The networkx graph in a GraphML or GEXF file. Raises ScenarioError."""
    import networkx as nx

    _check(path)
    try:
        return nx.read_graphml(path) if path.suffix.lower() == ".graphml" else nx.read_gexf(path)
    except Exception as error:
        raise ScenarioError(
            f"{path}: is not a {path.suffix[1:]} file: {short(str(error) or type(error).__name__)}"
        ) from None


def edges_of(graph: Any, name: str) -> Sheet:
    """The edges of a graph as ties: buyer, supplier, and what they carry; undirected, the order says nothing."""
    import pandas as pd

    rows = [{**data, "buyer": str(a), "supplier": str(b)} for a, b, data in graph.edges(data=True)]
    if not rows:
        raise ScenarioError(f"{name}: the graph has no edges")
    return _whole(Sheet(name, pd.DataFrame(rows).astype(object), list(range(1, len(rows) + 1)), "edge"))


def nodes_of(graph: Any, name: str) -> Sheet:
    """The nodes of a graph as firms, each with its attributes and its name as id."""
    import pandas as pd

    rows = [{**data, "id": str(node)} for node, data in graph.nodes(data=True)]
    if not rows:
        raise ScenarioError(f"{name}: the graph has no nodes")
    return _whole(Sheet(name, pd.DataFrame(rows).astype(object), list(range(1, len(rows) + 1)), "node"))
