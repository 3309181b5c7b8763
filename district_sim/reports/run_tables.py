"""Tables for the terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from district_sim.model.state import TRAITS
from district_sim.run.trajectories import DEFAULT_THRESHOLDS, FUTURES, Means, Trajectory, windows
from district_sim.scenario.extensions import indicators_of
from district_sim.text.names import (
    TRAJECTORY_NAMES,
    UNDEFINED,
    amount,
    change,
    difference,
    heading,
    label_name,
    record_of,
    row_name,
    span_name,
)
from district_sim.text.numbers import number, percent

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.evidence.patterns.claims import PatternClaim
    from district_sim.run.run import Run

_MOVES = 6  # of an instrument that are told with their quarters
YEAR = 4  # quarters averaged at the start and at the end, so that one odd quarter does not speak for all

HEADLINES = (
    *("firms", "employment", "value_added_local", "wage", "unemployment", "survival", "gini", "mne_turnover_share"),
    *("group_employment_share", "captive_share", "degree", "trust", "identity", "local_purchases", "phase_coverage"),
    *("pipeline_firms", "collective_inflow_share", "absorptive_capacity", "newest_share", "participation"),
    *("agency_capability", "policy_spending"),
)
"""Indicators worth a line."""

_NARROW = {
    "fragmentation": "Fragmen-\ntation",
    "post_marshallian_node": "Post-Mar-\nshallian\nnode",
    "learning_region": "Learning\nregion",
    "collective_entrepreneurship": "Collective\nentrepre-\nneurship",
    "marshallian_persistence": "Marshall.\npersis-\ntence",
}


def _ends(run: "Run") -> tuple[Means, Means]:
    span = max(1, min(YEAR, len(run.table) // 2))
    return Means(run.columns, slice(span)), Means(run.columns, slice(-span, None))


def _narrow(name: str) -> str:
    return _NARROW.get(name, heading(name))


def _table(*columns: str, width: int = 0) -> Table:
    """A plain table: the first column is text, the others are numbers of at least `width`."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0), show_edge=False)
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right", min_width=width)
    return table


def _titled(title: str, table: Table, note: str) -> Group:
    """The title and the note stand outside the table, which would fold them to its own width."""
    return Group(Text(title, style="bold"), Text(), table, Text(note, style="dim"))


def start_and_end(run: "Run") -> Group:
    """The headline indicators in the first and in the last year of a run."""
    start, end = _ends(run)
    table = _table("Indicator", "First year", "Last year", "Change", width=10)
    for record in map(record_of, (*HEADLINES, *indicators_of(run.scenario.extensions))):
        a, b = start[record.name], end[record.name]
        table.add_row(row_name(record), amount(record, a), amount(record, b), change(record, a, b))
    span = span_name(run.scenario.run.calendar, len(run.table))
    title = f"{run.scenario.title or 'A district'} · {span}, seed {run.seed}"
    base = run.scenario.money.base_year
    money = "a quarter" if base is None else f"a quarter, at prices of {base}"
    return _titled(title, table, f"Means of the first and of the last year; k€: {money}; pt: percentage points")


def conduct(run: "Run") -> Group | Text:
    """What firms chose in the calm and in the late window, and how much they differed; one line if it is imposed.

    Where there is no calm the first quarters stand in its place, and are not called so.
    """
    if not run.scenario.firms_decide:
        return Text("Conduct: imposed, firms do what the scenario's strategy says (conduct.revision is 0)")
    calm, late = windows(len(run.table), run.scenario.calm_window or None)
    first = "First" if run.scenario.calm_window == 0 else "Calm"
    before, after = Means(run.columns, slice(calm)), Means(run.columns, slice(-late, None))
    table = _table("Trait", first, "Late", "Change", f"Spread {first.lower()}", "late", width=8)
    for record, spread in ((record_of(f"conduct_{name}"), record_of(f"conduct_{name}_spread")) for name in TRAITS):
        a, b = before[record.name], after[record.name]
        cells = [amount(record, a), amount(record, b), difference(record, b - a)]
        table.add_row(row_name(record), *cells, *(amount(spread, means[spread.name]) for means in (before, after)))
    note = (
        f"Means over firms in the first {calm} and the last {late} quarters; spread: standard deviation between firms"
    )
    return _titled("Conduct: what firms choose", table, note)


def trajectory(run: "Run") -> Group:
    """The scores of the four futures and the label."""
    table = _table("Future", "Score", width=7)
    table.add_column("", min_width=21)
    for future in FUTURES:
        value = run.scores.of(future)
        style = "bold" if future == run.trajectory else ""
        bar = "" if math.isnan(value) else " " + "█" * round(20 * value)
        table.add_row(TRAJECTORY_NAMES[future], number(value, 2), bar, style=style)
        if future is Trajectory.FRAGMENTATION:
            table.add_row("  by takeover", number(run.scores.route_takeover, 2), style="dim")
            table.add_row("  by hierarchy", number(run.scores.route_hierarchy, 2), style="dim")
    table.add_row("Retained", number(run.scores.retained, 2), style="dim")
    note = f"A future needs {DEFAULT_THRESHOLDS.label:g} to give the label. "
    note += "Retained: late over calm years, the smaller of employment and value added kept"
    if run.scenario.calm_window == 0:
        note += ". This run has no calm (run.calm): what would be compared with it cannot be given"
    return _titled(f"Trajectory: {label_name(run.trajectory)}", table, note)


