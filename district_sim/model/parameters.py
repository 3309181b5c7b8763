"""What the compiled kernels read: a scenario as records of numbers and small arrays.

One record array of length 1 per scenario section, with the section's own field names (the schema stays the only list
of parameters), plus `Derived` arrays. Switched-off mechanisms arrive here as rates of zero. Records are passed by
address, which keeps compilation short.
"""

from typing import Any, NamedTuple

import numpy as np

from district_sim.kernels.by_address import by_address
from district_sim.kernels.portable import exp
from district_sim.scenario.data import read_tables
from district_sim.scenario.extensions import Mechanism, mechanism
from district_sim.scenario.fields import Section
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.instruments import Funding, ShockKind
from district_sim.scenario.interventions import Instrument
from district_sim.scenario.sections import Scenario


@by_address
class Policies(NamedTuple):
    """Instruments in their order, one array per property, shape (I,)."""

    kind: np.ndarray
    start: np.ndarray
    end: np.ndarray
    budget: np.ndarray
    budget_share: np.ndarray
    intensity: np.ndarray
    target: np.ndarray
    phase: np.ndarray  # -1: any
    taxed: np.ndarray  # whether the district's firms pay for it
    waits: np.ndarray  # whether it does nothing before a signpost starts it
    signposts: Any  # (I, S) see _SIGNPOST; S the most that one of them has


_SIGNPOST = np.dtype(
    [
        ("indicator", np.int64),  # its column among the indicators, -1: no signpost
        ("above", np.bool_),  # whether it must lie above the line, else below
        ("line", np.float64),
        ("quarters", np.int64),  # in a row
        ("action", np.int64),  # code of an `Action`
        ("budget", np.float64),  # k€ a quarter from then on
        ("budget_share", np.float64),
    ],
    align=True,
)


@by_address
class Shocks(NamedTuple):
    """Shocks in their order, one array per property, shape (S,)."""

    kind: np.ndarray
    start: np.ndarray
    size: np.ndarray
    duration: np.ndarray
    recovery: np.ndarray


@by_address
class Derived(NamedTuple):
    """Arrays that follow from the scenario; T technologies, P phases, D domains, K outside nodes."""

    relevance: np.ndarray  # (T, P, D) weight of each domain in quality, sums to 1 over D
    use: np.ndarray  # (T, P, D) the same with its largest entry 1
    ripening: np.ndarray  # (T, D) use of a domain by any phase on a technology, largest entry 1
    phase_value: np.ndarray  # (P,) share of each phase in the value of final output
    outside_sales: np.ndarray  # (P,) share of each phase sold to clients outside at the start; 0 for the last
    offshorability: np.ndarray  # (P,) how standardised a phase is, 0..1
    node_kind: np.ndarray  # (K,) 0 buyer, 1 multinational, 2 foreign cluster, 3 university
    node_profile: np.ndarray  # (K, D) share of the frontier that an outside node knows
    ripe_at: np.ndarray  # (T,) quarter in which a technology becomes feasible


class Extension(NamedTuple):
    """A mechanism from outside in a scenario."""

    mechanism: Mechanism
    on: bool
    numbers: dict[str, float]

    @property
    def record(self) -> np.dtype:
        """Of its section's numbers and what it remembers, 8 bytes each, so that it fits into `State.memory`."""
        kinds = {name: field.annotation for name, field in self.mechanism.section.model_fields.items()}
        numbers = [(name, np.int64 if kinds[name] is int else np.float64) for name in self.numbers]
        return np.dtype([*numbers, *((name, np.float64) for name in self.mechanism.memory)], align=True)


@by_address
class Parameters(NamedTuple):
    """Everything the kernels read and never write."""

    firms: Any
    technology: Any
    world: Any
    knowledge: Any
    innovation: Any
    market: Any
    ties: Any
    agency: Any
    ownership: Any
    conduct: Any
    demography: Any
    history: Any
    strategy: Any
    strategy_start: int
    policies: Policies
    policy_effects: Any
    shocks: Shocks
    derived: Derived
    extensions: tuple[Any, ...] = ()
    """Each an `Extension`, in alphabetical order. Kernels cannot read it: see `for_kernels`."""
    tables: tuple[Any, ...] = ()
    """The `Tables` that the district starts from, if any; read by `model.initial` alone."""


# Outside nodes: buyers, multinationals, foreign clusters, universities; what each knows of the frontier
NODE_KINDS = ("buyer", "multinational", "foreign cluster", "university")
_NODES = (
    (0, 0.75, 0.2),
    (0, 0.75, 0.2),
    (1, 0.9, 0.5),
    (1, 0.9, 0.5),
    (2, 0.85, 0.6),
    (2, 0.85, 0.6),
    (3, 0.6, 1.0),
    (3, 0.6, 1.0),
)
# (kind, share of the frontier known in the present technology's domains, the same in the other domains)

