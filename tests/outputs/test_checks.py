"""Which downloads are accepted as the file that Comfy Cloud describes."""

from __future__ import annotations

import pytest

from cloud_history.outputs.checks import Expected, check_output
from cloud_history.outputs.errors import OutputDamaged

HASH, OTHER = "ab" * 32, "cd" * 32


@pytest.mark.parametrize(
    ("expected", "blake3", "checked"),
    [
        (Expected(), HASH, "none"),
        (Expected(size=100), None, "size"),
        (Expected(length=100), None, "size"),
        (Expected(size=100, length=100), HASH, "size"),
        (Expected(size=100, blake3=HASH), None, "size"),
        (Expected(blake3=HASH), None, "none"),
        (Expected(blake3=HASH), HASH, "blake3"),
        (Expected(blake3=HASH.upper()), HASH, "blake3"),
        (Expected(size=99, blake3=HASH, length=100), HASH, "blake3"),
    ],
)
def test_the_strongest_check_that_a_download_passed_is_named(
    expected: Expected, blake3: str | None, checked: str
) -> None:
    assert check_output(expected, 100, blake3) == checked


@pytest.mark.parametrize(
    ("expected", "blake3", "sentence"),
    [
        (Expected(size=99), None, "output_wrong_size"),
        (Expected(size=101, length=100), HASH, "output_wrong_size"),
        (Expected(size=0), None, "output_wrong_size"),
        (Expected(length=101), None, "output_wrong_size"),
        (Expected(size=100, blake3=HASH, length=101), HASH, "output_wrong_size"),
        (Expected(size=100, blake3=OTHER, length=100), HASH, "output_wrong_hash"),
        (Expected(blake3=OTHER), HASH, "output_wrong_hash"),
    ],
)
def test_a_download_that_differs_from_what_is_expected_is_refused(
    expected: Expected, blake3: str | None, sentence: str
) -> None:
    with pytest.raises(OutputDamaged) as caught:
        check_output(expected, 100, blake3)
    assert caught.value.sentence == sentence
