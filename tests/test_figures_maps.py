"""Figures of one district and films of it: what they show, not how each pixel looks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_parts import QUARTERS, drawn_texts, lightness, named, of_nobody, small_run, texts, without_firms
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from PIL import Image
from scipy.stats import gaussian_kde

from district_sim import District, figures
from district_sim.figures import CONTROLS, TRAJECTORY_COLOURS, structure
from district_sim.figures.layout import MOST_BUNDLES
from district_sim.figures.style import AGENCY, RIM, phase_colours
from district_sim.run.run import Run, simulate
from district_sim.run.snapshot import Snapshot
from district_sim.run.trajectories import FUTURES

OF_A_DISTRICT = [
    name for home in ("maps", "structure", "three_views") for name in figures._HOMES[home].split() if name.islower()
]


@pytest.fixture(scope="module")
def run() -> Run:
    return small_run()


# Moments ------------------------------------------------------------------------------------------


def test_moments_on_the_way_change_nothing(run: Run) -> None:
    assert list(run.moments) == [0, 8, 16, QUARTERS]
    plain = simulate(run.scenario, run.seed)
    pd.testing.assert_frame_equal(plain.indicators, run.indicators)
    assert list(plain.moments) == [0, QUARTERS]
    until_then = simulate(run.scenario, run.seed, quarters=8)
    pd.testing.assert_frame_equal(until_then.end.firms, run.moments[8].firms)
    with pytest.raises(ValueError, match="every must be at least 1, not 0"):
        simulate(run.scenario, every=0)


def test_a_saved_run_is_drawn_alike(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path)
    loaded = Run.load(tmp_path)
    for table, new, old in (
        ("indicators", "technology_mean", "trajectory_mean"),
        ("firms", "technology", "trajectory"),
    ):
        path = tmp_path / f"{table}.parquet"
        pd.read_parquet(path).rename(columns={new: old}).to_parquet(path)
    with pytest.warns(FutureWarning, match="is now called"):
        older = Run.load(tmp_path)
    pd.testing.assert_frame_equal(older.table, loaded.table)
    pd.testing.assert_frame_equal(older.end.firms, loaded.end.firms)
    for before, after in ((run.start, loaded.start), (run.end, loaded.end)):
        pd.testing.assert_frame_equal(before.value_chain, after.value_chain)
        assert before.agency == after.agency
    assert list(loaded.moments) == [0, QUARTERS]
    drawn = [figures.save(figures.value_chain(r), tmp_path / name)[1] for r, name in ((run, "a"), (loaded, "b"))]
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


# One district -------------------------------------------------------------------------------------


def test_network_map_shows_phase_control_and_participants(run: Run) -> None:
    firms = run.end.firms.copy()
    firms["participates"] = np.arange(len(firms)) % 2
    agency = {"capability": 0.4, "brand": 0.1, "participation": 0.5, "pipelines": 0.3}
    shown = Snapshot(lambda: firms, lambda: run.end.ties, lambda: run.end.value_chain, lambda: agency)
    figure = figures.network_map(shown)
    (ax,) = figure.axes
    shades = phase_colours(6)
    for control in CONTROLS:
        part = firms[firms["control"] == control]
        marks = named(ax, control)
        assert [to_hex(c) for c in marks.get_facecolors()] == [shades[k] for k in part["phase"]]
        rims = [AGENCY if joins else RIM for joins in part["participates"]]
        assert [to_hex(c) for c in marks.get_edgecolors()] == rims
    assert len(named(ax, "bundles").get_segments()) <= MOST_BUNDLES < len(run.end.ties)
    assert len(named(ax, "agency").get_offsets()) == 1
    assert len(named(ax, "collective pipelines").get_segments()) == 3
    assert texts(ax.get_legend()) == [*(f"phase {k}" for k in range(1, 6)), "final phase"]
    assert "participant" in texts(figure.legends[0])
    assert "participation 50 %" in ax.texts[0].get_text()


def test_a_model_is_drawn_as_it_stands(run: Run) -> None:
    model = District(run.scenario, seed=run.seed)
    model.run_for(QUARTERS)
    by_model, by_run = figures.network_map(model).axes[0], figures.network_map(run).axes[0]
    assert by_model.get_title(loc="left") == by_run.get_title(loc="left")
    for control in CONTROLS:
        np.testing.assert_array_equal(named(by_model, control).get_offsets(), named(by_run, control).get_offsets())


def test_value_chain_stacks_to_the_whole(run: Run) -> None:
    figure = figures.value_chain(run)
    for ax, snapshot in zip(figure.axes, (run.start, run.end), strict=True):
        chain = snapshot.value_chain
        np.testing.assert_allclose(chain.sum(axis=1), 1.0)
        assert chain.to_numpy().min() >= 0.0
        for name in figures.ORIGINS:
            bars = [bar for bar in ax.patches if bar.get_gid() == name]
            assert [bar.get_height() for bar in bars] == pytest.approx(100.0 * chain[name])
        assert ax.get_ylabel() == "value of the phase, %"
        told = ax.get_xticklabels()[0].get_text()
        assert f"{(snapshot.firms['phase'] == 0).sum()} firm" in told
    assert texts(figure.legends[0]) == [origin.label for origin in figures.ORIGINS.values()]


def test_value_chain_agrees_with_the_indicators(run: Run) -> None:
    """Equal values of all phases but the last: the mean over phases is the indicator."""
    made = float(run.end.value_chain["made"].mean())
    assert made == pytest.approx(run.indicators["make_share"].iloc[-1], rel=0.05)  # firms closed since are missing


def test_origins_differ_in_grey_and_hatch() -> None:
    light = sorted(lightness(origin.colour) for origin in figures.ORIGINS.values())
    assert np.diff(light).min() > 0.05
    assert len({origin.hatch for origin in figures.ORIGINS.values()}) == 3


def test_phases_darken_towards_the_market() -> None:
    for phases in (2, 6, 10):
        assert np.diff([lightness(colour) for colour in phase_colours(phases)]).max() < -0.005


def test_ownership_tree_shows_every_owned_firm_once(run: Run) -> None:
    firms = run.end.firms.copy()
    leader, other, *rest = firms.index[:6]
    firms["owner"] = -1
    firms.loc[rest[:3], "owner"] = leader
    firms.loc[rest[3], "owner"] = other
    firms.loc[leader, "owner"] = -3
    firms["control"] = "independent"
    shown = Snapshot(lambda: firms, lambda: run.end.ties, lambda: run.end.value_chain, lambda: run.end.agency)
    ax = figures.ownership_tree(shown).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["multinational 2", f"firm {leader}", f"firm {other}"]
    assert [len(named(ax, f"owned {row}").get_offsets()) for row in (1, 2)] == [3, 1]
    assert len([part for part in ax.collections if str(part.get_gid()).startswith("owned")]) == 2
    assert named(ax, "owned 1").get_sizes()[0] == named(ax, "owned 1").get_sizes().max()
    assert f"{len(firms)} firms" in ax.get_xlabel()


def test_ownership_tree_of_a_run_counts_its_owners(run: Run) -> None:
    ax = figures.ownership_tree(run).axes[0]
    owners = {int(code) for code in run.end.firms["owner"] if code != -1}
    assert len(ax.get_yticks()) == len(owners) > 0
    drawn = sum(len(part.get_offsets()) for part in ax.collections if str(part.get_gid()).startswith("owned"))
    owned = run.end.firms["owner"] != -1
    assert drawn == int((owned & ~run.end.firms.index.isin(owners)).sum())


def test_ridges_are_densities_with_their_quantiles(run: Run) -> None:
    figure = figures.knowledge_ridge(run)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["0", "8", "16", "24"]
    for ax, kind in zip(figure.axes, ("tacit", "codified"), strict=True):
        ridges = [part for part in ax.collections if str(part.get_gid()).startswith("ridge")]
        assert len(ridges) == 4
        lines = {line.get_gid(): line for line in ax.lines}
        values = run.end.firms[kind]
        assert lines["middle 3"].get_xdata() == pytest.approx(values.quantile([0.1, 0.9]))
        assert lines["median 3"].get_xdata()[0] == pytest.approx(values.median())
        light = [lightness(to_hex(ridge.get_facecolor()[0])) for ridge in ridges]
        assert np.all(np.diff(light) < 0.0), "later is darker"
        assert "level" in ax.get_xlabel()


@pytest.mark.parametrize("firms", [2, 300])
def test_ridge_is_the_density_that_scipy_estimates(firms: int) -> None:
    values, grid = np.random.default_rng(firms).beta(2.0, 5.0, firms), np.linspace(0.0, 1.0, 50)
    np.testing.assert_allclose(structure._density(values, grid), gaussian_kde(values)(grid), rtol=1e-9, atol=1e-12)


def test_ridge_of_equal_firms_and_of_nobody(run: Run) -> None:
    firms = run.end.firms.assign(tacit=0.5, codified=0.0)
    equal = Snapshot(lambda: firms, lambda: run.end.ties, lambda: run.end.value_chain, lambda: run.end.agency)
    ax = figures.knowledge_ridge({0: equal}).axes[0]
    assert np.isfinite(ax.collections[0].get_paths()[0].vertices).all()
    with pytest.raises(ValueError, match="no moment at which the district has firms"):
        figures.knowledge_ridge({0: without_firms(run.end)})


@pytest.mark.parametrize("name", [*OF_A_DISTRICT, "dashboard"])
def test_a_dead_district_can_be_drawn(name: str, run: Run) -> None:
    FigureCanvasAgg(getattr(figures, name)(of_nobody(run))).draw()


@pytest.mark.parametrize("name", OF_A_DISTRICT)
def test_texts_stay_inside_and_apart(name: str, run: Run) -> None:
    figure = getattr(figures, name)(run)
    boxes = drawn_texts(figure)
    for text, box in boxes:
        assert min(box.x0, box.y0) >= -1.0, text
        assert box.x1 <= figure.bbox.width + 1.0, text
        assert box.y1 <= figure.bbox.height + 1.0, text
    for k, (text, box) in enumerate(boxes):
        for other, second in boxes[:k]:
            shared = min(box.x1, second.x1) - max(box.x0, second.x0), min(box.y1, second.y1) - max(box.y0, second.y0)
            assert min(shared) <= 2.0, f"{text!r} lies over {other!r}"


# Films --------------------------------------------------------------------------------------------


def test_film_has_a_frame_for_each_moment(run: Run, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = figures.animate(run, tmp_path / "film.gif", lambda done, of: told.append((done, of)))
    assert told == [(k, 4) for k in range(1, 5)]
    assert [file.name for file in tmp_path.iterdir()] == ["film.gif"]
    with Image.open(path) as film:
        assert film.n_frames == 4  # Pillow joins the equal frames at the end into one that is shown longer
        assert film.info["loop"] == 0
        first = np.asarray(film.convert("RGB"), dtype=int)
        film.seek(3)
        last = np.asarray(film.convert("RGB"), dtype=int)
    assert (np.abs(first - last).sum(axis=2) > 60).mean() > 0.005, "something moves"
    for future in FUTURES:
        colour = (255.0 * np.array(to_rgb(TRAJECTORY_COLOURS[future]))).round()
        assert (np.abs(last - colour).sum(axis=2) <= 6).any(), f"the colour of {future} is kept"


def test_film_says_what_it_needs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"film.avi: a film's name must end in .gif or .mp4"):
        figures.animate(run, "film.avi")
    monkeypatch.setattr(FFMpegWriter, "isAvailable", lambda: False)
    with pytest.raises(ValueError, match=r"film.mp4: mp4 needs the program ffmpeg, .* use a name in .gif instead"):
        figures.animate(run, "film.mp4")
    still = Run(run.scenario, run.seed, run.indicators, run.start, run.end, run.versions)
    with pytest.raises(ValueError, match="no intermediate states"):
        figures.animate(still, tmp_path / "film.gif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not FFMpegWriter.isAvailable(), reason="needs ffmpeg")
def test_film_as_mp4(run: Run, tmp_path: Path) -> None:
    path = figures.animate(run, tmp_path / "film.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"
