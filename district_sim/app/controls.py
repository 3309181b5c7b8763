"""The page's controls and what they do: transport, scenario, levers, policies, shocks."""

import re
from functools import cache
from typing import Any

import solara

from district_sim.app import interventions, widgets
from district_sim.app.course import Source, opened, scenario_of
from district_sim.app.desk import SPEEDS, Desk
from district_sim.app.levers import Lever, lever, levers, levers_of, levers_outside
from district_sim.app.links import LONGEST_LINK, MARK, as_json, as_query, from_json
from district_sim.scenario.files import ScenarioError, scenario_names, scenario_notes
from district_sim.scenario.instruments import InstrumentKind, ShockKind
from district_sim.scenario.paths import value_at
from district_sim.scenario.texts import MOST_BYTES
from district_sim.text.names import heading

TABS = (
    ("one", "One district"),
    ("two", "Two districts"),
    ("fan", "Fan of futures"),
    ("predict", "Predict first"),
    ("share", "Share and download"),
    ("about", "How to read it"),
)


@solara.component
def Header(desk: Desk) -> None:
    """Title, views, play, step, reset, speed, clock."""
    desk.tick.get()
    simulation, playing = desk.simulation, desk.playing.value

    def play_or_pause(*ignored: Any) -> None:
        desk.pause() if desk.playing.value else desk.play()

    def hasten(speed: int) -> None:
        desk.speed.value = speed if speed in SPEEDS else SPEEDS[2]

    def show(tab: str) -> None:
        if tab in dict(TABS):
            desk.tab.value = tab

    def step(quarters: int) -> None:
        if not desk.playing.value:
            desk.step(max(1, min(int(quarters), simulation.quarters)))
            desk.changed.value += 1

    widgets.Header(
        tabs=[list(one) for one in TABS],
        tab=desk.tab.value,
        playing=playing,
        done=simulation.done,
        quarter=simulation.quarter,
        quarters=simulation.quarters,
        first=simulation.calendar.first if simulation.calendar else 0,
        begin=min(simulation.first.district.scenario_in_force.strategy_start, simulation.quarters),
        mapless=desk.tab.value not in ("one", "two", "predict"),
        speed=desk.speed.value,
        speeds=list(SPEEDS),
        event_show=show,
        event_play=play_or_pause,
        event_step=step,
        event_reset=lambda *ignored: desk.reset(),
        event_branch=lambda *ignored: desk.branch(),
        event_seen=desk.drawn,
        event_hasten=hasten,
        event_resized=lambda size: desk.view.set((int(size[0]), int(size[1]))),
    )


@solara.component
def Address(desk: Desk) -> None:
    """Keeps what there is to see in the page's address, while it plays once a year."""
    desk.changed.get()
    desk.tick.get()
    simulation, view = desk.simulation, desk.tab.value
    at = desk.scored

    def address() -> tuple[str, str]:
        query = as_query(simulation.course)
        if len(query) <= LONGEST_LINK:
            return f"{query}&view={view}", ""
        return f"kept={simulation.course.source.name}&view={view}", as_json(simulation.course)

    query, state = solara.use_memo(address, [desk.changed.value, at, view, desk.playing.value])

    def kept(text: str) -> None:
        desk.attempt(lambda: _take(desk, "state", text))

    def lost(*ignored: Any) -> None:
        desk.says.value = ("error", "This address needs the tab in which it was made: open the file again.")

    widgets.AddressBox(query=query, state=state, event_kept=kept, event_lost=lost)


@solara.component
def ScenarioControl(desk: Desk) -> None:
    """Scenario, its paragraph, seed, files."""
    desk.changed.get()
    problem, set_problem = solara.use_state("")
    simulation = desk.simulation
    source, scenario = simulation.course.source, simulation.first.district.scenario_in_force

    def begin(action: Any) -> None:
        desk.pause()
        set_problem("")
        if desk.attempt(action):
            desk.selected.value, desk.guess.value = None, None

    def reseed(text: str) -> None:
        said = text.strip()
        if not said.isdecimal() or len(said) > 20 or not int(said) < 2**64:
            set_problem(f"{said[:30] or 'nothing'}: the seed must be a whole number between 0 and 2^64 - 1")
            return
        begin(lambda: simulation.reseed(int(said)))

    def given(file: dict[str, Any]) -> None:
        begin(lambda: _take(desk, str(file["name"]), file["text"]))

    def refused(name: str) -> None:
        desk.says.value = ("error", f"{name}: larger than {MOST_BYTES // 1024} KiB; a scenario is a small text file")

    names = [[name, name] for name in opened] + [[name, _title(name)] for name in scenario_names()]
    if source.text is not None:
        names.append([f"file:{source.name}", source.name])
    widgets.ScenarioBox(
        scenarios=names,
        chosen=source.name if source.text is None else f"file:{source.name}",
        description=scenario.description or "This scenario has no description.",
        notes=_notes(str(opened.get(source.name, source.name))) if source.text is None else "",
        seed=str(simulation.course.seed),
        problem=problem,
        most_bytes=MOST_BYTES,
        event_choose=lambda name: None if name.startswith("file:") else begin(lambda: simulation.choose(Source(name))),
        event_reseed=reseed,
        event_given=given,
        event_refused=refused,
    )


@cache
def _notes(name: str) -> str:
    """A bundled scenario's notes in HTML; empty if there are none."""
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default").render(_worded(scenario_notes(name)))


