"""What the teacher sees, as a PNG for the notes: answers, the table, and the runs that are looked at."""

import io
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

from district_sim.app.classroom.futures import TABLE
from district_sim.app.classroom.game_views import Known, View
from district_sim.app.classroom.languages import number, translated
from district_sim.app.classroom.room import Room
from district_sim.app.classroom.steps import Game, Play, Predict, Vote
from district_sim.app.classroom.views import run_named, teacher_view
from district_sim.app.classroom.words import WORDS, indicators

_DOTS = 150


class Picture(NamedTuple):
    """What is drawn; see `figures.class_picture`."""

    title: str
    bars: list[tuple[str, int, bool]]
    table: list[list[str]]
    charts: list[tuple[str, list[tuple[str, list[float], bool]]]]


def picture_of(room: Room, known: Known, names: Sequence[str]) -> Picture:
    """One step.

    Args:
        room: in the language of the teacher's page.
        names: of the runs to draw; with several, the first is the one to compare with.
    """
    view = teacher_view(room, (), known)
    table = _districts(room, view) if isinstance(room.step, Play) else _rounds(room, view)
    title = f"{room.lesson.title}: {room.step.title}"
    return Picture(title, _bars(room, view), table, _charts(room, known, names))


def png_of(picture: Picture) -> bytes:
    """The picture as a file; takes a second, the first time two."""
    from district_sim.figures import Line, class_picture  # brings matplotlib

    charts = [(label, [Line(*line) for line in lines]) for label, lines in picture.charts]
    out = io.BytesIO()
    class_picture(picture.title, picture.bars, picture.table, charts).savefig(out, format="png", dpi=_DOTS)
    return out.getvalue()


def _bars(room: Room, view: View) -> list[tuple[str, int, bool]]:
    if not isinstance(room.step, Vote | Predict):
        return []
    truth, out = view.get("truth"), []
    for one in view["said"]:
        if "from" in one:
            whole = one["to"] - one["from"] == 1.0
            text = f"{one['from']:g}" if whole else f"{one['from']:g}\N{EN DASH}{one['to']:g}"
            right = truth is not None and one["from"] <= truth < one["to"]
        else:
            text = one["text"] if "text" in one else _word(room, f"future.{one['future']}")
            right = truth is not None and one["value"] == truth
        out.append((text, one["count"], right))
    return out


def _districts(room: Room, view: View) -> list[list[str]]:
    if not view["table"]:
        return []
    about = indicators(TABLE, room.language)
    heads = [_word(room, key) for key in ("who", "runs", "money")]
    rows = [[*heads, *(str(about[name]["label"]) for name in TABLE), _word(room, "future")]]
    for row in view["table"]:
        numbers = [_number(room, (row.get("last") or {}).get(name), 0) for name in TABLE]
        future = _word(room, f"future.{row['label']}") if "label" in row else _word(room, "computing")
        rows.append([_name(room, row), str(row["runs"]), _number(room, row["money"], 2), *numbers, future])
    return rows


def _rounds(room: Room, view: View) -> list[list[str]]:
    if not isinstance(room.step, Game) or not view["game"]["told"]:
        return []
    keys = ("round", "col_fee", "col_joined", "col_members", "col_took", "col_capability", "col_cost", "col_kept")
    rows = [[_word(room, key) for key in keys]]
    for place, told in enumerate(view["game"]["told"], start=1):
        shares = [None if told[of] is None else 100.0 * told[of] for of in ("fee", "cost", "kept")]
        cells = [f"{told['joined']} / {told['decided']}", f"{told['members']} / {told['others']}"]
        cells += [_number(room, told["contributed"], 0), _number(room, told["capability"], 2)]
        rows.append([str(place), _number(room, shares[0], 1), *cells, *(_number(room, one, 1) for one in shares[1:])])
    return rows


def _charts(room: Room, known: Known, names: Sequence[str]) -> list[tuple[str, list[tuple[str, list[float], bool]]]]:
    found = [(name, known(wanted)) for name in names if (wanted := run_named(room, name)) is not None]
    runs = [(name, result) for name, result in found if result is not None]
    about = indicators(tuple(room.lesson.shows), room.language)
    charts = []
    for shown in room.lesson.shows if runs else ():
        lines = []
        for place, (name, result) in enumerate(runs):
            values = [math.nan if value is None else value for value in json.loads(result.series)[shown]]
            pale = len(runs) > 1 and place == 0
            lines.append((_run_name(room, name, pale), values, pale))
        unit = about[shown]["unit"]
        charts.append((f"{about[shown]['label']}{f' ({unit})' if unit else ''}", lines))
    return charts


def _run_name(room: Room, name: str, pale: bool) -> str:
    who = name.split(":")[1:2]
    if not who or who[0][:1] not in "tv":
        return _word(room, "as_it_was") if pale else ""
    member = None if who[0][0] == "t" else room.members(who[0])[0]
    return _name(room, {"team": member is None, "name": room.name_of(member), "number": int(who[0][1:])})


def _name(room: Room, row: View) -> str:
    word = _word(room, "team" if row["team"] else "player")
    return str(row["name"]) or word.format(number=row["number"])


def _word(room: Room, key: str) -> str:
    return translated(WORDS[key], room.language)


def _number(room: Room, value: float | None, decimals: int) -> str:
    return str(number(None if value is None else round(float(value), decimals), room.language))
