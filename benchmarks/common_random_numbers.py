"""How many times fewer replications paired differences need than independent seeds.

    python -m benchmarks.common_random_numbers [--seeds 1000-1099] [--budget 100] [--out FILE.csv]

For every policy: the baseline district with and without it, once per seed. The variance of the mean difference over n
replications is Var(with - without) / n if both have the same luck and (Var(with) + Var(without)) / n if each has its
own, so their ratio is the factor by which replications can be saved at equal precision. Its 95 % interval is a
percentile bootstrap over seeds. Final employment is read at several lengths of run: luck accumulates, as people who
are hired elsewhere meet other people, and the gain shrinks with the time since the policy began.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from district_sim import load_scenario, simulate
from district_sim.run.workers import measured

START = 40
LENGTHS = (60, 80, 120, 160)
POLICIES = (
    "rd_subsidy",
    "training_vouchers",
    "export_vouchers",
    "technology_centre",
    "ppp_match",
    "takeover_screening",
)


def employment(job: tuple[str | None, float, int]) -> list[float]:
    """Employment at each of `LENGTHS` in a run of (policy or None, budget, seed)."""
    policy, budget, seed = job
    mix = [] if policy is None else [{"name": policy, "kind": policy, "start": START, "budget": budget}]
    run = simulate(load_scenario("baseline", {"policies": mix, "run.quarters": LENGTHS[-1]}), seed)
    return [float(run.indicators["employment"].loc[quarter]) for quarter in LENGTHS]


def gain(with_policy: np.ndarray, without: np.ndarray) -> float:
    """Var(independent difference) / Var(paired difference) of two samples on the same seeds, each of shape (n,)."""
    independent = with_policy.var(ddof=1) + without.var(ddof=1)
    return float(independent / (with_policy - without).var(ddof=1))


def interval(with_policy: np.ndarray, without: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """Percentile bootstrap of `gain` over seeds, 95 %."""
    rng = np.random.default_rng(0)
    picks = rng.integers(len(without), size=(draws, len(without)))
    low, high = np.percentile([gain(with_policy[pick], without[pick]) for pick in picks], [2.5, 97.5])
    return float(low), float(high)


def measure(seeds: range, budget: float) -> pd.DataFrame:
    """One row per policy and length of run: effect, its paired standard error, gain and its interval."""
    jobs = [(policy, budget, seed) for policy in (None, *POLICIES) for seed in seeds]
    values = np.array(measured(employment, jobs)).reshape(len(POLICIES) + 1, len(seeds), len(LENGTHS))
    rows = []
    for number, policy in enumerate(POLICIES, 1):
        for k, quarters in enumerate(LENGTHS):
            after, before = values[number, :, k], values[0, :, k]
            difference = after - before
            low, high = interval(after, before)
            rows.append(
                {
                    "policy": policy,
                    "quarters": quarters,
                    "effect": difference.mean(),
                    "standard_error": difference.std(ddof=1) / np.sqrt(len(seeds)),
                    "gain": gain(after, before),
                    "gain_low": low,
                    "gain_high": high,
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", default="1000-1099")
    parser.add_argument("--budget", type=float, default=100.0, help="k€ a quarter, from quarter 40 on")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    first, last = map(int, options.seeds.split("-"))
    table = measure(range(first, last + 1), options.budget)
    print(f"Effect on final employment, {options.budget:g} k€ a quarter from quarter {START}, seeds {options.seeds}")
    print(table.round(2).to_string(index=False))
    if options.out is not None:
        table.to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
