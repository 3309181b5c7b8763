"""The house: which file may import what. Arrows point one way."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import district_sim

PACKAGE = Path(district_sim.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
ALLOWED = {
    "mesa": {"model", "agents", "mesa_private", "app"},
    "matplotlib": {
        "figures.cases",
        "figures.comparison",
        "figures.experiments",
        "figures.film",
        "figures.maps",
        "figures.policy_report",
        "figures.replications",
        "figures.runs",
        "figures.structure",
        "figures.studies",
        "figures.style",
        "figures.stylised",
        "app",
    },
    "jinja2": {"policy_report.page"},
    "pydantic": {"cases.files", "scenario", "scenario_files", "experiments.design", "experiments.design_files"},
    "pydantic_core": {"cases.files", "scenario", "scenario_files", "experiments.design_files"},
}


def imported(tree: ast.AST) -> set[str]:
    """Full names of all modules imported anywhere in a file; `from a import b` counts as a and as a.b."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def at_import(tree: ast.Module) -> set[str]:
    """The same for what is imported when the file is: not in functions, not for type checkers only."""
    kept = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return imported(ast.Module(kept, []))


@pytest.mark.parametrize(("library", "homes"), ALLOWED.items(), ids=ALLOWED)
def test_libraries_stay_in_their_files(library: str, homes: set[str]) -> None:
    users = {name for name, tree in MODULES.items() if library in {full.split(".")[0] for full in imported(tree)}}
    assert {name for name in users if not {name, name.split(".")[0]} & homes} == set()


def test_nobody_imports_the_front_ends() -> None:
    front = ("district_sim.cli", "district_sim.app")
    users = {name for name, tree in MODULES.items() if any(full.startswith(front) for full in imported(tree))}
    assert {name for name in users if not name.startswith(("app.", "cli."))} <= {"__main__"}
    assert not any(
        full.startswith("district_sim.cli")
        for name, tree in MODULES.items()
        if name.startswith("app.")
        for full in imported(tree)
    )


def test_solara_stays_on_the_page() -> None:
    """What stands behind the page can be used and tested without it."""
    libraries = {"solara", "reacton", "anywidget", "ipyvuetify"}
    users = {name for name, tree in MODULES.items() if {full.split(".")[0] for full in imported(tree)} & libraries}
    logic = ("course", "downloads", "futures", "levers", "measures", "sharing", "simulation")
    behind = {f"app.{name}" for name in logic}
    assert {name for name in users if not name.startswith("app.")} == set()
    assert behind <= MODULES.keys()
    assert users & behind == set()


def test_processes_know_nothing_of_who_calls_them() -> None:
    above = {"schedule", "run", "model", "agents", "figures", "trajectories", "scenario", "scenario_files"}
    for name, tree in MODULES.items():
        if name.startswith("processes."):
            assert not imported(tree) & {f"district_sim.{module}" for module in above}, name


def test_imports_have_no_cycle() -> None:
    graph = {
        name: {full.removeprefix("district_sim.") for full in at_import(tree)} & MODULES.keys() - {name}
        for name, tree in MODULES.items()
    }
    assert graph["schedule"] >= {"processes.market", "processes.ties"}  # the test sees what it should see
    TopologicalSorter(graph).prepare()  # raises CycleError
