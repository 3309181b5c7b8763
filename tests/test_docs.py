"""The documents say what the code does: generated tables, process overview, parameters, commands,
links."""

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import district_sim
from district_sim.cli import app
from district_sim.model.parameters import _SWITCHES, Policies, Shocks
from district_sim.scenario.fields import Section
from district_sim.scenario.files import load_scenario
from district_sim.scenario.instruments import InstrumentKind
from district_sim.scenario.interventions import Instrument, Shock, Signpost
from district_sim.scenario.sections import Mechanisms, Scenario

PACKAGE = Path(district_sim.__file__).parent
ROOT = PACKAGE.parent
WRITTEN = (path for path in sorted((ROOT / "docs").rglob("*.md")) if not {"generated", "notebooks"} & {*path.parts})
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *WRITTEN]
ODD = ROOT / "docs" / "odd.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Generated tables ---------------------------------------------------------------------------------


def test_generated_parts_are_up_to_date() -> None:
    for path, text in generator().documents().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: python docs/generate.py"


def test_the_odd_is_numbered_by_itself() -> None:
    generate, text = generator(), ODD.read_text(encoding="utf-8")
    title = "Collective agency (`run_agency`)"
    places = {found[2]: int(found[1]) for found in re.finditer(r"^### 7\.(\d+) (.+)$", text, re.MULTILINE)}
    here, last = places[title], places["Parameters"]
    added = text.replace(f"### 7.{here} {title}", f"### One more\n\n### 7.{here} {title}").replace(
        "1. `advance_world`", "0. `one_more`: more\n1. `advance_world`"
    )
    found = generate.numbered(added)
    assert f"### 7.{here} One more\n\n### 7.{here + 1} {title}" in found
    assert "1. `one_more`: more\n2. `advance_world`" in found
    relinked = generate.relinked(f"odd.md#7{last}-parameters, odd.md#other", found)
    assert relinked == f"odd.md#7{last + 1}-parameters, odd.md#other"
    assert generate.numbered(text) == text


def test_check_notices_a_changed_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = generator()
    for file in generate.BLOCKS:
        text = (ROOT / "docs" / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace("| 0.15 |", "| 0.16 |"), encoding="utf-8")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr("sys.argv", ["generate.py", "--check"])
    assert generate.main() == 1
    monkeypatch.setattr("sys.argv", ["generate.py"])
    assert generate.main() == 0
    monkeypatch.setattr("sys.argv", ["generate.py", "--check"])
    assert generate.main() == 0


def test_parameter_table_is_the_schema() -> None:
    block = ODD.read_text(encoding="utf-8").split("<!-- parameters:start -->")[1].split("<!-- parameters:end -->")[0]
    listed = re.findall(r"^\| `(\w+)` \|", block, re.MULTILINE)
    wanted = []
    for name, field in Scenario.model_fields.items():
        if name == "strategy":  # shares its table with history
            continue
        inner = field.annotation
        if name == "policies":
            inner = Instrument
        if name == "shocks":
            inner = Shock
        wanted += list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, Section) else [name]
    wanted += list(Signpost.model_fields)  # within an instrument
    assert sorted(listed) == sorted(wanted)


def test_every_parameter_is_described() -> None:
    for heading, fields in generator().described_fields().items():
        for name, field in fields.items():
            row = generator().row(name, field)
            assert field.description, f"{heading}.{name} has no description"
            if field.annotation in (int, float):
                assert all(row[1:4]), f"{heading}.{name} lacks a unit, a range or a default"


# Process overview ---------------------------------------------------------------------------------


def scheduled() -> list[str]:
    """The calls of one quarter, in their order."""
    tree = ast.parse((PACKAGE / "model" / "schedule.py").read_text(encoding="utf-8"))
    quarter = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "one_quarter")
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and str(node.module).startswith(("district_sim.model.processes", "district_sim.model.indicators"))
        for alias in node.names
    }
    calls = [node.func for node in ast.walk(quarter) if isinstance(node, ast.Call)]
    names = [(func.lineno, func.id) for func in calls if isinstance(func, ast.Name) and func.id in imported]
    assert {name for _, name in names} == imported, "schedule.py imports a process that it does not call"
    return [name for _, name in sorted(names)]


