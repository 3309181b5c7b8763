"""The server of a class: two pages, two sockets, one room.

An event is made so at once, is written to the journal together with others that came meanwhile, and is acknowledged
only when it is on the disk. Each connection gets the newest view when it is ready for one, so that a slow phone never
makes a queue.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from district_sim.app.classroom import views
from district_sim.app.classroom.futures import TABLE, Futures, Wanted, asked
from district_sim.app.classroom.game_views import View
from district_sim.app.classroom.guard import MESSAGES, MESSAGES_A_SECOND, MOST_BYTES, Bucket, Door, Guard
from district_sim.app.classroom.journal import Journal
from district_sim.app.classroom.languages import (
    ENGLISH,
    LANGUAGES,
    known,
    preferred,
    translated_lesson,
    translated_markdown,
)
from district_sim.app.classroom.lesson import Lesson, html_of
from district_sim.app.classroom.picture import picture_of, png_of
from district_sim.app.classroom.qr import qr_of
from district_sim.app.classroom.replay import opened
from district_sim.app.classroom.room import Event, Refused, Room
from district_sim.app.classroom.words import indicators, refusal, words

CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no code is a word."""
_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
_FILES = ("common.js", "charts.js", "game.js", "student.js", "teacher.js", "class.css")
_BETWEEN = 0.1  # seconds between two views of a phone,
_BETWEEN_TEACHER = 0.25  # and of the teacher's page
_SLOW = 20.0  # seconds after which a phone that takes nothing is given up
_SILENT = 30.0  # seconds after which a connection is given up that does not say who it is


def new_code() -> str:
    """Four letters."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(4))


def new_key() -> str:
    """What opens the teacher's page."""
    return secrets.token_urlsafe(12)


class Line:
    """One connection."""

    def __init__(self, socket: WebSocket, between: float) -> None:
        """Of a socket that was accepted."""
        self.socket, self.between = socket, between
        self.address = socket.client.host if socket.client else ""
        self.bucket = Bucket(MESSAGES, MESSAGES_A_SECOND)
        self.number = 0
        """Of the visitor; 0 for the teacher."""
        self.language = ENGLISH
        self.looks: list[str] = []
        """Players whose districts the teacher looks at."""
        self.opened = ""
        """Name of a run that the teacher has opened again by its link."""
        self.awake = asyncio.Event()
        self.sent: set[str] = set()
        """Names of the runs that it has."""
        self._last = ""

    async def send(self, **message: Any) -> None:
        """Send one message; gives up on a phone that takes nothing."""
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        await asyncio.wait_for(self.socket.send_text(text), _SLOW)

    async def refuse(self, word: str, given: Mapping[str, object] | None = None, **more: Any) -> None:
        """Say why something cannot be done."""
        await self.send(no=refusal(word, self.language, **(given or {})), **more)

    async def show(self, view: View) -> None:
        """Send a view, if it is another than the last."""
        text = json.dumps(view, separators=(",", ":"), ensure_ascii=False)
        if text != self._last:
            self._last = text
            await self.send(view=view)


