"""How long a posterior and a forecast take: 700 firms, five targets, ten years, from a cold start of the command.

The district is synthetic: one run of known parameters is what was observed. `--only posterior` asks for this topic;
with `--quick` it takes 70 firms and few runs, which shows that it works and no more.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.rows import Row
from benchmarks.timing import Spread

_DISTRICT = """\
extends: baseline
title: Synthetic
description: One run of known parameters is what was observed.
firms: {{count: {firms}}}
run: {{start: 2000, end: 2010}}
world: {{onset: 2000}}
"""
_LOOKS = (("firms", 2005), ("employment", 2005), ("firms", 2010), ("employment", 2010), ("small_firm_share", 2010))
_PARAMETERS = {
    "firms.size_mean": "{low: 3.5, high: 25.0, log: true}",
    "demography.entry": "{low: 0.003, high: 0.06, log: true}",
    "demography.exit": "{low: 0.004, high: 0.08, log: true}",
    "world.competition": "{low: 0.01, high: 1.0, log: true}",
    "strategy.entrepreneurship": "{low: 0.1, high: 4.0, log: true}",
}
_TOLERANCE = 0.05
_SEED = 77


def rows(quick: bool) -> Iterator[Row]:
    """Minutes of both commands."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write(place, 70 if quick else 700)
        least = ["--simulations", "100", "--draws", "50"] if quick else []
        paths = ["--paths", "20"] if quick else ["--paths", "500"]
        given = ["district.yaml", "--targets", "district.targets.yaml"]
        posterior = _minutes(place, ["calibrate", *given, "--posterior", "--check", *least, "--out", "p"], quick)
        forecast = _minutes(place, ["forecast", *given, "--posterior", "p", "--even-so", *paths, "--out", "f"], quick)
    what = "70 firms, few runs" if quick else "700 firms, five targets, ten years"
    yield Row(
        "posterior.minutes", f"A posterior and its check: {what}", Spread.exactly(posterior), "minutes",
        at_most=30.0, note="from a cold start, one process per core",
    )  # fmt: skip
    yield Row(
        "posterior.forecast", f"A forecast of {paths[1]} paths", Spread.exactly(forecast), "minutes",
        at_most=3.0,
    )  # fmt: skip


def _write(place: Path, firms: int) -> None:
    """The district and, of one run, its targets."""
    from district_sim.evidence.cases.runs import watch
    from district_sim.scenario.files import load_scenario

    (place / "district.yaml").write_text(_DISTRICT.format(firms=firms), encoding="utf-8")
    wanted = tuple((name, 4 * (year - 2000), None) for name, year in _LOOKS)
    seen = watch(load_scenario(str(place / "district.yaml")), _SEED, wanted).values
    lines = ["start: 2000", "targets:"]
    for (name, year), value in zip(_LOOKS, seen, strict=True):
        lines.append(
            f"  - {{measure: {name}, year: {year}, value: {value:.6g}, tolerance: {_TOLERANCE * value:.3g}, fit: true, "
            "source: one run, certainty: C}"
        )
    lines += ["parameters:", *(f"  {path}: {prior}" for path, prior in _PARAMETERS.items())]
    (place / "district.targets.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _minutes(place: Path, arguments: list[str], quick: bool) -> float:
    """Of a command in a process of its own; the first compiles the kernels anew, unless `quick`."""
    environment = dict(os.environ)
    if not quick:
        environment["NUMBA_CACHE_DIR"] = str(place / "cache")
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "district_sim", *arguments, "--quiet"], cwd=place, env=environment, check=True
    )
    return (perf_counter() - began) / 60.0
