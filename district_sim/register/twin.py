"""A synthetic table like a real one, to be shared in its place: same marginals, group sizes and numbers of ties.

No row of it is a firm of the table. Columns that belong together are drawn together by rank with some noise; places are
moved; who is tied to whom is drawn anew. It is no proof against disclosure: a single very large firm stays the largest.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from district_sim.register.cleaning import Clean
from district_sim.run.whole_files import write_csv
from district_sim.scenario.tables import INDEPENDENT, MULTINATIONAL, UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

FIRMS, TIES = "firms.csv", "ties.csv"
_BLUR = 0.05  # standard deviation of noise on log amounts and on shares of ranks
_MOVE = 1.0  # km, standard deviation by which places are moved
_AMOUNTS = ("turnover", "research")
_TRIES = 30  # rounds in which ties that came twice are drawn again


class Twin(NamedTuple):
    """Tables as `district-sim import` takes them."""

    firms: "pd.DataFrame"
    ties: "pd.DataFrame | None"


def with_pseudonyms(cleaned: Clean) -> Clean:
    """The same tables with numbers for ids, in an order that says nothing; problems name lines alone."""
    firms = cleaned.firms.copy()
    order = _generator(cleaned).permutation(len(firms))
    firms["id"] = [f"firm {number + 1}" for number in order]
    problems = [
        one._replace(text=_without_cell(one.text)) if one.variable in ("id", "owner", "buyer", "supplier") else one
        for one in cleaned.problems
    ]
    return replace(cleaned, firms=firms, problems=problems)


def _without_cell(text: str) -> str:
    import re

    return re.sub(r"(['\"]).*?\1", "(an id)", text)


def _generator(cleaned: Clean) -> np.random.Generator:
    """Draws that follow from the table: the same table has the same twin."""
    content = cleaned.firms.to_csv().encode() + (b"" if cleaned.ties is None else cleaned.ties.to_csv().encode())
    return np.random.default_rng(list(hashlib.sha256(content).digest()))


def twin(cleaned: Clean) -> Twin:
    """A synthetic table of as many firms and ties."""
    import pandas as pd

    rng, firms, n = _generator(cleaned), cleaned.firms, len(cleaned.firms)
    donor = rng.permutation(n)  # new firm k takes after an old one; of each column the value of one near it in rank
    columns: dict[str, np.ndarray] = {}
    for name in ("employees", "phase", "founded", "turnover", "exports", "research", "education", "patents"):
        columns[name] = _near(firms[name].to_numpy(float), donor, rng)
    columns["employees"] = np.maximum(1.0, np.round(columns["employees"]))
    per_head = firms["turnover"].to_numpy() / firms["employees"].to_numpy()
    columns["turnover"] = _near(per_head, donor, rng) * columns["employees"]
    for name in _AMOUNTS:
        columns[name] = columns[name] * np.exp(_BLUR * rng.standard_normal(n))
    x = firms["x"].to_numpy()[donor] + _MOVE * rng.standard_normal(n)
    y = firms["y"].to_numpy()[donor] + _MOVE * rng.standard_normal(n)
    year, quarter = cleaned.start or (0, 0)
    table = pd.DataFrame({
        "id": [f"T{k + 1}" for k in range(n)],
        "employees": columns["employees"].astype(int),
        "x_km": np.round(x, 2),
        "y_km": np.round(y, 2),
        "phase": pd.array([None if q < 0 else int(q) for q in columns["phase"]], dtype="Int64"),
        "year of foundation": pd.array(
            [None if np.isnan(f) else int(year + (f + quarter) // 4) for f in columns["founded"]], dtype="Int64"
        ),
        "turnover (EUR a year)": np.round(4000.0 * columns["turnover"], -2),
        "export share": np.round(columns["exports"], 3),
        "R&D (EUR a year)": np.round(4000.0 * columns["research"], -2),
        "graduates (share)": np.round(columns["education"], 3),
        "patents": columns["patents"],
    })  # fmt: skip
    owner = _owners(firms["owner"].to_numpy(), columns["employees"], rng)
    if owner is not None:
        table.insert(
            5,
            "owner",
            [None if o == INDEPENDENT else "multinational" if o == MULTINATIONAL else f"T{o + 1}" for o in owner],
        )
    table = table.dropna(axis=1, how="all")
    return Twin(table, None if cleaned.ties is None else _ties(cleaned.ties, donor, rng))


def _near(values: np.ndarray, donor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each donor the value of a firm near it in rank: a column is drawn from itself, what is missing too."""
    n = values.size
    order = np.lexsort((rng.random(n), values))  # missing values last
    rank = np.empty(n, int)
    rank[order] = np.arange(n)
    moved = rank[donor] + np.round(_BLUR * n * rng.standard_normal(n)).astype(int)
    place = np.empty(n, int)
    place[np.lexsort((rng.random(n), moved))] = np.arange(n)  # each value is used once: the marginal is the same
    return values[order][place]


