"""Figures: what they show, not how each pixel looks."""

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from figure_parts import QUARTERS, START, lightness, named, of_nobody, small_run, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from district_sim import figures
from district_sim.experiments.compare import Comparison, compare
from district_sim.experiments.discover import Box, Restriction
from district_sim.experiments.ranges import Parameter
from district_sim.figures import CONTROLS, TRAJECTORY_COLOURS, TRAJECTORY_DASHES
from district_sim.figures.layout import MOST_BUNDLES, centre_of_zones, zones_of
from district_sim.figures.maps import reach_of
from district_sim.figures.style import STYLE, scale_y, within
from district_sim.run.run import Run
from district_sim.run.trajectories import FUTURES, Trajectory
from district_sim.text.names import TRAJECTORY_NAMES, heading


@pytest.fixture(scope="module")
def run() -> Run:
    return small_run()


def test_type_checkers_see_the_names_that_are_imported_late() -> None:
    told = {}
    for node in ast.walk(ast.parse(Path(figures.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("district_sim.figures."):
            told |= {alias.name: str(node.module).rsplit(".", 1)[-1] for alias in node.names}
    assert told == {name: home for home, names in figures._HOMES.items() for name in names.split()}


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
    employment = next(ax for ax in figure.axes if ax.get_title(loc="left") == "Employees")
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


def test_map_draws_ties_in_bundles_and_every_firm_once(run: Run) -> None:
    before, after = figures.district_map(run).axes
    for ax, snapshot in ((before, run.start), (after, run.end)):
        bundles = named(ax, "bundles")
        assert isinstance(bundles, LineCollection)
        limit, found = reach_of(run), Counter[tuple[int, int]]()
        zone = dict(zip(snapshot.firms.index, zones_of(snapshot.firms["x"], snapshot.firms["y"], limit), strict=True))
        for a, b in snapshot.ties[["a", "b"]].itertuples(index=False):
            if zone[a] != zone[b]:
                found[min(zone[a], zone[b]), max(zone[a], zone[b])] += 1
        counted = sorted(found.values())[-MOST_BUNDLES:]
        broad = np.array(bundles.get_linewidths())
        np.testing.assert_allclose(broad / broad[-1], np.array(counted) / counted[-1])
        strongest = {pair for pair, ties in found.items() if ties == counted[-1]}
        ends = centre_of_zones(limit)
        assert any(np.allclose(bundles.get_segments()[-1], ends[list(pair)]) for pair in strongest)
        drawn = {control: len(named(ax, control).get_offsets()) for control in CONTROLS}
        assert drawn == {control: int((snapshot.firms["control"] == control).sum()) for control in CONTROLS}
        assert len(named(ax, "pipelines").get_segments()) == int((snapshot.firms["pipelines"] > 0).sum()) > 0
    assert drawn["multinational"] > 0, "the scenario should lead to takeovers, else the test shows little"
    assert before.get_xlabel() == after.get_xlabel() == before.get_ylabel() == "km"


def test_marks_grow_with_employees(run: Run) -> None:
    marks = named(figures.district_map(run).axes[0], "independent").get_sizes()
    employees = run.start.firms.query("control == 'independent'")["employees"].to_numpy()
    assert marks[np.argmax(employees)] == marks.max() > 2.0 * np.median(marks)


def test_map_legend_names_all_that_is_drawn(run: Run) -> None:
    (legend,) = figures.district_map(run).legends
    assert {look.label for look in CONTROLS.values()} <= set(texts(legend))
    assert {"pipelines", "5 employees", "50 employees"} <= set(texts(legend))


def test_map_of_a_district_without_firms(run: Run) -> None:
    after = figures.district_map(of_nobody(run)).axes[1]
    assert len(named(after, "bundles").get_segments()) == 0
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
    maps = [ax for ax in figure.axes if any(part.get_gid() == "bundles" for part in ax.collections)]
    assert [ax.get_title() for ax in maps] == ["The district at the start", *map(heading, runs)]
    for ax, snapshot in zip(maps[:2], (run.start, run.end), strict=True):
        assert sum(len(named(ax, control).get_offsets()) for control in CONTROLS) == len(snapshot.firms)
    bars = [ax for ax in figure.axes if len(ax.patches) == len(FUTURES) and ax.get_xlabel() == "score"]
    assert len(bars) == len(runs)
    for ax in bars:
        assert [bar.get_width() for bar in ax.patches] == [run.scores.of(future) for future in FUTURES]
        assert [to_hex(bar.get_facecolor()) for bar in ax.patches] == [TRAJECTORY_COLOURS[f] for f in FUTURES]
    employment = next(ax for ax in figure.axes if ax.get_title(loc="left") == "Employees")
    colours = [line.get_color() for line in employment.lines[:3]]
    meant = (Trajectory.MARSHALLIAN_PERSISTENCE, Trajectory.FRAGMENTATION, Trajectory.LEARNING_REGION)
    assert colours == [TRAJECTORY_COLOURS[trajectory] for trajectory in meant]


# Experiments --------------------------------------------------------------------------------------


def compared() -> Comparison:
    """Two cells against a third, twelve replicates, one quantity and one share."""
    rng = np.random.default_rng(0)
    luck, rows = rng.normal(1.0, 0.1, 12), []
    for point, (name, gain) in enumerate({"baseline": 0.0, "learning_region": 0.5, "my_mix": -0.2}.items()):
        for replicate in range(12):
            label = "decline" if name == "my_mix" and replicate < 5 else "marshallian_persistence"
            values = {
                "employment": 100.0 * (luck[replicate] + gain),
                "unemployment": 0.1 - 0.05 * gain * luck[replicate],
            }
            identity = {"point": point, "replicate": replicate, "scenario": name, "policies": "own", "status": "done"}
            rows.append({**identity, "trajectory": label, **values})
    return compare(pd.DataFrame(rows), ["employment", "unemployment"])


def test_differences_are_in_per_cent_and_in_points() -> None:
    found = compared()
    quantities, shares = figures.differences(found).axes
    assert quantities.get_xlabel() == "difference, % of the mean under baseline"
    assert [label.get_text() for label in quantities.get_yticklabels()] == ["Employees"]
    assert [label.get_text() for label in shares.get_yticklabels()] == ["Unemployment"]
    table = found.differences.set_index(["cell", "outcome"])
    for ax, outcome in ((quantities, "employment"), (shares, "unemployment")):
        dots = {bar[0].get_color(): bar[0].get_xdata()[0] for bar in ax.containers}
        for cell, colour in (("learning_region", TRAJECTORY_COLOURS[Trajectory.LEARNING_REGION]), ("my_mix", None)):
            row = table.loc[(cell, outcome)]
            scale = 100.0 / row["counterfactual"] if outcome == "employment" else 100.0
            shown = dots[colour] if colour else next(x for c, x in dots.items() if c not in TRAJECTORY_COLOURS.values())
            assert shown == pytest.approx(scale * row["difference"])


def test_bands_show_the_median_of_each_cell() -> None:
    quarters = range(4, 44, 4)
    rows = [
        {"cell": cell, "quarter": q, "indicator": name, "low": 0.1, "median": 0.2 + shift, "high": 0.4}
        for cell, shift in (("baseline", 0.0), ("my_mix", 0.1))
        for q in quarters
        for name in figures.BAND_INDICATORS
    ]
    figure = figures.bands(pd.DataFrame(rows), ["baseline", "my_mix"])
    for ax in figure.axes:
        assert [line.get_ydata()[0] for line in ax.lines] == pytest.approx([0.2, 0.3])
        assert len(ax.collections) == 2
        assert ax.lines[0].get_color() != ax.lines[1].get_color()
    assert texts(figure.legends[0]) == ["Baseline", "My mix"]


def test_transitions_count_every_replicate() -> None:
    figure = figures.transitions(compared())
    shown = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert shown == [["12"], ["7", "5"]]
    assert [ax.get_xlabel() for ax in figure.axes] == ["under learning_region", "under my_mix"]


def test_title_of_a_single_small_transition_fits() -> None:
    found = compared()
    figure = figures.transitions(replace(found, transitions={"learning_region": found.transitions["learning_region"]}))
    FigureCanvasAgg(figure).draw()
    title = figure._suptitle.get_window_extent()
    assert figure.bbox.x0 <= title.x0 < title.x1 <= figure.bbox.x1


def test_morris_names_the_first_and_places_all() -> None:
    effects = np.linspace(100.0, 1.0, 14)
    table = pd.DataFrame({"parameter": [f"market.p{k}" for k in range(14)], "mu_star": effects})
    table = table.assign(sigma=effects[::-1], mu_star_conf=5.0, mu=effects)
    ax = figures.morris_plane(table, "employment", named=5).axes[0]
    assert [text.get_text() for text in ax.texts] == [f"market.p{k}" for k in [0, 1, 2, 3, 4]]
    assert (
        sum(len(part.get_offsets()) for part in ax.collections if hasattr(part, "get_sizes") and len(part.get_sizes()))
        == 14
    )
    heights = sorted(text.get_position()[1] for text in ax.texts)
    assert np.diff(heights).min() > 0.0
    assert "Employees" in ax.get_xlabel()


def test_sobol_bars_have_their_lengths_and_intervals() -> None:
    table = pd.DataFrame(
        {"parameter": ["a", "b"], "S1": [0.6, -0.02], "S1_conf": [0.1, 0.05], "ST": [0.7, 0.1], "ST_conf": [0.1, 0.02]}
    )
    ax = figures.sobol_bars(table, "employment").axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.6, -0.02, 0.7, 0.1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_xlim()[0] < -0.07 < 0.0, "the interval below zero is inside the figure"


def phases() -> pd.DataFrame:
    """Decline where x is large, persistence elsewhere, and one mixed point."""
    rows = []
    for x in (0.0, 0.5, 2.0):
        for y in (False, True):
            for seed in range(4):
                mixed = x == 0.5 and y and seed == 0
                label = Trajectory.DECLINE if x == 2.0 or mixed else Trajectory.MARSHALLIAN_PERSISTENCE
                rows.append({"a.x": x, "b.y": y, "trajectory": label.value})
    return pd.DataFrame(rows)


def test_map_of_futures_shares_cells_and_draws_borders() -> None:
    ax = figures.map_of_futures(phases(), "a.x", "b.y", ("x", "y")).axes[0]
    decline = TRAJECTORY_COLOURS[Trajectory.DECLINE]
    widths = {
        (round(bar.get_x(), 2), bar.get_y()): bar.get_width()
        for bar in ax.patches
        if bar.get_fill() and to_hex(bar.get_facecolor()) == decline and bar.get_width() > 0.0
    }
    assert widths == {(1.5, -0.5): 1.0, (1.5, 0.5): 1.0, (1.25, 0.5): 0.25}
    borders = [(tuple(line.get_xdata()), tuple(line.get_ydata())) for line in ax.lines]
    assert borders == [((1.5, 1.5), (-0.5, 0.5)), ((1.5, 1.5), (0.5, 1.5))]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.5", "2"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["false", "true"]
    assert {text.get_text() for text in ax.texts} == {"Marshallian\npersistence", "Decline"}


def test_scenarios_are_placed_by_their_values() -> None:
    marks = [
        figures.Mark("here", 1.25, True),
        figures.Mark("there", 1.25, True),
        figures.Mark("outside", 3.0, True),
        figures.Mark("elsewhere", 0.0, False),
    ]
    figure = figures.map_of_futures(phases(), "a.x", "b.y", ("x", "y"), marks)
    dots = [tuple(np.ravel(line.get_data())) for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert dots == [(1.5, 1.0), (0.0, 0.0)]
    assert texts(figure.legends[1]) == ["here, there", "elsewhere"]


def test_boxes_show_their_sides_and_all_points() -> None:
    entry, off = Parameter("demography.entry", "number", 0.0, 0.1), Parameter("mechanisms.takeover", "boolean", 0, 1)
    box = Box(
        (Restriction(entry, True, 0.04, 0.001), Restriction(off, False, 0.0, 0.01)),
        0.8, 0.9, 20, 18, True, ((1.0, 0.3, 0), (0.9, 0.6, 1), (0.8, 0.9, 2)),
    )  # fmt: skip
    cases = pd.DataFrame({"demography.entry": np.linspace(0.0, 0.1, 40), "mechanisms.takeover": [False, True] * 20})
    cases["share"], cases["case"] = 1.0, cases["demography.entry"] > 0.04
    left, middle, right = figures.boxes(cases, [box], "decline").axes
    said = [text.get_text() for text in left.texts]
    assert {"demography.entry", "> 0.04", "mechanisms.takeover", "= false", "true"} <= set(said)
    filled = [(bar.get_x(), bar.get_width()) for bar in left.patches][1::2]
    assert filled == [(0.0, 0.5), (pytest.approx(0.4), pytest.approx(0.6))]
    assert (0.8, 0.9) in [tuple(np.ravel(line.get_data())) for line in middle.lines]
    assert sum(len(part.get_offsets()) for part in right.collections) == 40
    assert middle.get_xlim() == middle.get_ylim() == (0.0, 1.0)  # shares
    assert right.get_xlim()[0] >= 0.0 or right.get_ylim()[0] >= 0.0  # the entry rate
    (frame,) = right.patches
    assert (frame.get_x(), frame.get_x() + frame.get_width()) == (-0.5, 0.5) or frame.get_y() == -0.5


@pytest.mark.parametrize(("unit", "top", "end"), [("share", 0.98, 1.0), ("share", 1.0, 1.0), ("index", 0.5, 0.55)])
def test_axes_of_shares_end_at_one(unit: str, top: float, end: float) -> None:
    ax = Figure().subplots()
    scale_y(ax, unit, top)
    assert ax.get_ylim() == pytest.approx((0.0, end))


def test_axes_are_cut_where_all_data_lies_between() -> None:
    ax = Figure().subplots()
    ax.plot([0.0, 0.4], [0.2, 1.5])
    above = ax.get_ylim()
    within(ax, "xy")
    assert ax.get_xlim()[0] == 0.0
    assert 0.4 < ax.get_xlim()[1] < 1.0
    assert ax.get_ylim() == above


# Drawing and saving -------------------------------------------------------------------------------


def test_drawing_touches_nothing_global(run: Run) -> None:
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


@pytest.mark.parametrize("face", ["white", "none", (1.0, 0.5, 0.0, 0.25)])
def test_a_png_has_the_pixels_that_were_drawn(tmp_path: Path, face: Any) -> None:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.0, 1.0), dpi=150, facecolor=face)
        figure.subplots().plot([0, 1], [1, 0])
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    path, _ = figures.save(figure, tmp_path / "one")
    with Image.open(path) as picture:
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        assert np.array_equal(np.asarray(picture.convert("RGBA")), np.asarray(canvas.buffer_rgba()))


@pytest.mark.parametrize(("canvas", "suffix"), [(FigureCanvasAgg, "png"), (FigureCanvasSVG, "svg")])
def test_save_leaves_no_half_written_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, canvas: type, suffix: str
) -> None:
    figure = figures.scores_over_time(run)
    (tmp_path / f"old.{suffix}").write_text("kept")

    def full(self: Any, to: Path, **options: Any) -> None:
        to.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(canvas, f"print_{suffix}", full)
    with pytest.raises(OSError, match="No space"):
        figures.save(figure, tmp_path / "old")
    assert (tmp_path / f"old.{suffix}").read_text() == "kept"
    assert {path.name for path in tmp_path.iterdir()} == {"old.png", f"old.{suffix}"}  # the picture before was whole
