"""The district as a Mesa model: stepped, inspected and changed agent by agent, collected and batch-run as Mesa does."""

import copy
import json
import math
import secrets
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import mesa
import numpy as np
import pandas as pd
from mesa.experimental.scenarios import Scenario as MesaScenario

from district_sim.mesa_model.agent_sets import shown
from district_sim.mesa_model.agents import AGENCY_ID, Agency, Firm, Multinational, View
from district_sim.model.extensions import columns_of
from district_sim.model.initial import initial_state
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.model.state import SELF_OWNED, State, company_of, fitted, owner_code
from district_sim.run.run import advance, as_frame, ended_early
from district_sim.run.trajectories import Scores, Trajectory, score
from district_sim.scenario.files import ScenarioError, load_scenario
from district_sim.scenario.paths import set_at
from district_sim.scenario.renamed import new_path
from district_sim.scenario.sections import Scenario


def as_mesa(ours: Scenario) -> MesaScenario:
    """A scenario of Mesa's kind that reads as ours: `District.scenario`.

    Mesa's page makes a new one of the same class when it resets the model; it is of the same scenario.
    """

    class Shown(MesaScenario):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(ours, name)

        def __eq__(self, other: object) -> bool:
            return ours == _ours(other)

        __hash__ = object.__hash__

        def __reduce__(self) -> tuple[Any, ...]:
            return as_mesa, (ours,)

        def _district_scenario(self) -> Scenario:
            return ours

    return Shown()


def _ours(scenario: Any) -> Any:
    """What `as_mesa` was given, of what it made; anything else as it is."""
    if isinstance(scenario, MesaScenario) and hasattr(type(scenario), "_district_scenario"):
        return scenario._district_scenario()
    return scenario


USERS_AGENTS = 2**31
"""`unique_id` of the first agent that somebody adds: above the ids of all firms."""


