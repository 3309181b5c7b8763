"""Runs that share a past are the same to the bit as runs that do not."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from district_sim.experiments import Experiment
from district_sim.experiments.plan import make_plan
from district_sim.experiments.points import families
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.model.state import State
from district_sim.reports.policy_report.sensitivity import outcomes_under
from district_sim.run.kept_pasts import KeptPasts
from district_sim.run.run import Moment, quarters_of
from district_sim.run.shared_past import Pasts, begins, past_of
from district_sim.scenario.files import load_scenario

LENGTH = 24
SMALL: dict[str, Any] = {"firms.count": 40, "run.quarters": LENGTH, "strategy_start": 10, "world.onset": 6}
GRANT = {"name": "grant", "kind": "rd_subsidy", "start": 8, "budget": 60.0}
MATCH = {"name": "match", "kind": "ppp_match", "start": 12, "budget": 80.0}
SLUMP = {"name": "slump", "kind": "demand_slump", "start": 9, "size": 0.3, "duration": 4}
ARMS: list[dict[str, Any]] = [
    {},
    {"strategy.sale": 0.9, "strategy.offshoring": 0.4},
    {"policies": [GRANT]},
    {"policies": [MATCH, GRANT], "strategy.collective_action": 0.6},
    {"shocks": [SLUMP]},
    {"policies": [GRANT], "shocks": [SLUMP], "strategy_start": 14, "strategy.research": 0.1},
    {"policies": [MATCH]},
]


def setting(**more: Any) -> Parameters:
    return parameters_of(load_scenario("baseline", SMALL | more))


def alone(p: Parameters, seed: int) -> Moment:
    *_, end = quarters_of(p, seed, LENGTH)
    return end


def parts(state: State) -> list[np.ndarray]:
    """All of a state but its spare rows and what kernels jot down."""
    rows = int(state.clock.rows[0])
    found = []
    for name in State._fields:
        if name == "scratch":
            continue
        for part in getattr(state, name) if isinstance(getattr(state, name), tuple) else (getattr(state, name),):
            found.append(part[:rows] if part.shape[:1] == (state.firms.size,) else part)
    return found


def same(one: Moment, other: Moment) -> None:
    assert one.done == other.done
    assert one.table.tobytes() == other.table.tobytes()
    assert one.reports.tobytes() == other.reports.tobytes()
    for mine, theirs in zip(parts(one.state), parts(other.state), strict=True):
        for name in mine.dtype.names or ("",):  # what pads records says nothing
            assert np.array_equal(mine[name] if name else mine, theirs[name] if name else theirs, equal_nan=True), name


@pytest.mark.parametrize("order", [range(len(ARMS)), range(len(ARMS) - 1, -1, -1)])
def test_every_arm_is_the_run_that_it_would_be_alone(order: range) -> None:
    pasts = Pasts()
    for number in order:
        p = setting(**ARMS[number])
        *_, shared = pasts.quarters(p, past_of(p), 7, LENGTH)
        same(shared, alone(p, 7))
    assert pasts.simulated < len(ARMS)  # some were shared


def test_an_arm_that_never_differs_serves_those_that_do() -> None:
    pasts = Pasts()
    for more in ({}, {"strategy.sale": 0.9}, {"policies": [MATCH]}):
        p = setting(**more)
        *_, shared = pasts.quarters(p, past_of(p), 7, LENGTH)
        same(shared, alone(p, 7))
    assert pasts.simulated == 1


def test_what_was_kept_is_not_changed_by_those_who_go_on_from_it() -> None:
    pasts, p = Pasts(), setting(policies=[GRANT])
    ends = [[*pasts.quarters(p, past_of(p), 3, LENGTH)][-1] for _ in range(3)]
    assert pasts.simulated == 1
    for end in ends[1:]:
        same(ends[0], end)


def test_the_past_ends_where_the_first_difference_can_be() -> None:
    assert begins(setting()) > LENGTH
    assert begins(setting(**{"strategy.sale": 0.9})) == 10
    assert begins(setting(policies=[GRANT, MATCH])) == 8
    assert begins(setting(shocks=[SLUMP], policies=[MATCH])) == 9


def test_who_has_another_world_has_another_past() -> None:
    base = past_of(setting())
    assert past_of(setting(**{"strategy.sale": 0.9})) == base
    assert past_of(setting(policies=[GRANT])) == base
    for path, value in (("world.globalisation", 0.2), ("history.sale", 0.3), ("firms.count", 41), ("ties.wanted", 9.0)):
        assert past_of(setting(**{path: value})) != base, path
    assert past_of(setting(**{"mechanisms.trust": False})) != base


def test_a_break_that_ripens_a_technology_early_is_no_shared_past() -> None:
    shock = {"name": "break", "kind": "technological_break", "start": 12, "size": 0.3}
    assert past_of(setting(shocks=[shock])) != past_of(setting())


def test_signposts_watch_from_the_first_quarter_and_share_nothing() -> None:
    waits = GRANT | {"when": [{"indicator": "unemployment", "above": 0.01, "quarters": 2, "then": "start"}]}
    p = setting(policies=[waits])
    assert begins(p) == 0
    pasts = Pasts()
    *_, end = pasts.quarters(p, past_of(p), 5, LENGTH)
    same(end, alone(p, 5))
    assert pasts.simulated == 0


def test_mixes_of_a_policy_report_share_theirs() -> None:
    experiment = Experiment(
        scenarios=("baseline",),
        policies={"none": (), "grant": (GRANT,), "match": (MATCH,)},  # type: ignore[dict-item]
        replications=1,
        set=SMALL,
    )
    bases = {("", mix): data for (_, mix), data in make_plan(experiment).bases.items()}
    cells = [mix for _, mix in bases]
    job = ({"ownership.takeover_price": 40.0}, 3)
    together = outcomes_under(bases, cells, "employment", job)
    assert together == tuple(outcomes_under(bases, [cell], "employment", job)[0] for cell in cells)
    assert len(set(together)) > 1


def test_other_seeds_and_lengths_have_other_pasts() -> None:
    pasts, p = Pasts(most=1), setting()
    for seed, length in ((1, 12), (2, 12), (1, 13), (1, 12)):
        *_, end = pasts.quarters(p, past_of(p), seed, length)
        assert end.done == length
    assert pasts.simulated == 4


def test_points_with_one_past_stand_together() -> None:
    plan = make_plan(
        Experiment(
            scenarios=("baseline",),
            vary={"strategy.sale": (0.1, 0.5), "world.globalisation": (0.5, 1.0)},
            replications=2,
            set=SMALL,
        )
    )
    found = sorted(families(plan.points, plan.bases))
    assert found == [[0, 2], [1, 3]]
    many = make_plan(Experiment(scenarios=("baseline",), vary={"strategy.sale": tuple(np.linspace(0, 1, 70))}))
    assert [len(part) for part in families(many.points, many.bases)] == [32, 32, 6]


def test_the_next_command_goes_on_from_what_is_on_disk(tmp_path: Path) -> None:
    arms = [setting(**more) for more in ({}, {"strategy.sale": 0.9}, {"policies": [MATCH]})]
    folder = tmp_path / "pasts"
    for command in range(2):
        pasts = Pasts(disk=KeptPasts(folder))
        for p in arms:
            *_, shared = pasts.quarters(p, past_of(p), 7, LENGTH)
            same(shared, alone(p, 7))
        assert pasts.simulated == 1 - command
    assert [path.suffix for path in folder.iterdir()] == [".past"]


def test_a_past_that_serves_once_is_not_written(tmp_path: Path) -> None:
    pasts = Pasts(disk=KeptPasts(tmp_path / "pasts"))
    p = setting(policies=[GRANT])
    for seed in range(3):
        *_, _ = pasts.quarters(p, past_of(p), seed, LENGTH)
    assert not (tmp_path / "pasts").exists()


def test_a_past_that_ends_too_late_is_simulated_anew(tmp_path: Path) -> None:
    late, early = setting(**{"strategy.sale": 0.9}), setting(policies=[GRANT])
    for _ in range(2):
        pasts = Pasts(disk=KeptPasts(tmp_path))
        for p in (late, late, early, early):
            *_, shared = pasts.quarters(p, past_of(p), 7, LENGTH)
            same(shared, alone(p, 7))


@pytest.mark.parametrize("damage", [b"", b"short", bytes(5000)])
def test_a_damaged_past_is_simulated_anew(tmp_path: Path, damage: bytes) -> None:
    p = setting(policies=[GRANT])
    for _ in range(2):
        pasts = Pasts(disk=KeptPasts(tmp_path))
        for _ in range(2):
            *_, shared = pasts.quarters(p, past_of(p), 7, LENGTH)
        same(shared, alone(p, 7))
        assert pasts.simulated == 1
        (written,) = tmp_path.iterdir()
        written.write_bytes(damage)


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    disk = KeptPasts(tmp_path / "file" / "pasts")
    disk.write("key", "past")
    assert disk.read("key") is None


def test_those_used_longest_ago_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.run.kept_pasts.MOST_BYTES", 2500)
    disk = KeptPasts(tmp_path)
    for number in range(4):
        disk.write(number, bytes(1000))
        for age, path in enumerate(sorted(tmp_path.iterdir(), key=lambda path: -path.stat().st_mtime)):
            os.utime(path, (1e9 - age, 1e9 - age))
        if number == 2:
            assert disk.read(1) == bytes(1000)
    assert [disk.read(number) is not None for number in range(4)] == [False, True, False, True]
