"""Estimate how large a backup will be and how long it will take, from earlier backups."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from ..errors import CloudError
from ..state.backups import BackupFolder
from .report import Payload

TYPICAL_BYTES = 5_000.0
"""The size of one workflow in a backup, compressed. Used until enough workflows were backed up."""
FASTEST_SECONDS, SLOWEST_SECONDS = 0.015, 0.09
"""The time for one workflow, six being requested at once. Used until enough workflows were backed up."""
MIN_MEASURED_WORKFLOWS = 50
"""Fewer workflows say nothing about the speed: one alone may take a second, or wait for a slow connection."""
SPREAD = 1.25
"""How much slower or faster than measured the next backup may be."""
MAX_GROWTH = 20
"""For a backup this many times as large as all that were measured, Comfy Cloud may ask to wait for the first time."""
MAX_BACKUPS_READ = 10


class BackupEstimate(NamedTuple):
    """The estimated size in bytes of a backup of `workflows` workflows, and the most and the least seconds it takes."""

    workflows: int
    size: int
    seconds: int
    least_seconds: int

    def payload(self) -> Payload:
        return self._asdict()


class BackupEstimates:
    """Estimates backups by the backups on disk, and by the speed of the last backups of this process."""

    def __init__(self, folder: BackupFolder) -> None:
        self._folder = folder
        self._bytes_on_disk: float | None = None
        self._measured: deque[tuple[int, int, float]] = deque(maxlen=MAX_BACKUPS_READ)
        """The workflows, bytes and seconds of the last backups. Waits that Comfy Cloud asked for count too."""

    def learn(self, workflows: int, size: int, seconds: float) -> None:
        """Base later estimates on a backup that was just made."""
        self._measured.append((workflows, size, seconds))

    def estimate(self, workflows: int) -> BackupEstimate:
        """Estimate a backup. Blocking: reads the list of backups at the first call."""
        if self._bytes_on_disk is None:
            self._bytes_on_disk = self._read_bytes()
        measured = sum(workflows for workflows, _, _ in self._measured)
        size, seconds = sum(size for _, size, _ in self._measured), sum(seconds for _, _, seconds in self._measured)
        fastest, slowest, each = FASTEST_SECONDS, SLOWEST_SECONDS, self._bytes_on_disk
        if measured >= MIN_MEASURED_WORKFLOWS:
            each = size / measured
            fastest, slowest = seconds / measured / SPREAD, seconds / measured * SPREAD
            if workflows > MAX_GROWTH * measured:
                slowest = max(slowest, SLOWEST_SECONDS)
        least, most = math.ceil(workflows * fastest), math.ceil(workflows * slowest)
        return BackupEstimate(workflows, round(workflows * each), most, least)

    def _read_bytes(self) -> float:
        try:
            backups = self._folder.list()[:MAX_BACKUPS_READ]
        except CloudError:
            return TYPICAL_BYTES  # the deletion itself says what is wrong with the folder
        jobs = sum(each.jobs or 0 for each in backups)
        enough = jobs >= MIN_MEASURED_WORKFLOWS
        return sum(each.size for each in backups if each.jobs) / jobs if enough else TYPICAL_BYTES
