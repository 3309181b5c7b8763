"""What comparisons, sensitivity studies, maps and boxes write into a folder. Each file appears whole or not at all."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim.run.whole_files import write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.compare import Comparison
    from district_sim.experiments.discover import Box
    from district_sim.figures import Mark
    from district_sim.reports.experiment_tables import Sheet


def write_comparison(
    found: "Comparison", over_time: "pd.DataFrame | None", told: Mapping[str, Any], folder: Path
) -> list[Path]:
    """Tables and figures of a comparison; bands only where series were kept. Raises OSError."""
    from district_sim import figures
    from district_sim.reports import experiment_tables as tables_experiments

    drawings = {"differences": figures.differences(found), "transitions": figures.transitions(found)}
    if over_time is not None:
        drawings["bands"] = figures.bands(over_time, found.cells)
    return [
        *write_sheets(tables_experiments.sheets(found), folder),
        _write_csv(folder / "differences.csv", found.differences),
        _write_csv(folder / "trajectories.csv", found.trajectories),
        _write_json(folder / "comparison.json", told),
        *(path for name, figure in drawings.items() for path in figures.save(figure, folder / name)),
    ]


def write_sensitivity(
    outcome: str,
    indices: "Mapping[str, pd.DataFrame]",
    sheets: "Mapping[str, Sheet]",
    told: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    """Indices, by `morris` and `sobol`, as tables and figures, named after the outcome. Raises OSError."""
    from district_sim import figures

    draw = {"morris": figures.morris_plane, "sobol": figures.sobol_bars}
    written = write_sheets({f"{name}_{outcome}": sheet for name, sheet in sheets.items()}, folder)
    for name, table in indices.items():
        written.append(_write_csv(folder / f"{name}_{outcome}.csv", table))
        written += figures.save(draw[name](table, outcome), folder / f"{name}_{outcome}")
    return [*written, _write_json(folder / f"sensitivity_{outcome}.json", told)]


def write_map(
    runs: "pd.DataFrame",
    cells: "pd.DataFrame",
    axes: tuple[str, str],
    labels: tuple[str, str],
    marks: "Sequence[Mark]",
    folder: Path,
) -> list[Path]:
    """A map of futures as figure and table. Raises OSError."""
    from district_sim import figures

    drawing = figures.map_of_futures(runs, *axes, labels, marks)
    return [_write_csv(folder / "map.csv", cells), *figures.save(drawing, folder / "map")]


def write_boxes(
    cases: "pd.DataFrame",
    found: "Sequence[Box]",
    trajectory: str,
    sheet: "Sheet",
    told: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    """Boxes as text and figure, and the points that they were found among. Raises OSError."""
    from district_sim import figures

    written = [_write_csv(folder / "cases.csv", cases.reset_index()), _write_json(folder / "boxes.json", told)]
    if found:
        written += write_sheets({"boxes": sheet}, folder)
        written += figures.save(figures.boxes(cases, found, trajectory), folder / "boxes")
    return written


def write_sheets(sheets: "Mapping[str, Sheet]", folder: Path) -> list[Path]:
    """Each table in Markdown and in LaTeX. Raises OSError."""
    written = []
    for name, sheet in sheets.items():
        written.append(write_text(folder / f"{name}.md", sheet.markdown()))
        written.append(write_text(folder / f"{name}.tex", sheet.latex(name.replace("_", "-"))))
    return written


def _write_json(path: Path, told: Mapping[str, Any]) -> Path:
    return write_text(path, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _write_csv(path: Path, table: "pd.DataFrame") -> Path:
    return write_whole(path, lambda temporary: table.to_csv(temporary, index=False))


def write_costs(table: "pd.DataFrame", sheet: "Sheet", folder: Path) -> list[Path]:
    """What policies cost, as a table for papers and as numbers. Raises OSError."""
    return [*write_sheets({"costs": sheet}, folder), _write_csv(folder / "costs.csv", table)]
