"""What the command line says of itself: help with examples that parse, names that were meant, completion, colours."""

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

from benchmarks.startup import HEAVY, modules_of
from district_sim import cli
from district_sim.cli import common
from district_sim.scenario import files as scenario_files
from district_sim.scenario.files import load_scenario, scenario_names

PROGRAM = "from district_sim.cli import main; main()"
ROOT = typer.main.get_command(cli.app)


def commands(command: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that can be given, with the words that lead to it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands())
EVERY = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def examples(words: tuple[str, ...]) -> list[str]:
    found = re.findall(r"^ *(district-sim .+)$", COMMANDS[words].help or "", re.MULTILINE)
    return [line for line in found if line.split()[1 : 1 + len(words)] == list(words)]


# Help ---------------------------------------------------------------------------------------------


@EVERY
def test_every_command_has_examples(words: tuple[str, ...]) -> None:
    assert examples(words), f"district-sim {' '.join(words)} --help shows no example"


@EVERY
def test_examples_parse(words: tuple[str, ...]) -> None:
    """Every option, choice and number in an example is one that the command takes."""
    for line in examples(words):
        arguments = shlex.split(line)[1 + len(words) :]
        arguments = arguments[: arguments.index(">")] if ">" in arguments else arguments
        COMMANDS[words].make_context(" ".join(words), arguments)  # raises where something does not fit


@EVERY
def test_examples_name_what_exists(words: tuple[str, ...]) -> None:
    for line in examples(words):
        text = line.replace("my_district.yaml", "baseline")
        changes = re.findall(r"--set (\S+)", text)
        if changes:
            load_scenario("baseline", changes)
        paths = re.findall(r"--(?:vary|range) ([\w.]+)", text)
        assert {f"{path}=" for path in paths} <= set(common.complete_path(""))


def test_a_wrong_example_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["run",].make_context("run", ["baseline", "--sede", "1"])


@EVERY
def test_help_fits_a_terminal_and_shows_switches_as_switches(words: tuple[str, ...]) -> None:
    paragraphs = [part.splitlines() for part in (COMMANDS[words].help or "").split("\n\n")]
    assert [part for part in paragraphs if len(part) > 1 and max(map(len, part)) > 78 and part[0][0] != " "] == []
    shown = typer.testing.CliRunner().invoke(cli.app, [*words, "--help"], env={"COLUMNS": "200"}).stdout
    assert "--help" in shown
    assert "<bool>" not in shown


@EVERY
def test_every_option_is_explained(words: tuple[str, ...]) -> None:
    bare = [p.name for p in COMMANDS[words].params if not p.help and p.name not in ("help", "install_completion")]
    assert not bare


# Names that were meant ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("rnu baseline", "run"),
        ("scenarios lst", "list"),
        ("replicate cowan-jonnard", "cowan-jonard"),
        ("run small.yaml --quaters 8", "--quarters"),
        ("run lerning_region", "learning_region"),
        ("scenarios show lerning_region", "learning_region"),
        ("scenarios validate lerning_region", "learning_region"),
        ("compare baseline lerning_region", "learning_region"),
        ("compare learning_region --policies non --policies own", "none"),
        ("compare baseline decline --outcomes employmnt", "employment"),
        ("run small.yaml --set strategy.sael=0.3", "strategy.sale"),
        ("run small.yaml --set sale=0.3", "strategy.sale"),
        ("run badly.yaml", "ppp_match"),
        ("map small.yaml --vary strategy.sael=0:1:3 --vary strategy.research=1,2", "strategy.sale"),
        ("sweep small.yaml --vary strategy.sael=1,2 --out x", "strategy.sale"),
        ("sweep small.yaml --design sobl --samples 4 --out x", "sobol"),
        ("sweep small.yaml --until emplyment:1% --out x", "employment"),
        ("sweep small.yaml --stop 'frms < 3' --out x", "firms"),
        ("sweep --experiment policy_on_employmnt --out x", "policy_on_employment"),
        ("sensitivity small.yaml --parameters markt", "market"),
        ("sensitivity small.yaml --outcome emplyment", "employment"),
        ("sensitivity small.yaml --range strategy.sael=0:1", "strategy.sale"),
        ("discover small.yaml --trajectory lerning_region", "learning_region"),
        ("replicate cowan-jonard --network wss", "ws"),
    ],
)
def test_mistyped_names_are_answered(line: str, meant: str, call: Callable[..., Result]) -> None:
    Path("badly.yaml").write_text("policies:\n  - {name: match, kind: ppp_mach, budget: 3}\n")
    result = call(*shlex.split(line))
    assert result.exit_code == 2, result.output
    told = " ".join(result.stderr.replace("│", " ").split())
    assert re.search(rf"(did you mean|Did you mean|Possible options:) .*{meant}\b", told), told


