"""Small experiments for the tests, run in this process unless said otherwise."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from district_sim.experiments import Experiment, Results, Summary, run_experiment

TINY = "title: Tiny\nfirms: {count: 12, settling: 2}\nrun: {quarters: 6}\nstrategy_start: 2\n"


def tiny(folder: Path, **fields: Any) -> Experiment:
    """Six points, three replications of six quarters of a dozen firms."""
    path = folder / "tiny.yaml"
    path.write_text(TINY)
    given: dict[str, Any] = {
        "scenarios": [str(path)],
        "vary": {"strategy.sale": [0.0, 0.5, 0.9], "firms.count": [12, 15]},
        "replications": 3,
    }
    return Experiment(**(given | fields))


def run_here(experiment: Experiment, folder: Path, workers: int = 1, **options: Any) -> Summary:
    with ThreadPoolExecutor(workers) as pool:
        return run_experiment(experiment, folder, executor=pool, **options)


def assert_same_data(a: Path, b: Path) -> None:
    """Row for row, table for table; and a plain reader of all shards sees each run once."""
    one, other = Results(a), Results(b)
    for table in ("runs", "series", "firms", "spending"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))
    for folder in (a, b):
        shards = [pd.read_parquet(path) for path in (folder / "runs").glob("*.parquet")]
        rows = pd.concat(shards)[["point", "replicate"]] if shards else pd.DataFrame()
        assert not rows.duplicated().any()
        assert len(rows) == Results(folder).counts.total - Results(folder).counts.failed
