"""A room: what a class has done so far, as a fold over events. No input, no output, no clock.

`said` and `led` hear a student and the teacher and answer with the event that follows, or refuse with a sentence.
`apply` makes it so. A room is what its events make of a lesson: replaying them gives the same room.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from district_sim.app.classroom.languages import ENGLISH
from district_sim.app.classroom.lesson import Lesson, value_of
from district_sim.app.classroom.steps import CHANCE, FUTURE, FUTURES_ASKED, Game, Play, Predict, Step, Vote

MOST_VISITORS = 250
LONGEST_NAME = 24
MOST_CHANGES = 3000
"""Events that one student may cause: a lesson of hours needs some hundreds."""
LEVER_STEPS, BUDGET_STEPS = 20, 10
"""Steps of a slider: so many students ask for the same runs."""
_CENT = 1e-9

type Event = dict[str, Any]
"""What happened: `kind`, and what goes with it; plain data that JSON can hold."""


class Refused(ValueError):
    """What somebody asked for cannot be done; the text is a key of `words.WORDS`."""

    def __init__(self, word: str, **given: object) -> None:
        super().__init__(word)
        self.word, self.given = word, given


@dataclass
class Visitor:
    """A student, or whoever holds the phone."""

    number: int
    """1, 2, ... in the order of coming."""
    key: str
    """Hash of the secret that the phone keeps."""
    name: str = ""
    hidden: bool = False
    """Whether the teacher has hidden the name."""
    team: int = 0
    """1, 2, ...; 0 where there are no teams."""
    changes: int = 0


@dataclass
class Desk:
    """What a player, or a team, has on the table in one step."""

    settings: dict[str, float] = field(default_factory=dict)
    """Value of levers and budget of policies that were touched, by their id."""
    tries: list[dict[str, float]] = field(default_factory=list)
    """The settings of each run so far; the last one counts."""


@dataclass
class Board:
    """A public-good game in one step."""

    number: int = 0
    """Which game it is: the teacher may begin anew."""
    agency: int = 0
    """Who leads the agency; 0 for nobody."""
    choices: dict[int, bool] = field(default_factory=dict)
    """Of each visitor who has decided, whether the firm joins; it stays so until changed."""
    settings: dict[str, float] = field(default_factory=dict)
    """Value of the agency's levers that were touched, by their id."""
    effort: int = 0
    """Where its money goes: number of the effort, 0 for the district's own mix."""
    turns: list[Event] = field(default_factory=list)
    """The rounds played, each as it was decided: `people`, `choices`, `values`."""


