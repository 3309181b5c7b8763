"""Cells as numbers, dates and codes: decimal commas, thousands separators, signs of money, words for nothing."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.register.columns import names, plain

if TYPE_CHECKING:
    import pandas as pd

_SIGNS = r"[\s\u00a0\u202f'’€$£%]|EUR|eur"
_COMMA = r"[+-]?(?:\d*,(?:\d{1,2}|\d{4,})|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})"
"""What is written so has a decimal comma, whatever else is in its column."""
_POINT = r"[+-]?(?:\d*\.(?:\d{1,2}|\d{4,})|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,})"
_GROUP = r"[+-]?\d{1,3}[.,]\d{3}"
"""A thousand and more, or a number with three decimals."""
_PLAIN = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"


def is_missing(cells: "pd.Series") -> np.ndarray:
    """Which cells say nothing, (n,) bool: empty ones, and words such as n.d."""
    words = cells.astype("string").fillna("")
    signs = words.str.strip().isin(["-", "–", "—", "..", "...", "*"])
    empty = words.str.strip() == ""
    told = words.map({word: plain(word) for word in words.unique()}).isin(names()["missing"] - {""})
    return np.asarray(empty | signs | told, bool)


def votes(cells: "pd.Series") -> int:
    """Cells that must have a decimal comma less those that must have a decimal point."""
    text = _stripped(cells)
    return int(text.str.fullmatch(_COMMA).sum()) - int(text.str.fullmatch(_POINT).sum())


def numbers(cells: "pd.Series", comma: bool, grouped: bool = True) -> np.ndarray:
    """The cells as numbers, (n,); NaN for what is missing or none.

    Args:
        comma: whether the table writes a decimal comma: decides where a cell and its column do not.
        grouped: whether 1.234 may be a thousand; coordinates and shares are below that.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(cells):
        return np.array(cells.to_numpy(float, na_value=np.nan))
    text = _stripped(cells)
    own = votes(cells)
    comma = own > 0 if own else comma
    certain = text.str.fullmatch(_COMMA).to_numpy(bool)
    pointed = text.str.fullmatch(_POINT).to_numpy(bool)
    with_comma = certain | (~pointed & comma)
    if not grouped:
        single = text.str.fullmatch(r"[+-]?\d*[.,]\d+").to_numpy(bool)
        text = text.where(~single, text.str.replace(",", ".", regex=False))
        with_comma &= ~single
    read = text.where(~with_comma, text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False))
    groups = text.str.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?").to_numpy(bool) & ~with_comma
    read = read.where(~groups, text.str.replace(",", "", regex=False))
    good = read.str.fullmatch(_PLAIN).to_numpy(bool)
    out = np.full(len(text), np.nan)
    out[good] = pd.to_numeric(read[good]).to_numpy(float)
    return out


def _stripped(cells: "pd.Series") -> "pd.Series":
    text = cells.astype("string").fillna("")
    if not text.str.contains(_SIGNS, regex=True).any():
        return text
    return text.str.replace(_SIGNS, "", regex=True)


def texts(cells: "pd.Series") -> np.ndarray:
    """The cells as text, (n,) of str; a whole number without the decimals that spreadsheets add; empty if missing."""
    text = cells.astype("string").fillna("").str.strip()
    text = text.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    return text.to_numpy(object)


def dates(cells: "pd.Series") -> tuple[np.ndarray, np.ndarray]:
    """Year and quarter of the year (0..3, NaN where only the year is known), (n,) each; NaN where there is none."""
    year, quarter = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        year[row], quarter[row] = _date(cell)
    return year, quarter


def _date(cell: Any) -> tuple[float, float]:
    if hasattr(cell, "year") and hasattr(cell, "month") and cell == cell:
        return float(cell.year), float((cell.month - 1) // 3)
    text = str(cell).strip()
    if found := re.fullmatch(r"(\d{4})(?:\.0+)?", text):
        return float(found[1]), np.nan
    if found := re.match(r"(\d{4})[-/.](\d{1,2})(?:[-/.]\d{1,2})?(?:[ T].*)?$", text):
        return float(found[1]), _quarter(found[2])
    if found := re.match(r"\d{1,2}[-/. ](\d{1,2})[-/. ](\d{4})$", text):
        return float(found[2]), _quarter(found[1])
    return np.nan, np.nan


def _quarter(month: str) -> float:
    return float((int(month) - 1) // 3) if 1 <= int(month) <= 12 else np.nan
