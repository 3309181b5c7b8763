"""Programs in mesa-frames, each in a process of its own: mesa-frames needs another NumPy than district-sim.

`MESA_FRAMES_PYTHON` names the Python that has it; without, it is the one that runs the benchmarks.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.knowledge_case import KNOWLEDGE, Case

SETTING = "MESA_FRAMES_PYTHON"


class NotInstalled(Exception):
    """There is no mesa-frames."""


class Frames:
    """A model in mesa-frames that takes steps when it is told to.

    Raises:
        NotInstalled: no mesa-frames in that Python, or no such Python.
    """

    def __init__(self, kind: Literal["socialise", "barter"], given: dict[str, np.ndarray], threads: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        file, self.errors = Path(self.folder.name, "given.npz"), Path(self.folder.name, "errors.txt")
        np.savez(file, **given)  # type: ignore[arg-type]
        command = [os.environ.get(SETTING) or sys.executable, "-m", "benchmarks.frames_worker", kind, str(file)]
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            with self.errors.open("w", encoding="utf-8") as errors:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    cwd=Path(__file__).parents[1],
                    env=outside | {"POLARS_MAX_THREADS": str(threads)},
                )
        except OSError as error:
            self.folder.cleanup()
            raise NotInstalled(f"{SETTING}: {error}") from None
        first = self._answer()
        if "missing" in first:
            self.end()
            raise NotInstalled(f"mesa-frames is not installed ({first['missing']})")
        self.versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items())

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            told = self.errors.read_text(encoding="utf-8").strip().splitlines() or ["ended"]
            raise RuntimeError(f"mesa-frames: {told[-1]}")
        return json.loads(line)

    def _ask(self, what: str) -> None:
        assert self.process.stdin is not None
        print(what, file=self.process.stdin, flush=True)
        self._answer()

    def start(self) -> None:
        """Make the model anew."""
        self._ask("start")

    def step(self, steps: int = 1) -> None:
        """Take steps."""
        self._ask(f"step {steps}")

    def results(self) -> dict[str, np.ndarray]:
        """What the steps have come to."""
        file = Path(self.folder.name, "results.npz")
        self._ask(f"write {file}")
        with np.load(file) as arrays:
            return {name: arrays[name] for name in arrays.files}

    def end(self) -> None:
        """Let the process end."""
        self.process.communicate()
        self.folder.cleanup()


def socialising(case: Case, threads: int) -> Frames:
    """Firms of a case; a step is one round of socialisation."""
    given = {name: np.ascontiguousarray(case.seen[name]) for name in ("tacit", "x", "y", "it", "absorptive")}
    given |= {name: getattr(case, name) for name in ("partner", "trust", "education", "experience", "research")}
    given |= {name: case.k[name][0] for name in (*KNOWLEDGE, "relevance")}
    return Frames("socialise", given, threads)


def bartering(knowledge: np.ndarray, start: np.ndarray, partner: np.ndarray, alpha: float, threads: int = 1) -> Frames:
    """Traders on a network; a step is as many meetings as there are traders."""
    given = {"knowledge": knowledge, "start": start, "partner": partner, "alpha": np.array(alpha)}
    return Frames("barter", given, threads)
