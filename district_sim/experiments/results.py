"""The data set of an experiment, read from its folder."""

import html
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from district_sim.experiments.checks import Bases, extensions_of
from district_sim.experiments.checks import described as described_path
from district_sim.experiments.columns import column_notes, runs_schema, write_described
from district_sim.experiments.design import LEAST_RUNS, OWN, Experiment
from district_sim.experiments.points import Point, points
from district_sim.experiments.store import Counts, FolderError, read_ledger, read_plan, shard_file
from district_sim.run.columns import Note, note_of
from district_sim.run.labelled_files import stata_names, write_parquet, write_stata
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.renamed import RENAMED, RENAMED_OF_FIRMS, note_renamed

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_FEW = 24  # points that a summary lists one by one
_RENAMED = {"runs": RENAMED, "series": RENAMED, "firms": RENAMED_OF_FIRMS}  # by table

type Format = Literal["csv", "dta", "parquet"]
type Table = Literal["runs", "series", "firms", "spending"]


class Results:
    """What is finished of an experiment; a sweep may still be writing into the folder.

    Args:
        folder: the folder given to `run_experiment` or `sweep --out`.

    Raises:
        FolderError: it holds no experiment.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._told = read_plan(self.folder)
        try:
            self.experiment = Experiment.model_validate(self._told["experiment"])
        except (KeyError, TypeError, ValueError):
            raise FolderError(f"{folder} was made by a version of district-sim that this one cannot read") from None

    def __repr__(self) -> str:
        counts = self.counts
        return (
            f"<Results {self.experiment.name!r} in {str(self.folder)!r}, {counts.total} runs, {counts.failed} failed>"
        )

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and the short table."""
        return f"<p>{html.escape(repr(self))}</p>{self.summary().to_html(index=False, float_format='{:.4g}'.format)}"

    @property
    def versions(self) -> dict[str, str]:
        """Versions with which the runs were made."""
        return dict(read_ledger(self.folder, "SELECT name, version FROM versions ORDER BY name"))

    @property
    def counts(self) -> Counts:
        """Runs by how they ended."""
        return Counts(**dict(read_ledger(self.folder, "SELECT status, count(*) FROM run GROUP BY status")))

    @property
    def resolved(self) -> dict[str, dict[str, Any]]:
        """The scenarios in full as plain data, by the names that they have in the experiment."""
        return dict(self._told["scenarios"])

    @property
    def bases(self) -> Bases:
        """The resolved scenarios, before the points' settings, by (scenario, policies)."""
        mixes = {name: [i.model_dump(mode="json") for i in mix] for name, mix in self.experiment.policies.items()}
        found: Bases = {}
        for name, data in self._told["scenarios"].items():
            for mix, instruments in mixes.items():
                found[name, mix] = {**data, "policies": instruments}
            if not mixes:
                found[name, OWN] = data
        return found

    @cached_property
    def points(self) -> list[Point]:
        """The points of the design, in order."""
        return points(self.experiment, self.bases)

    @property
    def ledger(self) -> pd.DataFrame:
        """One row per run: hash of the resolved scenario, seed, status, seconds, machine, traceback."""
        names = "point, replicate, scenario_hash, seed, status, quarters, seconds, host, error"
        rows = read_ledger(self.folder, f"SELECT {names} FROM runs ORDER BY point, replicate")
        return pd.DataFrame(rows, columns=names.split(", "))

    def seconds(self) -> float:
        """Time that the finished runs took, over all cores."""
        return float(read_ledger(self.folder, "SELECT coalesce(sum(seconds), 0) FROM run")[0][0])

    def errors(self) -> dict[str, int]:
        """The last lines of the failed runs' tracebacks, and how often each occurred."""
        rows = read_ledger(self.folder, "SELECT error, count(*) FROM run WHERE error IS NOT NULL GROUP BY error")
        found: dict[str, int] = {}
        for text, count in rows:
            last = text.strip().splitlines()[-1]
            found[last] = found.get(last, 0) + count
        return found

    def summary(self) -> pd.DataFrame:
        """A short table: by point if they are few, else by scenario and policies.

        Mean of late employment, its standard deviation over runs, and the most frequent trajectory with its share of
        the runs that have a label.
        """
        runs = self.runs[self.runs["status"] != "failed"]
        by = ["scenario", "policies"]
        if len(self.points) <= _FEW:
            by = ["point", *by, *self.experiment.vary]
        outcome = next((name for name in ("employment_late", "employment") if name in runs), "quarters")
        rows = []
        for values, group in runs.groupby(by, sort=False, observed=True):
            often = group["trajectory"].value_counts(normalize=True)
            row = dict(zip(by, values, strict=True)) | {"runs": len(group), outcome: float(group[outcome].mean())}
            row["sd"] = float(group[outcome].std())
            label, share = next(iter(often.items()), (None, math.nan))
            rows.append(row | {"trajectory": label, "share": share})
        return pd.DataFrame(rows, columns=[*by, "runs", outcome, "sd", "trajectory", "share"])

    # Tables -------------------------------------------------------------------------------------

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per finished run, by point and replicate; failed ones have a status and nothing else."""
        import pyarrow as pa

        table = read_shards(self.folder, "runs")
        if table is None:
            table = runs_schema(
                self._told["kinds"], self.experiment.keep, extensions_of(self.bases), self.experiment.draws is not None
            ).empty_table()
        failed = pa.Table.from_pylist(self._failed(), schema=table.schema)
        whole: pd.DataFrame = pa.concat_tables([table, failed]).to_pandas()
        return whole.sort_values(["point", "replicate"], ignore_index=True)

    def _failed(self) -> list[dict[str, Any]]:
        from district_sim.kernels.draws import replicate_seed

        rows = read_ledger(self.folder, "SELECT point, replicate FROM run WHERE status = 'failed'")
        made = []
        for index, replicate in rows:
            point = self.points[index]
            made.append(
                {
                    "point": index,
                    "replicate": replicate,
                    "seed": str(replicate_seed(self.experiment.seed, replicate)),
                    "scenario": point.scenario,
                    "policies": point.policies,
                    **point.settings,
                    "status": "failed",
                    "quarters": 0,
                }
            )
        return made

    @cached_property
    def calendars(self) -> dict[int, Calendar | None]:
        """The dates of each point's runs, None where they have none."""
        found = {}
        for point in self.points:
            run = self.bases[point.scenario, point.policies]["run"]
            start = point.settings.get("run.start", run.get("start"))
            found[point.index] = None if start is None else Calendar.of(str(start))
        return found

    @property
    def calendar(self) -> Calendar | None:
        """The dates that all runs share; None if they have none, or different ones."""
        first, *others = set(self.calendars.values()) or {None}
        return None if others else first

    @cached_property
    def series(self) -> pd.DataFrame:
        """Time series: point, replicate, quarter and the indicators; empty unless `keep.every` was given."""
        return self._other("series", ["point", "replicate", "quarter"])

    @cached_property
    def firms(self) -> pd.DataFrame:
        """The firms at the end of each run: point, replicate, firm, ...; empty unless `keep.firms` was given."""
        return self._other("firms", ["point", "replicate", "firm"])

    @cached_property
    def spending(self) -> pd.DataFrame:
        """What each policy instrument did in each run: point, replicate, number (its place in the mix, from 0),
        instrument, kind, funded_by, and sums over quarters; empty unless `keep.spending` was given."""
        return self._other("spending", ["point", "replicate", "number"])

    def _other(self, table: str, keys: list[str]) -> pd.DataFrame:
        data = read_shards(self.folder, table)
        if data is None:
            return pd.DataFrame(columns=keys)
        return data.to_pandas().sort_values(keys, ignore_index=True)

    def to_xarray(self) -> "xr.Dataset":
        """Runs (dimensions point, replicate) and, if kept, series (and quarter) as one labelled array.

        Needs the extra `xarray`. What belongs to a point (scenario, policies, settings) is a coordinate of it.
        """
        import xarray as xr

        index = ["point", "replicate"]
        of_point = ["scenario", "policies", *self.experiment.vary]
        runs = self.runs.set_index(index)
        data = xr.Dataset.from_dataframe(runs.drop(columns=[*of_point, "seed"]))
        first = runs[of_point].groupby("point").first()
        data = data.assign_coords({name: ("point", first[name].to_numpy()) for name in of_point})
        seeds = runs["seed"].groupby("replicate").first()
        data = data.assign_coords(seed=("replicate", seeds.to_numpy()))
        if len(self.series):
            series = xr.Dataset.from_dataframe(self.series.set_index([*index, "quarter"]))
            data = data.merge(series.rename({name: f"{name}_series" for name in series.data_vars}))
        for name in [str(name) for name in data.variables]:
            unit, text = self.notes(name.removesuffix("_series"))
            data[name].attrs |= {k: v for k, v in (("units", unit), ("long_name", text)) if v}
        data.attrs = {"experiment": self.experiment.name, **self.versions}
        return data

    def notes(self, column: str, table: Table = "runs") -> tuple[str, str]:
        """Unit and description of a column of a table."""
        if column in self.experiment.vary:
            text, unit = described_path(column, self.bases)
            return unit, text
        return column_notes(column, table)

    # Export -------------------------------------------------------------------------------------

    def export(self, format: Format, path: str | Path, table: Table = "runs") -> list[Path]:
        """Write one table, for R (csv, parquet), Stata (dta) and others, with the meaning of its columns.

        Parquet and Stata carry labels in themselves; a CSV file gets a second one beside it, `NAME.columns.csv`.
        Stata's names are at most 32 characters without points; the label holds the full name if it was changed.

        Returns:
            The files written, each whole.

        Raises:
            FolderError: the sweep did not keep this table.
            OSError: a file cannot be written.
        """
        keep = self.experiment.keep
        kept = {"series": keep.every is not None, "firms": keep.firms, "spending": keep.spending}
        if not kept.get(table, True):
            option = "every" if table == "series" else table
            raise FolderError(f"{self.folder} holds no table of {table}: the sweep was made without --{option}")
        frame: pd.DataFrame = self._dated() if table == "series" else getattr(self, table)
        path = Path(path)
        if format == "parquet":
            return [write_parquet(path, frame, lambda name: Note(*self.notes(name, table)))]
        if format == "dta":
            return [write_stata(path, frame, lambda name: self._stata_note(name, table), self.experiment.name)]
        return write_described(path, frame, lambda name: self.notes(name, table))

    def _dated(self) -> pd.DataFrame:
        """The time series with the dates of runs that have any."""
        calendars = self.calendars
        if not any(calendars.values()) or not len(self.series):
            return self.series
        pairs = zip(self.series["point"], self.series["quarter"], strict=True)
        found = [calendar.date(int(quarter) - 1) if (calendar := calendars[point]) else "" for point, quarter in pairs]
        out = self.series.copy()
        out.insert(list(out).index("quarter") + 1, "date", found)
        return out

    def _stata_note(self, name: str, table: Table) -> Note:
        """With the meaning of codes that is the same in all runs."""
        return Note(*self.notes(name, table), labels=note_of(table, name).labels)


