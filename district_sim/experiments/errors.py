"""The error of an experiment that cannot be run."""

from district_sim.scenario.files import Key, ScenarioError


class DesignError(ScenarioError):
    """An experiment that cannot be run; `at` is the field that is wrong, or one entry of it."""

    def __init__(self, at: Key, reason: str) -> None:
        super().__init__(f"{dotted(at)}: {reason}")
        self.at = at
        self.reason = reason


def dotted(at: Key) -> str:
    """A field in words; of an entry of a list, the list, as its line or value identifies it."""
    return ".".join(map(str, at[:-1] if at and isinstance(at[-1], int) else at))
