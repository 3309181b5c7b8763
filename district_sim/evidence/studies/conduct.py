"""What policies do when firms decide, and when conduct is fixed (Lucas 1976)."""

from collections.abc import Mapping
from typing import Any

from district_sim.evidence.studies.design import (
    Cell,
    Contrast,
    Outcome,
    Study,
    gains_more,
    instrument,
    less,
    loses_more,
    more,
)
from district_sim.evidence.studies.sources import (
    ABRAMOVSKY,
    ASHEIM,
    BAGNOLI,
    BRUSCO,
    COVI,
    DAVID,
    GRANOVETTER,
    HARRISON,
    LEVINTHAL,
    LUCAS,
    MARCH,
    OSTROM,
    SUCCESSION,
)
from district_sim.experiments.costs import present_value
from district_sim.model.state import TRAITS
from district_sim.scenario.instruments import InstrumentKind

START, END, _QUARTERS = 40, 80, 160  # of programmes, and of the run
_BUDGET = 200.0  # k€ a quarter, about 0.6 % of turnover
KINDS = tuple(kind.value for kind in InstrumentKind)
ENDED = ("training_vouchers", "rd_subsidy", "technology_centre", "ppp_match", "exploration_grant")
"""Instruments that end after ten years, too: what fades then?"""
OWNERSHIP = ("takeover_screening", "local_coownership", "succession_support")
FREE, FIXED, HABIT = "free", "fixed", "membership by habit"
DEAR_FREE, DEAR_FIXED = "free, high bids", "fixed, high bids"

_LEVERS: dict[str, dict[str, Any]] = {
    FREE: {},
    # The strategy is imposed, nobody joins the agency for what it brings, and leaders buy and bind as rarely as in
    # scenarios/imposed, as they do not weigh what they buy.
    FIXED: {
        "mechanisms.conduct": False,
        "mechanisms.membership_gain": False,
        "ownership.acquisition": 0.015,
        "ownership.acquisition_price": 6.0,
        "history.captivity": 0.2,
        "strategy.captivity": 0.2,
    },
    HABIT: {"mechanisms.membership_gain": False},
}
_DISTRICTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    FIXED: ("baseline", _LEVERS[FIXED]),
    FREE: ("baseline", _LEVERS[FREE]),
    DEAR_FIXED: ("fragmentation", _LEVERS[FIXED]),
    DEAR_FREE: ("fragmentation", _LEVERS[FREE]),
    HABIT: ("baseline", _LEVERS[HABIT]),
}


def plain(kind: str) -> str:
    """An instrument's kind in words."""
    return kind.replace("_", " ")


def named(district: str, kind: str, ended: bool = False) -> str:
    """The cell of a district under an instrument."""
    return f"{district}, {plain(kind)}{', ended' if ended else ''}"


def _worth(end: int) -> float:
    return present_value([_BUDGET if START <= t < end else 0.0 for t in range(_QUARTERS)])


def _cell(district: str, kind: str, ended: bool = False) -> Cell:
    scenario, levers = _DISTRICTS[district]
    end = END if ended else _QUARTERS
    mix = (instrument(kind, start=START, end=end),)
    return Cell(named(district, kind, ended), scenario, levers, mix, _worth(end), against=district)


def _district(name: str, kinds: tuple[str, ...]) -> tuple[Cell, ...]:
    return (Cell(name, *_DISTRICTS[name], against=name), *(_cell(name, kind) for kind in kinds))


