"""Kill commands at random moments, start two at once, close their terminal: nothing is lost, nothing is half.

    python -m tests.kills --tries 20 --seed 0

Each command is first run undisturbed. Then, at every try, one of them is killed at a random moment of its life, with
kill -9 or in a way that it can answer. What it leaves must be whole files, and what it says one message. At the end
each command is given twice at once, and must come to the same files as the undisturbed one.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from district_sim.experiments import Results

FILES = {
    "small.yaml": "title: Small\nfirms: {count: 30}\nrun: {quarters: 16}\nstrategy_start: 2\n",
    "small.targets.yaml": "scenario: small\nstart: 2000\ntargets:\n  - {measure: firms, year: 2004, value: 20, "
    "tolerance: 1, fit: true, source: nobody, published: 2000, certainty: C}\n"
    "parameters:\n  demography.exit: {low: 0.004, high: 0.1, log: true}\n",
}
COMMANDS = {
    "run": "run small.yaml --out out --force",
    "sweep": "sweep small.yaml --vary strategy.sale=0:0.9:4 --replications 40 --workers 2 --out out",
    "compare": "compare small.yaml --policies none,rd_subsidy --replications 10 --workers 2 --out out",
    "sensitivity": "sensitivity small.yaml --parameters strategy --morris 4 --sobol 4 --top 2 --replications 2 "
    "--workers 2 --out out",
    "search": "search small.yaml --budget 100k --instruments rd_subsidy,export_platform --earliest 2 --population 4 "
    "--generations 3 --replications 2 --test-replications 2 --winners 2 --workers 2 --out out",
    "policy-report": "policy-report small.yaml --policies rd_subsidy --replications 5 --sensitivity-runs 120 "
    "--parameters strategy --workers 2 --out out/report.html --force",
    "calibrate": "calibrate small.yaml --targets small.targets.yaml --runs 4 --budget 60 --workers 2 --out out --force",
    "posterior": "calibrate small.yaml --targets small.targets.yaml --posterior --simulations 100 --draws 50 --check "
    "--truths 20 --workers 2 --out out",
    "verify": "verify --seeds 5000-5001 --out out --force",
}
KILLS: dict[str, signal.Signals] = {
    "kill -9": signal.SIGKILL,
    "Ctrl-C": signal.SIGINT,
    "kill": signal.SIGTERM,
    "hang-up": signal.SIGHUP,
}
STORED = ("ledger.sqlite", "trials.jsonl", "shard-")
"""Beginnings of the names of files whose content is compared, not their bytes."""


@dataclass
class Found:
    """What came of the tries."""

    kills: Counter[str] = field(default_factory=Counter)
    """By kind: those that met a living command."""
    failed: list[str] = field(default_factory=list)


@dataclass
class Disturbed:
    """One command in a folder of its own."""

    name: str
    folder: Path
    took: float = 0.0
    """Seconds, undisturbed."""
    wanted: dict[str, str] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def start(self) -> "subprocess.Popen[str]":
        """The command, alone in a process group, as a terminal would have it."""
        line = [sys.executable, "-m", "district_sim", *shlex.split(COMMANDS[self.name]), "--quiet"]
        return subprocess.Popen(
            line, cwd=self.folder, start_new_session=True, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def fresh(self) -> None:
        self.folder.mkdir()
        for name, text in FILES.items():
            (self.folder / name).write_text(text)

    def finish(self) -> str:
        """Run it to its end; what it said, if it failed. A pattern of `verify` may fail on two seeds."""
        process = self.start()
        _, said = process.communicate()
        return "" if process.returncode in ((0, 1) if self.name == "verify" else (0,)) and not said else said or "code"


def kills(tries: int, seed: int, folder: Path, names: Sequence[str] = tuple(COMMANDS)) -> Found:
    """Kill commands so many times in all, and look at what is left."""
    rng, found = random.Random(seed), Found()
    commands = []
    for name in names:
        whole = Disturbed(name, folder / f"{name}-whole")
        whole.fresh()
        begun = time.monotonic()
        said = whole.finish()
        seconds = time.monotonic() - begun
        if said:
            found.failed.append(f"{name}, undisturbed: {said}")
        command = Disturbed(name, folder / name, seconds, content(whole.out))
        command.fresh()
        commands.append(command)
    for number in range(tries):
        command = commands[number % len(commands)]
        kind = rng.choice(list(KILLS))
        _kill(command, kind, rng.uniform(0.0, command.took), f"{number} {command.name}, {kind}", found)
    for command in commands:
        _two_at_once(command, found)
    return found


def _kill(command: Disturbed, kind: str, moment: float, name: str, found: Found) -> None:
    process = command.start()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    if process.poll() is None:
        found.kills[kind] += 1
        to_all = kind in ("Ctrl-C", "hang-up")  # a terminal sends these to the workers, too
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if to_all else os.kill)(process.pid, KILLS[kind])
    _, said = process.communicate()
    _nobody_left(process.pid)
    name = f"{name} after {moment:.2f} s of {command.took:.1f}"
    early = process.returncode == -KILLS[kind] and not said  # before it could answer
    if kind != "kill -9" and not early:
        lines = [line for line in said.splitlines() if line.strip()]
        # An interpreter may end itself by SIGINT although the interrupt was answered: to a shell that is 130, too.
        code = 130 if process.returncode == -signal.SIGINT and lines else process.returncode
        if code not in (0, 1, 130) or len(lines) > 1 or (code == 130) != bool(lines):
            found.failed.append(f"{name}: code {process.returncode}, said {said[-1500:]!r}")
        if left := [path.name for path in command.folder.rglob(".*")]:
            found.failed.append(f"{name}: left {left}")
    found.failed += [f"{name}: {problem}" for problem in halves(command.out)]


def _nobody_left(group: int) -> None:
    """Wait until the workers of a process group are gone, too; a kill -9 of their parent is noticed by them."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise TimeoutError("workers outlive their parent")


