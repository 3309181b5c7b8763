"""Published evaluations beside the same estimators on simulated firms, and beside what the programme really did there.

The last is what no evaluator has: each district is run with the programme and, under the same luck, without it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from district_sim.evidence.evaluations.estimate import (
    MISSING,
    Estimate,
    difference_in_differences,
    discontinuity,
    mean_over_districts,
)
from district_sim.evidence.evaluations.files import Finding, Plan
from district_sim.evidence.evaluations.measures import MEASURES
from district_sim.evidence.evaluations.programme import Sample, sample
from district_sim.evidence.replications.claims import number
from district_sim.kernels.draws import replicate_seed
from district_sim.run.workers import Progress, measured
from district_sim.text.sheet import Sheet

RUNS = 40
_SCOPES = {"all": "", "small": "small firms", "large": "larger firms", "small less large": "small less larger firms"}


@dataclass(frozen=True, slots=True)
class Result:
    """One published result and the model's."""

    finding: Finding
    reference: str
    what: str
    """Outcome and firms, in words."""
    unit: str
    estimate: Estimate
    """By the evaluation's estimator on simulated firms."""
    truth: Estimate
    """What the programme did to those firms, by runs without it under the same luck."""

    @property
    def agrees(self) -> bool:
        """Whether the sign is that published.

        Nothing was published as significant: then the interval must contain 0, or the estimate lie in the published
        interval, as a simulated sample is larger.
        """
        finding, estimate = self.finding, self.estimate
        if finding.sign == "0" and finding.low is not None and finding.high is not None:
            return estimate.sign == "0" or finding.low <= estimate.value <= finding.high
        return estimate.sign == finding.sign

    @property
    def verdict(self) -> str:
        """Whether the sign agrees, and whether for a good reason.

        `yes`; `selection` if the estimator finds the sign, but the programme did not do it; `weak` if it did, but the
        estimator cannot tell it from nothing; `NO`.
        """
        if self.agrees:
            return "yes" if self.finding.sign in ("0", self.truth.sign) else "selection"
        return "weak" if self.estimate.sign == "0" and self.truth.sign == self.finding.sign else "NO"

    @property
    def overlaps(self) -> bool | None:
        """Whether published and simulated intervals have a value in common; None without a published number."""
        finding, estimate = self.finding, self.estimate
        low = finding.value if finding.low is None else finding.low
        high = finding.value if finding.high is None else finding.high
        if low is None or high is None or estimate.sign == "?":
            return None
        return estimate.low <= high and low <= estimate.high

    @property
    def published(self) -> str:
        """What was published, in short."""
        finding = self.finding
        if finding.low is not None and finding.value is not None:
            return f"{_number(finding.value)} ({_number(finding.low)} to {_number(finding.high)}) {self.unit}"
        if finding.low is not None:
            return f"{_number(finding.low)} to {_number(finding.high)} {self.unit}"
        if finding.value is not None:
            return f"{_number(finding.value)} {self.unit}"
        return {"+": "positive", "-": "negative", "0": "nothing"}[finding.sign]

    def as_dict(self) -> dict[str, Any]:
        """For files; what is not a number becomes None."""
        finding = self.finding
        told: dict[str, Any] = {
            "what": self.what,
            "unit": self.unit,
            "reference": self.reference,
            "basis": finding.basis,
            "says": finding.says,
            "published_sign": finding.sign,
            "published": finding.value,
            "published_low": finding.low,
            "published_high": finding.high,
        }
        for name, one in (("estimate", self.estimate), ("truth", self.truth)):
            ends = {key: number(value) if isinstance(value, float) else value for key, value in asdict(one).items()}
            told |= {f"{name}_{key}" if key != "value" else name: value for key, value in ends.items()}
        del told["truth_firms"]
        return told | {"estimate_sign": self.estimate.sign, "verdict": self.verdict, "overlaps": self.overlaps}


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation and what came out; no results where the model cannot express it."""

    plan: Plan
    results: tuple[Result, ...]
    runs: int
    seed: int
    served: float = np.nan
    """Firms served in a district that has the programme, mean."""
    support: float = np.nan
    """k€ that a firm served had until the last window ends, mean."""

    @property
    def agrees(self) -> bool:
        """Whether every sign is that published."""
        return all(result.agrees for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        data = self.plan.data
        return {
            "evaluation": self.plan.name,
            "title": data.title,
            "source": data.source.full,
            "cannot": data.cannot,
            "runs": self.runs,
            "seed": self.seed,
            "served": number(self.served),
            "support": number(self.support),
            "results": [result.as_dict() for result in self.results],
        }


def evaluated(
    plans: Sequence[Plan],
    seed: int = 0,
    runs: int | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[Evaluated]:
    """Run every evaluation that the model can express.

    Args:
        seed: >= 0. runs: districts of each, >= 2; 40 by default. progress: called with districts done and all.
        workers: processes; all cores by default.

    Raises:
        ImportError: statsmodels is not installed.
    """
    try:
        import statsmodels.api  # noqa: F401
    except ImportError as error:
        raise ImportError(MISSING) from error
    runs = RUNS if runs is None else runs
    seeds = [replicate_seed(seed, run) for run in range(runs)]
    able = [plan for plan in plans if not plan.data.cannot]
    found = iter(measured(_job, [(plan, one) for plan in able for one in seeds], progress, workers))
    out = []
    for plan in plans:
        if plan.data.cannot:
            out.append(Evaluated(plan, (), 0, seed))
            continue
        samples = [next(found) for _ in seeds]
        has = _has_it(plan, samples)
        results = tuple(_result(plan, place, samples, has) for place in range(len(plan.data.findings)))
        reached = [one for one, treated in zip(samples, has, strict=True) if treated]
        served = float(np.mean([one.served.sum() for one in reached])) if reached else np.nan
        money = np.concatenate([one.support[:, one.served].max(axis=0) for one in reached]) if reached else np.zeros(0)
        out.append(Evaluated(plan, results, runs, seed, served, float(money.mean()) if money.size else np.nan))
    return out


def _job(job: tuple[Plan, int]) -> Sample:
    return sample(*job)


def _has_it(plan: Plan, samples: Sequence[Sample]) -> np.ndarray:
    """Which districts have the programme: (districts,) bool."""
    if plan.data.districts == "all":
        return np.ones(len(samples), bool)
    if plan.data.districts == "lottery":
        return np.arange(len(samples)) % 2 == 0
    growth = np.array([one.growth for one in samples])
    return growth <= np.median(growth)


# One result ---------------------------------------------------------------------------------------


def _result(plan: Plan, place: int, samples: Sequence[Sample], has: np.ndarray) -> Result:
    finding = plan.data.findings[place]
    reference = (finding.source or plan.data.source).short
    measure = MEASURES[finding.outcome]
    words = [_SCOPES[finding.scope], "not served" if finding.whose == "others" else ""]
    first, until = plan.window(finding)
    if finding.after is not None:
        words.append(f"quarters {first + 1} to {until}")
    what = "; ".join([measure.label, *filter(None, words)])
    unit, shown = _shown(finding)
    estimate, truth = _estimate(plan, place, samples, has), _truth(plan, place, samples, has)
    return Result(finding, reference, what, unit, shown(estimate), shown(truth))


def _shown(finding: Finding) -> tuple[str, Any]:
    """The unit in words and what makes an estimate of it."""
    unit = MEASURES[finding.outcome].unit
    if finding.unit == "log":
        return "%", Estimate.as_percent
    if finding.unit == "sales":
        return "% of sales", partial(_times, 100.0)
    if finding.unit == "grant":
        return "€ for a euro", partial(_times, 1.0)
    return ("points", partial(_times, 100.0)) if unit == "share" else (unit, partial(_times, 1.0))


def _times(factor: float, estimate: Estimate) -> Estimate:
    return estimate.scaled(factor)


def _outcome(plan: Plan, place: int, values: np.ndarray, one: Sample) -> np.ndarray:
    """An outcome as the estimator needs it, (n,): less that before, but for a discontinuity."""
    finding, base = plan.data.findings[place], one.base[place]
    if plan.data.estimator == "discontinuity":
        base = np.ones_like(base) if finding.unit == "log" else np.zeros_like(base)
    first, until = plan.window(finding)
    if finding.unit == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.log(values) - np.log(base)
        return np.where((values > 0.0) & (base > 0.0), change, np.nan)
    if finding.unit == "sales":
        return (until - first) * (values - base) / np.where(one.yearly_sales > 0.0, one.yearly_sales, np.nan)
    return (until - first) * (values - base) if finding.unit == "grant" else values - base


def _chosen(plan: Plan, place: int, one: Sample) -> np.ndarray:
    """Firms of a district that a finding is about, the comparison's among them."""
    finding = plan.data.findings[place]
    chosen = np.ones(one.served.size, bool)
    if plan.data.districts != "all":
        chosen = ~one.served if finding.whose == "others" else one.served.copy()
    if finding.scope in ("small", "large"):
        chosen &= (one.employees < plan.data.small) == (finding.scope == "small")
    return chosen


