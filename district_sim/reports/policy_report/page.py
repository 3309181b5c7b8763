"""The report as one HTML file: nothing in it is fetched from anywhere, and nothing in it is a program."""

from __future__ import annotations

import base64
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from district_sim.reports.pages import command_line, rendered
from district_sim.reports.policy_report.glance import district_words, programme
from district_sim.reports.policy_report.points import held_fixed, points, stays, untested
from district_sim.reports.policy_report.question import Question
from district_sim.reports.policy_report.sensitivity import under
from district_sim.reports.policy_report.sheets import all_sheets, instruments
from district_sim.reports.policy_report.verdict import COVERAGE, turns
from district_sim.scenario.data import without_place
from district_sim.text.names import outcome_name, years_name
from district_sim.text.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from markupsafe import Markup

    from district_sim.figures.policy_brief import Block
    from district_sim.reports.policy_report.gather import Findings

_DIGITS = "%.12g"  # of the data


class Download(NamedTuple):
    """A file inside the report."""

    name: str
    about: str
    address: str
    """A data URI."""
    text: str = ""
    """Shown on the page as well, if given."""


def render_brief(found: Findings, blocks: Sequence[Block], pdf: str) -> str:
    """The brief as a page.

    Args:
        blocks: of both pages; see `brief.brief`. pdf: name of the same in print.
    """
    from markupsafe import Markup

    from district_sim.figures.policy_brief import Plot, as_figure
    from district_sim.figures.policy_report import inline_svg

    def shown(block: Block) -> dict[str, Any]:
        if isinstance(block, Plot):
            return {"kind": "", "name": block.name, "svg": Markup(inline_svg(as_figure(block), block.name))}
        return {"kind": "", "svg": "", **block._asdict()}

    return rendered("policy_brief.html", found=found, blocks=[shown(block) for block in blocks], pdf=pdf)


def render(found: Findings) -> str:
    """The whole page.

    Args:
        found: all numbers.

    Returns:
        HTML; the same for the same findings, to the byte.
    """
    return rendered("policy_report.html", **_context(found))


def _context(found: Findings) -> dict[str, Any]:
    from district_sim.reports.policy_report.risk import LOSS, WORST

    question = found.question
    return {
        "found": found,
        "question": question,
        "asked": asked(question),
        "outcome": outcome_name(question.outcome),
        "sheets": all_sheets(found),
        "figures": _figures(found),
        "points": points(found),
        "district_words": district_words(found),
        "programmes": [programme(found, cell) for cell in question.cells[1:]],
        "when": lambda quarter: years_name(question.scenario.run.calendar, quarter, quarter + 1),
        "untested": untested(question),
        "held": held_fixed(question),
        "mixes": [_mix(question, cell) for cell in question.cells[1:]],
        "stays": "" if found.sensitivity is None else stays(found, found.sensitivity),
        "turned": [] if found.sensitivity is None else turns(found.sensitivity, question.outcome),
        "data": _data(found),
        "files": _files(question),
        "again": _again(question),
        "level": f"{100 * question.confidence:g} %",
        "alike": {cell for cell, counts in found.comparison.transitions.items() if _diagonal(counts)},
        "coverage": COVERAGE,
        "loss": LOSS,
        "worst": WORST,
    }


def _diagonal(counts: pd.DataFrame) -> bool:
    """Whether the same luck always led to the same trajectory."""
    values = counts.to_numpy()
    return bool(values.sum() == values.trace())


def asked(question: Question) -> str:
    """The question in the user's words, or in ours."""
    if question.text:
        return question.text
    *others, last = question.cells[1:]
    mixes = " or ".join(filter(None, (", ".join(others), last)))
    money = ""
    if question.equal_cost is not None:
        money = f", each with budgets worth {number(question.equal_cost, 0)} k€ {question.day}"
    return f"What would {mixes} change in this district{money}?"


def _mix(question: Question, cell: str) -> dict[str, Any]:
    """A mix for the page: what its files say of it, its instruments, and what each kind does."""
    kinds = dict.fromkeys(item.kind for item in question.mixes[cell])
    return {
        "name": cell,
        "files": question.files[cell],
        "sheet": instruments(question, cell),
        "notes": [(kind.value, kind.record) for kind in kinds],
    }


# Figures ------------------------------------------------------------------------------------------


