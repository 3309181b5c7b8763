"""An RO-Crate (w3id.org/ro/crate): what a folder of results holds, which command made it, and how to make it again.

Beside the metadata stand the resolved scenarios, for a sweep also its experiment file, and `environment.txt`: the
versions of all packages that the results depend on. Needs the extra `crate`.
"""

import mimetypes
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__
from district_sim.run.whole_files import write_json, write_text

if TYPE_CHECKING:
    from district_sim.experiments import Results
    from district_sim.run.run import Run

METADATA, ENVIRONMENT, EXPERIMENT = "ro-crate-metadata.json", "environment.txt", "experiment.yaml"
SCENARIO = "resolved"
"""How the names of the resolved scenarios begin: never the name of the file that somebody wrote."""
_FORMATS = {".parquet": "application/vnd.apache.parquet", ".sqlite": "application/vnd.sqlite3"}
_FORMATS |= {".yaml": "application/yaml"}  # not known to every system


def library() -> Any:
    """The library that makes crates. Raises ImportError, with a message, where it is missing."""
    try:
        from rocrate import rocrate
    except ImportError as error:
        raise ImportError("--crate needs the package rocrate: pip install 'district-sim[crate]'") from error
    return rocrate


def crate_of_run(result: "Run", folder: Path, files: Iterable[Path]) -> list[Path]:
    """Describe the folder of a run.

    Args:
        result: the run. folder: where it was written. files: what was written.

    Returns:
        The files added, the description last.

    Raises:
        OSError: one cannot be written.
    """
    scenario, done = result.scenario, len(result.table)
    title = scenario.title or "A district"
    made = _resolved(folder, SCENARIO, scenario.model_dump(mode="json", exclude_none=True))
    command = ["run", made[-1].name, "--seed", str(result.seed), "--out", "again"]
    if done < scenario.run.quarters and not result.ended:  # somebody stopped it
        command += ["--quarters", str(done)]
    told = (f"Run of {title}, seed {result.seed}", scenario.description)
    return _written(folder, told, command, scenario.extensions, made, files)


def crate_of_sweep(results: "Results", files: Iterable[Path]) -> list[Path]:
    """Describe the folder of a sweep; as `crate_of_run`."""
    from district_sim.experiments.checks import extensions_of

    experiment, folder, made = results.experiment, results.folder, []
    named = {}
    for number, (name, data) in enumerate(results.resolved.items()):
        made += _resolved(folder, f"{SCENARIO}_{number}", data)
        named[name] = made[-1].name
    fields = experiment.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"name"})
    fields["scenarios"] = [named[name] for name in experiment.scenarios]
    made.append(write_text(folder / EXPERIMENT, _yaml({experiment.name: fields})))
    command = ["sweep", "--experiment", EXPERIMENT, "--out", "again"]
    told = (experiment.name, experiment.description)
    return _written(folder, told, command, extensions_of(results.bases), made, files)


def environment(command: str, extensions: Iterable[str] = ()) -> str:
    """A requirements file with the versions of district-sim and of all that it needs, and how to use it.

    Args:
        command: what makes the results again. extensions: mechanisms from outside in use.
    """
    from district_sim.scenario.extensions import package_of

    found: dict[str, str] = {}
    for name in ("district-sim", *map(package_of, extensions)):
        _add_needed(name, "", found, set())
    python = ".".join(platform.python_version_tuple()[:2])
    lines = [
        f"# The environment of these results: Python {platform.python_version()}.",
        f"#   python{python} -m venv environment && . environment/bin/activate",
        f"#   pip install -r {ENVIRONMENT}",
        f"#   {command}",
        *(f"{name}=={version}" for name, version in sorted(found.items())),
    ]
    return "\n".join(lines) + "\n"


def _add_needed(name: str, extra: str, found: dict[str, str], seen: set[tuple[str, str]]) -> None:
    """Add the version of a package and of all that it needs; what is not installed is not needed on this system."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    name = canonicalize_name(name)
    if (name, extra) in seen:
        return
    seen.add((name, extra))
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return
    found[name] = __version__ if name == "district-sim" else package.version  # of an editable one it may be old
    for text in package.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            for part in ("", *wanted.extras):
                _add_needed(wanted.name, part, found, seen)


def _resolved(folder: Path, stem: str, data: dict[str, Any]) -> list[Path]:
    """Write a scenario in full, the file to use last.

    What begins after the end of the run is refused in one file. It is allowed where a file cuts a longer one short.
    """
    starts = [item["start"] for section in ("policies", "shocks") for item in data.get(section, ())]
    quarters, longest = data["run"]["quarters"], 1 + max(starts, default=0)
    path = folder / f"{stem}.yaml"
    if longest <= quarters:
        return [write_text(path, _yaml(data))]
    whole = folder / f"{stem}_whole.yaml"
    return [
        write_text(whole, _yaml({**data, "run": {**data["run"], "quarters": longest}})),
        write_text(path, _yaml({"extends": whole.name, "run": {"quarters": quarters}})),
    ]


def _written(
    folder: Path,
    told: tuple[str, str],
    command: Sequence[str],
    extensions: Iterable[str],
    made: Sequence[Path],
    files: Iterable[Path],
) -> list[Path]:
    """Write environment and metadata beside what is there; `told` are name and description, `made` the scenarios."""
    again = shlex.join(["district-sim", *command])
    added = [*made, write_text(folder / ENVIRONMENT, environment(again, extensions))]
    return [*added, write_json(folder / METADATA, _metadata(told, again, added, [*files, *added]))]


def _metadata(told: tuple[str, str], command: str, made: Sequence[Path], files: Iterable[Path]) -> Mapping[str, Any]:
    from rocrate.model.softwareapplication import SoftwareApplication

    crate = library().ROCrate()
    crate.name, crate.description = told[0], told[1] or told[0]
    parts = {}
    for path in sorted(files):
        kind = _FORMATS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        add = crate.add_directory if path.is_dir() else crate.add_file
        parts[path] = add(path, path.name, properties={"encodingFormat": kind} if kind else {})
    about_tool = {"name": "district-sim", "softwareVersion": __version__}
    tool = crate.add(SoftwareApplication(crate, "#district-sim", about_tool))
    how = {"name": "How to make it again", "description": command}
    crate.add_action(tool, "#again", object=[parts[path] for path in made], result=crate.root_dataset, properties=how)
    generated: Mapping[str, Any] = crate.metadata.generate()
    return generated


def _yaml(data: Any) -> str:
    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    yaml.width = 110
    yaml.dump(data, text)
    return text.getvalue()
