"""Experiments from the literature: designs that can be run, verdicts that follow from the numbers, whole files."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from district_sim.cli import app
from district_sim.cli.studies import complete_study
from district_sim.evidence.replications.claims import Source
from district_sim.evidence.studies import STUDIES, answers, load_study
from district_sim.evidence.studies import measure as measuring
from district_sim.evidence.studies.design import (
    Cell,
    Contrast,
    Expectation,
    Outcome,
    Peak,
    Study,
    gains_more,
    less,
    more,
    scenario_of,
)
from district_sim.evidence.studies.measure import OF_FIRMS, Finding, judged, measure, verdict
from district_sim.experiments.costs import budget_value
from district_sim.reports.studies import as_markdown, cells_sheet, costs_sheet, outcome_title
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.instruments import InstrumentKind
from district_sim.scenario.paths import value_at

EVERY = pytest.mark.parametrize("name", STUDIES)
SOURCE = Source("Someone", 1999)
QUICK = "education-or-research"  # four cells


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["study", *arguments], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


class TestDesigns:
    @EVERY
    def test_every_expectation_is_about_what_is_there(self, name: str) -> None:
        study = load_study(name)
        cells, outcomes = [cell.name for cell in study.cells], [outcome.name for outcome in study.outcomes]
        assert study.name == name
        assert len({*cells}) == len(cells)
        assert len({*outcomes}) == len(outcomes)
        assert {outcome.indicator for outcome in study.outcomes} <= {*NAMES, *OF_FIRMS}
        assert {*study.followed} <= {*NAMES, *OF_FIRMS}
        texts = [each.text for each in study.expectations]
        assert len({*texts}) == len(texts) >= 4
        for each in study.expectations:
            assert each.outcome in outcomes
            assert each.source.author
            used = each.weights if isinstance(each, Contrast) else (*each.cells, *each.other)
            assert {*used} <= {*cells}
            if isinstance(each, Contrast):
                assert each.direction in (-1, 1)
                assert sum(each.weights.values()) == 0.0
            else:
                places = [study.cell(cell).at or 0.0 for cell in each.cells]
                assert places == sorted({*places})

    @EVERY
    def test_every_cell_can_be_run_and_is_compared_with_one_like_it(self, name: str) -> None:
        study = load_study(name)
        assert bool(study.axis) == any(cell.at is not None for cell in study.cells)
        for cell in study.cells:
            scenario, reference = scenario_of(cell), study.reference(cell)
            assert reference.scenario == cell.scenario
            assert scenario.run.quarters == scenario_of(reference).run.quarters
            for outcome in study.outcomes:
                assert len(range(scenario.run.quarters)[outcome.first : outcome.last]) >= 40

    @EVERY
    def test_programmes_that_are_compared_cost_the_same(self, name: str) -> None:
        """Present values to rounding; in one study a small and a large budget are compared on purpose, in another
        programmes that end early with those that go on at the same budget a quarter."""
        study = load_study(name)
        values = set()
        for cell in study.cells:
            scenario = scenario_of(cell)
            own = load_scenario(cell.scenario, cell.levers).policies if cell.own else ()
            assert scenario.policies[: len(own)] == own
            programme = scenario.policies[len(own) :]
            quarters = scenario.run.quarters
            assert budget_value(programme, quarters) == pytest.approx(cell.value, rel=1e-12)
            assert all(item.start < quarters for item in programme)
            values |= {cell.value} if programme else set()
        assert len(values) <= (2 if name in ("timing", "conduct") else 1)

    def test_timings_differ_in_their_beginning_alone(self) -> None:
        windows = [
            {(item["start"], item["end"]) for item in cell.mix} for cell in load_study("timing").cells if cell.mix
        ]
        assert all(len(window) == 1 for window in windows)
        assert {end - start for window in windows for start, end in window} == {40}
        assert sorted({start for window in windows for start, _ in window}) == [20, 40, 60, 80]

    @EVERY
    def test_budgets_are_known_unless_they_are_shares_of_turnover(self, name: str) -> None:
        for cell in load_study(name).cells:
            scenario = scenario_of(cell)
            unknown = any(item.budget_share > 0.0 for item in scenario.policies)
            assert np.isnan(budget_value(scenario.policies, scenario.run.quarters)) == unknown, cell.name

    def test_fixed_conduct_buys_and_binds_as_the_imposed_scenarios_do(self) -> None:
        imposed = load_scenario("imposed/baseline")
        fixed = next(cell for cell in load_study("conduct").cells if cell.name == "fixed").levers
        shared = {path: value for path, value in fixed.items() if not path.startswith("mechanisms.")}
        assert shared == {path: value_at(imposed.model_dump(), path) for path in shared}

    def test_of_conduct_only_the_end_differs_between_programmes_of_one_kind(self) -> None:
        """Budgets a quarter are equal for all instruments, with conduct fixed and free, and for those that end."""
        for cell in load_study("conduct").cells:
            for item in scenario_of(cell).policies[: len(cell.mix)] if cell.mix else ():
                assert item.budget == pytest.approx(200.0)
                assert (item.start, item.end) == (40, 80 if cell.name.endswith("ended") else 160)

    def test_a_cell_that_cannot_be_is_refused(self) -> None:
        with pytest.raises(ScenarioError, match="no budget within the 160 quarters"):
            scenario_of(
                Cell("late", mix=[{"name": "it", "kind": "rd_subsidy", "start": 200, "budget": 1.0}], value=1.0)
            )


# Verdicts -----------------------------------------------------------------------------------------

REPLICATES = 20


def made_up(*expectations: Expectation, levels: tuple[float, ...] = (0.0, 1.0)) -> Study:
    cells = tuple(Cell(name, at=level) for name, level in zip("abcdefg", levels, strict=False))
    return Study("made-up", "Made up", "Is it?", "None.", (Outcome("wage"),), cells, expectations)


def outcomes(seed: int = 0, noise: float = 1.0, **means: float) -> Mapping[str, pd.DataFrame]:
    """Cells with these means; luck moves all of them alike, and a little of it each on its own."""
    rng = np.random.default_rng(seed)
    luck = rng.normal(0.0, 100.0, REPLICATES)
    return {
        cell: pd.DataFrame({"wage": mean + luck + rng.normal(0.0, noise, REPLICATES)}) for cell, mean in means.items()
    }


def judge(values: Mapping[str, pd.DataFrame], *expectations: Expectation, **terms: Any) -> tuple[Finding, ...]:
    return judged(made_up(*expectations, **terms), values)


class TestVerdicts:
    def test_agreement_disagreement_and_what_is_left_open(self) -> None:
        """The difference is a hundredth of what luck makes of the means, and is found because luck is the same."""
        rises, falls = more("up", SOURCE, "wage", "b", "a"), less("down", SOURCE, "wage", "b", "a")
        values = outcomes(a=0.0, b=2.0)
        assert [finding.verdict for finding in judge(values, rises, falls)] == ["agrees", "disagrees"]
        (open_question,) = judge(outcomes(a=0.0, b=0.1), rises)
        assert open_question.verdict == "undecided"
        assert open_question.low < 0.0 < open_question.high

    def test_the_numbers_are_those_of_the_pairs(self) -> None:
        values = outcomes(a=1.0, b=2.0)
        (found,) = judge(values, more("up", SOURCE, "wage", "b", "a"))
        gaps = values["b"]["wage"] - values["a"]["wage"]
        assert found.difference == pytest.approx(gaps.mean()) == pytest.approx(found.mean - found.reference)
        assert found.n == REPLICATES
        assert found.detectable == pytest.approx(2.8 * gaps.std() / REPLICATES**0.5)
        assert found.low < found.difference < found.high
        assert found.source == "Someone 1999"

    def test_where_nothing_varies_nothing_is_decided(self) -> None:
        a = outcomes(a=0.0)["a"]
        (found,) = judge({"a": a, "b": a}, more("up", SOURCE, "wage", "b", "a"))
        assert (found.difference, found.p, found.verdict) == (0.0, 1.0, "undecided")

    def test_many_expectations_make_each_harder_to_decide(self) -> None:
        up = more("up", SOURCE, "wage", "b", "a")
        values = outcomes(4, a=0.0, b=0.55)
        (alone,) = judge(values, up)
        among = judge(values, *[up] * 7)
        assert alone.p == alone.p_holm == among[0].p
        assert among[0].p_holm == pytest.approx(7.0 * alone.p)
        assert (alone.verdict, among[0].verdict) == ("agrees", "undecided")

    def test_differences_of_differences(self) -> None:
        step = gains_more("more here", SOURCE, "wage", ("b", "a"), ("d", "c"))
        (found,) = judge(outcomes(a=0.0, b=5.0, c=3.0, d=4.0), step)
        assert found.verdict == "agrees"
        assert found.difference == pytest.approx(4.0, abs=1.0)
        (found,) = judge(outcomes(a=0.0, b=1.0, c=3.0, d=8.0), step)
        assert found.verdict == "disagrees"

    @pytest.mark.parametrize(
        ("toward", "p", "told"),
        [
            (1.0, 0.049, "agrees"),
            (-1.0, 0.049, "disagrees"),
            (1.0, 0.05, "undecided"),
            (-1.0, 0.2, "undecided"),
            (1.0, float("nan"), "undecided"),
        ],
    )
    def test_the_rule(self, toward: float, p: float, told: str) -> None:
        assert verdict(toward, p) == told


class TestPeaks:
    INSIDE = Peak("inside", SOURCE, "wage", "abc")
    LEVELS = (0.1, 0.5, 0.9)

    @pytest.mark.parametrize(
        ("means", "place", "told"),
        [
            ((0.0, 3.0, 1.0), 0.5, "agrees"),
            ((0.0, 1.0, 3.0), 0.9, "disagrees"),
            ((3.0, 1.0, 0.0), 0.1, "disagrees"),
            ((1.0, 1.1, 1.0), None, "undecided"),
        ],
    )
    def test_inside(self, means: tuple[float, ...], place: float | None, told: str) -> None:
        (found,) = judge(outcomes(**dict(zip("abc", means, strict=True))), self.INSIDE, levels=self.LEVELS)
        assert found.verdict == told
        assert found.expected == "between 0.1 and 0.9"
        assert found.low <= found.difference <= found.high
        if place is not None:
            assert found.difference == place

    @pytest.mark.parametrize(
        ("here", "there", "told"), [("a", "b", "agrees"), ("b", "a", "disagrees"), ("b", "b", "undecided")]
    )
    def test_lower_than_elsewhere(self, here: str, there: str, told: str) -> None:
        means = {name: 3.0 * (name == here) for name in "abc"}
        means |= {other: 3.0 * (name == there) for name, other in zip("abc", "def", strict=True)}
        lower = Peak("lower", SOURCE, "wage", "abc", "def")
        (found,) = judge(outcomes(**means), lower, levels=(*self.LEVELS, *self.LEVELS))
        assert found.verdict == told
        assert found.difference == pytest.approx(found.mean - found.reference)


# Runs and files -----------------------------------------------------------------------------------


def test_a_study_is_run_on_the_same_luck() -> None:
    """Two cells that are the same district differ in nothing; the mean is of the window that the outcome names."""
    cells = [Cell(name, levers={"firms.count": 20, "run.quarters": 6}) for name in "ab"]
    study = Study(
        "twins", "", "", "", (Outcome("employment", 3), Outcome("employment", 0, None, "present value")), cells, ()
    )
    found = measure(study, replications=2, seed=5, workers=1)
    other = measure(study, replications=2, seed=6, workers=1)
    assert (found.points["difference"] == 0.0).all()
    late, value = found.points["mean"][:2]
    assert value == pytest.approx(6 * late, rel=0.1)
    assert late != other.points["mean"][0]


def test_a_run_writes_all_files_the_same_for_one_and_two_workers(tmp_path: Path) -> None:
    written = []
    for workers in ("1", "2"):
        folder = tmp_path / workers
        result = call(QUICK, "--replications", "2", "--workers", workers, "--out", str(folder), "--json")
        assert result.exit_code == 0, result.output
        written.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert written[0] == written[1]
    names = {f"{QUICK}.csv", f"{QUICK}.png", f"{QUICK}.svg", "expectations.csv", "studies.json", "studies.md"}
    assert written[0].keys() == names

    told, study = json.loads(result.output), load_study(QUICK)
    kept = json.loads(written[0]["studies.json"])
    assert kept["studies"] == [told]
    assert [one["expectation"] for one in told["expectations"]] == [each.text for each in study.expectations]
    assert told["replications"] == 2
    assert told["seed"] == 1000
    rows = list(csv.DictReader(written[0][f"{QUICK}.csv"].decode().splitlines()))
    assert [(row["cell"], row["outcome"]) for row in rows] == [
        (cell.name, outcome.name) for cell in study.cells for outcome in study.outcomes
    ]
    assert float(rows[0]["mean"]) == told["points"][0]["mean"]
    expectations = list(csv.DictReader(written[0]["expectations.csv"].decode().splitlines()))
    assert [row["verdict"] for row in expectations] == [one["verdict"] for one in told["expectations"]]
    page = written[0]["studies.md"].decode()
    assert all(text in page for text in (study.question, study.design, f"({QUICK}.png)"))
    assert all(each.text in page and each.source.short in page for each in study.expectations)

    again = call(QUICK, "--out", str(tmp_path / "1"))
    assert again.exit_code == 2
    assert "not empty" in again.output


@pytest.mark.parametrize("name", ["embeddedness", "takeovers"])
def test_tables_and_figures_of_made_up_numbers(name: str, tmp_path: Path) -> None:
    """Both kinds of figure; shares are shown in per cent, peaks as places."""
    from district_sim.evidence.studies import measure as module
    from district_sim.reports.studies import write_studies

    study, rng = load_study(name), np.random.default_rng(1)
    values = {
        cell.name: pd.DataFrame({outcome.name: rng.normal(0.5, 0.1, 4) for outcome in study.outcomes}).assign(spent=1.0)
        for cell in study.cells
    }
    points = module.points_of(study, values, dict.fromkeys(values, 0.0))
    result = module.Result(study, 1, 4, points, judged(study, values))
    assert {path.name for path in write_studies([result], tmp_path)} >= {f"{name}.png", f"{name}.svg", "studies.md"}
    page = as_markdown([result])
    assert costs_sheet(result) is None
    assert [len(rows) for _, rows in cells_sheet(result).sections] == [len(study.cells)] * len(study.outcomes)
    if name == "embeddedness":
        assert "place of the highest: Productivity, k€ per employee" in page
    else:
        first = result.points[result.points["outcome"] == "mne_employment_share"].iloc[0]
        assert f"| {first['cell']} | {100 * first['mean']:.1f}" in page.replace("−", "-")
        assert outcome_title(study.outcomes[0]) == "Multinational employment share, %"


# Conduct ------------------------------------------------------------------------------------------


def of_conduct(replications: int = 3, quarters: int = 160) -> measuring.Result:
    """Made-up numbers in the form of the study of conduct: R&D subsidies raise R&D drive, and half of it is lost four
    quarters after their end; a euro of grant brings 0.6 of R&D.
    """
    study, rng = load_study("conduct"), np.random.default_rng(2)
    names = [outcome.name for outcome in study.outcomes]
    values = {
        cell.name: pd.DataFrame(rng.normal(0.5, 0.1, (replications, len(names))), columns=names).assign(spent=1.0)
        for cell in study.cells
    }
    quarter = np.arange(quarters)
    paths = []
    for cell in study.cells:
        for replicate in range(replications):
            own = pd.DataFrame({"cell": cell.name, "replicate": replicate, "quarter": quarter})
            own[list(study.followed)] = 0.5
            if cell.name.startswith("free, rd subsidy"):
                since = np.where(quarter < 80, 0, quarter - 79) if cell.name.endswith("ended") else 0 * quarter
                on = quarter >= 40
                own["conduct_research"] += on * 0.25 * 0.5 ** (since / 3.5)
                own["grants"] = on * (since == 0) * 100.0
                own["research_spending"] += 0.6 * own["grants"]
            elif "grant" in cell.name or "rd subsidy" in cell.name:
                own["grants"] = 1.0
            paths.append(own)
    points = measuring.points_of(study, values, dict.fromkeys(values, 1.0))
    return measuring.Result(study, 1, replications, points, judged(study, values), pd.concat(paths, ignore_index=True))


class TestConduct:
    def test_what_is_put_side_by_side(self) -> None:
        found = of_conduct()
        table = answers.effects(found).set_index(["kind", "bids", "outcome"])
        points = found.points.set_index(["cell", "outcome"])["difference"]
        row = table.loc[("takeover_screening", "high", "employment")]
        assert row["free"] == points[("free, high bids, takeover screening", "employment")]
        assert row["fixed"] == points[("fixed, high bids, takeover screening", "employment")]
        assert len({kind for kind, _, _ in table.index}) == len(InstrumentKind)

    def test_the_trait_that_moves_most_moves_furthest_in_spreads(self) -> None:
        table = answers.shifts(of_conduct())
        most = answers.moved_most(table)
        assert list(most["kind"]) == [kind.value for kind in InstrumentKind]
        for row in most.to_dict("records"):
            assert abs(row["in_spreads"]) == table.loc[table["kind"] == row["kind"], "in_spreads"].abs().max()
        assert table["in_spreads"].to_numpy() == pytest.approx(table["shift"].to_numpy() / 0.5)

    def test_research_for_a_euro(self) -> None:
        table = answers.additionality(of_conduct()).set_index(["kind", "conduct"])
        assert table.loc[("rd_subsidy", "free"), "per_euro"] == pytest.approx(0.6, abs=1e-3)

    def test_half_lives(self) -> None:
        table = answers.fading(of_conduct()).set_index("kind")
        row = table.loc["rd_subsidy"]
        assert (row["trait"], row["half_life"], row["low"], row["high"]) == ("research", 4.0, 4.0, 4.0)
        assert row["in_spreads"] == pytest.approx(0.5)
        assert answers.half_life(np.ones(160)) == np.inf
        assert answers.half_life(-np.r_[np.ones(80), np.zeros(80)]) == 1.0

    def test_tables_figures_and_files(self, tmp_path: Path) -> None:
        from district_sim.reports.studies import write_studies

        found = of_conduct()
        names = {path.name for path in write_studies([found], tmp_path)}
        assert names >= {f"conduct-{part}.csv" for part in ("effects", "shifts", "grants", "fading")}
        assert names >= {"conduct.png", "conduct-fading.png", "studies.md"}
        page = (tmp_path / "studies.md").read_text(encoding="utf-8")
        assert "R&D subsidy | free | 0.60" in page
        assert "R&D subsidy | R&D drive | +0.50 | 4 |" in page

    def test_research_is_added_up_over_firms(self) -> None:
        """Own R&D and grants make all of it; without grants all of it is their own."""
        levers = {"firms.count": 20, "run.quarters": 8, "strategy_start": 2}
        grants = [{"name": "grants", "kind": "rd_subsidy", "budget": 1.0, "start": 4}]
        outcomes = tuple(Outcome(name, 0) for name in OF_FIRMS)
        cells = (Cell("without", levers=levers), Cell("with", levers=levers, mix=grants, value=20.0))
        study = Study("small", "", "", "", outcomes, cells, (), followed=("research_spending", "grants"))
        found = measure(study, replications=2, workers=1)
        means = found.points.set_index(["cell", "outcome"])["mean"]
        for cell in ("without", "with"):
            assert means[(cell, "own_research")] + means[(cell, "grants")] == pytest.approx(
                means[(cell, "research_spending")]
            )
        assert means[("without", "grants")] == 0.0
        assert found.paths is not None
        assert found.paths["grants"].sum() / 2 == pytest.approx(found.points["mean"].iloc[-1] * 8, rel=1e-5)
        assert means[("with", "grants")] > 0.0


class TestCommand:
    def test_list(self) -> None:
        shown = call("list")
        assert shown.exit_code == 0
        assert all(name in shown.output for name in STUDIES)
        told = json.loads(call("list", "--json").output)
        assert [one["name"] for one in told] == [*STUDIES]
        assert all(one["expectations"] and one["question"] for one in told)

    def test_completion(self) -> None:
        assert complete_study("e") == ["education-or-research", "entrants", "embeddedness"]
        assert complete_study("a") == ["all"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["tmiing"], "there is no study 'tmiing'; did you mean 'timing'?"),
            (["everything else"], "(known: list, all, timing, withdrawal,"),
            (["timing", "--replications", "1"], "--replications must be between 2 and 10000, not 1"),
            (["timing", "--seed", "-1"], "--seed must be between"),
        ],
    )
    def test_bad_input(self, arguments: list[str], message: str) -> None:
        result = call(*arguments)
        assert result.exit_code == 2
        assert message in result.output.replace("\n", " ")

    def test_a_folder_that_cannot_be_is_told_before_anything_runs(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        result = call("timing", "--out", str(tmp_path / "file" / "below"))
        assert result.exit_code == 2
        assert "cannot be written" in result.output
