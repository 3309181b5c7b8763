"""What is seen of one district: its map, its scores, its indicators, and the history of a firm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import solara

from district_sim.app import widgets
from district_sim.app.charts import Line, ScoreBars, TimeSeries
from district_sim.app.desk import Desk
from district_sim.app.district_map import DistrictMap, colours_of_firms, frame_of
from district_sim.app.events_panel import EventsPanel, marks_of, news_of
from district_sim.app.simulation import Track
from district_sim.model.state import TRAITS
from district_sim.scenario.extensions import indicators_of
from district_sim.text.names import record_of, unit_words
from district_sim.text.numbers import number

if TYPE_CHECKING:
    import pandas as pd

PALE = "#a9b4be"
HEADER, LEGEND, CHART, CHOICE = 92, 165, 50, 110
"""CSS pixels on a screen 1280 wide: header, a map's legend, a chart's title and legend, choices of colour and view."""

WIDE = 1700
"""CSS pixels of a screen on which a map's legend stands beside it."""


class Panel(NamedTuple):
    """A chart of indicators."""

    names: tuple[str, ...]
    title: str = ""
    """If it is not the indicator's label."""


PANELS = (
    Panel(("employment",)),
    Panel(("mne_turnover_share",)),
    Panel(("trust", "identity"), "Trust of ties, identity"),
    Panel(("local_purchases",)),
    Panel(("newest_share",)),
    Panel(("participation", "agency_capability"), "Participation, agency capability"),
)


@solara.component
def MapPanel(
    desk: Desk, track: Track, height: int, differences: frozenset[int] | None = None, leads: bool = True
) -> None:
    """A district's map as it stands."""
    tick = desk.tick.value
    frame = solara.use_memo(lambda: frame_of(track.district, track.before), [tick, track])
    DistrictMap(
        frame,
        height=height,
        selected=desk.selected.value,
        on_select=desk.selected.set,
        differences=differences,
        colour=desk.colour.value,
        view=desk.map_view.value,
        on_view=desk.map_view.set,
        news=news_of(track),
        on_drawn=desk.drawn if leads else None,
    )


@solara.component
def ColourControl(desk: Desk) -> None:
    """The choice of what the colour of firms means."""
    titles = {key: look["title"] for key, look in colours_of_firms(2).items()}

    def choose(key: str) -> None:
        if key in titles:
            desk.colour.value = key

    kinds = [[key, title] for key, title in titles.items() if not key.startswith("conduct_")]
    traits = [[key, title] for key, title in titles.items() if key.startswith("conduct_")]
    groups = [{"name": "what it is", "options": kinds}, {"name": "what it chooses", "options": traits}]
    widgets.ColourBox(options=groups, chosen=desk.colour.value, event_choose=choose)


@solara.component
def ScoresPanel(desk: Desk, track: Track) -> None:
    """Where a district is heading; while it plays, as often as people can look."""
    desk.tick.get()
    ScoreBars(solara.use_memo(lambda: track.scores, [desk.scored, track]))


@solara.component
def ChartsPanel(desk: Desk, track: Track, height: int, classes: str = "", panels: Sequence[Panel] = PANELS) -> None:
    """Main indicators over the quarters so far."""
    desk.tick.get()
    table, last = track.indicators, desk.simulation.previous
    panels = [*panels, *(Panel((name,)) for name in indicators_of(track.district.scenario_in_force.extensions))]
    events, quarters = track.events, desk.simulation.quarters
    with solara.v.Html(tag="div", class_=f"ds-charts {classes}"):
        for panel in panels:
            records = [record_of(name) for name in panel.names]
            lines = [Line("now" if len(records) == 1 else r.label.lower(), table[r.name].to_numpy()) for r in records]
            TimeSeries(
                [*lines_before(last, panel.names), *lines],
                title=panel.title or records[0].label,
                unit=unit_words(records[0].unit),
                quarters=quarters,
                calendar=desk.simulation.calendar,
                height=height,
                marks=marks_of(events, words="newest_share" in panel.names),
            )
    text = "Marks above the lines are events, listed below."
    if last is not None:
        text += " Pale: the last run."
    solara.v.Html(tag="p", class_="dp-note", children=[text])


def lines_before(last: "pd.DataFrame | None", names: Sequence[str]) -> list[Line]:
    """The run before this one, as pale lines."""
    here = [] if last is None else [name for name in names if name in last]
    if last is None or not here:
        return []
    dashes: tuple[tuple[float, ...], ...] = ((), (2.0, 1.0))
    return [
        Line(
            "last run" if at == 0 else f"last run, {record_of(name).label.lower()}",
            last[name].to_numpy(),
            PALE,
            dash=dash,
        )
        for at, (name, dash) in enumerate(zip(here, dashes, strict=False))
    ]


