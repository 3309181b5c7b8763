"""Paired comparison: known answers, then the command as a user calls it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import Result

from district_sim.experiments.compare import (
    Window,
    bands,
    cell_names,
    compare,
    holm,
    paired,
    trajectory_shares,
    transitions,
)
from district_sim.experiments.design import Experiment, Keep, outcomes
from district_sim.experiments.runner import Summary
from district_sim.experiments.store import Counts
from district_sim.kernels.draws import replicate_seed
from district_sim.reports.compare import costs, sheets
from district_sim.run import run
from district_sim.run.run import simulate
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.files import load_scenario
from district_sim.text.names import in_percent, outcome_name
from district_sim.text.numbers import number
from district_sim.text.sheet import Sheet, tex

type Call = Callable[..., Result]
PERSISTENCE, FRAGMENTATION, LEARNING = "marshallian_persistence", "fragmentation", "learning_region"


FUNDED = "policies: [{name: all, kind: rd_subsidy, start: 0, budget: 20.0}]\n"


@pytest.fixture
def folder(small_folder: Path) -> Path:
    """A current folder with three small scenarios."""
    (small_folder / "other.yaml").write_text("extends: small.yaml\nstrategy: {entrepreneurship: 3.0}\n")
    (small_folder / "funded.yaml").write_text(f"extends: small.yaml\n{FUNDED}")
    return small_folder


def runs_of(values: dict[str, list[float]], labels: dict[str, list[str]] | None = None) -> pd.DataFrame:
    """A table of runs with one outcome, `employment`, in cells that are scenarios."""
    rows = [
        {
            "point": point,
            "replicate": replicate,
            "scenario": name,
            "policies": "own",
            "status": "done",
            "trajectory": labels[name][replicate] if labels else PERSISTENCE,
            "employment": value,
        }
        for point, (name, cell) in enumerate(values.items())
        for replicate, value in enumerate(cell)
    ]
    return pd.DataFrame(rows)


# Statistics ---------------------------------------------------------------------------------------


def test_paired_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard deviation 1, t = 2√3 with 2 degrees of freedom."""
    found = paired(pd.Series([10.0, 20.0, 30.0]), pd.Series([11.0, 22.0, 33.0]))
    assert (found["n"], found["difference"], found["effect"]) == (3, 2.0, pytest.approx(2.0))
    assert found["p"] == pytest.approx(2.0 * stats.t.sf(2.0 * np.sqrt(3.0), 2))
    half = 4.302652729 / np.sqrt(3.0)  # the 97.5 % quantile of t with 2 degrees of freedom, from a table
    assert (found["low"], found["high"]) == (pytest.approx(2.0 - half), pytest.approx(2.0 + half))
    assert found["gain"] == pytest.approx((100.0 + 121.0) / 1.0)


def test_luck_that_both_share_drops_out() -> None:
    luck = np.random.default_rng(0).normal(0.0, 100.0, 30)
    noise = np.random.default_rng(1).normal(0.0, 1.0, 30)
    found = paired(pd.Series(luck), pd.Series(luck + 5.0 + noise))
    assert found["p"] < 1e-10
    assert stats.ttest_ind(luck, luck + 5.0 + noise).pvalue > 0.5, "unpaired, the same effect is invisible"
    assert found["gain"] > 1000.0


@pytest.mark.parametrize("interval", ["t", "bootstrap"])
def test_pairs_go_by_replicate_not_by_row(interval: str) -> None:
    base = pd.Series([1.0, 100.0, 10.0, 50.0], index=[0, 1, 2, 3])
    other = (base + pd.Series([1.0, 2.0, 3.0, 2.0])).iloc[[2, 0, 3, 1]]
    found = paired(base, other, interval=interval)  # type: ignore[arg-type]
    assert found["difference"] == pytest.approx(2.0)
    assert 0.5 < found["low"] < 2.0 < found["high"] < 3.5


