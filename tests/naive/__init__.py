"""Naive twins of the compiled processes: plain Python, one obvious step after another, written from the specification.

Each twin changes a `State` in place, takes `(state, p)` and knows nothing of the kernels; only the keyed random draws
are shared. Slow by design.
"""

# ruff: noqa: F401 (processes are looked up by the names in the schedule)
from typing import Any

import numpy as np

from district_sim.model.state import State
from naive.agency import run_agency
from naive.common import scheduled, strategy
from naive.conduct import adopt_strategy, review_conduct
from naive.demography import enter_firms, exit_firms
from naive.indicators import observe
from naive.innovation import innovate
from naive.knowledge import update_knowledge
from naive.market import run_market
from naive.ownership import acquire, bind_captives, divest, take_over
from naive.policy import account_match, apply_policies, levy_taxes, watch
from naive.shocks import apply_shocks
from naive.ties import end_ties, form_ties, update_identity, update_pipelines, update_trust
from naive.world import advance_world

PROCESSES = tuple(globals()[name] for name in scheduled())

__all__ = ["PROCESSES", "observe", "one_quarter", "strategy", *(process.__name__ for process in PROCESSES)]


def one_quarter(state: State, p: Any) -> np.ndarray:
    """Run one quarter in place; returns the row of indicators, in the order of `indicators.NAMES`."""
    state.tally[:] = 0.0
    for process in PROCESSES:
        process(state, p)
    row = np.array(list(observe(state, p).values()))
    watch(state, p, row)
    state.clock.step[0] += 1
    return row
