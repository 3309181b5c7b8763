"""What Cowan & Jonard found about knowledge on networks, measured again: barter (2004), and giving it away (2003)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from district_sim.evidence.replications.claims import (
    Claim,
    Evidence,
    Source,
    interval_of,
    mean_and_error,
    one_sided,
    shown,
    where_most,
)
from district_sim.evidence.replications.exchange import (
    REWIRING,
    RUNS,
    Agents,
    Graph,
    Moments,
    Rule,
    SettingError,
    barter,
    curve,
    under_rules,
)
from district_sim.evidence.replications.networks import Network
from district_sim.run.workers import Progress

__all__ = ["Agents", "Graph", "Moments", "Network", "Rule", "SettingError", "barter", "cowan_jonard", "curve", "giving"]

BARTER_2004 = Source("Cowan & Jonard", 2004, "10.1016/j.jedc.2003.04.002")
GIVING_2003 = Source("Cowan & Jonard", 2003, "10.1016/S0167-2681(03)00091-X")


# Cowan & Jonard 2004 ------------------------------------------------------------------------------


def cowan_jonard(
    seed: int = 0,
    runs: int | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    *,
    rewiring: Sequence[float] | None = None,
    graph: Graph | None = None,
    setting: Agents | None = None,
) -> Evidence:
    """Mean, variance and coefficient of variation of knowledge over the share of rewired ties, and the paper's claims.

    The claims are tested only at the published setting, as they are about no other.

    Args:
        rewiring: by default `REWIRING`; for other networks than "ws" the network as it is. The others: see `curve`.
    """
    graph, setting, runs = graph or Graph(), setting or Agents(), RUNS if runs is None else runs
    default = REWIRING if graph.network is Network.WS else (0.0,)
    shares = tuple(rewiring) if rewiring is not None else default
    found = curve(shares, graph, setting, runs=runs, seed=seed, progress=progress, workers=workers)
    published = (graph, setting, shares) == (Graph(), Agents(), REWIRING) and runs > 1
    points = [{"rewiring": share, **part.summary(), "runs": runs} for share, part in zip(shares, found, strict=True)]
    named = _setting(graph, setting, runs, seed)
    return Evidence(
        name="cowan-jonard",
        title="Barter of knowledge on networks (Cowan & Jonard 2004)",
        setting=named,
        points=points,
        claims=_barter_claims(shares, found) if published else (),
        sheet=_sheet("Knowledge after barter", points, named),
        draw=partial(_draw_curve, points, published),
    )


def _setting(graph: Graph, setting: Agents, runs: int, seed: int) -> dict[str, Any]:
    return asdict(graph) | asdict(setting) | {"runs": runs, "seed": seed}


_SHOWN = ("mean", "variance", "cv")
_BANDS = {"mean": (0.05, 0.2), "variance": (0.01, 0.1), "cv": (0.09, 0.3)}
_INSIDE = {"variance": 0.05, "cv": 0.2}  # the point of `REWIRING` in the middle of the band
_NEAR = 0.02  # how far "about" reaches in a ratio of means


def _barter_claims(shares: tuple[float, ...], found: list[Moments]) -> tuple[Claim, ...]:
    values = {name: np.column_stack([getattr(m, name)[:, -1] for m in found]) for name in _SHOWN}
    at = {name: dict(zip(shares, columns.T, strict=True)) for name, columns in values.items()}
    mean, variance, cv = (at[name] for name in _SHOWN)
    dense, even = _INSIDE["variance"], _INSIDE["cv"]
    best = partial(one_sided, source=BARTER_2004)
    return (
        _peak("Mean knowledge is highest at about 10 % of long-distance ties", "mean", values["mean"], shares),
        _ratio("Mean knowledge in a small world (p = 0.1) over that on the ring (p = 0)", mean[0.1], mean[0.0], 1.07),
        _ratio("Mean knowledge in a small world (p = 0.1) over that at random (p = 1)", mean[0.1], mean[1.0], 1.12),
        _peak("Variance between agents is highest in the small-world region", "variance", values["variance"], shares),
        best(
            f"Variance in a small world (p = {dense:g}) less that on the ring", values=variance[dense] - variance[0.0]
        ),
        best(f"Variance in a small world (p = {dense:g}) less that at random", values=variance[dense] - variance[1.0]),
        _peak("Coefficient of variation is lowest in the small-world region", "cv", -values["cv"], shares),
        best(
            f"Coefficient of variation in a small world (p = {even:g}) less that on the ring",
            values=cv[even] - cv[0.0],
            sign=-1,
        ),
        best(
            f"Coefficient of variation in a small world (p = {even:g}) less that at random",
            values=cv[even] - cv[1.0],
            sign=-1,
        ),
    )


def _peak(text: str, name: str, values: np.ndarray, shares: Sequence[float]) -> Claim:
    """The place of a peak: its whole confidence interval must lie in the band."""
    low, high = _BANDS[name]
    place, error, interval = where_most(values, shares)
    passed = low <= interval[0] and interval[1] <= high
    target = f"p in [{low:g}, {high:g}]"
    return Claim(text, BARTER_2004, "published", target, place, error, interval, len(values), passed)


def _ratio(text: str, above: np.ndarray, below: np.ndarray, about: float) -> Claim:
    """A ratio of means over paired runs; its error by the delta method."""
    value = float(above.mean() / below.mean())
    error = mean_and_error((above - value * below) / below.mean())[1]
    interval = interval_of(value, error)
    passed = interval[0] > 1.0 and abs(value - about) <= _NEAR
    target = f"> 1, about {about} (within {_NEAR})"
    return Claim(text, BARTER_2004, "re-simulated", target, value, error, interval, len(above), passed)


def _draw_curve(points: Sequence[Mapping[str, Any]], published: bool) -> Any:
    from district_sim import figures

    return figures.knowledge_curves(points, _BANDS if published else {})


def _sheet(title: str, points: Sequence[Mapping[str, Any]], setting: Mapping[str, Any]) -> Any:
    from district_sim.text.sheet import Sheet

    told = [name for name in ("rule", "meetings") if name in points[0]]
    columns = [*(name.capitalize() for name in told), "p", "Mean", "Variance", "Coefficient of variation"]
    rows = []
    for point in points:
        before = [f"{point[name]:,}" if name == "meetings" else point[name] for name in told]
        cells = [shown(point[name], point[f"{name}_se"]) for name in _SHOWN]
        rows.append([*before, f"{point['rewiring']:g}", *cells])
    note = (
        "p: share of ties rewired. Mean of knowledge; variance and coefficient of variation of agents' mean knowledge. "
    )
    note += "±: standard error over runs. "
    note += ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items() if name not in told)
    return Sheet.plain(title, columns, rows, f"{note}.", left=1 if told else 0)


# Giving knowledge away ----------------------------------------------------------------------------

EARLY, LATE = 20_000, 1_000_000  # meetings: 80 and 4,000 for each agent
GIVING_SHARES = (0.0, 0.01, 0.1, 1.0)


def giving(
    seed: int = 0, runs: int | None = None, progress: Progress | None = None, workers: int | None = None
) -> Evidence:
    """The same agents, networks and meetings as `cowan_jonard`, but each learns wherever the other leads.

    Knowledge given away: nobody has to offer anything in return. What a small world is good for then turns out to be a
    matter of the rule of exchange. Barter of the same runs at the same meetings is measured beside it. That two agents
    meet at a time is a rule of ours: where Cowan & Jonard let knowledge be given away, an agent broadcasts to all its
    neighbours at once (so the abstract of their chapter "Knowledge creation, knowledge diffusion and network
    structure", 2001). Their paper of 2003 and its DOI are cited without having been seen.
    """
    runs = RUNS if runs is None else runs
    moments = (EARLY, LATE)
    found = under_rules(GIVING_SHARES, {Rule.GIVING: moments, Rule.BARTER: moments}, runs, seed, progress, workers)
    points = [
        {"rule": rule.value, "rewiring": share, "meetings": after, **part.summary(m), "runs": runs}
        for rule, parts in found.items()
        for m, after in enumerate(moments)
        for share, part in zip(GIVING_SHARES, parts, strict=True)
    ]
    named = _setting(Graph(), Agents(rule=Rule.GIVING, meetings=LATE), runs, seed)
    return Evidence(
        name="giving",
        title="Knowledge given away on the same networks (a rule of ours, after Cowan & Jonard 2003)",
        setting=named,
        points=points,
        claims=_giving_claims(found) if runs > 1 else (),
        sheet=_sheet("Knowledge given away and bartered", points, named),
        draw=partial(_draw_rules, points),
    )


def _giving_claims(found: Mapping[Rule, list[Moments]]) -> tuple[Claim, ...]:
    early = {share: m.mean[:, 0] for share, m in zip(GIVING_SHARES, found[Rule.GIVING], strict=True)}
    late = {share: m.mean[:, 1] for share, m in zip(GIVING_SHARES, found[Rule.GIVING], strict=True)}
    traded = {share: m.mean[:, 1] for share, m in zip(GIVING_SHARES, found[Rule.BARTER], strict=True)}
    ahead = partial(one_sided, source=GIVING_2003, basis="derived")
    when, end, in_trade = f"after {EARLY:,} meetings", f"after {LATE:,}", traded[1.0] - traded[0.1]
    return (
        ahead(f"Small world ahead of the ring {when} (difference in mean knowledge)", values=early[0.1] - early[0.0]),
        ahead(f"Random network ahead of the small world {when}", values=early[1.0] - early[0.1]),
        _share_left(f"No network ahead {end}: all carry everything to all (p = 0 over p = 1)", late[0.0], late[1.0]),
        one_sided(
            f"Under barter the random network behind the small world {end}", BARTER_2004, in_trade, -1, "derived"
        ),
        ahead(f"Giving ahead of barter {end} (p = 0.1)", values=late[0.1] - traded[0.1]),
    )


def _share_left(text: str, one: np.ndarray, other: np.ndarray) -> Claim:
    value, error = mean_and_error(one / other)
    interval = interval_of(value, error)
    passed = abs(value - 1.0) <= 0.01
    return Claim(text, GIVING_2003, "derived", "1 within 0.01", value, error, interval, len(one), passed)


def _draw_rules(points: Sequence[Mapping[str, Any]]) -> Any:
    from district_sim import figures

    return figures.exchange_rules(points)
