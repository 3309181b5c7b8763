"""The journal of a room: one SQLite file that holds the lesson and every event, so that nothing told is ever lost.

    about    key, value: format, lesson (JSON), notes, code, key
    events   number, event (JSON)

What `keep` has returned from is on the disk: kill -9 takes nothing of it away.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from district_sim.app.classroom.lesson import Lesson
from district_sim.app.classroom.room import Event, Room, replayed

_FORMAT = "1"


class JournalError(ValueError):
    """A journal that cannot be used, in a sentence."""


class About(NamedTuple):
    """What a room is, apart from what happened in it."""

    lesson: Lesson
    notes: str
    """Markdown for the teacher."""
    code: str
    """Four letters that students type."""
    key: str
    """What opens the teacher's page."""


class Journal:
    """An open journal; nobody else can open it meanwhile."""

    def __init__(self, path: Path, connection: sqlite3.Connection, about: About) -> None:
        """See `opened`."""
        self.path, self.about = path, about
        self._connection, self._lock = connection, threading.Lock()

    def keep(self, events: Sequence[Event]) -> None:
        """Write events; they are on the disk when this returns, all of them or none.

        Raises:
            OSError: they could not be written; none of them is kept.
        """
        rows = [(json.dumps(event, separators=(",", ":")),) for event in events]
        try:
            with self._lock, self._connection:
                self._connection.executemany("INSERT INTO events (event) VALUES (?)", rows)
        except sqlite3.Error as error:
            raise OSError(f"{self.path.name} cannot be written: {error}") from None

    def events(self) -> list[Event]:
        """All that happened, in order."""
        with self._lock:
            rows = self._connection.execute("SELECT event FROM events ORDER BY number").fetchall()
        return [json.loads(text) for (text,) in rows]

    def room(self) -> Room:
        """The room as it is."""
        return replayed(self.about.lesson, self.events())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def opened(path: Path, new: About | None = None) -> Journal:
    """The journal in a file; where there is none, a new one, readable by its owner alone.

    Args:
        new: what the room is, if it has to be made.

    Raises:
        JournalError: there is none and none is to be made, it is somebody else's at the moment, or no journal.
        OSError: it cannot be read or written.
    """
    there = path.exists() and path.stat().st_size > 0
    if not there and new is None:
        raise JournalError(f"{path}: there is no such room")
    if not there:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not there and new is not None:
            _write(connection, new)
        with connection:  # takes the lock, which stays
            connection.execute("BEGIN EXCLUSIVE")
            about = _about(connection, path)
        return Journal(path, connection, about)
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise JournalError(f"{path}: another class is using this room; end it, or name another file") from None
        raise JournalError(f"{path}: is not a room of this version of the class ({error})") from None
    except (sqlite3.DatabaseError, JournalError) as error:
        connection.close()
        reason = str(error) if isinstance(error, JournalError) else f"{path}: is not a room of a class"
        raise JournalError(reason) from None


def _write(connection: sqlite3.Connection, new: About) -> None:
    rows = {
        "format": _FORMAT,
        "lesson": new.lesson.model_dump_json(),
        "notes": new.notes,
        "code": new.code,
        "key": new.key,
    }
    with connection:
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, event TEXT NOT NULL)")
        connection.executemany("INSERT INTO about VALUES (?, ?)", rows.items())


def _about(connection: sqlite3.Connection, path: Path) -> About:
    try:
        with closing(connection.execute("SELECT key, value FROM about")) as rows:
            found: dict[str, Any] = dict(rows)
        if found["format"] != _FORMAT:
            raise JournalError(f"{path}: was made by another version of the class (format {found['format']})")
        lesson = Lesson.model_validate_json(found["lesson"])
        return About(lesson, found["notes"], found["code"], found["key"])
    except (KeyError, ValidationError):
        raise JournalError(f"{path}: is not a room of this version of the class") from None
