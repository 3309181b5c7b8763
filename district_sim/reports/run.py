"""What the commands write into a folder: results, figures, tables. Each file appears whole or not at all."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from district_sim._version import __version__
from district_sim.reports.drawing import FIGURES, draw_figures
from district_sim.run.whole_files import write_csv, write_json, write_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from district_sim.evidence.patterns.claims import PatternClaim
    from district_sim.run.run import Run

_CURRENT = "indicators_current.csv"
DEMO_MARK = "demo.json"
"""A folder that holds this file was written by a demo, and the next demo may write it again."""


def write_run(
    result: "Run", folder: Path, prices: "np.ndarray | None" = None, figures: Iterable[str] = FIGURES
) -> list[Path]:
    """A run, its figures and what its columns mean, run.json last; returns the files written. Raises OSError.

    What an earlier run left in the folder, and this one does not write again, is removed.

    Args:
        prices: by what the money of each quarter is multiplied to be at its own prices, to write that table as well.
        figures: which of `FIGURES` to draw.
    """
    from district_sim.reports.crate import METADATA
    from district_sim.run.deflator import at_current_prices
    from district_sim.run.run import dated

    for name in (METADATA, _CURRENT):
        (folder / name).unlink(missing_ok=True)

    def beside() -> list[Path]:
        drawn = [*draw_figures(result, figures, folder), write_csv(folder / "columns.csv", columns_of_run(result))]
        if prices is not None:
            current = dated(at_current_prices(result.indicators, prices), result.scenario.run.calendar)
            drawn.append(write_csv(folder / _CURRENT, current, index=True))
        return drawn

    return result.save(folder, force=True, beside=beside)


def columns_of_run(result: "Run") -> "pd.DataFrame":
    """What the columns of a run's tables are: table, column, type, unit, description."""
    import pandas as pd

    from district_sim.experiments.columns import column_notes, columns_table
    from district_sim.run.run import dated

    calendar = result.scenario.run.calendar
    tables = {
        "indicators": dated(result.indicators, calendar).reset_index(),
        "firms": result.end.firms.reset_index(),
        "ties": result.end.ties,
        "pipelines": result.end.pipelines,
        "policies": dated(result.policies, calendar) if len(result.policies) else result.policies,
    }
    told = [columns_table(frame, partial(column_notes, table=name)) for name, frame in tables.items()]
    return pd.concat(told, keys=list(tables), names=["table"]).reset_index(0).reset_index(drop=True)


def write_demo(runs: "Mapping[str, Run]", folder: Path, seed: int) -> list[Path]:
    """Several futures in one figure and one table; returns the files written. Raises OSError."""
    from district_sim import figures
    from district_sim.reports.run_tables import comparison_frame

    written = figures.save(figures.futures(runs), folder / "futures")
    written.append(write_csv(folder / "futures.csv", comparison_frame(runs), index=True))
    return [*written, mark_demo(folder, seed, {name: result.trajectory for name, result in runs.items()})]


def mark_demo(folder: Path, seed: int, trajectories: Mapping[str, str | None]) -> Path:
    """Say in the folder that a demo wrote it; see `DEMO_MARK`. Raises OSError."""
    said = {"version": __version__, "seed": seed, "trajectories": dict(trajectories)}
    return write_json(folder / DEMO_MARK, said)


def write_verification(claims: "list[PatternClaim]", maps: "dict[str, pd.DataFrame]", folder: Path) -> list[Path]:
    """The claims as a page and as JSON, the maps as figures and tables; returns the files written. Raises OSError."""
    from district_sim import figures
    from district_sim.evidence.patterns.verify import as_markdown, map_labels

    drawn = []
    for name, labels in map_labels().items():
        x, y = maps[name].columns[:2]
        drawn += figures.save(figures.map_of_futures(maps[name], x, y, labels), folder / name)
        drawn.append(write_csv(folder / f"{name}.csv", maps[name]))
    return [
        *drawn,
        write_json(folder / "verification.json", [asdict(claim) for claim in claims]),
        write_text(folder / "verification.md", as_markdown(claims)),
    ]
