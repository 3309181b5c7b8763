"""What a phone and the teacher's page see of a room, as plain data; and the results as a table.

Nothing that a lesson hides is in a view before it is revealed: no title, no label, no answer, no run.
"""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache

from district_sim.app.classroom.futures import TABLE, Result, Wanted, short_number
from district_sim.app.classroom.game_views import (
    GAME,
    Known,
    View,
    account,
    board_view,
    game_name,
    game_result,
    game_view,
    game_wanted,
    lever_views,
    rounded,
)
from district_sim.app.classroom.languages import translated, translated_markdown
from district_sim.app.classroom.lesson import data_of, district_of, html_of, scenario_of, value_of
from district_sim.app.classroom.replay import link_in_class, link_of
from district_sim.app.classroom.room import Room, Visitor, changes_of, cost_of, costs_of, places_of
from district_sim.app.classroom.steps import CHANCE, FUTURE, FUTURES_ASKED, District, Game, Play, Predict, Read, Vote
from district_sim.app.classroom.words import story_told
from district_sim.scenario.files import scenario_notes
from district_sim.text.names import in_percent

SEEN = "seen"
_TO_TRY = "## Things to try"
MOST_LOOKED_AT = 2


# Runs -----------------------------------------------------------------------------------------------


def run_named(room: Room, name: str) -> Wanted | None:
    """The run of a name.

    `3` is the district of step 3, `3:seen` its beginning, `3:v7:2` the second run of v7, `3:game:0:2` its game.
    """
    at, *rest = name.split(":")
    step = room.lesson.steps[int(at)]
    district = district_of(step)
    if district is None:
        return None
    if rest[:1] == [GAME]:
        return game_wanted(room, int(at)) if name == game_name(room, int(at)) else None
    if not rest or rest == [SEEN]:
        return Wanted.of(district, room.lesson)
    assert isinstance(step, Play)
    settings = room.desk(int(at), rest[0]).tries[int(rest[1]) - 1]
    return Wanted.of(district, room.lesson, changes_of(step, settings, data_of(district)["policies"]))


def chances(room: Room, at: int) -> list[Wanted]:
    """The runs that a guess of a chance is held against."""
    step = room.lesson.steps[at]
    if not isinstance(step, Predict) or step.ask != CHANCE:
        return []
    return [Wanted.of(step.district, room.lesson, luck=luck) for luck in range(step.runs)]


def last_try(room: Room, at: int, player: str) -> str:
    """The name of a player's run that counts; empty if there is none."""
    tries = room.desk(at, player).tries
    return f"{at}:{player}:{len(tries)}" if tries else ""


def runs_shown(room: Room, visitor: Visitor) -> list[str]:
    """Names of the runs that a student may see now, the one to play last."""
    step, at = room.step, room.at
    if isinstance(step, Read):
        return [str(at)] if step.district else []
    if isinstance(step, Predict):
        if at in room.revealed:
            return [str(at)]
        return [f"{at}:{SEEN}"] if step.seen else []
    if isinstance(step, Play):
        own = last_try(room, at, room.player(visitor))
        return [str(at), *([own] if own else [])]
    return []


def wanted_in(room: Room, at: int) -> list[Wanted]:
    """Runs of a step that the teacher's page needs, or that somebody will ask for soon: computed ahead."""
    step = room.lesson.steps[at]
    district = district_of(step)
    if isinstance(step, Game):
        return [game_wanted(room, at)]
    wanted = [Wanted.of(district, room.lesson)] if district else []
    wanted += chances(room, at)
    if isinstance(step, Play):
        wanted += [one for player in players(room, at) if (one := run_named(room, last_try(room, at, player)))]
    return wanted


def players(room: Room, at: int) -> list[str]:
    """Who has run a district in a step, in the order of their numbers."""
    found = {player for (step, player), desk in room.desks.items() if step == at and desk.tries}
    return sorted(found, key=lambda player: int(player[1:]))


