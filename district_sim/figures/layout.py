"""Where firms stand in the three views of a district, place, value chain, knowledge: on page, in figures, in films.

A firm keeps its place in each view: at home for life in the first, drawn once by its id in the second, and in the third
on the bearing of its home, nearer to the middle the more is learned from it and by it.
"""

from typing import NamedTuple

import numpy as np

VIEWS = {
    "place": ("Place", "Where firms are, and between which parts of the district ties run."),
    "chain": ("Value chain", "Firms by phase, and what final firms order of each phase."),
    "knowledge": ("Knowledge", "Nearer to the middle: learns more from partners and teaches more."),
}
"""Title of each view, and what it shows in a sentence."""
NEW = 4
"""Quarters for which a firm that was founded or has closed is marked as such."""

# Place ---------------------------------------------------------------------------------------------

_RINGS = ((0.0, 0.3, 1), (0.3, 0.65, 6), (0.65, 1.0, 10))  # zones: from, to (shares of the radius), and how many
_FIRST = np.cumsum([0, *(count for *_, count in _RINGS)])
MOST_BUNDLES = 48


class Bundle(NamedTuple):
    """Ties between two zones of the district."""

    a: int
    b: int
    ties: int
    share: float
    """Of all ties between zones."""


def zones_of(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """The zone of each of n places, (n,) int: the middle, and parts of two rings around it."""
    far, turn = np.hypot(x, y) / radius, np.arctan2(y, x) / (2.0 * np.pi) % 1.0
    ring = np.minimum(np.searchsorted([end for _, end, _ in _RINGS], far, side="right"), len(_RINGS) - 1)
    counts = np.array([count for *_, count in _RINGS])[ring]
    return _FIRST[ring] + np.minimum((turn * counts).astype(int), counts - 1)


def centre_of_zones(radius: float) -> np.ndarray:
    """The middle of each zone, (zones, 2) km."""
    found = []
    for begin, end, count in _RINGS:
        turns = 2.0 * np.pi * (np.arange(count) + 0.5) / count
        far = 0.5 * (begin + end) * radius if begin else 0.0
        found.append(far * np.stack([np.cos(turns), np.sin(turns)], axis=1))
    return np.concatenate(found)


def bundles_of(zone: np.ndarray, one: np.ndarray, other: np.ndarray) -> list[Bundle]:
    """Ties between zones, put together: the strongest, at most MOST_BUNDLES, the strongest last.

    Args:
        zone: (n,) of each firm. one, other: (m,) places of the firms of each tie among the n.
    """
    a, b = np.minimum(zone[one], zone[other]), np.maximum(zone[one], zone[other])
    zones, between = int(_FIRST[-1]), a != b
    counts = np.bincount(a[between] * zones + b[between])
    pairs = np.flatnonzero(counts)
    whole = max(1, int(counts.sum()))
    order = pairs[np.argsort(counts[pairs], kind="stable")[-MOST_BUNDLES:]].tolist()
    return [Bundle(pair // zones, pair % zones, int(counts[pair]), float(counts[pair]) / whole) for pair in order]


# Value chain ---------------------------------------------------------------------------------------

FINAL_WIDTH = 2.0
"""Columns that final firms take, of which there are more."""
_GOLDEN = 1.0 / 1.3247179572447460 ** np.array(
    [1.0, 2.0]
)  # Roberts 2018: the plane's additive sequence of low discrepancy


def columns_of(phases: int) -> np.ndarray:
    """(phases, 2): left and right edge of each phase's column, between 0 and 1; phase 1 at the left."""
    widths = np.ones(phases)
    widths[-1] = FINAL_WIDTH
    edges = np.concatenate([[0.0], np.cumsum(widths)]) / widths.sum()
    inset = 0.06 / phases
    return np.stack([edges[:-1] + inset, edges[1:] - inset], axis=1)


def chain_places(firm: np.ndarray, phase: np.ndarray, phases: int) -> np.ndarray:
    """(n, 2) places of firms in the columns of their phases, across 0..1 and up 0..1: for life, and well apart."""
    spread = (0.5 + (np.asarray(firm, dtype=float)[:, None] + 1.0) * _GOLDEN) % 1.0
    columns = columns_of(phases)[phase]
    return np.stack([columns[:, 0] + spread[:, 0] * (columns[:, 1] - columns[:, 0]), spread[:, 1]], axis=1)


class Orders(NamedTuple):
    """What final firms order of the phases before theirs, k€ a quarter at normal prices; (P - 1,) each."""

    here: np.ndarray
    abroad: np.ndarray
    made: np.ndarray
    """What they make themselves."""
    sales: float
    """Of final firms to the market."""


def orders_of(sales: float, made: np.ndarray, abroad: np.ndarray, value: np.ndarray) -> Orders:
    """Orders by phase.

    Args:
        sales: of final firms. made, abroad: (P - 1,) shares of each phase that they make and buy abroad, NaN without
            sales. value: (P - 1,) shares of the phases in the product's value.
    """
    phases = sales * np.asarray(value, dtype=float)
    in_house, away = (np.nan_to_num(part) * phases for part in (made, abroad))
    return Orders(np.maximum(0.0, phases - in_house - away), away, in_house, sales)


# Knowledge -----------------------------------------------------------------------------------------

LITTLE = 0.003
"""Knowledge learned and taught a quarter with which a firm stands in the outer part, at 0.7 of the radius: as much as
`innovation.lessons_half`. The typical firm of a bundled district has three times as much at the start."""
CORE, PERIPHERY = 0.4, 0.7
"""Distance from the middle, of the radius, within which the core lies, and beyond which the periphery."""


def knowledge_places(x: np.ndarray, y: np.ndarray, lessons: np.ndarray, taught: np.ndarray) -> np.ndarray:
    """(n, 2) places of firms in a circle of radius 1: on the bearing of their homes, core firms in the middle.

    The scale is fixed: a district that ceases to learn moves outwards.
    """
    far = np.sqrt(LITTLE / (LITTLE + lessons + taught))
    length = np.hypot(x, y)
    bearing = np.stack([np.where(length > 0.0, x, 1.0), y], axis=1) / np.where(length > 0.0, length, 1.0)[:, None]
    return far[:, None] * bearing
