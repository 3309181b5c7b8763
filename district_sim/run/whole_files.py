"""Writing files so that none is ever half-written."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


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
    """`write_whole` for a text, in UTF-8."""
    return write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
