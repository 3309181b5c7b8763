"""Tables of a real district from which a scenario starts: where they are, and what is in them.

The scenario names the tables and their SHA-256; the tables stay in the folder of the file that names them. They are
read when a run begins, and refused if they are not the tables that the scenario was made with.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from district_sim.scenario.fields import Section
from district_sim.scenario.tables import Tables
from district_sim.scenario.texts import ScenarioError, expanded, short

MEMORY = "(memory)"
"""In place of a file: tables that `hold` keeps in this process."""
MOST_TIES = 127
"""Ties that a firm can have in a table: slots have numbers of one byte."""
FIRM_COLUMNS = {
    "id": "name of the firm in the table",
    "employees": "employees",
    "phase": "production phase, 0 is the first",
    "x": "km east of the middle",
    "y": "km north of the middle",
    "owner": "row of the firm that owns it; -1 independent, -2 owned by a multinational",
    "founded": "quarter of foundation, 0 is the first of the run",
    "turnover": "k€ a quarter",
    "exports": "share of turnover",
    "research": "R&D, k€ a quarter",
    "education": "share of employees with higher education",
    "patents": "patents",
}
TIE_COLUMNS = {
    "a": "row of one firm",
    "b": "row of the other",
    "paid_ab": "k€ a quarter that a pays b",
    "paid_ba": "k€ a quarter that b pays a",
}
_held: dict[str, bytes] = {}


class Data(Section):
    """Tables of firms and ties that the district starts from, written by `district-sim import`."""

    firms: str = Field("", description="File of the firms (Parquet), beside the scenario; empty: firms are drawn")
    firms_sha256: str = Field("", pattern="^([0-9a-f]{64})?$", description="SHA-256 of that file")
    rows: int = Field(0, ge=0, le=1_000_000, description="Firms in it", json_schema_extra={"unit": "firms"})
    ties: str = Field("", description="File of the ties (Parquet); empty: ties are drawn")
    ties_sha256: str = Field("", pattern="^([0-9a-f]{64})?$", description="SHA-256 of that file")
    most_ties: int = Field(
        0, ge=0, le=MOST_TIES, description="Most ties of one firm in it", json_schema_extra={"unit": "ties"}
    )
    phase_weights: tuple[float, ...] = Field(
        (),
        strict=False,
        description="Value of the phases before the last relative to each other; fitted to employment by phase; equal "
        "if left out",
    )
    outside_sales: tuple[float, ...] = Field(
        (),
        strict=False,
        description="Share of the sales of each phase before the last that goes to clients outside the district at the "
        "start; fitted to employment by phase; none if left out",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.firms) != bool(self.firms_sha256) or bool(self.ties) != bool(self.ties_sha256):
            raise ValueError("each file needs its SHA-256, and no other: import the table again")
        if self.ties and not self.firms:
            raise ValueError("ties need a table of firms")
        if any(not 0.0 < weight < 1e9 for weight in self.phase_weights):
            raise ValueError("phase_weights must be above 0")
        if any(not 0.0 <= share <= 1.0 for share in self.outside_sales):
            raise ValueError("outside_sales must be between 0 and 1")
        return self


def hold(content: bytes) -> str:
    """Keep the content of a table in this process; returns its SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    _held[digest] = content
    return digest


def found_beside(section: Any, folder: Path) -> None:
    """Files named in a section `data` of a scenario file stand beside it: put whole paths in place of names."""
    if isinstance(section, dict):
        for name in ("firms", "ties"):
            given = section.get(name)
            if isinstance(given, str) and given not in ("", MEMORY):
                section[name] = os.path.abspath(folder / expanded(given))


def without_place(data: dict[str, Any]) -> dict[str, Any]:
    """A scenario as plain data without where its tables are: a district is the same in another folder."""
    section = data.get("data") or {}
    if not section.get("firms"):
        return data
    placeless = {name: Path(section[name]).name if section[name] else "" for name in ("firms", "ties")}
    return {**data, "data": {**section, **placeless}}


def check_tables(data: Data) -> None:
    """Raises ScenarioError where a table is missing or is not the one that the scenario was made with."""
    for file, digest in ((data.firms, data.firms_sha256), (data.ties, data.ties_sha256)):
        if file:
            _content(file, digest)


def read_tables(data: Data) -> Tables:
    """The tables of a scenario. Raises ScenarioError where they cannot be read, or are not those it was made with."""
    found = _read(data.firms, data.firms_sha256, data.ties, data.ties_sha256)
    if len(found.employees) != data.rows:
        raise ScenarioError(f"{data.firms}: has {len(found.employees):,} firms, data.rows says {data.rows:,}")
    return found


def _content(file: str, digest: str) -> bytes:
    if file == MEMORY:
        if digest in _held:
            return _held[digest]
        raise ScenarioError(
            "the scenario's tables are in the memory of another process: give load_district a folder for them"
        )
    try:
        if os.path.exists(file) and not os.path.isfile(file):  # a device may never end, a pipe never begin
            raise OSError(errno.EINVAL, "is not a file")
        content = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise ScenarioError(f"data: {short(file, 200)}: cannot be read: {reason}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise ScenarioError(
            f"data: {short(file, 200)}: has changed since it was imported; run `district-sim import` again"
        )
    return content


@lru_cache(maxsize=8)
def _read(firms: str, firms_sha256: str, ties: str, ties_sha256: str) -> Tables:
    import numpy as np

    table = _frame(firms, firms_sha256, FIRM_COLUMNS)
    numbers = {name: table[name].to_numpy(float) for name in FIRM_COLUMNS if name not in ("id", "phase", "owner")}
    whole = {name: table[name].to_numpy(np.int64) for name in ("phase", "owner")}
    found = Tables(**numbers, **whole, a=None, b=None, paid_ab=None, paid_ba=None)
    n = len(table)
    if not (found.employees > 0.0).all() or found.phase.min() < -1 or found.owner.max() >= n:
        raise ScenarioError(f"{firms}: is no table of firms that `district-sim import` writes")
    if ties:
        links = _frame(ties, ties_sha256, TIE_COLUMNS)
        a, b = links["a"].to_numpy(np.int64), links["b"].to_numpy(np.int64)
        if len(links) and not (0 <= min(a.min(), b.min()) and max(a.max(), b.max()) < n and (a != b).all()):
            raise ScenarioError(f"{ties}: names firms that {firms} does not have")
        found = found._replace(
            a=a, b=b, paid_ab=links["paid_ab"].to_numpy(float), paid_ba=links["paid_ba"].to_numpy(float)
        )
    for array in found:
        if array is not None:
            array.flags.writeable = False
    return found


def _frame(file: str, digest: str, columns: dict[str, str]) -> Any:
    import pandas as pd

    try:
        table = pd.read_parquet(io.BytesIO(_content(file, digest)))
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"{file}: is not a Parquet file") from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise ScenarioError(f"{file}: lacks the column {missing[0]}: import the table again")
    return table
