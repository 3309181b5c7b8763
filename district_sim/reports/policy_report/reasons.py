"""Why an instrument did nothing, or spent little: from what its runs show, a sentence for each instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from district_sim.scenario.instruments import Action
from district_sim.scenario.instruments import InstrumentKind as Kind
from district_sim.text.numbers import percent

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.reports.policy_report.question import Question
    from district_sim.scenario.interventions import Instrument

_LITTLE = 0.5  # share of its budget: who spends less is asked why
_MEMBERS_ONLY = (Kind.EXPORT_PLATFORM,)
_UNSPENT: Mapping[Kind, str] = {
    Kind.CLUSTER_CONTEST: "the district won no contest, so the money never came",
    Kind.PPP_MATCH: "the firms' contributions never reached what a project needs, so nothing was matched",
    Kind.LOCAL_COOWNERSHIP: "no firm was for sale that it could have helped to buy, so the fund was never spent",
}


def reasons(
    question: Question,
    spending: pd.DataFrame,
    series: pd.DataFrame,
    points: Mapping[str, int],
    nothing: frozenset[str],
) -> dict[str, list[str]]:
    """By mix a sentence for each instrument that did nothing or spent less than half of its budget.

    Args:
        spending: point, replicate, number (place in the mix), spent, left_over; a row for each instrument and run.
        series: every quarter of every run: point, quarter (1 is the first), participation.
        points: of the mixes. nothing: mixes under which every run is what it is without.
    """
    found: dict[str, list[str]] = {}
    for cell in question.cells[1:]:
        own = spending[spending["point"] == points[cell]] if len(spending) else spending
        quarters = series[series["point"] == points[cell]]
        told = []
        for number, item in enumerate(question.mixes[cell]):
            rows = own[own["number"] == number] if len(own) else own
            why = _why(item, question, rows, quarters, cell in nothing)
            told += [f"{item.name}: {why}."] if why else []
        if cell in nothing and not told:
            told = ["The money was spent, but what it bought changed nothing in any run."]
        found[cell] = told
    return found


def _why(item: Instrument, question: Question, rows: pd.DataFrame, quarters: pd.DataFrame, nothing: bool) -> str:
    """Why nothing, or little; empty where the instrument worked."""
    scenario = question.scenario
    if item.start >= scenario.run.quarters:
        return "it starts after the last year"
    if item.budget == 0.0 and item.budget_share == 0.0:
        return "it has no budget"
    if item.intensity == 0.0:
        return "its intensity is 0"
    needs = item.kind.record.needs
    off = [name for name in ("policy", needs) if name and not getattr(scenario.mechanisms, name)]
    if off:
        return f"the mechanism that it needs is switched off in this district (mechanisms.{off[0]})"
    spent, left = (float(rows[name].sum()) if len(rows) else 0.0 for name in ("spent", "left_over"))
    active = quarters[(quarters["quarter"] > item.start) & (quarters["quarter"] <= item.end)]
    members = float(active["participation"].fillna(0.0).max()) if len(active) else 0.0
    if spent == 0.0:
        return _never(item, members)
    if item.kind in _MEMBERS_ONLY and members == 0.0:
        if nothing:
            return "nobody joined the agency, so nothing was bought that a firm could use, although the money was spent"
        return "nobody joined the agency: firms got only what spills over to those who do not contribute"
    if item.kind is Kind.SUCCESSION_SUPPORT and not scenario.mechanisms.conduct:
        return "owners do not decide in this district (mechanisms.conduct is off), so no successor changes a sale"
    if nothing:
        return "the money was spent, but what it bought changed nothing in any run"
    if spent < _LITTLE * (spent + left):
        return _little(item, rows, spent / (spent + left))
    return ""


def _never(item: Instrument, members: float) -> str:
    if posts := [post.words() for post in item.when if post.then is Action.START]:
        return f"it waits, and what it waits for never came ({'; '.join(posts)})"
    if item.kind is Kind.PPP_MATCH and members == 0.0:
        return "nobody joined the agency, so there was nothing to match"
    if item.kind in _UNSPENT:
        return _UNSPENT[item.kind]
    if item.kind.record.targeted:
        return f"no firm qualified in any quarter ({_whom(item)}), so the money was never spent"
    return "the money was never spent"


def _little(item: Instrument, rows: pd.DataFrame, share: float) -> str:
    text = f"only {percent(share)} of the budget was spent"
    idle = int((rows["spent"] == 0.0).sum())  # a row is the instrument's sum over one run
    if idle:
        text += f", and nothing at all in {idle} of {len(rows)} districts"
    if item.kind.record.targeted:
        return f"{text}: the firms that qualify ({_whom(item)}) could not take more, as what each may have is limited"
    if item.kind in _UNSPENT:
        partly = {
            Kind.CLUSTER_CONTEST: "the district lost most contests",
            Kind.PPP_MATCH: "firms contributed less than would have drawn the whole match",
            Kind.LOCAL_COOWNERSHIP: "few firms were for sale that it could have helped to buy",
        }
        return f"{text}: {partly[item.kind]}"
    return text


def _whom(item: Instrument) -> str:
    """Whom it serves."""
    whom = "all firms" if item.target.value == "all" else f"target {item.target.value}"
    return whom if item.phase is None else f"{whom}, phase {item.phase + 1}"
