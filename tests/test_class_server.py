"""The server of a class: who is let in, what is answered, and that nothing acknowledged is lost to kill -9."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fuzz_class
import pytest
from class_parts import MYSTERY, OWN, VOTE, lesson_in, write_lesson
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import ClientConnection, connect

from district_sim.app.classroom import guard, server
from district_sim.app.classroom.futures import Futures, Wanted
from district_sim.app.classroom.guard import MESSAGES, MOST_BYTES, Bucket, Door, is_ours
from district_sim.app.classroom.journal import About, Journal, opened
from district_sim.app.classroom.lesson import Lesson
from district_sim.app.classroom.qr import qr_in_terminal, qr_of
from district_sim.app.classroom.words import WORDS
from district_sim.app.server import addresses

HOME = {"base_url": "http://127.0.0.1:8770"}
ORIGIN = {"Origin": "http://127.0.0.1:8770", "Host": "127.0.0.1:8770"}

type Talk = Any


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    return lesson_in(tmp_path_factory.mktemp("lesson"))


@pytest.fixture
def journal(tmp_path: Path, lesson: Lesson) -> Journal:
    return opened(tmp_path / "room.sqlite", About(lesson, "# Notes", "BCDF", "the key"))


@pytest.fixture
def group(journal: Journal) -> server.Class:
    return server.Class(journal, Futures(ThreadPoolExecutor(1)), lambda: ["http://127.0.0.1:8770/"])


@pytest.fixture
def client(group: server.Class) -> Iterator[TestClient]:
    with TestClient(server.application(group), **HOME) as made:
        yield made


def until(talk: Talk, key: str) -> Any:
    """The next message that says something of a kind."""
    while True:
        message = json.loads(talk.receive_text() if hasattr(talk, "receive_text") else talk.recv())
        if key in message:
            return message[key]


def say(talk: Talk, **message: Any) -> None:
    text = json.dumps(message)
    talk.send_text(text) if hasattr(talk, "send_text") else talk.send(text)


def student(client: TestClient, **more: Any) -> Any:
    return client.websocket_connect("/student", headers=ORIGIN | more)


def enter(talk: Talk, token: str | None = None, code: str = "BCDF") -> str:
    say(talk, code=code, token=token)
    return str(until(talk, "token"))


# Who is let in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/teacher", "/words.js", "/class.css", "/student.js"])
def test_pages_come_with_headers_that_keep_them_to_themselves(client: TestClient, path: str) -> None:
    got = client.get(path)
    assert got.status_code == 200
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/../journal.py", "/%2e%2e/server.py", "/room.sqlite", "/static/", "/lead/x"])
def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    got = client.get(path)
    assert got.status_code == 404
    assert "district_sim" not in got.text
    assert "content-security-policy" in got.headers


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8770", True),
        ("192.168.1.7", True),
        ("[::1]:8770", True),
        ("LOCALHOST:8770", True),
        ("laptop.local", True),
        ("example.com:8770", False),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("", False),
        (None, False),
        ("a" * 300, False),
        ("[::1", False),
    ],
)
def test_only_this_machine_is_asked_for(host: str | None, ours: bool) -> None:
    assert is_ours(host, {"localhost", "laptop.local"}) is ours


def test_a_name_that_points_here_from_elsewhere_is_refused(client: TestClient) -> None:
    got = client.get("/", headers={"Host": "evil.example"})
    assert got.status_code == 421
    with pytest.raises(WebSocketDisconnect), student(client, Host="evil.example", Origin="http://evil.example"):
        pass


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8770", "http://127.0.0.1:1", ""])
def test_a_page_from_elsewhere_cannot_speak_for_a_student_or_the_teacher(client: TestClient, origin: str) -> None:
    for path in ("/student", "/lead"):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(path, headers={**ORIGIN, "Origin": origin}),
        ):
            pass
    got = client.post("/results.csv", headers={"Origin": origin, "X-Key": "the key"})
    assert got.status_code == 403


def test_a_wrong_code_or_key_opens_nothing(client: TestClient) -> None:
    for code in ("AAAA", "", None, 7, ["BCDF"], "BCDF" * 100):
        with student(client) as talk:
            say(talk, code=code)
            assert until(talk, "no") == WORDS["no.code"]
    with client.websocket_connect("/lead", headers=ORIGIN) as talk:
        say(talk, key="BCDF")
        assert until(talk, "no") == WORDS["no.key"]
    for path in ("/results.csv", "/picture.png"):
        assert client.post(path, headers=ORIGIN | {"X-Key": "no"}).status_code == 403
    with student(client) as talk:
        enter(talk, code=" bcdf ")


def test_codes_cannot_be_tried_out(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "WRONG_CODES", 3)
    for _ in range(3):
        with student(client) as talk:
            say(talk, code="AAAA")
            until(talk, "no")
    with student(client) as talk:
        say(talk, code="BCDF")
        assert until(talk, "no") == WORDS["no.wait"]


def test_who_is_in_stays_in_while_somebody_tries_codes(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with student(client) as inside:
        enter(inside)
        monkeypatch.setattr(guard, "WRONG_CODES", 1)
        with student(client) as talk:
            say(talk, code="AAAA")
            until(talk, "no")
        say(inside, do="name", name="Anna", id=1)
        assert until(inside, "ok")


def test_the_door_counts() -> None:
    now = [0.0]
    door = Door(lambda: now[0])
    assert all(door.come("a") for _ in range(guard.MOST_FROM_ONE_ADDRESS))
    assert not door.come("a")
    assert door.come("b")
    door.go("a")
    assert door.come("a")
    for _ in range(guard.WRONG_CODES):
        assert door.may_try("a")
        door.wrong("a")
    assert not door.may_try("a")
    assert door.may_try("b")
    now[0] += guard.WRONG_SECONDS + 1
    assert door.may_try("a")


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(2, 1.0, lambda: now[0])
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 1.5
    assert [bucket.take() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("code", ["\ud800", "AAAA", "", 7, None, ["BCDF"], {"code": "BCDF"}])
def test_a_wrong_code_gets_a_sentence(client: TestClient, code: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with student(client) as talk:
        talk.send_text(json.dumps({"code": code}))
        assert until(talk, "no") == WORDS["no.code"]
    assert capfd.readouterr().err == ""


# What is said ---------------------------------------------------------------------------------------------


def test_mutated_messages_and_links_are_taken_or_refused(tmp_path: Path) -> None:
    found = fuzz_class.fuzz(120, 3, tmp_path)
    assert found.failed == []
    assert found.honest == 3
    assert min(sum(found.accepted.values()), sum(found.refused.values())) > 10


def test_a_vote_is_acknowledged_when_it_is_kept(client: TestClient, journal: Journal) -> None:
    with client.websocket_connect("/lead", headers=ORIGIN) as lead, student(client) as talk:
        say(lead, key="the key")
        assert "<h1>Notes</h1>" in until(lead, "hello")["notes"]
        enter(talk)
        say(lead, do="go", step=VOTE, id=1)
        until(lead, "ok")
        view = until(talk, "view")
        while view["step"]["n"] != VOTE:
            view = until(talk, "view")
        say(talk, do="answer", step=VOTE, value=2, id=5)
        assert until(talk, "ok")
        assert {"kind": "answered", "number": 1, "step": VOTE, "value": 2} in journal.events()
        seen = until(lead, "view")
        while not seen.get("did"):
            seen = until(lead, "view")
        assert [one["count"] for one in seen["said"]] == [0, 1]
        got = client.post("/results.csv", headers=ORIGIN | {"X-Key": "the key"})
        assert "player 1,,Workers,Workers" in got.text
        for looks in ("", "v1,t2", "4:t1:9", "../x,%00"):
            got = client.post(f"/picture.png?language=it&looks={looks}", headers=ORIGIN | {"X-Key": "the key"})
            assert got.content.startswith(b"\x89PNG")


def test_a_phone_that_comes_back_is_where_it_was(client: TestClient) -> None:
    with student(client) as talk:
        token = enter(talk)
        say(talk, do="name", name="Anna", id=1)
        until(talk, "ok")
    with student(client) as talk:
        assert enter(talk, token) == token
        assert until(talk, "view")["you"] == {"number": 1, "name": "Anna", "team": 1, "teams": 2}
    with student(client) as talk:
        assert enter(talk, "a token of another class") != token
        assert until(talk, "view")["you"]["number"] == 2


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", '{"do": 3}', '{"do": {}}', "[" * 2000, "\x00", '{"do":1e999,"value":NaN}'],
)
def test_nonsense_gets_a_sentence_and_the_class_goes_on(client: TestClient, text: str) -> None:
    with student(client) as talk:
        enter(talk)
        talk.send_text(text)
        assert until(talk, "no") == WORDS["no.not_understood"]
        talk.send_bytes(b"\xff\xfe")
        assert until(talk, "no") == WORDS["no.not_understood"]
        say(talk, do="name", name="Anna", id=1)
        assert until(talk, "ok")


def test_a_long_message_is_not_read(client: TestClient) -> None:
    with student(client) as talk:
        enter(talk)
        say(talk, do="name", name="x" * MOST_BYTES)
        assert until(talk, "no") == WORDS["no.not_understood"]


def test_who_sends_too_much_is_slowed_down(client: TestClient, group: server.Class, monkeypatch: Any) -> None:
    monkeypatch.setattr(server, "MESSAGES_A_SECOND", 0.0)
    with student(client) as talk:
        enter(talk)
        for number in range(2 * MESSAGES):
            say(talk, do="name", name=f"A{number}")
        assert until(talk, "no") == WORDS["no.too_fast"]
    assert group.room.visitors[1].changes <= MESSAGES


def test_a_student_cannot_lead(client: TestClient, group: server.Class) -> None:
    with student(client) as talk:
        enter(talk)
        for do in ("go", "reveal", "pause", "hide", "names", "look"):
            say(talk, do=do, step=1, on=True, number=1, id=1)
            assert until(talk, "no") == WORDS["no.not_understood"]
    assert group.room.at == 0
    assert not group.room.revealed


def test_a_full_disk_is_told_and_the_room_stays_what_the_journal_says(
    client: TestClient, group: server.Class, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError("no space left")

    with student(client) as talk:
        enter(talk)
        monkeypatch.setattr(journal, "keep", full)
        say(talk, do="name", name="Anna", id=1)
        assert until(talk, "no") == WORDS["no.disk"]
        assert group.room.visitors[1].name == ""
        monkeypatch.undo()
        say(talk, do="name", name="Anna", id=2)
        assert until(talk, "ok")
        assert journal.room() == group.room


def test_a_run_is_computed_once_for_everybody(client: TestClient, group: server.Class) -> None:
    """All see the same district, and two teams that decide alike have the same one."""
    with client.websocket_connect("/lead", headers=ORIGIN) as lead:
        say(lead, key="the key")
        say(lead, do="go", step=OWN, id=1)
        until(lead, "ok")
        for used in (0, 0):
            with student(client) as talk:
                enter(talk)
                say(talk, do="set", step=OWN, of="ppp_match", value=40, id=1)
                until(talk, "ok")
                say(talk, do="run", step=OWN, used=used, id=2)
                until(talk, "ok")
                shown = until(talk, "run")
                while shown["id"] == str(OWN):
                    shown = until(talk, "run")
                assert re.fullmatch(rf"{OWN}:t[12]:1", shown["id"])
                assert shown["quarters"] == 16
                assert len(shown["series"]["employment"]) == 16
    assert group.futures.made == 2  # the district of steps 0 and 4, which is the same; and the two teams'


def test_a_run_that_was_asked_for_by_many_is_made_once(lesson: Lesson) -> None:
    async def ask() -> int:
        futures = Futures(ThreadPoolExecutor(2))
        wanted = Wanted.of(lesson.steps[0].district, lesson)  # type: ignore[union-attr, arg-type]
        found = await asyncio.gather(*(futures.get(wanted) for _ in range(40)))
        assert len({id(one) for one in found}) == 1
        return futures.made

    assert asyncio.run(ask()) == 1


def test_the_mystery_does_not_travel_before_the_reveal(client: TestClient) -> None:
    with client.websocket_connect("/lead", headers=ORIGIN) as lead, student(client) as talk:
        say(lead, key="the key")
        enter(talk)
        say(lead, do="go", step=MYSTERY, id=1)
        until(lead, "ok")
        heard = ""
        run = None
        while run is None or not run["id"].endswith("seen"):
            message = json.loads(talk.receive_text())
            heard += json.dumps(message) if message.get("run", {}).get("id") != "0" and "view" not in message else ""
            run = message.get("run", run)
        assert len(run["series"]["employment"]) == 6
        assert "label" not in heard


# Killed ---------------------------------------------------------------------------------------------------


class Served:
    """A class in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        command = [sys.executable, "-m", "district_sim", "class", "lesson.yaml", "--no-browser", "--port", str(port)]
        command += ["--host", "127.0.0.1", "--room", "room.sqlite"]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Stop it"):
                break

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        assert found, self.said + (self.process.stderr.read() if self.process.stderr else "")
        return found[1]

    @property
    def port(self) -> int:
        return int(self.find(r"Students: http://127.0.0.1:(\d+)/"))

    def talk(self, path: str, open_ones: ExitStack) -> ClientConnection:
        home = f"127.0.0.1:{self.port}"
        return open_ones.enter_context(connect(f"ws://{home}{path}", origin=f"http://{home}", open_timeout=300))  # type: ignore[arg-type]

    def end(self, kind: signal.Signals) -> None:
        self.process.send_signal(kind)
        self.process.communicate(timeout=300)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_kill_9_in_the_middle_of_a_vote_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    write_lesson(tmp_path)
    served, talks = Served(tmp_path, 0), ExitStack()
    port, code, key = served.port, served.find(r"Code: (\w{4})"), served.find(r"teacher#(\S+)")
    try:
        lead = served.talk("/lead", talks)
        say(lead, key=key)
        say(lead, do="go", step=VOTE, id=1)
        until(lead, "ok")
        students, tokens = [served.talk("/student", talks) for _ in range(8)], []
        for talk in students:
            tokens.append(enter(talk, code=code))
        acknowledged = []
        for number, talk in enumerate(students):
            say(talk, do="answer", step=VOTE, value=1 + number % 2, id=7)
            if number < 5:  # of the others nobody knows whether they were kept
                until(talk, "ok")
                acknowledged.append(number)
    finally:
        served.end(signal.SIGKILL)
    again = Served(tmp_path, port)
    try:
        assert again.port == port
        assert "goes on, with 8 students" in again.said
        assert again.find(r"Code: (\w{4})") == code
        assert again.find(r"teacher#(\S+)") == key
        for number in acknowledged:
            talk = again.talk("/student", talks)
            assert enter(talk, tokens[number], code) == tokens[number]
            view = until(talk, "view")
            assert view["step"]["n"] == VOTE
            assert view["mine"] == 1 + number % 2
        say(talk, do="answer", step=VOTE, value=2, id=1)
        assert until(talk, "ok")
    finally:
        talks.close()
        again.end(signal.SIGTERM)
    journal = opened(tmp_path / "room.sqlite")
    assert journal.room().answers[VOTE].keys() >= set(range(1, 6))
    journal.close()


