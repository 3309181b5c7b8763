"""The policy report: its numbers against an independent recomputation, its words, its page.

Time budget: 60 s.
"""

import base64
import errno
import html
import json
import os
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chromium import CHROMIUM
from figure_parts import drawn_texts, lightness
from matplotlib.figure import Figure
from scipy import stats
from typer.testing import Result

from district_sim import figures
from district_sim.figures.policy_brief import Cells, Words, brief_pages
from district_sim.figures.policy_report import report_looks
from district_sim.kernels.draws import replicate_seed
from district_sim.reports.policy_report.glance import per_job
from district_sim.reports.policy_report.groups import LATER, group_names
from district_sim.reports.policy_report.points import least_told
from district_sim.reports.policy_report.question import brief_draws, default_runs, plan_of
from district_sim.reports.policy_report.risk import shortfall, tail
from district_sim.reports.policy_report.sensitivity import Sensitivity, ranked
from district_sim.reports.policy_report.uncertain import USES, calibrated, fitted_ranges, uncertain
from district_sim.reports.policy_report.verdict import _dearest_last, judge, turns
from district_sim.run.run import Run, simulate
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.instruments import InstrumentKind
from district_sim.scenario.paths import value_at
from district_sim.scenario.policy_files import laid_over, load_policy

type Call = Callable[..., Result]
FUNDED = "policies: [{name: research, kind: rd_subsidy, start: 3, budget: 60.0}]\n"
TRAINED = "policies: [{name: schools, kind: training_vouchers, start: 2, end: 6, budget: 60.0}]\n"
MARK = "<script>document.title='owned'</script>"
SMALL = ("small.yaml", "--replications", "4", "--seed", "7", "--workers", "1", "--quiet")
FEW = ("--sensitivity-runs", "60", "--parameters", "policy_effects.crowding_out,strategy.research")


@pytest.fixture
def folder(small_folder: Path) -> Path:
    """A current folder with a small district and two policies, the second with a wicked title."""
    (small_folder / "research.yaml").write_text(f"title: Research\n{FUNDED}")
    (small_folder / "schools.yaml").write_text(f'title: "{MARK}"\n{TRAINED}')
    (small_folder / "nothing.yaml").write_text(FUNDED.replace("60.0", "0.0"))
    (small_folder / "none.yaml").write_text(FUNDED)
    (small_folder / "share.yaml").write_text(FUNDED.replace("budget: 60.0", "budget_share: 0.01"))
    return small_folder


