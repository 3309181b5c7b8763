"""The district at one moment, as tables and numbers for maps, reports and files."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.model.state import SELF_OWNED, TRAITS, State

if TYPE_CHECKING:
    import pandas as pd

_NOT_SHOWN = (
    *("alive", "tacit", "codified", "made", "spot", "abroad", "conduct"),
    *("grant", "voucher", "grant_exploring", "explores_for_public", "tuition", "contribution", "served", "excluded"),
)


CONTROLS = ("independent", "captive", "group", "leader", "multinational")
"""Who decides for a firm."""


def control_of(rows: np.ndarray, owner: np.ndarray, captor: np.ndarray) -> np.ndarray:
    """Who decides for each of n living firms: (n,) uint8, places in `CONTROLS`.

    Args:
        rows: (n,) their rows. owner, captor: (n,) as in the state's firms.
    """
    control = np.where(captor >= 0, CONTROLS.index("captive"), CONTROLS.index("independent")).astype(np.uint8)
    control[np.isin(rows, owner[owner >= 0]) & (owner == SELF_OWNED)] = CONTROLS.index("leader")
    control[owner >= 0] = CONTROLS.index("group")
    control[owner < SELF_OWNED] = CONTROLS.index("multinational")
    return control


def learned_along(
    one: np.ndarray, other: np.ndarray, trust: np.ndarray, tacit: np.ndarray, lessons: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tacit knowledge learned along each of m ties, by `one` and by `other`, and what each firm taught.

    What a firm learns from all its partners (`lessons`) is shared out among them by trust squared times what they know
    beyond it: the model adds up meetings in which both count, and keeps only the sum.

    Args:
        one, other: (m,) places of the two firms among n. trust: (m,). tacit: (n, D). lessons: (n,).

    Returns:
        (m,), (m,) and (n,), in the unit of `lessons`.
    """
    close = np.asarray(trust, dtype=float) ** 2
    weights = [
        close * np.maximum(0.0, tacit[b] - tacit[a]).mean(axis=1, dtype=float) for a, b in ((one, other), (other, one))
    ]
    sums = np.bincount(one, weights[0], lessons.size) + np.bincount(other, weights[1], lessons.size)
    each = np.divide(lessons, sums, out=np.zeros(lessons.size), where=sums > 0.0)
    to_one, to_other = weights[0] * each[one], weights[1] * each[other]
    return to_one, to_other, np.bincount(other, to_one, lessons.size) + np.bincount(one, to_other, lessons.size)


class Snapshot:
    """The district at one moment, for maps and tables; the tables are made when somebody looks at them."""

    def __init__(
        self,
        firms: "Callable[[], pd.DataFrame]",
        ties: "Callable[[], pd.DataFrame]",
        value_chain: "Callable[[], pd.DataFrame]",
        agency: Callable[[], dict[str, float]],
        pipelines: "Callable[[], pd.DataFrame] | None" = None,
    ) -> None:
        self._firms, self._ties, self._value_chain, self._agency = firms, ties, value_chain, agency
        self._pipelines = pipelines

    @classmethod
    def of(cls, state: State) -> "Snapshot":
        """Take a snapshot (a copy) of a state."""
        rows = np.flatnonzero(state.firms.alive)
        firms, links = state.firms[rows], state.pipelines[rows]
        agency, ties = state.agency[0].copy(), state.ties[rows]
        return cls(
            partial(_table_of_firms, rows, firms, (links.node >= 0).sum(axis=1), ties),
            partial(_table_of_ties, rows, ties, state.orders.paid[rows]),
            partial(_table_of_phases, firms),
            partial(_told_of_agency, agency),
            partial(_table_of_pipelines, rows, links, agency["pipelines"]),
        )

    @cached_property
    def firms(self) -> "pd.DataFrame":
        """One row per living firm, indexed by id; columns as in the state's firms, and `control`, `pipelines`,
        `taught`."""
        return self._firms()

    @cached_property
    def ties(self) -> "pd.DataFrame":
        """One row per local tie: firms `a` < `b`, `trust`, `age` [quarters], `paid_a`, `paid_b` [k€/quarter].

        Orders: `paid_a` is what a paid to b in the quarter, `paid_b` what b paid to a. Both are NaN where the tie is
        younger than the last market.
        """
        return self._ties()

    @cached_property
    def value_chain(self) -> "pd.DataFrame":
        """One row per phase but the last, indexed by `phase` from 0: how final firms, weighted by sales, get it.

        Shares `made` in the house, from `partners` by ties, on the `spot` in the district and from `abroad`; their sum
        is 1; all are NaN where no final firm has sales.
        """
        return self._value_chain()

    @cached_property
    def pipelines(self) -> "pd.DataFrame":
        """One row per link to a place outside: `firm` (-1: a collective one of the agency), `node`, `strength` 0..1."""
        import pandas as pd

        return pd.DataFrame() if self._pipelines is None else self._pipelines()

    @cached_property
    def agency(self) -> dict[str, float]:
        """`capability`, `brand`, `participation` and mean strength of collective `pipelines`, each 0..1."""
        return self._agency()


