"""The page as Solara runs it: `district-sim app`, or `solara run district_sim.app.app`."""

import solara

from district_sim.app.page import Page
from district_sim.app.server import stay_at_home

stay_at_home()


@solara.component
def Layout(children: list[solara.Element] = []) -> solara.Element:  # noqa: B006 - Solara's signature of a layout
    """Nothing around the page: it has a header of its own."""
    solara.use_route()
    return solara.v.Html(tag="div", children=children)


page = Page()
