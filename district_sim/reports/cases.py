"""What a calibration leaves: a scenario file that says where it comes from, a report, and every trial."""

import json
import os
import textwrap
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__
from district_sim.evidence.cases.calibration import FIT_SEEDS, REPORT_SEEDS, Fit, Journal, as_report
from district_sim.evidence.cases.compare import Compared, comparison_sheet, labels
from district_sim.run.whole_files import is_empty, write_json, write_text, write_whole
from district_sim.scenario.files import ScenarioError, bundled_folder, load_scenario
from district_sim.scenario.texts import expanded, is_file
from district_sim.text.numbers import number, percent
from district_sim.text.sheet import Sheet, md

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case
    from district_sim.evidence.cases.runs import Observed

JOURNAL = "trials.jsonl"
_WIDTH = 116


class OtherFit(ValueError):
    """The folder holds something else."""


def open_journal(case: "Case", seeds: Sequence[int], folder: Path, force: bool) -> Journal:
    """The trials made in a folder before, for the same case, seeds and version of the model; otherwise a new file.

    Args:
        force: begin anew where the folder holds another fit.

    Raises:
        OtherFit: it does, or it is not empty, and `force` is not given. OSError: it cannot be read or written.
    """
    path, head = folder / JOURNAL, _head(case, seeds)
    if path.is_file():
        first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
        if first == head:
            return _read(path, head, lines)
        if not force:
            raise OtherFit(
                f"{folder} holds the trials of another fit; choose another --out, or start again with --force"
            )
    elif not force and not is_empty(folder):
        raise OtherFit(f"{folder} is not empty; choose another --out, or replace its files with --force")
    write_text(path, f"{head}\n")
    return Journal(path)


def _read(path: Path, head: str, lines: Sequence[str]) -> Journal:
    import numpy as np

    journal = Journal(path)
    for k, line in enumerate(lines):
        try:
            values, found = json.loads(line)
        except ValueError:  # the last line of a process that was killed while it wrote
            kept = "\n".join([head, *lines[:k]]) + "\n"
            write_text(path, kept)
            break
        journal.trials[tuple(values)] = np.array(found, float)
    return journal


def _head(case: "Case", seeds: Sequence[int]) -> str:
    """What the trials depend on."""
    from district_sim.experiments.plan import model_version, scenario_hash

    told = {
        "case": case.name,
        "model": model_version(),
        "scenario": scenario_hash(case.scenario.model_dump(mode="json")),
        "wanted": case.wanted,
        "scale": case.scale,
        "parameters": list(case.parameters),
        "seeds": [seeds[0], seeds[-1]],
    }
    return json.dumps(told)


# The scenario file --------------------------------------------------------------------------------


def scenario_text(fit: Fit, command: str, folder: Path) -> str:
    """The fitted scenario: what it extends, the values, and in comments where they come from.

    Args:
        command: that made it. folder: where the file will be.
    """
    lines = [*_comment(_provenance(fit, command)), f"extends: {_named(fit.case.origin, folder)}"]
    for section, group in groupby(sorted(fit.values), key=lambda path: path.split(".")[0]):
        lines.append(f"{section}:")
        for path in group:
            name = path.split(".")[1]
            lines.append(f"  {name}: {fit.values[path]!r}".ljust(32) + f"  # {_told(fit, path)}")
    return "\n".join(lines) + "\n"


def _provenance(fit: Fit, command: str) -> list[str]:
    case = fit.case
    first, last = fit.seeds[0], fit.seeds[-1]
    size = "" if case.scale == 1.0 else f", on {case.scale:.0%} of the district's firms"
    state = "" if fit.complete else " INTERRUPTED: this is the best fit so far."
    fitted = ", ".join(f"{t.measure} {t.year}" for t in case.targets if t.fit)
    return [
        f"{case.title}, with {len(fit.values)} parameters fitted to {fitted}.{state}",
        f"Written by `{command}` (district-sim {__version__}) from {case.origin}; seeds {first} to {last}{size}. "
        f"The search ended because {fit.ended}, after {fit.runs} runs. The root mean square error of the fitted "
        f"figures, in tolerances, fell from {fit.start_error:.3g} to {fit.error:.3g}.",
        "Do not edit. Change the targets or the extended scenario, and run the command again.",
    ]


def _told(fit: Fit, path: str) -> str:
    prior = fit.case.parameters[path]
    end = "; at an end of its range" if path in fit.at_end else ""
    said = f"; {fit.identified.verdict(path)}" if fit.identified else ""
    return f"range {prior.low:g} to {prior.high:g}{end}{said}"