def test_power_is_as_planned() -> None:
    """A planted d_z of 0.8 with 20 replicates has power 0.924 at 5 %, by the noncentral t distribution."""
    n, effect, trials = 20, 0.8, 300
    critical = stats.t.ppf(0.975, n - 1)
    power = stats.nct.sf(critical, n - 1, effect * np.sqrt(n)) + stats.nct.cdf(-critical, n - 1, effect * np.sqrt(n))
    assert power == pytest.approx(0.924, abs=0.001)
    rng = np.random.default_rng(7)
    luck = rng.normal(1000.0, 50.0, (trials, n))
    planted = luck + rng.normal(effect, 1.0, (trials, n))
    found = [paired(pd.Series(a), pd.Series(b)) for a, b in zip(luck, planted, strict=True)]
    significant = sum(row["p"] < 0.05 for row in found)
    covered = sum(row["low"] < effect < row["high"] for row in found)
    assert stats.binomtest(significant, trials, power).pvalue > 0.01
    assert stats.binomtest(covered, trials, 0.95).pvalue > 0.01


def test_bootstrap_is_near_t_for_normal_differences_and_repeats() -> None:
    d = pd.Series(np.random.default_rng(3).normal(1.0, 1.0, 60))
    zero = pd.Series(np.zeros(60))
    t, first = paired(zero, d), paired(zero, d, interval="bootstrap", seed=0)
    assert first == paired(zero, d, interval="bootstrap", seed=0)
    assert first["low"] == pytest.approx(t["low"], abs=0.05)
    assert first["high"] == pytest.approx(t["high"], abs=0.05)
    assert first["low"] != t["low"]
    assert first["p"] == pytest.approx(1.0 / 5000.0, abs=1e-4), "the smallest p that 9999 sign flips can give"


def test_no_difference_and_the_same_difference_everywhere() -> None:
    a = pd.Series([0.1, 0.2, 0.3])
    same = paired(a, a + 1e-17)
    assert (same["difference"], same["low"], same["high"], same["effect"], same["p"]) == (0.0, 0.0, 0.0, 0.0, 1.0)
    shifted = paired(a, a + 1.0)
    assert shifted["p"] == 0.0
    assert shifted["effect"] == np.inf
    assert shifted["low"] == shifted["high"] == pytest.approx(1.0)


def test_what_is_not_finite_is_left_out_and_said() -> None:
    found = paired(pd.Series([1.0, np.inf, 3.0, 4.0]), pd.Series([2.0, 2.0, np.nan, 6.0]))
    assert (found["n"], found["difference"]) == (2, 1.5)
    assert np.isnan(paired(pd.Series([1.0, np.inf]), pd.Series([2.0, 2.0]))["difference"])


