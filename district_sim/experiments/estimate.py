"""What an experiment will take, from a few trial runs."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from district_sim.experiments.checks import extensions_of
from district_sim.experiments.plan import Plan, model_version
from district_sim.experiments.work import GO, Chunk, Orders, work_on
from district_sim.run.workers import compile_first

_TRIALS = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """What `estimate` expects."""

    runs: int
    """With `until`: at least."""
    seconds_per_run: float
    """On one core, mean of the trials."""
    bytes_per_run: float
    shard_bytes: float
    """What a shard takes beside its rows."""

    def seconds(self, workers: int) -> float:
        """Time on so many cores, if nothing else runs on them."""
        return self.runs * self.seconds_per_run / workers

    def bytes(self, workers: int) -> float:
        """Room on the disk: rows, shards and some 100 bytes a run in the ledger."""
        shards = min(self.runs, 4 * workers + self.seconds(1) / 3.0, max(200 * workers, self.runs / 2000))
        return self.runs * (self.bytes_per_run + 100) + shards * self.shard_bytes


def estimate(plan: Plan, compiling: Callable[[], object] | None = None) -> Estimate:
    """Make a few runs, at the first, the middle and the last point, and keep nothing of them.

    Args:
        plan: of what. compiling: called if the model has to be compiled first.

    Raises:
        RuntimeError: a trial run failed.
    """
    compile_first(plan.shapes, compiling)
    e = plan.experiment
    last = len(plan.points) - 1
    trial = [plan.points[index] for index in sorted({0, last // 2, last})]
    runs = tuple((point.index, replicate) for point in trial for replicate in range(_TRIALS))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / GO).touch()
        model = model_version(extensions_of(plan.bases))
        orders = Orders(folder, e.seed, e.keep, e.conditions(), plan.kinds, plan.bases, model, e.draws)
        points = {point.index: point for point in trial}
        first = work_on(Chunk(orders, 0, runs[:1], points, 1e9))  # the first run reads machine code, too
        report = work_on(Chunk(orders, 1, runs, points, 1e9))
        small, large = (sum(path.stat().st_size for path in Path(folder).glob(f"*-{k:08d}.part")) for k in (0, 1))
    for made in (*first.made, *report.made):
        if made.error:
            raise RuntimeError(f"a trial run failed ({plan.points[made.point].told()}):\n{made.error}")
    per_run = max(0.0, (large - small) / max(1, len(runs) - 1))
    seconds = sum(made.seconds for made in report.made) / len(runs)
    return Estimate(len(plan.points) * e.replications, seconds, per_run, max(0.0, small - per_run))
