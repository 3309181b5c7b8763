"""The three views of a district: layouts by hand, figures by what is drawn, one palette for page and figures."""

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from figure_parts import QUARTERS, lightness, named, small_run, texts
from matplotlib.colors import to_hex, to_rgb

from district_sim import District, figures
from district_sim.figures import layout, style
from district_sim.figures.events import EVENT_LOOKS
from district_sim.figures.three_views import scene_of
from district_sim.run.events import EventKind
from district_sim.run.run import Run, simulate
from district_sim.run.snapshot import Snapshot, learned_along
from district_sim.run.trajectories import FUTURES


@pytest.fixture(scope="module")
def run() -> Run:
    return small_run()


# Layouts -------------------------------------------------------------------------------------------


def test_zones_are_the_middle_and_parts_of_two_rings() -> None:
    x, y = np.array([0.0, 4.0, -4.0, 9.0, 90.0, 9.0]), np.array([1.0, 1.0, -1.0, 0.1, 0.1, -0.1])
    assert layout.zones_of(x, y, 10.0).tolist() == [0, 1, 4, 7, 7, 16]
    centres = layout.centre_of_zones(10.0)
    assert centres.shape == (17, 2)
    assert layout.zones_of(*centres.T, 10.0).tolist() == list(range(17))


def test_bundles_count_ties_between_zones() -> None:
    zone = np.array([0, 0, 1, 2])
    one, other = np.array([0, 0, 1, 0, 3]), np.array([1, 2, 2, 3, 2])  # within 0, twice 0-1, 0-2, 1-2
    assert layout.bundles_of(zone, one, other) == [
        layout.Bundle(0, 2, 1, 0.25),
        layout.Bundle(1, 2, 1, 0.25),
        layout.Bundle(0, 1, 2, 0.5),
    ]
    assert layout.bundles_of(zone[:0], one[:0], other[:0]) == []


def test_a_firm_keeps_its_place_in_the_value_chain_and_stays_in_its_column() -> None:
    firms, phase = np.arange(900), np.arange(900) % 5
    places = layout.chain_places(firms, phase, 5)
    columns = layout.columns_of(5)[phase]
    assert np.all((places[:, 0] >= columns[:, 0]) & (places[:, 0] <= columns[:, 1]))
    assert np.all((places[:, 1] >= 0.0) & (places[:, 1] <= 1.0))
    chosen = [7, 400, 899]
    np.testing.assert_array_equal(layout.chain_places(firms[chosen], phase[chosen], 5), places[chosen])
    for low in np.linspace(0.0, 0.9, 10):  # evenly from bottom to top
        assert 60 <= np.sum((places[:, 1] >= low) & (places[:, 1] < low + 0.1)) <= 120


def test_who_learns_and_teaches_more_stands_nearer_to_the_middle() -> None:
    lessons = np.array([0.0, 0.001, 0.02, 0.01])
    x, y = np.array([3.0, 0.0, -1.0, 0.0]), np.array([4.0, 2.0, 0.0, 0.0])
    places = layout.knowledge_places(x, y, lessons, np.zeros(4))
    far = np.hypot(*places.T)
    assert far[0] == 1.0
    assert far[0] > layout.PERIPHERY > layout.CORE > far[2]
    assert far[1] > far[3] > far[2]
    np.testing.assert_allclose(places[0], [0.6, 0.8])
    assert layout.knowledge_places(x, y, np.full(4, layout.LITTLE), np.zeros(4))[0].tolist() == pytest.approx(
        [0.6 * 0.5**0.5, 0.8 * 0.5**0.5]
    )


def test_lessons_are_shared_out_by_trust_and_by_what_the_other_knows_more() -> None:
    tacit = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 3.0]])
    one, other = np.array([0, 0]), np.array([1, 2])
    to_one, to_other, taught = learned_along(one, other, np.array([1.0, 0.5]), tacit, np.array([0.7, 0.2, 0.0]))
    np.testing.assert_allclose(to_one, [0.7 * 1.0 / 1.75, 0.7 * 0.75 / 1.75])  # 1 · 1 km beyond, 0.25 · 3
    np.testing.assert_allclose(to_other, [0.0, 0.0])  # who knows more in nothing teaches nothing
    np.testing.assert_allclose(taught, [0.0, *to_one])


