"""Asking the person who queued a workflow whether it may delete.

The node asks, and a route takes the answer. They share files and no memory, because some editions of ComfyUI import a
pack twice, once for its routes and once for its nodes. A websocket event names the question to the one browser that
queued the workflow, and says no more: any page may listen to ComfyUI's websocket. What is asked, and the token that
answers it, are fetched through a guarded route. Whoever sends the token back answers, once. That guards against
accidents and foreign pages, not against somebody who has access to the server.
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
from typing import Any

from ..deletion import events
from ..errors import (
    AnsweredTooSoon,
    InputRefused,
    NoAnswer,
    NobodyThere,
    QuestionClosed,
    StateSilent,
    StateUnwritable,
    TooManyQuestions,
)
from ..forks import ForkSafeLock
from ..jobs.ids import is_hex_id, new_hex_id
from ..secret import Secret, log, scrub
from ..state.files import open_private, read_json, write_private, write_whole
from ..state.folder import state_folder_at
from ..state.locks import OwnerLock
from ..tasks.stopping import STOP_CHECK_SECONDS, Watch, check_stopped, run_stoppable
from ..tasks.threads import FILE_SECONDS, REMOVAL_SECONDS, run_in_thread, write_in_thread

MAX_ANSWER_SECONDS = 120.0
MAX_UNSEEN_SECONDS = 15.0
"""Seconds within which a page has to say that it shows the question."""
ANNOUNCE_EVERY = 2.0
LEEWAY = 10.0
"""Seconds for which a question stands that nobody has closed: who asks it is the one to say that time is up."""
MAX_OPEN_SECONDS = MAX_ANSWER_SECONDS + LEEWAY
MAX_FILE_BYTES = 64_000
MAX_OPEN_APPROVALS = 20
"""Nodes that may ask at the same time. Each of them looks for its answer five times a second."""
MIN_READING_SECONDS = 1.0
"""A “delete” that comes sooner after the question was fetched is no answer: nobody can have read it."""
MAX_TOKENS = 1_000
MAX_TEXT_CHARACTERS = 200
"""Characters of a name that comes from a workflow: it may be anybody's."""

DELETE, SKIP = "delete", "skip"
_CLOSED = "closed"

Payload = dict[str, Any]
AnnounceTo = Callable[[str, Mapping[str, Any], str], None]
"""Sends a websocket event to one client."""

_NAMES = ("node", "title", "workflow", "workflow_id")


@dataclass(frozen=True)
class RequestingNode:
    """The running node, and whom it can ask.

    Attributes:
        client: the browser that queued the workflow.
        key: the API key that came with the workflow, where one did.
    """

    client: str | None = None
    node: str = ""
    title: str = ""
    workflow: str = ""
    workflow_id: str = ""
    key: Secret | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        """How the records name it."""
        return f"node {self.node}" if self.node else "node"

    def payload(self) -> Payload:
        """What the person is told of it."""
        return {name: getattr(self, name) for name in _NAMES}

    def __post_init__(self) -> None:
        for name in _NAMES:
            object.__setattr__(self, name, scrub(getattr(self, name))[:MAX_TEXT_CHARACTERS])


