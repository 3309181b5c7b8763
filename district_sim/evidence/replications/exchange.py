"""Agents on a network who exchange knowledge: settings, runs, moments.

A run is sequential, as its rule is; runs are independent and shared among processes. Run r depends on (seed, r) only
and has the same agents, the same meetings and the same luck in rewiring on every network, so that networks are compared
run by run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np

from district_sim.evidence.replications.barter import barter as _barter
from district_sim.evidence.replications.barter import give as _give
from district_sim.evidence.replications.barter import initial_knowledge
from district_sim.evidence.replications.claims import mean_and_error
from district_sim.evidence.replications.networks import Network, make_network, sparse_rows
from district_sim.evidence.replications.socialisation import MOST_CATEGORIES, socialise
from district_sim.kernels.draws import replicate_seed
from district_sim.run.workers import Progress, Workers

REWIRING = (0.0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
RUNS = 100
_WORTH_PROCESSES = 50_000_000  # meetings in all; starting processes takes as long as some ten million
_QUARTER = 2_000  # meetings that take as long as a quarter of socialisation among some hundred agents


class Rule(StrEnum):
    """What agents do when they meet."""

    BARTER = "barter"
    GIVING = "giving"
    SOCIALISATION = "socialisation"


_MEET: dict[Rule, Callable[..., None]] = {
    Rule.BARTER: _barter,
    Rule.GIVING: _give,
    Rule.SOCIALISATION: socialise,
}


class SettingError(ValueError):
    """A value that is not allowed; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field, self.message = field, message


def _require(field: str, value: float, low: float, high: float, whole: bool = True) -> None:
    if not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise SettingError(field, f"must be {kind} from {low:,.12g} to {high:,.12g}, not {value}")


@dataclass(frozen=True, slots=True)
class Agents:
    """What agents know at the start, and how they exchange it. The defaults are the published setting.

    Raises:
        SettingError: a value is out of its range.
    """

    categories: int = 5
    """Of knowledge, 1..1000; under socialisation 1..64."""
    experts: int = 25
    """Agents that know one category, drawn at random, at `expert_level`."""
    expert_level: float = 30.0
    """The others know each category at a level uniform on [0, 10]."""
    alpha: float = 0.1
    """Share of the gap that a receiver closes, 0..1; under socialisation `knowledge.socialisation` of the model."""
    meetings: int = 5_000_000
    """In one run; under socialisation quarters, in each of which everybody meets all partners."""
    rule: Rule = Rule.BARTER

    def __post_init__(self) -> None:
        _require("categories", self.categories, 1, MOST_CATEGORIES if self.rule == Rule.SOCIALISATION else 1000)
        _require("experts", self.experts, 0, 2**31 - 1)
        _require("expert_level", self.expert_level, 0, 1e12, whole=False)
        _require("alpha", self.alpha, 0, 1, whole=False)
        _require("meetings", self.meetings, 0, 2**62)


@dataclass(frozen=True, slots=True)
class Graph:
    """A kind of network. The defaults are the published setting.

    Raises:
        SettingError: a value is out of its range.
    """

    network: Network = Network.WS
    agents: int = 500
    neighbours: int = 10
    """Ties per agent, on average; even."""

    def __post_init__(self) -> None:
        _require("agents", self.agents, 3, 10_000_000)
        _require("neighbours", self.neighbours, 2, self.agents - 1)
        if self.neighbours % 2:
            raise SettingError("neighbours", f"must be even, not {self.neighbours}")


@dataclass(frozen=True, slots=True)
class Moments:
    """Agents' mean knowledge (over categories), its mean and spread over agents, in each run at each moment."""

    mean: np.ndarray
    """(runs, moments), in levels of knowledge."""
    variance: np.ndarray
    """(runs, moments), over agents, of their mean knowledge."""

    @property
    def cv(self) -> np.ndarray:
        """(runs, moments): coefficient of variation; nan where nobody knows anything."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(self.variance) / self.mean

    def summary(self, moment: int = -1) -> dict[str, float]:
        """mean, variance and cv over runs, each with its standard error, at one moment (by default the last)."""
        out: dict[str, float] = {}
        for name in ("mean", "variance", "cv"):
            out[name], out[f"{name}_se"] = mean_and_error(getattr(self, name)[:, moment])
        return out


# Runs ---------------------------------------------------------------------------------------------

type _Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Job:
    """One run: on a network given in sparse rows, or on one to be drawn."""

    setting: Agents
    network: _Rows | tuple[Graph, float]
    seed: int
    moments: tuple[int, ...]


def _one_run(job: _Job) -> tuple[list[float], list[float]]:
    """Mean and variance of agents' mean knowledge at each moment."""
    setting, seed = job.setting, np.uint64(job.seed)
    start, partner = _rows_of(job)
    knowledge = initial_knowledge(
        seed, len(start) - 1, setting.categories, setting.experts, float(setting.expert_level)
    )
    means, variances = [], []
    for first, last in pairwise((0, *job.moments)):
        _MEET[setting.rule](knowledge, start, partner, float(setting.alpha), seed, first, last)
        of_agents = knowledge.mean(axis=1)
        means.append(float(of_agents.mean()))
        variances.append(float(of_agents.var()))
    return means, variances


def _rows_of(job: _Job) -> _Rows:
    first, second = job.network
    if isinstance(first, Graph):
        adjacency = make_network(first.network, first.agents, first.neighbours, float(second), job.seed)
        return adjacency.indptr.astype(np.int64), adjacency.indices.astype(np.int64)
    return first, np.asarray(second)


