"""What policy instruments and shocks there are: one record each, which kernels, schema, documents, page and tests read.

Kernels know a kind by its `code`, its position in the list, so this file is part of the identity of compiled code.
"""

from enum import StrEnum
from typing import NamedTuple, Self

FOREVER = 100_000
"""The last quarter of the schema: the end of an instrument without an end, the duration of a shock that stays."""
MOST_FOUNDED = 1000  # firms that one kind of instrument can found in a quarter
MOST_SIGNPOSTS = 8  # of one instrument

_COHEN = "Cohen & Levinthal 1990, doi 10.2307/2393553"
_BATHELT = "Bathelt, Malmberg & Maskell 2004, doi 10.1191/0309132504ph469oa"
_COVI = "Covi 2016, doi 10.1007/s13132-014-0225-4"


class Coded(StrEnum):
    """Words for which kernels have numbers."""

    @property
    def code(self) -> int:
        """The number: the position in the list."""
        return tuple(type(self)).index(self)


class InstrumentRecord(NamedTuple):
    """What there is to know about a policy instrument, apart from its equations."""

    label: str
    """Its name on the page."""
    targeted: bool
    """Whether it reaches firms one by one and may be targeted; the others serve the district as a whole."""
    mechanism: str
    """What the money does; names in `code` are parameters."""
    costs: str
    """What it costs besides the money, or why some of the money changes nothing."""
    source: str
    outcome: str
    """The indicator that it must move, if anything, ..."""
    direction: int
    """... and where: +1 or -1."""
    needs: str = ""
    """The mechanism (a switch of `mechanisms`) without which it is switched off, too."""


