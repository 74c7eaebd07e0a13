"""What a message does, told by its form, in English and in Korean."""

import pytest

from mentor.canary.acts import Act, act_of

EXAMPLES = [
    (Act.GREETING, "hi", "안녕하세요"),
    (Act.GREETING, "Good morning!", "안녕하세요!"),
    (Act.INTRODUCTION, "Who are you?", "누구세요?"),
    (Act.ABUSE, "you are useless", "닥쳐"),
    (Act.THANKS, "ok that helped, thanks!", "고마워요!"),
    (Act.FAREWELL, "Good night, talk to you later", "안녕히 계세요"),
    (Act.PAUSE, "hmm", "ㅠㅠ"),
    (Act.PAUSE, "…", "음..."),
    (Act.PAUSE, "🙂", "네"),
    (Act.SUMMARY, "Can you sum up what we know?", "지금까지 한 이야기를 요약해 줘"),
    (Act.RECALL, "What did I tell you about Mina?", "제가 어제 무슨 일이 있었다고 했죠?"),
    (Act.RECALL, "Do you remember my budget?", "누가 채식주의자라고 했지?"),
    (Act.QUESTION, "what should we do first", "뭐부터 확인하면 좋을까요"),
    (Act.QUESTION, "Explain how a mutex works", "뮤텍스를 설명해 주세요"),
    (Act.QUESTION, "Is that significant?", "쿠폰 때문이라고 봐도 될까요"),
    (Act.STATEMENT, "The payment integration isn't started", "팀장님이 회의 때마다 저한테만 뭐라고 해요"),
    (Act.STATEMENT, "I said hello to the new neighbours and they invited us", "6시간쯤 지나면 OOM이 나요"),
    (Act.STATEMENT, "It happens about twice an hour", "메모리가 계속 올라가요"),
]


@pytest.mark.parametrize(("act", "english", "korean"), EXAMPLES)
def test_it_is_told_by_its_form(act: Act, english: str, korean: str) -> None:
    assert act_of(english) is act
    assert act_of(korean) is act


def test_the_examples_cover_every_act() -> None:
    assert {act for act, *_ in EXAMPLES} == set(Act)
