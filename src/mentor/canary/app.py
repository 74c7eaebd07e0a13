"""Phase 4: recommends by content and affinity, converses with a memory."""

from fastapi import FastAPI

from mentor.application import version_app
from mentor.dependencies import Engines
from serinus import DeploymentVersion


def canary_app(engines: Engines) -> FastAPI:
    return version_app(engines, DeploymentVersion.CANARY)
