"""What tests of the class share: a short lesson of tiny districts, and what students may say in it."""

from pathlib import Path

from district_sim.app.classroom.lesson import Lesson, load_lesson

TINY = "title: The tiny secret\nfirms: {count: 30, settling: 2}\nrun: {quarters: 16}\nstrategy_start: 2\n"
LESSON = """\
title: A short lesson
minutes: 20
luck: 5
teams: 2
shows: [employment, trust]
steps:
  - {kind: read, title: Look, minutes: 2, text: "A **district**.", district: {scenario: ./tiny.yaml}}
  - {kind: vote, title: Who wins?, minutes: 2, text: Choose., choices: [Firms, Workers], answer: 2,
     reveal: Because., notes: For me.}
  - {kind: predict, title: District A, minutes: 3, text: Guess., district: {scenario: ./tiny.yaml}, seen: 6,
     reveal: So it was.}
  - {kind: predict, title: Jobs, minutes: 3, text: Guess., district: {scenario: ./tiny.yaml}, ask: employment}
  - kind: run
    title: Yours
    minutes: 5
    text: Run it.
    district: {scenario: ./tiny.yaml}
    levers: [{path: strategy.collective_action, low: 0.0, high: 1.0, price: 4}]
    policies: [{kind: ppp_match, most: 100, start: 2, text: Public money}]
    purse: 2
    teams: true
    tries: 2
  - kind: game
    title: The agency
    minutes: 5
    text: Join or not.
    district: {scenario: ./tiny.yaml, values: {strategy.collective_action: 0.6}}
    rounds: {begin: 4, count: 2, quarters: 4}
    levers: [{path: agency.contribution, name: Fee, low: 0.005, high: 0.045}]
    efforts: [{name: Sell together, projects: {brand: 0.6, pipelines: 0.4}}]
"""
VOTE, MYSTERY, JOBS, OWN, GAME = 1, 2, 3, 4, 5
"""Steps of the lesson."""


def write_lesson(folder: Path, text: str = LESSON) -> Path:
    """The lesson as a file, with the district beside it."""
    (folder / "tiny.yaml").write_text(TINY)
    path = folder / "lesson.yaml"
    path.write_text(text)
    return path


def lesson_in(folder: Path) -> Lesson:
    """The lesson."""
    return load_lesson(write_lesson(folder))
