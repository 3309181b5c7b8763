"""Acceptance: the patterns that must come out, each measured on stated seeds and compared with its target.

The model is calibrated on seeds 0-99 and reported on seeds 1000-1099 (`REPORT_SEEDS`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from district_sim.evidence.patterns import kernels
from district_sim.run.run import simulate
from district_sim.run.trajectories import FUTURES, Scores, Trajectory, classify
from district_sim.run.workers import Workers, compile_first
from district_sim.scenario.files import load_scenario

REPORT_SEEDS = range(1000, 1100)
POINTS = 9  # of the map, on each axis


@dataclass(frozen=True, slots=True)
class PatternClaim:
    """One line of the table: what was claimed, wanted, measured."""

    pattern: int
    claim: str
    target: str
    measured: str
    passed: bool
    seeds: str


@dataclass(frozen=True, slots=True)
class Job:
    """One run to make: a bundled scenario with overrides."""

    scenario: str
    seed: int
    overrides: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is kept of a run."""

    indicators: pd.DataFrame
    scores: Scores

    def late(self, name: str, first: int = -40, last: int | None = None) -> float:
        """Mean of an indicator over a window of quarters; the last forty by default."""
        return float(self.indicators[name].iloc[first:last].mean())


RunMany = Callable[[Sequence[Job]], list[Outcome]]


def run_job(job: Job) -> Outcome:
    """Make one run."""
    run = simulate(load_scenario(job.scenario, dict(job.overrides)), job.seed)
    return Outcome(run.indicators, run.scores)


def _name(seeds: Sequence[int]) -> str:
    return f"{seeds[0]}-{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def _job(scenario: str, seed: int, overrides: Mapping[str, Any] | None = None) -> Job:
    return Job(scenario, seed, tuple((overrides or {}).items()))


def _labels(outcomes: Iterable[Outcome]) -> Counter[Trajectory | None]:
    return Counter(outcome.scores.label for outcome in outcomes)


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def four_futures(run_many: RunMany, seeds: Sequence[int]) -> list[PatternClaim]:
    """Pattern 1: one district, four futures; and the label is not a disguised parameter."""
    claims, futures = [], []
    expected = [*(future.value for future in FUTURES), "baseline", "decline"]
    outcomes = run_many([_job(name, seed) for name in expected for seed in seeds])
    for k, name in enumerate(expected):
        part = outcomes[k * len(seeds) : (k + 1) * len(seeds)]
        label = Trajectory.MARSHALLIAN_PERSISTENCE if name == "baseline" else Trajectory(name)
        found = _labels(part)[label]
        passed = found >= 0.95 * len(seeds)
        claims.append(
            PatternClaim(1, f"{name} ends in {label}", "95 of 100", f"{found} of {len(seeds)}", passed, _name(seeds))
        )
        if name in Trajectory:
            futures += [(label, outcome.indicators) for outcome in part if label in FUTURES]
    claims.append(_shuffled(futures, seeds))
    starved = {"strategy.collective_action": 0.0, "policies": []}
    labels = _labels(run_many([_job("collective_entrepreneurship", seed, starved) for seed in seeds]))
    found = labels[Trajectory.COLLECTIVE_ENTREPRENEURSHIP]
    text = "an agency starved of contributions is not collective entrepreneurship"
    claims.append(PatternClaim(1, text, "0 of 100", f"{found} of {len(seeds)}", found == 0, _name(seeds)))
    return claims


def _shuffled(futures: list[tuple[Trajectory, pd.DataFrame]], seeds: Sequence[int]) -> PatternClaim:
    """Shuffle every indicator among the runs: were the label read off one of them, it would survive."""
    rng = np.random.default_rng(0)
    order = {name: rng.permutation(len(futures)) for name in futures[0][1].columns}
    right = 0
    for k, (label, table) in enumerate(futures):
        mixed = pd.DataFrame({name: futures[order[name][k]][1][name] for name in table.columns})
        right += classify(mixed) == label
    share = right / len(futures)
    text = "shuffling indicators between runs destroys the labels"
    return PatternClaim(1, text, "right in at most 40 %", f"right in {share:.0%}", share <= 0.4, _name(seeds))


ABLATIONS: dict[Trajectory, tuple[str, ...]] = {
    Trajectory.FRAGMENTATION: ("takeover", "hierarchy"),
    Trajectory.POST_MARSHALLIAN_NODE: ("global_sourcing", "pipelines"),
    Trajectory.LEARNING_REGION: ("radical_innovation", "policy"),
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: ("collective_agency",),
}


def ablations(run_many: RunMany, seeds: Sequence[int]) -> list[PatternClaim]:
    """Pattern 2: without the mechanism that makes a trajectory, the trajectory disappears."""
    claims = []
    for future, switches in ABLATIONS.items():
        off = {f"mechanisms.{switch}": False for switch in switches}
        labels = _labels(run_many([_job(future.value, seed, off) for seed in seeds]))
        text = f"{future.value} without {' and '.join(switches)}"
        measured = f"{labels[future]} of {len(seeds)}"
        claims.append(
            PatternClaim(2, text, "at most 5 of 100", measured, labels[future] <= 0.05 * len(seeds), _name(seeds))
        )
    return claims


