"""How kernels are compiled: the one place for numba's settings, and for where machine code is kept.

numba caches machine code by the file of each function and does not notice when a function that it calls changes in
another file. The cache therefore lives in a folder named after all kernel sources: any change starts afresh.
"""

import gc
import hashlib
import inspect
import os
import pickle
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from types import FunctionType
from typing import Any
from uuid import uuid4

import numba
from llvmlite import binding as llvm
from llvmlite import ir
from numba import literal_unroll, njit, prange
from numba.core.caching import FunctionCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from district_sim.kernels.parts import PartCompiler, PartType

__all__ = [
    "CacheWarning",
    "Kernel",
    "array_kernel",
    "cache_folder",
    "inlined_kernel",
    "is_kept",
    "kernel",
    "literal_unroll",
    "parallel_kernel",
    "prange",
    "sealed",
    "source_files",
    "sources_hash",
    "start_threads",
    "unsealed",
    "use_one_thread",
    "without_pauses",
]

_KEPT = 30 * 24 * 3600.0  # seconds since its last use after which a cache is removed: no other process works with it
_SUM = 16  # bytes of the checksum in front of what is kept
_PACKAGE = Path(__file__).parents[1]
_KERNEL_SOURCES = ("kernels", "model", "scenario/indicators.py", "scenario/instruments.py", "scenario/tables.py")
"""Where kernels and the constants compiled into them stand: whole packages, and the order of indicators and kinds."""


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


class CacheWarning(UserWarning):
    """Machine code could not be kept, or what was kept was damaged: nothing is wrong but the time that it takes."""


def _base_folder() -> Path:
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    root = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(root) / "district-sim"


def _prepare() -> Path | None:
    """Choose and make this version's cache folder, one for all its installations; None where none can be made."""
    folder = None
    try:
        folder = _base_folder() / f"kernels-{sources_hash()}"
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        unused = [old for old in folder.parent.glob("kernels-*") if time.time() - old.stat().st_mtime > _KEPT]
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
        if folder is not None and os.path.isdir(folder):  # filled by somebody else, for us to read; never raises
            return folder
        warnings.warn(
            f"Machine code cannot be kept ({error}): every start compiles the model, which takes up to a minute. "
            "To keep it, set NUMBA_CACHE_DIR to a folder that can be written.",
            CacheWarning,
            stacklevel=2,
        )
        return None
    for old in unused:
        shutil.rmtree(old, ignore_errors=True)
    return folder


cache_folder = _prepare()
numba.config.SLP_VECTORIZE = 1  # type: ignore[attr-defined]  # loops over a firm's domains become vector instructions


def sealed(content: bytes) -> bytes:
    """Content with a checksum in front."""
    return hashlib.blake2b(content, digest_size=_SUM).digest() + content


def unsealed(data: bytes) -> bytes | None:
    """What was `sealed`; None if it is damaged."""
    content = data[_SUM:]
    return content if sealed(content) == data else None


@cache
def _hash_of(source: str) -> str:
    return hashlib.blake2b(Path(source).read_bytes(), digest_size=8).hexdigest()


class _Cache(FunctionCache):
    """The machine code of one function, a file for each signature.

    Unlike numba's own: two first runs at once cannot mix up their files, as there is no index; a checksum shows which
    files are damaged, and these are compiled anew; what cannot be written is used and not kept.
    """

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self._py_func = function
        self._folder = folder
        source = inspect.getfile(function)
        self._name = f"{Path(source).stem}.{function.__qualname__.replace('<', '').replace('>', '')}"
        self._version = f"{_hash_of(source)} {function.__code__.co_firstlineno} {sys.version_info[:2]}"
        self.enable()

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def flush(self) -> None:
        for path in self._folder.glob(f"{self._name}-*.machine"):
            path.unlink(missing_ok=True)

    def file(self, signature: Any, codegen: Any) -> Path:
        """Where the machine code for these types on this processor is."""
        key = f"{self._version} {self._index_key(signature, codegen)}"
        return self._folder / f"{self._name}-{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.machine"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)  # all that machine code needs; what compiling needs takes a third of a start
        path = self.file(sig, target_context.codegen())
        try:
            data = path.read_bytes()
        except OSError:
            return None
        content = unsealed(data)
        if content is not None:
            with suppress(Exception):  # whatever numba and LLVM say of code that they cannot use
                return CompileResult._rebuild(target_context, *pickle.loads(content))
        warnings.warn(
            f"Machine code in {self._folder} is damaged; it is removed and compiled anew.", CacheWarning, stacklevel=2
        )
        _remove(path)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if data.library.has_dynamic_globals or not all(lifted.can_cache for lifted in data.lifted):
            return
        path = self.file(sig, data.codegen)
        temporary = path.with_suffix(f".{uuid4().hex}.part")
        content = sealed(dumps(_for_python(data)))
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except OSError as error:
            _remove(temporary)
            if not path.is_file():  # another process may have written it meanwhile
                warnings.warn(
                    f"Machine code cannot be kept in {self._folder} ({error.strerror}): the next start compiles the "
                    "model again. To keep it, set NUMBA_CACHE_DIR to a folder that can be written.",
                    CacheWarning,
                    stacklevel=2,
                )


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _compiler(**options: Any) -> Any:
    decorator: Any = njit
    return decorator(error_model="numpy", no_cfunc_wrapper=True, **options)


