"""What policies cost and what a euro of them changed: present values, equal cost, additionality and deadweight.

Present values are those of one day, by default the run's first, in k€ at constant prices; quarter t (0 is the first)
counts (1 + discount)^(−(t − since)/4), where `since` is the quarter that begins on that day. Nothing here is built into
the model: every figure comes from paired runs under the same luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from district_sim.scenario.files import ScenarioError

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.scenario.calendar import Calendar
    from district_sim.scenario.interventions import Instrument

DISCOUNT = 0.03
"""A year; the social discount rate of the European Commission's Economic Appraisal Vademecum 2021-2027."""
_RESAMPLES = 9999


def present_value(flow: Sequence[float] | np.ndarray, discount: float = DISCOUNT, since: int = 0) -> float:
    """Value on one day of k€ per quarter, from the first quarter on; NaN counts as nothing.

    Args:
        flow: shape (quarters,).
        discount: per year, above -1.
        since: quarter on whose first day it is the value; below 0 before the run.
    """
    amounts = np.nan_to_num(np.asarray(flow, dtype=float))
    return float(amounts @ (1.0 + discount) ** (-(np.arange(len(amounts)) - since) / 4.0))


def budget_value(mix: Sequence[Instrument], quarters: int, discount: float = DISCOUNT, since: int = 0) -> float:
    """Present value of the budgets of a policy mix in a run of so many quarters [k€]; with a discount of 0 their sum.

    NaN where nobody knows a budget beforehand: it is a share of turnover, or waits for signposts.

    Args:
        discount, since: see `present_value`.
    """
    total = 0.0
    for item in mix:
        if item.budget_share > 0.0 or item.when:
            return np.nan
        t = np.arange(quarters)
        total += present_value(np.where((t >= item.start) & (t < item.end), item.budget, 0.0), discount, since)
    return total


def windows_of(mix: Sequence[Instrument], quarters: int, calendar: Calendar | None) -> str:
    """What each instrument of a mix may spend a quarter, and from when to when: the rule behind a sum."""
    told = []
    for item in mix:
        first, last = item.start, min(item.end, quarters) - 1
        when = f"{calendar.date(first)} to {calendar.date(last)}" if calendar else f"quarters {first} to {last}"
        amount = f"{item.budget:,.4g}" if item.budget < 1000 else f"{item.budget:,.0f}"
        share = f"{100 * item.budget_share:g} % of turnover" if item.budget_share else ""
        rule = " and ".join(part for part in (f"{amount} k€" if item.budget or not share else "", share) if part)
        waits = "".join(f", {post.words()}" for post in item.when)
        told.append(f"{item.name} {rule} a quarter in {when} ({max(0, last - first + 1)} quarters){waits}")
    return "; ".join(told)


def rules_of(mixes: Mapping[str, Sequence[Instrument]], quarters: int, calendar: Calendar | None) -> str:
    """What each mix may spend a quarter, for a note under a table of costs; see `windows_of`."""
    return "".join(f"{name}: {windows_of(mix, quarters, calendar)}. " for name, mix in mixes.items() if mix)


def equalised(
    mixes: Mapping[str, Sequence[Instrument]],
    value: float,
    quarters: int,
    discount: float = DISCOUNT,
    since: int = 0,
) -> dict[str, tuple[Instrument, ...]]:
    """The mixes with all budgets of each multiplied so that their present value is the same; empty ones stay empty.

    Args:
        mixes: by name.
        value: k€, above 0.
        quarters: length of the runs.
        discount, since: see `present_value`.

    Raises:
        ScenarioError: a mix has no budget within the run, or one that is a share of turnover or waits for signposts.
    """
    out: dict[str, tuple[Instrument, ...]] = {}
    for name, mix in mixes.items():
        if item := next((item for item in mix if item.budget_share > 0.0), None):
            share = f"budget_share = {item.budget_share:g}"
            raise ScenarioError(
                f"policies {name}: {item.name}: {share}: mixes of equal cost need budgets in k€ a quarter"
            )
        if item := next((item for item in mix if item.when), None):
            raise ScenarioError(
                f"policies {name}: {item.name}: when: mixes of equal cost need budgets that wait for nothing"
            )
        now = budget_value(mix, quarters, discount, since)
        if mix and now <= 0.0:
            raise ScenarioError(f"policies {name}: no budget within the {quarters} quarters of the run to be equalised")
        out[name] = tuple(item.model_copy(update={"budget": item.budget * (value / now)}) for item in mix)
    return out


