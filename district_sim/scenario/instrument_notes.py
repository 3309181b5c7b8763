"""What every policy instrument and every shock does, why, and what it must move: the one place where this is written.

The documents, the schema's descriptions for editors, `district-sim policies instruments` and the tests read it.
"""

from typing import NamedTuple

from district_sim.scenario.instruments import EVENTS, InstrumentKind, ShockKind

_COHEN = "Cohen & Levinthal 1990, doi 10.2307/2393553"
_BATHELT = "Bathelt, Malmberg & Maskell 2004, doi 10.1191/0309132504ph469oa"
_COVI = "Covi 2016, doi 10.1007/s13132-014-0225-4"


class InstrumentNote(NamedTuple):
    """One instrument."""

    mechanism: str
    """What the money does; names in `code` are parameters."""
    costs: str
    """What it costs besides the money, or why some of the money changes nothing."""
    source: str
    outcome: str
    """The indicator that it must move, if anything, ..."""
    direction: int
    """... and where: +1 or -1."""


class ShockNote(NamedTuple):
    """One shock."""

    mechanism: str
    size: str
    """What `size` means, with its unit."""
    low: float
    high: float
    source: str
    outcome: str
    direction: int

    @property
    def sizes(self) -> str:
        """The allowed range in words."""
        return f"between {self.low:g} and {self.high:g}"


INSTRUMENTS: dict[InstrumentKind, InstrumentNote] = {
    InstrumentKind.TRAINING_VOUCHERS: InstrumentNote(
        "Pays for training: the workforce's education closes min(1, 0.1 · `intensity` · money per employee / "
        "`training_cost`) of its gap to 1, and with it absorptive capacity.",
        "Skills age and leave (`education_decay`), with `job_mobility` to neighbours; with `crowding_out_training` "
        "firms save on their own training.",
        f"{_COHEN}; Acemoglu & Pischke 1999, doi 10.1111/1468-0297.00405",
        "education",
        1,
    ),
    InstrumentKind.RD_SUBSIDY: InstrumentNote(
        "A grant that the firm spends on R&D.",
        "The firm saves `crowding_out` of each euro on its own R&D.",
        "David, Hall & Toole 2000, doi 10.1016/S0048-7333(99)00087-6",
        "tacit_mean",
        1,
    ),
    InstrumentKind.CLUSTER_CONTEST: InstrumentNote(
        "The district's bid ½ participation + ½ capability + 0.1 u competes with `contest_rivals` uniform bids; if it "
        "is among the `contest_winners`, the budget goes to the agency for `contest_interval` quarters, else the next "
        "contest comes after about a quarter of that.",
        "Organised districts win; those that would need it most do not.",
        "Dohse 2000, doi 10.1016/S0048-7333(99)00077-3; Dohse 2007 (BioRegio)",
        "agency_capability",
        1,
    ),
    InstrumentKind.TECHNOLOGY_CENTRE: InstrumentNote(
        "Public transfer = min(1, 0.6 · `intensity` · s/(s + `project_half`)), s = budget / district value added: "
        "firms codify more of what they know and reach distant knowledge.",
        "Returns diminish with the budget; all firms are served, also those that would have managed alone.",
        "Brusco 1992 (real services); Pietrobelli & Rabellotti 2002",
        "codified_mean",
        1,
    ),
    InstrumentKind.EXPORT_VOUCHERS: InstrumentNote(
        "Raises the hazard that an able firm opens a pipeline of its own by `pipeline_opening` · min(1, `intensity` · "
        "money / `voucher_cost`).",
        "Firms keep paying `pipeline_cost`; pipelines lapse; some would have been opened anyway.",
        _BATHELT,
        "pipelines_per_firm",
        1,
    ),
    InstrumentKind.EXPORT_PLATFORM: InstrumentNote(
        "`intensity` · budget is added to the agency's money for collective pipelines, which participants share.",
        "Nothing for firms that do not take part in the agency; without participants nothing at all.",
        f"{_COVI}; {_BATHELT}",
        "collective_inflow_share",
        1,
    ),
    InstrumentKind.PPP_MATCH: InstrumentNote(
        "Matches the firms' contributions to the agency at the rate `intensity`, up to the budget, and only if a "
        "project can run. Its credibility draws pledges; it is won slowly and lost fast.",
        "Matches contributions that would have been made anyway; can strengthen incumbents (political lock-in).",
        f"{_COVI}; Dohse 2007",
        "agency_fund_share",
        1,
    ),
    InstrumentKind.TAKEOVER_SCREENING: InstrumentNote(
        "Prevents min(1, `intensity` · s/(s + `screening_half`)) of takeovers, s = budget / district value added.",
        "Forgoes what takeovers bring: capital, a sales network, skills and higher wages.",
        "Asheim 1996 after Harrison 1994",
        "mne_employment_share",
        -1,
    ),
    InstrumentKind.PHASE_SUPPORT: InstrumentNote(
        "`intensity` · budget / `founding_cost` founders in the thinnest phase.",
        "Newborns fail more often, and compete with the firms of their phase.",
        "Becattini 1990; Lorenzen 2001",
        "firms",
        1,
    ),
    InstrumentKind.IT_SUBSIDY: InstrumentNote(
        "Pays for information technology: its use closes min(1, 0.1 · `intensity` · money per employee / `it_cost`) of "
        "its gap to 1, which amplifies exchange between people who meet.",
        "Firms fall back to the use that their strategy wants (`it_adoption`); where nobody meets it does nothing.",
        "Sanders 2007",
        "codified_mean",
        1,
    ),
    InstrumentKind.IT_BROKERS: InstrumentNote(
        "The same, and brokers: human interaction × (1 + `broker_reach` · s/(s + `project_half`)), s = spending / "
        "district value added.",
        "As for the subsidy alone.",
        "Sanders 2007; Lorenzen 2001",
        "codified_mean",
        1,
    ),
    InstrumentKind.ENTRANT_ATTRACTION: InstrumentNote(
        "`intensity` · budget / `entrant_cost` entrants of `entrant_size` employees with 0.6 of the frontier on the "
        "next trajectory and no ties: variety from outside.",
        "They take staff and, in their phase, customers; without ties few learn from them.",
        "Asheim 1996; Boschma, Eriksson & Lindgren 2009",
        "firms",
        1,
    ),
    InstrumentKind.ENTRANT_ATTRACTION_NETWORKED: InstrumentNote(
        "The same entrants, each introduced to four local firms with trust 0.6.",
        "They take staff and, in their phase, customers.",
        "Asheim 1996; Giuliani & Bell 2005",
        "firms",
        1,
    ),
    InstrumentKind.LOCAL_COOWNERSHIP: InstrumentNote(
        "A local fund that co-finances management buy-outs with probability min(1, `intensity`), while the quarter's "
        "budget lasts: of firms that a multinational would take over, at the same price, and of affiliates that one "
        "leaves and would close. It pays `coownership_stake` of the price and of the capital that a takeover brings.",
        "Prices are full and good firms dear, and a firm may be for sale again later; forgoes sales networks, skills "
        "and higher wages as screening does.",
        "Asheim 1996 after Harrison 1994; Italy's law 49/1985 on buy-outs by workers",
        "mne_employment_share",
        -1,
    ),
}

