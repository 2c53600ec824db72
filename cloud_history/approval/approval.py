"""Ask the person who queued a workflow whether the workflow may delete.

A node asks and a route receives the answer. Node and route share files instead of memory, because some editions of
ComfyUI import a pack twice: once for its routes and once for its nodes. A websocket event sends only the id of the
approval to the browser that queued the workflow, because any page may listen to ComfyUI's websocket. The page fetches
the question and a token through a guarded route, and sends the token back with the answer. Only the first answer
counts. This protects against accidents and foreign pages, not against people who have access to the server.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..deletion import events
from ..errors import (
    ApprovalClosed,
    CloudError,
    InputRefused,
    NoAnswer,
    NoBrowserConnected,
    OperationRefused,
    StateNotAnswering,
    StateUnwritable,
)
from ..forks import ForkSafeLock
from ..jobs.ids import is_hex_id, new_hex_id
from ..secret import Secret, log, scrub
from ..state.files import open_private, read_json, write_private, write_whole
from ..state.folder import state_folder_at
from ..state.locks import OwnerLock
from ..state.settings import BACKUP, Backup
from ..tasks.stopping import STOP_CHECK_SECONDS, Watch, check_stopped, run_stoppable, wait_until_ended
from ..tasks.threads import FILE_SECONDS, REMOVAL_SECONDS, run_in_thread, write_in_thread

MAX_ANSWER_SECONDS = 120.0
MAX_UNSEEN_SECONDS = 15.0
"""If no page reports within this time that it shows the question, the node ends with NoBrowserConnected."""
ANNOUNCE_SECONDS = 2.0
GRACE_SECONDS = 10.0
"""The files stay valid for this much longer than the question, because the node alone decides when the time is up."""
MAX_OPEN_SECONDS = MAX_ANSWER_SECONDS + GRACE_SECONDS
MAX_FILE_BYTES = 64_000
MAX_OPEN_APPROVALS = 20
"""The most nodes that may ask at the same time. Each node reads its files five times a second."""
MIN_READING_SECONDS = 1.0
"""A “delete” that comes sooner after the page fetched the question is refused, because nobody can read so fast."""
MAX_TOKENS = 1_000
MAX_TEXT_CHARACTERS = 200
"""Names from a workflow are cut to this length."""

DELETE, SKIP = "delete", "skip"
_CLOSED = "closed"

Payload = dict[str, Any]
ReadFacts = Callable[[], Awaitable[Payload]]
"""Reads what a question says of the outputs of its jobs."""
AnnounceTo = Callable[[str, Mapping[str, Any], str], None]
"""Sends a websocket event (name, payload) to one client."""

_NAMES = ("node", "title", "workflow", "workflow_id")


class Answer(NamedTuple):
    """The person's answer: whether to delete, and what to keep first (None: as the question said)."""

    delete: bool
    backup: Backup | None = None


@dataclass(frozen=True)
class RequestingNode:
    """The node that asks for approval, and the browser and API key of the person who queued the workflow.

    Attributes:
        client: the id of the browser that queued the workflow; None if no browser did.
        key: the API key that came with the prompt; None without one.
    """

    client: str | None = None
    node: str = ""
    title: str = ""
    workflow: str = ""
    workflow_id: str = ""
    key: Secret | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        """The origin for the audit log."""
        return f"node {self.node}" if self.node else "node"

    def payload(self) -> Payload:
        """Return the names of the node and the workflow, which the question shows."""
        return {name: getattr(self, name) for name in _NAMES}

    def __post_init__(self) -> None:
        for name in _NAMES:
            object.__setattr__(self, name, scrub(getattr(self, name))[:MAX_TEXT_CHARACTERS])


