"""Comparisons and maps of futures: their tables, and what they write into a folder. Each file appears whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim.experiments.columns import column_notes, write_described
from district_sim.experiments.compare import EFFECT_SIZE, METHODS, kinds, occurring
from district_sim.run.trajectories import Trajectory
from district_sim.run.whole_files import write_csv, write_json
from district_sim.text.names import TRAJECTORY_NAMES, heading, in_percent, outcome_name
from district_sim.text.numbers import chance_in_brief, decimals_for, number, p_value, percent
from district_sim.text.sheet import Sheet, write_sheets

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.compare import Comparison
    from district_sim.figures import Mark
    from district_sim.scenario.calendar import Calendar

# Compare ------------------------------------------------------------------------------------------


def differences(found: Comparison) -> Sheet:
    """Outcomes of each cell against the counterfactual."""
    table = found.differences
    pairs = sorted(set(table["n"]))
    level = f"{100 * found.confidence:g} %"
    columns = (
        "Outcome",
        *(["n"] if len(pairs) > 1 else []),
        "Reference",
        "Mean",
        "Difference",
        f"{level} interval",
        "d_z",
        "p",
    )
    sections = []
    for cell in found.cells[1:]:
        rows = [_difference_row(row, len(pairs) > 1) for row in table[table["cell"] == cell].to_dict("records")]
        sections.append((cell, tuple(rows)))
    gain = float(table["gain"].median())
    notes = [
        *_windows(found),
        f"Reference: {found.counterfactual}. Means over replicates, paired by common random numbers",
        f"{pairs[0]} pairs" if len(pairs) == 1 else "Pairs with finite values: n",
        f"Interval: {METHODS[found.interval]}",
        f"Effect size d_z: {EFFECT_SIZE.partition(': ')[2]} (Cohen)",
        f"P-values: corrected for {found.tests} test{'' if found.tests == 1 else 's'} (Holm)",
    ]
    if math.isfinite(gain):
        notes.append(
            f"Independent seeds would need {gain:,.{0 if gain >= 10.0 else 1}f} times as many replications (median)"
        )
    return Sheet(found.title, columns, tuple(sections), ". ".join(notes) + ".")


def _windows(found: Comparison) -> list[str]:
    if found.window is None:
        return []
    of = kinds(found.differences["outcome"])
    last = [f"Outcomes are those of the last quarter, {found.window.last}"] if False in of else []
    return [*last, *([f"Outcomes called late are means of {found.window.late}"] if True in of else [])]


def _difference_row(row: dict[Any, Any], with_n: bool) -> tuple[str, ...]:
    scale = 100.0 if in_percent(row["outcome"]) else 1.0
    before, after, gap, low, high = (scale * row[k] for k in ("counterfactual", "mean", "difference", "low", "high"))
    digits = decimals_for((high - low) / 2.0 or abs(gap) or abs(before))
    return (
        outcome_name(row["outcome"]),
        *([str(row["n"])] if with_n else []),
        number(before, digits),
        number(after, digits),
        number(gap, digits, sign=True),
        f"{number(low, digits, sign=True)} to {number(high, digits, sign=True)}",
        number(row["effect"], 2, sign=True),
        p_value(row["p_holm"]),
    )


def trajectory_shares(found: Comparison) -> Sheet:
    """How probable each trajectory is in each cell; those that never occur are left out."""
    table = found.trajectories
    rows = []
    for trajectory in Trajectory:
        part = table[table["trajectory"] == trajectory.value].set_index("cell")
        if part["count"].any():
            cells = part.loc[list(found.cells)].to_dict("records")
            shown = [chance_in_brief(c["share"], c["low"], c["high"]) for c in cells]
            rows.append((TRAJECTORY_NAMES[trajectory], *shown))
    runs = sorted(set(table["n"]))
    of = f"{runs[0]} runs each" if len(runs) == 1 else f"the {runs[0]} to {runs[-1]} runs that have a label"
    note = f"Per cent of {of}; in brackets the {100 * found.confidence:g} % interval (Wilson)."
    return Sheet.plain("Probability of each trajectory", ("Trajectory", *found.cells), rows, note)


def transitions(found: Comparison, cell: str) -> Sheet:
    """Where the same luck led under the counterfactual (rows) and under a cell (columns)."""
    counts = occurring(found.transitions[cell])
    rows = [
        (TRAJECTORY_NAMES[Trajectory(str(start))], *(str(int(n)) if n else "·" for n in counts.loc[start]))
        for start in counts.index
    ]
    columns = ("", *(TRAJECTORY_NAMES[Trajectory(str(end))] for end in counts.columns))
    same = sum(int(counts.loc[t, t]) for t in counts.index if t in counts.columns)
    total = int(counts.to_numpy().sum())
    note = f"Rows: under {found.counterfactual}; columns: under {cell}. {same} of {total} replicates end alike."
    return Sheet.plain(f"Where the same luck led: {found.counterfactual} → {cell}", columns, rows, note)


def sheets(found: Comparison) -> dict[str, Sheet]:
    """All tables of a comparison, by the name of their file."""
    matrices = {
        "transitions" if len(found.cells) == 2 else f"transitions_{number}": transitions(found, cell)
        for number, cell in enumerate(found.cells[1:], start=1)
    }
    return {"differences": differences(found), "trajectories": trajectory_shares(found), **matrices}


def write_comparison(
    found: Comparison,
    over_time: pd.DataFrame | None,
    told: Mapping[str, Any],
    folder: Path,
    calendar: Calendar | None = None,
) -> list[Path]:
    """Tables and figures of a comparison; bands only where series were kept, in years if all runs share dates.

    Raises OSError.
    """
    from district_sim import figures

    drawings = {"differences": figures.differences(found), "transitions": figures.transitions(found)}
    if over_time is not None:
        drawings["bands"] = figures.bands(over_time, found.cells, calendar=calendar)
    return [
        *write_sheets(sheets(found), folder),
        *_described(folder / "differences.csv", found.differences, ". ".join(_windows(found))),
        *_described(folder / "trajectories.csv", found.trajectories),
        write_json(folder / "comparison.json", told),
        *(path for name, figure in drawings.items() for path in figures.save(figure, folder / name)),
    ]


def _described(path: Path, table: pd.DataFrame, outcomes: str = "") -> list[Path]:
    """A table with notes on its columns; `outcomes`: more on the column of that name."""

    def notes(column: str) -> tuple[str, str]:
        unit, text = column_notes(column, path.stem)
        return unit, f"{text}. {outcomes}" if column == "outcome" and outcomes else text

    return write_described(path, table, notes)


# Costs --------------------------------------------------------------------------------------------


def costs(
    table: pd.DataFrame, discount: float, confidence: float, day: str = "on the first day", rules: str = ""
) -> Sheet:
    """What policies cost, and what a euro of them changed.

    Args:
        table: as `experiments.costs.cost_table` gives it.
        day: of the present values. rules: what may be spent a quarter.
    """

    def amount(value: float, places: int = 0) -> str:
        return "" if math.isnan(value) else number(value, places)

    rows = []
    for row in table.to_dict("records"):
        span = "" if math.isnan(row["per_euro"]) else f"{amount(row['low'], 2)} to {amount(row['high'], 2)}"
        amounts = [amount(row[name]) for name in ("in_all", "budgets", "spent", "left_over")]
        jobs = [amount(row[name], 1) for name in ("jobs", "cost_per_job")]
        rows.append([str(row["cell"]), *amounts, amount(row["per_euro"], 2), span, *jobs])
    columns = (
        "Policies", "Budgets in all, k€", "Present value, k€", "Spent, k€", "Left over, k€", "Kept per euro",
        f"{100 * confidence:g} % interval", "Jobs", "k€ per job",
    )  # fmt: skip
    note = (
        f"{rules}Budgets in all: the sum, not discounted. All other amounts: present values {day} at "
        f"{100 * discount:g} % a year. Kept per euro: value added kept in the "
        "district that a euro spent beyond the scenario's first row added; jobs: in the last quarter, beyond that row"
    )
    return Sheet.plain("What the policies cost", columns, rows, note)


def write_costs(table: pd.DataFrame, sheet: Sheet, folder: Path) -> list[Path]:
    """What policies cost, as a table for papers and as numbers. Raises OSError."""
    return [*write_sheets({"costs": sheet}, folder), *_described(folder / "costs.csv", table)]


# Signposts ----------------------------------------------------------------------------------------


def signposts(moves: pd.DataFrame, calendar: Calendar | None) -> Sheet:
    """What signposts did: how often, and when first.

    Args:
        moves: as `experiments.compare.moved` gives it. calendar: of the runs, if they share one.
    """
    sections = []
    for cell, part in moves.groupby("cell", sort=False):
        rows = []
        for row in part.to_dict("records"):
            when = [row[name] for name in ("low", "median", "high")]
            told = [calendar.date(round(q) - 1) if calendar else f"{q:.0f}" for q in when] if when[1] == when[1] else []
            first = f"{told[1]} ({told[0]} to {told[2]})" if told else "never"
            said = f"{row['instrument']}: {row['signpost']}"
            rows.append((said, percent(row["share"]), number(row["times"], 1), first))
        sections.append((str(cell), tuple(rows)))
    columns = ("Signpost", "Replicates", "Times", "First in quarter")
    note = (
        "Replicates: in how many it came about. Times: mean over all. First in quarter: median over those in which it "
        "came about, and their middle 80 %" + ("." if calendar else "; 1 is the first.")
    )
    return Sheet("What the signposts did", columns, tuple(sections), note)


def write_signposts(moves: pd.DataFrame, sheet: Sheet, folder: Path) -> list[Path]:
    """What signposts did, as a table for papers and as numbers. Raises OSError."""
    return [*write_sheets({"signposts": sheet}, folder), *_described(folder / "signposts.csv", moves)]


# Map of futures -----------------------------------------------------------------------------------


def map_of_futures(cells: pd.DataFrame, x: str, y: str) -> Sheet:
    """The majority at each point as a letter; small where replicates disagree.

    Args:
        cells: columns x, y, `majority` and `share` of it.
    """
    letters = {trajectory.value: heading(trajectory.value)[0] for trajectory in Trajectory}
    across = sorted(set(cells[x]))
    rows = []
    for height in sorted(set(cells[y]), reverse=True):
        line = cells[cells[y] == height].set_index(x)
        found = [(str(line.loc[v, "majority"]), float(line.loc[v, "share"])) for v in across]
        rows.append((_short(height), *(_letter(letters.get(name, "–"), share) for name, share in found)))
    seen = [trajectory for trajectory in Trajectory if trajectory.value in set(cells["majority"])]
    key = ", ".join(f"{letters[t.value]} {TRAJECTORY_NAMES[t]} ({(cells['majority'] == t.value).sum()})" for t in seen)
    mixed = int((cells["share"] < 1.0).sum())
    note = f"{key}; of {len(cells)} points {mixed} are mixed (small letter: the majority)."
    return Sheet.plain(f"{y} (down) over {x} (across)", ("", *map(_short, across)), rows, note)


def _letter(letter: str, share: float) -> str:
    return letter if share == 1.0 else letter.lower()


def _short(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | str) else f"{value:.4g}"


def write_map(
    runs: pd.DataFrame,
    cells: pd.DataFrame,
    axes: tuple[str, str],
    labels: tuple[str, str],
    marks: Sequence[Mark],
    folder: Path,
) -> list[Path]:
    """A map of futures as figure and table. Raises OSError."""
    from district_sim import figures

    drawing = figures.map_of_futures(runs, *axes, labels, marks)
    return [write_csv(folder / "map.csv", cells), *figures.save(drawing, folder / "map")]
