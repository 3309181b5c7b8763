"""Writing files: none is ever half-written, and those of a kind have one format."""

import csv
import json
import math
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from glob import escape
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
    sweep_up(path.parent, escape(path.name))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def sweep_up(folder: Path, name: str = "*") -> None:
    """Remove what killed processes left half-written in a folder, of files of this name (a pattern)."""
    for path in folder.glob(f".{name}.*.part"):
        owner = re.search(r"\.(\d+)\.part$", path.name)
        if owner and not _lives(int(owner[1])):
            with suppress(OSError):
                path.unlink()


LOCK, OWNER = ".lock", ".owner"
"""Files in a folder into which a process is writing."""


class FolderInUse(RuntimeError):
    """Another process is writing into a folder; `who` says which."""

    def __init__(self, folder: Path, who: str) -> None:
        super().__init__(f"{folder}: another command is writing into this folder ({who})")
        self.who = who


def hold(folder: Path) -> Callable[[], None]:
    """Keep other processes out of a folder until this one ends, however it ends, or calls what is returned.

    Raises:
        FolderInUse: another process holds it. OSError: it cannot be written.
    """
    from filelock import FileLock, Timeout

    owner, place = folder / OWNER, folder / LOCK
    lock = FileLock(place)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        who = owner.read_text(encoding="utf-8") if owner.is_file() else "unknown"
        raise FolderInUse(folder, who) from None
    except NotImplementedError:  # a file system without locks
        return lambda: None
    write_text(owner, f"process {os.getpid()} on {platform.node()}")

    def release() -> None:
        owner.unlink(missing_ok=True)
        if os.name != "nt":  # an open file cannot be removed there
            place.unlink(missing_ok=True)
        lock.release()

    return release


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing but the lock of who writes into it."""
    return all(path.name in (LOCK, OWNER) for path in folder.iterdir())


def _lives(process: int) -> bool:
    if os.name == "nt":  # a file that is open cannot be removed there, so nobody has to ask
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()


def write_text(path: Path, text: str) -> Path:
    """`write_whole` for a text, in UTF-8, of the same bytes on every system."""
    return write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def defined(data: Any) -> Any:
    """The same data for JSON, which has no word for what is not finite: it becomes None, and null in the text."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {key: defined(value) for key, value in data.items()}
    return [defined(value) for value in data] if isinstance(data, list | tuple) else data


def json_text(data: Any) -> str:
    """Data as JSON on one line; see `defined`."""
    return json.dumps(defined(data), allow_nan=False)


def write_json(path: Path, data: Any) -> Path:
    """`write_whole` for data as JSON; see `defined`."""
    return write_text(path, json.dumps(defined(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


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
