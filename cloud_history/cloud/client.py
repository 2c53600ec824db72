"""The HTTP client for Comfy Cloud: sends the requests that `protocol` builds, with aiohttp.

A client belongs to one operation on one event loop. ComfyUI runs nodes and routes on two different event loops, and an
aiohttp session created on one loop fails on the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import aiohttp
import yarl

from .. import __version__, environment
from ..config import BaseUrl
from ..errors import (
    AnswerTooLarge,
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    NotFound,
    NotHttp,
    RateLimited,
    Unauthorized,
    UnreadableAnswer,
    UntrustedCertificate,
    UnusableProxy,
)
from ..jobs.ids import JobIdSpellings
from ..jobs.job import Job, OutputFile, read_job, utc_now
from ..jobs.redact import clean_detail
from ..json_pieces import ThreadPauses
from ..secret import Secret, remember
from ..tasks.threads import compute_in_thread
from . import protocol
from .bodies import read_capped
from .clock import CloudClock
from .open_requests import OpenRequests
from .pages import Page, RowMapper, ValueT, joined
from .retry import BeforeSend, RetryPolicy, parse_retry_after
from .sessions import Session, ThreadResolver, open_session

MIN_NAME_CHARACTERS = 8


def find_proxy(base_url: BaseUrl) -> str | None:
    """Return the URL of the proxy from the environment, or None for a direct connection.

    The user name and password in the URL are remembered as secrets, so that `scrub` hides them.

    Raises:
        UnusableProxy: the variable is not an http or https URL (aiohttp does not support SOCKS).
    """
    if base_url.loopback:
        return None
    target = urlsplit(base_url.url)
    known = environment.proxies()
    named = known.get(target.scheme) or known.get("all")
    if not named or proxy_bypass_environment(base_url.host, known):
        return None
    url = named if "://" in named else f"http://{named}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise UnusableProxy() from None
    if not usable:
        raise UnusableProxy()
    # A short name or password can be a common word. To hide it everywhere would falsify reports and backups, so it is
    # hidden only together with the “:” or “@” next to it in the URL.
    if parts.password:
        remember(parts.password if len(parts.password) >= MIN_NAME_CHARACTERS else f":{parts.password}@")
    if parts.username:
        remember(parts.username if len(parts.username) >= MIN_NAME_CHARACTERS else f"{parts.username}@")
    return url


MAX_CONNECTIONS = 6
MAX_ACCOUNT_STATUS_CHARACTERS = 40
LARGE_PAGE_BYTES = 64 * 1024
"""A page of at least this size is parsed in a thread."""


@dataclass(frozen=True)
class Timeouts:
    """Limits in seconds: for connecting, and for one whole request."""

    connect: float = 10.0
    request: float = 30.0


@dataclass
class OpenedFile:
    """A request for a file, and the response with the file if the server sends it itself.

    Attributes:
        stack: closes the response.
    """

    headers: Mapping[str, str]
    timeout: aiohttp.ClientTimeout
    response: aiohttp.ClientResponse | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def take(self, response: aiohttp.ClientResponse, stack: AsyncExitStack) -> None:
        """Take over a response from the stack that would close it."""
        self.response = response
        self.stack.push_async_exit(stack.pop_all())


@dataclass
class CloudClient:
    """A client with one method for each operation of Comfy Cloud. Use it with `async with`.

    Every method raises CloudConnectionError or CloudResponseError if the request still fails after its retries.
    """

    base_url: BaseUrl
    api_key: Secret
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_requested_wait: Callable[[float], None] = lambda seconds: None
    """Called at the start of each wait that Comfy Cloud asks for, with its length in seconds."""
    on_small_answer: Callable[[float], object] = lambda seconds: None
    """Called with the seconds that a GET request for one job, or for a small answer, has taken."""
    has_job_assets: bool = field(default=True, init=False)
    """Whether the server may have the route for the assets of one job. `assets` sets it to False when it has not."""
    clock: CloudClock = field(default_factory=CloudClock, repr=False)
    """Compares this machine's clock with the date of each answer."""
    spellings: JobIdSpellings = field(default_factory=JobIdSpellings, repr=False)
    """Records from each page how the server spells job ids."""
    has_sent: bool = field(default=False, init=False)
    """Whether a request that removes jobs has been sent, or is about to be sent."""
    before_removal: BeforeSend | None = field(default=None, init=False, repr=False)
    """Called once before the first request that removes jobs. If it raises, nothing is sent."""
    _beginning: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)
    _session: Session | None = field(default=None, repr=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    proxy: str | None = field(default=None, init=False, repr=False)
    """The URL of the proxy in use, from `find_proxy`."""
    _waiting: int = field(default=0, repr=False)
    open_requests: OpenRequests = field(default_factory=OpenRequests, init=False, repr=False)
    _may_send: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _key_worked: bool = field(default=False, repr=False)

    async def __aenter__(self) -> CloudClient:
        self.proxy = find_proxy(self.base_url)
        self._session = open_session(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, resolver=ThreadResolver()),
            total_seconds=self.timeouts.request,
            connect_seconds=self.timeouts.connect,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def earliest_now(self) -> datetime:
        """Return the time by this machine's clock or by Comfy Cloud's, whichever is earlier."""
        return self.clock.earliest_now()

    @property
    def awaits_answer(self) -> bool:
        """Whether a request is under way. Waits between two tries do not count."""
        return self.open_requests.count > 0

    async def delete_history(self, job_ids: list[str], before_send: BeforeSend | None = None) -> None:
        """Remove at most 100 jobs. Returning means that the server accepted the request, not that the jobs are gone."""
        request = protocol.delete_history([self.spellings.of(job_id) for job_id in job_ids])
        await self._begin_removal()
        await self._send(request, before_send=before_send)

    async def clear_history(self, before_send: BeforeSend | None = None) -> None:
        """Remove all finished jobs. Returning means that the server accepted the request, not that they are gone."""
        await self._begin_removal()
        await self._send(protocol.clear_history(), before_send=before_send)

    async def _begin_removal(self) -> None:
        async with self._beginning:
            if not self.has_sent and self.before_removal is not None:
                await self.before_removal()
            self.has_sent = True

    async def list_jobs(
        self,
        chosen: Mapping[str, str],
        mapper: RowMapper[ValueT],
        *,
        limit: int,
        offset: int = 0,
        after: str | None = None,
    ) -> Page[ValueT]:
        """Return one page of jobs, newest first. A page that is too large is requested in two halves.

        Raises:
            AnswerTooLarge: the answer is too large even for a single job.
        """
        try:
            return await self._page(chosen, mapper, limit, offset, after)
        except AnswerTooLarge:
            if limit == 1:
                raise
        half = limit // 2
        first = await self.list_jobs(chosen, mapper, limit=half, offset=offset, after=after)
        if after is not None or first.received < half:
            return first
        # The second half repeats the last row of the first, so that `joined` notices if the list has changed since.
        rest = limit - half + 1
        second = await self.list_jobs(chosen, mapper, limit=rest, offset=offset + half - 1)
        return joined(first, second)

    async def _page(
        self, chosen: Mapping[str, str], mapper: RowMapper[ValueT], limit: int, offset: int, after: str | None
    ) -> Page[ValueT]:
        answer = await self._send(protocol.list_jobs(chosen, limit=limit, offset=offset, after=after))
        now = utc_now()
        if len(answer.body) < LARGE_PAGE_BYTES:
            page = protocol.read_jobs_page(answer, mapper, now)
        else:
            # One page at a time: several parsing threads would pass the interpreter lock to each other instead of to
            # the event loop.
            async with self._reading:
                page = await compute_in_thread(protocol.read_jobs_page, answer, mapper, now, ThreadPauses())
        self.spellings.learn(page.job_ids, page.spellings)
        return page

    async def get_job(self, job_id: str) -> Job:
        """Return one job. Raise NotFound if the job is not in the history."""
        answer = await self._job(job_id)
        detail = await compute_in_thread(protocol.read_json, answer, "job_detail", ThreadPauses())
        # `clean_detail` would raise if the workflow is nested too deeply, but the job exists all the same.
        job = read_job(detail, utc_now())
        if job is None or job.id != job_id.lower():
            raise UnreadableAnswer(200)
        return job

    async def get_job_detail(self, job_id: str) -> dict[str, Any]:
        """Return all details of one job, cleaned by `clean_detail`.

        Raises:
            NotFound: the job is not in the history.
            NestedTooDeeply: the details have more levels than MAX_LEVELS.
        """
        answer = await self._job(job_id)
        return await compute_in_thread(lambda: clean_detail(protocol.read_json(answer, "job_detail", ThreadPauses())))

    async def _job(self, job_id: str) -> protocol.Answer:
        spelling = self.spellings.of(job_id)
        try:
            return await self._send(protocol.get_job(spelling))
        except NotFound:
            if spelling == job_id:
                raise
        # Lists may spell ids differently from other routes, so a job is missing only if neither spelling is found.
        return await self._send(protocol.get_job(job_id))

    async def cancel_jobs(self, job_ids: Sequence[str]) -> list[str]:
        """Stop at most 100 jobs. Return the ids of the stopped jobs; the other jobs had finished already."""
        request = protocol.cancel_jobs([self.spellings.of(job_id) for job_id in job_ids])
        answer = protocol.read_json(await self._send(request), "cancelled_jobs")
        return [str(job_id).lower() for job_id in answer["cancelled"]]

    async def view_file(self, file: OutputFile) -> bytes | str:
        """Return the content of a file, or the URL to which the server redirects. The redirect is not followed here.

        Raises:
            FileTooLarge: the server sends the file itself, and it is larger than MAX_FILE_BYTES.
        """
        answer = await self._send(protocol.view_file(file.filename, file.subfolder, file.kind), redirects=True)
        return answer.location if answer.location else answer.body

    async def list_assets(self, *, limit: int, offset: int) -> dict[str, Any]:
        """Return one page of the account's own assets, as the server sends it. It has at least a list `assets`."""
        return await self._assets(protocol.list_assets(limit=limit, offset=offset))

    async def get_job_assets(self, job_id: str) -> dict[str, Any]:
        """Return the assets of one job, in the same form. Raise NotFound if the server has no such route or job."""
        return await self._assets(protocol.job_assets(self.spellings.of(job_id)))

    async def _assets(self, request: protocol.Request) -> dict[str, Any]:
        answer = await self._send(request)
        # One at a time, for the same reason as pages of jobs.
        async with self._reading:
            return await compute_in_thread(protocol.read_json, answer, "assets_page", ThreadPauses())

    @asynccontextmanager
    async def open_file(
        self, file: OutputFile, headers: Mapping[str, str], idle_seconds: float
    ) -> AsyncGenerator[str | aiohttp.ClientResponse, None]:
        """Begin to download a file. Yield the URL to which the server redirects, or the response with the file itself.

        The body of the response is not limited in size or time.

        Args:
            headers: more headers, such as `Range`. They replace those of the client.
            idle_seconds: limit for the time in which nothing arrives.
        """
        opened = OpenedFile(
            headers, aiohttp.ClientTimeout(total=None, connect=self.timeouts.connect, sock_read=idle_seconds)
        )
        request = protocol.view_file(file.filename, file.subfolder, file.kind)
        async with opened.stack:
            answer = await self._send(request, redirects=True, opened=opened)
            yield opened.response if opened.response is not None else answer.location

    async def get_user(self) -> str:
        """Return the status of the account, such as `active` or `waitlisted`."""
        user = protocol.read_json(await self._send(protocol.get_user()), "user")
        return protocol.clean_server_text(user["status"])[:MAX_ACCOUNT_STATUS_CHARACTERS]

    async def _send(
        self,
        request: protocol.Request,
        *,
        redirects: bool = False,
        before_send: BeforeSend | None = None,
        opened: OpenedFile | None = None,
    ) -> protocol.Answer:
        tried, refused, may_have_worked, unanswered = 0, False, False, False
        error: CloudError | None = None
        while True:
            tried += 1
            await self._wait_until_allowed(before_send, error)
            began = time.monotonic()
            try:
                answer = await self._exchange(request, opened)
                error = protocol.error_of(answer)
                if error is None or (redirects and answer.location):
                    self._key_worked = True
                    if request.about_one_job or (request.method == "GET" and len(answer.body) < LARGE_PAGE_BYTES):
                        self.on_small_answer(time.monotonic() - began)
                    return answer
            except CloudConnectionError as exc:
                error = exc
            error.earlier_try_may_have_worked, error.earlier_try_unanswered = may_have_worked, unanswered
            may_have_worked, unanswered = error.may_have_worked, error.unanswered
            key_worked = self._key_worked and not refused
            wait = self.retries.wait(request.repeat, error, tried, key_worked=key_worked)
            if wait is None:
                raise_without_context(error)
            refused |= isinstance(error, Unauthorized)
            await (self._delay_all_requests(wait) if isinstance(error, RateLimited) else self.sleep(wait))

    async def _wait_until_allowed(self, before_send: BeforeSend | None, last: CloudError | None) -> None:
        """Wait as long as another request waits because of a rate limit, then call `before_send` if there was a wait.

        Args:
            before_send: raises CloudError if the request must not be sent any more.
            last: the error of the previous attempt; None for the first attempt.
        """
        waited = last is not None
        while self._waiting or waited:
            while self._waiting:
                await self._may_send.wait()
            try:
                if before_send is not None:
                    await before_send()
            except CloudError as error:
                if last is not None:
                    error.earlier_try_may_have_worked = last.may_have_worked
                    error.earlier_try_unanswered = last.unanswered
                raise
            waited = False

    async def _delay_all_requests(self, seconds: float) -> None:
        """Wait, and delay this client's other requests as well, because the same rate limit applies to them."""
        self.on_requested_wait(seconds)
        self._waiting += 1
        self._may_send.clear()
        try:
            await self.sleep(seconds)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._may_send.set()

    def _headers(self, request: protocol.Request) -> dict[str, str]:
        headers = {
            "X-API-Key": self.api_key.reveal(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"comfy-cloud-history/{__version__}",
        }
        return headers if request.body is None else {**headers, "Content-Type": "application/json"}

    async def _exchange(self, request: protocol.Request, opened: OpenedFile | None = None) -> protocol.Answer:
        """Send the request once and read the answer, up to its size limit.

        Args:
            opened: takes over a response with a file, whose body is then not read.
        """
        assert self._session is not None, "CloudClient must be used with `async with`"
        asked = self.clock.now()
        sending = self._session.request(
            request.method,
            yarl.URL(self.base_url.url + request.target, encoded=True),
            data=request.body,
            headers={**self._headers(request), **(opened.headers if opened else {})},
            proxy=self.proxy,
            timeout=opened.timeout if opened else self._session.timeout,
            # aiohttp would send X-API-Key to another host, and would repeat a POST as a GET that "succeeds".
            allow_redirects=False,
        )
        try:
            async with self.open_requests.open() as heard, AsyncExitStack() as stack:
                response = await stack.enter_async_context(sending)
                heard()
                # Other statuses may come from a gateway, and cached answers (with an Age header) have an old Date.
                if response.status == 200 and response.headers.get("Age", "0") == "0":
                    self.clock.record_date(response.headers.get("Date"), asked, self.clock.now())
                if opened is not None and response.status in (200, 206):
                    opened.take(response, stack)
                    body, whole = b"", True
                else:
                    body, whole = await read_capped(response, request.largest_answer)
                return protocol.Answer(
                    status=response.status,
                    body=body,
                    content_type=response.headers.get("Content-Type", ""),
                    retry_after=parse_retry_after(response.headers.get("Retry-After"), utc_now()),
                    whole=whole,
                    too_large=not whole and request.may_be_large and len(body) >= request.largest_answer,
                    location=response.headers.get("Location", "") if 300 <= response.status < 400 else "",
                    path=request.path,
                )
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
            failure = connection_failure(exc, self.base_url.host)
        return raise_without_context(failure)


def raise_without_context(error: CloudError) -> NoReturn:
    """Raise an error without cause and context: aiohttp's errors contain the request's headers and the proxy's address.

    Raising the error outside `except` is not enough: on Python 3.10 a coroutine that was resumed with an exception
    still adds that exception as context.
    """
    try:
        raise error
    finally:
        error.__cause__ = error.__context__ = None


def connection_failure(exc: Exception, host: str) -> CloudError:
    """Return the CloudError for an error of aiohttp. Its `sent` says whether the request may have been sent."""
    if isinstance(exc, aiohttp.ClientHttpProxyError):
        return CloudConnectionError("proxy_refused", host=host, status=exc.status, sent=False)
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        return UntrustedCertificate(host=host, sent=False)
    if isinstance(exc, aiohttp.ClientResponseError):
        return NotHttp(host=host, sent=True)
    if isinstance(exc, aiohttp.ConnectionTimeoutError):
        return CloudTimeoutError("connecting_too_slow", host=host, sent=False)
    if isinstance(exc, aiohttp.ClientConnectorError):
        return CloudConnectionError("not_reached", host=host, sent=False)
    if isinstance(exc, asyncio.TimeoutError):
        return CloudTimeoutError(sent=True)
    return CloudConnectionError("connection_lost", sent=True)
