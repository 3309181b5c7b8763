"""Predict first: a guess, the run, the answer."""

from typing import Any

import solara

from district_sim.app import widgets
from district_sim.app.charts import ScoreBars
from district_sim.app.desk import Desk, Guess
from district_sim.app.panels import MapPanel, map_height
from district_sim.figures.style import TRAJECTORY_COLOURS
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, label_name
from district_sim.text.numbers import percent

JOBS = {"more": "more (over 5 % more)", "same": "about the same", "fewer": "fewer (over 5 % fewer)"}
_SAME = 0.05  # change of employment that counts as none


@solara.component
def PredictFirst(desk: Desk) -> None:
    """The map with a question beside it; scores and numbers only once the guess is made and the run is over."""
    desk.tick.get()
    problem, set_problem = solara.use_state("")
    simulation, guess = desk.simulation, desk.guess.value
    stage = "ask" if guess is None else "told" if simulation.done else "run"

    def guessed(what: dict[str, Any]) -> None:
        if what["trajectory"] not in tuple(Trajectory) or what["jobs"] not in JOBS:
            set_problem("Choose a trajectory and the change in employees first.")
            return
        if simulation.done:
            set_problem("This run is over. Reset it, or choose another scenario, then guess.")
            return
        set_problem("")
        desk.guess.value = Guess(simulation.quarter, Trajectory(what["trajectory"]), what["jobs"])
        desk.play()

    def again(*ignored: Any) -> None:
        desk.reset()

    with solara.v.Html(tag="div", class_="ds-two"):
        with solara.v.Html(tag="section", class_="ds-box"):
            MapPanel(desk, simulation.first, map_height(desk))
        with solara.v.Html(tag="div"):
            widgets.PredictBox(
                stage=stage,
                quarter=simulation.quarter,
                quarters=simulation.quarters,
                options=[[one.value, TRAJECTORY_NAMES[one], TRAJECTORY_COLOURS[one]] for one in Trajectory],
                jobs=[list(one) for one in JOBS.items()],
                problem=problem,
                guessed=TRAJECTORY_NAMES[guess.trajectory] if guess else "",
                right=bool(guess and stage == "told" and all(row[3] for row in answer_of(desk, guess))),
                answer=answer_of(desk, guess) if guess and stage == "told" else [],
                event_guess=guessed,
                event_again=again,
            )
            if stage == "told":
                with solara.v.Html(tag="section", class_="ds-box"):
                    ScoreBars(simulation.first.scores)


def answer_of(desk: Desk, guess: Guess) -> list[list[Any]]:
    """Rows of what was asked: name, guess, outcome, whether they agree."""
    track = desk.simulation.first
    label = track.district.trajectory
    jobs = track.indicators["employment"]
    change = float(jobs.iloc[-1]) / max(1e-9, float(jobs.iloc[max(0, guess.quarter - 1)])) - 1.0
    came = "same" if abs(change) <= _SAME else "more" if change > 0 else "fewer"
    happened = percent(change, sign=True)
    return [
        ["Trajectory", TRAJECTORY_NAMES[guess.trajectory], label_name(label), guess.trajectory == label],
        ["Employees", guess.jobs, happened, guess.jobs == came],
    ]