def test_holm_by_hand() -> None:
    """p = .01 .04 .03 .005 in four tests: .005·4, .01·3, .03·2, then .04·1 not below the one before."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.4, np.nan, 0.6])), [0.8, np.nan, 0.8])
    assert holm(np.array([0.9, 0.8])).max() == 1.0


def test_wilson_by_hand() -> None:
    """8 of 10: 0.4902 to 0.9433 (Newcombe 1998's formula 3); 0 of 10 does not reach below zero."""
    table = trajectory_shares({"a": pd.Series([LEARNING] * 8 + [FRAGMENTATION] * 2)}).set_index("trajectory")
    assert tuple(table.loc[LEARNING, ["count", "n", "share"]]) == (8, 10, 0.8)
    np.testing.assert_allclose(list(table.loc[LEARNING, ["low", "high"]]), [0.4902, 0.9433], atol=5e-5)
    np.testing.assert_allclose(list(table.loc["decline", ["share", "low", "high"]]), [0.0, 0.0, 0.2775], atol=5e-5)
    assert table["share"].sum() == 1.0


def test_transitions_follow_the_luck() -> None:
    base = pd.Series([PERSISTENCE, PERSISTENCE, FRAGMENTATION], index=[0, 1, 2])
    other = pd.Series([FRAGMENTATION, LEARNING, LEARNING, LEARNING], index=[2, 0, 1, 3])
    table = transitions(base, other)
    assert table.shape == (6, 6)
    assert table.loc[PERSISTENCE, LEARNING] == 2
    assert table.loc[FRAGMENTATION, FRAGMENTATION] == 1
    assert table.to_numpy().sum() == 3, "replicate 3 has no partner"


def test_compare_puts_the_parts_together() -> None:
    luck = np.random.default_rng(2).normal(500.0, 40.0, 12)
    noise = np.random.default_rng(5).normal(0.0, 1.0, (2, 12))
    values = {"baseline": [*luck], "better": [*(luck + 30.0 + noise[0])], "alike": [*(luck + 0.1 * noise[1])]}
    labels = {"baseline": [PERSISTENCE] * 12, "better": [LEARNING] * 12, "alike": [PERSISTENCE] * 12}
    found = compare(runs_of(values, labels), ["employment"])
    assert found.cells == ("baseline", "better", "alike")
    table = found.differences.set_index("cell")
    assert table.loc["better", "difference"] == pytest.approx(30.0, abs=1.0)
    assert table.loc["better", "p_holm"] == pytest.approx(2.0 * table.loc["better", "p"])
    assert table.loc["alike", "p_holm"] == table.loc["alike", "p"] > 0.05
    assert found.transitions["better"].loc[PERSISTENCE, LEARNING] == 12
    as_dict = found.as_dict()
    assert as_dict["differences"][0]["n"] == 12
    assert as_dict["transitions"]["better"][PERSISTENCE][LEARNING] == 12


def test_runs_that_did_not_finish_leave_their_pair_out() -> None:
    runs = runs_of({"a": [1.0, 2.0, 3.0, 4.0], "b": [2.0, 4.0, 5.0, 9.0]})
    runs.loc[(runs["scenario"] == "b") & (runs["replicate"] == 3), "status"] = "failed"
    assert compare(runs, ["employment"]).differences.loc[0, "n"] == 3
    runs.loc[(runs["scenario"] == "a") & (runs["replicate"] < 2), "status"] = "stopped"
    with pytest.raises(ValueError, match="a and b have 1 finished replicates in common"):
        compare(runs, ["employment"])


def test_one_cell_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="at least two"):
        compare(runs_of({"a": [1.0, 2.0]}), ["employment"])


def test_cells_are_named_after_scenario_and_mix() -> None:
    runs = pd.DataFrame({"point": [0, 1, 1, 2], "scenario": "a", "policies": ["own", "none", "none", "none"]})
    assert cell_names(runs) == {0: "a", 1: "a + none", 2: "a + none #2"}


def test_files_are_named_by_their_titles_and_bundled_scenarios_by_their_names() -> None:
    runs = pd.DataFrame({"point": range(4), "scenario": ["baseline", "prato/d.yaml", "a/e.yaml", "b/f.yaml"]})
    titles = {"baseline": "Marshallian persistence", "prato/d.yaml": "Prato", "a/e.yaml": "Twin", "b/f.yaml": "Twin"}
    names = cell_names(runs.assign(policies="own"), titles)
    assert list(names.values()) == ["baseline", "Prato", "Twin (e)", "Twin (f)"]


@pytest.mark.parametrize(
    ("outcomes", "title", "note"),
    [
        (["employment"], "Differences from a, in 2041Q4", "Outcomes are those of the last quarter, 2041Q4. "),
        (["wage_late"], "Differences from a, mean of 2032Q1 to 2041Q4", "Outcomes called late are means of 2032Q1 to "),
        (["employment", "wage_late"], "Differences from a", "the last quarter, 2041Q4. Outcomes called late are means"),
    ],
)
def test_a_comparison_says_of_which_quarters_it_is(outcomes: list[str], title: str, note: str) -> None:
    runs = runs_of({"a": [1.0, 2.0, 3.0], "b": [2.0, 2.0, 4.0]}).assign(wage_late=1.0)
    found = compare(runs, outcomes, window=Window.of(160, Calendar.of(2002)))
    assert found.title == title
    assert note in sheets(found)["differences"].note
    assert Window.of(160, None) == ("quarter 160", "quarters 121 to 160")


def test_bands_are_quantiles_over_replicates() -> None:
    series = pd.DataFrame(
        {"point": 0, "replicate": range(101), "quarter": 4, "employment": np.random.default_rng(0).permutation(101)}
    )
    (row,) = bands(series, ["employment"], {0: "a"}).to_dict("records")
    wanted = {"cell": "a", "quarter": 4, "indicator": "employment", "low": 5.0, "median": 50.0, "high": 95.0}
    assert {key: pytest.approx(value) if isinstance(value, float) else value for key, value in wanted.items()} == row


