from serinus.control.loop import LONGEST_PAUSE_SECONDS, TICK_SECONDS, pause_seconds


def test_the_loop_ticks_every_second_and_less_often_while_it_fails() -> None:
    pauses = [pause_seconds(failures) for failures in range(100)]
    assert pauses[0] == TICK_SECONDS
    assert pauses == sorted(pauses)
    assert pauses[1] > pauses[0]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
