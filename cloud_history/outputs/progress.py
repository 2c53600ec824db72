"""The progress of one save: files, bytes, speed and time left."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 10.0
"""The speed is measured over the last seconds, because it changes with the sizes of the files."""
SAMPLE_SECONDS = 0.25
MIN_MEASURED_SECONDS = 1.0
MAX_FAILED_SHOWN = 200
"""Maximum number of failed files whose reasons a browser gets."""


class SaveProgress:
    """The progress of one save. One event loop changes it, and any thread may read it.

    Attributes:
        files_done: files that are here, or could not be saved.
        bytes_done: bytes of the files that are here, and of those under way.
        saved: files that this save has brought here.
        already_here: files that were here before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expected: dict[str, tuple[int, int | None]] = {}
        self._unsized_jobs = 0
        self._bytes = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._received = 0
        self.files = 0
        self.files_done = 0
        self.bytes_done = 0
        self.saved = 0
        self.already_here = 0

    @property
    def bytes(self) -> int | None:
        """The bytes of all files; None if the size of one is not known."""
        return None if self._unsized_jobs else max(self._bytes, self.bytes_done)

    def expect(self, job_id: str, files: int, size: int | None) -> None:
        """Say how many files a job has and how many bytes they have together; None if a size is not known.

        Called again as soon as more is known of the job.
        """
        before = self._expected.get(job_id)
        if before is not None:
            self._count(*before, by=-1)
        self._expected[job_id] = files, size
        self._count(files, size, by=1)

    def _count(self, files: int, size: int | None, *, by: int) -> None:
        self.files += by * files
        self._bytes += by * (size or 0)
        self._unsized_jobs += by if size is None else 0

    def received(self, count: int) -> None:
        """Count bytes that came from the Cloud."""
        self._received += count
        self.bytes_done += count
        now = self._clock()
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, self._received))
            while now - self._samples[0][0] > WINDOW_SECONDS:
                self._samples.popleft()

    def kept(self, count: int) -> None:
        """Count bytes that an earlier run left."""
        self.bytes_done += count

    def taken_back(self, count: int) -> None:
        """Take back bytes that were counted, because their file begins anew or could not be saved."""
        self.bytes_done -= count

    def ended(self, *, here_before: int | None = None, before: bool = False, saved: bool = True) -> None:
        """Count a file that has ended.

        Args:
            here_before: the size of a file that was here before and was not downloaded; None for all other files.
            before: whether a downloaded file was here before.
            saved: whether the file is here now.
        """
        self.files_done += 1
        if here_before is not None:
            self.already_here += 1
            self.bytes_done += here_before
        elif before:
            self.already_here += 1
        elif saved:
            self.saved += 1

    def bytes_per_second(self) -> int:
        """Return the speed over the last seconds; 0 if nothing came."""
        samples, now = list(self._samples), self._clock()
        if not samples or now - samples[-1][0] > WINDOW_SECONDS:
            return 0
        since, before = samples[0]
        seconds = now - since
        return round((self._received - before) / seconds) if seconds >= MIN_MEASURED_SECONDS else 0

    def seconds_left(self) -> int | None:
        """Return how long the rest takes at the speed of the last seconds; None if that is not known."""
        size, speed = self.bytes, self.bytes_per_second()
        if size is None or not speed:
            return None
        return math.ceil(max(0, size - self.bytes_done) / speed)