# Rates and weights that a switched-off mechanism sets to zero: mechanism -> ((section, field), ...)
_SWITCHES: dict[str, tuple[tuple[str, str], ...]] = {
    "tacit_exchange": (("knowledge", "socialisation"),),
    "externalisation": (("knowledge", "externalisation"),),
    "combination": (("knowledge", "combination"),),
    "internalisation": (("knowledge", "internalisation"),),
    "path_dependency": (
        ("innovation", "lockin_functional"),
        ("innovation", "lockin_cognitive"),
        ("innovation", "lockin_political"),
    ),
    "incremental_innovation": (("innovation", "increment_rate"), ("innovation", "increment_interaction")),
    "radical_innovation": (("innovation", "exploration"), ("innovation", "decision_rate")),
    "productive_reproduction": (("demography", "reproduction"),),
    "takeover": (("ownership", "takeover"),),
    "hierarchy": (("ownership", "acquisition"), ("ownership", "captivity")),
    "trust": (("ties", "trust_speed"),),
    "identity": (("ties", "identity_speed"),),
    "local_network": (("ties", "ending"), ("ties", "searching")),
    "pipelines": (("ties", "pipeline_opening"),),
    "collective_brand": (("market", "demand_brand"),),
    "gatekeepers": (("knowledge", "gatekeeping"),),
    "intra_firm_collaboration": (("ties", "collaboration_speed"),),
    "it": (("knowledge", "it_codified"), ("knowledge", "it_tacit")),
    "collective_agency": (("agency", "contribution"),),
    "co_production": (
        ("ties", "identity_participation"),
        ("ties", "identity_capability"),
        ("agency", "response_capability"),
    ),
    "globalisation": (("world", "globalisation"), ("world", "rivals_reach")),
    "demography": (("demography", "entry"), ("demography", "exit"), ("demography", "exit_young")),
    "conduct": (("conduct", "revision"),),
    "search": (("conduct", "imitation"), ("conduct", "variation")),
    "research_response": tuple(
        ("conduct", f"research_{reason}") for reason in ("gap", "slack", "opportunity", "grant")
    ),
    "exploration_response": tuple(
        ("conduct", f"exploration_{reason}") for reason in ("exhaustion", "access", "partners", "grant")
    ),
    "training_response": (("conduct", "training_research"), ("conduct", "training_voucher")),
    "sourcing_response": (("conduct", "offshoring_contagion"), ("conduct", "offshoring_identity")),
    "linking_response": (("conduct", "pipelines_sourcing"), ("conduct", "pipelines_identity")),
    "membership_gain": (("agency", "response_net"),),
    "spillover": (("agency", "spillover"),),
    "succession": (("conduct", "sale_succession"),),
    "mobility": (("knowledge", "hired_knowledge"), ("knowledge", "job_mobility")),
}
_NEVER = -1e9  # log-odds of a choice that has been switched off


