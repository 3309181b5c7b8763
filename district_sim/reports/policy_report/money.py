"""What the policies cost, and what a job kept costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from district_sim.experiments.costs import budget_value, cost_table, present_value, ratio

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.reports.policy_report.question import Question


def costs(series: pd.DataFrame, cells: Mapping[int, str], question: Question) -> pd.DataFrame:
    """`costs.cost_table`, and jobs with their intervals.

    Args:
        series: every quarter of every run.
        cells: mixes by point; the first is the counterfactual.

    Returns:
        The columns of `cost_table` and: jobs_low, jobs_high, job_years (employees · years more over the whole run) with
        job_years_low and job_years_high; cost_per_job_low and _high, cost_per_job_year, _low and _high. A cost per job
        is given only where the interval of the jobs lies above 0; elsewhere it is NaN.
    """
    planned = {point: _planned(question, cell) for point, cell in cells.items()}
    base = next(iter(cells))
    seed, confidence = question.seed, question.confidence
    found = cost_table(
        series, cells, dict.fromkeys(cells, base), planned, question.discount, confidence, seed,
        since=question.since, in_all={point: _planned(question, cell, 0.0) for point, cell in cells.items()},
    )  # fmt: skip
    more = [_jobs(series, base, point, question) for point in cells]
    for name in more[0]:
        found[name] = [row[name] for row in more]
    return found


def _planned(question: Question, cell: str, discount: float | None = None) -> float:
    """Present value of a mix's budgets, at another discount if one is given."""
    rate = question.discount if discount is None else discount
    return budget_value(question.mixes[cell], question.scenario.run.quarters, rate, question.since)


def _jobs(series: pd.DataFrame, base: int, point: int, question: Question) -> dict[str, float]:
    from district_sim.experiments.compare import paired

    def sums(of: int) -> dict[str, pd.Series]:
        runs = series[series["point"] == of].sort_values("quarter").groupby("replicate")
        spent = runs["policy_spending"].apply(
            lambda flow: present_value(flow.to_numpy(), question.discount, question.since)
        )
        return {"job": runs["employment"].last(), "job_year": runs["employment"].sum() / 4.0, "spent": spent}

    without, own = sums(base), sums(point)
    told: dict[str, float] = {}
    for name in ("job", "job_year"):
        jobs = paired(
            without[name], own[name], interval=question.interval, confidence=question.confidence, seed=question.seed
        )
        told |= {f"{name}s": jobs["difference"], f"{name}s_low": jobs["low"], f"{name}s_high": jobs["high"]}
        cost = (np.nan, np.nan, np.nan)
        if jobs["low"] > 0.0:
            spent = (own["spent"] - without["spent"]).dropna()
            more = (own[name] - without[name]).loc[spent.index]
            cost = ratio(spent, more, question.confidence, question.seed)
        told |= dict(zip((f"cost_per_{name}", f"cost_per_{name}_low", f"cost_per_{name}_high"), cost, strict=True))
    return told
