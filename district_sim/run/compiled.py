"""Whether a scenario can run at once, or the model has to be compiled for it first."""

from collections.abc import Iterable

from district_sim.scenario.sections import Scenario


def one_of_each_shape(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """One scenario for each combination of the numbers that the model is compiled for: domains, phases, tie slots."""
    return list({(s.technology.domains, s.technology.phases, s.ties.maximum): s for s in scenarios}.values())


def is_compiled(scenario: Scenario | None = None) -> bool:
    """Whether machine code for the scenario's shape is at hand; for the default shape if none is given."""
    import numpy as np

    from district_sim.kernels.compile import is_kept
    from district_sim.model.parameters import for_kernels, parameters_of
    from district_sim.model.schedule import quarters
    from district_sim.model.state import empty_state, reports_of
    from district_sim.scenario.indicators import NAMES

    p = parameters_of(Scenario() if scenario is None else scenario)
    state = empty_state(1, 1, p, 0)
    table = np.empty((1, len(NAMES)))
    return is_kept(quarters, state, for_kernels(p), table, reports_of(state, 0), 0, 1, False)
