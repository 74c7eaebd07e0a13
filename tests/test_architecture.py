"""The house keeps its shape: who may import whom, and what a light import must not load."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
STDLIB = sys.stdlib_module_names

# A part of serinus -> the parts that it may import besides itself. Downwards only; `bootstrap` knows everybody.
IMPORTS: dict[str, set[str]] = {
    "deployment": set(),
    "errors": set(),
    "pauses": set(),
    "aside": set(),
    "certificates": set(),
    "problems": {"errors", "messages"},
    "routing": {"deployment", "errors"},
    "metrics": {"deployment"},
    "analysis": {"deployment", "metrics"},
    "rollout": {"deployment", "errors", "routing", "metrics", "analysis"},
    "messages": {"errors", "analysis", "rollout"},
    "settings": {"errors"},
    "sentry": {"asgi"},
    "inspection": {
        *("deployment", "analysis", "rollout", "storage", "alerts", "access", "control", "settings"),
        *("sources", "certificates"),
    },
    "storage": {"deployment", "errors", "pauses", "aside", "routing", "metrics", "analysis", "rollout"},
    "sources": {"deployment", "errors", "metrics", "pauses", "rollout", "settings", "storage"},
    "alerts": {"deployment", "errors", "analysis", "rollout", "storage", "messages", "pauses", "settings"},
    "reports": {"deployment", "errors", "metrics", "analysis", "rollout", "storage", "messages"},
    "attempts": {"errors"},
    "headers": set(),
    "access": {"attempts", "errors", "storage"},
    "asgi": {"deployment", "errors", "routing", "metrics"},
    "control": {
        *("deployment", "errors", "routing", "metrics", "analysis", "rollout"),
        *("storage", "asgi", "plans", "pauses", "aside"),
    },
    "drill": {
        *("deployment", "errors", "analysis", "rollout", "asgi", "storage", "control", "alerts"),
    },
    "openfeature": {"deployment", "errors", "routing", "asgi"},
    "plans": {"rollout", "errors"},
    "admin": {
        *("deployment", "errors", "headers", "routing", "metrics", "analysis", "rollout"),
        *("storage", "access", "problems", "control", "messages", "asgi", "plans", "alerts", "reports", "drill"),
    },
    "console": {"errors", "access", "headers", "problems"},
    "gateway": {"errors", "settings", "asgi", "bootstrap"},
    "apart": {"admin", "asgi", "bootstrap", "control", "drill", "settings", "storage"},
    "cli": {
        "apart",
        "certificates",
        "errors",
        "gateway",
        "messages",
        "settings",
        "rollout",
        "plans",
        "alerts",
        "reports",
        "bootstrap",
        "inspection",
    },
    "__main__": {"cli"},
    "bootstrap": {"*"},
}
PURE = {"deployment", "errors", "routing", "metrics", "analysis", "rollout"}
IMPURE_STDLIB = {
    *("asyncio", "random", "secrets", "time", "os", "io", "socket", "ssl", "subprocess", "threading", "tempfile"),
    *("pathlib", "shutil", "logging", "urllib", "http", "sqlite3", "uuid", "multiprocessing", "concurrent", "select"),
}
THREADS_ALLOWED = {"metrics/canary_metrics.py": {"threading"}}  # one lock: counting is shared by threads
LOCKS = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"}
PURE_THIRD_PARTY = {"analysis": {"numpy"}}


@cache
def modules(package: str) -> tuple[tuple[Path, ast.Module], ...]:
    paths = sorted((SOURCE / package).rglob("*.py"))
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE / "serinus").parts[0].removesuffix(".py")


def test_every_part_of_serinus_imports_only_what_the_table_allows() -> None:
    wrong = []
    for path, tree in modules("serinus"):
        part = part_of(path)
        if part == "__init__":
            continue
        allowed = IMPORTS.get(part, set()) | {part}
        for name in imported(tree):
            head, _, rest = name.partition(".")
            if head == "serinus" and "*" not in allowed and rest.split(".")[0] not in allowed:
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_every_part_of_serinus_stands_in_the_table() -> None:
    parts = {part_of(path) for path, _ in modules("serinus")} - {"__init__"}
    assert parts == set(IMPORTS)


def test_pure_parts_import_no_clock_no_randomness_and_no_input_or_output() -> None:
    wrong = []
    for path, tree in modules("serinus"):
        part = part_of(path)
        if part not in PURE:
            continue
        allowed = THREADS_ALLOWED.get(path.relative_to(SOURCE / "serinus").as_posix(), set())
        for name in imported(tree):
            head = name.partition(".")[0]
            third_party = head not in STDLIB and head != "serinus" and head not in PURE_THIRD_PARTY.get(part, set())
            if third_party or (head in IMPURE_STDLIB and head not in allowed):
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_a_threads_lock_stands_where_nothing_waits_for_input_or_output() -> None:
    holders = {
        path.relative_to(SOURCE / package).as_posix()
        for package in ("serinus", "mentor")
        for path, tree in modules(package)
        if any(map(_names_a_lock, nodes(tree)))
    }
    assert holders == set(THREADS_ALLOWED)


def _names_a_lock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "threading" and bool(LOCKS & {each.name for each in node.names})
    return isinstance(node, ast.Attribute) and node.attr in LOCKS and ast.unparse(node.value) == "threading"


def test_mentor_uses_only_what_serinus_exports() -> None:
    wrong = []
    for path, tree in modules("mentor"):
        for node in nodes(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("serinus."):
                wrong.append(f"{path.relative_to(SOURCE)} imports from {node.module}")
            if isinstance(node, ast.Import) and any(alias.name.startswith("serinus.") for alias in node.names):
                wrong.append(f"{path.relative_to(SOURCE)} imports {node.names[0].name}")
    assert not wrong, "\n".join(wrong)


def test_serinus_never_imports_mentor() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, tree in modules("serinus")
        for name in imported(tree)
        if name.partition(".")[0] == "mentor"
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", ["serinus", "serinus.asgi"])
def test_importing_the_middleware_alone_stays_light(module: str) -> None:
    heavy = {"fastapi", "starlette", "pydantic", "sqlalchemy", "numpy", "alembic", "rich", "httpx2"}
    script = f"import sys, {module}; print(sorted({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert loaded == "[]"


def test_modules_stay_under_three_hundred_lines() -> None:
    long = [
        f"{path.relative_to(SOURCE)} has {len(lines)} lines"
        for package in ("serinus", "mentor")
        for path, _ in modules(package)
        if len(lines := path.read_text(encoding="utf-8").splitlines()) > 300
    ]
    assert not long, "\n".join(long)


def test_only_the_three_supervisors_catch_everything() -> None:
    supervisors = {"control/loop.py", "control/agent.py", "alerts/notifier.py"}
    wrong = []
    for path, tree in modules("serinus"):
        for node in nodes(tree):
            broad = isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
            )
            where = path.relative_to(SOURCE / "serinus").as_posix()
            if broad and where not in supervisors and not _reraises(node):
                wrong.append(f"{where}:{node.lineno}")
    assert not wrong, "\n".join(wrong)


def _reraises(handler: ast.ExceptHandler) -> bool:
    """A handler that ends in a bare `raise` observes and lets everything through."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


NOT_USED = {"manager", "helper", "helpers", "util", "utils", "processor", "orchestrator", "impl"}
NOT_USED_AS_SUFFIX = {"data", "info"}
CUSTOMERS_NAMES = {"session_manager", "get_session_manager"}


def test_names_use_none_of_the_words_that_say_nothing() -> None:
    wrong = []
    for package in ("serinus", "mentor"):
        for path, tree in modules(package):
            names = {path.stem, *_defined(tree)} - CUSTOMERS_NAMES
            for name in sorted(names):
                words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)]
                if NOT_USED & set(words) or (len(words) > 1 and words[-1] in NOT_USED_AS_SUFFIX):
                    wrong.append(f"{path.relative_to(SOURCE)}: {name}")
    assert not wrong, "\n".join(wrong)


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
