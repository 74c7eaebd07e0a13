"""Korean particles fit the name that they follow."""

import pytest

from serinus.messages import render_event, render_label
from serinus.messages.particles import settled
from serinus.messages.phrases import translate
from serinus.rollout.events import ITSELF, Event, EventKind


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("LEGACY을(를) 씁니다", "LEGACY를 씁니다"),
        ("오류율을(를) 넘었습니다", "오류율을 넘었습니다"),
        ("가용성이(가) 낮습니다", "가용성이 낮습니다"),
        ("관리자이(가) 필요합니다", "관리자가 필요합니다"),
        ("계획 phase4(으)로", "계획 phase4로"),
        ("P95을(를)", "P95를"),
        ("10 %이(가) 카나리로", "10 %가 카나리로"),
        ("500(으)로 응답", "500으로 응답"),
        ("201(으)로 응답", "201로 응답"),
        ("서울(으)로", "서울로"),
        ("파일 'plan.toml'이(가) 없습니다", "파일 'plan.toml'이 없습니다"),
        ("plan.toml(으)로", "plan.toml로"),
        ('"이유"을(를)', '"이유"를'),
        ("vm-7-a3과(와)", "vm-7-a3과"),
    ],
)
def test_a_particle_fits_how_the_name_before_it_ends(written: str, said: str) -> None:
    assert settled(written) == said


@pytest.mark.parametrize("written", ["shop-front을(를)", "–을(를)", "을(를)"])
def test_where_the_ending_cannot_be_told_both_forms_stay(written: str) -> None:
    assert settled(written) == written


def test_events_labels_and_translated_sentences_are_settled() -> None:
    waiting = Event(EventKind.GATE_WAITING, 0.0, ITSELF, details={"gate": "management-review"})
    assert "(" in render_event(waiting, "ko")[0]
    started = Event(EventKind.STARTED, 0.0, "ann", details={"plan": "phase4", "percentages": [5.0]})
    assert render_event(started, "ko")[0] == "ann 님이 계획 phase4로 롤아웃을 시작했습니다 (5 %)"
    assert '"요청 수"를' in render_label("estimate_late", "ko", step=1, bake=60.0, gate="요청 수", over=60.0)
    assert translate("No such option '--fast'.", "ko") == "옵션 '--fast'은(는) 없습니다."
    assert translate("No such option '--all'.", "ko") == "옵션 '--all'은 없습니다."
