"""Acceptance: the patterns that must come out, each measured on stated seeds and compared with its target.

The model is calibrated on seeds 0-99 and reported on seeds 1000-1099 (`REPORT_SEEDS`).
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from district_sim.evidence.patterns import conduct, demography, districts, futures, history, kernels
from district_sim.evidence.patterns.claims import Job, Outcome, Pattern, PatternClaim, named, run_job, tenth
from district_sim.run.workers import Workers, compile_first

REPORT_SEEDS = range(1000, 1100)
MAP = "map"


def patterns(seeds: Sequence[int]) -> tuple[list[Pattern], dict[str, pd.DataFrame]]:
    """All patterns that are read off runs, and the maps, which are filled when their patterns are judged."""
    on_map, of_futures = futures.map_jobs(seeds)
    planes = {plane.name: history.plane_jobs(plane, seeds) for plane in history.PLANES}
    found = [
        districts.calm(seeds),
        futures.four_futures(seeds),
        futures.ablations(seeds),
        of_futures,
        districts.embeddedness(seeds),
        districts.hysteresis(seeds),
        demography.standstill(seeds),
        conduct.interaction(seeds),
        conduct.dilemma(seeds),
        conduct.price(seeds),
        conduct.policy_changes_conduct(seeds),
        *(pattern for _, pattern in planes.values()),
        futures.no_knifes_edge(seeds),
    ]
    return found, {MAP: on_map} | {name: table for name, (table, _) in planes.items()}


def runs_needed(seeds: Sequence[int]) -> int:
    """Runs that `verify` makes in parallel."""
    return sum(len(pattern.jobs) for pattern in patterns(seeds)[0])


def _on_states(seeds: Sequence[int]) -> list[PatternClaim]:
    """Patterns measured on the kernels and on states, without whole runs in parallel."""
    few = seeds[: max(2, len(seeds) // 20)]
    rows = [
        *kernels.fragmentation_stays(few),
        *kernels.inverted_u(few),
        *kernels.first_district(few),
        *kernels.fading_increments(few),
        *kernels.it_needs_people(few),
        *kernels.balances(few),
    ]
    some = tenth(seeds)
    lives = demography.survival(some)
    return [PatternClaim(*row[:5], seeds=named(part)) for part, found in ((few, rows), (some, lives)) for row in found]


def verify(
    seeds: Sequence[int] = REPORT_SEEDS,
    progress: Callable[[int], object] | None = None,
    workers: int | None = None,
) -> tuple[list[PatternClaim], dict[str, pd.DataFrame]]:
    """Measure all patterns.

    Args:
        seeds: runs per scenario and ablation; some patterns use a part of them, as their lines say.
        progress: called with the number of runs done, of `runs_needed`.
        workers: processes; 1 is this one; all cores by default.

    Returns:
        The claims by pattern, and the labels over the maps: `MAP` (columns openness, action, seed, trajectory) and
        those of `history.PLANES` (columns first, later, seed, trajectory).
    """
    compile_first()
    done = 0
    found, maps = patterns(seeds)
    claims: list[PatternClaim] = []
    with Workers(workers) as crew:

        def tell(*_: int) -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done)

        def run_many(jobs: Sequence[Job]) -> list[Outcome]:
            return crew.map(run_job, jobs, tell)

        for pattern in found:
            claims += pattern.judge(run_many(pattern.jobs))
    return sorted([*claims, *_on_states(seeds)], key=lambda claim: claim.pattern), maps


def map_labels() -> Mapping[str, tuple[str, str]]:
    """Axes of each map."""
    return {MAP: ("Openness: prices abroad, bids for firms", "Action: match, then technology policy")} | {
        plane.name: plane.labels for plane in history.PLANES
    }


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
        "![Futures over openness and action](map.png)",
        "",
        "Each square is a point of the plane; the widths of its colours are the shares of seeds. The maps of history",
        "(pattern 17) show the same cause in districts with other beginnings:",
        "",
        *(f"![{plane.labels[0]} and {plane.labels[1]}]({plane.name}.png)" for plane in history.PLANES),
        "",
    ]
    lines += ["| pattern | claim | target | measured | | seeds |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {c.pattern} | {c.claim} | {c.target} | {c.measured} | {'pass' if c.passed else '**fail**'} | {c.seeds} |"
        for c in claims
    ]
    return "\n".join(lines) + "\n"
