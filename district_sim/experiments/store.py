"""The folder of an experiment: what was planned, which runs are done, and their rows.

    experiment.json    the experiment, its resolved scenarios, the version of the model
    ledger.sqlite      one row per run: status, shard, time, traceback; points, seeds, machines
    runs/, series/, firms/    Parquet shards; together they are the data set
    .lock, .owner, .work/    of the sweep that is running

A run counts once the ledger says so, and the ledger says so only after the shard stands in its place, whole and on the
disk. Shards that the ledger does not know are removed when a sweep begins.
"""

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from district_sim.experiments.checks import extensions_of
from district_sim.experiments.plan import Plan, description, differences
from district_sim.experiments.work import GO, Made, Report, shard_name
from district_sim.run.whole_files import LOCK, OWNER, FolderInUse, hold, sweep_up, write_json
from district_sim.scenario.files import ScenarioError

PLANNED, LEDGER = "experiment.json", "ledger.sqlite"
_WORK = ".work"
_TOLD = 12  # differences that are listed
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}

_DAMAGED = "{} is damaged ({}); restore a copy, or choose another folder. No other file was changed."

_SCHEMA = """
BEGIN;
CREATE TABLE IF NOT EXISTS versions (name TEXT PRIMARY KEY, version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS points (point INTEGER PRIMARY KEY, scenario_hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replicates (replicate INTEGER PRIMARY KEY, seed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shards (shard INTEGER PRIMARY KEY, tables TEXT NOT NULL, host TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS run (
    point INTEGER NOT NULL, replicate INTEGER NOT NULL, status TEXT NOT NULL, shard INTEGER,
    quarters INTEGER NOT NULL, seconds REAL NOT NULL, error TEXT,
    PRIMARY KEY (point, replicate)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failed ON run (point, replicate) WHERE status = 'failed';
CREATE VIEW IF NOT EXISTS runs AS
    SELECT point, replicate, scenario_hash, seed, status, quarters, seconds, shard, host, error
    FROM run LEFT JOIN points USING (point) LEFT JOIN replicates USING (replicate) LEFT JOIN shards USING (shard);
COMMIT;
"""


def shard_file(shard: int) -> str:
    """Name of a shard of the data set."""
    return f"shard-{shard:08d}.parquet"


class FolderError(ScenarioError):
    """A folder that a sweep cannot write into or that holds none."""


class StorageError(OSError):
    """Something could not be written; what is in the ledger is safe."""

    def __init__(self, message: str, full: bool = False) -> None:
        super().__init__(message)
        self.full = full
        """Whether for want of space, which whoever reads it can make."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs in the ledger, by how they ended."""

    done: int = 0
    stopped: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.done + self.stopped + self.failed


def read_plan(folder: Path) -> dict[str, Any]:
    """What a folder's sweep was: see `plan.description`.

    Raises:
        FolderError: the folder holds no sweep.
    """
    _check_kinds(folder, ())
    try:
        told: dict[str, Any] = json.loads((folder / PLANNED).read_text(encoding="utf-8"))
    except OSError:
        raise FolderError(f"{folder} holds no experiment ({PLANNED} is missing)") from None
    except (ValueError, RecursionError):
        raise FolderError(f"{folder}: {PLANNED} is damaged") from None
    if not isinstance(told, dict):
        raise FolderError(f"{folder}: {PLANNED} is damaged")
    return told


