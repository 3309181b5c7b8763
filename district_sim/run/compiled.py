"""Whether a scenario can run at once, or the model has to be compiled for it first."""

from collections.abc import Callable, Iterable

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


def compile_for(scenario: Scenario, told: Callable[[str, int, int], object] | None = None) -> None:
    """Compile the model for the scenario's shape, by a run of two quarters of a few firms.

    Args:
        told: called with the kernel that has been compiled, such as `market: employ`, how many have been, and how many
            there are. Some are of no use to this scenario.
    """
    from district_sim.kernels.parts import watching
    from district_sim.run.run import simulate

    done: set[tuple[str, str]] = set()
    kernels = _kernels()

    def tell(module: str, name: str) -> None:
        if told is not None and module.startswith("district_sim."):
            done.add((module, name))
            told(f"{module.rpartition('.')[2]}: {name}", len(done), kernels)

    small = {"firms": scenario.firms.model_copy(update={"count": 30}), "data": type(scenario.data)()}
    watching.append(tell)
    try:
        simulate(scenario.model_copy(update=small), quarters=2)
    finally:
        watching.remove(tell)


def _kernels() -> int:
    """How many kernels the model has."""
    import sys

    from district_sim.kernels.compile import Kernel

    modules = [module for name, module in list(sys.modules.items()) if name.startswith("district_sim.")]
    return len({value for module in modules for value in vars(module).values() if isinstance(value, Kernel)})
