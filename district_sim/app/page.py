"""The page as a whole: header, controls at the left, and one of the views.

It keeps to the conventions of Mesa's `SolaraViz`: an `app.py` that ends in `page`, components that draw a model, and
play, step and reset beside sliders. It does not use SolaraViz itself: its controller steps one model and makes it anew
from keyword arguments on Reset, which would lose what was done during the run, and redraws everything at each step; two
districts under the same luck, links that restore a run, and ten frames a second need a simulation of the page's own.
"""

import traceback
from pathlib import Path

import reacton
import solara

from district_sim.app import controls
from district_sim.app.about import About
from district_sim.app.desk import Desk
from district_sim.app.fan_chart import FanOfFutures
from district_sim.app.panels import OneDistrict, scale_of
from district_sim.app.predict import PredictFirst
from district_sim.app.share_panel import Share
from district_sim.app.two_districts import TwoDistricts

_SIDE = {"id": "ds-side", "aria-label": "Controls", "tabindex": "-1"}
_STYLE = Path(__file__).parent / "style.css"


@solara.component
def Page() -> None:
    """One visitor's page."""
    error, _ = reacton.use_exception()
    router = solara.use_router()
    desk = solara.use_memo(lambda: Desk(router.search or ""), [])
    solara.use_effect(lambda: desk.close, [])
    solara.use_effect(lambda: traceback.print_exception(error) if error else None, [error])
    solara.Title("district-sim")
    solara.Style(_STYLE)
    if error:
        text = "Something went wrong. Load the page again; what was shown is in its address."
        solara.v.Html(tag="p", class_="ds-says ds-error", attributes={"role": "alert"}, children=[text])
        return
    with solara.v.Html(tag="div", class_="ds-page"):
        controls.Header(desk)
        controls.Address(desk)
        with solara.v.Html(tag="div", class_="ds-body"):
            with solara.v.Html(tag="aside", class_="ds-side", attributes=_SIDE):
                controls.ScenarioControl(desk)
                controls.LeversControl(desk)
                controls.MeasuresControl(desk)
            with solara.v.Html(tag="main", class_="ds-stage", attributes={"id": "ds-main", "tabindex": "0"}):
                controls.Says(desk)
                panel = {"id": "ds-stage", "role": "tabpanel", "tabindex": "-1"}
                with solara.v.Html(tag="div", attributes=panel | {"aria-labelledby": f"ds-tab-{desk.tab.value}"}):
                    _View(desk)


@solara.component
def _View(desk: Desk) -> None:
    tab = desk.tab.value
    if tab == "two":
        TwoDistricts(desk)
    elif tab == "fan":
        _Fan(desk)
    elif tab == "predict":
        PredictFirst(desk)
    elif tab == "share":
        Share(desk)
    elif tab == "about":
        About(desk)
    else:
        OneDistrict(desk)


@solara.component
def _Fan(desk: Desk) -> None:
    """All futures of the values now in force, from the first quarter on."""
    desk.changed.get()
    text = (
        "The same district from the first quarter on, with many seeds, all current values, and each shock in its own "
        "quarter. Move a lever or switch a policy: the fan redraws, coarse at first, finer while the hand "
        "rests."
    )
    with solara.v.Html(tag="section", class_="ds-box", attributes={"aria-label": "Fan of futures"}):
        solara.v.Html(tag="p", children=[text])
        FanOfFutures(desk.simulation.scenario, height=round(150 * scale_of(desk.view.value[0])))
