"""What a worker does: simulate a chunk of runs and write their rows as one shard.

A worker writes into the sweep's own work folder only; the sweep itself moves finished shards into the data set. A
worker that outlives its sweep can therefore harm nothing.
"""

import operator
import os
import platform
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim.experiments.checks import Bases, extensions_of
from district_sim.experiments.design import Draws, Keep
from district_sim.experiments.plan import model_version, scenario_hash
from district_sim.experiments.points import Point, scenario_of
from district_sim.model.parameters import parameters_of
from district_sim.run.kept_pasts import kept_pasts
from district_sim.run.shared_past import Pasts, past_of
from district_sim.run.workers import WorkerError
from district_sim.scenario.extensions import MechanismError, indicators_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from district_sim.model.parameters import Parameters
    from district_sim.run.run import Moment
    from district_sim.scenario.sections import Scenario

GO = "go"
"""Runs go on while this file stands in the work folder: to remove a file never fails for want of space."""
_LOOK = 0.25  # seconds between two looks at it
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SETTINGS = 32  # points whose parameters are kept
_pasts = Pasts(disk=kept_pasts())
_one_at_a_time = threading.Lock()  # Dask's workers may have several threads; the kernels are not made for that

type RunId = tuple[int, int]
"""Point and replicate."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What is the same for all chunks of a sweep."""

    work: str
    """The sweep's work folder, which worker and parent must both see."""
    seed: int
    keep: Keep
    conditions: tuple[tuple[str, str, float], ...]
    kinds: dict[str, str]
    bases: Bases
    model: dict[str, str]
    draws: Draws | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Runs for one worker to make."""

    orders: Orders
    shard: int
    runs: tuple[RunId, ...]
    points: dict[int, Point]
    seconds: float
    """After so long no further run is begun; what is left is reported back."""


@dataclass(frozen=True, slots=True)
class Made:
    """How one run ended."""

    point: int
    replicate: int
    status: str
    quarters: int
    seconds: float
    error: str | None = None


@dataclass(slots=True)
class Report:
    """What a worker says of its chunk; the rows are in the shard."""

    made: list[Made] = field(default_factory=list)
    left: tuple[RunId, ...] = ()
    tables: tuple[str, ...] = ()
    hashes: dict[int, str] = field(default_factory=dict)
    host: str = ""


class _Setting:
    """What all replicates of a point share."""

    def __init__(self, scenario: "Scenario") -> None:
        self.scenario = scenario

    @cached_property
    def parameters(self) -> "Parameters":
        """Made by the first run, so that an error in it becomes part of that run's record."""
        return parameters_of(self.scenario)

    @cached_property
    def past(self) -> bytes:
        """What its runs have in common with those of other points."""
        return past_of(self.parameters)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the indicators of its runs."""
        from district_sim.model.extensions import columns_of

        return columns_of(self.parameters)


class _Stopped(Exception):
    """The sweep is to end: the run in progress is given up."""


def shard_name(table: str, shard: int) -> str:
    """Name of an unfinished shard in the work folder."""
    return f"{table}-{shard:08d}.part"


def begun(work: Path, shard: int) -> RunId | None:
    """The run that the worker of a chunk was making, if it had begun one."""
    try:
        point, replicate = (work / f"{shard:08d}.now").read_text().split()
    except (OSError, ValueError):
        return None
    return int(point), int(replicate)


def work_on(chunk: Chunk) -> Report:
    """Make the runs of a chunk, write their rows, report.

    Raises:
        WorkerError: this worker sees another folder or runs another version.
        OSError: the shard could not be written.
    """
    with _one_at_a_time:
        return _work_on(chunk)


def _work_on(chunk: Chunk) -> Report:
    from district_sim.kernels.compile import use_one_thread

    use_one_thread()
    work = Path(chunk.orders.work)
    _check_place(work, chunk.orders)
    report = Report(host=platform.node())
    tables: dict[str, list[Any]] = {"runs": [], "series": [], "firms": [], "spending": []}
    settings: dict[RunId, _Setting] = {}
    end = time.monotonic() + chunk.seconds
    with (work / f"{chunk.shard:08d}.now").open("w") as now:
        for number, (index, replicate) in enumerate(chunk.runs):
            if number and time.monotonic() > end:
                report.left = chunk.runs[number:]
                break
            now.seek(0)
            now.write(f"{index:12d} {replicate:12d}\n")
            now.flush()
            try:
                point, draws, bases = chunk.points[index], chunk.orders.draws, chunk.orders.bases
                own = (index, 0 if draws is None else replicate)
                if own not in settings:
                    if len(settings) >= _SETTINGS:
                        settings.pop(next(iter(settings)))
                    settings[own] = _Setting(scenario_of(point, bases, draws, replicate))
                if index not in report.hashes:
                    plain = settings[own].scenario if draws is None else scenario_of(point, bases)
                    report.hashes[index] = scenario_hash(plain.model_dump(mode="json"))
                report.made.append(_one_run(chunk, point, replicate, settings[own], tables))
            except _Stopped:
                report.left = chunk.runs[number:]
                break
    report.tables = tuple(table for table, rows in tables.items() if rows)
    for table in report.tables:
        _write(work / shard_name(table, chunk.shard), table, tables[table], chunk.orders)
    return report


def _check_place(work: Path, orders: Orders) -> None:
    if not work.is_dir():
        raise WorkerError(
            f"the worker on {platform.node()} does not see {work}: --out must be a folder that all machines share, "
            "and the sweep that started it must still be running"
        )
    try:
        here = model_version(extensions_of(orders.bases))
    except MechanismError as error:
        raise WorkerError(f"the worker on {platform.node()} lacks a package: {error}") from None
    if here != orders.model:
        raise WorkerError(f"the worker on {platform.node()} runs another version ({here}, not {orders.model})")


def _one_run(chunk: Chunk, point: Point, replicate: int, setting: _Setting, tables: dict[str, list[Any]]) -> Made:
    """Make one run and add its rows; an error becomes part of the record."""
    started = time.perf_counter()
    try:
        from district_sim.kernels.draws import replicate_seed

        seed = replicate_seed(chunk.orders.seed, replicate)
        end, met = _simulate(setting, seed, chunk.orders)
        status = "stopped" if met else "done"
        rows = _rows(chunk.orders, point, replicate, seed, status, setting, end)
        if chunk.orders.keep.spending:
            rows |= _spending(point, replicate, setting.scenario, end.reports)
    except _Stopped:
        raise
    except Exception:
        seconds = time.perf_counter() - started
        return Made(point.index, replicate, "failed", 0, seconds, traceback.format_exc())
    for name, added in rows.items():
        tables[name].append(added)
    return Made(point.index, replicate, status, end.done, time.perf_counter() - started)


def _simulate(setting: _Setting, seed: int, orders: Orders) -> "tuple[Moment, bool]":
    """The district at the end, and whether it came early: a stop condition was met, or the district has outgrown all.

    The same numbers as `run.simulate`, which looks neither for conditions nor for the end of the sweep.
    """
    from district_sim.run.run import quarters_of

    quarters, names = setting.scenario.run.quarters, setting.names
    conditions = [(names.index(one), _COMPARE[sign], limit) for one, sign, limit in orders.conditions if one in names]
    go, look = os.path.join(orders.work, GO), time.monotonic()
    p = setting.parameters
    moments = (
        quarters_of(p, seed, quarters, range(quarters))
        if conditions
        else _pasts.quarters(p, setting.past, seed, quarters)
    )
    for moment in moments:
        # a label needs two quarters
        if moment.done > 1 and any(compare(moment.table[-1, column], limit) for column, compare, limit in conditions):
            return moment, True
        if time.monotonic() > look:
            if not os.path.exists(go):
                raise _Stopped
            look = time.monotonic() + _LOOK
    return moment, moment.done < quarters


def _rows(
    orders: Orders, point: Point, replicate: int, seed: int, status: str, setting: _Setting, end: "Moment"
) -> dict[str, Any]:
    """Rows of one run for each table that is kept."""
    from district_sim.run.run import as_frame
    from district_sim.run.snapshot import Snapshot
    from district_sim.scenario.indicators import NAMES

    row: dict[str, Any] = {
        "point": point.index,
        "replicate": replicate,
        "seed": str(seed),
        **({} if orders.draws is None else {"draw": orders.draws.numbers[replicate]}),
        "scenario": point.scenario,
        "policies": point.policies,
        **point.settings,
        "status": status,
        "quarters": end.done,
        **outcomes_of(end.table, orders.keep, setting.names, setting.scenario.calm_window),
    }
    rows: dict[str, Any] = {"runs": row}
    if orders.keep.every is not None:
        every_point = [*NAMES, *indicators_of(extensions_of(orders.bases))]
        frame = as_frame(end.table, setting.names).reindex(columns=every_point)
        rows["series"] = _identified(_thinned(frame, orders.keep.every).reset_index(), point, replicate)
    if orders.keep.firms:
        firms = Snapshot.of(end.state).firms.reset_index()
        rows["firms"] = _identified(firms.astype({"control": "string"}), point, replicate)
    return rows


def _spending(point: Point, replicate: int, scenario: "Scenario", reports: Any) -> dict[str, Any]:
    """A row for each policy instrument of one run; no table where there are none."""
    from district_sim.run.run import MOVED, policy_totals, reported

    totals = policy_totals(reported(reports, scenario))
    if not len(totals):
        return {}
    totals = totals.rename(columns={"quarters": "quarters_active"})
    totals.insert(0, "number", range(len(totals)))
    names = ["number", "instrument", "kind", "funded_by", "quarters_active", "spent", "left_over", "served", *MOVED]
    names += [f"first_{moved}" for moved in MOVED]
    return {"spending": _identified(totals[names].copy(), point, replicate)}


def outcomes_of(
    table: "np.ndarray", keep: Keep, names: tuple[str, ...], calm_window: int | None = None
) -> dict[str, Any]:
    """The row of a run in the results: its label and the outcomes that are kept.

    Args:
        table: (quarters, len(names)) indicators of at least two quarters.
        keep: which outcomes.
        names: of the indicators; see `model.extensions.columns_of`.
        calm_window: of the scenario; see `trajectories.windows`.
    """
    from district_sim.experiments.design import ROUTES
    from district_sim.run.trajectories import FUTURES, recovery_time, score, windows

    columns = dict(zip(names, table.T, strict=True))  # a data frame would take longer than all scores together
    scores = score(columns, calm_window=calm_window)
    row: dict[str, Any] = {
        "trajectory": scores.label and scores.label.value,
        **{f"score_{future.value}": scores.of(future) for future in FUTURES},
        **{name: float(getattr(scores, name)) for name in ROUTES},
        "recovery_time": recovery_time(columns, calm_window=calm_window),
    }
    if keep.final:
        row |= zip(names, table[-1].tolist(), strict=True)
    if keep.late:
        _, window = windows(len(table))
        row |= zip((f"{name}_late" for name in names), _known_means(table[-window:]).tolist(), strict=True)
    return row


def _known_means(table: "np.ndarray") -> "np.ndarray":
    """Means over the quarters in which an indicator is defined; NaN where it never is."""
    import numpy as np

    means: np.ndarray = table.mean(axis=0)
    for column in np.flatnonzero(np.isnan(means)):
        known = table[~np.isnan(table[:, column]), column]
        means[column] = known.mean() if known.size else np.nan
    return means


def _thinned(frame: "pd.DataFrame", every: int) -> "pd.DataFrame":
    """Every so many quarters, and the last one."""
    kept = [quarter % every == 0 or quarter == len(frame) for quarter in frame.index]
    return frame[kept]


def _identified(frame: "pd.DataFrame", point: Point, replicate: int) -> "pd.DataFrame":
    frame.insert(0, "point", point.index)
    frame.insert(1, "replicate", replicate)
    return frame


def _write(path: Path, table: str, rows: list[Any], orders: Orders) -> None:
    """Write a shard and wait until it is on the disk."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from district_sim.experiments.columns import runs_schema, with_metadata

    data: pa.Table
    if table == "runs":
        data = pa.Table.from_pylist(
            rows, schema=runs_schema(orders.kinds, orders.keep, extensions_of(orders.bases), orders.draws is not None)
        )
    else:
        data = with_metadata(pa.Table.from_pandas(pd.concat(rows, ignore_index=True), preserve_index=False), table)
    with path.open("wb") as file:
        pq.write_table(data, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
