"""What the policies cost, and what a job kept costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from district_sim.experiments.costs import budget_value, cost_table, fieller, present_value

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.reports.policy_report.question import Question

VALUES = ("", "_nominal")
"""How a cost is counted: as present value, and as the plain sum, at the same constant prices."""


def costs(series: pd.DataFrame, cells: Mapping[int, str], question: Question) -> pd.DataFrame:
    """`costs.cost_table`, and jobs with their intervals.

    Args:
        series: every quarter of every run.
        cells: mixes by point; the first is the counterfactual.

    Returns:
        The columns of `cost_table` and: spent_nominal (the plain sum, not discounted); jobs_low, jobs_high, job_years
        (employees · years more over the whole run) with job_years_low and job_years_high; cost_per_job, its confidence
        set _low to _high (Fieller; _high is infinite, and the cost itself NaN, where the jobs may be none), the same
        per job_year, and each once more with _nominal.
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


def sums(runs: pd.DataFrame, question: Question) -> pd.DataFrame:
    """What the runs of one mix come to, by replicate.

    Returns:
        Columns job (employees in the last quarter), job_year (employees · years over the whole run), spent (present
        value, k€) and spent_nominal (not discounted, k€).
    """
    import pandas as pd

    by_run = runs.sort_values("quarter").groupby("replicate")
    return pd.DataFrame(
        {
            "job": by_run["employment"].last(),
            "job_year": by_run["employment"].sum() / 4.0,
            "spent": by_run["policy_spending"].apply(
                lambda flow: present_value(flow.to_numpy(), question.discount, question.since)
            ),
            "spent_nominal": by_run["policy_spending"].sum(),
        }
    )


def _jobs(series: pd.DataFrame, base: int, point: int, question: Question) -> dict[str, float]:
    from district_sim.experiments.compare import paired

    without, own = (sums(series[series["point"] == of], question) for of in (base, point))
    change = (own - without).dropna()
    told = {"spent_nominal": float(own["spent_nominal"].mean())}
    for name in ("job", "job_year"):
        jobs = paired(without[name], own[name], **question.how)
        told |= {f"{name}s": jobs["difference"], f"{name}s_low": jobs["low"], f"{name}s_high": jobs["high"]}
        for value in VALUES:
            paid = change[f"spent{value}"]
            cost = fieller(paid, change[name], question.confidence) if paid.mean() > 0.0 else (np.nan, np.nan, np.nan)
            ends = (f"cost_per_{name}{value}", f"cost_per_{name}{value}_low", f"cost_per_{name}{value}_high")
            told |= dict(zip(ends, cost, strict=True))
    return told
