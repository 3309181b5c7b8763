"""The district's state: NamedTuples of arrays. A firm's row is its id for life; rows never move and are never reused.

Shapes: N rows (capacity, grows by doubling), D domains, P phases, M tie slots and G pipeline slots per firm,
K outside nodes. Money in k€, time in quarters. Arrays of shape (1,) hold numbers that change.
"""

from typing import Any, NamedTuple

import numpy as np

SELF_OWNED = -1  # owner of an independent firm; a row id >= 0 is the group's leading firm; -2 - m is multinational m
PIPELINE_SLOTS = 4
PROJECTS = ("technology", "training", "pipelines", "brand", "phases", "values", "defence")
TECHNOLOGY, TRAINING, PIPELINES, BRAND, PHASES, VALUES, DEFENCE = range(7)
ACCOUNTS = ("firms", "agency", "public", "households", "world")
FIRMS, AGENCY, PUBLIC, HOUSEHOLDS, WORLD = range(5)
PEOPLE = ("employed", "unemployed", "outside")
EMPLOYED, UNEMPLOYED, OUTSIDE = range(3)


class Firms(NamedTuple):
    """One row per firm that ever lived."""

    alive: np.ndarray  # (N,) bool
    key: np.ndarray  # (N,) identity in keyed draws; a newborn's follows from its parent's
    founded: np.ndarray  # (N,) quarter of foundation
    parent: np.ndarray  # (N,) row of the firm it was spun off, -1 none
    phase: np.ndarray  # (N,) production phase 0..P-1
    x: np.ndarray  # (N,) km
    y: np.ndarray  # (N,) km
    owner: np.ndarray  # (N,) see SELF_OWNED
    captor: np.ndarray  # (N,) client to which a captive supplier is bound, -1 none
    dynamism: np.ndarray  # (N,) multiplier of the strategy's R&D, mean about 1
    employees: np.ndarray  # (N,)
    cash: np.ndarray  # (N,) k€, negative: debt
    trajectory: np.ndarray  # (N,) technological trajectory
    tenure: np.ndarray  # (N,) quarters on it
    increments: np.ndarray  # (N,) incremental innovations on it
    tacit: np.ndarray  # (N, D) tacit knowledge T
    codified: np.ndarray  # (N, D) codified knowledge X
    education: np.ndarray  # (N,) 0..1
    experience: np.ndarray  # (N,) 0..1
    it: np.ndarray  # (N,) use of information technology 0..1
    identity: np.ndarray  # (N,) identification with the district 0..1
    collaboration: np.ndarray  # (N,) collaboration inside the firm 0..1
    research: np.ndarray  # (N,) R&D of the last quarter relative to normal R&D
    absorptive: np.ndarray  # (N,) absorptive capacity 0..1
    participates: np.ndarray  # (N,) 1 if it contributed to the agency this quarter, else 0
    quality: np.ndarray  # (N,) quality of its work
    reach: np.ndarray  # (N,) customer base: normal sales, k€ per quarter
    made: np.ndarray  # (N, P) share of each phase that a final firm makes itself
    spot: np.ndarray  # (N, P) share it buys at arm's length in the district
    abroad: np.ndarray  # (N, P) share it buys abroad
    offshored: np.ndarray  # (N,) share of its purchases that goes abroad
    sales: np.ndarray  # (N,) k€ this quarter
    value_added: np.ndarray  # (N,) k€ this quarter
    profit: np.ndarray  # (N,) k€ this quarter, before tax
    wage: np.ndarray  # (N,) k€ per employee and quarter
    client_share: np.ndarray  # (N,) largest client's share of sales
    main_client: np.ndarray  # (N,) that client's row, -1 none
    inflow: np.ndarray  # (N,) codified knowledge learned this quarter through own pipelines
    inflow_collective: np.ndarray  # (N,) the same through collective pipelines
    inflow_local: np.ndarray  # (N,) knowledge learned this quarter from local ties
    grant: np.ndarray  # (N,) public R&D support this quarter, k€
    voucher: np.ndarray  # (N,) additional hazard of opening a pipeline this quarter


class Ties(NamedTuple):
    """Local ties; tie {i, j} stands in a slot of i and in a slot of j, with equal trust and age."""

    partner: np.ndarray  # (N, M) row of the partner, -1 for a free slot
    mirror: np.ndarray  # (N, M) slot of the same tie in the partner's row
    trust: np.ndarray  # (N, M) 0..1
    age: np.ndarray  # (N, M) quarters
    orders: np.ndarray  # (N, M) k€ paid by the row's firm to the partner this quarter


