"""Estimate how large a backup will be and how long it will take, from earlier backups and answers of Comfy Cloud."""

from __future__ import annotations

import math
import statistics
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import CloudError
from ..state.backups import BackupFolder
from .report import Payload
from .safeguards import MAX_CONCURRENT_REQUESTS

TYPICAL_BYTES = 5_000.0
"""The size of one workflow in a backup, compressed. Used until enough workflows were backed up."""
FASTEST_SECONDS, SLOWEST_SECONDS = 0.015, 0.09
"""The time for one workflow, six being requested at once. Used until Comfy Cloud has answered a request."""
MIN_LATENCIES = 3
"""Fewer answers say nothing about the speed: the first ones include opening a connection."""
MAX_LATENCIES = 40
OWN_SECONDS = 0.004
"""How long this machine takes to store one workflow, however fast Comfy Cloud answers."""
SLOWER_THAN_OTHER_ANSWERS = 3.0
"""How much longer a workflow may take than the other small answers of Comfy Cloud."""
MIN_MEASURED_WORKFLOWS = 50
"""Fewer workflows say nothing about the speed: one alone may take a second, or wait for a slow connection."""
SPREAD = 1.25
"""How much slower or faster than measured the next backup may be."""
MAX_GROWTH = 20
"""For a backup this many times as large as all that were measured, Comfy Cloud may ask to wait for the first time."""
MANY_WORKFLOWS = 1000
"""For a backup of more workflows, Comfy Cloud may ask to wait, as long as none was measured."""
MAX_BACKUPS_READ = 10
MAX_ACCOUNTS = 20


class BackupEstimate(NamedTuple):
    """The estimated size in bytes of a backup of `workflows` workflows, and the most and the least seconds it takes.

    `may_wait`: whether it takes longer if Comfy Cloud asks to wait, which no backup of this size has shown yet.
    """

    workflows: int
    size: int
    seconds: int
    least_seconds: int
    may_wait: bool = False

    def payload(self) -> Payload:
        return self._asdict()


@dataclass
class Pace:
    """How fast Comfy Cloud was for one account in this process.

    Attributes:
        backups: the workflows, bytes and seconds of the last backups. Waits that Comfy Cloud asked for count too.
        latencies: the seconds of its last answers about one job, and of other small answers.
    """

    backups: deque[tuple[int, int, float]] = field(default_factory=lambda: deque(maxlen=MAX_BACKUPS_READ))
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_LATENCIES))

    def learn(self, workflows: int, size: int, seconds: float) -> None:
        """Base later estimates on a backup that was just made."""
        self.backups.append((workflows, size, seconds))

    @property
    def measured(self) -> int:
        """How many workflows were backed up; 0 if they are too few for an estimate."""
        workflows = sum(workflows for workflows, _, _ in self.backups)
        return workflows if workflows >= MIN_MEASURED_WORKFLOWS else 0

    def seconds_each(self) -> tuple[float, float]:
        """The least and the most seconds that one workflow takes."""
        if self.measured:
            each = sum(seconds for _, _, seconds in self.backups) / self.measured
            return each / SPREAD, each * SPREAD
        if len(self.latencies) >= MIN_LATENCIES:
            known = list(self.latencies)  # a copy, because other threads append
            slowest = statistics.median(known) * SLOWER_THAN_OTHER_ANSWERS
            return min(known) / MAX_CONCURRENT_REQUESTS / SPREAD, slowest / MAX_CONCURRENT_REQUESTS + OWN_SECONDS
        return FASTEST_SECONDS, SLOWEST_SECONDS


class BackupEstimates:
    """Estimates backups by the backups on disk, and by the pace of this process for each account."""

    def __init__(self, folder: BackupFolder) -> None:
        self._folder = folder
        self._bytes_on_disk: float | None = None
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def pace(self, account: str) -> Pace:
        """Return the pace for an account, to read it and to learn from backups and answers."""
        pace = self._paces.setdefault(account, Pace())
        self._paces.move_to_end(account)
        while len(self._paces) > MAX_ACCOUNTS:
            self._paces.popitem(last=False)
        return pace

    def estimate(self, workflows: int, account: str) -> BackupEstimate:
        """Estimate a backup. Blocking: reads the list of backups at the first call."""
        if self._bytes_on_disk is None:
            self._bytes_on_disk = self._read_bytes()
        pace = self.pace(account)
        measured, each = pace.measured, self._bytes_on_disk
        if measured:
            each = sum(size for _, size, _ in pace.backups) / measured
        fastest, slowest = pace.seconds_each()
        least, most = math.ceil(workflows * fastest), math.ceil(workflows * slowest)
        may_wait = workflows > (MAX_GROWTH * measured if measured else MANY_WORKFLOWS)
        return BackupEstimate(workflows, round(workflows * each), most, least, may_wait)

    def _read_bytes(self) -> float:
        try:
            backups = self._folder.list()[:MAX_BACKUPS_READ]
        except CloudError:
            return TYPICAL_BYTES  # the deletion itself says what is wrong with the folder
        jobs = sum(each.jobs or 0 for each in backups)
        enough = jobs >= MIN_MEASURED_WORKFLOWS
        return sum(each.size for each in backups if each.jobs) / jobs if enough else TYPICAL_BYTES
