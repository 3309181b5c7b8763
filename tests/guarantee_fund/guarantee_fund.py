"""A mutual guarantee fund (confidi): a mechanism from outside, as an installed package would offer it."""

from typing import Any

import numpy as np

from district_sim.model.state import FIRMS, WORLD
from district_sim.scenario.extensions import Mechanism, MechanismIndicator, MechanismSection
from district_sim.scenario.fields import number


class GuaranteeFund(MechanismSection):
    """Firms pay into a fund, which covers the debts of those who cannot pay."""

    fee: float = number(0.002, 0.0, 0.05, "share of sales", "What a firm with cash pays in each quarter")


def collect_and_help(state: Any, living: np.ndarray, p: Any, s: Any, own: Any) -> None:
    """Firms with cash pay a share of their sales; debts are covered, smallest first, as long as the fund lasts.

    The fund stands outside the district: what it holds is booked as money of the world.
    """
    firms = state.firms
    before = float(firms.cash[living].sum())
    paid = np.clip(own.fee * firms.sales[living], 0.0, np.maximum(0.0, firms.cash[living]))
    firms.cash[living] -= paid
    own.money += paid.sum()
    own.helped = 0.0
    for i in sorted(living[firms.cash[living] < 0.0], key=lambda i: -firms.cash[i]):
        if -firms.cash[i] > own.money:
            break
        own.money += firms.cash[i]
        firms.cash[i] = 0.0
        own.helped += 1.0
    change = float(firms.cash[living].sum()) - before
    state.accounts.money[FIRMS] += change
    state.accounts.money[WORLD] -= change


mechanism = Mechanism(
    name="guarantee_fund",
    version="1.0",
    section=GuaranteeFund,
    place="ownership",
    act=collect_and_help,
    memory=("money", "helped"),
    indicators=(
        MechanismIndicator("money", "Guarantee fund", "k€", 0, "Money in the fund", lambda state, p, own: own.money),
        MechanismIndicator(
            "helped",
            "Firms helped",
            "firms/quarter",
            0,
            "Firms whose debt it covered",
            lambda state, p, own: own.helped,
        ),
    ),
)