# The command ------------------------------------------------------------------------------------------------


def test_the_command_says_what_is_wrong(call: Callable[..., Any], small_folder: Path) -> None:
    write_lesson(small_folder)
    result = call("class", "four_futurs")
    assert result.exit_code == 2
    assert "did you mean 'four_futures'?" in result.output
    (small_folder / "bad.yaml").write_text("title: x\nminutes: 5\nsteps: []\n")
    result = call("class", "bad.yaml")
    assert result.exit_code == 2
    assert "bad.yaml:3: steps" in result.output
    (small_folder / "text.sqlite").write_text("no room " * 100)
    result = call("class", "lesson.yaml", "--room", "text.sqlite")
    assert result.exit_code == 2
    assert "is not a room" in result.output


def test_it_says_what_it_opens_before_it_binds(call: Callable[..., Any], small_folder: Path, monkeypatch: Any) -> None:
    def bound(*_: object) -> None:
        raise OSError(13, "Permission denied")

    write_lesson(small_folder)
    monkeypatch.setattr("district_sim.app.server.bound", bound)
    result = call("class", "lesson.yaml", "--no-browser")
    assert result.exit_code == 1
    words = " ".join(result.output.split())
    assert words.index("everybody in your network") < words.index("cannot be served")
    result = call("class", "lesson.yaml", "--no-browser", "--host", "127.0.0.1")
    assert "everybody in your network" not in result.output


def test_what_is_missing_is_named(call: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = call("class")
    assert result.exit_code == 1
    assert "pip install 'district-sim[class]'" in result.output


def test_addresses_are_those_of_the_network() -> None:
    assert addresses("192.0.2.7", 80) == ["http://192.0.2.7:80/"]
    assert addresses("::1", 80) == ["http://[::1]:80/"]
    found = addresses("0.0.0.0", 80)
    assert found
    assert not [one for one in found[1:] if "127." in one]


def test_codes_are_no_words_and_pictures_hold_the_address() -> None:
    codes = {server.new_code() for _ in range(50)}
    assert len(codes) > 40
    assert all(re.fullmatch(f"[{server.CODE_LETTERS}]{{4}}", code) for code in codes)
    assert qr_of("http://192.0.2.7:80/#BCDF").startswith("data:image/svg+xml;base64,")
    lines = qr_in_terminal("http://192.0.2.7:80/#BCDF").splitlines()
    assert len({len(line) for line in lines}) == 1
