"""The parameters that the page lets people move, with ranges and explanations read from the schema.

They are those that the screening in docs/analysis.md ranks first or that make one of the four futures: each future
can be reached from the baseline by moving one to three of them (tests/test_app_state.py does). Globalisation is the
pressure that all of them answer.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from district_sim.scenario.paths import schemas_at
from district_sim.scenario.sections import Scenario


@dataclass(frozen=True)
class Lever:
    """A parameter with a slider."""

    path: str
    name: str
    """As the indicator of the same quantity is called, if there is one."""
    low: float
    high: float
    """Ends of the slider: the schema's range or, where that is too wide to teach with, a part of it."""
    least: float
    most: float
    """What the schema allows."""
    unit: str
    description: str

    @property
    def step(self) -> float:
        """A hundredth of the slider, rounded to 1, 2 or 5 of some decimal."""
        raw = (self.high - self.low) / 100.0
        power = 10.0 ** math.floor(math.log10(raw))
        return power * next(digit for digit in (1, 2, 5, 10) if digit * power >= raw * 0.999)

    @property
    def hint(self) -> str:
        """The exact path, what it means, and the ranges."""
        unit = "" if self.unit == "1" else f", {self.unit}"
        narrow = (self.low, self.high) != (self.least, self.most)
        slider = f"; the slider shows {self.low:g} to {self.high:g}" if narrow else ""
        return f"{self.path}: {self.description}{unit}. Allowed: {self.least:g} to {self.most:g}{slider}."

    def problem(self, text: str) -> str:
        """Why a text is no value of this parameter; empty if it is one."""
        try:
            value = float(text.strip().replace(",", "."))
        except ValueError:
            return f"must be a number between {self.least:g} and {self.most:g}"
        if not self.least <= value <= self.most:  # nan too
            return f"must be between {self.least:g} and {self.most:g}"
        return ""


_CHOSEN: tuple[tuple[str, str, tuple[float, float] | None], ...] = (
    ("strategy.collective_action", "Readiness", None),
    ("agency.contribution", "Contribution", (0.0, 0.1)),
    ("strategy.identity", "Identity", None),
    ("strategy.research", "R&D drive", (0.0, 3.0)),
    ("strategy.exploration", "Exploration", (0.0, 0.6)),
    ("strategy.training", "Training", (0.0, 0.05)),
    ("strategy.entrepreneurship", "Founding firms", (0.0, 2.0)),
    ("strategy.pipelines", "Outward drive", (0.0, 5.0)),
    ("strategy.offshoring", "Leaning abroad", (-1.0, 2.0)),
    ("world.sourcing_fall", "Cheap abroad", (0.0, 0.6)),
    ("strategy.sale", "Selling the firm", None),
    ("ownership.takeover_price", "Bids for firms", (0.0, 80.0)),
    ("world.globalisation", "Globalisation", (0.0, 2.0)),
)
"""Path, name, and the range to teach with where it is not the schema's."""
_WHERE_IMPOSED = "strategy.sale"  # owners sell at this rate, whatever the bid,
_WHERE_FIRMS_DECIDE = "ownership.takeover_price"  # or answer the bid


@cache
def levers() -> tuple[Lever, ...]:
    """All levers, in the order of the page; which of them act in a scenario is said by `levers_of`."""
    return tuple(_lever(path, name, ends) for path, name, ends in _CHOSEN)


def levers_of(scenario: Scenario) -> tuple[Lever, ...]:
    """The levers that act where firms decide, or where conduct is imposed; then `levers_outside`."""
    idle = _WHERE_IMPOSED if scenario.firms_decide else _WHERE_FIRMS_DECIDE
    return (*(one for one in levers() if one.path != idle), *levers_outside(scenario))


def levers_outside(scenario: Scenario) -> tuple[Lever, ...]:
    """One lever for each real number of the mechanisms from outside that are in the scenario."""
    return tuple(
        lever(f"extensions.{name}.{key}")
        for name, section in scenario.extensions.items()
        for key, field in type(section).model_fields.items()
        if field.annotation is float
    )


@cache
def lever(path: str) -> Lever:
    """The lever of a path; KeyError if there is none."""
    if path.startswith("extensions."):
        return _lever(path, path.removeprefix("extensions.").replace("_", " ").replace(".", ": ").capitalize(), None)
    return {one.path: one for one in levers()}[path]


def _lever(path: str, name: str, ends: tuple[float, float] | None) -> Lever:
    field: dict[str, Any] = schemas_at({}, path)[0]
    least, most = float(field["minimum"]), float(field["maximum"])
    low, high = ends or (least, most)
    return Lever(path, name, low, high, least, most, field["unit"], field["description"])
