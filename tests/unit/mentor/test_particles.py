"""Korean particles follow the last sound of the word before them."""

import pytest

from mentor.canary.particles import with_particles


@pytest.mark.parametrize(
    ("sentence", "fitting"),
    [
        ("‘회의’을(를) 준비하세요", "‘회의’를 준비하세요"),
        ("‘일정’을(를) 준비하세요", "‘일정’을 준비하세요"),
        ("‘부산’이(가) 좋아요", "‘부산’이 좋아요"),
        ("‘제주’이(가) 좋아요", "‘제주’가 좋아요"),
        ("‘팀’과(와) 함께", "‘팀’과 함께"),
        ("‘docker’과(와) 함께", "‘docker’와 함께"),
        ("‘2024’을(를) 보고", "‘2024’를 보고"),
        ("‘2023’을(를) 보고", "‘2023’을 보고"),
        ("그대로예요", "그대로예요"),
    ],
)
def test_a_particle_fits_the_sound_before_it(sentence: str, fitting: str) -> None:
    assert with_particles(sentence) == fitting
