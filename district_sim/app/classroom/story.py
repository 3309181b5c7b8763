"""Why a run ended as it did, in one sentence: what it was judged by, and when what led there happened.

Every number is read from the run's indicators or counted from its events. A sentence tells what happened and when; it
claims no cause but the rule by which the future was named, whose ingredients it cites.
"""

import math
from typing import NamedTuple

import numpy as np

from district_sim.run.events import EventKind
from district_sim.run.run import Run
from district_sim.run.trajectories import Means, Trajectory, windows

_YEAR = 4

type Given = dict[str, int | None]


class Story(NamedTuple):
    """A sentence: a key of `words.WORDS`, and what is filled in; None where it is undefined."""

    word: str
    given: Given


def story_of(run: Run) -> Story:
    """The sentence of a run that was watched."""
    first, last = windows(len(run.table), run.scenario.calm_window)
    calm, late = Means(run.columns, slice(max(1, first))), Means(run.columns, slice(-last, None))
    label, scores = run.trajectory, run.scores
    if label == Trajectory.FRAGMENTATION:
        foreign = not scores.route_takeover < scores.route_hierarchy
        kind = EventKind.TAKEOVER if foreign else EventKind.ACQUISITION
        share = _percent(late["mne_turnover_share" if foreign else "captive_share"])
        sold = _sold(run, kind)
        word = "fragmentation.sold" if foreign else "fragmentation.bound"
        return Story(f"story.{word}" if sold else f"story.{word}_before", {**sold, "share": share})
    if label == Trajectory.POST_MARSHALLIAN_NODE:
        return Story("story.post_marshallian_node", _both(calm, late, local="local_purchases", links="pipeline_firms"))
    if label == Trajectory.LEARNING_REGION:
        ripe = [event for event in run.events if event.kind == EventKind.TECHNOLOGY]
        given: Given = {"share": _percent(late["newest_share"])}
        if not ripe:
            return Story("story.learning_region_before", given)
        return Story(
            "story.learning_region", {**given, "technology": ripe[-1].number + 1, "year": _year(ripe[-1].quarter)}
        )
    if label == Trajectory.COLLECTIVE_ENTREPRENEURSHIP:
        given = {"share": _percent(late["participation"])}
        turns = (EventKind.COOPERATION_BEGINS, EventKind.COOPERATION_ENDS)
        began = [event for event in run.events if event.kind in turns]
        if not began or began[-1].kind == EventKind.COOPERATION_ENDS:
            return Story("story.collective_entrepreneurship_before", given)
        return Story("story.collective_entrepreneurship", {**given, "year": _year(began[-1].quarter)})
    jobs = _percent(late["employment"] / calm["employment"]) if calm["employment"] > 0.0 else None
    if label == Trajectory.DECLINE:
        lost = [event for event in run.events if event.kind == EventKind.PHASE_LOST]
        if lost:
            return Story(
                "story.decline_phase", {"jobs": jobs, "phase": lost[0].number + 1, "year": _year(lost[0].quarter)}
            )
        return Story("story.decline", {"jobs": jobs})
    if label is None:
        return Story("story.none", {})
    given = {"foreign": _percent(late["mne_turnover_share"]), "members": _percent(late["participation"]), "jobs": jobs}
    broke = [event for event in run.events if event.kind == EventKind.COOPERATION_ENDS]
    if broke and not late["participation"] > 0.0:
        return Story("story.marshallian_persistence_broke", {**given, "year": _year(broke[-1].quarter)})
    return Story("story.marshallian_persistence", given)


def _sold(run: Run, kind: EventKind) -> Given:
    """How many firms were sold, from when to when, and the largest of those sold in the year with most employees."""
    counts = np.nan_to_num(np.asarray(run.columns["takeovers" if kind == EventKind.TAKEOVER else "acquisitions"]))
    when = np.flatnonzero(counts)
    sales = [event for event in run.events if event.kind == kind and event.firms]
    if not when.size or not sales:
        return {}
    most = max(sales, key=lambda event: 0.0 if math.isnan(event.employees) else event.employees)
    ends = {"first": _year(int(when[0])), "last": _year(int(when[-1]))}
    return {"count": int(counts.sum()), **ends, "firm": most.firms[0], "year": _year(most.quarter)}


def _both(calm: Means, late: Means, **names: str) -> Given:
    return {
        f"{word}_{when}": _percent(means[name])
        for word, name in names.items()
        for when, means in (("before", calm), ("after", late))
    }


def _percent(share: float) -> int | None:
    return None if math.isnan(share) else round(100.0 * share)


def _year(quarter: int) -> int:
    return quarter // _YEAR + 1
