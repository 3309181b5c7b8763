"""A room: what events make of a lesson, whatever students say; the journal that keeps them."""

import json
import math
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from class_parts import JOBS, MYSTERY, OWN, VOTE, lesson_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from district_sim.app.classroom.futures import Result, Wanted, computed
from district_sim.app.classroom.journal import About, JournalError, opened
from district_sim.app.classroom.lesson import Lesson
from district_sim.app.classroom.room import MOST_CHANGES, MOST_VISITORS, Event, Refused, Room, cost_of, replayed
from district_sim.app.classroom.views import (
    results_csv,
    run_data,
    run_named,
    runs_shown,
    student_view,
    teacher_view,
    truth,
    wanted_in,
)
from district_sim.app.classroom.words import WORDS, refusal

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.integers(), max_size=2)
)
STEP = st.integers(-1, 6) | ODD
SAID = st.one_of(
    st.fixed_dictionaries(
        {"do": st.just("answer"), "step": STEP, "value": st.integers(-1, 9) | st.just("decline") | ODD}
    ),
    st.fixed_dictionaries(
        {
            "do": st.just("set"),
            "step": STEP,
            "of": st.sampled_from(["strategy.collective_action", "ppp_match", "firms.count"]) | ODD,
            "value": st.floats(-1, 120) | ODD,
        }
    ),
    st.fixed_dictionaries({"do": st.just("run"), "step": STEP, "used": st.integers(0, 3) | ODD}),
    st.fixed_dictionaries({"do": st.just("name"), "name": st.text(max_size=40) | ODD}),
    st.fixed_dictionaries({"do": st.just("team"), "team": st.integers(-1, 4) | ODD}),
    st.dictionaries(st.sampled_from(["do", "step", "value"]), ODD),
)
LED = st.one_of(
    st.fixed_dictionaries({"do": st.just("go"), "step": STEP}),
    st.just({"do": "reveal"}),
    st.fixed_dictionaries({"do": st.sampled_from(["pause", "names"]), "on": st.booleans() | ODD}),
    st.fixed_dictionaries({"do": st.just("hide"), "number": st.integers(0, 4) | ODD, "on": st.booleans() | ODD}),
    st.dictionaries(st.sampled_from(["do", "step", "on"]), ODD),
)
HEARD = st.lists(
    st.one_of(st.just((0, {"do": "enter"})), st.tuples(st.integers(1, 4), SAID), st.tuples(st.just(-1), LED)),
    max_size=60,
)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    return lesson_in(tmp_path_factory.mktemp("lesson"))


@pytest.fixture
def room(lesson: Lesson) -> Room:
    """Three students are in."""
    return replayed(lesson, [{"kind": "joined", "number": n, "key": f"k{n}"} for n in (1, 2, 3)])


def nothing_known(_: Wanted) -> Result | None:
    return None


def heard(room: Room, who: int, message: dict[str, Any]) -> Event | None:
    """What somebody says to a room: 0 comes in, -1 is the teacher."""
    try:
        if who == 0:
            event = room.enter(f"key {len(room.visitors)}")
        elif who == -1:
            event = room.led(message)
        elif who in room.visitors:
            event = room.said(who, message)
        else:
            return None
    except Refused as refused:
        refusal(refused.word, **refused.given)  # there are words for it
        return None
    room.apply(event)
    return event


def do(room: Room, who: int, **message: Any) -> Event:
    event = heard(room, who, message)
    assert event is not None
    return event


def refused(room: Room, who: int, **message: Any) -> str:
    with pytest.raises(Refused) as caught:
        room.said(who, message) if who > 0 else room.led(message)
    return caught.value.word


# Whatever is said -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HEARD)
def test_replaying_the_journal_gives_the_same_room(lesson: Lesson, said: list[tuple[int, dict[str, Any]]]) -> None:
    room, events = Room(lesson), []
    for who, message in said:
        event = heard(room, who, message)
        events += [] if event is None else [event]
    again = replayed(lesson, json.loads(json.dumps(events)))  # as the journal has them
    assert again == room
    for visitor in room.visitors.values():
        student_view(room, visitor, nothing_known)
    teacher_view(room, [1], nothing_known)
    results_csv(room, nothing_known)
    step = lesson.steps[OWN]
    for (at, _), desk in room.desks.items():
        assert at == OWN
        assert len(desk.tries) <= step.tries  # type: ignore[union-attr]
        assert all(cost_of(step, one) <= step.purse + 1e-6 for one in desk.tries)  # type: ignore[union-attr, arg-type]
    for at, given_ in room.answers.items():
        assert at in (VOTE, MYSTERY, JOBS)
        assert not any(isinstance(value, float) and math.isnan(value) for value in given_.values())


