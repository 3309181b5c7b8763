"""What is observed of a district: one record for each indicator, which kernels, schema, documents, page and tests read.

`model.indicators` computes them, in this order. Policies that wait look at them (`interventions.Signpost`).
"""

from math import inf
from typing import NamedTuple

_SIGNED = ("value_added", "value_added_local", "productivity", "profit_share", "conduct_offshoring")
_BEYOND_ONE = ("profit_share", "agency_fund_share")  # shares of value added: contributions follow the quarter before
_INDICES = (  # without unit, and within [0, 1] as shares are
    *("gini", "hhi_control", "order_centralisation", "clustering", "trust", "identity", "reproduction"),
    *("absorptive_capacity", "education", "agency_capability", "brand"),
)


class Indicator(NamedTuple):
    """One column of the table of indicators; everything that a reader is told of it is taken from here."""

    name: str
    label: str
    """Its short name in tables and figures."""
    unit: str
    """As in data files; `text.names.unit_words` writes it out."""
    decimals: int
    """Shown to a reader; of a share, those of its per cent."""
    description: str
    undefined: str = ""
    """With what it says nothing and is NaN, as "no firms"; empty if it is always a number."""

    @property
    def meaning(self) -> str:
        """The description, and when there is no value."""
        return f"{self.description}; missing with {self.undefined}" if self.undefined else self.description

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that it can be; infinite where there is no bound."""
        share = (self.unit == "share" and self.name not in _BEYOND_ONE) or self.name in _INDICES
        return -inf if self.name in _SIGNED else 0.0, 1.0 if share else inf


CONDUCT: dict[str, tuple[str, str, int, str]] = {
    "research": ("R&D drive", "1", 2, "R&D intensity that firms choose, multiple of normal"),
    "exploration": ("Exploration", "share", 1, "Share of R&D with which firms choose to explore"),
    "training": ("Training", "share", 2, "Training that firms choose, share of wages"),
    "collective_action": ("Readiness", "1", 2, "Readiness to cooperate"),
    "offshoring": ("Leaning abroad", "log points", 2, "Readiness to buy abroad"),
    "pipelines": ("Outward drive", "1", 2, "Drive to build pipelines, multiple of the hazard"),
    "reservation": ("Reservation price", "quarters", 1, "Price below which owners rather go on, quarters of profit"),
}
"""What a firm's conduct consists of, named as in `Strategy`: label, unit, decimals, description of each."""


def _of_conduct() -> list[Indicator]:
    """Mean and standard deviation over firms of each trait of their conduct."""
    return [
        *(Indicator(f"conduct_{trait}", *of, undefined="no firms") for trait, of in CONDUCT.items()),
        *(
            Indicator(
                f"conduct_{trait}_spread",
                f"{label}, spread",
                unit,
                decimals,
                f"Standard deviation over firms of: {text}",
                undefined="no firms",
            )
            for trait, (label, unit, decimals, text) in CONDUCT.items()
        ),
    ]


