"""The scenario: everything that may be said about a district, its world, its strategies and its policies.

Each field carries its unit, range, default and source; the ODD document's parameter table and the JSON schema for
editors are generated from here. Scenarios are frozen; unknown keys are refused.

Monetary unit: thousand euro (k€), at constant prices: those of `money.base_year`, else of the first
year. One step: one quarter; `calendar` says how dates are written.
"""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from district_sim.scenario.calendar import Calendar, in_quarters, run_in_quarters
from district_sim.scenario.data import Data
from district_sim.scenario.extensions import ExtensionsSchema, MechanismSection, sections_of
from district_sim.scenario.fields import Moment, Section, number, share, whole
from district_sim.scenario.interventions import MOST_INSTRUMENTS, MOST_SHOCKS, Instrument, PolicyEffects, Shock
from district_sim.scenario.renamed import rename_parameters
from district_sim.scenario.texts import short

_END = {
    "type": "string",
    "description": "Date up to which to run, in place of quarters: the first quarter that is no longer run, as 2022Q1",
    "unit": "date",
}


def _with_end(schema: dict[str, Any]) -> None:
    """`end` is read, and becomes a number of quarters."""
    schema["properties"]["end"] = dict(_END)


class RunSection(Section):
    """When and how long to run."""

    model_config = ConfigDict(json_schema_extra=_with_end)

    quarters: int = whole(160, 1, 4000, "quarters", "Length of a run")
    start: str | None = Field(
        None,
        description="Date of the first quarter, as 2002 or 2002Q3; then every time may be a date, and figures and "
        "tables show years",
        json_schema_extra={"unit": "date"},
    )
    calm: int | None = Field(
        None,
        ge=0,
        le=4000,
        description="Quarters at the start, or the date up to which, the district is its own standard of comparison; "
        "0 for no calm. By default the first 40, at most a quarter of the run; none if globalisation begins before it",
        json_schema_extra={"unit": "quarters"},
    )

    @property
    def calendar(self) -> Calendar | None:
        """The dates of the run, if it has any."""
        return None if self.start is None else Calendar.of(self.start)

    @property
    def end(self) -> str | None:
        """The first quarter that is no longer run, as 2022Q1, if the run has dates."""
        return None if self.calendar is None else self.calendar.date(self.quarters)

    @model_validator(mode="before")
    @classmethod
    def _in_quarters(cls, given: Any) -> Any:
        return run_in_quarters(given) if isinstance(given, dict) else given


class Money(Section):
    """Of which year money is. All amounts are at constant prices; nothing in the model depends on this."""

    base_year: int | None = Field(
        None,
        ge=1000,
        le=9999,
        description="Year of whose prices all amounts are; with a file of prices they are shown in those of their time",
        json_schema_extra={"unit": "year"},
    )


class Firms(Section):
    """The initial district."""

    count: int = whole(
        300,
        10,
        1_000_000,
        "firms",
        "Firms at the start",
        "a choice: fast, yet larger than most published cases; Mirandola about 100, Sassuolo 220",
    )
    size_mean: float = number(
        7.5, 1.5, 500, "employees", "Mean firm size", "Istat census 2001: 8.93 in manufacturing; Carpi 5.6"
    )
    size_sigma: float = number(
        1.35,
        0.1,
        2.0,
        "log points",
        "Standard deviation of log size (lognormal body)",
        "Cainelli, Iacobucci & Morganti 2006: skewed sizes",
    )
    group_share: float = share(
        0.059, "Share of firms that belong to business groups", "Cainelli, Iacobucci & Morganti 2006: 5.87 %"
    )
    group_size: float = number(3.5, 2, 20, "firms", "Firms per business group", "Cainelli, Iacobucci & Morganti 2006")
    final_share: float = number(0.3, 0.05, 0.8, "share", "Share of firms in the last phase, which faces the market")
    radius: float = number(10.0, 0.5, 200, "km", "Radius of the district", "typical Italian local labour market")
    ties: float = number(
        8.0,
        0.0,
        14,
        "ties",
        "Mean local business ties per firm",
        "Giuliani & Bell 2005: business density 0.34 of 36 firms, bounded attention",
    )
    trust: float = share(
        0.45, "Mean trust of the initial ties", "Giuliani & Bell 2005: a third of business ties carry knowledge"
    )
    trust_spread: float = number(0.15, 0.0, 0.4, "1", "Standard deviation of trust over initial ties")
    identity: float = share(0.5, "Mean identification with the district")
    education: float = share(0.4, "Mean education of the workforce (0 none, 1 all highly skilled)")
    it: float = share(0.2, "Mean use of information technology", "Sanders 2007")
    pipelines: float = share(
        0.14, "Share of firms with a pipeline to the outside", "Giuliani & Bell 2005: outside ties are rare"
    )
    settling: int = whole(
        40,
        0,
        200,
        "quarters",
        "Calm quarters before the start without entry, exit or change of owner, in which knowledge, trust and orders "
        "find their level",
    )


class Technology(Section):
    """Knowledge domains, production phases and technologies."""

    domains: int = whole(8, 2, 64, "domains", "Knowledge domains D")
    phases: int = whole(6, 2, 12, "phases", "Production phases P; the last one faces the market")
    count: int = whole(4, 1, 8, "technologies", "Technologies, the present one included")
    first_ripening: Moment = whole(64, 0, 100000, "quarter", "Quarter in which the second technology becomes feasible")
    ripening_interval: int = whole(44, 1, 100000, "quarters", "Quarters between later technologies")
    quality_jump: float = number(0.35, 0.0, 2.0, "share", "Rise of the quality ceiling from one technology to the next")
    knowledge_scale: float = number(1.0, 0.1, 10, "1", "Knowledge at which 63 % of the ceiling is reached (kappa_0)")
    codified_weight: float = number(
        0.5, 0.0, 2.0, "1", "Weight of codified against tacit knowledge in production (beta)"
    )
    drift: float = number(2.0, 0.0, 8, "domains", "How far the relevant domains move from one technology to the next")
    breadth: float = number(1.3, 0.3, 8, "domains", "Breadth of the domains that one technology uses")
    phase_spread: float = share(0.4, "How strongly phases differ in the domains they use")
    frontier: float = number(2.0, 0.5, 20, "1", "World knowledge frontier in a ripe domain; no research goes beyond it")
    unripe: float = share(0.35, "Frontier of a domain no ripe technology uses, as a share of the full one")


