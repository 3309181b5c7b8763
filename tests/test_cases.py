"""District cases: files of targets and their errors, measures, comparison, calibration and what it can tell."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from district_sim import figures
from district_sim.evidence.cases import calibration
from district_sim.evidence.cases.calibration import (
    FIT_SEEDS,
    REPORT_SEEDS,
    Axis,
    Fit,
    Interrupted,
    Journal,
    Search,
    calibrate,
)
from district_sim.evidence.cases.compare import Compared, compare
from district_sim.evidence.cases.files import Case, Prior, Target, case_names, load_case, read_case
from district_sim.evidence.cases.identify import identify
from district_sim.evidence.cases.observables import OBSERVABLES, observable, observed, observed_in
from district_sim.evidence.cases.runs import Observed, counted, ensemble, scaled, watch
from district_sim.evidence.replications import REPLICATIONS
from district_sim.reports.cases import OtherFit, open_journal, report_sheet, write_calibration
from district_sim.run.run import simulate
from district_sim.run.trajectories import Trajectory
from district_sim.scenario.files import ScenarioError, load_scenario, scenario_names
from district_sim.scenario.indicators import NAMES

DISTRICT = "title: Tiny\ndescription: For tests.\nfirms: {count: 60, settling: 4}\nrun: {quarters: 16}\n"
SEEN = "source: nobody, published: 2000, certainty: C"
TARGETS = f"""\
scenario: tiny
start: 2000
targets:
  - {{measure: firms, year: 2004, value: 40, tolerance: 1, fit: true, {SEEN}}}
  - {{measure: employment, year: 2002, since: 2000, above: 0.5, {SEEN}}}
