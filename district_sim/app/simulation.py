"""One or two districts under way: stepped together, steered while they run, set back, and described by a course.

Nothing here is shared between two people who look at the page, and nothing knows how it is shown.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.app import interventions
from district_sim.app.course import Course, Difference, Intervention, Source, advance
from district_sim.figures.layout import NEW
from district_sim.mesa_model.district import District
from district_sim.model.parameters import acting_instruments
from district_sim.model.state import SELF_OWNED
from district_sim.run.events import Chronicle
from district_sim.run.events import Event as Happened
from district_sim.run.run import Run, versions
from district_sim.run.snapshot import Snapshot
from district_sim.run.trajectories import Scores, score
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.instruments import ShockKind
from district_sim.scenario.paths import set_at, value_at
from district_sim.scenario.sections import Scenario

if TYPE_CHECKING:
    import pandas as pd

TRACKED = ("employees", "absorptive", "profit")
"""Columns of firms that are kept of every quarter, for the history of one firm."""


class Track:
    """A district and what is remembered of its quarters."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.district = District(course.scenario(), seed=course.seed)
        self.begin = Snapshot.of(self.district.state)
        self.spent: dict[str, float] = {}
        """k€ so far by policy, in the order in which they first spent."""
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []
        self._chronicle = Chronicle.begun(self.district.state)
        self._events: tuple[int, Course, list[Happened]] | None = None
        self._table: tuple[int, pd.DataFrame] | None = None
        while self.district.quarter < course.quarter:
            self.step()

    def step(self) -> None:
        """One quarter."""
        advance(self.district, self.course)
        self._chronicle.see(self.district.state, self.district.scenario_in_force)
        firms = self.district.state.firms
        rows = np.flatnonzero(firms["alive"])
        self._kept.append((rows, np.array([firms[name][rows] for name in TRACKED], np.float32)))
        items = acting_instruments(self.district.scenario_in_force)
        for item, spent in zip(items, self.district.state.instruments["spent"].tolist(), strict=True):
            if spent > 0.0:
                self.spent[item.name] = self.spent.get(item.name, 0.0) + spent

    @property
    def indicators(self) -> "pd.DataFrame":
        """One row per quarter so far, to read: the same table for all who look at it within a quarter."""
        quarter, kept = self.district.quarter, self._table
        if kept is None or kept[0] != quarter:
            self._table = kept = quarter, self.district.indicators
        return kept[1]

    @property
    def events(self) -> list[Happened]:
        """What happened so far, and what was done by hand."""
        known = self.district.quarter, self.course
        if self._events is None or self._events[0] != known[0] or self._events[1] is not known[1]:
            told = {"policies", "shocks"}  # what becomes of these the chronicle has seen
            done = [one for one in self.course.interventions if one.label and set(one.changes) - told]
            chronicle = replace(self._chronicle, deeds=[(one.quarter, one.label) for one in done])
            self._events = (*known, chronicle.events(self.district.scenario_in_force))
        return self._events[2]

    @property
    def before(self) -> np.ndarray:
        """Rows of the firms that lived `NEW` quarters ago."""
        at = self.district.quarter - NEW
        return self._kept[at - 1][0] if at > 0 else self.begin.firms.index.to_numpy()

    @property
    def scores(self) -> Scores | None:
        """Scores so far; None before the second quarter."""
        if self.district.quarter < 2:
            return None
        return score(self.indicators, calm_window=self.district.scenario_in_force.calm_window)

    def history(self, firm: int) -> tuple[int, np.ndarray]:
        """First quarter seen, and (len(TRACKED), quarters) values of one firm; NaN where it did not live."""
        out = np.full((len(TRACKED), len(self._kept)), np.nan, np.float32)
        for quarter, (rows, values) in enumerate(self._kept):
            at = int(np.searchsorted(rows, firm))
            if at < rows.size and rows[at] == firm:
                out[:, quarter] = values[:, at]
        seen = np.flatnonzero(~np.isnan(out[0]))
        if not seen.size:
            return 1, out[:, :0]
        return int(seen[0]) + 1, out[:, seen[0] : seen[-1] + 1]

    def run(self) -> Run:
        """The quarters so far as a run that can be saved. Its scenario is the one that it began with."""
        d, course = self.district, self.course
        used = versions(d.scenario_in_force.extensions)
        happened = self.events
        end = Snapshot.of(d.state)
        return Run(course.scenario(), course.seed, d.indicators, self.begin, end, used, happened=lambda: happened)


@dataclass(frozen=True)
class Event:
    """Something that was done, for the list under the map and the marks in the charts."""

    quarter: int
    label: str