def _both(kind: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """What an instrument does where conduct is free, and where it is fixed."""
    return (named(FREE, kind), FREE), (named(FIXED, kind), FIXED)


_SHARE = 1.0 / len(KINDS)
_ON_AVERAGE = {
    **{named(FREE, kind): _SHARE for kind in KINDS},
    **{named(FIXED, kind): -_SHARE for kind in KINDS},
    FREE: -1.0,
    FIXED: 1.0,
}

CONDUCT = Study(
    name="conduct",
    title="Policies where firms decide, and where conduct is fixed",
    question="How much of what a policy does comes from what it changes in what firms want?",
    design=(
        "Every instrument alone, at 200 k€ a quarter from quarter 40, about 0.6 % of turnover, in the baseline: "
        "once firms decide (free), once conduct is fixed. Fixed means that the strategy is imposed and nobody joins "
        "the agency for what it brings. Leaders then buy and bind as rarely as in scenarios/imposed, as they do not "
        "weigh what they buy. Instruments of ownership also meet the high bids of fragmentation; a match also meets "
        "firms that decide about everything but join by habit; five programmes are also ended after ten years. Every "
        "effect is the difference from no policy in the same district with the same conduct. Outcomes are of the last "
        "ten years."
    ),
    outcomes=(
        Outcome("value_added_local"),
        Outcome("employment"),
        Outcome("own_research"),
        Outcome("research_spending"),
        *(
            Outcome(name)
            for name in dict.fromkeys(
                (*(kind.record.outcome for kind in InstrumentKind), "participation", *(f"conduct_{t}" for t in TRAITS))
            )
        ),
    ),
    cells=(
        *_district(FIXED, KINDS),
        *_district(FREE, KINDS),
        *_district(DEAR_FIXED, OWNERSHIP),
        *_district(DEAR_FREE, OWNERSHIP),
        *_district(HABIT, ("ppp_match",)),
        *(_cell(FREE, kind, ended=True) for kind in ENDED),
    ),
    expectations=(
        less(
            "A euro of research grants brings less than a euro of additional R&D: firms' own R&D falls",
            DAVID,
            "own_research",
            named(FREE, "rd_subsidy"),
            FREE,
        ),
        more(
            "But it brings some: all R&D rises",
            DAVID,
            "research_spending",
            named(FREE, "rd_subsidy"),
            FREE,
        ),
        gains_more(
            "Grants are more additional where firms decide than where they keep to a routine",
            LUCAS,
            "own_research",
            *_both("rd_subsidy"),
        ),
        more(
            "Exploration grants make firms choose to explore more",
            MARCH,
            "conduct_exploration",
            named(FREE, "exploration_grant"),
            FREE,
        ),
        less(
            "That fades once the grants end: in the last ten years less is left than where they go on",
            LEVINTHAL,
            "conduct_exploration",
            named(FREE, "exploration_grant", ended=True),
            named(FREE, "exploration_grant"),
        ),
        more(
            "A technology centre makes firms explore more, as access to what is new makes it pay",
            ASHEIM,
            "conduct_exploration",
            named(FREE, "technology_centre"),
            FREE,
        ),
        gains_more(
            "A technology centre keeps more value added where firms decide",
            BRUSCO,
            "value_added_local",
            *_both("technology_centre"),
        ),
        less(
            "Training vouchers crowd out: firms choose to train less of their own",
            ABRAMOVSKY,
            "conduct_training",
            named(FREE, "training_vouchers"),
            FREE,
        ),
        gains_more(
            "A match wins members only where firms join for what it brings, not where they join by habit",
            BAGNOLI,
            "participation",
            (named(FREE, "ppp_match"), FREE),
            (named(HABIT, "ppp_match"), HABIT),
        ),
        more(
            "Having been a member makes ready to cooperate: the match raises readiness",
            OSTROM,
            "conduct_collective_action",
            named(FREE, "ppp_match"),
            FREE,
        ),
        less(
            "Ten years of match are not enough: in the last ten years fewer take part than where it goes on",
            COVI,
            "participation",
            named(FREE, "ppp_match", ended=True),
            named(FREE, "ppp_match"),
        ),
        gains_more(
            "High bids sell the district only where owners decide by the price",
            GRANOVETTER,
            "mne_employment_share",
            (DEAR_FREE, FREE),
            (DEAR_FIXED, FIXED),
        ),
        less(
            "Under high bids screening lowers the multinationals' share",
            HARRISON,
            "mne_employment_share",
            named(DEAR_FREE, "takeover_screening"),
            DEAR_FREE,
        ),
        less(
            "Under high bids support of succession lowers the multinationals' share",
            SUCCESSION,
            "mne_employment_share",
            named(DEAR_FREE, "succession_support"),
            DEAR_FREE,
        ),
        loses_more(
            "Support of succession lowers that share more under high bids than under usual ones, where few sell",
            SUCCESSION,
            "mne_employment_share",
            (named(DEAR_FREE, "succession_support"), DEAR_FREE),
            (named(FREE, "succession_support"), FREE),
        ),
        Contrast(
            "On average over all instruments a policy keeps more value added where firms can answer it",
            LUCAS,
            "value_added_local",
            _ON_AVERAGE,
            1,
        ),
    ),
    followed=(
        *(f"conduct_{t}" for t in TRAITS),
        *(f"conduct_{t}_spread" for t in TRAITS),
        "research_spending",
        "grants",
    ),
)

DESIGNS = (CONDUCT,)
