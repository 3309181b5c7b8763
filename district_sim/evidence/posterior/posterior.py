"""A posterior in a file: draws of parameters with their weights, how they were found, and whether they may be trusted.

`posterior.nc` is netCDF with the groups of ArviZ's InferenceData: prior, posterior, sample_stats (weights),
prior_predictive, posterior_predictive, observed_data. `Posterior.load` reads what other commands need of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from district_sim.scenario.files import ScenarioError

type Verdict = Literal["passed", "failed", "not checked"]
FILE = "posterior.nc"
FAILED: Verdict = "failed"
EXTRA = "pip install 'district-sim[bayes]'"
_LIBRARIES = ("arviz_base", "arviz_stats", "emcee", "h5netcdf", "scoringrules", "sklearn", "xarray")


class Missing(ScenarioError):
    """A library of the extra is not installed."""


class Refused(ScenarioError):
    """A posterior that failed its check."""


def need() -> None:
    """Raises `Missing` in one sentence if a library is not there."""
    from importlib.util import find_spec

    absent = [name.replace("sklearn", "scikit-learn") for name in _LIBRARIES if find_spec(name) is None]
    if absent:
        raise Missing(f"a posterior needs {', '.join(absent)}: {EXTRA}")


@dataclass(frozen=True, slots=True)
class Posterior:
    """Draws of a case's parameters."""

    case: str
    """Name of the case."""
    parameters: tuple[str, ...]
    """Dotted paths."""
    whole: tuple[bool, ...]
    """Which of them are whole numbers."""
    values: np.ndarray
    """(draws, parameters)."""
    weights: np.ndarray
    """(draws,) that sum to 1."""
    verdict: Verdict
    """Of the check on synthetic truths."""
    misfit: bool
    """Whether no parameters bring the model near what was observed, without an error of the model."""
    model_error: float
    """Error of the model that was needed: logarithm of a count, points of a share."""
    told: dict[str, Any]
    """The rest of what was found, as in posterior.json."""

    @classmethod
    def load(cls, path: Path, even_so: bool = False) -> "Posterior":
        """Read a file.

        Args:
            path: of posterior.nc, or of the folder that holds it. even_so: also one that failed its check.

        Raises:
            Refused: it failed, and `even_so` is not given. Missing: the extra is not installed.
            ScenarioError: the file is not there, or is no posterior of ours.
        """
        need()
        import xarray as xr

        file = path / FILE if path.is_dir() else path
        if not file.is_file():
            raise ScenarioError(f"--posterior {path}: there is no such file")
        try:
            with xr.open_datatree(file, engine="h5netcdf") as tree:
                told = json.loads(tree.attrs["district_sim"])
                names = tuple(told["parameters"])
                drawn = tree.children["posterior"].dataset
                values = np.column_stack([drawn[name].to_numpy().ravel() for name in names])
                weights = tree.children["sample_stats"].dataset["weight"].to_numpy().ravel()
        except (OSError, KeyError, ValueError) as error:
            raise ScenarioError(f"--posterior {file}: is no posterior of district-sim ({error})") from None
        verdict: Verdict = told["check"]["verdict"]
        if verdict not in get_args(Verdict.__value__):
            raise ScenarioError(f"--posterior {file}: its check is {verdict!r}, which is unknown")
        if verdict == FAILED and not even_so:
            raise Refused(
                f"--posterior {file}: this posterior failed its check ({told['check']['reason']}); "
                "with --even-so it is used all the same"
            )
        whole = tuple(bool(told["parameters"][name]["whole"]) for name in names)
        return cls(
            told["case"], names, whole, values, weights, verdict, bool(told["misfit"]), told["model_error"], told
        )

    @property
    def effective(self) -> float:
        """Number of draws of equal weight that say as much (Kish 1965)."""
        return float(1.0 / np.sum(self.weights**2))

    def settings(self, draw: int) -> dict[str, float]:
        """The values of one draw, by dotted path."""
        row = zip(self.parameters, self.values[draw], self.whole, strict=True)
        return {path: round(value) if whole else float(value) for path, value, whole in row}

    def chosen(self, count: int, seed: int = 0) -> list[dict[str, float]]:
        """So many draws, by their weights and evenly spread; the same for the same seed."""
        return [self.settings(draw) for draw in self.numbers(count, seed)]

    def numbers(self, count: int, seed: int = 0) -> list[int]:
        """The numbers of the draws that `chosen` gives."""
        steps = (np.random.default_rng([seed, 4]).random() + np.arange(count)) / count
        order = np.random.default_rng([seed, 5]).permutation(len(self.weights))
        picked = order[np.searchsorted(np.cumsum(self.weights[order]), steps).clip(max=len(order) - 1)]
        return [int(draw) for draw in picked]

    @property
    def alarm(self) -> str:
        """What is wrong with it; empty if nothing is known to be."""
        said = []
        if self.verdict == FAILED:
            said.append(f"This posterior FAILED its check: {self.told['check']['reason']}.")
        if self.misfit:
            said.append(
                "The model MISSES what was observed: whatever its parameters, it is wrong by about "
                f"{self.model_error:.1%} of a count, or as many points of a share. The draws allow for that."
            )
        return " ".join(said)

    @property
    def warning(self) -> str:
        """What a reader must know before they believe what follows; empty if nothing."""
        unchecked = "This posterior was not checked on synthetic truths (calibrate --posterior --check)."
        return " ".join(part for part in (self.alarm, unchecked * (self.verdict == "not checked")) if part)


def write(
    path: Path,
    told: dict[str, Any],
    groups: dict[str, dict[str, np.ndarray]],
    targets: Sequence[str],
) -> Path:
    """Write a file, whole.

    Args:
        told: what `Posterior.told` reads. groups: InferenceData; arrays over the targets have them last, others in the
            predictive groups are paths (runs, quarters).
    """
    import arviz_base as az

    from district_sim.run.whole_files import defined, write_whole

    dims = {"targets": ["target"], "observed": ["target"], "error": ["target"]}
    dims |= {name: ["quarter"] for name in ("firms", "employment")}
    given = {
        group: {name: array if group == "observed_data" else array[None] for name, array in arrays.items()}
        for group, arrays in groups.items()
    }
    tree = az.from_dict(given, coords={"target": list(targets)}, dims=dims)
    tree.attrs["district_sim"] = json.dumps(defined(told))
    for node in tree.subtree:
        node.attrs.pop("created_at", None)  # the same posterior is the same file
    return write_whole(path, lambda to: tree.to_netcdf(to, engine="h5netcdf"))
