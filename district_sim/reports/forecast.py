"""What `forecast` leaves: a table and fans of indicators, shares of trajectories, every path; and a label in words."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim._version import __version__
from district_sim.evidence.posterior.forecast import LABELS, MOVED, QUANTILES, Forecast
from district_sim.run.whole_files import write_csv, write_json, write_text, write_whole
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.policy_files import mix_title
from district_sim.text.names import label_name, record_of
from district_sim.text.numbers import number, percent
from district_sim.text.sheet import Sheet, md, write_sheets

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.evidence.posterior.posterior import Posterior

SHOWN = ("firms", "employment", "value_added_local", "wage", "unemployment", "mne_turnover_share")
"""Indicators of the table and of the fans."""
_MOST_HINGES = 3


def indicator_sheet(forecast: Forecast, size: float) -> Sheet:
    """Indicators at the end, and where their spread comes from.

    Args:
        size: standard deviation of the model's error.
    """
    sections = []
    for k, mix in enumerate(forecast.plan.mixes):
        rows = []
        for name in SHOWN:
            low, _, middle, _, high = forecast.band(forecast.with_error(k, name, size)[:, :, -1:])[:, 0]
            narrow = forecast.band(forecast.corrected(k, name, size)[:, :, -1:])[:, 0]
            parts = [percent(share) for share in forecast.split(k, name, size).shares()]
            rows.append((record_of(name).label, _shown(name, middle), f"{_shown(name, low)} to {_shown(name, high)}",
                         f"{_shown(name, narrow[0])} to {_shown(name, narrow[-1])}", *parts))  # fmt: skip
        sections.append((mix_title(mix) if len(forecast.plan.mixes) > 1 else "", tuple(rows)))
    columns = ("Indicator", "Median", "90 %", "90 % without the model's error", "Luck", "Parameters", "Model")
    note = (
        f"{_paths(forecast)} Luck, Parameters, Model: shares of the variance. The model's own error is taken as "
        f"{percent(size)} (of a count or of money; points of a share) where nothing was observed; its variance doubles "
        "after ten years. What was observed shows part of it: paths are moved towards that."
    )
    return Sheet(f"{forecast.plan.case.title}, {_end(forecast)}", columns, tuple(sections), note)


def label_sheet(forecast: Forecast) -> Sheet:
    """Probabilities of trajectories, and how far moved thresholds change them."""
    sections = []
    for k, mix in enumerate(forecast.plan.mixes):
        own, by_set = forecast.probabilities(k), forecast.by_set(k)
        rows = []
        for code in np.argsort(-own):
            low, high = by_set[:, code].min(), by_set[:, code].max()
            if high < 0.005:
                continue
            parts = [percent(share) for share in forecast.label_split(k, int(code)).shares()]
            rows.append((label_name(LABELS[code]), percent(own[code]), f"{percent(low)} to {percent(high)}", *parts))
        sections.append((mix_title(mix) if len(forecast.plan.mixes) > 1 else "", tuple(rows)))
    columns = ("Trajectory", "Probability", "Thresholds moved", "Luck", "Parameters", "Thresholds")
    note = (
        f"Thresholds moved: lowest and highest probability when each threshold is moved by up to {percent(MOVED)}, "
        f"{forecast.labels.shape[3]} times. Luck, Parameters, Thresholds: shares of the variance of having the label. "
        + " ".join(label_words(forecast, k) for k in range(len(forecast.plan.mixes)))
    )
    return Sheet(f"{forecast.plan.case.title}: trajectory in {_end(forecast)}", columns, tuple(sections), note)


def effect_sheet(forecast: Forecast) -> Sheet | None:
    """What each further mix changes against the first at the end; None if there is only one."""
    first, *others = forecast.plan.mixes
    if not others:
        return None
    sections = []
    for k, mix in enumerate(others, start=1):
        rows = []
        for name in SHOWN:
            (low, _, middle, _, high), more = forecast.effect(k, name)
            band = f"{_shown(name, low, True)} to {_shown(name, high, True)}"
            rows.append((record_of(name).label, _shown(name, middle, True), band, percent(more)))
        sections.append((mix_title(mix), tuple(rows)))
    columns = ("Indicator", "Change", "90 %", "Probability that it is more")
    pairs = "pair by pair: under the same draw of parameters and the same luck"
    note = f"Against {mix_title(first)}, {pairs}. {_paths(forecast)}"
    title = f"{forecast.plan.case.title}: what policies change by {_end(forecast)}"
    return Sheet(title, columns, tuple(sections), note)


def label_words(forecast: Forecast, mix: int = 0) -> str:
    """The likeliest label as a probability, and which parameters it hangs on."""
    own = forecast.probabilities(mix)
    code = int(np.argmax(own))
    by_set = forecast.by_set(mix)[:, code]
    named = f"{mix_title(list(forecast.plan.mixes)[mix])}: " if len(forecast.plan.mixes) > 1 else ""
    text = (
        f"{named}{label_name(LABELS[code])} with probability {percent(own[code])} "
        f"({percent(by_set.min())} to {percent(by_set.max())} with thresholds moved by up to {percent(MOVED)})"
    )
    hinges = forecast.hangs_on(mix, code)[:_MOST_HINGES]
    if hinges:
        told = "; ".join(
            f"{one.path} ({percent(one.above)} above its median, {percent(one.below)} below)" for one in hinges
        )
        return f"{text}. It hangs on {told}."
    return f"{text}. It hangs on no fitted parameter that can be told from luck."


def sheets(forecast: Forecast, size: float) -> dict[str, Sheet]:
    """All tables, by the name of their file."""
    effects = effect_sheet(forecast)
    found = {"indicators": indicator_sheet(forecast, size), "trajectories": label_sheet(forecast)}
    return found if effects is None else {**found, "effects": effects}


def _shown(name: str, value: float, sign: bool = False) -> str:
    record = record_of(name)
    if record.unit.startswith("share"):
        return percent(value, 1, sign)
    return number(value, record.decimals, sign)


def _end(forecast: Forecast) -> str:
    plan = forecast.plan
    length = plan.case.scenario.run.quarters
    if plan.case.scenario.run.start is None and not plan.case.targets:
        return f"after {length} quarters"
    return plan.case.calendar.date(length).removesuffix("Q1")


def _paths(forecast: Forecast) -> str:
    plan = forecast.plan
    count = len(plan.draws) * plan.lucks
    text = f"{count} paths: {len(plan.draws)} draws from the posterior, {plan.lucks} lucks of each."
    if plan.data is not None:
        text += (
            " Paths whose history is near what was observed count for more: they say as much as "
            f"{forecast.effective:.0f} equal ones."
        )
    return text


# Files --------------------------------------------------------------------------------------------


def write_forecast(forecast: Forecast, posterior: "Posterior", size: float, command: str, folder: Path) -> list[Path]:
    """Tables (Markdown, LaTeX, CSV), every path (Parquet), figures, report. Raises OSError."""
    from district_sim import figures

    title = forecast.plan.case.title or forecast.plan.case.name
    tables = sheets(forecast, size)
    bands = band_table(forecast, size)
    drawn = [
        *figures.save(figures.fans(title, bands, SHOWN, forecast.plan.seen_until and _seen(forecast)), folder / "fans"),
        *figures.save(figures.label_shares(title, label_table(forecast)), folder / "trajectories"),
    ]
    page = f"# {md(title)}: forecast to {_end(forecast)}\n\nWritten by `{command}` (district-sim {__version__}).\n\n"
    page += f"**{md(posterior.warning)}**\n\n" if posterior.warning else ""
    page += "\n".join(sheet.markdown() for sheet in tables.values())
    page += "".join(f"\n![{path.stem}]({path.name})\n" for path in drawn if path.suffix == ".png")
    frame = path_table(forecast)
    return [
        *drawn,
        *write_sheets(tables, folder),
        write_csv(folder / "bands.csv", bands),
        write_whole(folder / "paths.parquet", lambda to: frame.to_parquet(to, index=False)),
        write_text(folder / "forecast.md", page),
        write_json(folder / "forecast.json", record(forecast, posterior, size, command)),
    ]


def _seen(forecast: Forecast) -> float:
    """Year of the last observation that was fitted."""
    return forecast.plan.case.calendar.year(forecast.plan.seen_until)


def band_table(forecast: Forecast, size: float) -> "pd.DataFrame":
    """A row for each mix, indicator and date: quantiles of the paths, moved towards what was observed, and the outer
    ones with the model's error."""
    import pandas as pd

    names = [f"q{round(100 * level):02d}" for level in QUANTILES]
    parts = []
    for k, mix in enumerate(forecast.plan.mixes):
        for name in NAMES:
            band = forecast.band(forecast.corrected(k, name, size))
            wide = forecast.band(forecast.with_error(k, name, size))
            part = pd.DataFrame({"policies": mix, "indicator": name, "year": forecast.plan.dates})
            part[names] = band.T
            part["low"], part["high"] = wide[0], wide[-1]
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def label_table(forecast: Forecast) -> "pd.DataFrame":
    """A row for each mix and trajectory: probability, and its lowest and highest with moved thresholds."""
    import pandas as pd

    rows = []
    for k, mix in enumerate(forecast.plan.mixes):
        own, by_set = forecast.probabilities(k), forecast.by_set(k)
        for code, label in enumerate(LABELS):
            rows.append(
                {"policies": mix, "trajectory": None if label is None else label.value, "probability": own[code],
                 "low": by_set[:, code].min(), "high": by_set[:, code].max()}
            )  # fmt: skip
    return pd.DataFrame(rows)