# The tables ---------------------------------------------------------------------------------------


def test_sheets_say_the_same_in_all_three_forms() -> None:
    luck = np.random.default_rng(2).normal(500.0, 40.0, 12)
    found = compare(
        runs_of({"base_line": [*luck], "b": [*(luck + 30.0)]}, {"base_line": [PERSISTENCE] * 12, "b": [LEARNING] * 12}),
        ["employment"],
    )
    made = sheets(found)
    assert list(made) == ["differences", "trajectories", "transitions"]
    for name, sheet in made.items():
        cells = [cell for _, rows in sheet.sections for row in rows for cell in row]
        assert all(len(row) == len(sheet.columns) for _, rows in sheet.sections for row in rows)
        markdown, latex = sheet.markdown(), sheet.latex(name)
        for cell in cells:
            assert cell in markdown
            assert tex(cell) in latex
        pipes = [line.count("|") for line in markdown.splitlines() if line.startswith("|")]
        assert set(pipes) == {len(sheet.columns) + 1}
    assert "Student's t" in made["differences"].note
    assert "Holm" in made["differences"].note
    assert "12 of 12" not in made["transitions"].note
    assert "0 of 12 replicates end alike" in made["transitions"].note


def test_latex_is_escaped_and_balanced() -> None:
    sheet = Sheet.plain(
        "50 % of a_b & {c}",
        ("Outcome", "k€", "d_z"),
        [("x_1 #2", "−3 ± 1", "<0.001"), ("a\\b^~$", "∞", "μ* ≥ σ")],
        "100 %",
    )
    latex = sheet.latex("some-table")
    body = latex.partition("\n")[2]  # after the comment
    assert not re.search(r"(?<!\\)[%#]", body), "an unescaped % would comment the rest of the line away"
    assert not re.search(r"(?<!\\)_(?!z\$)", body)
    assert latex.isascii(), "any engine can set it"
    assert r"\caption{50 \% of a\_b \& \{c\}}" in latex
    assert r"k\texteuro{} & $d_z$ \\" in latex
    assert r"x\_1 \#2 & $-$3 $\pm$ 1 & $<$0.001 \\" in latex
    for begin in re.findall(r"\\begin\{(\w+)\}", latex):
        assert latex.count(rf"\begin{{{begin}}}") == latex.count(rf"\end{{{begin}}}")
    assert len(re.findall(r"(?<!\\)\{", body)) == len(re.findall(r"(?<!\\)\}", body))
    assert [latex.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    rows = [line for line in body.splitlines() if line.endswith(r" \\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {2}


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "text"),
    [
        (1234.5, 0, False, "1,234"),
        (-0.04, 2, True, "−0.04"),
        (0.04, 1, True, "0.0"),
        (0.06, 1, True, "+0.1"),
        (float("inf"), 2, True, "∞"),
        (float("nan"), 2, False, "–"),
    ],
)
def test_numbers(value: float, decimals: int, sign: bool, text: str) -> None:
    assert number(value, decimals, sign) == text


def test_every_outcome_has_a_name_and_shares_are_per_cent() -> None:
    assert outcome_name("employment") == "Employees"
    assert outcome_name("unemployment_late") == "Unemployment (late), %"
    assert outcome_name("wage", unit=False) == "Wage"
    assert outcome_name("score_fragmentation") == "Score: fragmentation"
    assert in_percent("unemployment_late")
    assert not in_percent("score_fragmentation")
    names = [outcome_name(outcome) for outcome in outcomes(Keep())]
    assert len(set(names)) == len(names)


# The command --------------------------------------------------------------------------------------


def test_compare_as_a_user_calls_it(call: Call, folder: Path) -> None:
    result = call("compare", "small.yaml", "other.yaml", "--replications", "4", "--seed", "3", "--out", "made")
    assert result.exit_code == 0, result.output
    assert "Differences from Small district (small), in quarter 8" in result.stdout
    assert "4 pairs" in result.stdout
    files = {path.name for path in (folder / "made").iterdir()}
    tables = {f"{name}.{end}" for name in ("differences", "trajectories", "transitions") for end in ("md", "tex")}
    drawings = {f"{name}.{end}" for name in ("differences", "transitions", "bands") for end in ("png", "svg")}
    assert tables | drawings | {"differences.csv", "trajectories.csv", "comparison.json"} <= files
    for table in ("differences", "trajectories"):
        about = pd.read_csv(folder / "made" / f"{table}.columns.csv")
        assert about["description"].notna().all(), about
    told = json.loads((folder / "made" / "comparison.json").read_text())
    by_hand = [
        [simulate(load_scenario(name), replicate_seed(3, r)).indicators["employment"].iloc[-1] for r in range(4)]
        for name in ("small.yaml", "other.yaml")
    ]
    row = next(row for row in told["differences"] if row["outcome"] == "employment")
    assert row["counterfactual"] == pytest.approx(np.mean(by_hand[0]))
    assert row["difference"] == pytest.approx(np.mean(by_hand[1]) - np.mean(by_hand[0]))
    assert row["effect"] == pytest.approx(_d_z(*by_hand))
    notes = pd.read_csv(folder / "made" / "differences.columns.csv").set_index("column")["description"]
    assert notes["outcome"].endswith("Outcomes are those of the last quarter, quarter 8")
    before = (folder / "made" / "ledger.sqlite").read_bytes()
    again = call("compare", "small.yaml", "other.yaml", "--replications", "4", "--seed", "3", "--out", "made", "--json")
    assert json.loads(again.stdout) == told
    assert len(before) == len((folder / "made" / "ledger.sqlite").read_bytes()), "nothing was run again"


def _d_z(a: list[float], b: list[float]) -> float:
    d = np.subtract(b, a)
    return float(d.mean() / d.std(ddof=1))


@pytest.mark.parametrize(("out", "said"), [(None, "nothing was kept"), ("made", "finished runs are kept in made;")])
@pytest.mark.parametrize("presses", [1, 2])
def test_after_an_interruption_it_is_said_what_is_kept(
    presses: int, out: str | None, said: str, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(experiment: Experiment, folder: Path, **_: object) -> Summary:
        if presses == 2:
            raise KeyboardInterrupt
        return Summary(folder, Counts(done=3), 10, interrupted=True)

    monkeypatch.setattr("district_sim.experiments.run_experiment", interrupted)
    for command in (["compare", "small.yaml", "other.yaml"], ["sensitivity", "small.yaml", "--outcome", "employment"]):
        result = call(*command, *(["--out", out] if out else []))
        assert result.exit_code == 130, result.output
        assert said.removesuffix(";") in result.stderr
        assert ("repeat the command to continue" in result.stderr) == (out is not None)


def test_costs_know_no_negative_zero() -> None:
    row = {"cell": "a", "in_all": 1300.0, "budgets": 1234.0, "spent": 1234.4, "left_over": -0.4, "per_euro": -0.001}
    row |= {"low": -1.5, "high": 0.004, "jobs": -0.04, "cost_per_job": np.nan}
    [(_, [shown])] = costs(pd.DataFrame([row]), 0.03, 0.95).sections
    assert list(shown) == ["a", "1,300", "1,234", "1,234", "0", "0.00", "−1.50 to 0.00", "0.0", ""]


def test_set_changes_all_scenarios_alike(call: Call, folder: Path) -> None:
    wanted = ["--replications", "2", "--outcomes", "firms", "--json"]
    changed = call("compare", "small.yaml", "other.yaml", "--set", "firms.count=12", "--set", "run.quarters=4", *wanted)
    assert changed.exit_code == 0, changed.output
    told = json.loads(changed.stdout)
    assert told["window"]["last"] == "quarter 4"
    assert 6.0 < told["differences"][0]["counterfactual"] < 18.0
    refused = call("compare", "small.yaml", "other.yaml", "--set", "firms.cuont=12", *wanted)
    assert refused.exit_code == 2
    assert "did you mean 'firms.count'" in refused.stderr


def test_policy_mixes_are_laid_over_a_scenario(call: Call, folder: Path) -> None:
    wanted = ["--replications", "3", "--outcomes", "policy_spending,employment", "--interval", "bootstrap", "--json"]
    result = call("compare", "funded.yaml", "--policies", "none", "--policies", "own", *wanted)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["cells"] == ["Small district + none", "Small district"]
    assert told["interval"].startswith("BCa bootstrap")
    spending = told["differences"][0]
    assert (spending["counterfactual"], spending["mean"]) == (0.0, pytest.approx(20.0))
    assert told["differences"][0]["effect"] is None, "the same in every replicate: infinite, which JSON does not know"


def test_signposts_tell_how_often_and_when_first(call: Call, folder: Path) -> None:
    """One that holds from the first quarter comes about in every run, one beyond reach in none."""
    posts = "when: [{indicator: firms, above: 0, quarters: 3, then: start}, {indicator: firms, above: 1e6, then: stop}]"
    Path("later.yaml").write_text(f"policies: [{{name: later, kind: rd_subsidy, start: 0, budget: 9.0, {posts}}}]\n")
    wanted = ["--replications", "3", "--outcomes", "firms", "--out", "out"]
    result = call("compare", "small.yaml", "--policies", "none,later.yaml", *wanted)
    assert result.exit_code == 0, result.output
    assert "What the signposts did" in result.stdout
    told = json.loads(Path("out/comparison.json").read_text())["signposts"]
    assert [(row["move"], row["share"], row["times"], row["median"]) for row in told] == [
        ("started", 1.0, 1.0, 4.0), ("stopped", 0.0, 0.0, None),
    ]  # fmt: skip
    assert {row["cell"] for row in told} == {"Small district + later"}
    table = pd.read_csv("out/signposts.csv")
    assert table["signpost"].tolist() == [row["signpost"] for row in told]
    notes = pd.read_csv("out/signposts.columns.csv").set_index("column")
    assert notes["description"].str.len().gt(0).all()
    assert "never" in Path("out/signposts.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["small.yaml"], "name at least two scenarios or two --policies"),
        (["small.yaml", "smal.yaml"], "smal.yaml: no such file"),
        (["small.yaml", "small.yaml"], "name at least two scenarios"),
        (["small.yaml", "other.yaml", "--outcomes", "employmnt"], "no outcome 'employmnt'; did you mean 'employment'"),
        (["small.yaml", "other.yaml", "--outcomes", ","], "name at least one outcome"),
        (["small.yaml", "other.yaml", "--confidence", "95"], "--confidence must be above 0 and below 1, not 95"),
        (["small.yaml", "other.yaml", "--policies", "own"], "--policies own needs a single scenario"),
        (["small.yaml", "--policies", "none", "--policies", "none"], "two mixes called none"),
        (["small.yaml", "--policies", "./none.yaml,own"], "./none.yaml: none means no policies; rename the file"),
        (["small.yaml", "--policies", "none,own+own.yaml"], "own.yaml: own means the scenario's own policies"),
        (["small.yaml", "--policies", "none", "--policies", "baselin"], "there is no policy 'baselin'; did you mean"),
        (["small.yaml", "other.yaml", "--quarters", "1"], "--quarters: 1: must be"),
        (
            ["classroom", "baseline"],
            "differ in length (classroom 100, baseline 160 quarters); set one length with --quarters",
        ),
        (["small.yaml", "other.yaml", "--seed", "-1"], "--seed must be between 0 and"),
        (["small.yaml", "other.yaml", "--out", "full"], "full is not empty and holds no experiment"),
    ],
)
def test_compare_refuses(call: Call, folder: Path, arguments: list[str], message: str) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").touch()
    result = call("compare", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert message in result.stderr


def test_failed_runs_are_left_out_and_give_a_code_of_their_own(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, bad = run.advance, replicate_seed(0, 1)

    def failing(state: Any, p: Any, table: Any, start: int, end: int, *more: Any) -> Any:
        if int(state.clock.seed[0]) == bad:
            raise RuntimeError("broken")
        return real(state, p, table, start, end, *more)

    monkeypatch.setattr(run, "advance", failing)
    result = call("compare", "small.yaml", "other.yaml", "--replications", "3", "--outcomes", "firms", "--out", "made")
    assert result.exit_code == 3, result.output
    assert "2 runs failed" in result.stderr
    assert "2 pairs" in result.stdout
