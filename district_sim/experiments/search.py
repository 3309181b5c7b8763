"""Search: what to do with a budget, in worlds that nobody knows.

Candidates are splits of a budget over instruments, with timing, targets and signposts. An evolutionary algorithm
(NSGA-II, Deb et al. 2002, doi 10.1109/4235.996017; with more than three objectives U-NSGA-III, Seada & Deb 2016, doi
10.1109/TEVC.2015.2459718; both by pymoo, Blank & Deb 2020, doi 10.1109/ACCESS.2020.2990567) looks for those that no
other one beats. All meet the same worlds and the same luck. What it finds looks better than it is, because it was
chosen for its luck, too: so the winners are tested again, see `retest`.

The algorithm is a function of its seed and of what it is told, and runs are stored by generation: a search that was
killed goes the same way again and finds its runs made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from district_sim.experiments.costs import budget_value
from district_sim.experiments.design import Keep, Value, outcomes
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.instruments import Action, Targeting
from district_sim.scenario.interventions import Instrument, Signpost
from district_sim.scenario.suggestions import suggest

if TYPE_CHECKING:
    import pandas as pd

MISSING = "search needs an extra that is not installed: pip install 'district-sim[search]'"
NOTHING, EQUAL = "nothing", "equal split"
REGRET, COST = "worst_regret", "cost"
SHORT = {"value_added": "value_added_local_late", "jobs": "employment_late"}
"""Objectives with a name of their own; any other outcome of a run is one, too, and `-NAME` is to be small."""
_STEPS = 20  # a budget is split into so many parts
_LEAST = 0.2  # a gene below this gives an instrument nothing: simple mixes are found, too
_YEAR = 4  # quarters: steps of starts and lengths
_LATEST, _SHORTEST = 4, 4  # quarters before the end of the run at which it may begin at the latest; least length
_LONGEST_WAIT = 8  # quarters in a row that a signpost may want
_BAD = 1e30  # objective of a candidate of which no run could be finished


# Candidates ---------------------------------------------------------------------------------------


class Wait(NamedTuple):
    """A signpost that may be searched: whether to wait for it, its line and its number of quarters."""

    indicator: str
    above: bool
    low: float
    high: float

    def post(self, line: float, quarters: int) -> Signpost:
        """The signpost that starts an instrument."""
        side = "above" if self.above else "below"
        given: dict[str, Any] = {"indicator": self.indicator, side: line, "quarters": quarters, "then": Action.START}
        return Signpost.model_validate(given)

    @property
    def refused(self) -> str:
        """Why there can be no such signposts; empty if there can."""
        try:
            for line in (self.low, self.high):
                self.post(line, 1)
        except ValidationError as error:
            return str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        return ""


@dataclass(frozen=True)
class Space:
    """All candidates: what may be done with a budget."""

    entries: Mapping[str, tuple[Instrument, ...]]
    """Instruments by the name of their policy file; those of one entry keep the ratio of their budgets."""
    budget: float
    """k€, present value of what may be spent."""
    quarters: int
    """Length of the runs."""
    earliest: int
    """First quarter in which money may be spent."""
    discount: float
    since: int
    targets: tuple[Targeting, ...]
    """What an instrument that reaches firms may be aimed at, beside the target of its file."""
    wait: Wait | None = None

    @property
    def genes(self) -> int:
        """How many numbers from 0 to 1 describe a candidate."""
        return len(self.entries) * self._each

    @property
    def _each(self) -> int:
        return 4 + (
            3 if self.wait else 0
        )  # share, start, length, target, and whether, until where and how long to wait

    def split(self, genes: np.ndarray) -> tuple[int, ...]:
        """Parts of the budget for each entry, of 20 in all."""
        want = np.maximum(0.0, np.asarray(genes).reshape(len(self.entries), self._each)[:, 0] - _LEAST)
        share = want / want.sum() if want.sum() > 0.0 else np.full(len(want), 1.0 / len(want))
        parts = np.floor(share * _STEPS + 1e-9).astype(int)
        for place in np.argsort(parts - share * _STEPS, kind="stable")[: _STEPS - parts.sum()]:
            parts[place] += 1
        return tuple(int(part) for part in parts)

    def mix(self, genes: np.ndarray) -> tuple[Instrument, ...]:
        """The policy mix that genes describe; its budgets have the present value of the whole budget."""
        made: list[Instrument] = []
        table = np.asarray(genes).reshape(len(self.entries), self._each)
        for parts, own, items in zip(self.split(genes), table, self.entries.values(), strict=True):
            if parts:
                made += self._entry(parts / _STEPS, own, items)
        return tuple(made)

    def _entry(self, share: float, genes: np.ndarray, items: tuple[Instrument, ...]) -> list[Instrument]:
        starts = range(self.earliest, max(self.earliest, self.quarters - _LATEST) + 1, _YEAR)
        start = starts[_place(genes[1], len(starts))]
        ends = [*range(start + _SHORTEST, self.quarters, _YEAR), self.quarters]
        end = ends[_place(genes[2], len(ends))]
        changes: dict[str, Any] = {"start": start, "end": end}
        if self.wait and genes[4] >= 0.5:
            line = float(f"{self.wait.low + genes[5] * (self.wait.high - self.wait.low):.2g}")
            line = min(self.wait.high, max(self.wait.low, line))
            changes["when"] = (self.wait.post(line, 1 + _place(genes[6], _LONGEST_WAIT)),)
        found = []
        for item in items:
            aims = [item.target, *(target for target in self.targets if target is not item.target)]
            aim = {"target": aims[_place(genes[3], len(aims))]} if item.kind.record.targeted else {}
            own = dict(changes) if not item.when else {name: changes[name] for name in ("start", "end")}
            found.append(item.model_copy(update=own | aim))
        return self.scaled(found, share)

    def scaled(self, items: Sequence[Instrument], share: float) -> list[Instrument]:
        """The instruments with budgets whose present value, if they need not wait, is a share of the whole budget."""
        dearest = []
        for item in items:
            most = max([item.budget, *(post.budget for post in item.when if post.budget is not None)])
            dearest.append(item.model_copy(update={"budget": most, "when": ()}))
        rate = share * self.budget / budget_value(dearest, self.quarters, self.discount, self.since)
        return [
            item.model_copy(update={"budget": item.budget * rate, "when": _times(item.when, rate)}) for item in items
        ]

    def plain(self, names: Sequence[str]) -> tuple[Instrument, ...]:
        """What somebody would do who does not search: equal parts, from the earliest quarter to the end."""
        changes = {"start": self.earliest, "end": self.quarters}
        made: list[Instrument] = []
        for name in names:
            items = [item.model_copy(update=changes) for item in self.entries[name]]
            made += self.scaled(items, 1.0 / len(names))
        return tuple(made)

    @property
    def simple(self) -> dict[str, tuple[Instrument, ...]]:
        """The policies that every winner is compared with: nothing, an equal split, and each instrument alone."""
        split = {EQUAL: self.plain(list(self.entries))} if len(self.entries) > 1 else {}
        return {NOTHING: (), **split, **{f"{name} alone": self.plain([name]) for name in self.entries}}

    def first(self, count: int, seed: int) -> np.ndarray:
        """Genes of a first generation: the simple policies, then a Latin hypercube; shape (count, genes)."""
        from scipy.stats import qmc

        n, whole = len(self.entries), np.zeros((len(self.entries) + 1, len(self.entries), self._each))
        whole[:, :, 2] = 1.0  # to the end
        whole[0, :, 0] = 1.0
        for number in range(n):
            whole[number + 1, number, 0] = 1.0
        drawn = qmc.LatinHypercube(self.genes, rng=np.random.default_rng([seed, 1])).random(count)
        known = whole.reshape(n + 1, self.genes)[:count]
        return np.asarray(np.vstack([known, drawn])[:count])


def _times(when: Sequence[Signpost], rate: float) -> tuple[Signpost, ...]:
    """Signposts whose budgets grow with the instrument's."""
    return tuple(
        post if post.budget is None else post.model_copy(update={"budget": post.budget * rate}) for post in when
    )