class District(mesa.Model):
    """An industrial district; one step is one quarter.

    The numbers are those of `simulate(scenario, seed)`, bit for bit, however the model is stepped and whether or not
    anybody looks at its agents.

    Attributes:
        seed: the seed of all the district's draws. Mesa's own `random` and `rng` start from it too, for the use of
            whoever adds something to the model; the district never draws from them.
        scenario_in_force: the scenario, with the overrides and interventions in it.
        parameters: the same in numbers.
        state: all that changes; replaced by a larger one when the district outgrows it, so do not keep its arrays.
        datacollector: one model reporter per indicator, collected after every step, and the seed: `batch_run` would
            otherwise leave out those that were drawn.
    """

    def __init__(
        self,
        scenario: Scenario | MesaScenario | str | PathLike[str] = "baseline",
        *,
        seed: Any = None,
        rng: Any = None,
        **overrides: Any,
    ) -> None:
        """Make the district as it stands before the first quarter.

        Args:
            scenario: a scenario, the name of a bundled one, or the path of a file. Or a scenario of Mesa's kind: its
                parameters are overrides, one called `scenario` names ours, and `rng` is the seed if none is given.
            seed: 0 <= seed < 2**64, as a number or as text; by default a new one, readable as `seed`.
            rng: the same; Mesa calls it so.
            overrides: values that win over the scenario's, by path: `District(**{"strategy.sale": 0.8})` or, with
                two underscores for the point, `District(strategy__sale=0.8)`.

        Raises:
            ScenarioError: the scenario or an override is not valid.
            TypeError: the seed is something else than a number, a text or a NumPy `SeedSequence`.
            ValueError: the seed is out of range, or both `seed` and `rng` are given.
        """
        if seed is not None and rng is not None:
            raise ValueError("give either seed or rng, not both")
        scenario, given = _ours(scenario), rng if seed is None else seed
        if isinstance(scenario, MesaScenario):
            given = _seed_in(scenario) if given is None else given
            overrides = {name: value for name, value in vars(scenario).items() if name != "rng"} | overrides
            scenario = overrides.pop("scenario", "baseline")
        self.seed = as_seed(given)
        super().__init__(rng=self.seed)
        self.agent_id_counter = USERS_AGENTS
        self.scenario_in_force: Scenario = _resolved(scenario, _by_path(overrides))
        quarters = self.scenario_in_force.run.quarters
        self.parameters: Parameters = parameters_of(self.scenario_in_force)
        self.state: State = initial_state(self.parameters, self.seed, quarters)
        self._names = columns_of(self.parameters)
        self._table = np.full((quarters, len(self._names)), np.nan)
        self._views: WeakValueDictionary[int, Firm] = WeakValueDictionary()
        self._shown = np.zeros(0, np.bool_)
        self._agency: Agency | None = None
        self._multinationals: list[Multinational] = []
        reporters = {name: partial(_latest, column=column) for column, name in enumerate(self._names)}
        self.datacollector = mesa.DataCollector(model_reporters=reporters | {"seed": "seed"})

    # Running ------------------------------------------------------------------------------------

    @property
    def scenario(self) -> Any:
        """`scenario_in_force`, to read; also a scenario of Mesa's kind, which Mesa's page expects here."""
        return as_mesa(self.scenario_in_force)

    @scenario.setter
    def scenario(self, scenario: MesaScenario) -> None:
        # Mesa keeps a scenario of its own kind (a bare seed) here while it sets up the model
        if not isinstance(scenario, MesaScenario):
            raise AttributeError("use intervene() to change a district's scenario, or make another District")

    @property
    def quarter(self) -> int:
        """Quarters completed."""
        return int(self.state.clock.step[0])

    def step(self) -> None:
        """Run one quarter, collect the indicators; `running` ends with the scenario's last quarter.

        Raises:
            RuntimeError: the district has outgrown all bounds; `running` ended with its last quarter.
        """
        done = self.quarter
        if done == len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, np.nan)])
        self.state = advance(self.state, self.parameters, self._table, done, done + 1)
        if self.quarter == done:
            raise RuntimeError(self.ended)
        self.datacollector.collect(self)
        if self.quarter >= self.scenario_in_force.run.quarters or self.ended:
            self.running = False

    @property
    def ended(self) -> str:
        """Why the district ends before its time, in a sentence; empty if it does not."""
        return ended_early(self.state, self.parameters)

    def intervene(self, scenario: Scenario | None = None, /, **overrides: Any) -> None:
        """Change the scenario from the next quarter on: a policy begins, a strategy turns, the world strikes.

        From then on `scenario_in_force` has these values. The same changes in the same quarters give the same run
        again, bit for bit.

        Args:
            scenario: the values in force from now on; those of now if left out.
            overrides: values that win over it, by path, as in the constructor. `policies` is the whole list: an
                instrument keeps by its position what it has won (the award of a contest).

        Raises:
            ScenarioError: a value is not valid, or cannot change within a run: how the district began, the length of
                the run, how many domains, phases and multinationals there are, how many ties a firm can keep up.
        """
        now = self.scenario_in_force
        changed = _resolved(now if scenario is None else _ours(scenario), _by_path(overrides))
        check_change(now, changed)
        parameters, before = parameters_of(changed), self.state.instruments
        try:
            state = fitted(self.state, parameters)
        except ValueError as error:
            raise ScenarioError(f"{error}: this cannot change within a run; start another district") from None
        kept = min(before.size, state.instruments.size)
        state.instruments[:kept] = before[:kept]
        self.scenario_in_force, self.parameters, self.state = changed, parameters, state

    # Copies -------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """For copy.deepcopy and pickle: an independent district that goes on to the same bits."""
        return self.__dict__ | {"_views": dict(self._views)}  # a weak dictionary is copied with the original's views

    def __copy__(self) -> "District":
        return copy.deepcopy(self)  # a shallow one would share firms, and both would write to them

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._views = WeakValueDictionary(state["_views"])

    # Results ------------------------------------------------------------------------------------

    @property
    def indicators(self) -> pd.DataFrame:
        """Indicators so far (a copy): one row per completed quarter."""
        return as_frame(self._table[: self.quarter].copy(), self._names)

    @property
    def scores(self) -> Scores:
        """Scores of the four futures and the label, from the quarters so far.

        Raises:
            ValueError: fewer than two quarters were run.
        """
        return score(self.indicators, calm_window=self.scenario_in_force.calm_window)

    @property
    def trajectory(self) -> Trajectory | None:
        """The label, None where nothing can be said; as `scores`."""
        return self.scores.label

    # Agents -------------------------------------------------------------------------------------

    @property
    def agents(self) -> Any:
        """All agents now: the agency, the multinationals, then the living firms in the order of their ids."""
        self._show_agents()
        return shown(super().agents)

    @property
    def agents_by_type(self) -> Any:
        """The agents by class: `agents_by_type[Firm]`, `[Agency]`, `[Multinational]`."""
        self._show_agents()
        return {kind: shown(agents) for kind, agents in super().agents_by_type.items()}

    @property
    def agent_types(self) -> list[type]:
        """The classes of agents."""
        return list(self.agents_by_type)

    @property
    def firms(self) -> Any:
        """The living firms now, an `AgentSet`."""
        return self.agents_by_type[Firm]

    @property
    def agency(self) -> Agency:
        """The collective agency."""
        if self._agency is None:
            self._agency = Agency.of(self, AGENCY_ID)
        return self._agency

    @property
    def multinationals(self) -> list[Multinational]:
        """The multinationals that look for firms to buy."""
        if not self._multinationals:
            number = int(self.parameters.ownership[0].multinationals)
            self._multinationals = [Multinational.of(self, owner_code(m)) for m in range(number)]
        return self._multinationals

    def firm(self, row: int) -> Firm:
        """The firm with this id, living or closed; always the same object while somebody holds it.

        Raises:
            IndexError: no firm ever had this id.
        """
        row = int(row)
        if not 0 <= row < self.state.clock.rows[0]:
            raise IndexError(f"no firm has the id {row}; ids go from 0 to {self.state.clock.rows[0] - 1}")
        view = self._views.get(row)
        if view is None:
            view = self._views[row] = Firm.of(self, row)
        return view

    def owner(self, code: int) -> Firm | Multinational | None:
        """The agent behind a value of `state.firms.owner`."""
        if code == SELF_OWNED:
            return None
        return self.firm(code) if code >= 0 else self.multinationals[company_of(code)]

    def register_agent(self, agent: Any) -> None:
        """Add an agent of somebody else's to `agents`; the district's own appear there when `agents` is asked for."""
        if not isinstance(agent, View):
            super().register_agent(agent)

    def _show_agents(self) -> None:
        """Bring Mesa's agent sets up to date with the state."""
        if not self._shown.size:
            for view in (self.agency, *self.multinationals):
                self._show(view)
        alive = self.state.firms["alive"]
        before = np.zeros_like(alive)
        before[: self._shown.size] = self._shown
        for row in np.flatnonzero(before & ~alive).tolist():
            super().deregister_agent(self.firm(row))
        for row in np.flatnonzero(alive & ~before).tolist():
            self._show(self.firm(row))
        self._shown = alive.copy()

    def _show(self, view: View) -> None:
        own, following = view.unique_id, self.agent_id_counter
        # Mesa numbers agents in the order of registration; a view's id is its row, and uses up none
        view.__dict__["unique_id"] = None
        super().register_agent(view)
        view.__dict__["unique_id"], self.agent_id_counter = own, following

    def remove_all_agents(self) -> None:
        """Close all firms and remove the agents that somebody added; the agency and the multinationals stay."""
        for agent in list(self.agents):
            if not isinstance(agent, Agency | Multinational):
                agent.remove()

    def deregister_agent(self, agent: Any) -> None:
        """Take an agent out of `agents`; Mesa calls this when an agent is removed.

        Raises:
            TypeError: it acts in the district and would go on to.
        """
        if isinstance(agent, View) and not (isinstance(agent, Firm) and not agent.alive):
            raise TypeError(f"{agent} still acts: remove() closes a firm, the agency and the multinationals stay")
        if isinstance(agent, Firm):
            if agent.unique_id >= self._shown.size or not self._shown[agent.unique_id]:
                return
            self._shown[agent.unique_id] = False
        super().deregister_agent(agent)


