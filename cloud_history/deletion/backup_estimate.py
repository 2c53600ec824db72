"""Estimate how large a backup will be and how long it will take, from earlier backups."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..errors import CloudError
from ..state.backups import BackupFolder
from .report import Payload

TYPICAL_BYTES = 5_000.0
"""The size of one workflow in a backup, compressed. Used until a backup exists."""
TYPICAL_SECONDS = 0.09
"""The time for one workflow, six being requested at once. Used until this process has made a backup."""
MAX_BACKUPS_READ = 10


class BackupEstimate(NamedTuple):
    """The estimated size in bytes and duration in seconds of a backup of `workflows` workflows."""

    workflows: int
    size: int
    seconds: int

    def payload(self) -> Payload:
        return self._asdict()


class BackupEstimates:
    """Estimates backups by the backups on disk, and by the speed of the last backup of this process."""

    def __init__(self, folder: BackupFolder) -> None:
        self._folder = folder
        self._bytes: float | None = None
        self._seconds = TYPICAL_SECONDS

    def learn(self, workflows: int, size: int, seconds: float) -> None:
        """Base later estimates on a backup that was just made."""
        self._bytes, self._seconds = size / workflows, seconds / workflows

    def estimate(self, workflows: int) -> BackupEstimate:
        """Estimate a backup. Blocking: reads the list of backups at the first call."""
        if self._bytes is None:
            self._bytes = self._bytes_on_disk()
        return BackupEstimate(workflows, round(workflows * self._bytes), math.ceil(workflows * self._seconds))

    def _bytes_on_disk(self) -> float:
        try:
            backups = self._folder.list()[:MAX_BACKUPS_READ]
        except CloudError:
            return TYPICAL_BYTES  # the deletion itself says what is wrong with the folder
        jobs = sum(each.jobs or 0 for each in backups)
        return sum(each.size for each in backups if each.jobs) / jobs if jobs else TYPICAL_BYTES