class ApprovalRequests:
    """The node's side of an approval: asks and waits for the answer.

    Args:
        announce: sends an event to one client; must be callable from any thread.
        present: returns whether a client is connected.
        clock: returns monotonic seconds.
        today: returns seconds since 1970, which other processes can compare.
    """

    def __init__(
        self,
        folder: Path,
        announce: AnnounceTo,
        present: Callable[[str], bool],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
    ) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "asking"
        self._announce = announce
        self._present = present
        self._sleep = sleep
        self._clock = clock
        self._today = today
        self._open = 0

    def client(self, requester: RequestingNode) -> str:
        """Return the browser that can be asked. Raise NoBrowserConnected if none is connected."""
        if not requester.client or not self._present(requester.client):
            raise NoBrowserConnected
        return requester.client

    @contextmanager
    def reserve(self, requester: RequestingNode) -> Iterator[None]:
        """Reserve one of the MAX_OPEN_APPROVALS places, before the first request to Comfy Cloud.

        Raises:
            NoBrowserConnected: the browser that queued the workflow is not connected.
            OperationRefused: all places are taken.
        """
        self.client(requester)
        if self._open >= MAX_OPEN_APPROVALS:
            raise OperationRefused("too_many_questions", most=MAX_OPEN_APPROVALS)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def request(
        self, requester: RequestingNode, about: Mapping[str, Any], watch: Watch, facts: ReadFacts | None = None
    ) -> Answer:
        """Ask, wait for the answer, and return it.

        Args:
            about: the details that the question shows.
            facts: reads what the question says later, which takes long. Called if the page asks for it.

        Raises:
            NoBrowserConnected: no page showed the question in time.
            NoAnswer: the person did not answer in time.
            StateUnwritable: the question could not be saved.
            OperationStopped: the person stopped the workflow.
        """
        client = self.client(requester)
        files = _ApprovalFiles(self._folder, new_hex_id())
        ends = self._clock() + MAX_ANSWER_SECONDS

        def remove(owner_lock: OwnerLock) -> None:
            owner_lock.release()
            files.remove()

        kept = {**about, **requester.payload()}
        owner_lock = await write_in_thread(
            lambda: self._write(files, kept), remove, meanwhile=lambda: check_stopped(watch)
        )
        event = events.approval(files.name, "open")
        how = "stopped"
        try:
            answer = await self._answer(files, lambda: self._announce(*event, client), ends, watch, facts)
            how = "answered"
            return answer
        except NoAnswer:
            how = "no_answer"
            raise
        finally:
            try:
                await write_in_thread(lambda: remove(owner_lock), seconds=REMOVAL_SECONDS)
            except StateNotAnswering as exc:
                log.warning("The files of an approval that has ended could not be removed yet: %s", exc)
            finally:
                self._announce(*events.approval(files.name, _CLOSED, how=how), client)

    async def _answer(
        self,
        files: _ApprovalFiles,
        tell: Callable[[], None],
        ends: float,
        watch: Watch,
        facts: ReadFacts | None,
    ) -> Answer:
        noting: asyncio.Future[None] | None = None

        def begin() -> None:
            nonlocal noting
            if facts is not None and noting is None:
                noting = asyncio.ensure_future(_note_facts(files, facts))

        try:
            return await self._wait_for_answer(files, tell, ends, watch, begin)
        finally:
            if noting is not None:
                noting.cancel()
                await wait_until_ended(noting)

    async def _wait_for_answer(
        self,
        files: _ApprovalFiles,
        tell: Callable[[], None],
        ends: float,
        watch: Watch,
        begin_facts: Callable[[], None],
    ) -> Answer:
        unseen_until, tell_next = self._clock() + MAX_UNSEEN_SECONDS, self._clock()
        while (now := self._clock()) < ends:
            check_stopped(watch)
            if now >= tell_next:
                tell()
                tell_next = now + ANNOUNCE_SECONDS
            answer, seen, wants_facts = await run_stoppable(run_in_thread(files.look), watch, 2 * FILE_SECONDS)
            if answer is not None:
                return answer
            if wants_facts:
                begin_facts()
            if not seen and now >= unseen_until:
                break
            await self._sleep(STOP_CHECK_SECONDS)
        # An answer that comes after `close` is refused, so read once more only if an answer came before.
        if not await run_in_thread(files.close):
            await self._sleep(STOP_CHECK_SECONDS)  # the route may still be writing the answer
            answer, _, _ = await run_in_thread(files.look)
            if answer is not None:
                return answer
        if now < ends:
            raise NoBrowserConnected
        raise NoAnswer()

    def _write(self, files: _ApprovalFiles, about: Payload) -> OwnerLock:
        self._remove_stale()
        kept = {
            "about": about,
            "ends": self._today() + MAX_OPEN_SECONDS,
            "process": os.getpid(),
            "until": self._clock() + MAX_OPEN_SECONDS,
        }
        try:
            self._state.ensure(self._folder.name)
            write_private(files.request, json.dumps(kept))
            return OwnerLock(files.request)
        except OSError as exc:
            files.remove()
            raise StateUnwritable("question_not_written", because=exc) from exc

    def _remove_stale(self) -> None:
        """Remove the files of processes that ended before their question was answered."""
        with suppress(OSError):
            for name in {path.name.partition(".")[0] for path in self._folder.iterdir()}:
                files = _ApprovalFiles(self._folder, name)
                # A new file may not have its owner lock yet, so files without a lock are kept until they expire.
                if (
                    is_hex_id(name)
                    and files.seconds_left(self._today(), self._clock()) <= 0
                    and not OwnerLock.is_held(files.request)
                ):
                    files.remove()


