"""The registry archive passes the registry's scanner and works after unpacking."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from host.conftest import Comfy
from hosts import CHECKOUT, HostProcess, start_embedded
from registry_archive import packed_files, scan, unpack_into
from simulated_cloud import SimulatedCloud


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_into(tmp_path_factory.mktemp("archive") / "comfy-cloud-history")


@pytest.fixture
def packed_host(archive: Path, busy_cloud: SimulatedCloud, tmp_path: Path) -> Iterator[HostProcess]:
    started = start_embedded(
        tmp_path,
        cloud_url=busy_cloud.base_url,
        api_key=busy_cloud.api_key,
        env={"COMFY_CLOUD_HISTORY_NODES": "allow"},
        pack=archive,
    )
    yield started
    started.stop()


def test_the_archive_holds_runtime_files_and_no_developer_files() -> None:
    files = packed_files()
    for needed in (
        "__init__.py",
        "nodes/delete_jobs.py",
        "js/main.js",
        "locales/en/main.json",
        "SECURITY.md",
    ):
        assert needed in files
    developers = (
        "tests/",
        "playground/",
        "tools/",
        "bench/",
        "types/",
        ".ci/",
        ".npmrc",
        "pytest.ini",
        "dev.py",
    )
    assert not [name for name in files if name.startswith(developers)]


def test_the_registry_scanner_flags_only_the_file_that_opens_http_sessions(archive: Path) -> None:
    found = scan(path for path in archive.rglob("*") if path.is_file())
    assert {path.relative_to(archive).as_posix() for path in found} == {"cloud_history/cloud/sessions.py"}, found


@pytest.mark.parametrize(
    "line",
    [
        "session = aiohttp.ClientSession()",
        "actions.connect()",
        "answer = requests.get(url)",
        "key = os.environ['KEY']",
        "import importlib",
        "const page = await import(address);",
        "match = /a/.exec(text)",
        "subprocess.run(command)",
    ],
)
def test_the_scanner_rules_flag_known_bad_code(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(line)
    assert scan([tmp_path / "a.txt"])


def test_bandit_finds_nothing_in_the_archive(archive: Path) -> None:
    # B101 is skipped because asserts here are only hints for the type checker.
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--skip", "B101", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


async def test_the_archive_unpacked_into_custom_nodes_loads_and_deletes_a_job(
    packed_host: HostProcess, busy_cloud: SimulatedCloud
) -> None:
    job = busy_cloud.finished[0].id
    async with aiohttp.ClientSession() as session:
        comfy = Comfy(packed_host, session)
        run = await comfy.run(
            {"1": {"class_type": "CloudHistoryDeleteJobs", "inputs": {"job_ids": job, "dry_run": False}}}
        )
        async with session.get(f"{packed_host.base_url}/extensions") as answer:
            scripts = await answer.json()
    assert run.ended == "execution_success"
    assert "1 job removed" in run.ui("1")[0]
    assert job not in {each.id for each in busy_cloud.finished}
    assert any(script.endswith("/comfy-cloud-history/main.js") for script in scripts)
    assert "IMPORT FAILED" not in packed_host.log()


def test_the_runtime_requirements_are_the_same_for_the_manager_and_for_the_registry() -> None:
    declared = re.search(r"^dependencies = \[(.*)\]", (CHECKOUT / "pyproject.toml").read_text("utf-8"), re.M)
    assert declared is not None
    listed = (CHECKOUT / "requirements.txt").read_text("utf-8").splitlines()
    wanted = {each for each in re.findall(r'"(.+?)"', declared[1]) if not each.startswith("comfyui-frontend")}
    assert wanted == {line for line in listed if line and not line.startswith("#")}
