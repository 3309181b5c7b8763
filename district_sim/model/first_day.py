"""What the first day takes from draws, whether a district is drawn as a whole or starts from tables."""

import numpy as np

from district_sim.kernels.compile import array_kernel, kernel
from district_sim.kernels.draws import Stream, uniform
from district_sim.model.processes.relations import tie
from district_sim.model.processes.ties import SPREAD_OF_CHEMISTRY, chemistry

INITIAL = int(Stream.INITIAL)
FINAL_SHARE = 0.5  # employees of final firms, in all
DYNAMISM_SPREAD = 0.5  # standard deviation of log dynamism, whose mean is 1


@array_kernel
def uniforms(n, seed, number):
    """One uniform for each of the first n firms, shape (n,)."""
    out = np.empty(n)
    for i in range(n):
        out[i] = uniform(seed, INITIAL, 0, i, -1, number)
    return out


@kernel
def first_tie(i, j, firms, ties, start, seed):
    """Tie firms i and j with the trust of the first day, by chemistry."""
    trust = start.trust + start.trust_spread * SPREAD_OF_CHEMISTRY * chemistry(firms[i].key, firms[j].key, seed)
    tie(i, j, min(1.0, max(0.0, trust)), ties)