def comparison(runs: "Mapping[str, Run]") -> Group:
    """The headline indicators at the end of several runs that began alike, their scores and labels.

    Args:
        runs: by scenario name; the start shown is that of the first.
    """
    ends = {name: _ends(run)[1] for name, run in runs.items()}
    first = next(iter(runs.values()))
    start = _ends(first)[0]
    table = _table("Indicator", "First\nyear", *map(_narrow, runs))
    for record in map(record_of, HEADLINES):
        cells = [amount(record, values[record.name]) for values in (start, *ends.values())]
        table.add_row(row_name(record), *cells)
    table.add_section()
    for future in FUTURES:
        scores = [(run.scores.of(future), run.trajectory == future) for run in runs.values()]
        marked = [Text(number(score, 2), style="bold" if label else "") for score, label in scores]
        table.add_row(f"Score: {_SCORE_NAMES[future]}", "", *marked)
    table.add_section()
    table.add_row("Ends as", "", *(Text(_narrow(run.trajectory or UNDEFINED), style="bold") for run in runs.values()))
    title = f"One district, {len(runs)} runs of {len(first.table)} quarters, seed {first.seed}"
    return _titled(title, table, "First year: of the first run. Other columns: last year. k€: a quarter")


_SCORE_NAMES = {
    Trajectory.FRAGMENTATION: "fragmentation",
    Trajectory.POST_MARSHALLIAN_NODE: "node",
    Trajectory.LEARNING_REGION: "learning",
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: "collective",
}


def comparison_frame(runs: "Mapping[str, Run]") -> "pd.DataFrame":
    """What `comparison` shows, as numbers: one row per scenario, means of the last year, scores and label."""
    import pandas as pd

    rows = {}
    for name, run in runs.items():
        row: dict[str, object] = {"trajectory": run.trajectory and run.trajectory.value, "seed": run.seed}
        row |= {f"score_{future.value}": run.scores.of(future) for future in FUTURES}
        last = _ends(run)[1]
        row |= {str(name): last[str(name)] for name in run.indicators}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")


def verification(claims: "Sequence[PatternClaim]") -> "Group":
    """Every claim with its target, what was measured and whether it holds."""
    table = _table("#", "Claim", "Target", "Measured", "", "Seeds")
    for c in claims:
        table.add_row(
            str(c.pattern),
            c.claim,
            c.target,
            c.measured,
            Text("pass") if c.passed else Text("fail", style="bold red"),
            c.seeds,
        )
    passed = sum(claim.passed for claim in claims)
    return _titled(
        "Patterns that the model must show", table, f"{passed} of {len(claims)} hold; 0 is the calm district"
    )


def policies(run: "Run") -> Group:
    """What each policy instrument spent over the run, what was left over and whom it served."""
    from district_sim.run.run import policy_totals

    table = _table("Instrument", "Spent, k€", "Left over, k€", "Served", "micro", "independent", width=8)
    for row in policy_totals(run.policies).to_dict("records"):
        cells = [number(row["spent"], 0), number(row["left_over"], 0)]
        if row["served"] > 0.0:
            cells += [number(row["served"] / row["quarters"], 0)]
            cells += [percent(row[name] / row["served"]) for name in ("served_micro", "served_independent")]
        table.add_row(row["instrument"], *cells, *[""] * (5 - len(cells)))
    note = "Served: firms in a quarter of spending, with the shares of micro firms (under 10) and of independent ones"
    return _titled("What the policies spent", table, note)


def moves(run: "Run") -> Group:
    """When signposts started, stopped or changed a policy instrument, and how often."""
    from district_sim.run.run import MOVED, moves

    found = moves(run.policies, run.scenario.run.calendar)
    when = found["date"] if "date" in found else found["quarter"].astype(str)
    table = _table("Instrument", "Move", "Times", "In", width=8)
    for item in dict.fromkeys(item.name for item in run.scenario.policies if item.when):
        for move in MOVED:
            own = when[(found["instrument"] == item) & (found["move"] == move)].tolist()
            if own:
                more = f", and {len(own) - _MOVES} more" if len(own) > _MOVES else ""
                table.add_row(item, move, number(len(own), 0), ", ".join(own[:_MOVES]) + more)
        if not (found["instrument"] == item).any():
            table.add_row(item, "never moved", number(0, 0), "")
    note = "Quarters in which a signpost took effect" + ("" if "date" in found else "; 1 is the first")
    return _titled("What the signposts did", table, note)
