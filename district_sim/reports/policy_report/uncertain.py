"""What is uncertain in a report: what was fitted to the district, and what its policies use; nothing else.

Everything else that we calibrated is in the model whatever is done, moves the counterfactual and the policy alike, and
would drown what matters in a hundred parameters. Who doubts one of them names it (`--parameters`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from district_sim.scenario.files import CASES, ScenarioError
from district_sim.scenario.instruments import InstrumentKind
from district_sim.scenario.paths import known_paths, scenario_schema, schemas_at, value_at

if TYPE_CHECKING:
    from district_sim.experiments.design import Draws
    from district_sim.experiments.ranges import Parameter
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.sections import Scenario

UNCERTAIN, CALIBRATED = "uncertain", "calibrated"
"""What `--parameters` may say instead of names: what is uncertain here, or all that we calibrated."""
_EFFECTS = "policy_effects."
_CONTEST = tuple(f"{_EFFECTS}contest_{name}" for name in ("rivals", "winners", "capability", "luck", "interval"))
_ENTRANTS = tuple(f"{_EFFECTS}entrant_{name}" for name in ("cost", "size", "knowledge"))
_COLLECTIVE = ("agency.project_half", "ties.pipeline_growth", "market.demand_pipeline", "agency.spillover")
_RESEARCH = (f"{_EFFECTS}crowding_out", "innovation.increment_rate")
USES: Mapping[InstrumentKind, tuple[str, ...]] = {
    InstrumentKind.TRAINING_VOUCHERS: (
        f"{_EFFECTS}training_cost", f"{_EFFECTS}crowding_out_training", "knowledge.education_decay"
    ),
    InstrumentKind.RD_SUBSIDY: _RESEARCH,
    InstrumentKind.CLUSTER_CONTEST: (*_CONTEST, "agency.half", "agency.project_half"),
    InstrumentKind.TECHNOLOGY_CENTRE: ("agency.project_half",),
    InstrumentKind.EXPORT_VOUCHERS: (
        f"{_EFFECTS}voucher_cost", "ties.pipeline_opening", "ties.pipeline_lapse", "ties.pipeline_cost"
    ),
    InstrumentKind.EXPORT_PLATFORM: _COLLECTIVE,
    InstrumentKind.PPP_MATCH: (
        f"{_EFFECTS}credibility_speed", "agency.contribution", "agency.threshold", "agency.gain", "agency.project_half"
    ),
    InstrumentKind.TAKEOVER_SCREENING: (f"{_EFFECTS}screening_half", "ownership.takeover_price"),
    InstrumentKind.PHASE_SUPPORT: (f"{_EFFECTS}founding_cost",),
    InstrumentKind.IT_SUBSIDY: (f"{_EFFECTS}it_cost", "knowledge.it_adoption", "knowledge.it_codified"),
    InstrumentKind.IT_BROKERS: (
        f"{_EFFECTS}it_cost", f"{_EFFECTS}broker_reach", "agency.project_half", "knowledge.it_adoption",
        "knowledge.it_codified",
    ),
    InstrumentKind.ENTRANT_ATTRACTION: _ENTRANTS,
    InstrumentKind.ENTRANT_ATTRACTION_NETWORKED: _ENTRANTS,
    InstrumentKind.LOCAL_COOWNERSHIP: (f"{_EFFECTS}coownership_stake", "ownership.takeover_price"),
    InstrumentKind.EXPLORATION_GRANT: (*_RESEARCH, "conduct.exploration_grant"),
    InstrumentKind.SUCCESSION_SUPPORT: (f"{_EFFECTS}succession_cost", "conduct.sale_succession"),
}  # fmt: skip
"""The parameters through which money of each kind of instrument acts. Not in the kind's record: that is part of the
identity of compiled code, and this is read by reports alone."""


class Uncertain(NamedTuple):
    """Parameters to vary, and why these."""

    parameters: tuple[Parameter, ...]
    words: str
    """Which they are, for a reader."""


def uncertain(
    name: str,
    scenario: Scenario,
    mixes: Iterable[Iterable[Instrument]],
    names: str,
    ranges: Mapping[str, tuple[float, float]],
) -> Uncertain:
    """What to vary, each between what.

    Args:
        name: of the scenario, as it was given. scenario: the district. mixes: of the report.
        names: as `--parameters` says. ranges: by path, where the default is not wanted.

    Raises:
        ScenarioError: there is no such parameter, or it cannot be varied.
    """
    from district_sim.experiments.ranges import choose

    if names == CALIBRATED:
        return Uncertain(tuple(choose(scenario, calibrated(scenario), ranges)[0]), "all numbers that we calibrated")
    if names != UNCERTAIN:
        named = [part.strip() for part in names.split(",")]
        return Uncertain(tuple(choose(scenario, named, ranges)[0]), "those named on the command line")
    data = scenario.model_dump(mode="json")
    fitted = _free(scenario, fitted_ranges(name, data))
    kinds = {item.kind for mix in mixes for item in mix}
    used = dict.fromkeys(
        path for kind in InstrumentKind if kind in kinds for path in USES[kind] if value_at(data, path)
    )
    used_alone = [path for path in used if path not in fitted and path not in ranges]
    wanted = _free(scenario, dict.fromkeys(used_alone)) | fitted | dict(ranges)
    if not wanted:
        return Uncertain((), "")
    chosen = choose(scenario, list(wanted), {path: span for path, span in wanted.items() if span is not None})[0]
    parts = ["fitted to what was observed of the district"] if fitted else []
    parts += ["used by the policies of this report"] if used_alone else []
    parts += ["given a range on the command line"] if ranges else []
    return Uncertain(tuple(chosen), f"those {', or '.join(parts)}")


def of_posterior(scenario: Scenario, draws: Draws) -> Uncertain:
    """The parameters of a posterior, each between the ends of what was drawn."""
    from district_sim.experiments.ranges import Parameter

    data, found = scenario.model_dump(mode="json"), []
    for path, values in draws.values.items():
        low, high = min(map(float, values)), max(map(float, values))
        found.append(Parameter(path, "integer" if isinstance(value_at(data, path), int) else "number", low, high))
    return Uncertain(tuple(found), "those of the posterior")


def _free(scenario: Scenario, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those that can be varied alone."""
    from district_sim.experiments.ranges import choose

    found = {}
    for path, span in wanted.items():
        try:
            choose(scenario, [path], {} if span is None else {path: span})
        except ScenarioError:
            continue
        found[path] = span
    return found


