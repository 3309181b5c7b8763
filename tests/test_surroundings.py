"""Where it runs: machine code that is damaged or cannot be kept, systems without POSIX modules, other encodings."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from district_sim.cli import app
from district_sim.kernels.compile import cache_folder, kernel
from district_sim.run.compiled import compile_for, is_compiled, one_of_each_shape
from district_sim.scenario.sections import Scenario

# Machine code -------------------------------------------------------------------------------------

# A kernel that compiles in a second, kept as the model's are
KERNEL = """
import sys, warnings
warnings.formatwarning = lambda message, *where: f"{message}\\n"
from district_sim.cli import app
from district_sim.kernels.compile import cache_folder, kernel

@kernel
def double(x):
    return 2 * x

print(double(21), "read" if double.entry.stats.cache_hits else "compiled")
"""
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
NOT_OURS = """
import os
def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")
os.utime = refuse
"""


@pytest.fixture
def start(tmp_path: Path) -> "Callable[..., subprocess.Popen[str]]":
    """Begin the program above with the folder `cache`; what stands before it can be given."""

    def begin(before: str = "", cache: str = "cache") -> "subprocess.Popen[str]":
        (tmp_path / "program.py").write_text(KERNEL)
        program = f"{before}\nimport runpy; runpy.run_path('program.py')"
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env=os.environ | {"NUMBA_CACHE_DIR": cache},
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return begin


@pytest.fixture
def said(start: "Callable[..., subprocess.Popen[str]]") -> Callable[..., tuple[str, str]]:
    """What the program prints, and its warnings."""
    return lambda *arguments: start(*arguments).communicate(timeout=300)


def machine_code(folder: Path) -> list[Path]:
    return sorted(folder.glob("cache/kernels-*/*"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: b"\0" * len(whole),
        lambda whole: whole[:500] + bytes([whole[500] ^ 1]) + whole[501:],
    ],
    ids=["empty", "half", "a byte short", "zeros", "a bit flipped"],
)
def test_damaged_machine_code_is_compiled_anew(
    said: Callable[..., tuple[str, str]], damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    assert said() == ("42 compiled\n", "")
    assert said() == ("42 read\n", "")
    (path,) = machine_code(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    out, warning = said()
    assert out == "42 compiled\n"
    assert warning.endswith("is damaged; it is removed and compiled anew.\n")
    assert said() == ("42 read\n", "")


def test_without_a_folder_it_compiles_and_says_how_to_keep_it(said: Callable[..., tuple[str, str]]) -> None:
    for _ in range(2):
        out, warning = said("", "/dev/null/nowhere")
        assert out == "42 compiled\n"
        assert "every start compiles the model" in warning
        assert "set NUMBA_CACHE_DIR to a folder that can be written" in warning


def test_a_folder_whose_name_is_too_long_is_no_traceback(said: Callable[..., tuple[str, str]]) -> None:
    out, warning = said("", "/tmp/" + "x" * 300)
    assert out == "42 compiled\n"
    assert "every start compiles the model" in warning


def test_a_folder_where_machine_code_should_be_is_told(said: Callable[..., tuple[str, str]], tmp_path: Path) -> None:
    said()
    (path,) = machine_code(tmp_path)
    path.unlink()
    path.mkdir()
    for _ in range(2):
        out, warning = said()
        assert out == "42 compiled\n"
        assert "Machine code cannot be kept in" in warning


def test_somebody_elses_folder_is_read(said: Callable[..., tuple[str, str]]) -> None:
    said()
    assert said(NOT_OURS) == ("42 read\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_full_disk_while_compiling(said: Callable[..., tuple[str, str]], tmp_path: Path) -> None:
    out, warning = said(NO_ROOM)
    assert out == "42 compiled\n"
    assert "cannot be kept" in warning
    assert "the next start compiles the model again" in warning
    assert machine_code(tmp_path) == [], "nothing half-written stays"
    assert said() == ("42 compiled\n", "")


def test_first_runs_at_once(start: "Callable[..., subprocess.Popen[str]]", tmp_path: Path) -> None:
    together = [start() for _ in range(3)]
    for process in together:
        out, warning = process.communicate(timeout=300)
        assert (out.split()[0], warning) == ("42", "")
    assert len(machine_code(tmp_path)) == 1
    assert start().communicate(timeout=300) == ("42 read\n", "")


def test_a_new_shape_has_to_be_compiled() -> None:
    usual, more_domains = Scenario(), Scenario.model_validate({"technology": {"domains": 11}})
    assert not is_compiled(more_domains)
    assert one_of_each_shape([usual, more_domains, usual]) == [usual, more_domains]


def test_it_is_told_how_far_compilation_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(x):
        return x + 1

    add.__module__ = "district_sim.model.schedule"  # as the model's own
    part = kernel(add)

    @kernel
    def whole(x):
        return part(x) + part(2 * x)

    monkeypatch.setattr("district_sim.run.run.simulate", lambda *_, **__: whole(1))
    told: list[tuple[str, int, int]] = []
    compile_for(Scenario(), lambda *what: told.append(what))
    assert [(name.rpartition(".")[2], done) for name, done, _ in told] == [("add", 1)]
    assert all(of > 150 for *_, of in told)
    compile_for(Scenario(), lambda *what: told.append(what))
    assert len(told) == 1, "nothing is compiled again"


def test_setup_says_where_machine_code_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.run.compiled.is_compiled", lambda *_: True)
    done = CliRunner().invoke(app, ["setup", "classroom"])
    assert done.exit_code == 0
    assert "Nothing to do" in done.output
    assert str(cache_folder) in done.output.replace("\n", "")


def test_setup_compiles_nothing_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("district_sim.kernels.compile.cache_folder", None)
    done = CliRunner().invoke(app, ["setup", "classroom"])
    assert done.exit_code == 1
    assert "no folder to keep it in" in " ".join(done.output.split())


# Windows ------------------------------------------------------------------------------------------

LIKE_WINDOWS = """
import os, signal, sys
sys.modules.update(dict.fromkeys(["fcntl", "grp", "pwd", "resource", "termios"]))  # importing them fails
for name in ("pthread_sigmask", "SIGHUP", "SIGKILL"):
    delattr(signal, name)
