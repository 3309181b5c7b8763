"""The Mesa model: the same numbers as `simulate`, agents as views, collection, batch runs."""

import copy
import hashlib
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import cloudpickle
import mesa
import numba
import numpy as np
import pandas as pd
import pytest
from mesa.experimental.scenarios import Scenario as MesaScenario

from district_sim import District, Scenario, ScenarioError, load_scenario, simulate
from district_sim.mesa_model.agents import Agency, Firm, Multinational
from district_sim.mesa_model.district import as_seed
from district_sim.model.state import HOLDING, RESEARCHING, SELF_OWNED, TRAITS, grown
from district_sim.scenario.indicators import NAMES

QUARTERS = 12
SMALL = {
    "firms.count": 40,
    "firms.settling": 4,
    "run.quarters": QUARTERS,
    "demography.entry": 0.05,
    "demography.exit": 0.05,
    "world.onset": 0,
    "world.ramp": 4,
    "strategy_start": 0,
    "strategy.sale": 1.0,
    "ownership.takeover_price": 80.0,
    "ownership.takeover": 0.05,
}
"""A small district with many births, closures and takeovers."""

PRINT_HASH = """
import hashlib, numba
from district_sim import simulate, load_scenario
run = simulate(load_scenario("baseline", ["firms.count=200", "firms.settling=4"]), seed=7, quarters=10)
print(numba.get_num_threads(), hashlib.sha256(run.indicators.to_numpy().tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("baseline", SMALL)


@pytest.fixture
def model(scenario: Scenario) -> District:
    return District(scenario, seed=3)


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def look_at_everything(model: District) -> None:
    """Use the agents as a curious reader would."""
    for firm in model.agents_by_type[Firm]:
        assert firm.trust_in(firm) == 0.0
        _ = firm.partners, firm.pipelines, firm.controller, firm.main_client, firm.parent, firm.tacit, firm.pos
    _ = [company.sales for company in model.multinationals], model.agency.participants
    model.agents.select(lambda agent: agent.unique_id % 2 == 0).shuffle()


# The same numbers --------------------------------------------------------------------------------


def test_stepping_gives_what_simulate_gives(scenario: Scenario, model: District) -> None:
    run = simulate(scenario, seed=3)
    while model.running:
        model.step()
    same(model.indicators, run.indicators)
    assert model.scores == run.scores
    assert model.trajectory == run.trajectory
    assert model.quarter == model.steps == QUARTERS


def test_any_way_of_stepping_gives_the_same(scenario: Scenario, model: District) -> None:
    model.step()
    model.run_for(4)
    model.run_until(7)
    model.run_model()
    at_once = District(scenario, seed=3)
    at_once.run_for(QUARTERS)
    same(model.indicators, at_once.indicators)


def test_looking_changes_nothing(scenario: Scenario, model: District) -> None:
    seen = District(scenario, seed=3)
    for _ in range(QUARTERS):
        look_at_everything(seen)
        seen.step()
        model.step()
    same(seen.indicators, model.indicators)
    for name in model.state.firms.dtype.names:
        np.testing.assert_array_equal(seen.state.firms[name], model.state.firms[name])
    assert model.state.tally.tolist() == seen.state.tally.tolist()


def test_model_draws_nothing_from_mesa(model: District) -> None:
    """Mesa's own generators stay where they began, so whoever uses them is not disturbed by the district."""
    before, numpy_before = model.random.getstate(), model.rng.bit_generator.state
    model.run_for(3)
    list(model.agents)
    assert model.random.getstate() == before
    assert model.rng.bit_generator.state == numpy_before


def test_other_random_numbers_do_not_matter(scenario: Scenario, model: District) -> None:
    np.random.seed(1)  # noqa: NPY002
    model.random.random()
    model.rng.random()
    model.run_for(QUARTERS)
    same(model.indicators, simulate(scenario, seed=3).indicators)


def test_a_run_may_go_on_past_its_last_quarter(scenario: Scenario, model: District) -> None:
    """And its first quarters are those of the shorter run, whatever room was made for the longer."""
    model.run_for(3 * QUARTERS)
    same(model.indicators, simulate(scenario, seed=3, quarters=3 * QUARTERS).indicators)
    same(model.indicators.head(QUARTERS), simulate(scenario, seed=3).indicators)
    assert not model.running