def _call(function: Callable[..., Any], argument: Any) -> Any:
    return function(argument)


# As `_call`, with a frame so large that Python takes half a megabyte for frames at once. A compiler is so deep in calls
# that it would take and give back 16 KiB some hundred thousand times: a sixth of a compilation
_call_with_room = FunctionType(_call.__code__.replace(co_stacksize=60_000), {})


def _for_python(result: Any) -> tuple[Any, ...]:
    """What is kept of a compiled function that Python alone calls.

    numba also keeps the intermediate code, for compiled callers, and the environment of each function within, most of
    which hold nothing. To read both, and to import numba's modules for arrays, took a fifth of a start.
    """
    (name, kind, (machine_code, _)), *more, environments = result._reduce()
    stub, wrapper = ir.Module(), result.fndesc.llvm_cpython_wrapper_name  # the one name that is looked up
    body = ir.Function(stub, ir.FunctionType(ir.VoidType(), []), wrapper).append_basic_block()
    ir.IRBuilder(body).ret_void()
    code = machine_code, llvm.parse_assembly(str(stub)).as_bitcode()
    needed = tuple(one for one in environments if one is result.environment or one.consts)
    return (name, kind, code), *more, needed


@contextmanager
def without_pauses() -> Iterator[None]:
    """A block without garbage collection, which would look through millions of objects that stay, again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _at_once(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """`compile` of a dispatcher without pauses."""

    def compile_at_once(signature: Any) -> Any:
        with without_pauses():
            return _call_with_room(compiled, signature)

    return compile_at_once


def _kept(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """numba's dispatcher of a function, which keeps its machine code."""
    dispatcher = _compiler(**options)(function)
    dispatcher.compile = _at_once(dispatcher.compile)
    if cache_folder is not None:
        dispatcher._cache = _Cache(function, cache_folder)
    return dispatcher


class Kernel:
    """A compiled function. Called from Python it has machine code of its own, which is kept; in other kernels it is a
    part of theirs, see `kernels.parts`."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.py_func, self._options = function, options
        self._part = _compiler(no_cpython_wrapper=True, pipeline_class=PartCompiler, **options)(function)
        self._numba_type_ = PartType(self._part)  # what numba takes it for where compiled code names it

    @cached_property
    def entry(self) -> Any:
        """numba's dispatcher for calls from Python."""
        return _kept(self.py_func, self._options)

    def __call__(self, *arguments: Any) -> Any:
        return self.entry(*arguments)


def _kernels(kind: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """A decorator that compiles a function with these options of numba's.

    Most do not count references to arrays (`_nrt=False`), as their callers hold them. Otherwise every call counts each
    array of state and parameters up and down, which was a fifth of a default run. Such a kernel cannot make an array,
    nor return part of one.

    Division by zero follows IEEE 754, as in numpy: without a branch and an exception behind every quotient. No
    fastmath: with it, the last bits depend on what was inlined where, and differ from one compilation to the next.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        return kind(function, options)

    return decorate


kernel = _kernels(Kernel, _nrt=False)
array_kernel = _kernels(Kernel, _nrt=True)  # makes or returns an array: who receives it counts it down
parallel_kernel = _kernels(Kernel, _nrt=True, parallel=True)
# Written into its caller before anything is compiled, so that a loop over draws becomes vector instructions
inlined_kernel = _kernels(_kept, _nrt=False, inline="always")


def is_kept(compiled: Kernel, *arguments: Any) -> bool:
    """Whether the machine code of a kernel for arguments of these types is at hand."""
    entry = compiled.entry
    signature = tuple(entry.typeof_pyval(argument) for argument in arguments)
    if signature in entry.overloads:
        return True
    return cache_folder is not None and bool(entry._cache.file(signature, entry.targetctx.codegen()).is_file())


def start_threads() -> None:
    """Start numba's threads: machine code read from the cache calls them without starting them, and would crash.

    Processes must not be forked afterwards; pools use the start method "spawn".
    """
    numba.get_num_threads()


def use_one_thread() -> None:
    """Compute on one thread: in a pool, the processes are the parallelism."""
    numba.set_num_threads(1)
