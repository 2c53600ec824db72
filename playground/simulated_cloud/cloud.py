"""The simulated cloud itself: an account's state, the knobs on it, and putting it on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

from .bends import Bend
from .bent_deletions import Postponed
from .books import Books, RecordedRequest
from .faults import Fault
from .jobs import ACTIVE, FINISHED, STATUSES, SimulatedJob
from .seed import seeded
from .server import running_servers
from .switches import Switches

DEFAULT_API_KEY = "comfyui-simulated-key-0123456789abcd"

JOB_FIELDS = frozenset(entry.name for entry in fields(SimulatedJob) if entry.init) - {"status", "create_time"}


class SimulatedCloud:
    """One account on a simulated Comfy Cloud. Pure state until `serving()` is entered.

    Attributes:
        jobs: every job by id, oldest first; deleted ones stay, marked `deleted`.
        switches: how this cloud behaves; change them at any time.
        faults: what goes wrong; append `Fault`s at any time.
        bends: how it breaks its contract; append `Bend`s at any time.
        deletions: how many deletions it has answered; postponed: what it has yet to remove of them.
        keeps_answers: whether the books keep what was answered, to be compared with what is said of it.
        requests, storage_requests: all requests to the API and to the storage origin, in order of arrival.
        base_url, storage_url: the two origins while serving, else "".
        now: Unix seconds, for the times of jobs; clock: monotonic seconds, for `lag` and `RecordedRequest.at`.
    """

    def __init__(
        self,
        jobs: int = 240,
        seed: int = 1,
        api_key: str = DEFAULT_API_KEY,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api_key = api_key
        self.now = now
        self.clock = clock
        self.switches = Switches()
        self.faults: list[Fault] = []
        self.bends: list[Bend] = []
        self.deletions = 0
        self.postponed: list[Postponed] = []
        self.keeps_answers = False
        self.requests: list[RecordedRequest] = []
        self.storage_requests: list[RecordedRequest] = []
        self.base_url = ""
        self.storage_url = ""
        self.books = Books()
        self._seeder, account = seeded(seed, jobs, self._now_ms())
        for job in account:
            self.books.add(job)

    @property
    def jobs(self) -> dict[str, SimulatedJob]:
        """Every job by id, oldest first, the deleted ones too."""
        return self.books.jobs

    def listed(self, status: str | Iterable[str] | None = None) -> list[SimulatedJob]:
        """Jobs which are truly there (whatever lag and lies show), of these statuses: a comma list, or several."""
        wanted = status.split(",") if isinstance(status, str) else status
        return self.books.listed(wanted, still=lambda job: False)

    @property
    def finished(self) -> list[SimulatedJob]:
        """Completed, failed and cancelled jobs which are there."""
        return self.listed(FINISHED)

    @property
    def active(self) -> list[SimulatedJob]:
        """Pending and running jobs."""
        return self.listed(ACTIVE)

    @property
    def deleted(self) -> list[SimulatedJob]:
        """Jobs which were removed from the history."""
        return [job for job in self.jobs.values() if job.deleted]

    @property
    def history_posts(self) -> list[Any]:
        """The bodies of `POST /api/history`, as JSON, in order; those which were never read are left out."""
        return [request.json for request in self.requests_to("POST", "/api/history") if request.body]

    @property
    def forbidden_calls(self) -> int:
        """How many requests were made which destroy more than history: none ever should be."""
        return sum(is_forbidden(request.method, request.path) for request in self.requests)

    def requests_to(self, method: str, path: str) -> list[RecordedRequest]:
        """The recorded requests of this method to exactly this path."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def add_job(
        self, status: str = "completed", *, create_time: int | None = None, **changes: Any
    ) -> SimulatedJob:
        """Add a job: one that just started or finished, or one created at `create_time` (Unix milliseconds).

        `changes` are any other fields of `SimulatedJob`.
        """
        if status not in STATUSES:
            raise ValueError(f"no such status: {status!r}; give odd ones as overrides={{'status': …}}")
        unknown = set(changes) - JOB_FIELDS
        if unknown:
            raise TypeError(f"no such fields of a job: {', '.join(sorted(unknown))}")
        now = self._now_ms()
        if create_time is None and status in FINISHED:
            job = self._seeder.make(status, ended=now)
        else:
            job = self._seeder.make(status, created=now if create_time is None else create_time)
        for name, value in changes.items():
            setattr(job, name, value)
        self.books.add(job)
        return job

    def finish(self, job_id: str, status: str = "completed") -> SimulatedJob:
        """Let an active job end now, in this way."""
        job = self.jobs[job_id]
        if job.finished or status not in FINISHED:
            raise ValueError(f"a {job.status} job cannot become {status}")
        self._seeder.finish(job, status, self._now_ms())
        self.books.note_files(job)
        return job

    def shows(self, job: SimulatedJob) -> bool:
        """Whether the list still shows this deleted job (`switches.lag`)."""
        return job.deleted_at is not None and self.clock() - job.deleted_at < self.switches.lag

    async def pause(self, seconds: float) -> None:
        """Hold an answer back. Stopping the server cuts it short."""
        if seconds > 0:
            await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1 while entered, the storage origin on another port. Gives the base URL of the API."""
        if self.base_url:
            raise RuntimeError(f"already serving on {self.base_url}")
        try:
            async with running_servers(self, port) as (self.base_url, self.storage_url):
                yield self.base_url
        finally:
            self.base_url = self.storage_url = ""

    @contextlib.contextmanager
    def serving_in_thread(self, port: int = 0) -> Iterator[str]:
        """The same for code without an event loop: the server has a thread and a loop of its own."""
        ready: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        problems: list[BaseException] = []
        started = threading.Event()

        async def serve() -> None:
            stop = asyncio.Event()
            async with self.serving(port):
                ready.append((asyncio.get_running_loop(), stop))
                started.set()
                await stop.wait()

        def run() -> None:
            try:
                asyncio.run(serve())
            except BaseException as problem:  # noqa: BLE001 - raised again in the thread that waits
                problems.append(problem)
            finally:
                started.set()

        thread = threading.Thread(target=run, name="simulated-cloud", daemon=True)
        thread.start()
        started.wait()
        if not ready:
            thread.join()
            raise problems[0]
        try:
            yield self.base_url
        finally:
            loop, stop = ready[0]
            loop.call_soon_threadsafe(stop.set)
            thread.join()

    def _now_ms(self) -> int:
        return int(self.now() * 1000)


def is_forbidden(method: str, path: str) -> bool:
    """Whether a call does more than tidy the history: deletes assets, or cancels work."""
    parts = path.strip("/").split("/")
    if method == "DELETE":
        return parts[:2] in (["api", "jobs"], ["api", "assets"])
    return method == "POST" and path in ("/api/queue", "/api/interrupt")
