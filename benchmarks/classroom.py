"""A class that plays: forty phones and a teacher on one server, side by side with players of the page.

    python -m benchmarks.classroom [--minutes 5] [--students 40] [--after 60] [--page 5]

The server is `district-sim class` in processes of its own. The phones are real websockets in this one, so that both
share the machine's cores. All come at once. Each loads the page's files, waits for its first picture, and then plays
without a rest: it moves every slider to a random place, runs its district, watches it at the pace of the page (a run in
twelve seconds), and begins anew. So hardly any run is found in the cache. The teacher goes on to the next step when
most runs of this one are used. Then everybody leaves, and the server is watched for a while.
"""

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import page
from benchmarks.rows import Row, table
from benchmarks.timing import Spread

STUDENTS, MINUTES, AFTER, PLAYERS = 40, 5.0, 60.0, 5
PACE = 12.0
"""Seconds in which the page plays a run; `SECONDS` in its charts.js."""
_A_STEP = 150.0  # seconds: a dozen runs of each, of the twenty that a step has
_FILES = ("", "words.js", "common.js", "charts.js", "student.js", "class.css")
_TEACHER_ASKS = 2.0  # seconds between two of the teacher's clicks
_GIGABYTE = 1 << 30
_STEP = """\
  - kind: run
    title: Your own district
    minutes: 3
    text: Run it.
    district: {scenario: SCENARIO}
    levers:
      - {path: ownership.takeover_price, low: 0, high: 80}
      - {path: world.sourcing_fall, low: 0, high: 0.6}
      - {path: strategy.collective_action, low: 0.1, high: 0.8}
    tries: 20
"""
_LESSON = """\
title: Everybody plays
minutes: 60
shows: [employment, value_added_local, local_purchases, mne_turnover_share, participation, trust]
steps:
"""


def lesson(seconds: float, scenario: str = "classroom") -> str:
    """A lesson file with as many steps as students can play in so many seconds."""
    return _LESSON + _STEP.replace("SCENARIO", scenario) * max(1, min(40, round(seconds / _A_STEP)))


@dataclass
class Told:
    """What was counted."""

    first: list[float] = field(default_factory=list)
    """Of each student: seconds from the first request to the first picture."""
    quarters: list[float] = field(default_factory=list)
    """Of each student: quarters played."""
    waits: list[float] = field(default_factory=list)
    """Of each run: seconds from the click to its first quarter."""
    teacher: list[float] = field(default_factory=list)
    """Of each of the teacher's clicks: seconds until the page shows what it did."""
    memory: float = 0.0
    """Most bytes of the server and its workers together."""
    idle: float = 0.0
    """Processor seconds that they used after everybody had left."""
    left: int = 0
    """Connections that the server still holds then."""


class Device:
    """One connection, and what it has heard."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.view: dict[str, Any] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.refused = 0
        self._news = asyncio.Condition()
        self._count = 0

    async def listen(self) -> None:
        """Hear until the connection ends."""
        async for text in self.socket:
            message = json.loads(text)
            async with self._news:
                self.view = message.get("view", self.view)
                if "run" in message:
                    self.runs[message["run"]["id"]] = message["run"]
                self.refused += "no" in message
                self._news.notify_all()

    async def say(self, **message: Any) -> None:
        """Send a message."""
        self._count += 1
        await self.socket.send(json.dumps({**message, "id": self._count}))

    async def until(self, seen: Any, end: float) -> bool:
        """Wait for something to be seen; False if the time is over first."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(seen), max(0.0, end - time.monotonic()))
            except TimeoutError:
                return False
        return True


