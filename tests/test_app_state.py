"""What stands behind the page, without a browser: levers, measures, courses, links, files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from district_sim.app import interventions
from district_sim.app.controls import _worded
from district_sim.app.course import Course, Difference, Source, replay, scenario_of
from district_sim.app.downloads import everything, indicators_csv
from district_sim.app.levers import lever, levers, levers_of
from district_sim.app.links import as_json, as_query, from_json, from_query
from district_sim.app.simulation import Simulation
from district_sim.mesa_model.district import District
from district_sim.run.run import simulate
from district_sim.scenario.files import ScenarioError, load_scenario, scenario_names, scenario_notes
from district_sim.scenario.instruments import InstrumentKind, ShockKind
from district_sim.scenario.texts import MOST_BYTES

SMALL = {"firms.count": 30, "firms.settling": 4, "run.quarters": 24, "strategy_start": 4, "world.onset": 4}


def small(**more: object) -> Course:
    return Course(Source("baseline"), SMALL | more, seed=5)


def numbers(simulation: Simulation) -> np.ndarray:
    return simulation.first.district.indicators.to_numpy()


# Levers and measures --------------------------------------------------------------------------------


def test_levers_lie_within_the_schema_and_reach_every_scenario() -> None:
    assert len(levers()) == 13
    for one in levers():
        assert one.least <= one.low < one.high <= one.most
        assert 50 <= (one.high - one.low) / one.step <= 200
        assert one.path in one.hint
        assert one.description in one.hint
    for name in (name for name in scenario_names() if "/" not in name):
        data = scenario_of(Source(name), {}).model_dump()
        for one in levers():
            section, field = one.path.split(".")
            assert one.low <= data[section][field] <= one.high, (name, one.path)


def test_levers_that_would_do_nothing_are_left_out() -> None:
    decided, imposed = ({one.path for one in levers_of(load_scenario(at))} for at in ("baseline", "imposed/baseline"))
    assert decided - imposed == {"ownership.takeover_price"}
    assert imposed - decided == {"strategy.sale"}
    assert decided | imposed == {one.path for one in levers()}
    still, moved = (simulate(small(**sale).scenario(), seed=1).indicators for sale in ({}, {"strategy.sale": 1.0}))
    assert moved.equals(still), "where firms decide, owners answer bids"


@pytest.mark.parametrize(
    ("moved", "future"),
    [
        ({"ownership.takeover_price": 60.0}, "fragmentation"),
        ({"world.sourcing_fall": 0.45, "strategy.pipelines": 3.0}, "post_marshallian_node"),
        ({"strategy.research": 3.0, "strategy.exploration": 0.5, "strategy.training": 0.03}, "learning_region"),
        ({"strategy.collective_action": 0.8, "strategy.identity": 0.8}, "collective_entrepreneurship"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_future_can_be_reached_by_levers_alone(moved: dict[str, float], future: str) -> None:
    assert moved.keys() <= {one.path for one in levers()}
    assert simulate(scenario_of(Source("baseline"), moved), seed=0).trajectory == future


@pytest.mark.parametrize("text", ["", "much", "nan", "inf", "-0.1", "1.01", "0.5 0.6"])
def test_a_lever_says_what_is_wrong(text: str) -> None:
    assert "between 0 and 1" in lever("strategy.sale").problem(text)


def test_a_lever_takes_a_comma() -> None:
    assert lever("strategy.sale").problem("0,5") == lever("strategy.sale").problem(" 0.5 ") == ""


def test_every_instrument_can_be_switched() -> None:
    assert [one["kind"] for one in interventions.offered([])] == [kind.value for kind in InstrumentKind]
    for one in interventions.offered([]):
        on = interventions.switched([], one["name"], True, 7, 40)
        assert [(new["start"], interventions.is_on(new, 7)) for new in on] == [(7, True)]
        assert "sales" in interventions.hint_of(one)
        off = interventions.switched(on, one["name"], False, 9, 40)
        assert [(new["start"], new["end"], interventions.is_on(new, 9)) for new in off] == [(7, 9, False)]


def test_a_scenarios_own_instruments_keep_budget_and_place() -> None:
    own = interventions.instruments_of(scenario_of(Source("learning_region"), {}))
    off = interventions.switched(own, own[0]["name"], False, 0, 40)
    assert not interventions.is_on(off[0], 0)
    assert off[0]["budget_share"] == own[0]["budget_share"] > 0
    assert off[1] == own[1]
    assert interventions.is_on(interventions.switched(off, own[0]["name"], True, 60, 40)[0], 60)


# A run that is steered ------------------------------------------------------------------------------


def test_left_alone_it_is_the_run_of_the_command_line() -> None:
    simulation = Simulation(small())
    simulation.step(100)
    assert simulation.done
    expected = simulate(simulation.scenario, 5).indicators.to_numpy()
    assert np.array_equal(numbers(simulation), expected, equal_nan=True)


def test_a_policy_during_the_run_acts_from_the_next_quarter() -> None:
    simulation = Simulation(small())
    simulation.step(6)
    simulation.switch("R&D subsidy", True)
    simulation.step(6)
    simulation.switch("R&D subsidy", False)
    simulation.step(2)
    spent = simulation.first.district.indicators["policy_spending"].to_numpy()
    assert (spent[:6] == 0).all()
    assert (spent[6:12] > 0).all()
    assert (spent[12:] == 0).all()


def test_a_lever_moved_during_the_run_leaves_the_past_alone() -> None:
    moved, still = Simulation(small()), Simulation(small())
    for one in (moved, still):
        one.step(10)
    moved.set("strategy.research", 2.9, "Research = 2.9")
    moved.set("strategy.research", 3.0, "Research = 3")
    assert moved.value("strategy.research") == 3.0
    assert [event.label for event in moved.events] == ["Research = 3"]
    for one in (moved, still):
        one.step(6)
    assert np.array_equal(numbers(moved)[:10], numbers(still)[:10], equal_nan=True)
    assert not np.array_equal(numbers(moved)[10:], numbers(still)[10:], equal_nan=True)
    moved.reset()
    assert moved.value("strategy.research") == still.value("strategy.research")


def test_before_the_run_a_lever_is_a_setting() -> None:
    simulation = Simulation(small())
    simulation.set("strategy.sale", 0.9, "Selling = 0.9")
    simulation.step(3)
    simulation.reset()
    assert simulation.value("strategy.sale") == 0.9
    assert simulation.events == []


@pytest.mark.parametrize("kind", ShockKind)
def test_every_shock_changes_what_follows(kind: ShockKind) -> None:
    willing = small(**{"strategy.sale": 1.0, "world.ramp": 2, "ownership.takeover": 1.0})  # or none of thirty is sold
    hit, spared = Simulation(willing), Simulation(willing)
    for one in (hit, spared):
        one.step(14)
    hit.strike(kind)
    for one in (hit, spared):
        one.step(1)
    assert np.array_equal(numbers(hit)[:14], numbers(spared)[:14], equal_nan=True)
    assert not np.array_equal(numbers(hit)[14:], numbers(spared)[14:], equal_nan=True)
    assert [(one.kind, one.start) for one in hit.scenario.shocks] == [(kind, 14)]


def test_every_shock_of_the_model_has_a_button_that_says_what_it_does() -> None:
    for kind in ShockKind:
        assert kind in interventions.shock_hint(kind)
        assert interventions.struck([], kind, 3)[0]["size"] == kind.record.typical_size
    assert "for 8 quarters, fading in 4" in interventions.shock_hint(ShockKind.DEMAND_SLUMP)


def test_shocks_add_up_but_none_strikes_twice_in_a_quarter() -> None:
    simulation = Simulation(small(shocks=[{"name": "crisis", "kind": "demand_slump", "start": 20, "size": 0.1}]))
    simulation.strike(ShockKind.DEMAND_SLUMP)
    simulation.strike(ShockKind.COMPETITOR_ENTRY)
    with pytest.raises(ValueError, match="already"):
        simulation.strike(ShockKind.DEMAND_SLUMP)
    simulation.step(2)
    simulation.strike(ShockKind.DEMAND_SLUMP)
    simulation.step(1)
    assert [(one.name, one.start) for one in simulation.scenario.shocks] == [
        ("crisis", 20),
        ("Demand slump", 0),
        ("New competitors", 0),
        ("Demand slump", 2),
    ]
    simulation.reset()
    assert [one.name for one in simulation.scenario.shocks] == ["crisis"]


def test_no_multinational_leaves_where_there_is_none() -> None:
    simulation = Simulation(small())
    with pytest.raises(ValueError, match="no multinational"):
        simulation.strike(ShockKind.MNE_EXIT)
    assert simulation.events == []


def test_what_cannot_change_within_a_run_is_refused() -> None:
    district = District(small().scenario(), seed=1)
    district.step()
    for path, value in (("firms.count", 20), ("technology.phases", 4), ("run.quarters", 9), ("strategy.sale", 2)):
        with pytest.raises(ScenarioError):
            district.intervene(**{path: value})
    assert district.scenario == small().scenario()


# Two districts --------------------------------------------------------------------------------------


def test_two_districts_share_their_luck_and_differ_in_one_thing() -> None:
    simulation = Simulation(small())
    simulation.step(8)
    simulation.differ(Difference("strategy.sale", 0.9, "Selling the firm 0.9"))
    assert simulation.second is not None
    one, two = simulation.first.district, simulation.second.district
    assert one.quarter == two.quarter == 8
    assert one.seed == two.seed
    before = two.indicators.to_numpy()[:4]  # the strategy begins in quarter 4
    assert np.array_equal(numbers(simulation)[:4], before, equal_nan=True)
    simulation.set("strategy.sale", 0.3, "Selling = 0.3")
    simulation.switch("Training vouchers", True)
    simulation.step(2)
    assert (one.scenario.strategy.sale, two.scenario.strategy.sale) == (0.3, 0.9)
    assert two.scenario.policies == one.scenario.policies != ()


def test_a_policy_can_be_what_differs() -> None:
    simulation = Simulation(small())
    extra = interventions.switched([], "IT subsidy", True, 0, 4)[0]
    simulation.differ(Difference("policies", extra, "with IT subsidy"))
    simulation.step(5)
    simulation.switch("Training vouchers", True)
    simulation.step(5)
    assert simulation.second is not None
    names = [
        [item.name for item in d.scenario.policies] for d in (simulation.first.district, simulation.second.district)
    ]
    assert names == [["Training vouchers"], ["Training vouchers", "IT subsidy"]]


@pytest.mark.parametrize("path", ["policies", "shocks", "strategy.research", "mechanisms.policy", ""])
def test_districts_part_where_they_branch(path: str) -> None:
    simulation = Simulation(small())
    simulation.switch("Training vouchers", True)
    simulation.step(9)
    simulation.switch("Public match", True)
    values = {
        "policies": interventions.switched([], "IT subsidy", True, 9, 4)[0],
        "shocks": interventions.struck([], ShockKind.DEMAND_SLUMP, 9)[0],
        "strategy.research": 3.0,
        "mechanisms.policy": False,
    }
    simulation.differ(Difference(path, values.get(path), "x", 9))
    simulation.switch("R&D subsidy", True)  # in both, in the quarter of the branch
    again = Simulation(from_json(as_json(simulation.course)))
    for one in (simulation, again):
        one.step(3)
        one.set("strategy.training", 0.04, "Training = 0.04")
        one.step(3)
        assert one.second is not None
        first, second = one.first.indicators.to_numpy(), one.second.indicators.to_numpy()
        assert np.array_equal(first[:9], second[:9], equal_nan=True)
        assert np.array_equal(first[9:], second[9:], equal_nan=True) == (not path)
        ours, theirs = (track.district.scenario_in_force for track in (one.first, one.second))
        names = ["Training vouchers", "Public match", "R&D subsidy"]
        assert [item.name for item in ours.policies] == names
        assert [item.name for item in theirs.policies] == names + ["IT subsidy"] * (path == "policies")
        assert len(theirs.shocks) - len(ours.shocks) == (path == "shocks")
        assert theirs.strategy.training == ours.strategy.training == 0.04
    assert again.second is not None
    assert simulation.second is not None
    assert again.second.indicators.equals(simulation.second.indicators)


def test_money_is_counted_by_policy() -> None:
    simulation = Simulation(small())
    simulation.switch("Training vouchers", True)
    simulation.step(8)
    simulation.switch("R&D subsidy", True)
    simulation.step(6)
    spent = simulation.first.spent
    assert list(spent) == ["Training vouchers", "R&D subsidy"]
    assert sum(spent.values()) == pytest.approx(simulation.first.indicators["policy_spending"].sum())


def test_the_last_run_is_remembered() -> None:
    simulation = Simulation(small())
    assert simulation.previous is None
    simulation.step(5)
    last = simulation.first.indicators
    simulation.reset()
    simulation.set("strategy.sale", 0.9, "Selling = 0.9")
    assert simulation.previous is not None
    assert simulation.previous.equals(last)
    simulation.step(3)
    simulation.choose(Source("learning_region"))
    assert len(simulation.previous) == 3


# Links and files ------------------------------------------------------------------------------------


def steered() -> Simulation:
    simulation = Simulation(small(**{"strategy.identity": 0.7}))
    simulation.differ(Difference("mechanisms.policy", False, "without public policies"))
    simulation.step(5)
    simulation.switch("Public match", True)
    simulation.step(3)
    simulation.strike(ShockKind.DEMAND_SLUMP)
    simulation.set("strategy.research", 2.5, "Research = 2.5")
    simulation.step(4)
    return simulation


def test_a_link_restores_the_same_bits_and_the_same_future() -> None:
    simulation = steered()
    course = from_query("?" + as_query(simulation.course))
    assert course == simulation.course == from_json(as_json(simulation.course))
    again = Simulation(course)
    simulation.step(8)
    again.step(8)
    assert np.array_equal(numbers(again), numbers(simulation), equal_nan=True)
    assert simulation.second is not None
    assert again.second is not None
    assert again.second.district.indicators.equals(simulation.second.district.indicators)
    assert replay(again.course).state.firms.tobytes() == simulation.first.district.state.firms.tobytes()


def test_a_link_can_be_written_by_hand() -> None:
    assert from_query("scenario=learning_region&seed=7&quarter=12") == Course(Source("learning_region"), {}, 7, 12)
    assert from_query("") is None
    assert from_query("?utm_source=mail") is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("scenario=learning_regoin", "no bundled scenario"),
        ("scenario=../../etc/passwd", "no bundled scenario"),
        ("seed=-1", "whole number"),
        ("seed=99999999999999999999", "seed"),
        ("quarter=5000", "ends in quarter 160"),
        ("state=abc", "damaged"),
        ("state=" + "A" * (MOST_BYTES + 1), "too long"),
    ],
)
def test_a_bad_link_is_told(query: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        from_query(query)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "5"),
        ("quarter", 25),
        ("settings", {"strategy.sale": 3}),
        ("settings", {"strategy.nothing": 3}),
        ("settings", []),
        ("interventions", [[3, {"strategy.sale": 7}, "x"]]),
        ("interventions", [[3, {"policies": [{"name": "x"}]}, "x"]]),
        ("interventions", [[3]]),
        ("contrast", ["nonsense", 1, "x"]),
        ("contrast", ["strategy.sale", 0.9, "x", -1]),
        ("contrast", ["shocks", 3, "x", 4]),
        ("text", 3),
        ("scenario", None),
    ],
)
def test_a_bad_state_is_told(key: str, value: object) -> None:
    data = json.loads(as_json(small())) | {key: value}
    with pytest.raises(ScenarioError):
        from_json(json.dumps(data))


def test_a_small_link_cannot_unfold_into_something_huge() -> None:
    bomb = as_query(Course(Source("x", "a" * 10_000_000)))
    assert len(bomb) < MOST_BYTES
    with pytest.raises(ScenarioError, match="too large"):
        from_query(bomb)


def test_a_given_file_is_read_as_a_file() -> None:
    good = Source("mine.yaml", "extends: learning_region\nfirms: {count: 40}\nrun: {quarters: 8}\n")
    assert scenario_of(good, {"strategy.sale": 0.5}).strategy.sale == 0.5
    with pytest.raises(ScenarioError, match=r"^mine\.yaml:2: strategy\.sale = 3: must be a number between 0 and 1$"):
        scenario_of(Source("mine.yaml", "strategy:\n  sale: 3\n"), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a: [", "not valid YAML"),
        ("extends: /etc/passwd", "bundled scenarios only"),
        ("extends: ../secret", "bundled scenarios only"),
        ("extends: [baseline, 3]", "no scenario or file '3'"),
        ("title: &a x\n" + "".join(f"a{n}: *a\n" for n in range(101)), "more than 100 aliases"),
        ("firms: {count: 100000}", "at most 5,000"),
        ("run: {quarters: 2000}", "at most 1,000"),
        ("run: {quarters: 1}", "at least 2"),
        ("# " + "x" * MOST_BYTES, "larger than 256 KiB"),
    ],
)
def test_a_bad_file_is_told(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        scenario_of(Source("mine.yaml", text), {})
    assert "/tmp" not in str(caught.value)


def test_a_scenario_that_fails_leaves_the_run_as_it_was() -> None:
    simulation = Simulation(small())
    simulation.step(3)
    with pytest.raises(ScenarioError):
        simulation.choose(Source("mine.yaml", "a: 1"))
    with pytest.raises(ScenarioError):
        simulation.set("strategy.sale", 3.0, "Selling = 3")
    assert simulation.quarter == 3
    assert simulation.course == replace(small(), quarter=3)


def test_data_can_be_taken_away() -> None:
    import io
    import zipfile

    simulation = steered()
    assert len(indicators_csv(simulation.first).splitlines()) == 13
    with zipfile.ZipFile(io.BytesIO(everything(simulation))) as archive:
        names = archive.namelist()
        assert {"first/indicators.csv", "second/dashboard.svg", "first/map.png", "state.json"} <= set(names)
        assert from_json(archive.read("state.json").decode()) == simulation.course


def test_interventions_lie_in_the_order_of_quarters() -> None:
    quarters = [one.quarter for one in steered().course.interventions]
    assert quarters == sorted(quarters)


def test_notes_speak_of_what_the_page_has() -> None:
    assert _worded("Try `--set strategy.identity=0.2 --set\nworld.globalisation=0`, then `--policy ppp_match`.") == (
        "Try *Identity* at 0.2 and *Globalisation* at 0, then *Public match*."
    )
    assert _worded("`--set mechanisms.policy=false`; `district-sim map baseline --vary a=0:1:3`") == (
        "`mechanisms.policy` off; `district-sim map baseline --vary a=0:1:3`"
    )
    for name in scenario_names():
        assert "--set" not in _worded(scenario_notes(name)), name
