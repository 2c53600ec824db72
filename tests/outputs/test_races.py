"""Programs that create the same names at the same time lose nothing: each file is there, once, and whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from cloud_history.outputs.unfinished import is_part_name
from support.output_stage import hidden, shown

ROUNDS = 40
SAVER = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from support.output_stage import folder, write
sys.stdin.readline()
with folder(Path(sys.argv[2])) as here:
    for number in range(int(sys.argv[3])):
        for content in (f"shared {number}", f"{sys.argv[4]} {number}"):
            write(here, f"{number}.txt", content.encode() * 3000, content)
"""
CREATOR = """
import os, sys
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    name = f"{number}.txt"
    while True:
        try:
            file = os.open(os.path.join(sys.argv[2], name), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            name = "theirs " + name
        else:
            os.write(file, f"theirs {number}".encode())
            os.close(file)
            break
"""


def test_several_savers_and_another_program_lose_no_file(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    root = str(Path(__file__).parents[2])
    programs = [(SAVER, "one"), (SAVER, "other"), (SAVER, "third"), (CREATOR, "theirs")]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, root, str(tmp_path / "job"), str(ROUNDS), name], stdin=subprocess.PIPE
        )
        for code, name in programs
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.close()
    assert [child.wait(120) for child in children] == [0, 0, 0, 0]
    contents = Counter(shown(tmp_path / "job").values())
    expected = {f"theirs {number}".encode() for number in range(ROUNDS)}
    expected |= {
        f"{name} {number}".encode() * 3000 for number in range(ROUNDS) for name in ("shared", "one", "other", "third")
    }
    assert contents == dict.fromkeys(expected, 1)
    assert hidden(tmp_path / "job") == []
    assert not any(map(is_part_name, os.listdir(tmp_path / "job")))
