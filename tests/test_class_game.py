"""The public-good game: what people decide acts in the model, nothing else does, and roles pass on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from class_parts import GAME, LESSON, lesson_in, write_lesson

from district_sim.app.classroom.futures import computed
from district_sim.app.classroom.game import FEE, Outcome, Plan, Turn, played
from district_sim.app.classroom.game_views import game_name, game_wanted
from district_sim.app.classroom.lesson import Lesson, load_lesson
from district_sim.app.classroom.room import Event, Refused, Room, replayed
from district_sim.app.classroom.views import results_csv, run_data, run_named, student_view, teacher_view, wanted_in
from district_sim.run.run import simulate
from district_sim.scenario.files import ScenarioError, load_scenario

SMALL: dict[str, Any] = {"firms.count": 40, "strategy_start": 4, "strategy.collective_action": 0.6}
BEGIN, QUARTERS = 8, 4


def game(*choices: Mapping[int, bool], people: int = 6, values: Mapping[str, float] | None = None) -> Outcome:
    turns = tuple(Turn(people, dict(one), dict(values or {})) for one in choices)
    return played(load_scenario("classroom", SMALL), 3, Plan(BEGIN, QUARTERS, turns))


def test_without_players_a_game_is_the_plain_run() -> None:
    run = simulate(load_scenario("classroom", SMALL), 3, BEGIN + 3 * QUARTERS)
    for outcome in (game({}, {}, {}), game({}, {}, {}, people=0)):
        for name, values in outcome.columns.items():
            np.testing.assert_array_equal(values, np.asarray(run.columns[name]))


def test_a_firm_does_what_its_player_says() -> None:
    choices = {1: True, 2: False, 3: True, 4: False}
    first = game(choices, choices).rounds[0]
    assert first["worked"] == QUARTERS
    for player, joins in choices.items():
        told = first["players"][player]
        assert (told["paid"] > 0.0) == joins
        if joins:
            assert told["paid"] == pytest.approx(0.015 * told["value_added"], rel=0.5)
    assert first["players"][5]["joined"] is None
    assert (first["decided"], first["joined"]) == (4, 2)


def test_what_a_decision_brought_is_the_difference_to_the_contrary_one() -> None:
    choices = {1: True, 2: False, 3: True}
    mine = game(choices).rounds[0]["players"]
    for player in choices:
        other = game({**choices, player: not choices[player]}).rounds[0]["players"]
        assert mine[player]["gain"] == pytest.approx(mine[player]["profit"] - other[player]["profit"])


def test_what_joining_costs_is_summed_before_it_is_divided() -> None:
    one = game(dict.fromkeys(range(1, 7), True)).rounds[0]
    asked = [player for player in one["players"].values() if player["joined"] is not None]
    assert len(asked) > 3
    lost, value = -sum(player["gain"] for player in asked), sum(player["value_added"] for player in asked)
    assert one["cost"] == pytest.approx(lost / value)
    shares = [-player["gain"] / player["value_added"] for player in asked]
    assert one["cost"] != pytest.approx(np.mean(shares)), "the firms differ, so the test can fail"


def test_the_agency_sets_what_members_pay_and_what_is_done() -> None:
    choices = dict.fromkeys(range(1, 7), True)
    low, high = (game(choices, values={FEE: fee}).rounds[0] for fee in (0.01, 0.03))
    assert high["players"][1]["paid"] > 2.0 * low["players"][1]["paid"]
    nothing = {f"strategy.project_{name}": 0.0 for name in ("technology", "training", "pipelines", "phases", "values")}
    brand = game(choices, values={**nothing, "strategy.project_brand": 1.0, "strategy.project_defence": 0.0}).rounds[0]
    assert brand["effects"]["brand"] > 0.0
    assert brand["effects"]["training"] == 0.0


def test_who_loses_a_firm_gets_another_and_nobody_shares_one() -> None:
    outcome = game(*[{}] * 12, people=12)
    for one in outcome.rounds:
        firms = [told["firm"] for told in one["players"].values()]
        assert len(set(firms)) == len(firms) == 12
    lost = {player: told["left"] for player, told in outcome.firms.items() if told["left"]}
    moved = {
        p
        for a, b in zip(outcome.rounds, outcome.rounds[1:], strict=False)
        for p in a["players"]
        if a["players"][p]["firm"] != b["players"][p]["firm"]
    }
    assert moved | lost.keys()
    assert set(lost.values()) <= {"closed", "sold"}


def test_a_plan_is_known_by_its_text() -> None:
    plan = Plan(4, 2, (Turn(3, {1: True, 2: False}, {FEE: 0.02}), Turn(4, {}, {})))
    assert Plan.of_text(plan.as_text()) == plan


# In a room ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    return lesson_in(tmp_path_factory.mktemp("lesson"))


class Table:
    """A room in which four students play, and the events so far."""

    def __init__(self, lesson: Lesson) -> None:
        self.events: list[Event] = [{"kind": "joined", "number": n, "key": f"k{n}"} for n in range(1, 5)]
        self.room = replayed(lesson, self.events)
        self.lead(do="go", step=GAME)

    def lead(self, **message: Any) -> None:
        self._happen(self.room.led(message))

    def say(self, number: int, here: set[int] | None = None, **message: Any) -> None:
        self._happen(self.room.said(number, {"step": GAME, **message}, here))

    def no(self, number: int, here: set[int] | None = None, **message: Any) -> str:
        with pytest.raises(Refused) as caught:
            self.say(number, here, **message)
        return caught.value.word

    def _happen(self, event: Event) -> None:
        self.events.append(event)
        self.room.apply(event)


@pytest.fixture
def table(lesson: Lesson) -> Table:
    return Table(lesson)


def test_roles_are_taken_left_and_given(table: Table) -> None:
    everybody = {1, 2, 3, 4}
    table.say(2, everybody, do="take")
    assert table.room.board(GAME).agency == 2
    assert table.no(3, everybody, do="take") == "agency_held"
    assert table.no(2, do="join", join=True) == "other_role"
    assert table.no(3, do="steer", effort=1) == "other_role"
    table.say(2, do="steer", effort=1)
    table.say(2, do="steer", of=FEE, value=0.0251)
    assert table.room.board(GAME).settings == {FEE: 0.025}
    view = student_view(table.room, table.room.visitors[3], lambda _: None, {1, 3, 4})
    assert view["game"]["free"]  # the phone of 2 has left
    table.say(3, {1, 3, 4}, do="take")
    assert table.room.board(GAME).agency == 3
    assert table.room.board(GAME).effort == 1  # what was set stays
    table.lead(do="agency", number=0)
    assert table.room.board(GAME).agency == 0
    table.lead(do="agency", number=1)
    assert student_view(table.room, table.room.visitors[1], lambda _: None)["game"]["role"] == "agency"


def test_who_does_not_answer_keeps_the_last_choice(table: Table) -> None:
    table.say(1, do="join", join=True)
    table.say(2, do="join", join=False)
    table.lead(do="agency", number=4)
    table.lead(do="round", used=0)
    with pytest.raises(Refused, match="ran"):
        table.lead(do="round", used=0)  # pressed twice
    table.say(2, do="join", join=True)
    table.lead(do="round", used=1)
    with pytest.raises(Refused, match="game_over"):
        table.lead(do="round", used=2)
    assert table.no(1, do="join", join=False) == "game_over"
    turns = table.room.board(GAME).turns
    assert [one["choices"] for one in turns] == [[[1, True], [2, False]], [[1, True], [2, True]]]
    again = replayed(table.room.lesson, json.loads(json.dumps(table.events)))
    assert again == table.room
    table.lead(do="anew", used=2)
    assert not table.room.board(GAME).turns
    assert table.room.board(GAME).agency == 4
    assert table.no(1, do="join", join="yes") == "not_understood"


def test_what_phones_and_the_teacher_see(table: Table) -> None:
    table.say(1, do="join", join=True)
    table.say(2, do="join", join=False)
    table.lead(do="round", used=0)
    (wanted,) = wanted_in(table.room, GAME)
    result = computed(wanted)
    known = {game_wanted(table.room, GAME): result}.get
    view = teacher_view(table.room, [1], known)
    assert view["runs"] == [game_name(table.room, GAME)]
    assert run_named(table.room, view["runs"][0]) == wanted
    assert run_data(table.room, view["runs"][0], result)["quarters"] == 8
    (told,) = view["game"]["told"]
    assert (told["joined"], told["decided"]) == (1, 2)
    assert [one["joins"] for one in view["game"]["players"]] == [[True], [False], [None], [None]]
    mine = student_view(table.room, table.room.visitors[1], known)["game"]
    assert mine["own"][0]["joined"] is True
    assert mine["join"] is True
    assert "players" not in str(mine)
    json.dumps([view, mine], allow_nan=False)
    table.lead(do="round", used=1)  # while it is computed, the first round stays to be seen
    view = teacher_view(table.room, [1], known)
    assert view["game"]["computing"]
    assert len(view["game"]["told"]) == 1
    lines = [line for line in results_csv(table.room, known).splitlines() if ",game," in line]
    assert [line.split(",")[3] for line in lines] == ["player 1", "player 2", "player 3", "player 4"]
    assert "joined 1," in lines[0]


def test_a_room_of_older_events_has_no_game(lesson: Lesson) -> None:
    assert not Room(lesson).boards


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("brand: 0.6", "brand: 0.5", "projects must sum to 1, they sum to 0.9"),
        ("brand: 0.6", "brant: 0.6", "there is no project 'brant'; did you mean 'brand'?"),
        ("begin: 4", "begin: 1", "begin = 1: the strategy, and with it the agency's, begins in quarter 2"),
        ("count: 2", "count: 20", "steps.5.rounds.count"),
        ("count: 2, quarters: 4", "count: 2, quartres: 4", "did you mean 'quarters'?"),
        ("high: 0.045}", "high: 0.045, price: 2}", "in a game levers have no price"),
        ("agency.contribution, name: Fee, low: 0.005, high: 0.045", "ties.maximum, low: 1, high: 20", "no real number"),
        ("strategy.collective_action: 0.6}", "mechanisms.collective_agency: false}", "there is no agency to join"),
    ],
)
def test_a_mistake_in_a_game_is_told_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert LESSON.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        load_lesson(write_lesson(tmp_path, LESSON.replace(old, new, 1)))
    assert said in str(caught.value)