class ApprovalAnswers:
    """The page's side of an approval: fetches questions and saves answers. Blocking: call it off the event loop.

    `today` and `clock` are the same as for ApprovalRequests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        today: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder / "asking"
        self._today = today
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}
        """The approval id and the time of issue of each token, the newest last."""
        self._lock = ForkSafeLock()

    def fetch(self, approval_id: str) -> Payload:
        """Return the question with a new token. Raise ApprovalClosed or InputRefused if there is no such question."""
        files = self._find(approval_id)
        about = _read(files.request).get("about")
        if not isinstance(about, dict):
            raise ApprovalClosed
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._issued[token] = approval_id, self._clock()
            while len(self._issued) > MAX_TOKENS:
                del self._issued[next(iter(self._issued))]
        left = self._whole_seconds_left(files)
        return {**about, "question": approval_id, "token": token, "state": "open", "seconds_left": left}

    def mark_seen(self, approval_id: str, token: str) -> Payload:
        """Save that a page shows the question. Return for how many seconds the question stays open.

        Raises:
            InputRefused: the approval id is invalid.
            ApprovalClosed: the approval is closed, or the token belongs to another approval.
            StateUnwritable: the file could not be written.
        """
        files, _ = self._find_open(approval_id, token)
        try:
            files.note_seen()
        except OSError as exc:
            raise StateUnwritable("question_not_seen", because=exc) from exc
        return {"seconds_left": self._whole_seconds_left(files)}

    def facts(self, approval_id: str, token: str) -> Payload:
        """Return what the node knows of the outputs, or {} if it does not know it yet. The node is asked for it.

        Raises:
            InputRefused: the approval id is invalid.
            ApprovalClosed: the approval is closed, or the token belongs to another approval.
            StateUnwritable: the file could not be written.
        """
        files, _ = self._find_open(approval_id, token)
        try:
            return files.ask_for_facts()
        except OSError as exc:
            raise StateUnwritable("question_not_seen", because=exc) from exc

    def answer(self, approval_id: str, token: str, answer: str, backup: Backup | None = None) -> None:
        """Answer an approval. Only the first answer counts.

        Args:
            backup: what is kept first; None: as the question said.

        Raises:
            InputRefused: the answer is neither DELETE nor SKIP, or the approval id is invalid.
            StateUnwritable: the answer could not be saved.
            OperationRefused: DELETE came within MIN_READING_SECONDS. The token stays valid.
            ApprovalClosed: the approval is closed or answered, or the token belongs to another approval.
        """
        if answer not in (DELETE, SKIP):
            raise InputRefused("unknown_answer")
        files, age = self._find_open(approval_id, token)
        if answer == DELETE and age < MIN_READING_SECONDS:
            raise OperationRefused("answered_too_soon")
        try:
            files.note_answer(answer, backup)
        except FileExistsError:
            raise ApprovalClosed from None
        except OSError as exc:
            raise StateUnwritable("answer_not_noted", because=exc) from exc

    def _find_open(self, approval_id: str, token: str) -> tuple[_ApprovalFiles, float]:
        """Return the files of an open approval and the age of its token in seconds."""
        files = self._find(approval_id)
        with self._lock:
            issued_for, since = self._issued.get(token, ("", 0.0))
        if issued_for != approval_id:
            raise ApprovalClosed
        return files, self._clock() - since

    def _find(self, approval_id: str) -> _ApprovalFiles:
        if not is_hex_id(approval_id):
            raise InputRefused("not_a_question")
        files = _ApprovalFiles(self._folder, approval_id)
        if self._seconds_left(files) <= -GRACE_SECONDS or OwnerLock.is_abandoned(files.request):
            raise ApprovalClosed
        return files

    def _whole_seconds_left(self, files: _ApprovalFiles) -> int:
        return max(0, round(self._seconds_left(files)))

    def _seconds_left(self, files: _ApprovalFiles) -> float:
        """Return for how many seconds the node still waits for an answer."""
        return files.seconds_left(self._today(), self._clock()) - GRACE_SECONDS


class _ApprovalFiles:
    """The files of one approval."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.request = folder / f"{name}.json"
        self._seen = folder / f"{name}.seen"
        self._answer = folder / f"{name}.answer"
        self._wants_facts = folder / f"{name}.wants_facts"
        self._facts = folder / f"{name}.facts"

    def look(self) -> tuple[Answer | None, bool, bool]:
        """Return the answer (None if there is none yet), and whether a page shows the question and wants its facts."""
        kept = _read(self._answer)
        word, backup = kept.get("answer"), kept.get("backup")
        seen = wants_facts = False
        with suppress(OSError):
            seen, wants_facts = self._seen.exists(), self._wants_facts.exists()
        known = word in (DELETE, SKIP)
        answer = Answer(word == DELETE, backup if backup in BACKUP else None) if known else None
        return answer, seen, wants_facts

    def seconds_left(self, today: float, clock: float) -> float:
        """Return for how many seconds the files are valid; 0 if there are none.

        For an approval of this process, uses the monotonic clock. For another process, uses the wall clock, which can
        be wrong; then the owner lock shows whether the node still waits.
        """
        kept = _read(self.request)
        ends, until = kept.get("ends"), kept.get("until")
        if kept.get("process") == os.getpid() and isinstance(until, float):
            left = until - clock
            # If more is left, an earlier process with the same process id wrote the file before a restart.
            if left <= MAX_OPEN_SECONDS:
                return left
        return ends - today if isinstance(ends, float) else 0.0

    def close(self) -> bool:
        """Refuse answers from now on. Return False if there is an answer already."""
        try:
            self._note(self._answer, {"answer": _CLOSED})
        except FileExistsError:
            return False
        except OSError as exc:
            log.warning("An approval can’t be closed: %s", exc.strerror)
        return True

    def note_seen(self) -> None:
        with suppress(FileExistsError):
            self._note(self._seen, {})

    def ask_for_facts(self) -> Payload:
        """Return what the node has found out, or {} if there is nothing yet. Raise OSError if the disk fails."""
        with suppress(FileExistsError):
            self._note(self._wants_facts, {})
        return _read(self._facts)

    def note_facts(self, facts: Payload) -> None:
        write_private(self._facts, json.dumps(facts))

    def note_answer(self, answer: str, backup: Backup | None) -> None:
        """Save the answer. Raise FileExistsError if there is one already."""
        self._note(self._answer, {"answer": answer, "backup": backup})

    def remove(self) -> None:
        # Remove the request first: without it, no route writes the other files.
        for path in (self.request, self._seen, self._answer, self._wants_facts, self._facts):
            try:
                path.unlink(missing_ok=True)
            except OSError as exc:
                log.warning("The files of an approval that has ended can’t be removed: %s", exc.strerror)

    def _note(self, path: Path, content: Payload) -> None:
        with open_private(path, "xb") as file:
            write_whole(file, json.dumps(content).encode("utf-8"))


async def _note_facts(files: _ApprovalFiles, read: ReadFacts) -> None:
    """Read the facts and save them for the page. If that fails, the page never gets them."""
    try:
        facts = await read()
        await write_in_thread(lambda: files.note_facts(facts))
    except (CloudError, OSError) as error:
        log.info("The facts of a question could not be read: %s", error)


def _read(path: Path) -> Payload:
    """Return the content of a file, or {} if it cannot be read or is being written."""
    try:
        return read_json(path, MAX_FILE_BYTES)
    except (OSError, ValueError):
        return {}