parameters:
  demography.exit: {{low: 0.004, high: 0.1, log: true}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(DISTRICT)
    (tmp_path / "tiny.targets.yaml").write_text(TARGETS)
    return tmp_path


@pytest.fixture
def case(folder: Path) -> Case:
    return read_case(folder / "tiny.targets.yaml")


@pytest.fixture
def call(folder: Path) -> Callable[..., Result]:
    from district_sim import cli

    return lambda *arguments: CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", case_names())
def test_bundled_cases_are_whole(name: str) -> None:
    before, fitted = load_case(name, fitted=False), load_case(name, fitted=True)
    assert name in REPLICATIONS
    assert f"cases/{name}" in scenario_names()
    assert {f"cases/{name}.targets", f"cases/_{name}"} & set(scenario_names()) == set()
    assert any(target.fit for target in before.targets)
    assert set(before.parameters) <= {path for path in before.parameters if "." in path}
    changed = fitted.scenario.model_dump()
    for path in before.parameters:
        section, field = path.split(".")
        changed[section][field] = before.scenario.model_dump()[section][field]
    assert changed == before.scenario.model_dump(), "the fit changes nothing but what it declares"


def test_the_world_has_one_calendar() -> None:
    years = set()
    for name in case_names():
        case = load_case(name, fitted=True)
        start, world, technology = case.start, case.scenario.world, case.scenario.technology
        years.add((start + world.onset / 4, world.ramp, world.globalisation, start + technology.first_ripening / 4))
    assert years == {(1996.0, 60, 1.0, 2002.0)}


BAD = {
    "unknown measure": ("measure: firms", "measure: frims", "4: there is no measure 'frims'; did you mean 'firms'?"),
    "kind": ("value: 40", "value: many", "4: targets.0.value = 'many': must be a number or empty"),
    "range": ("tolerance: 1", "tolerance: -1", "4: targets.0.tolerance = -1: must be a number of at least 0"),
    "unknown key": ("fit: true", "fitted: true", "4: targets.0.fitted: unknown key; did you mean 'fit'?"),
    "missing": ("source: nobody, ", "", "4: targets.0.source: this key is required"),
    "two kinds": ("above: 0.5", "above: 0.5, below: 1", "5: targets.1: needs one of value, above and below"),
    "beyond the run": ("year: 2004", "year: 2005", "4: year = 2005: the run of"),
    "unknown parameter": (
        "demography.exit:",
        "demography.exot:",
        "7: there is no parameter 'demography.exot'; did you",
    ),
    "whole number": (
        "demography.exit: {low: 0.004, high: 0.1",
        "run.quarters: {low: 1, high: 50",
        "7: run.quarters: is",
    ),
    "not allowed": (
        "high: 0.1",
        "high: 3",
        "7: demography.exit: the range 0.004 to 3 is not allowed; must be a number b",
    ),
    "elsewhere": ("low: 0.004", "low: 0.05", "7: demography.exit = 0.008 in"),
    "no range": ("high: 0.1", "high: 0.001", "7: parameters.demography.exit: high (0.001) must be above low"),
}


@pytest.mark.parametrize(("old", "new", "said"), BAD.values(), ids=BAD.keys())
def test_bad_targets_name_file_line_and_what_is_allowed(folder: Path, old: str, new: str, said: str) -> None:
    path = folder / "tiny.targets.yaml"
    path.write_text(TARGETS.replace(old, new))
    with pytest.raises(ScenarioError) as refused:
        read_case(path)
    assert f"tiny.targets.yaml:{said}" in str(refused.value).splitlines()[0]


def test_an_unknown_case_is_named(call: Callable[..., Result]) -> None:
    result = call("calibrate", "karpi")
    assert result.exit_code == 2
    assert "there is no case 'karpi'; did you mean 'carpi'?" in result.output


# Runs and measures --------------------------------------------------------------------------------


def test_a_watched_run_is_the_run(case: Case) -> None:
    """Values as of `simulate` with the same seed; a ratio is a ratio; the first year is its first quarter."""
    wanted = (("employment", 1, None), ("employment", 9, 1), ("large_firms", 16, None), ("mean_size", 16, None))
    found = watch(case.scenario, 7, wanted)
    run = simulate(case.scenario, 7)
    employment = run.indicators["employment"]
    assert found.values[0] == employment.loc[1]
    assert found.values[1] == employment.loc[9] / employment.loc[1]
    assert found.values[2] == (run.end.firms["employees"] >= 50).sum()
    assert found.values[3] == pytest.approx(employment.loc[16] / run.indicators["firms"].loc[16], rel=1e-9)
    assert np.array_equal(found.paths[:, 1], employment.to_numpy())
    assert case.quarter(2000) == 1
    assert case.quarter(2002) == 8


def test_measures_by_hand() -> None:
    kind = np.dtype([("employees", float), ("sales", float), ("owner", np.int64)])
    rows = [
        (9.0, 1.0, -1),
        (10.0, 2.0, 3),
        (50.0, 3.0, -1),
        (31.0, 4.0, -1),
        (60.0, 10.0, -2),
        (40.0, 0.0, 3),
        (8.0, 5.0, -2),
    ]
    firms = np.array(rows, kind).view(np.recarray)
    by_hand = {
        "mean_size": 208.0 / 7,
        "small_firm_share": 2 / 7,
        "small_firm_employment_share": 17 / 208,
        "small_firm_sales_share": 6 / 25,
        "large_firms": 2.0,
        "large_firm_sales_share": 13 / 25,
        "large_firm_share": 2 / 7,
        "large_firm_employment_share": 110 / 208,
        "groups": 1.0,
        "affiliates": 2.0,
        "multinationals": 1.0,
    }
    assert {name for name, measure in OBSERVABLES.items() if measure.of} == set(by_hand)
    for name, value in by_hand.items():
        assert observed(name, firms, np.empty(0)) == pytest.approx(value), name
    of_nobody = {name: observed(name, firms[:0], np.empty(0)) for name in by_hand}
    counts = {"large_firms", "groups", "affiliates", "multinationals"}
    assert {name for name, value in of_nobody.items() if value == 0.0} == counts
    assert {name for name, value in of_nobody.items() if np.isnan(value)} == set(by_hand) - counts


def test_measures_whose_name_holds_a_number() -> None:
    kind = np.dtype([("employees", float), ("sales", float), ("alive", bool), ("founded", np.int64)])
    rows = [
        (50.0, 1.0, True, -20),
        (30.0, 5.0, True, 0),
        (10.0, 3.0, True, 3),
        (9.0, 9.0, False, 3),
        (10.0, 1.0, True, 4),
    ]
    firms = np.array(rows, kind).view(np.recarray)
    table = np.full((8, len(NAMES)), np.nan)
    flows = {
        "firms": [9.0, 9.0, 9.0, 9.0, 4.0, 4.0, 6.0, 6.0],
        "entries": [7.0] * 5 + [0.0, 2.0, 1.0],
        "exits": [1.0] * 8,
    }
    for name, values in flows.items():
        table[:, NAMES.index(name)] = values
    by_hand = {
        "top_1_sales_share": 5 / 10,
        "top_2_employment_share": 80 / 100,
        "top_99_sales_share": 1.0,
        "survival_1": 2 / 3,  # of those of quarters 0 to 3
        "birth_rate": 10.0 / 5.0,
        "death_rate": 4.0 / 5.0,
    }
    for name, value in by_hand.items():
        assert observed_in(name, firms, table) == pytest.approx(value), name
    assert np.isnan(observed_in("survival_2", firms, table))  # nobody knows who was founded before the run
    for wrong in ("survival_0", "survival_five", "top_0_sales_share", "top_3_wage_share"):
        assert observable(wrong) is None


def test_a_scaled_district_counts_for_the_whole(case: Case) -> None:
    small = scaled(case.scenario, 0.5, {"demography.exit": 0.01})
    assert (small.firms.count, small.demography.exit) == (30, 0.01)
    assert counted(case, small).tolist() == [2.0, 1.0], "firms are counted twice, a ratio is a ratio"


def test_targets_of_changes_rates_and_comparisons(folder: Path) -> None:
    """A difference is one; a rate is that of the year; what is compared is less the other scenario's, same luck."""
    (folder / "outside.yaml").write_text("extends: tiny\ndemography: {exit: 0.05}\n")
    lines = [
        f"{{measure: employment, year: 2003, since: 2001Q3, change: difference, value: 1, {SEEN}}}",
        f"{{measure: death_rate, year: 2003, value: 0.1, {SEEN}}}",
        f"{{measure: firms, year: 2004, compared: true, value: 1, {SEEN}}}",
    ]
    text = "scenario: tiny\ncomparison: outside\nstart: 2000\ntargets:\n" + "".join(f"  - {line}\n" for line in lines)
    (folder / "more.targets.yaml").write_text(text)
    case = read_case(folder / "more.targets.yaml")
    assert case.wanted == (("employment", 12, 6, True), ("death_rate", 16, None), ("firms", 16, None))
    assert counted(case, scaled(case.scenario, 0.5)).tolist() == [2.0, 1.0, 2.0]
    (found,) = ensemble(case, [7], None, 1)
    run, outside = simulate(case.scenario, 7).indicators, simulate(case.comparison, 7).indicators
    by_hand = [
        run["employment"].loc[12] - run["employment"].loc[6],
        run["exits"].loc[13:16].sum() / run["firms"].loc[13:16].mean(),
        run["firms"].loc[16] - outside["firms"].loc[16],
    ]
    assert found.values == pytest.approx(by_hand)
    assert by_hand[2] > 0
    rows = compare(case, [found])
    assert [row.used for row in rows] == ["checked"] * 3
    assert "change since 2001Q3" in rows[0].what
    assert "less the comparison" in rows[2].what


REFUSED = {
    "compared: true": "compared: needs the file's comparison",
    "change: difference": "change: difference needs since",
    "year: 2003Q9": "must be a year",
    "measure: death_rate, year: 2004": "year = 2004: the run of .* goes from 2000 to 2004",
    "measure: survival_5, year: 2003": "year = 2003: survival_5 can be known from 2006Q1 on",
}


@pytest.mark.parametrize(("wrong", "said"), REFUSED.items(), ids=REFUSED.keys())
def test_targets_that_cannot_be_are_refused(folder: Path, wrong: str, said: str) -> None:
    told = {"measure": "firms", "year": "2004", "value": "40"} | dict(part.split(": ") for part in wrong.split(", "))
    line = ", ".join(f"{key}: {value}" for key, value in told.items())
    (folder / "tiny.targets.yaml").write_text(f"scenario: tiny\nstart: 2000\ntargets:\n  - {{{line}, {SEEN}}}\n")
    with pytest.raises(ScenarioError, match=f"tiny.targets.yaml:4: .*{said}"):
        read_case(folder / "tiny.targets.yaml")


def test_the_start_is_the_scenarios(folder: Path) -> None:
    path = folder / "tiny.targets.yaml"
    (folder / "tiny.yaml").write_text(DISTRICT.replace("quarters: 16", "quarters: 16, start: 2000"))
    path.write_text(TARGETS.replace("start: 2000\n", ""))
    case = read_case(path)
    assert (case.start, case.span, case.quarter(2002)) == ("2000Q1", "2000 to 2004", 8)
    path.write_text(TARGETS.replace("start: 2000\n", "start: 2001\n"))
    with pytest.raises(ScenarioError, match="start = 2001: the scenario's run begins in 2000Q1"):
        read_case(path)
    (folder / "tiny.yaml").write_text(DISTRICT)
    path.write_text(TARGETS.replace("start: 2000\n", ""))
    with pytest.raises(ScenarioError, match=r"start: this key is required, as the scenario has no run\.start"):
        read_case(path)


# Comparison ---------------------------------------------------------------------------------------


def target(**fields: object) -> Target:
    plain = {"measure": "firms", "year": 2004, "source": "nobody", "published": 2000, "certainty": "C"}
    return Target.model_validate(plain | fields)


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({"value": 10.0}, True),
        ({"value": 19.5}, False),  # beyond the 95 % quantile
        ({"value": 22.0, "tolerance": 11.0}, False),
        ({"value": 22.0, "tolerance": 12.0}, True),  # the median within the tolerance
        ({"above": 9.9}, True),
        ({"above": 10.1}, False),
        ({"below": 10.1}, True),
    ],
)
def test_hits_and_misses(fields: dict[str, float], hit: bool) -> None:
    compared = Compared(target(**fields), np.arange(21.0))
    assert (compared.median, compared.band) == (10.0, (1.0, 19.0))
    assert compared.hit is hit
    assert compared.cells()[-1] == ("hit" if hit else "MISS")


