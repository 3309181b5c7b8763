"""The first keystrokes answer at once: they import nothing heavy."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.startup import HEAVY, modules_of
from district_sim.scenario.files import scenario_names

COMPLETION = {"_DISTRICT_SIM_COMPLETE": "complete_bash"}


def completed(line: str) -> list[str]:
    """What bash offers after a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    program = "import sys; sys.argv = ['district-sim']; from district_sim.cli import main; main()"
    environment = os.environ | COMPLETION | words
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_machine_code_of_a_version_in_use_is_kept(tmp_path: Path) -> None:
    """Other checkouts and versions work on: only what nobody has used for a month is removed."""
    for name, days in (("kernels-old", 40), ("kernels-recent", 20)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, times=(time.time() - days * 86400,) * 2)
    program = "import district_sim.kernels.compile"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert "kernels-recent" in left
    assert len(left) == 2, "the old one is removed, the present one made"


def test_modules_are_seen() -> None:
    assert "ruamel.yaml" in modules_of(["scenarios", "show", "baseline", "--resolved"], {})


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["sweep", "--help"], ["app", "--help"], ["--version"]], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert not modules_of(arguments, {}) & {*HEAVY, "scipy", "solara", "uvicorn"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["scenarios", "list"],
        ["scenarios", "show", "classroom"],
        ["scenarios", "validate", "classroom"],
        ["policies", "list"],
    ],
    ids=" ".join,
)
def test_what_only_reads_files_imports_nothing_that_computes(arguments: list[str]) -> None:
    assert not modules_of(arguments, {}) & {*HEAVY, "numpy", "scipy"}


def test_a_run_without_files_imports_what_it_computes_with_and_no_more() -> None:
    modules = modules_of(["run", "classroom", "--quarters", "4"], {})
    assert modules >= {"numba", "district_sim.reports.run_tables"}
    assert not modules & {"mesa", "pandas", "pyarrow", "matplotlib", "concurrent.futures.process"}


def test_simulating_imports_numpy_numba_pydantic_and_ruamel_alone() -> None:
    code = """
import sys
from district_sim import load_scenario, simulate
run = simulate(load_scenario("classroom", {"run.quarters": 4}), 1)
print(len(run.table), run.trajectory, file=sys.stderr)
print(*{name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names), "scipy.linalg" in sys.modules)
"""
    for _ in range(2):  # the first may compile
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        *found, linear_algebra = done.stdout.split()
    asked = {"numpy", "numba", "llvmlite", "pydantic", "pydantic_core", "ruamel"}
    theirs = {"annotated_types", "typing_extensions", "typing_inspection", "cython_runtime", "scipy", "yaml"}
    assert {name for name in found if not name.startswith("_")} <= {"district_sim", *asked, *theirs}
    assert linear_algebra == "False"  # of scipy, numba reads the version


@pytest.mark.parametrize(
    "line", ["district-sim ", "district-sim run ", "district-sim run --", "district-sim run x --policy "]
)
def test_completion_imports_nothing_heavy(line: str) -> None:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    assert not modules_of([], COMPLETION | words) & set(HEAVY)


def test_completion_knows_commands_options_and_scenarios() -> None:
    assert {"run", "demo", "sweep"} <= set(completed("district-sim "))
    assert "--quarters" in completed("district-sim run --q")
    assert completed("district-sim run le") == ["learning_region"]
    assert completed("district-sim run ") == scenario_names()
    assert completed("district-sim run baseline --policy export_p") == ["export_platform"]
    assert completed("district-sim compare baseline --policies none,export_v") == ["none,export_vouchers"]
