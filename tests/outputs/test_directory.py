"""Folders are opened, and files created in them, without following links, by descriptor and by path."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud_history.outputs import directory as module
from cloud_history.outputs.directory import HAS_DIR_FD, Directory, check_part
from cloud_history.outputs.errors import OutputFileRefused

WAYS = [pytest.param(True, id="by descriptor", marks=pytest.mark.skipif(not HAS_DIR_FD, reason="POSIX")), False]


@pytest.fixture(params=WAYS, ids=["by descriptor", "by path"])
def top(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Directory]:
    """Return an empty folder, with the folder `outside` beside it."""
    (tmp_path / "top").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    with Directory.open(tmp_path / "top", by_descriptor=request.param) as found:
        yield found


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket may have 108 bytes only
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


NOT_FILES: dict[str, Callable[[Path], object]] = {
    "a link to a file": lambda path: path.symlink_to("../outside/secret.txt"),
    "a link to a folder": lambda path: path.symlink_to("../outside"),
    "a broken link": lambda path: path.symlink_to("../outside/new.txt"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "an absolute link": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
}


@pytest.mark.parametrize("kind", NOT_FILES)
def test_what_is_not_a_regular_file_is_neither_opened_nor_replaced(top: Directory, kind: str) -> None:
    NOT_FILES[kind](top.path / "name")
    before = os.lstat(top.path / "name")
    for writes in (False, True):
        with pytest.raises(OutputFileRefused):
            top.open_file("name", writes=writes)
    with pytest.raises(FileExistsError):
        top.create_file("name")
    top.create_file("new.part").close()
    assert not top.place("new.part", "name")
    assert os.path.samestat(os.lstat(top.path / "name"), before)
    assert os.listdir(top.path.parent / "outside") == ["secret.txt"]
    assert (top.path.parent / "outside" / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize("kind", [each for each in NOT_FILES if each != "a folder"])
@pytest.mark.parametrize("create", [True, False])
def test_what_is_not_a_folder_is_not_entered(top: Directory, kind: str, create: bool) -> None:
    NOT_FILES[kind](top.path / "name")
    with pytest.raises(OutputFileRefused):
        top.child("name", create=create)
    assert os.listdir(top.path.parent / "outside") == ["secret.txt"]


def test_a_junction_counts_as_a_link() -> None:
    class Found:
        st_mode = 0o040755
        st_reparse_tag = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT

    assert module.is_link(Found())  # type: ignore[arg-type]


def test_a_folder_in_a_synchronised_drive_is_no_link() -> None:
    class Found:
        st_mode = 0o040755
        st_reparse_tag = 0x9000001A  # IO_REPARSE_TAG_CLOUD

    assert not module.is_link(Found())  # type: ignore[arg-type]


def test_a_folder_that_is_replaced_by_a_link_after_it_was_opened_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "top" / "day").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    with Directory.open(tmp_path / "top") as top, top.child("day") as day:
        (tmp_path / "top" / "day").rename(tmp_path / "moved")
        (tmp_path / "top" / "day").symlink_to(tmp_path / "outside")
        day.create_file("a.png").close()
        day.create_file("b.part").close()
        assert day.place("b.part", "b.png")
    assert os.listdir(tmp_path / "outside") == []
    assert sorted(os.listdir(tmp_path / "moved")) == ["a.png", "b.png"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "../a", "a\\b", "a\0b"])
def test_a_path_is_no_name(top: Directory, name: str) -> None:
    for action in (check_part, top.child, top.create_file, top.open_file, top.stat, top.remove):
        with pytest.raises(ValueError, match="one part of a path"):
            action(name)
    top.create_file("a.part").close()
    with pytest.raises(ValueError, match="one part of a path"):
        top.place("a.part", name)


def _no_links(monkeypatch: pytest.MonkeyPatch, number: int = errno.EPERM) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)


def _with_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    pass


def _without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    _no_links(monkeypatch)


def _with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _no_links(monkeypatch, errno.ENOSYS)
    monkeypatch.setattr(module, "rename_new", lambda *arguments: False)


KINDS_OF_DISK = [_with_hard_links, _without_hard_links, _with_nothing]


@pytest.mark.parametrize("kind", KINDS_OF_DISK)
def test_a_file_gets_its_final_name_on_every_kind_of_disk(
    top: Directory, kind: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind(monkeypatch)
    with top.create_file("new.part") as file:
        file.write(b"new")
    assert top.place("new.part", "a.png")
    assert top.names() == ["a.png"]
    assert (top.path / "a.png").read_bytes() == b"new"
    assert (top.path / "a.png").stat().st_nlink == 1


@pytest.mark.parametrize("kind", KINDS_OF_DISK)
def test_an_existing_file_keeps_its_name_and_content_on_every_kind_of_disk(
    top: Directory, kind: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind(monkeypatch)
    (top.path / "a.png").write_bytes(b"old")
    with top.create_file("new.part") as file:
        file.write(b"new")
    assert not top.place("new.part", "a.png")
    assert (top.path / "a.png").read_bytes() == b"old"
    assert (top.path / "new.part").read_bytes() == b"new"


def test_an_empty_file_that_another_program_fills_before_the_rename_is_not_replaced(
    top: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_nothing(monkeypatch)
    create = Directory.create_file

    def create_and_fill(self: Directory, name: str) -> object:
        file = create(self, name)
        if name == "a.png":
            (self.path / name).write_bytes(b"theirs")
        return file

    top.create_file("new.part").close()
    monkeypatch.setattr(Directory, "create_file", create_and_fill)
    assert not top.place("new.part", "a.png")
    assert (top.path / "a.png").read_bytes() == b"theirs"


def test_a_disk_error_while_a_file_gets_its_name_is_raised(top: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    top.create_file("new.part").close()
    _no_links(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        top.place("new.part", "a.png")
    assert top.names() == ["new.part"]


def test_a_folder_several_levels_below_is_created_and_entered(top: Directory) -> None:
    with top.opened(["a", "b", "c"], create=True) as below:
        below.create_file("d.png").close()
    assert (top.path / "a" / "b" / "c" / "d.png").exists()
    with pytest.raises(FileNotFoundError), top.opened(["a", "x"]):
        pass
    with top.opened([]) as same:
        assert same is top


def test_new_files_and_folders_have_the_usual_permissions(top: Directory) -> None:
    umask = os.umask(0o027)
    try:
        top.create_file("a.png").close()
        top.child("b", create=True).close()
    finally:
        os.umask(umask)
    assert (top.path / "a.png").stat().st_mode & 0o777 == 0o640
    assert (top.path / "b").stat().st_mode & 0o777 == 0o750


def test_no_descriptor_stays_open(top: Directory) -> None:
    before = len(os.listdir("/proc/self/fd"))
    (top.path / "link").symlink_to("..")
    (top.path / "folder").mkdir()
    (top.path / "folder" / "link").symlink_to("..")
    for _ in range(10):
        with pytest.raises(OutputFileRefused):
            top.child("link")
        with pytest.raises(OutputFileRefused):
            top.open_file("folder")
        with pytest.raises(OutputFileRefused), top.opened(["folder", "link"]):
            pass
        top.child("folder").close()
        top.duplicate().close()
    assert len(os.listdir("/proc/self/fd")) == before
