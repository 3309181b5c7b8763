"""`district-sim study`: experiments from the literature, expectations against results."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from district_sim.cli.common import (
    BAD_INPUT,
    ForceOption,
    JsonOption,
    OutOption,
    QuietOption,
    WorkersOption,
    check_folder,
    check_seed,
    clean_ends,
    name_files,
    progress,
    stdout,
    stop,
    writing,
)
from district_sim.cli.draws import DrawsOption, EvenSoOption, draws_of
from district_sim.evidence.studies import REPLICATIONS, SEED, STUDIES
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from district_sim.evidence.studies.measure import Result

ALL, LIST = "all", "list"
_MOST = 10_000  # replicates


def complete_study(incomplete: str) -> list[str]:
    """Studies, all of them, or their list."""
    return [name for name in (LIST, ALL, *STUDIES) if name.startswith(incomplete)]


def study(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|list|all", help="A study, all of them, or their list.", autocompletion=complete_study
        ),
    ],
    replications: Annotated[
        int, typer.Option("--replications", metavar="N", help="Runs of each cell, at least 2.")
    ] = REPLICATIONS,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Seed; the same seed gives the same numbers.")
    ] = SEED,
    posterior: DrawsOption = None,
    even_so: EvenSoOption = False,
    workers: WorkersOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run experiments from the literature: expectations against results.

    A study compares districts, programmes of equal cost and shocks under the same
    luck. Each expectation was written down with its source before any run. The
    results agree, disagree or leave it undecided. With --posterior each
    replicate takes one draw of the parameters, the same in all cells; what a
    cell says itself wins. DIR receives studies.md and
    .json, expectations.csv, and for each study its cells (CSV) and a figure; of
    conduct, also what firms answer (CSV) and how it fades. All studies together
    take several minutes.

    [bold]Examples[/bold]

      district-sim study list
      district-sim study takeovers --out results/takeovers
      district-sim study conduct
      district-sim study all --replications 10 --json

    Exit code: 0 done, whatever the results; 2 bad input.
    """
    with clean_ends():
        if name == LIST:
            _list(as_json)
            return
        if name != ALL and name not in STUDIES:
            from district_sim.scenario.suggestions import suggest

            known = [LIST, ALL, *STUDIES]
            stop(f"there is no study {name!r}{suggest(name, known) or f' (known: {", ".join(known)})'}", BAD_INPUT)
        if not 2 <= replications <= _MOST:
            stop(f"--replications must be between 2 and {_MOST}, not {replications}", BAD_INPUT)
        check_seed(seed)
        if out is not None:
            check_folder(out, force)
        names = list(STUDIES) if name == ALL else [name]
        found = _measured(names, replications, seed, workers, quiet, posterior, even_so)
        written: list[Path] = []
        if out is not None:
            from district_sim.reports.studies import write_studies

            written = writing(out, lambda: write_studies(found, out))
        if as_json:
            record = [result.as_dict() for result in found]
            typer.echo(json_text(record if name == ALL else record[0]))
        elif not quiet:
            _show(found)
            name_files(written)


def _list(as_json: bool) -> None:
    from district_sim.evidence.studies import load_study

    designs = [load_study(name) for name in STUDIES]
    if as_json:
        rows = [
            {"name": each.name, "title": each.title, "question": each.question, "design": each.design}
            | {"expectations": [{"text": one.text, "source": one.source.short} for one in each.expectations]}
            for each in designs
        ]
        typer.echo(json_text(rows))
        return
    from district_sim.reports.studies import designs_sheet

    stdout().print(designs_sheet(designs).shown())


def _measured(
    names: list[str],
    replications: int,
    seed: int,
    workers: int | None,
    quiet: bool,
    posterior: Path | None,
    even_so: bool,
) -> "list[Result]":
    from district_sim.evidence.studies import load_study
    from district_sim.evidence.studies.design import scenario_of
    from district_sim.evidence.studies.measure import measure

    designs = [load_study(name) for name in names]
    draws = {}
    for each in designs:
        cells = {cell.name: scenario_of(cell).model_dump(mode="json") for cell in each.cells} if posterior else {}
        varied = {path for cell in each.cells for path in cell.levers}
        draws[each.name] = draws_of(posterior, even_so, replications, seed, cells, varied, quiet)
    total, before, found = replications * sum(len(each.cells) for each in designs), 0, []
    how: Any = {"replications": replications, "seed": seed, "workers": workers}
    with progress(total, quiet, "runs") as advance:
        for each in designs:

            def tell(done: int, _of: int, what: str = each.name, start: int = before) -> None:
                advance(what, start, done)

            found.append(measure(each, draws=draws[each.name], **how, progress=tell))
            before += replications * len(each.cells)
    return found


def _show(found: "list[Result]") -> None:
    from district_sim.reports.studies import (
        cells_sheet,
        costs_sheet,
        expectations_sheet,
        further_sheets,
        summary_sheet,
        verdict_counts,
    )

    if len(found) > 1:
        stdout().print(summary_sheet(found).shown())
        return
    result = found[0]
    typer.echo(f"{result.study.question}\n{result.study.design}\n")
    costs = costs_sheet(result)
    for sheet in (
        cells_sheet(result), *([costs] if costs else []), *further_sheets(result), expectations_sheet(result)
    ):  # fmt: skip
        stdout().print(sheet.shown())
        typer.echo("")
    typer.echo(verdict_counts(found))
