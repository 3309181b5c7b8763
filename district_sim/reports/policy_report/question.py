"""What a policy report asks, resolved: everything that decides its numbers, and nothing else."""

from __future__ import annotations

import math
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from district_sim.scenario.files import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from district_sim.experiments.ranges import Parameter
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.policy_files import Policy
    from district_sim.scenario.sections import Scenario

TOP = 5
"""Parameters to which the sensitivity of the verdict is shown."""
_SHARE_OF_DRAWS = 2.0 / 3.0  # of the runs of the sensitivity; the others go to the ends of the ranges of the TOP
_SHARE_OF_ENDS = 1.0 - _SHARE_OF_DRAWS
_FEWEST_DRAWS, _FEWEST_REPLICATES = 20, 2


@dataclass(frozen=True)
class Question:
    """A policy report before the first run."""

    name: str
    """Of the scenario, as it was given."""
    scenario: Scenario
    """The district without any policy: the counterfactual, of the length of the runs."""
    mixes: Mapping[str, tuple[Instrument, ...]]
    """Policy mixes by name, with the budgets that they have in the runs; the first is `none`."""
    files: Mapping[str, tuple[Policy, ...]]
    """The policy files that each mix was made of, as far as it was made of files."""
    outcome: str
    """The headline: on it the verdict is given."""
    replications: int
    seed: int
    interval: Literal["t", "bootstrap"]
    confidence: float
    discount: float
    since: int
    """The quarter on whose first day present values are taken, 0 the first of the run."""
    day: str
    """The same in words."""
    equal_cost: float | None
    parameters: tuple[Parameter, ...]
    """Uncertain parameters with their ranges."""
    all_calibrated: bool
    """Whether these are all the calibrated ones, and not named by the user."""
    sensitivity_runs: int
    text: str
    """The question in the user's words."""
    options: tuple[tuple[str, str], ...]
    """Of the command with their values, as far as they decide numbers."""

    @property
    def how(self) -> dict[str, Any]:
        """How differences and their intervals are computed: arguments of `experiments.compare`."""
        return {"interval": self.interval, "confidence": self.confidence, "seed": self.seed}

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the mixes; the first is the counterfactual."""
        return tuple(self.mixes)

    @property
    def begins(self) -> int:
        """The first quarter in which a policy could act, 0 the first of the run, at most the run's length."""
        starts = [item.start for mix in self.mixes.values() for item in mix]
        return min([*starts, self.scenario.run.quarters])

    @property
    def first_years(self) -> str:
        """What the years are called with which the last ones are compared."""
        return "first years" if self.scenario.calm_window == 0 else "calm years"

    @property
    def command(self) -> str:
        """The command that makes the report again."""
        return command_line(self.name, self.options)

    @property
    def plan(self) -> tuple[int, int]:
        """Draws of all uncertain parameters, and replicates at each end of the range of the most important ones.

        Raises:
            ScenarioError: `sensitivity_runs` is above 0, yet not enough.
        """
        return plan_of(self.sensitivity_runs, len(self.mixes), self.replications, min(TOP, len(self.parameters)))


def command_line(scenario: str, options: Sequence[tuple[str, str]]) -> str:
    """The command, an option a line."""
    return " \\\n  ".join(map(shlex.join, [["district-sim", "policy-report", scenario], *options]))


def plan_of(runs: int, cells: int, replications: int, top: int) -> tuple[int, int]:
    """How many draws, and how many replicates at each of 2 · `top` ends, a number of runs allows.

    Two thirds of the runs go to the draws, the rest to the ends, which are paired with the report's first replicates.

    Args:
        runs: in all; 0 is no sensitivity.
        cells: runs for each draw and replicate: the mixes, the counterfactual included.
        replications: of the report; no more are paired.
        top: parameters whose ends are looked at.

    Raises:
        ScenarioError: too few runs.
    """
    if runs == 0 or top == 0:
        return 0, 0
    replicates = min(replications, int(_SHARE_OF_ENDS * runs + 1e-9) // (2 * top * cells))
    draws = (runs - replicates * 2 * top * cells) // cells
    if replicates < _FEWEST_REPLICATES or draws < _FEWEST_DRAWS:
        least = math.ceil(cells * max(_FEWEST_DRAWS / _SHARE_OF_DRAWS, 2 * top * _FEWEST_REPLICATES / _SHARE_OF_ENDS))
        raise ScenarioError(f"--sensitivity-runs must be 0 or at least {least} for {cells - 1} policies, not {runs}")
    return draws, replicates


def calibrated(scenario: Scenario) -> list[str]:
    """Paths of the uncertain parameters: real numbers whose source is "calibrated", so ours, and that are not 0.

    Whole numbers and switches are structure and stay. Numbers that cannot be changed alone, such as one of several
    shares that sum to 1, stay as well; `ranges.choose` tells which.
    """
    from district_sim.experiments.ranges import choose
    from district_sim.scenario.paths import known_paths, scenario_schema, schemas_at, value_at

    data, found = scenario.model_dump(mode="json"), []
    for path in known_paths(scenario_schema(), data):
        schemas = schemas_at(data, path)
        if len(schemas) == 1 and schemas[0].get("type") == "number" and schemas[0].get("source") == "calibrated":
            if value_at(data, path):
                found.append(path)
    sections = list(dict.fromkeys(path.split(".")[0] for path in found if "." in path))
    chosen, _ = choose(scenario, sections)
    free = {parameter.path for parameter in chosen}
    return [path for path in found if path in free]


def named_files(text: str) -> tuple[Policy, ...]:
    """The policy files that a mix is made of, where it is made of files; see `policy_files.policy_mix`."""
    from district_sim.scenario.policy_files import load_policy
    from district_sim.scenario.texts import is_file

    found = []
    for name in [text] if is_file(text) else [part.strip() for part in text.split("+")]:
        with suppress(ScenarioError):  # none, own, or a scenario, whose policies are meant
            found.append(load_policy(name))
    return tuple(found)
