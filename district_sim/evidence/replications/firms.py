"""Firms: how large they are, how they grow, how they come and go."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from district_sim.evidence.replications.baseline import (
    CALM,
    RUNS,
    Found,
    Look,
    look,
    over_runs,
    points_of,
    points_sheet,
    seeds_of,
)
from district_sim.evidence.replications.claims import Claim, Evidence, Source, around, inside, one_sided
from district_sim.evidence.replications.statistics import laplace_over_gaussian, slope, subbotin_shape, tail_exponent
from district_sim.model.parameters import Parameters
from district_sim.run.run import quarters_of
from district_sim.run.workers import Progress

AXTELL_2001 = Source("Axtell", 2001, "10.1126/science.1062081")
LAPLACE_2006 = Source("Bottazzi & Secchi", 2006, "10.1111/j.1756-2171.2006.tb00014.x")
GIBRAT_2009 = Source("Lotti, Santarelli & Vivarelli", 2009, "10.1007/s11187-007-9071-0")
CENSUS_2001 = Source("Istat", 2001, published="census of industry and services; Carpi 5.6, Prato 5.5")
DEMOGRAPHY = Source("Istat", 2001, published="business demography")
YEAR = 4
OLD = 40
"""Quarters of age from which a firm is an old survivor."""
_NEUTRAL = 0.02  # growth a year per log point of size up to which growth counts as independent of size


class Panel(NamedTuple):
    """Every firm that ever lived in every quarter, nan (False) where it did not live."""

    employees: np.ndarray
    """(quarters + 1, firms)."""
    sales: np.ndarray
    """(quarters + 1, firms) k€ in the quarter that has just ended."""
    founded: np.ndarray
    """(firms,) quarter."""

    @property
    def alive(self) -> np.ndarray:
        """(quarters + 1, firms) bool."""
        return np.isfinite(self.employees)


def panel(p: Parameters, seed: int, quarters: int = CALM) -> Panel:
    """Follow every firm of one run; a firm's column is its id."""
    rows, founded = [], np.zeros(0)
    for _, state, *_ in quarters_of(p, seed, quarters, range(quarters)):
        firms = state.firms[: int(state.clock.rows[0])]
        rows.append([np.where(firms.alive, firms[name], np.nan) for name in ("employees", "sales")])
        founded = firms.founded.copy()
    out = np.full((2, len(rows), founded.size), np.nan)
    for quarter, row in enumerate(rows):
        out[:, quarter, : row[0].size] = row
    return Panel(out[0], out[1], founded)


# Measures -----------------------------------------------------------------------------------------


def growth_of_sales(firms: Panel) -> np.ndarray:
    """Yearly log growth of sales less its mean in the year, of firms alive throughout both years.

    Source: Bottazzi & Secchi 2006.
    """
    years = (len(firms.sales) - 1) // YEAR
    sales = firms.sales[1 : 1 + years * YEAR].reshape(years, YEAR, -1).sum(axis=1)
    sales[~(sales > 0.0)] = np.nan
    growth = np.diff(np.log(sales), axis=0)
    growth -= np.nanmean(growth, axis=1, keepdims=True)
    return growth[np.isfinite(growth)]


def growth_by_size(firms: Panel, youngest: float = -np.inf) -> np.ndarray:
    """Yearly log growth of employees, log employees before it, and the year, of firms that survive the year: (3, n).

    Args:
        youngest: age in quarters before the year.
    """
    parts = []
    for first in range(0, len(firms.employees) - YEAR, YEAR):
        before, after = np.log(firms.employees[first]), np.log(firms.employees[first + YEAR])
        chosen = np.isfinite(before) & np.isfinite(after) & (first - firms.founded >= youngest)
        parts.append((after[chosen] - before[chosen], before[chosen], np.full(chosen.sum(), float(first))))
    return np.concatenate(parts, axis=1)


def demography(firms: Panel) -> dict[str, float]:
    """Births and deaths in a year as shares of the firms at its beginning; share of newborns alive a year later."""
    alive = firms.alive
    firsts = range(0, len(alive) - YEAR, YEAR)
    stock = np.array([alive[first].sum() for first in firsts])
    births = [((firms.founded >= first) & (firms.founded < first + YEAR)).sum() for first in firsts]
    net = [alive[first + YEAR].sum() - alive[first].sum() for first in firsts]
    born = np.flatnonzero((firms.founded >= 0) & (firms.founded < len(alive) - 1 - YEAR))
    # founded in quarter q, a firm is first seen in row q + 1
    survived = alive[firms.founded[born].astype(int) + 1 + YEAR, born]
    return {
        "births": float(np.mean(births / stock)),
        "deaths": float(np.mean((np.array(births) - net) / stock)),
        "survival": float(survived.mean()) if born.size else np.nan,
    }


