"""`district-sim setup`: compile the model ahead of the first run."""

from typing import Annotated

import typer

from district_sim.cli.common import FAILED, QuietOption, clean_ends, complete_scenario, stdout, stop


def setup(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]...",
            help="Compile for these: bundled scenarios or YAML files. By default for all with the usual numbers of "
            "domains, phases and ties.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Compile the model for this machine, so that the first run starts at once.

    This takes half a minute to a minute, once for each version of district-sim,
    and once more for each other number of domains, phases or ties. Nothing
    happens if it has been done.

    [bold]Examples[/bold]

      district-sim setup
      district-sim setup cases/carpi my_district.yaml
    """
    from district_sim.cli.common import progress
    from district_sim.kernels.compile import cache_folder
    from district_sim.run.compiled import compile_for, is_compiled, one_of_each_shape
    from district_sim.scenario.files import load_scenario
    from district_sim.scenario.sections import Scenario
    from district_sim.text.numbers import size

    with clean_ends():
        if cache_folder is None:
            stop("nothing was compiled: there is no folder to keep it in", FAILED)
        shapes = one_of_each_shape(map(load_scenario, scenarios)) if scenarios else [Scenario()]
        missing = [scenario for scenario in shapes if not is_compiled(scenario)]
        with progress(None, quiet, "kernels", scenarios=missing) as advance:
            for scenario in missing:
                compile_for(scenario, lambda kernel, done, of: advance(kernel, 0, done, of))
        if quiet:
            return
        kept = sum(path.stat().st_size for path in cache_folder.glob("*.machine"))
        said = "Compiled" if missing else "Nothing to do: the model is compiled"
        stdout().print(f"{said}. Machine code: {size(kept)} in {cache_folder}", highlight=False, markup=False)