class ApprovalRequests:
    """The side that asks.

    Args:
        announce: must be callable from any thread.
        present: whether a client is connected now.
        sleep, clock: replaced in tests. today: seconds since 1970, which other processes share.
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
        """The browser that can be asked. Raises NobodyThere."""
        if not requester.client or not self._present(requester.client):
            raise NobodyThere
        return requester.client

    @contextmanager
    def reserve(self, requester: RequestingNode) -> Iterator[None]:
        """A place among the nodes that ask, from before the first request until all is done.

        Raises:
            NobodyThere: no browser can be asked.
            TooManyQuestions: too many nodes ask already.
        """
        self.client(requester)
        if self._open >= MAX_OPEN_APPROVALS:
            raise TooManyQuestions(most=MAX_OPEN_APPROVALS)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def request(self, requester: RequestingNode, about: Mapping[str, Any], watch: Watch) -> bool:
        """Ask, and wait for the answer: whether to delete.

        Args:
            about: what the person is shown.

        Raises:
            NobodyThere, NoAnswer, StateUnwritable: nothing may be sent. OperationStopped: the person stopped it.
        """
        client = self.client(requester)
        files = _ApprovalFiles(self._folder, new_hex_id())
        ends = self._clock() + MAX_ANSWER_SECONDS

        def take_back(owner_lock: OwnerLock) -> None:
            owner_lock.release()
            files.remove()

        kept = {**about, **requester.payload()}
        owner_lock = await write_in_thread(
            lambda: self._write(files, kept), take_back, meanwhile=lambda: check_stopped(watch)
        )
        event = events.approval(files.name, "open")
        how = "stopped"
        try:
            answer = await self._answer(files, lambda: self._announce(*event, client), ends, watch)
            how = "answered"
            return answer
        except NoAnswer:
            how = "no_answer"
            raise
        finally:
            try:
                await write_in_thread(lambda: take_back(owner_lock), seconds=REMOVAL_SECONDS)
            except StateSilent as exc:
                log.warning("The files of a question that has ended are still there: %s", exc)
            finally:
                self._announce(*events.approval(files.name, _CLOSED, how=how), client)

    async def _answer(
        self, files: _ApprovalFiles, tell: Callable[[], None], ends: float, watch: Watch
    ) -> bool:
        unseen_until, tell_next = self._clock() + MAX_UNSEEN_SECONDS, self._clock()
        while (now := self._clock()) < ends:
            check_stopped(watch)
            if now >= tell_next:
                tell()
                tell_next = now + ANNOUNCE_EVERY
            answer, seen = await run_stoppable(run_in_thread(files.read_answer), watch, 2 * FILE_SECONDS)
            if answer:
                return answer == DELETE
            if not seen and now >= unseen_until:
                break
            await self._sleep(STOP_CHECK_SECONDS)
        # Whoever answers in this very moment is either in time, or is told that it is too late.
        if not await run_in_thread(files.close):
            await self._sleep(STOP_CHECK_SECONDS)  # it may be half written
            answer, _ = await run_in_thread(files.read_answer)
            if answer:
                return answer == DELETE
        if now < ends:
            raise NobodyThere
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
        """Remove what processes have left that ended while they asked."""
        with suppress(OSError):
            for name in {path.name.partition(".")[0] for path in self._folder.iterdir()}:
                files = _ApprovalFiles(self._folder, name)
                # One that is new may not be claimed yet, so an unclaimed one is left until its time is up.
                if (
                    is_hex_id(name)
                    and files.seconds_left(self._today(), self._clock()) <= 0
                    and not OwnerLock.is_held(files.request)
                ):
                    files.remove()


class ApprovalAnswers:
    """The side that takes the answer. Blocking (small files): call it off the event loop.

    Args:
        today: seconds since 1970, which other processes share. clock: seconds that never go back.
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
        """Of each token its question and when it was handed out, the newest last."""
        self._lock = ForkSafeLock()

    def fetch(self, approval_id: str) -> Payload:
        """What is asked, with a new token that answers it. Raises InputRefused, QuestionClosed."""
        files = self._find(approval_id)
        about = _read(files.request).get("about")
        if not isinstance(about, dict):
            raise QuestionClosed
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._issued[token] = approval_id, self._clock()
            while len(self._issued) > MAX_TOKENS:
                del self._issued[next(iter(self._issued))]
        left = self._whole_seconds_left(files)
        return {**about, "question": approval_id, "token": token, "state": "open", "seconds_left": left}

    def mark_seen(self, approval_id: str, token: str) -> Payload:
        """A page shows the question; how long it still stands.

        Raises:
            InputRefused, QuestionClosed, StateUnwritable.
        """
        files, _ = self._find_open(approval_id, token)
        try:
            files.note_seen()
        except OSError as exc:
            raise StateUnwritable("question_not_seen", because=exc) from exc
        return {"seconds_left": self._whole_seconds_left(files)}

    def answer(self, approval_id: str, token: str, answer: str) -> None:
        """Answer it, once.

        Raises:
            InputRefused: there is no such answer. StateUnwritable: it cannot be noted.
            AnsweredTooSoon: it deletes, and nobody can have read the question. Nothing is used up.
            QuestionClosed: it is not open, was answered already, or the token is another one's.
        """
        if answer not in (DELETE, SKIP):
            raise InputRefused("unknown_answer")
        files, age = self._find_open(approval_id, token)
        if answer == DELETE and age < MIN_READING_SECONDS:
            raise AnsweredTooSoon()
        try:
            files.note_answer(answer)
        except FileExistsError:
            raise QuestionClosed from None
        except OSError as exc:
            raise StateUnwritable("answer_not_noted", because=exc) from exc

    def _find_open(self, approval_id: str, token: str) -> tuple[_ApprovalFiles, float]:
        """The files of an open question, and for how many seconds somebody has had its token."""
        files = self._find(approval_id)
        with self._lock:
            issued_for, since = self._issued.get(token, ("", 0.0))
        if issued_for != approval_id:
            raise QuestionClosed
        return files, self._clock() - since

    def _find(self, approval_id: str) -> _ApprovalFiles:
        if not is_hex_id(approval_id):
            raise InputRefused("not_a_question")
        files = _ApprovalFiles(self._folder, approval_id)
        if self._seconds_left(files) <= -LEEWAY or OwnerLock.is_abandoned(files.request):
            raise QuestionClosed
        return files

    def _whole_seconds_left(self, files: _ApprovalFiles) -> int:
        return max(0, round(self._seconds_left(files)))

    def _seconds_left(self, files: _ApprovalFiles) -> float:
        """Seconds in which an answer is waited for."""
        return files.seconds_left(self._today(), self._clock()) - LEEWAY


