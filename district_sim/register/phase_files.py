"""Codes of activity as phases of production: by a small file, one for each of Pavitt's sectors is bundled."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from district_sim.register.columns import plain
from district_sim.scenario.files import read_yaml
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import ScenarioError, is_file, short

BUNDLED = Path(__file__).with_name("phases")


class PhaseFile(NamedTuple):
    """Which codes belong to which phase."""

    name: str
    title: str
    phases: tuple[str, ...]
    """Their names; the last one faces the market."""
    codes: dict[str, int]
    """Phase by code, digits only, or by word."""


def bundled() -> list[str]:
    """Names of the files that come with the package."""
    return sorted(path.stem for path in BUNDLED.glob("*.yaml"))


@cache
def load(name: str) -> PhaseFile:
    """A file by the name of a bundled one, or by its path. Raises ScenarioError."""
    path = BUNDLED / f"{name}.yaml" if name in bundled() else Path(name)
    if not is_file(path):
        raise ScenarioError(f"--phases {short(name)}: no such file{suggest(name, bundled())}: {', '.join(bundled())}")
    data, places = read_yaml(path)
    for key in data:
        if key not in ("title", "phases", "codes"):
            raise ScenarioError(f"{places[(key,)]}: {key}: unknown key (known: title, phases, codes)")
    phases, codes = data.get("phases"), data.get("codes")
    if not isinstance(phases, list) or not 2 <= len(phases) <= 12 or any(isinstance(x, dict | list) for x in phases):
        raise ScenarioError(f"{places.get(('phases',), path)}: phases: must be a list of 2 to 12 names")
    if not isinstance(codes, dict):
        raise ScenarioError(f"{places.get(('codes',), path)}: codes: must be lines 'phase: [codes]', phases from 0")
    found: dict[str, int] = {}
    for phase, listed in codes.items():
        place = places[("codes", phase)]
        if not str(phase).isdecimal() or int(phase) >= len(phases):
            raise ScenarioError(f"{place}: codes.{phase}: must be a phase from 0 to {len(phases) - 1}")
        for code in listed if isinstance(listed, list) else [listed]:
            key = _key(code)
            if not key or found.get(key, int(phase)) != int(phase):
                raise ScenarioError(f"{place}: codes.{phase}: {short(str(code))!r} is empty or in two phases")
            found[key] = int(phase)
    return PhaseFile(path.stem, str(data.get("title", path.stem)), tuple(map(str, phases)), found)


def _key(code: object) -> str:
    """A code of numbers by its digits, with or without the letter of its section; another one by its words."""
    text = str(code).strip()
    if re.fullmatch(r"[A-Za-z]{0,2}[ .-]?\d[\d. ]*[A-Z]?", text):
        digits = re.sub(r"\D", "", text)
        return f"0{digits}" if re.match(r"[A-Za-z]? ?\d\.", text) else digits  # 1.11 is 01.11
    return plain(text)


def phases_of(codes: np.ndarray, file: PhaseFile) -> np.ndarray:
    """The phase of each code, (n,) int64; -1 where the file has none that it begins with.

    Args:
        codes: (n,) text, empty where unknown.
    """
    known = {code: _phase(code, file) for code in set(codes)}
    return np.array([known[code] for code in codes], np.int64)


def _phase(code: str, file: PhaseFile) -> int:
    key = _key(code)
    if not key:
        return -1
    if not key.isdecimal():
        names = [plain(name) for name in file.phases]
        return file.codes.get(key, names.index(key) if key in names else -1)
    if len(key) == 1:  # a spreadsheet dropped the first zero
        key = f"0{key}"
    return next((file.codes[key[:n]] for n in range(len(key), 1, -1) if key[:n] in file.codes), -1)


def best(codes: np.ndarray) -> PhaseFile:
    """The bundled file that separates a district's firms best: the one whose phases are the most evenly filled.

    Args:
        codes: (n,) text, empty where unknown.
    """
    return max((load(name) for name in bundled()), key=lambda file: _entropy(phases_of(codes, file)))


def _entropy(phases: np.ndarray) -> float:
    count = np.bincount(phases[phases >= 0]) if (phases >= 0).any() else np.zeros(1)
    share = count[count > 0] / max(1, len(phases))
    return float(-(share * np.log(share)).sum())
