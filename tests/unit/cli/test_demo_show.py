"""What the demonstration says at its end."""

import pytest

from serinus.cli.demo_show import conclusion
from serinus.messages import LANGUAGES, catalogue


@pytest.mark.parametrize(
    ("phase", "broken", "text"),
    [("succeeded", False, "promoted"), ("rolled_back", True, "rolled_back"), ("succeeded", True, "unharmed")],
)
def test_the_end_is_told_as_it_was_and_in_every_language(phase: str, broken: bool, text: str) -> None:
    assert conclusion(phase, broken=broken) == text
    assert all(text in catalogue(language)["demo"] for language in LANGUAGES)
