"""`python -m benchmarks`: measure, compare with the targets, and print a table."""

import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.rows import Row, as_json, table, write_markdown

TOPICS = {
    "kernel": "knowledge_kernel",
    "model": "whole_model",
    "memory": "memory",
    "startup": "startup",
    "fan": "fan",
    "sweeps": "sweeps",
    "barter": "barter",
    "posterior": "posterior",
    "class": "classroom",
    "others": "others",
}
_ON_REQUEST = ("posterior", "class", "others")
"""Topics that take many minutes or need what is seldom installed: only with --only."""
_USUAL = ",".join(name for name in TOPICS if name not in _ON_REQUEST)


def chosen_topics(only: str) -> list[str]:
    """Topics named in "NAME,...".

    Raises:
        typer.BadParameter: one of them is unknown, or there is none.
    """
    chosen = [name for name in only.split(",") if name]
    unknown = [name for name in chosen if name not in TOPICS]
    if unknown or not chosen:
        raise typer.BadParameter(f"--only {', '.join(unknown) or 'nothing'}: choose from {', '.join(TOPICS)}")
    return chosen


def measured(topic: str, quick: bool) -> list[Row]:
    """All rows of one topic; a topic that cannot run is one row that says so."""
    rows: list[Row] = []
    try:
        found: Iterable[Row] = import_module(f"benchmarks.{TOPICS[topic]}").rows(quick)
        rows.extend(found)
    except Exception as error:  # the other topics are still worth measuring
        first = (str(error).splitlines() or [""])[0]
        rows.append(Row(topic, f"{topic}: stopped", note=f"{type(error).__name__}: {first}", broken=True))
    return rows


def main(
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all figures.")] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the table between the file's markers.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer pairs and small sizes: under a minute, warm.")] = False,
    only: Annotated[str, typer.Option("--only", metavar="NAME,...", help=f"Some of {', '.join(TOPICS)}.")] = _USUAL,
) -> None:
    """Measure what district-sim costs, every figure a ratio of two sides that alternate.

    Exit code 1 if a benchmark broke; a target that is not met is a result.
    """
    chosen = chosen_topics(only)
    console = Console(stderr=True)
    rows: list[Row] = []
    for topic in chosen:
        with console.status(f"measuring: {topic}"):
            rows += measured(topic, quick)
    Console(width=None if sys.stdout.isatty() else 160).print(table(rows, quick))
    if json_file is not None:
        json_file.write_text(as_json(rows, quick), encoding="utf-8")
    if markdown is not None:
        write_markdown(rows, quick, markdown, only if only in _ON_REQUEST else "")
    if any(row.broken for row in rows):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
