"""Titles and names of users are text in everything that is written: Markdown, LaTeX, HTML, SVG, terminals."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from test_policy_report import files_in
from typer.testing import Result

from district_sim.text.sheet import Sheet, md, tex

type Call = Callable[..., Result]

NAME = "_a_ *b* $c$ {d} 50 % ~~e~~ `f` <i>&amp; [b] [x](y) | ^g # \\h"
FILE = "_a_ *b* $c$ {d} 50 % ~~e~~ `f` <i>&amp; [b] [red]"  # no system's path separator
ALL = (NAME, FILE, "[/red]", ":smile:", "d_z", "[5pt]", "{math}`x`", "a_b", "p < 0.1", "*", "\\", "</script>", "$x_{a$")


@pytest.mark.parametrize("name", ALL)
def test_markdown_shows_the_text(name: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    page = Sheet.plain(name, (name, "x"), [(name, "1")], name).markdown()
    shown = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(page)
    texts = [html.unescape(re.sub(r"</?(p|strong|table|thead|tbody|tr|t[hd]( style=\"[^\"]*\")?)>", "", line)).strip()
             for line in shown.splitlines()]  # fmt: skip
    assert [text for text in texts if text] == [name, name, "x", name, "1", name]
    assert not re.search(r"(?<!\\)\$", md(name)), "nor for readers that take mathematics"


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("strategy.sale", "a_b", "p < 0.001", "5 %", "[k€]", "(x)", "R&D", "±0.5", "<0.001"):
        assert md(text) == text


def test_latex_knows_no_command_of_a_user() -> None:
    latex = Sheet.plain(NAME, ("Mix", "d_z"), [("[5pt] x", "1"), (NAME, "2"), ("d_z", "3")], NAME).latex("t")
    assert "\n{}[5pt] x & 1 \\\\\n" in latex, "not the distance to the line before"
    assert "\nd\\_z & 3 \\\\\n" in latex
    assert "Mix & $d_z$ \\\\" in latex
    plain = tex(NAME)
    assert r"\textbackslash{}h" in plain
    assert r"\textbar{}" in plain
    left = re.sub(r"\\(text\w+\{\}|[&%$#_{}])|\$[<>]\$", "", plain)
    assert not re.search(r"[\\&%$#_{}~^<>|`]", left), left


@pytest.fixture
def odd(small_folder: Path) -> Path:
    quoted = NAME.replace("\\", "\\\\")
    item = f'{{name: "{quoted}", kind: rd_subsidy, budget: 30, start: 1}}'
    Path("odd.yaml").write_text(f'extends: small\ntitle: "{quoted}"\n')
    Path(f"{FILE}.yaml").write_text(f'title: "{quoted}"\npolicies:\n  - {item}\n')
    Path("design.yaml").write_text(
        f'one:\n  scenarios: [odd.yaml]\n  replications: 2\n  policies: {{"{quoted}": [{item}], "[/red]": []}}\n'
    )
    return small_folder


def test_terminals_show_the_text(odd: Path, call: Call) -> None:
    done = call("run", "odd.yaml", "--policy", f"{FILE}.yaml", "--out", "out")
    assert done.exit_code == 0, done.output
    assert NAME in done.stdout
    for words in (["--dry-run"], ["--out", "made"]):
        done = call("sweep", "--experiment", "design.yaml", *words)
        assert done.exit_code == 0, done.output
    done = call("results", "made")
    assert done.exit_code == 0, done.output
    assert "[/red]" in done.stdout
    svg = Path("out/dashboard.svg").read_text(encoding="utf-8")
    assert html.escape(NAME, quote=False) in svg
    done = call("run", "[/red].yaml")
    assert (done.exit_code, done.stderr) == (2, "Error: [/red].yaml: no such file\n")


def test_reports_show_the_text(odd: Path, call: Call) -> None:
    mixes = ["--policies", f"{FILE}.yaml"]
    done = call("policy-report", "odd.yaml", *mixes, "--replications", "2", "--sensitivity-runs", "0",
                "--question", NAME, "--out", "r.html")  # fmt: skip
    assert done.exit_code == 0, done.output
    page = Path("r.html").read_text(encoding="utf-8")
    visible = re.sub(r"base64,[\w+/=]*", "", page)
    assert "<i>&amp; [b]" not in visible
    assert html.escape(FILE, quote=False) in visible
    assert html.escape(NAME, quote=False) in visible
    assert f"{FILE}.yaml" in files_in(Path("r.html"))
    done = call("compare", "odd.yaml", "--policies", f"none,{FILE}.yaml", "--replications", "2", "--out", "compared")
    assert done.exit_code == 0, done.output
    assert md(FILE) in Path("compared/differences.md").read_text(encoding="utf-8")
    assert tex(FILE) in Path("compared/differences.tex").read_text(encoding="utf-8")


def test_tables_of_ours_show_no_markup(call: Call) -> None:
    from district_sim.cli.common import stdout
    from district_sim.evidence.patterns.verify import PatternClaim
    from district_sim.reports import run_tables
    from district_sim.run.run import simulate
    from district_sim.scenario.files import load_scenario

    run = simulate(load_scenario("small.yaml"))
    console = stdout()
    claims = [PatternClaim(1, "a", "b", "c", passed, "1") for passed in (True, False)]
    shown = (run_tables.comparison({"[x]": run}), run_tables.verification(claims), run_tables.start_and_end(run))
    with console.capture() as said:
        for table in shown:
            console.print(table)
    text = said.get()
    assert "[bold]" not in text
    assert "[/]" not in text
    assert "fail" in text
    assert re.search(r"Indicator +First year +Last year +Change", text)