class Pipelines(NamedTuple):
    """Individual links of a firm to outside nodes."""

    node: np.ndarray  # (N, G) outside node, -1 for a free slot
    strength: np.ndarray  # (N, G) 0..1


class Agency(NamedTuple):
    """The collective agency."""

    capability: np.ndarray  # (1,) 0..1
    fund: np.ndarray  # (1,) k€ in hand
    brand: np.ndarray  # (1,) 0..1
    effect: np.ndarray  # (7,) effect of each project 0..1
    pipelines: np.ndarray  # (K,) strength of the collective pipelines 0..1
    contributed: np.ndarray  # (1,) k€ contributed by firms this quarter (after refunds)
    matched: np.ndarray  # (1,) k€ of public match this quarter
    participation: np.ndarray  # (1,) share of firms that took part
    incumbents: np.ndarray  # (1,) share of contributions by firms not on the newest ripe trajectory
    credibility: np.ndarray  # (1,) of the public match 0..1
    award: np.ndarray  # (1,) quarters for which a won contest still pays


class Policy(NamedTuple):
    """What the policy instruments did this quarter."""

    spent: np.ndarray  # (I,) k€ this quarter
    unspent: np.ndarray  # (I,) k€ of the quarter's budget left over
    served: np.ndarray  # (I,) firms served this quarter
    match: np.ndarray  # (1,) match rate on contributions
    match_budget: np.ndarray  # (1,) k€ available for the match
    screening: np.ndarray  # (1,) share of takeovers prevented
    technology: np.ndarray  # (1,) strength of public technology transfer 0..1
    platform: np.ndarray  # (1,) k€ of public money for collective pipelines
    brokers: np.ndarray  # (1,) multiplier of human interaction, 1 none
    founders: np.ndarray  # (1,) additional founders paid for
    entrants: np.ndarray  # (2,) technology-distant entrants paid for: without, with networks


class World(NamedTuple):
    """The world outside."""

    pressure: np.ndarray  # (1,) globalisation now
    newest: np.ndarray  # (1,) newest ripe trajectory
    frontier: np.ndarray  # (D,) knowledge frontier
    node_codified: np.ndarray  # (K, D) codified knowledge of the outside nodes
    price: np.ndarray  # (P,) price of a phase bought abroad
    rivals: np.ndarray  # (1,) quality factor of outside rivals, 1 at the start
    appeal: np.ndarray  # (1,) outside competitors' weight in demand
    demand: np.ndarray  # (1,) size of the product market, k€ per quarter
    wage: np.ndarray  # (1,) district wage
    quality_start: np.ndarray  # (1,) district's mean quality at the start: the world's standard
    trust_start: np.ndarray  # (1,) district's mean trust expected from calm behaviour
    value_start: np.ndarray  # (1,) value added per employee at the start


class Accounts(NamedTuple):
    """Money and people; every change here has its opposite here."""

    money: np.ndarray  # (5,) balances by sector, see ACCOUNTS; they sum to zero
    people: np.ndarray  # (3,) see PEOPLE; they sum to the same number for ever


class Tally(NamedTuple):
    """Events and flows of the quarter, for the indicators."""

    entries: np.ndarray
    exits: np.ndarray
    radical: np.ndarray
    adoptions: np.ndarray
    increments: np.ndarray
    takeovers: np.ndarray
    divestments: np.ndarray
    acquisitions: np.ndarray
    tie_births: np.ndarray
    tie_deaths: np.ndarray
    overflow: np.ndarray  # entries that found no free row (the caller grows the arrays before a step, so it stays 0)
    wages: np.ndarray
    taxes: np.ndarray
    repatriated: np.ndarray
    purchases: np.ndarray  # by final firms, k€
    purchases_local: np.ndarray


class Clock(NamedTuple):
    """Where the run stands."""

    step: np.ndarray  # (1,) quarter about to run; negative while settling
    rows: np.ndarray  # (1,) rows in use (next firm id)
    seed: np.ndarray  # (1,) uint64


class Scratch(NamedTuple):
    """Working space, so that no quarter allocates."""

    tacit: np.ndarray  # (N, D)
    codified: np.ndarray  # (N, D)
    value: np.ndarray  # (N,)
    other: np.ndarray  # (N,)
    phase: np.ndarray  # (6, P) sums by phase