def test_threads_do_not_matter() -> None:
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one processor; test_processes_do_not_matter forces two threads")
    scenario = load_scenario("baseline", {"firms.count": 200, "firms.settling": 4})
    was = numba.get_num_threads()
    tables = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            tables.append(simulate(scenario, seed=7, quarters=10).indicators)
    finally:
        numba.set_num_threads(was)
    same(*tables)


def test_processes_do_not_matter() -> None:
    """Two other processes, with one and with two threads and other hash seeds, print what this one computes."""
    run = simulate(load_scenario("baseline", {"firms.count": 200, "firms.settling": 4}), seed=7, quarters=10)
    expected = hashlib.sha256(run.indicators.to_numpy().tobytes()).hexdigest()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_HASH],
            env={**os.environ, "NUMBA_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in ("1", "2")
    ]
    printed = [process.communicate(timeout=300)[0].split() for process in started]
    assert printed == [["1", expected], ["2", expected]]


# Making a district -------------------------------------------------------------------------------


def test_zero_is_a_seed(scenario: Scenario) -> None:
    model = District(scenario, seed=0)
    assert model.seed == 0
    model.run_for(2)
    same(model.indicators, simulate(scenario, seed=0, quarters=2).indicators)


def test_no_seed_is_a_new_one_that_can_be_told(scenario: Scenario) -> None:
    a, b = District(scenario), District(scenario)
    assert a.seed != b.seed
    a.run_for(2)
    same(a.indicators, simulate(scenario, seed=a.seed, quarters=2).indicators)


@pytest.mark.parametrize(
    ("given", "seed"),
    [("42", 42), (" 7 ", 7), (np.int64(5), 5), (3.0, 3), (2**64 - 1, 2**64 - 1), (0, 0)],
)
def test_seeds_that_people_and_mesa_pass(given: object, seed: int) -> None:
    assert as_seed(given) == seed


def test_a_seed_sequence_is_a_seed() -> None:
    children = np.random.SeedSequence(1).spawn(2)
    assert as_seed(children[0]) == as_seed(np.random.SeedSequence(1).spawn(1)[0]) != as_seed(children[1])


@pytest.mark.parametrize("given", ["abc", "", "1.5", -1, 2**64, 1.5, float("nan"), float("inf")])
def test_a_bad_seed_is_named(given: object) -> None:
    with pytest.raises(ValueError, match="a seed is a whole number between 0 and"):
        District(seed=given)


@pytest.mark.parametrize("given", [True, [1, 2], np.random.default_rng(1)])
def test_what_is_no_seed_at_all_is_refused(given: object) -> None:
    with pytest.raises(TypeError, match="a seed is a whole number"):
        District(rng=given)


def test_seed_and_rng_are_one_thing(scenario: Scenario) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert District(scenario, seed=5).seed == District(scenario, rng=5).seed == 5
    with pytest.raises(ValueError, match="not both"):
        District(scenario, seed=1, rng=1)


def test_overrides_by_path_or_by_keyword(scenario: Scenario) -> None:
    by_path = District("baseline", seed=1, **SMALL, **{"market.wage": 9.0})
    by_keyword = District(scenario, seed=1, market__wage=np.float64(9.0))
    assert by_path.scenario == by_keyword.scenario
    assert by_path.scenario.market.wage == 9.0
    assert scenario.market.wage != 9.0


@pytest.mark.parametrize("start", ["baseline", Scenario()], ids=["name", "scenario"])
def test_bad_overrides_are_named(start: str | Scenario) -> None:
    for path, value in [("strategy.sael", 1), ("nothing", 1), ("strategy", 3), ("firms.count", 0)]:
        with pytest.raises(ScenarioError, match=path.split(".")[0]):
            District(start, **{path: value})


def test_the_scenario_stays(model: District, scenario: Scenario) -> None:
    assert model.scenario == scenario
    with pytest.raises(AttributeError, match="make another District"):
        model.scenario = Scenario()


# Collection and batches --------------------------------------------------------------------------


