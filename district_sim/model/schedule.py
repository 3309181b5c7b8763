"""One quarter: the processes in their order. This is the process overview of the ODD document, in code."""

import numpy as np

from district_sim.kernels.compile import inlined_kernel, kernel
from district_sim.model.indicators import record
from district_sim.model.processes.agency import run_agency
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
from district_sim.model.state import OVERFLOW
from district_sim.scenario.instruments import MOST_FOUNDED

_SPARE = 64  # rows that are always free before a quarter begins


@inlined_kernel
def one_quarter(state, p, row):
    """Run one quarter in place.

    Args:
        state: a `State`; changed.
        p: the scenario's `Parameters`.
        row: (len(INDICATORS),) floats for the quarter's indicators, or an empty array if none are wanted.
    """
    firms, ties, orders, pipelines, agency = state.firms, state.ties, state.orders, state.pipelines, state.agency
    policy, instruments, world, accounts = (
        state.policy,
        state.instruments,
        state.world,
        state.accounts,
    )
    tally, clock, scratch = state.tally, state.clock, state.scratch
    s = (p.strategy if clock.step[0] >= p.strategy_start else p.history)[0]

    tally[:] = 0.0
    # 1 World
    advance_world(world, clock, p)
    apply_shocks(firms, ties, pipelines, world, accounts, tally, clock, p)
    # 2 Policy and agency
    apply_policies(firms, ties, pipelines, agency, policy, instruments, accounts, clock, scratch, p, s)
    living = list_living(firms, clock, scratch)
    run_agency(firms, living, ties, agency, policy, world, accounts, clock, scratch, p, s)
    account_match(agency, policy, instruments, clock, p)
    levy_taxes(firms, policy, instruments, accounts, tally, clock, p)
    # 3 Knowledge
    update_knowledge(firms, living, ties, pipelines, agency, policy, world, clock, scratch, p.knowledge, p.derived)
    # 4 Innovation
    innovate(firms, living, ties, pipelines, agency, policy, world, tally, clock, scratch, p, s)
    # 5 Sourcing and market
    run_market(firms, living, ties, orders, pipelines, agency, world, accounts, tally, clock, scratch, p, s)
    # 6 Ties
    update_trust(firms, living, ties, orders, clock, scratch, p)
    update_identity(firms, living, ties, agency, clock, scratch, p, s)
    end_ties(firms, living, ties, tally, clock, scratch, p)
    form_ties(firms, living, ties, tally, clock, scratch, p)
    update_pipelines(firms, living, pipelines, clock, scratch, p, s)
    # 7 Ownership
    take_over(firms, living, ties, pipelines, agency, policy, instruments, world, accounts, tally, clock, scratch, p, s)
    divest(firms, living, ties, pipelines, policy, instruments, accounts, tally, clock, p)
    living = list_living(firms, clock, scratch)
    acquire(firms, living, ties, accounts, tally, clock, p, s)
    bind_captives(firms, living, clock, p, s)
    # 8 Demography
    exit_firms(firms, living, ties, pipelines, accounts, tally, clock, scratch, p)
    living = list_living(firms, clock, scratch)
    enter_firms(firms, living, ties, pipelines, agency, policy, accounts, world, tally, clock, scratch, p, s)
    # 9 Observation
    if row.size > 0:
        record(state, p, row)
    clock.step[0] += 1


@kernel
def spare_rows(firms, clock, p):
    """Free rows wanted before a quarter: many times the births to expect, so that no newborn is lost."""
    alive = 0
    for i in range(clock.rows[0]):
        alive += firms[i].alive
    d = p.demography[0]
    most = d.entry * max(p.history[0].entrepreneurship, p.strategy[0].entrepreneurship)
    most *= np.exp(min(3.0, d.entry_profit)) * (1.0 + d.reproduction) * (1.0 + p.agency[0].phase_entry)
    by_policy = 3 * MOST_FOUNDED if p.policies.kind.size > 0 else 0
    return _SPARE + np.int64(min(alive, 0.05 * most * alive) + 10.0 * np.sqrt(alive)) + by_policy


@kernel
def quarters(state, p, table, reports, start, stop, settling):
    """Run quarters start..stop-1 in place, one row of `table` each, as far as there is room for newborns.

    Args:
        table: (quarters, len(NAMES)) floats, or (1, 0) if nothing is to be recorded.
        reports: (quarters, I) records of what each policy instrument did, or (0, I) if nobody asks.
        settling: whether the district is to be its own standard of comparison in every quarter.

    Returns the first quarter not run; the tally of a quarter that had too little room shows an overflow.
    """
    for t in range(start, stop):
        if settling:
            anchor(state.firms, state.ties, state.world, state.clock)
        elif state.clock.rows[0] + spare_rows(state.firms, state.clock, p) > state.firms.size:
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
    world[0].quality_start = quality / weight
    world[0].trust_start = trust / max(1, count)
    world[0].appeal, world[0].value_start = 0.0, 0.0
