"""The one door for text from outside: files, `--set`, links and uploads are read here, within the same limits.

A text is small, is not nested deeply and does not unfold into something large. All of this is found out while YAML is
taken apart into events, before anything is built from it. Files are read once, so that pipes serve as well.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.parser import RoundTripParser

MOST_BYTES = 256 * 1024
"""Size of a text in YAML or JSON."""
MOST_TABLE_BYTES = 16 * 1024 * 1024
"""Size of a table in CSV."""
MOST_DEPTH = 20
"""Sections and lists within each other."""
MOST_VALUES = 10_000
"""Values in a text, those that aliases repeat included; long text counts once for each 64 characters."""
MOST_ALIASES = 100
MOST_PROBLEMS = 20
"""Lines of a message."""
_MOST_DIGITS = 300
_LONGEST_WORD, _LONGEST_LINE = 240, 1500  # in messages
_TAGS = {"!", "!!str", "tag:yaml.org,2002:str"}
NAMES = {"name", "title", "extends", "scenarios", "policies"}
"""Keys whose value, or each entry of it, is a name: text as it was written, be it `null`, `007` or `1e3`."""


class ScenarioError(ValueError):
    """A scenario, or another text from outside, that cannot be used. The text is one clear message, one problem a line.

    What it repeats of the input is cut short, and control characters are shown as such.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(message: str) -> str:
    """A message without control characters, endless words and endless lines."""
    lines = message.split("\n")
    more = [f"and {len(lines) - MOST_PROBLEMS} more"] if len(lines) > MOST_PROBLEMS else []
    return "\n".join([*map(_printable_line, lines[:MOST_PROBLEMS]), *more])


def _printable_line(line: str) -> str:
    line = short(line, _LONGEST_LINE)
    line = "".join(c if c.isprintable() else _escaped(c) for c in line)
    return re.sub(rf"\S{{{_LONGEST_WORD},}}", lambda word: short(word[0], _LONGEST_WORD), line)


def _escaped(letter: str) -> str:
    """A letter that cannot be printed, as `\\n` or `\\x07`; half a letter is a byte of a name that is not UTF-8."""
    byte = "\udc80" <= letter <= "\udcff"
    return f"\\x{ord(letter) - 0xDC00:02x}" if byte else letter.encode("unicode_escape").decode()


def short(text: str, most: int = 60) -> str:
    """A text, or its beginning and end."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[len(text) - most // 4 :]}"


# Files --------------------------------------------------------------------------------------------


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether something can be read there: a file, a pipe or a device. False for names that no file can have."""
    return os.path.exists(path) and not os.path.isdir(path)


def expanded(path: str | os.PathLike[str]) -> str:
    """A path with `~` replaced by a home, where there is such a one."""
    try:
        return os.path.expanduser(os.fspath(path))
    except ValueError:  # no user can have this name
        return os.fspath(path)