def test_datacollector_holds_the_indicators(model: District) -> None:
    model.run_for(5)
    collected = model.datacollector.get_model_vars_dataframe()
    assert list(collected.columns) == [*NAMES, "seed"]
    np.testing.assert_array_equal(collected[list(NAMES)].to_numpy(), model.indicators.to_numpy())
    assert (collected["seed"] == model.seed).all()


def test_own_datacollector_sees_the_living_firms(model: District) -> None:
    model.datacollector = mesa.DataCollector(
        model_reporters={"firms": lambda m: len(m.firms)},
        agenttype_reporters={Firm: {"employees": "employees"}},
    )
    model.run_for(3)
    by_firm = model.datacollector.get_agenttype_vars_dataframe(Firm).reset_index()
    employment = by_firm.groupby("Step")["employees"].sum()
    np.testing.assert_allclose(employment, model.indicators["employment"], rtol=1e-12)
    counted = model.datacollector.get_model_vars_dataframe()["firms"]
    assert counted.tolist() == model.indicators["firms"].tolist()


def test_results_are_copies(model: District) -> None:
    model.run_for(2)
    table = model.indicators
    table.iloc[:, :] = -1.0
    assert (model.indicators["firms"] > 0).all()


def test_batch_run() -> None:
    small = {**SMALL, "run.quarters": 4}
    parameters = {"scenario": "baseline", **small, "market.wage": [7.0, 9.0]}

    def results() -> pd.DataFrame:
        return pd.DataFrame(mesa.batch_run(District, parameters, rng=[0, 1], display_progress=False))

    table = results()
    assert len(table) == 4
    assert (table["Step"] == 4).all()
    assert table["value_added"].nunique() == 4  # every value and every seed makes a difference
    same(table, results())
    for row in table.to_dict("records"):
        scenario = load_scenario("baseline", {**small, "market.wage": row["market.wage"]})
        assert row["value_added"] == simulate(scenario, seed=row["seed"]).indicators["value_added"].iloc[-1]


def test_batch_run_tells_the_seeds_it_drew() -> None:
    parameters = {"scenario": "baseline", **SMALL, "run.quarters": 2}
    rows = mesa.batch_run(District, parameters, rng=[None, None], display_progress=False)
    for row in rows:
        scenario = load_scenario("baseline", {**SMALL, "run.quarters": 2})
        assert row["value_added"] == simulate(scenario, seed=row["seed"]).indicators["value_added"].iloc[-1]


# Agents ------------------------------------------------------------------------------------------


def test_agents_are_the_living(model: District) -> None:
    for _ in range(QUARTERS):
        model.step()
        living = np.flatnonzero(model.state.firms.alive).tolist()
        companies = [SELF_OWNED - 1 - m for m in range(model.scenario.ownership.multinationals)]
        assert [agent.unique_id for agent in model.agents] == [-1, *companies, *living]
        assert [firm.unique_id for firm in model.firms] == living
    assert {type(agent) for agent in model.agents} == set(model.agent_types) == {Agency, Firm, Multinational}


def test_agents_do_not_depend_on_when_one_looks(scenario: Scenario, model: District) -> None:
    late = District(scenario, seed=3)
    for _ in range(QUARTERS):
        list(model.agents)
        model.step()
        late.step()
    late.firm(7)
    assert [agent.unique_id for agent in model.agents] == [agent.unique_id for agent in late.agents]


