"""Published results that come out of the same kernels: claims, what was published, what is measured.

`REPLICATIONS` lists what can be replicated. A replication is a function of (seed, runs, progress, workers) that returns
an `Evidence`; it is found by name only when it is called, so that listing them costs nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from district_sim.replications.claims import Evidence

__all__ = ["REPLICATIONS", "Replication"]


@dataclass(frozen=True, slots=True)
class Replication:
    """Something published that can be measured again."""

    title: str
    sources: str
    module: str
    """In this package."""
    function: str

    def __call__(
        self,
        seed: int = 0,
        runs: int | None = None,
        progress: Callable[[int, int], None] | None = None,
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
    "carpi": Replication(
        "Carpi, knitwear, 1994 to 2022", "newspapers after R&I, see the case's targets", "cases", "carpi"
    ),
    "sassuolo": Replication(
        "Sassuolo, ceramic tiles, 1996 to 2012", "newspapers, see the case's targets", "cases", "sassuolo"
    ),
    "mirandola": Replication(
        "Mirandola, biomedical devices, 1980 to 2021", "AboutPharma 2021, see the case's targets", "cases", "mirandola"
    ),
    "prato": Replication("Prato, textiles, 1991 to 2015", "ARPAT, Istat, see the case's targets", "cases", "prato"),
}