def _latest(model: District, column: int) -> float:
    """The last quarter's value of one indicator; NaN before the first."""
    done = model.quarter
    return float(model._table[done - 1, column]) if done else math.nan


def as_seed(value: Any) -> int:
    """A seed from what people, Mesa and its web page pass: a number, its text, a `SeedSequence`, or None for a new one.

    Raises:
        TypeError: something else. ValueError: not a whole number from 0 to 2**64 - 1.
    """
    if value is None:
        return secrets.randbits(32)
    if isinstance(value, np.random.SeedSequence):
        return int(value.generate_state(1, np.uint64)[0])
    if isinstance(value, bool) or not isinstance(value, int | float | str | np.integer | np.floating):
        raise TypeError(f"a seed is a whole number, not {value!r}")
    try:
        seed = int(value)
    except (ValueError, OverflowError):
        seed = -1
    if not 0 <= seed < 2**64 or (not isinstance(value, str) and seed != value):
        raise ValueError(f"a seed is a whole number between 0 and 2**64 - 1, not {value!r}")
    return seed


def _seed_in(scenario: MesaScenario) -> Any:
    """The seed that a scenario of Mesa's kind was made from; Mesa 4 keeps only the generator made from it."""
    if not isinstance(scenario.rng, np.random.Generator):
        return scenario.rng
    made_from: Any = scenario.rng.bit_generator.seed_seq
    plain = isinstance(made_from.entropy, int) and 0 <= made_from.entropy < 2**64 and not made_from.spawn_key
    return made_from.entropy if plain else made_from


