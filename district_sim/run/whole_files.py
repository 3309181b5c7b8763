"""Writing files: none is ever half-written, and those of a kind have one format."""

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def write_whole(path: Path, write: Callable[[Path], Any]) -> Path:
    """Write through a temporary name in the same folder: the file appears whole under its name or not at all.

    Args:
        path: where the file is to be.
        write: called with the temporary path.

    Returns:
        `path`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """`write_whole` for a text, in UTF-8, of the same bytes on every system."""
    return write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, data: Any) -> Path:
    """`write_whole` for data as JSON."""
    return write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def write_csv(path: Path, table: "pd.DataFrame | Sequence[Mapping[str, Any]]", index: bool = False) -> Path:
    """`write_whole` for a table as CSV.

    Args:
        path: where the file is to be.
        table: a frame, or rows of the same columns, at least one.
        index: write a frame's index as the first column.
    """

    def write(to: Path) -> None:
        with to.open("w", encoding="utf-8", newline="") as file:
            if isinstance(table, Sequence):
                rows = csv.DictWriter(file, list(table[0]), lineterminator="\n")
                rows.writeheader()
                rows.writerows(table)
            else:
                table.to_csv(file, index=index, lineterminator="\n")

    return write_whole(path, write)
