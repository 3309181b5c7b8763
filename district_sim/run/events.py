"""What happened in a run: the one list of events that page, figures, films, lessons and files tell.

A `Chronicle` looks at a district after each quarter; `Chronicle.events` is the list. `Run.events` gives it for a run:

>>> run = simulate(scenario, seed, watch=True)           # doctest: +SKIP
>>> [(event.quarter, event.text) for event in run.events]  # doctest: +SKIP
[(64, 'Technology 1 ripens: ...'), (88, 'Firm 17 (34 employees) is sold to multinational 2')]

Without `watch` the list is made of the table of indicators: it then lacks which firms were sold, and phases lost.

Quarters are counted from 0, as in scenario files: what happens in quarter 64 is seen in row 65 of the table, and on the
page once 65 quarters are over.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from district_sim.model.parameters import acting_instruments, parameters_of
from district_sim.model.state import SELF_OWNED, State
from district_sim.run.columns import phase_name
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.instruments import FOREVER
from district_sim.scenario.interventions import Shock
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.run.trajectories import Columns

_YEAR = 4
_ASIDE = 4
"""Quarters: a shorter pause of cooperation, and a shorter gap in a phase, is not told once it is over."""


class EventKind(StrEnum):
    """What can happen; the order is that in which events of one quarter are told."""

    STRATEGY = "strategy"
    """The scenario's strategy begins."""
    SHOCK = "shock"
    """A shock strikes."""
    POLICY_BEGINS = "policy_begins"
    POLICY_ENDS = "policy_ends"
    TECHNOLOGY = "technology"
    """A technology ripens: the newest technology is another one from now on."""
    COOPERATION_BEGINS = "cooperation_begins"
    """Pledges reach the threshold, so that members of the agency contribute."""
    COOPERATION_ENDS = "cooperation_ends"
    PHASE_LOST = "phase_lost"
    """No firm of a phase is left."""
    PHASE_BACK = "phase_back"
    TAKEOVER = "takeover"
    """Multinationals buy firms; all of a year in one event."""
    ACQUISITION = "acquisition"
    """Local leaders buy firms; all of a year in one event."""
    DEED = "deed"
    """Somebody changed a value while the run went on."""


_ORDER = list(EventKind)
TROUBLE = frozenset({EventKind.SHOCK, EventKind.COOPERATION_ENDS, EventKind.PHASE_LOST})
"""Kinds that most would call bad news; whether a sale is, is for the reader to say."""


@dataclass(frozen=True)
class Event:
    """Something that happened. `text` tells it; the other fields are for who tells it in other words."""

    quarter: int
    """In which it happened, 0 the first; of several sales in a year, that of the first."""
    kind: EventKind
    text: str
    """A sentence without its full stop."""
    mark: str
    """Two or three words for a chart."""
    until: int = -1
    """Of sales: the quarter of the last one."""
    count: int = 1
    """Of sales: how many firms."""
    firms: tuple[int, ...] = ()
    """Of sales: ids, the largest first; empty where they are not known."""
    employees: float = math.nan
    """Of sales: employees of these firms, all together; NaN where they are not known."""
    name: str = ""
    """Of an instrument or a shock: as it is called in the scenario."""
    number: int = -1
    """Of a technology or a phase: which, 0 the first."""

    @property
    def last(self) -> int:
        """The quarter in which it happened last."""
        return max(self.quarter, self.until)

    def when(self, calendar: Calendar | None = None) -> str:
        """`quarter 64`, `quarters 64 to 66`; by date where the run has dates."""
        if calendar is not None:
            ends = [calendar.date(self.quarter), calendar.date(self.last)]
        else:
            ends = [str(self.quarter), str(self.last)]
        word = "" if calendar is not None else "quarter " if ends[0] == ends[1] else "quarters "
        return word + (ends[0] if ends[0] == ends[1] else " to ".join(ends))

    def as_json(self) -> dict[str, Any]:
        """For files; `from_json` reads it."""
        told = asdict(self) | {"firms": list(self.firms)}
        return told | {"employees": None if math.isnan(self.employees) else self.employees}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        employees = math.nan if told["employees"] is None else told["employees"]
        found = dict(told) | {"kind": EventKind(told["kind"]), "firms": tuple(told["firms"]), "employees": employees}
        return cls(**found)


class Sale(NamedTuple):
    """A firm changed hands."""

    quarter: int
    firm: int
    """Its id; -1 if it is not known which."""
    buyer: int
    """The owner's code: a firm's id, or below SELF_OWNED a multinational's; see `state.owner_code`."""
    employees: float