def _estimate(plan: Plan, place: int, samples: Sequence[Sample], has: np.ndarray) -> Estimate:
    data, finding = plan.data, plan.data.findings[place]
    within = data.districts == "all"
    parts = []
    for district, (one, treated) in enumerate(zip(samples, has, strict=True)):
        rows = _chosen(plan, place, one)
        outcome = _outcome(plan, place, one.treated[place] if treated else one.untreated[place], one)
        got = one.served.astype(float) if within else np.full(rows.size, float(treated))
        if finding.unit == "grant":
            got = got * one.support[place] if treated else np.zeros(rows.size)
        small = (one.employees < data.small).astype(float)
        columns = [outcome, got, np.full(rows.size, float(district)), one.score, small, *one.controls]
        parts.append(np.array(columns)[:, rows])
    outcome, got, district_of, score, small, *controls = np.concatenate(parts, axis=1)
    group = small if finding.scope == "small less large" else None
    if data.estimator == "discontinuity":
        return discontinuity(outcome, score, district_of, data.bandwidth, data.order, group)
    return difference_in_differences(outcome, got, district_of, within, controls, group)


def _truth(plan: Plan, place: int, samples: Sequence[Sample], has: np.ndarray) -> Estimate:
    """Mean over districts of what the programme did to the firms that the finding is about."""
    finding, effects = plan.data.findings[place], []
    for one, treated in zip(samples, has, strict=True):
        if not treated:
            continue
        about = _chosen(plan, place, one) & (~one.served if finding.whose == "others" else one.served)
        effect = _outcome(plan, place, one.treated[place], one) - _outcome(plan, place, one.untreated[place], one)
        about &= np.isfinite(effect)
        small = one.employees < plan.data.small
        if finding.unit == "grant":
            paid = float(one.support[place][about].sum())
            effects.append(float(effect[about].sum()) / paid if paid > 0.0 else np.nan)
        elif finding.scope == "small less large":
            effects.append(_mean(effect[about & small]) - _mean(effect[about & ~small]))
        else:
            effects.append(_mean(effect[about]))
    return mean_over_districts(np.array(effects))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


