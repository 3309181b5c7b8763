"""The house: which room may import what. Every import, also one inside a function, goes down one list of floors."""

import shutil
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from house import arrows, imported, modules, room

import district_sim

PACKAGE = Path(district_sim.__file__).parent

FLOORS = (
    ("cli",),
    ("app",),
    ("reports",),
    ("evidence",),
    ("figures",),
    ("experiments",),
    ("mesa_model", "register", "text"),
    ("run",),
    ("model",),
    ("scenario",),
    ("kernels", "_version"),
)
"""The rooms, from the top floor down. A room imports itself and rooms on lower floors, nothing else."""
ABOVE = {"__init__": {"_version", "mesa_model", "register", "run", "scenario"}, "__main__": {"cli"}}
"""The two doors of the package and what they open."""

PAGE_LIBRARIES = ("anywidget", "solara")
LIBRARIES = {
    "jinja2": {"reports.pages"},
    "matplotlib": {"figures"},
    "mesa": {"mesa_model"},
    "numba": {"kernels", "run.run"},
    "pyproj": {"register.cleaning"},
    "pydantic": {
        *("app.classroom.journal", "app.classroom.lesson", "app.classroom.steps"),
        *("evidence.cases.files", "evidence.evaluations.files"),
        *("experiments", "scenario"),
    },
    "pydantic_core": {"evidence.cases.files", "experiments", "scenario"},
    "segno": {"app.classroom.qr"},
    "starlette": {"app.classroom.guard", "app.classroom.server", "app.page_guard"},
    "typer": {"cli"},
    **{name: {"app"} for name in PAGE_LIBRARIES},
}
"""Libraries that stay at home: the rooms or modules that may import them."""
BEHIND_THE_PAGE = ("course", "downloads", "futures", "interventions", "levers", "links", "simulation")
"""Modules of `app` that can be used and tested without a browser's libraries; so can the class, all of it."""


def faults(package: Path) -> list[str]:
    """Everything in the package that breaks a rule of the house, in words."""
    trees = modules(package)
    floor = {name: number for number, names in enumerate(reversed(FLOORS)) for name in names}
    out = [f"{name}: is on no floor" for name in sorted({room(name) for name in trees} - floor.keys() - ABOVE.keys())]
    graph = arrows(trees)
    for name, targets in graph.items():
        for target in sorted(targets):
            a, b = room(name), room(target)
            if a in ABOVE:
                allowed = b in ABOVE[a]
            else:
                allowed = a == b or floor.get(b, len(FLOORS)) < floor.get(a, -1)
            if not allowed:
                out.append(f"{name}: imports {target}, which is not on a lower floor")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        out.append(f"circle: {' -> '.join(error.args[1])}")
    for library, homes in LIBRARIES.items():
        for name, tree in trees.items():
            if library in {room(full) for full in imported(tree)} and not {name, room(name)} & homes:
                out.append(f"{name}: imports {library}, whose home is {', '.join(sorted(homes))}")
    lighter = [name.removeprefix("app.") for name in trees if name.startswith("app.classroom")]
    for name in (*BEHIND_THE_PAGE, *lighter):
        if {room(full) for full in imported(trees[f"app.{name}"])} & set(PAGE_LIBRARIES):
            out.append(f"app.{name}: stands behind the page and must not import its libraries")
    return out


def test_every_import_goes_down() -> None:
    assert faults(PACKAGE) == []


def test_the_house_is_small() -> None:
    """At most sixteen rooms at the top, at most thirteen floors, no loose modules."""
    top = {path.name for path in PACKAGE.iterdir() if path.suffix == ".py"}
    assert top == {"__init__.py", "__main__.py", "_version.py"}
    assert len({room(name) for name in modules(PACKAGE)}) <= 16
    assert len(FLOORS) + 2 <= 13


def test_every_name_here_exists() -> None:
    """A rule about something that is not there cannot fail."""
    trees = modules(PACKAGE)
    rooms = {room(name) for name in trees}
    assert {name for names in FLOORS for name in names} | ABOVE.keys() == rooms
    users = {
        library: {name for name, tree in trees.items() if library in map(room, imported(tree))} for library in LIBRARIES
    }
    for library, homes in LIBRARIES.items():
        for home in homes:
            assert {name for name in users[library] if home in (name, room(name))}, f"{home} does not import {library}"


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("model/processes/market.py", "from district_sim.run.run import simulate", "imports run.run"),
        ("scenario/files.py", "def late():\n    from district_sim.cli import common", "imports cli.common"),
        ("run/trajectories.py", "import matplotlib.pyplot", "imports matplotlib"),
        (
            "kernels/draws.py",
            "from district_sim.kernels.vectors import exp_fast\nimport district_sim.text.names",
            "text.names",
        ),
    ],
)
def test_a_forbidden_import_is_refused(module: str, line: str, fault: str, tmp_path: Path) -> None:
    copy = tmp_path / "district_sim"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "vue"))
    assert faults(copy) == faults(PACKAGE)
    path = copy / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    assert any(fault in text for text in set(faults(copy)) - set(faults(PACKAGE)))
