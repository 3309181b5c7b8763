"""An RO-Crate (w3id.org/ro/crate): what a folder of results holds, which command made it, and how to make it again.

Beside the metadata stand the resolved scenarios, for a sweep also its experiment file, and `environment.txt`: the versions
of every package that the results depend on. Needs the extra `crate`.
"""

import platform
import shlex
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__
from district_sim.run.whole_files import write_json, write_text

if TYPE_CHECKING:
    from district_sim.experiments import Results
    from district_sim.run.run import Run

METADATA, ENVIRONMENT, SCENARIO, EXPERIMENT = (
    "ro-crate-metadata.json", "environment.txt", "scenario.yaml", "experiment.yaml",
)  # fmt: skip
_HIDDEN = [".lock", ".owner", ".work", METADATA]
_FORMATS = {".parquet": "application/vnd.apache.parquet", ".sqlite": "application/vnd.sqlite3"}


def library() -> Any:
    """The library that makes crates. Raises ImportError, with a message, where it is missing."""
    try:
        from rocrate import rocrate
    except ImportError as error:
        raise ImportError("--crate needs the package rocrate: pip install 'district-sim[crate]'") from error
    return rocrate


def crate_of_run(result: "Run", folder: Path) -> list[Path]:
    """Describe the folder of a run; returns the files written. Raises OSError."""
    title, data = result.scenario.title or "A district", result.scenario.model_dump(mode="json", exclude_none=True)
    made = [write_text(folder / SCENARIO, _yaml(data))]
    command = ["run", SCENARIO, "--seed", str(result.seed), "--quarters", str(len(result.table)), "--out", "again"]
    return _written(folder, f"Run of {title}, seed {result.seed}", result.scenario.description, command, made)


def crate_of_sweep(results: "Results") -> list[Path]:
    """Describe the folder of a sweep; returns the files written. Raises OSError."""
    experiment, folder = results.experiment, results.folder
    resolved = results.resolved
    names = {name: f"scenario_{number}.yaml" for number, name in enumerate(resolved)}
    made = [write_text(folder / names[name], _yaml(data)) for name, data in resolved.items()]
    fields = experiment.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"name"})
    fields["scenarios"] = [names[name] for name in experiment.scenarios]
    made.append(write_text(folder / EXPERIMENT, _yaml({experiment.name: fields})))
    command = ["sweep", "--experiment", EXPERIMENT, "--out", "again"]
    return _written(folder, experiment.name, experiment.description, command, made)


def _written(folder: Path, name: str, about: str, command: list[str], made: list[Path]) -> list[Path]:
    line = shlex.join(["district-sim", *command])
    made.append(write_text(folder / ENVIRONMENT, environment(line)))
    return [*made, write_json(folder / METADATA, _metadata(folder, name, about, line, made))]


def environment(command: str) -> str:
    """A requirements file with the versions of district-sim and of all that it depends on, and how to use it."""
    here = sorted(_needed("district-sim").items())
    return "\n".join(
        [
            f"# The environment of these results: Python {platform.python_version()}.",
            f"#   python{platform.python_version().rpartition('.')[0]} -m venv again && . again/bin/activate",
            f"#   pip install -r {ENVIRONMENT}",
            f"#   {command}",
            f"district-sim=={__version__}",
            *(f"{name}=={version}" for name, version in here),
            "",
        ]
    )


def _needed(name: str) -> dict[str, str]:
    """Versions of the packages that one needs, without its extras; those that are not installed are not needed here."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}

    def look(name: str, extras: frozenset[str]) -> Iterator[str]:
        for text in distribution(name).requires or ():
            wanted = Requirement(text)
            marker = wanted.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                yield wanted.name
                if wanted.name not in found:
                    try:
                        found[wanted.name] = distribution(wanted.name).version
                    except PackageNotFoundError:
                        continue
                    list(look(wanted.name, frozenset(wanted.extras)))

    list(look(name, frozenset()))
    return found


def _metadata(folder: Path, name: str, about: str, command: str, made: list[Path]) -> Mapping[str, Any]:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.model.softwareapplication import SoftwareApplication

    crate = library().ROCrate(folder, init=True, exclude=_HIDDEN)
    crate.name, crate.description = name, about or name
    for entity in crate.data_entities:
        kind = _FORMATS.get(Path(entity.id).suffix)
        if kind:
            entity["encodingFormat"] = kind
    tool = crate.add(
        SoftwareApplication(
            crate, "#district-sim", {"name": "district-sim", "version": __version__, "softwareVersion": __version__}
        )
    )
    action = crate.add(
        ContextEntity(
            crate, "#again", {"@type": "CreateAction", "name": "How to make it again", "description": command}
        )
    )
    action["instrument"] = tool
    action["object"] = [
        entity for entity in crate.data_entities if Path(entity.id).name in {path.name for path in made}
    ]
    action["result"] = crate.root_dataset
    crate.root_dataset["mentions"] = action
    generated: Mapping[str, Any] = crate.metadata.generate()
    return generated


def _yaml(data: Any) -> str:
    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    yaml.width = 110
    yaml.dump(data, text)
    return text.getvalue()
