"""Command: `district-sim`, what a user types.

Each command checks what it was given, calls the package's public functions, and writes. Everything heavy is imported
inside the commands, so that `--help` answers at once.
"""

import signal
import warnings
from collections.abc import Callable
from typing import Annotated

import typer

from district_sim._version import __version__
from district_sim.cli import cases, compare, district_import, policy_report, run, search, sweep
from district_sim.cli.app import app as page
from district_sim.cli.classroom import class_
from district_sim.cli.common import Commands
from district_sim.cli.explore import explore
from district_sim.cli.export import export
from district_sim.cli.forecast import forecast
from district_sim.cli.policies import policies_app
from district_sim.cli.replications import replicate_app
from district_sim.cli.scenarios import scenarios_app
from district_sim.cli.setup import setup
from district_sim.cli.studies import study
from district_sim.cli.terminal import print_plainly, printing

_in_full = warnings.formatwarning

COMMANDS: dict[str, Callable[..., None]] = {
    "setup": setup,
    "run": run.run,
    "demo": run.demo,
    "app": page,
    "class": class_,
    "import": district_import.import_district,
    "sweep": sweep.sweep,
    "results": sweep.results,
    "export": export,
    "verify": run.verify,
    **compare.COMMANDS,
    "explore": explore,
    "policy-report": policy_report.policy_report,
    "search": search.search,
    "calibrate": cases.calibrate,
    "forecast": forecast,
    "study": study,
}
"""In the order of the help."""

app = Commands(
    name="district-sim",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(replicate_app, name="replicate")
app.add_typer(scenarios_app, name="scenarios")
app.add_typer(policies_app, name="policies")


def main() -> None:
    """Entry point of the `district-sim` command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # before and after a command's work Ctrl-C ends it without words
    warnings.formatwarning = _plainly
    print_plainly()
    with printing():
        app()


def _plainly(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """What Python shows of a warning: of our own what it says, of others also where it comes from."""
    if category.__module__.startswith("district_sim"):
        return f"Warning: {message}\n"
    return _in_full(message, category, filename, lineno, line)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"district-sim {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """How industrial districts evolve under globalisation: an agent-based model.

    [bold]Begin with[/bold]

      district-sim demo                  one district, five runs, one figure
      district-sim app                   one district, live in the browser
      district-sim class                 a lesson: the class plays on its phones
      district-sim scenarios list        scenarios to run
      district-sim policies list         policies to try on a scenario
      district-sim run learning_region   one run: start, end, trajectory
      district-sim sweep --help          many runs, one data set
    """
