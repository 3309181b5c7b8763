"""Draws of parameters that are not known, laid over the points of an experiment: one for each replicate.

Replicate r meets the same luck and the same draw at every point, so that differences between points are differences of
pairs, and their spread holds luck and parameters. What a point says of a parameter itself wins over the draw: a varied
value, and a scenario's own value where it differs from that of the first scenario.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from district_sim.experiments.design import Draws, Value
from district_sim.scenario.files import ScenarioError
from district_sim.scenario.paths import value_at


def drawn(
    draws: Draws | None, replicate: int, own: Mapping[str, Any], first: Mapping[str, Any], settings: Iterable[str] = ()
) -> dict[str, Value]:
    """What a draw sets in one run.

    Args:
        draws: none, where parameters are known. replicate: which run of the point.
        own: the point's resolved scenario. first: that of the first scenario. settings: paths that the point sets.
    """
    if draws is None:
        return {}
    kept = {*settings}
    return {
        path: values[replicate]
        for path, values in draws.values.items()
        if path not in kept and value_at(own, path) == value_at(first, path)
    }


def check_draws(draws: Draws, bases: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Raises ScenarioError where a scenario lacks a parameter of the draws."""
    for (scenario, _), data in bases.items():
        for path in draws.values:
            if value_at(data, path) is None:
                raise ScenarioError(f"draws of {draws.name}: {scenario} has no parameter {path!r}")


def winners(
    draws: Draws, bases: Mapping[tuple[str, str], Mapping[str, Any]], varied: Iterable[str] = ()
) -> Iterator[str]:
    """A sentence for each parameter that a draw does not set everywhere: what wins over it, and where."""
    first = next(iter(bases.values()))
    for path in draws.values:
        if path in {*varied}:
            yield f"{path} is varied: its own values win over the draws"
            continue
        own = {scenario: value_at(data, path) for (scenario, _), data in bases.items()}
        for scenario, value in own.items():
            if value != value_at(first, path):
                yield f"{path}: {scenario} says {value:g} and wins over the draws there"
