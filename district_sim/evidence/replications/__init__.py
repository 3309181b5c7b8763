"""Published results measured again: claims, what was published, what is measured.

Barter and giving have kernels of their own here (`barter`), which share the model's way of compiling and drawing.
Socialisation is the model's own compiled process, and what is measured on districts comes from the model as a whole.

`REPLICATIONS` lists what can be replicated. A replication is a function of (seed, runs, progress, workers) that returns
an `Evidence`; it is found by name only when it is called, so that listing them costs nothing.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from district_sim.evidence.replications.claims import Evidence
    from district_sim.run.workers import Progress

__all__ = ["REPLICATIONS", "Replication"]


@dataclass(frozen=True, slots=True)
class Replication:
    """Something published that can be measured again."""

    title: str
    sources: str
    module: str
    """In this package."""
    function: str
    compiles: bool = False
    """Whether the whole model is needed, which takes a while to compile."""

    def __call__(
        self,
        seed: int = 0,
        runs: int | None = None,
        progress: "Progress | None" = None,
        workers: int | None = None,
        **setting: Any,
    ) -> "Evidence":
        """Measure.

        Args:
            seed: >= 0. runs: of each point; by default as many as the claims want. progress: called with the number of
                runs done and of all. workers: processes; all cores by default. setting: what the replication leaves
                open.
        """
        measure = getattr(import_module(f"{__name__}.{self.module}"), self.function)
        return measure(seed=seed, runs=runs, progress=progress, workers=workers, **setting)


REPLICATIONS = {
    "cowan-jonard": Replication(
        "Barter of knowledge on networks between order and chance",
        "Cowan & Jonard 2004",
        "cowan_jonard",
        "cowan_jonard",
    ),
    "giving": Replication(
        "Knowledge given away on the same networks, beside barter",
        "Cowan & Jonard 2003",
        "cowan_jonard",
        "giving",
    ),
    "rules": Replication(
        "Barter, giving and the model's socialisation on the same networks",
        "Cassi & Zirulia 2008; Cowan & Jonard 2004",
        "rules",
        "rules",
    ),
    "inverted-u": Replication(
        "Cognitive distance between partners and radical and incremental innovation",
        "Nooteboom et al. 2007; Wuyts et al. 2005; Broekel & Boschma 2012",
        "inverted_u",
        "inverted_u",
        compiles=True,
    ),
    "network-anatomy": Replication(
        "Anatomy of the networks: density, turnover, core and periphery, gatekeepers",
        "Giuliani & Bell 2005; Giuliani 2007, 2013; Morrison 2008",
        "anatomy",
        "network_anatomy",
        compiles=True,
    ),
    "firms": Replication(
        "Firms: sizes, growth, births and deaths",
        "Axtell 2001; Bottazzi & Secchi 2006; Lotti et al. 2009; Istat",
        "firms",
        "firms",
        compiles=True,
    ),
    "groups": Replication(
        "Business groups: few firms, many employees",
        "Cainelli, Iacobucci & Morganti 2006",
        "groups",
        "groups",
        compiles=True,
    ),
    **{
        name: Replication(title, f"{sources}; see the case's targets", "cases", name, compiles=True)
        for name, title, sources in (
            ("carpi", "Carpi, knitwear, 1994 to 2022", "R&I's surveys in newspapers"),
            ("sassuolo", "Sassuolo, ceramic tiles, 1996 to 2012", "newspapers"),
            ("mirandola", "Mirandola, biomedical devices, 1980 to 2021", "AboutPharma 2021"),
            ("prato", "Prato, textiles, 1991 to 2015", "ARPAT, Istat"),
        )
    },
}
