"""What `replicate --hold-out` leaves: every later figure with what was said of it, scores, fans."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim._version import __version__
from district_sim.evidence.cases.observables import observable
from district_sim.evidence.posterior.discrepancy import MODEL_ERROR
from district_sim.evidence.posterior.forecast import QUANTILES
from district_sim.evidence.posterior.hold_out import Outlook
from district_sim.evidence.posterior.scores import (
    FORECASTERS,
    LEVELS,
    MODEL,
    SAME,
    TREND,
    WIDER,
    Score,
    allowed,
    scale_of,
    skill,
    summary,
    wider,
)
from district_sim.reports.posterior import name_of
from district_sim.run.whole_files import write_csv, write_json, write_text
from district_sim.text.numbers import number, percent
from district_sim.text.sheet import Sheet, md, write_sheets

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.evidence.cases.files import Target

UNDEFINED = "undefined"


def figure_sheet(outlook: Outlook, found: list[Score]) -> Sheet:
    """Each later figure: observed, what the model said, and the scores of all."""
    rows = []
    for target in outlook.cut.held:
        own = {one.by: one for one in found if one.target is target}
        model = own[MODEL]
        low, _, middle, _, high = (_shown(target, end) for end in model.band)
        told = model.inside or (None, None)
        verdicts = ("yes" if one else "NO" if one is not None else "" for one in told)
        band = UNDEFINED if model.why else f"{low} to {high}"
        direction = "" if target.value is not None else percent(model.probability) if not model.why else UNDEFINED
        scores = (UNDEFINED if own[by].why else number(own[by].score, 3) for by in FORECASTERS)
        rows.append((name_of(target), _seen(target), middle, band, *verdicts, direction, *scores))
    columns = ("Later figure", "Observed", "Median", "90 %", "In 50 %", "In 90 %", "Probability", "Model", "Wider",
               "As it was", "As before")  # fmt: skip
    note = (
        "Model, Wider, As it was, As before: CRPS, on a logarithm for counts and ratios, in points for shares (0.05 is "
        "5 % of a count, or five points of a share); for a direction, with the probability that the model gave it, the "
        f"Brier score. 0 is perfect. Wider: with the error of {percent(MODEL_ERROR)} that `forecast` allows the model. "
        "Bands hold luck, parameters, the error of the model that the earlier years showed, and that of measurement. "
        + _reasons(found)
    )
    return Sheet(f"{_title(outlook)}: later figures", columns, (("", tuple(rows)),), note.strip())


def score_sheet(outlook: Outlook, found: list[Score]) -> Sheet:
    """All later figures together."""
    rows = []
    for by, name in FORECASTERS.items():
        one = summary(found, by)
        inside = [f"{count} of {one.figures}" if one.figures else UNDEFINED for count in one.inside]
        rows.append((name, *inside, _score(one.crps), *(_skill(found, by, rival) for rival in (SAME, TREND)),
                     *((_score(one.brier),) if _directions(outlook) else ())))  # fmt: skip
    columns = ("Who", *(f"In {level:.0%}" for level in LEVELS), "CRPS", f"Skill against {SAME!r}",
               f"Skill against {TREND!r}", *(("Brier",) if _directions(outlook) else ()))  # fmt: skip
    return Sheet(_title(outlook), columns, (("", tuple(rows)),), _note(outlook))


def sheets(outlook: Outlook, found: list[Score]) -> dict[str, Sheet]:
    """All tables, by the name of their file."""
    return {"figures": figure_sheet(outlook, found), "scores": score_sheet(outlook, found)}


def warnings(outlook: Outlook) -> list[str]:
    """What a reader must know before they believe the scores."""
    cut, said = outlook.cut, []
    if len(cut.case.targets) < len(cut.case.parameters):
        said.append(
            f"Up to {cut.date} there are {len(cut.case.targets)} figures for {len(cut.case.parameters)} parameters: "
            "what they leave open stays as wide as its prior."
        )
    if outlook.fitted.found.misfit:
        said.append(
            f"The model MISSES what was observed up to {cut.date}; it is wrong by about {outlook.model_error:.1%} of a "
            "count, or as many points of a share. The bands allow for that."
        )
    return said


def _note(outlook: Outlook) -> str:
    cut = outlook.cut
    fitted = ", ".join(name_of(target) for target in cut.case.targets)
    count = outlook.paths
    text = (
        "Skill: 1 less the ratio of mean CRPS, over the figures of which both said something; 0 is no better than the "
        "rival, below 0 is worse. As it was: the last figure, with a spread from past changes, or from the measurement "
        "if there were none. As before: the line through the figures up to the date (of their logarithms for counts). "
        f"Fitted to {fitted}. {count} paths, {count // outlook.lucks} draws with {outlook.lucks} lucks of each; by "
        f"their weights they say as much as {outlook.effective(wider(outlook)):.0f} equal ones."
    )
    if cut.left_out:
        text += f" Left out, as it begins later: {', '.join(cut.left_out)}."
    if cut.dated:
        text += f" NOT BLIND: the scenario sets later times: {', '.join(cut.dated)}."
    return " ".join([text, *warnings(outlook)])


def _reasons(found: list[Score]) -> str:
    """Why a forecaster said nothing."""
    told: dict[str, list[str]] = {}
    for one in found:
        if one.why and one.by in (MODEL, SAME, TREND):
            told.setdefault(f"{FORECASTERS[one.by]}: {one.why}", []).append(name_of(one.target))
    return " ".join(f"Undefined for {', '.join(names)} ({why})." for why, names in told.items())


def _directions(outlook: Outlook) -> bool:
    return any(target.value is None for target in outlook.cut.held)


def _title(outlook: Outlook) -> str:
    case = outlook.cut.whole
    return f"{case.title or case.name}, fitted to the years up to {outlook.cut.date}"


def _score(value: float) -> str:
    return number(value, 3) if np.isfinite(value) else UNDEFINED


def _skill(found: list[Score], by: str, rival: str) -> str:
    value, count = skill(found, by, rival)
    if by == rival:
        return ""
    figures = "figure" if count == 1 else "figures"
    return f"{number(value, 2, True)} ({count} {figures})" if np.isfinite(value) else UNDEFINED


def _seen(target: "Target") -> str:
    if target.value is not None:
        return _shown(target, target.value)
    word, line = ("above", target.above) if target.above is not None else ("below", target.below)
    return f"{word} {line:g}"


def _shown(target: "Target", value: float) -> str:
    seen = observable(target.measure)
    if not np.isfinite(value):
        return UNDEFINED
    if seen is not None and seen.unit.startswith("share") and target.since is None:
        return percent(value, 1)
    return number(value, 0 if abs(value) >= 100.0 else 2)


# Files --------------------------------------------------------------------------------------------


def write_hold_out(outlook: Outlook, found: list[Score], command: str, folder: Path) -> list[Path]:
    """Tables (Markdown, LaTeX, CSV), figure, report. Raises OSError."""
    from district_sim import figures

    tables, bands = sheets(outlook, found), fan_table(outlook)
    drawn: list[Path] = []
    if len(bands):
        marks = mark_table(outlook)
        title = _title(outlook)
        drawn = figures.save(figures.hold_out_fans(title, bands, marks, outlook.cut.year), folder / "fans")
    page = f"# {md(_title(outlook))}\n\nWritten by `{command}` (district-sim {__version__}).\n\n"
    page += "\n".join(sheet.markdown() for sheet in tables.values())
    page += "".join(f"\n![{path.stem}]({path.name})\n" for path in drawn if path.suffix == ".png")
    return [
        *drawn,
        *write_sheets(tables, folder),
        write_csv(folder / "scores.csv", score_table(found)),
        write_csv(folder / "fans.csv", bands),
        write_text(folder / "hold_out.md", page),
        write_json(folder / "hold_out.json", record(outlook, found, command)),
    ]


def score_table(found: list[Score]) -> "pd.DataFrame":
    """A row for each later figure and forecaster."""
    import pandas as pd

    return pd.DataFrame([_row(one) for one in found])


def _row(one: Score) -> dict[str, Any]:
    target = one.target
    inside = one.inside or (None,) * len(LEVELS)
    return {
        "measure": target.measure,
        "year": target.year,
        "since": target.since,
        "observed": target.value,
        "above": target.above,
        "below": target.below,
        "by": one.by,
        **{f"q{round(100 * level):02d}": end for level, end in zip(QUANTILES, one.band, strict=True)},
        **{f"in_{level:.0%}".removesuffix("%"): within for level, within in zip(LEVELS, inside, strict=True)},
        "scale": "logarithm" if scale_of(target).log else "as it is",
        "score": one.score,
        "probability": one.probability,
        "undefined": one.why,
    }


def fan_table(outlook: Outlook) -> "pd.DataFrame":
    """A row for each measure and year: quantiles of the paths, moved towards what was observed as in forecasts; the
    outer ones also with what is not known of the model's error."""
    import pandas as pd

    cut, rows = outlook.cut, []
    errors = np.random.default_rng([outlook.fitted.setting.seed, 60]).normal(size=outlook.paths)
    first = len(cut.case.targets) + len(cut.held)
    for column in range(first, len(cut.ahead.targets)):
        probe = cut.ahead.targets[column]
        scale = scale_of(probe)
        said = outlook.said(column, scale, wider(outlook))
        if not len(said.places):
            continue
        wide = scale.back(allowed(probe, said.places + said.error * errors[: len(said.places)]))
        values, weights = scale.back(allowed(probe, said.places)), said.weights
        seen = observable(probe.measure)
        row = {
            "measure": probe.measure,
            "title": probe.measure if seen is None else seen.description,
            "year": cut.whole.calendar.year(cut.whole.calendar.quarter(probe.year)),
        }
        row |= {f"q{round(100 * level):02d}": _quantile(values, level, weights) for level in QUANTILES}
        row |= {"low": _quantile(wide, QUANTILES[0], weights), "high": _quantile(wide, QUANTILES[-1], weights)}
        rows.append(row)
    return pd.DataFrame(rows)


