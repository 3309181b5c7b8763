"""Observed against simulated: median and 90 % band over runs, misses shown as misses."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.observables import Observable, observable
from district_sim.text.names import label_name
from district_sim.text.numbers import number, percent
from district_sim.text.sheet import Sheet

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case, Target
    from district_sim.evidence.cases.runs import Observed

BAND = (0.05, 0.95)
"""Quantiles over runs between which a band lies."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One target beside what runs gave."""

    target: "Target"
    values: np.ndarray
    """(runs,)."""
    start: bool = False
    """Whether it is of the first year: what the run begins with, no outcome."""

    @property
    def median(self) -> float:
        """Of the runs."""
        return float(np.nanmedian(self.values))

    @property
    def band(self) -> tuple[float, float]:
        """90 % of the runs lie within."""
        low, high = np.nanquantile(self.values, BAND)
        return float(low), float(high)

    @property
    def hit(self) -> bool:
        """A value: it lies in the band, or the median lies within its tolerance. A direction: so does the median."""
        target, (low, high) = self.target, self.band
        if target.value is not None:
            return low <= target.value <= high or abs(self.median - target.value) <= target.tolerance
        return self.median > target.above if target.above is not None else self.median < float(target.below or 0.0)

    @property
    def error(self) -> float | None:
        """Of the median, as a share of the observed value; None for a direction."""
        value = self.target.value
        return self.median / value - 1.0 if value else None

    @property
    def used(self) -> str:
        """For what: "start", "fitted" or "checked"."""
        return "fitted" if self.target.fit else "start" if self.start else "checked"

    @property
    def what(self) -> str:
        """The measure in words, with the years of a ratio."""
        target = self.target
        how = {"ratio": f", ratio to {target.since}", "difference": f", change since {target.since}"}
        since = how[target.change] if target.since else ""
        return f"{self._measure.description}{since}{', less the comparison' if target.compared else ''}"

    @property
    def _measure(self) -> Observable:
        found = observable(self.target.measure)
        assert found is not None  # checked where the file was read
        return found

    @property
    def observed(self) -> str:
        """In words."""
        target = self.target
        if target.value is None:
            return f"> {target.above:g}" if target.above is not None else f"< {target.below:g}"
        tolerance = f" ± {self._shown(target.tolerance)}" if target.tolerance > 0.0 else ""
        return f"{self._shown(target.value)}{tolerance}"

    def _shown(self, value: float) -> str:
        measure = self._measure
        if self.target.since is not None and self.target.change == "ratio":
            return number(value, 2)
        if measure.unit.startswith("share"):
            return percent(value, 1)
        return number(value, 0) if measure.extensive and abs(value) >= 10.0 else f"{value:.3g}"

    def cells(self) -> tuple[str, ...]:
        """A line of `comparison_sheet`."""
        low, high = self.band
        return (
            self.what,
            self.used,
            self.target.certainty,
            str(self.target.year),
            self.observed,
            self._shown(self.median),
            f"{self._shown(low)} to {self._shown(high)}",
            "" if self.error is None else percent(self.error, sign=True),
            "hit" if self.hit else "MISS",
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON and CSV."""
        target, (low, high) = self.target, self.band
        return {
            "measure": target.measure,
            "year": target.year,
            "since": target.since,
            "change": target.change if target.since else None,
            "compared": target.compared,
            "value": target.value,
            "tolerance": target.tolerance,
            "above": target.above,
            "below": target.below,
            "used": self.used,
            "certainty": target.certainty,
            "source": target.source,
            "published": target.published,
            "median": self.median,
            "low": low,
            "high": high,
            "hit": self.hit,
        }


def compare(case: "Case", runs: Sequence["Observed"]) -> list[Compared]:
    """Each of a case's targets beside the runs."""
    values = np.array([run.values for run in runs])
    rates = {target.measure for target in case.targets if (found := observable(target.measure)) and found.lasts}
    return [
        Compared(target, values[:, k], target.measure not in rates and case.calendar.quarter(target.year) == 0)
        for k, target in enumerate(case.targets)
    ]


def labels(runs: Sequence["Observed"], unidentified: bool = False) -> str:
    """The label that most runs have, in words.

    Args:
        unidentified: whether parameters were fitted and no target identifies any of them.
    """
    label, count = Counter(run.label for run in runs).most_common(1)[0]
    doubt = " No target identifies any fitted parameter: this label is that of the values assumed." * unidentified
    return f"Label: {label_name(label)} in {count} of {len(runs)} runs.{doubt}"


def comparison_sheet(title: str, compared: Sequence[Compared], note: str = "") -> Sheet:
    """Observed against simulated, a line for each target."""
    columns = ("Measure", "Used", "Certainty", "Year", "Observed", "Simulated", "90 % of runs", "Error", "")
    hits = sum(row.hit for row in compared)
    checks = [row for row in compared if row.used == "checked"]
    told = (
        f"{hits} of {len(compared)} hit; {sum(row.hit for row in checks)} of {len(checks)} of those only checked. "
        f"Simulated: median over {len(compared[0].values)} runs. Hit: the observed value lies within the central 90 % "
        "of the runs, or the median within the tolerance (±); a direction is hit if the median moves that way. "
        "Firms and people are those at the beginning of the year. "
        "Certainty: A read in the source, B in a secondary source, C assumed. "
    )
    return Sheet.plain(title, columns, [row.cells() for row in compared], (told + note).strip(), left=3)
