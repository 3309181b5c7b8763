"""Indicators: what is observed of the district each quarter, from outcomes only.

Computed from orders, ownership, networks, knowledge and accounts; never from parameters or the scenario's name.
"""

from collections import namedtuple
from typing import Any

import numpy as np

from district_sim.kernels.compile import kernel, literal_unroll
from district_sim.model.network_shape import shape_of_network
from district_sim.model.processes.relations import controller, is_affiliate
from district_sim.model.scratch import SUMS, list_living
from district_sim.model.state import (
    ACQUISITIONS,
    ADOPTIONS,
    EMPLOYED,
    ENTRIES,
    EXITS,
    INCREMENTS,
    PURCHASES,
    PURCHASES_LOCAL,
    RADICAL,
    REPATRIATED,
    SELF_OWNED,
    TAKEOVERS,
    TIE_BIRTHS,
    TIE_DEATHS,
    UNEMPLOYED,
    WAGES,
    company_of,
)
from district_sim.scenario.indicators import NAMES

_GATEKEEPERS = 0.05  # of the firms with pipelines, those counted as gatekeepers
_DEPENDENT = 0.5  # share of sales to one client beyond which a supplier depends on it
_FEW = 16  # values that are sorted by insertion


def _group(title: str, first: str, beyond: str | None) -> Any:
    """A NamedTuple type for the indicators from `first` up to, not including, `beyond`."""
    stop = NAMES.index(beyond) if beyond else None
    return namedtuple(title, NAMES[NAMES.index(first) : stop], module=__name__)


Economy = _group("Economy", "firms", "mne_turnover_share")
Control = _group("Control", "mne_turnover_share", "degree")
Network = _group("Network", "degree", "pipelines_per_firm")
Learning = _group("Learning", "pipelines_per_firm", "participation")
Institutions = _group("Institutions", "participation", "access")
Conduct = _group("Conduct", "access", None)


@kernel
def _ratio(a, b):
    """a / b; undefined if there is nothing to divide by. Undefined is not zero."""
    return a / b if b > 0.0 else np.nan


@kernel
def _mean(knowledge):
    total = 0.0
    for value in knowledge:
        total += value
    return total / knowledge.size


