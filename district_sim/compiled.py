"""How kernels are compiled: the one place for numba's settings.

numba caches machine code by the file of each function and does not notice when a function that it calls changes in
another file. The cache therefore lives in a folder named after all kernel sources: any change starts afresh.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import literal_unroll, njit, prange

__all__ = [
    "cache_folder",
    "inlined_kernel",
    "is_compiled",
    "kernel",
    "kernel_of",
    "literal_unroll",
    "parallel_kernel",
    "prange",
    "sources_hash",
    "start_threads",
    "use_one_thread",
]

_KEPT = 30 * 24 * 3600.0  # seconds since its last use after which a cache is removed: no other process works with it
_HERE = Path(__file__).parent
_SOURCES = (
    "compiled",
    "indicators",
    "initial",
    "instruments",
    "parameters",
    "random",
    "schedule",
    "scratch",
    "single",
    "state",
    "topology",
)


def sources_hash() -> str:
    """Hash of all kernel sources and of numba's version: results of equal hashes are equal."""
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for path in [*(_HERE / f"{name}.py" for name in _SOURCES), *sorted(_HERE.glob("processes/*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _base_folder() -> Path:
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    root = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(root) / "district-sim"


def _prepare() -> Path | None:
    """Choose and make this version's cache folder; None (numba's own choice) where nothing can be written."""
    place = hashlib.blake2b(f"{_HERE} {sources_hash()}".encode(), digest_size=8)  # numba's index is by path as well
    folder = _base_folder() / f"kernels-{place.hexdigest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        unused = [old for old in folder.parent.glob("kernels-*") if time.time() - old.stat().st_mtime > _KEPT]
    except OSError:
        return None
    for old in unused:
        shutil.rmtree(old, ignore_errors=True)
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return folder


cache_folder = _prepare()
numba.config.SLP_VECTORIZE = 1  # type: ignore[attr-defined]  # loops over a firm's domains become vector instructions
# Division by zero follows IEEE 754, as in numpy: without a branch and an exception behind every quotient. No fastmath:
# with it, the last bits depend on what was inlined where, and differ from one compilation to the next.
kernel = njit(cache=True, error_model="numpy")


def kernel_of(signature: str) -> Callable[..., Any]:
    """`kernel` for these types alone: others are compiled anew for every literal number that they are called with."""
    return njit(signature, cache=True, error_model="numpy")


# Compiled into its caller only, not on its own as well; for functions with many arrays too, which a call would copy
inlined_kernel = njit(cache=True, error_model="numpy", inline="always")
parallel_kernel = njit(cache=True, error_model="numpy", parallel=True)


def is_compiled() -> bool:
    """Whether the kernels have been compiled on this machine before."""
    return cache_folder is not None and any(cache_folder.rglob("schedule.quarters*.nbi"))


def start_threads() -> None:
    """Start numba's threads: machine code read from the cache calls them without starting them, and would crash.

    Processes must not be forked afterwards; pools use the start method "spawn".
    """
    numba.get_num_threads()


def use_one_thread() -> None:
    """Compute on one thread: in a pool, the processes are the parallelism."""
    numba.set_num_threads(1)