def test_one_name_is_meant_by_one_slip(call: Callable[..., Result]) -> None:
    told = call("run", "small.yaml", "--set", "strategy.sael=0.3").stderr
    assert told.strip().endswith("did you mean 'strategy.sale'?")


# Completion ---------------------------------------------------------------------------------------


def completed(line: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['district-sim']; {PROGRAM}"],
        env=os.environ | completing(line),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()


def completing(line: str) -> dict[str, str]:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    return {"_DISTRICT_SIM_COMPLETE": "complete_bash", **words}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("district-sim compare baseline le", "learning_region"),
        ("district-sim run baseline --set strategy.sa", "strategy.sale="),
        ("district-sim sweep --experiment pol", "policy_on_employment"),
        ("district-sim discover baseline --trajectory fr", "fragmentation"),
    ],
)
def test_the_shell_completes(line: str, offered: str) -> None:
    assert completed(line) == [offered]


def test_completing_a_parameter_imports_nothing_heavy() -> None:
    assert not modules_of([], completing("district-sim run baseline --set strategy.")) & set(HEAVY)


def test_paths_offered_can_be_set() -> None:
    paths = [offer.removesuffix("=") for offer in common.complete_path("")]
    assert len(paths) > 150
    assert "strategy.sale" in paths
    assert "strategy" not in paths, "a section has no value of its own"


# Colours ------------------------------------------------------------------------------------------


def on_terminal(**environment: str) -> str:
    """What a refused command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = (
        {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        | {"TERM": "xterm-256color"}
        | environment
    )
    command = [sys.executable, "-c", PROGRAM, "run", "nowhere.yaml"]
    done = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        text += part
    os.close(ours)
    assert done.wait(60) == 2
    return text.decode()


def test_colours_are_for_terminals_that_want_them(call: Callable[..., Result]) -> None:
    assert "\x1b[31mError:" in on_terminal()
    plain = on_terminal(NO_COLOR="1")
    assert "\x1b[31m" not in plain
    assert plain.startswith("Error: nowhere.yaml: no such file")
    assert "\x1b" not in call("run", "nowhere.yaml").output


# Notes of scenarios -------------------------------------------------------------------------------

HEADINGS = ["What is it", "How it works", "Things to notice", "Things to try"]


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_has_notes(name: str, call: Callable[..., Result]) -> None:
    notes = scenario_files.scenario_notes(name)
    assert re.findall(r"^## (.+)$", notes, re.MULTILINE) == HEADINGS
    for heading in HEADINGS:
        assert len(notes.split(f"## {heading}\n")[1].split("\n## ")[0].split()) > 15, heading
    for change in re.findall(r"`--set (\S+?)`", notes) + re.findall(r"--set (\S+) --set", notes):
        load_scenario(name, [change])
    shown = call("scenarios", "show", name).stdout
    assert shown.startswith("# ## What is it\n")
    Path("again.yaml").write_text(shown)
    assert load_scenario("again.yaml") == load_scenario(name), "what is shown can be run"


def test_scenarios_need_no_notes(small_folder: Path) -> None:
    assert scenario_files.scenario_notes("small.yaml") == ""
    (small_folder / "small.md").write_text("## What is it\n")
    assert scenario_files.scenario_notes("small.yaml") == "## What is it\n"


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "run small.yaml --out out",
        "sweep small.yaml --replications 2 --every 4 --firms --out out",
        "compare small.yaml --policies none --policies match.yaml --replications 2 --out out",
        "map small.yaml --vary strategy.sale=0,1 --vary strategy.research=1,2 --replications 1 --out out",
        "sensitivity small.yaml --morris 2 --sobol 4 --replications 1 --top 1 --out out",
        "replicate cowan-jonard --runs 2 --meetings 2000 --rewiring 0,1 --agents 40 --experts 4 --out out",
    ],
    ids=lambda line: line.split()[0],
)
def test_every_file_written_is_named(line: str, call: Callable[..., Result]) -> None:
    Path("match.yaml").write_text("extends: small\npolicies: [{name: match, kind: ppp_match, budget: 9}]\n")
    result = call(*shlex.split(line))
    assert result.exit_code == 0, result.output
    named = [Path(name.strip()) for name in result.stdout.split("\nWritten:\n")[1].splitlines()]
    assert all(path.exists() for path in named)
    files = [path for path in Path("out").rglob("*") if path.is_file() and path.name != ".lock"]
    assert [path for path in files if not {path, *path.parents} & {*named}] == []
