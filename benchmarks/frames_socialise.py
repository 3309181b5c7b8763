"""Socialisation as one would write it in mesa-frames: firms are rows of a Polars frame, ties rows of another."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF

OWN = ("x", "y", "it", "absorptive", "education", "experience", "research")


def _length(columns: list[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal(column * column for column in columns).sqrt()


class FramesFirms(AgentSetPolars):
    """Firms with what they know; `ties` says whom they trust."""

    def __init__(self, model: "FramesDistrict", given: Mapping[str, np.ndarray]) -> None:
        super().__init__(model)
        firms, self.domains = given["tacit"].shape
        self += pl.DataFrame(
            {"unique_id": np.arange(firms)}
            | {f"tacit{d}": given["tacit"][:, d] for d in range(self.domains)}
            | {name: given[name] for name in OWN}
        )
        i, slot = np.nonzero(given["partner"] >= 0)
        self.ties = pl.DataFrame(
            {
                "unique_id": i,
                "partner": given["partner"][i, slot].astype(np.int64),
                "trust": given["trust"][i, slot],
            }
        )

    def _meetings(self) -> pl.LazyFrame:
        """All ties with what both firms know and how often they meet."""
        k = self.model.k
        shown = self.agents.lazy().drop("education", "experience", "research")
        both = (
            self.ties.lazy()
            .join(shown, on="unique_id")
            .join(shown, left_on="partner", right_on="unique_id", suffix="_")
        )
        weight = (pl.col("trust") - k["trust_threshold"]).clip(lower_bound=0.0) / (1.0 - k["trust_threshold"])
        km = ((pl.col("x") - pl.col("x_")) ** 2 + (pl.col("y") - pl.col("y_")) ** 2).sqrt()
        it = 1.0 + k["it_tacit"] * pl.col("it") * pl.col("it_")
        return both.with_columns(meeting=weight * k["interaction"] * (-km / k["meeting_distance"]).exp() * it)

    def step(self) -> None:
        """Learn from the partners: columns `gained0` ... and `capacity`."""
        k, domains = self.model.k, range(self.domains)
        gaps = [pl.col(f"tacit{d}_") - pl.col(f"tacit{d}") for d in domains]
        total = _length([pl.col(f"tacit{d}") for d in domains]) + _length([pl.col(f"tacit{d}_") for d in domains])
        distance = pl.when(total > 0.0).then(_length(gaps) / total).otherwise(0.0)
        scale = k["distance_scale"] + k["distance_absorptive"] * pl.col("absorptive")
        lessons = (
            self._meetings()
            .with_columns(heard=(-((distance / scale) ** 2)).exp() * pl.col("meeting"))
            .group_by("unique_id")
            .agg(
                pl.col("meeting").sum(),
                *((pl.col("heard") * gaps[d].clip(lower_bound=0.0)).sum().alias(f"gained{d}") for d in domains),
            )
        )
        rate = min(1.0, k["socialisation"]) * pl.col("absorptive") / (k["attention"] + pl.col("meeting"))
        learned = (
            self.agents.lazy()
            .join(lessons, on="unique_id", how="left", maintain_order="left")
            .select(
                *((rate * pl.col(f"gained{d}")).fill_null(0.0).alias(f"gained{d}") for d in domains),
                capacity=1.0 - (-self._understanding()).exp(),
            )
            .collect()
        )
        self.set({name: learned[name] for name in learned.columns})

    def _understanding(self) -> pl.Expr:
        """What makes for absorptive capacity, weighed."""
        k, research = self.model.k, pl.col("research")
        own = pl.sum_horizontal(pl.col(f"tacit{d}") * float(self.model.relevance[d]) for d in range(self.domains))
        return (
            k["absorptive_education"] * pl.col("education")
            + k["absorptive_experience"] * pl.col("experience")
            + k["absorptive_research"] * research / (1.0 + research)
            + k["absorptive_knowledge"] * own / (1.0 + own)
        )


class FramesDistrict(ModelDF):
    """The firms of a case; a step is one round of socialisation.

    Args:
        given: arrays of a `knowledge_case.Case`, parameters by name among them.
    """

    def __init__(self, given: Mapping[str, np.ndarray]) -> None:
        super().__init__(seed=1)
        self.k = {name: float(value) for name, value in given.items() if value.ndim == 0}
        self.relevance = given["relevance"]
        self.firms = FramesFirms(self, given)
        self.agents += self.firms

    def results(self) -> dict[str, np.ndarray]:
        """What was gained, (firms, domains), and absorptive capacity."""
        frame = self.firms.agents
        gained = [name for name in frame.columns if name.startswith("gained")]
        return {"gained": frame.select(gained).to_numpy(), "capacity": frame["capacity"].to_numpy()}