class World(Section):
    """The world outside: the same for all strategies."""

    globalisation: float = number(1.0, 0.0, 3.0, "1", "Strength of globalisation at the end of the ramp")
    onset: Moment = whole(
        40, -1000, 100000, "quarter", "Quarter in which globalisation begins; below 0 before the run begins"
    )
    ramp: int = whole(60, 1, 100000, "quarters", "Quarters from onset to full strength")
    competition: float = number(
        0.08, 0.0, 3.0, "log points", "Gain of outside competitors' appeal at full globalisation"
    )
    sourcing_premium: float = number(
        0.1,
        -0.5,
        3.0,
        "share",
        "Extra cost of buying a phase abroad before globalisation (transport, tariffs, control)",
    )
    sourcing_fall: float = number(
        0.13, 0.0, 0.9, "share", "Fall of that price at full globalisation for a fully standardised phase"
    )
    frontier_growth: float = number(
        0.0015, 0.0, 0.05, "per quarter", "Growth of the world frontier at full globalisation"
    )
    rivals_lag: float = number(
        16.0, 0.0, 400, "quarters", "Lag of the average outside rival in adopting a ripe technology"
    )
    rivals_reach: float = share(0.25, "Share of a technology's quality jump that the average outside rival attains")
    market_growth: float = number(
        0.0, -0.05, 0.05, "per quarter", "Growth of the world's product market; the same for the district's rivals"
    )
    niche: float = number(
        0.15,
        0.01,
        0.95,
        "share",
        "District's share of its product market at the start; a small niche meets elastic demand",
    )


class Knowledge(Section):
    """Tacit and codified knowledge: exchange, conversion, loss."""

    socialisation: float = number(
        0.06, 0.0, 1.0, "per quarter", "Tacit to tacit, face to face (eta_S)", "Nonaka & Takeuchi 1995"
    )
    externalisation: float = number(
        0.03, 0.0, 1.0, "per quarter", "Tacit to codified (eta_E)", "Nonaka & Takeuchi 1995"
    )
    combination: float = number(
        0.10, 0.0, 1.0, "per quarter", "Codified to codified over ties and pipelines (eta_C)", "Nonaka & Takeuchi 1995"
    )
    internalisation: float = number(
        0.03, 0.0, 1.0, "per quarter", "Codified to tacit by practice (eta_I)", "Nonaka & Takeuchi 1995"
    )
    learning_by_doing: float = number(
        0.030, 0.0, 1.0, "per quarter", "Tacit knowledge gained in production", "Arrow 1962, doi 10.2307/2295952"
    )
    tacit_decay: float = number(0.015, 0.0, 1.0, "per quarter", "Tacit knowledge lost by turnover and disuse")
    codified_decay: float = number(0.015, 0.0, 1.0, "per quarter", "Codified knowledge lost by obsolescence")
    distance_scale: float = number(
        0.25,
        0.01,
        5.0,
        "1",
        "Cognitive distance at which understanding has fallen to 1/e, at zero absorptive capacity (delta_0)",
        "Nooteboom et al. 2007, doi 10.1016/j.respol.2007.04.003",
    )
    distance_absorptive: float = number(
        0.3,
        0.0,
        5.0,
        "1",
        "Widening of that distance by full absorptive capacity",
        "Cohen & Levinthal 1990, doi 10.2307/2393553",
    )
    trust_threshold: float = number(
        0.5, 0.0, 0.99, "1", "Trust below which a business tie carries no tacit knowledge", "Giuliani & Bell 2005"
    )
    meeting_distance: float = number(6.0, 0.1, 1000, "km", "Distance at which meetings have become e times rarer")
    interaction: float = number(
        1.0,
        0.0,
        2.0,
        "1",
        "Human interaction h; at 0 nobody meets and information technology transfers nothing",
        "Sanders 2007",
    )
    attention: float = number(
        1.0, 0.01, 20, "ties", "Ties' worth of attention at which learning from ties has reached half its maximum"
    )
    it_codified: float = number(
        1.5,
        0.0,
        10,
        "1",
        "Amplification of codified exchange by information technology on both sides (lambda)",
        "Sanders 2007",
    )
    it_tacit: float = number(0.2, 0.0, 10, "1", "The same for tacit exchange: weak", "Sanders 2007")
    gatekeeping: float = share(
        1.0,
        "Share of their codified knowledge that firms with pipelines pass on to local partners",
        "Morrison 2008, doi 10.1080/00343400701654178",
    )
    absorptive_education: float = number(
        0.6, 0.0, 5.0, "1", "Weight of education in absorptive capacity", "Cohen & Levinthal 1990"
    )
    absorptive_experience: float = number(
        0.2, 0.0, 5.0, "1", "Weight of experience in absorptive capacity", "Stiglitz 1987"
    )
    absorptive_research: float = number(
        0.4, 0.0, 5.0, "1", "Weight of R&D in absorptive capacity", "Cohen & Levinthal 1990"
    )
    absorptive_knowledge: float = number(
        0.2, 0.0, 5.0, "1", "Weight of own knowledge in absorptive capacity", "Cohen & Levinthal 1990"
    )
    experience_gain: float = number(0.03, 0.0, 1.0, "per quarter", "Growth of experience towards its ceiling of 1")
    training_gain: float = number(0.53, 0.0, 10, "per quarter", "Education gained per share of wages spent on training")
    education_decay: float = number(0.004, 0.0, 1.0, "per quarter", "Education lost as people leave and skills age")
    it_adoption: float = number(
        0.03, 0.0, 1.0, "per quarter", "Speed at which firms reach the use of information technology they move towards"
    )
    job_mobility: float = number(
        0.0,
        0.0,
        0.5,
        "per quarter",
        "Share of employees who change employer within the district; a firm's training leaves with them",
        "Acemoglu & Pischke 1999, doi 10.1111/1468-0297.00405; off by default, as education_decay stands for all "
        "losses",
    )
    hired_knowledge: float = share(
        0.5, "Share of a source firm's lead that a hired worker brings", "Boschma, Eriksson & Lindgren 2009"
    )