def _by_path(overrides: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in overrides.items()}


def check_change(now: Scenario, changed: Scenario) -> None:
    """Find out whether a district can go on under other values.

    Raises:
        ScenarioError: they differ in how it began, in its length or in a number that its state is made for.
    """
    parts = [(name, getattr(now, name), getattr(changed, name)) for name in ("data", "firms", "run")]
    for section, name in (
        ("ownership", "multinationals"),
        ("technology", "domains"),
        ("technology", "phases"),
        ("ties", "maximum"),
    ):
        parts.append((f"{section}.{name}", *(getattr(getattr(one, section), name) for one in (now, changed))))
    for name, before, after in parts:
        if before != after:
            raise ScenarioError(f"{name}: cannot change within a run; start another district")
    if changed.extensions.keys() != now.extensions.keys():
        raise ScenarioError(
            "extensions: mechanisms cannot come or go within a run; begin with extensions.NAME.on=false, say, and "
            "change that"
        )


def _resolved(scenario: Scenario | str | PathLike[str], overrides: dict[str, Any]) -> Scenario:
    """The scenario with the overrides in it."""
    if not isinstance(scenario, Scenario | str | PathLike):
        raise TypeError(
            f"a scenario is a Scenario, a name or a path, not a {type(scenario).__name__}; mesa.batch_run takes "
            "several, as a list: {'scenario': [scenario]}"
        )
    if not isinstance(scenario, Scenario):
        return load_scenario(scenario if isinstance(scenario, str) else Path(scenario), overrides)
    if not overrides:
        return scenario
    data = scenario.model_dump(mode="json")
    for path, value in overrides.items():
        try:
            set_at(data, new_path(path), value.tolist() if isinstance(value, np.generic | np.ndarray) else value)
        except KeyError:
            raise ScenarioError(f"override {path}: there is no such parameter") from None
    try:
        return Scenario.model_validate_json(json.dumps(data))
    except ValueError as error:  # pydantic's ValidationError is one
        raise ScenarioError(str(error)) from None
