"""Random joint extremes of all parameters, few of them; `python -m tests.extremes` makes thousands."""

import numpy as np
from extremes import drawn, extremes

from district_sim.scenario.sections import Scenario


def test_extremes_are_finite_and_balanced_or_refused() -> None:
    found = extremes(100, 1)
    assert not found.failed, "\n".join(found.failed)
    assert found.ended["decline"] > 10
    assert found.ended["marshallian_persistence"] > 10
    assert found.died > 5
    assert {"trust", "wage", "leverage"} <= set(found.undefined)


def test_draws_reach_the_ends_of_all_ranges() -> None:
    """Every number of the sections is drawn at both ends of its range, or somewhere far from its default."""
    seen: dict[tuple[str, str], set[float]] = {}
    for number in range(200):
        values, _ = drawn(number, 2)
        for section, given in values.items():
            if isinstance(given, dict):
                for name, value in given.items():
                    seen.setdefault((section, name), set()).add(float(value))
    sections = Scenario.model_fields
    for section, name in seen:
        field = sections[section].annotation.model_fields[name]  # type: ignore[union-attr]
        limits = [float(getattr(part, end)) for end in ("ge", "le") for part in field.metadata if hasattr(part, end)]
        if limits and limits[1] <= 1000 and name not in ("count", "quarters") and not name.startswith("project_"):
            assert set(limits) <= seen[section, name], (section, name)
    assert all(np.ptp(list(values)) > 0 for values in seen.values())
