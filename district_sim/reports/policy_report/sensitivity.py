"""On which uncertain parameters the verdict hangs.

First all uncertain parameters are drawn at once (Latin hypercube), each draw with different luck, under which all
mixes are run: rank correlations with the effect say which parameters matter most, and the share of draws in which the
verdict stays says how far to trust it. Then the most important ones are set to the ends of their ranges one at a time,
under the luck of the report's first replicates, so that the ends are paired with the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.experiments.checks import Bases
from district_sim.experiments.design import Keep, Value
from district_sim.experiments.points import Point, place, scenario_of
from district_sim.kernels.draws import replicate_seed
from district_sim.model.parameters import parameters_of
from district_sim.reports.policy_report.question import TOP, Question
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.paths import schemas_at, value_at

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.run.workers import Progress

type Job = tuple[dict[str, Value], int]
"""Settings and seed."""
ENDS = ("low", "base", "high")
_AHEAD = ("difference", "low", "high")
_NOTHING = 1e-12  # effects below this share of the outcome are rounding


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How the verdict depends on uncertain parameters."""

    lead: str
    """The mix whose effect is looked at: the one with the greatest mean outcome in the report."""
    parameters: int
    """So many were drawn."""
    draws: pd.DataFrame
    """One row per draw: draw, seed, the parameters, the outcome under each mix (`under`), same_side (the lead's effect
    has the sign that it has in the report), kept (same_side, and no mix is higher than the lead)."""
    broken: int
    """Draws left out: the settings do not go together, or the district outgrew its room."""
    ranks: pd.DataFrame
    """One row per parameter, strongest first: parameter, unit, text, low, base, high, rho, rho_low, rho_high, p_holm,
    lower, middle, upper (share of draws in which the verdict stays, by third of the range)."""
    ends: pd.DataFrame
    """One row per parameter of the top, end (of `ENDS`) and mix but the first: parameter, at, value, cell, n, and what
    `compare.paired` tells of the outcome; ahead, ahead_low, ahead_high: the same mix less the lead. Empty where the
    effect is the same in all draws."""
    replicates: int
    """At each end."""
    drawn: bool = False
    """Whether the draws are those of a posterior, in the report's own runs. Then there are no ends: low, base and high
    are the lower, middle and upper third of the draws, each at its median, all other parameters as drawn with it."""

    def share(self, column: str, confidence: float) -> dict[str, float]:
        """Share of the draws in which `same_side` or `kept` holds: share, low and high (Wilson)."""
        from scipy import stats

        count = int(self.draws[column].sum())
        span = stats.binomtest(count, len(self.draws)).proportion_ci(confidence, method="wilson")
        return {"share": count / len(self.draws), "low": float(span.low), "high": float(span.high)}

    @property
    def told(self) -> bool:
        """Whether any parameter of the top stands out from chance at 5 %."""
        return bool((self.top["p_holm"] < 0.05).any())

    @property
    def top(self) -> pd.DataFrame:
        """The most important parameters; none where the effect is the same in all draws."""
        return self.ranks[self.ranks["rho"].notna()].head(TOP)


def under(cell: str) -> str:
    """Column of the outcome under a mix; a mix may be called as a parameter is."""
    return f"under {cell}"


def outcomes_under(bases: Bases, cells: Sequence[str], outcome: str, job: Job) -> tuple[float, ...]:
    """The outcome of one luck under each mix; NaN for all where it cannot be run."""
    from district_sim.experiments.work import outcomes_of
    from district_sim.model.extensions import columns_of
    from district_sim.run.shared_past import Pasts, past_of

    settings, seed = job
    found, pasts = [], Pasts(1)
    try:
        for cell in cells:
            scenario = scenario_of(Point(0, "", cell, settings), bases)
            p = parameters_of(scenario)
            *_, end = pasts.quarters(p, past_of(p), seed, scenario.run.quarters)
            told = outcomes_of(end.table, Keep(), columns_of(p), scenario.calm_window)
            found.append(float(told[outcome]))
    except (ScenarioError, RuntimeError):  # do not go together; more firms than there is room for
        return (float("nan"),) * len(cells)
    return tuple(found)


