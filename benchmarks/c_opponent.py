"""Compile C sources with this machine's compiler; call socialise.c."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.knowledge_case import Case

FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp")
VARIANTS = ("plain", "batched", "ahead")
_SOURCE = Path(__file__).with_name("socialise.c")


class NoCompiler(Exception):
    """There is no C compiler that can compile the source; the message says why."""


class _Arguments(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_void_p)
        for name in ("seen", "partner", "trust", "education", "experience", "research", "k", "gained", "capacity")
    )


def _compiler() -> str:
    names = (os.environ.get("CC"), "cc", "gcc", "clang")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise NoCompiler("no C compiler found")
    return found


def compiler_version() -> str:
    """What the compiler says that it is.

    Raises:
        NoCompiler: see `library`.
    """
    told = subprocess.run([_compiler(), "--version"], capture_output=True, text=True).stdout
    return (told.splitlines() or ["unknown compiler"])[0]


@cache
def library(source: Path = _SOURCE) -> ctypes.CDLL:
    """The compiled library.

    Raises:
        NoCompiler: none was found (in CC, or as cc, gcc or clang), or it refused.
    """
    compiler = _compiler()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "socialise.so"
        object_file = str(out.with_suffix(".o"))
        # Linked without -ffast-math: with it, loading the library would set subnormal numbers to zero in all of Python
        for command in (
            [compiler, *FLAGS, "-c", "-fPIC", "-o", object_file, str(source)],
            [compiler, "-fopenmp", "-shared", "-o", str(out), object_file, "-lm"],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                errors = [line for line in done.stderr.splitlines() if "error" in line]
                raise NoCompiler(f"{Path(compiler).name}: {(errors or ['failed'])[0].strip()}")
        return ctypes.CDLL(str(out))


def in_c(case: Case, variant: str, threads: int) -> Callable[[], None]:
    """A call of one variant on a case; writes `gained` and `capacity`.

    Raises:
        NoCompiler: see `library`.
    """
    function = getattr(library(), f"socialise_{variant}")
    function.argtypes, function.restype = (ctypes.c_int64, ctypes.c_void_p, ctypes.c_int), None
    arguments = _Arguments(*(array.ctypes.data for array in case))
    n, address = len(case.seen), ctypes.byref(arguments)
    keep = case  # the arrays must live as long as the call

    def call() -> None:
        assert keep is case
        function(n, address, threads)

    return call
