"""Networks of agents: small worlds, random and scale-free, with the same number of ties."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Network(StrEnum):
    """Kinds of networks."""

    WS = "ws"
    ER = "er"
    BA = "ba"


def make_network(kind: Network, agents: int, neighbours: int, rewiring: float, seed: int) -> "csr_array":
    """A network without loops or double ties, of agents · neighbours / 2 ties (for "ba" slightly fewer).

    "ws" is the ring on which everybody knows the nearest (Watts & Strogatz 1998, doi 10.1038/30918), "er" has its ties
    anywhere (Erdős & Rényi 1959), in "ba" newcomers bring `neighbours` / 2 ties and prefer those who have many
    (Barabási & Albert 1999, doi 10.1126/science.286.5439.509). In each a share of ties is then rewired: one end goes to
    an agent drawn at random. With the same seed a larger share rewires all that a smaller share does and more.

    Args:
        agents: N >= 3. neighbours: even, 2 to N - 1. rewiring: 0..1. seed: >= 0.

    Returns:
        (N, N) symmetric adjacency of ones, indices sorted.
    """
    ties = _rewired(_ties(kind, agents, neighbours, seed), agents, rewiring, seed)
    return _adjacency(ties, agents)


def _ties(kind: Network, agents: int, neighbours: int, seed: int) -> list[tuple[int, int]]:
    if kind is Network.WS:
        return [(i, (i + step) % agents) for step in range(1, neighbours // 2 + 1) for i in range(agents)]
    import networkx as nx

    if kind is Network.ER:
        return list(nx.gnm_random_graph(agents, agents * neighbours // 2, seed=seed).edges)
    return list(nx.barabasi_albert_graph(agents, neighbours // 2, seed=seed).edges)


def _rewired(ties: list[tuple[int, int]], agents: int, share: float, seed: int) -> list[tuple[int, int]]:
    if share == 0.0:
        return ties
    from district_sim.evidence.replications.barter import BARTER, REWIRING, rewiring_draws
    from district_sim.kernels.draws import uniform

    known: list[set[int]] = [set() for _ in range(agents)]
    for i, j in ties:
        known[i].add(j)
        known[j].add(i)
    out = list(ties)
    draws = rewiring_draws(np.uint64(seed), len(ties))
    for tie in np.flatnonzero(draws[:, 0] < share).tolist():
        i, j = ties[tie]
        if len(known[i]) == agents - 1:
            continue  # it knows everybody
        other, tries = int(draws[tie, 1] * agents), 0
        while other == i or other in known[i]:
            tries += 1
            other = int(uniform(np.uint64(seed), BARTER, REWIRING, tie, tries) * agents)
        known[i].remove(j)
        known[j].remove(i)
        known[i].add(other)
        known[other].add(i)
        out[tie] = (i, other)
    return out


def _adjacency(ties: list[tuple[int, int]], agents: int) -> "csr_array":
    from scipy.sparse import coo_array

    ends = np.array(ties, np.int64).reshape(-1, 2)
    rows, columns = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    out = coo_array((np.ones(rows.size, np.int8), (rows, columns)), shape=(agents, agents)).tocsr()
    out.sort_indices()
    return out


def sparse_rows(adjacency: Any) -> tuple[np.ndarray, np.ndarray]:
    """Any adjacency as compressed sparse rows, for the kernels.

    Args:
        adjacency: (N, N) scipy sparse array or matrix, or whatever `scipy.sparse.csr_array` takes. Agent i may begin a
            meeting with j where entry (i, j) is not zero; the weights do not matter.

    Returns:
        start (N + 1,) and partner (ties,), int64; each agent's partners in ascending order.

    Raises:
        ValueError: it is not square, has fewer than two agents, ties an agent to itself, or is not finite.
    """
    from scipy.sparse import csr_array

    rows = csr_array(adjacency, copy=True)
    if rows.ndim != 2 or rows.shape[0] != rows.shape[1] or rows.shape[0] < 2:
        raise ValueError(f"adjacency must be square with at least 2 agents, not of shape {rows.shape}")
    rows.sum_duplicates()
    if not np.isfinite(rows.data).all():
        raise ValueError("adjacency must have finite entries only")
    rows.eliminate_zeros()
    loops = np.flatnonzero(rows.diagonal())
    if loops.size:
        raise ValueError(f"adjacency ties agent {loops[0]} to itself; its diagonal must be zero")
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int64)
