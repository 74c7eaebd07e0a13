"""A tool that is not installed: skipped with the reason on a bare machine, a failure where all tools are demanded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(("demanded", "exit_code"), [("", 0), ("1", 1)])
def test_a_missing_tool_is_skipped_unless_it_is_demanded(tmp_path: Path, demanded: str, exit_code: int) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_haproxy.py"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path), "SERINUS_REQUIRE_TOOLS": demanded},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == exit_code, run.stdout
    assert "the program `haproxy` is not installed" in run.stdout