@kernel
def _sort(values):
    """Sort in place (Hoare 1962, doi 10.1093/comjnl/5.1.10), without the arrays that compiled `values.sort()` makes."""
    while values.size > _FEW:
        first, middle, last = values[0], values[values.size // 2], values[values.size - 1]
        pivot = max(min(first, middle), min(max(first, middle), last))
        a, b = 0, values.size - 1
        while a <= b:
            while values[a] < pivot:
                a += 1
            while values[b] > pivot:
                b -= 1
            if a <= b:
                values[a], values[b] = values[b], values[a]
                a, b = a + 1, b - 1
        _sort(values[: b + 1])
        values = values[a:]
    for k in range(1, values.size):
        value, place = values[k], k
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@kernel
def _gini(values):
    """Gini coefficient of non-negative values, which are sorted; NaN for fewer than two, or if all are 0."""
    _sort(values)
    n, weighted, total = values.size, 0.0, 0.0
    for k in range(n):
        weighted += (k + 1) * values[k]
        total += values[k]
    return max(0.0, 2.0 * weighted / (n * total) - (n + 1.0) / n) if n > 1 and total > 0.0 else np.nan


@kernel
def _control(firms, living, rows, sales, scratch):
    """Herfindahl index of sales by controlling unit; size of the groups; uses `scratch.value`, `scratch.other`."""
    by_unit, in_group = scratch.value, scratch.other
    companies = scratch.companies
    companies[:] = 0.0
    by_unit[:rows] = 0.0
    in_group[:rows] = 0.0
    for i in living:
        unit = controller(i, firms)
        if unit >= 0:
            by_unit[unit] += firms[i].sales
            if firms[i].owner != SELF_OWNED:
                in_group[unit], in_group[i] = 1.0, 1.0
        else:
            companies[company_of(unit)] += firms[i].sales
    concentration, members, people = 0.0, 0.0, 0.0
    for i in range(rows):
        concentration += _ratio(by_unit[i], sales) ** 2
    for i in living:
        if in_group[i] > 0.0:
            members += 1.0
            people += firms[i].employees
    for company in companies:
        concentration += _ratio(company, sales) ** 2
    return concentration, members, people


@kernel
def _tie_statistics(living, ties, orders, threshold):
    """Directed ties, sum of trust, ties above the trust threshold, largest and total local orders by client."""
    count, trust, trusted, largest, total = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in living:
        paid = 0.0
        for m in range(ties[i].partner.size):
            if ties[i].partner[m] >= 0:
                count += 1.0
                trust += ties[i].trust[m]
                trusted += ties[i].trust[m] > threshold
                paid += orders[i].paid[m] if ties[i].age[m] > 0 else 0.0
        largest = max(largest, paid)
        total += paid
    return count, trust, trusted, largest, total


@kernel
def _coverage(firms, living, phase_value, abroad):
    """Phase coverage, share made in the house: from the sourcing shares of final firms, weighted by sales.

    A phase counts as covered fully if the district makes at least half of it, in proportion below. `abroad` (P,) is
    working space.
    """
    phases = phase_value.size
    sales, made = 0.0, 0.0
    abroad[:] = 0.0
    for i in living:
        if firms[i].phase == phases - 1:
            sales += firms[i].sales
            for q in range(phases - 1):
                abroad[q] += firms[i].sales * firms[i].abroad[q]
                made += firms[i].sales * firms[i].made[q] / (phases - 1)
    if sales == 0.0:
        return np.nan, np.nan
    covered = 1.0
    for q in range(phases - 1):
        covered += min(1.0, 2.0 * (1.0 - abroad[q] / sales))
    return covered / phases, made / sales


@kernel
def _gatekeepers(firms, living, inflow):
    """Share of outside knowledge (own pipelines) that comes in through the top 5 % of the firms that have any.

    `inflow`, shape (N,), is working space.
    """
    count, total = 0, 0.0
    for i in living:
        if firms[i].inflow > 0.0:
            inflow[count] = firms[i].inflow
            total += firms[i].inflow
            count += 1
    if count == 0:
        return np.nan
    ordered = inflow[:count]
    _sort(ordered)
    top = 0.0
    for k in range(max(1, round(_GATEKEEPERS * count))):
        top += ordered[count - 1 - k]
    return top / total


@kernel
def _by_firm(firms, living, pipelines, world, last, sums, value_added):
    """Sums over living firms into `sums`, a record; positive value added into `value_added`."""
    for name in literal_unroll(SUMS):
        sums[name] = 0.0
    for n in range(living.size):
        i = living[n]
        value_added[n] = max(0.0, firms[i].value_added)
        affiliate = is_affiliate(i, firms)
        supplier = firms[i].phase < last
        tacit, codified = _mean(firms[i].tacit), _mean(firms[i].codified)
        sums.tacit += tacit
        sums.tacit_squared += tacit * tacit
        links = 0
        for g in range(pipelines[i].node.size):
            links += pipelines[i].node[g] >= 0
        sums.employees += firms[i].employees
        sums.turnover += 0.0 if supplier else firms[i].sales
        sums.value_added += firms[i].value_added
        sums.profit += firms[i].profit
        sums.first += firms[i].founded < 0
        sums.sales += firms[i].sales
        sums.affiliates_sales += firms[i].sales * affiliate
        sums.affiliates_employees += firms[i].employees * affiliate
        sums.suppliers += supplier
        sums.dependent += supplier and firms[i].client_share > _DEPENDENT
        sums.bound += supplier and (firms[i].captor >= 0 or firms[i].owner >= 0)
        sums.identity += firms[i].identity
        sums.pipelines += links
        sums.pipeline_firms += links > 0
        sums.inflow += firms[i].inflow
        sums.inflow_collective += firms[i].inflow_collective
        sums.inflow_local += firms[i].inflow_local
        sums.codified += codified
        sums.absorptive += firms[i].absorptive
        sums.education += firms[i].education
        sums.quality += firms[i].employees * firms[i].quality
        sums.technology += firms[i].technology
        sums.newest += firms[i].technology >= world[0].newest


@kernel
def _conduct(firms, living, scratch):
    """Realised access and the means and standard deviations of the traits of conduct; uses `scratch.traits`."""
    mean, spread, n, access = scratch.traits, scratch.other_traits, np.float64(living.size), 0.0
    mean[:] = 0.0
    spread[:] = 0.0
    for i in living:
        access += firms[i].access / n
        for trait in range(mean.size):
            mean[trait] += firms[i].conduct[trait] / n
    for i in living:
        for trait in range(mean.size):
            spread[trait] += (firms[i].conduct[trait] - mean[trait]) ** 2 / n
    if n == 0.0:
        access = np.nan
        mean[:] = np.nan
        spread[:] = np.nan
    return Conduct(
        access, mean[0], mean[1], mean[2], mean[3], mean[4], mean[5], mean[6], np.sqrt(spread[0]), np.sqrt(spread[1]),
        np.sqrt(spread[2]), np.sqrt(spread[3]), np.sqrt(spread[4]), np.sqrt(spread[5]), np.sqrt(spread[6]),
    )  # fmt: skip


@kernel
def observe(state, p):
    """The six groups of indicators as the district stands at the end of a quarter."""
    firms, ties, tally, agency, world = (
        state.firms,
        state.ties,
        state.tally,
        state.agency,
        state.world,
    )
    rows, last, scratch = state.clock.rows[0], p.technology[0].phases - 1, state.scratch
    living = list_living(firms, state.clock, scratch)
    n = living.size
    sums = scratch.sums[0]
    _by_firm(firms, living, state.pipelines, world, last, sums, scratch.value)
    gini = _gini(scratch.value[:n])
    employees, value = sums.employees, sums.value_added
    hhi, members, group_people = _control(firms, living, rows, sums.sales, scratch)
    known = p.knowledge[0].trust_threshold
    count, trust, trusted, largest_client, paid = _tie_statistics(living, ties, state.orders, known)
    largest, closed, neighbourhoods, paths, pairs = shape_of_network(living, ties, state.clock, scratch)
    covered, made = _coverage(firms, living, p.derived.phase_value, scratch.phase[0])
    outside = sums.inflow + sums.inflow_collective
    people = state.accounts.people
    identity, education, capability = _ratio(sums.identity, n), _ratio(sums.education, n), agency[0].capability
    mean_tacit = _ratio(sums.tacit, n)
    tacit_variance = max(0.0, sums.tacit_squared / n - mean_tacit**2) if n > 0 else np.nan
    spending = state.instruments.spent.sum()
    economy = Economy(
        firms=float(n),
        employment=employees,
        unemployment=_ratio(people[UNEMPLOYED], people[UNEMPLOYED] + people[EMPLOYED]),
        turnover=sums.turnover,
        value_added=value,
        value_added_local=value - tally[REPATRIATED],
        productivity=_ratio(value, employees),
        wage=_ratio(tally[WAGES], employees),
        profit_share=_ratio(sums.profit, value),
        survival=_ratio(sums.first, float(p.firms[0].count)),
        entries=tally[ENTRIES],
        exits=tally[EXITS],
        gini=gini,
    )
    control = Control(
        mne_turnover_share=_ratio(sums.affiliates_sales, sums.sales),
        mne_employment_share=_ratio(sums.affiliates_employees, employees),
        group_firm_share=_ratio(members, n),
        group_employment_share=_ratio(group_people, employees),
        hhi_control=hhi,
        dependent_share=_ratio(sums.dependent, sums.suppliers),
        captive_share=_ratio(sums.bound, sums.suppliers),
        order_centralisation=_ratio(n * largest_client / paid - 1.0, n - 1.0) if paid > 0.0 else np.nan,
        takeovers=tally[TAKEOVERS],
        acquisitions=tally[ACQUISITIONS],
    )
    network = Network(
        degree=_ratio(count, n),
        knowledge_tie_share=_ratio(trusted, count),
        tie_turnover=_ratio(0.5 * (tally[TIE_BIRTHS] + tally[TIE_DEATHS]), 0.5 * count),
        largest_component=_ratio(largest, n),
        clustering=_ratio(closed, neighbourhoods),
        path_length=_ratio(paths, pairs),
        trust=_ratio(trust, count),
        identity=identity,
        phase_coverage=covered,
        reproduction=0.25 * (covered + education + identity + capability),
        local_purchases=_ratio(tally[PURCHASES_LOCAL], tally[PURCHASES]),
        make_share=made,
    )
    learning = Learning(
        pipelines_per_firm=_ratio(sums.pipelines, n),
        pipeline_firms=_ratio(sums.pipeline_firms, n),
        global_inflow_share=_ratio(outside, outside + sums.inflow_local),
        collective_inflow_share=_ratio(sums.inflow_collective, outside),
        gatekeeper_dependence=_gatekeepers(firms, living, scratch.value),
        tacit_mean=mean_tacit,
        tacit_variance=tacit_variance,
        codified_mean=_ratio(sums.codified, n),
        absorptive_capacity=_ratio(sums.absorptive, n),
        education=education,
        quality=_ratio(sums.quality, employees * world[0].quality_start),
        radical_rate=_ratio(tally[RADICAL], n),
        adoption_rate=_ratio(tally[ADOPTIONS], n),
        increment_rate=_ratio(tally[INCREMENTS], n),
        technology_mean=_ratio(sums.technology, n),
        newest_share=_ratio(sums.newest, n),
    )
    institutions = Institutions(
        participation=agency[0].participation if n > 0 else np.nan,
        agency_capability=capability,
        agency_fund_share=_ratio(agency[0].contributed + agency[0].matched, value),
        brand=agency[0].brand,
        leverage=_ratio(agency[0].matched, agency[0].contributed),
        policy_spending=spending,
        globalisation=world[0].pressure,
    )
    return economy, control, network, learning, institutions, _conduct(firms, living, scratch)


@kernel
def record(state, p, row):
    """Write the indicators of this quarter to `row`, shape (len(INDICATORS),), in the order of `NAMES`."""
    economy, control, network, learning, institutions, conduct = observe(state, p)
    k = 0
    for group in literal_unroll((economy, control, network, learning, institutions, conduct)):
        for value in group:
            row[k] = value
            k += 1
