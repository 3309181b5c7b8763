"""A programme in a district: who is served, and what becomes of firms with it and, under the same luck, without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from district_sim.evidence.evaluations.files import Finding, Plan, Served
from district_sim.evidence.evaluations.measures import AGE, observed, summarised
from district_sim.kernels.draws import Stream, normal, uniform
from district_sim.model.extensions import columns_of
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.model.processes.policy import is_target
from district_sim.model.state import State, copied
from district_sim.run.run import advance, quarters_of
from district_sim.scenario.instruments import Targeting

_EVALUATION = int(Stream.EVALUATION)
_APPLYING, _LOTTERY, _JUDGING = range(3)  # numbers of draws
_KEENNESS = 1.0  # log odds of applying for each standard deviation of what makes firms keen

type Quarter = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Sample:
    """Firms of one district that could be served: all arrays (n,) unless said otherwise."""

    seed: int
    growth: float
    """Log growth of value added per employee of the district in the quarters before the start."""
    served: np.ndarray
    """bool: served wherever the district has the programme."""
    score: np.ndarray
    """Less the cut-off, in standard deviations; NaN without a score."""
    employees: np.ndarray
    """Before the start."""
    support: np.ndarray
    """(findings, n) k€ until the end of each finding's window."""
    controls: np.ndarray
    """(controls, n) before the start, as logarithms where all are positive."""
    base: np.ndarray
    """(findings, n) outcome in the quarters before the start, in the measure's unit."""
    yearly_sales: np.ndarray
    """k€ in a year before the start."""
    treated: np.ndarray
    """(findings, n) outcome with the programme; NaN where it has none."""
    untreated: np.ndarray
    """(findings, n) the same without it."""


def sample(plan: Plan, seed: int) -> Sample:
    """Run one district up to the start, choose who is served, and go on with the programme and without it."""
    data = plan.data
    p = parameters_of(plan.scenario)
    state, before = _until_start(plan, p, seed)
    known = _known(state, before)
    eligible = _eligible(state, known, data.served)
    applies = eligible & _applies(state, known, eligible, data.served)
    score, served = _chosen(state, known, applies, data.served)
    with_it = list(_quarters(plan, _offered(plan, state, served), copied(state), _excluded(data.served, served)))
    without = [measures for measures, _ in _quarters(plan, p, state, None)]
    # what an evaluator has: those who applied or, where an effect on others is asked for, all that live
    others = any(finding.whose == "others" for finding in data.findings)
    kept = np.flatnonzero(_alive(known) if others else applies)

    def over(quarters: list[Quarter], finding: Finding) -> np.ndarray:
        first, until = plan.window(finding)
        return summarised(quarters[first:until], finding.outcome)[kept]

    treated, support = [], []
    for finding in data.findings:
        treated.append(over([measures for measures, _ in with_it], finding))
        support.append(with_it[plan.window(finding)[1] - 1][1][kept])
    return Sample(
        seed=seed,
        growth=_growth(before),
        served=served[kept],
        score=score[kept],
        employees=known["employees"][kept],
        support=np.array(support),
        controls=np.array([_held(known[name][kept]) for name in data.controls]).reshape(-1, kept.size),
        base=np.array([summarised(before, finding.outcome)[kept] for finding in data.findings]),
        yearly_sales=4.0 * known["sales"][kept],
        treated=np.array(treated),
        untreated=np.array([over(without, finding) for finding in data.findings]),
    )


def _until_start(plan: Plan, p: Parameters, seed: int) -> tuple[State, list[Quarter]]:
    """The district at the start of the programme, and its firms in the quarters before that."""
    first, start = plan.data.start - plan.data.before, plan.data.start
    now: Any = None
    quarters: list[Quarter] = []
    earlier: Any = None
    for now in quarters_of(p, seed, start, range(first, start + 1)):
        if now.done > first and earlier is not None:
            quarters.append(observed(now.state, earlier, p))
        if now.done >= first:
            earlier = now.state.firms[: int(now.state.clock.rows[0])].copy()
    rows = int(now.state.clock.rows[0])
    return now.state, [{name: _longer(a, rows) for name, a in quarter.items()} for quarter in quarters]


def _longer(values: np.ndarray, rows: int) -> np.ndarray:
    """With NaN for firms that were not yet born."""
    return np.concatenate([values, np.full(rows - values.size, np.nan)])


def _known(state: State, before: list[Quarter]) -> dict[str, np.ndarray]:
    """All measures of the time before the start, and age."""
    rows = int(state.clock.rows[0])
    age = (state.clock.step[0] - state.firms.founded[:rows]).astype(float)
    return {name: summarised(before, name) for name in before[0]} | {AGE: age}


def _alive(known: dict[str, np.ndarray]) -> np.ndarray:
    """Firms that lived throughout the time before the start."""
    return np.isfinite(known["employees"]) & (known["survives"] == 1.0)


