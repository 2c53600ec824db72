"""Install Debian packages, once no other program holds apt's locks."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from steps import StepFailed, run_step, say

# apt-get's own timeout covers only the lock of dpkg, and none on older systems.
LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
MAX_SECONDS = 600
POLL_SECONDS = 2

_one_at_a_time = threading.Lock()


def debian_root() -> bool:
    """Whether this is root on a system with apt, so that packages can be installed."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(*packages: str) -> None:
    """Install packages. Raises StepFailed."""
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "-qy", "-o", f"DPkg::Lock::Timeout={MAX_SECONDS}"]
    install += ["-o", "Acquire::Retries=3", "install", *packages]
    with _one_at_a_time:
        wait_for_locks()
        run_step("apt-get update", ["apt-get", "-q", "update"], env=env, lasts="about 10 s")
        wait_for_locks()
        run_step(f"apt-get install {' '.join(packages)}", install, env=env, lasts="about 60 s")


def wait_for_locks(
    locks: Sequence[str] = LOCKS,
    sleep: Callable[[float], object] = time.sleep,  # noqa: TID251  (no event loop here)
    seconds: float = MAX_SECONDS,
) -> None:
    """Wait until no other program holds one of apt's locks.

    Raises:
        StepFailed: a lock is still held after `seconds`. The message names it.
    """
    waited = 0.0
    while held := next(filter(is_held, locks), None):
        if not waited:
            say(f"  waiting for another program that uses apt (unattended upgrades?) and holds {held}")
        if waited >= seconds:
            raise StepFailed(
                f"Another program has held apt's lock for {seconds / 60:.0f} minutes: {held}. "
                "Wait for that program or end it, then run this again."
            )
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def is_held(lock: str) -> bool:
    """Whether another process holds this lock."""
    if sys.platform == "win32" or not Path(lock).exists():
        return False
    import fcntl

    with Path(lock).open("r+b") as handle:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