# Reading shards -----------------------------------------------------------------------------------


def read_shards(folder: Path, table: str, columns: list[str] | None = None) -> "pa.Table | None":
    """Rows of all shards that the ledger knows, in no order; None if there are none.

    Args:
        folder: of the experiment.
        table: runs, series, firms or spending.
        columns: only these.

    Raises:
        FolderError: a shard cannot be read.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    rows = read_ledger(folder, "SELECT shard FROM shards WHERE ',' || tables || ',' LIKE ?", f"%,{table},%")
    files = [str(folder / table / shard_file(shard)) for (shard,) in rows]
    if not files:
        return None
    try:
        data = ds.dataset(files)
        old = {new: name for name, new in _RENAMED.get(table, {}).items() if name in data.schema.names}
        found = data.to_table(columns=columns and [old.get(name, name) for name in columns])
    except (OSError, pa.ArrowInvalid) as error:
        raise FolderError(
            f"{folder / table}: a shard is missing or damaged; remove it, and repeat the sweep to make its runs "
            f"again ({str(error).splitlines()[0]})"
        ) from None
    if not old:
        return found
    note_renamed(folder / table, {name: new for new, name in old.items()})
    return found.rename_columns([_RENAMED[table].get(name, name) for name in found.column_names])


# Enough replications ------------------------------------------------------------------------------


def outcome_values(folder: Path, experiment: Experiment) -> dict[int, dict[int, tuple[float, ...]]]:
    """The outcomes of `until` of all finished runs: point to replicate to values."""
    names = list(experiment.until)
    data = read_shards(folder, "runs", ["point", "replicate", *names])
    found: dict[int, dict[int, tuple[float, ...]]] = {}
    if data is not None:
        columns = [data.column(name).to_pylist() for name in ("point", "replicate", *names)]
        for point, replicate, *values in zip(*columns, strict=True):
            found.setdefault(point, {})[replicate] = tuple(values)
    return found


def enough(experiment: Experiment, values: Mapping[int, tuple[float, ...]], count: int) -> float:
    """How many times larger than allowed the largest Monte-Carlo standard error of a point is; at most 1 is enough.

    Args:
        experiment: with `until`.
        values: outcomes of the point by replicate.
        count: replicates below this number are looked at; failed ones are missing.

    Returns:
        Infinity where nothing can be said: fewer than five runs in which an outcome is defined, a mean of zero, an
        infinite outcome.
    """
    rows = np.array([values[replicate] for replicate in range(count) if replicate in values], dtype=float)
    largest = 0.0
    for outcome, (tolerance, relative) in enumerate(experiment.tolerances().values()):
        known = rows[~np.isnan(rows[:, outcome]), outcome] if len(rows) else rows
        if len(known) < LEAST_RUNS or not np.isfinite(known).all():
            return math.inf
        mean, error = known.mean(), known.std(ddof=1) / math.sqrt(len(known))
        allowed = tolerance * abs(mean) if relative else tolerance
        if error > 0:
            largest = max(largest, error / allowed if allowed > 0 else math.inf)
    return float(largest)


__all__ = ["FolderError", "Format", "Results", "enough", "outcome_values", "read_shards", "stata_names"]
