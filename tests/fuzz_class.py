"""Mutated messages to a class, and mutated links to its pages and to the page. From the top of the repository:

    python -m tests.fuzz_class --tries 4000 --seed 0

The same seed makes the same inputs but for the tokens of phones. In every batch there are two rooms of one lesson
with students, names and secrets of their own. What is sent goes through the whole application, its guard included, in
this process. Each input must be taken, or refused with one sentence. Exit code 1 if one ended otherwise: without an
answer, with something in the terminal, with a path of this machine or something of another room or another student in
an answer, or with a room that a refused message has changed. After every batch an honest student must be able to
answer and to run a district.
"""

import argparse
import asyncio
import base64
import contextlib
import copy
import io
import json
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # as pytest does

from class_parts import GAME, LESSON, MYSTERY, OWN, VOTE, write_lesson
from class_talk import HOME, Talk, request
from fuzz import mutated

import district_sim
from district_sim.app.classroom import server
from district_sim.app.classroom.futures import Futures
from district_sim.app.classroom.guard import Door
from district_sim.app.classroom.journal import About, opened
from district_sim.app.classroom.lesson import Lesson, load_lesson
from district_sim.app.course import Course, Difference, Intervention, Source
from district_sim.app.links import as_data, as_query

BATCH = 50
STUDENTS = ("Ada", "Berta", "Carlo")
"""In each room, with the room's name behind it."""
DOORS = ("student", "teacher's words", "teacher", "code and token", "key", "address", "link of the page")
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 7, 1.5, -0.0, 1e308, -1e308, 10**30, -(10**30), 2**53, 2**63, 10**400),
    *(
        float("nan"),
        float("inf"),
        float("-inf"),
        "",
        "0",
        "1",
        "NaN",
        "v1",
        "v2",
        "t1",
        "t9",
        "v-1",
        "4:v2:1",
        "0:seen",
    ),
    *(
        "x" * 25,
        "x" * 3000,
        "y" * 5000,
        "\x00",
        "\x1b[31m",
        "\u202eabc",
        "\ud800",
        "é" * 30,
        "<script>alert(1)</script>",
    ),
    *("__proto__", "constructor", "../../etc/passwd", "{0.__class__}", "{purse}", "%s%n", "decline", "fragmentation"),
    *([], {}, [[]], [None] * 50, ["v1"] * 900, {"a": {"b": {}}}, ["t1", 2, None], {"do": "go"}, [True]),
    *("strategy.collective_action", "ppp_match", "firms.count", "policies", "run.quarters"),
)