@solara.component
def MoneyPanel(desk: Desk, *tracks: Track) -> None:
    """What policies have spent so far, in all and each."""
    desk.tick.get()
    names = list(dict.fromkeys(name for track in tracks for name in track.spent))
    if not names:
        return
    rows = [[name, *(number(track.spent.get(name, 0.0), 0) for track in tracks)] for name in names]
    total = ["All policies", *(number(sum(track.spent.values()), 0) for track in tracks)]
    heads = ["k€ so far"] if len(tracks) == 1 else ["First, k€ so far", "Second, k€ so far"]
    with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Policy spending"}):
        widgets.MoneyTable(caption="Policy spending", heads=heads, rows=[*rows, total])


@solara.component
def ConductPanel(desk: Desk, track: Track, height: int) -> None:
    """What firms choose over the quarters so far: means, and bands of one standard deviation between firms."""
    desk.tick.get()
    table, marks = track.indicators, marks_of(track.events)
    with solara.v.Html(tag="div", class_="ds-charts", attributes={"data-is": "conduct"}):
        for name in (*(f"conduct_{trait}" for trait in TRAITS), "access"):
            record = record_of(name)
            times, unit = (100.0, "%") if record.unit == "share" else (1.0, unit_words(record.unit))
            mean = times * table[name].to_numpy()
            spread = times * table[f"{name}_spread"].to_numpy() if name != "access" else None
            bands = () if spread is None else ((mean - spread, mean + spread),)
            TimeSeries(
                [Line("mean", mean, bands=bands)],
                title=record.label,
                unit=unit,
                quarters=desk.simulation.quarters,
                calendar=desk.simulation.calendar,
                height=height,
                marks=marks,
            )
    text = "Bands: one standard deviation between firms."
    if not track.district.scenario_in_force.firms_decide:
        text = "Conduct is imposed: all firms do what the strategy says."
    solara.v.Html(tag="p", class_="dp-note", children=[text])


@solara.component
def FirmPanel(desk: Desk, track: Track) -> None:
    """The history of the firm that was clicked."""
    desk.tick.get()
    firm = desk.selected.value
    if firm is None or firm >= int(track.district.state.clock.rows[0]):
        return
    first, values = track.history(firm)
    alive = bool(track.district.state.firms["alive"][firm])
    with solara.v.Html(tag="section", class_="ds-box", attributes={"data-is": "firm"}):
        solara.v.Html(tag="h2", children=[f"Firm {firm}{'' if alive else ' (closed)'}"])
        with solara.v.Html(tag="div", class_="ds-charts ds-three"):
            for row, (title, unit) in enumerate(
                (("Employees", ""), ("Absorptive capacity", "0 to 1"), ("Profit", "k€"))
            ):
                TimeSeries(
                    [Line("now" if alive else "last", values[row], first=first)],
                    title=title,
                    unit=unit,
                    quarters=desk.simulation.quarters,
                    calendar=desk.simulation.calendar,
                    height=100,
                )


@solara.component
def OneDistrict(desk: Desk) -> None:
    """The main view: map, scores, indicators."""
    desk.changed.get()
    width, height = desk.view.value
    scale = scale_of(width)
    free = height - HEADER * scale
    with solara.v.Html(tag="div", class_="ds-two"):
        with solara.v.Html(tag="div"):
            with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Map of the district"}):
                ColourControl(desk)
                MapPanel(desk, desk.simulation.first, map_height(desk))
            FirmPanel(desk, desk.simulation.first)
            with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Conduct"}):
                solara.v.Html(tag="h2", children=["Conduct: what firms choose"])
                ConductPanel(desk, desk.simulation.first, round(90 * scale))
        with solara.v.Html(tag="div"):
            with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Scores"}):
                ScoresPanel(desk, desk.simulation.first)
            MoneyPanel(desk, desk.simulation.first)
            with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Indicators"}):
                ChartsPanel(desk, desk.simulation.first, round(max(84.0, (free - 280 * scale) / 3 - CHART * scale)))
            EventsPanel(desk, desk.simulation.first)


def map_height(desk: Desk) -> int:
    """Height of a map that fills the screen and is no higher than wide; the columns are those of style.css."""
    width, height = desk.view.value
    scale = scale_of(width)
    stage = width - 20.5 * 15.0 * scale - 50.0
    across = stage * 1.4 / 2.4 - 280.0 if width >= WIDE else stage * 1.15 / 2.15
    legend = 0.0 if width >= WIDE else LEGEND * scale
    return round(min(max(320.0, height - (HEADER + CHOICE) * scale - legend - 45.0), max(320.0, 1.05 * across)))


def scale_of(width: int) -> float:
    """How much larger type is than on a screen 1280 pixels wide; as in style.css."""
    return min(20.0, max(14.0, 0.005 * width + 8.6)) / 15.0
