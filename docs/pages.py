"""The pages of the site that are written from code: commands, scenarios, parameters, indicators, Python names."""

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import generate

from district_sim.scenario.files import load_scenario, scenario_names, scenario_notes, scenario_text

PACKAGES = {
    "district_sim": "Scenarios, runs, trajectories, and the Mesa model.",
    "district_sim.experiments": "Many runs: what is to be run, running it anywhere, and the data set that comes of it.",
    "district_sim.experiments.compare": "Scenarios compared under the same luck.",
    "district_sim.figures": "Figures. Every function returns a matplotlib `Figure`.",
    "district_sim.evidence.replications": "Published results measured again.",
}
"""Packages whose public names are documented, with a line each."""
_EXAMPLES = re.compile(r'<span style="font-weight: bold">(.+?)</span>')


def commands() -> str:
    """Every command with its options and examples, as `--help` has them."""
    arguments = [sys.executable, "-m", "typer", "district_sim.cli", "utils", "docs", "--name", "district-sim"]
    text = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    text = _EXAMPLES.sub(r"**\1**", html.unescape(text)).replace("# `district-sim`", "# Commands", 1)
    begins = dict(re.findall(r"^#+ `district-sim ([^`]+)`\n\n(.+)$", text, re.MULTILINE))
    for name, line in begins.items():  # typer cuts its lists of commands short
        text = re.sub(
            rf"^\* `{name.split()[-1]}`: .*\.\.\.$", f"* `{name.split()[-1]}`: {line}", text, flags=re.MULTILINE
        )
    return _fenced(text)


def scenarios() -> str:
    """Every bundled scenario: its notes and its file."""
    parts = [
        "# Scenarios\n\nWhat comes with district-sim. `district-sim scenarios show NAME` prints the same in the "
        "terminal, `district-sim run NAME` runs it. What is noticed was looked for on several seeds and is true "
        "of their mean; a single run may differ."
    ]
    for name in scenario_names():
        notes = re.sub(r"^## ", "### ", scenario_notes(name), flags=re.MULTILINE).strip()
        dropdown = f"::::{{dropdown}} {name}.yaml\n```yaml\n{scenario_text(name).strip()}\n```\n::::"
        parts.append(f"## {load_scenario(name).title} (`{name}`)\n\n{notes}\n\n{dropdown}")
    return "\n\n".join(parts) + "\n"


def parameters() -> str:
    """The schema of scenario files."""
    text = re.sub(r"^#### ", "## ", generate.parameters(), flags=re.MULTILINE)
    intro = (
        "Every field of a scenario file, written from the schema that checks it. [Write a scenario](../scenarios.md) "
        "says how files are made; `district-sim scenarios schema` prints the same as JSON Schema."
    )
    instruments = f"## Instruments and targets\n\n{generate.instruments()}"
    return f"# Scenario files: every parameter\n\n{intro}\n\n{text}\n\n{instruments}\n"


def indicators() -> str:
    """Every indicator."""
    intro = (
        "What is observed of a district in each quarter: the columns of `Run.indicators` and of `indicators.csv`. In a "
        "data set of [experiments](../experiments.md), `NAME` is the value in the last quarter and `NAME_late` the "
        "mean of the last 40."
    )
    return f"# Indicators\n\n{intro}\n\n{generate.indicators()}\n"


def api() -> str:
    """The public Python names, a page each."""
    parts = ["Python\n======\n"]
    for package, line in PACKAGES.items():
        module = import_module(package)
        public = getattr(module, "__all__", None) or _own_names(package)
        names = "\n".join(f"   {name}" for name in public if callable(getattr(module, name)))
        heading = f"{package}\n{'-' * len(package)}\n\n{line.replace('`', '``')}\n\n.. currentmodule:: {package}\n"
        parts.append(f"{heading}\n.. autosummary::\n   :toctree: api\n   :nosignatures:\n\n{names}\n")
    return "\n".join(parts)


def notebooks() -> str:
    """The list of notebooks."""
    names = [path.stem for path in sorted((generate.DOCS.parent / "notebooks").glob("*.ipynb"))]
    listed = "\n".join(f"../notebooks/{name}" for name in names)
    intro = "Jupyter notebooks, to read here or to run from the folder `notebooks` of the repository."
    return f"# Notebooks\n\n{intro}\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "scenarios.md": scenarios,
    "parameters.md": parameters,
    "indicators.md": indicators,
    "api.rst": api,
    "notebooks.md": notebooks,
}


def write(folder: Path) -> None:
    """Write the pages that are not up to date; Sphinx reads only what has changed."""
    folder.mkdir(exist_ok=True)
    shutil.rmtree(folder / "api", ignore_errors=True)  # autosummary never removes the page of a name that has gone
    for file, make in PAGES.items():
        text = make()
        path = folder / file
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _own_names(package: str) -> list[str]:
    """Public functions and classes that a module without `__all__` defines itself."""
    members = vars(import_module(package)).items()
    return [name for name, it in members if not name.startswith("_") and getattr(it, "__module__", "") == package]


def _fenced(text: str) -> str:
    """Indented examples as blocks of code."""

    def block(match: re.Match[str]) -> str:
        lines = [line[2:] for line in match[0].splitlines()]
        explained = any("   " in line for line in lines)
        language = "sh" if lines[0].startswith("district-sim") and not explained else "text"
        return "\n".join([f"```{language}", *lines, "```", ""])

    return re.sub(r"(?:^  \S.*\n)+", block, text, flags=re.MULTILINE)