class InstrumentKind(Coded):
    """The policy instruments; several act in the order in which the scenario lists them."""

    record: InstrumentRecord

    def __new__(cls, name: str, *record: InstrumentRecord) -> Self:
        """A word with its record; to a type checker, looking a word up is a call of this, without one."""
        kind = str.__new__(cls, name)
        kind._value_, (kind.record,) = name, record
        return kind

    TRAINING_VOUCHERS = (
        "training_vouchers",
        InstrumentRecord(
            label="Training vouchers",
            targeted=True,
            mechanism=(
                "Pays for training: the workforce's education closes min(1, 0.1 · `intensity` · money per employee / "
                "`training_cost`) of its gap to 1, and with it absorptive capacity."
            ),
            costs=(
                "Skills age and leave (`education_decay`), with `job_mobility` to neighbours; with "
                "`crowding_out_training` firms save on their own training."
            ),
            source=f"{_COHEN}; Acemoglu & Pischke 1999, doi 10.1111/1468-0297.00405",
            outcome="education",
            direction=1,
        ),
    )
    RD_SUBSIDY = (
        "rd_subsidy",
        InstrumentRecord(
            label="R&D subsidy",
            targeted=True,
            mechanism="A grant that the firm spends on R&D.",
            costs="The firm saves `crowding_out` of each euro on its own R&D.",
            source="David, Hall & Toole 2000, doi 10.1016/S0048-7333(99)00087-6",
            outcome="tacit_mean",
            direction=1,
        ),
    )
    CLUSTER_CONTEST = (
        "cluster_contest",
        InstrumentRecord(
            label="Cluster contest",
            targeted=False,
            mechanism=(
                "The district's bid (1 − w) participation + w capability + l u, w = `contest_capability`, "
                "l = `contest_luck`, competes with `contest_rivals` uniform "
                "bids; if it is among the `contest_winners`, the budget goes to the agency for `contest_interval` "
                "quarters, else the next contest comes after about a quarter of that."
            ),
            costs="Organised districts win; those that would need it most do not.",
            source="Dohse 2000, doi 10.1016/S0048-7333(99)00077-3; Dohse 2007 (BioRegio)",
            outcome="agency_capability",
            direction=1,
        ),
    )
    TECHNOLOGY_CENTRE = (
        "technology_centre",
        InstrumentRecord(
            label="Technology centre",
            targeted=False,
            mechanism=(
                "Public transfer = min(1, 0.6 · `intensity` · s/(s + `project_half`)), s = budget / district value "
                "added: firms codify more of what they know and reach distant knowledge."
            ),
            costs="Returns diminish with the budget; all firms are served, also those that would have managed alone.",
            source="Brusco 1992 (real services); Pietrobelli & Rabellotti 2002",
            outcome="codified_mean",
            direction=1,
        ),
    )
    EXPORT_VOUCHERS = (
        "export_vouchers",
        InstrumentRecord(
            label="Export vouchers",
            targeted=True,
            mechanism=(
                "Raises the hazard that an able firm opens a pipeline of its own by `pipeline_opening` · min(1, "
                "`intensity` · money / `voucher_cost`)."
            ),
            costs="Firms keep paying `pipeline_cost`; pipelines lapse; some would have been opened anyway.",
            source=_BATHELT,
            outcome="pipelines_per_firm",
            direction=1,
        ),
    )
    EXPORT_PLATFORM = (
        "export_platform",
        InstrumentRecord(
            label="Export platform",
            targeted=False,
            mechanism=(
                "`intensity` · budget is added to the agency's money for collective pipelines, which participants "
                "share."
            ),
            costs="Nothing for firms that do not take part in the agency; without participants nothing at all.",
            source=f"{_COVI}; {_BATHELT}",
            outcome="collective_inflow_share",
            direction=1,
            needs="collective_pipelines",
        ),
    )
    PPP_MATCH = (
        "ppp_match",
        InstrumentRecord(
            label="Public match",
            targeted=False,
            mechanism=(
                "Matches the firms' contributions to the agency at the rate `intensity`, up to the budget, and only if "
                "a project can run. Its credibility draws pledges; it is won slowly and lost fast."
            ),
            costs=(
                "Matches contributions that would have been made anyway; can strengthen incumbents (political lock-in)."
            ),
            source=f"{_COVI}; Dohse 2007",
            outcome="agency_fund_share",
            direction=1,
            needs="public_private_partnership",
        ),
    )
    TAKEOVER_SCREENING = (
        "takeover_screening",
        InstrumentRecord(
            label="Takeover screening",
            targeted=False,
            mechanism=(
                "Prevents min(1, `intensity` · s/(s + `screening_half`)) of takeovers, s = budget / district value "
                "added."
            ),
            costs="Forgoes what takeovers bring: capital, a sales network, skills and higher wages.",
            source="Asheim 1996 after Harrison 1994",
            outcome="mne_employment_share",
            direction=-1,
        ),
    )
    PHASE_SUPPORT = (
        "phase_support",
        InstrumentRecord(
            label="Missing phases",
            targeted=False,
            mechanism="`intensity` · budget / `founding_cost` founders in the thinnest phase.",
            costs="Newborns fail more often, and compete with the firms of their phase.",
            source="Becattini 1990; Lorenzen 2001",
            outcome="firms",
            direction=1,
            needs="demography",
        ),
    )
    IT_SUBSIDY = (
        "it_subsidy",
        InstrumentRecord(
            label="IT subsidy",
            targeted=True,
            mechanism=(
                "Pays for information technology: its use closes min(1, 0.1 · `intensity` · money per employee / "
                "`it_cost`) of its gap to 1, which amplifies exchange between people who meet."
            ),
            costs=(
                "Firms fall back to the use that their strategy wants (`it_adoption`); where nobody meets it does "
                "nothing."
            ),
            source="Sanders 2007",
            outcome="codified_mean",
            direction=1,
        ),
    )
    IT_BROKERS = (
        "it_brokers",
        InstrumentRecord(
            label="IT with brokers",
            targeted=True,
            mechanism=(
                "The same, and brokers: human interaction × (1 + `broker_reach` · s/(s + `project_half`)), s = "
                "spending / district value added."
            ),
            costs="As for the subsidy alone.",
            source="Sanders 2007; Lorenzen 2001",
            outcome="codified_mean",
            direction=1,
        ),
    )
    ENTRANT_ATTRACTION = (
        "entrant_attraction",
        InstrumentRecord(
            label="Attract outsiders",
            targeted=False,
            mechanism=(
                "`intensity` · budget / `entrant_cost` entrants of `entrant_size` employees with "
                "`entrant_knowledge` of the frontier "
                "on the next technology and no ties: variety from outside."
            ),
            costs="They take staff and, in their phase, customers; without ties few learn from them.",
            source="Asheim 1996; Boschma, Eriksson & Lindgren 2009",
            outcome="firms",
            direction=1,
            needs="demography",
        ),
    )
    ENTRANT_ATTRACTION_NETWORKED = (
        "entrant_attraction_networked",
        InstrumentRecord(
            label="Outsiders, networked",
            targeted=False,
            mechanism="The same entrants, each introduced to four local firms with trust 0.6.",
            costs="They take staff and, in their phase, customers.",
            source="Asheim 1996; Giuliani & Bell 2005",
            outcome="firms",
            direction=1,
            needs="demography",
        ),
    )
    LOCAL_COOWNERSHIP = (
        "local_coownership",
        InstrumentRecord(
            label="Local co-ownership",
            targeted=False,
            mechanism=(
                "A local fund that co-finances management buy-outs with probability min(1, `intensity`), while the "
                "quarter's budget lasts: of firms that a multinational would take over, at the same price, and of "
                "affiliates that one leaves and would close. It pays `coownership_stake` of the price and of the "
                "capital that a takeover brings."
            ),
            costs=(
                "Prices are full and good firms dear, and a firm may be for sale again later; forgoes sales networks, "
                "skills and higher wages as screening does."
            ),
            source="Asheim 1996 after Harrison 1994; Italy's law 49/1985 on buy-outs by workers",
            outcome="mne_employment_share",
            direction=-1,
        ),
    )
    EXPLORATION_GRANT = (
        "exploration_grant",
        InstrumentRecord(
            label="Exploration grant",
            targeted=True,
            mechanism=(
                "A grant that the firm spends on R&D that explores the next technology; where firms decide, it also "
                "draws their own R&D there (`conduct.exploration_grant`)."
            ),
            costs="The firm saves `crowding_out` of each euro on its own R&D; its present technology gains less.",
            source="March 1991, doi 10.1287/orsc.2.1.71; David, Hall & Toole 2000, doi 10.1016/S0048-7333(99)00087-6",
            outcome="tacit_mean",
            direction=1,
        ),
    )
    SUCCESSION_SUPPORT = (
        "succession_support",
        InstrumentRecord(
            label="Succession support",
            targeted=True,
            mechanism=(
                "Finds and trains successors: an owner without one gets one with probability min(1, 0.1 · "
                "`intensity` · money per employee / `succession_cost`), and then asks a higher price of a buyer "
                "(`conduct.sale_succession`)."
            ),
            costs="Money also goes to owners who have a successor; does nothing where conduct is imposed.",
            source="European Commission 2006, COM(2006) 117, on the transfer of businesses",
            outcome="mne_employment_share",
            direction=-1,
        ),
    )


