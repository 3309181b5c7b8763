"""A search: what it says, its tables, and what it writes into its folder. Each file appears whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__
from district_sim.experiments.retest import WINNER, by_world
from district_sim.experiments.search import NOTHING, Candidate, Objective, headline, settings_of
from district_sim.run.whole_files import write_csv, write_json, write_text
from district_sim.text.names import in_percent, outcome_name
from district_sim.text.numbers import decimals_for, number, p_value, percent
from district_sim.text.sheet import Sheet, write_sheets

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.discover import Box
    from district_sim.experiments.retest import Tested
    from district_sim.experiments.search import Searched
    from district_sim.scenario.calendar import Calendar
    from district_sim.scenario.interventions import Instrument


@dataclass(frozen=True, eq=False)
class Answer:
    """Everything that a search found."""

    searched: Searched
    winners: Mapping[str, Candidate]
    tested: Tested
    objectives: tuple[Objective, ...]
    boxes: tuple[Box, ...]
    no_boxes: str
    """Why there are none."""
    losing: pd.DataFrame
    """Fresh worlds with their settings, the winner's margin, and whether it loses."""
    worlds: int
    fresh: str
    """What is fresh about the test, in words."""
    budget: float
    day: str
    discount: float
    confidence: float
    calendar: Calendar | None
    quarters: int
    same: str
    """The simple policy that the winner is, if it is one."""


# Words --------------------------------------------------------------------------------------------


def _amount(value: float, outcome: str, sign: bool = False, like: float | None = None) -> str:
    """A value of an outcome; shares in per cent or points."""
    scale = 100.0 if in_percent(outcome) else 1.0
    digits = min(4, decimals_for(scale * abs(value if like is None else like) / 10.0))
    return number(scale * value, digits, sign)


def verdict(answer: Answer) -> list[str]:
    """What the test says of the winner, a sentence a line."""
    found, outcome = answer.tested, headline(answer.objectives).outcome
    unit = outcome_name(outcome)
    lines = []
    if not any(found.verdict(name, NOTHING) == "better" for name in answer.winners):
        lines.append(f"No winner: nothing that was tested beats doing nothing, on {answer.fresh}.")
    elif answer.same:
        lines.append(f"The winner is {answer.same}: nothing that was tried is better, on the worlds of the search.")
    elif found.beats_all(WINNER):
        lines.append(f"The winner beats what needs no search, on {answer.fresh}.")
    else:
        better = [name for name in answer.winners if name != WINNER and found.beats_all(name)]
        lines.append(f"The winner does not beat everything that needs no search, on {answer.fresh}.")
        if better:
            lines.append(f"{', '.join(better)} did, but as some of {len(answer.winners)} that were tested.")
        else:
            lines.append("Nothing that was found does: the simpler policy is as good an answer.")
    own = "The winner" if lines[0].startswith("The winner") else "What was best in the search"
    words = {"better": f"{own} beats", "worse": f"{own} is worse than", "open": "It is open whether it beats"}
    for rival in [name for name in found.rivals if name != answer.same]:
        row = found.row(WINNER, rival)
        if found.verdict(WINNER, rival) == "equal":
            lines.append(f"{own} does what {rival} does: {unit} is the same in all {row['n']} {found.pairs}.")
            continue
        low, high = (_amount(row[end], outcome, True, row["difference"]) for end in ("low", "high"))
        gap = _amount(row["difference"], outcome, True)
        lines.append(
            f"{words[found.verdict(WINNER, rival)]} {rival}: {gap} ({low} to {high}; {unit}; "
            f"{100 * answer.confidence:g} % interval over {row['n']} {found.pairs})."
        )
    first = next(name for name in found.rivals if name != answer.same)
    told = [_amount(found.optimism[f"{first}: {name}"], outcome, True) for name in ("searched", "tested", "optimism")]
    lines.append(f"Its gain over {first} was {told[0]} in the search and is {told[1]} here: optimism {told[2]}.")
    lost = int(answer.losing["case"].sum()) if len(answer.losing) else 0
    if len(answer.losing):
        lines.append(f"In {lost} of {len(answer.losing)} fresh worlds a simple policy is better than it.")
    if answer.no_boxes:
        lines.append(f"Where it loses: {answer.no_boxes}.")
    return lines


# Tables -------------------------------------------------------------------------------------------


def mix_sheet(answer: Answer, name: str) -> Sheet:
    """The instruments of a winner."""
    calendar, rows = answer.calendar, []

    def when(quarter: int) -> str:
        return calendar.date(quarter) if calendar else str(quarter)

    for item in answer.winners[name].mix:
        end = f"to {when(item.end - 1)}" if item.end < answer.quarters else "on"
        waits = "; ".join(post.words() for post in item.when) or "–"
        rows.append(
            (item.name, item.kind.value, f"{when(item.start)} {end}", item.target.value, waits, number(item.budget, 0))
        )
    columns = ("Instrument", "Kind", "Quarters", "Serves", "Waits", "k€ a quarter")
    note = "" if calendar else "Quarter 0 is the first."
    return Sheet.plain(f"The {name}" if name == WINNER else name.capitalize(), columns, rows, note, left=5)


