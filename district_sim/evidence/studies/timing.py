"""When a programme is begun, and when it is withdrawn."""

from district_sim.evidence.studies.design import Cell, Outcome, Study, instrument, less, more
from district_sim.evidence.studies.sources import ARTHUR, COVI, KYDLAND, MENZEL

_START = {"five years before": 20, "at the onset": 40, "five years after": 60, "ten years after": 80}
_BUDGET = {"small": 7_500.0, "large": 30_000.0}
_LENGTH = 40  # quarters of the programme
_SERVICES = ("technology_centre", "training_vouchers", "export_vouchers")


def _begun(when: str, budget: str) -> Cell:
    start = _START[when]
    terms = {"start": start, "end": start + _LENGTH}
    return Cell(
        f"{when}, {budget}",
        levers={"run.quarters": 200},
        mix=[instrument(kind, **terms) for kind in _SERVICES],
        value=_BUDGET[budget],
        line=f"{budget} budget",
        at=(start - 40) / 4,
    )


TIMING = Study(
    name="timing",
    title="When to begin: before the shock, at its onset, five and ten years after",
    question="Does it matter more when a programme is begun than how much it costs?",
    design=(
        "The baseline district meets globalisation in quarter 40. A ten-year programme (a technology "
        "centre, training and export vouchers, a third each) begins five years earlier, then, or five or ten years "
        "later, with a small and with a large budget (7.5 and 30 M€). Present values are equal for all dates, so later "
        "programmes have more euros a quarter. Fifty years; late outcomes are of the last ten, at least twenty years "
        "after the last programme ended."
    ),
    outcomes=(
        Outcome("value_added_local", 0, None, "present value"),
        Outcome("value_added_local"),
        Outcome("employment"),
        Outcome("absorptive_capacity"),
    ),
    cells=(
        Cell("no programme", levers={"run.quarters": 200}),
        *(_begun(when, budget) for budget in _BUDGET for when in _START),
    ),
    expectations=(
        more(
            "A large programme begun at the onset keeps more value added over the whole run than ten years later",
            MENZEL,
            "value_added_local_present_value",
            "at the onset, large",
            "ten years after, large",
        ),
        more(
            "A large programme begun five years before the shock keeps more value added over the whole run than at its "
            "onset",
            MENZEL,
            "value_added_local_present_value",
            "five years before, large",
            "at the onset, large",
        ),
        more(
            "A small programme at the onset keeps more value added over the whole run than a large one ten years "
            "after it: timing beats money",
            ARTHUR,
            "value_added_local_present_value",
            "at the onset, small",
            "ten years after, large",
        ),
        more(
            "Early events last: in the last ten years more value added is kept where the programme began at the onset "
            "than where it began ten years later",
            ARTHUR,
            "value_added_local",
            "at the onset, large",
            "ten years after, large",
        ),
    ),
    axis="years from the onset of globalisation to the beginning of the programme",
)

_YEARS = (3, 6, 10, 15, 25)
_SPEED = {"slowly": 0.02, "at the usual speed": 0.05, "fast": 0.15}
_LONG = {"run.quarters": 200}


def _matched(years: int, believed: str) -> Cell:
    return Cell(
        f"{years} years, believed {believed}",
        "collective_entrepreneurship",
        _LONG | {"policy_effects.credibility_speed": _SPEED[believed]},
        (instrument("ppp_match", end=40 + 4 * years),),
        15_000.0,
        line=f"believed {believed}",
        at=years,
    )


WITHDRAWAL = Study(
    name="withdrawal",
    title="A public-private partnership, its credibility and the date of its withdrawal",
    question="How long must the public side match what firms contribute before the partnership carries itself?",
    design=(
        "Collective entrepreneurship with another match. The same sum, in present value, is offered as a match for 3, "
        "6, 10, 15 or 25 years from quarter 40, and firms come to believe in it slowly, at the usual speed or fast "
        "(policy_effects.credibility_speed 0.02, 0.05, 0.15; belief is lost four times as fast as it is won). Fifty "
        "years; outcomes are of the last ten."
    ),
    outcomes=(Outcome("participation"), Outcome("agency_capability"), Outcome("value_added_local"), Outcome("trust")),
    cells=(
        Cell("no match", "collective_entrepreneurship", _LONG),
        *(_matched(years, believed) for believed in _SPEED for years in _YEARS),
    ),
    expectations=(
        more(
            "Withdrawal after 25 years keeps participation that withdrawal after three years loses",
            COVI,
            "participation",
            "25 years, believed at the usual speed",
            "3 years, believed at the usual speed",
        ),
        more(
            "Withdrawal after 25 years keeps value added that withdrawal after three years loses",
            COVI,
            "value_added_local",
            "25 years, believed at the usual speed",
            "3 years, believed at the usual speed",
        ),
        less(
            "Three years are too short: in the end fewer participate than after ten years of match",
            COVI,
            "participation",
            "3 years, believed at the usual speed",
            "10 years, believed at the usual speed",
        ),
        more(
            "A promise that is believed fast needs to be kept for a shorter time: after six years more participate "
            "than where it was believed slowly",
            KYDLAND,
            "participation",
            "6 years, believed fast",
            "6 years, believed slowly",
        ),
    ),
    axis="years of the match",
)

DESIGNS = (TIMING, WITHDRAWAL)