class Innovation(Section):
    """Research, incremental and radical innovation, path dependency."""

    research_cost: float = number(0.025, 0.001, 0.5, "share of value added", "R&D intensity that counts as normal")
    exploitation: float = number(
        0.012, 0.0, 1.0, "per quarter", "Knowledge gained on the present technology by normal R&D"
    )
    exploration: float = number(
        0.08,
        0.0,
        1.0,
        "per quarter",
        "Knowledge gained for the next technology if all normal R&D explores with full access",
    )
    access_own: float = number(
        0.15, 0.0, 1.0, "share", "Access to distant knowledge of a firm with neither pipeline nor agency"
    )
    access_pipeline: float = number(0.7, 0.0, 20, "1", "Access by a firm's own pipeline at full strength")
    access_partners: float = number(0.2, 0.0, 20, "1", "Access by a fully trusted partner's strongest pipeline")
    access_alone: float = share(
        1.0,
        "Share of its access to distant knowledge that a firm realises without learning from partners",
        "Asheim 1996; Jensen, Johnson, Lorenz & Lundvall 2007, doi 10.1016/j.respol.2007.01.006",
    )
    lessons_half: float = number(
        0.003,
        0.00001,
        1.0,
        "knowledge per quarter",
        "Tacit knowledge learned from partners a quarter at which half of the rest is realised",
        "Zahra & George 2002: social integration turns potential into realised absorptive capacity",
    )
    lessons_memory: float = number(
        0.1, 0.001, 1.0, "per quarter", "Speed at which a firm's habit of learning follows what partners teach it"
    )
    access_transfer: float = number(2.0, 0.0, 20, "1", "Access by public technology transfer at full strength")
    increment_rate: float = number(
        0.04, 0.0, 1.0, "per quarter", "Incremental innovations of a firm with normal R&D and full absorptive capacity"
    )
    increment_interaction: float = number(
        0.0,
        0.0,
        10.0,
        "per unit of knowledge",
        "Incremental innovations from what a firm learns from partners: doing, using and interacting",
        "Jensen, Johnson, Lorenz & Lundvall 2007, doi 10.1016/j.respol.2007.01.006",
    )
    increment_gain: float = number(0.03, 0.0, 0.5, "share", "Quality gain of the first increment on a technology")
    increment_fading: float = number(
        0.8, 0.0, 0.999, "share", "Gain of each increment relative to the one before", "Gordon 2012, NBER 18315"
    )
    switching_base: float = number(
        0.03, 0.0, 5.0, "share", "Quality lead the next technology must promise before any lock-in"
    )
    lockin_functional: float = number(
        0.06, 0.0, 5.0, "share", "Lead required in addition after long tenure", "Grabher 1993"
    )
    lockin_cognitive: float = number(
        0.3,
        0.0,
        5.0,
        "share",
        "Lead required in addition by ever more trusted partners that stay: this times S/(1+S), S their sum of trust "
        "weights",
        "Grabher 1993",
    )
    lockin_political: float = number(
        0.10, 0.0, 5.0, "share", "Lead required in addition when incumbents fund a strong agency alone", "Grabher 1993"
    )
    tenure_scale: float = number(40.0, 1.0, 1000, "quarters", "Tenure that brings 63 % of functional lock-in")
    decision_rate: float = number(
        0.25, 0.0, 1.0, "per quarter", "Probability that a firm which should switch does so in a quarter"
    )
    pioneers: float = number(
        0.16,
        0.0,
        1.0,
        "share",
        "Firms that switch before this share of the district has done so innovate radically; later ones adopt",
        "Rogers 1962: innovators and early adopters",
    )


