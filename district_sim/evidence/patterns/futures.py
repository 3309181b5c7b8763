"""Patterns of the futures: one behaviour, four futures and a fifth route, and how firmly they stand."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from district_sim.evidence.patterns.claims import (
    Outcome,
    Pattern,
    PatternClaim,
    arms,
    by_arm,
    job,
    label_values,
    labels,
    named,
    tenth,
)
from district_sim.run.trajectories import FUTURES, Trajectory, classify
from district_sim.scenario.fields import Section
from district_sim.scenario.files import load_scenario
from district_sim.scenario.paths import schemas_at
from district_sim.scenario.sections import Scenario

HIERARCHY = "fragmentation_hierarchy"
SCENARIOS = (*(future.value for future in FUTURES), HIERARCHY)
"""The scenarios of the four futures; fragmentation has two routes."""
POINTS = 9  # of the map, on each axis
BEHAVIOUR = ("conduct", "agency", "innovation", "knowledge", "ties", "demography", "history")
"""Sections that say how firms behave: the same in all of them."""


def future_of(scenario: str) -> Trajectory:
    """The label that a scenario should get."""
    if scenario == HIERARCHY:
        return Trajectory.FRAGMENTATION
    return Trajectory.MARSHALLIAN_PERSISTENCE if scenario == "baseline" else Trajectory(scenario)


def four_futures(seeds: Sequence[int]) -> Pattern:
    """Patterns 1, 12, 21, 22: one district, one behaviour, four futures; the label is no disguised parameter."""
    expected = [*SCENARIOS, "baseline", "decline"]

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        claims, futures = [], []
        for name, part in zip(expected, by_arm(outcomes, seeds), strict=True):
            found = labels(part)[future_of(name)]
            number = 12 if name in SCENARIOS else 1
            text, measured = f"{name} ends in {future_of(name)}", f"{found} of {len(seeds)}"
            claims.append(PatternClaim(number, text, "95 of 100", measured, found >= 0.95 * len(seeds), named(seeds)))
            if name not in SCENARIOS:
                continue
            own = float(np.median([outcome.scores.of(future_of(name)) for outcome in part]))
            claims.append(
                PatternClaim(22, f"median own score of {name}", "0.5 to 0.98", f"{own:.2f}", own < 0.98, named(seeds))
            )
            futures += [(future_of(name), outcome.indicators) for outcome in part]
            if future_of(name) is Trajectory.FRAGMENTATION:
                claims.append(_route(name, part, seeds))
        return [*claims, _shuffled(futures, seeds), same_behaviour(), ends_of_ranges()]

    return Pattern(arms(seeds, *((name, {}) for name in expected)), judge)


def _route(name: str, part: list[Outcome], seeds: Sequence[int]) -> PatternClaim:
    by_takeover = sum(outcome.scores.route_takeover > outcome.scores.route_hierarchy for outcome in part)
    right = len(part) - by_takeover if name == HIERARCHY else by_takeover
    text = f"{name} takes the route by {'hierarchies' if name == HIERARCHY else 'takeovers'}"
    return PatternClaim(
        21, text, "90 of 100", f"{right} of {len(part)}", right >= 0.9 * len(part), named(seeds)
    )  # fmt: skip


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
    return PatternClaim(1, text, "right in at most 40 %", f"right in {share:.0%}", share <= 0.4, named(seeds))


def differing(scenario: str) -> dict[str, Any]:
    """Numbers by path in which a scenario differs from the baseline, policies apart."""
    own, base = load_scenario(scenario), load_scenario("baseline")
    return {
        f"{section}.{field}": value
        for section in Scenario.model_fields
        if isinstance(getattr(own, section), Section)
        for field, value in getattr(own, section)
        if value != getattr(getattr(base, section), field)
    }


def same_behaviour() -> PatternClaim:
    """Pattern 12: the scenarios differ in nothing that says how firms behave."""
    paths = [path for name in SCENARIOS for path in differing(name)]
    other = sorted({path for path in paths if path.split(".")[0] in BEHAVIOUR})
    text = f"parameters of {', '.join(BEHAVIOUR)} in which the five scenarios differ from the baseline"
    return PatternClaim(12, text, "none", ", ".join(other) or "none", not other, "none")


def ends_of_ranges() -> PatternClaim:
    """Pattern 21: no value that makes a future stands at an end of its range."""
    at_end = []
    for name in SCENARIOS:
        data = load_scenario(name).model_dump(mode="json")
        for path, value in differing(name).items():
            for schema in schemas_at(data, path):
                at_end += [f"{name}: {path}"] * (value in (schema.get("minimum"), schema.get("maximum")))
    text = "values of the five scenarios that differ from the baseline's and stand at an end of their range"
    return PatternClaim(21, text, "none", ", ".join(at_end) or "none", not at_end, "none")


ABLATIONS: dict[str, tuple[str, ...]] = {
    "fragmentation": ("takeover",),
    HIERARCHY: ("hierarchy",),
    "post_marshallian_node": ("global_sourcing", "pipelines"),
    "learning_region": ("radical_innovation", "policy"),
    "collective_entrepreneurship": ("collective_agency",),
}


def ablations(seeds: Sequence[int]) -> Pattern:
    """Pattern 2: without the mechanism that makes a trajectory, or with nobody ready to pay, it disappears."""
    cells: list[tuple[str, dict[str, Any]]] = [
        (name, {f"mechanisms.{switch}": False for switch in off}) for name, off in ABLATIONS.items()
    ]
    texts = [f"{name} without {' and '.join(off)}" for name, off in ABLATIONS.items()]
    starved = {"strategy.collective_action": 0.0, "policies": []}

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        claims = []
        for (name, _), text, part in zip(cells, texts, by_arm(outcomes, seeds), strict=True):
            found = labels(part)[future_of(name)]
            claims.append(
                PatternClaim(
                    2, text, "at most 5 of 100", f"{found} of {len(seeds)}", found <= 0.05 * len(seeds), named(seeds)
                )
            )
        return claims

    cells.append(("collective_entrepreneurship", starved))
    texts.append("collective_entrepreneurship starved of contributions")
    return Pattern(arms(seeds, *cells), judge)


def perturbed(scenario: str, seed: int, width: float) -> dict[str, Any]:
    """Overrides that move all values of strategy and institutions at random by up to `width` of themselves, jointly.

    Moved are the numbers of `strategy` (with those of `history`, by the same factor, unless the scenario changes
    them), `conduct` and `agency`, whatever else the scenario changes, and budgets and intensities of its policies.
    """
    rng = random.Random(seed)
    chosen, base = load_scenario(scenario), load_scenario("baseline")
    data = chosen.model_dump(mode="json")
    paths = [f"{section}.{field}" for section in ("strategy", "conduct", "agency")
             for field, value in getattr(chosen, section) if isinstance(value, float)]  # fmt: skip
    out: dict[str, Any] = {}
    for path in [*paths, *(path for path in differing(scenario) if path not in paths)]:
        section, field = path.split(".")
        if field.startswith("project_"):  # shares of one budget
            continue
        value = getattr(getattr(chosen, section), field) * (1.0 + width * (2.0 * rng.random() - 1.0))
        (schema,) = schemas_at(data, path)
        out[path] = min(schema["maximum"], max(schema["minimum"], value))
        if section == "strategy" and getattr(chosen.strategy, field) == getattr(base.history, field):
            out[f"history.{field}"] = out[path]
    if chosen.policies:
        out["policies"] = data["policies"]
        for item in out["policies"]:
            for field in ("budget", "budget_share", "intensity"):
                item[field] *= 1.0 + width * (2.0 * rng.random() - 1.0)
    return out


def no_knifes_edge(seeds: Sequence[int]) -> Pattern:
    """Pattern 20: each future stands although all values of strategy and institutions are a little different."""
    widths = ((0.2, 0.9), (0.4, 0.75))
    jobs = [job(name, seed, perturbed(name, seed, width))
            for width, _ in widths for name in SCENARIOS for seed in seeds]  # fmt: skip

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        parts = iter(by_arm(outcomes, seeds))
        claims = []
        for width, least in widths:
            for name in SCENARIOS:
                found = labels(next(parts))[future_of(name)]
                text = f"{name} with all values of strategy, conduct and institutions moved by up to ±{width:.0%}"
                passed = found >= least * len(seeds)
                measured = f"{found} of {len(seeds)}"
                claims.append(PatternClaim(20, text, f"{100 * least:.0f} of 100", measured, passed, named(seeds)))
        return claims

    return Pattern(jobs, judge)


def map_levers(openness: float, action: float) -> dict[str, Any]:
    """The plane of openness and public action, both 0..1: which levers they move.

    Openness makes buying abroad cheaper, and brings bidders for firms late (by its fourth power). Action is a public
    match for common projects first and, beyond one half, a technology policy in its place.
    """
    levers: dict[str, Any] = {
        "world.sourcing_fall": 0.05 + 0.45 * openness,
        "ownership.takeover_price": 8.0 + 60.0 * openness**4,
    }
    match, technology = (action, 0.0) if action <= 0.5 else (0.0, action)
    policies = [
        {"name": "match", "kind": "ppp_match", "budget_share": 0.012 * match},
        {"name": "centre", "kind": "technology_centre", "budget_share": 0.006 * technology},
        {"name": "training", "kind": "training_vouchers", "budget_share": 0.004 * technology},
        {"name": "research", "kind": "rd_subsidy", "budget_share": 0.004 * technology},
        {"name": "links", "kind": "export_vouchers", "budget_share": 0.006 * openness},
    ]
    levers["policies"] = [policy for policy in policies if policy["budget_share"] != 0.0]
    return levers


def map_jobs(seeds: Sequence[int], points: int = POINTS) -> tuple[pd.DataFrame, Pattern]:
    """Pattern 3: the plane of openness and action as a table to be filled (openness, action, seed), and its claims."""
    axis = np.linspace(0.0, 1.0, points)
    some = tenth(seeds)
    grid = [(float(u), float(v), seed) for u in axis for v in axis for seed in some]
    table = pd.DataFrame(grid, columns=["openness", "action", "seed"])

    def judge(outcomes: list[Outcome]) -> list[PatternClaim]:
        table["trajectory"] = label_values(outcomes)
        return regions(table, some)

    return table, Pattern([job("baseline", seed, map_levers(u, v)) for u, v, seed in grid], judge)


def regions(table: pd.DataFrame, seeds: Sequence[int]) -> list[PatternClaim]:
    """Pattern 3: on the plane of openness and action all four regions appear, with mixed borders."""
    cells = table.groupby(["openness", "action"])["trajectory"]
    major = cells.agg(lambda found: found.value_counts().index[0])
    pure = cells.agg(lambda found: found.nunique() == 1)
    claims = []
    for future in FUTURES:
        count = int((major == future.value).sum())
        text = f"{future.value} has its own region"
        claims.append(PatternClaim(3, text, "at least 2 points", f"{count} of {len(major)}", count >= 2, named(seeds)))
    mixed = int((~pure).sum())
    text = "seeds are mixed at the borders"
    claims.append(
        PatternClaim(3, text, "1 point to half of them", f"{mixed}", 1 <= mixed <= len(major) / 2, named(seeds))
    )
    return claims