class Targeting(Coded):
    """Whom an instrument serves first."""

    ALL = "all"
    SMALL = "small"
    LARGE = "large"
    YOUNG = "young"
    LOCAL_OWNERS = "local_owners"
    FINAL = "final"
    SUPPLIERS = "suppliers"
    PERFORMING = "performing"
    RANDOM = "random"
    GATEKEEPERS = "gatekeepers"
    PERIPHERAL = "peripheral"


class Action(Coded):
    """What happens to an instrument when one of its signposts is passed."""

    START = "start"
    STOP = "stop"
    BUDGET = "budget"


class Funding(StrEnum):
    """Who pays for an instrument in the end."""

    OUTSIDE = "outside"
    TAXES = "taxes"


class ShockRecord(NamedTuple):
    """What there is to know about a shock, apart from its equations."""

    label: str
    """Its name on the page."""
    event: bool
    """Whether it happens in one quarter, and recovery from it is an outcome; the others last and fade."""
    mechanism: str
    size: str
    """What `size` means, with its unit."""
    low: float
    high: float
    source: str
    outcome: str
    """The indicator that it must move, ..."""
    direction: int
    """... and where: +1 or -1."""
    typical_size: float
    """At which the baseline feels it and lives on: what the page's button deals."""
    typical_duration: int = FOREVER
    """Quarters in full that the button's shock lasts; FOREVER for those that stay and for events."""
    typical_recovery: int = 0

    @property
    def sizes(self) -> str:
        """The allowed range in words."""
        return f"between {self.low:g} and {self.high:g}"


