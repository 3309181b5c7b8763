"""The figure of conduct: what firms choose, over time and by position."""

import numpy as np
import pandas as pd
import pytest
from figure_parts import QUARTERS, drawn_texts, of_nobody, small_run

from district_sim import figures
from district_sim.figures.conduct import positions
from district_sim.model.state import TRAITS
from district_sim.run.run import Run, simulate
from district_sim.run.snapshot import Snapshot
from district_sim.scenario.files import load_scenario


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(load_scenario("classroom", {"firms.count": 60, "run.quarters": QUARTERS, "world.onset": 4}), seed=1)


def test_mean_and_band_are_those_of_the_indicators(run: Run) -> None:
    figure = figures.conduct_traits(run)
    assert len(figure.axes) == 2 * len(TRAITS)
    for ax, trait in zip(figure.axes[::2], TRAITS, strict=True):
        name = f"conduct_{trait}"
        (line,) = [line for line in ax.lines if line.get_gid() == name]
        np.testing.assert_array_equal(line.get_ydata(), run.indicators[name])
        (band,) = [part for part in ax.collections if part.get_gid() == name]
        edges = band.get_paths()[0].vertices[:, 1]
        top = (run.indicators[name] + run.indicators[f"{name}_spread"]).max()
        assert edges.max() == pytest.approx(top)
        assert ax.get_ylabel()


def test_positions_show_means_and_spreads_of_their_firms(run: Run) -> None:
    ax = figures.conduct_traits(run).axes[1]
    firms = run.end.firms
    for name, chosen in (("all firms", firms["phase"] >= 0), ("with pipeline", firms["pipelines"] > 0)):
        values = firms["conduct_research"][chosen].to_numpy()
        assert len(values) > 1
        (dot,) = [line for line in ax.lines if line.get_gid() == name]
        (bar,) = [line for line in ax.lines if line.get_gid() == f"spread {name}"]
        assert dot.get_ydata() == pytest.approx(values.mean())
        assert bar.get_ydata() == pytest.approx([values.mean() - values.std(), values.mean() + values.std()])
    assert values.std() > 0.0, "firms should differ, else the test shows little"
    assert f"all firms ({len(firms)})" in [text for text, _ in drawn_texts(ax.figure)]


def test_positions_by_hand() -> None:
    firms = pd.DataFrame(
        {
            "phase": [0, 1, 1, 0, 0],
            "pipelines": [0, 2, 0, 0, 0],
            "control": ["independent", "leader", "multinational", "group", "captive"],
        },
        index=[3, 5, 8, 9, 11],
    )
    ties = pd.DataFrame({"a": [3, 5, 5, 5], "b": [5, 8, 9, 11], "trust": [0.5, 0.5, 0.25, 0.25]})
    held = {
        name: firms.index[chosen].tolist()
        for kind in positions(Snapshot(lambda: firms, lambda: ties, lambda: pd.DataFrame(index=[0]), dict))
        for name, chosen in kind.items()
    }
    assert held["final firms"] == [5, 8]
    assert held["suppliers"] == [3, 9, 11]
    assert (held["with pipeline"], held["in a group"], held["affiliate"]) == ([5], [5, 9], [8])
    assert held["core"] == [3, 5, 8], "trust summed: 0.5, 1.5, 0.5, 0.25, 0.25"
    assert held["periphery"] == [9, 11]


def test_the_core_has_the_strongest_ties(run: Run) -> None:
    (kinds,) = [kind for kind in positions(run.end) if "core" in kind]
    ties = run.end.ties
    trust = [ties["trust"][(ties["a"] == firm) | (ties["b"] == firm)].sum() for firm in run.end.firms.index]
    core, periphery = (np.array(trust)[kinds[name]] for name in ("core", "periphery"))
    assert core.min() > periphery.max()
    assert len(core) == len(periphery) == -(-len(trust) // 4)


def test_imposed_conduct_is_drawn_and_called_so() -> None:
    figure = figures.conduct_traits(small_run())
    assert "conduct is imposed" in figure.get_suptitle()


def test_nobody_chooses_nothing(run: Run) -> None:
    with pytest.raises(ValueError, match="no firm"):
        figures.conduct_traits(of_nobody(run))


def test_texts_do_not_touch(run: Run) -> None:
    boxes = [(text, box) for text, box in drawn_texts(figures.conduct_traits(run)) if "(" not in text]
    for k, (text, box) in enumerate(boxes):
        assert not [other for other, its in boxes[k + 1 :] if box.overlaps(its)], text