SHOCKS: dict[ShockKind, ShockNote] = {
    ShockKind.COMPETITOR_ENTRY: ShockNote(
        "Low-cost competitors enter the product market: outside competitors' appeal rises by `size`.",
        "log points of appeal",
        0.0,
        2.0,
        "Amin & Thrift 1992; De Marchi & Grandinetti 2014",
        "turnover",
        -1,
    ),
    ShockKind.DEMAND_SLUMP: ShockNote(
        "The product market shrinks by `size`; slumps at the same time multiply.",
        "share of the market lost",
        0.0,
        1.0,
        "a business cycle, or a fashion that ends",
        "turnover",
        -1,
    ),
    ShockKind.TECHNOLOGICAL_BREAK: ShockNote(
        "The next technological trajectory ripens at once, later ones as planned, and outside rivals' quality rises by "
        "`size` of itself ahead of their usual adoption.",
        "share of quality that rivals gain",
        0.0,
        1.0,
        "Tushman & Anderson 1986, doi 10.2307/2392832",
        "turnover",
        -1,
    ),
    ShockKind.EXCHANGE_RATE: ShockNote(
        "The currency appreciates by `size` (below 0: depreciates): phases bought abroad cost e^(−size) of before, and "
        "outside competitors' appeal rises by `demand_price` · `size`.",
        "log points of appreciation",
        -1.0,
        1.0,
        "price competition in final demand and sourcing, as in 7.6",
        "local_purchases",
        -1,
    ),
    ShockKind.ANCHOR_LOSS: ShockNote(
        "The firm with most employees closes; `size` of its customers leave the district with it, the others look for "
        "firms of its phase. Its group and captive suppliers are free.",
        "share of its customers that leave",
        0.0,
        1.0,
        "Grabher 1993",
        "employment",
        -1,
    ),
    ShockKind.MNE_EXIT: ShockNote(
        "The multinational with most employees leaves: each of its affiliates closes with probability `size`, the "
        "others are bought by their managers. It may buy again later.",
        "share of its affiliates that close",
        0.0,
        1.0,
        "Asheim 1996 after Harrison 1994",
        "mne_employment_share",
        -1,
    ),
}


def lasts(kind: ShockKind) -> bool:
    """Whether a shock has a duration and a recovery of its own; of an event, recovery is an outcome."""
    return kind not in EVENTS