def test_a_run_makes_no_views(model: District, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    original = Firm.of
    monkeypatch.setattr(Firm, "of", lambda *given: (made.append(given), original(*given))[1])
    model.run_for(3)
    assert not made
    list(model.agents)
    assert len(made) == len(model.firms)


def test_select_agg_get_groupby(model: District) -> None:
    model.run_for(4)
    f, firms = model.state.firms, model.firms
    alive = f.alive
    large = firms.select(lambda firm: firm.employees >= 10)
    assert {firm.unique_id for firm in large} == set(np.flatnonzero(alive & (f.employees >= 10)).tolist())
    assert model.agents.select(agent_type=Firm).agg("employees", sum) == pytest.approx(f.employees[alive].sum())
    assert firms.agg("cash", [min, max]) == [f.cash[alive].min(), f.cash[alive].max()]
    assert firms.get("identity") == f.identity[alive].tolist()
    assert firms.get(["x", "phase"]) == [[x, k] for x, k in zip(f.x[alive], f.phase[alive], strict=True)]
    counted = firms.groupby("phase").count()
    assert counted == {k: (f.phase[alive] == k).sum() for k in counted}
    assert sum(counted.values()) == alive.sum()
    assert len(firms.select(at_most=5)) == 5


def test_a_view_reads_its_row(model: District) -> None:
    model.run_for(4)
    f, ties = model.state.firms, model.state.ties
    for firm in model.firms:
        i = firm.unique_id
        assert (firm.employees, firm.cash, firm.identity, firm.sales) == (
            f.employees[i],
            f.cash[i],
            f.identity[i],
            f.sales[i],
        )
        assert firm.pos == firm.position == (f.x[i], f.y[i])
        np.testing.assert_array_equal(firm.tacit, f.tacit[i])
        assert {p.unique_id for p in firm.partners} == set(ties.partner[i][ties.partner[i] >= 0].tolist())
        for partner in firm.partners:
            assert firm.trust_in(partner) == partner.trust_in(firm) > 0.0
        assert len(firm.pipelines) == (model.state.pipelines.node[i] >= 0).sum()
        owner = firm.owner
        assert f.owner[i] == (SELF_OWNED if owner is None else owner.unique_id)
        assert (owner is None) == (firm.controller is firm)
    taken = [firm for company in model.multinationals for firm in company.affiliates]
    assert taken
    assert all(isinstance(firm.controller, Multinational) for firm in taken)
    assert model.agency.participation == model.indicators["participation"].iloc[-1]


def test_writing_through_a_view(model: District) -> None:
    state, firm = model.state, model.firm(3)
    partner = firm.partners[0]
    firm.identity, firm.phase, firm.tacit = 0.125, 1, np.full_like(firm.tacit, 0.5)
    firm.pos = (1.0, 2.0)
    firm.set_trust(partner, 0.75)
    assert state.firms.identity[3] == 0.125
    assert state.firms.phase[3] == 1
    assert (state.firms.tacit[3] == 0.5).all()
    assert (state.firms.x[3], state.firms.y[3]) == (1.0, 2.0)
    assert partner.trust_in(firm) == firm.trust_in(partner) == 0.75
    firm.owner = company = model.multinationals[1]
    assert state.firms.owner[3] == -3
    assert company.affiliates == [firm]
    firm.owner = None
    assert state.firms.owner[3] == SELF_OWNED


def test_writing_changes_the_run(scenario: Scenario, model: District) -> None:
    for firm in model.firms:
        firm.identity = 1.0
    model.run_for(4)
    assert model.indicators["identity"].iloc[0] > simulate(scenario, 3, 4).indicators["identity"].iloc[0]


def test_conduct_is_read_and_written_by_the_names_of_traits(model: District) -> None:
    model.run_for(4)
    firm, told = model.firm(3), model.state.firms["conduct"]
    assert tuple(firm.conduct) == TRAITS
    assert firm.conduct["reservation"] == told[3, HOLDING]
    firm.conduct = firm.conduct | {"research": 2.5}
    assert told[3, RESEARCHING] == 2.5
    assert model.firm(4).conduct["research"] == told[4, RESEARCHING] != 2.5
    firm.conduct["research"] = 0.0  # a copy
    assert told[3, RESEARCHING] == 2.5
    for value in (-1.0, 6.0, float("nan")):
        with pytest.raises(ValueError, match="research must be between 0 and 5"):
            firm.conduct = firm.conduct | {"research": value}
    with pytest.raises(ValueError, match="conduct has the traits research, "):
        firm.conduct = {"research": 1.0}


def test_money_and_people_that_are_written_come_from_somewhere(model: District) -> None:
    accounts, firm = model.state.accounts, model.firm(3)
    money, people = accounts.money.sum(), accounts.people.sum()
    firm.cash += 1000.0
    firm.employees += 5.0
    model.agency.fund += 100.0
    f = model.state.firms
    assert accounts.money.sum() == pytest.approx(money, abs=1e-9)
    assert accounts.people.sum() == pytest.approx(people)
    assert accounts.money[0] == pytest.approx(f.cash[f.alive].sum())
    assert accounts.people[0] == pytest.approx(f.employees[f.alive].sum())


def test_what_cannot_be_written_is_refused(model: District) -> None:
    with pytest.raises(AttributeError, match="its place in the district"):
        model.firms[3].unique_id = 5
    assert model.firms[3].unique_id == 3
    firm = model.firm(3)
    with pytest.raises(AttributeError, match="alive"):
        firm.alive = False
    with pytest.raises(ValueError, match="phase goes from 0 to"):
        firm.phase = model.scenario.technology.phases
    with pytest.raises(TypeError):
        firm.technology = 0.5
    with pytest.raises(ValueError, match="identity must be finite"):
        firm.identity = float("nan")
    with pytest.raises(ValueError, match="tacit has shape"):
        firm.tacit = np.zeros(1)
    with pytest.raises(ValueError, match="read-only"):
        firm.tacit[0] = 1.0
    with pytest.raises(ValueError, match="more than 0 employees"):
        firm.employees = 0.0
    with pytest.raises(ValueError, match="no tie"):
        firm.set_trust(firm, 0.5)
    with pytest.raises(ValueError, match="cannot be owned"):
        firm.owner = firm
    with pytest.raises(IndexError, match="no firm has the id"):
        model.firm(10**6)


def test_views_held_through_growth_stay_the_same_firm(scenario: Scenario) -> None:
    model = District(scenario, seed=3, demography__entry=0.5)
    held = {firm.unique_id: (firm, firm.founded, firm.record["key"].item()) for firm in model.firms}
    before = model.state.firms
    model.run_for(6)
    assert model.state.firms.size > before.size
    model.state = grown(model.state, 2 * model.state.firms.size)
    model.run_for(6)
    for row, (firm, founded, key) in held.items():
        assert firm.unique_id == row
        assert (firm.founded, firm.record["key"].item()) == (founded, key)
        assert firm.alive == model.state.firms.alive[row]
        assert model.firm(row) is firm
    living = next(firm for firm, *_ in held.values() if firm.alive)
    living.identity = 0.375
    assert model.state.firms.identity[living.unique_id] == 0.375


def test_a_closed_firms_view_stays_readable(model: District) -> None:
    held = list(model.firms)
    model.run_for(QUARTERS)
    closed = [firm for firm in held if not firm.alive]
    assert closed
    for firm in closed:
        assert firm not in model.agents
        assert firm.employees == 0.0
        assert firm.partners == []
        assert firm.phase >= 0
        with pytest.raises(ValueError, match="is closed"):
            firm.identity = 0.5


def test_removing_a_firm_closes_it(model: District) -> None:
    firm = next(firm.owner for firm in model.firms if firm.owner is not None)  # the leader of a group
    money, people = model.state.accounts.money.sum(), model.state.accounts.people.sum()
    firm.remove()
    assert not firm.alive
    assert firm not in model.agents
    assert all(other.owner is not firm for other in model.firms)
    assert model.state.accounts.money.sum() == pytest.approx(money, abs=1e-9)
    assert model.state.accounts.people.sum() == pytest.approx(people)
    model.run_for(2)
    assert not firm.alive


def test_somebody_elses_agents_live_beside_the_districts(model: District) -> None:
    class Journalist(mesa.Agent):
        pass

    journalist = Journalist(model)
    assert journalist in model.agents
    model.step()
    assert journalist in model.agents
    assert len(model.agents_by_type[Journalist]) == 1
    journalist.remove()
    assert journalist not in model.agents


# Copies, and what does not depend on looking ------------------------------------------------------


def through_pickle(model: District) -> District:
    return pickle.loads(pickle.dumps(model))


def through_cloudpickle(model: District) -> District:
    return pickle.loads(cloudpickle.dumps(model))


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, through_pickle, through_cloudpickle])
@pytest.mark.parametrize("looked", [False, True])
def test_a_copy_is_a_district_of_its_own(model: District, copied: Callable[[District], District], looked: bool) -> None:
    """What if from here: the same bits from the same moment, and nothing shared."""
    for _ in range(3):
        model.step()
    held = model.firm(0)
    partner = model.firm(int(np.flatnonzero(model.state.firms.alive)[1]))
    if looked:
        look_at_everything(model)
    other = copied(model)
    view = other.firm(partner.unique_id)
    assert view is not partner
    assert view.model is other
    before = partner.cash, other.firm(partner.unique_id).quality
    view.cash += 1000.0
    assert partner.cash == before[0]
    view.cash -= 1000.0
    if looked:
        assert [agent.model is other for agent in other.agents] == [True] * len(model.agents)
        assert [agent.unique_id for agent in other.agents] == [agent.unique_id for agent in model.agents]
    for _ in range(5):
        other.step()
    assert model.quarter == 3, "the original stands where it was"
    for _ in range(5):
        model.step()
    same(model.indicators, other.indicators)
    same(model.datacollector.get_model_vars_dataframe(), other.datacollector.get_model_vars_dataframe())
    assert held.model is model
    other.intervene(strategy__sale=0.0)
    assert model.scenario_in_force.strategy.sale == 1.0


