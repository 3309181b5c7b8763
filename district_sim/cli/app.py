"""`district-sim app`: the page in a browser."""

import errno
from pathlib import Path
from typing import Annotated

import typer

from district_sim.cli.common import BAD_INPUT, FAILED, clean_ends, complete_scenario, say_compiling, stop

_INSTALL = "pip install 'district-sim[app]'"


def app(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="[SCENARIO]", help="Bundled scenario, or file, to open first.", autocompletion=complete_scenario
        ),
    ] = "baseline",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0 picks a free one.")
    ] = 8765,
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 opens the page to the whole network."
        ),
    ] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address without opening a browser.")
    ] = False,
) -> None:
    """Watch and steer a district in the browser.

    Play a scenario, move levers and switch policies while it runs. Compare two
    districts under the same luck. See the fan of possible futures. The page
    needs no internet, and only this machine can open it unless you set --host.

    [bold]Examples[/bold]

      district-sim app
      district-sim app learning_region --port 9000
      district-sim app prato/district.yaml
      district-sim app --host 0.0.0.0 --no-browser

    Stop it with Ctrl-C. Exit code: 0 stopped, 1 could not start, 2 bad input.
    """
    with clean_ends():
        _need()
        from urllib.parse import quote

        from district_sim.scenario.files import load_scenario, scenario_names
        from district_sim.scenario.texts import short

        if scenario not in scenario_names():
            load_scenario(scenario)
            scenario = _open(Path(scenario))
        from district_sim.app import server

        try:
            at = server.bound(host, port)
        except UnicodeError:  # of a name too long for the name service
            stop(f"--host {short(host)}: no address can have this name", BAD_INPUT)
        except OSError as error:
            stop(cannot_serve(error, host, port), FAILED if error.errno != errno.EADDRINUSE else BAD_INPUT)
        if host in server.NETWORK:
            typer.echo(
                "This opens the page to everybody in your network: each visitor runs districts of their own here, with "
                "this machine's processors, and sees the scenarios that you open; nobody can read other files."
            )
        get_ready()
        port = at.getsockname()[1]
        found = server.addresses(host, port)
        query = "" if scenario == "baseline" else f"?scenario={quote(scenario)}"
        link = found[0] + query

        def started() -> None:
            others = "".join(f"  or  {one}{query}" for one in found[1:])
            typer.echo(f"The page is at {link}{others}\nStop it with Ctrl-C.")
            if not no_browser:
                server.show(link)

        server.serve(at, started, host)


def _open(path: Path) -> str:
    """Let the page read a file, and the tables beside it; returns the name that its links use."""
    from district_sim.app.course import opened

    opened[path.name] = path.absolute()
    return path.name


def _need() -> None:
    """Say what is missing before anything else happens."""
    from importlib.util import find_spec

    missing = [name for name in ("solara", "anywidget") if find_spec(name) is None]
    if missing:
        stop(f"the page needs {' and '.join(missing)}: {_INSTALL}", FAILED)


def cannot_serve(error: OSError, host: str, port: int) -> str:
    """Why nothing can be served at an address."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken, perhaps by another page; choose another with --port, or a free one with --port 0"
    return f"the page cannot be served at {host}, port {port}: {error.strerror or error}"


def get_ready() -> None:
    """Have the machine code ready before somebody presses Play."""
    from district_sim.run.compiled import compile_for, is_compiled
    from district_sim.scenario.files import load_scenario

    if not is_compiled():
        say_compiling()
    compile_for(load_scenario("classroom"))
