"""Working space of the processes, so that no quarter allocates: nothing in it lasts longer than a quarter.

Shapes as in `state`; one row for each block of firms where threads share the work.
"""

from typing import Any, NamedTuple

import numpy as np

from district_sim.kernels.by_address import by_address
from district_sim.kernels.compile import array_kernel
from district_sim.scenario.indicators import NAMES

TECHNOLOGIES = 8  # the most that a scenario may have
ALONE = 8192  # with fewer rows one thread is soon done, and need not wait for another on a busy machine
BLOCKS, BATCH = 16, 16  # blocks of firms that threads share; firms whose ties are computed together
LANES = 16  # numbers in the longest vector of today's processors
PAIRED = 32  # firms for whose ties draws are taken together
MEETINGS = 8  # firms that one which looks for partners meets in a quarter
LOOKING = 128  # firms whose meetings are drawn together


def shown_record(domains: int) -> np.dtype:
    """What partners see of a firm during the quarter's learning: for eight domains one cache line of 64 bytes."""
    fields: list[Any] = [
        ("tacit", np.float32, (domains,)),
        ("place", np.float32, (4,)),  # km east, km north, IT, Euclidean length of `tacit`
        ("absorptive", np.float32),  # absorptive capacity
        ("pipeline", np.float32),  # strength of its strongest pipeline, 0 without
    ]
    return np.dtype([*fields, ("unused", np.float32, (-(domains + 6) % 16,))])


def lesson_record(domains: int) -> np.dtype:
    """What a firm learns in the quarter from its partners, or from those whom it hires."""
    return np.dtype([("tacit", np.float32, (domains,))])


def told_record(domains: int) -> np.dtype:
    """Codified knowledge as others see it during the quarter's learning."""
    return np.dtype([("codified", np.float32, (domains,))])


def meeting_record() -> np.dtype:
    """Meetings of firms that are worked out together: see `processes.search` and `relations.draw_firms`."""
    room = LOOKING * MEETINGS
    return np.dtype(
        [
            ("own", np.int64, (room,)),  # row of the firm that meets somebody
            ("number", np.int64, (room,)),  # which of its meetings
            ("key", np.int64, (room,)),  # its key
            ("other", np.int64, (room,)),  # somebody else's key
            ("at", np.int64, (room,)),  # which of all meetings, in a list of some
            ("row", np.int64, (room,)),  # row of somebody else
            ("met", np.int64, (room,)),  # row of the firm that is met, -1 none
            ("word", np.uint64, (room,)),  # random bits
            ("bucket", np.uint64, (room,)),  # what is drawn by them
            ("luck", np.float64, (room,)),  # a draw
            ("place", np.float64, (room,)),  # another
        ]
    )


SUMS = (
    "employees",
    "turnover",  # sales of final firms
    "value_added",
    "profit",
    "first",  # firms of the first day
    "sales",
    "affiliates_sales",
    "affiliates_employees",
    "suppliers",
    "dependent",  # suppliers with more than half their sales to one client
    "bound",  # suppliers that are captive or owned by a local group
    "identity",
    "pipelines",
    "pipeline_firms",
    "inflow",
    "inflow_collective",
    "inflow_local",
    "codified",
    "absorptive",
    "education",
    "quality",  # by employees
    "technology",
    "newest",  # firms on the newest ripe technology
    "tacit",
    "tacit_squared",
)


def sums_record() -> np.dtype:
    """Sums over firms from which indicators are computed."""
    return np.dtype([(name, np.float64) for name in SUMS], align=True)


@by_address
class Batch(NamedTuple):
    """Numbers of the ties of a batch of firms, one row for each block that threads share; L >= BATCH * M, of LANES."""

    gap: Any  # (BLOCKS, L) records of one field `gap` (D,), float32: partner's knowledge less own
    place: Any  # (BLOCKS, L) records of one field `place` (4,), float32: see `processes.knowledge`
    number: np.ndarray  # (BLOCKS, 4, L) float32: see `processes.knowledge`
    ties: np.ndarray  # (BLOCKS, BATCH) uint64: how many ties each firm has


@by_address
class Pairs(NamedTuple):
    """The ties of some firms to firms of higher rows, one row for each block that threads share; L = PAIRED * M."""

    row: np.ndarray  # (BLOCKS, L) int64: firm of the lower row
    slot: np.ndarray  # (BLOCKS, L) int64: slot of the tie there
    low: np.ndarray  # (BLOCKS, L) int64: lower key of the two firms
    high: np.ndarray  # (BLOCKS, L) int64: the other's
    luck: np.ndarray  # (BLOCKS, L) a draw for each


