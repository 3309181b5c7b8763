"""Languages of the class: catalogues in `locale/`, read as they are, one paragraph of English text to one translation.

A text stands once, in English, in `words`, a lesson or a scenario's notes. What has no translation, such as a lesson of
one's own, is shown as it was written. `python scripts/translations` brings the catalogues up to date.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from district_sim.app.classroom.lesson import Lesson
from district_sim.scenario.fields import Section

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "it": "Italiano", "es": "Español", "de": "Deutsch"}
"""Each by its own name."""
FOLDER = Path(__file__).parent / "locale"
_TEXTS = ("title", "about", "text", "notes", "reveal", "name", "choices")
"""Fields of a lesson and its parts that people read."""
_MOST_HEADER = 200
_PARAGRAPHS = re.compile(r"\n\s*\n|\n(?=[-*] )")


def preferred(header: str | None, default: str = ENGLISH) -> str:
    """The language of ours that a browser likes best.

    Args:
        header: what it says in `Accept-Language`.
    """
    weighed = []
    for place, part in enumerate((header or "")[:_MOST_HEADER].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1.0), place, name.strip()))
        except ValueError:
            continue
    names = [name.partition("-")[0].lower() for _, _, name in sorted(weighed)]
    return negotiate_locale(names, LANGUAGES) or default


def known(language: object, default: str = ENGLISH) -> str:
    """A language of ours that somebody asked for."""
    return language if isinstance(language, str) and language in LANGUAGES else default


@lru_cache
def catalogue(language: str) -> Catalog:
    """The translations into a language."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def key_of(text: str) -> str:
    """A paragraph as catalogues know it: however its lines are broken."""
    return " ".join(text.split())


def paragraphs(text: str) -> list[str]:
    """The parts of a Markdown text that are translated one by one: paragraphs, headings and items of lists."""
    return [part for part in _PARAGRAPHS.split(text) if part.strip()]


def translated(text: str, language: str) -> str:
    """A text of one paragraph."""
    if language == ENGLISH or not text.strip():
        return text
    message = catalogue(language).get(key_of(text))
    return str(message.string) if message and message.string else text


def translated_markdown(text: str, language: str) -> str:
    """A Markdown text, paragraph by paragraph."""
    if language == ENGLISH:
        return text
    return "\n\n".join(translated(part, language) for part in paragraphs(text))


def translated_lesson(lesson: Lesson, language: str) -> Lesson:
    """A lesson whose texts are in another language, and whose numbers, districts and answers are the same.

    One whose title has no translation stays as it is: a word here and there that others use as well helps nobody.
    """
    return lesson if translated(lesson.title, language) == lesson.title else _part(lesson, language)


def texts_of(part: Section) -> Iterator[str]:
    """Every text of a lesson that people read."""
    for name in type(part).model_fields:
        value = _said(part, name)
        if name in _TEXTS:
            yield from [value] if isinstance(value, str) else value
        elif name != "claims":
            yield from (text for one in _parts(value) for text in texts_of(one))


def _part[Part: Section](part: Part, language: str) -> Part:
    changed: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = _said(part, name)
        if name in _TEXTS:
            one = isinstance(value, str)
            new = [translated_markdown(text, language) for text in ([value] if one else value)]
            changed[name] = new[0] if one else new
        elif name != "claims" and _parts(value):
            found = [_part(one, language) for one in _parts(value)]
            changed[name] = found if isinstance(value, list) else found[0]
    return part.model_copy(update=changed)


def _said(part: Section, name: str) -> Any:
    """What stands in a field; of a lever or a policy without a name, how it is called."""
    return getattr(part, "label", "") if name == "name" else getattr(part, name)


def _parts(value: Any) -> list[Section]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Section)]


def number(value: object, language: str) -> object:
    """A number that stands in a sentence, as the language writes it; None is undefined; anything else as it is."""
    if value is None:
        return "–"
    return format_decimal(value, locale=language) if isinstance(value, float) else value
