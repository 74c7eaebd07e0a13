"""The workflows are what GitHub takes, and run what is there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(name: str) -> dict[Any, Any]:
    return yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))


def commands(workflow: dict[Any, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_every_workflow_is_valid_by_githubs_published_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    run = subprocess.run([*command, *map(str, WORKFLOWS)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.tool("zizmor")
def test_no_workflow_opens_a_way_in() -> None:
    command = ["zizmor", "--offline", "--no-config", "--persona", "pedantic", str(ROOT / ".github/workflows")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_and_ends_by_itself(path: Path) -> None:
    workflow = read(path.name)
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_that_people_type_is_pasted_into_a_command(path: Path) -> None:
    assert not [command for command in commands(read(path.name)) if "${{" in command]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_script_that_a_workflow_runs_exists(path: Path) -> None:
    scripts = [name for command in commands(read(path.name)) for name in re.findall(r"[\w./]+/[\w.]+", command)]
    ours = [name for name in scripts if not name.startswith("measured/")]
    assert ours
    assert [name for name in ours if not (ROOT / name).exists()] == []


def test_whatever_installs_debians_packages_runs_on_a_debian() -> None:
    jobs = [job for path in WORKFLOWS for job in read(path.name)["jobs"].values()]
    full = [job for job in jobs if any(step.get("run") == ".ci/run" for step in job["steps"])]
    assert [job["container"]["image"] for job in full] == ["python:3.11-bookworm"]


def test_the_load_test_is_started_by_hand_with_any_of_the_profiles() -> None:
    workflow = read("load-test.yml")
    (trigger,) = workflow[True].items()  # YAML 1.1 reads `on` as a truth
    assert trigger[0] == "workflow_dispatch"
    profiles = tomllib.loads((ROOT / "loadtests/profiles.toml").read_text(encoding="utf-8"))
    assert trigger[1]["inputs"]["profile"]["options"] == list(profiles)