@dataclass
class Found:
    """How the tries ended."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    """Door, input and what was wrong."""
    honest: int = 0
    """Batches after which an honest student could answer and play."""


class Side:
    """A room with three students and a teacher."""

    def __init__(self, name: str, lesson: Lesson, folder: Path, futures: Futures) -> None:
        self.name = name
        self.key, self.code = f"key-of-{name}", {"North": "NRTH", "South": "STHX"}[name]
        about = About(lesson, f"Notes of {name} alone", self.code, self.key)
        self.path = folder / f"{name}.sqlite"
        self.journal = opened(self.path, about)
        self.group = server.Class(self.journal, futures, lambda: [f"http://{HOME}/"])
        self.app = server.application(self.group, {"localhost"})
        self.students: list[Talk] = []
        self.tokens: list[str] = []
        self.lead: Talk

    async def begin(self) -> None:
        """Everybody comes in."""
        self.group.wake()
        self.lead = Talk(self.app, "/lead")
        self.lead.send(json.dumps({"key": self.key}))
        await self.lead.until(lambda message: "hello" in message)
        for name in STUDENTS:
            talk = Talk(self.app, "/student")
            talk.send(json.dumps({"code": self.code}))
            hello = await talk.until(lambda message: "token" in message)
            assert hello is not None
            self.tokens.append(hello["token"])
            await talk.ask(json.dumps({"do": "name", "name": f"{name} of {self.name}", "id": 1}))
            self.students.append(talk)

    def private(self, to: int | None) -> list[str]:
        """What nobody may hear but the teacher and one student; without one, nobody but the teacher."""
        words = [self.key, f"Notes of {self.name}"]
        for number, name in enumerate(STUDENTS):
            words += [] if number == to else [f"{name} of {self.name}", self.tokens[number]]
        return words

    async def end(self) -> None:
        """Everybody leaves."""
        for talk in (*self.students, self.lead):
            await talk.leave()
        while self.group._tasks:
            await asyncio.gather(*self.group._tasks, return_exceptions=True)
        self.journal.close()
        for path in self.path.parent.glob(f"{self.name}.sqlite*"):
            path.unlink()


PATHS = [str(Path(district_sim.__file__).parent), "site-packages", "Traceback", "district_sim/", ".sqlite", ".py"]
"""What no message may hold, beside the folder of the room."""


class Fuzz:
    """The tries of a seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.luck, self.found, self.folder = random.Random(seed), Found(), folder
        self.lesson = load_lesson(write_lesson(folder, LESSON.replace("tries: 2", "tries: 20")))
        self.lesson = self.lesson.model_copy(update={"teams": 0, "steps": [*map(_alone, self.lesson.steps)]})
        self.said = io.StringIO()

    async def run(self, tries: int) -> Found:
        """Try so many inputs."""
        futures = Futures(ThreadPoolExecutor(1))
        try:
            for begun in range(0, tries, BATCH):
                await self._batch(begun, min(BATCH, tries - begun), futures)
        finally:
            futures.close()
        return self.found

    async def _batch(self, begun: int, count: int, futures: Futures) -> None:
        mine, other = (Side(name, self.lesson, self.folder, futures) for name in ("North", "South"))
        for side in (mine, other):
            await side.begin()
        for number in range(begun, begun + count):
            door, text = self.luck.choice(DOORS), ""
            try:
                text, taken, wrong = await self._try(door, mine, other)
                if told := self._printed():
                    wrong.append(f"printed {told[:1500]}")
            except Exception:
                taken, wrong = False, [traceback.format_exc()[-2000:]]
            (self.found.accepted if taken else self.found.refused)[door] += 1
            self.found.failed += [f"{number} {door}: {text[:300]!r}: {one}" for one in wrong]
        try:
            await self._play_on(mine)
            self.found.honest += 1
        except Exception:
            self.found.failed.append(f"after {begun + count}: play is frozen: {traceback.format_exc()[-1500:]}")
        for side in (mine, other):
            await side.end()
        if told := self._printed():
            self.found.failed.append(f"after {begun + count}: printed {told[:1500]}")

    def _printed(self) -> str:
        told = self.said.getvalue()
        self.said.seek(0)
        self.said.truncate()
        return told

    async def _try(self, door: str, mine: Side, other: Side) -> tuple[str, bool, list[str]]:
        """One input: the text, whether it was taken, and what was wrong."""
        if door == "address":
            return await self._address(mine, other)
        if door == "link of the page":
            return self._link()
        if door in ("code and token", "key"):
            return await self._come(door, mine, other)
        who = self.luck.randrange(len(STUDENTS))
        talk = mine.lead if door == "teacher" else mine.students[who]
        kinds = {"student": self._of_student, "teacher": self._of_teacher, "teacher's words": self._of_teacher}
        text = self._message(kinds[door](mine))
        before, since = copy.deepcopy(mine.group.room), len(talk.heard)
        answer = await talk.ask(text)
        if answer is None:
            return str(text), False, ["the connection was closed"]
        wrong = []
        if "no" in answer and mine.group.room != before:
            wrong.append("a refused message changed the room")
        if "ok" in answer and mine.journal.room() != mine.group.room:
            wrong.append("the journal is not what the room is")
        if door == "teacher's words" and mine.group.room != before and not _is_students(text):
            wrong.append("a student led")
        for line in talk.heard[since:]:
            private = [] if door == "teacher" else mine.private(who)
            wrong += self._leaks(line, private + other.private(None) + self._hidden(mine))
        return str(text), "ok" in answer, wrong

    async def _come(self, door: str, mine: Side, other: Side) -> tuple[str, bool, list[str]]:
        """Somebody comes with a damaged code, token or key."""
        mine.group.door = Door()
        who, people = self.luck.randrange(len(STUDENTS)), len(mine.group.room.visitors)
        token = self.luck.choice([mine.tokens[who], other.tokens[who]])
        good = {"code": mine.code, "token": token} if door != "key" else {"key": mine.key}
        text = self._message(good)
        talk = Talk(mine.app, "/lead" if door == "key" else "/student")
        before = copy.deepcopy(mine.group.room)
        talk.send(text)
        answer = await talk.until(lambda message: "hello" in message or "no" in message)
        entered = answer is not None and "hello" in answer
        wrong = [] if answer is not None else ["the connection was closed without a word"]
        if entered:
            await talk.until(lambda message: "view" in message)
        given = _given(text)
        owner = mine.tokens.index(given["token"]) if entered and given.get("token") in mine.tokens else None
        for line in talk.heard:
            if door == "key":
                wrong += ["a wrong key opened"] if entered and given.get("key") != mine.key else []
                continue
            private = mine.private(owner) if entered else [*mine.private(None), self.lesson.title]
            wrong += self._leaks(line, private + other.private(None) + self._hidden(mine))
        if not entered and mine.group.room != before:
            wrong.append("a refused visitor changed the room")
        if entered and door != "key" and owner is None and len(mine.group.room.visitors) != people + 1:
            wrong.append("somebody came in as somebody else")
        await talk.leave()
        return str(text), entered, wrong

    async def _address(self, mine: Side, other: Side) -> tuple[str, bool, list[str]]:
        """A damaged request for a page or for the results."""
        luck = self.luck
        path = luck.choice(
            ["/", "/teacher", "/words.js", "/class.css", "/results.csv", "/student", "/lead", "/static/x"]
        )
        path = mutated(path, "/../../district_sim/app/classroom/server.py", luck) if luck.random() < 0.5 else path
        host = mutated(HOME, "evil.example:80", luck) if luck.random() < 0.2 else HOME
        key = mutated(mine.key, other.key, luck) if luck.random() < 0.7 else mine.key
        headers = {"host": host, "x-key": key, "origin": luck.choice([f"http://{host}", "null", "http://evil.example"])}
        method = luck.choice(["GET", "GET", "POST", "PUT", "HEAD", "x" * 50])
        mine.group.door = Door()
        status, body = await request(mine.app, method, path, headers)
        text = f"{method} {path} {headers}"
        allowed = key.encode("latin-1", "replace") == mine.key.encode() and status == 200
        wrong = [f"status {status}"] if status >= 500 else []
        if status != 200 or path.strip("/") not in ("", "teacher", "student.js", "teacher.js"):
            private = [] if allowed else mine.private(None)
            wrong += self._leaks(body, private + other.private(None), paths=status != 200)
        return text, status == 200, wrong

    def _link(self) -> tuple[str, bool, list[str]]:
        """A damaged link of the page: it opens what it says, or says what is wrong, and can be played."""
        from district_sim.app.desk import Desk

        query = self._query()
        desk = Desk(query)
        try:
            kind, said = desk.says.value
            wrong = self._leaks(said, []) + ([] if said.isprintable() else ["unprintable"])
            wrong += ["too long"] if len(said) > 3000 else []
            wrong += [] if desk.step(1) or desk.simulation.done else [f"cannot be played: {desk.says.value}"]
        finally:
            desk.close()
        return query, kind != "error", wrong

    async def _play_on(self, side: Side) -> None:
        """An honest student answers a vote and runs a district, and an honest teacher sees it."""

        async def lead(**message: Any) -> None:
            answer = await side.lead.ask(json.dumps(message))
            assert answer is not None
            assert "ok" in answer, answer

        talk = side.students[0]
        side.group.room.revealed.clear()  # as if the lesson had just begun; the journal has no word for it
        await lead(do="go", step=VOTE)
        await lead(do="pause", on=False)
        answer = await talk.ask(json.dumps({"do": "answer", "step": VOTE, "value": 2, "id": 9}))
        assert answer == {"ok": True, "id": 9}, answer
        await lead(do="go", step=OWN)
        used = len(side.group.room.desk(OWN, "v1").tries)
        if used < 20:
            for of, value in (("strategy.collective_action", 0.5), ("ppp_match", 0)):
                answer = await talk.ask(json.dumps({"do": "set", "step": OWN, "of": of, "value": value, "id": 10}))
                assert answer == {"ok": True, "id": 10}, answer
            since = len(talk.heard)
            answer = await talk.ask(json.dumps({"do": "run", "step": OWN, "used": used, "id": 11}))
            assert answer == {"ok": True, "id": 11}, answer
            name = f"{OWN}:v1:{used + 1}"
            run = await talk.until(lambda message: message.get("run", {}).get("id") == name, since)
            assert run is not None
            assert run["run"]["quarters"] == 16

    # What is sent ---------------------------------------------------------------------------------

    def _of_student(self, side: Side) -> dict[str, Any]:
        """Mostly something that fits the step that is on."""
        luck, room = self.luck, side.group.room
        step = luck.choice([room.at] * 5 + [room.at + 1])
        paths = ["strategy.collective_action", "ppp_match"]
        fitting = {
            "vote": [{"do": "answer", "step": step, "value": luck.choice([1, 2])}],
            "predict": [{"do": "answer", "step": step, "value": luck.choice([80, "decline"])}],
            "run": [
                {"do": "set", "step": step, "of": luck.choice(paths), "value": luck.choice([0.2, 0.4])},
                {"do": "run", "step": step, "used": len(room.desk(room.at, "v1").tries)},
            ],
            "game": [
                {"do": "join", "step": step, "join": luck.random() < 0.5},
                {"do": "steer", "step": step, "of": "agency.contribution", "value": 0.02},
                {"do": "steer", "step": step, "effort": 1},
                {"do": "take", "step": step},
            ],
        }
        others = [{"do": "name", "name": STUDENTS[0]}, {"do": "team", "team": 1}]
        return luck.choice(fitting.get(room.step.kind, others) if luck.random() < 0.8 else others)

    def _of_teacher(self, side: Side) -> dict[str, Any]:
        luck, room = self.luck, side.group.room
        turns = len(room.board(room.at).turns)
        return luck.choice(
            [
                {"do": "go", "step": luck.choice([*range(GAME + 1), GAME])},
                {"do": "reveal"},
                {"do": "pause", "on": luck.random() < 0.3},
                {"do": "names", "on": luck.random() < 0.5},
                {"do": "hide", "number": luck.randrange(1, 4), "on": False},
                {"do": "look", "players": ["v1", "v2"]},
                {"do": "round", "used": turns},
                {"do": "agency", "number": luck.randrange(4)},
                {"do": "anew", "used": turns},
            ]
        )

    def _message(self, good: dict[str, Any]) -> str | bytes:
        """A message that was damaged in one of many ways, or was not."""
        luck, message = self.luck, dict(good)
        if luck.random() < 0.5:
            message["id"] = luck.choice([1, 7, *ODD])
        how = luck.random()
        if how < 0.15:
            return json.dumps(message)
        if how < 0.7:
            for _ in range(luck.choice((1, 1, 2))):
                name = luck.choice([*message, "extra", "key", "code", "token", "number", "kind", "language"])
                if luck.random() < 0.15:
                    message.pop(name, None)
                else:
                    message[name] = luck.choice(ODD)
            return json.dumps(message)
        if how < 0.8:
            deep = luck.choice((30, 900, 1900))
            name = luck.choice(list(message))
            text = json.dumps(message | {name: "HERE"})
            return text.replace(
                '"HERE"', luck.choice(("[" * deep + "]" * deep, '{"a":' * deep + "1" + "}" * deep, "[" * deep))
            )
        if how < 0.85:
            return luck.randbytes(luck.choice((0, 1, 40, 6000)))
        text = mutated(json.dumps(message), json.dumps({"do": "run", "step": 4, "used": 0}), luck)
        return text.encode("utf-8", "ignore").decode()  # a frame of text is valid, whatever stands in it

    def _query(self) -> str:
        """A link of the page that was damaged as text, as the data that it packs, or not at all."""
        luck = self.luck
        small = Course(Source("classroom"), {"firms.count": 30}, 1, 2, (Intervention(3, {"ties.ending": 0.1}, "x"),))
        second = Course(Source("classroom"), {"firms.count": 20}, 2, 0, (), Difference("strategy.sale", 0.3, "sale"))
        course = luck.choice((small, second))
        if luck.random() < 0.5:
            return mutated(as_query(course), as_query(small), luck)
        data = as_data(course)
        for _ in range(luck.choice((1, 1, 2))):
            name = luck.choice(list(data))
            data[name] = luck.choice((*ODD, {"firms.count": -3}, {"title": "x"}, [[1, {"policies": [3]}, "y"]]))
        import zlib

        packed = zlib.compress(json.dumps(data).encode())
        if luck.random() < 0.1:
            packed = packed[: luck.randrange(len(packed))]
        return "state=" + base64.urlsafe_b64encode(packed).decode().rstrip("=")

    # What may not be heard --------------------------------------------------------------------------

    def _hidden(self, side: Side) -> list[str]:
        """What a mystery hides: its title, which no step shows before it is revealed."""
        room = side.group.room
        return ["The tiny secret"] if room.at == MYSTERY and MYSTERY not in room.revealed else []

    def _leaks(self, text: str, private: list[str], paths: bool = True) -> list[str]:
        words = [*private, *([str(self.folder), *PATHS] if paths else [])]
        return [f"{word!r} in {text[:300]!r}" for word in words if word in text]


