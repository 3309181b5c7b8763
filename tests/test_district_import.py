"""A district that starts from tables: quarter 0 is the data, and every command works on it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from register_parts import hostile
from typer.testing import CliRunner, Result

from district_sim import District, load_district, load_scenario, simulate
from district_sim.model.initial import initial_state
from district_sim.model.parameters import parameters_of
from district_sim.model.state import SELF_OWNED, State
from district_sim.register import calm
from district_sim.register.district import District as Made
from district_sim.register.district import district, open_tables, tidied
from district_sim.run.run import Run
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.sections import Scenario


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The hostile table, imported from Python."""
    folder = tmp_path_factory.mktemp("hostile")
    return district(tidied(open_tables(*hostile(folder), None), None, None, False), {}, "hostile")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by the command line: its folder."""
    from district_sim import cli

    folder = tmp_path_factory.mktemp("imported")
    firms, ties = hostile(folder)
    out = folder / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
        result = CliRunner().invoke(cli.app, ["import", str(firms), "--ties", str(ties), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def command(imported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """The command line in an empty folder; experiments run in a thread."""
    from district_sim import cli

    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.setattr("district_sim.run.workers.make_pool", lambda workers: ThreadPoolExecutor(1))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "100"})


def start(scenario: Scenario, seed: int = 0) -> State:
    return initial_state(parameters_of(scenario), seed, 8)


# Quarter 0 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 5])
def test_quarter_0_equals_the_table_value_by_value(made: Made, seed: int) -> None:
    state, table = start(made.scenario, seed), made.clean.firms
    n = len(table)
    firms = state.firms[:n]
    assert state.clock.rows[0] == n
    np.testing.assert_array_equal(firms.employees, table["employees"])
    for column, found in (
        ("phase", firms.phase), ("x", firms.x), ("y", firms.y), ("founded", firms.founded), ("turnover", firms.sales),
        ("education", firms.education),
    ):  # fmt: skip
        known = (table[column].notna() & ((column != "phase") | (table[column] >= 0))).to_numpy()
        assert known.sum() > 300
        wanted = table[column].to_numpy(float)[known]
        kind = np.float32 if column in ("x", "y") else np.float64
        np.testing.assert_array_equal(found[known].astype(np.float64), wanted.astype(kind).astype(np.float64))
    np.testing.assert_array_equal(firms.owner, table["owner"])


def test_ties_and_orders_of_quarter_0_are_the_tables(made: Made) -> None:
    state, ties = start(made.scenario), made.clean.ties
    assert ties is not None
    held = {}
    for i in range(len(made.clean.firms)):
        for m in np.flatnonzero(state.ties.partner[i] >= 0):
            held[i, int(state.ties.partner[i, m])] = float(state.orders.paid[i, m])
    assert len(held) == 2 * len(ties)
    for a, b, ab, ba in ties.itertuples(index=False):
        assert held[a, b] == ab
        assert held[b, a] == ba


def test_the_largest_client_is_the_one_that_pays_most(made: Made) -> None:
    state, ties = start(made.scenario), made.clean.ties
    assert ties is not None
    paid: dict[int, dict[int, float]] = {}
    for a, b, ab, ba in ties.itertuples(index=False):
        paid.setdefault(b, {})[a] = ab
        paid.setdefault(a, {})[b] = ba
    for i, clients in paid.items():
        best = max(clients, key=lambda one: clients[one])
        if clients[best] > 0.0 and state.firms.phase[i] < 5:
            assert state.firms.main_client[i] == best


def test_replicates_differ_in_what_nobody_observed_and_in_nothing_else(made: Made) -> None:
    a, b = start(made.scenario, 1), start(made.scenario, 2)
    n = len(made.clean.firms)
    assert not np.array_equal(a.firms.identity[:n], b.firms.identity[:n])
    unknown = (made.clean.firms["phase"] < 0).to_numpy()
    np.testing.assert_array_equal(a.firms.phase[:n][~unknown], b.firms.phase[:n][~unknown])
    lost = made.clean.firms["x"].isna().to_numpy()
    assert lost.any()
    assert not np.array_equal(a.firms.x[:n][lost], b.firms.x[:n][lost])
    np.testing.assert_array_equal(start(made.scenario, 1).firms.tacit, a.firms.tacit)


def test_money_and_people_balance_from_the_first_quarter(made: Made) -> None:
    state = start(made.scenario)
    assert state.accounts.money.sum() == pytest.approx(0.0, abs=1e-6)
    assert state.accounts.people[0] == pytest.approx(state.firms.employees.sum())


def test_eight_calm_quarters_leave_the_district_as_it_is(made: Made) -> None:
    for outcome in calm.OUTCOMES:
        change = made.calm.change(outcome)
        assert abs(change) <= calm.LIMIT or made.calm.reasons[outcome], (outcome, change)
    assert abs(made.calm.change("employment")) <= calm.LIMIT
    assert abs(made.calm.change("firms")) <= calm.LIMIT
    assert abs(made.calm.change("ties")) <= calm.LIMIT


def test_firms_have_work_for_their_people(made: Made) -> None:
    """People in the phases stay, but for firms that close: the value of phases is fitted to who works in them."""
    run = simulate(made.scenario, 0, quarters=2)
    both = run.start.firms.index.intersection(run.end.firms.index)
    before, after = (s.firms.loc[both].groupby("phase")["employees"].sum() for s in (run.start, run.end))
    assert (abs(after / before - 1.0) < 0.1).all()


def few_final(n: int, share: float, exports: bool = False) -> pd.DataFrame:
    """Firms of which a share is of the last of six phases."""
    rng = np.random.default_rng(3)
    phase = np.where(rng.random(n) < share, 5, rng.integers(0, 5, n))
    out = table(n, phase=phase)
    return out.assign(exports=np.where(phase < 5, 0.4, 0.9)) if exports else out


@pytest.mark.parametrize("share", [0.0, 0.15, 0.3, 0.6])
@pytest.mark.parametrize("n", [60, 300])
def test_people_have_work_where_final_firms_are_few(n: int, share: float) -> None:
    """What final firms cannot buy goes to clients outside; where they can buy it all, nothing does."""
    firms = few_final(n, share).assign(phase=lambda f: f["phase"].where(f.index > 0, 5))
    found = district(tidied(open_tables(firms, None, None), None, None, False), {})
    outside = found.scenario.data.outside_sales
    assert bool(outside) == (share < 0.6)
    for outcome in calm.OUTCOMES:
        assert abs(found.calm.change(outcome)) <= calm.LIMIT or found.calm.reasons[outcome], outcome
    assert abs(found.calm.change("employment")) <= calm.LIMIT
    assert not set(found.calm.reasons) or "Without policies" in found.calm.told


def test_what_earlier_phases_export_is_sold_outside() -> None:
    scenario = load_district(few_final(300, 0.6, exports=True))
    assert scenario.data.outside_sales == pytest.approx([0.4] * 5)
    run = simulate(scenario, 0, quarters=2)
    before, after = run.start.firms["employees"].sum(), run.end.firms["employees"].sum()
    assert after == pytest.approx(before, rel=0.1)


def test_shares_outside_are_shares_and_one_for_each_phase_before_the_last() -> None:
    with pytest.raises(ScenarioError, match="outside_sales must be between 0 and 1"):
        load_scenario("baseline", {"data.outside_sales": [0.1, 0.2, 0.3, 0.4, 1.5]})
    with pytest.raises(ScenarioError, match=r"must be 3, one more than data\.outside_sales"):
        load_scenario("baseline", {"data.outside_sales": [0.1, 0.2]})


# Imputation ---------------------------------------------------------------------------------------


def table(n: int = 60, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    people = np.maximum(1, np.round(np.exp(rng.normal(1.5, 1.0, n))))
    return pd.DataFrame({"id": [f"F{i}" for i in range(n)], "employees": people} | columns)


@pytest.fixture(scope="module")
def bare() -> Scenario:
    """Nothing but ids and employees."""
    return load_district(table())


def test_without_phases_the_schemas_shares_are_drawn(bare: Scenario) -> None:
    seen = [start(bare, seed).firms[:60] for seed in range(6)]
    for firms in seen:
        final = firms.phase == 5
        assert final.sum() == round(bare.firms.final_share * 60)
        assert 0.35 < firms.employees[final].sum() / firms.employees.sum() < 0.65
        others = np.bincount(firms.phase[~final], minlength=5)
        assert others.max() - others.min() <= 1
    assert not np.array_equal(seen[0].phase, seen[1].phase)


def test_what_is_not_in_the_table_is_drawn_as_ever(bare: Scenario) -> None:
    state = start(bare)
    assert np.hypot(state.firms.x, state.firms.y).max() <= bare.firms.radius
    assert (state.firms.owner[:60] >= 0).sum() > 0 or bare.firms.group_share * 60 < 2
    assert (state.ties.partner[:60] >= 0).sum() / 60 == pytest.approx(bare.firms.ties, rel=0.35)


def test_who_exports_more_rather_has_a_pipeline() -> None:
    share = np.where(np.arange(60) % 2 == 0, 0.8, 0.0)
    scenario = load_district(table(exports=share))
    p = parameters_of(scenario)
    linked = np.zeros(60)
    for seed in range(12):
        state = initial_state(p._replace(firms=_without_settling(p)), seed, 8)
        linked += (state.pipelines.node[:60] >= 0).any(axis=1)
    assert linked[share == 0.0].sum() == 0
    assert linked[share > 0.0].sum() > 0


def _without_settling(p: Any) -> Any:
    firms = p.firms.copy()
    firms["settling"] = 0
    return firms


def test_research_per_head_shows_in_the_drive_to_research() -> None:
    people = table()["employees"].to_numpy()
    scenario = load_district(table(research=people * 4.0 * 0.3), columns={"units": {"research": "kEUR a year"}})
    state, p = start(scenario), parameters_of(scenario)
    wanted = 0.3 / (p.innovation.research_cost[0] * p.market.productivity[0] * p.history.research[0])
    np.testing.assert_allclose(state.firms.dynamism[:60], wanted)


def test_affiliates_belong_to_multinationals(bare: Scenario) -> None:
    owner = ["multinational" if i < 3 else "" for i in range(60)]
    state = start(load_district(table(owner=owner)))
    assert (state.firms.owner[:3] < SELF_OWNED).all()
    assert (state.firms.owner[3:60] == SELF_OWNED).all()


# Python -------------------------------------------------------------------------------------------


def test_frames_and_graphs_give_the_same_scenario() -> None:
    import networkx as nx

    firms = table()
    links = pd.DataFrame({"buyer": [f"F{i}" for i in range(50)], "supplier": [f"F{i + 1}" for i in range(50)]})
    graph = nx.DiGraph()
    for row in firms.itertuples():
        graph.add_node(row.id, employees=row.employees)
    graph.add_edges_from(links.itertuples(index=False))
    a, b = load_district(firms, links, title="x"), load_district(graph, title="x")
    assert a == b
    assert a.title == "x"


def test_fields_win_and_tables_say_how_many_firms(bare: Scenario) -> None:
    assert load_district(table(), run={"quarters": 9}, strategy_start=3).run.quarters == 9
    with pytest.raises(ScenarioError, match=r"firms\.count must be 60"):
        load_district(table(), firms__count=70)


def test_tables_in_memory_are_enough_for_a_run_and_for_mesa(bare: Scenario) -> None:
    run = simulate(bare, 3, quarters=4)
    model = District(bare, seed=3)
    model.run_for(4)
    np.testing.assert_array_equal(run.table, model.indicators.to_numpy())


def test_run_json_has_the_hash_and_not_the_data(tmp_path: Path) -> None:
    scenario = load_district(table(id=[f"Secret{i}" for i in range(60)]), folder=tmp_path / "data")
    run = simulate(scenario, 0, quarters=3)
    run.save(tmp_path / "run")
    text = (tmp_path / "run" / "run.json").read_text()
    assert scenario.data.firms_sha256 in text
    assert not any(b"Secret" in path.read_bytes() for path in (tmp_path / "run").iterdir())
    again = Run.load(tmp_path / "run")
    np.testing.assert_array_equal(simulate(again.scenario, 0, quarters=3).table, run.table)


# Commands -----------------------------------------------------------------------------------------


def test_import_writes_what_it_promises(imported: Path) -> None:
    assert {path.name for path in imported.iterdir()} == {
        *("district.yaml", "firms.parquet", "ties.parquet", "columns.yaml", "report.md", "import.png", "import.svg"),
    }
    report = (imported / "report.md").read_text()
    for words in ("imprese.csv, line 392", "duplicate id", "ordini.csv, line 1496", "phase_weights", "observed"):
        assert words in report
    scenario = load_scenario(imported / "district.yaml")
    assert scenario.firms.count == scenario.data.rows == 394
    assert Path(scenario.data.firms).is_absolute()


def test_python_and_the_command_line_give_the_same_run(imported: Path, made: Made) -> None:
    a = simulate(load_scenario(imported / "district.yaml"), 4, quarters=4)
    b = simulate(made.scenario, 4, quarters=4)
    np.testing.assert_array_equal(a.table, b.table)


def test_every_command_takes_it(imported: Path, command: Callable[..., Result], tmp_path: Path) -> None:
    name, short = str(imported / "district.yaml"), ["--quarters", "6", "--workers", "1"]
    once, quick = ["--replications", "2"], ["--sensitivity-runs", "0", "--out", "r.html"]
    vary = ["--vary", "world.globalisation=0,1", *once]
    (tmp_path / "my.targets.yaml").write_text(
        f"scenario: {name}\nstart: 2002\ntargets:\n"
        "  - {measure: firms, year: 2004, value: 380, tolerance: 20, fit: true, source: me, certainty: C}\n"
        "parameters:\n  demography.entry: {low: 0.006, high: 0.06, log: true}\n"
    )
    for arguments in (
        ["scenarios", "validate", name],
        ["run", name, "--quarters", "6", "--out", "run"],
        ["compare", name, "--policies", "none,training_vouchers", "--replications", "2", *short],
        ["sweep", name, *vary, *short, "--out", "sweep"],
        ["results", "sweep"],
        ["map", name, *vary, "--vary", "strategy.sale=0,1", *short],
        ["sensitivity", name, "--parameters", "demography", "--morris", "2", "--sobol", "0", *once, *short],
        ["policy-report", name, "--policies", "training_vouchers", *once, *short, *quick],
        ["calibrate", name, "--targets", "my.targets.yaml", "--runs", "2", "--budget", "12", "--workers", "1"],
    ):  # fmt: skip
        result = command(*arguments)
        assert result.exit_code == 0, (arguments, result.output)
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    start = pd.read_parquet(tmp_path / "run" / "firms_start.parquet")
    table = pd.read_parquet(imported / "firms.parquet")
    np.testing.assert_array_equal(start["employees"], table["employees"])
    assert told["scenario"]["data"]["rows"] == 394


def test_a_plan_says_which_tables_and_not_where(imported: Path, command: Callable[..., Result], tmp_path: Path) -> None:
    import shutil

    def sweep(folder: Path, replications: str) -> Result:
        name = str(folder / "district.yaml")
        vary = ["--vary", "world.globalisation=0,1", "--quarters", "3", "--out", "s", "--workers", "1"]
        return command("sweep", name, *vary, "--replications", replications)

    here, there = tmp_path / "here", tmp_path / "there" / "here"
    shutil.copytree(imported, here)
    first = sweep(here, "1")
    assert first.exit_code == 0, first.output
    plan = json.loads((tmp_path / "s" / "experiment.json").read_text())
    (told,) = plan["scenarios"].values()
    assert told["data"]["firms"] == "firms.parquet", "the plan says which tables, not where they are"
    there.parent.mkdir()
    here.rename(there)
    lost = sweep(here, "1")
    assert lost.exit_code == 2
    assert lost.stderr


def test_a_table_that_changed_is_refused(imported: Path, command: Callable[..., Result], tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(imported, folder)
    path = folder / "firms.parquet"
    frame = pd.read_parquet(path)
    frame.loc[0, "employees"] += 1
    frame.to_parquet(path)
    result = command("run", str(folder / "district.yaml"))
    assert result.exit_code == 2
    assert "firms.parquet: has changed since it was imported" in " ".join(result.stderr.split())
    path.unlink()
    result = command("run", str(folder / "district.yaml"))
    assert result.exit_code == 2
    assert "firms.parquet: cannot be read: No such file" in " ".join(result.stderr.split())


def test_the_number_of_firms_cannot_be_set(imported: Path, command: Callable[..., Result]) -> None:
    result = command("run", str(imported / "district.yaml"), "--set", "firms.count=100")
    assert result.exit_code == 2
    assert "firms.count must be 394" in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_the_page_opens_its_file_and_no_others(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from district_sim.app import course
    from district_sim.app.course import Course, Source

    monkeypatch.setattr(course, "opened", {"district.yaml": imported / "district.yaml"})
    course._read.cache_clear()
    opened = Course(Source("district.yaml"), {"world.globalisation": 0.5}, seed=1)
    assert opened.scenario().data.rows == 394
    text = (imported / "district.yaml").read_text()
    with pytest.raises(ScenarioError):
        Course(Source("other.yaml", text)).scenario()
    with pytest.raises(ScenarioError, match="a link cannot name tables"):
        Course(Source("baseline"), {"data.firms": "/etc/passwd"}).scenario()


def test_the_tables_can_be_given_another_future(imported: Path, tmp_path: Path) -> None:
    """Extending the district from elsewhere finds its tables; extending another scenario in it gives another future."""
    (tmp_path / "mine.yaml").write_text(f"extends: {imported / 'district.yaml'}\nrun: {{quarters: 5}}\n")
    assert load_scenario(tmp_path / "mine.yaml").data.firms == str(imported / "firms.parquet")
    text = (imported / "district.yaml").read_text().replace("extends: baseline", "extends: learning_region")
    (imported / "other.yaml").write_text(text)
    other = load_scenario(imported / "other.yaml")
    (imported / "other.yaml").unlink()
    assert other.policies
    assert other.data.rows == 394
