"""What code results belong to is read from the source tree: a new file in a kernel package changes both identities."""

import shutil
from pathlib import Path

import pytest

from district_sim.experiments.plan import model_version
from district_sim.kernels import compile as compiling


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's sources, of which the identities are now taken."""
    folder = tmp_path / "district_sim"
    shutil.copytree(compiling._PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__", "app"))
    monkeypatch.setattr(compiling, "_PACKAGE", folder)
    return folder


def identities() -> tuple[str, str]:
    """Of machine code, and of data sets."""
    return compiling.sources_hash(), model_version.__wrapped__()["sources"]


def test_a_copy_has_the_same_identity(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_copy = identities()
    monkeypatch.undo()
    assert of_copy == identities()


@pytest.mark.parametrize("place", ["model/new.py", "model/processes/new.py", "kernels/new.py"])
def test_a_new_file_changes_both(place: str, copy: Path) -> None:
    before = identities()
    (copy / place).write_text("", encoding="utf-8")
    assert not {*before} & {*identities()}


@pytest.mark.parametrize("place", ["run/run.py", "scenario/sections.py", "experiments/work.py"])
def test_what_shapes_results_changes_the_data_sets_alone(place: str, copy: Path) -> None:
    code, data = identities()
    path = copy / place
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert identities()[0] == code
    assert identities()[1] != data


@pytest.mark.parametrize("place", ["cli/run.py", "figures/style.py", "reports/run.py"])
def test_what_only_shows_results_changes_neither(place: str, copy: Path) -> None:
    before = identities()
    (copy / place).write_text("", encoding="utf-8")
    assert identities() == before


def test_kernels_import_nothing_that_is_not_in_their_identity() -> None:
    """What `model` and `kernels` import is hashed. Two files compile nothing, and data sets have what they import."""
    hashed = set(compiling.source_files(*compiling._KERNEL_SOURCES))
    for path in hashed - {compiling._PACKAGE / "model" / name for name in ("parameters.py", "extensions.py")}:
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[:1] == ["from"] and words[1].startswith("district_sim."):
                module = compiling._PACKAGE.parent.joinpath(*words[1].split("."))
                assert {module.with_suffix(".py"), module / "__init__.py"} & hashed or module.is_dir(), (path, line)