# fmt: off
INDICATORS: tuple[Indicator, ...] = (
    Indicator("firms", "Firms", "firms", 0, "Living firms"),
    Indicator("employment", "Employees", "employees", 0, "Employees"),
    Indicator("unemployment", "Unemployment", "share", 1, "Unemployed in the labour force",
              undefined="no labour force"),
    Indicator("turnover", "Turnover", "k€/quarter", 0, "Sales of final firms to the market"),
    Indicator("value_added", "Value added", "k€/quarter", 0, "Sales less purchases from other firms"),
    Indicator("value_added_local", "Value added kept", "k€/quarter", 0,
              "Value added less profits that multinationals take home"),
    Indicator("productivity", "Productivity", "k€/employee", 2, "Value added per employee and quarter",
              undefined="no employees"),
    Indicator("wage", "Wage", "k€/quarter", 2, "Wages paid per employee and quarter", undefined="no employees"),
    Indicator("profit_share", "Profit share", "share", 1, "Profit before tax in value added",
              undefined="no value added"),
    Indicator("survival", "First firms alive", "share", 1, "Firms of the first day that still live"),
    Indicator("entries", "Entries", "firms/quarter", 2, "New firms"),
    Indicator("exits", "Exits", "firms/quarter", 2, "Closed firms"),
    Indicator("gini", "Gini of value added", "1", 2, "Gini coefficient of firms' value added",
              undefined="fewer than two firms or no value added"),
    Indicator("mne_turnover_share", "Multinational sales", "share", 1,
              "Sales of multinationals' affiliates in all firms' sales", undefined="no sales"),
    Indicator("mne_employment_share", "Multinational employment share", "share", 1,
              "Employees in multinationals' affiliates", undefined="no employees"),
    Indicator("group_firm_share", "Firms in groups", "share", 1, "Firms in local business groups, leaders included",
              undefined="no firms"),
    Indicator("group_employment_share", "Employees in groups", "share", 1, "Employees in local business groups",
              undefined="no employees"),
    Indicator("hhi_control", "Concentration of control", "1", 2, "Herfindahl index of sales by controlling unit",
              undefined="no sales"),
    Indicator("dependent_share", "Dependent suppliers", "share", 1,
              "Suppliers with more than half their sales to one client", undefined="no suppliers"),
    Indicator("captive_share", "Captive suppliers", "share", 1,
              "Suppliers bound to one client or owned by a local group", undefined="no suppliers"),
    Indicator("order_centralisation", "Order centralisation", "1", 2,
              "Freeman centralisation of local orders by client", undefined="no orders along ties"),
    Indicator("takeovers", "Takeovers", "firms/quarter", 2, "Firms taken over by multinationals"),
    Indicator("acquisitions", "Acquisitions", "firms/quarter", 2, "Firms bought by local leaders"),
    Indicator("degree", "Ties per firm", "ties/firm", 2, "Mean local ties per firm", undefined="no firms"),
    Indicator("knowledge_tie_share", "Ties that carry knowledge", "share", 1,
              "Ties trusted enough to carry tacit knowledge", undefined="no ties"),
    Indicator("tie_turnover", "Tie turnover", "share/quarter", 1, "Ties formed and ended, half their sum, in all ties",
              undefined="no ties"),
    Indicator("largest_component", "Largest component", "share", 1,
              "Firms in the largest connected part of the local network", undefined="no firms"),
    Indicator("clustering", "Clustering", "1", 2, "Mean local clustering coefficient (100 firms drawn)",
              undefined="no firm of two ties"),
    Indicator("path_length", "Path length", "ties", 2, "Mean shortest path in the local network (6 sources drawn)",
              undefined="no ties"),
    Indicator("trust", "Trust of ties", "1", 2, "Mean trust over ties", undefined="no ties"),
    Indicator("identity", "Identity", "1", 2, "Mean identification with the district", undefined="no firms"),
    Indicator("phase_coverage", "Phases covered", "share", 1,
              "Phases at least half of whose value is made in the district, in part below",
              undefined="no sales of final firms"),
    Indicator("reproduction", "Reproduction", "1", 2,
              "Mean of phase coverage, education, identity and agency capability", undefined="no sales of final firms"),
    Indicator("local_purchases", "Bought locally", "share", 1, "Purchases of final firms made in the district",
              undefined="no purchases"),
    Indicator("make_share", "Made in-house", "share", 1,
              "Value of intermediate phases that final firms make themselves", undefined="no sales of final firms"),
    Indicator("pipelines_per_firm", "Pipelines per firm", "pipelines/firm", 2, "Individual pipelines to the outside",
              undefined="no firms"),
    Indicator("pipeline_firms", "Firms with pipelines", "share", 1, "Firms with their own pipeline",
              undefined="no firms"),
    Indicator("global_inflow_share", "Learned outside", "share", 1,
              "Knowledge learned from outside in all knowledge learned from others",
              undefined="nothing learned from others"),
    Indicator("collective_inflow_share", "Learned collectively", "share", 1,
              "Knowledge learned through collective pipelines in that from outside",
              undefined="nothing learned from outside"),
    Indicator("gatekeeper_dependence", "Gatekeeper dependence", "share", 1,
              "Outside knowledge that came through the top 5 % of pipeline firms",
              undefined="nothing learned through own pipelines"),
    Indicator("tacit_mean", "Tacit mean", "1", 2, "Mean tacit knowledge over firms and domains", undefined="no firms"),
    Indicator("tacit_variance", "Tacit variance", "1", 2, "Variance over firms of mean tacit knowledge",
              undefined="no firms"),
    Indicator("codified_mean", "Codified mean", "1", 2, "Mean codified knowledge over firms and domains",
              undefined="no firms"),
    Indicator("absorptive_capacity", "Absorptive capacity", "1", 2, "Mean absorptive capacity", undefined="no firms"),
    Indicator("education", "Education", "1", 2, "Mean education of the workforce", undefined="no firms"),
    Indicator("quality", "Quality", "1", 2, "Employment-weighted quality relative to the start",
              undefined="no employees"),
    Indicator("radical_rate", "Radical rate", "share/quarter", 1, "Firms that made a radical innovation",
              undefined="no firms"),
    Indicator("adoption_rate", "Adoption rate", "share/quarter", 1, "Firms that adopted a technology opened by others",
              undefined="no firms"),
    Indicator("increment_rate", "Increment rate", "share/quarter", 1, "Firms that made an incremental innovation",
              undefined="no firms"),
    Indicator("technology_mean", "Mean technology", "1", 2, "Mean technology of firms (0 is the first)",
              undefined="no firms"),
    Indicator("newest_share", "On newest technology", "share", 1, "Firms on the newest technology that is feasible",
              undefined="no firms"),
    Indicator("participation", "Participation", "share", 1, "Firms that contribute to the collective agency",
              undefined="no firms"),
    Indicator("agency_capability", "Agency capability", "1", 2, "Capability of the collective agency"),
    Indicator("agency_fund_share", "Agency fund", "share", 1, "Contributions and match in value added",
              undefined="no value added"),
    Indicator("brand", "Brand", "1", 2, "Strength of the collective brand"),
    Indicator("leverage", "Leverage", "1", 2, "Public match per euro contributed", undefined="no contributions"),
    Indicator("policy_spending", "Policy spending", "k€/quarter", 0, "Public money spent on instruments"),
    Indicator("globalisation", "Globalisation", "1", 2, "Pressure of globalisation"),
    Indicator("access", "Realised access", "share", 1, "Mean access to distant knowledge that firms realise",
              undefined="no firms"),
    *_of_conduct(),
)
# fmt: on
NAMES: tuple[str, ...] = tuple(indicator.name for indicator in INDICATORS)
