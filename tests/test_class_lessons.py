"""Lesson files: those that come with the package, and what is said of one that cannot be used."""

from pathlib import Path

import pytest
from class_parts import LESSON, OWN, lesson_in, write_lesson

from district_sim.app.classroom.futures import holds
from district_sim.app.classroom.lesson import Lesson, html_of, lesson_names, lesson_notes, load_lesson, scenario_of
from district_sim.app.classroom.room import changes_of, cost_of, costs_of, places_of
from district_sim.app.classroom.steps import Claim, Play, Predict
from district_sim.scenario.files import ScenarioError, scenario_names

SEEDS = 40


def test_three_lessons_come_with_the_package() -> None:
    assert lesson_names() == ["cooperation", "four_futures", "policy_game"]
    assert not [name for name in scenario_names() if "lessons" in name]
    assert [load_lesson(name).minutes for name in lesson_names()] == [30, 45, 90]


@pytest.mark.parametrize("name", lesson_names())
def test_a_lesson_takes_the_time_that_it_says(name: str) -> None:
    lesson = load_lesson(name)
    assert sum(step.minutes for step in lesson.steps) == lesson.minutes
    assert lesson.claims
    assert lesson_notes(name).startswith("## What is it for")


@pytest.mark.parametrize("name", lesson_names())
def test_titles_and_texts_do_not_give_the_answer_away(name: str) -> None:
    for step in load_lesson(name).steps:
        if isinstance(step, Predict):
            shown = f"{step.title} {step.text}".lower()
            title = scenario_of(step.district).title.lower()
            assert step.ask != "future" or not any(word in shown for word in title.split() if len(word) > 6)
            assert step.reveal


@pytest.mark.parametrize(
    ("lesson", "claim"),
    [
        pytest.param(name, claim, id=f"{name}: {claim.says}")
        for name in lesson_names()
        for claim in load_lesson(name).claims
    ],
)
def test_what_a_lesson_says_is_true_of_the_model(lesson: str, claim: Claim) -> None:
    true = sum(holds(claim, seed) for seed in range(SEEDS))
    assert true >= claim.in_ten * SEEDS / 10.0, f"{lesson}: {claim.says}: in {true} of {SEEDS} runs"


@pytest.mark.parametrize("name", lesson_names())
def test_every_slider_can_be_pushed_to_both_ends(name: str) -> None:
    """Each place is a district that can be run, and leaving all as it is costs nothing and changes nothing."""
    for step in load_lesson(name).steps:
        if not isinstance(step, Play):
            continue
        assert cost_of(step, {}) == 0.0
        assert changes_of(step, {}, []) == {}
        for of, places in places_of(step).items():
            assert len(places) >= 10
            for value in (places[0], places[-1]):
                scenario_of(step.district, changes_of(step, {of: value}, []))
        dearest = {of: places[-1] for of, places in places_of(step).items()}
        assert not step.purse or cost_of(step, dearest) > step.purse, "nobody would have to choose"
        assert not step.purse or min(max(costs_of(step, {of: v}).values()) for of, v in dearest.items()) <= step.purse


def test_a_district_beside_the_lesson_is_found(tmp_path: Path) -> None:
    lesson = lesson_in(tmp_path)
    assert all(scenario_of(district).title == "The tiny secret" for _, district in lesson.districts())
    assert Lesson.model_validate_json(lesson.model_dump_json()) == lesson


def test_what_things_cost(tmp_path: Path) -> None:
    step = lesson_in(tmp_path).steps[OWN]
    assert isinstance(step, Play)
    own = scenario_of(step.district).strategy.collective_action
    costs = costs_of(step, {"strategy.collective_action": own + 0.5, "ppp_match": 50.0})
    assert costs == pytest.approx({"strategy.collective_action": 2.0, "ppp_match": 50 * 14 / 1000})
    changes = changes_of(step, {"strategy.collective_action": 0.5, "ppp_match": 50.0}, [])
    scenario = scenario_of(step.district, changes)
    assert scenario.strategy.collective_action == 0.5
    assert [(one.kind, one.budget, one.start) for one in scenario.policies] == [("ppp_match", 50.0, 2)]


def test_markdown_brings_no_foreign_html_or_addresses() -> None:
    html = html_of("**a** <script>b</script> [c](http://example.com) ![d](http://example.com/d.png) <http://x.org>")
    assert "<strong>a</strong>" in html
    assert "<script" not in html
    assert "href" not in html
    assert "src" not in html


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minutes: 20", "minutes: long", "lesson.yaml:2: minutes = 'long': must be a number above 0"),
        ("kind: vote", "kind: quiz", "lesson.yaml:8: steps.1: kind must be one of read, vote, predict, run"),
        ("answer: 2", "answer: 3", "answer = 3: there are 2 choices"),
        ("[Firms, Workers]", "[Firms]", "steps.1.choices"),
        ("seen: 6", "sean: 6", "steps.2.sean: unknown key; did you mean 'seen'?"),
        ("seen: 6", "seen: 16", "seen = 16: the run has 16 quarters"),
        ("ask: employment", "ask: employmnt", "did you mean 'employment'?"),
        ("ask: employment", "ask: chance", "of goes with ask: chance"),
        ("./tiny.yaml}, seen", "./gone.yaml}, seen", "no such file"),
        ("strategy.collective_action", "strategy.collective", "there is no real number of this name"),
        ("high: 1.0", "high: 1.5", "must be a number between 0 and 1"),
        ("low: 0.0", "low: 1.0", "low must be below high"),
        ("low: 0.0", "low: 0.9", "outside of low and high"),
        ("kind: ppp_match", "kind: ppp_mach", "steps.4.policies.0.kind"),
        ("start: 2", "start: 20", "acts in no quarter of 16"),
        ("teams: 2\n", "", "steps.4: teams play, but the lesson has no teams"),
        ("shows: [employment, trust]", "shows: [jobs]", "there is no indicator 'jobs'"),
        ("title: Yours", "title: ''", "steps.4.title"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert LESSON.count(old) >= 1
    with pytest.raises(ScenarioError) as caught:
        load_lesson(write_lesson(tmp_path, LESSON.replace(old, new, 1)))
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "lesson.yaml:"))


def test_a_large_district_is_refused(tmp_path: Path) -> None:
    path = write_lesson(tmp_path)
    (tmp_path / "tiny.yaml").write_text("firms: {count: 5000}\n")
    with pytest.raises(ScenarioError, match="a class waits for at most 1,000"):
        load_lesson(path)


def test_an_unknown_lesson_is_told() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'policy_game'"):
        load_lesson("policy_gam")
