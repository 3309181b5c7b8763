"""What a study is made of: outcomes, cells, expectations. Data only; nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from district_sim.evidence.replications.claims import Source

if TYPE_CHECKING:
    from district_sim.scenario.sections import Scenario

LATE = -40
"""Outcomes are means of the last ten years, as trajectories are scored, unless a study says otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One number of a run."""

    indicator: str
    """An indicator, or one of `measure.OF_FIRMS`."""
    first: int = LATE
    """First quarter of the window, counted from 0 or, below 0, from the end, ..."""
    last: int | None = None
    """... and the first one beyond it."""
    how: Literal["mean", "present value"] = "mean"
    """Present values are those of the first day, at `costs.DISCOUNT`."""

    @property
    def name(self) -> str:
        """Unique within a study."""
        return self.indicator if self.how == "mean" else f"{self.indicator}_present_value"


@dataclass(frozen=True, slots=True)
class Cell:
    """One district under one policy mix."""

    name: str
    scenario: str = "baseline"
    levers: Mapping[str, Any] = field(default_factory=dict)
    """Changes of the scenario by dotted path."""
    mix: Sequence[Mapping[str, Any]] = ()
    """Instruments as in a scenario file; their budgets are relative to one another."""
    value: float = 0.0
    """Present value of the mix's budgets on the first day [k€]."""
    own: bool = False
    """Whether the scenario's own policies stay beside the mix."""
    against: str = ""
    """The cell that this one is compared with in tables; by default the first."""
    line: str = ""
    """In figures with an axis, the line that it lies on, ..."""
    at: float | None = None
    """... and where."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The expectation that a weighted sum of cell means lies on one side of zero."""

    text: str
    source: Source
    outcome: str
    weights: Mapping[str, float]
    """By cell; they sum to zero."""
    direction: int
    """+1: above zero, -1: below."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The expectation that an outcome is highest inside a range of levels, or lower in it than in another range."""

    text: str
    source: Source
    outcome: str
    cells: Sequence[str]
    """In the order of their places `Cell.at`."""
    other: Sequence[str] = ()
    """If given: the highest place among `cells` is expected below that among these."""


type Expectation = Contrast | Peak


@dataclass(frozen=True, slots=True)
class Study:
    """A question, a design, and what the literature led to expect."""

    name: str
    title: str
    question: str
    design: str
    outcomes: Sequence[Outcome]
    cells: Sequence[Cell]
    expectations: Sequence[Expectation]
    axis: str = ""
    """What `Cell.at` is, if cells have places."""
    followed: Sequence[str] = ()
    """Columns whose path through every run is kept, quarter by quarter."""

    def cell(self, name: str) -> Cell:
        """The cell of a name."""
        return next(cell for cell in self.cells if cell.name == name)

    def reference(self, cell: Cell) -> Cell:
        """What a cell is compared with in tables; the first cell, and each district's first, with itself."""
        return self.cell(cell.against) if cell.against else self.cells[0]


def more(text: str, source: Source, outcome: str, this: str, that: str) -> Contrast:
    """That an outcome is higher in one cell than in another."""
    return Contrast(text, source, outcome, {this: 1.0, that: -1.0}, 1)


def less(text: str, source: Source, outcome: str, this: str, that: str) -> Contrast:
    """That an outcome is lower in one cell than in another."""
    return Contrast(text, source, outcome, {this: 1.0, that: -1.0}, -1)


def gains_more(text: str, source: Source, outcome: str, here: tuple[str, str], there: tuple[str, str]) -> Contrast:
    """That a step (this, that) changes an outcome more here than it does there: a difference of differences."""
    return Contrast(text, source, outcome, {here[0]: 1.0, here[1]: -1.0, there[0]: -1.0, there[1]: 1.0}, 1)


def loses_more(text: str, source: Source, outcome: str, here: tuple[str, str], there: tuple[str, str]) -> Contrast:
    """That a step (this, that) lowers an outcome more here than it does there."""
    return Contrast(text, source, outcome, {here[0]: 1.0, here[1]: -1.0, there[0]: -1.0, there[1]: 1.0}, -1)


def instrument(kind: str, share: float = 1.0, start: int = 40, end: int = 100000, **terms: Any) -> dict[str, Any]:
    """An instrument of a mix, with its share of the budget."""
    return {"name": kind.replace("_", " "), "kind": kind, "budget": share, "start": start, "end": end, **terms}


def scenario_of(cell: Cell) -> Scenario:
    """The scenario of a cell, with its mix at the budgets that its value buys.

    Raises:
        ScenarioError: the scenario, a lever or an instrument is not valid.
    """
    from district_sim.experiments.costs import equalised
    from district_sim.scenario.files import load_scenario
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.policy_files import laid_over

    base = load_scenario(cell.scenario, cell.levers)
    mix = [Instrument.model_validate(item) for item in cell.mix]
    paid = equalised({cell.name: mix}, cell.value, base.run.quarters)[cell.name] if mix else ()
    return laid_over(base, [*(base.policies if cell.own else ()), *paid])
