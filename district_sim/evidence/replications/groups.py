"""Business groups: few firms, many employees (Cainelli, Iacobucci & Morganti 2006)."""

from functools import partial
from typing import Any

import numpy as np

from district_sim.evidence.replications.baseline import (
    CALM,
    Found,
    Look,
    look,
    over_runs,
    points_of,
    points_sheet,
    seeds_of,
)
from district_sim.evidence.replications.claims import Claim, Evidence, Source, around
from district_sim.model.parameters import Parameters
from district_sim.run.run import quarters_of
from district_sim.run.snapshot import Snapshot
from district_sim.run.workers import Progress

GROUPS_2006 = Source("Cainelli, Iacobucci & Morganti", 2006, published="Regional Studies 40: 507-518")
PUBLISHED = {"firms": 0.0587, "employees": 0.3539, "size": 3.5}
RUNS = 300
"""Groups are few, so that their share of employment differs much between runs."""
_WORDS = {
    "firms": "Share of firms that belong to groups",
    "employees": "Share of employees in groups",
    "size": "Firms per group",
}
_MOMENTS = {0: "at the start, as it was set up", CALM: f"after {CALM} calm quarters"}


def in_groups(snapshot: Snapshot) -> dict[str, float]:
    """Share of firms and of employees in local business groups, leaders included, and firms per group."""
    firms = snapshot.firms
    members = firms["control"].isin(["leader", "group"])
    groups = int((firms["control"] == "leader").sum())
    return {
        "firms": float(members.mean()),
        "employees": float(firms["employees"][members].sum() / firms["employees"].sum()),
        "size": float(members.sum()) / groups if groups else np.nan,
    }


def measure(p: Parameters, seed: int) -> Found:
    """Groups before the first quarter and after the calm."""
    found: Found = {}
    for quarter, state, *_ in quarters_of(p, seed, CALM, _MOMENTS):
        if quarter in _MOMENTS:
            found |= {f"{name}_{quarter}": value for name, value in in_groups(Snapshot.of(state)).items()}
    return found


def groups(
    seed: int = 0, runs: int | None = None, progress: Progress | None = None, workers: int | None = None
) -> Evidence:
    """Share of firms in groups, of employees in groups, firms per group: as set up, and after the calm.

    What is set up only shows that sizes are as skewed as they should be; what is left after ten years of births,
    deaths, growth and acquisitions is the test.
    """
    runs = RUNS if runs is None else runs
    found = look([Look(measure, own) for own in seeds_of(seed, runs)], progress, workers)
    setting = {"scenario": "baseline", "quarters": CALM, "runs": runs, "seed": seed}
    names = {f"{name}_{quarter}": f"{_WORDS[name]} {when}" for quarter, when in _MOMENTS.items() for name in _WORDS}
    points = points_of(found, names)
    return Evidence(
        name="groups",
        title="Business groups: few firms, many employees (Cainelli, Iacobucci & Morganti 2006)",
        setting=setting,
        points=points,
        claims=_claims(found) if runs > 1 else (),
        sheet=points_sheet("Business groups", points, setting),
        draw=partial(_draw, found),
    )


def _claims(found: list[Found]) -> tuple[Claim, ...]:
    return tuple(
        around(f"{words} {when}", GROUPS_2006, over_runs(found, f"{name}_{quarter}"), PUBLISHED[name], 0.1)
        for quarter, when in _MOMENTS.items()
        for name, words in _WORDS.items()
    )


def _draw(found: list[Found]) -> Any:
    from district_sim import figures

    panels = {words: [over_runs(found, f"{name}_{quarter}") for quarter in _MOMENTS] for name, words in _WORDS.items()}
    return figures.beside_published(panels, ("start", f"quarter {CALM}"), list(PUBLISHED.values()), 0.1)
