"""Every block of code in the documents runs, in the order in which a reader meets it.

Blocks of `sh`, `python`, `sql` and `yaml` are run, each document in a folder of its own. So that commands which take a
reader minutes take a moment, the bundled scenarios are small here, their world turns fast, and the options in `SMALLER`
get smaller numbers; else the commands are run as they are printed. What cannot be run has a mark with its reason in the
source:

    <!--- skip: next "needs a cluster" -->
"""

import re
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import StringIO
from pathlib import Path
from unittest import SkipTest

import pytest
from ruamel.yaml import YAML
from sybil import Document, Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser
from typer.testing import CliRunner

from district_sim import cli
from district_sim.app.classroom.lesson import load_lesson
from district_sim.evidence.cases.files import CaseFile
from district_sim.experiments.design_files import load_experiments
from district_sim.experiments.worlds import load_worlds
from district_sim.scenario import files as scenario_files
from district_sim.scenario.policy_files import load_policy
from district_sim.scenario.sections import Scenario

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ("generated", "notebooks", "_build")
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if not {*path.parts} & {*GENERATED}),
]
LANGUAGES = {"sh", "python", "sql", "yaml", "r", "text"}
SMALLER = {
    "--replications": 2,
    "--maximum": 12,
    "--samples": 64,
    "--morris": 2,
    "--sobol": 4,
    "--runs": 2,
    "--sensitivity-runs": 200,
    "--meetings": 5000,
}
"""The most that these options get here."""
FENCE = re.compile(r"^ *(```+|~~~+) *([^\s`{][^\s]*)?(\{\S+\})?.*?\n.*?^ *\1 *$", re.MULTILINE | re.DOTALL)


# The small world ----------------------------------------------------------------------------------


def few(experiments: str) -> str:
    """A file of experiments with few replications."""
    return re.sub(r"maximum: \d+", "maximum: 12", re.sub(r"replications: \d+", "replications: 5", experiments))


@pytest.fixture(scope="module")
def small_scenarios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled scenarios with their strategies and policies, in a small world that hurries."""
    folder = tmp_path_factory.mktemp("bundled") / "scenarios"
    shutil.copytree(ROOT / "scenarios", folder)
    hurry = (
        "firms: {count: 24, settling: 4}\nrun: {quarters: 24}\nworld: {onset: 4, ramp: 4}\nstrategy_start: 4\n"
        "ownership: {takeover: 0.3}\nties: {trust_speed: 0.3}\n"
    )
    for name in ("_district", "classroom"):
        extends = "extends: _district\n" if name == "classroom" else ""
        (folder / f"{name}.yaml").write_text(f"{extends}title: {name}\n{hurry}", encoding="utf-8")
    for path in (folder / "experiments").iterdir():
        path.write_text(few(path.read_text(encoding="utf-8")), encoding="utf-8")
    for path in (folder / "policies").iterdir():
        soon = re.sub(r"start: \d+", "start: 4", path.read_text(encoding="utf-8"))
        path.write_text(soon, encoding="utf-8")
    return folder


@pytest.fixture
def world(small_scenarios: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's folder. Runs are made in a thread, as each new process would take seconds to start."""
    monkeypatch.setattr(scenario_files, "bundled_folder", lambda: small_scenarios)
    # Policies of scenarios and examples begin later than this world ends
    monkeypatch.setattr(scenario_files, "_check_begins", lambda *_: None)
    for module in ("scenario.policy_files", "evidence.cases.files", "reports.cases"):
        monkeypatch.setattr(f"district_sim.{module}.bundled_folder", lambda: small_scenarios)
    monkeypatch.setattr("district_sim.run.workers.make_pool", lambda workers: ThreadPoolExecutor(1))
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_district.yaml").write_text("extends: baseline\n", encoding="utf-8")
    return tmp_path


# How each language is run -------------------------------------------------------------------------


def run_shell(example: Example) -> None:
    for line in example.parsed.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        target = words[words.index(">") + 1] if ">" in words else None
        words = words[: words.index(">")] if target else words
        if words[0] == "make":
            assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8"), line
            continue
        assert words[0] == "district-sim", f"{line}: only district-sim is run here; mark others with a reason"
        for at, option in enumerate(words[:-1]):
            if option in SMALLER:
                words[at + 1] = str(min(SMALLER[option], int(words[at + 1])))
        result = CliRunner().invoke(cli.app, words[1:], env={"COLUMNS": "100"})
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
        if target:
            Path(target).write_text(result.stdout, encoding="utf-8")


def check_yaml(example: Example) -> None:
    """A scenario, a policy, worlds, a case's targets or experiments.

    What begins with `# name.yaml` is kept under that name.
    """
    named = re.match(r"# (\S+\.yaml)\n", example.parsed)
    path = Path(named[1] if named else "block.yaml")
    path.write_text(few(example.parsed), encoding="utf-8")
    keys = set(YAML(typ="safe").load(StringIO(example.parsed)))
    if keys <= {"extends", *Scenario.model_fields}:
        scenario_files.load_scenario(path)
    elif "policies" in keys:
        assert load_policy(path).instruments
    elif "worlds" in keys:
        assert load_worlds(path, "baseline", scenario_files.load_scenario("baseline")).named
    elif "steps" in keys:
        assert load_lesson(path).steps
    elif "targets" in keys:
        assert CaseFile.model_validate(scenario_files.read_yaml(path)[0]).targets
    else:
        assert load_experiments(path)


def ask_duckdb(example: Example) -> None:
    import duckdb

    for statement in re.sub(r"--.*", "", example.parsed).split(";"):
        if statement.strip():
            assert duckdb.sql(statement).fetchall()


def refuse(example: Example) -> None:
    raise AssertionError("this language is not run here: mark the block with a reason")


PARSERS = [
    PythonCodeBlockParser(),
    CodeBlockParser("sh", run_shell),
    CodeBlockParser("yaml", check_yaml),
    CodeBlockParser("sql", ask_duckdb),
    CodeBlockParser("r", refuse),
    SkipParser(),
]


def parsed(path: Path) -> Document:
    document = Sybil(PARSERS).parse(path)
    document.namespace["__name__"] = "__main__"  # what a script guards with it is run, too
    return document


WITH_CODE = [path for path in DOCUMENTS if list(parsed(path).examples())]


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.usefixtures("world")
def test_blocks_run(path: Path) -> None:
    for example in parsed(path).examples():
        with suppress(SkipTest):  # marked; the reason is looked for below
            example.evaluate()


# Nothing escapes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_has_a_language_that_is_run(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for _, language, directive in FENCE.findall(text):
        assert directive or language in LANGUAGES, f"{path.name}: a block of {language or 'no language'}"
    assert not re.search(r"^\n    (district-sim|python -m|pip install) ", text, re.MULTILINE), (
        f"{path.name}: fence commands"
    )
    assert text.count("skip: next") == len(re.findall(r'<!--- skip: next "[^"]{8,}" -->', text)), path.name


def test_a_broken_block_is_noticed(world: Path) -> None:
    broken = world / "broken.md"
    for block in (
        "```sh\ndistrict-sim run basline\n```\n",
        "```yaml\nfirms: {cuont: 3}\nrun: {}\n```\n",
        "```r\nx\n```\n",
    ):
        broken.write_text(block, encoding="utf-8")
        (example,) = parsed(broken).examples()
        with pytest.raises((AssertionError, scenario_files.ScenarioError)):
            example.evaluate()