def _alone(step: Any) -> Any:
    return step.model_copy(update={"teams": False}) if step.kind == "run" else step


def _given(text: str | bytes) -> dict[str, Any]:
    """What a message says, if it is one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _is_students(text: str | bytes) -> bool:
    """Whether a mutation made a student's word of a teacher's."""
    return _given(text).get("do") in ("answer", "set", "run", "name", "team", "join", "steer", "take")


@contextlib.contextmanager
def _without_limits() -> Iterator[None]:
    """Everybody may say as much as he likes: what is tried is what is said, not how often."""
    kept = server.MESSAGES
    server.MESSAGES = 10**9
    try:
        yield
    finally:
        server.MESSAGES = kept


def fuzz(tries: int, seed: int, folder: Path) -> Found:
    """Try so many inputs; rooms are written into an empty folder."""
    one = Fuzz(seed, folder)
    with _without_limits(), contextlib.redirect_stderr(one.said), contextlib.redirect_stdout(one.said):
        return asyncio.run(one.run(tries))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(asked.tries, asked.seed, Path(folder))
    for door in DOORS:
        print(f"{door:18} accepted {found.accepted[door]:5}  refused {found.refused[door]:5}")
    print(f"tries {asked.tries}; play went on after {found.honest} of {-(-asked.tries // BATCH)} batches")
    print(f"failed: {len(found.failed)}", *found.failed[:20], sep="\n  ")
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
