"""What two firms are to each other: distance, ownership, ties; and whom a firm happens to meet."""

import numpy as np

from district_sim.kernels.compile import kernel
from district_sim.kernels.draws import random_word
from district_sim.kernels.vectors import prefetch
from district_sim.model.state import SELF_OWNED

AHEAD = 16  # how many firms before its turn a firm's partners are fetched
_NEAR = 4096  # rows whose records stay in a core's cache
_TRIES = 48  # draws before a search is given up: many ids are those of firms that have closed
BY_CHANCE = -2  # in the key of a draw, where another firm's key may stand
_FEW = 8  # searches that are as soon done one by one
_FIRST_BUCKET, _STEP = np.uint64(0x100000000), np.uint64(2862933555777941757)
_HALF_WORD = np.uint64(32)


@kernel
def distance_km(a, b):
    """Distance between two firms (records) in km."""
    return np.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2)


@kernel
def controller(i, firms):
    """The controlling unit of firm i: itself, its group's leader (row), or a multinational's code (<= -2)."""
    while i >= 0 and firms[i].owner != SELF_OWNED:
        i = firms[i].owner
    return i


@kernel
def is_affiliate(i, firms):
    """Whether a multinational controls firm i, directly or through its group's leader."""
    return controller(i, firms) < SELF_OWNED


@kernel
def far_apart(i, ties):
    """Whether the first partner of firm i is so far away in memory that others' probably are as well."""
    j = ties[i].partner[0]
    return j >= 0 and abs(j - i) > _NEAR


@kernel
def fetch_partners(i, first, ties, records, offset):
    """Ask for what will be read of firm i's partners in rows from `first` on: `offset` bytes into each one's record.

    With a hundred thousand firms and more, most of the time goes by waiting for partners' records.
    """
    for j in ties[i].partner:
        if j >= first:
            prefetch(records, np.uint32(j), offset)


@kernel
def fetch_mirrors(i, first, ties, records, offset, size):
    """Ask for what the partners of firm i, in rows from `first` on, hold on their side of the tie.

    It is a number of `size` bytes for each slot, the first of them `offset` bytes into their records.
    """
    tie = ties[i]
    for m in range(tie.partner.size):
        if tie.partner[m] >= first:
            prefetch(records, np.uint32(tie.partner[m]), offset + size * tie.mirror[m])


@kernel
def fetch_ahead(i, beyond, ties, records, offset):
    """At firm i's turn, ask for what will be read of the partners of a firm whose turn is soon, before `beyond`."""
    if i + AHEAD < beyond and far_apart(i, ties):
        fetch_partners(i + AHEAD, 0, ties, records, offset)


@kernel
def fetch_all(rows, count, records, offset):
    """Ask for what will be read of the first `count` of some rows, `offset` bytes into their records; -1 is no row.

    Nothing is asked for in a small district, whose records stay in the cache.
    """
    if records.size > _NEAR:
        for t in range(count):
            if rows[t] >= 0:
                prefetch(records, np.uint32(rows[t]), offset)


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
    for m in range(ties[i].partner.size):
        count += ties[i].partner[m] >= 0
    return count


@kernel
def mean_trust(i, ties):
    """Mean trust over the ties of firm i; 0 without ties."""
    trust, count = 0.0, 0
    for m in range(ties[i].partner.size):
        if ties[i].partner[m] >= 0:
            trust += ties[i].trust[m]
            count += 1
    return trust / count if count > 0 else 0.0


@kernel
def trusted_sum(i, ties, values):
    """Sum of the partners' `values`, shape (N,), weighted by trust, and the sum of the weights, for firm i."""
    total, weight = 0.0, 0.0
    for m in range(ties[i].partner.size):
        j = ties[i].partner[m]
        if j >= 0:
            total += ties[i].trust[m] * values[j]
            weight += ties[i].trust[m]
    return total, weight


@kernel
def are_tied(i, j, ties):
    """Whether i and j have a tie."""
    for m in range(ties[i].partner.size):  # noqa: SIM110 (numba compiles no generator)
        if ties[i].partner[m] == j:
            return True
    return False


