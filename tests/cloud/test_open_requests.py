"""The measure of Comfy Cloud's silence."""

from __future__ import annotations

import pytest

from cloud_history.cloud.open_requests import OpenRequests


class Requests:
    """Open requests with a clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.open = OpenRequests(lambda: self.now)


async def test_a_request_without_an_answer_counts_as_silence_until_its_answer_begins() -> None:
    requests = Requests()
    assert requests.open.silent_seconds == 0
    async with requests.open.open() as heard:
        requests.now += 9
        assert (requests.open.count, requests.open.silent_seconds) == (1, 9)
        heard()
        requests.now += 2
        assert requests.open.silent_seconds == 2
    assert (requests.open.count, requests.open.silent_seconds) == (0, 0)


async def test_a_request_that_fails_without_an_answer_does_not_end_the_silence() -> None:
    requests = Requests()

    async def fail() -> None:
        async with requests.open.open():
            requests.now += 5
            raise OSError("reset")

    with pytest.raises(OSError, match="reset"):
        await fail()
    requests.now += 4
    assert (requests.open.count, requests.open.silent_seconds) == (0, 9)
    async with requests.open.open():
        requests.now += 1
        assert requests.open.silent_seconds == 10
    assert requests.open.silent_seconds == 0


async def test_an_answer_to_one_of_several_requests_is_a_sign_of_life() -> None:
    requests = Requests()
    async with requests.open.open():
        requests.now += 30
        async with requests.open.open() as heard:
            requests.now += 1
            heard()
        requests.now += 3
        assert requests.open.silent_seconds == 3
