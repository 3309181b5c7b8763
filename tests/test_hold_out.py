"""Tested against later years: what a fit may see, bands on synthetic districts, scores by hand, and the command."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from posterior_parts import DISTRICT
from scipy.stats import norm
from typer.testing import CliRunner, Result

from district_sim.evidence.cases.files import Case, case_names, load_case, read_case
from district_sim.evidence.posterior import runs as runs_module
from district_sim.evidence.posterior.fit import Setting
from district_sim.evidence.posterior.hold_out import Cut, Outlook, Said, cut, look_ahead
from district_sim.evidence.posterior.scores import (
    MODEL,
    SAME,
    TREND,
    Past,
    Score,
    as_before,
    as_it_was,
    of_paths,
    scored,
    scores,
    skill,
    summary,
)
from district_sim.evidence.posterior.simulations import Row
from district_sim.run.workers import Workers
from district_sim.scenario.files import ScenarioError, load_scenario

SEEN = "source: nobody, published: 2000, certainty: C"
CASE = f"""\
scenario: tiny
start: 2000
targets:
  - {{measure: firms, year: 2000, value: 60, tolerance: 2, {SEEN}}}
  - {{measure: firms, year: 2002, value: 56, tolerance: 2, fit: true, {SEEN}}}
  - {{measure: employment, year: 2001, value: 500, tolerance: 25, fit: true, {SEEN}}}
  - {{measure: firms, year: 2003, value: 52, tolerance: 2, fit: true, {SEEN}}}
  - {{measure: firms, year: 2004, value: 50, tolerance: 2, {SEEN}}}
  - {{measure: firms, year: 2004, since: 2002, below: 1, {SEEN}}}
  - {{measure: employment, year: 2004, value: 450, tolerance: 25, {SEEN}}}
  - {{measure: small_firm_share, year: 2004, value: 0.6, tolerance: 0.05, {SEEN}}}
parameters:
  demography.exit: {{low: 0.004, high: 0.1, log: true}}
  innovation.exploration: {{low: 0.02, high: 0.3, log: true}}
