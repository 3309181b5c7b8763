"""Firms, the collective agency and multinationals as Mesa agents.

Agents are views: they hold no data, only which row of the district's state they stand for, and read and write that
row. Rows never move, so a view stays that firm for life, and after it: a closed firm's view says `alive == False`.
The state's arrays are replaced when the district outgrows them, so a view always goes through `model.state`.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, Self, overload

import mesa
import numpy as np

from district_sim.model.parameters import NODE_KINDS, Parameters
from district_sim.model.processes.demography import close_firm
from district_sim.model.state import AGENCY, EMPLOYED, FIRMS, OUTSIDE, PROJECTS, SELF_OWNED, TRAITS, WORLD, State
from district_sim.scenario.paths import schemas_at

AGENCY_ID = -1
"""`unique_id` of the agency. A firm's is its row 0, 1, ...; a multinational's is its `owner_code`."""


class Viewed(Protocol):
    """What agents ask of the district that they are part of."""

    parameters: Parameters
    state: State

    def firm(self, row: int) -> "Firm":
        """The firm with this id."""

    def owner(self, code: int) -> "Firm | Multinational | None":
        """The agent behind a value of `state.firms.owner`."""


class Pipeline(NamedTuple):
    """A firm's own link to the outside."""

    node: int
    """Which outside node."""
    kind: str
    """What the node is: buyer, multinational, foreign cluster or university."""
    strength: float
    """0..1"""


class Column[T]:
    """One number of a view's row, under its name in the state.

    Args:
        kind: makes a Python value of what the state holds.
        doc: what it is.
        writable: whether it may be written.
        low, high: what it must be within.
        count: the field of the scenario's technology section that the number must stay below; compiled kernels use
            such numbers to find their way in arrays and do not check them.
    """

    def __init__(
        self,
        kind: Callable[[Any], T],
        doc: str,
        *,
        writable: bool = True,
        low: float = -math.inf,
        high: float = math.inf,
        count: str | None = None,
    ) -> None:
        self._kind = kind
        self._writable = writable
        self._low, self._high = low, high
        self._count = count
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, view: None, owner: type) -> Self: ...
    @overload
    def __get__(self, view: "View", owner: type) -> T: ...
    def __get__(self, view: "View | None", owner: type) -> T | Self:
        return self if view is None else self._kind(view.record[self._name])

    def __set__(self, view: "View", value: Any) -> None:
        if not self._writable:
            raise AttributeError(f"{self._name} cannot be written")
        if self._kind is int:
            operator.index(value)
        if not np.isfinite(value).all():
            raise ValueError(f"{self._name} must be finite, not {value}")
        if not ((np.asarray(value) >= self._low) & (np.asarray(value) <= self._high)).all():
            most = "" if self._high == math.inf else f" and at most {self._high:g}"
            raise ValueError(f"{self._name} must be at least {self._low:g}{most}, not {value}")
        record = view.open_record()
        if np.shape(value) != np.shape(record[self._name]):
            raise ValueError(f"{self._name} has shape {np.shape(record[self._name])}, not {np.shape(value)}")
        if self._count is not None:
            end = int(view.model.parameters.technology[0][self._count])
            if not 0 <= value < end:
                raise ValueError(f"{self._name} goes from 0 to {end - 1}, {value} is outside")
        record[self._name] = value


def _frozen(values: Any) -> np.ndarray:
    """A copy that cannot be written: changes to it would be lost when the state grows."""
    out = np.array(values)
    out.setflags(write=False)
    return out


class View(mesa.Agent):
    """An agent that is a row of the district's state; the district makes it, and it belongs to that district."""

    model: Viewed

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError(
            f"a {type(self).__name__} cannot be made by hand: the model founds firms; district.firms, .firm(id), "
            ".agency and .multinationals are those there are"
        )

    @classmethod
    def of(cls, model: Viewed, unique_id: int) -> Self:
        """For the district's use: see `District.firm`."""
        view = cls.__new__(cls)
        mesa.Agent.__init__(view, model)
        view.unique_id = unique_id
        return view

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "unique_id" and getattr(self, name, None) is not None:
            raise AttributeError(f"unique_id of {self} is its place in the district and cannot be written")
        super().__setattr__(name, value)

    def remove(self) -> None:
        """Only firms can be removed.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"{self} cannot be removed: mechanisms.collective_agency switches the agency off, "
            "ownership.multinationals says how many multinationals there are"
        )

    @property
    def record(self) -> Any:
        """This agent's row in the state, as it is now; do not keep it, the state may grow."""
        raise NotImplementedError

    def open_record(self) -> Any:
        """The same, to write in.

        Raises:
            ValueError: the firm is closed.
        """
        return self.record

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.unique_id})"


