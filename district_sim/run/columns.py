"""What the columns of a run's tables are: unit, description, and what the numbers of a coded column stand for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from district_sim.scenario.extensions import all_indicators

if TYPE_CHECKING:
    from district_sim.scenario.sections import Scenario


class Note(NamedTuple):
    """What a column is."""

    unit: str = ""
    """1 for an index; empty for names, numbers of firms and codes."""
    text: str = ""
    labels: Mapping[int, str] = {}
    """What its numbers stand for, where they are codes."""


_FIRM = {
    "firm": ("", "Number of the firm in its run, from 0"),
    "key": ("", "Identity of the firm in random draws, a whole number"),
    "family": ("", "Identity of the first firm from which it descends and has its habits, a whole number"),
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
    "founded": ("quarter", "Quarter of foundation, 0 is the first of the run"),
    "founded_date": ("", "Quarter of the calendar in which it was founded, as 1987Q3"),
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
    "group": ("", "Group to which it belongs: number of the leading firm, below -1 a multinational; missing: none"),
    "performance": ("share of value added", "Profit in value added, mean over the last years"),
    "aspiration": ("share of value added", "Performance that the firm is content with"),
    "lessons": ("knowledge/quarter", "Tacit knowledge learned from partners, mean over the last years"),
    "taught": (
        "knowledge/quarter",
        "Tacit knowledge that partners learn from it, shared out by trust and what it knows more",
    ),
    "access": ("share", "Access to distant knowledge that the firm realises"),
    "support": ("k€", "Public money that policy instruments gave to the firm or spent on it so far"),
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
    "paid_a": ("k€/quarter", "What a paid to b for its orders; missing before the first market of the tie"),
    "paid_b": ("k€/quarter", "What b paid to a for its orders; missing before the first market of the tie"),
}
_PIPELINE = {
    "firm": ("", "Firm whose pipeline it is; -1: a collective one, of the agency"),
    "node": ("", "Place outside to which it leads, a whole number from 0"),
    "strength": ("share", "Strength of the pipeline"),
}
_GROUP = {
    "group": ("", "Number of the leading firm; below -1 a multinational"),
    "kind": ("", "local group or multinational"),
    "firms": ("firms", "Firms in the district, with the one that leads a local group"),
    "employees": ("employees", "Employees of these firms"),
    "sales": ("k€/quarter", "Sales of these firms"),
}
WHEN = {
    "quarter": ("quarter", "Quarter, 1 is the first"),
    "date": ("", "Quarter of the calendar that the row is of, as 2002Q1"),
}
INSTRUMENT = {
    "instrument": ("", "Name of the policy instrument"),
    "kind": ("", "Kind of the policy instrument"),
    "funded_by": ("", "Who pays for it: outside, or taxes on the district's firms"),
}
_POLICY = {
    **WHEN,
    **INSTRUMENT,
    "spent": ("k€", "What the instrument spent in the quarter"),
    "left_over": ("k€", "What was left over of its budget in the quarter"),
    "served": ("firms", "Firms served in the quarter"),
    "started": ("times", "1 if a signpost started the instrument in the quarter, else 0"),
    "stopped": ("times", "1 if a signpost stopped the instrument in the quarter, else 0"),
    "changed": ("times", "1 if a signpost gave the instrument another budget in the quarter, else 0"),
}
_TABLES = {
    "indicators": WHEN,  # the indicators themselves say what they are
    "firms": _FIRM,
    "ties": _TIE,
    "pipelines": _PIPELINE,
    "groups": _GROUP,
    "policies": _POLICY,
}
_YES, _NONE = {0: "no", 1: "yes"}, {-1: "none"}
_CODES: dict[str, dict[str, Mapping[int, str]]] = {
    "firms": {
        "pledges": _YES, "participates": _YES, "successor": _YES,
        "captor": _NONE, "parent": _NONE, "main_client": _NONE,
    },
    "pipelines": {"firm": {-1: "the agency"}},
}  # fmt: skip


def note_of(table: str, column: str, scenario: "Scenario | None" = None) -> Note:
    """What a column of a run's table is.

    Args:
        table: indicators, firms, ties, pipelines, groups or policies.
        column: its name.
        scenario: of the run; without it phases, multinationals and places outside have no names.

    Returns:
        An empty note for a column that no table has.
    """
    if table == "policies" and column.startswith("served_"):
        return Note("firms", f"Of the firms served: {column.removeprefix('served_').replace('_', ' ')}")
    told = _TABLES.get(table, {}).get(column)
    if told is None and table == "indicators":
        from district_sim.scenario.indicators import INDICATORS

        for record in INDICATORS:
            if record.name == column:
                return Note(record.unit, record.meaning)
        outside = all_indicators().get(column)
        return Note(outside.unit, outside.description) if outside else Note()
    labels = {**_CODES.get(table, {}).get(column, {}), **(_named(table, column, scenario) if scenario else {})}
    return Note(*told, labels=labels) if told else Note()


def phase_name(phase: int, phases: int) -> str:
    """Phases are counted from 1 in front of a reader; the last one faces the market."""
    return "final phase" if phase == phases - 1 else f"phase {phase + 1}"


def node_names(scenario: "Scenario") -> list[str]:
    """The places outside, in their order: `buyer 1`, `multinational 2`, ..."""
    from district_sim.model.parameters import NODE_KINDS, parameters_of

    kinds = [NODE_KINDS[kind] for kind in parameters_of(scenario).derived.node_kind]
    return [f"{kind} {kinds[: at + 1].count(kind)}" for at, kind in enumerate(kinds)]


def _named(table: str, column: str, scenario: "Scenario") -> dict[int, str]:
    """Names of the codes that depend on the scenario."""
    if (table, column) == ("firms", "phase"):
        phases = scenario.technology.phases
        return {phase: phase_name(phase, phases) for phase in range(phases)}
    if not column.startswith(("owner", "group", "node")):
        return {}
    from district_sim.model.state import SELF_OWNED, owner_code

    nodes = node_names(scenario)
    if (table, column) == ("pipelines", "node"):
        return dict(enumerate(nodes))
    if (table, column) in (("firms", "owner"), ("firms", "group"), ("groups", "group")):
        companies = [name for name in nodes if name.startswith("multinational")]
        named = {int(owner_code(number)): name for number, name in enumerate(companies)}
        return named | ({SELF_OWNED: "itself"} if column == "owner" else {})
    return {}
