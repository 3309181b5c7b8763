"""The initial district, drawn from real districts' figures and settled in calm quarters before the start.

Depends on the seed and on everything in the scenario but `strategy`, `policies` and their effects: scenarios that
differ only in these start from the same district, bit for bit. Where the scenario names tables of a real district, what
they say takes the place of what would be drawn: see `model.observed`.
"""

from typing import Any

import numpy as np

from district_sim.kernels.compile import kernel, start_threads
from district_sim.kernels.draws import normal, uniform, uniform2
from district_sim.kernels.portable import exp, normal_quantiles
from district_sim.model import observed
from district_sim.model.first_day import DYNAMISM_SPREAD, FINAL_SHARE, INITIAL, first_tie, uniforms
from district_sim.model.parameters import Parameters, for_kernels
from district_sim.model.processes.conduct import first_conduct, means_of
from district_sim.model.processes.relations import degree, draw_firm
from district_sim.model.processes.search import suitability
from district_sim.model.processes.world import LEAST_FRONTIER, MOST_FRONTIER
from district_sim.model.schedule import quarters as run_quarters
from district_sim.model.state import FIRMS, HOUSEHOLDS, State, empty_state, reports_of
from district_sim.scenario.tables import UNKNOWN

_FIRST_CASH = 1.5  # quarters of wages
_OLDEST, _YOUNGEST = 60.0, 8  # quarters before the first day between which firms were founded
_SKILL_OF_FIRMS, _SKILL_OF_DOMAINS = 0.15, 0.2  # standard deviations of log knowledge between firms, and within one
_KNOWN, _CODIFIED = 0.95, 0.7  # tacit knowledge at the start, of what its phase uses; codified knowledge, of tacit
_SPREAD = 0.08  # standard deviation of education, IT and identity between firms
_EXPERIENCE, _ABSORPTIVE, _QUALITY = 0.8, 0.5, 0.7  # before the district settles, which makes its own
_ABLE_SIZE = 10.0  # employees from which a firm is as likely as any to have a pipeline
_SIZE, _PHASE, _PLACE, _SKILL, _DYNAMISM, _EDUCATION, _IT, _IDENTITY, _LINK, _TIE, _DOMAIN = range(11)


def initial_sizes(n: int, mean: float, sigma: float, seed: np.uint64) -> np.ndarray:
    """Stratified lognormal sizes [employees], at least 1, shape (n,): every district has the same distribution.

    The body is lognormal (right-skewed); the smallest firms are the self-employed.
    """
    rank = np.argsort(np.argsort(uniforms(n, seed, _SIZE), kind="stable"), kind="stable")
    size = np.maximum(1.0, exp(sigma * normal_quantiles((rank + 0.5) / n)))
    for _ in range(8):  # scale to the mean although no firm is smaller than one person
        size = np.maximum(1.0, size * mean / size.mean())
    return size


def _roles(n: int, p: Parameters, seed: np.uint64) -> np.ndarray:
    """Phase of every firm: `final_share` of them in the last phase, the others spread evenly."""
    last = p.technology[0].phases - 1
    order = np.argsort(uniforms(n, seed, _PHASE), kind="stable")
    final = min(n - 1, max(1, round(p.firms[0].final_share * n)))
    phase = np.empty(n, np.int64)
    phase[order[:final]] = last
    phase[order[final:]] = np.arange(n - final) % last
    return phase