def _figures(found: Findings) -> dict[str, Markup]:
    from markupsafe import Markup

    from district_sim.figures import policy_report as draw
    from district_sim.reports.policy_report.risk import LOSS

    question, cells = found.question, found.question.cells
    confidence, scenario = question.confidence, question.scenario
    moments = (question.begins, scenario.world.onset, scenario.run.calendar)
    drawn = {
        "over_time": draw.over_time(found.bands, cells, COVERAGE, *moments),
        "effects_over_time": draw.effects_over_time(found.over_time, cells, confidence, *moments),
        "effects": draw.effects(found.comparison),
        "tails": draw.tails(found.ratios, cells, LOSS, question.first_years),
        "trajectories": draw.trajectory_dots(found.comparison.trajectories, cells, confidence),
        "gains": draw.who_gains(found.gains, cells, confidence),
    }
    if found.sensitivity is not None and len(found.sensitivity.top):
        units = dict(zip(found.sensitivity.top["parameter"], found.sensitivity.top["unit"], strict=True))
        drawn["ends"] = draw.sensitivity_ends(found.sensitivity.ends, cells, question.outcome, confidence, units)
    return {name: Markup(draw.inline_svg(figure, name)) for name, figure in drawn.items()}


# Data ---------------------------------------------------------------------------------------------


def _data(found: Findings) -> list[Download]:
    """Every number as CSV."""
    tables = {
        "runs": (found.runs, "every run: mix, replicate, seed, trajectory, outcomes"),
        "columns": (_columns(found.runs), "units and meaning of the columns of runs.csv"),
        "bands": (found.bands, "medians and bands of yearly means (figure 1)"),
        "effects_over_time": (found.over_time, "mean paired differences of yearly means (figure 2)"),
        "differences": (found.comparison.differences, "paired differences (figure 3)"),
        "retained": (found.ratios, "last years over calm years of each run (figure 4)"),
        "risk": (found.risk, "losses and expected shortfall"),
        "trajectories": (found.comparison.trajectories, "probability of each trajectory (figure 5)"),
        "gains": (found.gains, "differences by class of firms (figure 6)"),
        "costs": (found.costs, "sums, present values, jobs and what one costs, with Fieller's intervals"),
        "spread": (found.spread, "where effects and costs lie in one district, and how often effects are positive"),
    }
    if len(found.moves):
        tables["signposts"] = (found.moves, "what signposts did to the instruments, and when")
    if found.sensitivity is not None:
        tables |= {
            "draws": (found.sensitivity.draws, "drawn parameters, and the outcome under each mix"),
            "ranks": (found.sensitivity.ranks, "rank correlations of all parameters"),
            "ends": (found.sensitivity.ends, "effects at the ends of the ranges (figure 7)"),
        }
    names = found.question.names
    return [_csv(f"{name}.csv", _named(frame, names), about) for name, (frame, about) in tables.items()]


def _columns(runs: pd.DataFrame) -> pd.DataFrame:
    from district_sim.experiments.columns import column_notes, columns_table

    return columns_table(runs, column_notes)


def _named(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """With mixes as they were given in place of their titles, which may change and repeat."""
    named = frame.rename(columns={under(title): under(name) for title, name in names.items()})
    return named.assign(cell=named["cell"].map(names)) if "cell" in named else named


def _csv(name: str, frame: pd.DataFrame, about: str) -> Download:
    text = frame.to_csv(index=False, float_format=_DIGITS, lineterminator="\n")
    return Download(name, f"{about}; {len(frame):,} rows", _address("text/csv", text))


def _files(question: Question) -> list[Download]:
    """The district and the mixes as files from which the report can be made again."""
    scenario = without_place(question.scenario.model_dump(mode="json"))
    scenario |= {"title": question.title[:120], "description": question.words.get("description", "")}
    made = {"scenario.yaml": ("the district, resolved in full, without policies", scenario)}
    for cell in question.cells[1:]:
        data = {
            "title": cell[:120],
            "policies": [item.model_dump(mode="json", exclude_none=True) for item in question.mixes[cell]],
        }
        made[f"{question.names[cell]}.yaml"] = ("the mix, with the budgets of the runs", data)
    texts = {name: (about, _yaml(data)) for name, (about, data) in made.items()}
    return [Download(name, about, _address("application/yaml", text), text) for name, (about, text) in texts.items()]


def _again(question: Question) -> str:
    """The command that makes the same runs from the report's own files."""
    mixes = ",".join(f"{question.names[cell]}.yaml" for cell in question.cells[1:])
    kept = [pair for pair in question.options if pair[0] not in ("--policies", "--equal-cost")]
    return command_line("policy-report", "scenario.yaml", [("--policies", mixes), *kept])


def _yaml(data: Any) -> str:
    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    yaml.width = 110
    yaml.dump(data, text)
    return text.getvalue()


def _address(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