def test_figure_shows_what_was_observed() -> None:
    paths = np.random.default_rng(0).uniform(90, 110, (12, 8, 2))
    points = [[(2001.0, 100.0, 5.0, True)], [(2002.0, 80.0, 5.0, False)]]
    figure = figures.case_paths("Tiny", 2000, ("firms", "employment"), paths, points)
    axes = figure.axes
    assert [ax.get_title(loc="left") for ax in axes] == ["Firms", "Employees"]
    assert axes[0].get_lines()[0].get_xdata()[0] == 2000.25
    labels = [text for ax in axes for text in ax.get_legend_handles_labels()[1]]
    assert {"observed, fitted", "observed, not fitted"} <= set(labels)


# Identifiability ----------------------------------------------------------------------------------


def test_identified_separated_and_neither() -> None:
    """Three parameters act alike in pairs, one on a target of its own, one on none, one only as much as luck does."""
    effects = np.array([[6.0, 6.0, 0.0, 0.0, 0.5], [0.0, 0.0, 9.0, 0.0, 0.0]])
    errors = np.full(effects.shape, 0.3)
    found = identify(["a", "b", "c", "d", "e"], effects, errors)
    assert [pair[:2] for pair in found.alike] == [("a", "b")]
    assert found.alike[0][2] == pytest.approx(-36.0 / 37.0)
    assert found.verdict("a") == "not separated from b"
    assert found.verdict("c") == "identified"
    assert found.verdict("d") == found.verdict("e") == "not identified: no target responds"
    assert found.left[2] == pytest.approx(1.0 / np.sqrt(82.0))
    assert [direction.identified for direction in found.directions] == [True, True, False, False, False]
    assert found.directions[1].main(found.names) == [("a", pytest.approx(0.5**0.5)), ("b", pytest.approx(0.5**0.5))]


