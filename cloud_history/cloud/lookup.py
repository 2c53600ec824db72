"""Lookup: finding out whether jobs exist, before a deletion and after it.

A job is proven absent if two sources agree: a list without defects does not contain the job, and
`GET /api/jobs/{id}` answers 404. The 404 counts only if requests by id work: the server returns a listed job by its
id or, if no job is listed any more, has returned one of these jobs earlier. Up to 20 jobs are all requested by id;
of more jobs, five. No job is proven absent if all other jobs that were listed before are missing too: the key may
belong to another account, or the service may have lost its data.

There is one exception, for a server that removes deleted jobs from lists but still returns them by id. For such a
server the list alone is proof, on four conditions: it is the list of all statuses; it contained all of the jobs
before; it now contains none of them except active ones; and it contains other jobs, one of which the server returns by
its id. Otherwise the list may be hiding jobs. An empty list is never proof while the server returns one of the jobs by
id, because the service may be broken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Protocol, cast

from ..errors import BadRequest, CloudConnectionError, CloudError, ListNotWhole, NotFound
from ..jobs.filters import JobFilter
from ..jobs.job import Job
from ..jobs.status import ACTIVE, JobStatus
from ..reasons import NO_REASON, Reason
from ..tasks.stopping import Watch, gather_all, run_stoppable
from .evidence import NONE_ABSENT, SPOT_CHECK, Defect, DefectKind, ProvenAbsent, describe_defects, sample_evenly
from .listing import CompleteListing, JobLister, Listing, first_page, has_more_jobs, list_jobs
from .pages import Page

MAX_ONE_BY_ONE = 20
MAX_CONCURRENT_REQUESTS = 6
MAX_ASKED_BY_ID = 200
"""If a spot check finds only some jobs absent, all missing jobs are requested by id, up to this number."""
FINAL_STATUS_AFTER = timedelta(minutes=10)
"""The status of a job is final this long after the job ended. Before, it may still change to failed or cancelled."""


class JobReader(JobLister, Protocol):
    """The part of a client that lookup needs."""

    async def get_job(self, job_id: str) -> Job: ...

    def earliest_now(self) -> datetime: ...


@dataclass(frozen=True)
class Observation:
    """The result of a lookup.

    Attributes:
        there: jobs that exist: the list contains them, or the server returned them by id.
        gone: jobs that are proven absent.
        error: the failed request because of which some jobs are neither in `there` nor in `gone`.
        defects: the defects because of which some jobs are neither in `there` nor in `gone`.
        listed: ids of the jobs in `there` that the list contains.
        answered: ids of jobs that the server has returned by id.
        others: ids of other listed jobs. At least one of them must exist at the next lookup.
    """

    there: Mapping[str, Job] = field(default_factory=dict)
    gone: frozenset[ProvenAbsent] = NONE_ABSENT
    error: CloudError | None = None
    defects: tuple[Defect, ...] = ()
    listed: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def is_known(self, job_id: str) -> bool:
        """Return whether the job is in `there` or in `gone`."""
        return job_id in self.there or job_id in self.gone

    def check(self, job_ids: Iterable[str]) -> None:
        """Raise CloudError if one of these jobs is neither in `there` nor in `gone`."""
        if self.error is not None or not all(map(self.is_known, job_ids)):
            raise self.error or ListNotWhole(self.defects[0].reason if self.defects else NO_REASON)

    @cached_property
    def doubt(self) -> Reason:
        """The first of `defects` as a reason to show; NO_REASON if there is no defect."""
        return describe_defects(self.defects) if self.defects else NO_REASON


NOTHING_OBSERVED = Observation()


async def look_up(client: JobReader, job_ids: Sequence[str], known: Observation = NOTHING_OBSERVED) -> Observation:
    """Look up jobs by id and in the narrowest list that can prove them absent.

    Never raises CloudError: the error is in the observation.

    Args:
        known: an earlier observation of these jobs.
    """
    if not job_ids:
        return NOTHING_OBSERVED
    lookup = _Lookup(client, job_ids, known)
    try:
        return await lookup.run()
    except CloudError as error:
        return lookup.observation_without_list(error)


async def get_by_id(client: JobReader, jobs: Iterable[Job], others: Iterable[str] = ()) -> Observation:
    """Request listed jobs by id and return an observation with the found ones in `answered`. Never raises CloudError.

    Args:
        others: ids of other listed jobs. At least one of them must exist at the next lookup.
    """
    listed = {job.id: job for job in jobs}
    known = Observation(listed, listed=frozenset(listed), others=frozenset(others).difference(listed))
    lookup = _Lookup(client, list(listed), known)
    return await lookup.only_by_id()


async def look_up_in_time(
    client: JobReader, job_ids: Sequence[str], watch: Watch, seconds: float, known: Observation = NOTHING_OBSERVED
) -> Observation:
    """Call `look_up` with a time limit, after which `error` is set. Raise OperationStopped if the person stops it."""
    try:
        return await run_stoppable(look_up(client, job_ids, known), watch, seconds)
    except CloudConnectionError as error:
        return Observation(error=error)


def narrowest(jobs: Iterable[Job], now: datetime) -> JobFilter:
    """Return the narrowest filter that matches these jobs as long as they exist.

    The filter is by status if the status of each job is final. It includes the active statuses, because a failed job
    may be run again; active jobs are few.
    """
    found = list(jobs)
    statuses = {job.status for job in found}
    if not found or len(statuses) > 2 or not all(_has_final_status(job, now) for job in found):
        return JobFilter()
    return JobFilter(tuple(status for status in JobStatus if status in statuses or status in ACTIVE))


def _has_final_status(job: Job, now: datetime) -> bool:
    return job.finished and job.finished_at is not None and job.finished_at <= now - FINAL_STATUS_AFTER


class _ListedJobCheck(NamedTuple):
    """The result of requesting a listed job by id; `error` is None if the server returned the job."""

    job_id: str
    error: CloudError | None = None


class _Lookup:
    """One lookup of some jobs."""

    def __init__(self, client: JobReader, job_ids: Sequence[str], known: Observation) -> None:
        self._client = client
        self._job_ids = job_ids
        self._wanted = frozenset(job_ids)
        self._known = known
        self._jobs = {job_id: known.there[job_id] for job_id in job_ids if job_id in known.there}
        self._by_id: dict[str, Job | None] = {}
        self._answered = set(known.answered)
        self._error: CloudError | None = None
        self._listed_job_check: asyncio.Future[_ListedJobCheck] | None = None

    async def run(self) -> Observation:
        try:
            listing = await self._read_list()
            found = await self._evaluate_list(listing)
            if listing.query and any(defect.kind is DefectKind.STILL_ANSWERED for defect in found.defects):
                # Some missing jobs were found by id: their status may have changed, so read jobs of all statuses.
                found = await self._evaluate_list(await self._list(JobFilter()))
            return found
        finally:
            await _cancel(self._listed_job_check)

    async def _evaluate_list(self, listing: Listing) -> Observation:
        """Request each job that the list does not contain, by its id. Return which jobs exist and which are gone."""
        self._jobs.update(listing.jobs)
        missing = [job_id for job_id in self._job_ids if job_id not in listing.jobs]
        proof = listing.proof()
        if proof is None or not missing:
            return self._observation(listing, NONE_ABSENT, listing.defects if missing else ())
        few = len(self._job_ids) <= MAX_ONE_BY_ONE
        asked = self._ids_to_request(missing)
        try:
            work: list[Coroutine[Any, Any, bool | None]] = [
                self._get_by_id([job_id for job_id in asked if self._by_id.get(job_id, self) is not None]),
                self._misses_a_listed_job(proof),
                self._has_more_jobs(proof),
                self._misses_the_others(proof),
            ]
            _, misses, ends_too_soon, misses_others = await gather_all(work)
        except CloudError as error:
            self._error = self._error or error
            return self._observation(listing, NONE_ABSENT, ())
        if misses or ends_too_soon or not self._answered:
            kind = DefectKind.ENDS_TOO_SOON if ends_too_soon else DefectKind.NO_ANSWER_BY_ID
            return self._observation(listing, NONE_ABSENT, (Defect(kind),))
        if misses_others:
            return self._observation(listing, NONE_ABSENT, (Defect(DefectKind.OTHERS_MISSING),))
        still = [job_id for job_id in asked if self._by_id.get(job_id)]
        if not few and 0 < len(still) < len(asked) and len(missing) <= MAX_ASKED_BY_ID:
            asked = missing
            await self._get_by_id([job_id for job_id in missing if job_id not in self._by_id])
            few, still = True, [job_id for job_id in asked if self._by_id.get(job_id)]
        gone, defects = self._proven_absent_among(missing, asked, still, proof, each=few)
        return self._observation(listing, gone, defects)

    async def only_by_id(self) -> Observation:
        await self._get_by_id(self._job_ids)
        return replace(self._known, answered=frozenset(self._answered))

    def observation_without_list(self, error: CloudError) -> Observation:
        """Return an observation for a lookup without a list, from the answers to requests by id only."""
        there = {job_id: job for job_id, job in self._by_id.items() if job}
        return Observation(there, NONE_ABSENT, error, answered=frozenset(self._answered))

    async def _read_list(self) -> Listing:
        """Read the narrowest list that can prove these jobs absent."""
        if self._known.there:
            chosen = narrowest(self._jobs.values(), self._client.earliest_now())
            # A job that the server returns by id before the deletion and not after it is the best proof that requests
            # by id work.
            listing, _ = await asyncio.gather(self._list(chosen), self._get_some_by_id())
        else:
            chosen, listing = await self._read_guessed_list()
        if chosen.statuses and not self._proves_enough(listing):
            listing = await self._list(JobFilter())
        return listing

    async def _read_guessed_list(self) -> tuple[JobFilter, Listing]:
        """Read a list with a guessed filter.

        For many jobs the guess is mostly no filter, so the first page of that list is requested at the same time.
        """
        first: asyncio.Future[Page[Job]] | None = None
        if len(self._job_ids) > MAX_ONE_BY_ONE:
            first = asyncio.ensure_future(first_page(self._client, JobFilter(), self._wanted))
        try:
            chosen = await self._guess_filter()
            return chosen, await self._list(chosen, None if chosen.statuses else first)
        finally:
            await _cancel(first)

    async def _guess_filter(self) -> JobFilter:
        """Request a few of the jobs by id and guess the filter from their statuses."""
        few = self._ids_to_request(self._job_ids)
        await self._get_by_id(few)
        found = [job for job in (self._by_id.get(job_id) for job_id in few) if job]
        self._jobs.update((job.id, job) for job in found)
        statuses = {job.status for job in found}
        if len(found) < len(few):
            return JobFilter()
        # Most jobs are completed, so a list of completed jobs saves little, and a wrong guess costs a second list.
        if len(few) < len(self._job_ids) and (len(statuses) > 1 or JobStatus.COMPLETED in statuses):
            return JobFilter()
        return narrowest(found, self._client.earliest_now())

    def _ids_to_request(self, job_ids: Sequence[str]) -> list[str]:
        """Return the ids to request: all of them if the lookup is for at most MAX_ONE_BY_ONE jobs, else a sample."""
        return list(job_ids) if len(self._job_ids) <= MAX_ONE_BY_ONE else self._sample(job_ids)

    def _proves_enough(self, listing: Listing) -> bool:
        """Return whether a list filtered by status can prove that the jobs missing from it are absent."""
        missing = [job_id for job_id in self._job_ids if job_id not in listing.jobs]
        if not missing:
            return True
        now = self._client.earliest_now()
        final = all(job_id in self._jobs and _has_final_status(self._jobs[job_id], now) for job_id in missing)
        return final and listing.proof() is not None

    async def _list(self, chosen: JobFilter, first: Awaitable[Page[Job]] | None = None) -> Listing:
        listing = await list_jobs(self._client, chosen, self._wanted, first)
        self._error = listing.error
        return listing

    def _sample(self, missing: Sequence[str]) -> list[str]:
        """Return a sample that includes up to two jobs that were found by id before: a 404 for them proves the most."""
        before = [job_id for job_id in missing if job_id in self._known.answered][:2]
        return before + sample_evenly([each for each in missing if each not in before], SPOT_CHECK - len(before))

    async def _get_by_id(self, job_ids: Iterable[str]) -> None:
        """Request each job by id and store it in `_by_id`, or None if the server answers 404."""
        limit = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

        async def get(job_id: str) -> None:
            async with limit:
                try:
                    self._by_id[job_id] = await self._client.get_job(job_id)
                    self._answered.add(job_id)
                except NotFound:
                    self._by_id[job_id] = None
                except CloudError as error:
                    self._by_id.pop(job_id, None)
                    self._error = self._error or error

        found = await asyncio.gather(*(get(job_id) for job_id in job_ids), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each

    async def _get_some_by_id(self) -> None:
        """Request some jobs by id. If one is missing, also begin to request a job that was listed before.

        The answer about the listed job counts only if the new list contains that job too.
        """
        await self._get_by_id(self._ids_to_request(self._job_ids))
        listed = next(iter(self._known.others), None)
        if listed is not None and not all(self._by_id.values()):
            self._listed_job_check = asyncio.ensure_future(self._get_listed_job(listed))

    async def _get_listed_job(self, job_id: str) -> _ListedJobCheck:
        try:
            await self._client.get_job(job_id)
        except CloudError as error:
            return _ListedJobCheck(job_id, error)
        return _ListedJobCheck(job_id)

    async def _misses_a_listed_job(self, proof: CompleteListing) -> bool:
        """Return whether the server answers 404 for a listed job, so that its 404 for other jobs proves nothing."""
        asked = await self._listed_job_check if self._listed_job_check else None
        if asked is None or asked.job_id not in proof.seen:
            listed = next((job_id for job_id in proof.seen if job_id not in self._wanted), None)
            if listed is None and not self._answered:
                listed = next(iter(proof.seen), None)
            if listed is None:
                return False
            asked = await self._get_listed_job(listed)
        if isinstance(asked.error, NotFound):
            return True
        if asked.error is not None and not self._answered:
            raise asked.error
        self._answered.add(asked.job_id)
        return False

    async def _misses_the_others(self, proof: CompleteListing) -> bool:
        """Return whether all other jobs that were listed before are now missing from the list and not found by id."""
        others = self._known.others
        if not others or not others.isdisjoint(proof.seen):
            return False
        for job_id in sample_evenly(sorted(others), SPOT_CHECK):
            try:
                found = await self._client.get_job(job_id)
            except NotFound:
                continue
            # The job exists, so a list of its status must contain it.
            return not proof.query or found.status.value in proof.query.get("status", "").split(",")
        return True

    async def _has_more_jobs(self, proof: CompleteListing) -> bool:
        """Return whether more jobs follow a list that consists of a single page that is not full."""
        if not proof.is_short or not proof.seen:
            return False
        try:
            return await has_more_jobs(self._client, proof.query, proof.seen, len(proof.seen), counts=True)
        except BadRequest:
            return False  # the server refuses offsets

    def _proven_absent_among(
        self, missing: Sequence[str], asked: Sequence[str], still: Sequence[str], proof: CompleteListing, *, each: bool
    ) -> tuple[frozenset[ProvenAbsent], tuple[Defect, ...]]:
        """Return which of the missing jobs are proven absent, and why the other missing jobs are not.

        Args:
            asked: the jobs that were requested by id.
            still: the jobs of `asked` that the server returned.
            each: whether every missing job was requested by id, and not only a sample.
        """
        refused = [job_id for job_id in asked if job_id in self._by_id and self._by_id[job_id] is None]
        if still and len(still) == len(asked) and self._is_marked_as_deleted(missing, proof):
            return _proven(missing), ()
        defects = (Defect(DefectKind.STILL_ANSWERED),) if still else ()
        if still and not proof.seen:
            return NONE_ABSENT, defects
        if each:
            return _proven(refused), defects
        return (_proven(missing), ()) if len(refused) == len(asked) else (NONE_ABSENT, defects)

    def _is_marked_as_deleted(self, missing: Sequence[str], proof: CompleteListing) -> bool:
        """Return whether the list alone is proof for jobs that are still found by id; see the module's docstring."""
        listed = self._wanted & proof.seen
        return (
            not proof.query
            and self._known.listed.issuperset(missing)
            and all(self._jobs[job_id].active for job_id in listed)
            and len(proof.seen) > len(listed)
        )

    def _observation(self, listing: Listing, gone: frozenset[ProvenAbsent], defects: tuple[Defect, ...]) -> Observation:
        by_id = {job_id: job for job_id, job in self._by_id.items() if job and job_id not in gone}
        found = {**by_id, **listing.jobs}
        for job_id in by_id.keys() & listing.jobs.keys():
            # A list may omit the workflow id, which is needed to recognise the jobs of a protected workflow.
            workflow_id = listing.jobs[job_id].workflow_id or by_id[job_id].workflow_id
            found[job_id] = listing.jobs[job_id]._replace(workflow_id=workflow_id)
        there = {job_id: found[job_id] for job_id in self._job_ids if job_id in found}
        listed = frozenset(listing.jobs)
        others = listing.seen - self._wanted if listing.proof() else frozenset[str]()
        return Observation(there, gone, self._error, defects, listed, frozenset(self._answered), others)


async def _cancel(begun: asyncio.Future[Any] | None) -> None:
    """Cancel a future if it has not ended."""
    if begun is not None:
        begun.cancel()
        await asyncio.gather(begun, return_exceptions=True)


def _proven(job_ids: Iterable[str]) -> frozenset[ProvenAbsent]:
    return frozenset(cast("Iterable[ProvenAbsent]", job_ids))