@dataclass
class Room:
    """A class in a lesson."""

    lesson: Lesson
    language: str = ENGLISH
    """Of what is shown of it; the lesson is in this language, too."""
    at: int = 0
    """The step that is on, counted from 0."""
    paused: bool = False
    names: bool = True
    """Whether names are shown on the teacher's screen."""
    revealed: set[int] = field(default_factory=set)
    """Steps that the teacher has revealed."""
    visitors: dict[int, Visitor] = field(default_factory=dict)
    answers: dict[int, dict[int, float | str]] = field(default_factory=dict)
    """Of each step, each visitor's vote (1, 2, ...) or guess."""
    desks: dict[tuple[int, str], Desk] = field(default_factory=dict)
    """By step and player."""
    boards: dict[int, Board] = field(default_factory=dict)
    """Of steps in which a game was played."""

    @property
    def step(self) -> Step:
        """The step that is on."""
        return self.lesson.steps[self.at]

    def by_key(self, key: str) -> Visitor | None:
        """Who holds a secret."""
        return next((one for one in self.visitors.values() if one.key == key), None)

    def player(self, visitor: Visitor, at: int | None = None) -> str:
        """Who plays in a step, as `v7` or `t2`: the visitor alone, or the team."""
        step = self.lesson.steps[self.at if at is None else at]
        return f"t{visitor.team}" if isinstance(step, Play) and step.teams else f"v{visitor.number}"

    def desk(self, at: int, player: str) -> Desk:
        """What a player has on the table; an empty desk where nothing was touched."""
        return self.desks.get((at, player)) or Desk()

    def board(self, at: int) -> Board:
        """The game of a step; an empty one where nothing was done yet."""
        return self.boards.get(at) or Board()

    def members(self, player: str) -> list[Visitor]:
        """Who belongs to a player."""
        number = int(player[1:])
        if player[0] == "v":
            return [self.visitors[number]]
        return [one for one in self.visitors.values() if one.team == number]

    def name_of(self, visitor: Visitor | None) -> str:
        """The name that is shown; empty where there is none, or it is hidden, or a team is meant."""
        return visitor.name if visitor and self.names and not visitor.hidden else ""

    # What is asked for ----------------------------------------------------------------------------

    def enter(self, key: str) -> Event:
        """Somebody comes for the first time. Raises Refused where the room is full."""
        if len(self.visitors) >= MOST_VISITORS:
            raise Refused("full", most=MOST_VISITORS)
        return {"kind": "joined", "number": len(self.visitors) + 1, "key": key}

    def said(self, number: int, message: Mapping[str, Any], here: Collection[int] | None = None) -> Event:
        """What a student wants.

        Args:
            number: of the visitor. message: `do`, and what goes with it; anything may stand in it.
            here: who is connected; everybody if left out.

        Raises:
            Refused: it cannot be done, or is nothing that anybody could want.
        """
        visitor = self.visitors[number]
        if visitor.changes >= MOST_CHANGES:
            raise Refused("enough")
        do = message.get("do")
        if do == "name":
            return {"kind": "named", "number": number, "name": _name(message.get("name"))}
        if do == "team":
            team = _whole(message.get("team"), 1, self.lesson.teams)
            return {"kind": "teamed", "number": number, "team": team}
        if do not in ("answer", "set", "run", "join", "steer", "take"):
            raise Refused("not_understood")
        if message.get("step") != self.at:
            raise Refused("step_over")
        if self.paused:
            raise Refused("paused")
        step = self.step
        if do == "answer" and isinstance(step, Vote | Predict):
            if self.at in self.revealed:
                raise Refused("revealed")
            return {"kind": "answered", "number": number, "step": self.at, "value": _answer(step, message.get("value"))}
        if isinstance(step, Play) and do in ("set", "run"):
            return self._played(visitor, step, str(do), message)
        if isinstance(step, Game) and do in ("join", "steer", "take"):
            return self._decided(visitor, step, str(do), message, here)
        raise Refused("not_understood")

    def led(self, message: Mapping[str, Any]) -> Event:
        """What the teacher wants. Raises Refused."""
        do = message.get("do")
        if do == "go":
            return {"kind": "went", "step": _whole(message.get("step"), 0, len(self.lesson.steps) - 1)}
        if do == "reveal":
            return {"kind": "revealed", "step": self.at}
        if do in ("pause", "names"):
            on = message.get("on")
            if not isinstance(on, bool):
                raise Refused("not_understood")
            return {"kind": {"pause": "paused", "names": "names"}[do], "on": on}
        if do == "hide":
            number, on = _whole(message.get("number"), 1, len(self.visitors)), message.get("on")
            if not isinstance(on, bool):
                raise Refused("not_understood")
            return {"kind": "hid", "number": number, "on": on}
        if isinstance(self.step, Game) and do in ("round", "agency", "anew"):
            return self._led_game(self.step, str(do), message)
        raise Refused("not_understood")

    def _led_game(self, step: Game, do: str, message: Mapping[str, Any]) -> Event:
        board = self.board(self.at)
        if do == "agency":
            return {"kind": "gave", "step": self.at, "to": _whole(message.get("number"), 0, len(self.visitors))}
        if message.get("used") != len(board.turns):  # pressed twice
            raise Refused("ran")
        if do == "anew":
            return {"kind": "anew", "step": self.at}
        if len(board.turns) >= step.rounds.count:
            raise Refused("game_over")
        choices = [[number, join] for number, join in sorted(board.choices.items()) if number != board.agency]
        values = agency_values(step, board)
        return {"kind": "round", "step": self.at, "people": len(self.visitors), "choices": choices, "values": values}

    def _decided(
        self, visitor: Visitor, step: Game, do: str, message: Mapping[str, Any], here: Collection[int] | None
    ) -> Event:
        board = self.board(self.at)
        event: Event = {"number": visitor.number, "step": self.at}
        if len(board.turns) >= step.rounds.count:
            raise Refused("game_over")
        if do == "take":
            away = here is not None and board.agency not in here
            if board.agency not in (0, visitor.number) and not away:
                raise Refused("agency_held")
            return {**event, "kind": "took"}
        if (board.agency == visitor.number) != (do == "steer"):
            raise Refused("other_role")
        if do == "join":
            if not isinstance(join := message.get("join"), bool):
                raise Refused("not_understood")
            return {**event, "kind": "decided", "join": join}
        if "effort" in message:
            effort = _whole(message["effort"], 0, len(step.efforts))
            return {**event, "kind": "steered", "settings": dict(board.settings), "effort": effort}
        settings = {**board.settings, **_setting(step, message.get("of"), message.get("value"))}
        return {**event, "kind": "steered", "settings": settings, "effort": board.effort}

    def _played(self, visitor: Visitor, step: Play, do: str, message: Mapping[str, Any]) -> Event:
        player = self.player(visitor)
        desk = self.desk(self.at, player)
        event: Event = {"number": visitor.number, "step": self.at, "player": player}
        if do == "set":
            settings = {**desk.settings, **_setting(step, message.get("of"), message.get("value"))}
            return {**event, "kind": "set", "settings": settings}
        if message.get("used") != len(desk.tries):  # said twice, or two of a team pressed at once
            raise Refused("ran")
        if len(desk.tries) >= step.tries:
            raise Refused("no_tries", most=step.tries)
        if step.purse and cost_of(step, desk.settings) > step.purse + _CENT:
            raise Refused("too_dear", purse=step.purse)
        return {**event, "kind": "ran", "settings": dict(desk.settings)}

    # What happened --------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Make it so. Events are those of `enter`, `said` and `led`; what else stands in a journal is passed over."""
        kind = event["kind"]
        if (number := event.get("number")) in self.visitors and kind != "hid":
            self.visitors[number].changes += 1
        if kind == "joined":
            team = (event["number"] - 1) % self.lesson.teams + 1 if self.lesson.teams else 0
            self.visitors[event["number"]] = Visitor(event["number"], event["key"], team=team)
        elif kind == "named":
            self.visitors[event["number"]].name = event["name"]
        elif kind == "teamed":
            self.visitors[event["number"]].team = event["team"]
        elif kind == "answered":
            self.answers.setdefault(event["step"], {})[event["number"]] = event["value"]
        elif kind == "set":
            self._own_desk(event).settings = dict(event["settings"])
        elif kind == "ran":
            self._own_desk(event).tries.append(dict(event["settings"]))
        elif kind in ("decided", "steered", "took", "gave", "round", "anew"):
            self._apply_game(self.boards.setdefault(event["step"], Board()), event)
        elif kind == "went":
            self.at, self.paused = event["step"], False
        elif kind == "revealed":
            self.revealed.add(event["step"])
        elif kind == "paused":
            self.paused = event["on"]
        elif kind == "names":
            self.names = event["on"]
        elif kind == "hid":
            self.visitors[event["number"]].hidden = event["on"]

    def _apply_game(self, board: Board, event: Event) -> None:
        kind = event["kind"]
        if kind == "decided":
            board.choices[event["number"]] = event["join"]
        elif kind == "steered":
            board.settings, board.effort = dict(event["settings"]), event["effort"]
        elif kind == "took":
            board.agency = event["number"]
        elif kind == "gave":
            board.agency = event["to"]
        elif kind == "round":
            board.turns.append({key: event[key] for key in ("people", "choices", "values")})
        else:
            self.boards[event["step"]] = Board(number=board.number + 1, agency=board.agency)

    def _own_desk(self, event: Event) -> Desk:
        return self.desks.setdefault((event["step"], event["player"]), Desk())


