"""Whether later years lie in their bands: fits to the first years of synthetic districts, held against the later ones.

    python -m benchmarks.hold_outs [--districts 40] [--moved 0.2] [--out FILE.csv]

Each district has its own size, and values of five parameters drawn from their priors; it is run once, with its own
luck. Firms, jobs and the share of small firms of 2002, 2004 and 2006 are measured with errors of 3 %. A posterior is
fitted to them, and what it says of 2008 and 2010 is held against what happened, as by `replicate --hold-out`. With
`--moved` the truth differs from the model that is fitted: each behavioural value that is not fitted is multiplied or
divided by up to so much, as no model of a real district has all of them right.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from district_sim.evidence.cases.files import Case, read_case
from district_sim.evidence.cases.runs import scaled, watch
from district_sim.evidence.posterior.fit import Setting
from district_sim.evidence.posterior.hold_out import cut, look_ahead
from district_sim.evidence.posterior.inference import axes_of, prior_places
from district_sim.evidence.posterior.scores import FORECASTERS, scores
from district_sim.experiments.ranges import choose
from district_sim.run.workers import Workers
from district_sim.scenario.sections import Scenario

DATE = "2007"
ERROR = 0.03
SIMULATIONS, DRAWS, PATHS, LUCKS = 400, 200, 200, 4
_DISTRICT = """\
extends: baseline
title: Synthetic district {number}
description: One run of known parameters is what was observed.
firms: {{count: {firms}}}
run: {{start: 2000, end: 2011}}
world: {{onset: 2000, ramp: 40}}
"""
_LOOKS = [
    *((name, year, True) for year in (2002, 2004, 2006) for name in ("firms", "employment", "small_firm_share")),
    *((name, year, False) for year in (2008, 2010) for name in ("firms", "employment", "small_firm_share")),
]
_PARAMETERS = """\
parameters:
  firms.size_mean: {low: 3.5, high: 25.0, log: true}
  demography.entry: {low: 0.003, high: 0.06, log: true}
  demography.exit: {low: 0.004, high: 0.08, log: true}
  world.competition: {low: 0.01, high: 1.0, log: true}
  world.market_growth: {low: -0.015, high: 0.01}
"""
_MOVED = ("conduct", "demography", "knowledge", "market", "ownership", "ties")
"""Sections whose values are moved."""


def district(number: int, folder: Path, moved: float) -> Case:
    """A synthetic district and what was observed of it."""
    rng = np.random.default_rng([77, number])
    firms = int(np.exp(rng.uniform(np.log(60), np.log(400))))
    path = folder / f"district_{number}.targets.yaml"
    (folder / f"district_{number}.yaml").write_text(_DISTRICT.format(number=number, firms=firms), encoding="utf-8")
    path.write_text(_file(number, np.ones(len(_LOOKS))), encoding="utf-8")
    probe = read_case(path)
    axes = axes_of(probe)
    places = prior_places(axes, 64, 1000 + number)[int(rng.integers(64))]
    values = {axis.path: axis.value(z) for axis, z in zip(axes, places, strict=True)}
    truth = scaled(probe.scenario, 1.0, values | _elsewhere(probe.scenario, rng, moved))
    seen = watch(truth, 500_000 + number, probe.wanted).values
    if not np.isfinite(seen).all() or seen[-3] < 5.0:  # hardly a district any more: another one in its place
        return district(number + 1000, folder, moved)
    path.write_text(_file(number, seen * (1.0 + ERROR * rng.normal(size=len(seen)))), encoding="utf-8")
    return read_case(path)


def _file(number: int, values: np.ndarray) -> str:
    lines = [f"scenario: district_{number}", "start: 2000", "targets:"]
    for (name, year, fit), value in zip(_LOOKS, values, strict=True):
        value = min(value, 1.0) if name.endswith("share") else value
        lines.append(
            f"  - {{measure: {name}, year: {year}, value: {value:.6g}, tolerance: {ERROR * value:.3g}, "
            f"fit: {str(fit).lower()}, source: one run, published: 2010, certainty: C}}"
        )
    return "\n".join(lines) + "\n" + _PARAMETERS


def _elsewhere(scenario: Scenario, rng: np.random.Generator, moved: float) -> dict[str, float]:
    """Values of what is not fitted, moved within their ranges."""
    if not moved:
        return {}
    data, found = scenario.model_dump(mode="json"), {}
    for parameter in choose(scenario, _MOVED)[0]:
        section, field = parameter.path.split(".")
        if parameter.kind == "number" and f"  {parameter.path}:" not in _PARAMETERS:
            value = data[section][field] * np.exp(rng.uniform(-1.0, 1.0) * np.log1p(moved))
            found[parameter.path] = float(np.clip(value, parameter.low, parameter.high))
    return found


def judge(number: int, moved: float, crew: Workers) -> list[dict[str, object]]:
    """A row for each later figure of a district and who spoke of it."""
    with tempfile.TemporaryDirectory() as folder:
        case = district(number, Path(folder), moved)
        at = cut(case, DATE)
        outlook = look_ahead(at, Setting(at.case, 0, SIMULATIONS, DRAWS, Path(folder)), PATHS, LUCKS, crew)
        return [
            {"district": number, "firms": case.scenario.firms.count, "measure": one.target.measure,
             "year": one.target.year, "by": one.by, "in_50": one.inside[0], "in_90": one.inside[1], "crps": one.score}
            for one in scores(outlook)
            if not one.why
        ]  # fmt: skip


def main() -> None:
    """Print how many later figures lie in their bands, and the mean CRPS."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--districts", type=int, default=40)
    ask.add_argument("--moved", type=float, default=0.0)
    ask.add_argument("--out", type=Path)
    asked = ask.parse_args()
    rows: list[dict[str, object]] = []
    with Workers(None) as crew:
        for number in range(asked.districts):
            rows += judge(number, asked.moved, crew)
            print(f"{number + 1} of {asked.districts} districts", end="\r", flush=True)
    frame = pd.DataFrame(rows)
    print(f"Later figures of {asked.districts} synthetic districts, all else moved by up to {asked.moved:.0%}")
    for by, own in frame.groupby("by", sort=False):
        print(
            f"  {FORECASTERS[str(by)]}: in the 50 % band {own.in_50.mean():.0%}, in the 90 % band "
            f"{own.in_90.mean():.0%} of {len(own)} figures; CRPS {own.crps.mean():.4f}"
        )
    if asked.out is not None:
        frame.to_csv(asked.out, index=False)


if __name__ == "__main__":
    main()
