"""What `replicate` writes into a folder: a page, the claims and points as data, figures. Each file appears whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from district_sim._version import __version__
from district_sim.run.whole_files import write_csv, write_json, write_text

if TYPE_CHECKING:
    from district_sim.evidence.replications.claims import Evidence


def write_evidence(found: "Sequence[Evidence]", folder: Path) -> list[Path]:
    """`replications.md` and `.json`, and for each replication its points as CSV and its figure. Raises OSError."""
    from district_sim import figures

    written = []
    for evidence in found:
        written += figures.save(evidence.draw(), folder / evidence.name)
        written.append(write_csv(folder / f"{evidence.name}.csv", evidence.points))
    told = {"version": __version__, "replications": [evidence.as_dict() for evidence in found]}
    written.append(write_json(folder / "replications.json", told))
    return [*written, write_text(folder / "replications.md", as_markdown(found))]


def as_markdown(found: "Sequence[Evidence]") -> str:
    """The page: what holds, and for each replication its claims, its figure, its points."""
    from district_sim.evidence.replications.claims import claims_sheet

    claims = [claim for evidence in found for claim in evidence.claims]
    lines = [
        "# Replications",
        "",
        "Written by `district-sim replicate all --out DIR`. Published results, tested again with this package's",
        "kernels. A target is *published* if the source states it, *re-simulated* if it is a level that an independent",
        "simulation of the source's model gave, *derived* if it follows from the source's rule. Where a source says",
        '"about" or "region", the band is that of an independent simulation. A claim passes if its 95 % confidence',
        "interval lies on the right side, for differences and ratios of paired runs, or within the band, for the place",
        "of a peak, by bootstrap over runs. Levels in the baseline scenario have a band around the published value,",
        "set before they were measured: 10 % where the source itself was read, 20 % where a secondary one was, ranges",
        "as they are stated; the whole interval must lie inside.",
        "",
        f"{sum(claim.passed for claim in claims)} of {len(claims)} claims hold.",
    ]
    for evidence in found:
        missed = [claim for claim in evidence.claims if not claim.passed]
        lines += [f"- missed: {claim.claim}: {claim.measured:.4g}, target {claim.target}" for claim in missed]
        if evidence.reason:
            lines += [f"  - why: {evidence.reason}"]
    for evidence in found:
        lines += ["", f"## {evidence.title}", "", f"![{evidence.title}]({evidence.name}.png)", ""]
        if evidence.claims:
            lines += [claims_sheet(evidence).markdown()]
        else:
            lines += ["No claims: they apply to the published setting only.", ""]
        lines += [evidence.sheet.markdown().rstrip()]
    return "\n".join(lines) + "\n"
