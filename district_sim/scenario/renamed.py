"""Names that older versions wrote; they are read for one version, with a note of what they are called now."""

import warnings
from collections.abc import Mapping
from typing import Any

RENAMED_PARAMETERS = {"technology.trajectories": "technology.count"}
"""Parameters: old path to new, both `section.name`."""
RENAMED = {"trajectory_mean": "technology_mean"}
"""Indicators: old name to new."""
RENAMED_OF_FIRMS = {"trajectory": "technology"}
"""Columns of firms: old name to new."""


def note_renamed(place: object, names: Mapping[str, str]) -> None:
    """Warn that something of an older version was read, and what its names are now."""
    shown = ", ".join(f"{old} is now called {new}" for old, new in names.items())
    warnings.warn(f"{place} comes from an older version: {shown}", FutureWarning, stacklevel=3)


def new_path(path: str) -> str:
    """The path under which a parameter is known now."""
    if path in RENAMED_PARAMETERS:
        note_renamed(f"The path {path}", {path: RENAMED_PARAMETERS[path]})
    return RENAMED_PARAMETERS.get(path, path)


def rename_parameters(data: dict[str, Any], place: object) -> dict[tuple[str, str], tuple[str, str]]:
    """Give the parameters in a scenario's plain data their new names, in place; returns the keys that changed."""
    changed = {}
    for old, new in RENAMED_PARAMETERS.items():
        section, name = old.split(".")
        part = data.get(section)
        if isinstance(part, dict) and name in part:
            note_renamed(place, {old: new})
            new_key = new.split(".")
            data[section] = {new_key[1] if key == name else key: value for key, value in part.items()}
            changed[section, name] = (new_key[0], new_key[1])
    return changed