class Market(Section):
    """Sourcing, demand, prices, accounts, labour."""

    final_value: float = number(
        0.35,
        0.05,
        0.9,
        "share of sales",
        "Value of the last phase in a unit of final output; the other phases share the rest",
    )
    productivity: float = number(
        12.0,
        1.0,
        200,
        "k€ per employee and quarter",
        "Value of work per employee at the initial mean quality",
        "Istat: about 48 k€ a year",
    )
    productivity_quality: float = number(
        0.5, 0.0, 2.0, "elasticity", "Elasticity of labour productivity to a firm's quality"
    )
    productivity_collaboration: float = number(
        0.15, 0.0, 2.0, "share", "Productivity gain from full collaboration inside the firm", "Sanders 2007"
    )
    productivity_trust: float = number(
        0.12, 0.0, 2.0, "share", "Productivity gain from full trust along ties: cheap coordination", "Asheim 1996"
    )
    wage: float = number(
        8.0, 0.5, 100, "k€ per employee and quarter", "Labour cost at the start", "Istat: about 32 k€ a year"
    )
    wage_speed: float = share(0.05, "Share of the gap to their target that wages close in a quarter")
    wage_sharing: float = number(0.6, 0.0, 1.0, "elasticity", "Elasticity of wages to value added per employee")
    overhead: float = number(
        0.22, 0.0, 0.6, "share of value added", "Capital and services bought outside at normal output"
    )
    tax: float = number(0.24, 0.0, 0.9, "share of profit", "Profit tax", "Italian corporate tax")
    payout: float = number(0.5, 0.0, 1.0, "per quarter", "Share of cash above the buffer that is paid to owners")
    buffer: float = number(2.0, 0.0, 40, "quarters of wages", "Cash that a firm keeps before paying its owners")
    sensitivity_quality: float = number(2.0, 0.0, 20, "elasticity", "Sensitivity of sourcing to quality")
    sensitivity_price: float = number(4.0, 0.0, 20, "elasticity", "Sensitivity of sourcing to price")
    sensitivity_trust: float = number(1.5, 0.0, 10, "log points", "Pull of full trust in the choice of a supplier")
    make_bias: float = number(0.2, -5, 5, "log points", "Pull of making a phase in the house")
    make_penalty: float = number(0.15, 0.0, 2.0, "share", "Extra cost of making a phase without specialisation")
    spot_bias: float = number(0.6, -5, 5, "log points", "Pull of buying at arm's length in the district")
    tie_bias: float = number(0.4, -5, 5, "log points", "Pull of buying from a known partner, before trust")
    abroad_bias: float = number(0.9, -5, 5, "log points", "Pull of buying abroad at equal price and quality")
    abroad_pipeline: float = number(0.8, 0.0, 10, "log points", "Pull of buying abroad by a full-strength own pipeline")
    demand_quality: float = number(0.5, 0.0, 20, "elasticity", "Elasticity of final demand to relative quality")
    demand_price: float = number(0.5, 0.0, 20, "elasticity", "Elasticity of final demand to relative unit cost")
    demand_brand: float = number(0.4, 0.0, 5.0, "log points", "Demand gained by members at full collective brand")
    demand_pipeline: float = number(0.2, 0.0, 5.0, "log points", "Demand gained with full-strength outlets abroad")
    demand_affiliate: float = number(
        0.4, 0.0, 5.0, "log points", "Demand gained by a multinational's affiliate through its sales network"
    )
    customer_memory: float = number(
        0.02, 0.0, 1.0, "per quarter", "Speed at which a final firm's customer base follows its sales"
    )
    order_memory: float = number(
        0.08, 0.0, 1.0, "per quarter", "Speed at which a supplier's customer base follows its orders"
    )
    growth_noise: float = number(
        0.05,
        0.0,
        0.5,
        "log points",
        "Laplace scale of quarterly shocks to the customer base",
        "Bottazzi & Secchi 2003: Laplace growth rates",
    )
    size_reversion: float = number(
        0.004,
        0.0,
        0.5,
        "per quarter",
        "Speed at which log customer bases return to their phase's mean; small firms grow faster",
        "Sutton 1997: Gibrat's law rejected",
    )
    captive_discount: float = number(
        0.12, 0.0, 0.9, "share", "Price cut that a captive supplier must grant", "Harrison 1994"
    )
    hiring_speed: float = number(0.25, 0.0, 1.0, "per quarter", "Speed at which employment follows the work to be done")
    unemployment: float = number(0.06, 0.01, 0.5, "share of labour force", "Normal unemployment")
    migration: float = number(
        0.05, 0.0, 1.0, "per quarter", "Speed at which people come or leave when unemployment is not normal"
    )


class Ties(Section):
    """Local network, trust and identity."""

    maximum: int = whole(14, 2, 127, "ties", "Ties that a firm can keep up")
    trust_speed: float = number(0.06, 0.0, 1.0, "per quarter", "Speed at which trust follows what partners did")
    trust_identity: float = number(
        0.3, 0.0, 2.0, "1", "Trust from shared identity (difference from the district's first level)"
    )
    trust_orders: float = number(0.20, 0.0, 2.0, "1", "Trust from kept orders between the two")
    trust_contribution: float = number(0.25, 0.0, 2.0, "1", "Trust from both contributing to the agency")
    trust_competence: float = number(
        0.0,
        0.0,
        20.0,
        "1",
        "Trust in competence: from both firms' absorptive capacity, as far as it is above the district's mean by "
        "employees",
        "Sako 1992; Giuliani 2007, doi 10.1093/jeg/lbl014: knowledge networks are selective",
    )
    trust_offshoring: float = number(0.9, 0.0, 5.0, "1", "Trust lost when partners move orders abroad")
    trust_foreign: float = number(0.35, 0.0, 2.0, "1", "Trust lost when a partner is taken over")
    trust_captive: float = number(0.35, 0.0, 2.0, "1", "Trust lost between a captive supplier and its partners")
    identity_speed: float = number(0.05, 0.0, 1.0, "per quarter", "Speed at which identity follows its causes")
    identity_contagion: float = number(
        0.5, 0.0, 1.0, "share", "Part of identity taken from trusted partners", "Amin 1993"
    )
    identity_participation: float = number(0.25, 0.0, 2.0, "1", "Identity from taking part in the agency")
    identity_capability: float = number(
        0.15, 0.0, 2.0, "1", "Identity from a capable agency: co-production of values", "Covi 2016"
    )
    identity_offshoring: float = number(0.5, 0.0, 5.0, "1", "Identity lost by moving orders abroad")
    offshoring_norm: float = share(0.35, "Share of purchases abroad that partners regard as normal")
    identity_foreign: float = number(0.3, 0.0, 2.0, "1", "Identity lost by a takeover or captivity")
    ending: float = number(
        0.06, 0.0, 1.0, "per quarter", "Hazard that a tie without any trust ends", "Giuliani 2013: tie turnover is high"
    )
    ending_trust: float = number(3.0, 0.0, 20, "1", "How much trust protects a tie (exponent)")
    searching: float = number(0.6, 0.0, 1.0, "per quarter", "Probability that a firm with too few ties looks for one")
    wanted: float = number(9.0, 0.0, 64, "ties", "Ties that a firm wants")
    closure: float = share(0.5, "Share of new ties sought among partners' partners (triadic closure)", "Giuliani 2013")
    reach: float = number(5.0, 0.1, 1000, "km", "Distance at which a new tie has become e times less likely")
    complementarity: float = share(0.7, "How much less likely a tie is without a supply relation between the phases")
    cognitive_proximity: float = number(
        1.0, 0.0, 20, "1", "How strongly cognitive distance deters a new tie", "Broekel & Boschma 2012"
    )
    first_trust: float = share(0.35, "Trust on the first day, before identity")
    collaboration_speed: float = number(
        0.10,
        0.0,
        1.0,
        "per quarter",
        "Speed at which collaboration inside a firm follows that between firms",
        "Sanders 2007",
    )
    pipeline_opening: float = number(
        0.04,
        0.0,
        1.0,
        "per quarter",
        "Hazard that an able firm opens a pipeline, at drive 1",
        "Bathelt, Malmberg & Maskell 2004, doi 10.1191/0309132504ph469oa",
    )
    pipeline_lapse: float = number(
        0.06,
        0.0,
        1.0,
        "per quarter",
        "Hazard that a pipeline lapses",
        "Vaccario et al. 2018: alliances last about two years, some are renewed",
    )
    pipeline_cost: float = number(
        2.0,
        0.0,
        1000,
        "k€ per quarter",
        "Cost of keeping an individual pipeline, borne by its firm; collective ones are paid from the agency's "
        "projects",
    )
    pipeline_growth: float = number(0.2, 0.0, 1.0, "per quarter", "Speed at which a pipeline reaches full strength")


