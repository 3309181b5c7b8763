"""Patterns of conduct: interaction, dilemma, price, policy (12 to 16 in docs/odd.md)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from district_sim.evidence.patterns.claims import (
    Outcome,
    Pattern,
    PatternClaim,
    arms,
    by_arm,
    half,
    labels,
    mean_and_error,
    means,
    named,
)
from district_sim.run.trajectories import Trajectory

LEARNING, COLLECTIVE = "learning_region", "collective_entrepreneurship"
MATCH = {"name": "match", "kind": "ppp_match", "budget_share": 0.006}
KEPT = "value_added_local"
WITHOUT_EXCHANGE: dict[str, dict[str, Any]] = {
    "without socialisation and combination": {
        "mechanisms.tacit_exchange": False,
        "mechanisms.combination": False,
    },
    "with nobody meeting anybody": {"knowledge.interaction": 0.0},
    "with trust frozen": {"mechanisms.trust": False},
}


def _means(parts: Sequence[Sequence[Outcome]], name: str) -> list[float]:
    return [float(np.mean(means(part, name))) for part in parts]


def _shown(values: Sequence[float], digits: int = 2) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)


def interaction(seeds: Sequence[int]) -> Pattern:
    """Pattern 13: without interactive learning no learning region (Asheim 1995; Jensen et al. 2007)."""

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        full, *without = by_arm(outcomes, seeds)
        claims = []
        for text, part in zip(WITHOUT_EXCHANGE, without, strict=True):
            found = labels(part)[Trajectory.LEARNING_REGION]
            claims.append(
                PatternClaim(13, f"learning_region {text}", "at most 10 of 100", f"{found} of {len(seeds)}",
                             found <= 0.1 * len(seeds), named(seeds))
            )  # fmt: skip
            gap, error = mean_and_error(
                [b / a - 1.0 for a, b in zip(means(full, KEPT), means(part, KEPT), strict=True)]
            )
            measured = f"{gap:+.0%} ± {1.96 * error:.0%}"
            claims.append(
                PatternClaim(13, f"value added kept, {text}", "less (95 % interval)", measured,
                             gap + 1.96 * error < 0.0, named(seeds))
            )  # fmt: skip
        return claims

    return Pattern(arms(seeds, (LEARNING, {}), *((LEARNING, off) for off in WITHOUT_EXCHANGE.values())), judge)


CONTRIBUTIONS = (0.0025, 0.015, 0.05, 0.08, 0.3)
SPILLOVERS = (0.0, 0.25, 0.5, 0.75)
ENDS = (50, 120)
WITHOUT_SERVICES = {"agency.project_half": 1.0, "agency.education_gain": 0.0, "mechanisms.collective_brand": False}


def dilemma(seeds: Sequence[int]) -> Pattern:
    """Pattern 14: contributing is a dilemma (Ostrom 1990; Fischbacher et al. 2001; Isaac, Schmidtz & Walker 1989)."""
    some = half(seeds)
    cells: list[tuple[str, dict[str, Any]]] = [
        *((COLLECTIVE, {"agency.contribution": rate}) for rate in CONTRIBUTIONS),
        *((COLLECTIVE, {"agency.spillover": share}) for share in SPILLOVERS),
        *((COLLECTIVE, {"policies": [MATCH | {"end": end}]}) for end in ENDS),
        *((COLLECTIVE, {"policies": [], "agency.contribution": rate}) for rate in CONTRIBUTIONS),
        (COLLECTIVE, WITHOUT_SERVICES),
    ]

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        parts = by_arm(outcomes, some)
        a, b = len(CONTRIBUTIONS), len(CONTRIBUTIONS) + len(SPILLOVERS)
        paid, spilt, ended, alone = parts[:a], parts[a:b], parts[b : b + len(ENDS)], parts[b + len(ENDS) : -1]
        joined, kept = _means(paid, "participation"), _means(paid, KEPT)
        riding, stays = _means(spilt, "participation"), _means(ended, "participation")
        most = max(_means(alone, "participation"))
        best, idle = int(np.argmax(kept)), _means(parts[-1:], "participation")[0]
        rows = [
            (
                f"participation at contributions of {_shown(CONTRIBUTIONS[1:], 3)}",
                "falling",
                _shown(joined[1:]),
                bool(np.all(np.diff(joined[1:]) <= 0.0) and joined[1] - joined[-1] > 0.3),
            ),
            (
                f"value added kept at contributions of {_shown(CONTRIBUTIONS, 4)}",
                "most inside",
                _shown([value / kept[0] for value in kept]) + " of the first",
                0 < best < a - 1 and kept[best] > 1.05 * max(kept[0], kept[-1]),
            ),
            ("participation at a contribution of 30 % of value added", "< 0.1", f"{joined[-1]:.2f}", joined[-1] < 0.1),
            (
                f"participation with spill-overs of {_shown(SPILLOVERS)}",
                "falling",
                _shown(riding),
                bool(np.all(np.diff(riding) <= 0.02) and riding[0] - riding[-1] > 0.3),
            ),
            (
                "largest participation without a match, at any of these contributions",
                "< 0.1",
                f"{most:.2f}",
                most < 0.1,
            ),
            ("participation in an agency whose money brings no services", "< 0.1", f"{idle:.2f}", idle < 0.1),
            (
                f"participation at the end, if the match ends in quarter {ENDS[0]} or {ENDS[1]}",
                "lost, stays",
                _shown(stays),
                stays[0] < 0.1 and stays[1] > 0.5,
            ),
        ]
        return [PatternClaim(14, *row, seeds=named(some)) for row in rows]

    return Pattern(arms(some, *cells), judge)


BIDS = (0.0, 10.0, 20.0, 40.0, 60.0)


def price(seeds: Sequence[int]) -> Pattern:
    """Pattern 15: the share sold rises in the price offered, from none at zero."""
    some = half(seeds)

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        shares = _means(by_arm(outcomes, some), "mne_turnover_share")
        rises = bool(np.all(np.diff(shares) > 0.0))
        text = f"multinationals' share of sales at bids of {_shown(BIDS, 0)} quarters of profit"
        return [
            PatternClaim(15, text, "0, then rising", _shown(shares), shares[0] == 0.0 and rises, named(some)),
        ]

    return Pattern(arms(some, *(("fragmentation", {"ownership.takeover_price": bid}) for bid in BIDS)), judge)


WINDOW = {"start": 40, "end": 80, "budget_share": 0.006}
DURING, AFTER = slice(70, 80), slice(120, 130)


def policy_changes_conduct(seeds: Sequence[int]) -> Pattern:
    """Pattern 16: grants change what firms choose to do, and that fades when they end."""
    some = half(seeds)
    kinds = {"rd_subsidy": "conduct_research", "exploration_grant": "conduct_exploration",
             "training_vouchers": "conduct_training"}  # fmt: skip

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        without, *parts = by_arm(outcomes, some)
        claims = []
        for (kind, trait), part in zip(kinds.items(), parts, strict=True):

            def change(quarters: slice, part: list[Outcome] = part, trait: str = trait) -> list[float]:
                pairs = zip(means(without, trait, quarters), means(part, trait, quarters), strict=True)
                return [b / a - 1.0 for a, b in pairs]

            mean, error = mean_and_error(change(DURING))
            left = float(np.mean(change(AFTER))) / mean
            measured = f"{mean:+.0%} ± {1.96 * error:.0%}; after ten years {left:.0%} of it are left"
            text = f"{kind} for ten years: change of {trait}"
            passed = mean - 1.96 * error > 0.0 and abs(left) < 0.5
            claims.append(PatternClaim(16, text, "rises; less than half left after ten years", measured, passed,
                                       named(some)))  # fmt: skip
        return claims

    cells = [("baseline", {"policies": [WINDOW | {"name": kind, "kind": kind}]}) for kind in kinds]
    return Pattern(arms(some, ("baseline", {}), *cells), judge)
