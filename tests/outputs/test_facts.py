"""What is known of outputs before they are saved or deleted."""

from __future__ import annotations

from cloud_history.jobs.filters import JobFilter, Selection
from cloud_history.outputs.facts import GoneOutput, OutputFacts
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Fault, SimulatedJob
from support.saving_stage import SavingStage

CLOUD_JOBS = 0


async def facts_of(saving: SavingStage, jobs: list[SimulatedJob], seconds: float = 20.0) -> OutputFacts:
    operations = saving.operations
    connection = await operations.find_connection()
    rows = await operations.finished_jobs(connection, Selection(job_ids=[job.id for job in jobs]), Unwatched())
    return await operations.output_facts(connection, rows, Unwatched(), seconds)


def sizes(saving: SavingStage, jobs: list[SimulatedJob]) -> int:
    return sum(saving.cloud.account.facts_of(path).size for job in jobs for path in job.paths)


async def test_files_and_bytes_are_those_of_the_cloud(saving: SavingStage) -> None:
    jobs = [*saving.jobs(3), *saving.jobs(1, files=0)]
    facts = await facts_of(saving, jobs)
    assert (facts.files, facts.size, facts.unknown_sizes) == (6, sizes(saving, jobs), 0)
    assert (facts.known, facts.checked, list(facts.gone)) == (True, "hash", [])


async def test_an_output_that_is_gone_is_named(saving: SavingStage) -> None:
    first, second = saving.jobs(2)
    saving.cloud.account.lost.add(second.paths[1])
    facts = await facts_of(saving, [first, second])
    assert list(facts.gone) == [GoneOutput(second.id, second.files[1])]
    assert facts.size is None, "the size of a lost output is not known"


async def test_without_assets_the_sizes_are_unknown_and_the_files_are_counted(saving: SavingStage) -> None:
    saving.cloud.switches.has_assets_route = False
    facts = await facts_of(saving, saving.jobs(2))
    assert (facts.files, facts.size, facts.unknown_sizes, facts.checked) == (4, None, 4, "none")


async def test_without_time_to_look_the_files_are_counted_and_the_facts_are_not_complete(saving: SavingStage) -> None:
    jobs = saving.jobs(2)
    facts = await facts_of(saving, jobs, seconds=0.0)
    assert (facts.files, facts.size, facts.known) == (4, sizes(saving, jobs), False)


async def test_a_server_that_fails_leaves_the_counts(saving: SavingStage) -> None:
    jobs = saving.jobs(2)
    saving.cloud.faults.append(Fault(("GET", "/api/view"), "status", times=None, status=500))
    facts = await facts_of(saving, jobs)
    assert (facts.files, facts.known, list(facts.gone)) == (4, False, [])


async def test_looking_downloads_no_output(saving: SavingStage) -> None:
    await facts_of(saving, saving.jobs(3))
    assert not [each for each in saving.cloud.requests if each.path.startswith("/comfy-outputs/")]


async def test_a_selection_by_filter_has_only_finished_jobs(saving: SavingStage) -> None:
    jobs = saving.jobs(2)
    saving.cloud.add_job("in_progress")
    connection = await saving.operations.find_connection()
    found = await saving.operations.finished_jobs(connection, Selection(filter=JobFilter()), Unwatched())
    assert {job.id for job in found} == {job.id for job in jobs}