def test_all_that_is_learned_is_taught_by_somebody(run: Run) -> None:
    firms, ties = run.end.firms, run.end.ties
    tied = firms.index.isin([*ties["a"], *ties["b"]])
    assert 0.5 * firms["lessons"][tied].sum() < firms["taught"].sum() <= firms["lessons"].sum() * (1.0 + 1e-9)
    assert (firms["taught"][~tied] == 0.0).all()


def test_orders_add_up_to_the_value_of_their_phases() -> None:
    orders = layout.orders_of(200.0, np.array([0.1, 0.0]), np.array([0.4, 1.0]), np.array([0.3, 0.2]))
    np.testing.assert_allclose(orders.made, [6.0, 0.0])
    np.testing.assert_allclose(orders.abroad, [24.0, 40.0])
    np.testing.assert_allclose(orders.here, [30.0, 0.0])
    nobody = layout.orders_of(0.0, np.full(2, np.nan), np.full(2, np.nan), np.array([0.3, 0.2]))
    assert nobody.here.tolist() == nobody.abroad.tolist() == [0.0, 0.0]


# The figure ----------------------------------------------------------------------------------------


def test_every_view_shows_the_same_firms_in_the_same_colours(run: Run) -> None:
    figure = figures.views(run)
    assert len(figure.axes) == 6
    shades = style.phase_colours(6)
    for row, snapshot in ((0, run.start), (3, run.end)):
        for ax in figure.axes[row : row + 3]:
            for control in figures.CONTROLS:
                part = snapshot.firms[snapshot.firms["control"] == control]
                marks = named(ax, control)
                assert [to_hex(colour) for colour in marks.get_facecolors()] == [shades[k] for k in part["phase"]]
    for ax, (title, words) in zip(figure.axes, [*layout.VIEWS.values()] * 2, strict=True):
        assert ax.get_title(loc="left").startswith(f"{title}, ")
        assert words in [text.get_text() for text in ax.texts]
    assert {"phase 1", "final phase", "founded lately", "closed lately"} <= set(texts(figure.legends[0]))


def test_firms_keep_their_places_from_before_to_after(run: Run) -> None:
    axes = figures.views(run).axes
    for before, after in ((axes[0], axes[3]), (axes[1], axes[4])):

        def places(ax: Any) -> set[tuple[float, float]]:
            marks = [named(ax, control).get_offsets() for control in figures.CONTROLS]
            return {tuple(place) for place in np.concatenate(marks).round(6)}

        lived = run.start.firms.index.intersection(run.end.firms.index)
        assert len(places(before) & places(after)) == len(lived) > 20


def test_arcs_are_as_broad_as_orders_are_large(run: Run) -> None:
    ax, scene = figures.views(run).axes[4], scene_of(run)
    here = [patch.get_linewidth() for patch in ax.patches if patch.get_gid() == "orders here"]
    abroad = [patch.get_linewidth() for patch in ax.patches if patch.get_gid() == "orders abroad"]
    assert len(here) == len(abroad) == 5
    np.testing.assert_allclose(np.array(here) / here[0], scene.orders.here / scene.orders.here[0])
    bought = run.end.value_chain[["partners", "spot"]].sum(axis=1)
    np.testing.assert_allclose(scene.orders.here / scene.orders.sales / 0.13, bought)


def test_newborn_and_closed_firms_are_marked(run: Run) -> None:
    firms = run.end.firms.copy()
    firms["founded"] = 0
    firms.loc[firms.index[:3], "founded"] = QUARTERS - 1
    end = Snapshot(lambda: firms, lambda: run.end.ties, lambda: run.end.value_chain, lambda: run.end.agency)
    shown = Run(run.scenario, run.seed, run.indicators, run.start, end, run.versions, {QUARTERS - 5: run.start})
    gone = run.start.firms.index.difference(firms.index)
    assert len(gone)
    for ax in figures.views(shown).axes[3:]:
        assert len(named(ax, "founded").get_offsets()) == 3
        assert len(named(ax, "closed").get_offsets()) == len(gone)


