"""What a policy report asks, resolved: everything that decides its numbers, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from district_sim.reports.pages import command_line
from district_sim.scenario.files import ScenarioError
from district_sim.text.names import heading, years_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from district_sim.experiments.design import Draws
    from district_sim.reports.policy_report.uncertain import Uncertain
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.policy_files import Policy
    from district_sim.scenario.sections import Scenario

TOP = 5
"""Parameters to which the sensitivity of the verdict is shown."""
_SHARE_OF_DRAWS = 2.0 / 3.0  # of the runs of the sensitivity; the others go to the ends of the ranges of the TOP
_SHARE_OF_ENDS = 1.0 - _SHARE_OF_DRAWS
_FEWEST_DRAWS, _FEWEST_REPLICATES = 20, 2
_RUNS_OF_A_REPORT = 1500
_DRAWS_OF_A_BRIEF = 60  # the share of them in which the verdict stays is known within 13 points


@dataclass(frozen=True)
class Question:
    """A policy report before the first run."""

    name: str
    """Of the scenario, as it was given."""
    scenario: Scenario
    """The district without any policy: the counterfactual, of the length of the runs."""
    words: Mapping[str, str]
    """Title and description of the district, as far as its own file says them."""
    mixes: Mapping[str, tuple[Instrument, ...]]
    """Policy mixes by title, with the budgets that they have in the runs; the first is no policy."""
    names: Mapping[str, str]
    """What each mix is called in data, commands and files: the names that were given."""
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
    uncertain: Uncertain
    """Which parameters are uncertain, and between what."""
    draws: Draws | None
    """Draws of the parameters from a posterior, one for each replicate."""
    sensitivity_runs: int
    text: str
    """The question in the user's words."""
    options: tuple[tuple[str, ...], ...]
    """Of the command with their values, as far as they decide numbers."""
    warning: str = ""
    """What a reader must know of the posterior before they believe what follows; empty if nothing."""
    brief: bool = False
    """Whether two pages are wanted: then all parameters are drawn at once, and none is set to the ends of its range."""

    @property
    def how(self) -> dict[str, Any]:
        """How differences and their intervals are computed: arguments of `experiments.compare`."""
        return {"interval": self.interval, "confidence": self.confidence, "seed": self.seed}

    @property
    def cells(self) -> tuple[str, ...]:
        """Titles of the mixes; the first is the counterfactual."""
        return tuple(self.mixes)

    @property
    def title(self) -> str:
        """Of the district: its own, or the name of its file."""
        return self.words.get("title") or heading(PurePath(self.name).stem)

    @property
    def told_luck(self) -> str:
        """What a district and its counterfactual share."""
        return "the same luck" if self.draws is None else "the same luck and the same draw of parameters"

    @property
    def told_band(self) -> str:
        """What is uncertain in the bands."""
        return "luck" if self.draws is None else "luck and parameters"

    @property
    def counted(self) -> str:
        """The years to which the headline outcome belongs."""
        from district_sim.run.trajectories import windows

        quarters = self.scenario.run.quarters
        late = windows(quarters, self.scenario.calm_window or None)[1] if self.outcome.endswith("_late") else 1
        return years_name(self.scenario.run.calendar, quarters - late, quarters)

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
        return command_line("policy-report", self.name, self.options)

    @property
    def plan(self) -> tuple[int, int]:
        """Draws of all uncertain parameters, and replicates at each end of the range of the most important ones.

        None where the report's own runs have draws.

        Raises:
            ScenarioError: `sensitivity_runs` is above 0, yet not enough.
        """
        if self.draws is not None:  # the report's own runs are the test
            return 0, 0
        top = min(TOP, len(self.uncertain.parameters))
        if self.brief:
            return brief_draws(self.sensitivity_runs if top else 0, len(self.mixes)), 0
        return plan_of(self.sensitivity_runs, len(self.mixes), self.replications, top)

    @property
    def runs(self) -> tuple[int, int]:
        """How many runs the report makes, and how many more the test of what the verdict hangs on."""
        draws, replicates = self.plan
        ends = 2 * min(TOP, len(self.uncertain.parameters)) * replicates
        return len(self.mixes) * self.replications, len(self.mixes) * (draws + ends)


def default_runs(brief: bool, cells: int) -> int:
    """Runs of the test of what the verdict hangs on: few for two pages, which show no more than the strongest."""
    return _DRAWS_OF_A_BRIEF * cells if brief else _RUNS_OF_A_REPORT


def brief_draws(runs: int, cells: int) -> int:
    """How many draws of all uncertain parameters a number of runs allows, if nothing else is tried.

    Raises:
        ScenarioError: too few runs.
    """
    if runs and runs < _FEWEST_DRAWS * cells:
        least = _FEWEST_DRAWS * cells
        raise ScenarioError(
            f"--sensitivity-runs must be 0 or at least {least} for a brief of {cells - 1} policies, not {runs}"
        )
    return runs // cells


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
    if runs == 0 or top == 0:  # nothing asked for, or nothing uncertain
        return 0, 0
    replicates = min(replications, int(_SHARE_OF_ENDS * runs + 1e-9) // (2 * top * cells))
    draws = (runs - replicates * 2 * top * cells) // cells
    if replicates < _FEWEST_REPLICATES or draws < _FEWEST_DRAWS:
        least = math.ceil(cells * max(_FEWEST_DRAWS / _SHARE_OF_DRAWS, 2 * top * _FEWEST_REPLICATES / _SHARE_OF_ENDS))
        raise ScenarioError(f"--sensitivity-runs must be 0 or at least {least} for {cells - 1} policies, not {runs}")
    return draws, replicates