def cost_table(
    series: pd.DataFrame,
    names: Mapping[int, str],
    bases: Mapping[int, int],
    planned: Mapping[int, float],
    discount: float = DISCOUNT,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    since: int = 0,
    in_all: Mapping[int, float] | None = None,
) -> pd.DataFrame:
    """Planned and real cost of each cell, and what a euro of it changed against another cell under the same luck.

    Args:
        series: every quarter of every run: point, replicate, quarter, `policy_spending`, `value_added_local`,
            `employment`.
        names: cells by point.
        bases: by point the point of its counterfactual: the same scenario with other policies or none.
        planned: present value of the budgets by point [k€].
        discount, since: see `present_value`.
        confidence: of the intervals (bootstrap of replicates).
        seed: of the bootstrap.
        in_all: sum of the budgets by point [k€], not discounted; NaN where it is left out.

    Returns:
        One row per cell: cell, n, in_all [k€], budgets, spent, left_over [k€, present value, mean over replicates];
        per_euro (present value of value added kept in the district, gained for each euro spent beyond the
        counterfactual) with low and high; cost_per_job (k€ spent beyond the counterfactual for each job more in the
        last quarter; NaN where jobs are not more), jobs (mean difference). NaN where no more was spent than in the
        counterfactual.
    """
    import pandas as pd

    values: dict[int, pd.DataFrame] = {}
    for point in names:
        runs = series[series["point"] == point].sort_values("quarter").groupby("replicate")
        values[point] = pd.DataFrame(
            {
                "spent": runs["policy_spending"].apply(lambda flow: present_value(flow.to_numpy(), discount, since)),
                "kept": runs["value_added_local"].apply(lambda flow: present_value(flow.to_numpy(), discount, since)),
                "jobs": runs["employment"].last(),
            }
        )
    rows = []
    for point, name in names.items():
        own = values[point]
        change = (own - values[bases[point]]).dropna()
        spent = float(own["spent"].mean())
        row = {
            "cell": name,
            "n": len(own),
            "in_all": (in_all or {}).get(point, np.nan),
            "budgets": planned[point],
            "spent": spent,
        }
        row |= {"left_over": planned[point] - spent}
        row |= dict(
            zip(("per_euro", "low", "high"), ratio(change["kept"], change["spent"], confidence, seed), strict=True)
        )
        jobs, more = float(change["jobs"].mean()), float(change["spent"].mean())
        row |= {"jobs": jobs, "cost_per_job": more / jobs if more > 0.0 < jobs else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def ratio(
    gain: Sequence[float] | pd.Series, cost: Sequence[float] | pd.Series, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Mean gain per mean cost over paired replicates, with its percentile bootstrap interval; NaN without cost."""
    a, b = np.asarray(gain, dtype=float), np.asarray(cost, dtype=float)
    if len(a) < 2 or b.mean() <= 0.0:
        return (np.nan, np.nan, np.nan)
    drawn = np.random.default_rng(seed).integers(len(a), size=(_RESAMPLES, len(a)))
    resampled = a[drawn].mean(axis=1) / b[drawn].mean(axis=1)
    low, high = np.quantile(resampled, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return float(a.mean() / b.mean()), float(low), float(high)


class Ratio(NamedTuple):
    """A ratio of two means with its confidence set (Fieller 1954)."""

    value: float
    """NaN where the denominator may be 0 or is not above it: a mean ratio says nothing then."""
    low: float
    high: float
    """Infinite where the denominator may be 0; both ends NaN where it is below 0, or no ratio can be excluded."""


def fieller(
    numerator: Sequence[float] | pd.Series, denominator: Sequence[float] | pd.Series, confidence: float = 0.95
) -> Ratio:
    """Mean numerator per mean denominator over pairs, such as k€ per job, with Fieller's confidence set.

    The set holds each ratio r for which the mean of numerator − r · denominator does not differ from 0 (Student's t;
    Fieller 1954, J. Royal Statistical Society B 16, 175-185). It is an interval where the denominator differs from 0;
    otherwise it has no upper end: every price above `low` may be the true one, and there may be none.

    Args:
        numerator, denominator: by pair, at least two.
    """
    y, x = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    nothing = Ratio(np.nan, np.nan, np.nan)
    if len(x) < 2:
        return nothing
    from scipy import stats

    t2 = float(stats.t.ppf((1.0 + confidence) / 2.0, len(x) - 1)) ** 2 / len(x)
    (s_xx, s_xy), (_, s_yy) = np.cov(x, y)
    a, b, c = x.mean() ** 2 - t2 * s_xx, x.mean() * y.mean() - t2 * s_xy, y.mean() ** 2 - t2 * s_yy
    root = b * b - a * c
    if a > 0.0:  # the denominator differs from 0
        if x.mean() < 0.0:
            return nothing
        half = np.sqrt(max(0.0, root))
        return Ratio(float(y.mean() / x.mean()), float((b - half) / a), float((b + half) / a))
    if a == 0.0 or root <= 0.0:
        return nothing
    return Ratio(np.nan, float((b - np.sqrt(root)) / a), np.inf)


def deadweight(
    paid_for: Sequence[float] | pd.Series,
    without: Sequence[float] | pd.Series,
    with_policy: Sequence[float] | pd.Series,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Share of what was paid for that would have happened anyway, or that crowded something else out, with interval.

    1 − (with − without) / paid for, replicate by replicate under the same luck; 0: all of it is additional, 1: nothing
    is, above 1: less happens than without the policy, below 0: more than was paid for.

    Args:
        paid_for: what the spending paid for, such as founders (k€ spent / `founding_cost`) or k€ of R&D, by replicate.
        without: the same quantity as it came about without the policy, such as all entries, by replicate.
        with_policy: and with it.
        confidence: of the interval.
        seed: of the bootstrap.
    """
    more = np.asarray(with_policy, dtype=float) - np.asarray(without, dtype=float)
    found, low, high = ratio(more, paid_for, confidence, seed)
    return 1.0 - found, 1.0 - high, 1.0 - low