# What is shown ------------------------------------------------------------------------------------


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}".replace("-", "−")


def shown(estimate: Estimate) -> str:
    """An estimate with its interval."""
    if estimate.sign == "?":
        return "cannot be estimated"
    return f"{_number(estimate.value)} ({_number(estimate.low)} to {_number(estimate.high)})"


def sheet(one: Evaluated) -> Sheet:
    """The table of an evaluation: what was published, what the estimator finds in the model, and what is true there."""
    rows = [
        (
            result.what,
            result.published,
            shown(result.estimate),
            shown(result.truth),
            result.verdict,
            {True: "yes", False: "no", None: "not published"}[result.overlaps],
        )
        for result in one.results
    ]
    agree, firms = sum(result.agrees for result in one.results), max((r.estimate.firms for r in one.results), default=0)
    money = f", {one.support:.3g} k€ each" if one.support > 0.0 else ""
    note = (
        f"{agree} of {len(rows)} signs agree. 95 % intervals, clustered by district. {one.runs} districts, up to "
        f"{firms:,} firms; {one.served:.0f} served in a district with the programme{money}."
    )
    columns = ("Outcome", "Published", "Model, same estimator", "Model, true effect", "Same sign", "Sizes overlap")
    return Sheet.plain(f"{one.plan.data.title} ({one.plan.data.source.short})", columns, rows, note, left=2)