del os.sched_getaffinity
import warnings
warnings.filterwarnings("ignore", "only soft file lock", UserWarning)  # filelock knows Windows by another name
"""
IMPORT_ALL = """
import pkgutil, importlib, district_sim
for module in pkgutil.walk_packages(district_sim.__path__, "district_sim."):
    if not module.name.startswith(("district_sim.__main__", "district_sim.app")):  # Solara's surroundings are its own
        importlib.import_module(module.name)
"""
COMMAND = "from district_sim.cli import main\nmain()"


def run_python(program: str, folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a program in a folder; its output is UTF-8 whatever the locale says."""
    environment = {"PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | environment,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )


def test_everything_can_be_imported_without_posix_modules(tmp_path: Path) -> None:
    done = run_python(LIKE_WINDOWS + IMPORT_ALL, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_sweep_without_posix_modules(tmp_path: Path) -> None:
    arguments = "sweep classroom --vary strategy.sale=0,0.5 --replications 2 --quarters 4 --workers 1 --quiet --out s"
    done = run_python(LIKE_WINDOWS + COMMAND, tmp_path, *arguments.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "s/ledger.sqlite").is_file()


# Paths and encodings ------------------------------------------------------------------------------


def test_paths_and_texts_are_read_alike_under_every_locale(tmp_path: Path) -> None:
    """Files are UTF-8, and names of folders may hold anything, even where the locale is plain ASCII."""
    (tmp_path / "größe №1.yaml").write_text("title: Größe № 1\nfirms: {count: 30}\n", encoding="utf-8")
    watch = (
        "import warnings\nwarnings.simplefilter('ignore', EncodingWarning)\n"  # other libraries', which are not ours
        "warnings.filterwarnings('error', category=EncodingWarning, module='district_sim')\n"
    )
    done = run_python(
        watch + COMMAND,
        tmp_path,
        *["run", "größe №1.yaml", "--quarters", "4", "--out", "ergebnis µ/a b", "--quiet"],
        LC_ALL="C",
        PYTHONCOERCECLOCALE="0",
        PYTHONUTF8="0",
        PYTHONWARNDEFAULTENCODING="1",
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "ergebnis µ/a b/run.json").read_bytes()
    assert "Größe № 1".encode() in text
    assert b"\r" not in text


def test_what_is_left_out_without_chromium_is_said_last(tmp_path: Path) -> None:
    from chromium import left_out

    assert left_out([("tests/test_a.py::b", "needs ffmpeg")]) == []
    tests = Path(__file__).parent
    (tmp_path / "conftest.py").write_text((tests / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_page():\n    pytest.skip('there is no Chromium here')\ndef test_other():\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    found = {**os.environ, "PYTHONPATH": str(tests)}
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=found, timeout=300)
    said = run.stdout.splitlines()
    assert said[-4:-1] == [  # then the counts
        "Left out, because there is no Chromium here:",
        "  test_it.py::test_page",
        "To bring them in: make browser",
    ]


def test_a_ctrl_c_that_falls_into_a_finaliser_is_heard(tmp_path: Path) -> None:
    code = (
        "import time\nfrom district_sim.cli.common import clean_ends\n"
        "class Last:\n    def __del__(self):\n        raise KeyboardInterrupt\n"
        "with clean_ends():\n    last = Last()\n    del last\n"
        "    for _ in range(300):\n        time.sleep(0.1)\n    print('went on')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert "went on" not in done.stdout
    assert "Exception ignored" not in done.stderr
    assert done.returncode != 0
