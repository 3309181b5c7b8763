"""Tables of experiments: made once as a `Sheet`, shown on the terminal, in Markdown or in LaTeX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from district_sim.reports.run_tables import HEADLINES
from district_sim.run.trajectories import Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, heading

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.experiments.compare import Comparison
    from district_sim.experiments.discover import Box

_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "€": r"\texteuro{}",
    "<": r"$<$",
    ">": r"$>$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "∞": r"$\infty$",
    "−": r"$-$",
    "–": "--",
    "…": r"\dots{}",
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
}
_MINUS = "−"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text: the first `left` columns are words, the others numbers."""

    title: str
    columns: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    """Headings (may be empty) and their rows."""
    note: str
    left: int = 1

    @classmethod
    def plain(
        cls, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str, left: int = 1
    ) -> Sheet:
        """A sheet of one section without a heading."""
        return cls(title, tuple(columns), (("", tuple(tuple(row) for row in rows)),), note, left)

    def shown(self) -> Group:
        """For the terminal."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        for number, column in enumerate(self.columns):
            words = number < self.left
            table.add_column(column, justify="left" if words else "right", no_wrap=not words, overflow="fold")
        for name, rows in self.sections:
            if name:
                table.add_row(Text(name, style="bold"))
            for row in rows:
                table.add_row(*map(Text, row))
            table.add_section()
        return Group(Text(self.title, style="bold"), Text(), table, Text(self.note, style="dim"))

    def markdown(self) -> str:
        """A pipe table with title and note."""
        lines = [f"**{self.title}**", "", _pipes(self.columns)]
        lines.append(_pipes(["---" if number < self.left else "---:" for number in range(len(self.columns))]))
        for name, rows in self.sections:
            lines += [_pipes([f"*{name}*", *[""] * (len(self.columns) - 1)])] if name else []
            lines += [_pipes([cell.replace("|", r"\|") for cell in row]) for row in rows]
        return "\n".join([*lines, "", self.note]) + "\n"

    def latex(self, label: str) -> str:
        """A floating table for the booktabs package.

        Args:
            label: of the table, without `tab:`.
        """
        kinds = "l" * self.left + "r" * (len(self.columns) - self.left)
        lines = [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{tex(self.title)}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{kinds}}}",
            r"\toprule",
            _ampersands(self.columns),
        ]
        for name, rows in self.sections:
            lines.append(r"\midrule")
            lines += [rf"\multicolumn{{{len(kinds)}}}{{l}}{{\emph{{{tex(name)}}}}} \\"] if name else []
            lines += [_ampersands(row) for row in rows]
        lines += [r"\bottomrule", r"\end{tabular}", "", r"\smallskip"]
        lines += [rf"\begin{{minipage}}{{\linewidth}}\footnotesize {tex(self.note)}\end{{minipage}}", r"\end{table}"]
        return "\n".join(lines) + "\n"


def tex(text: str) -> str:
    """Plain text with everything escaped that means something to LaTeX."""
    return "$d_z$".join("".join(_TEX.get(letter, letter) for letter in part) for part in text.split("d_z"))


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ampersands(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(tex, cells))} \\\\"


# Numbers and names --------------------------------------------------------------------------------


def outcome_name(outcome: str, unit: bool = True) -> str:
    """A column of the table of runs for a reader, with its unit if wanted; shares are meant in per cent."""
    from district_sim.experiments.columns import column_notes

    if outcome.startswith("score_"):
        return f"Score: {TRAJECTORY_NAMES[Trajectory(outcome.removeprefix('score_'))].lower()}"
    plain = outcome.removesuffix("_late")
    measure = column_notes(plain)[0]
    name = HEADLINES.get(plain, plain.replace("mne_", "multinational_").replace("_", " ").capitalize())
    if percent(plain):
        measure = measure.replace("share", "%").replace("/", " a ")
    else:
        name, _, known = name.partition(", ")
        measure = "" if measure in ("1", name.lower()) or "per firm" in name else known or measure
    late = " (late)" if plain != outcome else ""
    return f"{name}{late}{f', {measure}' if unit and measure else ''}"


def percent(outcome: str) -> bool:
    """Whether `outcome_name` means per cent, and differences are percentage points."""
    from district_sim.experiments.columns import column_notes

    unit = column_notes(outcome.removesuffix("_late"))[0]
    return unit.startswith("share") and not outcome.startswith("score_")


def number(value: float, decimals: int, sign: bool = False) -> str:
    """A number with a true minus and thousands apart."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", _MINUS)


def decimals_for(size: float) -> int:
    """Decimals that show two digits of something of that size; 0 to 4."""
    if not math.isfinite(size) or size <= 0.0:
        return 0
    return min(4, max(0, 1 - math.floor(math.log10(size))))


