"""What is deployed is what the platforms take: by hadolint, and by Cloud Run's published schema."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.fields import FieldInfo

from serinus.gateway import from_environment
from serinus.settings import Settings

ROOT = Path(__file__).parents[2]
CLOUD_RUN = sorted((ROOT / "deploy/cloudrun").glob("*.yaml"))
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


@pytest.fixture(scope="module")
def schemas() -> Mapping[str, Any]:
    """Of the Cloud Run Admin API v1, as Google's client library ships its discovery document."""
    library = pytest.importorskip("googleapiclient", reason="the extra `e2e` is not installed")
    document = Path(library.__file__).parent / "discovery_cache/documents/run.v1.json"
    return dict(json.loads(document.read_text(encoding="utf-8"))["schemas"])


def wrong(value: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any], at: str) -> Iterator[str]:
    """Unknown fields and wrong types below `at`."""
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    expected = TYPES[schema["type"]]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        yield f"{at} is no {schema['type']}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from wrong(item, schema["items"], schemas, f"{at}[{number}]")
    elif isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            if inner := known.get(name, others):
                yield from wrong(item, inner, schemas, f"{at}.{name}")
            else:
                yield f"{at}.{name} is not known"


@pytest.mark.parametrize("path", CLOUD_RUN, ids=lambda path: path.stem)
def test_cloud_run_takes_every_file(path: Path, schemas: Mapping[str, Any]) -> None:
    resource = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(wrong(resource, schemas[resource["kind"]], schemas, path.stem)) == []


def test_a_misspelt_field_would_be_found(schemas: Mapping[str, Any]) -> None:
    resource = yaml.safe_load((ROOT / "deploy/cloudrun/service.yaml").read_text(encoding="utf-8"))
    spec = resource["spec"]["template"]["spec"]
    spec["containerConcurency"] = spec.pop("containerConcurrency")
    spec["timeoutSeconds"] = "300"
    assert list(wrong(resource, schemas["Service"], schemas, "service")) == [
        "service.spec.template.spec.timeoutSeconds is no integer",
        "service.spec.template.spec.containerConcurency is not known",
    ]


@pytest.mark.parametrize("path", CLOUD_RUN, ids=lambda path: path.stem)
def test_only_settings_that_exist_are_given_and_secrets_by_reference(path: Path) -> None:
    (container,) = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["template"]["spec"]["containers"]
    names = {variable["name"] for variable in container["env"]}
    fields = {f"SERINUS_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert names <= set(fields)
    secret = [variable for variable in container["env"] if holds_a_secret(fields[variable["name"]])]
    assert all("secretKeyRef" in variable["valueFrom"] for variable in secret)
    assert {"SERINUS_DATABASE_URL"} <= {variable["name"] for variable in secret}


def holds_a_secret(field: FieldInfo) -> bool:
    return not field.repr or "SecretStr" in str(field.annotation)


def test_the_gateways_file_describes_a_gateway_that_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    resource = yaml.safe_load((ROOT / "deploy/cloudrun/gateway.yaml").read_text(encoding="utf-8"))
    (container,) = resource["spec"]["template"]["spec"]["containers"]
    for variable in container["env"]:
        if "value" in variable:
            monkeypatch.setenv(variable["name"], variable["value"])
    monkeypatch.setenv("SERINUS_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}")
    assert from_environment().canary.options.timeout_seconds == 10
    assert container["command"][:2] == ["serinus", "serve"]


@pytest.mark.tool("hadolint")
def test_the_dockerfile_is_without_complaints() -> None:
    run = subprocess.run(["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
