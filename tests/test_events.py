"""What happened in a run: a district changed by hand, real runs against their tables, and files."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.model.state import State, owner_code
from district_sim.run.events import Chronicle, Event, EventKind
from district_sim.run.run import Run, simulate
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.files import load_scenario
from district_sim.scenario.sections import Scenario

SMALL = {"firms.count": 40, "firms.settling": 0, "run.quarters": 40, "strategy_start": 3}


class Story:
    """A district that only does what a test tells it to do, quarter by quarter."""

    def __init__(self, **settings: Any) -> None:
        self.scenario = load_scenario("baseline", SMALL | settings)
        self.state: State = initial_state(parameters_of(self.scenario), 1, 40)
        self.state.firms.owner[:] = -1
        self.state.agency.participation[0] = 0.0
        self.chronicle = Chronicle.begun(self.state)

    def quarters(self, count: int = 1) -> None:
        for _ in range(count):
            self.state.clock.step[0] += 1
            self.chronicle.see(self.state, self.scenario)

    def told(self, *kinds: EventKind) -> list[Event]:
        return [event for event in self.chronicle.events(self.scenario) if event.kind in kinds]


def test_nothing_happens_where_nothing_happens() -> None:
    story = Story()
    assert story.chronicle.events(story.scenario) == []
    story.quarters(3)
    assert story.chronicle.events(story.scenario) == []
    story.quarters()
    assert [(event.quarter, event.kind) for event in story.chronicle.events(story.scenario)] == [
        (3, EventKind.STRATEGY)
    ]


def test_a_technology_ripens() -> None:
    story = Story()
    story.quarters(2)
    story.state.world.newest[0] = 1
    story.quarters(5)
    (event,) = story.told(EventKind.TECHNOLOGY)
    assert (event.quarter, event.number, event.mark) == (2, 1, "technology 1 ripens")
    assert "“on newest technology” now counts" in event.text


def test_sales_of_a_year_are_one_event() -> None:
    story = Story()
    firms = story.state.firms
    firms.employees[:4] = [7.0, 30.0, 1.0, 12.0]
    story.quarters()
    firms.owner[0] = owner_code(1)
    story.quarters(2)
    firms.owner[1] = owner_code(0)
    story.quarters(2)  # quarter 4 is another year
    firms.owner[2] = owner_code(0)
    firms.owner[3] = 5
    story.quarters()
    taken, alone = story.told(EventKind.TAKEOVER)
    assert (taken.quarter, taken.until, taken.count, taken.firms, taken.employees) == (1, 3, 2, (1, 0), 37.0)
    assert taken.text == "2 firms are sold to multinationals within a year, with 37 employees"
    assert (taken.when(), alone.when()) == ("quarters 1 to 3", "quarter 5")
    assert alone.text == "Firm 2 (1 employee) is sold to multinational 1"
    (joined,) = story.told(EventKind.ACQUISITION)
    assert joined.text == "Firm 3 (12 employees) is sold to firm 5, a local leader"
    assert joined.mark == "firm 3 joins a group"


def test_years_are_those_of_the_calendar() -> None:
    story = Story(**{"run.start": "2002Q3"})
    story.quarters()
    story.state.firms.owner[0] = owner_code(0)
    story.quarters()
    story.state.firms.owner[1] = owner_code(0)
    story.quarters()
    first, second = story.told(EventKind.TAKEOVER)
    calendar = story.scenario.run.calendar
    assert [event.when(calendar) for event in (first, second)] == ["2002Q4", "2003Q1"]
    assert replace(first, until=4).when(Calendar.of(2002)) == "2002Q2 to 2003Q1"


def test_cooperation_begins_and_ends_and_a_short_pause_is_not_told_once_it_is_over() -> None:
    story = Story()
    together = story.state.agency.participation
    story.quarters(2)
    together[0] = 0.4
    story.quarters(3)
    together[0] = 0.0
    story.quarters()
    kinds = (EventKind.COOPERATION_BEGINS, EventKind.COOPERATION_ENDS)
    assert [(event.quarter, event.kind) for event in story.told(*kinds)] == [(2, kinds[0]), (5, kinds[1])]
    together[0] = 0.5
    story.quarters(2)
    assert [event.quarter for event in story.told(*kinds)] == [2]
    together[0] = 0.0
    story.quarters(4)
    together[0] = 0.5
    story.quarters()
    assert [event.quarter for event in story.told(*kinds)] == [2, 8, 12]


def test_a_phase_is_lost_and_comes_back() -> None:
    story = Story()
    firms = story.state.firms
    of_phase = np.flatnonzero(firms.alive & (firms.phase == 2))
    story.quarters()
    firms.alive[of_phase] = False
    story.quarters(4)
    (lost,) = story.told(EventKind.PHASE_LOST, EventKind.PHASE_BACK)
    assert (lost.quarter, lost.number) == (1, 2)
    assert lost.text == "The district loses phase 3: no firm of it is left"
    firms.alive[of_phase[0]] = True
    story.quarters()
    assert story.told(EventKind.PHASE_BACK)[0].text == "Firms of phase 3 are back"
    firms.alive[firms.phase == firms.made.shape[1] - 1] = False
    story.quarters()
    assert story.told(EventKind.PHASE_LOST)[-1].text == "The district loses the final phase: no firm of it is left"


def test_policies_and_shocks_have_their_windows() -> None:
    training = {"name": "courses", "kind": "training_vouchers", "start": 2, "end": 5, "budget": 1.0}
    waits = {"name": "later", "kind": "training_vouchers", "start": 0, "budget": 1.0}
    waits["when"] = [{"indicator": "unemployment", "above": 0.9, "then": "start"}]
    slump = {"name": "slump", "kind": "demand_slump", "start": 3, "size": 0.2, "duration": 8, "recovery": 4}
    ahead = {"name": "quake", "kind": "anchor_loss", "start": 30, "size": 0.5}
    story = Story(policies=[training, waits], shocks=[slump, ahead])
    story.quarters(6)
    begins, ends = story.told(EventKind.POLICY_BEGINS, EventKind.POLICY_ENDS)
    assert (begins.quarter, begins.text, begins.mark) == (2, "Policy begins: courses", "courses")
    assert (ends.quarter, ends.text, ends.mark) == (5, "Policy ends: courses", "end of courses")
    (shock,) = story.told(EventKind.SHOCK)
    assert (shock.quarter, shock.text) == (3, "Shock: slump, for 8 quarters, fading in 4")
    story.state.instruments.switched[1] = 1
    story.quarters()
    assert story.told(EventKind.POLICY_BEGINS)[-1].name == "later"


@pytest.mark.parametrize(
    ("off", "begun"), [("policy", []), ("collective_pipelines", ["courses"]), ("trust", ["courses", "fairs"])]
)
def test_what_is_switched_off_does_not_begin(off: str, begun: list[str]) -> None:
    courses = {"name": "courses", "kind": "training_vouchers", "start": 2, "budget": 1.0}
    fairs = {"name": "fairs", "kind": "export_platform", "start": 3, "budget": 1.0}
    scenario = load_scenario("baseline", SMALL | {"policies": [courses, fairs], f"mechanisms.{off}": False})
    for watch in (True, False):
        events = simulate(scenario, 1, watch=watch).events
        assert [event.name for event in events if event.kind is EventKind.POLICY_BEGINS] == begun


def test_deeds_are_told_where_they_stand() -> None:
    story = Story()
    story.chronicle.deeds += [(1, "Research = 2.5"), (30, "still to come")]
    story.quarters(4)
    assert [(event.quarter, event.text) for event in story.told(EventKind.DEED)] == [(1, "Research = 2.5")]


# Real runs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    policies = [{"name": "aid", "kind": "rd_subsidy", "start": 20, "end": 60, "budget": 10.0}]
    later = {"indicator": "globalisation", "above": 0.1, "then": "start"}
    policies.append({"name": "ready", "kind": "training_vouchers", "start": 0, "budget": 10.0, "when": [later]})
    settings = {"firms.count": 120, "run.quarters": 100, "strategy_start": 20, "world.onset": 20, "world.ramp": 8}
    return load_scenario("fragmentation", settings | {"policies": policies, "technology.first_ripening": 30})


@pytest.fixture(scope="module")
def watched(scenario: Scenario) -> Run:
    return simulate(scenario, 3, watch=True)


def test_to_watch_changes_nothing(scenario: Scenario, watched: Run) -> None:
    assert np.array_equal(simulate(scenario, 3).table, watched.table, equal_nan=True)


def test_every_sale_is_told_once(watched: Run) -> None:
    counts: Counter[EventKind] = Counter()
    for event in watched.events:
        counts[event.kind] += event.count
    assert counts[EventKind.TAKEOVER] == watched.indicators["takeovers"].sum() > 5
    assert counts[EventKind.ACQUISITION] == watched.indicators["acquisitions"].sum()
    (fall,) = (event for event in watched.events if event.kind is EventKind.TECHNOLOGY and event.number == 1)
    assert fall.quarter == 30
    newest = watched.indicators["newest_share"]
    assert newest[30] == 1.0
    assert newest[31] < 0.3


def test_the_table_alone_tells_the_same_but_who_was_sold(scenario: Scenario, watched: Run) -> None:
    plain = simulate(scenario, 3)
    seen = [event for event in watched.events if event.kind not in (EventKind.PHASE_LOST, EventKind.PHASE_BACK)]
    assert [(e.quarter, e.kind, e.count, e.until, e.name) for e in plain.events] == [
        (e.quarter, e.kind, e.count, e.until, e.name) for e in seen
    ]
    sold = [event for event in plain.events if event.kind is EventKind.TAKEOVER]
    assert all(event.firms == () and math.isnan(event.employees) for event in sold)
    assert {event.name for event in plain.events} >= {"aid", "ready"}


def test_events_are_kept_in_the_file(watched: Run, tmp_path: Path) -> None:
    watched.save(tmp_path)
    assert Run.load(tmp_path).events == watched.events
