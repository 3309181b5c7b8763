"""Current prices: what money at constant prices was worth in its own years. Only what is shown changes, never a run."""

from pathlib import Path
from typing import TYPE_CHECKING

from district_sim.scenario.calendar import Calendar
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.indicators import INDICATORS
from district_sim.scenario.sections import Scenario
from district_sim.scenario.texts import MOST_TABLE_BYTES, read_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MONEY = tuple(indicator.name for indicator in INDICATORS if "k€" in indicator.unit)
"""Indicators in money."""


def factors(path: Path, scenario: Scenario) -> "np.ndarray":
    """By what an amount of each quarter is multiplied to be at its own prices.

    Args:
        path: of a CSV file with the columns `date` (a year, or `2012Q3`) and `index` (the level of prices, on any
            base). A year's index holds for its quarters that have none of their own.
        scenario: whose run has dates and whose `money.base_year` is known.

    Returns:
        Shape (quarters,): 1 on average over the base year.

    Raises:
        ScenarioError: the file cannot be used, or lacks a quarter; the message names file and line or quarter.
    """
    import numpy as np

    calendar, base = scenario.run.calendar, scenario.money.base_year
    if calendar is None or base is None:
        missing = "run.start" if calendar is None else "money.base_year"
        raise ScenarioError(
            f"{path}: current prices need {missing} in the scenario (run.start: 2002, money.base_year: 2005)"
        )
    index = _index(path)

    def level(date: str) -> float:
        found = index.get(date, index.get(date[:4]))
        if found is None:
            raise ScenarioError(
                f"{path}: has no index for {date}; the run goes from {calendar.span(scenario.run.quarters)}"
            )
        return found

    if str(base) in index:
        of_base = index[str(base)]
    else:
        of_base = float(np.mean([level(f"{base}Q{number}") for number in range(1, 5)]))
    return np.array([level(calendar.date(t)) / of_base for t in range(scenario.run.quarters)])


def at_current_prices(table: "pd.DataFrame", factor: "np.ndarray") -> "pd.DataFrame":
    """The indicators in money at the prices of their quarter: one row a quarter, as in the table.

    Args:
        table: (quarters,) of indicators. factor: at least as many, as `factors` gives them.
    """
    return table[list(MONEY)].mul(factor[: len(table)], axis=0)


def _index(path: Path) -> dict[str, float]:
    """The index by date, as `2012` or `2012Q3`."""
    import csv
    import io

    import pandas as pd

    text = read_text(path, str(path), "a CSV file", MOST_TABLE_BYTES)
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, sep=None, engine="python", skipinitialspace=True)
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise ScenarioError(f"{path}: not a CSV file: {str(error).splitlines()[0]}") from None
    table.columns = [str(name).strip().lower() for name in table]
    if lacking := [name for name in ("date", "index") if name not in table]:
        raise ScenarioError(f"{path}: needs the columns date and index; {' and '.join(lacking)} cannot be found")
    found: dict[str, float] = {}
    for number, (date, level) in enumerate(zip(table["date"], table["index"], strict=True), start=2):
        place, when = f"{path}:{number}", str(date).strip()
        try:
            first = Calendar.of(when)
            value = float(str(level).replace(",", "."))
        except ValueError:
            reason = f"date = {date}, index = {level}: must be a year or a quarter of one, and a number"
            raise ScenarioError(f"{place}: {reason}") from None
        if not 0.0 < value < float("inf"):
            raise ScenarioError(f"{place}: index = {level}: must be above 0")
        name = when if when.isdecimal() else first.date(0)
        if name in found:
            raise ScenarioError(f"{place}: date = {date}: given twice")
        found[name] = value
    return found