def fitted_ranges(name: str, data: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """What a fit may be wrong by: the parameters fitted to a district, and between what each may lie.

    Of a folder that `calibrate` wrote two standard deviations of what the targets leave open, cut off at the ends of
    the range; where it did not measure that, and for bundled cases, the whole range.
    """
    path = Path(name)
    report = path.parent / "calibration.json"
    if path.suffix in (".yaml", ".yml") and report.is_file():
        return _reported(report, path.stem, data)
    plain = name.removeprefix(f"{CASES}/").removesuffix(".yaml")
    from district_sim.evidence.cases.files import case_names, load_case

    if not name.startswith(f"{CASES}/") or plain not in case_names():
        return {}
    return {path: (prior.low, prior.high) for path, prior in load_case(plain, fitted=True).parameters.items()}


def _reported(report: Path, stem: str, data: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
        if told["case"] != stem:
            return {}
        left = (told.get("identified") or {}).get("parameters", {})
        return {
            path: _within(value_at(data, path), left.get(path, {}).get("left"), prior)
            for path, prior in told["parameters"].items()
        }
    except (OSError, KeyError, TypeError, ValueError):
        raise ScenarioError(f"{report}: is no report of district-sim calibrate") from None


def _within(value: float, left: float | None, prior: Mapping[str, Any]) -> tuple[float, float]:
    """Two standard deviations around a fitted value; `left` is their size as a share of a quarter of the range."""
    low, high = float(prior["low"]), float(prior["high"])
    if left is None:
        return low, high
    if prior["log"]:
        half = (high / low) ** (left / 2.0)
        return max(low, value / half), min(high, value * half)
    half = (high - low) * left / 2.0
    return max(low, value - half), min(high, value + half)


def calibrated(scenario: Scenario) -> list[str]:
    """Paths of the real numbers whose source is "calibrated", so ours, and that are not 0.

    Whole numbers and switches are structure and stay. Numbers that cannot be changed alone, such as one of several
    shares that sum to 1, stay as well; `ranges.choose` tells which.
    """
    from district_sim.experiments.ranges import choose

    data, found = scenario.model_dump(mode="json"), []
    for path in known_paths(scenario_schema(), data):
        schemas = schemas_at(data, path)
        if len(schemas) == 1 and schemas[0].get("type") == "number" and schemas[0].get("source") == "calibrated":
            if value_at(data, path):
                found.append(path)
    sections = list(dict.fromkeys(path.split(".")[0] for path in found if "." in path))
    chosen, _ = choose(scenario, sections)
    free = {parameter.path for parameter in chosen}
    return [path for path in found if path in free]