def run_data(room: Room, name: str, result: Result) -> View:
    """A run as it goes to a page; of a beginning, no more than may be seen."""
    step = room.lesson.steps[int(name.partition(":")[0])]
    series = json.loads(result.series)
    shown: View = {"id": name, "quarters": result.quarters, "series": series}
    if name.endswith(f":{SEEN}") and isinstance(step, Predict):
        return shown | {"series": {one: values[: step.seen] for one, values in series.items()}}
    if isinstance(step, Game):
        return shown
    shown["story"] = result.story
    return shown | {"label": result.label or "none", "last": rounded(result.last), "ends": rounded(result.ends)}


# A phone ----------------------------------------------------------------------------------------------


def student_view(room: Room, visitor: Visitor, known: Known, here: Collection[int] | None = None) -> View:
    """What a student sees.

    Args:
        here: numbers of the visitors who are connected; everybody if left out.
    """
    return {
        "step": _step_view(room),
        "paused": room.paused,
        "you": {
            "number": visitor.number,
            "name": visitor.name,
            "team": visitor.team,
            "teams": room.lesson.teams,
        },
        "mine": room.answers.get(room.at, {}).get(visitor.number),
        "runs": runs_shown(room, visitor),
        **_desk_view(room, visitor),
        **game_view(room, visitor, known, here),
        **(_outcome(room, known) if room.at in room.revealed else {}),
    }


def _step_view(room: Room) -> View:
    """The step that is on, without anything hidden."""
    step, at = room.step, room.at
    shown = at in room.revealed
    view: View = {
        "n": at,
        "of": len(room.lesson.steps),
        "kind": step.kind,
        "title": step.title,
        "html": html_of(step.text),
        "minutes": step.minutes,
        "revealed": shown,
        "after": html_of(step.reveal) if shown else "",
    }
    if isinstance(step, Vote):
        view |= {"choices": step.choices}
    elif isinstance(step, Predict):
        ask = step.ask if step.ask in (FUTURE, CHANCE) else "number"
        view |= {"ask": ask, "most": step.most, "runs": step.runs, "of_future": step.of}
        if ask == "number":
            view |= {"indicator": step.ask, "percent": in_percent(step.ask)}
    if isinstance(step, Predict) and not shown:
        return view
    district = district_of(step)
    if district is not None:
        title, description, notes = _words_of(district.scenario, room.language)
        view |= {"district": title, "description": description, "about": notes if shown else ""}
    return view


@lru_cache(maxsize=64)
def _words_of(scenario: str, language: str) -> tuple[str, str, str]:
    """Title, description and notes (HTML) of a scenario."""
    found = scenario_of(District(scenario=scenario))
    notes = translated_markdown(notes_for_a_class(scenario), language)
    return translated(found.title, language), translated(found.description, language), html_of(notes)


def notes_for_a_class(scenario: str) -> str:
    """A scenario's notes (Markdown) without what can be tried only at a command line."""
    return scenario_notes(scenario).partition(_TO_TRY)[0]


def _desk_view(room: Room, visitor: Visitor) -> View:
    """Levers, policies, purse: what a player may touch, and what it costs."""
    step = room.step
    if not isinstance(step, Play):
        return {}
    player = room.player(visitor)
    desk = room.desk(room.at, player)
    costs, places = costs_of(step, desk.settings), places_of(step)
    quarters = int(value_of(step.district, "run.quarters"))
    sliders = lever_views(step)
    sliders += [
        {"id": one.id, "label": one.label, "text": one.text or _plain(one.kind.record.mechanism), "what": "policy"}
        | {"price": one.quarters(quarters) / 1000.0, "own": 0.0, "start": one.start}
        for one in step.policies
    ]
    for one in sliders:
        of: str = one["id"]
        one |= {"places": places[of], "value": desk.settings.get(of, one["own"]), "cost": costs[of]}
    return {
        "desk": {
            "player": player,
            "members": len(room.members(player)),
            "sliders": sliders,
            "purse": step.purse,
            "cost": math.fsum(costs.values()),
            "tries": step.tries,
            "used": len(desk.tries),
        }
    }


