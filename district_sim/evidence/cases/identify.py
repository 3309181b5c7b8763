"""Which parameters the targets identify, and which they cannot separate.

The fit minimises the sum of squares of errors (in standard deviations of the target) and of steps away from the
scenario's own values (in those of the prior). Near its minimum both together are the curvature F + 1 of minus the
logarithm of the posterior, with F = J'J the Fisher information and J the effects of the parameters on the targets
(Tarantola 2005, doi 10.1137/1.9780898717921, section 3.2). Directions with small eigenvalues of F are those about which
the targets say nothing: sloppy ones (Gutenkunst et al. 2007, doi 10.1371/journal.pcbi.0030189).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

NOISE = 2.0
"""Effects within so many standard errors of nothing count as none."""
ALIKE = 0.6
"""Posterior correlation from which two parameters count as not separated."""
IDENTIFIED = 0.5
"""Share of the prior's standard deviation that must be gone for a parameter to count as identified."""
_MAIN = 0.3  # weight from which a parameter is named as part of a direction


@dataclass(frozen=True, slots=True)
class Direction:
    """A combination of parameters, in standard deviations of their priors."""

    information: float
    """Eigenvalue of F; 1 is as much as the prior says, 0 nothing."""
    weights: tuple[float, ...]
    """Of unit length."""

    @property
    def identified(self) -> bool:
        """Whether the targets say at least as much as the prior."""
        return self.information >= 1.0

    def main(self, names: Sequence[str]) -> list[tuple[str, float]]:
        """Its heaviest parameters with their weights."""
        found = sorted(zip(names, self.weights, strict=True), key=lambda pair: -abs(pair[1]))
        return [(name, weight) for name, weight in found if abs(weight) >= _MAIN]


@dataclass(frozen=True, slots=True)
class Identified:
    """What the targets say about each parameter and about combinations of them."""

    names: tuple[str, ...]
    left: tuple[float, ...]
    """Standard deviation that is left, as a share of the prior's: 1 nothing is learned, near 0 all."""
    correlation: np.ndarray
    """(parameters, parameters) of the posterior."""
    directions: tuple[Direction, ...]
    """From the best to the least identified."""
    effects: np.ndarray
    """J without effects that could be luck: (targets, parameters)."""

    @property
    def alike(self) -> list[tuple[str, str, float]]:
        """Pairs that the targets cannot separate, with their correlation."""
        pairs = zip(*np.triu_indices(len(self.names), 1), strict=True)
        found = [(self.names[i], self.names[j], float(self.correlation[i, j])) for i, j in pairs]
        return sorted((pair for pair in found if abs(pair[2]) >= ALIKE), key=lambda pair: -abs(pair[2]))

    @property
    def nothing(self) -> bool:
        """Whether the targets identify not a single parameter, alone or with others."""
        return not any(direction.identified for direction in self.directions)

    def verdict(self, name: str) -> str:
        """In words: identified, only together with others, weakly, or not at all."""
        at = self.names.index(name)
        if self.left[at] <= 1.0 - IDENTIFIED:
            return "identified"
        if not self.effects[:, at].any():
            return "not identified: no target responds"
        others = [b if a == name else a for a, b, _ in self.alike if name in (a, b)]
        return f"not separated from {', '.join(others)}" if others else "weakly identified"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "parameters": {
                name: {"left": left, "verdict": self.verdict(name)}
                for name, left in zip(self.names, self.left, strict=True)
            },
            "not_told_apart": [list(pair) for pair in self.alike],
            "correlation": self.correlation.tolist(),
            "directions": [asdict(direction) for direction in self.directions],
            "effects": self.effects.tolist(),
        }


def identify(names: Sequence[str], effects: np.ndarray, errors: np.ndarray) -> Identified:
    """Judge which parameters the targets identify, from their effects on the targets.

    Args:
        names: (parameters,).
        effects: (targets, parameters) change of a target, in standard deviations of what is known of it, for a step of
            one standard deviation of the parameter's prior.
        errors: standard errors of the effects; those within `NOISE` of them count as none.
    """
    clear = np.where(np.abs(effects) > NOISE * errors, effects, 0.0)
    information = clear.T @ clear
    covariance = np.linalg.inv(information + np.eye(len(names)))
    left = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(information)
    directions = [
        Direction(max(0.0, float(values[k])), tuple(float(w) for w in _upright(vectors[:, k])))
        for k in reversed(range(len(names)))
    ]
    return Identified(
        tuple(names), tuple(map(float, left)), covariance / np.outer(left, left), tuple(directions), clear
    )


def _upright(vector: np.ndarray) -> np.ndarray:
    """Of the two signs the one with which the heaviest weight is positive."""
    return vector * np.sign(vector[np.argmax(np.abs(vector))])
