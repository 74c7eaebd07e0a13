"""Phase 3: recommends by resonance, converses with the last turns."""

from fastapi import FastAPI

from mentor.application import version_app
from mentor.dependencies import Engines
from serinus import DeploymentVersion


def legacy_app(engines: Engines) -> FastAPI:
    return version_app(engines, DeploymentVersion.LEGACY)
