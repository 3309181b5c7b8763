"""The district's state: arrays of records. A firm's row is its id for life; rows never move and are never reused.

Shapes: N rows (capacity, grows by doubling), D domains, P phases, M tie slots and G pipeline slots per firm,
K outside nodes. Money in k€, time in quarters. Arrays of shape (1,) hold numbers that change.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from district_sim.kernels.by_address import by_address
from district_sim.kernels.compile import kernel
from district_sim.model.scratch import Scratch, aligned_rows, new_scratch
from district_sim.scenario.indicators import CONDUCT
from district_sim.scenario.instruments import MOST_SIGNPOSTS

SELF_OWNED = -1  # owner of an independent firm; a row >= 0 is its group's leading firm; below: see `owner_code`
PIPELINE_SLOTS = 4
LEAST_QUALITY = 1e-6  # of what nobody knows how to make: ratios of qualities stay finite
TRUST_AT, AGE_AT = 64, 128  # bytes into a record of ties: about the middle of these
TACIT_AT, PLACE_AT, ABSORPTIVE_AT = 64, 128, 224  # bytes into a record of firms with eight domains
TRAITS = tuple(CONDUCT)
"""What a firm's conduct consists of, in the order of its field `conduct`; named as in `Strategy`."""
RESEARCHING, EXPLORING, SKILLING, COOPERATING, OFFSHORING, LINKING, HOLDING = range(len(TRAITS))
PROJECTS = ("technology", "training", "pipelines", "brand", "phases", "values", "defence")
TECHNOLOGY, TRAINING, PIPELINES, BRAND, PHASES, VALUES, DEFENCE = range(7)
ACCOUNTS = ("firms", "agency", "public", "households", "world")
FIRMS, AGENCY, PUBLIC, HOUSEHOLDS, WORLD = range(5)
SIZES = ("micro", "small", "larger")  # fewer than 10 employees, 10 to 49, 50 and more (EU definition)
SIZE_LIMITS = (10.0, 50.0)  # employees from which on a firm is of the next class
OWNERS = ("independent", "group", "affiliate")  # its own master, owned by a local leader, a multinational's
PEOPLE = ("employed", "unemployed", "outside")
EMPLOYED, UNEMPLOYED, OUTSIDE = range(3)
# Events and flows of the quarter
TALLY = (
    "entries",
    "exits",
    "radical",
    "adoptions",
    "increments",
    "takeovers",
    "divestments",
    "acquisitions",
    "tie_births",
    "tie_deaths",
    "overflow",
    "wages",
    "taxes",
    "repatriated",
    "purchases",
    "purchases_local",
)
(
    ENTRIES,
    EXITS,
    RADICAL,
    ADOPTIONS,
    INCREMENTS,
    TAKEOVERS,
    DIVESTMENTS,
    ACQUISITIONS,
    TIE_BIRTHS,
    TIE_DEATHS,
    OVERFLOW,
    WAGES,
    TAXES,
    REPATRIATED,
    PURCHASES,
    PURCHASES_LOCAL,
) = range(len(TALLY))


@kernel
def owner_code(company):
    """The owner of multinational `company`'s affiliates: a number below SELF_OWNED. `company_of` undoes it."""
    return SELF_OWNED - 1 - company


@kernel
def company_of(code):
    """The multinational, 0, 1, ..., that an owner's code below SELF_OWNED stands for."""
    return SELF_OWNED - 1 - code


