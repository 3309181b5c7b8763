"""`district-sim policies`: list, show and check policy files; describe instruments and shocks."""

from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.common import Commands, check_files, clean_ends, complete_policy, stdout

if TYPE_CHECKING:
    from collections.abc import Sequence

policies_app = Commands(help="List, show and check policies; describe instruments and shocks.")


@policies_app.command("list")
def list_policies() -> None:
    """List the bundled policies, one per line.

    [bold]Example[/bold]

      district-sim policies list
    """
    from district_sim.scenario.policy_files import load_policy, policy_names

    with clean_ends():
        _print_pairs([(name, load_policy(name).title) for name in policy_names()])


@policies_app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="POLICY", help="Name of a bundled policy, or path of a YAML file.", autocompletion=complete_policy
        ),
    ],
) -> None:
    """Print a policy file as written: a start for your own.

    [bold]Example[/bold]

      district-sim policies show export_platform > my_policy.yaml
    """
    from district_sim.scenario.policy_files import policy_text

    with clean_ends():
        typer.echo(policy_text(name), nl=False)


@policies_app.command()
def validate(files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Policy files or names.")]) -> None:
    """Check policy files; exit code 2 if any is invalid.

    [bold]Example[/bold]

      district-sim policies validate my_policy.yaml
    """
    from district_sim.scenario.policy_files import load_policy

    check_files(files, load_policy)


@policies_app.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors that check and complete YAML.

    [bold]Example[/bold]

      district-sim policies schema > policy.schema.json
    """
    from district_sim.cli.scenarios import print_schema
    from district_sim.scenario.sections import Scenario

    described = Scenario.model_json_schema()
    fields = {name: described["properties"][name] for name in ("title", "description", "policies")}
    fields["source"] = {"type": "string", "description": "The literature or programme that the policy follows"}
    used = {
        name: described["$defs"][name]
        for name in ("Instrument", "InstrumentKind", "Targeting", "Funding", "Signpost", "Action")
    }
    shape = {"title": "Policy", "type": "object", "additionalProperties": False, "required": ["policies"]}
    print_schema({"$defs": used, **shape, "properties": fields})


@policies_app.command()
def instruments() -> None:
    """Describe each policy instrument: effect, side costs and source.

    [bold]Example[/bold]

      district-sim policies instruments
    """
    from district_sim.scenario.instruments import InstrumentKind, Targeting

    rows = []
    for kind in InstrumentKind:
        note = kind.record
        reach = "Firms, which `target` and `phase` choose." if note.targeted else "The district as a whole."
        sign = "+" if note.direction > 0 else "-"
        rows.append((kind.value, f"{note.mechanism} {note.costs} {reach} Moves: {note.outcome} {sign}. {note.source}."))
    _print_pairs(rows)
    typer.echo(f"\ntarget: {', '.join(Targeting)}")


@policies_app.command()
def shocks() -> None:
    """Describe each shock: effect, size and source. Use them under `shocks` in a scenario file.

    [bold]Example[/bold]

      district-sim policies shocks
    """
    from district_sim.scenario.instruments import ShockKind

    rows = []
    for kind in ShockKind:
        note = kind.record
        time = "start" if note.event else "start, duration, recovery"
        size = f"size: {note.size}, {note.low:g} to {note.high:g}; {time}."
        rows.append((kind.value, f"{note.mechanism} {size} {note.source}."))
    _print_pairs(rows)


def _print_pairs(rows: "Sequence[tuple[str, str]]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(name, Text(text))
    stdout().print(table)
