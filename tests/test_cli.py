"""The command line, called as a user calls it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from balance import check_indicators
from typer.testing import CliRunner, Result

import district_sim
from district_sim import cli
from district_sim.cli.run import DEMO, run
from district_sim.model import initial
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.model.state import State
from district_sim.run.run import Run
from district_sim.scenario import files as scenario_files
from district_sim.scenario.files import load_scenario

SMALL = "title: Small district\nfirms: {count: 40}\nrun: {quarters: 12}\nstrategy_start: 4\n"
PROMISED = re.search(r"figures as \.png and \.svg: ([\w,\s]+)\.", str(run.__doc__))
DRAWN = re.findall(r"\w+", PROMISED[1]) if PROMISED else []
FIGURES = {f"{name}.{end}" for name in DRAWN for end in ("png", "svg")}
DATA = {
    "run.json",
    "indicators.parquet",
    "indicators.csv",
    "firms.parquet",
    "ties.parquet",
    "firms_start.parquet",
    "ties_start.parquet",
    "pipelines.parquet",
    "pipelines_start.parquet",
    "columns.csv",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of our own, with one small scenario in it; no notice of kernels to be compiled."""
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "100"})


COMMAND = "from district_sim.cli import main; main()"
TELLS = """
from pathlib import Path
from district_sim import cli
from district_sim.run import run
simulate = run.simulate
def telling(scenario, seed, progress, every):
    tell = lambda done: (progress(done), done >= 5 and Path("begun").touch())
    return simulate(scenario, seed, progress=tell, every=every)
run.simulate = telling
cli.main()
"""
"""The command, which also makes a file once five quarters are done."""


