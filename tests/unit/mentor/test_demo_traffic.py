from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from mentor.demo import arrivals, recordings
from mentor.demo.sources import Source
from mentor.demo.traffic import main


def test_self_made_traffic_comes_at_the_rate_asked_for() -> None:
    traffic = arrivals.self_made(seed=3)
    count = len(traffic.offsets_seconds) * 2
    *_, (last, _) = islice(traffic.arrivals(rate=80), count)
    assert count / last == pytest.approx(80, rel=0.02)


def test_self_made_traffic_has_bursts_and_users_who_send_much_more_than_others() -> None:
    traffic = arrivals.self_made(seed=3)
    offsets = [offset for offset, _ in islice(traffic.arrivals(rate=100), 9_000)]
    per_tenth = Counter(int(offset * 10) for offset in offsets)
    of_users = sorted(Counter(traffic.users).values())
    assert max(per_tenth.values()) > 4 * 10
    assert of_users[-1] > 20 * of_users[len(of_users) // 2]


def test_arrivals_never_go_back_in_time_when_the_recording_is_looped() -> None:
    offsets = [offset for offset, _ in islice(arrivals.self_made(seed=1).arrivals(rate=50), 20_000)]
    assert offsets == sorted(offsets)


def test_the_same_seed_makes_the_same_traffic_and_another_seed_another() -> None:
    assert arrivals.self_made(seed=5) == arrivals.self_made(seed=5)
    assert arrivals.self_made(seed=5) != arrivals.self_made(seed=6)


def test_without_a_folder_of_recordings_everything_is_self_made(tmp_path: Path) -> None:
    assert arrivals.best_available(tmp_path, seed=1).source is Source.SELF_MADE
    assert recordings.best_available(tmp_path, seed=1).source is Source.SELF_MADE


def test_recorded_traffic_is_used_where_it_is_present(shared_data: Path) -> None:
    traffic = arrivals.best_available(shared_data / "traffic", seed=1)
    assert traffic.source is Source.RECORDED
    assert (len(traffic.offsets_seconds), len(set(traffic.users))) == (8_819, 1_753)


def test_the_slow_machine_is_slower_by_about_a_quarter_in_both_kinds_of_recordings(
    tmp_path: Path, shared_data: Path
) -> None:
    for folder in (tmp_path, shared_data / "traffic"):
        found = recordings.best_available(folder, seed=1)
        fast, slow = sorted(found.fast_ms), sorted(found.slow_ms)
        assert 1.2 < slow[len(slow) * 95 // 100] / fast[len(fast) * 95 // 100] < 1.35
        assert fast[0] > recordings.TRANSACTIONS * 2


def test_simulated_users_refuse_to_leave_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "http://example.com", "--seconds", "1"]) == 2
    assert "loopback" in capsys.readouterr().err
