"""Terminals that lack letters, and a matplotlibrc of the user's: neither loses text nor ends in a traceback."""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from rich.console import Console

from district_sim import figures
from district_sim.cli.terminal import plain
from district_sim.experiments.compare import Comparison
from district_sim.figures.style import STYLE
from district_sim.reports.run_tables import conduct
from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.sections import Scenario


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("arguments", [["scenarios", "list"], ["run", "--help"], ["run", "no\udcff−€.yaml"]])
def test_no_terminal_ends_in_a_traceback(encoding: str, arguments: list[str]) -> None:
    surroundings = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    command = [sys.executable, "-m", "district_sim", *map(os.fsencode, arguments)]
    done = subprocess.run(command, env=surroundings, capture_output=True, timeout=120)
    said = (done.stdout + done.stderr).decode(encoding)
    assert done.returncode == (2 if "no" in arguments[-1][:2] else 0), said
    assert "Traceback" not in said
    assert "\\u" not in said


WRITERS = [["policies", "list"], ["scenarios", "show", "classroom", "--resolved"], ["--help"]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", WRITERS, ids=" ".join)
def test_output_on_a_full_disk_ends_in_one_message(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "district_sim", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=300)
    said = done.stderr.decode()
    assert (done.returncode, said) == (1, "Error: the output could not be written: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="a shell closes streams")
@pytest.mark.parametrize("arguments", WRITERS, ids=" ".join)
def test_output_that_is_closed_is_written_nowhere(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "district_sim", *arguments]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], stderr=subprocess.PIPE, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")


def test_plain_letters() -> None:
    assert "".join(map(plain, "−5 €, Ä é ½ ─│┌ 東")) == "-5 EUR, A e 1/2 -|+ ?"


def test_all_letters_of_the_package_have_a_plain_form() -> None:
    package = Path(figures.__file__).parents[1]
    letters = {letter for path in package.rglob("*.py") for letter in path.read_text(encoding="utf-8")}
    assert [letter for letter in sorted(letters) if not letter.isascii() and plain(letter) == "?"] == []


ODD = ["From $2k to $9k for each_firm, 5 % of {all}", "$x_{a$", r"\frac{1}", "a^b & <c>"]


@pytest.mark.parametrize("title", ODD)
def test_titles_are_text(title: str, tmp_path: Path) -> None:
    mpl.rcParams.update({"text.usetex": True, "axes.facecolor": "red"})
    try:
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(6, 1))
            text = figure.suptitle(title)
            ax = figure.subplots()
            ax.set_title(title)
            assert to_hex(ax.get_facecolor()) == "#ffffff"
        assert not text.get_usetex()
        assert not text.get_parse_math()
        png, svg = figures.save(figure, tmp_path / "odd")
    finally:
        mpl.rcdefaults()
    assert png.stat().st_size > 0
    assert f"<!-- {escape(title)} -->" in svg.read_text(encoding="utf-8")


def test_style_says_everything_that_decides_on_looks() -> None:
    """Any file of the user's that changes a figure changes one of these."""
    left_out = set(mpl.rcParamsDefault) - set(STYLE)
    assert not [name for name in left_out if name.startswith(("text", "font", "axes", "lines", "legend", "savefig.f"))]


def test_a_run_is_shown_on_one_line_and_in_notebooks(tmp_path: Path) -> None:
    scenario = Scenario.model_validate({"title": "<b>$x_{a$", "run": {"quarters": 2}})
    nothing = Snapshot(pd.DataFrame, pd.DataFrame, pd.DataFrame, dict)
    run = Run(scenario, 3, np.ones((2, len(NAMES))), nothing, nothing, {})
    assert repr(run) == "<Run '<b>$x_{a$', seed 3, 2 quarters>"
    assert "&lt;b&gt;$x_{a$" in run._repr_html_()
    assert "<th>employment</th>" in run._repr_html_()


@pytest.mark.parametrize("revision", [0.0, 0.1])
def test_what_firms_choose_is_told_in_numbers_or_that_it_is_imposed(revision: float) -> None:
    scenario = Scenario.model_validate({"run": {"quarters": 8}, "conduct": {"revision": revision}})
    nothing = Snapshot(pd.DataFrame, pd.DataFrame, pd.DataFrame, dict)
    table = np.zeros((8, len(NAMES)))
    for name, calm, late in (("research", 1.0, 2.0), ("research_spread", 0.3, 0.4), ("exploration", 0.1, np.nan)):
        table[:2, NAMES.index(f"conduct_{name}")] = calm
        table[-2:, NAMES.index(f"conduct_{name}")] = late
    console = Console(width=100, record=True, file=StringIO())
    console.print(conduct(Run(scenario, 3, table, nothing, nothing, {})))
    said = console.export_text()
    if revision == 0.0:
        assert said == "Conduct: imposed, firms do what the scenario's strategy says (conduct.revision is 0)\n"
        return
    assert re.search(r"R&D drive +1\.00 +2\.00 +\+1\.00 +0\.30 +0\.40", said)
    assert re.search(r"Exploration +10\.0 % +–", said)
    assert "first 2 and the last 2 quarters" in said


def test_a_comparison_is_shown_on_one_line_and_in_notebooks() -> None:
    differences = pd.DataFrame({"cell": ["<a>"], "difference": [1.0]})
    found = Comparison(("own", "<a>"), "t", 0.95, differences, pd.DataFrame(), {})
    assert repr(found) == "<Comparison of <a> with own, 1 differences>"
    assert "<a>" not in found._repr_html_()
