"""Run a district-sim command in this process and note where its time goes.

Usage: `python -m benchmarks.startup_probe REPORT ARGUMENT...`; the report, seconds by what was done, is a JSON file.
"""

import builtins
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

Spent = dict[str, float]


class _Clock:
    """Wall time by what is being done; what is nested counts for the inner one only."""

    def __init__(self) -> None:
        self.spent: Spent = {}
        self._stack: list[str] = []
        self._since = perf_counter()

    def _switch(self) -> None:
        now = perf_counter()
        if self._stack:
            self.spent[self._stack[-1]] = self.spent.get(self._stack[-1], 0.0) + now - self._since
        self._since = now

    def around(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its time noted under `what`."""

        def call(*arguments: Any, **named: Any) -> Any:
            self._switch()
            self._stack.append(what)
            try:
                return function(*arguments, **named)
            finally:
                self._switch()
                self._stack.pop()

        return call


def main(report: Path, arguments: list[str]) -> None:
    """Run the command under the clock."""
    clock = _Clock()
    builtins.__import__ = clock.around("importing", builtins.__import__)
    importlib.import_module = clock.around("importing", importlib.import_module)
    importing = builtins.__import__
    importing("district_sim.cli")
    for module, name, what in (
        ("district_sim.run.run", "simulate", "simulating"),
        ("district_sim.reports.run", "write_run", "drawing and writing"),
        ("district_sim.reports.run_tables", "start_and_end", "drawing and writing"),
        ("district_sim.reports.run_tables", "trajectory", "drawing and writing"),
        ("rich.console.Console", "print", "drawing and writing"),
        ("numba.core.caching.Cache", "load_overload", "loading machine code"),
    ):
        owner = _owner(module, importing)
        setattr(owner, name, clock.around(what, getattr(owner, name)))
    sys.argv = ["district-sim", *arguments]
    try:
        sys.modules["district_sim.cli"].main()
    except SystemExit as end:
        if end.code not in (0, None):
            raise
    report.write_text(json.dumps(clock.spent), encoding="utf-8")


def _owner(name: str, importing: Callable[..., Any]) -> Any:
    """A module, or a class in a module."""
    head, _, tail = name.rpartition(".")
    if tail[0].isupper():
        importing(head)
        return getattr(sys.modules[head], tail)
    importing(name)
    return sys.modules[name]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
