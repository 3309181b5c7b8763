"""The public-good game, computed: people decide for some firms of a district, all others decide as the model has it.

Who plays runs an independent firm. In each quarter of a round its membership of the agency is what the player says;
every other firm reviews its own by the model's rule and looks at its partners, the players' firms among them. The model
has no place for a pledge that is decided elsewhere. So a quarter in which somebody decides otherwise than the model
would is run twice: once on a copy, to see what each firm decides, and once with these decisions, the players' and no
further review. Draws are keyed, so both are the same quarter; without players a game is the plain run, bit for bit.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from district_sim.model.extensions import columns_of
from district_sim.model.initial import initial_state
from district_sim.model.parameters import Parameters, parameters_of
from district_sim.model.state import PROJECTS, SELF_OWNED, State, copied
from district_sim.run.run import advance
from district_sim.scenario.paths import set_at
from district_sim.scenario.sections import Scenario

MOST_PLAYERS = 60
"""Firms that people may run; who comes later watches."""
FEE = "agency.contribution"
"""The value that says what a member pays: a share of value added."""
_KEPT = "value_added_local"

type Told = dict[str, Any]
"""Plain data; NaN where something is undefined."""


class Turn(NamedTuple):
    """A round, as it was decided."""

    people: int
    """How many had come: players 1 to so many run a firm, as far as there are firms."""
    choices: dict[int, bool]
    """Of each player who has decided, whether the firm is a member; other firms decide for themselves."""
    values: dict[str, float]
    """What the agency changed, by path."""


class Plan(NamedTuple):
    """All that was decided in a game."""

    begin: int
    """Quarters before the first round."""
    quarters: int
    """In a round."""
    turns: tuple[Turn, ...]

    def as_text(self) -> str:
        """Text by which games are known; `of_text` reads it."""
        turns = [[one.people, sorted(one.choices.items()), one.values] for one in self.turns]
        return json.dumps([self.begin, self.quarters, turns], sort_keys=True)

    @classmethod
    def of_text(cls, text: str) -> "Plan":
        """What `as_text` wrote."""
        begin, quarters, turns = json.loads(text)
        made = (Turn(so_many, dict(choices), values) for so_many, choices, values in turns)
        return cls(begin, quarters, tuple(made))


class Outcome(NamedTuple):
    """What came of a game so far."""

    columns: dict[str, np.ndarray]
    """Each indicator, quarter by quarter."""
    rounds: list[Told]
    """What each round brought: `decided` players of whom `joined`, `others` of whom `members`; their `share` of all
    firms; what the agency took (`contributed`, `matched` k€) and in how many quarters it worked, its `capability` and
    `effects` in the end; `kept`, value added kept in the round relative to the same district without any agency; `cost`
    of joining, to all players together, as a share of their value added; and of each of the `players` the firm, what it
    earned and paid, and `gain`, profit [k€] over that of a decision to the contrary, everybody else's decision as it
    was."""
    firms: dict[int, Told]
    """The firm that each player has in the next round, who may come by then included; `left` says what became of the
    one before: closed, sold, or nothing."""


def played(scenario: Scenario, seed: int, plan: Plan, gains: bool = True) -> Outcome:
    """Play a game as it was decided, from the first quarter on.

    Args:
        scenario: before anybody changed anything.
        seed: the class's luck.
        gains: whether to run each round once more for each player, to tell `gain` and `cost`; else they are NaN.
    """
    length = plan.begin + len(plan.turns) * plan.quarters
    table = _Table(scenario, seed, max(1, length))
    for _ in range(plan.begin):
        table.step({})
    without = table.copy()
    firms: dict[int, int] = {}
    rounds = []
    for turn in plan.turns:
        _deal(firms, turn.people, table.state)
        rounds.append(_round(table, without, turn, firms, plan.quarters, gains))
    left = _deal(firms, MOST_PLAYERS, table.state)
    now = {player: _facts(table.state, row) | {"left": left.get(player, "")} for player, row in sorted(firms.items())}
    columns = {name: table.rows[:length, k] for k, name in enumerate(table.names)}
    return Outcome(columns, rounds, now)


class _Table:
    """A district that is played: its state, its parameters, and its indicators so far."""

    def __init__(self, scenario: Scenario, seed: int, length: int) -> None:
        self.scenario, self.done = scenario, 0
        self.change({})
        self.names = columns_of(self.decide)
        self.state = initial_state(self.decide, seed, length)
        self.rows = np.full((length, len(self.names)), np.nan)

    def copy(self) -> "_Table":
        """A district of its own that goes on from here."""
        made = object.__new__(_Table)
        made.__dict__.update(self.__dict__)
        made.state, made.rows = copied(self.state), self.rows.copy()
        return made

    def change(self, values: Mapping[str, float]) -> None:
        """Have these values in force over the scenario's, from the next quarter on."""
        data = self.scenario.model_dump(mode="json")
        for path, value in values.items():
            set_at(data, path, value)
        self.decide: Parameters = parameters_of(Scenario.model_validate_json(json.dumps(data)))
        agency = self.decide.agency.copy()
        agency["review"] = 0.0
        self.keep = self.decide._replace(agency=agency)
        """The same where no firm reviews its membership."""

    def kept(self, quarters: int) -> float:
        """Value added kept in the last quarters, k€."""
        return float(self.rows[self.done - quarters : self.done, self.names.index(_KEPT)].sum())

    def step(self, choices: Mapping[int, bool]) -> None:
        """Run a quarter; firms decide for themselves, apart from those of which somebody says what they do.

        Args:
            choices: of a firm's row, whether it is a member.
        """
        self.state = self._quarter({row: join for row, join in choices.items() if self.state.firms["alive"][row]})
        self.done += 1

    def _quarter(self, wishes: Mapping[int, bool]) -> State:
        now, quarter = self.state, (self.done, self.done + 1)
        if not wishes:
            return advance(now, self.decide, self.rows, *quarter)
        asked = advance(copied(now), self.decide, self.rows, *quarter)
        alive, pledges = asked.firms["alive"], asked.firms["pledges"]
        if all(alive[row] and bool(pledges[row]) == join for row, join in wishes.items()):
            return asked
        living = np.flatnonzero(now.firms["alive"])
        # who closes in this quarter takes its decision along: it keeps to the one before
        now.firms["pledges"][living] = np.where(alive[living], pledges[living], now.firms["pledges"][living])
        for row, join in wishes.items():
            now.firms["pledges"][row] = join
        return advance(now, self.keep, self.rows, *quarter)