def _held(values: np.ndarray) -> np.ndarray:
    """A characteristic as it enters a regression: sizes are skewed."""
    return np.log(values) if (values > 0.0).all() else values


def _growth(before: list[Quarter]) -> float:
    first, last = (np.nansum(one["value_added"]) / np.nansum(one["employees"]) for one in (before[0], before[-1]))
    return float(np.log(last / first)) if first > 0.0 and last > 0.0 else np.nan


# Who is served ------------------------------------------------------------------------------------


def _eligible(state: State, known: dict[str, np.ndarray], rule: Served) -> np.ndarray:
    eligible = _alive(known) & state.firms.alive[: known["employees"].size]
    for name, (low, high) in rule.where.items():
        eligible &= (known[name] >= low) & (known[name] <= high)
    return eligible


def _standard(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """In standard deviations of the firms `among`; 0 where all are alike."""
    spread = float(values[among].std()) if among.any() else 0.0
    return (values - values[among].mean()) / spread if spread > 0.0 else np.zeros_like(values)


def _luck(state: State, number: int) -> np.ndarray:
    """Uniform draws, one for each firm that ever lived, keyed as in the model."""
    keys = state.firms.key[: int(state.clock.rows[0])]
    seed, step = state.clock.seed[0], state.clock.step[0]
    return np.array([uniform(seed, _EVALUATION, step, key, -1, number) for key in keys])


def _applies(state: State, known: dict[str, np.ndarray], eligible: np.ndarray, rule: Served) -> np.ndarray:
    """Exactly the wished share of the eligible, by the logistic distribution's latent keenness."""
    luck = _luck(state, _APPLYING)
    latent = np.log(luck / (1.0 - luck))
    if rule.keen is not None:
        latent += _KEENNESS * _standard(known[rule.keen], eligible)
    return _first(latent, eligible, rule.applicants)


def _first(values: np.ndarray, among: np.ndarray, share: float) -> np.ndarray:
    """The share of firms with the largest values: (rows,) bool."""
    rows = np.flatnonzero(among)
    many = round(share * rows.size)
    chosen = np.zeros(among.size, bool)
    chosen[rows[np.argsort(-values[rows], kind="stable")[:many]]] = True
    return chosen


def _chosen(
    state: State, known: dict[str, np.ndarray], applies: np.ndarray, rule: Served
) -> tuple[np.ndarray, np.ndarray]:
    """Scores less the cut-off (NaN where nobody is scored), and who is served."""
    nothing = np.full(applies.size, np.nan)
    if rule.by == "all":
        return nothing, applies
    if rule.by == "lottery":
        return nothing, _first(_luck(state, _LOTTERY), applies, rule.share)
    keys, seed, step = state.firms.key[: applies.size], state.clock.seed[0], state.clock.step[0]
    chance = np.array([normal(seed, _EVALUATION, step, key, -1, _JUDGING) for key in keys])
    score = rule.luck * chance
    for name in rule.score:
        score = score + _standard(known[name], applies)
    score = _standard(score, applies)
    served = _first(score, applies, rule.share)
    if served.any() and (applies & ~served).any():
        score = score - 0.5 * (score[served].min() + score[applies & ~served].max())
    return np.where(applies, score, np.nan), served


# The programme ------------------------------------------------------------------------------------


def _offered(plan: Plan, state: State, served: np.ndarray) -> Parameters:
    """Parameters with the programme, whose money is in proportion to the employees of those served."""
    employees = {}
    p = parameters_of(plan.scenario)
    for one in plan.data.instruments:
        reached = [
            i
            for i in np.flatnonzero(served)
            if is_target(i, one.target.code, -1, state.firms, state.ties, state.pipelines, state.clock, p)
        ]
        employees[one.target] = float(state.firms.employees[reached].sum())
    return parameters_of(plan.offered({target: employees.get(target, 0.0) for target in Targeting}))


def _excluded(rule: Served, served: np.ndarray) -> np.ndarray | None:
    """Who instruments leave out; None where they serve all firms, also those born later."""
    everybody = rule.by == "all" and rule.applicants == 1.0 and not rule.where
    return None if everybody else ~served


def _quarters(
    plan: Plan, p: Parameters, state: State, excluded: np.ndarray | None
) -> Iterator[tuple[Quarter, np.ndarray]]:
    """Firms in each quarter from the start on, and the support that each has had since."""
    start, rows = plan.data.start, int(state.clock.rows[0])
    table = np.full((start + plan.last, len(columns_of(p))), np.nan)
    had = state.firms.support[:rows].copy()
    for quarter in range(start, start + plan.last):
        if excluded is not None:
            state.firms.excluded[:] = True  # newborns, too
            state.firms.excluded[:rows] = excluded
        earlier = state.firms[:rows].copy()
        state = advance(state, p, table, quarter, quarter + 1)
        yield observed(state, earlier, p), state.firms.support[:rows] - had
