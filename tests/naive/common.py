"""What the twins share: who is alive, who is tied to whom, who controls whom, whom a firm meets."""

import ast
import inspect
import math
from typing import Any

from district_sim.kernels.draws import random_word
from district_sim.model import schedule
from district_sim.model.state import TRAITS, State


def scheduled() -> tuple[str, ...]:
    """The processes of a quarter in their order: what the schedule calls with (state, living, p, s)."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(schedule))) if isinstance(node, ast.Call)]
    return tuple(
        ast.unparse(call.func)
        for call in sorted(calls, key=lambda call: call.lineno)
        if [ast.unparse(argument) for argument in call.args] == ["state", "living", "p", "s"]
    )


def strategy(state: State, p: Any) -> Any:
    """The behaviour of the quarter: history before `strategy_start`, then the strategy."""
    return p.history[0] if state.clock.step[0] < p.strategy_start else p.strategy[0]


def conduct(firm: Any, trait: str) -> float:
    """A trait of a firm's conduct."""
    return float(firm.conduct[TRAITS.index(trait)])


def now(state: State) -> int:
    return int(state.clock.step[0])


def seed_of(state: State) -> Any:
    return state.clock.seed[0]


def living(state: State) -> list[int]:
    """Rows of living firms, in order."""
    return [i for i in range(int(state.clock.rows[0])) if state.firms[i].alive]


def key(state: State, i: int) -> int:
    return int(state.firms[i].key)


def links(state: State, i: int) -> list[tuple[int, int, float]]:
    """(slot, partner, trust) of every tie of firm i."""
    row = state.ties[i]
    return [(m, int(j), float(row.trust[m])) for m, j in enumerate(row.partner) if j >= 0]


def partners(state: State, i: int) -> list[int]:
    return [j for _, j, _ in links(state, i)]


def mean_trust(state: State, i: int) -> float:
    """Mean trust over firm i's ties; 0 without ties."""
    trust = [t for _, _, t in links(state, i)]
    return sum(trust) / len(trust) if trust else 0.0


def distance_km(state: State, i: int, j: int) -> float:
    a, b = state.firms[i], state.firms[j]
    return math.hypot(a.x - b.x, a.y - b.y)


def unit_of(state: State, i: int) -> int:
    """Who has the last word over firm i: a firm's row, or a multinational's `owner_code`."""
    owner = int(state.firms[i].owner)
    if owner == -1:
        return i
    return owner if owner < -1 else unit_of(state, owner)


def is_foreign(state: State, i: int) -> bool:
    return unit_of(state, i) < -1


def pipelines_of(state: State, i: int) -> list[tuple[int, int, float]]:
    """(slot, node, strength) of firm i's own pipelines."""
    row = state.pipelines[i]
    return [(g, int(n), float(row.strength[g])) for g, n in enumerate(row.node) if n >= 0]


def strongest_pipeline(state: State, i: int) -> float:
    return max((strength for _, _, strength in pipelines_of(state, i)), default=0.0)


def bucket(word: int, buckets: int) -> tuple[int, int]:
    """Consistent hash: a chain of uniform draws, each below the last, from 2**32 until it is among the buckets."""
    chosen = 2**32
    while chosen >= buckets:
        word = (word * 2862933555777941757 + 1) % 2**64
        chosen = chosen * (word // 2**32) // 2**32
    return chosen, word


def meet(state: State, i: int, number: int, stream: int) -> int:
    """A living firm other than i, drawn uniformly from all ids until one is in use; -1 if none was found."""
    who = key(state, i) if i >= 0 else i
    word = int(random_word(seed_of(state), stream, now(state), who, -2, number))
    for _ in range(48):
        j, word = bucket(word, int(state.clock.rows[0]))
        if j != i and state.firms[j].alive:
            return j
    return -1


def empty_row(state: State, j: int) -> None:
    """Nobody's: no owner, no ties, no pipelines."""
    state.firms[j].parent = state.firms[j].owner = state.firms[j].captor = state.firms[j].main_client = -1
    state.ties[j].partner[:] = -1
    state.pipelines[j].node[:] = -1


def make_tie(state: State, i: int, j: int, trust: float) -> bool:
    """Tie two firms in their first free slots; False if they are one, tied already, or one has no free slot."""
    if i == j or j in partners(state, i):
        return False
    free_i = [m for m, k in enumerate(state.ties[i].partner) if k < 0]
    free_j = [m for m, k in enumerate(state.ties[j].partner) if k < 0]
    if not free_i or not free_j:
        return False
    for here, there, mine, its in ((i, j, free_i[0], free_j[0]), (j, i, free_j[0], free_i[0])):
        row = state.ties[here]
        row.partner[mine], row.mirror[mine] = there, its
        row.trust[mine], row.age[mine] = trust, 0
    return True


def cut_tie(state: State, i: int, m: int) -> None:
    """End the tie in slot m of firm i on both sides."""
    j, b = int(state.ties[i].partner[m]), int(state.ties[i].mirror[m])
    for row, slot in ((state.ties[i], m), (state.ties[j], b)):
        row.partner[slot], row.trust[slot] = -1, 0.0


def cut_all_ties(state: State, i: int) -> int:
    ended = links(state, i)
    for m, _, _ in ended:
        cut_tie(state, i, m)
    return len(ended)


def pay(state: State, payer: int, receiver: int, amount: float) -> None:
    """Move money between two accounts."""
    state.accounts.money[payer] -= amount
    state.accounts.money[receiver] += amount


def move(state: State, origin: int, destination: int, people: float) -> None:
    """Move people between two states of activity."""
    state.accounts.people[origin] -= people
    state.accounts.people[destination] += people


def clip(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(high, max(low, value))
