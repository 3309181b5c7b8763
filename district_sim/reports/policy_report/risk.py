"""Tail risk: how often a district ends far below its own calm years, and how bad the worst replicates are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LOSS = 0.2
"""A loss counts when the late window is this share below the calm window."""
WORST = 0.1
"""Share of the replicates whose mean is the expected shortfall."""
_RESAMPLES = 9999


def retained(
    series: pd.DataFrame, outcomes: list[str], cells: Mapping[int, str], calm_window: int | None = None
) -> pd.DataFrame:
    """Late window over calm window, by run.

    Args:
        series: point, replicate, quarter (every one) and the outcomes.
        outcomes: names of columns.
        cells: mixes by point.
        calm_window: of the scenario; where it has no calm the first quarters stand in its place.

    Returns:
        Columns cell, replicate, outcome, ratio; windows as in `trajectories.score`.
    """
    import pandas as pd

    from district_sim.run.trajectories import windows

    rows = []
    whole: Any = series.sort_values("quarter").groupby(["point", "replicate"], sort=True)
    for (point, replicate), run in whole:
        calm, late = windows(len(run), calm_window or None)
        for outcome in outcomes:
            start = float(run[outcome].iloc[:calm].mean())
            end = float(run[outcome].iloc[-late:].mean())
            rows.append((cells[int(point)], int(replicate), outcome, end / start if start > 0.0 else np.nan))
    return pd.DataFrame(rows, columns=["cell", "replicate", "outcome", "ratio"])


def tail(ratios: pd.DataFrame, cells: list[str], confidence: float, seed: int) -> pd.DataFrame:
    """Probability of a loss and expected shortfall, by mix and outcome.

    Args:
        ratios: as `retained` gives them.
        cells: mixes; the first is the counterfactual.
        confidence: of the intervals.
        seed: of the bootstrap.

    Returns:
        One row per outcome and mix: cell, outcome, n, count, share, low, high (of losses above `LOSS`; Wilson);
        shortfall (mean ratio of the `WORST` of the replicates, at least one), change (from the counterfactual),
        change_low, change_high (percentile bootstrap of replicates, drawn together for both).
    """
    import pandas as pd
    from scipy import stats

    rows = []
    for outcome, part in ratios.groupby("outcome", sort=False):
        wide = part.pivot(index="replicate", columns="cell", values="ratio")
        for cell in cells:
            values = wide[cell].dropna().to_numpy()
            count, n = int((values < 1.0 - LOSS).sum()), len(values)
            span = stats.binomtest(count, n).proportion_ci(confidence, method="wilson")
            row = {"cell": cell, "outcome": outcome, "n": n, "count": count, "share": count / n}
            row |= {"low": float(span.low), "high": float(span.high), "shortfall": float(shortfall(values))}
            both = wide[[cells[0], cell]].dropna().to_numpy()
            rows.append(row | _change(both[:, 0], both[:, 1], confidence, seed))
    return pd.DataFrame(rows)


def shortfall(values: np.ndarray) -> np.ndarray:
    """Mean of the worst `WORST` of the values along the last axis, of at least one (Acerbi & Tasche 2002,
    doi 10.1016/S0378-4266(02)00283-2)."""
    worst = max(1, round(WORST * values.shape[-1]))
    return np.sort(values, axis=-1)[..., :worst].mean(axis=-1)


def _change(base: np.ndarray, own: np.ndarray, confidence: float, seed: int) -> dict[str, float]:
    drawn = np.random.default_rng(seed).integers(len(base), size=(_RESAMPLES, len(base)))
    resampled = shortfall(own[drawn]) - shortfall(base[drawn])
    low, high = np.quantile(resampled, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    change = float(shortfall(own) - shortfall(base))
    return {"change": change, "change_low": float(low), "change_high": float(high)}