# Calibration --------------------------------------------------------------------------------------


def fitted_to(case: Case, truth: dict[str, float], paths: dict[str, Prior], scenario: str = "") -> Case:
    """The case with targets that a known parameter has given, on seeds that no fit uses."""
    wanted = (("firms", 8, None), ("firms", 16, None))
    runs = [watch(scaled(case.scenario, 1.0, truth), seed, wanted).values for seed in range(200, 224)]
    values = np.mean(runs, axis=0)
    targets = tuple(
        target(year=2000 + q // 4, value=float(value), tolerance=0.02 * float(value), fit=True)
        for (_, q, _), value in zip(wanted, values, strict=True)
    )
    return replace(case, targets=targets, parameters=paths)


def test_a_known_parameter_is_found_again(case: Case) -> None:
    exits = {"demography.exit": Prior(low=0.002, high=0.2, log=True)}
    case = fitted_to(case, {"demography.exit": 0.05}, exits)
    fit = calibrate(case, seeds=6, budget=400, workers=1)
    assert fit.complete
    assert fit.identified is not None
    assert fit.identified.verdict("demography.exit") == "identified"
    assert fit.error < 0.3 * fit.start_error
    spread = Axis.of("demography.exit", exits["demography.exit"], 0.008).spread
    off = abs(np.log(fit.values["demography.exit"] / 0.05)) / spread
    assert off < 3.0 * fit.identified.left[0], "within three posterior standard deviations"
    assert 0.035 < fit.values["demography.exit"] < 0.07


def test_the_number_of_firms_can_be_fitted(case: Case) -> None:
    count = {"firms.count": Prior(low=30, high=120)}
    case = replace(fitted_to(case, {"firms.count": 80}, count), scale=0.5)
    fit = calibrate(case, seeds=4, budget=200, workers=1)
    assert isinstance(fit.values["firms.count"], int)
    assert 70 < fit.values["firms.count"] < 90
    assert fit.scenario.firms.count == fit.values["firms.count"]


def test_whole_numbers_need_a_range_that_steps_can_be_seen_in(folder: Path) -> None:
    path = folder / "tiny.targets.yaml"
    for said in ("low: 55, high: 65", "low: 30.5, high: 90"):
        path.write_text(
            TARGETS.replace("demography.exit: {low: 0.004, high: 0.1, log: true}", f"firms.count: {{{said}}}")
        )
        with pytest.raises(ScenarioError, match=r"yaml:7: firms\.count: is a whole number; its range needs"):
            read_case(path)


def test_redundant_parameters_are_not_separated(case: Case) -> None:
    """Founding depends on the product of these two alone."""
    pair = {
        "demography.entry": Prior(low=0.0055, high=0.088, log=True),
        "strategy.entrepreneurship": Prior(low=0.25, high=4.0, log=True),
    }
    both = scaled(case.scenario, 1.0)
    both = both.model_copy(update={"strategy_start": 0})
    case = fitted_to(replace(case, scenario=both), {"demography.entry": 0.06}, pair)
    fit = calibrate(case, seeds=6, budget=400, workers=1)
    assert fit.identified is not None
    assert [found[:2] for found in fit.identified.alike] == [tuple(pair)]
    assert fit.identified.verdict("demography.entry") == "not separated from strategy.entrepreneurship"
    assert sum(direction.identified for direction in fit.identified.directions) == 1
    product = fit.values["demography.entry"] * fit.values["strategy.entrepreneurship"]
    assert 0.045 < product < 0.08


def test_the_fit_keeps_to_its_seeds_and_its_budget(case: Case) -> None:
    assert not set(FIT_SEEDS) & set(REPORT_SEEDS)
    for wrong in ({"seed": 95}, {"seeds": 1}, {"seed": -1}, {"budget": 20}):
        with pytest.raises(ValueError, match=r"seeds 0 to 99|too small"):
            calibrate(case, workers=1, **wrong)  # type: ignore[arg-type]
    fit = calibrate(case, seeds=2, budget=14, workers=1)
    assert fit.runs <= 14
    assert fit.identified is not None


def test_a_target_that_is_no_number_is_refused(case: Case) -> None:
    case = replace(
        case, targets=(target(measure="takeovers", year=2004, since=2000, value=1.0, tolerance=1.0, fit=True),)
    )
    with pytest.raises(ValueError, match="is not a number"):
        calibrate(case, seeds=2, budget=50, workers=1)


def test_an_interrupted_fit_keeps_the_best_and_goes_on(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    whole = calibrate(case, seeds=2, budget=100, workers=1)
    made = Search.residuals
    calls: list[int] = []

    def stopped(self: Search, z: np.ndarray) -> np.ndarray:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return made(self, z)

    monkeypatch.setattr(Search, "residuals", stopped)
    with pytest.raises(Interrupted) as caught:
        calibrate(case, seeds=2, budget=100, workers=1, journal=open_journal(case, range(2), out, False))
    monkeypatch.setattr(Search, "residuals", made)
    best = caught.value.fit
    write_calibration(best, (), "district-sim calibrate", out)
    assert "INTERRUPTED" in (out / "tiny.yaml").read_text()
    assert load_scenario(out / "tiny.yaml") == best.scenario

    journal = open_journal(case, range(2), out, False)
    assert journal.trials
    runs: list[int] = []
    again = calibrate(case, seeds=2, budget=100, workers=1, journal=journal, progress=lambda done, _: runs.append(done))
    assert (again.values, again.runs, again.ended) == (whole.values, whole.runs, whole.ended)
    assert len(runs) < whole.runs, "what was tried before is not run again"
    with pytest.raises(OtherFit, match="another fit"):
        open_journal(case, range(3), out, False)


def test_a_torn_journal_is_read_up_to_the_tear(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    open_journal(case, range(2), out, False).keep((0.01,), np.array([[40.0, np.nan], [41.0, 1.0]]))
    with (out / "trials.jsonl").open("a") as file:
        file.write("[[0.02], [[4")
    journal = open_journal(case, range(2), out, False)
    assert list(journal.trials) == [(0.01,)]
    assert np.array_equal(journal.trials[0.01,], [[40.0, np.nan], [41.0, 1.0]], equal_nan=True)
    assert isinstance(open_journal(case, range(2), out, False), Journal)


def test_a_file_of_targets_is_replicated(call: Callable[..., Result], folder: Path) -> None:
    result = call("replicate", "tiny.targets.yaml", "--runs", "3", "--workers", "1", "--out", "held")
    assert result.exit_code in (0, 1), result.output
    assert "Tiny: 3 runs of 16 quarters, 2000Q1 to 2003Q4, seeds 1000 to 1002." in result.stderr
    assert "Tiny, 2000Q1 to 2003Q4: observed and simulated" in result.output
    assert "Label: " in result.output
    assert {"tiny.png", "tiny.csv", "replications.md"} <= {path.name for path in (folder / "held").iterdir()}
    (folder / "tiny.targets.yaml").write_text(TARGETS.replace("scenario: tiny\n", ""))
    assert "scenario: this key is required" in call("replicate", "targets", "tiny.targets.yaml").output
    assert call("replicate", "none.yaml").exit_code == 2


def test_a_fit_that_nothing_identifies_says_so_beside_the_label(case: Case) -> None:
    runs = [Observed(np.zeros(2), np.zeros((4, 2)), Trajectory.DECLINE)] * 2
    effects = np.zeros((1, 1))
    fit = Fit(case, {"demography.exit": 0.008}, 1.0, 1.0, "it converged", True, range(2), 6, None, ())
    for found, doubted in ((identify(["demography.exit"], effects, effects), True), (None, True)):
        note = report_sheet(replace(fit, identified=found), [Compared(target(value=1.0), np.zeros(2))], runs).note
        assert ("Label: Decline in 2 of 2 runs. No target identifies any fitted parameter" in note) is doubted
    known = identify(["demography.exit"], effects + 9.0, effects + 0.1)
    note = report_sheet(replace(fit, identified=known), [Compared(target(value=1.0), np.zeros(2))], runs).note
    assert "No target identifies" not in note


def test_command_writes_a_scenario_that_loads(
    call: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "REPORT_SEEDS", range(1000, 1003))
    told = ["calibrate", "tiny.yaml", "--targets", "tiny.targets.yaml", "--runs", "2", "--budget", "60"]
    result = call(*told, "--workers", "1", "--json", "--out", "out")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    fitted = report["parameters"]["demography.exit"]["fitted"]
    assert load_scenario(folder / "out" / "tiny.yaml") == load_scenario("tiny.yaml", {"demography.exit": fitted})
    assert "--runs 2 --budget 60" in (folder / "out" / "tiny.yaml").read_text()
    assert report["seeds"] == [0, 1]
    assert {row["measure"] for row in report["targets"]} == {"firms", "employment"}
    assert (folder / "out" / "observed_and_simulated.png").is_file()
    again = call(*told, "--workers", "1", "--out", "out")
    assert again.exit_code == 0, again.output
    assert "Tiny: fitted parameters" in again.output
    (folder / "full").mkdir()
    (folder / "full" / "letter.txt").write_text("mine")
    assert call(*told, "--out", "full").exit_code == 2