@kernel
def _endow(firms, n, clock, p):
    """Places, knowledge, people's skills and attitudes of the first n firms."""
    start, seed = p.firms[0], clock.seed[0]
    for i in range(n):
        firms[i].alive, firms[i].key, firms[i].parent = True, i, -1
        a, b = uniform2(seed, INITIAL, 0, i, -1, _PLACE)
        firms[i].x = start.radius * np.sqrt(a) * np.cos(2.0 * np.pi * b)
        firms[i].y = start.radius * np.sqrt(a) * np.sin(2.0 * np.pi * b)
        firms[i].founded = -np.int64(_OLDEST * uniform(seed, INITIAL, 0, i, -2, _PLACE)) - _YOUNGEST
        skill = np.exp(_SKILL_OF_FIRMS * normal(seed, INITIAL, 0, i, -1, _SKILL))
        tacit, codified = firms[i].tacit, firms[i].codified
        for d in range(tacit.size):
            own = skill * np.exp(_SKILL_OF_DOMAINS * normal(seed, INITIAL, 0, i, d, _DOMAIN))
            tacit[d] = _KNOWN * own * p.derived.use[0, firms[i].phase, d]
            codified[d] = _CODIFIED * tacit[d]
        firms[i].dynamism = np.exp(
            DYNAMISM_SPREAD * normal(seed, INITIAL, 0, i, -1, _DYNAMISM) - 0.5 * DYNAMISM_SPREAD**2
        )
        firms[i].education = _around(start.education, _SPREAD, seed, i, _EDUCATION)
        firms[i].it = _around(start.it, _SPREAD, seed, i, _IT)
        firms[i].identity = _around(start.identity, _SPREAD, seed, i, _IDENTITY)
        firms[i].collaboration, firms[i].experience = start.trust, _EXPERIENCE
        firms[i].research, firms[i].absorptive, firms[i].quality = firms[i].dynamism, _ABSORPTIVE, _QUALITY
        first_conduct(i, firms, clock, p)
        firms[i].wage = p.market[0].wage
        share = p.market[0].final_value if firms[i].phase == p.technology[0].phases - 1 else 1.0
        firms[i].reach = firms[i].employees * p.market[0].productivity / share
        firms[i].value_added = firms[i].employees * p.market[0].productivity


@kernel
def _around(mean, spread, seed, i, number):
    return min(1.0, max(0.0, mean + spread * normal(seed, INITIAL, 0, i, -1, number)))


@kernel
def _network(firms, ties, n, clock, p):
    """Local ties by proximity and complementarity, with trust by chemistry."""
    start, seed = p.firms[0], clock.seed[0]
    wanted, last = start.ties, p.technology[0].phases - 1
    for attempt in range(40):
        for i in range(n):
            extra = uniform(seed, INITIAL, 0, i, -3, _TIE)
            if degree(i, ties) >= wanted - 1.0 + 2.0 * extra:
                continue
            j = draw_firm(i, attempt, INITIAL, firms, firms.alive, clock)
            if j >= 0 and uniform(seed, INITIAL, 0, i, j, _TIE) < suitability(firms[i], firms[j], p.ties[0], last):
                first_tie(i, j, firms, ties, start, seed)


@kernel
def _link(firms, pipelines, lean, n, clock, p):
    """Pipelines of larger firms first, and of those that lean to the outside, shape (n,)."""
    start, seed = p.firms[0], clock.seed[0]
    weight = 0.0
    for i in range(n):
        weight += lean[i] * min(1.0, firms[i].employees / _ABLE_SIZE) / n
    for i in range(n):
        a, b = uniform2(seed, INITIAL, 0, i, -1, _LINK)
        if a < start.pipelines * (lean[i] * min(1.0, firms[i].employees / _ABLE_SIZE)) / weight:
            pipelines[i].node[0] = np.int64(b * p.derived.node_kind.size)
            pipelines[i].strength[0] = 1.0


def _groups(state: State, n: int, p: Parameters) -> None:
    """Business groups: the largest firms lead, the next largest belong to them."""
    members = round(p.firms[0].group_share * n)
    leaders = max(1, round(members / p.firms[0].group_size))
    if members <= leaders:
        return
    by_size = np.argsort(-state.firms.employees[:n], kind="stable")[:members]
    for position, i in enumerate(by_size[leaders:]):
        state.firms.owner[i] = by_size[position % leaders]


def _calm(p: Parameters) -> Parameters:
    """Parameters of the time before the start: history's behaviour, no entry, exit, change of owner or policy."""
    demography, ownership = p.demography.copy(), p.ownership.copy()
    for rate in ("entry", "exit", "exit_young"):
        demography[rate] = 0.0
    for hazard in ("takeover", "acquisition", "captivity"):
        ownership[hazard] = 0.0
    policies = p.policies._replace(start=np.full_like(p.policies.start, np.iinfo(np.int64).max))
    return p._replace(demography=demography, ownership=ownership, policies=policies, strategy_start=1)


