"""From a question to all numbers of a report; no word of HTML here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from district_sim.figures.policy_report import WATCHED
from district_sim.reports.policy_report.groups import eves, followed, gains
from district_sim.reports.policy_report.money import costs
from district_sim.reports.policy_report.reasons import reasons
from district_sim.reports.policy_report.risk import retained, tail
from district_sim.reports.policy_report.sensitivity import Sensitivity, investigate, of_draws
from district_sim.reports.policy_report.verdict import COVERAGE, Verdict, judge, rivals_of, spread

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments import Results
    from district_sim.experiments.compare import Comparison
    from district_sim.reports.policy_report.question import Question

OUTCOMES = (
    "value_added_local_late", "employment_late", "wage_late", "survival", "unemployment_late", "radical_rate_late",
    "gini_late", "trust_late",
)  # fmt: skip
"""Outcomes beside the headline. Survival looks back to the first day and has no late mean of its own."""
AT_RISK = ["value_added_local", "employment"]
"""Indicators whose loss is tail risk."""
YEAR = 4  # quarters
FIRMS, SENSITIVITY = "firms", "sensitivity"
"""What `gather` says it makes."""


@dataclass(frozen=True, eq=False)
class Findings:
    """All numbers of a report."""

    question: Question
    versions: Mapping[str, str]
    runs: pd.DataFrame
    """As `Results.runs`, with `cell`."""
    failed: int
    comparison: Comparison
    rivals: pd.DataFrame
    """Each mix less the lead on the headline outcome."""
    nothing: frozenset[str]
    """Mixes under which every run is what it is without."""
    reasons: Mapping[str, Sequence[str]]
    """By mix why its instruments did nothing, or little."""
    spread: pd.DataFrame
    """How the effect differs from one district to the next; see `verdict.spread`."""
    bands: pd.DataFrame
    """Yearly means of `WATCHED`: cell, quarter (the last of the year), indicator, low, median, high."""
    over_time: pd.DataFrame
    """Mean paired differences of yearly means: cell, quarter, indicator, low, difference, high (Student's t)."""
    district: pd.DataFrame
    """The counterfactual: indicator, calm, late (means over replicates)."""
    first_employment: float
    """Employees in the first quarter, the mean over replicates."""
    ratios: pd.DataFrame
    risk: pd.DataFrame
    gains: pd.DataFrame
    costs: pd.DataFrame
    moves: pd.DataFrame
    """What signposts did to the instruments that have some; see `compare.moved`."""
    verdict: Verdict
    sensitivity: Sensitivity | None


def experiment_fields(question: Question) -> dict[str, Any]:
    """Fields of the experiment whose runs a report needs."""
    return {
        "name": "policy report",
        "scenarios": [question.name],
        "policies": {question.names[cell]: mix for cell, mix in question.mixes.items()},
        "replications": question.replications,
        "seed": question.seed,
        "quarters": question.scenario.run.quarters,
        "keep": {"every": 1, "firms": True, "spending": True},
        "draws": question.draws,
    }


def gather(
    question: Question,
    results: Results,
    workers: int | None = None,
    progress: Callable[[str, int, int], object] | None = None,
) -> Findings:
    """Make what the runs do not hold yet, and compute everything.

    Args:
        question: see there.
        results: runs of the experiment that `experiment_fields` describes.
        workers: processes.
        progress: called with what is made, how much of it is done, and all.

    Raises:
        ValueError: fewer than two replicates are finished under the counterfactual and a mix.
    """
    from district_sim.experiments import compare as statistics
    from district_sim.experiments.points import with_draw

    def told(what: str) -> Callable[[int, int], object] | None:
        return None if progress is None else lambda done, total: progress(what, done, total)

    titles = {name: title for title, name in question.names.items()}
    cells = {point.index: titles[point.policies] for point in results.points}
    runs = results.runs.assign(cell=results.runs["point"].map(cells))
    wanted = list(dict.fromkeys([question.outcome, *OUTCOMES]))
    found = statistics.compare(runs, wanted, names=cells, **question.how)
    lead = _lead(found, question.outcome)
    rivals = rivals_of(runs, lead, question.cells, question.outcome, question.how)
    ratios = retained(results.series, AT_RISK, cells, question.scenario.calm_window)
    seeds = runs[(runs["cell"] == question.cells[0]) & (runs["status"] == "done")]
    districts = [
        (with_draw(question.scenario, question.draws, int(r)), int(seed))
        for r, seed in zip(seeds["replicate"], seeds["seed"], strict=True)
    ]
    made = eves(question.begins, districts, workers, told(FIRMS))
    cohorts = dict(zip(seeds["replicate"].astype(int), made, strict=True))
    groups = followed(cohorts, results.firms, cells, question.scenario.technology.phases)
    base, years = question.cells[0], yearly(results.series)
    begun = results.series[results.series["quarter"] == 1]
    nothing = frozenset(cell for cell in question.cells[1:] if _same(runs, base, cell))
    points = {cell: point for point, cell in cells.items()}
    return Findings(
        question=question,
        versions=_versions(results),
        runs=runs,
        failed=int((runs["status"] != "done").sum()),
        comparison=found,
        rivals=rivals,
        nothing=nothing,
        reasons=reasons(question, results.spending, results.series, points, nothing),
        spread=spread(runs, results.series, question, points),
        bands=statistics.bands(years, WATCHED, cells, COVERAGE),
        over_time=differences_over_time(years, cells, question.confidence),
        district=_district(results.series, cells, question.scenario.calm_window),
        first_employment=float(begun["employment"].mean()),
        ratios=ratios,
        risk=tail(ratios, list(question.cells), question.confidence, question.seed),
        gains=gains(groups, question.cells, question.how),
        costs=costs(results.series, cells, question),
        moves=statistics.moved(results.spending, cells, question.mixes),
        verdict=judge(found.differences, rivals, question.outcome, base, question.confidence),
        sensitivity=of_draws(question, runs, lead) or investigate(question, runs, lead, workers, told(SENSITIVITY)),
    )


def _lead(found: Comparison, outcome: str) -> str:
    """The mix with the greatest mean difference, the first of equals."""
    rows = found.differences[found.differences["outcome"] == outcome].dropna(subset="difference")
    if not len(rows):
        raise ValueError(f"{outcome} has no finite value in pairs of runs; choose another outcome")
    return str(rows["cell"].iloc[int(rows["difference"].argmax())])


def _versions(results: Results) -> dict[str, str]:
    """Of everything that the bytes of a report depend on."""
    from importlib.metadata import version

    from district_sim.experiments.plan import model_version

    others = {name: version(name) for name in ("scipy", "pandas", "matplotlib")}
    return results.versions | others | {"sources": model_version()["sources"]}


def _same(runs: pd.DataFrame, base: str, cell: str) -> bool:
    """Whether all finished runs of two mixes have the same outcomes."""
    from district_sim.experiments.design import Keep, outcomes

    told = ["replicate", "status", "trajectory", *outcomes(Keep())]
    told = [name for name in told if not name.startswith("policy_spending")]  # differs although nothing else may
    first, second = (runs.loc[runs["cell"] == name, told].reset_index(drop=True) for name in (base, cell))
    return bool(first.equals(second))


def differences_over_time(years: pd.DataFrame, cells: Mapping[int, str], confidence: float) -> pd.DataFrame:
    """Mean paired differences from the first cell, with Student's intervals, by cell, quarter and indicator."""
    import numpy as np
    import pandas as pd
    from scipy import stats

    wide = years.set_index(["point", "quarter", "replicate"])[list(WATCHED)].rename_axis(columns="indicator")
    base, *others = cells
    found = []
    for point in others:
        gap: Any = wide.loc[point] - wide.loc[base]
        table = (
            gap.stack()
            .dropna()
            .groupby(["quarter", "indicator"], sort=True)
            .agg(["mean", "std", "count"])
            .reset_index()
        )
        reach = stats.t.ppf((1.0 + confidence) / 2.0, table["count"] - 1)
        half = reach * table["std"] / np.sqrt(table["count"])
        told = {"low": table["mean"] - half, "difference": table["mean"], "high": table["mean"] + half}
        found.append(table[["quarter", "indicator"]].assign(cell=cells[point], **told))
    return pd.concat(found, ignore_index=True)[["cell", "quarter", "indicator", "low", "difference", "high"]]


def yearly(series: pd.DataFrame) -> pd.DataFrame:
    """Means of years of each run; `quarter` is the last quarter of the year, which may be a short one."""
    year = (series["quarter"] - 1) // YEAR
    runs = series.groupby(["point", "replicate", year.rename("year")])
    return runs.mean().assign(quarter=runs["quarter"].max()).reset_index().drop(columns="year")


def _district(series: pd.DataFrame, cells: Mapping[int, str], calm_window: int | None) -> pd.DataFrame:
    """The counterfactual in its calm (without any, in its first quarters) and its late window."""
    import pandas as pd

    from district_sim.reports.run_tables import HEADLINES
    from district_sim.run.trajectories import windows

    own = series[series["point"] == next(iter(cells))]
    quarters = int(own["quarter"].max())
    calm, late = windows(quarters, calm_window or None)
    names = [name for name in HEADLINES if name != "policy_spending"]
    first, last = own[own["quarter"] <= calm], own[own["quarter"] > quarters - late]
    return pd.DataFrame(
        {"indicator": names, "calm": first[names].mean().to_numpy(), "late": last[names].mean().to_numpy()}
    )
