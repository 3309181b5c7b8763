"""Figures: what they show, not how each pixel looks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb

from district_sim import figures
from district_sim.figures import CONTROLS, TRAJECTORY_COLOURS, TRAJECTORY_DASHES
from district_sim.run import Run, simulate
from district_sim.scenario import Scenario
from district_sim.trajectories import FUTURES, Trajectory
from district_sim.wording import TRAJECTORY_NAMES, heading

QUARTERS, START = 24, 8


@pytest.fixture(scope="module")
def run() -> Run:
    sections: dict[str, Any] = {
        "title": "Small district",
        "firms": {"count": 60, "pipelines": 0.3},
        "run": {"quarters": QUARTERS},
        "world": {"onset": START, "ramp": 8},
        "strategy_start": START,
        "strategy": {"sale": 1.0, "acquisition": 3.0},
    }
    return simulate(Scenario.model_validate(sections), seed=2)


def lightness(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def texts(legend: Any) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def named(ax: Any, gid: str) -> Any:
    (found,) = [artist for artist in ax.collections if artist.get_gid() == gid]
    return found


def test_each_trajectory_has_its_own_colour_and_dashes() -> None:
    assert set(TRAJECTORY_COLOURS) == set(Trajectory) == set(TRAJECTORY_DASHES) == set(TRAJECTORY_NAMES)
    assert len(set(TRAJECTORY_COLOURS.values())) == len(Trajectory)
    light = sorted(lightness(TRAJECTORY_COLOURS[future]) for future in FUTURES)
    assert np.diff(light).min() > 0.05, "the four futures must differ in grey"
    assert len({str(TRAJECTORY_DASHES[future]) for future in FUTURES}) == len(FUTURES)


def test_kinds_of_control_differ_in_marker_and_grey() -> None:
    assert len({look.marker for look in CONTROLS.values()}) == len(CONTROLS)
    light = [lightness(look.colour) for look in CONTROLS.values()]
    assert len({round(value, 2) for value in light}) == len(CONTROLS)


def test_dashboard_draws_the_table(run: Run) -> None:
    figure = figures.dashboard(run)
    assert len(figure.axes) == 9
    assert all(ax.get_title(loc="left") and ax.get_ylabel() for ax in figure.axes)
    assert [ax.get_xlabel() for ax in figure.axes[-3:]] == ["quarter"] * 3
    employment = next(ax for ax in figure.axes if ax.get_title(loc="left") == "Employment")
    assert employment.get_ylabel() == "employees"
    line = employment.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, QUARTERS + 1))
    np.testing.assert_array_equal(line.get_ydata(), run.indicators["employment"])
    control = next(ax for ax in figure.axes if ax.get_title(loc="left") == "Control")
    assert texts(control.get_legend()) == ["multinationals", "groups", "captive"]
    assert "Small district" in figure.get_suptitle()
    assert TRAJECTORY_NAMES[run.trajectory] in figure.get_suptitle()


def test_background_shows_globalisation_and_the_strategy(run: Run) -> None:
    ax = figures.dashboard(run).axes[0]
    (shade,) = ax.images
    np.testing.assert_array_equal(shade.get_array()[0], run.indicators["globalisation"])
    assert START in [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert ax.get_xlim() == (0, QUARTERS)


def test_map_draws_every_tie_once_and_every_firm_once(run: Run) -> None:
    before, after = figures.district_map(run).axes
    for ax, snapshot in ((before, run.start), (after, run.end)):
        ties = named(ax, "ties")
        assert isinstance(ties, LineCollection)
        assert len(ties.get_segments()) == len(snapshot.ties) > 0
        a, b = snapshot.ties.iloc[0][["a", "b"]].astype(int)
        ends = snapshot.firms.loc[[a, b], ["x", "y"]].to_numpy()
        np.testing.assert_allclose(ties.get_segments()[0], ends)
        drawn = {control: len(named(ax, control).get_offsets()) for control in CONTROLS}
        assert drawn == {control: int((snapshot.firms["control"] == control).sum()) for control in CONTROLS}
        assert len(named(ax, "pipelines").get_segments()) == int((snapshot.firms["pipelines"] > 0).sum()) > 0
    assert drawn["multinational"] > 0, "the scenario should lead to takeovers, else the test shows little"
    assert before.get_xlabel() == after.get_xlabel() == before.get_ylabel() == "km"


def test_ties_are_darker_with_more_trust(run: Run) -> None:
    alpha = named(figures.district_map(run).axes[1], "ties").get_colors()[:, 3]
    order = np.argsort(run.end.ties["trust"].to_numpy())
    assert np.all(np.diff(alpha[order]) >= 0.0)
    assert alpha.max() > alpha.min()


def test_marks_grow_with_employees(run: Run) -> None:
    marks = named(figures.district_map(run).axes[0], "independent").get_sizes()
    employees = run.start.firms.query("control == 'independent'")["employees"].to_numpy()
    assert marks[np.argmax(employees)] == marks.max() > 2.0 * np.median(marks)


def test_map_legend_names_all_that_is_drawn(run: Run) -> None:
    (legend,) = figures.district_map(run).legends
    assert {look.label for look in CONTROLS.values()} <= set(texts(legend))
    assert {"pipelines", "5 employees", "50 employees"} <= set(texts(legend))


def test_map_of_a_district_without_firms(run: Run) -> None:
    nobody = figures.Snapshot(run.end.firms.iloc[:0], run.end.ties.iloc[:0])
    empty = Run(run.scenario, run.seed, run.indicators, run.start, nobody, run.versions)
    after = figures.district_map(empty).axes[1]
    assert len(named(after, "ties").get_segments()) == 0
    assert "0 firms" in after.get_title(loc="left")


def test_scores_over_time_end_at_the_scores(run: Run) -> None:
    ax = figures.scores_over_time(run).axes[0]
    lines = {line.get_label(): line for line in ax.lines}
    for future in FUTURES:
        line = lines[TRAJECTORY_NAMES[future]]
        assert line.get_color() == TRAJECTORY_COLOURS[future]
        assert line.get_xdata()[-1] == QUARTERS
    labels = " ".join(text.get_text() for text in ax.texts)
    assert all(TRAJECTORY_NAMES[future] in labels for future in FUTURES)


def test_scores_of_the_shortest_run_can_be_drawn(run: Run) -> None:
    short = Run(run.scenario, run.seed, run.indicators.iloc[:2], run.start, run.end, run.versions)
    assert all(len(line.get_xdata()) == 1 for line in figures.scores_over_time(short).axes[0].lines[:4])


def test_futures_has_a_map_and_bars_for_each_run(run: Run) -> None:
    runs = {"baseline": run, "fragmentation": run, "learning_region": run}
    figure = figures.futures(runs)
    maps = [ax for ax in figure.axes if any(part.get_gid() == "ties" for part in ax.collections)]
    assert [ax.get_title() for ax in maps] == ["The district at the start", *map(heading, runs)]
    assert len(named(maps[0], "ties").get_segments()) == len(run.start.ties)
    assert len(named(maps[1], "ties").get_segments()) == len(run.end.ties)
    bars = [ax for ax in figure.axes if len(ax.patches) == len(FUTURES) and ax.get_xlabel() == "score"]
    assert len(bars) == len(runs)
    for ax in bars:
        assert [bar.get_width() for bar in ax.patches] == [run.scores.of(future) for future in FUTURES]
        assert [to_hex(bar.get_facecolor()) for bar in ax.patches] == [TRAJECTORY_COLOURS[f] for f in FUTURES]
    employment = next(ax for ax in figure.axes if ax.get_title(loc="left") == "Employment")
    colours = [line.get_color() for line in employment.lines[:3]]
    meant = (Trajectory.MARSHALLIAN_PERSISTENCE, Trajectory.FRAGMENTATION, Trajectory.LEARNING_REGION)
    assert colours == [TRAJECTORY_COLOURS[trajectory] for trajectory in meant]


def test_drawing_touches_nothing_global(run: Run) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures.scores_over_time(run)
    assert dict(mpl.rcParams) == before


def test_save_writes_whole_files_and_the_same_twice(run: Run, tmp_path: Path) -> None:
    written = figures.save(figures.scores_over_time(run), tmp_path / "one.two")
    assert written == [tmp_path / "one.two.png", tmp_path / "one.two.svg"]
    assert written[0].read_bytes().startswith(b"\x89PNG")
    again = figures.save(figures.scores_over_time(run), tmp_path / "again")
    assert [a.read_bytes() for a in written] == [b.read_bytes() for b in again]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.png", "again.svg", "one.two.png", "one.two.svg"]


def test_save_leaves_no_half_written_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = figures.scores_over_time(run)
    (tmp_path / "old.png").write_text("kept")

    def full(path: Path, **_: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(OSError, match="No space"):
        figures.save(figure, tmp_path / "old")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]