def _two_at_once(command: Disturbed, found: Found) -> None:
    """Give a command twice: one or both may finish; who cannot says so. Nothing hidden is left."""
    both = [command.start(), command.start()]
    said = [process.communicate()[1] for process in both]
    done = [0, 1] if command.name == "verify" else [0]
    for process, words in zip(both, said, strict=True):
        refused = process.returncode == 2 and "writing into this folder" in words and words.count("\n") == 1
        if not refused and (process.returncode not in done or words):
            found.failed.append(f"{command.name}, twice at once: code {process.returncode}, said {words[-1500:]!r}")
    if not any(process.returncode in done for process in both):
        found.failed.append(f"{command.name}, twice at once: neither finished")
    found.failed += [f"{command.name}, in the end: {problem}" for problem in halves(command.out)]
    now = content(command.out)
    different = [name for name in sorted({*now, *command.wanted}) if now.get(name) != command.wanted.get(name)]
    if different:
        found.failed.append(f"{command.name}, in the end: other than undisturbed: {different[:10]}")


# What is in a folder --------------------------------------------------------------------------------


def _png(data: bytes) -> bool:
    return data.endswith(b"IEND\xaeB`\x82")


def _is_json(data: bytes) -> bool:
    json.loads(data)
    return True


WHOLE: dict[str, Callable[[bytes], bool]] = {
    ".png": _png,
    ".svg": lambda data: data.rstrip().endswith(b"</svg>"),
    ".html": lambda data: data.rstrip().endswith(b"</html>"),
    ".json": _is_json,
    ".csv": lambda data: data.endswith(b"\n"),
    ".md": lambda data: data.endswith(b"\n"),
    ".tex": lambda data: data.endswith(b"\n"),
    ".parquet": lambda data: data.endswith(b"PAR1"),
}


def halves(folder: Path) -> list[str]:
    """Files that are not whole, by their names in a folder; and a run that says it is whole and is not."""
    problems = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        try:
            whole = WHOLE.get(path.suffix, lambda data: True)(path.read_bytes())
        except ValueError:
            whole = False
        if not whole:
            problems.append(f"{path.name} is half")
        if path.suffix == ".sqlite":
            with contextlib.closing(sqlite3.connect(path)) as ledger:
                if path.stat().st_size and ledger.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    problems.append(f"{path.name} is damaged")
    needed = {"indicators.parquet", "firms.parquet", "dashboard.svg", "knowledge.svg", "columns.csv"}
    if (folder / "run.json").is_file() and (missing := {name for name in needed if not (folder / name).is_file()}):
        problems.append(f"run.json is there, {missing} are not")
    return problems


def content(folder: Path) -> dict[str, str]:
    """What the files of a folder say; of data sets their rows, whatever the order in which they were made."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name == "trials.jsonl":
            found[name] = "\n".join(sorted(set(path.read_text().splitlines())))
        elif path.name == "experiment.json":
            results = Results(path.parent)
            tables = [getattr(results, table).to_csv() for table in ("runs", "series", "firms")]
            found[name] = hashlib.sha256("".join(tables).encode()).hexdigest()
        elif path.suffix == ".parquet" and not path.name.startswith(STORED):
            found[name] = hashlib.sha256(pq.read_table(path).to_pandas().to_csv().encode()).hexdigest()
        elif not path.name.startswith(STORED):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are deaf to it
    with tempfile.TemporaryDirectory() as folder:
        found = kills(asked.tries, asked.seed, Path(folder), asked.commands.split(","))
    for kind, count in found.kills.items():
        print(f"{kind:10} {count}")
    print(f"tries {asked.tries}, failed: {len(found.failed)}", *found.failed, sep="\n  ")
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