class Class:
    """A room with everything around it: journal, runs, connections."""

    def __init__(
        self, journal: Journal, futures: Futures, address: Callable[[], list[str]], language: str | None = None
    ) -> None:
        """Of a journal.

        Args:
            address: gives the addresses at which phones find the page, the best first.
            language: of pages whose reader has chosen none; the browser's if left out.
        """
        self.language = language
        self._lessons: dict[str, Lesson] = {}
        self.journal, self.futures, self.address = journal, futures, address
        self.room: Room = journal.room()
        self.door = Door()
        self.students: set[Line] = set()
        self.teachers: set[Line] = set()
        self._pending: list[tuple[Event, asyncio.Future[None]]] = []
        self._writing = False
        self._tasks: set[asyncio.Task[None]] = set()

    def shown_in(self, language: str) -> Room:
        """The room with its lesson in a language: to be looked at, not to be changed."""
        if language not in self._lessons:
            self._lessons[language] = translated_lesson(self.journal.about.lesson, language)
        return replace(self.room, lesson=self._lessons[language], language=language)

    # Events ---------------------------------------------------------------------------------------

    async def happen(self, event: Event) -> None:
        """Make an event so, and return when it is on the disk.

        Raises:
            Refused: it could not be written; the room is then again what the journal says.
        """
        self.room.apply(event)
        # both teams have another number of people; who leads the agency is seen by all
        self.wake(None if event["kind"] in ("teamed", "took") else event)
        written = asyncio.get_running_loop().create_future()
        self._pending.append((event, written))
        if not self._writing:
            self._writing = True
            self._start(self._write())
        await written

    async def _write(self) -> None:
        """Write all that waits, together, until nothing does."""
        try:
            while self._pending:
                batch, self._pending = self._pending, []
                try:
                    await asyncio.to_thread(self.journal.keep, [event for event, _ in batch])
                except OSError as error:
                    print(f"The room could not be saved: {error}", file=sys.stderr)
                    lost, self._pending = batch + self._pending, []
                    self.room = self.journal.room()
                    for _, written in lost:
                        if not written.done():
                            written.set_exception(Refused("disk"))
                    self.wake()
                    continue
                for _, written in batch:
                    if not written.done():
                        written.set_result(None)
        finally:
            self._writing = False

    def wake(self, event: Event | None = None) -> None:
        """Somebody may have something new to see: of what one student did, the teacher and that student's team."""
        number = (event or {}).get("number")
        mine = self.room.visitors.get(number) if event and event["kind"] != "hid" and isinstance(number, int) else None
        for line in self.students:
            if mine is None or line.number == mine.number or self._of_one_team(line.number, mine.number):
                line.awake.set()
        for line in self.teachers:
            line.awake.set()
        for wanted in views.wanted_in(self.room, self.room.at):
            self.ask(wanted)

    @property
    def here(self) -> set[int]:
        """Numbers of the visitors who are connected."""
        return {one.number for one in self.students}

    def _wake_players(self, line: Line) -> None:
        """Who leads the agency of a game has come or gone: another student may take it, or no longer."""
        if line.number and line.number == self.room.board(self.room.at).agency:
            for one in self.students:
                one.awake.set()

    def _of_one_team(self, a: int, b: int) -> bool:
        visitors = self.room.visitors
        return bool(self.room.lesson.teams) and visitors[a].team == visitors[b].team

    def ask(self, wanted: Wanted) -> None:
        """Have a run computed, and show it when it is there."""
        if self.futures.known(wanted) is None and not self.futures.is_underway(wanted):
            self._start(self._compute(wanted))

    async def _compute(self, wanted: Wanted) -> None:
        try:
            await self.futures.get(wanted)
        except Exception as error:  # the class goes on without this run
            print(f"A run could not be made: {error}", file=sys.stderr)
        else:
            for line in (*self.students, *self.teachers):
                line.awake.set()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What is sent -----------------------------------------------------------------------------------

    async def write(self, line: Line) -> None:
        """Send views and runs to one connection for as long as it lives."""
        while True:
            await line.awake.wait()
            line.awake.clear()
            room = self.shown_in(line.language)
            if line.number:
                view = views.student_view(room, room.visitors[line.number], self.futures.known, self.here)
            else:
                view = views.teacher_view(room, self.here, self.futures.known)
                again = opened(self.room, line.opened)
                view["opened"] = bool(again)
                view["runs"] = again or view["runs"] + views.looked_at(self.room, line.looks)
                view["join"] = self._join()
            await line.show(view)
            for name in view["runs"]:
                await self._send_run(line, name)
            await asyncio.sleep(line.between)

    async def _send_run(self, line: Line, name: str) -> None:
        wanted = None if name in line.sent else views.run_named(self.room, name)
        if wanted is None:
            return
        result = self.futures.known(wanted)
        if result is None:
            self.ask(wanted)
            return
        line.sent.add(name)
        await line.send(run=views.run_data(self.room, name, result))

    def _join(self) -> View:
        addresses = self.address()
        code = self.journal.about.code
        url = f"{addresses[0]}#{code}"
        return {"addresses": addresses, "code": code, "qr": qr_of(url), "url": url}

    def hello(self, language: str = ENGLISH) -> View:
        """What never changes, sent first."""
        lesson = self.shown_in(language).lesson
        return {
            "lesson": {"title": lesson.title, "minutes": lesson.minutes, "teams": lesson.teams},
            "shows": lesson.shows,
            "indicators": indicators(tuple({*lesson.shows, *asked(lesson), *TABLE}), language),
        }

    # Who comes ----------------------------------------------------------------------------------------

    async def student(self, socket: WebSocket) -> None:
        """A phone."""
        await self._meet(socket, _BETWEEN, self._let_student_in, self.students, self._hear_student)

    async def teacher(self, socket: WebSocket) -> None:
        """The teacher's page."""
        await self._meet(socket, _BETWEEN_TEACHER, self._let_teacher_in, self.teachers, self._hear_teacher)

    async def _meet(self, socket: WebSocket, between: float, let_in: Any, circle: set[Line], hear: Any) -> None:
        await socket.accept()
        line = Line(socket, between)
        if not self.door.come(line.address):
            await line.refuse("crowd")
            await socket.close(1013)
            return
        try:
            with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
                if not await let_in(line):
                    return
                circle.add(line)
                self._wake_players(line)
                for one in (line, *self.teachers):
                    one.awake.set()
                await self._talk(line, hear)
        except Exception as error:  # of one connection; the class goes on
            print(f"A connection broke: {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            circle.discard(line)
            self._wake_players(line)
            self.door.go(line.address)
            for teacher in self.teachers:
                teacher.awake.set()
            with contextlib.suppress(Exception):
                await socket.close()

    async def _talk(self, line: Line, hear: Any) -> None:
        """Listen and write until one of both ends."""
        async with asyncio.TaskGroup() as both:
            writer = both.create_task(self._until_gone(self.write(line)))
            reader = both.create_task(self._until_gone(self._listen(line, hear)))
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
            writer.cancel()
            reader.cancel()

    @staticmethod
    async def _until_gone(work: Any) -> None:
        with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
            await work

    async def _listen(self, line: Line, hear: Any) -> None:
        while True:
            message = await received(line)
            if message is None:
                continue
            given = message.get("id")
            answer: dict[str, Any] = {"id": given} if isinstance(given, int) and abs(given) < 2**53 else {}
            try:
                await hear(line, message)
            except Refused as refused:
                await line.refuse(refused.word, refused.given, **answer)
                line.awake.set()
            else:
                await line.send(ok=True, **answer)

    async def _let_student_in(self, line: Line) -> bool:
        """Check the code; find who comes back by the secret that the phone keeps, or make one."""
        message = await asyncio.wait_for(received(line), _SILENT)
        code = message.get("code") if message else None
        line.language = known((message or {}).get("language"), self.language or ENGLISH)
        if not await self._is(line, str(code).strip().upper()[:20], self.journal.about.code, "code"):
            return False
        secret = message.get("token") if message else None
        visitor = self.room.by_key(_hashed(secret)) if isinstance(secret, str) and len(secret) < 100 else None
        if visitor is None:
            secret = secrets.token_urlsafe(18)
            try:
                event = self.room.enter(_hashed(secret))
                await self.happen(event)
            except Refused as refused:
                await line.refuse(refused.word, refused.given)
                return False
            visitor = self.room.visitors[event["number"]]
        line.number = visitor.number
        await line.send(hello=self.hello(line.language), token=secret)
        return True

    async def _let_teacher_in(self, line: Line) -> bool:
        message = await asyncio.wait_for(received(line), _SILENT)
        key = message.get("key") if message else None
        line.language = known((message or {}).get("language"), self.language or ENGLISH)
        if not await self._is(line, str(key)[:100], self.journal.about.key, "key"):
            return False
        notes = translated_markdown(self.journal.about.notes, line.language)
        await line.send(hello=self.hello(line.language) | {"notes": html_of(notes)})
        return True

    async def _is(self, line: Line, said: str, right: str, what: str) -> bool:
        """Whether somebody said the right thing; a sentence if not."""
        word = what
        if not self.door.may_try(line.address):
            word = "wait"
        elif hmac.compare_digest(said.encode("utf-8", "surrogatepass"), right.encode()):
            return True
        else:
            self.door.wrong(line.address)
        await line.refuse(word, out=True)
        return False

    async def _hear_student(self, line: Line, message: dict[str, Any]) -> None:
        await self.happen(self.room.said(line.number, message, self.here))

    async def _hear_teacher(self, line: Line, message: dict[str, Any]) -> None:
        if message.get("do") == "look":
            asks, run = message.get("players"), message.get("run")
            line.opened = run if isinstance(run, str) else ""
            line.looks = (
                [one for one in asks if isinstance(one, str)][: views.MOST_LOOKED_AT] if isinstance(asks, list) else []
            )
            line.awake.set()
            return
        await self.happen(self.room.led(message))

    # Pages --------------------------------------------------------------------------------------------

    async def results(self, request: Request) -> Response:
        """The table of results, for who has the key."""
        if (refused := self._refused(request)) is not None:
            return refused
        for at in range(len(self.room.lesson.steps)):
            await self._have(at)
        text = views.results_csv(self.room, self.futures.known, self.address()[0])
        return Response(text, media_type="text/csv; charset=utf-8")

    async def picture(self, request: Request) -> Response:
        """The step that is on as a PNG, with the runs that are asked for, for who has the key."""
        if (refused := self._refused(request)) is not None:
            return refused
        room = self.shown_in(known(request.query_params.get("language")))
        looks = request.query_params.get("looks", "").split(",")[: views.MOST_LOOKED_AT]
        names = opened(room, looks[0]) or views.looked_at(room, looks)
        names = names or views.teacher_view(room, (), self.futures.known)["runs"]
        png = await asyncio.to_thread(png_of, picture_of(room, self.futures.known, names))
        return Response(png, media_type="image/png")

    def _refused(self, request: Request) -> Response | None:
        """Why somebody without the key gets nothing; None for who has it."""
        address = request.client.host if request.client else ""
        key = request.headers.get("x-key", "")
        if self.door.may_try(address) and hmac.compare_digest(key.encode(), self.journal.about.key.encode()):
            return None
        self.door.wrong(address)
        return PlainTextResponse(refusal("key"), 403)

    async def words(self, request: Request) -> Response:
        """Every text of the pages: in the language asked for, the class's, or the one that the browser likes best."""
        default = self.language or preferred(request.headers.get("accept-language"))
        language = known(request.query_params.get("language"), default)
        said = {"LANGUAGE": language, "LANGUAGES": LANGUAGES, "WORDS": words(language)}
        lines = [f"export const {name} = {json.dumps(what, ensure_ascii=False)};\n" for name, what in said.items()]
        return Response("".join(lines), media_type=_TYPES[".js"])

    async def _have(self, at: int) -> None:
        """Have all runs of a step that results need."""
        wanted = views.wanted_in(self.room, at)
        with contextlib.suppress(Exception):  # a run that cannot be made is missing in the table
            await asyncio.gather(*(self.futures.get(one) for one in wanted))


def application(group: Class, names: set[str] | None = None) -> Guard:
    """The application of a class.

    Args:
        names: of this machine; found out if left out.
    """

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        group.wake()
        yield
        group.futures.close()
        group.journal.close()

    routes = [
        Route("/", _page("student.html")),
        Route("/teacher", _page("teacher.html")),
        Route("/words.js", group.words),
        Route("/results.csv", group.results, methods=["POST"]),
        Route("/picture.png", group.picture, methods=["POST"]),
        *(Route(f"/{name}", _page(name)) for name in _FILES),
        WebSocketRoute("/student", group.student),
        WebSocketRoute("/lead", group.teacher),
    ]
    return Guard(Starlette(routes=routes, lifespan=life, exception_handlers={Exception: _broken}), names)


async def received(line: Line) -> dict[str, Any] | None:
    """The next message of a connection; None, and a sentence to the sender, if it is none.

    Raises:
        WebSocketDisconnect: it has gone.
    """
    got = await line.socket.receive()
    if got["type"] != "websocket.receive":
        raise WebSocketDisconnect(got.get("code", 1000))
    text = got.get("text")
    if not line.bucket.take():
        await line.refuse("too_fast")
        await asyncio.sleep(1.0)  # who sends without end waits in the line of its own socket
        return None
    if text is None or len(text) > MOST_BYTES:
        await line.refuse("not_understood")
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        await line.refuse("not_understood")
        return None
    return message


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _page(name: str) -> Callable[[Request], Any]:
    path = _STATIC / name

    async def page(_: Request) -> Response:
        return FileResponse(path, media_type=_TYPES[path.suffix])

    return page


async def _broken(_: Request, error: Exception) -> Response:
    print(f"Something went wrong: {type(error).__name__}: {error}", file=sys.stderr)
    return PlainTextResponse("Something went wrong.", 500)