def _outcome(room: Room, known: Known) -> View:
    """What a reveal tells: the answer, and what the class said."""
    step = room.step
    told: View = {"said": _said(room)}
    if isinstance(step, Vote):
        return told | {"truth": step.answer}
    if isinstance(step, Predict):
        return told | {"truth": truth(room, known)}
    return {}


def truth(room: Room, known: Known, at: int | None = None) -> float | str | None:
    """What a guess is held against; None while it is not known."""
    at = room.at if at is None else at
    step = room.lesson.steps[at]
    if isinstance(step, Vote):
        return step.answer
    if not isinstance(step, Predict):
        return None
    if step.ask == CHANCE:
        found = [known(one) for one in chances(room, at)]
        return None if None in found else sum(one is not None and one.label == step.of for one in found)
    result = known(Wanted.of(step.district, room.lesson))
    if result is None:
        return None
    if step.ask == FUTURE:
        return result.label or "none"
    return short_number(result.ends[step.ask])


def _said(room: Room) -> list[View]:
    """How often each answer was given: all choices, all futures, or the numbers in ten classes."""
    step, given = room.step, list(room.answers.get(room.at, {}).values())
    counts = Counter(given)
    if isinstance(step, Vote):
        return [{"text": text, "value": n, "count": counts[n]} for n, text in enumerate(step.choices, start=1)]
    if not isinstance(step, Predict):
        return []
    if step.ask == FUTURE:
        return [{"future": one, "value": one, "count": counts[one]} for one in FUTURES_ASKED]
    return _classes([float(value) for value in given], 1.0 if step.ask == CHANCE else 10.0)


def _classes(numbers: list[float], width: float) -> list[View]:
    """A histogram without empty ends, of at most some thirty classes."""
    if not numbers:
        return []
    while (max(numbers) - min(numbers)) / width > 30:
        width *= 2
    counts = Counter(math.floor(number / width) for number in numbers)
    return [{"from": n * width, "to": (n + 1) * width, "count": counts[n]} for n in range(min(counts), max(counts) + 1)]


# The teacher ------------------------------------------------------------------------------------------


def teacher_view(room: Room, here: Iterable[int], known: Known) -> View:
    """What the teacher's page sees.

    Args:
        here: numbers of the visitors who are connected.
    """
    step, at, present = room.step, room.at, set(here)
    acted = _acted(room)
    people = [
        {"number": one.number, "name": room.name_of(one), "hidden": one.hidden}
        | {"team": one.team, "here": one.number in present, "did": one.number in acted, "named": bool(one.name)}
        for one in room.visitors.values()
    ]
    view: View = {
        "step": _step_view(room),
        "notes": html_of(step.notes),
        "steps": [{"title": one.title, "kind": one.kind, "minutes": one.minutes} for one in room.lesson.steps],
        "paused": room.paused,
        "names": room.names,
        "people": people,
        "did": len(acted),
        "runs": [str(at)] if isinstance(step, Read | Predict) and _may_play(room) else [],
    }
    if isinstance(step, Vote | Predict):
        view["said"] = _said(room)
    if at in room.revealed:
        view |= _outcome(room, known)
    if isinstance(step, Play):
        view["table"] = [_row(room, player, known) for player in players(room, at)]
        view["purse"] = step.purse
    if isinstance(step, Game):
        view |= board_view(room, known)
        view["runs"] = [game_name(room, at)] if room.board(at).turns else []
    return view


def looked_at(room: Room, asked: object) -> list[str]:
    """Names of the runs of the players whom the teacher wants to see beside the district as it was."""
    chosen = [one for one in asked if isinstance(one, str)] if isinstance(asked, list) else []
    there = players(room, room.at)
    found = [last_try(room, room.at, one) for one in chosen[:MOST_LOOKED_AT] if one in there]
    return [str(room.at), *found] if found else []


def _may_play(room: Room) -> bool:
    step = room.step
    return district_of(step) is not None and (not isinstance(step, Predict) or room.at in room.revealed)


def _acted(room: Room) -> set[int]:
    """Who has answered, or belongs to a player who has run."""
    if isinstance(room.step, Game):
        board = room.board(room.at)
        return {number for number in board.choices if number != board.agency}
    if isinstance(room.step, Play):
        return {one.number for player in players(room, room.at) for one in room.members(player)}
    return set(room.answers.get(room.at, {}))