def read_text(path: str | os.PathLike[str], name: str, kind: str = "a YAML file", most: int = MOST_BYTES) -> str:
    """The text of a file; of a pipe, what was in it when it was first read.

    Args:
        path: of the file. name: what messages call it. kind: what it should be. most: bytes.

    Raises:
        ScenarioError: it cannot be read, is too large or is not UTF-8 text.
    """
    try:
        return decoded(_bytes(path, most), name, kind, most)
    except OSError as error:
        raise ScenarioError(f"{name}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"{name}: cannot be read: no file can have this name") from None


def decoded(data: bytes, name: str, kind: str = "a YAML file", most: int = MOST_BYTES) -> str:
    """Bytes as text. Raises ScenarioError where they are too many or not UTF-8."""
    if len(data) > most:
        raise ScenarioError(f"{name}: larger than {most // 1024} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{name}: not {kind} (byte {error.start} is not UTF-8 text)") from None


def _bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """At most one byte more than allowed."""
    if os.path.isfile(path):
        with Path(path).open("rb") as file:
            return file.read(most + 1)
    found = os.stat(path)
    return _bytes_of_pipe(os.fspath(path), found.st_dev, found.st_ino, most)


@cache
def _bytes_of_pipe(path: str, device: int, number: int, most: int) -> bytes:
    """What can be read once only."""
    with Path(path).open("rb") as pipe:
        return pipe.read(most + 1)


# YAML ---------------------------------------------------------------------------------------------


def parse_yaml(text: str, name: str, *, lines: bool = True, key: str = "") -> Any:
    """A YAML 1.2 text, with the line of each key kept.

    Args:
        name: what messages call it. lines: whether they name the line. key: of the value that the text is.

    Raises:
        ScenarioError: it is not valid, or beyond a limit.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise ScenarioError(f"{name}: larger than {MOST_BYTES // 1024} KiB")
    yaml = YAML(typ="rt", pure=True)
    yaml.Parser, yaml.Constructor = partial(_Parser, key=key), _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{name}:{mark.line + 1 if mark else 1}" if lines else name
        raise ScenarioError(f"{place}: {_reason(error)}") from None
    except (YAMLError, ValueError) as error:
        raise ScenarioError(f"{name}: not valid YAML: {str(error).splitlines()[0]}") from None
    except Exception as error:  # the library fails in many ways on what nobody would write
        raise ScenarioError(f"{name}: not valid YAML ({type(error).__name__})") from None


class _Refused(MarkedYAMLError):
    """A text beyond a limit; its problem is the whole message."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(None, None, reason, event.start_mark)


def _reason(error: MarkedYAMLError) -> str:
    if isinstance(error, _Refused):
        return str(error.problem)
    if isinstance(error, DuplicateKeyError):
        found = re.search(r'found duplicate key "(.*?)"', str(error.problem))
        return f"duplicate key{f' {short(found[1])!r}' if found else ''}: a key may be given once in a section"
    return f"not valid YAML: {error.problem}"


class _Parser(RoundTripParser):
    """Counts what comes by, and refuses it before it is put together."""

    def __init__(self, loader: Any, key: str = "") -> None:
        super().__init__(loader)
        self._last: Event | None = None
        self._values = self._aliases = 0
        self._open: list[tuple[bool, str | None, int]] = []  # is a section, its anchor, values before it
        self._keys = [key]  # of the text and each of them, the key before what comes next; of a list, that of the list
        self._places: list[int] = []  # keys and values that came in each of them
        self._anchors: set[str] = set()
        self._sizes: dict[str, int] = {}  # of what has an anchor and is complete

    def peek_event(self) -> Any:
        event = super().peek_event()
        if event is not self._last:
            self._last = event
            self._look_at(event)
        return event

    def get_event(self) -> Any:
        self.peek_event()
        return super().get_event()

    def _look_at(self, event: Any) -> None:
        if isinstance(event, NodeEvent):
            self._node(event)
        elif isinstance(event, CollectionEndEvent):
            _, anchor, before = self._open.pop()
            self._places.pop()
            self._keys.pop()
            if anchor is not None:
                self._sizes[anchor] = self._values - before
        if self._values > MOST_VALUES:
            raise _Refused(event, f"more than {MOST_VALUES:,} values, those that aliases repeat included")

    def _node(self, event: Any) -> None:
        is_key = bool(self._open) and self._open[-1][0] and self._places[-1] % 2 == 0
        if self._places:
            self._places[-1] += 1
        if is_key and not isinstance(event, ScalarEvent):
            raise _Refused(event, "a key must be text")
        if isinstance(event, AliasEvent):
            self._aliases += 1
            if self._aliases > MOST_ALIASES:
                raise _Refused(event, f"more than {MOST_ALIASES} aliases (*name)")
            if any(anchor == event.anchor for _, anchor, _ in self._open):
                raise _Refused(event, f"the alias *{short(event.anchor)} stands within what it repeats")
            self._values += self._sizes.get(event.anchor, 1)
            return
        if event.anchor is not None:
            if event.anchor in self._anchors:
                raise _Refused(event, f"the anchor &{short(event.anchor)} is given twice")
            self._anchors.add(event.anchor)
        tag = str(getattr(event, "tag", None) or "!")
        if tag not in _TAGS:
            raise _Refused(event, f"the tag {short(tag)} is not read: only numbers, text, lists and sections are")
        if isinstance(event, ScalarEvent):
            size = 1 + len(event.value) // 64
            self._values += size
            if event.anchor is not None:
                self._sizes[event.anchor] = size
            self._keep_text(event, is_key)
        elif isinstance(event, CollectionStartEvent):
            self._keys.append("" if isinstance(event, MappingStartEvent) else self._keys[-1])
            self._open.append((isinstance(event, MappingStartEvent), event.anchor, self._values))
            self._places.append(0)
            self._values += 1
            if len(self._open) > MOST_DEPTH:
                raise _Refused(event, "nested too deeply")

    def _keep_text(self, event: Any, is_key: bool) -> None:
        """Keys and names are text, whatever else YAML would make of them; only `<<` merges, and nothing is nothing."""
        if event.implicit[0] and (event.value != "<<" if is_key else event.value and self._keys[-1] in NAMES):
            event.implicit = (False, True)
        if is_key:
            self._keys[-1] = event.value


class _Constructor(RoundTripConstructor):
    """Says where a value stands that cannot be made."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except YAMLError:
            raise
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise MarkedYAMLError(None, None, reason, node.start_mark) from None


def whole_number(value: int, place: str) -> int:
    """A number that can be shown. Raises ScenarioError for one of thousands of digits."""
    if value.bit_length() > 3.33 * _MOST_DIGITS:
        raise ScenarioError(f"{place}: a number of more than {_MOST_DIGITS} digits")
    return int(value)


# JSON ---------------------------------------------------------------------------------------------


def parse_json(text: str, name: str) -> Any:
    """A JSON text.

    Raises:
        ScenarioError: it is not valid, or beyond a limit.
    """
    if len(text.encode("utf-8", "surrogatepass")) > 2 * MOST_BYTES:  # the text of a scenario stands in it, escaped
        raise ScenarioError(f"{name}: larger than {2 * MOST_BYTES // 1024} KiB")
    if any(depth > MOST_DEPTH for depth in _depths(text)):
        raise ScenarioError(f"{name}: nested too deeply")
    try:
        return json.loads(text, parse_constant=_not_a_number)
    except ValueError:
        raise ScenarioError(f"{name}: the text is damaged or cut off") from None


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', text, re.DOTALL):
        depth += (found[0] in "[{") - (found[0] in "]}")
        yield depth


def _not_a_number(word: str) -> float:
    raise ValueError(f"{word} is not JSON")
