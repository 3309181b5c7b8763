"""What an experiment is: scenarios x policies x varied parameters, replications, what is kept, when a run stops."""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from district_sim.experiments.errors import DesignError
from district_sim.scenario.extensions import all_indicators, indicators_of
from district_sim.scenario.interventions import Instrument
from district_sim.scenario.paths import show
from district_sim.scenario.renamed import new_path
from district_sim.scenario.suggestions import suggest

type Value = bool | int | float | str
type Design = Literal["factorial", "list", "latin_hypercube", "sobol", "morris"]

OWN = "own"
"""What a scenario's own policies are called, where an experiment names no policies."""
SCORES = (
    "score_fragmentation",
    "score_post_marshallian_node",
    "score_learning_region",
    "score_collective_entrepreneurship",
)
ROUTES = ("route_takeover", "route_hierarchy", "retained")
"""The rest of what a label is made of."""
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_CONDITION = re.compile(rf"\s*(<=|>=|<|>)\s*([-+]?{_NUMBER})\s*")
_TOLERANCE = re.compile(rf"\s*({_NUMBER})\s*(%?)\s*")
_MOST_POINTS = 10_000_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Span(_Part):
    """Evenly spaced values from `start` to `stop`, both included; on a logarithmic scale if `log`."""

    start: float
    stop: float
    count: int = Field(ge=2, le=100_000)
    log: bool = False

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.log and min(self.start, self.stop) <= 0:
            raise ValueError("a logarithmic scale needs start and stop above 0")
        return self


class Range(_Part):
    """Where a sampling draws from: the schema's own range where `low` or `high` is left out."""

    low: float | None = None
    high: float | None = None
    log: bool = False


def _kind_of_values(given: Any) -> str | None:
    """Which of the ways to name values was meant, so that messages speak of that one."""
    if isinstance(given, list | tuple):
        return "list"
    if isinstance(given, dict):
        return "span" if given.keys() & {"start", "stop", "count"} else "range"
    return "span" if isinstance(given, Span) else "range" if isinstance(given, Range) else None


type Values = Annotated[
    Annotated[tuple[Value, ...], Tag("list")] | Annotated[Span, Tag("span")] | Annotated[Range, Tag("range")],
    Discriminator(_kind_of_values),
]


LEAST_RUNS = 5
"""Of a point, before its standard error is trusted: two runs that happen to agree would end a sweep at once."""


class Keep(_Part):
    """What is kept of each run, beside its label and scores."""

    final: bool = Field(True, description="Indicators of the last quarter")
    late: bool = Field(True, description="Their means over the last 40 quarters")
    every: int | None = Field(None, ge=1, description="Time series: one row every so many quarters, and the last")
    firms: bool = Field(False, description="The firms at the end")
    spending: bool = Field(False, description="What each policy instrument spent, and what was left over")


class Draws(_Part):
    """Draws of parameters that are not known, one for each replicate and the same at every point; see `draws`."""

    name: str = Field(max_length=200, description="What they were drawn from")
    numbers: tuple[int, ...] = Field(min_length=1, description="By replicate: the draw's number there, from 0")
    values: dict[str, tuple[Value, ...]] = Field(description="Path of a parameter: its value by replicate")

    @model_validator(mode="after")
    def _of_equal_length(self) -> Self:
        for path, values in self.values.items():
            if len(values) != len(self.numbers):
                raise DesignError(("draws", path), f"has {len(values)} values for {len(self.numbers)} draws")
        return self

    def without(self, paths: Collection[str]) -> Self:
        """The same draws without some parameters."""
        return self.model_copy(update={"values": {p: v for p, v in self.values.items() if p not in paths}})