class Links(HTMLParser):
    """Files inside a page, and everything else that it points to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.files: dict[str, str] = {}
        self.others: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        for name in ("href", "src", "xlink:href", "action", "srcset", "data"):
            address = given.get(name) or ""
            if address.startswith("data:"):
                text = base64.b64decode(address.partition("base64,")[2]).decode()
                self.files[str(given["download"])] = text
            elif address:
                self.others.append(address)


def files_in(path: Path) -> dict[str, str]:
    return Links(path.read_text(encoding="utf-8")).files


def table(files: dict[str, str], name: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(files[f"{name}.csv"]))


def made(call: Call, *arguments: str) -> dict[str, str]:
    result = call("policy-report", *SMALL, *arguments, "--out", "report.html")
    assert result.exit_code == 0, result.output
    return files_in(Path("report.html"))


# Numbers ------------------------------------------------------------------------------------------


def runs_by_hand(policy: str | None) -> list[Run]:
    scenario = load_scenario("small.yaml")
    mix = load_policy(policy).instruments if policy else ()
    return [simulate(laid_over(scenario, mix), replicate_seed(7, replicate)) for replicate in range(4)]


def test_numbers_are_those_of_the_runs(folder: Path, call: Call) -> None:
    files = made(call, "--policies", "research.yaml", "--sensitivity-runs", "0")
    none, own = runs_by_hand(None), runs_by_hand("research.yaml")

    late = [[run.indicators["employment"].iloc[-2:].mean() for run in runs] for runs in (none, own)]
    row = table(files, "differences").set_index(["cell", "outcome"]).loc[("research", "employment_late")]
    assert row["difference"] == pytest.approx(np.mean(late[1]) - np.mean(late[0]))
    assert row["low"] < row["difference"] < row["high"]

    calm = [run.indicators["employment"].iloc[:2].mean() for run in own]
    ratios = table(files, "retained").set_index(["cell", "outcome"]).loc[("research", "employment"), "ratio"]
    np.testing.assert_allclose(ratios, np.array(late[1]) / calm)

    spent = [run.indicators["policy_spending"] @ 1.03 ** (-np.arange(8) / 4) for run in own]
    jobs = [a.indicators["employment"].iloc[-1] - b.indicators["employment"].iloc[-1] for a, b in zip(own, none)]
    cost = table(files, "costs").set_index("cell").loc["research"]
    assert cost["spent"] == pytest.approx(np.mean(spent))
    assert cost["jobs"] == pytest.approx(np.mean(jobs))
    if cost["jobs_low"] > 0.0:
        assert cost["cost_per_job"] == pytest.approx(np.mean(spent) / np.mean(jobs))
    else:
        assert np.isnan(cost["cost_per_job"]), "no cost can be told for jobs that cannot"

    _check_gains(table(files, "gains"), none, own)


def _check_gains(table_of_gains: pd.DataFrame, none: list[Run], own: list[Run]) -> None:
    """By hand: firms after three quarters, by their numbers of employees then, at the end of both runs."""
    found = table_of_gains.set_index(["sort", "group", "measure"])["difference"]
    whole = np.mean([a.end.firms["employees"].sum() - b.end.firms["employees"].sum() for a, b in zip(own, none)])
    for sort in ("phase", "size", "owner"):
        assert found.loc[sort].xs("jobs", level="measure").sum() == pytest.approx(whole)
    micro, saved, lost = [], [], []
    for replicate, (a, b) in enumerate(zip(own, none, strict=True)):
        eve = simulate(load_scenario("small.yaml"), replicate_seed(7, replicate), quarters=3).end.firms
        cohort = eve.index[eve["employees"] < 10.0]
        micro.append(sum(run.end.firms["employees"].reindex(cohort).sum() * side for run, side in ((a, 1), (b, -1))))
        alive, lived = set(a.end.firms.index), set(b.end.firms.index)
        saved.append(len(set(eve.index) & (alive - lived)))
        lost.append(len(set(eve.index) & (lived - alive)))
    assert found["size", "micro", "jobs"] == pytest.approx(np.mean(micro))
    assert found.loc["owner"].xs("saved", level="measure").sum() == pytest.approx(np.mean(saved))
    assert found.loc["owner"].xs("lost", level="measure").sum() == pytest.approx(np.mean(lost))
    assert found["size", LATER, "living"] == pytest.approx(
        np.mean([len(a.end.firms) - len(b.end.firms) for a, b in zip(own, none)])
        - found.loc["size"].xs("living", level="measure").drop(LATER).sum()
    )


def test_a_policy_without_money_makes_no_difference(folder: Path, call: Call) -> None:
    files = made(call, "--policies", "nothing.yaml", *FEW)
    page = Path("report.html").read_text(encoding="utf-8")
    for name in ("differences", "effects_over_time", "gains"):
        assert (table(files, name)["difference"] == 0.0).all(), name
    assert (table(files, "risk")["change"] == 0.0).all()
    assert "Value added kept (late): no difference. In each of 4 districts" in page
    assert "there is no effect that could depend on anything" in page
    assert "nothing spent" in page, "and so no cost per job"


def test_equal_cost_and_the_same_from_its_own_files(folder: Path, call: Call) -> None:
    """What the report holds is enough to make its runs again, with the budgets that were scaled."""
    arguments = ("--policies", "research.yaml,schools.yaml", "--equal-cost", "250", "--sensitivity-runs", "0")
    files = made(call, *arguments)
    budgets = table(files, "costs").set_index("cell")["budgets"]
    assert budgets["research"] == pytest.approx(250.0)
    assert budgets["schools"] == pytest.approx(250.0)
    page = Path("report.html").read_text(encoding="utf-8")
    commands = [
        text.replace("\\\n", "").replace("&#39;", "'")
        for text in re.findall(r'(?s)<pre class="command">(.*?)</pre>', page)
    ]
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("scenario.yaml", "research.yaml", "schools.yaml"):
        (elsewhere / name).write_text(files[name], encoding="utf-8")
    os.chdir(elsewhere)
    result = call(*shlex.split(commands[1])[1:], "--workers", "1")
    assert result.exit_code == 0, result.output
    again = files_in(elsewhere / "report.html")
    for name in ("bands.csv", "gains.csv", "trajectories.csv", "risk.csv"):
        assert again[name] == files[name], name
    pd.testing.assert_frame_equal(
        table(again, "runs").drop(columns="scenario"), table(files, "runs").drop(columns="scenario")
    )


def test_the_same_bytes_for_any_number_of_workers(folder: Path, call: Call) -> None:
    pages = []
    for workers in ("1", "2"):
        arguments = [*SMALL[:-3], "--workers", workers, "--policies", "research.yaml", *FEW, "--out", "report.html"]
        result = call("policy-report", *arguments, "--force")
        assert result.exit_code == 0, result.output
        pages.append(Path("report.html").read_bytes())
    assert pages[0] == pages[1]


def test_tail_by_hand() -> None:
    assert shortfall(np.array([0.9, 0.5, 0.7])) == 0.5
    assert shortfall(np.arange(20.0)) == 0.5
    ratios = [("none", k, "employment", 0.5 + 0.05 * k) for k in range(10)]
    ratios += [("help", k, "employment", 0.6 + 0.05 * k) for k in range(10)]
    found = tail(pd.DataFrame(ratios, columns=["cell", "replicate", "outcome", "ratio"]), ["none", "help"], 0.95, 0)
    rows = found.set_index("cell")
    assert rows.loc["none", "count"] == 6
    assert rows.loc["help", "count"] == 4
    assert rows.loc["help", "change"] == pytest.approx(0.1)
    assert rows.loc["help", ["change_low", "change_high"]].tolist() == pytest.approx([0.1, 0.1])


# Words --------------------------------------------------------------------------------------------


def differences(**cells: tuple[float, float, float]) -> pd.DataFrame:
    """Difference, low and high of employment by cell."""
    rows = [
        {"cell": cell, "outcome": "employment", "n": 9, "counterfactual": 200.0, "difference": d, "low": a, "high": b}
        for cell, (d, a, b) in cells.items()
    ]
    return pd.DataFrame(rows)


def headline(found: pd.DataFrame, rivals: pd.DataFrame | None = None) -> str:
    rivals = pd.DataFrame(columns=["cell", "low", "high"]) if rivals is None else rivals
    return judge(found, rivals, "employment", "none", 0.95).headline


def test_the_verdict_says_no_more_than_the_numbers() -> None:
    assert "no significant difference from none with 9" in headline(differences(a=(1.0, -1.0, 3.0)))
    assert "no difference. In each of 9" in headline(differences(a=(0.0, 0.0, 0.0)))
    assert headline(differences(a=(2.0, 1.0, 3.0))) == "Employees is highest under a, and higher than under none."
    two = differences(a=(2.0, 1.0, 3.0), b=(1.8, 0.5, 3.1))
    assert "b does not differ significantly from it" in headline(
        two, pd.DataFrame([{"cell": "b", "low": -1.0, "high": 0.5}])
    )
    beaten = headline(two, pd.DataFrame([{"cell": "b", "low": -1.0, "high": -0.5}]))
    assert beaten == "Employees is highest under a, and higher than under none and b."
    lower = headline(differences(a=(-1.0, -3.0, 1.0), b=(-5.0, -7.0, -3.0)))
    assert lower == "Employees: no policy raises it significantly; under b it is lower than under none."
    unsure = headline(differences(a=(5.0, -1.0, 11.0), b=(2.0, 1.0, 3.0)))
    assert unsure.startswith("Employees is higher under b than under none; the greatest mean is that of a, but")


def test_details_have_sign_unit_interval_and_caution() -> None:
    details = judge(
        differences(a=(2.0, -1.0, 5.0), b=(4.0, 3.0, 5.0)), differences(), "employment", "none", 0.9
    ).details
    assert details[0] == "b: +4.0 employees (90 % interval +3.0 to +5.0, +2.0 %)"
    assert details[1].startswith("a: +2.0 employees (90 % interval −1.0 to +5.0, +1.0 %); not significant")


# The first page -----------------------------------------------------------------------------------


def first_page(page: str) -> str:
    """Its words."""
    text = re.sub(r"(?s)<style>.*?</style>|<svg.*?</svg>", "", page).partition('<section id="question">')[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_titles_years_and_why_nothing_was_done(folder: Path, call: Call) -> None:
    """In a district with dates: the description is not that of the file it starts from."""
    (folder / "mine.yaml").write_text(
        "extends: baseline\nfirms: {count: 30}\nrun: {start: 2002, quarters: 12}\nagency: {contribution: 0.0}\n"
    )
    (folder / "late.yaml").write_text("title: Late help\n" + FUNDED.replace("start: 3", "start: 20"))
    (folder / "match.yaml").write_text(
        "title: A match\npolicies: [{name: fund, kind: ppp_match, start: 2, budget: 50}]\n"
    )
    (folder / "idle.yaml").write_text(FUNDED.replace("60.0", "60.0, intensity: 0"))
    mixes = "research.yaml,late.yaml,match.yaml,nothing.yaml,idle.yaml"
    arguments = ("--policies", mixes, "--replications", "3", "--sensitivity-runs", "0", "--out", "report.html")
    result = call("policy-report", "mine.yaml", *arguments, "--workers", "1", "--quiet")
    assert result.exit_code == 0, result.output
    page = Path("report.html").read_text(encoding="utf-8")
    told = first_page(page)
    assert "Mine begins with 30 firms" in told
    assert "followed for 3 years, 2002 to 2004" in told
    assert "The district continues as before" not in page, "what the baseline says of itself is not said of mine"
    assert "Research: R&D subsidy, 240 k€ a year, 2002Q4 to 2004." in told
    assert "Late help – research: it starts after the last year." in told
    assert "nothing – research: it has no budget." in told
    assert "idle – research: its intensity is 0." in told
    assert "A match – fund: nobody joined the agency, so there was nothing to match." in told
    assert "Probability that it is positive" in told
    assert "Spent, not discounted" in told
    assert re.search(r"k€ per job, present value nothing spent", told)


def test_the_share_of_districts_with_a_gain_is_the_probability(folder: Path, call: Call) -> None:
    files = made(call, "--policies", "research.yaml", "--sensitivity-runs", "0")
    runs = table(files, "runs").pivot(index="replicate", columns="cell", values="employment")
    d = runs["research"] - runs["none"]
    found = table(files, "spread").set_index("measure").loc["jobs"]
    assert found["positive"] == pytest.approx((d > 0.0).mean())
    assert found["none"] == pytest.approx((d == 0.0).mean())
    assert (found["low"], found["high"]) == pytest.approx(tuple(d.quantile([0.05, 0.95])))


def test_no_job_is_dearer_than_any_price() -> None:
    found = _dearest_last(np.array([10.0, 20.0, np.inf, 30.0, np.inf]))
    assert (found["low"], found["median"], found["high"]) == (10.0, 30.0, np.inf)
    assert found["none"] == 0.4


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((5.0, 4.0, 6.0, 20.0, 15.0, 30.0), ("20.0", "15.0 to 30.0")),
        ((0.5, -1.0, 2.0, np.nan, 15.0, np.inf), ("undefined: jobs may be none", "15.0 or more")),
        ((-5.0, -6.0, -4.0, np.nan, np.nan, np.nan), ("jobs are lost", "–")),
        ((0.0, 0.0, 0.0, np.nan, np.nan, np.nan), ("no job gained", "–")),
    ],
)
def test_a_cost_per_job_is_told_only_where_there_is_one(row: tuple[float, ...], told: tuple[str, str]) -> None:
    names = ("jobs", "jobs_low", "jobs_high", "cost_per_job", "cost_per_job_low", "cost_per_job_high")
    assert per_job(dict(zip(names, row, strict=True)) | {"spent": 100.0}, "cost_per_job") == told


def test_two_pages_for_those_who_decide(folder: Path, call: Call) -> None:
    arguments = (*SMALL, "--policies", "research.yaml,nothing.yaml", "--sensitivity-runs", "0", "--brief")
    result = call("policy-report", *arguments, "--out", "brief.html")
    assert result.exit_code == 0, result.output
    pdf = Path("brief.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2
    page = Path("brief.html").read_text(encoding="utf-8")
    for words in ("Small district", "nothing – research: it has no budget", "Who gains, who loses", "brief.pdf"):
        assert words in page
    assert not Links(page).files
    again = call("policy-report", *arguments, "--out", "brief.pdf")
    assert again.exit_code == 2
    assert "brief.html exists" in again.stderr
    assert call("policy-report", *arguments, "--out", "brief.pdf", "--force").exit_code == 0
    assert Path("brief.pdf").read_bytes() == pdf, "the same bytes"


def test_pages_hold_their_words(folder: Path) -> None:
    """Eight policies of long titles and much to say: type shrinks, and nothing leaves the page."""
    words = [Words("title", "A long title " * 8), *(Words("bullet", "Because nobody joined. " * 9) for _ in range(14))]
    columns = ("Policy", "Value added kept\nk€ a year", "Jobs", "k€ per job,\npresent value")
    rows = [("A policy of a very long title, for all firms " * 2, "+5\n−8 to +12", "3", "undefined:\nor more")] * 8
    (page,) = brief_pages([[*words, Cells(columns, tuple(rows))]], "foot")
    for text, box in drawn_texts(page):
        assert box.x0 >= 0.0, text
        assert box.x1 <= page.bbox.width, text
        assert box.y0 >= 0.0, text


# Sensitivity --------------------------------------------------------------------------------------


class Asked:
    """As much of a question as a ranking needs."""

    cells, confidence = ("none", "a"), 0.95
    scenario = load_scenario("classroom")

    def __init__(self, *paths: str) -> None:
        from district_sim.experiments.ranges import choose
        from district_sim.reports.policy_report.uncertain import Uncertain

        self.uncertain = Uncertain(tuple(choose(self.scenario, paths)[0]), "those named")


def test_the_parameter_that_drives_the_effect_is_found() -> None:
    asked: Any = Asked("market", "ties")
    rng = np.random.default_rng(0)
    draws = pd.DataFrame({p.path: rng.uniform(p.low, p.high, 100) for p in asked.uncertain.parameters})
    driver = asked.uncertain.parameters[3].path
    draws["under none"] = 100.0
    draws["under a"] = 100.0 - 5.0 * draws[driver] + rng.normal(0.0, 0.01, 100)
    draws["kept"] = draws[driver] < draws[driver].median()
    found = ranked(asked, draws, "a").iloc[0]
    assert found["parameter"] == driver
    assert found["rho"] < -0.9
    assert found["rho_low"] < found["rho"] < found["rho_high"] < 0.0
    assert found["p_holm"] < 1e-6
    assert (found["lower"], found["upper"]) == (1.0, 0.0)
    same = ranked(asked, draws.assign(**{"under a": 100.0}), "a")
    assert same["rho"].isna().all()


def test_where_the_verdict_turns_is_said() -> None:
    rows = [("x.y", "low", 1.0, -2.0), ("x.y", "base", 2.0, 2.0), ("x.y", "high", 3.0, 0.2)]
    ends = pd.DataFrame(rows, columns=["parameter", "at", "value", "difference"]).assign(cell="a")
    ends = ends.assign(low=ends["difference"] - 1.0, high=ends["difference"] + 1.0, ahead_low=0.0, ahead_high=0.0)
    rival = ends.assign(cell="b", ahead_low=[-1.0, -1.0, 0.5], ahead_high=[1.0, 1.0, 2.0])
    study = Sensitivity("a", 1, pd.DataFrame(), 0, pd.DataFrame(), pd.concat([ends, rival]), 5)
    said = turns(study, "employment")
    assert said[0].startswith("x.y = 1 (base 2): the effect of a changes sign (−2.0 employees")
    assert said[1].startswith("x.y = 3 (base 2): the effect of a is no longer significant")
    assert said[2] == "x.y = 3 (base 2): b does better than a."
    assert len(said) == 3


def test_runs_are_shared_out_within_the_budget() -> None:
    for runs, cells, top in ((120, 2, 5), (2000, 3, 5), (777, 4, 2)):
        draws, replicates = plan_of(runs, cells, 50, top)
        assert cells * (draws + 2 * top * replicates) <= runs
        assert draws >= 20
        assert 2 <= replicates <= 50
    assert plan_of(0, 3, 50, 5) == (0, 0)
    assert plan_of(10_000, 2, 4, 5)[1] == 4, "no more than the report's own replicates are paired"
    with pytest.raises(ScenarioError, match="must be 0 or at least 120 for 1 policies, not 119"):
        plan_of(119, 2, 50, 5)


def test_a_brief_draws_and_tries_no_ends(folder: Path, call: Call) -> None:
    """Sixty draws of what is uncertain under each mix by default, else as many as were asked for."""
    assert (default_runs(True, 3), default_runs(False, 3)) == (180, 1500)
    assert (brief_draws(180, 3), brief_draws(0, 3)) == (60, 0)
    with pytest.raises(ScenarioError, match="must be 0 or at least 40 for a brief of 1 policies, not 39"):
        brief_draws(39, 2)
    arguments = (*SMALL, "--policies", "research.yaml", *FEW, "--brief", "--out", "brief.html")
    assert call("policy-report", *arguments).exit_code == 0
    page = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", Path("brief.html").read_text(encoding="utf-8"))).split())
    assert "of 30 draws" in page
    assert "One at a time" not in page
    assert "--sensitivity-runs 60" in page
    assert "--brief" in page


def test_what_stands_out_from_chance_needs_draws() -> None:
    """The bound is where Spearman's test, corrected for the number of parameters, gives 5 %."""
    study = Sensitivity("a", 4, pd.DataFrame({"x": range(60)}), 0, pd.DataFrame(), pd.DataFrame(), 0)
    rho = least_told(study)
    t = rho * np.sqrt(58.0 / (1.0 - rho**2))
    assert 4 * 2 * stats.t.sf(t, 58) == pytest.approx(0.05)