def _comment(paragraphs: Sequence[str]) -> list[str]:
    lines = [line for text in paragraphs for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]
    return [f"# {line}" for line in lines]


def _named(origin: str, folder: Path) -> str:
    """What a file in `folder` calls the scenario."""
    bundled = bundled_folder()
    if is_file(bundled / f"{origin}.yaml") and not is_file(origin):
        return origin
    return os.path.relpath(expanded(origin), folder)


# The report ---------------------------------------------------------------------------------------


def parameter_sheet(fit: Fit) -> Sheet:
    """Fitted values, and how well the targets identify each parameter."""
    from district_sim.scenario.paths import value_at

    found = fit.identified
    data, rows = fit.case.scenario.model_dump(mode="json"), []
    for k, (path, prior) in enumerate(fit.case.parameters.items()):
        left = percent(found.left[k]) if found else ""
        verdict = found.verdict(path) if found else "not assessed: interrupted"
        verdict += "; at an end of its range" if path in fit.at_end else ""
        scale = ", log" if prior.log else ""
        before = f"{value_at(data, path):.4g}"
        rows.append((path, verdict, before, f"{prior.low:g} to {prior.high:g}{scale}", f"{fit.values[path]:.4g}", left))
    columns = ("Parameter", "Identified by the targets", "Before", "Range", "Fitted", "Uncertainty left")
    note = f"The search ended because {fit.ended}, after {fit.runs} runs. "
    if found is not None:
        note += "Uncertainty left: standard deviation as a share of the prior's (a quarter of the range). "
        note += _directions(fit)
    return Sheet.plain(f"{fit.case.title}: fitted parameters", columns, rows, note.strip(), left=2)


def _directions(fit: Fit) -> str:
    """The combinations that the targets identify, and those that they do not."""
    found = fit.identified
    assert found is not None
    identified = [direction for direction in found.directions if direction.identified]
    text = f"The targets identify {len(identified)} of {len(found.names)} combinations of parameters. "
    for direction in found.directions:
        if not direction.identified:
            parts = " ".join(f"{number(weight, 2, sign=True)} {name}" for name, weight in direction.main(found.names))
            text += f"Not identified: {parts}. "
    for one, other, correlation in found.alike:
        text += f"Not separated: {one} and {other} (posterior correlation {number(correlation, 2, sign=True)}). "
    return text


def report_sheet(fit: Fit, compared: Sequence[Compared], runs: "Sequence[Observed]" = ()) -> Sheet:
    """The fitted scenario against all targets, on seeds that the fit has not seen.

    Args:
        runs: that were compared, for their label; a fit that no target identifies says so beside it.
    """
    note = (
        f"Seeds {REPORT_SEEDS[0]} to {REPORT_SEEDS[-1]}, which the fit has not seen (it may use 0 to {FIT_SEEDS[-1]})."
    )
    if runs:
        note += f" {labels(runs, fit.identified is None or fit.identified.nothing)}"
    return comparison_sheet(f"{fit.case.title}: observed and simulated", compared, note)


def write_calibration(
    fit: Fit, compared: Sequence[Compared], command: str, folder: Path, runs: "Sequence[Observed]" = ()
) -> list[Path]:
    """NAME.yaml (loaded back and compared before it counts), calibration.md and .json and, of runs, a figure.

    Raises:
        OSError: a file cannot be written. ScenarioError: the scenario file would not give what was fitted.
    """
    text = scenario_text(fit, command, folder)
    path = folder / f"{fit.case.name}.yaml"

    def write(to: Path) -> None:
        to.write_text(text, encoding="utf-8")
        if load_scenario(to) != fit.scenario:
            raise ScenarioError(f"{path}: loading the file does not give the fitted scenario")

    sheets = [parameter_sheet(fit), *([report_sheet(fit, compared, runs)] if compared else [])]
    report: dict[str, Any] = {
        "version": __version__,
        "command": command,
        **as_report(fit),
        "targets": [row.as_dict() for row in compared],
    }
    page = f"# {md(fit.case.title)}\n\n" + "\n".join(sheet.markdown() for sheet in sheets)
    drawn: list[Path] = []
    if runs:
        from district_sim import figures
        from district_sim.evidence.replications.cases import fan_chart

        drawn = figures.save(fan_chart(fit.case, runs), folder / "observed_and_simulated")
        page += f"\n![{md(fit.case.title)}: observed and simulated](observed_and_simulated.png)\n"
    return [
        *drawn,
        write_whole(path, write),
        write_text(folder / "calibration.md", page),
        write_json(folder / "calibration.json", report),
    ]