def shell(*arguments: str, code: str = COMMAND, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def refusal(*arguments: str) -> str:
    """The one message of a command that is refused."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr.removeprefix("Error: ").strip()


# Help ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["sweep", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = ("numba", "numpy", "pandas", "mesa", "matplotlib", "scipy", "ruamel")
    code = (
        "import sys\nfrom district_sim.cli import main\n"
        f"sys.argv = ['district-sim', *{arguments!r}]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"print('LOADED', sorted(set({heavy!r}) & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "LOADED []"


def test_version() -> None:
    assert call("--version").stdout == f"district-sim {district_sim.__version__}\n"


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["demo"],
        ["sweep"],
        ["results"],
        ["scenarios", "list"],
        ["scenarios", "show"],
        ["scenarios", "validate"],
    ],
)
def test_help_of_each_command_has_examples(command: list[str]) -> None:
    text = call(*command, "--help").stdout
    assert re.search(rf"Examples?\s+district-sim {' '.join(command)}", text), text


# A run --------------------------------------------------------------------------------------------


def test_run_writes_everything_and_names_it(folder: Path) -> None:
    result = call("run", "small.yaml", "--seed", "5", "--out", "results/a")
    assert result.exit_code == 0, result.output
    written = {path.name for path in (folder / "results/a").iterdir()}
    assert written == DATA | FIGURES
    assert all(f"results/a/{name}" in result.stdout for name in written)
    assert "\x1b" not in result.output, "no colours where there is no terminal"
    loaded = Run.load("results/a")
    assert loaded.seed == 5
    assert len(loaded.indicators) == 12
    employees = re.search(r"Employees +([\d,]+) +([\d,]+)", result.stdout)
    assert employees
    assert employees[2] == f"{loaded.indicators['employment'].iloc[-4:].mean():,.0f}"
    assert "Trajectory: Marshallian persistence" in result.stdout


def test_options_reach_the_run() -> None:
    result = call("run", "small.yaml", "--quarters", "5", "--set", "firms.count=30", "--set", "title=Thirty", "--json")
    told = json.loads(result.stdout)
    assert (told["quarters"], told["scenario"]["run"]["quarters"]) == (5, 5)
    assert (told["scenario"]["firms"]["count"], told["scenario"]["title"]) == (30, "Thirty")


def test_json_is_one_object_and_nothing_else(folder: Path) -> None:
    process = shell("run", "small.yaml", "--json", "--out", "a")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    told = json.loads(out)
    assert set(told) >= {"scenario", "seed", "quarters", "versions", "trajectory", "scores", "indicators"}
    assert told == json.loads((folder / "a/run.json").read_text())


def test_quiet_prints_nothing(folder: Path) -> None:
    result = call("run", "small.yaml", "--quiet", "--out", "a")
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / "a/run.json").is_file()


def test_same_seed_same_run_other_seed_another() -> None:
    first, again, other = (call("run", "small.yaml", "--json", "--seed", seed).stdout for seed in ("1", "1", "2"))
    assert first == again
    assert json.loads(first)["indicators"] != json.loads(other)["indicators"]


def test_notice_when_kernels_are_to_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    from district_sim.run import compiled

    monkeypatch.setattr(compiled, "is_compiled", lambda *_: False)
    assert "first time only" in call("run", "small.yaml", "--quarters", "2").stderr
    assert call("run", "small.yaml", "--quarters", "2", "--quiet").stderr == ""
    monkeypatch.setattr(compiled, "is_compiled", lambda *_: True)
    assert call("run", "small.yaml", "--quarters", "2").stderr == ""


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["basline"], r"there is no scenario or file 'basline'; did you mean 'baseline'\? .*"),
        (["nowhere.yaml"], r"nowhere.yaml: no such file"),
        (["small.yaml", "--set", "firms.cuont=50"], r"--set firms.cuont=50: there is no parameter .*'firms.count'\?"),
        (["small.yaml", "--set", "firms.count"], r"--set firms.count: write it as path=value, .*"),
        (["small.yaml", "--set", "firms.count=0"], r"--set firms.count=0: must be a whole number between 10 and .*"),
        (["small.yaml", "--set", "firms.trust=1.2"], r"--set firms.trust=1.2: must be a number between 0 and 1"),
        (["small.yaml", "--set", "firms.trust=nan"], r"--set firms.trust=nan: .*must be a finite number"),
        (["small.yaml", "--set", "firms.count=many"], r"--set firms.count=many: must be a whole number .*"),
        (["small.yaml", "--seed", "-1"], r"--seed must be between 0 and 2\*\*64 - 1, not -1"),
        (["small.yaml", "--seed", str(2**64)], rf"--seed must be between 0 and 2\*\*64 - 1, not {2**64}"),
        (["small.yaml", "--quarters", "0"], r"--quarters must be between 2 and 4000, not 0"),
        (["small.yaml", "--set", "run.quarters=1"], r"run.quarters: at least 2 quarters are needed to classify a run"),
        (["small.yaml", "--out", "small.yaml"], r"--out small.yaml: cannot be written: File exists"),
        (["small.yaml", "--out", "small.yaml/x"], r"--out small.yaml/x: cannot be written: Not a directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_one_message(arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def simulate(*_: object, **__: object) -> None:
        pytest.fail("bad input must be found before the simulation")

    monkeypatch.setattr("district_sim.run.run.simulate", simulate)
    told = refusal("run", *arguments)
    assert re.fullmatch(message, told), told


def test_bad_input_in_a_real_shell() -> None:
    process = shell("run", "small.yaml", "--set", "firms.count=0")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert out == ""
    assert err == "Error: --set firms.count=0: must be a whole number between 10 and 1,000,000\n"


@pytest.mark.parametrize("option", ["--seed", "--quarters"])
def test_number_that_is_none(option: str) -> None:
    assert option in refusal("run", "small.yaml", option, "x")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write, even as root")
def test_folder_that_cannot_be_written() -> None:
    assert re.fullmatch(
        r"--out /proc/self/x: cannot be written: .+", refusal("run", "small.yaml", "--out", "/proc/self/x")
    )


def test_full_folder_is_left_alone_without_force(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine/run.json").write_text("precious")
    message = refusal("run", "small.yaml", "--out", "mine")
    assert message == "mine is not empty; choose another --out, or replace its files with --force"
    assert [path.name for path in (folder / "mine").iterdir()] == ["run.json"]
    assert (folder / "mine/run.json").read_text() == "precious"


def test_force_replaces_only_its_own_files(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine/run.json").write_text("old")
    (folder / "mine/notes.txt").write_text("precious")
    assert call("run", "small.yaml", "--out", "mine", "--force").exit_code == 0
    assert Run.load("mine").seed == 0
    assert (folder / "mine/notes.txt").read_text() == "precious"


def test_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "save", full)
    result = call("run", "small.yaml", "--out", "a")
    assert (result.exit_code, result.stderr) == (1, "Error: a: could not be written: No space left on device\n")


# Ctrl-C -------------------------------------------------------------------------------------------


def test_ctrl_c_keeps_what_was_finished(folder: Path) -> None:
    process = shell("run", "small.yaml", "--quarters", "4000", "--set", "firms.count=300", "--out", "a", code=TELLS)
    deadline = time.monotonic() + 300
    while not (folder / "begun").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130, (out, err)
    told = re.fullmatch(r"Stopped: (\d+) of 4000 quarters are complete and kept in a", err.splitlines()[-1])
    assert told, err
    kept = Run.load("a")
    assert 2 <= int(told[1]) == len(kept.indicators) < kept.scenario.run.quarters == 4000
    for row in kept.indicators.to_numpy():
        check_indicators(row)
    assert {path.name for path in (folder / "a").iterdir()} == DATA | FIGURES


@pytest.mark.parametrize(
    ("finished", "out", "message"),
    [
        (0, [], "Stopped before two quarters were complete; nothing was kept\n"),
        (1, ["--out", "a"], "Stopped before two quarters were complete; nothing was kept\n"),
        (3, [], "Stopped: 3 of 12 quarters are complete and not saved, because --out was not given\n"),
        (3, ["--out", "a"], "Stopped: 3 of 12 quarters are complete and kept in a\n"),
    ],
)
def test_ctrl_c_says_what_was_kept(
    finished: int, out: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from district_sim.run import run

    simulate = run.simulate

    def interrupted(scenario: object, seed: int, **_: object) -> Run:
        raise KeyboardInterrupt(*([simulate(scenario, seed, finished)] if finished else []))  # type: ignore[arg-type]

    monkeypatch.setattr(run, "simulate", interrupted)
    result = call("run", "small.yaml", *out)
    assert (result.exit_code, result.stderr) == (130, message)
    assert Path("a/run.json").exists() == (finished == 3 and bool(out))


def test_ctrl_c_is_heard_while_the_first_district_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    settle, seen = initial.run_quarters, []

    def counted(state: State, p: Parameters, table: np.ndarray, reports: Any, start: int, *rest: Any) -> Any:
        seen.append(start)
        if start == 2:
            signal.raise_signal(signal.SIGINT)
        return settle(state, p, table, reports, start, *rest)

    monkeypatch.setattr(initial, "run_quarters", counted)
    result = call("run", "small.yaml", "--out", "a")
    assert (result.exit_code, result.stderr) == (130, "Stopped before two quarters were complete; nothing was kept\n")
    assert seen == [0, 1, 2]


def test_a_district_settles_to_the_same_bits_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    p = parameters_of(load_scenario("small.yaml", {"firms.settling": 6}))
    slowly, settle = initial.initial_state(p, 3, 8), initial.run_quarters
    monkeypatch.setattr(initial, "run_quarters", lambda *given: settle(*given[:5], 6, True) if given[4] == 0 else None)
    at_once = initial.initial_state(p, 3, 8)
    for name in ("firms", "ties", "orders", "pipelines", "world", "accounts"):
        one, other = getattr(slowly, name), getattr(at_once, name)
        parts = zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]
        assert all(a.tobytes() == b.tobytes() for a, b in parts), name


# Films --------------------------------------------------------------------------------------------


def test_run_writes_a_film(folder: Path) -> None:
    result = call("run", "small.yaml", "--animate", "film.gif")
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("Written:\n  film.gif\n")
    assert (folder / "film.gif").read_bytes().startswith(b"GIF89a")
    assert sorted(path.name for path in folder.iterdir()) == ["film.gif", "small.yaml"]


def test_a_film_that_cannot_be_written_is_refused_before_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert refusal("run", "small.yaml", "--animate", "a.avi").endswith("must end in .gif or .mp4")
    assert "mp4 needs the program ffmpeg" in refusal("run", "small.yaml", "--animate", "a.mp4")
    assert refusal("run", "small.yaml", "--animate", "no/a.gif") == "--animate no/a.gif: there is no folder no"
    (folder / "a.gif").write_text("mine")
    assert "a.gif: exists" in refusal("run", "small.yaml", "--animate", "a.gif")
    assert (folder / "a.gif").read_text() == "mine"


# Demo ---------------------------------------------------------------------------------------------


@pytest.fixture
def bundled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small scenarios under the names that the demo runs."""
    (folder / "package").mkdir()
    for name in DEMO:
        (folder / f"package/{name}.yaml").write_text(SMALL)
    monkeypatch.setattr(scenario_files, "bundled_folder", lambda: folder / "package")


@pytest.mark.usefixtures("bundled")
def test_demo_makes_a_figure_and_a_table_and_can_be_repeated(folder: Path) -> None:
    for seed in ("0", "1"):
        result = call("demo", "--seed", seed)
        assert result.exit_code == 0, result.output
        assert "Fragmen-" in result.stdout
        assert "district-sim-demo/futures.png" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80, "fits a common terminal"
        told = json.loads((folder / "district-sim-demo/demo.json").read_text())
        assert told["seed"] == int(seed)
        assert tuple(told["trajectories"]) == DEMO
        assert Run.load("district-sim-demo/learning_region").seed == int(seed)
    table = (folder / "district-sim-demo/futures.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table] == ["scenario", *DEMO]


@pytest.mark.usefixtures("bundled")
def test_demo_leaves_a_folder_that_is_not_its_own(folder: Path) -> None:
    (folder / "district-sim-demo").mkdir()
    (folder / "district-sim-demo/thesis.txt").write_text("precious")
    assert "district-sim-demo is not empty" in refusal("demo")
    assert [path.name for path in (folder / "district-sim-demo").iterdir()] == ["thesis.txt"]


def test_demo_scenarios_are_bundled() -> None:
    assert set(DEMO) <= set(scenario_files.scenario_names())


# Scenarios ----------------------------------------------------------------------------------------


def test_list_has_a_line_for_each_scenario() -> None:
    lines = call("scenarios", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == scenario_files.scenario_names()


def test_show_prints_the_file_as_written(folder: Path) -> None:
    (folder / "noted.yaml").write_text("# why\n" + SMALL)
    assert call("scenarios", "show", "noted.yaml").stdout == "# why\n" + SMALL


def test_resolved_scenario_is_complete_and_can_be_read_again(folder: Path) -> None:
    from district_sim.scenario.files import load_scenario

    (folder / "full.yaml").write_text(call("scenarios", "show", "small.yaml", "--resolved").stdout)
    assert "radius:" in (folder / "full.yaml").read_text()
    assert load_scenario("full.yaml") == load_scenario("small.yaml")


def test_validate_goes_through_all_files(folder: Path) -> None:
    (folder / "bad.yaml").write_text("firms:\n  cuont: 3\n")
    result = call("scenarios", "validate", "bad.yaml", "small.yaml")
    assert result.exit_code == 2
    assert result.stdout == "small.yaml: ok\n"
    assert result.stderr == "Error: bad.yaml:2: firms.cuont: unknown key; did you mean 'count'?\n"
    assert call("scenarios", "validate", "small.yaml").exit_code == 0


def test_schema_is_json_schema_that_knows_extends() -> None:
    schema = json.loads(call("scenarios", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["additionalProperties"] is False
    assert {"extends", "firms", "strategy", "policies"} <= set(schema["properties"])


def test_unknown_scenario_in_show() -> None:
    assert "did you mean 'baseline'?" in refusal("scenarios", "show", "basline")


def test_nothing_of_the_environment_is_needed() -> None:
    """A bare environment, as cron has it."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    process = shell("scenarios", "list", env=bare)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert "baseline" in out


@pytest.mark.parametrize("there", [False, True])
def test_a_refused_command_leaves_no_empty_folder(there: bool, call: Callable[..., Result]) -> None:
    """Nor those around it that it made; a folder of the user's, and one in which something stands, stay."""
    if there:
        Path("a/b").mkdir(parents=True)
    Path("firms.csv").write_text("nothing,known\n1,2\n")
    assert call("import", "firms.csv", "--out", "a/b").exit_code == 2
    assert [path.name for path in Path("a/b").iterdir()] == ["columns.yaml"]
    assert call("import", "absent.csv", "--out", "a/c/d").exit_code == 2
    assert not Path("a/c").exists()
    assert Path("a/b").is_dir()
    assert call("import", "absent.csv", "--out", "new/b").exit_code == 2
    assert not Path("new").exists()
    Path("mine").mkdir()
    assert call("import", "absent.csv", "--out", "mine").exit_code == 2
    assert Path("mine").is_dir()


def test_only_the_figures_asked_for_are_drawn(folder: Path) -> None:
    def drawn() -> set[str]:
        return {path.name for path in (folder / "out").iterdir() if path.suffix in (".png", ".svg")}

    assert call("run", "small.yaml", "--out", "out", "--figures", "ownership, map").exit_code == 0
    assert drawn() == {"map.png", "map.svg", "ownership.png", "ownership.svg"}
    assert call("run", "small.yaml", "--out", "out", "--figures", "map", "--force").exit_code == 0
    assert drawn() == {"map.png", "map.svg"}  # those of the run before are gone
    assert call("run", "small.yaml", "--out", "out", "--figures", "none", "--force").exit_code == 0
    assert drawn() == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "out", "--figures", "map,dashbord"), "did you mean 'dashboard'? (known: dashboard, map, network"),
        (("--out", "out", "--figures", "map,none"), "--figures none: there is no such figure"),
        (("--out", "out", "--figures", " , "), "--figures: name at least one, or none"),
        (("--figures", "map"), "--figures needs --out DIR"),
    ],
)
def test_a_wrong_figure_is_told(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = call("run", "small.yaml", *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (folder / "out").exists()
