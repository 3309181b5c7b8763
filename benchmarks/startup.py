"""Start-up: what the first keystrokes import, what compiling costs, and what a warm run spends its time on."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter

from benchmarks.rows import Row
from benchmarks.timing import Spread

HEAVY = ("mesa", "numba", "pandas", "matplotlib")
_TURNS, _QUICK_TURNS = 7, 2
_COMMAND = "import sys; sys.argv[0] = 'district-sim'; from district_sim.cli import main; main()"


def rows(quick: bool) -> Iterator[Row]:
    """All figures of start-up."""
    yield _imports("help", "`district-sim --help`", ["--help"], {})
    words = {"_DISTRICT_SIM_COMPLETE": "complete_bash", "COMP_WORDS": "district-sim run ", "COMP_CWORD": "2"}
    yield _imports("completion", "shell completion of `district-sim run `", [], words)
    turns = _QUICK_TURNS if quick else _TURNS
    with tempfile.TemporaryDirectory() as folder:
        yield from _warm_run(Path(folder), turns, figures=True)
        yield from _warm_run(Path(folder), turns, figures=False)
    yield _compiling(quick)


def modules_of(arguments: list[str], environment: Mapping[str, str]) -> set[str]:
    """Names of all modules that a command has imported when it ends.

    Raises:
        RuntimeError: the command failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "modules"
        program = (
            "import atexit, pathlib, sys\n"
            f"atexit.register(lambda: pathlib.Path({str(report)!r}).write_text('\\n'.join(sys.modules)))\n{_COMMAND}"
        )
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"district-sim {' '.join(arguments)}: {done.stderr.strip()}")
        return set(report.read_text(encoding="utf-8").split())


def _imports(name: str, what: str, arguments: list[str], environment: Mapping[str, str]) -> Row:
    modules = modules_of(arguments, environment)
    heavy = [library for library in HEAVY if library in modules]
    note = f"{', '.join(heavy)}: imported" if heavy else f"{len(modules)} modules in all"
    return Row(
        f"startup.{name}",
        f"Heavy libraries imported by {what}",
        Spread.exactly(len(heavy)),
        unit=f"of {len(HEAVY)}",
        at_most=0,
        note=note,
    )


def _warm_run(folder: Path, turns: int, *, figures: bool) -> Iterator[Row]:
    """Simulating and drawing against importing, a process each turn; loading machine code is counted as neither."""
    spent: list[dict[str, float]] = []
    for turn in range(turns + 1):  # the first one fills caches
        report, out = folder / "report", folder / f"{figures}-{turn}"
        more = ["--out", str(out)] if figures else []
        command = [sys.executable, "-m", "benchmarks.startup_probe", str(report), "run", "classroom", *more]
        subprocess.run(command, check=True, capture_output=True)
        spent.append(json.loads(report.read_text(encoding="utf-8")))
    del spent[0]
    ratios = [(turn["simulating"] + turn["drawing and writing"]) / turn["importing"] for turn in spent]
    parts = {part: Spread.of([turn[part] for turn in spent]).median for part in spent[0]}
    command_line = "district-sim run classroom" + (" --out DIR" if figures else "")
    yield Row(
        "startup.run.figures" if figures else "startup.run",
        f"Simulating and drawing / importing, warm `{command_line}`",
        Spread.of(ratios),
        at_least=1 if figures else None,
        better="" if figures else "higher",
        note=", ".join(f"{part} {seconds * 1e3:.0f} ms" for part, seconds in parts.items()),
    )


def _compiling(quick: bool) -> Row:
    what = "First `district-sim run classroom` / the second, empty cache of machine code"
    if quick:
        return Row("startup.compile", what, note="not with --quick")
    seconds = []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(2):
            start = perf_counter()
            command = [sys.executable, "-c", _COMMAND, "run", "classroom", "--quiet"]
            subprocess.run(command, env=os.environ | {"NUMBA_CACHE_DIR": cache}, check=True, capture_output=True)
            seconds.append(perf_counter() - start)
        size = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file())
    note = f"{seconds[0]:.1f} s and {seconds[1]:.2f} s; {size / 2**20:.1f} MiB of machine code"
    return Row("startup.compile", what, Spread.exactly(seconds[0] / seconds[1]), better="lower", note=note)
