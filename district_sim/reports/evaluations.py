"""What `replicate policies` writes into a folder: a page, the results as data, a figure. Each file appears whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from district_sim._version import __version__
from district_sim.run.whole_files import write_csv, write_json, write_text

if TYPE_CHECKING:
    from district_sim.evidence.evaluations.evaluate import Evaluated
    from district_sim.evidence.evaluations.files import Finding


def write_evaluations(found: "Sequence[Evaluated]", folder: Path) -> list[Path]:
    """`policies.md`, `.json`, `.csv` with a row for each result, and `.png` and `.svg`. Raises OSError."""
    from district_sim import figures

    rows = [{"evaluation": one.plan.name} | result.as_dict() for one in found for result in one.results]
    written = [*figures.save(figures.effects_beside_published(rows), folder / "policies")] if rows else []
    if rows:
        written.append(write_csv(folder / "policies.csv", rows))
    told = {"version": __version__, "evaluations": [one.as_dict() for one in found]}
    written.append(write_json(folder / "policies.json", told))
    return [*written, write_text(folder / "policies.md", as_markdown(found))]


def summary(found: "Sequence[Evaluated]") -> str:
    """How often signs and sizes agree, in a sentence or two."""
    results = [result for one in found for result in one.results]
    if not results:
        return "The model can express none of these evaluations."
    agree = sum(result.agrees for result in results)
    sized = [result.overlaps for result in results if result.overlaps is not None]
    weak = sum(result.verdict == "weak" for result in results)
    selected = sum(result.verdict == "selection" for result in results)
    said = (
        f"{agree} of {len(results)} signs agree with those published, {selected} of them by selection or chance: in "
        f"truth the programme did nothing of the kind. {weak} more agree in truth, but the effect is weak."
    )
    if sized:
        said += f" Of {len(sized)} results with a published number, {sum(sized)} have a size in common with it."
    true = sum(result.truth.sign == result.estimate.sign for result in results)
    return f"{said} In {true} the estimator finds the sign of what the programme really did in the model."


def as_markdown(found: "Sequence[Evaluated]") -> str:
    """The page: what agrees and what does not, and for each evaluation its design, its results, its discussion."""
    from district_sim.evidence.evaluations.evaluate import sheet
    from district_sim.text.sheet import md

    able = [one for one in found if one.results]
    lines = [
        "# Policies against evaluations",
        "",
        "Written by `district-sim replicate policies --out DIR`. Published evaluations of policies, made again on",
        "simulated firms: the same rule of who is served, how much, how long, the same comparison and the same",
        "estimator. Nothing in the model is fitted to them. The column *true effect* is what no evaluator has: the",
        "same districts under the same luck without the programme. A sign is + or − where the whole 95 % interval lies",
        "on that side. Where nothing significant was published, the model agrees if its interval contains 0 or its",
        "estimate lies in the published one. Simulated samples are larger than the published ones, so small effects",
        "are seen here that a study would miss. *Weak*: what the programme really did has the published sign, but the",
        "estimator cannot tell it from nothing. *Selection*: the estimator finds the published sign, but the programme",
        "did nothing of the kind; those served differ from others in another way, or by chance.",
        "",
        summary(found),
    ]
    for one in able:
        for result in one.results:
            if result.verdict != "yes":
                word = "differs" if result.verdict == "NO" else result.verdict
                lines += [f"- {word}: {md(one.plan.data.title)}: {result.what}: published {result.published}"]
    if able:
        lines += ["", "![Published and simulated effects](policies.png)"]
    for one in able:
        data = one.plan.data
        lines += ["", f"## {md(data.title)}", "", f"*{md(data.source.full)}.* {md(data.programme)}", ""]
        lines += ["**In the model.** " + _design(one), ""]
        if data.differs:
            lines += [f"**What differs in the design.** {md(data.differs)}", ""]
        lines += [sheet(one).markdown().rstrip(), ""]
        lines += [f"- {result.what}: {md(result.finding.says + _where(result.finding))}." for result in one.results]
        if data.discussion:
            lines += ["", md(data.discussion)]
    unable = [one for one in found if one.plan.data.cannot]
    if unable:
        lines += ["", "## What the model cannot express"]
    for one in unable:
        data = one.plan.data
        lines += ["", f"**{md(data.title)}.** *{md(data.source.full)}.* {md(data.programme)} {md(data.cannot)}"]
    return "\n".join(lines) + "\n"


def _where(finding: "Finding") -> str:
    """Where a result was published, if not in the evaluation's main work; and what was estimated anew."""
    parts = [finding.source.full] if finding.source is not None else []
    if finding.basis == "re-estimated":
        parts.append("number estimated from the authors' data with the estimator used here")
    return f" ({'; '.join(parts)})" if parts else ""


def _design(one: "Evaluated") -> str:
    """The design in a few sentences."""
    data, served = one.plan.data, one.plan.data.served
    money = [
        f"`{item.kind}`"
        + (f" for {item.target} firms" if item.target != "all" else "")
        + (f", {item.budget:g} k€ a quarter" if item.budget else f", {item.per_employee:g} k€ per employee and quarter")
        for item in data.instruments
    ]
    years = f"{data.lasts} quarters from quarter {data.start}"
    said = [f"Scenario `{data.scenario}`, {one.runs} districts; {'; '.join(money)}, for {years}."]
    if served.where:
        bounds = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in served.where.items())
        said.append(f"Eligible: {bounds}.")
    if served.applicants < 1.0:
        rather = f", those with more {served.keen} rather" if served.keen else ""
        said.append(f"{served.applicants:.0%} of the eligible apply{rather}.")
    chosen = {
        "all": "All who apply are served." if served.applicants < 1.0 else "All firms are served.",
        "lottery": f"{served.share:.0%} of them are drawn by lot.",
        "score": f"The {served.share:.0%} with the highest score ({', '.join(served.score)}, and chance) are served.",
    }[served.by]
    said.append(chosen)
    against = {
        "all": "They are compared with the others of the same district"
        + (", on the two sides of the cut-off" if data.estimator == "discontinuity" else ", before and after"),
        "lottery": "Every second district has the programme; firms are compared with those elsewhere, before and after",
        "declining": "The half of the districts whose productivity grew least has the programme; firms are compared "
        "with those elsewhere, before and after",
    }[data.districts]
    held = f", with {', '.join(data.controls)} held equal" if data.controls else ""
    return " ".join([*said, f"{against}{held}."])
