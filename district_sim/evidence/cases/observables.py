"""What a target may be about: indicators, counts of firms by size and owner, births, deaths and survival.

All of it is read from outcomes. A level is that of the date; a yearly rate is that of the year which begins then.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from district_sim.model.state import SELF_OWNED
from district_sim.scenario.indicators import INDICATORS, NAMES

SMALL, LARGE = 9.0, 50.0  # employees: at most this many; at least this many
_YEAR = 4  # quarters
_EXTENSIVE = ("firms", "employees", "k€/quarter", "firms/quarter")


@dataclass(frozen=True, slots=True)
class Observable:
    """Something that can be observed of a district."""

    unit: str
    description: str
    of: Callable[[Any], float] | None = None
    """From the records of the living firms; none for an indicator, which the run has computed already."""
    over: Callable[[Any, np.ndarray], float] | None = None
    """From the records of all firms that ever lived, and the table of indicators so far."""
    lasts: int = 0
    """Quarters from the date that it is about: 0 for a level."""
    since: int = 0
    """Quarters of the run that must have passed at the date."""

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


def _large_share(firms: Any) -> float:
    return float(np.mean(firms.employees >= LARGE)) if len(firms) else np.nan


def _large_employment(firms: Any) -> float:
    return _share(firms.employees[firms.employees >= LARGE], firms.employees)


def _top(k: int, of: str, firms: Any) -> float:
    values = np.sort(firms[of])[::-1]
    return _share(values[:k], values)


def _yearly(flow: str, _: Any, table: np.ndarray) -> float:
    """What happened in the last four quarters, as a share of the firms that lived in them."""
    year = table[-_YEAR:]
    firms = float(year[:, NAMES.index("firms")].mean())
    return float(year[:, NAMES.index(flow)].sum()) / firms if firms > 0.0 else np.nan


def _survived(years: int, firms: Any, table: np.ndarray) -> float:
    """Of the firms founded in the year that ended `years` ago, the share that lives."""
    ended = len(table) - _YEAR * years
    cohort = (firms.founded >= ended - _YEAR) & (firms.founded < ended)
    return float(firms.alive[cohort].mean()) if cohort.any() and ended >= _YEAR else np.nan


@cache
def observable(name: str) -> Observable | None:
    """The observable of that name, None if there is none; some names hold a number, as `survival_5`."""
    if found := re.fullmatch(r"survival_([1-9]\d?)", name):
        years = int(found[1])
        text = f"Survival after {years} years of the firms founded in one year"
        return Observable("share", text, over=partial(_survived, years), since=_YEAR * (years + 1))
    if found := re.fullmatch(r"top_([1-9]\d{0,3})_(sales|employment)_share", name):
        of = "employees" if found[2] == "employment" else "sales"
        text = f"{of.capitalize()} of the {found[1]} largest firms in those of all"
        return Observable("share", text, of=partial(_top, int(found[1]), of))
    return OBSERVABLES.get(name)


def observable_names() -> list[str]:
    """Names of all observables, with examples of those that hold a number."""
    return [*OBSERVABLES, "survival_5", "top_10_sales_share", "top_10_employment_share"]


OBSERVABLES: dict[str, Observable] = {
    "birth_rate": Observable(
        "share/year", "Firms founded in the year, of those that lived in it", over=partial(_yearly, "entries"), lasts=4
    ),
    "death_rate": Observable(
        "share/year", "Firms closed in the year, of those that lived in it", over=partial(_yearly, "exits"), lasts=4
    ),
    "large_firm_share": Observable("share", "Firms with 50 or more employees, of all", _large_share),
    "large_firm_employment_share": Observable("share", "Employees in firms of 50 and more", _large_employment),
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
        name: of one that looks at no other quarter. firms: records of the living firms, as in the state.
        row: (len(NAMES),) the quarter's indicators.
    """
    found = observable(name)
    assert found is not None
    return float(row[NAMES.index(name)]) if found.of is None else found.of(firms)


def observed_in(name: str, firms: Any, table: np.ndarray) -> float:
    """The value of any observable at the end of the table's last quarter, NaN where it is undefined.

    Args:
        firms: records of all firms that ever lived, as in the state. table: (quarters, len(NAMES)).
    """
    found = observable(name)
    if found is not None and found.over is not None:
        return found.over(firms, table)
    return observed(name, firms[firms.alive], table[-1])
