"""Random joint extremes of every parameter: each run is finite and balanced, or refused. From the repository's top:

    python -m tests.extremes --draws 2000 --seed 0

The same seed makes the same draws, `--first N` begins with a later one, and `--only N` repeats one. Every quarter is
checked: money, people, firms and ties balance, shares lie in [0, 1], everything is finite, and an indicator is NaN only
where its rule says so. Exit code 1 if a draw failed or took over a minute of processor time.
"""

import argparse
import json
import random
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # as pytest does
from balance import check_all

from district_sim.model.parameters import parameters_of
from district_sim.run.run import ended_early, quarters_of, simulate
from district_sim.run.trajectories import Trajectory
from district_sim.run.whole_files import json_text
from district_sim.scenario.fields import Section
from district_sim.scenario.instruments import Funding, InstrumentKind, ShockKind, Targeting
from district_sim.scenario.interventions import Instrument
from district_sim.scenario.sections import Scenario, Strategy

SECONDS = 60.0
_QUARTERS, _FIRMS = (2, 3, 20, 44, 80), (10, 11, 30, 60)
_SOON = (0, 1, 5, 20)  # quarters in which something begins: of a long run's thousand nothing would be seen
_KEPT = {"technology": ("domains", "phases"), "ties": ("maximum",), "run": ("quarters",), "firms": ("count",)}
"""Drawn by hand: the model is compiled for each number of domains, phases and ties, for a minute or two."""
_SMALLEST = {"technology": {"domains": 2, "phases": 2}, "ties": {"maximum": 2}}


@dataclass
class Found:
    """How the draws ended."""

    ended: Counter[str] = field(default_factory=Counter)
    """By label, or "refused", "outgrown"."""
    failed: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    undefined: Counter[str] = field(default_factory=Counter)
    """Runs in which an indicator was undefined in some quarter."""
    died: int = 0
    longest: float = 0.0
    """Seconds of processor time, of which a busy machine does not take away."""


def _number(limits: Any, luck: random.Random, wild: float) -> Any:
    """A value of a field: mostly an end of its range where `wild` is 1, mostly its default where it is 0."""
    low = next(float(part.ge) for part in limits.metadata if hasattr(part, "ge"))
    high = next(float(part.le) for part in limits.metadata if hasattr(part, "le"))
    whole = limits.annotation is not float
    if whole and high > 1000:  # quarters without an end
        return luck.choice([value for value in (*_SOON, 200) if value >= low])
    if luck.random() > wild and not limits.is_required() and limits.default is not None:
        return limits.default
    value = luck.choice((low, low, high, high, luck.uniform(low, high), low + (high - low) * luck.random() ** 8))
    return round(value) if whole else value


def _section(kind: type[Section], luck: random.Random, wild: float, leave: tuple[str, ...] = ()) -> dict[str, Any]:
    drawn = {
        name: _number(limits, luck, wild)
        for name, limits in kind.model_fields.items()
        if name not in leave and limits.annotation in (int, float)
    }
    if kind is Strategy:
        projects = [name for name in drawn if name.startswith("project_")]
        weights = [luck.choice((0.0, 0.0, luck.random())) for _ in projects]
        whole = sum(weights)
        shares = [weight / whole for weight in weights] if whole else [1.0, *([0.0] * (len(projects) - 1))]
        drawn |= zip(projects, shares, strict=True)
    return drawn


def _instrument(number: int, luck: random.Random, wild: float) -> dict[str, Any]:
    kind = luck.choice(list(InstrumentKind))
    drawn = _section(Instrument, luck, wild) | {"name": f"{number} {kind}", "kind": kind}
    drawn["start"], drawn["end"] = luck.choice(_SOON), luck.choice((30, 1000))
    drawn["budget"] = luck.choice((0.0, 30.0, 1e4, 1e9))
    drawn["target"] = luck.choice(list(Targeting)) if kind.record.targeted else Targeting.ALL
    drawn["funded_by"] = luck.choice(list(Funding))
    return drawn


def _shock(number: int, luck: random.Random) -> dict[str, Any]:
    kind = luck.choice(list(ShockKind))
    drawn = {"name": f"{number} {kind}", "kind": kind, "start": luck.choice(_SOON)}
    drawn["size"] = luck.choice((kind.record.low, kind.record.high, luck.uniform(kind.record.low, kind.record.high)))
    return (
        drawn if kind.record.event else drawn | {"duration": luck.choice((0, 3, 1000)), "recovery": luck.choice(_SOON)}
    )


