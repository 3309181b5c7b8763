"""The district as a map: what is drawn of one quarter, and the component that draws it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import solara

from district_sim.app.parts import MapWidget
from district_sim.figures import layout
from district_sim.figures.style import CONTROLS, LINES, phase_colours
from district_sim.model.parameters import NODE_KINDS
from district_sim.model.state import TRAITS
from district_sim.run.snapshot import CONTROLS as CONTROL_NAMES
from district_sim.run.snapshot import control_of, learned_along
from district_sim.text.names import amount, record_of

if TYPE_CHECKING:
    from district_sim.mesa_model.district import District
    from district_sim.scenario.calendar import Calendar


@dataclass(frozen=True, eq=False)
class Frame:
    """One quarter of a district as it is drawn; n living firms, D domains, K outside nodes. The arrays are copies."""

    quarter: int
    phases: int
    firm: np.ndarray
    """(n,) int32: ids of the living firms, ascending; every other array (n, ...) is in this order."""
    key: np.ndarray
    """(n,) int64: identity in keyed draws: the same in two districts for the same firm, newborns included."""
    x: np.ndarray
    """(n,) float32, km east of the centre"""
    y: np.ndarray
    """(n,) float32, km north of the centre"""
    employees: np.ndarray
    """(n,) float32"""
    phase: np.ndarray
    """(n,) uint8"""
    control: np.ndarray
    """(n,) uint8: who decides, see `control_of`"""
    technology: np.ndarray
    """(n,) uint8: technology, 0 is the first"""
    participant: np.ndarray
    """(n,) uint8: 1 for who contributed to the agency this quarter"""
    absorptive: np.ndarray
    """(n,) float32: absorptive capacity, 0..1"""
    tacit: np.ndarray
    """(n, D) float32: tacit knowledge"""
    codified: np.ndarray
    """(n, D) float32: codified knowledge"""
    conduct: np.ndarray
    """(n, len(TRAITS)) float32: what each firm chooses, in the order and units of `TRAITS`"""
    ties: np.ndarray
    """(ties, 2) int32: the two firms of each local tie, as positions in `firm`"""
    trust: np.ndarray
    """(ties,) float32, 0..1"""
    paid: np.ndarray
    """(2, ties) float32, k€ a quarter: orders that the first firm of each tie paid to the second, and back"""
    learned: np.ndarray
    """(2, ties) float32: tacit knowledge a quarter that the first learned from the second, and back"""
    lessons: np.ndarray
    """(2, n) float32: tacit knowledge a quarter that firms learn from partners, and partners from them"""
    captor: np.ndarray
    """(n,) int32: position in `firm` of the client to which a firm is captive, -1 none"""
    young: np.ndarray
    """(n,) uint8: 1 for who was founded lately"""
    chain: np.ndarray
    """(2, n) float32, 0..1: across and up, in the columns of the value chain"""
    known: np.ndarray
    """(2, n) float32: place in the circle of knowledge, of radius 1"""
    closed: np.ndarray
    """(6, c) float32: places of firms that have closed lately, as x, y, chain and known"""
    bundles: np.ndarray
    """(5, b) float32: ties between two parts of the district: x, y of both [km], and their share of all such ties"""
    orders: layout.Orders
    """What final firms order"""
    reach: float
    """km: distance within which all firms of the first day live"""
    pipelines: np.ndarray
    """(pipelines, 2) int32: position in `firm`, and outside node"""
    strength: np.ndarray
    """(pipelines,) float32, 0..1"""
    node_kind: np.ndarray
    """(K,) uint8: kind of each outside node, a position in `parameters.NODE_KINDS`"""
    collective: np.ndarray
    """(K,) float32: strength of the collective pipeline to each outside node, 0..1"""
    capability: float
    """The agency's, 0..1"""
    participation: float
    """Share of firms that contribute to the agency"""
    calendar: "Calendar | None" = None
    """Dates of the run, if it has any"""

    def position(self, firm: int) -> int | None:
        """Where a firm stands in the arrays; None if it does not live."""
        at = int(np.searchsorted(self.firm, firm))
        return at if at < self.firm.size and self.firm[at] == firm else None

    def packed(self) -> bytes:
        """All numbers one after the other, as static/views.js reads them."""
        most = float(max(self.tacit.max(initial=1e-9), self.codified.max(initial=1e-9)))
        head = (self.quarter, self.phases, self.firm.size, len(self.ties), len(self.pipelines), self.node_kind.size)
        sizes = (self.tacit.shape[1], self.conduct.shape[1], self.closed.shape[1], self.bundles.shape[1])
        orders = self.orders
        parts = (
            np.array([*head, *sizes], np.int32),
            self.firm,
            self.ties[:, 0],
            self.ties[:, 1],
            self.pipelines[:, 0],
            self.captor,
            np.array([self.capability, self.participation, self.reach, orders.sales], np.float32),
            *(part.astype(np.float32) for part in orders[:3]),
            self.x,
            self.y,
            self.employees,
            self.absorptive,
            self.tacit.mean(axis=1),
            self.codified.mean(axis=1),
            self.lessons,
            self.chain,
            self.known,
            self.closed,
            self.bundles,
            self.conduct,
            self.trust,
            self.paid,
            self.learned,
            self.strength,
            self.collective,
            self.phase,
            self.control,
            self.technology,
            self.participant,
            self.young,
            self.node_kind,
            self.pipelines[:, 1].astype(np.uint8),
            (self.tacit * (255.0 / most)).astype(np.uint8),
            (self.codified * (255.0 / most)).astype(np.uint8),
        )
        return b"".join(part.tobytes() for part in parts)


