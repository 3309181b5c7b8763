"""What a search found, tested again: on fresh worlds, under fresh luck, beside what needs no search.

Candidates are compared world by world under the same luck. The best of many looks better than it is (optimism: the gain
that a winner had when it was chosen less the gain that it has here), so only this test says what a winner is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.experiments.compare import paired
from district_sim.experiments.design_files import make_experiment
from district_sim.experiments.errors import dotted
from district_sim.experiments.results import Results
from district_sim.experiments.search import EQUAL, NOTHING, Candidate, Objective, Searched, headline
from district_sim.experiments.worlds import World, columns

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.design import Experiment
    from district_sim.experiments.discover import Box
    from district_sim.experiments.ranges import Parameter
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.sections import Scenario

WINNER = "winner"
ENOUGH = 30
"""Fresh worlds below which nothing is said of where a winner loses."""


# Runs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Runs:
    """The runs of some policies in some worlds under some luck; each call has a folder of its own.

    A call is a `search.Evaluate`: it gives means over luck, by policy and world.
    """

    folder: Path
    name: str
    """Of the scenario, as it was given."""
    scenario: Scenario
    worlds: tuple[World, ...]
    replications: int
    seed: int
    quarters: int
    objectives: tuple[Objective, ...]
    make: Callable[[Experiment, Path], object]
    """Makes the runs of an experiment that a folder does not hold yet."""

    def __call__(self, name: str, policies: Mapping[str, tuple[Instrument, ...]]) -> pd.DataFrame:
        """Means over luck; see `search.values_of`."""
        return by_world(self.rows(name, policies))

    def experiment(self, name: str, policies: Mapping[str, tuple[Instrument, ...]]) -> Experiment:
        """What is run.

        Raises:
            ScenarioError: a policy or a world cannot be.
        """
        vary = columns(self.worlds, self.scenario)
        fields: dict[str, Any] = {"name": name, "scenarios": [self.name], "policies": dict(policies), "vary": vary}
        fields |= {"design": "list" if vary else "factorial", "replications": self.replications, "seed": self.seed}
        fields |= {"quarters": self.quarters, "keep": {"spending": True}}
        return make_experiment(fields, lambda at: f"{dotted(at)}: " if at else "")

    def rows(self, name: str, policies: Mapping[str, tuple[Instrument, ...]]) -> pd.DataFrame:
        """One row per run: policy, world, replicate, the outcomes of the objectives (NaN where the run was not
        finished), spent and left_over [k€, sums over the run]."""
        import pandas as pd

        experiment = self.experiment(name, policies)
        self.make(experiment, self.folder / name)
        results = Results(self.folder / name)
        told = [one.outcome for one in self.objectives if one.outcome]
        runs = results.runs.set_index(["point", "replicate"])
        whole = pd.MultiIndex.from_product(
            [range(len(policies) * len(self.worlds)), range(self.replications)], names=["point", "replicate"]
        )
        found = runs.loc[runs["status"] == "done", list(dict.fromkeys(told))].reindex(whole)
        money = results.spending
        sums = money.groupby(["point", "replicate"])[["spent", "left_over"]].sum() if len(money) else money
        for column in ("spent", "left_over"):
            found[column] = sums[column].reindex(whole, fill_value=0.0) if len(money) else 0.0
        found = found.reset_index()
        places, worlds = found["point"].to_numpy(), np.array([world.name for world in self.worlds], dtype=object)
        found.insert(0, "policy", np.array(list(policies), dtype=object)[places // len(worlds)])
        found.insert(1, "world", worlds[places % len(worlds)])
        return found.drop(columns="point")


def by_world(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over luck, by policy and world."""
    return rows.drop(columns="replicate").groupby(["policy", "world"], sort=False).mean().reset_index()


# The test -----------------------------------------------------------------------------------------


def winners(searched: Searched, objectives: Sequence[Objective], most: int) -> dict[str, Candidate]:
    """The candidates to be tested, by name: the best on the headline, the best on each other objective, then others
    spread over the front. The first is `WINNER`."""
    front = list(searched.front)
    ahead = [front[0]]
    for one in objectives:
        values = [one.sign * candidate.values[one.name] for candidate in front]
        ahead.append(front[int(np.argmax(values))])
    ahead += [front[round(place)] for place in np.linspace(0, len(front) - 1, most)]
    kept = list(dict.fromkeys(one.name for one in ahead))[: max(1, most)]
    by_name = {one.name: one for one in front}
    return {WINNER if not number else name: by_name[name] for number, name in enumerate(kept)}


@dataclass(frozen=True, eq=False)
class Tested:
    """What the test said."""

    rows: pd.DataFrame
    """As `Runs.rows`."""
    policies: pd.DataFrame
    """One row per policy: policy, its objectives (means over worlds), spent, left_over [k€], worst_regret, mean_regret
    (against the best of all tested ones, world by world), best (share of worlds in which it is the best)."""
    against: pd.DataFrame
    """One row per winner and rival (equal split, best single instrument, nothing): policy, rival, difference with low
    and high, p, n, and gain_low and gain_high: the same interval, so that more is better."""
    single: str
    """The single instrument that is best here."""
    pairs: str
    """What the differences are paired over: worlds, or replicates where there is one world only."""
    optimism: dict[str, float]
    """Of the winner on the headline: gain over the rival in the search, here, and their difference."""

    def verdict(self, policy: str, rival: str) -> str:
        """Whether a policy is better than a rival: better, worse, equal (in every world), or open."""
        row = self.row(policy, rival)
        if row["low"] == row["high"] == 0.0:
            return "equal"
        return "better" if row["gain_low"] > 0.0 else "worse" if row["gain_high"] < 0.0 else "open"

    def row(self, policy: str, rival: str) -> dict[str, Any]:
        """Their row in `against`."""
        table = self.against
        found = table[(table["policy"] == policy) & (table["rival"] == rival)].iloc[0]
        return {str(name): value for name, value in found.items()}

    @property
    def rivals(self) -> list[str]:
        """What winners are compared with."""
        return list(dict.fromkeys(self.against["rival"]))

    def beats_all(self, policy: str) -> bool:
        """Whether a policy is better than every rival."""
        return all(self.verdict(policy, rival) == "better" for rival in self.rivals)


