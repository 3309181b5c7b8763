"""What `calibrate --posterior` leaves: posterior.nc, tables, figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim._version import __version__
from district_sim.evidence.cases.compare import Compared, compare, comparison_sheet
from district_sim.evidence.cases.runs import PATHS, Observed
from district_sim.evidence.posterior.check import LEVELS, NOT_CHECKED, Check
from district_sim.evidence.posterior.fit import Fitted, beyond, fitted_columns, learned
from district_sim.evidence.posterior.posterior import FILE, write
from district_sim.run.whole_files import write_json, write_text
from district_sim.text.numbers import number, percent
from district_sim.text.sheet import Sheet, md

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Target

_EFFECTIVE = 400  # draws of equal weight that a 90 % interval needs (Vehtari et al. 2021)
_AGREE = 1.05  # R-hat above which the walkers do not agree


def told(fitted: Fitted, checked: Check | None, command: str) -> dict[str, Any]:
    """Everything but the draws, for JSON; `Posterior.told` is read from it."""
    case, emulator = fitted.setting.case, fitted.emulator
    return {
        "version": __version__,
        "command": command,
        "case": case.name,
        "title": case.title,
        "scenario": case.origin,
        "seed": fitted.setting.seed,
        "simulations": fitted.setting.runs,
        "lost": fitted.lost,
        "check": NOT_CHECKED if checked is None else checked.as_dict(),
        "misfit": fitted.found.misfit,
        "model_error": float(fitted.found.data.model),
        "distance": {"nearest": fitted.found.nearest, "expected": fitted.found.expected},
        "beyond_prior": beyond(fitted),
        "parameters": {
            axis.path: {
                **axis.prior.model_dump(),
                "whole": axis.whole,
                "left": one.left,
                "shift": one.shift,
                "verdict": one.verdict,
                "effective": float(fitted.effective[k]),
                "rhat": float(fitted.convergence[k]),
            }
            for k, (axis, one) in enumerate(zip(fitted.axes, learned(fitted), strict=True))
        },
        "emulator": {
            name_of(case.targets[column]): {
                "explained": float(emulator.explained[k]), "inside_90": float(emulator.inside[k])
            }
            for k, column in enumerate(fitted_columns(case))
        },
    }  # fmt: skip


def name_of(target: "Target") -> str:
    """A target in the file."""
    since = f"/{target.since}" if target.since is not None else ""
    return f"{target.measure} {target.year}{since}"


def groups(fitted: Fitted) -> dict[str, dict[str, np.ndarray]]:
    """Draws and runs as InferenceData names them."""
    case, names = fitted.setting.case, [axis.path for axis in fitted.axes]
    prior, posterior = fitted.values(fitted.prior_places), fitted.values(fitted.places)
    count = len(posterior)
    runs = {"prior_predictive": fitted.prior_runs, "posterior_predictive": fitted.predictive}
    return {
        "posterior": dict(zip(names, posterior.T, strict=True)),
        "sample_stats": {"weight": np.full(count, 1.0 / count)},
        "prior": dict(zip(names, prior.T, strict=True)),
        **{
            group: {"targets": row["values"], **dict(zip(PATHS, np.moveaxis(row["paths"], 2, 0), strict=True))}
            for group, row in runs.items()
        },
        "observed_data": {
            "observed": np.array([np.nan if t.value is None else t.value for t in case.targets]),
            "error": np.array([t.tolerance for t in case.targets]),
        },
    }


# Tables -------------------------------------------------------------------------------------------


def learned_sheet(fitted: Fitted) -> Sheet:
    """Which parameters the targets identify, and which stay at their prior."""
    values, rows = fitted.values(fitted.places), []
    for k, one in enumerate(learned(fitted)):
        low, middle, high = np.quantile(values[:, k], (0.05, 0.5, 0.95))
        band = f"{low:.4g} to {high:.4g}"
        rows.append((one.path, one.verdict, f"{middle:.4g}", band, percent(one.left), number(fitted.effective[k], 0)))
    columns = ("Parameter", "What the targets say", "Median", "90 %", "Uncertainty left", "Effective draws")
    return Sheet.plain(f"{fitted.setting.case.title}: posterior", columns, rows, _note(fitted), left=2)


def _note(fitted: Fitted) -> str:
    text = (
        f"Uncertainty left: standard deviation as a share of the prior's. Effective draws: independent draws that say "
        f"as much as all of the sampler's. From {len(fitted.prior_places)} runs of the prior"
    )
    text += f"; {percent(fitted.lost)} more broke off or left a target undefined. " if fitted.lost else ". "
    if fitted.found.misfit:
        text += (
            f"MISFIT: no parameters bring the model near what was observed (squared distance "
            f"{fitted.found.nearest:.1f}, where {fitted.found.expected:.1f} is rarely exceeded). An error of the "
            f"model of {percent(float(fitted.found.data.model), 1)} of a count, or points of a share, was added to all "
            "targets. "
        )
    for line in beyond(fitted):
        text += f"BEYOND THE PRIOR: {line}. "
    if fitted.effective.min() < _EFFECTIVE or fitted.convergence.max() > _AGREE:
        text += (
            f"The sampler has not settled (R-hat {fitted.convergence.max():.3f}, effective draws "
            f"{fitted.effective.min():.0f}): intervals are rough. "
        )
    return text.strip()


def emulator_sheet(fitted: Fitted) -> Sheet:
    """How well the emulator foretells runs that it has not seen."""
    case, emulator = fitted.setting.case, fitted.emulator
    rows = [
        (row.what, str(row.target.year), percent(emulator.explained[k]), percent(emulator.inside[k]))
        for k, row in enumerate(_compared(fitted)[column] for column in fitted_columns(case))
    ]
    columns = ("Measure", "Year", "Explained by the parameters", "Runs within the 90 % band")
    note = "On runs that the emulator has not seen (five folds). What the parameters do not explain is luck."
    return Sheet.plain(f"{case.title}: the emulator of one run", columns, rows, note)


def predictive_sheet(fitted: Fitted) -> Sheet:
    """What was observed beside runs at draws from the posterior."""
    return comparison_sheet(
        f"{fitted.setting.case.title}: observed and predicted",
        _compared(fitted),
        f"Each run has its own draw from the posterior and its own luck: {len(fitted.shown)} runs.",
    )


def check_sheet(fitted: Fitted, checked: Check) -> Sheet:
    """Coverage of the intervals on synthetic truths."""
    rows = []
    for j, name in enumerate(checked.parameters):
        rows.append((name, *(percent(checked.coverage[k, j]) for k in range(len(LEVELS))), f"{checked.uniform[j]:.2g}"))
    allowed = [f"{percent(low)} to {percent(high)}" for low, high in checked.bounds]
    rows.append(("allowed", *allowed, ""))
    columns = ("Parameter", *(f"Truths in the {percent(level)} interval" for level in LEVELS), "Ranks uniform (p)")
    note = f"This posterior {checked.verdict.upper()} on {len(checked.ranks)} synthetic truths. {checked.reason}"
    return Sheet.plain(f"{fitted.setting.case.title}: check", columns, rows, note.strip())


def _compared(fitted: Fitted) -> list[Compared]:
    rows = zip(fitted.predictive["values"], fitted.predictive["paths"], strict=True)
    return compare(fitted.setting.case, [Observed(values, paths) for values, paths in rows])


def sheets(fitted: Fitted, checked: Check | None) -> list[Sheet]:
    """All tables."""
    checks = [] if checked is None else [check_sheet(fitted, checked)]
    return [learned_sheet(fitted), *checks, predictive_sheet(fitted), emulator_sheet(fitted)]


# Files --------------------------------------------------------------------------------------------


def write_posterior(fitted: Fitted, checked: Check | None, command: str) -> list[Path]:
    """posterior.nc, .md, .json and the figures. Raises OSError."""
    folder, record = fitted.setting.folder, told(fitted, checked, command)
    drawn = _figures(fitted, checked, folder)
    title = fitted.setting.case.title
    page = f"# {md(title)}: posterior\n\nWritten by `{command}` (district-sim {__version__}).\n\n"
    page += "\n".join(sheet.markdown() for sheet in sheets(fitted, checked))
    page += "".join(f"\n![{path.stem}]({path.name})\n" for path in drawn if path.suffix == ".png")
    return [
        *drawn,
        write_text(folder / "posterior.md", page),
        write_json(folder / "posterior.json", record),
        write(folder / FILE, record, groups(fitted), [name_of(target) for target in fitted.setting.case.targets]),
    ]


def _figures(fitted: Fitted, checked: Check | None, folder: Path) -> list[Path]:
    from district_sim import figures

    title = fitted.setting.case.title or fitted.setting.case.name
    prior, posterior = fitted.values(fitted.prior_places), fitted.values(fitted.places)
    parameters = [
        figures.Parameter(axis.path, prior[:, k], posterior[:, k], axis.prior.log, one.verdict)
        for k, (axis, one) in enumerate(zip(fitted.axes, learned(fitted), strict=True))
    ]
    seen = [
        figures.Seen(
            f"{row.target.measure}, {row.target.year}", fitted.prior_runs["values"][:, k], row.values, row.target.value,
            row.target.tolerance, row.target.fit,
        )
        for k, row in enumerate(_compared(fitted)) if row.target.value is not None
    ]  # fmt: skip
    made = {
        "prior_to_posterior": figures.prior_to_posterior(f"{title}: from prior to posterior", parameters),
        "observed_and_predicted": figures.observed_and_predictive(f"{title}: observed and predicted", seen),
    }
    if len(parameters) > 1:
        made["pairs"] = figures.posterior_pairs(f"{title}: pairs", parameters)
    if checked is not None:
        made["check"] = figures.truth_ranks(f"{title}: check", checked.parameters, checked.ranks)
    return [path for name, figure in made.items() for path in figures.save(figure, folder / name)]
