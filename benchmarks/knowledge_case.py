"""The socialisation benchmark's data and its plain version.

Firm i meets the partners on its ties; what it learns from partner j in domain d is

    rate * max(0, T_jd - T_id),  rate = min(1, socialisation) * absorptive_i * understood * meeting / attention,
    meeting = trust_weight * interaction * exp(-km / meeting_distance) * (1 + it_tacit * it_i * it_j),
    attention = k.attention + the sum of the firm's meetings,
    understood = exp(-(distance / (distance_scale + distance_absorptive * absorptive_i))^2),
    distance = |T_i - T_j| / (|T_i| + |T_j|),

and its new absorptive capacity is 1 - exp(-weight) with the weight as in
`district_sim.model.processes.knowledge.absorbing`.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

from district_sim.model.scratch import aligned_rows

DOMAINS, SLOTS = 8, 10
BYTES_SEEN = 64
BYTES_PER_FIRM = BYTES_SEEN + SLOTS * (4 + 4) + 3 * 4 + (DOMAINS + 1) * 4
"""Its record, its ties (partner, trust), three own numbers; written: what it gained, its new absorptive capacity."""

SEEN = np.dtype(
    [
        ("tacit", np.float32, (DOMAINS,)),
        ("x", np.float32),  # km
        ("y", np.float32),
        ("it", np.float32),
        ("norm", np.float32),  # |tacit|
        ("absorptive", np.float32),
        ("unused", np.float32, (3,)),
    ]
)
KNOWLEDGE = (
    "socialisation",
    "interaction",
    "meeting_distance",
    "it_tacit",
    "attention",
    "trust_threshold",
    "distance_scale",
    "distance_absorptive",
    "absorptive_education",
    "absorptive_experience",
    "absorptive_research",
    "absorptive_knowledge",
)

type Wiring = Literal["local", "rewired"]


class Case(NamedTuple):
    """N firms with 10 tie slots each; what is computed goes to `gained` and `capacity`."""

    seen: np.ndarray  # (N,) SEEN, each record one cache line
    partner: np.ndarray  # (N, SLOTS) int32, -1 for a free slot
    trust: np.ndarray  # (N, SLOTS) float32
    education: np.ndarray  # (N,) float32
    experience: np.ndarray  # (N,) float32
    research: np.ndarray  # (N,) float32
    k: np.ndarray  # (1,) float32 record of KNOWLEDGE and relevance (DOMAINS,)
    gained: np.ndarray  # (N, DOMAINS) float32
    capacity: np.ndarray  # (N,) float32


def aligned(shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of zeros that starts on a cache line."""
    return aligned_rows(int(np.prod(shape)), np.dtype(dtype)).view(np.ndarray).reshape(shape)


def _partners(n: int, wiring: Wiring, rng: np.random.Generator) -> np.ndarray:
    """Ties to the five nearest places on either side of a ring; or along five random rings through all firms."""
    if wiring == "local":
        steps = np.concatenate([np.arange(-SLOTS // 2, 0), np.arange(1, SLOTS // 2 + 1)])
        return (np.arange(n)[:, None] + steps) % n
    out = np.empty((n, SLOTS), np.int64)
    for slot in range(0, SLOTS, 2):
        ring = rng.permutation(n)
        out[ring, slot], out[ring, slot + 1] = np.roll(ring, 1), np.roll(ring, -1)
    return out


def make_case(n: int, wiring: Wiring, seed: int = 1, free: float = 0.0) -> Case:
    """Random firms, 10 ties each.

    Args:
        n: firms, more than 10.
        wiring: "local": neighbours in place and in memory; "rewired": the partners are anywhere.
        seed: of the draws.
        free: share of tie slots that are left free.
    """
    from district_sim.scenario.sections import Knowledge

    rng = np.random.default_rng(seed)
    defaults = Knowledge()
    case = Case(
        seen=aligned(n, SEEN),
        partner=aligned((n, SLOTS), np.int32),
        trust=aligned((n, SLOTS), np.float32),
        education=aligned(n, np.float32),
        experience=aligned(n, np.float32),
        research=aligned(n, np.float32),
        k=aligned(1, [*((name, np.float32) for name in KNOWLEDGE), ("relevance", np.float32, (DOMAINS,))]),
        gained=aligned((n, DOMAINS), np.float32),
        capacity=aligned(n, np.float32),
    )
    seen, angle = case.seen, np.arange(n) * 2.0 * np.pi / n
    seen["tacit"] = rng.lognormal(-0.5, 0.5, (n, DOMAINS))
    seen["x"] = 10.0 * np.cos(angle) + rng.normal(0.0, 1.0, n)
    seen["y"] = 10.0 * np.sin(angle) + rng.normal(0.0, 1.0, n)
    seen["norm"] = np.linalg.norm(seen["tacit"], axis=1)
    for column in (seen["it"], seen["absorptive"], case.education, case.experience, case.research):
        column[:] = rng.random(n)
    case.trust[:] = rng.uniform(defaults.trust_threshold, 1.0, (n, SLOTS))  # every tie carries knowledge
    case.partner[:] = _partners(n, wiring, rng)
    if free:
        case.partner[rng.random((n, SLOTS)) < free] = -1
    for name in KNOWLEDGE:
        case.k[name] = getattr(defaults, name)
    case.k["relevance"] = 1.0 / DOMAINS
    return case


def numpy_socialise(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Gained (N, DOMAINS) and new absorptive capacity (N,) in double precision, one plain step after another."""
    k = {name: float(case.k[name][0]) for name in KNOWLEDGE}
    seen = {name: case.seen[name].astype(np.float64) for name in ("tacit", "x", "y", "it", "absorptive")}
    tacit, tied, j = seen["tacit"], case.partner >= 0, np.maximum(case.partner, 0)
    km = np.hypot(seen["x"][:, None] - seen["x"][j], seen["y"][:, None] - seen["y"][j])
    weight = np.maximum(0.0, case.trust.astype(np.float64) - k["trust_threshold"]) / (1.0 - k["trust_threshold"])
    it = 1.0 + k["it_tacit"] * seen["it"][:, None] * seen["it"][j]
    meeting = tied * weight * k["interaction"] * np.exp(-km / k["meeting_distance"]) * it
    attention = k["attention"] + meeting.sum(axis=1)
    gap, norm = tacit[j] - tacit[:, None], np.linalg.norm(tacit, axis=1)
    total = norm[:, None] + norm[j]
    distance = np.linalg.norm(gap, axis=2) / np.where(total > 0.0, total, 1.0)
    scale = k["distance_scale"] + k["distance_absorptive"] * seen["absorptive"]
    understood = np.exp(-((distance / scale[:, None]) ** 2))
    base = min(1.0, k["socialisation"]) * seen["absorptive"] / attention
    gained = ((base[:, None] * understood * meeting)[:, :, None] * np.maximum(0.0, gap)).sum(axis=1)
    own = tacit @ case.k["relevance"][0].astype(np.float64)
    research = case.research.astype(np.float64)
    weights = k["absorptive_education"] * case.education + k["absorptive_experience"] * case.experience
    weights = weights + k["absorptive_research"] * research / (1.0 + research)
    return gained, 1.0 - np.exp(-weights - k["absorptive_knowledge"] * own / (1.0 + own))
