"""Two districts side by side: the same luck, one thing different."""

from typing import Any

import solara

from district_sim.app import interventions, widgets
from district_sim.app.charts import Line, TimeSeries
from district_sim.app.controls import shown
from district_sim.app.course import Difference
from district_sim.app.desk import Desk
from district_sim.app.district_map import differing, frame_of
from district_sim.app.events_panel import EventsPanel, marks_of
from district_sim.app.levers import lever, levers_of
from district_sim.app.panels import ColourControl, MapPanel, MoneyPanel, ScoresPanel, scale_of
from district_sim.app.simulation import Track
from district_sim.model.state import TRAITS
from district_sim.scenario.instruments import ShockKind
from district_sim.text.names import amount, difference, record_of, row_name, unit_words
from district_sim.text.numbers import is_something

SWITCHES: dict[str, str] = {
    "mechanisms.conduct": "firms do not decide",
    "mechanisms.policy": "no public policies",
    "mechanisms.collective_agency": "no collective agency",
    "mechanisms.takeover": "no takeovers by multinationals",
    "mechanisms.pipelines": "no individual links abroad",
    "mechanisms.global_sourcing": "nothing bought abroad",
    "mechanisms.radical_innovation": "no radical innovation",
    "mechanisms.trust": "constant trust",
    "mechanisms.globalisation": "no globalisation",
}
"""Mechanisms whose absence is worth a look, and how the second district is then described."""
_PAIRS = ("employment", "value_added_local", "mne_turnover_share", "trust", "local_purchases", "newest_share")
_IN_TABLE = (
    *("firms", "employment", "value_added_local", "wage", "gini", "mne_turnover_share", "captive_share", "trust"),
    *("local_purchases", "phase_coverage", "pipeline_firms", "newest_share", "participation", "agency_capability"),
    *(f"conduct_{trait}" for trait in TRAITS),
)
_TELLING = 0.25  # a difference of a quarter of the larger value fills its cell
_POLICY, _SHOCK = "policy:", "shock:"


@solara.component
def TwoDistricts(desk: Desk) -> None:
    """What differs, two maps, two pictures of where they head, and the differences in numbers and lines."""
    desk.changed.get()
    ContrastControl(desk)
    second = desk.simulation.second
    if second is None:
        text = (
            "Choose what differs. The second district then lives through the same quarters with the same luck: the "
            "same firms at the start, the same draws for the same firm and quarter. Every difference between the two "
            "comes from that one thing. “Branch here” lets the two part in the present quarter."
        )
        solara.v.Html(tag="p", class_="ds-about", children=[text])
        return
    _Pair(desk, desk.simulation.first, second)


@solara.component
def _Pair(desk: Desk, first: Track, second: Track) -> None:
    tick = desk.tick.value
    width, screen = desk.view.value
    scale = scale_of(width)
    height = round(max(240.0, 0.42 * screen))
    frames = solara.use_memo(lambda: (frame_of(first.district), frame_of(second.district)), [tick, first, second])
    ringed = solara.use_memo(lambda: differing(frames[1], frames[0]), [frames])
    difference = desk.simulation.course.difference
    assert difference is not None
    ColourControl(desk)
    with solara.v.Html(tag="div", class_="ds-halves"):
        halves = (
            ("First district", first, frozenset[int]()),
            (f"Second district: {difference.label}{_since(difference)}", second, ringed),
        )
        for name, track, rings in halves:
            with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": name}):
                solara.v.Html(tag="h2", children=[name])
                MapPanel(desk, track, height, rings, leads=track is first)
                ScoresPanel(desk, track)
    MoneyPanel(desk, first, second)
    EventsPanel(desk, first, second)
    with solara.v.Html(tag="div", class_="ds-halves"):
        with solara.v.Html(tag="section", class_="ds-box"):
            widgets.DifferencesTable(
                rows=rows_of(first, second),
                caption=f"{len(ringed)} firms of the second district are ringed: they do not exist in the first, "
                "or have another owner or technology there",
            )
        with solara.v.Html(tag="section", class_="ds-box"), solara.v.Html(tag="div", class_="ds-charts"):
            one, two = first.indicators, second.indicators
            for record in map(record_of, _PAIRS):
                TimeSeries(
                    [Line("first", one[record.name].to_numpy()), Line("second", two[record.name].to_numpy())],
                    title=record.label,
                    unit=unit_words(record.unit),
                    quarters=desk.simulation.quarters,
                    calendar=desk.simulation.calendar,
                    height=round(105 * scale),
                    marks=marks_of(first.events),
                )


