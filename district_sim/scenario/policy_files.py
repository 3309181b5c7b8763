"""Policy files: instruments with a title, a description and a source, to be laid over any scenario.

    title: Export platform
    description: Two million a year from the twentieth quarter.
    source: Covi 2016
    policies:
      - {name: platform, kind: export_platform, budget: 500, start: 20}

`policies` is written as in a scenario file. A policy mix is named `none`, `own` (the scenario's), a policy file, a
scenario (whose policies are meant), or several of these joined by `+`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from district_sim.scenario.calendar import (
    LISTED,
    Calendar,
    CalendarError,
    as_number,
    in_quarters,
    is_dated,
    written_as,
)
from district_sim.scenario.files import (
    POLICIES,
    SUFFIXES,
    ScenarioError,
    bundled_files,
    bundled_folder,
    file_text,
    find_file,
    load_scenario,
    never_acts,
    read_alone,
    scenario_names,
    validated,
)
from district_sim.scenario.paths import show
from district_sim.scenario.suggestions import suggest
from district_sim.scenario.texts import is_file, short

if TYPE_CHECKING:
    from district_sim.scenario.interventions import Instrument
    from district_sim.scenario.sections import Scenario

NONE, OWN = "none", "own"
"""No policies at all, and those of the scenario."""
_KEYS = ("title", "description", "source", "policies")
_MOST_PHASES = 12  # a policy file must suit every scenario; whether it suits one is checked when it is laid over it


class Policy(NamedTuple):
    """What a policy file says."""

    name: str
    title: str
    description: str
    source: str
    instruments: tuple[Instrument, ...]


def policy_names() -> list[str]:
    """Names of the bundled policy files, sorted."""
    return bundled_files(POLICIES)


def policy_text(name_or_path: str | Path) -> str:
    """Text of a policy file as it was written. Raises ScenarioError if there is none."""
    return file_text(find_file(name_or_path, POLICIES, "policy"))


def load_policy(name_or_path: str | Path) -> Policy:
    """Read and check a policy file.

    Args:
        name_or_path: name of a bundled policy (`"export_platform"`) or path of a YAML file.

    Raises:
        ScenarioError: it cannot be read or a value is not allowed; the message names file, line, field and range.
    """
    path = find_file(name_or_path, POLICIES, "policy")
    document = read_alone(path)
    for key in document.data:
        if key not in _KEYS:
            hint = suggest(key, _KEYS) or f" (known: {', '.join(_KEYS)})"
            raise ScenarioError(f"{document.origins[key,].place}: {key}: unknown key in a policy file{hint}")
    if not document.data.get("policies"):
        raise ScenarioError(f"{path}: policies: this key is required: a list of instruments")
    source = document.data.pop("source", "")
    if not isinstance(source, str):
        raise ScenarioError(f"{document.origins['source',].place}: source = {show(source)}: must be text")
    _let_dates_wait(document.data["policies"])
    document.data["technology"] = {"phases": _MOST_PHASES}
    scenario = validated(document, path)
    return Policy(path.stem, scenario.title, scenario.description, source, scenario.policies)


def _let_dates_wait(items: Any) -> None:
    """Dates in words become numbers that wait for a scenario's calendar; what is none is refused with the rest."""
    for item in items if isinstance(items, list) else ():
        for key in LISTED["policies"]:
            if isinstance(item, dict) and is_dated(item.get(key)):
                item[key] = as_number(item[key])


def policy_mix(text: str, own: Sequence[Instrument] | None = None) -> tuple[Instrument, ...]:
    """The instruments of a policy mix.

    Args:
        text: names joined by `+`, such as `"own+export_platform"`, or the path of a file.
        own: the scenario's policies, where it is clear which scenario is meant.

    Raises:
        ScenarioError: there is no such policy, or it cannot be used.
    """
    found: list[Instrument] = []
    for name in _parts(text):
        if name == OWN:
            if own is None:
                raise ScenarioError(f"{short(text)!r}: instead of {OWN!r}, name the scenario whose policies to use")
            found += own
        elif name != NONE:
            found += _instruments(name)
    return tuple(found)