class State(NamedTuple):
    """Everything that changes during a run."""

    firms: Firms
    ties: Ties
    pipelines: Pipelines
    agency: Agency
    policy: Policy
    world: World
    accounts: Accounts
    tally: Tally
    clock: Clock
    scratch: Scratch


_FLOAT, _INT = np.float64, np.int32
_FIRM_INTEGERS = ("founded", "parent", "phase", "owner", "captor", "trajectory", "tenure", "increments", "main_client")
_EMPTY = {"parent": -1, "owner": SELF_OWNED, "captor": -1, "main_client": -1}


def _firms(capacity: int, domains: int, phases: int) -> Firms:
    columns: dict[str, np.ndarray] = {}
    for name in Firms._fields:
        if name == "alive":
            columns[name] = np.zeros(capacity, np.bool_)
        elif name == "key":
            columns[name] = np.zeros(capacity, np.int64)
        elif name in _FIRM_INTEGERS:
            columns[name] = np.full(capacity, _EMPTY.get(name, 0), _INT)
        elif name in ("tacit", "codified"):
            columns[name] = np.zeros((capacity, domains), _FLOAT)
        elif name in ("made", "spot", "abroad"):
            columns[name] = np.zeros((capacity, phases), _FLOAT)
        else:
            columns[name] = np.zeros(capacity, _FLOAT)
    return Firms(**columns)


def _single(kind: type, dtype: type = _FLOAT) -> Any:
    """A NamedTuple all of whose fields are (1,) arrays of zero."""
    return kind(*(np.zeros(1, dtype) for _ in kind._fields))  # type: ignore[attr-defined]


def empty_state(capacity: int, p: Any, seed: int) -> State:
    """A state with `capacity` empty rows for parameters `p`.

    Args:
        capacity: rows N, at least 1.
        p: `Parameters`.
        seed: of the run, 0 <= seed < 2**64.
    """
    domains, phases, slots = p.technology.domains, p.technology.phases, p.ties.maximum
    nodes, instruments = p.derived.node_kind.size, p.policies.kind.size
    clock = Clock(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([seed], np.uint64))
    return State(
        firms=_firms(capacity, domains, phases),
        ties=Ties(
            np.full((capacity, slots), -1, _INT),
            np.zeros((capacity, slots), np.int8),
            np.zeros((capacity, slots), _FLOAT),
            np.zeros((capacity, slots), _INT),
            np.zeros((capacity, slots), _FLOAT),
        ),
        pipelines=Pipelines(
            np.full((capacity, PIPELINE_SLOTS), -1, np.int8), np.zeros((capacity, PIPELINE_SLOTS), _FLOAT)
        ),
        agency=_single(Agency)._replace(effect=np.zeros(len(PROJECTS)), pipelines=np.zeros(nodes)),
        policy=_single(Policy)._replace(
            spent=np.zeros(instruments),
            unspent=np.zeros(instruments),
            served=np.zeros(instruments),
            entrants=np.zeros(2),
            brokers=np.ones(1),
        ),
        world=_single(World)._replace(
            newest=np.zeros(1, np.int64),
            frontier=np.zeros(domains),
            node_codified=np.zeros((nodes, domains)),
            price=np.zeros(phases),
        ),
        accounts=Accounts(np.zeros(len(ACCOUNTS)), np.zeros(len(PEOPLE))),
        tally=_single(Tally),
        clock=clock,
        scratch=Scratch(
            np.zeros((capacity, domains)),
            np.zeros((capacity, domains)),
            np.zeros(capacity),
            np.zeros(capacity),
            np.zeros((6, phases)),
        ),
    )


def grown(state: State, capacity: int) -> State:
    """The same state with room for `capacity` rows; rows keep their place."""

    def longer(part: Any) -> Any:
        blanks = {"partner": -1, "node": -1, **_EMPTY}
        columns = {}
        for name, array in zip(part._fields, part, strict=True):
            new = np.full((capacity, *array.shape[1:]), blanks.get(name, 0), array.dtype)
            new[: len(array)] = array
            columns[name] = new
        return type(part)(**columns)

    scratch = longer(state.scratch._replace(phase=np.zeros((1, 1))))._replace(phase=state.scratch.phase)
    return state._replace(
        firms=longer(state.firms), ties=longer(state.ties), pipelines=longer(state.pipelines), scratch=scratch
    )


def copied(state: State) -> State:
    """An independent copy."""
    return State(*(type(part)(*(array.copy() for array in part)) for part in state))  # type: ignore[arg-type]
