"""From a case to its posterior: runs from the prior, an emulator of them, draws, and runs at the draws."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from district_sim.evidence.cases.calibration import Axis
from district_sim.evidence.cases.identify import ALIKE, IDENTIFIED
from district_sim.evidence.cases.observables import observable
from district_sim.evidence.posterior.emulator import Emulator, Scale, learn
from district_sim.evidence.posterior.inference import Data, Found, axes_of, infer, prior_places
from district_sim.evidence.posterior.runs import runs_at
from district_sim.evidence.posterior.simulations import Row
from district_sim.run.workers import Workers, compile_first
from district_sim.scenario.files import ScenarioError

if TYPE_CHECKING:
    from district_sim.evidence.cases.files import Case

PREDICTIVE = 200
"""Runs at draws from the posterior, to hold against what was observed."""
FIRST_SEED = 2_000
"""Seeds below are those of fits and reports (`calibration.FIT_SEEDS`, `REPORT_SEEDS`)."""
_STRIDE = 1_000_000  # between the seeds of the stages
STAGES = ("prior", "predictive", "truths")
LEAST_RUNS = 100
_USABLE = 0.5  # share of runs from the prior that must have come to their end
_SAME = 0.9  # share of the prior's standard deviation that is left, from which a parameter stays at its prior
_SHIFT = 0.25  # the same of its mean's way, in standard deviations of the prior

type Tell = Callable[[str, int, int], object]
"""Called with what is made, how much of it is made, and all of it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a posterior is made with."""

    case: "Case"
    seed: int
    runs: int
    """From the prior, for the emulator."""
    draws: int
    folder: Path
    """The runs are kept in folders of it."""
    force: bool = False
    """Begin anew where the folder holds other runs."""

    @property
    def axes(self) -> list[Axis]:
        """The parameters."""
        return axes_of(self.case)

    def made_of(self) -> dict[str, Any]:
        """All that a stage's runs depend on, beside their places."""
        from district_sim.experiments.plan import model_version, scenario_hash

        case, other = self.case, self.case.comparison
        return {
            "case": case.name,
            "model": model_version(),
            "scenario": scenario_hash(case.scenario.model_dump(mode="json")),
            "comparison": None if other is None else scenario_hash(other.model_dump(mode="json")),
            "wanted": [list(look) for look in case.wanted],
            "scale": case.scale,
            "parameters": {path: prior.model_dump() for path, prior in case.parameters.items()},
            "seed": self.seed,
        }

    def made(self, stage: str, places: np.ndarray, workers: Workers, tell: Tell | None) -> Row:
        """The runs of a stage, each with a seed of its own."""
        from district_sim.experiments.plan import scenario_hash

        first = FIRST_SEED + _STRIDE * (1 + STAGES.index(stage)) + 10 * _STRIDE * self.seed
        made_of, force = self.made_of(), self.force
        if stage == "predictive":  # its places follow from all that comes before
            made_of, force = {**made_of, "places": scenario_hash(places.tolist())}, True
        return runs_at(
            self.case,
            self.axes,
            places,
            range(first, first + len(places)),
            self.folder / "runs" / stage,
            made_of,
            workers,
            None if tell is None else lambda done, total: tell(stage, done, total),
            force,
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A posterior with all that it was made from; values of parameters and targets as people know them."""

    setting: Setting
    axes: list[Axis]
    emulator: Emulator
    found: Found
    prior_places: np.ndarray
    """(runs, parameters) of the usable runs."""
    prior_runs: Row
    places: np.ndarray
    """(draws, parameters)."""
    shown: np.ndarray
    """(PREDICTIVE,) draws at which the predictive runs were made."""
    predictive: Row
    lost: float
    """Share of the runs from the prior that broke off, or in which a target is undefined."""
    effective: np.ndarray
    """(parameters,) effective sample size of all draws."""
    convergence: np.ndarray
    """(parameters,) R-hat of the walkers, 1 where they agree."""

    def values(self, places: np.ndarray) -> np.ndarray:
        """The parameters' values at places: (n, parameters)."""
        return np.array([[axis.value(float(z)) for axis, z in zip(self.axes, row, strict=True)] for row in places])


def check(setting: Setting) -> None:
    """Raises ScenarioError where a posterior cannot be made of a case."""
    case = setting.case
    if not case.parameters:
        raise ScenarioError(f"{case.name}: no parameters are declared")
    if not any(target.fit for target in case.targets):
        raise ScenarioError(f"{case.name}: no target has fit: true")
    if setting.runs < LEAST_RUNS:
        raise ScenarioError(f"--simulations must be at least {LEAST_RUNS}, not {setting.runs}")
    if setting.draws < 50:
        raise ScenarioError(f"--draws must be at least 50, not {setting.draws}")
    if not 0 <= setting.seed < 1_000_000:
        raise ScenarioError(f"--seed must be between 0 and 999999, not {setting.seed}")


def fit(setting: Setting, workers: Workers, tell: Tell | None = None) -> Fitted:
    """Make a posterior; the same for the same setting, however often it was stopped on the way.

    Raises:
        ScenarioError: see `check`; or too few runs can be used. OtherTable, OSError, WorkerError: see `simulations`.
    """
    check(setting)
    compile_first()
    axes = setting.axes
    places = prior_places(axes, setting.runs, setting.seed)
    table = setting.made("prior", places, workers, tell)
    chosen = fitted_columns(setting.case)
    usable = np.isfinite(table["values"][:, chosen]).all(axis=1)
    if usable.mean() < _USABLE:
        raise ScenarioError(
            f"{setting.case.name}: in {1.0 - usable.mean():.0%} of {setting.runs} runs from the prior the district "
            "broke off or a target was undefined; narrow the ranges of the parameters, or leave out the target"
        )
    places, table = places[usable], {name: column[usable] for name, column in table.items()}
    data = Data.of(setting.case)
    if tell is not None:
        tell("fitting", 0, 2)
    emulator = learn(places, on_scales(data.scales, table["values"][:, chosen]))
    if tell is not None:
        tell("fitting", 1, 2)
    found = infer(emulator, data, axes, setting.seed)
    flat = found.places.reshape(-1, len(axes))
    order = np.random.default_rng([setting.seed, 30]).permutation(len(flat))
    drawn = flat[order[: setting.draws]]
    if len(drawn) < setting.draws:
        raise ScenarioError(f"--draws must be at most {len(drawn)}, not {setting.draws}")
    shown = np.linspace(0, len(drawn) - 1, min(PREDICTIVE, len(drawn))).astype(int)
    predictive = setting.made("predictive", drawn[shown], workers, tell)
    effective, convergence = quality(found.places)
    return Fitted(
        setting, axes, emulator, found, places, table, drawn, shown, predictive, float(1.0 - usable.mean()), effective,
        convergence,
    )  # fmt: skip


def fitted_columns(case: "Case") -> np.ndarray:
    """(fitted targets,) their places among all targets."""
    return np.flatnonzero([target.fit for target in case.targets])


def on_scales(scales: "tuple[Scale, ...]", values: np.ndarray) -> np.ndarray:
    """Values (n, targets) on the scales on which they are compared."""
    return np.column_stack([scale.forward(column) for scale, column in zip(scales, values.T, strict=True)])


def quality(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Effective sample sizes and R-hat (Vehtari et al. 2021, doi 10.1214/20-BA1221) of walkers' ways, by parameter."""
    from arviz_stats.base.array import array_stats

    effective = array_stats.ess(places, chain_axis=0, draw_axis=1)
    convergence = array_stats.rhat(places, chain_axis=0, draw_axis=1)
    return np.asarray(effective, float), np.asarray(convergence, float)


# What the targets identify ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Learned:
    """What the posterior says of one parameter that the prior did not."""

    path: str
    left: float
    """Standard deviation as a share of the prior's."""
    shift: float
    """Way of the mean, in standard deviations of the prior."""
    alike: tuple[str, ...]
    """Parameters from which it is not separated."""

    @property
    def verdict(self) -> str:
        """In words, as in a calibration's report."""
        if self.left <= 1.0 - IDENTIFIED:
            return "identified"
        if self.left >= _SAME and abs(self.shift) <= _SHIFT:
            return "stays at its prior"
        return f"not separated from {', '.join(self.alike)}" if self.alike else "weakly identified"


def learned(fitted: Fitted) -> list[Learned]:
    """What was learned of each parameter."""
    prior = prior_places(fitted.axes, 4096, fitted.setting.seed)
    names = [axis.path for axis in fitted.axes]
    correlation = np.atleast_2d(np.corrcoef(fitted.places.T))
    return [
        Learned(
            name,
            float(fitted.places[:, k].std() / prior[:, k].std()),
            float((fitted.places[:, k].mean() - prior[:, k].mean()) / prior[:, k].std()),
            tuple(other for j, other in enumerate(names) if j != k and abs(correlation[k, j]) >= ALIKE),
        )
        for k, name in enumerate(names)
    ]


def beyond(fitted: Fitted) -> list[str]:
    """Fitted targets whose observed value no run from the prior reached, in words."""
    case = fitted.setting.case
    said = []
    for column in fitted_columns(case):
        target, runs = case.targets[column], fitted.prior_runs["values"][:, column]
        low, high = float(runs.min()), float(runs.max())
        value = float(target.value or 0.0)
        if not low - 2.0 * target.tolerance <= value <= high + 2.0 * target.tolerance:
            found = observable(target.measure)
            what = target.measure if found is None else found.description
            said.append(f"{what}, {target.year}: {value:,.4g} observed, {low:,.4g} to {high:,.4g} in all runs")
    return said
