"""How to read the page."""

import solara

from district_sim.app.desk import Desk
from district_sim.figures.style import TRAJECTORY_COLOURS
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES

_FUTURES: dict[Trajectory, str] = {
    Trajectory.FRAGMENTATION: "multinationals buy the best firms, or a few leaders bind the others; ties dissolve.",
    Trajectory.POST_MARSHALLIAN_NODE: "the district lives on as a node of global networks; some phases leave.",
    Trajectory.LEARNING_REGION: "firms and institutions learn together and break with the old technology.",
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: "firms and public actors act as one and go global as a system.",
    Trajectory.MARSHALLIAN_PERSISTENCE: "little changes.",
    Trajectory.DECLINE: "the district shrinks.",
}
_STEPS = (
    "Choose a scenario, press Play, and watch. Each mark on the map is a firm. Rest the mouse on it for details, click "
    "it to follow it. One step is a quarter of a year.",
    "“?” beside a control says what it does.",
    "The charts mark the quarter in which the strategy begins. “To quarter …” jumps there.",
    "Move a lever, switch a policy, let a shock strike. During the run, changes act from the next quarter on. Levers "
    "and policies set before the run stay after a reset. Reset undoes shocks and changes made during the run.",
    "Two districts: the same luck, one thing different. Every difference between them comes from that one thing.",
    "Branch here: two districts from the present quarter on. Then choose what differs: a policy, a shock, a lever.",
    "The fan of futures runs the same district with many seeds: how certain is its future?",
    "Predict first: guess, run, compare. Ask the class before pressing Play.",
)
_KEYS = (
    ("space", "play or pause"),
    ("→ or s", "one quarter"),
    ("shift → or y", "one year"),
    ("t", "to the quarter in which the strategy begins"),
    ("r", "reset"),
    ("b", "branch here"),
    ("1 to 6", "the views"),
    ("?", "this page"),
    ("Tab, arrows", "reach and move all controls; on the map arrows go from firm to firm, enter follows one"),
)


@solara.component
def About(desk: Desk) -> None:
    """A short guide."""
    with solara.v.Html(tag="section", class_="ds-box ds-about"):
        solara.v.Html(tag="h2", children=["How to use this page"])
        solara.v.Html(tag="ol", children=[solara.v.Html(tag="li", children=[step]) for step in _STEPS])
        solara.v.Html(tag="h2", children=["Keys"])
        with solara.v.Html(tag="ul", class_="ds-keys", attributes={"data-is": "keys"}):
            for keys, text in _KEYS:
                solara.v.Html(tag="li", children=[solara.v.Html(tag="kbd", children=[keys]), f" {text}"])
        solara.v.Html(tag="p", children=["They work everywhere but in a field where you type. "])
        solara.v.Html(tag="h2", children=["The futures"])
        with solara.v.Html(tag="ul", style_="list-style: none; padding: 0"):
            for one, text in _FUTURES.items():
                chip = solara.v.Html(tag="i", class_="ds-chip", style_=f"background: {TRAJECTORY_COLOURS[one]}")
                name = solara.v.Html(tag="b", children=[TRAJECTORY_NAMES[one]])
                solara.v.Html(tag="li", children=[chip, name, f": {text}"])
        solara.v.Html(
            tag="p",
            children=[
                "No future is better than another: look at jobs, wages and value added as well. The scores are "
                "computed from outcomes, never from the levers."
            ],
        )
