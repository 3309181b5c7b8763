"""A run of a class again: as a link that `district-sim app` opens, and on the teacher's own page."""

import json
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from district_sim.app.classroom.futures import Wanted
from district_sim.app.classroom.room import Room
from district_sim.app.classroom.steps import Play
from district_sim.app.course import Course, Source
from district_sim.app.links import LONGEST_LINK, as_query
from district_sim.scenario.files import file_text

PAGE = "http://127.0.0.1:8765/"
"""Where `district-sim app` is found if it is started without options, on the same laptop."""
_NAME = re.compile(r"(\d{1,3}):([tv]\d{1,4}):(\d{1,3})")


@lru_cache(maxsize=1000)
def link_of(wanted: Wanted, quarters: int) -> str:
    """The link that opens a run in `district-sim app`, in its last quarter; empty if it would be too long for a link.

    Args:
        quarters: of the run.
    """
    path = Path(wanted.scenario)
    beside = path.is_absolute()
    source = Source(path.stem, file_text(path)) if beside else Source(wanted.scenario)
    query = as_query(Course(source, json.loads(wanted.values), wanted.seed, quarters))
    return f"{PAGE}?{query}" if len(query) <= LONGEST_LINK else ""


def link_in_class(home: str, name: str) -> str:
    """The link that opens a run on the teacher's page, where the key has been given before.

    Args:
        home: the class's address. name: of the run, as `3:v7:2`.
    """
    return f"{home}teacher#run={quote(name, safe=':')}"


def opened(room: Room, name: object) -> list[str]:
    """Names of the runs to show when somebody opens one: the district as it was, and that one; none without it."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or int(match[1]) >= len(room.lesson.steps):
        return []
    at, player, number = int(match[1]), match[2], int(match[3])
    there = isinstance(room.lesson.steps[at], Play) and 1 <= number <= len(room.desk(at, player).tries)
    return [str(at), f"{at}:{player}:{number}"] if there else []
