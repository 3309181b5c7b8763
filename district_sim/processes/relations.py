"""What two firms are to each other: distance, ownership, ties; and whom a firm happens to meet."""

import numpy as np

from district_sim.compiled import kernel
from district_sim.random import uniform2
from district_sim.state import SELF_OWNED

_TRIES = (
    48  # draws before a search is given up; ids are drawn over a power of two, many of them not (or no longer) in use
)


@kernel
def distance_km(firms, i, j):
    """Distance between two firms in km."""
    return np.sqrt((firms.x[i] - firms.x[j]) ** 2 + (firms.y[i] - firms.y[j]) ** 2)


@kernel
def controller(i, firms):
    """The controlling unit of firm i: itself, its group's leader (row), or a multinational's code (<= -2)."""
    while i >= 0 and firms.owner[i] != SELF_OWNED:
        i = firms.owner[i]
    return i


@kernel
def is_affiliate(i, firms):
    """Whether a multinational controls firm i, directly or through its group's leader."""
    return controller(i, firms) < SELF_OWNED


@kernel
def strongest_pipeline(i, pipelines):
    """Strength in [0, 1] of firm i's strongest own pipeline; 0 without any."""
    strongest = 0.0
    for strength in pipelines[i].strength:
        strongest = max(strongest, strength)
    return strongest


@kernel
def degree(i, ties):
    """Number of ties of firm i."""
    count = 0
    for m in range(ties.partner.shape[1]):
        count += ties.partner[i, m] >= 0
    return count


@kernel
def mean_trust(i, ties):
    """Mean trust over the ties of firm i; 0 without ties."""
    trust, count = 0.0, 0
    for m in range(ties.partner.shape[1]):
        if ties.partner[i, m] >= 0:
            trust += ties.trust[i, m]
            count += 1
    return trust / count if count > 0 else 0.0


@kernel
def trusted_sum(i, ties, values):
    """Sum of the partners' `values`, shape (N,), weighted by trust, and the sum of the weights, for firm i."""
    total, weight = 0.0, 0.0
    for m in range(ties.partner.shape[1]):
        j = ties.partner[i, m]
        if j >= 0:
            total += ties.trust[i, m] * values[j]
            weight += ties.trust[i, m]
    return total, weight


@kernel
def are_tied(i, j, ties):
    """Whether i and j have a tie."""
    for m in range(ties.partner.shape[1]):  # noqa: SIM110 (numba compiles no generator)
        if ties.partner[i, m] == j:
            return True
    return False


@kernel
def _free_slot(i, ties):
    for m in range(ties.partner.shape[1]):
        if ties.partner[i, m] < 0:
            return m
    return -1


@kernel
def tie(i, j, trust, ties):
    """Tie i and j with the given trust; False (and nothing done) if either has no free slot or they are tied."""
    if i == j or are_tied(i, j, ties):
        return False
    a, b = _free_slot(i, ties), _free_slot(j, ties)
    if a < 0 or b < 0:
        return False
    ties.partner[i, a], ties.partner[j, b] = j, i
    ties.mirror[i, a], ties.mirror[j, b] = b, a
    ties.trust[i, a], ties.trust[j, b] = trust, trust
    ties.age[i, a], ties.age[j, b] = 0, 0
    ties.orders[i, a], ties.orders[j, b] = 0.0, 0.0
    return True


@kernel
def _clear(i, m, ties):
    ties.partner[i, m] = -1
    ties.trust[i, m] = 0.0
    ties.orders[i, m] = 0.0


@kernel
def untie(i, m, ties):
    """End the tie in slot m of firm i, on both sides."""
    _clear(ties.partner[i, m], ties.mirror[i, m], ties)
    _clear(i, m, ties)


@kernel
def untie_all(i, ties):
    """End all ties of firm i; returns how many there were."""
    ended = 0
    for m in range(ties.partner.shape[1]):
        if ties.partner[i, m] >= 0:
            untie(i, m, ties)
            ended += 1
    return ended


@kernel
def _jump_hash(word, buckets):
    """A bucket in 0..buckets-1 that changes only to the newest bucket as buckets are added (Lamping & Veach 2014)."""
    b, j = np.int64(-1), np.int64(0)
    while j < buckets:
        b = j
        word = word * np.uint64(2862933555777941757) + np.uint64(1)
        j = np.int64((b + 1) * (2147483648.0 / np.float64((word >> np.uint64(33)) + np.uint64(1))))
    return b


@kernel
def draw_firm(i, number, stream, firms, clock):
    """A living firm that i happens to meet, uniformly, or -1 if none was met.

    One more firm in the district leaves every other meeting as it was, except those in which it is met itself: ids are
    drawn by a consistent hash and drawn again if not in use. `number`: which meeting of i in this quarter and stream,
    0..1023.
    """
    key = firms.key[i] if i >= 0 else i
    for attempt in range(_TRIES):
        u, _ = uniform2(clock.seed[0], stream, clock.step[0], key, -2 - attempt, number)
        j = _jump_hash(np.uint64(u * 18446744073709551616.0), clock.rows[0])
        if j != i and firms.alive[j]:
            return j
    return -1
