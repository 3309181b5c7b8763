"""`district-sim replicate CASE --hold-out DATE`: fitted to the years up to a date, judged on the rest."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from district_sim.cli.cases import complete_case
from district_sim.cli.common import (
    ForceOption,
    JsonOption,
    QuietOption,
    SeedOption,
    WorkersOption,
    clean_ends,
    name_files,
    stdout,
    warn,
    writing,
)
from district_sim.cli.posterior import LucksOption, working_in
from district_sim.cli.sweep import DaskOption
from district_sim.run.whole_files import json_text

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case
    from district_sim.evidence.posterior.fit import Setting
    from district_sim.evidence.posterior.hold_out import Cut, Outlook

DRAWS = 1000


def hold_out(
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE",
            help="A bundled case such as carpi, or your file of targets.",
            autocompletion=complete_case,
        ),
    ],
    date: Annotated[
        str, typer.Option("--hold-out", metavar="DATE", help="Year (its beginning), or quarter: later is held out.")
    ],
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="SCENARIO", help="The district; by default the one that the file names."),
    ] = None,
    simulations: Annotated[int, typer.Option("--simulations", metavar="N", help="Runs from the prior.")] = 2000,
    paths: Annotated[int, typer.Option("--paths", metavar="N", help="Runs over the later years.")] = 500,
    lucks: LucksOption = 5,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the results; by default hold_outs/CASE.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fit a case to the years up to a date, and judge the forecast on later ones.

    `district-sim replicate CASE --hold-out DATE` is the same command. The fit
    sees nothing later: no figure, no shock, no policy that begins after the
    date. The tables say which later figures lie in their 50 and 90 % bands, the
    CRPS, and the skill against "stays as it was" and "goes on as before". DIR
    receives hold_out.md and .json, scores.csv, fans.csv, the figure fans, and in
    posterior the posterior of the years before. After a stop, repeat the command
    to continue. docs/hold_out.md explains them. It needs
    district-sim[bayes].

    [bold]Examples[/bold]

      district-sim replicate hold-out carpi --hold-out 2005
      district-sim replicate hold-out my.targets.yaml --hold-out 2015 --paths 200 --out judged

    Exit code: 0 judged, 1 could not write, 2 bad input, 130 stopped by Ctrl-C.
    """
    with clean_ends():
        from district_sim.evidence.posterior import fit, posterior
        from district_sim.evidence.posterior.forecast import check_paths
        from district_sim.evidence.posterior.hold_out import cut
        from district_sim.evidence.posterior.scores import scores
        from district_sim.reports.hold_out import sheets, warnings, write_hold_out
        from district_sim.reports.posterior import write_posterior

        posterior.need()
        found = _case(case, scenario)
        at = cut(found, date)
        folder = out or Path("hold_outs") / found.name
        setting = fit.Setting(at.case, seed, simulations, DRAWS, folder / "posterior", force)
        fit.check(setting)
        check_paths(paths, lucks)
        words = ["district-sim", "replicate", case, "--hold-out", date, *(["--scenario", scenario] if scenario else [])]
        words += ["--simulations", str(simulations), "--paths", str(paths), "--lucks", str(lucks), "--seed", str(seed)]
        command = shlex.join(words)
        outlook = _ahead(at, setting, paths, lucks, workers, dask, folder, quiet)
        judged = scores(outlook)
        written = writing(folder, lambda: write_hold_out(outlook, judged, command, folder))
        written += writing(folder, lambda: write_posterior(outlook.fitted, None, command))
        if as_json:
            typer.echo(json_text(json.loads((folder / "hold_out.json").read_text(encoding="utf-8"))))
        elif not quiet:
            for sheet in sheets(outlook, judged).values():
                stdout().print(sheet.shown())
                typer.echo("")
            name_files(written)
        for said in warnings(outlook):
            warn(said)


def _case(name: str, scenario: str | None) -> "Case":
    """A bundled case as it stood before it was fitted, or a file of targets."""
    from district_sim.evidence.cases.files import case_names, load_case, read_case
    from district_sim.scenario.files import SUFFIXES, ScenarioError
    from district_sim.scenario.files import bundled_folder as folder
    from district_sim.scenario.suggestions import suggest

    plain = name.removeprefix("cases/")
    if plain in case_names():
        if scenario is None:
            return load_case(name, fitted=False)
        return read_case(folder() / "cases" / f"{plain}.targets.yaml", scenario)
    if name.endswith(SUFFIXES):
        return read_case(Path(name), scenario)
    names = case_names()
    raise ScenarioError(
        f"--hold-out: {name} is neither a case{suggest(plain, names)} ({', '.join(names)}) nor a file of targets"
    )


def _ahead(
    at: "Cut",
    setting: "Setting",
    paths: int,
    lucks: int,
    workers: int | None,
    dask: str | None,
    folder: Path,
    quiet: bool,
) -> "Outlook":
    from district_sim.evidence.posterior.hold_out import look_ahead

    with working_in(folder, workers, dask, quiet) as (crew, advance):

        def tell(stage: str, done: int, total: int) -> None:
            advance(f"{at.case.name}: {stage}", 0, done, total)

        return look_ahead(at, setting, paths, lucks, crew, tell)
