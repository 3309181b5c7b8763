"""What `study conduct` shows and writes beside the parts of every study: policies with conduct fixed and free."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.studies import answers
from district_sim.run.whole_files import write_csv
from district_sim.scenario.instruments import InstrumentKind
from district_sim.text.names import in_percent, outcome_name, record_of
from district_sim.text.numbers import decimals_for, number
from district_sim.text.sheet import Sheet

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.evidence.studies.measure import Result

_SURE = 0.05


def label_of(kind: str) -> str:
    """An instrument's name for a reader."""
    return InstrumentKind(kind).record.label


def sheets(result: Result) -> list[Sheet]:
    """Effects side by side, the trait that moves most, R&D for a euro, and fading."""
    return [effects_sheet(result), shifts_sheet(result), additionality_sheet(result), fading_sheet(result)]


def effects_sheet(result: Result) -> Sheet:
    """Every instrument's effects, with conduct fixed and free."""
    table, sections = answers.effects(result), []
    for bids, part in table.groupby("bids", sort=False):
        rows = []
        for kind, own in part.groupby("kind", sort=False):
            by = own.drop_duplicates("outcome").set_index("outcome")
            outcome = InstrumentKind(str(kind)).record.outcome
            cells = [_effect(by.loc[name], name, c) for name in ("value_added_local", "employment") for c in _CONDUCTS]
            own_cells = [_effect(by.loc[outcome], outcome, c) for c in _CONDUCTS]
            rows.append((label_of(str(kind)), *cells, outcome_name(outcome), *own_cells))
        sections.append((f"{str(bids).capitalize()} bids", tuple(rows)))
    note = (
        "Differences from no policy in the same district with the same conduct, last ten years, paired by replicate. "
        "* marks those whose 95 % interval leaves out 0. Shares in percentage points."
    )
    kept, jobs, own_ = "Value added kept, k€ a quarter", "Employees", "own"
    columns = ("", f"{kept}: fixed", "free", f"{jobs}: fixed", "free", "Own outcome", f"{own_}: fixed", "free")
    return Sheet("Policies with conduct fixed and free", columns, tuple(sections), note)


_CONDUCTS = ("fixed", "free")


def _effect(row: Any, outcome: str, conduct: str) -> str:
    scale = 100.0 if in_percent(outcome) else 1.0
    value, low, high = (scale * row[f"{conduct}{end}"] for end in ("", "_low", "_high"))
    digits = decimals_for((high - low) / 2.0 or abs(value))
    return number(value, digits, sign=True) + ("*" if low > 0.0 or high < 0.0 else "")


def shifts_sheet(result: Result) -> Sheet:
    """The trait that each instrument moves furthest."""
    rows = []
    for row in answers.moved_most(answers.shifts(result)).to_dict("records"):
        record = record_of(f"conduct_{row['trait']}")
        scale = 100.0 if record.unit == "share" else 1.0
        shift = number(scale * row["shift"], record.decimals + 1, sign=True)
        sure = "*" if row["p"] < _SURE else ""
        spreads = number(row["in_spreads"], 2, sign=True) + sure
        rows.append((label_of(row["kind"]), outcome_name(record.name), shift, spreads))
    note = (
        "Mean over firms in the last ten years, difference from no policy, usual bids, conduct free. A spread is the "
        "standard deviation between firms in the first quarter. * p < 0.05, not corrected."
    )
    return Sheet.plain("What policies change in conduct", ("", "Moves most", "By", "In spreads"), rows, note, 2)


def additionality_sheet(result: Result) -> Sheet:
    """R&D for each euro of grant."""
    rows = [
        (label_of(row["kind"]), row["conduct"], number(row["per_euro"], 2), _interval(row, 2))
        for row in answers.additionality(result).to_dict("records")
    ]
    note = (
        "Change of all R&D, grants included, for each euro of grant; present values from quarter 40. 1: firms' own R&D "
        "stays; below 1 it falls. 95 % intervals by bootstrap of replicates."
    )
    return Sheet.plain("R&D for a euro of grant", ("", "Conduct", "€ of R&D", "95 % interval"), rows, note, 2)


def fading_sheet(result: Result) -> Sheet:
    """How fast what programmes changed in conduct fades."""
    rows = [
        (
            label_of(row["kind"]), record_of(f"conduct_{row['trait']}").label, number(row["in_spreads"], 2, sign=True),
            _quarters(row["half_life"]), f"{_quarters(row['low'])} to {_quarters(row['high'])}",
            number(100.0 * row["left"], 0),
        )
        for row in answers.fading(result).to_dict("records")
    ]  # fmt: skip
    note = (
        "Programmes of ten years, conduct free: the trait that has moved furthest in the last year, the quarters after "
        "the end until less than half of that is left, and what is left in the run's last ten years."
    )
    columns = ("", "Trait", "Moved, spreads", "Half-life, quarters", "95 % interval", "Left, %")
    return Sheet.plain("Fading after the end", columns, rows, note, 2)


def _interval(row: dict[Any, Any], digits: int) -> str:
    return f"{number(row['low'], digits)} to {number(row['high'], digits)}"


def _quarters(value: float) -> str:
    return "> 80" if np.isinf(value) else number(value, 0)


def draw(result: Result) -> Any:
    """Effects side by side, and how far conduct moves."""
    from district_sim import figures

    table = answers.effects(result)
    parts = [table[table["outcome"] == name] for name in ("value_added_local", "employment")]
    titles = ("Value added kept\nk€ a quarter", "Employees\n")
    panels = {title: _named(part) for title, part in zip(titles, parts, strict=True)}
    return figures.study_pairs(panels, _moves(result))


def _named(part: pd.DataFrame) -> pd.DataFrame:
    high = part["bids"].eq("high").map({True: ", high bids", False: ""})
    return part.assign(name=part["kind"].map(label_of) + high)


def _moves(result: Result) -> pd.DataFrame:
    most = answers.moved_most(answers.shifts(result))
    traits = [record_of(f"conduct_{trait}").label for trait in most["trait"]]
    return most.assign(name=[label_of(kind) for kind in most["kind"]], label=traits)


def draw_fading(result: Result) -> Any:
    """Conduct after programmes that go on and that end."""
    from district_sim import figures
    from district_sim.evidence.studies.conduct import END, START

    panels = {
        f"{label_of(row['kind'])}:\n{record_of(f'conduct_{row["trait"]}').label}": answers.paths_of_conduct(
            result, row["kind"], row["trait"]
        )
        for row in answers.fading(result).to_dict("records")
    }
    return figures.study_fading(panels, START, END)


def write_conduct(result: Result, folder: Path) -> list[Path]:
    """The tables as CSV, and the figure of fading.

    Raises:
        OSError: a file cannot be written.
    """
    from district_sim import figures

    tables = {"effects": answers.effects, "shifts": answers.shifts, "grants": answers.additionality}
    tables |= {"fading": answers.fading}
    written = [write_csv(folder / f"conduct-{name}.csv", table(result)) for name, table in tables.items()]
    return [*written, *figures.save(draw_fading(result), folder / "conduct-fading")]