def drawn(number: int, seed: int, smallest: bool = False) -> tuple[dict[str, Any], int]:
    """The draw of a number: a scenario's values and the seed of its run.

    Args:
        smallest: a district of the fewest domains, phases and ties that a firm may have.
    """
    luck = random.Random(f"{seed} {number}")
    wild = luck.choice((0.05, 0.3, 1.0))
    values: dict[str, Any] = {}
    for name, limits in Scenario.model_fields.items():
        kind = limits.annotation
        if name == "mechanisms":
            off = luck.choice((0.0, 0.1, 0.5))
            values[name] = {switch: luck.random() >= off for switch in kind.model_fields}
        elif isinstance(kind, type) and issubclass(kind, Section):
            values[name] = _section(kind, luck, wild, _KEPT.get(name, ()))
    values["run"]["quarters"], values["firms"]["count"] = luck.choice(_QUARTERS), luck.choice(_FIRMS)
    values["strategy_start"] = luck.choice(_SOON)
    values["policies"] = [_instrument(k, luck, wild) for k in range(luck.choice((0, 0, 1, 4)))]
    values["shocks"] = [_shock(k, luck) for k in range(luck.choice((0, 0, 1, 3)))]
    if smallest:
        for name, fixed in _SMALLEST.items():
            values[name] |= fixed
    return values, luck.randrange(2**64)


def check(values: dict[str, Any], seed: int, found: Found) -> str:
    """Run a draw with all checks; how it ended. Raises `AssertionError`, and whatever else is wrong."""
    try:
        scenario = Scenario.model_validate(json.loads(json.dumps(values)), strict=False)
    except ValueError as error:
        return f"refused: {str(error).splitlines()[-2].strip()[:60]}"
    p, length = parameters_of(scenario), scenario.run.quarters
    people, before = None, np.zeros(0, bool)
    for now in quarters_of(p, seed, length, range(length)):
        alive = now.state.firms.alive
        if people is None:
            people = float(now.state.accounts.people.sum())
        elif now.done:
            check_all(now.state, people, np.pad(before, (0, alive.size - before.size)), now.table[-1])
        before = alive.copy()
    run = simulate(scenario, seed)
    assert run.table.tobytes() == now.table.tobytes(), "the same run again differs"
    json_text(run.summary())
    undefined = np.isnan(now.table).any(axis=0)
    found.undefined.update(name for name, some in zip(run.names, undefined, strict=True) if some)
    if not alive.any():
        found.died += 1
        assert run.trajectory is Trajectory.DECLINE, "a district that died is decline"
    if now.done < length:
        assert ended_early(now.state, p)
        return "outgrown"
    return str(run.trajectory or "no label")


def draws(count: int, seed: int, smallest: bool = False, first: int = 0) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Number, values and seed of so many draws."""
    for number in range(first, first + count):
        yield number, *drawn(number, seed, smallest)


def extremes(count: int, seed: int, smallest: bool = False, first: int = 0) -> Found:
    """Make so many draws and check each."""
    found = Found()
    for number, values, own in draws(count, seed, smallest, first):
        begun = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                found.ended[check(values, own, found)] += 1
        except Exception:
            found.failed.append(f"{number}: {traceback.format_exc()[-700:]}")
        seconds = time.process_time() - begun
        if number > first:  # the first one may have compiled
            found.longest = max(found.longest, seconds)
            if seconds > SECONDS:
                found.slow.append(f"{number}: {seconds:.1f} s")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="begin with this draw, so as to make all in parts"
    )
    parser.add_argument("--only", type=int, metavar="N", help="repeat one draw, and show its values")
    parser.add_argument("--smallest", action="store_true", help="districts of two domains, two phases, two ties a firm")
    asked = parser.parse_args()
    if asked.only is not None:
        values, own = drawn(asked.only, asked.seed, asked.smallest)
        print(json.dumps(values, indent=1), check(values, own, Found()), sep="\n")
        return 0
    found = extremes(asked.draws, asked.seed, asked.smallest, asked.first)
    for how, count in found.ended.most_common():
        print(f"{count:6} {how}")
    print(f"died: {found.died}; undefined somewhere: {found.undefined.most_common()}")
    print(f"draws {asked.draws}, longest {found.longest:.1f} s")
    for what in ("failed", "slow"):
        print(f"{what}: {len(getattr(found, what))}", *getattr(found, what), sep="\n  ")
    return 1 if found.failed or found.slow else 0


if __name__ == "__main__":
    sys.exit(main())
