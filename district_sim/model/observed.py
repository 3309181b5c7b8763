"""A district that starts from tables: what was observed takes the place of what would be drawn, and is held.

In calm quarters before the start knowledge, trust and customers settle around firms that keep their people, owners and
partners. What nobody observed is drawn from the schema's distributions given what was, keyed by seed: replicates differ
in that alone.
"""

from collections.abc import Callable

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.portable import exp, log, normal_quantiles
from district_sim.model.first_day import DYNAMISM_SPREAD, FINAL_SHARE, first_tie, uniforms
from district_sim.model.parameters import Parameters
from district_sim.model.processes.market import MOST_RESEARCH
from district_sim.model.state import EMPLOYED, UNEMPLOYED, State, owner_code, reports_of
from district_sim.scenario.tables import MULTINATIONAL, UNKNOWN, Tables

_PHASE, _DYNAMISM, _COMPANY = range(20, 23)  # numbers of draws, beyond those of `model.initial`
_MOST_STEP = 2.0  # by which a customer base changes at most in a quarter before the start
_HIRING = 1e-6  # so little that people stay, and enough to read how many would be needed
_PLENTY = 10.0  # unemployed for each employee: before the start nobody is scarce
_NO_MOVES = ("takeover", "acquisition", "captivity", "divestment")


def phases(seen: Tables, p: Parameters, seed: np.uint64) -> np.ndarray:
    """Phase of every firm, (n,): the table's; where unknown, drawn like those known, or by the schema if none is."""
    unknown = np.flatnonzero(seen.phase < 0)
    out = seen.phase.copy()
    if not unknown.size:
        return out
    luck = uniforms(len(out), seed, _PHASE)[unknown]
    if unknown.size < out.size:
        shares = np.cumsum(np.bincount(out[out >= 0], minlength=p.technology[0].phases)) / (out.size - unknown.size)
        out[unknown] = np.minimum(np.searchsorted(shares, luck, side="right"), p.technology[0].phases - 1)
        return out
    return _drawn_phases(seen.employees, luck, p)


def _drawn_phases(employees: np.ndarray, luck: np.ndarray, p: Parameters) -> np.ndarray:
    """`final_share` of the firms in the last phase, with half of all people; the others even in number and size."""
    n, last = employees.size, p.technology[0].phases - 1
    count = min(n - 1, max(1, round(p.firms[0].final_share * n)))
    low, high, log_luck, size = -1.0, 2.0, log(luck), log(employees)
    for _ in range(30):  # the pull of size with which that many firms have about half of all people
        pull = 0.5 * (low + high)
        final = np.argsort(-(log_luck / exp(pull * size)), kind="stable")[:count]
        if employees[final].sum() < FINAL_SHARE * employees.sum():
            low = pull
        else:
            high = pull
    phase = np.full(n, -1, np.int64)
    phase[final] = last
    others = np.flatnonzero(phase < 0)
    others = others[np.argsort(-employees[others], kind="stable")]
    for first in range(0, others.size, last):  # firms of about one size, one in each phase
        group = others[first : first + last]
        phase[group[np.argsort(luck[group], kind="stable")]] = np.arange(group.size)
    return phase


def lay(state: State, seen: Tables, p: Parameters) -> None:
    """Places, ages, owners, education and drive to research that were observed, over what was drawn, in place."""
    firms, n, seed = state.firms, len(seen.employees), state.clock.seed[0]
    placed = np.isfinite(seen.x)
    firms.x[:n][placed], firms.y[:n][placed] = seen.x[placed], seen.y[placed]
    dated = np.isfinite(seen.founded)
    firms.founded[:n][dated] = seen.founded[dated].astype(np.int32)
    if seen.owner[0] != UNKNOWN:
        firms.owner[:n] = seen.owner
        foreign = np.flatnonzero(seen.owner == MULTINATIONAL)
        companies = (uniforms(n, seed, _COMPANY)[foreign] * p.ownership[0].multinationals).astype(np.int64)
        firms.owner[foreign] = [owner_code(company) for company in companies]
    firms.dynamism[:n] = _dynamism(firms.dynamism[:n], seen, p, seed)
    firms.research[:n] = firms.dynamism[:n]
    _hold(state, seen)


def _dynamism(drawn: np.ndarray, seen: Tables, p: Parameters, seed: np.uint64) -> np.ndarray:
    """Drive to research: as observed R&D shows it; else by rank in patents per employee; else as drawn.

    A firm's normal R&D is a share of its value added, taken as what its people make at the mean productivity.
    """
    out = drawn.copy()
    if np.isfinite(seen.patents).any():  # patents count for R&D: Griliches 1990
        luck, known = uniforms(len(out), seed, _DYNAMISM), np.isfinite(seen.patents)
        score = np.where(known, seen.patents, 0.0)[known] / seen.employees[known]
        rank = np.argsort(np.lexsort((luck[known], score)), kind="stable")
        out[known] = exp(DYNAMISM_SPREAD * normal_quantiles((rank + 0.5) / rank.size) - 0.5 * DYNAMISM_SPREAD**2)
    known = np.isfinite(seen.research)
    normal = p.innovation[0].research_cost * p.market[0].productivity * seen.employees
    usual = max(1e-9, p.history[0].research)
    out[known] = np.minimum(MOST_RESEARCH, seen.research[known] / (normal[known] * usual))
    return out


