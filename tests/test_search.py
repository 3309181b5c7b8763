"""Search: what is best by construction is found, all cost the same, the test is fresh, kills change nothing."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import Result

from district_sim import figures
from district_sim.cli.search import money
from district_sim.experiments import retest
from district_sim.experiments.costs import budget_value
from district_sim.experiments.search import (
    EQUAL,
    NOTHING,
    Searched,
    Space,
    Wait,
    checked_entries,
    headline,
    objectives_of,
    search,
    values_of,
)
from district_sim.experiments.worlds import World, columns, load_worlds
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.instruments import Targeting
from district_sim.scenario.interventions import Instrument
from district_sim.scenario.policy_files import load_policy, policy_mix

pytest.importorskip("pymoo")

NAMES = ("rd_subsidy", "export_platform", "training_vouchers")
WORTH = {"rd_subsidy": 1.0, "export_platform": 3.0, "training_vouchers": 0.5}
"""What a k€ of each is worth, by construction."""
WORLDS = ("calm", "hard", "odd")


def space(**changes: Any) -> Space:
    entries = {name: policy_mix(name) for name in NAMES}
    given: dict[str, Any] = {"entries": entries, "budget": 10_000.0, "quarters": 96, "earliest": 40}
    return Space(**(given | {"discount": 0.03, "since": 0, "targets": (Targeting.SMALL,)} | changes))


def worth(mix: tuple[Instrument, ...], world: str) -> float:
    """By construction: money early is worth more; in the odd world only training is worth anything."""
    value = dict.fromkeys(WORTH, 0.0) | {"training_vouchers": 1.0} if world == "odd" else WORTH
    return sum(
        value[item.kind.value] * item.budget * (item.end - item.start) - 10.0 * (item.start - 40) for item in mix
    )


def table(policies: Mapping[str, tuple[Instrument, ...]], worlds: tuple[str, ...] = WORLDS) -> pd.DataFrame:
    rows = [
        {
            "policy": name,
            "world": world,
            "value_added_local_late": worth(mix, world),
            "employment_late": 100.0 - len(mix),
        }
        | {"spent": sum(item.budget for item in mix), "left_over": 0.0}
        for name, mix in policies.items()
        for world in worlds
    ]
    return pd.DataFrame(rows)


def found(text: str = "value_added", worlds: tuple[str, ...] = WORLDS, seed: int = 3, **changes: Any) -> Searched:
    objectives = objectives_of(text)
    return search(space(**changes), objectives, lambda _, policies: table(policies, worlds), 12, 8, seed)


class TestCandidates:
    @settings(max_examples=60, deadline=None)
    @given(genes=st.lists(st.floats(0.0, 1.0), min_size=21, max_size=21), waits=st.booleans(), rate=st.floats(0.0, 0.2))
    def test_all_cost_the_same_and_fit(self, genes: list[float], waits: bool, rate: float) -> None:
        """Present value at any rate; what waits is never given more."""
        wait = Wait("unemployment", True, 0.05, 0.2) if waits else None
        own = space(wait=wait, discount=rate)
        mix = own.mix(np.array(genes[: own.genes]))
        plain = [item.model_copy(update={"when": ()}) for item in mix]
        assert budget_value(plain, 96, rate) == pytest.approx(10_000.0)
        assert sum(own.split(np.array(genes[: own.genes]))) == 20
        for item in mix:
            Instrument.model_validate(item.model_dump())
            assert 40 <= item.start < item.end <= 96
            assert all(0.05 <= post.line <= 0.2 for post in item.when)

    def test_a_signpost_that_raises_the_budget_does_not_raise_the_cost(self) -> None:
        own = space(entries={"ready_buyouts": policy_mix("ready_buyouts")})
        item = own.plain(["ready_buyouts"])[0]
        most = max(post.budget or 0.0 for post in item.when)
        dearest = item.model_copy(update={"budget": most, "when": ()})
        assert budget_value([dearest], 96, 0.03) == pytest.approx(10_000.0)

    def test_simple_policies_are_the_first_candidates(self) -> None:
        own = space()
        first = [own.mix(genes) for genes in own.first(8, 0)]
        assert [own.simple[f"{name} alone"] for name in NAMES] == first[1:4]
        assert own.simple[NOTHING] == ()
        assert {item.budget for item in first[0]} == {item.budget for item in own.simple[EQUAL]} or len(first[0]) == 3

    def test_what_cannot_be_split_is_refused(self) -> None:
        items = [Instrument.model_validate({"name": "it", "kind": "rd_subsidy", **fields}) for fields in (
            {"budget_share": 0.1}, {"budget": 0.0})]  # fmt: skip
        for item, said in zip(items, ("share of turnover", "needs a budget"), strict=True):
            with pytest.raises(ScenarioError, match=said):
                checked_entries({"it": [item]}, 96)
        with pytest.raises(ScenarioError, match="no instrument"):
            checked_entries({"none": []}, 96)


class TestSearch:
    def test_the_best_by_construction_is_found(self) -> None:
        best = found(worlds=("calm",)).front[0]
        assert {item.kind.value for item in best.mix} == {"export_platform"}

    def test_it_is_never_worse_than_what_needs_no_search(self) -> None:
        told = found()
        assert told.front[0].values["value_added"] >= max(own["value_added"] for own in told.simple.values())

    def test_the_least_regret_hedges(self) -> None:
        """The best on average forgets the odd world; the least regret does not."""
        told = found("value_added,worst_regret")
        least = min(told.front, key=lambda one: one.values["worst_regret"])
        assert "training_vouchers" in {item.kind.value for item in least.mix}
        assert "training_vouchers" not in {item.kind.value for item in told.front[0].mix}

    def test_the_same_seed_goes_the_same_way(self) -> None:
        one, other, third = found("value_added,jobs"), found("value_added,jobs"), found("value_added,jobs", seed=4)
        assert one.candidates == other.candidates
        assert one.candidates != third.candidates

    def test_four_objectives(self) -> None:
        told = found("value_added,jobs,worst_regret,cost")
        assert told.front[0] in told.candidates

    def test_nothing_is_tried_twice(self) -> None:
        mixes = [one.mix for one in found().candidates]
        assert len(mixes) == len(set(map(repr, mixes)))

    def test_a_candidate_without_a_finished_run_never_wins(self) -> None:
        objectives = objectives_of("value_added")
        rows = table(space().simple)
        rows.loc[rows["policy"] == EQUAL, "value_added_local_late"] = np.nan
        best = pd.Series(0.0, index=list(WORLDS))
        assert np.isnan(values_of(rows, objectives, best)[EQUAL]["value_added"])

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("jbos", "did you mean 'jobs'"),
            ("worst_regret", "at least one outcome"),
            ("jobs,jobs", "twice"),
            ("", "at least"),
        ],
    )
    def test_objectives_that_cannot_be(self, text: str, said: str) -> None:
        with pytest.raises(ScenarioError, match=said):
            objectives_of(text)

    def test_less_can_be_better(self) -> None:
        own = objectives_of("-unemployment_late,worst_regret")
        assert (headline(own).outcome, headline(own).sign, own[1].sign) == ("unemployment_late", -1, -1)


class TestAgain:
    """The test on fresh worlds, on numbers that are known."""

    def rows(self, gain: float) -> pd.DataFrame:
        """In each world another level for all; the winner is better by a gain and some luck."""
        rng, rows = np.random.default_rng(1), []
        for world in range(40):
            level = 1000.0 * rng.random()
            for replicate in range(2):
                for policy, more in ((NOTHING, 0.0), (EQUAL, 5.0), ("a alone", 4.0), ("winner", 5.0 + gain)):
                    value = level + more + rng.normal()
                    rows.append({"policy": policy, "world": f"w{world}", "replicate": replicate, "spent": 9.0}
                                | {"left_over": 1.0, "value_added_local_late": value})  # fmt: skip
        return pd.DataFrame(rows)

    def compared(self, gain: float, rows: pd.DataFrame | None = None) -> retest.Tested:
        objectives = objectives_of("value_added")
        rows = self.rows(gain) if rows is None else rows
        told = found()
        chosen = retest.winners(told, objectives, 1)
        simple = {name: {"value_added": 0.0} for name in (NOTHING, EQUAL, "a alone")}
        return retest.compared(rows, chosen, Searched(told.candidates, told.front, simple), objectives, 0.95)

    def test_a_gain_that_is_there_is_seen_across_worlds(self) -> None:
        told = self.compared(3.0)
        assert told.beats_all("winner")
        row = told.row("winner", EQUAL)
        assert row["low"] < 3.0 < row["high"]
        assert (row["n"], told.pairs, told.single) == (40, "worlds", "a alone")
        table = told.policies.set_index("policy")
        assert table.loc["winner", "worst_regret"] < table.loc[NOTHING, "mean_regret"]

    @pytest.mark.parametrize(("gain", "said"), [(0.0, "open"), (-3.0, "worse")])
    def test_one_that_is_not_is_not(self, gain: float, said: str) -> None:
        told = self.compared(gain)
        assert told.verdict("winner", EQUAL) == said
        assert not told.beats_all("winner")

    def test_a_policy_gains_nothing_by_the_districts_that_it_ends(self) -> None:
        """Where an outcome is undefined under one of two policies, the other's is left out as well."""
        rows = self.rows(-3.0)
        poor = rows["replicate"] == 0
        rows.loc[poor, "value_added_local_late"] -= 500.0
        rows.loc[poor & (rows["policy"] == "winner"), "value_added_local_late"] = np.nan
        told = self.compared(0.0, rows)
        assert told.verdict("winner", EQUAL) == "worse"
        assert told.row("winner", EQUAL)["difference"] == pytest.approx(-3.0, abs=0.5)
        assert told.optimism[f"{EQUAL}: tested"] == pytest.approx(-3.0, abs=0.5)
        rows.loc[rows["policy"] == "winner", "value_added_local_late"] = np.nan
        with pytest.raises(ValueError, match=r"no run of winner was finished in some world, or .* is undefined in all"):
            self.compared(0.0, rows)

    def test_optimism_is_what_was_lost(self) -> None:
        told = self.compared(3.0)
        before, after = told.optimism[f"{EQUAL}: searched"], told.optimism[f"{EQUAL}: tested"]
        assert told.optimism[f"{EQUAL}: optimism"] == pytest.approx(before - after)
        assert after == pytest.approx(3.0, abs=0.5)

    def test_where_it_loses_is_found(self) -> None:
        pytest.importorskip("ema_workbench")
        scenario = load_scenario("baseline")
        ranges = load_worlds("open_future", "baseline", scenario)
        drawn = ranges.drawn(60, 0, 1)
        rows = []
        for world in drawn:
            bad = float(world.settings["ownership.takeover_price"]) > 40.0
            for policy, value in ((NOTHING, 0.0), (EQUAL, 1.0), ("a alone", 1.0), ("winner", 0.0 if bad else 2.0)):
                rows.append({"policy": policy, "world": world.name, "replicate": 0, "value_added_local_late": value})
        tested = retest.Tested(pd.DataFrame(rows), pd.DataFrame(), pd.DataFrame(), "a alone", "worlds", {})
        cases = retest.losing(tested, drawn, ranges.ranges, objectives_of("value_added"))
        boxes, why = retest.boxes_of(cases, ranges.ranges)
        assert why == ""
        assert boxes[0].words().startswith("ownership.takeover_price > 3")
        assert retest.boxes_of(cases.head(10), ranges.ranges)[1].startswith("boxes need at least 30")