def map_levers(openness: float, action: float) -> dict[str, Any]:
    """The plane of openness x collective action, both 0..1: which levers they move; the others stand at fixed values.

    Openness lets orders go abroad first and owners sell later (quadratically). Collective action is the firms'
    readiness to contribute and the public institutions that answer it.
    """
    levers: dict[str, Any] = {
        "strategy.offshoring": 1.2 * openness,
        "strategy.pipelines": 0.3 + 2.0 * openness,
        "strategy.sale": 0.02 + 0.9 * openness**2,
        "strategy.acquisition": 0.2 + 1.5 * openness,
        "strategy.collective_action": 0.03 + 0.36 * action,
        "strategy.research": 1.8,
        "strategy.exploration": 0.35,
        "strategy.training": 0.01,
        "strategy.project_pipelines": 0.2,
        "strategy.project_brand": 0.15,
        "strategy.project_values": 0.15,
        "strategy.project_training": 0.1,
    }
    if action > 0.0:
        levers["policies"] = [
            {"name": "match", "kind": "ppp_match", "budget": 400.0 * action, "intensity": action},
            {"name": "centre", "kind": "technology_centre", "budget": 160.0 * action},
            {"name": "training", "kind": "training_vouchers", "budget": 120.0 * action},
        ]
    return levers


def map_of_futures(run_many: RunMany, seeds: Sequence[int], points: int = POINTS) -> pd.DataFrame:
    """Labels over the plane: columns openness, action, seed, trajectory (missing where nothing can be said)."""
    axis = np.linspace(0.0, 1.0, points)
    grid = [(float(u), float(v), seed) for u in axis for v in axis for seed in seeds]
    outcomes = run_many([_job("baseline", seed, map_levers(u, v)) for u, v, seed in grid])
    table = pd.DataFrame(grid, columns=["openness", "action", "seed"])
    table["trajectory"] = [outcome.scores.label for outcome in outcomes]
    return table


def regions(table: pd.DataFrame, seeds: Sequence[int]) -> list[PatternClaim]:
    """Pattern 3: on the plane of openness x collective action all four regions appear, with mixed borders."""
    cells = table.dropna(subset="trajectory").groupby(["openness", "action"])["trajectory"]
    major = cells.agg(lambda labels: labels.value_counts().index[0])
    pure = cells.agg(lambda labels: labels.nunique() == 1)
    claims = []
    for future in FUTURES:
        count = int((major == future.value).sum())
        text = f"{future.value} has its own region"
        claims.append(PatternClaim(3, text, "at least 2 points", f"{count} of {len(major)}", count >= 2, _name(seeds)))
    mixed = int((~pure).sum())
    text = "seeds are mixed at the borders"
    claims.append(
        PatternClaim(3, text, "1 point to half of them", f"{mixed}", 1 <= mixed <= len(major) / 2, _name(seeds))
    )
    return claims


def closure_levers(closure: float) -> dict[str, Any]:
    """A district of a given closure (shared identity, triadic closure of ties) that meets a technological break.

    No globalisation; in quarter 80 a trajectory with a quality jump of 50 % ripens, which rivals abroad adopt.
    """
    return {
        "strategy_start": 0,
        "strategy.identity": closure,
        "ties.closure": closure,
        "strategy.exploration": 0.25,
        "strategy.pipelines": 1.0,
        "mechanisms.collective_agency": False,
        "world.globalisation": 0.0,
        "world.rivals_reach": 1.0,
        "world.rivals_lag": 8.0,
        "technology.quality_jump": 0.5,
        "technology.first_ripening": 80,
        "technology.ripening_interval": 1000,
    }


def embeddedness(run_many: RunMany, seeds: Sequence[int]) -> list[PatternClaim]:
    """Pattern 4: closure helps in calm and hurts after a technological break (Grabher 1993)."""
    half = _half(seeds)
    loose = run_many([_job("baseline", seed, closure_levers(0.1)) for seed in half])
    dense = run_many([_job("baseline", seed, closure_levers(0.9)) for seed in half])
    claims = []
    for text, window, sign in (
        ("more closure, more productivity in calm", (40, 80), 1.0),
        ("more closure, less productivity after a technological break", (120, 160), -1.0),
    ):
        gaps = [
            d.late("productivity", *window) - low.late("productivity", *window)
            for low, d in zip(loose, dense, strict=True)
        ]
        mean, error = _mean_and_error(gaps)
        measured = f"{mean:+.3f} ± {1.96 * error:.3f} k€ per employee"
        passed = sign * mean - 1.96 * error > 0.0
        target = "> 0 (95 % interval)" if sign > 0 else "< 0 (95 % interval)"
        claims.append(PatternClaim(4, text, target, measured, passed, _name(half)))
    return claims


