"""The names of policy instruments, targeting rules and shocks; kernels know them by their position."""

from enum import StrEnum


class InstrumentKind(StrEnum):
    """The policy instruments; several act in the order in which the scenario lists them."""

    TRAINING_VOUCHERS = "training_vouchers"
    RD_SUBSIDY = "rd_subsidy"
    CLUSTER_CONTEST = "cluster_contest"
    TECHNOLOGY_CENTRE = "technology_centre"
    EXPORT_VOUCHERS = "export_vouchers"
    EXPORT_PLATFORM = "export_platform"
    PPP_MATCH = "ppp_match"
    TAKEOVER_SCREENING = "takeover_screening"
    PHASE_SUPPORT = "phase_support"
    IT_SUBSIDY = "it_subsidy"
    IT_BROKERS = "it_brokers"
    ENTRANT_ATTRACTION = "entrant_attraction"
    ENTRANT_ATTRACTION_NETWORKED = "entrant_attraction_networked"
    LOCAL_COOWNERSHIP = "local_coownership"


class Targeting(StrEnum):
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


class Funding(StrEnum):
    """Who pays for an instrument in the end."""

    OUTSIDE = "outside"
    TAXES = "taxes"


class ShockKind(StrEnum):
    """The shocks that a scenario can be given."""

    COMPETITOR_ENTRY = "competitor_entry"
    DEMAND_SLUMP = "demand_slump"
    TECHNOLOGICAL_BREAK = "technological_break"
    EXCHANGE_RATE = "exchange_rate"
    ANCHOR_LOSS = "anchor_loss"
    MNE_EXIT = "mne_exit"


KINDS = tuple(InstrumentKind)
TARGETED = frozenset(
    (
        InstrumentKind.TRAINING_VOUCHERS,
        InstrumentKind.RD_SUBSIDY,
        InstrumentKind.EXPORT_VOUCHERS,
        InstrumentKind.IT_SUBSIDY,
        InstrumentKind.IT_BROKERS,
    )
)
"""Instruments that reach firms one by one and may be targeted; the others serve the district as a whole."""
TARGETS = tuple(Targeting)
SHOCKS = tuple(ShockKind)
EVENTS = frozenset((ShockKind.ANCHOR_LOSS, ShockKind.MNE_EXIT))
"""Shocks that happen in one quarter; the district's recovery from them is an outcome. The others last and fade."""
MOST_FOUNDED = 1000  # firms that one kind of instrument can found in a quarter