"""
SHOCKED = (
    f"{DISTRICT}shocks:\n  - {{name: slump, kind: demand_slump, start: 12, size: 0.2, duration: 4, recovery: 2}}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SHOCKED)
    (tmp_path / "tiny.targets.yaml").write_text(CASE)
    return tmp_path


@pytest.fixture
def call(folder: Path) -> Callable[..., Result]:
    from district_sim import cli

    return lambda *arguments: CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "250"})


@pytest.fixture
def case(folder: Path) -> Case:
    return read_case(folder / "tiny.targets.yaml")


# What a fit may see -------------------------------------------------------------------------------


def with_other_later_years(case: Case, at: Cut) -> Case:
    """The same case in a world in which all that came later was different."""
    later = {id(target) for target in at.held}
    changes = {"value": 3.0, "above": None, "below": None, "tolerance": 1.0, "source": "another", "note": "other"}
    return replace(
        case,
        targets=tuple(one.model_copy(update=changes) if id(one) in later else one for one in case.targets),
        misses="All was different.",
    )


@pytest.mark.parametrize(("name", "date"), [("carpi", "2005"), ("mirandola", "2016"), ("prato", "2005"),
                                            ("sassuolo", "2005")])  # fmt: skip
def test_a_fit_sees_nothing_of_later_years(name: str, date: str) -> None:
    """All that fit and forecast get is the same, whatever came later; and it holds no value that was fitted."""
    case = load_case(name, fitted=False)
    at = cut(case, date)
    other = cut(with_other_later_years(case, at), date)
    assert (other.case, other.ahead) == (at.case, at.ahead)
    assert [one.value for one in other.held] != [one.value for one in at.held]
    limit = case.calendar.quarter(date)
    assert all(int(look[1]) <= limit for look in at.case.wanted)
    assert at.case.scenario.run.quarters <= max(limit, 8)
    assert all(shock.start < limit for shock in at.ahead.scenario.shocks)
    assert all(one.value is None and one.tolerance == 0.0 for one in at.ahead.targets[len(at.case.targets) :])
    base = load_scenario(f"cases/_{name}").model_dump()
    fitted = load_scenario(f"cases/{name}").model_dump()
    for path in case.parameters:
        section, field = path.split(".")
        assert at.ahead.scenario.model_dump()[section][field] == base[section][field] != fitted[section][field]


def test_every_case_is_here() -> None:
    assert case_names() == ["carpi", "mirandola", "prato", "sassuolo"]


def test_shocks_that_begin_later_are_left_out_and_named(case: Case) -> None:
    assert cut(case, "2003").left_out == ("slump",)
    assert cut(case, "2003Q2").left_out == ()
    assert len(cut(case, "2003").ahead.scenario.shocks) == 0
    assert len(cut(case, "2003Q2").ahead.scenario.shocks) == 1


def test_what_was_observed_at_the_date_is_known(case: Case) -> None:
    at = cut(case, "2002")
    assert [(one.measure, one.year) for one in at.case.targets] == [("firms", 2002), ("employment", 2001)]
    assert len(at.known) == 3
    assert len(at.held) == 5


def test_a_yearly_rate_is_known_after_its_year(case: Case) -> None:
    rate = case.targets[3].model_copy(update={"measure": "death_rate", "year": 2002})
    with_rate = replace(case, targets=(*case.targets, rate))
    assert rate in cut(with_rate, "2002Q4").held
    assert rate in cut(with_rate, "2003").known


def test_a_scenario_that_was_fitted_to_all_years_is_refused(folder: Path, call: Callable[..., Result]) -> None:
    (folder / "fitted.yaml").write_text(
        "# Written by `district-sim calibrate tiny.yaml --seed 0` from tiny.yaml\n" + SHOCKED
    )
    (folder / "mine.yaml").write_text("extends: fitted.yaml\ntitle: Mine\ndescription: It extends a fitted one.\n")
    for given in (
        ("tiny.targets.yaml", "--scenario", "mine.yaml"),
        ("carpi", "--scenario", "cases/carpi"),
    ):
        made = call("replicate", *given, "--hold-out", "2003")
        assert made.exit_code == 2, made.output
        assert "was written by calibrate, with values fitted to all years" in " ".join(made.output.split())


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2000", "no figure with fit: true up to then; 2001 to 2003 can be used"),
        ("2004", "no figure after that; 2001 to 2003 can be used"),
        ("1999", "the run of tiny goes from 2000 to 2004; 2001 to 2003 can be used"),
        ("2012", "the run of tiny goes from 2000 to 2004; 2001 to 2003 can be used"),
        ("soon", "must be a year (2005) or a quarter of one (2005Q3)"),
    ],
)
def test_dates_that_cannot_be_used(date: str, said: str, call: Callable[..., Result]) -> None:
    made = call("replicate", "tiny.targets.yaml", "--hold-out", date)
    assert made.exit_code == 2, made.output
    assert f"--hold-out {date}" in made.output
    assert said in " ".join(made.output.split())
    assert "Traceback" not in made.output


def test_no_date_can_be_used(case: Case) -> None:
    one = replace(case, targets=(case.targets[3],))
    with pytest.raises(ScenarioError, match="no year can be used: nothing was observed after the first"):
        cut(one, "2003")
    with pytest.raises(ScenarioError, match="no year can be used: no target has fit: true"):
        cut(replace(case, targets=(case.targets[0],)), "2003")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("cowan-jonard",), "cowan-jonard is neither a case"),
        (("tiny.targets.yaml", "--paths", "3"), "--paths must be at least 20"),
        (("tiny.targets.yaml", "--lucks", "1"), "--lucks at least 2"),
        (("tiny.targets.yaml", "--simulations", "9"), "--simulations must be at least"),
    ],
)
def test_what_cannot_be_held_out_is_told(given: tuple[str, ...], said: str, call: Callable[..., Result]) -> None:
    made = call("replicate", *given, "--hold-out", "2003")
    assert made.exit_code == 2, made.output
    assert said in " ".join(made.output.split())


# Rivals and scores, by hand -----------------------------------------------------------------------


def test_the_rivals_of_a_count(case: Case) -> None:
    """Firms were 60, 56 and 52; one more than each is what the logarithm is taken of."""
    at = cut(case, "2003")
    target = at.held[0]
    past = Past.of(at, target)
    assert past.years.tolist() == [2000.0, 2002.0, 2003.0]
    assert past.places == pytest.approx(np.log([61.0, 57.0, 53.0]))
    walk = np.sqrt(np.mean([np.log(57 / 61) ** 2 / 2, np.log(53 / 57) ** 2]))
    centre, spread = as_it_was(at, target)
    assert centre == pytest.approx(np.log(53.0))
    assert spread == pytest.approx(np.sqrt((2 / 53) ** 2 + walk**2 + (2 / 51) ** 2))
    centre, spread = as_before(at, target)
    line, covariance = np.polyfit([-3.0, -1.0, 0.0], past.places, 1, w=1.0 / past.errors, cov="unscaled")
    assert centre == pytest.approx(line.sum())
    assert spread == pytest.approx(np.sqrt(covariance.sum() + (2 / 51) ** 2))


def test_the_rivals_of_a_change(case: Case) -> None:
    at = cut(case, "2003")
    change = at.held[1]
    assert change.below == 1
    centre, _ = as_it_was(at, change)
    same = scored(change, SAME, np.full(50, centre))
    assert same.probability == pytest.approx(0.5)
    assert same.score == pytest.approx(0.25)
    centre, spread = as_before(at, change)
    assert centre < np.log(1.001)  # firms fell, and go on falling
    assert spread > 0.0


def test_where_there_is_no_past_nothing_is_said(case: Case) -> None:
    at = cut(case, "2003")
    jobs, small = at.held[2:4]
    assert (jobs.measure, small.measure) == ("employment", "small_firm_share")
    assert as_before(at, jobs) == "it was observed once before: no trend"
    assert as_it_was(at, small) == as_before(at, small) == "it was not observed before"
    _, spread = as_it_was(at, jobs)
    assert spread == pytest.approx(np.hypot(25 / 501, 25 / 451))  # of the two measurements alone


def test_scores_of_a_normal_forecast_are_the_exact_ones(case: Case) -> None:
    target = cut(case, "2003").held[0]
    place, spread = np.log(51.0), 0.2
    sample = place + 0.1 + spread * norm.ppf((np.arange(2000) + 0.5) / 2000)
    z = -0.1 / spread
    exact = spread * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    told = scored(target, MODEL, sample)
    assert told.score == pytest.approx(exact, rel=1e-3)
    assert told.inside == (True, True)
    assert scored(target, MODEL, sample + 0.1).inside == (False, True)  # 1 standard deviation off
    assert scored(target, MODEL, sample + 0.4).inside == (False, False)


def test_paths_count_by_their_weights(case: Case) -> None:
    target = cut(case, "2003").held[0].model_copy(update={"tolerance": 0.0})
    rng = np.random.default_rng(0)
    sample = of_paths(target, Said(np.log([41.0, 51.0]), np.array([0.3, 0.1]), 0.0), rng)
    assert np.mean(sample < np.log(45.0)) == pytest.approx(0.75)
    assert of_paths(target, Said(np.log([51.0]), np.ones(1), 0.1), rng).std() == pytest.approx(0.1, rel=0.1)


def test_skill_is_over_what_both_said(case: Case) -> None:
    one, two = case.targets[4], case.targets[6]

    def said(target: object, by: str, score: float, why: str = "") -> Score:
        return Score(target, by, (), () if why else (True, True), score, np.nan, why)  # type: ignore[arg-type]

    found = [said(one, MODEL, 0.1), said(two, MODEL, 0.9), said(one, SAME, 0.2), said(two, SAME, np.nan, "nothing")]
    assert skill(found, MODEL, SAME) == (pytest.approx(0.5), 1)
    assert summary(found, SAME).figures == 1
    value, count = skill(found, MODEL, TREND)
    assert np.isnan(value)
    assert count == 0


# Synthetic districts with a known truth -----------------------------------------------------------

GROWTH, LUCK = 0.06, 0.01
"""Growth differs between districts by more than luck does: there is something to learn from the past."""


def grown_once(job: runs_module.Job) -> Row:
    """In place of a run: firms grow at a rate that a parameter says, and by luck in every year."""
    rng = np.random.default_rng(job.seed)
    rate = GROWTH * np.log(job.values["demography.exit"] / 0.02)
    walk = np.concatenate([[0.0], np.cumsum(rng.normal(size=16) * LUCK)])
    path = 60.0 * np.exp(rate * np.arange(17) / 4.0 + walk)
    values = [
        path[look[1]] / (1.0 if look[2] is None else path[look[2]]) if look[0] == "firms" else 0.5
        for look in job.case.wanted
    ]
    return {"values": np.array(values, float), "paths": np.column_stack([path[1:], path[1:]])}


def synthetic(case: Case, truth: int) -> Case:
    """A district with a rate drawn from the prior, run once, and measured with errors."""
    rng = np.random.default_rng([77, truth])
    exit_rate = 0.0245 * np.exp(np.clip(rng.normal(), -1.8, 1.4) * np.log(25.0) / 4.0)
    firms = tuple(target for target in case.targets if target.measure == "firms" and target.since is None)
    probe = replace(case, targets=firms)
    told = grown_once(runs_module.Job(probe, {"demography.exit": exit_rate}, 10_000_000 + truth))["values"]
    seen = told * (1.0 + 0.03 * rng.normal(size=len(told)))
    return replace(
        case,
        targets=tuple(
            one.model_copy(update={"value": float(value), "tolerance": 0.03 * float(value)})
            for one, value in zip(firms, seen, strict=True)
        ),
    )


def judged(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, date: str = "2003") -> Outlook:
    monkeypatch.setattr(runs_module, "run_once", grown_once)
    monkeypatch.setattr("district_sim.evidence.posterior.fit.compile_first", lambda: None)
    at = cut(case, date)
    with Workers(1) as crew:
        return look_ahead(at, Setting(at.case, 0, 128, 200, folder), 200, 2, crew)


def test_the_later_outcome_lies_in_its_band_in_nine_of_ten(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 truths: fewer than 15 hold with probability 1 % if bands are right, with 87 % if they hold only 60 %."""
    inside = {0.5: 0, 0.9: 0}
    better = 0.0
    for truth in range(20):
        outlook = judged(synthetic(case, truth), tmp_path / str(truth), monkeypatch)
        found = scores(outlook)
        told = next(one for one in found if one.by == MODEL)
        inside[0.5] += told.inside[0]
        inside[0.9] += told.inside[1]
        better += next(one for one in found if one.by == SAME).score - told.score
    assert inside[0.9] >= 15
    assert 4 <= inside[0.5] <= 17
    assert better > 0.0  # than what knows of no growth


