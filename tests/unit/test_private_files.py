"""Files that somebody else put into the state folder: never followed, waited for, changed, or read whole."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud_history.errors import FileRefused
from cloud_history.state import files
from cloud_history.state.files import Mode, open_private, read_private, sync_file, write_private
from cloud_history.state.locks import file_lock

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and owners of POSIX")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")

MODES: list[Mode] = ["rb", "r+b", "a+b"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that others can enter, and whose files they cannot read."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """Somebody's file, which must be the same afterwards."""
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
def test_what_is_no_file_is_refused_by_name_at_once(
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
def test_a_link_that_leads_nowhere_makes_no_file_there(folder: Path, tmp_path: Path, mode: Mode) -> None:
    (folder / "note.json").symlink_to(tmp_path / "made")
    with pytest.raises(FileRefused, match="symbolic link"):
        open_private(folder / "note.json", mode, create=True)
    assert not (tmp_path / "made").exists()


def test_where_the_system_cannot_refuse_links_they_are_still_not_followed(
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
def test_files_of_the_folders_owner_are_taken(folder: Path) -> None:
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


def test_in_a_folder_that_nobody_else_can_enter_permissions_do_not_matter(folder: Path) -> None:
    (folder / "note.json").write_text("ours")
    (folder / "note.json").chmod(0o666)
    folder.chmod(0o700)
    assert read_private(folder / "note.json", 100) == b"ours"


@pytest.mark.parametrize("refuses", [False, True])
def test_a_file_system_that_keeps_no_permissions_is_worked_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    (folder / "note.json").write_text("ours")
    (folder / "note.json").chmod(0o666)

    def fchmod(descriptor: int, mode: int) -> None:
        if refuses:
            raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(os, "fchmod", fchmod)
    assert read_private(folder / "note.json", 100) == b"ours"


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o666])
def test_a_gate_that_others_could_hold_is_made_private(folder: Path, mode: int) -> None:
    (folder / "x.gate").touch()
    (folder / "x.gate").chmod(mode)
    with file_lock(folder / "x.gate"):
        assert stat.S_IMODE((folder / "x.gate").stat().st_mode) == 0o600


def test_what_is_made_is_private_under_any_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        for name, mode, create in (("a", "a+b", False), ("b", "xb", False), ("c", "r+b", True)):
            open_private(folder / name, mode, create=create).close()  # type: ignore[arg-type]
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_file_larger_than_allowed_is_refused_without_being_read_whole(folder: Path) -> None:
    with (folder / "note.json").open("wb") as file:
        file.truncate(2**40)  # a terabyte: nobody has the memory
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
def test_a_file_system_without_fsync_is_worked_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    write_private(folder / "note.json", "new")
    assert (folder / "note.json").read_text() == "new"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_refuses_to_sync_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with open_private(folder / "note", "xb") as file, pytest.raises(OSError, match=os.strerror(number)):
        sync_file(file)


def test_a_file_that_is_mounted_by_itself_is_told_as_that(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(source: Path, target: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(FileRefused, match=r"note\.json is mounted by itself") as caught:
        write_private(folder / "note.json", "new")
    assert "folder" in caught.value.cure
    assert list(folder.iterdir()) == []


def test_a_disk_that_takes_no_byte_is_an_error_and_not_endless(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda descriptor, content: 0)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_private(folder / "note.json", "new")


def test_a_disk_that_takes_a_byte_at_a_time_gets_all_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, bytes(content[:1])))
    write_private(folder / "note.json", "all of it")
    assert (folder / "note.json").read_text() == "all of it"
