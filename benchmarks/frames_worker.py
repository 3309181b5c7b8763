"""A process that runs a program written in mesa-frames, in whatever Python has mesa-frames.

It is given "socialise" or "barter" and a file with the arrays, says which versions it runs, and answers every line:
"start" makes the model anew, "step" with a number takes so many steps, "write" with a file writes the results.
"""

import json
import platform
import sys
from importlib.metadata import version
from typing import Any

import numpy as np


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


def main(kind: str, file: str) -> None:
    """Answer until the input ends."""
    try:
        from benchmarks.frames_barter import FramesMarket
        from benchmarks.frames_socialise import FramesDistrict
    except ImportError as error:
        return _say({"missing": str(error)})
    with np.load(file) as arrays:
        given = {name: arrays[name] for name in arrays.files}
    program: Any = {"socialise": FramesDistrict, "barter": FramesMarket}[kind]
    versions = {package: version(package) for package in ("mesa-frames", "polars", "numpy")}
    _say({"versions": versions | {"Python": platform.python_version()}})
    model = program(given)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "start":
            model = program(given)
        elif command == "step":
            for _ in range(int(argument)):
                model.step()
        else:
            np.savez(argument, **model.results())
        _say("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