def test_fit_and_forecast_are_the_same_to_the_bit_whatever_came_later(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = synthetic(case, 3)
    at = cut(own, "2003")
    one = judged(own, tmp_path / "one", monkeypatch)
    two = judged(with_other_later_years(own, at), tmp_path / "two", monkeypatch)
    assert np.array_equal(one.fitted.places, two.fitted.places)
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.weights(0.08), two.weights(0.08))
    assert scores(one)[0].score != scores(two)[0].score


# The command --------------------------------------------------------------------------------------


def test_hold_out_from_the_command_line(call: Callable[..., Result], folder: Path) -> None:
    small = ("--simulations", "100", "--paths", "40", "--lucks", "2", "--workers", "1")
    made = call("replicate", "tiny.targets.yaml", "--hold-out", "2003", *small)
    assert made.exit_code == 0, made.output
    out = folder / "hold_outs" / "tiny"
    told = json.loads((out / "hold_out.json").read_text())
    assert told["command"].startswith("district-sim replicate tiny.targets.yaml --hold-out 2003 --simulations 100")
    assert told["fitted_to"] == ["firms 2002", "employment 2001", "firms 2003"]
    assert told["left_out"] == ["slump"]
    assert told["forecasters"]["model"]["figures"] == 3
    assert told["forecasters"]["model"]["directions"] == 1
    assert told["forecasters"]["as before"]["figures"] == 1
    assert "undefined" in made.output
    lines = (out / "scores.csv").read_text().splitlines()
    assert len(lines) == 1 + 4 * 4
    assert {"fans.png", "fans.svg", "fans.csv", "hold_out.md", "scores.md", "scores.tex"} <= {
        path.name for path in out.iterdir()
    }
    assert (out / "posterior" / "posterior.nc").is_file()
    before = (out / "hold_out.json").read_bytes()
    again = call("replicate", "hold-out", "tiny.targets.yaml", "--hold-out=2003", *small, "--json")
    assert again.exit_code == 0, again.output
    assert (out / "hold_out.json").read_bytes() == before
    other = call("replicate", "tiny.targets.yaml", "--hold-out", "2002", *small)
    assert other.exit_code == 2
    assert "--force" in other.output