@contextmanager
def open_store(folder: Path, plan: Plan) -> "Iterator[Store]":
    """The folder, made if missing, held against other sweeps while the block runs.

    Raises:
        FolderError: it holds something else, another experiment, or is held by another sweep.
        StorageError: it cannot be written.
    """
    with _storing(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            release = _lock(folder)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise FolderError(f"{folder}: cannot be a folder of results: {error.strerror}") from None
    try:
        store = Store(folder, plan)
        try:
            yield store
        finally:
            store.close()
    finally:
        release()


def _lock(folder: Path) -> Callable[[], None]:
    """Hold the folder; what is returned lets it go."""
    _check_kinds(folder, ())
    others = sorted(path.name for path in folder.iterdir() if path.name not in (LOCK, OWNER, _WORK))
    if others and not (folder / PLANNED).is_file() and not all(name.startswith(f".{PLANNED}") for name in others):
        raise FolderError(f"{folder} is not empty and holds no experiment; choose another folder")
    try:
        return hold(folder)
    except FolderInUse as error:
        raise FolderError(f"{folder}: another sweep is writing into this folder ({error.who})") from None


class Store:
    """A folder that is held; made by `open_store`."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.work = folder / _WORK / uuid4().hex[:12]
        self.seed = plan.experiment.seed
        self._tables = tuple(_kept(plan))
        with _storing(folder):
            _check_kinds(folder, self._tables)
            shutil.rmtree(folder / _WORK, ignore_errors=True)
            self._check_or_write(description(plan))
            sweep_up(folder)
            if _is_empty(folder / LEDGER) and any((folder / "runs").glob("*.parquet")):
                raise FolderError(f"{folder}: {LEDGER} is missing or empty; restore it, or choose another folder")
            self._ledger = _connect(folder / LEDGER)
            if self._ledger.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("some of its pages are damaged")
            self._ledger.executescript(_SCHEMA)
            self._note_versions(extensions_of(plan.bases))
            self.work.mkdir(parents=True)
            (self.work / GO).touch()
            for table in self._tables:
                (folder / table).mkdir(exist_ok=True)
        self._agree_on_shards()
        known = self._ledger.execute("SELECT max(shard) FROM shards").fetchone()[0]
        self.next_shard = 0 if known is None else int(known) + 1

    def _check_or_write(self, told: dict[str, Any]) -> None:
        path = self.folder / PLANNED
        if path.is_file():
            lines = differences(read_plan(self.folder), told)
            if lines:
                shown = [f"  {line}" for line in lines[:_TOLD]]
                more = [f"  and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
                raise FolderError(
                    "\n".join([f"{self.folder} holds another experiment; choose another folder. Differences:", *shown])
                    + "\n".join(["", *more])
                )
            return
        write_json(path, told)

    def _note_versions(self, extensions: tuple[str, ...]) -> None:
        from district_sim.run.run import versions

        with self._ledger:
            self._ledger.executemany("INSERT OR REPLACE INTO versions VALUES (?, ?)", versions(extensions).items())

    def _agree_on_shards(self) -> None:
        """Remove shards that a killed sweep did not write down; forget the runs of shards that somebody removed."""
        present = {path for table in self._tables for path in (self.folder / table).glob("*.parquet")}
        rows = self._ledger.execute("SELECT shard, tables FROM shards")
        known = {shard: {self.folder / t / shard_file(shard) for t in tables.split(",")} for shard, tables in rows}
        lost = {shard for shard, files in known.items() if not files <= present}
        with _storing(self.folder), self._ledger as ledger:
            for name in ("run", "shards"):
                ledger.executemany(f"DELETE FROM {name} WHERE shard = ?", [(shard,) for shard in lost])
        for path in present.difference(*(files for shard, files in known.items() if shard not in lost)):
            path.unlink()

    def close(self) -> None:
        """Leave the folder in order."""
        self._ledger.close()
        shutil.rmtree(self.folder / _WORK, ignore_errors=True)

    # What is done -------------------------------------------------------------------------------

    def replicates_of(self, point: int) -> set[int]:
        """Replicates of a point that need not be made, failed ones included."""
        return {row[0] for row in self._ledger.execute("SELECT replicate FROM run WHERE point = ?", (point,))}

    def made_below(self, point: int, replicates: int) -> int:
        """How many of the first replicates of a point need not be made."""
        query = "SELECT count(*) FROM run WHERE point = ? AND replicate < ?"
        return int(self._ledger.execute(query, (point, replicates)).fetchone()[0])

    def counts(self) -> Counts:
        """How many runs are in the ledger."""
        return Counts(**dict(self._ledger.execute("SELECT status, count(*) FROM run GROUP BY status")))

    # Writing ------------------------------------------------------------------------------------

    def commit(self, shard: int, report: Report) -> None:
        """Put a worker's shard in its place, then write its runs down.

        Raises:
            StorageError: this could not be written; the ledger is as it was.
        """
        from district_sim.kernels.draws import replicate_seed

        with _storing(self.folder):
            for table in report.tables:
                os.replace(self.work / shard_name(table, shard), self.folder / table / shard_file(shard))
                _sync(self.folder / table)
            kept = shard if report.tables else None
            seeds = {made.replicate: str(replicate_seed(self.seed, made.replicate)) for made in report.made}
            with self._ledger as ledger:
                if kept is not None:
                    ledger.execute("INSERT INTO shards VALUES (?, ?, ?)", (shard, ",".join(report.tables), report.host))
                ledger.executemany("INSERT OR IGNORE INTO points VALUES (?, ?)", report.hashes.items())
                ledger.executemany("INSERT OR IGNORE INTO replicates VALUES (?, ?)", seeds.items())
                ledger.executemany(
                    "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?)", [_ledger_row(made, kept) for made in report.made]
                )

    def forget_failed(self) -> int:
        """Strike out failed runs, so that they are made again; returns how many there were."""
        with _storing(self.folder), self._ledger as ledger:
            return ledger.execute("DELETE FROM run WHERE status = 'failed'").rowcount

    def ask_to_stop(self) -> None:
        """Tell the workers, wherever they are, to give up what they are doing."""
        (self.work / GO).unlink(missing_ok=True)


def _kept(plan: Plan) -> Iterator[str]:
    yield "runs"
    if plan.experiment.keep.every is not None:
        yield "series"
    if plan.experiment.keep.firms:
        yield "firms"
    if plan.experiment.keep.spending:
        yield "spending"


def _ledger_row(made: Made, shard: int | None) -> tuple[Any, ...]:
    kept = None if made.status == "failed" else shard
    return (made.point, made.replicate, made.status, kept, made.quarters, made.seconds, made.error)


def _connect(path: Path) -> sqlite3.Connection:
    # a journal file beside the ledger, not shared memory: it works on network file systems too
    ledger = sqlite3.connect(path, timeout=30)
    ledger.execute("PRAGMA synchronous = FULL")
    return ledger


def _check_kinds(folder: Path, tables: tuple[str, ...]) -> None:
    """Refuse a folder where a file should be, or the other way round."""
    for name in (PLANNED, LEDGER):
        if (folder / name).is_dir():
            raise FolderError(f"{folder / name} is a folder, where a file should be; restore it, or choose another")
    for name in tables:
        if (folder / name).is_file():
            raise FolderError(f"{folder / name} is a file, where a folder should be; restore it, or choose another")


def _is_empty(path: Path) -> bool:
    return not path.is_file() or path.stat().st_size == 0


def _sync(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _storing(folder: Path) -> Iterator[None]:
    """What cannot be written ends in one kind of error."""
    try:
        yield
    except sqlite3.Error as error:
        if type(error) is sqlite3.DatabaseError:  # a subclass is about something else
            raise FolderError(_DAMAGED.format(folder / LEDGER, error)) from None
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise StorageError(f"{folder}: the ledger could not be written: {error}", full) from error
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> StorageError:
    """What to say of a file that could not be written: which, and why."""
    full = error.errno in _FULL
    which = f" ({error.filename})" if error.filename and not full else ""
    return StorageError(f"{folder}: could not be written: {error.strerror or error}{which}", full)


# Reading ------------------------------------------------------------------------------------------


def read_ledger(folder: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of the ledger; a sweep may be running, or may have been killed in the middle of a line.

    Raises:
        FolderError: there is no ledger, or it is damaged.
    """
    path = folder / LEDGER
    _check_kinds(folder, ())
    if _is_empty(path):
        raise FolderError(f"{folder} holds no experiment ({LEDGER} is missing or empty)")
    try:
        with closing(sqlite3.connect(path, timeout=30)) as ledger:
            return ledger.execute(query, values).fetchall()
    except sqlite3.DatabaseError as error:
        if type(error) is sqlite3.DatabaseError:
            raise FolderError(_DAMAGED.format(path, error)) from None
        raise FolderError(f"{path} cannot be read: {error}") from None
