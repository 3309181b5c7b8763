"""What the tables of a real district say, in arrays. Kernels belong to this file too: it imports nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

INDEPENDENT, MULTINATIONAL, UNKNOWN = -1, -2, -3
"""Owners that are no rows of the table."""


class Tables(NamedTuple):
    """What the tables say, as arrays; n firms, m ties. NaN, or the value named, where nothing was observed."""

    employees: np.ndarray  # (n,)
    phase: np.ndarray  # (n,) int64, -1 unknown
    x: np.ndarray  # (n,) km
    y: np.ndarray  # (n,) km
    owner: np.ndarray  # (n,) int64, see INDEPENDENT; UNKNOWN for all or for none
    founded: np.ndarray  # (n,) quarters
    turnover: np.ndarray  # (n,) k€ a quarter
    exports: np.ndarray  # (n,) share
    research: np.ndarray  # (n,) k€ a quarter
    education: np.ndarray  # (n,) share
    patents: np.ndarray  # (n,)
    a: np.ndarray | None  # (m,) int64 rows; None where ties were not observed
    b: np.ndarray | None
    paid_ab: np.ndarray | None  # (m,) k€ a quarter
    paid_ba: np.ndarray | None
