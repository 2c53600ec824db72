"""Small private files: after a crash or an error, either the old or the new file exists, and no temporary one."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud_history.errors import FileRefused
from cloud_history.state import files
from cloud_history.state.files import Mode, open_private, private_folder, read_private, write_private
from cloud_history.state.locks import file_lock
from support.small_disk import file_size_limited_to


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refuse(number: int) -> Callable[..., None]:
    def refusing(*arguments: object, **more: object) -> None:
        raise OSError(number, os.strerror(number))

    return refusing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an existing file with old content."""
    path = private_folder(tmp_path / "state") / "note.json"
    write_private(path, "old")
    return path


def test_text_in_every_script_is_read_back_as_written(path: Path) -> None:
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
def test_only_the_owner_can_read_the_file_even_while_it_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_if_a_step_fails_the_old_file_is_kept_and_no_temporary_file_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse(number))
        with pytest.raises(OSError, match=os.strerror(number)):
            write_private(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_if_the_folder_cannot_be_synced_the_file_still_counts_as_written(
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


def test_the_content_is_synced_before_the_rename(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_interrupt_leaves_the_old_file_and_no_temporary_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_private(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(path: Path) -> None:
    with file_size_limited_to(4096), pytest.raises(OSError, match="large"):
        write_private(path, "x" * 100_000)
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
def test_an_existing_folder_keeps_its_permissions(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    private_folder(shared)
    assert mode(shared) == 0o755


def test_writing_a_file_does_not_create_its_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_private(tmp_path / "gone" / "note.json", "x")
    assert not (tmp_path / "gone").exists()


# Files that somebody else put into the state folder


pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and owners of POSIX")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")

MODES: list[Mode] = ["rb", "r+b", "a+b"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that other users can enter, with files that they cannot read."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """Yield a file, and check afterwards that it has not changed."""
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    yield victim
    assert victim.read_text() == "theirs"


def plant_fifo(path: Path) -> None:
    os.mkfifo(path)


def plant_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as own:
        os.chdir(path.parent)  # the names of sockets are short
        own.bind(path.name)


def plant_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


PLANTS: list[Callable[[Path], None]] = [plant_fifo, plant_socket, plant_device, Path.mkdir]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("plant", PLANTS)
def test_anything_but_a_file_is_refused_by_name_at_once(
    folder: Path, plant: Callable[[Path], None], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    plant(folder / "note.json")
    with pytest.raises(FileRefused, match=r"note\.json is a") as caught:
        open_private(folder / "note.json", mode)
    assert caught.value.cure


@as_root
@pytest.mark.parametrize("mode", MODES)
def test_a_device_in_the_place_of_a_file_is_refused(folder: Path, mode: Mode) -> None:
    try:
        os.mknod(folder / "note.json", stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
    except OSError:
        pytest.skip("this container makes no devices")
    with pytest.raises(OSError, match=r"is a|not permitted|denied"):
        open_private(folder / "note.json", mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_symbolic_link_is_not_followed(folder: Path, victim: Path, mode: Mode) -> None:
    (folder / "note.json").symlink_to(victim)
    with pytest.raises(FileRefused, match=r"note\.json is a symbolic link"):
        open_private(folder / "note.json", mode)


@pytest.mark.parametrize("mode", ["r+b", "a+b"])
def test_a_broken_link_creates_no_file_at_its_target(folder: Path, tmp_path: Path, mode: Mode) -> None:
    (folder / "note.json").symlink_to(tmp_path / "made")
    with pytest.raises(FileRefused, match="symbolic link"):
        open_private(folder / "note.json", mode, create=True)
    assert not (tmp_path / "made").exists()


def test_links_are_not_followed_even_without_system_support_for_refusing_them(
    folder: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "note.json").symlink_to(victim)
    monkeypatch.delattr(os, "O_NOFOLLOW")
    monkeypatch.setattr(files, "_SAFE", 0)
    with pytest.raises(FileRefused, match="symbolic link"):
        open_private(folder / "note.json", "a+b")


@pytest.mark.parametrize("mode", ["r+b", "a+b"])
def test_a_hard_link_is_read_and_never_written_to(folder: Path, victim: Path, mode: Mode) -> None:
    os.link(victim, folder / "note.json")
    assert read_private(folder / "note.json", 100) == b"theirs"
    with pytest.raises(FileRefused, match=r"note\.json has a second name"):
        open_private(folder / "note.json", mode)


@as_root
@pytest.mark.parametrize("mode", MODES)
def test_another_users_file_is_refused_with_its_owner(folder: Path, mode: Mode) -> None:
    (folder / "note.json").write_text("theirs")
    os.chown(folder / "note.json", 12345, -1)
    with pytest.raises(FileRefused, match=r"note\.json belongs to another user \(number 12345\)"):
        open_private(folder / "note.json", mode)


@as_root
def test_files_of_the_folders_owner_are_accepted(folder: Path) -> None:
    (folder / "note.json").write_text("theirs")
    for each in (folder, folder / "note.json"):
        os.chown(each, 12345, -1)
    assert read_private(folder / "note.json", 100) == b"theirs"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_change_is_refused_and_left_as_it_is(folder: Path, mode: int) -> None:
    (folder / "note.json").write_text("whose?")
    (folder / "note.json").chmod(mode)
    with pytest.raises(FileRefused, match=r"note\.json can be changed by other users") as caught:
        read_private(folder / "note.json", 100)
    assert "chmod go-w" in caught.value.cure
    assert stat.S_IMODE((folder / "note.json").stat().st_mode) == mode


def test_file_permissions_do_not_matter_in_a_private_folder(folder: Path) -> None:
    (folder / "note.json").write_text("ours")
    (folder / "note.json").chmod(0o666)
    folder.chmod(0o700)
    assert read_private(folder / "note.json", 100) == b"ours"


@pytest.mark.parametrize("refuses", [False, True])
def test_a_file_system_without_permissions_works(folder: Path, monkeypatch: pytest.MonkeyPatch, refuses: bool) -> None:
    (folder / "note.json").write_text("ours")
    (folder / "note.json").chmod(0o666)

    def fchmod(descriptor: int, mode: int) -> None:
        if refuses:
            raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(os, "fchmod", fchmod)
    assert read_private(folder / "note.json", 100) == b"ours"


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o666])
def test_a_lock_file_that_others_can_open_is_made_private(folder: Path, mode: int) -> None:
    (folder / "x.gate").touch()
    (folder / "x.gate").chmod(mode)
    with file_lock(folder / "x.gate"):
        assert stat.S_IMODE((folder / "x.gate").stat().st_mode) == 0o600


def test_created_files_are_private_under_any_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        for name, mode, create in (("a", "a+b", False), ("b", "xb", False), ("c", "r+b", True)):
            open_private(folder / name, mode, create=create).close()  # type: ignore[arg-type]
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_file_larger_than_allowed_is_refused_without_being_read_whole(folder: Path) -> None:
    with (folder / "note.json").open("wb") as file:
        file.truncate(2**40)  # a terabyte, which does not fit into memory
    with pytest.raises(FileRefused, match=r"note\.json is larger than 64 kB"):
        read_private(folder / "note.json", 64_000)
    (folder / "exact").write_bytes(b"x" * 1000)
    assert len(read_private(folder / "exact", 1000)) == 1000
    with pytest.raises(FileRefused):
        read_private(folder / "exact", 999)


def test_a_file_that_was_replaced_while_it_was_open_is_still_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(folder / "note.json", "old")
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        (folder / "note.json").unlink(missing_ok=True)
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    assert read_private(folder / "note.json", 100) == b"old"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_fsync_works(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    write_private(folder / "note.json", "new")
    assert (folder / "note.json").read_text() == "new"


def test_a_bind_mounted_file_is_reported_as_such(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(source: Path, target: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(FileRefused, match=r"note\.json is mounted by itself") as caught:
        write_private(folder / "note.json", "new")
    assert "folder" in caught.value.cure
    assert list(folder.iterdir()) == []


def test_a_disk_that_accepts_no_byte_is_an_error_and_not_an_endless_loop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda descriptor, content: 0)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_private(folder / "note.json", "new")


def test_a_disk_that_accepts_one_byte_at_a_time_gets_the_whole_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, bytes(content[:1])))
    write_private(folder / "note.json", "all of it")
    assert (folder / "note.json").read_text() == "all of it"
