"""Barter, giving and the model's own socialisation on the same networks: which network is best depends on the rule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from district_sim.evidence.replications.claims import (
    Basis,
    Claim,
    Evidence,
    Source,
    interval_of,
    mean_and_error,
    one_sided,
    shown,
)
from district_sim.evidence.replications.exchange import REWIRING, Agents, Graph, Moments, Rule, under_rules
from district_sim.run.workers import Progress

RUNS = 40
MOMENTS = {Rule.BARTER: (20_000, 1_000_000), Rule.GIVING: (20_000, 1_000_000), Rule.SOCIALISATION: (500, 4_000)}
"""On the way, and in the long run: meetings, or quarters of socialisation."""
STAGES = ("on the way", "in the long run")
SMALL_WORLD, RING, RANDOM = 0.1, 0.0, 1.0

BARTER_2004 = Source("Cowan & Jonard", 2004, "10.1016/j.jedc.2003.04.002")
OPPORTUNITY_2008 = Source("Cassi & Zirulia", 2008, "10.1007/s00191-007-0073-5")

type Found = Mapping[Rule, Sequence[Moments]]


def rules(
    seed: int = 0, runs: int | None = None, progress: Progress | None = None, workers: int | None = None
) -> Evidence:
    """The same agents on the same networks under three rules, on the way and in the long run.

    Under barter nobody learns without something to offer, and the small world is best. Giving and the model's
    socialisation ask nothing in return. See `socialisation` for what is switched off.
    """
    runs = RUNS if runs is None else runs
    found = under_rules(REWIRING, MOMENTS, runs, seed, progress, workers)
    points = [
        {"rule": rule.value, "stage": stage, "steps": MOMENTS[rule][m], "rewiring": share}
        | {**part.summary(m), "runs": runs}
        for rule, parts in found.items()
        for m, stage in enumerate(STAGES)
        for share, part in zip(REWIRING, parts, strict=True)
    ]
    named = asdict(Graph()) | asdict(Agents()) | {"runs": runs, "seed": seed}
    del named["meetings"], named["rule"]
    return Evidence(
        name="rules",
        title="Barter, giving and the model's socialisation on the same networks",
        setting=named,
        points=points,
        claims=_claims(found) if runs > 1 else (),
        sheet=_sheet(points, named),
        draw=partial(_draw, points),
    )


def _claims(found: Found) -> tuple[Claim, ...]:
    def at(rule: Rule, name: str, share: float, stage: int) -> np.ndarray:
        values: np.ndarray = getattr(found[rule][REWIRING.index(share)], name)[:, stage]
        return values

    def lead(rule: Rule, name: str, over: float, stage: int) -> np.ndarray:
        """Log points by which the small world is ahead, in each run."""
        return np.log(at(rule, name, SMALL_WORLD, stage) / at(rule, name, over, stage))

    barter, giving, social = Rule.BARTER, Rule.GIVING, Rule.SOCIALISATION
    way, end = STAGES
    small = "small world (p = 0.1)"
    apart = lead(barter, "mean", RANDOM, 1) - lead(social, "mean", RANDOM, 0)
    return (
        _sign(
            f"Barter {end}: mean of the {small} over that at random", lead(barter, "mean", RANDOM, 1), 1, BARTER_2004
        ),
        _sign(f"Socialisation {way}: mean of the {small} over that on the ring", lead(social, "mean", RING, 0), 1),
        _sign(f"Socialisation {way}: mean of the {small} over that at random", lead(social, "mean", RANDOM, 0), -1),
        _sign(f"Giving {way}: mean of the {small} over that at random", lead(giving, "mean", RANDOM, 0), -1),
        _sign("It depends on the rule: this lead over random, barter less socialisation", apart, 1, basis="published"),
        _sign(f"Barter {end}: CV of the {small} over that at random", lead(barter, "cv", RANDOM, 1), -1, BARTER_2004),
        _sign(f"Socialisation {way}: CV of the {small} over that at random", lead(social, "cv", RANDOM, 0), 1),
        _none(f"Socialisation {end}: mean on the ring over that at random", social, found),
        _none(f"Giving {end}: mean on the ring over that at random", giving, found),
    )


def _sign(
    text: str, values: np.ndarray, sign: int, source: Source = OPPORTUNITY_2008, basis: Basis = "derived"
) -> Claim:
    """That a paired log ratio is on one side of zero."""
    told: Basis = "published" if source is BARTER_2004 else basis
    claim = one_sided(text, source, values, sign, told)
    return replace(claim, target=f"{claim.target} log points")


def _none(text: str, rule: Rule, found: Found) -> Claim:
    """That no network is ahead."""
    ring, random = (found[rule][REWIRING.index(share)].mean[:, 1] for share in (RING, RANDOM))
    value, error = mean_and_error(ring / random)
    low, high = interval_of(value, error)
    passed = low >= 0.99 and high <= 1.01
    return Claim(text, OPPORTUNITY_2008, "derived", "1 within 0.01", value, error, (low, high), len(ring), passed)


def _sheet(points: Sequence[Mapping[str, Any]], setting: Mapping[str, Any]) -> Any:
    from district_sim.text.sheet import Sheet

    rows = [
        (
            f"{point['rule']}, {point['stage']}",
            f"{point['rewiring']:g}",
            *(shown(point[name], point[f"{name}_se"]) for name in ("mean", "variance", "cv")),
        )
        for point in points
    ]
    when = ", ".join(f"{rule.value} {way:,} and {end:,}" for rule, (way, end) in MOMENTS.items())
    note = (
        f"On the way and in the long run, after so many meetings, or quarters of socialisation: {when}. Mean of "
        "knowledge; variance and coefficient of variation of agents' mean knowledge. ±: standard error over runs. "
    )
    note += ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items())
    columns = ("Rule", "p", "Mean", "Variance", "Coefficient of variation")
    return Sheet.plain("Knowledge under three rules", columns, rows, f"{note}.", left=1)


def _draw(points: Sequence[Mapping[str, Any]]) -> Any:
    from district_sim import figures

    return figures.rules_beside(points)