def test_process_overview_is_the_schedule() -> None:
    block = ODD.read_text(encoding="utf-8").split("<!-- schedule:start -->")[1].split("<!-- schedule:end -->")[0]
    lines = re.findall(r"^(\d+)\. `(\w+)`: \S", block, re.MULTILINE)
    assert [name for _, name in lines] == scheduled()
    assert [int(number) for number, _ in lines] == list(range(1, len(lines) + 1))


def test_odd_has_its_seven_elements() -> None:
    headings = re.findall(r"^## \d\. (.+)$", ODD.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [
        "Purpose and patterns",
        "Entities, state variables and scales",
        "Process overview and scheduling",
        "Design concepts",
        "Initialization",
        "Input data",
        "Submodels",
    ]


# Every parameter is read --------------------------------------------------------------------------

KERNELS = [*sorted((PACKAGE / "model").rglob("*.py")), PACKAGE / "run" / "run.py"]
SECTIONS = {
    name: field.annotation
    for name, field in Scenario.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}


class Reads:
    """Which fields of which section the code reads: `p.market[0].wage`, and through local names and arguments.

    What a name holds is followed through assignments and calls: "P" for all parameters, a section's name for its
    record. A name may hold several.
    """

    def __init__(self) -> None:
        self.found: set[tuple[str, str]] = set()
        self.functions: dict[str, list[ast.FunctionDef]] = {}  # private ones of several files may share a name
        self.own: dict[ast.FunctionDef, set[ast.FunctionDef]] = {}  # those in the same file
        for path in KERNELS:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            here = {node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            for node in here:
                self.functions.setdefault(node.name, []).append(node)
                self.own[node] = here
        self.names: dict[ast.FunctionDef, dict[str, set[str]]] = {function: {} for function in self.own}
        for function, names in self.names.items():
            for argument in function.args.args:
                kind = ast.unparse(argument.annotation) if argument.annotation else ""
                if argument.arg == "p" or kind in ("Parameters", "sc.Scenario", "Scenario"):
                    names[argument.arg] = {"P"}
        before = -1
        while before != (before := self._size()):
            for function, names in self.names.items():
                self._follow(function, names)

    def _size(self) -> int:
        return len(self.found) + sum(len(held) for names in self.names.values() for held in names.values())

    def _follow(self, function: ast.FunctionDef, names: dict[str, set[str]]) -> None:
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                self._assign(node.targets[0], node.value, names)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.functions:
                named = self.functions[node.func.id]
                for callee in [near for near in named if near in self.own[function]] or named:
                    for argument, value in zip(callee.args.args, node.args, strict=False):
                        self.names[callee].setdefault(argument.arg, set()).update(self._held(value, names))
            elif isinstance(node, ast.Attribute):
                for held in self._held(node.value, names) & SECTIONS.keys():
                    self.found.add((held, node.attr))

    def _assign(self, target: ast.expr, value: ast.expr, names: dict[str, set[str]]) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for part, item in zip(target.elts, value.elts, strict=True):
                self._assign(part, item, names)
        elif isinstance(target, ast.Name):
            names.setdefault(target.id, set()).update(self._held(value, names))

    def _held(self, node: ast.expr, names: dict[str, set[str]]) -> set[str]:
        if isinstance(node, ast.Name):
            return names.get(node.id, set())
        if isinstance(node, ast.Subscript):
            return self._held(node.value, names)
        if isinstance(node, ast.IfExp):
            return self._held(node.body, names) | self._held(node.orelse, names)
        if isinstance(node, ast.Attribute):
            holder = self._held(node.value, names)
            return {node.attr} if node.attr in SECTIONS and ("P" in holder or node.attr == "scenario") else set()
        return set()


def numeric_fields(section: type[Section]) -> Iterator[str]:
    yield from (name for name, field in section.model_fields.items() if field.annotation in (int, float))


def test_every_parameter_is_read() -> None:
    found = Reads().found
    code = "\n".join(path.read_text(encoding="utf-8") for path in KERNELS)
    unread = []
    for name, section in SECTIONS.items():
        for field in numeric_fields(section):
            by_run = name == "run" and f".run.{field}" in code
            by_tables = name == "data" and f"data.{field}" in (PACKAGE / "scenario" / "sections.py").read_text("utf-8")
            if (name, field) not in found and not by_run and not by_tables:
                unread.append(f"{name}.{field}")
    assert unread == [], "a parameter that nothing reads is a lie"


def test_every_instrument_property_is_read() -> None:
    files = (PACKAGE / "model" / "processes" / "policy.py", PACKAGE / "model" / "signposts.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for name in Policies._fields:
        assert re.search(rf"\b(p\.)?policies\.{name}\b", code), name


def test_every_shock_property_is_read() -> None:
    code = (PACKAGE / "model" / "processes" / "shocks.py").read_text(encoding="utf-8")
    for name in Shocks._fields:
        assert re.search(rf"\bshocks\.{name}\b", code), name


def test_every_switch_is_read() -> None:
    code = (PACKAGE / "model" / "parameters.py").read_text(encoding="utf-8")
    needed = {kind.record.needs for kind in InstrumentKind} - {""}
    assert needed <= Mechanisms.model_fields.keys()
    for name in Mechanisms.model_fields:
        assert name in _SWITCHES or name in needed or re.search(rf"(mechanisms|off)\.{name}\b", code), name
    for fields in _SWITCHES.values():
        for section, field in fields:
            assert field in SECTIONS[section].model_fields


# Commands -----------------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def command_lines() -> list[list[str]]:
    lines = (line for block in blocks("sh") for line in block.splitlines())
    return [shlex.split(line, comments=True) for line in lines if line.strip() and not line.startswith("#")]


def test_no_page_is_hidden_by_one_of_the_sites_own() -> None:
    """Sphinx writes pages of these names itself, over ours."""
    names = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert not names & {"search", "genindex", "modindex", "py-modindex"}


def test_readme_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    seen = set()
    for program, *arguments in command_lines():
        seen.add(Path(program).name)
        if Path(program).name == "make":
            assert re.search(rf"^{arguments[0]}:", makefile, re.MULTILINE), arguments
        elif Path(program).name == "district-sim":
            check_command(arguments)
        elif arguments and arguments[0].endswith(".py"):
            assert (ROOT / arguments[0]).is_file()
    assert {"make", "district-sim"} <= seen


def check_command(arguments: list[str]) -> None:
    words = arguments[:2] if arguments[0] in ("policies", "scenarios", "replicate") else arguments[:1]
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0, f"district-sim {' '.join(words)}: {result.output}"
    for option in (word for word in arguments if word.startswith("--")):
        assert option in result.output, f"{option} is no option of district-sim {' '.join(words)}"
    changes = [value for option, value in pairwise(arguments) if option == "--set"]
    if changes:
        load_scenario(arguments[1], changes)


def test_readme_scenarios_are_valid(tmp_path: Path) -> None:
    assert blocks("yaml")
    for number, text in enumerate(blocks("yaml")):
        path = tmp_path / f"readme_{number}.yaml"
        path.write_text(text, encoding="utf-8")
        load_scenario(path)


def test_readme_python_is_python() -> None:
    assert blocks("python")
    for text in blocks("python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    assert hasattr(import_module(str(node.module)), alias.name), alias.name


# Links --------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[tuple[str, str]]:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: list[Any] = re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text)
    elsewhere = ("http:", "https:", "mailto:", "generated/")  # `make docs` writes and checks what is generated
    return [(file, anchor) for file, anchor in found if not file.startswith(elsewhere)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    for file, anchor in links(path):
        target = path.parent / file if file else path
        assert target.exists(), f"{path.name}: {file} does not exist"
        if anchor:
            assert anchor in anchors(target), f"{path.name}: {file}#{anchor}"
