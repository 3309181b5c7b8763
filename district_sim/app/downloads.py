"""What can be taken away from the page: data, figures, and the state that makes them again."""

import io
import tempfile
import zipfile
from pathlib import Path

from district_sim.app.links import as_json
from district_sim.app.simulation import Simulation, Track
from district_sim.reports.run import write_run

STATE_FILE = "state.json"


def file_stem(simulation: Simulation) -> str:
    """A name for what is taken away: scenario, seed and quarter."""
    course = simulation.course
    name = Path(course.source.name).stem
    return f"{name}-seed{course.seed}-q{course.quarter}"


def indicators_csv(track: Track) -> str:
    """One row per quarter, one column per indicator."""
    return str(track.indicators.to_csv())


def everything(simulation: Simulation) -> bytes:
    """A zip: what `district-sim run --out` writes, for each district, and the state that restores all of it."""
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        tracks = {"": simulation.first} if simulation.second is None else _two(simulation)
        for name, track in tracks.items():
            there = Path(folder) / (name or "one")
            there.mkdir()
            for file in write_run(track.run(), there):
                archive.write(file, f"{name}/{file.name}" if name else file.name)
        archive.writestr(STATE_FILE, as_json(simulation.course))
    return buffer.getvalue()


def figures(simulation: Simulation) -> bytes:
    """A zip of the figures alone, as PNG and SVG."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(everything(simulation))) as whole, zipfile.ZipFile(out, "w") as archive:
        for name in whole.namelist():
            if name.endswith((".png", ".svg")):
                archive.writestr(name, whole.read(name))
    return out.getvalue()


def _two(simulation: Simulation) -> dict[str, Track]:
    assert simulation.second is not None
    return {"first": simulation.first, "second": simulation.second}
