"""The two versions of a service that a rollout compares."""

from enum import StrEnum


class DeploymentVersion(StrEnum):
    """LEGACY is proven and always there to go back to; CANARY is on trial."""

    LEGACY = "legacy"
    CANARY = "canary"
