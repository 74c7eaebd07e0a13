"""What a rollout compares: the two versions of a service, endpoint by endpoint."""

from enum import StrEnum

OTHER_ENDPOINT = "(other)"
"""Stands for every path that no route template matches, and for endpoints beyond what a process keeps apart."""


class DeploymentVersion(StrEnum):
    """LEGACY is proven and always there to go back to; CANARY is on trial."""

    LEGACY = "legacy"
    CANARY = "canary"
