"""Patterns of any district: calm, embeddedness, hysteresis."""

from collections.abc import Sequence
from typing import Any

from district_sim.evidence.patterns.claims import (
    Outcome,
    Pattern,
    PatternClaim,
    arms,
    by_arm,
    half,
    mean_and_error,
    means,
    named,
)


def calm(seeds: Sequence[int]) -> Pattern:
    """Pattern 0, the first district: forty calm quarters leave it roughly as it was."""

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        claims = []
        for name in ("firms", "employment", "tacit_mean", "codified_mean", "trust"):
            changes = [o.mean(name, slice(-4, None)) / o.mean(name, slice(4)) - 1.0 for o in outcomes]
            mean, error = mean_and_error(changes)
            text, measured = f"{name} after 40 calm quarters", f"{mean:+.1%} ± {1.96 * error:.1%}"
            claims.append(PatternClaim(0, text, "within 10 %", measured, abs(mean) <= 0.1, named(seeds)))
        return claims

    return Pattern(arms(seeds, ("baseline", {"run.quarters": 40})), judge)


def closure_levers(closure: float) -> dict[str, Any]:
    """A district of a given closure (shared identity, triadic closure of ties) that meets a technological break.

    No globalisation; in quarter 80 a technology with a quality jump of 50 % ripens, which rivals abroad adopt.
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


def embeddedness(seeds: Sequence[int]) -> Pattern:
    """Pattern 4: closure helps in calm and hurts after a technological break (Grabher 1993)."""
    some = half(seeds)

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        loose, dense = by_arm(outcomes, some)
        claims = []
        for text, window, sign in (
            ("more closure, more productivity in calm", slice(40, 80), 1.0),
            ("more closure, less productivity after a technological break", slice(120, 160), -1.0),
        ):
            gaps = [d.mean("productivity", window) - low.mean("productivity", window)
                    for low, d in zip(loose, dense, strict=True)]  # fmt: skip
            mean, error = mean_and_error(gaps)
            measured = f"{mean:+.3f} ± {1.96 * error:.3f} k€ per employee"
            target = "> 0 (95 % interval)" if sign > 0 else "< 0 (95 % interval)"
            claims.append(PatternClaim(4, text, target, measured, sign * mean - 1.96 * error > 0.0, named(some)))
        return claims

    return Pattern(arms(some, *(("baseline", closure_levers(closure)) for closure in (0.1, 0.9))), judge)


def hysteresis(seeds: Sequence[int]) -> Pattern:
    """Pattern 5: withdrawing the match early loses what later withdrawal keeps."""
    some = half(seeds)
    ends = (60, 120)

    def levers(end: int) -> dict[str, Any]:
        return {"policies.0.end": end, "run.quarters": 200}

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        early, late = (means(part, "participation", slice(-20, None)) for part in by_arm(outcomes, some))
        gap, error = mean_and_error([b - a for a, b in zip(early, late, strict=True)])
        low, high = mean_and_error(early)[0], mean_and_error(late)[0]
        measured = f"{low:.2f} and {high:.2f}, difference {gap:.2f} ± {1.96 * error:.2f}"
        text = f"participation in quarters 181-200 after the match ended in quarter {ends[0]} and in quarter {ends[1]}"
        return [PatternClaim(5, text, "difference > 0.3", measured, gap - 1.96 * error > 0.3, named(some))]

    return Pattern(arms(some, *(("collective_entrepreneurship", levers(end)) for end in ends)), judge)
