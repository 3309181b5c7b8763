"""Columns that older versions wrote under other names; they are read for one version, with a note."""

import warnings
from collections.abc import Mapping
from pathlib import Path

RENAMED = {"trajectory_mean": "technology_mean"}
"""Indicators: old name to new."""
RENAMED_OF_FIRMS = {"trajectory": "technology"}
"""Columns of firms: old name to new."""


def note_renamed(place: Path, names: Mapping[str, str]) -> None:
    """Warn that a table of an older version was read, and what its columns are called now."""
    told = ", ".join(f"{old} is now called {new}" for old, new in names.items())
    warnings.warn(f"{place} comes from an older version: {told}", FutureWarning, stacklevel=3)
