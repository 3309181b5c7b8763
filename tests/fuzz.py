"""Mutated inputs over every door: each is accepted, or refused with one message. From the top of the repository:

    python -m tests.fuzz --tries 10000 --seed 0

The same seed makes the same inputs. Exit code 1 if one ended otherwise, took over two seconds of the processor or over
300 MiB beyond what the process held before it. What waits for the clock is not measured: a machine that does other
things at once would fail.
"""

import argparse
import contextlib
import io
import os
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from district_sim import cli
from district_sim.app.course import Course, Difference, Intervention, Source, scenario_of
from district_sim.app.links import as_json, as_query, from_json, from_query
from district_sim.cli.common import BAD_INPUT, clean_ends, varied
from district_sim.cli.run import _seed_range
from district_sim.evidence.cases.files import read_case
from district_sim.experiments.design_files import load_experiment, load_experiments, read_table
from district_sim.mesa_model import district as _district  # noqa: F401 - imported by the page at need, which takes seconds
from district_sim.register import phase_files
from district_sim.register.columns import chosen
from district_sim.register.district import open_tables, tidied
from district_sim.run.deflator import factors
from district_sim.scenario.files import bundled_folder, load_scenario
from district_sim.scenario.policy_files import load_policy, policy_mix

SECONDS, MEBIBYTES = 2.0, 300

TOKENS = (
    *(
        "null",
        "~",
        "true",
        "[]",
        "{}",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<: *a",
        "<<: ",
        "? ",
        "!!bool ",
        "!x ",
        "!!set ",
    ),
    *(
        "-",
        "- ",
        ": ",
        ":",
        ",",
        "\n",
        "  ",
        "\t",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\u2028",
        "\ud800",
        "é",
        "\ufeff",
        "'",
        '"',
    ),
    *("|", ">", "#", "%YAML 1.1\n", "---\n", "...\n", "=", ".", "..", "/", "~nobody/x.yaml", "extends: ", "\\"),
    *("0", "-1", "1e999", ".nan", "-.inf", "0x1F", "1_000", "9" * 5000, "0x" + "f" * 9000, "1e-400", "2012-13-45"),
    *("x" * 300, "y" * 5000, "[" * 30, "[" * 5000, "{a: " * 40, "- " * 500, "policies", "firms.count", "x: 1\n" * 30),
)