async def _fetch(port: int, name: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /{name} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
    got = await reader.read()
    writer.close()
    assert got.startswith(b"HTTP/1.1 200"), got[:200]
    return got


@contextmanager
def _listening(device: Device) -> Iterator[None]:
    task = asyncio.ensure_future(device.listen())
    try:
        yield
    finally:
        task.cancel()


async def _student(port: int, code: str, number: int, everybody: asyncio.Barrier, seconds: float, told: Told) -> None:
    """One phone: comes, waits for its first picture and for the others, plays, leaves."""
    from websockets.asyncio.client import connect

    begun, luck = time.monotonic(), random.Random(number)
    for name in _FILES:
        await _fetch(port, name)
    home = f"127.0.0.1:{port}"
    async with connect(f"ws://{home}/student", origin=f"http://{home}", open_timeout=None) as socket:  # type: ignore[arg-type]
        device = Device(socket)
        with _listening(device):
            await socket.send(json.dumps({"code": code}))
            await device.until(lambda: device.view and device.runs, begun + 300.0)
            told.first.append(time.monotonic() - begun)
            await everybody.wait()
            told.quarters.append(await _play(device, luck, time.monotonic() + seconds, told))


async def _play(device: Device, luck: random.Random, end: float, told: Told) -> float:
    """Run and watch until the time is over; quarters that were watched."""
    watched = 0.0
    while time.monotonic() < end:
        view, step = device.view, device.view["step"]["n"]
        desk = view["desk"]
        for slider in desk["sliders"]:
            await device.say(do="set", step=step, of=slider["id"], value=luck.choice(slider["places"]))
        clicked, refused, name = time.monotonic(), device.refused, f"{step}:{desk['player']}:{desk['used'] + 1}"
        await device.say(do="run", step=step, used=desk["used"])
        went = lambda: name in device.runs or device.refused > refused or device.view["step"]["n"] != step  # noqa: E731, B023
        if not await device.until(went, end):
            break
        run = device.runs.get(name)
        if run is None:  # the class has gone on meanwhile
            await asyncio.sleep(0.1)
            continue
        now = time.monotonic()
        told.waits.append(now - clicked)
        seconds = min(PACE, end - now)
        await asyncio.sleep(max(0.0, seconds))
        watched += run["quarters"] * max(0.0, seconds) / PACE
    return watched


async def _teacher(port: int, key: str, steps: int, everybody: asyncio.Barrier, seconds: float, told: Told) -> None:
    """The teacher's page: clicks, waits until the click is seen, leads from step to step."""
    from websockets.asyncio.client import connect

    home = f"127.0.0.1:{port}"
    async with connect(f"ws://{home}/lead", origin=f"http://{home}", open_timeout=None, max_size=None) as socket:  # type: ignore[arg-type]
        device = Device(socket)
        with _listening(device):
            await socket.send(json.dumps({"key": key}))
            await device.until(lambda: device.view, time.monotonic() + 300.0)
            await everybody.wait()
            begun = time.monotonic()
            end = begun + seconds
            while (now := time.monotonic()) < end:
                step = min(steps - 1, int(steps * (now - begun) / seconds))
                if step != device.view["step"]["n"]:
                    await device.say(do="go", step=step)
                shown = not device.view["names"]
                await device.say(do="names", on=shown)
                if await device.until(lambda: device.view["names"] is shown, end):  # noqa: B023
                    told.teacher.append(time.monotonic() - now)
                await asyncio.sleep(max(0.0, min(_TEACHER_ASKS, end - time.monotonic())))


async def _class(port: int, code: str, key: str, students: int, steps: int, seconds: float, pid: int) -> Told:
    told, everybody = Told(), asyncio.Barrier(students + 1)

    async def watch() -> None:
        while True:
            told.memory = max(told.memory, memory(pid))
            await asyncio.sleep(2.0)

    watching = asyncio.ensure_future(watch())
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_teacher(port, key, steps, everybody, seconds, told))
            for number in range(students):
                group.create_task(_student(port, code, number, everybody, seconds, told))
    finally:
        watching.cancel()
    return told


@contextmanager
def _serving(command: list[str], folder: Path, last: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and what it said until it was ready."""
    line = [sys.executable, "-m", "district_sim", *command, "--no-browser", "--port", "0"]
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": paths}
    with subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        try:
            said = ""
            for text in server.stdout:
                said += text
                if last in text:
                    break
            yield server, said
        finally:
            server.terminate()


def played(students: int, seconds: float, after: float, text: str) -> Told:
    """Let a class play.

    Args:
        students: how many phones.
        seconds: for how long.
        after: seconds to watch the server when all have left.
        text: of the lesson, whose steps are all runs.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lesson.yaml").write_text(text, encoding="utf-8")
        command = ["class", "lesson.yaml", "--host", "127.0.0.1", "--room", "room.sqlite"]
        with _serving(command, folder, "Stop it") as (server, said):
            port = int(_found(r"Students: http://127\.0\.0\.1:(\d+)/", said))
            code, key = _found(r"Code: (\w{4})", said), _found(r"teacher#(\S+)", said)
            told = asyncio.run(_class(port, code, key, students, text.count("kind: run"), seconds, server.pid))
            time.sleep(min(5.0, after))  # what was begun is brought to an end
            used = processor_seconds(server.pid)
            time.sleep(after)
            told.idle = processor_seconds(server.pid) - used
            told.left = connections(server.pid)
    return told


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said)
    if match is None:
        raise RuntimeError(f"the class did not start; it said: {said!r}")
    return match[1]


# The server, from outside ------------------------------------------------------------------------------


