"""What a phone and the teacher's page see of a public-good game, as plain data."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from district_sim.app.classroom.futures import Result, Wanted, short_number
from district_sim.app.classroom.game import FEE, Plan, Turn
from district_sim.app.classroom.lesson import value_of
from district_sim.app.classroom.room import Room, Visitor, agency_values, places_of
from district_sim.app.classroom.steps import Game, Play

type View = dict[str, Any]
type Known = Callable[[Wanted], Result | None]
"""A run that is there already."""

GAME = "game"


def plan_of(room: Room, at: int, rounds: int | None = None) -> Plan:
    """What was decided in the game of a step.

    Args:
        rounds: only the first so many rounds.
    """
    step = room.lesson.steps[at]
    assert isinstance(step, Game)
    turns = [
        Turn(one["people"], {number: bool(join) for number, join in one["choices"]}, dict(one["values"]))
        for one in room.board(at).turns[:rounds]
    ]
    return Plan(step.rounds.begin, step.rounds.quarters, tuple(turns))


def game_wanted(room: Room, at: int, rounds: int | None = None) -> Wanted:
    """The run of the game of a step, as far as it was played."""
    step = room.lesson.steps[at]
    assert isinstance(step, Game)
    return Wanted.of(step.district, room.lesson, game=plan_of(room, at, rounds))


def game_name(room: Room, at: int) -> str:
    """The name of the game of a step as a run: another one after each round."""
    board = room.board(at)
    return f"{at}:{GAME}:{board.number}:{len(board.turns)}"


def lever_views(step: Play | Game) -> list[View]:
    """Levers of a step, as sliders."""
    return [
        {"id": one.id, "label": one.label, "text": one.text, "what": "lever"}
        | {"price": one.price / (one.high - one.low), "own": value_of(step.district, one.path)}
        | {"percent": one.path == FEE}
        for one in step.levers
    ]


def game_result(room: Room, known: Known, at: int) -> tuple[Result | None, bool]:
    """What is known of the game of a step, and whether that is all that was played."""
    found = known(game_wanted(room, at))
    rounds = len(room.board(at).turns)
    if found is not None or not rounds:
        return found, found is not None
    return known(game_wanted(room, at, rounds - 1)), False


def _table_view(room: Room, known: Known) -> View:
    """What everybody sees of a game: the round, what the agency has announced, what earlier rounds brought to all."""
    step, at = room.step, room.at
    assert isinstance(step, Game)
    board, places = room.board(at), places_of(step)
    result, whole = game_result(room, known, at)
    sliders = lever_views(step)
    for one in sliders:
        one |= {"places": places[one["id"]], "value": board.settings.get(one["id"], one["own"]), "cost": 0.0}
    return {
        "number": board.number,
        "played": len(board.turns),
        "rounds": step.rounds.count,
        "years": step.rounds.quarters / 4,
        "over": len(board.turns) >= step.rounds.count,
        "computing": not whole,
        "sliders": sliders,
        "efforts": [{"name": one.name, "text": one.text} for one in step.efforts],
        "effort": board.effort,
        "fee": agency_values(step, board).get(FEE, value_of(step.district, FEE)),
        "told": [
            _round_view(told, turn["values"].get(FEE, value_of(step.district, FEE)))
            for told, turn in zip(result.rounds if result else (), board.turns, strict=False)
        ],
    }


def _round_view(told: Mapping[str, Any], fee: float) -> View:
    """What a round brought to all, without what concerns one player."""
    shown = {key: value for key, value in told.items() if key not in ("players", "effects")}
    return rounded(shown | {"fee": fee})


def game_view(room: Room, visitor: Visitor, known: Known, here: Collection[int] | None) -> View:
    """What a student sees of a game: the own firm, or the agency."""
    if not isinstance(room.step, Game):
        return {}
    board, number = room.board(room.at), visitor.number
    result, _ = game_result(room, known, room.at)
    firm = (result.firms or {}).get(number) if result else None
    mine = [one["players"].get(number) for one in result.rounds] if result else []
    return {
        "game": _table_view(room, known)
        | {
            "role": "agency" if board.agency == number else "firm",
            "held": board.agency != 0,
            "free": board.agency == 0 or (here is not None and board.agency not in here),
            "join": board.choices.get(number),
            "firm": rounded(firm) if firm else None,
            "own": [one and rounded(one) for one in mine],
        }
    }


def board_view(room: Room, known: Known) -> View:
    """What the teacher sees of a game: who leads, who has decided, what each player did and got."""
    board = room.board(room.at)
    result, _ = game_result(room, known, room.at)
    numbers = sorted({number for one in (result.rounds if result else ()) for number in one["players"]})
    numbers = [number for number in numbers if number in room.visitors and number <= len(room.visitors)]
    return {
        "game": _table_view(room, known)
        | {
            "agency": board.agency,
            "decided": sum(number != board.agency for number in board.choices),
            "players": [account(room, number, result) for number in numbers if result],
        }
    }


def account(room: Room, number: int, result: Result) -> View:
    """What a player decided, paid and earned in all rounds; None for a round in which the firm decided by itself."""
    own = [one["players"].get(number) for one in result.rounds]
    there = [one for one in own if one is not None]
    gains = [one["gain"] for one in there if one["joined"] is not None]
    visitor = room.visitors[number]
    value = math.fsum(one["value_added"] for one in there)
    return {
        "number": number,
        "name": room.name_of(visitor),
        "joins": [one["joined"] if one else None for one in own],
        "paid": short_number(math.fsum(one["paid"] for one in there)),
        "margin": short_number(math.fsum(one["profit"] for one in there) / value) if value > 0.0 else None,
        "gain": short_number(math.fsum(gains)) if gains else None,
    }


def rounded(told: Mapping[str, Any]) -> View:
    """For a page: four digits, nothing where something is undefined."""
    return {key: short_number(value) if isinstance(value, float) else value for key, value in told.items()}
