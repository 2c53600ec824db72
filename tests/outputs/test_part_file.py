"""An output gets its name when it is whole and synced, replaces no file, and is continued after a crash."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_history.outputs import directory as module
from cloud_history.outputs import part_file, unfinished
from cloud_history.outputs.directory import HAS_DIR_FD, Directory
from cloud_history.outputs.errors import OutputFileRefused, OutputsDiskFull, OutputsUnwritable
from cloud_history.outputs.part_file import PartFile
from cloud_history.outputs.unfinished import is_part_name, remove_parts
from support.output_stage import CONTENT, PIECE, SOURCE, append, folder, hidden, ordinary_user, sha256, shown, write
from support.small_disk import file_size_limited_to

STEP = 16_384
WAYS = [
    pytest.param("by descriptor", marks=pytest.mark.skipif(not HAS_DIR_FD, reason="POSIX")),
    "by path",
    "as on Windows",
]


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_file, "SYNC_BYTES", STEP)


@pytest.fixture(params=WAYS, ids=["by descriptor", "by path", "as on Windows"])
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Directory]:
    """Return an open folder. Windows has no directory descriptors, and renames neither open files nor over others."""
    if request.param == "as on Windows":
        for each in (module, part_file, unfinished):
            monkeypatch.setattr(each, "WINDOWS", True)
        monkeypatch.setattr(module, "extended", str)
        monkeypatch.setattr(os, "rename", _rename_as_on_windows)
    with folder(tmp_path / "job", by_descriptor=request.param == "by descriptor") as found:
        yield found


def _rename_as_on_windows(old: str, new: str) -> None:
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    for descriptor in os.listdir("/proc/self/fd"):
        if os.path.exists(f"/proc/self/fd/{descriptor}") and os.path.samefile(f"/proc/self/fd/{descriptor}", old):
            raise PermissionError(errno.EACCES, "The process cannot access the file because it is being used", old)
    os.replace(old, new)


def begun(here: Directory, content: bytes, validator: str = '"tag"', source: str = SOURCE) -> PartFile:
    """Return an unfinished file with this content."""
    part = PartFile.begin(here, "a.png", source)
    part.validator = validator
    append(part, content)
    return part


def killed(part: PartFile) -> None:
    """Leave the unfinished file as the end of its process leaves it."""
    part._end()


def test_a_file_is_placed_with_its_size_and_hashes(here: Directory) -> None:
    placed = write(here, "a.png")
    assert (placed.name, placed.size, placed.sha256) == ("a.png", len(CONTENT), sha256(CONTENT))
    assert not placed.already_here
    assert placed.modified_ns == (here.path / "a.png").stat().st_mtime_ns
    assert shown(here.path) == {"a.png": CONTENT}
    assert hidden(here.path) == []


def test_the_blake3_hash_is_the_hash_of_the_content_where_the_package_is_installed(here: Directory) -> None:
    blake3: Any = pytest.importorskip("blake3")
    assert write(here, "a.png").blake3 == blake3.blake3(CONTENT).hexdigest()


@pytest.mark.parametrize("state", [None, object()])
def test_a_file_is_saved_without_the_package_blake3(
    here: Directory, state: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "blake3", state)  # missing, or without the function
    part_file.blake3_function.cache_clear()
    try:
        assert write(here, "a.png").blake3 is None
    finally:
        part_file.blake3_function.cache_clear()


def test_an_empty_file_is_placed(here: Directory) -> None:
    assert write(here, "a.txt", b"").size == 0
    assert shown(here.path) == {"a.txt": b""}


def test_nothing_is_shown_before_the_file_is_finished(here: Directory) -> None:
    part = begun(here, CONTENT)
    assert shown(here.path) == {}
    assert all(map(is_part_name, hidden(here.path)))
    part.discard()
    assert os.listdir(here.path) == []


def test_the_file_and_then_its_folder_are_synced_around_the_placing(
    here: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        seen.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def noted(real: Callable[..., None]) -> Callable[..., None]:
        def place(*arguments: Any, **named: Any) -> None:
            seen.append("name")
            real(*arguments, **named)

        return place

    monkeypatch.setattr(os, "fsync", record)
    for name in ("link", "rename"):
        monkeypatch.setattr(os, name, noted(getattr(os, name)))
    write(here, "a.png")
    assert seen == ["file", "name", "folder"]


# Names that are taken


def test_a_file_with_other_content_keeps_its_name_and_the_new_file_gets_a_number(here: Directory) -> None:
    (here.path / "a.png").write_bytes(b"theirs")
    (here.path / "a (2).png").write_bytes(b"theirs too")
    assert write(here, "a.png").name == "a (3).png"
    assert shown(here.path) == {"a.png": b"theirs", "a (2).png": b"theirs too", "a (3).png": CONTENT}


def test_a_file_of_the_same_size_with_other_content_is_another_file(here: Directory) -> None:
    other = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    (here.path / "a.png").write_bytes(other)
    assert write(here, "a.png").name == "a (2).png"
    assert shown(here.path) == {"a.png": other, "a (2).png": CONTENT}


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "a (2).png"])
def test_the_same_content_is_not_saved_twice(here: Directory, name: str) -> None:
    (here.path / "a.png").write_bytes(b"theirs")
    (here.path / name).write_bytes(CONTENT)
    before = (here.path / name).stat()
    placed = write(here, "a.png")
    assert (placed.name, placed.already_here, placed.modified_ns) == (name, True, before.st_mtime_ns)
    assert (here.path / name).stat().st_ino == before.st_ino
    assert hidden(here.path) == []


@pytest.mark.parametrize("taken", ["A.png", "a.PNG", "é.png", "É.png", "E\u0301.png"])
def test_names_that_differ_in_case_or_form_alone_get_numbers(here: Directory, taken: str) -> None:
    (here.path / taken).write_bytes(b"theirs")
    name = "a.png" if taken.lower() == "a.png" else "é.png"
    placed = write(here, name)
    assert placed.name in ("a (2).png", "é (2).png")
    assert (here.path / taken).read_bytes() == b"theirs"


@pytest.mark.parametrize("kind", ["link", "broken link", "folder", "pipe", "link to the same content"])
def test_a_name_that_is_no_file_is_left_alone(here: Directory, kind: str, tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(CONTENT if "same" in kind else b"theirs")

    def link(path: Path) -> None:
        path.symlink_to("../outside.png")

    make: dict[str, Callable[[Path], object]] = {
        "folder": lambda path: path.mkdir(),
        "pipe": os.mkfifo,
        "broken link": lambda path: path.symlink_to("../new.png"),
    }
    make.get(kind, link)(here.path / "a.png")
    assert write(here, "a.png").name == "a (2).png"
    assert sorted(os.listdir(tmp_path)) == ["job", "outside.png"]
    assert (here.path / "a (2).png").read_bytes() == CONTENT


@pytest.mark.parametrize("theirs", [b"theirs", CONTENT])
def test_a_name_that_another_program_creates_at_the_last_moment_is_not_replaced(
    here: Directory, theirs: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Directory.place

    def create_first(self: Directory, temporary: str, name: str) -> bool:
        if name == "a.png" and not (self.path / name).exists():
            (self.path / name).write_bytes(theirs)
        return place(self, temporary, name)

    monkeypatch.setattr(Directory, "place", create_first)
    placed = write(here, "a.png")
    assert (here.path / "a.png").read_bytes() == theirs
    assert placed.name == ("a.png" if theirs == CONTENT else "a (2).png")
    assert placed.already_here is (theirs == CONTENT)
    assert hidden(here.path) == []


def test_an_output_with_the_name_of_the_job_file_gets_another_name(here: Directory) -> None:
    assert write(here, "job.json").name == "_job.json"


def test_two_outputs_with_the_same_name_are_both_saved(here: Directory) -> None:
    one, other = PartFile.begin(here, "a.png", "0"), PartFile.begin(here, "a.png", "1")
    one.write(b"one")
    other.write(b"other")
    assert {one.finish().name, other.finish().name} == {"a.png", "a (2).png"}
    assert set(shown(here.path).values()) == {b"one", b"other"}


def test_the_same_output_can_be_saved_twice_at_once(here: Directory) -> None:
    one, other = begun(here, CONTENT), begun(here, CONTENT)
    assert len(hidden(here.path)) == 2
    assert [one.finish().already_here, other.finish().already_here] == [False, True]
    assert shown(here.path) == {"a.png": CONTENT}
    assert hidden(here.path) == []


# What an earlier run left


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("size", [0, 1, STEP, STEP + 1, 2 * STEP, 2 * STEP + 5, len(CONTENT)])
def test_a_file_continues_from_the_last_step_that_is_certainly_on_the_disk(here: Directory, size: int) -> None:
    killed(begun(here, CONTENT[:size]))
    part = PartFile.begin(here, "a.png", SOURCE)
    kept = max(0, size - 1) // STEP * STEP
    assert part.kept_bytes == kept
    assert part.validator == ('"tag"' if kept else "")
    part.rehash()
    assert part.size == kept
    part.write(CONTENT[kept:])
    assert part.finish().sha256 == sha256(CONTENT)
    assert shown(here.path) == {"a.png": CONTENT}
    assert hidden(here.path) == []


@pytest.mark.usefixtures("small_steps")
def test_bytes_that_a_power_cut_turned_into_zeros_are_not_kept(here: Directory) -> None:
    killed(begun(here, CONTENT[: 2 * STEP + 5000]))
    (name,) = [each for each in hidden(here.path) if ".tag." not in each]
    with open(here.path / name, "r+b") as file:
        file.seek(2 * STEP)
        file.write(bytes(5000))
    assert write(here, "a.png").sha256 == sha256(CONTENT)
    assert shown(here.path) == {"a.png": CONTENT}


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("shorter", [STEP + 1, 2 * STEP, 2 * STEP + 1])
def test_a_file_that_is_shorter_than_what_an_earlier_run_left_is_cut(here: Directory, shorter: int) -> None:
    killed(begun(here, CONTENT))
    content = CONTENT[: len(CONTENT) // STEP * STEP] + b"end"
    assert write(here, "a.png", content).sha256 == sha256(content)
    assert shown(here.path) == {"a.png": content}


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("validator", ["", 'W/"weak"', '"a\r\nHost: b"', '"ü"', "tag", '"' + "x" * 600 + '"'])
def test_without_a_strong_validator_nothing_is_kept(here: Directory, validator: str) -> None:
    killed(begun(here, CONTENT, validator))
    part = PartFile.begin(here, "a.png", SOURCE)
    assert (part.kept_bytes, part.validator) == (0, "")
    part.discard()


@pytest.mark.usefixtures("small_steps")
def test_a_download_that_begins_anew_forgets_the_earlier_validator(here: Directory) -> None:
    killed(begun(here, CONTENT))
    part = PartFile.begin(here, "a.png", SOURCE)
    part.restart()
    assert (part.size, part.kept_bytes, part.validator) == (0, 0, "")
    killed(part)
    killed(begun(here, CONTENT[::-1], '"other"'))
    assert PartFile.begin(here, "a.png", SOURCE).validator == '"other"'


@pytest.mark.usefixtures("small_steps")
def test_a_stop_while_the_kept_bytes_are_read_keeps_them(here: Directory) -> None:
    def stop() -> None:
        raise InterruptedError("stopped by the test")

    killed(begun(here, CONTENT))
    part = PartFile.begin(here, "a.png", SOURCE)
    with pytest.raises(OutputsUnwritable):  # an InterruptedError is an OSError
        part.rehash(stop)
    part.keep()
    assert PartFile.begin(here, "a.png", SOURCE).kept_bytes == len(CONTENT) // STEP * STEP


@pytest.mark.usefixtures("small_steps")
def test_what_can_be_continued_is_kept_and_the_rest_removed(here: Directory) -> None:
    begun(here, CONTENT[:STEP]).keep()
    assert hidden(here.path) == []
    begun(here, CONTENT, validator="").keep()
    assert hidden(here.path) == []
    begun(here, CONTENT).keep()
    assert len(hidden(here.path)) == 2


@pytest.mark.usefixtures("small_steps")
def test_another_output_of_the_same_name_does_not_continue_the_file(here: Directory) -> None:
    killed(begun(here, CONTENT))
    assert PartFile.begin(here, "a.png", "job 1, output 1").kept_bytes == 0


def test_an_earlier_run_that_ended_before_it_removed_the_second_name_changes_nothing(here: Directory) -> None:
    part = begun(here, CONTENT)
    os.link(here.path / part._temporary, here.path / "a.png")
    killed(part)
    placed = write(here, "a.png")
    assert placed.already_here
    assert shown(here.path) == {"a.png": CONTENT}
    assert hidden(here.path) == []


def test_a_temporary_name_that_leads_to_another_file_is_not_written(here: Directory, tmp_path: Path) -> None:
    part = begun(here, b"")
    name = part._temporary
    part.discard()
    (tmp_path / "precious.txt").write_text("precious")
    for make in (os.link, os.symlink):
        make(tmp_path / "precious.txt", here.path / name)
        assert write(here, "a.png").sha256 == sha256(CONTENT)
        assert (tmp_path / "precious.txt").read_text() == "precious"
        (here.path / name).unlink(missing_ok=True)
    assert shown(here.path) == {"a.png": CONTENT}


def test_an_unfinished_file_that_cannot_be_opened_is_passed_over(here: Directory) -> None:
    part = begun(here, b"theirs")
    killed(part)
    (here.path / part._temporary).chmod(0)
    here.path.chmod(0o777)
    with ordinary_user(here.path):
        assert write(here, "a.png").name == "a.png"
    assert shown(here.path) == {"a.png": CONTENT}


def test_a_file_of_another_user_is_not_continued(here: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    part = begun(here, b"theirs")
    killed(part)
    monkeypatch.setattr(unfinished, "_is_own", lambda found: False)
    assert write(here, "a.png").sha256 == sha256(CONTENT)
    assert (here.path / part._temporary).read_bytes() == b"theirs"


# Other programs that change the unfinished file


@pytest.mark.parametrize("change", ["removed", "replaced", "longer", "shorter", "second name"])
def test_a_file_that_another_program_changed_is_not_placed(here: Directory, change: str) -> None:
    part = begun(here, CONTENT)
    path = here.path / part._temporary
    if change == "removed":
        path.unlink()
    elif change == "replaced":
        (here.path / "theirs").write_bytes(CONTENT)
        os.replace(here.path / "theirs", path)
    elif change == "second name":
        os.link(path, here.path / ".other")
    else:
        os.truncate(path, len(CONTENT) + (1 if change == "longer" else -1))
    with pytest.raises(OutputFileRefused, match="Another program"):
        part.finish()
    part.discard()
    assert shown(here.path) == {}
    if change == "replaced":
        assert path.read_bytes() == CONTENT  # it belongs to the other program


# The disk refuses


@pytest.mark.parametrize("room", [0, 1, PIECE - 1, PIECE, 3 * PIECE + 7, len(CONTENT) - 1])
def test_a_disk_that_fills_up_at_any_byte_leaves_nothing_that_looks_whole(here: Directory, room: int) -> None:
    part = PartFile.begin(here, "a.png", SOURCE)
    with file_size_limited_to(room), pytest.raises(OutputsDiskFull, match="full") as caught:
        append(part, CONTENT)
    assert caught.value.is_full
    assert part.size == room // PIECE * PIECE
    assert os.stat(here.path / part._temporary).st_size == part.size
    part.write(CONTENT[part.size :])  # there is room again
    assert part.finish().sha256 == sha256(CONTENT)


def test_what_is_discarded_frees_its_space_at_once(here: Directory) -> None:
    part = begun(here, CONTENT)
    part.discard()
    part.discard()
    assert os.listdir(here.path) == []


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("call", ["fsync", "placing", "listdir", "_truncate"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_a_system_call_that_fails_is_reported_and_the_next_save_works(
    here: Directory, call: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        for name in ("link", "rename") if call == "placing" else (call,):
            owner: object = PartFile if name == "_truncate" else os
            broken.setattr(owner, name, refuse)
        with pytest.raises(OutputsUnwritable) as caught:
            write(here, "a.png")
    assert caught.value.is_full is (number in (errno.ENOSPC, errno.EDQUOT))
    assert shown(here.path) == {}
    assert write(here, "a.png").sha256 == sha256(CONTENT)
    assert shown(here.path) == {"a.png": CONTENT}


@pytest.mark.usefixtures("small_steps")
def test_after_a_failed_sync_the_file_is_neither_placed_nor_kept(
    here: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    part = begun(here, CONTENT[: STEP + 1])
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuse)
        with pytest.raises(OutputsUnwritable):
            part.write(CONTENT[STEP + 1 :])
    part.write(CONTENT[part.size :])
    with pytest.raises(OutputsUnwritable):
        part.finish()
    part.keep()
    assert os.listdir(here.path) == []


def test_a_read_only_folder_is_reported(here: Directory) -> None:
    here.path.chmod(0o555)
    with ordinary_user(here.path), pytest.raises(OutputsUnwritable, match="can’t be written"):
        PartFile.begin(here, "a.png", SOURCE)
    assert os.listdir(here.path) == []


# What is left is removed


@pytest.mark.usefixtures("small_steps")
def test_only_unfinished_files_that_no_process_writes_are_removed(here: Directory) -> None:
    killed(begun(here, CONTENT, source="left"))
    (here.path / ".mine.part").write_text("not by this pack")
    (here.path / "a.part").write_text("not by this pack")
    writing = begun(here, CONTENT)
    (here.path / f".link.{'0' * 32}.part").symlink_to("a.part")
    assert remove_parts(here) == 2
    assert (here.path / "a.part").exists()
    assert (here.path / ".mine.part").exists()
    assert writing.finish().sha256 == sha256(CONTENT)


def test_no_descriptor_stays_open(here: Directory) -> None:
    (here.path / "a.png").write_bytes(CONTENT)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        write(here, "a.png")
        begun(here, CONTENT, source="x").keep()
        remove_parts(here)
    assert len(os.listdir("/proc/self/fd")) == before
