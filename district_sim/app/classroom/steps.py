"""What a lesson consists of: districts, levers, steps of every kind, claims. `lesson` reads files of them."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from district_sim.app.levers import levers as levers_of_the_page
from district_sim.model.state import PROJECTS
from district_sim.run.trajectories import FUTURES, Trajectory
from district_sim.scenario.fields import Section
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.instruments import FOREVER, InstrumentKind
from district_sim.scenario.interventions import MOST_INSTRUMENTS
from district_sim.scenario.suggestions import suggest
from district_sim.text.names import in_percent

MOST_STEPS, MOST_TEAMS, MOST_TRIES, MOST_ROUNDS = 40, 30, 20, 12
MOST_FIRMS, MOST_QUARTERS = 1000, 400
"""Of a district that a whole class waits for."""
MOST_FIRMS_IN_GAME = 300
"""Of a game: each round is run once more for every player, to tell what another decision would have brought."""
DEFAULT_SHOWS = ("employment", "value_added_local", "local_purchases", "trust")
FUTURE, CHANCE = "future", "chance"
"""What `ask` of a prediction may be beside the name of an indicator."""

_ROUNDING = 1e-9

type Values = dict[str, float | int | str | bool | list[Any]]


class District(Section):
    """A district that the class looks at."""

    scenario: str = Field("classroom", min_length=1, description="Bundled scenario, or a file beside the lesson")
    values: Values = Field({}, description="Values that win over the scenario's, by dotted path")
    seed: int | None = Field(None, ge=0, lt=2**64, description="Its luck, if not the lesson's")


class Lever(Section):
    """A value that students may move before a run."""

    path: str = Field(min_length=1, description="Dotted path of a number of the scenario")
    name: str = Field("", max_length=60, description="As students read it; the page's name of the lever if left out")
    low: float = Field(allow_inf_nan=False, description="Left end")
    high: float = Field(allow_inf_nan=False, description="Right end")
    price: float = Field(0.0, ge=0.0, le=1e6, description="M€ to move it from one end to the other")
    text: str = Field("", max_length=400, description="What it means")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, not {self.low:g} and {self.high:g}")
        return self

    @property
    def id(self) -> str:
        """Its name in messages."""
        return self.path

    @property
    def label(self) -> str:
        """Its name for students."""
        names = {one.path: one.name for one in levers_of_the_page()}
        return self.name or names.get(self.path) or self.path.rpartition(".")[2].replace("_", " ").capitalize()


class Measure(Section):
    """A policy that students may pay for."""

    kind: Annotated[InstrumentKind, Field(strict=False, description="Which instrument")]
    name: str = Field("", max_length=60, description="As students read it; the instrument's name if left out")
    most: float = Field(gt=0.0, le=1e6, description="Largest budget, k€ a quarter")
    start: int = Field(0, ge=0, lt=MOST_QUARTERS, description="First quarter")
    end: int | None = Field(None, gt=0, le=MOST_QUARTERS, description="First quarter without it; never if left out")
    text: str = Field("", max_length=400, description="What it does; the instrument's own words if left out")

    @property
    def id(self) -> str:
        """Its name in messages."""
        return self.kind.value

    @property
    def label(self) -> str:
        """Its name for students."""
        return self.name or self.kind.record.label

    def quarters(self, run: int) -> int:
        """For how many quarters of a run it pays."""
        return max(0, min(run, FOREVER if self.end is None else self.end) - self.start)


class _Step(Section):
    title: str = Field(min_length=1, max_length=100, description="Heading that everybody sees; it gives nothing away")
    minutes: float = Field(gt=0.0, le=600.0, description="Time that it takes")
    text: str = Field(min_length=1, description="Markdown, for everybody")
    notes: str = Field("", description="Markdown, for the teacher alone")
    reveal: str = Field("", description="Markdown, for everybody once the teacher reveals it")


class Read(_Step):
    """Something to read, with a district to watch if there is one."""

    kind: Literal["read"]
    district: District | None = Field(None, description="Everybody watches it; its title is shown")


class Vote(_Step):
    """A question with choices."""

    kind: Literal["vote"]
    choices: list[Annotated[str, Field(min_length=1, max_length=120)]] = Field(
        min_length=2, max_length=8, description="What can be chosen"
    )
    answer: int | None = Field(None, ge=1, description="Number of the right choice, hidden until the reveal")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.answer is not None and self.answer > len(self.choices):
            raise ValueError(f"answer = {self.answer}: there are {len(self.choices)} choices")
        return self


class Predict(_Step):
    """A guess before a run; the run, its district's title and its notes are hidden until the reveal."""

    kind: Literal["predict"]
    district: District = Field(description="The mystery")
    ask: str = Field(
        FUTURE,
        description="future; chance: how many of so many runs end as `of`; or an indicator at the end: shares in per "
        "cent, the rest in per cent of the first year",
    )
    of: Annotated[Trajectory, Field(strict=False)] | None = Field(None, description="With chance: which future")
    runs: int = Field(20, ge=2, le=50, description="With chance: how many districts, each with luck of its own")
    seen: int = Field(0, ge=0, lt=MOST_QUARTERS, description="Quarters that are shown before the guess")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.ask not in (FUTURE, CHANCE, *NAMES):
            raise ValueError(f"ask must be {FUTURE}, {CHANCE} or an indicator{suggest(self.ask, NAMES)}")
        if (self.of is None) != (self.ask != CHANCE):
            raise ValueError("of goes with ask: chance, and chance needs it")
        return self

    @property
    def most(self) -> float:
        """The largest guess that is a number."""
        return float(self.runs) if self.ask == CHANCE else 100.0 if in_percent(self.ask) else 300.0