@by_address
class Scratch(NamedTuple):
    """Working space, so that no quarter allocates."""

    living: np.ndarray  # (N,) rows of living firms: see `list_living`
    key: np.ndarray  # (N,) their keys
    alive: np.ndarray  # (N,) `firms.alive` as it was then, in few cache lines
    luck: np.ndarray  # (N,) a draw for each of them
    shown: Any  # (N,) see shown_record
    lesson: Any  # (N,) see lesson_record
    told: Any  # (N,) see told_record
    capacity: np.ndarray  # (N,) float32: new absorptive capacity of living firms
    value: np.ndarray  # (N,)
    other: np.ndarray  # (N,)
    phase: np.ndarray  # (8, P) sums by phase
    ahead: np.ndarray  # (TECHNOLOGIES,) firms on each technology or a newer one
    sums: Any  # (1,) see sums_record
    companies: np.ndarray  # (multinationals,) sales of each one's affiliates
    queue: np.ndarray  # (2, N) int32: walks through the network
    batch: Batch  # for each block
    pairs: Pairs  # for each block
    meetings: Any  # (BLOCKS,) see meeting_record
    found: np.ndarray  # (N, MEETINGS) int32: whom each living firm may tie with, see `processes.search`
    tied: np.ndarray  # (BLOCKS, P) sums over a firm's suppliers by phase
    abroad: Any  # (K,) see told_record: what outside nodes know
    row: np.ndarray  # (indicators,) observed for signposts, where nobody else asks
    traits: np.ndarray  # (traits,) a conduct
    other_traits: np.ndarray  # (traits,) another


def aligned_rows(count: int, dtype: np.dtype) -> Any:
    """A record array of zeros at the beginning of a cache line; it takes no memory until it is written."""
    room = np.zeros(count * dtype.itemsize + 64, np.uint8)
    first = -room.ctypes.data % 64
    return room[first : first + count * dtype.itemsize].view(dtype).view(np.recarray)


@array_kernel
def list_living(firms, clock, scratch):
    """Rows of the living firms, in order: a view into `scratch.living`, good until a firm is founded or closed.

    Late in a long run most rows are those of firms that have closed: no loop need ask each one.
    `scratch.key` gets their keys, in the same order, `scratch.alive` a copy of `firms.alive`.
    """
    living, key, alive, count = scratch.living, scratch.key, scratch.alive, np.uint64(0)
    for i in range(clock.rows[0]):
        living[count], key[count], alive[i] = i, firms[i].key, firms[i].alive
        count += np.uint64(firms[i].alive)
    return living[:count]


def new_scratch(
    capacity: int, domains: int, phases: int, slots: int, nodes: int, companies: int, traits: int
) -> Scratch:
    """Working space for so many rows, domains, phases, slots of ties, outside nodes, multinationals and traits."""
    return Scratch(
        living=np.zeros(capacity, np.int64),
        key=np.zeros(capacity, np.int64),
        alive=np.zeros(capacity, np.bool_),
        luck=np.zeros(capacity),
        shown=aligned_rows(capacity, shown_record(domains)),
        lesson=aligned_rows(capacity, lesson_record(domains)),
        told=aligned_rows(capacity, told_record(domains)),
        capacity=np.zeros(capacity, np.float32),
        value=np.zeros(capacity),
        other=np.zeros(capacity),
        phase=np.zeros((8, phases)),
        ahead=np.zeros(TECHNOLOGIES),
        sums=aligned_rows(1, sums_record()),
        companies=np.zeros(companies),
        queue=np.zeros((2, capacity), np.int32),
        batch=batch_space(domains, slots),
        pairs=_pair_space(slots),
        meetings=aligned_rows(BLOCKS, meeting_record()),
        found=np.zeros((capacity, MEETINGS), np.int32),
        tied=np.zeros((BLOCKS, phases)),
        abroad=aligned_rows(nodes, told_record(domains)),
        row=np.zeros(len(NAMES)),
        traits=np.zeros(traits),
        other_traits=np.zeros(traits),
    )


def batch_space(domains: int, slots: int) -> Batch:
    """Working space of `processes.knowledge.socialise`."""

    room = -(-BATCH * slots // LANES) * LANES

    def records(name: str, size: int) -> Any:
        return aligned_rows(BLOCKS * room, np.dtype([(name, np.float32, (size,))])).reshape(BLOCKS, room)

    return Batch(
        gap=records("gap", domains),
        place=records("place", 4),
        number=np.zeros((BLOCKS, 4, room), np.float32),
        ties=np.zeros((BLOCKS, BATCH), np.uint64),
    )


def _pair_space(slots: int) -> Pairs:
    shape = (BLOCKS, PAIRED * slots)
    return Pairs(
        row=np.zeros(shape, np.int64),
        slot=np.zeros(shape, np.int64),
        low=np.zeros(shape, np.int64),
        high=np.zeros(shape, np.int64),
        luck=np.zeros(shape),
    )
