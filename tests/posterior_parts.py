"""A tiny district with targets, and a posterior of it without any runs."""

from pathlib import Path

import numpy as np

from district_sim.evidence.posterior import posterior as files

DISTRICT = "title: Tiny\ndescription: For tests.\nfirms: {count: 60, settling: 4}\nrun: {quarters: 16}\n"
SEEN = "source: nobody, published: 2000, certainty: C"
TARGETS = f"""\
scenario: tiny
start: 2000
targets:
  - {{measure: firms, year: 2004, value: 50, tolerance: 2, fit: true, {SEEN}}}
  - {{measure: employment, year: 2002, since: 2000, above: 0.5, {SEEN}}}
parameters:
  demography.exit: {{low: 0.004, high: 0.1, log: true}}
  innovation.exploration: {{low: 0.02, high: 0.3, log: true}}
"""


def write_posterior(path: Path, verdict: str, values: np.ndarray | None = None, misfit: bool = False) -> Path:
    """A file of two parameters of the tiny district."""
    drawn = np.column_stack([np.full(80, 0.02), np.linspace(0.05, 0.1, 80)]) if values is None else values
    names = ("demography.exit", "innovation.exploration")
    told = {
        "case": "tiny",
        "parameters": {name: {"whole": False, "verdict": "identified"} for name in names},
        "check": {"verdict": verdict, "reason": "the 90% intervals hold the truth in 60%"},
        "misfit": misfit,
        "model_error": 0.2 * misfit,
    }
    count = len(drawn)
    groups = {
        "posterior": dict(zip(names, drawn.T, strict=True)),
        "sample_stats": {"weight": np.full(count, 1.0 / count)},
    }
    return files.write(path, told, groups, [])
