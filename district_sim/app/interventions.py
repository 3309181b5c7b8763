"""What can be done to a district while it runs: policy instruments switched on and off, and shocks."""

from collections.abc import Mapping, Sequence
from typing import Any

from district_sim.scenario.instruments import FOREVER, InstrumentKind, ShockKind
from district_sim.scenario.interventions import MOST_INSTRUMENTS, MOST_SHOCKS
from district_sim.scenario.sections import Scenario

type Instruments = list[dict[str, Any]]

NEVER: dict[str, Any] = {"start": FOREVER - 1, "end": FOREVER}
"""The window of an instrument that is off."""

BUDGET = 0.003
"""Share of the district's turnover that an instrument switched on costs a quarter: about what the bundled scenarios
give theirs. All cost the same, so that what they do can be compared."""


def instruments_of(scenario: Scenario) -> Instruments:
    """The scenario's instruments as plain data, ready to be changed."""
    return [instrument.model_dump(mode="json") for instrument in scenario.policies]


def is_on(instrument: Mapping[str, Any], quarter: int) -> bool:
    """Whether an instrument acts, or will act, after `quarter` quarters."""
    return bool(instrument["end"] > quarter and instrument["start"] < FOREVER - 1)


def offered(instruments: Sequence[Mapping[str, Any]]) -> Instruments:
    """What can be switched: the instruments that are there, and those of the other kinds, which are off; by kind."""
    kinds = {instrument["kind"] for instrument in instruments}
    new = [
        {"name": kind.record.label, "kind": kind.value, "budget_share": BUDGET} | NEVER
        for kind in InstrumentKind
        if kind.value not in kinds
    ]
    return sorted([*map(dict, instruments), *new], key=lambda one: InstrumentKind(one["kind"]).code)


def switched(instruments: Sequence[Mapping[str, Any]], name: str, on: bool, quarter: int, begin: int) -> Instruments:
    """The instruments with one of `offered` switched on or off from the next quarter.

    An instrument keeps its place in the list, by which the district knows it.

    Args:
        begin: the quarter from which instruments act that are switched on before the run.

    Raises:
        KeyError: there is no such instrument. ValueError: the list is full.
    """
    found = {one["name"]: dict(one) for one in offered(instruments)}[name]
    if on:
        found |= {"start": quarter or begin, "end": FOREVER}
    else:
        found |= {"end": quarter} if found["start"] < quarter else NEVER
    here = [one["name"] for one in instruments]
    if name in here:
        return [found if one["name"] == name else dict(one) for one in instruments]
    if len(here) >= MOST_INSTRUMENTS:
        raise ValueError(f"a scenario has at most {MOST_INSTRUMENTS} instruments")
    return [*map(dict, instruments), found]


def hint_of(instrument: Mapping[str, Any]) -> str:
    """What an instrument does, at what other cost, its kind in a scenario file, and its budget."""
    kind = InstrumentKind(instrument["kind"])
    return f"{kind.record.mechanism} {kind.record.costs} ({kind}, {_cost(instrument)})".replace("`", "")


def _cost(instrument: Mapping[str, Any]) -> str:
    parts = []
    if instrument.get("budget"):
        parts.append(f"{instrument['budget']:g} k€ a quarter")
    if instrument.get("budget_share"):
        parts.append(f"{100 * instrument['budget_share']:g} % of the district's sales")
    return " and ".join(parts) or "without a budget"


def time_of(kind: ShockKind) -> str:
    """How long a shock lasts, in words."""
    record = kind.record
    if record.event:
        return "at once"
    if record.typical_duration == FOREVER:
        return "for good"
    return f"for {record.typical_duration} quarters, fading in {record.typical_recovery}"


def shock_hint(kind: ShockKind) -> str:
    """What a shock does, how large it is here, for how long, and its kind in a scenario file."""
    record = kind.record
    size = f"Size {record.typical_size:g} ({record.size}), {time_of(kind)}."
    return f"{record.mechanism} {size} ({kind})".replace("`", "")


def struck(shocks: Sequence[Mapping[str, Any]], kind: ShockKind, quarter: int) -> list[dict[str, Any]]:
    """The scenario's shocks and one more, from the next quarter on.

    Raises:
        ValueError: the same shock strikes in that quarter already, or the list is full.
    """
    record = kind.record
    if any(one["kind"] == kind and one["start"] == quarter for one in shocks):
        raise ValueError(f"{record.label}: it strikes in this quarter already")
    if len(shocks) >= MOST_SHOCKS:
        raise ValueError(f"a scenario has at most {MOST_SHOCKS} shocks")
    new = {
        "name": record.label,
        "kind": kind.value,
        "start": quarter,
        "size": record.typical_size,
        "duration": record.typical_duration,
        "recovery": record.typical_recovery,
    }
    return [*map(dict, shocks), new]