class Experiment(_Part):
    """An experiment, before anything is run; see docs/experiments.md for every field."""

    name: str = Field("experiment", min_length=1, max_length=80)
    description: str = Field("", max_length=5000)
    scenarios: tuple[str, ...] = Field(min_length=1, description="Bundled scenarios or paths of YAML files")
    policies: dict[str, tuple[Instrument, ...]] = Field(
        {}, description="Named policy mixes, each in place of the scenario's own policies; none: its own"
    )
    set: dict[str, Any] = Field({}, description="Path of a parameter: its value in all scenarios, instead of theirs")
    vary: dict[str, Values] = Field(
        {}, description="Path of a parameter: a list of values, {start, stop, count} or {low, high}"
    )
    design: Design = "factorial"
    samples: int | None = Field(None, ge=1, le=10_000_000, description="Points of a sampling; Morris: trajectories")
    replications: int = Field(10, ge=1, le=1_000_000, description="Runs per point; with `until`, the fewest, >= 5")
    until: dict[str, float | str] = Field(
        {}, description='Outcome: Monte-Carlo standard error to reach, absolute (0.5) or relative ("1%")'
    )
    maximum: int = Field(200, ge=1, le=1_000_000, description="Most runs per point, with `until`")
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    quarters: int | None = Field(None, ge=2, le=4000, description="Length of the runs, instead of the scenario's")
    keep: Keep = Keep()
    draws: Draws | None = Field(None, description="Parameters drawn anew for each replicate")
    stop: dict[str, str] = Field(
        {}, description='Indicator: condition such as "< 10" that ends a run; any of them does'
    )

    @field_validator("set", "vary", mode="before")
    @classmethod
    def _named_as_now(cls, given: Any) -> Any:
        return {new_path(path): values for path, values in given.items()} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.scenarios)) < len(self.scenarios):
            raise DesignError(("scenarios",), "name each scenario only once")
        _check_sampling(self)
        most = self.maximum if self.until else self.replications
        if self.draws is not None and len(self.draws.numbers) < most:
            raise DesignError(("draws",), f"are {len(self.draws.numbers)}, fewer than {most} replications")
        if self.until:
            if self.replications < LEAST_RUNS:
                reason = f"must be at least {LEAST_RUNS} with until: fewer give no standard error"
                raise DesignError(("replications",), reason)
            if self.maximum < self.replications:
                raise DesignError(("maximum",), f"must be at least replications ({self.replications})")
            self.tolerances()
            _check_names("until", self.until, outcomes(self.keep))
        if self.stop:
            self.conditions()
            _check_names("stop", self.stop, indicator_names())
        return self

    def tolerances(self) -> dict[str, tuple[float, bool]]:
        """`until` as numbers: outcome to (tolerance, whether relative to the mean)."""
        found = {}
        for name, text in self.until.items():
            match = _TOLERANCE.fullmatch(str(text))
            if match is None or not float(match[1]) > 0:
                raise DesignError(("until", name), f'{text!r}: must be a number above 0, such as 0.5, or "1%"')
            relative = match[2] == "%"
            found[name] = (float(match[1]) / 100 if relative else float(match[1]), relative)
        return found

    def conditions(self) -> tuple[tuple[str, str, float], ...]:
        """`stop` as (indicator, comparison, number)."""
        found = []
        for name, text in self.stop.items():
            match = _CONDITION.fullmatch(text)
            if match is None:
                raise DesignError(("stop", name), f'{text!r}: must be a comparison with a number, such as "< 10"')
            found.append((name, match[1], float(match[2])))
        return tuple(found)

    @property
    def policy_names(self) -> tuple[str, ...]:
        """Names of the policy mixes, `OWN` where none is given."""
        return tuple(self.policies) or (OWN,)


def indicator_names(extensions: Iterable[str] | None = None) -> tuple[str, ...]:
    """Names of our indicators, and of those of some mechanisms from outside; None: of all that are installed."""
    from district_sim.scenario.indicators import NAMES

    return (*NAMES, *(all_indicators() if extensions is None else indicators_of(extensions)))


def outcomes(keep: Keep, extensions: Iterable[str] | None = None) -> tuple[str, ...]:
    """Numeric columns of the table of runs that an experiment keeps.

    Args:
        extensions: names of the mechanisms from outside in its scenarios; None: all that are installed.
    """
    names = indicator_names(extensions)
    final = names if keep.final else ()
    late = tuple(f"{name}_late" for name in names) if keep.late else ()
    return (*SCORES, *ROUTES, "recovery_time", *final, *late)


class Interval(NamedTuple):
    """A checked range of numbers to draw from."""

    low: float
    high: float
    log: bool
    whole: bool


def _check_sampling(experiment: Experiment) -> None:
    """What the design needs: values, equally many values, or a number of samples."""
    design, vary = experiment.design, experiment.vary
    if design in ("factorial", "list"):
        for path, values in vary.items():
            if isinstance(values, Range):
                raise DesignError(("vary", path), f"a {design} design needs values, or start, stop and count")
            if values == ():
                raise DesignError(("vary", path), "needs at least one value")
            if design == "factorial":
                _check_distinct(path, values)
        if experiment.samples is not None:
            raise DesignError(
                ("samples",), f"is for samplings; a {design} design has as many points as its values make"
            )
        lengths = {len(v) if isinstance(v, tuple) else v.count for v in vary.values() if not isinstance(v, Range)}
        if design == "list" and len(lengths) != 1:
            raise DesignError(("vary",), "a list needs columns of equal length, at least one")
        if design == "factorial":
            _check_number(experiment)
        return
    if not vary:
        raise DesignError(("vary",), f"a {design} design needs something to vary")
    if experiment.samples is None:
        what = "paths" if design == "morris" else "points"
        raise DesignError(("samples",), f"a {design} design needs the number of {what}")
    if design == "sobol" and experiment.samples & (experiment.samples - 1):
        nearest = 2 ** (experiment.samples.bit_length() - 1)
        raise DesignError(("samples",), f"a Sobol' sequence needs a power of two: {nearest} or {2 * nearest}")


def _check_distinct(path: str, values: tuple[Value, ...] | Span) -> None:
    """Equal values would make equal runs, as every point has the same luck."""
    if isinstance(values, Span):
        if values.start == values.stop:
            raise DesignError(("vary", path), f"start and stop are both {values.start:g}; name a list of one value")
        return
    seen: set[Value] = set()
    for number, value in enumerate(values):
        if value in seen:
            raise DesignError(("vary", path, number), f"{show(value)} is named twice")
        seen.add(value)


def _check_number(experiment: Experiment) -> None:
    lengths = [
        len(v) if isinstance(v, tuple) else v.count for v in experiment.vary.values() if not isinstance(v, Range)
    ]
    count = math.prod([len(experiment.scenarios), len(experiment.policy_names), *lengths])
    if count > _MOST_POINTS:
        raise DesignError(
            ("vary",), f"makes {count:,} points, more than {_MOST_POINTS:,}; use fewer values or a sampling design"
        )


def _check_names(field: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise DesignError((field, name), f"there is no outcome {name!r}{suggest(name, known)}")