def _table_of_phases(f: Any) -> "pd.DataFrame":
    import pandas as pd

    final = f.phase == f.made.shape[1] - 1
    sales = f.sales[final]
    whole = float(sales.sum()) or np.nan
    shares = {name: (sales @ f[name][final])[:-1] / whole for name in ("made", "spot", "abroad")}
    table = pd.DataFrame(shares).rename_axis("phase")
    table.insert(1, "partners", (1.0 - table.sum(axis=1, skipna=False)).clip(lower=0.0))
    return table


def _told_of_agency(agency: Any) -> dict[str, float]:
    told = {name: float(agency[name]) for name in ("capability", "brand", "participation")}
    return told | {"pipelines": float(np.mean(agency["pipelines"]))}


def _table_of_firms(rows: np.ndarray, f: Any, pipelines: np.ndarray, ties: Any) -> "pd.DataFrame":
    import pandas as pd

    firms = pd.DataFrame(
        {name: f[name] for name in f.dtype.names if name not in _NOT_SHOWN}, index=pd.Index(rows, name="firm")
    )
    firms["tacit"] = f.tacit.mean(axis=1, dtype=np.float64)
    firms["codified"] = f.codified.mean(axis=1, dtype=np.float64)
    firms["pipelines"] = pipelines
    one, slot = np.nonzero(ties.partner > rows[:, None])
    other = np.searchsorted(rows, ties.partner[one, slot])
    *_, firms["taught"] = learned_along(one, other, ties.trust[one, slot], f.tacit, f.lessons)
    for number, trait in enumerate(TRAITS):
        firms[f"conduct_{trait}"] = f.conduct[:, number]
    firms["control"] = np.array(CONTROLS)[control_of(rows, f.owner, f.captor)]
    return firms


def _table_of_ties(rows: np.ndarray, ties: Any, paid: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    firm, slot = np.nonzero(ties.partner > rows[:, None])
    partner = ties.partner[firm, slot]
    back = paid[np.searchsorted(rows, partner), ties.mirror[firm, slot]]
    age = ties.age[firm, slot]
    known = age > 0
    return pd.DataFrame(
        {
            "a": rows[firm],
            "b": partner,
            "trust": ties.trust[firm, slot],
            "age": age,
            "paid_a": np.where(known, paid[firm, slot], np.nan),
            "paid_b": np.where(known, back, np.nan),
        }
    )


def _table_of_pipelines(rows: np.ndarray, links: Any, collective: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    firm, slot = np.nonzero(links.node >= 0)
    nodes = np.flatnonzero(collective > 0.0)
    return pd.DataFrame(
        {
            "firm": np.concatenate([rows[firm], np.full(nodes.size, -1)]),
            "node": np.concatenate([links.node[firm, slot], nodes]),
            "strength": np.concatenate([links.strength[firm, slot], collective[nodes]]),
        }
    )
