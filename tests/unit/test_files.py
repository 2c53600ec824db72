"""Small private files: a crash, a full disk or a refusal leaves the old one or the new one, and no litter."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_history.state.files import private_folder, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refuse(number: int) -> Callable[..., None]:
    def refusing(*arguments: object, **more: object) -> None:
        raise OSError(number, os.strerror(number))

    return refusing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is there already, with old content."""
    path = private_folder(tmp_path / "state") / "note.json"
    write_private(path, "old")
    return path


def test_what_is_written_is_what_is_read_in_every_script(path: Path) -> None:
    write_private(path, "schlüssel 鍵 🔑\n")
    assert path.read_bytes() == "schlüssel 鍵 🔑\n".encode()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_the_file_and_its_folder(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_private(private_folder(tmp_path / "a" / "b") / "note.json", "x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "b" / "note.json") == 0o600
    assert mode(tmp_path / "a" / "b") == 0o700


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_file_that_others_could_read_is_replaced_by_one_they_cannot(path: Path) -> None:
    path.chmod(0o644)
    write_private(path, "new")
    assert mode(path) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_nobody_can_read_the_file_even_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        modes.extend(mode(each) for each in path.parent.iterdir())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_private(path, "new")
    assert modes
    assert set(modes) == {0o600}


@pytest.mark.parametrize("step", ["replace", "fsync", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_where_a_step_fails_the_old_file_is_whole_and_no_draft_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse(number))
        with pytest.raises(OSError, match=os.strerror(number)):
            write_private(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_where_the_folder_cannot_be_synced_the_new_file_counts_as_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "this file system syncs no folders")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_private(path, "new")
    assert path.read_text() == "new"


def test_the_content_is_on_the_disk_before_it_takes_the_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def replace(source: Path, target: Path) -> None:
        steps.append("name")
        assert Path(source).read_text() == "new"
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_private(path, "new")
    assert steps[:2] == ["file", "name"]


def test_being_interrupted_leaves_the_old_file_and_no_draft(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_private(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_that_really_is_full_leaves_the_old_file(path: Path) -> None:
    # No file of this process may grow beyond 4 KiB: the system itself refuses, in the middle of writing.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        with pytest.raises(OSError, match="large"):
            write_private(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


_DIES = """
import os, signal, sys
from pathlib import Path
from cloud_history.state import files
os.replace = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
files.write_private(Path(sys.argv[1]), "new")
"""


def test_a_process_killed_just_before_the_rename_leaves_the_old_file(path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, str(path)], check=False, timeout=30)
    assert died.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_a_folder_in_the_place_of_the_file_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "note.json").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_private(tmp_path / "note.json", "new")
    assert [each.name for each in tmp_path.iterdir()] == ["note.json"]


def test_a_link_in_the_place_of_the_file_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "note.json").symlink_to(tmp_path / "elsewhere")
    write_private(tmp_path / "note.json", "ours")
    assert (tmp_path / "elsewhere").read_text() == "theirs"
    assert not (tmp_path / "note.json").is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_that_was_there_before_us_keeps_its_permissions(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    private_folder(shared)
    assert mode(shared) == 0o755


def test_a_folder_that_is_not_there_is_not_made_by_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_private(tmp_path / "gone" / "note.json", "x")
    assert not (tmp_path / "gone").exists()
