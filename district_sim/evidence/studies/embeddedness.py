"""How much closure is best, in calm and in turbulence."""

from district_sim.evidence.patterns.districts import closure_levers
from district_sim.evidence.studies.design import Cell, Outcome, Peak, Study, less, more
from district_sim.evidence.studies.sources import GRABHER, UZZI

_LEVELS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
_CALM = {"technology.first_ripening": 100_000}


def _district(closure: float, calm: bool) -> Cell:
    world = "calm" if calm else "break"
    levers = closure_levers(closure) | (_CALM if calm else {})
    return Cell(f"{world}, {closure:g}", levers=levers, against=f"{world}, {_LEVELS[0]:g}", line=world, at=closure)


_IN_CALM, _AFTER_BREAK = ([f"{world}, {level:g}" for level in _LEVELS] for world in ("calm", "break"))
_LOOSE, _DENSE = 0, -1

EMBEDDEDNESS = Study(
    name="embeddedness",
    title="How much embeddedness is best, in calm and in turbulence",
    question="Is there a best level of closure, and is it lower when technology breaks?",
    design=(
        "The districts of pattern 4 of the verification: no globalisation, no agency, seven levels of closure (shared "
        "identity, and the share of new ties that are made to partners' partners). In calm no further technology ever "
        "ripens; in turbulence one with a quality jump of 50 % ripens in quarter 80, which rivals abroad adopt. "
        "Outcomes are of the last ten years, quarters 121 to 160. The best level is the one with the highest mean; its "
        "interval is the bootstrap's over whole replicates."
    ),
    outcomes=(Outcome("productivity"), Outcome("value_added_local"), Outcome("trust")),
    cells=tuple(_district(level, calm) for calm in (True, False) for level in _LEVELS),
    expectations=(
        Peak("In calm productivity is highest at an intermediate closure", UZZI, "productivity", _IN_CALM),
        Peak(
            "After a technological break it is highest at an intermediate closure", UZZI, "productivity", _AFTER_BREAK
        ),
        Peak("The best closure is lower after a break", GRABHER, "productivity", _AFTER_BREAK, _IN_CALM),
        more(
            "In calm the most closed district is more productive than the loosest",
            GRABHER,
            "productivity",
            _IN_CALM[_DENSE],
            _IN_CALM[_LOOSE],
        ),
        less(
            "After a break the most closed district is less productive than the loosest",
            GRABHER,
            "productivity",
            _AFTER_BREAK[_DENSE],
            _AFTER_BREAK[_LOOSE],
        ),
    ),
    axis="closure",
)

DESIGNS = (EMBEDDEDNESS,)