def _row(room: Room, player: str, known: Known, at: int | None = None) -> View:
    at = room.at if at is None else at
    step = room.lesson.steps[at]
    assert isinstance(step, Play)
    desk = room.desk(at, player)
    wanted = run_named(room, last_try(room, at, player))
    result = known(wanted) if wanted else None
    team = player.startswith("t")
    member = None if team else room.members(player)[0]
    row: View = {"player": player, "number": int(player[1:]), "team": team, "runs": len(desk.tries)}
    row["name"] = room.name_of(member)
    row["money"] = cost_of(step, desk.tries[-1])
    if result is not None:
        assert wanted is not None
        row["link"] = link_of(wanted, result.quarters)
        row |= {"label": result.label or "none", "last": rounded({name: result.last[name] for name in TABLE})}
    return row


# Results ------------------------------------------------------------------------------------------------

COLUMNS = ("step", "title", "kind", "player", "name", "answer", "truth", "settings", "runs", "money", *TABLE, "future")
OF_RUNS = ("story", "link", "link_in_class")
"""More columns: why a run ended so, and where it opens again."""
OF_GAMES = ("paid", "margin", "gain")
"""More columns: what a player of a game paid to the agency [k€], earned [share of value added], and gained or lost
against the decision to the contrary, round by round, all together [k€]."""


def results_csv(room: Room, known: Known, home: str = "/") -> str:
    """All answers and all runs that count, one row each; names only where they are shown.

    Args:
        home: the class's address, for links.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, (*COLUMNS, *OF_GAMES, *OF_RUNS), lineterminator="\n", restval="")
    writer.writeheader()
    for at, step in enumerate(room.lesson.steps):
        row: View = {"step": at + 1, "title": step.title, "kind": step.kind}
        for number, value in sorted(room.answers.get(at, {}).items()):
            given = step.choices[int(value) - 1] if isinstance(step, Vote) else value
            right = truth(room, known, at)
            right = step.choices[int(right) - 1] if isinstance(step, Vote) and isinstance(right, int) else right
            writer.writerow(_safe({**row, **_who(room, f"v{number}"), "answer": given, "truth": right}))
        for player in players(room, at):
            found = _row(room, player, known, at)
            settings = " ".join(f"{name}={value:g}" for name, value in room.desk(at, player).tries[-1].items())
            told = {"settings": settings, "runs": found["runs"], "money": round(found["money"], 3)}
            told |= {**found.get("last", {}), "future": found.get("label", "")}
            told |= {"link": found.get("link", ""), "link_in_class": link_in_class(home, last_try(room, at, player))}
            ran = run_named(room, last_try(room, at, player))
            result = known(ran) if ran else None
            told["story"] = story_told(result.story, room.language) if result and result.story else ""
            writer.writerow(_safe({**row, **_who(room, player), **told}))
        game = game_result(room, known, at)[0] if isinstance(step, Game) and room.board(at).turns else None
        if game is None:
            continue
        for number in room.visitors:
            found = account(room, number, game)
            if any(turn["people"] >= number for turn in room.board(at).turns):
                joins = " ".join("-" if join is None else "1" if join else "0" for join in found["joins"])
                told = {"settings": f"joined {joins}", "runs": len(found["joins"])} | {of: found[of] for of in OF_GAMES}
                writer.writerow(_safe({**row, **_who(room, f"v{number}"), **told}))
    return out.getvalue()


def _who(room: Room, player: str) -> View:
    member = room.members(player)[0] if player.startswith("v") else None
    return {"player": f"{'team' if member is None else 'player'} {player[1:]}", "name": room.name_of(member)}


def _safe(row: View) -> View:
    """A row whose texts no spreadsheet takes for formulas."""
    return {
        key: ""
        if value is None
        else f"'{value}"
        if isinstance(value, str) and value[:1] in "=+-@\t\r" and value
        else value
        for key, value in row.items()
    }


def _plain(text: str) -> str:
    return text.replace("`", "")
