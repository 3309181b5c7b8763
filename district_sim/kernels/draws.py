"""Keyed randomness: every draw is a pure function of what it is for.

A draw depends on (seed, process, step, firm, other, number) and on nothing else, so results do not depend on the
order of work or the number of threads, and two policies can be compared under the same luck, firm by firm.

The generator is Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
doi 10.1145/2063384.2063405), checked in the tests against the Random123 known-answer vectors.
"""

import hashlib
from enum import IntEnum

import numpy as np

from district_sim.kernels.compile import array_kernel, inlined_kernel, kernel

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)


class Stream(IntEnum):
    """What a draw is for; the number is part of the key, so it must never be changed or reused."""

    INITIAL = 1
    PARTICIPATION = 2
    INNOVATION = 3
    SWITCHING = 4
    DEMAND = 5
    HIRING = 6
    TIE_ENDING = 7
    TIE_FORMING = 8
    TIE_TRUST = 9
    PIPELINE_OPENING = 10
    PIPELINE_LAPSING = 11
    TAKEOVER = 12
    ACQUISITION = 13
    CAPTIVITY = 14
    DIVESTMENT = 15
    EXIT = 16
    ENTRY = 17
    NEWBORN = 18
    TARGETING = 19
    CONTEST = 20
    OBSERVATION = 21
    ENTRANT_ATTRACTION = 22
    BARTER = 23
    SHOCK = 24
    COOWNERSHIP = 25
    CONDUCT = 26
    SUCCESSION = 27
    EVALUATION = 28


@inlined_kernel
def philox(c0, c1, c2, c3, k0, k1):
    """Philox 4x32-10: four counter words and two key words to four random words, each below 2**32 (uint64).

    In 64-bit words, as the products are, so that a loop over keys becomes vector instructions: see `looped_uniform2`.
    """
    c0, c1, c2, c3, k0, k1 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3), np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c2 = (p1 >> _S32) ^ c1 ^ k0, (p0 >> _S32) ^ c3 ^ k1
        c1, c3 = p1 & _LOW, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@inlined_kernel
def _block(seed, stream, step, firm, other, number):
    return philox(
        firm & 0xFFFFFFFF,
        other & 0xFFFFFFFF,
        step & 0xFFFFFFFF,
        (stream << 16) | number,
        np.uint64(seed) & _LOW,
        np.uint64(seed) >> _S32,
    )


@inlined_kernel
def uniform_of(word):
    """The number in (0, 1) that belongs to 64 random bits, by the first 52 of them."""
    return (np.float64(np.int64(word >> np.uint64(12))) + 0.5) * 2.220446049250313e-16


@inlined_kernel
def looped_word(seed, stream, step, firm, other, number):
    """As `random_word`, compiled into its caller: see `looped_uniform2`."""
    r0, r1, _, _ = _block(seed, stream, step, firm, other, number)
    return r0 << _S32 | r1


@inlined_kernel
def looped_uniform2(seed, stream, step, firm, other, number):
    """As `uniform2`, compiled into its caller: a loop over keys becomes vector instructions, eight draws at a time.

    That takes a third of the time. A call would be too much for it.
    """
    r0, r1, r2, r3 = _block(seed, stream, step, firm, other, number)
    return uniform_of(r0 << _S32 | r1), uniform_of(r2 << _S32 | r3)


@kernel
def uniform2(seed, stream, step, firm, other, number):
    """Two independent uniform draws in (0, 1) for the key (seed, stream, step, firm, other, number).

    seed: uint64. stream: `Stream` value. step: quarter (may be negative). firm, other: row ids (may be -1).
    number: which draw of this kind, 0..65535. Both draws carry 52 random bits and are never exactly 0 or 1.
    """
    return looped_uniform2(seed, stream, step, firm, other, number)


@kernel
def random_word(seed, stream, step, firm, other, number):
    """64 random bits (uint64) for a key; see `uniform2`."""
    return looped_word(seed, stream, step, firm, other, number)


@kernel
def uniform(seed, stream, step, firm, other=-1, number=0):
    """One uniform draw in (0, 1); see `uniform2`."""
    return uniform2(seed, stream, step, firm, other, number)[0]


@array_kernel
def draw_all(living, stream, clock, scratch, number=0):
    """One draw, as of `uniform`, for each living firm: returns `scratch.luck`, in the order of `living`."""
    seed, step, key, luck = clock.seed[0], clock.step[0], scratch.key, scratch.luck
    for t in range(np.uint64(living.size)):
        luck[t] = looped_uniform2(seed, stream, step, key[t], -1, number)[0]
    return luck


@kernel
def happens(luck, rate):
    """Whether something happens in a quarter that does so at a rate >= 0: luck < 1 - exp(-rate), a draw in (0, 1).

    Mostly a draw above the rate itself says no, without the exponential.
    """
    return luck < rate + 1e-15 and luck < 1.0 - np.exp(-rate)


@kernel
def normal(seed, stream, step, firm, other=-1, number=0):
    """One standard normal draw (Box & Muller 1958, doi 10.1214/aoms/1177706645)."""
    a, b = uniform2(seed, stream, step, firm, other, number)
    return np.sqrt(-2.0 * np.log(a)) * np.cos(2.0 * np.pi * b)


@kernel
def laplace_of(luck):
    """The Laplace draw with mean 0 and scale 1 (variance 2) that belongs to a uniform one, by inversion."""
    u = luck - 0.5
    return -np.sign(u) * np.log(1.0 - 2.0 * abs(u))


@kernel
def laplace(seed, stream, step, firm, other=-1, number=0):
    """One Laplace draw; see `laplace_of`."""
    return laplace_of(uniform(seed, stream, step, firm, other, number))


def replicate_seed(seed: int, replicate: int) -> int:
    """The seed of one replicate: a stable 64-bit hash of (seed, replicate), never seed + replicate.

    Args:
        seed: the experiment's seed, >= 0.
        replicate: replicate number, >= 0.
    """
    digest = hashlib.blake2b(f"district-sim:{seed}:{replicate}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