def family(pid: int) -> list[int]:
    """A process and all that descend from it (Linux)."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def memory(pid: int) -> float:
    """Bytes that a process and its descendants hold; what they share counts once (Linux)."""
    total = 0
    for one in family(pid):
        try:
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{one}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        total += int(found[1]) * 1024 if found else 0
    return float(total)


def processor_seconds(pid: int) -> float:
    """Processor time of a process and its descendants so far (Linux)."""
    ticks = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def connections(pid: int) -> int:
    """Open connections of a process itself, those that only listen left out (Linux)."""
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    open_ones = {line.split()[9] for line in table if line.split()[3] == "01"}
    links = (os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir())
    return sum(link[8:-1] in open_ones for link in links if link.startswith("socket:["))


# Rows ---------------------------------------------------------------------------------------------------


def rows(
    quick: bool,
    students: int = STUDENTS,
    seconds: float | None = None,
    after: float = AFTER,
    players: int = PLAYERS,
) -> Iterator[Row]:
    """What a class gets, and what players of the page get.

    Args:
        quick: half a minute, and ten seconds after.
        seconds: for how long they play; as `quick` says if left out.
        players: of the page, each in a tab of its own of one browser; 0 to leave them out.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        yield Row("class", "The class", note="needs Linux's /proc")
        return
    seconds = (30.0 if quick else 60.0 * MINUTES) if seconds is None else seconds
    after = min(after, 10.0) if quick else after
    yield from class_rows(played(students, seconds, after, lesson(seconds)), seconds, after)
    if players:
        yield page_row(players, min(seconds, 60.0))


def class_rows(told: Told, seconds: float, after: float) -> Iterator[Row]:
    """The rows of a class that has played."""
    students = len(told.quarters)
    rates = [quarters / seconds for quarters in told.quarters]
    who = f"{students} students, {seconds:g} s"
    yield Row(
        "class.first",
        "First picture of the student who waits longest, all coming at once",
        Spread.exactly(max(told.first)),
        unit="s",
        at_most=3,
        note=f"median {Spread.of(told.first).median:.2f} s",
    )
    yield Row(
        "class.slowest",
        "Quarters a second of the slowest student",
        Spread.exactly(min(rates)),
        unit="1/s",
        at_least=3,
        note=f"{who}; the page plays 8.3 of classroom, and each new run begins with a wait",
    )
    yield Row("class.median", "Quarters a second, all students", Spread.of(rates), unit="1/s", at_least=3, note=who)
    waits = told.waits or [float("inf")]
    yield Row(
        "class.wait",
        "From *Run the district* to its first quarter",
        Spread.of(waits),
        unit="s",
        better="lower",
        note=f"{len(told.waits):,} runs; the longest {max(waits):.2f} s",
    )
    yield Row(
        "class.teacher",
        "From the teacher's click to the view that shows it",
        Spread.of(told.teacher or [float("inf")]),
        unit="s",
        at_most=0.5,
        note=f"{len(told.teacher)} clicks; the longest {max(told.teacher, default=float('inf')):.2f} s",
    )
    yield Row(
        "class.memory",
        "Memory of the server and its workers, at most",
        Spread.exactly(told.memory / _GIGABYTE),
        unit="GiB",
        at_most=1.5,
    )
    yield Row(
        "class.idle",
        "Processor time after everybody left",
        Spread.exactly(100.0 * told.idle / max(after, 1e-9)),
        unit="%",
        at_most=1,
        note=f"of one core, over {after:g} s; {told.left} connections are left",
    )


def page_row(players: int, seconds: float) -> Row:
    """Players of the page, side by side in one browser."""
    name, what = "class.page", f"The same on the page (`district-sim app`), {players} players"
    with tempfile.TemporaryDirectory() as folder, _serving(["app"], Path(folder), "http") as (_, said):
        rates = page.rates(page.classroom(said.split()[-1]), seconds, players)
    note = f"slowest {min(rates):.2f} 1/s; in {players} tabs of one Chromium, {seconds:g} s"
    return Row(name, what, Spread.of(rates), unit="1/s", note=note)


def main(
    minutes: Annotated[float, typer.Option("--minutes", metavar="N", min=0.01, max=60, help="How long all play.")] = (
        MINUTES
    ),
    students: Annotated[int, typer.Option("--students", metavar="N", min=1, max=200, help="How many.")] = STUDENTS,
    after: Annotated[
        float,
        typer.Option("--after", metavar="SECONDS", min=1, help="How long the server is watched when all have left."),
    ] = AFTER,
    players: Annotated[
        int, typer.Option("--page", metavar="N", min=0, help="Players of the page, side by side; 0 leaves them out.")
    ] = PLAYERS,
) -> None:
    """Let a class play on one server, and some players on the page; measure what each gets."""
    with Console(stderr=True).status("measuring: class"):
        found = list(rows(False, students, 60.0 * minutes, after, players))
    Console(width=None if sys.stdout.isatty() else 160).print(table(found, False))


if __name__ == "__main__":
    typer.run(main)
