"""The figure of a search: what can be had of two objectives at once."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from district_sim.figures.style import INK, STYLE
from district_sim.text.names import in_percent, outcome_name

if TYPE_CHECKING:
    from district_sim.experiments.search import Candidate, Objective, Searched

_PANELS = 3  # pairs of objectives that are drawn
_WORDS = {"worst_regret": "Worst regret", "cost": "Money spent, k€"}


def pareto(found: "Searched", objectives: Sequence["Objective"], winner: str) -> Figure:
    """All candidates, those that none beats, and the simple policies, by pairs of objectives.

    Args:
        found: as `experiments.search.search` gives it.
        objectives: at most the first three pairs are drawn; a single one is drawn by generation.
        winner: name of the candidate that was chosen.
    """
    pairs: Sequence[tuple[Objective | None, Objective]] = [*combinations(objectives, 2)][:_PANELS]
    pairs = pairs or [(None, objectives[0])]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(pairs) + 0.6, 4.8), layout="constrained")
        panels = figure.subplots(1, len(pairs), squeeze=False)[0]
        front = {one.name for one in found.front}
        others = [one for one in found.candidates if one.name not in front]
        best = [one for one in found.front if one.name == winner]
        for ax, pair in zip(panels, pairs, strict=True):
            for part, label, style in (
                (others, "beaten by another", {"color": "#b8c4cc", "s": 12}),
                (list(found.front), "beaten by none", {"color": "#1f4e79", "s": 26}),
                (best, "winner", {"color": "#b0561f", "s": 110, "marker": "*"}),
            ):
                x, y = ([_value(one, axis) for one in part] for axis in pair)
                ax.scatter(x, y, label=label, edgecolors="white", linewidths=0.5, **style)
            for mark, (name, values) in zip("osD^vPX" * len(found.simple), found.simple.items(), strict=False):
                x_at, y_at = (0.0 if axis is None else _scale(axis) * values[axis.name] for axis in pair)
                ax.scatter([x_at], [y_at], marker=mark, s=46, facecolors="none", edgecolors=INK, label=name, zorder=3)
            ax.set_xlabel("Generation" if pair[0] is None else _label(pair[0]))
            ax.set_ylabel(_label(pair[1]))
        handles, labels = panels[0].get_legend_handles_labels()
        figure.suptitle("What can be had at once, on the worlds of the search")
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _scale(objective: "Objective") -> float:
    return 100.0 if objective.outcome and in_percent(objective.outcome) else 1.0


def _value(one: "Candidate", objective: "Objective | None") -> float:
    return one.generation if objective is None else _scale(objective) * one.values[objective.name]


def _label(objective: "Objective") -> str:
    name = _WORDS.get(objective.name.removeprefix("-"), "") or outcome_name(objective.outcome)
    return f"{name} ({'more' if objective.sign > 0 else 'less'} is better)"
