"""What can be done to a district while it runs: policy instruments switched on and off, and shocks."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from district_sim.scenario.instrument_notes import INSTRUMENTS, SHOCKS, lasts
from district_sim.scenario.instruments import InstrumentKind, ShockKind
from district_sim.scenario.sections import Scenario

type Instruments = list[dict[str, Any]]

FOREVER = 100_000
"""The schema's last quarter: the end of an instrument without an end."""
NEVER: dict[str, Any] = {"start": FOREVER - 1, "end": FOREVER}
"""The window of an instrument that is off."""

BUDGET = 0.003
"""Share of the district's turnover that an instrument switched on costs a quarter: about what the bundled scenarios
give theirs. All cost the same, so that what they do can be compared."""
MOST_INSTRUMENTS = 32

POLICIES: dict[InstrumentKind, str] = {
    InstrumentKind.TRAINING_VOUCHERS: "Training vouchers",
    InstrumentKind.RD_SUBSIDY: "R&D subsidy",
    InstrumentKind.CLUSTER_CONTEST: "Cluster contest",
    InstrumentKind.TECHNOLOGY_CENTRE: "Technology centre",
    InstrumentKind.EXPORT_VOUCHERS: "Export vouchers",
    InstrumentKind.EXPORT_PLATFORM: "Export platform",
    InstrumentKind.PPP_MATCH: "Public match",
    InstrumentKind.TAKEOVER_SCREENING: "Takeover screening",
    InstrumentKind.PHASE_SUPPORT: "Missing phases",
    InstrumentKind.IT_SUBSIDY: "IT subsidy",
    InstrumentKind.IT_BROKERS: "IT with brokers",
    InstrumentKind.ENTRANT_ATTRACTION: "Attract outsiders",
    InstrumentKind.ENTRANT_ATTRACTION_NETWORKED: "Outsiders, networked",
    InstrumentKind.LOCAL_COOWNERSHIP: "Local co-ownership",
}
"""Name of each instrument on the page; what it does is in `policy_table`."""


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
        {"name": name, "kind": kind.value, "budget_share": BUDGET} | NEVER
        for kind, name in POLICIES.items()
        if kind.value not in kinds
    ]
    order = list(POLICIES)
    return sorted([*map(dict, instruments), *new], key=lambda one: order.index(one["kind"]))


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
    note = INSTRUMENTS[kind]
    return f"{note.mechanism} {note.costs} ({kind}, {_cost(instrument)})".replace("`", "")


def _cost(instrument: Mapping[str, Any]) -> str:
    parts = []
    if instrument.get("budget"):
        parts.append(f"{instrument['budget']:g} k€ a quarter")
    if instrument.get("budget_share"):
        parts.append(f"{100 * instrument['budget_share']:g} % of the district's sales")
    return " and ".join(parts) or "without a budget"


class Strike(NamedTuple):
    """A shock as its button deals it."""

    name: str
    size: float
    duration: int = FOREVER
    """Quarters in full; FOREVER for those that stay and for events."""
    recovery: int = 0


STRIKES: dict[ShockKind, Strike] = {
    ShockKind.DEMAND_SLUMP: Strike("Demand slump", 0.2, 8, 4),
    ShockKind.COMPETITOR_ENTRY: Strike("New competitors", 0.2),
    ShockKind.TECHNOLOGICAL_BREAK: Strike("Technological break", 0.2, 12, 8),
    ShockKind.EXCHANGE_RATE: Strike("Strong currency", 0.15, 8, 4),
    ShockKind.ANCHOR_LOSS: Strike("Largest firm closes", 0.5),
    ShockKind.MNE_EXIT: Strike("Multinational leaves", 0.5),
}
"""Sizes at which the baseline feels it and lives on."""
MOST_SHOCKS = 32


def time_of(kind: ShockKind) -> str:
    """How long a shock lasts, in words."""
    strike = STRIKES[kind]
    if not lasts(kind):
        return "at once"
    if strike.duration == FOREVER:
        return "for good"
    return f"for {strike.duration} quarters, fading in {strike.recovery}"


def shock_hint(kind: ShockKind) -> str:
    """What a shock does, how large it is here, for how long, and its kind in a scenario file."""
    note, strike = SHOCKS[kind], STRIKES[kind]
    return f"{note.mechanism} Size {strike.size:g} ({note.size}), {time_of(kind)}. ({kind})".replace("`", "")


def struck(shocks: Sequence[Mapping[str, Any]], kind: ShockKind, quarter: int) -> list[dict[str, Any]]:
    """The scenario's shocks and one more, from the next quarter on.

    Raises:
        ValueError: the same shock strikes in that quarter already, or the list is full.
    """
    strike = STRIKES[kind]
    if any(one["kind"] == kind and one["start"] == quarter for one in shocks):
        raise ValueError(f"{strike.name}: it strikes in this quarter already")
    if len(shocks) >= MOST_SHOCKS:
        raise ValueError(f"a scenario has at most {MOST_SHOCKS} shocks")
    new = {
        "name": strike.name,
        "kind": kind.value,
        "start": quarter,
        "size": strike.size,
        "duration": strike.duration,
        "recovery": strike.recovery,
    }
    return [*map(dict, shocks), new]