def test_only_what_is_uncertain_here_is_varied(folder: Path) -> None:
    """What was fitted and what the policies use; every path that a kind of instrument names is there."""
    baseline, prato = load_scenario("baseline"), load_scenario("cases/prato")
    data = baseline.model_dump(mode="json")
    assert set(InstrumentKind) == set(USES)
    for paths in USES.values():
        for path in paths:
            assert value_at(data, path) is not None, path
    brokers, platform = load_policy("it_brokers").instruments, load_policy("export_platform").instruments
    found = uncertain("baseline", baseline, [(), brokers], "uncertain", {})
    assert {p.path for p in found.parameters} == set(USES[InstrumentKind.IT_BROKERS])
    of_case = uncertain("cases/prato", prato, [platform], "uncertain", {"market.demand_pipeline": (0.1, 0.15)})
    spans = {p.path: (p.low, p.high) for p in of_case.parameters}
    assert spans["firms.size_mean"] == (3.5, 8.0)
    assert spans["market.demand_pipeline"] == (0.1, 0.15)
    assert not spans.keys() & set(USES[InstrumentKind.IT_BROKERS]) - set(USES[InstrumentKind.EXPORT_PLATFORM])


def test_a_fit_of_ones_own_says_what_it_leaves_open(folder: Path) -> None:
    prior = {"low": 1.0, "high": 16.0, "log": True}
    told = {
        "case": "mine",
        "parameters": {"firms.size_mean": prior, "world.onset": {"low": 0.0, "high": 40.0, "log": False}},
        "identified": {"parameters": {"firms.size_mean": {"left": 0.5}, "world.onset": {"left": 0.1}}},
    }
    (folder / "calibration.json").write_text(json.dumps(told))
    data = {"firms": {"size_mean": 4.0}, "world": {"onset": 39.0}}
    found = fitted_ranges("mine.yaml", data)
    assert found["firms.size_mean"] == pytest.approx((2.0, 8.0)), "2 · 0.5 · a quarter of the range, in logarithms"
    assert found["world.onset"] == pytest.approx((37.0, 40.0))
    assert fitted_ranges("other.yaml", data) == {}
    (folder / "calibration.json").write_text("{")
    with pytest.raises(ScenarioError, match=r"calibration\.json: is no report of district-sim calibrate"):
        fitted_ranges("mine.yaml", data)