class _Sums:
    """What firms earned and paid in some quarters, and what the agency took [k€]."""

    def __init__(self, table: _Table, quarters: int, choices: Mapping[int, bool]) -> None:
        """Run these quarters."""
        self.contributed = self.matched = 0.0
        self.worked = 0
        self.firms = {name: np.zeros(0) for name in ("profit", "value_added", "contribution")}
        for _ in range(quarters):
            table.step(choices)
            rows, agency = int(table.state.clock.rows[0]), table.state.agency[0]
            for name, before in self.firms.items():
                self.firms[name] = np.pad(before, (0, rows - before.size)) + table.state.firms[name][:rows]
            self.contributed += float(agency["contributed"])
            self.matched += float(agency["matched"])
            self.worked += bool(agency["participation"] > 0.0)

    def of(self, name: str, row: int) -> float:
        """The sum of one firm."""
        return float(self.firms[name][row])


def _round(table: _Table, without: _Table, turn: Turn, firms: Mapping[int, int], quarters: int, gains: bool) -> Told:
    """Play one round in both districts, and tell what it brought."""
    table.change(turn.values)
    without.change({**turn.values, FEE: 0.0})
    choices = {firms[player]: join for player, join in turn.choices.items() if player in firms}
    before = table.copy()
    sums = _Sums(table, quarters, choices)
    _Sums(without, quarters, {})
    players: dict[int, Told] = {}
    for player, row in sorted(firms.items()):
        join = turn.choices.get(player)
        told = _facts(table.state, row) | {"joined": join, "paid": sums.of("contribution", row), "gain": math.nan}
        told |= {"profit": sums.of("profit", row), "value_added": sums.of("value_added", row)}
        if join is not None and gains:
            other = _Sums(before.copy(), quarters, {**choices, row: not join})
            told["gain"] = told["profit"] - other.of("profit", row)
        players[player] = told
    state = table.state
    decided = np.isin(np.arange(state.firms.size), list(choices))
    others = state.firms["alive"] & ~decided
    asked = [one for one in players.values() if one["joined"] is not None]
    lost = math.fsum(-one["gain"] if one["joined"] else one["gain"] for one in asked)
    value = math.fsum(one["value_added"] for one in asked)
    return {
        "decided": len(choices),
        "joined": sum(choices.values()),
        "others": int(others.sum()),
        "share": float((state.firms["pledges"][state.firms["alive"]] > 0).mean()) if others.any() else math.nan,
        "members": int((state.firms["pledges"][others] > 0).sum()),
        "contributed": sums.contributed,
        "matched": sums.matched,
        "worked": sums.worked,
        "capability": float(state.agency["capability"][0]),
        "effects": dict(zip(PROJECTS, state.agency["effect"][0].tolist(), strict=True)),
        "kept": table.kept(quarters) / kept if (kept := without.kept(quarters)) > 0.0 else math.nan,
        "cost": lost / value if value > 0.0 else math.nan,
        "players": players,
    }


def _deal(firms: dict[int, int], people: int, state: State) -> dict[int, str]:
    """Give everybody a firm who has none, the largest first, in the order of their numbers.

    Args:
        firms: the row of each player's firm; changed.

    Returns:
        What became of the firms of those who had one: closed, or sold.
    """
    alive, owner = state.firms["alive"], state.firms["owner"]
    left = {}
    for player, row in firms.items():
        if not alive[row] or owner[row] != SELF_OWNED:
            left[player] = "sold" if alive[row] else "closed"
    for player in left:
        del firms[player]
    free = alive & (owner == SELF_OWNED) & (state.firms["captor"] < 0)
    free[owner[alive & (owner >= 0)]] = False
    free[list(firms.values())] = False
    rows = np.flatnonzero(free)
    rows = rows[np.lexsort((rows, -state.firms["employees"][rows]))]
    wanting = [player for player in range(1, min(people, MOST_PLAYERS) + 1) if player not in firms]
    firms.update(zip(wanting, rows.tolist(), strict=False))
    return left


def _facts(state: State, row: int) -> Told:
    """What a player is told of a firm: id, phase (0 the first), employees, value added of the last quarter [k€]."""
    firm = state.firms[row]
    return {
        "firm": row,
        "phase": int(firm["phase"]),
        "employees": float(firm["employees"]),
        "value_added": float(firm["value_added"]),
    }