def _place(gene: float, count: int) -> int:
    return min(count - 1, int(float(gene) * count))


def checked_entries(entries: Mapping[str, Sequence[Instrument]], quarters: int) -> None:
    """Refuse instruments to which no part of a budget can be given.

    Raises:
        ScenarioError: one has no budget in k€ a quarter, or there is none.
    """
    if not entries:
        raise ScenarioError("--instruments: name at least one")
    for name, items in entries.items():
        if not items:
            raise ScenarioError(f"--instruments {name}: there is no instrument in it")
        for item in items:
            said = f"--instruments {name}: {item.name}"
            if item.budget_share > 0.0 or any(post.budget_share for post in item.when):
                raise ScenarioError(f"{said}: budget_share: a share of turnover cannot be split")
            if item.budget <= 0.0:
                raise ScenarioError(f"{said}: budget = 0: needs a budget, in whose ratio money is split")
    if quarters < 2 * _SHORTEST:
        raise ScenarioError(f"a search needs runs of at least {2 * _SHORTEST} quarters, not {quarters}")


# Objectives ---------------------------------------------------------------------------------------


class Objective(NamedTuple):
    """What is to be large (sign 1) or small (−1)."""

    name: str
    outcome: str
    """Column of the table of runs; `worst_regret` and `cost` have none."""
    sign: int


