"""One run: from a scenario and a seed, quarter by quarter, to a table of indicators, snapshots and its provenance."""

import html
import io
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from district_sim._version import __version__
from district_sim.model.extensions import columns_of, quarters_with
from district_sim.model.initial import initial_state
from district_sim.model.parameters import Parameters, acting_instruments, for_kernels, parameters_of
from district_sim.model.processes.knowledge import update_knowledge
from district_sim.model.schedule import living_firms, most_firms, outgrown, spare_rows
from district_sim.model.scratch import list_living
from district_sim.model.state import OVERFLOW, OWNERS, SIZES, State, fitted, grown, reports_of
from district_sim.run.columns import note_of
from district_sim.run.events import Chronicle, Event
from district_sim.run.labelled_files import write_parquet
from district_sim.run.snapshot import Snapshot
from district_sim.run.trajectories import Columns, Scores, Trajectory, recovery_time, score
from district_sim.run.whole_files import defined, is_empty, sweep_up, write_csv, write_json
from district_sim.scenario.calendar import Calendar
from district_sim.scenario.extensions import indicators_of, versions_of
from district_sim.scenario.indicators import NAMES
from district_sim.scenario.renamed import RENAMED, RENAMED_OF_FIRMS, note_renamed
from district_sim.scenario.sections import Scenario
from district_sim.scenario.texts import MOST_BYTES, ScenarioError, parse_json, read_text

if TYPE_CHECKING:
    import pandas as pd

MOVED = ("started", "stopped", "changed")
"""What signposts do to an instrument; `changed`: its budget."""
_AT_ONCE = 6000  # firms times quarters: some hundredths of a second


def advance(state: State, p: Parameters, table: np.ndarray, start: int, stop: int, reports: Any = None) -> State:
    """Run quarters start..stop-1, writing one row of indicators each.

    Args:
        state: changed in place; replaced by a larger one when rows run short.
        table: (quarters, len(columns_of(p))) floats.
        reports: what each policy instrument did is written here, if given; see `state.reports_of`.

    Returns:
        The state to go on with. It has seen fewer quarters if the district has outgrown all bounds: see `ended_early`.

    Raises:
        ValueError: the parameters have other dimensions than the state.
        RuntimeError: more firms were founded in one quarter than rows had been kept free, as by a mechanism from
            outside.
    """
    state, done = fitted(state, p), start
    reports = reports_of(state, 0) if reports is None else reports
    quarters, p = quarters_with(p, state), for_kernels(p)
    while done < stop:
        done = quarters(state, p, table, reports, done, stop, False)
        if state.tally[OVERFLOW] > 0.0:
            raise RuntimeError("more firms were founded in one quarter than the model keeps room for")
        if done < stop:
            alive = living_firms(state.firms, state.clock)
            if outgrown(alive, state.clock, p):
                break
            state = grown(state, max(2 * state.firms.size, int(state.clock.rows[0] + 2 * spare_rows(alive, p))))
    return state


def ended_early(state: State, p: Parameters) -> str:
    """Why a run ends here before its time, in a sentence; empty if it goes on.

    It ends where so many firms live, or have lived, that it would take all memory and never end.
    """
    p, alive, lived = for_kernels(p), int(living_firms(state.firms, state.clock)), int(state.clock.rows[0])
    if not outgrown(alive, state.clock, p):
        return ""
    quarters, most = int(state.clock.step[0]), int(most_firms(p))
    return (
        f"The district has outgrown all bounds and ends after {quarters} quarters: {alive:,} firms live (a run ends at "
        f"{most:,}), {lived:,} have lived. With a lower demography.entry fewer are founded."
    )


def learn(state: State, p: Parameters) -> None:
    """Run the learning of one quarter alone, in place, of all living firms; nothing else happens and no time passes."""
    living = list_living(state.firms, state.clock, state.scratch)
    update_knowledge(state, living, for_kernels(p), p.strategy[0])


class Moment(NamedTuple):
    """A district on its way."""

    done: int
    """Quarters completed."""
    state: State
    """As it is now: the next quarters are run in it, so what is to be kept must be copied."""
    table: np.ndarray
    """(done, len(columns_of(p))) indicators."""
    reports: Any
    """(done, I) what the policy instruments did; see `state.reports_of`."""


