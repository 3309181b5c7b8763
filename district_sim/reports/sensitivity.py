"""Sensitivity and boxes: their tables, and what they write into a folder. Each file appears whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim.run.trajectories import Trajectory
from district_sim.run.whole_files import write_csv, write_json
from district_sim.text.names import TRAJECTORY_NAMES, in_percent, outcome_name
from district_sim.text.numbers import decimals_for, number, p_value, percent
from district_sim.text.sheet import Sheet, write_sheets

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.discover import Box

# Sensitivity --------------------------------------------------------------------------------------


def morris(table: pd.DataFrame, outcome: str, note: str, most: int = 20) -> Sheet:
    """Elementary effects, greatest first; at most `most` lines."""
    scale = 100.0 if in_percent(outcome) else 1.0
    digits = decimals_for(scale * float(table["mu_star"].max()) / 10.0)
    rows = [
        (
            row["parameter"],
            f"{row['low']:.4g} to {row['high']:.4g}",
            *(number(scale * row[name], digits) for name in ("mu_star", "mu_star_conf", "sigma")),
            number(scale * row["mu"], digits, sign=True),
        )
        for row in table.head(most).to_dict("records")
    ]
    more = f" {len(table) - most} more parameters have smaller effects." if len(table) > most else ""
    columns = ("Parameter", "Range", "μ*", "±", "σ", "μ")
    return Sheet.plain(f"Morris screening: {outcome_name(outcome)}", columns, rows, note + more, left=2)


def sobol(table: pd.DataFrame, outcome: str, note: str) -> Sheet:
    """First-order and total indices."""
    rows = [
        (
            row["parameter"],
            f"{row['low']:.4g} to {row['high']:.4g}",
            *(number(row[name], 2) for name in ("S1", "S1_conf", "ST", "ST_conf")),
        )
        for row in table.to_dict("records")
    ]
    columns = ("Parameter", "Range", "S1", "±", "ST", "±")
    return Sheet.plain(f"Sobol' indices: {outcome_name(outcome)}", columns, rows, note, left=2)


def write_sensitivity(
    outcome: str,
    indices: Mapping[str, pd.DataFrame],
    sheets: Mapping[str, Sheet],
    told: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    """Indices, by `morris` and `sobol`, as tables and figures, named after the outcome. Raises OSError."""
    from district_sim import figures

    draw = {"morris": figures.morris_plane, "sobol": figures.sobol_bars}
    written = write_sheets({f"{name}_{outcome}": sheet for name, sheet in sheets.items()}, folder)
    for name, table in indices.items():
        written.append(write_csv(folder / f"{name}_{outcome}.csv", table))
        written += figures.save(draw[name](table, outcome), folder / f"{name}_{outcome}")
    return [*written, write_json(folder / f"sensitivity_{outcome}.json", told)]


# Boxes --------------------------------------------------------------------------------------------


def boxes(found: Sequence[Box], trajectory: str, note: str) -> Sheet:
    """Boxes with their conditions, a line each."""
    sections = []
    for rank, region in enumerate(found, start=1):
        rows = tuple((restriction.words(), p_value(restriction.quasi_p)) for restriction in region.restrictions)
        title = (
            f"Box {rank}: coverage {percent(region.coverage)}, density {percent(region.density)} "
            f"({region.cases} of {region.points} points)"
        )
        sections.append((title, rows))
    name = TRAJECTORY_NAMES[Trajectory(trajectory)]
    return Sheet(f"What leads to: {name}", ("Condition", "quasi-p"), tuple(sections), note.strip())


def write_boxes(
    cases: pd.DataFrame,
    found: Sequence[Box],
    trajectory: str,
    sheet: Sheet,
    told: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    """Boxes as text and figure, and the points that they were found among. Raises OSError."""
    from district_sim import figures

    written = [write_csv(folder / "cases.csv", cases.reset_index()), write_json(folder / "boxes.json", told)]
    if found:
        written += write_sheets({"boxes": sheet}, folder)
        written += figures.save(figures.boxes(cases, found, trajectory), folder / "boxes")
    return written
