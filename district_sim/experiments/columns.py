"""The columns of the data set: names, kinds, units and descriptions, the same in every shard and export."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from district_sim.experiments.design import Keep
from district_sim.text.names import record_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_FIXED = {
    "point": ("", "Number of the point of the design, from 0"),
    "replicate": ("", "Number of the replicate, from 0; the same luck at every point"),
    "seed": ("", "Seed of the run, a whole number below 2**64 as text"),
    "scenario": ("", "Scenario"),
    "policies": ("", "Policy mix; own: those of the scenario"),
    "status": ("", "done, stopped (by a stop condition, or because the district outgrew all bounds) or failed"),
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
    "trajectory": ("", "Trajectory, from outcomes only; missing where nothing can be said"),
}

_FIRM = {
    "firm": ("", "Number of the firm in its run, from 0"),
    "key": ("", "Identity of the firm in random draws, a whole number"),
    "owner": ("", "Owner: number of a firm; -1 itself; below -1 a multinational"),
    "control": ("", "independent, captive, group, leader (of a group) or multinational"),
    "captor": ("", "Client to which a captive supplier is bound, number of a firm; -1 none"),
    "phase": ("", "Phase of production, 0 is the first"),
    "technology": ("", "Technology of the firm, a whole number from 0"),
    "pledges": ("", "1 if it is a member of the agency, which has offered to contribute, else 0"),
    "participates": ("", "1 if it contributed to the agency in the last quarter, else 0"),
    "identity": ("share", "Identification with the district"),
    "quality": ("1", "Quality of its work"),
    "reach": ("k€/quarter", "Customer base: its normal sales"),
    "sales": ("k€/quarter", "Sales of the firm"),
    "offshored": ("share", "Purchases that go abroad, of its purchases"),
    "tacit": ("1", "Tacit knowledge, mean over domains"),
    "codified": ("1", "Codified knowledge, mean over domains"),
    "x": ("km", "Place, to the east"),
    "y": ("km", "Place, to the north"),
    "founded": ("quarter", "Quarter of foundation"),
    "parent": ("", "Firm it was spun off, number of a firm; -1 none"),
    "main_client": ("", "Its largest client, number of a firm; -1 none"),
    "tenure": ("quarters", "Time on its technology"),
    "increments": ("innovations", "Incremental innovations on its technology"),
    "client_share": ("share", "Largest client's share of its sales"),
    "dynamism": ("1", "Multiplier of the strategy's R&D"),
    "employees": ("employees", "Employees of the firm"),
    "cash": ("k€", "Cash; negative is debt"),
    "education": ("share", "Education of its people"),
    "experience": ("share", "Experience of its people"),
    "it": ("share", "Use of information technology"),
    "collaboration": ("share", "Collaboration inside the firm"),
    "research": ("1", "R&D of the last quarter relative to normal R&D"),
    "absorptive": ("share", "Absorptive capacity of the firm"),
    "value_added": ("k€/quarter", "Value added of the firm"),
    "profit": ("k€/quarter", "Profit of the firm before tax"),
    "wage": ("k€/quarter", "Wage that the firm pays an employee"),
    "inflow": ("1", "Codified knowledge learned in the last quarter through its own pipelines"),
    "inflow_collective": ("1", "Codified knowledge learned in the last quarter through collective pipelines"),
    "inflow_local": ("1", "Knowledge learned in the last quarter from local ties"),
    "pipelines": ("pipelines", "Its links to places outside"),
    "performance": ("share of value added", "Profit in value added, mean over the last years"),
    "aspiration": ("share of value added", "Performance that the firm is content with"),
    "lessons": ("knowledge/quarter", "Tacit knowledge learned from partners, mean over the last years"),
    "access": ("share", "Access to distant knowledge that the firm realises"),
    "successor": ("", "Whether somebody is to take over from the owner"),
    "conduct_research": ("1", "R&D intensity that the firm chooses, multiple of normal"),
    "conduct_exploration": ("share", "Share of R&D with which the firm chooses to explore"),
    "conduct_training": ("share", "Training that the firm chooses, share of wages"),
    "conduct_collective_action": ("1", "Readiness of the firm to cooperate"),
    "conduct_offshoring": ("log points", "Readiness of the firm to buy abroad"),
    "conduct_pipelines": ("1", "Drive of the firm to build pipelines, multiple of the hazard"),
    "conduct_reservation": ("quarters", "Price below which the owner rather goes on, quarters of profit"),
}
"""Of the table of firms, where many a name means another thing than in a table of runs."""

_TIE = {
    "a": ("", "One firm of the tie, the one of the lower number"),
    "b": ("", "The other firm"),
    "trust": ("share", "Trust in the tie"),
    "age": ("quarters", "Age of the tie"),
}
_POLICY = {
    "spent": ("k€", "What the instrument spent in the quarter"),
    "left_over": ("k€", "What was left over of its budget in the quarter"),
    "served": ("firms", "Firms served in the quarter"),
}
_TABLES = {"firms": _FIRM, "ties": _TIE, "policies": _POLICY}


def column_notes(path: str, table: str = "runs") -> tuple[str, str]:
    """Unit and description of a column that every experiment has; empty texts for others (varied paths).

    Args:
        path: name of the column.
        table: runs, series, firms or spending of an experiment; indicators, firms, ties or policies of a run.
    """
    if path in _TABLES.get(table, {}):
        return _TABLES[table][path]
    if table == "policies" and path.startswith("served_"):
        return "firms", f"Of the firms served: {path.removeprefix('served_').replace('_', ' ')}"
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


def with_metadata(data: "pa.Table", table: str) -> "pa.Table":
    """The same data with units and descriptions on the columns; table: series, firms or spending."""
    import pyarrow as pa

    fields = [field.with_metadata(_metadata(field.name, table)) for field in data.schema]
    return data.cast(pa.schema(fields))


def _metadata(name: str, table: str = "runs") -> dict[str, str]:
    unit, text = column_notes(name, table)
    return {key: value for key, value in (("unit", unit), ("description", text)) if value}
