"""Who gains and who loses: firms by what they were before any policy, followed to the end under each mix.

The firms that live on the eve of the first policy are the same under every mix of a replicate. They are sorted there by
phase, size, owner and membership
in the agency, and keep their class whatever becomes of them; firms founded later form a class of their own, so
that the classes of one sort add up to the whole district.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from district_sim.model.parameters import parameters_of
from district_sim.model.state import SIZE_LIMITS, SIZES
from district_sim.text.names import phase_name

if TYPE_CHECKING:
    import pandas as pd

    from district_sim.run.snapshot import Snapshot
    from district_sim.run.workers import Progress
    from district_sim.scenario.sections import Scenario

LATER = "founded later"
SORTS = ("phase", "size", "owner", "member")
OWNER_CLASSES = ("independent", "captive", "group", "multinational")
"""Captive: its own master, bound to one client; group: a local leader and the firms that it owns."""
MEMBER_CLASSES = ("non-members", "members")
"""Whether a firm took part in the collective agency."""
MEASURES = ("living", "jobs", "wages", "value_added", "saved", "lost")
"""At the end: firms that live, employees, wages [k€ a quarter], value added [k€ a quarter]; and of the firms of the
eve: those that live under the mix alone, and those that live under the counterfactual alone."""
_CONTROL = {"leader": "group"}


def eve(begins: int, district: tuple[Scenario, int]) -> pd.DataFrame:
    """The firms that live after `begins` quarters, sorted.

    Args:
        begins: quarters before the first policy, at most the run's length.
        district: scenario without policies, and the seed of the run.

    Returns:
        Columns phase (from 0), size (of `SIZES`), owner (of `OWNER_CLASSES`), member (of `MEMBER_CLASSES`), indexed by
        firm.
    """
    from district_sim.run.run import quarters_of
    from district_sim.run.snapshot import Snapshot

    scenario, seed = district
    moments = quarters_of(parameters_of(scenario), seed, scenario.run.quarters, [begins])
    for moment in moments:
        if moment.done == begins:
            break
    return classes(Snapshot.of(moment.state))  # an earlier one, if the district has outgrown all bounds before


def classes(snapshot: Snapshot) -> pd.DataFrame:
    """What each firm is now; columns as `eve`."""
    import pandas as pd

    firms = snapshot.firms
    size = np.array(SIZES)[np.digitize(firms["employees"], SIZE_LIMITS)]
    owner = firms["control"].astype(str).replace(_CONTROL)
    member = np.array(MEMBER_CLASSES)[firms["participates"].astype(int)]
    return pd.DataFrame(
        {"phase": firms["phase"].astype(int), "size": size, "owner": owner, "member": member}, index=firms.index
    )


def eves(
    begins: int,
    districts: Sequence[tuple[Scenario, int]],
    workers: int | None,
    progress: Progress | None = None,
) -> list[pd.DataFrame]:
    """`eve` of each district."""
    from district_sim.run.workers import WORTH_PROCESSES, measured

    processes = workers if len(districts) >= WORTH_PROCESSES else 1
    return measured(partial(eve, begins), districts, progress, processes)


def followed(
    cohorts: Mapping[int, pd.DataFrame], firms: pd.DataFrame, cells: Mapping[int, str], phases: int
) -> pd.DataFrame:
    """What became of each class under each mix.

    Args:
        cohorts: as `eve`, by replicate.
        firms: at the end: point, replicate, firm, employees, wage, value_added.
        cells: mixes by point; the first is the counterfactual.
        phases: of production.

    Returns:
        One row per sort, class, cell and replicate: columns sort, group, cell, replicate, firms (of the eve) and
        `MEASURES`; every class in every replicate, empty ones with zeros.
    """
    import pandas as pd

    ends = {key: part.set_index("firm") for key, part in firms.groupby(["point", "replicate"], sort=True)}
    base, names = next(iter(cells)), group_names(phases)
    tables = []
    for replicate, cohort in cohorts.items():
        without = ends.get((base, replicate))
        for point, cell in cells.items():
            end = ends.get((point, replicate))
            if end is None or without is None:
                continue
            told = _told(cohort, end, without)
            for sort in SORTS:
                sums = told.groupby(sort)[["firms", *MEASURES]].sum().reindex(list(names[sort]), fill_value=0.0)
                sums.index = pd.Index(list(names[sort].values()), name="group")
                tables.append(sums.reset_index().assign(sort=sort, cell=cell, replicate=replicate))
    found = pd.concat(tables, ignore_index=True)
    return found[["sort", "group", "cell", "replicate", "firms", *MEASURES]]


def group_names(phases: int) -> dict[str, dict[object, str]]:
    """For each sort: class to its name, in the order of the tables."""
    return {
        "phase": {k: phase_name(k, phases) for k in range(phases)} | {LATER: LATER},
        "size": {name: name for name in (*SIZES, LATER)},
        "owner": {name: name for name in (*OWNER_CLASSES, LATER)},
        "member": {name: name for name in (*MEMBER_CLASSES, LATER)},
    }


def _told(cohort: pd.DataFrame, end: pd.DataFrame, without: pd.DataFrame) -> pd.DataFrame:
    """Each firm of the eve and of the end with its classes and its part in the sums."""
    told = cohort.reindex(cohort.index.union(end.index)).astype(object)
    known = told.index.isin(cohort.index)
    told[~known] = LATER
    of_end = end.reindex(told.index)
    living, lived = told.index.isin(end.index), told.index.isin(without.index)
    told["firms"] = known.astype(float)
    told["living"] = living.astype(float)
    told["jobs"] = of_end["employees"].fillna(0.0).to_numpy()
    told["wages"] = (of_end["employees"] * of_end["wage"]).fillna(0.0).to_numpy()
    told["value_added"] = of_end["value_added"].fillna(0.0).to_numpy()
    told["saved"] = (known & living & ~lived).astype(float)
    told["lost"] = (known & ~living & lived).astype(float)
    return told


def gains(table: pd.DataFrame, cells: Sequence[str], how: Mapping[str, object]) -> pd.DataFrame:
    """Paired differences from the counterfactual by class.

    Args:
        table: as `followed` gives it.
        cells: mixes; the first is the counterfactual.
        how: interval, confidence and seed, as `compare.paired` takes them.

    Returns:
        One row per mix but the first, sort, class that has firms, and measure: cell, sort, group, measure, firms (mean
        of the eve) and what `compare.paired` tells; for saved and lost the mean alone, in `difference`.
    """
    import pandas as pd

    from district_sim.experiments.compare import paired

    rows = []
    for (sort, group), part in table.groupby(["sort", "group"], sort=False):
        if group != LATER and not part["firms"].any():
            continue
        by_cell = {cell: of.set_index("replicate") for cell, of in part.groupby("cell")}
        base = by_cell[cells[0]]
        for cell in cells[1:]:
            own = by_cell[cell]
            for measure in MEASURES:
                told = paired(base[measure], own[measure], **how)  # type: ignore[arg-type]
                if measure in ("saved", "lost"):  # against the counterfactual by their meaning
                    told |= {"difference": float(own[measure].mean()), "low": np.nan, "high": np.nan}
                of = {"cell": cell, "sort": sort, "group": group, "measure": measure, "firms": own["firms"].mean()}
                rows.append(of | told)
    return pd.DataFrame(rows)