def test_uncertain_are_real_numbers_of_ours() -> None:
    paths = calibrated(load_scenario("baseline"))
    assert "market.sensitivity_quality" in paths
    assert not {"technology.domains", "mechanisms.policy", "firms.size_mean", "strategy.project_brand"} & {*paths}


# The page -----------------------------------------------------------------------------------------


def test_nothing_is_fetched_and_nothing_runs(folder: Path, call: Call) -> None:
    arguments = ("--policies", "research.yaml,schools.yaml", "--question", f"What if? {MARK}", *FEW[2:])
    made(call, *arguments, "--sensitivity-runs", "90")
    page = Path("report.html").read_text(encoding="utf-8")
    links = Links(page)
    assert {"runs.csv", "draws.csv", "ends.csv", "scenario.yaml", "schools.yaml"} <= links.files.keys()
    assert all(address.startswith("#") for address in links.others), links.others
    assert not {"script", "link", "iframe", "img", "object"} & set(links.tags)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 3, "question, title of the policy, its file"
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "each figure's ids are its own"
    for target in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page):
        assert "".join(target) in ids
    assert re.search(r'<svg role="img" aria-labelledby="gains-caption"', page)
    if not CHROMIUM or find_spec("playwright") is None:
        if os.environ.get("CI"):
            pytest.fail("the page is tested in Chromium, which is missing here")
        pytest.skip("the page is looked at in Chromium, which is missing here")
    _look_at(folder / "report.html")