def path_table(forecast: Forecast) -> "pd.DataFrame":
    """Every path: mix, draw, luck, weight, label, the draw's parameters, year and all indicators."""
    import pandas as pd

    plan, dates = forecast.plan, forecast.plan.dates
    parts = []
    for k, mix in enumerate(plan.mixes):
        for d, draw in enumerate(plan.draws):
            for luck in range(plan.lucks):
                part = pd.DataFrame(forecast.indicators[k, d, luck], columns=list(NAMES))
                code = int(forecast.labels[k, d, luck, 0])
                label = None if code < 0 or LABELS[code] is None else str(LABELS[code])
                told = {"policies": mix, "draw": d, "luck": luck, "weight": forecast.weights[d, luck]}
                told |= {"trajectory": label, **draw}
                head = pd.DataFrame({**told, "year": dates})
                parts.append(pd.concat([head, part], axis=1))
    return pd.concat(parts, ignore_index=True)


def record(forecast: Forecast, posterior: "Posterior", size: float, command: str) -> dict[str, Any]:
    """Everything but the paths, for JSON."""
    plan = forecast.plan
    mixes = {}
    for k, mix in enumerate(plan.mixes):
        own = forecast.probabilities(k)
        mixes[mix] = {
            "label": label_words(forecast, k),
            "trajectories": {
                str(label): {"probability": own[code], "luck": split[0], "parameters": split[1], "thresholds": split[2]}
                for code, label in enumerate(LABELS)
                if (split := forecast.label_split(k, code).shares()) and own[code] > 0.0
            },
            "indicators": {
                name: {
                    "quantiles": forecast.band(forecast.corrected(k, name, size)[:, :, -1:])[:, 0].tolist(),
                    "with_model_error": forecast.band(forecast.with_error(k, name, size)[:, :, -1:])[:, 0].tolist(),
                    **dict(zip(("luck", "parameters", "model"), forecast.split(k, name, size).shares(), strict=True)),
                    **({"effect": _effect(forecast, k, name)} if k else {}),
                }
                for name in NAMES
            },
        }
    return {
        "version": __version__,
        "command": command,
        "case": plan.case.name,
        "until": _end(forecast),
        "paths": len(plan.draws) * plan.lucks,
        "effective": forecast.effective,
        "model_error": size,
        "posterior": {"verdict": posterior.verdict, "warning": posterior.warning},
        "quantiles": list(QUANTILES),
        "mixes": mixes,
    }


def _effect(forecast: Forecast, mix: int, name: str) -> dict[str, Any]:
    quantiles, more = forecast.effect(mix, name)
    return {"quantiles": quantiles.tolist(), "probability_more": more}
