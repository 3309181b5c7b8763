"""What the model says wrongly of a figure, beside luck and parameters: its discrepancy (Kennedy & O'Hagan 2001).

Nothing in the runs shows it; only what was observed does. It is one number for each path, which multiplies counts and
money and is added to shares, and it lasts: a run with a tenth too many firms today will have about a tenth too many
next year. So where a figure was observed, a forecast starts from what was observed and not from what the run says, as
far as the measurement is better than the model. After the last observation the discrepancy is a random walk.

Source: Kennedy & O'Hagan 2001, doi 10.1111/1467-9868.00294; Brynjarsdottir & O'Hagan 2014, doi
10.1088/0266-5611/30/11/114007.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MODEL_ERROR = 0.08
"""Standard deviation of the discrepancy where nothing else is known: logarithm of a count, points of a share.

Firms and jobs that the four cases only check are missed by 9 %, luck included (root mean square; docs/how_sure.md)."""
_DOUBLES = 10.0  # years after which the variance of an error that was not observed has doubled
_YEAR = 4


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Of one figure, as seen from its observations; of a figure that was never observed, only its size is known."""

    quarters: np.ndarray
    """(observations,) when it was observed, ascending."""
    gaps: np.ndarray
    """(..., observations) what was observed less what a path says, on the figure's scale."""
    errors: np.ndarray
    """(observations,) standard deviations of measurement, on the scale."""
    until: int = 0
    """The quarter from which the discrepancy of a figure that was never observed grows."""

    @classmethod
    def of(cls, seen: Sequence[tuple[int, np.ndarray, float]], until: int) -> "Discrepancy":
        """From (quarter, gaps, error) of each observation, in any order; a gap that is not finite says nothing."""
        ordered = sorted(seen, key=lambda one: one[0])
        gaps = np.array([one[1] for one in ordered], float)
        return cls(
            np.array([one[0] for one in ordered], int),
            np.moveaxis(np.where(np.isfinite(gaps), gaps, 0.0), 0, -1) if len(ordered) else np.zeros((1, 0)),
            np.array([one[2] for one in ordered], float),
            max((one[0] for one in ordered), default=until),
        )

    def at(self, size: float, quarters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the discrepancy, (..., quarters), and what stays unknown of it as a standard deviation, (quarters,).

        Args:
            size: standard deviation before anything was observed. quarters: the mean grows from the start to the first
                observation in line, is interpolated between observations, and stays after the last.
        """
        quarters = np.asarray(quarters, float)
        walk = size**2 * np.maximum(0.0, quarters - self.until) / (_YEAR * _DOUBLES)
        if not len(self.quarters) or size <= 0.0:
            return np.zeros((*self.gaps.shape[:-1], len(quarters))), np.sqrt(size**2 + walk)
        at = np.concatenate([[-1], self.quarters])  # the start is as it was set
        own = np.array([np.interp(quarters, at, one) for one in np.eye(len(at))[1:]])
        known = size**2 / (size**2 + self.errors**2)
        return (self.gaps * known) @ own, np.sqrt(size**2 * (1.0 - known @ own) + walk)