class ShockKind(Coded):
    """The shocks that a scenario can be given."""

    record: ShockRecord

    def __new__(cls, name: str, *record: ShockRecord) -> Self:
        """A word with its record; to a type checker, looking a word up is a call of this, without one."""
        kind = str.__new__(cls, name)
        kind._value_, (kind.record,) = name, record
        return kind

    COMPETITOR_ENTRY = (
        "competitor_entry",
        ShockRecord(
            label="New competitors",
            event=False,
            mechanism="Low-cost competitors enter the product market: outside competitors' appeal rises by `size`.",
            size="log points of appeal",
            low=0.0,
            high=2.0,
            source="Amin & Thrift 1992; De Marchi & Grandinetti 2014",
            outcome="turnover",
            direction=-1,
            typical_size=0.2,
        ),
    )
    DEMAND_SLUMP = (
        "demand_slump",
        ShockRecord(
            label="Demand slump",
            event=False,
            mechanism="The product market shrinks by `size`; slumps at the same time multiply.",
            size="share of the market lost",
            low=0.0,
            high=1.0,
            source="a business cycle, or a fashion that ends",
            outcome="turnover",
            direction=-1,
            typical_size=0.2,
            typical_duration=8,
            typical_recovery=4,
        ),
    )
    TECHNOLOGICAL_BREAK = (
        "technological_break",
        ShockRecord(
            label="Technological break",
            event=False,
            mechanism=(
                "The next technology ripens at once, later ones as planned, and outside rivals' quality "
                "rises by `size` of itself ahead of their usual adoption."
            ),
            size="share of quality that rivals gain",
            low=0.0,
            high=1.0,
            source="Tushman & Anderson 1986, doi 10.2307/2392832",
            outcome="turnover",
            direction=-1,
            typical_size=0.2,
            typical_duration=12,
            typical_recovery=8,
        ),
    )
    EXCHANGE_RATE = (
        "exchange_rate",
        ShockRecord(
            label="Strong currency",
            event=False,
            mechanism=(
                "The currency appreciates by `size` (below 0: depreciates): phases bought abroad cost e^(−size) of "
                "before, and outside competitors' appeal rises by `demand_price` · `size`."
            ),
            size="log points of appreciation",
            low=-1.0,
            high=1.0,
            source="price competition in final demand and sourcing, as under Sourcing and market in the ODD",
            outcome="local_purchases",
            direction=-1,
            typical_size=0.15,
            typical_duration=8,
            typical_recovery=4,
        ),
    )
    ANCHOR_LOSS = (
        "anchor_loss",
        ShockRecord(
            label="Largest firm closes",
            event=True,
            mechanism=(
                "The firm with most employees closes; `size` of its customers leave the district with it, the others "
                "look for firms of its phase. Its group and captive suppliers are free."
            ),
            size="share of its customers that leave",
            low=0.0,
            high=1.0,
            source="Grabher 1993",
            outcome="employment",
            direction=-1,
            typical_size=0.5,
        ),
    )
    MNE_EXIT = (
        "mne_exit",
        ShockRecord(
            label="Multinational leaves",
            event=True,
            mechanism=(
                "The multinational with most employees leaves: each of its affiliates closes with probability `size`, "
                "the others are bought by their managers. It may buy again later."
            ),
            size="share of its affiliates that close",
            low=0.0,
            high=1.0,
            source="Asheim 1996 after Harrison 1994",
            outcome="mne_employment_share",
            direction=-1,
            typical_size=0.5,
        ),
    )
