"""Renaming a file only if the new name is free. Python has no function for it on POSIX."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from typing import Any

_FLAG = {"linux": ("renameat2", 1), "darwin": ("renameatx_np", 4)}
"""By system: the function of the C library, and its flag that refuses an existing new name."""
_HERE = {"linux": -100, "darwin": -2}
"""By system: the descriptor that stands for the working directory (AT_FDCWD)."""
_UNKNOWN_TO_DISK = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}


def rename_new(old: str, new: str, folder: int | None) -> bool:
    """Rename a file if nothing has the new name, in one step.

    Args:
        folder: descriptor of the folder of both names; None if both are whole paths.

    Returns:
        False if the system or the file system cannot do this. Nothing has changed then.

    Raises:
        FileExistsError: the new name exists.
        OSError: the disk failed.
    """
    function = _function()
    if function is None:
        return False
    here = _HERE[sys.platform] if folder is None else folder
    if function(here, os.fsencode(old), here, os.fsencode(new), _FLAG[sys.platform][1]) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN_TO_DISK:
        return False
    raise OSError(number, os.strerror(number), new)


@cache
def _function() -> Any:
    name, _ = _FLAG.get(sys.platform, ("", 0))
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name) if name else None
    except (OSError, AttributeError, TypeError):
        return None  # an older C library
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
        function.restype = ctypes.c_int
    return function