class Firm(View):
    """One firm; `unique_id` is its row in the state and its id in tables. Money in k€, time in quarters."""

    alive = Column(bool, "Whether the firm still exists.", writable=False)
    founded = Column(int, "Quarter of foundation; negative before the start.", writable=False)
    phase = Column(
        int, "Production phase, 0 to the number of phases less 1; the last faces the market.", count="phases"
    )
    x = Column(float, "Kilometres east of the centre.")
    y = Column(float, "Kilometres north of the centre.")
    dynamism = Column(float, "Multiplier of the strategy's R&D, about 1.", low=0.0)
    technology = Column(int, "Technology that it works with, 0 is the first.", count="count")
    tenure = Column(int, "Quarters on the technology.", low=0)
    increments = Column(int, "Incremental innovations on the technology.", low=0)
    tacit = Column(_frozen, "Tacit knowledge by domain; a copy, assign to change it.", low=0.0)
    codified = Column(_frozen, "Codified knowledge by domain; a copy, assign to change it.", low=0.0)
    education = Column(float, "Education of the workforce, 0..1.", low=0.0, high=1.0)
    experience = Column(float, "Experience, 0..1.", low=0.0, high=1.0)
    it = Column(float, "Use of information technology, 0..1.", low=0.0, high=1.0)
    identity = Column(float, "Identification with the district, 0..1.", low=0.0, high=1.0)
    collaboration = Column(float, "Collaboration inside the firm, 0..1.", low=0.0, high=1.0)
    absorptive = Column(float, "Absorptive capacity, 0..1.", low=0.0, high=1.0)
    quality = Column(float, "Quality of its work.", low=0.0)
    reach = Column(float, "Customer base: normal sales, k€ per quarter.", low=0.0)
    offshored = Column(float, "Share of its purchases that goes abroad.", low=0.0, high=1.0)
    sales = Column(float, "Sales of the quarter, k€.", low=0.0)
    value_added = Column(float, "Value added of the quarter, k€.")
    profit = Column(float, "Profit of the quarter before tax, k€.")
    wage = Column(float, "Wage, k€ per employee and quarter.", low=0.0)
    participates = Column(bool, "Whether it contributed to the agency this quarter.")
    performance = Column(float, "Profit in value added, mean over the last years, -1..1.", low=-1.0, high=1.0)
    aspiration = Column(float, "Performance that it is content with, -1..1.", low=-1.0, high=1.0)
    lessons = Column(float, "Tacit knowledge learned from partners a quarter, mean over the last years.", low=0.0)
    access = Column(float, "Access to distant knowledge that it realises, 0..1.", writable=False)
    successor = Column(bool, "Whether somebody is to take over from the owner.")

    @property
    def record(self) -> Any:
        """This firm's row in `state.firms`, as it is now; do not keep it, the state may grow."""
        return self.model.state.firms[self.unique_id]

    def open_record(self) -> Any:
        """The same, to write in.

        Raises:
            ValueError: the firm is closed.
        """
        if not self.alive:
            raise ValueError(f"{self} is closed; it can only be read")
        return self.record

    @property
    def pos(self) -> tuple[float, float]:
        """Place in km from the centre, east and north."""
        return self.x, self.y

    @pos.setter
    def pos(self, place: tuple[float, float] | None) -> None:
        if place is not None:  # Mesa sets None when it makes an agent
            self.x, self.y = place

    position = pos

    @property
    def employees(self) -> float:
        """Employees. When written, the difference moves in from or out of the district."""
        return float(self.record["employees"])

    @employees.setter
    def employees(self, number: float) -> None:
        if not (math.isfinite(number) and number > 0.0):
            raise ValueError(f"a firm has more than 0 employees, not {number}")
        record, people = self.open_record(), self.model.state.accounts.people
        change = number - self.employees
        people[EMPLOYED] += change
        people[OUTSIDE] -= change
        record["employees"] = number

    @property
    def cash(self) -> float:
        """Cash in k€, negative for debt. When written, the difference comes from or goes to the world outside."""
        return float(self.record["cash"])

    @cash.setter
    def cash(self, amount: float) -> None:
        if not math.isfinite(amount):
            raise ValueError(f"cash must be finite, not {amount}")
        record = self.open_record()
        _pay(self.model, FIRMS, amount - self.cash)
        record["cash"] = amount

    @property
    def conduct(self) -> dict[str, float]:
        """What it chooses to do, by the names of `Strategy` and in its units; a copy, assign to change it.

        `research`, `exploration`, `training`, `collective_action` (readiness to cooperate), `offshoring` (leaning
        abroad), `pipelines` (outward drive) and `reservation` (price below which its owner rather goes on). Where
        conduct is imposed (`conduct.revision` 0) it moves with the strategy only.
        """
        return dict(zip(TRAITS, self.record["conduct"].tolist(), strict=True))

    @conduct.setter
    def conduct(self, traits: Mapping[str, float]) -> None:
        if traits.keys() != set(TRAITS):
            raise ValueError(f"conduct has the traits {', '.join(TRAITS)}, not {', '.join(map(str, traits))}")
        for name, value in traits.items():
            field = schemas_at({}, f"strategy.{name}")[0]
            if not field["minimum"] <= value <= field["maximum"]:  # nan too
                raise ValueError(f"{name} must be between {field['minimum']:g} and {field['maximum']:g}, not {value}")
        self.open_record()["conduct"] = [traits[name] for name in TRAITS]

    @property
    def owner(self) -> "Firm | Multinational | None":
        """The leading firm of its group or a multinational; None for an independent firm."""
        return self.model.owner(int(self.record["owner"]))

    @owner.setter
    def owner(self, owner: "Firm | Multinational | None") -> None:
        if owner is not None and (owner.model is not self.model or not getattr(owner, "alive", True)):
            raise ValueError(f"{self} cannot be owned by {owner}, which is closed or of another district")
        record, controller = self.open_record(), owner
        while isinstance(controller, Firm):
            if controller is self:
                raise ValueError(f"{self} cannot be owned by {owner}, which it controls")
            controller = controller.owner
        record["owner"] = SELF_OWNED if owner is None else owner.unique_id
        if owner is not None:
            record["captor"] = -1  # who is owned is no longer anybody's captive supplier

    @property
    def controller(self) -> "Firm | Multinational":
        """Who decides in the end: itself, its group's leader or a multinational."""
        owner = self.owner
        return self if owner is None else owner.controller if isinstance(owner, Firm) else owner

    @property
    def captor(self) -> "Firm | None":
        """The client to which it is bound as a captive supplier."""
        return self._firm("captor")

    @property
    def main_client(self) -> "Firm | None":
        """The client with the largest share of its sales."""
        return self._firm("main_client")

    @property
    def parent(self) -> "Firm | None":
        """The firm it was spun off from."""
        return self._firm("parent")

    @property
    def partners(self) -> "list[Firm]":
        """Firms it has a local tie with."""
        return [self.model.firm(row) for row in self._ties["partner"] if row >= 0]

    def trust_in(self, other: "Firm") -> float:
        """Trust of the tie with another firm, 0..1; 0 without a tie."""
        slot = self._slot(other)
        return 0.0 if slot is None else float(self._ties["trust"][slot])

    def set_trust(self, other: "Firm", trust: float) -> None:
        """Set the trust of a tie, for both firms.

        Raises:
            ValueError: they have no tie, or trust is not within 0..1.
        """
        slot = self._slot(other)
        if slot is None:
            raise ValueError(f"{self} and {other} have no tie")
        if not 0.0 <= trust <= 1.0:
            raise ValueError(f"trust must be between 0 and 1, not {trust}")
        other._ties["trust"][self._ties["mirror"][slot]] = trust
        self._ties["trust"][slot] = trust

    @property
    def pipelines(self) -> list[Pipeline]:
        """Its own links to the outside."""
        row, kinds = self.model.state.pipelines[self.unique_id], self.model.parameters.derived.node_kind
        links = zip(row["node"].tolist(), row["strength"].tolist(), strict=True)
        return [Pipeline(node, NODE_KINDS[kinds[node]], strength) for node, strength in links if node >= 0]

    def remove(self) -> None:
        """Close the firm: people become unemployed, money goes to the owners, ties end, whom it controls is free.

        The view stays readable.
        """
        if self.alive:
            state = self.model.state
            close_firm(self.unique_id, state.firms, state.ties, state.pipelines, state.accounts, state.tally)
            for name in ("owner", "captor"):
                state.firms[name][state.firms[name] == self.unique_id] = -1
        mesa.Agent.remove(self)

    @property
    def _ties(self) -> Any:
        return self.model.state.ties[self.unique_id]

    def _slot(self, other: "Firm") -> int | None:
        found = np.flatnonzero(self._ties["partner"] == other.unique_id)
        return int(found[0]) if found.size else None

    def _firm(self, name: str) -> "Firm | None":
        row = int(self.record[name])
        return self.model.firm(row) if row >= 0 else None


