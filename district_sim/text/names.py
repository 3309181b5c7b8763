"""How the futures are called in front of a reader, in tables and figures alike."""

from district_sim.run.trajectories import Trajectory

TRAJECTORY_NAMES: dict[Trajectory, str] = {
    Trajectory.FRAGMENTATION: "Fragmentation",
    Trajectory.POST_MARSHALLIAN_NODE: "Post-Marshallian node",
    Trajectory.LEARNING_REGION: "Learning region",
    Trajectory.COLLECTIVE_ENTREPRENEURSHIP: "Collective entrepreneurship",
    Trajectory.MARSHALLIAN_PERSISTENCE: "Marshallian persistence",
    Trajectory.DECLINE: "Decline",
}


def trajectory_meant(scenario: str) -> Trajectory | None:
    """The trajectory that a scenario is named after, if it is; the baseline is meant to persist."""
    if scenario == "baseline":
        return Trajectory.MARSHALLIAN_PERSISTENCE
    return Trajectory(scenario) if scenario in tuple(Trajectory) else None


def heading(scenario: str) -> str:
    """A scenario's name as a heading: `learning_region` is Learning region."""
    if scenario in tuple(Trajectory):
        return TRAJECTORY_NAMES[Trajectory(scenario)]
    plain = scenario.rsplit("/", 1)[-1].replace("_", " ")
    return plain[:1].upper() + plain[1:]
