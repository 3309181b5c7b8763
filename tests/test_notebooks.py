"""Every notebook runs from top to bottom, shows what it promises, and is kept clean.

They run two at a time, as most of the time each waits for its own Python to start.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FIGURES = {"01": 3, "02": 5, "03": 1, "04": 3, "05": 2, "06": 1, "07": 3, "08": 1, "09": 2}
"""How many each must show."""


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def source(cell: Any) -> str:
    return str(cell.source)


def executed(path: Path) -> Any:
    notebook = read(path)
    quiet = ["--log-level=ERROR"]  # newer kernels warn that they talk over TCP, on this machine alone
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", extra_arguments=quiet, resources={"metadata": {"path": FOLDER}}
    ).execute()
    return notebook


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[Path, "Future[Any]"]]:
    with ThreadPoolExecutor(2) as pool:
        yield {path: pool.submit(executed, path) for path in NOTEBOOKS}


def test_all_nine_are_there() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == list(FIGURES)
    listed = re.findall(r"\((\w+\.ipynb)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_shows(path: Path, runs: dict[Path, "Future[Any]"]) -> None:
    notebook = runs[path].result()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    complaints = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert complaints == []
    drawn = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(drawn) == FIGURES[path.name[:2]]
    told = "".join(output.get("data", {}).get("text/markdown", "") for output in outputs)
    assert told
    assert not re.search(r"\bnan\b|\{", told), "a sentence with a number that is none"
    shown = json.dumps([output for output in outputs if "image/png" not in output.get("data", {})])
    assert str(Path.home()) not in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_kept_clean(path: Path) -> None:
    """No outputs, no trace of the machine it was written on, one title, ids that stay."""
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work)/|[A-Z]:\\\\", text)
    prose = [source(cell) for cell in notebook.cells if cell.cell_type == "markdown"]
    assert sum(len(re.findall(r"^# ", cell, re.MULTILINE)) for cell in prose) == 1
    assert prose[0].startswith("# ")
    assert source(code[0]).startswith("%matplotlib inline")
    assert sum(cell.count("<details>") for cell in prose) == sum(cell.count("</details>") for cell in prose)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_prose_states_no_result(path: Path) -> None:
    """A number that a run gave would be wrong with the next version: it belongs in a cell that computes it."""
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            plain = re.sub(r"`[^`]*`|^ {4}.*$|https?\S+|doi \S+", "", source(cell), flags=re.MULTILINE)
            assert not re.search(r"\d\.\d|\d ?(k€|euros?\b|employees|jobs)", plain), plain
            results = [number for number in re.findall(r"(\d+) ?%", plain) if number not in ("90", "95")]
            assert results == [], plain


def test_answers_are_folded() -> None:
    exercise = [source(cell) for cell in read(FOLDER / "07_classroom_exercise.ipynb").cells]
    asked = sum("*Question.*" in cell for cell in exercise)
    assert asked >= 4
    assert sum(cell.count("<details><summary>") for cell in exercise) >= asked
