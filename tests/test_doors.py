"""What comes from outside: one set of limits and one kind of message at every door."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz import fuzz
from typer.testing import Result

from district_sim.app.course import Course, Intervention, Source, scenario_of
from district_sim.app.links import as_json, from_json, from_query
from district_sim.evidence.cases.files import read_case
from district_sim.experiments.design_files import load_experiments, read_table
from district_sim.scenario.files import ScenarioError, _read, load_scenario
from district_sim.scenario.policy_files import laid_over, load_policy, policy_mix
from district_sim.scenario.texts import MOST_BYTES, MOST_VALUES, parse_json, printable

type Call = Callable[..., Result]

BOMB = "extends: baseline\nl0: &l0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
FAULTS = {
    "aliases": (BOMB, f":6: more than {MOST_VALUES:,} values, those that aliases repeat included"),
    "deep": ("title: " + "[" * 20_000, ":1: nested too deeply"),
    "deep blocks": ("".join(f"{' ' * n}a:\n" for n in range(30)), ":21: nested too deeply"),
    "odd tag": ("extends: baseline\ntitle: !!bool maybe\n", ":2: the tag tag:yaml.org,2002:bool is not read"),
    "merge of nothing": ("extends: baseline\nfirms: &a\n  <<: *a\n", ":3: the alias *a stands within what it repeats"),
    "key is a map": ("? {a: {b: 1}}\n: 2\n", ":1: a key must be text"),
    "no such date": ("a: 1\nb: 2012-13-45\n", ":2: not valid YAML: month must be in 1..12"),
    "many digits": (f"a: 0x{'f' * 5000}\n", ":1: a: a number of more than 300 digits"),
    "many values": ("a: [" + "1," * (MOST_VALUES + 1) + "]", f":1: more than {MOST_VALUES:,} values"),
    "large": ("# " + "x" * MOST_BYTES, ": larger than 256 KiB"),
    "control character": ("a: \x1b[31m\n", ": not valid YAML: "),
}
READERS: dict[str, Callable[[Path], object]] = {
    "scenario": load_scenario,
    "policy": load_policy,
    "experiment": load_experiments,
    "targets": read_case,
    "upload": lambda path: scenario_of(Source(path.name, path.read_text()), {}),
}


@pytest.mark.parametrize("door", READERS)
@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_every_door_refuses_alike(
    text: str, said: str, door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("mine.yaml")
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        READERS[door](path)
    assert str(caught.value).startswith(f"mine.yaml{said}")
    assert len(str(caught.value)) < 300
    assert "\x1b" not in str(caught.value)


def test_what_is_set_has_the_same_limits() -> None:
    for text, said in (
        ("title=" + "[" * 5000, "nested too deeply"),
        ("title=!!bool maybe", "the tag"),
        ("title=*a", "not valid"),
    ):
        with pytest.raises(ScenarioError, match=said) as caught:
            load_scenario("classroom", [text])
        assert len(str(caught.value)) < 400


def test_few_aliases_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: classroom\nhistory: &h {sale: 0.5, it: 0.1}\nstrategy:\n  <<: *h\n  it: 0.2\n")
    for scenario in (load_scenario(path), scenario_of(Source("mine.yaml", path.read_text()), {})):
        assert (scenario.history.sale, scenario.strategy.sale, scenario.strategy.it) == (0.5, 0.5, 0.2)


def test_files_that_extend_twice_as_many_each_are_refused(tmp_path: Path) -> None:
    for n in range(20):
        (tmp_path / f"f{n}.yaml").write_text(f"extends: [f{n + 1}, f{n + 1}]\n")
    (tmp_path / "f20.yaml").write_text("title: x\n")
    with pytest.raises(ScenarioError, match="what the scenario extends is more than 64 files in all"):
        load_scenario(tmp_path / "f0.yaml")


def test_files_that_extend_each_other_have_limits_together(tmp_path: Path) -> None:
    """Each within the limits of one file, all of them far beyond."""
    for text, said in (("".join(f"k{n}: 1\n" for n in range(4000)), "10,000 values"), ("#" * 200_000, "512 KiB")):
        for n in range(4):
            (tmp_path / f"f{n}.yaml").write_text(f"extends: f{n + 1}\n{text}\n")
        (tmp_path / "f4.yaml").write_text("title: x\n")
        with pytest.raises(ScenarioError, match=rf"f2.yaml: with it, .* more than {said} in all"):
            load_scenario(tmp_path / "f0.yaml")


def test_places_of_what_was_replaced_are_forgotten(tmp_path: Path) -> None:
    """A list replaces a list, with the places of all that stood in it; sections merge, and keep theirs."""
    entry = "{name: %s, kind: rd_subsidy, budget: 1, start: 3}"
    (tmp_path / "low.yaml").write_text(
        f"policies:\n  - {entry % 'a'}\n  - {entry % 'b'}\nfirms:\n  count: 30\n  capital: 1\n"
    )
    (tmp_path / "high.yaml").write_text("extends: low\npolicies: [{name: c, kind: rd_subsidy}]\nfirms: {count: 40}\n")
    document = _read(tmp_path / "high.yaml")
    assert document.data["policies"] == [{"name": "c", "kind": "rd_subsidy"}]
    places = {".".join(map(str, at)): origin.place.rpartition("/")[2] for at, origin in document.origins.items()}
    assert places == {
        **dict.fromkeys(["policies", "policies.0", "policies.0.name", "policies.0.kind"], "high.yaml:2"),
        "firms": "high.yaml:3",
        "firms.count": "high.yaml:3",
        "firms.capital": "low.yaml:6",
    }


def test_messages_repeat_little_and_nothing_that_moves_the_cursor() -> None:
    said = printable("a\x1b[2Jb\x00 " + "x" * 100_000 + "\n" + "word " * 100_000 + "\nline" * 500)
    assert len(said) < 3000
    assert said.startswith(r"a\x1b[2Jb\x00 xxx")
    assert said.endswith("and 482 more")
    for name in ("x" * 300, "~nobody/x.yaml", "~\ud800/x", "a\x00b", "\udcff", "y" * 100_000):
        for read in (load_scenario, load_policy, load_experiments, lambda text: policy_mix(text, ())):
            with pytest.raises(ScenarioError) as caught:
                read(name)
            assert str(caught.value).isprintable()
            assert len(str(caught.value)) < 1600


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    def pipe(name: str, text: str) -> Path:
        os.mkfifo(tmp_path / name)
        threading.Thread(target=(tmp_path / name).write_text, args=(text,), daemon=True).start()
        return tmp_path / name

    scenario = pipe("a", "extends: classroom\nfirms: {count: 41}\n")
    assert [load_scenario(scenario).firms.count for _ in range(2)] == [41, 41]
    policy = str(pipe("b", "policies: [{name: x, kind: rd_subsidy, budget: 3}]\n"))
    assert [item.name for item in policy_mix(policy, ())] == ["x"]
    table = pipe("c", "firms.count\n10\n20\n")
    assert read_table(table, lambda at: "")[0] == {"firms.count": [10, 20]}


def test_tables_are_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("a,b\n1," + "x" * 200_000)
    with pytest.raises(ScenarioError, match=r"points\.csv:2: not a CSV file: field larger"):
        read_table(path, lambda at: "")


def test_links_are_refused_with_one_message() -> None:
    for query in ("state=%C3%A9", "state=" + "A" * 5000, "scenario=" + "[" * 5000, "seed=%C3%A9"):
        with pytest.raises(ScenarioError) as caught:
            from_query(query)
        assert len(str(caught.value)) < 300
    good = json.loads(as_json(Course(Source("classroom"))))
    for change in (
        {"contrast": "."},
        {"contrast": [".", 1, "x"]},
        {"contrast": ["policies", 3, "x"]},
        {"interventions": [3]},
        {"interventions": [[1, {"policies": [3]}, "x"]]},
        {"settings": []},
    ):
        with pytest.raises(ScenarioError):
            from_json(json.dumps(good | change))
    with pytest.raises(ScenarioError, match="nested too deeply"):
        from_json("[" * 5000)
    with pytest.raises(ScenarioError, match="state: the text is damaged"):
        parse_json('{"a": NaN}', "state")


@pytest.mark.parametrize("path", ["firms.count", "run.quarters", "technology.domains", "ties.maximum"])
def test_a_link_cannot_change_what_a_run_began_with(path: str) -> None:
    course = Course(
        Source("classroom"), interventions=(Intervention(3, {path: 30 if path != "technology.domains" else 4}, "x"),)
    )
    with pytest.raises(ScenarioError, match=f"in quarter 3: {path.split('.')[0]}.*cannot change within a run"):
        from_json(as_json(course))


def test_what_can_never_act_is_refused_with_the_quarters_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "years.yaml"
    policy, shock = (
        "{name: g, kind: rd_subsidy, budget: 9, start: %d}",
        "{name: s, kind: demand_slump, start: %d, size: 0.2}",
    )
    for first in (2012, 100):
        path.write_text(f"extends: classroom\npolicies:\n  - {policy % first}\n")
        with pytest.raises(ScenarioError, match=rf"years.yaml:3: policies.0.start = {first}: .* quarters are 0 to 99"):
            load_scenario(path)
        path.write_text(f"extends: classroom\nshocks:\n  - {shock % first}\n")
        with pytest.raises(ScenarioError, match=rf"years.yaml:3: shocks.0.start = {first}: .* quarters are 0 to 99"):
            load_scenario(path)
    path.write_text(f"extends: classroom\npolicies:\n  - {policy % 99}\nshocks:\n  - {shock % 99}\n")
    assert load_scenario(path).policies[0].start == 99
    assert load_scenario(path, ["run.quarters=8"]).run.quarters == 8  # cut short, which is said elsewhere
    path.write_text(f"policies:\n  - {policy % 2012}\n")
    with pytest.raises(ScenarioError, match="g: start = 2012: must be before the run ends"):
        laid_over(load_scenario("classroom"), load_policy(path).instruments)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "--seeds", "1000-999999999999"], "at most 10,000 are measured at once"),
        (["app", "--host", "h" * 300], "no address can have this name"),
        (["run", "classroom", "--policy", "p" * 300], "there is no policy"),
        (["run", "~nobody/x.yaml"], "no such file"),
        (["run", "classroom", "--animate", "f" * 300 + ".gif"], "File name too long"),
        (["run", "classroom", "--out", "o" * 300], "File name too long"),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
def test_the_command_line_ends_with_a_message(call: Call, words: list[str], said: str) -> None:
    done = call(*words)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert len(done.output) < 1800


def test_mutated_inputs_are_accepted_or_refused(tmp_path: Path) -> None:
    found = fuzz(300, 1, tmp_path)
    assert not found.failed + found.large, "\n".join(found.failed + found.large)
    assert sum(found.accepted.values()) > 20
    assert sum(found.refused.values()) > 100