def test_a_copy_of_a_view_brings_its_district(model: District) -> None:
    firm = copy.deepcopy(model.firm(2))
    assert firm.model is not model
    assert firm.model.firm(2) is firm


@pytest.mark.parametrize("looked", [False, True])
def test_removing_all_agents_closes_all_firms(model: District, looked: bool) -> None:
    if looked:
        look_at_everything(model)
    guest = mesa.Agent(model)
    model.remove_all_agents()
    assert not model.state.firms.alive.any()
    assert {type(agent) for agent in model.agents} == {Agency, Multinational}
    assert guest not in model.agents


def test_what_cannot_act_is_refused(model: District) -> None:
    for made in (
        lambda: Firm(model, 5000),
        lambda: Firm(model, 0),
        lambda: Agency(model),
        lambda: Multinational(model),
    ):
        with pytest.raises(TypeError, match="cannot be made by hand: the model founds firms"):
            made()
    with pytest.raises(TypeError, match="collective_agency switches the agency off"):
        model.agency.remove()
    with pytest.raises(TypeError, match=r"ownership\.multinationals"):
        model.multinationals[0].remove()
    for own in (model.agency, model.multinationals[0], model.firm(0)):
        with pytest.raises(TypeError, match=r"still acts: remove\(\) closes a firm"):
            model.deregister_agent(own)
        assert own in model.agents
    with pytest.raises(TypeError, match=r"not a tuple; mesa\.batch_run takes several, as a list"):
        District(("firms", 3))


