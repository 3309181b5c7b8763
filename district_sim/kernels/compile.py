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
    "source_files",
    "sources_hash",
    "start_threads",
    "use_one_thread",
]

_KEPT = 30 * 24 * 3600.0  # seconds since its last use after which a cache is removed: no other process works with it
_PACKAGE = Path(__file__).parents[1]
_KERNEL_SOURCES = ("kernels", "model", "scenario/instruments.py")
"""Where kernels and the constants compiled into them stand: whole packages, and the order of kinds of instruments."""


def source_files(*places: str) -> list[Path]:
    """All Python files of packages, or single files, by their path below `district_sim`; sorted within each place."""
    found: list[Path] = []
    for place in places:
        path = _PACKAGE / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def sources_hash(*more: str) -> str:
    """Hash of all kernel sources, of numba's version, and of `more` places: results of equal hashes are equal."""
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for path in source_files(*_KERNEL_SOURCES, *more):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _base_folder() -> Path:
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    root = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(root) / "district-sim"


def _prepare() -> Path | None:
    """Choose and make this version's cache folder; None (numba's own choice) where nothing can be written."""
    place = hashlib.blake2b(f"{_PACKAGE} {sources_hash()}".encode(), digest_size=8)  # numba's index is by path as well
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
