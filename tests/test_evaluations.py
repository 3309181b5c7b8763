"""Evaluations of policies: estimators find what was put in, programmes serve whom they say, the command works."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from naive import cases
from typer.testing import CliRunner

from district_sim import figures
from district_sim.cli import app
from district_sim.evidence.evaluations.estimate import (
    Estimate,
    difference_in_differences,
    discontinuity,
    mean_over_districts,
)
from district_sim.evidence.evaluations.evaluate import Evaluated, evaluated
from district_sim.evidence.evaluations.evaluate import Result as Found
from district_sim.evidence.evaluations.files import Finding, evaluation_names, read_evaluation
from district_sim.evidence.evaluations.measures import MEASURES, observed, summarised
from district_sim.evidence.evaluations.programme import sample
from district_sim.reports.evaluations import as_markdown, summary

DISTRICTS, EACH = 30, 60


def firms(seed: int = 1) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """Firms in districts, each with luck of its own."""
    rng = np.random.default_rng(seed)
    district = np.repeat(np.arange(DISTRICTS), EACH)
    return rng, district, rng.normal(size=DISTRICTS)[district]


# Estimators ---------------------------------------------------------------------------------------


def test_differences_within_districts_find_a_known_effect() -> None:
    rng, district, luck = firms()
    served = rng.random(district.size) < 0.3
    found = difference_in_differences(
        0.5 * served + 3.0 * luck + rng.normal(size=district.size), served, district, within=True
    )
    assert found.low < 0.5 < found.high
    assert found.error < 0.08, "districts' luck is out of it"
    assert (found.firms, found.districts) == (district.size, DISTRICTS)
    assert found.sign == "+"


def test_differences_between_districts_count_districts_not_firms() -> None:
    _, district, luck = firms()
    treated = district % 2 == 0
    found = difference_in_differences(0.5 * treated + luck, treated, district, within=False)
    means = np.array([luck[district == d][0] + 0.5 * (d % 2 == 0) for d in range(DISTRICTS)])
    by_hand = means[::2].mean() - means[1::2].mean()
    assert found.value == pytest.approx(by_hand)
    naive = np.sqrt(means[::2].var(ddof=1) / 15 + means[1::2].var(ddof=1) / 15)
    assert found.error == pytest.approx(naive, rel=0.1)


def test_intervals_cover_as_often_as_they_say() -> None:
    hits = 0
    for seed in range(200):
        rng, district, luck = firms(seed)
        treated = district % 2 == 0
        change = 0.3 * treated + luck + rng.normal(size=district.size)
        found = difference_in_differences(change, treated, district, within=False)
        hits += found.low < 0.3 < found.high
    assert 180 <= hits <= 199


def test_controls_hold_equal_what_selection_was_by() -> None:
    rng, district, luck = firms()
    keen = rng.normal(size=district.size)
    served = keen + rng.normal(size=district.size) > 0.5
    change = 0.2 * served - 0.6 * keen + luck + 0.3 * rng.normal(size=district.size)
    plain = difference_in_differences(change, served, district, within=True)
    held = difference_in_differences(change, served, district, within=True, controls=[keen])
    assert plain.high < 0.2, "those served regress to the mean"
    assert held.low < 0.2 < held.high


def test_an_amount_has_an_effect_for_each_unit_and_groups_differ() -> None:
    rng, district, luck = firms()
    euros = np.where(rng.random(district.size) < 0.4, rng.uniform(1, 9, district.size), 0.0)
    small = rng.random(district.size) < 0.5
    change = (1.1 + 0.5 * small) * euros + luck + rng.normal(size=district.size)
    found = difference_in_differences(change, euros, district, within=True, group=small.astype(float))
    assert found.low < 0.5 < found.high
    assert found.value == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("order", [1, 2])
def test_a_discontinuity_is_found_whatever_the_slope(order: int) -> None:
    rng, district, luck = firms()
    score = rng.normal(size=district.size)
    small = (rng.random(district.size) < 0.5).astype(float)
    smooth = 2.0 * score + (0.5 * score**2 if order == 2 else 0.0)
    outcome = smooth + (0.7 + 0.4 * small) * (score >= 0.0) + luck + 0.3 * rng.normal(size=district.size)
    found = discontinuity(outcome, score, district, 10.0, order)
    assert found.low < 0.9 < found.high
    more = discontinuity(outcome, score, district, 10.0, order, small)
    assert more.low < 0.4 < more.high
    near = discontinuity(outcome, score, district, 0.5)
    assert near.firms < found.firms
    assert near.low < 0.9 < near.high


def test_where_there_is_nothing_to_compare_there_is_no_estimate() -> None:
    _, district, luck = firms()
    for served in (np.zeros(district.size), np.ones(district.size)):
        assert difference_in_differences(luck, served, district, within=True).sign == "?"
    assert difference_in_differences(luck, luck, np.zeros(luck.size), within=False).sign == "?"
    assert discontinuity(luck, np.full(luck.size, np.nan), district, 1.0).sign == "?"
    gaps = np.where(district == 0, np.nan, luck)
    assert difference_in_differences(gaps, district % 2 == 0, district, within=False).districts == DISTRICTS - 1


def test_units_keep_the_interval_in_order() -> None:
    one = Estimate(0.1, 0.02, 0.06, 0.14, 10, 5)
    assert one.scaled(-2.0) == Estimate(-0.2, 0.04, -0.28, -0.12, 10, 5)
    assert one.as_percent().value == pytest.approx(100 * (np.e**0.1 - 1))
    assert mean_over_districts(np.array([1.0, 3.0, np.nan])).value == 2.0
    assert mean_over_districts(np.array([1.0])).sign == "?"


def result(sign: str, bottom: float, top: float, **published: Any) -> Found:
    finding = Finding(outcome="sales", sign=sign, says="so", **published)
    estimate = Estimate(0.5 * (bottom + top), 1.0, bottom, top, 10, 5)
    return Found(finding, "Somebody 2001", "sales", "%", estimate, estimate)


def test_what_agrees() -> None:
    assert result("+", 1, 3).agrees
    assert not result("+", -1, 3).agrees
    assert not result("-", 1, 3).agrees
    assert result("0", -1, 3).agrees
    assert not result("0", 1, 3).agrees
    assert result("0", 1, 3, low=-5.0, high=5.0).agrees, "a smaller study could not have seen it"
    assert [result("+", *ends).verdict for ends in ((1, 3), (-1, 3), (-3, -1))] == ["yes", "NO", "NO"]
    assert replace(result("+", 1, 3), truth=Estimate(0.0, 0.1, -0.2, 0.2, 10, 5)).verdict == "selection"
    assert replace(result("+", -1, 3), truth=Estimate(1.0, 0.1, 0.8, 1.2, 10, 5)).verdict == "weak"
    assert result("+", 1, 3, value=2.5).overlaps
    assert result("+", 1, 3, low=4.0, high=6.0).overlaps is False
    assert result("+", 1, 3).overlaps is None


# Firms --------------------------------------------------------------------------------------------


def test_measures_are_those_of_the_firms_and_the_dead_have_none() -> None:
    state, p = cases.district(), cases.parameters("calm")
    before = state.firms[: int(state.clock.rows[0])].copy()
    state.firms.alive[0] = False
    state.firms.increments[1] += 2
    state.firms.technology[2], state.firms.increments[2] = before.technology[2] + 1, 0
    found = observed(state, before, p)
    assert set(found) == set(MEASURES)
    assert all(np.isnan(values[0]) for name, values in found.items() if name != "survives")
    assert found["survives"][0] == 0.0
    np.testing.assert_array_equal(found["innovations"][1:3], [2.0, 1.0])
    np.testing.assert_array_equal(found["innovator"][1:3], [1.0, 1.0])
    assert found["research"][1] == pytest.approx(
        float(p.innovation.research_cost[0]) * state.firms.research[1] * state.firms.value_added[1]
    )
    twice = [found, {**found, "sales": 3.0 * found["sales"], "linked": 0.0 * found["linked"]}]
    np.testing.assert_allclose(summarised(twice, "sales")[1:], 2.0 * found["sales"][1:])
    linked = summarised(twice, "linked")
    np.testing.assert_array_equal(np.isnan(linked), np.isnan(found["linked"]))
    np.testing.assert_array_equal(linked[np.isfinite(linked)], 0.0)
    np.testing.assert_allclose(summarised(twice, "productivity")[1:], (found["value_added"] / found["employees"])[1:])


# Programmes ---------------------------------------------------------------------------------------

SMALL = """
title: A small programme
source: {author: Somebody, year: 2001, doi: 10.1000/1}
programme: Grants for some.
values: {firms.count: 60}
start: 6
lasts: 4
before: 4
after: [0, 6]
instruments:
  - {kind: rd_subsidy, per_employee: 0.4}
