"""One quarter: the processes in their order. This is the process overview of the ODD document, in code."""

from district_sim.kernels.compile import inlined_kernel, kernel
from district_sim.model.indicators import record
from district_sim.model.processes.agency import run_agency
from district_sim.model.processes.conduct import adopt_strategy, review_conduct
from district_sim.model.processes.demography import enter_firms, exit_firms
from district_sim.model.processes.innovation import innovate
from district_sim.model.processes.knowledge import update_knowledge
from district_sim.model.processes.market import run_market
from district_sim.model.processes.ownership import acquire, bind_captives, divest, take_over
from district_sim.model.processes.policy import account_match, apply_policies, levy_taxes
from district_sim.model.processes.search import form_ties
from district_sim.model.processes.shocks import apply_shocks
from district_sim.model.processes.ties import end_ties, update_identity, update_pipelines, update_trust
from district_sim.model.processes.world import advance_world
from district_sim.model.scratch import list_living
from district_sim.model.signposts import watch
from district_sim.model.state import LEAST_QUALITY, OVERFLOW
from district_sim.scenario.instruments import MOST_FOUNDED

_SPARE = 64  # rows that are always free before a quarter begins
_MOST_TIMES, _MOST_FIRMS = 10, 20_000  # living firms, relative to the first and at least, at which a run ends
_MOST_LIVES = 50  # times as many may ever have lived


@inlined_kernel
def at(place, state, living, p, s):
    """The end of a step: mechanisms from outside act here, see `model.extensions`. In compiled code nothing happens."""
    return living


@kernel
def one_quarter(state, p, row):
    """Run one quarter in place.

    Args:
        state: a `State`; changed.
        p: the scenario's `Parameters`.
        row: (len(INDICATORS),) floats for the quarter's indicators, or an empty array if none are wanted.
    """
    s = (p.strategy if state.clock.step[0] >= p.strategy_start else p.history)[0]
    state.tally[:] = 0.0
    living = list_living(state.firms, state.clock, state.scratch)
    # 1 World
    advance_world(state, living, p, s)
    apply_shocks(state, living, p, s)
    at("world", state, living, p, s)
    living = list_living(state.firms, state.clock, state.scratch)
    adopt_strategy(state, living, p, s)
    # 2 Policy and agency
    apply_policies(state, living, p, s)
    run_agency(state, living, p, s)
    account_match(state, living, p, s)
    levy_taxes(state, living, p, s)
    living = at("policy", state, living, p, s)
    # 3 Knowledge
    update_knowledge(state, living, p, s)
    living = at("knowledge", state, living, p, s)
    # 4 Innovation
    innovate(state, living, p, s)
    living = at("innovation", state, living, p, s)
    # 5 Sourcing and market
    run_market(state, living, p, s)
    living = at("market", state, living, p, s)
    # 6 Ties
    update_trust(state, living, p, s)
    update_identity(state, living, p, s)
    end_ties(state, living, p, s)
    form_ties(state, living, p, s)
    update_pipelines(state, living, p, s)
    living = at("ties", state, living, p, s)
    # 7 Conduct
    review_conduct(state, living, p, s)
    # 8 Ownership
    take_over(state, living, p, s)
    divest(state, living, p, s)
    living = list_living(state.firms, state.clock, state.scratch)
    acquire(state, living, p, s)
    bind_captives(state, living, p, s)
    living = at("ownership", state, living, p, s)
    # 9 Demography
    exit_firms(state, living, p, s)
    living = list_living(state.firms, state.clock, state.scratch)
    enter_firms(state, living, p, s)
    at("demography", state, living, p, s)
    # 10 Observation
    if row.size > 0 or (p.policies.signposts.size > 0 and state.clock.step[0] >= 0):
        seen = row if row.size > 0 else state.scratch.row
        record(state, p, seen)
        watch(state.instruments, p.policies, seen)
    state.clock.step[0] += 1


@kernel
def living_firms(firms, clock):
    """How many firms live."""
    alive = 0
    for i in range(clock.rows[0]):
        alive += firms[i].alive
    return alive


@kernel
def spare_rows(alive, p):
    """Free rows wanted before a quarter: for each of the living firms a newborn, and for those that policy founds."""
    return _SPARE + alive + (3 * MOST_FOUNDED if p.policies.kind.size > 0 else 0)


@kernel
def most_firms(p):
    """Living firms beyond which a run ends: entry has no bound of its own, but memory has."""
    return max(_MOST_FIRMS, _MOST_TIMES * p.firms[0].count)


@kernel
def outgrown(alive, clock, p):
    """Whether a run ends because more firms live, or ever lived, than there is room for."""
    return alive > most_firms(p) or clock.rows[0] > _MOST_LIVES * most_firms(p)


@kernel
def quarters(state, p, table, reports, start, stop, settling):
    """Run quarters start..stop-1 in place, one row of `table` each, as far as there is room for newborns.

    A district that has outgrown all bounds stays as it is.

    Args:
        table: (quarters, len(NAMES)) floats, or (1, 0) if nothing is to be recorded.
        reports: (quarters, I) records of what each policy instrument did, or (0, I) if nobody asks.
        settling: whether the district is to be its own standard of comparison in every quarter.

    Returns the first quarter not run; the tally of a quarter that had too little room shows an overflow.
    """
    for t in range(start, stop):
        if settling:
            anchor(state.firms, state.ties, state.world, state.clock)
        else:
            alive = living_firms(state.firms, state.clock)
            if outgrown(alive, state.clock, p) or state.clock.rows[0] + spare_rows(alive, p) > state.firms.size:
                return t
        one_quarter(state, p, table[min(t, table.shape[0] - 1)])
        if t < reports.shape[0]:
            for k in range(reports.shape[1]):
                reports[t, k] = state.instruments[k]
        if state.tally[OVERFLOW] > 0.0:
            return t + 1
    if settling:
        anchor(state.firms, state.ties, state.world, state.clock)
    return stop


@kernel
def anchor(firms, ties, world, clock):
    """Make the district as it stands the standard of comparison: quality, trust, outside appeal."""
    quality, weight, trust, count = 0.0, 0.0, 0.0, 0
    for i in range(clock.rows[0]):
        if firms[i].alive:
            quality += firms[i].employees * firms[i].quality
            weight += firms[i].employees
            for m in range(ties[i].partner.size):
                if ties[i].partner[m] >= 0:
                    trust += ties[i].trust[m]
                    count += 1
    world[0].quality_start = max(LEAST_QUALITY, quality / weight)
    world[0].trust_start = trust / max(1, count)
    world[0].appeal, world[0].value_start = 0.0, 0.0
