"""Commands that take `--posterior`: one option, and one way from a file to the draws of an experiment."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.common import BAD_INPUT, stop, warn

if TYPE_CHECKING:
    from district_sim.evidence.posterior.posterior import Posterior
    from district_sim.experiments.design import Draws

DrawsOption = Annotated[
    Path | None,
    typer.Option(
        "--posterior",
        metavar="FILE",
        help="posterior.nc of calibrate --posterior, or its folder: each replicate takes one draw of the parameters.",
    ),
]
EvenSoOption = Annotated[bool, typer.Option("--even-so", help="Use a posterior that failed its check.")]


def posterior_of(path: Path, even_so: bool) -> "Posterior":
    """The posterior of `--posterior`; one that failed its check only with `--even-so`.

    Raises:
        ScenarioError: it cannot be read, or failed.
    """
    from district_sim.evidence.posterior.posterior import Posterior

    return Posterior.load(path, even_so)


def posterior_if_given(path: Path | None, even_so: bool) -> "Posterior | None":
    """The same where `--posterior` may be left out; ends with a message if `--even-so` is about nothing."""
    if path is not None:
        return posterior_of(path, even_so)
    if even_so:
        stop("--even-so needs --posterior", BAD_INPUT)
    return None


def draws_of(
    posterior: Path | None,
    even_so: bool,
    replications: int,
    seed: int,
    scenarios: Mapping[str, Mapping[str, Any]],
    varied: Collection[str] = (),
    quiet: bool = False,
) -> "Draws | None":
    """One draw for each replicate; says on stderr what wins over the draws and what is wrong with the posterior.

    Args:
        posterior: as `--posterior` says. even_so: also one that failed its check.
        replications: as many draws. seed: of the choice of draws.
        scenarios: resolved, by name, in the order of the command. varied: paths whose own values win.

    Raises:
        ScenarioError: it cannot be used, failed its check, or a scenario lacks one of its parameters.
    """
    found = posterior_if_given(posterior, even_so)
    if found is None:
        return None
    from district_sim.experiments.design import Draws
    from district_sim.experiments.draws import check_draws, winners

    numbers = found.numbers(replications, seed)
    rows = [found.settings(number) for number in numbers]
    draws = Draws(
        name=str(posterior)[-200:],
        numbers=tuple(numbers),
        values={path: tuple(row[path] for row in rows) for path in found.parameters},
    )
    bases = {(name, ""): data for name, data in scenarios.items()}
    check_draws(draws, bases)
    warn(found.alarm if quiet else found.warning)
    if not quiet:
        for sentence in winners(draws, bases, varied):
            typer.echo(f"--posterior: {sentence}", err=True)
    return draws