def _worded(notes: str) -> str:
    """Notes, which are written for the command line too, in the page's words: its levers, policies and switches."""
    names = {one.path: one.name for one in levers()}

    def worded(path: str, given: str) -> str:
        if given in ("true", "false"):
            return f"`{path}` {'on' if given == 'true' else 'off'}"
        return f"*{names[path]}* at {given}" if path in names else f"`{path}` at {given}"

    def values(found: re.Match[str]) -> str:
        return " and ".join(worded(*one) for one in re.findall(r"--set\s+([\w.]+)=(\S+)", found[1]))

    notes = re.sub(r"`((?:--set\s+[\w.]+=[^`\s]+\s*)+)`", values, notes)
    return re.sub(r"`--policy (\w+)`", lambda found: f"*{_policy(found[1])}*", notes)


def _policy(name: str) -> str:
    return InstrumentKind(name).record.label if name in InstrumentKind else name.replace("_", " ")


def _title(name: str) -> str:
    return heading(name) if "/" not in name else f"{heading(name)} ({name.split('/')[0]})"


def _take(desk: Desk, name: str, text: Any) -> None:
    """A scenario or a state that somebody gave."""
    if not isinstance(text, str):
        raise ScenarioError(f"{name}: not a YAML file (it is not UTF-8 text)")
    if MARK in text[:200]:
        desk.simulation.load(from_json(text))
        if desk.simulation.second is not None and desk.tab.value == "one":
            desk.tab.value = "two"
    else:
        desk.simulation.choose(Source(name[:200], text))


@solara.component
def LeversControl(desk: Desk) -> None:
    """A slider and a field for each lever."""
    desk.changed.get()
    answers, set_answers = solara.use_state({})
    simulation = desk.simulation
    source = simulation.course.source

    def forget() -> None:
        set_answers(lambda now: {path: (number, "") for path, (number, _) in now.items()})

    solara.use_effect(forget, [source])
    as_given = solara.use_memo(lambda: _values_of(source), [source])
    here = levers_of(simulation.scenario)
    now = simulation.scenario.model_dump(mode="json")
    values = {one.path: float(value_at(now, one.path)) for one in here}

    def moved(what: dict[str, Any]) -> None:
        path, text = str(what["path"]), str(what["text"])
        problem = lever(path).problem(text)
        value = float("nan") if problem else float(text.strip().replace(",", "."))
        if not problem and value != simulation.value(path):
            label = f"{lever(path).name} = {value:g}"
            desk.attempt(lambda: simulation.set(path, value, label), moved=simulation.quarter == 0)
        set_answers(lambda now: {**now, path: (int(what["number"]), problem)})

    def restore(*ignored: Any) -> None:
        forget()
        changes = {path: as_given[path] for path, value in values.items() if value != as_given[path]}
        desk.attempt(lambda: simulation.change(changes, "levers as in the scenario"))

    begin = simulation.first.district.scenario_in_force.strategy_start
    note = (
        f"Moved before the run, behaviour acts from quarter {begin}, when the strategy begins, bids, contribution and "
    )
    note += "the world from the start; moved later, all act from the next quarter on."
    if simulation.scenario.firms_decide:
        note += " Firms decide: a lever of behaviour moves what each chooses, and firms review that."
    widgets.LeversBox(
        levers=[
            shown(one, values[one.path], problem, as_given[one.path]) | {"answered": number}
            for one in here
            for number, problem in [answers.get(one.path, (0, ""))]
        ],
        note=note,
        moved_any=any(value != as_given[path] for path, value in values.items()),
        event_moved=moved,
        event_restore=restore,
    )


def shown(one: Lever, value: float, problem: str, given: float) -> dict[str, Any]:
    """A lever as the templates draw it; the slider stretches to a value typed beyond its ends."""
    return {
        "path": one.path,
        "name": one.name,
        "hint": one.hint,
        "low": min(one.low, value),
        "high": max(one.high, value),
        "step": one.step,
        "value": value,
        "shown": f"{value:g}",
        "problem": problem,
        "moved": value != given,
    }


def _values_of(source: Source) -> dict[str, float]:
    scenario = scenario_of(source, {})
    data = scenario.model_dump(mode="json")
    return {one.path: float(value_at(data, one.path)) for one in (*levers(), *levers_outside(scenario))}


@solara.component
def MeasuresControl(desk: Desk) -> None:
    """Policies and shocks."""
    desk.changed.get()
    simulation = desk.simulation
    quarter = simulation.quarter

    def switched(what: dict[str, Any]) -> None:
        desk.attempt(lambda: simulation.switch(str(what["name"]), bool(what["on"])), moved=quarter == 0)

    def struck(kind: str) -> None:
        desk.attempt(lambda: simulation.strike(ShockKind(kind)), moved=False)

    widgets.MeasuresBox(
        policies=[
            {
                "name": one["name"],
                "on": interventions.is_on(one, quarter),
                "hint": interventions.hint_of(one),
            }
            for one in interventions.offered(simulation.instruments)
        ],
        shocks=[
            {"key": kind.value, "name": kind.record.label, "hint": interventions.shock_hint(kind)} for kind in ShockKind
        ],
        deeds=[[event.quarter, event.label] for event in simulation.events],
        note=f"Switched during the run, they act from the next quarter on; before it, from quarter {_start(desk)}.",
        done=simulation.done,
        event_switched=switched,
        event_struck=struck,
    )


def _start(desk: Desk) -> int:
    return desk.simulation.first.district.scenario_in_force.strategy_start


@solara.component
def Says(desk: Desk) -> None:
    """What went wrong, where everybody sees it."""
    kind, text = desk.says.value
    widgets.SaysBox(kind=kind or "info", text=text, event_hide=lambda *ignored: desk.says.set(("", "")))