def _quantile(values: np.ndarray, level: float, weights: np.ndarray) -> float:
    return float(np.quantile(values, level, weights=weights, method="inverted_cdf"))


def mark_table(outlook: Outlook) -> "pd.DataFrame":
    """A row for each figure that a fan can show: measure, year, value, tolerance, and fitted, known or later."""
    import pandas as pd

    cut, calendar = outlook.cut, outlook.cut.whole.calendar
    rows = [
        {"measure": target.measure, "year": calendar.year(calendar.quarter(target.year)), "value": target.value,
         "tolerance": target.tolerance,
         "what": "later" if any(target is one for one in cut.held) else "fitted" if target.fit else "known"}
        for target in cut.whole.targets
        if target.value is not None and target.since is None and not target.compared
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "year", "value", "tolerance", "what"])


def record(outlook: Outlook, found: list[Score], command: str) -> dict[str, Any]:
    """Everything but the paths, for JSON."""
    cut = outlook.cut
    told = {}
    for by in FORECASTERS:
        one = summary(found, by)
        told[by] = {
            "figures": one.figures,
            **{f"in_{level:.0%}".removesuffix("%"): n for level, n in zip(LEVELS, one.inside, strict=True)},
            "crps": one.crps,
            "directions": one.directions,
            "brier": one.brier,
            **{f"skill_against_{rival.replace(' ', '_')}": dict(zip(("skill", "figures"), skill(found, by, rival),
                                                                    strict=True))
               for rival in (SAME, TREND) if by not in (rival,)},
        }  # fmt: skip
    return {
        "version": __version__,
        "command": command,
        "case": cut.whole.name,
        "title": cut.whole.title,
        "hold_out": cut.date,
        "fitted_to": [name_of(target) for target in cut.case.targets],
        "parameters": len(cut.case.parameters),
        "left_out": list(cut.left_out),
        "later_times": list(cut.dated),
        "misfit": outlook.fitted.found.misfit,
        "model_error": {MODEL: outlook.model_error, WIDER: wider(outlook)},
        "paths": outlook.paths,
        "effective": outlook.effective(wider(outlook)),
        "warnings": warnings(outlook),
        "forecasters": told,
        "figures": [_row(one) for one in found],
    }