class Agency(Section):
    """The collective agency: a threshold public good among conditional cooperators."""

    contribution: float = number(0.015, 0.0, 0.5, "share of value added", "Contribution of a participating firm")
    threshold: float = number(
        0.002,
        0.0,
        0.5,
        "share of district value added",
        "Fund below which no project can run and contributions are returned",
        "threshold public goods: Cadsby & Maynes 1999",
    )
    response_action: float = number(
        8.0, 0.0, 50, "log odds", "Effect on participation of the readiness for collective action (strategy)"
    )
    response_identity: float = number(4.0, 0.0, 50, "log odds", "Effect of own identity on participation")
    response_partners: float = number(
        2.5,
        0.0,
        50,
        "log odds",
        "Effect of partners' participation: conditional cooperation",
        "Fischbacher, Gächter & Fehr 2001",
    )
    response_capability: float = number(2.0, 0.0, 50, "log odds", "Effect of the agency's proven capability")
    response_match: float = number(1.5, 0.0, 50, "log odds", "Effect of a fully credible public match")
    response_net: float = number(
        0.0,
        0.0,
        500,
        "log odds per share of value added",
        "Effect on participation of the net gain that a member expects",
        "threshold public goods: Bagnoli & Lipman 1989; Isaac, Schmidtz & Walker 1989",
    )
    gain: float = number(
        0.10,
        0.0,
        1.0,
        "share of value added",
        "Gain that firms expect from membership in an agency whose services are all in full effect",
    )
    spillover: float = share(0.0, "Share of what the agency does for members that reaches those who do not contribute")
    review: float = number(
        1.0,
        0.001,
        1.0,
        "per quarter",
        "Probability that a firm reviews its membership; else it keeps it",
        "Ostrom 1990",
    )
    loyalty: float = number(0.0, 0.0, 20, "log odds", "Effect of being a member already", "Hirschman 1970")
    affiliates: float = share(0.2, "Participation of multinationals' affiliates relative to others")
    leaders: float = share(
        0.6, "Participation of group leaders, group members and captive suppliers relative to others"
    )
    half: float = number(
        0.008, 0.0001, 1.0, "share of district value added", "Fund at which the agency reaches half of full capability"
    )
    learning: float = number(0.04, 0.0, 1.0, "per quarter", "Speed at which capability follows the fund")
    decay: float = number(0.06, 0.0, 1.0, "per quarter", "Loss of capability when no project runs")
    project_half: float = number(
        0.002, 0.0001, 1.0, "share of district value added", "Spending on one project that reaches half its effect"
    )
    brand_speed: float = number(0.04, 0.0, 1.0, "per quarter", "Speed at which the collective brand follows its causes")
    education_gain: float = number(
        0.010, 0.0, 1.0, "per quarter", "Education gained by members from full collective training"
    )
    screening: float = share(0.8, "Share of takeovers that a fully capable collective defence prevents")
    phase_entry: float = number(2.0, 0.0, 20, "1", "Rise of entry into a thin phase from full phase support")


class Ownership(Section):
    """Multinationals, business groups, captivity."""

    multinationals: int = whole(4, 1, 100, "companies", "Multinationals that look for firms")
    takeover: float = number(
        0.026,
        0.0,
        1.0,
        "per quarter",
        "Hazard of takeover of a successful, unprotected, willing firm at full globalisation",
        "Asheim 1996 after Harrison 1994",
    )
    takeover_success: float = number(
        1.5,
        0.0,
        20,
        "log odds",
        "How strongly takeovers pick successful firms (per standard deviation of log size and of profitability)",
    )
    takeover_embeddedness: float = share(0.6, "Share of takeovers that full trust and identity deter")
    takeover_price: float = number(12.0, 0.0, 100, "quarters of profit", "Price paid to the former owners")
    takeover_capital: float = number(2.0, 0.0, 100, "quarters of wages", "Capital brought into the affiliate")
    affiliate_wage: float = number(0.1, 0.0, 2.0, "share", "Wage premium in affiliates", "Lipsey & Sjöholm 2004")
    affiliate_abroad: float = number(1.2, 0.0, 10, "log points", "Pull of group sourcing abroad in affiliates")
    affiliate_skills: float = number(0.01, 0.0, 1.0, "per quarter", "Education gained in affiliates")
    divestment: float = number(0.004, 0.0, 1.0, "per quarter", "Hazard that a multinational leaves an affiliate")
    buyout: float = share(0.5, "Share of left affiliates that their managers buy; the others close")
    acquisition: float = number(
        0.015, 0.0, 1.0, "per quarter", "Hazard that a dynamic leading firm buys a supplier, at drive 1"
    )
    acquisition_price: float = number(6.0, 0.0, 100, "quarters of profit", "Price paid to the former owner")
    leader_size: float = number(20.0, 1.0, 10000, "employees", "Size from which a firm can lead a group")
    captive_from: float = number(
        0.5,
        0.05,
        1.0,
        "share of sales",
        "Sales to one client from which a supplier can be made captive",
        "more than half of sales to one client",
    )
    captivity: float = number(0.10, 0.0, 1.0, "per quarter", "Hazard that such a supplier is made captive, at drive 1")
    captive_release: float = number(
        0.05, 0.0, 1.0, "per quarter", "Hazard that a captive supplier below the threshold frees itself"
    )
    group_pull: float = number(1.0, 0.0, 10, "log points", "Pull of buying inside the own group")


