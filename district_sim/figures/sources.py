"""What the figures of one district accept: a run, a model that stands at some quarter, or a snapshot."""

from typing import TYPE_CHECKING

from district_sim.run.run import Run
from district_sim.run.snapshot import Snapshot
from district_sim.text.numbers import number

if TYPE_CHECKING:
    from district_sim.mesa_model.district import District

type Source = "Run | District | Snapshot"


def title_of(run: Run) -> str:
    return f"{run.scenario.title or 'A district'} · {len(run.indicators)} quarters, seed {run.seed}"


def seen(source: Source) -> tuple[Snapshot, str]:
    """The district at the end of a run, or as a model stands now; and what to call it."""
    if isinstance(source, Snapshot):
        return source, "A district"
    if isinstance(source, Run):
        return source.end, f"{source.scenario.title or 'A district'} · after {len(source.indicators)} quarters"
    title = source.scenario.title or "A district"
    return Snapshot.of(source.state), f"{title} · after {source.quarter} quarters"


def before_and_after(source: Source) -> tuple[list[tuple[str, Snapshot]], str]:
    """Start and end of a run, each with its name; of a model or a snapshot that one moment."""
    if isinstance(source, Run):
        moments = [("Before the first quarter", source.start), (f"After {len(source.indicators)} quarters", source.end)]
        return moments, title_of(source)
    snapshot, title = seen(source)
    return [("", snapshot)], title


def total(count: float, what: str) -> str:
    """A whole number and what it counts: 1 firm, 2 firms."""
    return f"{number(count, 0)} {what}{'' if round(count) == 1 else 's'}"