def replayed(lesson: Lesson, events: Iterable[Event]) -> Room:
    """The room that events make of a lesson."""
    room = Room(lesson)
    for event in events:
        room.apply(event)
    return room


# What a district of one's own costs, and is ---------------------------------------------------------


def cost_of(step: Play, settings: Mapping[str, float]) -> float:
    """M€ that all settings cost together."""
    return math.fsum(costs_of(step, settings).values())


def costs_of(step: Play, settings: Mapping[str, float]) -> dict[str, float]:
    """M€ that each lever and policy costs: levers by how far they are moved, policies by all that they pay."""
    out = {}
    for lever in step.levers:
        own = value_of(step.district, lever.path)
        moved = abs(settings.get(lever.id, own) - own)
        out[lever.id] = lever.price * moved / (lever.high - lever.low)
    quarters = int(value_of(step.district, "run.quarters"))
    for measure in step.policies:
        out[measure.id] = settings.get(measure.id, 0.0) * measure.quarters(quarters) / 1000.0
    return out


def grid(low: float, high: float, own: float, steps: int) -> list[float]:
    """The places of a slider: equal steps, and where it stands before it is moved."""
    places = {float(f"{low + (high - low) * k / steps:.6g}") for k in range(steps + 1)}
    return sorted(places | {own})