class Agency(View):
    """The collective agency."""

    capability = Column(float, "Capability, 0..1.", low=0.0, high=1.0)
    brand = Column(float, "Strength of the collective brand, 0..1.", low=0.0, high=1.0)
    contributed = Column(float, "Contributions of the quarter, k€.", writable=False)
    matched = Column(float, "Public match of the quarter, k€.", writable=False)
    participation = Column(float, "Share of firms that took part.", writable=False)
    credibility = Column(float, "Credibility of the public match, 0..1.", low=0.0, high=1.0)
    pipelines = Column(
        _frozen, "Strength of the collective pipeline to each outside node, 0..1; a copy.", low=0.0, high=1.0
    )

    @property
    def record(self) -> Any:
        """The row of `state.agency`."""
        return self.model.state.agency[0]

    @property
    def fund(self) -> float:
        """Money in hand, k€. When written, the difference comes from or goes to the world outside."""
        return float(self.record["fund"])

    @fund.setter
    def fund(self, amount: float) -> None:
        if not (math.isfinite(amount) and amount >= 0.0):
            raise ValueError(f"the fund must be at least 0, not {amount}")
        _pay(self.model, AGENCY, amount - self.fund)
        self.record["fund"] = amount

    @property
    def effects(self) -> dict[str, float]:
        """Effect of each project this quarter, 0..1."""
        return dict(zip(PROJECTS, self.record["effect"].tolist(), strict=True))

    @property
    def participants(self) -> list[Firm]:
        """Firms that contributed this quarter."""
        firms = self.model.state.firms
        return [self.model.firm(row) for row in np.flatnonzero(firms["alive"] & (firms["participates"] > 0.0)).tolist()]


class Multinational(View):
    """A multinational from outside, known in the district by the firms it controls."""

    @property
    def affiliates(self) -> list[Firm]:
        """Firms it controls, directly or through a group's leading firm."""
        firms = self.model.state.firms
        unit = firms["owner"].copy()
        while (inner := (unit >= 0) & (firms["owner"][unit] != SELF_OWNED)).any():
            unit[inner] = firms["owner"][unit[inner]]
        return [self.model.firm(row) for row in np.flatnonzero(firms["alive"] & (unit == self.unique_id)).tolist()]

    @property
    def employees(self) -> float:
        """Employees of its affiliates."""
        return sum(firm.employees for firm in self.affiliates)

    @property
    def sales(self) -> float:
        """Sales of its affiliates this quarter, k€."""
        return sum(firm.sales for firm in self.affiliates)


def _pay(model: Viewed, sector: int, amount: float) -> None:
    """Book money that someone outside the model gives to (or takes from) a sector."""
    money = model.state.accounts.money
    money[sector] += amount
    money[WORLD] -= amount