class Demography(Section):
    """Entry and exit."""

    entry: float = number(
        0.022,
        0.0,
        1.0,
        "per firm and quarter",
        "Spin-offs of a firm of the mean first size at normal profitability",
        "Istat: births 5-7 % a year",
    )
    entry_size: float = number(
        0.8,
        0.0,
        1.0,
        "elasticity",
        "Elasticity of a firm's spin-offs to its employees: founders are people, and small firms breed more of them",
        "Elfenbein, Hamilton & Zenger 2010; calibrated to firms that neither vanish nor multiply",
    )
    entry_profit: float = number(
        3.0, 0.0, 20, "1", "Response of entry to profitability (per unit of margin above normal)"
    )
    exit: float = number(
        0.008,
        0.0,
        1.0,
        "per quarter",
        "Retirement and closure of an established firm",
        "Istat: deaths about 8 % a year",
    )
    exit_young: float = number(
        0.025, 0.0, 1.0, "per quarter", "Additional hazard on the first day", "Istat: one-year survival about 87 %"
    )
    exit_young_scale: float = number(6.0, 0.5, 100, "quarters", "Age at which that addition has fallen to 1/e")
    exit_size: float = number(0.15, 0.0, 2.0, "1", "How much rarer closure is in larger firms (exponent of employees)")
    customers_kept: float = share(0.9, "Customers of a closed firm that look for another one in the district")
    normal_margin: float = number(
        0.08, -1.0, 1.0, "share of value added", "Profit that draws neither more nor fewer founders"
    )
    credit: float = number(2.0, 0.0, 40, "quarters of wages", "Debt at which a firm is insolvent")
    newborn_size: float = number(2.5, 1.0, 100, "employees", "Mean size of a spin-off")
    newborn_knowledge: float = share(0.8, "Share of the parent's knowledge that a spin-off takes along", "Klepper 2007")
    newborn_distance: float = number(
        1.0, 0.0, 100, "km", "Distance of a spin-off from its parent", "Dahl & Sorenson 2012"
    )
    newborn_clients: int = whole(
        5,
        0,
        64,
        "ties",
        "Partners of its parent to which a newborn is introduced: clients of a supplier, suppliers of a final firm",
        "Klepper 2007; Dahl & Sorenson 2012; calibrated to survival",
    )
    newborn_customers: float = number(
        1.6,
        0.0,
        5.0,
        "of its need",
        "Customer base of a newborn, of what gives work to its people at normal quality and trust",
        "calibrated to survival",
    )
    newborn_phase: float = share(0.8, "Share of spin-offs that stay in the parent's phase")
    reproduction: float = number(
        1.0,
        0.0,
        5.0,
        "1",
        "Response of entry to how well values (identity) and skills (education) are reproduced",
        "Becattini 1990; Covi 2016",
    )


class Strategy(Section):
    """How firms and their institutions behave: the levers that lead to different futures."""

    research: float = number(1.0, 0.0, 5.0, "multiple of normal", "R&D intensity")
    exploration: float = share(
        0.10, "Share of R&D that explores the next technology", "March 1991, doi 10.1287/orsc.2.1.71"
    )
    training: float = number(0.005, 0.0, 0.2, "share of wages", "Training")
    it: float = share(0.3, "Use of information technology that firms move towards")
    collective_action: float = share(0.15, "Readiness to contribute to common projects", "Covi 2016; Ostrom 1990")
    identity: float = share(
        0.5, "Identification with the district that families, schools and associations reproduce", "Becattini 1990"
    )
    pipelines: float = number(
        0.5, 0.0, 10, "multiple of the hazard", "Drive to build own pipelines", "Bathelt, Malmberg & Maskell 2004"
    )
    offshoring: float = number(0.0, -3.0, 3.0, "log points", "Readiness to move phases abroad")
    integration: float = number(0.0, -3.0, 3.0, "log points", "Readiness to make phases in the house")
    sale: float = share(0.06, "Readiness of owners to sell to a multinational, where conduct is imposed")
    reservation: float = number(
        24.0, 0.5, 400, "quarters of profit", "Price below which owners rather go on, where firms decide"
    )
    acquisition: float = number(0.2, 0.0, 10, "multiple of the hazard", "Drive of leading firms to buy suppliers")
    captivity: float = number(
        0.2, 0.0, 10, "multiple of the hazard", "Drive of leading firms to make suppliers captive"
    )
    entrepreneurship: float = number(1.0, 0.0, 5.0, "multiple of normal", "Propensity to found firms")
    project_technology: float = share(0.2, "Agency's spending on a technology centre")
    project_training: float = share(0.2, "Agency's spending on training")
    project_pipelines: float = share(0.1, "Agency's spending on collective pipelines")
    project_brand: float = share(0.1, "Agency's spending on a collective brand")
    project_phases: float = share(0.1, "Agency's spending on missing phases")
    project_values: float = share(0.2, "Agency's spending on values and identity")
    project_defence: float = share(0.1, "Agency's spending on keeping ownership local")

    @model_validator(mode="after")
    def _projects_sum_to_one(self) -> Self:
        total = sum(value for name, value in self if name.startswith("project_"))
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"the seven project_* shares must sum to 1, they sum to {total:g}")
        return self


