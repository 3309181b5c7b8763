"""How districts learn: information technology and people, education and research, strangers with other knowledge."""

from district_sim.evidence.studies.design import Cell, Contrast, Outcome, Study, gains_more, instrument, more
from district_sim.evidence.studies.sources import (
    ASHEIM,
    BOSCHMA,
    COHEN,
    DAVID,
    GIULIANI,
    LEIPONEN,
    LORENZEN,
    SANDERS,
    STIGLITZ,
)

_VALUE = 10_000.0  # k€
_IT, _BROKERS = (instrument("it_subsidy"),), (instrument("it_brokers"),)
_FEW_MEET = {"knowledge.interaction": 0.25}

INFORMATION_TECHNOLOGY = Study(
    name="information-technology",
    title="Information technology alone, and with brokers",
    question="Does information technology help where people do not meet?",
    design=(
        "10 M€ in present value from quarter 40 for information technology, alone or with brokers, in the baseline "
        "and in a district in which people meet a quarter as much (knowledge.interaction 0.25). Outcomes are of the "
        "last ten years."
    ),
    outcomes=(
        Outcome("codified_mean"),
        Outcome("tacit_mean"),
        Outcome("quality"),
        Outcome("value_added_local"),
    ),
    cells=(
        Cell("people meet"),
        Cell("people meet, technology", mix=_IT, value=_VALUE),
        Cell("people meet, technology and brokers", mix=_BROKERS, value=_VALUE),
        Cell("few meet", levers=_FEW_MEET, against="few meet"),
        Cell("few meet, technology", levers=_FEW_MEET, mix=_IT, value=_VALUE, against="few meet"),
        Cell("few meet, technology and brokers", levers=_FEW_MEET, mix=_BROKERS, value=_VALUE, against="few meet"),
    ),
    expectations=(
        more(
            "Technology alone raises codified knowledge where people meet",
            SANDERS,
            "codified_mean",
            "people meet, technology",
            "people meet",
        ),
        gains_more(
            "Technology alone raises codified knowledge less where few meet",
            SANDERS,
            "codified_mean",
            ("people meet, technology", "people meet"),
            ("few meet, technology", "few meet"),
        ),
        more(
            "At equal cost, with brokers tacit knowledge rises more than by technology alone",
            LORENZEN,
            "tacit_mean",
            "people meet, technology and brokers",
            "people meet, technology",
        ),
        more(
            "At equal cost, with brokers more value added is kept than by technology alone",
            LORENZEN,
            "value_added_local",
            "people meet, technology and brokers",
            "people meet, technology",
        ),
        gains_more(
            "Brokers add more to tacit knowledge where few firms meet without them",
            LORENZEN,
            "tacit_mean",
            ("few meet, technology and brokers", "few meet, technology"),
            ("people meet, technology and brokers", "people meet, technology"),
        ),
    ),
)

_TRAINING, _RESEARCH = instrument("training_vouchers"), instrument("rd_subsidy")

EDUCATION_OR_RESEARCH = Study(
    name="education-or-research",
    title="Education against R&D subsidies",
    question="Does a euro of public money teach a district more through people or through projects?",
    design=(
        "10 M€ in present value from quarter 40 for training vouchers, for R&D grants (both to all firms, by size), or "
        "half for each, in the baseline. Firms save 40 cents of own R&D for each euro of grant. Outcomes are of the "
        "last ten years; radical innovations are counted from quarter 40 on."
    ),
    outcomes=(
        Outcome("absorptive_capacity"),
        Outcome("quality"),
        Outcome("radical_rate", 40),
        Outcome("value_added_local"),
    ),
    cells=(
        Cell("neither"),
        Cell("education", mix=(_TRAINING,), value=_VALUE),
        Cell("research", mix=(_RESEARCH,), value=_VALUE),
        Cell("half and half", mix=(_TRAINING, _RESEARCH), value=_VALUE),
    ),
    expectations=(
        more(
            "Education raises absorptive capacity more than research grants do",
            COHEN,
            "absorptive_capacity",
            "education",
            "research",
        ),
        more(
            "Research grants raise quality, as only a part of them replaces own research",
            DAVID,
            "quality",
            "research",
            "neither",
        ),
        more(
            "Education keeps more value added than research grants: firms that have learned to learn keep learning",
            STIGLITZ,
            "value_added_local",
            "education",
            "research",
        ),
        Contrast(
            "Half and half keeps more value added than the mean of both alone: skills and research complement each "
            "other",
            LEIPONEN,
            "value_added_local",
            {"half and half": 1.0, "education": -0.5, "research": -0.5},
            1,
        ),
    ),
)

_STRANGERS, _INTRODUCED = (instrument("entrant_attraction"),), (instrument("entrant_attraction_networked"),)

ENTRANTS = Study(
    name="entrants",
    title="Technology-distant entrants, with and without access to networks",
    question="Does variety from outside renew a district if nobody introduces it?",
    design=(
        "10 M€ in present value from quarter 40 attract firms with knowledge of the next technology: strangers, or "
        "each introduced to four local firms; in the baseline and in the learning region, whose own policies stay "
        "beside it. Outcomes are of the last ten years and of all firms, entrants among them; radical innovations are "
        "counted from quarter 40 on."
    ),
    outcomes=(
        Outcome("radical_rate", 40),
        Outcome("newest_share"),
        Outcome("tacit_mean"),
        Outcome("value_added_local"),
    ),
    cells=(
        Cell("baseline"),
        Cell("baseline, strangers", mix=_STRANGERS, value=_VALUE),
        Cell("baseline, introduced", mix=_INTRODUCED, value=_VALUE),
        Cell("learning region", "learning_region", own=True, against="learning region"),
        Cell(
            "learning region, strangers", "learning_region", {}, _STRANGERS, _VALUE, own=True, against="learning region"
        ),
        Cell(
            "learning region, introduced",
            "learning_region",
            {},
            _INTRODUCED,
            _VALUE,
            own=True,
            against="learning region",
        ),
    ),
    expectations=(
        more(
            "Introduced entrants bring more firms onto the newest technology than there were without",
            ASHEIM,
            "newest_share",
            "baseline, introduced",
            "baseline",
        ),
        more(
            "Introduced entrants lead to more radical innovations than strangers",
            ASHEIM,
            "radical_rate",
            "baseline, introduced",
            "baseline, strangers",
        ),
        more(
            "Introduced entrants teach the district more tacit knowledge than strangers",
            GIULIANI,
            "tacit_mean",
            "baseline, introduced",
            "baseline, strangers",
        ),
        more(
            "With introduced entrants more value added is kept than with strangers",
            BOSCHMA,
            "value_added_local",
            "baseline, introduced",
            "baseline, strangers",
        ),
        gains_more(
            "Entrants add more to tacit knowledge where absorptive capacity is high: in the learning region",
            COHEN,
            "tacit_mean",
            ("learning region, introduced", "learning region"),
            ("baseline, introduced", "baseline"),
        ),
    ),
)

DESIGNS = (INFORMATION_TECHNOLOGY, EDUCATION_OR_RESEARCH, ENTRANTS)
