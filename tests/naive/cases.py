"""Small districts in very different situations, one compiled process at a time, and the comparison of states."""

from functools import cache
from typing import Any

import numpy as np

from district_sim.model import schedule
from district_sim.model.indicators import record
from district_sim.model.initial import initial_state
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.model.scratch import list_living
from district_sim.model.state import Accounts, Clock, State, copied, fitted, grown
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.instruments import InstrumentKind, Targeting
from district_sim.scenario.sections import Scenario
from naive.common import cut_all_ties, living, strategy

NO_ROW = np.empty(0)

_OPEN = {
    "world": {
        "globalisation": 2.0,
        "onset": 0,
        "ramp": 4,
        "sourcing_premium": 0.1,
        "sourcing_fall": 0.6,
        "market_growth": 0.004,
    },
    "technology": {"first_ripening": 3, "ripening_interval": 5},
}
_EAGER = {
    "decision_rate": 0.9,
    "switching_base": 0.0,
    "exploration": 0.6,
    "increment_rate": 0.5,
    "increment_interaction": 5.0,
}
_COLLECTIVE = {
    "collective_action": 0.75,
    "project_technology": 0.1,
    "project_training": 0.1,
    "project_pipelines": 0.2,
    "project_brand": 0.2,
    "project_phases": 0.1,
    "project_values": 0.1,
    "project_defence": 0.2,
}


def instruments(budget: float = 60.0) -> list[dict[str, Any]]:
    """All instruments at once, every target in use, some twice, some with windows."""
    reaching = [kind for kind in InstrumentKind if kind.record.targeted]
    served = [(kind, Targeting.ALL) for kind in InstrumentKind if not kind.record.targeted]
    served += [(reaching[n % len(reaching)], target) for n, target in enumerate(Targeting)]
    items = [
        {"name": f"{kind}_{target}", "kind": kind, "target": target, "start": 0, "budget": budget, "intensity": 0.8}
        for kind, target in sorted(served, key=lambda item: item[0].code)
    ]
    twice = [{**item, "target": "all", "start": 1, "end": 4, "budget_share": 0.01} for item in items[::3]]
    taxed = [{**item, "funded_by": "taxes", "phase": 5 if item["kind"] in reaching else None} for item in items[1::4]]
    return items + twice + taxed


