"""What translators need: every text of the class that comes with the package, and catalogues brought up to date."""

import io
from collections.abc import Iterator

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from district_sim.app.classroom.futures import TABLE, asked
from district_sim.app.classroom.languages import FOLDER, key_of, paragraphs, texts_of
from district_sim.app.classroom.lesson import lesson_names, lesson_notes, load_lesson, scenario_of
from district_sim.app.classroom.views import notes_for_a_class
from district_sim.app.classroom.words import WORDS, unit_of
from district_sim.scenario.indicators import INDICATORS

_HEADER = "# Texts of the class. `python scripts/translations` adds what is missing."
_WIDTH = 120


def sources() -> dict[str, list[str]]:
    """Every English paragraph that a class can see, with the places where it stands."""
    found: dict[str, list[str]] = {}
    for place, text in _all():
        for part in paragraphs(text):
            places = found.setdefault(key_of(part), [])
            places += [] if place in places else [place]
    return found


def _all() -> Iterator[tuple[str, str]]:
    for key, word in WORDS.items():
        yield f"words: {key}", word
    lessons = {name: load_lesson(name) for name in lesson_names()}
    shown = {*TABLE, *(one for lesson in lessons.values() for one in (*lesson.shows, *asked(lesson)))}
    for indicator in INDICATORS:
        if indicator.name in shown:
            yield f"indicator {indicator.name}", indicator.label
            yield f"unit of {indicator.name}", unit_of(indicator)
    for name, lesson in lessons.items():
        yield from ((f"lesson {name}", text) for text in texts_of(lesson))
        yield f"notes of the lesson {name}", lesson_notes(name)
    districts = [district for lesson in lessons.values() for _, district in lesson.districts()]
    for district in {one.scenario: one for one in districts}.values():
        scenario = scenario_of(district)
        for text in (scenario.title, scenario.description, notes_for_a_class(district.scenario)):
            yield f"scenario {district.scenario}", text


def updated(language: str) -> Catalog:
    """The catalogue of a language with all texts in their order: known translations kept, new texts without one."""
    path = FOLDER / f"{language}.po"
    old = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.is_file() else Catalog(locale=language)
    made = Catalog(locale=language, header_comment=_HEADER, project="district-sim", fuzzy=False)
    for text, places in sources().items():
        message = old.get(text)
        made.add(text, message.string if message else "", auto_comments=places)
    return made


def written(made: Catalog) -> bytes:
    """A catalogue as a file: the same texts give the same bytes."""
    out = io.BytesIO()
    write_po(out, made, width=_WIDTH, omit_header=True)
    return f'{_HEADER}\nmsgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'.encode() + out.getvalue()
