"""Evaluation files: what a programme did, to whom, how it was evaluated, and what was published.

title: R&D grants by score
source: {author: "Bronzini & Iachini", year: 2014, doi: 10.1257/pol.6.4.100}
programme: What happened, in words.
instruments:
  - {kind: rd_subsidy, per_employee: 0.1}
served: {by: score, score: [research], applicants: 0.5, share: 0.6}
estimator: discontinuity
findings:
  - {outcome: research, unit: sales, sign: "0", says: nothing overall}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from district_sim.evidence.cases.files import message, place_of
from district_sim.evidence.evaluations.measures import AGE, MEASURES
from district_sim.scenario.fields import Section
from district_sim.scenario.files import (
    EVALUATIONS,
    Key,
    ScenarioError,
    bundled_files,
    find_file,
    load_scenario,
    read_yaml,
    shown_path,
)
from district_sim.scenario.instruments import InstrumentKind, Targeting
from district_sim.scenario.interventions import Instrument
from district_sim.scenario.policy_files import laid_over
from district_sim.scenario.sections import Scenario
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import MOST_PROBLEMS

_MOST_QUARTERS = 200

type Window = Annotated[list[int], Field(min_length=2, max_length=2)]


class Reference(Section):
    """A published work."""

    author: str = Field(min_length=2, description="Authors")
    year: int = Field(ge=1900, le=3000, description="Year of publication")
    doi: str = Field("", description="Of the work, if it has one")
    published: str = Field("", description="Where")

    @property
    def short(self) -> str:
        """As it is cited in a table."""
        return f"{self.author} {self.year}"

    @property
    def full(self) -> str:
        """As it is cited in a list."""
        parts = [self.short, self.published, f"doi {self.doi}" if self.doi else ""]
        return ", ".join(part for part in parts if part)


class Support(Section):
    """One instrument of the programme."""

    kind: Annotated[InstrumentKind, Field(strict=False, description="Which instrument")]
    target: Annotated[Targeting, Field(strict=False, description="Whom of those served it reaches")] = Targeting.ALL
    budget: float | None = Field(None, gt=0.0, le=1e9, description="k€ a quarter in a district, ...")
    per_employee: float | None = Field(
        None, gt=0.0, le=100.0, description="... or k€ a quarter for each employee that those served have at the start"
    )
    intensity: float = Field(1.0, ge=0.0, le=10.0, description="As in a scenario's policies")

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        if (self.budget is None) == (self.per_employee is None):
            raise ValueError("needs one of budget and per_employee")
        if self.target is not Targeting.ALL and not self.kind.record.targeted:
            raise ValueError(f"{self.kind} serves the district as a whole; target must be all, not {self.target}")
        return self


class Served(Section):
    """Who is served."""

    where: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(
        {}, description="Eligible: a measure before the start, or age in quarters, from the first to the second number"
    )
    applicants: float = Field(1.0, gt=0.0, le=1.0, description="Share of the eligible that apply")
    keen: str | None = Field(None, description="Those with more of this measure before the start rather apply")
    by: Literal["all", "lottery", "score"] = Field("all", description="How those served are chosen among applicants")
    share: float = Field(0.5, gt=0.0, lt=1.0, description="Share of applicants served; not with all")
    score: list[str] = Field([], description="Measures of which the score is the mean, each in standard deviations")
    luck: float = Field(1.0, ge=0.0, le=100.0, description="Weight of chance in the score, one measure having 1")


class Finding(Section):
    """One published result."""

    outcome: str = Field(description="A measure")
    scope: Literal["all", "small", "large", "small less large"] = Field("all", description="Of which firms")
    whose: Literal["served", "others"] = Field(
        "served", description="Effect on those served, or on those of the same district that were not"
    )
    unit: Literal["log", "level", "sales", "grant"] = Field(
        "log",
        description="log: per cent; level: in the measure's unit, shares in points; sales: sum over the window, per "
        "cent of a year's sales before; grant: for each euro of support",
    )
    after: Window | None = Field(None, description="Quarters since the start over which the outcome is taken")
    sign: Literal["+", "-", "0"] = Field(description="What was published: positive, negative, nothing significant")
    value: float | None = Field(None, allow_inf_nan=False, description="The published estimate, in the unit")
    low: float | None = Field(None, allow_inf_nan=False, description="Lower end of its interval or range")
    high: float | None = Field(None, allow_inf_nan=False, description="Upper end")
    says: str = Field(min_length=2, description="What was published, in words")
    source: Reference | None = Field(None, description="Where, if not in the file's source")
    basis: Literal["published", "re-estimated"] = Field(
        "published", description="re-estimated: with our estimator from the authors' own data"
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.low is None) != (self.high is None) or (self.low or 0.0) > (self.high or 0.0):
            raise ValueError("low and high go together, and low must not be above high")
        return self


class Evaluation(Section):
    """An evaluation file."""

    title: str = Field(min_length=2, description="Programme and place")
    source: Reference = Field(description="Who evaluated it")
    programme: str = Field(min_length=2, description="What it was and how it was evaluated, in words")
    cannot: str = Field("", description="Why the model cannot express it; nothing is run then")
    scenario: str = Field("baseline", description="The district")
    values: dict[str, Any] = Field({}, description="Values that win over the scenario's, by dotted path")
    start: int = Field(20, ge=1, le=_MOST_QUARTERS, description="First quarter of the programme")
    lasts: int = Field(8, ge=1, le=_MOST_QUARTERS, description="Quarters for which it pays")
    before: int = Field(4, ge=1, le=_MOST_QUARTERS, description="Quarters before the start that are the basis")
    after: Window = Field([0, 12], description="Quarters since the start over which outcomes are taken, from and until")
    instruments: list[Support] = Field([], description="What the programme offered")
    served: Served = Field(Served(), description="Who was served")
    districts: Literal["all", "lottery", "declining"] = Field(
        "all",
        description="Districts that have the programme: all, so that firms of one district are compared; every second; "
        "or the half whose productivity grew least before",
    )
    estimator: Literal["differences", "discontinuity"] = Field("differences", description="How effects are estimated")
    controls: list[str] = Field([], description="Measures before the start that are held equal, as by matching")
    bandwidth: float = Field(1.0, gt=0.0, le=10.0, description="Of the discontinuity, standard deviations of the score")
    order: int = Field(1, ge=0, le=3, description="Of the polynomial of the discontinuity")
    small: float = Field(10.0, gt=0.0, description="Employees below which a firm is small")
    findings: list[Finding] = Field([], description="What was published")
    differs: str = Field("", description="How the design differs from the evaluation's, in words")
    discussion: str = Field("", description="What in the model stands behind agreement and disagreement")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.cannot:
            return self
        if not (self.instruments and self.findings):
            raise ValueError("needs instruments and findings, or cannot: why the model cannot express it")
        if self.before > self.start:
            raise ValueError(f"before ({self.before}) must not be longer than start ({self.start})")
        if self.estimator == "discontinuity" and self.served.by != "score":
            raise ValueError("a discontinuity needs served.by: score")
        if self.estimator == "discontinuity" and any(finding.unit == "grant" for finding in self.findings):
            raise ValueError("unit: grant needs estimator: differences")
        if (self.served.by == "score") != bool(self.served.score):
            raise ValueError("served.by: score needs served.score, and only this does")
        if self.districts == "all" and self.served.by == "all" and self.served.applicants == 1.0:
            raise ValueError("nobody is left to compare with: choose among firms (served.by) or districts")
        if self.districts == "all" and any(finding.whose == "others" for finding in self.findings):
            raise ValueError("an effect on others needs districts without the programme")
        return self


class Plan:
    """An evaluation file read and checked, ready to be run."""

    def __init__(self, name: str, data: Evaluation, scenario: Scenario | None) -> None:
        self.name, self.data, self._scenario = name, data, scenario

    @property
    def scenario(self) -> Scenario:
        """The district without policies."""
        assert self._scenario is not None, "what the model cannot express is not run"
        return self._scenario

    @property
    def last(self) -> int:
        """Quarters after the start until the last outcome is known."""
        return max(self.window(finding)[1] for finding in self.data.findings)

    def window(self, finding: Finding) -> tuple[int, int]:
        """Quarters since the start over which an outcome is taken."""
        low, high = finding.after or self.data.after
        return low, high

    def offered(self, employees: Mapping[Targeting, float]) -> Scenario:
        """The district with the programme.

        Args:
            employees: of those served whom an instrument's target admits, at the start.
        """
        data = self.data
        instruments = [
            Instrument(
                name=f"{one.kind} {number}",
                kind=one.kind,
                target=one.target,
                start=data.start,
                end=data.start + data.lasts,
                budget=(one.budget or 0.0) + (one.per_employee or 0.0) * employees[one.target],
                intensity=one.intensity,
            )
            for number, one in enumerate(data.instruments, start=1)
        ]
        return laid_over(self.scenario, instruments)


def evaluation_names() -> list[str]:
    """Names of the bundled evaluations."""
    return bundled_files(EVALUATIONS)


def read_evaluation(name_or_path: str | Path) -> Plan:
    """A bundled evaluation or any evaluation file.

    Raises:
        ScenarioError: it cannot be used; each line names file, line and field.
    """
    path = find_file(name_or_path, EVALUATIONS, "evaluation")
    raw, places = read_yaml(path)
    try:
        data = Evaluation.model_validate(raw)
    except ValidationError as error:
        parts: dict[str, type[Section]] = {
            "instruments": Support,
            "findings": Finding,
            "served": Served,
            "source": Reference,
        }
        details = error.errors(include_url=False)[:MOST_PROBLEMS]
        lines = [message(detail, raw, places, path, Evaluation, parts) for detail in details]
        raise ScenarioError("\n".join(dict.fromkeys(lines))) from None
    if data.cannot:
        return Plan(path.stem, data, None)
    _check_measures(data, places)
    plan = Plan(path.stem, data, load_scenario(data.scenario, data.values).model_copy(update={"policies": ()}))
    _check_times(plan, places)
    try:
        plan.offered(dict.fromkeys(Targeting, 1.0))
    except ScenarioError as error:
        raise _refused(places, ("instruments",), f"instruments: {error}") from None
    return plan


def _check_measures(data: Evaluation, places: Mapping[Key, str]) -> None:
    named: list[tuple[Key, str]] = [(("findings", n, "outcome"), one.outcome) for n, one in enumerate(data.findings)]
    named += [(("served", "score", n), name) for n, name in enumerate(data.served.score)]
    named += [(("controls", n), name) for n, name in enumerate(data.controls)]
    named += [(("served", "where", name), name) for name in data.served.where]
    named += [(("served", "keen"), data.served.keen)] if data.served.keen else []
    for at, name in named:
        known = list(MEASURES) if at[0] == "findings" else [*MEASURES, AGE]
        if name not in known:
            hint = suggest(name, known) or f" (known: {', '.join(known)})"
            raise _refused(places, at, f"{'.'.join(map(str, at))}: there is no measure {name!r}{hint}")


def _check_times(plan: Plan, places: Mapping[Key, str]) -> None:
    data, quarters = plan.data, plan.scenario.run.quarters
    for number, finding in enumerate(data.findings):
        low, high = plan.window(finding)
        at: Key = ("after",) if finding.after is None else ("findings", number, "after")
        if not 0 <= low < high:
            raise _refused(places, at, f"after = [{low}, {high}]: must be two numbers from 0 on, the second larger")
        if data.start + high > quarters:
            raise _refused(
                places, at, f"after = [{low}, {high}]: with start {data.start} the run of {quarters} quarters is over"
            )


def _refused(places: Mapping[Key, str], at: Key, reason: str) -> ScenarioError:
    return ScenarioError(f"{place_of(places, at)}: {reason}")


__all__ = ["Evaluation", "Finding", "Plan", "Reference", "evaluation_names", "read_evaluation", "shown_path"]