GOOD = """title: Some
worlds:
  - name: hard
    set: {world.onset: 4}
ranges:
  ownership.takeover_price: {low: 0, high: 60}
"""
BAD = {
    "unknown key": (("title", "titel"), ":1: titel: unknown key in a file of worlds; did you mean 'title'"),
    "unknown path": (("world.onset", "world.onst"), ":4: "),
    "not allowed": (("onset: 4", "onset: x"), ":4: "),
    "no name": (("name: hard", "nome: hard"), ":3: worlds.0: needs a name"),
    "low above high": (("low: 0", "low: 90"), ":6: ownership.takeover_price: write it as"),
    "out of range": (("high: 60", "high: 900"), ":6: "),
    "unknown range": (("ownership.takeover_price", "ownership.price"), ":6: "),
}


class TestWorlds:
    @pytest.mark.parametrize(("change", "said"), BAD.values(), ids=BAD)
    def test_bad_files(self, tmp_path: Path, change: tuple[str, str], said: str) -> None:
        file = tmp_path / "worlds.yaml"
        file.write_text(GOOD.replace(*change))
        with pytest.raises(ScenarioError, match=r"worlds\.yaml") as caught:
            load_worlds(file, "baseline", load_scenario("baseline"))
        assert f"worlds.yaml{said}" in str(caught.value)

    def test_columns_have_the_scenarios_own_values(self, tmp_path: Path) -> None:
        (tmp_path / "worlds.yaml").write_text(GOOD)
        scenario = load_scenario("baseline")
        told = load_worlds(tmp_path / "worlds.yaml", "baseline", scenario)
        drawn = told.drawn(3, 7, 0)
        made = columns((*told.named, *drawn), scenario)
        assert made["world.onset"] == (4, *[scenario.world.onset] * 3)
        assert made["ownership.takeover_price"][0] == scenario.ownership.takeover_price
        assert told.drawn(3, 7, 0) == drawn != told.drawn(3, 7, 1)
        assert columns((World("alone", {}),), scenario) == {}


