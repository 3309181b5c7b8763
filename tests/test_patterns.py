"""The patterns of `verify`: runs to make, claims that judge them; judged here on made-up outcomes, which can fail."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from district_sim.evidence.patterns import conduct, futures, history
from district_sim.evidence.patterns.claims import Outcome, Pattern, arms, by_arm
from district_sim.evidence.patterns.verify import map_labels, patterns, runs_needed
from district_sim.run.trajectories import Scores, Trajectory
from district_sim.scenario.files import load_scenario

SEEDS = range(3000, 3004)


def outcome(label: Trajectory = Trajectory.LEARNING_REGION, **indicators: float) -> Outcome:
    """A run of 160 equal quarters."""
    table = pd.DataFrame({name: np.full(160, value) for name, value in indicators.items()})
    return Outcome(table, Scores(label, *[0.7] * 4, 0.7, 0.2, 1.0))


def verdicts(pattern: Pattern, outcomes: Sequence[Outcome]) -> list[bool]:
    assert len(outcomes) == len(pattern.jobs)
    return [claim.passed for claim in pattern.judge(list(outcomes))]


def test_every_run_is_counted() -> None:
    found, maps = patterns(SEEDS)
    assert runs_needed(SEEDS) == sum(len(pattern.jobs) for pattern in found)
    assert set(maps) == set(map_labels())


def test_outcomes_come_cell_by_cell() -> None:
    jobs = arms(SEEDS, ("baseline", {}), ("decline", {"run.quarters": 8}))
    assert [len(part) for part in by_arm([outcome()] * len(jobs), SEEDS)] == [len(SEEDS)] * 2
    assert {job.scenario for job in jobs[: len(SEEDS)]} == {"baseline"}


def test_the_five_scenarios_share_behaviour_and_stay_inside_ranges() -> None:
    assert futures.same_behaviour().passed
    assert futures.ends_of_ranges().passed


def test_what_differs_is_found() -> None:
    assert futures.differing("fragmentation") == {"ownership.takeover_price": 68.0}
    assert "strategy.identity" in futures.differing("fragmentation_hierarchy")


@pytest.mark.parametrize("scenario", futures.SCENARIOS)
def test_perturbed_scenarios_are_valid_reproducible_and_near(scenario: str) -> None:
    changes = futures.perturbed(scenario, 7, 0.4)
    assert changes == futures.perturbed(scenario, 7, 0.4)
    assert changes != futures.perturbed(scenario, 8, 0.4)
    moved, chosen = load_scenario(scenario, changes), load_scenario(scenario)
    assert moved.conduct.revision != chosen.conduct.revision
    assert moved.conduct.revision == pytest.approx(chosen.conduct.revision, rel=0.4)
    assert moved.history.research == moved.strategy.research, "what a scenario leaves as it was moves in both"
    for path, value in futures.differing(scenario).items():
        section, field = path.split(".")
        assert getattr(getattr(moved, section), field) == pytest.approx(value, rel=0.4)


def test_price_must_rise_from_nothing() -> None:
    pattern, count = conduct.price(SEEDS), len(SEEDS) // 2

    def sold(shares: Sequence[float]) -> list[Outcome]:
        return [outcome(mne_turnover_share=share) for share in shares for _ in range(count)]

    assert verdicts(pattern, sold([0.0, 0.1, 0.2, 0.4, 0.6])) == [True]
    assert verdicts(pattern, sold([0.1, 0.1, 0.2, 0.4, 0.6])) == [False]
    assert verdicts(pattern, sold([0.0, 0.2, 0.1, 0.4, 0.6])) == [False]


def test_interaction_must_be_needed() -> None:
    pattern, kept = conduct.interaction(SEEDS), {"value_added_local": 100.0}
    full = [outcome(**kept)] * len(SEEDS)
    without = [outcome(Trajectory.MARSHALLIAN_PERSISTENCE, value_added_local=80.0)] * (3 * len(SEEDS))
    assert all(verdicts(pattern, full + without))
    assert not any(verdicts(pattern, full * 4)), "the same region without exchange refutes every claim"


def test_history_must_matter() -> None:
    plane = history.PLANES[0]
    _, pattern = history.plane_jobs(plane, SEEDS)
    split = [
        outcome(
            Trajectory.COLLECTIVE_ENTREPRENEURSHIP
            if dict(job.overrides)["history.collective_action"] > 0.2
            else Trajectory.DECLINE
        )
        for job in pattern.jobs
    ]
    assert verdicts(pattern, split) == [True]
    assert verdicts(pattern, [outcome()] * len(pattern.jobs)) == [False]
