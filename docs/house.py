"""The house: its rooms and the arrows between them, read from the code.

`python docs/house.py` draws them into docs/figures/house.png. `docs/generate.py` writes the table of rooms from here,
and tests/test_architecture.py holds the imports found here against the list of floors.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOCS = Path(__file__).resolve().parent
PACKAGE = DOCS.parent / "district_sim"
DOORS = ("__init__", "__main__", "_version")
"""What opens the house, and its number; no rooms of it."""


def modules(package: Path = PACKAGE) -> dict[str, ast.Module]:
    """The syntax tree of every module, by its name without `district_sim.`; `__init__.py` by its package's name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.AST) -> set[str]:
    """Full names of all that is imported anywhere in a file; `from a import b` counts as a.b."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def arrows(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """For each module, the modules of the package that it imports anywhere, also inside functions."""
    found: dict[str, set[str]] = {}
    for name, tree in trees.items():
        found[name] = set()
        for full in imported(tree):
            if full.split(".")[0] == "district_sim":
                target = full.partition(".")[2]
                while target and target not in trees:
                    target = target.rpartition(".")[0]
                found[name].add(target or "__init__")
        found[name].discard(name)
    return found


def room(module: str) -> str:
    """The room that a module stands in."""
    return module.split(".")[0]


def room_arrows(trees: dict[str, ast.Module]) -> dict[str, Counter[str]]:
    """For each room, the rooms that it imports from, with the number of modules that do."""
    found: dict[str, Counter[str]] = {room(name): Counter() for name in trees if room(name) not in DOORS}
    for name, targets in arrows(trees).items():
        if room(name) in found:
            found[room(name)].update({room(target) for target in targets} - {room(name), *DOORS})
    return found


def floors(graph: dict[str, Counter[str]]) -> dict[str, int]:
    """The floor of each room: one above the highest room that it imports from; 0 is the ground."""
    height: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():  # raises CycleError
        height[name] = 1 + max((height[target] for target in graph[name]), default=-1)
    return height


def needed(graph: dict[str, Counter[str]]) -> list[tuple[str, str]]:
    """The arrows that do not follow from others: without a detour from the same room to the same room."""

    def reached(name: str) -> set[str]:
        return set().union(*({target} | reached(target) for target in graph[name]))

    return [
        (name, target)
        for name in graph
        for target in graph[name]
        if not any(target in reached(other) for other in graph[name])
    ]


def rooms() -> list[tuple[str, str, list[str]]]:
    """Name, purpose and the rooms it imports from, of each room from the top floor down."""
    trees = modules()
    graph = room_arrows(trees)
    height = floors(graph)

    def downwards(names: Iterable[str]) -> list[str]:
        return sorted(names, key=lambda name: (-height[name], name))

    return [
        (name, (ast.get_docstring(trees[name]) or "").splitlines()[0], downwards(graph[name]))
        for name in downwards(graph)
    ]


def draw() -> "Figure":
    """Rooms as boxes on their floors; arrows that follow from others are left out."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    graph = room_arrows(modules())
    height = floors(graph)
    verbs = {name: purpose.partition(":")[0] for name, purpose, _ in rooms()}
    figure = Figure(figsize=(7.5, 0.8 * (max(height.values()) + 1)), layout="constrained")
    axes = figure.add_subplot()
    place = {}
    for floor in set(height.values()):
        here = sorted(name for name in height if height[name] == floor)
        for number, name in enumerate(here):
            place[name] = (10.0 * (number + 0.5) / len(here), 1.6 * floor)
    for name, (x, y) in place.items():
        axes.add_patch(FancyBboxPatch((x - 1.2, y - 0.4), 2.4, 0.8, "round,pad=0.05", fc="#eef3f7", ec="#1f4e79"))
        axes.text(x, y + 0.13, name, ha="center", va="center", weight="bold")
        axes.text(x, y - 0.2, verbs[name].lower(), ha="center", va="center", size=8, color="#444444")
    for name, target in needed(graph):
        (x, y), (to, below) = place[name], place[target]
        bend = 0.0 if height[name] - height[target] == 1 else (-0.25 if to >= x else 0.25)
        style = {"arrowstyle": "-|>", "mutation_scale": 10, "color": "#777777", "connectionstyle": f"arc3,rad={bend}"}
        axes.add_patch(FancyArrowPatch((x, y - 0.45), (to, below + 0.45), **style))
    axes.set(xlim=(0, 10), ylim=(-0.7, 1.6 * max(height.values()) + 0.7))
    axes.set_axis_off()
    return figure


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))
    path = DOCS / "figures" / "house.png"
    draw().savefig(path, dpi=160)
    print(path.relative_to(DOCS.parent))
