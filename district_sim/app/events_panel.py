"""What happened, as marks for the charts, as news on the map, and as a list beside both."""

from collections.abc import Sequence

import solara

from district_sim.app import widgets
from district_sim.app.charts import Mark
from district_sim.app.desk import Desk
from district_sim.app.simulation import Track
from district_sim.figures.events import EVENT_LOOKS
from district_sim.figures.layout import NEW
from district_sim.run.events import Event, EventKind


def marks_of(events: Sequence[Event], words: bool = False) -> list[Mark]:
    """Events as marks in a chart; those of sales first, so that rarer ones lie over them.

    Args:
        words: also write beside its line that a technology ripens, as where the newest one is counted.
    """
    out = []
    for event in sorted(events, key=lambda event: EVENT_LOOKS[event.kind].line):
        look = EVENT_LOOKS[event.kind]
        if event.quarter or not look.line:
            text = event.mark if words and event.kind is EventKind.TECHNOLOGY else ""
            out.append(Mark(event.quarter, text, look.glyph, look.colour, look.line, event.mark))
    return out


def news_of(track: Track) -> str:
    """What happened in the last year, in a few words each."""
    since = track.district.quarter - NEW
    return " · ".join(event.mark for event in track.events if event.last >= since)


@solara.component
def EventsPanel(desk: Desk, *tracks: Track) -> None:
    """The events so far, the latest first."""
    desk.tick.get()
    desk.changed.get()
    names = ("First: ", "Second: ") if len(tracks) > 1 else ("",)
    told = [(event, name) for track, name in zip(tracks, names, strict=True) for event in track.events]
    told.sort(key=lambda one: -one[0].last)
    calendar = desk.simulation.calendar
    rows = [
        [EVENT_LOOKS[event.kind].glyph, EVENT_LOOKS[event.kind].colour, event.when(calendar), f"{name}{event.text}"]
        for event, name in told
    ]
    with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Events"}):
        widgets.EventsList(rows=rows)
