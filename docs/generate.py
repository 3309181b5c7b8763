"""Write the generated parts of the documents: tables of parameters, indicators and thresholds, numbers in the ODD.

`python docs/generate.py` rewrites the tables between their markers, the numbers of the ODD's headings and processes,
and the links to them. `--check` changes nothing and ends with exit code 1 if a document is out of date.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any, get_origin

from house import rooms
from pydantic.fields import FieldInfo

from district_sim.evidence.studies import STUDIES, load_study
from district_sim.run import trajectories
from district_sim.scenario.fields import Section
from district_sim.scenario.indicators import INDICATORS
from district_sim.scenario.instruments import InstrumentKind, ShockKind, Targeting
from district_sim.scenario.interventions import Instrument, Shock, Signpost
from district_sim.scenario.policy_files import load_policy, policy_names
from district_sim.scenario.sections import Scenario, Strategy

DOCS = Path(__file__).resolve().parent
ALTOGETHER = "scenario"  # heading of what belongs to no section


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def sections() -> dict[str, type[Section]]:
    """The scenario's sections by heading, in the schema's order; equal ones share a heading."""
    found: dict[str, type[Section]] = {}
    for name, field in Scenario.model_fields.items():
        kind = field.annotation
        if kind is Strategy:
            found.setdefault("history, strategy", Strategy)
        elif isinstance(kind, type) and issubclass(kind, Section):
            found[name] = kind
        elif name == "policies":
            found["policies (a list of instruments)"] = Instrument
            found["when (a list of signposts, in an instrument)"] = Signpost
        elif name == "shocks":
            found["shocks (a list)"] = Shock
    return found


def described_fields() -> dict[str, dict[str, FieldInfo]]:
    """Every field that stands in the parameter table, by heading."""
    listed = ("title", "description", "strategy_start", "extensions")
    loose = {k: f for k, f in Scenario.model_fields.items() if k in listed}
    by_section = {heading: dict(kind.model_fields) for heading, kind in sections().items()}
    return {ALTOGETHER: loose, **by_section}


def _plain(value: Any) -> str:
    if value is None:
        return "any"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def _range(field: FieldInfo) -> str:
    kind = field.annotation
    if kind == int | None:
        kind = int
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(member.value) for member in kind)
    if kind is bool:
        return "true, false"
    bounds = {name: getattr(part, name) for part in field.metadata for name in ("ge", "le") if hasattr(part, name)}
    if "ge" in bounds and "le" in bounds:
        return f"{_plain(bounds['ge'])} to {_plain(bounds['le'])}"
    longest = [part.max_length for part in field.metadata if hasattr(part, "max_length")]
    if longest and get_origin(kind) is tuple:
        return f"a list of at most {longest[0]}"
    return f"text of at most {longest[0]} characters" if longest else ""


def row(name: str, field: FieldInfo) -> list[str]:
    """One line of the parameter table."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = "required" if field.is_required() else _plain(field.default) or "empty"
    number = field.annotation in (int, float)
    source = str(extra.get("source", "set by us" if number else ""))
    return [f"`{name}`", str(extra.get("unit", "")), _range(field), default, field.description or "", source]


def parameters() -> str:
    """The parameter table: every field of the schema."""
    parts = []
    for heading, fields in described_fields().items():
        kind = sections().get(heading)
        doc = inspect.getdoc(kind) if kind else "What belongs to no section."
        rows = [row(name, field) for name, field in fields.items()]
        header = ("parameter", "unit", "range", "default", "description", "source")
        parts.append(f"#### {heading}\n\n{doc}\n\n{table(header, rows)}")
    return "\n\n".join(parts)


def indicators() -> str:
    """The table of indicators."""
    rows = ([f"`{i.name}`", i.unit, i.description, i.undefined and f"with {i.undefined}"] for i in INDICATORS)
    return table(("indicator", "unit", "description", "undefined"), rows)


def thresholds() -> str:
    """The thresholds of the trajectory scores with the reasons written beside them."""
    body = next(
        node
        for node in ast.parse(inspect.getsource(trajectories)).body
        if isinstance(node, ast.ClassDef) and node.name == "Thresholds"
    ).body
    reasons: dict[str, str] = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(field.target, ast.Name):
            reasons[field.target.id] = " ".join(ast.literal_eval(text.value).split())  # a row is one line
    rows = []
    for name, reason in reasons.items():
        value = getattr(trajectories.DEFAULT_THRESHOLDS, name)
        ramp = isinstance(value, trajectories.Ramp)
        ends = (f"{value.low:g}", f"{value.high:g}") if ramp else ("", f"{value:g}")
        rows.append([f"`{name}`", *ends, reason])
    return table(("threshold", "0 at", "1 at", "what it looks at"), rows)