@pytest.mark.parametrize(
    ("text", "value"), [("10M", 1e4), ("500k", 500.0), ("2.5 M€", 2500.0), ("1bn", 1e6), ("700", 700.0)]
)
def test_money(text: str, value: float) -> None:
    assert money(text) == value


# The command --------------------------------------------------------------------------------------

SMALL = (
    *("search", "small.yaml", "--budget", "500k", "--instruments", "rd_subsidy,export_platform", "--earliest", "1"),
    *(
        "--worlds",
        "worlds.yaml",
        "--population",
        "4",
        "--generations",
        "2",
        "--search-worlds",
        "1",
        "--test-worlds",
        "2",
    ),
    *("--replications", "1", "--test-replications", "1", "--winners", "2"),
)


def test_the_command_answers_and_writes(small_folder: Path, call: Callable[..., Result]) -> None:
    Path("worlds.yaml").write_text(GOOD)
    told = call(*SMALL, "--out", "out")
    assert told.exit_code == 0, told.stderr
    assert "The winner" in told.stdout
    assert "2 fresh worlds and the named world again" in told.stdout
    answer = json.loads(Path("out/answer.json").read_text())
    policies = {row["policy"]: row for row in answer["policies"]}
    assert {NOTHING, EQUAL, "rd_subsidy alone", "export_platform alone", "winner"} <= set(policies)
    assert policies[NOTHING]["spent"] == 0.0
    for name, row in policies.items():
        if name != NOTHING:
            assert 0.0 < row["spent"] + row["left_over"]
    assert {row["rival"] for row in answer["against"]} >= {EQUAL, NOTHING}
    winner = load_policy("out/winner.yaml").instruments
    assert budget_value(winner, 8, 0.03) == pytest.approx(500.0)
    regrets = pd.read_csv("out/regrets.csv", index_col="world")
    assert (regrets.min(axis=1) == 0.0).all()
    assert set(regrets.index) == {"hard", "drawn 1", "drawn 2"}
    first = {path: path.read_bytes() for path in Path("out").glob("*.*")}
    page = Path("out/search.md").read_text()
    command = re.search(r"`district-sim (.+)` \(district-sim", page)
    assert command is not None
    assert "](pareto.png)" in page
    assert call(*shlex.split(command[1])).exit_code == 0
    assert Path("search/search.md").read_text() == page, "the command of the page makes the page"
    assert "--confidence" not in command[1], "what is as it is by default is left out"
    again = call(*SMALL, "--out", "out", "--json")
    assert json.loads(again.stdout)["verdict"] == answer["verdict"]
    assert {path: path.read_bytes() for path in Path("out").glob("*.*")} == first
    other = call(*SMALL, "--out", "out", "--seed", "5")
    assert other.exit_code == 2
    assert "holds another search" in other.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--budget": "much"}, "--budget much: write it as 10M"),
        ({"--instruments": "rd_subsidi"}, "did you mean 'rd_subsidy'"),
        ({"--instruments": "none"}, "no instrument"),
        ({"--objectives": "joy"}, "--objectives joy"),
        ({"--targets": "tiny"}, "--targets tiny"),
        ({"--wait": "unemployment above 1"}, "write it as"),
        ({"--wait": "unemployment above 1:2"}, "so this never comes"),
        ({"--worlds": "nowhere.yaml"}, "nowhere.yaml"),
        ({"--posterior": "nothing.nc"}, "nothing.nc"),
        ({"--earliest": "7"}, "--earliest"),
        ({"--confidence": "2"}, "--confidence"),
        ({"--test-worlds": "0", "--worlds": "ranges.yaml"}, "must be at least 1"),
    ],
)
def test_bad_input_gets_one_message(
    small_folder: Path, call: Callable[..., Result], change: dict[str, str], said: str
) -> None:
    Path("worlds.yaml").write_text(GOOD)
    Path("ranges.yaml").write_text(GOOD[GOOD.index("ranges") :])
    words = [word for pair in change.items() for word in pair]
    told = call(*SMALL, *words, "--out", "out")
    assert told.exit_code == 2, told.output
    assert said in " ".join(told.stderr.split())
    assert not Path("out").exists()