class Conduct(Section):
    """How firms review their conduct: by what they see and what pays. With `revision` 0 the strategy is imposed."""

    revision: float = number(
        0.0,
        0.0,
        1.0,
        "per quarter",
        "Probability that an independent firm reviews its conduct; 0: conduct is the strategy's, and owners sell, "
        "leaders buy and clients bind as the strategy says",
        "Cyert & March 1963; Winter 1971; calibrated",
    )
    step: float = share(0.5, "Part of the way to what it thinks best that a firm goes in a review")
    spread: float = number(0.0, 0.0, 1.0, "log points", "Standard deviation of conduct between the first firms")
    variation: float = number(
        0.05,
        0.0,
        1.0,
        "log points",
        "Standard deviation of what a firm tries near its conduct, and of a spin-off's conduct around its parent's",
        "Nelson & Winter 1982",
    )
    memory: float = number(
        0.1, 0.001, 1.0, "per quarter", "Speed at which performance follows the quarter's", "Greve 2003"
    )
    aspiration: float = share(
        0.5,
        "Part of the way that aspiration moves in a review to the mean of own and partners' performance",
        "Greve 2003",
    )
    imitation: float = share(
        0.5,
        "Share of searches that copy the partner with the greatest trust times lead; the others try something new",
        "Silverberg & Verspagen 1994",
    )
    gap: float = number(0.1, 0.001, 1.0, "share", "Shortfall of performance that counts as full")
    research_gap: float = number(
        0.3, 0.0, 5.0, "log points", "Rise of R&D by a full shortfall: problemistic search", "Greve 2003"
    )
    research_slack: float = number(0.3, 0.0, 5.0, "log points", "Rise of R&D by full cash reserves", "Greve 2003")
    research_opportunity: float = number(
        1.0, 0.0, 5.0, "log points", "Rise of R&D by full access to a ripe technology that is not yet its own"
    )
    research_grant: float = number(
        1.0, 0.0, 5.0, "log points", "Rise of R&D if grants pay for all of it", "David, Hall & Toole 2000"
    )
    exploration_most: float = number(0.8, 0.05, 1.0, "share", "Share of R&D that explores at most", "March 1991")
    exploration_exhaustion: float = number(
        2.0,
        0.0,
        20,
        "log odds",
        "Pull of exploring when increments on the present technology are exhausted",
        "Gordon 2012",
    )
    exploration_access: float = number(
        4.0, 0.0, 20, "log odds", "Pull of exploring with full access to distant knowledge", "Asheim 1996"
    )
    exploration_partners: float = number(
        4.0,
        0.0,
        20,
        "log odds",
        "Pull of exploring when all trusted partners are ahead, as far as the firm learns from them",
        "Levinthal & March 1993",
    )
    exploration_grant: float = number(2.0, 0.0, 20, "log odds", "Pull of exploring if grants for it pay for all R&D")
    training_research: float = number(
        1.0,
        0.0,
        5.0,
        "elasticity",
        "Elasticity of training to R&D: skills complement research",
        "Cohen & Levinthal 1990",
    )
    training_voucher: float = number(
        1.0, 0.0, 5.0, "1", "Rise of training relative to what vouchers pay, over the firm's own"
    )
    cooperation_experience: float = number(
        0.2, 0.0, 1.0, "1", "Rise of the readiness to cooperate by membership in a fully capable agency", "Ostrom 1990"
    )
    offshoring_contagion: float = number(
        1.0, 0.0, 10, "log points", "Leaning abroad when the firm and its trusted colleagues buy everything abroad"
    )
    offshoring_identity: float = number(
        2.0, 0.0, 10, "log points", "Leaning to the district by full identity, above that of the first district"
    )
    pipelines_sourcing: float = number(
        4.0, 0.0, 100, "1", "Rise of the drive to build pipelines per share bought abroad beyond ties.offshoring_norm"
    )
    pipelines_identity: float = number(
        0.0,
        0.0,
        20,
        "log points",
        "Fall of the drive to build pipelines by full identity, above that of the first district: networks look inward",
        "Grabher 1993",
    )
    sale_width: float = number(
        0.25, 0.01, 2.0, "log points", "Spread of owners' answers to an offer around their reservation price"
    )
    sale_embeddedness: float = number(
        1.5, 0.0, 10, "1", "Rise of the reservation price by full trust and identity", "Granovetter 1985"
    )
    sale_succession: float = share(
        0.4, "Fall of the reservation price of an owner without a successor", "Istat: generational change"
    )
    successors: float = share(0.5, "Share of owners who have a successor")
    generation: float = number(100.0, 4.0, 400, "quarters", "Time after which an owner's successor is another question")
    acquisition_horizon: float = number(
        32.0, 0.0, 400, "quarters of profit", "What a supplier's profit is worth to the leading firm that buys it"
    )
    captivity_norm: float = number(
        0.05, 0.0, 1.0, "share of value added", "Gain from binding a supplier that full trust and identity forbid"
    )
    captivity_width: float = number(0.01, 0.001, 1.0, "share of value added", "Spread of clients' answers around that")


