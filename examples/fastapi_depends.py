"""FastAPI: one application, whose handler chooses. `serinus serve fastapi_depends:app` in this folder."""

from typing import Annotated

from fastapi import Depends, FastAPI

from serinus import DeploymentVersion, application, current_version, subject

Version = Annotated[DeploymentVersion, Depends(current_version)]

shop = FastAPI()


@shop.get("/totals/{quantity}")
async def total(quantity: int, version: Version) -> dict[str, int]:
    if version is DeploymentVersion.CANARY:
        return {"total": 10 * quantity, "each": 10 * quantity // quantity}  # fails for none
    return {"total": 10 * quantity}


app = application(legacy=shop, canary=shop, subject=subject.header("x-user-id"))