def investigate(
    question: Question,
    runs: pd.DataFrame,
    lead: str,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity | None:
    """Make the runs of the sensitivity and report their results.

    Args:
        question: see there.
        runs: those of the report: cell, replicate, seed, status and the outcome.
        lead: the mix whose effect is looked at.
        workers: processes.
        progress: called with the runs done and all.

    Returns:
        None where nothing was asked for.
    """
    from district_sim.run.workers import WORTH_PROCESSES, measured

    count, replicates = question.plan
    if not count:
        return None
    bases = _bases(question)
    settings = _drawn(question, count)
    first: list[Job] = [(values, replicate_seed(question.seed, draw)) for draw, values in enumerate(settings)]
    whole = count + 2 * min(TOP, len(question.uncertain.parameters)) * replicates
    measure = partial(outcomes_under, bases, question.cells, question.outcome)

    def tell(before: int) -> Progress | None:
        if progress is None:
            return None
        cells = len(question.cells)
        return lambda done, _: progress(cells * (before + done), cells * whole)

    draws = _judged(question, settings, measured(measure, first, tell(0), workers), lead, runs)
    finite = np.isfinite(draws[[under(cell) for cell in question.cells]]).all(axis=1)
    draws, broken = draws[finite].reset_index(drop=True), int((~finite).sum())
    ranks = ranked(question, draws, lead)
    top = ranks.loc[ranks["rho"].notna(), "parameter"].head(TOP).tolist()
    second = _end_jobs(question, top, replicates)
    processes = workers if len(second) >= WORTH_PROCESSES else 1
    made = measured(measure, [job for *_, job in second], tell(count), processes)
    ends = _ends(question, runs, second, made, lead, replicates)
    return Sensitivity(lead, len(question.uncertain.parameters), draws, broken, ranks, ends, replicates)


# A posterior --------------------------------------------------------------------------------------


def of_draws(question: Question, runs: pd.DataFrame, lead: str) -> Sensitivity | None:
    """How the verdict depends on the parameters of a posterior: from the report's own runs, each with its draw.

    Args:
        question: see there. runs: those of the report: cell, replicate, seed, status and the outcome.
        lead: the mix whose effect is looked at.

    Returns:
        None where nothing was drawn.
    """
    if question.draws is None:
        return None
    done = runs[runs["status"] == "done"].pivot(index="replicate", columns="cell", values=question.outcome)
    done = done.replace([np.inf, -np.inf], np.nan).dropna()
    settings = [{path: values[int(r)] for path, values in question.draws.values.items()} for r in done.index]
    made = [tuple(float(row[cell]) for cell in question.cells) for row in done.to_dict("records")]
    draws = _judged(question, settings, made, lead, runs)
    draws["draw"] = [question.draws.numbers[int(r)] for r in done.index]
    draws["seed"] = [str(replicate_seed(question.seed, int(r))) for r in done.index]
    ranks = ranked(question, draws, lead)
    top = ranks.loc[ranks["rho"].notna(), "parameter"].head(TOP).tolist()
    broken = int(runs["replicate"].nunique() - len(done))
    count = len(question.uncertain.parameters)
    return Sensitivity(lead, count, draws, broken, ranks, _by_third(question, draws, top, lead), len(done) // 3, True)


def _by_third(question: Question, draws: pd.DataFrame, top: list[str], lead: str) -> pd.DataFrame:
    """The effect in the lower, middle and upper third of the draws of each parameter, as `ends` holds it."""
    import pandas as pd

    rows = []
    for path in top:
        order = np.argsort(draws[path].to_numpy(dtype=float), kind="stable")
        for at, part in zip(ENDS, np.array_split(order, 3), strict=True):
            own = draws.iloc[part]
            rows += _effects(question, own, path, at, float(own[path].median()), lead)
    return pd.DataFrame(rows)


# Draws --------------------------------------------------------------------------------------------


def _bases(question: Question) -> Bases:
    data = question.scenario.model_dump(mode="json")
    laid = {cell: [item.model_dump(mode="json") for item in mix] for cell, mix in question.mixes.items()}
    return {("", cell): data | {"policies": policies} for cell, policies in laid.items()}


def _drawn(question: Question, count: int) -> list[dict[str, Value]]:
    """A Latin hypercube over the ranges of the uncertain parameters."""
    from scipy.stats import qmc

    rng = np.random.default_rng([question.seed, len(question.uncertain.parameters), count])
    unit = qmc.LatinHypercube(len(question.uncertain.parameters), rng=rng).random(count)
    return [
        {p.path: place(p.values(), float(share)) for p, share in zip(question.uncertain.parameters, row, strict=True)}
        for row in unit
    ]


def _judged(
    question: Question, settings: list[dict[str, Value]], made: list[tuple[float, ...]], lead: str, runs: pd.DataFrame
) -> pd.DataFrame:
    """The table of draws."""
    import pandas as pd

    table = pd.DataFrame(settings)
    table.insert(0, "draw", range(len(settings)))
    table.insert(1, "seed", [str(replicate_seed(question.seed, draw)) for draw in range(len(settings))])
    values = pd.DataFrame(made, columns=[under(cell) for cell in question.cells])
    finished = runs[runs["status"] == "done"]
    means = finished.groupby("cell")[question.outcome].mean()
    side = np.sign(means[lead] - means[question.cells[0]])
    own, base = values[under(lead)], values[under(question.cells[0])]
    same = np.sign(own - base) == side
    kept = (own >= values.iloc[:, 1:].max(axis=1)) & same
    return pd.concat([table, values, same.rename("same_side"), kept.rename("kept")], axis=1)


def ranked(question: Question, draws: pd.DataFrame, lead: str) -> pd.DataFrame:
    """Spearman's rank correlation of each parameter with the lead's effect, strongest first.

    Intervals by Fisher's z with the standard error of Bonett & Wright 2000, doi 10.1007/BF02294183; p-values
    corrected for the number of parameters (Holm). NaN where the effect is the same in all draws.
    """
    import pandas as pd
    from scipy import stats

    from district_sim.experiments.compare import holm

    base = draws[under(question.cells[0])].to_numpy(dtype=float)
    effect = draws[under(lead)].to_numpy(dtype=float) - base
    size = np.abs(base).max() if len(draws) else 0.0
    constant = len(effect) < 4 or np.ptp(effect) <= _NOTHING * size
    reach = stats.norm.ppf((1.0 + question.confidence) / 2.0)
    data, rows = question.scenario.model_dump(mode="json"), []
    for parameter in question.uncertain.parameters:
        schema: dict[str, Any] = schemas_at(data, parameter.path)[0]
        values = draws[parameter.path].astype(float)
        rho, p = (np.nan, np.nan) if constant else map(float, stats.spearmanr(values, effect))
        half = reach * np.sqrt((1.0 + rho**2 / 2.0) / max(1, len(effect) - 3))
        row = {"parameter": parameter.path, "unit": schema.get("unit", ""), "text": schema.get("description", "")}
        row |= {"low": parameter.low, "base": float(value_at(data, parameter.path)), "high": parameter.high}
        row |= {"rho": rho, "rho_low": np.tanh(np.arctanh(rho) - half), "rho_high": np.tanh(np.arctanh(rho) + half)}
        rows.append(row | {"p": p} | _thirds(values, draws["kept"], parameter.low, parameter.high))
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table.pop("p").to_numpy())
    return table.iloc[np.argsort(-table["rho"].abs().fillna(0.0).to_numpy(), kind="stable")].reset_index(drop=True)


def _thirds(values: pd.Series, kept: pd.Series, low: float, high: float) -> dict[str, float]:
    third = np.clip(((values - low) / (high - low) * 3.0).astype(int), 0, 2) if high > low else 0 * values
    return {name: float(kept[third == k].mean()) for k, name in enumerate(("lower", "middle", "upper"))}


# Ends ---------------------------------------------------------------------------------------------


def _end_jobs(question: Question, paths: list[str], replicates: int) -> list[tuple[str, str, int, Job]]:
    """Parameter, end, replicate and job."""

    by_path = {parameter.path: parameter for parameter in question.uncertain.parameters}
    jobs = []
    for path in paths:
        for at, unit in (("low", 0.0), ("high", 1.0)):
            value = place(by_path[path].values(), unit)
            for replicate in range(replicates):
                jobs.append((path, at, replicate, ({path: value}, replicate_seed(question.seed, replicate))))
    return jobs


def _ends(
    question: Question,
    runs: pd.DataFrame,
    jobs: list[tuple[str, str, int, Job]],
    made: list[tuple[float, ...]],
    lead: str,
    replicates: int,
) -> pd.DataFrame:
    """Effects at the ends, and at the base from the report's own first replicates."""
    import pandas as pd

    cells, data = question.cells, question.scenario.model_dump(mode="json")
    found: dict[tuple[str, str], dict[int, tuple[float, ...]]] = {}
    for (path, at, replicate, _), values in zip(jobs, made, strict=True):
        found.setdefault((path, at), {})[replicate] = values
    done = runs[(runs["status"] == "done") & (runs["replicate"] < replicates)]
    base = done.pivot(index="replicate", columns="cell", values=question.outcome)
    rows = []
    for path in dict.fromkeys(path for path, *_ in jobs):
        own = next(parameter for parameter in question.uncertain.parameters if parameter.path == path)
        at_value = {"low": own.low, "base": float(value_at(data, path)), "high": own.high}
        for at in ENDS:
            wide = base
            if at != "base":
                wide = pd.DataFrame.from_dict(found[path, at], orient="index", columns=list(cells))
            rows += _effects(question, wide.rename(columns=under), path, at, at_value[at], lead)
    return pd.DataFrame(rows)


def _effects(
    question: Question, wide: pd.DataFrame, path: str, at: str, value: float, lead: str
) -> list[dict[str, Any]]:
    """The effect of each mix in some replicates, and what it is ahead of the lead.

    Args:
        wide: the outcome under each mix (`under`). path, at, value: of the parameter.
    """
    from district_sim.experiments.compare import paired

    rows = []
    for cell in question.cells[1:]:
        told: dict[str, Any] = paired(wide[under(question.cells[0])], wide[under(cell)], **question.how)
        ahead = paired(wide[under(lead)], wide[under(cell)], **question.how)
        told |= {f"ahead_{name}".removesuffix("_difference"): ahead[name] for name in _AHEAD}
        rows.append({"parameter": path, "at": at, "value": value, "cell": cell} | told)
    return rows