def quarters_of(p: Parameters, seed: int, length: int, stops: Iterable[int] = ()) -> Iterator[Moment]:
    """Run a district from its first quarter on: the one way from a seed to states and indicators.

    Args:
        seed: 0 <= seed < 2**64.
        length: quarters, >= 1.
        stops: quarters, 0..length, after which to stop whatever the size of the district: `range(length)` for all.

    Yields:
        The district before the first quarter, after each stop, at the end, and in between as often as a caller needs
        who wants to tell of progress or to give up: after some hundredths of a second. The end comes before `length`
        if the district has outgrown all bounds.

    Raises:
        RuntimeError: as `advance`.
    """
    state = initial_state(p, seed, length)
    table, reports = np.full((length, len(columns_of(p))), np.nan), reports_of(state, length)
    yield Moment(0, state, table[:0], reports[:0])
    yield from go_on(Moment(0, state, table, reports), p, length, stops)


def go_on(begun: Moment, p: Parameters, length: int, stops: Iterable[int] = ()) -> Iterator[Moment]:
    """The quarters that are left of a run.

    Args:
        begun: with a table and reports for all of its quarters; changed in place.
        length, stops: as of `quarters_of`.
    """
    done, state, table, reports = begun
    at_once = max(1, _AT_ONCE // int(p.firms[0].count))
    for stop in sorted({*stops, length}):
        while done < stop:
            first, done = done, min(done + at_once, stop)
            state = advance(state, p, table, first, done, reports)
            reached = int(state.clock.step[0])
            if reached > first:
                yield Moment(reached, state, table[:reached], reports[:reached])
            if reached < done:
                return


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """The result of one run; it carries all that is needed to make it again."""

    scenario: Scenario
    seed: int
    table: "np.ndarray | pd.DataFrame"
    """(quarters, len(names)) indicators, or a frame as `load` reads it; `indicators` is the same with names."""
    start: Snapshot
    end: Snapshot
    versions: dict[str, str]
    between: Mapping[int, Snapshot] = field(default_factory=dict)
    """The district after some quarters on the way, if `simulate` was asked to keep them; `save` leaves them out."""
    spending: "Callable[[], pd.DataFrame] | None" = None
    """Makes `policies`; left out where no instrument acted."""
    ended: str = ""
    """Why it ended before its time, if it did; see `ended_early`."""
    happened: "Callable[[], Sequence[Event]] | None" = None
    """Makes `events`; without it they are made of the table."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the indicators: `indicators.NAMES`, then those of mechanisms from outside."""
        return (*NAMES, *indicators_of(self.scenario.extensions))

    def __repr__(self) -> str:
        title = self.scenario.title or "A district"
        return f"<Run {title[:80]!r}, seed {self.seed}, {len(self.table)} quarters>"

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and its last quarters."""
        title = html.escape(self.scenario.title or "A district")
        said = f"<p><b>{title}</b>: seed {self.seed}, {len(self.table)} quarters</p>"
        return said + str(self.indicators.tail(4).T.to_html(float_format="{:.4g}".format))

    @cached_property
    def indicators(self) -> "pd.DataFrame":
        """One row per quarter, columns `names`."""
        return as_frame(self.table, self.names) if isinstance(self.table, np.ndarray) else self.table

    @property
    def columns(self) -> Columns:
        """The indicators by name, without the frame that takes a while to make."""
        return dict(zip(self.names, self.table.T, strict=True)) if isinstance(self.table, np.ndarray) else self.table

    @cached_property
    def policies(self) -> "pd.DataFrame":
        """What the policy instruments did, one row per quarter and instrument: see `reported`."""
        import pandas as pd

        return pd.DataFrame() if self.spending is None else self.spending()

    @cached_property
    def events(self) -> "tuple[Event, ...]":
        """What happened, in the order of time; see `run.events` for what is lacking if nobody watched the run."""
        if self.happened is not None:
            return tuple(self.happened())
        return tuple(Chronicle.of_table(self.columns, self.scenario, self.policies).events(self.scenario))

    @property
    def moments(self) -> dict[int, Snapshot]:
        """The district after so many quarters, in order: at the start (0), on the way, at the end."""
        return {0: self.start, **self.between, len(self.table): self.end}

    @cached_property
    def scores(self) -> Scores:
        """Scores of the four futures and the label."""
        return score(self.columns, calm_window=self.scenario.calm_window)

    @property
    def trajectory(self) -> Trajectory | None:
        """The label; None where nothing can be said."""
        return self.scores.label

    def summary(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON. What is undefined is null, and a recovery that never came."""
        late = self.indicators.tail(1).iloc[0]
        recovery = recovery_time(self.columns, calm_window=self.scenario.calm_window)
        return {
            "scenario": self.scenario.model_dump(mode="json"),
            "seed": self.seed,
            "quarters": len(self.table),
            "complete": len(self.table) >= self.scenario.run.quarters,
            "ended": self.ended,
            "versions": self.versions,
            "trajectory": self.trajectory,
            "scores": {name: defined(value) for name, value in asdict(self.scores).items()},
            "recovery_time": defined(recovery),
            "policies": [
                {name: defined(value) if isinstance(value, float) else value for name, value in row.items()}
                for row in policy_totals(self.policies).to_dict("records")
            ],
            "signposts": moves(self.policies, self.scenario.run.calendar).to_dict("records"),
            "events": [event.as_json() for event in self.events],
            "indicators": {name: defined(float(late[name])) for name in self.names},
            "start": _as_json(self.start),
            "end": _as_json(self.end),
        }

    def save(
        self, folder: str | os.PathLike[str], *, force: bool = False, beside: Callable[[], list[Path]] = list
    ) -> list[Path]:
        """Write run.json, indicators (Parquet and CSV), firms, ties and pipelines to a folder.

        Every file appears whole or not at all. run.json comes last: a folder that holds it is whole.

        Args:
            folder: made if missing.
            force: write into a folder that is not empty, replacing files of the same names.
            beside: writes more files before run.json, and returns them.

        Returns:
            The files written.

        Raises:
            FileExistsError: the folder is not empty and `force` is not given.
            OSError: it cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        sweep_up(folder)
        if not force and not is_empty(folder):
            raise FileExistsError(f"{folder} is not empty; use --force (force=True) to replace files in it")
        for name in ("run.json", "policies.parquet", "policies.csv"):  # of an earlier run; the last two may not come
            (folder / name).unlink(missing_ok=True)
        calendar = self.scenario.run.calendar
        indicators, policies = dated(self.indicators, calendar), dated(self.policies, calendar)
        tables = {"indicators": indicators, **_tables(self.end), **_tables(self.start, "_start")}
        if len(policies):
            tables["policies"] = policies
        written = []
        for name, frame in tables.items():
            notes = partial(note_of, name.removesuffix("_start"), scenario=self.scenario)
            written.append(write_parquet(folder / f"{name}.parquet", frame, notes))
        written.append(write_csv(folder / "indicators.csv", indicators, index=True))
        if len(policies):
            written.append(write_csv(folder / "policies.csv", policies))
        written += beside()
        written.append(write_json(folder / "run.json", self.summary()))
        return written

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "Run":
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: the folder holds no complete run.
            ValueError: a file in it is damaged; the message names it.
        """
        import pandas as pd

        folder = Path(folder)
        if not (folder / "run.json").is_file():
            raise FileNotFoundError(f"{folder} holds no complete run (run.json is missing)")
        data = _told(folder / "run.json")
        if missing := [name for name in _WHOLE if not (folder / f"{name}.parquet").is_file()]:
            raise FileNotFoundError(f"{folder} holds no complete run ({missing[0]}.parquet is missing)")
        read = {path.stem: _table(path) for path in folder.glob("*.parquet")}
        for table in read.keys() & {"indicators", "policies"}:
            read[table] = read[table].drop(columns="date", errors="ignore")
        for table, names in (("indicators", RENAMED), ("firms", RENAMED_OF_FIRMS), ("firms_start", RENAMED_OF_FIRMS)):
            if old := [name for name in names if name in read.get(table, ())]:
                note_renamed(folder / f"{table}.parquet", {name: names[name] for name in old})
                read[table] = read[table].rename(columns=names)

        def snapshot(suffix: str, told: dict[str, Any]) -> Snapshot:
            return Snapshot(
                lambda: read[f"firms{suffix}"],
                lambda: read[f"ties{suffix}"],
                lambda: pd.DataFrame(told["value_chain"], dtype=float).rename_axis("phase"),
                lambda: told["agency"],
                lambda: read.get(f"pipelines{suffix}", pd.DataFrame()),
            )

        return cls(
            scenario=Scenario.model_validate_json(json.dumps(data["scenario"])),
            seed=data["seed"],
            table=read["indicators"],
            start=snapshot("_start", data["start"]),
            end=snapshot("", data["end"]),
            versions=data["versions"],
            spending=(lambda: read["policies"]) if "policies" in read else None,
            ended=data.get("ended", ""),
            happened=(lambda: [Event.from_json(one) for one in data["events"]]) if "events" in data else None,
        )


_WHOLE = ("indicators", "firms", "ties", "firms_start", "ties_start")
"""Tables without which a folder holds no run."""


def _told(path: Path) -> dict[str, Any]:
    told = parse_json(read_text(path, str(path), "a JSON file", 2 * MOST_BYTES), str(path))
    keys = ("scenario", "seed", "start", "end", "versions")
    if lacking := [key for key in keys if not isinstance(told, dict) or key not in told]:
        raise ScenarioError(f"{path}: is not what a run writes: it lacks {lacking[0]!r}")
    return dict(told)


def _table(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(path.read_bytes()))
    except ValueError:  # pyarrow's are
        raise ScenarioError(f"{path}: is not a Parquet file, or a damaged one") from None


def _tables(snapshot: Snapshot, suffix: str = "") -> "dict[str, pd.DataFrame]":
    tables = {"firms": snapshot.firms, "ties": snapshot.ties, "pipelines": snapshot.pipelines}
    return {f"{name}{suffix}": frame for name, frame in tables.items()}


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {"value_chain": snapshot.value_chain.to_dict("list"), "agency": snapshot.agency}


def versions(extensions: Iterable[str] = ()) -> dict[str, str]:
    """Versions that a result depends on.

    Args:
        extensions: names of mechanisms from outside in the scenario.
    """
    import numba

    return {
        "district_sim": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        **versions_of(extensions),
    }


def as_frame(table: np.ndarray, names: Sequence[str] = NAMES) -> "pd.DataFrame":
    """The table of indicators with names, indexed by quarter (1 is the first completed quarter)."""
    import pandas as pd

    return pd.DataFrame(table, columns=list(names), index=pd.RangeIndex(1, len(table) + 1, name="quarter"))


def dated(frame: "pd.DataFrame", calendar: Calendar | None) -> "pd.DataFrame":
    """A table by quarter with a column `date` such as `2002Q1` before the others, if the run has dates.

    Readers know this form: `pandas.PeriodIndex(frame["date"], freq="Q")`, in Stata `quarterly(date, "YQ")`.

    Args:
        frame: with the quarter, 1 the first, as its index or a column.
    """
    if calendar is None or not len(frame):
        return frame
    out, place = frame.copy(), list(frame).index("quarter") + 1 if "quarter" in frame else 0
    quarters = frame.get("quarter", frame.index)
    out.insert(place, "date", [calendar.date(int(quarter) - 1) for quarter in quarters])
    return out


def reported(reports: Any, scenario: Scenario) -> "pd.DataFrame":
    """What the policy instruments did, as a table.

    Args:
        reports: (quarters, I) records; see `state.reports_of`.
        scenario: in which the I instruments act.

    Returns:
        One row per quarter (1 is the first) and instrument with columns quarter, instrument, kind, funded_by, spent and
        left_over [k€], served [firms; none by instruments for the district as a whole], started, stopped and changed
        (1 in the quarter in which a signpost did that, else 0) and, of the served, served_SIZE, served_OWNER and
        served_phase_K. Empty without instruments.
    """
    import pandas as pd

    items = acting_instruments(scenario)
    if not items:
        return pd.DataFrame()
    quarters, flat = len(reports), reports.reshape(-1)
    columns: dict[str, Any] = {
        "quarter": np.repeat(np.arange(1, quarters + 1), len(items)),
        "instrument": [item.name for item in items] * quarters,
        "kind": [item.kind.value for item in items] * quarters,
        "funded_by": [item.funded_by.value for item in items] * quarters,
        "spent": flat.spent,
        "left_over": flat.unspent,
        "served": flat.served,
        **{moved: flat[moved] for moved in MOVED},
    }
    phases = [f"phase_{k}" for k in range(flat.served_phase.shape[1])]
    for group, names in (("served_size", SIZES), ("served_owner", OWNERS), ("served_phase", phases)):
        columns |= {f"served_{name}": flat[group][:, k] for k, name in enumerate(names)}
    return pd.DataFrame(columns)


def policy_totals(policies: "pd.DataFrame") -> "pd.DataFrame":
    """Sums of `Run.policies` over time, one row per instrument in its order; served becomes firm-quarters.

    Instruments of equal names are distinguished by their place. `quarters`: in how many money was spent; started,
    stopped and changed: how often, and first_started and so on: the first quarter in which, NaN if in none.
    """
    import pandas as pd

    if not len(policies):
        return pd.DataFrame()
    names = ["instrument", "kind", "funded_by"]
    place = policies.groupby("quarter").cumcount()
    table = policies.assign(quarters=(policies["spent"] > 0.0).astype(int)).drop(columns="quarter")
    sums = table.groupby([place, *names], sort=False).sum()
    for moved in MOVED if MOVED[0] in policies else ():  # runs of older versions have none
        when = policies["quarter"].where(policies[moved] > 0.0)
        sums[f"first_{moved}"] = (
            when.groupby([place, *(policies[name] for name in names)], sort=False).min().astype(float)
        )
    return sums.reset_index(names).reset_index(drop=True)


def moves(policies: "pd.DataFrame", calendar: Calendar | None) -> "pd.DataFrame":
    """When signposts moved instruments.

    Args:
        policies: as `Run.policies`.
        calendar: of the run, if it has dates.

    Returns:
        One row per move in the order of time: quarter (1 is the first), date if there is a calendar, instrument, move
        (of `MOVED`).
    """
    import pandas as pd

    names = ["quarter", "instrument", "move"]
    if MOVED[0] not in policies:
        return pd.DataFrame(columns=names)
    long = policies.melt(["quarter", "instrument"], list(MOVED), "move", "times")
    found = long[long["times"] > 0.0].sort_values("quarter", kind="stable")[names].reset_index(drop=True)
    return dated(found, calendar)


def simulate(
    scenario: Scenario,
    seed: int = 0,
    quarters: int | None = None,
    progress: Callable[[int], object] | None = None,
    every: int | None = None,
    watch: bool = False,
) -> Run:
    """Run a scenario once.

    Args:
        scenario: see `load_scenario`.
        seed: 0 <= seed < 2**64.
        quarters: length of the run; the scenario's `run.quarters` if left out. It is shorter if the district outgrows
            all bounds: see `Run.ended`.
        progress: called with the number of quarters done, after every quarter or, in small districts, every few.
        every: keep a snapshot of the district every so many quarters, for figures of how it came about.
        watch: look at the district after each quarter, so that `Run.events` names the firms that were sold and the
            phases that were lost. With `every` it is watched anyway.

    Raises:
        ValueError: seed, quarters or every out of range.
        KeyboardInterrupt: as raised by `progress`; its `args` then hold the `Run` so far, if a quarter was finished.
    """
    length = scenario.run.quarters if quarters is None else quarters
    if length < 1:
        raise ValueError(f"quarters must be at least 1, not {length}")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be between 0 and 2**64 - 1, not {seed}")
    if every is not None and every < 1:
        raise ValueError(f"every must be at least 1, not {every}")
    stops = () if every is None else range(every, length, every)
    p = parameters_of(scenario)
    watch = watch or every is not None
    moments = quarters_of(p, seed, length, range(length) if watch else stops)
    now = next(moments)
    chronicle = Chronicle.begun(now.state) if watch else None
    kept = {0: Snapshot.of(now.state)}

    def result() -> Run:
        spending = partial(reported, now.reports, scenario) if now.reports.size else None
        start, end = kept.pop(0), Snapshot.of(now.state)
        kept.pop(now.done, None)
        ended = ended_early(now.state, p) if now.done < length else ""
        used = versions(scenario.extensions)
        happened = partial(chronicle.events, scenario) if chronicle is not None else None
        return Run(scenario, seed, now.table, start, end, used, kept, spending, ended, happened)

    try:
        for now in moments:
            if chronicle is not None:
                chronicle.see(now.state, scenario)
            if now.done in stops:
                kept[now.done] = Snapshot.of(now.state)
            if progress:
                progress(now.done)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(*([result()] if now.done else [])) from None
    return result()
