"""The page's own controls: plain HTML in Vue templates, one file each in `vue/`.

Native buttons, sliders and fields are operable by keyboard and readable by screen readers as they are, and a quarter
that passes sends one number to the header instead of a tree of widgets.
"""

from collections.abc import Callable
from typing import Any

import solara


@solara.component_vue("vue/header.vue")
def Header(
    tabs: list[Any],
    tab: str,
    playing: bool,
    done: bool,
    quarter: int,
    quarters: int,
    first: int,
    begin: int,
    mapless: bool,
    speed: int,
    speeds: list[int],
    event_show: Callable[[str], None],
    event_play: Callable[..., None],
    event_step: Callable[[int], None],
    event_reset: Callable[..., None],
    event_branch: Callable[..., None],
    event_seen: Callable[[int], None],
    event_hasten: Callable[[int], None],
    event_resized: Callable[[list[int]], None],
) -> None:
    """Title, views, transport and clock."""


@solara.component_vue("vue/scenario.vue")
def ScenarioBox(
    scenarios: list[Any],
    chosen: str,
    description: str,
    notes: str,
    seed: str,
    problem: str,
    most_bytes: int,
    event_choose: Callable[[str], None],
    event_reseed: Callable[[str], None],
    event_given: Callable[[dict[str, Any]], None],
    event_refused: Callable[[str], None],
) -> None:
    """Which scenario, which luck, or a file."""


@solara.component_vue("vue/levers.vue")
def LeversBox(
    levers: list[dict[str, Any]],
    note: str,
    moved_any: bool,
    event_moved: Callable[[dict[str, Any]], None],
    event_restore: Callable[..., None],
) -> None:
    """The levers."""


@solara.component_vue("vue/measures.vue")
def MeasuresBox(
    policies: list[dict[str, Any]],
    shocks: list[dict[str, Any]],
    deeds: list[Any],
    note: str,
    done: bool,
    event_switched: Callable[[dict[str, Any]], None],
    event_struck: Callable[[str], None],
) -> None:
    """Policies, shocks, and what was done."""


@solara.component_vue("vue/events.vue")
def EventsList(rows: list[Any]) -> None:
    """What happened: glyph, its colour, when, what."""


@solara.component_vue("vue/says.vue")
def SaysBox(kind: str, text: str, event_hide: Callable[..., None]) -> None:
    """A message."""


@solara.component_vue("vue/compare.vue")
def ContrastBox(
    groups: list[dict[str, Any]],
    path: str,
    since: int,
    starts: list[Any],
    lever: dict[str, Any] | None,
    event_differ: Callable[[dict[str, Any]], None],
) -> None:
    """What differs in the second district."""


@solara.component_vue("vue/colour.vue")
def ColourBox(options: list[Any], chosen: str, event_choose: Callable[[str], None]) -> None:
    """What the colour of firms on the map means."""


@solara.component_vue("vue/money.vue")
def MoneyTable(caption: str, heads: list[str], rows: list[Any]) -> None:
    """Sums of money by policy; the last row is their sum."""


@solara.component_vue("vue/address.vue")
def AddressBox(query: str, state: str, event_kept: Callable[[str], None], event_lost: Callable[..., None]) -> None:
    """Keeps the state in the page's address or, where it is too long, in the tab."""


@solara.component_vue("vue/differences.vue")
def DifferencesTable(rows: list[Any], caption: str) -> None:
    """Two districts' indicators and their differences."""


@solara.component_vue("vue/predict.vue")
def PredictBox(
    stage: str,
    quarter: int,
    quarters: int,
    options: list[Any],
    jobs: list[Any],
    problem: str,
    guessed: str,
    right: bool,
    answer: list[Any],
    event_guess: Callable[[dict[str, str]], None],
    event_again: Callable[..., None],
) -> None:
    """A guess, and what came."""


@solara.component_vue("vue/share.vue")
def ShareBox(query: str) -> None:
    """The link to this state."""