SITUATIONS: dict[str, dict[str, Any]] = {
    "calm": {},
    "open": {
        **_OPEN,
        "innovation": _EAGER,
        "strategy": {"offshoring": 1.0, "pipelines": 8.0, "integration": -0.5, "exploration": 0.6, "research": 3.0},
        "knowledge": {"gatekeeping": 0.4},
    },
    "hierarchical": {
        **_OPEN,
        "ownership": {
            "takeover": 0.5,
            "divestment": 0.1,
            "acquisition": 1.0,
            "captivity": 1.0,
            "leader_size": 3.0,
            "captive_from": 0.1,
            "acquisition_price": 1.0,
        },
        "strategy": {"sale": 1.0, "acquisition": 2.0, "captivity": 3.0},
        "policies": [
            {"name": f"{payer}'s fund", "kind": "local_coownership", "start": 0, "funded_by": payer, **terms}
            for payer, terms in (("taxes", {"budget": 100.0, "intensity": 0.7}), ("outside", {"budget": 300.0}))
        ],
    },
    "collective": {
        **_OPEN,
        "innovation": _EAGER,
        "agency": {"contribution": 0.03, "phase_entry": 20.0},
        "strategy": {**_COLLECTIVE, "exploration": 0.4},
        "policies": [{"name": "match", "kind": "ppp_match", "start": 0, "budget": 20.0}],
    },
    "supported": {
        **_OPEN,
        "policies": instruments(),
        "policy_effects": {"crowding_out_training": 0.3},
        "strategy": _COLLECTIVE,
    },
    "waiting": {
        **_OPEN,
        "policies": [
            {
                "name": f"{kind}",
                "kind": kind,
                "start": 1,
                "budget": 30.0,
                "when": [
                    {"indicator": "trust", "above": 0.1, "quarters": 2 + n % 3, "then": "start"},
                    {"indicator": "trust", "above": 0.1, "quarters": 9, "then": "budget", "budget_share": 0.02},
                    {"indicator": "entries", "above": 0.0, "quarters": 1, "then": "budget", "budget": 70.0},
                    {"indicator": "exits", "above": 1.0, "then": "stop"},
                ][n % 2 :],
            }
            for n, kind in enumerate(kind for kind in InstrumentKind)
        ]
        + [{"name": "plain", "kind": "rd_subsidy", "start": 2, "budget": 20.0}],
    },
    "shocked": {
        **_OPEN,
        "ownership": {"takeover": 0.5, "acquisition": 1.0, "captivity": 1.0, "leader_size": 3.0, "captive_from": 0.1},
        "strategy": {"sale": 1.0, "acquisition": 2.0, "captivity": 3.0},
        "knowledge": {"job_mobility": 0.1},
        "shocks": [
            {"name": "rivals", "kind": "competitor_entry", "start": 1, "size": 0.4, "duration": 3, "recovery": 4},
            {"name": "slump", "kind": "demand_slump", "start": 2, "size": 0.3, "duration": 2, "recovery": 3},
            {"name": "crisis", "kind": "demand_slump", "start": 3, "size": 0.2, "duration": 1},
            {"name": "break", "kind": "technological_break", "start": 2, "size": 0.2, "duration": 4, "recovery": 4},
            {"name": "strong euro", "kind": "exchange_rate", "start": 0, "size": 0.15, "recovery": 2, "duration": 5},
            {"name": "anchor", "kind": "anchor_loss", "start": 3, "size": 0.6},
            {"name": "leaving", "kind": "mne_exit", "start": 3, "size": 0.5},
            {"name": "leaving too", "kind": "mne_exit", "start": 9, "size": 0.5},
        ],
    },
    "deciding": {
        **_OPEN,
        "conduct": {"revision": 0.5, "spread": 0.3, "variation": 0.2, "generation": 8.0, "pipelines_identity": 2.0},
        "innovation": {**_EAGER, "access_alone": 0.2, "lessons_half": 0.01},
        "agency": {
            "contribution": 0.03,
            "response_net": 40.0,
            "gain": 0.3,
            "spillover": 0.3,
            "review": 0.4,
            "loyalty": 1.0,
        },
        "ownership": {
            "takeover": 0.5,
            "acquisition": 1.0,
            "captivity": 1.0,
            "leader_size": 3.0,
            "captive_from": 0.1,
            "acquisition_price": 20.0,
            "takeover_price": 30.0,
        },
        "market": {"captive_discount": 0.4},
        "strategy": {**_COLLECTIVE, "exploration": 0.3, "acquisition": 2.0, "captivity": 3.0},
        "policies": instruments(30.0),
    },
    "subcontracting": {
        **_OPEN,
        "data": {"outside_sales": (0.9, 0.5, 0.0, 0.3, 0.7)},
        "market": {"final_value": 0.6},
        "demography": {"exit": 0.1, "entry": 0.2},
        "agency": {"phase_entry": 20.0},
        "shocks": [{"name": "slump", "kind": "demand_slump", "start": 2, "size": 0.3, "duration": 2, "recovery": 3}],
    },
    "restless": {
        **_OPEN,
        "demography": {"exit": 0.1, "entry": 0.2, "exit_young": 0.2, "credit": 0.2, "newborn_phase": 0.2},
        "ties": {"ending": 0.6, "searching": 0.9, "closure": 0.7, "trust_competence": 4.0},
        "market": {"growth_noise": 0.2, "size_reversion": 0.1, "hiring_speed": 0.8},
    },
}


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with nested `changes` on top."""
    out = dict(base)
    for key, value in changes.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def parameters(situation: str = "calm", /, **changes: Any) -> Parameters:
    """Parameters of a small district in a situation, with changes by section; its strategy begins at once."""
    base = merged({"firms": {"count": 40, "settling": 6}, "strategy_start": 0}, SITUATIONS[situation])
    return parameters_of(Scenario.model_validate(merged(base, changes)))


@cache
def _advanced(situation: str, seed: int, quarters: int) -> State:
    p = parameters(situation)
    if quarters == 0:
        return with_room(initial_state(p, seed, 40))
    state = copied(_advanced(situation, seed, quarters - 1))
    schedule.one_quarter(state, p, NO_ROW)
    return state


def with_room(state: State) -> State:
    """The same state with rows for many newborns."""
    return grown(state, 400)


def district(situation: str = "calm", seed: int = 1, quarters: int = 4) -> State:
    """A fresh copy of a small district after some quarters."""
    return copied(_advanced(situation, seed, quarters))


def strangers(seed: int = 1) -> State:
    """A district in which nobody knows anybody: no ties, no pipelines, no agency, no captives."""
    state = district("calm", seed, 0)
    for i in living(state):
        cut_all_ties(state, i)
    state.pipelines.node, state.pipelines.strength = -1, 0.0
    state.firms.pledges, state.firms.participates, state.firms.captor, state.firms.owner = 0.0, 0.0, -1, -1
    return state


def listed(x: State) -> np.ndarray:
    """The rows of living firms, as the kernels want them."""
    return np.asarray(list_living(x.firms, x.clock, x.scratch))


def run(process: str, state: State, p: Parameters, *, adopt: bool = True) -> State:
    """Run one compiled process on a copy, whose firms adopt the strategy first, as they have within a quarter."""
    out = copied(fitted(state, p))
    if adopt:
        schedule.adopt_strategy(out, listed(out), p, strategy(out, p))
    getattr(schedule, process)(out, listed(out), p, strategy(out, p))
    return out


def quarter(state: State, p: Parameters, quarters: int = 1) -> tuple[State, dict[str, float]]:
    """Run whole compiled quarters on a copy; returns it and the last indicators."""
    out, row = copied(fitted(state, p)), np.full(len(NAMES), np.nan)
    for _ in range(quarters):
        schedule.one_quarter(out, p, row)
    return out, dict(zip(NAMES, row, strict=True))


def observed(state: State, p: Parameters) -> dict[str, float]:
    """The indicators of a district as it stands, compiled."""
    row = np.full(len(NAMES), np.nan)
    record(state, p, row)
    return dict(zip(NAMES, row, strict=True))


# Computed from single-precision knowledge and trust, or in single precision
_SINGLE = {
    "quality",
    "absorptive",
    "inflow",
    "inflow_collective",
    "inflow_local",
    "collaboration",
    "identity",
    "lessons",
}


def assert_same_state(
    actual: State, expected: State, *, rtol: float = 1e-10, atol: float = 1e-11, exact: bool = False
) -> None:
    """Compare every array but the scratch space, rows in use: integers and flags exactly, numbers to `rtol`.

    What is stored or computed in single precision is compared to 2e-6.
    """
    for part in State._fields:
        if part == "scratch":
            continue
        a, b = getattr(actual, part), getattr(expected, part)
        if part in ("firms", "ties", "orders", "pipelines"):
            a, b = a[: actual.clock.rows[0]], b[: expected.clock.rows[0]]
        for name, x, y in _columns(part, a, b):
            if exact or x.dtype.kind in "biu":
                np.testing.assert_array_equal(x, y, err_msg=name)
            else:
                single = x.dtype == np.float32 or name.split(".")[-1] in _SINGLE
                relative, absolute = max(rtol, 2e-6 * single), atol + max(1e-8 * ("money" in name), 1e-7 * single)
                np.testing.assert_allclose(x, y, rtol=relative, atol=absolute, err_msg=name)


def _columns(part: str, a: Any, b: Any) -> list[tuple[str, np.ndarray, np.ndarray]]:
    if isinstance(a, Accounts | Clock):
        return [(f"{part}.{name}", getattr(a, name), getattr(b, name)) for name in a._fields]
    if a.dtype.names:
        return [(f"{part}.{name}", a[name], b[name]) for name in a.dtype.names]
    return [(part, a, b)]