def objectives_of(text: str) -> tuple[Objective, ...]:
    """The objectives that a list of names means; the first one that is an outcome is the headline.

    Raises:
        ScenarioError: there is no such objective, or one is named twice.
    """
    known = (*SHORT, REGRET, COST, *outcomes(Keep()))
    found: list[Objective] = []
    for given in [part.strip() for part in text.split(",") if part.strip()]:
        name, sign = given.removeprefix("-"), -1 if given.startswith("-") else 1
        if name not in known:
            raise ScenarioError(f"--objectives {given}: there is no objective {name!r}{suggest(name, known)}")
        if given in [one.name for one in found]:
            raise ScenarioError(f"--objectives {given}: is named twice")
        alone = name in (REGRET, COST)
        found.append(Objective(given, "" if alone else SHORT.get(name, name), -1 if alone else sign))
    if not any(one.outcome for one in found):
        raise ScenarioError(f"--objectives: name at least one outcome, such as {', '.join(SHORT)}")
    return tuple(found)


def headline(objectives: Sequence[Objective]) -> Objective:
    """The objective on which the verdict is given: the first that is an outcome."""
    return next(one for one in objectives if one.outcome)


def values_of(table: pd.DataFrame, objectives: Sequence[Objective], best: pd.Series) -> dict[str, dict[str, float]]:
    """Each objective of each policy: means over worlds, of which each counts alike.

    Args:
        table: one row per policy and world: policy, world, spent [k€], and the outcomes of the objectives (means over
            luck, NaN where no run was finished).
        best: by world the value that regret is counted from, of the headline times its sign.

    Returns:
        By policy the objectives by name; the regret is the largest over worlds, below 0 where the policy beats what it
        is compared with in every world.
    """
    head, found = headline(objectives), {}
    for policy, rows in table.groupby("policy", sort=False):
        own = rows.set_index("world")
        told = {}
        for one in objectives:
            if one.name == REGRET:
                regret = best - head.sign * own[head.outcome]
                told[one.name] = float(regret.max(skipna=False))
            else:
                told[one.name] = float(own[one.outcome or "spent"].mean(skipna=False))
        found[str(policy)] = told
    return found


def costs_of(values: Mapping[str, float], objectives: Sequence[Objective]) -> list[float]:
    """The objectives as pymoo wants them: all to be small, nothing undefined."""
    return [_BAD if np.isnan(values[one.name]) else -one.sign * values[one.name] for one in objectives]


# Search -------------------------------------------------------------------------------------------


type Evaluate = Callable[[str, Mapping[str, tuple[Instrument, ...]]], pd.DataFrame]
"""Makes the runs of some policies, into a place of that name, and gives the table that `values_of` takes."""


@dataclass(frozen=True)
class Candidate:
    """A policy that was tried."""

    name: str
    generation: int
    mix: tuple[Instrument, ...]
    values: dict[str, float]
    """Objectives by name."""


@dataclass(frozen=True)
class Searched:
    """What a search found."""

    candidates: tuple[Candidate, ...]
    """All that were tried, in their order, each once."""
    front: tuple[Candidate, ...]
    """Those that no other one beats, the best on the headline first."""
    simple: dict[str, dict[str, float]]
    """Objectives of the simple policies, by name, on the same worlds and luck."""


