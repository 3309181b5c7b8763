"""Web pages that commands write: one head and one style for all. Nothing in them is fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

from district_sim._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment
    from markupsafe import Markup


def command_line(command: str, scenario: str, options: Sequence[tuple[str, ...]]) -> str:
    """A command that makes a page, an option a line."""
    return " \\\n  ".join(map(shlex.join, [["district-sim", command, scenario], *options]))


def rendered(template: str, *, style: str = "", script: str = "", **context: Any) -> str:
    """A page as HTML, the same for the same numbers, to the byte.

    Args:
        template: its name. It begins with `head.html`, which asks for a `title`.
        style: name of a style sheet of its own, after the one of all pages.
        script: name of its program; without one nothing on the page can run. With one the page carries a policy by
            which the browser runs nothing else and asks for nothing.
        context: what the template shows. Text is escaped; `data|tojson` is data for the program.
    """
    from markupsafe import Markup

    sheet = "\n" + "".join(map(_source, ["style.css", *([style] if style else [])]))
    program = "\n" + _source(script) if script else ""
    own = {"version": __version__, "style": Markup(sheet), "script": Markup(program)}
    own["policy"] = (
        f"default-src 'none'; script-src '{_hash(program)}'; style-src '{_hash(sheet)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    return str(_environment().get_template(template).render(**own, **context))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("district_sim.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    environment.filters["lines"] = _broken
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    return environment


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(text: str) -> str:
    """What a content security policy calls a text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _broken(text: str) -> Markup:
    """Escaped text whose lines stay apart."""
    from markupsafe import Markup, escape

    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def _code(text: str) -> Markup:
    """Escaped text in which `so` is code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