@solara.component
def ContrastControl(desk: Desk) -> None:
    """The choice of what differs."""
    desk.changed.get()
    problem, set_problem = solara.use_state("")
    simulation, difference = desk.simulation, desk.simulation.course.difference
    chosen = _option(difference)

    def differ(what: dict[str, Any]) -> None:
        set_problem("")
        path, since = str(what["path"]), min(max(0, int(what["since"])), simulation.quarter)
        if "text" in what:
            set_problem(lever(path).problem(str(what["text"])))
            if lever(path).problem(str(what["text"])):
                return
        desk.pause()
        text = str(what["text"]).strip().replace(",", ".") if "text" in what else None
        value = None if text is None else float(text)
        desk.attempt(lambda: simulation.differ(difference_of(desk, path, value, since)))

    since = difference.quarter if difference is not None else 0
    starts = {0: "from the first quarter", since: _words_of(since), simulation.quarter: _words_of(simulation.quarter)}
    here = levers_of(simulation.scenario)
    groups = [
        {"name": "a lever", "options": [[one.path, one.name] for one in here]},
        {"name": "one more policy", "options": [[f"{_POLICY}{name}", name] for name in _policies(desk)]},
        {"name": "one mechanism less", "options": [[path, text] for path, text in SWITCHES.items()]},
    ]
    if since:
        shocks = [[f"{_SHOCK}{kind.value}", kind.record.label] for kind in ShockKind]
        groups.insert(2, {"name": "a shock", "options": shocks})
    slider = None
    if difference is not None and chosen in {one.path for one in here}:
        slider = shown(lever(chosen), float(difference.value), problem, float(difference.value))
    widgets.ContrastBox(
        groups=groups,
        path=chosen,
        since=since,
        starts=[[quarter, text] for quarter, text in sorted(starts.items())],
        lever=slider,
        event_differ=differ,
    )


def _since(difference: Difference) -> str:
    return f", {_words_of(difference.quarter)}" if difference.quarter else ""


def _words_of(quarter: int) -> str:
    return f"from quarter {quarter} on" if quarter else "from the first quarter"


def _option(difference: Difference | None) -> str:
    if difference is None:
        return ""
    if difference.path == "shocks":
        return f"{_SHOCK}{difference.value['kind']}"
    return f"{_POLICY}{difference.value['name']}" if difference.path == "policies" else difference.path


def _policies(desk: Desk) -> list[str]:
    """Instruments that the first district does not have at work."""
    simulation = desk.simulation
    return [
        one["name"]
        for one in interventions.offered(simulation.instruments)
        if not interventions.is_on(one, simulation.quarter)
        or _option(simulation.course.difference) == f"{_POLICY}{one['name']}"
    ]


def difference_of(desk: Desk, path: str, value: float | None, since: int = 0) -> Difference | None:
    """What an option of the list means; a lever's first value is the far end of its slider.

    Args:
        since: quarters completed when the two part; 0 for districts that differ from the start.
    """
    simulation = desk.simulation
    if not path:
        return Difference("", None, "nothing yet", since) if since else None
    if path.startswith(_SHOCK):
        kind = ShockKind(path.removeprefix(_SHOCK))
        simulation.check_strike(kind)
        return Difference("shocks", interventions.struck([], kind, since)[0], kind.record.label, since)
    if path.startswith(_POLICY):
        name, begin = path.removeprefix(_POLICY), simulation.first.district.scenario_in_force.strategy_start
        extra = interventions.switched([], name, True, since, begin)[0]
        return Difference("policies", extra, f"{name} besides", since)
    if path in SWITCHES:
        return Difference(path, False, SWITCHES[path], since)
    one = lever(path)
    if value is None:
        here = float(simulation.value(path))
        value = one.high if here - one.low <= one.high - here else one.low
    return Difference(path, value, f"{one.name} = {value:g}", since)


def rows_of(first: Track, second: Track) -> list[list[Any]]:
    """Name, first, second, difference, and the difference over `_TELLING` of the larger value, signed."""
    if first.district.quarter == 0:
        return []
    one, two = first.indicators.iloc[-1], second.indicators.iloc[-1]
    rows: list[list[Any]] = []
    for record in map(record_of, _IN_TABLE):
        a, b = float(one[record.name]), float(two[record.name])
        gap = difference(record, b - a)
        largest = 1.0 if record.unit == "share" else max(abs(a), abs(b), 1e-12)
        told = (gap, (b - a) / largest / _TELLING) if is_something(gap) else ("none", 0.0)
        rows.append([row_name(record), amount(record, a), amount(record, b), *told])
    return rows