class Mechanisms(Section):
    """Switches for ablation; a switched-off mechanism's rates are set to zero."""

    tacit_exchange: bool = Field(True, description="Socialisation along trusted ties")
    externalisation: bool = Field(True, description="Tacit to codified")
    combination: bool = Field(True, description="Codified to codified")
    internalisation: bool = Field(True, description="Codified to tacit")
    absorptive_capacity: bool = Field(True, description="Absorptive capacity depends on the firm; off: 0.5 for all")
    path_dependency: bool = Field(True, description="The three lock-ins")
    incremental_innovation: bool = Field(True, description="Incremental innovation")
    radical_innovation: bool = Field(True, description="Exploration and switching of technology")
    productive_reproduction: bool = Field(True, description="Entry depends on reproduced skills and values")
    global_sourcing: bool = Field(True, description="Buying phases abroad")
    make_or_buy: bool = Field(True, description="Making phases in the house")
    takeover: bool = Field(True, description="Takeover by multinationals")
    hierarchy: bool = Field(True, description="Acquisition and captivity of suppliers")
    trust: bool = Field(True, description="Trust changes")
    identity: bool = Field(True, description="Identity changes")
    local_network: bool = Field(True, description="Ties end and form")
    pipelines: bool = Field(True, description="Firms open their own pipelines")
    collective_pipelines: bool = Field(True, description="Collective pipelines, of the agency and of export platforms")
    collective_brand: bool = Field(True, description="Collective brand")
    gatekeepers: bool = Field(True, description="Firms with pipelines pass codified knowledge on")
    intra_firm_collaboration: bool = Field(True, description="Collaboration between firms raises that inside")
    it: bool = Field(True, description="Information technology amplifies interaction")
    collective_agency: bool = Field(True, description="Contributions to the agency")
    public_private_partnership: bool = Field(True, description="Public match")
    co_production: bool = Field(True, description="Identity, knowledge and agency feed each other")
    globalisation: bool = Field(True, description="Globalisation and outside competition")
    demography: bool = Field(True, description="Entry and exit")
    mobility: bool = Field(True, description="Hired people bring tacit knowledge")
    policy: bool = Field(True, description="Policy instruments")
    conduct: bool = Field(True, description="Firms decide; off: the strategy is imposed")
    search: bool = Field(True, description="Firms below their aspiration imitate and try")
    research_response: bool = Field(True, description="Research answers shortfalls, reserves, opportunities and grants")
    exploration_response: bool = Field(True, description="Exploring answers exhaustion, access, partners and grants")
    training_response: bool = Field(True, description="Training answers research and vouchers")
    sourcing_response: bool = Field(True, description="Leaning abroad answers colleagues and identity")
    linking_response: bool = Field(True, description="The drive to build pipelines answers sourcing abroad")
    membership_gain: bool = Field(True, description="Membership in the agency answers its net gain")
    spillover: bool = Field(True, description="Some of what the agency does reaches those who do not contribute")
    succession: bool = Field(True, description="Owners without a successor sell at a lower price")
    interactive_learning: bool = Field(True, description="Access to distant knowledge is realised by learning together")


class Scenario(Section):
    """One district, its world, its strategies and its policies."""

    title: str = Field("", max_length=120, description="A short name")
    description: str = Field(
        "",
        max_length=5000,
        description="What it represents, in plain language, with the literature",
    )
    run: RunSection = RunSection()
    data: Data = Data()
    money: Money = Money()
    firms: Firms = Firms()
    technology: Technology = Technology()
    world: World = World()
    knowledge: Knowledge = Knowledge()
    innovation: Innovation = Innovation()
    market: Market = Market()
    ties: Ties = Ties()
    agency: Agency = Agency()
    ownership: Ownership = Ownership()
    conduct: Conduct = Conduct()
    demography: Demography = Demography()
    history: Strategy = Field(Strategy(), description="How the district behaved before")
    strategy_start: Moment = whole(40, 0, 100000, "quarter", "Quarter in which the strategy replaces history")
    strategy: Strategy = Field(Strategy(), description="How the district answers globalisation")
    policies: tuple[Instrument, ...] = Field(
        (), max_length=MOST_INSTRUMENTS, strict=False, description="Policy instruments, acting in this order"
    )
    policy_effects: PolicyEffects = PolicyEffects()
    shocks: tuple[Shock, ...] = Field((), max_length=MOST_SHOCKS, strict=False, description="Shocks from outside")
    mechanisms: Mechanisms = Mechanisms()
    extensions: Annotated[dict[str, SerializeAsAny[MechanismSection]], ExtensionsSchema()] = Field(
        {}, description="Mechanisms from installed packages: name, then its parameters"
    )

    @property
    def calm_window(self) -> int | None:
        """Quarters at the start that are the district's calm: as the scenario says, 0 for none, None for the usual."""
        if self.run.calm is None and self.world.onset < 0:
            return 0
        return self.run.calm

    @property
    def firms_decide(self) -> bool:
        """Whether firms review their conduct; else it is what the strategy says."""
        return self.mechanisms.conduct and self.conduct.revision > 0.0

    @model_validator(mode="before")
    @classmethod
    def _named_as_now(cls, given: Any) -> Any:
        if isinstance(given, dict):
            given = dict(given)
            rename_parameters(given, "The scenario")
            given = in_quarters(given)
        return given

    @model_validator(mode="after")
    def _fits_its_tables(self) -> Self:
        data = self.data
        if data.firms and self.firms.count != data.rows:
            raise ValueError(f"firms.count must be {data.rows:,}, the firms in {short(data.firms)}: tables say it")
        if data.ties and self.ties.maximum < data.most_ties:
            raise ValueError(f"ties.maximum must be at least {data.most_ties}, the ties of one firm in {data.ties}")
        for name in ("phase_weights", "outside_sales"):
            given = getattr(data, name)
            if given and self.technology.phases != len(given) + 1:
                raise ValueError(f"technology.phases must be {len(given) + 1}, one more than data.{name}")
        return self

    @field_validator("extensions", mode="before")
    @classmethod
    def _installed(cls, given: Any) -> Any:
        return sections_of(given)

    @field_validator("policies")
    @classmethod
    def _phases_exist(cls, items: tuple[Instrument, ...], info: ValidationInfo) -> tuple[Instrument, ...]:
        technology = info.data.get("technology", Technology())
        for item in items:
            if item.phase is not None and item.phase >= technology.phases:
                raise ValueError(f"{item.name}: phase must be between 0 and {technology.phases - 1}, not {item.phase}")
        return items