def p_value(p: float) -> str:
    """A p-value for a reader."""
    if math.isnan(p):
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


# Compare ------------------------------------------------------------------------------------------


def differences(found: Comparison) -> Sheet:
    """Outcomes of each cell against the counterfactual."""
    from district_sim.experiments.compare import EFFECT_SIZE, METHODS

    table = found.differences
    pairs = sorted(set(table["n"]))
    level = f"{100 * found.confidence:g} %"
    columns = (
        "Outcome",
        *(["n"] if len(pairs) > 1 else []),
        "Reference",
        "Mean",
        "Difference",
        f"{level} interval",
        "d_z",
        "p",
    )
    sections = []
    for cell in found.cells[1:]:
        rows = [_difference_row(row, len(pairs) > 1) for row in table[table["cell"] == cell].to_dict("records")]
        sections.append((cell, tuple(rows)))
    gain = float(table["gain"].median())
    notes = [
        f"Reference: {found.counterfactual}. Means over replicates, paired by common random numbers",
        f"{pairs[0]} pairs" if len(pairs) == 1 else "Pairs with finite values: n",
        f"Interval: {METHODS[found.interval]}",
        f"Effect size d_z: {EFFECT_SIZE.partition(': ')[2]} (Cohen)",
        f"P-values: corrected for {found.tests} test{'' if found.tests == 1 else 's'} (Holm)",
    ]
    if math.isfinite(gain):
        notes.append(
            f"Independent seeds would need {gain:,.{0 if gain >= 10.0 else 1}f} times as many replications (median)"
        )
    return Sheet(f"Differences from {found.counterfactual}", columns, tuple(sections), ". ".join(notes) + ".")


def _difference_row(row: dict[Any, Any], with_n: bool) -> tuple[str, ...]:
    scale = 100.0 if percent(row["outcome"]) else 1.0
    before, after, gap, low, high = (scale * row[k] for k in ("counterfactual", "mean", "difference", "low", "high"))
    digits = decimals_for((high - low) / 2.0 or abs(gap) or abs(before))
    return (
        outcome_name(row["outcome"]),
        *([str(row["n"])] if with_n else []),
        number(before, digits),
        number(after, digits),
        number(gap, digits, sign=True),
        f"{number(low, digits, sign=True)} to {number(high, digits, sign=True)}",
        number(row["effect"], 2, sign=True),
        p_value(row["p_holm"]),
    )


def trajectory_shares(found: Comparison) -> Sheet:
    """How probable each trajectory is in each cell; those that never occur are left out."""
    table = found.trajectories
    rows = []
    for trajectory in Trajectory:
        part = table[table["trajectory"] == trajectory.value].set_index("cell")
        if part["count"].any():
            cells = [part.loc[cell] for cell in found.cells]
            shown = [f"{100 * c['share']:.0f} ({100 * c['low']:.0f}–{100 * c['high']:.0f})" for c in cells]
            rows.append((TRAJECTORY_NAMES[trajectory], *shown))
    runs = sorted(set(table["n"]))
    of = f"{runs[0]} runs each" if len(runs) == 1 else f"{runs[0]} to {runs[-1]} runs"
    note = f"Per cent of {of}; in brackets the {100 * found.confidence:g} % interval (Wilson)."
    return Sheet.plain("Probability of each trajectory", ("Trajectory", *found.cells), rows, note)


def transitions(found: Comparison, cell: str) -> Sheet:
    """Where the same luck led under the counterfactual (rows) and under a cell (columns)."""
    counts = occurring(found.transitions[cell])
    rows = [
        (TRAJECTORY_NAMES[Trajectory(str(start))], *(str(int(n)) if n else "·" for n in counts.loc[start]))
        for start in counts.index
    ]
    columns = ("", *(TRAJECTORY_NAMES[Trajectory(str(end))] for end in counts.columns))
    same = sum(int(counts.loc[t, t]) for t in counts.index if t in counts.columns)
    total = int(counts.to_numpy().sum())
    note = f"Rows: under {found.counterfactual}; columns: under {cell}. {same} of {total} replicates end alike."
    return Sheet.plain(f"Where the same luck led: {found.counterfactual} → {cell}", columns, rows, note)


def occurring(counts: pd.DataFrame) -> pd.DataFrame:
    """A transition matrix without the trajectories that never occur."""
    return counts.loc[counts.sum(axis=1) > 0, counts.sum(axis=0) > 0]


def sheets(found: Comparison) -> dict[str, Sheet]:
    """All tables of a comparison, by the name of their file."""
    matrices = {
        "transitions" if len(found.cells) == 2 else f"transitions_{number}": transitions(found, cell)
        for number, cell in enumerate(found.cells[1:], start=1)
    }
    return {"differences": differences(found), "trajectories": trajectory_shares(found), **matrices}


# Sensitivity --------------------------------------------------------------------------------------


