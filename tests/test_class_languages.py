"""Languages of the class: every text has its translation, which says the same of what is filled in; who sees which."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from class_parts import lesson_in
from starlette.testclient import TestClient

from district_sim.app.classroom import server
from district_sim.app.classroom.futures import Futures
from district_sim.app.classroom.journal import About, opened
from district_sim.app.classroom.languages import (
    FOLDER,
    LANGUAGES,
    catalogue,
    known,
    paragraphs,
    preferred,
    texts_of,
    translated,
    translated_lesson,
    translated_markdown,
)
from district_sim.app.classroom.lesson import lesson_names, load_lesson
from district_sim.app.classroom.translators import sources as every_source
from district_sim.app.classroom.translators import updated, written
from district_sim.app.classroom.words import WORDS, refusal, words
from district_sim.cli.classroom import Language

OTHERS = [one for one in LANGUAGES if one != "en"]
sources = cache(every_source)
STATIC = FOLDER.parent / "static"
HOME = "127.0.0.1:8770"
ORIGIN = {"Origin": f"http://{HOME}", "Host": HOME}
MARKS = re.compile(r"\{\w+\}|`[^`]*`|^## |^- |\*(?=\w)|\((?:[^()]*\b(?:1[89]|20)\d\d)[^()]*\)")
"""What must survive a translation: what is filled in, code, headings, items, emphasis, and years of publications."""


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    """If this fails: `python scripts/translations`, and fill in what is empty in district_sim/app/classroom/locale."""
    have = catalogue(language)
    missing = [text for text in sources() if not (message := have.get(text)) or not message.string]
    assert missing == []
    gone = [message.id for message in have if message.id and message.id not in sources()]
    assert gone == []


@pytest.mark.parametrize("language", OTHERS)
def test_catalogues_are_as_the_script_writes_them(language: str) -> None:
    assert (FOLDER / f"{language}.po").read_bytes() == written(updated(language))


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_filled_in_and_marked_survives(language: str) -> None:
    def marks(text: str) -> list[str]:
        years = [year for one in MARKS.findall(text) for year in re.findall(r"\b(?:1[89]|20)\d\d\b", one)]
        return sorted([one for one in MARKS.findall(text) if not one.startswith("(")] + years)

    differ = [(message.id, message.string) for message in catalogue(language) if message.id]
    assert [(a, b) for a, b in differ if marks(str(a)) != marks(str(b))] == []


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", lesson_names())
def test_a_translated_lesson_differs_in_words_only(name: str, language: str) -> None:
    english = load_lesson(name)
    other = translated_lesson(english, language)
    assert len(list(texts_of(other))) == len(list(texts_of(english)))
    assert other.title != english.title
    said = {"title", "about", "text", "notes", "reveal", "name", "choices"}

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(one) for key, one in value.items() if key not in said}
        return [bare(one) for one in value] if isinstance(value, list) else value

    assert bare(other.model_dump()) == bare(english.model_dump())
    for a, b in zip(english.steps, other.steps, strict=True):
        assert len(getattr(a, "choices", [])) == len(set(getattr(b, "choices", [])))
        assert len(b.title) <= 100


@pytest.mark.parametrize("language", OTHERS)
def test_notes_name_buttons_as_the_pages_do(language: str) -> None:
    said = words(language)
    named = {said["reveal"], said["run"], *(translated(text, language) for text in sources())}
    for text in sources():
        for name in re.findall(r"(?<!\*)\*([^*]{3,})\*(?!\*)", translated(text, language)):
            assert name in named or name.startswith(("Distri", "District")), (text, name)


def test_every_word_that_the_pages_ask_for_is_there() -> None:
    files = "\n".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.[jh]*")))
    asked = set(re.findall(r'data-word="(\w+)"', files)) | set(re.findall(r'\bsay\(\s*"([\w.]+)"', files))
    assert len(asked) > 50
    assert asked <= set(WORDS)


def test_a_text_of_ones_own_stays_as_it_was_written(tmp_path: Path) -> None:
    lesson = lesson_in(tmp_path)
    assert lesson.steps[0].title == "Look"  # which is a word of the pages, too
    assert translated_lesson(lesson, "it") == lesson
    assert translated("Nobody has translated this", "it") == "Nobody has translated this"
    assert translated_markdown("## In class\n\nMine\n- a\n- b", "de") == "## Im Unterricht\n\nMine\n\n- a\n\n- b"
    assert paragraphs("a\nb\n\n\nc\n") == ["a\nb", "c\n"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("it-IT,it;q=0.9,en;q=0.8", "it"),
        ("fr,de-AT;q=0.7,es;q=0.9", "es"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
        ("de;q=x,ES", "es"),
        (";;;,,q=1" * 90, "en"),
    ],
)
def test_the_browser_says_which_language(header: str | None, language: str) -> None:
    assert preferred(header) == language
    assert known(["it"]) == known("fr") == "en"


def test_numbers_in_sentences_follow_the_language() -> None:
    assert "2,5" in refusal("too_dear", "it", purse=2.5)
    assert "2.5" in refusal("too_dear", purse=2.5)
    assert refusal("name_long", "de", most=24) == "Ein Name hat höchstens 24 Buchstaben."


def test_the_command_knows_the_same_languages() -> None:
    assert [one.value for one in Language] == list(LANGUAGES)


# Who sees which -------------------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    journal = opened(tmp_path / "room.sqlite", About(load_lesson("four_futures"), "## In class", "BCDF", "the key"))
    group = server.Class(journal, Futures(ThreadPoolExecutor(1)), lambda: [f"http://{HOME}/"])
    group.wake = lambda event=None: None  # type: ignore[method-assign] # nothing need be computed here
    with TestClient(server.application(group), base_url=f"http://{HOME}") as made:
        yield made


def heard(talk: Any, key: str) -> Any:
    while True:
        if key in (message := json.loads(talk.receive_text())):
            return message[key]


def test_each_reads_in_the_language_of_the_own_choice(client: TestClient) -> None:
    with (
        client.websocket_connect("/student", headers=ORIGIN) as one,
        client.websocket_connect("/student", headers=ORIGIN) as two,
        client.websocket_connect("/lead", headers=ORIGIN) as lead,
    ):
        one.send_text(json.dumps({"code": "BCDF", "language": "it"}))
        two.send_text(json.dumps({"code": "BCDF", "language": ["de"]}))
        lead.send_text(json.dumps({"key": "the key", "language": "de"}))
        hello = heard(one, "hello")
        assert hello["lesson"]["title"] == "I quattro futuri"
        assert hello["indicators"]["employment"]["label"] == "Addetti"
        assert "Trecento piccole imprese" in heard(one, "view")["step"]["html"]
        assert heard(two, "hello")["lesson"]["title"] == "The four futures"
        assert "<h2>Im Unterricht</h2>" in heard(lead, "hello")["notes"]
        view = heard(lead, "view")
        assert view["step"]["title"] == "Ein Distrikt und seine Firmen"
        assert view["step"]["district"] == "Marshallsche Beharrung"
        one.send_text(json.dumps({"do": "name", "name": "x" * 30}))
        assert heard(one, "no") == "Un nome ha al massimo 24 lettere."


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [("?language=de", "it", "de"), ("?language=", "it-CH", "it"), ("?language=../x", "fr", "en"), ("", "es", "es")],
)
def test_words_come_in_a_language(client: TestClient, query: str, header: str, language: str) -> None:
    got = client.get(f"/words.js{query}", headers={"Accept-Language": header})
    assert f'LANGUAGE = "{language}";' in got.text
    assert json.dumps(words(language)["join"], ensure_ascii=False) in got.text
