"""`district-sim class`: a lesson that a class plays on its phones."""

import errno
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.app import cannot_serve, get_ready
from district_sim.cli.common import BAD_INPUT, FAILED, clean_ends, stop

if TYPE_CHECKING:
    from district_sim.app.classroom.journal import Journal

_INSTALL = "pip install 'district-sim[class]'"


class Language(StrEnum):
    """Languages of the class; `app.classroom.languages` has their texts."""

    EN = "en"
    IT = "it"
    ES = "es"
    DE = "de"


def _complete_lesson(incomplete: str) -> list[str]:
    from district_sim.app.classroom.lesson import lesson_names

    return [name for name in lesson_names() if name.startswith(incomplete)]


def class_(
    lesson: Annotated[
        str,
        typer.Argument(
            metavar="[LESSON]",
            help="Bundled lesson (four_futures, cooperation, policy_game), or a lesson file.",
            autocompletion=_complete_lesson,
        ),
    ] = "four_futures",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0 picks a free one.")
    ] = 8770,
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help="Address to listen on; 127.0.0.1 lets only this machine in."),
    ] = "0.0.0.0",
    room: Annotated[
        Path | None,
        typer.Option(
            "--room",
            metavar="FILE",
            help="File of the room. One that is there goes on where it was.",
            show_default="class-LESSON-DATE.sqlite",
        ),
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option(
            "--language",
            help="Language of all pages until their reader chooses another.",
            show_default="that of each browser",
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the addresses without opening the teacher's page.")
    ] = False,
) -> None:
    """Lead a class through a lesson; students answer and play on their phones.

    Everybody in the same network can open the students' page and needs the code
    that is shown. The teacher's page needs the key that only this terminal shows.
    Nothing goes to the internet. What the class does is kept in a file: stop it,
    or lose power, and the same command goes on with the same room.

    [bold]Examples[/bold]

      district-sim class
      district-sim class policy_game --room class-4b.sqlite
      district-sim class four_futures --language it
      district-sim class my_lesson.yaml --host 127.0.0.1

    Stop it with Ctrl-C. Exit code: 0 stopped, 1 could not start, 2 bad input.
    """
    with clean_ends():
        _need()
        from district_sim.app.classroom.journal import JournalError
        from district_sim.app.server import NETWORK, bound
        from district_sim.scenario.texts import short

        try:
            journal = _room(lesson, room)
        except JournalError as error:
            stop(str(error), BAD_INPUT)
        except OSError as error:
            stop(f"--room {short(str(room))} cannot be written: {error.strerror or error}", BAD_INPUT)
        if host in NETWORK:
            typer.echo(
                "This opens a page to everybody in your network. Who has the code can answer, choose a name and run "
                "districts of the lesson; nobody can read files. --host 127.0.0.1 keeps it to this machine."
            )
        try:
            at = bound(host, port)
        except UnicodeError:  # of a name too long for the name service
            stop(f"--host {short(host)}: no address can have this name", BAD_INPUT)
        except OSError as error:
            stop(cannot_serve(error, host, port), FAILED if error.errno != errno.EADDRINUSE else BAD_INPUT)
        get_ready()
        _serve(journal, at, host, no_browser, language.value if language else None)


def _room(lesson: str, room: Path | None) -> "Journal":
    """The room that goes on, or a new one; says which."""
    import datetime

    from district_sim.app.classroom.journal import About, opened
    from district_sim.app.classroom.lesson import lesson_notes, load_lesson
    from district_sim.app.classroom.server import new_code, new_key

    read = load_lesson(lesson)
    path = room or Path(f"class-{Path(lesson).stem}-{datetime.date.today().isoformat()}.sqlite")
    there = path.exists() and path.stat().st_size > 0
    journal = opened(path, About(read, lesson_notes(lesson), new_code(), new_key()))
    if not there:
        typer.echo(f"Room: {path} (new)")
        return journal
    count = len(journal.room().visitors)
    typer.echo(f"Room: {path} goes on, with {count} students. For a new one name another file with --room.")
    if journal.about.lesson.title != read.title:
        typer.echo(f"Its lesson is {journal.about.lesson.title!r}.")
    return journal


def _serve(journal: "Journal", at: object, host: str, no_browser: bool, language: str | None) -> None:
    """Say where the pages are, once they are there, and serve them until Ctrl-C."""
    import socket

    from district_sim.app.classroom import guard, server
    from district_sim.app.classroom.futures import Futures
    from district_sim.app.classroom.qr import qr_in_terminal
    from district_sim.app.server import NETWORK, addresses, serve_application, show

    assert isinstance(at, socket.socket)
    port = at.getsockname()[1]
    group = server.Class(journal, Futures(), lambda: addresses(host, port), language)
    own = "127.0.0.1" if host in NETWORK else f"[{host}]" if ":" in host else host
    teacher = f"http://{own}:{port}/teacher#{journal.about.key}"

    def started() -> None:
        found = addresses(host, port)
        picture = qr_in_terminal(f"{found[0]}#{journal.about.code}")
        with suppress(UnicodeEncodeError):  # where the terminal has no such letters, the address has to do
            picture.encode(sys.stdout.encoding or "ascii")
            typer.echo(picture)
        typer.echo(f"Students: {'  or  '.join(found)}\nCode: {journal.about.code}")
        typer.echo(f"Teacher (for you alone): {teacher}\nStop it with Ctrl-C.")
        if not no_browser:
            show(teacher)

    names = None if host in NETWORK else {*guard.own_names(), host.lower()}
    settings = {
        "ws_max_size": 4 * guard.MOST_BYTES,
        "proxy_headers": False,
        "server_header": False,
        "log_level": "critical",
    }
    serve_application(server.application(group, names), at, started, **settings)


def _need() -> None:
    """Say what is missing before anything else happens."""
    from importlib.util import find_spec

    missing = [
        name
        for name in ("starlette", "uvicorn", "websockets", "segno", "markdown_it", "babel")
        if find_spec(name) is None
    ]
    if missing:
        stop(f"the class needs {' and '.join(missing)}: {_INSTALL}", FAILED)
