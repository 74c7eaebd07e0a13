"""The reference is what the code says."""

import reference


def test_the_reference_page_is_what_the_code_says() -> None:
    written = reference.PAGE.read_text(encoding="utf-8")
    assert written == reference.page(), "run `python tools/reference.py`"


def test_every_setting_says_what_it_is() -> None:
    rows = [line for line in reference.page().splitlines() if line.startswith(("| `SERINUS_", "| `MENTOR_"))]
    assert len(rows) > 20
    assert [row for row in rows if row.split("|")[2].strip() == ""] == []
