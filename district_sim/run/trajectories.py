"""Trajectories: scores of the four futures from outcomes only, and the label.

Works on any table of indicators, with no access to the scenario. Each score is a geometric mean of ramps: a ramp
is 0 up to its first threshold, 1 from its second, linear between. Levels are used where the literature names a level
(control by multinationals, complete production); changes against the district's own calm window where real districts
start from very different levels (ties, local purchases, employment). The thresholds were fixed on seeds 0-99 and are
the same for every district.

What is undefined is NaN and no zero: quarters without a value are left out, and a score that needs a value that no
quarter has is undefined, unless another ingredient is 0. A district that died is decline. Persistence is the label only
where every future could be scored; where nothing can be said there is no label.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class Columns(Protocol):
    """A table of indicators by column: a data frame, or a mapping of arrays of equal length."""

    def __getitem__(self, name: str, /) -> Any:
        """The column of that name, one number per quarter."""


class Trajectory(StrEnum):
    """The four futures and the two residual classes."""

    FRAGMENTATION = "fragmentation"
    POST_MARSHALLIAN_NODE = "post_marshallian_node"
    LEARNING_REGION = "learning_region"
    COLLECTIVE_ENTREPRENEURSHIP = "collective_entrepreneurship"
    MARSHALLIAN_PERSISTENCE = "marshallian_persistence"
    DECLINE = "decline"


FUTURES = tuple(Trajectory)[:4]


@dataclass(frozen=True, slots=True)
class Ramp:
    """0 up to `low`, 1 from `high`, linear between; falling if low > high."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """The ramp's height at `value`, in [0, 1]."""
        return float(np.clip((value - self.low) / (self.high - self.low), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When an outcome counts. Levels are shares or indices; changes are late over calm (ratio) or late less calm."""

    label: float = 0.5
    """A future must score at least this much to give the label."""
    decline: float = 0.6
    """Employment or value added below this ratio to the calm window is decline."""
    foreign_control: Ramp = field(default=Ramp(0.10, 0.70))
    """Multinationals' share of all sales: route A1 (Asheim 1996)."""
    captive: Ramp = field(default=Ramp(0.15, 0.60))
    """Suppliers captive or owned by local leaders: route A2 (Harrison 1994)."""
    concentration: Ramp = field(default=Ramp(0.0, 1.4))
    """Herfindahl index of control relative to 1/n of n firms, ratio to calm: route A2."""
    dissolution: Ramp = field(default=Ramp(-0.02, -0.11))
    """Change of mean trust: local ties dissolve, both routes."""
    outsourcing: Ramp = field(default=Ramp(-0.20, -0.60))
    """Change of the local share of purchases: phases leave (Amin & Thrift 1992)."""
    outside_links: Ramp = field(default=Ramp(0.02, 0.20))
    """Change of the share of firms with their own pipeline. It rises by a few points even if nobody opens one,
    as small firms close first."""
    node_alive: Ramp = field(default=Ramp(0.7, 1.05))
    """Turnover, ratio to calm: the node still sells."""
    local_control: Ramp = field(default=Ramp(0.45, 0.20))
    """Multinationals' share of all sales: control stays in the district."""
    renewal: Ramp = field(default=Ramp(0.4, 2.2))
    """Rise of the mean technology: path dependency was broken."""
    newest: Ramp = field(default=Ramp(0.05, 0.90))
    """Share of firms on the newest technology."""
    learning: Ramp = field(default=Ramp(1.03, 1.28))
    """Absorptive capacity, ratio to calm: learning capacity has risen (Stiglitz 1987)."""
    participation: Ramp = field(default=Ramp(0.20, 1.0))
    """Share of firms that contribute to the agency."""
    capability: Ramp = field(default=Ramp(0.15, 0.90))
    """Capability of the agency."""
    collective_links: Ramp = field(default=Ramp(0.15, 1.0))
    """Collective share of the knowledge that comes from outside: global as a system (Covi 2016)."""
    completeness: Ramp = field(default=Ramp(0.7, 1.0))
    """Phase coverage: the complete productive process stays (Becattini 1990; Covi 2016)."""


DEFAULT_THRESHOLDS = Thresholds()
CALM_WINDOW = 40
LATE_WINDOW = 40
_YEAR = 4  # quarters


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores in [0, 1] of the four futures, the two routes of fragmentation, and the label; NaN is undefined."""

    label: Trajectory | None
    """None where nothing can be said."""
    fragmentation: float
    post_marshallian_node: float
    learning_region: float
    collective_entrepreneurship: float
    route_takeover: float
    """Route A1: the best firms are taken over by multinationals."""
    route_hierarchy: float
    """Route A2: dynamic firms turn the rest into captive hierarchies."""
    retained: float
    """The smaller of the ratios of employment and value added to the calm window; not a score of a future."""

    def of(self, trajectory: Trajectory) -> float:
        """The score of one of the four futures."""
        return float(getattr(self, trajectory.value))


def _mean(*heights: float) -> float:
    """Geometric mean: every ingredient is needed. One that is 0 decides, even where another is undefined."""
    return 0.0 if 0.0 in heights else float(np.prod(heights) ** (1.0 / len(heights)))


def _ratio(late: float, calm: float) -> float:
    """How many times the calm level; undefined without one and for nothing of nothing, infinity for something of it."""
    if calm > 0.0:
        return late / calm
    return math.inf if calm <= 0.0 < late else math.nan


class Means:
    """Means of columns over some quarters, each made when it is asked for; quarters without a number are left out."""

    def __init__(self, indicators: Columns, quarters: slice) -> None:
        self._indicators, self._quarters = indicators, quarters

    def __getitem__(self, name: str) -> float:
        values = _column(self._indicators, name)[self._quarters]
        if not values.size:
            return math.nan
        mean = float(values.mean())
        if math.isnan(mean):
            known = values[~np.isnan(values)]
            return float(known.mean()) if known.size else math.nan
        return mean


def _column(indicators: Columns, name: str) -> np.ndarray:
    return np.asarray(indicators[name], dtype=float)


def windows(quarters: int, calm: int | None = None, late: int = LATE_WINDOW) -> tuple[int, int]:
    """Lengths of the calm and the late window of a run.

    Args:
        quarters: of the run.
        calm: of the scenario (`Scenario.calm_window`): so many quarters at the start, 0 for no calm; None for
            `CALM_WINDOW`, at most a quarter of the run. late: at most a quarter of the run as well.
    """
    longest = max(1, quarters // 4)
    return min(CALM_WINDOW, longest) if calm is None else min(calm, quarters), min(late, longest)


def _means(indicators: Columns, calm: int | None, late: int) -> tuple[Means, Means]:
    length = len(indicators["employment"])
    if length < 2:
        raise ValueError(f"at least 2 quarters are needed to classify, the table has {length}")
    first, last = windows(length, calm, late)
    return Means(indicators, slice(first)), Means(indicators, slice(-last, None))


def score(
    indicators: Columns,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    calm_window: int | None = None,
    late_window: int = LATE_WINDOW,
) -> Scores:
    """Scores and label from a table of indicators, one row per quarter.

    Args:
        indicators: columns of `indicators.NAMES`, a data frame or arrays by name; other columns are ignored.
        thresholds: when an outcome counts.
        calm_window: first quarters that are the district's own standard; see `windows`. Without any (0) a score that
            compares with them cannot be given: it is NaN.
        late_window: last quarters that are judged; at most a quarter of the table.

    Raises:
        ValueError: fewer than two rows.
        KeyError: a needed column is missing.
    """
    means = _means(indicators, calm_window, late_window)
    dead = bool(_column(indicators, "firms")[-1] == 0.0)
    return _score(*means, thresholds, dead)


def _score(calm: Means, late: Means, t: Thresholds, dead: bool = False) -> Scores:
    """Scores from the means of the calm and the late window.

    Args:
        dead: whether no firm lives at the end.
    """
    # Trust is undefined where no tie is left, and nothing that comes from outside comes collectively
    gone = late["degree"] == 0.0 and calm["degree"] > 0.0
    dissolved = 1.0 if gone else t.dissolution(late["trust"] - calm["trust"])
    collective_inflow = late["collective_inflow_share"]
    takeover = _mean(t.foreign_control(late["mne_turnover_share"]), dissolved)
    hierarchy = _mean(
        t.captive(late["captive_share"]),
        t.concentration(_ratio(late["hhi_control"] * late["firms"], calm["hhi_control"] * calm["firms"])),
        dissolved,
    )
    node = _mean(
        t.outsourcing(late["local_purchases"] - calm["local_purchases"]),
        t.outside_links(late["pipeline_firms"] - calm["pipeline_firms"]),
        t.node_alive(_ratio(late["turnover"], calm["turnover"])),
        t.local_control(late["mne_turnover_share"]),
    )
    learning = _mean(
        t.renewal(late["technology_mean"] - calm["technology_mean"]),
        t.newest(late["newest_share"]),
        t.learning(_ratio(late["absorptive_capacity"], calm["absorptive_capacity"])),
        t.local_control(late["mne_turnover_share"]),
    )
    collective = _mean(
        t.participation(late["participation"]),
        t.capability(late["agency_capability"]),
        t.collective_links(0.0 if math.isnan(collective_inflow) else collective_inflow),
        t.completeness(late["phase_coverage"]),
    )
    # fmin and fmax pass over what is undefined: either route leads to fragmentation, either loss is one
    work, value = (_ratio(late[name], calm[name]) for name in ("employment", "value_added_local"))
    retained = float(np.fmin(work, value))
    fragmentation = float(np.fmax(takeover, hierarchy))
    futures = dict(zip(FUTURES, (fragmentation, node, learning, collective), strict=True))
    label = Trajectory.DECLINE if dead else _label(futures, retained, t)
    return Scores(label, fragmentation, node, learning, collective, takeover, hierarchy, retained)


def _label(futures: dict[Trajectory, float], retained: float, t: Thresholds) -> Trajectory | None:
    """The label of a living district from its scores."""
    scored = {future: value for future, value in futures.items() if not math.isnan(value)}
    best = max(scored, key=lambda future: scored[future], default=None)
    if best is not None and scored[best] >= t.label:
        return best
    if retained < t.decline:
        return Trajectory.DECLINE
    known = len(scored) == len(futures) and not math.isnan(retained)
    return Trajectory.MARSHALLIAN_PERSISTENCE if known else None


def classify(indicators: Columns, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Trajectory | None:
    """The label of a table of indicators, None where nothing can be said; see `score`."""
    return score(indicators, thresholds).label


def recovery_time(
    indicators: Columns, name: str = "value_added_local", loss: float = 0.05, calm_window: int | None = None
) -> float:
    """Quarters from the first loss until the district was back at its calm level for a year.

    Args:
        indicators: one row per quarter.
        name: the indicator that is watched.
        loss: share of the calm window's mean that counts as a loss.
        calm_window: see `windows`.

    Returns:
        0.0 if nothing was lost, infinity if it never came back; NaN if there was nothing to lose, or no calm.
    """
    values = _column(indicators, name)
    calm, _ = windows(len(values), calm_window)
    usual = Means(indicators, slice(calm))[name]
    if not usual > 0.0:
        return math.nan
    line = (1.0 - loss) * usual
    below = np.flatnonzero(~(values >= line))
    if below.size == 0:
        return 0.0
    since = values[below[0] :]
    if len(since) < _YEAR:
        return math.inf
    back = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(since, _YEAR).min(axis=1) >= line)
    return float(back[0]) if back.size else math.inf


def scores_over_time(
    indicators: "pd.DataFrame",
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    every: int = 4,
    calm_window: int | None = None,
) -> "pd.DataFrame":
    """Where the district was heading: scores as if the run had ended at each quarter, from the calm window on.

    Returns:
        Columns of the four futures, indexed by quarter; every `every` quarters and the last one.
    """
    import pandas as pd

    start, _ = windows(len(indicators), calm_window)
    calm = Means(indicators, slice(start))
    ends = sorted({*range(start + every, len(indicators) + 1, every), len(indicators)})
    rows = {}
    for end in ends:
        late = Means(indicators, slice(max(start, end - LATE_WINDOW), end))
        scores = _score(calm, late, thresholds)
        rows[end] = {future.value: scores.of(future) for future in FUTURES}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quarter")