@kernel
def _free_slot(i, ties):
    for m in range(ties[i].partner.size):
        if ties[i].partner[m] < 0:
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
    ties[i].partner[a], ties[j].partner[b] = j, i
    ties[i].mirror[a], ties[j].mirror[b] = b, a
    ties[i].trust[a], ties[j].trust[b] = trust, trust
    ties[i].age[a], ties[j].age[b] = 0, 0
    return True


@kernel
def _clear(i, m, ties):
    ties[i].partner[m] = -1
    ties[i].trust[m] = 0.0


@kernel
def untie(i, m, ties):
    """End the tie in slot m of firm i, on both sides."""
    _clear(ties[i].partner[m], ties[i].mirror[m], ties)
    _clear(i, m, ties)


@kernel
def untie_all(i, ties):
    """End all ties of firm i; returns how many there were."""
    ended = 0
    for m in range(ties[i].partner.size):
        if ties[i].partner[m] >= 0:
            untie(i, m, ties)
            ended += 1
    return ended


@kernel
def _consistent_hash(word, buckets):
    """A bucket in 0..buckets-1, uniform, that changes only to the newest as buckets are added; and the last word.

    The jumps of Lamping & Veach 2014 (arXiv 1406.2294) taken backwards from 2**32 buckets: the jump before one to
    bucket b came from a bucket drawn uniformly below b. Four times as fast as forwards: no division.
    """
    bucket = _FIRST_BUCKET
    while bucket >= buckets:
        word = word * _STEP + np.uint64(1)
        bucket = (bucket * (word >> _HALF_WORD)) >> _HALF_WORD
    return np.int64(bucket), word


@kernel
def _consistent_hashes(count, word, bucket, buckets):
    """As `_consistent_hash` for `count` words, in place, eight at a time: most time goes into waiting for products."""
    for t in range(count):
        bucket[t] = _FIRST_BUCKET
    above = count
    while above > 0:
        above = np.uint64(0)
        for t in range(count):
            before, next_word = bucket[t], word[t] * _STEP + np.uint64(1)
            after, jumps = (before * (next_word >> _HALF_WORD)) >> _HALF_WORD, before >= buckets
            word[t] = next_word if jumps else word[t]
            bucket[t] = after if jumps else before
            above += np.uint64(jumps & (after >= buckets))


@kernel
def draw_firm(i, number, stream, firms, alive, clock):
    """A living firm that i happens to meet, uniformly, or -1 if none was met.

    One more firm in the district leaves every other meeting as it was, except those in which it is met itself: ids are
    drawn by a consistent hash and drawn again if not in use. `number`: which meeting of i in this quarter and stream,
    0..1023. `alive`: `firms.alive`, or its copy of `list_living` while that is good.
    """
    key = firms[i].key if i >= 0 else i
    word = random_word(clock.seed[0], stream, clock.step[0], key, BY_CHANCE, number)
    return _search(i, word, alive, np.uint64(clock.rows[0]), np.int64(_TRIES))


@kernel
def _search(i, word, alive, buckets, tries):
    for _ in range(tries):
        j, word = _consistent_hash(word, buckets)
        if j != i and alive[j]:
            return j
    return -1


@kernel
def draw_firms(count, s, alive, clock):
    """As `draw_firm`, for many searches at once: whom the firm in row `s.own[s.at[t]]` meets, into `s.met[s.at[t]]`.

    All searches make a try together, then those that found a closed firm the next one. A draw takes a third of the time
    in a young district, half of it where most rows are those of closed firms.

    Args:
        count: how many, uint64. s: a record of `scratch.meetings`; the first `count` of `s.word` are random words for
            BY_CHANCE, as `draw_firm` takes them. alive: as there.
    """
    own, at, word, bucket, met = s.own, s.at, s.word, s.bucket, s.met
    buckets, left, tries = np.uint64(clock.rows[0]), count, np.int64(_TRIES)
    while left > _FEW and tries > 0:
        _consistent_hashes(left, word, bucket, buckets)
        searching, left, tries = left, np.uint64(0), tries - 1
        for t in range(searching):
            n, j = at[t], np.int64(bucket[t])
            met[n] = j
            word[left], at[left] = word[t], n
            left += np.uint64((j == own[n]) | (not alive[j]))
    for t in range(left):
        met[at[t]] = _search(own[at[t]], word[t], alive, buckets, tries)