# What is hidden ---------------------------------------------------------------------------------------


def test_nothing_hidden_is_in_a_view_before_the_reveal(room: Room) -> None:
    do(room, -1, do="go", step=MYSTERY)
    shown = str([student_view(room, room.visitors[1], nothing_known), teacher_view(room, [1], nothing_known)])
    assert "secret" not in shown
    assert "tiny" not in shown
    assert "So it was" not in shown
    assert runs_shown(room, room.visitors[1]) == [f"{MYSTERY}:seen"]
    wanted = run_named(room, f"{MYSTERY}:seen")
    assert wanted is not None
    result = computed(wanted)
    data = run_data(room, f"{MYSTERY}:seen", result)
    assert {len(values) for values in data["series"].values()} == {6}
    assert not data.keys() & {"label", "last", "ends"}
    do(room, -1, do="reveal")
    shown = str(student_view(room, room.visitors[1], lambda one: result if one == wanted else None))
    assert "The tiny secret" in shown
    assert "So it was" in shown
    assert truth(room, lambda _: result) == result.label
    assert run_data(room, str(MYSTERY), result)["label"] == result.label


def test_the_answer_of_a_vote_is_hidden_until_the_reveal(room: Room) -> None:
    do(room, -1, do="go", step=VOTE)
    do(room, 1, do="answer", step=VOTE, value=1)
    assert "truth" not in student_view(room, room.visitors[1], nothing_known)
    assert "said" not in student_view(room, room.visitors[1], nothing_known)
    assert "truth" not in teacher_view(room, [], nothing_known)
    assert [one["count"] for one in teacher_view(room, [], nothing_known)["said"]] == [1, 0]
    do(room, -1, do="reveal")
    view = student_view(room, room.visitors[1], nothing_known)
    assert view["truth"] == 2
    assert [one["count"] for one in view["said"]] == [1, 0]
    assert "For me" not in str(view)
    assert "For me" in str(teacher_view(room, [], nothing_known))


def test_no_student_sees_another_ones_name_or_answer(room: Room) -> None:
    do(room, 2, do="name", name="Berta")
    do(room, -1, do="go", step=JOBS)
    do(room, 2, do="answer", step=JOBS, value=33.3)
    view = str(student_view(room, room.visitors[1], nothing_known))
    assert "Berta" not in view
    assert "33" not in view


# Rules --------------------------------------------------------------------------------------------------


def test_answers_can_be_changed_until_the_reveal(room: Room) -> None:
    do(room, -1, do="go", step=VOTE)
    do(room, 1, do="answer", step=VOTE, value=1)
    do(room, 1, do="answer", step=VOTE, value=2)
    assert room.answers[VOTE] == {1: 2}
    assert refused(room, 1, do="answer", step=VOTE, value=3) == "not_understood"
    assert refused(room, 1, do="answer", step=JOBS, value=3) == "step_over"
    do(room, -1, do="pause", on=True)
    assert refused(room, 1, do="answer", step=VOTE, value=1) == "paused"
    do(room, -1, do="pause", on=False)
    do(room, -1, do="reveal")
    assert refused(room, 1, do="answer", step=VOTE, value=1) == "revealed"


def test_a_team_has_one_purse_and_one_number_of_runs(room: Room) -> None:
    assert [one.team for one in room.visitors.values()] == [1, 2, 1]
    do(room, -1, do="go", step=OWN)
    do(room, 1, do="set", step=OWN, of="ppp_match", value=98)
    desk = student_view(room, room.visitors[3], nothing_known)["desk"]
    assert desk["cost"] == pytest.approx(100 * 14 / 1000)  # the nearest place of the slider
    assert student_view(room, room.visitors[2], nothing_known)["desk"]["cost"] == 0.0
    do(room, 3, do="set", step=OWN, of="strategy.collective_action", value=1.0)
    assert refused(room, 1, do="run", step=OWN, used=0) == "too_dear"
    do(room, 3, do="set", step=OWN, of="strategy.collective_action", value=0.2)
    do(room, 1, do="run", step=OWN, used=0)
    assert refused(room, 3, do="run", step=OWN, used=0) == "ran"  # both pressed at once
    do(room, 3, do="run", step=OWN, used=1)
    assert refused(room, 1, do="run", step=OWN, used=2) == "no_tries"
    assert runs_shown(room, room.visitors[1]) == [str(OWN), f"{OWN}:t1:2"]
    assert runs_shown(room, room.visitors[2]) == [str(OWN)]
    (row,) = teacher_view(room, [1], nothing_known)["table"]
    assert (row["player"], row["runs"]) == ("t1", 2)
    assert len(wanted_in(room, OWN)) == 2