class Play(_Step):
    """Each player, or each team, runs a district under the class's luck."""

    kind: Literal["run"]
    district: District = Field(District(), description="Where they start")
    levers: list[Lever] = Field([], max_length=8, description="What they may move")
    policies: list[Measure] = Field([], max_length=MOST_INSTRUMENTS, description="What they may pay for")
    purse: float = Field(0.0, ge=0.0, le=1e6, description="M€ that all of it may cost; 0 for no limit")
    teams: bool = Field(False, description="Whether teams play, each with one purse")
    tries: int = Field(5, ge=1, le=MOST_TRIES, description="Runs that each may make; the last one counts")

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        ids = [*(one.id for one in self.levers), *(one.id for one in self.policies)]
        if not ids:
            raise ValueError("needs levers or policies: something to decide")
        if twice := next((one for one in ids if ids.count(one) > 1), None):
            raise ValueError(f"{twice} is there twice")
        return self


class Effort(Section):
    """Where the agency's money goes."""

    name: str = Field(min_length=1, max_length=60, description="As students read it")
    projects: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(
        min_length=1, description=f"Share of its spending on each project: {', '.join(PROJECTS)}; together 1"
    )
    text: str = Field("", max_length=400, description="What it means")

    @model_validator(mode="after")
    def _is_all_of_it(self) -> Self:
        for name in self.projects:
            if name not in PROJECTS:
                raise ValueError(f"projects: there is no project {name!r}{suggest(name, PROJECTS)}")
        if abs((total := math.fsum(self.projects.values())) - 1.0) > _ROUNDING:
            raise ValueError(f"projects must sum to 1, they sum to {total:g}")
        return self

    @property
    def label(self) -> str:
        """Its name for students."""
        return self.name

    @property
    def values(self) -> dict[str, float]:
        """The strategy's values, by path."""
        return {f"strategy.project_{name}": self.projects.get(name, 0.0) for name in PROJECTS}


class Rounds(Section):
    """The rounds of a game."""

    begin: int = Field(20, ge=0, lt=MOST_QUARTERS, description="Quarters before the first round: firms decide alone")
    count: int = Field(6, ge=1, le=MOST_ROUNDS, description="How many rounds there are")
    quarters: int = Field(4, ge=1, le=8, description="Quarters in a round")


class Game(_Step):
    """A public good: one student leads the agency, the others decide whether their firms join, round by round."""

    kind: Literal["game"]
    district: District = Field(District(), description="Where it is played")
    rounds: Rounds = Field(Rounds(), description="When they begin, and how many there are")
    levers: list[Lever] = Field([], max_length=4, description="What the agency sets for each round; without a price")
    efforts: list[Effort] = Field([], max_length=8, description="What the agency may do with its money")

    @model_validator(mode="after")
    def _costs_nothing(self) -> Self:
        for lever in self.levers:
            if lever.price:
                raise ValueError(f"{lever.path}: in a game levers have no price")
        return self


type Step = Annotated[Read | Vote | Predict | Play | Game, Field(discriminator="kind")]
KINDS: dict[str, type[_Step]] = {"read": Read, "vote": Vote, "predict": Predict, "run": Play, "game": Game}


class Played(Section):
    """Of a claim: a game in which the first players always join and the rest never do."""

    rounds: Rounds = Field(Rounds(), description="As in the game")
    players: int = Field(20, ge=1, le=60, description="How many play")
    joins: float = Field(1.0, ge=0.0, le=1.0, description="Share of players who join")
    what: Literal["cost", "followers", "value_added"] = Field(
        description="What is looked at: mean cost of joining in the first round, in per cent of value added; share of "
        "the other firms that are members at the end, in per cent; value added kept in the last round, in per cent of "
        "the same district without any agency"
    )


class Claim(Section):
    """Something that the lesson says, and that must be true in so many of ten runs."""

    says: str = Field(min_length=2, description="The claim in words")
    district: District = Field(description="Of which it is said")
    future: Annotated[Trajectory, Field(strict=False)] | None = Field(None, description="It ends as this")
    indicator: str = Field("", description="Or this indicator, at the end, as in `ask`, ...")
    above: float | None = Field(None, allow_inf_nan=False, description="... is above this,")
    below: float | None = Field(None, allow_inf_nan=False, description="... below this,")
    than: District | None = Field(None, description="or is above that of this district under the same luck")
    game: Played | None = Field(None, description="Or this, of a game, in place of an indicator")
    than_joins: float | None = Field(None, ge=0.0, le=1.0, description="or is above that where this share joins")
    in_ten: float = Field(8.0, gt=0.0, le=10.0, description="In at least so many of ten runs")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        bounds = [self.above is not None, self.below is not None]
        said = [*bounds, self.than is not None]
        if self.game is not None:
            said = [*bounds, self.than_joins is not None]
            if sum(said) != 1 or self.future is not None or self.indicator or self.than is not None:
                raise ValueError("a game needs one of above, below and than_joins, and nothing else")
            return self
        if self.than_joins is not None:
            raise ValueError("than_joins goes with game")
        if (self.future is not None) + sum(said) != 1 or bool(self.indicator) != any(said):
            raise ValueError("needs either future, or an indicator with one of above, below and than")
        if self.indicator and self.indicator not in NAMES:
            raise ValueError(f"there is no indicator {self.indicator!r}{suggest(self.indicator, NAMES)}")
        return self


FUTURES_ASKED: tuple[Trajectory, ...] = (*FUTURES, Trajectory.MARSHALLIAN_PERSISTENCE, Trajectory.DECLINE)
"""What a guess of the future may be, in the order of the page."""
