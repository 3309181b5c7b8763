"""From prior to posterior: what was learned of parameters, pairs of them, what was observed, and the check."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from district_sim.figures.style import INK, LINES, STYLE

_ACROSS = 3
_BINS = 24
_POINTS = 600  # of a scatter
_PRIOR, _POSTERIOR = LINES[2][0], LINES[0][0]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter's draws."""

    path: str
    prior: np.ndarray
    posterior: np.ndarray
    log: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One target's runs, and what was observed."""

    title: str
    prior: np.ndarray
    predictive: np.ndarray
    value: float
    error: float
    fitted: bool


def prior_to_posterior(title: str, parameters: Sequence[Parameter]) -> Figure:
    """Histograms of the prior's and the posterior's draws, a panel for each parameter."""
    with mpl.rc_context(STYLE):
        figure, panels = _grid(title, len(parameters))
        for ax, one in zip(panels, parameters, strict=True):
            low, high = min(one.prior.min(), one.posterior.min()), max(one.prior.max(), one.posterior.max())
            edges = np.geomspace(low, high, _BINS) if one.log and low > 0.0 else np.linspace(low, high, _BINS)
            for values, colour, label, filled in (
                (one.prior, _PRIOR, "prior", True),
                (one.posterior, _POSTERIOR, "posterior", False),
            ):
                shares = np.histogram(values, edges)[0] / len(values)
                ax.stairs(shares, edges, fill=filled, color=colour, label=label, alpha=0.35 if filled else 1.0)
            _scale_x(ax, one.log)
            ax.set_title(one.path, fontsize=9)
            ax.set_xlabel(one.verdict)
            ax.set_yticks([])
        _legend(figure, panels[0])
    return figure


def posterior_pairs(title: str, parameters: Sequence[Parameter]) -> Figure:
    """Scatter of the posterior's draws for each pair of parameters."""
    count = max(2, len(parameters))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.7 * (count - 1) + 1.0, 1.7 * (count - 1) + 0.6), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left")
        axes = figure.subplots(count - 1, count - 1, squeeze=False)
        for row in range(count - 1):
            for column in range(count - 1):
                ax = axes[row, column]
                if column > row or len(parameters) < 2:
                    ax.set_visible(False)
                    continue
                across, up = parameters[column], parameters[row + 1]
                ax.plot(across.posterior[:_POINTS], up.posterior[:_POINTS], ".", color=_POSTERIOR, ms=2, alpha=0.4)
                _scale_x(ax, across.log)
                if up.log:
                    ax.set_yscale("log")
                    _plain_ticks(ax.yaxis)
                ax.tick_params(labelsize=6)
                if row == count - 2:
                    ax.set_xlabel(across.path.split(".")[-1], fontsize=7)
                if column == 0:
                    ax.set_ylabel(up.path.split(".")[-1], fontsize=7)
    return figure


def observed_and_predictive(title: str, seen: Sequence[Seen]) -> Figure:
    """Each target's runs from the prior and from the posterior, and what was observed."""
    with mpl.rc_context(STYLE):
        figure, panels = _grid(title, len(seen), 1.5)
        for ax, one in zip(panels, seen, strict=True):
            for place, values, colour, label in (
                (1.0, one.prior, _PRIOR, "prior, 90 and 50 % of runs"),
                (0.0, one.predictive, _POSTERIOR, "posterior, 90 and 50 % of runs"),
            ):
                known = values[np.isfinite(values)]
                if not len(known):
                    continue
                low, lower, middle, upper, high = np.quantile(known, (0.05, 0.25, 0.5, 0.75, 0.95))
                ax.plot([low, high], [place, place], color=colour, linewidth=2, label=label)
                ax.plot([lower, upper], [place, place], color=colour, linewidth=6, solid_capstyle="butt")
                ax.plot([middle], [place], "|", color="white", markersize=8)
            face = INK if one.fitted else "white"
            label = "observed, fitted" if one.fitted else "observed, not fitted"
            ax.errorbar(
                [one.value], [0.5], xerr=[one.error], fmt="o", color=INK, mfc=face, ms=5, capsize=2, label=label
            )
            ax.set_ylim(-0.6, 1.6)
            ax.set_yticks([])
            ax.set_title(one.title, fontsize=8)
            ax.xaxis.set_major_locator(MaxNLocator(4))
        _legend(figure, *panels)
    return figure


def truth_ranks(title: str, names: Sequence[str], ranks: np.ndarray, bins: int = 10) -> Figure:
    """Ranks of synthetic truths among the draws of their posteriors, with what luck allows if all is right.

    Args:
        ranks: (truths, parameters) in 0..1.
    """
    from scipy.stats import binom

    low, high = binom.ppf((0.005, 0.995), len(ranks), 1.0 / bins)
    with mpl.rc_context(STYLE):
        figure, panels = _grid(title, len(names))
        for k, (ax, name) in enumerate(zip(panels, names, strict=True)):
            ax.axhspan(low, high, color=_PRIOR, alpha=0.25, linewidth=0, label="99 % of bins, if all is right")
            ax.hist(ranks[:, k], bins, range=(0.0, 1.0), color=_POSTERIOR, label="truths")
            ax.set_title(name, fontsize=9)
            ax.set_xlabel("share of draws below the truth")
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        _legend(figure, panels[0])
    return figure


def _grid(title: str, count: int, height: float = 2.0) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels, a few in each row."""
    across = min(_ACROSS, count)
    down = -(-count // across)
    figure = Figure(figsize=(3.0 * across, height * down + 0.8), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    panels = list(figure.subplots(down, across, squeeze=False).ravel())
    for ax in panels[count:]:
        ax.set_visible(False)
    return figure, panels[:count]


def _scale_x(ax: Axes, log: bool) -> None:
    if log:
        ax.set_xscale("log")
        _plain_ticks(ax.xaxis)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4))


def _plain_ticks(axis: Axis) -> None:
    """Few ticks of a logarithmic axis, as plain numbers: powers of ten need mathematical text, which is off."""
    low, high = axis.get_view_interval()
    narrow = high < 10.0 * low
    axis.set_major_locator(MaxNLocator(3) if narrow else LogLocator(subs=(1.0, 3.0), numticks=4))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure, *panels: Axes) -> None:
    looks = {label: look for ax in panels for look, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(looks.values(), looks.keys(), loc="outside lower center", ncols=min(3, len(looks)))
