"""Draws of a posterior laid over experiments: the same luck and the same draw at every point, and who wins.

Time budget: 30 s.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from posterior_parts import write_posterior
from typer.testing import Result

from district_sim import simulate
from district_sim.evidence.posterior.posterior import Posterior
from district_sim.experiments import Results
from district_sim.experiments.design import Draws, Experiment
from district_sim.experiments.draws import drawn, winners
from district_sim.experiments.plan import make_plan
from district_sim.experiments.points import scenario_of
from district_sim.kernels.draws import replicate_seed
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.policy_files import laid_over, load_policy

type Call = Callable[..., Result]
EXIT, EXPLORING = "demography.exit", "innovation.exploration"
HELP = "title: Research\npolicies: [{name: research, kind: rd_subsidy, start: 3, budget: 60.0}]\n"


@pytest.fixture
def folder(small_folder: Path) -> Path:
    """A small district, a policy, another district with an exit rate of its own, posteriors that passed and failed."""
    (small_folder / "research.yaml").write_text(HELP)
    (small_folder / "deadly.yaml").write_text("extends: small\ntitle: Deadly\ndemography: {exit: 0.09}\n")
    values = np.column_stack([np.linspace(0.01, 0.05, 40), np.linspace(0.05, 0.1, 40)])
    write_posterior(small_folder / "passed.nc", "passed", values)
    write_posterior(small_folder / "failed.nc", "failed", values)
    return small_folder


def draws(count: int) -> Draws:
    values = {EXIT: tuple(np.linspace(0.01, 0.04, count)), EXPLORING: tuple(np.linspace(0.05, 0.1, count))}
    return Draws(name="nothing", numbers=tuple(range(100, 100 + count)), values=values)


# Rules --------------------------------------------------------------------------------------------


def test_a_replicate_takes_one_draw_at_every_point(folder: Path) -> None:
    mixes = {"none": (), "research": load_policy("research.yaml").instruments}
    plan = make_plan(Experiment(scenarios=("small.yaml",), policies=mixes, replications=3, draws=draws(3)))
    for replicate in range(3):
        found = {scenario_of(point, plan.bases, draws(3), replicate).demography.exit for point in plan.points}
        assert found == {draws(3).values[EXIT][replicate]}


def test_what_a_point_says_itself_wins(folder: Path) -> None:
    vary = {EXIT: (0.5, 0.6)}
    plan = make_plan(Experiment(scenarios=("small.yaml", "deadly.yaml"), vary=vary, replications=2, draws=draws(2)))
    assert {scenario_of(point, plan.bases, draws(2), 1).demography.exit for point in plan.points} == {0.5, 0.6}
    bases = make_plan(Experiment(scenarios=("small.yaml", "deadly.yaml"), replications=2, draws=draws(2))).bases
    small, deadly = bases.values()
    assert drawn(draws(2), 1, small, small)[EXIT] == draws(2).values[EXIT][1]
    assert EXIT not in drawn(draws(2), 1, deadly, small)
    assert EXPLORING in drawn(draws(2), 1, deadly, small)
    assert drawn(None, 1, small, small) == {}
    told = list(winners(draws(2), bases, [EXPLORING]))
    assert told == [
        f"{EXIT}: deadly.yaml says 0.09 and wins over the draws there",
        f"{EXPLORING} is varied: its own values win over the draws",
    ]


def test_draws_that_do_not_fit_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="are 2, fewer than 3 replications"):
        Experiment(scenarios=("small.yaml",), replications=3, draws=draws(2))
    with pytest.raises(ValueError, match="has 1 values for 2 draws"):
        Draws(name="x", numbers=(0, 1), values={EXIT: (0.1,)})
    unknown = Draws(name="x", numbers=(0, 1), values={"demography.nothing": (0.1, 0.2)})
    with pytest.raises(ScenarioError, match=r"draws of x: small\.yaml has no parameter 'demography\.nothing'"):
        make_plan(Experiment(scenarios=("small.yaml",), replications=2, draws=unknown))


# Commands -----------------------------------------------------------------------------------------


def test_compare_pairs_under_the_same_luck_and_the_same_draw(folder: Path, call: Call) -> None:
    arguments = ("small.yaml", "--policies", "none,research.yaml", "--replications", "4", "--seed", "7")
    result = call("compare", *arguments, "--posterior", "passed.nc", "--out", "there", "--workers", "1", "--quiet")
    assert result.exit_code == 0, result.output
    results = Results("there")
    runs = results.runs
    wide = runs.pivot(index="replicate", columns="policies", values="draw")
    assert (wide["none"] == wide["research"]).all()
    posterior = Posterior.load(Path("passed.nc"))
    assert wide["none"].tolist() == posterior.numbers(4, 7)
    rate = posterior.settings(int(wide["none"][2]))
    scenario = load_scenario("small.yaml", {**rate})
    mix = load_policy("research.yaml").instruments
    for name, own in (("none", ()), ("research", mix)):
        by_hand = simulate(laid_over(scenario, own), replicate_seed(7, 2)).indicators["employment"].iloc[-1]
        row = runs[(runs["policies"] == name) & (runs["replicate"] == 2)].iloc[0]
        assert row["employment"] == by_hand
    assert results.notes("draw")[1].startswith("Number of the draw")


def test_a_parameter_on_an_axis_of_a_map_is_not_drawn(folder: Path, call: Call) -> None:
    axes = ("--vary", f"{EXIT}=0.02,0.03", "--vary", "world.globalisation=0.5,1")
    result = call(
        "map", "small.yaml", *axes, "--replications", "2", "--posterior", "passed.nc", "--out", "m", "--workers", "1"
    )
    assert result.exit_code == 0, result.output
    assert f"{EXIT} is varied: its own values win over the draws" in " ".join(result.stderr.split())
    assert isinstance(Results("m").runs, pd.DataFrame)
    assert Results("m").runs.groupby("replicate")["draw"].nunique().tolist() == [1, 1]


def test_the_report_holds_luck_and_parameters(folder: Path, call: Call) -> None:
    arguments = ("small.yaml", "--policies", "research.yaml", "--replications", "6", "--workers", "1")
    result = call("policy-report", *arguments, "--posterior", "passed.nc", "--out", "r.html", "--quiet")
    assert result.exit_code == 0, result.output
    page = Path("r.html").read_text(encoding="utf-8")
    assert "the same luck and the same draw of parameters" in page
    assert "luck and parameters in the band" in page
    assert "those of the posterior" in page
    assert "Not drawn, and so in no band" in page
    assert "policy_effects.crowding_out" in page
    assert "--posterior passed.nc" in page


def test_a_report_on_a_failed_posterior_says_so_at_once(folder: Path, call: Call) -> None:
    arguments = ("small.yaml", "--policies", "research.yaml", "--replications", "4", "--workers", "1", "--brief")
    result = call("policy-report", *arguments, "--posterior", "failed.nc", "--even-so", "--out", "b.html", "--quiet")
    assert result.exit_code == 0, result.output
    page = Path("b.html").read_text(encoding="utf-8")
    said = "This posterior FAILED its check: the 90% intervals hold the truth in 60%."
    assert page.index('class="headline"') < page.index(said) < page.index("<table>")
    assert "section 8" not in page


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "small.yaml", "--policies", "none,research.yaml"),
        ("policy-report", "small.yaml", "--policies", "research.yaml", "--out", "r.html"),
        ("map", "small.yaml", "--vary", "world.globalisation=0.5,1", "--vary", "strategy.research=0.1,0.2"),
        ("study", "takeovers"),
    ],
    ids=lambda words: words[0],
)
def test_a_failed_posterior_is_refused(command: tuple[str, ...], folder: Path, call: Call) -> None:
    result = call(*command, "--posterior", "failed.nc")
    assert result.exit_code == 2
    told = " ".join(result.stderr.replace("│", " ").split())
    assert "failed.nc: this posterior failed its check (the 90% intervals hold the truth in 60%)" in told
    assert "with --even-so it is used all the same" in told
    result = call(*command, "--even-so")
    assert result.exit_code == 2
    assert "--even-so needs --posterior" in result.stderr
    assert call(*command, "--posterior", "absent.nc").exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        ("run", "small.yaml"),
        ("search", "classroom", "--budget", "1M", "--instruments", "rd_subsidy,training_vouchers", "--out", "s"),
    ],
    ids=lambda words: words[0],
)
def test_even_so_is_about_a_posterior(command: tuple[str, ...], call: Call) -> None:
    result = call(*command, "--even-so")
    assert result.exit_code == 2
    assert "--even-so needs --posterior" in result.stderr
