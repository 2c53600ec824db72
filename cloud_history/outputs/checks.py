"""Whether a downloaded output is the file that Comfy Cloud describes, and by what that is known."""

from __future__ import annotations

from typing import NamedTuple

from ..state.saved_outputs import Checked
from .errors import OutputDamaged


class Expected(NamedTuple):
    """What is known of an output before its download has ended.

    Attributes:
        size: number of bytes of Comfy Cloud's asset, or None if unknown.
        blake3: hex digest of the asset, or None if unknown.
        length: number of bytes that the storage announced for the whole file, or None.
    """

    size: int | None = None
    blake3: str | None = None
    length: int | None = None


def check_output(expected: Expected, size: int, blake3: str | None) -> Checked:
    """Compare a downloaded output with what is expected, and return the strongest check that it has passed.

    If the asset's hash agrees, the content is proven, whatever size the asset's entry gives. The length that the
    storage announced must agree in any case, because a shorter file is a cut one.

    Args:
        size: number of bytes that were downloaded.
        blake3: hex digest of them, or None if it was not computed.

    Raises:
        OutputDamaged: the size or the hash differs. The output must not be kept.
    """
    if expected.length is not None and expected.length != size:
        raise OutputDamaged("output_wrong_size", got=size, expected=expected.length)
    if expected.blake3 is not None and blake3 is not None:
        if expected.blake3.lower() != blake3.lower():
            raise OutputDamaged("output_wrong_hash")
        return "blake3"
    if expected.size is not None and expected.size != size:
        raise OutputDamaged("output_wrong_size", got=size, expected=expected.size)
    return "none" if expected.size is None and expected.length is None else "size"
