"""What can be done to a district while it runs: policy instruments switched on and off, and shocks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from district_sim.instruments import InstrumentKind
from district_sim.scenario import Scenario

type Instruments = list[dict[str, Any]]

FOREVER = 100_000
"""The schema's last quarter: the end of an instrument without an end."""
NEVER: dict[str, Any] = {"start": FOREVER - 1, "end": FOREVER}
"""The window of an instrument that is off."""

BUDGET = 0.003
"""Share of the district's turnover that an instrument switched on costs a quarter: about what the bundled scenarios
give theirs. All cost the same, so that what they do can be compared."""
MOST_INSTRUMENTS = 32

POLICIES: dict[InstrumentKind, tuple[str, str]] = {
    InstrumentKind.TRAINING_VOUCHERS: ("Training vouchers", "Firms get vouchers for training: education rises."),
    InstrumentKind.RD_SUBSIDY: ("R&D subsidy", "Grants for research; firms save part of their own."),
    InstrumentKind.CLUSTER_CONTEST: (
        "Cluster contest",
        "Districts compete with their joint bid; the winner's agency is funded.",
    ),
    InstrumentKind.TECHNOLOGY_CENTRE: ("Technology centre", "A public centre opens access to distant knowledge."),
    InstrumentKind.EXPORT_VOUCHERS: ("Export vouchers", "Help single firms to build their own links abroad."),
    InstrumentKind.EXPORT_PLATFORM: ("Export platform", "Links abroad that all members share."),
    InstrumentKind.PPP_MATCH: ("Public match", "The public adds a euro to each that firms give their agency."),
    InstrumentKind.TAKEOVER_SCREENING: (
        "Takeover screening",
        "Takeovers by multinationals are examined and some stopped.",
    ),
    InstrumentKind.PHASE_SUPPORT: ("Missing phases", "Helps founders in phases of production that are dying out."),
    InstrumentKind.IT_SUBSIDY: ("IT subsidy", "Pays for information technology in firms."),
    InstrumentKind.IT_BROKERS: ("IT with brokers", "The same, with people who bring firms together."),
    InstrumentKind.ENTRANT_ATTRACTION: ("Attract outsiders", "Firms with a distant technology are settled here."),
    InstrumentKind.ENTRANT_ATTRACTION_NETWORKED: (
        "Outsiders, networked",
        "The same, with access to the local firms' networks.",
    ),
}
"""Name and plain explanation of each instrument."""


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
        for kind, (name, _) in POLICIES.items()
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


@dataclass(frozen=True)
class Shock:
    """Something that befalls the district: values of its world, for a while or for good."""

    key: str
    name: str
    description: str
    changes: Callable[[Scenario, int], dict[str, Any]]
    """From the scenario in force and the quarters completed to values by path."""
    lasts: int | None
    """Quarters after which the values before come back; None: for good."""


def _break(scenario: Scenario, quarter: int) -> dict[str, Any]:
    """The quarter in which the next technology ripens, brought forward to now."""
    t = scenario.technology
    ripe = sum(t.first_ripening + k * t.ripening_interval <= quarter for k in range(t.trajectories - 1))
    if ripe >= t.trajectories - 1:
        return {}
    if ripe == 0:
        return {"technology.first_ripening": quarter}
    return {"technology.ripening_interval": max(1, (quarter - t.first_ripening) // ripe)}


def _raised(path: str, by: float, most: float, times: bool = False) -> Callable[[Scenario, int], dict[str, Any]]:
    section, field = path.split(".")

    def changes(scenario: Scenario, quarter: int) -> dict[str, Any]:
        value = float(getattr(getattr(scenario, section), field))
        return {path: min(most, round(value * by if times else value + by, 9))}

    return changes


SHOCKS: tuple[Shock, ...] = (
    Shock(
        "slump",
        "Demand slump",
        "For two years customers turn away: outside competitors' appeal rises by 0.5 log points at full globalisation.",
        _raised("world.competition", 0.5, 3.0),
        8,
    ),
    Shock(
        "competitor",
        "New competitor",
        "A strong rival enters for good: outside competitors' appeal rises by 0.2 log points at full globalisation.",
        _raised("world.competition", 0.2, 3.0),
        None,
    ),
    Shock(
        "break",
        "Technological break",
        "The next technological trajectory ripens now; all research until then was for the one before.",
        _break,
        None,
    ),
    Shock(
        "sourcing",
        "Cheap sourcing",
        "Buying phases abroad gets cheaper by 15 % of its price, for good.",
        lambda scenario, quarter: {"world.sourcing_premium": max(-0.5, scenario.world.sourcing_premium - 0.15)},
        None,
    ),
    Shock(
        "merger",
        "Merger wave",
        "For two years multinationals buy three times as eagerly.",
        _raised("ownership.takeover", 3.0, 1.0, times=True),
        8,
    ),
)


def shock(key: str) -> Shock:
    """The shock of a key; KeyError if there is none."""
    return {one.key: one for one in SHOCKS}[key]
