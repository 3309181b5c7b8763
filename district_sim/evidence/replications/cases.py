"""Real districts run again: what was observed of them later, against what runs from their first figures give."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from district_sim.evidence.cases.calibration import REPORT_SEEDS
from district_sim.evidence.cases.compare import Compared, compare, comparison_sheet, labels
from district_sim.evidence.cases.files import Case, load_case
from district_sim.evidence.cases.runs import PATHS, Observed, ensemble
from district_sim.evidence.replications.claims import BOOTSTRAPS, Claim, Evidence, Source
from district_sim.run.workers import Progress

RUNS = len(REPORT_SEEDS)


def district(
    name: str,
    seed: int = 0,
    runs: int | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Evidence:
    """A district case: observed figures against the median and the 90 % band of runs at full size.

    The runs have the seeds 1000 + `seed` and the following; a fit uses seeds below 100 only.

    Args:
        name: of a bundled case, such as "carpi". seed: >= 0. The others: see `Replication`.

    Raises:
        ScenarioError: one of the case's files cannot be used.
    """
    return replicated(load_case(name, fitted=True), seed, runs, progress, workers)


def replicated(
    case: Case,
    seed: int = 0,
    runs: int | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Evidence:
    """Any case's observed figures against the median and the 90 % band of runs at full size; see `district`."""
    runs = RUNS if runs is None else runs
    first = REPORT_SEEDS[0] + seed
    found = ensemble(case, range(first, first + runs), progress, workers)
    compared = compare(case, found)
    title = _title(case)
    note = f"Seeds {first} to {first + runs - 1}. {labels(found)}"
    return Evidence(
        name=case.name,
        title=title,
        setting={"scenario": case.origin, "start": case.start, "seeds": [first, first + runs - 1], "runs": runs},
        points=[row.as_dict() for row in compared],
        claims=tuple(_claim(row) for row in compared if not row.start) if runs > 1 else (),
        sheet=comparison_sheet(f"{title}: observed and simulated", compared, note),
        draw=partial(fan_chart, case, found),
        why=case.misses,
    )


# By these names the table of replications finds them.
carpi, sassuolo, mirandola, prato = (partial(district, name) for name in ("carpi", "sassuolo", "mirandola", "prato"))


def _title(case: Case) -> str:
    return f"{case.title or case.name}, {case.calendar.span(case.scenario.run.quarters)}"


def _claim(row: Compared) -> Claim:
    """One target as a line of the table of claims; the interval is that of the median, by bootstrap over runs."""
    values = row.values[np.isfinite(row.values)]
    drawn = np.random.default_rng(0).integers(len(values), size=(BOOTSTRAPS, len(values)))
    medians = np.median(values[drawn], axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    target = row.target
    return Claim(
        claim=f"{row.what}, {target.year}" + (" (fitted)" if target.fit else ""),
        source=Source(target.source, target.published, target.doi),
        basis="published",
        target=row.observed,
        measured=row.median,
        standard_error=float(medians.std(ddof=1)),
        interval=(float(low), float(high)),
        runs=len(values),
        passed=row.hit,
    )


def fan_chart(case: Case, found: Sequence[Observed]) -> Any:
    """The paths of a case's runs at full size, with what was observed: a figure."""
    from district_sim import figures

    paths = np.array([run.paths for run in found])
    calendar = case.calendar
    points = [
        [
            (calendar.year(calendar.quarter(t.year)), t.value, t.tolerance, t.fit)
            for t in case.targets
            if t.measure == name and t.value is not None and t.since is None and not t.compared
        ]
        for name in PATHS
    ]
    return figures.case_paths(_title(case), calendar.year(0), PATHS, paths, points)