def measure(p: Parameters, seed: int) -> Found:
    """All that the claims are about, in one run; and growth rates and sizes for the figure."""
    firms = panel(p, seed)
    sizes, growth = firms.employees[-1][firms.alive[-1]], growth_of_sales(firms)
    exponent, start, many = tail_exponent(sizes)
    gain, vuong = laplace_over_gaussian(growth)
    everybody, old = growth_by_size(firms), growth_by_size(firms, OLD)
    return demography(firms) | {
        "size": float(np.mean([row[np.isfinite(row)].mean() for row in firms.employees[1:]])),
        "tail": exponent,
        "tail_inverse": 1.0 / exponent,
        "tail_start": start,
        "tail_firms": many,
        "laplace": gain,
        "vuong": vuong,
        "subbotin": subbotin_shape(growth),
        "gibrat": slope(everybody[1], everybody[0], everybody[2]),
        "gibrat_old": slope(old[1], old[0], old[2]),
        "rates": growth.astype(np.float32),
        "sizes": sizes,
    }


_WORDS = {
    "size": "Employees per firm",
    "tail": "Exponent of the right tail of size",
    "tail_start": "Employees from which the tail begins",
    "tail_firms": "Firms in the tail",
    "laplace": "Log likelihood of growth of sales per observation, Laplace less Gaussian",
    "vuong": "Vuong's statistic of Laplace against Gaussian",
    "subbotin": "Subbotin shape b of growth of sales (1 Laplace, 2 Gaussian)",
    "gibrat": "Yearly growth per log point of size, all firms",
    "gibrat_old": f"Yearly growth per log point of size, firms of {OLD // YEAR} years and more",
    "births": "Births in a year, of firms at its beginning",
    "deaths": "Deaths in a year, of firms at its beginning",
    "survival": "Newborn firms alive a year later",
}


def firms(
    seed: int = 0, runs: int | None = None, progress: Progress | None = None, workers: int | None = None
) -> Evidence:
    """Sizes, growth and demography of the firms in the calm window of the baseline."""
    runs = RUNS if runs is None else runs
    found = look([Look(measure, own) for own in seeds_of(seed, runs)], progress, workers)
    setting = {"scenario": "baseline", "quarters": CALM, "runs": runs, "seed": seed}
    points = points_of(found, _WORDS)
    return Evidence(
        name="firms",
        title="Firms: sizes, growth, births and deaths",
        setting=setting,
        points=points,
        claims=_claims(found) if runs > 1 else (),
        sheet=points_sheet(f"Firms in {CALM} calm quarters", points, setting),
        draw=partial(_draw, found),
    )


def _claims(found: list[Found]) -> tuple[Claim, ...]:
    at = {name: over_runs(found, name) for name in [*_WORDS, "tail_inverse"]}
    return (
        inside("Employees per firm, between Prato's and Italian manufacturing's", CENSUS_2001, at["size"], 5.5, 8.93),
        _tail(at["tail_inverse"]),
        one_sided("Yearly growth of sales is Laplace rather than Gaussian: log likelihood gained per observation",
                  LAPLACE_2006, at["laplace"]),
        around("Subbotin shape b of yearly growth of sales", LAPLACE_2006, at["subbotin"], 1.0, 0.2),
        one_sided("Small firms grow faster: yearly growth of employees per log point of size, all firms",
                  GIBRAT_2009, at["gibrat"], -1),
        inside(f"Gibrat's law among old survivors: the same, firms of {OLD // YEAR} years and more",
               GIBRAT_2009, at["gibrat_old"], -_NEUTRAL, _NEUTRAL, "derived"),
        inside("Births in a year, of firms at its beginning", DEMOGRAPHY, at["births"], 0.05, 0.07),
        around("Deaths in a year, of firms at its beginning", DEMOGRAPHY, at["deaths"], 0.08, 0.2),
        around("Newborn firms closed within a year", DEMOGRAPHY, 1.0 - at["survival"], 0.13, 0.2),
    )  # fmt: skip


def _tail(inverse: np.ndarray) -> Claim:
    """The mean is taken of 1/ζ, in which the estimator is without bias."""
    from dataclasses import replace

    claim = inside("Exponent of the right tail of size", AXTELL_2001, inverse, 0.5, 1.0)
    value = 1.0 / claim.measured
    ends = 1.0 / claim.interval[1], 1.0 / claim.interval[0]
    error = claim.standard_error * value**2
    return replace(claim, target="1 to 2", measured=value, standard_error=error, interval=ends)


def _draw(found: list[Found]) -> Any:
    from district_sim import figures

    rates, sizes = (np.concatenate([one[name] for one in found]) for name in ("rates", "sizes"))
    bounds = float(np.median(over_runs(found, "tail_start"))), float(1.0 / over_runs(found, "tail_inverse").mean())
    return figures.sizes_and_growth(sizes, rates, *bounds)
