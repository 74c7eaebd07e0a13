"""The plans that ship with the package."""

from importlib.resources import files

from serinus.errors import NotFound
from serinus.rollout.plan import Plan
from serinus.rollout.plan_file import parse_plan


def shipped_names() -> tuple[str, ...]:
    return tuple(
        sorted(item.name.removesuffix(".toml") for item in files(__name__).iterdir() if item.name[-5:] == ".toml")
    )


def shipped_text(name: str) -> str:
    """The TOML source of the plan `name`, comments and all; `NotFound` names those that there are."""
    if name not in shipped_names():
        raise NotFound(f"no plan {name!r} ships with serinus; there are: {', '.join(shipped_names())}")
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load_shipped(name: str) -> Plan:
    return parse_plan(shipped_text(name))
