"""Pasts on disk: what one command has simulated serves the next, see `run.shared_past`.

They stand beside the machine code, under a name that says all they depend on. A file that cannot be read is made anew;
a folder that cannot be written keeps nothing.
"""

import hashlib
import pickle
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from district_sim.kernels.compile import cache_folder, sealed, sources_hash, unsealed
from district_sim.run.whole_files import write_whole

MOST_BYTES = 256 * 2**20
"""Of all pasts together; a past of 300 firms takes about half a MB. Those used longest ago go first."""


class KeptPasts:
    """A folder of pasts.

    Args:
        folder: made when something is kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, key: Any) -> Any:
        """What was kept under a key; None if there is nothing, or it is damaged."""
        if self._folder is None:
            return None
        path = self._path(key)
        with suppress(Exception):  # whatever pickle says of bytes that it cannot read
            content = unsealed(path.read_bytes())
            if content is not None:
                path.touch()
                return pickle.loads(content)
            path.unlink()
        return None

    def write(self, key: Any, past: Any) -> None:
        """Keep something under a key, if that is possible."""
        if self._folder is None:
            return
        content = sealed(pickle.dumps(past, pickle.HIGHEST_PROTOCOL))
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            write_whole(self._path(key), lambda path: path.write_bytes(content))
            self._make_room()

    def _path(self, key: Any) -> Path:
        assert self._folder is not None
        return self._folder / f"{hashlib.blake2b(repr((key, _maker())).encode(), digest_size=16).hexdigest()}.past"

    def _make_room(self) -> None:
        assert self._folder is not None
        found = sorted(((one.stat(), one) for one in self._folder.glob("*.past")), key=lambda pair: pair[0].st_mtime)
        left = sum(about.st_size for about, _ in found)
        for about, path in found:
            if left <= MOST_BYTES:
                break
            path.unlink(missing_ok=True)
            left -= about.st_size


@cache
def _maker() -> str:
    """What the bits of a past depend on beside its parameters: our code and the C library."""
    return f"{sources_hash('run')} {platform.machine()} {platform.libc_ver()}"


@cache
def kept_pasts() -> KeptPasts:
    """Those of this version, beside its machine code."""
    return KeptPasts(cache_folder and cache_folder / "pasts")
