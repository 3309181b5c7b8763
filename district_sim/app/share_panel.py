"""Sharing a state and taking data away."""

from collections.abc import Callable

import solara

from district_sim.app import widgets
from district_sim.app.desk import Desk
from district_sim.app.downloads import everything, figures, file_stem, indicators_csv
from district_sim.app.links import LONGEST_LINK, as_json, as_query


@solara.component
def Share(desk: Desk) -> None:
    """The link, the state as a file, data and figures."""
    desk.tick.get()
    desk.changed.get()
    simulation = desk.simulation
    stem = file_stem(simulation)
    with solara.v.Html(tag="section", class_="ds-box ds-about"):
        solara.v.Html(tag="h2", children=["Share this state"])
        query = as_query(simulation.course)
        if len(query) <= LONGEST_LINK:
            widgets.ShareBox(query=query)
        else:
            solara.v.Html(
                tag="p",
                children=["This state has a scenario file that is too long for a link. Share the file instead."],
            )
        with solara.v.Html(tag="div", class_="ds-downloads"):
            _Download("State as a file", f"{stem}.json", lambda: as_json(simulation.course))
        solara.v.Html(tag="p", class_="dp-note", children=["Open the file again with “Open a file”, at the left."])
    with solara.v.Html(tag="section", class_="ds-box ds-about"):
        solara.v.Html(tag="h2", children=["Take away"])
        if simulation.quarter < 2:
            solara.v.Html(tag="p", children=["Run at least two quarters first: there is nothing to download yet."])
            return
        with solara.v.Html(tag="div", class_="ds-downloads"):
            _Download("Data (CSV)", f"{stem}.csv", lambda: indicators_csv(simulation.first))
            if simulation.second is not None:
                second = simulation.second
                _Download("Data of the second district (CSV)", f"{stem}-second.csv", lambda: indicators_csv(second))
            _Download("Figures (SVG and PNG)", f"{stem}-figures.zip", lambda: figures(simulation))
            _Download("Everything (zip)", f"{stem}.zip", lambda: everything(simulation))


@solara.component
def _Download(label: str, name: str, make: Callable[[], str | bytes]) -> None:
    button = solara.v.Html(tag="button", attributes={"type": "button", "data-download": label}, children=[label])
    solara.FileDownload(make, filename=name, children=[button])