@pytest.mark.parametrize("name", ["education", "identity", "absorptive", "offshored", "performance"])
def test_shares_that_are_written_stay_shares(model: District, name: str) -> None:
    firm = model.firm(0)
    for good in (0.0, 0.5, 1.0):
        setattr(firm, name, good)
    for bad in (-1.01, 1.01, 5):
        with pytest.raises(ValueError, match=rf"{name} must be at least (-1|0) and at most 1, not {bad}"):
            setattr(firm, name, bad)
    assert getattr(firm, name) == 1.0


def test_what_cannot_be_negative_is_not_written_so(model: District) -> None:
    firm = model.firm(0)
    for name in ("wage", "quality", "reach", "sales", "tenure"):
        with pytest.raises(ValueError, match=f"{name} must be at least 0, not -3"):
            setattr(firm, name, -3)
    with pytest.raises(ValueError, match="tacit must be at least 0"):
        firm.tacit = firm.tacit - 100.0
    with pytest.raises(ValueError, match="capability must be at least 0 and at most 1"):
        model.agency.capability = 1.5


def test_owners_live_in_the_same_district(scenario: Scenario, model: District) -> None:
    firm, closed = model.firm(0), model.firm(1)
    closed.remove()
    before = firm.owner
    for owner in (closed, District(scenario, seed=3).firm(2), District(scenario, seed=3).multinationals[0]):
        with pytest.raises(ValueError, match="which is closed or of another district"):
            firm.owner = owner
    assert firm.owner is before


