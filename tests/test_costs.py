"""What policies cost and what a euro changed: present values, equal cost, additionality, deadweight.

Time budget: 20 s.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import cases
from scipy import stats

from district_sim.experiments import costs
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.interventions import Instrument


def instrument(**fields: Any) -> Instrument:
    return Instrument.model_validate({"name": "it", "kind": "rd_subsidy", **fields})


def test_present_value_is_that_of_the_first_day() -> None:
    assert costs.present_value([100.0], 0.05) == 100.0
    assert costs.present_value([0.0] * 4 + [105.0], 0.05) == pytest.approx(100.0)
    assert costs.present_value([1.0, math.nan, 1.0], 0.0) == 2.0


def test_present_value_on_another_day_is_the_same_money_later() -> None:
    flow = [3.0, 0.0, 5.0]
    assert costs.present_value(flow, 0.05, 8) == pytest.approx(1.05**2 * costs.present_value(flow, 0.05))
    assert costs.present_value(flow, 0.05, -4) == pytest.approx(costs.present_value(flow, 0.05) / 1.05)
    mix = [instrument(start=4, end=8, budget=10.0)]
    assert costs.budget_value(mix, 100, 0.1, 4) == pytest.approx(10.0 * sum(1.1 ** (-t / 4) for t in range(4)))
    (same,) = costs.equalised({"one": mix}, 200.0, 100, 0.1, 4)["one"]
    assert costs.budget_value([same], 100, 0.1, 4) == pytest.approx(200.0)


def test_the_rule_behind_a_sum_is_said() -> None:
    mix = [instrument(start=40, end=80, budget=387.2), instrument(start=150, budget=2000.0, budget_share=0.01)]
    told = costs.windows_of(mix, 160, Calendar.of(2002))
    assert "it 387.2 k€ a quarter in 2012Q1 to 2021Q4 (40 quarters)" in told
    assert "it 2,000 k€ and 1 % of turnover a quarter in 2039Q3 to 2041Q4 (10 quarters)" in told
    assert "in quarters 40 to 79 (40 quarters)" in costs.windows_of(mix, 160, None)


def test_budgets_count_inside_window_and_run() -> None:
    assert costs.budget_value([instrument(start=4, end=6, budget=10.0)], 100, 0.0) == 20.0
    assert costs.budget_value([instrument(start=4, budget=10.0)], 7, 0.0) == 30.0
    assert costs.budget_value([instrument(start=9, budget=10.0)], 7, 0.0) == 0.0


@given(
    budgets=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 60), st.floats(1e-3, 1e5)), min_size=1, max_size=4),
    value=st.floats(1.0, 1e6),
    discount=st.floats(0.0, 0.2),
)
def test_equal_cost_is_equal_to_rounding(budgets: list[tuple[int, int, float]], value: float, discount: float) -> None:
    mix = [instrument(start=start, end=start + length, budget=budget) for start, length, budget in budgets]
    mixes = {"one": mix, "first only": mix[:1], "none": []}
    made = costs.equalised(mixes, value, 40, discount)
    for name in ("one", "first only"):
        assert costs.budget_value(made[name], 40, discount) == pytest.approx(value, rel=1e-12)
    assert made["none"] == ()
    shares = [item.budget / made["one"][0].budget for item in made["one"]]
    np.testing.assert_allclose(shares, [item.budget / mix[0].budget for item in mix])


@pytest.mark.parametrize(
    ("fields", "told"),
    [({"budget": 5.0, "start": 50}, "no budget within the 40 quarters"), ({"budget_share": 0.1}, "budget_share = 0.1")],
)
def test_what_cannot_be_equalised_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=f"policies late: .*{told}"):
        costs.equalised({"late": [instrument(**fields)]}, 100.0, 40)


def test_ratio_of_means_with_interval() -> None:
    found, low, high = costs.ratio([2.0, 4.0, 6.0, 4.0], [2.0, 2.0, 2.0, 2.0])
    assert found == 2.0
    assert 1.0 < low < 2.0 < high < 3.0
    assert all(math.isnan(value) for value in costs.ratio([1.0, 2.0], [0.0, 0.0]))


def test_deadweight_of_nothing_and_of_all() -> None:
    paid = [10.0, 10.0, 10.0]
    assert costs.deadweight(paid, [5.0, 6.0, 7.0], [15.0, 16.0, 17.0]) == (0.0, 0.0, 0.0)
    assert costs.deadweight(paid, [5.0, 6.0, 7.0], [5.0, 6.0, 7.0]) == (1.0, 1.0, 1.0)
    assert costs.deadweight(paid, [5.0, 6.0, 7.0], [0.0, 1.0, 2.0])[0] == 1.5


def research(state: Any, p: Any) -> float:
    """R&D of all firms this quarter [k€]."""
    firms = state.firms[state.firms.alive]
    return float((firms.research * p.innovation[0].research_cost * np.maximum(0.0, firms.value_added)).sum())


@pytest.mark.parametrize("crowding", [0.0, 0.4, 1.0])
def test_deadweight_of_a_subsidy_is_what_it_crowds_out_measured_under_common_luck(crowding: float) -> None:
    """No constant of deadweight is read: the runs are made, with minus without, per euro paid."""
    grant = {"name": "grant", "kind": "rd_subsidy", "start": 0, "budget": 20.0}
    paid, without, with_it = [], [], []
    for seed in (1, 2, 3, 4):
        effects = {"policy_effects": {"crowding_out": crowding}}
        p, none = cases.parameters("calm", policies=[grant], **effects), cases.parameters("calm", **effects)
        state = cases.district("calm", seed, 0)
        after, before = cases.quarter(state, p)[0], cases.quarter(state, none)[0]
        paid.append(float(after.instruments.spent[0]))
        with_it.append(research(after, p))
        without.append(research(before, none))
    assert costs.deadweight(paid, without, with_it)[0] == pytest.approx(crowding, abs=0.05)


def test_the_cost_table_pairs_replicates() -> None:
    rows = []
    for point, (spending, kept, jobs) in enumerate([(0.0, 100.0, 50.0), (10.0, 115.0, 54.0)]):
        for replicate in range(3):
            for quarter in (1, 2):
                luck = 7.0 * replicate
                rows.append((point, replicate, quarter, spending, kept + luck, jobs + luck))
    columns = ["point", "replicate", "quarter", "policy_spending", "value_added_local", "employment"]
    names, bases, budgets = {0: "none", 1: "it"}, {0: 0, 1: 0}, {0: 0.0, 1: 30.0}
    table = costs.cost_table(pd.DataFrame(rows, columns=columns), names, bases, budgets, 0.0)
    none, it = table.to_dict("records")
    assert none["spent"] == 0.0
    assert math.isnan(none["per_euro"])
    assert it["spent"] == 20.0
    assert it["left_over"] == 10.0
    assert (it["per_euro"], it["low"], it["high"]) == (1.5, 1.5, 1.5)
    assert it["jobs"] == 4.0
    assert it["cost_per_job"] == 5.0


def test_fieller_holds_the_ratios_that_a_t_test_does_not_reject() -> None:
    rng = np.random.default_rng(3)
    jobs = rng.normal(5.0, 4.0, 30)
    paid = 100.0 + 2.0 * jobs + rng.normal(0.0, 5.0, 30)
    found = costs.fieller(paid, jobs, 0.95)
    assert found.value == pytest.approx(paid.mean() / jobs.mean())
    for end in (found.low, found.high):
        assert stats.ttest_1samp(paid - end * jobs, 0.0).pvalue == pytest.approx(0.05)


def test_a_cost_per_job_without_jobs_has_no_upper_end() -> None:
    jobs = np.array([-4.0, 5.0, -1.0, 2.0, 1.0, -2.0])
    paid = np.array([100.0, 90.0, 110.0, 105.0, 95.0, 100.0])
    found = costs.fieller(paid, jobs)
    assert np.isnan(found.value)
    assert found.high == np.inf
    assert stats.ttest_1samp(paid - found.low * jobs, 0.0).pvalue == pytest.approx(0.05)
    assert stats.ttest_1samp(paid - 100.0 * found.low * jobs, 0.0).pvalue > 0.05
    lost = costs.fieller(paid, jobs - 50.0)
    assert np.isnan([lost.value, lost.low, lost.high]).all(), "jobs are lost: nothing is a price of a job"
    assert np.isnan(costs.fieller(paid[:1], jobs[:1]).value)


def test_fieller_covers_the_true_ratio() -> None:
    rng, inside = np.random.default_rng(11), 0
    for _ in range(400):
        jobs = rng.normal(3.0, 4.0, 15)
        paid = 30.0 + rng.normal(0.0, 6.0, 15) + 0.5 * (jobs - 3.0)
        found = costs.fieller(paid, jobs)
        inside += not (found.low > 10.0 or found.high < 10.0)
    assert 0.925 < inside / 400 < 0.975
