"""Memory of the process that leads a sweep: 10,000 short runs should need hardly more than 1,000.

    python -m benchmarks.parent_memory [--runs 1000 10000] [--workers N]

Each sweep is a process of its own (a dozen firms, two quarters, one parameter with a tenth as many values as runs);
its peak resident memory is its own, without its workers'. Then what a design of many points takes to check and to hold.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SCENARIO = "firms: {count: 12, settling: 0}\nrun: {quarters: 2}\nstrategy_start: 1\n"
LEAD = """
import json, resource, sys
from district_sim.experiments import Experiment, run_experiment
if __name__ == "__main__":
    scenario, folder, runs, workers = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    vary = {"strategy.sale": {"start": 0, "stop": 0.9, "count": runs // 10}}
    experiment = Experiment(scenarios=(scenario,), vary=vary, replications=10)
    summary = run_experiment(experiment, folder, workers=workers or None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"done": summary.counts.done, "seconds": summary.seconds, "peak": peak}))
"""
POINTS = """
import json, resource, sys, time
from district_sim.experiments import Experiment
from district_sim.experiments.plan import make_plan
paths = ("strategy.sale", "strategy.research", "strategy.exploration", "strategy.collective_action")
vary, count = dict.fromkeys(paths, {}), int(sys.argv[1])
experiment = Experiment(scenarios=("baseline",), vary=vary, design="sobol", samples=count)
started = time.perf_counter()
make_plan(experiment)
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""
FEW, MANY = 64, 16384
TO_MB = 2**20 if sys.platform == "darwin" else 1024


def plan(points: int) -> dict[str, float]:
    """Peak memory [MB] and seconds of checking a design of so many points."""
    line = [sys.executable, "-c", POINTS, str(points)]
    told: dict[str, float] = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return {"peak": told["peak"] / TO_MB, "seconds": told["seconds"]}


def lead(runs: int, workers: int) -> dict[str, float]:
    """Make a sweep of so many runs; its peak memory [MB], seconds, shards and size on the disk [MB]."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, script, out = (Path(folder) / name for name in ("short.yaml", "lead.py", "out"))
        scenario.write_text(SCENARIO)
        script.write_text(LEAD)
        line = [sys.executable, str(script), str(scenario), str(out), str(runs), str(workers)]
        told: dict[str, float] = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
        assert told["done"] == runs
        shards = list((out / "runs").iterdir())
        return {
            "peak": told["peak"] / TO_MB,
            "seconds": told["seconds"],
            "shards": len(shards),
            "data": sum(path.stat().st_size for path in shards) / 1e6,
            "ledger": (out / "ledger.sqlite").stat().st_size / 1e6,
        }


def main() -> None:
    """Print a line per size and the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, nargs=2, default=[1000, 10000])
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    found = []
    for runs in options.runs:
        told = lead(runs, options.workers)
        found.append(told)
        print(
            f"{runs:>7,} runs: peak {told['peak']:.0f} MB, {told['seconds']:.0f} s, {told['shards']:.0f} shards of "
            f"{told['data']:.1f} MB in all, ledger {told['ledger']:.2f} MB",
            flush=True,
        )
    print(f"ratio {found[1]['peak'] / found[0]['peak']:.2f} (target: at most 1.2)")
    few, many = plan(FEW), plan(MANY)
    held = 1024 * (many["peak"] - few["peak"]) / (MANY - FEW)
    print(f"a point of the design: {held:.2f} kB, checked in {1000 * many['seconds'] / MANY:.2f} ms")


if __name__ == "__main__":
    main()
