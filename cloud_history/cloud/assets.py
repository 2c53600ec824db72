"""The sizes and hashes of the outputs of jobs, from Comfy Cloud's assets.

Everything here is optional: it lets a saved file be checked, and a dialog say how much there is. Nothing is ever
concluded from an asset that is missing. Documented: operation listAssets; the route for one job is in newer servers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol

from ..errors import AnswerTooLarge, ApiMovedOn, CloudError, CloudResponseError, NotFound, OperationStopped
from ..jobs.ids import is_job_id
from ..reasons import Reason
from ..secret import scrub
from ..tasks.stopping import Watch, check_stopped, gather_all, run_stoppable

MAX_JOBS_ASKED_SINGLY = 20
"""Up to this many jobs are asked for one by one, if the server can answer that."""
PAGE_ASSETS = 500
"""The largest page that the documentation allows."""
MIN_PAGE_ASSETS = 25
MAX_ASSETS = 200_000
"""Limit for the assets that are looked through."""
MAX_NAME_CHARACTERS = 1200
REQUESTS_AT_ONCE = 4
SECONDS = 180.0
"""Time limit for reading all assets."""

_HASH = re.compile(r"blake3:[0-9a-f]{64}", re.ASCII)
_NO_SUCH_ROUTE = frozenset({404, 405, 501})
_LARGEST = 2**53


@dataclass(frozen=True)
class Asset:
    """What Comfy Cloud says of one output.

    Attributes:
        name: the name of the file.
        size: number of bytes; None if unknown.
        blake3: the hash in lower-case hexadecimal; None if unknown.
        mime_type: "" if unknown.
    """

    job_id: str
    name: str
    size: int | None = None
    blake3: str | None = None
    mime_type: str = ""


@dataclass(frozen=True)
class AssetFacts:
    """The assets of some jobs.

    Attributes:
        known: whether the assets of all the jobs were read to the end. Even then, an asset may be missing.
        why: why they were not.
    """

    known: bool
    why: Reason | None = None
    _by_job: dict[str, tuple[Asset, ...]] = field(default_factory=dict, repr=False)

    def of(self, job_id: str) -> Sequence[Asset]:
        """Return the assets of a job, in no particular order."""
        return self._by_job.get(job_id, ())

    def find(self, job_id: str, filename: str) -> Asset | None:
        """Return what is known of an output, or None.

        A job can have several outputs of one name. What their assets do not agree on counts as unknown.
        """
        found = [each for each in self.of(job_id) if each.name == filename]
        # Servers that store files by their content may use the hash as the name of an output.
        found = found or [
            each for each in self.of(job_id) if each.blake3 and PurePosixPath(filename).stem == each.blake3
        ]
        if not found:
            return None
        sizes, hashes = {each.size for each in found}, {each.blake3 for each in found}
        return Asset(
            job_id,
            filename,
            found[0].size if len(sizes) == 1 else None,
            found[0].blake3 if len(hashes) == 1 else None,
            found[0].mime_type,
        )


class AssetClient(Protocol):
    """The part of `CloudClient` that reads assets."""

    has_job_assets: bool

    async def list_assets(self, *, limit: int, offset: int) -> dict[str, Any]: ...

    async def get_job_assets(self, job_id: str) -> dict[str, Any]: ...


async def read_assets(
    client: AssetClient, job_ids: Collection[str], watch: Watch, *, seconds: float = SECONDS
) -> AssetFacts:
    """Return the assets of jobs. Without an answer they are unknown, which is no error.

    Args:
        job_ids: valid ids, in lower case.
        seconds: time limit. What was read until then is kept.

    Raises:
        OperationStopped: the person stopped it.
    """
    reading = _Reading(client, frozenset(job_ids), watch)
    why: Reason | None = None
    if job_ids:
        try:
            why = await run_stoppable(reading.read(), watch, seconds)
        except OperationStopped:
            raise
        except CloudError as error:
            why = error.reason
    return AssetFacts(why is None, why, {job_id: tuple(found.values()) for job_id, found in reading.found.items()})


class _Reading:
    """Reads the assets of some jobs.

    Attributes:
        found: the assets by job id, each by the id of the asset.
    """

    def __init__(self, client: AssetClient, job_ids: frozenset[str], watch: Watch) -> None:
        self.found: defaultdict[str, dict[str, Asset]] = defaultdict(dict)
        self._client = client
        self._wanted = job_ids
        self._watch = watch
        self._seen: set[str] = set()
        self._page_assets = PAGE_ASSETS

    async def read(self) -> Reason | None:
        """Read all assets. Return why some are unknown, or raise CloudError if some cannot be read."""
        if len(self._wanted) <= MAX_JOBS_ASKED_SINGLY and self._client.has_job_assets and await self._read_each():
            return None
        return await self._read_list()

    async def _read_each(self) -> bool:
        """Ask for each job. Return False if the server has no route for that."""
        left = sorted(self._wanted)
        while left:
            check_stopped(self._watch)
            # The first request is alone, because most servers do not have the route.
            count = REQUESTS_AT_ONCE if len(left) < len(self._wanted) else 1
            try:
                answers = await gather_all([self._client.get_job_assets(job_id) for job_id in left[:count]])
            except (NotFound, ApiMovedOn):
                self._client.has_job_assets = False
                return False
            except CloudResponseError as error:
                if error.status not in _NO_SUCH_ROUTE:
                    raise
                self._client.has_job_assets = False
                return False
            for job_id, answer in zip(left, answers, strict=False):
                if answer.get("has_more") is True:
                    return False  # the rest has no documented page, so it is looked for in the list
                self._take(answer["assets"], job_id)
            left = left[count:]
        return True

    async def _read_list(self) -> Reason | None:
        """Read the list of all assets to its end. Return why the end was not reached."""
        offset, at_once = 0, 1
        while offset < MAX_ASSETS:
            check_stopped(self._watch)
            size = self._page_assets
            offsets = [offset + number * size for number in range(at_once)]
            try:
                pages = await gather_all([self._client.list_assets(limit=size, offset=each) for each in offsets])
            except AnswerTooLarge:
                self._page_assets, at_once = size // 2, 1
                if self._page_assets < MIN_PAGE_ASSETS:
                    raise
                continue
            for page in pages:
                rows = page["assets"]
                is_new = self._take(rows)
                offset += len(rows)
                if page.get("has_more") is not True:
                    return None
                if not is_new:
                    return Reason("assets_repeat")
                if len(rows) < size:
                    # This server sends smaller pages than asked, so the other offsets have gaps between them.
                    self._page_assets = len(rows)
                    break
            at_once = REQUESTS_AT_ONCE
        return Reason("too_many_assets")

    def _take(self, rows: Iterable[object], job_id: str | None = None) -> bool:
        """Keep the assets of the wanted jobs. Return whether any row was not seen before.

        Args:
            job_id: the job of rows that do not name one.
        """
        is_new = False
        for row in rows:
            if not isinstance(row, dict):
                continue
            asset_id = row.get("id")
            asset_id = asset_id if isinstance(asset_id, str) else f"{row.get('name')}/{row.get('prompt_id')}"
            is_new = is_new or asset_id not in self._seen
            self._seen.add(asset_id)
            asset = _read_asset(row, job_id)
            if asset is not None and asset.job_id in self._wanted:
                self.found[asset.job_id][asset_id] = asset
        return is_new


def _read_asset(row: dict[str, Any], default: str | None) -> Asset | None:
    """Return an asset of a job, or None for another one. Whatever is not valid in it counts as unknown."""
    job_id = row.get("prompt_id") or row.get("job_id") or default
    name, size, digest, kind = (row.get(each) for each in ("name", "size", "asset_hash", "mime_type"))
    if not isinstance(job_id, str) or not is_job_id(job_id):
        return None
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARACTERS:
        return None
    is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= _LARGEST
    is_hash = isinstance(digest, str) and _HASH.fullmatch(digest) is not None
    return Asset(
        job_id.lower(),
        scrub(name),
        size if is_size else None,
        str(digest).removeprefix("blake3:") if is_hash else None,
        scrub(kind)[:100] if isinstance(kind, str) else "",
    )