@pytest.mark.parametrize(
    "change",
    [
        lambda agents, firm: agents.remove(firm),
        lambda agents, firm: agents.discard(firm),
        lambda agents, firm: agents.add(firm),
        lambda agents, firm: agents.clear(),
        lambda agents, firm: agents.pop(),
        lambda agents, firm: agents.select(at_most=3, inplace=True),
        lambda agents, firm: agents.sort("unique_id", inplace=True),
        lambda agents, firm: agents.shuffle(inplace=True),
        lambda agents, firm: agents.__isub__([firm]),
    ],
)
@pytest.mark.parametrize("of", ["agents", "firms"])
def test_nobody_is_hidden_by_hand(model: District, of: str, change: Callable[[Any, Firm], object]) -> None:
    firm, before = model.firm(3), [agent.unique_id for agent in model.agents]
    with pytest.raises(TypeError, match=r"agents of a district follow from its state.*remove\(\) of an agent"):
        change(getattr(model, of), firm)
    assert [agent.unique_id for agent in model.agents] == before


def test_sets_of_ones_own_can_be_changed(model: District) -> None:
    count = len(model.firms)
    for own in (model.firms.select(), model.firms.copy(), copy.copy(model.firms), model.firms.shuffle()):
        own.remove(model.firm(3))
        assert len(own) == count - 1
    kept = model.firms
    assert len(pickle.loads(pickle.dumps(kept))) == count
    kept.do(lambda firm: model.firm(3).remove() if firm.unique_id == 2 else None)
    assert len(kept) == len(model.firms) == count - 1
    assert model.firm(3) not in kept


def test_ids_of_added_agents_are_nobody_elses(scenario: Scenario, model: District) -> None:
    look_at_everything(model)
    unseen = District(scenario, seed=3)
    ids = [agent.unique_id for agent in (mesa.Agent(model), mesa.Agent(model))]
    assert ids == [mesa.Agent(unseen).unique_id, mesa.Agent(unseen).unique_id]
    assert min(ids) > np.iinfo(np.int32).max
    everybody = [agent.unique_id for agent in model.agents]
    assert len(set(everybody)) == len(everybody)


# Mesa's own scenarios and page ---------------------------------------------------------------------


def test_mesas_scenario_carries_overrides_and_the_seed(scenario: Scenario) -> None:
    given = MesaScenario(rng=3, scenario=scenario, market__wage=9.0)
    model, ours = District(scenario=given), District(scenario, seed=3, market__wage=9.0)
    assert (model.seed, model.scenario_in_force) == (3, ours.scenario_in_force)
    model.step()
    ours.step()
    same(model.indicators, ours.indicators)
    assert District(MesaScenario(), seed=5, **SMALL).seed == 5


def test_the_scenario_reads_as_ours_and_is_of_mesas_kind(model: District, scenario: Scenario) -> None:
    shown = model.scenario
    assert isinstance(shown, MesaScenario)
    assert shown.run.quarters == QUARTERS
    assert scenario == shown
    again = type(shown)()  # as Mesa's page does
    assert District(again, seed=3).scenario_in_force == scenario
    assert copy.deepcopy(shown) == scenario
    same(simulate(shown, 3).indicators, simulate(scenario, 3).indicators)
    with pytest.raises(AttributeError, match="nothing"):
        shown.nothing  # noqa: B018


def test_mesas_page_steps_and_resets_a_district(scenario: Scenario, model: District) -> None:
    solara, vuetify = pytest.importorskip("solara"), pytest.importorskip("ipyvuetify")
    visualization = pytest.importorskip("mesa.visualization", reason="needs altair")
    shown = solara.reactive(model)
    page = solara.AppLayout(children=[visualization.SolaraViz(shown, components=[], model_params={"seed": 4})])
    _, rendered = solara.render(page, handle_error=False)
    try:
        buttons = {str(button.children[0]): button for button in rendered.find(vuetify.Btn).widgets}
        buttons["Step"].click()
        assert model.quarter == 1
        buttons["Reset"].click()
        assert (shown.value.seed, shown.value.quarter) == (4, 0)
        assert shown.value.scenario_in_force == scenario
    finally:
        rendered.close()
