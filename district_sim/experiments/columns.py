"""The columns of the data set: names, kinds, units and descriptions, the same in every shard and export."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from district_sim.experiments.design import Keep
from district_sim.text.names import record_of

if TYPE_CHECKING:
    import pyarrow as pa

_FIXED = {
    "point": ("", "Number of the point of the design, from 0"),
    "replicate": ("", "Number of the replicate, from 0; the same luck at every point"),
    "seed": ("", "Seed of the run, a whole number below 2**64 as text"),
    "scenario": ("", "Scenario"),
    "policies": ("", "Policy mix; own: those of the scenario"),
    "status": ("", "done, stopped (by a stop condition) or failed"),
    "quarters": ("quarters", "Quarters that were run"),
    "quarter": ("quarter", "Quarter, 1 is the first"),
    "number": ("", "Place of the instrument in the policy mix, from 0"),
    "instrument": ("", "Name of the policy instrument"),
    "kind": ("", "Kind of the policy instrument"),
    "funded_by": ("", "Who pays for it: outside, or taxes on the district's firms"),
    "quarters_active": ("quarters", "Quarters in which it spent money"),
    "spent": ("k€", "What it spent, sum over the run"),
    "left_over": ("k€", "What was left over of its budgets, sum over the run"),
    "served": ("firm-quarters", "Firms served, summed over quarters"),
    "trajectory": ("", "Trajectory, from outcomes only"),
}


def column_notes(path: str) -> tuple[str, str]:
    """Unit and description of a column that every experiment has; empty texts for others (varied paths, firms)."""
    record = record_of(path)
    return _FIXED.get(path, (record.unit, record.description))


def runs_schema(kinds: dict[str, str], keep: Keep, extensions: Iterable[str] = ()) -> "pa.Schema":
    """Schema of the table of runs.

    Args:
        kinds: varied path to the kind of its values.
        keep: what is kept.
        extensions: names of the mechanisms from outside in the scenarios.
    """
    import pyarrow as pa

    from district_sim.experiments.design import outcomes

    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}
    columns: dict[str, Any] = {
        "point": pa.int32(),
        "replicate": pa.int32(),
        "seed": pa.string(),
        "scenario": pa.string(),
        "policies": pa.string(),
        **{path: types[kind] for path, kind in kinds.items()},
        "status": pa.string(),
        "quarters": pa.int32(),
        "trajectory": pa.string(),
        **dict.fromkeys(outcomes(keep, extensions), pa.float64()),
    }
    return pa.schema([pa.field(name, kind, metadata=_metadata(name)) for name, kind in columns.items()])


def with_metadata(table: "pa.Table") -> "pa.Table":
    """The same table with units and descriptions on its columns."""
    import pyarrow as pa

    fields = [field.with_metadata(_metadata(field.name)) for field in table.schema]
    return table.cast(pa.schema(fields))


def _metadata(name: str) -> dict[str, str]:
    unit, text = column_notes(name)
    return {key: value for key, value in (("unit", unit), ("description", text)) if value}