def initial_state(p: Parameters, seed: int, quarters: int) -> State:
    """The district at quarter 0.

    Args:
        p: parameters of the scenario.
        seed: 0 <= seed < 2**64.
        quarters: length of the run that is planned; the arrays have room for the newborns to expect.
    """
    start_threads()
    n = p.firms[0].count
    state = empty_state(n, 64 + int(n * (2.2 + 0.02 * min(quarters, 100))), p, seed)
    seen, p = p.tables[0] if p.tables else None, for_kernels(p)
    firms, clock, key = state.firms, state.clock, state.clock.seed[0]
    if seen is None:
        _draw_sizes(state, n, p)
    else:
        firms.phase[:n], firms.employees[:n] = observed.phases(seen, p, key), seen.employees
    means_of(p.history[0], state.world[0].strategy)
    _endow(firms, n, clock, p)
    if seen is not None:
        observed.lay(state, seen, p)
    clock.step[0] = -1 - p.firms[0].settling
    if seen is None or seen.a is None:
        _network(firms, state.ties, n, clock, p)
    else:
        observed.lay_ties(state, seen, p)
    _link(firms, state.pipelines, observed.lean_outwards(seen, n), n, clock, p)
    ripe = p.technology[0].unripe + (1.0 - p.technology[0].unripe) * p.derived.ripening[0]
    settling = int(p.firms[0].settling)
    frontier = np.maximum(LEAST_FRONTIER, p.technology[0].frontier * ripe) * _earlier_growth(p.world[0], settling)
    state.world.frontier[0] = np.minimum(MOST_FRONTIER, frontier)
    state.world.wage[0] = p.market[0].wage
    clock.step[0] = -p.firms[0].settling
    _open_accounts(state, n, p)
    if seen is None:
        calm = _calm(p)
        for quarter in range(max(1, settling)):  # one by one: between them Ctrl-C is heard
            run_quarters(state, calm, np.empty((1, 0)), reports_of(state, 0), quarter, min(quarter + 1, settling), True)
    else:
        observed.settle(state, seen, observed.held(_calm(p), seen), run_quarters, settling)
    if seen is None or seen.owner[0] == UNKNOWN:
        _groups(state, n, p)
    _open_accounts(state, n, p)
    if seen is not None:
        observed.first_quarter(state, seen)
    return state


def _draw_sizes(state: State, n: int, p: Parameters) -> None:
    """Phases and employees of the first n firms."""
    firms, key = state.firms, state.clock.seed[0]
    firms.phase[:n] = _roles(n, p, key)
    size = initial_sizes(n, p.firms[0].size_mean, p.firms[0].size_sigma, key)
    final = firms.phase[:n] == p.technology[0].phases - 1
    # Employment of suppliers and of final firms as the orders of a settled district need it
    size[final] *= FINAL_SHARE * size.sum() / size[final].sum()
    size[~final] *= (1.0 - FINAL_SHARE) * n * p.firms[0].size_mean / size[~final].sum()
    size[final] *= FINAL_SHARE * n * p.firms[0].size_mean / size[final].sum()
    firms.employees[:n] = np.maximum(1.0, size)


def _earlier_growth(world: Any, settling: int) -> float:
    """What globalisation has made of the frontier before the district settles: a factor, 1 if it begins later.

    While the district settles the world moves as in any quarter, so that it starts used to the world that it meets.
    """
    begun = np.arange(min(world.onset, -settling), -settling)
    pressure = world.globalisation * np.minimum(1.0, (begun - world.onset) / world.ramp)
    return float(np.prod(1.0 + world.frontier_growth * pressure))


def _open_accounts(state: State, n: int, p: Parameters) -> None:
    """First money and people: every firm has some quarters' wages in hand, unemployment is normal."""
    firms, market = state.firms, p.market[0]
    firms.cash[:n] = _FIRST_CASH * market.wage * firms.employees[:n]
    employed = firms.employees[:n].sum()
    state.accounts.people[:] = employed, employed * market.unemployment / (1.0 - market.unemployment), 0.0
    state.accounts.money[:] = 0.0
    state.accounts.money[FIRMS] = firms.cash[:n].sum()
    state.accounts.money[HOUSEHOLDS] = -state.accounts.money[FIRMS]
    state.agency.fund[0] = 0.0