def frame_of(district: "District", before: np.ndarray | None = None) -> Frame:
    """What is to be drawn of a district as it stands; the district is only looked at.

    Args:
        before: rows of firms that lived `layout.NEW` quarters ago, to mark those that have closed since.
    """
    state, derived = district.state, district.parameters.derived
    rows = int(state.clock.rows[0])
    firms = state.firms.view(np.ndarray)[:rows]
    living = np.flatnonzero(firms["alive"])
    position = np.full(rows, -1, np.int32)
    position[living] = np.arange(living.size)
    f = {name: firms[name][living] for name in _FIRM}
    ties = state.ties.view(np.ndarray)
    partner, trust = ties["partner"][living], ties["trust"][living]
    one, slot = np.nonzero(partner > living[:, None])
    other, mirror = position[partner[one, slot]], ties["mirror"][living][one, slot]
    paid = state.orders.view(np.ndarray)["paid"][living]
    known = ties["age"][living][one, slot] > 0  # orders of younger ties are not theirs
    trusted = trust[one, slot]
    *learned, taught = learned_along(one, other, trusted, f["tacit"], f["lessons"])
    gone = np.setdiff1d(before, living) if before is not None else living[:0]
    reach = float(np.hypot(firms["x"], firms["y"])[firms["founded"] <= 0].max(initial=0.1))
    phases = int(derived.phase_value.size)
    zone, centres = layout.zones_of(f["x"], f["y"], reach), layout.centre_of_zones(reach)
    bundles = layout.bundles_of(zone, one, other)
    pipelines = state.pipelines.view(np.ndarray)
    node, strength = pipelines["node"][living], pipelines["strength"][living]
    holder, link = np.nonzero(node >= 0)
    agency = state.agency.view(np.ndarray)[0]
    return Frame(
        quarter=district.quarter,
        phases=phases,
        firm=living.astype(np.int32),
        key=f["key"],
        x=f["x"],
        y=f["y"],
        employees=f["employees"].astype(np.float32),
        phase=f["phase"].astype(np.uint8),
        control=control_of(living, f["owner"], f["captor"]),
        technology=f["technology"].astype(np.uint8),
        participant=(f["participates"] > 0).astype(np.uint8),
        absorptive=f["absorptive"].astype(np.float32),
        tacit=f["tacit"],
        codified=f["codified"],
        conduct=f["conduct"].astype(np.float32),
        ties=np.column_stack((one, other)).astype(np.int32),
        trust=trusted,
        paid=np.where(known, [paid[one, slot], paid[other, mirror]], 0.0).astype(np.float32),
        learned=np.array(learned, np.float32).reshape(2, -1),
        lessons=np.array([f["lessons"], taught], np.float32),
        captor=np.where(f["captor"] >= 0, position[f["captor"]], -1).astype(np.int32),
        young=(f["founded"] >= max(1, district.quarter - layout.NEW)).astype(np.uint8),
        chain=_chain_places(living, f["phase"], phases),
        known=_known_places(f["x"], f["y"], f["lessons"], taught),
        closed=np.concatenate(
            [
                [firms["x"][gone], firms["y"][gone]],
                _chain_places(gone, firms["phase"][gone], phases),
                _known_places(firms["x"][gone], firms["y"][gone], firms["lessons"][gone], np.zeros(gone.size)),
            ]
        ).astype(np.float32),
        bundles=np.array([[*centres[one.a], *centres[one.b], one.share] for one in bundles], np.float32)
        .reshape(-1, 5)
        .T.copy(),
        orders=_orders(f, derived.phase_value),
        reach=reach,
        pipelines=np.column_stack((holder, node[holder, link])).astype(np.int32),
        strength=strength[holder, link].astype(np.float32),
        node_kind=derived.node_kind.astype(np.uint8),
        collective=agency["pipelines"].astype(np.float32),
        capability=float(agency["capability"]),
        participation=float(agency["participation"]),
        calendar=district.scenario_in_force.run.calendar,
    )