def test_names_are_clean_short_and_can_be_hidden(room: Room) -> None:
    do(room, 1, do="name", name="  Anna\n\x07 B ")
    assert room.visitors[1].name == "Anna B"
    assert refused(room, 1, do="name", name="x" * 25) == "name_long"
    assert refused(room, 1, do="name", name=7) == "not_understood"
    do(room, -1, do="hide", number=1, on=True)
    assert "Anna" not in str(teacher_view(room, [], nothing_known))
    do(room, -1, do="hide", number=1, on=False)
    do(room, -1, do="names", on=False)
    assert "Anna" not in str(teacher_view(room, [], nothing_known))


def test_a_room_and_a_phone_have_limits(lesson: Lesson) -> None:
    room = replayed(lesson, [{"kind": "joined", "number": n, "key": str(n)} for n in range(1, MOST_VISITORS + 1)])
    with pytest.raises(Refused, match="full"):
        room.enter("more")
    room.visitors[1].changes = MOST_CHANGES
    assert refused(room, 1, do="name", name="A") == "enough"


def test_no_name_is_a_formula_in_a_spreadsheet(room: Room) -> None:
    do(room, 1, do="name", name="=HYPERLINK(1)")
    do(room, -1, do="go", step=VOTE)
    do(room, 1, do="answer", step=VOTE, value=2)
    lines = results_csv(room, nothing_known).splitlines()
    assert lines[0].startswith("step,title,kind,player,name,answer,truth")
    assert lines[1].startswith("2,Who wins?,vote,player 1,'=HYPERLINK(1),Workers,Workers")


def test_every_word_of_a_refusal_is_there() -> None:
    given_ = {"most": 1, "purse": 1.0, "low": 0, "high": 1}
    assert all(refusal(word.removeprefix("no."), **given_) for word in WORDS if word.startswith("no."))


# The journal ----------------------------------------------------------------------------------------------


@pytest.fixture
def about(lesson: Lesson) -> About:
    return About(lesson, "notes", "BCDF", "key")


def test_a_journal_gives_its_room_back(tmp_path: Path, about: About, room: Room) -> None:
    path = tmp_path / "room.sqlite"
    journal = opened(path, about)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    events = [{"kind": "joined", "number": n, "key": f"k{n}"} for n in (1, 2, 3)]
    journal.keep(events[:2])
    journal.keep(events[2:])
    assert journal.room() == room
    with pytest.raises(JournalError, match="another class is using this room"):
        opened(path)
    journal.close()
    again = opened(path, about._replace(code="ZZZZ"))
    assert again.about == about  # what is in the file wins
    assert again.room() == room
    again.close()


def _text(path: Path) -> None:
    path.write_text("This is no room. " * 100)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE birds (name TEXT)")
    made.close()


def _future(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE about (key TEXT, value TEXT)")
        made.execute("INSERT INTO about VALUES ('format', '99')")
    made.close()


@pytest.mark.parametrize(
    ("make", "said"), [(_text, "is not a room"), (_foreign, "is not a room"), (_future, "format 99")]
)
def test_what_is_no_journal_is_told_and_left_alone(
    tmp_path: Path, about: About, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "room.sqlite"
    make(path)
    with pytest.raises(JournalError, match=said):
        opened(path, about)
    if make is _text:
        assert path.read_text().startswith("This is no room.")


def test_events_that_cannot_be_written_are_not_kept(tmp_path: Path, about: About) -> None:
    journal = opened(tmp_path / "room.sqlite", about)
    journal.keep([{"kind": "paused", "on": True}])
    journal.close()
    with pytest.raises(OSError, match="cannot be written"):
        journal.keep([{"kind": "paused", "on": False}])
    assert opened(tmp_path / "room.sqlite").events() == [{"kind": "paused", "on": True}]
