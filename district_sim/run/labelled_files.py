"""Tables in files that carry what their columns are: units, descriptions and the meaning of codes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.run.columns import Note
from district_sim.run.whole_files import write_whole

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

type Notes = Callable[[str], Note]
"""From a column's name to what it is."""

_EXACT = 2**53  # whole numbers beyond it are not all numbers of Stata, Excel and others, which know floats only


def metadata_of(note: Note) -> dict[str, str]:
    """A note as Parquet keeps it on a column: unit, description and labels (JSON), those that there are."""
    labels = json.dumps({str(code): name for code, name in note.labels.items()}, ensure_ascii=False)
    told = {"unit": note.unit, "description": note.text, "labels": labels if note.labels else ""}
    return {name: text for name, text in told.items() if text}


def with_notes(data: "pa.Table", notes: Notes) -> "pa.Table":
    """The same data with notes on the columns."""
    import pyarrow as pa

    fields = [field.with_metadata(metadata_of(notes(field.name))) for field in data.schema]
    return data.cast(pa.schema(fields, metadata=data.schema.metadata))


def write_parquet(path: Path, frame: "pd.DataFrame", notes: Notes) -> Path:
    """A table with its notes, whole or not at all; an index that has a name is a column. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = with_notes(pa.Table.from_pandas(frame, preserve_index=frame.index.name is not None), notes)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # opened here, as pyarrow takes no name that is not UTF-8
            pq.write_table(data, file, compression="zstd")

    return write_whole(path, write)


def write_stata(path: Path, frame: "pd.DataFrame", notes: Notes, title: str) -> Path:
    """A table for Stata 14 and later, with labels of columns and codes, whole or not at all. Raises OSError.

    What is undefined or infinite is missing. Names are at most 32 characters without points; where one was changed, the
    label begins with the full name.
    """
    names = stata_names([str(name) for name in frame])
    plain = as_floats_can_hold(frame).rename(columns=names).replace([np.inf, -np.inf], np.nan)
    labels, codes = {}, {}
    for name, short in names.items():
        note = notes(name)
        labels[short] = _stata_label(name, short, note)
        column = plain[short]
        if column.dtype == bool:
            plain[short] = column.astype("int8")
        elif not _is_number(column):
            plain[short] = column.astype("object").where(column.notna(), "").astype(str)
        if note.labels and plain[short].dtype.kind in "iu":
            codes[short] = dict(note.labels)
    about: Any = {"variable_labels": labels, "value_labels": codes, "data_label": title[:80]}
    return write_whole(path, lambda temporary: plain.to_stata(temporary, write_index=False, version=118, **about))


def as_floats_can_hold(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same table with whole numbers that floats do not hold, as identities in random draws, as text."""
    large = [
        name
        for name in frame
        if frame[name].dtype.kind in "iu"
        and len(frame)
        and max(-int(frame[name].min()), int(frame[name].max())) > _EXACT
    ]
    return frame.astype(dict.fromkeys(large, str))


def _is_number(column: "pd.Series[Any]") -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype)


def _stata_label(name: str, short: str, note: Note) -> str:
    text = note.text.partition("; missing ")[0]  # a label has 80 characters, and Stata shows what is missing
    label = f"{text} [{note.unit}]" if text and note.unit else text or name
    return (f"{name}: {label}" if short != name and text else label)[:80]


def stata_names(names: Sequence[str]) -> dict[str, str]:
    """Valid and distinct names for Stata: letters, digits and _, not a digit first, at most 32 characters."""
    taken: set[str] = set()
    found = {}
    for name in names:
        plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
        plain = f"_{plain}" if plain[:1].isdigit() else plain
        short, number = plain[:32], 1
        while short in taken:
            number += 1
            short = f"{plain[: 31 - len(str(number))]}_{number}"
        taken.add(short)
        found[name] = short
    return found