def firm_record(domains: int, phases: int) -> np.dtype:
    """One row per firm that ever lived; what partners look up stands first, in one cache line."""
    fields = np.dtype(
        [
            ("key", np.int64),  # identity in keyed draws; a newborn's follows from its parent's
            ("owner", np.int32),  # see SELF_OWNED
            ("captor", np.int32),  # client to which a captive supplier is bound, -1 none
            ("phase", np.int8),  # production phase 0..P-1
            ("technology", np.int8),  # technology that it works with, 0 the first
            ("pledges", np.int8),  # 1 if it is a member of the agency, which has offered to contribute, else 0
            ("participates", np.int8),  # 1 if it contributed: it pledged and the threshold was reached
            ("alive", np.bool_),  # bool
            ("identity", np.float64),  # identification with the district 0..1
            ("quality", np.float64),  # quality of its work
            ("reach", np.float64),  # customer base: normal sales, k€ per quarter
            ("sales", np.float64),  # k€ this quarter
            ("offshored", np.float64),  # share of its purchases that goes abroad
            ("tacit", np.float32, (domains,)),  # tacit knowledge T
            ("codified", np.float32, (domains,)),  # codified knowledge X
            ("x", np.float32),  # km
            ("y", np.float32),  # km
            ("founded", np.int32),  # quarter of foundation
            ("parent", np.int32),  # row of the firm it was spun off, -1 none
            ("main_client", np.int32),  # largest client's row, -1 none
            ("tenure", np.int16),  # quarters on its technology
            ("increments", np.int16),  # incremental innovations on it
            ("client_share", np.float64),  # largest client's share of sales
            ("dynamism", np.float64),  # multiplier of the strategy's R&D, mean about 1
            ("employees", np.float64),
            ("cash", np.float64),  # k€, negative: debt
            ("education", np.float64),  # 0..1
            ("experience", np.float64),  # 0..1
            ("it", np.float64),  # use of information technology 0..1
            ("collaboration", np.float64),  # collaboration inside the firm 0..1
            ("research", np.float64),  # R&D of the last quarter relative to normal R&D
            ("absorptive", np.float64),  # absorptive capacity 0..1
            ("made", np.float64, (phases,)),  # share of each phase that a final firm makes itself
            ("spot", np.float64, (phases,)),  # share it buys at arm's length in the district
            ("abroad", np.float64, (phases,)),  # share it buys abroad
            ("value_added", np.float64),  # k€ this quarter
            ("profit", np.float64),  # k€ this quarter, before tax
            ("wage", np.float64),  # k€ per employee and quarter
            ("inflow", np.float64),  # codified knowledge learned this quarter through own pipelines
            ("inflow_collective", np.float64),  # the same through collective pipelines
            ("inflow_local", np.float64),  # knowledge learned this quarter from local ties
            ("grant", np.float64),  # public R&D support this quarter, k€
            ("voucher", np.float64),  # additional hazard of opening a pipeline this quarter
            ("grant_exploring", np.float64),  # the part of `grant` that must be spent on exploring, k€
            ("explores_for_public", np.float64),  # share of the last quarter's R&D that such grants paid 0..1
            ("tuition", np.float64),  # public money for training this quarter, share of wages
            ("conduct", np.float64, (len(TRAITS),)),  # see TRAITS; units as in `Strategy`
            ("performance", np.float64),  # profit in value added, mean over the last years -1..1
            ("aspiration", np.float64),  # performance that it is content with -1..1
            ("lessons", np.float64),  # tacit knowledge learned from partners a quarter, mean over the last years
            ("access", np.float64),  # access to distant knowledge that it realises 0..1
            ("contribution", np.float64),  # k€ paid to the agency this quarter
            ("served", np.float64),  # share of what the agency does for members that reaches it 0..1
            ("successor", np.bool_),  # whether somebody is to take over from the owner
            ("family", np.int64),  # key of the first firm from which it descends: its habits
            ("support", np.float64),  # public money that instruments gave to it or spent on it so far, k€
            ("excluded", np.bool_),  # whether instruments for firms leave it out: the control group of an evaluation
        ],
        align=True,
    )
    places: Any = fields.fields or {}
    layout: Any = {
        "names": list(places),
        "formats": [place[0] for place in places.values()],
        "offsets": [place[1] for place in places.values()],
        "itemsize": -(-fields.itemsize // 64) * 64,
    }
    return np.dtype(layout, align=True)


def tie_record(slots: int) -> np.dtype:
    """Local ties; tie {i, j} stands in a slot of i and in a slot of j, with equal trust and age."""
    return np.dtype(
        [
            ("partner", np.int32, (slots,)),  # row of the partner, -1 for a free slot
            ("trust", np.float32, (slots,)),  # 0..1
            ("age", np.int16, (slots,)),  # quarters
            ("mirror", np.int8, (slots,)),  # slot of the same tie in the partner's row
        ],
        align=True,
    )


def order_record(slots: int) -> np.dtype:
    """Orders along local ties, slot by slot as in `tie_record`; not there, because most processes read ties only.

    A quarter's market writes them anew. Of a tie that has been formed since, whose age is 0, they say nothing.
    """
    return np.dtype([("paid", np.float64, (slots,))])  # k€ paid by the row's firm to the partner this quarter


def _pipeline() -> np.dtype:
    """Individual links of a firm to outside nodes."""
    return np.dtype(
        [
            ("strength", np.float64, (PIPELINE_SLOTS,)),  # 0..1
            ("node", np.int8, (PIPELINE_SLOTS,)),  # outside node, -1 for a free slot
        ],
        align=True,
    )


def _agency(nodes: int) -> np.dtype:
    """The collective agency."""
    return np.dtype(
        [
            ("capability", np.float64),  # 0..1
            ("fund", np.float64),  # k€ in hand
            ("brand", np.float64),  # 0..1
            ("effect", np.float64, (len(PROJECTS),)),  # effect of each project 0..1
            ("pipelines", np.float64, (nodes,)),  # strength of the collective pipelines 0..1
            ("contributed", np.float64),  # k€ contributed by firms this quarter (after refunds)
            ("matched", np.float64),  # k€ of public match this quarter
            ("participation", np.float64),  # share of firms that took part
            (
                "incumbents",
                np.float64,
            ),  # share of contributions by firms not on the newest ripe technology
            ("credibility", np.float64),  # of the public match 0..1
        ],
        align=True,
    )


def _policy() -> np.dtype:
    """What public policy offers this quarter."""
    return np.dtype(
        [
            ("match", np.float64),  # match rate on contributions
            ("match_budget", np.float64),  # k€ available for the match
            ("screening", np.float64),  # share of takeovers prevented
            ("coowned", np.float64),  # k€ of buy-outs funded by taxes that are still to be levied
            ("technology", np.float64),  # strength of public technology transfer 0..1
            ("platform", np.float64),  # k€ of public money for collective pipelines
            ("brokers", np.float64),  # multiplier of human interaction, 1 none
            ("founders", np.float64),  # additional founders paid for
            (
                "entrants",
                np.float64,
                (2,),
            ),  # technology-distant entrants paid for: without, with networks
        ],
        align=True,
    )


def _instrument(phases: int) -> np.dtype:
    """What one policy instrument did this quarter."""
    return np.dtype(
        [
            ("spent", np.float64),  # k€ this quarter
            ("unspent", np.float64),  # k€ of the quarter's budget left over
            ("served", np.float64),  # firms served this quarter
            ("served_size", np.float64, (len(SIZES),)),  # of them by size class, see SIZES
            ("served_owner", np.float64, (len(OWNERS),)),  # by owner, see OWNERS
            ("served_phase", np.float64, (phases,)),  # by production phase
            ("award", np.float64),  # quarters for which a won contest still pays; negative: quarters to the next bid
            ("streak", np.int32, (MOST_SIGNPOSTS,)),  # quarters in a row that each signpost's line has been crossed
            ("switched", np.int8),  # by its signposts: 1 started, -1 stopped, 0 neither yet
            ("revised", np.int8),  # 1 + number of the signpost whose budget it has, 0 its own
            ("started", np.float64),  # 1 if a signpost started it this quarter
            ("stopped", np.float64),  # the same for stopping
            ("changed", np.float64),  # the same for another budget
        ],
        align=True,
    )


def _world(domains: int, phases: int, nodes: int) -> np.dtype:
    """The world outside."""
    return np.dtype(
        [
            ("pressure", np.float64),  # globalisation now
            ("newest", np.int64),  # newest ripe technology
            ("frontier", np.float64, (domains,)),  # knowledge frontier
            (
                "node_codified",
                np.float64,
                (nodes, domains),
            ),  # codified knowledge of the outside nodes
            ("price", np.float64, (phases,)),  # price of a phase bought abroad
            ("rivals", np.float64),  # quality factor of outside rivals, 1 at the start
            ("market", np.float64),  # product market over that of the first quarter, by its growth
            ("slump", np.float64),  # share of the product market lost to shocks now
            ("outside_gain", np.float64),  # gain of outside competitors' appeal by shocks now, log points
            ("appeal", np.float64),  # outside competitors' weight in demand
            ("demand", np.float64),  # size of the product market in the first quarter, k€
            (
                "outside_market",
                np.float64,
                (phases,),
            ),  # what clients outside buy of a phase, here or abroad, at the market's first size, k€
            ("outside_orders", np.float64, (phases,)),  # what they order in the district, at that size, k€
            ("wage", np.float64),  # district wage
            ("strategy", np.float64, (len(TRAITS),)),  # the strategy in force: what firms' conduct was last set from
            (
                "quality_start",
                np.float64,
            ),  # district's mean quality at the start: the world's standard
            ("trust_start", np.float64),  # district's mean trust at the start
            ("value_start", np.float64),  # value added per employee at the start
        ],
        align=True,
    )


@by_address
class Accounts(NamedTuple):
    """Money and people; every change here has its opposite here."""

    money: np.ndarray  # (5,) balances by sector, see ACCOUNTS; they sum to zero
    people: np.ndarray  # (3,) see PEOPLE; they sum to the same number for ever


@by_address
class Clock(NamedTuple):
    """Where the run stands."""

    step: np.ndarray  # (1,) quarter about to run; negative while settling
    rows: np.ndarray  # (1,) rows in use (next firm id)
    seed: np.ndarray  # (1,) uint64


@by_address
class State(NamedTuple):
    """Everything that changes during a run; the parts are record arrays, so `state.firms.employees[i]` reads well."""

    firms: Any  # (N,) see firm_record
    ties: Any  # (N,) see tie_record
    orders: Any  # (N,) see order_record
    pipelines: Any  # (N,) see _pipeline
    agency: Any  # (1,) see _agency
    policy: Any  # (1,) see _policy
    instruments: Any  # (I,) see _instrument
    world: Any  # (1,) see _world
    accounts: Accounts
    tally: np.ndarray  # (len(TALLY),) reset every quarter
    clock: Clock
    memory: np.ndarray  # (M,) records of mechanisms from outside, one after the other; see parameters.Extension
    scratch: Scratch


_EMPTY = ("parent", "owner", "captor", "main_client", "partner", "node")  # fields that are -1 in an empty row


def _rows(count: int, dtype: np.dtype, used: int | None = None) -> Any:
    """A record array of rows, of which the first `used` (all, if left out) are empty rows.

    The others are zero and take no memory until they are written: see `empty_row`.
    """
    out = aligned_rows(count, dtype)
    for name in _EMPTY:
        if name in (dtype.names or ()):
            out[name][:used] = -1
    return out


@kernel
def empty_row(i, firms, ties, pipelines):
    """Make row i, never used before, the row of a firm without owner, ties and pipelines."""
    firms.parent[i], firms.owner[i], firms.captor[i], firms.main_client[i] = -1, SELF_OWNED, -1, -1
    for m in range(ties.partner.shape[1]):
        ties.partner[i, m] = -1
    for g in range(pipelines.node.shape[1]):
        pipelines.node[i, g] = -1


def empty_state(rows: int, capacity: int, p: Any, seed: int) -> State:
    """A state with `rows` empty rows and room for `capacity`, for parameters `p`.

    Args:
        rows: rows in use.
        capacity: rows N, at least `rows`; spare rows take no memory until they are used.
        p: `Parameters`.
        seed: of the run, 0 <= seed < 2**64.
    """
    domains, phases = int(p.technology.domains[0]), int(p.technology.phases[0])
    nodes, slots = p.derived.node_kind.size, int(p.ties.maximum[0])
    policy = _rows(1, _policy())
    policy.brokers[0] = 1.0
    return State(
        firms=_rows(capacity, firm_record(domains, phases), rows),
        ties=_rows(capacity, tie_record(slots), rows),
        orders=_rows(capacity, order_record(slots), rows),
        pipelines=_rows(capacity, _pipeline(), rows),
        agency=_rows(1, _agency(nodes)),
        policy=policy,
        instruments=_rows(p.policies.kind.size, _instrument(phases)),
        world=_rows(1, _world(domains, phases, nodes)),
        accounts=Accounts(np.zeros(len(ACCOUNTS)), np.zeros(len(PEOPLE))),
        tally=np.zeros(len(TALLY)),
        clock=Clock(np.zeros(1, np.int64), np.array([rows]), np.array([seed], np.uint64)),
        memory=np.zeros(_memory(p)),
        scratch=new_scratch(capacity, domains, phases, slots, nodes, int(p.ownership.multinationals[0]), len(TRAITS)),
    )


def _memory(p: Any) -> int:
    """Numbers that the mechanisms from outside have, together."""
    return sum(len(extension.record.names) for extension in p.extensions)


def _dimensions(state: State) -> tuple[int, int, int]:
    """Domains, phases and tie slots."""
    return state.firms.tacit.shape[1], state.firms.made.shape[1], state.ties.partner.shape[1]


def grown(state: State, capacity: int) -> State:
    """The same state with room for `capacity` rows; rows keep their place."""
    rows = int(state.clock.rows[0])

    def longer(part: Any) -> Any:
        new = _rows(capacity, part.dtype, 0)
        new[:rows] = part[:rows]
        return new

    domains, phases, slots = _dimensions(state)
    return state._replace(
        firms=longer(state.firms),
        ties=longer(state.ties),
        orders=longer(state.orders),
        pipelines=longer(state.pipelines),
        scratch=new_scratch(
            capacity, domains, phases, slots, state.scratch.abroad.size, state.scratch.companies.size, len(TRAITS)
        ),
    )


def bare(state: State) -> State:
    """An independent copy without spare rows and working space, a sixth of the memory; `grown` gives both back."""
    short = grown(state, int(state.clock.rows[0]))
    scratch = _each(short.scratch, lambda part: part[:0])
    sized = {name: getattr(short.scratch, name) for name in ("abroad", "companies")}  # by them `grown` knows how many
    return copied(short._replace(scratch=scratch._replace(**sized)))


def reports_of(state: State, quarters: int) -> Any:
    """Room for what each policy instrument did in each quarter: shape (quarters, I), records as `instruments`."""
    return np.zeros((quarters, state.instruments.size), state.instruments.dtype).view(np.recarray)


def copied(state: State) -> State:
    """An independent copy."""
    copy: State = _each(state, lambda part: part.copy())
    return copy


def _each(part: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A tuple of arrays, or of such tuples, with every array changed."""
    return type(part)(*(_each(one, change) for one in part)) if isinstance(part, tuple) else change(part)


def fitted(state: State, p: Any) -> State:
    """The state made ready for parameters `p`: other policies may follow one another in one run.

    Where their number changes, awards of contests and what signposts did are forgotten; otherwise they pass on by
    position.

    Raises:
        ValueError: domains, phases or tie slots differ from the state's, or a technology that is in use does not exist.
    """
    if _dimensions(state) != (p.technology.domains[0], p.technology.phases[0], p.ties.maximum[0]):
        raise ValueError("the parameters have other domains, phases or ties.maximum than the state")
    in_use = max(state.world.newest[0], state.firms.technology.max(initial=0))
    if in_use >= p.technology.count[0]:
        raise ValueError(f"the parameters have {p.technology.count[0]} technologies, the state uses {in_use + 1}")
    if state.memory.size != _memory(p):
        raise ValueError("the parameters have other extensions than the state")
    companies = max(p.ownership.multinationals[0], company_of(state.firms.owner.min(initial=SELF_OWNED)) + 1)
    if state.scratch.companies.size != companies:
        state = state._replace(scratch=state.scratch._replace(companies=np.zeros(companies)))
    if state.instruments.size != p.policies.kind.size:
        return state._replace(instruments=_rows(p.policies.kind.size, state.instruments.dtype))
    return state
