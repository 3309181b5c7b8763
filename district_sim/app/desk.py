"""What one visitor's page holds: the simulation, what is shown of it, and the thread that plays it."""

import threading
from collections.abc import Callable
from time import monotonic
from urllib.parse import parse_qs

import solara

from district_sim.app.course import Course, Difference
from district_sim.app.links import from_query
from district_sim.app.simulation import Simulation
from district_sim.run.trajectories import Trajectory
from district_sim.scenario.files import ScenarioError

SPEEDS = (1, 2, 4, 8, 15, 30)
"""Quarters a second."""
_SLOWEST_DRAWING = 1.0  # seconds that a quarter waits for the browser, which draws nothing on a hidden page
_MOST_AHEAD = 3  # quarters that nobody has seen; then the district waits
_PATIENCE = 60.0  # seconds; then it is paused
_UNSEEN = "Paused: the page was not on the screen."
VIEWS = ("one", "two", "fan", "predict", "share", "about")

type Says = tuple[str, str]
"""Kind of a message ("error", "info" or empty) and its text."""


class Desk:
    """One visitor's page. Made once for each visit by `use_memo`, so that no two visits share anything."""

    def __init__(self, query: str = "") -> None:
        self.tick = solara.reactive(0)
        """Rises whenever the district has moved on."""
        self.changed = solara.reactive(0)
        """Rises whenever values, instruments or the scenario were changed by hand."""
        self.playing = solara.reactive(False)
        self.speed = solara.reactive(8)
        self.says: solara.Reactive[Says] = solara.reactive(("", ""))
        self.tab = solara.reactive("one")
        self.selected: solara.Reactive[int | None] = solara.reactive(None)
        self.colour = solara.reactive("phase")
        """What the colour of firms on the map means, a key of `district_map.colours_of_firms`."""
        self.map_view = solara.reactive("place")
        """Which view of the firms the map shows, a key of `figures.layout.VIEWS`."""
        self.view = solara.reactive((1280, 800))
        self.guess: solara.Reactive[Guess | None] = solara.reactive(None)
        self._drawn, self._stop = threading.Event(), threading.Event()
        self._player: threading.Thread | None = None
        self.patience = _PATIENCE
        try:
            self.simulation = Simulation(from_query(query))
        except ScenarioError as error:
            self.simulation = Simulation(Course())
            self.says.value = ("error", str(error))
        if self.simulation.second is not None:
            self.tab.value = "two"
        view = parse_qs(query.lstrip("?")).get("view", [""])[-1]
        if view in VIEWS:
            self.tab.value = view

    # What is done ---------------------------------------------------------------------------------

    def attempt(self, action: Callable[[], object], *, moved: bool = True) -> bool:
        """Do something that may be refused, and say so; whether it was done."""
        try:
            action()
        except (ScenarioError, ValueError, KeyError) as error:
            self.says.value = ("error", str(error))
            return False
        self.says.value = ("", "")
        self.changed.value += 1
        if moved:
            self.tick.value += 1
        return True

    def step(self, quarters: int) -> bool:
        """Some quarters at once; whether they could be run."""
        try:
            self.simulation.step(quarters)
            if self.simulation.ended:
                self.says.value = ("error", self.simulation.ended)
        except RuntimeError as error:
            self.says.value = ("error", str(error))
            return False
        finally:
            self.tick.value += 1
        return True

    def branch(self) -> None:
        """Two districts that part here; what differs is chosen then."""
        self.pause()
        quarter = self.simulation.quarter
        parted = Difference("", None, "nothing yet", quarter) if quarter else None
        if self.attempt(lambda: self.simulation.differ(parted)):
            self.tab.value = "two"

    def reset(self) -> None:
        """Back to the first quarter."""
        self.pause()
        self.selected.value, self.guess.value = None, None
        self.attempt(self.simulation.reset)

    # Playing --------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play until the end or a pause."""
        if self.playing.value or self.simulation.done:
            return
        self._stop = threading.Event()
        self.playing.value = True
        self._player = threading.Thread(target=self._play, args=(self._stop,), daemon=True)
        self._player.start()

    def pause(self) -> None:
        """Stop playing after the quarter under way."""
        self._stop.set()
        self._drawn.set()
        self.playing.value = False
        self.changed.value += 1

    def drawn(self, quarter: int) -> None:
        """The browser has drawn a quarter: the next one may come."""
        self._drawn.set()

    @property
    def scored(self) -> int:
        """The quarter of which scores are shown: every fourth one while the district plays, the last one exactly."""
        quarter = self.simulation.quarter
        return quarter - quarter % 4 if self.playing.value and not self.simulation.done else quarter

    def _play(self, stop: threading.Event) -> None:
        ahead = 0
        while not stop.is_set():
            began = monotonic()
            self._drawn.clear()
            if not self.step(1) or self.simulation.done:
                break
            ahead = 0 if self._drawn.wait(_SLOWEST_DRAWING) else ahead + 1
            if ahead >= _MOST_AHEAD:
                if not self._drawn.wait(self.patience):
                    self.says.value = ("info", _UNSEEN)
                    break
                ahead = 0
            stop.wait(max(0.0, 1.0 / self.speed.value - (monotonic() - began)))
        if not stop.is_set():
            self.playing.value = False
            self.changed.value += 1

    def close(self) -> None:
        """The visitor has left."""
        self._stop.set()
        self._drawn.set()


class Guess:
    """What somebody expects before the run."""

    def __init__(self, quarter: int, trajectory: Trajectory, jobs: str) -> None:
        self.quarter, self.trajectory, self.jobs = quarter, trajectory, jobs