_FIRM = (
    *("key", "x", "y", "employees", "phase", "owner", "captor", "technology", "founded", "sales", "made", "abroad"),
    *("participates", "absorptive", "tacit", "codified", "conduct", "lessons"),
)


def _chain_places(rows: np.ndarray, phase: np.ndarray, phases: int) -> np.ndarray:
    return layout.chain_places(rows, phase, phases).T.astype(np.float32)


def _known_places(x: np.ndarray, y: np.ndarray, lessons: np.ndarray, taught: np.ndarray) -> np.ndarray:
    return layout.knowledge_places(x, y, lessons, taught).T.astype(np.float32)


def _orders(firms: dict[str, np.ndarray], value: np.ndarray) -> layout.Orders:
    final = firms["phase"] == value.size - 1
    sales = firms["sales"][final]
    whole = float(sales.sum())
    made, abroad = ((sales @ firms[name][final])[:-1] / max(1e-12, whole) for name in ("made", "abroad"))
    return layout.orders_of(whole, made, abroad, value[:-1])


def differing(frame: Frame, other: Frame) -> frozenset[int]:
    """Firms of `frame` that another district with the same luck does not have, or has in other hands or technology.

    Returns:
        Ids in `frame`.
    """
    place = {key: i for i, key in enumerate(other.key.tolist())}
    seen = zip(frame.key.tolist(), frame.firm.tolist(), frame.control.tolist(), frame.technology.tolist(), strict=True)
    control, technology = other.control.tolist(), other.technology.tolist()
    return frozenset(
        firm
        for key, firm, hands, work in seen
        if (at := place.get(key)) is None or (hands, work) != (control[at], technology[at])
    )


_SCALES = {  # lowest and highest colour of each trait: fixed, so that quarters and districts can be compared
    "research": (0.0, 3.0),
    "exploration": (0.0, 0.6),
    "training": (0.0, 0.02),
    "collective_action": (0.0, 0.6),
    "offshoring": (-1.5, 1.5),
    "pipelines": (0.0, 3.0),
    "reservation": (0.0, 80.0),
}
_STEPS = 32  # of a trait's colours, from light to dark
_TECHNOLOGIES = 5  # that have a colour of their own


