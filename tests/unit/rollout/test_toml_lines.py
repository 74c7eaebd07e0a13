"""Where keys stand in a TOML source."""

from serinus.rollout.toml_lines import key_lines


def test_keys_are_found_in_tables_and_in_the_latest_item_of_a_list() -> None:
    source = "a = 1\n[t] # remark\nb = 2\n[[l]]\nc = 3\n[[l]]\n  c = 4\n[l.deep]\nd = 5\n[[l.m]]\ne = 6\n"
    lines = key_lines(source)
    assert (lines["a"], lines["t"], lines["t.b"]) == (1, 2, 3)
    assert (lines["l[0].c"], lines["l[1]"], lines["l[1].c"]) == (5, 6, 7)
    assert (lines["l[1].deep.d"], lines["l[1].m[0].e"]) == (9, 11)


def test_what_looks_like_a_key_inside_a_long_text_is_none() -> None:
    lines = key_lines('a = """\nb = 1\n[t]\n"""\nc = 2\n')
    assert lines == {"a": 1, "c": 5}