def hysteresis(run_many: RunMany, seeds: Sequence[int]) -> list[PatternClaim]:
    """Pattern 5: withdrawing the partnership early loses what later withdrawal keeps; fragmentation stays."""
    half = _half(seeds)

    def kept(end: int) -> list[float]:
        match = {"name": "match", "kind": "ppp_match", "start": 40, "end": end, "budget": 400.0}
        levers = {"strategy.collective_action": 0.3, "policies": [match], "run.quarters": 180}
        outcomes = run_many([_job("collective_entrepreneurship", seed, levers) for seed in half])
        return [outcome.late("participation", -20) for outcome in outcomes]

    early, late = kept(52), kept(100)
    gap, error = _mean_and_error([b - a for a, b in zip(early, late, strict=True)])
    measured = f"{np.mean(early):.2f} and {np.mean(late):.2f}, difference {gap:.2f} ± {1.96 * error:.2f}"
    text = "participation in quarters 161-180 after withdrawal of the match in quarter 52 and in quarter 100"
    return [PatternClaim(5, text, "difference > 0.3", measured, gap - 1.96 * error > 0.3, _name(half))]


def calm(run_many: RunMany, seeds: Sequence[int]) -> list[PatternClaim]:
    """The initial district: forty calm quarters leave it roughly as it was."""
    outcomes = run_many([_job("baseline", seed, {"run.quarters": 40}) for seed in seeds])
    claims = []
    for name in ("firms", "employment", "tacit_mean", "codified_mean", "trust"):
        changes = [o.late(name, -4) / o.late(name, 0, 4) - 1.0 for o in outcomes]
        mean, error = _mean_and_error(changes)
        measured = f"{mean:+.1%} ± {1.96 * error:.1%}"
        claims.append(
            PatternClaim(0, f"{name} after 40 calm quarters", "within 10 %", measured, abs(mean) <= 0.1, _name(seeds))
        )
    return claims


def _verify_quickly(seeds: Sequence[int]) -> list[PatternClaim]:
    """Patterns measured on the kernels themselves, without whole runs in parallel."""
    few = seeds[: max(2, len(seeds) // 20)]
    rows = [
        *kernels.fragmentation_stays(few),
        *kernels.inverted_u(few),
        *kernels.first_district(few),
        *kernels.fading_increments(few),
        *kernels.it_needs_people(few),
        *kernels.balances(few),
    ]
    return [PatternClaim(*row[:5], seeds=_name(few)) for row in rows]


def _half(seeds: Sequence[int]) -> Sequence[int]:
    return seeds[: max(2, len(seeds) // 2)]


def _on_map(seeds: Sequence[int]) -> Sequence[int]:
    return seeds[: max(2, len(seeds) // 10)]


def runs_needed(seeds: Sequence[int]) -> int:
    """Runs that `verify` makes in parallel."""
    return len(seeds) * (1 + 6 + 1 + len(ABLATIONS)) + 4 * len(_half(seeds)) + POINTS**2 * len(_on_map(seeds))


def verify(
    seeds: Sequence[int] = REPORT_SEEDS,
    progress: Callable[[int], object] | None = None,
    workers: int | None = None,
) -> tuple[list[PatternClaim], pd.DataFrame]:
    """Measure all patterns.

    Args:
        seeds: runs per scenario and ablation; some patterns use a part of them, as their lines say.
        progress: called with the number of runs done, of `runs_needed`.
        workers: processes; 1 is this one; all cores by default.

    Returns:
        The claims by pattern, and the labels over the map (columns openness, action, seed, trajectory).
    """
    compile_first()
    on_map = _on_map(seeds)
    done = 0
    with Workers(workers) as crew:

        def tell(*_: int) -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done)

        def run_many(jobs: Sequence[Job]) -> list[Outcome]:
            return crew.map(run_job, jobs, tell)

        table = map_of_futures(run_many, on_map)
        claims = [
            *calm(run_many, seeds),
            *four_futures(run_many, seeds),
            *ablations(run_many, seeds),
            *regions(table, on_map),
            *embeddedness(run_many, seeds),
            *hysteresis(run_many, seeds),
        ]
    return sorted([*claims, *_verify_quickly(seeds)], key=lambda claim: claim.pattern), table


def as_markdown(claims: Sequence[PatternClaim]) -> str:
    """A page with the table of claims."""
    passed = sum(claim.passed for claim in claims)
    lines = [
        "# Patterns that the model must show",
        "",
        "Written by `district-sim verify --out DIR`. The model was calibrated on seeds 0-99 only;",
        f"{passed} of {len(claims)} claims hold. Pattern 0 is the calm of the first district; the patterns are",
        "numbered as in docs/odd.md.",
        "",
        "![Futures over openness and collective action](map.png)",
        "",
        "Each square is a point of the plane; the widths of its colours are the shares of seeds.",
        "",
    ]
    lines += ["| pattern | claim | target | measured | | seeds |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {c.pattern} | {c.claim} | {c.target} | {c.measured} | {'pass' if c.passed else '**fail**'} | {c.seeds} |"
        for c in claims
    ]
    return "\n".join(lines) + "\n"