def lean_outwards(seen: Tables | None, n: int) -> np.ndarray:
    """How much likelier than others of its size each firm is to have a pipeline, (n,): who exports more rather has."""
    lean = np.ones(n)
    if seen is not None and np.isfinite(seen.exports).any():
        known = np.isfinite(seen.exports)
        mean = float(seen.exports[known].mean())
        lean[known] = seen.exports[known] / mean if mean > 0.0 else 1.0
    return lean


def lay_ties(state: State, seen: Tables, p: Parameters) -> None:
    """The ties of the table, with trust by chemistry, in place."""
    assert seen.a is not None
    assert seen.b is not None
    _tie_all(seen.a, seen.b, state.firms, state.ties, state.clock, p.firms)


@kernel
def _tie_all(a, b, firms, ties, clock, start):
    for t in range(a.size):
        first_tie(a[t], b[t], firms, ties, start[0], clock.seed[0])


def held(p: Parameters, seen: Tables) -> Parameters:
    """Calm parameters under which people stay, and ties if they were observed; nobody is bought or left."""
    market, ownership, ties = p.market.copy(), p.ownership.copy(), p.ties.copy()
    market.hiring_speed, market.growth_noise, market.size_reversion = _HIRING, 0.0, 0.0
    for move in _NO_MOVES:
        ownership[move] = 0.0
    if seen.a is not None:
        ties.ending, ties.searching = 0.0, 0.0
    return p._replace(market=market, ownership=ownership, ties=ties)


def settle(state: State, seen: Tables, p: Parameters, quarters: Callable[..., int], count: int) -> None:
    """Run calm quarters in which everything finds its level around what is held, in place.

    Customer bases move until each firm's work is what its people can do: in each quarter a firm whose orders would need
    fewer people than it has gains customers. Within a phase before the last, customers in all are what its people make.

    Args:
        p: as `held` gives them. quarters: `schedule.quarters`. count: how many.
    """
    firms, n, people = state.firms, len(seen.employees), state.accounts.people
    last, reports = p.technology[0].phases - 1, reports_of(state, 0)
    for _ in range(count):
        people[UNEMPLOYED] = _PLENTY * people[EMPLOYED]
        reach = firms.reach[:n].copy()
        quarters(state, p, np.empty((1, 0)), reports, 0, 1, True)
        needed = seen.employees + (firms.employees[:n] - seen.employees) / _HIRING
        step = np.sqrt(seen.employees / np.maximum(needed, 1e-9))
        reach *= np.clip(step, 1.0 / _MOST_STEP, _MOST_STEP)
        for q in range(last):
            mine = firms.phase[:n] == q
            work, able = needed[mine].sum(), seen.employees[mine].sum()
            if work > 0.0 and firms.sales[:n][mine].sum() > 0.0:
                reach[mine] *= firms.sales[:n][mine].sum() * able / work / reach[mine].sum()
        firms.reach[:n] = reach
        _hold(state, seen)
    quarters(state, p, np.empty((1, 0)), reports, 0, 0, True)  # the district as it stands is its own standard


def _hold(state: State, seen: Tables) -> None:
    n, educated = len(seen.employees), np.isfinite(seen.education)
    state.firms.employees[:n] = seen.employees
    state.firms.education[:n][educated] = seen.education[educated]


def first_quarter(state: State, seen: Tables) -> None:
    """Turnover and orders of the table, over those of the settled district, in place."""
    firms, orders, n = state.firms, state.orders, len(seen.employees)
    sold = np.isfinite(seen.turnover)
    firms.sales[:n][sold] = seen.turnover[sold]
    if seen.a is not None:
        _order_all(seen.a, seen.b, seen.paid_ab, seen.paid_ba, state.ties, orders)
        _find_clients(n, firms, state.ties, orders, firms.made.shape[1] - 1)


@kernel
def _order_all(a, b, paid_ab, paid_ba, ties, orders):
    for t in range(a.size):
        for m in range(ties[a[t]].partner.size):
            if ties[a[t]].partner[m] == b[t]:
                if np.isfinite(paid_ab[t]):
                    orders[a[t]].paid[m] = paid_ab[t]
                if np.isfinite(paid_ba[t]):
                    orders[b[t]].paid[ties[a[t]].mirror[m]] = paid_ba[t]


@kernel
def _find_clients(n, firms, ties, orders, last):
    """Largest client of each firm before the last phase, by what its partners pay."""
    for i in range(n):
        largest, client = 0.0, np.int64(-1)
        for m in range(ties[i].partner.size):
            j = np.int64(ties[i].partner[m])
            if j >= 0 and orders[j].paid[ties[i].mirror[m]] > largest:
                largest, client = orders[j].paid[ties[i].mirror[m]], j
        if client >= 0 and firms[i].phase < last:
            firms[i].main_client = client
            firms[i].client_share = min(1.0, largest / firms[i].sales) if firms[i].sales > 0.0 else 0.0