@dataclass
class Chronicle:
    """What is remembered of a district's quarters, to tell what happened. Looks only, changes nothing."""

    newest: list[int] = field(default_factory=list)
    """Newest ripe technology: before the first quarter, then after each."""
    together: list[bool] = field(default_factory=list)
    """Whether members of the agency contributed, alike."""
    phases: list[np.ndarray] = field(default_factory=list)
    """Living firms of each phase, alike: (P,) each; empty where they are not known."""
    acting: list[tuple[str, ...]] = field(default_factory=list)
    """Names of the policy instruments at work, of each quarter."""
    sales: list[Sale] = field(default_factory=list)
    deeds: list[tuple[int, str]] = field(default_factory=list)
    """Quarter and words of what somebody did by hand; whoever did it writes it here."""
    _owner: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    @classmethod
    def begun(cls, state: State) -> Self:
        """A chronicle of a district before its first quarter."""
        made = cls()
        made._look(state)
        return made

    def see(self, state: State, scenario: Scenario) -> None:
        """Look at the district after a quarter; to be called after each, with the scenario that was in force."""
        quarter = len(self.acting)
        owner = self._owner
        self._look(state)
        self.acting.append(_acting(scenario, quarter, state.instruments.view(np.ndarray)["switched"]))
        firms = state.firms.view(np.ndarray)[: owner.size]
        now = firms["owner"]
        foreign = (now < SELF_OWNED) & (owner >= SELF_OWNED)
        local = (now >= 0) & (owner == SELF_OWNED)
        for firm in np.flatnonzero(foreign | local).tolist():
            self.sales.append(Sale(quarter, firm, int(now[firm]), float(firms["employees"][firm])))

    def _look(self, state: State) -> None:
        firms = state.firms.view(np.ndarray)[: int(state.clock.rows[0])]
        kinds = firms["made"].shape[1]
        self.newest.append(int(state.world.view(np.ndarray)["newest"][0]))
        self.together.append(float(state.agency.view(np.ndarray)["participation"][0]) > 0.0)
        self.phases.append(np.bincount(firms["phase"][firms["alive"]], minlength=kinds))
        self._owner = firms["owner"].copy()

    @classmethod
    def of_table(cls, columns: "Columns", scenario: Scenario, policies: "pd.DataFrame | None" = None) -> Self:
        """What a table of indicators can tell: nothing of phases, and not which firms were sold.

        Args:
            columns: indicators by name, (quarters,) each.
            policies: as `Run.policies`, which says what signposts did.
        """
        made = cls()
        ripe_at = parameters_of(scenario).derived.ripe_at
        together = np.asarray(columns["participation"]) > 0.0
        made.newest = [0] + [int((ripe_at[1:] <= quarter).sum()) for quarter in range(together.size)]
        made.together = [bool(together[:1].any()), *together.tolist()]
        for name, buyer in (("takeovers", SELF_OWNED - 1), ("acquisitions", 0)):
            counts = np.nan_to_num(np.asarray(columns[name], dtype=float)).astype(int).tolist()
            made.sales += [
                Sale(quarter, -1, buyer, math.nan) for quarter, count in enumerate(counts) for _ in range(count)
            ]
        switched = _switched(policies, together.size, len(acting_instruments(scenario)))
        made.acting = [_acting(scenario, quarter, now) for quarter, now in enumerate(switched)]
        return made

    def events(self, scenario: Scenario) -> list[Event]:
        """What happened so far, in the order of time.

        Args:
            scenario: in force now; its shocks that lie ahead are left out.
        """
        done, calendar, phases = len(self.acting), scenario.run.calendar, scenario.technology.phases
        found = [*_technologies(self.newest), *_cooperation(self.together), *_phases(self.phases, phases)]
        found += [*_policies(self.acting), *_shocks(scenario.shocks, done), *_sold(self.sales, calendar)]
        found += [Event(quarter, EventKind.DEED, text, text) for quarter, text in self.deeds if quarter < done]
        if 0 < scenario.strategy_start < done:
            found.append(Event(scenario.strategy_start, EventKind.STRATEGY, "The strategy begins", "strategy"))
        return sorted(found, key=lambda event: (event.quarter, _ORDER.index(event.kind), event.number))


def _acting(scenario: Scenario, quarter: int, switched: np.ndarray) -> tuple[str, ...]:
    """Names of the instruments at work in a quarter.

    Args:
        switched: what signposts have done to each acting instrument: 1 started, -1 stopped, 0 neither yet.
    """
    return tuple(
        item.name
        for item, now in zip(acting_instruments(scenario), switched.tolist(), strict=True)
        if item.start <= quarter < item.end and (now > 0 if item.waits else now >= 0)
    )


def _switched(policies: "pd.DataFrame | None", quarters: int, items: int) -> np.ndarray:
    """(quarters, items) what signposts had done to each instrument: 1 started, -1 stopped, 0 neither yet."""
    out = np.zeros((quarters, items), np.int8)
    if policies is None or not {"started", "stopped"} <= set(policies) or len(policies) != out.size:
        return out
    started, stopped = (policies[move].to_numpy().reshape(out.shape) > 0.0 for move in ("started", "stopped"))
    now = np.zeros(items, np.int8)
    for quarter in range(quarters):
        now = np.where(started[quarter], 1, np.where(stopped[quarter], -1, now)).astype(np.int8)
        out[quarter] = now
    return out


