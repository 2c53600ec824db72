"""The progress of a save: files, bytes, speed and time left."""

from __future__ import annotations

import pytest

from cloud_history.outputs.progress import SaveProgress
from cloud_history.outputs.report import size_text


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_totals_follow_what_becomes_known_of_each_job() -> None:
    progress = SaveProgress(Clock())
    progress.expect("a", 2, 100)
    progress.expect("b", 3, None)
    assert (progress.files, progress.bytes) == (5, None)
    progress.expect("b", 1, 50)
    assert (progress.files, progress.bytes) == (3, 150)


def test_the_speed_is_that_of_the_last_seconds_and_gives_the_time_left() -> None:
    clock = Clock()
    progress = SaveProgress(clock)
    progress.expect("a", 1, 10_000)
    for _ in range(20):
        clock.now += 1
        progress.received(100)
    assert progress.bytes_per_second() == 100
    assert progress.seconds_left() == 80
    clock.now += 60
    assert (progress.bytes_per_second(), progress.seconds_left()) == (0, None)


def test_bytes_of_files_that_are_here_do_not_count_as_speed() -> None:
    clock = Clock()
    progress = SaveProgress(clock)
    progress.expect("a", 2, 1_000_000)
    progress.ended(here_before=900_000)
    clock.now += 2
    assert (progress.bytes_done, progress.already_here, progress.saved) == (900_000, 1, 0)
    assert progress.bytes_per_second() == 0


def test_a_file_that_begins_anew_is_not_counted_twice() -> None:
    progress = SaveProgress(Clock())
    progress.expect("a", 1, 300)
    progress.received(200)
    progress.taken_back(200)
    progress.received(300)
    progress.ended()
    assert (progress.bytes_done, progress.bytes, progress.saved) == (300, 300, 1)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        *((0, "0 B"), (999, "999 B"), (1000, "1 KB"), (9_940, "9.9 KB"), (9_960, "10 KB"), (999_600, "1 MB")),
        *((4_100_000_000, "4.1 GB"), (2**60, "1152922 TB")),
    ],
)
def test_sizes_are_formatted_with_one_digit_below_ten(size: int, text: str) -> None:
    assert size_text(size) == text