def colours_of_firms(phases: int) -> dict[str, dict[str, Any]]:
    """What the colour of firms can mean, by key; as static/district_map.js draws it and its legend.

    Of kinds: which of a firm's numbers says its kind, colours and labels of the kinds. Of a trait of conduct: which it
    is, its colours from low to high, the values at both ends and how they are written.
    """
    last = phases - 1
    by_phase = [f"{k + 1}{', the first' if k == 0 else ''}" for k in range(last)] + [f"{phases}, sells to the market"]
    technologies = ["0, the first", *map(str, range(1, _TECHNOLOGIES - 1)), f"{_TECHNOLOGIES - 1} and later"]
    hands = [CONTROLS[name] for name in CONTROL_NAMES]
    out: dict[str, dict[str, Any]] = {
        "phase": {"title": "Phase of production", "of": "phase", "colours": phase_colours(phases), "labels": by_phase},
        "control": {
            "title": "Who decides",
            "of": "control",
            "colours": [look.colour for look in hands],
            "labels": [look.label for look in hands],
        },
        "technology": {
            "title": "Technological trajectory",
            "of": "technology",
            "colours": phase_colours(_TECHNOLOGIES),
            "labels": technologies,
        },
    }
    ramp = phase_colours(_STEPS)
    for place, trait in enumerate(TRAITS):
        record, (low, high) = record_of(f"conduct_{trait}"), _SCALES[trait]
        ends = [amount(record, low), amount(record, high)]
        unit = "" if record.unit in ("1", "share") else f", {record.unit}"
        title = f"{record.label}{unit}"
        out[f"conduct_{trait}"] = {
            "title": title,
            "trait": place,
            "colours": ramp,
            "low": low,
            "high": high,
            "labels": ends,
        }
    return out


def _told_of_traits() -> list[dict[str, Any]]:
    """How the traits of a firm are written when it is pointed at."""
    told = []
    for record in (record_of(f"conduct_{trait}") for trait in TRAITS):
        name = record.label if record.label.startswith("R&D") else record.label.lower()
        share = record.unit == "share"
        unit = "\u00a0%" if share else "" if record.unit == "1" else f" {record.unit}"
        told.append({"name": name, "times": 100.0 if share else 1.0, "decimals": record.decimals, "unit": unit})
    return told


def _look(
    phases: int, first: int | None, height: int, legend: bool, reports: bool, compared: bool, colour: str
) -> dict[str, object]:
    return {
        "first": first,
        "height": height,
        "colour": colours_of_firms(phases)[colour],
        "traits": _told_of_traits(),
        "controls": [CONTROLS[name].label for name in CONTROL_NAMES],
        "nodes": list(NODE_KINDS),
        "views": {key: list(words) for key, words in layout.VIEWS.items()},
        "columns": layout.columns_of(phases).tolist(),
        "rings": [layout.CORE, layout.PERIPHERY],
        "difference": LINES[1][0],
        "compared": compared,
        "legend": legend,
        "reports": reports,
    }


@solara.component
def DistrictMap(
    frame: Frame,
    *,
    height: int = 520,
    selected: int | None = None,
    on_select: Callable[[int | None], None] | None = None,
    differences: frozenset[int] | None = None,
    legend: bool = True,
    colour: str = "phase",
    view: str = "place",
    on_view: Callable[[str], None] | None = None,
    news: str = "",
    on_drawn: Callable[[int], None] | None = None,
) -> None:
    """Draw a district in one of three views; hover, touch, click and arrow keys show the ties of one firm.

    Args:
        frame: what to draw; a component that is given the same frame again sends nothing.
        height: of the map in CSS pixels, without the legend.
        selected: id of the firm that is marked.
        on_select: called with the id of a firm that was clicked, or None when it was clicked again.
        differences: ids of firms that are ringed, see `differing`; None where there is nothing to differ from.
        legend: beside the map, or below it where there is little room; one is enough for two districts.
        colour: what the colour of firms means, a key of `colours_of_firms`.
        view: which of `figures.layout.VIEWS` is shown.
        on_view: called with the view that was chosen.
        news: what happened lately, in a few words; written on the map.
        on_drawn: called with the quarter once the browser has drawn it: who waits for it never runs ahead of a slow
            browser. A browser draws nothing on a page that is hidden.
    """
    data = solara.use_memo(frame.packed, [frame])
    first = None if frame.calendar is None else frame.calendar.first
    shape = frame.phases, first, height, legend, on_drawn is not None, differences is not None, colour
    look = solara.use_memo(lambda: _look(*shape), shape)
    MapWidget.element(
        data=data,
        look=look,
        selected=selected,
        view=view,
        news=news,
        on_view=on_view or (lambda view: None),
        differences=sorted(differences or ()),
        on_selected=on_select or (lambda firm: None),
        on_drawn=lambda count_and_quarter: on_drawn(count_and_quarter[1]) if on_drawn else None,
    )