class _ApprovalFiles:
    """The files of one question."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.request = folder / f"{name}.json"
        self._seen = folder / f"{name}.seen"
        self._answer = folder / f"{name}.answer"

    def read_answer(self) -> tuple[str, bool]:
        """The answer, "" for none yet, and whether a page shows the question."""
        answer = str(_read(self._answer).get("answer", ""))
        seen = False
        with suppress(OSError):
            seen = self._seen.exists()
        return (answer if answer in (DELETE, SKIP) else ""), seen

    def seconds_left(self, today: float, clock: float) -> float:
        """For how long it still stands; none where there is no such question.

        A question of this process goes by the clock that nobody sets. Other processes share no other clock than the
        one that is set; there the owner lock of the question tells first whether anybody still waits for an answer.

        Args:
            today: seconds since 1970. clock: seconds that never go back.
        """
        kept = _read(self.request)
        ends, until = kept.get("ends"), kept.get("until")
        if kept.get("process") == os.getpid() and isinstance(until, float):
            left = until - clock
            # More is left by no clock of this process: an earlier one had the same number, before a restart.
            if left <= MAX_OPEN_SECONDS:
                return left
        return ends - today if isinstance(ends, float) else 0.0

    def close(self) -> bool:
        """Take no answer from now on. False where one came first."""
        try:
            self._note(self._answer, {"answer": _CLOSED})
        except FileExistsError:
            return False
        except OSError as exc:
            log.warning("A question can’t be closed: %s", exc.strerror)
        return True

    def note_seen(self) -> None:
        with suppress(FileExistsError):
            self._note(self._seen, {})

    def note_answer(self, answer: str) -> None:
        """Raises FileExistsError: there is one. OSError."""
        self._note(self._answer, {"answer": answer})

    def remove(self) -> None:
        # The question first: without it nobody can add to the others.
        for path in (self.request, self._seen, self._answer):
            try:
                path.unlink(missing_ok=True)
            except OSError as exc:
                log.warning("A question that has ended can’t be removed: %s", exc.strerror)

    def _note(self, path: Path, content: Payload) -> None:
        with open_private(path, "xb") as file:
            write_whole(file, json.dumps(content).encode("utf-8"))


def _read(path: Path) -> Payload:
    """Return the content of a file, or {} if it cannot be read or is being written."""
    try:
        return read_json(path, MAX_FILE_BYTES)
    except (OSError, ValueError):
        return {}
