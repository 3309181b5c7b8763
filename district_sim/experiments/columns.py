"""The columns of the data set: names, kinds, units and descriptions, the same in every shard and export."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from district_sim.experiments.design import Keep
from district_sim.run.columns import INSTRUMENT, WHEN, Note, note_of
from district_sim.run.labelled_files import metadata_of, with_notes
from district_sim.run.whole_files import write_csv
from district_sim.text.names import record_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

_FIXED = {
    "point": ("", "Number of the point of the design, from 0"),
    "replicate": ("", "Number of the replicate, from 0; the same luck at every point"),
    "draw": ("", "Number of the draw of parameters, from 0, in what they were drawn from; the same at every point"),
    "seed": ("", "Seed of the run, a whole number below 2**64 as text"),
    "scenario": ("", "Scenario"),
    "policies": ("", "Policy mix; own: those of the scenario"),
    "status": ("", "done, stopped (by a stop condition, or because the district outgrew all bounds) or failed"),
    "quarters": ("quarters", "Quarters that were run"),
    **WHEN,
    "number": ("", "Place of the instrument in the policy mix, from 0"),
    **INSTRUMENT,
    "quarters_active": ("quarters", "Quarters in which it spent money"),
    "spent": ("k€", "What it spent, sum over the run"),
    "left_over": ("k€", "What was left over of its budgets, sum over the run"),
    "served": ("firm-quarters", "Firms served, summed over quarters"),
    "started": ("times", "How often a signpost started it"),
    "stopped": ("times", "How often a signpost stopped it"),
    "changed": ("times", "How often a signpost gave it another budget"),
    "first_started": ("quarter", "First quarter in which a signpost started it, 1 is the first; missing: in none"),
    "first_stopped": ("quarter", "First quarter in which a signpost stopped it, 1 is the first; missing: in none"),
    "first_changed": ("quarter", "First quarter with another budget by a signpost, 1 is the first; missing: in none"),
    "trajectory": ("", "Trajectory, from outcomes only; missing where nothing can be said"),
}

_COMPARED = {
    "cell": ("", "Scenario or policies that are compared"),
    "n": ("runs", "Pairs of runs, or runs, of which it can be said"),
    "low": ("", "Lower end of the interval, in the unit of what it belongs to"),
    "high": ("", "Upper end of the interval, in the unit of what it belongs to"),
}
_DIFFERENCES = _COMPARED | {
    "outcome": ("", "Name of the outcome, whose unit is that of the means, the difference and its interval"),
    "counterfactual": ("of the outcome", "Mean under the counterfactual"),
    "mean": ("of the outcome", "Mean in the cell"),
    "difference": ("of the outcome", "Mean difference within the pairs"),
    "effect": ("standard deviations", "Effect size d_z: mean difference over its standard deviation"),
    "p": ("probability", "P-value of no difference"),
    "p_holm": ("probability", "P-value, corrected for all tests (Holm)"),
    "gain": ("1", "How many times more replications independent seeds would need for the same standard error"),
}
_TRAJECTORIES = _COMPARED | {
    "trajectory": ("", "Trajectory, from outcomes only"),
    "count": ("runs", "Runs that end so"),
    "share": ("share", "These runs, of those that have a label"),
}
_COSTS = _COMPARED | {
    "budgets": ("k€", "Budgets, present value, mean over replicates"),
    "spent": ("k€", "What was spent, present value, mean over replicates"),
    "left_over": ("k€", "What was left over of the budgets, present value, mean over replicates"),
    "per_euro": ("€", "Value added kept in the district for each euro spent beyond the counterfactual, present values"),
    "jobs": ("employees", "Employees more than in the counterfactual in the last quarter, mean over replicates"),
    "cost_per_job": ("k€", "Spent beyond the counterfactual for each of these jobs"),
}
_SIGNPOSTS = {
    "cell": _COMPARED["cell"],
    "signpost": ("", "What is waited for, and what happens then"),
    "move": ("", "What a signpost did: started, stopped, or changed (the budget)"),
    "share": ("share", "Replicates in which this came about"),
    "times": ("times", "How often it came about, mean over replicates"),
    "low": ("quarter", "First quarter in which it came about, 1 is the first: a tenth of these replicates are earlier"),
    "median": ("quarter", "The same: half of them are earlier; missing: it never came about"),
    "high": ("quarter", "The same: nine tenths are earlier"),
}
_TABLES = {
    "differences": _DIFFERENCES, "trajectories": _TRAJECTORIES, "costs": _COSTS, "signposts": _SIGNPOSTS
}  # fmt: skip


def column_notes(path: str, table: str = "runs") -> tuple[str, str]:
    """Unit and description of a column that every experiment has; empty texts for others (varied paths).

    Args:
        path: name of the column.
        table: runs, series, firms or spending of an experiment; differences, trajectories, costs or signposts of a
            comparison; another one is a run's: see `run.columns.note_of`.
    """
    if found := _TABLES.get(table, {}).get(path):
        return found
    if (note := note_of(table, path)).text:
        return note.unit, note.text
    record = record_of(path)
    return _FIXED.get(path, (record.unit, record.meaning))


def columns_table(frame: "pd.DataFrame", notes: Callable[[str], tuple[str, str]]) -> "pd.DataFrame":
    """What the columns of a table are, to stand beside it where it is written as CSV.

    Args:
        frame: the table.
        notes: of a column's name: its unit and description.

    Returns:
        One row per column: column, type (text, integer, number, boolean), unit, description. The type keeps a name such
        as `NA` or `007` from being read as something else.
    """
    import pandas as pd

    types = {"i": "integer", "u": "integer", "f": "number", "b": "boolean"}
    rows = [(str(name), types.get(frame[name].dtype.kind, "text"), *notes(str(name))) for name in frame]
    return pd.DataFrame(rows, columns=["column", "type", "unit", "description"])


def write_described(path: "Path", frame: "pd.DataFrame", notes: Callable[[str], tuple[str, str]]) -> "list[Path]":
    """A table as CSV, and beside it, in `NAME.columns.csv`, what its columns are; returns both. Raises OSError."""
    beside = path.with_name(f"{path.stem}.columns.csv")
    return [write_csv(path, frame), write_csv(beside, columns_table(frame, notes))]


def runs_schema(
    kinds: dict[str, str], keep: Keep, extensions: Iterable[str] = (), with_draws: bool = False
) -> "pa.Schema":
    """Schema of the table of runs.

    Args:
        kinds: varied path to the kind of its values.
        keep: what is kept.
        extensions: names of the mechanisms from outside in the scenarios.
        with_draws: whether parameters are drawn.
    """
    import pyarrow as pa

    from district_sim.experiments.design import outcomes

    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}
    columns: dict[str, Any] = {
        "point": pa.int32(),
        "replicate": pa.int32(),
        "seed": pa.string(),
        **({"draw": pa.int32()} if with_draws else {}),
        "scenario": pa.string(),
        "policies": pa.string(),
        **{path: types[kind] for path, kind in kinds.items()},
        "status": pa.string(),
        "quarters": pa.int32(),
        "trajectory": pa.string(),
        **dict.fromkeys(outcomes(keep, extensions), pa.float64()),
    }
    return pa.schema([pa.field(name, kind, metadata=_metadata(name)) for name, kind in columns.items()])


def with_metadata(data: "pa.Table", table: str) -> "pa.Table":
    """The same data with units and descriptions on the columns; table: series, firms or spending."""
    return with_notes(data, lambda name: Note(*column_notes(name, table))).replace_schema_metadata()


def _metadata(name: str) -> dict[str, str]:
    return metadata_of(Note(*column_notes(name)))