def instruments() -> str:
    """The names of instruments and targeting rules."""
    kinds = ", ".join(f"`{kind.value}`" for kind in InstrumentKind)
    targets = ", ".join(f"`{target.value}`" for target in Targeting)
    return f"Instruments (`kind`): {kinds}.\n\nTargeting rules (`target`): {targets}."


def instrument_table() -> str:
    """What every instrument does, costs and moves."""
    rows = []
    for kind in InstrumentKind:
        note = kind.record
        reach = "firms" if note.targeted else "district"
        sign = "+" if note.direction > 0 else "−"
        rows.append([f"`{kind.value}`", reach, note.mechanism, note.costs, f"`{note.outcome}` {sign}", note.source])
    return table(("instrument", "serves", "what the money does", "at what other cost", "moves", "source"), rows)


def shock_table() -> str:
    """What every shock does, and how large it may be."""
    rows = []
    for kind in ShockKind:
        note = kind.record
        timing = "event" if note.event else "lasts and fades"
        sign = "+" if note.direction > 0 else "−"
        size = f"{note.size}, {note.low:g} to {note.high:g}"
        rows.append([f"`{kind.value}`", timing, note.mechanism, size, f"`{note.outcome}` {sign}", note.source])
    return table(("shock", "time", "what happens", "`size`", "moves", "source"), rows)


def policy_table() -> str:
    """The bundled policy files."""
    policies = map(load_policy, policy_names())
    rows = ([f"`{policy.name}`", policy.description, policy.source] for policy in policies)
    return table(("policy", "what is done", "source"), rows)


def study_table() -> str:
    """The studies, with how many expectations each holds against its results."""
    studies = map(load_study, STUDIES)
    rows = ([f"`{each.name}`", each.title, each.question, str(len(each.expectations))] for each in studies)
    return table(("study", "what", "question", "expectations"), rows)


def room_table() -> str:
    """The rooms of the house, from the top floor down."""
    rows = ([f"`{name}`", purpose, ", ".join(f"`{use}`" for use in uses)] for name, purpose, uses in rooms())
    return table(("room", "what it is for", "imports from"), rows)


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "odd.md": {"instruments": instruments, "indicators": indicators, "parameters": parameters},
    "house.md": {"rooms": room_table},
    "theory.md": {"thresholds": thresholds},
    "studies.md": {"studies": study_table},
    "policies.md": {"policies": policy_table, "instruments": instrument_table, "shocks": shock_table},
}


def filled(text: str, name: str, block: str) -> str:
    """A document with one generated part put between its markers."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}\n\n{block}\n\n{end}{after}"


def numbered(text: str) -> str:
    """The ODD with its headings (1., 2., ..., 7.1, 7.2, ...) and the processes of a quarter numbered by their order."""
    section = item = part = 0
    listed = False
    lines = []
    for line in text.splitlines(keepends=True):
        listed = line.startswith("<!-- schedule:start") or (listed and not line.startswith("<!-- schedule:end"))
        if found := re.match(r"## (?:\d+\. )?(.*)", line, re.DOTALL):
            section, part = section + 1, 0
            line = f"## {section}. {found[1]}"
        elif found := re.match(r"### (?:\d+\.\d+ )?(.*)", line, re.DOTALL):
            part += 1
            line = f"### {section}.{part} {found[1]}"
        elif listed and (found := re.match(r"\d+(\. `.*)", line, re.DOTALL)):
            item += 1
            line = f"{item}{found[1]}"
        lines.append(line)
    return "".join(lines)


def relinked(text: str, odd: str) -> str:
    """A document whose links to headings of the ODD carry their numbers of now."""
    headings = re.findall(r"^##+ (.+)$", odd, re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    now = {re.sub(r"^\d+-", "", anchor): anchor for anchor in anchors}
    return re.sub(r"(odd\.md#)(?:\d+-)?([\w-]+)", lambda link: link[1] + now.get(link[2], link[2]), text)


def documents() -> dict[Path, str]:
    """What the documents should say."""
    files = [*sorted(DOCS.glob("*.md")), *DOCS.parent.glob("README.md")]
    out = {path: path.read_text(encoding="utf-8") for path in files}
    for file, blocks in BLOCKS.items():
        for name, write in blocks.items():
            out[DOCS / file] = filled(out[DOCS / file], name, write())
    odd = out[DOCS / "odd.md"] = numbered(out[DOCS / "odd.md"])
    return {path: relinked(text, odd) for path, text in out.items()}


def main() -> int:
    """Rewrite or check; returns the exit code."""
    stale = {path: text for path, text in documents().items() if path.read_text(encoding="utf-8") != text}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.name} is out of date: python docs/generate.py", file=sys.stderr)
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
