"""What a target may be about: any indicator, and counts of firms by size and owner, from outcomes only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from district_sim.model.indicators import INDICATORS, NAMES
from district_sim.model.state import SELF_OWNED

SMALL, LARGE = 9.0, 50.0  # employees: at most this many; at least this many
_EXTENSIVE = ("firms", "employees", "k€/quarter", "firms/quarter")


@dataclass(frozen=True, slots=True)
class Observable:
    """Something that can be observed of a district."""

    unit: str
    description: str
    of: Callable[[Any], float] | None = None
    """From the records of the living firms; none for an indicator, which the run has computed already."""

    @property
    def extensive(self) -> bool:
        """Whether a district of half the size has half of it."""
        return self.unit in _EXTENSIVE


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    total = float(whole.sum())
    return float(part.sum()) / total if total > 0.0 else np.nan


def _mean_size(firms: Any) -> float:
    return float(firms.employees.mean()) if len(firms) else np.nan


def _small_firms(firms: Any) -> float:
    return float(np.mean(firms.employees <= SMALL)) if len(firms) else np.nan


def _small_employment(firms: Any) -> float:
    return _share(firms.employees[firms.employees <= SMALL], firms.employees)


def _small_sales(firms: Any) -> float:
    return _share(firms.sales[firms.employees <= SMALL], firms.sales)


def _large_firms(firms: Any) -> float:
    return float((firms.employees >= LARGE).sum())


def _large_sales(firms: Any) -> float:
    return _share(firms.sales[firms.employees >= LARGE], firms.sales)


def _groups(firms: Any) -> float:
    return float(len(np.unique(firms.owner[firms.owner >= 0])))


def _affiliates(firms: Any) -> float:
    return float((firms.owner < SELF_OWNED).sum())


def _multinationals(firms: Any) -> float:
    return float(len(np.unique(firms.owner[firms.owner < SELF_OWNED])))


OBSERVABLES: dict[str, Observable] = {
    "mean_size": Observable("employees/firm", "Mean firm size", _mean_size),
    "small_firm_share": Observable("share", "Firms with 9 or fewer employees", _small_firms),
    "small_firm_employment_share": Observable("share", "Employees in firms of 9 or fewer", _small_employment),
    "small_firm_sales_share": Observable("share", "Sales of firms of 9 or fewer in all firms' sales", _small_sales),
    "large_firms": Observable("firms", "Firms with 50 or more employees", _large_firms),
    "large_firm_sales_share": Observable("share", "Sales of firms of 50 and more in all firms' sales", _large_sales),
    "groups": Observable("firms", "Local business groups: leaders that own at least one firm", _groups),
    "affiliates": Observable("firms", "Firms owned by multinationals", _affiliates),
    "multinationals": Observable("companies", "Multinationals that own at least one firm", _multinationals),
    **{indicator.name: Observable(indicator.unit, indicator.description) for indicator in INDICATORS},
}
"""By name."""


def observed(name: str, firms: Any, row: np.ndarray) -> float:
    """The value of an observable at the end of a quarter, NaN where it is undefined.

    Args:
        firms: records of the living firms, as in the state. row: (len(NAMES),) the quarter's indicators.
    """
    of = OBSERVABLES[name].of
    return float(row[NAMES.index(name)]) if of is None else of(firms)