def _spells(flags: Sequence[bool] | np.ndarray, aside: int = 0) -> list[tuple[int, bool]]:
    """Quarters in which a flag, given before the first quarter and after each, changes, and to what.

    Args:
        aside: a time shorter than this for which it was off, and which is over, counts as on.
    """
    on = np.array(flags, dtype=bool)
    edges = np.flatnonzero(on[1:] != on[:-1]) + 1
    for begin, end in pairwise(edges):
        if not on[begin] and end - begin < aside:
            on[begin:end] = True
    return [(int(at), bool(on[at + 1])) for at in np.flatnonzero(on[1:] != on[:-1])]


def _technologies(newest: Sequence[int]) -> Iterable[Event]:
    for quarter, (before, now) in enumerate(pairwise(newest)):
        if now > before:
            text = (
                f"Technology {now} ripens: firms can switch to it, and “on newest technology” now counts those that did"
            )
            yield Event(quarter, EventKind.TECHNOLOGY, text, f"technology {now} ripens", number=now)


def _cooperation(together: Sequence[bool]) -> Iterable[Event]:
    for quarter, on in _spells(together, _ASIDE):
        if on:
            text = "Cooperation begins: enough firms pledge, and members of the agency contribute"
            yield Event(quarter, EventKind.COOPERATION_BEGINS, text, "cooperation begins")
        else:
            text = "Cooperation ends: too few firms pledge, and nobody contributes"
            yield Event(quarter, EventKind.COOPERATION_ENDS, text, "cooperation ends")


def _phases(counts: Sequence[np.ndarray], phases: int) -> Iterable[Event]:
    if not counts:
        return
    alive = np.array(counts) > 0
    for phase in range(alive.shape[1]):
        name = phase_name(phase, phases)
        for quarter, on in _spells(alive[:, phase], _ASIDE):
            the = "the " if name == "final phase" else ""
            if on:
                yield Event(
                    quarter, EventKind.PHASE_BACK, f"Firms of {the}{name} are back", f"{name} back", number=phase
                )
            else:
                text = f"The district loses {the}{name}: no firm of it is left"
                yield Event(quarter, EventKind.PHASE_LOST, text, f"{name} lost", number=phase)


def _policies(acting: Sequence[tuple[str, ...]]) -> Iterable[Event]:
    for name in dict.fromkeys(name for names in acting for name in names):
        for quarter, on in _spells([False, *(name in names for names in acting)]):
            if on:
                yield Event(quarter, EventKind.POLICY_BEGINS, f"Policy begins: {name}", name, name=name)
            else:
                yield Event(quarter, EventKind.POLICY_ENDS, f"Policy ends: {name}", f"end of {name}", name=name)


def _shocks(shocks: Iterable[Shock], done: int) -> Iterable[Event]:
    for shock in shocks:
        if shock.start < done:
            lasts = ""
            if not shock.kind.record.event:
                lasts = ", for good" if shock.duration >= FOREVER else f", for {shock.duration} quarters"
            if not shock.kind.record.event and 0 < shock.recovery < FOREVER:
                lasts += f", fading in {shock.recovery}"
            yield Event(shock.start, EventKind.SHOCK, f"Shock: {shock.name}{lasts}", shock.name, name=shock.name)


def _sold(sales: Iterable[Sale], calendar: Calendar | None) -> Iterable[Event]:
    first = 0 if calendar is None else calendar.first
    years: dict[tuple[bool, int], list[Sale]] = {}
    for sale in sales:
        years.setdefault((sale.buyer < SELF_OWNED, (first + sale.quarter) // _YEAR), []).append(sale)
    for (foreign, _), of_year in years.items():
        kind = EventKind.TAKEOVER if foreign else EventKind.ACQUISITION
        largest = sorted(of_year, key=lambda sale: (-np.nan_to_num(sale.employees), sale.firm))
        people = sum(sale.employees for sale in of_year)
        firms = tuple(sale.firm for sale in largest if sale.firm >= 0)
        words, mark = _sold_words(largest, foreign, people), _sold_mark(largest, foreign)
        yield Event(of_year[0].quarter, kind, words, mark, of_year[-1].quarter, len(of_year), firms, people)


def _sold_words(sales: Sequence[Sale], foreign: bool, people: float) -> str:
    buyer = "multinational" if foreign else "local leader"
    if len(sales) > 1:
        told = "" if math.isnan(people) else f", with {_people(people)}"
        return f"{len(sales)} firms are sold to {buyer}s within a year{told}"
    sale = sales[0]
    if sale.firm < 0:
        return f"A firm is sold to a {buyer}"
    name = f"multinational {SELF_OWNED - sale.buyer}" if foreign else f"firm {sale.buyer}, a local leader"
    return f"Firm {sale.firm} ({_people(sale.employees)}) is sold to {name}"


def _people(employees: float) -> str:
    return f"{employees:,.0f} employee{'' if round(employees) == 1 else 's'}"


def _sold_mark(sales: Sequence[Sale], foreign: bool) -> str:
    many = len(sales) > 1
    firms = f"{len(sales)} firms" if many else f"firm {sales[0].firm}" if sales[0].firm >= 0 else "1 firm"
    return f"{firms} sold" if foreign else f"{firms} join{'' if many else 's'} a group"
