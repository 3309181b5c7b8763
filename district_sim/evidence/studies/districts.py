"""Who owns, sells and founds: takeovers, ways abroad, missing phases."""

from district_sim.evidence.studies.design import Cell, Outcome, Study, gains_more, instrument, less, more
from district_sim.evidence.studies.sources import BATHELT, BECATTINI, COVI, HARRISON, LAW, LIPSEY, MORRISON, OLSON

_VALUE = 10_000.0  # k€

_FOR_SALE, _DEAR = "fragmentation", 30_000.0  # k€; with less the fund can afford only the smallest firms

TAKEOVERS = Study(
    name="takeovers",
    title="Takeover screening against open borders, with management buy-outs",
    question="What does a district win and lose if it keeps multinationals from buying its firms?",
    design=(
        "Fragmentation, where most owners would sell. Borders are open, or takeovers are screened, or a local fund "
        "co-finances management buy-outs, or both share the same money (30 M€ in present value, from quarter 40; of "
        "the fund's, what is left at the end of a quarter lapses). "
        "Beside it, open borders where of the affiliates that multinationals leave a tenth, or nine tenths, are "
        "bought by their managers (ownership.buyout; the default is half). Outcomes are of the last ten years."
    ),
    outcomes=(
        Outcome("mne_employment_share"),
        Outcome("value_added_local"),
        Outcome("employment"),
        Outcome("wage"),
        Outcome("trust"),
    ),
    cells=(
        Cell("open", _FOR_SALE),
        Cell("screening", _FOR_SALE, mix=(instrument("takeover_screening"),), value=_DEAR),
        Cell("co-ownership", _FOR_SALE, mix=(instrument("local_coownership"),), value=_DEAR),
        Cell(
            "screening and co-ownership",
            _FOR_SALE,
            mix=(instrument("takeover_screening", 0.1), instrument("local_coownership", 0.9)),
            value=_DEAR,
        ),
        Cell("open, managers seldom buy", _FOR_SALE, {"ownership.buyout": 0.1}),
        Cell("open, managers mostly buy", _FOR_SALE, {"ownership.buyout": 0.9}),
    ),
    expectations=(
        less(
            "Screening lowers the share of employees who work for multinationals",
            HARRISON,
            "mne_employment_share",
            "screening",
            "open",
        ),
        more(
            "Screening keeps more value added in the district",
            HARRISON,
            "value_added_local",
            "screening",
            "open",
        ),
        less(
            "Screening forgoes the higher wages that multinationals pay",
            LIPSEY,
            "wage",
            "screening",
            "open",
        ),
        less(
            "A fund for buy-outs lowers the multinationals' share as well",
            LAW,
            "mne_employment_share",
            "co-ownership",
            "open",
        ),
        more(
            "At equal cost the fund keeps more value added than screening, as its money stays in the firms and with "
            "their former owners",
            LAW,
            "value_added_local",
            "co-ownership",
            "screening",
        ),
        more(
            "Where managers mostly buy what multinationals leave, more people are employed than where they seldom do",
            LAW,
            "employment",
            "open, managers mostly buy",
            "open, managers seldom buy",
        ),
    ),
)

_ORGANISED = "collective_entrepreneurship"
_VOUCHERS, _PLATFORM = (instrument("export_vouchers"),), (instrument("export_platform"),)

WAYS_ABROAD = Study(
    name="platform-or-vouchers",
    title="Individual vouchers against a collective platform",
    question="Should the public help firms abroad one by one or together?",
    design=(
        "10 M€ in present value from quarter 40, for export vouchers or for a collective export platform, in the "
        "baseline, where hardly anybody takes part in common projects, and in collective entrepreneurship, whose own "
        "policies stay beside it. Outcomes are of the last ten years."
    ),
    outcomes=(
        Outcome("value_added_local"),
        Outcome("employment"),
        Outcome("pipelines_per_firm"),
        Outcome("gini"),
    ),
    cells=(
        Cell("unorganised"),
        Cell("unorganised, vouchers", mix=_VOUCHERS, value=_VALUE),
        Cell("unorganised, platform", mix=_PLATFORM, value=_VALUE),
        Cell("organised", _ORGANISED, own=True, against="organised"),
        Cell("organised, vouchers", _ORGANISED, {}, _VOUCHERS, _VALUE, own=True, against="organised"),
        Cell("organised, platform", _ORGANISED, {}, _PLATFORM, _VALUE, own=True, against="organised"),
    ),
    expectations=(
        more(
            "In an organised district a platform keeps more value added than vouchers of equal cost",
            COVI,
            "value_added_local",
            "organised, platform",
            "organised, vouchers",
        ),
        more(
            "In an unorganised one vouchers keep more than a platform, which nobody uses",
            OLSON,
            "value_added_local",
            "unorganised, vouchers",
            "unorganised, platform",
        ),
        gains_more(
            "A platform is worth more where the district is organised",
            COVI,
            "value_added_local",
            ("organised, platform", "organised"),
            ("unorganised, platform", "unorganised"),
        ),
        more(
            "Vouchers raise employment in the unorganised district",
            BATHELT,
            "employment",
            "unorganised, vouchers",
            "unorganised",
        ),
        more(
            "Vouchers leave firms more unequal than a platform: individual links serve only their holders",
            MORRISON,
            "gini",
            "organised, vouchers",
            "organised, platform",
        ),
    ),
)

_NODE = "post_marshallian_node"
_FOUNDERS = (instrument("phase_support"),)

MISSING_PHASE = Study(
    name="missing-phase",
    title="Support for founders in a phase of production that goes missing",
    question="Can a district keep its production complete by paying for founders where they are fewest?",
    design=(
        "The post-Marshallian node, from which standardised phases leave, and the baseline, which stays complete. "
        "10 M€ in present value from quarter 40 pay for founders in the thinnest phase; in the node also, for "
        "comparison, for export vouchers. Outcomes are of the last ten years."
    ),
    outcomes=(
        Outcome("phase_coverage"),
        Outcome("local_purchases"),
        Outcome("value_added_local"),
        Outcome("employment"),
    ),
    cells=(
        Cell("node", _NODE),
        Cell("node, founders", _NODE, mix=_FOUNDERS, value=_VALUE),
        Cell("node, vouchers", _NODE, mix=_VOUCHERS, value=_VALUE),
        Cell("complete", against="complete"),
        Cell("complete, founders", mix=_FOUNDERS, value=_VALUE, against="complete"),
    ),
    expectations=(
        more(
            "Support of founders keeps more phases in the district",
            BECATTINI,
            "phase_coverage",
            "node, founders",
            "node",
        ),
        more(
            "Support of founders keeps more purchases of final firms in the district",
            BECATTINI,
            "local_purchases",
            "node, founders",
            "node",
        ),
        gains_more(
            "It does more for coverage where phases are missing than where none is",
            BECATTINI,
            "phase_coverage",
            ("node, founders", "node"),
            ("complete, founders", "complete"),
        ),
        more(
            "At equal cost it keeps more value added than export vouchers: complete production is worth more than "
            "further links abroad",
            COVI,
            "value_added_local",
            "node, founders",
            "node, vouchers",
        ),
    ),
)

DESIGNS = (TAKEOVERS, WAYS_ABROAD, MISSING_PHASE)