def tested_sheet(answer: Answer) -> Sheet:
    """All tested policies on the fresh worlds."""
    head = headline(answer.objectives)
    outcomes = list(dict.fromkeys(one.outcome for one in answer.objectives if one.outcome))
    rows = []
    for row in answer.tested.policies.to_dict("records"):
        cells = [_amount(row[name], name) for name in outcomes]
        cells += [
            _amount(row[name], head.outcome, like=row["worst_regret"]) for name in ("worst_regret", "mean_regret")
        ]
        money = [number(row["spent"] + row["left_over"], 0), number(row["spent"], 0)]
        rows.append((row["policy"], *cells, percent(row["best"]), *money))
    named = [outcome_name(name) for name in outcomes]
    columns = ("Policy", *named, "Worst regret", "Mean regret", "Best in", "Offered, k€", "Spent, k€")
    note = (
        f"Means over {answer.fresh}. Regret: what is missing to the best policy of this table in the same world, in "
        f"{outcome_name(head.outcome)}. Offered and spent: sums over the run, not discounted; what nobody takes up is "
        f"not spent. The present value of what may be spent is {number(answer.budget, 0)} k€ for each policy, "
        f"{answer.day}, at {100 * answer.discount:g} % a year."
    )
    return Sheet.plain("Tested again", columns, rows, note)


def box_sheet(answer: Answer) -> Sheet:
    """Where the winner loses."""
    sections = []
    for rank, box in enumerate(answer.boxes, 1):
        title = f"Box {rank}: it loses in {box.cases} of {box.points} worlds, which are {percent(box.coverage)} of all"
        sections.append((title, tuple((one.words(), p_value(one.quasi_p)) for one in box.restrictions)))
    note = "Worlds in which a simple policy is better than the winner (PRIM). quasi-p: that chance does as well."
    return Sheet("Where the winner loses", ("Condition", "quasi-p"), tuple(sections), note)


def sheets(answer: Answer) -> dict[str, Sheet]:
    """Every table, by name."""
    made = {"winner": mix_sheet(answer, WINNER), "tested": tested_sheet(answer)}
    return made | ({"boxes": box_sheet(answer)} if answer.boxes else {})


# Files --------------------------------------------------------------------------------------------


def record(answer: Answer) -> dict[str, Any]:
    """Ready for JSON."""
    from district_sim.experiments.compare import records

    return {
        "verdict": verdict(answer),
        "beats_what_needs_no_search": answer.tested.beats_all(WINNER),
        "candidates": len(answer.searched.candidates),
        "front": [one.name for one in answer.searched.front],
        "winners": {name: one.name for name, one in answer.winners.items()},
        "winner": [item.model_dump(mode="json", exclude_none=True) for item in answer.winners[WINNER].mix],
        "against": records(answer.tested.against),
        "policies": records(answer.tested.policies),
        "optimism": answer.tested.optimism,
        "boxes": [box.as_dict() for box in answer.boxes],
        "no_boxes": answer.no_boxes,
    }


def write(answer: Answer, command: str, folder: Path) -> list[Path]:
    """Verdict, tables, figure, and each winner as a policy file. Raises OSError.

    Args:
        command: that makes the same again.
    """
    from district_sim import figures

    made = sheets(answer)
    lines = [f"- {line}" for line in verdict(answer)]
    by = f"Written by `{command}` (district-sim {__version__})."
    parts = ["# What to do with the budget", "", by, "", *lines, "", *(sheet.markdown() for sheet in made.values())]
    text = "\n".join([*parts, "![What can be had at once](pareto.png)", ""])
    written = [write_text(folder / "search.md", text), *write_sheets(made, folder)]
    written.append(write_csv(folder / "candidates.csv", _candidates(answer)))
    written.append(write_csv(folder / "against.csv", answer.tested.against))
    written.append(write_csv(folder / "policies.csv", answer.tested.policies))
    written.append(write_csv(folder / "regrets.csv", _regrets(answer), index=True))
    if len(answer.losing):
        written.append(write_csv(folder / "worlds.csv", answer.losing, index=True))
    for name, one in answer.winners.items():
        file = folder / f"{name.replace(' ', '_')}.yaml"
        found = "Found by district-sim search. " + verdict(answer)[0]
        written.append(write_text(file, policy_file(one.mix, f"{name.capitalize()} of a search", found)))
    best = answer.winners[WINNER].name
    written += figures.save(figures.pareto(answer.searched, answer.objectives, best), folder / "pareto")
    return [*written, write_json(folder / "answer.json", record(answer))]


def policy_file(mix: Sequence[Instrument], title: str, description: str) -> str:
    """A mix as a policy file."""
    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    yaml.width = 110
    items = [item.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for item in mix]
    yaml.dump({"title": title, "description": description, "policies": items}, text)
    return text.getvalue()


def _candidates(answer: Answer) -> pd.DataFrame:
    import pandas as pd

    front = {one.name for one in answer.searched.front}
    rows: list[dict[str, Any]] = [
        {"candidate": one.name, "generation": one.generation, "front": one.name in front, **one.values}
        | settings_of(one.mix)
        for one in answer.searched.candidates
    ]
    rows += [{"candidate": name, "front": False, **values} for name, values in answer.searched.simple.items()]
    return pd.DataFrame(rows)


def _regrets(answer: Answer) -> pd.DataFrame:
    """By world the regret of every tested policy on the headline."""
    head = headline(answer.objectives)
    means = by_world(answer.tested.rows)
    wide = (head.sign * means.set_index(["world", "policy"])[head.outcome]).unstack("policy")
    order = list(answer.tested.policies["policy"])
    return wide[order].rsub(wide.max(axis=1), axis=0)
