"""What the page's drawings share: each is a small ES module that its own widget sends to the browser.

The browser asks nobody else for anything: the module's text and the numbers, as bytes, travel over the page's own
connection.
"""

import json
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from district_sim.figures import style

_STATIC = Path(__file__).parent / "static"
_CSS = (_STATIC / "parts.css").read_text(encoding="utf-8")


PALETTE = {name: getattr(style, name.upper()) for name in ("tie", "pipeline", "agency", "rim", "here", "abroad")}
"""The figures' colours, as drawings know them."""


def module(*parts: str) -> str:
    """The text of one drawing's ES module, its parts one after the other, with what all drawings share in front."""
    texts = ((_STATIC / f"{part}.js").read_text(encoding="utf-8") for part in ("common", *parts))
    return "\n".join([f"const PALETTE = {json.dumps(PALETTE)};", *texts])


class Part(anywidget.AnyWidget):
    """A drawing as wide as the place that it is given."""

    _css = _CSS

    def __init__(self, **traits: Any) -> None:
        super().__init__(**{"layout": {"width": "100%"}} | traits)


class BarsWidget(Part):
    """See static/bars.js."""

    _esm = module("bars")
    content = traitlets.Dict().tag(sync=True)


class TimeSeriesWidget(Part):
    """See static/time_series.js."""

    _esm = module("time_series")
    look = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)


class MapWidget(Part):
    """See static/district_map.js."""

    _esm = module("shapes", "views", "district_map")
    look = traitlets.Dict().tag(sync=True)
    view = traitlets.Unicode("place").tag(sync=True)
    """Which of `figures.layout.VIEWS` is shown"""
    news = traitlets.Unicode("").tag(sync=True)
    """What happened lately, in a few words"""
    data = traitlets.Bytes().tag(sync=True)
    differences: traitlets.List[int] = traitlets.List().tag(sync=True)
    selected = traitlets.Int(None, allow_none=True).tag(sync=True)
    drawn: traitlets.List[int] = traitlets.List().tag(sync=True)
    """How many frames were drawn, and the quarter of the last"""
