"""What is done to a district: policy instruments with their windows and budgets, and shocks from outside."""

from math import inf
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from district_sim.scenario.calendar import in_order, written
from district_sim.scenario.fields import Moment, Section, number, share, whole
from district_sim.scenario.indicators import INDICATORS, NAMES
from district_sim.scenario.instruments import (
    FOREVER,
    MOST_SIGNPOSTS,
    Action,
    Funding,
    InstrumentKind,
    ShockKind,
    Targeting,
)
from district_sim.scenario.suggestions import suggest

MOST_INSTRUMENTS = MOST_SHOCKS = 32  # in a scenario
_BY: dict[str, Any] = {"unit": "of the indicator", "source": "set by you"}


class Signpost(Section):
    """What an instrument waits for: an indicator beyond a line for some quarters in a row, and what happens then.

    A signpost in the sense of adaptive policies (Haasnoot et al. 2013, doi 10.1016/j.gloenvcha.2012.12.006).
    """

    indicator: str = Field(
        description="Indicator of the district that is watched", json_schema_extra={"examples": list(NAMES[:3])}
    )
    above: float | None = Field(
        None, allow_inf_nan=False, description="Line above which it must lie; this or below", json_schema_extra=_BY
    )
    below: float | None = Field(
        None, allow_inf_nan=False, description="Line below which it must lie; this or above", json_schema_extra=_BY
    )
    quarters: int = whole(1, 1, 400, "quarters", "For how many quarters in a row", "set by you")
    then: Annotated[Action, Field(strict=False, description="start, stop, or budget: another budget from then on")]
    budget: float | None = Field(
        None,
        ge=0.0,
        le=1e9,
        allow_inf_nan=False,
        description="Budget per quarter from then on; with then: budget",
        json_schema_extra={"unit": "k€ per quarter", "source": "set by you"},
    )
    budget_share: float | None = Field(
        None,
        ge=0.0,
        le=0.5,
        allow_inf_nan=False,
        description="The same as a share of the last quarter's turnover; with then: budget",
        json_schema_extra={"unit": "share of district turnover", "source": "set by you"},
    )

    @field_validator("indicator")
    @classmethod
    def _known(cls, given: str) -> str:
        if given not in NAMES:
            hint = suggest(given, NAMES) or " (indicators are listed in docs/odd.md)"
            raise ValueError(f"there is no indicator {given!r}{hint}")
        return given

    @property
    def line(self) -> float:
        """The number that must be crossed."""
        return self.below if self.above is None else self.above  # type: ignore[return-value]  # one of them is given

    @model_validator(mode="after")
    def _can_be_passed(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("a signpost needs one line: above or below")
        low, high = INDICATORS[NAMES.index(self.indicator)].bounds
        if not (low <= self.line < high if self.below is None else low < self.line <= high):
            side = "above" if self.below is None else "below"
            bounds = f"between {low:g} and {high:g}" if high < inf else f"at least {low:g}"
            raise ValueError(f"{side} = {self.line:g}: {self.indicator} is {bounds}, so this never comes")
        given = (self.budget, self.budget_share)
        if self.then is Action.BUDGET and given == (None, None):
            raise ValueError("then: budget needs the budget (or budget_share) from then on")
        if self.then is not Action.BUDGET and given != (None, None):
            raise ValueError(f"budget and budget_share are for then: budget, not then: {self.then}")
        return self

    def words(self) -> str:
        """The signpost for a reader: `starts when unemployment is above 0.12 for 4 quarters`."""
        amounts = [f"{self.budget:,g} k€" if self.budget is not None else ""]
        amounts += [f"{100 * self.budget_share:g} % of turnover" if self.budget_share is not None else ""]
        spends = f"has {' and '.join(filter(None, amounts))} a quarter"
        does = {Action.START: "starts", Action.STOP: "stops", Action.BUDGET: spends}[self.then]
        side = "above" if self.below is None else "below"
        length = f" for {self.quarters} quarters" if self.quarters > 1 else ""
        return f"{does} when {self.indicator} is {side} {self.line:g}{length}"


class Instrument(Section):
    """One policy instrument with its window, budget and target."""

    name: str = Field(min_length=1, max_length=60, description="A name you choose")
    kind: Annotated[
        InstrumentKind,
        Field(
            strict=False,
            description="Which instrument",
            json_schema_extra={"enumDescriptions": [kind.record.mechanism for kind in InstrumentKind]},
        ),
    ]
    start: Moment = whole(40, 0, FOREVER, "quarter", "First quarter", "set by you")
    end: Moment = whole(FOREVER, 0, FOREVER, "quarter", "First quarter without it", "set by you")
    budget: float = number(0.0, 0.0, 1e9, "k€ per quarter", "Budget per quarter", "set by you")
    budget_share: float = number(
        0.0,
        0.0,
        0.5,
        "share of district turnover",
        "Budget per quarter as a share of the last quarter's turnover, added to the absolute one",
        "set by you",
    )
    intensity: float = number(
        1.0,
        0.0,
        10,
        "1",
        "Strength: match rate for ppp_match, share of takeovers prevented at full spending for screening, probability "
        "of joining a buy-out for co-ownership, otherwise effect per k€ relative to normal; vouchers and subsidies pay "
        "at most 2 k€ per employee and quarter",
        "set by you",
    )
    target: Annotated[Targeting, Field(strict=False, description="Whom it serves")] = Targeting.ALL
    phase: int | None = Field(
        None,
        ge=0,
        le=11,
        description="Serve firms of this production phase only (0 is the first)",
        json_schema_extra={"unit": "phase"},
    )
    funded_by: Annotated[
        Funding,
        Field(
            strict=False,
            description="Who pays in the end: outside (a national or European programme), or taxes on the district's "
            "firms in proportion to value added",
        ),
    ] = Funding.OUTSIDE
    when: tuple[Signpost, ...] = Field(
        (),
        max_length=MOST_SIGNPOSTS,
        strict=False,
        description="What it waits for within its window; one that is to be started waits for that",
    )

    @property
    def waits(self) -> bool:
        """Whether it does nothing before a signpost starts it."""
        return any(post.then is Action.START for post in self.when)

    @model_validator(mode="after")
    def _window(self) -> Self:
        if not in_order(self.start, self.end):
            raise ValueError(f"end ({written(self.end)}) must come after start ({written(self.start)})")
        if self.target is not Targeting.ALL and not self.kind.record.targeted:
            raise ValueError(f"{self.kind} serves the district as a whole; target must be all, not {self.target}")
        if self.phase is not None and not self.kind.record.targeted:
            raise ValueError(f"{self.kind} serves the district as a whole; leave phase out")
        return self


class Shock(Section):
    """Something that happens to the district from outside, with its time, size and recovery."""

    name: str = Field(min_length=1, max_length=60, description="A name you choose")
    kind: Annotated[
        ShockKind,
        Field(
            strict=False,
            description="Which shock",
            json_schema_extra={"enumDescriptions": [kind.record.mechanism for kind in ShockKind]},
        ),
    ]
    start: Moment = whole(40, 0, FOREVER, "quarter", "First quarter", "set by you")
    size: float = Field(
        ge=-1.0,
        le=2.0,
        allow_inf_nan=False,
        description="How large: "
        + "; ".join(f"{kind}: {kind.record.size}, {kind.record.low:g} to {kind.record.high:g}" for kind in ShockKind),
        json_schema_extra={"unit": "by kind", "source": "set by you"},
    )
    duration: int = whole(FOREVER, 0, FOREVER, "quarters", "How long it lasts in full; not for events", "set by you")
    recovery: int = whole(0, 0, FOREVER, "quarters", "How long it takes to fade after that, linearly", "set by you")

    @model_validator(mode="after")
    def _of_this_kind(self) -> Self:
        record = self.kind.record
        if not record.low <= self.size <= record.high:
            raise ValueError(f"size of {self.kind} ({record.size}) must be {record.sizes}, not {self.size:g}")
        if record.event and (self.duration, self.recovery) != (FOREVER, 0):
            raise ValueError(
                f"{self.kind} is an event and recovery from it an outcome; leave duration and recovery out"
            )
        return self


class PolicyEffects(Section):
    """What policy money buys."""

    training_cost: float = number(
        1.0, 0.01, 1000, "k€ per employee", "Training that closes a tenth of an employee's gap in education"
    )
    it_cost: float = number(
        1.5, 0.01, 1000, "k€ per employee", "Investment that closes a tenth of the gap in information technology"
    )
    broker_reach: float = number(
        0.5,
        0.0,
        5.0,
        "1",
        "Rise of human interaction by unlimited brokerage; half of it at the spending agency.project_half",
    )
    crowding_out: float = share(
        0.4,
        "Own R&D that a firm saves for each euro of subsidy",
        "David, Hall & Toole 2000, doi 10.1016/S0048-7333(99)00087-6",
    )
    crowding_out_training: float = share(
        0.0,
        "Own training that a firm saves for each euro of training voucher, as far as it trains",
        "Abramovsky et al. 2011, J. Labor Economics 29, 153-193: little was additional; off by default, as the "
        "calibration knows none",
    )
    voucher_cost: float = number(8.0, 0.1, 1000, "k€", "Export voucher that opens one pipeline on average")
    succession_cost: float = number(
        0.5, 0.01, 1000, "k€ per employee", "Support with which a tenth of the owners without a successor find one"
    )
    screening_half: float = number(
        0.0005, 0.000001, 1.0, "share of district value added", "Spending at which screening reaches half its intensity"
    )
    coownership_stake: float = number(
        0.5,
        0.01,
        1.0,
        "share",
        "Part of a management buy-out's price and capital that a local fund pays; the managers pay the rest of the "
        "price",
        "one to one, as law 49/1985 after its reform of 2001; calibrated",
    )
    entrant_cost: float = number(150.0, 1.0, FOREVER, "k€", "Attraction of one technology-distant entrant")
    entrant_size: float = number(10.0, 1.0, 1000, "employees", "Size of an attracted entrant")
    entrant_knowledge: float = share(0.6, "Share of the frontier that an attracted entrant knows")
    founding_cost: float = number(25.0, 1.0, 10000, "k€", "Support that brings one additional founder in a thin phase")
    contest_rivals: int = whole(16, 1, 200, "bids", "Rival bids in a cluster contest", "BioRegio: 17 bids")
    contest_winners: int = whole(4, 1, 200, "bids", "Winning bids", "BioRegio: 4 winners")
    contest_capability: float = share(0.5, "Weight of the agency's capability in a bid; participation has the rest")
    contest_luck: float = share(0.1, "Weight of chance in a bid")
    contest_interval: int = whole(
        32, 1, 400, "quarters", "Quarters for which a contest's award runs", "BioRegio 1997-2005"
    )
    credibility_speed: float = number(
        0.05,
        0.0,
        1.0,
        "per quarter",
        "Speed at which credibility of the public match is won; it is lost four times as fast",
    )
