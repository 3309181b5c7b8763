"""A table of words and numbers: made once as a `Sheet`, shown on the terminal, in Markdown or in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from district_sim.run.whole_files import write_text

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
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "\n": " ",
}
_MARKS = re.compile(r"[\\`*|$~]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[:])|\[(?=\^)|\{(?=[\w%])")
"""Letters that Markdown would read otherwise: not those that stand where they mean nothing, as in p < 0.1 or in a_b."""


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
        lines = [f"**{md(self.title)}**", "", _pipes(map(md, self.columns))]
        lines.append(_pipes(["---" if number < self.left else "---:" for number in range(len(self.columns))]))
        for name, rows in self.sections:
            lines += [_pipes([f"*{md(name)}*", *[""] * (len(self.columns) - 1)])] if name else []
            lines += [_pipes(map(md, row)) for row in rows]
        return "\n".join([*lines, "", md(self.note)]) + "\n"

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
            _ampersands(map(_tex_of_ours, self.columns)),
        ]
        for name, rows in self.sections:
            lines.append(r"\midrule")
            lines += [rf"\multicolumn{{{len(kinds)}}}{{l}}{{\emph{{{tex(name)}}}}} \\"] if name else []
            lines += [_ampersands(map(tex, row)) for row in rows]
        lines += [r"\bottomrule", r"\end{tabular}", "", r"\smallskip"]
        lines += [
            rf"\begin{{minipage}}{{\linewidth}}\footnotesize {_tex_of_ours(self.note)}\end{{minipage}}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"


def write_sheets(sheets: Mapping[str, Sheet], folder: Path) -> list[Path]:
    """Each table in Markdown and in LaTeX. Raises OSError."""
    written = []
    for name, sheet in sheets.items():
        written.append(write_text(folder / f"{name}.md", sheet.markdown()))
        written.append(write_text(folder / f"{name}.tex", sheet.latex(name.replace("_", "-"))))
    return written


def tex(text: str) -> str:
    """Plain text with everything escaped that means something to LaTeX."""
    return "".join(_TEX.get(letter, letter) for letter in text)


def md(text: str) -> str:
    """Plain text with everything escaped that means something to Markdown, GitHub's and MyST's included."""
    return _MARKS.sub(lambda mark: f"\\{mark[0]}", " ".join(text.splitlines()))


def _tex_of_ours(text: str) -> str:
    """`tex` for the words of a table itself, in which d_z is a symbol."""
    return "$d_z$".join(map(tex, re.split(r"\bd_z\b", text)))


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ampersands(cells: Iterable[str]) -> str:
    """A row of cells in LaTeX; what opens a bracket must not be taken for an option of the line's end before it."""
    row = " & ".join(cells)
    return f"{'{}' if row.startswith(('[', '*')) else ''}{row} \\\\"
