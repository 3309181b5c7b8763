"""The same bits on every processor: what numpy computes otherwise where vectors are wider."""

import math
import os
import subprocess
import sys

import numpy as np
from scipy.special import ndtri

from district_sim.kernels.portable import exp, log, normal_quantiles

RUN = """
import hashlib, sys
import numpy as np
from district_sim import load_scenario, simulate
from district_sim.model.initial import initial_sizes
digest = hashlib.sha256(initial_sizes(2000, 14.0, 0.9, np.uint64(5)).tobytes())
for name in ("classroom", "learning_region"):
    run = simulate(load_scenario(name, {"run.quarters": 60}), 1)
    digest.update(np.ascontiguousarray(run.table).tobytes() + repr(run.scores).encode())
print(digest.hexdigest())
"""


def test_each_number_is_that_of_the_c_library() -> None:
    values = np.random.default_rng(0).normal(size=(50, 7))
    assert exp(values).shape == (50, 7)
    assert exp(values).ravel().tolist() == [math.exp(value) for value in values.ravel()]
    assert log(exp(values)).ravel().tolist() == [math.log(math.exp(value)) for value in values.ravel()]
    assert exp(values[:0]).shape == (0, 7)


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    shares = (np.arange(1000) + 0.5) / 1000
    np.testing.assert_allclose(normal_quantiles(shares), ndtri(shares), rtol=1e-14, atol=1e-15)


def test_a_run_has_the_same_bits_without_wide_vectors() -> None:
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    seen = set()
    for without in ("", " ".join(found)):
        environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": without}
        done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        seen.add(done.stdout)
    assert len(seen) == 1
