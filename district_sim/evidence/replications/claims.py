"""What a replication claims, what it measured, and whether that holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from district_sim.text.sheet import Sheet

BOOTSTRAPS = 4000
_NOTHING, _DIGITS = 1e-12, 6
_Z = 1.959963984540054  # 95 % of a normal distribution lie within


type Basis = Literal["published", "re-simulated", "derived"]


@dataclass(frozen=True, slots=True)
class Source:
    """A published work."""

    author: str
    year: int | None
    """None where the work is not dated."""
    doi: str = ""
    published: str = ""
    """Where, if it has no DOI."""

    @property
    def short(self) -> str:
        """As it is cited in a table."""
        dated = self.author if self.year is None else f"{self.author} {self.year}"
        where = f"doi {self.doi}" if self.doi else self.published
        return f"{dated}, {where}" if where else dated


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the table."""

    claim: str
    source: Source
    basis: Basis
    """Where the target comes from: the source says so; a simulation of the source's model made for this project; or it
    follows from the source's rule."""
    target: str
    measured: float
    standard_error: float
    interval: tuple[float, float]
    """95 % confidence."""
    runs: int
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is not a number becomes None."""
        told = asdict(self)
        for name in ("measured", "standard_error"):
            told[name] = number(told[name])
        return told | {"interval": [number(end) for end in self.interval]}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came out of one replication."""

    name: str
    title: str
    setting: Mapping[str, Any]
    """What it was run with."""
    points: Sequence[Mapping[str, Any]]
    """Measured values, one row per point."""
    claims: Sequence[Claim]
    """Empty where the setting is not the one that the claims are about."""
    sheet: "Sheet"
    """The points as a table to read."""
    draw: Callable[[], Any]
    """Makes the figure; called only where one is written."""
    why: str = ""
    """What in the model stands behind the claims that it misses; said only where one fails."""

    @property
    def passed(self) -> bool:
        """Whether no claim failed."""
        return all(claim.passed for claim in self.claims)

    @property
    def reason(self) -> str:
        """`why`, if a claim failed."""
        return "" if self.passed else self.why

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        points = [
            {name: number(value) if isinstance(value, float) else value for name, value in point.items()}
            for point in self.points
        ]
        return {
            "replication": self.name,
            "title": self.title,
            "setting": dict(self.setting),
            "points": points,
            "claims": [claim.as_dict() for claim in self.claims],
            "why": self.reason,
        }


def number(value: float) -> float | None:
    """JSON knows no infinity and nothing that is not a number."""
    return value if np.isfinite(value) else None


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error (nan for one value).

    Args:
        values: (runs,).
    """
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(np.mean(values)), float(error)


def interval_of(value: float, error: float) -> tuple[float, float]:
    """95 % confidence interval of a mean."""
    return value - _Z * error, value + _Z * error


def one_sided(
    text: str, source: Source, values: np.ndarray, sign: int = 1, basis: Basis = "published", limit: float = 0.0
) -> Claim:
    """That a mean over runs lies above (`sign` > 0) or below a limit, its whole confidence interval.

    Args:
        values: (runs,).
    """
    value, error = mean_and_error(values)
    interval = interval_of(value, error)
    passed = interval[0] > limit if sign > 0 else interval[1] < limit
    target = f"{'>' if sign > 0 else '<'} {limit:g}"
    return Claim(text, source, basis, target, value, error, interval, len(values), passed)


def inside(text: str, source: Source, values: np.ndarray, low: float, high: float, basis: Basis = "published") -> Claim:
    """That a mean over runs lies in a band, its whole confidence interval.

    Args:
        values: (runs,).
    """
    value, error = mean_and_error(values)
    interval = interval_of(value, error)
    passed = low <= interval[0] and interval[1] <= high
    return Claim(text, source, basis, f"{low:.4g} to {high:.4g}", value, error, interval, len(values), passed)


def around(text: str, source: Source, values: np.ndarray, published: float, width: float) -> Claim:
    """That a mean over runs lies around a published value.

    Args:
        values: (runs,). width: how far the band reaches to both sides, as a share of the value.
    """
    claim = inside(text, source, values, (1.0 - width) * published, (1.0 + width) * published)
    return replace(claim, target=f"{published:g} ± {width:.0%}: {claim.target}")


def where_most(values: np.ndarray, at: Sequence[float]) -> tuple[float, float, tuple[float, float]]:
    """Where the mean over runs is largest, with the bootstrap's standard error and 95 % interval.

    Runs are resampled whole, as all points of a run share their luck (Efron 1979, doi 10.1214/aos/1176344552).

    Args:
        values: (runs, points). at: (points,) the points' values.

    Returns:
        The value with the largest mean, its standard error, its interval.
    """
    found = resampled_most(values, at)
    low, high = np.quantile(found, (0.025, 0.975), method="inverted_cdf")
    most = np.asarray(at, float)[np.argmax(values.mean(axis=0))]
    return float(most), float(found.std(ddof=1)), (float(low), float(high))


def resampled_most(values: np.ndarray, at: Sequence[float]) -> np.ndarray:
    """Where the mean is largest in each of `BOOTSTRAPS` resamples of runs; the same runs for arrays of equal length.

    Args:
        values: (runs, points). at: (points,) the points' values.

    Returns:
        (BOOTSTRAPS,) values of points.
    """
    runs = len(values)
    weights = np.random.default_rng(0).multinomial(runs, np.full(runs, 1.0 / runs), BOOTSTRAPS) / runs
    return np.asarray(at, float)[np.argmax(weights @ values, axis=1)]


def shown(value: float, error: float) -> str:
    """A number with its standard error, to two digits of the error; very small ones with a power of ten."""
    if not error > _NOTHING * abs(value):  # rounding, exactly 0, or nan: one run has no error
        return f"{value:.4g}" + (" ± 0" if error >= 0.0 else "")
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    if digits > _DIGITS:
        return f"{value:.2g} ± {error:.2g}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def claims_sheet(evidence: Evidence) -> "Sheet":
    """The table of claims."""
    from district_sim.text.sheet import Sheet

    rows = [
        (
            claim.claim,
            claim.source.short,
            f"{claim.target} ({claim.basis})",
            shown(claim.measured, claim.standard_error),
            f"{claim.interval[0]:.4g} to {claim.interval[1]:.4g}",
            "pass" if claim.passed else "FAIL",
        )
        for claim in evidence.claims
    ]
    held = sum(claim.passed for claim in evidence.claims)
    note = f"{held} of {len(rows)} claims hold. ±: standard error over runs."
    if evidence.reason:
        note = f"{note} Why it misses: {evidence.reason}"
    columns = ("Claim", "Source", "Target", "Measured", "95 % interval", "")
    return Sheet.plain(f"{evidence.title}: claims", columns, rows, note, left=3)
