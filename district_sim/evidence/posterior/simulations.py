"""Many single runs with their own parameters and luck, on the disk as they are made: what was made is never lost.

Job k gives the same row in whatever order and by whomever it is made. Rows are written in shards of `SHARD` jobs, each
whole or not at all, so that a killed command goes on where it was and ends with the same table.
"""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from district_sim.run.whole_files import write_whole
from district_sim.run.workers import Progress, Workers

SHARD = 32
"""Jobs that are handed out and kept together."""
HEAD = "made_of.json"
"""What the rows in a folder were made of."""

type Row = dict[str, np.ndarray]
"""Arrays of one job, of the same names and shapes for all jobs of a table."""


class OtherTable(ValueError):
    """The folder holds runs of something else."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of shards."""

    folder: Path

    @classmethod
    def open(cls, folder: Path, made_of: Any, force: bool = False) -> "Store":
        """The folder, made if missing.

        Args:
            made_of: plain data: all that the rows depend on. force: begin anew where it holds other rows.

        Raises:
            OtherTable: it does, and `force` is not given. OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        head, told = folder / HEAD, json.dumps(made_of, sort_keys=True)
        if head.is_file() and head.read_text(encoding="utf-8") != told:
            if not force:
                raise OtherTable(
                    f"{folder} holds runs of another case, seed or version; choose another --out, or --force"
                )
            for path in folder.glob("*.npz"):
                path.unlink()
        write_whole(head, lambda to: to.write_text(told, encoding="utf-8"))
        return cls(folder)

    def _path(self, shard: int) -> Path:
        return self.folder / f"{shard:06d}.npz"

    def load(self, shard: int) -> Row | None:
        """The rows of a shard stacked, or None if it is not there; a damaged one counts as not there."""
        try:
            with np.load(io.BytesIO(self._path(shard).read_bytes())) as found:
                return {name: found[name] for name in found.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def keep(self, shard: int, rows: Row) -> None:
        """Write a shard, whole."""
        held = io.BytesIO()
        np.savez(held, **rows)  # type: ignore[arg-type]
        write_whole(self._path(shard), lambda to: to.write_bytes(held.getvalue()))


def table_of[Job](
    work: Callable[[Job], Row],
    jobs: Sequence[Job],
    store: Store,
    workers: Workers,
    progress: Progress | None = None,
) -> Row:
    """What `work` makes of each job (at least one), stacked in the jobs' order; what is in the store is not made again.

    Args:
        work: of a module, as it goes to other processes. progress: called with jobs done and all of them.

    Raises:
        WorkerError: a worker was lost. OSError: the disk is full, or the like.
    """
    shards = [jobs[first : first + SHARD] for first in range(0, len(jobs), SHARD)]
    found: dict[int, Row] = {}
    for number, part in enumerate(shards):
        rows = store.load(number)
        if rows is not None and all(len(column) == len(part) for column in rows.values()):
            found[number] = rows
    done = sum(len(shards[number]) for number in found)
    if progress and done:
        progress(done, len(jobs))
    missing = [number for number in range(len(shards)) if number not in found]
    at_once = 1 + 2 * workers.count // SHARD
    for first in range(0, len(missing), at_once):
        batch = missing[first : first + at_once]
        wanted = [job for number in batch for job in shards[number]]
        made = workers.map(work, wanted, progress and partial(_further, progress, done, len(jobs)))
        for number in batch:
            own, made = made[: len(shards[number])], made[len(shards[number]) :]
            found[number] = {name: np.stack([row[name] for row in own]) for name in own[0]}
            store.keep(number, found[number])
            done += len(own)
    return {name: np.concatenate([found[number][name] for number in range(len(shards))]) for name in found[0]}


def _further(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