def _look_at(path: Path) -> None:
    """In a browser, from the disk: no request but the file, no complaint, no figure cut in print."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        assert asked == [path.as_uri()]
        assert said == []
        assert page.title().startswith("Small district: Research, <script>")
        assert page.locator("figure svg").count() == 7
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 665, "height": 900})  # text of an A4 page: 176 mm
        tallest = page.evaluate("Math.max(...[...document.querySelectorAll('figure')].map(f => f.offsetHeight))")
        assert 200 < tallest < 1000, "a figure fits a page of 261 mm"
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        browser.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--policies reserach", "there is no policy 'reserach'"),
        ("", "--policies: name at least one policy"),
        ("--policies none", "--policies: name at least one policy"),
        ("--policies research.yaml,none.yaml", "none.yaml: none means no policies; rename the file"),
        ("--policies share.yaml --equal-cost 100", "budget_share = 0.01: mixes of equal cost need budgets in k€"),
        ("--policies research.yaml --replications 1", "Input should be greater than or equal to 2"),
        (
            "--policies research.yaml --out there.html",
            "there.html exists; choose another --out, or replace it with --force",
        ),
        ("--policies research.yaml --out small.yaml/report.html", "cannot be written"),
        ("--policies research.yaml --out report.pdf", "name a file that ends in .html"),
        (
            "--policies research.yaml --sensitivity-runs 20 --parameters calibrated",
            "--sensitivity-runs must be 0 or at least 120",
        ),
        ("--policies research.yaml --outcome emplyment", "did you mean 'employment'"),
        ("--policies research.yaml --parameters polcy_effects", "did you mean 'policy_effects'"),
        ("--policies research.yaml --discount 2", "--discount must be between 0 and 1 a year, not 2"),
        ("--policies research.yaml,research.yaml", "there are two mixes called research"),
    ],
)
def test_bad_input_is_answered(arguments: str, told: str, folder: Path, call: Call) -> None:
    (folder / "there.html").write_text("mine")
    before = {path.name for path in folder.iterdir()}
    out = [] if "--out" in arguments.split() else ["--out", "report.html"]
    result = call("policy-report", "small.yaml", *arguments.split(), *out)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert {path.name for path in folder.iterdir()} == before
    assert (folder / "there.html").read_text() == "mine"


def test_a_full_disk_leaves_nothing_half_written(folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path.write_text

    def full(path: Path, text: str, *arguments: Any, **named: Any) -> int:
        if not path.name.startswith(".report.html"):
            return whole(path, text, *arguments, **named)
        whole(path, text[:1000], *arguments, **named)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    arguments = ("--policies", "research.yaml", "--sensitivity-runs", "0", "--out", "report.html")
    result = call("policy-report", *SMALL, *arguments)
    assert result.exit_code == 1
    assert "report.html: could not be written: No space left on device" in result.stderr
    assert not [path for path in folder.iterdir() if "report" in path.name]


# Figures ------------------------------------------------------------------------------------------


def test_mixes_are_told_apart_in_grey_and_by_shape() -> None:
    looks = list(report_looks(["none", "a", "b", "c"]).values())
    shades = sorted(lightness(look.colour) for look in looks)
    assert min(np.diff(shades)) > 0.05
    assert len({look.marker for look in looks}) == len(looks)
    assert len({str(look.dashes) for look in looks[1:]}) == len(looks) - 1


LONG = [f"entrant_attraction_networked_{letter}" for letter in "abcdefg"]


@pytest.mark.parametrize(
    "cells", [["none", "a"], ["none", "it_brokers", "it_subsidy", "b+c"], ["none", *LONG]], ids=len
)
def test_texts_lie_beside_each_other_and_figures_fit_a_page(cells: list[str]) -> None:
    effect = {"difference": 9.0, "low": -9.0, "high": 20.0}
    ends = [
        {"parameter": path, "at": at, "value": value, "cell": cell} | effect
        for path in ("market.sensitivity_quality", "policy_effects.training_cost", "ties.searching", "a.b", "c.d")
        for at, value in (("low", 0.5), ("base", 1.0), ("high", 1.5))
        for cell in cells[1:]
    ]
    gains = [
        {"sort": sort, "group": name, "measure": measure, "cell": cell} | effect
        for sort, names in group_names(6).items()
        for name in names.values()
        for measure in ("jobs", "value_added")
        for cell in cells[1:]
    ]
    units = {str(row["parameter"]): "share" for row in ends}
    _look_over(figures.sensitivity_ends(pd.DataFrame(ends), cells, "employment", 0.95, units))
    _look_over(figures.who_gains(pd.DataFrame(gains), cells, 0.95))
    ratios = pd.DataFrame([(cell, "employment", 0.1 * k) for cell in cells for k in range(5)])
    _look_over(figures.tails(ratios.set_axis(["cell", "outcome", "ratio"], axis=1), cells, 0.2))


def _look_over(figure: Figure) -> None:
    boxes = drawn_texts(figure)
    width = figure.bbox.width
    for number, (text, box) in enumerate(boxes):
        assert box.x0 >= -1.0, text
        assert box.x1 <= width + 1.0, text
        for other, beside in boxes[number + 1 :]:
            assert not box.overlaps(beside), (text, other)
    assert figure.get_figheight() < 9.5