@dataclass
class Found:
    """How the tries ended."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    """Door, input and traceback."""
    slow: list[str] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    longest: float = 0.0
    """Seconds of the processor."""
    most: float = 0.0
    """MiB that one input took, as far as the process held more then than ever before."""


def mutated(text: str, other: str, luck: random.Random) -> str:
    """A text that was cut, doubled, mixed with another, or had something put into it, a few times."""
    for _ in range(luck.choice((0, 1, 1, 1, 2, 3, 6))):
        a, b = sorted(luck.randrange(len(text) + 1) for _ in range(2))
        short = min(b, a + luck.choice((1, 5, 40)))
        lines = text.splitlines(keepends=True)
        numbers = list(re.finditer(r"\d+(\.\d+)?", text))
        match luck.randrange(8):
            case 0:
                text = text[:a] + text[short:]
            case 1:
                text = text[:a] + text[a:short] * luck.choice((2, 3, 2000)) + text[short:]
            case 2 | 3:
                text = text[:a] + luck.choice(TOKENS) + text[a:]
            case 4 if numbers:
                number = luck.choice(numbers)
                text = text[: number.start()] + luck.choice(TOKENS) + text[number.end() :]
            case 5 if lines:
                luck.shuffle(lines)
                text = "".join(lines)
            case 6:
                text = text[:a] + other[a:]
            case _:
                text = text[:a] + "".join(chr(luck.randrange(256)) for _ in range(3)) + text[short:]
    return text[: 1 << 20]


def doors(folder: Path) -> dict[str, tuple[Callable[[str], object], list[str]]]:
    """Each way in: what reads a text, and texts that are good or nearly so."""
    number = iter(range(10**9))

    def file(read: Callable[[Path], object], ending: str = ".yaml") -> Callable[[str], object]:
        def reading(text: str) -> object:
            path = folder / f"{next(number)}{ending}"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            try:
                return read(path)
            finally:
                path.unlink()

        return reading

    def command(*words: str) -> Callable[[Path], object]:
        def calling(path: Path) -> object:
            done = CliRunner().invoke(cli.app, [*words, str(path)])
            if done.exit_code not in (0, BAD_INPUT):
                raise done.exception or RuntimeError(f"exit code {done.exit_code}")
            if done.exit_code == BAD_INPUT:
                raise typer.Exit(BAD_INPUT)
            return done

        return calling

    def texts(*patterns: str) -> list[str]:
        paths = sorted(path for pattern in patterns for path in bundled_folder().glob(pattern))
        return [path.read_text(encoding="utf-8") for path in paths]

    scenarios = [*texts("*.yaml"), *(fault for fault in FAULTS)]
    small = Course(Source("classroom"), {"firms.count": 30}, 1, 0, (Intervention(3, {"ties.ending": 0.1}, "x"),))
    other = Course(Source("mine.yaml", "extends: classroom\n"), {}, 2, 0, (), Difference("firms.count", 40, "40"))
    courses = [small, other]
    dated = load_scenario("classroom", {"run.start": 2002, "run.quarters": 8, "money.base_year": 2003})
    sets = [
        "firms.count=100",
        "policies.0.budget=3",
        "strategy.sale=0.5",
        "firms={trust: 3}",
        "title=[a, b]",
        "a.b.c=1",
    ]
    names = [
        "classroom",
        "cases/carpi",
        "own+export_platform",
        "none",
        "learning_region.yaml",
        "~nobody/x.yaml",
        "a/../b",
    ]
    return {
        "scenario file": (file(load_scenario), scenarios),
        "policy file": (file(load_policy), [*texts("policies/*.yaml"), *FAULTS]),
        "experiment file": (file(load_experiments), [*texts("experiments/*.yaml"), *FAULTS]),
        "targets file": (
            file(read_case),
            [text.replace("scenario: _", "scenario: cases/_") for text in texts("cases/*.targets.yaml")] + [*FAULTS],
        ),
        "table": (
            file(lambda path: read_table(path, lambda at: f"{path}: "), ".csv"),
            ["firms.count,strategy.sale\n10,0.5\n20,0.1\n", 'a,"b\nc"\n1,"2"\n', "x\n1\n"],
        ),
        "table of firms": (file(lambda path: tidied(open_tables(path, None, None), None, None, False), ".csv"), FIRMS),
        "graph of firms": (file(lambda path: open_tables(path, None, None), ".graphml"), [GRAPH]),
        "columns file": (
            file(lambda path: chosen({"firms": ["id", "employees", "2012"], "ties": ["buyer", "supplier"]}, path)),
            [
                *["firms:\n  id: id\n  turnover: 2012\nties:\n  buyer: buyer\nunits:\n  turnover: kEUR a year\n"] * 6,
                *FAULTS,
            ],
        ),
        "phases file": (
            file(lambda path: phase_files.load(str(path))),
            [*(path.read_text(encoding="utf-8") for path in sorted(phase_files.BUNDLED.glob("*.yaml"))), *FAULTS],
        ),
        "prices": (
            file(lambda path: factors(path, dated), ".csv"),
            ["date,index\n2002,98.5\n2003,100\n", "date;index\n2002Q1;98,5\n2002;99\n2003;1e2\n"],
        ),
        "validate scenario": (file(command("scenarios", "validate")), scenarios),
        "validate policy": (file(command("policies", "validate")), texts("policies/*.yaml")),
        "upload": (lambda text: scenario_of(Source("mine.yaml", text), {}), scenarios),
        "link": (from_query, [as_query(course) for course in courses] + ["scenario=classroom&seed=3", "state=%C3%A9"]),
        "state": (from_json, [as_json(course) for course in courses]),
        "set": (lambda text: load_scenario("classroom", [text]), sets),
        "vary": (varied, ["strategy.sale=0:0.9:4", "firms.count=1,2", "a=1:2:log", "b"]),
        "scenario name": (load_scenario, names),
        "policy name": (lambda text: policy_mix(text, ()), names),
        "experiment name": (load_experiment, ["openness_x_collective_action", "a.yaml:b", *names]),
        "seeds": (_seed_range, ["1000-1099", "1000-999999999999", "5-3"]),
    }


FAULTS = (
    "extends: baseline\nl0: &l0 [x,x,x,x]\nl1: &l1 [*l0,*l0,*l0,*l0]\nl2: &l2 [*l1,*l1,*l1,*l1]\n",
    "extends: baseline\nfirms: &a\n  <<: *a\n",
    "? {a: {b: 1}}\n: 2\n",
    "extends: baseline\ntitle: !!bool maybe\n",
    "title: " + "[" * 400 + "]" * 400,
    "a: &a {trust: 0.5}\nfirms:\n  <<: [*a, {count: 20}]\n",
)
FIRMS = [
    "id,employees\n" + "".join(f"F{i},{i + 1}\n" for i in range(12)),
    "codice fiscale;addetti;codice ATECO;ricavi;anno di costituzione\n"
    + "".join(f"IT{i};{i + 1};{13 + i % 2}.1;1.{i}00,5;19{80 + i}\n" for i in range(12)),
    'Firmen 2012\n"firm id"\tstaff\tlat\tlon\towner\n' + "".join(f"{i}\t3\t44.{i}\t10.{i}\t\n" for i in range(12)),
]
GRAPH = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="e" for="node" attr.name="employees" '
    'attr.type="int"/><graph edgedefault="directed"><node id="a"><data key="e">3</data></node><node id="b"/>'
    '<edge source="a" target="b"/></graph></graphml>'
)


def fuzz(tries: int, seed: int, folder: Path) -> Found:
    """Try so many inputs; files are written into an empty folder."""
    luck, found = random.Random(seed), Found()
    ways = doors(folder)
    for number in range(tries):
        door = luck.choice(list(ways))
        read, seeds = ways[door]
        text = mutated(luck.choice(seeds), luck.choice(seeds), luck)
        held, peak, begun, said = _held(), _peak(), time.process_time(), io.StringIO()
        try:
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said), clean_ends():
                read(text)
            found.accepted[door] += 1
        except typer.Exit as end:
            told = said.getvalue()
            if end.exit_code == BAD_INPUT and len(told) < 40_000 and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", told):
                found.refused[door] += 1
            else:
                found.failed.append(f"{number} {door}: exit code {end.exit_code}, said {told[:500]!r}")
        except Exception:
            found.failed.append(f"{number} {door}: {text[:300]!r}\n{traceback.format_exc()[-1500:]}")
        seconds = time.process_time() - begun
        found.longest = max(found.longest, seconds)
        if seconds > SECONDS:
            found.slow.append(f"{number} {door}: {seconds:.1f} s, {len(text)} characters: {text[:200]!r}")
        taken = _peak() - held if _peak() > peak else 0.0
        found.most = max(found.most, taken)
        if taken > MEBIBYTES:
            found.large.append(f"{number} {door}: {taken:.0f} MiB: {text[:200]!r}")
    return found


def _held() -> float:
    """Memory that this process holds now, in MiB; where the system does not say, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return _peak()
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _peak() -> float:
    """Most memory that this process had so far, in MiB; 0 where the system does not say."""
    if os.name != "posix":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    before = _held()
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(asked.tries, asked.seed, Path(folder))
    for door in sorted({*found.accepted, *found.refused}):
        print(f"{door:20} accepted {found.accepted[door]:5}  refused {found.refused[door]:5}")
    print(f"tries {asked.tries}, longest {found.longest:.2f} s of the processor")
    print(f"memory: {before:.0f} MiB before, at most {found.most:.0f} for one input, {_peak():.0f} in all")
    for what in ("failed", "slow", "large"):
        print(f"{what}: {len(getattr(found, what))}", *getattr(found, what)[:10], sep="\n  ")
    return 1 if found.failed or found.slow or found.large else 0


if __name__ == "__main__":
    sys.exit(main())
