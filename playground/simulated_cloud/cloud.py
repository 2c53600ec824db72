"""The simulated cloud: the state of an account, what tests can change about it, and serving it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

from .account import Account
from .bends import Bend
from .bent_answers import Postponed
from .faults import Fault
from .jobs import ACTIVE, FINISHED, STATUSES, SimulatedJob, path_of
from .seed import seeded
from .server import RecordedRequest, running_servers
from .stored_files import FileFacts
from .switches import Switches
from .trap_names import set_traps

DEFAULT_API_KEY = "comfyui-simulated-key-0123456789abcd"

JOB_FIELDS = frozenset(entry.name for entry in fields(SimulatedJob) if entry.init) - {"status", "create_time"}


class SimulatedCloud:
    """One account on a simulated Comfy Cloud. Nothing is served until `serving()` is entered.

    With `trap_names`, most outputs have names that are dangerous to use as names of files.

    Attributes:
        switches: how this cloud behaves. May be changed at any time.
        faults: what goes wrong. May be appended to at any time.
        bends: how it breaks its contract. May be appended to at any time.
        deletions: the number of answered deletions.
        postponed: deletions that take effect later.
        keeps_answers: whether each recorded request stores the body of its answer.
        requests, storage_requests: all requests to the API and to the storage origin, in order of arrival.
        base_url, storage_url: the two origins while serving, else "".
        now: Unix seconds, for the times of jobs.
        clock: monotonic seconds, for `Switches.lag` and `RecordedRequest.at`.
    """

    def __init__(
        self,
        jobs: int = 240,
        seed: int = 1,
        api_key: str = DEFAULT_API_KEY,
        *,
        trap_names: bool = False,
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
        self.account = Account()
        self._seeder, jobs_made = seeded(seed, jobs, self._now_ms())
        if trap_names:
            set_traps(jobs_made)
        for job in jobs_made:
            self.account.add(job)

    @property
    def jobs(self) -> dict[str, SimulatedJob]:
        """All jobs by id, oldest first, including deleted ones."""
        return self.account.jobs

    def listed(self, status: str | Iterable[str] | None = None) -> list[SimulatedJob]:
        """Return the existing jobs, whatever the switches show. `status` may hold several, separated by commas."""
        wanted = status.split(",") if isinstance(status, str) else status
        return self.account.listed(wanted, still=lambda job: False)

    @property
    def finished(self) -> list[SimulatedJob]:
        """The completed, failed and cancelled jobs that exist."""
        return self.listed(FINISHED)

    @property
    def active(self) -> list[SimulatedJob]:
        """The active jobs that exist."""
        return self.listed(ACTIVE)

    @property
    def deleted(self) -> list[SimulatedJob]:
        """The jobs that were removed from the history."""
        return [job for job in self.jobs.values() if job.deleted]

    @property
    def history_posts(self) -> list[Any]:
        """The JSON bodies of `POST /api/history`, in order, without those that were never read."""
        return [request.json for request in self.requests_to("POST", "/api/history") if request.body]

    @property
    def forbidden_calls(self) -> int:
        """The number of requests that would destroy more than history. Must stay 0."""
        return sum(is_forbidden(request.method, request.path) for request in self.requests)

    def facts(self, name: str, subfolder: str = "") -> FileFacts:
        """Return the true size and hashes of an output."""
        return self.account.facts_of(path_of(subfolder, name))

    def requests_to(self, method: str, path: str) -> list[RecordedRequest]:
        """Return the recorded requests with this method and exactly this path."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def add_job(self, status: str = "completed", *, create_time: int | None = None, **changes: Any) -> SimulatedJob:
        """Add a job that has just started or finished, or that was created at `create_time` (Unix milliseconds).

        `changes` are other fields of `SimulatedJob`.
        """
        if status not in STATUSES:
            raise ValueError(f"unknown status: {status!r}. Pass undocumented ones as overrides={{'status': …}}")
        unknown = set(changes) - JOB_FIELDS
        if unknown:
            raise TypeError(f"unknown fields of a job: {', '.join(sorted(unknown))}")
        now = self._now_ms()
        if create_time is None and status in FINISHED:
            job = self._seeder.make(status, ended=now)
        else:
            job = self._seeder.make(status, created=now if create_time is None else create_time)
        for name, value in changes.items():
            setattr(job, name, value)
        self.account.add(job)
        return job

    def finish(self, job_id: str, status: str = "completed") -> SimulatedJob:
        """Let an active job end now with this status."""
        job = self.jobs[job_id]
        if job.finished or status not in FINISHED:
            raise ValueError(f"a {job.status} job cannot become {status}")
        self._seeder.finish(job, status, self._now_ms())
        self.account.note_files(job)
        return job

    def shows(self, job: SimulatedJob) -> bool:
        """Whether lists still show this deleted job, because of `switches.lag`."""
        return job.deleted_at is not None and self.clock() - job.deleted_at < self.switches.lag

    async def pause(self, seconds: float) -> None:
        """Delay an answer. Stopping the server cancels the delay."""
        if seconds > 0:
            await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1 while entered, with the storage on another port. Yields the base URL of the API."""
        if self.base_url:
            raise RuntimeError(f"already serving on {self.base_url}")
        try:
            async with running_servers(self, port) as (self.base_url, self.storage_url):
                yield self.base_url
        finally:
            self.base_url = self.storage_url = ""

    @contextlib.contextmanager
    def serving_in_thread(self, port: int = 0) -> Iterator[str]:
        """Serve in a thread with its own event loop, for synchronous code."""
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
    """Whether a request deletes assets or cancels work."""
    parts = path.strip("/").split("/")
    if method == "DELETE":
        return parts[:2] in (["api", "jobs"], ["api", "assets"])
    return method == "POST" and path in ("/api/queue", "/api/interrupt")