class Simulation:
    """What one visitor of the page runs. Every method may be called from any thread."""

    def __init__(self, course: Course | None = None) -> None:
        """Begin with a course.

        Raises:
            ScenarioError: it cannot be run.
        """
        self._lock = threading.RLock()
        self.previous: pd.DataFrame | None = None
        """Indicators of the run before this one."""
        self._begin(course or Course())

    def _begin(self, course: Course) -> None:
        first = Track(course)
        second = Track(course.with_difference()) if course.difference else None
        self._take(course, first, second)

    def _take(self, course: Course, first: Track, second: Track | None) -> None:
        """Put new districts in the place of those that were; what the first one did is remembered."""
        before: Track | None = getattr(self, "first", None)
        if before is not None and before.district.quarter > 1:
            self.previous = before.indicators
        self._course, self.first, self.second = course, first, second

    # What it is -----------------------------------------------------------------------------------

    @property
    def course(self) -> Course:
        """What has to be known to have this again."""
        return replace(self._course, quarter=self.quarter)

    @property
    def quarter(self) -> int:
        """Quarters completed."""
        return self.first.district.quarter

    @property
    def quarters(self) -> int:
        """Length of the run."""
        return self.first.district.scenario_in_force.run.quarters

    @property
    def calendar(self) -> Calendar | None:
        """The dates of the run, if it has any."""
        return self.first.district.scenario_in_force.run.calendar

    @property
    def done(self) -> bool:
        """Whether the last quarter was run."""
        return self.quarter >= self.quarters or bool(self.ended)

    @property
    def ended(self) -> str:
        """Why it ends before its time, in a sentence; empty if it does not."""
        return self.first.district.ended or (self.second.district.ended if self.second is not None else "")

    @property
    def scenario(self) -> Scenario:
        """Values in force, those included that act from the next quarter."""
        with self._lock:
            now = self.first.district.scenario_in_force
            due = self._due()
            if not due:
                return now
            data = now.model_dump(mode="json")
            for path, value in due.items():
                set_at(data, path, value)
            return Scenario.model_validate(data)

    def value(self, path: str) -> Any:
        """The value of a parameter in force, or set to act from the next quarter."""
        due = self._due()
        if path in due:
            return due[path]
        return value_at(self.first.district.scenario_in_force.model_dump(mode="json"), path)

    @property
    def instruments(self) -> interventions.Instruments:
        """The policy instruments in force, those included that were switched just now."""
        due = self._due()
        return (
            due["policies"]
            if "policies" in due
            else interventions.instruments_of(self.first.district.scenario_in_force)
        )

    @property
    def events(self) -> list[Event]:
        """What was done so far and what lies ahead."""
        return [Event(one.quarter, one.label) for one in self._course.interventions if one.label]

    def _due(self) -> dict[str, Any]:
        quarter = self.quarter
        due: dict[str, Any] = {}
        for one in self._course.interventions:
            if one.quarter == quarter:
                due |= one.changes
        return due

    # Going on -------------------------------------------------------------------------------------

    def step(self, quarters: int = 1) -> None:
        """Run a number of quarters, at most to the end."""
        with self._lock:
            for _ in range(min(quarters, self.quarters - self.quarter)):
                if self.ended:
                    break
                self.first.step()
                if self.second is not None:
                    self.second.step()

    def reset(self) -> None:
        """Back to the first quarter, with the settings and without what was done during the run."""
        with self._lock:
            self._begin(replace(self._course, quarter=0, interventions=()))

    def load(self, course: Course) -> None:
        """Take over another course; on an error all stays as it was. Raises `ScenarioError`."""
        begun = Simulation(course)
        with self._lock:
            self._take(begun._course, begun.first, begun.second)

    # Steering -------------------------------------------------------------------------------------

    def choose(self, source: Source) -> None:
        """Another scenario, as it is in its file, under the same luck. Raises `ScenarioError`."""
        self.load(Course(source, seed=self._course.seed))

    def reseed(self, seed: int) -> None:
        """Another luck, from the first quarter on, with the same settings."""
        self.load(replace(self._course, seed=seed, quarter=0, interventions=()))

    def set(self, path: str, value: Any, label: str) -> None:
        """Change one parameter; as `change`."""
        self.change({path: value}, label)

    def change(self, changes: Mapping[str, Any], label: str) -> None:
        """Change values by path: before the run as settings, during it from the next quarter on.

        Raises:
            ScenarioError: a value is not allowed.
        """
        with self._lock:
            settings = {**self._course.settings, **changes}
            if self.quarter == 0:
                self._begin(replace(self._course, settings=settings))
            else:
                replace(self._course, settings=settings).scenario()  # is it allowed?
                self._intervene(Intervention(self.quarter, dict(changes), label))

    def switch(self, name: str, on: bool) -> None:
        """Switch a policy instrument on or off; as `set`."""
        begin = self.first.district.scenario_in_force.strategy_start
        with self._lock:
            policies = interventions.switched(self.instruments, name, on, self.quarter, begin)
            self.change({"policies": policies}, f"{name} {'on' if on else 'off'}")

    def strike(self, kind: ShockKind) -> None:
        """Let a shock befall the district from the next quarter on.

        Raises:
            ValueError: it strikes in that quarter already, there are too many, or there is nothing that it could hit.
        """
        with self._lock:
            self.check_strike(kind)
            shocks = interventions.struck(self.value("shocks"), kind, self.quarter)
            label = f"{kind.record.label}, {interventions.time_of(kind)}"
            self._intervene(Intervention(self.quarter, {"shocks": shocks}, label))

    def check_strike(self, kind: ShockKind) -> None:
        """Find out whether a shock could hit anything. Raises `ValueError`."""
        firms = self.first.district.state.firms
        if kind is ShockKind.MNE_EXIT and not (firms["alive"] & (firms["owner"] < SELF_OWNED)).any():
            raise ValueError(f"{kind.record.label}: no multinational owns a firm here")

    def differ(self, difference: Difference | None) -> None:
        """Let a second district live through the same luck with one thing different, from `difference.quarter` on."""
        course = replace(self.course, difference=difference)
        second = Track(course.with_difference()) if difference else None
        with self._lock:
            while second is not None and second.district.quarter < self.quarter:
                second.step()
            self._course, self.second = course, second

    def _intervene(self, made: Intervention) -> None:
        """Add it in the order of quarters; a lever moved again within a quarter counts once."""
        kept = [
            one
            for one in self._course.interventions
            if (one.quarter, one.changes.keys(), one.label.split(" = ")[0])
            != (made.quarter, made.changes.keys(), made.label.split(" = ")[0])
        ]
        ordered = tuple(sorted([*kept, made], key=lambda one: one.quarter))
        self._course = replace(self._course, interventions=ordered)
        self.first.course = self._course
        if self.second is not None:
            self.second.course = self._course.with_difference()
