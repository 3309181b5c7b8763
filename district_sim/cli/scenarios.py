"""`district-sim scenarios`: list, show and check scenario files."""

import json
import sys
from typing import Annotated, Any

import typer

from district_sim.cli.common import Commands, ScenarioArgument, check_files, clean_ends, complete_scenario, stdout

scenarios_app = Commands(help="List, show and check scenario files.")


@scenarios_app.command("list")
def list_scenarios() -> None:
    """List the bundled scenarios, one per line.

    [bold]Example[/bold]

      district-sim scenarios list
    """
    from rich.table import Table

    from district_sim.scenario.files import load_scenario, scenario_names

    with clean_ends():
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for name in scenario_names():
            scenario = load_scenario(name)
            table.add_row(name, scenario.title or _first_sentence(scenario.description))
        stdout().print(table)


@scenarios_app.command()
def show(
    name: ScenarioArgument,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print every value, inherited values and defaults included.")
    ] = False,
) -> None:
    """Print a scenario as written, or in full.

    A bundled scenario begins with comments: what it is, how it works, things to
    notice, things to try.

    [bold]Examples[/bold]

      district-sim scenarios show learning_region > my_district.yaml
      district-sim scenarios show baseline --resolved
    """
    from district_sim.scenario.files import load_scenario, scenario_notes, scenario_text

    with clean_ends():
        if not resolved:
            notes = scenario_notes(name).splitlines()
            typer.echo("".join(f"# {line}".rstrip() + "\n" for line in [*notes, ""] if notes), nl=False)
            typer.echo(scenario_text(name), nl=False)
            return
        scenario = load_scenario(name)
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.width = 110
        yaml.dump(scenario.model_dump(mode="json"), sys.stdout)


@scenarios_app.command()
def validate(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Scenario files or names.", autocompletion=complete_scenario),
    ],
) -> None:
    """Check scenario files; exit code 2 if any is invalid.

    [bold]Examples[/bold]

      district-sim scenarios validate my_district.yaml
      district-sim scenarios validate mine/*.yaml
    """
    from district_sim.scenario.files import load_scenario

    check_files(files, load_scenario)


@scenarios_app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that check and complete YAML.

    [bold]Example[/bold]

      district-sim scenarios schema > district-sim.schema.json

    Then write as the first line of a scenario file:

      # yaml-language-server: $schema=district-sim.schema.json
    """
    from district_sim.scenario.sections import Scenario

    described = Scenario.model_json_schema()
    text = {"type": "string"}
    extends = {
        "description": "Scenarios to read first; values in this file override them",
        "anyOf": [text, {"type": "array", "items": text}],
    }
    described["properties"] = {"extends": extends, **described["properties"]}
    print_schema(described)


def print_schema(described: dict[str, Any]) -> None:
    """Print a JSON Schema with the address of its dialect, in which times may be dates."""
    from district_sim.scenario.calendar import with_dates

    described = with_dates(described)
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    typer.echo(json.dumps(described, indent=2))


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0]