def _owners(owner: np.ndarray, employees: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Groups of the same sizes, led by large firms as theirs are; as many affiliates."""
    if owner[0] == UNKNOWN:
        return None
    n, out = owner.size, np.full(owner.size, INDEPENDENT)
    sizes = sorted(np.unique(owner[owner >= 0], return_counts=True)[1], reverse=True)
    by_size = np.argsort(-employees, kind="stable")
    leaders = by_size[: len(sizes)]
    others = rng.permutation(by_size[len(sizes) :])
    for leader, size in zip(leaders, sizes, strict=True):
        out[others[:size]], others = leader, others[size:]
    foreign = int((owner == MULTINATIONAL).sum())
    out[others[: min(foreign, n)]] = MULTINATIONAL
    return out


def _ties(ties: "pd.DataFrame", donor: np.ndarray, rng: np.random.Generator) -> "pd.DataFrame":
    """As many ties, each firm with as many as the one that it takes after; order values shuffled among them."""
    import pandas as pd

    new = np.empty(donor.size, int)
    new[donor] = np.arange(donor.size)
    buyers, suppliers = new[ties["a"].to_numpy()], new[ties["b"].to_numpy()].copy()
    for _ in range(_TRIES):  # keep both ends' numbers of ties, change who meets whom
        low, high = np.minimum(buyers, suppliers), np.maximum(buyers, suppliers)
        again = pd.Series(low.astype(np.int64) * donor.size + high).duplicated().to_numpy() | (low == high)
        bad = np.flatnonzero(again) if _ else np.arange(suppliers.size)
        if not bad.size:
            break
        partners = rng.choice(suppliers.size, bad.size)
        chosen = np.unique(np.concatenate([bad, partners]))
        suppliers[chosen] = suppliers[rng.permutation(chosen)]
    low, high = np.minimum(buyers, suppliers), np.maximum(buyers, suppliers)
    good = ~pd.Series(low.astype(np.int64) * donor.size + high).duplicated().to_numpy() & (low != high)
    paid = ties[["paid_ab", "paid_ba"]].to_numpy(float)[rng.permutation(len(ties))][good]
    rows = []
    for a, b, (ab, ba) in zip(buyers[good], suppliers[good], paid, strict=True):
        if ab > 0.0 or not ba > 0.0:
            rows.append((f"T{a + 1}", f"T{b + 1}", ab))
        if ba > 0.0:
            rows.append((f"T{b + 1}", f"T{a + 1}", ba))
    table = pd.DataFrame(rows, columns=["buyer", "supplier", "value (EUR a year)"])
    table["value (EUR a year)"] = np.round(4000.0 * table["value (EUR a year)"], -1)
    return table.dropna(axis=1, how="all")


def write(made: Twin, folder: Path) -> list[Path]:
    """Write the tables as CSV. Raises OSError."""
    written = [write_csv(folder / FIRMS, made.firms)]
    if made.ties is not None:
        written.append(write_csv(folder / TIES, made.ties))
    return written