def named_files(text: str) -> tuple[Policy, ...]:
    """The policy files that a mix is made of, where it is made of files; see `policy_mix`."""
    found = []
    for name in _parts(text):
        with suppress(ScenarioError):  # none, own, or a scenario, whose policies are meant
            found.append(load_policy(name))
    return tuple(found)


def mix_title(text: str) -> str:
    """What a mix is called in front of a reader: the titles of its files, joined by +."""
    return " + ".join(_title(name) for name in _parts(text))


def _title(name: str) -> str:
    if name in (NONE, OWN):
        return {NONE: "no policy", OWN: "the district's own policies"}[name]
    title = (
        policy.title if (policy := next(iter(named_files(name)), None)) else f"policies of {load_scenario(name).title}"
    )
    return title or Path(name).stem.replace("_", " ")


def _parts(text: str) -> list[str]:
    return [text] if is_file(text) else [part.strip() for part in text.split("+")]


def _instruments(name: str) -> tuple[Instrument, ...]:
    """Those of a policy file or, of a scenario, its policies."""
    bundled = bundled_folder() / POLICIES / f"{name}.yaml"
    if not is_file(bundled) and (name in scenario_names() or (is_file(name) and _is_scenario(Path(name)))):
        return load_scenario(name).policies
    if not is_file(bundled) and not name.endswith(SUFFIXES) and not is_file(name):
        known = [NONE, OWN, *policy_names(), *scenario_names()]
        hint = suggest(name, known) or f" (bundled: {', '.join(policy_names())}; none, own, or a scenario)"
        raise ScenarioError(f"there is no policy {short(name)!r}{hint}")
    return load_policy(name).instruments


def _is_scenario(path: Path) -> bool:
    """Whether a file has keys that only scenario files have."""
    from district_sim.scenario.sections import Scenario

    keys = read_alone(path).data.keys()
    return bool((keys & Scenario.model_fields.keys() | keys & {"extends"}) - set(_KEYS))


def laid_over(scenario: Scenario, instruments: Sequence[Instrument]) -> Scenario:
    """The scenario with other policies in place of its own.

    Raises:
        ScenarioError: they do not suit the scenario.
    """
    timed = [item if item in scenario.policies else on_calendar([item], scenario)[0] for item in instruments]
    data: dict[str, Any] = scenario.model_dump(mode="json")
    data["policies"] = [item.model_dump(mode="json") for item in timed]
    try:
        return type(scenario).model_validate(data)
    except ValueError as error:  # pydantic's ValidationError is one
        details: list[Any] = error.errors(include_url=False) if hasattr(error, "errors") else []
        reasons = [str(detail["msg"]).removeprefix("Value error, ") for detail in details] or [str(error)]
        raise ScenarioError("\n".join(reasons)) from None


def on_calendar(instruments: Sequence[Instrument], scenario: Scenario) -> tuple[Instrument, ...]:
    """The instruments with all times in quarters of a scenario's run.

    Raises:
        ScenarioError: they never act in it, or have a date that it does not.
    """
    calendar, dated = scenario.run.calendar, tuple(instruments)
    if calendar is not None:
        data = {"run": {"start": scenario.run.start}, "policies": [item.model_dump() for item in instruments]}
        try:
            timed = in_quarters(data)["policies"]
        except CalendarError as error:
            item = instruments[int(error.at[1])]
            raise ScenarioError(f"{item.name}: {error.at[2]} = {written_as(error.value)}: {error.reason}") from None
        dated = tuple(
            item.model_copy(update={key: told[key] for key in LISTED["policies"]})
            for item, told in zip(instruments, timed, strict=True)
        )
    _check_acts(dated, max(scenario.run.quarters, type(scenario.run)().quarters), calendar)
    return dated


def _check_acts(instruments: Sequence[Instrument], quarters: int, calendar: Calendar | None) -> None:
    """Refuse instruments that never act in a run.

    Args:
        instruments: with times in quarters, where there is a calendar. quarters: the longest that the run may be.

    Raises:
        ScenarioError: one begins after the run, or has a date that nothing can be made of.
    """
    for item in instruments:
        for key in LISTED["policies"]:
            when = getattr(item, key)
            if when >= quarters and (key == "start" or (calendar is None and is_dated(when))):
                raise ScenarioError(f"{item.name}: {key} = {never_acts(when, quarters, calendar)}")