def _relevance(tech: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which domains each technology and phase use: bumps on a ring of domains."""
    shape = (tech.count, tech.phases, tech.domains)
    use = np.empty(shape)
    domain = np.arange(tech.domains)
    for tau in range(tech.count):
        for p in range(tech.phases):
            centre = tau * tech.drift + tech.phase_spread * tech.breadth * (2 * p / (tech.phases - 1) - 1)
            gap = np.abs((domain - centre + tech.domains / 2) % tech.domains - tech.domains / 2)
            use[tau, p] = exp(-0.5 * (gap / tech.breadth) ** 2)
    relevance = use / use.sum(axis=2, keepdims=True)
    use = use / use.max(axis=2, keepdims=True)
    return relevance, use, use.max(axis=1)


def _derived(s: Scenario) -> Derived:
    tech = s.technology
    relevance, use, ripening = _relevance(tech)
    value = np.full(tech.phases, (1.0 - s.market.final_value) / (tech.phases - 1))
    if s.data.phase_weights:
        value[:-1] = (1.0 - s.market.final_value) * np.array(s.data.phase_weights) / sum(s.data.phase_weights)
    value[-1] = s.market.final_value
    outside = np.array([*(s.data.outside_sales or np.zeros(tech.phases - 1)), 0.0])
    # Middle phases are the most standardised; the last phase (design, finishing, selling) stays with the firm
    position = np.arange(tech.phases) / (tech.phases - 1)
    offshorability = np.where(position < 1.0, 1.0 - 0.6 * np.abs(2.0 * position - 0.8), 0.0)
    profile = np.array([floor + (core - floor) * ripening[0] for _, core, floor in _NODES])
    ripe_at = np.array(
        [0] + [tech.first_ripening + k * tech.ripening_interval for k in range(tech.count - 1)],
        dtype=np.int64,
    )
    for item in sorted(s.shocks, key=lambda item: item.start):
        if item.kind is ShockKind.TECHNOLOGICAL_BREAK:  # the next technology ripens on that day, later ones as planned
            later = np.flatnonzero(ripe_at > item.start)
            ripe_at[later[:1]] = item.start
    kinds = np.array([kind for kind, _, _ in _NODES], dtype=np.int64)
    return Derived(relevance, use, ripening, value, outside, offshorability, kinds, profile, ripe_at)


def acting_instruments(s: Scenario) -> list[Instrument]:
    """The scenario's instruments without those that a switched-off mechanism takes with it, in their order."""
    if not s.mechanisms.policy:
        return []
    return [item for item in s.policies if getattr(s.mechanisms, item.kind.record.needs or "policy")]


def _policies(s: Scenario) -> Policies:
    items = acting_instruments(s)

    def column(name: str, dtype: type) -> np.ndarray:
        return np.array([getattr(i, name) for i in items], dtype=dtype)

    return Policies(
        kind=np.array([i.kind.code for i in items], dtype=np.int64),
        start=column("start", np.int64),
        end=column("end", np.int64),
        budget=column("budget", np.float64),
        budget_share=column("budget_share", np.float64),
        intensity=column("intensity", np.float64),
        target=np.array([i.target.code for i in items], dtype=np.int64),
        phase=np.array([-1 if i.phase is None else i.phase for i in items], dtype=np.int64),
        taxed=np.array([i.funded_by is Funding.TAXES for i in items], dtype=np.bool_),
        waits=column("waits", np.bool_),
        signposts=_signposts(items),
    )


def _signposts(items: list[Instrument]) -> Any:
    """What each instrument waits for; a budget that a signpost leaves out is the instrument's own."""
    out = np.zeros((len(items), max((len(i.when) for i in items), default=0)), _SIGNPOST).view(np.recarray)
    out.indicator = -1
    for number, item in enumerate(items):
        for place, post in enumerate(item.when):
            budget = item.budget if post.budget is None else post.budget
            share = item.budget_share if post.budget_share is None else post.budget_share
            out[number, place] = (
                *(NAMES.index(post.indicator), post.below is None, post.line, post.quarters),
                *(post.then.code, budget, share),
            )
    return out


def _shocks(s: Scenario) -> Shocks:
    def column(name: str, dtype: type) -> np.ndarray:
        return np.array([getattr(i, name) for i in s.shocks], dtype=dtype)

    return Shocks(
        kind=np.array([i.kind.code for i in s.shocks], dtype=np.int64),
        start=column("start", np.int64),
        size=column("size", np.float64),
        duration=column("duration", np.int64),
        recovery=column("recovery", np.int64),
    )


def _sections(s: Scenario) -> dict[str, dict[str, float]]:
    """Numbers of every section, with the switched-off mechanisms' rates set to zero."""
    names = Parameters._fields
    out = {name: dict(getattr(s, name)) for name in names if isinstance(getattr(s, name, None), Section)}
    for switch, fields in _SWITCHES.items():
        if not getattr(s.mechanisms, switch):
            for section, field in fields:
                out[section][field] = 0.0
    off = s.mechanisms
    for strategy in (out["history"], out["strategy"]):
        if not off.collective_pipelines:
            strategy["project_pipelines"] = 0.0
    if not off.global_sourcing:
        out["market"]["abroad_bias"] = _NEVER
    if not off.make_or_buy:
        out["market"]["make_bias"] = _NEVER
    if not off.interactive_learning:
        out["innovation"]["access_alone"] = 1.0
    if not off.absorptive_capacity:
        for field in ("education", "experience", "research", "knowledge"):
            out["knowledge"][f"absorptive_{field}"] = 0.0
    return out


def _extensions(s: Scenario) -> tuple[Extension, ...]:
    return tuple(
        Extension(mechanism(name), section.on, {key: value for key, value in section if key != "on"})
        for name, section in sorted(s.extensions.items())
    )


def for_kernels(p: Parameters) -> Parameters:
    """Parameters as compiled code takes them: without the mechanisms from outside and without tables."""
    return p._replace(extensions=(), tables=())


def parameters_of(s: Scenario) -> Parameters:
    """Translate a validated scenario; a pure function of it.

    Raises:
        ScenarioError: a table that the district starts from cannot be read.
    """
    sections = _sections(s)

    def numbers(name: str) -> Any:
        fields = type(getattr(s, name)).model_fields
        kinds = {key: field.annotation for key, field in fields.items() if field.annotation in (int, float)}
        dtype = np.dtype(
            [(key, np.int64 if kind is int else np.float64) for key, kind in kinds.items()],
            align=True,
        )
        record = np.recarray(1, dtype)
        record[0] = tuple(sections[name][key] for key in kinds)
        return record

    return Parameters(
        **{name: numbers(name) for name in sections},
        strategy_start=s.strategy_start,
        policies=_policies(s),
        shocks=_shocks(s),
        derived=_derived(s),
        extensions=_extensions(s),
        tables=(read_tables(s.data),) if s.data.firms else (),
    )