def _run_all(jobs: Sequence[_Job], progress: Progress | None, workers: int | None) -> list[Moments]:
    """Moments of shape (1, moments) of each job, in order."""
    setting = jobs[0].setting
    each = max(1, setting.meetings) * (_QUARTER if setting.rule == Rule.SOCIALISATION else 1)
    if workers is None and len(jobs) * each < _WORTH_PROCESSES:
        workers = 1
    with Workers(workers) as crew:
        if crew.count > 1:
            small = replace(setting, experts=0, meetings=1)
            _one_run(_Job(small, (Graph(agents=3, neighbours=2), 1.0), 0, (1,)))  # compiled once, for all
        found = crew.map(_one_run, jobs, progress, chunk=max(1, min(16, 2_000_000 // each)))
    return [Moments(np.array([mean]), np.array([variance])) for mean, variance in found]


def _stacked(parts: Sequence[Moments]) -> Moments:
    return Moments(np.concatenate([p.mean for p in parts]), np.concatenate([p.variance for p in parts]))


def _moments(setting: Agents, moments: Sequence[int] | None) -> tuple[int, ...]:
    wanted = tuple(moments) if moments is not None else (setting.meetings,)
    if not wanted or list(wanted) != sorted(set(wanted)) or wanted[0] < 0 or wanted[-1] > setting.meetings:
        raise SettingError("moments", f"must increase, from at least 0 to at most {setting.meetings:,} meetings")
    return wanted


def barter(
    adjacency: Any,
    setting: Agents | None = None,
    *,
    runs: int = RUNS,
    seed: int = 0,
    moments: Sequence[int] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    **changes: Any,
) -> Moments:
    """Agents on any network exchange knowledge; see `district_sim.evidence.replications.barter` for the rules.

    Args:
        adjacency: (N, N) scipy sparse array or matrix, or an array: agent i may begin a meeting with agent j where
            entry (i, j) is not zero. Weights do not matter.
        setting: by default the published one. changes: fields of `Agents` that differ from it, for instance
            `alpha=0.2` or `rule="giving"`.
        runs: independent runs, >= 1. seed: >= 0; run r depends on (seed, r) only.
        moments: numbers of meetings after which to look; by default after the last only.
        progress: called with the runs done and all runs. workers: processes; by default all cores, or none if the
            work is little.

    Returns:
        `Moments` of shape (runs, moments).

    Raises:
        SettingError: a value is out of its range. ValueError: the adjacency is none; see `sparse_rows`.
        TypeError: `changes` names something that `Agents` has not.

    Source: Cowan & Jonard 2004 (doi 10.1016/j.jedc.2003.04.002).
    """
    chosen = Agents(**(asdict(setting or Agents()) | changes))
    chosen = Agents(**(asdict(chosen) | {"rule": Rule(chosen.rule)}))
    rows = sparse_rows(adjacency)
    _check_runs(chosen, len(rows[0]) - 1, runs, seed)
    at = _moments(chosen, moments)
    jobs = [_Job(chosen, rows, replicate_seed(seed, run), at) for run in range(runs)]
    return _stacked(_run_all(jobs, progress, workers))


def curve(
    rewiring: Sequence[float] = REWIRING,
    graph: Graph | None = None,
    setting: Agents | None = None,
    *,
    runs: int = RUNS,
    seed: int = 0,
    moments: Sequence[int] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[Moments]:
    """The same for each share of rewired ties, every run on a network of its own.

    Args:
        rewiring: shares, 0..1, each once. graph: kind and size of the networks. The others: see `barter`.

    Returns:
        `Moments` of shape (runs, moments) for each share; row r is run r in all of them.

    Raises:
        SettingError: a value is out of its range.
    """
    graph, setting = graph or Graph(), setting or Agents()
    if not rewiring or len(set(rewiring)) < len(rewiring):
        raise SettingError("rewiring", "must be one or more shares, each once")
    for share in rewiring:
        _require("rewiring", share, 0, 1, whole=False)
    _check_runs(setting, graph.agents, runs, seed)
    at = _moments(setting, moments)
    seeds = [replicate_seed(seed, run) for run in range(runs)]
    jobs = [_Job(setting, (graph, share), own, at) for share in rewiring for own in seeds]
    found = _run_all(jobs, progress, workers)
    return [_stacked(found[k * runs : (k + 1) * runs]) for k in range(len(rewiring))]


def under_rules(
    rewiring: Sequence[float],
    moments: Mapping[Rule, Sequence[int]],
    runs: int,
    seed: int,
    progress: Progress | None = None,
    workers: int | None = None,
) -> dict[Rule, list[Moments]]:
    """`curve` of the published setting under several rules, each to the last of its own moments."""

    def later(before: int) -> Progress | None:
        total = len(moments) * len(rewiring) * runs
        return None if progress is None else lambda done, _: progress(before + done, total)

    found: dict[Rule, list[Moments]] = {}
    for rule, at in moments.items():
        how: Any = {"moments": at, "progress": later(len(found) * len(rewiring) * runs), "workers": workers}
        found[rule] = curve(rewiring, None, Agents(rule=rule, meetings=at[-1]), runs=runs, seed=seed, **how)
    return found


def _check_runs(setting: Agents, agents: int, runs: int, seed: int) -> None:
    _require("runs", runs, 1, 1_000_000)
    _require("seed", seed, 0, 2**64 - 1)
    if setting.experts > agents:
        raise SettingError("experts", f"must be at most the number of agents, {agents:,}, not {setting.experts:,}")