served: {applicants: 0.8, keen: intensity, by: score, score: [intensity], share: 0.5}
findings:
  - {outcome: research, unit: log, sign: "+", value: 50, says: more research}
  - {outcome: research, unit: grant, sign: "+", low: 0.5, high: 1.5, says: a euro for a euro}
  - {outcome: sales, unit: log, sign: "0", says: no more sales}
"""


def written(folder: Path, text: str = SMALL) -> str:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_those_served_are_the_best_and_only_they_get_money(tmp_path: Path) -> None:
    one = sample(read_evaluation(written(tmp_path)), 3)
    np.testing.assert_array_equal(one.served, one.score >= 0.0)
    assert abs(one.served.sum() - 0.5 * one.served.size) <= 1
    money = one.support[0]
    assert (money[~one.served] == 0.0).all()
    assert (money[one.served] > 0.0).all()
    assert one.support.shape == one.base.shape == one.treated.shape == (3, one.served.size)
    grants = money[one.served].sum()
    assert grants == pytest.approx(4 * 0.4 * one.employees[one.served].sum(), rel=0.25)
    alive = one.served & np.isfinite(one.treated[0] + one.untreated[0])
    assert (one.treated[0] > one.untreated[0])[alive].mean() > 0.9
    again = sample(read_evaluation(written(tmp_path)), 3)
    np.testing.assert_array_equal(one.treated, again.treated)


def test_a_programme_without_effect_changes_nothing(tmp_path: Path) -> None:
    """With and without it the district has the same luck, and only the programme differs."""
    idle = SMALL.replace("kind: rd_subsidy", "kind: export_vouchers, intensity: 0")
    one = sample(read_evaluation(written(tmp_path, idle)), 3)
    assert one.support[0].sum() > 0.0
    np.testing.assert_array_equal(one.treated, one.untreated)


def test_a_lottery_is_fair_and_everybody_can_be_served(tmp_path: Path) -> None:
    lottery = SMALL.replace("by: score, score: [intensity]", "by: lottery")
    one = sample(read_evaluation(written(tmp_path, lottery)), 3)
    assert np.isnan(one.score).all()
    assert 0.4 < one.served.mean() < 0.6
    whole = SMALL.replace("served: {", "districts: lottery\nserved: {}\n#")
    every = sample(read_evaluation(written(tmp_path, whole)), 3)
    assert every.served.all()
    assert (every.support[0] > 0.0).mean() > 0.9


@pytest.mark.parametrize("name", evaluation_names())
def test_bundled_evaluations_say_where_they_are_from(name: str) -> None:
    plan = read_evaluation(name)
    data = plan.data
    assert data.source.doi or data.source.published
    assert bool(data.cannot) != bool(data.findings)
    if data.findings:
        assert data.differs, "no design is that of the study to the letter"


def test_every_evaluation_of_the_evidence_is_there() -> None:
    authors = " ".join(read_evaluation(name).data.source.author for name in evaluation_names())
    for name in ("Falck, Heblich", "Mayneris", "Iachini", "Bellucci", "Mealli", "Rothgang", "Cingano"):
        assert name in authors


# The command --------------------------------------------------------------------------------------


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["replicate", "policies", *arguments], env={"COLUMNS": "160"})


def test_the_command_shows_and_writes_what_came_out(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call(written(tmp_path), "cingano", "--runs", "4", "--workers", "1", "--seed", "5", "--out", str(out))
    assert done.exit_code in (0, 1), done.output
    assert "A small programme" in done.output
    assert "no capital" in done.output
    assert {path.name for path in out.iterdir()} == {f"policies.{end}" for end in ("md", "json", "csv", "png", "svg")}
    told = json.loads((out / "policies.json").read_text(encoding="utf-8"))["evaluations"]
    assert [one["evaluation"] for one in told] == ["small", "cingano"]
    more = told[0]["results"][0]
    assert more["estimate_sign"] == "+"
    assert more["verdict"] == "yes"
    assert more["truth"] > 0.0
    assert told[1]["cannot"]
    page = (out / "policies.md").read_text(encoding="utf-8")
    assert "## What the model cannot express" in page
    assert "more research" in page
    assert done.exit_code == (0 if all(row["verdict"] == "yes" for row in told[0]["results"]) else 1)
    shown = call(written(tmp_path), "--runs", "4", "--workers", "1", "--seed", "5", "--json")
    assert json.loads(shown.output) == told[:1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("outcome: sales", "outcome: sails"), "small.yaml:16: findings.2.outcome: there is no measure 'sails'"),
        (("kind: rd_subsidy", "kind: rd_grant"), "small.yaml:11: instruments.0.kind = 'rd_grant': must be"),
        (("per_employee: 0.4", "per_employee: 0.4, budget: 3"), "needs one of budget and per_employee"),
        (("after: [0, 6]", "after: [6, 0]"), "small.yaml:9: after = [6, 0]: must be two numbers from 0 on"),
        (("after: [0, 6]", "after: [0, 600]"), "small.yaml:9: after = [0, 600]: with start 6 the run of 160 quarters"),
        (("start: 6", "start: 0"), "small.yaml:6: start = 0: must be"),
        (("before: 4", "before: 9"), "before (9) must not be longer than start (6)"),
        (("score: [intensity], ", ""), "served.by: score needs served.score"),
        (("share: 0.5", "share: 1.5"), "small.yaml:12: served.share = 1.5: must be"),
        (("lasts: 4", "estimator: discontinuity"), "unit: grant needs estimator: differences"),
        (("firms.count: 60", "firms.counted: 60"), "counted"),
        (("served: {", "served: {}\n# {"), "nobody is left to compare with"),
        (("title: A small programme", "titel: A small programme"), "titel: unknown key"),
        (("sign: \"0\"", "sign: zero"), "small.yaml:16: findings.2.sign = 'zero': must be"),
        (("kind: rd_subsidy", "kind: technology_centre, target: small"), "serves the district as a whole"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_their_line(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    assert change[0] in SMALL
    done = call(written(tmp_path, SMALL.replace(*change)))
    assert done.exit_code == 2, done.output
    assert message in done.output.replace("\n", " ")
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bronzini"], "there is no evaluation or file 'bronzini'; did you mean 'bronzini_iachini'"),
        (["nowhere.yaml"], "nowhere.yaml: no such file"),
        (["cingano", "--runs", "1"], "--runs"),
        (["cingano", "--seed", "-1"], "--seed must be between"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], message: str) -> None:
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.output.replace("\n", " ")


# What is shown ------------------------------------------------------------------------------------


def test_the_figure_has_a_row_for_each_result_and_what_was_published() -> None:
    rows = [{"evaluation": "x"} | one.as_dict() for one in (result("+", 1, 3, value=2.0), result("0", -1, 1))]
    drawn = figures.effects_beside_published(rows)
    (ax,) = drawn.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Somebody 2001: sales"] * 2
    points = [tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 1]
    assert points.count((2.0,)) == 3, "published, estimated and true"
    assert {text.get_text() for text in ax.texts} == {"positive", "nothing"}


def test_nothing_to_run_is_said() -> None:
    found = evaluated([read_evaluation("cingano")])
    assert isinstance(found[0], Evaluated)
    assert "can express none" in summary(found)
    assert "![" not in as_markdown(found)
