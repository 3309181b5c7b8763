"""Running a study on common random numbers, and holding its expectations against what comes out.

Replicate r of every cell has the same luck. A contrast is computed replicate by replicate and tested by Student's t;
where an outcome is highest, and in which of two ranges that place is lower, is found by resampling whole replicates.
The p-values of a study's expectations are corrected together (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from district_sim.evidence.replications.claims import BOOTSTRAPS, mean_and_error, number, resampled_most, where_most
from district_sim.evidence.studies import REPLICATIONS, SEED
from district_sim.evidence.studies.design import Contrast, Outcome, Peak, Study, scenario_of
from district_sim.experiments.compare import holm, paired
from district_sim.experiments.costs import budget_value, present_value
from district_sim.experiments.design import Draws
from district_sim.experiments.points import with_draw
from district_sim.kernels.draws import replicate_seed
from district_sim.model.extensions import columns_of
from district_sim.model.parameters import parameters_of
from district_sim.model.state import State
from district_sim.run.run import quarters_of, simulate
from district_sim.run.trajectories import Means
from district_sim.run.workers import Progress, measured
from district_sim.scenario.sections import Scenario

SIGNIFICANT = 0.05
_POWERED = 2.8  # standard errors that a two-sided test at 5 % finds in 80 % of cases, if errors are normal
_SPENT = "spent"

type Verdict = Literal["agrees", "disagrees", "undecided"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out of one expectation."""

    expectation: str
    source: str
    outcome: str
    about: Literal["difference", "place"]
    """Whether what was found is a difference in the outcome, or a place (or difference of places) of its maximum."""
    expected: str
    n: int
    """Replicates."""
    reference: float
    """Weighted mean of the cells with negative weights; of peaks, the place in the other range."""
    mean: float
    """Weighted mean of the cells with positive weights; of peaks, the place."""
    difference: float
    low: float
    high: float
    """95 % interval, not corrected for the number of expectations."""
    p: float
    p_holm: float
    detectable: float
    """Difference that so many replicates find in 80 % of cases, without the correction; NaN for peaks."""
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a study found."""

    study: Study
    seed: int
    replications: int
    points: pd.DataFrame
    """A row per cell and outcome: cell, line, at, budgets and spent [k€, present values], outcome, n, mean, error, and
    against the cell's reference: against, difference, low, high, p."""
    findings: tuple[Finding, ...]
    paths: pd.DataFrame | None = None
    """If the study follows columns: cell, replicate, quarter and these, for every quarter of every run."""
    draws: Draws | None = None
    """Of parameters, by replicate, where they were drawn."""

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON; what is not finite becomes null."""

        def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
            return {str(k): number(v) if isinstance(v, float) else v for k, v in row.items()}

        return {
            "study": self.study.name,
            "title": self.study.title,
            "question": self.study.question,
            "design": self.study.design,
            "seed": self.seed,
            "replications": self.replications,
            **({} if self.draws is None else {"posterior": self.draws.name, "draws": list(self.draws.numbers)}),
            "expectations": [plain(asdict(finding)) for finding in self.findings],
            "points": [plain(row) for row in self.points.to_dict("records")],
        }


OF_FIRMS: dict[str, str] = {
    "own_research": "R&D that firms pay for themselves",
    "research_spending": "R&D, grants included",
    "grants": "Grants for R&D",
}
"""Sums over firms that are no indicators but can be outcomes of a study [k€ a quarter]."""


@dataclass(frozen=True, slots=True)
class _Job:
    scenario: Scenario
    seed: int
    outcomes: tuple[Outcome, ...]
    followed: tuple[str, ...]


def _of_firms(state: State, research_cost: float) -> tuple[float, ...]:
    """The values of `OF_FIRMS` as the quarter ends."""
    firms = state.firms[: int(state.clock.rows[0])]
    firms = firms[firms.alive]
    spent = float(research_cost * firms.research @ np.maximum(0.0, firms.value_added))
    grants = float(firms.grant.sum())
    return spent - grants, spent, grants


def _columns(job: _Job) -> dict[str, np.ndarray]:
    """Every quarter of a run: indicators and, where an outcome or a path asks for them, sums over firms."""
    wanted = {*job.followed, *(outcome.indicator for outcome in job.outcomes)}
    p, length = parameters_of(job.scenario), job.scenario.run.quarters
    if not wanted & {*OF_FIRMS}:
        columns = simulate(job.scenario, job.seed).columns
        return {name: columns[name] for name in columns_of(p)}
    rows = np.full((length, len(OF_FIRMS)), np.nan)
    for now in quarters_of(p, job.seed, length, range(1, length)):
        if now.done:
            rows[now.done - 1] = _of_firms(now.state, float(p.innovation[0].research_cost))
    table = dict(zip(columns_of(p), now.table.T, strict=True))
    return table | dict(zip(OF_FIRMS, rows[: now.done].T, strict=True))


def _run(job: _Job) -> tuple[list[float], np.ndarray]:
    """Present value of what policies spent, and the outcomes; the paths of what is followed, a column each."""
    table = _columns(job)
    values = [present_value(table["policy_spending"])]
    for outcome in job.outcomes:
        window = slice(outcome.first, outcome.last)
        if outcome.how == "present value":
            values.append(present_value(table[outcome.indicator][window]))
        else:
            values.append(Means(table, window)[outcome.indicator])
    return values, np.array([table[name] for name in job.followed], dtype=np.float32).T


def measure(
    study: Study,
    *,
    replications: int = REPLICATIONS,
    seed: int = SEED,
    progress: Progress | None = None,
    workers: int | None = None,
    draws: Draws | None = None,
) -> Result:
    """Run a study and judge its expectations.

    Args:
        study: see `load_study`.
        replications: of each cell, at least 2.
        seed: replicate r has the same luck in all cells; see `draws.replicate_seed`.
        progress: called with the number of runs done and of all.
        workers: processes; all cores by default.
        draws: of parameters, one for each replicate and the same in all cells; what a cell says itself wins, and what
            any cell of the study varies is not drawn.
    """
    scenarios = [scenario_of(cell) for cell in study.cells]
    if draws is not None:
        draws = draws.without({path for cell in study.cells for path in cell.levers})
    first = scenarios[0]
    outcomes, followed = tuple(study.outcomes), tuple(study.followed)
    jobs = [
        _Job(with_draw(each, draws, r, first), replicate_seed(seed, r), outcomes, followed)
        for each in scenarios
        for r in range(replications)
    ]
    names = [_SPENT, *(outcome.name for outcome in outcomes)]
    runs = measured(_run, jobs, progress, workers)
    found = np.array([row for row, _ in runs]).reshape(len(scenarios), replications, len(names))
    values = {cell.name: pd.DataFrame(table, columns=names) for cell, table in zip(study.cells, found, strict=True)}
    budgets = {
        cell.name: budget_value(scenario.policies, scenario.run.quarters)
        for cell, scenario in zip(study.cells, scenarios, strict=True)
    }
    paths = _paths(study, [path for _, path in runs], replications) if followed else None
    return Result(study, seed, replications, points_of(study, values, budgets), judged(study, values), paths, draws)


def _paths(study: Study, paths: Sequence[np.ndarray], replications: int) -> pd.DataFrame:
    """`Result.paths` from one path of shape (quarters, followed) for each replicate of each cell."""
    parts = []
    for place, path in enumerate(paths):
        part = pd.DataFrame(path, columns=[*study.followed])
        part.insert(0, "quarter", np.arange(len(path)))
        part.insert(0, "replicate", place % replications)
        part.insert(0, "cell", study.cells[place // replications].name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def points_of(study: Study, values: Mapping[str, pd.DataFrame], budgets: Mapping[str, float]) -> pd.DataFrame:
    """The table of cells: see `Result.points`.

    Args:
        values: by cell, a row per replicate, a column per outcome and one of what was spent.
        budgets: by cell [k€, present values].
    """
    rows = []
    for cell in study.cells:
        own, reference = values[cell.name], study.reference(cell)
        for outcome in study.outcomes:
            known = own[outcome.name].dropna()
            mean, error = mean_and_error(known.to_numpy()) if len(known) else (np.nan, np.nan)
            row = {"cell": cell.name, "line": cell.line, "at": np.nan if cell.at is None else float(cell.at)}
            row |= {"budgets": budgets[cell.name], _SPENT: float(own[_SPENT].mean())}
            row |= {"outcome": outcome.name, "n": len(known), "mean": mean, "error": error, "against": reference.name}
            change = paired(values[reference.name][outcome.name], own[outcome.name])
            rows.append(row | {name: change[name] for name in ("difference", "low", "high", "p")})
    return pd.DataFrame(rows)


def judged(study: Study, values: Mapping[str, pd.DataFrame]) -> tuple[Finding, ...]:
    """Hold a study's expectations against outcomes.

    Args:
        values: by cell, a row per replicate, a column per outcome.
    """
    raw = [
        _contrast(each, values) if isinstance(each, Contrast) else _peak(each, study, values)
        for each in study.expectations
    ]
    corrected = holm(np.array([one["p"] for one, _ in raw]))
    return tuple(
        Finding(each.text, each.source.short, each.outcome, **one, p_holm=float(p), verdict=verdict(toward, float(p)))
        for each, (one, toward), p in zip(study.expectations, raw, corrected, strict=True)
    )


def verdict(toward: float, p: float) -> Verdict:
    """Whether the results agree with an expectation.

    Args:
        toward: how far they go where it points; below zero the other way.
        p: corrected for the number of expectations; NaN where it could not be computed.
    """
    if not p < SIGNIFICANT:
        return "undecided"
    return "agrees" if toward > 0.0 else "disagrees"


def _contrast(expectation: Contrast, values: Mapping[str, pd.DataFrame]) -> tuple[dict[str, Any], float]:
    """The weighted sum of cells, replicate by replicate, and how far it goes where it was expected to."""
    table = pd.DataFrame({cell: values[cell][expectation.outcome] for cell in expectation.weights})
    weights = pd.Series(expectation.weights)
    below, above = table @ -weights.clip(upper=0.0), table @ weights.clip(lower=0.0)
    found = paired(below, above)
    error = mean_and_error((above - below).dropna().to_numpy())[1]
    row: dict[str, Any] = {"about": "difference", "expected": "> 0" if expectation.direction > 0 else "< 0"}
    row |= {"reference": found["counterfactual"]}
    row |= {name: found[name] for name in ("n", "mean", "difference", "low", "high", "p")}
    return row | {"detectable": _POWERED * error}, expectation.direction * found["difference"]


def _peak(expectation: Peak, study: Study, values: Mapping[str, pd.DataFrame]) -> tuple[dict[str, Any], float]:
    """Where the outcome is highest, and whether that is inside the range or below the place in another range."""

    def curve(cells: Sequence[str]) -> tuple[np.ndarray, list[float]]:
        places = [float(study.cell(cell).at or 0.0) for cell in cells]
        return np.column_stack([values[cell][expectation.outcome] for cell in cells]), places

    own, at = curve(expectation.cells)
    place, _, interval = where_most(own, at)
    resampled = resampled_most(own, at)
    row: dict[str, Any] = {"about": "place", "n": len(own), "mean": place, "detectable": np.nan}
    if not expectation.other:
        inside = float(np.mean((resampled > min(at)) & (resampled < max(at))))
        row |= {"expected": f"between {min(at):g} and {max(at):g}", "reference": np.nan, "difference": place}
        row |= {"low": interval[0], "high": interval[1], "p": _doubled(min(inside, 1.0 - inside))}
        return row, inside - 0.5
    other, places = curve(expectation.other)
    reference = where_most(other, places)[0]
    gaps = resampled - resampled_most(other, places)
    low, high = np.quantile(gaps, (0.025, 0.975), method="inverted_cdf")
    against = min(float(np.mean(gaps >= 0.0)), float(np.mean(gaps <= 0.0)))
    row |= {"expected": "< 0", "reference": reference, "difference": place - reference}
    return row | {"low": float(low), "high": float(high), "p": _doubled(against)}, reference - place


def _doubled(share: float) -> float:
    """A two-sided p-value from the share of resamples that contradict; never below what so many can show."""
    return min(1.0, 2.0 * max(share, 1.0 / BOOTSTRAPS))
