"""The fan of futures: bands over many runs of one scenario, redrawn while more of them become known."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import solara

from district_sim.app.charts import Line, TimeSeries
from district_sim.app.futures import RUNS, Fan, office
from district_sim.app.parts import BarsWidget
from district_sim.figures.style import LINES, TRAJECTORY_COLOURS
from district_sim.scenario.sections import Scenario
from district_sim.text.names import TRAJECTORY_NAMES, record_of, unit_words
from district_sim.text.numbers import chance

SHOWN = ("employment", "value_added_local", "trust", "mne_turnover_share")
_PAUSE = 0.2  # seconds between two drawings: the workers need the processor as well


@dataclass(frozen=True, eq=False)
class _Seen:
    """What there is to draw."""

    fan: Fan | None = None
    problem: str = ""


def use_futures(scenario: Scenario, seed: int = 0, runs: int = RUNS) -> tuple[Fan | None, str]:
    """A hook: the latest fan of a scenario, computed beside the page; another scenario cancels the computation.

    Returns:
        The latest fan, which is of an earlier scenario until the first runs of this one are known, and what went
        wrong, if something did.
    """
    seen, set_seen = solara.use_state(_Seen())

    def begin() -> Callable[[], None]:
        computation, left = office().compute(scenario, seed, runs), threading.Event()

        def follow() -> None:
            try:
                for fan in computation:
                    set_seen(_Seen(fan))
                    if left.wait(_PAUSE):
                        return
            except Exception as error:
                if not left.is_set():
                    set_seen(_Seen(problem=f"The futures could not be computed: {error}"))

        def end() -> None:
            left.set()
            computation.cancel()

        threading.Thread(target=follow, daemon=True).start()
        return end

    solara.use_effect(begin, [scenario, seed, runs])
    return seen.fan, seen.problem


@solara.component
def FanOfFutures(
    scenario: Scenario,
    *,
    indicators: Sequence[str] = SHOWN,
    seed: int = 0,
    runs: int = RUNS,
    height: int = 190,
    columns: int = 2,
    on_fan: Callable[[Fan], None] | None = None,
) -> None:
    """Draw what a scenario may lead to: median, 50 % and 90 % of the runs, and how probable each trajectory is.

    Args:
        scenario: another one starts anew, with the same luck; the old fan stays until the new one has begun.
        indicators: one chart for each.
        seed: of the replicates.
        runs: how many are made while nobody asks for anything else.
        height: of each chart in CSS pixels.
        columns: charts side by side.
        on_fan: called with every fan that is drawn.
    """
    fan, problem = use_futures(scenario, seed, runs)
    solara.use_effect(lambda: on_fan(fan) if on_fan and fan else None, [fan])
    known = fan is not None and fan.scenario == scenario
    charts = solara.use_memo(lambda: [_lines(fan, indicator) for indicator in indicators], [fan, tuple(indicators)])
    content = solara.use_memo(lambda: _probabilities(fan, known, runs), [fan, known, runs])
    if problem:
        solara.Error(problem)
    with solara.ColumnsResponsive(12, large=[12 // columns]):
        for record, lines in zip(map(record_of, indicators), charts, strict=True):
            unit = unit_words(record.unit)
            run = scenario.run
            look: Any = {"quarters": run.quarters, "calendar": run.calendar, "height": height}
            TimeSeries(lines, title=record.label, unit=unit, **look)
    BarsWidget.element(content=content)


def _lines(fan: Fan | None, indicator: str) -> list[Line]:
    if fan is None:
        return []
    low, lower, middle, upper, high = fan.quantiles(indicator)
    return [Line("median", middle, colour=LINES[0][0], bands=((low, high), (lower, upper)))]


def _probabilities(fan: Fan | None, known: bool, runs: int) -> dict[str, Any]:
    """Content of the bars: share of runs that end in each trajectory, with Wilson's interval."""
    found = fan.probabilities if fan else ()
    labelled = sum(p.runs for p in found)
    most = max((p.share for p in found), default=0.0) if labelled else 0.0
    bars = [
        {
            "label": TRAJECTORY_NAMES[p.trajectory],
            "value": p.share if labelled else 0.0,
            "colour": TRAJECTORY_COLOURS[p.trajectory],
            "text": chance(p.share, p.low, p.high),
            "low": p.low if labelled else None,
            "high": p.high if labelled else None,
            "first": p.share == most,
        }
        for p in found
    ]
    if fan is None:
        below = f"0 of {runs} runs: computing the first futures."
    elif not known:
        below = f"0 of {runs} runs: computing the futures of the new choice; the chart still shows the old ones."
    else:
        below = f"{fan.runs} of {fan.wanted} runs with different seeds, the same seeds for every choice. "
        if labelled < fan.runs:
            below += f"{fan.runs - labelled} have no label. "
        below += "Dark band: half of the runs; light band: nine tenths. In brackets: 95 % interval of the probability."
    return {"bars": bars, "heading": "How it may end", "below": below, "mark": None}
