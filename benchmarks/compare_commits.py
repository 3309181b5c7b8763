"""`python -m benchmarks.compare_commits OLD NEW`: has anything become slower between two commits?

The files of both commits are put into a temporary folder, and the benchmarks of NEW measure the package of each, in
turns on this machine. What is compared are the benchmarks' own figures, nearly all of them ratios to an opponent
measured in the same run; where OLD has not got what a benchmark needs, the row says "not comparable".
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import TOPICS, chosen_topics
from benchmarks.rows import Row, from_json
from benchmarks.timing import Spread

_TOPICS = "kernel,model,memory,sweeps"
_ROUNDS = 3
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Change:
    """One figure before and after, and how much worse it has become."""

    what: str
    old: float | None
    new: float | None
    loss: Spread | None
    """Share lost: 0.2 is 20 % worse, below 0 is better; None if not comparable."""
    note: str = ""

    def verdict(self, most: float) -> Literal["lost", "kept", "not comparable"]:
        """Against the most that may be lost."""
        if self.loss is None:
            return "not comparable"
        return "lost" if self.loss.median > most else "kept"


def loss(old: float, new: float, direction: str) -> float:
    """Share by which a figure has become worse: new / old - 1 where lower is better, old / new - 1 where higher is.

    A figure that was zero and is not any more is an infinite loss.
    """
    worse, better = (new, old) if direction == "lower" else (old, new)
    if better <= 0.0:
        return 0.0 if worse <= 0.0 else float("inf")
    return worse / better - 1.0


def changes(old: list[dict[str, Row]], new: list[dict[str, Row]]) -> list[Change]:
    """Compare the rounds of two commits, row by row.

    Args:
        old, new: rows by name, one mapping for each round.
    """
    names = dict.fromkeys(name for rows in [*new, *old] for name in rows)
    return [change for name in names if (change := _change(name, old, new)) is not None]


def _change(name: str, old: list[dict[str, Row]], new: list[dict[str, Row]]) -> Change | None:
    found = [[rows[name] for rows in rounds if name in rows] for rounds in (old, new)]
    row = (found[1] or found[0])[0]
    values = [[row.measured for row in side if row.measured is not None] for side in found]
    if row.verdict == "skipped" and not values[0]:
        return None  # nobody can measure it here
    if not row.direction and not row.broken:
        return None
    before, after = (Spread.of(side).median if side else None for side in values)
    if not (values[0] and values[1]) or len(values[0]) != len(values[1]):
        broken = next((row.note for side in found for row in side if row.measured is None), "one side lacks it")
        return Change(row.what, before, after, None, broken)
    lost = [loss(a, b, row.direction) for a, b in zip(values[0], values[1], strict=True)]
    return Change(row.what, before, after, Spread.of(lost))


# Two commits ----------------------------------------------------------------------------------------


def check_out(commits: tuple[str, str], folder: Path) -> tuple[Path, Path]:
    """The files of both commits, the first one with the second one's benchmarks (or these, if it has none).

    Raises:
        typer.BadParameter: there is no such commit.
    """
    old, new = folder / "old", folder / "new"
    for commit, place in zip(commits, (old, new), strict=True):
        done = subprocess.run(["git", "-C", str(_ROOT), "archive", commit], capture_output=True)
        if done.returncode != 0:
            raise typer.BadParameter(f"there is no commit {commit} in {_ROOT} (git: {done.stderr.decode().strip()})")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
            files.extractall(place, filter="data")
    if not (new / "benchmarks").is_dir():
        shutil.copytree(_ROOT / "benchmarks", new / "benchmarks")
    shutil.rmtree(old / "benchmarks", ignore_errors=True)
    shutil.copytree(new / "benchmarks", old / "benchmarks")
    return old, new


def _measure(place: Path, cache: Path, topic: str, quick: bool) -> dict[str, Row]:
    """One topic's rows for the package at a place."""
    out = place / "rows.json"
    out.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(place), "NUMBA_CACHE_DIR": str(cache)}
    options = ["--only", topic, "--json", str(out), *(["--quick"] if quick else [])]
    command = [sys.executable, "-m", "benchmarks", *options]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    if not out.is_file():
        last = (done.stderr.strip().splitlines() or ["the benchmarks could not start"])[-1]
        return {topic: Row(topic, topic, note=last, broken=True)}
    return from_json(out.read_text(encoding="utf-8"))


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def table(found: list[Change], most: float, titles: tuple[str, str]) -> Table:
    """All changes for a terminal."""
    out = Table()
    for heading in ("What", *titles, "Loss (quartiles)", "", "Note"):
        out.add_column(heading)
    for change in found:
        spread = change.loss
        text = "" if spread is None else f"{spread.median:+.1%} ({spread.low:+.1%} to {spread.high:+.1%})"
        out.add_row(change.what, _shown(change.old), _shown(change.new), text, change.verdict(most), change.note)
    return out


def main(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The commit before.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The commit after.")],
    only: Annotated[str, typer.Option("--only", metavar="NAME,...", help=f"Some of {', '.join(TOPICS)}.")] = _TOPICS,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and fewer pairs.")] = False,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often each commit is measured.")] = _ROUNDS,
    most: Annotated[float, typer.Option("--loss", help="The largest share that may be lost.")] = 0.15,
) -> None:
    """Compare two commits by the benchmarks' ratios.

    Exit code 1 if a figure lost more than 15 % or nothing could be compared, 2 if there is no such commit or topic.
    """
    topics = chosen_topics(only)
    console = Console(stderr=True)
    measured: tuple[list[dict[str, Row]], list[dict[str, Row]]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        places = check_out((old, new), Path(folder))
        cache = Path(folder) / "machine-code"  # both packages have a folder of their own in it
        for number in range(rounds):
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                with console.status(f"round {number + 1} of {rounds}: {(old, new)[side]}"):
                    rows = [_measure(places[side], cache, topic, quick) for topic in topics]
                measured[side].append({name: row for topic in rows for name, row in topic.items()})
    found = changes(*measured)
    Console(width=None if sys.stdout.isatty() else 160).print(table(found, most, (old, new)))
    verdicts = {change.verdict(most) for change in found}
    compared = verdicts - {"not comparable"}
    if not compared:
        console.print("nothing could be compared")
    if "lost" in compared or not compared:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
