"""How events are marked, on the page, in figures and in films: each kind by its own shape, not by colour alone."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from district_sim.figures.style import AGENCY, CONTROLS, HERE, INK, QUIET
from district_sim.run.events import Event, EventKind

_BAD = "#a3261f"


class EventLook(NamedTuple):
    glyph: str
    """On the page."""
    marker: str
    """In figures."""
    filled: bool
    colour: str
    label: str
    line: bool
    """Whether a line runs down the chart; sales are too many for that."""


EVENT_LOOKS: dict[EventKind, EventLook] = {
    EventKind.STRATEGY: EventLook("\u25ae", "|", True, QUIET, "the strategy begins", True),
    EventKind.SHOCK: EventLook("\u2605", "*", True, _BAD, "shock", True),
    EventKind.POLICY_BEGINS: EventLook("\u25ba", ">", True, HERE, "policy begins", True),
    EventKind.POLICY_ENDS: EventLook("\u25c4", "<", False, HERE, "policy ends", True),
    EventKind.TECHNOLOGY: EventLook("\u25b2", "^", True, INK, "technology ripens", True),
    EventKind.COOPERATION_BEGINS: EventLook("\u25c6", "D", True, AGENCY, "cooperation begins", True),
    EventKind.COOPERATION_ENDS: EventLook("\u25c7", "D", False, AGENCY, "cooperation ends", True),
    EventKind.PHASE_LOST: EventLook("\u2715", "X", True, _BAD, "phase lost", True),
    EventKind.PHASE_BACK: EventLook("\u271a", "P", False, HERE, "phase back", True),
    EventKind.TAKEOVER: EventLook("\u25cf", "o", True, CONTROLS["group"].colour, "firms sold to multinationals", False),
    EventKind.ACQUISITION: EventLook("\u25cb", "o", False, CONTROLS["leader"].colour, "firms sold to leaders", False),
    EventKind.DEED: EventLook("\u25a0", "s", True, QUIET, "change made", True),
}


def _marked(events: Iterable[Event]) -> list[Event]:
    """Without the beginning of the strategy, which figures of runs mark with the world behind it."""
    return [event for event in events if event.kind is not EventKind.STRATEGY]


def draw_events(ax: Axes, events: Iterable[Event], words: bool = False) -> None:
    """Mark events along the top of an axis of quarters, and with lines those that are not sales.

    Args:
        words: also write what technologies do, for the chart of the newest one.
    """
    for event in _marked(events):
        look = EVENT_LOOKS[event.kind]
        face = look.colour if look.filled else "white"
        size = 4.0 if event.kind not in (EventKind.TAKEOVER, EventKind.ACQUISITION) else 2.4 + 0.9 * event.count**0.5
        mark: Any = {"marker": look.marker, "markersize": size, "markerfacecolor": face, "markeredgecolor": look.colour}
        mark |= {
            "markeredgewidth": 0.8,
            "linestyle": "",
            "clip_on": False,
            "zorder": 6.0 + look.line,
            "gid": f"event {event.kind}",
        }
        ax.plot(event.quarter, 1.0, transform=ax.get_xaxis_transform(), **mark)
        if look.line:
            dashes: Any = (0, (2, 2))
            ax.axvline(event.quarter, color=look.colour, linewidth=0.7, linestyle=dashes, alpha=0.7, zorder=-1)
        if words and event.kind is EventKind.TECHNOLOGY:
            style: Any = {"fontsize": 6.5, "color": INK, "rotation": 90, "va": "top", "ha": "right", "in_layout": False}
            ax.text(event.quarter, 0.96, event.mark, transform=ax.get_xaxis_transform(), **style)


def events_key(events: Sequence[Event]) -> list[Artist]:
    """Legend entries of the kinds that are there."""
    there = {event.kind for event in _marked(events)}
    found = [kind for kind in EventKind if kind in there]
    return [
        Line2D([], [], linestyle="", marker=look.marker, markersize=5, markeredgecolor=look.colour,
               markerfacecolor=look.colour if look.filled else "white", label=look.label)
        for look in (EVENT_LOOKS[kind] for kind in found)
    ]  # fmt: skip