def agency_values(step: Game, board: Board) -> dict[str, float]:
    """What the agency changes in the scenario, by path."""
    effort = step.efforts[board.effort - 1].values if board.effort else {}
    return {**effort, **board.settings}


def places_of(step: Play | Game) -> dict[str, list[float]]:
    """Of each lever and policy all values that it can have."""
    levers = {one.id: grid(one.low, one.high, value_of(step.district, one.path), LEVER_STEPS) for one in step.levers}
    if isinstance(step, Game):
        return levers
    return levers | {one.id: grid(0.0, one.most, 0.0, BUDGET_STEPS) for one in step.policies}


def changes_of(step: Play, settings: Mapping[str, float], policies: list[dict[str, Any]]) -> dict[str, Any]:
    """What settings change in the scenario, by path.

    Args:
        policies: the scenario's own, which stay.
    """
    changes: dict[str, Any] = {
        one.path: settings[one.id]
        for one in step.levers
        if one.id in settings and settings[one.id] != value_of(step.district, one.path)
    }
    paid = [
        {"name": one.id, "kind": one.kind.value, "budget": settings[one.id], "start": one.start}
        | ({} if one.end is None else {"end": one.end})
        for one in step.policies
        if settings.get(one.id)
    ]
    return changes | ({"policies": [*policies, *paid]} if paid else {})


# What may stand in a message ------------------------------------------------------------------------


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("not_understood")
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in value[:400]).split())
    if len(name) > LONGEST_NAME:
        raise Refused("name_long", most=LONGEST_NAME)
    return name


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused("not_understood")
    return value


def _answer(step: Vote | Predict, value: object) -> float | str:
    if isinstance(step, Vote):
        return _whole(value, 1, len(step.choices))
    if step.ask == FUTURE:
        if not isinstance(value, str) or value not in tuple(FUTURES_ASKED):
            raise Refused("not_understood")
        return value
    if step.ask == CHANCE:
        return _whole(value, 0, step.runs)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= step.most:
        raise Refused("number", low=0, high=int(step.most))
    return round(float(value), 1)


def _setting(step: Play | Game, of: object, value: object) -> dict[str, float]:
    places = places_of(step)
    if not isinstance(of, str) or of not in places or isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("not_understood")
    if not -1e12 < value < 1e12:  # nor is NaN
        raise Refused("not_understood")
    return {of: min(places[of], key=lambda place: abs(place - value))}