def compared(
    rows: pd.DataFrame,
    found: Mapping[str, Candidate],
    searched: Searched,
    objectives: Sequence[Objective],
    confidence: float,
) -> Tested:
    """Compare the winners with what needs no search.

    Args:
        rows: of all tested policies: the winners, `nothing`, `equal split` and each instrument alone.

    Raises:
        ValueError: too few runs were finished to compare.
    """
    import pandas as pd

    head, means = headline(objectives), by_world(rows)
    wide = (head.sign * means.set_index(["policy", "world"])[head.outcome]).unstack("world")
    if wide.isna().to_numpy().any():
        bad = ", ".join(map(str, wide.index[wide.isna().any(axis=1)]))
        raise ValueError(
            f"no run of {bad} was finished in some world, or {head.outcome} is undefined in all of them: "
            "nothing can be compared"
        )
    regret = wide.max(axis=0) - wide
    singles = [name for name in wide.index if str(name).endswith(" alone")]
    single = str(wide.loc[singles].mean(axis=1).idxmax())
    rivals = [name for name in (EQUAL, single, NOTHING) if name in wide.index]
    outcomes = list(dict.fromkeys(one.outcome for one in objectives if one.outcome))
    policies = means.drop(columns="world").groupby("policy", sort=False).mean()[[*outcomes, "spent", "left_over"]]
    policies["worst_regret"], policies["mean_regret"] = regret.max(axis=1), regret.mean(axis=1)
    policies["best"] = (regret <= 1e-12 * wide.abs().max()).mean(axis=1)
    by = "world" if wide.shape[1] > 1 else "replicate"
    values = rows.set_index(["world", "replicate", "policy"])[head.outcome].unstack("policy", sort=False)

    def pair(policy: str, rival: str) -> tuple[pd.Series, pd.Series]:
        """Both, where both are known under the same luck: a policy must not gain by the districts that it ends."""
        both = values[list({rival, policy})].dropna().groupby(level=by, sort=False).mean()
        return both[rival], both[policy]

    against = []
    for policy in found:
        for rival in rivals:
            told = paired(*pair(policy, rival), confidence=confidence)
            gains = sorted(head.sign * told[end] for end in ("low", "high"))
            row = {name: told[name] for name in ("difference", "low", "high", "p", "n")}
            against.append({"policy": policy, "rival": rival, **row, "gain_low": gains[0], "gain_high": gains[1]})
    optimism: dict[str, float] = {}
    for rival in rivals:
        before = found[WINNER].values[head.name] - searched.simple[rival][head.name]
        theirs, own = pair(WINNER, rival)
        after = float((own - theirs).mean())
        optimism |= {f"{rival}: searched": before, f"{rival}: tested": after}
        optimism[f"{rival}: optimism"] = head.sign * (before - after)
    table = pd.DataFrame(against)
    return Tested(rows, policies.reset_index(), table, single, f"{by}s", optimism)


def losing(
    found: Tested, worlds: Sequence[World], parameters: Sequence[Parameter], objectives: Sequence[Objective]
) -> pd.DataFrame:
    """The fresh worlds with their settings, and whether the winner does worse there than the best simple policy.

    Returns:
        By world the paths of the parameters, `margin` (winner less the best simple policy, on the headline and so that
        more is better) and `case`; worlds that were drawn only.
    """
    import pandas as pd

    head = headline(objectives)
    wide = (head.sign * by_world(found.rows).set_index(["policy", "world"])[head.outcome]).unstack("world")
    simple = [name for name in wide.index if name in (NOTHING, EQUAL) or str(name).endswith(" alone")]
    margin = wide.loc[WINNER] - wide.loc[simple].max(axis=0)
    paths = [one.path for one in parameters]
    drawn = [world for world in worlds if set(paths) <= world.settings.keys()]
    table = pd.DataFrame({path: [world.settings[path] for world in drawn] for path in paths})
    table.index = pd.Index([world.name for world in drawn], name="world")
    table["margin"] = margin.reindex(table.index)
    table["case"] = table["margin"] < 0.0
    return table


def boxes_of(cases: pd.DataFrame, parameters: Sequence[Parameter]) -> tuple[list[Box], str]:
    """Where the winner loses, as boxes (PRIM), and why there are none if there are none."""
    from district_sim.experiments.discover import find_boxes

    if len(cases) < ENOUGH or not parameters:
        return [], f"boxes need at least {ENOUGH} fresh worlds drawn from ranges, not {len(cases)}"
    try:
        found = find_boxes(cases, parameters)
    except ImportError as error:
        return [], str(error)
    except ValueError:
        lost = int(cases["case"].sum())
        return (
            [],
            f"the winner does worse than a simple policy in {lost} of {len(cases)} worlds: no condition parts them",
        )
    return found, "" if found else "no condition makes it more common than by chance that the winner loses"
