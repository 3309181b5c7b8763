"""What futures, indicators and outcomes are called in front of a reader, in tables, figures and on the page alike."""

import math
from typing import TYPE_CHECKING

from district_sim.run.columns import phase_name as phase_name
from district_sim.run.trajectories import Trajectory
from district_sim.scenario.extensions import all_indicators
from district_sim.text.numbers import number, percent, points

if TYPE_CHECKING:
    from district_sim.scenario.calendar import Calendar
    from district_sim.scenario.indicators import Indicator

TRAJECTORY_NAMES: dict[Trajectory, str] = {
    Trajectory.FRAGMENTATION: "Fragmentation",
    Trajectory.POST_MARSHALLIAN_NODE: "Post-Marshallian node",
    Trajectory.LEARNING_REGION: "Learning region",
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: "Collective entrepreneurship",
    Trajectory.MARSHALLIAN_PERSISTENCE: "Marshallian persistence",
    Trajectory.DECLINE: "Decline",
}


UNDEFINED = "Undefined"
"""The label of a run of which nothing can be said."""


def label_name(label: Trajectory | None) -> str:
    """The label of a run for a reader."""
    return UNDEFINED if label is None else TRAJECTORY_NAMES[label]


def trajectory_meant(scenario: str) -> Trajectory | None:
    """The trajectory that a scenario is named after, if it is; the baseline is meant to persist."""
    if scenario == "baseline":
        return Trajectory.MARSHALLIAN_PERSISTENCE
    return Trajectory(scenario) if scenario in tuple(Trajectory) else None


def heading(scenario: str) -> str:
    """A scenario's name as a heading: `learning_region` is Learning region."""
    if scenario in tuple(Trajectory):
        return TRAJECTORY_NAMES[Trajectory(scenario)]
    plain = scenario.rsplit("/", 1)[-1].replace("_", " ")
    return plain[:1].upper() + plain[1:]


# Indicators ---------------------------------------------------------------------------------------


_UNSCORED = "an ingredient undefined in all quarters"
_OUTCOMES = {
    "route_takeover": ("Fragmentation by takeover", "share", 2, "Score of fragmentation by takeover", _UNSCORED),
    "route_hierarchy": (
        "Fragmentation by hierarchy", "share", 2, "Score of fragmentation by captive hierarchies", _UNSCORED
    ),
    "retained": (
        "Retained", "1", 2, "Late over calm years: the smaller ratio of employment and value added kept",
        "nothing in the calm years",
    ),
    "recovery_time": (
        "Recovery time", "quarters", 0, "Quarters from the first loss of value added until made good",
        "nothing in the calm years",
    ),
    "own_research": ("Own R&D", "k€/quarter", 0, "R&D that firms pay for themselves", ""),
    "research_spending": ("All R&D", "k€/quarter", 0, "R&D of firms, grants included", ""),
}  # fmt: skip


def record_of(name: str) -> "Indicator":
    """The record of an outcome of a run: an indicator, its late mean, a score, or the time of recovery.

    Any other column has a record without unit and description.
    """
    from district_sim.scenario.indicators import INDICATORS, Indicator

    plain = name.removesuffix("_late")
    outside = (Indicator(column, *one[1:-1]) for column, one in all_indicators().items())
    for indicator in (*INDICATORS, *outside):
        if indicator.name == plain:
            if plain == name:
                return indicator
            label, text = f"{indicator.label} (late)", f"{indicator.description}; late mean"
            return indicator._replace(name=name, label=label, description=text)
    future = name.removeprefix("score_")
    if future != name and future in tuple(Trajectory):
        label = f"Score: {TRAJECTORY_NAMES[Trajectory(future)].lower()}"
        text = f"Score of the trajectory {future.replace('_', ' ')}"
        return Indicator(name, label, "share", 2, text, _UNSCORED)
    if name in _OUTCOMES:
        return Indicator(name, *_OUTCOMES[name])
    label = name.replace("_", " ").capitalize()
    return Indicator(name, label, "", 2, "")


def outcome_name(name: str, unit: bool = True) -> str:
    """An outcome for a reader, with its unit if wanted; shares are meant in per cent."""
    record = record_of(name)
    words = unit_words(record.unit.replace("share", "%"))
    said = record.label.lower()
    known = name.startswith(("score_", "route_")) or words == "index" or words in said.split() or "per firm" in said
    return f"{record.label}, {words}" if unit and words and not known else record.label


def row_name(indicator: "Indicator") -> str:
    """Its label in a narrow table, whose note says that money is k€ a quarter."""
    return f"{indicator.label}, k€" if indicator.unit.startswith("k€") else indicator.label


def moment_name(calendar: "Calendar | None", done: int) -> str:
    """When so many quarters of a run are over: by date where it has dates."""
    if calendar is not None:
        return calendar.after(done)
    return f"after {done} quarters" if done else "before the first quarter"


def span_name(calendar: "Calendar | None", quarters: int) -> str:
    """How long a run is, and from when to when."""
    return f"{quarters} quarters" if calendar is None else f"{calendar.span(quarters)}"


def years_name(calendar: "Calendar | None", first: int, end: int) -> str:
    """The quarters `first` to `end` − 1 of a run (0 is its first) in years: by date where it has dates.

    `2005 to 2012`, `2005Q3 to 2012`, or without dates `years 6 to 12`, where a part of a year counts as that year; of
    one quarter `2005Q3`, or without dates `year 6`.
    """
    if calendar is None:
        years = (first // 4 + 1, max(first, end - 1) // 4 + 1)
        return f"year {years[0]}" if years[0] == years[1] else f"years {years[0]} to {years[1]}"
    if end - first <= 1:
        return calendar.date(first)
    begins, ends = calendar.date(first).removesuffix("Q1"), calendar.date(max(first, end - 1)).removesuffix("Q4")
    return begins if begins == ends else f"{begins} to {ends}"


def unit_words(unit: str) -> str:
    """A unit for a reader: k€/quarter is k€ a quarter, and 1 an index."""
    return "index" if unit == "1" else unit.replace("/quarter", " a quarter").replace("/", " per ")


def in_percent(name: str) -> bool:
    """Whether an outcome is shown in per cent, and its differences are percentage points."""
    return record_of(name).unit.startswith("share") and not name.startswith(("score_", "route_"))


def amount(indicator: "Indicator", value: float) -> str:
    """A value of an indicator, with % if it is a share."""
    if indicator.unit == "share":
        return percent(value, indicator.decimals)
    return number(value, indicator.decimals)


def difference(indicator: "Indicator", gap: float) -> str:
    """A difference between two values of an indicator, signed: shares by points."""
    if indicator.unit == "share":
        return points(gap, indicator.decimals)
    return number(gap, indicator.decimals, sign=True)


def change(indicator: "Indicator", start: float, end: float) -> str:
    """What became of an indicator: shares by points, indices by difference, quantities in per cent."""
    if indicator.unit in ("share", "1"):
        return difference(indicator, end - start)
    if math.isnan(start) or math.isnan(end):
        return number(math.nan, 0)
    if start > 0.0:
        return percent(end / start - 1.0, sign=True)
    return "new" if end > 0.0 else ""
