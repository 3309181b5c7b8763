"""Why a run ended so, the links that open it again, and the picture for the notes."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from class_parts import OWN, VOTE, lesson_in

from district_sim.app.classroom.futures import Result, Wanted, computed
from district_sim.app.classroom.lesson import Lesson
from district_sim.app.classroom.picture import picture_of, png_of
from district_sim.app.classroom.replay import link_in_class, link_of, opened
from district_sim.app.classroom.room import Event, Room, replayed
from district_sim.app.classroom.story import Story, story_of
from district_sim.app.classroom.views import results_csv, run_named
from district_sim.app.classroom.words import WORDS, story_told
from district_sim.app.course import replay
from district_sim.app.links import from_query
from district_sim.run.run import Run, simulate
from district_sim.run.trajectories import Trajectory
from district_sim.scenario.files import load_scenario

ENDS = ("baseline", "fragmentation", "fragmentation_hierarchy", "post_marshallian_node", "learning_region")
ENDS += ("collective_entrepreneurship", "decline")


@pytest.fixture(scope="module", params=ENDS)
def run(request: pytest.FixtureRequest) -> Run:
    return simulate(load_scenario(request.param), 5, watch=True)


def test_a_story_is_a_sentence_that_holds(run: Run) -> None:
    """Every number in it is counted here once more, from the table alone."""
    story, late = story_of(run), slice(-40, None)
    told = story_told(story)
    assert told.count(".") == 1
    assert told.endswith(".")
    assert "{" not in told
    given, columns = story.given, run.columns

    def percent(name: str) -> int:
        return round(100.0 * float(np.nanmean(np.asarray(columns[name])[late])))

    if run.trajectory == Trajectory.FRAGMENTATION:
        foreign = "sold" in story.word
        sold = np.asarray(columns["takeovers" if foreign else "acquisitions"])
        assert given["count"] == sold.sum()
        years = np.flatnonzero(sold) // 4 + 1
        assert (given["first"], given["last"]) == (years[0], years[-1])
        assert given["share"] == percent("mne_turnover_share" if foreign else "captive_share")
    elif run.trajectory == Trajectory.COLLECTIVE_ENTREPRENEURSHIP:
        assert given["share"] == percent("participation")
        since = np.asarray(columns["participation"])[4 * int(given["year"]) :]
        assert (since > 0.0).mean() > 0.95
    elif run.trajectory == Trajectory.LEARNING_REGION:
        assert given["share"] == percent("newest_share")
    elif run.trajectory == Trajectory.POST_MARSHALLIAN_NODE:
        assert given["local_after"] == percent("local_purchases")
        assert given["links_after"] == percent("pipeline_firms")
    else:
        calm = float(np.asarray(columns["employment"])[:40].mean())
        assert given["jobs"] == round(100.0 * float(np.asarray(columns["employment"])[late].mean()) / calm)


def test_every_future_has_its_story(run: Run) -> None:
    assert story_of(run).word in WORDS


def test_what_is_undefined_is_a_dash() -> None:
    assert story_told(Story("story.decline", {"jobs": None})).startswith("– % of the jobs")


# In a room ----------------------------------------------------------------------------------------------

type Known = Callable[[Wanted], Result | None]


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    return lesson_in(tmp_path_factory.mktemp("lesson"))


@pytest.fixture(scope="module")
def room(lesson: Lesson) -> Room:
    """Two teams; the first has run a district, the second has voted."""
    events: list[Event] = [{"kind": "joined", "number": n, "key": f"k{n}"} for n in (1, 2)]
    events += [{"kind": "answered", "number": 2, "step": VOTE, "value": 2}, {"kind": "went", "step": OWN}]
    settings = {"strategy.collective_action": 0.8, "ppp_match": 50.0}
    return replayed(lesson, [*events, {"kind": "ran", "number": 1, "step": OWN, "player": "t1", "settings": settings}])


@pytest.fixture(scope="module")
def known(room: Room) -> Known:
    wanted = [one for name in (str(OWN), f"{OWN}:t1:1") if (one := run_named(room, name))]
    return {one: computed(one) for one in wanted}.get


def test_a_link_opens_the_same_run_on_the_page(room: Room, known: Known) -> None:
    wanted = run_named(room, f"{OWN}:t1:1")
    assert wanted is not None
    result = known(wanted)
    assert result is not None
    link = urlsplit(link_of(wanted, result.quarters))
    assert (link.hostname, link.port) == ("127.0.0.1", 8765)
    course = from_query(link.query)
    assert course is not None
    district = replay(course)
    assert district.quarter == result.quarters
    assert district.indicators["employment"].iloc[-1] == result.last["employment"]


def test_results_tell_why_and_where_to_open_a_run(room: Room, known: Known) -> None:
    head, *rows = results_csv(room, known, "http://192.0.2.7:8770/").splitlines()
    assert head.endswith("story,link,link_in_class")
    (row,) = [one for one in rows if "team 1" in one]
    assert "http://127.0.0.1:8765/?scenario=tiny" in row
    assert row.endswith(f"http://192.0.2.7:8770/teacher#run={OWN}:t1:1")
    assert link_in_class("/", "4:t1:1") == "/teacher#run=4:t1:1"


@pytest.mark.parametrize(
    "name", [None, "", "x", f"{OWN}:t1:2", f"{OWN}:t1:0", f"{OWN}:t9:1", "0:t1:1", "999:t1:1", f"{OWN}:game:0:1", 7, []]
)
def test_only_runs_that_were_made_are_opened(room: Room, name: object) -> None:
    assert opened(room, name) == []
    assert opened(room, f"{OWN}:t1:1") == [str(OWN), f"{OWN}:t1:1"]


def test_the_picture_shows_what_the_teacher_sees(room: Room, known: Known) -> None:
    picture = picture_of(room, known, [str(OWN), f"{OWN}:t1:1"])
    assert picture.title == "A short lesson: Yours"
    assert [row[0] for row in picture.table] == ["Who", "Team 1"]
    assert [label.partition(" (")[0] for label, _ in picture.charts] == ["Employees", "Trust of ties"]
    assert [(name, pale) for name, _, pale in picture.charts[0][1]] == [("As it was", True), ("Team 1", False)]
    wanted = run_named(room, f"{OWN}:t1:1")
    assert wanted is not None
    result = known(wanted)
    assert result is not None
    assert picture.charts[0][1][1][1] == json.loads(result.series)["employment"]
    assert png_of(picture).startswith(b"\x89PNG")


def test_the_picture_of_a_vote_hides_the_answer_until_the_reveal(lesson: Lesson, room: Room, tmp_path: Path) -> None:
    events: list[Event] = [{"kind": "joined", "number": 1, "key": "k"}, {"kind": "went", "step": VOTE}]
    events.append({"kind": "answered", "number": 1, "step": VOTE, "value": 2})
    hidden = picture_of(replayed(lesson, events), lambda _: None, [])
    assert hidden.bars == [("Firms", 0, False), ("Workers", 1, False)]
    shown = picture_of(replayed(lesson, [*events, {"kind": "revealed", "step": VOTE}]), lambda _: None, [])
    assert shown.bars == [("Firms", 0, False), ("Workers", 1, True)]
    assert png_of(shown).startswith(b"\x89PNG")
