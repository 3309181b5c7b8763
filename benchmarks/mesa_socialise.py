"""Socialisation as one would write it in Mesa: one agent per firm, small arrays, `agents.do`."""

import math

import mesa
import numpy as np

from benchmarks.knowledge_case import DOMAINS, KNOWLEDGE, Case


class MesaFirm(mesa.Agent):
    """A firm with what it knows and whom it trusts."""

    def __init__(self, model: "MesaDistrict", i: int, case: Case) -> None:
        super().__init__(model)
        seen = case.seen[i]
        self.tacit = seen["tacit"].astype(np.float64)
        self.x, self.y, self.it = float(seen["x"]), float(seen["y"]), float(seen["it"])
        self.absorptive, self.education = float(seen["absorptive"]), float(case.education[i])
        self.experience, self.research = float(case.experience[i]), float(case.research[i])
        self.trust: dict[MesaFirm, float] = {}
        self.gained, self.capacity = np.zeros(DOMAINS), 0.0

    def meeting(self, other: "MesaFirm", trust: float) -> float:
        """Trusted meetings with a partner."""
        k = self.model.k
        weight = max(0.0, trust - k["trust_threshold"]) / (1.0 - k["trust_threshold"])
        if weight <= 0.0:
            return 0.0
        km = math.hypot(self.x - other.x, self.y - other.y)
        met = weight * k["interaction"] * math.exp(-km / k["meeting_distance"])
        return met * (1.0 + k["it_tacit"] * self.it * other.it)

    def socialise(self) -> None:
        """Learn from the partners; `gained` and `capacity` are what the others do not see yet."""
        k = self.model.k
        meetings = {other: self.meeting(other, trust) for other, trust in self.trust.items()}
        attention = k["attention"] + sum(meetings.values())
        scale = k["distance_scale"] + k["distance_absorptive"] * self.absorptive
        own_norm = np.linalg.norm(self.tacit)
        self.gained = np.zeros(DOMAINS)
        for other, meeting in meetings.items():
            if meeting <= 0.0:
                continue
            gap = other.tacit - self.tacit
            total = own_norm + np.linalg.norm(other.tacit)
            distance = np.linalg.norm(gap) / total if total > 0.0 else 0.0
            understood = math.exp(-((distance / scale) ** 2))
            rate = min(1.0, k["socialisation"]) * self.absorptive * understood * meeting / attention
            self.gained += rate * np.maximum(0.0, gap)
        own = float(self.tacit @ self.model.relevance)
        weight = k["absorptive_education"] * self.education + k["absorptive_experience"] * self.experience
        weight += k["absorptive_research"] * self.research / (1.0 + self.research)
        weight += k["absorptive_knowledge"] * own / (1.0 + own)
        self.capacity = 1.0 - math.exp(-weight)


class MesaDistrict(mesa.Model):
    """The firms of a case as agents."""

    def __init__(self, case: Case) -> None:
        super().__init__(rng=1)
        self.k = {name: float(case.k[name][0]) for name in KNOWLEDGE}
        self.relevance = case.k["relevance"][0].astype(np.float64)
        firms = [MesaFirm(self, i, case) for i in range(len(case.seen))]
        for i, firm in enumerate(firms):
            slots = zip(case.partner[i], case.trust[i], strict=True)
            firm.trust = {firms[j]: float(trust) for j, trust in slots if j >= 0}

    def step(self) -> None:
        """All firms socialise."""
        self.agents.do("socialise")
