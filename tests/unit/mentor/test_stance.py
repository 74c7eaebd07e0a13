"""Who says the opposite of what they said before, in English and in Korean."""

import pytest

from mentor.canary.stance import claims, contradict

OPPOSITES = [
    ("I love my job at the bakery", "I don't love my job any more"),
    ("I really like my flatmate Ben", "I can't stand Ben any more"),
    ("I hate meetings", "I don't hate meetings any more"),
    ("I trust my doctor", "I no longer trust my doctor"),
    ("I quit smoking", "I started smoking again"),
    ("The service runs on Kubernetes", "The service does not run on Kubernetes, it runs on plain VMs"),
    ("We can meet on Friday", "We can't meet on Friday"),
    ("I like tea and coffee", "I don't like coffee"),
    ("저는 커피를 좋아해요", "커피 싫어해요"),
    ("제 룸메이트 벤이 정말 좋아요", "이제 벤이 싫어졌어요"),
    ("의사 선생님을 믿어요", "이제 의사 선생님을 안 믿어요"),
    ("이직하고 싶어요", "이직하고 싶지 않아요"),
    ("시간이 있어요", "시간이 없어요"),
    ("팀장님은 온다고 했어요", "팀장님은 안 온대요"),
    ("아침마다 커피를 두 잔씩 마셔요", "더 이상 커피를 안 마셔요"),
    ("저는 커피를 좋아하지만 차는 싫어해요", "차가 좋아요"),
]
NO_OPPOSITES = [
    ("I love my job at the bakery", "I hate my boss at the bakery"),
    ("My wife loves sushi", "I hate sushi"),
    ("I trust my doctor", "My wife doesn't trust doctors"),
    ("We can meet on Monday", "We can't meet on Friday"),
    ("I love my job", "I would hate to lose my job"),
    ("It works on my machine but not on the server", "We run Python 3.9 on the server"),
    ("The build does not fail on Linux", "The build fails on Windows"),
    ("I feel like everyone hates me", "I like everyone"),
    ("남편은 커피를 싫어해요", "저는 커피를 좋아해요"),
    ("부산에서 먹을 거예요", "부산에 안 갈 거예요"),
    ("회의가 없어요", "회의가 어려워요"),
]


@pytest.mark.parametrize(("before", "now"), OPPOSITES)
def test_the_opposite_of_the_same_matter_is_a_contradiction_either_way(before: str, now: str) -> None:
    assert contradict(claims(now), claims(before))
    assert contradict(claims(before), claims(now))


@pytest.mark.parametrize(("before", "now"), NO_OPPOSITES)
def test_another_matter_another_person_or_another_day_is_none(before: str, now: str) -> None:
    assert not contradict(claims(now), claims(before))


@pytest.mark.parametrize("text", [text for pair in OPPOSITES for text in pair])
def test_nothing_contradicts_itself(text: str) -> None:
    assert not contradict(claims(text), claims(text))


@pytest.mark.parametrize(
    ("before", "now", "matter"),
    [("I love my job", "Actually I hate it", "job"), ("저는 커피를 좋아해요", "이제는 싫어요", "커피")],
)
def test_it_stands_for_what_was_talked_of(before: str, now: str, matter: str) -> None:
    assert contradict(claims(now, matter), claims(before))
    assert not contradict(claims(now, "쥐" if matter == "커피" else "mouse"), claims(before))
