"""What the command leaves: the report, or the brief as a page and as PDF. Each file appears whole."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from district_sim.reports.policy_report.page import asked, render, render_brief
from district_sim.run.whole_files import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from district_sim.reports.policy_report.gather import Findings


def write_report(found: Findings, path: Path) -> list[Path]:
    """The whole report. Raises OSError."""
    return [write_text(path, render(found))]


def write_brief(found: Findings, path: Path, pdf: Path) -> list[Path]:
    """Two pages. Raises OSError."""
    from district_sim.figures.policy_brief import save_pages
    from district_sim.reports.policy_report.brief import brief, drawn

    pages = brief(found, asked(found.question))
    text = render_brief(found, list(chain.from_iterable(pages)), pdf.name)
    title = f"{found.question.title}: {', '.join(found.question.cells[1:])}"
    return [write_text(path, text), save_pages(drawn(found, pages), pdf, title)]