def test_where_nothing_helps_it_picks_no_winner(small_folder: Path, call: Callable[..., Result]) -> None:
    """Nobody bids for firms: no buy-out is to be paid, and an office that screens takeovers meets none."""
    Path("calm.yaml").write_text("extends: small.yaml\nmechanisms: {takeover: false}\n")
    words = ["search", "calm.yaml", "--budget", "500k", "--instruments", "local_coownership,takeover_screening"]
    words += ["--earliest", "1", "--population", "4", "--generations", "2", "--replications", "1"]
    told = call(*words, "--test-replications", "3", "--winners", "2", "--out", "out")
    assert told.exit_code == 0, told.stderr
    said = " ".join(told.stdout.split())
    assert said.startswith("No winner: nothing that was tested beats doing nothing")
    assert "does what nothing does" in said
    answer = json.loads(Path("out/answer.json").read_text())
    assert not answer["beats_what_needs_no_search"]
    assert {row["difference"] for row in answer["against"]} == {0.0}
    assert "No winner" in Path("out/winner.yaml").read_text()


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_killed_in_the_middle_it_comes_to_the_same(small_folder: Path, call: Callable[..., Result]) -> None:
    Path("worlds.yaml").write_text(GOOD)
    assert call(*SMALL, "--out", "whole").exit_code == 0
    line = [sys.executable, "-m", "district_sim", *SMALL, "--out", "out", "--quiet", "--workers", "1"]
    process = subprocess.Popen(line, start_new_session=True)
    while process.poll() is None and not Path("out/search/generation-0000/ledger.sqlite").exists():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not Path("out/answer.json").exists()
    assert call(*SMALL, "--out", "out").exit_code == 0
    names = sorted(path.name for path in Path("whole").glob("*.*"))
    assert names == sorted(path.name for path in Path("out").glob("*.*"))
    for name in names:
        assert Path("whole", name).read_bytes() == Path("out", name).read_bytes(), name


def test_the_figure_shows_every_candidate() -> None:
    for text, panels in (("value_added", 1), ("value_added,jobs", 1), ("value_added,jobs,worst_regret", 3)):
        told = found(text)
        figure = figures.pareto(told, objectives_of(text), told.front[0].name)
        assert len(figure.axes) == panels
        points = sum(len(part.get_offsets()) for part in figure.axes[0].collections)
        assert points == len(told.candidates) + 1 + len(told.simple)