def morris(table: pd.DataFrame, outcome: str, note: str, most: int = 20) -> Sheet:
    """Elementary effects, greatest first; at most `most` lines."""
    scale = 100.0 if percent(outcome) else 1.0
    digits = decimals_for(scale * float(table["mu_star"].max()) / 10.0)
    rows = [
        (
            row["parameter"],
            f"{row['low']:.4g} to {row['high']:.4g}",
            *(number(scale * row[name], digits) for name in ("mu_star", "mu_star_conf", "sigma")),
            number(scale * row["mu"], digits, sign=True),
        )
        for row in table.head(most).to_dict("records")
    ]
    more = f" {len(table) - most} more parameters have smaller effects." if len(table) > most else ""
    columns = ("Parameter", "Range", "μ*", "±", "σ", "μ")
    return Sheet.plain(f"Morris screening: {outcome_name(outcome)}", columns, rows, note + more, left=2)


def sobol(table: pd.DataFrame, outcome: str, note: str) -> Sheet:
    """First-order and total indices."""
    rows = [
        (
            row["parameter"],
            f"{row['low']:.4g} to {row['high']:.4g}",
            *(number(row[name], 2) for name in ("S1", "S1_conf", "ST", "ST_conf")),
        )
        for row in table.to_dict("records")
    ]
    columns = ("Parameter", "Range", "S1", "±", "ST", "±")
    return Sheet.plain(f"Sobol' indices: {outcome_name(outcome)}", columns, rows, note, left=2)


# Map and discover ---------------------------------------------------------------------------------


def map_of_futures(cells: pd.DataFrame, x: str, y: str) -> Sheet:
    """The majority at each point as a letter; small where replicates disagree.

    Args:
        cells: columns x, y, `majority` and `share` of it.
    """
    letters = {trajectory.value: heading(trajectory.value)[0] for trajectory in Trajectory}
    across = sorted(set(cells[x]))
    rows = []
    for height in sorted(set(cells[y]), reverse=True):
        line = cells[cells[y] == height].set_index(x)
        found = [(str(line.loc[v, "majority"]), float(line.loc[v, "share"])) for v in across]
        rows.append(
            (_short(height), *(letters[name] if share == 1.0 else letters[name].lower() for name, share in found))
        )
    seen = [trajectory for trajectory in Trajectory if trajectory.value in set(cells["majority"])]
    key = ", ".join(f"{letters[t.value]} {TRAJECTORY_NAMES[t]} ({(cells['majority'] == t.value).sum()})" for t in seen)
    mixed = int((cells["share"] < 1.0).sum())
    note = f"{key}; of {len(cells)} points {mixed} are mixed (small letter: the majority)."
    return Sheet.plain(f"{y} (down) over {x} (across)", ("", *map(_short, across)), rows, note)


def _short(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | str) else f"{value:.4g}"


def boxes(found: Sequence[Box], trajectory: str, note: str) -> Sheet:
    """Boxes with their conditions, a line each."""
    sections = []
    for rank, region in enumerate(found, start=1):
        rows = tuple((restriction.words(), p_value(restriction.quasi_p)) for restriction in region.restrictions)
        title = (
            f"Box {rank}: coverage {100 * region.coverage:.0f} %, density {100 * region.density:.0f} % "
            f"({region.cases} of {region.points} points)"
        )
        sections.append((title, rows))
    name = TRAJECTORY_NAMES[Trajectory(trajectory)]
    return Sheet(f"What leads to: {name}", ("Condition", "quasi-p"), tuple(sections), note.strip())


def costs(table: pd.DataFrame, discount: float, confidence: float) -> Sheet:
    """What policies cost, and what a euro of them changed; `table` as `experiments.costs.cost_table` gives it."""

    def amount(value: float, places: int = 0) -> str:
        return "" if math.isnan(value) else number(value, places)

    rows = []
    for row in table.to_dict("records"):
        span = "" if math.isnan(row["per_euro"]) else f"{amount(row['low'], 2)} to {amount(row['high'], 2)}"
        amounts = [amount(row[name]) for name in ("budgets", "spent", "left_over")]
        jobs = [amount(row[name], 1) for name in ("jobs", "cost_per_job")]
        rows.append([str(row["cell"]), *amounts, amount(row["per_euro"], 2), span, *jobs])
    columns = (
        "Policies", "Budgets, k€", "Spent, k€", "Left over, k€", "Kept per euro",
        f"{100 * confidence:g} % interval", "Jobs", "k€ per job",
    )  # fmt: skip
    note = (
        f"Present values on the first day at {100 * discount:g} % a year. Kept per euro: value added kept in the "
        "district that a euro spent beyond the scenario's first row added; jobs: in the last quarter, beyond that row"
    )
    return Sheet.plain("What the policies cost", columns, rows, note)