def library() -> Any:
    """pymoo, imported when it is needed.

    Raises:
        ImportError: the extra is not installed.
    """
    try:
        import pymoo
    except ImportError:
        raise ImportError(MISSING) from None
    return pymoo


def search(
    space: Space,
    objectives: Sequence[Objective],
    evaluate: Evaluate,
    population: int,
    generations: int,
    seed: int,
) -> Searched:
    """Look for the candidates that no other one beats.

    Args:
        evaluate: called once for the simple policies (`simple`) and once for each generation (`generation-0000`).
        population: candidates in a generation. generations: how many.

    Raises:
        ImportError: the extra is not installed.
    """
    head = headline(objectives)
    table = evaluate("simple", space.simple)
    by_world = (head.sign * table.set_index(["policy", "world"])[head.outcome]).unstack("world")
    best = by_world.max(axis=0)
    simple = values_of(table, objectives, best)
    known: dict[str, Candidate] = {}
    for number, (genes, answer) in enumerate(_generations(space, len(objectives), population, generations, seed)):
        mixes = [space.mix(row) for row in genes]
        keys = [repr(mix) for mix in mixes]
        by_key = {key: mix for key, mix in zip(keys, mixes, strict=True) if key not in known}
        fresh = {f"candidate {len(known) + place}": key for place, key in enumerate(by_key, 1)}
        if fresh:
            table = evaluate(f"generation-{number:04d}", {name: by_key[key] for name, key in fresh.items()})
            told = values_of(table, objectives, best)
            known |= {key: Candidate(name, number, by_key[key], told[name]) for name, key in fresh.items()}
        answer(np.array([costs_of(known[key].values, objectives) for key in keys]))
    tried = tuple(known.values())
    return Searched(tried, front_of(tried, objectives), simple)


def front_of(candidates: Sequence[Candidate], objectives: Sequence[Objective]) -> tuple[Candidate, ...]:
    """Those that no other one beats on one objective without being worse on another, the best on the headline first."""
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    costs = np.array([costs_of(one.values, objectives) for one in candidates])
    first = [candidates[k] for k in NonDominatedSorting().do(costs, only_non_dominated_front=True)]
    head = headline(objectives)
    return tuple(sorted(first, key=lambda one: (costs_of(one.values, [head]), int(one.name.split()[-1]))))


def _generations(
    space: Space, objectives: int, population: int, generations: int, seed: int
) -> Iterator[tuple[np.ndarray, Callable[[np.ndarray], None]]]:
    """Genes of one generation after the other, each with a function to be told their costs."""
    library()
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.moo.unsga3 import UNSGA3
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.problem import Problem
    from pymoo.problems.static import StaticProblem
    from pymoo.util.ref_dirs import get_reference_directions

    problem = Problem(n_var=space.genes, n_obj=objectives, xl=0.0, xu=1.0)
    first = space.first(population, seed)
    if objectives > 3:
        directions = get_reference_directions("energy", objectives, population, seed=seed % 2**32)
        algorithm: Any = UNSGA3(directions, pop_size=population, sampling=first)
    else:
        algorithm = NSGA2(pop_size=population, sampling=first)
    algorithm.setup(problem, termination=("n_gen", generations), seed=seed % 2**32, verbose=False)
    for _ in range(generations):
        if not algorithm.has_next():
            return
        asked = algorithm.ask()
        if asked is None or len(asked) == 0:
            return

        def answer(costs: np.ndarray, asked: Any = asked) -> None:
            Evaluator().eval(StaticProblem(problem, F=costs), asked)
            algorithm.tell(infills=asked)

        yield np.asarray(asked.get("X"), dtype=float), answer


def settings_of(mix: Sequence[Instrument]) -> dict[str, Value]:
    """A mix as a row of a table: by instrument and field, for those that a search decides."""
    told: dict[str, Value] = {}
    for item in mix:
        told |= {f"{item.name}: {name}": getattr(item, name) for name in ("budget", "start", "end")}
        told[f"{item.name}: target"] = item.target.value
        told[f"{item.name}: when"] = "; ".join(post.words() for post in item.when)
    return told