def test_a_model_and_a_snapshot_are_drawn_as_they_stand(run: Run) -> None:
    model = District(run.scenario, seed=run.seed)
    model.run_for(QUARTERS)
    drawn = [figures.views(source).axes for source in (model, run.end)]
    last = figures.views(run).axes[3:]
    for axes in drawn:
        for ax, by_run in zip(axes[1:], last[1:], strict=True):
            for control in figures.CONTROLS:
                np.testing.assert_allclose(named(ax, control).get_offsets(), named(by_run, control).get_offsets())


# Colours -------------------------------------------------------------------------------------------


def contrast(colour: str, ground: str = "#ffffff") -> float:
    light = sorted((lightness(colour), lightness(ground)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def test_lines_and_rims_stand_out_from_white() -> None:
    lines = [style.TIE, style.PIPELINE, style.AGENCY, style.HERE, style.ABROAD, style.RIM, style.INK]
    lines += [colour for colour, _ in style.LINES] + [style.TRAJECTORY_COLOURS[future] for future in FUTURES]
    for colour in lines:
        assert contrast(colour) >= 3.0, colour


_DEUTAN = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
_PROTAN = np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]])


@pytest.mark.parametrize("seen_as", [_DEUTAN, _PROTAN, np.eye(3)], ids=["deutan", "protan", "all"])
def test_phases_differ_for_colour_blind_readers(seen_as: np.ndarray) -> None:
    """Matrices of Machado, Oliveira & Fernandes 2009 (doi 10.1109/TVCG.2009.113), on linear colours."""

    def linear(colour: str) -> np.ndarray:
        channels = np.array(to_rgb(colour))
        return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)

    seen = [np.clip(seen_as @ linear(colour), 0.0, 1.0) ** (1 / 2.4) for colour in style.phase_colours(6)]
    assert min(np.abs(a - b).max() for a, b in combinations(seen, 2)) > 0.08


# Events --------------------------------------------------------------------------------------------


def test_events_are_marked_in_the_figures_of_a_run(run: Run) -> None:
    told = [event for event in run.events if event.kind is not EventKind.STRATEGY]
    assert EventKind.TAKEOVER in {event.kind for event in told}
    panels = figures.dashboard(run).axes
    for ax in [*panels, figures.scores_over_time(run).axes[0]]:
        marks = [(line.get_gid(), line.get_xdata()[0]) for line in ax.lines if str(line.get_gid()).startswith("event")]
        assert marks == [(f"event {event.kind}", event.quarter) for event in told]


def test_the_newest_technology_falls_with_a_word() -> None:
    scenario = small_run().scenario
    settings = scenario.model_dump(mode="json") | {"technology": {"first_ripening": 12}}
    run = simulate(type(scenario).model_validate_json(json.dumps(settings)), 2, every=8)
    (ripens,) = (event for event in run.events if event.kind is EventKind.TECHNOLOGY)
    assert (run.indicators["newest_share"][12], run.indicators["newest_share"][13] < 0.5) == (1.0, True)
    (panel,) = (ax for ax in figures.dashboard(run).axes if ax.get_title(loc="left") == "Learning and renewal")
    (word,) = (text for text in panel.texts if text.get_text() == ripens.mark)
    assert word.get_position()[0] == ripens.quarter == 12


def test_kinds_of_events_differ_in_shape_and_stand_out_from_white() -> None:
    assert set(EVENT_LOOKS) == set(EventKind)
    assert len({look.glyph for look in EVENT_LOOKS.values()}) == len(EVENT_LOOKS)
    assert len({(look.marker, look.filled) for look in EVENT_LOOKS.values()}) == len(EVENT_LOOKS)
    for kind, look in EVENT_LOOKS.items():
        assert contrast(look.colour) >= 3.0, kind
